// How many processors a program may use, in folders that look like those of a system.
#include "suite.h"
#include "base/cores.h"
#include "base/parallel.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static char root[256];

static void put(const char *path, const char *text)
{
    char whole[1024];
    snprintf(whole, sizeof whole, "%s%s", root, path);
    for (char *slash = strchr(whole + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(whole, 0777);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    ck_assert_msg(file && fputs(text, file) >= 0 && fclose(file) == 0, "%s", whole);
}

static void root_new(const char *name)
{
    snprintf(root, sizeof root, "%s", scratch_path(name));
    ck_assert(mkdir(root, 0777) == 0);
}

START_TEST(without_groups_there_is_no_limit)
{
    root_new("none");
    ck_assert_double_eq(cores_quota(root), 0.0);
    put("/proc/self/cgroup", "0::/\n");
    ck_assert_double_eq(cores_quota(root), 0.0);
    put("/sys/fs/cgroup/cpu.max", "max 100000\n");
    ck_assert_double_eq(cores_quota(root), 0.0);
}
END_TEST

START_TEST(the_least_quota_on_the_way_up_counts)
{
    root_new("up");
    put("/proc/self/cgroup", "0::/user/shell\n");
    put("/sys/fs/cgroup/user/shell/cpu.max", "400000 100000\n");
    ck_assert_double_eq(cores_quota(root), 4.0);
    put("/sys/fs/cgroup/user/cpu.max", "150000 100000\n");
    ck_assert_double_eq(cores_quota(root), 1.5);
    put("/sys/fs/cgroup/cpu.max", "800000 100000\n");
    ck_assert_double_eq(cores_quota(root), 1.5);
    put("/sys/fs/cgroup/user/shell/cpu.max", "max 100000\n");
    ck_assert_double_eq(cores_quota(root), 1.5);
}
END_TEST

START_TEST(version_1_has_two_files)
{
    root_new("old");
    put("/proc/self/cgroup", "4:memory:/m\n3:cpuset:/docker/a\n2:cpuacct,cpu:/docker/a\n");
    put("/sys/fs/cgroup/cpu/docker/a/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu/docker/a/cpu.cfs_period_us", "100000\n");
    ck_assert_double_eq(cores_quota(root), 0.0);
    put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    ck_assert_double_eq(cores_quota(root), 0.5);
}
END_TEST

START_TEST(what_cannot_be_read_limits_nothing)
{
    root_new("odd");
    put("/proc/self/cgroup", "\nnonsense\n0::/a\n::\n1:\n");
    put("/sys/fs/cgroup/a/cpu.max", "");
    ck_assert_double_eq(cores_quota(root), 0.0);
    put("/sys/fs/cgroup/a/cpu.max", "many 0\n");
    ck_assert_double_eq(cores_quota(root), 0.0);
}
END_TEST

START_TEST(who_says_how_many_threads_gets_them)
{
    setenv("OMP_NUM_THREADS", "3", 1);
    parallel_set_threads(3);
    cores_begin();
    ck_assert_int_eq(parallel_threads(), 3);
}
END_TEST

// ---- A processor for each thread ----------------------------------------------------------------------------

static cpu_set_t everywhere; // what this process may use
static cpu_set_t of_thread[2];

static bool may_use(int thread, int processor) { return CPU_ISSET((size_t)processor, &of_thread[thread]); }

// A region of two threads that says where they are, the first thread first; afterwards of_thread says where they may go.
static void region(void)
{
#pragma omp parallel num_threads(2)
    {
        if (parallel_number() == 0) cores_keep_apart();
#pragma omp barrier
        if (parallel_number() == 1) cores_keep_apart();
        sched_getaffinity(0, sizeof(cpu_set_t), &of_thread[parallel_number()]);
    }
}

static void stay_on(int processor)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)processor, &one);
    sched_setaffinity(0, sizeof one, &one);
}

// Both say that they are on one processor, as when one has woken the other there; then both may go everywhere again.
static int region_on_one_processor(void)
{
    int processor = 0;
    while (!CPU_ISSET((size_t)processor, &everywhere)) processor++;
#pragma omp parallel num_threads(2)
    {
        stay_on(processor);
#pragma omp barrier
        cores_keep_apart();
#pragma omp barrier
        sched_setaffinity(0, sizeof everywhere, &everywhere);
    }
    return processor;
}

static bool has_two_processors(void)
{
    if (sched_getaffinity(0, sizeof everywhere, &everywhere) != 0 || CPU_COUNT(&everywhere) < 2) return false;
    int team = 1;
#pragma omp parallel num_threads(2)
    if (parallel_number() == 0) team = parallel_team();
    return team == 2;
}

static void begin_with(const char *binding)
{
    unsetenv("OMP_PLACES");
    if (binding) setenv("OMP_PROC_BIND", binding, 1);
    if (!binding) unsetenv("OMP_PROC_BIND");
    cores_begin();
}

START_TEST(two_threads_of_a_team_do_not_share_a_processor)
{
    if (!has_two_processors()) return;
    begin_with(NULL);
    const int shared = region_on_one_processor();
    region();
    ck_assert_msg(may_use(0, shared), "the program's own thread was kept from processor %d", shared);
    ck_assert_msg(CPU_EQUAL(&of_thread[0], &everywhere), "the program's own thread goes where it likes");
    ck_assert_msg(!may_use(1, shared), "the second thread may still use processor %d", shared);
    ck_assert_int_gt(CPU_COUNT(&of_thread[1]), 0);

    // The first one stays: a tenth of a second after the second has said that it is elsewhere, that one may go everywhere. On a
    // busy machine this may happen too early, so that they meet once more: then it happens again.
    stay_on(shared);
    bool free = false;
    for (int i = 0; i < 20 && !free; i++) {
        region();
        nanosleep(&(struct timespec){.tv_nsec = 120000000}, NULL);
        region();
        free = CPU_EQUAL(&of_thread[1], &everywhere);
    }
    ck_assert_msg(free, "the second thread is still kept away");
}
END_TEST

START_TEST(nobody_is_kept_away_without_need)
{
    if (!has_two_processors()) return;
    region_on_one_processor(); // before cores_begin
    region();
    ck_assert(CPU_EQUAL(&of_thread[1], &everywhere));
    begin_with("true"); // whoever runs the program has said where threads belong
    region_on_one_processor();
    region();
    ck_assert(CPU_EQUAL(&of_thread[1], &everywhere));
}
END_TEST

// Where all have one processor, somebody has to share
START_TEST(more_threads_than_processors_share_them)
{
    if (!has_two_processors()) return;
    begin_with(NULL);
    cpu_set_t one = everywhere;
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) > 1; i++) CPU_CLR((size_t)i, &one);
    sched_setaffinity(0, sizeof one, &one);
    region_on_one_processor();
    sched_setaffinity(0, sizeof one, &one); // of the first thread: the only processor that all may use
    region();
    ck_assert(CPU_EQUAL(&of_thread[1], &everywhere));
    sched_setaffinity(0, sizeof everywhere, &everywhere);
}
END_TEST

SUITE("cores", without_groups_there_is_no_limit, the_least_quota_on_the_way_up_counts,
      version_1_has_two_files, what_cannot_be_read_limits_nothing, who_says_how_many_threads_gets_them,
      two_threads_of_a_team_do_not_share_a_processor, nobody_is_kept_away_without_need,
      more_threads_than_processors_share_them)
