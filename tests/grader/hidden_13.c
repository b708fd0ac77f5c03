// hidden_13.c: random inputs for the exercises of chapter 13. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

typedef struct {
    Matrix a, b, c; // (n × n), (n × 1), (1 × n)
    float d;
} Linear;

static Linear draw(Rng *rng, Arena *arena)
{
    int n = hidden_between(rng, 2, 6);
    Linear system = {.a = hidden_matrix(rng, arena, n, n)};
    scale(system.a, 0.4f);
    system.b = hidden_matrix(rng, arena, n, 1);
    system.c = hidden_matrix(rng, arena, 1, n);
    system.d = rng_normal(rng);
    return system;
}

ROUNDS(3, steps_of_random_systems)
{
    Linear s = draw(rng, arena);
    Matrix x = hidden_matrix(rng, arena, s.a.rows, 1);
    same_state_step(1e-3f, x, s.a, s.b, s.c, s.d, rng_normal(rng));
}

ROUNDS(3, random_systems_in_a_row)
{
    Linear s_1 = draw(rng, arena);
    Linear s_2 = draw(rng, arena);
    int n = s_1.a.rows + s_2.a.rows;
    Matrix a = hidden_matrix(rng, arena, n, n), b = hidden_matrix(rng, arena, n, 1);
    Matrix c = hidden_matrix(rng, arena, 1, n), d = hidden_matrix(rng, arena, 1, 1);
    same_in_series(1e-3f, a, b, c, d, s_1.a, s_1.b, s_1.c, s_1.d, s_2.a, s_2.b, s_2.c, s_2.d);
}

ROUNDS(3, random_maps_composed)
{
    Linear s = draw(rng, arena);
    int n = s.a.rows;
    Matrix a = hidden_matrix(rng, arena, n, n), b = hidden_matrix(rng, arena, n, 1);
    Matrix a_2 = hidden_matrix(rng, arena, n, n), b_2 = hidden_matrix(rng, arena, n, 1);
    same_compose(1e-3f, a, b, s.a, s.b, a_2, b_2);
}

ROUNDS(3, gradients_through_random_times)
{
    int steps = hidden_between(rng, 3, 30);
    Matrix u = hidden_matrix(rng, arena, steps, 1), target = hidden_matrix(rng, arena, steps, 1);
    float a = rng_between(rng, -0.9f, 0.9f), b = rng_between(rng, 0.5f, 2.0f);
    same_gradient_through_time(1e-3f, hidden_matrix(rng, arena, 2, 1), u, target, a, b);
}

ROUNDS(3, the_radius_of_random_matrices) { same_radius(0.02f, draw(rng, arena).a); }

HIDDEN({"13.1", steps_of_random_systems}, {"13.2", random_systems_in_a_row}, {"13.3", random_maps_composed},
       {"13.4", gradients_through_random_times}, {"13.5", the_radius_of_random_matrices})
