// apart.h: keeps one student's processes from another's, and from those of a second grading on the same machine.
//
// The filter on system calls forbids whatever could reach another process; this is the wall behind it. A process
// reaches what it can name and what runs under its user id. So each submission is graded in a process namespace of its
// own, where no other process has a number; and, as root, under a user id that no other submission has at that time.
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    unsigned first_user; // as root: job j runs as user first_user + j; 0: as an ordinary user
    bool namespaces;     // a process namespace for each submission
    int jobs;            // so many submissions at a time may be graded
    char promise[240];   // in words, for the summary
} Apart;

enum { APART_MOST_JOBS = 64 };

// Finds out what can be had here, and takes it for this session: until the process ends, no other session gets the same
// user ids. false: somebody else has what is needed, and why says who must end first.
bool apart_begin(Apart *apart, int jobs, char *why, size_t why_size);

// To be called by a submission's own process before anything is built or run: goes on in a child that is the first
// process of a new namespace; the process itself only waits, and ends as the child ended (status 2: there was none).
// Where apart_begin found no namespaces nothing changes.
void apart_enter(const Apart *apart);
