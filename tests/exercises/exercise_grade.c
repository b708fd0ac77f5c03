// exercise_grade.c: runs the tests of a chapter's exercises for a student, and tells which task, how many points, what was got,
// what was expected and where to look. It replaces exercise_suite.c in a program that is built with MODE=asan.
//
//     grade_01 FOLDER chapters/01-…/exercise.c           each test in a process of its own; FOLDER takes what each one
//                                                        printed, and the file "result": task, points, most
//     gdb --args grade_01 --test the_loss_of_…           one test, in this process, for the debugger
#include "exercise_suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/replace.h"
#include "lesson/exercise.h"

enum { SECONDS = 20, TEXT = 1 << 16, PRINTED_LINES = 12 };

static const char not_written_format[] = "TASK %s is not written yet";
static ExerciseTest table[EXERCISE_MOST_TESTS];
static int count;
static const char *folder, *source;

void not_written(const char *task) { ck_abort_msg(not_written_format, task); }

// Fresh memory is full of 0xFF, so that a float read before it was written is NaN. Local variables stay on the stack: gcc's
// code for those that are to be watched after the return puts 64-byte vectors at addresses that are no multiple of 64.
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "exitcode=99:print_summary=0:detect_stack_use_after_return=0:max_malloc_fill_size=16384:"
           "malloc_fill_byte=255";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void) { return "halt_on_error=1:exitcode=99"; }

// ---- What a test prints goes to a file ----------------------------------------------------------------------------

static int current = -1; // the test that runs

static void path_of(char *path, size_t size, int test)
{
    snprintf(path, size, "%s/%s.txt", folder, table[test].test->name);
}

// In memory that the tests' processes share with this one, for each test: the arguments of the call that it makes, and
// whether it came to its end. Check takes a process that ends with exit(0) for one that passed.
typedef struct {
    char arguments[TEXT / 16];
    bool finished;
} Shared;
static Shared *shared;

void exercise_given(const char *arguments); // expect.h
void exercise_given(const char *arguments)
{
    if (shared) snprintf(shared[current].arguments, sizeof shared->arguments, "%s", arguments);
}

static void at_the_end(void) { shared[current].finished = true; }

static bool passed(TestResult *const *results, int test)
{
    return tr_rtype(results[test]) == CK_PASS && shared[test].finished;
}

static void before_the_process(void) { current++; }

static void in_the_process(void)
{
    char path[4096];
    path_of(path, sizeof path, current);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
    if (file < 0 || dup2(file, 1) < 0 || dup2(file, 2) < 0) ck_abort_msg("%s: %s", path, strerror(errno));
    close(file);
    setvbuf(stdout, NULL, _IOLBF, 0);
}

// What test printed (static storage, cut).
static char *printed_by(int test)
{
    static char text[TEXT];
    char path[4096];
    path_of(path, sizeof path, test);
    FILE *file = fopen(path, "r");
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[length] = '\0';
    if (file) fclose(file);
    return text;
}

// ---- What a sanitizer's report means --------------------------------------------------------------------------------

static const struct {
    const char *word, *meaning;
} meanings[] = {
    {"buffer-overflow", "outside of an array"},
    {"buffer-underflow", "outside of an array"},
    {"use-after-poison", "outside of a matrix, or in memory that an arena took back"},
    {"use-after-free", "in memory that was freed"},
    {"use-after-return", "in a local variable of a function that has returned"},
    {"use-after-scope", "in a local variable that is no longer there"},
    {"double-free", "memory is freed twice"},
    {"bad-free", "free() of what malloc() did not give"},
    {"stack-overflow",
     "the stack is full: a function that calls itself without end, or too large local arrays"},
    {"SEGV", "at an address where nothing is: a NULL pointer, or an index far off"},
    {"requested allocation size", "far too much memory is asked for: a negative size?"},
    {"out of memory", "more memory is asked for than there is: a negative size?"},
    {"parameters overflow", "far too much memory is asked for: a negative size?"},
    {"negative-size-param", "a negative size for memcpy() or one of its kind"},
    {"param-overlap", "memcpy() or one of its kind from a place into the same place"},
    {"FPE", "a whole number is divided by zero"},
};

// " (regression_loss, exercise.c:14)" for the first frame of a report in the student's file.
static void add_place(char *out, size_t size, const char *report)
{
    const char *file = strstr(report, "exercise.c:"), *name = NULL;
    if (!file) return;
    for (const char *at = report; (at = strstr(at, " in ")) && at < file;) name = at += 4;
    int line = atoi(file + strlen("exercise.c:"));
    size_t used = strlen(out);
    if (name && line > 0)
        snprintf(out + used, size - used, " (in %.*s, exercise.c:%d)", (int)strcspn(name, " "), name, line);
}

// Where the report begins that holds found.
static const char *begin_of(const char *text, const char *found)
{
    static const char *const first_lines[] = {"AddressSanitizer:DEADLYSIGNAL", "====="};
    for (int i = 0; i < 2; i++) {
        const char *line = strstr(text, first_lines[i]);
        if (line && line < found) return line;
    }
    return found;
}

// "…/exercise.c:14:20: runtime error: index 3 out of bounds …" of UBSan, told from found on.
static void explain_undefined(char *out, size_t size, const char *line, const char *found)
{
    const char *what = found + strlen("runtime error: "), *file = strstr(line, "exercise.c:");
    snprintf(out, size, "undefined behaviour: %.*s", (int)strcspn(what, "\n"), what);
    size_t used = strlen(out);
    if (file && file < found)
        snprintf(out + used, size - used, " (exercise.c:%d)", atoi(file + strlen("exercise.c:")));
}

// "heap-buffer-overflow on address … READ of size 4 …" of AddressSanitizer
static void explain_memory(char *out, size_t size, const char *kind)
{
    const char *meaning = NULL, *verb = strstr(kind, "WRITE ")  ? "writes "
                                        : strstr(kind, "READ ") ? "reads "
                                                                : "";
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings && !meaning; i++) {
        const char *word = strstr(kind, meanings[i].word);
        if (word && word < kind + strcspn(kind, "\n")) meaning = meanings[i].meaning;
    }
    if (meaning)
        snprintf(out, size, "memory error: %s%s", verb, meaning);
    else
        snprintf(out, size, "memory error: %.*s", (int)strcspn(kind, " \n"), kind);
    add_place(out, size, kind);
}

// Puts what stopped the test into words; false when the text holds no report that is known. *begin: where it starts.
static bool explain(char *out, size_t size, const char *text, const char **begin)
{
    static const char memory[] = "ERROR: AddressSanitizer: ";
    const char *found;
    if ((found = strstr(text, "runtime error: "))) {
        *begin = found;
        while (*begin > text && (*begin)[-1] != '\n') --*begin;
        explain_undefined(out, size, *begin, found);
    } else if ((found = strstr(text, "ERROR: LeakSanitizer: detected"))) {
        const char *leak = strstr(found, "leak of ");
        *begin = begin_of(text, found);
        snprintf(out, size, "memory is taken and never given back: %d bytes", leak ? atoi(leak + 8) : 0);
        add_place(out, size, found);
    } else if ((found = strstr(text, memory))) {
        *begin = begin_of(text, found);
        explain_memory(out, size, found + strlen(memory));
    } else if ((found = strstr(text, "error: ")) &&
               (found == text || found[-1] == '\n')) { // die() of the library
        *begin = found;
        snprintf(out, size, "%s", found);
        for (char *at = out; *at; at++)
            if (*at == '\n') *at = at[1] ? ';' : '\0';
    } else {
        return false;
    }
    return true;
}

enum { STORY = 8192 }; // bytes; a message and the arguments of a call

// What is to be said about a test that did not pass: one line, and in *printed what else the test wrote.
static const char *story(TestResult *result, int test, char **printed)
{
    static char text[STORY];
    const char *message = tr_msg(result), *report = NULL;
    *printed = printed_by(test);
    if (tr_rtype(result) == CK_FAILURE) return message;
    if (explain(text, sizeof text, *printed, &report)) {
        (*printed)[report - *printed] = '\0';
    } else if (strstr(message, "timeout")) {
        snprintf(text, sizeof text, "still running after %d seconds: a loop without end?", SECONDS);
    } else if (tr_rtype(result) == CK_PASS || strstr(message, "Early exit")) {
        snprintf(text, sizeof text, "the program was ended inside of the function (exit?)");
    } else {
        snprintf(text, sizeof text, "%s", message);
    }
    size_t used = strlen(text);
    if (shared[test].arguments[0])
        snprintf(text + used, sizeof text - used, "; with %.*s", (int)(sizeof text - used - 8),
                 shared[test].arguments);
    return text;
}

// ---- The grade --------------------------------------------------------------------------------------------------------

static const char *paint(const char *code) { return isatty(1) && !getenv("NO_COLOR") ? code : ""; }

// Printed with an indentation, in lines of at most 100 characters, broken after a comma, or else at a blank.
static void print_wrapped(const char *text)
{
    enum { WIDTH = 92 };
    while (*text) {
        int columns = 0;
        size_t length = 0, blank = 0, comma = 0;
        for (; text[length] && text[length] != '\n' && columns < WIDTH; length++) {
            columns +=
                ((unsigned char)text[length] & 0xC0) != 0x80; // the later bytes of a letter take no place
            if (text[length] != ' ') continue;
            blank = length;
            if (length > 0 && text[length - 1] == ',') comma = length;
        }
        if (columns == WIDTH && blank) length = comma > blank / 2 ? comma : blank;
        printf("        %.*s\n", (int)length, text);
        text += length;
        while (*text == ' ' || *text == '\n') text++;
    }
}

static void print_failure(TestResult *result, int test)
{
    char name[128], *printed, told[STORY];
    snprintf(name, sizeof name, "%s", table[test].test->name);
    for (char *at = name; *at; at++)
        if (*at == '_') *at = ' ';
    printf("    %s✗%s %s\n", paint("\033[31m"), paint("\033[0m"), name);
    snprintf(told, sizeof told, "%s", story(result, test, &printed));
    char *with = strstr(told, "; with ");
    if (with) *with = '\0';
    print_wrapped(told);
    if (with) print_wrapped(with + 2);
    if (printed[strspn(printed, " \n")]) {
        printf("      it printed:\n");
        int lines = 0;
        for (char *line = strtok(printed, "\n"); line && lines < PRINTED_LINES;
             line = strtok(NULL, "\n"), lines++)
            print_wrapped(line);
    }
    bool failed = tr_rtype(result) == CK_FAILURE; // else the place is that of the last thing that went well
    printf("      the test: %s:%d\n", failed ? tr_lfile(result) : table[test].test->file,
           failed ? tr_lno(result) : table[test].test->line);
}

// One task, tests first … end − 1. Returns its points; *most receives what there is to have.
static int print_task(TestResult **results, int first, int end, int *most)
{
    const char *task = table[first].task;
    char stub[64];
    snprintf(stub, sizeof stub, not_written_format, task);
    int points = 0, failed = 0;
    bool written = false;
    *most = 0;
    for (int i = first; i < end; i++) {
        *most += table[i].points;
        points += passed(results, i) ? table[i].points : 0;
        written = written || tr_rtype(results[i]) != CK_FAILURE || strcmp(tr_msg(results[i]), stub) != 0;
    }
    const char *colour = points == *most ? "\033[32m" : written ? "\033[31m" : "";
    printf("%s%s%s TASK %-5s %3d of %d points%s\n", paint(colour),
           points == *most ? "✓"
           : written       ? "✗"
                           : "–",
           paint("\033[0m"), task, points, *most, written ? "" : ": not written yet");
    for (int i = first; i < end && written; i++) {
        if (passed(results, i)) continue;
        if (failed++ == 0) print_failure(results[i], i);
    }
    if (failed > 1) printf("    … and %d more of its tests\n", failed - 1);
    return points;
}

// "10-cnn" → 10
static int chapter_number(void) { return atoi(exercise_folder); }

static void print_advice(TestResult **results)
{
    int worst = 0;
    while (passed(results, worst)) worst++;
    const char *task = table[worst].task;
    printf("\nNext: TASK %s in %s. A hint: make hint%d TASK=%s\n", task, source, chapter_number(),
           strchr(task, '.') + 1);
    bool stub =
        tr_rtype(results[worst]) == CK_FAILURE && strstr(tr_msg(results[worst]), "is not written yet");
    if (!stub) printf("In the debugger: make debug%d TEST=%s\n", chapter_number(), table[worst].test->name);
}

static void write_result(FILE *file, TestResult **results)
{
    for (int first = 0, end; first < count; first = end) {
        int points = 0, most = 0;
        for (end = first; end < count && strcmp(table[end].task, table[first].task) == 0; end++) {
            most += table[end].points;
            points += passed(results, end) ? table[end].points : 0;
        }
        fprintf(file, "%s %d %d\n", table[first].task, points, most);
    }
}

// In a handout there are no answers beside the student's file.
static bool has_answers(void)
{
    const char *name = strrchr(source, '/');
    char path[512];
    snprintf(path, sizeof path, "%.*ssolution.c", name ? (int)(name + 1 - source) : 0, source);
    return access(path, R_OK) == 0;
}

static int grade(TestResult **results)
{
    int points = 0, most = 0;
    printf("%s\n\n", source);
    for (int first = 0, end; first < count; first = end) {
        int most_of_task;
        for (end = first; end < count && strcmp(table[end].task, table[first].task) == 0;) end++;
        points += print_task(results, first, end, &most_of_task);
        most += most_of_task;
    }
    printf("\n%d of %d points", points, most);
    if (points == most) {
        printf(": all PUBLIC tests passed.\nYour teacher's grader has hidden ones as well.");
        if (has_answers()) printf(" Our answers: make solution%d", chapter_number());
        putchar('\n');
    } else {
        print_advice(results);
    }

    char path[4096];
    snprintf(path, sizeof path, "%s/result", folder);
    Replacement file;
    bool written = replace_try_begin(&file, path);
    if (written) {
        write_result(file.stream, results);
        written = replace_try_finish(&file);
    }
    if (!written) {
        fprintf(stderr, "%s\n%s\n", file.problem, file.remedy);
        return 2;
    }
    return points == most ? 0 : 1;
}

// ---- Running ------------------------------------------------------------------------------------------------------------

static int run_one(const char *name)
{
    Suite *suite = suite_create(exercise_folder);
    TCase *one = tcase_create(name);
    int found = 0;
    for (int i = 0; i < count; i++)
        if (strcmp(table[i].test->name, name) == 0) tcase_add_test(one, table[i].test), found++;
    suite_add_tcase(suite, one);
    if (!found) {
        fprintf(stderr, "There is no test %s in tests/exercises\n", name);
        return 2;
    }
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_VERBOSE);
    return srunner_ntests_failed(runner) ? 1 : 0;
}

// Where processes may not look into each other (some containers), leaks cannot be searched for: once more, without.
static void without_leaks(char **arguments)
{
    for (int i = 0; i < count && !getenv("ASAN_OPTIONS"); i++) {
        if (!strstr(printed_by(i), "LeakSanitizer has encountered a fatal error")) continue;
        setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
        execv("/proc/self/exe", arguments);
        perror("/proc/self/exe");
    }
}

int main(int argc, char **argv)
{
    count = exercise_table(table);
    if (argc != 3) {
        fprintf(stderr, "usage: %s FOLDER exercise.c | --test NAME\n", argv[0]);
        return 2;
    }
    if (strcmp(argv[1], "--test") == 0) return run_one(argv[2]);
    folder = argv[1];
    source = argv[2];

    shared =
        mmap(NULL, (size_t)count * sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        return 2;
    }

    Suite *suite = suite_create(exercise_folder);
    for (int i = 0; i < count; i++) { // a case for each test, so that results come in the order of the table
        TCase *one = tcase_create(table[i].task);
        tcase_set_timeout(one, SECONDS);
        tcase_add_unchecked_fixture(one, before_the_process, NULL);
        tcase_add_checked_fixture(one, in_the_process, at_the_end);
        tcase_add_test(one, table[i].test);
        suite_add_tcase(suite, one);
    }
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_SILENT);
    if (srunner_ntests_run(runner) != count) {
        fprintf(stderr, "%s: %d of %d tests ran\n", exercise_folder, srunner_ntests_run(runner), count);
        return 2;
    }
    without_leaks(argv);
    TestResult **results = srunner_results(runner);
    int status = grade(results);
    free(results);
    srunner_free(runner);
    return status;
}
