#include "models/isolation_forest.h"
#include "learning/roc.h"
#include "suite.h"

#include <math.h>

// Rows around 0, of which the last few lie far away.
static Matrix cloud(Arena *arena, int rows, int cols, int far)
{
    Rng rng = rng_new(5, (uint64_t)rows);
    Matrix x = matrix_new(arena, rows, cols);
    fill_normal(x, &rng, 0.0f, 1.0f);
    for (int i = rows - far; i < rows; i++)
        for (int j = 0; j < cols; j++) AT(x, i, j) += (i + j) % 2 ? 6.0f : -6.0f;
    return x;
}

START_TEST(usual_lengths_are_those_of_search_trees)
{
    // c(2) = 2·1 − 2·½, c(3) = 2·1.5 − 4/3; c(256) by Liu et al.: 2 (ln 255 + 0.5772156649) − 2·255/256 = 10.2448
    const double expected[] = {0.0, 0.0, 1.0, 3.0 - 4.0 / 3.0};
    for (int n = 0; n < 4; n++) ck_assert_double_eq_tol(isolation_usual_length(n), expected[n], 1e-15);
    ck_assert_double_eq_tol(isolation_usual_length(256), 10.2448, 0.01);
}
END_TEST

// Every tree: each node's rows, found by walking, are at least one, and the leaf's length is depth + c(rows).
static void walk(const IsolationForest *f, int at, int depth, int limit, int *leaves)
{
    const IsolationNode node = f->nodes[at];
    if (node.left == at) {
        (*leaves)++;
        ck_assert_msg(depth <= limit, "a leaf at depth %d, limit %d", depth, limit);
        const double more = (double)node.length - depth;
        bool found = false;
        for (int n = 1; n <= f->sample; n++) found = found || fabs(more - isolation_usual_length(n)) < 1e-5;
        ck_assert_msg(found, "a leaf at depth %d with the length %g", depth, (double)node.length);
        ck_assert_msg(depth == limit || more < 1e-5, "a leaf at depth %d holds several different rows",
                      depth);
        return;
    }
    ck_assert(node.column < f->columns);
    walk(f, node.left, depth + 1, limit, leaves);
    walk(f, node.left + 1, depth + 1, limit, leaves);
}

START_TEST(trees_cut_until_rows_are_alone_or_the_depth_is_reached)
{
    Arena *arena = arena_new();
    Matrix x = cloud(arena, 300, 3, 0);
    const int samples[] = {2, 3, 16, 100, 256, 300, 1000}, limits[] = {1, 2, 4, 7, 8, 9, 9};
    for (int s = 0; s < 7; s++) {
        Rng rng = rng_new(1, 0);
        IsolationForest f = isolation_forest_fit(arena, x, 20, samples[s], &rng);
        ck_assert_int_eq(f.sample, int_min(samples[s], 300));
        for (int t = 0; t < f.trees; t++) {
            int leaves = 0;
            walk(&f, f.roots[t], 0, limits[s], &leaves);
            ck_assert_msg(leaves > 1 && leaves <= f.sample, "%d leaves of %d rows", leaves, f.sample);
        }
    }
    arena_free(arena);
}
END_TEST

START_TEST(scores_are_two_to_the_minus_mean_path)
{
    Arena *arena = arena_new();
    Matrix x = cloud(arena, 200, 4, 10);
    Rng rng = rng_new(2, 0);
    IsolationForest f = isolation_forest_fit(arena, x, 37, 64, &rng);
    float scores[200];
    isolation_forest_scores(scores, &f, x);
    for (int i = 0; i < 200; i++) {
        double total = 0.0;
        for (int t = 0; t < f.trees; t++) {
            int at = f.roots[t];
            while (f.nodes[at].left != at) {
                const IsolationNode node = f.nodes[at];
                at = node.left + !(AT(x, i, node.column) <= node.threshold);
            }
            total += (double)f.nodes[at].length;
        }
        const double expected = pow(2.0, -total / f.trees / isolation_usual_length(64));
        ck_assert_msg(fabs((double)scores[i] - expected) < 1e-6, "row %d: got %.8f, expected %.8f", i,
                      (double)scores[i], expected);
    }
    arena_free(arena);
}
END_TEST

START_TEST(rows_that_lie_apart_score_highest)
{
    Arena *arena = arena_new();
    enum { ROWS = 1000, FAR = 20 };
    Matrix x = cloud(arena, ROWS, 4, FAR);
    bool far[ROWS] = {false};
    for (int i = ROWS - FAR; i < ROWS; i++) far[i] = true;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        float scores[ROWS];
        Rng rng = rng_new(seed, 0);
        IsolationForest f = isolation_forest_fit(arena, x, 100, 256, &rng);
        isolation_forest_scores(scores, &f, x);
        const double area = roc_area(scores, far, ROWS);
        ck_assert_msg(area > 0.99, "seed %d: an area of %.4f", (int)seed, area);
    }
    arena_free(arena);
}
END_TEST

// The first cut: each varying column with the same chance, each value between the ends of its range too.
START_TEST(cuts_are_uniform)
{
    enum { TREES = 20000 };
    Arena *arena = arena_new();
    float values[] = {0, 7, 10, 3, 1, 7, 20, 3, 0.5f, 7, 11, 3};
    Matrix x = matrix_view(3, 4, values); // columns 0 and 2 vary
    Rng rng = rng_new(3, 0);
    IsolationForest f = isolation_forest_fit(arena, x, TREES, 3, &rng);
    double first = 0.0, mean_cut = 0.0, spread = 0.0;
    for (int t = 0; t < TREES; t++) {
        const IsolationNode root = f.nodes[f.roots[t]];
        ck_assert(root.column == 0 || root.column == 2);
        if (root.column == 2) continue;
        const double cut = (double)root.threshold;
        first += 1.0, mean_cut += cut, spread += (cut - 0.5) * (cut - 0.5);
    }
    // standard errors: ½/√20000 = 0.0035, √(1/12)/√10000 = 0.0029, √(1/180)/√10000 = 0.00075
    ck_assert_msg(fabs(first / TREES - 0.5) < 0.018, "column 0 in %.4f of the trees", first / TREES);
    ck_assert_msg(fabs(mean_cut / first - 0.5) < 0.015, "cuts around %.4f", mean_cut / first);
    ck_assert_msg(fabs(spread / first - 1 / 12.0) < 0.004, "cuts with a variance of %.4f", spread / first);
    arena_free(arena);
}
END_TEST

START_TEST(equal_rows_are_one_leaf)
{
    Arena *arena = arena_new();
    Matrix x = matrix_new(arena, 50, 3);
    fill(x, 4.0f);
    Rng rng = rng_new(1, 0);
    IsolationForest f = isolation_forest_fit(arena, x, 5, 32, &rng);
    float scores[50];
    isolation_forest_scores(scores, &f, x);
    for (int t = 0; t < 5; t++) ck_assert_int_eq(f.nodes[f.roots[t]].left, f.roots[t]);
    for (int i = 0; i < 50; i++) ck_assert_double_eq_tol((double)scores[i], 0.5, 1e-6); // 2^−1
    arena_free(arena);
}
END_TEST

START_TEST(a_generator_gives_one_forest_and_then_another)
{
    Arena *arena = arena_new();
    Matrix x = cloud(arena, 300, 3, 0);
    Rng rng = rng_new(9, 0), same = rng;
    float a[300], b[300], c[300];
    IsolationForest f = isolation_forest_fit(arena, x, 10, 64, &rng);
    isolation_forest_scores(a, &f, x);
    f = isolation_forest_fit(arena, x, 10, 64, &same);
    isolation_forest_scores(b, &f, x);
    f = isolation_forest_fit(arena, x, 10, 64, &rng);
    isolation_forest_scores(c, &f, x);
    ck_assert(memcmp(a, b, sizeof a) == 0);
    ck_assert(memcmp(a, c, sizeof a) != 0);
    arena_free(arena);
}
END_TEST

static float bad[] = {1, 2, 3, NAN, 5, 6};
static void fit_nan(void *context)
{
    Rng rng = rng_new(1, 0);
    bad[3] = context ? INFINITY : NAN;
    isolation_forest_fit(arena_new(), matrix_view(3, 2, bad), 3, 3, &rng);
}
static void score_nan(void *context)
{
    (void)context;
    Rng rng = rng_new(1, 0);
    Arena *arena = arena_new();
    float scores[3];
    IsolationForest f = isolation_forest_fit(arena, matrix_new(arena, 4, 2), 3, 3, &rng);
    isolation_forest_scores(scores, &f, matrix_view(3, 2, bad));
}
static void wrong_columns(void *context)
{
    (void)context;
    Rng rng = rng_new(1, 0);
    Arena *arena = arena_new();
    float scores[3];
    IsolationForest f = isolation_forest_fit(arena, matrix_new(arena, 4, 2), 3, 3, &rng);
    isolation_forest_scores(scores, &f, matrix_new(arena, 3, 5));
}
static void one_row(void *context)
{
    (void)context;
    Rng rng = rng_new(1, 0);
    Arena *arena = arena_new();
    isolation_forest_fit(arena, matrix_new(arena, 1, 2), 3, 3, &rng);
}

START_TEST(what_has_no_forest_is_refused)
{
    int some = 1;
    expect_death(fit_nan, NULL, "isolation_forest_fit: x holds a NaN or an infinity");
    expect_death(fit_nan, &some, "isolation_forest_fit: x holds a NaN or an infinity");
    expect_death(score_nan, NULL, "isolation_forest_scores: x holds a NaN or an infinity");
    expect_death(wrong_columns, NULL, "x (3 × 5), a forest for 2 columns");
    expect_death(one_row, NULL, "3 trees of 3 rows of x (1 × 2)");
}
END_TEST

SUITE("isolation_forest", usual_lengths_are_those_of_search_trees,
      trees_cut_until_rows_are_alone_or_the_depth_is_reached, scores_are_two_to_the_minus_mean_path,
      rows_that_lie_apart_score_highest, cuts_are_uniform, equal_rows_are_one_leaf,
      a_generator_gives_one_forest_and_then_another, what_has_no_forest_is_refused)
