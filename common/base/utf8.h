// utf8.h: characters as bytes, and how wide they are on a screen. Strings in this course are UTF-8; a Chinese character
// is three bytes long and two columns wide.
#pragma once
#include <stdint.h>
#include <string.h>

enum { UTF8_REPLACEMENT = 0xFFFD }; // what stands for bytes that are not UTF-8

// The character at the beginning of size ≥ 1 bytes; returns how many bytes it takes, 1 to 4. What is no UTF-8 gives
// UTF8_REPLACEMENT, one byte at a time; the replacement character itself takes three.
static inline int utf8_decode(const char *bytes, size_t size, uint32_t *character)
{
    const unsigned char *at = (const unsigned char *)bytes;
    *character = at[0];
    if (at[0] < 0x80) return 1;
    *character = UTF8_REPLACEMENT;
    int more = at[0] >= 0xF0 ? 3 : at[0] >= 0xE0 ? 2 : 1;
    if (at[0] < 0xC2 || at[0] > 0xF4 || size <= (size_t)more) return 1;
    uint32_t c = at[0] & (0x3Fu >> more);
    for (int i = 1; i <= more; i++) {
        if ((at[i] & 0xC0) != 0x80) return 1;
        c = c << 6 | (at[i] & 0x3Fu);
    }
    const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    if (c < smallest[more] || c > 0x10FFFF || (c >> 11) == 0x1B) return 1;
    *character = c;
    return more + 1;
}

// The first byte that is no UTF-8; size when there is none.
static inline size_t utf8_invalid(const char *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        uint32_t character;
        int length = utf8_decode(bytes + at, size - at, &character);
        if (character == UTF8_REPLACEMENT && length == 1) return at;
        at += (size_t)length;
    }
    return size;
}

// The character at *text, and moves *text behind it. At the end of the string it gives 0 and does not move.
static inline uint32_t utf8_next(const char **text)
{
    if (**text == 0) return 0;
    uint32_t character;
    *text += utf8_decode(*text, strnlen(*text, 4), &character);
    return character;
}

// Writes a character as 1 to 4 bytes and returns how many; what is no character is written as UTF8_REPLACEMENT.
static inline int utf8_encode(char bytes[4], uint32_t c)
{
    if (c > 0x10FFFF || (c >> 11) == 0x1B) c = UTF8_REPLACEMENT;
    if (c < 0x80) {
        bytes[0] = (char)c;
        return 1;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    bytes[0] = (char)(0xFF00u >> (more + 1) | c >> 6 * more);
    for (int i = 1; i <= more; i++) bytes[i] = (char)(0x80 | (c >> 6 * (more - i) & 0x3F));
    return more + 1;
}

// Columns of a fixed-width screen: 0 for a combining mark, 2 for East Asian characters and emoji, else 1.
static inline int utf8_width(uint32_t c)
{
    if ((c >= 0x300 && c <= 0x36F) || (c >= 0x200B && c <= 0x200F) || (c >= 0xFE00 && c <= 0xFE0F)) return 0;
    return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
                   (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) ||
                   (c >= 0xFF00 && c <= 0xFF60) || (c >= 0xFFE0 && c <= 0xFFE6) ||
                   (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD)
               ? 2
               : 1;
}

static inline int utf8_columns(const char *text)
{
    int columns = 0;
    for (uint32_t c; (c = utf8_next(&text)) != 0;) columns += utf8_width(c);
    return columns;
}

// ---- Characters that arrive byte by byte, as from a model whose tokens may end within one ----------------------------

enum { UTF8_WAITING_ROOM = 12 }; // four bytes, each of which may turn out to be a replacement character

typedef struct {
    char bytes[4]; // of a character that is not whole yet
    size_t size;   // begins as 0
} Utf8Waiting;

// Whether bytes behind these (1 to 3) could make a character of them.
static inline int utf8_may_grow(const char *bytes, size_t size)
{
    // Some first bytes allow only low second bytes, some only high ones; for the later ones any will do.
    for (int next = 0x80; next <= 0xBF; next += 0x3F) {
        char longer[4] = {(char)next, (char)next, (char)next, (char)next};
        uint32_t character;
        memcpy(longer, bytes, size);
        if (utf8_decode(longer, sizeof longer, &character) > (int)size) return 1;
    }
    return 0;
}

// Takes one byte and writes to out what is certain now, as UTF-8 that cannot harm a terminal: bytes that are no character
// and control characters other than newline and tab come out as U+FFFD. Returns how many bytes were written.
static inline size_t utf8_grow(Utf8Waiting *waiting, char byte, char out[UTF8_WAITING_ROOM])
{
    size_t written = 0;
    waiting->bytes[waiting->size++] = byte;
    while (waiting->size && (waiting->size == 4 || !utf8_may_grow(waiting->bytes, waiting->size))) {
        uint32_t c;
        int used = utf8_decode(waiting->bytes, waiting->size, &c);
        int control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0);
        written += (size_t)utf8_encode(out + written, control ? UTF8_REPLACEMENT : c);
        waiting->size -= (size_t)used;
        memmove(waiting->bytes, waiting->bytes + used, waiting->size);
    }
    return written;
}
