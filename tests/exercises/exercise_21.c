// The exercises of chapter 21, Money is all you need: scaling: what each task is tested for, and its points.
// What the answers are compared with is known from papers, or computed here in another way than in solution.c.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

static Rng rng_of(int task, int size) { return rng_new(21, (uint64_t)(100 * task + size)); }

static double between(Rng *rng, double low, double high)
{
    return low + (high - low) * (double)rng_uniform(rng);
}

// ---- TASK 21.1: parameters -------------------------------------------------------------------------------------------

// Matrix by matrix, as they stand in a checkpoint
static double true_parameters(int layers, int width, int heads, int key_heads, int hidden, int vocabulary)
{
    double total = 0.0, head = width / heads;
    for (int l = 0; l < layers; l++) {
        total += (double)width * (head * heads); // queries
        total += (double)width * (head * key_heads) * 2.0;
        total += (double)width * (head * heads); // out
        total += (double)width * hidden * 2.0;   // gate and value
        total += (double)hidden * width;
        total += width; // first norm
        total += width; // second norm
    }
    total += width;
    return total + (double)vocabulary * width + (double)vocabulary * width;
}

static void expect_parameters(int layers, int width, int heads, int key_heads, int hidden, int vocabulary,
                              double expected)
{
    GIVEN(NUMBER("layers", layers), NUMBER("width", width), NUMBER("heads", heads),
          NUMBER("key_heads", key_heads), NUMBER("hidden", hidden), NUMBER("vocabulary", vocabulary));
    expect_number("decoder_parameters",
                  decoder_parameters(layers, width, heads, key_heads, hidden, vocabulary), expected,
                  2e-7 * expected);
}

START_TEST(a_layer_by_hand)
{
    // attention 4 · 4 + 2 · 4 · 2 + 4 · 4 = 48, SwiGLU 3 · 4 · 5 = 60, norms 8 + 4, tables 2 · 3 · 4 = 24
    expect_parameters(1, 4, 2, 1, 5, 3, 144.0);
}
END_TEST

START_TEST(llama_as_published)
{
    expect_parameters(32, 4096, 32, 32, 11008, 32000, 6738415616.0); // Llama 2, 7B
    expect_parameters(32, 4096, 32, 8, 14336, 128256, 8030261248.0); // Llama 3, 8B
}
END_TEST

START_TEST(decoders_of_any_size)
{
    for (int n = 0; n < 20; n++) {
        Rng rng = rng_of(1, n);
        int key_heads = 1 + (int)rng_below(&rng, 4);
        int heads = key_heads * (1 + (int)rng_below(&rng, 4));
        int width = heads * (1 + (int)rng_below(&rng, 20)), layers = 1 + (int)rng_below(&rng, 9);
        int hidden = 1 + (int)rng_below(&rng, 100), vocabulary = 2 + (int)rng_below(&rng, 300);
        expect_parameters(layers, width, heads, key_heads, hidden, vocabulary,
                          true_parameters(layers, width, heads, key_heads, hidden, vocabulary));
    }
}
END_TEST

// ---- TASK 21.2: FLOP -------------------------------------------------------------------------------------------------

static double true_flop(int layers, int width, int vocabulary, int time, int window)
{
    double multiply_adds = 0.0, c = width;
    for (int t = 0; t < time; t++) {
        int seen = 0;
        for (int s = t; s >= 0 && s > t - window; s--) seen++;
        multiply_adds += layers * (3.0 * c * c + c * c + 4.0 * c * c + 4.0 * c * c + c * seen + seen * c);
        multiply_adds += vocabulary * c;
    }
    return 2.0 * 3.0 * multiply_adds;
}

static void expect_flop(int layers, int width, int vocabulary, int time, int window, double expected)
{
    GIVEN(NUMBER("layers", layers), NUMBER("width", width), NUMBER("vocabulary", vocabulary),
          NUMBER("time", time), NUMBER("window", window));
    expect_number("training_flop", training_flop(layers, width, vocabulary, time, window), expected,
                  1e-6 * expected);
}

START_TEST(three_tokens_by_hand)
{
    // C = 1: each token 12 + 5 multiply-adds, pairs 1 + 2 + 3 and 2 each: 51 + 12 = 63, times 6
    expect_flop(1, 1, 5, 3, 3, 378.0);
    expect_flop(1, 1, 5, 3, 2, 366.0); // pairs 1 + 2 + 2
    expect_flop(1, 1, 5, 3, 1, 342.0); // each sees itself only
}
END_TEST

START_TEST(a_window_longer_than_the_text_is_none)
{
    expect_flop(2, 8, 68, 64, 64, 64.0 * 18720.0);
    expect_flop(2, 8, 68, 64, 1000000, 64.0 * 18720.0);
}
END_TEST

START_TEST(networks_as_large_as_gpt_3)
{
    expect_flop(96, 12288, 50257, 2048, 2048, true_flop(96, 12288, 50257, 2048, 2048));
    expect_flop(32, 4096, 32000, 8192, 4096, true_flop(32, 4096, 32000, 8192, 4096));
    for (int n = 0; n < 20; n++) {
        Rng rng = rng_of(2, n);
        int layers = 1 + (int)rng_below(&rng, 9), width = 1 + (int)rng_below(&rng, 40);
        int vocabulary = 1 + (int)rng_below(&rng, 99), time = 2 + (int)rng_below(&rng, 90);
        int window = 1 + (int)rng_below(&rng, 60);
        expect_flop(layers, width, vocabulary, time, window,
                    true_flop(layers, width, vocabulary, time, window));
    }
}
END_TEST

// ---- TASK 21.3: the floor --------------------------------------------------------------------------------------------

// The weighted sum of squares of a pair
static double error_of(Matrix n, Matrix loss, Matrix weights, double b, double a, double c)
{
    double total = 0.0;
    for (int i = 0; i < n.cols; i++) {
        double apart = a * exp(-b * log((double)n.data[i])) + c - (double)loss.data[i];
        total += (double)weights.data[i] * apart * apart;
    }
    return total;
}

// For a given c the best a is a quotient; the sum of squares is a parabola in c, so three of its values tell its lowest
static double best_a(Matrix n, Matrix loss, Matrix weights, double b, double c)
{
    double up = 0.0, down = 0.0;
    for (int i = 0; i < n.cols; i++) {
        double x = exp(-b * log((double)n.data[i]));
        up += (double)weights.data[i] * x * ((double)loss.data[i] - c);
        down += (double)weights.data[i] * x * x;
    }
    return up / down;
}

static double error_at(Matrix n, Matrix loss, Matrix weights, double b, double c)
{
    return error_of(n, loss, weights, b, best_a(n, loss, weights, b, c), c);
}

static void expect_floor(Arena *arena, Matrix n, Matrix loss, Matrix weights, float b)
{
    double e0 = error_at(n, loss, weights, (double)b, 0.0), e1 = error_at(n, loss, weights, (double)b, 1.0),
           e2 = error_at(n, loss, weights, (double)b, 2.0), curve = (e2 - 2.0 * e1 + e0) / 2.0;
    double c = fmax(0.0, -(e1 - e0 - curve) / (2.0 * curve)), a = best_a(n, loss, weights, (double)b, c);
    double error = error_of(n, loss, weights, (double)b, a, c), expected[] = {a, c};
    Matrix law = rubbish(arena, 1, 2);
    GIVEN(OUT("law", law), IN("n", n), IN("loss", loss), IN("weights", weights), NUMBER("b", (double)b));
    float got = fit_floor(law, n, loss, weights, b);
    for (int i = 0; i < 2; i++)
        expect_number(i ? "c" : "a", law.data[i], expected[i], 1e-4 * fmax(fabs(expected[i]), 0.1));
    expect_number("fit_floor", got, error, 1e-3 * error + 1e-6);
    EXPECT_UNCHANGED();
}

// Losses of a law, with noise
static void draw_points(Rng *rng, Arena *arena, int count, double c, double noise, Matrix *n, Matrix *loss,
                        Matrix *weights)
{
    *n = matrix_new(arena, 1, count);
    *loss = matrix_new(arena, 1, count);
    *weights = matrix_new(arena, 1, count);
    for (int i = 0; i < count; i++) {
        n->data[i] = (float)exp(log(2000.0) + 8.0 * i / count + between(rng, 0.0, 0.3));
        loss->data[i] = (float)(20.0 * pow((double)n->data[i], -0.4) + c + noise * (double)rng_normal(rng));
        weights->data[i] = (float)(1 + (int)rng_below(rng, 6));
    }
}

START_TEST(three_points_on_a_law)
{
    // L = 100 / √N + 2
    float n_values[] = {10000, 40000, 1000000}, losses[] = {3, 2.5f, 2.1f}, ones[] = {1, 1, 1},
          law_values[2] = {7};
    Matrix n = matrix_view(1, 3, n_values), loss = matrix_view(1, 3, losses),
           weights = matrix_view(1, 3, ones), law = matrix_view(1, 2, law_values);
    GIVEN(OUT("law", law), IN("n", n), IN("loss", loss), IN("weights", weights), NUMBER("b", 0.5));
    expect_number("fit_floor", fit_floor(law, n, loss, weights, 0.5f), 0.0, 1e-6);
    expect_within("law", law, ((double[]){100, 2}), 1e-2);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(a_point_of_three_seeds_counts_three_times)
{
    for (int round = 0; round < 12; round++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(3, round);
        Matrix n, loss, weights;
        draw_points(&rng, arena, 3 + round, 1.5, 0.05, &n, &loss, &weights);
        expect_floor(arena, n, loss, weights, 0.2f + 0.05f * (float)round);
        arena_free(arena);
    }
}
END_TEST

START_TEST(no_loss_has_a_floor_below_zero)
{
    // On the line L = 2 − ln N / 20 or so, a small exponent wants a floor far below 0.
    for (int round = 0; round < 6; round++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(3, 50 + round);
        Matrix n, loss, weights;
        draw_points(&rng, arena, 6 + round, 0.0, 0.02, &n, &loss, &weights);
        for (int i = 0; i < n.cols; i++) loss.data[i] += 1.0f - 0.05f * logf(n.data[i]);
        expect_floor(arena, n, loss, weights, 0.02f);
        arena_free(arena);
    }
}
END_TEST

START_TEST(sizes_up_to_a_trillion)
{
    float n_values[] = {1e3f, 1e6f, 1e9f, 1e12f}, losses[] = {4.1f, 2.9f, 2.4f, 2.2f}, seeds[] = {4, 2, 1, 1};
    Arena *arena = arena_new();
    expect_floor(arena, matrix_view(1, 4, n_values), matrix_view(1, 4, losses), matrix_view(1, 4, seeds),
                 0.1f);
    arena_free(arena);
}
END_TEST

// ---- TASK 21.4: the parabola -----------------------------------------------------------------------------------------

static void expect_best(Matrix n, Matrix loss, double expected)
{
    GIVEN(IN("n", n), IN("loss", loss));
    expect_number("isoflop_best", isoflop_best(n, loss), expected, 2e-3 * expected);
    EXPECT_UNCHANGED();
}

// Losses on a parabola in ln N, lowest at `best`, and pairs of points as far above as below it
static void draw_parabola(Rng *rng, Arena *arena, double best, double curvature, Matrix *n, Matrix *loss)
{
    enum { COUNT = 6 };
    *n = matrix_new(arena, 1, 2 * COUNT);
    *loss = matrix_new(arena, 1, 2 * COUNT);
    for (int i = 0; i < COUNT; i++) {
        float size = (float)exp(log(1e5) + 0.8 * i + between(rng, 0.0, 0.5));
        double z = log((double)size) - log(best), noise = 0.1 * (double)rng_normal(rng);
        for (int side = 0; side < 2; side++) {
            n->data[2 * i + side] = size;
            loss->data[2 * i + side] = (float)(3.0 + curvature * z * z + (side ? noise : -noise));
        }
    }
}

START_TEST(three_sizes_by_hand)
{
    // Factors of 4: losses 3, 2, 3 are lowest in the middle; 2.25, 2, 2.75 a quarter of a factor to the left of it:
    // z = −¼ steps, 40000 / 4^¼ = 28284
    float n_values[] = {10000, 40000, 160000}, even[] = {3, 2, 3}, left[] = {2.25f, 2, 2.75f};
    expect_best(matrix_view(1, 3, n_values), matrix_view(1, 3, even), 40000.0);
    expect_best(matrix_view(1, 3, n_values), matrix_view(1, 3, left), 40000.0 / pow(4.0, 0.25));
    float close_values[] = {10000, 11000, 12100}, flat[] = {2.001f, 2, 2.001f}; // factors of 1.1
    expect_best(matrix_view(1, 3, close_values), matrix_view(1, 3, flat), 11000.0);
}
END_TEST

START_TEST(the_lowest_point_between_noisy_sizes)
{
    for (int round = 0; round < 10; round++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(4, round);
        Matrix n, loss;
        double best = 2e5 * pow(1.3, round);
        draw_parabola(&rng, arena, best, 0.2 + 0.05 * round, &n, &loss);
        expect_best(n, loss, best);
        arena_free(arena);
    }
}
END_TEST

START_TEST(what_was_not_tried_was_not_found)
{
    for (int round = 0; round < 4; round++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(4, 50 + round);
        Matrix n, loss;
        draw_parabola(&rng, arena, round < 2 ? 3e4 : 3e7, 0.2, &n, &loss);
        expect_best(n, loss, 0.0);
        arena_free(arena);
    }
}
END_TEST

START_TEST(a_hill_has_no_lowest_point)
{
    for (int round = 0; round < 4; round++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(4, 60 + round);
        Matrix n, loss;
        draw_parabola(&rng, arena, 1e6, -0.2, &n, &loss);
        expect_best(n, loss, 0.0);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 21.5: training and serving ----------------------------------------------------------------------------------

// The cost at N = e^z
static double cost_at(const float *s, double target, double served, double z)
{
    double left = target - (double)s[0] - (double)s[1] * exp(-(double)s[2] * z);
    if (left <= 0.0) return INFINITY;
    return exp(z) * (6.0 * exp(log((double)s[3] / left) / (double)s[4]) + 2.0 * served);
}

static double true_cheapest(const float *s, double target, double served)
{
    double low = log(1e3), high = log(1e15);
    for (int i = 0; i < 300; i++) {
        double a = low + (high - low) / 3.0, b = high - (high - low) / 3.0;
        if (cost_at(s, target, served, a) > cost_at(s, target, served, b) ||
            cost_at(s, target, served, a) == (double)INFINITY)
            low = a;
        else
            high = b;
    }
    return exp(low);
}

static void expect_cheapest(float *s, float target, float served, double expected)
{
    Matrix surface = matrix_view(1, 5, s);
    GIVEN(IN("surface", surface), NUMBER("target", (double)target), NUMBER("served", (double)served));
    expect_number("cheapest_size", cheapest_size(surface, target, served), expected, 0.012 * expected);
    EXPECT_UNCHANGED();
}

START_TEST(without_serving_both_terms_are_balanced)
{
    // With alpha = beta = ½ and A = B the best has both terms alike: target 3 leaves 1 for each, 1000 / √N = 1.
    float s[] = {1, 1000, 0.5f, 1000, 0.5f};
    expect_cheapest(s, 3.0f, 0.0f, 1e6);
}
END_TEST

START_TEST(who_serves_much_trains_a_smaller_model_for_longer)
{
    float s[] = {1.69f, 406.4f, 0.34f, 410.7f, 0.28f}; // Hoffmann and others 2022
    for (int i = 0; i < 6; i++) {
        float served = i ? 1e8f * powf(10.0f, (float)i) : 0.0f;
        expect_cheapest(s, 2.2f, served, true_cheapest(s, (double)2.2f, (double)served));
    }
}
END_TEST

START_TEST(what_no_size_reaches_costs_no_money)
{
    float s[] = {1.69f, 406.4f, 0.34f, 410.7f, 0.28f};
    expect_cheapest(s, 1.69f, 1e9f, 0.0);
    expect_cheapest(s, 1.0f, 0.0f, 0.0);
}
END_TEST

START_TEST(surfaces_of_any_kind)
{
    for (int n = 0; n < 10; n++) {
        Rng rng = rng_of(5, n);
        float s[5];
        s[0] = (float)between(&rng, 0.5, 2.0);
        s[1] = (float)between(&rng, 50.0, 300.0);
        s[2] = (float)between(&rng, 0.3, 0.5);
        s[3] = (float)between(&rng, 50.0, 300.0);
        s[4] = (float)between(&rng, 0.3, 0.5);
        float target = s[0] + (float)between(&rng, 0.3, 0.9), served = (float)between(&rng, 0.0, 1e9);
        expect_cheapest(s, target, served, true_cheapest(s, (double)target, (double)served));
    }
}
END_TEST

// clang-format off
EXERCISE("21-scaling-laws",
         {"21.1", 4, a_layer_by_hand},
         {"21.1", 4, llama_as_published},
         {"21.1", 7, decoders_of_any_size},
         {"21.2", 6, three_tokens_by_hand},
         {"21.2", 4, a_window_longer_than_the_text_is_none},
         {"21.2", 10, networks_as_large_as_gpt_3},
         {"21.3", 5, three_points_on_a_law},
         {"21.3", 8, a_point_of_three_seeds_counts_three_times},
         {"21.3", 7, no_loss_has_a_floor_below_zero},
         {"21.3", 5, sizes_up_to_a_trillion},
         {"21.4", 5, three_sizes_by_hand},
         {"21.4", 5, the_lowest_point_between_noisy_sizes},
         {"21.4", 5, what_was_not_tried_was_not_found},
         {"21.4", 5, a_hill_has_no_lowest_point},
         {"21.5", 5, without_serving_both_terms_are_balanced},
         {"21.5", 5, who_serves_much_trains_a_smaller_model_for_longer},
         {"21.5", 4, what_no_size_reaches_costs_no_money},
         {"21.5", 6, surfaces_of_any_kind})
