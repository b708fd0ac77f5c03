// The exercises of chapter 17, Transformer: what each task is tested for, and its points.
// What the answers are compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

// ---- TASK 17.1: smoothed labels ---------------------------------------------------------------------------------

static double true_loss(Matrix logits, Matrix labels, double epsilon)
{
    double loss = 0.0;
    int counted = 0;
    for (int i = 0; i < logits.rows; i++) {
        if (labels.data[i] < 0.0f) continue;
        counted++;
        for (int j = 0; j < logits.cols; j++) {
            double inverse = 0.0; // 1 / p_j, as log Σ e^(s_l − s_j) with the largest taken out
            double most = -INFINITY;
            for (int l = 0; l < logits.cols; l++) most = fmax(most, (double)AT(logits, i, l));
            for (int l = 0; l < logits.cols; l++) inverse += exp((double)AT(logits, i, l) - most);
            double target = epsilon / logits.cols + (j == (int)labels.data[i] ? 1.0 - epsilon : 0.0);
            loss += target * (log(inverse) + most - (double)AT(logits, i, j));
        }
    }
    return loss / counted;
}

static void expect_loss(Matrix logits, Matrix labels, float epsilon, double expected)
{
    GIVEN(IN("logits", logits), IN("labels", labels), NUMBER("epsilon", (double)epsilon));
    double got = (double)smoothed_loss(logits, labels, epsilon);
    expect_number("smoothed_loss(logits, labels, epsilon)", got, expected, 2e-5 * fmax(1.0, expected));
    EXPECT_UNCHANGED();
}

START_TEST(losses_by_hand)
{
    // Scores 0 and log 3: probabilities 1/4 and 3/4. ε = 0.5: targets 0.75 and 0.25.
    float values[] = {0.0f, 1.0986123f}, label[] = {0};
    Matrix logits = matrix_view(1, 2, values), labels = matrix_view(1, 1, label);
    expect_loss(logits, labels, 0.0f, log(4.0));
    expect_loss(logits, labels, 0.5f, 0.75 * log(4.0) + 0.25 * log(4.0 / 3.0));
    expect_loss(logits, labels, 1.0f, 0.5 * log(4.0) + 0.5 * log(4.0 / 3.0));
}
END_TEST

START_TEST(padding_does_not_count)
{
    float values[] = {0, 0, 50, 1, 2, 2, 0, 1.0986123f}, label[] = {1, -1, 0, -1};
    expect_loss(matrix_view(4, 2, values), matrix_view(1, 4, label), 0.1f, log(2.0));
}
END_TEST

START_TEST(losses_of_any_size)
{
    for (int k = 1; k <= 41; k += 8)
        for (int n = 1; n <= 9; n += 4) {
            Arena *arena = arena_new();
            Rng rng = rng_new(171, (uint64_t)(10 * k + n));
            Matrix logits = random_normal(arena, &rng, n, k), labels = matrix_new(arena, 1, n);
            scale(logits, 3.0f);
            for (int i = 1; i < n; i++) labels.data[i] = (float)rng_below(&rng, (uint32_t)k + 1) - 1.0f;
            expect_loss(logits, labels, 0.1f, true_loss(logits, labels, (double)0.1f));
            arena_free(arena);
        }
}
END_TEST

START_TEST(losses_of_scores_of_ten_thousand)
{
    float values[] = {10000, 9999, -10000, -10000, -9998, -9999}, label[] = {0, 1};
    Matrix logits = matrix_view(2, 3, values), labels = matrix_view(1, 2, label);
    expect_loss(logits, labels, 0.1f, true_loss(logits, labels, (double)0.1f));
}
END_TEST

// ---- TASK 17.2: steps of a clock --------------------------------------------------------------------------------

static void expect_step(int columns, int place, int step)
{
    Arena *arena = arena_new();
    Matrix now = matrix_new(arena, 1, columns), later = rubbish(arena, 1, columns);
    double *expected = doubles(arena, (size_t)columns);
    for (int c = 0; c < columns; c++) {
        double slower = pow(10000.0, (double)(c - c % 2) / columns);
        now.data[c] = (float)(c % 2 ? cos(place / slower) : sin(place / slower));
        expected[c] = c % 2 ? cos((place + step) / slower) : sin((place + step) / slower);
    }
    GIVEN(OUT("later", later), IN("now", now), NUMBER("step", step));
    step_position(later, now, step);
    expect_within("later", later, expected, 1e-6);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(one_step_from_the_first_place) { expect_step(4, 0, 1); }
END_TEST

START_TEST(no_step_at_all) { expect_step(6, 7, 0); }
END_TEST

START_TEST(steps_from_any_place_in_any_width)
{
    for (int columns = 2; columns <= 64; columns += 14)
        for (int place = 0; place < 60; place += 11) expect_step(columns, place, 1 + place % 5);
}
END_TEST

START_TEST(far_and_backward_steps)
{
    expect_step(8, 30, -17);
    expect_step(16, 1000, -1000);
    expect_step(32, 3, 1000);
}
END_TEST

// ---- TASK 17.3: padding anywhere --------------------------------------------------------------------------------

static void expect_attention(Arena *arena, Matrix q, Matrix k, Matrix v, Matrix mask)
{
    Matrix out = rubbish(arena, q.rows, q.cols);
    double *expected = doubles(arena, matrix_size(out));
    for (int i = 0; i < q.rows; i++) {
        double p[MOST] = {0}, most = -INFINITY, total = 0.0;
        for (int j = 0; j < k.rows; j++) {
            if (mask.data[j] == 0.0f) continue;
            for (int c = 0; c < q.cols; c++)
                p[j] += (double)AT(q, i, c) * (double)AT(k, j, c) / sqrt((double)q.cols);
            most = fmax(most, p[j]);
        }
        for (int j = 0; j < k.rows; j++) total += mask.data[j] == 0.0f ? 0.0 : exp(p[j] - most);
        for (int c = 0; c < q.cols; c++) {
            double *e = &expected[i * q.cols + c];
            *e = 0.0;
            for (int j = 0; j < k.rows; j++)
                if (mask.data[j] > 0.0f) *e += exp(p[j] - most) / total * (double)AT(v, j, c);
        }
    }
    GIVEN(OUT("out", out), IN("q", q), IN("k", k), IN("v", v), IN("mask", mask));
    padded_attention(out, q, k, v, mask);
    expect_within("out", out, expected, 1e-4);
    EXPECT_UNCHANGED();
}

START_TEST(two_keys_and_one_of_padding_by_hand)
{
    // d = 1: scores 0, 50 (padding) and log 3; weights 1/4 and 3/4
    Arena *arena = arena_new();
    float q[] = {1}, k[] = {0, 50, 1.0986123f}, v[] = {4, 100, 8}, mask[] = {1, 0, 1};
    expect_attention(arena, matrix_view(1, 1, q), matrix_view(3, 1, k), matrix_view(3, 1, v),
                     matrix_view(1, 3, mask));
    arena_free(arena);
}
END_TEST

static void random_attention(int t, int s, int d, float size, uint64_t seed)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(173, seed);
    Matrix q = random_normal(arena, &rng, t, d), k = random_normal(arena, &rng, s, d),
           v = random_normal(arena, &rng, s, d), mask = matrix_new(arena, 1, s);
    scale(q, size);
    for (int j = 0; j < s; j++) mask.data[j] = rng_below(&rng, 3) ? 1.0f : 0.0f;
    mask.data[s - 1] = 1.0f;
    expect_attention(arena, q, k, v, mask);
    arena_free(arena);
}

START_TEST(padding_anywhere_in_any_size)
{
    for (int n = 0; n < 12; n++) random_attention(1 + n % 4, 1 + 5 * n, 1 + n % 7, 1.0f, (uint64_t)n);
}
END_TEST

START_TEST(nothing_is_seen)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(173, 100);
    Matrix q = random_normal(arena, &rng, 3, 2), k = random_normal(arena, &rng, 4, 2),
           v = random_normal(arena, &rng, 4, 2);
    expect_attention(arena, q, k, v, matrix_new(arena, 1, 4));
    arena_free(arena);
}
END_TEST

START_TEST(scores_of_thousands_and_tall_padding)
{
    Arena *arena = arena_new();
    float q[] = {100}, k[] = {-50, 90, -51, -50.01f}, v[] = {1, 2, 3, 4}, mask[] = {1, 0, 1, 1};
    expect_attention(arena, matrix_view(1, 1, q), matrix_view(4, 1, k), matrix_view(4, 1, v),
                     matrix_view(1, 4, mask));
    for (int n = 0; n < 6; n++) random_attention(2, 9, 3, 10.0f, 200 + (uint64_t)n);
    arena_free(arena);
}
END_TEST

// ---- TASK 17.4: one step of a beam ------------------------------------------------------------------------------

// How many continuations come before this one
static int rank_of(Matrix totals, Matrix steps, int hypothesis, int token)
{
    int before = 0;
    float own = totals.data[hypothesis] + AT(steps, hypothesis, token);
    for (int h = 0; h < steps.rows; h++)
        for (int t = 0; t < steps.cols; t++) {
            float sum = totals.data[h] + AT(steps, h, t);
            before += sum > own || (sum == own && (h < hypothesis || (h == hypothesis && t < token)));
        }
    return before;
}

static void expect_picked(Matrix totals, Matrix steps, int width)
{
    Arena *arena = arena_new();
    Matrix picked = rubbish(arena, width, 2);
    double *expected = doubles(arena, (size_t)(2 * width));
    int count = 0;
    for (int i = 0; i < 2 * width; i++) expected[i] = -1.0;
    for (int h = 0; h < steps.rows; h++)
        for (int t = 0; t < steps.cols; t++) {
            int rank = rank_of(totals, steps, h, t);
            if (rank >= width || AT(steps, h, t) == -INFINITY) continue;
            expected[2 * rank] = h, expected[2 * rank + 1] = t;
            count++;
        }
    GIVEN(OUT("picked", picked), IN("totals", totals), IN("steps", steps), NUMBER("width", width));
    int got = beam_step(picked, totals, steps, width);
    expect_within("picked", picked, expected, 0.0);
    expect_number("beam_step(…)", got, count, 0.0);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(two_hypotheses_by_hand)
{
    float totals[] = {-1, -2}, steps[] = {-3, -1, -5, -0.5f, -1, -4};
    expect_picked(matrix_view(1, 2, totals), matrix_view(2, 3, steps), 3); // −2, −2.5, −3
    expect_picked(matrix_view(1, 2, totals), matrix_view(2, 3, steps), 1);
}
END_TEST

START_TEST(of_equals_the_first)
{
    float totals[] = {-1, -1, 0}, steps[] = {-2, -1, -1, -2, -1, -1, -2, -3, -2};
    for (int width = 1; width <= 9; width++)
        expect_picked(matrix_view(1, 3, totals), matrix_view(3, 3, steps), width);
}
END_TEST

START_TEST(impossible_tokens_are_never_taken)
{
    float totals[] = {-1, -2}, steps[] = {-INFINITY, -1, -INFINITY, -INFINITY, -INFINITY, -4},
          none[] = {-INFINITY, -INFINITY};
    expect_picked(matrix_view(1, 2, totals), matrix_view(2, 3, steps), 4);
    expect_picked(matrix_view(1, 2, totals), matrix_view(2, 1, none), 2);
}
END_TEST

START_TEST(beams_of_any_width)
{
    for (int n = 0; n < 10; n++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(174, (uint64_t)n);
        int hypotheses = 1 + n % 5;
        Matrix totals = random_normal(arena, &rng, 1, hypotheses),
               steps = random_normal(arena, &rng, hypotheses, 1 + 3 * n);
        expect_picked(totals, steps, 1 + n);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 17.5: BLEU --------------------------------------------------------------------------------------------

static bool same_gram(const float *a, const float *b, int n)
{
    return memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

// Each n-gram of the candidate strikes out one of the reference
static double true_bleu(Matrix candidate, Matrix reference, int order)
{
    double total = 0.0;
    for (int n = 1; n <= order; n++) {
        bool struck[MOST] = {false};
        int matches = 0;
        for (int i = 0; i + n <= candidate.cols; i++)
            for (int j = 0; j + n <= reference.cols; j++)
                if (!struck[j] && same_gram(candidate.data + i, reference.data + j, n)) {
                    struck[j] = true, matches++;
                    break;
                }
        if (!matches) return 0.0;
        total += log((double)matches / (candidate.cols - n + 1)) / order;
    }
    return exp(total + fmin(0.0, 1.0 - (double)reference.cols / candidate.cols));
}

static void expect_bleu(Matrix candidate, Matrix reference, int order, double expected)
{
    GIVEN(IN("candidate", candidate), IN("reference", reference), NUMBER("order", order));
    double got = (double)bleu(candidate, reference, order);
    expect_number("bleu(candidate, reference, order)", got, expected, 1e-5);
    EXPECT_UNCHANGED();
}

START_TEST(words_and_pairs_by_hand)
{
    float candidate[] = {1, 2, 9, 4}, reference[] = {1, 2, 3, 4};
    Matrix c = matrix_view(1, 4, candidate), r = matrix_view(1, 4, reference);
    expect_bleu(c, r, 1, 0.75);
    expect_bleu(c, r, 2, 0.5); // √(3/4 · 1/3)
    expect_bleu(c, r, 3, 0.0);
    expect_bleu(r, r, 4, 1.0);
}
END_TEST

START_TEST(repeated_words_match_once)
{
    float candidate[] = {5, 5, 5, 5}, reference[] = {5, 6, 7, 5};
    expect_bleu(matrix_view(1, 4, candidate), matrix_view(1, 4, reference), 1, 0.5);
}
END_TEST

START_TEST(short_texts_are_charged_and_long_ones_are_not)
{
    float text[] = {1, 2, 3, 4, 5, 6};
    expect_bleu(matrix_view(1, 3, text), matrix_view(1, 6, text), 2, exp(-1.0));
    expect_bleu(matrix_view(1, 6, text), matrix_view(1, 3, text), 1, 0.5);
    expect_bleu(matrix_view(1, 2, text), matrix_view(1, 2, text), 3, 0.0); // no triple
}
END_TEST

START_TEST(texts_of_any_length)
{
    for (int n = 0; n < 40; n++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(175, (uint64_t)n);
        Matrix c = matrix_new(arena, 1, 4 + n % 23), r = matrix_new(arena, 1, 4 + n % 17);
        for (int i = 0; i < c.cols; i++) c.data[i] = (float)rng_below(&rng, 2 + (uint32_t)n % 3);
        for (int i = 0; i < r.cols; i++) r.data[i] = (float)rng_below(&rng, 2 + (uint32_t)n % 3);
        expect_bleu(c, r, 1 + n % 4, true_bleu(c, r, 1 + n % 4));
        arena_free(arena);
    }
}
END_TEST

// clang-format off
EXERCISE("17-transformer",
         {"17.1", 5, losses_by_hand},
         {"17.1", 5, padding_does_not_count},
         {"17.1", 5, losses_of_any_size},
         {"17.1", 5, losses_of_scores_of_ten_thousand},
         {"17.2", 3, one_step_from_the_first_place},
         {"17.2", 2, no_step_at_all},
         {"17.2", 5, steps_from_any_place_in_any_width},
         {"17.2", 5, far_and_backward_steps},
         {"17.3", 5, two_keys_and_one_of_padding_by_hand},
         {"17.3", 5, padding_anywhere_in_any_size},
         {"17.3", 5, nothing_is_seen},
         {"17.3", 5, scores_of_thousands_and_tall_padding},
         {"17.4", 5, two_hypotheses_by_hand},
         {"17.4", 5, of_equals_the_first},
         {"17.4", 5, impossible_tokens_are_never_taken},
         {"17.4", 10, beams_of_any_width},
         {"17.5", 5, words_and_pairs_by_hand},
         {"17.5", 5, repeated_words_match_once},
         {"17.5", 5, short_texts_are_charged_and_long_ones_are_not},
         {"17.5", 5, texts_of_any_length})
