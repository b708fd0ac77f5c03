// How many processors a program may use, in folders that look like those of a system.
#include "suite.h"
#include "base/cores.h"
#include "base/parallel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
    cores_obey_quota();
    ck_assert_int_eq(parallel_threads(), 3);
}
END_TEST

SUITE("cores", without_groups_there_is_no_limit, the_least_quota_on_the_way_up_counts,
      version_1_has_two_files, what_cannot_be_read_limits_nothing, who_says_how_many_threads_gets_them)
