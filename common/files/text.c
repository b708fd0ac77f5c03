#include "files/text.h"

#include <limits.h>
#include <stdlib.h>

#include "files/text_file.h"

// ---- The file --------------------------------------------------------------------------------------------------------

// How to come by a file that is not there.
static const char *remedy(const char *path)
{
    static char hint[256];
    static const char cache[] = "datasets/cache/";
    const char *inside = strstr(path, cache);
    if (!inside) return "is the path right? `make data` brings the course's own data";
    inside += strlen(cache);
    snprintf(hint, sizeof hint, "type `make data DATA=%.*s` in the course's top folder",
             (int)strcspn(inside, "/"), inside);
    return hint;
}

Text text_read_bytes_at(Place place, Arena *arena, const char *path)
{
    FileBytes file = file_read_at(place, arena, path, TEXT_MAX_BYTES, remedy(path));
    return (Text){file.bytes, file.size};
}

Text text_read_at(Place place, Arena *arena, const char *path)
{
    FileBytes file = text_file_read_at(place, arena, path, TEXT_MAX_BYTES, remedy(path));
    return (Text){file.bytes, file.size};
}

bool text_equal(Text a, Text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0);
}

Text text_part_at(Place place, Text text, size_t first, size_t size)
{
    check_at(place, first <= text.size && size <= text.size - first,
             "first + size is at most the text's size", "text_part: %zu bytes from byte %zu on, of %zu", size,
             first, text.size);
    return (Text){text.bytes + first, size};
}

char *text_string(Arena *arena, Text text)
{
    char *string = arena_alloc(arena, text.size + 1, 1);
    if (text.size > 0) memcpy(string, text.bytes, text.size);
    string[text.size] = 0;
    return string;
}

// ---- Characters --------------------------------------------------------------------------------------------------------

size_t text_characters(Text text)
{
    size_t count = 0;
    for (size_t at = 0; at < text.size; count++) text_next(text, &at);
    return count;
}

size_t text_invalid(Text text) { return utf8_invalid(text.bytes, text.size); }

// ---- Pieces ----------------------------------------------------------------------------------------------------------

size_t text_find(Text text, const char *what)
{
    const char *found = text.size > 0 ? memmem(text.bytes, text.size, what, strlen(what)) : NULL;
    return found ? (size_t)(found - text.bytes) : text.size;
}

Text *text_split_at(Place place, Arena *arena, Text text, const char *separator, int *count)
{
    size_t width = strlen(separator), pieces = 0;
    check_at(place, width > 0, "a newline, for instance", "text_split: the separator is empty");
    // Once to count, once to fill.
    Text *list = NULL;
    for (int round = 0; round < 2; round++) {
        pieces = 0;
        for (Text rest = text; rest.size > 0; pieces++) {
            size_t end = text_find(rest, separator);
            if (list) list[pieces] = (Text){rest.bytes, end};
            size_t used = end < rest.size ? end + width : end;
            rest = (Text){rest.bytes + used, rest.size - used};
        }
        check_at(place, pieces <= INT_MAX, "cut the text into parts", "text_split: there are %zu pieces",
                 pieces);
        if (!list) list = arena_alloc_at(place, arena, pieces, sizeof *list);
    }
    *count = (int)pieces;
    return list;
}

static bool is_blank(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 || c == 0x3000; // no-break and ideographic space
}

Text text_collapse_blanks(Arena *arena, Text text)
{
    char *bytes = arena_alloc(arena, text.size + 1, 1);
    size_t size = 0;
    bool pending = false; // a run of blanks has been met
    for (size_t at = 0; at < text.size;) {
        size_t before = at;
        if (is_blank(text_next(text, &at))) {
            pending = true;
            continue;
        }
        if (pending && size > 0) bytes[size++] = ' ';
        pending = false;
        while (before < at) bytes[size++] = text.bytes[before++];
    }
    bytes[size] = 0;
    return (Text){bytes, size};
}

// ---- Characters as numbers ---------------------------------------------------------------------------------------------

enum { CODE_POINTS = 0x110000 };

static uint32_t *count_characters(Place place, Arena *arena, Text text)
{
    uint32_t *counts = arena_zeros_at(place, arena, CODE_POINTS, sizeof *counts);
    for (size_t at = 0; at < text.size;) counts[text_next(text, &at)]++;
    return counts;
}

// All characters whose count is not 0, in rising order.
static Alphabet with_counts(Place place, Arena *arena, const uint32_t *counts)
{
    Alphabet alphabet = {0};
    for (uint32_t c = 0; c < CODE_POINTS; c++) alphabet.size += counts[c] > 0;
    alphabet.characters = arena_alloc_at(place, arena, (size_t)alphabet.size, sizeof *alphabet.characters);
    int filled = 0;
    for (uint32_t c = 0; c < CODE_POINTS; c++)
        if (counts[c] > 0) alphabet.characters[filled++] = c;
    return alphabet;
}

Alphabet alphabet_of_at(Place place, Arena *arena, Text text)
{
    check_at(place, text.size > 0, "is this the right file?", "alphabet_of: the text is empty");
    Arena *scratch = arena_new();
    Alphabet alphabet = with_counts(place, arena, count_characters(place, scratch, text));
    arena_free(scratch);
    return alphabet;
}

static int by_falling_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

Alphabet alphabet_frequent_at(Place place, Arena *arena, Text text, int most)
{
    check_at(place, most >= 1, "1 is the alphabet of U+FFFD alone",
             "alphabet_frequent: at most %d characters", most);
    Arena *scratch = arena_new();
    uint32_t *counts = count_characters(place, scratch, text);
    counts[UTF8_REPLACEMENT] = 0; // has its place without asking
    Alphabet all = with_counts(place, scratch, counts);

    // Sorted as one number: the count, then the code point turned round.
    uint64_t *keys = arena_alloc(scratch, (size_t)all.size, sizeof *keys);
    for (int i = 0; i < all.size; i++)
        keys[i] = (uint64_t)counts[all.characters[i]] << 32 | (CODE_POINTS - all.characters[i]);
    qsort(keys, (size_t)all.size, sizeof *keys, by_falling_number);
    for (int i = most - 1; i < all.size; i++) counts[CODE_POINTS - (keys[i] & 0xFFFFFFFF)] = 0;
    counts[UTF8_REPLACEMENT] = 1;
    Alphabet alphabet = with_counts(place, arena, counts);
    arena_free(scratch);
    return alphabet;
}

static int find_character(Alphabet alphabet, uint32_t character)
{
    int low = 0, high = alphabet.size; // the answer, if there is one, lies in low … high − 1
    while (low < high) {
        int middle = (low + high) / 2;
        if (alphabet.characters[middle] == character) return middle;
        if (alphabet.characters[middle] < character)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

int alphabet_id(Alphabet alphabet, uint32_t character)
{
    int id = find_character(alphabet, character);
    return id >= 0 ? id : find_character(alphabet, UTF8_REPLACEMENT);
}

int *alphabet_encode_at(Place place, Arena *arena, Alphabet alphabet, Text text, size_t *length)
{
    *length = text_characters(text);
    int *ids = arena_alloc_at(place, arena, *length, sizeof *ids);
    size_t at = 0;
    for (size_t i = 0; i < *length; i++) {
        uint32_t character = text_next(text, &at);
        ids[i] = alphabet_id(alphabet, character);
        check_at(place, ids[i] >= 0,
                 "make the alphabet of all texts that it is to write, or with alphabet_frequent",
                 "alphabet_encode: the character U+%04X, number %zu of the text, is not in the alphabet",
                 character, i);
    }
    return ids;
}

Text alphabet_decode_at(Place place, Arena *arena, Alphabet alphabet, const int *ids, size_t length)
{
    char *bytes = arena_alloc_at(place, arena, size_sum(place, size_product(place, length, 4), 1), 1);
    size_t size = 0;
    for (size_t i = 0; i < length; i++) {
        check_at(place, ids[i] >= 0 && ids[i] < alphabet.size, "is it a number of this alphabet?",
                 "alphabet_decode: number %zu is %d; the alphabet has %d characters", i, ids[i],
                 alphabet.size);
        size += (size_t)utf8_encode(bytes + size, alphabet.characters[ids[i]]);
    }
    bytes[size] = 0;
    return (Text){bytes, size};
}
