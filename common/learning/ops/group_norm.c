// group_norm.c: see group_norm.h. Sums run down the columns of one picture (matrix/columns.h) and are then joined within
// each group, so every number has one order of summation.
#include "learning/ops/group_norm.h"
#include "base/parallel.h"
#include "matrix/columns.h"

#include <math.h>
#include <string.h>

static const float SMALL = 1e-5f;

// From mean and variance of each channel (1 × C) to those of its group: the variance of all is the mean of the variances
// and of the squared distances between the means.
static void join_groups(float *mean, float *r, int cols, int groups)
{
    const int width = cols / groups;
    for (int g = 0; g < groups; g++) {
        float *m = mean + g * width, *v = r + g * width;
        double centre = 0.0, variance = 0.0;
        for (int c = 0; c < width; c++) centre += (double)m[c] / width;
        for (int c = 0; c < width; c++) {
            const double offset = (double)m[c] - centre;
            variance += ((double)v[c] + offset * offset) / width;
        }
        for (int c = 0; c < width; c++) {
            m[c] = (float)centre;
            v[c] = (float)(1.0 / sqrt(variance + (double)SMALL));
        }
    }
}

void group_norm_forward(Matrix y, Matrix mean, Matrix r, Matrix x, Matrix gain, Matrix bias, Grid grid,
                        int groups)
{
    const int pixels = grid.height * grid.width;
    PARALLEL_FOR(parallel_worth(matrix_size(x)), n, grid.count, {
        const Matrix one = matrix_rows(x, n * pixels, pixels);
        const Matrix own_mean = matrix_rows(mean, n, 1), own_r = matrix_rows(r, n, 1);
        column_moments(own_mean, own_r, one);
        join_groups(own_mean.data, own_r.data, x.cols, groups);
        for (int i = 0; i < pixels; i++) {
            const float *in = matrix_row(one, i);
            float *out = matrix_row(y, n * pixels + i);
            for (int c = 0; c < x.cols; c++)
                out[c] =
                    __builtin_fmaf((in[c] - own_mean.data[c]) * own_r.data[c], gain.data[c], bias.data[c]);
        }
    });
}

// means (2 × C): of d_y ⊙ gain and of d_y ⊙ gain ⊙ normal over each group, from the sums over each channel.
static void means_of_groups(Matrix sums, Matrix gain, int pixels, int groups)
{
    const int width = sums.cols / groups;
    for (int row = 0; row < 2; row++)
        for (int g = 0; g < groups; g++) {
            float *s = matrix_row(sums, row) + g * width;
            double total = 0.0;
            for (int c = 0; c < width; c++) total += (double)s[c] * (double)gain.data[g * width + c];
            for (int c = 0; c < width; c++) s[c] = (float)(total / ((double)pixels * width));
        }
}

void group_norm_backward(Matrix d_x, Matrix d_gain, Matrix d_bias, Matrix sums, Matrix d_y, Matrix x,
                         Matrix mean, Matrix r, Matrix gain, Grid grid, int groups)
{
    const int pixels = grid.height * grid.width;
#pragma omp parallel for if (parallel_worth(matrix_size(x)))
    for (int n = 0; n < grid.count; n++) {
        const Matrix one = matrix_rows(x, n * pixels, pixels), d_one = matrix_rows(d_y, n * pixels, pixels);
        const Matrix m = matrix_rows(mean, n, 1), scale_of = matrix_rows(r, n, 1);
        const Matrix own = matrix_rows(sums, 4 * n, 4), means = matrix_rows(own, 2, 2);
        const Matrix of_y = matrix_rows(own, 0, 1), of_normal = matrix_rows(own, 1, 1);
        memset(own.data, 0, matrix_size(own) * sizeof(float));
        add_column_sums(of_y, d_one);               // Σ d_y
        add_centred_dots(of_normal, d_one, one, m); // Σ d_y (x − mean), and then ⊙ r: Σ d_y normal
        multiply_row(of_normal, scale_of);
        if (!d_x.data) continue;
        // normal = (x − mean) r: d_x = r (d − mean(d) − normal · mean(d ⊙ normal)), d = d_y ⊙ gain
        memcpy(means.data, own.data, matrix_size(means) * sizeof(float));
        means_of_groups(means, gain, pixels, groups);
        const float *mean_d = matrix_row(means, 0), *mean_dot = matrix_row(means, 1);
        for (int i = 0; i < pixels; i++) {
            const float *in = matrix_row(one, i), *d_out = matrix_row(d_one, i);
            float *d_in = matrix_row(d_x, n * pixels + i);
            for (int c = 0; c < x.cols; c++) {
                const float normal = (in[c] - m.data[c]) * scale_of.data[c];
                const float d = d_out[c] * gain.data[c] - mean_d[c] - normal * mean_dot[c];
                d_in[c] = __builtin_fmaf(scale_of.data[c], d, d_in[c]);
            }
        }
    }
    for (int n = 0; n < grid.count; n++) { // y = normal ⊙ gain + bias, in the order of the pictures
        if (d_bias.data) add(d_bias, d_bias, matrix_rows(sums, 4 * n, 1));
        if (d_gain.data) add(d_gain, d_gain, matrix_rows(sums, 4 * n + 1, 1));
    }
}

// ---- Taped -----------------------------------------------------------------------------------------------------

typedef struct {
    Matrix mean, r;
    Grid grid;
    int groups;
} GroupNormContext;

static void group_norm_step(Tensor *self)
{
    const GroupNormContext *context = self->context;
    Tensor *x = self->inputs[0], *gain = self->inputs[1];
    Matrix sums = matrix_uninitialised(tape_arena(self->tape), 4 * context->grid.count, x->value.cols);
    group_norm_backward(tensor_gradient(x), tensor_gradient(gain), tensor_gradient(self->inputs[2]), sums,
                        self->gradient, x->value, context->mean, context->r, gain->value, context->grid,
                        context->groups);
}

Tensor *group_norm_at(Place place, Tensor *x, Tensor *gain, Tensor *bias, Grid grid, int groups)
{
    const int channels = x->value.cols;
    need_grid(place, "group_norm", x->value, grid);
    check_at(place, groups > 0 && channels % groups == 0, "the groups share the channels equally",
             "group_norm: %d channels in %d groups", channels, groups);
    check_at(place,
             gain->value.rows == 1 && gain->value.cols == channels && same_shape(gain->value, bias->value),
             "gain and bias have one number for each channel",
             "group_norm: %d channels, gain (%d × %d), bias (%d × %d)", channels, gain->value.rows,
             gain->value.cols, bias->value.rows, bias->value.cols);
    Tensor *y = tensor_node(place, "group_norm", x->value.rows, channels, group_norm_step,
                            sizeof(GroupNormContext), 3, x, gain, bias);
    Arena *arena = tape_arena(y->tape);
    GroupNormContext *context = y->context;
    *context = (GroupNormContext){matrix_uninitialised_at(place, arena, grid.count, channels),
                                  matrix_uninitialised_at(place, arena, grid.count, channels), grid, groups};
    group_norm_forward(y->value, context->mean, context->r, x->value, gain->value, bias->value, grid, groups);
    return y;
}
