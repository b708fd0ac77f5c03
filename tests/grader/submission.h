// submission.h: from what a student handed in to a worker program, without running any of it.
//
// Taken is one C file: a regular one, not too large, text. It is preprocessed, looked at, compiled and linked
// in a folder of its own by tools that may read only the compiler, the library's headers and that folder,
// with limits on time and memory. Nothing else that came with it is read: no header, no makefile.
#pragma once
#include "caller.h"

typedef struct {
    const char *harness; // what the build prepared for the chapter: headers, names, the worker's own half
    const char *compiler, *architecture; // gcc or clang; for -march
    const char *chapter;                 // "01-linear-regression"
    const char *folder;                  // of this grading, empty, for everything that is made
    unsigned user;                       // of the worker
} Workshop;

typedef struct {
    Status status;        // PASSED: the worker is there
    char message[2000];   // for the student: why not
    char flags[400];      // for the teacher: what looks odd, in words, separated by "; "
    char hash[20];        // of the C file
    char taken[200];      // which file was taken
    double seconds;       // of processor time, and of waiting for what is no processor
    char functions[1200]; // that the file has, but for the exercise's own, with a blank after each
} Built;

// Takes path (a C file, or a folder that holds exercise.c) and makes workshop.folder/worker.
void build_worker(const Workshop *workshop, const char *path, Built *built);

// Only the hash of the file that would be taken; false when it may not be.
bool hash_submission(const Workshop *workshop, const char *path, char *hash, size_t size);

// Adds to "there is no function … in the file" the function that was most likely meant to be it.
void add_misspelling(const Built *built, char *message, size_t size);

// "exercise.c:12" for an instruction of the worker; "" when it cannot be told.
void line_of(const Workshop *workshop, uint64_t address, char *text, size_t size);
