// processes.h: whom mpirun has lost. The words are those of Open MPI 4.1 and 5.0.
#include "lesson/processes.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int lost_in(const char *words, int *by)
{
    char path[] = "/tmp/test-processes-XXXXXX";
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, words, strlen(words)), (long)strlen(words));
    close(file);
    int rank = processes_lost(path, by);
    unlink(path);
    return rank;
}

START_TEST(who_was_lost_is_told)
{
    int by = 0;
    ck_assert_int_eq(
        lost_in("loss 3.1\n------\nmpirun noticed that process rank 1 with PID 0 on node gentle exited on "
                "signal 9 (Killed).\n------\n",
                &by),
        1);
    ck_assert_int_eq(by, 9);
    ck_assert_int_eq(
        lost_in("prterun noticed that process rank 12 with PID 4711 on node a-machine-with-a-long-name\n"
                "exited on signal 11 (Segmentation fault).\n",
                &by),
        12);
    ck_assert_int_eq(by, 11);
}
END_TEST

START_TEST(nobody_was_lost)
{
    int by = 0;
    ck_assert_int_eq(lost_in("", &by), -1);
    ck_assert_int_eq(lost_in("result 1 2 3\n", &by), -1);
    ck_assert_int_eq(lost_in("process rank 3 is slow\n", &by), -1);
    ck_assert_int_eq(processes_lost("/nonexistent/log", &by), -1);
}
END_TEST

START_TEST(without_mpirun_it_is_missing)
{
    char *const arguments[] = {(char[]){"true"}, NULL};
    char *path = getenv("PATH"), kept[4096];
    snprintf(kept, sizeof kept, "%s", path ? path : "");
    setenv("PATH", "/nonexistent", 1);
    Child child = processes_run(arguments, (Processes){.count = 2, .log = "/dev/null", .seconds = 10.0});
    setenv("PATH", kept, 1);
    ck_assert_int_eq(child.end, CHILD_MISSING);
}
END_TEST

SUITE("processes", who_was_lost_is_told, nobody_was_lost, without_mpirun_it_is_missing)
