#include "models/kmeans.h"
#include "suite.h"

#include <math.h>

static Matrix random_matrix(Arena *arena, int rows, int cols, uint64_t seed)
{
    Rng rng = rng_new(seed, (uint64_t)(rows * 1000 + cols));
    Matrix m = matrix_new(arena, rows, cols);
    fill_uniform(m, &rng, -1.0f, 1.0f);
    return m;
}

// The oracle: one step in double precision and plain loops.
static double naive_step(Arena *arena, Matrix centres, int *labels, Matrix x)
{
    double cost = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double least = INFINITY;
        for (int c = 0; c < centres.rows; c++) {
            double distance = 0.0;
            for (int j = 0; j < x.cols; j++) {
                const double difference = (double)AT(x, i, j) - (double)AT(centres, c, j);
                distance += difference * difference;
            }
            if (distance < least) least = distance, labels[i] = c;
        }
        cost += least;
    }
    double *sums = arena_alloc(arena, (size_t)x.cols, sizeof *sums);
    for (int c = 0; c < centres.rows; c++) {
        int rows = 0;
        memset(sums, 0, (size_t)x.cols * sizeof *sums);
        for (int i = 0; i < x.rows; i++) {
            if (labels[i] != c) continue;
            rows++;
            for (int j = 0; j < x.cols; j++) sums[j] += (double)AT(x, i, j);
        }
        for (int j = 0; j < x.cols && rows; j++) AT(centres, c, j) = (float)(sums[j] / rows);
    }
    return cost;
}

static void expect_same_steps(Arena *arena, Matrix x, Matrix start, int steps)
{
    Matrix a = matrix_copy(arena, start), b = matrix_copy(arena, start);
    int *labels = arena_alloc(arena, (size_t)x.rows, sizeof *labels),
        *expected = arena_alloc(arena, (size_t)x.rows, sizeof *expected);
    for (int step = 0; step < steps; step++) {
        const double cost = kmeans_step(arena, a, labels, x), naive = naive_step(arena, b, expected, x);
        ck_assert_msg(fabs(cost - naive) <= 1e-6 * naive + 1e-12,
                      "%d × %d, %d centres, step %d: a cost of %.9g, expected %.9g", x.rows, x.cols, a.rows,
                      step, cost, naive);
        for (int i = 0; i < x.rows; i++)
            ck_assert_msg(labels[i] == expected[i],
                          "%d × %d, %d centres, step %d: row %d is with %d, expected %d", x.rows, x.cols,
                          a.rows, step, i, labels[i], expected[i]);
        ck_assert_msg(largest_difference(a, b) <= 1e-6f, "step %d: centres differ by %g", step,
                      (double)largest_difference(a, b));
        copy(b, a); // from the same centres again
    }
}

START_TEST(it_takes_the_same_steps_as_plain_loops)
{
    const int shapes[][3] = {{1, 1, 1},      {5, 3, 2},      {65, 7, 5},  {300, 16, 17},
                             {1001, 33, 10}, {700, 130, 40}, {64, 2, 64}, {9, 3, 30}};
    Arena *arena = arena_new();
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        expect_same_steps(arena, random_matrix(arena, shapes[s][0], shapes[s][1], 1),
                          random_matrix(arena, shapes[s][2], shapes[s][1], 2), 4);
    arena_free(arena);
}
END_TEST

// Whole numbers on a grid: many rows have the same distance from several centres; far from 0 products alone cannot tell.
START_TEST(ties_and_near_ties_are_decided_exactly)
{
    const float offsets[] = {0.0f, 1000.0f, 30000.0f};
    Arena *arena = arena_new();
    for (int o = 0; o < 3; o++) {
        Matrix x = matrix_new(arena, 500, 6), centres = matrix_new(arena, 12, 6);
        Rng rng = rng_new(4, (uint64_t)o);
        for (size_t i = 0; i < matrix_size(x); i++) x.data[i] = offsets[o] + (float)rng_below(&rng, 3);
        for (size_t i = 0; i < matrix_size(centres); i++)
            centres.data[i] = offsets[o] + (float)rng_below(&rng, 3);
        expect_same_steps(arena, x, centres, 1);
    }
    float same[] = {2, 2, 2}, values[] = {5};
    int label;
    kmeans_assign(arena, &label, matrix_view(3, 1, same), matrix_view(1, 1, values));
    ck_assert_int_eq(label, 0);
    arena_free(arena);
}
END_TEST

START_TEST(a_centre_without_rows_stays)
{
    Arena *arena = arena_new();
    float x[] = {1, 2, 9, 10}, centres[] = {0, 100, 10};
    int labels[4];
    const double cost = kmeans_step(arena, matrix_view(3, 1, centres), labels, matrix_view(4, 1, x));
    ck_assert_double_eq_tol(cost, 1 + 4 + 1 + 0, 1e-12);
    ck_assert(centres[0] == 1.5f && centres[1] == 100.0f && centres[2] == 9.5f);
    arena_free(arena);
}
END_TEST

START_TEST(no_step_raises_the_cost_and_a_fit_settles)
{
    Arena *arena = arena_new();
    Matrix x = random_matrix(arena, 800, 5, 3), centres = matrix_new(arena, 9, 5);
    Rng rng = rng_new(1, 0);
    kmeans_plus_plus(centres, x, &rng);
    Kmeans found = kmeans_from(arena, centres, x, 1000);
    ck_assert(found.settled);
    int labels[800];
    double before = INFINITY;
    for (int step = 0; step < found.steps; step++) {
        const double cost = kmeans_step(arena, centres, labels, x);
        ck_assert_msg(cost <= before * (1 + 1e-7), "step %d: %.9g after %.9g", step, cost, before);
        before = cost;
    }
    ck_assert_double_eq_tol(before, found.cost, 1e-12 * before);
    ck_assert(memcmp(labels, found.labels, sizeof labels) == 0);
    ck_assert(largest_difference(centres, found.centres) <= 1e-7f);
    Kmeans none = kmeans_from(arena, found.centres, x, 0), one = kmeans_from(arena, found.centres, x, 1);
    ck_assert(none.cost == found.cost && none.steps == 0 && !none.settled);
    ck_assert(one.cost == found.cost && one.steps == 1);
    arena_free(arena);
}
END_TEST

// Rows are passed over where bounds allow it; the labels must be those of all steps.
START_TEST(a_fit_takes_the_same_steps)
{
    const int shapes[][3] = {{3000, 2, 5}, {2000, 20, 12}, {1500, 70, 40}, {900, 1, 3}, {64, 3, 1}};
    Arena *arena = arena_new();
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const int rows = shapes[s][0], cols = shapes[s][1], k = shapes[s][2];
        Matrix x = random_matrix(arena, rows, cols, 7), centres = matrix_copy(arena, matrix_rows(x, 0, k)),
               start = matrix_copy(arena, centres);
        int *labels = arena_alloc(arena, (size_t)rows, sizeof *labels);
        for (int steps = 0; steps < 30; steps++) {
            const double cost = kmeans_assign(arena, labels, centres, x);
            const Kmeans found = kmeans_from(arena, start, x, steps);
            ck_assert_msg(memcmp(labels, found.labels, (size_t)rows * sizeof *labels) == 0,
                          "%d × %d, %d centres: other labels after %d steps", rows, cols, k, steps);
            ck_assert_msg(fabs(cost - found.cost) <= 1e-12 * cost, "a cost of %.15g, expected %.15g",
                          found.cost, cost);
            ck_assert(largest_difference(centres, found.centres) <= 1e-7f);
            kmeans_step(arena, centres, labels, x);
        }
    }
    arena_free(arena);
}
END_TEST

START_TEST(clusters_that_are_there_are_found)
{
    Arena *arena = arena_new();
    Matrix x = random_matrix(arena, 400, 2, 5);
    for (int i = 0; i < 400; i++) AT(x, i, 0) += 10.0f * (float)(i % 4);
    for (uint64_t seed = 1; seed <= 5; seed++) { // ++ meets each of four clusters this far apart
        Rng rng = rng_new(seed, 0);
        Kmeans found = kmeans_fit(arena, x, 4, 100, &rng);
        for (int i = 4; i < 400; i++) ck_assert_int_eq(found.labels[i], found.labels[i % 4]);
    }
    arena_free(arena);
}
END_TEST

// Two rows at 0 and 1, one at 3: the second centre, after the first row, is the third with the chance 9/10.
START_TEST(starts_are_drawn_in_proportion_to_squared_distances)
{
    enum { DRAWS = 20000 };
    float x[] = {0, 1, 3}, centres[2];
    int first = 0, far = 0;
    Rng rng = rng_new(8, 0);
    for (int i = 0; i < DRAWS; i++) {
        kmeans_plus_plus(matrix_view(2, 1, centres), matrix_view(3, 1, x), &rng);
        ck_assert(centres[0] != centres[1]);
        if (centres[0] != 0.0f) continue;
        first++;
        far += centres[1] == 3.0f;
    }
    // standard errors: √(2/9/20000) = 0.0033, √(0.09/6667) = 0.0037
    ck_assert_msg(fabs((double)first / DRAWS - 1 / 3.0) < 0.017, "%d of %d first", first, DRAWS);
    ck_assert_msg(fabs((double)far / first - 0.9) < 0.019, "%d of %d far", far, first);
}
END_TEST

START_TEST(duplicated_rows_can_all_be_centres)
{
    Arena *arena = arena_new();
    Matrix x = matrix_new(arena, 6, 2);
    fill(x, 3.0f);
    Rng rng = rng_new(1, 0);
    Kmeans found = kmeans_fit(arena, x, 6, 10, &rng);
    ck_assert(found.cost == 0.0 && found.settled);
    for (int i = 0; i < 6; i++) ck_assert_int_eq(found.labels[i], 0);
    arena_free(arena);
}
END_TEST

static float four[] = {1, 2, 3, 4};
static void too_many_centres(void *context)
{
    (void)context;
    Rng rng = rng_new(1, 0);
    kmeans_fit(arena_new(), matrix_view(4, 1, four), 5, 10, &rng);
}
static void plus_plus_too_many(void *context)
{
    (void)context;
    Rng rng = rng_new(1, 0);
    kmeans_plus_plus(matrix_new(arena_new(), 3, 2), matrix_view(2, 2, four), &rng);
}
static void wrong_shape(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    int labels[2];
    kmeans_step(arena, matrix_new(arena, 3, 4), labels, matrix_view(2, 2, four));
}
static void not_finite(void *context)
{
    const float value = *(const float *)context;
    float x[] = {1, 2, value, 4}, centres[] = {0, 5};
    int labels[4];
    kmeans_step(arena_new(), matrix_view(2, 1, centres), labels, matrix_view(4, 1, x));
}
static void not_finite_from(void *context)
{
    const float value = *(const float *)context;
    float x[] = {1, 2, value, 4}, centres[] = {0, 5};
    kmeans_from(arena_new(), matrix_view(2, 1, centres), matrix_view(4, 1, x), 10);
}
static void not_finite_start(void *context)
{
    const float value = *(const float *)context;
    float x[] = {1, 2, value, 4};
    Rng rng = rng_new(1, 0);
    kmeans_fit(arena_new(), matrix_view(4, 1, x), 3, 10, &rng);
}

START_TEST(what_cannot_be_clustered_is_refused)
{
    float values[] = {NAN, INFINITY, 1e30f};
    expect_death(too_many_centres, NULL, "kmeans_fit: 5 centres from 4 rows");
    expect_death(plus_plus_too_many, NULL, "kmeans_plus_plus: 3 centres from 2 rows");
    expect_death(wrong_shape, NULL, "kmeans_step: x (2 × 2), centres (3 × 4)");
    for (int i = 0; i < 2; i++) {
        expect_death(not_finite, &values[i], "kmeans_step: x or a centre holds a NaN or an infinity");
        expect_death(not_finite_from, &values[i], "kmeans_from: x or a centre holds a NaN or an infinity");
        expect_death(not_finite_start, &values[i], "kmeans_plus_plus: x or a centre holds a NaN");
    }
    expect_death(not_finite, &values[2], "kmeans_step: a squared distance is larger than any float");
}
END_TEST

SUITE("kmeans", it_takes_the_same_steps_as_plain_loops, ties_and_near_ties_are_decided_exactly,
      a_centre_without_rows_stays, a_fit_takes_the_same_steps, no_step_raises_the_cost_and_a_fit_settles,
      clusters_that_are_there_are_found, starts_are_drawn_in_proportion_to_squared_distances,
      duplicated_rows_can_all_be_centres, what_cannot_be_clustered_is_refused)
