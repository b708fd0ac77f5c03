// garments.c: see garments.h.
#include "files/garments.h"
#include "base/parallel.h"

const char *const garment_items[GARMENT_ITEMS] = {"T-shirt", "trouser", "pullover", "dress", "coat",
                                                  "sandal",  "shirt",   "sneaker",  "bag",   "boot"};
const char *const garment_colours[GARMENT_COLOURS] = {"red",  "orange", "yellow", "green",
                                                      "cyan", "blue",   "purple", "pink"};
const float garment_rgb[GARMENT_COLOURS][3] = {{1.0f, 0.0f, 0.0f},   {1.0f, 0.5f, 0.0f}, {1.0f, 1.0f, 0.0f},
                                               {0.0f, 1.0f, 0.0f},   {0.0f, 1.0f, 1.0f}, {0.0f, 0.25f, 1.0f},
                                               {0.625f, 0.0f, 1.0f}, {1.0f, 0.5f, 0.75f}};

Garments garments_of_at(Place place, Arena *arena, Images images, const int *labels)
{
    check_at(place, images.height == 2 * GARMENT_SIDE && images.width == 2 * GARMENT_SIDE,
             "give the images of Fashion-MNIST", "garments_of: images of %d × %d pixels instead of %d × %d",
             images.height, images.width, 2 * GARMENT_SIDE, 2 * GARMENT_SIDE);
    check_at(place, images.count > 0, "give at least one image", "garments_of: no image");
    Garments garments = {images.count, matrix_uninitialised_at(place, arena, images.count, GARMENT_PIXELS),
                         labels};
    PARALLEL_FOR(parallel_worth((size_t)images.count * GARMENT_PIXELS), n, images.count, {
        const uint8_t *bytes = image_bytes(images, n);
        float *grey = matrix_row(garments.grey, n);
        for (int y = 0; y < GARMENT_SIDE; y++)
            for (int x = 0; x < GARMENT_SIDE; x++) {
                const uint8_t *four = bytes + 2 * y * images.width + 2 * x;
                const int sum = four[0] + four[1] + four[images.width] + four[images.width + 1];
                grey[y * GARMENT_SIDE + x] = (float)sum / (4.0f * 255.0f);
            }
    });
    return garments;
}

void garment_paint_at(Place place, Matrix picture, int side, int top, int left, Garments garments, int index,
                      GarmentColour colour)
{
    check_at(place, picture.rows == side * side && picture.cols == 3,
             "a row for each pixel, with red, green and blue",
             "garment_paint: picture (%d × %d) of %d × %d pixels", picture.rows, picture.cols, side, side);
    check_at(place, top >= 0 && left >= 0 && top <= side - GARMENT_SIDE && left <= side - GARMENT_SIDE,
             "a garment lies wholly in its picture", "garment_paint: %d × %d pixels at (%d, %d) of %d × %d",
             GARMENT_SIDE, GARMENT_SIDE, top, left, side, side);
    check_at(place, index >= 0 && index < garments.count && (int)colour >= 0 && colour < GARMENT_COLOURS,
             "count from 0", "garment_paint: garment %d of %d in colour %d of %d", index, garments.count,
             (int)colour, GARMENT_COLOURS);
    const float *grey = matrix_row(garments.grey, index);
    for (int y = 0; y < GARMENT_SIDE; y++)
        for (int x = 0; x < GARMENT_SIDE; x++)
            for (int c = 0; c < 3; c++) {
                float *pixel = &AT(picture, (top + y) * side + left + x, c);
                const float painted = grey[y * GARMENT_SIDE + x] * garment_rgb[colour][c];
                if (painted > *pixel) *pixel = painted;
            }
}

GarmentColour garment_colour(Matrix picture)
{
    double sum[3] = {0};
    for (int i = 0; i < picture.rows; i++)
        for (int c = 0; c < 3; c++) sum[c] += (double)AT(picture, i, c);
    // The direction with the largest cosine; of a black picture all are 0, and the first stays. All products with sum
    // may be negative, where a generator has painted below black.
    GarmentColour best = GARMENT_RED;
    double most = 0.0;
    for (int k = 0; k < GARMENT_COLOURS; k++) {
        double along = 0.0, square = 0.0;
        for (int c = 0; c < 3; c++) {
            along += sum[c] * (double)garment_rgb[k][c];
            square += (double)garment_rgb[k][c] * (double)garment_rgb[k][c];
        }
        const double cosine = along / __builtin_sqrt(square);
        if (k == 0 || cosine > most) most = cosine, best = (GarmentColour)k;
    }
    return best;
}
