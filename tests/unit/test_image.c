// Photographs: each kind of file is read as red, green and blue; hostile files stop the program with a message and without
// taking memory; pieces and sizes are exact.
#include "files/image.h"
#include "suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MOST = 1 << 13 };

typedef struct {
    uint8_t bytes[MOST];
    size_t length;
} Blob;

static void put_bytes(Blob *blob, const void *bytes, size_t count)
{
    if (blob->length + count > MOST) abort();
    if (count) memcpy(blob->bytes + blob->length, bytes, count);
    blob->length += count;
}

static void put_number(Blob *blob, uint32_t number)
{
    put_bytes(blob,
              (uint8_t[]){(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                          (uint8_t)number},
              4);
}

static void put_chunk(Blob *blob, const char *name, const void *bytes, size_t count)
{
    put_number(blob, (uint32_t)count);
    put_bytes(blob, name, 4);
    put_bytes(blob, bytes, count);
    put_number(blob,
               (uint32_t)crc32(crc32(0, NULL, 0), blob->bytes + blob->length - count - 4, (uInt)count + 4));
}

typedef enum { GREY = 0, COLOUR = 2, PALETTE = 3, GREY_ALPHA = 4, COLOUR_ALPHA = 6 } PngKind;

static Blob png_start(uint32_t width, uint32_t height, int depth, PngKind kind)
{
    Blob blob = {.length = 0}, header = {.length = 0};
    put_bytes(&blob, "\x89PNG\r\n\x1a\n", 8);
    put_number(&header, width);
    put_number(&header, height);
    put_bytes(&header, (uint8_t[]){(uint8_t)depth, (uint8_t)kind, 0, 0, 0}, 5);
    put_chunk(&blob, "IHDR", header.bytes, header.length);
    return blob;
}

// rows: each begins with its kind of prediction
static Blob png_end(Blob blob, const void *rows, size_t count)
{
    uint8_t packed[MOST];
    uLongf length = sizeof packed;
    ck_assert_int_eq(compress2(packed, &length, rows, (uLong)count, 9), Z_OK);
    put_chunk(&blob, "IDAT", packed, length);
    put_chunk(&blob, "IEND", NULL, 0);
    return blob;
}

static const char *write_blob(Blob blob) { return scratch_file("image.png", blob.bytes, blob.length); }

static void expect_pixels(Blob blob, int height, int width, const uint8_t *rgb)
{
    Arena *arena = arena_new();
    Image image = image_read(arena, write_blob(blob));
    ck_assert_int_eq(image.height, height);
    ck_assert_int_eq(image.width, width);
    for (int i = 0; i < height * width * 3; i++)
        ck_assert_msg(image.rgb[i] == rgb[i], "byte %d: expected %d, got %d", i, rgb[i], image.rgb[i]);
    arena_free(arena);
}

START_TEST(a_png_is_read_whatever_its_pixels_are_made_of)
{
    expect_pixels(png_end(png_start(2, 1, 8, COLOUR), (uint8_t[]){0, 1, 2, 3, 4, 5, 6}, 7), 1, 2,
                  (uint8_t[]){1, 2, 3, 4, 5, 6});
    expect_pixels(png_end(png_start(1, 1, 8, COLOUR), (uint8_t[]){0, 9, 8, 7}, 4), 1, 1,
                  (uint8_t[]){9, 8, 7});
    expect_pixels(png_end(png_start(1, 2, 8, GREY), (uint8_t[]){0, 40, 2, 5}, 4), 2, 1,
                  (uint8_t[]){40, 40, 40, 45, 45, 45});
    expect_pixels(png_end(png_start(1, 1, 16, COLOUR), (uint8_t[]){0, 1, 255, 2, 255, 3, 0}, 7), 1, 1,
                  (uint8_t[]){1, 2, 3});
    expect_pixels(png_end(png_start(3, 1, 1, GREY), (uint8_t[]){0, 0xa0}, 2), 1, 3,
                  (uint8_t[]){255, 255, 255, 0, 0, 0, 255, 255, 255});
    Blob palette = png_start(2, 1, 8, PALETTE);
    put_chunk(&palette, "PLTE", (uint8_t[]){10, 20, 30, 40, 50, 60}, 6);
    expect_pixels(png_end(palette, (uint8_t[]){0, 1, 0}, 3), 1, 2, (uint8_t[]){40, 50, 60, 10, 20, 30});
}
END_TEST

START_TEST(what_is_transparent_lies_on_white)
{
    expect_pixels(png_end(png_start(3, 1, 8, COLOUR_ALPHA),
                          (uint8_t[]){0, 7, 8, 9, 255, 7, 8, 9, 0, 0, 100, 255, 51}, 13),
                  1, 3, (uint8_t[]){7, 8, 9, 255, 255, 255, 204, 224, 255});
    expect_pixels(png_end(png_start(1, 1, 8, GREY_ALPHA), (uint8_t[]){0, 0, 102}, 3), 1, 1,
                  (uint8_t[]){153, 153, 153});
    Blob palette = png_start(2, 1, 8, PALETTE);
    put_chunk(&palette, "PLTE", (uint8_t[]){10, 20, 30, 40, 50, 60}, 6);
    put_chunk(&palette, "tRNS", (uint8_t[]){0}, 1);
    expect_pixels(png_end(palette, (uint8_t[]){0, 1, 0}, 3), 1, 2, (uint8_t[]){40, 50, 60, 255, 255, 255});
}
END_TEST

// Of one colour, 9 × 7 pixels each; made by another program (libjpeg-turbo).
static const char *const baseline =
    "ffd8ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f141d1a1f1e1d1a1c1c20242e2720222c231c1c28"
    "37292c303134"
    "34341f27393d38323c2e333432ffdb0043010909090c0b0c180d0d1832211c213232323232323232323232323232323232323232"
    "323232323232"
    "323232323232323232323232323232323232323232323232ffc00011080007000903011100021101031101ffc400150001010000"
    "000000000000"
    "0000000000000003ffc40014100100000000000000000000000000000000ffc40015010101000000000000000000000000000000"
    "06ffc4001411"
    "0100000000000000000000000000000000ffda000c03010002110311003f009a696003ffd9";
static const char *const progressive =
    "ffd8ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f141d1a1f1e1d1a1c1c20242e2720222c231c1c28"
    "37292c303134"
    "34341f27393d38323c2e333432ffdb0043010909090c0b0c180d0d1832211c213232323232323232323232323232323232323232"
    "323232323232"
    "323232323232323232323232323232323232323232323232ffc20011080007000903012200021101031101ffc400150001010000"
    "000000000000"
    "0000000000000002ffc40014010100000000000000000000000000000005ffda000c0301000210031000000190631fffc4001410"
    "010000000000"
    "0000000000000000000010ffda00080101000105023fffc40014110100000000000000000000000000000000ffda000801030101"
    "3f017fffc400"
    "14110100000000000000000000000000000000ffda0008010201013f017fffc40014100100000000000000000000000000000010"
    "ffda00080101"
    "00063f023fffc40014100100000000000000000000000000000010ffda0008010100013f213fffda000c03010002000300000010"
    "0bffc4001411"
    "0100000000000000000000000000000000ffda0008010301013f107fffc40014110100000000000000000000000000000000ffda"
    "000801020101"
    "3f107fffc40014100100000000000000000000000000000010ffda0008010100013f103fffd9";
static const char *const grey_jpeg = "ffd8ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f141d1a1"
                                     "f1e1d1a1c1c20242e2720222c231c1c2837292c303134"
                                     "34341f27393d38323c2e333432ffc0000b080007000901011100ffc4001500010100000"
                                     "000000000000000000000000006ffc400141001000000"
                                     "00000000000000000000000000ffda0008010100003f008c1fffd9";
static const char *const cmyk = "ffd8ffee000e41646f626500640000000000ffdb004300080606070605080707070909080a0c"
                                "140d0c0b0b0c1912130f141d1a1f1e1d1a1c1c20"
                                "242e2720222c231c1c2837292c30313434341f27393d38323c2e333432ffc000140800070009"
                                "044311004d11005911004b1100ffc40016000101"
                                "0100000000000000000000000000000705ffc400141001000000000000000000000000000000"
                                "00ffda000e0443004d0059004b00003f00a430d3"
                                "15fc01ffd9";

static Blob from_hex(const char *hex)
{
    Blob blob = {.length = 0};
    for (; *hex; hex += 2) {
        unsigned byte;
        ck_assert_int_eq(sscanf(hex, "%2x", &byte), 1);
        put_bytes(&blob, (uint8_t[]){(uint8_t)byte}, 1);
    }
    return blob;
}

START_TEST(a_jpeg_is_read_whatever_its_name_and_its_kind)
{
    const char *const files[] = {baseline, progressive, cmyk, grey_jpeg};
    for (int f = 0; f < 4; f++) {
        Arena *arena = arena_new();
        Image image = image_read(arena, write_blob(from_hex(files[f]))); // in image.png
        ck_assert_int_eq(image.height, 7);
        ck_assert_int_eq(image.width, 9);
        for (int i = 0; i < 7 * 9; i++)
            for (int c = 0; c < 3; c++) {
                const int expected = f == 3 ? 77 : (const int[]){200, 100, 50}[c], got = image.rgb[3 * i + c];
                ck_assert_msg(abs(got - expected) <= 2, "file %d: expected %d, got %d", f, expected, got);
            }
        arena_free(arena);
    }
}
END_TEST

// ---- Hostile files -------------------------------------------------------------------------------------------------------

static void read_image(void *path)
{
    Arena *arena = arena_new_limited(8 << 20);
    Image image = image_read(arena, path);
    unsigned total = 0; // touch every byte: they are ours
    for (int i = 0; i < image.height * image.width * 3; i++) total += image.rgb[i];
    printf("%u\n", total);
    arena_free(arena);
}

#define expect_refusal(blob, text) expect_death(read_image, (void *)(uintptr_t)write_blob(blob), text)

START_TEST(every_shorter_file_is_refused)
{
    Blob files[] = {png_end(png_start(2, 1, 8, COLOUR), (uint8_t[]){0, 1, 2, 3, 4, 5, 6}, 7),
                    from_hex(grey_jpeg), from_hex(progressive)};
    for (int f = 0; f < 3; f++)
        for (size_t length = 0; length < files[f].length; length += f == 2 ? 7 : 1) {
            if (f == 0 && length + 4 >= files[f].length) continue; // the last checksum, which nobody reads
            Blob blob = files[f];
            blob.length = length;
            if (f == 0 && length > 50) expect_refusal(blob, "image.png cannot be decoded (");
            expect_refusal(blob, length == 0 ? "image.png is empty" : "image.png");
        }
    Blob blob = from_hex(grey_jpeg);
    blob.length -= 2;
    expect_refusal(blob, "ends too soon: it is a JPEG without its end");
}
END_TEST

START_TEST(a_file_of_another_kind_is_refused)
{
    Blob blob = {.bytes = "GIF89a", .length = 6};
    expect_refusal(blob, "is no PNG and no JPEG: it begins with the byte 0x47");
    expect_death(read_image, (void *)(uintptr_t)scratch_path("nothing.png"), "type `make data`");
    blob = png_end(png_start(2, 1, 8, COLOUR), (uint8_t[]){0, 1, 2}, 3);
    expect_refusal(blob, "image.png cannot be decoded (not enough pixels)");
    blob = png_end(png_start(2, 1, 7, COLOUR), (uint8_t[]){0, 1, 2}, 3);
    expect_refusal(blob, "its header is damaged, or it has more than 16384 pixels in a row");
}
END_TEST

START_TEST(sides_of_nothing_and_of_too_much_are_refused)
{
    expect_refusal(png_end(png_start(0, 1, 8, COLOUR), "", 1), "its header is damaged");
    expect_refusal(png_end(png_start(1 << 15, 1, 8, GREY), "", 1), "its header is damaged, or it has more");
    expect_refusal(png_end(png_start(0xffffffffu, 1, 8, GREY), "", 1),
                   "its header is damaged, or it has more");
    expect_refusal(png_end(png_start(1 << 14, 1 << 13, 8, GREY), "", 1),
                   "has 8192 × 16384 pixels; at most 67108864 in all");
}
END_TEST

// Sixteen counts of 17 are 272 codes, which the decoder would write to a table of 257.
START_TEST(a_table_of_too_many_codes_is_refused)
{
    Blob blob = from_hex(grey_jpeg);
    for (size_t i = 0; i + 22 < blob.length; i++)
        if (blob.bytes[i] == 0xff && blob.bytes[i + 1] == 0xc4) {
            memset(blob.bytes + i + 5, 17, 16);
            break;
        }
    expect_refusal(blob, "it has a table of more than 256 codes");
}
END_TEST

// A file that unpacks to 64 MiB for an image of one pixel. Its reader has room for 8 MiB in the arena, and the decoder for less.
START_TEST(a_file_that_unpacks_to_more_than_its_image_is_refused)
{
    enum { LENGTH = 1 << 26 };
    uint8_t *zeros = calloc(LENGTH, 1), *packed = malloc(1 << 17);
    uLongf length = 1 << 17;
    ck_assert_int_eq(compress2(packed, &length, zeros, LENGTH, 9), Z_OK);
    Blob start = png_start(1, 1, 8, GREY);
    uint8_t *whole = malloc((size_t)length + 200), head[8];
    memcpy(whole, start.bytes, start.length);
    for (int i = 0; i < 4; i++) head[i] = (uint8_t)(length >> (24 - 8 * i));
    memcpy(head + 4, "IDAT", 4);
    memcpy(whole + start.length, head, 8);
    memcpy(whole + start.length + 8, packed, length);
    memcpy(whole + start.length + 8 + length, "\0\0\0\0\0\0\0\0IEND", 12);
    const char *path = scratch_file("bomb.png", whole, start.length + 20 + length);
    expect_death(read_image, (void *)(uintptr_t)path, "cannot be decoded (outofmem)");
    free(zeros), free(packed), free(whole);
}
END_TEST

// ---- Pieces and sizes ----------------------------------------------------------------------------------------------------

static Image numbered(Arena *arena, int height, int width)
{
    Image image = {height, width, arena_alloc(arena, (size_t)(height * width), 3)};
    for (int i = 0; i < height * width * 3; i++) image.rgb[i] = (uint8_t)(i * 7 + i * i % 11);
    return image;
}

START_TEST(a_piece_is_where_it_was)
{
    Arena *arena = arena_new();
    Image image = numbered(arena, 5, 4), piece = image_crop(arena, image, 1, 2, 3, 2),
          middle = image_centre(arena, image, 2, 3);
    for (int i = 0; i < 3; i++) ck_assert_mem_eq(piece.rgb + i * 6, image.rgb + ((1 + i) * 4 + 2) * 3, 6);
    for (int i = 0; i < 2; i++) ck_assert_mem_eq(middle.rgb + i * 9, image.rgb + (1 + i) * 4 * 3, 9);
    arena_free(arena);
}
END_TEST

static void crop_outside(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    image_crop(arena, numbered(arena, 5, 4), 3, 0, 3, 2);
}
static void centre_of_less(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    image_centre(arena, numbered(arena, 5, 4), 5, 5);
}
static void resize_to_nothing(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    image_resize(arena, numbered(arena, 5, 4), 0, 5);
}
static void pixels_of_another_size(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    image_from_pixels(arena, matrix_new(arena, 6, 3), 2, 4);
}

START_TEST(pieces_and_sizes_that_cannot_be_are_refused)
{
    expect_death(crop_outside, NULL, "3 × 2 pixels from row 3 and column 0 on, of an image of 5 × 4");
    expect_death(centre_of_less, NULL, "image_centre: 5 × 5 pixels of an image of 5 × 4");
    expect_death(resize_to_nothing, NULL, "image_resize: to 0 × 5 pixels");
    expect_death(pixels_of_another_size, NULL, "(6 × 3) for an image of 2 × 4 pixels");
}
END_TEST

// By the definition: both sides enlarged to (old · new) equal pixels, then means of whole blocks.
static int mean_of_area(Image image, int i, int j, int c, int height, int width)
{
    long total = 0;
    for (int y = i * image.height; y < (i + 1) * image.height; y++)
        for (int x = j * image.width; x < (j + 1) * image.width; x++)
            total += image.rgb[((y / height) * image.width + x / width) * 3 + c];
    const long whole = (long)image.height * image.width;
    return (int)((2 * total + whole) / (2 * whole));
}

START_TEST(a_resized_pixel_is_the_mean_of_its_area)
{
    const int sizes[][2] = {{5, 4}, {1, 1}, {2, 2}, {3, 7}, {10, 8}, {4, 3}, {13, 1}};
    Arena *arena = arena_new();
    Image image = numbered(arena, 5, 4);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const int height = sizes[s][0], width = sizes[s][1];
        Image out = image_resize(arena, image, height, width);
        for (int i = 0; i < height; i++)
            for (int j = 0; j < width; j++)
                for (int c = 0; c < 3; c++)
                    ck_assert_int_eq(out.rgb[(i * width + j) * 3 + c],
                                     mean_of_area(image, i, j, c, height, width));
    }
    arena_free(arena);
}
END_TEST

START_TEST(bytes_become_numbers_and_bytes_again)
{
    Arena *arena = arena_new();
    Image image = {16, 16, arena_alloc(arena, 256, 3)};
    for (int i = 0; i < 768; i++) image.rgb[i] = (uint8_t)i;
    Matrix x = image_pixels(arena, image);
    ck_assert_int_eq(x.rows, 256);
    ck_assert_mem_eq(image_from_pixels(arena, x, 16, 16).rgb, image.rgb, 768);
    ck_assert_float_eq(x.data[255], 1.0f);
    const float odd[] = {-3.0f, 7.0f, NAN, 0.5f, 0.00196f, 0.00197f};
    ck_assert_mem_eq(image_from_pixels(arena, matrix_from(arena, 2, 3, odd), 1, 2).rgb,
                     ((uint8_t[]){0, 255, 0, 128, 0, 1}), 6);
    Image three = {1, 3, (uint8_t[]){255, 255, 255, 255, 0, 0, 0, 255, 0}};
    Matrix grey = image_luminance(arena, three);
    ck_assert_float_eq(grey.data[0], 1.0f);
    ck_assert_float_eq_tol(grey.data[1], 0.299f, 1e-6f);
    ck_assert_float_eq_tol(grey.data[2], 0.587f, 1e-6f);
    arena_free(arena);
}
END_TEST

// ---- Writing and drawing -------------------------------------------------------------------------------------------------

static uint32_t scattered(uint32_t *state) { return *state = *state * 1664525u + 1013904223u; }

// kind 0: noise; 1: one colour; 2: a slope, and the same in each row
static Image patterned(Arena *arena, int height, int width, int kind)
{
    Image image = image_new(arena, height, width);
    uint32_t state = (uint32_t)(height * 1000 + width);
    for (int i = 0; i < height * width * 3; i++) {
        const uint8_t noise = (uint8_t)(scattered(&state) >> 24);
        const int smooth = kind == 1 ? 77 + i % 3 : i % (3 * width);
        image.rgb[i] = kind == 0 ? noise : (uint8_t)smooth;
    }
    return image;
}

static size_t bytes_of_file(const char *path, uint8_t *bytes, size_t most)
{
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    const size_t size = fread(bytes, 1, most, file);
    fclose(file);
    return size;
}

START_TEST(what_is_written_is_read_back_equal)
{
    enum { ROOM = 1 << 20 };
    const int sizes[][2] = {{1, 1}, {1, 7}, {9, 1}, {16, 16}, {33, 65}, {200, 300}};
    static uint8_t first[ROOM], second[ROOM];
    Arena *arena = arena_new();
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int kind = 0; kind < 3; kind++) {
            const Image image = patterned(arena, sizes[s][0], sizes[s][1], kind);
            const char *path = scratch_path("written.png");
            image_write(path, image);
            const Image again = image_read(arena, path);
            ck_assert_int_eq(again.height, image.height);
            ck_assert_int_eq(again.width, image.width);
            ck_assert_mem_eq(again.rgb, image.rgb, (size_t)image.height * (size_t)image.width * 3);
            const size_t size =
                bytes_of_file(path, first, ROOM); // the same bytes each time, over another file
            image_write(path, patterned(arena, 3, 3, 0));
            image_write(path, image);
            ck_assert_uint_eq(bytes_of_file(path, second, ROOM), size);
            ck_assert_mem_eq(first, second, size);
        }
    arena_free(arena);
}
END_TEST

static void write_nowhere(void *unused)
{
    (void)unused;
    image_write(scratch_path("no-such-folder/a.png"), patterned(arena_new(), 2, 2, 0));
}

static void write_nothing(void *unused)
{
    (void)unused;
    const Image nothing = {0, 5, NULL};
    image_write(scratch_path("a.png"), nothing);
}

static void new_of_nothing(void *unused)
{
    (void)unused;
    image_new(arena_new(), 5, -1);
}

START_TEST(what_cannot_be_written_stops_the_program)
{
    expect_death(write_nowhere, NULL, "no-such-folder/a.png cannot be written");
    expect_death(write_nothing, NULL, "image_write: 0 × 5 pixels");
    expect_death(new_of_nothing, NULL, "image_new: 5 × -1 pixels");
}
END_TEST

START_TEST(a_box_is_drawn_within_its_edges_and_those_of_the_image)
{
    enum { H = 9, W = 11 };
    const uint8_t colour[3] = {200, 100, 50};
    const int far = 2147483647;
    const int boxes[][5] = {{2, 3, 7, 8, 1},
                            {2, 3, 7, 8, 2},
                            {2, 3, 7, 8, 3},
                            {2, 3, 7, 8, 100},
                            {0, 0, 9, 11, 1},
                            {-3, -2, 4, 5, 2},
                            {5, 6, 30, 40, 2},
                            {-5, -5, 20, 20, 3},
                            {3, 3, 4, 4, 1},
                            {3, 3, 3, 6, 1},
                            {6, 2, 3, 8, 1},
                            {2, 3, 7, 8, 0},
                            {-far, -far, far, far, far},
                            {-far, 2, far, 5, 1},
                            {20, 20, 30, 30, 4},
                            {2, 3, 7, 8, -4}};
    Arena *arena = arena_new();
    for (size_t b = 0; b < sizeof boxes / sizeof *boxes; b++) {
        const int *box = boxes[b];
        Image image = patterned(arena, H, W, 0), before = patterned(arena, H, W, 0);
        image_draw_box(image, box[0], box[1], box[2], box[3], box[4], colour);
        for (int64_t i = 0; i < H; i++)
            for (int64_t j = 0; j < W; j++) {
                const bool within = i >= box[0] && i < box[2] && j >= box[1] && j < box[3];
                const bool inner = i >= (int64_t)box[0] + box[4] && i < (int64_t)box[2] - box[4] &&
                                   j >= (int64_t)box[1] + box[4] && j < (int64_t)box[3] - box[4];
                const bool drawn = within && !inner && box[4] > 0;
                const uint8_t *expected = drawn ? colour : before.rgb + (i * W + j) * 3;
                ck_assert_msg(memcmp(image.rgb + (i * W + j) * 3, expected, 3) == 0,
                              "box %zu, pixel (%d, %d)", b, (int)i, (int)j);
            }
    }
    arena_free(arena);
}
END_TEST

START_TEST(a_piece_is_pasted_where_it_belongs)
{
    enum { H = 6, W = 5 };
    const int places[][2] = {{0, 0}, {2, 1}, {-1, -2}, {4, 4}, {-9, 0}, {3, 9}, {2147483647, -2147483647}};
    Arena *arena = arena_new();
    for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
        Image image = patterned(arena, H, W, 0), before = patterned(arena, H, W, 0),
              piece = patterned(arena, 4, 3, 0);
        image_paste(image, piece, places[p][0], places[p][1]);
        for (int64_t i = 0; i < H; i++)
            for (int64_t j = 0; j < W; j++) {
                const int64_t y = i - places[p][0], x = j - places[p][1];
                const uint8_t *expected = y >= 0 && y < 4 && x >= 0 && x < 3 ? piece.rgb + (y * 3 + x) * 3
                                                                             : before.rgb + (i * W + j) * 3;
                ck_assert_mem_eq(image.rgb + (i * W + j) * 3, expected, 3);
            }
    }
    const Image black = image_new(arena, 2, 3);
    for (int i = 0; i < 18; i++) ck_assert_int_eq(black.rgb[i], 0);
    arena_free(arena);
}
END_TEST

SUITE("image", a_png_is_read_whatever_its_pixels_are_made_of, what_is_transparent_lies_on_white,
      a_jpeg_is_read_whatever_its_name_and_its_kind, every_shorter_file_is_refused,
      a_file_of_another_kind_is_refused, sides_of_nothing_and_of_too_much_are_refused,
      a_file_that_unpacks_to_more_than_its_image_is_refused, a_table_of_too_many_codes_is_refused,
      a_piece_is_where_it_was, pieces_and_sizes_that_cannot_be_are_refused,
      a_resized_pixel_is_the_mean_of_its_area, bytes_become_numbers_and_bytes_again,
      what_is_written_is_read_back_equal, what_cannot_be_written_stops_the_program,
      a_box_is_drawn_within_its_edges_and_those_of_the_image, a_piece_is_pasted_where_it_belongs)
