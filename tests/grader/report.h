// report.h: what is written about one student, in the formats of the places where courses are run.
//
//     report.md         for people                       results.json      Gradescope
//     junit.xml         JUnit (windyroad's schema)       classroom50.json  Classroom 50,
//     classroom50/result/v1
//     results.tap       TAP 13                           autolab.txt       Autolab: the last two lines of its
//     output
//
// Every file is written under another name and then renamed. Of hidden tests only names and categories are
// told.
#pragma once
#include "examine.h"
#include "submission.h"

enum { STUDENT_SIZE = 300, ID_SIZE = 256 }; // bytes: a file's name has 255 at most

typedef struct {
    char student[STUDENT_SIZE], id[ID_SIZE]; // what the tables call it, and its folder's name (roster.h)
    char chapter[64];
    uint64_t seed;
    Built built;
    int count, points, most;
    bool needs_human; // the points mean nothing
    int64_t when;     // seconds since 1970
    Result results[MOST_RESULTS];
} Grade;

// Adds up the points and looks for grader errors.
void grade_total(Grade *grade);

// One word or two for the whole: "graded", "compile error", …, "needs a human".
const char *grade_state(const Grade *grade);

// Writes all six files into the folder; false when one could not be written.
bool write_reports(const Grade *grade, const char *folder);

// Writes a file by way of another name: write(file, context) must return true.
typedef bool Writer(FILE *file, const void *context);
bool write_by_rename(const char *folder, const char *name, Writer *write, const void *context);

// A CSV cell in quotes, that no spreadsheet takes for a formula.
void put_cell(FILE *file, const char *text);

// text as a part of a JSON string or of a line of Markdown, safe and in UTF-8.
void put_json(FILE *file, const char *text);
void put_markdown(FILE *file, const char *text);

// For a terminal: with its lines, and as one line.
void put_text(FILE *file, const char *text);
void put_line(FILE *file, const char *text);
