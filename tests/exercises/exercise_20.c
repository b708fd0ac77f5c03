// The exercises of chapter 20, A tiny GPT: what each task is tested for, and its points.
// V tokens, T positions, C columns. What the answers are compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

// ---- TASK 20.1: bits for each character -----------------------------------------------------------------------

static double true_bits(Matrix logits, Matrix labels, int characters)
{
    double bits = 0.0;
    for (int t = 0; t < logits.rows; t++) {
        if (labels.data[t] < 0.0f) continue;
        double total = 0.0, own = (double)AT(logits, t, (int)labels.data[t]);
        for (int v = 0; v < logits.cols; v++) total += exp((double)AT(logits, t, v) - own); // 1 / P
        bits += log2(total);
    }
    return bits / characters;
}

static void expect_bits(Matrix logits, Matrix labels, int characters, double expected)
{
    GIVEN(IN("logits", logits), IN("labels", labels), NUMBER("characters", characters));
    double got = (double)bits_per_character(logits, labels, characters);
    expect_number("bits_per_character(logits, labels, characters)", got, expected,
                  2e-5 * fmax(1.0, expected));
    EXPECT_UNCHANGED();
}

START_TEST(a_quarter_costs_two_bits)
{
    // logits 0 and ln 3: a quarter and three quarters.
    float values[] = {0.0f, 1.0986123f, 0.0f, 1.0986123f}, label_values[] = {0, 1};
    Matrix logits = matrix_view(2, 2, values), labels = matrix_view(1, 2, label_values);
    expect_bits(logits, labels, 1, 2.0 - log2(0.75));
    expect_bits(logits, labels, 5, (2.0 - log2(0.75)) / 5.0);
}
END_TEST

START_TEST(positions_without_a_label_do_not_count)
{
    float values[] = {0, 0, 0, 0, 5, 1, 0, -2, 3, 3, 0, 0}, label_values[] = {2, -1, -1},
          none[] = {-1, -1, -1};
    Matrix logits = matrix_view(3, 4, values);
    expect_bits(logits, matrix_view(1, 3, label_values), 4, 0.5);
    expect_bits(logits, matrix_view(1, 3, none), 4, 0.0);
}
END_TEST

START_TEST(texts_of_any_length_in_any_vocabulary)
{
    for (int v = 1; v <= 40; v += 13)
        for (int t = 1; t <= 9; t += 4) {
            Arena *arena = arena_new();
            Rng rng = rng_new(201, (uint64_t)(10 * v + t));
            Matrix logits = random_normal(arena, &rng, t, v), labels = matrix_new(arena, 1, t);
            scale(logits, 3.0f);
            for (int i = 0; i < t; i++) labels.data[i] = (float)rng_below(&rng, (uint32_t)v + 1) - 1.0f;
            expect_bits(logits, labels, 3 * t, true_bits(logits, labels, 3 * t));
            arena_free(arena);
        }
}
END_TEST

START_TEST(large_logits_do_not_overflow_nor_vanish)
{
    float values[] = {10000, 9999, -10000, -10000, -9998, -9999}, label_values[] = {0, 1}, other[] = {2, 0};
    Matrix logits = matrix_view(2, 3, values);
    double first = log2(1.0 + exp(-1.0)), second = log2(1.0 + exp(-1.0) + exp(-2.0));
    expect_bits(logits, matrix_view(1, 2, label_values), 2, (first + second) / 2.0);
    expect_bits(logits, matrix_view(1, 2, other), 7,
                (20000.0 / log(2.0) + first + 2.0 / log(2.0) + second) / 7.0);
}
END_TEST

// ---- TASKS 20.2 and 20.3: what is left ------------------------------------------------------------------------

// How many tokens stand before token i when they are sorted by probability, equals by number.
static int rank_of(const float *p, int count, int i)
{
    int before = 0;
    for (int j = 0; j < count; j++) before += p[j] > p[i] || (p[j] == p[i] && j < i);
    return before;
}

// The `kept` most likely tokens of p.
static void true_kept(double *expected, Matrix p, int kept)
{
    double total = 0.0;
    for (int i = 0; i < p.cols; i++) total += rank_of(p.data, p.cols, i) < kept ? (double)p.data[i] : 0.0;
    for (int i = 0; i < p.cols; i++)
        expected[i] = rank_of(p.data, p.cols, i) < kept ? (double)p.data[i] / total : 0.0;
}

// Probabilities that are multiples of 1/256, some of them equal, some 0.
static Matrix random_probabilities(Arena *arena, Rng *rng, int count)
{
    Matrix p = matrix_new(arena, 1, count);
    for (int n = 0; n < 256; n++)
        p.data[rng_below(rng, (uint32_t)count) * rng_below(rng, 5) / 4] += 1.0f / 256;
    return p;
}

START_TEST(the_two_most_likely_of_four)
{
    float values[] = {0.1f, 0.4f, 0.2f, 0.3f};
    Matrix p = matrix_view(1, 4, values);
    GIVEN(OUT("p", p), NUMBER("k", 2));
    keep_top_k(p, 2);
    expect_within("p", p, ((double[]){0, 4.0 / 7, 0, 3.0 / 7}), 1e-6);
}
END_TEST

START_TEST(of_equals_the_first_stays)
{
    float values[] = {0.125f, 0.25f, 0.25f, 0.25f, 0.125f};
    Matrix p = matrix_view(1, 5, values);
    GIVEN(OUT("p", p), NUMBER("k", 2));
    keep_top_k(p, 2);
    expect_within("p", p, ((double[]){0, 0.5, 0.5, 0, 0}), 1e-6);
}
END_TEST

START_TEST(any_number_of_tokens_may_be_kept)
{
    for (int v = 1; v <= 37; v += 12)
        for (int k = 1; k <= v; k += 3) {
            Arena *arena = arena_new();
            Rng rng = rng_new(202, (uint64_t)(100 * v + k));
            Matrix p = random_probabilities(arena, &rng, v);
            double *expected = doubles(arena, (size_t)v);
            true_kept(expected, p, k);
            GIVEN(OUT("p", p), NUMBER("k", k));
            keep_top_k(p, k);
            expect_within("p", p, expected, 1e-6);
            arena_free(arena);
        }
}
END_TEST

START_TEST(the_token_that_reaches_top_p_belongs_to_the_nucleus)
{
    float values[] = {0.125f, 0.5f, 0.25f, 0.125f};
    Matrix p = matrix_view(1, 4, values);
    GIVEN(OUT("p", p), NUMBER("top_p", 0.6));
    keep_nucleus(p, 0.6f);
    expect_within("p", p, ((double[]){0, 2.0 / 3, 1.0 / 3, 0}), 1e-6);
}
END_TEST

START_TEST(a_sum_that_is_just_reached_needs_no_more)
{
    float values[] = {0.125f, 0.5f, 0.25f, 0.125f};
    Matrix p = matrix_view(1, 4, values);
    GIVEN(OUT("p", p), NUMBER("top_p", 0.5));
    keep_nucleus(p, 0.5f);
    expect_within("p", p, ((double[]){0, 1, 0, 0}), 1e-6);
}
END_TEST

START_TEST(the_first_token_is_always_in_the_nucleus)
{
    float values[] = {0.25f, 0.25f, 0.5f};
    Matrix p = matrix_view(1, 3, values);
    GIVEN(OUT("p", p), NUMBER("top_p", 0.001));
    keep_nucleus(p, 0.001f);
    expect_within("p", p, ((double[]){0, 0, 1}), 1e-6);
}
END_TEST

// Rounding may leave a sum below top_p: then the loop must end with the tokens.
START_TEST(a_sum_that_is_never_reached_keeps_all)
{
    float values[] = {0.25f, 0.4999f, 0.25f};
    Matrix p = matrix_view(1, 3, values);
    GIVEN(OUT("p", p), NUMBER("top_p", (double)0.99999994f));
    keep_nucleus(p, 0.99999994f);
    expect_within("p", p, ((double[]){0.25 / 0.9999, 0.4999 / 0.9999, 0.25 / 0.9999}), 1e-6);
}
END_TEST

START_TEST(nuclei_of_any_size)
{
    static const float masses[] = {0.1f, 0.3f, 0.5f, 0.75f, 0.9f, 0.99f};
    for (int v = 2; v <= 38; v += 12)
        for (int k = 0; k < 6; k++) {
            Arena *arena = arena_new();
            Rng rng = rng_new(203, (uint64_t)(100 * v + k));
            Matrix p = random_probabilities(arena, &rng, v);
            double *expected = doubles(arena, (size_t)v), total = 0.0;
            int kept = 0;
            while (total < (double)masses[k])
                for (int i = 0, rank = kept++; i < v; i++)
                    if (rank_of(p.data, v, i) == rank) total += (double)p.data[i];
            true_kept(expected, p, kept);
            GIVEN(OUT("p", p), NUMBER("top_p", (double)masses[k]));
            keep_nucleus(p, masses[k]);
            expect_within("p", p, expected, 1e-6);
            arena_free(arena);
        }
}
END_TEST

// ---- TASK 20.4: drawing -----------------------------------------------------------------------------------------

static void expect_drawn(Matrix p, float uniform, int expected)
{
    GIVEN(IN("p", p), NUMBER("uniform", (double)uniform));
    expect_number("draw(p, uniform)", draw(p, uniform), expected, 0.0);
    EXPECT_UNCHANGED();
}

START_TEST(each_token_owns_an_interval_of_the_line)
{
    float values[] = {0.25f, 0.5f, 0.125f, 0.125f};
    Matrix p = matrix_view(1, 4, values);
    expect_drawn(p, 0.0f, 0);
    expect_drawn(p, 0.2f, 0);
    expect_drawn(p, 0.3f, 1);
    expect_drawn(p, 0.8f, 2);
    expect_drawn(p, 0.99f, 3);
}
END_TEST

START_TEST(an_interval_ends_before_the_next_begins)
{
    float values[] = {0.25f, 0.5f, 0.25f};
    Matrix p = matrix_view(1, 3, values);
    expect_drawn(p, 0.25f, 1);
    expect_drawn(p, 0.75f, 2);
}
END_TEST

START_TEST(what_is_impossible_is_never_drawn)
{
    float values[] = {0.0f, 0.5f, 0.0f, 0.5f, 0.0f};
    Matrix p = matrix_view(1, 5, values);
    expect_drawn(p, 0.0f, 1);
    expect_drawn(p, 0.5f, 3);
    expect_drawn(p, 0.99999994f, 3);
}
END_TEST

START_TEST(a_sum_just_below_one_draws_the_last_that_is_possible)
{
    float values[] = {0.0f, 0.25f, 0.7499f, 0.0f};
    expect_drawn(matrix_view(1, 4, values), 0.99999994f, 2);
    float first[] = {0.9999f, 0.0f, 0.0f};
    expect_drawn(matrix_view(1, 3, first), 0.99999994f, 0);
}
END_TEST

// ---- TASK 20.5: a block of the decoder ------------------------------------------------------------------------------

static void true_norm(double *y, const double *x, int c)
{
    double square = 0.0;
    for (int j = 0; j < c; j++) square += x[j] * x[j] / c;
    for (int j = 0; j < c; j++) y[j] = x[j] / sqrt(square + 1e-5);
}

// out[j] += Σ_i in[i] · w(i, j)
static void true_product(double *out, const double *in, Matrix w)
{
    for (int i = 0; i < w.rows; i++)
        for (int j = 0; j < w.cols; j++) out[j] += in[i] * (double)AT(w, i, j);
}

// Returns the distance of the nearest hidden sum from its kink.
static double true_block(double *x, Matrix qkv, Matrix out, Matrix up, Matrix down, int heads, int time)
{
    enum { C = MAX_WIDTH };
    static double mixed[MAX_TIME][3 * C], normal[C], heard[C], hidden[4 * C];
    int c = out.rows, d = c / heads;
    double closest = INFINITY;
    memset(mixed, 0, sizeof mixed);
    for (int t = 0; t < time; t++) {
        true_norm(normal, x + t * c, c);
        true_product(mixed[t], normal, qkv);
    }
    for (int t = 0; t < time; t++) {
        memset(heard, 0, sizeof heard);
        for (int h = 0; h < heads; h++) {
            double weight[MAX_TIME], total = 0.0;
            for (int s = 0; s <= t; s++) {
                double score = 0.0;
                for (int j = 0; j < d; j++) score += mixed[t][h * d + j] * mixed[s][c + h * d + j];
                total += weight[s] = exp(score / sqrt(d));
            }
            for (int s = 0; s <= t; s++)
                for (int j = 0; j < d; j++)
                    heard[h * d + j] += weight[s] / total * mixed[s][2 * c + h * d + j];
        }
        true_product(x + t * c, heard, out);
        true_norm(normal, x + t * c, c);
        memset(hidden, 0, sizeof hidden);
        true_product(hidden, normal, up);
        for (int j = 0; j < up.cols; j++)
            closest = fmin(closest, fabs(hidden[j])), hidden[j] = fmax(0.0, hidden[j]);
        true_product(x + t * c, hidden, down);
    }
    return closest;
}

typedef struct {
    int time, heads, width, hidden;
} Size;

static void expect_block(Size size, uint64_t seed)
{
    Arena *arena = arena_new();
    int t = size.time, c = size.heads * size.width;
    Matrix x, qkv, out, up, down;
    double *expected, closest;
    do { // at a kink rounding decides which side
        Rng rng = rng_new(205, seed++);
        x = random_normal(arena, &rng, t, c), qkv = random_normal(arena, &rng, c, 3 * c);
        out = random_normal(arena, &rng, c, c), up = random_normal(arena, &rng, c, size.hidden);
        down = random_normal(arena, &rng, size.hidden, c);
        scale(qkv, 1.0f / sqrtf((float)c)), scale(out, 1.0f / sqrtf((float)c));
        scale(up, 1.0f / sqrtf((float)c)), scale(down, 1.0f / sqrtf((float)size.hidden));
        expected = doubles(arena, matrix_size(x));
        for (size_t i = 0; i < matrix_size(x); i++) expected[i] = (double)x.data[i];
        closest = true_block(expected, qkv, out, up, down, size.heads, t);
    } while (closest < 1e-5);
    GIVEN(OUT("x", x), IN("qkv", qkv), IN("out", out), IN("up", up), IN("down", down),
          NUMBER("heads", size.heads));
    decoder_block(x, qkv, out, up, down, size.heads);
    expect_close("x", x, expected, 1e-4);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(a_block_of_zeros_does_nothing)
{
    float x_values[] = {1, -2, 3, 4}, zeros[16] = {0};
    Matrix x = matrix_view(2, 2, x_values), qkv = matrix_view(2, 6, zeros), out = matrix_view(2, 2, zeros);
    Matrix up = matrix_view(2, 3, zeros), down = matrix_view(3, 2, zeros);
    GIVEN(OUT("x", x), IN("qkv", qkv), IN("out", out), IN("up", up), IN("down", down), NUMBER("heads", 1));
    decoder_block(x, qkv, out, up, down, 1);
    expect_within("x", x, ((double[]){1, -2, 3, 4}), 1e-6);
}
END_TEST

START_TEST(the_first_position_hears_only_itself) { expect_block((Size){1, 1, 4, 3}, 0); }
END_TEST

START_TEST(later_positions_hear_the_earlier_ones)
{
    expect_block((Size){2, 1, 2, 3}, 1000);
    expect_block((Size){5, 1, 3, 8}, 2000);
}
END_TEST

START_TEST(heads_listen_side_by_side)
{
    expect_block((Size){4, 2, 1, 2}, 3000);
    expect_block((Size){3, 2, 3, 4}, 4000);
    expect_block((Size){7, 3, 5, 20}, 5000);
    expect_block((Size){MAX_TIME, 4, 4, 24}, 6000);
    expect_block((Size){3, 4, MAX_WIDTH / 4, 32}, 7000);
}
END_TEST

// Queries and keys a hundred times the stream: scores of ±14 142, so each position hears whoever is like itself and
// nobody else, and e^score is infinite.
START_TEST(large_scores_do_not_overflow)
{
    enum { T = 3, C = 2 };
    float x_values[] = {3, 0, 0, -5, -4, 0}, zeros[6] = {0}, one[] = {1, 0, 0, 1};
    float qkv_values[] = {100, 0, 100, 0, 1, 0, 0, 100, 0, 100, 0, 1};
    Matrix x = matrix_view(T, C, x_values), qkv = matrix_view(C, 3 * C, qkv_values);
    Matrix out = matrix_view(C, C, one), up = matrix_view(C, 3, zeros), down = matrix_view(3, C, zeros);
    GIVEN(OUT("x", x), IN("qkv", qkv), IN("out", out), IN("up", up), IN("down", down), NUMBER("heads", 1));
    decoder_block(x, qkv, out, up, down, 1);
    // Third position: 0 to the second (a right angle) is far below its own 14 142.
    double expected[] = {3 + sqrt(2), 0, 0, -5 - sqrt(2), -4 - sqrt(2), 0};
    expect_within("x", x, expected, 1e-4);
}
END_TEST

// clang-format off
EXERCISE("20-tiny-gpt",
         {"20.1", 4, a_quarter_costs_two_bits},
         {"20.1", 3, positions_without_a_label_do_not_count},
         {"20.1", 3, texts_of_any_length_in_any_vocabulary},
         {"20.1", 5, large_logits_do_not_overflow_nor_vanish},
         {"20.2", 5, the_two_most_likely_of_four},
         {"20.2", 5, of_equals_the_first_stays},
         {"20.2", 10, any_number_of_tokens_may_be_kept},
         {"20.3", 5, the_token_that_reaches_top_p_belongs_to_the_nucleus},
         {"20.3", 5, a_sum_that_is_just_reached_needs_no_more},
         {"20.3", 5, the_first_token_is_always_in_the_nucleus},
         {"20.3", 3, nuclei_of_any_size},
         {"20.3", 2, a_sum_that_is_never_reached_keeps_all},
         {"20.4", 5, each_token_owns_an_interval_of_the_line},
         {"20.4", 5, an_interval_ends_before_the_next_begins},
         {"20.4", 5, what_is_impossible_is_never_drawn},
         {"20.4", 5, a_sum_just_below_one_draws_the_last_that_is_possible},
         {"20.5", 5, a_block_of_zeros_does_nothing},
         {"20.5", 5, the_first_position_hears_only_itself},
         {"20.5", 5, later_positions_hear_the_earlier_ones},
         {"20.5", 5, heads_listen_side_by_side},
         {"20.5", 5, large_scores_do_not_overflow})
