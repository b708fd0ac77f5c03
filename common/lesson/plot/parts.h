// parts.h: what the files that make a picture share. Not for chapters, which see plot.h.
//
//     plot.c            takes copies of what the chapter gives
//     layout.c     decides: ranges, where the legend goes, how images are arranged
//     ticks.c      chooses the ticks of an axis and their names
//     words.c      replaces what no font has, breaks and cuts what is too long
//     contour.c    traces lines of equal height
//     script.c     writes the data and the script for gnuplot
//     gnuplot.c    runs gnuplot, and puts the picture in its place
//     png.c        sees whether its file is whole, and makes a PNG smaller
//     svg.c        makes an SVG smaller, and gives it colours for dark pages
//     text.c       shows a plot of characters to somebody who watches
#pragma once
#include "lesson/plot/plot.h"
#include "base/utf8.h"

typedef enum {
    SERIES_LINE,
    SERIES_DASHED,
    SERIES_POINTS,
    SERIES_CROSSES,
    SERIES_LINE_POINTS,
    SERIES_BAND,
    SERIES_BARS,
    SERIES_HISTOGRAM,
    SERIES_HORIZONTAL,
    SERIES_VERTICAL,
    SERIES_TEXT,
    SERIES_HEATMAP,
    SERIES_CONTOUR,
    SERIES_CELLS,
    SERIES_IMAGES,
} SeriesKind;

// One thing to draw. Which members are used depends on the kind.
typedef struct Series {
    SeriesKind kind;
    const char *label; // NULL: not in the legend; the words of a text
    int colour;        // index into the palette
    int count;
    float *x, *y, *z;   // [count]: points; a band's low is y and its high is z; a bar's right edge is z
    const char **names; // [count] of bars and images; of cells, its rows
    const char **column_names; // of cells
    double at_x, at_y;         // of reference lines and texts
    PlotWindow window;         // of heat maps and contours
    Matrix values;             // of heat maps, contours, cells and images
    PlotImages images;
    int digits; // of cells
    struct Series *next;
} Series;

typedef struct {
    double low, high;
    bool fixed, log;
} Axis;

// Where the legend goes.
typedef enum { LEGEND_AUTOMATIC, LEGEND_GIVEN, LEGEND_OUTSIDE, LEGEND_NONE } Legend;

// How a grid of cells or images is arranged, in pixels of the picture.
typedef struct {
    int rows, columns;
    double cell_width, cell_height;  // from one cell to the next
    double left, right, top, bottom; // margins
    double scale;                    // of images: pixels of the picture for one of the image
    int caption_lines;
    bool slanted; // the names of the columns need more room than a column has
} Arrangement;

struct Plot {
    Lesson *lesson;
    Arena *arena; // its own: the chapter may rewind the lesson's between two series
    const char *file, *stem, *title, *x_label, *y_label;
    bool svg, square, diagram, size_given;
    int width, height; // pixels
    double scale;      // of the file to these pixels: 1, or less when they are more than were asked for
    Axis x, y;
    Legend legend;
    const char *legend_place; // for gnuplot: "top right"
    int ticks;                // of its own on the x axis
    double *tick_positions;
    const char **tick_labels;
    Series *first, **last;
    bool slanted;     // the names along the x axis
    bool pale;        // a heat map on which something else is drawn
    Arrangement grid; // of cells or images
    double seconds;   // that gnuplot may take
    double long_names,
        long_colours;   // pixels that the names along the y axis and beside the colours take more than usual
    double usual_names; // what the names along the y axis take without that
    long missing;       // values given that are NaN or infinite
    bool no_letters;    // no font can be drawn with: words are left out
};

// A point of the picture between its corners: (0, 0) is bottom left and (1, 1) top right of what the axes enclose.
typedef struct {
    double across, up;
} Fraction;

// ---- layout.c -------------------------------------------------------------------------------------------------

enum {
    TEXT_SIZE = 13,
    TITLE_SIZE = 15,
    CHARACTER_WIDTH = 10,
    LINE_HEIGHT = 24
}; // points; about how many pixels a letter takes
enum { SMALL_TEXT_SIZE = 10, SMALL_CHARACTER_WIDTH = 8, SMALL_LINE_HEIGHT = 18 };

// Fixes what the chapter left open: first the ranges of both axes and the colours; then, when the words have been prepared,
// the place of the legend, or how a grid of cells or images is arranged, and then the size of the picture, too.
void plot_fix_ranges(Plot *plot);
void plot_lay_out(Plot *plot);

// Where a value lies along an axis: 0 at its low end, 1 at its high end. NaN when it cannot be shown at all.
double axis_fraction(Axis axis, double value);

// The pixels that the axes enclose, about: gnuplot decides exactly.
void plot_area(const Plot *plot, double *width, double *height);

// The pixels of a legend, 0 for one without entries; how many names stand below each other in one beside the axes, and how
// many columns of them there are.
double legend_width(const Plot *plot);
int legend_rows(const Plot *plot);
int legend_columns(const Plot *plot);

// The digits with which a number along this axis is written, such that its place is exact to a part of a pixel.
int axis_digits(Axis axis);

// How many of the values given cannot be on a logarithmic axis, since they are 0 or less.
long count_not_positive(const Plot *plot);

// The lowest and the highest finite value; 0 and 1 when there is none.
void finite_range(Matrix values, double *low, double *high);

bool has_kind(const Plot *plot, SeriesKind kind);

// The values that the first and the last colour stand for; 0 is in the middle when there are values on both sides of it.
Axis colour_range(Matrix values);

// Whether an axis can reach from low to high: finite, and so far apart that there are numbers between.
bool can_be_range(double low, double high);

// ---- ticks.c --------------------------------------------------------------------------------------------------

typedef struct {
    double at;
    const char *name; // "": a tick without a name
} Tick;

typedef struct {
    Tick *ticks;
    int count;
    bool crowded; // there is no room for two names: two are there, and touch
} Ticks;

// In pixels or in columns of a screen: how long the axis is, what a name takes of it, and what must be free between two.
typedef struct {
    double length, line, gap;
    double (*name_length)(const char *name); // NULL: each takes a line
} Ruler;

Ticks choose_ticks(Arena *arena, Axis axis, Ruler ruler);

// With how many digits (%.*g) numbers have to be printed so that different ones look different: 6 or more.
int telling_digits(Arena *arena, const double *numbers, int count);

// ---- words.c --------------------------------------------------------------------------------------------------

// Replaces characters that no font has, which it tells; breaks and cuts words for which the picture is too small.
// answer: a file that may be used in between.
void plot_prepare_words(Plot *plot, const char *answer);

// A copy of a text that has at most this many lines, each at most as wide as this; what is too much is cut, and ends in "…".
char *fit_text(Arena *arena, const char *text, double width, int lines);

double words_width(const char *text); // of its widest line: pixels, in DejaVu Sans at TEXT_SIZE
int widest_line(const char *text);    // columns of a screen; a box for a missing letter is two wide
int count_lines(const char *text);

// ---- contour.c ------------------------------------------------------------------------------------------------

// A line of equal height: x and y in the units of the axes; closed lines end where they began.
typedef struct Contour {
    float level;
    const char *name; // of the level, as it is written at the line
    int count;
    double *x, *y;
    int label; // the point at which the height is written, −1 for none
    struct Contour *next;
} Contour;

Contour *trace_contours(Arena *arena, const Plot *plot, const Series *series);

// Whether a point of a contour is hidden by the contour's label.
bool under_label(const Plot *plot, const Contour *contour, int point);

// ---- script.c -------------------------------------------------------------------------------------------------

// Write what gnuplot reads: the blocks of data in the order of the series, and the script that draws them. The script
// draws to picture, or to its first argument when it has one.
void write_data(FILE *file, Plot *plot);
void write_script(FILE *file, Plot *plot, const char *data, const char *picture);

// ---- gnuplot.c ------------------------------------------------------------------------------------------------

// Draws the picture into the figures folder, and a text plot on standard error when somebody watches. When something
// is in the way it tells so in one line on standard error, and leaves an older picture as it is.
void draw(Plot *plot);

// One line about a picture on standard error: "loss.png: …".
void plot_tell(const Plot *plot, const char *format, ...) __attribute__((format(printf, 2, 3)));

// ---- png.c ----------------------------------------------------------------------------------------------------

// Whether the file is a PNG (or an SVG) from its first byte to its last, on the disk. A full disk cuts pictures short.
bool is_whole_picture(const char *path, bool svg);

// Replaces a picture by a smaller file that looks the same, written to squeezed first. Leaves it alone when that cannot
// be done. Returns 0, or errno when the smaller file could not be written.
int squeeze_png(const char *path, const char *squeezed);

// All of a file that is not too large for a picture, with a 0 behind it, and safely on the disk; NULL when it cannot be read.
uint8_t *read_whole_file(Arena *arena, const char *path, size_t *length);

// ---- svg.c ----------------------------------------------------------------------------------------------------

enum { SVG_COLOURS = 18, SVG_DARK_PAPER = 0x1B1B1A };

typedef struct {
    unsigned light, dark;
} SvgColour;

// Which colour becomes which on a dark page.
extern const SvgColour svg_colours[SVG_COLOURS];

// The same for gnuplot's SVG, which gets a title and colours for dark pages, too. One that has something in it which is not
// known is left alone; known tells.
int squeeze_svg(const char *path, const char *squeezed, const char *title, bool *known);

// ---- text.c ---------------------------------------------------------------------------------------------------

// Whether a plot of characters shows anything of it.
bool fits_a_text_plot(const Plot *plot);

// Writes a plot of characters, at most this many columns wide and this many lines high; nothing where that is too small.
void write_text_plot(FILE *file, Plot *plot, int columns, int lines);
