// ending.h: how a grading ends, also early: with a message, by an interrupt, with its processes and folders gone.
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>

#include "tests/grader/apart.h"

// A child of this process that grades a student: ended with end_processes unless it is among those that are kept.
typedef struct {
    pid_t process; // 0: none
    int entry;
    int64_t since;
} Job;

// Cleans up, says "grade: …" and ends with status 2.
noreturn void stop(const char *format, ...) __attribute__((format(printf, 1, 2)));

void remove_folder(const char *folder);

// The folder that clean_up removes; only in the process that has called this.
void ending_removes(const char *folder);
void clean_up(void);

// From now on interrupts are noted, and heeded by heed_interrupt: it ends every process, cleans up, says how to go on, and
// ends this process as the signal would have.
void mind_interrupts(void);
void heed_interrupt(const char *how_to_go_on);

// Ends the children of this process that are none of the jobs, and theirs: this process inherits those whose parents
// are gone.
void end_processes(const Job *jobs, int count);

// A process of its own, out of reach of the terminal's interrupts: this one gets them, and sees to the other. Returns 0
// in the new one, which other submissions' processes cannot reach (apart.h).
pid_t fork_apart(const Apart *apart);

// Waits for such a process, if it is not a student's; returns its exit status, or 2.
int await_apart(pid_t process);
