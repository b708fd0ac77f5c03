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

static inline int utf8_is_in(const uint32_t (*ranges)[2], size_t count, uint32_t c)
{
    size_t low = 0, high = count; // the ranges are in order
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c < ranges[middle][0])
            high = middle;
        else if (c > ranges[middle][1])
            low = middle + 1;
        else
            return 1;
    }
    return 0;
}

// Columns of a fixed-width screen: 0 for a combining mark, 2 for East Asian characters and emoji (Unicode's Mn, Me and Cf,
// and East_Asian_Width W and F, of the scripts in use), else 1.
static inline int utf8_width(uint32_t c)
{
    static const uint32_t none[][2] = {
        {0x300, 0x36F},     {0x483, 0x489},    {0x591, 0x5BD},   {0x5BF, 0x5BF},   {0x5C1, 0x5C2},
        {0x5C4, 0x5C5},     {0x5C7, 0x5C7},    {0x610, 0x61A},   {0x61C, 0x61C},   {0x64B, 0x65F},
        {0x670, 0x670},     {0x6D6, 0x6DC},    {0x6DF, 0x6E4},   {0x6E7, 0x6E8},   {0x6EA, 0x6ED},
        {0x711, 0x711},     {0x730, 0x74A},    {0x900, 0x902},   {0x93A, 0x93A},   {0x93C, 0x93C},
        {0x941, 0x948},     {0x94D, 0x94D},    {0x951, 0x957},   {0x962, 0x963},   {0xE31, 0xE31},
        {0xE34, 0xE3A},     {0xE47, 0xE4E},    {0x1AB0, 0x1ACE}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F},
        {0x202A, 0x202E},   {0x2060, 0x2064},  {0x2066, 0x206F}, {0x20D0, 0x20F0}, {0x302A, 0x302D},
        {0x3099, 0x309A},   {0xFE00, 0xFE0F},  {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0001, 0xE0001},
        {0xE0020, 0xE007F}, {0xE0100, 0xE01EF}};
    static const uint32_t two[][2] = {
        {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},   {0x23F0, 0x23F0},
        {0x23F3, 0x23F3},   {0x25FD, 0x25FE},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267F, 0x267F},
        {0x2693, 0x2693},   {0x26A1, 0x26A1},   {0x26AA, 0x26AB},   {0x26BD, 0x26BE},   {0x26C4, 0x26C5},
        {0x26CE, 0x26CE},   {0x26D4, 0x26D4},   {0x26EA, 0x26EA},   {0x26F2, 0x26F3},   {0x26F5, 0x26F5},
        {0x26FA, 0x26FA},   {0x26FD, 0x26FD},   {0x2705, 0x2705},   {0x270A, 0x270B},   {0x2728, 0x2728},
        {0x274C, 0x274C},   {0x274E, 0x274E},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
        {0x27B0, 0x27B0},   {0x27BF, 0x27BF},   {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},   {0x2B55, 0x2B55},
        {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xA960, 0xA97C},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
        {0xFE30, 0xFE6F},   {0xFF01, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F004, 0x1F004}, {0x1F0CF, 0x1F0CF},
        {0x1F18E, 0x1F18E}, {0x1F191, 0x1F19A}, {0x1F200, 0x1F202}, {0x1F210, 0x1F23B}, {0x1F240, 0x1F248},
        {0x1F250, 0x1F251}, {0x1F260, 0x1F265}, {0x1F300, 0x1F320}, {0x1F32D, 0x1F335}, {0x1F337, 0x1F37C},
        {0x1F37E, 0x1F393}, {0x1F3A0, 0x1F3CA}, {0x1F3CF, 0x1F3D3}, {0x1F3E0, 0x1F3F0}, {0x1F3F4, 0x1F3F4},
        {0x1F3F8, 0x1F43E}, {0x1F440, 0x1F440}, {0x1F442, 0x1F4FC}, {0x1F4FF, 0x1F53D}, {0x1F54B, 0x1F54E},
        {0x1F550, 0x1F567}, {0x1F57A, 0x1F57A}, {0x1F595, 0x1F596}, {0x1F5A4, 0x1F5A4}, {0x1F5FB, 0x1F64F},
        {0x1F680, 0x1F6C5}, {0x1F6CC, 0x1F6CC}, {0x1F6D0, 0x1F6D2}, {0x1F6D5, 0x1F6D7}, {0x1F6DC, 0x1F6DF},
        {0x1F6EB, 0x1F6EC}, {0x1F6F4, 0x1F6FC}, {0x1F7E0, 0x1F7EB}, {0x1F7F0, 0x1F7F0}, {0x1F90C, 0x1F93A},
        {0x1F93C, 0x1F945}, {0x1F947, 0x1F9FF}, {0x1FA70, 0x1FAFF}, {0x20000, 0x2FFFD}, {0x30000, 0x3FFFD}};
    if (c < 0x300) return 1;
    if (utf8_is_in(none, sizeof none / sizeof *none, c)) return 0;
    return utf8_is_in(two, sizeof two / sizeof *two, c) ? 2 : 1;
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
