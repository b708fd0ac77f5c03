// The matrix product: bit for bit equal to its naive twin, at any shape, for any number of threads, and
// nothing outside C is touched.
//
// The factors are allocated to the last float that they need, so that AddressSanitizer sees every read too
// far. C stands between guards, and so do its rows when they are padded.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parallel.h"
#include "base/rng.h"
#include "matrix/gemm.h"
#include "suite.h"

enum { GUARD = 64 };

static const float GUARD_VALUE = 12345.678f;

// A product to be computed: the factors, and what C and its surroundings hold before.
typedef struct {
    GemmShape shape;
    int lda, ldb, ldc;
    float *a, *b, *before;
    size_t c_size; // of before, guards included
} Problem;

// Normal numbers; and if strange, among them some that are easily mistaken: zeros of both signs, very small,
// very large. Not always, because a large number hides the last bits of the others.
static float random_value(Rng *rng, bool strange)
{
    static const float odd[] = {0.0f, -0.0f, 1e-40f, -3e-39f, 1e18f, -1e18f, 1.0f, -1.0f};
    return strange && rng_below(rng, 16) == 0 ? odd[rng_below(rng, 8)] : rng_normal(rng);
}

// count rows of width floats at the given distance, without anything after the last.
static float *random_factor(int count, int width, int distance, Rng *rng, bool strange)
{
    size_t size = count > 0 ? (size_t)(count - 1) * (size_t)distance + (size_t)width : 0;
    float *data = malloc(size ? size * sizeof *data : 1);
    ck_assert_ptr_nonnull(data);
    for (size_t i = 0; i < size; i++) data[i] = random_value(rng, strange);
    return data;
}

static Problem new_problem(GemmShape shape, int pad, uint64_t seed)
{
    Rng rng = rng_new(seed, 0);
    const bool strange = seed % 3 == 2;
    int a_rows = shape.transpose_a ? shape.k : shape.m, a_columns = shape.transpose_a ? shape.m : shape.k;
    int b_rows = shape.transpose_b ? shape.n : shape.k, b_columns = shape.transpose_b ? shape.k : shape.n;
    Problem p = {
        .shape = shape, .lda = a_columns + pad, .ldb = b_columns + 2 * pad, .ldc = shape.n + 3 * pad};
    p.a = random_factor(a_rows, a_columns, p.lda, &rng, strange);
    p.b = random_factor(b_rows, b_columns, p.ldb, &rng, strange);
    p.c_size = (size_t)shape.m * (size_t)p.ldc + 2 * GUARD;
    p.before = malloc(p.c_size * sizeof *p.before);
    ck_assert_ptr_nonnull(p.before);
    for (size_t i = 0; i < p.c_size; i++) p.before[i] = GUARD_VALUE;
    // A product that does not accumulate must not look at what C holds.
    for (int i = 0; i < shape.m; i++)
        for (int j = 0; j < shape.n; j++)
            p.before[GUARD + (size_t)i * (size_t)p.ldc + (size_t)j] =
                shape.accumulate ? random_value(&rng, strange) : NAN;
    return p;
}

static void free_problem(Problem *p)
{
    free(p->a);
    free(p->b);
    free(p->before);
}

typedef void Multiply(GemmShape shape, const float *a, int lda, const float *b, int ldb, float *c, int ldc);

// C with its guards, after the product. The caller frees it.
static float *solve(const Problem *p, Multiply *multiply)
{
    float *c = malloc(p->c_size * sizeof *c);
    ck_assert_ptr_nonnull(c);
    memcpy(c, p->before, p->c_size * sizeof *c);
    multiply(p->shape, p->a, p->lda, p->b, p->ldb, c + GUARD, p->ldc);
    return c;
}

// Any NaN is as good as another: which of two is handed on is the processor's choice.
static bool same_bits(float x, float y) { return (isnan(x) && isnan(y)) || memcmp(&x, &y, sizeof x) == 0; }

static void expect_same(const Problem *p, const float *got, const float *expected, const char *what)
{
    for (size_t i = 0; i < p->c_size; i++) {
        if (same_bits(got[i], expected[i])) continue;
        const GemmShape s = p->shape;
        const bool outside =
            i < GUARD || i >= p->c_size - GUARD || (int)((i - GUARD) % (size_t)p->ldc) >= s.n;
        const long from_c = (long)i - GUARD;
        ck_abort_msg("%s: C (%d × %d), %d terms, A%s, B%s%s, distances %d %d %d: %s (%ld, %ld): got %.9g, "
                     "expected %.9g",
                     what, s.m, s.n, s.k, s.transpose_a ? " transposed" : "",
                     s.transpose_b ? " transposed" : "", s.accumulate ? ", accumulating" : "", p->lda, p->ldb,
                     p->ldc, outside ? "outside C, at" : "element", from_c / p->ldc, from_c % p->ldc, got[i],
                     expected[i]);
    }
}

// The fast product against the naive one, everything that a shape leaves open included.
static void compare(GemmShape shape, int pad, uint64_t seed)
{
    Problem p = new_problem(shape, pad, seed);
    float *got = solve(&p, gemm), *expected = solve(&p, gemm_naive);
    expect_same(&p, got, expected, "gemm");
    free(got);
    free(expected);
    free_problem(&p);
}

// All four ways of storing the factors, with and without accumulation.
static void compare_all(int m, int n, int k, int pad)
{
    for (int way = 0; way < 8; way++) {
        GemmShape shape = {m, n, k, .transpose_a = way & 1, .transpose_b = way & 2, .accumulate = way & 4};
        compare(shape, pad, (uint64_t)way);
    }
}

// ---- The oracle -------------------------------------------------------------------------------------------

// Small whole numbers: no sum is ever rounded, so the answer is known exactly, from integers.
START_TEST(the_naive_product_is_the_product)
{
    enum { M = 5, N = 3, K = 7 };
    Rng rng = rng_new(1, 0);
    int x[M][K], y[K][N];
    for (int i = 0; i < M; i++)
        for (int k = 0; k < K; k++) x[i][k] = (int)rng_below(&rng, 19) - 9;
    for (int k = 0; k < K; k++)
        for (int j = 0; j < N; j++) y[k][j] = (int)rng_below(&rng, 19) - 9;

    for (int way = 0; way < 8; way++) {
        GemmShape shape = {M, N, K, .transpose_a = way & 1, .transpose_b = way & 2, .accumulate = way & 4};
        float a[M * K], b[K * N], c[M * N];
        for (int i = 0; i < M; i++)
            for (int k = 0; k < K; k++) a[shape.transpose_a ? k * M + i : i * K + k] = (float)x[i][k];
        for (int k = 0; k < K; k++)
            for (int j = 0; j < N; j++) b[shape.transpose_b ? j * K + k : k * N + j] = (float)y[k][j];
        for (int i = 0; i < M * N; i++) c[i] = 100.0f;
        gemm_naive(shape, a, shape.transpose_a ? M : K, b, shape.transpose_b ? K : N, c, N);
        for (int i = 0; i < M; i++) {
            for (int j = 0; j < N; j++) {
                int expected = shape.accumulate ? 100 : 0;
                for (int k = 0; k < K; k++) expected += x[i][k] * y[k][j];
                ck_assert_msg(c[i * N + j] == (float)expected,
                              "way %d, element (%d, %d): got %g, expected %d", way, i, j, c[i * N + j],
                              expected);
            }
        }
    }
}
END_TEST

// (1 + ε)(1 − ε) − 1 = −ε²: a product that is rounded before the addition would give 0.
START_TEST(each_step_rounds_once)
{
    const float epsilon = 0x1p-23f, a[] = {1.0f, 1.0f + epsilon}, b[] = {-1.0f, 1.0f - epsilon};
    const float expected = -epsilon * epsilon;
    Multiply *const both[] = {gemm, gemm_naive};
    for (int i = 0; i < 2; i++) {
        float c = 99.0f;
        both[i]((GemmShape){1, 1, 2, .accumulate = false}, a, 2, b, 1, &c, 1);
        ck_assert_msg(c == expected, "product %d: got %g, expected %g", i, c, expected);
        c = -1.0f;
        both[i]((GemmShape){1, 1, 1, .accumulate = true}, a + 1, 1, b + 1, 1, &c, 1);
        ck_assert_msg(c == expected, "product %d, accumulating: got %g, expected %g", i, c, expected);
    }
}
END_TEST

// 2²⁴ + 1 − 2²⁴ + 1: from left to right 1, in any other order 0 or 2.
START_TEST(terms_are_added_from_the_first_to_the_last)
{
    const float ones[] = {1.0f, 1.0f, 1.0f, 1.0f}, terms[] = {0x1p24f, 1.0f, -0x1p24f, 1.0f};
    for (int n = 1; n <= 40; n++) {
        float b[4 * 40], c[40];
        for (int k = 0; k < 4; k++)
            for (int j = 0; j < n; j++) b[k * n + j] = terms[k];
        gemm((GemmShape){1, n, 4, .accumulate = false}, ones, 4, b, n, c, n);
        for (int j = 0; j < n; j++)
            ck_assert_msg(c[j] == 1.0f, "%d columns, column %d: got %g, expected 1", n, j, c[j]);
    }
}
END_TEST

// ---- Against the oracle -----------------------------------------------------------------------------------

START_TEST(every_small_shape_agrees)
{
    static const int sizes[] = {1, 2, 3, 4, 5, 7, 8, 10, 13, 14, 15, 16, 17, 29, 32, 33};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++)
            for (int k = 0; k < COUNT; k++) compare_all(sizes[i], sizes[j], sizes[k], 0);
}
END_TEST

START_TEST(padded_rows_agree_and_the_padding_is_left_alone)
{
    static const int shapes[][3] = {{1, 1, 1},    {5, 3, 2},    {15, 17, 9}, {31, 65, 33},
                                    {3, 100, 50}, {100, 1, 20}, {1, 70, 30}, {1, 250, 12}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int pad = 1; pad <= 9; pad += 4) compare_all(shapes[i][0], shapes[i][1], shapes[i][2], pad);
}
END_TEST

// Rows are shared between full and low tiles in many ways. Here those of B are on different pages, where low tiles look ahead.
START_TEST(every_number_of_rows_agrees_where_rows_lie_far_apart)
{
    for (int rows = 1; rows <= 60; rows++) compare_all(rows, 75, 21, 500);
}
END_TEST

START_TEST(a_product_without_terms_is_zero)
{
    compare_all(9, 21, 0, 2);
    compare_all(1, 1, 0, 0);
    float c[2] = {7.0f, 8.0f};
    gemm((GemmShape){1, 2, 0, .accumulate = false}, NULL, 1, NULL, 2, c, 2);
    ck_assert_msg(c[0] == 0.0f && c[1] == 0.0f, "got %g %g, expected 0 0", c[0], c[1]);
}
END_TEST

START_TEST(a_product_without_rows_or_columns_touches_nothing)
{
    compare_all(0, 5, 3, 1);
    compare_all(5, 0, 3, 1);
    compare_all(0, 0, 0, 1);
}
END_TEST

// Matrix times vector, vector times matrix, column times row, at sizes on both sides of every block.
START_TEST(vectors_agree)
{
    static const int sizes[] = {1, 3, 10, 31, 64, 442, 1023, 1031};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < COUNT; j++) {
            compare_all(sizes[i], 1, sizes[j], 0);
            compare_all(1, sizes[i], sizes[j], 0);
            compare_all(sizes[i], sizes[j], 1, 0);
        }
        compare_all(sizes[i], 1, 17, 3);
        compare_all(1, sizes[i], 17, 3);
    }
}
END_TEST

// Longer than the blocks of the packed copies in each direction, rows on different pages, and just as long.
START_TEST(products_of_several_blocks_agree)
{
    compare_all(171, 523, 67, 0);
    compare_all(9, 35, 1025, 0);
    compare_all(9, 1030, 37, 1);
    for (int way = 0; way < 4; way++) {
        GemmShape shape = {
            175, 545, 1029, .transpose_a = way & 1, .transpose_b = way & 2, .accumulate = way == 2};
        compare(shape, 3, (uint64_t)way);
    }
    compare((GemmShape){131, 1027, 515, .accumulate = true}, 0, 1);
    compare((GemmShape){1027, 131, 515, .transpose_a = true}, 0, 2);
    compare((GemmShape){14, 32, 2049, .transpose_b = true}, 0, 3);
    compare((GemmShape){1030, 130, 40, .accumulate = true}, 3, 4);
    compare((GemmShape){140, 131, 1030, .accumulate = true}, 3, 5);
}
END_TEST

START_TEST(random_shapes_agree)
{
    Rng rng = rng_new(2024, 0);
    for (uint64_t i = 0; i < 1500; i++) {
        const uint32_t largest = i % 50 == 0 ? 300 : 60;
        GemmShape shape = {.m = (int)rng_below(&rng, largest),
                           .n = (int)rng_below(&rng, largest),
                           .k = (int)rng_below(&rng, largest),
                           .transpose_a = rng_below(&rng, 2),
                           .transpose_b = rng_below(&rng, 2),
                           .accumulate = rng_below(&rng, 2)};
        compare(shape, (int)rng_below(&rng, 4), i);
    }
}
END_TEST

// gemm with B packed beforehand, in pieces of rows, as a loop that is shared out would do it.
static void multiply_packed(GemmShape shape, const float *a, int lda, const float *b, int ldb, float *c,
                            int ldc)
{
    Arena *arena = arena_new();
    GemmFactor factor = gemm_pack(arena, shape.k, shape.n, shape.transpose_b, b, ldb);
    for (int first = 0; first < shape.m; first += 37)
        gemm_packed(int_min(37, shape.m - first), shape.accumulate, a + (size_t)first * (size_t)lda, lda,
                    &factor, c + (size_t)first * (size_t)ldc, ldc);
    arena_free(arena);
}

START_TEST(packed_factors_agree)
{
    static const int shapes[][3] = {{1, 1, 1},    {5, 3, 2},      {15, 17, 9},    {74, 65, 33},  {3, 100, 50},
                                    {100, 1, 20}, {1, 70, 30},    {9, 1030, 37},  {0, 5, 3},     {5, 0, 3},
                                    {9, 21, 0},   {38, 33, 1025}, {33, 512, 128}, {32, 128, 512}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int way = 0; way < 8; way++) {
            GemmShape shape = {shapes[i][0], shapes[i][1], shapes[i][2], .transpose_b = way & 1,
                               .accumulate = way & 2};
            Problem p = new_problem(shape, way & 4 ? 1100 : 1, i + (size_t)way);
            float *got = solve(&p, multiply_packed), *expected = solve(&p, gemm_naive);
            expect_same(&p, got, expected, "packed");
            free(got);
            free(expected);
            free_problem(&p);
        }
    }
}
END_TEST

// Work on rows: each row of A is made from another, each of C is changed, and both are counted.
typedef struct {
    const Problem *problem;
    float *a, *c;
    int *prepared, *finished;
} Worked;

static void halve_rows(const void *context, int first, int count)
{
    const Worked *w = context;
    for (int i = first; i < first + count; i++) {
        const size_t row = (size_t)i * (size_t)w->problem->lda;
        for (int p = 0; p < w->problem->shape.k; p++)
            w->a[row + (size_t)p] = w->problem->a[row + (size_t)p] / 2;
        w->prepared[i]++;
    }
}

static void mark_rows(const void *context, int first, int count)
{
    const Worked *w = context;
    for (int i = first; i < first + count; i++) {
        float *row = w->c + (size_t)i * (size_t)w->problem->ldc;
        for (int j = 0; j < w->problem->shape.n; j++) row[j] = row[j] * 3.0f + (float)i;
        w->finished[i]++;
    }
}

// C with its guards, by the product with work on rows, or one after the other.
static float *work_and_solve(const Problem *p, bool prepare, bool finish, bool apart)
{
    const GemmShape s = p->shape;
    const size_t rows = (size_t)s.m + 1;
    float *c = malloc(p->c_size * sizeof *c), *a = malloc(rows * (size_t)p->lda * sizeof *a);
    int *counts = calloc(2 * rows, sizeof *counts);
    ck_assert(c && a && counts);
    memcpy(c, p->before, p->c_size * sizeof *c);
    const Worked work = {p, a, c + GUARD, counts, counts + rows};
    const GemmRows with = {prepare ? halve_rows : NULL, finish ? mark_rows : NULL, &work, 1};
    const float *factor = prepare ? a : p->a;
    if (apart) {
        if (prepare) halve_rows(&work, 0, s.m);
        gemm_naive(s, factor, p->lda, p->b, p->ldb, c + GUARD, p->ldc);
        if (finish) mark_rows(&work, 0, s.m);
    } else {
        gemm_with_rows(s, factor, p->lda, p->b, p->ldb, c + GUARD, p->ldc, with);
    }
    for (int i = 0; i < s.m; i++)
        ck_assert_msg(work.prepared[i] == prepare && work.finished[i] == finish,
                      "C (%d × %d): row %d of A was prepared %d times, of C finished %d times", s.m, s.n, i,
                      work.prepared[i], work.finished[i]);
    free(counts);
    free(a);
    return c;
}

START_TEST(work_on_rows_is_that_before_and_behind_the_product)
{
    // Tall for one thread, for some, for all; low; without terms; with a B that is too large for one copy.
    static const int shapes[][3] = {{400, 33, 17}, {1100, 70, 50}, {3000, 5, 9},    {335, 20, 30},
                                    {40, 40, 40},  {1, 30, 20},    {0, 5, 3},       {700, 0, 3},
                                    {700, 9, 0},   {700, 1, 12},   {337, 2049, 700}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int way = 0; way < 16; way++) {
            if (shapes[i][1] > 1000 && way != 7) continue; // the three loops are slow
            GemmShape shape = {shapes[i][0], shapes[i][1], shapes[i][2], .transpose_b = way & 1,
                               .accumulate = way & 2};
            Problem p = new_problem(shape, 1, i + (size_t)way);
            float *expected = work_and_solve(&p, (way & 4) != 0, (way & 8) != 0, true);
            for (int threads = 1; threads <= 5; threads += threads < 3 ? 1 : 2) {
                parallel_set_threads(threads);
                float *got = work_and_solve(&p, (way & 4) != 0, (way & 8) != 0, false);
                expect_same(&p, got, expected, "with work on rows");
                free(got);
            }
            free(expected);
            free_problem(&p);
        }
    }
}
END_TEST

// ---- Threads ----------------------------------------------------------------------------------------------

// Large enough to be divided; down, across and both; more threads than strips.
START_TEST(the_number_of_threads_does_not_change_a_bit)
{
    static const GemmShape shapes[] = {
        {203, 191, 133, false, false, false}, {1999, 17, 75, false, false, true},
        {29, 1501, 77, false, true, false},   {300, 130, 199, true, true, true},
        {7, 60, 4001, false, false, false},   {3000, 1, 501, false, false, false},
        {1, 3000, 501, false, true, false},   {1, 1, 4000000, false, false, false}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        Problem p = new_problem(shapes[i], 1, i);
        float *expected = solve(&p, gemm_naive);
        for (int threads = 1; threads <= 7; threads += threads < 4 ? 1 : 3) {
            parallel_set_threads(threads);
            char what[32];
            snprintf(what, sizeof what, "%d threads", threads);
            float *got = solve(&p, gemm);
            expect_same(&p, got, expected, what);
            free(got);
        }
        free(expected);
        free_problem(&p);
    }
}
END_TEST

// Threads that compute products of their own at the same time do not meet in the packed copies.
START_TEST(products_in_a_parallel_region_agree)
{
    enum { COUNT = 12 };
    Problem p[COUNT];
    float *got[COUNT];
    for (int i = 0; i < COUNT; i++) {
        GemmShape shape = {65 + i, 150, 120, .transpose_a = i & 1, .transpose_b = true};
        p[i] = new_problem(shape, i, (uint64_t)i);
    }
    parallel_set_threads(3);
#pragma omp parallel for schedule(dynamic)
    for (int i = 0; i < COUNT; i++) got[i] = solve(&p[i], gemm);
    for (int i = 0; i < COUNT; i++) {
        float *expected = solve(&p[i], gemm_naive);
        expect_same(&p[i], got[i], expected, "in a parallel region");
        free(expected);
        free(got[i]);
        free_problem(&p[i]);
    }
}
END_TEST

// The system's numbers of a team's threads: another thread has another number.
static void threads_of(int team, int ids[])
{
#pragma omp parallel num_threads(team)
    ids[parallel_number()] = (int)gettid();
}

// gcc's library ends threads that a smaller team does without.
START_TEST(a_small_product_ends_no_thread)
{
    enum { TEAM = 5 };
    int before[TEAM] = {0}, after[TEAM] = {0};
    parallel_set_threads(TEAM);
    threads_of(TEAM, before);
    for (int size = 48; size <= 160; size += 16) { // from one thread's work to that of five
        Problem p = new_problem((GemmShape){.m = size, .n = size, .k = size}, 0, 1);
        float *got = solve(&p, gemm), *expected = solve(&p, gemm_naive);
        expect_same(&p, got, expected, "by a part of the team");
        free(got);
        free(expected);
        free_problem(&p);
        threads_of(TEAM, after);
        for (int i = 0; i < TEAM; i++)
            ck_assert_msg(before[i] == after[i], "thread %d is another behind a product of %d³", i, size);
    }
}
END_TEST

// ---- Not numbers ------------------------------------------------------------------------------------------

// One NaN in A spoils its row of C and no other, one in B its column; 0 · ∞ is not skipped but is a NaN too.
START_TEST(nan_and_infinity_reach_the_elements_that_they_belong_to)
{
    const float strange[] = {NAN, INFINITY, -INFINITY};
    for (int way = 0; way < 4; way++) {
        for (int s = 0; s < 3; s++) {
            GemmShape shape = {17, 21, 11, .transpose_a = way & 1, .transpose_b = way & 2};
            Problem p = new_problem(shape, 1, (uint64_t)(way * 3 + s));
            const int i = 16, k = 10, j = 20;
            p.a[shape.transpose_a ? k * p.lda + i : i * p.lda + k] = strange[s];
            p.b[shape.transpose_b ? j * p.ldb + k : k * p.ldb + j] = 0.0f;
            float *got = solve(&p, gemm), *expected = solve(&p, gemm_naive);
            ck_assert_msg(isnan(got[GUARD + i * p.ldc + j]), "%g · 0: got %g, expected a NaN", strange[s],
                          got[GUARD + i * p.ldc + j]);
            for (int row = 0; row < i; row++)
                ck_assert_msg(isfinite(got[GUARD + row * p.ldc + j]), "%g in row %d reached row %d",
                              strange[s], i, row);
            expect_same(&p, got, expected, "with strange numbers");
            free(got);
            free(expected);
            free_problem(&p);
        }
    }
}
END_TEST

SUITE("gemm", the_naive_product_is_the_product, each_step_rounds_once,
      terms_are_added_from_the_first_to_the_last, every_small_shape_agrees,
      padded_rows_agree_and_the_padding_is_left_alone, every_number_of_rows_agrees_where_rows_lie_far_apart,
      a_product_without_terms_is_zero, a_product_without_rows_or_columns_touches_nothing, vectors_agree,
      products_of_several_blocks_agree, random_shapes_agree, packed_factors_agree,
      work_on_rows_is_that_before_and_behind_the_product, the_number_of_threads_does_not_change_a_bit,
      products_in_a_parallel_region_agree, a_small_product_ends_no_thread,
      nan_and_infinity_reach_the_elements_that_they_belong_to)
