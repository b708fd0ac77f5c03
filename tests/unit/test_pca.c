#include "models/pca.h"
#include "matrix/symmetric.h"
#include "suite.h"

#include <math.h>

// A chain of 512 fused multiply-adds errs by at most 512 · 2⁻²⁴ of the sum of its terms' sizes. Of the matrix of these sums
// no eigenvalue is larger than its trace, the total variance, and no eigenvalue of the covariance is further off (Weyl).
static const double BOUND = 512 * 0x1p-24;

// Columns of different sizes, mixed, around different means
static Matrix mixed(Arena *arena, int rows, int cols, uint64_t seed)
{
    Rng rng = rng_new(seed, (uint64_t)(rows * 1000 + cols));
    Matrix z = matrix_new(arena, rows, cols), turn = matrix_new(arena, cols, cols),
           x = matrix_new(arena, rows, cols);
    fill_normal(z, &rng, 0.0f, 1.0f);
    fill_uniform(turn, &rng, -1.0f, 1.0f);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) AT(z, i, j) /= (float)(1 + j);
    matmul(x, z, turn);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) AT(x, i, j) += (float)(j % 7) - 3.0f;
    return x;
}

// The oracle: the whole covariance matrix (d × d) in double precision.
static void naive_covariance(double *covariance, double *means, Matrix x)
{
    const int d = x.cols;
    for (int j = 0; j < d; j++) {
        means[j] = 0.0;
        for (int i = 0; i < x.rows; i++) means[j] += (double)AT(x, i, j) / x.rows;
    }
    for (int a = 0; a < d; a++)
        for (int b = 0; b < d; b++) {
            double total = 0.0;
            for (int i = 0; i < x.rows; i++)
                total += ((double)AT(x, i, a) - means[a]) * ((double)AT(x, i, b) - means[b]);
            covariance[a * d + b] = total / x.rows;
        }
}

static void expect_components(Arena *arena, Matrix x, int k, double bound)
{
    const int d = x.cols;
    double *covariance = arena_alloc(arena, (size_t)d * (size_t)d, sizeof(double)),
           *means = arena_alloc(arena, (size_t)d, sizeof(double)),
           *values = arena_alloc(arena, (size_t)d, sizeof(double));
    naive_covariance(covariance, means, x);
    symmetric_largest_of_doubles(values, (double *)NULL, covariance, d, d);
    const Pca pca = pca_fit(arena, x, k);
    double trace = 0.0;
    for (int j = 0; j < d; j++) {
        trace += covariance[j * d + j];
        ck_assert_double_eq_tol((double)pca.mean.data[j], means[j], 1e-6 * (1 + fabs(means[j])));
    }
    ck_assert_double_eq_tol(pca.total_variance, trace, 1e-5 * trace + 1e-12);
    for (int a = 0; a < k; a++) {
        const double variance = (double)pca.variances.data[a];
        ck_assert_msg(fabs(variance - fmax(values[a], 0)) <= bound * trace + 1e-12,
                      "%d × %d: variance %d is %.9g, expected %.9g", x.rows, d, a, variance, values[a]);
        for (int i = 0; i < d; i++) { // covariance · v = variance · v
            double product = 0.0;
            for (int j = 0; j < d; j++) product += covariance[i * d + j] * (double)AT(pca.components, a, j);
            const double error = fabs(product - variance * (double)AT(pca.components, a, i));
            ck_assert_msg(error <= bound * trace + 1e-12, "%d × %d: component %d, row %d: off by %g of %g",
                          x.rows, d, a, i, error, trace);
        }
        for (int b = 0; b <= a; b++) {
            double inner = a == b ? -1.0 : 0.0;
            for (int j = 0; j < d; j++)
                inner += (double)AT(pca.components, a, j) * (double)AT(pca.components, b, j);
            ck_assert_msg(fabs(inner) <= 1e-6, "components %d and %d are off by %g", a, b, inner);
        }
    }
}

START_TEST(components_are_eigenvectors_of_the_covariance)
{
    const int shapes[][3] = {{2, 1, 1},      {5, 3, 3},    {100, 10, 4}, {1100, 33, 33},
                             {600, 150, 20}, {10, 40, 9},  {3, 3, 3},    {20, 200, 5},
                             {1100, 41, 2},  {600, 42, 2}, {70, 43, 2},  {520, 300, 5}};
    Arena *arena = arena_new();
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        expect_components(arena, mixed(arena, shapes[s][0], shapes[s][1], 1), shapes[s][2], BOUND);
    arena_free(arena);
}
END_TEST

START_TEST(means_far_from_zero_do_not_matter)
{
    Arena *arena = arena_new();
    Matrix x = matrix_new(arena, 900, 5);
    Rng rng = rng_new(3, 0);
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < 5; j++)
            AT(x, i, j) = 100000.0f * (float)j + (float)rng_below(&rng, 100u << j) / 64.0f;
    expect_components(arena, x, 5, BOUND);
    arena_free(arena);
}
END_TEST

START_TEST(rows_that_vary_in_few_directions_have_zeros_behind)
{
    Arena *arena = arena_new();
    Matrix one = matrix_new(arena, 30, 6), wide = matrix_new(arena, 5, 30), equal = matrix_new(arena, 4, 3);
    for (int i = 0; i < 30; i++) AT(one, i, 2) = (float)i; // five constant columns
    for (int j = 0; j < 30; j++) AT(wide, 1, j) = 1.0f;    // one row differs: one direction
    fill(equal, 5.0f);                                     // duplicated rows: none
    expect_components(arena, one, 6, 1e-6);
    expect_components(arena, wide, 5, 1e-6);
    expect_components(arena, equal, 3, 1e-6);
    const Pca pca = pca_fit(arena, one, 2);
    for (int j = 0; j < 6; j++)
        ck_assert_double_eq_tol((double)AT(pca.components, 0, j), (double)(j == 2), 1e-7);
    arena_free(arena);
}
END_TEST

START_TEST(scores_vary_as_much_as_promised_and_rebuild_the_rows)
{
    const int shapes[][2] = {{1100, 12}, {40, 8}, {9, 30}};
    Arena *arena = arena_new();
    for (int s = 0; s < 3; s++) {
        Matrix x = mixed(arena, shapes[s][0], shapes[s][1], 2);
        const int k = int_min(x.rows - 1, x.cols);
        const Pca pca = pca_fit(arena, x, k);
        Matrix scores = matrix_new(arena, x.rows, k), variances = matrix_new(arena, 1, k),
               rebuilt = matrix_new(arena, x.rows, x.cols);
        pca_project(scores, &pca, x);
        column_variances(variances, scores);
        ck_assert(largest_difference(variances, pca.variances) <= 1e-5f * largest(variances));
        pca_rebuild(rebuilt, &pca, scores);
        ck_assert_msg(largest_difference(rebuilt, x) <= 2e-5f, "%d × %d: rebuilt with an error of %g", x.rows,
                      x.cols, (double)largest_difference(rebuilt, x));
        // Without the last components, what is lost is their variance.
        Matrix two = matrix_new(arena, x.rows, 2);
        copy_columns(two, 0, scores, 0, 2);
        pca_rebuild(rebuilt, &pca, two);
        subtract(rebuilt, rebuilt, x);
        const double lost = sum_of_squares(rebuilt) / x.rows,
                     expected =
                         pca.total_variance - (double)pca.variances.data[0] - (double)pca.variances.data[1];
        ck_assert_double_eq_tol(lost, expected, 1e-5 * pca.total_variance);
    }
    arena_free(arena);
}
END_TEST

static void too_many(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    pca_fit(arena, matrix_new(arena, 3, 5), 4);
}
static void not_finite(void *context)
{
    float x[] = {1, 2, *(const float *)context, 4, 5, 6};
    pca_fit(arena_new(), matrix_view(3, 2, x), 1);
}
static void wrong_columns(void *context)
{
    Arena *arena = arena_new();
    const Pca pca = pca_fit(arena, matrix_new(arena, 5, 4), 2);
    if (context)
        pca_project(matrix_new(arena, 3, 2), &pca, matrix_new(arena, 3, 5));
    else
        pca_rebuild(matrix_new(arena, 3, 4), &pca, matrix_new(arena, 3, 3));
}

START_TEST(what_has_no_components_is_refused)
{
    float values[] = {NAN, -INFINITY};
    expect_death(too_many, NULL, "pca_fit: 4 components of x (3 × 5)");
    for (int i = 0; i < 2; i++) expect_death(not_finite, &values[i], "pca_fit: x holds a NaN or an infinity");
    expect_death(wrong_columns, NULL, "pca_rebuild: x (3 × 4), scores (3 × 3), components (2 × 4)");
    expect_death(wrong_columns, values, "pca_project: x (3 × 5), scores (3 × 2), components (2 × 4)");
}
END_TEST

SUITE("pca", components_are_eigenvectors_of_the_covariance, means_far_from_zero_do_not_matter,
      rows_that_vary_in_few_directions_have_zeros_behind,
      scores_vary_as_much_as_promised_and_rebuild_the_rows, what_has_no_components_is_refused)
