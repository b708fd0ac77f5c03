// json.h: the one reader of JSON, which is the library cJSON made safe for untrusted text, and how JSON's strings are written.
//
//     JsonText text = {.place = HERE, .path = path, .bytes = bytes, .size = size, .remedy = "fetch it again"};
//     const Json *file = json_read(&text, arena);
//     const Json *model = json_item(file, "model");
//     for (const Json *item = model->child; item; item = item->next) …
//
// What is no JSON, no UTF-8, nested too deep or larger than was allowed for stops the program with the file's name, the byte
// and the remedy. cJSON's strings end at a NUL; here \u0000 is a character like others, unless c_strings forbids it. A number is a
// double: whole ones are exact up to 2⁵³. The tree is the arena's, and needs the text no more.
#pragma once
#include "base/arena.h"

enum {
    JSON_MOST_NESTED = 128,    // arrays and objects within others
    JSON_MOST_VALUES = 1 << 22 // of a text, where nothing less is said
};

typedef struct {
    Place place;
    const char *path;   // of the file
    const char *part;   // what of it the text is, "header"; NULL: all
    const char *remedy; // what to do about a damaged one
    char *bytes;        // written to
    size_t size;
    size_t most_values; // names count too; 0: JSON_MOST_VALUES. A value takes some 200 bytes while it is read
    bool c_strings;     // refuse \u0000, where a string of C would end
} JsonText;

// Stops the program: "file: header: " and what is wrong with it.
noreturn __attribute__((format(printf, 2, 3))) void json_refuse(const JsonText *text, const char *format,
                                                                ...);

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
const Json *json_read(const JsonText *text, Arena *arena);

// A member of an object, the last of those with this name as for most readers; NULL when there is none, or no object.
const Json *json_item(const Json *object, const char *key);

static inline bool json_is(const Json *value, JsonKind kind) { return value && value->kind == kind; }

// Whether the value is a whole number from 0 to 2⁵³; then *whole is it.
bool json_whole(const Json *value, size_t *whole);

// ---- Writing ---------------------------------------------------------------------------------------------------------

// The characters of a string without its quotes: UTF-8, which quotes, backslashes and control characters are escaped in.
void json_write_characters(FILE *out, const char *bytes, size_t size);
void json_write_string(FILE *out, const char *bytes, size_t size); // with its quotes
