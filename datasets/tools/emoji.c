// emoji.c: prints a table of emoji, a line for each, with a line of names on top:
//
//     emoji SHEET ENGLISH CHINESE
//
//     code   emoji   row   column   group   english   english_tags   chinese   chinese_tags
//
// between tabs. SHEET is emoji.json of the npm packages emoji-datasource-*, which says in which row and column of their sheets
// an emoji is drawn; ENGLISH and CHINESE are data.json of emojibase-data: names, and tags, here with ", " between them. Only
// emoji of one code point (and perhaps U+FE0F, which asks for colours) that Google and Twitter have drawn and that both
// languages name: no flags, keycaps, and people of many parts. In the order of the sheets.
#define TOOL "emoji"
#include "tool.h"

enum { MOST_ENTRIES = 8192, MOST_NESTED = 16, MOST_OF_A_CELL = 1024 };

typedef struct {
    const char *path;
    const unsigned char *bytes;
    size_t size, at;
} Json;

typedef struct {
    uint32_t code; // 0: none, or more than one code point
    int row, column, group;
    bool drawn[2]; // by Google, by Twitter
    char label[MOST_OF_A_CELL], tags[MOST_OF_A_CELL];
} Entry;

noreturn static void damaged(const Json *json)
{
    stop("%s: byte %zu is not what a list of emoji has there", json->path, json->at);
}

static int peek(Json *json)
{
    while (json->at < json->size && strchr(" \t\r\n", json->bytes[json->at]) && json->bytes[json->at])
        json->at++;
    return json->at < json->size ? json->bytes[json->at] : -1;
}

static bool take(Json *json, char c)
{
    if (peek(json) != (unsigned char)c) return false;
    json->at++;
    return true;
}

static void need(Json *json, char c)
{
    if (!take(json, c)) damaged(json);
}

static void put(char *cell, size_t *size, char c)
{
    if (*size + 1 >= MOST_OF_A_CELL) stop("a name or list of tags has more than %d bytes", MOST_OF_A_CELL);
    cell[(*size)++] = c == '\t' || c == '\n' || c == '\r' || c == '"' ? ' ' : c;
    cell[*size] = '\0';
}

// A string, added to the cell. \u is understood for one code point, not for two surrogates that stand for one: these files write such out.
static void take_string(Json *json, char *cell, size_t *size)
{
    need(json, '"');
    while (json->at < json->size && json->bytes[json->at] != '"') {
        char c = (char)json->bytes[json->at++];
        if (c != '\\') {
            if (c == '\0') damaged(json);
            put(cell, size, c);
            continue;
        }
        if (json->at == json->size) damaged(json);
        c = (char)json->bytes[json->at++];
        if (c == 'u') {
            unsigned number = 0;
            for (int i = 0; i < 4; i++) {
                const char *digits = "0123456789abcdef0123456789ABCDEF";
                if (json->at == json->size || !json->bytes[json->at]) damaged(json);
                const char *found = strchr(digits, json->bytes[json->at++]);
                if (!found) damaged(json);
                number = number * 16 + (unsigned)(found - digits) % 16;
            }
            if (number == 0 || (number >= 0xD800 && number < 0xE000)) damaged(json);
            if (number >= 0x800) put(cell, size, (char)(0xE0 | number >> 12));
            if (number >= 0x800) put(cell, size, (char)(0x80 | (number >> 6 & 0x3F)));
            if (number >= 0x80 && number < 0x800) put(cell, size, (char)(0xC0 | number >> 6));
            put(cell, size, (char)(number >= 0x80 ? 0x80 | (number & 0x3F) : number));
        } else {
            put(cell, size, strchr("bfnrt", c) ? ' ' : c);
        }
    }
    need(json, '"');
}

static void skip_value(Json *json, int depth)
{
    char cell[MOST_OF_A_CELL];
    size_t size = 0;
    if (depth == MOST_NESTED) damaged(json);
    const int first = peek(json);
    if (first == '"') {
        take_string(json, cell, &size);
    } else if (first == '[' || first == '{') {
        json->at++;
        const char end = first == '[' ? ']' : '}';
        for (int i = 0; !take(json, end); i++) {
            if (i > 0) need(json, ',');
            if (first == '{') {
                size = 0;
                take_string(json, cell, &size);
                need(json, ':');
            }
            skip_value(json, depth + 1);
        }
    } else { // a number, true, false, null
        const size_t before = json->at;
        while (json->at < json->size &&
               strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", json->bytes[json->at]) &&
               json->bytes[json->at])
            json->at++;
        if (json->at == before) damaged(json);
    }
}

static int take_number(Json *json)
{
    int number = 0;
    const size_t before = (peek(json), json->at);
    while (json->at < json->size && json->bytes[json->at] >= '0' && json->bytes[json->at] <= '9') {
        if (number > 100000) damaged(json);
        number = number * 10 + json->bytes[json->at++] - '0';
    }
    if (json->at == before) damaged(json);
    return number;
}

// "2764-FE0F": U+2764; 0 where there are several
static uint32_t take_code(Json *json)
{
    char text[MOST_OF_A_CELL] = "", *end;
    size_t size = 0;
    take_string(json, text, &size);
    const unsigned long code = strtoul(text, &end, 16);
    return (*end == '\0' || strcmp(end, "-FE0F") == 0) && code > 0 && code <= 0x10FFFF ? (uint32_t)code : 0;
}

static void take_tags(Json *json, char *cell)
{
    size_t size = 0;
    need(json, '[');
    for (int i = 0; !take(json, ']'); i++) {
        if (i > 0) {
            need(json, ',');
            put(cell, &size, ',');
            put(cell, &size, ' ');
        }
        take_string(json, cell, &size);
    }
}

static void take_member(Json *json, Entry *entry)
{
    char name[MOST_OF_A_CELL] = "";
    size_t size = 0;
    take_string(json, name, &size);
    need(json, ':');
    size = 0;
    if (!strcmp(name, "unified") || !strcmp(name, "hexcode"))
        entry->code = take_code(json);
    else if (!strcmp(name, "sheet_x"))
        entry->column = take_number(json);
    else if (!strcmp(name, "sheet_y"))
        entry->row = take_number(json);
    else if (!strcmp(name, "group"))
        entry->group = take_number(json);
    else if (!strcmp(name, "has_img_google"))
        entry->drawn[0] = peek(json) == 't', skip_value(json, 0);
    else if (!strcmp(name, "has_img_twitter"))
        entry->drawn[1] = peek(json) == 't', skip_value(json, 0);
    else if (!strcmp(name, "label"))
        entry->label[0] = '\0', take_string(json, entry->label, &size);
    else if (!strcmp(name, "tags"))
        entry->tags[0] = '\0', take_tags(json, entry->tags);
    else
        skip_value(json, 0);
}

// The list of objects in a file
static Entry *read_entries(const char *path, int *count)
{
    const Blob blob = read_file(path, MOST_UNPACKED);
    Json json = {path, blob.bytes, blob.size, 0};
    Entry *entries = memory(MOST_ENTRIES, sizeof *entries);
    need(&json, '[');
    for (*count = 0; !take(&json, ']'); (*count)++) {
        if (*count == MOST_ENTRIES) stop("%s: more than %d emoji", path, MOST_ENTRIES);
        if (*count > 0) need(&json, ',');
        Entry *entry = &entries[*count];
        *entry = (Entry){.row = -1, .column = -1, .group = -1};
        need(&json, '{');
        for (int i = 0; !take(&json, '}'); i++) {
            if (i > 0) need(&json, ',');
            take_member(&json, entry);
        }
    }
    return entries;
}

static const Entry *with_code(const Entry *entries, int count, uint32_t code)
{
    for (int i = 0; i < count; i++)
        if (entries[i].code == code) return &entries[i];
    return NULL;
}

static void print_character(uint32_t c)
{
    if (c < 0x80) {
        putchar((int)c);
    } else if (c < 0x800) {
        printf("%c%c", (int)(0xC0 | c >> 6), (int)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        printf("%c%c%c", (int)(0xE0 | c >> 12), (int)(0x80 | (c >> 6 & 0x3F)), (int)(0x80 | (c & 0x3F)));
    } else {
        printf("%c%c%c%c", (int)(0xF0 | c >> 18), (int)(0x80 | (c >> 12 & 0x3F)),
               (int)(0x80 | (c >> 6 & 0x3F)), (int)(0x80 | (c & 0x3F)));
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) stop("usage: emoji SHEET ENGLISH CHINESE");
    int drawn, named[2];
    const Entry *sheet = read_entries(argv[1], &drawn), *english = read_entries(argv[2], &named[0]),
                *chinese = read_entries(argv[3], &named[1]);
    printf("code\temoji\trow\tcolumn\tgroup\tenglish\tenglish_tags\tchinese\tchinese_tags\n");
    for (int i = 0; i < drawn; i++) {
        const Entry *s = &sheet[i];
        if (!s->code || !s->drawn[0] || !s->drawn[1] || s->row < 0 || s->column < 0) continue;
        const Entry *e = with_code(english, named[0], s->code), *c = with_code(chinese, named[1], s->code);
        if (!e || !c || !*e->label || !*c->label || e->group < 0) continue;
        printf("%X\t", (unsigned)s->code);
        print_character(s->code);
        printf("\t%d\t%d\t%d\t%s\t%s\t%s\t%s\n", s->row, s->column, e->group, e->label, e->tags, c->label,
               c->tags);
    }
    return finish();
}
