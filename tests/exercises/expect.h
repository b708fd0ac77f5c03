// expect.h: how the tests of the exercises compare, and how they tell a student what went wrong.
//
//     GIVEN(OUT("w", w), IN("x", x), IN("y", y), NUMBER("rate", 0.1));   // before the call
//     regression_descend(w, x, y, 0.1f, 1);
//     expect_close("w", w, expected, 1e-4);      // every element, relative to the largest one expected
//     EXPECT_UNCHANGED();                        // of GIVEN's matrices, those that may not change
//
// A message reads "AT(w, 1, 0): got 3.5, expected -0.5; with w (2 × 1) = {1, -1}, x (2 × 2) = {{1, 2}, {3, 4}}, rate = 0.1":
// the element, what was computed, what is right, and the arguments before the call, in the notation of C.
#pragma once
#include <check.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/matrix.h"

typedef struct {
    const char *name;
    Matrix matrix;
    double number; // instead of a matrix
    bool changes;  // the call writes to the matrix
} Given;

#define IN(n, m)     ((Given){.name = n, .matrix = m})
#define OUT(n, m)    ((Given){.name = n, .matrix = m, .changes = true})
#define NUMBER(n, x) ((Given){.name = n, .number = x})

enum { GIVEN_MOST = 12, GIVEN_SHOWN = 24 }; // matrices with more elements are only named

static struct {
    char text[2000];
    Given list[GIVEN_MOST];
    Matrix before[GIVEN_MOST];
    int count;
    Arena *arena;
} given;

// A program that wants to know the arguments before the call, in case that it does not come back, defines this.
__attribute__((weak)) void exercise_given(const char *arguments);

__attribute__((format(printf, 1, 2))) static inline void given_print(const char *format, ...)
{
    size_t used = strlen(given.text);
    va_list values;
    va_start(values, format);
    vsnprintf(given.text + used, sizeof given.text - used, format, values);
    va_end(values);
}

// A column is written like a list, as it lies in memory.
static inline void given_print_matrix(const char *name, Matrix m)
{
    given_print("%s (%d × %d)", name, m.rows, m.cols);
    if (matrix_size(m) > GIVEN_SHOWN) return;
    bool list = m.rows == 1 || m.cols == 1;
    given_print(" = {");
    for (int i = 0; i < m.rows; i++) {
        if (!list) given_print(i ? "}, {" : "{");
        for (int j = 0; j < m.cols; j++)
            given_print("%s%.7g", j || (list && i) ? ", " : "", (double)AT(m, i, j));
    }
    given_print(list ? "}" : "}}");
}

static inline void given_remember(const Given *list, int count)
{
    ck_assert_int_le(count, GIVEN_MOST);
    if (given.arena) arena_free(given.arena);
    given.arena = arena_new();
    given.count = count;
    given.text[0] = '\0';
    for (int i = 0; i < count; i++) {
        given_print(i ? ", " : "");
        given.list[i] = list[i];
        if (list[i].matrix.data) {
            given.before[i] = matrix_copy(given.arena, list[i].matrix);
            given_print_matrix(list[i].name, list[i].matrix);
        } else {
            given_print("%s = %g", list[i].name, list[i].number);
        }
    }
    if (exercise_given) exercise_given(given.text);
}

#define GIVEN(...)                                                                                           \
    given_remember((Given[]){__VA_ARGS__}, (int)(sizeof((Given[]){__VA_ARGS__}) / sizeof(Given)))

// What is wrong, or NULL. The macros below fail the test with it, at the line where they stand.
__attribute__((format(printf, 1, 2))) static inline const char *wrong_because(const char *format, ...)
{
    static char text[2400];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(text, sizeof text, format, values);
    va_end(values);
    if (length < (int)sizeof text)
        snprintf(text + length, sizeof text - (size_t)length, "; with %s", given.text);
    return text;
}

static inline const char *changed_inputs(void)
{
    for (int i = 0; i < given.count; i++) {
        Matrix now = given.list[i].matrix, before = given.before[i];
        if (!now.data || given.list[i].changes) continue;
        for (int r = 0; r < now.rows; r++)
            for (int c = 0; c < now.cols; c++)
                if (memcmp(&AT(now, r, c), &AT(before, r, c), sizeof(float)) != 0)
                    return wrong_because("AT(%s, %d, %d) is an input: got changed to %g, expected %g still",
                                         given.list[i].name, r, c, (double)AT(now, r, c),
                                         (double)AT(before, r, c));
    }
    return NULL;
}

// Each element must lie within room of the expected one. NaN never does.
static inline const char *wrong_elements(const char *name, Matrix got, const double *expected, double room)
{
    for (int i = 0; i < got.rows; i++)
        for (int j = 0; j < got.cols; j++) {
            double right = expected[(size_t)i * (size_t)got.cols + (size_t)j];
            if (!(fabs((double)AT(got, i, j) - right) <= room))
                return wrong_because("AT(%s, %d, %d): got %.7g, expected %.7g", name, i, j,
                                     (double)AT(got, i, j), right);
        }
    return NULL;
}

static inline const char *wrong_number(const char *name, double got, double expected, double room)
{
    return fabs(got - expected) <= room ? NULL
                                        : wrong_because("%s: got %.7g, expected %.7g", name, got, expected);
}

static inline double largest_size(const double *values, size_t count)
{
    double most = 0.0;
    for (size_t i = 0; i < count; i++) most = fmax(most, fabs(values[i]));
    return most;
}

#define EXPECT_RIGHT(complaint)                                                                              \
    do {                                                                                                     \
        const char *wrong_ = complaint;                                                                      \
        ck_assert_msg(wrong_ == NULL, "%s", wrong_);                                                         \
    } while (0)
#define EXPECT_UNCHANGED()                       EXPECT_RIGHT(changed_inputs())
#define expect_within(name, got, expected, room) EXPECT_RIGHT(wrong_elements(name, got, expected, room))
#define expect_number(name, got, expected, room)                                                             \
    EXPECT_RIGHT(wrong_number(name, (double)(got), expected, room))
#define expect_close(name, got, expected, tolerance)                                                         \
    EXPECT_RIGHT(wrong_elements(name, got, expected, (tolerance)*largest_size(expected, matrix_size(got))))

// ---- Data ----------------------------------------------------------------------------------------------------------

static inline Matrix random_normal(Arena *arena, Rng *rng, int rows, int cols)
{
    Matrix m = matrix_new(arena, rows, cols);
    fill_normal(m, rng, 0.0f, 1.0f);
    return m;
}

// An output before the call: NaN, so that nothing of it can be used unnoticed.
static inline Matrix rubbish(Arena *arena, int rows, int cols)
{
    Matrix m = matrix_new(arena, rows, cols);
    fill(m, NAN);
    return m;
}

static inline double *doubles(Arena *arena, size_t count)
{
    return arena_alloc(arena, count, sizeof(double));
}
