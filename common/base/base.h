// base.h: the ground everything stands on: places in the source, errors that help, sizes that cannot overflow.
//
// A program of this course either does what it says or stops at once with a message that names the place, what was
// found, what was expected and what to do:
//
//     error: chapters/06-mlp-backprop/mlp_backprop.c:88: matmul: (64 × 784) · (100 × 10): 784 columns meet 100 rows
//      hint: the columns of the first matrix must equal the rows of the second
//
// Not for: errors that a caller could repair. Lessons have none: they stop, with exit status 1.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdnoreturn.h>

// Where in the source something was asked for. Functions that can fail take the Place of their caller.
typedef struct {
    const char *file;
    int line;
} Place;

#define HERE ((Place){__FILE__, __LINE__})

// Prints "error: file:line: message" and " hint: hint" to standard error and exits with status 1.
// hint may be NULL. The message is a printf format; it may quote an untrusted file: control characters and what is no
// UTF-8 are shown as question marks.
noreturn void die_at(Place place, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// check_at(place, condition, hint, message…): stop unless the condition holds. Always on, in every build. Without the
// place: base/check.h.
#define check_at(place, condition, hint, ...)                                                                \
    do {                                                                                                     \
        if (!(condition)) die_at(place, hint, __VA_ARGS__);                                                  \
    } while (0)

// a · b and a + b as sizes; stops with the caller's place when the result does not fit.
size_t size_product(Place place, size_t a, size_t b);
size_t size_sum(Place place, size_t a, size_t b);

static inline int int_min(int a, int b) { return a < b ? a : b; }
static inline int int_max(int a, int b) { return a > b ? a : b; }
