// csv.h: tables of comma-separated values (RFC 4180); the file is untrusted input.
//
//     Csv table = csv_read(arena, "datasets/diabetes.csv");
//     Matrix x = csv_numbers(arena, table, "age", "s6");             // columns age … s6, both included
//     int column = csv_column(table, "progression");
//
// The first line names the columns. Understood: quotes and doubled quotes, a byte order mark, every kind of line end, a
// missing last newline, an empty cell (an empty string), and what other programs write:
//   - semicolons or tabs instead of commas: whichever the line of names has outside quotes, commas first; a line "sep=;" says so;
//   - lines in front of the names that begin with # and have another number of cells;
//   - empty lines (in a table of one column an empty line is an empty cell);
//   - blanks around names, numbers and classes, and one separator at the end of the lines, when the names have it too.
// Everything else that is odd (a NUL byte, another encoding than UTF-8, a row too short or too long, an unclosed quote, a
// repeated or empty name, text where a number must be, decimal commas, a number that float32 cannot hold) stops the program
// with the file's name, the line and the column, what was expected and what to do. Missing data names the make target that
// brings it.
#pragma once
#include "base/arena.h"
#include "matrix/matrix.h"

enum { CSV_MAX_COLUMNS = 1 << 14, CSV_MAX_ROWS = 1 << 24, CSV_MAX_CELLS = 1 << 27, CSV_MAX_BYTES = 1 << 30 };

typedef struct {
    const char *path;
    int rows, cols; // rows without the header
    char **names;   // [cols]
    char **cells;   // [rows · cols], row-major
    int *lines;     // [rows] line of the file on which each row begins, for messages
} Csv;

#define csv_read(arena, path) csv_read_at(HERE, arena, path)
Csv csv_read_at(Place place, Arena *arena, const char *path);

// The number of the column with this name; stops, listing the names there are, when there is none.
#define csv_column(table, name) csv_column_at(HERE, table, name)
int csv_column_at(Place place, Csv table, const char *name);
static inline const char *csv_cell(Csv table, int row, int column)
{
    return table.cells[(size_t)row * (size_t)table.cols + (size_t)column];
}

// Columns first … last (both included, by name) as a matrix (rows × columns) of floats.
#define csv_numbers(arena, table, first, last) csv_numbers_at(HERE, arena, table, first, last)
Matrix csv_numbers_at(Place place, Arena *arena, Csv table, const char *first, const char *last);

// A column of words as class numbers 0, 1, 2, … in order of first appearance; names receives the words, *count how many.
#define csv_classes(arena, table, name, names, count) csv_classes_at(HERE, arena, table, name, names, count)
int *csv_classes_at(Place place, Arena *arena, Csv table, const char *name, char ***names, int *count);
