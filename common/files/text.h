// text.h: a text as bytes, as characters, and as the numbers that a model of characters reads.
//
//     Text novel = text_read(arena, "datasets/cache/austen/austen.txt");
//     Alphabet alphabet = alphabet_of(arena, novel);                       // its characters, in order
//     size_t length;
//     int *ids = alphabet_encode(arena, alphabet, novel, &length);         // each from 0 to alphabet.size − 1
//     Text again = alphabet_decode(arena, alphabet, ids, length);          // the same bytes
//
// A text is a view of UTF-8 bytes: it owns nothing, and a part of a text is a text. A character is a Unicode code point.
//
// text_read takes the file for untrusted input (files/text_file.h): a byte order mark is dropped, CR LF and CR become newlines;
// a missing, unreadable or too large file, another encoding, a NUL byte and bytes that are no UTF-8 stop the program with the
// file's name, the line, and what to do. The functions that walk over a text never leave it, whatever it holds: bytes that
// are no UTF-8 count as U+FFFD, the replacement character, one by one.
#pragma once
#include "base/arena.h"
#include "base/utf8.h"

enum { TEXT_MAX_BYTES = 1 << 30 };

typedef struct {
    const char *bytes;
    size_t size; // in bytes
} Text;

#define text_read(arena, path) text_read_at(HERE, arena, path)
Text text_read_at(Place place, Arena *arena, const char *path);

// The same without asking what the bytes are. A 0 follows the last byte.
#define text_read_bytes(arena, path) text_read_bytes_at(HERE, arena, path)
Text text_read_bytes_at(Place place, Arena *arena, const char *path);

static inline Text text_of(const char *string) { return (Text){string, strlen(string)}; }
bool text_equal(Text a, Text b);

// The bytes first … first + size − 1, a view. Parts that may cut a character are the caller's choice.
#define text_part(text, first, size) text_part_at(HERE, text, first, size)
Text text_part_at(Place place, Text text, size_t first, size_t size);

// As a C string.
char *text_string(Arena *arena, Text text);

// ---- Characters --------------------------------------------------------------------------------------------------------

// The character that begins at byte *at, and moves *at behind it. *at < text.size.
static inline uint32_t text_next(Text text, size_t *at)
{
    uint32_t character;
    *at += (size_t)utf8_decode(text.bytes + *at, text.size - *at, &character);
    return character;
}

size_t text_characters(Text text); // how many
size_t text_invalid(Text text);    // the first byte that is no UTF-8; text.size when there is none

// ---- Pieces ----------------------------------------------------------------------------------------------------------

// The pieces between separators, views in the order of the text; *count receives how many. "a\nb\n" at "\n": a and b;
// a last separator begins no piece, others may enclose empty ones.
#define text_split(arena, text, separator, count) text_split_at(HERE, arena, text, separator, count)
Text *text_split_at(Place place, Arena *arena, Text text, const char *separator, int *count);

// The first place of what in the text, in bytes; text.size when there is none.
size_t text_find(Text text, const char *what);

// A copy in which each run of blanks, tabs, newlines and no-break spaces is one blank, none at either end.
Text text_collapse_blanks(Arena *arena, Text text);

// ---- Characters as numbers ---------------------------------------------------------------------------------------------

typedef struct {
    int size;
    uint32_t *characters; // [size] in rising order
} Alphabet;

// All characters of a text.
#define alphabet_of(arena, text) alphabet_of_at(HERE, arena, text)
Alphabet alphabet_of_at(Place place, Arena *arena, Text text);

// The most frequent ones, and U+FFFD for all others: at most `most` in all. Among equals the smaller code point wins.
#define alphabet_frequent(arena, text, most) alphabet_frequent_at(HERE, arena, text, most)
Alphabet alphabet_frequent_at(Place place, Arena *arena, Text text, int most);

// The number of a character; that of U+FFFD for one that is not there; −1 when that is not there either.
int alphabet_id(Alphabet alphabet, uint32_t character);

// All characters of a text as numbers. One that has no number stops the program, naming the character.
#define alphabet_encode(arena, alphabet, text, length) alphabet_encode_at(HERE, arena, alphabet, text, length)
int *alphabet_encode_at(Place place, Arena *arena, Alphabet alphabet, Text text, size_t *length);

// And back. A number outside 0 … size − 1 stops the program.
#define alphabet_decode(arena, alphabet, ids, length) alphabet_decode_at(HERE, arena, alphabet, ids, length)
Text alphabet_decode_at(Place place, Arena *arena, Alphabet alphabet, const int *ids, size_t length);
