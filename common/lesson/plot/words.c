// Words: which of them can be drawn, and how long they may be. gnuplot hands letters to Pango, which takes a letter that
// DejaVu Sans lacks from any other font, and draws a letter that no font has as a box of the size of the picture. So
// fontconfig (fc-list) is asked what the fonts have; what none has becomes □. An SVG is drawn where it is read, with the
// fonts that are there.
#include "lesson/child.h"
#include "lesson/plot/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHARACTERS = 0x110000, BOX = 0x25A1 };

// ---- What the fonts have ----------------------------------------------------------------------------------------------

// Where fc-list is missing: what DejaVu Sans has without a gap, of all that courses are likely to write.
static const uint32_t usual[][2] = {{0x20, 0x7E},     {0xA0, 0x17F},    {0x1A0, 0x1A1},   {0x2C6, 0x2C7},
                                    {0x300, 0x304},   {0x391, 0x3A1},   {0x3A3, 0x3CE},   {0x400, 0x45F},
                                    {0x2010, 0x2027}, {0x2030, 0x205E}, {0x2070, 0x2071}, {0x2074, 0x208E},
                                    {0x20AC, 0x20AC}, {0x2102, 0x2102}, {0x210D, 0x210D}, {0x2115, 0x2115},
                                    {0x211A, 0x211D}, {0x2190, 0x21FF}, {0x2200, 0x22FF}, {0x2500, 0x25FF},
                                    {0x2713, 0x2718}, {0xFFFD, 0xFFFD}};

// One bit for each character that can be drawn. Asked for once in a program: fonts do not come and go.
static struct {
    bool asked;
    uint8_t bits[CHARACTERS / 8];
} fonts;

static void add_characters(uint32_t from, uint32_t to)
{
    for (uint32_t c = from; c <= to && c < CHARACTERS; c++) fonts.bits[c / 8] |= (uint8_t)(1u << c % 8);
}

static bool has_glyph(uint32_t c) { return c < CHARACTERS && fonts.bits[c / 8] >> c % 8 & 1; }

// A font as fc-list describes it: "TrueType 20-7e a0-1a9 1ab …". Pango draws with no other formats than these two.
static bool add_font(char *line)
{
    char *rest, *word = strtok_r(line, " ", &rest);
    bool read = false;
    if (!word || (strcmp(word, "TrueType") != 0 && strcmp(word, "CFF") != 0)) return false;
    while ((word = strtok_r(NULL, " \n", &rest)) != NULL) {
        char *end;
        unsigned long from = strtoul(word, &end, 16), to = *end == '-' ? strtoul(end + 1, &end, 16) : from;
        if (end == word || *end || to < from || to >= CHARACTERS) return read;
        add_characters((uint32_t)from, (uint32_t)to);
        read = true;
    }
    return read;
}

// Whether the list was understood. An empty one is: there are no fonts.
static bool read_fonts(const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    bool empty = true, understood = false;
    if (!file) return false;
    while (getline(&line, &size, file) >= 0) {
        empty = false;
        understood |= add_font(line);
    }
    bool whole = !ferror(file);
    free(line);
    fclose(file);
    return whole && (empty || understood);
}

static void ask_for_fonts(const char *answer)
{
    char *const question[] = {"fc-list", "--format", "%{fontformat} %{charset}\n", NULL};
    if (fonts.asked) return;
    fonts.asked = true;
    Child child = child_run(question, answer, false, 60.0);
    bool known = child.end == CHILD_ENDED && child.detail == 0 && read_fonts(answer);
    unlink(answer);
    for (size_t k = 0; !known && k < sizeof usual / sizeof *usual; k++)
        add_characters(usual[k][0], usual[k][1]);
}

// ---- Cleaning ----------------------------------------------------------------------------------------------------------

// What has no shape of its own and may be left out where no font knows it: joiners, directions, variants, tags.
static bool is_invisible(uint32_t c)
{
    return c == 0xAD || c == 0x34F || c == 0x61C || (c >= 0x180B && c <= 0x180F) ||
           (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
           (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF || (c >= 0xE0000 && c <= 0xE0FFF);
}

// Control characters but the newline, and the two separators that would begin a new line.
static bool is_blank(uint32_t c)
{
    return (c < ' ' && c != '\n') || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
}

// What the characters that no font has are named in the one line about them.
typedef struct {
    char text[160];
    uint32_t seen[8];
    int count;
} Missing;

static void note_missing(Missing *missing, uint32_t c)
{
    for (int i = 0; i < int_min(missing->count, 8); i++)
        if (missing->seen[i] == c) return;
    if (missing->count < 8) {
        char shape[5] = "";
        shape[utf8_encode(shape, c)] = '\0';
        size_t used = strlen(missing->text);
        snprintf(missing->text + used, sizeof missing->text - used, "%s%s (U+%04X)", used ? ", " : "", shape,
                 c);
        missing->seen[missing->count] = c;
    }
    missing->count++;
}

// The character that is drawn instead, 0 for none.
static uint32_t drawn_for(uint32_t c, const Plot *plot, Missing *missing)
{
    if (is_blank(c)) c = ' ';
    if (c == '\n') return c;
    if ((c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF)) c = UTF8_REPLACEMENT; // no characters at all
    if (plot->svg || has_glyph(c)) return c;
    if (is_invisible(c)) return 0;
    note_missing(missing, c);
    return has_glyph(BOX) ? BOX : has_glyph('?') ? '?' : 0;
}

static char *clean(Plot *plot, const char *text, Missing *missing)
{
    enum { MOST_MARKS = 4 }; // on one letter; more of them would cover the picture
    size_t used = 0;
    int marks = 0;
    char *cleaned =
        arena_alloc(plot->arena, 3 * strlen(text) + 1, 1); // a byte that is no UTF-8 becomes three
    while (*text) {
        uint32_t c = drawn_for(utf8_next(&text), plot, missing);
        marks = utf8_width(c) == 0 ? marks + 1 : 0;
        if (c && marks <= MOST_MARKS) used += (size_t)utf8_encode(cleaned + used, c);
    }
    cleaned[used] = '\0';
    return cleaned;
}

// ---- Fitting -----------------------------------------------------------------------------------------------------------

// How wide DejaVu Sans draws the characters from the blank to the tilde: hundredths of its size.
static const uint8_t ascii_widths[95] = {
    32, 40, 46, 84, 64, 95, 78, 28, 39,  39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 34, 34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 78, 75, 30, 30, 66, 56, 86, 75, 79,
    60, 79, 70, 64, 61, 73, 68, 99, 69,  61, 69, 39, 34, 39, 84, 50, 50, 61, 64, 55, 64, 62, 35, 64,
    63, 28, 28, 58, 28, 97, 63, 61, 64,  64, 41, 52, 39, 63, 59, 82, 59, 59, 53, 64, 34, 64, 84};

static double letter_width(uint32_t c)
{
    const double size = TEXT_SIZE * 96.0 / 72.0 / 100.0; // a hundredth of the letters' size, in pixels
    if (c >= ' ' && c <= '~') return size * ascii_widths[c - ' '];
    if (utf8_width(c) != 1) return size * 50.0 * utf8_width(c);
    if (c == 0xB2 || c == 0xB3 || c == 0xB9 || (c >= 0x2070 && c <= 0x209C))
        return size * 40.0; // small digits
    return size * (c < 0x2000 ? c == 0xB7 ? 32.0 : 66.0 : c == BOX ? 95.0 : 103.0);
}

double words_width(const char *text)
{
    double width = 0.0;
    for (uint32_t c; *text && *text != '\n' && (c = utf8_next(&text)) != 0;) width += letter_width(c);
    return *text ? fmax(width, words_width(text + 1)) : width;
}

static int columns_drawn(uint32_t c) { return c == BOX || c == UTF8_REPLACEMENT ? 2 : utf8_width(c); }

int widest_line(const char *text)
{
    int columns = 0;
    for (uint32_t c; *text && *text != '\n' && (c = utf8_next(&text)) != 0;) columns += columns_drawn(c);
    return *text ? int_max(columns, widest_line(text + 1)) : columns;
}

int count_lines(const char *text)
{
    int lines = 1;
    for (; *text; text++) lines += *text == '\n';
    return lines;
}

// The end of the longest beginning of a text, at most to the end of its line, that is no wider than this.
static char *fitting(char *text, double width)
{
    const char *at = text;
    while (*at && *at != '\n') {
        const char *before = at;
        width -= letter_width(utf8_next(&at));
        if (width < 0.0) return text + (before - text);
    }
    return text + (at - text);
}

// The last blank in a line that breaks it not too near to its beginning; NULL when there is none.
static char *last_blank(char *line, char *end)
{
    for (char *at = end; at > line + (end - line) / 3; at--)
        if (*at == ' ') return at;
    return NULL;
}

char *fit_text(Arena *arena, const char *text, double width, int lines)
{
    width = fmax(width, 4.0 * CHARACTER_WIDTH);
    char *fitted = arena_alloc(arena, strlen(text) + (size_t)lines + sizeof "…", 1), *line = fitted;
    strcpy(fitted, text);
    for (;; lines--) {
        char *end = fitting(line, width);
        if (*end == '\0' || (*end == '\n' && lines > 1)) {
            if (*end == '\0') return fitted;
            line = end + 1;
        } else if (lines <= 1) {
            strcpy(fitting(line, width - letter_width(0x2026)), "…");
            return fitted;
        } else {
            char *blank = last_blank(line, end);
            if (!blank) memmove(end + 1, end, strlen(end) + 1);
            if (!blank) blank = end;
            *blank = '\n';
            line = blank + 1;
        }
    }
}

// ---- All words of a picture ------------------------------------------------------------------------------------------------

static const char *prepare(Plot *plot, const char *text, double width, int lines, Missing *missing)
{
    return text ? fit_text(plot->arena, clean(plot, text, missing), width, lines) : NULL;
}

// Where words are cut rather than broken: as many lines as they have, two at most.
static int lines_given(const char *text) { return int_min(count_lines(text), 2); }

static void prepare_list(Plot *plot, const char **texts, int count, double width, int lines, Missing *missing)
{
    for (int i = 0; texts && i < count; i++) texts[i] = prepare(plot, texts[i], width, lines, missing);
}

static void prepare_series(Plot *plot, Series *series, Missing *missing)
{
    const double name = 26.0 * CHARACTER_WIDTH;
    bool alone = series->kind == SERIES_CELLS || series->kind == SERIES_IMAGES;
    if (series->kind == SERIES_TEXT) {
        double across = axis_fraction(plot->x, series->at_x), room = across > 0.75 ? across : 1.0 - across;
        series->label = prepare(plot, series->label, fmax(room, 0.25) * (plot->width - 80.0), 3, missing);
    } else {
        series->label = prepare(plot, series->label, 0.5 * plot->width,
                                series->label ? lines_given(series->label) : 1, missing);
    }
    prepare_list(plot, series->names, alone ? series->values.rows : series->count, name,
                 series->kind == SERIES_CELLS ? 1 : 2, missing);
    prepare_list(plot, series->column_names, series->values.cols, name, 1, missing);
}

void plot_prepare_words(Plot *plot, const char *answer)
{
    Missing missing = {.count = 0};
    if (!plot->svg) ask_for_fonts(answer);
    bool alone = plot->first && (plot->first->kind == SERIES_CELLS || plot->first->kind == SERIES_IMAGES);
    double across = (alone && !plot->size_given ? 960.0 : plot->width) - 2.0 * CHARACTER_WIDTH;
    plot->title = prepare(plot, plot->title, across * TEXT_SIZE / TITLE_SIZE, 2, &missing);
    plot->x_label = prepare(plot, plot->x_label, alone ? 0.5 * across : across - 120.0,
                            lines_given(plot->x_label), &missing);
    plot->y_label = prepare(plot, plot->y_label, alone ? 260.0 : plot->height - 80.0,
                            lines_given(plot->y_label), &missing);
    prepare_list(plot, plot->tick_labels, plot->ticks, 26.0 * CHARACTER_WIDTH, 2, &missing);
    for (Series *series = plot->first; series; series = series->next) prepare_series(plot, series, &missing);
    plot->no_letters = !plot->svg && !has_glyph('0');
    if (missing.count > 0 && plot->no_letters)
        plot_tell(plot, "there is no font to draw words with (`make setup` installs one)");
    if (missing.count > 0 && !plot->no_letters)
        plot_tell(plot, "no font has %s%s; □ is drawn instead (`make setup` installs fonts)", missing.text,
                  missing.count > 8 ? ", …" : "");
}
