// A plot of characters: lines, points and bands, for somebody who watches the terminal. Words have lines of their own, so
// nothing covers a curve; every line is as many columns wide as the terminal shows, not as it has bytes.
#include "lesson/plot/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST_COLUMNS = 8, FEWEST_ROWS = 4, MOST_ROWS_OF_LEGEND = 3, TAB = 3 };

bool fits_a_text_plot(const Plot *plot)
{
    for (const Series *series = plot->first; series; series = series->next)
        if (series->kind >= SERIES_BARS && series->kind != SERIES_HORIZONTAL &&
            series->kind != SERIES_VERTICAL)
            return false;
    return plot->first != NULL;
}

// ---- Words -------------------------------------------------------------------------------------------------------------

// A line of the terminal as far as it has been written.
typedef struct {
    FILE *file;
    int column;
} Line;

static void go_to(Line *line, int column)
{
    for (; line->column < column; line->column++) fputc(' ', line->file);
}

static void end_line(Line *line)
{
    fputc('\n', line->file);
    line->column = 0;
}

// What would move the terminal's cursor or turn the direction of a line is a blank.
static bool is_harmless(uint32_t c)
{
    return c >= ' ' && !(c >= 0x7F && c < 0xA0) && c != 0x200E && c != 0x200F &&
           !(c >= 0x2028 && c <= 0x202E) && !(c >= 0x2066 && c <= 0x2069);
}

// Control characters count as the blanks that they become.
static int columns_of(const char *text)
{
    int columns = 0;
    for (uint32_t c; (c = utf8_next(&text)) != 0;) columns += is_harmless(c) ? utf8_width(c) : 1;
    return columns;
}

// Words on one line, at most this many columns of them.
static void put_words(Line *line, const char *text, int columns)
{
    bool cut = columns_of(text) > columns;
    for (int left = columns - cut; *text;) {
        char bytes[4];
        uint32_t c = utf8_next(&text);
        if (!is_harmless(c)) c = ' ';
        left -= utf8_width(c);
        if (left < 0) break;
        fwrite(bytes, 1, (size_t)utf8_encode(bytes, c), line->file);
        line->column += utf8_width(c);
    }
    if (cut && columns > 0) fputs("…", line->file);
    line->column += cut && columns > 0;
}

static void put_centred(FILE *file, const char *text, int columns)
{
    Line line = {file, 0};
    if (!*text) return;
    go_to(&line, int_max(0, (columns - columns_of(text)) / 2));
    put_words(&line, text, columns);
    end_line(&line);
}

// ---- Curves ------------------------------------------------------------------------------------------------------------

typedef struct {
    int columns, rows;
    char *cells; // [rows · columns], the top row first
} Area;

static char mark_of(const Series *series)
{
    static const char marks[] = "*o+x#@%&";
    return series->kind == SERIES_BAND ? ':' : marks[series->colour % (int)(sizeof marks - 1)];
}

static void put_mark(const Area *area, Fraction at, char mark)
{
    if (!(at.across >= -1e-9 && at.across <= 1.0 + 1e-9 && at.up >= -1e-9 && at.up <= 1.0 + 1e-9)) return;
    int column = (int)lround(at.across * (area->columns - 1)),
        row = (int)lround((1.0 - at.up) * (area->rows - 1));
    area->cells[(size_t)row * (size_t)area->columns + (size_t)column] = mark;
}

// Cuts what lies outside 0 to 1 from a segment, along one of its coordinates; false when nothing is left.
static bool clip(double from, double to, double *begin, double *end)
{
    if (from == to) return from >= 0.0 && from <= 1.0;
    double at_low = (0.0 - from) / (to - from), at_high = (1.0 - from) / (to - from);
    *begin = fmax(*begin, fmin(at_low, at_high));
    *end = fmin(*end, fmax(at_low, at_high));
    return *begin <= *end;
}

static void put_segment(const Area *area, Fraction from, Fraction to, char mark)
{
    double begin = 0.0, end = 1.0;
    if (!isfinite(from.across + from.up + to.across + to.up)) return;
    if (!clip(from.across, to.across, &begin, &end) || !clip(from.up, to.up, &begin, &end)) return;
    double across = to.across - from.across, up = to.up - from.up;
    double longest = fmax(fabs(across) * area->columns, fabs(up) * area->rows) * (end - begin);
    int steps = 1 + (int)ceil(longest);
    for (int i = 0; i <= steps; i++) {
        double share = begin + (end - begin) * i / steps;
        put_mark(area, (Fraction){from.across + share * across, from.up + share * up}, mark);
    }
}

static void put_series(const Area *area, const Plot *plot, const Series *series)
{
    char mark = mark_of(series);
    double across = axis_fraction(plot->x, series->at_x), up = axis_fraction(plot->y, series->at_y);
    if (series->kind == SERIES_HORIZONTAL) put_segment(area, (Fraction){0.0, up}, (Fraction){1.0, up}, '-');
    if (series->kind == SERIES_VERTICAL)
        put_segment(area, (Fraction){across, 0.0}, (Fraction){across, 1.0}, '|');
    bool joined =
        series->kind == SERIES_LINE || series->kind == SERIES_DASHED || series->kind == SERIES_LINE_POINTS;
    Fraction last = {NAN, NAN};
    for (int i = 0; i < series->count; i++) {
        Fraction at = {axis_fraction(plot->x, (double)series->x[i]),
                       axis_fraction(plot->y, (double)series->y[i])};
        if (series->kind == SERIES_BAND)
            put_segment(area, at, (Fraction){at.across, axis_fraction(plot->y, (double)series->z[i])}, mark);
        else
            put_mark(area, at, mark);
        if (joined) put_segment(area, last, at, mark);
        last = at;
    }
}

// Bands first, then reference lines, then the rest: nothing is hidden by what fills more cells.
static void put_all_series(const Area *area, const Plot *plot)
{
    memset(area->cells, ' ', (size_t)area->rows * (size_t)area->columns);
    for (int turn = 0; turn < 3; turn++) {
        for (const Series *series = plot->first; series; series = series->next) {
            bool reference = series->kind == SERIES_HORIZONTAL || series->kind == SERIES_VERTICAL;
            if (turn == (series->kind == SERIES_BAND ? 0 : reference ? 1 : 2)) put_series(area, plot, series);
        }
    }
}

// ---- Around them ---------------------------------------------------------------------------------------------------------

static double name_columns(const char *name) { return utf8_columns(name); }

// The mark and the label of each series, as many beside each other as there is room for. Returns the lines written, or
// that would be where there is no file.
static int put_legend(FILE *file, const Plot *plot, int columns)
{
    Line line = {file, 0};
    int lines = 0, used = 0;
    for (const Series *series = plot->first; series; series = series->next) {
        if (!series->label) continue;
        char mark = series->kind == SERIES_HORIZONTAL ? '-'
                    : series->kind == SERIES_VERTICAL ? '|'
                                                      : mark_of(series);
        int width = int_min(2 + columns_of(series->label), columns);
        if (lines == 0 || used + TAB + width > columns) {
            if (lines == MOST_ROWS_OF_LEGEND) break;
            if (file && lines) end_line(&line);
            lines++;
            used = 0;
        }
        used += (used ? TAB : 0);
        if (file) {
            go_to(&line, used);
            fprintf(file, "%c ", mark);
            line.column += 2;
            put_words(&line, series->label, width - 2);
        }
        used += width;
    }
    if (file && lines) end_line(&line);
    return lines;
}

// Ticks that the chapter has chosen, or those that fit.
static Ticks ticks_along_x(const Plot *plot, int columns)
{
    if (plot->ticks == 0)
        return choose_ticks(plot->arena, plot->x, (Ruler){columns - 1, 1.0, 2.0, name_columns});
    Ticks ticks = {.ticks = arena_alloc(plot->arena, (size_t)plot->ticks, sizeof *ticks.ticks),
                   .count = plot->ticks};
    int digits = telling_digits(plot->arena, plot->tick_positions, plot->ticks);
    for (int i = 0; i < plot->ticks; i++) {
        char number[32];
        snprintf(number, sizeof number, "%.*g", digits, plot->tick_positions[i]);
        const char *given = plot->tick_labels ? plot->tick_labels[i] : number;
        ticks.ticks[i] = (Tick){plot->tick_positions[i], arena_string(plot->arena, given ? given : "")};
    }
    return ticks;
}

// The x axis and below it the names of its ticks: on one line, and those for which it has no room on a second one.
static void put_x_axis(FILE *file, const Plot *plot, const Area *area, int gutter, int columns)
{
    Ticks ticks = ticks_along_x(plot, area->columns);
    char *axis = arena_alloc(plot->arena, (size_t)area->columns + 1, 1);
    memset(axis, '-', (size_t)area->columns);
    axis[area->columns] = '\0';
    Line lines[2] = {{file, 0}, {file, 0}};
    bool *written = arena_zeros(plot->arena, (size_t)ticks.count, sizeof *written);
    for (int i = 0; i < ticks.count; i++) {
        double across = axis_fraction(plot->x, ticks.ticks[i].at);
        if (across >= 0.0 && across <= 1.0) axis[lround(across * (area->columns - 1))] = '+';
    }
    fprintf(file, "%*s+%s\n", gutter, "", axis);
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < ticks.count; i++) {
            double across = axis_fraction(plot->x, ticks.ticks[i].at);
            int width = columns_of(ticks.ticks[i].name);
            if (written[i] || width == 0 || width > columns || !(across >= 0.0 && across <= 1.0)) continue;
            int middle = gutter + 1 + (int)lround(across * (area->columns - 1)), left = middle - width / 2;
            left = int_max(0, int_min(left, columns - width));
            if (lines[turn].column > 0 && left < lines[turn].column + 1) continue;
            go_to(&lines[turn], left);
            put_words(&lines[turn], ticks.ticks[i].name, width);
            written[i] = true;
        }
        if (lines[turn].column) end_line(&lines[turn]);
        if (!ticks.crowded) break;
    }
}

// The y axis with the names of its ticks in the gutter, and the curves.
static void put_rows(FILE *file, const Plot *plot, const Area *area, const Ticks *ticks, int gutter)
{
    for (int row = 0; row < area->rows; row++) {
        const char *name = "";
        bool is_tick = false;
        for (int i = 0; i < ticks->count; i++) {
            double up = axis_fraction(plot->y, ticks->ticks[i].at);
            if (lround((1.0 - up) * (area->rows - 1)) != row) continue;
            is_tick = true;
            if (*ticks->ticks[i].name) name = ticks->ticks[i].name;
        }
        const char *cells = area->cells + (size_t)row * (size_t)area->columns;
        int length = area->columns;
        while (length > 0 && cells[length - 1] == ' ') length--;
        Line line = {file, 0};
        go_to(&line, gutter - utf8_columns(name));
        put_words(&line, name, gutter);
        fprintf(file, "%c%.*s\n", is_tick ? '+' : '|', length, cells);
    }
}

void write_text_plot(FILE *file, Plot *plot, int columns, int lines)
{
    int words =
        (*plot->title != '\0') + (*plot->x_label != '\0') + (*plot->y_label != '\0') + 2; // and the x axis
    Area area = {.rows = lines - words - put_legend(NULL, plot, columns)};
    if (area.rows < FEWEST_ROWS) return;
    Ticks ticks = choose_ticks(plot->arena, plot->y, (Ruler){area.rows - 1, 1.0, 1.0, NULL});
    int gutter = 0;
    for (int i = 0; i < ticks.count; i++) gutter = int_max(gutter, utf8_columns(ticks.ticks[i].name));
    area.columns = columns - gutter - 1;
    if (area.columns < FEWEST_COLUMNS) return;
    if (ticks_along_x(plot, area.columns).crowded) area.rows--; // their names take two lines
    area.cells = arena_alloc(plot->arena, (size_t)area.rows * (size_t)area.columns, 1);

    put_centred(file, plot->title, columns);
    put_legend(file, plot, columns);
    if (*plot->y_label) {
        Line line = {file, 0};
        put_words(&line, plot->y_label, columns);
        end_line(&line);
    }
    put_all_series(&area, plot);
    put_rows(file, plot, &area, &ticks, gutter);
    put_x_axis(file, plot, &area, gutter, columns);
    put_centred(file, plot->x_label, columns);
}
