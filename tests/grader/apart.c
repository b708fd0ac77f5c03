// apart.c: see apart.h.
#include "tests/grader/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/grader/lock.h"

// User ids that neither Debian nor systemd hands out: nine sessions at a time, each with ids for its jobs.
enum { FIRST_USER = 60600, SESSIONS = 9 };

// ---- Namespaces --------------------------------------------------------------------------------------------------------

static bool write_setting(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return errno == ENOENT; // kernels before setgroups had its file
    bool written = write(file, text, strlen(text)) == (ssize_t)strlen(text);
    close(file);
    return written;
}

// The children of this process will be in a new process namespace, and it and they in a mount namespace of their own.
// An ordinary user needs a user namespace for that, in which he is who he was before.
static bool new_namespace(void)
{
    char users[64], groups[64];
    snprintf(users, sizeof users, "%u %u 1\n", (unsigned)geteuid(), (unsigned)geteuid());
    snprintf(groups, sizeof groups, "%u %u 1\n", (unsigned)getegid(), (unsigned)getegid());
    if (geteuid() == 0) return unshare(CLONE_NEWPID | CLONE_NEWNS) == 0;
    return unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS) == 0 &&
           write_setting("/proc/self/setgroups", "deny") && write_setting("/proc/self/uid_map", users) &&
           write_setting("/proc/self/gid_map", groups);
}

// A /proc with the numbers of this namespace: OpenMP's library and sanitizers look for themselves there.
static bool own_proc(void)
{
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;
}

static int wait_for_end(pid_t process)
{
    int status = 0;
    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR) return 2;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

// Tried in a child, because there is no way back.
static bool has_namespaces(void)
{
    pid_t process = fork();
    if (process == 0) {
        if (!new_namespace()) _exit(1);
        pid_t first = fork();
        if (first == 0) _exit(getpid() == 1 && own_proc() ? 0 : 1);
        _exit(first < 0 ? 1 : wait_for_end(first));
    }
    return process > 0 && wait_for_end(process) == 0;
}

void apart_enter(const Apart *apart)
{
    if (!apart->namespaces) return;
    pid_t first = new_namespace() ? fork() : -1;
    if (first < 0) _exit(2);
    if (first > 0) _exit(wait_for_end(first));
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || !own_proc()) _exit(2);
}

// ---- One of its kind ---------------------------------------------------------------------------------------------------

// A byte of a file that only this user can have made. −1: the file cannot be had.
static int claim_byte(const char *path, int byte, bool *taken)
{
    static int file = -1;
    struct stat facts;
    if (file < 0) file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0 || fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_uid != geteuid())
        return -1;
    *taken = lock_byte(file, byte);
    return 0;
}

static bool claim_users(Apart *apart, char *why, size_t why_size)
{
    const char *path = "/run/course-grader.lock";
    for (int i = 0; i < SESSIONS; i++) {
        bool taken = false;
        if (claim_byte(path, i, &taken) != 0)
            return snprintf(why, why_size, "%s cannot be locked: %s", path, strerror(errno)), false;
        apart->first_user = FIRST_USER + (unsigned)(i * APART_MOST_JOBS);
        if (taken) return true;
    }
    return snprintf(why, why_size, "%d gradings run already, and hold all user ids; wait for one to end",
                    SESSIONS),
           false;
}

static bool claim_user(char *why, size_t why_size)
{
    char path[64];
    bool taken = false;
    snprintf(path, sizeof path, "/tmp/course-grader-%u.lock", (unsigned)geteuid());
    if (claim_byte(path, 0, &taken) != 0)
        return snprintf(why, why_size, "%s cannot be locked: %s; remove it", path, strerror(errno)), false;
    if (taken) return true;
    return snprintf(why, why_size,
                    "another grading of yours is running, and students' programs of both would have your "
                    "user id; wait for its end, or grade as root"),
           false;
}

bool apart_begin(Apart *apart, int jobs, char *why, size_t why_size)
{
    bool root = geteuid() == 0;
    *apart = (Apart){.namespaces = has_namespaces(), .jobs = jobs < APART_MOST_JOBS ? jobs : APART_MOST_JOBS};
    if (root && !claim_users(apart, why, why_size)) return false;
    if (!root && !apart->namespaces) {
        if (!claim_user(why, why_size)) return false;
        apart->jobs = 1;
    }
    snprintf(apart->promise, sizeof apart->promise, "%s%s",
             root ? "every submission ran under a user id of its own"
                  : "all submissions ran under your user id",
             apart->namespaces ? ", in a process namespace of its own"
             : root            ? "; process namespaces cannot be had here"
                               : ", one at a time, because process namespaces cannot be had here");
    return true;
}
