// reference.h: a file of tests/reference: named matrices, and what the library made compared with them.
//
//     Reference r = reference_open("gru");
//     expect_matrix(&r, "y", y);                    // given(&r, "y"), but for rounding
#pragma once
#include "learning/tensor.h"
#include "suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 64 };
typedef struct {
    const char *file;
    Arena *arena;
    Tape *tape;
    char names[MOST][40];
    Matrix matrices[MOST];
    int count;
} Reference;

static inline Reference reference_open(const char *name)
{
    Reference r = {.file = name, .arena = arena_new(), .tape = tape_new()};
    char path[256];
    int rows, cols;
    snprintf(path, sizeof path, "tests/reference/%s.txt", name);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s is not there: run the tests from the project's root", path);
    ck_assert(fscanf(file, "#%*[^\n]") == 0);
    while (r.count < MOST && fscanf(file, "%39s %d %d", r.names[r.count], &rows, &cols) == 3) {
        Matrix m = matrix_new(r.arena, rows, cols);
        for (size_t i = 0; i < matrix_size(m); i++)
            ck_assert_msg(fscanf(file, "%f", &m.data[i]) == 1, "%s: %s ends early", path, r.names[r.count]);
        r.matrices[r.count++] = m;
    }
    ck_assert_msg(r.count > 0 && feof(file), "%s: not understood behind matrix %d", path, r.count);
    fclose(file);
    return r;
}

static inline void reference_close(Reference *r)
{
    tape_free(r->tape);
    arena_free(r->arena);
}

static inline Matrix given(const Reference *r, const char *name)
{
    for (int i = 0; i < r->count; i++)
        if (strcmp(r->names[i], name) == 0) return r->matrices[i];
    ck_abort_msg("%s.txt holds no %s", r->file, name);
    return (Matrix){0};
}

static inline const int *whole_numbers(const Reference *r, const char *name)
{
    const Matrix m = given(r, name);
    int *numbers = arena_alloc(r->arena, matrix_size(m), sizeof *numbers);
    for (size_t i = 0; i < matrix_size(m); i++) numbers[i] = (int)m.data[i];
    return numbers;
}

static inline void expect_within(const Reference *r, const char *name, Matrix got, double bound)
{
    const Matrix expected = given(r, name);
    ck_assert_msg(same_shape(got, expected), "%s, %s: got (%d × %d), expected (%d × %d)", r->file, name,
                  got.rows, got.cols, expected.rows, expected.cols);
    for (size_t i = 0; i < matrix_size(expected); i++) {
        const double e = (double)expected.data[i], g = (double)got.data[i];
        ck_assert_msg(fabs(g - e) <= bound * (1 + fabs(e)), "%s, %s, number %zu: got %.9g, expected %.9g",
                      r->file, name, i, g, e);
    }
}

static inline void expect_matrix(const Reference *r, const char *name, Matrix got)
{
    expect_within(r, name, got, 1e-5);
}
