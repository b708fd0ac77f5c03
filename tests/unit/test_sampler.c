// From scores to tokens: the exact cut of top-k and top-p, ties, frequencies, and scores that are no numbers.
#include "suite.h"
#include "models/sampler.h"
#include <math.h>

enum { COUNT = 5 };

// Probabilities 0.1, 0.4, 0.2, 0.25, 0.05 at temperature 1
static Matrix scores(Arena *arena)
{
    Matrix m = matrix_new(arena, 1, COUNT);
    const double p[COUNT] = {0.1, 0.4, 0.2, 0.25, 0.05};
    for (int j = 0; j < COUNT; j++) m.data[j] = (float)log(p[j]) + 3.0f;
    return m;
}

static void expect_probabilities(Sampling sampling, const double *expected)
{
    Arena *arena = arena_new();
    Matrix logits = scores(arena), p = matrix_new(arena, 1, COUNT);
    sampling_probabilities(p, logits, sampling);
    for (int j = 0; j < COUNT; j++)
        ck_assert_msg(fabs((double)p.data[j] - expected[j]) < 1e-6 && (p.data[j] == 0) == (expected[j] == 0),
                      "temperature %g, top_k %d, top_p %g, token %d: got %g, expected %g",
                      (double)sampling.temperature, sampling.top_k, (double)sampling.top_p, j,
                      (double)p.data[j], expected[j]);
    arena_free(arena);
}

START_TEST(the_cut_is_exact)
{
    expect_probabilities((Sampling){.temperature = 1}, (double[]){0.1, 0.4, 0.2, 0.25, 0.05});
    expect_probabilities((Sampling){.temperature = 0}, (double[]){0, 1, 0, 0, 0});
    const double squares = 0.01 + 0.16 + 0.04 + 0.0625 + 0.0025;
    expect_probabilities(
        (Sampling){.temperature = 0.5f},
        (double[]){0.01 / squares, 0.16 / squares, 0.04 / squares, 0.0625 / squares, 0.0025 / squares});
    expect_probabilities((Sampling){.temperature = 1, .top_k = 1}, (double[]){0, 1, 0, 0, 0});
    expect_probabilities((Sampling){.temperature = 1, .top_k = 3},
                         (double[]){0, 0.4 / 0.85, 0.2 / 0.85, 0.25 / 0.85, 0});
    expect_probabilities((Sampling){.temperature = 1, .top_k = 99}, (double[]){0.1, 0.4, 0.2, 0.25, 0.05});
    expect_probabilities((Sampling){.temperature = 1, .top_p = 0.01f}, (double[]){0, 1, 0, 0, 0});
    expect_probabilities((Sampling){.temperature = 1, .top_p = 1e-45f}, (double[]){0, 1, 0, 0, 0});
    expect_probabilities((Sampling){.temperature = 1e-45f}, (double[]){0, 1, 0, 0, 0});
    expect_probabilities((Sampling){.temperature = 1, .top_p = 0.39f}, (double[]){0, 1, 0, 0, 0});
    expect_probabilities((Sampling){.temperature = 1, .top_p = 0.41f},
                         (double[]){0, 0.4 / 0.65, 0, 0.25 / 0.65, 0});
    expect_probabilities((Sampling){.temperature = 1, .top_p = 0.84f},
                         (double[]){0, 0.4 / 0.85, 0.2 / 0.85, 0.25 / 0.85, 0});
    expect_probabilities((Sampling){.temperature = 1, .top_p = 0.86f},
                         (double[]){0.1 / 0.95, 0.4 / 0.95, 0.2 / 0.95, 0.25 / 0.95, 0});
    expect_probabilities((Sampling){.temperature = 1, .top_p = 1}, (double[]){0.1, 0.4, 0.2, 0.25, 0.05});
    // top_k first: 0.4 is 0.615 of what two tokens leave
    expect_probabilities((Sampling){.temperature = 1, .top_k = 2, .top_p = 0.6f}, (double[]){0, 1, 0, 0, 0});
}
END_TEST

START_TEST(of_equal_scores_the_first_is_kept)
{
    Arena *arena = arena_new();
    Matrix logits = matrix_new(arena, 1, 6), p = matrix_new(arena, 1, 6);
    logits.data[4] = -1.0f;
    ck_assert_int_eq(sample_token(logits, (Sampling){.temperature = 0}, NULL), 0);
    sampling_probabilities(p, logits, (Sampling){.temperature = 1, .top_k = 2});
    for (int j = 0; j < 6; j++) ck_assert(p.data[j] == (j < 2 ? 0.5f : 0.0f));
    arena_free(arena);
}
END_TEST

START_TEST(frequencies_are_the_probabilities)
{
    Arena *arena = arena_new();
    Matrix logits = scores(arena), p = matrix_new(arena, 1, COUNT);
    const Sampling samplings[] = {
        {.temperature = 1}, {.temperature = 1.7f, .top_k = 4}, {.temperature = 0.8f, .top_p = 0.9f}};
    enum { DRAWS = 40000 };
    for (int s = 0; s < 3; s++) {
        Rng rng = rng_new(3, 0);
        int drawn[COUNT] = {0};
        for (int i = 0; i < DRAWS; i++) drawn[sample_token(logits, samplings[s], &rng)]++;
        sampling_probabilities(p, logits, samplings[s]);
        for (int j = 0; j < COUNT; j++) {
            const double expected = (double)p.data[j], deviation = sqrt(expected * (1 - expected) / DRAWS);
            ck_assert_msg(fabs((double)drawn[j] / DRAWS - expected) <= 4 * deviation,
                          "token %d: %d of %d, expected %g", j, drawn[j], DRAWS, expected);
        }
    }
    arena_free(arena);
}
END_TEST

START_TEST(impossible_tokens_are_never_drawn)
{
    Arena *arena = arena_new();
    Matrix logits = matrix_new(arena, 1, 4);
    Rng rng = rng_new(4, 0);
    fill(logits, -INFINITY);
    logits.data[2] = -500.0f;
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(sample_token(logits, (Sampling){.temperature = 2}, &rng), 2);
    arena_free(arena);
}
END_TEST

static Matrix bad;
static Sampling bad_sampling;

static void sample_badly(void *context)
{
    (void)context;
    Rng rng = rng_new(1, 0);
    sample_token(bad, bad_sampling, &rng);
}

static void expect_refusal(float score, Sampling sampling, const char *message)
{
    Arena *arena = arena_new();
    bad = scores(arena);
    bad.data[3] = score;
    bad_sampling = sampling;
    expect_death(sample_badly, NULL, message);
    arena_free(arena);
}

START_TEST(what_cannot_be_sampled_is_refused)
{
    expect_refusal(NAN, (Sampling){.temperature = 0}, "sample_token: the score of token 3 is nan");
    expect_refusal(INFINITY, (Sampling){.temperature = 1}, "sample_token: the score of token 3 is inf");
    expect_refusal(0, (Sampling){.temperature = -1}, "sample_token: temperature -1");
    expect_refusal(0, (Sampling){.temperature = NAN}, "sample_token: temperature nan");
    expect_refusal(0, (Sampling){.temperature = INFINITY}, "sample_token: temperature inf");
    expect_refusal(0, (Sampling){.temperature = 1, .top_p = NAN}, "sample_token: top_p nan");
    expect_refusal(0, (Sampling){.temperature = 1, .top_p = -0.1f}, "sample_token: top_p -0.1");
    expect_refusal(0, (Sampling){.temperature = 1, .top_p = 1.5f}, "sample_token: top_p 1.5");
    expect_refusal(0, (Sampling){.temperature = 1, .top_k = -2}, "sample_token: top_k -2");
}
END_TEST

SUITE("sampler", the_cut_is_exact, of_equal_scores_the_first_is_kept, frequencies_are_the_probabilities,
      impossible_tokens_are_never_drawn, what_cannot_be_sampled_is_refused)
