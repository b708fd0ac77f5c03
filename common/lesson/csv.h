// csv.h: tables of comma-separated values (RFC 4180), read as if a stranger had written them.
//
//     Csv table = csv_read(arena, "datasets/diabetes.csv");
//     Matrix x = csv_numbers(arena, table, "age", "s6");             // columns age … s6, both included
//     int column = csv_column(table, "progression");
//
// The first line names the columns. Quotes, doubled quotes, CRLF, a missing last newline and a byte order mark are
// understood, and an empty cell is an empty string. Everything else that is odd (a NUL byte, a row too short or too long,
// an unclosed quote, a repeated or empty name, text where a number must be, a number that float32 cannot hold) stops the
// program with the file's name, the line and the column, what was expected and what to do. Missing data names the make
// target that brings it.
#pragma once
#include "base/arena.h"
#include "matrix/matrix.h"

enum { CSV_MAX_COLUMNS = 1 << 14, CSV_MAX_ROWS = 1 << 24, CSV_MAX_CELLS = 1 << 27, CSV_MAX_BYTES = 1 << 30 };

typedef struct {
    const char *path;
    int rows, cols;    // rows without the header
    char **names;      // [cols]
    char **cells;      // [rows · cols], row-major
    int *lines;        // [rows] line of the file on which each row begins, for messages
} Csv;

#define csv_read(arena, path) csv_read_at(HERE, arena, path)
Csv csv_read_at(Place place, Arena *arena, const char *path);

// The number of the column with this name; stops, listing the names there are, when there is none.
#define csv_column(table, name) csv_column_at(HERE, table, name)
int csv_column_at(Place place, Csv table, const char *name);
static inline const char *csv_cell(Csv table, int row, int column) { return table.cells[(size_t)row * (size_t)table.cols + (size_t)column]; }

// Columns first … last (both included, by name) as a matrix (rows × columns) of floats.
#define csv_numbers(arena, table, first, last) csv_numbers_at(HERE, arena, table, first, last)
Matrix csv_numbers_at(Place place, Arena *arena, Csv table, const char *first, const char *last);

// A column of words as class numbers 0, 1, 2, … in order of first appearance; names receives the words, *count how many.
#define csv_classes(arena, table, name, names, count) csv_classes_at(HERE, arena, table, name, names, count)
int *csv_classes_at(Place place, Arena *arena, Csv table, const char *name, char ***names, int *count);
