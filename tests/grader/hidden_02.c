// hidden_02.c: random inputs for the exercises of chapter 2. Ordinary sizes: the limits are tests/exercises'
// business.
#include "exercise.h"
#include "reference.h"
#include "tests/grader/hidden.h"

enum { ROUNDS = 3 };

typedef struct {
    Arena *arena;
    int n, d, k;
    Matrix x, w, y;         // (n × d), (d × 1), (n × 1)
    Matrix weights, labels; // (d × K), (n × 1)
} Round;

static Round draw(Rng *rng)
{
    Round r = {.arena = arena_new(),
               .n = hidden_between(rng, 6, 30),
               .d = hidden_between(rng, 2, 6),
               .k = hidden_between(rng, 2, 6)};
    r.x = hidden_matrix(rng, r.arena, r.n, r.d);
    r.w = hidden_matrix(rng, r.arena, r.d, 1);
    r.weights = hidden_matrix(rng, r.arena, r.d, r.k);
    r.y = matrix_new(r.arena, r.n, 1);
    r.labels = matrix_new(r.arena, r.n, 1);
    for (int i = 0; i < r.n; i++) {
        r.y.data[i] = i < 2 ? (float)i : (float)hidden_between(rng, 0, 1); // both kinds are there
        r.labels.data[i] = (float)hidden_between(rng, 0, r.k - 1);
    }
    return r;
}

START_TEST(the_logistic_loss_of_random_data)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        hidden_close(logistic_loss(r.x, r.w, r.y), reference_logistic_loss(r.x, r.w, r.y), 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(the_logistic_gradient_of_random_data)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        Matrix got = hidden_matrix(&rng, r.arena, r.d, 1), expected = matrix_copy(r.arena, got);
        logistic_gradient(got, r.x, r.w, r.y);
        reference_logistic_gradient(expected, r.x, r.w, r.y);
        hidden_close_matrix(got, expected, 1e-3f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(the_softmax_of_random_scores)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        Matrix z = hidden_matrix(&rng, r.arena, r.n, r.k);
        Matrix got = hidden_matrix(&rng, r.arena, r.n, r.k), expected = matrix_copy(r.arena, got);
        softmax_of_rows(got, z);
        reference_softmax_of_rows(expected, z);
        hidden_close_matrix(got, expected, 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(the_softmax_gradient_of_random_data)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        Matrix got = hidden_matrix(&rng, r.arena, r.d, r.k), expected = matrix_copy(r.arena, got);
        softmax_gradient(got, r.x, r.weights, r.labels);
        reference_softmax_gradient(expected, r.x, r.weights, r.labels);
        hidden_close_matrix(got, expected, 1e-3f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(the_area_under_random_curves)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        Matrix scores = hidden_matrix(&rng, r.arena, r.n, 1);
        hidden_close(area_under_curve(scores, r.y), reference_area_under_curve(scores, r.y), 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

HIDDEN({"2.1", the_logistic_loss_of_random_data}, {"2.2", the_logistic_gradient_of_random_data},
       {"2.3", the_softmax_of_random_scores}, {"2.4", the_softmax_gradient_of_random_data},
       {"2.5", the_area_under_random_curves})
