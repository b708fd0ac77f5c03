// examine.c: see examine.h.
#include "tests/grader/examine.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "lesson/exercise.h"
#include "tests/exercises/exercise_suite.h"
#include "tests/grader/hidden.h"

// The student's code says this in its own process; here nobody does.
void not_written(const char *task) { ck_abort_msg("TASK %s is not written yet", task); }

static const TTest *tests[MOST_RESULTS]; // test i makes result i

static const TaskLimit *limit_of(const char *task)
{
    for (int i = 0; i < task_limit_count; i++)
        if (strcmp(task_limits[i].task, task) == 0) return &task_limits[i];
    return NULL;
}

static void expect_test(Result *result, const char *task, const char *test, int points, bool hidden)
{
    *result = (Result){.hidden = hidden, .most = points, .status = NOT_RUN};
    snprintf(result->task, sizeof result->task, "%s", task);
    snprintf(result->test, sizeof result->test, "%s", test);
}

int examine_expected(Result *results, char *why, size_t why_size)
{
    static ExerciseTest table[EXERCISE_MOST_TESTS];
    static HiddenTest hidden[HIDDEN_MOST_TESTS];
    int count = 0, known = exercise_table(table), secret = hidden_table(hidden);
    if (known + secret > MOST_RESULTS) {
        snprintf(why, why_size, "more than %d tests", MOST_RESULTS);
        return -1;
    }
    // Task by task: its known tests, then its hidden ones.
    for (int t = 0; t < task_limit_count; t++) {
        int before = count, hidden_ones = 0;
        for (int i = 0; i < known; i++) {
            if (strcmp(table[i].task, task_limits[t].task) != 0) continue;
            tests[count] = table[i].test;
            expect_test(&results[count++], table[i].task, table[i].test->name, table[i].points, false);
        }
        for (int i = 0; i < secret; i++) {
            if (strcmp(hidden[i].task, task_limits[t].task) != 0) continue;
            hidden_ones++;
            tests[count] = hidden[i].test;
            expect_test(&results[count++], hidden[i].task, hidden[i].test->name, 0, true);
        }
        if (count - before == hidden_ones || hidden_ones == 0) {
            snprintf(why, why_size, "TASK %s has no %s test", task_limits[t].task,
                     hidden_ones ? "known" : "hidden");
            return -1;
        }
    }
    if (count == known + secret) return count;
    snprintf(why, why_size, "the tests name a task that exercise.h does not have");
    return -1;
}

void examine_none(Result *results, int count, Status status, const char *message)
{
    for (int i = 0; i < count; i++) {
        results[i].status = status;
        results[i].points = 0;
        snprintf(results[i].message, sizeof results[i].message, "%s", message);
    }
}

// ---- One test ------------------------------------------------------------------------------------------

// Ends every process that a test left behind: they are this process's children once their parent is dead.
static void bury_the_dead(void)
{
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
    }
}

static void take_result(Result *result, TestResult *check)
{
    snprintf(result->message, sizeof result->message, "%s", tr_msg(check) ? tr_msg(check) : "");
    snprintf(result->output, sizeof result->output, "%s", outcome->output);
    result->leaked = outcome->leaked;
    result->address = outcome->address;
    if (tr_rtype(check) == CK_PASS && outcome->status == NOT_RUN && outcome->calls > 0) {
        result->status = PASSED;
        result->message[0] = '\0';
    } else if (tr_rtype(check) == CK_FAILURE) {
        result->status = outcome->status == NOT_RUN ? FAILED : outcome->status;
    } else { // the trusted side of the test crashed, took too long, or never called the student's function
        result->status = GRADER_ERROR;
        if (tr_rtype(check) == CK_PASS)
            snprintf(result->message, sizeof result->message, "the test passed without calling the function");
    }
}

static void run_test(Result *result, const TTest *test, double seconds)
{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    *outcome = (Outcome){.status = NOT_RUN};
    Suite *suite = suite_create("task");
    TCase *one = tcase_create(result->task);
    tcase_set_timeout(one, 60.0 + 20.0 * seconds); // the worker's limits end it long before
    tcase_add_checked_fixture(one, NULL, end_worker);
    tcase_add_test(one, test);
    suite_add_tcase(suite, one);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_SILENT);
    if (srunner_ntests_run(runner) == 1) {
        TestResult **all = srunner_results(runner);
        take_result(result, all[0]);
        free(all);
    } else {
        result->status = GRADER_ERROR;
        snprintf(result->message, sizeof result->message, "Check ran %d tests instead of one",
                 srunner_ntests_run(runner));
    }
    srunner_free(runner);
    bury_the_dead();
    clock_gettime(CLOCK_MONOTONIC, &to);
    result->seconds = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
}

// ---- A task --------------------------------------------------------------------------------------------

static void give_points(Result *task, int count)
{
    bool trusted = true, leaky = false;
    int most = 0;
    for (int i = 0; i < count; i++) {
        most += task[i].most;
        leaky = leaky || task[i].leaked > 0;
        if (task[i].hidden && task[i].status != PASSED) trusted = false;
    }
    for (int i = 0; i < count; i++) {
        if (task[i].status != PASSED || task[i].hidden) continue;
        if (trusted)
            task[i].points = task[i].most;
        else
            snprintf(task[i].message, sizeof task[i].message,
                     "passed, but does not count: the task's hidden test failed");
    }
    int fine = leaky ? (most + 4) / 5 : 0; // taken from the first tests that have points
    for (int i = 0; i < count && fine > 0; i++) {
        int taken = task[i].points < fine ? task[i].points : fine;
        if (taken == 0) continue;
        task[i].points -= taken;
        fine -= taken;
        snprintf(task[i].message, sizeof task[i].message,
                 "right, but memory was never given back (free, arena_free): %d points less", taken);
    }
}

// Seconds that one submission may spend, its build included, after which its other tests are not run. Waiting for a
// processor does not count.
static const double ENOUGH = 20.0;

// Once a test has run out of time, the other tests of its task would too. spent: by the submission so far.
static void run_task(Result *task, const TTest *const *with, int count, double seconds, bool hidden_only,
                     double *spent)
{
    bool over = false;
    for (int i = 0; i < count; i++) {
        if (hidden_only && !task[i].hidden) continue;
        if (over || *spent > ENOUGH) {
            task[i].status = SKIPPED;
            snprintf(task[i].message, sizeof task[i].message,
                     "not run: earlier tests of this %s used up the time", over ? "task" : "submission");
            continue;
        }
        run_test(&task[i], with[i], seconds);
        *spent += outcome->spent;
        over = task[i].status == TIME_LIMIT;
    }
    give_points(task, count);
}

double examine(Result *results, int count, uint64_t seed, bool hidden_only, double spent)
{
    static const char *const settings[] = {
        "CK_FORK",          "CK_RUN_SUITE",         "CK_RUN_CASE",           "CK_INCLUDE_TAGS",
        "CK_EXCLUDE_TAGS",  "CK_DEFAULT_TIMEOUT",   "CK_TIMEOUT_MULTIPLIER", "CK_VERBOSITY",
        "CK_LOG_FILE_NAME", "CK_XML_LOG_FILE_NAME", "CK_TAP_LOG_FILE_NAME",  "CK_MAX_MSG_SIZE"};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) unsetenv(settings[i]);
    signal(SIGPIPE, SIG_IGN);
    hidden_seed = seed;
    outcome = mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (outcome == MAP_FAILED) {
        examine_none(results, count, GRADER_ERROR, "no shared memory");
        return spent;
    }
    for (int first = 0, next; first < count; first = next) {
        for (next = first; next < count && strcmp(results[next].task, results[first].task) == 0;) next++;
        run_task(results + first, tests + first, next - first, limit_of(results[first].task)->seconds,
                 hidden_only, &spent);
    }
    munmap(outcome, sizeof *outcome);
    return spent;
}
