// folders.h: paths, and the folder OUT, to which one class run at a time writes.
//
// OUT/.grader is never removed. A class run locks its first byte. OUT/.work-N belongs to the run that has locked byte N;
// where nobody has, the run was killed, and the folder is removed. The kernel gives up a dead process's locks.
// Whatever goes wrong here ends the grading (ending.h: stop).
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

// folder/name, in PATH_MAX bytes.
void path_in(char *out, const char *folder, const char *name);

// The path without links and dots, never freed.
char *absolute(const char *path);

// Makes folder in/name, whose path is left in PATH_MAX bytes of path. A name that ends in XXXXXX becomes one that is new.
void make_folder(char *path, const char *in, const char *name);

// Opens OUT/.grader and returns its descriptor. A class run also locks it, takes over the seed of the run before unless one
// is given, and writes down whose run it is.
int open_out(const char *out, bool class, bool seed_given, uint64_t *seed);

// Removes what killed runs have left.
void sweep_out(const char *out, int lock);

// Makes this run's own folder OUT/.work-N, which clean_up removes; its path is left in PATH_MAX bytes of work.
void make_work_folder(const char *out, int lock, char *work);
