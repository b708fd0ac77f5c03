// image.c: see image.h. What Debian's stb_image does not look at is looked at here, before it decodes.
#include "files/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "base/replace.h"
#include "files/file_map.h"

// ---- The decoder and the encoder -------------------------------------------------------------------------------------------

#if __has_include(<stb/stb_image.h>) && __has_include(<stb/stb_image_write.h>) && !defined(IMAGE_WITHOUT_LIBRARY)

static const char *const BRING_AGAIN =
    "if the file came by `make data`, `sh datasets/fetch.sh --verify SET` brings it again";

// Who asked for the image; and the most bytes that the decoder may ask for at once: a few bytes of a file can be packed such
// that they become gigabytes.
static _Thread_local struct {
    Place place;
    const char *path;
    size_t most_at_once;
} reading;

// Zeros, because the decoder looks at tables that a damaged file has not given.
static void *limited_malloc(size_t size) { return size <= reading.most_at_once ? calloc(1, size) : NULL; }
static void *limited_realloc(void *memory, size_t size)
{
    return size <= reading.most_at_once ? realloc(memory, size) : NULL;
}

// The makefile compiles this file with -fwrapv: sums of a hostile file's numbers wrap around in the decoder.
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#define STBI_NO_SIMD
#define STBI_ASSERT(condition)                                                                               \
    check_at(reading.place, condition, BRING_AGAIN, "%s cannot be decoded (" #condition " is not so)",       \
             reading.path)
#define STBI_MAX_DIMENSIONS        IMAGE_MAX_SIDE
#define STBI_MALLOC(size)          limited_malloc(size)
#define STBI_REALLOC(memory, size) limited_realloc(memory, size)
#define STBI_FREE(memory)          free(memory)
// A PNG's first piece of pixels may be empty, and is copied to where no memory is yet: C does not define memcpy then.
static void *copy_bytes(void *to, const void *from, size_t size)
{
    return size ? memcpy(to, from, size) : to;
}
#define memcpy copy_bytes
#include <stb/stb_image.h>
#undef memcpy

// Whether a JPEG goes on to the mark of its end. The decoder takes zeros for what is missing. A file is a row of segments: 0xff,
// a letter, and, but for a few, two bytes of length with what they count; behind a scan (0xda) its pixels follow, in which
// 0xff stands before 0 and the restart marks 0xd0 to 0xd7 only.
static bool jpeg_is_whole(const uint8_t *bytes, size_t size)
{
    size_t i = 2;
    while (i + 1 < size) {
        if (bytes[i] != 0xff) {
            i++;
            continue;
        }
        const int letter = bytes[i + 1];
        if (letter == 0xd9) return true;
        if (letter == 0xff)
            i++;
        else if (letter <= 0x01 || (letter >= 0xd0 && letter <= 0xd8))
            i += 2;
        else if (i + 3 < size)
            i += 2 + (size_t)bytes[i + 2] * 256 + bytes[i + 3];
        else
            break;
    }
    return false;
}

// Whether the Huffman tables of a JPEG have at most 256 codes. The decoder does not look, and would write past the end of its own.
// Wherever 0xff 0xc4 stands, it might read tables: a byte with kind and number, 16 counts, and as many bytes as these add up to.
static bool jpeg_tables_fit(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i + 4 <= size; i++) {
        if (bytes[i] != 0xff || bytes[i + 1] != 0xc4) continue;
        size_t at = i + 4;
        const size_t end = i + 2 + (size_t)bytes[i + 2] * 256 + bytes[i + 3];
        while (at < end && at < size && (bytes[at] >> 4) <= 1 && (bytes[at] & 15) <= 3) {
            size_t codes = 0;
            for (size_t c = at + 1; c <= at + 16 && c < size; c++) codes += bytes[c];
            if (codes > 256) return false;
            at += 17 + codes;
        }
    }
    return true;
}

static void check_kind(Place place, const FileMap *file)
{
    const uint8_t *bytes = file->bytes;
    const size_t size = file->size;
    check_at(place, size > 0, BRING_AGAIN, "%s is empty", file->path);
    check_at(place, size <= IMAGE_MAX_FILE, "make the image smaller with another program",
             "%s has %zu bytes; at most %d are read", file->path, size, IMAGE_MAX_FILE);
    const bool jpeg = size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0,
               png = size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0;
    check_at(place, jpeg || png,
             "PNG and JPEG are read; another program can convert it, whatever its name ends in",
             "%s is no PNG and no JPEG: it begins with the byte 0x%02x", file->path, bytes[0]);
    check_at(place, !jpeg || jpeg_is_whole(bytes, size), BRING_AGAIN,
             "%s ends too soon: it is a JPEG without its end", file->path);
    check_at(place, !jpeg || jpeg_tables_fit(bytes, size), BRING_AGAIN,
             "%s cannot be decoded: it has a table of more than 256 codes", file->path);
}

// The bytes of the image, four a pixel, to be freed.
static uint8_t *decode(Place place, const FileMap *file, int *height, int *width)
{
    check_kind(place, file);
    int channels;
    reading.place = place, reading.path = file->path;
    reading.most_at_once = 1 << 20; // the decoder's own state; no pixel yet
    check_at(place, stbi_info_from_memory(file->bytes, (int)file->size, width, height, &channels),
             BRING_AGAIN, "%s: its header is damaged, or it has more than %d pixels in a row or column",
             file->path, IMAGE_MAX_SIDE);
    check_at(place, *height <= IMAGE_MAX_PIXELS / *width, "make the image smaller with another program",
             "%s has %d × %d pixels; at most %d in all are read", file->path, *height, *width,
             IMAGE_MAX_PIXELS);
    // 16 bits of four channels, twice because buffers grow by doubling, and blocks of 32 × 32 at the edge; or the packed bytes
    reading.most_at_once = 2 * file->size + 20 * (size_t)(*height + 64) * (size_t)(*width + 64);
    uint8_t *pixels =
        stbi_load_from_memory(file->bytes, (int)file->size, width, height, &channels, STBI_rgb_alpha);
    const char *reason =
        stbi_failure_reason(); // "": a piece without a name, as zeros behind the end would be
    check_at(place, pixels, BRING_AGAIN, "%s cannot be decoded (%s)", file->path,
             reason && *reason ? reason : "it ends too soon");
    return pixels;
}

// The makefile compiles this file with -fno-strict-aliasing: the encoder's lists keep their length in front of what they hold.
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>

static void put_bytes(void *stream, void *bytes, int size) { fwrite(bytes, 1, (size_t)size, stream); }

static void need_encoder(Place place) { (void)place; }

// false: there was no memory for it
static bool encode(FILE *stream, Image image)
{
    return stbi_write_png_to_func(put_bytes, stream, image.width, image.height, 3, image.rgb,
                                  3 * image.width);
}

#else
static const char *const INSTALL =
    "install libstb-dev (`make setup` does), `touch common/files/image.c`, and try again";

static uint8_t *decode(Place place, const FileMap *file, int *height, int *width)
{
    (void)height, (void)width;
    die_at(place, INSTALL, "%s is an image, and this program was built without the library stb_image",
           file->path);
}

static void need_encoder(Place place)
{
    die_at(place, INSTALL,
           "images are written by the library stb_image_write, and this program was built without it");
}

static bool encode(FILE *stream, Image image)
{
    (void)stream, (void)image;
    return false;
}
#endif

static Image image_uninitialised(Place place, Arena *arena, int height, int width)
{
    const size_t pixels = size_product(place, (size_t)height, (size_t)width);
    return (Image){height, width, arena_alloc_at(place, arena, pixels, 3)};
}

Image image_read_at(Place place, Arena *arena, const char *path)
{
    FileMap *file = file_map_open_at(
        place, path, "type `make data` in the course's top folder, or `make data DATA=SET` for one set");
    int height, width;
    uint8_t *decoded = decode(place, file, &height, &width);
    file_map_close(file);
    Image image = image_uninitialised(place, arena, height, width);
    for (size_t i = 0; i < (size_t)height * (size_t)width; i++) {
        const int alpha = decoded[4 * i + 3];
        for (size_t c = 0; c < 3; c++)
            image.rgb[3 * i + c] = (uint8_t)((decoded[4 * i + c] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
    free(decoded);
    return image;
}

void image_write_at(Place place, const char *path, Image image)
{
    check_at(place,
             image.height >= 1 && image.width >= 1 && image.height <= IMAGE_MAX_SIDE &&
                 image.width <= IMAGE_MAX_SIDE && image.height <= IMAGE_MAX_PIXELS / image.width,
             "image_resize makes it smaller", "image_write: %d × %d pixels, and what is written must be read",
             image.height, image.width);
    need_encoder(place);
    Replacement file;
    replace_begin_at(place, &file, path);
    if (!encode(file.stream, image)) {
        replace_cancel(&file);
        die_at(place, "free some memory", "%s: no memory for an image of %d × %d pixels", path, image.height,
               image.width);
    }
    replace_finish_at(place, &file);
}

// ---- Pieces and sizes ------------------------------------------------------------------------------------------------------

Image image_new_at(Place place, Arena *arena, int height, int width)
{
    check_at(place, height >= 1 && width >= 1 && height <= IMAGE_MAX_SIDE && width <= IMAGE_MAX_SIDE,
             "both sides must be at least 1", "image_new: %d × %d pixels; a side has at most %d", height,
             width, IMAGE_MAX_SIDE);
    Image image = image_uninitialised(place, arena, height, width);
    memset(image.rgb, 0, (size_t)height * (size_t)width * 3);
    return image;
}

Image image_crop_at(Place place, Arena *arena, Image image, int top, int left, int height, int width)
{
    check_at(place,
             top >= 0 && left >= 0 && height >= 1 && width >= 1 && height <= image.height - top &&
                 width <= image.width - left,
             "rows and columns count from 0, and the piece must lie in the image",
             "image_crop: %d × %d pixels from row %d and column %d on, of an image of %d × %d", height, width,
             top, left, image.height, image.width);
    Image out = image_uninitialised(place, arena, height, width);
    for (int i = 0; i < height; i++)
        memcpy(out.rgb + (size_t)i * (size_t)width * 3,
               image.rgb + ((size_t)(top + i) * (size_t)image.width + (size_t)left) * 3, (size_t)width * 3);
    return out;
}

Image image_centre_at(Place place, Arena *arena, Image image, int height, int width)
{
    check_at(place, height >= 1 && width >= 1 && height <= image.height && width <= image.width,
             "image_resize makes it larger first", "image_centre: %d × %d pixels of an image of %d × %d",
             height, width, image.height, image.width);
    return image_crop_at(place, arena, image, (image.height - height) / 2, (image.width - width) / 2, height,
                         width);
}

void image_paste(Image image, Image piece, int top, int left)
{
    for (int i = 0; i < piece.height; i++)
        for (int j = 0; j < piece.width; j++) {
            const int64_t y = (int64_t)top + i, x = (int64_t)left + j;
            if (y < 0 || y >= image.height || x < 0 || x >= image.width) continue;
            memcpy(image.rgb + (y * image.width + x) * 3, piece.rgb + ((int64_t)i * piece.width + j) * 3, 3);
        }
}

// With both sides of the old image cut into (old · new) / new parts, pixel i of the new one covers the parts i · old to
// (i + 1) · old, and pixel j of the old one the parts j · new to (j + 1) · new.
static int64_t overlap(int i, int old_side, int j, int new_side)
{
    const int64_t from = (int64_t)i * old_side, to = from + old_side;
    const int64_t low = (int64_t)j * new_side, high = low + new_side;
    return (to < high ? to : high) - (from > low ? from : low);
}

static void resize_pixel(uint8_t *rgb, Image image, int i, int j, int height, int width)
{
    const int top = (int)((int64_t)i * image.height / height), left = (int)((int64_t)j * image.width / width);
    uint64_t sums[3] = {0}; // at most 255 · 2¹⁴ · 2¹⁴
    for (int y = top; y < image.height && overlap(i, image.height, y, height) > 0; y++)
        for (int x = left; x < image.width && overlap(j, image.width, x, width) > 0; x++) {
            const uint64_t area =
                (uint64_t)overlap(i, image.height, y, height) * (uint64_t)overlap(j, image.width, x, width);
            for (size_t c = 0; c < 3; c++)
                sums[c] += area * image.rgb[((size_t)y * (size_t)image.width + (size_t)x) * 3 + c];
        }
    const uint64_t whole = (uint64_t)image.height * (uint64_t)image.width;
    for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)((2 * sums[c] + whole) / (2 * whole));
}

Image image_resize_at(Place place, Arena *arena, Image image, int height, int width)
{
    check_at(place, height >= 1 && width >= 1 && height <= IMAGE_MAX_SIDE && width <= IMAGE_MAX_SIDE,
             "both sides must be at least 1", "image_resize: to %d × %d pixels; a side has at most %d",
             height, width, IMAGE_MAX_SIDE);
    Image out = image_uninitialised(place, arena, height, width);
    PARALLEL_FOR(parallel_worth((size_t)image.height * (size_t)image.width), i, height, {
        for (int j = 0; j < width; j++)
            resize_pixel(out.rgb + ((size_t)i * (size_t)width + (size_t)j) * 3, image, i, j, height, width);
    });
    return out;
}

static void paint(Image image, int64_t top, int64_t left, int64_t bottom, int64_t right, const uint8_t rgb[3])
{
    top = top > 0 ? top : 0;
    left = left > 0 ? left : 0;
    bottom = bottom < image.height ? bottom : image.height;
    right = right < image.width ? right : image.width;
    for (int64_t i = top; i < bottom; i++)
        for (int64_t j = left; j < right; j++) memcpy(image.rgb + (i * image.width + j) * 3, rgb, 3);
}

void image_draw_box(Image image, int top, int left, int bottom, int right, int thickness,
                    const uint8_t rgb[3])
{
    if (thickness <= 0 || bottom <= top || right <= left) return;
    const int64_t thick = thickness, from = top, to = bottom, low = left, high = right;
    const int64_t upper = from + thick < to ? from + thick : to,
                  lower = to - thick > from ? to - thick : from;
    paint(image, from, low, upper, high, rgb);
    paint(image, lower, low, to, high, rgb);
    paint(image, from, low, to, low + thick < high ? low + thick : high, rgb);
    paint(image, from, high - thick > low ? high - thick : low, to, high, rgb);
}

// ---- As numbers --------------------------------------------------------------------------------------------------------

Matrix image_pixels_at(Place place, Arena *arena, Image image)
{
    Matrix x = matrix_uninitialised_at(place, arena, image.height * image.width, 3);
    for (size_t i = 0; i < matrix_size(x); i++) x.data[i] = (float)image.rgb[i] / 255.0f;
    return x;
}

Matrix image_luminance_at(Place place, Arena *arena, Image image)
{
    Matrix x = matrix_uninitialised_at(place, arena, image.height * image.width, 1);
    for (size_t i = 0; i < matrix_size(x); i++) {
        const uint8_t *rgb = image.rgb + 3 * i;
        x.data[i] = (float)(299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2]) / 255000.0f;
    }
    return x;
}

Image image_from_pixels_at(Place place, Arena *arena, Matrix x, int height, int width)
{
    check_at(place, height >= 1 && width >= 1 && x.cols == 3 && (int64_t)x.rows == (int64_t)height * width,
             "one row for each pixel: red, green, blue",
             "image_from_pixels: (%d × %d) for an image of %d × %d pixels", x.rows, x.cols, height, width);
    Image out = image_uninitialised(place, arena, height, width);
    for (size_t i = 0; i < matrix_size(x); i++) {
        const float byte = 255.0f * x.data[i] + 0.5f;
        out.rgb[i] = (uint8_t)(!(byte > 0.0f) ? 0.0f : byte >= 255.0f ? 255.0f : byte);
    }
    return out;
}
