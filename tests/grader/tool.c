// tool.c: see tool.h.
#include "tests/grader/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/grader/jail.h"

enum { NOT_STARTED = 127 };

static void bound(int what, rlim_t value)
{
    setrlimit((__rlimit_resource_t)what, &(struct rlimit){value, value});
}

static void become_tool(const ToolLimits *limits, const char *const *arguments, int output)
{
    static char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TMPDIR=.",
                                        NULL};
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) _exit(NOT_STARTED);
    if (chdir(limits->folder) != 0) _exit(NOT_STARTED);
    bound(RLIMIT_CORE, 1);
    bound(RLIMIT_CPU, (rlim_t)limits->seconds + 1);
    bound(RLIMIT_AS, (rlim_t)1 << 30);
    bound(RLIMIT_FSIZE, 16 << 20);
    if (limits->readable)
        jail_files(limits->readable, limits->folder); // where the kernel can; the scan is always made
    execvpe(arguments[0], (char *const *)arguments, environment);
    _exit(NOT_STARTED);
}

static int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Reads to the end and keeps what fits; false when the time is over.
static bool read_until(int descriptor, char *text, size_t size, int64_t deadline)
{
    char rest[4096];
    size_t used = 0;
    for (;;) {
        struct pollfd one = {.fd = descriptor, .events = POLLIN};
        int64_t left = deadline - milliseconds();
        if (left <= 0) break;
        int ready = poll(&one, 1, (int)left);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) break;
        size_t room = size - 1 - used;
        ssize_t got = room ? read(descriptor, text + used, room) : read(descriptor, rest, sizeof rest);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            text[used] = '\0';
            return true;
        }
        if (room) used += (size_t)got;
    }
    text[used] = '\0';
    return false;
}

ToolEnd run_tool(const ToolLimits *limits, const char *const *arguments, char *text, size_t size)
{
    int ends[2];
    text[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0) return TOOL_MISSING;
    pid_t process = fork();
    if (process == 0) become_tool(limits, arguments, ends[1]);
    close(ends[1]);
    if (process < 0) {
        close(ends[0]);
        return TOOL_MISSING;
    }
    bool ended = read_until(ends[0], text, size, milliseconds() + (int64_t)(4000.0 * limits->seconds));
    close(ends[0]);
    if (!ended) kill(process, SIGKILL);
    int status = 0;
    while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    kill(-process, SIGKILL); // what it started
    if (!ended || WIFSIGNALED(status)) return TOOL_LIMIT;
    if (WEXITSTATUS(status) == NOT_STARTED) return TOOL_MISSING;
    return WEXITSTATUS(status) == 0 ? TOOL_FINE : TOOL_FAILED;
}
