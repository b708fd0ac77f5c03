// fuzz_image.c: photographs. An input that begins with P is a PNG's header, 13 bytes, and its unpacked rows: the file is made
// here, since changed bytes of packed ones are seldom pixels. What is read is cut and made smaller. Its bytes choose one input
// of eight that is also written and read again, and may promise a JPEG of more than 2¹⁷ pixels: both take long. One of more than
// 2²² is left out: where other work wants the processor, it looks like one that hangs.
#include "fuzz.h"
#include "files/image.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PIXELS = 1 << 12, JPEG_PIXELS = 1 << 17, MOST_JPEG_PIXELS = 1 << 22, ONE_OF = 8 };

typedef struct {
    const char *path;
    bool chosen; // one input of ONE_OF, by its bytes
} Task;

static void write_and_read_again(Arena *arena, Image image)
{
    image_write(fuzz_path("written.png"), image);
    Image written = image_read(arena, fuzz_path("written.png"));
    fuzz_require(written.height == image.height && written.width == image.width &&
                     memcmp(written.rgb, image.rgb, (size_t)image.height * (size_t)image.width * 3) == 0,
                 "an image of %d × %d was written as another", image.height, image.width);
}

static void read_one(void *context)
{
    const Task *task = context;
    Arena *arena = arena_new();
    Image image = image_read(arena, task->path);
    fuzz_require(image.height >= 1 && image.width >= 1 && image.height <= IMAGE_MAX_PIXELS / image.width,
                 "%d × %d pixels", image.height, image.width);
    if ((int64_t)image.height * image.width <= MOST_PIXELS) {
        Image small = image_resize(arena, image, (image.height + 1) / 2, (image.width + 2) / 3);
        image_luminance(arena, image_centre(arena, small, 1, 1));
        Image again = image_from_pixels(arena, image_pixels(arena, image), image.height, image.width);
        fuzz_require(memcmp(again.rgb, image.rgb, (size_t)image.height * (size_t)image.width * 3) == 0,
                     "bytes changed on their way to numbers and back");
        if (task->chosen) write_and_read_again(arena, image);
    }
    arena_free(arena);
}

// The most pixels that a JPEG may promise, wherever its bytes look like a header: 0xff, 0xc0 to 0xc2, a length, bits, height and
// width. The decoder makes all of them, from zeros where the file has none.
static int64_t promised_pixels(const uint8_t *bytes, size_t size)
{
    int64_t most = 0;
    if (size < 3 || memcmp(bytes, "\xff\xd8\xff", 3) != 0) return 0;
    for (size_t i = 2; i + 9 <= size; i++) {
        const int64_t height = bytes[i + 5] * 256 + bytes[i + 6], width = bytes[i + 7] * 256 + bytes[i + 8];
        const bool header = bytes[i] == 0xff && bytes[i + 1] >= 0xc0 && bytes[i + 1] <= 0xc2;
        if (header && height * width > most) most = height * width;
    }
    return most;
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
    uint32_t sum = 2166136261u; // FNV-1a
    for (size_t i = 0; i < size; i++) sum = (sum ^ bytes[i]) * 16777619u;
    Task task = {.chosen = (sum >> 16) % ONE_OF == 0};
    if (promised_pixels(bytes, size) > (task.chosen ? MOST_JPEG_PIXELS : JPEG_PIXELS)) return;
    task.path = size && bytes[0] == 'P' ? made_png(bytes + 1, size - 1) : fuzz_file("image", bytes, size);
    fuzz_try(read_one, &task);
}
