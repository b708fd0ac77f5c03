// What gnuplot reads. Data and script are text: open them, change them, and run gnuplot again by hand.
#include "lesson/plot/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- Words -----------------------------------------------------------------------------------------------------------

// A gnuplot string. Between single quotes nothing is special but the quote itself: no backslash, no `command`. Line
// breaks are joined from outside. Where gnuplot takes a string for a number format, per cent signs are doubled.
static void put_quoted(FILE *file, const char *text, bool format)
{
    fputc('\'', file);
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'.\"'\".'", file); // a doubled one is misread at the beginning
        else if (*text == '\n')
            fputs("'.\"\\n\".'", file);
        else if (*text == '%' && format)
            fputs("%%", file);
        else
            fputc(*text, file);
    }
    fputc('\'', file);
}

static void put_string(FILE *file, const char *text) { put_quoted(file, text, false); }

// A path is any bytes. Between double quotes octal numbers stand for those that are no plain text; a quote that begins a
// command is one of them.
static void put_path(FILE *file, const char *path)
{
    bool plain = true;
    for (const char *at = path; *at && plain;) {
        uint32_t c = utf8_next(&at);
        plain = c >= ' ' && (c < 0x7F || c >= 0xA0) && c != UTF8_REPLACEMENT;
    }
    if (plain) {
        put_string(file, path);
        return;
    }
    fputc('"', file);
    for (; *path; path++) {
        bool letter = strchr("/._-", *path) || (*path >= '0' && *path <= '9') ||
                      (*path >= 'A' && *path <= 'Z') || (*path >= 'a' && *path <= 'z');
        fprintf(file, letter ? "%c" : "\\%03o", (unsigned)(unsigned char)*path);
    }
    fputc('"', file);
}

// The same for a comment: one line of printable text.
static void put_comment(FILE *file, const char *text)
{
    for (; *text; text++) fputc((unsigned char)*text < ' ' ? ' ' : *text, file);
}

// ---- Colours ---------------------------------------------------------------------------------------------------------

// Told apart by people who do not see red and green alike: after Okabe and Ito, "Color Universal Design", 2008.
static const unsigned palette[] = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x555555};
enum {
    PALETTE = sizeof palette / sizeof *palette,
    REFERENCE = 0x808080,
    CONTOUR = 0x8494A4,
    CONTOUR_LABEL = 0x566573
};

static unsigned colour_of(const Series *series) { return palette[series->colour % PALETTE]; }

// From light to dark; or, when there are values below and above 0, from blue over white, which is 0, to orange.
enum { STOPS = 5 };
static const unsigned rising[STOPS] = {0xF7FBFF, 0xC6DBEF, 0x6BAED6, 0x2171B5, 0x08306B};
static const unsigned signed_colours[STOPS] = {0x2166AC, 0x92C5DE, 0xF7F7F7, 0xFDB863, 0xB35806};

// The same, paler, for a map on which something else is drawn.
static const unsigned pale_rising[STOPS] = {0xF7FBFF, 0xE3EEF9, 0xCFE1F2, 0xB5D4E9, 0x93C3DF};
static const unsigned pale_signed[STOPS] = {0x92C5DE, 0xC5E0EC, 0xF7F7F7, 0xFBDCB0, 0xFDC080};

typedef struct {
    const unsigned *stops;
    double low, high;
} Colours;

static Colours colours_for(Matrix values, bool pale)
{
    Axis range = colour_range(values);
    if (range.low < 0.0 && range.high > 0.0)
        return (Colours){pale ? pale_signed : signed_colours, range.low, range.high};
    return (Colours){pale ? pale_rising : rising, range.low, range.high};
}

static unsigned colour_at(Colours colours, double value)
{
    double at = fmin(fmax((value - colours.low) / (colours.high - colours.low), 0.0), 1.0) * (STOPS - 1);
    int stop = int_min((int)at, STOPS - 2);
    unsigned from = colours.stops[stop], to = colours.stops[stop + 1], colour = 0;
    for (int shift = 16; shift >= 0; shift -= 8) {
        double a = from >> shift & 0xFF, b = to >> shift & 0xFF;
        colour |= (unsigned)(a + (at - stop) * (b - a) + 0.5) << shift;
    }
    return colour;
}

// Black or white, whichever can be read on this colour; not quite, as these two colours are others on a dark page (svg.c).
static unsigned ink_on(unsigned colour)
{
    unsigned brightness = 299 * (colour >> 16 & 0xFF) + 587 * (colour >> 8 & 0xFF) + 114 * (colour & 0xFF);
    return brightness > 140000 ? 0x212121 : 0xFEFEFE;
}

// ---- Sizes -----------------------------------------------------------------------------------------------------------

// gnuplot's two drivers do not mean the same by a size. That for SVG takes a letter's for pixels, guesses its width as 0.7 of
// that, and draws markers larger: with these two sizes, and letters that are drawn a little larger than it was told, it
// leaves as much room for words as they take in DejaVu Sans, and both pictures look alike.
enum { SVG_PERCENT = 120, SVG_MARKER_PERCENT = 66, SVG_SPACING_PERCENT = 84 };

static double letter_size(const Plot *plot, int points)
{
    return plot->svg ? points * SVG_PERCENT / 100.0 : points;
}

static double marker_size(const Plot *plot, double size)
{
    return plot->svg ? size * SVG_MARKER_PERCENT / 100.0 : size;
}

// ---- Ticks -----------------------------------------------------------------------------------------------------------

static void write_ticks(FILE *file, const char *name, Axis axis, const Ticks *ticks)
{
    int digits = axis_digits(axis);
    fprintf(file, "set %stics (", name);
    for (int i = 0; i < ticks->count; i++) {
        if (i) fputs(", ", file);
        put_quoted(file, ticks->ticks[i].name, true);
        fprintf(file, " %.*g %d", digits, ticks->ticks[i].at, *ticks->ticks[i].name == '\0');
    }
    fputs(")\n", file);
}

static void write_colours(FILE *file, const Plot *plot, Colours colours)
{
    fprintf(file, "set palette defined (");
    for (int i = 0; i < STOPS; i++) fprintf(file, "%s%d '#%06X'", i ? ", " : "", i, colours.stops[i]);
    fprintf(file, ")\nset cbrange [%.9g:%.9g]\n", colours.low, colours.high);
    fprintf(file, "set colorbox noborder\nset cbtics scale 0.4\n");
    double width, height;
    plot_area(plot, &width, &height);
    if (plot->grid.rows) height = plot->grid.rows * plot->grid.cell_height;
    Axis axis = {colours.low, colours.high, true, false};
    Ticks ticks = choose_ticks(plot->arena, axis, (Ruler){height, 18.0, 2.0, NULL});
    write_ticks(file, "cb", axis, &ticks);
}

// ---- Data ------------------------------------------------------------------------------------------------------------

static const char *const kind_names[] = {
    "line",     "dashed line", "points", "crosses",  "line with points", "band",  "bars",  "histogram",
    "a height", "a place",     "text",   "heat map", "contour lines",    "cells", "images"};

// Blocks are numbered from 0 and parted by two blank lines.
static void begin_block(FILE *file, int *block, const Series *series, const char *columns)
{
    fprintf(file, "%s# block %d, %s", *block ? "\n\n" : "", *block, kind_names[series->kind]);
    if (series->label) {
        fputs(": ", file);
        put_comment(file, series->label);
    }
    fprintf(file, "\n# %s\n", columns);
    ++*block;
}

static void write_points(FILE *file, const Series *series)
{
    for (int i = 0; i < series->count; i++) {
        fprintf(file, "%.9g %.9g", (double)series->x[i], (double)series->y[i]);
        if (series->z) fprintf(file, " %.9g", (double)series->z[i]);
        fputc('\n', file);
    }
    if (series->count == 0) fputs("NaN NaN NaN\n", file);
}

static void write_heights(FILE *file, const Plot *plot, const Series *series)
{
    const int digits_x = axis_digits(plot->x), digits_y = axis_digits(plot->y);
    const Matrix v = series->values;
    const PlotWindow w = series->window;
    for (int i = 0; i < v.rows; i++) {
        for (int j = 0; j < v.cols; j++)
            fprintf(file, "%.*g %.*g %.9g\n", digits_x, w.x_low + (w.x_high - w.x_low) * j / (v.cols - 1),
                    digits_y, w.y_low + (w.y_high - w.y_low) * i / (v.rows - 1), (double)AT(v, i, j));
    }
}

// Two blocks: the lines, broken where a label will be, and the labels.
static void write_contours(FILE *file, int *block, Plot *plot, const Series *series)
{
    const int digits_x = axis_digits(plot->x), digits_y = axis_digits(plot->y);
    Contour *lines = trace_contours(plot->arena, plot, series);
    begin_block(file, block, series, "x y");
    fputs("NaN NaN\n", file);
    for (const Contour *line = lines; line; line = line->next) {
        bool broken = true; // one blank line ends a piece; two would end the block
        for (int i = 0; i < line->count; i++) {
            bool hidden = under_label(plot, line, i);
            if (!hidden)
                fprintf(file, "%s%.*g %.*g\n", broken ? "\n" : "", digits_x, line->x[i], digits_y,
                        line->y[i]);
            broken = hidden;
        }
    }
    // gnuplot dies where none of many labels can be drawn: there is always one, of no letters.
    begin_block(file, block, series, "x y label");
    fprintf(file, "%.*g %.*g \"\"\n", digits_x, plot->x.low, digits_y, plot->y.low);
    for (const Contour *line = lines; line; line = line->next)
        if (line->label >= 0 && !plot->no_letters)
            fprintf(file, "%.*g %.*g %s\n", digits_x, line->x[line->label], digits_y, line->y[line->label],
                    line->name);
}

enum { CELL_TEXT = 32 };

// A number in a cell; of a very large one only the first digits.
static void cell_text(char text[CELL_TEXT], double value, int digits)
{
    char number[CELL_TEXT];
    if (fabs(value) < 1e6) snprintf(number, sizeof number, "%.*f", digits, value);
    if (fabs(value) >= 1e6) snprintf(number, sizeof number, "%.*g", int_max(digits, 1), value);
    bool zero = strspn(number, "-0.") == strlen(number) && *number == '-'; // no minus before 0.00
    snprintf(text, CELL_TEXT, "%s", isnan(value) ? "–" : number + zero);
}

static void put_cell_text(FILE *file, double value, int digits, unsigned ink)
{
    char text[CELL_TEXT];
    cell_text(text, value, digits);
    fprintf(file, " %s %u", text, ink);
}

static void write_cells(FILE *file, const Plot *plot, const Series *series)
{
    const Matrix v = series->values;
    Colours colours = colours_for(v, false);
    for (int i = 0; i < v.rows; i++) {
        for (int j = 0; j < v.cols; j++) {
            double value = (double)AT(v, i, j);
            unsigned colour = isnan(value) ? 0xFFFFFF : colour_at(colours, value);
            fprintf(file, "%d %d %.9g %u", j, i, value, colour);
            if (series->digits >= 0 && !plot->no_letters)
                put_cell_text(file, value, series->digits, isnan(value) ? 0x444444 : ink_on(colour));
            fputc('\n', file);
        }
    }
}

// From black to white, 0 to 255; a value that is missing is grey.
static int brightness(float value, double low, double high)
{
    if (isnan(value)) return 128;
    return (int)(fmin(fmax(((double)value - low) / (high - low), 0.0), 1.0) * 255.0 + 0.5);
}

// gnuplot wants an image to be at least 2 × 2: a smaller one is written with each of its pixels as four.
static void write_image(FILE *file, const Series *series, const Arrangement *grid, int index, double low,
                        double high)
{
    const PlotImages how = series->images;
    const float *image = matrix_row(series->values, index);
    int parts = how.width < 2 || how.height < 2 ? 2 : 1;
    double size = grid->scale / parts;
    double left = (index % grid->columns + 0.5) * grid->cell_width - 0.5 * how.width * grid->scale;
    double top = (grid->rows - index / grid->columns) * grid->cell_height;
    for (int i = 0; i < how.height * parts; i++) {
        for (int j = 0; j < how.width * parts; j++) {
            const float *pixel = image + ((size_t)(i / parts) * (size_t)how.width + (size_t)(j / parts)) *
                                             (size_t)how.channels;
            int red = brightness(pixel[0], low, high), green = red, blue = red;
            if (how.channels == 3) {
                green = brightness(pixel[1], low, high);
                blue = brightness(pixel[2], low, high);
            }
            fprintf(file, "%.6g %.6g %d %d %d\n", left + (j + 0.5) * size, top - (i + 0.5) * size, red, green,
                    blue);
        }
    }
}

static void write_images(FILE *file, int *block, const Plot *plot, const Series *series)
{
    double low = (double)series->images.low, high = (double)series->images.high;
    if (low == high) finite_range(series->values, &low, &high);
    if (low == high) high += fmax(1.0, fabs(low));
    for (int k = 0; k < series->values.rows; k++) {
        begin_block(file, block, series, "x y red green blue");
        write_image(file, series, &plot->grid, k, low, high);
    }
}

static void write_series(FILE *file, int *block, Plot *plot, const Series *series)
{
    const double *x = &series->at_x, *y = &series->at_y;
    const int digits_x = axis_digits(plot->x), digits_y = axis_digits(plot->y);
    switch (series->kind) {
    case SERIES_LINE:
    case SERIES_DASHED:
    case SERIES_POINTS:
    case SERIES_CROSSES:
    case SERIES_LINE_POINTS:
        begin_block(file, block, series, "x y");
        write_points(file, series);
        break;
    case SERIES_BAND:
        begin_block(file, block, series, "x low high");
        write_points(file, series);
        break;
    case SERIES_BARS:
    case SERIES_HISTOGRAM:
        begin_block(file, block, series, "left height right");
        write_points(file, series);
        break;
    case SERIES_HORIZONTAL:
        begin_block(file, block, series, "x y");
        fprintf(file, "%.*g %.*g\n%.*g %.*g\n", digits_x, plot->x.low, digits_y, *y, digits_x, plot->x.high,
                digits_y, *y);
        break;
    case SERIES_VERTICAL:
        begin_block(file, block, series, "x y");
        fprintf(file, "%.*g %.*g\n%.*g %.*g\n", digits_x, *x, digits_y, plot->y.low, digits_x, *x, digits_y,
                plot->y.high);
        break;
    case SERIES_TEXT:
        break; // it is in the script
    case SERIES_HEATMAP:
        begin_block(file, block, series, "x y value");
        write_heights(file, plot, series);
        break;
    case SERIES_CONTOUR:
        write_contours(file, block, plot, series);
        break;
    case SERIES_CELLS:
        begin_block(file, block, series,
                    series->digits < 0 ? "column row value colour" : "column row value colour text ink");
        write_cells(file, plot, series);
        break;
    case SERIES_IMAGES:
        write_images(file, block, plot, series);
        break;
    }
}

void write_data(FILE *file, Plot *plot)
{
    int block = 0;
    for (const Series *series = plot->first; series; series = series->next)
        write_series(file, &block, plot, series);
    if (block == 0) fputs("# nothing\n", file);
}

// The pixels that gnuplot leaves beside the y axis for its names and label.
static double names_beside(const Plot *plot) { return 60.0 + (*plot->y_label ? LINE_HEIGHT : 0); }

// ---- Axes ------------------------------------------------------------------------------------------------------------

// A text parted at the blank nearest to its middle.
static const char *on_two_lines(Arena *arena, const char *text)
{
    char *parted = arena_string(arena, text);
    int middle = (int)strlen(text) / 2, best = -1;
    for (int i = 0; text[i]; i++)
        if (text[i] == ' ' && (best < 0 || abs(i - middle) < abs(best - middle))) best = i;
    if (best >= 0 && !strchr(text, '\n')) parted[best] = '\n';
    return parted;
}

// Names that are wider than their share of the axis stand on two lines, or slanted.
static void fit_names(Plot *plot, const char **names, int count)
{
    double width, height;
    plot_area(plot, &width, &height);
    int most = (int)(width / count / CHARACTER_WIDTH), widest = 0, widest_parted = 0;
    for (int i = 0; i < count; i++) {
        widest = int_max(widest, widest_line(names[i]));
        widest_parted = int_max(widest_parted, widest_line(on_two_lines(plot->arena, names[i])));
    }
    if (widest <= most) return;
    for (int i = 0; i < count && widest_parted <= most; i++)
        if (widest_line(names[i]) > most) names[i] = on_two_lines(plot->arena, names[i]);
    plot->slanted = widest_parted > most;
}

// The first bars, whose names are on the x axis; NULL when there are none.
static const Series *find_bars(const Plot *plot)
{
    const Series *series = plot->first;
    while (series && series->kind != SERIES_BARS) series = series->next;
    return series;
}

// The names of bars, or the ticks that the chapter has chosen. Where there are too many, every second, third, … is named.
static void write_names_along_x(FILE *file, Plot *plot)
{
    const Series *bars = find_bars(plot);
    const char *const *given = bars ? bars->names : plot->tick_labels;
    int count = bars ? bars->count : plot->ticks;
    const char **names = arena_alloc(plot->arena, (size_t)count, sizeof *names);
    int digits = bars ? 6 : telling_digits(plot->arena, plot->tick_positions, count);
    for (int i = 0; i < count; i++) {
        char number[32];
        snprintf(number, sizeof number, "%.*g", digits, bars ? i : plot->tick_positions[i]);
        names[i] = given ? given[i] ? given[i] : "" : arena_string(plot->arena, number);
    }
    fit_names(plot, names, count);
    double width, height;
    plot_area(plot, &width, &height);
    double room =
        plot->slanted ? 1.2 * LINE_HEIGHT : SMALL_LINE_HEIGHT; // slanted lines are nearer than their ends
    int every = int_max(1, (int)ceil(count * room / width));
    fputs("set xtics (", file);
    for (int i = 0; i < count; i++) {
        if (i) fputs(", ", file);
        put_quoted(file, i % every == 0 ? names[i] : "", true);
        fprintf(file, " %.*g", axis_digits(plot->x), bars ? i : plot->tick_positions[i]);
    }
    fputs(plot->slanted ? ")\nset xtics rotate by 35 right\n" : ")\n", file);
    bool two_lines = false;
    for (int i = 0; i < count; i++) two_lines |= strchr(names[i], '\n') != NULL;
    if (two_lines && !plot->slanted)
        fprintf(file, "set bmargin %d\nset xlabel offset 0,-0.7\n",
                *plot->x_label ? 5 : 4); // gnuplot counts one
    if (!plot->slanted) return;
    if (plot->legend != LEGEND_OUTSIDE) fputs("set rmargin 4\n", file); // or it grows with the names
    double left = 0.0;
    for (int i = 0; i < count; i += every) {
        double across = axis_fraction(plot->x, bars ? i : plot->tick_positions[i]) * width;
        left = fmax(left, 12.0 + CHARACTER_WIDTH * widest_line(names[i]) - across);
    }
    if (left > names_beside(plot)) fprintf(file, "set lmargin at screen %.6g\n", left / plot->width);
}

// Numbers along the x axis, with the margins that the first and the last of them need.
static void write_numbers_along_x(FILE *file, Plot *plot)
{
    double width, height;
    plot_area(plot, &width, &height);
    if (has_kind(plot, SERIES_HEATMAP) && !plot->square)
        width = fmax(50.0, width - 110.0 - plot->long_colours);
    const double short_names = 27.0; // longer ones take from the width, too
    double length = width - fmax(0.0, plot->usual_names - short_names);
    Ticks ticks =
        choose_ticks(plot->arena, plot->x, (Ruler){length, LINE_HEIGHT, CHARACTER_WIDTH, words_width});
    write_ticks(file, "x", plot->x, &ticks);
    if (ticks.crowded) {
        fputs("set xtics rotate by 90 right\n", file);
        return;
    }
    double left = 0.0, right = 0.0, usual = 34.0;
    for (int i = 0; i < ticks.count; i++) {
        double across = axis_fraction(plot->x, ticks.ticks[i].at),
               half = 0.5 * words_width(ticks.ticks[i].name);
        left = fmax(left, half - across * width + 4.0);
        right = fmax(right, half - (1.0 - across) * width + 4.0);
    }
    if (left > names_beside(plot)) fprintf(file, "set lmargin at screen %.6g\n", left / plot->width);
    if (right > usual && plot->legend != LEGEND_OUTSIDE && !has_kind(plot, SERIES_HEATMAP))
        fprintf(file, "set rmargin at screen %.6g\n", 1.0 - right / plot->width);
}

static void write_axes(FILE *file, Plot *plot)
{
    int digits_x = axis_digits(plot->x), digits_y = axis_digits(plot->y);
    fprintf(file, "set xrange [%.*g:%.*g]\nset yrange [%.*g:%.*g]\n", digits_x, plot->x.low, digits_x,
            plot->x.high, digits_y, plot->y.low, digits_y, plot->y.high);
    if (plot->x.log) fputs("set logscale x\n", file);
    if (plot->y.log) fputs("set logscale y\n", file);
    double width, height;
    plot_area(plot, &width, &height);
    Ticks ticks = choose_ticks(plot->arena, plot->y, (Ruler){height, 18.0, 2.0, NULL});
    write_ticks(file, "y", plot->y, &ticks);
    const Series *bars = find_bars(plot);
    if (bars ? bars->count > 0 : plot->ticks > 0)
        write_names_along_x(file, plot);
    else
        write_numbers_along_x(file, plot);
    if (plot->square) fputs("set size ratio -1\n", file);
    if (has_kind(plot, SERIES_HEATMAP)) fputs("unset grid\n", file);
    if (bars) fputs("set grid noxtics\nset xtics scale 0\n", file);
    if (plot->diagram) fputs("unset grid\nunset ytics\nunset border\nset xtics scale 0\n", file);
}

// gnuplot takes a box for a missing letter to be as narrow as a letter: the letters of room that the boxes want besides.
static int room_for_boxes(const Plot *plot)
{
    int most = 0;
    for (const Series *series = plot->first; series; series = series->next) {
        if (!series->label || series->kind == SERIES_TEXT) continue;
        int counted = 0;
        for (const char *at = series->label; *at;) counted += utf8_width(utf8_next(&at));
        most = int_max(most, widest_line(series->label) - counted);
    }
    return (6 * most + 9) / 10;
}

static void write_legend(FILE *file, const Plot *plot)
{
    int boxes = room_for_boxes(plot), columns = legend_columns(plot);
    if (boxes > 0) fprintf(file, "set key width %d\n", boxes);
    if (columns > 1) fprintf(file, "set key maxrows %d\n", legend_rows(plot));
    static const char look[] =
        "Left reverse noenhanced nobox samplen 2 spacing %.4g textcolor rgb '#333333'\n";
    double spacing = plot->svg ? 1.25 * SVG_SPACING_PERCENT / 100.0 : 1.25;
    if (plot->legend == LEGEND_NONE) fputs("unset key\n", file);
    if (plot->legend == LEGEND_NONE) return;
    if (plot->legend == LEGEND_OUTSIDE) fputs("set key outside right top vertical ", file);
    if (plot->legend == LEGEND_GIVEN) fprintf(file, "set key inside %s vertical ", plot->legend_place);
    fprintf(file, look, spacing);
}

// Texts stand to the right of their point, or to the left where the picture ends.
static void write_texts(FILE *file, const Plot *plot)
{
    for (const Series *series = plot->first; series; series = series->next) {
        if (series->kind != SERIES_TEXT) continue;
        bool to_the_left = axis_fraction(plot->x, series->at_x) > 0.75;
        fputs("set label ", file);
        put_string(file, series->label);
        fprintf(file, " at %.*g,%.*g %s offset character %s,0 front textcolor rgb '#333333'\n",
                axis_digits(plot->x), series->at_x, axis_digits(plot->y), series->at_y,
                to_the_left ? "right" : "left", to_the_left ? "-0.7" : "0.7");
    }
}

// ---- Series ----------------------------------------------------------------------------------------------------------

// Without any font not even a number can be written.
static void hide_numbers(FILE *file, const Plot *plot)
{
    if (plot->no_letters) fputs("unset xtics\nunset ytics\nunset cbtics\n", file);
}

static void begin_element(FILE *file, int *element, int block, const char *using)
{
    fprintf(file, "%s data index %d using %s with ", *element ? ", \\\n    " : "plot", block, using);
    ++*element;
}

static void put_title(FILE *file, const Series *series)
{
    if (!series->label) {
        fputs(" notitle", file);
        return;
    }
    fputs(" title ", file);
    put_string(file, series->label);
}

static void write_reference(FILE *file, const Plot *plot, const Series *series)
{
    static const char *const dashes[] = {"solid", "(8,5)", "(2,4)", "(12,4,2,4)"};
    int number = 0;
    for (const Series *other = plot->first; other != series; other = other->next)
        number += other->kind == SERIES_HORIZONTAL || other->kind == SERIES_VERTICAL;
    fprintf(file, "lines linetype 7 linecolor rgb '#%06X' linewidth 1.2 dashtype %s", REFERENCE,
            dashes[number % 4]);
}

// Bars stand on 0, or on the axis when it does not reach down to 0.
static void write_boxes(FILE *file, int *element, int block, const Plot *plot, const Series *series)
{
    char using[80];
    double foot = plot->y.log ? plot->y.low : fmin(fmax(0.0, plot->y.low), plot->y.high);
    snprintf(using, sizeof using, "(0.5*($1+$3)):2:1:3:(%.9g):2", foot);
    begin_element(file, element, block, using);
    fprintf(file, "boxxyerror linecolor rgb '#%06X' fillstyle ", colour_of(series));
    if (series->kind == SERIES_BARS) fputs("solid 0.85 noborder", file);
    if (series->kind == SERIES_HISTOGRAM) fputs("transparent solid 0.6 border linecolor rgb '#FFFFFF'", file);
}

static void write_point_series(FILE *file, int *element, int block, const Plot *plot, const Series *series)
{
    bool translucent = series->count > 150 && !plot->pale;
    unsigned colour = plot->diagram ? 0x666666 : colour_of(series);
    int number = series->colour + 1;
    begin_element(file, element, block, series->kind == SERIES_BAND ? "1:2:3" : "1:2");
    switch (series->kind) {
    case SERIES_DASHED:
        fprintf(file, "lines linetype %d linecolor rgb '#%06X' linewidth 2 dashtype (9,6)", number, colour);
        break;
    case SERIES_POINTS: // a crowd is drawn translucent, so that one sees where it is thick
        fprintf(file, "points linetype %d linecolor rgb '#%s%06X' pointtype 7 pointsize %.4g", number,
                translucent ? "60" : "", colour,
                marker_size(plot, plot->diagram          ? 2.2
                                  : series->count > 1000 ? 0.5
                                  : series->count > 150  ? 0.8
                                                         : 1.0));
        break;
    case SERIES_CROSSES:
        fprintf(file, "points linetype %d linecolor rgb '#%06X' linewidth 2 pointtype 2 pointsize %.4g",
                number, colour, marker_size(plot, 2.2));
        break;
    case SERIES_LINE_POINTS:
        fprintf(file,
                "linespoints linetype %d linecolor rgb '#%06X' linewidth 1.6 dashtype solid pointtype 7 "
                "pointsize %.4g",
                number, colour, marker_size(plot, 0.8));
        break;
    case SERIES_BAND:
        fprintf(file,
                "filledcurves linetype %d fillcolor rgb '#%06X' fillstyle transparent solid 0.2 noborder",
                number, colour);
        break;
    default:
        fprintf(file, "lines linetype %d linecolor rgb '#%06X' linewidth 2 dashtype solid", number, colour);
    }
}

static void write_element(FILE *file, int *element, int *block, const Plot *plot, const Series *series)
{
    switch (series->kind) {
    case SERIES_TEXT:
    case SERIES_CELLS:
    case SERIES_IMAGES:
        return;
    case SERIES_BARS:
    case SERIES_HISTOGRAM:
        write_boxes(file, element, *block, plot, series);
        break;
    case SERIES_HORIZONTAL:
    case SERIES_VERTICAL:
        begin_element(file, element, *block, "1:2");
        write_reference(file, plot, series);
        break;
    case SERIES_HEATMAP:
        begin_element(file, element, *block, "1:2:3");
        fputs("image", file);
        break;
    case SERIES_CONTOUR:
        begin_element(file, element, (*block)++, "1:2");
        fprintf(file, "lines linecolor rgb '#%06X' linewidth 1.2 dashtype solid notitle", CONTOUR);
        begin_element(file, element, *block, "1:2:3");
        fprintf(file, "labels textcolor rgb '#%06X' font ',%.4g'", CONTOUR_LABEL,
                letter_size(plot, SMALL_TEXT_SIZE));
        break;
    default:
        write_point_series(file, element, *block, plot, series);
    }
    put_title(file, series);
    ++*block;
}

static void write_plot(FILE *file, const Plot *plot)
{
    hide_numbers(file, plot);
    int block = 0, element = 0;
    for (const Series *series = plot->first; series; series = series->next)
        write_element(file, &element, &block, plot, series);
    fputs(element ? "\n" : "plot NaN notitle\n", file);
}

// ---- Grids -----------------------------------------------------------------------------------------------------------

static void write_margins(FILE *file, const Plot *plot, const Arrangement *grid)
{
    fprintf(file, "set lmargin at screen %.9g\nset rmargin at screen %.9g\n", grid->left / plot->width,
            1.0 - grid->right / plot->width);
    fprintf(file, "set bmargin at screen %.9g\nset tmargin at screen %.9g\n", grid->bottom / plot->height,
            1.0 - grid->top / plot->height);
    fputs("unset grid\nunset key\n", file);
}

// Where cells are smaller than letters, every second, third, … is named.
static void write_names(FILE *file, const char *axis, const char *const *names, int count, double cell)
{
    if (!names) {
        fprintf(file, "set %stics 0,%d scale 0\n", axis, (count + 9) / 10);
        return;
    }
    int every = int_max(1, (int)ceil(SMALL_LINE_HEIGHT / cell));
    fprintf(file, "set %stics scale 0 (", axis);
    for (int i = 0; i < count; i++) {
        if (i) fputs(", ", file);
        put_quoted(file, names[i] && i % every == 0 ? names[i] : "", true);
        fprintf(file, " %d", i);
    }
    fputs(")\n", file);
}

// The letters of the longest number in the cells, and not fewer than those of −0.5.
static int widest_cell(const Series *series)
{
    int widest = series->digits + 3;
    for (size_t i = 0; i < matrix_size(series->values); i++) {
        char text[CELL_TEXT];
        cell_text(text, (double)series->values.data[i], series->digits);
        widest = int_max(widest, utf8_columns(text));
    }
    return widest;
}

static void write_cells_plot(FILE *file, const Plot *plot, const Series *series)
{
    const Arrangement *grid = &plot->grid;
    write_margins(file, plot, grid);
    write_colours(file, plot, colours_for(series->values, false));
    fprintf(file, "set xrange [-0.5:%g]\nset yrange [%g:-0.5]\nunset border\n", grid->columns - 0.5,
            grid->rows - 0.5);
    write_names(file, "x", series->column_names, grid->columns, grid->cell_width);
    write_names(file, "y", series->names, grid->rows, grid->cell_height);
    if (grid->slanted) fputs("set xtics rotate by 35 right\n", file);
    double half = grid->cell_width > 8.0 ? 0.5 - 0.5 / grid->cell_width : 0.5; // a white line between cells
    fprintf(file, "half = %.4f\n", half);
    if (series->digits >= 0) fputs("unset colorbox\n", file);
    hide_numbers(file, plot);
    fputs("plot data index 0 using 1:2:($1-half):($1+half):($2-half):($2+half):", file);
    fputs(series->digits < 0 ? "3 with boxxyerror fillstyle solid noborder linecolor palette notitle"
                             : "4 with boxxyerror fillstyle solid noborder linecolor rgb variable notitle",
          file);
    if (series->digits >= 0 && !plot->no_letters) {
        double room = 0.9 * grid->cell_width / widest_cell(series);
        fprintf(
            file,
            ", \\\n     data index 0 using 1:2:5:6 with labels textcolor rgb variable font ',%.4g' notitle",
            letter_size(plot, int_max(4, int_min(TEXT_SIZE, (int)room))));
    }
    fputc('\n', file);
}

static void write_caption(FILE *file, Plot *plot, const Series *series, int k)
{
    const Arrangement *grid = &plot->grid;
    bool fits =
        widest_line(series->names[k]) * SMALL_CHARACTER_WIDTH <= grid->cell_width || grid->caption_lines < 2;
    const char *caption = fits ? series->names[k] : on_two_lines(plot->arena, series->names[k]);
    fputs("set label ", file);
    put_string(file, fit_text(plot->arena, caption, grid->cell_width * TEXT_SIZE / SMALL_TEXT_SIZE, 2));
    double down = series->images.height * grid->scale + 0.6 * SMALL_LINE_HEIGHT;
    fprintf(file, " at %.6g,%.6g center font ',%.4g' textcolor rgb '#333333'\n",
            (k % grid->columns + 0.5) * grid->cell_width,
            (grid->rows - k / grid->columns) * grid->cell_height - down, letter_size(plot, SMALL_TEXT_SIZE));
}

static void write_images_plot(FILE *file, Plot *plot, const Series *series)
{
    const Arrangement *grid = &plot->grid;
    write_margins(file, plot, grid);
    fprintf(file, "set xrange [0:%.9g]\nset yrange [0:%.9g]\nunset border\nunset tics\n",
            grid->columns * grid->cell_width, grid->rows * grid->cell_height);
    for (int k = 0; series->names && k < series->values.rows; k++)
        if (series->names[k]) write_caption(file, plot, series, k);
    int element = 0;
    for (int k = 0; k < series->values.rows; k++) {
        begin_element(file, &element, k, "1:2:3:4:5");
        fputs("rgbimage notitle", file);
    }
    fputc('\n', file);
}

// ---- The script ------------------------------------------------------------------------------------------------------

static void write_terminal(FILE *file, const Plot *plot)
{
    int width = (int)lround(plot->scale * plot->width), height = (int)lround(plot->scale * plot->height);
    char scale[32] = "";
    if (plot->scale < 1.0) snprintf(scale, sizeof scale, " fontscale %.3g", plot->scale);
    if (plot->svg) {
        bool raster = has_kind(plot, SERIES_HEATMAP) || has_kind(plot, SERIES_IMAGES);
        fprintf(file,
                "set terminal svg size %d,%d %sfont 'DejaVu Sans,%.4g' fontscale %.4g noenhanced background "
                "'#FFFFFF'\n",
                width, height, raster ? "standalone " : "", letter_size(plot, TEXT_SIZE),
                plot->scale * 96.0 / 72.0 * 100.0 / SVG_PERCENT);
        return;
    }
    fprintf(file,
            "if (strstrt(GPVAL_TERMINALS, 'pngcairo') > 0) {\n"
            "    set terminal pngcairo size %d,%d font 'DejaVu Sans,%d'%s noenhanced background '#FFFFFF'\n"
            "} else {\n"
            "    set terminal png size %d,%d font 'DejaVu Sans,%d'%s noenhanced background '#FFFFFF'\n"
            "}\n",
            width, height, TEXT_SIZE, scale, width, height, TEXT_SIZE - 2, scale);
}

// The pixels of a word whose middle is that of what the axes enclose: it must not reach over an edge of the picture.
static double room_above_axes(const Plot *plot)
{
    const Arrangement *grid = &plot->grid;
    double width, height, left = names_beside(plot) + plot->long_names;
    plot_area(plot, &width, &height);
    if (grid->rows) left = grid->left, width = grid->columns * grid->cell_width;
    double middle = left + 0.5 * width;
    return 2.0 * fmin(middle, plot->width - middle);
}

// Around a grid's margins, which are given, the lines of gnuplot's SVG are further apart than the letters need.
static const char *nearer(const Plot *plot, const char *offset)
{
    return plot->svg && plot->grid.rows ? offset : "";
}

// The title is above the middle of what the axes enclose; one that is too long for that is in the middle of the picture.
static void write_title(FILE *file, const Plot *plot)
{
    static const char look[] = "font ',%.4g' textcolor rgb '#222222'%s\n";
    double room = room_above_axes(plot);
    bool fits = words_width(plot->title) * TITLE_SIZE / TEXT_SIZE <= room;
    fputs("set title ", file);
    put_string(file, fits ? plot->title : count_lines(plot->title) > 1 ? " \n " : " ");
    fputc(' ', file);
    fprintf(file, look, letter_size(plot, TITLE_SIZE), nearer(plot, " offset 0,-0.35"));
    if (fits) return;
    fputs("set label ", file);
    put_string(file, plot->title);
    fprintf(file, " at screen 0.5,screen %.6g center ", 1.0 - 30.0 / plot->height);
    fprintf(file, look, letter_size(plot, TITLE_SIZE), "");
}

static void write_style(FILE *file, const Plot *plot)
{
    fputs("set border 3 linecolor rgb '#999999' linewidth 1\n"
          "set tics nomirror scale 0.6 textcolor rgb '#444444'\n"
          "set format '%h'\n"
          "set grid linetype 1 linecolor rgb '#E8E8E8' linewidth 1\n"
          "set clip two\n",
          file);
    write_title(file, plot);
    fputs("set xlabel ", file);
    // What gnuplot leaves for a legend is not known to a letter.
    double room = room_above_axes(plot) - (plot->legend == LEGEND_OUTSIDE ? 4.0 * CHARACTER_WIDTH : 0.0);
    bool fits = plot->grid.rows || words_width(plot->x_label) <= room;
    put_string(file,
               fits ? plot->x_label : fit_text(plot->arena, plot->x_label, room, count_lines(plot->x_label)));
    fprintf(file, " textcolor rgb '#222222'%s\nset ylabel ", nearer(plot, " offset 0,0.3"));
    put_string(file, plot->y_label);
    fputs(" textcolor rgb '#222222'\n", file);
}

static void write_axes_plot(FILE *file, Plot *plot)
{
    write_axes(file, plot);
    write_legend(file, plot);
    write_texts(file, plot);
    double beside = plot->legend == LEGEND_OUTSIDE ? legend_width(plot) : 0.0;
    if (plot->long_colours > 0.0)
        fprintf(file, "set rmargin at screen %.6g\n",
                1.0 - (150.0 + plot->long_colours + beside) / plot->width);
    for (const Series *series = plot->first; series; series = series->next)
        if (series->kind == SERIES_HEATMAP)
            write_colours(file, plot, colours_for(series->values, plot->pale));
    write_plot(file, plot);
}

void write_script(FILE *file, Plot *plot, const char *data, const char *picture)
{
    const Series *first = plot->first;
    fprintf(file, "# Draws %s with gnuplot 5 or later. Run it in the folder in which the lesson was run.\n",
            plot->file);
    fputs("set encoding utf8\ndata = ", file);
    put_path(file, data);
    fputs("\npicture = ", file);
    put_path(file, picture);
    fputs("\nif (ARGC >= 1) { picture = ARG1 }\n", file);
    write_terminal(file, plot);
    fputs("set output picture\n", file);
    write_style(file, plot);
    if (first && first->kind == SERIES_CELLS)
        write_cells_plot(file, plot, first);
    else if (first && first->kind == SERIES_IMAGES)
        write_images_plot(file, plot, first);
    else
        write_axes_plot(file, plot);
    fputs("unset output\n", file);
}
