// tool.c: see tool.h.
#include "tests/grader/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/grader/jail.h"

enum { LONGEST_MS = 240 * 1000 }; // for one tool on the busiest machine

static void bound(int what, rlim_t value)
{
    setrlimit((__rlimit_resource_t)what, &(struct rlimit){value, value});
}

static bool become(unsigned user)
{
    gid_t group = user;
    return setgroups(1, &group) == 0 && setresgid(group, group, group) == 0 &&
           setresuid(user, user, user) == 0;
}

bool user_can_read(unsigned user, const char *const *files)
{
    pid_t process = fork();
    if (process == 0) {
        bool fine = become(user);
        for (; fine && *files; files++) fine = access(*files, R_OK) == 0;
        _exit(!fine);
    }
    int status = 1;
    while (process > 0 && waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    return process > 0 && status == 0;
}

// What cannot be started is told by a byte in `trouble`, which closes when the tool is there: whatever the
// tool itself says or ends with means nothing.
static void become_tool(const ToolLimits *limits, const char *const *arguments, int output, int trouble)
{
    // One moment for all files: __TIME__ is the same when a tool is tried again.
    static char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TMPDIR=.",
                                        "SOURCE_DATE_EPOCH=0", NULL};
    setpgid(0, 0);
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) goto failed;
    if (chdir(limits->folder) != 0) goto failed;
    bound(RLIMIT_CORE, 1);
    bound(RLIMIT_CPU, (rlim_t)limits->seconds + 1);
    bound(RLIMIT_AS, TOOL_MEMORY);
    bound(RLIMIT_FSIZE, TOOL_FILE);
    if (limits->readable) jail_files(limits->readable, limits->folder); // where the kernel can
    if (limits->user && geteuid() == 0 && !become(limits->user)) goto failed;
    prctl(PR_SET_PDEATHSIG, SIGKILL); // after the change of user, which resets it
    execvpe(arguments[0], (char *const *)arguments, environment);
failed:
    _exit(write(trouble, "x", 1) != 1);
}

static int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// ---- Is it at work? ------------------------------------------------------------------------------------

// The beginning of /proc/NUMBER/name.
static bool read_process(int number, const char *name, char *text, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "/proc/%d/%s", number, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    ssize_t got = read(file, text, size - 1);
    close(file);
    text[got < 0 ? 0 : got] = '\0';
    return got > 0;
}

// Whether the process or one that it started has a processor, waits for one, or waits for a disk.
static bool at_work(int number, int deep)
{
    char text[1024], children[64];
    if (!read_process(number, "stat", text, sizeof text)) return false;
    const char *state = strrchr(text, ')'); // "12 (name) R …"
    if (state && state[1] == ' ' && (state[2] == 'R' || state[2] == 'D')) return true;
    snprintf(children, sizeof children, "task/%d/children", number);
    if (deep == 0 || !read_process(number, children, text, sizeof text)) return false;
    char *next = text;
    for (long child; (child = strtol(next, &next, 10)) > 0;)
        if (at_work((int)child, deep - 1)) return true;
    return false;
}

// Reads to the end and keeps what fits. Only the time in which nobody of the tool's is at work counts against
// `idle`: on a busy machine it may last long. false: it is over.
static bool read_until(int descriptor, pid_t process, char *text, size_t size, double idle, double *waited)
{
    enum { STEP = 50 };
    char rest[4096];
    size_t used = 0;
    int64_t start = milliseconds(), before = start;
    *waited = 0.0;
    for (;;) {
        struct pollfd one = {.fd = descriptor, .events = POLLIN};
        text[used] = '\0';
        int ready = poll(&one, 1, STEP);
        if (ready < 0 && errno != EINTR) return false;
        int64_t now = milliseconds();
        if (now - start > LONGEST_MS) return false;
        if (ready <= 0) {
            if (!at_work(process, 4)) *waited += 1e-3 * (double)(now - before);
            if (*waited > idle) return false;
            before = now;
            continue;
        }
        before = now;
        size_t room = size - 1 - used;
        ssize_t got = room ? read(descriptor, text + used, room) : read(descriptor, rest, sizeof rest);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return true;
        if (room) used += (size_t)got;
    }
}

// ---- The whole -----------------------------------------------------------------------------------------

static double seconds_of(const struct rusage *usage)
{
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
           1e-6 * (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

// Waits for the tool, then ends and buries what it started and left behind. Adds up what all of them took.
static int bury(pid_t process, ToolUse *use)
{
    int status = 0, other;
    struct rusage usage = {.ru_maxrss = 0};
    while (wait4(process, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    use->seconds += seconds_of(&usage);
    use->largest = usage.ru_maxrss;
    kill(-process, SIGKILL);
    for (pid_t gone; (gone = wait4(-process, &other, 0, &usage)) > 0 || (gone < 0 && errno == EINTR);) {
        if (gone < 0) continue;
        use->seconds += seconds_of(&usage);
        if (usage.ru_maxrss > use->largest) use->largest = usage.ru_maxrss;
    }
    return status;
}

static bool started(int trouble)
{
    char byte;
    ssize_t got;
    while ((got = read(trouble, &byte, 1)) < 0 && errno == EINTR) {
    }
    close(trouble);
    return got == 0;
}

static void close_pipe(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

ToolEnd run_tool(const ToolLimits *limits, const char *const *arguments, char *text, size_t size,
                 ToolUse *use)
{
    int ends[2], trouble[2];
    ToolUse own;
    if (!use) use = &own;
    *use = (ToolUse){0};
    text[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0) return TOOL_MISSING;
    if (pipe2(trouble, O_CLOEXEC) != 0) return close_pipe(ends), TOOL_MISSING;
    pid_t process = fork();
    if (process == 0) become_tool(limits, arguments, ends[1], trouble[1]);
    close(ends[1]);
    close(trouble[1]);
    if (process < 0) {
        close(ends[0]);
        close(trouble[0]);
        return TOOL_MISSING;
    }
    bool there = started(trouble[0]);
    double idle;
    bool ended = read_until(ends[0], process, text, size, limits->idle, &idle);
    use->seconds = idle;
    close(ends[0]);
    if (!ended) kill(process, SIGKILL);
    int status = bury(process, use);
    if (!there) return TOOL_MISSING;
    if (idle > limits->idle || use->seconds >= limits->seconds) return TOOL_LIMIT;
    if (!ended) return TOOL_KILLED; // the machine is too busy for it
    if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGKILL ? TOOL_KILLED : TOOL_FAILED;
    return WEXITSTATUS(status) == 0 ? TOOL_FINE : TOOL_FAILED;
}
