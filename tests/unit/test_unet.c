// A U-Net that is told a time and a condition: gradients, what each input can change, learning, mistakes.
#include "suite.h"
#include "gradients.h"
#include "learning/ops/loss.h"
#include "learning/optim.h"
#include "models/unet.h"

#include <math.h>

enum { IMAGES = 3, CONDITIONS = 2 };
static const UnetConfig config = {
    .side = 4, .channels = 2, .features = 4, .groups = 2, .waves = 6, .told = 5, .conditions = CONDITIONS};
static const int times[IMAGES] = {0, 7, 120};

typedef struct {
    Parameters set;
    Unet unet;
    Matrix pixels, conditions;
} Model;

static Model model_new(Arena *arena, UnetConfig c)
{
    Rng rng = rng_new(8, 0);
    Model m = {.set = parameters_new(arena)};
    m.unet = unet_new(&m.set, c, &rng);
    for (int i = 0; i < m.set.count; i++) { // nothing stays 0, and no gain 1
        Matrix value = m.set.items[i]->value;
        for (size_t j = 0; j < matrix_size(value); j++) value.data[j] += rng_between(&rng, -0.3f, 0.3f);
    }
    m.pixels = matrix_new(arena, IMAGES * c.side * c.side, c.channels ? c.channels : 1);
    fill_normal(m.pixels, &rng, 0.0f, 1.0f);
    if (c.conditions) m.conditions = matrix_new(arena, IMAGES, c.conditions);
    if (c.conditions) fill_normal(m.conditions, &rng, 0.0f, 1.0f);
    return m;
}

static Tensor *build(Tape *tape, void *context)
{
    const Model *m = context;
    return unet_forward(&m->unet, tape, m->pixels, times, m->conditions);
}

static Matrix answer(Arena *arena, const Model *m, Matrix pixels, const int *at, Matrix conditions)
{
    return unet_forward(&m->unet, tape_inference(arena), pixels, at, conditions)->value;
}

START_TEST(gradients_of_every_parameter)
{
    for (int blind = 0; blind < 2; blind++) {
        Arena *arena = arena_new();
        UnetConfig c = config;
        if (blind) c.conditions = 0;
        Model m = model_new(arena, c);
        ck_assert_int_eq(m.set.count, 2 + !blind + 3 * 2 + 2 + 4 * 10 + 2 + 2);
        GradcheckResult right =
            gradcheck(build, &m, m.set.items, (const char *const *)m.set.names, m.set.count, 2e-2);
        ck_assert_msg(right.passed, "%s", right.message);
        arena_free(arena);
    }
}
END_TEST

START_TEST(it_says_nothing_before_it_has_learned)
{
    Arena *arena = arena_new(), *scratch = arena_new();
    Rng rng = rng_new(1, 0);
    Model m = model_new(arena, config);
    Parameters set = parameters_new(arena);
    m.unet = unet_new(&set, config, &rng);
    const Matrix said = answer(scratch, &m, m.pixels, times, m.conditions);
    ck_assert(said.rows == IMAGES * 16 && said.cols == 2);
    ck_assert(smallest(said) == 0.0f && largest(said) == 0.0f);
    arena_free(scratch), arena_free(arena);
}
END_TEST

// The images of a batch do not see each other; time and condition of an image change that image.
START_TEST(each_image_has_its_own_time_and_condition)
{
    Arena *arena = arena_new(), *scratch = arena_new();
    Model m = model_new(arena, config);
    const Matrix before = matrix_copy(arena, answer(scratch, &m, m.pixels, times, m.conditions));
    for (int changed = 0; changed < 3; changed++) {
        Matrix pixels = matrix_copy(arena, m.pixels), conditions = matrix_copy(arena, m.conditions);
        int at[IMAGES] = {times[0], changed == 1 ? 8 : times[1], times[2]};
        if (changed == 0) AT(pixels, 16, 0) += 1.0f;
        if (changed == 2) AT(conditions, 1, 0) += 1.0f;
        arena_reset(scratch);
        const Matrix after = answer(scratch, &m, pixels, at, conditions);
        for (int n = 0; n < IMAGES; n++) {
            const float apart =
                largest_difference(matrix_rows(before, n * 16, 16), matrix_rows(after, n * 16, 16));
            ck_assert_msg(n == 1 ? apart > 1e-4f : apart == 0.0f, "input %d, image %d: %g", changed, n,
                          (double)apart);
        }
    }
    arena_free(scratch), arena_free(arena);
}
END_TEST

START_TEST(a_row_for_each_image_is_the_same_memory)
{
    Arena *arena = arena_new(), *scratch = arena_new();
    Model m = model_new(arena, config);
    const Matrix one = matrix_copy(arena, answer(scratch, &m, m.pixels, times, m.conditions));
    arena_reset(scratch);
    const Matrix rows = matrix_reshape(m.pixels, IMAGES, 32);
    ck_assert(largest_difference(one, answer(scratch, &m, rows, times, m.conditions)) == 0.0f);
    arena_free(scratch), arena_free(arena);
}
END_TEST

START_TEST(waves_tell_times_apart)
{
    Arena *arena = arena_new();
    Matrix waves = matrix_new(arena, 3, 4);
    time_waves(waves, (const int[]){0, 1, 100});
    const double expected[3][4] = {{0.0, 0.0, 1.0, 1.0},
                                   {0.8414709848, 0.0099998333, 0.5403023059, 0.9999500004},
                                   {-0.5063656411, 0.8414709848, 0.8623188723, 0.5403023059}};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 4; j++) ck_assert_double_eq_tol((double)AT(waves, i, j), expected[i][j], 1e-6);
    arena_free(arena);
}
END_TEST

// Multiply-adds of the layers, one after the other
START_TEST(work_is_that_of_the_convolutions)
{
    const UnetConfig c = {.side = 14, .channels = 1, .features = 24};
    const double first = 196 * 9 * 24, high = 2 * 196 * 9 * 24 * 24, down = 49 * 16 * 24 * 48,
                 low = 4 * 49 * 9 * 48 * 48, up = 196 * 48 * 24,
                 back = 196 * (9 * 48 * 24 + 9 * 24 * 24 + 48 * 24), last = 196 * 9 * 24;
    ck_assert_double_eq(unet_work(&c), first + high + down + low + up + back + last);
}
END_TEST

// Condition 0 asks for zeros, condition 1 for what comes in; time 0 for the same and time 100 for its negative.
START_TEST(it_learns_to_do_as_it_is_told)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Rng rng = rng_new(5, 0);
    Parameters set = parameters_new(arena);
    const UnetConfig c = {.side = 4, .features = 8, .conditions = 1};
    Unet unet = unet_new(&set, c, &rng);
    enum { BATCH = 16 };
    Matrix x = matrix_new(arena, BATCH * 16, 1), y = matrix_new(arena, BATCH * 16, 1),
           conditions = matrix_new(arena, BATCH, 1);
    int at[BATCH];
    Optimiser adam = adam_new(arena, &set, 0.9f, 0.99f, 1e-8f, 0.0f);
    float late = 0.0f;
    for (int step = 0; step < 200; step++) {
        fill_normal(x, &rng, 0.0f, 1.0f);
        for (int n = 0; n < BATCH; n++) {
            conditions.data[n] = (float)(n % 2), at[n] = n / 2 % 2 * 100;
            const float factor = conditions.data[n] * (at[n] ? -1.0f : 1.0f);
            for (int i = 0; i < 16; i++) y.data[n * 16 + i] = factor * x.data[n * 16 + i];
        }
        tape_reset(tape);
        Tensor *loss = mean_squared_error(unet_forward(&unet, tape, x, at, conditions), y);
        backward(loss);
        optimiser_step(&adam, 0.005f);
        if (step >= 190) late += loss->value.data[0] / 10.0f;
    }
    // Blind to time and condition, the best answer is 0, with an error of .5.
    ck_assert_msg(late < 0.1f, "the error is %g", (double)late);
    tape_free(tape), arena_free(arena);
}
END_TEST

// In parts of unequal size, with and without conditions: loss and gradients are those of one pass, up to the order of sums.
START_TEST(parts_learn_what_the_batch_says)
{
    enum { BATCH = 7, NUMBERS = 32 };
    for (int blind = 0; blind < 2; blind++) {
        Arena *arena = arena_new();
        Tape *tape = tape_new();
        UnetConfig c = config;
        if (blind) c.conditions = 0;
        Model one = model_new(arena, c), many = model_new(arena, c);
        Rng rng = rng_new(9, 0);
        Matrix x = matrix_new(arena, BATCH, NUMBERS), v = matrix_new(arena, BATCH, NUMBERS),
               conditions = blind ? (Matrix){0} : matrix_new(arena, BATCH, CONDITIONS);
        fill_normal(x, &rng, 0.0f, 1.0f), fill_normal(v, &rng, 0.0f, 1.0f);
        if (!blind) fill_normal(conditions, &rng, 0.0f, 1.0f);
        const int at[BATCH] = {3, 1, 4, 1, 5, 9, 2};
        Tensor *said = unet_forward(&one.unet, tape, x, at, conditions);
        Tensor *loss = mean_squared_error(said, matrix_reshape(v, BATCH * NUMBERS / 2, 2));
        backward(loss);
        UnetLearner learner = unet_learner_new(arena, &many.unet, &many.set);
        const double learned = unet_learn(&learner, x, at, conditions, v);
        ck_assert_msg(fabs(learned - (double)loss->value.data[0]) < 1e-6, "%g and %g", learned,
                      (double)loss->value.data[0]);
        for (int i = 0; i < one.set.count; i++) {
            const Matrix a = one.set.items[i]->gradient, b = many.set.items[i]->gradient;
            for (size_t k = 0; k < matrix_size(a); k++)
                ck_assert_msg(fabsf(a.data[k] - b.data[k]) < 2e-6f + 1e-4f * fabsf(a.data[k]),
                              "%s: %g and %g", one.set.names[i], (double)a.data[k], (double)b.data[k]);
        }
        // Again, after a step: the parts have moved as well.
        Optimiser sgd = sgd_new(arena, &many.set, 0.0f);
        optimiser_step(&sgd, 0.01f);
        const double next = unet_learn(&learner, x, at, conditions, v);
        ck_assert_msg(next < learned, "the loss went from %g to %g", learned, next);
        unet_learner_free(&learner);
        tape_free(tape), arena_free(arena);
    }
}
END_TEST

// An image says the same alone and among many, which pass in pieces; passes are counted.
START_TEST(pieces_say_what_each_image_says)
{
    enum { MANY = 47, NUMBERS = 32 };
    Arena *arena = arena_new();
    Model m = model_new(arena, config);
    Rng rng = rng_new(10, 0);
    Matrix x = matrix_new(arena, MANY, NUMBERS), v = matrix_new(arena, MANY, NUMBERS),
           conditions = matrix_new(arena, MANY, CONDITIONS), alone = matrix_new(arena, 1, NUMBERS);
    fill_normal(x, &rng, 0.0f, 1.0f), fill_normal(conditions, &rng, 0.0f, 1.0f);
    static const float guidances[] = {0.0f, 1.0f, 2.5f};
    for (int g = 0; g < 3; g++) {
        UnetPredictor all = {.unet = &m.unet, .conditions = conditions, .guidance = guidances[g]};
        unet_predict(&all, v, x, 5);
        ck_assert_int_eq(all.passes, g == 2 ? 2 * MANY : MANY);
        for (int i = 0; i < MANY; i += 13) {
            UnetPredictor one = {&m.unet, matrix_rows(conditions, i, 1), guidances[g], 0};
            unet_predict(&one, alone, matrix_rows(x, i, 1), 5);
            ck_assert_mem_eq(alone.data, matrix_rows(v, i, 1).data, NUMBERS * sizeof(float));
        }
    }
    arena_free(arena);
}
END_TEST

static void odd_side(void *unused)
{
    (void)unused;
    Parameters set = parameters_new(arena_new());
    unet_new(&set, ((UnetConfig){.side = 7}), NULL);
}
static void unequal_groups(void *unused)
{
    (void)unused;
    Parameters set = parameters_new(arena_new());
    unet_new(&set, ((UnetConfig){.side = 8, .features = 20}), NULL);
}
static void wrong_conditions(void *unused)
{
    (void)unused;
    Arena *arena = arena_new();
    Model m = model_new(arena, config);
    unet_forward(&m.unet, tape_new(), m.pixels, times, matrix_new(arena, IMAGES, 3));
}
static void half_an_image(void *unused)
{
    (void)unused;
    Arena *arena = arena_new();
    Model m = model_new(arena, config);
    unet_forward(&m.unet, tape_new(), matrix_rows(m.pixels, 0, 40), times, m.conditions);
}
static void too_few_images(void *unused)
{
    (void)unused;
    Arena *arena = arena_new();
    Model m = model_new(arena, config);
    UnetLearner learner = unet_learner_new(arena, &m.unet, &m.set);
    const Matrix x = matrix_reshape(m.pixels, IMAGES, 32);
    unet_learn(&learner, x, times, m.conditions, x);
}

START_TEST(mistakes_name_the_shapes)
{
    expect_death(odd_side, NULL, "unet_new: images of 7 × 7 pixels");
    expect_death(unequal_groups, NULL, "unet_new: 1 channels, 20 features in 8 groups");
    expect_death(wrong_conditions, NULL, "3 images, conditions (3 × 3), and 2 are expected");
    expect_death(half_an_image, NULL, "images (40 × 2), each of 4 × 4 pixels with 2 channels");
    expect_death(too_few_images, NULL, "unet_learn: 3 images in 4 parts");
}
END_TEST

SUITE("unet", gradients_of_every_parameter, it_says_nothing_before_it_has_learned,
      each_image_has_its_own_time_and_condition, a_row_for_each_image_is_the_same_memory,
      waves_tell_times_apart, work_is_that_of_the_convolutions, it_learns_to_do_as_it_is_told,
      parts_learn_what_the_batch_says, pieces_say_what_each_image_says, mistakes_name_the_shapes)
