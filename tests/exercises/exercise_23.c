// The exercises of chapter 23, MAE: what each task is tested for, and its points.
// B images of P patches, V of them seen, numbers of C (or D) columns. What the answers are compared with is computed here, in
// double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

typedef struct {
    int images, patches, visible, columns;
} Case;

// The small ones first, because a message shows them whole.
static const Case cases[] = {{1, 1, 1, 1}, {1, 3, 1, 2}, {2, 2, 1, 1},  {2, 3, 2, 2},
                             {3, 4, 4, 3}, {2, 9, 2, 5}, {4, 16, 4, 3}, {5, 49, 12, 7}};
enum { CASES = sizeof cases / sizeof *cases };

// A random order of each image's patches: the first V are seen
static Matrix random_seen(Arena *arena, Rng *rng, Case z)
{
    Matrix seen = matrix_new(arena, z.images, z.visible);
    int order[64] = {0};
    for (int b = 0; b < z.images; b++) {
        rng_permutation(rng, order, z.patches);
        for (int k = 0; k < z.visible; k++) AT(seen, b, k) = (float)order[k];
    }
    return seen;
}

// By looking for each patch in the list of the seen
static Matrix source_of(Arena *arena, Matrix seen, int patches)
{
    Matrix source = matrix_new(arena, seen.rows, patches);
    for (int b = 0; b < seen.rows; b++)
        for (int p = 0; p < patches; p++) {
            int found = seen.rows * seen.cols;
            for (int k = 0; k < seen.cols; k++)
                if ((int)AT(seen, b, k) == p) found = b * seen.cols + k;
            AT(source, b, p) = (float)found;
        }
    return source;
}

static double *as_doubles(Arena *arena, Matrix m)
{
    double *out = doubles(arena, matrix_size(m));
    for (size_t i = 0; i < matrix_size(m); i++) out[i] = (double)m.data[i];
    return out;
}

// ---- TASK 23.1: which are seen ----------------------------------------------------------------------------

static void call_least_noise(Matrix seen, Matrix noise)
{
    GIVEN(OUT("seen", seen), IN("noise", noise));
    least_noise(seen, noise);
}

START_TEST(the_least_noise_comes_first)
{
    float noise_values[] = {0.5f, 0.1f, 0.9f, 0.3f, 0.2f, 0.8f, 0.4f, 0.7f}, seen_values[] = {7, 7, 7, 7};
    Matrix seen = matrix_view(2, 2, seen_values), noise = matrix_view(2, 4, noise_values);
    call_least_noise(seen, noise);
    expect_within("seen", seen, ((double[]){1, 3, 0, 2}), 0.0);
}
END_TEST

START_TEST(of_equal_noise_the_first_comes_first)
{
    float noise_values[] = {0.5f, 0.2f, 0.5f, 0.2f, 0.2f}, seen_values[] = {7, 7, 7, 7};
    Matrix seen = matrix_view(1, 4, seen_values), noise = matrix_view(1, 5, noise_values);
    call_least_noise(seen, noise);
    expect_within("seen", seen, ((double[]){1, 3, 4, 0}), 0.0);
}
END_TEST

START_TEST(masks_of_any_size_are_drawn)
{
    for (int s = 0; s < CASES; s++) {
        Case z = cases[s];
        Arena *arena = arena_new();
        Rng rng = rng_new(231, (uint64_t)s);
        Matrix noise = random_normal(arena, &rng, z.images, z.patches),
               seen = rubbish(arena, z.images, z.visible);
        double *expected = doubles(arena, matrix_size(seen));
        for (int b = 0; b < z.images; b++) { // the least of those that were not taken, again and again
            bool taken[64] = {false};
            for (int k = 0; k < z.visible; k++) {
                int best = -1;
                for (int p = 0; p < z.patches; p++)
                    if (!taken[p] && (best < 0 || AT(noise, b, p) < AT(noise, b, best))) best = p;
                taken[best] = true;
                expected[b * z.visible + k] = best;
            }
        }
        call_least_noise(seen, noise);
        expect_within("seen", seen, expected, 0.0);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 23.2: the way back ------------------------------------------------------------------------------

static void call_way_back(Matrix source, Matrix seen)
{
    GIVEN(OUT("source", source), IN("seen", seen));
    way_back(source, seen);
}

START_TEST(each_token_goes_where_its_patch_was)
{
    float seen_values[] = {2, 0, 1, 3}, source_values[] = {7, 7, 7, 7, 7, 7, 7, 7};
    Matrix source = matrix_view(2, 4, source_values), seen = matrix_view(2, 2, seen_values);
    call_way_back(source, seen);
    expect_within("source", source, ((double[]){1, 4, 0, 4, 4, 2, 4, 3}), 0.0);
}
END_TEST

START_TEST(with_nothing_masked_it_is_the_inverse_order)
{
    float seen_values[] = {2, 0, 1}, source_values[] = {7, 7, 7};
    Matrix source = matrix_view(1, 3, source_values), seen = matrix_view(1, 3, seen_values);
    call_way_back(source, seen);
    expect_within("source", source, ((double[]){1, 2, 0}), 0.0);
}
END_TEST

START_TEST(the_way_back_of_any_mask)
{
    for (int s = 0; s < CASES; s++) {
        Case z = cases[s];
        Arena *arena = arena_new();
        Rng rng = rng_new(232, (uint64_t)s);
        Matrix seen = random_seen(arena, &rng, z), source = rubbish(arena, z.images, z.patches);
        call_way_back(source, seen);
        expect_within("source", source, as_doubles(arena, source_of(arena, seen, z.patches)), 0.0);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 23.3: the gradient of the table -----------------------------------------------------------------

static void call_table_gradient(Matrix d_table, Matrix d_input, Matrix source)
{
    GIVEN(OUT("d_table", d_table), IN("d_input", d_input), IN("source", source));
    table_gradient(d_table, d_input, source);
}

START_TEST(tokens_receive_their_own_and_the_mask_token_a_sum)
{
    float d_table_values[] = {7, 7, 7, 7}, d_input_values[] = {1, 2, 10, 20, 100, 200},
          source_values[] = {1, 0, 1};
    Matrix d_table = matrix_view(2, 2, d_table_values), d_input = matrix_view(3, 2, d_input_values);
    call_table_gradient(d_table, d_input, matrix_view(1, 3, source_values));
    expect_within("d_table", d_table, ((double[]){10, 20, 101, 202}), 1e-4);
}
END_TEST

START_TEST(with_nothing_masked_the_mask_token_receives_nothing)
{
    float d_table_values[] = {7, 7, 7}, d_input_values[] = {3, 5}, source_values[] = {1, 0};
    Matrix d_table = matrix_view(3, 1, d_table_values), d_input = matrix_view(2, 1, d_input_values);
    call_table_gradient(d_table, d_input, matrix_view(1, 2, source_values));
    expect_within("d_table", d_table, ((double[]){5, 3, 0}), 1e-6);
}
END_TEST

START_TEST(tables_of_any_size)
{
    for (int s = 0; s < CASES; s++) {
        Case z = cases[s];
        Arena *arena = arena_new();
        Rng rng = rng_new(233, (uint64_t)s);
        Matrix seen = random_seen(arena, &rng, z), source = source_of(arena, seen, z.patches);
        Matrix d_input = random_normal(arena, &rng, z.images * z.patches, z.columns);
        Matrix d_table = rubbish(arena, z.images * z.visible + 1, z.columns);
        double *expected = doubles(arena, matrix_size(d_table));
        for (int row = 0; row < d_table.rows; row++)
            for (int c = 0; c < z.columns; c++) {
                double *total = &expected[row * z.columns + c];
                *total = 0.0;
                for (int i = 0; i < d_input.rows; i++)
                    if ((int)source.data[i] == row) *total += (double)AT(d_input, i, c);
            }
        call_table_gradient(d_table, d_input, source);
        expect_close("d_table", d_table, expected, 1e-5);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 23.4: the loss ----------------------------------------------------------------------------------

static float call_loss(Matrix d_prediction, Matrix prediction, Matrix target, Matrix source, int tokens)
{
    GIVEN(OUT("d_prediction", d_prediction), IN("prediction", prediction), IN("target", target),
          IN("source", source), NUMBER("tokens", tokens));
    return loss_of_masked(d_prediction, prediction, target, source, tokens);
}

START_TEST(only_masked_patches_are_paid_for)
{
    // The second patch is masked: errors 2 and −1, mean square 2.5
    float d_values[] = {7, 7, 7, 7}, prediction_values[] = {9, 9, 3, 0}, target_values[] = {0, 0, 1, 1};
    float source_values[] = {0, 1};
    Matrix d_prediction = matrix_view(2, 2, d_values), prediction = matrix_view(2, 2, prediction_values);
    float loss = call_loss(d_prediction, prediction, matrix_view(2, 2, target_values),
                           matrix_view(1, 2, source_values), 1);
    expect_number("loss_of_masked", loss, 2.5, 1e-5);
    expect_within("d_prediction", d_prediction, ((double[]){0, 0, 2, -1}), 1e-5);
}
END_TEST

START_TEST(with_nothing_masked_the_loss_is_zero)
{
    float d_values[] = {7, 7}, prediction_values[] = {9, 9}, target_values[] = {0, 0},
          source_values[] = {1, 0};
    Matrix d_prediction = matrix_view(2, 1, d_values), prediction = matrix_view(2, 1, prediction_values);
    float loss = call_loss(d_prediction, prediction, matrix_view(2, 1, target_values),
                           matrix_view(1, 2, source_values), 2);
    expect_number("loss_of_masked", loss, 0.0, 0.0);
    expect_within("d_prediction", d_prediction, ((double[]){0, 0}), 0.0);
}
END_TEST

START_TEST(losses_of_any_size)
{
    for (int s = 0; s < CASES; s++) {
        Case z = cases[s];
        Arena *arena = arena_new();
        Rng rng = rng_new(234, (uint64_t)s);
        Matrix seen = random_seen(arena, &rng, z), source = source_of(arena, seen, z.patches);
        Matrix prediction = random_normal(arena, &rng, z.images * z.patches, z.columns);
        Matrix target = random_normal(arena, &rng, prediction.rows, z.columns);
        Matrix d_prediction = rubbish(arena, prediction.rows, z.columns);
        int tokens = z.images * z.visible, numbers = (prediction.rows - tokens) * z.columns;
        double *expected = doubles(arena, matrix_size(prediction)), loss = 0.0;
        for (int i = 0; i < prediction.rows * z.columns; i++) {
            bool masked = (int)source.data[i / z.columns] == tokens;
            double error = (double)prediction.data[i] - (double)target.data[i];
            expected[i] = masked ? 2.0 * error / numbers : 0.0;
            if (masked) loss += error * error / numbers;
        }
        float got = call_loss(d_prediction, prediction, target, source, tokens);
        expect_number("loss_of_masked", got, loss, 1e-5);
        expect_close("d_prediction", d_prediction, expected, 1e-5);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 23.5: the cost ----------------------------------------------------------------------------------

static double block_cost(double tokens, double width, double hidden)
{
    double projections = 4.0 * width * width, feed_forward = 2.0 * width * hidden,
           attention = 2.0 * tokens * width;
    return tokens * (projections + feed_forward + attention);
}

static void expect_ratio(int patches, int visible, int width, int hidden)
{
    GIVEN(NUMBER("patches", patches), NUMBER("visible", visible), NUMBER("width", width),
          NUMBER("hidden", hidden));
    double expected = block_cost(patches, width, hidden) / block_cost(visible, width, hidden);
    expect_number("cost_of_seeing_all", cost_of_seeing_all(patches, visible, width, hidden), expected,
                  1e-5 * expected);
}

START_TEST(seeing_all_costs_one_time_all) { expect_ratio(49, 49, 64, 128); }
END_TEST

START_TEST(the_ratio_of_this_chapter)
{
    expect_ratio(49, 12, 64, 128);
    expect_ratio(196, 49, 768, 3072);
}
END_TEST

START_TEST(ratios_of_any_size)
{
    expect_ratio(4, 1, 1, 1);
    expect_ratio(10000, 2500, 8, 16);
    expect_ratio(16, 4, 40000, 160000);
    for (int visible = 1; visible < 30; visible++) expect_ratio(30, visible, visible + 3, 70 - visible);
}
END_TEST

// clang-format off
EXERCISE("23-mae",
         {"23.1", 5, the_least_noise_comes_first},
         {"23.1", 5, of_equal_noise_the_first_comes_first},
         {"23.1", 10, masks_of_any_size_are_drawn},
         {"23.2", 6, each_token_goes_where_its_patch_was},
         {"23.2", 4, with_nothing_masked_it_is_the_inverse_order},
         {"23.2", 10, the_way_back_of_any_mask},
         {"23.3", 6, tokens_receive_their_own_and_the_mask_token_a_sum},
         {"23.3", 4, with_nothing_masked_the_mask_token_receives_nothing},
         {"23.3", 10, tables_of_any_size},
         {"23.4", 8, only_masked_patches_are_paid_for},
         {"23.4", 4, with_nothing_masked_the_loss_is_zero},
         {"23.4", 13, losses_of_any_size},
         {"23.5", 3, seeing_all_costs_one_time_all},
         {"23.5", 6, the_ratio_of_this_chapter},
         {"23.5", 6, ratios_of_any_size})
