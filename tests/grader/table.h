// table.h: what is written about a class: grades.csv, audit.csv and summary.md. The tables begin with a byte
// order mark, by which spreadsheets know UTF-8. Who needs a human has no points, neither in a table nor in a
// mean.
#pragma once
#include "roster.h"

typedef struct {
    Grade *const *grades;
    int count;
    const Roster *roster;
    const char *chapter, *compiler;
    uint64_t seed;
    const char *promise,
        *warning; // how submissions were kept apart; what a teacher should know (NULL: nothing)
} Class;

// Writes all three; false when one could not be written.
bool write_tables(const Class *all, const char *folder);
