// hidden_06.c: random inputs for the exercises of chapter 6. Ordinary sizes: the limits are tests/exercises'
// business.
#include "exercise.h"
#include "reference.h"
#include "tests/grader/hidden.h"

enum { ROUNDS = 3 };

// A network and its data; N examples, D inputs, H hidden units, K classes.
typedef struct {
    Matrix w1, b1, w2, b2; // (D × H), (1 × H), (H × K), (1 × K)
} Network;

typedef struct {
    Arena *arena;
    int n, d, h, k;
    Network network;
    Matrix x, labels; // (N × D), (N × 1)
} Round;

static Network draw_network(Rng *rng, const Round *r)
{
    return (Network){hidden_matrix(rng, r->arena, r->d, r->h), hidden_matrix(rng, r->arena, 1, r->h),
                     hidden_matrix(rng, r->arena, r->h, r->k), hidden_matrix(rng, r->arena, 1, r->k)};
}

static Network copy_network(Arena *arena, Network m)
{
    return (Network){matrix_copy(arena, m.w1), matrix_copy(arena, m.b1), matrix_copy(arena, m.w2),
                     matrix_copy(arena, m.b2)};
}

static void close_networks(Network got, Network expected, float tolerance)
{
    hidden_close_matrix(got.w1, expected.w1, tolerance);
    hidden_close_matrix(got.b1, expected.b1, tolerance);
    hidden_close_matrix(got.w2, expected.w2, tolerance);
    hidden_close_matrix(got.b2, expected.b2, tolerance);
}

static Round draw(Rng *rng)
{
    Round r = {.arena = arena_new(),
               .n = hidden_between(rng, 4, 12),
               .d = hidden_between(rng, 2, 6),
               .h = hidden_between(rng, 3, 9),
               .k = hidden_between(rng, 2, 5)};
    r.network = draw_network(rng, &r);
    r.x = hidden_matrix(rng, r.arena, r.n, r.d);
    r.labels = matrix_new(r.arena, r.n, 1);
    for (int i = 0; i < r.n; i++) r.labels.data[i] = (float)hidden_between(rng, 0, r.k - 1);
    return r;
}

START_TEST(the_hidden_layer_of_random_inputs)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        Matrix got = hidden_matrix(&rng, r.arena, r.n, r.h), expected = matrix_copy(r.arena, got);
        mlp_hidden(got, r.x, r.network.w1, r.network.b1);
        reference_mlp_hidden(expected, r.x, r.network.w1, r.network.b1);
        hidden_close_matrix(got, expected, 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(the_output_gradient_of_random_scores)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        Matrix z = hidden_matrix(&rng, r.arena, r.n, r.k);
        Matrix got = hidden_matrix(&rng, r.arena, r.n, r.k), expected = matrix_copy(r.arena, got);
        mlp_output_gradient(got, z, r.labels);
        reference_mlp_output_gradient(expected, z, r.labels);
        hidden_close_matrix(got, expected, 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(the_hidden_gradient_of_random_errors)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        Matrix d_z = hidden_matrix(&rng, r.arena, r.n, r.k), h = hidden_matrix(&rng, r.arena, r.n, r.h);
        for (size_t j = 0; j < matrix_size(h); j++) h.data[j] = h.data[j] > 0.0f ? h.data[j] : 0.0f;
        Matrix got = hidden_matrix(&rng, r.arena, r.n, r.h), expected = matrix_copy(r.arena, got);
        mlp_hidden_gradient(got, d_z, r.network.w2, h);
        reference_mlp_hidden_gradient(expected, d_z, r.network.w2, h);
        hidden_close_matrix(got, expected, 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(the_gradients_of_random_networks)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        Network m = r.network, got = draw_network(&rng, &r), expected = copy_network(r.arena, got);
        mlp_gradients(got.w1, got.b1, got.w2, got.b2, r.x, r.labels, m.w1, m.b1, m.w2, m.b2);
        reference_mlp_gradients(expected.w1, expected.b1, expected.w2, expected.b2, r.x, r.labels, m.w1, m.b1,
                                m.w2, m.b2);
        close_networks(got, expected, 1e-3f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(a_few_steps_of_random_networks)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        Network got = r.network, expected = copy_network(r.arena, got);
        float rate = rng_between(&rng, 0.05f, 0.2f);
        int steps = hidden_between(&rng, 2, 5);
        mlp_train(got.w1, got.b1, got.w2, got.b2, r.x, r.labels, rate, steps);
        reference_mlp_train(expected.w1, expected.b1, expected.w2, expected.b2, r.x, r.labels, rate, steps);
        close_networks(got, expected, 1e-3f);
        arena_free(r.arena);
    }
}
END_TEST

HIDDEN({"6.1", the_hidden_layer_of_random_inputs}, {"6.2", the_output_gradient_of_random_scores},
       {"6.3", the_hidden_gradient_of_random_errors}, {"6.4", the_gradients_of_random_networks},
       {"6.5", a_few_steps_of_random_networks})
