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

// ---- TASK 31.5: the loss of GRPO ----------------------------------------------------------------------------

typedef struct {
    Matrix d_now, now, reference, mask, advantages;
} Answers;

static double call_group(Answers z, float beta)
{
    GIVEN(OUT("d_now", z.d_now), IN("now", z.now), IN("reference", z.reference), IN("mask", z.mask),
          IN("advantages", z.advantages), NUMBER("beta", (double)beta));
    return (double)grpo_loss(z.d_now, z.now, z.reference, z.mask, z.advantages, beta);
}

static void expect_group(Answers z, float beta, double tolerance)
{
    Arena *arena = arena_new();
    int rows = z.now.rows, cols = z.now.cols;
    double *expected = arena_zeros(arena, matrix_size(z.now), sizeof *expected), loss = 0.0, sizes = 0.0;
    for (int i = 0; i < rows; i++) {
        double own = 0.0, advantage = (double)z.advantages.data[i], b = (double)beta;
        for (int t = 0; t < cols; t++) own += (double)AT(z.mask, i, t);
        for (int t = 0; t < cols; t++) {
            if ((int)AT(z.mask, i, t) == 0) continue;
            double now = (double)AT(z.now, i, t), away = (double)AT(z.reference, i, t) - now;
            double penalty = exp(away) - away - 1;
            loss -= (advantage * now - b * penalty) / own / rows;
            sizes += (fabs(advantage * now) + b * (exp(away) + fabs(away) + 1)) / own / rows;
            expected[i * cols + t] = -(advantage + b * expm1(away)) / own / rows;
        }
    }
    double got = call_group(z, beta);
    expect_number("grpo_loss(…)", got, loss, tolerance * sizes);
    expect_close("d_now", z.d_now, expected, tolerance);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

// Answers that begin and end anywhere, each with a token at least. What stands elsewhere is no probability.
static Answers random_group(Arena *arena, Rng *rng, int rows, int cols)
{
    Answers z = {.d_now = rubbish(arena, rows, cols), .mask = matrix_new(arena, rows, cols)};
    z.now = random_normal(arena, rng, rows, cols), z.reference = random_normal(arena, rng, rows, cols);
    z.advantages = random_normal(arena, rng, 1, rows);
    for (int i = 0; i < rows; i++) {
        int first = (int)rng_below(rng, (uint32_t)cols);
        int after = first + 1 + (int)rng_below(rng, (uint32_t)(cols - first));
        for (int t = first; t < after; t++) {
            AT(z.mask, i, t) = 1.0f;
            AT(z.now, i, t) = -0.01f - fabsf(AT(z.now, i, t));
            AT(z.reference, i, t) = fminf(0.0f, AT(z.now, i, t) + AT(z.reference, i, t) * 0.5f);
        }
    }
    return z;
}

START_TEST(two_answers_to_one_prompt)
{
    // δ = 0, log 2 and −log 2; a prompt of one token, and padding behind the second answer
    float now[] = {-9, -1, -2, -9, -3, -9}, d[] = {9, 9, 9, 9, 9, 9}, mask[] = {0, 1, 1, 0, 1, 0};
    float reference[] = {-5, -1, -2 + 0.6931472f, -5, -3 - 0.6931472f, -5}, advantages[] = {1, -2};
    Answers z = {matrix_view(2, 3, d), matrix_view(2, 3, now), matrix_view(2, 3, reference),
                 matrix_view(2, 3, mask), matrix_view(1, 2, advantages)};
    double first = (-1 - 2 - 0.5 * (1 - log(2))) / 2, second = 6 - 0.5 * (log(2) - 0.5);
    double loss = call_group(z, 0.5f);
    expect_within("d_now", z.d_now, ((double[]){0, -0.25, -0.375, 0, 1.125, 0}), 1e-5);
    expect_number("grpo_loss(…)", loss, -(first + second) / 2, 1e-5);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(without_a_penalty)
{
    // With beta = 0, or at the reference, only the advantages are left.
    float now[] = {-1, -2, -4, -0.5f, -1, -7, -8, -3}, other[] = {-2, -1, -3, -0.5f, -6, -7, -5, -1}, d[8];
    float mask[] = {1, 1, 1, 1, 0, 0, 0, 1}, advantages[] = {4, -6};
    Answers z = {matrix_view(2, 4, d), matrix_view(2, 4, now), matrix_view(2, 4, other),
                 matrix_view(2, 4, mask), matrix_view(1, 2, advantages)};
    const double expected[] = {-0.5, -0.5, -0.5, -0.5, 0, 0, 0, 3};
    for (int k = 0; k < 2; k++) {
        fill(z.d_now, NAN);
        double loss = call_group(z, k == 0 ? 0.0f : 0.75f);
        expect_within("d_now", z.d_now, expected, 1e-5);
        expect_number("grpo_loss(…)", loss, (4 * 7.5 / 4 - 6 * 3) / 2, 1e-5);
        z.reference = z.now;
    }
}
END_TEST

START_TEST(what_is_no_answer_does_not_matter)
{
    static const float elsewhere[] = {0, 1000, -30000, NAN, INFINITY, -INFINITY};
    Arena *arena = arena_new();
    Rng rng = rng_new(315, 100);
    Answers z = random_group(arena, &rng, 5, 9);
    expect_group(z, 0.5f, 1e-5);
    double loss = call_group(z, 0.5f), *before = doubles(arena, matrix_size(z.now));
    for (size_t k = 0; k < matrix_size(z.now); k++) before[k] = (double)z.d_now.data[k];
    for (int k = 0; k < 6; k++) {
        for (size_t at = 0; at < matrix_size(z.now); at++)
            if (z.mask.data[at] < 1.0f)
                z.now.data[at] = elsewhere[k], z.reference.data[at] = elsewhere[(k + at) % 6];
        fill(z.d_now, NAN);
        double again = call_group(z, 0.5f);
        expect_within("d_now", z.d_now, before, 0.0);
        expect_number("grpo_loss(…)", again, loss, 0.0);
    }
    arena_free(arena);
}
END_TEST

START_TEST(an_answer_without_a_token)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(315, 200);
    Answers z = random_group(arena, &rng, 4, 3);
    for (int i = 0; i < 4; i++) {
        int row = (i + 2) % 4; // the last one leaves no token at all
        fill(matrix_rows(z.mask, row, 1), 0.0f);
        fill(matrix_rows(z.now, row, 1), NAN);
        fill(z.d_now, NAN);
        expect_group(z, 0.25f, 1e-5);
    }
    arena_free(arena);
}
END_TEST

START_TEST(groups_of_any_length)
{
    static const int sizes[][2] = {{1, 1}, {2, 6}, {8, 20}, {3, 300}, {40, 2}};
    static const float betas[] = {0.04f, 1.0f};
    for (int k = 0; k < 10; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(315, (uint64_t)k);
        expect_group(random_group(arena, &rng, sizes[k / 2][0], sizes[k / 2][1]), betas[k % 2], 1e-5);
        arena_free(arena);
    }
}
END_TEST

// The loss a little to the right, less the loss a little to the left.
START_TEST(the_gradient_is_the_slope_of_the_loss)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(315, 300);
    Answers z = random_group(arena, &rng, 3, 4);
    call_group(z, 1.0f);
    Matrix gradient = matrix_copy(arena, z.d_now);
    double *slopes = doubles(arena, matrix_size(z.now));
    for (size_t k = 0; k < matrix_size(z.now); k++) {
        float here = z.now.data[k], right = here + 0.0078125f, left = here - 0.0078125f;
        z.now.data[k] = right;
        slopes[k] = call_group(z, 1.0f);
        z.now.data[k] = left;
        slopes[k] = (slopes[k] - call_group(z, 1.0f)) / ((double)right - (double)left);
        z.now.data[k] = here;
    }
    call_group(z, 1.0f);
    expect_within("d_now", gradient, slopes, 1e-3);
    arena_free(arena);
}
END_TEST

// One token, which may be all of an answer.
static void expect_token(float now, float reference, float advantage, float beta, double tolerance)
{
    float d[] = {NAN}, mask[] = {1};
    expect_group((Answers){matrix_view(1, 1, d), matrix_view(1, 1, &now), matrix_view(1, 1, &reference),
                           matrix_view(1, 1, mask), matrix_view(1, 1, &advantage)},
                 beta, tolerance);
}

START_TEST(close_to_the_reference)
{
    static const float differences[] = {1e-2f, 1e-3f, 1e-4f, 1e-5f, 1e-6f};
    for (int k = 0; k < 5; k++) {
        expect_token(-0.01f, -0.01f + differences[k] * 0.9f, 0.0f, 1.0f, 1e-4);
        expect_token(-0.01f, -0.01f - differences[k], 0.0f, 0.125f, 1e-4);
    }
}
END_TEST

START_TEST(far_from_the_reference)
{
    static const float betas[] = {0.0f, 0.125f, 1.0f};
    for (int k = 0; k < 3; k++) {
        expect_token(-81, -1, 3, betas[k], 1e-5);
        expect_token(-10000, -9920, -100, betas[k], 1e-5);
        expect_token(-0.25f, -10000, 2, betas[k], 1e-5);
        expect_token(0, -10000, -2, betas[k], 1e-5);
        // Both probabilities are 0 as floats; their ratio is not.
        expect_token(-9999.5f, -10000, 100, betas[k], 1e-5);
        expect_token(-200, -199, 0, betas[k], 1e-5);
    }
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
         {"31.5", 4, two_answers_to_one_prompt},
         {"31.5", 4, without_a_penalty},
         {"31.5", 4, what_is_no_answer_does_not_matter},
         {"31.5", 2, an_answer_without_a_token},
         {"31.5", 4, groups_of_any_length},
         {"31.5", 2, the_gradient_is_the_slope_of_the_loss},
         {"31.5", 2, close_to_the_reference},
         {"31.5", 3, far_from_the_reference})
