// suite.h: what every test program shares. A test file holds tests, and SUITE with their names.
//
//     START_TEST(a_rewound_piece_is_handed_out_again) { … } END_TEST
//     SUITE("arena", a_rewound_piece_is_handed_out_again, …)
//
// Tests are named for behaviour. Each runs in a process of its own; under AddressSanitizer all run in one.
// Never open a parallel region in main or in an unchecked fixture: libgomp does not survive a fork.
#pragma once
#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// Whether this program was built with MODE=asan.
#if defined(__SANITIZE_ADDRESS__)
#define SUITE_UNDER_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SUITE_UNDER_ASAN
#endif
#endif
#ifdef SUITE_UNDER_ASAN
enum { UNDER_ASAN = 1 };
#else
enum { UNDER_ASAN = 0 };
#endif

// Runs the tests under Check; the exit status is 0 when all passed.
int run_suite(const char *name, const TTest *const *tests, int count, double timeout_seconds);

// Writes "3 passed, 1 failed" to the file that the environment variable SUITE_RESULT names, for
// common/tools/test.sh.
void report_result(int passed, int failed);

// Nothing more is said about memory that is not freed. A test that fails jumps over its last lines.
void expect_leaks(void);

#define SUITE_TIMEOUT(name, seconds, ...)                                                                    \
    int main(void)                                                                                           \
    {                                                                                                        \
        const TTest *const tests[] = {__VA_ARGS__};                                                          \
        return run_suite(name, tests, (int)(sizeof tests / sizeof *tests), seconds);                         \
    }
#define SUITE(name, ...) SUITE_TIMEOUT(name, 60, __VA_ARGS__)

// Runs action(context) in a child process and returns what it wrote to standard error (static storage, cut at
// 64 KiB). *status receives its exit status, or 128 + the signal that ended it, or 99 for a report of
// AddressSanitizer.
const char *stderr_of(void (*action)(void *context), void *context, int *status);

// The same for standard output.
const char *stdout_of(void (*action)(void *context), void *context, int *status);

// The action must end with this exit status and a message that contains the text.
#define expect_end(expected_status, action, context, text)                                                   \
    do {                                                                                                     \
        int status_;                                                                                         \
        const char *message_ = stderr_of(action, context, &status_);                                         \
        ck_assert_msg(status_ == (expected_status), "expected exit status %d, got %d; it wrote: %s",         \
                      (expected_status), status_, message_);                                                 \
        ck_assert_msg(strstr(message_, text) != NULL, "expected a message with \"%s\", got: %s", text,       \
                      message_);                                                                             \
    } while (0)

// The action must stop with an error message that contains the text.
#define expect_death(action, context, text) expect_end(1, action, context, text)

// Under MODE=asan, AddressSanitizer must stop the action with a report that contains the text; else nothing
// is run.
#define expect_asan_report(action, context, text)                                                            \
    do {                                                                                                     \
        if (UNDER_ASAN) expect_end(99, action, context, text);                                               \
    } while (0)

// A path for a scratch file of this process, in a folder that is removed at the end of the test program.
const char *scratch_path(const char *name);

// Writes bytes to a scratch file and returns its path.
const char *scratch_file(const char *name, const void *bytes, size_t count);
