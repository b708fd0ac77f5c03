// chat_template_text.c: strings of a template, and values as strings: as Python prints them and as JSON. See
// chat_template.h.
#include "models/chat_template_parts.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>

// ---- Characters ----

size_t chat_text_length(Run *run, Text text)
{
    size_t length = 0;
    run_bytes(run, text.size);
    for (size_t i = 0; i < text.size; i++) length += ((unsigned char)text.bytes[i] & 0xC0) != 0x80;
    return length;
}

size_t chat_text_byte(Run *run, Text text, int64_t character)
{
    size_t at = 0;
    run_bytes(run, text.size);
    for (int64_t i = 0; at < text.size; at++) {
        if (((unsigned char)text.bytes[at] & 0xC0) == 0x80) continue;
        if (i++ == character) break;
    }
    return at;
}

static bool is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000;
}

int chat_text_space(Text text, size_t at)
{
    uint32_t c;
    if (at >= text.size) return 0;
    const int size = utf8_decode(text.bytes + at, text.size - at, &c);
    return is_space(c) ? size : 0;
}

// How many bytes the last character has
static size_t last_character(Text text)
{
    size_t size = 1;
    while (size < text.size && ((unsigned char)text.bytes[text.size - size] & 0xC0) == 0x80) size++;
    return size;
}

Text chat_text_trimmed(Text text, bool left, bool right)
{
    while (left && text.size) {
        const size_t size = (size_t)chat_text_space(text, 0);
        if (!size) break;
        text = (Text){text.bytes + size, text.size - size};
    }
    while (right && text.size) {
        const size_t size = last_character(text);
        if (!chat_text_space(text, text.size - size)) break;
        text.size -= size;
    }
    return text;
}

bool chat_text_begins(Text text, Text beginning)
{
    return text.size >= beginning.size && text_is((Text){text.bytes, beginning.size}, beginning);
}

bool chat_text_ends(Text text, Text end)
{
    return text.size >= end.size && text_is((Text){text.bytes + text.size - end.size, end.size}, end);
}

// Knuth, Morris and Pratt's search would take memory; comparing at each place takes size · part at most, which is
// counted.
int64_t chat_text_find(Run *run, Text text, Text part, size_t from)
{
    const char *at = text.bytes + from, *end = text.bytes + text.size;
    if (part.size == 0) return (int64_t)from;
    size_t compared = 0;
    while (end - at >= (ptrdiff_t)part.size) {
        const char *first = memchr(at, part.bytes[0], (size_t)(end - at) - part.size + 1);
        compared += (size_t)((first ? first : end) - at) + part.size;
        if (!first) break;
        if (compared > 4096) {
            run_bytes(run, compared);
            compared = 0;
        }
        if (memcmp(first, part.bytes, part.size) == 0) return first - text.bytes;
        at = first + 1;
    }
    run_bytes(run, compared);
    return -1;
}

// ---- Joining ----

// Where a string ends at the end of a buffer with room, only what is new is written: making a text from left to right
// takes time linear in it.
Text chat_text_joined(Run *run, Text a, Text b)
{
    if (a.size == 0) return b;
    if (b.size == 0) return a;
    Buffer *buffer = NULL;
    for (int i = 0; i < JOINED && !buffer; i++)
        if (run->joined[i].bytes == a.bytes && run->joined[i].size == a.size) buffer = &run->joined[i];
    if (!buffer) {
        buffer = &run->joined[run->next_joined++ % JOINED];
        *buffer = (Buffer){0};
        buffer_text(run, buffer, a);
    }
    buffer_text(run, buffer, b);
    return (Text){buffer->bytes, buffer->size};
}

Text chat_text_replaced(Run *run, Text text, Text old, Text by, int64_t most)
{
    Buffer buffer = {0};
    size_t at = 0;
    for (; most != 0; most--) {
        const int64_t found = chat_text_find(run, text, old, at);
        if (found < 0) break;
        chat_buffer_put(run, &buffer, text.bytes + at, (size_t)found - at);
        buffer_text(run, &buffer, by);
        at = (size_t)found + old.size;
        run_steps(run, 1);
        if (old.size) continue;
        if (at == text.size) break; // nothing is found in front of each character and at the end
        uint32_t c;
        const size_t size = (size_t)utf8_decode(text.bytes + at, text.size - at, &c);
        chat_buffer_put(run, &buffer, text.bytes + at, size);
        at += size;
    }
    chat_buffer_put(run, &buffer, text.bytes + at, text.size - at);
    return buffer.size ? (Text){buffer.bytes, buffer.size} : TEXT("");
}

List *chat_text_characters(Run *run, Text text)
{
    List *list = chat_list_new(run, (int64_t)chat_text_length(run, text));
    size_t at = 0;
    for (int i = 0; i < list->count; i++) {
        uint32_t c;
        const size_t size = (size_t)utf8_decode(text.bytes + at, text.size - at, &c);
        list->items[i] = text_value((Text){text.bytes + at, size});
        at += size;
    }
    return list;
}

// How many bytes of an end of a line begin here, as Python's splitlines sees them
static size_t line_end(Text text, size_t at)
{
    const char c = text.bytes[at];
    if (c == '\r') return at + 1 < text.size && text.bytes[at + 1] == '\n' ? 2 : 1;
    if ((c >= '\n' && c <= '\f') || (c >= 0x1c && c <= 0x1e)) return 1;
    const Text rest = {text.bytes + at, text.size - at};
    if (chat_text_begins(rest, TEXT("\xc2\x85"))) return 2;
    return chat_text_begins(rest, TEXT("\xe2\x80\xa8")) || chat_text_begins(rest, TEXT("\xe2\x80\xa9")) ? 3
                                                                                                        : 0;
}

List *chat_text_lines(Run *run, Text text)
{
    int64_t count = 0;
    run_bytes(run, text.size * 8);
    for (size_t at = 0; at < text.size; count++)
        for (size_t end = 0; at < text.size && !end; at += end ? end : 1) end = line_end(text, at);
    List *list = chat_list_new(run, count);
    size_t at = 0;
    for (int i = 0; i < list->count; i++) {
        size_t end = at;
        while (end < text.size && !line_end(text, end)) end++;
        list->items[i] = text_value((Text){text.bytes + at, end - at});
        at = end < text.size ? end + line_end(text, end) : end;
    }
    return list;
}

// ---- Large and small letters ----

static uint32_t lower(uint32_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7)) return c + 32;
    if (c >= 0x410 && c <= 0x42F) return c + 32;
    return c >= 0x400 && c <= 0x40F ? c + 80 : c;
}

static uint32_t upper(uint32_t c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 0xE0 && c <= 0xFE && c != 0xF7)) return c - 32;
    if (c >= 0x430 && c <= 0x44F) return c - 32;
    if (c == 0xFF) return 0x178;
    return c >= 0x450 && c <= 0x45F ? c - 80 : c;
}

static bool is_letter(uint32_t c)
{
    const bool other = (c >= 0x100 && c <= 0x24F) || (c >= 0x386 && c <= 0x52F);
    return upper(c) != c || lower(c) != c || other || c == 0xDF || c == 0xAA || c == 0xB5 || c == 0xBA;
}

// What stands in front of a word for the filter title
static bool opens_word(uint32_t c) { return is_space(c) || (c && c < 0x80 && strchr("-({[<", (int)c)); }

typedef enum { LOWER, UPPER, TITLE, FILTER_TITLE, CAPITAL } Letters;

static Text changed(Run *run, Text text, Letters how)
{
    Buffer buffer = {0};
    bool begins = true;
    for (size_t at = 0; at < text.size;) {
        uint32_t c;
        char bytes[4];
        at += (size_t)utf8_decode(text.bytes + at, text.size - at, &c);
        const bool large = how == UPPER || (how != LOWER && begins);
        begins = how == TITLE ? !is_letter(c) : how == FILTER_TITLE && opens_word(c);
        if (large && c == 0xDF) {
            buffer_text(run, &buffer, how == UPPER || how == FILTER_TITLE ? TEXT("SS") : TEXT("Ss"));
            continue;
        }
        if (large && c == 0xB5) c = 0x39C;
        chat_buffer_put(run, &buffer, bytes, (size_t)utf8_encode(bytes, large ? upper(c) : lower(c)));
    }
    run_bytes(run, text.size * 8);
    return buffer.size ? (Text){buffer.bytes, buffer.size} : TEXT("");
}

Text chat_text_lower(Run *run, Text text) { return changed(run, text, LOWER); }
Text chat_text_upper(Run *run, Text text) { return changed(run, text, UPPER); }
Text chat_text_title(Run *run, Text text, bool filter)
{
    return changed(run, text, filter ? FILTER_TITLE : TITLE);
}
Text chat_text_capital(Run *run, Text text) { return changed(run, text, CAPITAL); }

// ---- Numbers ----

bool chat_text_number(Text text, bool *whole, int64_t *integer, double *real)
{
    char digits[400];
    text = chat_text_trimmed(text, true, true);
    if (text.size == 0 || text.size >= sizeof digits) return false;
    memcpy(digits, text.bytes, text.size);
    digits[text.size] = '\0';
    if (strspn(digits, "0123456789+-.eE") != text.size) return false;
    char *end;
    *real = strtod(digits, &end);
    if (end == digits || *end) return false;
    const size_t sign = digits[0] == '-' || digits[0] == '+';
    *whole = strspn(digits + sign, "0123456789") == text.size - sign;
    *integer = 0;
    for (size_t i = sign; *whole && i < text.size; i++)
        *whole = !__builtin_mul_overflow(*integer, 10, integer) &&
                 !__builtin_add_overflow(*integer, digits[i] - '0', integer);
    if (digits[0] == '-') *integer = -*integer;
    return true;
}

// The shortest decimal number that is this float, as Python writes it.
static void put_real(Run *run, Buffer *buffer, double real)
{
    char text[64], digits[32];
    if (real != real || isinf(real)) {
        buffer_text(run, buffer, text_of(real != real ? "nan" : real < 0 ? "-inf" : "inf"));
        return;
    }
    int precision = 0;
    do snprintf(text, sizeof text, "%.*e", precision, real);
    while (strtod(text, NULL) != real && precision++ < 17);
    const char *mantissa = text + (text[0] == '-');
    const int exponent = atoi(strchr(text, 'e') + 1), count = precision + 1;
    digits[0] = mantissa[0];
    memcpy(digits + 1, mantissa + 2, (size_t)precision);
    if (text[0] == '-') buffer_text(run, buffer, TEXT("-"));
    if (exponent >= 16 || exponent < -4) {
        chat_buffer_put(run, buffer, digits, 1);
        if (count > 1) buffer_text(run, buffer, TEXT("."));
        chat_buffer_put(run, buffer, digits + 1, (size_t)count - 1);
        snprintf(text, sizeof text, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
        buffer_text(run, buffer, text_of(text));
        return;
    }
    for (int i = int_min(exponent, 0); i < int_max(count, exponent + 2); i++) {
        if (i == exponent + 1) buffer_text(run, buffer, TEXT("."));
        chat_buffer_put(run, buffer, i >= 0 && i < count ? &digits[i] : "0", 1);
    }
}

static void put_integer(Run *run, Buffer *buffer, int64_t integer)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%lld", (long long)integer);
    buffer_text(run, buffer, text_of(digits));
}

// ---- As Python prints them ----

// Categories Cc, Cf, Zs, Zl, Zp, Co; what is not assigned counts as printable.
static bool is_printable(uint32_t c)
{
    static const uint32_t hidden[][2] = {
        {0, 0x1F},          {0x7F, 0xA0},       {0xAD, 0xAD},       {0x600, 0x605},     {0x61C, 0x61C},
        {0x6DD, 0x6DD},     {0x70F, 0x70F},     {0x890, 0x891},     {0x8E2, 0x8E2},     {0x1680, 0x1680},
        {0x180E, 0x180E},   {0x2000, 0x200F},   {0x2028, 0x202F},   {0x205F, 0x206F},   {0x3000, 0x3000},
        {0xE000, 0xF8FF},   {0xFEFF, 0xFEFF},   {0xFFF0, 0xFFFB},   {0xFFFE, 0xFFFF},   {0x110BD, 0x110BD},
        {0x110CD, 0x110CD}, {0x13430, 0x13438}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE00FF},
        {0xE01F0, 0x10FFFF}};
    return !utf8_is_in(hidden, sizeof hidden / sizeof *hidden, c);
}

static void put_quoted(Run *run, Buffer *buffer, Text text)
{
    const bool single = text.size && memchr(text.bytes, '\'', text.size);
    const char quote = single && !memchr(text.bytes, '"', text.size) ? '"' : '\'';
    chat_buffer_put(run, buffer, &quote, 1);
    run_bytes(run, text.size * 8);
    for (size_t at = 0; at < text.size;) {
        uint32_t c;
        const size_t size = (size_t)utf8_decode(text.bytes + at, text.size - at, &c);
        const char *named = c && c < 0x80 ? strchr("\n\r\t\\", (int)c) : NULL;
        char escaped[16];
        if (named || c == (unsigned char)quote)
            snprintf(escaped, sizeof escaped, "\\%c",
                     c == '\n'   ? 'n'
                     : c == '\r' ? 'r'
                     : c == '\t' ? 't'
                                 : (char)c);
        else if (!is_printable(c))
            snprintf(escaped, sizeof escaped, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
        else
            snprintf(escaped, sizeof escaped, "%.*s", (int)size, text.bytes + at);
        buffer_text(run, buffer, text_of(escaped));
        at += size;
    }
    chat_buffer_put(run, buffer, &quote, 1);
}

static void put_value(Run *run, Buffer *buffer, Value value, bool quoted);

static void put_items(Run *run, Buffer *buffer, const List *list, const char *open, const char *close)
{
    buffer_text(run, buffer, text_of(open));
    for (int i = 0; i < list->count; i++) {
        if (i) buffer_text(run, buffer, TEXT(", "));
        put_value(run, buffer, list->items[i], true);
    }
    buffer_text(run, buffer, text_of(close));
}

static void put_dict(Run *run, Buffer *buffer, const Dict *dict)
{
    buffer_text(run, buffer, TEXT("{"));
    for (int i = 0; i < dict->count; i++) {
        if (i) buffer_text(run, buffer, TEXT(", "));
        put_value(run, buffer, dict->keys[i], true);
        buffer_text(run, buffer, TEXT(": "));
        put_value(run, buffer, dict->values[i], true);
    }
    buffer_text(run, buffer, TEXT("}"));
}

static void put_collection(Run *run, Buffer *buffer, Value value)
{
    chat_run_deeper(run);
    if (value.kind == LIST) {
        put_items(run, buffer, value.as.list, "[", "]");
    } else if (value.kind == TUPLE) {
        put_items(run, buffer, value.as.list, "(", value.as.list->count == 1 ? ",)" : ")");
    } else if (value.kind == VIEW) {
        buffer_text(run, buffer, text_of(value.as.list->view));
        put_items(run, buffer, value.as.list, "([", "])");
    } else {
        put_dict(run, buffer, value.as.dict);
    }
    run->depth--;
}

static void put_value(Run *run, Buffer *buffer, Value value, bool quoted)
{
    run_steps(run, 1);
    switch (value.kind) {
    case UNDEFINED:
        buffer_text(run, buffer, quoted ? TEXT("Undefined") : TEXT(""));
        return;
    case NONE:
        buffer_text(run, buffer, TEXT("None"));
        return;
    case BOOLEAN:
        buffer_text(run, buffer, value.as.truth ? TEXT("True") : TEXT("False"));
        return;
    case INTEGER:
        put_integer(run, buffer, value.as.integer);
        return;
    case REAL:
        put_real(run, buffer, value.as.real);
        return;
    case STRING:
        if (quoted)
            put_quoted(run, buffer, value.as.text);
        else
            buffer_text(run, buffer, value.as.text);
        return;
    case LIST:
    case TUPLE:
    case VIEW:
    case DICT:
        put_collection(run, buffer, value);
        return;
    default:
        chat_run_problem(run, "%s cannot be printed; a list can (| list)", chat_value_type(value));
    }
}

Text chat_value_text(Run *run, Value value)
{
    if (value.kind == STRING) return value.as.text;
    Buffer buffer = {0};
    put_value(run, &buffer, value, false);
    return buffer.size ? (Text){buffer.bytes, buffer.size} : TEXT("");
}

// ---- As JSON ----

typedef struct {
    Run *run;
    Buffer buffer;
    Text item, key; // what separates items, and a key from its value
    bool lines;     // each on its own, with this in front for each level
    Text indent;
    bool sorted, ascii;
} JsonWriter;

static void json_string(JsonWriter *w, Text text)
{
    static const char names[] = "\"\\\n\r\t\b\f", letters[] = "\"\\nrtbf";
    buffer_text(w->run, &w->buffer, TEXT("\""));
    run_bytes(w->run, text.size * 8);
    for (size_t at = 0; at < text.size;) {
        uint32_t c;
        const size_t size = (size_t)utf8_decode(text.bytes + at, text.size - at, &c);
        const char *named = c && c < 0x80 ? strchr(names, (int)c) : NULL;
        char escaped[16];
        if (named)
            snprintf(escaped, sizeof escaped, "\\%c", letters[named - names]);
        else if (c >= 0x10000 && w->ascii)
            snprintf(escaped, sizeof escaped, "\\u%04x\\u%04x", 0xD800 + ((c - 0x10000) >> 10),
                     0xDC00 + (c & 0x3FF));
        else if (c < 0x20 || (c >= 0x7F && w->ascii))
            snprintf(escaped, sizeof escaped, "\\u%04x", c);
        else
            snprintf(escaped, sizeof escaped, "%.*s", (int)size, text.bytes + at);
        buffer_text(w->run, &w->buffer, text_of(escaped));
        at += size;
    }
    buffer_text(w->run, &w->buffer, TEXT("\""));
}

static void json_line(JsonWriter *w, int level)
{
    if (!w->lines) return;
    buffer_text(w->run, &w->buffer, TEXT("\n"));
    for (int i = 0; i < level; i++) buffer_text(w->run, &w->buffer, w->indent);
    run_steps(w->run, (size_t)level / 8);
}

static void json_value(JsonWriter *w, Value value, int level);

static void json_key(JsonWriter *w, Value key)
{
    static const char *const truths[] = {"false", "true"};
    if (key.kind == STRING)
        json_string(w, key.as.text);
    else if (key.kind == NONE)
        json_string(w, TEXT("null"));
    else if (key.kind == BOOLEAN)
        json_string(w, text_of(truths[key.as.truth]));
    else
        json_string(w, chat_value_text(w->run, key));
}

static void json_dict(JsonWriter *w, const Dict *dict, int level)
{
    List *order = chat_list_new(w->run, dict->count);
    for (int i = 0; i < dict->count; i++) order->items[i] = integer_value(i);
    if (w->sorted) chat_list_sort(w->run, order, dict->keys, false);
    for (int i = 0; i < dict->count; i++) {
        if (i) buffer_text(w->run, &w->buffer, w->item);
        json_line(w, level + 1);
        json_key(w, dict->keys[order->items[i].as.integer]);
        buffer_text(w->run, &w->buffer, w->key);
        json_value(w, dict->values[order->items[i].as.integer], level + 1);
    }
    if (dict->count) json_line(w, level);
}

static void json_list(JsonWriter *w, const List *list, int level)
{
    for (int i = 0; i < list->count; i++) {
        if (i) buffer_text(w->run, &w->buffer, w->item);
        json_line(w, level + 1);
        json_value(w, list->items[i], level + 1);
    }
    if (list->count) json_line(w, level);
}

static void json_real(JsonWriter *w, double real)
{
    if (real != real || isinf(real))
        buffer_text(w->run, &w->buffer,
                    real != real ? TEXT("NaN")
                    : real < 0   ? TEXT("-Infinity")
                                 : TEXT("Infinity"));
    else
        put_real(w->run, &w->buffer, real);
}

static void json_value(JsonWriter *w, Value value, int level)
{
    const bool dict = value.kind == DICT;
    run_steps(w->run, 1);
    chat_run_deeper(w->run);
    switch (value.kind) {
    case NONE:
        buffer_text(w->run, &w->buffer, TEXT("null"));
        break;
    case BOOLEAN:
        buffer_text(w->run, &w->buffer, value.as.truth ? TEXT("true") : TEXT("false"));
        break;
    case INTEGER:
        put_integer(w->run, &w->buffer, value.as.integer);
        break;
    case REAL:
        json_real(w, value.as.real);
        break;
    case STRING:
        json_string(w, value.as.text);
        break;
    case LIST:
    case TUPLE:
    case DICT:
        buffer_text(w->run, &w->buffer, dict ? TEXT("{") : TEXT("["));
        if (dict)
            json_dict(w, value.as.dict, level);
        else
            json_list(w, value.as.list, level);
        buffer_text(w->run, &w->buffer, dict ? TEXT("}") : TEXT("]"));
        break;
    default:
        chat_run_problem(w->run, "%s cannot be written as JSON", chat_value_type(value));
    }
    w->run->depth--;
}

Text chat_value_json(Run *run, Value value, Value indent, Value separators, bool sorted, bool ascii)
{
    JsonWriter w = {.run = run, .item = TEXT(", "), .key = TEXT(": "), .sorted = sorted, .ascii = ascii};
    w.lines = is_given(indent) && indent.kind != NONE;
    if (w.lines) {
        const int64_t width = indent.kind == STRING ? 1 : chat_given_integer(run, indent, "indent", 0);
        if (width > 100) chat_run_problem(run, "an indent of more than 100");
        static const char blanks[] = "                                                                       "
                                     "                             ";
        w.indent = indent.kind == STRING ? indent.as.text : (Text){blanks, width < 0 ? 0 : (size_t)width};
        w.item = TEXT(",");
    }
    if (is_given(separators) && separators.kind != NONE) {
        const List *two = chat_value_items(run, separators);
        if (two->count != 2) chat_run_problem(run, "separators are two strings");
        w.item = chat_given_text(run, two->items[0], "separators");
        w.key = chat_given_text(run, two->items[1], "separators");
    }
    json_value(&w, value, 0);
    return (Text){w.buffer.bytes, w.buffer.size};
}
