#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
enum { UNDER_ASAN = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { UNDER_ASAN = 1 };
#else
enum { UNDER_ASAN = 0 };
#endif
#else
enum { UNDER_ASAN = 0 };
#endif

static char scratch_folder[64];
static pid_t scratch_owner;

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

int run_suite(const char *name, const TTest *const *tests, int count, double timeout_seconds)
{
    make_scratch();
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
    if (ran != count) fprintf(stderr, "%s: %d of %d tests ran\n", name, ran, count);
    return failed == 0 && ran == count ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const char *output_of(int descriptor, void (*action)(void *), void *context, int *status)
{
    static char text[1 << 16];
    int ends[2];
    fflush(NULL);
    if (pipe(ends) != 0) ck_abort_msg("pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], descriptor);
        close(ends[0]);
        close(ends[1]);
        scratch_owner = 0; // only the parent removes the scratch folder
        action(context);
        fflush(NULL);
        _exit(0);
    }
    close(ends[1]);
    size_t used = 0;
    char rest[4096];
    for (;;) {
        size_t room = sizeof text - 1 - used;
        ssize_t got = room ? read(ends[0], text + used, room) : read(ends[0], rest, sizeof rest);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        if (room) used += (size_t)got;
    }
    close(ends[0]);
    text[used] = '\0';
    int raw = 0;
    while (waitpid(child, &raw, 0) < 0 && errno == EINTR) {}
    *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    return text;
}

const char *stderr_of(void (*action)(void *), void *context, int *status) { return output_of(2, action, context, status); }
const char *stdout_of(void (*action)(void *), void *context, int *status) { return output_of(1, action, context, status); }

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
    if (!file || fwrite(bytes, 1, count, file) != count || fclose(file) != 0) ck_abort_msg("%s: %s", path, strerror(errno));
    return path;
}
