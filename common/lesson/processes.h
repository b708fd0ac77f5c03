// processes.h: starts a program several times, on this machine or on many, as processes that send each other messages (MPI).
//
//     char *const arguments[] = {argv[0], "--worker", NULL};
//     Child child = processes_run(arguments, (Processes){.count = 2, .log = "worker.log", .seconds = 60.0});
//     if (child.end == CHILD_ENDED && child.detail != 0) rank = processes_lost("worker.log");
//
// What they say, and what mpirun says, goes to the file log. Each gets one thread. The words for mpirun are those that Open
// MPI 4 and 5 both know; it is told that it may run as root, which is so in a container, and that there may be fewer cores
// than processes. CHILD_MISSING when there is no mpirun.
#pragma once
#include "lesson/child.h"

typedef struct {
    int count;
    const char *hosts; // a host file for mpirun, or NULL: all on this machine
    const char *log;
    double seconds; // how long they may take together
} Processes;

// arguments: the program and what follows, then NULL; at most 24 words
Child processes_run(char *const *arguments, Processes how);

// Which of them died of a signal, by what mpirun wrote to the log; −1 when it says nothing of that. *by receives the signal.
int processes_lost(const char *log, int *by);
