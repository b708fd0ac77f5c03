// image.h: photographs, from PNG and JPEG files.
//
//     Image photo = image_read(arena, "datasets/cache/photographs/astronaut.png");
//     Image small = image_resize(arena, image_centre(arena, photo, 512, 512), 128, 128);
//     Matrix x = image_pixels(arena, small);          // (128·128 × 3), each number from 0 to 1: a grid of matrix/grid.h
//
// Whatever the file holds (grey, a palette, 16 bits, CMYK, transparency), what comes out is red, green and blue in 8 bits:
// the upper 8 of 16, and what is transparent lies on white. What a file is, its first bytes say and not its name. The file
// is decoded by Sean Barrett's stb_image (Debian's libstb-dev), without vector code: the same bytes on every machine.
// Without that library a program can be built all the same, and says what to install when it should read an image.
//
// A file is untrusted input: its size, and the sides of the image that its header promises, are compared with the limits
// below before memory is asked for, and no piece of memory is larger than what such an image can need. A file that is cut
// off, damaged in its structure, or of another kind stops the program with its name, the reason and a remedy. Checksums are
// not compared: a file in which only pixels are wrong is read.
//
// An image is written as PNG, by the same author's stb_image_write.
//
// Not for: images of a data set in one file (files/idx.h), animations, and the other formats that the library knows
// (some of its readers leave memory uninitialised where a file is cut off).
#pragma once
#include "base/arena.h"
#include "matrix/matrix.h"

enum {
    IMAGE_MAX_SIDE = 1 << 14,   // height and width
    IMAGE_MAX_PIXELS = 1 << 26, // height · width
    IMAGE_MAX_FILE = 1 << 27,   // bytes
};

typedef struct {
    int height, width;
    uint8_t *rgb; // [height · width · 3], row after row from the top
} Image;

#define image_read(arena, path) image_read_at(HERE, arena, path)
Image image_read_at(Place place, Arena *arena, const char *path);

// Writes a PNG of red, green and blue in 8 bits, which image_read reads back equal: the same bytes on every machine, and the
// name always stands for a whole file (base/replace.h). What cannot be written stops the program with the reason.
#define image_write(path, image) image_write_at(HERE, path, image)
void image_write_at(Place place, const char *path, Image image);

// A black image.
#define image_new(arena, height, width) image_new_at(HERE, arena, height, width)
Image image_new_at(Place place, Arena *arena, int height, int width);

// A piece of the image as a copy: rows top … top + height − 1, columns left … left + width − 1.
#define image_crop(arena, image, top, left, height, width)                                                   \
    image_crop_at(HERE, arena, image, top, left, height, width)
Image image_crop_at(Place place, Arena *arena, Image image, int top, int left, int height, int width);

// The piece in the middle; of an odd rest, one more pixel is cut at the bottom and at the right.
#define image_centre(arena, image, height, width) image_centre_at(HERE, arena, image, height, width)
Image image_centre_at(Place place, Arena *arena, Image image, int height, int width);

// The same image with other sides: each pixel becomes the mean of the area that it covers, rounded to the nearest byte, exactly
// (halves up). Sizes need not divide each other. Enlarged by whole numbers, each pixel becomes a block of equal ones.
#define image_resize(arena, image, height, width) image_resize_at(HERE, arena, image, height, width)
Image image_resize_at(Place place, Arena *arena, Image image, int height, int width);

// Copies the piece into the image, its upper left pixel to row top and column left. What would be outside is left out. The two
// images must not share pixels.
void image_paste(Image image, Image piece, int top, int left);

// Draws the outline of the half-open box of rows top … bottom − 1 and columns left … right − 1 into the image: lines that many
// pixels thick, within the box. What is outside of the image is not drawn; a box without pixels draws nothing.
void image_draw_box(Image image, int top, int left, int bottom, int right, int thickness,
                    const uint8_t rgb[3]);

// ---- As numbers --------------------------------------------------------------------------------------------------------

// → (height·width × 3), byte b as b / 255
#define image_pixels(arena, image) image_pixels_at(HERE, arena, image)
Matrix image_pixels_at(Place place, Arena *arena, Image image);

// → (height·width × 1), .299 red + .587 green + .114 blue (Rec. ITU-R BT.601), from 0 to 1
#define image_luminance(arena, image) image_luminance_at(HERE, arena, image)
Matrix image_luminance_at(Place place, Arena *arena, Image image);

// The way back, x (height·width × 3): the nearest byte of 255 x; below 0 and above 1, and NaN: the nearest end, 0.
#define image_from_pixels(arena, x, height, width) image_from_pixels_at(HERE, arena, x, height, width)
Image image_from_pixels_at(Place place, Arena *arena, Matrix x, int height, int width);
