// json.c: reading JSON, and writing its strings. See json.h.
#include "base/json.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void json_refuse(const JsonReader *r, size_t at, const char *format, ...)
{
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    die_at(r->place, r->remedy, "%s: %s%sbyte %zu: %s", r->path, r->part ? r->part : "", r->part ? ", " : "",
           at, what);
}

#define refuse(r, ...) json_refuse(r, (r)->at, __VA_ARGS__)

// ---- Piece by piece ------------------------------------------------------------------------------------------------------

static bool is_blank(int c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

int json_peek(JsonReader *r)
{
    while (r->at < r->size && is_blank(r->text[r->at])) r->at++;
    return r->at < r->size ? r->text[r->at] : -1;
}

bool json_take(JsonReader *r, char wanted)
{
    if (json_peek(r) != wanted) return false;
    r->at++;
    return true;
}

void json_expect(JsonReader *r, char wanted)
{
    int found = json_peek(r);
    if (json_take(r, wanted)) return;
    if (found < 0) refuse(r, "it ends where '%c' is expected", wanted);
    if (found < 32 || found > 126) refuse(r, "byte 0x%02x where '%c' is expected", (unsigned)found, wanted);
    refuse(r, "'%c' where '%c' is expected", found, wanted);
}

bool json_take_word(JsonReader *r, const char *word)
{
    size_t length = strlen(word);
    if (json_peek(r) < 0 || r->size - r->at < length || memcmp(r->text + r->at, word, length) != 0)
        return false;
    r->at += length;
    return true;
}

static unsigned hexadecimal4(JsonReader *r)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        int c = r->at < r->size ? r->text[r->at] : -1;
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) refuse(r, "\\u needs four hexadecimal digits");
        value = value * 16 + (unsigned)digit;
    }
    return value;
}

// The character of \uXXXX (two of them for a surrogate pair), written as UTF-8; returns its length.
static size_t unicode_escape(JsonReader *r, char out[4])
{
    unsigned code = hexadecimal4(r);
    if (code >= 0xd800 && code < 0xdc00) {
        if (r->size - r->at < 6 || r->text[r->at] != '\\' || r->text[r->at + 1] != 'u')
            refuse(r, "half a surrogate pair");
        r->at += 2;
        unsigned low = hexadecimal4(r);
        if (low < 0xdc00 || low > 0xdfff) refuse(r, "half a surrogate pair");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code <= 0xdfff) {
        refuse(r, "half a surrogate pair");
    }
    if (code == 0 && r->c_strings) refuse(r, "a NUL inside a string, where a string of C would end");
    return (size_t)utf8_encode(out, code);
}

// A string, decoded in its place: an escape is never longer decoded than written, and the closing quote makes room
// for the 0 at the end.
char *json_string(JsonReader *r, size_t *length)
{
    json_expect(r, '"');
    size_t end = r->at;
    while (end < r->size && r->text[end] != '"') end += r->text[end] == '\\' ? 2 : 1;
    if (end >= r->size) refuse(r, "a string without end");
    char *string = (char *)r->text + r->at, *out = string;
    while (r->at < end) {
        const unsigned char *c = r->text + r->at;
        if (*c < 0x20) refuse(r, "a control character inside a string");
        if (*c != '\\') {
            uint32_t character;
            int width = utf8_decode((const char *)c, end - r->at, &character);
            if (character == UTF8_REPLACEMENT && width == 1) refuse(r, "not UTF-8");
            for (int i = 0; i < width; i++) *out++ = (char)c[i];
            r->at += (size_t)width;
            continue;
        }
        r->at += 2;
        const char *letters = "\"\\/bfnrt", *values = "\"\\/\b\f\n\r\t", *which = strchr(letters, c[1]);
        if (c[1] == 'u') {
            char bytes[4];
            size_t width = unicode_escape(r, bytes);
            memcpy(out, bytes, width);
            out += width;
        } else if (c[1] && which) {
            *out++ = values[which - letters];
        } else {
            refuse(r, "an unknown escape");
        }
    }
    if (r->at != end) refuse(r, "an escape across the end of a string");
    r->at++;
    *out = '\0';
    if (length) *length = (size_t)(out - string);
    return string;
}

size_t json_whole(JsonReader *r)
{
    int c = json_peek(r);
    if (c < '0' || c > '9') refuse(r, "a whole number, not negative, is expected");
    if (c == '0' && r->at + 1 < r->size && r->text[r->at + 1] >= '0' && r->text[r->at + 1] <= '9')
        refuse(r, "a number with a leading 0");
    size_t value = 0;
    for (; r->at < r->size && r->text[r->at] >= '0' && r->text[r->at] <= '9'; r->at++)
        if (__builtin_mul_overflow(value, (size_t)10, &value) ||
            __builtin_add_overflow(value, (size_t)(r->text[r->at] - '0'), &value))
            refuse(r, "a number beyond 64 bits");
    if (r->at < r->size && strchr(".eE", r->text[r->at]) && r->text[r->at])
        refuse(r, "a whole number is expected");
    return value;
}

static size_t skip_digits(JsonReader *r)
{
    size_t first = r->at;
    while (r->at < r->size && r->text[r->at] >= '0' && r->text[r->at] <= '9') r->at++;
    return r->at - first;
}

static void skip_number(JsonReader *r)
{
    size_t start = r->at;
    if (r->text[r->at] == '-') r->at++;
    size_t first = r->at, digits = skip_digits(r);
    bool right = digits == 1 || (digits > 1 && r->text[first] != '0');
    if (right && r->at < r->size && r->text[r->at] == '.') r->at++, right = skip_digits(r) > 0;
    if (right && r->at < r->size && (r->text[r->at] | 0x20) == 'e') {
        r->at++;
        if (r->at < r->size && (r->text[r->at] == '+' || r->text[r->at] == '-')) r->at++;
        right = skip_digits(r) > 0;
    }
    if (!right) json_refuse(r, start, "a value is expected");
}

// ---- Values ----------------------------------------------------------------------------------------------------------

static void skip_value(JsonReader *r, int nested)
{
    int c = json_peek(r);
    if (c == '"') {
        json_string(r, NULL);
    } else if (c == '{' || c == '[') {
        const char end = c == '{' ? '}' : ']';
        if (nested == JSON_MOST_NESTED) refuse(r, "values nested more than %d deep", JSON_MOST_NESTED);
        r->at++;
        if (json_take(r, end)) return;
        do {
            if (c == '{') {
                json_string(r, NULL);
                json_expect(r, ':');
            }
            skip_value(r, nested + 1);
        } while (json_take(r, ','));
        json_expect(r, end);
    } else if (!json_take_word(r, "true") && !json_take_word(r, "false") && !json_take_word(r, "null")) {
        if (c < 0) refuse(r, "it ends where a value is expected");
        skip_number(r);
    }
}

void json_skip(JsonReader *r) { skip_value(r, 0); }

static Json *read_value(JsonReader *r, Arena *arena, int nested);

// { … } or [ … ]
static void read_children(JsonReader *r, Arena *arena, Json *value, int nested)
{
    const bool object = value->kind == JSON_OBJECT;
    const char end = object ? '}' : ']';
    if (nested == JSON_MOST_NESTED) refuse(r, "values nested more than %d deep", JSON_MOST_NESTED);
    r->at++;
    if (json_take(r, end)) return;
    Json **last = &value->child;
    do {
        size_t size = 0;
        const char *key = object ? json_string(r, &size) : NULL;
        if (object) json_expect(r, ':');
        *last = read_value(r, arena, nested + 1);
        (*last)->key = key;
        (*last)->key_size = size;
        last = &(*last)->next;
    } while (json_take(r, ','));
    json_expect(r, end);
}

// The digits are copied: behind the text no 0 need follow.
static double read_number(JsonReader *r)
{
    char digits[64];
    size_t start = r->at;
    skip_number(r);
    size_t length = r->at - start;
    if (length >= sizeof digits) json_refuse(r, start, "a number of %zu characters", length);
    memcpy(digits, r->text + start, length);
    digits[length] = '\0';
    return strtod(digits, NULL);
}

static Json *read_value(JsonReader *r, Arena *arena, int nested)
{
    Json *value = arena_zeros_at(r->place, arena, 1, sizeof *value);
    int c = json_peek(r);
    if (c == '"') {
        value->kind = JSON_STRING;
        value->text = json_string(r, &value->size);
    } else if (c == '{' || c == '[') {
        value->kind = c == '{' ? JSON_OBJECT : JSON_ARRAY;
        read_children(r, arena, value, nested);
    } else if (json_take_word(r, "true")) {
        value->kind = JSON_TRUE;
    } else if (json_take_word(r, "false")) {
        value->kind = JSON_FALSE;
    } else if (!json_take_word(r, "null")) {
        if (c < 0) refuse(r, "it ends where a value is expected");
        value->kind = JSON_NUMBER;
        value->number = read_number(r);
    }
    return value;
}

const Json *json_read(JsonReader *r, Arena *arena)
{
    const Json *value = read_value(r, arena, 0);
    if (json_peek(r) >= 0) refuse(r, "something other than white space behind the value");
    return value;
}

const Json *json_item(const Json *object, const char *key)
{
    const Json *found = NULL;
    const size_t size = strlen(key);
    if (!json_is(object, JSON_OBJECT)) return NULL;
    for (const Json *item = object->child; item; item = item->next)
        if (item->key_size == size && memcmp(item->key, key, size) == 0) found = item;
    return found;
}

// ---- Writing -------------------------------------------------------------------------------------------------------------

void json_write_characters(FILE *out, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)bytes[i];
        if (c < 0x20) {
            fprintf(out, "\\u%04x", c);
        } else {
            if (c == '"' || c == '\\') fputc('\\', out);
            fputc(c, out);
        }
    }
}

void json_write_string(FILE *out, const char *bytes, size_t size)
{
    fputc('"', out);
    json_write_characters(out, bytes, size);
    fputc('"', out);
}
