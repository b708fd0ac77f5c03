// thesaurus.c: see thesaurus.h.
#include "files/thesaurus.h"

const char *const thesaurus_class_names[THESAURUS_CLASSES] = {"abstract relations", "space",    "matter",
                                                              "intellect",          "volition", "affections"};

// The category, counted from 0, with which each class begins: existence, space, materiality, intellect, will, affections.
static const int class_starts[THESAURUS_CLASSES] = {0, 185, 322, 458, 611, 836};

static const char *const remedy = "`sh datasets/fetch.sh --verify graphs` brings the right file";

// Where reading stands: for messages.
typedef struct {
    Place place;
    const char *path;
    int line; // counted from 1
} Reading;

// A number 1 … most at *at of the line, one less; *at moves behind it.
static int read_number(Reading r, Text line, size_t *at, int most)
{
    long number = 0;
    const size_t first = *at;
    while (*at < line.size && line.bytes[*at] >= '0' && line.bytes[*at] <= '9' && number <= most)
        number = 10 * number + (line.bytes[(*at)++] - '0');
    check_at(r.place, *at > first && number >= 1 && number <= most, remedy,
             "%s:%d: byte %zu: expected the number of a category, 1 to %d", r.path, r.line, first + 1, most);
    return (int)number - 1;
}

// The links of one line, behind the colon or from its beginning on. Returns whether they go on in the next line.
static bool read_links(Reading r, Thesaurus *t, Text line, size_t at, int category)
{
    while (at < line.size) {
        if (line.bytes[at] == ' ') {
            at++;
            continue;
        }
        if (line.bytes[at] == '\\' && at + 1 == line.size) return true;
        t->from[t->links] = category;
        t->to[t->links++] = read_number(r, line, &at, t->count);
    }
    return false;
}

// "12name:" at the beginning of a line; returns the byte behind the colon.
static size_t read_name(Reading r, Thesaurus *t, Text line, int category)
{
    size_t at = 0;
    const int number = read_number(r, line, &at, t->count);
    check_at(r.place, number == category, remedy, "%s:%d: category %d, expected %d: they stand in order",
             r.path, r.line, number + 1, category + 1);
    const size_t length = text_find(text_part(line, at, line.size - at), ":");
    check_at(r.place, length > 0 && at + length < line.size, remedy,
             "%s:%d: expected a head word and a colon behind the number", r.path, r.line);
    t->names[category] = (Text){line.bytes + at, length};
    return at + length + 1;
}

static bool is_comment(Text line) { return line.size == 0 || line.bytes[0] == '*'; }

Thesaurus thesaurus_load_at(Place place, Arena *arena, const char *path)
{
    const Text file = text_read_at(place, arena, path);
    int lines, category = 0;
    Text *line = text_split_at(place, arena, file, "\n", &lines);
    Thesaurus t = {0};
    for (int i = 0; i < lines; i++) // a colon ends the name of each
        t.count += !is_comment(line[i]) && text_find(line[i], ":") < line[i].size;
    t.names = arena_alloc_at(place, arena, (size_t)t.count, sizeof *t.names);
    t.classes = arena_alloc_at(place, arena, (size_t)t.count, sizeof *t.classes);
    // A link takes two bytes at least, the blank or the colon before it among them.
    t.from = arena_alloc_at(place, arena, file.size / 2 + 1, sizeof *t.from);
    t.to = arena_alloc_at(place, arena, file.size / 2 + 1, sizeof *t.to);
    bool goes_on = false;
    for (int i = 0; i < lines; i++) {
        const Reading r = {place, path, i + 1};
        if (is_comment(line[i]) && !goes_on) continue;
        size_t at = 0;
        if (!goes_on) at = read_name(r, &t, line[i], category++);
        goes_on = read_links(r, &t, line[i], at, category - 1);
    }
    check_at(place, !goes_on && category == t.count, remedy, "%s: it ends in the middle of category %d", path,
             category);
    check_at(place, t.count == THESAURUS_CATEGORIES, remedy, "%s: %d categories, expected %d", path, t.count,
             THESAURUS_CATEGORIES);
    for (int i = 0, class = -1; i < t.count; i++) {
        if (class + 1 < THESAURUS_CLASSES && i == class_starts[class + 1]) class ++;
        t.classes[i] = class;
    }
    return t;
}
