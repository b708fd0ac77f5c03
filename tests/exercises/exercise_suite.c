// exercise_suite.c: runs the tests of a chapter's exercises, and says task by task how they went.
//
//     exercise_01_solution                                     the answers: every test must pass
//     exercise_01_student chapters/01-…/exercise.c             what the student has written so far, or the stubs
//
// With EXERCISE_STUBS=1 in the environment every task of the student's file must still be a stub.
#include "exercise_suite.h"

#include <stdio.h>
#include <stdlib.h>

#include "lesson/exercise.h"

static const char not_written_format[] = "TASK %s is not written yet";

void not_written(const char *task) { ck_abort_msg(not_written_format, task); }

static bool is_stub(const char *source, const char *task)
{
    char stub[64];
    snprintf(stub, sizeof stub, "NOT_WRITTEN(\"%s\")", task);
    return source && (strstr(source, stub) || getenv("EXERCISE_STUBS"));
}

// What is wrong with one result; NULL when it is as it should be.
static const char *complaint(TestResult *result, const char *task, bool stub)
{
    static char text[64];
    const char *message = tr_msg(result);
    if (!stub) return tr_rtype(result) == CK_PASS ? NULL : message;
    snprintf(text, sizeof text, not_written_format, task);
    if (tr_rtype(result) == CK_FAILURE && strcmp(message, text) == 0) return NULL;
    return tr_rtype(result) == CK_PASS ? "passed, though only the stub stands there" : message;
}

// Prints a line for each task, and one for each of its tests that went wrong; returns how many did.
static int report(const ExerciseTest *table, int count, TestResult **results, const char *source)
{
    int all_wrong = 0;
    for (int first = 0, end; first < count; first = end) {
        const char *task = table[first].task;
        bool stub = is_stub(source, task);
        int points = 0, wrong = 0;
        for (end = first; end < count && strcmp(table[end].task, task) == 0; end++) {
            points += table[end].points;
            wrong += complaint(results[end], task, stub) != NULL;
        }
        const char *state = wrong ? "✗ not right yet" : stub ? "– not written yet" : "✓ right";
        printf("TASK %s (%d points) %s\n", task, points, state);
        for (int i = first; i < end; i++) {
            const char *what = complaint(results[i], task, stub);
            if (what) printf("    %s: line %d: %s\n", table[i].test->name, tr_lno(results[i]), what);
        }
        all_wrong += wrong;
    }
    return all_wrong;
}

// The whole text of a file, or NULL.
static char *text_of(const char *path)
{
    char *text = NULL;
    size_t length = 0;
    FILE *file = fopen(path, "r"), *copy = open_memstream(&text, &length);
    if (!file || !copy) return NULL;
    for (int c; (c = getc(file)) != EOF;) putc(c, copy);
    fclose(file);
    fclose(copy);
    return text;
}

int main(int argc, char **argv)
{
    static ExerciseTest table[EXERCISE_MOST_TESTS];
    int count = exercise_table(table);
    char *source = argc > 1 ? text_of(argv[1]) : NULL;
    if (argc > 1 && !source) {
        perror(argv[1]);
        return 2;
    }

    report_result(0, 1); // until the end is reached
    Suite *suite = suite_create(exercise_folder);
    for (int i = 0; i < count; i++) { // a case for each test, so that results come in the order of the table
        TCase *one = tcase_create(table[i].task);
        tcase_set_timeout(one, UNDER_ASAN ? 100 : 10);
        tcase_add_test(one, table[i].test);
        suite_add_tcase(suite, one);
    }
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, UNDER_ASAN ? CK_NOFORK : CK_FORK);
    srunner_run_all(runner, CK_SILENT);
    if (srunner_ntests_run(runner) != count) {
        fprintf(stderr, "%s: %d of %d tests ran\n", exercise_folder, srunner_ntests_run(runner), count);
        return 2;
    }
    if (srunner_ntests_failed(runner) > 0) expect_leaks();
    TestResult **results = srunner_results(runner);
    int wrong = report(table, count, results, source);
    free(results);
    srunner_free(runner);
    free(source);
    report_result(count - wrong, wrong);
    return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
