// tool.h: what the programs of datasets/tools share: how they stop, ask for memory and read a file.
//
// Each of them is one C file that datasets/fetch.sh builds (with zlib and nothing else) and runs once for a set. It
// reads files of a package and prints a text in one canonical form, so that packages of several releases, which
// differ in packing and markup, give the same bytes. What it prints is compared with a hash; what it reads may be anybody's.
//
// A small file may say that it unpacks to gigabytes. So memory() counts, and stops the program beyond MOST_MEMORY; and
// nothing is unpacked beyond MOST_UNPACKED bytes in one run.
//
// The name of the program stands in TOOL, defined before this file is included.
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <zlib.h>

enum {
    MOST_UNPACKED = 1 << 26, // bytes, of all that a run unpacks; the largest set needs 10 million
    MOST_MEMORY = 1 << 28,   // bytes that a run asks for; the largest set needs 60 million
    DEFLATE_MOST = 1032,     // no byte packed by zlib can stand for more
};

typedef struct {
    unsigned char *bytes;
    size_t size;
} Blob;

noreturn static inline void stop(const char *format, ...) __attribute__((format(printf, 1, 2)));
noreturn static inline void stop(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, TOOL ": ");
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

static size_t memory_used, unpacked_bytes;

// So many zeros. Nothing is given back: the program is short.
static inline void *memory(size_t count, size_t size)
{
    if (size > 0 && count > (MOST_MEMORY - memory_used) / size)
        stop("this takes more than %d MB of memory, more than any of the course's sets: the file is damaged",
             MOST_MEMORY >> 20);
    memory_used += count * size;
    void *bytes = calloc(count ? count : 1, size ? size : 1);
    if (!bytes) stop("there is not enough memory");
    return bytes;
}

// Room for size bytes to unpack packed ones to, each of which can stand for at most ratio.
static inline Blob room_to_unpack(const char *what, size_t packed, size_t ratio, size_t size)
{
    if (size > MOST_UNPACKED - unpacked_bytes || size / ratio > packed)
        stop("%s of %zu bytes is said to unpack to %zu; at most %d MB are unpacked", what, packed, size,
             MOST_UNPACKED >> 20);
    unpacked_bytes += size;
    return (Blob){memory(size, 1), size};
}

// A file, unpacked when gzip has packed it; it may then have at most `most` bytes.
static inline Blob read_file(const char *path, size_t most)
{
    gzFile file = gzopen(path, "rb");
    if (!file) stop("%s cannot be read", path);
    Blob blob = {NULL, 0};
    size_t room = 0;
    for (int got = 1; got > 0; blob.size += (size_t)got) {
        if (blob.size == room) {
            Blob longer = {memory(room ? 2 * room : 1 << 16, 1), blob.size};
            if (blob.size > 0) memcpy(longer.bytes, blob.bytes, blob.size);
            room = room ? 2 * room : 1 << 16;
            blob = longer;
        }
        got = gzread(file, blob.bytes + blob.size, (unsigned)(room - blob.size));
        if (got < 0) stop("%s is damaged: it cannot be unpacked", path);
        if ((size_t)got > most - blob.size) stop("%s has more than %zu bytes when unpacked", path, most);
    }
    if (gzclose(file) != Z_OK) stop("%s is damaged: it cannot be unpacked", path);
    return blob;
}

static inline uint32_t little_endian(const unsigned char *bytes, int count)
{
    uint32_t number = 0;
    for (int i = count - 1; i >= 0; i--) number = number << 8 | bytes[i];
    return number;
}

// All that was printed has left the program.
static inline int finish(void)
{
    if (fflush(stdout) != 0 || ferror(stdout)) stop("the output cannot be written");
    return 0;
}
