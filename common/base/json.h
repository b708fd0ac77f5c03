// json.h: the one reader of JSON (RFC 8259), and how its strings are written.
//
//     JsonReader reader = {.place = HERE, .path = path, .text = bytes, .size = size, .remedy = "fetch it again"};
//     json_expect(&reader, '{');                     // step by step, for what need not be kept:
//     size_t length;
//     char *key = json_string(&reader, &length);
//     json_expect(&reader, ':');
//     json_skip(&reader);
//
//     const Json *file = json_read(&reader, arena);  // or as a tree, for files that refer to and fro
//     const Json *model = json_item(file, "model");
//
// The text is untrusted. What is no JSON, no UTF-8, nested too deep or not what was asked for stops the program with the
// file's name, the byte and what was expected there. Strings are decoded where they stand: the text must be writable, and
// live as long as they do. White space may stand before each piece. The reader takes memory for a tree only, in proportion
// to the text.
#pragma once
#include "base/arena.h"

enum { JSON_MOST_NESTED = 128 }; // arrays and objects within others

typedef struct {
    Place place;
    const char *path;   // of the file
    const char *part;   // what of it the text is, "header"; NULL: all
    const char *remedy; // what to do about a damaged one
    unsigned char *text;
    size_t size, at;
    bool c_strings; // refuse \u0000, where a string of C would end
} JsonReader;

// Stops the program: the text is not what it should be at this byte.
noreturn __attribute__((format(printf, 3, 4))) void json_refuse(const JsonReader *reader, size_t at,
                                                                const char *format, ...);

int json_peek(JsonReader *reader);                         // the byte that comes next; −1 at the end
bool json_take(JsonReader *reader, char wanted);           // whether it comes next; then it is passed
void json_expect(JsonReader *reader, char wanted);         // it must
bool json_take_word(JsonReader *reader, const char *word); // true, false, null
char *json_string(JsonReader *reader,
                  size_t *length);     // a 0 follows; others may be inside. length may be NULL
size_t json_whole(JsonReader *reader); // a whole number, not negative
void json_skip(JsonReader *reader);    // any value

// ---- As a tree -------------------------------------------------------------------------------------------------------

typedef enum { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } JsonKind;

typedef struct Json {
    JsonKind kind;
    double number;
    const char *text; // of a string, with a 0 behind it
    size_t size;
    const char *key; // of a member of an object
    size_t key_size;
    struct Json *child, *next; // the first of an array or object; the one behind this
} Json;

// The value that is the whole text.
const Json *json_read(JsonReader *reader, Arena *arena);

// A member of an object, the last of those with this name as for most readers; NULL when there is none, or no object.
const Json *json_item(const Json *object, const char *key);

static inline bool json_is(const Json *value, JsonKind kind) { return value && value->kind == kind; }

// ---- Writing ---------------------------------------------------------------------------------------------------------

// The characters of a string without its quotes: UTF-8, which quotes, backslashes and control characters are escaped in.
void json_write_characters(FILE *out, const char *bytes, size_t size);
void json_write_string(FILE *out, const char *bytes, size_t size); // with its quotes
