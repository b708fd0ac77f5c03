// fuzz_png.c: the pictures that gnuplot writes, made smaller. An input that begins with P is the header's 13 bytes and the
// unpacked rows: the file is made here.
#include "fuzz.h"
#include "lesson/plot/parts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static void squeeze(void *context)
{
    (void)context;
    squeeze_png(fuzz_path("a.png"), fuzz_path("a.squeezed"));
}

static size_t put_chunk(uint8_t *to, const char *name, FuzzPart part)
{
    uint32_t numbers[2] = {(uint32_t)part.size, 0};
    memcpy(to + 4, name, 4);
    if (part.size) memcpy(to + 8, part.bytes, part.size);
    numbers[1] = (uint32_t)crc32(crc32(0, NULL, 0), to + 4, (uInt)part.size + 4);
    for (int i = 0; i < 4; i++) {
        to[i] = (uint8_t)(numbers[0] >> (24 - 8 * i));
        to[8 + part.size + (size_t)i] = (uint8_t)(numbers[1] >> (24 - 8 * i));
    }
    return part.size + 12;
}

static void write_png(const uint8_t *bytes, size_t size)
{
    size_t header = size < 13 ? size : 13;
    FuzzPart pixels = fuzz_packed((FuzzPart){bytes + header, size - header}, false);
    uint8_t *file = malloc(pixels.size + 100), *to = file;
    if (!file) abort();
    memcpy(to, "\x89PNG\r\n\x1a\n", 8);
    to += 8;
    to += put_chunk(to, "IHDR", (FuzzPart){bytes, header});
    to += put_chunk(to, "IDAT", pixels);
    to += put_chunk(to, "IEND", (FuzzPart){NULL, 0});
    fuzz_file("a.png", file, (size_t)(to - file));
    free((void *)pixels.bytes);
    free(file);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    if (size && bytes[0] == 'P')
        write_png(bytes + 1, size - 1);
    else
        fuzz_file("a.png", bytes, size);
    fuzz_require(fuzz_try(squeeze, NULL), "a picture that is damaged must be left alone");
    fuzz_require(access(fuzz_path("a.png"), R_OK) == 0, "the picture is gone");
    fuzz_require(access(fuzz_path("a.squeezed"), F_OK) != 0, "the smaller picture was left behind");
}
