// hidden_19.c: random inputs for the exercises of chapter 19. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

static Matrix whole(Rng *rng, Arena *arena, int rows, int cols, int low, int high)
{
    Matrix m = matrix_new(arena, rows, cols);
    for (size_t i = 0; i < matrix_size(m); i++) m.data[i] = (float)hidden_between(rng, low, high);
    return m;
}

ROUNDS(3, random_words_to_hide)
{
    int n = hidden_between(rng, 5, 30), first = hidden_between(rng, 2, 5),
        vocabulary = first + hidden_between(rng, 5, 50);
    Matrix ids = whole(rng, arena, 1, n, 0, vocabulary - 1), draws = matrix_new(arena, n, 3);
    fill_uniform(draws, rng, 0.0f, 1.0f);
    Matrix seen = matrix_copy(arena, ids), labels = matrix_copy(arena, ids);
    same_hide_words(0.0f, seen, labels, ids, draws, 0.4f, first, vocabulary);
}

ROUNDS(3, random_logits)
{
    int n = hidden_between(rng, 3, 12), vocabulary = hidden_between(rng, 2, 9);
    Matrix logits = hidden_matrix(rng, arena, n, vocabulary), d_logits = matrix_copy(arena, logits);
    same_hidden_loss(1e-4f, d_logits, logits, whole(rng, arena, n, 1, -1, vocabulary - 1));
}

ROUNDS(3, random_sentences)
{
    int batch = hidden_between(rng, 2, 5), time = hidden_between(rng, 2, 9),
        features = hidden_between(rng, 1, 6);
    Matrix states = hidden_matrix(rng, arena, batch * time, features),
           out = hidden_matrix(rng, arena, batch, features);
    same_mean_of_words(1e-4f, out, states, whole(rng, arena, batch, 1, 1, time));
}

ROUNDS(3, random_classes)
{
    int n = hidden_between(rng, 4, 40), classes = hidden_between(rng, 2, 6);
    Matrix truth = whole(rng, arena, n, 1, 0, classes - 1), called = whole(rng, arena, n, 1, 0, classes - 1);
    same_mean_f1(1e-4f, truth, called, classes);
}

ROUNDS(3, random_tags)
{
    int n = hidden_between(rng, 6, 50);
    Matrix truth = whole(rng, arena, 1, n, 0, 4), called = matrix_copy(arena, truth);
    for (int t = 0; t < n; t++)
        if (hidden_between(rng, 0, 3) == 0) AT(called, 0, t) = (float)hidden_between(rng, 0, 4);
    same_span_f1(1e-4f, truth, called);
}

HIDDEN({"19.1", random_words_to_hide}, {"19.2", random_logits}, {"19.3", random_sentences},
       {"19.4", random_classes}, {"19.5", random_tags})
