// hidden_26.c: random inputs for the exercises of chapter 26. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

typedef struct {
    Matrix a, b, c, d, out, second; // (n × D)
    Matrix remaining;               // (n × 1)
    float now, then;
} Data;

static Data draw(Rng *rng, Arena *arena)
{
    int rows = hidden_between(rng, 2, 6), cols = hidden_between(rng, 2, 12);
    Data d;
    d.a = hidden_matrix(rng, arena, rows, cols), d.b = hidden_matrix(rng, arena, rows, cols);
    d.c = hidden_matrix(rng, arena, rows, cols), d.d = hidden_matrix(rng, arena, rows, cols);
    d.out = hidden_matrix(rng, arena, rows, cols), d.second = hidden_matrix(rng, arena, rows, cols);
    d.remaining = matrix_new(arena, rows, 1);
    for (int k = 0; k < rows; k++) d.remaining.data[k] = rng_between(rng, 0.01f, 0.99f);
    d.now = rng_between(rng, 0.02f, 0.5f);
    d.then = rng_between(rng, 0.6f, 0.98f);
    return d;
}

ROUNDS(3, the_schedules_of_random_ends)
{
    int steps = hidden_between(rng, 3, 60);
    float end = rng_between(rng, 0.5f, 0.98f);
    float offset = rng_between(rng, 0.005f, 0.2f);
    same_cosine_schedule_of(1e-4f, hidden_matrix(rng, arena, 1, steps + 1), end, offset);
}

ROUNDS(3, the_noise_on_random_data)
{
    Data d = draw(rng, arena);
    same_noised_and_target(1e-4f, d.out, d.second, d.a, d.b, d.remaining);
}

ROUNDS(3, the_parts_of_random_answers)
{
    Data d = draw(rng, arena);
    same_taken_apart(1e-4f, d.out, d.second, d.a, d.b, d.remaining);
}

ROUNDS(3, the_jumps_between_random_times)
{
    Data d = draw(rng, arena);
    same_jump_back(1e-4f, d.out, d.a, d.b, d.now, d.then);
}

ROUNDS(3, the_steps_of_random_guidance)
{
    Data d = draw(rng, arena);
    float guidance = rng_between(rng, 0.5f, 4.0f);
    same_guided_step_back(1e-4f, d.out, d.a, d.b, d.c, d.d, guidance, d.now, d.then);
}

HIDDEN({"26.1", the_schedules_of_random_ends}, {"26.2", the_noise_on_random_data},
       {"26.3", the_parts_of_random_answers}, {"26.4", the_jumps_between_random_times},
       {"26.5", the_steps_of_random_guidance})
