// hidden_23.c: random inputs for the exercises of chapter 23. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

// B images of P patches, V of them seen
typedef struct {
    Matrix seen, source; // (B × V), (B × P)
} Data;

static Data draw(Rng *rng, Arena *arena)
{
    int images = hidden_between(rng, 2, 4), patches = hidden_between(rng, 5, 12),
        visible = hidden_between(rng, 2, 4);
    Data d = {matrix_new(arena, images, visible), matrix_new(arena, images, patches)};
    reference_least_noise(d.seen, hidden_matrix(rng, arena, images, patches));
    reference_way_back(d.source, d.seen);
    return d;
}

ROUNDS(3, the_masks_of_random_noise)
{
    int images = hidden_between(rng, 2, 5), patches = hidden_between(rng, 5, 20);
    Matrix seen = hidden_matrix(rng, arena, images, hidden_between(rng, 2, 5));
    same_least_noise(0.0f, seen, hidden_matrix(rng, arena, images, patches));
}

ROUNDS(3, the_way_back_of_random_masks)
{
    Data d = draw(rng, arena);
    same_way_back(0.0f, hidden_matrix(rng, arena, d.source.rows, d.source.cols), d.seen);
}

ROUNDS(3, the_gradients_of_random_tables)
{
    Data d = draw(rng, arena);
    int columns = hidden_between(rng, 1, 5);
    Matrix d_input = hidden_matrix(rng, arena, (int)matrix_size(d.source), columns);
    Matrix d_table = hidden_matrix(rng, arena, (int)matrix_size(d.seen) + 1, columns);
    same_table_gradient(1e-4f, d_table, d_input, d.source);
}

ROUNDS(3, the_losses_of_random_predictions)
{
    Data d = draw(rng, arena);
    int columns = hidden_between(rng, 2, 5), rows = (int)matrix_size(d.source);
    Matrix prediction = hidden_matrix(rng, arena, rows, columns),
           target = hidden_matrix(rng, arena, rows, columns);
    same_loss_of_masked(1e-4f, hidden_matrix(rng, arena, rows, columns), prediction, target, d.source,
                        (int)matrix_size(d.seen));
}

ROUNDS(3, the_costs_of_random_blocks)
{
    int visible = hidden_between(rng, 1, 60), patches = visible + hidden_between(rng, 1, 200);
    int width = hidden_between(rng, 8, 96), hidden = hidden_between(rng, 8, 300);
    same_cost_of_seeing_all(1e-4f, patches, visible, width, hidden);
}

HIDDEN({"23.1", the_masks_of_random_noise}, {"23.2", the_way_back_of_random_masks},
       {"23.3", the_gradients_of_random_tables}, {"23.4", the_losses_of_random_predictions},
       {"23.5", the_costs_of_random_blocks})
