// Normalisations: against naive double precision, running statistics, and their gradients.
#include "suite.h"
#include "gradients.h"
#include "matrix/columns.h"
#include "learning/ops/activation.h"
#include "learning/ops/norm.h"
#include "learning/ops/shape.h"
#include <math.h>

typedef struct {
    Tensor *x, *gain, *bias, *shortcut;
    BatchNormState state;
    bool training;
} Case;

static Case filled_case(Arena *arena, int rows, int cols)
{
    Case c = {parameter_new(arena, rows, cols),  parameter_new(arena, 1, cols),
              parameter_new(arena, 1, cols),     parameter_new(arena, rows, cols),
              batch_norm_state_new(arena, cols), true};
    Rng rng = rng_new(12, 0);
    fill_uniform(c.x->value, &rng, -1.0f, 2.0f);
    fill_uniform(c.gain->value, &rng, 0.5f, 1.5f);
    fill_uniform(c.bias->value, &rng, -1.0f, 1.0f);
    fill_uniform(c.shortcut->value, &rng, -1.0f, 1.0f);
    fill_uniform(c.state.mean, &rng, -0.5f, 0.5f);
    fill_uniform(c.state.variance, &rng, 0.5f, 1.5f);
    return c;
}

static Tensor *build_layer_norm(Tape *tape, void *context)
{
    Case *c = context;
    return layer_norm(tape_parameter(tape, c->x), c->gain, c->bias);
}

static Tensor *build_rms_norm(Tape *tape, void *context)
{
    Case *c = context;
    return rms_norm(tape_parameter(tape, c->x), c->gain);
}

static Tensor *build_batch_norm(Tape *tape, void *context)
{
    Case *c = context;
    return batch_norm(tape_parameter(tape, c->x), c->gain, c->bias, &c->state, c->training);
}

// The fused operations, and the same in single steps.
static Tensor *build_batch_norm_relu(Tape *tape, void *context)
{
    Case *c = context;
    return batch_norm_relu(tape_parameter(tape, c->x), c->gain, c->bias, &c->state, c->training);
}

static Tensor *build_batch_norm_then_relu(Tape *tape, void *context)
{
    return relu(build_batch_norm(tape, context));
}

static Tensor *build_batch_norm_add_relu(Tape *tape, void *context)
{
    Case *c = context;
    return batch_norm_add_relu(tape_parameter(tape, c->x), c->shortcut, c->gain, c->bias, &c->state,
                               c->training);
}

static Tensor *build_batch_norm_add_then_relu(Tape *tape, void *context)
{
    Case *c = context;
    return relu(tensor_add(build_batch_norm(tape, c), c->shortcut));
}

static const char *const NAMES[] = {"x", "gain", "bias", "shortcut"};

// The element (i, j) normalised over `count` elements that begin at first and are stride apart.
static double normalised(const float *first, int count, size_t stride, double x, bool centred)
{
    double mean = 0, square = 0;
    for (int i = 0; i < count; i++) mean += centred ? (double)first[(size_t)i * stride] / count : 0.0;
    for (int i = 0; i < count; i++) square += pow((double)first[(size_t)i * stride] - mean, 2) / count;
    return (x - mean) / sqrt(square + 1e-5);
}

START_TEST(normalisations_equal_their_definitions)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    const int shapes[][2] = {{3, 1}, {2, 7}, {5, 16}, {9, 37}, {300, 19}};
    for (int s = 0; s < 5; s++) {
        int rows = shapes[s][0], cols = shapes[s][1];
        Case c = filled_case(arena, rows, cols);
        Matrix x = c.x->value;
        Matrix layer = build_layer_norm(tape, &c)->value, rms = build_rms_norm(tape, &c)->value,
               batch = build_batch_norm(tape, &c)->value;
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < cols; j++) {
                double value = (double)AT(x, i, j), gain = (double)c.gain->value.data[j],
                       bias = (double)c.bias->value.data[j];
                double expected[] = {normalised(matrix_row(x, i), cols, 1, value, true) * gain + bias,
                                     normalised(matrix_row(x, i), cols, 1, value, false) * gain,
                                     normalised(x.data + j, rows, (size_t)cols, value, true) * gain + bias};
                float got[] = {AT(layer, i, j), AT(rms, i, j), AT(batch, i, j)};
                for (int k = 0; k < 3; k++)
                    ck_assert_msg(fabs((double)got[k] - expected[k]) < 1e-5,
                                  "kind %d, %d × %d, (%d, %d): got %g, expected %g", k, rows, cols, i, j,
                                  (double)got[k], expected[k]);
            }
        }
        tape_reset(tape);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(a_large_mean_does_not_spoil_the_deviation)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Case c = filled_case(arena, 33, 33);
    for (size_t i = 0; i < matrix_size(c.x->value); i++) c.x->value.data[i] = 4096.0f + (float)(i * 7 % 5);
    Matrix out = build_layer_norm(tape, &c)->value, batch = build_batch_norm(tape, &c)->value;
    for (int i = 0; i < 33; i++) {
        for (int j = 0; j < 33; j++) {
            double gain = (double)c.gain->value.data[j], bias = (double)c.bias->value.data[j],
                   x = (double)AT(c.x->value, i, j);
            double expected = normalised(matrix_row(c.x->value, i), 33, 1, x, true) * gain + bias;
            ck_assert_msg(fabs((double)AT(out, i, j) - expected) < 1e-3, "got %g, expected %g",
                          (double)AT(out, i, j), expected);
            expected = normalised(c.x->value.data + j, 33, 33, x, true) * gain + bias;
            ck_assert_msg(fabs((double)AT(batch, i, j) - expected) < 1e-3, "got %g, expected %g",
                          (double)AT(batch, i, j), expected);
        }
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(gradients_of_layer_norm)
{
    Arena *arena = arena_new();
    const int widths[] = {5, 19, 34};
    for (int w = 0; w < 3; w++) {
        Case c = filled_case(arena, 3, widths[w]);
        check_operation(build_layer_norm, &c, (Tensor *[]){c.x, c.gain, c.bias}, NAMES, 3, 2e-3);
    }
    arena_free(arena);
}
END_TEST

START_TEST(gradients_of_rms_norm)
{
    Arena *arena = arena_new();
    const int widths[] = {5, 19, 34};
    for (int w = 0; w < 3; w++) {
        Case c = filled_case(arena, 3, widths[w]);
        check_operation(build_rms_norm, &c, (Tensor *[]){c.x, c.gain}, NAMES, 2, 2e-3);
    }
    arena_free(arena);
}
END_TEST

START_TEST(gradients_of_batch_norm_while_training_and_not)
{
    Arena *arena = arena_new();
    for (int training = 0; training < 2; training++) {
        Case c = filled_case(arena, 11, 3);
        c.training = training;
        check_operation(build_batch_norm, &c, (Tensor *[]){c.x, c.gain, c.bias}, NAMES, 3, 2e-3);
    }
    arena_free(arena);
}
END_TEST

START_TEST(gradients_of_batch_norm_through_relu)
{
    Arena *arena = arena_new();
    for (int training = 0; training < 2; training++) {
        Case c = filled_case(arena, 11, 3);
        c.training = training;
        // Far from the kink of relu: the bias decides the sign, of another column than the short cut.
        for (int j = 0; j < 3; j++) c.bias->value.data[j] = j % 2 ? 9.0f : -9.0f;
        check_operation(build_batch_norm_relu, &c, (Tensor *[]){c.x, c.gain, c.bias}, NAMES, 3, 2e-3);
        for (int i = 0; i < 33; i++) c.shortcut->value.data[i] += i % 5 < 2 ? 20.0f : 0.0f;
        check_operation(build_batch_norm_add_relu, &c, (Tensor *[]){c.x, c.gain, c.bias, c.shortcut}, NAMES,
                        4, 2e-3);
    }
    arena_free(arena);
}
END_TEST

// Two graphs from the same case must have equal values, and give equal gradients.
static void compare_graphs(GraphBuilder fused, GraphBuilder steps, Case *c)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Tensor *const leaves[] = {c->x, c->gain, c->bias, c->shortcut};
    Matrix value, gradients[4], d_y = matrix_new(arena, c->x->value.rows, c->x->value.cols);
    Rng rng = rng_new(5, 1);
    fill_normal(d_y, &rng, 0, 1);
    for (int which = 0; which < 2; which++) {
        for (int i = 0; i < 4; i++) leaves[i]->has_gradient = false;
        Tensor *y = (which ? steps : fused)(tape, c);
        backward_from(y, d_y);
        if (!which) value = matrix_copy(arena, y->value);
        ck_assert(largest_difference(value, y->value) == 0.0f);
        for (int i = 0; i < 4; i++) {
            if (!leaves[i]->has_gradient) continue;
            if (!which) gradients[i] = matrix_copy(arena, leaves[i]->gradient);
            ck_assert_msg(largest_difference(gradients[i], leaves[i]->gradient) == 0.0f, "the gradient of %s",
                          NAMES[i]);
        }
    }
    tape_free(tape);
    arena_free(arena);
}

START_TEST(fused_steps_equal_single_ones_bit_for_bit)
{
    Arena *arena = arena_new();
    const int shapes[][2] = {{5, 3}, {7, 16}, {300, 37}, {2000, 80}};
    for (int s = 0; s < 4; s++) {
        Case c = filled_case(arena, shapes[s][0], shapes[s][1]);
        compare_graphs(build_batch_norm_relu, build_batch_norm_then_relu, &c);
        compare_graphs(build_batch_norm_add_relu, build_batch_norm_add_then_relu, &c);
    }
    arena_free(arena);
}
END_TEST

START_TEST(moments_equal_their_definition)
{
    Arena *arena = arena_new();
    const int shapes[][2] = {{1, 3}, {256, 5}, {257, 70}, {20000, 17}};
    for (int s = 0; s < 4; s++) {
        int rows = shapes[s][0], cols = shapes[s][1];
        Matrix x = matrix_new(arena, rows, cols), mean = matrix_new(arena, 1, cols),
               variance = matrix_new(arena, 1, cols);
        Rng rng = rng_new(7, 0);
        fill_normal(x, &rng, 100.0f, 1.0f);
        column_moments(mean, variance, x);
        for (int j = 0; j < cols; j++) {
            double centre = 0, square = 0;
            for (int i = 0; i < rows; i++) centre += (double)AT(x, i, j) / rows;
            for (int i = 0; i < rows; i++) square += pow((double)AT(x, i, j) - centre, 2) / rows;
            ck_assert_msg(fabs((double)mean.data[j] - centre) < 1e-4, "mean: got %g, expected %g",
                          (double)mean.data[j], centre);
            ck_assert_msg(fabs((double)variance.data[j] - square) < 1e-4, "variance: got %g, expected %g",
                          (double)variance.data[j], square);
        }
    }
    arena_free(arena);
}
END_TEST

START_TEST(running_statistics_follow_the_batch)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Case c = filled_case(arena, 4, 1);
    c.x->value = matrix_from(arena, 4, 1, ((float[]){1, 2, 3, 6})); // mean 3, variance 14/4, by N − 1: 14/3
    c.state.mean.data[0] = 1.0f;
    c.state.variance.data[0] = 2.0f;
    build_batch_norm(tape, &c);
    ck_assert_float_eq_tol(c.state.mean.data[0], 0.9f * 1 + 0.1f * 3, 1e-6f);
    ck_assert_float_eq_tol(c.state.variance.data[0], 0.9f * 2 + 0.1f * 14 / 3, 1e-6f);

    float mean = c.state.mean.data[0], variance = c.state.variance.data[0];
    c.training = false;
    Tensor *y = build_batch_norm(tape, &c);
    ck_assert(c.state.mean.data[0] == mean && c.state.variance.data[0] == variance);
    double expected = (1 - (double)mean) / sqrt((double)variance + 1e-5) * (double)c.gain->value.data[0] +
                      (double)c.bias->value.data[0];
    ck_assert_msg(fabs((double)y->value.data[0] - expected) < 1e-5, "got %g, expected %g",
                  (double)y->value.data[0], expected);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// Tall enough for several chunks, with every width of the last block of columns.
START_TEST(column_sums_equal_naive_ones)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(4, 4);
    const int rows[] = {0, 1, 3, 4, 255, 257, 1029, 17000};
    for (int r = 0; r < 8; r++) {
        for (int cols = 1; cols < 140; cols += cols < 35 ? 17 : 29) {
            Matrix a = matrix_new(arena, rows[r], cols), b = matrix_new(arena, rows[r], cols),
                   centre = matrix_new(arena, 1, cols);
            Matrix sums = matrix_new(arena, 1, cols), dots = matrix_new(arena, 1, cols),
                   centred = matrix_new(arena, 1, cols), squares = matrix_new(arena, 1, cols);
            fill_uniform(a, &rng, -1, 1);
            fill_uniform(b, &rng, -1, 1);
            fill_uniform(centre, &rng, -1, 1);
            fill(sums, 1.0f); // added to, not overwritten
            fill(dots, 2.0f);
            fill(centred, 3.0f);
            fill(squares, 4.0f);
            add_centred_squares(squares, a, centre);
            add_column_sums(sums, a);
            add_column_dots(dots, a, b);
            add_centred_dots(centred, a, b, centre);
            for (int j = 0; j < cols; j++) {
                double total = 1, dot_total = 2, centred_total = 3, square_total = 4;
                for (int i = 0; i < rows[r]; i++) {
                    total += (double)AT(a, i, j);
                    dot_total += (double)AT(a, i, j) * (double)AT(b, i, j);
                    square_total += pow((double)AT(a, i, j) - (double)centre.data[j], 2);
                    centred_total += (double)AT(a, i, j) * ((double)AT(b, i, j) - (double)centre.data[j]);
                }
                double bound = 1e-6 * (rows[r] + 10);
                ck_assert_msg(fabs((double)sums.data[j] - total) < bound,
                              "%d rows, column %d of %d: got %g, expected %g", rows[r], j, cols,
                              (double)sums.data[j], total);
                ck_assert_msg(fabs((double)dots.data[j] - dot_total) < bound,
                              "%d rows, column %d of %d: got %g, expected %g", rows[r], j, cols,
                              (double)dots.data[j], dot_total);
                ck_assert_msg(fabs((double)squares.data[j] - square_total) < bound,
                              "%d rows, column %d of %d: got %g, expected %g", rows[r], j, cols,
                              (double)squares.data[j], square_total);
                ck_assert_msg(fabs((double)centred.data[j] - centred_total) < bound,
                              "%d rows, column %d of %d: got %g, expected %g", rows[r], j, cols,
                              (double)centred.data[j], centred_total);
            }
        }
    }
    arena_free(arena);
}
END_TEST

static void batch_of_one(void *context)
{
    (void)context;
    Case c = filled_case(arena_new(), 1, 3);
    build_batch_norm(tape_new(), &c);
}

START_TEST(a_batch_of_one_is_refused_while_training)
{
    expect_death(batch_of_one, NULL, "batch_norm: training on 1 row");
}
END_TEST

START_TEST(equal_numbers_are_all_mean_and_give_the_bias)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    const float values[] = {10000.1f, 100000.3f, 1234.567f, -0.1f, 1e7f, 3e38f, 1e-45f, 0.0f};
    const int lengths[] = {2, 3, 64, 100, 257, 768, 4096, 17000};
    for (int v = 0; v < 8; v++) {
        for (int l = 0; l < 8; l++) {
            Case rows = filled_case(arena, 3, lengths[l]), columns = filled_case(arena, lengths[l], 3);
            fill(rows.x->value, values[v]), fill(columns.x->value, values[v]);
            Matrix along = build_layer_norm(tape, &rows)->value,
                   down = build_batch_norm(tape, &columns)->value;
            for (size_t i = 0; i < matrix_size(along); i++) {
                ck_assert_msg(along.data[i] == rows.bias->value.data[i % (size_t)lengths[l]],
                              "layer_norm, %d × %g: got %g, expected %g", lengths[l], (double)values[v],
                              (double)along.data[i], (double)rows.bias->value.data[i % (size_t)lengths[l]]);
                ck_assert_msg(down.data[i] == columns.bias->value.data[i % 3],
                              "batch_norm, %d × %g: got %g, expected %g", lengths[l], (double)values[v],
                              (double)down.data[i], (double)columns.bias->value.data[i % 3]);
            }
            tape_reset(tape);
            arena_reset(arena);
        }
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// d_x of normalising count numbers that are stride apart in x, for the gradient d of y, in double precision.
static double normalised_back(const float *x, const float *d, const float *gain, size_t gain_stride,
                              int count, size_t stride, int of)
{
    double mean = 0, square = 0, mean_g = 0, mean_gn = 0;
    for (int i = 0; i < count; i++) mean += (double)x[(size_t)i * stride] / count;
    for (int i = 0; i < count; i++) square += pow((double)x[(size_t)i * stride] - mean, 2) / count;
    const double r = 1 / sqrt(square + 1e-5);
    for (int i = 0; i < count; i++) {
        const double g = (double)d[(size_t)i * stride] * (double)gain[(size_t)i * gain_stride];
        mean_g += g / count;
        mean_gn += g * ((double)x[(size_t)i * stride] - mean) * r / count;
    }
    const double g = (double)d[(size_t)of * stride] * (double)gain[(size_t)of * gain_stride];
    return r * (g - mean_g - ((double)x[(size_t)of * stride] - mean) * r * mean_gn);
}

static void expect_backward(Tensor *y, const Case *c, int rows, int cols, bool along, double offset)
{
    Arena *arena = arena_new();
    Matrix upstream = matrix_new(arena, rows, cols), x = c->x->value;
    Rng rng = rng_new(8, 8);
    fill_normal(upstream, &rng, 0, 1);
    c->x->has_gradient = c->gain->has_gradient = c->bias->has_gradient = false;
    backward_from(y, upstream);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) {
            const double expected = along
                                        ? normalised_back(matrix_row(x, i), matrix_row(upstream, i),
                                                          c->gain->value.data, 1, cols, 1, j)
                                        : normalised_back(x.data + j, upstream.data + j,
                                                          c->gain->value.data + j, 0, rows, (size_t)cols, i);
            ck_assert_msg(fabs((double)AT(c->x->gradient, i, j) - expected) < 1e-4 * (1 + fabs(expected)),
                          "%s around %g, d_x (%d, %d): got %g, expected %g",
                          along ? "layer_norm" : "batch_norm", offset, i, j, (double)AT(c->x->gradient, i, j),
                          expected);
        }
    double d_gain = 0;
    for (int i = 0; i < rows; i++)
        d_gain +=
            (double)AT(upstream, i, 0) * normalised(along ? matrix_row(x, i) : x.data, along ? cols : rows,
                                                    along ? 1 : (size_t)cols, (double)AT(x, i, 0), true);
    ck_assert_msg(fabs((double)c->gain->gradient.data[0] - d_gain) < 1e-4 * (1 + fabs(d_gain)),
                  "around %g, d_gain: got %g, expected %g", offset, (double)c->gain->gradient.data[0],
                  d_gain);
    arena_free(arena);
}

START_TEST(numbers_close_together_far_from_zero_are_told_apart)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    const float offsets[] = {0.0f, 4096.1f, -100000.0f, 1e7f, 1.6e7f};
    for (int o = 0; o < 5; o++) {
        for (int tall = 0; tall < 3; tall++) {
            const int rows = tall == 0 ? 5 : tall == 1 ? 100 : 700, cols = tall ? 37 : 300;
            Case c = filled_case(arena, rows, cols);
            Rng rng = rng_new(5, 5);
            for (size_t i = 0; i < matrix_size(c.x->value); i++)
                c.x->value.data[i] = offsets[o] + (float)rng_below(&rng, 3) * 1.0f;
            Matrix x = c.x->value;
            Tensor *layer = build_layer_norm(tape, &c), *batch = build_batch_norm(tape, &c);
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < cols; j++) {
                    const double gain = (double)c.gain->value.data[j], bias = (double)c.bias->value.data[j];
                    const double value = (double)AT(x, i, j);
                    const double expected[] = {
                        normalised(matrix_row(x, i), cols, 1, value, true) * gain + bias,
                        normalised(x.data + j, rows, (size_t)cols, value, true) * gain + bias};
                    const double got[] = {(double)AT(layer->value, i, j), (double)AT(batch->value, i, j)};
                    for (int k = 0; k < 2; k++)
                        ck_assert_msg(fabs(got[k] - expected[k]) < 1e-5, "%s around %g: got %g, expected %g",
                                      k ? "batch_norm" : "layer_norm", (double)offsets[o], got[k],
                                      expected[k]);
                }
            expect_backward(batch, &c, rows, cols, false, (double)offsets[o]);
            expect_backward(layer, &c, rows, cols, true, (double)offsets[o]);
            tape_reset(tape);
            arena_reset(arena);
        }
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(squares_that_are_no_floats_are_normalised_all_the_same)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    const float sizes[] = {1e18f, 1e20f, 1e30f, 1e38f};
    for (int s = 0; s < 4; s++) {
        Case c = filled_case(arena, 40, 40);
        scale(c.x->value, sizes[s]);
        Matrix x = c.x->value, got[] = {build_layer_norm(tape, &c)->value, build_rms_norm(tape, &c)->value,
                                        build_batch_norm(tape, &c)->value};
        for (int i = 0; i < 40; i++)
            for (int j = 0; j < 40; j++) {
                const double gain = (double)c.gain->value.data[j], bias = (double)c.bias->value.data[j];
                const double value = (double)AT(x, i, j);
                const double expected[] = {normalised(matrix_row(x, i), 40, 1, value, true) * gain + bias,
                                           normalised(matrix_row(x, i), 40, 1, value, false) * gain,
                                           normalised(x.data + j, 40, 40, value, true) * gain + bias};
                for (int k = 0; k < 3; k++)
                    ck_assert_msg(fabs((double)AT(got[k], i, j) - expected[k]) < 1e-4,
                                  "kind %d, size %g: got %g, expected %g", k, (double)sizes[s],
                                  (double)AT(got[k], i, j), expected[k]);
            }
    }
    Case c = filled_case(arena, 3, 4);
    AT(c.x->value, 1, 2) = INFINITY;
    Matrix y = build_layer_norm(tape, &c)->value;
    for (int j = 0; j < 4; j++)
        ck_assert(isfinite(AT(y, 0, j)) && isnan(AT(y, 1, j)) && isfinite(AT(y, 2, j)));
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(running_statistics_reach_a_batch_that_never_changes)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    const float values[] = {10000.1f, -1234.567f, 1e7f, 0.1f};
    for (int v = 0; v < 4; v++) {
        Case c = filled_case(arena, 100, 2);
        fill(c.x->value, values[v]);
        for (int step = 0; step < 2000; step++) {
            build_batch_norm(tape, &c);
            tape_reset(tape);
        }
        c.training = false;
        Matrix y = build_batch_norm(tape, &c)->value;
        ck_assert_msg(c.state.mean.data[0] == values[v], "the running mean of %.9g is %.9g",
                      (double)values[v], (double)c.state.mean.data[0]);
        ck_assert_msg(y.data[0] == c.bias->value.data[0], "got %g, expected %g", (double)y.data[0],
                      (double)c.bias->value.data[0]);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(a_huge_batch_leaves_running_statistics_that_are_numbers)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    const float columns[][4] = {
        {3e38f, -3e38f, 3e38f, -3e38f}, {3e38f, 0, 0, 0}, {1e30f, 1e30f, 1e30f, 1.0001e30f}};
    for (int k = 0; k < 3; k++) {
        Case c = filled_case(arena, 4, 1);
        const double momentum = (double)c.state.momentum, before = (double)c.state.mean.data[0];
        double total = 0.0;
        for (int i = 0; i < 4; i++) total += (double)(c.x->value.data[i] = columns[k][i]);
        const double expected = (1.0 - momentum) * before + momentum * total / 4.0;
        build_batch_norm(tape, &c);
        const double got = (double)c.state.mean.data[0];
        ck_assert_msg(fabs(got - expected) <= 1e-6 * fabs(expected), "column %d: the mean is %g, not %g", k,
                      got, expected);
        ck_assert_msg(c.state.variance.data[0] == INFINITY, "column %d: the variance is %g", k,
                      (double)c.state.variance.data[0]);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

SUITE("norm", normalisations_equal_their_definitions, a_large_mean_does_not_spoil_the_deviation,
      gradients_of_layer_norm, gradients_of_rms_norm, gradients_of_batch_norm_while_training_and_not,
      gradients_of_batch_norm_through_relu, fused_steps_equal_single_ones_bit_for_bit,
      moments_equal_their_definition, running_statistics_follow_the_batch, column_sums_equal_naive_ones,
      a_batch_of_one_is_refused_while_training, equal_numbers_are_all_mean_and_give_the_bias,
      numbers_close_together_far_from_zero_are_told_apart,
      squares_that_are_no_floats_are_normalised_all_the_same,
      running_statistics_reach_a_batch_that_never_changes,
      a_huge_batch_leaves_running_statistics_that_are_numbers)
