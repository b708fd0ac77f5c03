// The exercises of chapter 24, CLIP and ViLT: what each task is tested for, and its points.
// B pairs, vectors of F numbers. What the answers are compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

typedef struct {
    int pairs, features;
    double scale;
} Case;

// The small ones first, because a message shows them whole.
static const Case cases[] = {{1, 1, 1},    {2, 2, 1}, {2, 3, 4},  {3, 2, 10},
                             {5, 4, 14.3}, {9, 7, 3}, {16, 8, 30}};
enum { CASES = sizeof cases / sizeof *cases };

static Matrix random_units(Arena *arena, Rng *rng, int rows, int cols)
{
    Matrix m = random_normal(arena, rng, rows, cols);
    for (int i = 0; i < rows; i++) {
        double square = 0.0;
        for (int f = 0; f < cols; f++) square += (double)AT(m, i, f) * (double)AT(m, i, f);
        for (int f = 0; f < cols; f++) AT(m, i, f) = (float)((double)AT(m, i, f) / sqrt(square));
    }
    return m;
}

// The B × B scores
static double *scores_of(Arena *arena, Matrix images, Matrix texts, double s)
{
    double *out = doubles(arena, (size_t)images.rows * (size_t)images.rows);
    for (int i = 0; i < images.rows; i++)
        for (int j = 0; j < images.rows; j++) {
            double product = 0.0;
            for (int f = 0; f < images.cols; f++)
                product += (double)AT(images, i, f) * (double)AT(texts, j, f);
            out[i * images.rows + j] = s * product;
        }
    return out;
}

// softmax at `at` of count numbers that stand `step` apart
static double share(const double *x, int count, int step, int at)
{
    double most = -INFINITY, total = 0.0;
    for (int k = 0; k < count; k++) most = fmax(most, x[k * step]);
    for (int k = 0; k < count; k++) total += exp(x[k * step] - most);
    return exp(x[at * step] - most) / total;
}

// ---- TASK 24.1: rows of length 1 --------------------------------------------------------------------------

static void call_unit_rows(Matrix out, Matrix x)
{
    GIVEN(OUT("out", out), IN("x", x));
    unit_rows(out, x);
}

START_TEST(three_four_five)
{
    float x_values[] = {3, 4, -6, 8}, out_values[] = {7, 7, 7, 7};
    Matrix out = matrix_view(2, 2, out_values);
    call_unit_rows(out, matrix_view(2, 2, x_values));
    expect_within("out", out, ((double[]){0.6, 0.8, -0.6, 0.8}), 1e-6);
}
END_TEST

START_TEST(a_row_of_zeros_stays_one)
{
    float x_values[] = {0, 0, 5, 0}, out_values[] = {7, 7, 7, 7};
    Matrix out = matrix_view(2, 2, out_values);
    call_unit_rows(out, matrix_view(2, 2, x_values));
    expect_within("out", out, ((double[]){0, 0, 1, 0}), 1e-6);
}
END_TEST

START_TEST(rows_of_any_length)
{
    for (int c = 0; c < CASES; c++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(241, (uint64_t)c);
        Matrix x = random_normal(arena, &rng, cases[c].pairs, cases[c].features),
               out = rubbish(arena, x.rows, x.cols);
        double *expected = doubles(arena, matrix_size(x));
        for (int i = 0; i < x.rows; i++) {
            double square = 0.0;
            for (int f = 0; f < x.cols; f++) square += (double)AT(x, i, f) * (double)AT(x, i, f);
            for (int f = 0; f < x.cols; f++) expected[i * x.cols + f] = (double)AT(x, i, f) / sqrt(square);
        }
        call_unit_rows(out, x);
        expect_within("out", out, expected, 1e-5);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 24.2: the loss ----------------------------------------------------------------------------------

static float call_paired_loss(Matrix images, Matrix texts, float s)
{
    GIVEN(IN("images", images), IN("texts", texts), NUMBER("s", s));
    return paired_loss(images, texts, s);
}

static double loss_of(const double *scores, int b)
{
    double loss = 0.0;
    for (int i = 0; i < b; i++) {
        loss -= log(share(scores + i * b, b, 1, i)) / (2.0 * b);
        loss -= log(share(scores + i, b, b, i)) / (2.0 * b);
    }
    return loss;
}

START_TEST(a_single_pair_has_no_rival)
{
    float one[] = {1}, other[] = {-1};
    expect_number("paired_loss", call_paired_loss(matrix_view(1, 1, one), matrix_view(1, 1, other), 3.0f),
                  0.0, 1e-6);
}
END_TEST

START_TEST(equal_vectors_pay_log_b)
{
    float x[] = {1, 0, 1, 0, 1, 0}, y[] = {0, 1, 0, 1, 0, 1};
    expect_number("paired_loss", call_paired_loss(matrix_view(3, 2, x), matrix_view(3, 2, y), 5.0f), log(3.0),
                  1e-5);
}
END_TEST

START_TEST(large_scores_do_not_overflow)
{
    float u[] = {1, 0, 0, 1}, v[] = {0, 1, 1, 0}; // exchanged: each is 1000 below its rival, both ways
    expect_number("paired_loss", call_paired_loss(matrix_view(2, 2, u), matrix_view(2, 2, v), 1000.0f),
                  1000.0, 0.1);
}
END_TEST

START_TEST(losses_of_any_size)
{
    for (int c = 0; c < CASES; c++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(242, (uint64_t)c);
        Matrix images = random_units(arena, &rng, cases[c].pairs, cases[c].features);
        Matrix texts = random_units(arena, &rng, cases[c].pairs, cases[c].features);
        const double expected = loss_of(scores_of(arena, images, texts, cases[c].scale), images.rows);
        const float got = call_paired_loss(images, texts, (float)cases[c].scale);
        expect_number("paired_loss", got, expected, 1e-4 * (1.0 + expected));
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 24.3: its gradient ------------------------------------------------------------------------------

static void call_paired_gradient(Matrix d_images, Matrix d_texts, Matrix images, Matrix texts, float s)
{
    GIVEN(OUT("d_images", d_images), OUT("d_texts", d_texts), IN("images", images), IN("texts", texts),
          NUMBER("s", s));
    paired_gradient(d_images, d_texts, images, texts, s);
}

START_TEST(a_single_pair_is_not_pulled)
{
    float x[] = {1}, y[] = {-1}, d_x[] = {7}, d_y[] = {7};
    Matrix d_images = matrix_view(1, 1, d_x), d_texts = matrix_view(1, 1, d_y);
    call_paired_gradient(d_images, d_texts, matrix_view(1, 1, x), matrix_view(1, 1, y), 3.0f);
    expect_within("d_images", d_images, ((double[]){0}), 1e-6);
    expect_within("d_texts", d_texts, ((double[]){0}), 1e-6);
}
END_TEST

START_TEST(gradients_of_any_size)
{
    for (int c = 0; c < CASES; c++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(243, (uint64_t)c);
        const int b = cases[c].pairs, width = cases[c].features;
        const double s = cases[c].scale;
        Matrix images = random_units(arena, &rng, b, width);
        Matrix texts = random_units(arena, &rng, b, width);
        Matrix d_images = rubbish(arena, b, width), d_texts = rubbish(arena, b, width);
        const double *scores = scores_of(arena, images, texts, s);
        double *by_image = doubles(arena, matrix_size(images)),
               *by_text = doubles(arena, matrix_size(images));
        for (int i = 0; i < b * width; i++) by_image[i] = by_text[i] = 0.0;
        for (int i = 0; i < b; i++)
            for (int j = 0; j < b; j++) {
                const double slope =
                    (share(scores + i * b, b, 1, j) + share(scores + j, b, b, i) - (i == j ? 2.0 : 0.0)) /
                    (2.0 * b);
                for (int f = 0; f < width; f++) {
                    by_image[i * width + f] += s * slope * (double)AT(texts, j, f);
                    by_text[j * width + f] += s * slope * (double)AT(images, i, f);
                }
            }
        call_paired_gradient(d_images, d_texts, images, texts, (float)s);
        expect_within("d_images", d_images, by_image, 1e-4 * (1.0 + s));
        expect_within("d_texts", d_texts, by_text, 1e-4 * (1.0 + s));
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 24.4: recall ------------------------------------------------------------------------------------

static float call_recall_at(Matrix scores, int k)
{
    GIVEN(IN("scores", scores), NUMBER("k", k));
    return recall_at(scores, k);
}

START_TEST(the_best_is_found_at_one)
{
    float values[] = {5, 1, 2, 0, 9, 3, 8, 7, 6}; // the third query has its own last
    Matrix scores = matrix_view(3, 3, values);
    expect_number("recall_at", call_recall_at(scores, 1), 2.0 / 3.0, 1e-6);
    expect_number("recall_at", call_recall_at(scores, 2), 2.0 / 3.0, 1e-6);
    expect_number("recall_at", call_recall_at(scores, 3), 1.0, 1e-6);
}
END_TEST

START_TEST(equal_scores_find_nothing)
{
    float values[16];
    for (int i = 0; i < 16; i++) values[i] = 0.25f;
    Matrix scores = matrix_view(4, 4, values);
    expect_number("recall_at", call_recall_at(scores, 3), 0.0, 1e-6);
    expect_number("recall_at", call_recall_at(scores, 4), 1.0, 1e-6);
}
END_TEST

START_TEST(recalls_of_any_size)
{
    for (int n = 2; n < 20; n++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(244, (uint64_t)n);
        Matrix scores = matrix_new(arena, n, n);
        for (int i = 0; i < n * n; i++) scores.data[i] = (float)rng_below(&rng, 9) - 4.0f;
        for (int k = 1; k <= n; k += 2) {
            int found = 0;
            for (int i = 0; i < n; i++) {
                int not_before = 0; // those below the right one, and itself
                for (int j = 0; j < n; j++) not_before += j == i || AT(scores, i, j) < AT(scores, i, i);
                found += n - not_before < k;
            }
            expect_number("recall_at", call_recall_at(scores, k), (double)found / n, 1e-6);
            EXPECT_UNCHANGED();
        }
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 24.5: zero-shot ---------------------------------------------------------------------------------

static void call_nearest_class(Matrix classes, Matrix images, Matrix captions, int each)
{
    GIVEN(OUT("classes", classes), IN("images", images), IN("captions", captions),
          NUMBER("captions_each", each));
    nearest_class(classes, images, captions, each);
}

START_TEST(one_caption_each)
{
    float images[] = {1, 0, 0, 1, 0.6f, 0.8f}, captions[] = {0, 1, 1, 0, 0.8f, 0.6f}, out[] = {7, 7, 7};
    Matrix classes = matrix_view(3, 1, out);
    call_nearest_class(classes, matrix_view(3, 2, images), matrix_view(3, 2, captions), 1);
    expect_within("classes", classes, ((double[]){1, 0, 2}), 0.0);
}
END_TEST

START_TEST(captions_that_differ_are_not_weaker)
{
    // Class 0 says 1, 0 twice; the captions of class 1 lie on both sides of 0.6, 0.8, far apart.
    float images[] = {0.8f, 0.6f}, captions[] = {1, 0, 1, 0, 1, 0, 0, 1}, out[] = {7};
    Matrix classes = matrix_view(1, 1, out);
    call_nearest_class(classes, matrix_view(1, 2, images), matrix_view(4, 2, captions), 2);
    expect_within("classes", classes, ((double[]){1}), 0.0);
}
END_TEST

START_TEST(of_equal_classes_the_first)
{
    float images[] = {1, 0, 0, 1}, captions[] = {0, -1, 1, 0, 1, 0, 0, -1}, out[] = {7, 7};
    Matrix classes = matrix_view(2, 1, out);
    call_nearest_class(classes, matrix_view(2, 2, images), matrix_view(4, 2, captions), 1);
    expect_within("classes", classes, ((double[]){1, 1}), 0.0);
}
END_TEST

START_TEST(classes_of_any_number)
{
    for (int c = 1; c < CASES; c++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(245, (uint64_t)c);
        const int count = cases[c].pairs, each = 1 + c % 3, width = cases[c].features, n = 12;
        Matrix images = random_units(arena, &rng, n, width);
        Matrix captions = random_units(arena, &rng, count * each, width);
        Matrix classes = rubbish(arena, n, 1);
        double *expected = doubles(arena, (size_t)n);
        for (int i = 0; i < n; i++) {
            double most = -2.0;
            for (int k = 0; k < count; k++) {
                double product = 0.0, square = 0.0;
                for (int f = 0; f < width; f++) {
                    double total = 0.0;
                    for (int m = 0; m < each; m++) total += (double)AT(captions, k * each + m, f);
                    product += total * (double)AT(images, i, f);
                    square += total * total;
                }
                if (product / sqrt(square) > most) {
                    most = product / sqrt(square);
                    expected[i] = k;
                }
            }
        }
        call_nearest_class(classes, images, captions, each);
        expect_within("classes", classes, expected, 0.0);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// clang-format off
EXERCISE("24-clip-vilt",
         {"24.1", 5, three_four_five},
         {"24.1", 4, a_row_of_zeros_stays_one},
         {"24.1", 6, rows_of_any_length},
         {"24.2", 3, a_single_pair_has_no_rival},
         {"24.2", 4, equal_vectors_pay_log_b},
         {"24.2", 5, large_scores_do_not_overflow},
         {"24.2", 10, losses_of_any_size},
         {"24.3", 4, a_single_pair_is_not_pulled},
         {"24.3", 16, gradients_of_any_size},
         {"24.4", 5, the_best_is_found_at_one},
         {"24.4", 5, equal_scores_find_nothing},
         {"24.4", 8, recalls_of_any_size},
         {"24.5", 5, one_caption_each},
         {"24.5", 6, captions_that_differ_are_not_weaker},
         {"24.5", 4, of_equal_classes_the_first},
         {"24.5", 10, classes_of_any_number})
