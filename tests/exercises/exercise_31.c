// The exercises of chapter 31, Reward and reasoning: what each task is tested for, and its points.
// What the answers are compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

// ---- TASK 31.1: advantages ----------------------------------------------------------------------------------

static void expect_advantages(Matrix rewards, int scaled, float epsilon, const double *expected, double room)
{
    Arena *arena = arena_new();
    Matrix advantages = rubbish(arena, rewards.rows, rewards.cols);
    GIVEN(OUT("advantages", advantages), IN("rewards", rewards), NUMBER("scaled", scaled),
          NUMBER("epsilon", epsilon));
    group_advantages(advantages, rewards, scaled, epsilon);
    expect_within("advantages", advantages, expected, room);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(better_than_the_others)
{
    float rewards[] = {1, 0, 0, 1, 3, 3, 3, 7};
    expect_advantages(matrix_view(2, 4, rewards), 0, 0.5f, (double[]){0.5, -0.5, -0.5, 0.5, -1, -1, -1, 3},
                      1e-6);
}
END_TEST

START_TEST(divided_by_the_deviation)
{
    // Deviations: 0.5 and √3, by S; by S − 1 they would be 0.577 and 2
    float rewards[] = {1, 0, 0, 1, 3, 3, 3, 7};
    double second = 1 / (sqrt(3) + 0.5);
    expect_advantages(matrix_view(2, 4, rewards), 1, 0.5f,
                      (double[]){0.5, -0.5, -0.5, 0.5, -second, -second, -second, 3 * second}, 1e-5);
}
END_TEST

START_TEST(all_alike)
{
    static const float values[] = {0, 1, 0.1f, 0.7f, -0.3f, 33.3f, 99.9f, 1e-3f};
    static const int counts[] = {1, 3, 7, 10};
    for (int k = 0; k < 8; k++)
        for (int c = 0; c < 4; c++) {
            Arena *arena = arena_new();
            Matrix rewards = matrix_new(arena, 2, counts[c]);
            fill(rewards, values[k]);
            double *zeros = arena_zeros(arena, matrix_size(rewards), sizeof *zeros);
            expect_advantages(rewards, 0, 0.0f, zeros, 0.0);
            expect_advantages(rewards, 1, 0.0f, zeros, 0.0);
            expect_advantages(rewards, 1, 1e-8f, zeros, 0.0);
            arena_free(arena);
        }
}
END_TEST

static double *true_advantages(Arena *arena, Matrix rewards, int scaled, float epsilon)
{
    double *expected = doubles(arena, matrix_size(rewards));
    int cols = rewards.cols;
    for (int p = 0; p < rewards.rows; p++) {
        double average = 0.0, square = 0.0;
        for (int s = 0; s < cols; s++) average += (double)AT(rewards, p, s) / cols;
        for (int s = 0; s < cols; s++) square += pow((double)AT(rewards, p, s) - average, 2) / cols;
        double divisor = scaled ? sqrt(square) + (double)epsilon : 1.0;
        for (int s = 0; s < cols; s++)
            expected[p * cols + s] = ((double)AT(rewards, p, s) - average) / divisor;
    }
    return expected;
}

START_TEST(groups_of_any_size)
{
    static const int sizes[][2] = {{1, 2}, {3, 5}, {7, 16}, {2, 300}};
    for (int k = 0; k < 8; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(311, (uint64_t)k);
        Matrix rewards = random_normal(arena, &rng, sizes[k / 2][0], sizes[k / 2][1]);
        double *expected = true_advantages(arena, rewards, k % 2, 0.25f);
        expect_advantages(rewards, k % 2, 0.25f, expected, 1e-4);
        arena_free(arena);
    }
}
END_TEST

// The mean of the squares less the square of the mean would have no digit left.
START_TEST(small_differences_of_large_rewards)
{
    float rewards[] = {100, 100.125f, 99.9375f, 100, -50, -50.0625f, -50, -50};
    Arena *arena = arena_new();
    Matrix m = matrix_view(2, 4, rewards);
    expect_advantages(m, 1, 0.0f, true_advantages(arena, m, 1, 0.0f), 2e-3);
    arena_free(arena);
}
END_TEST

// ---- TASK 31.2: the policy gradient -------------------------------------------------------------------------

typedef struct {
    Matrix d_logits, logits, tokens, mask, advantages;
} Batch;

static double call_gradient(Batch z)
{
    GIVEN(OUT("d_logits", z.d_logits), IN("logits", z.logits), IN("tokens", z.tokens), IN("mask", z.mask),
          IN("advantages", z.advantages));
    return (double)policy_gradient(z.d_logits, z.logits, z.tokens, z.mask, z.advantages);
}

// The softmax of row t of the logits at column v, in double, and its logarithm.
static double true_log_probability(Matrix logits, int t, int v)
{
    double total = 0.0, most = -INFINITY;
    for (int k = 0; k < logits.cols; k++) most = fmax(most, (double)AT(logits, t, k));
    for (int k = 0; k < logits.cols; k++) total += exp((double)AT(logits, t, k) - most);
    return (double)AT(logits, t, v) - most - log(total);
}

static void expect_gradient(Batch z)
{
    Arena *arena = arena_new();
    double *expected = arena_zeros(arena, matrix_size(z.logits), sizeof *expected), loss = 0.0, count = 0.0;
    for (int t = 0; t < z.logits.rows; t++) count += (double)z.mask.data[t];
    for (int t = 0; t < z.logits.rows; t++) {
        if ((int)z.mask.data[t] == 0) continue;
        double weight = (double)z.advantages.data[t] / count;
        int token = (int)z.tokens.data[t];
        loss -= weight * true_log_probability(z.logits, t, token);
        for (int v = 0; v < z.logits.cols; v++) {
            double p = exp(true_log_probability(z.logits, t, v));
            expected[t * z.logits.cols + v] = weight * (p - (v == token));
        }
    }
    double got = call_gradient(z);
    expect_number("policy_gradient(…)", got, loss, 1e-5 * fmax(1.0, fabs(loss)));
    expect_close("d_logits", z.d_logits, expected, 2e-5);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

static Batch random_batch(Arena *arena, Rng *rng, int rows, int vocabulary, int masked_of_four)
{
    Batch z = {.d_logits = rubbish(arena, rows, vocabulary),
               .logits = random_normal(arena, rng, rows, vocabulary)};
    z.tokens = matrix_new(arena, 1, rows), z.mask = matrix_new(arena, 1, rows);
    z.advantages = random_normal(arena, rng, 1, rows);
    for (int t = 0; t < rows; t++) {
        z.tokens.data[t] = (float)rng_below(rng, (uint32_t)vocabulary);
        z.mask.data[t] = (int)rng_below(rng, 4) < masked_of_four ? 0.0f : 1.0f;
    }
    return z;
}

START_TEST(one_token_of_three)
{
    // p = (0.5, 0.25, 0.25)
    float logits[] = {1, 0.30685282f, 0.30685282f}, token[] = {1}, mask[] = {1}, advantage[] = {2},
          d[] = {9, 9, 9};
    Batch z = {matrix_view(1, 3, d), matrix_view(1, 3, logits), matrix_view(1, 1, token),
               matrix_view(1, 1, mask), matrix_view(1, 1, advantage)};
    double loss = call_gradient(z);
    expect_within("d_logits", z.d_logits, ((double[]){1, -1.5, 0.5}), 1e-5);
    expect_number("policy_gradient(…)", loss, 2 * log(4), 1e-5);
    advantage[0] = -2;
    loss = call_gradient(z);
    expect_within("d_logits", z.d_logits, ((double[]){-1, 1.5, -0.5}), 1e-5);
    expect_number("policy_gradient(…)", loss, -2 * log(4), 1e-5);
}
END_TEST

START_TEST(answers_of_any_length)
{
    static const int sizes[][2] = {{1, 2}, {3, 5}, {16, 50}, {5, 400}};
    for (int k = 0; k < 8; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(312, (uint64_t)k);
        Batch z = random_batch(arena, &rng, sizes[k / 2][0], sizes[k / 2][1], k % 2);
        z.mask.data[0] = 1.0f;
        expect_gradient(z);
        arena_free(arena);
    }
}
END_TEST

START_TEST(prompts_and_padding_do_not_matter)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(312, 100);
    Batch z = random_batch(arena, &rng, 12, 6, 2);
    z.mask.data[3] = 1.0f, z.mask.data[4] = z.mask.data[11] = 0.0f;
    expect_gradient(z);
    for (int t = 0; t < 12; t++) {
        if (z.mask.data[t] > 0.0f) continue;
        fill(matrix_rows(z.logits, t, 1), t % 2 ? NAN : INFINITY);
        z.tokens.data[t] = t % 3 ? -1.0f : 1000000.0f, z.advantages.data[t] = NAN;
    }
    expect_gradient(z);
    arena_free(arena);
}
END_TEST

START_TEST(no_answer_at_all)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(312, 200);
    Batch z = random_batch(arena, &rng, 5, 4, 4);
    expect_gradient(z);
    arena_free(arena);
}
END_TEST

START_TEST(large_logits_do_not_overflow)
{
    float logits[] = {10000, 9999, -10000, -10000, -10000, -9999, 10000, 0, -10000}, d[9];
    float tokens[] = {1, 0, 2}, mask[] = {1, 1, 1}, advantages[] = {1, -2, 0.5f};
    Batch z = {matrix_view(3, 3, d), matrix_view(3, 3, logits), matrix_view(1, 3, tokens),
               matrix_view(1, 3, mask), matrix_view(1, 3, advantages)};
    fill(z.d_logits, 7.0f);
    expect_gradient(z);
}
END_TEST

// ---- TASK 31.3: rejection sampling --------------------------------------------------------------------------

typedef struct {
    Matrix answers, lengths, right;
    int samples;
} Samples;

static void expect_rows(Samples z, const double *expected, int count)
{
    Arena *arena = arena_new();
    Matrix kept = rubbish(arena, 1, z.answers.rows);
    GIVEN(OUT("kept", kept), IN("answers", z.answers), IN("lengths", z.lengths), IN("right", z.right),
          NUMBER("samples", z.samples));
    int got = keep_right(kept, z.answers, z.lengths, z.right, z.samples);
    expect_within("kept", kept, expected, 0.0);
    expect_number("keep_right(kept, answers, lengths, right, samples)", got, count, 0.0);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(the_right_ones_once)
{
    float answers[] = {4, 2, 4, 2, 4, 2, 1, 7, 4, 2, 4, 2}, lengths[] = {2, 2, 2, 2, 2, 2};
    float right[] = {0, 1, 1, 1, 0, 1};
    Samples z = {matrix_view(6, 2, answers), matrix_view(1, 6, lengths), matrix_view(1, 6, right), 6};
    expect_rows(z, (double[]){1, 3, -1, -1, -1, -1}, 2);
    fill(z.right, 0.0f);
    expect_rows(z, (double[]){-1, -1, -1, -1, -1, -1}, 0);
    fill(z.right, 1.0f);
    expect_rows(z, (double[]){0, 3, -1, -1, -1, -1}, 2);
}
END_TEST

START_TEST(each_prompt_for_itself)
{
    float answers[] = {5, 5, 5, 6, 5, 5}, lengths[] = {1, 1, 1, 1, 1, 1}, right[] = {1, 1, 1, 1, 1, 1};
    Samples z = {matrix_view(6, 1, answers), matrix_view(1, 6, lengths), matrix_view(1, 6, right), 3};
    expect_rows(z, (double[]){0, 3, 4, -1, -1, -1}, 3);
    z.samples = 2;
    expect_rows(z, (double[]){0, 2, 3, 4, -1, -1}, 4);
    z.samples = 1;
    expect_rows(z, (double[]){0, 1, 2, 3, 4, 5}, 6);
}
END_TEST

START_TEST(same_length_and_same_tokens)
{
    float answers[] = {1, 2, 3, 1, 2, 9, 1, 2, NAN, 1, 8, 3, 8, 2, 3, 1, 2, 3, 3, 2, 1, NAN, 7, 7, NAN, 5, 6};
    float lengths[] = {3, 2, 2, 3, 3, 2, 3, 0, 0}, right[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    Samples z = {matrix_view(9, 3, answers), matrix_view(1, 9, lengths), matrix_view(1, 9, right), 9};
    expect_rows(z, (double[]){0, 1, 3, 4, 6, 7, -1, -1, -1}, 6);
}
END_TEST

// Writes a random answer of up to z.answers.cols tokens 0 … 3. Returns a number that no other answer has, 0 for a wrong one.
static uint32_t random_answer(Rng *rng, Samples z, int i)
{
    int length = (int)rng_below(rng, (uint32_t)z.answers.cols + 1);
    uint32_t number = 1;
    for (int t = 0; t < length; t++) {
        uint32_t token = rng_below(rng, 4);
        AT(z.answers, i, t) = (float)token;
        number = 4 * number + token;
    }
    z.lengths.data[i] = (float)length;
    z.right.data[i] = (float)rng_below(rng, 2);
    return z.right.data[i] > 0.0f ? number : 0;
}

START_TEST(samples_of_any_number)
{
    static const int sizes[][3] = {
        {1, 1, 1}, {3, 4, 2}, {20, 16, 3}, {2, 200, 4}}; // prompts, samples, length
    for (int k = 0; k < 4; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(313, (uint64_t)k);
        int samples = sizes[k][1], n = sizes[k][0] * samples, count = 0;
        Samples z = {rubbish(arena, n, sizes[k][2]), matrix_new(arena, 1, n), matrix_new(arena, 1, n),
                     samples};
        double *expected = doubles(arena, (size_t)n);
        uint32_t *number = arena_zeros(arena, (size_t)n, sizeof *number);
        for (int i = 0; i < n; i++) {
            number[i] = random_answer(&rng, z, i);
            bool again = false;
            for (int j = i / samples * samples; j < i; j++) again = again || number[j] == number[i];
            if (number[i] > 0 && !again) expected[count++] = i;
        }
        for (int i = count; i < n; i++) expected[i] = -1.0;
        expect_rows(z, expected, count);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 31.4: a reward model ------------------------------------------------------------------------------

static double call_pairs(Matrix d_rewards, Matrix rewards, Matrix pairs)
{
    GIVEN(OUT("d_rewards", d_rewards), IN("rewards", rewards), IN("pairs", pairs));
    return (double)pair_loss(d_rewards, rewards, pairs);
}

static void expect_pairs(Matrix rewards, Matrix pairs, double tolerance)
{
    Arena *arena = arena_new();
    Matrix d_rewards = rubbish(arena, 1, rewards.cols);
    double *expected = arena_zeros(arena, (size_t)rewards.cols, sizeof *expected), loss = 0.0;
    for (int i = 0; i < pairs.rows; i++) {
        int better = (int)AT(pairs, i, 0), worse = (int)AT(pairs, i, 1);
        double lead = (double)rewards.data[better] - (double)rewards.data[worse];
        double slope = lead > 0 ? exp(-lead) / (1 + exp(-lead)) : 1 / (1 + exp(lead));
        loss += (fmax(-lead, 0) + log1p(exp(-fabs(lead)))) / pairs.rows;
        expected[better] -= slope / pairs.rows, expected[worse] += slope / pairs.rows;
    }
    double got = call_pairs(d_rewards, rewards, pairs);
    expect_number("pair_loss(d_rewards, rewards, pairs)", got, loss, tolerance * loss);
    expect_close("d_rewards", d_rewards, expected, tolerance);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(a_pair_of_answers)
{
    // σ(log 3) = 3/4
    float rewards[] = {1.0986123f, 0}, pair[] = {0, 1}, d[] = {9, 9};
    Matrix d_rewards = matrix_view(1, 2, d), r = matrix_view(1, 2, rewards), pairs = matrix_view(1, 2, pair);
    expect_number("pair_loss(…)", call_pairs(d_rewards, r, pairs), log(4.0 / 3.0), 1e-5);
    expect_within("d_rewards", d_rewards, ((double[]){-0.25, 0.25}), 1e-5);
    pair[0] = 1, pair[1] = 0;
    expect_number("pair_loss(…)", call_pairs(d_rewards, r, pairs), log(4), 1e-5);
    expect_within("d_rewards", d_rewards, ((double[]){0.75, -0.75}), 1e-5);
}
END_TEST

START_TEST(one_answer_in_many_pairs)
{
    // Answer 2 beats 0 and 1, answer 1 beats 0 twice; nobody looked at answer 3.
    float rewards[] = {0, 0.5f, -1, 40}, pairs[] = {2, 0, 2, 1, 1, 0, 1, 0};
    expect_pairs(matrix_view(1, 4, rewards), matrix_view(4, 2, pairs), 1e-5);
}
END_TEST

START_TEST(pairs_of_any_number)
{
    static const int sizes[][2] = {{2, 1}, {5, 3}, {30, 100}, {4, 500}};
    for (int k = 0; k < 4; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(314, (uint64_t)k);
        int n = sizes[k][0], m = sizes[k][1];
        Matrix rewards = random_normal(arena, &rng, 1, n), pairs = matrix_new(arena, m, 2);
        for (int i = 0; i < m; i++) {
            int better = (int)rng_below(&rng, (uint32_t)n), step = 1 + (int)rng_below(&rng, (uint32_t)n - 1);
            AT(pairs, i, 0) = (float)better, AT(pairs, i, 1) = (float)((better + step) % n);
        }
        expect_pairs(rewards, pairs, 1e-4);
        arena_free(arena);
    }
}
END_TEST

START_TEST(far_apart)
{
    static const float leads[] = {100, 1000, 10000};
    float pair[] = {0, 1, 1, 0};
    for (int k = 0; k < 3; k++) {
        float rewards[] = {leads[k] / 2, -leads[k] / 2};
        expect_pairs(matrix_view(1, 2, rewards), matrix_view(1, 2, pair + 2), 1e-5);
        expect_pairs(matrix_view(1, 2, rewards), matrix_view(2, 2, pair), 1e-5);
    }
    float d[] = {9, 9}, rewards[] = {5000, -5000};
    Matrix d_rewards = matrix_view(1, 2, d);
    double loss = call_pairs(d_rewards, matrix_view(1, 2, rewards), matrix_view(1, 2, pair));
    expect_number("pair_loss(…)", loss, 0, 1e-30);
    expect_within("d_rewards", d_rewards, ((double[]){0, 0}), 1e-30);
}
END_TEST

START_TEST(small_losses_keep_their_digits)
{
    static const float leads[] = {5, 10, 17, 20, 40, 69};
    float pair[] = {1, 0};
    for (int k = 0; k < 6; k++) {
        float rewards[] = {-1, leads[k] - 1};
        expect_pairs(matrix_view(1, 2, rewards), matrix_view(1, 2, pair), 1e-5);
    }
}
END_TEST

// ---- TASK 31.5: the clipped objective -----------------------------------------------------------------------

typedef struct {
    Matrix d_now, now, before, advantages;
} Policy;

static double call_objective(Policy z, float epsilon)
{
    GIVEN(OUT("d_now", z.d_now), IN("now", z.now), IN("before", z.before), IN("advantages", z.advantages),
          NUMBER("epsilon", epsilon));
    return (double)clipped_objective(z.d_now, z.now, z.before, z.advantages, epsilon);
}

static void expect_objective(Policy z, float epsilon, double tolerance)
{
    Arena *arena = arena_new();
    int n = z.now.cols;
    double *expected = doubles(arena, (size_t)n), total = 0.0, sizes = 0.0;
    for (int t = 0; t < n; t++) {
        double ratio = exp((double)z.now.data[t] - (double)z.before.data[t]);
        double advantage = (double)z.advantages.data[t];
        double bound = advantage > 0 ? 1 + (double)epsilon : 1 - (double)epsilon;
        bool clipped = advantage > 0 ? ratio > bound : advantage < 0 && ratio < bound;
        double term = (clipped ? bound : ratio) * advantage / n;
        expected[t] = clipped ? 0.0 : term;
        total += term, sizes += fabs(term);
    }
    double got = call_objective(z, epsilon);
    expect_number("clipped_objective(…)", got, total, tolerance * sizes);
    expect_close("d_now", z.d_now, expected, tolerance);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

// Of one token, whose ratio is given.
static void expect_token(double ratio, float advantage, double objective, double gradient)
{
    float now[] = {(float)log(ratio) - 2}, before[] = {-2}, advantages[] = {advantage}, d[] = {9};
    Policy z = {matrix_view(1, 1, d), matrix_view(1, 1, now), matrix_view(1, 1, before),
                matrix_view(1, 1, advantages)};
    double got = call_objective(z, 0.2f);
    expect_number("clipped_objective(…)", got, objective, 1e-5);
    expect_within("d_now", z.d_now, &gradient, 1e-5);
}

START_TEST(near_the_policy_that_drew)
{
    expect_token(1.0, 3, 3, 3);
    expect_token(1.0, -3, -3, -3);
    expect_token(1.1, 2, 2.2, 2.2);
    expect_token(0.9, -2, -1.8, -1.8);
    expect_token(0.9, 2, 1.8, 1.8);
    expect_token(1.1, -2, -2.2, -2.2);
    expect_token(1.1, 0, 0, 0);
}
END_TEST

START_TEST(clipped_where_it_went_far_enough)
{
    expect_token(1.5, 2, 2.4, 0);
    expect_token(0.5, -2, -1.6, 0);
}
END_TEST

START_TEST(not_clipped_on_the_other_side)
{
    expect_token(0.5, 2, 1, 1);
    expect_token(1.5, -2, -3, -3);
    expect_token(3.0, 0, 0, 0);
    expect_token(0.1, 0, 0, 0);
}
END_TEST

START_TEST(the_mean_of_any_number)
{
    static const int sizes[] = {1, 2, 7, 300};
    for (int k = 0; k < 4; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(315, (uint64_t)k);
        int n = sizes[k];
        Policy z = {.d_now = rubbish(arena, 1, n), .before = random_normal(arena, &rng, 1, n)};
        z.now = random_normal(arena, &rng, 1, n), z.advantages = random_normal(arena, &rng, 1, n);
        for (int t = 0; t < n; t++) z.now.data[t] = z.before.data[t] + z.now.data[t] * 0.3f;
        expect_objective(z, 0.2f, 1e-5);
        expect_objective(z, 0.05f, 1e-5);
        arena_free(arena);
    }
}
END_TEST

START_TEST(far_from_the_policy_that_drew)
{
    float now[] = {-1, -9000, -10000, -2, -1}, before[] = {-81, -1000, 0, -70, -50};
    float advantages[] = {1, 2, -3, -1e-20f, 0}, d[] = {9, 9, 9, 9, 9};
    Policy z = {matrix_view(1, 5, d), matrix_view(1, 5, now), matrix_view(1, 5, before),
                matrix_view(1, 5, advantages)};
    expect_objective(z, 0.1f, 1e-5);
}
END_TEST

// clang-format off
EXERCISE("31-reasoning-rl",
         {"31.1", 3, better_than_the_others},
         {"31.1", 3, divided_by_the_deviation},
         {"31.1", 4, all_alike},
         {"31.1", 3, groups_of_any_size},
         {"31.1", 2, small_differences_of_large_rewards},
         {"31.2", 5, one_token_of_three},
         {"31.2", 5, answers_of_any_length},
         {"31.2", 4, prompts_and_padding_do_not_matter},
         {"31.2", 2, no_answer_at_all},
         {"31.2", 4, large_logits_do_not_overflow},
         {"31.3", 5, the_right_ones_once},
         {"31.3", 5, each_prompt_for_itself},
         {"31.3", 5, same_length_and_same_tokens},
         {"31.3", 5, samples_of_any_number},
         {"31.4", 4, a_pair_of_answers},
         {"31.4", 4, one_answer_in_many_pairs},
         {"31.4", 4, pairs_of_any_number},
         {"31.4", 4, far_apart},
         {"31.4", 4, small_losses_keep_their_digits},
         {"31.5", 5, near_the_policy_that_drew},
         {"31.5", 5, clipped_where_it_went_far_enough},
         {"31.5", 5, not_clipped_on_the_other_side},
         {"31.5", 6, the_mean_of_any_number},
         {"31.5", 4, far_from_the_policy_that_drew})
