#include "learning/logistic.h"
#include "base/check.h"
#include "base/mathf.h"
#include "base/parallel.h"
#include "matrix/gemm.h"

#include <string.h>

enum { ROWS_AT_ONCE = 64, MOST_PARTS = 32, LEAST_ROWS = 256 };

LogisticProblem logistic_problem_at(Place place, Arena *arena, Matrix x, const int *labels, int classes,
                                    float decay)
{
    check_at(place, x.rows > 0 && x.cols > 0 && classes > 1 && decay >= 0.0f,
             "at least one row and two classes", "logistic_problem: x (%d × %d), %d classes, a decay of %g",
             x.rows, x.cols, classes, (double)decay);
    for (int i = 0; i < x.rows; i++)
        check_at(place, labels[i] >= 0 && labels[i] < classes, "labels count from 0",
                 "logistic_problem: label %d of row %d, %d classes", labels[i], i, classes);
    return (LogisticProblem){x, labels, classes, decay, arena};
}

static void check_weights(Place place, const char *name, Matrix w, int cols, int classes)
{
    check_at(place, w.rows == cols + 1 && w.cols == classes,
             "one row for each column of x, then the biases; one column for each class",
             "%s: x has %d columns, w is (%d × %d) for %d classes", name, cols, w.rows, w.cols, classes);
}

// scores (K), a row without its biases, becomes softmax − one-hot: the gradient of the row's loss, which is returned.
static double row_loss(float *scores, const float *biases, int classes, int label)
{
    float most = -INFINITY, total = 0.0f;
    for (int c = 0; c < classes; c++) {
        scores[c] += biases[c];
        most = scores[c] > most ? scores[c] : most;
    }
    const double own = (double)scores[label] - (double)most;
    for (int c = 0; c < classes; c++) {
        scores[c] = exp32(scores[c] - most);
        total += scores[c];
    }
    for (int c = 0; c < classes; c++) scores[c] /= total;
    scores[label] -= 1.0f;
    return (double)log32(total) - own;
}

// What some rows add up: the loss and its gradient, transposed (K × d), and that of the biases
typedef struct {
    float *weights; // (K × d)
    double *biases; // [K]
    float *errors;  // (ROWS_AT_ONCE × K): scores, then errors
    double loss;
} Part;

static void add_rows(const LogisticProblem *p, const GemmFactor *factor, const float *biases, Part *part,
                     int first, int end)
{
    const int k = p->classes, d = p->x.cols;
    for (int at = first; at < end; at += ROWS_AT_ONCE) {
        const int count = int_min(ROWS_AT_ONCE, end - at);
        const float *rows = matrix_row(p->x, at);
        gemm_packed(count, false, rows, d, factor, part->errors, k);
        for (int i = 0; i < count; i++) {
            float *errors = part->errors + (size_t)i * (size_t)k;
            part->loss += row_loss(errors, biases, k, p->labels[at + i]);
            for (int c = 0; c < k; c++) part->biases[c] += (double)errors[c];
        }
        const GemmShape shape = {.m = k, .n = d, .k = count, .transpose_a = true, .accumulate = at > first};
        gemm(shape, part->errors, k, rows, d, part->weights, d);
    }
}

// gradient ← the parts' sum / N, and the decay's; returns Σ W²
static double join_parts(Matrix gradient, Matrix w, const LogisticProblem *p, const Part *parts, int count)
{
    const int k = p->classes, d = p->x.cols;
    const double rows = p->x.rows;
    double squares = 0.0;
    for (int j = 0; j < d; j++)
        for (int c = 0; c < k; c++) {
            double total = 0.0;
            for (int i = 0; i < count; i++)
                total += (double)parts[i].weights[(size_t)c * (size_t)d + (size_t)j];
            const double weight = (double)AT(w, j, c);
            AT(gradient, j, c) = (float)(total / rows + (double)p->decay * weight);
            squares += weight * weight;
        }
    for (int c = 0; c < k; c++) {
        double total = 0.0;
        for (int i = 0; i < count; i++) total += parts[i].biases[c];
        AT(gradient, d, c) = (float)(total / rows);
    }
    return squares;
}

double logistic_objective(Matrix gradient, Matrix w, void *problem)
{
    const LogisticProblem *p = problem;
    const int k = p->classes, d = p->x.cols, n = p->x.rows;
    check_weights(HERE, "logistic_objective", w, d, k);
    check_weights(HERE, "logistic_objective", gradient, d, k);
    const ArenaMark mark = arena_mark(p->arena);
    const GemmFactor factor = gemm_pack(p->arena, d, k, false, w.data, k);
    const int part_rows = int_max(LEAST_ROWS, (n + MOST_PARTS - 1) / MOST_PARTS),
              part_count = (n + part_rows - 1) / part_rows;
    Part parts[MOST_PARTS] = {0};
    for (int i = 0; i < part_count; i++) {
        parts[i].weights = arena_alloc(p->arena, (size_t)k * (size_t)d, sizeof(float));
        parts[i].biases = arena_zeros(p->arena, (size_t)k, sizeof(double));
        parts[i].errors = arena_alloc(p->arena, (size_t)k, ROWS_AT_ONCE * sizeof(float));
    }
#pragma omp parallel for schedule(dynamic) if (parallel_worth(matrix_size(p->x)))
    for (int i = 0; i < part_count; i++)
        add_rows(p, &factor, matrix_row(w, d), &parts[i], i * part_rows, int_min(n, (i + 1) * part_rows));
    double loss = 0.0;
    for (int i = 0; i < part_count; i++) loss += parts[i].loss;
    const double squares = join_parts(gradient, w, p, parts, part_count);
    arena_rewind(p->arena, mark);
    // What is not finite is seen in the loss, at no price.
    check(isfinite(loss) || all_finite(p->x), "look for a gap in the data or a division by zero",
          "logistic_objective: x holds a NaN or an infinity");
    return loss / n + 0.5 * (double)p->decay * squares;
}

// ---- Minibatches --------------------------------------------------------------------------------------------

// One step with the gathered rows (count × d) of these labels; errors (count × K) is scratch.
static void take_step(const LogisticProblem *p, Matrix w, const float *rows, const int *labels, int count,
                      float rate, float *errors)
{
    const int k = p->classes, d = p->x.cols;
    float *biases = matrix_row(w, d);
    const float step = -rate / (float)count, shrink = 1.0f - rate * p->decay;
    gemm((GemmShape){.m = count, .n = k, .k = d}, rows, d, w.data, k, errors, k);
    for (int i = 0; i < count; i++) row_loss(errors + (size_t)i * (size_t)k, biases, k, labels[i]);
    for (size_t i = 0; i < (size_t)count * (size_t)k; i++) errors[i] *= step;
    if (p->decay > 0.0f) scale(matrix_rows(w, 0, d), shrink);
    for (int i = 0; i < count; i++)
        for (int c = 0; c < k; c++) biases[c] += errors[(size_t)i * (size_t)k + (size_t)c];
    gemm((GemmShape){.m = d, .n = k, .k = count, .transpose_a = true, .accumulate = true}, rows, d, errors, k,
         w.data, k);
}

void logistic_sgd_at(Place place, const LogisticProblem *problem, Matrix w, LogisticPlan plan, Rng *rng)
{
    const int d = problem->x.cols, n = problem->x.rows;
    check_weights(place, "logistic_sgd", w, d, problem->classes);
    check_at(place, plan.epochs >= 0 && plan.batch > 0, "a minibatch has at least one example",
             "logistic_sgd: %d epochs of minibatches of %d", plan.epochs, plan.batch);
    const ArenaMark mark = arena_mark(problem->arena);
    const int batch = int_min(plan.batch, n);
    Matrix rows = matrix_uninitialised_at(place, problem->arena, batch, d),
           errors = matrix_uninitialised_at(place, problem->arena, batch, problem->classes);
    int *order = arena_alloc_at(place, problem->arena, (size_t)n, sizeof *order),
        *labels = arena_alloc_at(place, problem->arena, (size_t)batch, sizeof *labels);
    const double steps = (double)plan.epochs * ((n + batch - 1) / batch);
    double step = 0.0;
    for (int epoch = 0; epoch < plan.epochs; epoch++) {
        rng_permutation(rng, order, n);
        for (int first = 0; first < n; first += batch, step += 1.0) {
            const int count = int_min(batch, n - first);
            gather_rows(matrix_rows(rows, 0, count), problem->x, order + first);
            for (int i = 0; i < count; i++) labels[i] = problem->labels[order[first + i]];
            const float rate = plan.rate * (float)(1.0 - step / steps);
            take_step(problem, w, rows.data, labels, count, rate, errors.data);
        }
    }
    check_at(place, all_finite(w), "take a smaller rate, or look for a gap in the data",
             "logistic_sgd: the weights are no longer finite");
    arena_rewind(problem->arena, mark);
}

void logistic_predict_at(Place place, int *labels, Matrix w, Matrix x)
{
    const int d = x.cols, k = w.cols;
    check_weights(place, "logistic_predict", w, d, k);
    Arena *arena = arena_new();
    Matrix scores = matrix_uninitialised(arena, x.rows, k);
    matmul(scores, x, matrix_rows(w, 0, d));
    add_row(scores, matrix_rows(w, d, 1));
    row_argmax(labels, scores);
    arena_free(arena);
}
