// plot_parts.h: what the files that make a picture share. Not for chapters, which see plot.h.
//
//     plot.c            takes copies of what the chapter gives
//     plot_layout.c     decides: ranges, ticks, where the legend goes, how images are arranged
//     plot_contour.c    traces lines of equal height
//     plot_script.c     writes the data and the script for gnuplot
//     plot_gnuplot.c    runs gnuplot, and puts the picture in its place
//     plot_png.c        makes its file smaller
#pragma once
#include "lesson/plot.h"

typedef enum {
    SERIES_LINE, SERIES_DASHED, SERIES_POINTS, SERIES_CROSSES, SERIES_LINE_POINTS, SERIES_BAND, SERIES_BARS, SERIES_HISTOGRAM,
    SERIES_HORIZONTAL, SERIES_VERTICAL, SERIES_TEXT, SERIES_HEATMAP, SERIES_CONTOUR, SERIES_CELLS, SERIES_IMAGES,
} SeriesKind;

// One thing to draw. Which members are used depends on the kind.
typedef struct Series {
    SeriesKind kind;
    const char *label; // NULL: not in the legend; the words of a text
    int colour;        // index into the palette
    int count;
    float *x, *y, *z;          // [count]: points; a band's low is y and its high is z; a bar's right edge is z
    const char **names;        // [count] of bars and images; of cells, its rows
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
    double cell_width, cell_height; // from one cell to the next
    double left, right, top, bottom; // margins
    double scale;                   // of images: pixels of the picture for one of the image
    int caption_lines;
    bool slanted; // the names of the columns need more room than a column has
} Grid;

struct Plot {
    Lesson *lesson;
    Arena *arena; // its own: the chapter may rewind the lesson's between two series
    const char *file, *stem, *title, *x_label, *y_label;
    bool svg, square, size_given;
    int width, height; // pixels
    Axis x, y;
    Legend legend;
    const char *legend_place; // for gnuplot: "top right"
    int ticks;                // of its own on the x axis
    double *tick_positions;
    const char **tick_labels;
    Series *first, **last;
    bool slanted;     // the names along the x axis
    bool pale;        // a heat map on which something else is drawn
    Grid grid;        // of cells or images
    double seconds;   // that gnuplot may take
};

// A point of the picture between its corners: (0, 0) is bottom left and (1, 1) top right of what the axes enclose.
typedef struct {
    double across, up;
} Fraction;

// ---- plot_layout.c -------------------------------------------------------------------------------------------------

enum { TEXT_SIZE = 13, CHARACTER_WIDTH = 10, LINE_HEIGHT = 24 }; // points; about how many pixels a letter takes
enum { SMALL_TEXT_SIZE = 10, SMALL_CHARACTER_WIDTH = 8, SMALL_LINE_HEIGHT = 18 };

// Fixes what the chapter left open: the ranges of both axes and the place of the legend, or how a grid of cells or images
// is arranged, and then the size of the picture, too.
void plot_lay_out(Plot *plot);

// Where a value lies along an axis: 0 at its low end, 1 at its high end. NaN when it cannot be shown at all.
double axis_fraction(Axis axis, double value);

// The pixels that the axes enclose, about: gnuplot decides exactly.
void plot_area(const Plot *plot, double *width, double *height);

// The lowest and the highest finite value; 0 and 1 when there is none.
void finite_range(Matrix values, double *low, double *high);

bool has_kind(const Plot *plot, SeriesKind kind);

// ---- plot_contour.c ------------------------------------------------------------------------------------------------

// A line of equal height: x and y in the units of the axes; closed lines end where they began.
typedef struct Contour {
    float level;
    int count;
    double *x, *y;
    int label; // the point at which the height is written, −1 for none
    struct Contour *next;
} Contour;

Contour *trace_contours(Arena *arena, const Plot *plot, const Series *series);

// Whether a point of a contour is hidden by the contour's label.
bool under_label(const Plot *plot, const Contour *contour, int point);

// ---- plot_script.c -------------------------------------------------------------------------------------------------

// Write what gnuplot reads: the blocks of data in the order of the series, and the script that draws them. The script
// draws to picture, or to its first argument when it has one, and then a text plot to its second, when it has two.
void write_data(FILE *file, Plot *plot);
void write_script(FILE *file, Plot *plot, const char *data, const char *picture);

// Whether a plot of characters shows anything of it.
bool fits_a_text_plot(const Plot *plot);

// ---- plot_gnuplot.c ------------------------------------------------------------------------------------------------

// Draws the picture into the figures folder, and a text plot on standard error when somebody watches. When something
// is in the way it tells so in one line on standard error.
void draw(Plot *plot);

// ---- plot_png.c ----------------------------------------------------------------------------------------------------

// Replaces a picture by a smaller file that looks the same, written to squeezed first. Leaves it alone when that cannot be done.
void squeeze_png(const char *path, const char *squeezed);
