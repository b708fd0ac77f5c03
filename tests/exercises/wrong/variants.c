// variants.c: runs the tests of a chapter's exercises against many versions of its solution, which together.awk has put
// into one object file, and says which tasks each of them fails.
//
//     wrong_01                         a line for each version: its name, and the tasks that failed
//     wrong_01 1.2-wrong-sign …        these versions only, with what the tests said
//
// Each test runs in a process of its own, which may take a second of processor time. A task is failed with its first test
// that fails; the others are not run. Where hidden tests (tests/grader/hidden.h) are linked in, they belong to their tasks.
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "exercise_suite.h"

#include "lesson/exercise.h"
#include "tests/grader/hidden.h"

#pragma weak hidden_table
#pragma weak hidden_seed

// Defined by what together.awk makes.
extern const int variant_count;
extern const char *const variant_names[];
extern int variant;

enum { SECONDS = 1, SECONDS_WAITING = 60 };

void not_written(const char *task) { ck_abort_msg("TASK %s is not written yet", task); }

static void start_limits(void)
{
    const struct itimerval time = {.it_value = {.tv_sec = SECONDS}};
    const struct rlimit none = {0, 0}, memory = {(rlim_t)4 << 30, (rlim_t)4 << 30};
    if (setitimer(ITIMER_PROF, &time, NULL) != 0 || setrlimit(RLIMIT_CORE, &none) != 0 ||
        (!UNDER_ASAN && setrlimit(RLIMIT_AS, &memory) != 0) || !freopen("/dev/null", "w", stdout) ||
        !freopen("/dev/null", "w", stderr))
        ck_abort_msg("no limits");
}

// Whether the version passes one test; what went wrong is told in text.
static bool passes(const ExerciseTest *row, char *text, size_t size)
{
    Suite *suite = suite_create(exercise_folder);
    TCase *one = tcase_create(row->task);
    tcase_set_timeout(one, SECONDS_WAITING);
    tcase_add_checked_fixture(one, start_limits, NULL);
    tcase_add_test(one, row->test);
    suite_add_tcase(suite, one);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_SILENT);
    TestResult **results = srunner_results(runner);
    bool passed = srunner_ntests_run(runner) == 1 && tr_rtype(results[0]) == CK_PASS;
    if (!passed)
        snprintf(text, size, "%s: line %d: %s", row->test->name, tr_lno(results[0]), tr_msg(results[0]));
    free(results);
    srunner_free(runner);
    return passed;
}

// The tests of exercise_01.c, and behind them the hidden ones.
static ExerciseTest table[EXERCISE_MOST_TESTS + HIDDEN_MOST_TESTS];
static int count;

static void collect_tests(void)
{
    count = exercise_table(table);
    if (!hidden_table) return;
    hidden_seed = 7;
    HiddenTest hidden[HIDDEN_MOST_TESTS];
    int more = hidden_table(hidden);
    for (int i = 0; i < more; i++)
        table[count++] = (ExerciseTest){.task = hidden[i].task, .test = hidden[i].test};
}

// The next test of the task of table[i]; or count
static int next_of_task(int i)
{
    const char *task = table[i].task;
    while (++i < count && strcmp(table[i].task, task) != 0) {
    }
    return i;
}

static bool is_first_of_task(int i)
{
    for (int k = 0; k < i; k++)
        if (strcmp(table[k].task, table[i].task) == 0) return false;
    return true;
}

// Prints the line of the version whose number `variant` holds.
static void run_variant(bool tell)
{
    static char said[EXERCISE_MOST_TESTS][2600];
    int failures = 0;
    printf("%s", variant_names[variant]);
    for (int first = 0; first < count; first++) {
        if (!is_first_of_task(first)) continue;
        int i = first;
        while (i < count && passes(&table[i], said[failures], sizeof *said)) i = next_of_task(i);
        if (i == count) continue;
        printf(" %s", table[first].task);
        failures++;
    }
    printf("\n");
    for (int i = 0; tell && i < failures; i++) printf("    %s\n", said[i]);
    fflush(stdout);
}

static bool is_wanted(const char *name, char **names)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return !names[0];
}

int main(int argc, char **argv)
{
    collect_tests();
    for (variant = 0; variant < variant_count; variant++)
        if (is_wanted(variant_names[variant], argv + 1)) run_variant(argc > 1);
    return EXIT_SUCCESS;
}
