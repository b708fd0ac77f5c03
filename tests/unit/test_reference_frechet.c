// The Fréchet distance against SciPy and CLIP's loss against PyTorch: tests/reference/frechet.txt.
#include "reference_numbers.h"
#include "learning/frechet.h"
#include "learning/ops/elementwise.h"
#include "models/clip.h"

START_TEST(distances_of_three_pairs_of_sets)
{
    Reference r = reference_open("frechet");
    Arena *arena = arena_new();
    for (int k = 0; k < 3; k++) {
        char a[32], b[32], distance[32];
        snprintf(a, sizeof a, "a%d", k), snprintf(b, sizeof b, "b%d", k),
            snprintf(distance, sizeof distance, "distance%d", k);
        const double expected = (double)AT(given(&r, distance), 0, 0);
        const Gaussian of_a = gaussian_fit(arena, given(&r, a)), of_b = gaussian_fit(arena, given(&r, b));
        ck_assert_double_eq_tol(frechet_distance(of_a, of_b), expected, 1e-5 * expected);
    }
    arena_free(arena);
    reference_close(&r);
}
END_TEST

static void compare(Matrix ours, Matrix theirs)
{
    ck_assert_float_le(largest_difference(ours, theirs), 2e-6f);
}

START_TEST(losses_of_pairs_and_of_shared_captions)
{
    Reference r = reference_open("frechet");
    const int *captions = whole_numbers(&r, "captions");
    for (int shared = 0; shared < 2; shared++) {
        const char *const names[2][4] = {
            {"pairs.loss", "pairs.d_images", "pairs.d_texts", "pairs.d_log_scale"},
            {"shared.loss", "shared.d_images", "shared.d_texts", "shared.d_log_scale"}};
        Arena *arena = arena_new();
        Tape *tape = tape_new();
        Matrix scale = matrix_new(arena, 1, 1);
        matrix_fill(scale, 1.25f);
        Tensor *images = tape_variable(tape, given(&r, "images")),
               *texts = tape_variable(tape, given(&r, "texts")), *log_scale = tape_variable(tape, scale);
        Tensor *image_rows = normalise_rows(images, 1e-12f);
        Tensor *text_rows = normalise_rows(texts, 1e-12f);
        Tensor *loss = contrastive_loss(image_rows, text_rows, log_scale, shared ? captions : NULL);
        backward(loss);
        compare(loss->value, given(&r, names[shared][0]));
        compare(images->gradient, given(&r, names[shared][1]));
        compare(texts->gradient, given(&r, names[shared][2]));
        compare(log_scale->gradient, given(&r, names[shared][3]));
        tape_free(tape);
        arena_free(arena);
    }
    reference_close(&r);
}
END_TEST

SUITE("reference_frechet", distances_of_three_pairs_of_sets, losses_of_pairs_and_of_shared_captions)
