// cores.c: see cores.h.
#include "base/cores.h"
#include "base/parallel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void cores_obey_quota(void)
{
    const char *said = getenv("OMP_NUM_THREADS");
    if (said && *said) return;
    const double quota = cores_quota("");
    const int threads = quota < 1.0 ? 1 : quota < 1e6 ? (int)quota : 0;
    if (quota > 0.0 && threads && threads < parallel_threads()) parallel_set_threads(threads);
}
