// roster.h: who has handed in what: the folder of submissions, as a list of students and one of what was
// passed over.
//
// A submission is a folder or a file NAME.c; the student is called NAME. No two students have the same name
// in the tables, nor folders for their reports that some file system takes for the same one, whatever they
// handed in: names that differ in capitals only, in how an accent is written, or in characters that are not
// shown, get a mark behind them.
#pragma once
#include <limits.h>

#include "report.h"

typedef struct {
    char *path;                              // of what was handed in
    char handed_in[NAME_MAX + 1];            // its name, byte for byte
    char student[STUDENT_SIZE], id[ID_SIZE]; // as in a Grade
    bool folder;
    int student_marks, id_marks; // how much had to be added, to be unique
} Entry;

typedef struct {
    char name[NAME_MAX + 1];
    const char *reason;
} PassedOver;

typedef struct {
    Entry *entries; // in the order of their names
    PassedOver *passed_over;
    int count, passed_over_count;
} Roster;

// Whether grades may be written to the folder out; else false, and why says what is in the way. Both are
// absolute.
bool roster_allows(const char *submissions, const char *out, char *why, size_t why_size);

// Reads the folder of submissions; of out, which may lie in it, nothing is taken. false: why.
bool roster_read(Roster *roster, const char *submissions, const char *out, char *why, size_t why_size);
void roster_free(Roster *roster);
