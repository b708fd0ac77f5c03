// Started by posix_spawn: a process that has entered a parallel region must not go on with a copy of itself.
#include "lesson/child.h"
#include "lesson/lesson.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

// ---- The environment ---------------------------------------------------------------------------------------------------

// What a program is told of the user's environment. A setting that is not here (GNUTERM, XZ_OPT, TMPDIR, LC_NUMERIC, …)
// cannot change what it does.
static const char *const kept[] = {
    "PATH",
    "HOME",
    "LD_LIBRARY_PATH",
    "FONTCONFIG_FILE",
    "FONTCONFIG_PATH",
    "FONTCONFIG_SYSROOT",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_DATA_DIRS", // fontconfig's, too
};
enum { KEPT = sizeof kept / sizeof *kept };

// Fills the list with this process's own strings: they live as long as nobody changes the environment.
static void choose_environment(char *list[KEPT + 2])
{
    static char as_in_c[] = "LC_ALL=C";
    int count = 0;
    for (char **setting = environ; *setting; setting++) {
        for (int k = 0; k < KEPT; k++) {
            size_t length = strlen(kept[k]);
            bool is_it = strncmp(*setting, kept[k], length) == 0 && (*setting)[length] == '=';
            if (is_it && count < KEPT) list[count++] = *setting;
        }
    }
    list[count++] = as_in_c;
    list[count] = NULL;
}

// ---- Starting and waiting ----------------------------------------------------------------------------------------------

// A session of its own is a process group of its own, too: what it starts can be ended with it.
static int start(pid_t *process, char *const *arguments, const char *output, bool messages)
{
    char *environment[KEPT + 2];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    choose_environment(environment);
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGXFSZ);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (messages) posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    if (!messages) posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    int error = posix_spawnp(process, arguments[0], &files, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

static bool is_loud(const char *output)
{
    struct stat about;
    return stat(output, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > CHILD_MOST;
}

// Waits for a process as long as it may run and write; then ends it and all that it has started.
static ChildEnd wait_for(pid_t process, const char *output, double seconds, int *status)
{
    ChildEnd end = CHILD_SLOW;
    double until = seconds_now() + seconds;
    for (;;) {
        pid_t ended = waitpid(process, status, WNOHANG);
        if (ended == process) return CHILD_ENDED;
        if (ended < 0 && errno != EINTR) {
            *status = 0; // somebody else has fetched its end: what it has made tells the rest
            return CHILD_ENDED;
        }
        if (is_loud(output)) end = CHILD_LOUD;
        if (end == CHILD_LOUD || seconds_now() >= until) break;
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    kill(-process, SIGKILL);
    while (waitpid(process, status, 0) < 0 && errno == EINTR) {
    }
    return end;
}

Child child_run(char *const *arguments, const char *output, bool messages, double seconds)
{
    pid_t process;
    int status = 0, error = start(&process, arguments, output, messages);
    if (error != 0) return (Child){error == ENOENT ? CHILD_MISSING : CHILD_REFUSED, error};
    ChildEnd end = wait_for(process, output, seconds, &status);
    if (end != CHILD_ENDED) return (Child){end, 0};
    if (WIFSIGNALED(status)) return (Child){CHILD_KILLED, WTERMSIG(status)};
    // Where posix_spawn cannot tell that there is no such program, its child ends with 127 (POSIX).
    if (WEXITSTATUS(status) == 127) return (Child){CHILD_MISSING, ENOENT};
    return (Child){CHILD_ENDED, WEXITSTATUS(status)};
}
