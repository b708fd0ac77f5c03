// Clustering, components, curves and logistic regression against scikit-learn: the numbers of tests/reference/clusters.txt.
#include "reference_numbers.h"
#include "learning/lbfgs.h"
#include "learning/logistic.h"
#include "learning/roc.h"
#include "matrix/symmetric.h"
#include "models/isolation_forest.h"
#include "models/kmeans.h"
#include "models/pca.h"

// A row of numbers in double precision
static Matrix row_of_doubles(Arena *arena, const double *values, int count)
{
    Matrix m = matrix_new(arena, 1, count);
    for (int i = 0; i < count; i++) m.data[i] = (float)values[i];
    return m;
}

static void expect_clusters(const Reference *r, int steps, const char *centres, const char *cost)
{
    const Kmeans found = kmeans_from(r->arena, given(r, "kmeans.start"), given(r, "x"), steps);
    expect_matrix(r, centres, found.centres);
    expect_matrix(r, cost, row_of_doubles(r->arena, &found.cost, 1));
    const int *labels = whole_numbers(r, "kmeans.labels");
    for (int i = 0; i < 60 && found.settled; i++) ck_assert_int_eq(found.labels[i], labels[i]);
}

START_TEST(k_means)
{
    Reference r = reference_open("clusters");
    expect_clusters(&r, 1, "kmeans.centres_after_one", "kmeans.cost_after_one");
    expect_clusters(&r, 300, "kmeans.centres", "kmeans.cost");
    reference_close(&r);
}
END_TEST

START_TEST(components)
{
    Reference r = reference_open("clusters");
    const Pca pca = pca_fit(r.arena, given(&r, "x"), 3);
    expect_matrix(&r, "pca.mean", pca.mean);
    expect_matrix(&r, "pca.components", pca.components);
    expect_matrix(&r, "pca.variances", pca.variances);
    scale(pca.variances, (float)(1.0 / pca.total_variance));
    expect_matrix(&r, "pca.ratio", pca.variances);
    reference_close(&r);
}
END_TEST

START_TEST(symmetric_matrices)
{
    Reference r = reference_open("clusters");
    double values[4];
    Matrix vectors = matrix_new(r.arena, 4, 4);
    symmetric_eigen(values, vectors, given(&r, "symmetric"));
    expect_matrix(&r, "symmetric.values", row_of_doubles(r.arena, values, 4));
    expect_matrix(&r, "symmetric.vectors", vectors);
    reference_close(&r);
}
END_TEST

START_TEST(curves)
{
    Reference r = reference_open("clusters");
    const Matrix scores = given(&r, "scores");
    const int *labels = whole_numbers(&r, "labels");
    bool positive[60];
    for (int i = 0; i < 60; i++) positive[i] = labels[i] == 1;
    const double area = roc_area(scores.data, positive, 60);
    expect_matrix(&r, "roc.area", row_of_doubles(r.arena, &area, 1));
    const RocCurve curve = roc_curve(r.arena, scores.data, positive, 60);
    const Matrix expected = given(&r, "roc.thresholds");
    ck_assert_int_eq(curve.count - 1, expected.cols);
    for (int i = 1; i < curve.count; i++) {
        const RocPoint point = curve.points[i];
        ck_assert(point.threshold == expected.data[i - 1]);
        ck_assert_double_eq_tol(point.false_positive_rate, (double)given(&r, "roc.false").data[i - 1], 1e-6);
        ck_assert_double_eq_tol(point.true_positive_rate, (double)given(&r, "roc.true").data[i - 1], 1e-6);
    }
    reference_close(&r);
}
END_TEST

// The minimum is flat where the biases all grow alike: without their mean, they are compared.
START_TEST(logistic_regression)
{
    Reference r = reference_open("clusters");
    const Matrix x = given(&r, "x");
    const int *labels = whole_numbers(&r, "labels"), *expected = whole_numbers(&r, "logistic.labels");
    LogisticProblem problem = logistic_problem(r.arena, x, labels, 3, given(&r, "logistic.decay").data[0]);
    Matrix w = matrix_new(r.arena, 5, 3), biases = matrix_rows(w, 4, 1);
    const LbfgsResult found = lbfgs_minimise(r.arena, w, logistic_objective, &problem,
                                             ((LbfgsOptions){.iterations = 200, .tolerance = 1e-6}));
    ck_assert_msg(found.converged, "a gradient of %g", found.largest_gradient);
    int predicted[60];
    logistic_predict(predicted, w, x);
    for (int i = 0; i < 60; i++) ck_assert_int_eq(predicted[i], expected[i]);
    add_scalar(biases, -(float)mean(biases));
    // The curvature is at least the decay, 1/30, for weights: a gradient of 1e-6 is 3e-5 of a weight.
    expect_within(&r, "logistic.weights", matrix_rows(w, 0, 4), 5e-5);
    expect_within(&r, "logistic.biases", biases, 5e-5);
    reference_close(&r);
}
END_TEST

// scikit-learn estimates the harmonic number H(n) by ln n + 0.5772…, which is 1/2n too little.
START_TEST(lengths_of_paths)
{
    Reference r = reference_open("clusters");
    const int *sizes = whole_numbers(&r, "sizes");
    const Matrix lengths = given(&r, "path_lengths");
    for (int i = 0; i < lengths.cols; i++) {
        const double missing = sizes[i] > 2 ? 1.0 / (sizes[i] - 1) : 0.0;
        ck_assert_double_eq_tol(isolation_usual_length(sizes[i]), (double)lengths.data[i] + missing,
                                0.2 * missing * missing + 1e-6);
    }
    reference_close(&r);
}
END_TEST

SUITE("reference_clusters", k_means, components, symmetric_matrices, curves, logistic_regression,
      lengths_of_paths)
