// A ViT: gradients, its patches against a convolution, what positions are for, learning, mistakes. Its block is
// compared with PyTorch's in tests/unit/test_reference.c.
#include "suite.h"
#include "gradients.h"
#include "learning/ops/conv.h"
#include "learning/ops/loss.h"
#include "learning/optim.h"
#include "models/vit.h"

#include <math.h>

enum { BATCH = 3 };
static const VitConfig config = {.height = 4,
                                 .width = 6,
                                 .channels = 2,
                                 .patch = 2,
                                 .features = 6,
                                 .layers = 2,
                                 .heads = 2,
                                 .hidden = 7,
                                 .classes = 4,
                                 .position_deviation = 0.5f};

typedef struct {
    Parameters set;
    Vit vit;
    Matrix images;
} Model;

static Model model_new(Arena *arena, VitConfig c)
{
    Rng rng = rng_new(4, 0);
    Model m = {.set = parameters_new(arena)};
    m.vit = vit_new(&m.set, c, &rng);
    for (int i = 0; i < m.set.count; i++) { // no bias stays 0 and no gain 1
        Matrix value = m.set.items[i]->value;
        if (value.rows == 1)
            for (int j = 0; j < value.cols; j++) value.data[j] += rng_between(&rng, -0.3f, 0.3f);
    }
    m.images = matrix_new(arena, BATCH * c.height * c.width, c.channels ? c.channels : 1);
    fill_normal(m.images, &rng, 0.0f, 1.0f);
    return m;
}

// ---- Gradients ------------------------------------------------------------------------------------------

static Tensor *build(Tape *tape, void *context)
{
    const Model *m = context;
    return vit_logits(&m->vit, tape, m->images);
}

START_TEST(gradients_of_every_parameter)
{
    for (int plain = 0; plain < 2; plain++) {
        Arena *arena = arena_new();
        VitConfig c = config;
        c.without_positions = plain;
        Model m = model_new(arena, c);
        ck_assert_int_eq(m.set.count, 2 + 1 + !plain + 2 * 12 + 2 + 2);
        GradcheckResult right =
            gradcheck(build, &m, m.set.items, (const char *const *)m.set.names, m.set.count, 1e-2);
        ck_assert_msg(right.passed, "%s", right.message);
        arena_free(arena);
    }
}
END_TEST

typedef struct {
    Tensor *x, *token;
} Prepended;

static Tensor *build_prepended(Tape *tape, void *context)
{
    const Prepended *p = context;
    return prepend_token(tape_parameter(tape, p->x), p->token, 3);
}

START_TEST(a_token_stands_in_front_of_each_sequence)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(5, 0);
    Prepended p = {parameter_new(arena, 6, 4), parameter_new(arena, 1, 4)};
    fill_normal(p.x->value, &rng, 0.0f, 1.0f);
    fill_normal(p.token->value, &rng, 0.0f, 1.0f);
    Tape *tape = tape_new();
    Tensor *y = build_prepended(tape, &p);
    ck_assert_int_eq(y->value.rows, 8);
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 4; j++)
            ck_assert(AT(y->value, i, j) ==
                      (i % 4 ? AT(p.x->value, i / 4 * 3 + i % 4 - 1, j) : AT(p.token->value, 0, j)));
    Tensor *tensors[] = {p.x, p.token};
    const char *names[] = {"x", "token"};
    check_operation(build_prepended, &p, tensors, names, 2, 1e-2);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// ---- Patches --------------------------------------------------------------------------------------------

// Image b, token row i · 3 + j, number (dy · 2 + dx) · channels + c of its patch
START_TEST(a_patch_is_a_square_of_pixels_row_by_row)
{
    Arena *arena = arena_new();
    const Model m = model_new(arena, config);
    const Matrix patches = vit_patches(arena, &config, m.images),
                 same = vit_patches(arena, &config, matrix_reshape(m.images, BATCH, 4 * 6 * 2));
    ck_assert(patches.rows == BATCH * 6 && patches.cols == 8);
    for (int b = 0; b < BATCH; b++)
        for (int y = 0; y < 4; y++)
            for (int x = 0; x < 6; x++)
                for (int c = 0; c < 2; c++) {
                    const int row = b * 6 + y / 2 * 3 + x / 2, number = (y % 2 * 2 + x % 2) * 2 + c;
                    ck_assert(AT(patches, row, number) == AT(m.images, (b * 4 + y) * 6 + x, c));
                }
    ck_assert(largest_difference(patches, same) == 0.0f);
    arena_free(arena);
}
END_TEST

START_TEST(embedding_patches_is_a_convolution_whose_stride_is_its_window)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    VitConfig c = config;
    c.without_positions = true;
    const Model m = model_new(arena, c);
    Tensor *tokens = vit_embed(&m.vit, tape, m.images);
    Tensor *expected = conv2d(tape_input(tape, m.images), m.vit.embed.weight, m.vit.embed.bias,
                              ((Grid){BATCH, c.height, c.width}), window_square(2, 2, 0));
    ck_assert_int_eq(tokens->value.rows, BATCH * vit_tokens(&c));
    for (int b = 0; b < BATCH; b++)
        for (int t = 0; t < vit_tokens(&c); t++)
            for (int j = 0; j < c.features; j++) {
                const float got = AT(tokens->value, b * vit_tokens(&c) + t, j),
                            right = t ? AT(expected->value, b * vit_patch_count(&c) + t - 1, j)
                                      : AT(m.vit.token->value, 0, j);
                ck_assert_msg(fabsf(got - right) <= 1e-6f, "image %d, token %d: got %g, expected %g", b, t,
                              (double)got, (double)right);
            }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(features_are_the_class_tokens_of_the_states)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    const Model m = model_new(arena, config);
    Tensor *states = vit_states(&m.vit, tape, m.images), *features = vit_features(&m.vit, tape, m.images);
    ck_assert(features->value.rows == BATCH && states->value.rows == BATCH * 7);
    for (int b = 0; b < BATCH; b++)
        for (int j = 0; j < config.features; j++)
            ck_assert(AT(features->value, b, j) == AT(states->value, b * 7, j));
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// ---- Positions ------------------------------------------------------------------------------------------

// The largest difference between the logits of images and of the same with the patches of the first two columns
// exchanged
static float change_by_exchange(Arena *arena, bool without_positions)
{
    Tape *tape = tape_new();
    VitConfig c = config;
    c.without_positions = without_positions;
    const Model m = model_new(arena, c);
    Matrix exchanged = matrix_copy(arena, m.images);
    for (int i = 0; i < exchanged.rows; i++) {
        const int x = i % 6, from = x < 4 ? i + (x < 2 ? 2 : -2) : i;
        for (int ch = 0; ch < 2; ch++) AT(exchanged, i, ch) = AT(m.images, from, ch);
    }
    Tensor *a = vit_logits(&m.vit, tape, m.images), *b = vit_logits(&m.vit, tape, exchanged);
    const float change = largest_difference(a->value, b->value);
    tape_free(tape);
    return change;
}

START_TEST(without_positions_patches_are_a_set)
{
    Arena *arena = arena_new();
    const float plain = change_by_exchange(arena, true), with = change_by_exchange(arena, false);
    ck_assert_msg(plain <= 1e-5f, "without positions: %g", (double)plain);
    ck_assert_msg(with >= 0.01f, "with positions: %g", (double)with);
    arena_free(arena);
}
END_TEST

// A bright pixel somewhere; which of the six patches is it in?
START_TEST(it_learns_where_a_spot_is)
{
    enum { IMAGES = 32 };
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    VitConfig c = config;
    c.channels = 1, c.classes = 6, c.features = 16, c.hidden = 16;
    Rng rng = rng_new(6, 0);
    Parameters set = parameters_new(arena);
    Vit vit = vit_new(&set, c, &rng);
    Optimiser adam = adamw_new(arena, &set, 0.9f, 0.999f, 1e-8f, 0.01f);
    Matrix images = matrix_new(arena, IMAGES, 24);
    int labels[IMAGES] = {0};
    float right = 0.0f;
    for (int step = 0; step < 150; step++) {
        fill_normal(images, &rng, 0.0f, 0.3f);
        for (int i = 0; i < IMAGES; i++) {
            const int pixel = (int)rng_below(&rng, 24);
            AT(images, i, pixel) += 3.0f;
            labels[i] = pixel / 12 * 3 + pixel % 6 / 2;
        }
        tape_reset(tape);
        Tensor *logits = vit_logits(&vit, tape, images);
        right = (float)accuracy(logits->value, labels);
        backward(cross_entropy(logits, labels));
        optimiser_step(&adam, 3e-3f);
    }
    ck_assert_msg(right >= 0.9f, "accuracy %g", (double)right);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// ---- Mistakes -------------------------------------------------------------------------------------------

static void patches_that_leave_a_rest(void *unused)
{
    (void)unused;
    Arena *arena = arena_new();
    VitConfig c = config;
    c.patch = 4;
    model_new(arena, c);
}
static void images_of_another_size(void *unused)
{
    (void)unused;
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    const Model m = model_new(arena, config);
    vit_logits(&m.vit, tape, matrix_new(arena, 25, 2));
}
static void no_head(void *unused)
{
    (void)unused;
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    VitConfig c = config;
    c.classes = 0;
    const Model m = model_new(arena, c);
    vit_logits(&m.vit, tape, m.images);
}
static void a_narrow_token(void *unused)
{
    (void)unused;
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    prepend_token(tape_variable(tape, matrix_new(arena, 6, 4)), parameter_new(arena, 1, 3), 3);
}

START_TEST(mistakes_are_told)
{
    expect_death(patches_that_leave_a_rest, NULL, "images of 4 × 6 pixels in patches of 4 × 4");
    expect_death(images_of_another_size, NULL, "images (25 × 2), each of 4 × 6 pixels with 2 channels");
    expect_death(no_head, NULL, "a ViT without a head");
    expect_death(a_narrow_token, NULL, "prepend_token: x (6 × 4), token (1 × 3)");
}
END_TEST

SUITE("vit", gradients_of_every_parameter, a_token_stands_in_front_of_each_sequence,
      a_patch_is_a_square_of_pixels_row_by_row, embedding_patches_is_a_convolution_whose_stride_is_its_window,
      features_are_the_class_tokens_of_the_states, without_positions_patches_are_a_set,
      it_learns_where_a_spot_is, mistakes_are_told)
