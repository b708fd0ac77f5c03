// folders.c: see folders.h.
#include "tests/grader/folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/grader/ending.h"
#include "tests/grader/lock.h"

void path_in(char *out, const char *folder, const char *name)
{
    if (snprintf(out, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
        stop("the path %s/%s is too long", folder, name);
}

char *absolute(const char *path)
{
    char *real = realpath(path, NULL);
    if (!real) stop("%s: %s", path, strerror(errno));
    return real;
}

void make_folder(char *path, const char *in, const char *name)
{
    path_in(path, in, name);
    if (strstr(name, "XXXXXX") ? !mkdtemp(path) : mkdir(path, 0755) != 0 && errno != EEXIST)
        stop("%s: %s", path, strerror(errno));
}

// Whose run it is, and its seed: "seed 5, process 12 on host, since …".
static void write_holder(const char *path, int lock, uint64_t seed)
{
    char text[256], host[65] = "", when[32];
    time_t now = time(NULL);
    struct tm parts;
    gethostname(host, sizeof host - 1);
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", localtime_r(&now, &parts));
    int length = snprintf(text, sizeof text, "seed %llu, process %ld on %s, since %s\n",
                          (unsigned long long)seed, (long)getpid(), host, when);
    if (pwrite(lock, text, (size_t)length, 0) != length || ftruncate(lock, length) != 0)
        stop("%s: %s", path, strerror(errno));
}

int open_out(const char *out, bool class, bool seed_given, uint64_t *seed)
{
    char path[PATH_MAX], text[256] = "";
    unsigned long long before;
    path_in(path, out, ".grader");
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (lock < 0) stop("%s: %s", path, strerror(errno));
    if (!class) return lock;
    ssize_t length = pread(lock, text, sizeof text - 1, 0);
    text[length > 0 ? strcspn(text, "\n") : 0] = '\0';
    const char *comma = strchr(text, ',');
    if (!lock_byte(lock, 0)) {
        if (errno == EAGAIN || errno == EACCES)
            stop("%s: another grading writes to this folder: %s. Wait for it, or choose another OUT", out,
                 comma ? comma + 2 : "its process is not known");
        fprintf(stderr, "%s cannot be locked (%s): let no second run write to this folder\n", path,
                strerror(errno));
    }
    if (!seed_given && sscanf(text, "seed %llu,", &before) == 1) {
        *seed = before;
        fprintf(stderr, "seed %llu, as in the run before (another: SEED=…)\n", before);
    }
    write_holder(path, lock, *seed);
    return lock;
}

void sweep_out(const char *out, int lock)
{
    DIR *list = opendir(out);
    if (!list) stop("%s: %s", out, strerror(errno));
    for (struct dirent *entry; (entry = readdir(list));) {
        char path[PATH_MAX];
        if (strncmp(entry->d_name, ".work-", 6) != 0 || !byte_is_free(lock, atol(entry->d_name + 6)))
            continue;
        path_in(path, out, entry->d_name);
        remove_folder(path);
        fprintf(stderr, "removed %s, left by a run that was ended\n", path);
    }
    closedir(list);
}

void make_work_folder(const char *out, int lock, char *work)
{
    for (int tries = 0;; tries++) {
        uint32_t number;
        char name[32];
        if (getrandom(&number, sizeof number, 0) != sizeof number) stop("no random number");
        number = 1 + number % 999999;
        snprintf(name, sizeof name, ".work-%06u", (unsigned)number);
        path_in(work, out, name);
        bool taken = !lock_byte(lock, (off_t)number) && (errno == EAGAIN || errno == EACCES);
        if (!taken && mkdir(work, 0755) == 0) break;
        if (tries == 100 || (!taken && errno != EEXIST)) stop("%s: %s", work, strerror(errno));
    }
    ending_removes(work);
    chmod(work, 0755);
}
