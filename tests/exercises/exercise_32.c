// The exercises of chapter 32, Small and light: what each task is tested for, and its points.
// What the answers are compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

// ---- TASK 32.1: a scale for each row ------------------------------------------------------------------------

static void expect_rows(Matrix w, int bits)
{
    Arena *arena = arena_new();
    Matrix q = rubbish(arena, w.rows, w.cols), scales = rubbish(arena, w.rows, 1);
    double *expected = doubles(arena, matrix_size(w)), *expected_scales = doubles(arena, (size_t)w.rows);
    const float m = (float)((1 << (bits - 1)) - 1);
    for (int i = 0; i < w.rows; i++) {
        float most = 0.0f;
        for (int j = 0; j < w.cols; j++) most = fmaxf(most, fabsf(AT(w, i, j)));
        expected_scales[i] = (double)(most / m);
        for (int j = 0; j < w.cols; j++)
            expected[i * w.cols + j] = most > 0.0f ? (double)rintf(AT(w, i, j) / (most / m)) : 0.0;
    }
    GIVEN(OUT("q", q), OUT("scales", scales), IN("w", w), NUMBER("bits", bits));
    quantise_rows(q, scales, w, bits);
    expect_close("scales", scales, expected_scales, 1e-6);
    expect_within("q", q, expected, 0.0);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(two_rows_of_eight_bits)
{
    float w[] = {127, -64, 1, 0.5f, 2, -254}, q[6], scales[2];
    Matrix out = matrix_view(2, 3, q), s = matrix_view(2, 1, scales), in = matrix_view(2, 3, w);
    fill(out, 9.0f), fill(s, 9.0f);
    GIVEN(OUT("q", out), OUT("scales", s), IN("w", in), NUMBER("bits", 8));
    quantise_rows(out, s, in, 8);
    expect_within("scales", s, ((double[]){1, 2}), 1e-6);
    expect_within("q", out, ((double[]){127, -64, 1, 0, 1, -127}), 0.0);
}
END_TEST

START_TEST(a_row_of_zeros)
{
    float w[] = {0, 0, 0, 1, -0.0f, 3, 0, 0, -0.0f};
    for (int bits = 2; bits <= 16; bits += 7) expect_rows(matrix_view(3, 3, w), bits);
}
END_TEST

START_TEST(halves_become_even)
{
    float w[] = {127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f};
    expect_rows(matrix_view(1, 8, w), 8);
    float few[] = {1, 0.5f, -0.5f, -1, 0.25f, 0.75f};
    expect_rows(matrix_view(2, 3, few), 2);
}
END_TEST

START_TEST(any_number_of_bits)
{
    static const int sizes[][2] = {{1, 1}, {3, 5}, {17, 40}, {2, 300}};
    for (int k = 0; k < 16; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(321, (uint64_t)k);
        Matrix w = random_normal(arena, &rng, sizes[k / 4][0], sizes[k / 4][1]);
        scale(matrix_rows(w, w.rows - 1, 1), k % 3 ? 1e6f : 1e-6f);
        expect_rows(w, 2 + k % 4 * 4);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 32.2: a layer of whole numbers --------------------------------------------------------------------

typedef struct {
    Matrix y, x, w;
    float x_scale;
    Matrix scales, bias;
} Integers;

static void expect_layer(Integers z)
{
    Arena *arena = arena_new();
    double *expected = doubles(arena, matrix_size(z.y));
    for (int n = 0; n < z.y.rows; n++)
        for (int o = 0; o < z.y.cols; o++) {
            double total = 0.0;
            for (int k = 0; k < z.x.cols; k++) total += (double)AT(z.x, n, k) * (double)AT(z.w, k, o);
            expected[n * z.y.cols + o] =
                (double)z.x_scale * (double)z.scales.data[o] * total + (double)z.bias.data[o];
        }
    GIVEN(OUT("y", z.y), IN("x", z.x), IN("w", z.w), NUMBER("x_scale", z.x_scale), IN("scales", z.scales),
          IN("bias", z.bias));
    integer_layer(z.y, z.x, z.w, z.x_scale, z.scales, z.bias);
    expect_close("y", z.y, expected, 1e-5);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

static Integers random_integers(Arena *arena, Rng *rng, int rows, int inputs, int outputs)
{
    Integers z = {.y = rubbish(arena, rows, outputs), .x_scale = rng_between(rng, 0.01f, 0.1f)};
    z.x = matrix_new(arena, rows, inputs), z.w = matrix_new(arena, inputs, outputs);
    for (size_t i = 0; i < matrix_size(z.x); i++) z.x.data[i] = (float)rng_below(rng, 255) - 127.0f;
    for (size_t i = 0; i < matrix_size(z.w); i++) z.w.data[i] = (float)rng_below(rng, 255) - 127.0f;
    z.scales = random_normal(arena, rng, 1, outputs), z.bias = random_normal(arena, rng, 1, outputs);
    scale(z.bias, 100.0f);
    return z;
}

START_TEST(one_number)
{
    float y[] = {9, 9}, x[] = {2, -3}, w[] = {5, 1, 4, -1}, scales[] = {0.5f, 2}, bias[] = {1, -1};
    Integers z = {matrix_view(1, 2, y),      matrix_view(1, 2, x),   matrix_view(2, 2, w), 0.25f,
                  matrix_view(1, 2, scales), matrix_view(1, 2, bias)};
    integer_layer(z.y, z.x, z.w, z.x_scale, z.scales, z.bias);
    expect_within("y", z.y, ((double[]){0.75, 1.5}), 1e-6); // −2 and 5
    expect_layer(z);
}
END_TEST

START_TEST(layers_of_any_size)
{
    static const int sizes[][3] = {{1, 1, 1}, {3, 5, 2}, {4, 100, 7}, {2, 900, 30}};
    for (int k = 0; k < 8; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(322, (uint64_t)k);
        expect_layer(random_integers(arena, &rng, sizes[k / 2][0], sizes[k / 2][1], sizes[k / 2][2]));
        arena_free(arena);
    }
}
END_TEST

// 2048 products of 127 · 127, then as many of −127 · 127, and a 1 and a 2 in front of them
START_TEST(sums_are_exact)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(322, 100);
    Integers z = random_integers(arena, &rng, 1, 4096, 1);
    fill(z.x, 127.0f), fill(z.bias, 0.0f), fill(z.scales, 1.0f);
    for (int k = 0; k < 4096; k++) z.w.data[k] = k % 2048 == 0 ? 0.0f : k < 2048 ? 127.0f : -127.0f;
    z.x.data[0] = 1.0f, z.w.data[0] = 3.0f;
    expect_layer(z);
    fill(z.w, 127.0f);
    expect_layer(z);
    fill(z.w, -127.0f);
    expect_layer(z);
    arena_free(arena);
}
END_TEST

// ---- TASK 32.3: depthwise -----------------------------------------------------------------------------------

typedef struct {
    Matrix y, x, w, bias;
    int height, width, side;
} Image;

static void expect_depthwise(Image z)
{
    Arena *arena = arena_new();
    double *expected = doubles(arena, matrix_size(z.y));
    const int half = z.side / 2, channels = z.x.cols;
    for (int i = 0; i < z.height; i++)
        for (int j = 0; j < z.width; j++)
            for (int c = 0; c < channels; c++) {
                double total = (double)z.bias.data[c];
                for (int u = -half; u <= half; u++)
                    for (int v = -half; v <= half; v++)
                        if (i + u >= 0 && i + u < z.height && j + v >= 0 && j + v < z.width)
                            total += (double)AT(z.x, (i + u) * z.width + j + v, c) *
                                     (double)AT(z.w, (u + half) * z.side + v + half, c);
                expected[(i * z.width + j) * channels + c] = total;
            }
    GIVEN(OUT("y", z.y), IN("x", z.x), IN("w", z.w), IN("bias", z.bias), NUMBER("height", z.height),
          NUMBER("width", z.width), NUMBER("side", z.side));
    depthwise(z.y, z.x, z.w, z.bias, z.height, z.width, z.side);
    expect_close("y", z.y, expected, 1e-5);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

static Image random_image(Arena *arena, Rng *rng, const int *sizes) // height, width, channels, side
{
    const int pixels = sizes[0] * sizes[1], channels = sizes[2], side = sizes[3];
    return (Image){rubbish(arena, pixels, channels),
                   random_normal(arena, rng, pixels, channels),
                   random_normal(arena, rng, side * side, channels),
                   random_normal(arena, rng, 1, channels),
                   sizes[0],
                   sizes[1],
                   side};
}

START_TEST(a_window_of_one_pixel)
{
    float y[] = {9, 9, 9, 9}, x[] = {1, 2, 3, 4}, w[] = {10, -1}, bias[] = {0.5f, 0};
    Image z = {
        matrix_view(2, 2, y), matrix_view(2, 2, x), matrix_view(1, 2, w), matrix_view(1, 2, bias), 1, 2, 1};
    depthwise(z.y, z.x, z.w, z.bias, 1, 2, 1);
    expect_within("y", z.y, ((double[]){10.5, -2, 30.5, -4}), 1e-5);
    expect_depthwise(z);
}
END_TEST

START_TEST(zeros_around_the_image)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(323, 50);
    static const int sizes[][4] = {{1, 1, 2, 3}, {1, 4, 1, 3}, {4, 1, 1, 3}, {2, 2, 3, 7}};
    for (int k = 0; k < 4; k++) {
        Image z = random_image(arena, &rng, sizes[k]);
        fill(z.x, 1.0f), fill(z.bias, 0.0f);
        expect_depthwise(z);
    }
    arena_free(arena);
}
END_TEST

START_TEST(images_of_any_size)
{
    static const int sizes[][4] = {{3, 4, 2, 3}, {5, 3, 1, 3}, {6, 7, 5, 5}, {2, 9, 17, 3}, {8, 5, 3, 1}};
    for (int k = 0; k < 10; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(323, (uint64_t)k);
        expect_depthwise(random_image(arena, &rng, sizes[k / 2]));
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 32.4: pruning -------------------------------------------------------------------------------------

static void expect_pruned(Matrix before, int keep)
{
    Arena *arena = arena_new();
    Matrix w = matrix_copy(arena, before), mask = rubbish(arena, w.rows, w.cols);
    const int count = w.rows * w.cols;
    double *ones = arena_zeros(arena, (size_t)count + 1, sizeof *ones),
           *kept = doubles(arena, (size_t)count + 1);
    for (int round = 0; round < keep; round++) { // the first of the largest that is left
        int best = -1;
        for (int i = 0; i < count; i++)
            if (ones[i] == 0.0 && (best < 0 || fabsf(before.data[i]) > fabsf(before.data[best]))) best = i;
        ones[best] = 1.0;
    }
    for (int i = 0; i < count; i++) kept[i] = ones[i] > 0.0 ? (double)before.data[i] : 0.0;
    GIVEN(OUT("w", w), OUT("mask", mask), NUMBER("keep", keep));
    prune_smallest(w, mask, keep);
    expect_within("mask", mask, ones, 0.0);
    expect_within("w", w, kept, 0.0);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(the_largest_stay)
{
    float w[] = {1, -5, 3, 0.5f, 4, -2};
    for (int keep = 0; keep <= 6; keep++) expect_pruned(matrix_view(2, 3, w), keep);
}
END_TEST

START_TEST(the_first_of_equals_stay)
{
    float w[] = {2, -2, 1, 2, -1, 1, -2, 1}, same[] = {3, 3, -3, 3, -3};
    for (int keep = 0; keep <= 8; keep++) expect_pruned(matrix_view(2, 4, w), keep);
    for (int keep = 0; keep <= 5; keep++) expect_pruned(matrix_view(1, 5, same), keep);
}
END_TEST

START_TEST(zeros_are_weights_too)
{
    float w[] = {0, 0, 7, 0, -0.0f, 0}, zeros[4] = {0};
    for (int keep = 0; keep <= 6; keep++) expect_pruned(matrix_view(3, 2, w), keep);
    for (int keep = 0; keep <= 4; keep++) expect_pruned(matrix_view(4, 1, zeros), keep);
}
END_TEST

START_TEST(weights_of_any_number)
{
    static const int sizes[][2] = {{1, 1}, {7, 9}, {20, 30}};
    for (int k = 0; k < 9; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(324, (uint64_t)k);
        Matrix w = random_normal(arena, &rng, sizes[k / 3][0], sizes[k / 3][1]);
        if (k % 3 == 2)
            for (size_t i = 0; i < matrix_size(w); i++) w.data[i] = rintf(2.0f * w.data[i]);
        expect_pruned(w, (int)rng_below(&rng, (uint32_t)matrix_size(w) + 1));
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 32.5: distillation --------------------------------------------------------------------------------

typedef struct {
    Matrix d_student, student, teacher, labels;
} Pair;

static double true_log(Matrix m, int row, double temperature, int c)
{
    double most = -INFINITY, total = 0.0;
    for (int k = 0; k < m.cols; k++) most = fmax(most, (double)AT(m, row, k));
    for (int k = 0; k < m.cols; k++) total += exp(((double)AT(m, row, k) - most) / temperature);
    return ((double)AT(m, row, c) - most) / temperature - log(total);
}

static void expect_distilled(Pair z, float part, float temperature)
{
    Arena *arena = arena_new();
    const int rows = z.student.rows, cols = z.student.cols;
    double *expected = doubles(arena, matrix_size(z.student)), loss = 0.0;
    const double t = (double)temperature, a = (double)part;
    for (int n = 0; n < rows; n++) {
        const int label = (int)z.labels.data[n];
        loss -= (1 - a) * true_log(z.student, n, 1.0, label) / rows;
        for (int c = 0; c < cols; c++) {
            const double q = exp(true_log(z.teacher, n, t, c)), mild = true_log(z.student, n, t, c);
            if (q > 0.0) loss -= a * t * t * q * mild / rows;
            const double hard = exp(true_log(z.student, n, 1.0, c)) - (c == label);
            expected[n * cols + c] = ((1 - a) * hard + a * t * (exp(mild) - q)) / rows;
        }
    }
    GIVEN(OUT("d_student", z.d_student), IN("student", z.student), IN("teacher", z.teacher),
          IN("labels", z.labels), NUMBER("part", part), NUMBER("temperature", temperature));
    const double got = (double)distil(z.d_student, z.student, z.teacher, z.labels, part, temperature);
    expect_number("distil(…)", got, loss, 2e-5 * fmax(1.0, fabs(loss)));
    expect_close("d_student", z.d_student, expected, 5e-5);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

static Pair random_pair(Arena *arena, Rng *rng, int rows, int classes)
{
    Pair z = {rubbish(arena, rows, classes), random_normal(arena, rng, rows, classes),
              random_normal(arena, rng, rows, classes), matrix_new(arena, 1, rows)};
    scale(z.teacher, 3.0f);
    for (int n = 0; n < rows; n++) z.labels.data[n] = (float)rng_below(rng, (uint32_t)classes);
    return z;
}

START_TEST(only_labels)
{
    // p = (0.5, 0.25, 0.25)
    float student[] = {1, 0.30685282f, 0.30685282f}, teacher[] = {5, -5, 0}, label[] = {1}, d[] = {9, 9, 9};
    Pair z = {matrix_view(1, 3, d), matrix_view(1, 3, student), matrix_view(1, 3, teacher),
              matrix_view(1, 1, label)};
    expect_number("distil(…)", (double)distil(z.d_student, z.student, z.teacher, z.labels, 0.0f, 3.0f),
                  log(4), 1e-5);
    expect_within("d_student", z.d_student, ((double[]){0.5, -0.75, 0.25}), 1e-5);
    expect_distilled(z, 0.0f, 3.0f);
}
END_TEST

START_TEST(only_the_teacher)
{
    for (int k = 0; k < 5; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(325, (uint64_t)k);
        static const float temperatures[] = {1, 4, 0.25f, 20, 2};
        expect_distilled(random_pair(arena, &rng, 1 + 3 * k, 2 + k), 1.0f, temperatures[k]);
        arena_free(arena);
    }
}
END_TEST

START_TEST(both_in_parts)
{
    static const int sizes[][2] = {{1, 2}, {3, 5}, {16, 10}, {5, 100}};
    for (int k = 0; k < 8; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(325, 10 + (uint64_t)k);
        Pair z = random_pair(arena, &rng, sizes[k / 2][0], sizes[k / 2][1]);
        expect_distilled(z, k % 2 ? 0.9f : 0.3f, k % 3 ? 2.5f : 1.0f);
        arena_free(arena);
    }
}
END_TEST

START_TEST(large_logits)
{
    float student[] = {10000, 9999, -10000, -10000, -9999, -10000}, d[6];
    float teacher[] = {9999, 10000, 0, -10000, -10000, -10000}, labels[] = {1, 1};
    Pair z = {matrix_view(2, 3, d), matrix_view(2, 3, student), matrix_view(2, 3, teacher),
              matrix_view(1, 2, labels)};
    fill(z.d_student, 7.0f);
    expect_distilled(z, 0.5f, 1.0f);
    expect_distilled(z, 0.5f, 10.0f);
    labels[0] = 2;
    expect_distilled(z, 0.25f, 2.0f);
}
END_TEST

// clang-format off
EXERCISE("32-lightweight",
         {"32.1", 5, two_rows_of_eight_bits},
         {"32.1", 5, a_row_of_zeros},
         {"32.1", 5, halves_become_even},
         {"32.1", 5, any_number_of_bits},
         {"32.2", 5, one_number},
         {"32.2", 5, layers_of_any_size},
         {"32.2", 10, sums_are_exact},
         {"32.3", 5, a_window_of_one_pixel},
         {"32.3", 5, zeros_around_the_image},
         {"32.3", 10, images_of_any_size},
         {"32.4", 5, the_largest_stay},
         {"32.4", 5, the_first_of_equals_stay},
         {"32.4", 5, zeros_are_weights_too},
         {"32.4", 5, weights_of_any_number},
         {"32.5", 5, only_labels},
         {"32.5", 5, only_the_teacher},
         {"32.5", 5, both_in_parts},
         {"32.5", 5, large_logits})
