// jail.h: starts a program that nobody trusts, with two pipes and nothing else.
//
// Behind the bars: no new process, no other program, no file, no network, no signal to others, no executable memory;
// bounded processor time, memory and output; a filter on system calls (seccomp, filter.h) that kills at the first
// forbidden one. As root also an empty root folder and a user of its own. Works as root and as an ordinary user; where
// the kernel refuses any step, jail_start says which, and the caller must not go on without.
#pragma once
#include <stdbool.h>
#include <sys/types.h>

typedef struct {
    const char *program;      // a static executable that starts in entry.c
    const char *empty_folder; // for chroot, as root
    unsigned user;            // a spare user id, as root
    double seconds;           // of processor time
} Jail;

typedef struct {
    pid_t process;
    int request, reply, output; // ends of the pipes; output is a file that holds what it printed
} Prisoner;

// Starts the program. false: it could not be jailed, and why says what failed.
bool jail_start(const Jail *jail, Prisoner *prisoner, char *why, size_t why_size);

// For tools that must read files, such as the compiler: from now on this process and its children may read
// only below the readable folders and write only below writable. Returns false where the kernel has no
// Landlock.
bool jail_files(const char *const *readable, const char *writable);
