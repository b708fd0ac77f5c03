// Maps: a U-Net in a few lines, which must learn; and maps that do not fit.
#include "suite.h"
#include "models/map.h"

#include <math.h>

// ---- A U-Net -----------------------------------------------------------------------------------------------------

typedef struct {
    Parameters set;
    Conv first, second, last;
    ConvTransposed up;
    GroupNorm norm;
} UNet;

static UNet unet_new(Arena *arena, Rng *rng)
{
    UNet net = {.set = parameters_new(arena)};
    net.first = conv_new(&net.set, "first", 1, 8, window_square(3, 1, 1), rng, INIT_HE);
    net.second = conv_new(&net.set, "second", 8, 16, window_square(3, 1, 1), rng, INIT_HE);
    net.norm = group_norm_new(&net.set, "norm", 16, 4);
    net.up = conv_transposed_new(&net.set, "up", 16, 8, window_square(2, 2, 0), rng);
    net.last = conv_new(&net.set, "last", 16, 1, window_square(3, 1, 1), rng, INIT_LECUN);
    return net;
}

static Map unet(const UNet *net, Map x)
{
    Map high = map_conv_relu(&net->first, x);
    Map low = map_conv(&net->second, map_max_pool(high, window_square(2, 2, 0)));
    low = map_each(map_group_normalise(&net->norm, low), silu);
    return map_conv(&net->last, map_concat(high, map_conv_transposed(&net->up, low)));
}

// Noisy bars in, clean bars out.
START_TEST(a_u_net_learns_to_take_noise_away)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    const Grid grid = {16, 8, 8};
    Rng rng = rng_new(3, 0);
    Matrix clean = matrix_new(arena, grid_rows(grid), 1), noisy = matrix_new(arena, grid_rows(grid), 1);
    for (int i = 0; i < grid_rows(grid); i++) {
        const int picture = i / 64, column = i % 8, at = picture % 6;
        clean.data[i] = column == at || column == at + 1 ? 1.0f : 0.0f;
        noisy.data[i] = clean.data[i] + 0.5f * rng_normal(&rng);
    }
    UNet net = unet_new(arena, &rng);
    Optimiser adam = adam_new(arena, &net.set, 0.9f, 0.999f, 1e-8f, 0.0f);
    float loss_after = 0.0f;
    for (int step = 0; step < 150; step++) {
        tape_reset(tape);
        Map out = unet(&net, map_input(tape, noisy, grid));
        ck_assert(out.grid.height == 8 && out.grid.width == 8 && out.features->value.cols == 1);
        Tensor *loss = mean_squared_error(out.features, clean);
        loss_after = loss->value.data[0];
        backward(loss);
        optimiser_step(&adam, 0.01f);
    }
    // The input itself is off by .25, its best multiple by .12.
    ck_assert_msg(loss_after < 0.03f, "the error is %g", (double)loss_after);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(the_grid_follows_from_the_layer)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    const Grid grid = {2, 6, 10};
    Matrix pixels = matrix_new(arena, 120, 4);
    for (int i = 0; i < 480; i++) pixels.data[i] = (float)i;
    Map m = map_input(tape, pixels, grid);
    const struct {
        Map map;
        int height, width, channels;
    } cases[] = {{map_max_pool(m, window_square(2, 2, 0)), 3, 5, 4},
                 {map_average_pool(m, window_square(3, 1, 1)), 6, 10, 4},
                 {map_upsample(m, 3), 18, 30, 4},
                 {map_pixel_shuffle(m, 2), 12, 20, 1},
                 {map_pixel_unshuffle(m, 2), 3, 5, 16},
                 {map_concat(m, m), 6, 10, 8},
                 {map_add(m, m), 6, 10, 4},
                 {map_each(m, relu), 6, 10, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Map *got = &cases[i].map;
        ck_assert_msg(got->grid.count == 2 && got->grid.height == cases[i].height &&
                          got->grid.width == cases[i].width &&
                          got->features->value.cols == cases[i].channels &&
                          got->features->value.rows == grid_rows(got->grid),
                      "case %zu: %d × %d with %d channels", i, got->grid.height, got->grid.width,
                      got->features->value.cols);
    }
    ck_assert(map_means(m)->value.rows == 2 && map_means(m)->value.cols == 4);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(numbers_are_added_to_all_pixels_of_their_picture)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    const Grid grid = {3, 2, 2};
    Matrix pixels = matrix_new(arena, 12, 2), numbers = matrix_new(arena, 3, 2);
    for (int i = 0; i < 6; i++) numbers.data[i] = (float)(i + 1);
    Tensor *told = tape_variable(tape, numbers);
    Map out = map_add_to_pictures(map_input(tape, pixels, grid), told);
    for (int i = 0; i < 12; i++)
        for (int c = 0; c < 2; c++) ck_assert(AT(out.features->value, i, c) == AT(numbers, i / 4, c));
    Matrix ones = matrix_new(arena, 12, 2);
    fill(ones, 1.0f);
    backward_from(out.features, ones);
    for (int i = 0; i < 6; i++) ck_assert(told->gradient.data[i] == 4.0f);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

static void concat_what_does_not_fit(void *unused)
{
    (void)unused;
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Map a = map_input(tape, matrix_new(arena, 24, 1), ((Grid){1, 4, 6}));
    map_concat(a, map_max_pool(a, window_square(2, 2, 0)));
}
static void exchange_height_and_width(void *unused)
{
    (void)unused;
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Map a = map_input(tape, matrix_new(arena, 24, 1), ((Grid){1, 4, 6}));
    map_add(a, map_of(a.features, ((Grid){1, 6, 4})));
}

START_TEST(maps_that_do_not_fit_are_told_apart)
{
    expect_death(concat_what_does_not_fit, NULL, "map_concat: 1 pictures of 4 × 6 pixels and 1 of 2 × 3");
    expect_death(exchange_height_and_width, NULL, "map_add: 1 pictures of 4 × 6 pixels and 1 of 6 × 4");
}
END_TEST

SUITE("map", a_u_net_learns_to_take_noise_away, the_grid_follows_from_the_layer,
      numbers_are_added_to_all_pixels_of_their_picture, maps_that_do_not_fit_are_told_apart)
