// Garments at half their size and in colours, checked pixel by pixel. Without Fashion-MNIST: the images are made here.
#include "suite.h"
#include "files/garments.h"

enum { COUNT = 3, SIDE = 2 * GARMENT_SIDE };

static const int labels[COUNT] = {7, 0, 8};

static Garments made(Arena *arena)
{
    Images images = {COUNT, SIDE, SIDE, arena_alloc(arena, COUNT, SIDE * SIDE)};
    for (int i = 0; i < COUNT * SIDE * SIDE; i++) images.bytes[i] = (uint8_t)(i * 31 + i / 97 * 57);
    return garments_of(arena, images, labels);
}

START_TEST(each_number_is_the_mean_of_four_bytes)
{
    Arena *arena = arena_new();
    Images images = {COUNT, SIDE, SIDE, arena_alloc(arena, COUNT, SIDE * SIDE)};
    for (int i = 0; i < COUNT * SIDE * SIDE; i++) images.bytes[i] = (uint8_t)(i * 31 + i / 97 * 57);
    const Garments garments = garments_of(arena, images, labels);
    ck_assert_int_eq(garments.count, COUNT);
    ck_assert_ptr_eq(garments.items, labels);
    for (int n = 0; n < COUNT; n++)
        for (int y = 0; y < GARMENT_SIDE; y++)
            for (int x = 0; x < GARMENT_SIDE; x++) {
                int sum = 0;
                for (int k = 0; k < 4; k++)
                    sum += image_bytes(images, n)[(2 * y + k / 2) * SIDE + 2 * x + k % 2];
                ck_assert_float_eq(AT(garments.grey, n, y * GARMENT_SIDE + x), (float)sum / 1020.0f);
            }
    arena_free(arena);
}
END_TEST

START_TEST(a_garment_is_painted_where_it_should_be)
{
    Arena *arena = arena_new();
    const Garments garments = made(arena);
    Matrix picture = matrix_new(arena, SIDE * SIDE, 3);
    garment_paint(picture, SIDE, 14, 5, garments, 1, GARMENT_ORANGE);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            const bool inside = y >= 14 && x >= 5 && x < 5 + GARMENT_SIDE;
            const float grey = inside ? AT(garments.grey, 1, (y - 14) * GARMENT_SIDE + x - 5) : 0.0f;
            ck_assert_float_eq(AT(picture, y * SIDE + x, 0), grey);
            ck_assert_float_eq(AT(picture, y * SIDE + x, 1), grey * 0.5f);
            ck_assert_float_eq(AT(picture, y * SIDE + x, 2), 0.0f);
        }
    // Another over it: the larger of both stays.
    Matrix before = matrix_copy(arena, picture), alone = matrix_new(arena, SIDE * SIDE, 3);
    garment_paint(alone, SIDE, 10, 0, garments, 2, GARMENT_PINK);
    garment_paint(picture, SIDE, 10, 0, garments, 2, GARMENT_PINK);
    for (size_t i = 0; i < matrix_size(picture); i++)
        ck_assert_float_eq(picture.data[i], alone.data[i] > before.data[i] ? alone.data[i] : before.data[i]);
    arena_free(arena);
}
END_TEST

START_TEST(a_colour_is_read_again_from_any_garment)
{
    Arena *arena = arena_new();
    const Garments garments = made(arena);
    for (int n = 0; n < COUNT; n++)
        for (int c = 0; c < GARMENT_COLOURS; c++) {
            Matrix picture = matrix_new(arena, GARMENT_PIXELS, 3);
            garment_paint(picture, GARMENT_SIDE, 0, 0, garments, n, (GarmentColour)c);
            ck_assert_int_eq((int)garment_colour(picture), c);
            Rng rng = rng_new((uint64_t)(n * GARMENT_COLOURS + c), 0); // a little noise does not change it
            for (size_t i = 0; i < matrix_size(picture); i++)
                picture.data[i] = 0.5f * picture.data[i] + 0.02f * rng_normal(&rng);
            ck_assert_int_eq((int)garment_colour(picture), c);
        }
    ck_assert_int_eq((int)garment_colour(matrix_new(arena, GARMENT_PIXELS, 3)), GARMENT_RED);
    arena_free(arena);
}
END_TEST

START_TEST(names_and_colours_go_together)
{
    for (int c = 0; c < GARMENT_COLOURS; c++) {
        float largest = 0.0f;
        for (int k = 0; k < 3; k++) largest = garment_rgb[c][k] > largest ? garment_rgb[c][k] : largest;
        ck_assert_float_eq(largest, 1.0f);
        ck_assert_ptr_null(strchr(garment_colours[c], ' '));
    }
    for (int i = 0; i < GARMENT_ITEMS; i++) ck_assert_ptr_null(strchr(garment_items[i], ' '));
    ck_assert_str_eq(garment_colours[GARMENT_PURPLE], "purple");
    ck_assert_str_eq(garment_items[7], "sneaker");
}
END_TEST

static void other_size(void *context)
{
    Arena *arena = context;
    garments_of(arena, ((Images){1, 14, 14, arena_alloc(arena, 1, 196)}), labels);
}
static void outside(void *context)
{
    Arena *arena = context;
    garment_paint(matrix_new(arena, SIDE * SIDE, 3), SIDE, 15, 0, made(arena), 0, GARMENT_RED);
}
static void no_such_garment(void *context)
{
    Arena *arena = context;
    garment_paint(matrix_new(arena, 196, 3), 14, 0, 0, made(arena), COUNT, GARMENT_RED);
}

START_TEST(mistakes_are_told)
{
    Arena *arena = arena_new();
    expect_death(other_size, arena, "images of 14 × 14 pixels instead of 28 × 28");
    expect_death(outside, arena, "14 × 14 pixels at (15, 0) of 28 × 28");
    expect_death(no_such_garment, arena, "garment 3 of 3");
    arena_free(arena);
}
END_TEST

SUITE("garments", each_number_is_the_mean_of_four_bytes, a_garment_is_painted_where_it_should_be,
      a_colour_is_read_again_from_any_garment, names_and_colours_go_together, mistakes_are_told)
