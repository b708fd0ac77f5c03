// Lessons: sections, claims and the exit status; what a terminal gets and a file does not; what happens when standard output
// cannot be written.
#include "lesson/lesson.h"
#include "base/utf8.h"
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// ---- Lessons to be run in a child ------------------------------------------------------------------------------------

typedef struct {
    const char *arguments[6]; // after the program's name
    const char *full;         // FULL in the environment, NULL: not there
    const char *folder;       // to run in, NULL: where the tests are
    int claims, failing;      // how many claims, the last of which do not hold
    int steps;                // of a loop with a progress bar
    int output;               // a descriptor that becomes standard output, 0 for none
    bool prints_in_the_loop;
    bool silent;          // on standard error
    const char *sentence; // of a claim
} Run;

static Lesson *begin(const Run *run)
{
    char *argv[8] = {(char[]){"build/somewhere/a_chapter"}};
    int argc = 1;
    for (; run->arguments[argc - 1]; argc++) argv[argc] = (char *)(uintptr_t)run->arguments[argc - 1];
    if (run->full) setenv("FULL", run->full, 1);
    if (!run->full) unsetenv("FULL");
    if (run->folder && chdir(run->folder) != 0) exit(77);
    if (run->output) dup2(run->output, STDOUT_FILENO);
    if (run->silent) dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    return lesson_begin(argc, argv, "07-a-chapter", "A chapter");
}

static const char *standard_output_of(void (*action)(void *), const Run *run, int *status)
{
    Run silent = *run;
    silent.silent = true;
    return stdout_of(action, &silent, status);
}

static void pause_for(double seconds)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)(1e9 * seconds)}, NULL);
}

enum { CLAIM_LINE = __LINE__ + 10 };
static void run_lesson(void *context)
{
    const Run *run = context;
    Lesson *lesson = begin(run);
    section(lesson, "First");
    printf("something\n");
    ArenaMark mark = arena_mark(lesson_arena(lesson));
    for (int i = 0; i < run->claims; i++) {
        bool holds = i < run->claims - run->failing;
        claim(lesson, holds, "claim %d of %s", i + 1, "many");
        memset(arena_zeros(lesson_arena(lesson), 100, 100), 'x', 10000);
        arena_rewind(lesson_arena(lesson), mark); // must not take the claim's sentence along
    }
    section(lesson, "第二节: η");
    for (int i = 0; i < run->steps; i++) {
        pause_for(0.012);
        lesson_progress(lesson, "training", i + 1, run->steps, 0.25);
        if (run->prints_in_the_loop && i % 20 == 19) printf("step %d\n", i + 1);
    }
    printf("the end\n");
    exit(lesson_end(lesson));
}

// ---- What is printed ---------------------------------------------------------------------------------------------------

static const char beginning[] = "A Gentle Walk into Deep Learning, in C. Chapter 7: A chapter\n";
#define RULES_10 "──────────"
#define RULES_60 RULES_10 RULES_10 RULES_10 RULES_10 RULES_10 RULES_10

START_TEST(a_lesson_prints_sections_of_80_columns_and_its_claims)
{
    Run run = {.claims = 2};
    int status;
    const char *text = standard_output_of(run_lesson, &run, &status);
    char wanted[2000];
    snprintf(wanted, sizeof wanted, "%s%s", beginning,
             "\n── First " RULES_60 RULES_10 "─\n\nsomething\n✓ claim 1 of many\n✓ claim 2 of many\n"
             "\n── 第二节: η " RULES_60 "───────\n\nthe end\n\n2 of 2 claims hold.\n");
    ck_assert_str_eq(text, wanted);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(widths_are_counted_in_columns_of_the_screen)
{
    ck_assert_int_eq(utf8_columns("a η ² 损失"), 10);
    ck_assert_int_eq(utf8_columns("e\u0301"), 1);
    ck_assert_int_eq(utf8_columns("\xFF\xC0\x80 \xE6\x8D"), 6);
    ck_assert_int_eq(utf8_columns("\xE0\x80\xAF\xED\xA0\x80"), 6); // written too long; half of a pair
    ck_assert_int_eq(utf8_columns(""), 0);
}
END_TEST

START_TEST(time_and_memory_go_to_standard_error)
{
    Run run = {.claims = 1};
    int status;
    const char *text = stderr_of(run_lesson, &run, &status);
    double seconds, megabytes;
    char rest[100] = "";
    ck_assert_msg(sscanf(text, "%lf s, at most %lf MB of memory\n%99c", &seconds, &megabytes, rest) == 2,
                  "got: %s", text);
    ck_assert(seconds >= 0.0 && seconds < 10.0 && megabytes >= 1.0 && megabytes < 4000.0);
    ck_assert_str_eq(rest, "");
}
END_TEST

START_TEST(peak_memory_is_about_what_was_used)
{
    enum { MEGABYTES = 200 };
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    Run run = {.claims = 1, .steps = 0};
    int status;
    double seconds, before, after;
    sscanf(stderr_of(run_lesson, &run, &status), "%lf s, at most %lf", &seconds, &before);
    volatile char *piece = malloc((size_t)MEGABYTES << 20); // the child has it, too, and touches nothing more
    for (size_t i = 0; i < (size_t)MEGABYTES << 20; i += 4096) piece[i] = 1;
    sscanf(stderr_of(run_lesson, &run, &status), "%lf s, at most %lf", &seconds, &after);
    free((void *)(uintptr_t)piece);
    ck_assert_msg(after - before > 0.9 * MEGABYTES && after - before < 1.2 * MEGABYTES, "%g MB, then %g MB",
                  before, after);
}
END_TEST

START_TEST(a_claim_that_fails_is_shown_named_and_makes_the_lesson_fail)
{
    Run run = {.claims = 7, .failing = 2};
    int status;
    const char *text = standard_output_of(run_lesson, &run, &status);
    ck_assert_int_eq(status, 1);
    ck_assert_ptr_nonnull(strstr(text, "\n✓ claim 5 of many\n✗ claim 6 of many\n✗ claim 7 of many\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n5 of 7 claims hold.\n"));
    text = stderr_of(run_lesson, &run, &status);
    char wanted[300];
    snprintf(wanted, sizeof wanted,
             " MB of memory\nclaim does not hold: tests/unit/test_lesson.c:%d: claim 6 of many\n"
             "claim does not hold: tests/unit/test_lesson.c:%d: claim 7 of many\n",
             CLAIM_LINE, CLAIM_LINE);
    ck_assert_msg(strstr(text, wanted) != NULL, "expected %s, got %s", wanted, text);
    ck_assert_int_eq(status, 1);
}
END_TEST

START_TEST(one_claim_is_singular_and_none_is_no_failure)
{
    int status;
    Run one = {.claims = 1}, none = {.claims = 0};
    ck_assert_ptr_nonnull(strstr(standard_output_of(run_lesson, &one, &status), "\n1 of 1 claim holds.\n"));
    ck_assert_ptr_null(strstr(standard_output_of(run_lesson, &none, &status), "claim"));
    ck_assert_int_eq(status, 0);
}
END_TEST

static void claim_at_length(void *context)
{
    const Run *run = context;
    Lesson *lesson = begin(run);
    claim(lesson, false, "%s %d %%", run->sentence, 5);
    exit(lesson_end(lesson));
}

START_TEST(a_long_claim_is_not_cut)
{
    static char sentence[20001], wanted[20100];
    memset(sentence, 'y', sizeof sentence - 1);
    snprintf(wanted, sizeof wanted, "✗ %s 5 %%\n", sentence);
    Run run = {.sentence = sentence};
    int status;
    ck_assert(strstr(standard_output_of(claim_at_length, &run, &status), wanted) != NULL);
    ck_assert(strstr(stderr_of(claim_at_length, &run, &status), wanted + strlen("✗")) != NULL);
}
END_TEST

// ---- The command line ----------------------------------------------------------------------------------------------------

static void print_settings(void *context)
{
    Lesson *lesson = begin(context);
    Rng first = lesson_rng(lesson, 1), again = lesson_rng(lesson, 1), second = lesson_rng(lesson, 2);
    uint32_t number = rng_next(&first);
    printf("full %d, figures %s, folder %s, number %u %u %u\n", lesson_full(lesson), lesson_figures(lesson),
           lesson_folder(lesson), number, rng_next(&again), rng_next(&second));
    exit(lesson_end(lesson));
}

// The line that print_settings writes.
static void expect_settings(Run run, bool full, const char *figures, uint64_t seed)
{
    Rng first = rng_new(seed, 1), second = rng_new(seed, 2);
    uint32_t number = rng_next(&first);
    char wanted[300];
    snprintf(wanted, sizeof wanted, "\nfull %d, figures %s, folder 07-a-chapter, number %u %u %u\n", full,
             figures, number, number, rng_next(&second));
    int status;
    const char *text = standard_output_of(print_settings, &run, &status);
    ck_assert_msg(status == 0 && strstr(text, wanted), "expected %s, got (status %d) %s", wanted, status,
                  text);
}

START_TEST(settings_come_from_the_command_line_and_the_environment)
{
    const char *usual = "figures/07-a-chapter";
    expect_settings((Run){.full = NULL}, false, usual, 1);
    expect_settings((Run){.arguments = {"--full"}}, true, usual, 1);
    expect_settings((Run){.full = "1"}, true, usual, 1);
    expect_settings((Run){.full = "0"}, false, usual, 1);
    expect_settings((Run){.full = ""}, false, usual, 1);
    expect_settings((Run){.full = "0", .arguments = {"--full"}}, true, usual, 1);
    expect_settings((Run){.arguments = {"--seed", "7", "--quiet"}}, false, usual, 7);
    expect_settings((Run){.arguments = {"--seed=18446744073709551615"}}, false, usual, UINT64_MAX);
    expect_settings((Run){.arguments = {"--seed", "0"}}, false, usual, 0);
    expect_settings((Run){.arguments = {"--figures", "some/where"}}, false, "some/where", 1);
    expect_settings((Run){.arguments = {"--figures=a b", "--full"}}, true, "a b", 1);
}
END_TEST

START_TEST(unknown_options_are_refused_with_the_list)
{
    static const char *const options[] = {"--sed", "-x",        "7",        "--seeds=1", "--full=1",
                                          "",      "--help-me", "--figure", "--"};
    for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
        Run run = {.arguments = {options[k]}};
        char wanted[100];
        snprintf(wanted, sizeof wanted, "a_chapter: unknown option '%s'. There are:\n  --seed N", options[k]);
        expect_end(2, run_lesson, &run, wanted);
        expect_end(2, run_lesson, &run, "  --quiet ");
    }
}
END_TEST

START_TEST(seeds_that_are_no_whole_numbers_are_refused)
{
    static const char *const seeds[] = {"",
                                        "-1",
                                        "+1",
                                        "1.5",
                                        "0x10",
                                        " 1",
                                        "1 ",
                                        "one",
                                        "18446744073709551616",
                                        "1e3",
                                        "99999999999999999999999"};
    for (size_t k = 0; k < sizeof seeds / sizeof *seeds; k++) {
        Run run = {.arguments = {"--seed", seeds[k]}};
        char wanted[100];
        snprintf(wanted, sizeof wanted, "error: a_chapter: --seed '%s' is no such number\n hint: ", seeds[k]);
        expect_end(2, run_lesson, &run, wanted);
    }
    Run empty = {.arguments = {"--seed="}};
    expect_end(2, run_lesson, &empty, "--seed '' is no such number");
}
END_TEST

START_TEST(options_without_their_value_are_refused)
{
    Run seed = {.arguments = {"--full", "--seed"}}, figures = {.arguments = {"--figures"}},
        empty = {.arguments = {"--figures="}};
    expect_end(2, run_lesson, &seed, "a_chapter: something must follow the option '--seed'");
    expect_end(2, run_lesson, &figures, "a_chapter: something must follow the option '--figures'");
    expect_end(2, run_lesson, &empty, "a_chapter: a folder must follow the option '--figures'");
    Run odd = {.full = "yes"};
    expect_end(2, run_lesson, &odd, "FULL is 'yes' in the environment");
}
END_TEST

START_TEST(help_explains_every_option_and_the_environment)
{
    Run run = {.arguments = {"--help"}, .folder = "/"};
    int status;
    const char *text = standard_output_of(run_lesson, &run, &status);
    ck_assert_int_eq(status, 0);
    static const char *const wanted[] = {"A chapter\n\nusage: a_chapter [options]",
                                         "--seed N",
                                         "--full",
                                         "--figures FOLDER",
                                         "--quiet",
                                         "--help",
                                         "FULL=1",
                                         "OMP_NUM_THREADS=N",
                                         "COURSE_BUILD=",
                                         "exit status"};
    for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++)
        ck_assert_msg(strstr(text, wanted[k]) != NULL, "expected %s in %s", wanted[k], text);
}
END_TEST

// ---- A chapter's own options -----------------------------------------------------------------------------------------

static void print_own_options(void *context)
{
    const Run *run = context;
    char *argv[8] = {(char[]){"a_chapter"}};
    int argc = 1;
    for (; run->arguments[argc - 1]; argc++) argv[argc] = (char *)(uintptr_t)run->arguments[argc - 1];
    const char *content = "none", *style = NULL;
    const LessonOption options[] = {{"--content", "FILE", "the photograph", &content},
                                    {"--style-of-all", "LONG-WORD", "another", &style}};
    Lesson *lesson = lesson_begin_with(argc, argv, "07-a-chapter", "A chapter", options, 2);
    printf("content %s, style %s, full %d\n", content, style ? style : "not given", lesson_full(lesson));
    exit(lesson_end(lesson));
}

static void expect_own_options(Run run, const char *wanted)
{
    int status;
    const char *text = standard_output_of(print_own_options, &run, &status);
    ck_assert_msg(status == 0 && strstr(text, wanted), "expected %s, got (status %d) %s", wanted, status,
                  text);
}

START_TEST(a_chapter_can_have_options_of_its_own)
{
    unsetenv("FULL");
    expect_own_options((Run){.claims = 0}, "content none, style not given, full 0\n");
    expect_own_options((Run){.arguments = {"--content", "a b.jpg", "--full", "--style-of-all=x=y"}},
                       "content a b.jpg, style x=y, full 1\n");
    expect_own_options((Run){.arguments = {"--content=1", "--content=2"}}, "content 2, style");
    expect_own_options((Run){.arguments = {"--content", "--full"}},
                       "content --full, style not given, full 0");
    expect_own_options((Run){.arguments = {"--help"}}, "usage: a_chapter [options]\n"
                                                       "  --content FILE            the photograph\n"
                                                       "  --style-of-all LONG-WORD  another\n"
                                                       "  --seed N ");
    Run nothing = {.arguments = {"--content"}}, empty = {.arguments = {"--content="}},
        unknown = {.arguments = {"--contents=a"}};
    expect_end(2, print_own_options, &nothing, "a_chapter: something must follow the option '--content'");
    expect_end(2, print_own_options, &empty, "a_chapter: something must follow the option '--content'");
    expect_end(2, print_own_options, &unknown,
               "a_chapter: unknown option '--contents=a'. There are:\n  --content FILE");
}
END_TEST

START_TEST(a_lesson_is_run_from_the_courses_folder_or_told_where_pictures_go)
{
    Run run = {.folder = "/"};
    expect_end(1, run_lesson, &run,
               "a_chapter must be run from the course's folder, the one with chapters/ in it\n hint: ");
    Run told = {.folder = "/", .arguments = {"--figures", "/nowhere"}};
    int status;
    stderr_of(run_lesson, &told, &status);
    ck_assert_int_eq(status, 0);
}
END_TEST

static void begin_in(void *context)
{
    char *argv[] = {(char[]){"x"}, NULL};
    lesson_begin(1, argv, context, "T");
}

START_TEST(a_folder_that_is_no_chapters_is_refused)
{
    static const char *const folders[] = {"",     "x",       "1", "01", "01-",  "-x",  "01-x/y", "+1-x",
                                          " 1-x", "../01-x", "A", "A-", "AB-x", "a-x", "A-x/y"};
    for (size_t k = 0; k < sizeof folders / sizeof *folders; k++) {
        char wanted[100];
        snprintf(wanted, sizeof wanted, "a lesson in the folder '%s'", folders[k]);
        expect_death(begin_in, (void *)(uintptr_t)folders[k], wanted);
    }
}
END_TEST

// ---- Standard output that cannot be written ------------------------------------------------------------------------------

START_TEST(a_full_disk_is_an_error)
{
    Run run = {.claims = 1, .output = open("/dev/full", O_WRONLY)};
    ck_assert_int_ge(run.output, 0);
    expect_end(1, run_lesson, &run, "error: standard output: No space left on device\n hint: ");
    close(run.output);
}
END_TEST

START_TEST(a_pipe_that_nobody_reads_is_an_error)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    Run run = {.claims = 1, .output = ends[1]};
    expect_end(1, run_lesson, &run, "error: standard output: Broken pipe\n hint: its reader has stopped");
    close(ends[1]);
}
END_TEST

static void run_with_small_files(void *context)
{
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){100, 100});
    run_lesson(context);
}

START_TEST(a_file_that_may_not_grow_is_an_error)
{
    Run run = {.claims = 1, .output = open(scratch_path("small"), O_WRONLY | O_CREAT, 0600)};
    expect_end(1, run_with_small_files, &run, "error: standard output: File too large");
    close(run.output);
}
END_TEST

static void run_without_output(void *context)
{
    close(STDOUT_FILENO);
    run_lesson(context);
}

START_TEST(standard_output_that_is_closed_is_an_error)
{
    Run run = {.claims = 1};
    expect_end(1, run_without_output, &run, "error: standard output: Bad file descriptor");
}
END_TEST

static void run_without_error(void *context)
{
    close(STDERR_FILENO);
    close(STDIN_FILENO);
    Lesson *lesson = begin(context);
    // What is opened now must not be taken for a standard stream.
    int opened = open(scratch_path("data"), O_WRONLY | O_CREAT, 0600);
    printf("opened %s\n", opened > 2 ? "elsewhere" : "as a standard stream");
    exit(lesson_end(lesson));
}

START_TEST(a_lesson_without_standard_error_does_not_write_into_its_files)
{
    Run run = {.claims = 0};
    int status;
    ck_assert_ptr_nonnull(strstr(stdout_of(run_without_error, &run, &status), "\nopened elsewhere\n"));
    ck_assert_int_eq(status, 0);
}
END_TEST

static void stop_at_a_section(void *context)
{
    Lesson *lesson = begin(context);
    section(lesson, "One");
    section(lesson, "Two");
    fprintf(stderr, "went on\n");
    exit(lesson_end(lesson));
}

START_TEST(a_reader_that_left_ends_the_lesson_at_the_next_section)
{
    int ends[2], status;
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    Run run = {.output = ends[1]};
    const char *text = stderr_of(stop_at_a_section, &run, &status);
    ck_assert_ptr_nonnull(strstr(text, "Broken pipe"));
    ck_assert_ptr_null(strstr(text, "went on"));
    close(ends[1]);
}
END_TEST

// ---- On a terminal ---------------------------------------------------------------------------------------------------------

// Runs a lesson whose standard error, and whose standard output unless it has another, are a terminal of this width.
// Returns all that the terminal received.
static const char *terminal_of(void (*action)(void *), Run *run, int columns, int *status)
{
    static char text[1 << 16];
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert_msg(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0, "no terminal: %s",
                  strerror(errno));
    ioctl(terminal, TIOCSWINSZ, &(struct winsize){.ws_col = (unsigned short)columns, .ws_row = 24});
    int slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(slave, 0);
    fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        close(terminal);
        dup2(slave, STDOUT_FILENO);
        dup2(slave, STDERR_FILENO);
        setvbuf(stdout, NULL, _IOLBF, BUFSIZ); // as it would be, had the program begun here
        action(run);
        _exit(99);
    }
    close(slave);
    size_t used = 0;
    for (ssize_t got;
         used < sizeof text - 1 && (got = read(terminal, text + used, sizeof text - 1 - used)) > 0;)
        used += (size_t)got;
    text[used] = '\0';
    close(terminal);
    int raw;
    waitpid(process, &raw, 0);
    *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    return text;
}

// What is left on the screen at the end: the lines, as text without trailing blanks. Every character is one or two cells
// wide; a carriage return goes back, a backspace one to the left.
typedef struct {
    char cells[200][200][5];
    int row, column;
} Screen;

static void show(Screen *screen, const char *text)
{
    memset(screen, 0, sizeof *screen);
    while (*text) {
        const char *from = text;
        uint32_t c = utf8_next(&text);
        if (c == '\r')
            screen->column = 0;
        else if (c == '\n')
            screen->row++;
        else if (c == '\b')
            screen->column--;
        else {
            ck_assert_msg(screen->row < 200 && screen->column >= 0 && screen->column < 200,
                          "beyond the screen");
            char *cell = screen->cells[screen->row][screen->column];
            memset(cell, 0, 5);
            memcpy(cell, from, (size_t)(text - from));
            if (utf8_width(c) == 2) screen->cells[screen->row][screen->column + 1][0] = 0;
            screen->column += utf8_width(c);
        }
    }
}

static const char *screen_line(const Screen *screen, int row)
{
    static char line[1000];
    size_t used = 0, end = 0;
    for (int j = 0; j < 200; j++) {
        used += (size_t)sprintf(line + used, "%s", screen->cells[row][j]);
        if (screen->cells[row][j][0] && screen->cells[row][j][0] != ' ') end = used;
    }
    line[end] = '\0';
    return line;
}

START_TEST(the_progress_bar_is_on_the_terminal_and_wiped_at_the_end)
{
    Run run = {.claims = 1, .steps = 60};
    int status;
    const char *text = terminal_of(run_lesson, &run, 80, &status);
    ck_assert_int_eq(status, 0);
    ck_assert_msg(strstr(text, "\rtraining █") != NULL && strstr(text, "░") != NULL, "no bar in: %s", text);
    ck_assert_ptr_nonnull(strstr(text, " %  loss 0.25  0:0"));
    ck_assert_ptr_nonnull(strstr(text, " left"));
    static Screen screen;
    show(&screen, text);
    static const char *const wanted[] = {"something", "✓ claim 1 of many", "", "── 第二节: η ",
                                         "",          "the end",           "", "1 of 1 claim holds."};
    for (int i = 0; i < 8; i++) {
        const char *line = screen_line(&screen, 4 + i);
        bool same = i == 3 ? strncmp(line, wanted[i], strlen(wanted[i])) == 0 : strcmp(line, wanted[i]) == 0;
        ck_assert_msg(same, "line %d: expected \"%s\", got \"%s\"", i, wanted[i], line);
    }
}
END_TEST

START_TEST(the_bar_is_redrawn_about_ten_times_a_second)
{
    Run run = {.steps = 60}; // 0.72 s or more
    int status, bars = 0;
    double before = seconds_now();
    const char *text = terminal_of(run_lesson, &run, 80, &status);
    double seconds = seconds_now() - before;
    for (const char *at = text; (at = strstr(at, "training")) != NULL; at++) bars++;
    ck_assert_msg(bars >= 2 && bars <= 10.0 * seconds + 1.0, "%d bars in %g s", bars, seconds);
}
END_TEST

START_TEST(lines_printed_in_the_loop_do_not_run_into_the_bar)
{
    Run run = {.steps = 60, .prints_in_the_loop = true};
    int status;
    static Screen screen;
    show(&screen, terminal_of(run_lesson, &run, 80, &status));
    static const char *const wanted[] = {"step 20", "step 40", "step 60", "the end"};
    for (int i = 0; i < 4; i++) {
        const char *line = screen_line(&screen, 8 + i);
        ck_assert_msg(strcmp(line, wanted[i]) == 0, "line %d: expected \"%s\", got \"%s\"", i, wanted[i],
                      line);
    }
}
END_TEST

static void speak_after_the_loop(void *context)
{
    Lesson *lesson = begin(context);
    for (int i = 0; i < 30; i++) {
        pause_for(0.012);
        lesson_progress(lesson, "training", i + 1, 30, 0.5);
    }
    fprintf(stderr, "after\n");
    exit(lesson_end(lesson));
}

START_TEST(the_bar_is_wiped_when_its_loop_ends)
{
    Run run = {.output = open("/dev/null", O_WRONLY)};
    int status;
    static Screen screen;
    const char *text = terminal_of(speak_after_the_loop, &run, 80, &status);
    ck_assert_ptr_nonnull(strstr(text, "training"));
    show(&screen, text);
    ck_assert_str_eq(screen_line(&screen, 0), "after");
    close(run.output);
}
END_TEST

START_TEST(the_bar_fits_into_any_terminal)
{
    for (int columns = 8; columns <= 120; columns += 16) {
        Run run = {.steps = 25, .output = open("/dev/null", O_WRONLY)};
        int status, bars = 0;
        const char *text = terminal_of(run_lesson, &run, columns, &status);
        for (const char *at = text; (at = strstr(at, "\rtrain")) != NULL; bars++) {
            char line[500];
            size_t length = strcspn(++at, "\r\b");
            snprintf(line, sizeof line, "%.*s", (int)length, at);
            ck_assert_msg(utf8_columns(line) < columns, "%d columns: %s", columns, line);
        }
        ck_assert_int_ge(bars, 1);
        close(run.output);
    }
}
END_TEST

// A terminal that becomes narrower while a bar is on it: what is written since is no wider, and the rest of it is cleared.
static void resize_under_the_bar(void *context)
{
    Lesson *lesson = begin(context);
    for (int i = 0; i < 60; i++) {
        pause_for(0.012);
        if (i == 30) ioctl(STDERR_FILENO, TIOCSWINSZ, &(struct winsize){.ws_col = 30, .ws_row = 24});
        if (i == 30) fputs("NARROW", stderr);
        lesson_progress(lesson, "训练 training", i + 1, 61, 0.5);
    }
    lesson_wipe_progress(lesson);
    exit(lesson_end(lesson));
}

START_TEST(the_bar_clears_itself_when_the_terminal_becomes_narrower)
{
    static const char *const terminals[] = {"xterm", "dumb"};
    for (int k = 0; k < 2; k++) {
        Run run = {.output = open("/dev/null", O_WRONLY)};
        int status, bars = 0;
        setenv("TERM", terminals[k], 1);
        const char *text = terminal_of(resize_under_the_bar, &run, 120, &status);
        close(run.output);
        const char *narrow = strstr(text, "NARROW");
        ck_assert_msg(narrow != NULL, "got: %s", text);
        narrow += strlen("NARROW");
        ck_assert_msg(k == 1 || strncmp(narrow, "\r\033[J", 4) == 0, "it is not cleared: %s", narrow);
        for (const char *at = narrow; (at = strchr(at, '\r')) != NULL; bars++) {
            char line[500];
            size_t length = strcspn(++at, "\r\n");
            snprintf(line, sizeof line, "%.*s", (int)length, at);
            bool other = line[0] == '\033' || strstr(line, " of memory");
            ck_assert_msg(other || utf8_columns(line) < 30, "%s: '%s' is too wide", terminals[k], line);
        }
        ck_assert_int_ge(bars, 2);
    }
}
END_TEST

START_TEST(there_is_no_bar_without_a_terminal_or_when_quiet)
{
    Run run = {.steps = 30}, quiet = {.steps = 30, .arguments = {"--quiet"}};
    int status;
    ck_assert_ptr_null(strstr(stderr_of(run_lesson, &run, &status), "training"));
    ck_assert_ptr_null(strstr(standard_output_of(run_lesson, &run, &status), "training"));
    ck_assert_ptr_null(strstr(terminal_of(run_lesson, &quiet, 80, &status), "training"));
}
END_TEST

START_TEST(standard_output_is_the_same_with_and_without_a_terminal)
{
    Run run = {.claims = 3, .failing = 1, .steps = 30, .prints_in_the_loop = true};
    int status;
    static char alone[1 << 16], beside[1 << 16];
    snprintf(alone, sizeof alone, "%s", standard_output_of(run_lesson, &run, &status));
    const char *path = scratch_path("output");
    run.output = open(path, O_RDWR | O_CREAT, 0600);
    ck_assert_ptr_nonnull(strstr(terminal_of(run_lesson, &run, 80, &status), "training"));
    ck_assert_int_eq(status, 1);
    ssize_t length = pread(run.output, beside, sizeof beside - 1, 0);
    close(run.output);
    ck_assert_int_gt(length, 100);
    ck_assert_str_eq(beside, alone);
}
END_TEST

static void progress_without_loss(void *context)
{
    Lesson *lesson = begin(context);
    for (int i = 0; i < 30; i++) {
        pause_for(0.012);
        lesson_progress(lesson, "reading", i + 1, 1 << 20, NAN);
    }
    exit(lesson_end(lesson));
}

START_TEST(a_bar_without_a_loss_shows_the_time_left_in_hours)
{
    Run run = {.output = open("/dev/null", O_WRONLY)};
    int status;
    const char *text = terminal_of(progress_without_loss, &run, 80, &status);
    ck_assert_ptr_null(strstr(text, "loss"));
    const char *bar = strstr(text, "0 %  ");
    ck_assert_msg(bar != NULL, "got: %s", text);
    int hours = 0, minutes = 0, seconds = 0; // 2²⁰ steps of 12 ms or more are 3½ hours or more
    ck_assert_msg(sscanf(bar, "0 %% %d:%d:%d left", &hours, &minutes, &seconds) == 3 && hours >= 3, "got: %s",
                  bar);
    close(run.output);
}
END_TEST

static void many_steps(void *context)
{
    enum { STEPS = 2000000 };
    Lesson *lesson = begin(context);
    double start = seconds_now();
    for (int i = 0; i < STEPS; i++) lesson_progress(lesson, "fast", i + 1, STEPS, 1.0);
    double nanoseconds = (seconds_now() - start) / STEPS * 1e9;
    printf("nanoseconds %.1f\n", nanoseconds);
    exit(lesson_end(lesson));
}

START_TEST(a_bar_does_not_slow_a_loop)
{
    const char *path = scratch_path("speed");
    Run run = {.output = open(path, O_RDWR | O_CREAT, 0600)};
    int status;
    terminal_of(many_steps, &run, 80, &status);
    char text[500] = "";
    ck_assert_int_gt(pread(run.output, text, sizeof text - 1, 0), 0);
    close(run.output);
    double nanoseconds = 0.0;
    const char *line = strstr(text, "nanoseconds");
    ck_assert_ptr_nonnull(line);
    sscanf(line, "nanoseconds %lf", &nanoseconds);
    // A step of training takes 10 000 or more; 1000 is what a write to the terminal would take.
    ck_assert_msg(nanoseconds < (UNDER_ASAN ? 5000.0 : 1000.0), "a call took %g ns", nanoseconds);
}
END_TEST

SUITE("lesson", a_lesson_prints_sections_of_80_columns_and_its_claims,
      widths_are_counted_in_columns_of_the_screen, time_and_memory_go_to_standard_error,
      peak_memory_is_about_what_was_used, a_claim_that_fails_is_shown_named_and_makes_the_lesson_fail,
      one_claim_is_singular_and_none_is_no_failure, a_long_claim_is_not_cut,
      settings_come_from_the_command_line_and_the_environment, unknown_options_are_refused_with_the_list,
      seeds_that_are_no_whole_numbers_are_refused, options_without_their_value_are_refused,
      help_explains_every_option_and_the_environment, a_chapter_can_have_options_of_its_own,
      a_lesson_is_run_from_the_courses_folder_or_told_where_pictures_go,
      a_folder_that_is_no_chapters_is_refused, a_full_disk_is_an_error, a_pipe_that_nobody_reads_is_an_error,
      a_file_that_may_not_grow_is_an_error, standard_output_that_is_closed_is_an_error,
      a_lesson_without_standard_error_does_not_write_into_its_files,
      a_reader_that_left_ends_the_lesson_at_the_next_section,
      the_progress_bar_is_on_the_terminal_and_wiped_at_the_end, the_bar_is_redrawn_about_ten_times_a_second,
      lines_printed_in_the_loop_do_not_run_into_the_bar, the_bar_is_wiped_when_its_loop_ends,
      the_bar_fits_into_any_terminal, the_bar_clears_itself_when_the_terminal_becomes_narrower,
      there_is_no_bar_without_a_terminal_or_when_quiet,
      standard_output_is_the_same_with_and_without_a_terminal,
      a_bar_without_a_loss_shows_the_time_left_in_hours, a_bar_does_not_slow_a_loop)
