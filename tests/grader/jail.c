// jail.c: see jail.h. The order of the steps matters: each needs a right that a later one gives up.
#include "jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/grader/filter.h"
#include "wire.h"

// ---- The steps into the jail ---------------------------------------------------------------------------

static bool limit(int what, rlim_t value)
{
    struct rlimit both = {value, value};
    return setrlimit((__rlimit_resource_t)what, &both) == 0;
}

static bool set_limits(double seconds)
{
    struct rlimit time = {(rlim_t)seconds + 1,
                          (rlim_t)seconds + 2}; // SIGXCPU first; who ignores it is killed
    return limit(RLIMIT_CORE, 1) &&             // 0 would still start a program that collects cores
           setrlimit(RLIMIT_CPU, &time) == 0 && limit(RLIMIT_FSIZE, 1 << 20) && limit(RLIMIT_AS, 256 << 20) &&
           limit(RLIMIT_NOFILE, 16) && limit(RLIMIT_STACK, 8 << 20);
}

static bool become_nobody(const Jail *jail)
{
    gid_t group = jail->user;
    return chroot(jail->empty_folder) == 0 && chdir("/") == 0 && setgroups(1, &group) == 0 &&
           setresgid(group, group, group) == 0 && setresuid(jail->user, jail->user, jail->user) == 0 &&
           limit(RLIMIT_NPROC, 1); // nobody else has this user id
}

static void default_signals(void)
{
    for (int i = 1; i < 65; i++) signal(i, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// Moves the five descriptors to 0 … 6, wherever they are now. The copies are made above all of them first.
static bool place_descriptors(const int ends[5])
{
    static const int wanted[5] = {STDOUT_FILENO, WIRE_REQUEST, WIRE_REPLY, WIRE_PROGRAM, WIRE_TROUBLE};
    int high[5];
    for (int i = 0; i < 5; i++)
        if ((high[i] = fcntl(ends[i], F_DUPFD, 20)) < 0) return false;
    for (int i = 0; i < 5; i++)
        if (dup2(high[i], wanted[i]) < 0) return false;
    int nothing = open("/dev/null", O_RDONLY);
    return nothing >= 0 && dup2(nothing, STDIN_FILENO) == 0 && dup2(STDOUT_FILENO, STDERR_FILENO) == 2 &&
           fcntl(WIRE_PROGRAM, F_SETFD, FD_CLOEXEC) == 0 && fcntl(WIRE_TROUBLE, F_SETFD, FD_CLOEXEC) == 0 &&
           syscall(SYS_close_range, WIRE_TROUBLE + 1, ~0u, 0) == 0;
}

static void enter(const Jail *jail, const int ends[5], pid_t keeper)
{
    const char *step = "file descriptors";
    char *const arguments[] = {"worker", NULL}, *const environment[] = {NULL};
    if (!place_descriptors(ends)) goto failed;
    step = "resource limits";
    if (!set_limits(jail->seconds)) goto failed;
    default_signals();
    step = "an empty root folder and a user without rights (chroot, setresuid)";
    if (geteuid() == 0 && !become_nobody(jail)) goto failed;
    step = "death with its keeper"; // after the change of user, which resets it
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != keeper) goto failed;
    step = "no new privileges";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) goto failed;
    step = "the filter on system calls (seccomp)";
    if (filter_jail(WIRE_PROGRAM) != 0) goto failed;
    step = "starting the worker";
    syscall(SYS_execveat, WIRE_PROGRAM, "", arguments, environment, AT_EMPTY_PATH);
failed:
    dprintf(WIRE_TROUBLE, "%s: %s", step, strerror(errno));
    _exit(1);
}

static void close_all(int *descriptors, int count)
{
    for (int i = 0; i < count; i++)
        if (descriptors[i] >= 0) close(descriptors[i]);
}

// The worker's first word, said when exec is closed behind it and before anything of the student's has run.
static bool is_ready(int reply)
{
    uint32_t word = 0;
    struct pollfd one = {.fd = reply, .events = POLLIN};
    return poll(&one, 1, 30000) == 1 && read(reply, &word, sizeof word) == sizeof word && word == WIRE_READY;
}

bool jail_start(const Jail *jail, Prisoner *prisoner, char *why, size_t why_size)
{
    enum { REQUEST_OUT, REQUEST_IN, REPLY_OUT, REPLY_IN, TROUBLE_OUT, TROUBLE_IN, OUTPUT, PROGRAM, ALL };
    int d[ALL];
    for (int i = 0; i < ALL; i++) d[i] = -1;
    bool opened = pipe2(d + REQUEST_OUT, O_CLOEXEC) == 0 && pipe2(d + REPLY_OUT, O_CLOEXEC) == 0 &&
                  pipe2(d + TROUBLE_OUT, O_CLOEXEC) == 0;
    if (opened) opened = (d[OUTPUT] = memfd_create("output", MFD_CLOEXEC)) >= 0;
    if (opened) opened = (d[PROGRAM] = open(jail->program, O_RDONLY | O_CLOEXEC)) >= 0;
    pid_t keeper = getpid(), process = opened ? fork() : -1;
    if (process == 0) {
        const int ends[5] = {d[OUTPUT], d[REQUEST_OUT], d[REPLY_IN], d[PROGRAM], d[TROUBLE_IN]};
        enter(jail, ends, keeper);
    }
    if (process < 0) {
        snprintf(why, why_size, "%s: %s", jail->program, strerror(errno));
        close_all(d, ALL);
        return false;
    }
    close_all((int[]){d[REQUEST_OUT], d[REPLY_IN], d[TROUBLE_IN], d[PROGRAM]}, 4);
    // The worker's end of this pipe closes at its exec: nothing to read means that every step was taken.
    ssize_t length;
    while ((length = read(d[TROUBLE_OUT], why, why_size - 1)) < 0 && errno == EINTR) {
    }
    close(d[TROUBLE_OUT]);
    if (length == 0 && is_ready(d[REPLY_OUT])) {
        *prisoner = (Prisoner){process, d[REQUEST_IN], d[REPLY_OUT], d[OUTPUT]};
        return true;
    }
    why[length < 0 ? 0 : length] = '\0';
    if (length == 0) snprintf(why, why_size, "%s did not start", jail->program);
    kill(process, SIGKILL);
    waitpid(process, NULL, 0);
    close_all((int[]){d[REQUEST_IN], d[REPLY_OUT], d[OUTPUT]}, 3);
    return false;
}

// ---- Files only, for tools -----------------------------------------------------------------------------

static bool allow_below(int rules, const char *path, uint64_t rights)
{
    struct landlock_path_beneath_attr below = {.allowed_access = rights,
                                               .parent_fd = open(path, O_PATH | O_CLOEXEC)};
    if (below.parent_fd < 0) return errno == ENOENT; // what is not there needs no rule
    struct stat facts;
    const uint64_t of_files =
        LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    if (fstat(below.parent_fd, &facts) == 0 && !S_ISDIR(facts.st_mode)) below.allowed_access &= of_files;
    bool added = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0) == 0;
    close(below.parent_fd);
    return added;
}

bool jail_files(const char *const *readable, const char *writable)
{
    const uint64_t everything = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1; // all rights of the first version
    const uint64_t reading =
        LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    struct landlock_ruleset_attr handled = {.handled_access_fs = everything};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (rules < 0) return false;
    bool set = allow_below(rules, writable, everything);
    for (int i = 0; readable[i]; i++) set = set && allow_below(rules, readable[i], reading);
    const uint64_t file_rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    set = set && allow_below(rules, "/dev/null", file_rights);
    set = set && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
          syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    close(rules);
    return set;
}
