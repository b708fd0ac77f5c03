// cores.c: see cores.h.
#include "base/cores.h"
#include "base/parallel.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_PATH = 4096 };

// The first line of a file, without its end; false when there is none.
static bool first_line(char line[MOST_PATH], const char *root, const char *folder, const char *group,
                       const char *file)
{
    char path[3 * MOST_PATH];
    const int length = snprintf(path, sizeof path, "%s%s%s/%s", root, folder, group, file);
    FILE *opened = length > 0 && length < (int)sizeof path ? fopen(path, "r") : NULL;
    if (!opened) return false;
    const bool read = fgets(line, MOST_PATH, opened);
    fclose(opened);
    if (read) line[strcspn(line, "\n")] = '\0';
    return read;
}

static double smaller(double least, double quota, double period)
{
    if (!(quota > 0.0) || !(period > 0.0)) return least; // "max" is read as 0, version 1 says −1
    return least == 0.0 || quota / period < least ? quota / period : least;
}

// Version 2: "quota period" or "max period"
static double quota_of_group(double least, const char *root, const char *folder, const char *group)
{
    char line[MOST_PATH], *rest;
    if (!first_line(line, root, folder, group, "cpu.max")) return least;
    const double quota = strtod(line, &rest);
    return smaller(least, quota, strtod(rest, NULL));
}

// Version 1: a file for each
static double old_quota_of_group(double least, const char *root, const char *folder, const char *group)
{
    char quota[MOST_PATH], period[MOST_PATH];
    if (!first_line(quota, root, folder, group, "cpu.cfs_quota_us") ||
        !first_line(period, root, folder, group, "cpu.cfs_period_us"))
        return least;
    return smaller(least, strtod(quota, NULL), strtod(period, NULL));
}

// The group and all above it; a container may show only its own group, as the topmost.
static double along_path(double least, const char *root, const char *folder, char *group,
                         double (*quota)(double, const char *, const char *, const char *))
{
    for (;;) {
        least = quota(least, root, folder, group);
        char *slash = strrchr(group, '/');
        if (!slash) return least;
        *slash = '\0';
    }
}

// Is "cpu" one of the names between commas?
static bool names_cpu(const char *controllers, size_t length)
{
    for (const char *at = controllers, *end = controllers + length; at < end; at++) {
        const size_t word = strcspn(at, ",:");
        if (word == 3 && strncmp(at, "cpu", 3) == 0) return true;
        at += word;
    }
    return false;
}

double cores_quota(const char *root)
{
    char path[2 * MOST_PATH], line[MOST_PATH];
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *groups = fopen(path, "r");
    double least = 0.0;
    while (groups && fgets(line, sizeof line, groups)) { // "number:controllers:/group"
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group) continue;
        const size_t length = (size_t)(group++ - ++controllers);
        if (length == 0) {
            least = along_path(least, root, "/sys/fs/cgroup", group, quota_of_group);
        } else if (names_cpu(controllers, length)) {
            least = along_path(least, root, "/sys/fs/cgroup/cpu", group, old_quota_of_group);
        }
    }
    if (groups) fclose(groups);
    return least;
}

// ---- A processor for each thread ----------------------------------------------------------------------------

#ifdef __linux__
enum { MOST_THREADS = 256 };

// Where each thread of a team was when its last region began. Written by that thread, read by the first one.
static struct {
    atomic_int processor, id; // id: the system's number of the thread
} threads[MOST_THREADS];

static atomic_bool keeps_apart; // whether cores_begin said so, and the system has not refused

// Of the first thread: the processors that all may use, those that some were kept from until then, and since when.
static cpu_set_t all;
static bool some_are_kept;
static double kept_since;
static const double KEPT_FOR = 0.1, AGAIN_AFTER = 0.001; // seconds

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void keep_to(int thread, const cpu_set_t *processors)
{
    if (sched_setaffinity(threads[thread].id, sizeof *processors, processors) != 0)
        keeps_apart = errno == ESRCH;
}

// The processors on which a team was, and which of its threads were where an earlier one was; false when none was.
static bool find_doubles(cpu_set_t *used, bool *is_double, int team)
{
    bool any = false;
    CPU_ZERO(used);
    for (int i = 0; i < team; i++) {
        is_double[i] = CPU_ISSET((size_t)threads[i].processor, used);
        any |= is_double[i];
        CPU_SET((size_t)threads[i].processor, used);
    }
    return any;
}

// Doubles get the processors that no other thread of the team uses.
static void separate(const cpu_set_t *used, const bool *is_double, int team)
{
    const double now = seconds();
    if (some_are_kept && now - kept_since < AGAIN_AFTER) return;
    if (!some_are_kept && sched_getaffinity(0, sizeof all, &all) != 0) keeps_apart = false;
    if (!keeps_apart || CPU_COUNT(&all) < team) return; // somebody has to share
    cpu_set_t others;
    CPU_AND(&others, &all, used);
    CPU_XOR(&others, &all, &others);
    for (int i = 1; i < team; i++)
        if (is_double[i]) keep_to(i, &others);
    some_are_kept = true;
    kept_since = now;
}

static void let_go(int team)
{
    if (seconds() - kept_since < KEPT_FOR) return;
    for (int i = 1; i < team; i++) keep_to(i, &all);
    some_are_kept = false;
}

void cores_keep_apart(void)
{
    const int number = parallel_number(), team = parallel_team();
    if (!keeps_apart || team < 2 || team > MOST_THREADS) return;
    const int processor = sched_getcpu();
    if (processor < 0 || processor >= CPU_SETSIZE) return;
    if (number == 0) {
        cpu_set_t used;
        bool is_double[MOST_THREADS];
        static int last_team;
        if (team == last_team) {
            const bool doubles = find_doubles(&used, is_double, team);
            if (doubles) separate(&used, is_double, team);
            if (!doubles && some_are_kept) let_go(team);
        }
        last_team = team; // the numbers of another team's threads are not known yet
    }
    // Most of the time nothing has changed, and the line of the cache stays with all of them.
    static _Thread_local int id;
    if (!id) id = (int)gettid();
    if (threads[number].processor != processor) threads[number].processor = processor;
    if (threads[number].id != id) threads[number].id = id;
}

static void begin_apart(void) { keeps_apart = !getenv("OMP_PROC_BIND") && !getenv("OMP_PLACES"); }
#else
void cores_keep_apart(void) {}
static void begin_apart(void) {}
#endif

// ---- Both ---------------------------------------------------------------------------------------------------

void cores_begin(void)
{
    begin_apart();
    const char *said = getenv("OMP_NUM_THREADS");
    if (said && *said) return;
    const double quota = cores_quota("");
    const int most = quota < 1.0 ? 1 : quota < 1e6 ? (int)quota : 0;
    if (quota > 0.0 && most && most < parallel_threads()) parallel_set_threads(most);
}
