// caller.h: the grader's side of a call. The generated stubs have the names of the student's functions; a
// test that is linked with them runs here, in the trusted process, and each call goes to a worker in a jail.
//
// A worker serves one test: it starts at the test's first call and ends with the test. When it does not
// answer as a function would, the test fails at once, and outcome says why; a test's own failure leaves
// outcome alone.
#pragma once
#include "tests/grader/jail.h"
#include "tests/grader/wire.h"

typedef enum {
    NOT_RUN, // every test starts here
    PASSED,
    FAILED,
    NOT_WRITTEN_YET,
    CRASHED,
    TIME_LIMIT,
    FORBIDDEN,
    MEMORY_ERROR,
    UNDEFINED_BEHAVIOUR,
    INPUT_CHANGED,
    BAD_ANSWER,
    FUNCTION_MISSING,
    SKIPPED, // not run, because an earlier test of the task used up its time
    COMPILE_ERROR,
    REJECTED,     // the submission is not a C file that may be looked at
    NO_FILE,      // there is none
    GRADER_ERROR, // a human must look: this is nobody's score
    STATUS_COUNT
} Status;

const char *status_name(Status status);

typedef struct {
    const char *task, *function;
    double seconds; // of processor time for one test
} TaskLimit;

// Generated with the stubs.
extern const TaskLimit task_limits[];
extern const int task_limit_count;

// What became of the test that is running. It lies in memory that the test's process shares with the grader,
// and that no worker has ever seen.
typedef struct {
    Status status; // NOT_RUN unless the worker caused a failure
    int calls;
    double spent;     // seconds of processor time and of sleep
    uint32_t leaked;  // the most blocks that one call did not give back
    uint64_t address; // of the faulty instruction, 0 when unknown
    char output[256]; // the end of what the student's code printed, without control characters
} Outcome;

// To be set before a test runs.
extern Outcome *outcome;
extern Jail worker_jail; // seconds is set for each call

// The call of function number index of the chapter. Returns its value, and the matrices are as it left them.
double call_worker(int index, const char *function, Argument *arguments, int count);

// To be called when a test has passed, in its process: looks whether the worker holds more than it did before its first call,
// whatever it said.
void end_worker(void);

// An int from what a worker said; fails the test when it is none.
int whole_number(double value);
