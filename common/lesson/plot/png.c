// Sees whether a picture is whole, and makes it small enough to be committed. gnuplot writes three bytes for each pixel; a diagram has few colours, so
// one byte, which chooses among 256, does. The red, green and blue of nearly all pixels move by at most 6 of their 255
// steps; a picture that needs more colours (photographs) stays as it is. PNG: RFC 2083.
#include "lesson/plot/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if __has_include(<zlib.h>)
#include <zlib.h>
#else // files stay as large as they are; only what tells a whole one is needed
typedef unsigned char Bytef;
typedef unsigned uInt;
typedef unsigned long uLong, uLongf;
enum { Z_OK, WITHOUT_ZLIB };

static int uncompress(Bytef *to, uLongf *size, const Bytef *from, uLong length)
{
    (void)to, (void)size, (void)from, (void)length;
    return WITHOUT_ZLIB;
}

static int compress2(Bytef *to, uLongf *size, const Bytef *from, uLong length, int level)
{
    (void)level;
    return uncompress(to, size, from, length);
}

static uLong compressBound(uLong length) { return length; }

static uLong crc32(uLong sum, const Bytef *bytes, uInt length)
{
    sum ^= 0xFFFFFFFF;
    for (uInt i = 0; bytes && i < length; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320 : 0);
    }
    return bytes ? sum ^ 0xFFFFFFFF : 0;
}
#endif

enum {
    HEADER = 8 + 25,
    MAX_FILE = 1 << 24,
    MAX_SIDE = 4000,
    SLOTS = 1 << 17,
    MAX_COLOURS = SLOTS / 2,
    PALETTE = 256
};

typedef struct {
    int width, height;
    uint8_t *pixels; // [height · width · 3]
} Picture;

typedef struct {
    uint32_t colour; // 0xRRGGBB
    uint32_t count;
    int entry; // of the palette, −1 for none
} Colour;

// ---- Reading -----------------------------------------------------------------------------------------------------------

static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

uint8_t *read_whole_file(Arena *arena, const char *path, size_t *length)
{
    FILE *file = fopen(path, "rbe");
    if (!file) return NULL;
    uint8_t *bytes = arena_alloc(arena, MAX_FILE + 1, 1);
    *length = fread(bytes, 1, MAX_FILE, file);
    bytes[*length] = 0;
    bool whole = *length < MAX_FILE && !ferror(file) && (fsync(fileno(file)) == 0 || errno == EINVAL);
    fclose(file);
    return whole ? bytes : NULL;
}

// A header, pieces whose check sums are right, and the end, behind which there is nothing.
static bool is_whole_png(const uint8_t *file, size_t length)
{
    if (length < HEADER || memcmp(file, signature, 8) != 0 || memcmp(file + 12, "IHDR", 4) != 0) return false;
    for (size_t at = 8; length - at >= 12;) {
        size_t size = big_endian(file + at);
        if (size > length - at - 12) return false;
        const uint8_t *name = file + at + 4;
        if (crc32(crc32(0, NULL, 0), name, (uInt)size + 4) != big_endian(name + 4 + size)) return false;
        at += size + 12;
        if (memcmp(name, "IEND", 4) == 0) return at == length;
    }
    return false;
}

// Text from <svg to </svg>; a file of which the disk has no more than the length would hold zeros.
static bool is_whole_svg(const uint8_t *file, size_t length)
{
    static const char end[] = "</svg>";
    while (length > 0 && (file[length - 1] == '\n' || file[length - 1] == ' ')) length--;
    return length >= sizeof end - 1 && memcmp(file + length - (sizeof end - 1), end, sizeof end - 1) == 0 &&
           memmem(file, length, "<svg", 4) && !memchr(file, 0, length);
}

bool is_whole_picture(const char *path, bool svg)
{
    Arena *arena = arena_new();
    size_t length;
    const uint8_t *file = read_whole_file(arena, path, &length);
    bool whole = file && (svg ? is_whole_svg(file, length) : is_whole_png(file, length));
    arena_free(arena);
    return whole;
}

// Puts the pieces of the compressed pixels together, at the beginning of the file's own bytes; false when there are none.
static bool join_pieces(uint8_t *file, size_t length, size_t *joined)
{
    *joined = 0;
    for (size_t at = 8; at + 12 <= length;) {
        size_t size = big_endian(file + at);
        if (size > length - at - 12) return false;
        bool pixels = memcmp(file + at + 4, "IDAT", 4) == 0;
        if (pixels) memmove(file + *joined, file + at + 8, size);
        if (pixels) *joined += size;
        at += size + 12;
    }
    return *joined > 0;
}

// Of a, b and c (left, above, above left) the one nearest to a + b − c.
static int paeth(int a, int b, int c)
{
    int p = a + b - c, to_a = abs(p - a), to_b = abs(p - b), to_c = abs(p - c);
    return to_a <= to_b && to_a <= to_c ? a : to_b <= to_c ? b : c;
}

// Undoes the prediction of each row from its neighbours: rows of one byte (the kind of prediction) and 3 · width bytes.
static bool undo_filters(Picture *picture, const uint8_t *rows)
{
    size_t stride = 3 * (size_t)picture->width;
    for (int i = 0; i < picture->height; i++) {
        const uint8_t *in = rows + (size_t)i * (stride + 1);
        uint8_t *out = picture->pixels + (size_t)i * stride, filter = *in++;
        const uint8_t *up = i ? out - stride : NULL; // the row above
        if (filter > 4) return false;
        for (size_t j = 0; j < stride; j++) {
            int left = j >= 3 ? out[j - 3] : 0, above = up ? up[j] : 0, corner = up && j >= 3 ? up[j - 3] : 0;
            const int predicted[] = {0, left, above, (left + above) / 2, paeth(left, above, corner)};
            out[j] = (uint8_t)(in[j] + predicted[filter]);
        }
    }
    return true;
}

// Reads a picture of 8 bits each for red, green and blue; false for anything else.
static bool read_picture(Arena *arena, const char *path, Picture *picture, size_t *length)
{
    uint8_t *bytes = read_whole_file(arena, path, length);
    if (!bytes || *length < HEADER || memcmp(bytes, signature, 8) != 0) return false;
    uint32_t width = big_endian(bytes + 16), height = big_endian(bytes + 20);
    static const uint8_t form[5] = {8, 2, 0, 0, 0}; // bits, red-green-blue, and no choices
    if (width < 1 || width > MAX_SIDE || height < 1 || height > MAX_SIDE || memcmp(bytes + 24, form, 5) != 0)
        return false;

    *picture = (Picture){.width = (int)width, .height = (int)height};
    uLongf size = (uLongf)height * (3 * width + 1), wanted = size;
    uint8_t *rows = arena_alloc(arena, size, 1);
    picture->pixels = arena_alloc(arena, (size_t)height * width, 3);
    size_t compressed;
    return join_pieces(bytes, *length, &compressed) && uncompress(rows, &size, bytes, compressed) == Z_OK &&
           size == wanted && undo_filters(picture, rows);
}

// ---- Colours -----------------------------------------------------------------------------------------------------------

static uint32_t pixel(const Picture *picture, size_t k)
{
    const uint8_t *p = picture->pixels + 3 * k;
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

// The place of a colour in the table; one with count 0 is free.
static Colour *find(Colour *table, uint32_t colour)
{
    size_t slot = (colour * 2654435761u) >> 15;
    while (table[slot].count && table[slot].colour != colour) slot = (slot + 1) % SLOTS;
    return &table[slot];
}

static int by_count(const void *a, const void *b)
{
    const Colour *left = a, *right = b;
    if (left->count != right->count) return left->count < right->count ? 1 : -1;
    return (left->colour > right->colour) - (left->colour < right->colour);
}

// The largest difference of two colours in red, green or blue.
static int distance(uint32_t a, uint32_t b)
{
    int most = 0;
    for (int shift = 0; shift <= 16; shift += 8)
        most = int_max(most, abs((int)(a >> shift & 0xFF) - (int)(b >> shift & 0xFF)));
    return most;
}

// Chooses a palette such that each colour is near an entry: at most common away for the colours of 97 % of the pixels, at
// most rare for the others, which are on the edges of letters and lines. The most frequent colour that no entry is near
// to becomes the next entry. Returns their number, 0 when 256 are not enough.
static int choose_palette(uint32_t *palette, Colour *colours, int count, size_t pixels, int common, int rare)
{
    int entries = 0;
    size_t seen = 0;
    for (int i = 0; i < count; i++) {
        int tolerance = (double)seen < 0.97 * (double)pixels ? common : rare, best = tolerance + 1;
        seen += colours[i].count;
        for (int e = 0; e < entries && best > 0; e++) {
            int apart = distance(colours[i].colour, palette[e]);
            if (apart < best) best = apart, colours[i].entry = e;
        }
        if (best <= tolerance) continue;
        if (entries == PALETTE) return 0;
        colours[i].entry = entries;
        palette[entries++] = colours[i].colour;
    }
    return entries;
}

// The palette that changes least.
static int choose_best_palette(uint32_t *palette, Colour *colours, int count, size_t pixels)
{
    static const int common[] = {0, 1, 2, 3, 4, 6}, rare[] = {0, 4, 8, 12, 16, 24, 32, 40};
    for (size_t c = 0; c < sizeof common / sizeof *common; c++) {
        for (size_t r = 0; r < sizeof rare / sizeof *rare; r++) {
            int entries = choose_palette(palette, colours, count, pixels, common[c], rare[r]);
            if (entries) return entries;
        }
    }
    return 0;
}

// Counts the colours of a picture, the most frequent first; 0 when there are too many.
static int count_colours(Colour *colours, Colour *table, const Picture *picture)
{
    int count = 0;
    size_t pixels = (size_t)picture->width * (size_t)picture->height;
    for (size_t k = 0; k < pixels; k++) {
        Colour *found = find(table, pixel(picture, k));
        if (!found->count && count++ == MAX_COLOURS) return 0;
        found->colour = pixel(picture, k);
        found->count++;
    }
    int i = 0;
    for (size_t slot = 0; slot < SLOTS; slot++)
        if (table[slot].count) colours[i++] = table[slot];
    qsort(colours, (size_t)count, sizeof *colours, by_count);
    return count;
}

// ---- Writing -----------------------------------------------------------------------------------------------------------

static void put_big_endian(FILE *file, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8) putc((int)(number >> shift & 0xFF), file);
}

static void put_chunk(FILE *file, const char *name, const uint8_t *bytes, size_t length)
{
    put_big_endian(file, (uint32_t)length);
    fwrite(name, 1, 4, file);
    if (length) fwrite(bytes, 1, length, file);
    uLong sum = crc32(crc32(0, NULL, 0), (const Bytef *)name, 4);
    put_big_endian(file, (uint32_t)(length ? crc32(sum, bytes, (uInt)length) : sum));
}

// Returns 0, or errno when not all of it is on the disk.
static int write_picture(const char *path, const Picture *picture, const uint32_t *palette, int entries,
                         const uint8_t *pixels, size_t length)
{
    FILE *file = fopen(path, "wbe");
    if (!file) return errno;
    uint8_t header[13] = {[8] = 8, [9] = 3}, colours[3 * PALETTE]; // 8 bits, with a palette
    for (int i = 0; i < 4; i++) {
        header[i] = (uint8_t)((uint32_t)picture->width >> (24 - 8 * i));
        header[4 + i] = (uint8_t)((uint32_t)picture->height >> (24 - 8 * i));
    }
    for (int e = 0; e < entries; e++)
        for (int c = 0; c < 3; c++) colours[3 * e + c] = (uint8_t)(palette[e] >> (16 - 8 * c));
    fwrite(signature, 1, sizeof signature, file);
    put_chunk(file, "IHDR", header, sizeof header);
    put_chunk(file, "PLTE", colours, 3 * (size_t)entries);
    put_chunk(file, "IDAT", pixels, length);
    put_chunk(file, "IEND", signature, 0);
    errno = 0;
    bool written = fflush(file) == 0 && !ferror(file) && (fsync(fileno(file)) == 0 || errno == EINVAL);
    int error = written ? 0 : errno ? errno : EIO;
    return fclose(file) == 0 ? error : error ? error : errno;
}

// Rows of one byte (no prediction) and an entry of the palette for each pixel, compressed.
static uint8_t *compress_pixels(Arena *arena, const Picture *picture, Colour *table, uLongf *length)
{
    size_t width = (size_t)picture->width, rows = (size_t)picture->height, size = rows * (width + 1);
    uint8_t *plain = arena_zeros(arena, size, 1);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < width; j++)
            plain[i * (width + 1) + 1 + j] = (uint8_t)find(table, pixel(picture, i * width + j))->entry;
    *length = compressBound(size);
    uint8_t *compressed = arena_alloc(arena, *length, 1);
    return compress2(compressed, length, plain, size, 9) == Z_OK ? compressed : NULL;
}

int squeeze_png(const char *path, const char *squeezed)
{
    Arena *arena = arena_new();
    Colour *table = arena_zeros(arena, SLOTS, sizeof *table),
           *colours = arena_alloc(arena, MAX_COLOURS, sizeof *colours);
    uint32_t palette[PALETTE];
    Picture picture;
    size_t before;
    int count = 0, entries = 0, error = 0;
    if (read_picture(arena, path, &picture, &before)) count = count_colours(colours, table, &picture);
    if (count)
        entries =
            choose_best_palette(palette, colours, count, (size_t)picture.width * (size_t)picture.height);
    if (entries) {
        for (int i = 0; i < count; i++) find(table, colours[i].colour)->entry = colours[i].entry;
        uLongf length;
        uint8_t *pixels = compress_pixels(arena, &picture, table, &length);
        bool smaller = pixels && length + 3 * (size_t)entries + 100 < before;
        if (smaller) error = write_picture(squeezed, &picture, palette, entries, pixels, length);
        if (smaller && error == 0 && rename(squeezed, path) != 0) error = errno;
        if (error) unlink(squeezed);
    }
    arena_free(arena);
    return error;
}
