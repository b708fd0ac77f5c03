#include "matrix/symmetric.h"
#include "suite.h"

#include <math.h>

static Matrix random_symmetric(Arena *arena, int n, uint64_t seed)
{
    Rng rng = rng_new(seed, (uint64_t)n);
    Matrix m = matrix_new(arena, n, n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) AT(m, i, j) = AT(m, j, i) = rng_between(&rng, -1.0f, 1.0f);
    return m;
}

// b bᵀ with b (n × rank): eigenvalues ≥ 0, all but rank of them 0
static Matrix random_product(Arena *arena, int n, int rank, uint64_t seed)
{
    Rng rng = rng_new(seed, (uint64_t)n);
    Matrix b = matrix_new(arena, n, rank), m = matrix_new(arena, n, n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < rank; j++) AT(b, i, j) = rng_between(&rng, -1.0f, 1.0f) / (float)(1 + j);
    matmul_nt(m, b, b);
    return m;
}

// m v = λ v and vᵀw = 0 or 1, in double precision, as well as floats can hold vectors; values fall; signs as promised.
static void expect_eigenpairs(Matrix m, const double *values, Matrix vectors, double bound)
{
    const int n = m.rows;
    double size = 1e-300;
    for (size_t i = 0; i < matrix_size(m); i++) size = fmax(size, fabs((double)m.data[i]));
    size *= n;
    for (int a = 0; a < vectors.rows; a++) {
        float most = 0.0f;
        for (int i = 0; i < n; i++) {
            double product = 0.0;
            for (int j = 0; j < n; j++) product += (double)AT(m, i, j) * (double)AT(vectors, a, j);
            const double error = fabs(product - values[a] * (double)AT(vectors, a, i));
            ck_assert_msg(error <= bound * size, "%d × %d, pair %d, row %d: off by %g", n, n, a, i, error);
            most = fmaxf(most, fabsf(AT(vectors, a, i)));
        }
        int first = 0;
        while (fabsf(AT(vectors, a, first)) < (1.0f - 0x1p-16f) * most) first++;
        ck_assert_msg(AT(vectors, a, first) > 0.0f, "%d × %d: vector %d has the other sign", n, n, a);
        ck_assert_msg(a == 0 || values[a] <= values[a - 1], "value %d is larger than the one before", a);
        for (int b = 0; b <= a; b++) {
            double inner = a == b ? -1.0 : 0.0;
            for (int j = 0; j < n; j++) inner += (double)AT(vectors, a, j) * (double)AT(vectors, b, j);
            ck_assert_msg(fabs(inner) <= bound, "%d × %d: vectors %d and %d are off by %g", n, n, a, b,
                          inner);
        }
    }
}

START_TEST(pairs_satisfy_their_equation)
{
    const int sizes[] = {1, 2, 3, 4, 7, 16, 33, 100};
    Arena *arena = arena_new();
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const int n = sizes[s];
        double values[100];
        Matrix m = random_symmetric(arena, n, 1), vectors = matrix_new(arena, n, n);
        symmetric_eigen(values, vectors, m);
        expect_eigenpairs(m, values, vectors, 1e-6);
        double trace = 0.0, total = 0.0;
        for (int i = 0; i < n; i++) trace += (double)AT(m, i, i), total += values[i];
        ck_assert_double_eq_tol(trace, total, 1e-12 * n);
        double alone[100];
        symmetric_eigen(alone, (Matrix){0}, m);
        for (int i = 0; i < n; i++) ck_assert_double_eq_tol(alone[i], values[i], 1e-12 * n);
    }
    arena_free(arena);
}
END_TEST

// The second difference of n points with fixed ends: λ_k = 2 − 2 cos(πk/(n + 1))
START_TEST(a_chain_of_springs_has_known_eigenvalues)
{
    enum { N = 50 };
    Arena *arena = arena_new();
    Matrix m = matrix_new(arena, N, N);
    double values[N];
    for (int i = 0; i < N; i++) {
        AT(m, i, i) = 2.0f;
        if (i) AT(m, i, i - 1) = AT(m, i - 1, i) = -1.0f;
    }
    symmetric_eigen(values, (Matrix){0}, m);
    for (int i = 0; i < N; i++)
        ck_assert_double_eq_tol(values[i], 2.0 - 2.0 * cos(3.14159265358979324 * (N - i) / (N + 1)), 1e-14);
    arena_free(arena);
}
END_TEST

START_TEST(special_matrices_are_solved)
{
    Arena *arena = arena_new();
    enum { N = 20 };
    double values[N];
    Matrix vectors = matrix_new(arena, N, N);
    for (int kind = 0; kind < 6; kind++) {
        Matrix m = matrix_new(arena, N, N);
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                AT(m, i, j) = kind == 0   ? 0.0f
                              : kind == 1 ? (float)(i == j)            // one value, n times
                              : kind == 2 ? 1.0f                       // n, and n − 1 times 0
                              : kind == 3 ? (float)(i == j) * (float)i // ready, in the other order
                              : kind == 4 ? (float)(i + j == N - 1)    // 1 and −1, ten times each
                                          : (float)(i / 5 == j / 5);   // four blocks
        symmetric_eigen(values, vectors, m);
        expect_eigenpairs(m, values, vectors, 1e-6);
        const double first[] = {0, 1, N, N - 1, 1, 5}, last[] = {0, 1, 0, 0, -1, 0};
        ck_assert_double_eq_tol(values[0], first[kind], 1e-13);
        ck_assert_double_eq_tol(values[N - 1], last[kind], 1e-13);
    }
    arena_free(arena);
}
END_TEST

START_TEST(size_does_not_matter)
{
    const float sizes[] = {1e-37f, 1e-20f, 1e20f, 1e36f};
    Arena *arena = arena_new();
    for (int s = 0; s < 4; s++) {
        double values[9];
        Matrix m = random_symmetric(arena, 9, 2), vectors = matrix_new(arena, 9, 9);
        scale(m, sizes[s]);
        symmetric_eigen(values, vectors, m);
        expect_eigenpairs(m, values, vectors, 1e-6);
    }
    arena_free(arena);
}
END_TEST

// Those of the whole solution, whatever the way to them
static void expect_largest(Matrix m, int count)
{
    const int n = m.rows;
    Arena *arena = arena_new();
    double *all = arena_alloc(arena, (size_t)n, sizeof *all),
           *some = arena_alloc(arena, (size_t)n, sizeof *some);
    Matrix vectors = matrix_new(arena, count, n);
    symmetric_eigen(all, (Matrix){0}, m);
    symmetric_largest(some, vectors, m, count);
    expect_eigenpairs(m, some, vectors, 1e-6);
    for (int i = 0; i < count; i++)
        ck_assert_msg(fabs(all[i] - some[i]) <= 1e-12 * n * fmax(fabs(all[0]), fabs(all[n - 1])),
                      "%d × %d: value %d of %d is %.15g, expected %.15g", n, n, i, count, some[i], all[i]);
    arena_free(arena);
}

START_TEST(the_largest_are_those_of_the_whole)
{
    Arena *arena = arena_new();
    const int shapes[][3] = {{1, 1, 1},     {5, 5, 2},     {40, 40, 3},    {40, 40, 40},
                             {200, 200, 5}, {300, 12, 20}, {257, 257, 31}, {500, 500, 40}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        expect_largest(random_product(arena, shapes[s][0], shapes[s][1], 3), shapes[s][2]);
        expect_largest(random_symmetric(arena, shapes[s][0], 4), shapes[s][2]);
    }
    Matrix ones = matrix_new(arena, 200, 200), unit = matrix_new(arena, 200, 200);
    fill(ones, 1.0f);
    for (int i = 0; i < 200; i++) AT(unit, i, i) = 1.0f;
    expect_largest(ones, 4);
    expect_largest(unit, 30);
    expect_largest(matrix_new(arena, 200, 200), 7);
    for (int i = 0; i < 200; i++) AT(unit, i, i) = -1.0f - (float)(i % 3);
    expect_largest(unit, 5);
    arena_free(arena);
}
END_TEST

static void not_square(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    double values[3];
    symmetric_eigen(values, (Matrix){0}, matrix_new(arena, 2, 3));
}
static void too_many(void *context)
{
    Arena *arena = arena_new();
    double values[5];
    symmetric_largest(values, (Matrix){0}, matrix_new(arena, 3, 3), context ? 4 : 0);
}
static void wrong_vectors(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    double values[3];
    symmetric_eigen(values, matrix_new(arena, 2, 3), matrix_new(arena, 3, 3));
}
static void not_finite(void *context)
{
    (void)context;
    float m[] = {1, 2, 2, INFINITY};
    double values[2];
    symmetric_eigen(values, (Matrix){0}, matrix_view(2, 2, m));
}

START_TEST(what_has_no_eigenvalues_is_refused)
{
    int four = 4;
    expect_death(not_square, NULL, "symmetric_eigen: the matrix is (2 × 3)");
    expect_death(too_many, NULL, "symmetric_largest: 0 eigenvalues of a matrix (3 × 3)");
    expect_death(too_many, &four, "symmetric_largest: 4 eigenvalues of a matrix (3 × 3)");
    expect_death(wrong_vectors, NULL, "vectors is (2 × 3), not (3 × 3)");
    expect_death(not_finite, NULL, "holds a NaN or an infinity");
}
END_TEST

SUITE("symmetric", pairs_satisfy_their_equation, a_chain_of_springs_has_known_eigenvalues,
      special_matrices_are_solved, size_does_not_matter, the_largest_are_those_of_the_whole,
      what_has_no_eigenvalues_is_refused)
