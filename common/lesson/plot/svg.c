// Makes an SVG small, and gives it colours for a dark page. gnuplot writes a group for each tick and a marker, by its id, for
// each point; the same picture is a third of that: what has one style is one element, places are told to a tenth of a pixel,
// each by its distance from the last. No element has an id, so two pictures may stand in one page. Numbers are read and
// written as whole tenths and hundredths: no locale and no rounding of a machine's changes a byte.
//
// The attributes are for a light page. A style sheet in the picture changes them where the reader's system, or the page, is
// dark; a program that knows nothing of that shows the light picture. SVG 1.1: https://www.w3.org/TR/SVG11/
#include "lesson/plot/parts.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- Colours -----------------------------------------------------------------------------------------------------------

// What is drawn in a colour of script.c on white, is drawn in the other one on #1B1B1A, the web book's dark paper. They are
// the same by name. On their ground words have a contrast of 4.5 or more, what tells something one of 3 or more
// (tests/unit/test_plot_svg.c computes it). Colours of cells are not here: they stay as they are.
const SvgColour svg_colours[SVG_COLOURS] = {
    {0x0072B2, 0x3D9BE0},       {0xD55E00, 0xE8702A}, {0x009E73, 0x1FB98C},
    {0xCC79A7, 0xD98AB8},       {0xE69F00, 0xE6A817}, {0x56B4E9, 0x8CD0F5},
    {0x555555, 0xB4B4B4}, // the palette
    {0x808080, 0x8C8C8C},       {0x666666, 0xA8A8A8}, {0x8494A4, 0x76869A},
    {0x566573, 0xA3B1BF}, // references, diagrams, contours
    {0x222222, 0xE6E2DA},       {0x333333, 0xD6D2CA}, {0x444444, 0xBCB8B0},
    {0x000000, 0xE6E2DA},                             // words
    {0xE8E8E8, 0x383735},       {0x999999, 0x7D7A75}, // the grid, the axes
    {0xFFFFFF, SVG_DARK_PAPER},
};

// The fonts after the first one are for machines without it: about as wide, and for Chinese words.
static const char fonts[] =
    "'DejaVu Sans',Verdana,'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif";

// ---- The new picture ---------------------------------------------------------------------------------------------------

typedef struct Piece {
    const char *text;
    struct Piece *next;
} Piece;

typedef enum { STROKES, FILLED, DOTS, WORDS, RASTER } ItemKind;

// Pieces of one style.
typedef struct Item {
    ItemKind kind;
    int layer;
    const char *style; // attributes
    Piece *first, **last;
    struct Item *before, *next;
} Item;

// What a group of gnuplot's passes on to what is in it.
typedef struct {
    long stroke, fill, colour; // 0xRRGGBB, −1 for none
    long width;                // of lines: hundredths of a pixel
    long font;                 // tenths of a pixel
    long x, y, degrees;        // of words: hundredths
    const char *anchor;
    bool plot; // a group of what belongs to one series
} Group;

enum { DEEPEST = 12, TEXT = 512 };

typedef struct {
    Arena *arena;
    const char *at, *end;
    bool failed; // something that is not known
    Group groups[DEEPEST];
    int depth, layer, plots; // plots: groups of a series that are open
    long width, height;      // pixels
    long font;               // of most words: tenths
    Item *first, *last;
    bool strokes[SVG_COLOURS], fills[SVG_COLOURS], raster; // what there is
} Reader;

static char *text_of(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
static char *text_of(Arena *arena, const char *format, ...)
{
    char text[TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return arena_string(arena, text);
}

// Adds a piece to what has the same style. Axes, ticks and their names, which do not cover each other, may be far apart;
// what belongs to a series stays in its order.
static void gather(Reader *r, ItemKind kind, const char *style, const char *text)
{
    Item *item = r->last;
    while (item && item->layer == r->layer && !r->plots && (item->kind == STROKES || item->kind == WORDS) &&
           (item->kind != kind || strcmp(item->style, style) != 0))
        item = item->before;
    if (!item || item->layer != r->layer || item->kind != kind || strcmp(item->style, style) != 0) {
        item = arena_zeros(r->arena, 1, sizeof *item);
        *item = (Item){.kind = kind, .layer = r->layer, .style = style, .before = r->last};
        item->last = &item->first;
        *(r->last ? &r->last->next : &r->first) = item;
        r->last = item;
    }
    Piece *piece = arena_zeros(r->arena, 1, sizeof *piece);
    piece->text = text;
    *item->last = piece;
    item->last = &piece->next;
}

// Notes that a colour is used, and gives its attribute.
static const char *paint(Reader *r, const char *attribute, long colour)
{
    bool *used = *attribute == 's' ? r->strokes : r->fills;
    for (int i = 0; i < SVG_COLOURS; i++) used[i] |= svg_colours[i].light == (unsigned)colour;
    return text_of(r->arena, " %s=\"#%06lx\"", attribute, colour);
}

// ---- Numbers -----------------------------------------------------------------------------------------------------------

// "−12.345" → −1234, in units of a hundredth; what is after the number stays. 0 digits are no number.
static long read_hundredths(Reader *r, const char **at)
{
    const char *c = *at;
    while (*c == ' ' || *c == ',' || *c == '\n' || *c == '\t') c++;
    bool minus = *c == '-';
    c += minus;
    long value = 0;
    int digits = 0, places = 0;
    for (; isdigit((unsigned char)*c) && digits < 7; c++, digits++) value = 10 * value + (*c - '0');
    if (*c == '.')
        for (c++; isdigit((unsigned char)*c); c++, digits++)
            if (places < 2) value = 10 * value + (*c - '0'), places++;
    for (; places < 2; places++) value *= 10;
    if (digits == 0 || isdigit((unsigned char)*c)) r->failed = true;
    *at = c;
    return minus ? -value : value;
}

static long to_tenths(long hundredths)
{
    return hundredths >= 0 ? (hundredths + 5) / 10 : -((5 - hundredths) / 10);
}

enum { NUMBER = 32 };

// Tenths, as short as can be: 12.5, .5, −3.
static const char *number(char text[NUMBER], long tenths)
{
    long whole = labs(tenths) / 10, part = labs(tenths) % 10;
    const char *sign = tenths < 0 ? "-" : "";
    if (part == 0)
        snprintf(text, NUMBER, "%s%ld", tenths ? sign : "", whole);
    else if (whole == 0)
        snprintf(text, NUMBER, "%s.%ld", sign, part);
    else
        snprintf(text, NUMBER, "%s%ld.%ld", sign, whole, part);
    return text;
}

// ---- Paths -------------------------------------------------------------------------------------------------------------

// A path as it grows: where it is, in tenths, and the last letter.
typedef struct {
    Arena *arena;
    char *text;
    size_t length, room;
    long x, y, from_x, from_y; // from: where the line began
    char letter;
    bool drawn; // something since the line began
} Path;

static void put(Path *path, const char *text)
{
    size_t more = strlen(text);
    if (path->length + more + 1 > path->room) {
        char *grown = arena_alloc(path->arena, path->room = 2 * (path->room + more) + 64, 1);
        if (path->length) memcpy(grown, path->text, path->length);
        path->text = grown;
    }
    memcpy(path->text + path->length, text, more + 1);
    path->length += more;
}

static void put_number(Path *path, long tenths, bool first)
{
    char text[NUMBER];
    number(text, tenths);
    if (!first && *text != '-') put(path, " ");
    put(path, text);
}

static void move_to(Path *path, long x, long y)
{
    path->from_x = path->x = x;
    path->from_y = path->y = y;
    path->drawn = false;
}

static void line_to(Path *path, long x, long y)
{
    long dx = x - path->x, dy = y - path->y;
    if (dx == 0 && dy == 0) return;
    if (!path->drawn) {
        put(path, "M");
        put_number(path, path->from_x, true);
        put_number(path, path->from_y, false);
        path->letter = 'M';
        path->drawn = true;
    }
    char letter = dy == 0 ? 'h' : dx == 0 ? 'v' : 'l';
    bool named = letter != path->letter;
    if (named) put(path, (char[]){letter, '\0'});
    if (dx) put_number(path, dx, named);
    if (dy) put_number(path, dy, named && !dx);
    path->letter = letter;
    path->x = x;
    path->y = y;
}

static void close_path(Path *path)
{
    if (!path->drawn) return;
    put(path, "z");
    path->letter = 'z';
    move_to(path, path->from_x, path->from_y);
}

// ---- Tags --------------------------------------------------------------------------------------------------------------

typedef struct {
    const char *name, *attributes; // copies
    bool closing, whole;           // </g>, <path/>
} Tag;

static bool is_letter(char c) { return isalnum((unsigned char)c) || (c && strchr(":_-", c)); }
static bool is_blank(char c) { return c && strchr(" \t\r\n", c); }

static char *cut_out(Arena *arena, const char *from, const char *to)
{
    char *text = arena_alloc(arena, (size_t)(to - from) + 1, 1);
    memcpy(text, from, (size_t)(to - from));
    text[to - from] = '\0';
    return text;
}

// The next tag; what stands before it is blank, or a title, or something that is not shown.
static bool next_tag(Reader *r, Tag *tag)
{
    const char *open = memchr(r->at, '<', (size_t)(r->end - r->at));
    if (!open) return false;
    const char *close = memchr(open, '>', (size_t)(r->end - open));
    if (!close) return r->failed = true, false;
    r->at = close + 1;
    *tag = (Tag){.closing = open[1] == '/', .whole = close[-1] == '/'};
    const char *name = open + 1 + tag->closing, *after = name;
    while (is_letter(*after)) after++;
    tag->name = cut_out(r->arena, name, after);
    tag->attributes = cut_out(r->arena, after, close - tag->whole > after ? close - tag->whole : after);
    return true;
}

// The value of an attribute, NULL when there is none.
static const char *value_of(Reader *r, const Tag *tag, const char *name)
{
    for (const char *at = tag->attributes; *at;) {
        while (is_blank(*at)) at++;
        const char *begin = at;
        while (is_letter(*at)) at++;
        size_t length = (size_t)(at - begin);
        while (is_blank(*at)) at++;
        if (length == 0 || *at != '=') break;
        at++;
        while (is_blank(*at)) at++;
        const char *end = *at == '"' || *at == '\'' ? strchr(at + 1, *at) : NULL;
        if (!end) break;
        if (length == strlen(name) && strncmp(begin, name, length) == 0)
            return cut_out(r->arena, at + 1, end);
        at = end + 1;
    }
    return NULL;
}

static Group *group(Reader *r) { return &r->groups[r->depth]; }

// A colour as gnuplot writes it; other when there is none.
static long read_colour(Reader *r, const char *text, long other)
{
    if (!text) return other;
    if (strcmp(text, "none") == 0) return -1;
    if (strcmp(text, "black") == 0) return 0;
    if (strcmp(text, "white") == 0) return 0xFFFFFF;
    if (strcmp(text, "currentColor") == 0) return group(r)->colour;
    if (*text == '#' && strlen(text) == 7) return strtol(text + 1, NULL, 16);
    if (strncmp(text, "rgb(", 4) != 0) return r->failed = true, -1;
    long colour = 0;
    const char *at = text + 4;
    for (int i = 0; i < 3; i++) colour = colour << 8 | (read_hundredths(r, &at) / 100 & 0xFF);
    return colour;
}

static long read_value(Reader *r, const Tag *tag, const char *name, long other)
{
    const char *text = value_of(r, tag, name);
    return text ? read_hundredths(r, &text) : other;
}

// " opacity=\".62\"", or nothing for what is opaque.
static const char *opacity(Reader *r, const char *attribute, long hundredths)
{
    if (hundredths < 0 || hundredths >= 100) return "";
    if (hundredths % 10 == 0) return text_of(r->arena, " %s=\".%ld\"", attribute, hundredths / 10);
    return text_of(r->arena, " %s=\".%02ld\"", attribute, hundredths);
}

// ---- Elements ----------------------------------------------------------------------------------------------------------

static void read_group(Reader *r, const Tag *tag)
{
    if (r->depth + 1 >= DEEPEST) {
        r->failed = true;
        return;
    }
    Group inner = *group(r);
    const char *id = value_of(r, tag, "id"), *place = value_of(r, tag, "transform");
    inner.plot = id && strncmp(id, "gnuplot_plot", 12) == 0;
    inner.colour = read_colour(r, value_of(r, tag, "color"), inner.colour);
    inner.stroke = read_colour(r, value_of(r, tag, "stroke"), inner.stroke);
    inner.fill = read_colour(r, value_of(r, tag, "fill"), inner.fill);
    inner.width = read_value(r, tag, "stroke-width", inner.width);
    inner.font = to_tenths(read_value(r, tag, "font-size", 10 * inner.font));
    const char *anchor = value_of(r, tag, "text-anchor");
    if (anchor) inner.anchor = anchor;
    if (place) {
        if (strncmp(place, "translate(", 10) != 0) r->failed = true;
        if (r->failed) return;
        place += 10;
        inner.x = read_hundredths(r, &place);
        inner.y = read_hundredths(r, &place);
        const char *turned = strstr(place, "rotate(");
        if (turned) turned += 7;
        inner.degrees = turned ? read_hundredths(r, &turned) / 100 : 0;
    }
    r->groups[++r->depth] = inner;
    r->plots += inner.plot;
    r->layer += inner.plot;
}

static void end_group(Reader *r)
{
    if (r->depth == 0) {
        r->failed = true;
        return;
    }
    r->plots -= group(r)->plot;
    r->layer += group(r)->plot;
    r->depth--;
}

static void read_path(Reader *r, const Tag *tag)
{
    const char *at = value_of(r, tag, "d"), *dashes = value_of(r, tag, "stroke-dasharray");
    long colour = read_colour(r, value_of(r, tag, "stroke"), group(r)->stroke),
         width = to_tenths(group(r)->width);
    char text[NUMBER];
    if (!at || colour < 0) {
        r->failed = true;
        return;
    }
    Path path = {.arena = r->arena};
    while (!r->failed) {
        while (is_blank(*at)) at++;
        char letter = *at;
        if (!letter) break;
        at++;
        if (letter == 'Z' || letter == 'z') {
            close_path(&path);
            continue;
        }
        long x = to_tenths(read_hundredths(r, &at)), y = to_tenths(read_hundredths(r, &at));
        if (letter == 'M')
            move_to(&path, x, y);
        else if (letter == 'L')
            line_to(&path, x, y);
        else
            r->failed = true;
    }
    if (!path.length) return;
    const char *style =
        text_of(r->arena, "%s%s%s%s%s%s", paint(r, "stroke", colour),
                width == 10 ? "" : text_of(r->arena, " stroke-width=\"%s\"", number(text, width)),
                dashes ? " stroke-dasharray=\"" : "", dashes ? dashes : "", dashes ? "\"" : "",
                opacity(r, "opacity", read_value(r, tag, "opacity", 100)));
    gather(r, STROKES, style, path.text);
}

// Rectangles have sharp edges; other areas smooth ones.
static void read_polygon(Reader *r, const Tag *tag)
{
    const char *at = value_of(r, tag, "points");
    long colour = read_colour(r, value_of(r, tag, "fill"), group(r)->fill), x = 0, y = 0;
    if (!at || colour < 0) {
        r->failed = true;
        return;
    }
    Path path = {.arena = r->arena};
    bool upright = true;
    for (int i = 0; !r->failed; i++) {
        while (is_blank(*at)) at++;
        if (!*at) break;
        long old_x = x, old_y = y;
        x = to_tenths(read_hundredths(r, &at));
        y = to_tenths(read_hundredths(r, &at));
        upright &= i == 0 || x == old_x || y == old_y;
        if (i == 0) move_to(&path, x, y);
        if (i > 0) line_to(&path, x, y);
    }
    close_path(&path);
    if (!path.length) return;
    const char *style = text_of(r->arena, "%s%s%s", paint(r, "fill", colour),
                                opacity(r, "fill-opacity", read_value(r, tag, "fill-opacity", 100)),
                                upright ? " shape-rendering=\"crispEdges\"" : "");
    gather(r, FILLED, style, path.text);
}

// A marker: a disk (gpPt6) or a cross (gpPt1), whose lines are thicker the larger it is.
static void read_marker(Reader *r, const Tag *tag)
{
    const char *what = value_of(r, tag, "xlink:href"), *place = value_of(r, tag, "transform");
    long colour = read_colour(r, value_of(r, tag, "color"), group(r)->colour);
    const char *size = place ? strstr(place, "scale(") : NULL;
    bool disk = what && strcmp(what, "#gpPt6") == 0, cross = what && strcmp(what, "#gpPt1") == 0;
    if (!(disk || cross) || !size || colour < 0 || strncmp(place, "translate(", 10) != 0) {
        r->failed = true;
        return;
    }
    place += 10;
    size += 6;
    long x = to_tenths(read_hundredths(r, &place)), y = to_tenths(read_hundredths(r, &place)),
         radius = to_tenths(read_hundredths(r, &size));
    const char *clear = opacity(r, disk ? "fill-opacity" : "opacity", read_value(r, tag, "opacity", 100));
    char a[NUMBER], b[NUMBER], c[NUMBER];
    if (disk) {
        gather(r, DOTS, text_of(r->arena, "%s%s", paint(r, "fill", colour), clear),
               text_of(r->arena, "<circle cx=\"%s\" cy=\"%s\" r=\"%s\"/>", number(a, x), number(b, y),
                       number(c, radius)));
        return;
    }
    Path path = {.arena = r->arena};
    for (int way = -1; way <= 1; way += 2) {
        move_to(&path, x - radius, y - way * radius);
        line_to(&path, x + radius, y + way * radius);
    }
    gather(r, STROKES,
           text_of(r->arena, "%s stroke-width=\"%s\"%s", paint(r, "stroke", colour),
                   number(a, (radius + 2) / 5), clear),
           path.text);
}

// gnuplot leaves "&#x", which begins a character's number, as it is.
static char *escaped(Arena *arena, const char *text)
{
    Path out = {.arena = arena};
    put(&out, "");
    for (; *text; text++) {
        bool named =
            strncmp(text, "&lt;", 4) == 0 || strncmp(text, "&amp;", 5) == 0 || strncmp(text, "&gt;", 4) == 0;
        if (*text == '&' && !named)
            put(&out, "&amp;");
        else if (*text == '<')
            put(&out, "&lt;");
        else
            put(&out, (char[]){*text, '\0'});
    }
    return out.text;
}

static void read_words(Reader *r, const Tag *tag)
{
    const Group *g = group(r);
    const char *end = memmem(r->at, (size_t)(r->end - r->at), "</text>", 7);
    if (!end || tag->whole || g->fill < 0) {
        r->failed = true;
        return;
    }
    const char *words = cut_out(r->arena, r->at, end);
    r->at = end + 7;
    if (!*words) return;
    if (strchr(words, '<')) r->failed = true;
    char a[NUMBER], b[NUMBER], size[NUMBER];
    if (!r->font) r->font = g->font;
    const char *anchor =
        strcmp(g->anchor, "start") == 0 ? "" : text_of(r->arena, " text-anchor=\"%s\"", g->anchor);
    const char *font =
        g->font == r->font ? "" : text_of(r->arena, " font-size=\"%s\"", number(size, g->font));
    const char *style = text_of(r->arena, "%s%s%s", paint(r, "fill", g->fill), font, anchor);
    number(a, to_tenths(g->x));
    number(b, to_tenths(g->y));
    Path text = {.arena = r->arena};
    put(&text, g->degrees ? text_of(r->arena, " transform=\"translate(%s %s)rotate(%ld)\"", a, b, g->degrees)
                          : text_of(r->arena, " x=\"%s\" y=\"%s\"", a, b));
    put(&text, value_of(r, tag, "xml:space") ? " xml:space=\"preserve\">" : ">");
    put(&text, escaped(r->arena, words));
    put(&text, "</text>");
    gather(r, WORDS, style, text.text);
}

static void skip_to(Reader *r, const char *end)
{
    const char *found = memmem(r->at, (size_t)(r->end - r->at), end, strlen(end));
    if (found)
        r->at = found + strlen(end);
    else
        r->failed = true;
}

static void read_frame(Reader *r, const Tag *tag)
{
    r->width = read_value(r, tag, "width", 0) / 100;
    r->height = read_value(r, tag, "height", 0) / 100;
    if (r->width < 1 || r->height < 1) r->failed = true;
}

static void read_tag(Reader *r, const Tag *tag)
{
    const char *name = tag->name;
    if (tag->closing) {
        if (strcmp(name, "g") == 0) end_group(r);
    } else if (strcmp(name, "g") == 0) {
        read_group(r, tag);
    } else if (strcmp(name, "path") == 0) {
        read_path(r, tag);
    } else if (strcmp(name, "polygon") == 0) {
        read_polygon(r, tag);
    } else if (strcmp(name, "use") == 0) {
        read_marker(r, tag);
    } else if (strcmp(name, "text") == 0) {
        read_words(r, tag);
    } else if (strcmp(name, "image") == 0) { // of a heat map or an image: base64
        Path text = {.arena = r->arena};
        put(&text, "<image");
        put(&text, tag->attributes);
        put(&text, "/>");
        gather(r, RASTER, "", text.text);
        r->raster = true;
    } else if (strcmp(name, "svg") == 0) {
        read_frame(r, tag);
    } else if (strcmp(name, "defs") == 0) {
        skip_to(r, "</defs>");
    } else if (strcmp(name, "title") == 0) {
        skip_to(r, "</title>");
    } else if (strcmp(name, "desc") == 0) {
        skip_to(r, "</desc>");
    } else if (strcmp(name, "rect") != 0 && *name) { // the background; <?xml
        r->failed = true;
    }
}

// ---- Writing -----------------------------------------------------------------------------------------------------------

static void write_dark(FILE *file, const Reader *r)
{
    fprintf(file, "<style>@media screen and (prefers-color-scheme:dark){");
    for (int i = 0; i < SVG_COLOURS; i++) {
        if (r->strokes[i])
            fprintf(file, ".plot [stroke=\"#%06x\"]{stroke:#%06x}", svg_colours[i].light,
                    svg_colours[i].dark);
        if (r->fills[i])
            fprintf(file, ".plot [fill=\"#%06x\"]{fill:#%06x}", svg_colours[i].light, svg_colours[i].dark);
    }
    fprintf(file, "}</style>\n");
}

static void write_item(FILE *file, const Item *item)
{
    const char *end = "";
    bool words = item->kind == WORDS, one = !item->first->next;
    switch (item->kind) {
    case STROKES:
    case FILLED:
        fprintf(file, "<path%s d=\"", item->style);
        end = "\"/>";
        break;
    case DOTS:
        fprintf(file, "<g%s>", item->style);
        end = "</g>";
        break;
    case WORDS:
        if (!one) fprintf(file, "<g%s>", item->style);
        if (!one) end = "</g>";
        break;
    case RASTER:
        break;
    }
    for (const Piece *piece = item->first; piece; piece = piece->next)
        fprintf(file, "%s%s%s", words ? "<text" : "", words && one ? item->style : "", piece->text);
    fprintf(file, "%s\n", end);
}

static int write_svg(const char *path, Reader *r, const char *title)
{
    FILE *file = fopen(path, "wbe");
    if (!file) return errno;
    char size[NUMBER];
    fprintf(
        file,
        "<svg xmlns=\"http://www.w3.org/2000/svg\"%s width=\"%ld\" height=\"%ld\" viewBox=\"0 0 %ld %ld\" ",
        r->raster ? " xmlns:xlink=\"http://www.w3.org/1999/xlink\"" : "", r->width, r->height, r->width,
        r->height);
    fprintf(file,
            "class=\"plot\" role=\"img\" fill=\"none\" stroke-linejoin=\"round\" font-family=\"%s\" "
            "font-size=\"%s\">\n",
            fonts, number(size, r->font ? r->font : 130));
    fprintf(file, "<title>%s</title>\n", escaped(r->arena, title));
    const char *ground = paint(r, "fill", 0xFFFFFF);
    write_dark(file, r);
    fprintf(file, "<path%s d=\"M0 0h%ldv%ldh-%ldz\"/>\n", ground, r->width, r->height, r->width);
    for (const Item *item = r->first; item; item = item->next) write_item(file, item);
    fprintf(file, "</svg>\n");
    errno = 0;
    bool written = fflush(file) == 0 && !ferror(file) && (fsync(fileno(file)) == 0 || errno == EINVAL);
    int error = written ? 0 : errno ? errno : EIO;
    return fclose(file) == 0 ? error : error ? error : errno;
}

int squeeze_svg(const char *path, const char *squeezed, const char *title, bool *known)
{
    Arena *arena = arena_new();
    size_t length = 0;
    const uint8_t *bytes = read_whole_file(arena, path, &length);
    Reader *r = arena_zeros(arena, 1, sizeof *r);
    *r = (Reader){.arena = arena, .at = (const char *)bytes, .failed = !bytes};
    r->end = bytes ? r->at + length : NULL;
    r->groups[0] = (Group){.stroke = -1, .fill = 0, .width = 100, .font = 130, .anchor = "start"};
    for (Tag tag; !r->failed && next_tag(r, &tag);) read_tag(r, &tag);
    *known = !r->failed && r->width > 0 && r->depth == 0;
    int error = 0;
    if (*known) {
        error = write_svg(squeezed, r, title);
        if (error == 0 && rename(squeezed, path) != 0) error = errno;
        if (error) unlink(squeezed);
    }
    arena_free(arena);
    return error;
}
