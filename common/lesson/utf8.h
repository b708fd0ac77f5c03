// utf8.h: how wide a text is on a screen. Strings in this course are UTF-8; a Chinese character is two columns wide.
#pragma once
#include <stdint.h>

enum { UTF8_REPLACEMENT = 0xFFFD }; // what stands for bytes that are not UTF-8

// The character at *text, and moves *text behind it. Bytes that are no UTF-8 give UTF8_REPLACEMENT, one byte at a time.
// At the end of the string it gives 0 and does not move.
static inline uint32_t utf8_next(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    if (at[0] == 0) return 0;
    *text += 1;
    if (at[0] < 0x80) return at[0];
    int more = at[0] >= 0xF0 ? 3 : at[0] >= 0xE0 ? 2 : 1;
    if (at[0] < 0xC2 || at[0] > 0xF4) return UTF8_REPLACEMENT;
    uint32_t character = at[0] & (0x3Fu >> more);
    for (int i = 1; i <= more; i++) {
        if ((at[i] & 0xC0) != 0x80) return UTF8_REPLACEMENT;
        character = character << 6 | (at[i] & 0x3Fu);
    }
    const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    if (character < smallest[more] || character > 0x10FFFF || (character >> 11) == 0x1B)
        return UTF8_REPLACEMENT;
    *text += more;
    return character;
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
