// likelihood.c: see likelihood.h.
#include "learning/ops/likelihood.h"
#include "base/mathf.h"
#include "base/parallel.h"
#include "matrix/lanes.h"

#include <string.h>

// ---- Rows ------------------------------------------------------------------------------------------------------

void row_log_probabilities_forward(Matrix log_probabilities, Matrix probabilities, Matrix logits,
                                   const int *labels)
{
    // A mean over rows is asked for as well, and not looked at: it is NaN where all rows are ignored.
    cross_entropy_forward(probabilities, log_probabilities, logits, labels);
    for (int i = 0; i < logits.rows; i++) log_probabilities.data[i] = 0.0f - log_probabilities.data[i];
}

void row_log_probabilities_backward(Matrix d_logits, Matrix d_y, Matrix probabilities, const int *labels)
{
    if (!d_logits.data) return;
    // y_i = x_i,label − log Σ_j e^x_ij: dy_i/dx_ij = [j = label_i] − softmax_ij
    PARALLEL_FOR(parallel_worth(matrix_size(probabilities)), i, probabilities.rows, {
        if (labels[i] == LABEL_IGNORED) continue;
        const float *p = matrix_row(probabilities, i), d = d_y.data[i];
        float *out = matrix_row(d_logits, i);
        for (int j = 0; j < probabilities.cols; j++) out[j] = __builtin_fmaf(-d, p[j], out[j]);
        out[labels[i]] += d;
    });
}

// ---- Soft targets ----------------------------------------------------------------------------------------------

float soft_cross_entropy_forward(Matrix probabilities, Matrix row_losses, Matrix logits, Matrix targets)
{
    log_sum_exp(row_losses, logits);
    // −Σ_j t_j (x_j − log Σ e^x) = Σ_j t_j (log Σ e^x − x_j): terms that are not negative, so that none cancels another
    PARALLEL_FOR(parallel_worth(matrix_size(logits)), i, logits.rows, {
        const float *x = matrix_row(logits, i), *t = matrix_row(targets, i), normaliser = row_losses.data[i];
        Lanes total = {0};
        for (int j = 0; j < logits.cols; j++)
            total[j % LANES] +=
                t[j] == 0.0f ? 0.0f : t[j] * (normaliser - x[j]); // a forbidden class has x = −∞
        row_losses.data[i] = lanes_join(&total);
    });
    softmax_rows(probabilities, logits);
    return (float)(sum(row_losses) / logits.rows);
}

void soft_cross_entropy_backward(Matrix d_logits, float d_loss, Matrix probabilities, Matrix targets)
{
    if (!d_logits.data) return;
    // loss = 1/n Σ_i (s_i log Σ_j e^x_ij − Σ_j t_ij x_ij), s_i = Σ_j t_ij: d loss / d x_ij = 1/n (s_i softmax_ij − t_ij)
    const float share = d_loss / (float)probabilities.rows;
    PARALLEL_FOR(parallel_worth(matrix_size(probabilities)), i, probabilities.rows, {
        const float *p = matrix_row(probabilities, i), *t = matrix_row(targets, i);
        const float all = lanes_sum(t, targets.cols);
        float *out = matrix_row(d_logits, i);
        for (int j = 0; j < probabilities.cols; j++)
            out[j] = __builtin_fmaf(share, __builtin_fmaf(all, p[j], -t[j]), out[j]);
    });
}

// ---- Taped -----------------------------------------------------------------------------------------------------

typedef struct {
    Matrix probabilities;
    const int *labels;
    const float *weights; // divided by −n; NULL: none
} Rows;

static void *copied(Place place, Arena *arena, const void *from, int count, size_t size)
{
    void *held = arena_alloc_at(place, arena, (size_t)count, size);
    return memcpy(held, from, (size_t)count * size);
}

static void row_log_probabilities_step(Tensor *self)
{
    const Rows *rows = self->context;
    row_log_probabilities_backward(tensor_gradient(self->inputs[0]), self->gradient, rows->probabilities,
                                   rows->labels);
}

Tensor *row_log_probabilities_at(Place place, Tensor *logits, const int *labels)
{
    const int count = logits->value.rows;
    need_labels(place, "row_log_probabilities", labels, count, logits->value.cols);
    Tensor *y = tensor_node(place, "row_log_probabilities", count, 1, row_log_probabilities_step,
                            sizeof(Rows), 1, logits);
    Arena *arena = tape_arena(y->tape);
    Rows *rows = y->context;
    rows->labels = copied(place, arena, labels, count, sizeof *labels);
    rows->probabilities = matrix_uninitialised_at(place, arena, count, logits->value.cols);
    row_log_probabilities_forward(y->value, rows->probabilities, logits->value, rows->labels);
    return y;
}

static void cross_entropy_weighted_step(Tensor *self)
{
    // loss = Σ_i v_i log p_i, v_i = −w_i / n
    const Rows *rows = self->context;
    const int count = rows->probabilities.rows;
    Matrix d_y = matrix_uninitialised(tape_arena(self->tape), count, 1);
    for (int i = 0; i < count; i++) d_y.data[i] = self->gradient.data[0] * rows->weights[i];
    row_log_probabilities_backward(tensor_gradient(self->inputs[0]), d_y, rows->probabilities, rows->labels);
}

Tensor *cross_entropy_weighted_at(Place place, Tensor *logits, const int *labels, const float *weights)
{
    const int count = logits->value.rows;
    need_labels(place, "cross_entropy_weighted", labels, count, logits->value.cols);
    const int counted = counted_labels(labels, count);
    check_at(place, counted > 0, "at least one row must count",
             "cross_entropy_weighted: %d rows, all ignored", count);
    Tensor *loss = tensor_node(place, "cross_entropy_weighted", 1, 1, cross_entropy_weighted_step,
                               sizeof(Rows), 1, logits);
    Arena *arena = tape_arena(loss->tape);
    Rows *rows = loss->context;
    rows->labels = copied(place, arena, labels, count, sizeof *labels);
    rows->probabilities = matrix_uninitialised_at(place, arena, count, logits->value.cols);
    float *shares = copied(place, arena, weights, count, sizeof *weights);
    for (int i = 0; i < count; i++) shares[i] /= (float)-counted;
    rows->weights = shares;
    Matrix log_probabilities = matrix_uninitialised_at(place, arena, count, 1);
    row_log_probabilities_forward(log_probabilities, rows->probabilities, logits->value, rows->labels);
    double total = 0.0;
    for (int i = 0; i < count; i++) total += (double)shares[i] * (double)log_probabilities.data[i];
    loss->value.data[0] = (float)total;
    return loss;
}

typedef struct {
    Matrix probabilities, targets;
} Soft;

static void soft_cross_entropy_step(Tensor *self)
{
    const Soft *soft = self->context;
    soft_cross_entropy_backward(tensor_gradient(self->inputs[0]), self->gradient.data[0], soft->probabilities,
                                soft->targets);
}

Tensor *soft_cross_entropy_at(Place place, Tensor *logits, Matrix targets)
{
    check_at(place, same_shape(logits->value, targets), "a target for each class of each row",
             "soft_cross_entropy: logits (%d × %d), targets (%d × %d)", logits->value.rows,
             logits->value.cols, targets.rows, targets.cols);
    check_at(place, matrix_size(targets) > 0, "a mean needs at least one row",
             "soft_cross_entropy: nothing to compare");
    Tensor *loss =
        tensor_node(place, "soft_cross_entropy", 1, 1, soft_cross_entropy_step, sizeof(Soft), 1, logits);
    Arena *arena = tape_arena(loss->tape);
    Soft *soft = loss->context;
    soft->targets = targets;
    soft->probabilities = matrix_uninitialised_at(place, arena, targets.rows, targets.cols);
    Matrix row_losses = matrix_uninitialised_at(place, arena, targets.rows, 1);
    loss->value.data[0] = soft_cross_entropy_forward(soft->probabilities, row_losses, logits->value, targets);
    return loss;
}
