// json.c: reading JSON with cJSON, and writing its strings. See json.h.
#include "files/json.h"
#include "base/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

void json_refuse(const JsonText *text, const char *format, ...)
{
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    die_at(text->place, text->remedy, "%s: %s%s%s", text->path, text->part ? text->part : "",
           text->part ? ": " : "", what);
}

#if __has_include(<cjson/cJSON.h>) && !defined(JSON_WITHOUT_LIBRARY)
#include <cjson/cJSON.h>

// ---- Before cJSON reads it -------------------------------------------------------------------------------------------

static bool is_hexadecimal4(const char *digits)
{
    for (int i = 0; i < 4; i++)
        if (!strchr("0123456789abcdefABCDEF", digits[i])) return false;
    return true;
}

// cJSON gives strings that end at a NUL, and takes \uxyz0 for one. Before parsing, a NUL's escape is replaced by the bytes
// C0 80, which no UTF-8 has. A backslash behind a backslash begins nothing. Returns the new size.
static size_t replace_nul_escapes(const JsonText *text)
{
    char *to = text->bytes;
    const char *at = text->bytes, *end = at + text->size;
    while (at < end) {
        if (end - at >= 6 && memcmp(at, "\\u0000", 6) == 0) {
            if (text->c_strings)
                json_refuse(text, "byte %zu: a NUL inside a string, where a string of C would end",
                            (size_t)(at - text->bytes));
            *to++ = (char)0xc0;
            *to++ = (char)0x80;
            at += 6;
            continue;
        }
        const bool pair = *at == '\\' && end - at > 1;
        if (pair && at[1] == 'u' && (end - at < 6 || !is_hexadecimal4(at + 2)))
            json_refuse(text, "byte %zu: \\u needs four hexadecimal digits", (size_t)(at - text->bytes));
        if (pair) *to++ = *at++;
        *to++ = *at++;
    }
    return (size_t)(to - text->bytes);
}

// Bounds memory before it is asked for: counts what may begin a value, and how deep values lie in others.
static void check_bounds(const JsonText *text)
{
    const size_t most = text->most_values ? text->most_values : JSON_MOST_VALUES;
    size_t values = 1;
    int nested = 0;
    bool in_string = false;
    for (size_t i = 0; i < text->size; i++) {
        const char c = text->bytes[i];
        if (c == '"') in_string = !in_string;
        if (in_string) {
            i += c == '\\';
            continue;
        }
        if (c == '[' || c == '{') nested++;
        if (c == ']' || c == '}') nested--;
        if (nested > JSON_MOST_NESTED)
            json_refuse(text, "byte %zu: values nested more than %d deep", i, JSON_MOST_NESTED);
        values += c == ',' || c == ':' || c == '[' || c == '{';
        if (values > most) json_refuse(text, "byte %zu: more than %zu values", i, most);
    }
}

// ---- The tree --------------------------------------------------------------------------------------------------------

// The characters of a string of cJSON's, NULs put back in place.
static const char *string_of(const JsonText *text, Arena *arena, const char *string, size_t *size)
{
    char *copy = arena_alloc_at(text->place, arena, strlen(string) + 1, 1), *to = copy;
    for (const char *at = string; *at; at++) {
        bool nul = (unsigned char)at[0] == 0xc0 && (unsigned char)at[1] == 0x80;
        *to++ = nul ? '\0' : *at;
        at += nul;
    }
    *to = '\0';
    *size = (size_t)(to - copy);
    return copy;
}

static Json *value_of(const JsonText *text, Arena *arena, const cJSON *from)
{
    Json *value = arena_zeros_at(text->place, arena, 1, sizeof *value), **last = &value->child;
    value->kind = cJSON_IsObject(from)   ? JSON_OBJECT
                  : cJSON_IsArray(from)  ? JSON_ARRAY
                  : cJSON_IsString(from) ? JSON_STRING
                  : cJSON_IsNumber(from) ? JSON_NUMBER
                  : cJSON_IsTrue(from)   ? JSON_TRUE
                  : cJSON_IsFalse(from)  ? JSON_FALSE
                                         : JSON_NULL;
    if (value->kind == JSON_STRING) value->text = string_of(text, arena, from->valuestring, &value->size);
    if (value->kind == JSON_NUMBER) value->number = from->valuedouble;
    if (from->string) value->key = string_of(text, arena, from->string, &value->key_size);
    for (const cJSON *child = from->child; child; child = child->next, last = &(*last)->next)
        *last = value_of(text, arena, child);
    return value;
}

const Json *json_read(const JsonText *given, Arena *arena)
{
    JsonText text = *given;
    size_t wrong = utf8_invalid(text.bytes, text.size);
    if (wrong < text.size) json_refuse(&text, "byte %zu: not UTF-8", wrong);
    const char *nul = memchr(text.bytes, 0, text.size), *end = NULL;
    if (nul) json_refuse(&text, "byte %zu: a NUL", (size_t)(nul - text.bytes));
    text.size = replace_nul_escapes(&text);
    check_bounds(&text);
    cJSON *tree = cJSON_ParseWithLengthOpts(text.bytes, text.size, &end, false);
    const char *limit = text.bytes + text.size;
    if (!tree) json_refuse(&text, "no JSON from byte %zu on", end ? (size_t)(end - text.bytes) : 0);
    while (end < limit && strchr(" \t\r\n", *end)) end++;
    if (end < limit)
        json_refuse(&text, "byte %zu: something other than white space behind the value",
                    (size_t)(end - text.bytes));
    const Json *value = value_of(&text, arena, tree);
    cJSON_Delete(tree);
    return value;
}
#else
const Json *json_read(const JsonText *text, Arena *arena)
{
    (void)arena;
    die_at(text->place,
           "install libcjson-dev (`make setup` does), `touch common/files/json.c`, and try again",
           "%s: this program was built without cJSON, which reads JSON", text->path);
}
#endif

const Json *json_item(const Json *object, const char *key)
{
    const Json *found = NULL;
    const size_t size = strlen(key);
    if (!json_is(object, JSON_OBJECT)) return NULL;
    for (const Json *item = object->child; item; item = item->next)
        if (item->key_size == size && memcmp(item->key, key, size) == 0) found = item;
    return found;
}

bool json_whole(const Json *value, size_t *whole)
{
    const double most = 9007199254740992.0; // 2⁵³
    if (!json_is(value, JSON_NUMBER) || !(value->number >= 0.0 && value->number <= most) ||
        value->number != floor(value->number))
        return false;
    *whole = (size_t)value->number;
    return true;
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
