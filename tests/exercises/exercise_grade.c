// exercise_grade.c: runs the tests of a chapter's exercises for a student, and tells which task, how many
// points, what was got, what was expected and where to look. It replaces exercise_suite.c in a program that
// is built with MODE=asan.
//
//     grade_01 FOLDER chapters/01-…/exercise.c           each test in a process of its own; FOLDER takes what each one
//                                                        printed, and the file "result": task, points, most
//     gdb --args grade_01 --test the_loss_of_…           one test, in this process, for the debugger
#include "exercise_suite.h"
#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/replace.h"
#include "lesson/exercise.h"

// A test may compute for 3 seconds, 12 with what the system does for it, or wait for 4 seconds and use none.
// A slow machine is no endless loop.
enum { SECONDS = 3, SECONDS_WITH_SYSTEM = 12, SECONDS_WAITING = 4, SECONDS_ALL = 60 };
enum { TEXT = 1 << 16, PRINTED_LINES = 12 };

static const char not_written_format[] = "TASK %s is not written yet";
static ExerciseTest table[EXERCISE_MOST_TESTS];
static int count;
static const char *folder, *source;

void not_written(const char *task) { ck_abort_msg(not_written_format, task); }

// Fresh memory is full of 0xFF, so that a float read before it was written is NaN. What was freed is watched
// for 16 MB more: with the usual 256 most of a test's time went into fresh pages. Local variables stay on the
// stack: gcc's code for those that are to be watched after the return puts 64-byte vectors at addresses that
// are no multiple of 64.
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "exitcode=99:print_summary=0:detect_stack_use_after_return=0:max_malloc_fill_size=16384:"
           "malloc_fill_byte=255:quarantine_size_mb=16";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void) { return "halt_on_error=1:exitcode=99"; }

// ---- What a test prints goes to a file ----------------------------------------------------------------

static int current = -1; // the test that runs

static void path_of(char *path, size_t size, int test)
{
    snprintf(path, size, "%s/%s.txt", folder, table[test].test->name);
}

// In memory that the tests' processes share with this one, for each test: the arguments of the call that it
// makes, and whether it came to its end. Check takes a process that ends with exit(0) for one that passed.
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

// Out of time: AddressSanitizer's own handler for signals tells where the program is, as UNKNOWN SIGNAL.
static struct sigaction telling;

static void out_of_time(int number, siginfo_t *info, void *context)
{
    static const struct itimerval none;
    static clock_t before;
    clock_t now = clock();
    if (number == SIGALRM &&
        now - before > CLOCKS_PER_SEC / 100) { // it is busy: its processor time is what counts
        before = now;
        alarm(2);
        return;
    }
    setitimer(ITIMER_PROF, &none, NULL); // no clock runs while the report waits for the symbolizer
    setitimer(ITIMER_VIRTUAL, &none, NULL);
    alarm(0);
    if ((telling.sa_flags & SA_SIGINFO) && telling.sa_sigaction) telling.sa_sigaction(number, info, context);
    signal(number, SIG_DFL);
    raise(number);
}

static void start_clocks(void)
{
    const struct sigaction act = {.sa_sigaction = out_of_time, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    const struct itimerval own = {.it_value = {.tv_sec = SECONDS}},
                           all = {.it_value = {.tv_sec = SECONDS_WITH_SYSTEM}};
    if (sigaction(SIGBUS, NULL, &telling) != 0 || sigaction(SIGVTALRM, &act, NULL) != 0 ||
        sigaction(SIGPROF, &act, NULL) != 0 || sigaction(SIGALRM, &act, NULL) != 0 ||
        setitimer(ITIMER_VIRTUAL, &own, NULL) != 0 || setitimer(ITIMER_PROF, &all, NULL) != 0)
        ck_abort_msg("no timer: %s", strerror(errno));
    alarm(SECONDS_WAITING);
}

static void in_the_process(void)
{
    char path[4096];
    path_of(path, sizeof path, current);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644),
        nothing = open("/dev/null", O_RDONLY);
    if (file < 0 || dup2(file, 1) < 0 || dup2(file, 2) < 0) ck_abort_msg("%s: %s", path, strerror(errno));
    if (nothing < 0 || dup2(nothing, 0) < 0) ck_abort_msg("/dev/null: %s", strerror(errno));
    close(file);
    close(nothing);
    setvbuf(stdout, NULL, _IOLBF, 0);
    start_clocks();
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

// ---- What a sanitizer's report means ------------------------------------------------------------------

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
    {"BUS", "at an address where nothing is"},
    {"SEGV", "at an address where nothing is: a NULL pointer, or an index far off"},
    {"requested allocation size", "far too much memory is asked for: a negative size?"},
    {"out of memory", "more memory is asked for than there is: a negative size?"},
    {"parameters overflow", "far too much memory is asked for: a negative size?"},
    {"negative-size-param", "a negative size for memcpy() or one of its kind"},
    {"param-overlap", "memcpy() or one of its kind from a place into the same place"},
    {"FPE", "a whole number is divided by zero"},
};

// " (in regression_loss, exercise.c:14)" for the first frame of a report in the student's file. Of instructions that belong to no
// line, such as those that clang's sanitizers put between two iterations of a loop, a report has no line either.
static void add_place(char *out, size_t size, const char *report)
{
    static const char file_name[] = "/exercise.c";
    const char *file = strstr(report, file_name), *name = NULL;
    if (!file) return;
    for (const char *at = report; (at = strstr(at, " in ")) && at < file;) name = at += 4;
    const char *behind = file + strlen(file_name);
    int line = *behind == ':' ? atoi(behind + 1) : 0;
    size_t used = strlen(out);
    if (name && line > 0)
        snprintf(out + used, size - used, " (in %.*s, exercise.c:%d)", (int)strcspn(name, " "), name, line);
    if (name && line == 0)
        snprintf(out + used, size - used, " (in %.*s, exercise.c)", (int)strcspn(name, " "), name);
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

static const char endless[] = "still running after 3 seconds: a loop without end?";

// "heap-buffer-overflow on address … READ of size 4 …" of AddressSanitizer
static void explain_memory(char *out, size_t size, const char *kind)
{
    if (strncmp(kind, "UNKNOWN SIGNAL", 14) == 0) { // out_of_time
        snprintf(out, size, "%s", endless);
        add_place(out, size, kind);
        return;
    }
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

// Puts what stopped the test into words; false when the text holds no report that is known. *begin: where it
// starts.
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

// ---- What became of a test ----------------------------------------------------------------------------

typedef enum {
    RIGHT,
    LEAKY,
    STUB,
    WRONG,
    ENDLESS,
    LEFT_OUT
} Verdict; // LEAKY: right, but memory was not given back

static SRunner *runners[EXERCISE_MOST_TESTS];    // NULL when the test was left out
static TestResult *results[EXERCISE_MOST_TESTS]; // theirs
static Verdict verdicts[EXERCISE_MOST_TESTS];
static int points[EXERCISE_MOST_TESTS];

static Verdict verdict_of(int test)
{
    TestResult *result = results[test];
    const char *message = tr_msg(result), *text = printed_by(test);
    char stub[64];
    snprintf(stub, sizeof stub, not_written_format, table[test].task);
    if (tr_rtype(result) == CK_FAILURE) return strcmp(message, stub) == 0 ? STUB : WRONG;
    if (shared[test].finished && tr_rtype(result) == CK_PASS) return RIGHT;
    if (shared[test].finished && strstr(text, "ERROR: LeakSanitizer: detected")) return LEAKY;
    bool late = strstr(text, "AddressSanitizer: UNKNOWN SIGNAL") || strstr(message, "timeout") ||
                strstr(message, "rofiling timer") || strstr(message, "larm clock");
    return late ? ENDLESS : WRONG;
}

enum { STORY = 8192 }; // bytes; a message and the arguments of a call

// What is to be said about a test that did not pass: one line, and in *printed what else the test wrote.
static const char *story(int test, char **printed)
{
    static char text[STORY];
    const char *message = tr_msg(results[test]), *report = NULL;
    *printed = printed_by(test);
    if (tr_rtype(results[test]) == CK_FAILURE) return message;
    if (explain(text, sizeof text, *printed, &report)) {
        (*printed)[report - *printed] = '\0';
    } else if (verdicts[test] == ENDLESS) {
        snprintf(text, sizeof text, "%s", endless);
    } else if (tr_rtype(results[test]) == CK_PASS || strstr(message, "Early exit")) {
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

// ---- The grade ----------------------------------------------------------------------------------------

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

static void print_failure(int test)
{
    char name[128], *printed, told[STORY];
    snprintf(name, sizeof name, "%s", table[test].test->name);
    for (char *at = name; *at; at++)
        if (*at == '_') *at = ' ';
    printf("    %s✗%s %s\n", paint("\033[31m"), paint("\033[0m"), name);
    snprintf(told, sizeof told, "%s", story(test, &printed));
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
    TestResult *result = results[test];
    bool failed = tr_rtype(result) == CK_FAILURE; // else the place is that of the last thing that went well
    printf("      the test: %s:%d\n", failed ? tr_lfile(result) : table[test].test->file,
           failed ? tr_lno(result) : table[test].test->line);
}

// As the teacher's grader gives them (tests/grader/examine.c): memory that is never given back costs a fifth
// of the task's points, taken from the first tests that have some.
static void give_points(int first, int end)
{
    int most = 0;
    bool leaky = false;
    for (int i = first; i < end; i++) {
        most += table[i].points;
        leaky = leaky || verdicts[i] == LEAKY;
        points[i] = verdicts[i] <= LEAKY ? table[i].points : 0;
    }
    int fine = leaky ? (most + 4) / 5 : 0;
    for (int i = first; i < end && fine > 0; i++) {
        int taken = int_min(points[i], fine);
        points[i] -= taken;
        fine -= taken;
    }
}

// The test that is told about: the first that failed, or else the first that leaked; end when all are right.
static int worst_of(int first, int end)
{
    int leaky = end;
    for (int i = end - 1; i >= first; i--)
        if (verdicts[i] == LEAKY) leaky = i;
    for (int i = first; i < end; i++)
        if (verdicts[i] > LEAKY) return i;
    return leaky;
}

// One task, tests first … end − 1.
static void print_task(int first, int end)
{
    int got = 0, most = 0, failed = 0, worst = worst_of(first, end);
    bool written = false, leaky = false;
    for (int i = first; i < end; i++) {
        most += table[i].points;
        got += points[i];
        failed += verdicts[i] != RIGHT;
        written = written || verdicts[i] != STUB;
        leaky = leaky || verdicts[i] == LEAKY;
    }
    const char *colour = got == most ? "\033[32m" : written ? "\033[31m" : "";
    printf("%s%s%s TASK %-5s %3d of %d points%s\n", paint(colour),
           got == most ? "✓"
           : written   ? "✗"
                       : "–",
           paint("\033[0m"), table[first].task, got, most, written ? "" : ": not written yet");
    if (written && worst < end) print_failure(worst);
    if (written && leaky)
        printf("      memory that is never given back costs %d of the task's points\n", (most + 4) / 5);
    if (written && failed > 1) printf("    … and %d more of its tests\n", failed - 1);
    fflush(stdout);
}

// "10-cnn" → 10
static int chapter_number(void) { return atoi(exercise_folder); }

static void print_advice(void)
{
    int worst = 0;
    while (points[worst] == table[worst].points) worst++;
    const char *task = table[worst].task;
    int end = worst;
    while (end < count && strcmp(table[end].task, task) == 0) end++;
    worst = worst_of(worst, end);
    printf("\nNext: TASK %s in %s. A hint: make hint%d TASK=%s\n", task, source, chapter_number(),
           strchr(task, '.') + 1);
    if (verdicts[worst] != STUB)
        printf("In the debugger: make debug%d TEST=%s\n", chapter_number(), table[worst].test->name);
}

static void write_result(FILE *file)
{
    for (int first = 0, end; first < count; first = end) {
        int got = 0, most = 0;
        for (end = first; end < count && strcmp(table[end].task, table[first].task) == 0; end++) {
            most += table[end].points;
            got += points[end];
        }
        fprintf(file, "%s %d %d\n", table[first].task, got, most);
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

static int finish(void)
{
    int got = 0, most = 0;
    for (int i = 0; i < count; i++) {
        got += points[i];
        most += table[i].points;
    }
    printf("\n%d of %d points", got, most);
    if (got == most) {
        printf(": all PUBLIC tests passed.\nYour teacher's grader has hidden ones as well.");
        if (has_answers()) printf(" Our answers: make solution%d", chapter_number());
        putchar('\n');
    } else {
        print_advice();
    }

    char path[4096];
    snprintf(path, sizeof path, "%s/result", folder);
    Replacement file;
    bool written = replace_try_begin(&file, path);
    if (written) {
        write_result(file.stream);
        written = replace_try_finish(&file);
    }
    if (!written) {
        fprintf(stderr, "%s\n%s\n", file.problem, file.remedy);
        return 2;
    }
    return got == most ? 0 : 1;
}

// ---- Running ------------------------------------------------------------------------------------------

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

// Where processes may not look into each other (some containers), leaks cannot be searched for: once more,
// without.
static void without_leaks(int test, char **arguments)
{
    if (getenv("ASAN_OPTIONS") || !strstr(printed_by(test), "LeakSanitizer has encountered a fatal error"))
        return;
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    execv("/proc/self/exe", arguments);
    perror("/proc/self/exe");
}

// A runner for each test, so that a task is told as soon as its tests have run.
static void run_test(int test)
{
    current = test;
    Suite *suite = suite_create(exercise_folder);
    TCase *one = tcase_create(table[test].task);
    tcase_set_timeout(one, SECONDS_ALL);
    tcase_add_checked_fixture(one, in_the_process, at_the_end);
    tcase_add_test(one, table[test].test);
    suite_add_tcase(suite, one);
    SRunner *runner = runners[test] = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_SILENT);
    if (srunner_ntests_run(runner) != 1) {
        fprintf(stderr, "%s: Check ran %d tests instead of %s\n", exercise_folder, srunner_ntests_run(runner),
                table[test].test->name);
        exit(2);
    }
    TestResult **all = srunner_results(runner);
    results[test] = all[0];
    free(all);
}

// Once a test has run out of time, the other tests of its task would too.
static void run_all(char **arguments)
{
    for (int first = 0, end; first < count; first = end) {
        bool late = false;
        for (end = first; end < count && strcmp(table[end].task, table[first].task) == 0; end++) {
            verdicts[end] = LEFT_OUT;
            if (late) continue;
            run_test(end);
            if (first == 0) without_leaks(end, arguments);
            verdicts[end] = verdict_of(end);
            late = verdicts[end] == ENDLESS;
        }
        if (first == 0) printf("%s\n\n", source);
        give_points(first, end);
        print_task(first, end);
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
    run_all(argv);
    int status = finish();
    for (int i = 0; i < count; i++)
        if (runners[i]) srunner_free(runners[i]);
    return status;
}
