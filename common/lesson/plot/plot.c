// What the chapter gives is copied and kept until plot_end draws it.
#include "lesson/plot/parts.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

// ---- A picture -------------------------------------------------------------------------------------------------------

// Letters, digits, _ and -, then .png or .svg: the weaver reads the name again.
static void check_name(Plot *plot)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t length = strspn(plot->file, letters);
    plot->svg = strcmp(plot->file + length, ".svg") == 0;
    check(length > 0 && length <= 100 && (plot->svg || strcmp(plot->file + length, ".png") == 0),
          "use letters, digits, _ and -, then .png or .svg", "a figure named \"%s\"", plot->file);
    char *stem = arena_string(plot->arena, plot->file);
    stem[length] = '\0';
    plot->stem = stem;
}

Plot *plot_begin(Lesson *lesson, const char *file, const char *title)
{
    Arena *arena = arena_new();
    Plot *plot = arena_zeros(arena, 1, sizeof *plot);
    *plot = (Plot){.lesson = lesson, .arena = arena, .width = 960, .height = 600, .seconds = 60.0};
    plot->file = arena_string(arena, file);
    plot->title = title ? arena_string(arena, title) : "";
    plot->x_label = plot->y_label = "";
    plot->last = &plot->first;
    check_name(plot);
    return plot;
}

void plot_tell(const Plot *plot, const char *format, ...)
{
    lesson_wipe_progress(plot->lesson);
    fprintf(stderr, "%s: ", plot->file);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

// What cannot be seen in the picture is told.
static void tell_what_is_missing(const Plot *plot)
{
    if (plot->missing > 0)
        plot_tell(plot, "%ld value%s NaN or infinite, and not drawn", plot->missing,
                  plot->missing == 1 ? " is" : "s are");
    long left_out = count_not_positive(plot);
    if (left_out > 0)
        plot_tell(plot, "%ld point%s not above 0, and cannot be drawn on a logarithmic axis", left_out,
                  left_out == 1 ? " is" : "s are");
}

// The caption on one line of printable text.
static void print_figure(const Plot *plot, const char *caption)
{
    printf("figure: %s", plot->file);
    if (caption && *caption) printf(" — ");
    for (; caption && *caption; caption++)
        putchar((unsigned char)*caption < ' ' || *caption == 0x7F ? ' ' : *caption);
    putchar('\n');
}

void plot_end(Plot *plot, const char *caption)
{
    print_figure(plot, caption);
    fflush(stdout);
    tell_what_is_missing(plot);
    draw(plot);
    arena_free(plot->arena);
}

static const char *copy_text(Plot *plot, const char *text)
{
    return text ? arena_string(plot->arena, text) : NULL;
}

void plot_axes(Plot *plot, const char *x_label, const char *y_label)
{
    plot->x_label = x_label ? copy_text(plot, x_label) : "";
    plot->y_label = y_label ? copy_text(plot, y_label) : "";
}

void plot_log(Plot *plot, const char *axes)
{
    check(strcmp(axes, "x") == 0 || strcmp(axes, "y") == 0 || strcmp(axes, "xy") == 0,
          "say \"x\", \"y\" or \"xy\"", "%s: logarithmic axes \"%s\"", plot->file, axes);
    plot->x.log = strchr(axes, 'x') != NULL;
    plot->y.log = strchr(axes, 'y') != NULL;
}

static void set_range(const Plot *plot, Axis *axis, double low, double high)
{
    check(isfinite(low) && isfinite(high) && low < high, "the low end comes first",
          "%s: a range from %g to %g", plot->file, low, high);
    check(can_be_range(low, high), "stay below 8e307, and leave room for numbers between the ends",
          "%s: a range from %.17g to %.17g", plot->file, low, high);
    axis->low = low;
    axis->high = high;
    axis->fixed = true;
}

void plot_range_x(Plot *plot, double low, double high) { set_range(plot, &plot->x, low, high); }
void plot_range_y(Plot *plot, double low, double high) { set_range(plot, &plot->y, low, high); }
void plot_square(Plot *plot) { plot->square = true; }
void plot_diagram(Plot *plot) { plot->diagram = true; }

void plot_legend(Plot *plot, const char *where)
{
    static const char *const places[] = {"top right",    "top left",    "bottom right", "bottom left",
                                         "center right", "center left", "top center",   "bottom center"};
    plot->legend = LEGEND_AUTOMATIC;
    if (strcmp(where, "outside") == 0) plot->legend = LEGEND_OUTSIDE;
    if (strcmp(where, "none") == 0) plot->legend = LEGEND_NONE;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (strcmp(where, places[i]) != 0) continue;
        plot->legend = LEGEND_GIVEN;
        plot->legend_place = places[i];
    }
    check(plot->legend != LEGEND_AUTOMATIC, "say \"top right\", \"bottom left\", …, \"outside\" or \"none\"",
          "%s: a legend at \"%s\"", plot->file, where);
}

void plot_size(Plot *plot, int width, int height)
{
    check(width >= 100 && width <= 4000 && height >= 100 && height <= 4000, "from 100 to 4000 pixels",
          "%s: a size of %d × %d", plot->file, width, height);
    plot->width = width;
    plot->height = height;
    plot->size_given = true;
}

// ---- Copies ----------------------------------------------------------------------------------------------------------

// A series without values is allowed: it shows nothing.
static void check_count(const Plot *plot, int count, const void *values)
{
    check(count >= 0 && (count == 0 || values), "give as many values as you say",
          "%s: a series of %d values at %p", plot->file, count, values);
}

static float *copy_floats(Plot *plot, const float *values, int count)
{
    float *copied = arena_alloc(plot->arena, (size_t)count, sizeof *copied);
    for (int i = 0; i < count; i++) {
        copied[i] = isfinite(values[i]) ? values[i] : NAN;
        plot->missing += !isfinite(values[i]);
    }
    return copied;
}

static const char **copy_texts(Plot *plot, const char *const *texts, int count)
{
    if (!texts) return NULL;
    const char **copied = arena_alloc(plot->arena, (size_t)count, sizeof *copied);
    for (int i = 0; i < count; i++) copied[i] = copy_text(plot, texts[i]);
    return copied;
}

static Matrix copy_matrix(Plot *plot, Matrix m)
{
    check(m.rows > 0 && m.cols > 0 && m.data, "give it a row and a column", "%s: a matrix of %d × %d",
          plot->file, m.rows, m.cols);
    check(matrix_size(m) <= 1 << 24, "draw a part of it", "%s: a matrix of %d × %d is too large to be drawn",
          plot->file, m.rows, m.cols);
    return (Matrix){m.rows, m.cols, copy_floats(plot, m.data, (int)matrix_size(m))};
}

// Cells and images fill a picture of their own.
static bool stands_alone(SeriesKind kind) { return kind == SERIES_CELLS || kind == SERIES_IMAGES; }

static Series *add_series(Plot *plot, SeriesKind kind, const char *label)
{
    check(!plot->first || (!stands_alone(kind) && !stands_alone(plot->first->kind)),
          "begin another picture for the rest", "%s: cells and images do not go with other series",
          plot->file);
    Series *series = arena_zeros(plot->arena, 1, sizeof *series);
    series->kind = kind;
    series->label = copy_text(plot, label);
    *plot->last = series;
    plot->last = &series->next;
    return series;
}

void plot_x_ticks(Plot *plot, const double *positions, const char *const *labels, int count)
{
    check_count(plot, count, positions);
    plot->ticks = count;
    plot->tick_positions = arena_alloc(plot->arena, (size_t)count, sizeof *plot->tick_positions);
    for (int i = 0; i < count; i++) {
        check(isfinite(positions[i]), "it has to be a number", "%s: a tick at %g", plot->file, positions[i]);
        plot->tick_positions[i] = positions[i];
    }
    plot->tick_labels = copy_texts(plot, labels, count);
}

// ---- Series ----------------------------------------------------------------------------------------------------------

static Series *add_points(Plot *plot, SeriesKind kind, const char *label, const float *x, const float *y,
                          int count)
{
    check_count(plot, count, y);
    Series *series = add_series(plot, kind, label);
    series->count = count;
    series->y = copy_floats(plot, y, count);
    series->x = x ? copy_floats(plot, x, count) : arena_alloc(plot->arena, (size_t)count, sizeof *series->x);
    for (int i = 0; i < count && !x; i++) series->x[i] = (float)i;
    return series;
}

void plot_line(Plot *plot, const char *label, const float *x, const float *y, int count)
{
    add_points(plot, SERIES_LINE, label, x, y, count);
}

void plot_dashed(Plot *plot, const char *label, const float *x, const float *y, int count)
{
    add_points(plot, SERIES_DASHED, label, x, y, count);
}

void plot_points(Plot *plot, const char *label, const float *x, const float *y, int count)
{
    add_points(plot, SERIES_POINTS, label, x, y, count);
}

void plot_crosses(Plot *plot, const char *label, const float *x, const float *y, int count)
{
    add_points(plot, SERIES_CROSSES, label, x, y, count);
}

void plot_line_points(Plot *plot, const char *label, const float *x, const float *y, int count)
{
    add_points(plot, SERIES_LINE_POINTS, label, x, y, count);
}

void plot_band(Plot *plot, const char *label, const float *x, const float *low, const float *high, int count)
{
    check_count(plot, count, high);
    add_points(plot, SERIES_BAND, label, x, low, count)->z = copy_floats(plot, high, count);
}

static void check_single(const Plot *plot, SeriesKind kind, const char *what)
{
    check(!has_kind(plot, kind), "begin another picture for the second", "%s: %s twice in one picture",
          plot->file, what);
}

void plot_bars(Plot *plot, const char *const *names, const float *values, int count)
{
    check_count(plot, count, values);
    check_count(plot, count, names);
    check_single(plot, SERIES_BARS, "bars");
    Series *series = add_points(plot, SERIES_BARS, NULL, NULL, values, count);
    series->names = copy_texts(plot, names, count);
    series->z = arena_alloc(plot->arena, (size_t)count, sizeof *series->z);
    for (int i = 0; i < count; i++) {
        series->x[i] = (float)i - 0.35f;
        series->z[i] = (float)i + 0.35f;
    }
}

// Widens the range of a histogram until the edges of its bins, which are floats, differ.
static void widen_for_bins(double *low, double *high, int bins)
{
    if (*low == *high) *high += 1.0, *low -= 1.0;
    float largest = (float)fmin(fmax(fabs(*low), fabs(*high)), (double)FLT_MAX);
    double wanted = 2.0 * bins * ((double)largest - (double)nextafterf(largest, 0.0f));
    if (*high - *low >= wanted) return;
    double middle = 0.5 * (*low + *high), most = (double)FLT_MAX - 0.5 * wanted;
    middle = fmin(fmax(middle, -most), most);
    *low = middle - 0.5 * wanted;
    *high = middle + 0.5 * wanted;
}

// The bins are equally wide, from the smallest to the largest value; the largest is in the last bin.
void plot_histogram(Plot *plot, const char *label, const float *values, int count, int bins)
{
    check_count(plot, count, values);
    check(bins >= 1 && bins <= 10000, "from 1 to 10000 bins", "%s: a histogram of %d bins", plot->file, bins);
    Matrix all = {1, count, copy_floats(plot, values, count)};
    double low, high;
    finite_range(all, &low, &high);
    widen_for_bins(&low, &high, bins);

    Series *series = add_series(plot, SERIES_HISTOGRAM, label);
    series->count = bins;
    series->x = arena_alloc(plot->arena, (size_t)bins, sizeof *series->x);
    series->y = arena_zeros(plot->arena, (size_t)bins, sizeof *series->y);
    series->z = arena_alloc(plot->arena, (size_t)bins, sizeof *series->z);
    for (int i = 0; i < bins; i++) {
        series->x[i] = (float)(low + (high - low) * i / bins);
        series->z[i] = (float)(low + (high - low) * (i + 1) / bins);
    }
    for (int i = 0; i < count; i++) {
        if (isnan(all.data[i])) continue;
        int bin = (int)(((double)all.data[i] - low) / (high - low) * bins);
        series->y[int_min(bin, bins - 1)] += 1.0f;
    }
}

static Series *add_mark(Plot *plot, SeriesKind kind, const char *label, double x, double y)
{
    check(isfinite(x) && isfinite(y), "it has to be a number", "%s: something at (%g, %g)", plot->file, x, y);
    Series *series = add_series(plot, kind, label);
    series->at_x = x;
    series->at_y = y;
    return series;
}

void plot_horizontal(Plot *plot, const char *label, double y)
{
    add_mark(plot, SERIES_HORIZONTAL, label, 0.0, y);
}
void plot_vertical(Plot *plot, const char *label, double x)
{
    add_mark(plot, SERIES_VERTICAL, label, x, 0.0);
}

void plot_text(Plot *plot, double x, double y, const char *text)
{
    check(text != NULL, "give it words", "%s: a text without words", plot->file);
    add_mark(plot, SERIES_TEXT, text, x, y);
}

static Series *add_surface(Plot *plot, SeriesKind kind, PlotWindow window, Matrix values)
{
    check(isfinite(window.x_low) && isfinite(window.x_high) && isfinite(window.y_low) &&
              isfinite(window.y_high) && window.x_low < window.x_high && window.y_low < window.y_high,
          "the low ends come first", "%s: a window from (%g, %g) to (%g, %g)", plot->file, window.x_low,
          window.y_low, window.x_high, window.y_high);
    check(can_be_range(window.x_low, window.x_high) && can_be_range(window.y_low, window.y_high),
          "stay below 8e307, and leave room for numbers between the ends",
          "%s: a window from (%.17g, %.17g) to (%.17g, %.17g)", plot->file, window.x_low, window.y_low,
          window.x_high, window.y_high);
    check(values.rows >= 2 && values.cols >= 2, "make it 2 × 2 or larger", "%s: a grid of %d × %d",
          plot->file, values.rows, values.cols);
    Series *series = add_series(plot, kind, NULL);
    series->window = window;
    series->values = copy_matrix(plot, values);
    return series;
}

void plot_heatmap(Plot *plot, PlotWindow window, Matrix values)
{
    check_single(plot, SERIES_HEATMAP, "heat maps");
    add_surface(plot, SERIES_HEATMAP, window, values);
}

void plot_contour(Plot *plot, PlotWindow window, Matrix values, const float *levels, int count)
{
    check_count(plot, count, levels);
    check(matrix_size(values) <= 1 << 20, "draw a part of it", "%s: contours of %d × %d values", plot->file,
          values.rows, values.cols);
    Series *series = add_surface(plot, SERIES_CONTOUR, window, values);
    series->count = count;
    series->z = copy_floats(plot, levels, count);
}

void plot_cells(Plot *plot, Matrix values, const char *const *row_names, const char *const *column_names,
                int digits)
{
    check(digits <= 6 && (digits < 0 || matrix_size(values) <= 4096),
          "at most 6 digits, and no digits in large matrices", "%s: %d × %d cells with %d digits", plot->file,
          values.rows, values.cols, digits);
    Series *series = add_series(plot, SERIES_CELLS, NULL);
    series->values = copy_matrix(plot, values);
    series->names = copy_texts(plot, row_names, values.rows);
    series->column_names = copy_texts(plot, column_names, values.cols);
    series->digits = digits;
}

void plot_images(Plot *plot, PlotImages how, Matrix images, const char *const *captions)
{
    check(how.height > 0 && how.width > 0 && (how.channels == 1 || how.channels == 3) && how.columns > 0,
          "say height, width, channels (1 or 3) and columns", "%s: images of %d × %d × %d, %d side by side",
          plot->file, how.height, how.width, how.channels, how.columns);
    check((size_t)how.height * (size_t)how.width * (size_t)how.channels == (size_t)images.cols,
          "one image a row: height · width · channels columns",
          "%s: images of %d × %d × %d in a matrix of %d × %d", plot->file, how.height, how.width,
          how.channels, images.rows, images.cols);
    check(isfinite(how.low) && isfinite(how.high), "low is black, high is white", "%s: images from %g to %g",
          plot->file, (double)how.low, (double)how.high);
    Series *series = add_series(plot, SERIES_IMAGES, NULL);
    series->values = copy_matrix(plot, images);
    series->images = how;
    series->names = copy_texts(plot, captions, images.rows);
}
