// ending.c: see ending.h.
#include "tests/grader/ending.h"

#include <dirent.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/grader/report.h"

// ---- Folders -------------------------------------------------------------------------------------------

// The folder to be removed at the end, by the process that made it.
static char made_work[PATH_MAX];
static pid_t made_by;

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    (void)facts, (void)kind, (void)place;
    remove(path);
    return 0;
}

void remove_folder(const char *folder) { nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

void ending_removes(const char *folder)
{
    made_by = getpid();
    snprintf(made_work, sizeof made_work, "%s", folder);
}

void clean_up(void)
{
    if (getpid() == made_by && made_work[0]) remove_folder(made_work);
}

noreturn void stop(const char *format, ...)
{
    char message[2 * PATH_MAX];
    va_list values;
    clean_up();
    va_start(values, format);
    vsnprintf(message, sizeof message, format, values);
    va_end(values);
    fputs("grade: ", stderr);
    put_text(stderr, message);
    fputc('\n', stderr);
    exit(2);
}

// ---- Processes -----------------------------------------------------------------------------------------

// The parent of a process, as /proc tells it; 0 when it is gone.
static pid_t parent_of(const char *process)
{
    char path[64], text[512];
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%.20s/stat", process);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    const char *behind_name = strrchr(text, ')'); // a name may hold anything
    if (!behind_name || sscanf(behind_name, ") %*c %d", &parent) != 1) return 0;
    return parent;
}

void end_processes(const Job *jobs, int count)
{
    for (bool found = true; found;) {
        found = false;
        DIR *list = opendir("/proc");
        if (!list) return;
        for (struct dirent *entry; (entry = readdir(list));) {
            pid_t process = atoi(entry->d_name);
            bool wanted = process > 0 && parent_of(entry->d_name) == getpid();
            for (int j = 0; j < count; j++) wanted = wanted && jobs[j].process != process;
            if (!wanted) continue;
            found = true;
            kill(process, SIGKILL);
            waitpid(process, NULL, 0);
        }
        closedir(list);
    }
}

// ---- Interrupts ----------------------------------------------------------------------------------------

static const int interrupts[] = {SIGINT, SIGTERM, SIGHUP};
enum { INTERRUPTS = sizeof interrupts / sizeof *interrupts };
static volatile sig_atomic_t interrupted; // the signal, or 0

static void note_interrupt(int signal) { interrupted = signal; }

void mind_interrupts(void)
{
    for (int i = 0; i < INTERRUPTS; i++) {
        struct sigaction before;
        if (sigaction(interrupts[i], NULL, &before) != 0 || before.sa_handler == SIG_IGN) continue; // nohup
        sigaction(interrupts[i], &(struct sigaction){.sa_handler = note_interrupt}, NULL);
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void heed_interrupt(const char *how_to_go_on)
{
    if (!interrupted) return;
    end_processes(NULL, 0);
    clean_up();
    fprintf(stderr, "grade: interrupted. %s\n", how_to_go_on);
    signal(interrupted, SIG_DFL);
    raise(interrupted);
    _exit(2);
}

pid_t fork_apart(const Apart *apart)
{
    fflush(NULL);
    pid_t parent = getpid(), process = fork();
    if (process != 0) return process;
    setpgid(0, 0);
    for (int i = 0; i < INTERRUPTS; i++) signal(interrupts[i], SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(2);
    apart_enter(apart);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return 0;
}

int await_apart(pid_t process)
{
    int status = 0;
    while (process > 0 && waitpid(process, &status, WNOHANG) == 0) {
        heed_interrupt("Nothing was graded.");
        poll(NULL, 0, 2);
    }
    end_processes(NULL, 0);
    return process > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
