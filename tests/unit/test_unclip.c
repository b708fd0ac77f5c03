// unCLIP: the prior's gradients, images alone and in company, a folder written and read. tests/tools/test_draw.sh tries the words.
#include "suite.h"
#include "gradients.h"
#include "models/unclip.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROWS = 3 };

typedef struct {
    Prior prior;
    Matrix z, texts;
    int times[ROWS];
} Model;

static Tensor *build(Tape *tape, void *context)
{
    const Model *m = context;
    return prior_forward(&m->prior, tape, m->z, m->times, m->texts);
}

START_TEST(gradients_of_the_prior)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(3, 0);
    Parameters set = parameters_new(arena);
    Model m = {.prior = prior_new(&set, &rng), .times = {1, 90, 200}};
    for (int i = 0; i < set.count; i++) // no weight and no bias stays 0
        for (size_t k = 0; k < matrix_size(set.items[i]->value); k++)
            set.items[i]->value.data[k] += 0.05f * rng_normal(&rng);
    m.z = matrix_new(arena, ROWS, UNCLIP_FEATURES), m.texts = matrix_new(arena, ROWS, UNCLIP_FEATURES);
    fill_normal(m.z, &rng, 0.0f, 1.0f), fill_normal(m.texts, &rng, 0.0f, 1.0f);
    Tensor *few[] = {m.prior.in.bias,      m.prior.time.bias,    m.prior.up[1].bias,
                     m.prior.down[0].bias, m.prior.norm[2].gain, m.prior.out.bias};
    const char *const names[] = {"in", "time", "up", "down", "norm", "out"};
    GradcheckResult right = gradcheck(build, &m, few, names, 6, 1e-2);
    ck_assert_msg(right.passed, "%s", right.message);
    arena_free(arena);
}
END_TEST

static Unclip random_networks(Arena *arena)
{
    Rng rng = rng_new(8, 0);
    Unclip u = unclip_new(arena, &rng);
    Parameters *sets[] = {&u.prior_set, &u.decoder_set};
    for (int s = 0; s < 2; s++) // what begins as zeros would say nothing
        for (int i = 0; i < sets[s]->count; i++)
            for (size_t k = 0; k < matrix_size(sets[s]->items[i]->value); k++)
                sets[s]->items[i]->value.data[k] += 0.02f * rng_normal(&rng);
    return u;
}

START_TEST(an_image_does_not_depend_on_its_company)
{
    Arena *arena = arena_new();
    const Unclip u = random_networks(arena);
    const int words[3][UNCLIP_WORDS] = {{6, 15}, {0, 8}, {6, 15}};
    const UnclipDrawing how = {.guidance = 2.0f, .steps = 3};
    Rng rng = rng_new(1, 0), same = rng_new(1, 0), other = rng_new(2, 0);
    Matrix three = unclip_draw(arena, &u, words[0], 3, how, &rng),
           one = unclip_draw(arena, &u, words[0], 1, how, &same),
           another = unclip_draw(arena, &u, words[0], 1, how, &other);
    ck_assert_mem_eq(three.data, one.data, UNCLIP_NUMBERS * sizeof(float));
    ck_assert_float_gt(largest_difference(one, another), 0.1f);
    ck_assert_float_gt(largest_difference(one, matrix_rows(three, 2, 1)),
                       0.1f); // the same words, other noise
    for (size_t i = 0; i < matrix_size(three); i++)
        ck_assert(three.data[i] >= -1.0f && three.data[i] <= 1.0f);
    arena_free(arena);
}
END_TEST

START_TEST(vectors_have_a_mean_square_of_one)
{
    Arena *arena = arena_new();
    const Unclip u = random_networks(arena);
    const int words[2][UNCLIP_WORDS] = {{1, 9}, {7, 17}};
    Rng rng = rng_new(4, 0);
    Matrix images = matrix_new(arena, 2, UNCLIP_NUMBERS), texts = unclip_texts(arena, &u, words[0], 2);
    fill_uniform(images, &rng, -1.0f, 1.0f);
    const Matrix all[] = {texts, unclip_image_vectors(arena, &u, texts, &rng),
                          unclip_look(arena, &u, images)};
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 2; i++)
            ck_assert_double_eq_tol(sum_of_squares(matrix_rows(all[k], i, 1)), UNCLIP_FEATURES, 1e-3);
    arena_free(arena);
}
END_TEST

START_TEST(a_folder_is_read_as_it_was_written)
{
    Arena *arena = arena_new();
    char folder[] = "/tmp/test-unclip-XXXXXX", path[128];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    const Unclip written = random_networks(arena);
    snprintf(path, sizeof path, "%s/a/b", folder);
    unclip_save(path, &written);
    const Unclip read = unclip_open(arena, path);
    const Parameters *ours[] = {&written.clip_set, &written.prior_set, &written.decoder_set},
                     *theirs[] = {&read.clip_set, &read.prior_set, &read.decoder_set};
    for (int s = 0; s < 3; s++)
        for (int i = 0; i < ours[s]->count; i++)
            ck_assert_float_eq(largest_difference(ours[s]->items[i]->value, theirs[s]->items[i]->value),
                               0.0f);
    static const char *const names[] = {
        "a/b/clip.safetensors", "a/b/prior.safetensors", "a/b/decoder.safetensors", "a/b", "a", ""};
    for (int k = 0; k < 6; k++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[k]);
        ck_assert_int_eq(remove(path), 0);
    }
    arena_free(arena);
}
END_TEST

SUITE("unclip", gradients_of_the_prior, an_image_does_not_depend_on_its_company,
      vectors_have_a_mean_square_of_one, a_folder_is_read_as_it_was_written)
