// CLIP's two networks and their loss: gradients, the loss from its definition, captions that are the same, learning, mistakes.
#include "suite.h"
#include "gradients.h"
#include "learning/optim.h"
#include "models/clip.h"

#include <math.h>

enum { BATCH = 4 };

static ClipConfig config_of(bool blocks)
{
    ClipConfig config = {.side = 7,
                         .convolutions = {5, 4},
                         .hidden = 12,
                         .words = 3,
                         .vocabulary = 9,
                         .text_features = 4,
                         .text_hidden = 12,
                         .features = 3,
                         .scale = 2.0f};
    if (blocks) config.blocks = 2, config.heads = 2;
    return config;
}

typedef struct {
    Parameters set;
    Clip clip;
    Matrix pixels;
    int words[BATCH * 3];
    const int *captions;
} Model;

static Model model_new(Arena *arena, bool blocks)
{
    Rng rng = rng_new(3, 0);
    Model m = {.set = parameters_new(arena)};
    m.clip = clip_new(&m.set, config_of(blocks), &rng);
    for (int i = 0; i < m.set.count;
         i++) { // no bias stays 0 and no gain 1; few activations are near ReLU's corner
        Matrix value = m.set.items[i]->value;
        if (value.rows == 1 && value.cols > 1)
            for (int j = 0; j < value.cols; j++) value.data[j] += rng_between(&rng, 0.5f, 1.0f);
    }
    m.pixels = matrix_new(arena, BATCH * 49, 3);
    fill_normal(m.pixels, &rng, 0.0f, 0.5f);
    for (int i = 0; i < BATCH * 3; i++) m.words[i] = (int)rng_below(&rng, 9);
    return m;
}

static Tensor *build(Tape *tape, void *context)
{
    const Model *m = context;
    Tensor *images = clip_images(&m->clip, tape, m->pixels);
    Tensor *texts = clip_texts(&m->clip, tape, m->words, BATCH);
    return contrastive_loss(images, texts, m->clip.log_scale, m->captions);
}

START_TEST(gradients_of_every_parameter)
{
    static const int equal[BATCH] = {5, 2, 5, 9};
    for (int kind = 0; kind < 4; kind++) {
        Arena *arena = arena_new();
        Model m = model_new(arena, kind % 2);
        m.captions = kind < 2 ? NULL : equal;
        GradcheckResult right =
            gradcheck(build, &m, m.set.items, (const char *const *)m.set.names, m.set.count, 1e-2);
        ck_assert_msg(right.passed, "%s", right.message);
        arena_free(arena);
    }
}
END_TEST

START_TEST(rows_have_length_one_and_texts_do_not_touch_each_other)
{
    for (int blocks = 0; blocks < 2; blocks++) {
        Arena *arena = arena_new();
        Model m = model_new(arena, blocks);
        Tape *tape = tape_new();
        Matrix images = clip_images(&m.clip, tape, m.pixels)->value,
               by_image = clip_images(&m.clip, tape, matrix_reshape(m.pixels, BATCH, 147))->value,
               texts = clip_texts(&m.clip, tape, m.words, BATCH)->value;
        ck_assert_int_eq(images.rows, BATCH);
        ck_assert_int_eq(images.cols, 3);
        ck_assert_float_eq(largest_difference(images, by_image), 0.0f);
        for (int i = 0; i < BATCH; i++) {
            ck_assert_double_eq_tol(sum_of_squares(matrix_rows(images, i, 1)), 1.0, 1e-5);
            ck_assert_double_eq_tol(sum_of_squares(matrix_rows(texts, i, 1)), 1.0, 1e-5);
            Matrix alone = clip_texts(&m.clip, tape, m.words + 3 * i, 1)->value;
            ck_assert_float_le(largest_difference(alone, matrix_rows(texts, i, 1)), 1e-5f);
        }
        // The order of words matters to both kinds.
        const int turned[3] = {m.words[2], m.words[1], m.words[0]};
        if (turned[0] != turned[2])
            ck_assert_float_gt(
                largest_difference(clip_texts(&m.clip, tape, turned, 1)->value, matrix_rows(texts, 0, 1)),
                1e-3f);
        tape_free(tape);
        arena_free(arena);
    }
}
END_TEST

// −½ mean of the logarithms of both softmaxes, from the definition, in double precision.
static double loss_by_hand(Matrix images, Matrix texts, double scale, const int *captions)
{
    const int n = images.rows;
    double total = 0.0;
    for (int direction = 0; direction < 2; direction++) {
        Matrix a = direction ? texts : images, b = direction ? images : texts;
        for (int i = 0; i < n; i++) {
            double all = 0.0, right = 0.0;
            int equal = 0;
            for (int j = 0; j < n; j++) {
                double cosine = 0.0;
                for (int k = 0; k < a.cols; k++) cosine += (double)AT(a, i, k) * (double)AT(b, j, k);
                all += exp(scale * cosine);
                if (captions ? captions[i] == captions[j] : i == j) right += scale * cosine, equal++;
            }
            total += log(all) - right / equal;
        }
    }
    return total / (2 * n);
}

START_TEST(the_loss_is_its_definition)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(7, 0);
    Tape *tape = tape_new();
    Matrix images = matrix_new(arena, 6, 5), texts = matrix_new(arena, 6, 5),
           log_scale = matrix_new(arena, 1, 1);
    fill_normal(images, &rng, 0.0f, 0.5f);
    fill_normal(texts, &rng, 0.0f, 0.5f);
    static const int captions[6] = {1, 1, 3, 1, 4, 3}, all_the_same[6] = {0};
    const float scales[] = {1.0f, 8.0f, 200.0f};
    for (int s = 0; s < 3; s++) {
        log_scale.data[0] = logf(scales[s]);
        const double scale = scales[s] > 100.0f ? 100.0 : (double)scales[s];
        const int *const kinds[] = {NULL, captions, all_the_same};
        for (int k = 0; k < 3; k++) {
            Tensor *loss = contrastive_loss(tape_input(tape, images), tape_input(tape, texts),
                                            tape_variable(tape, log_scale), kinds[k]);
            const double expected = loss_by_hand(images, texts, scale, kinds[k]);
            ck_assert_double_eq_tol((double)loss->value.data[0], expected, 2e-6 * (1.0 + expected));
        }
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(pairs_are_learnt)
{
    for (int blocks = 0; blocks < 2; blocks++) {
        Arena *arena = arena_new();
        Model m = model_new(arena, blocks);
        const int words[BATCH * 3] = {0, 1, 2, 3, 1, 2, 0, 4, 2, 5, 6, 7};
        memcpy(m.words, words, sizeof words);
        Optimiser adam = adam_new(arena, &m.set, 0.9f, 0.999f, 1e-8f, 0.0f);
        Tape *tape = tape_new();
        double loss = 0.0;
        for (int step = 0; step < 500; step++) {
            tape_reset(tape);
            Tensor *out = build(tape, &m);
            backward(out);
            optimiser_step(&adam, 1e-2f);
            loss = (double)out->value.data[0];
        }
        ck_assert_double_lt(loss, 0.1);
        tape_free(tape);
        arena_free(arena);
    }
}
END_TEST

static void nameless(void *context)
{
    Parameters set = parameters_new(context);
    clip_new(&set, ((ClipConfig){.side = 7, .convolutions = {4}}), NULL);
}
static void other_pixels(void *context)
{
    Model m = model_new(context, false);
    clip_images(&m.clip, tape_new(), matrix_new((Arena *)context, 50, 3));
}
static void unknown_word(void *context)
{
    Model m = model_new(context, false);
    m.words[4] = 9;
    clip_texts(&m.clip, tape_new(), m.words, BATCH);
}

START_TEST(mistakes_are_told)
{
    Arena *arena = arena_new();
    expect_death(nameless, arena, "clip_new: images of 7 × 7 pixels");
    expect_death(other_pixels, arena, "clip_images: pixels (50 × 3), images of 7 × 7 with 3 channels");
    expect_death(unknown_word, arena, "9");
    arena_free(arena);
}
END_TEST

SUITE("clip", gradients_of_every_parameter, rows_have_length_one_and_texts_do_not_touch_each_other,
      the_loss_is_its_definition, pairs_are_learnt, mistakes_are_told)
