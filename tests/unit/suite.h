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

// Runs the tests under Check; the exit status is 0 when all passed.
int run_suite(const char *name, const TTest *const *tests, int count, double timeout_seconds);

#define SUITE_TIMEOUT(name, seconds, ...) \
    int main(void) \
    { \
        const TTest *const tests[] = {__VA_ARGS__}; \
        return run_suite(name, tests, (int)(sizeof tests / sizeof *tests), seconds); \
    }
#define SUITE(name, ...) SUITE_TIMEOUT(name, 60, __VA_ARGS__)

// Runs action(context) in a child process and returns what it wrote to standard error (static storage, cut at 64 KiB).
// *status receives its exit status, or 128 + the signal that ended it.
const char *stderr_of(void (*action)(void *context), void *context, int *status);

// The same for standard output.
const char *stdout_of(void (*action)(void *context), void *context, int *status);

// The action must stop with exit status 1 and a message that contains the text.
#define expect_death(action, context, text) \
    do { \
        int status_; \
        const char *message_ = stderr_of(action, context, &status_); \
        ck_assert_msg(status_ == 1, "expected exit status 1, got %d; it wrote: %s", status_, message_); \
        ck_assert_msg(strstr(message_, text) != NULL, "expected a message with \"%s\", got: %s", text, message_); \
    } while (0)

// A path for a scratch file of this process, in a folder that is removed at the end of the test program.
const char *scratch_path(const char *name);

// Writes bytes to a scratch file and returns its path.
const char *scratch_file(const char *name, const void *bytes, size_t count);
