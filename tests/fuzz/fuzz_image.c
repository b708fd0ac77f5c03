// fuzz_image.c: photographs. An input that begins with P is a PNG's header, 13 bytes, and its unpacked rows: the file is made
// here, since changed bytes of packed ones are seldom pixels. What is read is cut, made smaller, and written and read again.
#include "fuzz.h"
#include "files/image.h"

#include <stdlib.h>
#include <string.h>

static void read_one(void *path)
{
    Arena *arena = arena_new();
    Image image = image_read(arena, path);
    fuzz_require(image.height >= 1 && image.width >= 1 && image.height <= IMAGE_MAX_PIXELS / image.width,
                 "%d × %d pixels", image.height, image.width);
    if ((int64_t)image.height * image.width <= 1 << 16) {
        Image small = image_resize(arena, image, (image.height + 1) / 2, (image.width + 2) / 3);
        image_luminance(arena, image_centre(arena, small, 1, 1));
        Image again = image_from_pixels(arena, image_pixels(arena, image), image.height, image.width);
        fuzz_require(memcmp(again.rgb, image.rgb, (size_t)image.height * (size_t)image.width * 3) == 0,
                     "bytes changed on their way to numbers and back");
        image_write(fuzz_path("written.png"), image);
        Image written = image_read(arena, fuzz_path("written.png"));
        fuzz_require(written.height == image.height && written.width == image.width &&
                         memcmp(written.rgb, image.rgb, (size_t)image.height * (size_t)image.width * 3) == 0,
                     "an image of %d × %d was written as another", image.height, image.width);
    }
    arena_free(arena);
}

static uint8_t *put_chunk(uint8_t *to, const char *name, FuzzPart part)
{
    for (int i = 0; i < 4; i++) *to++ = (uint8_t)(part.size >> (24 - 8 * i));
    memcpy(to, name, 4);
    if (part.size) memcpy(to + 4, part.bytes, part.size);
    memset(to + 4 + part.size, 0, 4); // the checksum, which nobody compares
    return to + 8 + part.size;
}

static const char *made_png(const uint8_t *bytes, size_t size)
{
    const size_t header = size < 13 ? size : 13;
    FuzzPart pixels = fuzz_packed((FuzzPart){bytes + header, size - header}, false);
    uint8_t *file = malloc(pixels.size + 100), *to = file;
    if (!file) abort();
    memcpy(to, "\x89PNG\r\n\x1a\n", 8);
    to = put_chunk(to + 8, "IHDR", (FuzzPart){bytes, header});
    to = put_chunk(to, "IDAT", pixels);
    to = put_chunk(to, "IEND", (FuzzPart){NULL, 0});
    const char *path = fuzz_file("made.png", file, (size_t)(to - file));
    free((void *)pixels.bytes);
    free(file);
    return path;
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    const char *path =
        size && bytes[0] == 'P' ? made_png(bytes + 1, size - 1) : fuzz_file("image", bytes, size);
    fuzz_try(read_one, (void *)path);
}
