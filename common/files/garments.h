// garments.h: the garments of Fashion-MNIST at half their size, and painted in eight colours: a small world of images whose
// captions say all that there is to see, such as "a purple sneaker".
//
//     ImageSet fashion = fashion_mnist_load(arena);
//     Garments garments = garments_of(arena, fashion.train, fashion.train_labels);     // (60000 × 196) in grey
//     Matrix picture = matrix_new(arena, 14 * 14, 3);                                   // black
//     garment_paint(picture, 14, 0, 0, garments, 7, GARMENT_PURPLE);                    // garment 7 in the corner
//
// Each number of a grey garment is the mean of 2 × 2 bytes over 255, from 0 to 1, exactly. A painted pixel is that number times
// the colour. Red, green and blue of the colours have the same largest element and different directions, so that a colour
// can be read from a picture again by its direction, whatever the garment (garment_colour).
//
// Used for: chapters 24 (CLIP), 25 (GAN, in grey) and 26 (diffusion).
#pragma once
#include "files/idx.h"

enum { GARMENT_SIDE = 14, GARMENT_PIXELS = GARMENT_SIDE * GARMENT_SIDE, GARMENT_ITEMS = 10 };

typedef enum {
    GARMENT_RED,
    GARMENT_ORANGE,
    GARMENT_YELLOW,
    GARMENT_GREEN,
    GARMENT_CYAN,
    GARMENT_BLUE,
    GARMENT_PURPLE,
    GARMENT_PINK,
    GARMENT_COLOURS
} GarmentColour;

extern const char *const garment_items[GARMENT_ITEMS];     // one word each: "T-shirt", "trouser", … "boot"
extern const char *const garment_colours[GARMENT_COLOURS]; // "red", "orange", …
extern const float garment_rgb[GARMENT_COLOURS][3];        // 0 to 1, the largest 1

typedef struct {
    int count;
    Matrix grey;      // (count × 196), row by row of the picture, 0 to 1
    const int *items; // [count] 0 to 9, the classes of Fashion-MNIST
} Garments;

// All of these images, which have 28 × 28 pixels. labels are kept, not copied.
#define garments_of(arena, images, labels) garments_of_at(HERE, arena, images, labels)
Garments garments_of_at(Place place, Arena *arena, Images images, const int *labels);

// Garment number `index` in this colour, its upper left pixel at (top, left) of the picture (side·side × 3), in which it must lie
// wholly. Where its grey is 0 the picture stays as it is, elsewhere the larger of both numbers stays: garments that
// overlap shine through each other.
#define garment_paint(picture, side, ...) garment_paint_at(HERE, picture, side, __VA_ARGS__)
void garment_paint_at(Place place, Matrix picture, int side, int top, int left, Garments garments, int index,
                      GarmentColour colour);

// The colour whose direction is nearest to that of the picture's sum over pixels (n × 3); red for a black picture.
GarmentColour garment_colour(Matrix picture);
