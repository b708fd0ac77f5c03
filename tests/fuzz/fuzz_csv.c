// fuzz_csv.c: tables of comma-separated values: cells, numbers, classes. A table that was read is written with every cell
// in quotes and must be read back equal.
#include "fuzz.h"
#include "files/csv.h"

#include <stdio.h>
#include <string.h>

static const char *path, *again;
static const char absent[] =
    "\x1b[31mno column has this name"; // a table of the fuzzer's may have it all the same
static bool has_absent;

static void write_cell(FILE *out, const char *cell, bool last)
{
    fputc('"', out);
    for (; *cell; cell++) fputs(*cell == '"' ? "\"\"" : (char[]){*cell, 0}, out);
    fputs(last ? "\"\n" : "\",", out);
}

static void round_trip(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Csv table = csv_read(arena, path);
    FILE *out = fopen(again, "wb");
    for (int j = 0; j < table.cols; j++) write_cell(out, table.names[j], j == table.cols - 1);
    for (int i = 0; i < table.rows; i++)
        for (int j = 0; j < table.cols; j++) write_cell(out, csv_cell(table, i, j), j == table.cols - 1);
    fclose(out);
    Csv second = csv_read(arena, again);
    fuzz_require(second.rows == table.rows && second.cols == table.cols, "%d × %d became %d × %d", table.rows,
                 table.cols, second.rows, second.cols);
    for (int j = 0; j < table.cols; j++)
        fuzz_require(strcmp(table.names[j], second.names[j]) == 0, "column %d has another name", j);
    for (int i = 0; i < table.rows; i++)
        for (int j = 0; j < table.cols; j++)
            fuzz_require(strcmp(csv_cell(table, i, j), csv_cell(second, i, j)) == 0,
                         "the cell %d, %d is another", i, j);
    arena_free(arena);
}

static void read_only(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Csv table = csv_read(arena, path);
    has_absent = false;
    for (int j = 0; j < table.cols; j++) has_absent |= strcmp(table.names[j], absent) == 0;
    arena_free(arena);
}

static void numbers(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Csv table = csv_read(arena, path);
    Matrix m = csv_numbers(arena, table, table.names[0], table.names[table.cols - 1]);
    for (size_t k = 0; k < matrix_size(m); k++)
        fuzz_require(m.data[k] - m.data[k] == 0.0f, "number %zu is not finite", k);
    arena_free(arena);
}

static void classes(void *context)
{
    const char *name = context;
    Arena *arena = arena_new();
    Csv table = csv_read(arena, path);
    char **names;
    int count, *ids = csv_classes(arena, table, name ? name : table.names[table.cols - 1], &names, &count);
    for (int i = 0; i < table.rows; i++)
        fuzz_require(strcmp(names[ids[i]], csv_cell(table, i, table.cols - 1)) == 0, "row %d: another class",
                     i);
    arena_free(arena);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    path = fuzz_file("table.csv", bytes, size);
    again = fuzz_path("again.csv");
    if (!fuzz_try(read_only, NULL)) return;
    fuzz_require(fuzz_try(round_trip, NULL), "a table that was read is not read when it is written anew");
    fuzz_try(numbers, NULL);
    fuzz_try(classes, NULL);
    fuzz_require(has_absent || !fuzz_try(classes, (char *)absent), "a column that is not there");
}
