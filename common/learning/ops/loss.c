// loss.c: softmax and losses. See loss.h.
#include "learning/ops/loss.h"
#include "base/mathf.h"
#include "base/parallel.h"
#include "matrix/lanes.h"

#include <math.h>
#include <string.h>

enum { EXP_COST = 8 }; // an exponential is worth about this many elementary operations

// Rows are worked on in blocks that fit the first-level cache: first the largest element of each row, then
// all exponentials of the block in one run, which is vector code however short the rows are, then the sums, and
// then all logarithms in one run.
enum { BLOCK_ELEMENTS = 2048, SOFTMAX_ROWS = 512 };

// Σ a_j of terms that are not negative. In a short row the tree of lanes.h has few branches; the others hold zeros.
static inline float short_sum(const float *a, int count)
{
    if (count > LANES / 2) return lanes_sum(a, count);
    float x[LANES / 2];
    for (int l = 0; l < LANES / 2; l++) x[l] = l < count ? a[l] : 0.0f;
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

// y = softmax of the rows first … last−1 of x. With labels, losses_i = log Σ_j e^(x_ij − largest) + largest −
// x_i,label. Where the label has the largest score, its term of the sum is 1; where the others are small next to
// it, their sum is taken alone: 1 + 2e-9 would be rounded to 1, and the loss to 0.
static void softmax_block(Matrix y, Matrix x, int first, int last, float *losses, const int *labels)
{
    float totals[SOFTMAX_ROWS], others[SOFTMAX_ROWS];
    for (int i = first; i < last; i++) {
        const float *in = matrix_row(x, i);
        float *out = matrix_row(y, i), most = lanes_max(in, x.cols);
        if (labels) losses[i] = labels[i] == LABEL_IGNORED ? 0.0f : most - in[labels[i]];
        for (int j = 0; j < x.cols; j++) out[j] = in[j] - most;
    }
    float *block = matrix_row(y, first);
    size_t count = (size_t)(last - first) * (size_t)y.cols;
    for (size_t i = 0; i < count; i++) block[i] = exp32(block[i]);
    for (int i = first; i < last; i++) {
        float *out = matrix_row(y, i), total = short_sum(out, y.cols), share = 1.0f / total;
        totals[i - first] = total, others[i - first] = 0.0f;
        if (labels && labels[i] != LABEL_IGNORED && losses[i] == 0.0f && total < 1.5f) {
            out[labels[i]] = 0.0f;
            others[i - first] = short_sum(out, y.cols);
            out[labels[i]] = 1.0f;
        }
        for (int j = 0; j < y.cols; j++) out[j] *= share;
    }
    if (!labels) return;
    for (int r = 0; r < last - first; r++) {
        const float all = log32(totals[r]), rest = log1p32(others[r]);
        totals[r] = losses[first + r] == 0.0f && totals[r] < 1.5f ? rest : all;
    }
    for (int i = first; i < last; i++)
        if (labels[i] != LABEL_IGNORED) losses[i] += totals[i - first];
}

static void softmax_blocks(Matrix y, Matrix x, float *losses, const int *labels)
{
    const int size = int_max(1, int_min(SOFTMAX_ROWS, BLOCK_ELEMENTS / int_max(1, x.cols)));
    PARALLEL_FOR(parallel_worth(matrix_size(x) * EXP_COST), block, (x.rows + size - 1) / size,
                 softmax_block(y, x, block * size, int_min(x.rows, (block + 1) * size), losses, labels));
}

void softmax_rows_at(Place place, Matrix out, Matrix m)
{
    check_at(place, same_shape(out, m) && m.cols > 0,
             "the result has the shape of the scores, at least one column",
             "softmax_rows: (%d × %d) into (%d × %d)", m.rows, m.cols, out.rows, out.cols);
    softmax_blocks(out, m, NULL, NULL);
}

void softmax_rows_backward(Matrix d_x, Matrix d_y, Matrix y)
{
    if (!d_x.data) return;
    // y_j = e^x_j / Σ: dy_j/dx_k = y_j ([j = k] − y_k), so d_x_k = y_k (d_y_k − Σ_j d_y_j y_j)
    PARALLEL_FOR(parallel_worth(matrix_size(y) * 2), i, y.rows, {
        const float *out = matrix_row(y, i), *d_out = matrix_row(d_y, i);
        float *d_in = matrix_row(d_x, i), overlap = lanes_dot(d_out, out, y.cols);
        for (int j = 0; j < y.cols; j++) d_in[j] = __builtin_fmaf(out[j], d_out[j] - overlap, d_in[j]);
    });
}

static float log_sum_of_row(const float *row, int cols)
{
    const float most = lanes_max(row, cols);
    // ∞ − ∞ is no number, so an infinite largest element is the answer itself: log 0 = −∞ when all are −∞.
    if (isinf(most)) {
        for (int j = 0; j < cols; j++)
            if (isnan(row[j])) return row[j];
        return most;
    }
    Lanes total = {0};
    for (int j = 0; j < cols; j++) total[j % LANES] += exp32(row[j] - most);
    return most + log32(lanes_join(&total));
}

void log_sum_exp_at(Place place, Matrix out, Matrix m)
{
    check_at(place, out.rows == m.rows && out.cols == 1 && m.cols > 0, "the result is one column",
             "log_sum_exp: (%d × %d) into (%d × %d)", m.rows, m.cols, out.rows, out.cols);
    PARALLEL_FOR(parallel_worth(matrix_size(m) * EXP_COST), i, m.rows,
                 out.data[i] = log_sum_of_row(matrix_row(m, i), m.cols));
}

// ---- Losses -----------------------------------------------------------------------------------------------

void need_labels(Place place, const char *operation, const int *labels, int rows, int classes)
{
    for (int i = 0; i < rows; i++)
        check_at(place, labels[i] == LABEL_IGNORED || (labels[i] >= 0 && labels[i] < classes),
                 "labels run from 0 to the number of classes − 1", "%s: label %d (row %d) for %d classes",
                 operation, labels[i], i, classes);
}

int counted_labels(const int *labels, int rows)
{
    int counted = 0;
    for (int i = 0; i < rows; i++) counted += labels[i] != LABEL_IGNORED;
    return counted;
}

float cross_entropy_forward(Matrix probabilities, Matrix row_losses, Matrix logits, const int *labels)
{
    need_labels(HERE, "cross_entropy_forward", labels, logits.rows, logits.cols);
    softmax_blocks(probabilities, logits, row_losses.data, labels);
    return (float)(sum(row_losses) / counted_labels(labels, logits.rows));
}

void cross_entropy_backward(Matrix d_logits, float d_loss, Matrix probabilities, const int *labels)
{
    if (!d_logits.data) return;
    need_labels(HERE, "cross_entropy_backward", labels, probabilities.rows, probabilities.cols);
    // loss = 1/n Σ_i (log Σ_j e^x_ij − x_i,label): d loss / d x_ij = 1/n (softmax_ij − [j = label_i])
    const float share = d_loss / (float)counted_labels(labels, probabilities.rows);
    PARALLEL_FOR(parallel_worth(matrix_size(probabilities)), i, probabilities.rows, {
        if (labels[i] == LABEL_IGNORED) continue;
        const float *p = matrix_row(probabilities, i);
        float *d = matrix_row(d_logits, i);
        for (int j = 0; j < probabilities.cols; j++) d[j] = __builtin_fmaf(share, p[j], d[j]);
        d[labels[i]] -= share;
    });
}

// Sums over all elements: terms are computed a block at a time, a block is summed in lanes, blocks are added
// in double precision; so is a block whose sum is no float, though the mean may be one.
enum { TERMS = 1024 };

// Σ (p − t)² where a square, or the sum, is no float
static double wide_squares(const float *p, const float *t, int count)
{
    double total = 0.0;
    for (int i = 0; i < count; i++) total += ((double)p[i] - (double)t[i]) * ((double)p[i] - (double)t[i]);
    return total;
}

float mean_squared_error_forward(Matrix prediction, Matrix target)
{
    size_t count = matrix_size(prediction);
    double total = 0.0;
    for (size_t first = 0; first < count; first += TERMS) {
        const float *p = prediction.data + first, *t = target.data + first;
        int block = count - first < TERMS ? (int)(count - first) : TERMS;
        float term[TERMS];
        for (int i = 0; i < block; i++) term[i] = (p[i] - t[i]) * (p[i] - t[i]);
        const float part = lanes_sum(term, block);
        total += part < INFINITY ? (double)part : wide_squares(p, t, block);
    }
    return (float)(total / (double)count);
}

void mean_squared_error_backward(Matrix d_prediction, float d_loss, Matrix prediction, Matrix target)
{
    if (!d_prediction.data) return;
    // loss = 1/n Σ (p − t)²: d loss / dp = 2/n (p − t)
    size_t count = matrix_size(prediction);
    const float share = 2.0f * d_loss / (float)count;
    float *d = d_prediction.data;
    PARALLEL_EACH(i, count, d[i] = __builtin_fmaf(share, prediction.data[i] - target.data[i], d[i]));
}

// −t log σ(x) − (1 − t) log(1 − σ(x)) = softplus(x) − t x. As max(0, x) + log(1 + e^−|x|) − t x, with the first and
// the last term joined before the small one is added: neither is rounded at the size of x. What has no weight does
// not count, however far out x is.
static inline float binary_loss(float x, float t)
{
    const float weight = x > 0.0f ? 1.0f - t : t, linear = weight * __builtin_fabsf(x);
    return (weight == 0.0f ? 0.0f : linear) + softplus32(-__builtin_fabsf(x));
}

// Its slope σ(x) − t. For x > 0 as (1 − t) − σ(−x): where σ(x) is nearly 1, only σ(−x) has all its digits.
static inline float binary_slope(float x, float t)
{
    const float tail = sigmoid32(-__builtin_fabsf(x));
    return x > 0.0f ? (1.0f - t) - tail : tail - t;
}

float binary_cross_entropy_forward(Matrix logits, Matrix targets)
{
    size_t count = matrix_size(logits);
    double total = 0.0;
    for (size_t first = 0; first < count; first += TERMS) {
        const float *x = logits.data + first, *t = targets.data + first;
        int block = count - first < TERMS ? (int)(count - first) : TERMS;
        float term[TERMS];
        for (int i = 0; i < block; i++) term[i] = binary_loss(x[i], t[i]);
        const float part = lanes_sum(term, block);
        total += part < INFINITY ? (double)part : sum(matrix_view(1, block, term));
    }
    return (float)(total / (double)count);
}

void binary_cross_entropy_backward(Matrix d_logits, float d_loss, Matrix logits, Matrix targets)
{
    if (!d_logits.data) return;
    // loss = 1/n Σ (softplus(x) − t x): d loss / dx = 1/n (σ(x) − t)
    size_t count = matrix_size(logits);
    const float share = d_loss / (float)count;
    float *d = d_logits.data;
    PARALLEL_EACH(i, count,
                  d[i] = __builtin_fmaf(share, binary_slope(logits.data[i], targets.data[i]), d[i]));
}

// Where the first largest score stands; −1 when one is not a number: then none is the largest.
static int largest_column(const float *scores, int cols)
{
    int best = 0, missing = 0;
    for (int j = 0; j < cols; j++) missing |= scores[j] != scores[j];
    for (int j = 1; j < cols; j++)
        if (scores[j] > scores[best]) best = j;
    return missing ? -1 : best;
}

double accuracy_at(Place place, Matrix scores, const int *labels)
{
    check_at(place, scores.rows > 0 && scores.cols > 0, "give at least one row of scores",
             "accuracy: (%d × %d)", scores.rows, scores.cols);
    need_labels(place, "accuracy", labels, scores.rows, scores.cols);
    const int counted = counted_labels(labels, scores.rows);
    check_at(place, counted > 0, "at least one row must count", "accuracy: %d rows, all ignored",
             scores.rows);
    int right = 0;
    for (int i = 0; i < scores.rows; i++)
        right +=
            labels[i] != LABEL_IGNORED && largest_column(matrix_row(scores, i), scores.cols) == labels[i];
    return (double)right / counted;
}

// ---- Taped ------------------------------------------------------------------------------------------------

static void softmax_step(Tensor *self)
{
    softmax_rows_backward(tensor_gradient(self->inputs[0]), self->gradient, self->value);
}

Tensor *softmax_at(Place place, Tensor *x)
{
    Tensor *y = tensor_node(place, "softmax", x->value.rows, x->value.cols, softmax_step, 0, 1, x);
    softmax_rows_at(place, y->value, x->value);
    return y;
}

typedef struct {
    Matrix probabilities;
    const int *labels;
} CrossEntropy;

static void cross_entropy_step(Tensor *self)
{
    const CrossEntropy *context = self->context;
    cross_entropy_backward(tensor_gradient(self->inputs[0]), self->gradient.data[0], context->probabilities,
                           context->labels);
}

Tensor *cross_entropy_at(Place place, Tensor *logits, const int *labels)
{
    int rows = logits->value.rows, classes = logits->value.cols;
    need_labels(place, "cross_entropy", labels, rows, classes);
    check_at(place, counted_labels(labels, rows) > 0, "at least one row must count",
             "cross_entropy: %d rows, all ignored", rows);

    Tensor *loss =
        tensor_node(place, "cross_entropy", 1, 1, cross_entropy_step, sizeof(CrossEntropy), 1, logits);
    Arena *arena = tape_arena(loss->tape);
    CrossEntropy *context = loss->context;
    int *held = arena_alloc_at(place, arena, (size_t)rows, sizeof *held);
    memcpy(held, labels, (size_t)rows * sizeof *held);
    context->labels = held;
    context->probabilities = matrix_uninitialised_at(place, arena, rows, classes);
    Matrix row_losses = matrix_uninitialised_at(place, arena, rows, 1);
    loss->value.data[0] = cross_entropy_forward(context->probabilities, row_losses, logits->value, held);
    return loss;
}

static void need_targets(Place place, const char *name, const Tensor *x, Matrix target)
{
    check_at(place, same_shape(x->value, target), "one target for each prediction",
             "%s: predictions (%d × %d), targets (%d × %d)", name, x->value.rows, x->value.cols, target.rows,
             target.cols);
    check_at(place, matrix_size(target) > 0, "a mean needs at least one element", "%s: nothing to compare",
             name);
}

static void mean_squared_error_step(Tensor *self)
{
    mean_squared_error_backward(tensor_gradient(self->inputs[0]), self->gradient.data[0],
                                self->inputs[0]->value, *(const Matrix *)self->context);
}

Tensor *mean_squared_error_at(Place place, Tensor *prediction, Matrix target)
{
    need_targets(place, "mean_squared_error", prediction, target);
    Tensor *loss =
        tensor_node(place, "mean_squared_error", 1, 1, mean_squared_error_step, sizeof target, 1, prediction);
    memcpy(loss->context, &target, sizeof target);
    loss->value.data[0] = mean_squared_error_forward(prediction->value, target);
    return loss;
}

static void binary_cross_entropy_step(Tensor *self)
{
    binary_cross_entropy_backward(tensor_gradient(self->inputs[0]), self->gradient.data[0],
                                  self->inputs[0]->value, *(const Matrix *)self->context);
}

Tensor *binary_cross_entropy_at(Place place, Tensor *logits, Matrix targets)
{
    need_targets(place, "binary_cross_entropy", logits, targets);
    Tensor *loss = tensor_node(place, "binary_cross_entropy", 1, 1, binary_cross_entropy_step, sizeof targets,
                               1, logits);
    memcpy(loss->context, &targets, sizeof targets);
    loss->value.data[0] = binary_cross_entropy_forward(logits->value, targets);
    return loss;
}

// ---- Taped, with the last product: an output tied to a table ------------------------------------------------

enum { LOGITS = 1 << 18 }; // so many are held at a time, at least ROWS_AT_ONCE rows of them
enum { ROWS_AT_ONCE = 32 };

typedef struct {
    const int *labels;
    int counted, block; // rows that count; rows at a time
} TiedContext;

static int rows_left(const TiedContext *context, Matrix x, int first)
{
    return int_min(context->block, x.rows - first);
}

// losses (N × 1) of the rows first … first + count − 1; probabilities (block × V) receives theirs
static void tied_block(Matrix probabilities, Matrix losses, const TiedContext *context, Matrix x,
                       Matrix table, int first, int count)
{
    matmul_nt(probabilities, matrix_rows(x, first, count), table);
    cross_entropy_forward(probabilities, matrix_rows(losses, first, count), probabilities,
                          context->labels + first);
}

static void tied_cross_entropy_step(Tensor *self)
{
    const TiedContext *context = self->context;
    Tensor *x = self->inputs[0], *table = self->inputs[1];
    Matrix d_x = tensor_gradient(x), d_table = tensor_gradient(table);
    Arena *scratch = tape_arena(self->tape);
    ArenaMark mark = arena_mark(scratch);
    Matrix room = matrix_uninitialised(scratch, context->block, table->value.rows);
    Matrix losses = matrix_uninitialised(scratch, x->value.rows, 1);
    const float share = self->gradient.data[0] / (float)context->counted;
    for (int first = 0; first < x->value.rows; first += context->block) {
        const int count = rows_left(context, x->value, first);
        Matrix d_logits = matrix_rows(room, 0, count);
        tied_block(d_logits, losses, context, x->value, table->value, first, count);
        // loss = 1/n Σ_i (log Σ_j e^x_ij − x_i,label): see cross_entropy_backward
        PARALLEL_FOR(parallel_worth(matrix_size(d_logits)), i, count, {
            const int label = context->labels[first + i];
            float *d = matrix_row(d_logits, i);
            for (int j = 0; j < d_logits.cols; j++) d[j] *= label == LABEL_IGNORED ? 0.0f : share;
            if (label != LABEL_IGNORED) d[label] -= share;
        });
        // logits = x · tableᵀ
        if (d_x.data) matmul_add(matrix_rows(d_x, first, count), d_logits, table->value);
        if (d_table.data) matmul_tn_add(d_table, d_logits, matrix_rows(x->value, first, count));
    }
    arena_rewind(scratch, mark);
}

Tensor *tied_cross_entropy_at(Place place, Tensor *x, Tensor *table, const int *labels)
{
    const int rows = x->value.rows, classes = table->value.rows;
    int counted = 0;
    check_at(place, x->value.cols == table->value.cols, "a row of the table is as wide as a row of x",
             "tied_cross_entropy: (%d × %d) · (%d × %d)ᵀ", rows, x->value.cols, classes, table->value.cols);
    for (int i = 0; i < rows; i++) {
        check_at(place, labels[i] == LABEL_IGNORED || (labels[i] >= 0 && labels[i] < classes),
                 "labels run from 0 to the rows of the table − 1",
                 "tied_cross_entropy: label %d (row %d) for %d classes", labels[i], i, classes);
        counted += labels[i] != LABEL_IGNORED;
    }
    check_at(place, counted > 0, "at least one row must count", "tied_cross_entropy: %d rows, all ignored",
             rows);

    Tensor *loss = tensor_node(place, "tied_cross_entropy", 1, 1, tied_cross_entropy_step,
                               sizeof(TiedContext), 2, x, table);
    Arena *arena = tape_arena(loss->tape);
    TiedContext *context = loss->context;
    int *held = arena_alloc_at(place, arena, (size_t)rows, sizeof *held);
    memcpy(held, labels, (size_t)rows * sizeof *held);
    *context = (TiedContext){held, counted, int_min(rows, int_max(ROWS_AT_ONCE, LOGITS / classes))};

    ArenaMark mark = arena_mark(arena);
    Matrix room = matrix_uninitialised_at(place, arena, context->block, classes);
    Matrix losses = matrix_uninitialised_at(place, arena, rows, 1);
    for (int first = 0; first < rows; first += context->block) {
        const int count = rows_left(context, x->value, first);
        tied_block(matrix_rows(room, 0, count), losses, context, x->value, table->value, first, count);
    }
    loss->value.data[0] = (float)(sum(losses) / counted);
    arena_rewind(arena, mark);
    return loss;
}
