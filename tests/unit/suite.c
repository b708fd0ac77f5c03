#include "suite.h"
#include "base/parallel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char scratch_folder[64];
static pid_t scratch_owner;
static bool leaks_expected;

#ifdef SUITE_UNDER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>

// A report has an exit status of its own, so that nothing takes it for an error message of the program
// (status 1); memory that the system refuses is an error of the program, to be tested, and not one of
// AddressSanitizer.
const char *__asan_default_options(void) { return "exitcode=99:allocator_may_return_null=1:print_summary=1"; }

// LLVM's OpenMP keeps a few thousand bytes to itself.
const char *__lsan_default_suppressions(void) { return "leak:libomp.so\n"; }

int __lsan_is_turned_off(void) { return leaks_expected; }
#endif

// ---- Scratch files ----------------------------------------------------------------------------------------

static void remove_scratch(void)
{
    if (getpid() != scratch_owner || !scratch_folder[0]) return;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch_folder);
    if (system(command) != 0) fprintf(stderr, "could not remove %s\n", scratch_folder);
}

static void make_scratch(void)
{
    if (scratch_folder[0]) return;
    snprintf(scratch_folder, sizeof scratch_folder, "/tmp/course-test-XXXXXX");
    if (!mkdtemp(scratch_folder)) {
        perror("mkdtemp");
        exit(2);
    }
    scratch_owner = getpid();
    atexit(remove_scratch);
}

const char *scratch_path(const char *name)
{
    static char paths[8][256]; // the last eight stay valid
    static int turn;
    make_scratch();
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", scratch_folder, name);
    return path;
}

const char *scratch_file(const char *name, const void *bytes, size_t count)
{
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, count, file) != count || fclose(file) != 0)
        ck_abort_msg("%s: %s", path, strerror(errno));
    return path;
}

// ---- Running ----------------------------------------------------------------------------------------------

void report_result(int passed, int failed)
{
    const char *path = getenv("SUITE_RESULT");
    if (!path) return;
    FILE *file = fopen(path, "w");
    if (!file || fprintf(file, "%d passed, %d failed\n", passed, failed) < 0 || fclose(file) != 0) {
        perror(path);
        exit(2);
    }
}

void expect_leaks(void) { leaks_expected = true; }

int run_suite(const char *name, const TTest *const *tests, int count, double timeout_seconds)
{
    make_scratch();
    report_result(0, 1); // until the end is reached: a test that ends the program has not passed
    Suite *suite = suite_create(name);
    TCase *cases = tcase_create(name);
    tcase_set_timeout(cases, timeout_seconds * (UNDER_ASAN ? 10 : 1));
    for (int i = 0; i < count; i++) tcase_add_test(cases, tests[i]);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, UNDER_ASAN ? CK_NOFORK : CK_FORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner), ran = srunner_ntests_run(runner);
    srunner_free(runner);
    if (failed > 0) expect_leaks();
    if (ran != count) {
        fprintf(stderr, "%s: %d of %d tests ran\n", name, ran, count);
        failed += count > ran ? count - ran : 1;
    }
    report_result(ran > failed ? ran - failed : 0, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

// ---- Children ---------------------------------------------------------------------------------------------

static void child(int descriptor, const int *ends, void (*action)(void *), void *context)
{
    expect_leaks();          // a child that dies on purpose frees nothing
    scratch_owner = 0;       // only the parent removes the scratch folder
    parallel_set_threads(1); // the parent's threads did not come along
    if (descriptor != 1) {
        int nowhere = open("/dev/null", O_WRONLY); // the runner's standard output is not the child's
        dup2(nowhere, 1);
        close(nowhere);
    }
    dup2(ends[1], descriptor);
    close(ends[0]);
    close(ends[1]);
    action(context);
    fflush(NULL);
    _exit(0);
}

// Reads to the end of the file; keeps what fits.
static void read_all(int descriptor, char *text, size_t size)
{
    char rest[4096];
    size_t used = 0;
    for (;;) {
        size_t room = size - 1 - used;
        ssize_t got = room ? read(descriptor, text + used, room) : read(descriptor, rest, sizeof rest);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        if (room) used += (size_t)got;
    }
    text[used] = '\0';
}

static const char *output_of(int descriptor, void (*action)(void *), void *context, int *status)
{
    static char text[1 << 16];
    int ends[2];
    fflush(NULL);
    if (pipe(ends) != 0) ck_abort_msg("pipe: %s", strerror(errno));
    pid_t process = fork();
    if (process < 0) ck_abort_msg("fork: %s", strerror(errno));
    if (process == 0) child(descriptor, ends, action, context);
    close(ends[1]);
    read_all(ends[0], text, sizeof text);
    close(ends[0]);
    int raw = 0;
    while (waitpid(process, &raw, 0) < 0 && errno == EINTR) {
    }
    *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    return text;
}

const char *stderr_of(void (*action)(void *), void *context, int *status)
{
    return output_of(2, action, context, status);
}
const char *stdout_of(void (*action)(void *), void *context, int *status)
{
    return output_of(1, action, context, status);
}
