// plot.h: pictures in one quiet style, drawn by gnuplot.
//
//     Plot *plot = plot_begin(lesson, "loss.svg", "Loss by step");
//     plot_axes(plot, "step", "mean squared error");
//     plot_line(plot, "learning rate 0.1", NULL, losses, steps);       // NULL: x = 0, 1, 2, …
//     plot_end(plot, "The loss falls fast, then slowly.");
//
// plot_end writes the data and a gnuplot script to build/figures/NN-name/, then runs gnuplot on it (without a shell, and
// with an environment of its own) and prints "figure: loss.svg — caption" on standard output; the weaver turns that line
// into the picture. On a terminal it also shows a text plot on standard error, as wide as the terminal (up to 200
// columns). The name's ending chooses the format. Lines, points, bars, contours, diagrams and cells are .svg: small, sharp
// at any size, and legible on light and on dark pages. What has pixels of its own (images, heat maps) is .png, and so is a
// picture of so many points that its SVG would have more than PLOT_MOST_SVG bytes; plot_end tells where that is so.
// Where gnuplot is missing, data and script are kept, one line on standard error says so, and the lesson goes on. Where it
// fails, or leaves half a picture (a full disk), or the picture cannot be kept, an older picture stays as it is, too, and
// the lesson ends with exit status 1.
// Every array is copied: the caller's may change afterwards. NaN leaves a gap; an infinity is treated as NaN; a logarithmic
// axis shows nothing at 0 or below; all of these are told on standard error. Words are printed as they are, in any
// language: no character has a special meaning, and a newline begins a new line. A PNG has □ for what no font has, which
// is told; words for which there is no room are broken or end in "…". Whatever the range, an axis has two numbers or more,
// and no two look the same.
#pragma once
#include "lesson/lesson.h"
#include "matrix/matrix.h"

enum { PLOT_MOST_SVG = 150000 };

typedef struct Plot Plot;

Plot *plot_begin(Lesson *lesson, const char *file, const char *title);
void plot_end(Plot *plot, const char *caption);

void plot_axes(Plot *plot, const char *x_label, const char *y_label); // with units where there are any
void plot_log(Plot *plot, const char *axes);                          // "x", "y" or "xy"
void plot_range_x(Plot *plot, double low, double high);
void plot_range_y(Plot *plot, double low, double high);
void plot_square(Plot *plot); // one unit of x as long as one of y
// Points joined by lines, all of one colour, where heights mean nothing: no y axis and no grid.
void plot_diagram(Plot *plot);
// where: "top right", "bottom left", … or "outside" or "none"; default: where it covers nothing, else outside
void plot_legend(Plot *plot, const char *where);
void plot_size(Plot *plot, int width, int height); // pixels; default 960 × 600
void plot_x_ticks(Plot *plot, const double *positions, const char *const *labels, int count);

// Series, drawn in the order given, each with its own colour. label NULL keeps it out of the legend. x NULL: 0, 1, 2, …
// A band without a label has the colour of the series after it: give the band first, then the line in its middle.
void plot_line(Plot *plot, const char *label, const float *x, const float *y, int count);
void plot_dashed(Plot *plot, const char *label, const float *x, const float *y, int count);
void plot_points(Plot *plot, const char *label, const float *x, const float *y, int count);
// ×, large: a dot on it hides nothing
void plot_crosses(Plot *plot, const char *label, const float *x, const float *y, int count);
void plot_line_points(Plot *plot, const char *label, const float *x, const float *y, int count);
// shaded
void plot_band(Plot *plot, const char *label, const float *x, const float *low, const float *high, int count);
void plot_bars(Plot *plot, const char *const *names, const float *values, int count); // one bar a name
void plot_histogram(Plot *plot, const char *label, const float *values, int count, int bins);
void plot_horizontal(Plot *plot, const char *label, double y); // a thin reference line
void plot_vertical(Plot *plot, const char *label, double x);
void plot_text(Plot *plot, double x, double y, const char *text);

// A function of two variables on a grid: values (rows = steps in y from low to high, columns = steps in x).
typedef struct {
    double x_low, x_high, y_low, y_high;
} PlotWindow;
void plot_heatmap(Plot *plot, PlotWindow window, Matrix values);
void plot_contour(Plot *plot, PlotWindow window, Matrix values, const float *levels, int count);

// A matrix as coloured cells, row 0 on top, with a name for each row and column (or NULL), each value printed when digits ≥ 0.
void plot_cells(Plot *plot, Matrix values, const char *const *row_names, const char *const *column_names,
                int digits);

// A grid of grey (channels 1) or colour (channels 3) pictures. images: one picture a row, height·width·channels values,
// channels innermost; low is black, high is white. captions may be NULL, or hold one string a picture (each may be NULL).
typedef struct {
    int height, width, channels;
    int columns;     // pictures side by side
    float low, high; // low = high: from the smallest to the largest value
} PlotImages;
void plot_images(Plot *plot, PlotImages how, Matrix images, const char *const *captions);
