// hidden_24.c: random inputs for the exercises of chapter 24. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

static Matrix random_units(Rng *rng, Arena *arena, int rows, int cols)
{
    Matrix x = hidden_matrix(rng, arena, rows, cols), out = matrix_new(arena, rows, cols);
    reference_unit_rows(out, x);
    return out;
}

ROUNDS(3, the_lengths_of_random_rows)
{
    const int rows = hidden_between(rng, 2, 8), cols = hidden_between(rng, 2, 6);
    Matrix out = hidden_matrix(rng, arena, rows, cols), x = hidden_matrix(rng, arena, rows, cols);
    same_unit_rows(1e-4f, out, x);
}

ROUNDS(3, the_losses_of_random_pairs)
{
    const int rows = hidden_between(rng, 2, 8), cols = hidden_between(rng, 2, 6);
    Matrix images = random_units(rng, arena, rows, cols);
    Matrix texts = random_units(rng, arena, rows, cols);
    same_paired_loss(1e-4f, images, texts, (float)hidden_between(rng, 1, 12));
}

ROUNDS(3, the_gradients_of_random_pairs)
{
    const int rows = hidden_between(rng, 2, 8), cols = hidden_between(rng, 2, 6);
    Matrix images = random_units(rng, arena, rows, cols);
    Matrix texts = random_units(rng, arena, rows, cols);
    Matrix d_images = hidden_matrix(rng, arena, rows, cols);
    Matrix d_texts = hidden_matrix(rng, arena, rows, cols);
    same_paired_gradient(1e-3f, d_images, d_texts, images, texts, (float)hidden_between(rng, 1, 6));
}

ROUNDS(3, the_recall_of_random_scores)
{
    const int rows = hidden_between(rng, 5, 20);
    Matrix scores = matrix_new(arena, rows, rows);
    for (int n = 0; n < rows * rows; n++) scores.data[n] = (float)hidden_between(rng, 0, 20);
    same_recall_at(1e-5f, scores, hidden_between(rng, 1, 4));
}

ROUNDS(3, the_classes_of_random_images)
{
    const int each = hidden_between(rng, 2, 4), classes = hidden_between(rng, 2, 5),
              cols = hidden_between(rng, 3, 6);
    const int rows = hidden_between(rng, 6, 15);
    Matrix out = hidden_matrix(rng, arena, rows, 1);
    Matrix images = random_units(rng, arena, rows, cols);
    Matrix captions = random_units(rng, arena, classes * each, cols);
    same_nearest_class(0.0f, out, images, captions, each);
}

HIDDEN({"24.1", the_lengths_of_random_rows}, {"24.2", the_losses_of_random_pairs},
       {"24.3", the_gradients_of_random_pairs}, {"24.4", the_recall_of_random_scores},
       {"24.5", the_classes_of_random_images})
