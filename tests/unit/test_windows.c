// Products with windows: against the plain loops, bit for bit.
#include "suite.h"
#include "base/rng.h"
#include "matrix/matrix.h"
#include "matrix/windows.h"

// Fills a with normal numbers.
static float *numbers(Arena *arena, size_t count, uint64_t seed)
{
    float *list = arena_alloc(arena, count, sizeof *list);
    Rng rng = rng_new(seed, 0);
    rng_normals(&rng, list, count);
    return list;
}

// Both versions on the same numbers; C is compared with everything around it.
static void compare(Arena *arena, WindowProduct p, size_t c_size)
{
    float *fast = numbers(arena, c_size, 3), *naive = numbers(arena, c_size, 3);
    p.c = fast;
    window_product(&p);
    p.c = naive;
    window_product_naive(&p);
    ck_assert_msg(
        memcmp(fast, naive, c_size * sizeof *fast) == 0,
        "%d × %d, %d pieces of %d terms, rows at %zu, terms at %zu, accumulate %d, bias %d, relu %d", p.rows,
        p.columns, p.pieces, p.terms, p.a_row, p.a_term, p.accumulate, p.bias != NULL, p.relu);
}

START_TEST(products_equal_the_plain_loops_bit_for_bit)
{
    Arena *arena = arena_new();
    float *a = numbers(arena, 20000, 1), *b = numbers(arena, 20000, 2);
    enum { MOST_ROWS = 60 }; // each height of a tile, and rows that several share
    const int widths[] = {1, 5, 8, 16, 17, 32, 45};
    for (int rows = 1; rows <= MOST_ROWS; rows++)
        for (int w = 0; w < 7; w++)
            for (int kind = 0; kind < 8; kind++) {
                const int pieces = kind % 4, terms = 1 + (rows + w) % 5;
                const size_t columns = (size_t)widths[w], step = columns + (size_t)(kind % 3);
                WindowProduct p = {.rows = rows,
                                   .columns = widths[w],
                                   .pieces = pieces,
                                   .terms = terms,
                                   .a = a,
                                   .a_row = kind & 4 ? 1 : 2,
                                   .a_term = kind & 4 ? 3 : 1,
                                   .a_piece = 61,
                                   .b = b,
                                   .b_term = step,
                                   .b_piece = step * (size_t)terms + 7,
                                   .c_row = columns + 3,
                                   .bias = kind & 1 ? b : NULL,
                                   .accumulate = kind == 2 || kind == 5,
                                   .relu = kind & 2};
                compare(arena, p, (size_t)rows * (columns + 3) + 5);
            }
    arena_free(arena);
}
END_TEST

START_TEST(relu_lets_a_nan_through)
{
    float a[] = {0.0f / 0.0f, -1.0f, 1.0f}, b[] = {1.0f}, c[3];
    window_product(&(WindowProduct){.rows = 3,
                                    .columns = 1,
                                    .pieces = 1,
                                    .terms = 1,
                                    .a = a,
                                    .a_row = 1,
                                    .a_term = 1,
                                    .b = b,
                                    .b_term = 1,
                                    .c = c,
                                    .c_row = 1,
                                    .relu = true});
    ck_assert(c[0] != c[0] && c[1] == 0.0f && c[2] == 1.0f);
}
END_TEST

SUITE("windows", products_equal_the_plain_loops_bit_for_bit, relu_lets_a_nan_through)
