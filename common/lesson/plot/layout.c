// Decides what a chapter need not: the ranges of the axes, where the legend is least in the way, how images are arranged.
#include "lesson/plot/parts.h"

#include <math.h>

bool has_kind(const Plot *plot, SeriesKind kind)
{
    for (const Series *series = plot->first; series; series = series->next)
        if (series->kind == kind) return true;
    return false;
}

static bool is_surface(SeriesKind kind) { return kind == SERIES_HEATMAP || kind == SERIES_CONTOUR; }
static bool is_boxes(SeriesKind kind) { return kind == SERIES_BARS || kind == SERIES_HISTOGRAM; }
static bool is_dots(SeriesKind kind)
{
    return kind == SERIES_POINTS || kind == SERIES_CROSSES || kind == SERIES_LINE_POINTS;
}
static bool has_points(SeriesKind kind) { return kind <= SERIES_HISTOGRAM; }

static bool has_surface(const Plot *plot)
{
    return has_kind(plot, SERIES_HEATMAP) || has_kind(plot, SERIES_CONTOUR);
}

// ---- Ranges ----------------------------------------------------------------------------------------------------------

// Along a logarithmic axis everything is done with the logarithm.
static double along(Axis axis, double value) { return axis.log ? (value > 0.0 ? log10(value) : NAN) : value; }

double axis_fraction(Axis axis, double value)
{
    double low = along(axis, axis.low), high = along(axis, axis.high);
    return (along(axis, value) - low) / (high - low);
}

void finite_range(Matrix values, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < matrix_size(values); i++) {
        double value = (double)values.data[i];
        if (!isfinite(value)) continue;
        *low = fmin(*low, value);
        *high = fmax(*high, value);
    }
    if (*low > *high) *low = 0.0, *high = 1.0;
}

Axis colour_range(Matrix values)
{
    double low, high;
    finite_range(values, &low, &high);
    if (low < 0.0 && high > 0.0) {
        high = fmax(-low, high);
        low = -high;
    }
    if (low == high) high += fmax(1.0, 0.1 * fabs(high));
    return (Axis){low, high, true, false};
}

// What an axis must show. Points and lines get some room at both ends, edges (of bars, of windows) none.
typedef struct {
    Axis axis;
    double low, high;           // of points
    double edge_low, edge_high; // of edges
} Extent;

static Extent extent_of(Axis axis) { return (Extent){axis, INFINITY, -INFINITY, INFINITY, -INFINITY}; }

static void include(Extent *extent, double value)
{
    double place = along(extent->axis, value);
    if (!isfinite(place)) return;
    extent->low = fmin(extent->low, place);
    extent->high = fmax(extent->high, place);
}

static void include_edge(Extent *extent, double value)
{
    double place = along(extent->axis, value);
    if (!isfinite(place)) return;
    extent->edge_low = fmin(extent->edge_low, place);
    extent->edge_high = fmax(extent->edge_high, place);
}

// gnuplot draws nothing beyond these, nor smaller than that on a logarithmic axis. Of an axis that is narrower than this
// part of its largest number, a double does not know enough places.
static const double MOST = 8e307, LEAST_LOG = 1e-300, NARROWEST = 1e-12;

bool can_be_range(double low, double high)
{
    double largest = fmax(fabs(low), fabs(high));
    return isfinite(low) && isfinite(high) && largest <= MOST &&
           high - low > fmax(NARROWEST * largest, 1e-290);
}

static void fix_range(Axis *axis, const Extent *extent, double room)
{
    axis->fixed = true;
    double low = extent->low - room * (extent->high - extent->low);
    double high = extent->high + room * (extent->high - extent->low);
    if (!(extent->low <= extent->high)) low = INFINITY, high = -INFINITY;
    low = fmin(low, extent->edge_low);
    high = fmax(high, extent->edge_high);
    if (low > high) low = 0.0, high = 1.0;
    double largest = axis->log ? 1.0 : fmax(fabs(low), fabs(high));
    if (high - low <= fmax(NARROWEST * largest, axis->log ? 0.0 : 1e-290)) {
        double half = axis->log ? 0.5 : largest < 1e-290 ? 1.0 : 0.1 * largest;
        low -= half;
        high += half;
    }
    axis->low = axis->log ? fmax(pow(10.0, low), LEAST_LOG) : fmax(low, -MOST);
    axis->high = fmin(axis->log ? pow(10.0, high) : high, MOST);
}

// 9 digits tell two floats apart; an axis that is narrow and far from 0 needs those of a double.
int axis_digits(Axis axis)
{
    return fmax(fabs(axis.low), fabs(axis.high)) > 1e3 * (axis.high - axis.low) && !axis.log ? 17 : 9;
}

static bool is_left_out(Axis axis, double value) { return axis.log && value <= 0.0; }

long count_not_positive(const Plot *plot)
{
    long count = 0;
    for (const Series *series = plot->first; series; series = series->next) {
        for (int i = 0; has_points(series->kind) && !is_boxes(series->kind) && i < series->count; i++)
            count += is_left_out(plot->x, (double)series->x[i]) ||
                     is_left_out(plot->y, (double)series->y[i]) ||
                     (series->kind == SERIES_BAND && is_left_out(plot->y, (double)series->z[i]));
        count += series->kind == SERIES_HORIZONTAL && is_left_out(plot->y, series->at_y);
        count += series->kind == SERIES_VERTICAL && is_left_out(plot->x, series->at_x);
    }
    return count;
}

static void fix_x(Plot *plot)
{
    if (plot->x.fixed) return;
    Extent extent = extent_of(plot->x);
    double room = 0.0;
    for (const Series *series = plot->first; series; series = series->next) {
        if (is_dots(series->kind)) room = 0.02;
        for (int i = 0; has_points(series->kind) && i < series->count; i++) {
            if (is_boxes(series->kind)) {
                double margin = series->kind == SERIES_BARS ? 0.25 : 0.0;
                include_edge(&extent, (double)series->x[i] - margin);
                include_edge(&extent, (double)series->z[i] + margin);
            } else if (isfinite(along(plot->y, (double)series->y[i]))) {
                include(&extent, (double)series->x[i]);
            }
        }
        if (series->kind == SERIES_VERTICAL || series->kind == SERIES_TEXT) include(&extent, series->at_x);
        if (is_surface(series->kind)) {
            // A heat map's pixels are centred on its grid.
            double half = 0.5 * (series->window.x_high - series->window.x_low) / (series->values.cols - 1);
            if (series->kind == SERIES_CONTOUR) half = 0.0;
            include_edge(&extent, series->window.x_low - half);
            include_edge(&extent, series->window.x_high + half);
        }
    }
    fix_range(&plot->x, &extent, has_surface(plot) ? 0.0 : room);
}

static void fix_y(Plot *plot)
{
    if (plot->y.fixed) return;
    Extent extent = extent_of(plot->y);
    for (const Series *series = plot->first; series; series = series->next) {
        for (int i = 0; has_points(series->kind) && i < series->count; i++) {
            double across = axis_fraction(plot->x, (double)series->x[i]);
            if (!is_boxes(series->kind) && !(across >= 0.0 && across <= 1.0)) continue;
            include(&extent, (double)series->y[i]);
            if (series->kind == SERIES_BAND) include(&extent, (double)series->z[i]);
        }
        if (series->kind == SERIES_HORIZONTAL || series->kind == SERIES_TEXT) include(&extent, series->at_y);
        if (is_boxes(series->kind)) include(&extent, 0.0);
        if (is_surface(series->kind)) {
            double half = 0.5 * (series->window.y_high - series->window.y_low) / (series->values.rows - 1);
            if (series->kind == SERIES_CONTOUR) half = 0.0;
            include_edge(&extent, series->window.y_low - half);
            include_edge(&extent, series->window.y_high + half);
        }
    }
    bool stands_on_axis = extent.low == 0.0 && !plot->y.log &&
                          (has_kind(plot, SERIES_BARS) || has_kind(plot, SERIES_HISTOGRAM));
    fix_range(&plot->y, &extent, has_surface(plot) ? 0.0 : 0.05);
    if (stands_on_axis) plot->y.low = 0.0;
}

// ---- The legend ------------------------------------------------------------------------------------------------------

static int legend_entries(const Plot *plot, int *columns)
{
    int entries = 0;
    *columns = 0;
    for (const Series *series = plot->first; series; series = series->next) {
        if (!series->label || series->kind == SERIES_TEXT) continue;
        entries += count_lines(series->label);
        *columns = int_max(*columns, widest_line(series->label));
    }
    return entries;
}

// What the names of a vertical axis take.
static double names_width(const Plot *plot, Axis axis, double length)
{
    double widest = 0.0;
    Ticks ticks = choose_ticks(plot->arena, axis, (Ruler){length, 18.0, 2.0, NULL});
    for (int i = 0; i < ticks.count; i++) widest = fmax(widest, words_width(ticks.ticks[i].name));
    return widest;
}

enum { LEGEND_MARK = 50 }; // pixels of a line's example, and what is free around it and its words

int legend_rows(const Plot *plot) { return int_max(1, (int)((plot->height - 130.0) / (LINE_HEIGHT + 1.5))); }

int legend_columns(const Plot *plot)
{
    int columns, rows = legend_rows(plot), entries = legend_entries(plot, &columns);
    return plot->legend == LEGEND_OUTSIDE ? int_max(1, (entries + rows - 1) / rows) : 1;
}

double legend_width(const Plot *plot)
{
    int columns;
    if (legend_entries(plot, &columns) == 0) return 0.0;
    return legend_columns(plot) * (LEGEND_MARK + (double)columns * CHARACTER_WIDTH);
}

static bool is_in_legend(const Series *series) { return series->label && series->kind != SERIES_TEXT; }

// A legend beside the axes has half of the picture, and two thirds of it when one column is not enough. Names that are longer
// are cut; those that find no place are left out, which is told.
static void fit_legend(Plot *plot)
{
    int widest, rows = legend_rows(plot), entries = legend_entries(plot, &widest);
    const double most = (entries > rows ? 2.0 / 3.0 : 0.5) * plot->width;
    const int places = rows * int_max(1, (int)(most / (LEGEND_MARK + widest * CHARACTER_WIDTH)));
    int taken = 0, all = 0, left_out = 0;
    for (Series *series = plot->first; series; series = series->next) {
        if (!is_in_legend(series)) continue;
        taken += count_lines(series->label);
        all++;
        if (taken <= places) continue;
        series->label = NULL;
        left_out++;
    }
    if (left_out > 0) plot_tell(plot, "%d of %d names find no place in the legend", left_out, all);
    double room = most / legend_columns(plot) - LEGEND_MARK;
    for (Series *series = plot->first; series; series = series->next)
        if (is_in_legend(series))
            series->label = fit_text(plot->arena, series->label, room, count_lines(series->label));
}

void plot_area(const Plot *plot, double *width, double *height)
{
    double beside = plot->legend == LEGEND_OUTSIDE ? legend_width(plot) : 0.0;
    *width = fmax(50.0, plot->width - 120.0 - beside - plot->long_names);
    *height = fmax(50.0, plot->height - 130.0);
    if (!plot->square) return;
    double unit = fmin(*width / (plot->x.high - plot->x.low), *height / (plot->y.high - plot->y.low));
    *width = unit * (plot->x.high - plot->x.low);
    *height = unit * (plot->y.high - plot->y.low);
}

// Where a legend may stand, best first: its middle is pushed to these sides, 0 to 1.
static const struct {
    const char *name;
    Fraction side;
} places[] = {{"top right", {1.0, 1.0}},    {"top left", {0.0, 1.0}},   {"bottom right", {1.0, 0.0}},
              {"bottom left", {0.0, 0.0}},  {"top center", {0.5, 1.0}}, {"bottom center", {0.5, 0.0}},
              {"center right", {1.0, 0.5}}, {"center left", {0.0, 0.5}}};
enum { PLACES = sizeof places / sizeof *places };

// Counts what a legend of this width and height, in fractions of what the axes enclose, would cover.
typedef struct {
    double width, height;
    int covered[PLACES], all;
} Corners;

static void count_point(Corners *corners, Fraction at)
{
    if (!(at.across >= 0.0 && at.across <= 1.0 && at.up >= 0.0 && at.up <= 1.0)) return;
    corners->all++;
    for (int k = 0; k < PLACES; k++) {
        double left = places[k].side.across * (1.0 - corners->width),
               bottom = places[k].side.up * (1.0 - corners->height);
        corners->covered[k] += at.across >= left && at.across <= left + corners->width && at.up >= bottom &&
                               at.up <= bottom + corners->height;
    }
}

static void count_segment(Corners *corners, Fraction from, Fraction to)
{
    double length = hypot(to.across - from.across, to.up - from.up);
    int steps = length < 10.0 ? 1 + (int)(100.0 * length) : 1;
    for (int i = 0; i <= steps; i++) {
        double share = (double)i / steps;
        count_point(corners, (Fraction){from.across + share * (to.across - from.across),
                                        from.up + share * (to.up - from.up)});
    }
}

static void count_series(Corners *corners, const Plot *plot, const Series *series)
{
    Fraction last = {NAN, NAN};
    bool joined =
        series->kind == SERIES_LINE || series->kind == SERIES_DASHED || series->kind == SERIES_LINE_POINTS;
    for (int i = 0; has_points(series->kind) && i < series->count; i++) {
        Fraction at = {axis_fraction(plot->x, (double)series->x[i]),
                       axis_fraction(plot->y, (double)series->y[i])};
        count_point(corners, at);
        if (joined && isfinite(last.up)) count_segment(corners, last, at);
        if (series->kind == SERIES_BAND)
            count_segment(corners, at, (Fraction){at.across, axis_fraction(plot->y, (double)series->z[i])});
        if (is_boxes(series->kind)) {
            double right = axis_fraction(plot->x, (double)series->z[i]);
            count_segment(corners, at, (Fraction){right, at.up});
            count_segment(corners, at, (Fraction){at.across, 0.0});
            count_segment(corners, (Fraction){right, at.up}, (Fraction){right, 0.0});
        }
        last = at;
    }
    double across = axis_fraction(plot->x, series->at_x), up = axis_fraction(plot->y, series->at_y);
    if (series->kind == SERIES_HORIZONTAL) count_segment(corners, (Fraction){0.0, up}, (Fraction){1.0, up});
    if (series->kind == SERIES_VERTICAL)
        count_segment(corners, (Fraction){across, 0.0}, (Fraction){across, 1.0});
    if (series->kind == SERIES_TEXT) {
        double width, height;
        plot_area(plot, &width, &height);
        double end =
            across + (across > 0.75 ? -1.0 : 1.0) * widest_line(series->label) * CHARACTER_WIDTH / width;
        int all = corners->all; // words on words cannot be read at all: these count like many curves
        for (int i = 0; i < 100; i++) count_segment(corners, (Fraction){across, up}, (Fraction){end, up});
        corners->all = all;
    }
}

// The first place with nothing in it, or next to nothing; when there is none, beside the picture.
static void place_legend(Plot *plot)
{
    int columns, entries = legend_entries(plot, &columns);
    if (entries == 0) plot->legend = LEGEND_NONE;
    if (plot->legend == LEGEND_OUTSIDE) fit_legend(plot);
    if (plot->legend != LEGEND_AUTOMATIC) return;
    double width, height;
    plot_area(plot, &width, &height);
    Corners corners = {.width = (legend_width(plot) + 20.0) / width,
                       .height = (entries * LINE_HEIGHT + 20.0) / height};
    for (const Series *series = plot->first; series; series = series->next)
        count_series(&corners, plot, series);

    int best = 0;
    for (int k = 1; k < PLACES; k++)
        if (corners.covered[k] < corners.covered[best]) best = k;
    bool crowded = corners.covered[best] > corners.all / 300 || corners.height > 0.6 || corners.width > 0.6;
    plot->legend = crowded || has_surface(plot) ? LEGEND_OUTSIDE : LEGEND_GIVEN;
    plot->legend_place = places[best].name;
    if (plot->legend == LEGEND_OUTSIDE) fit_legend(plot);
}

// Each series has its own colour. A band without a label belongs to the series after it and has the same.
static void choose_colours(Plot *plot)
{
    int next = 0;
    for (Series *series = plot->first; series; series = series->next) {
        series->colour = next;
        if (has_points(series->kind) && !(series->kind == SERIES_BAND && !series->label)) next++;
    }
    plot->pale = next > 0 && has_kind(plot, SERIES_HEATMAP);
}

// ---- Cells and images ------------------------------------------------------------------------------------------------

static int longest(const char *const *texts, int count)
{
    int columns = 0;
    for (int i = 0; texts && i < count; i++)
        if (texts[i]) columns = int_max(columns, widest_line(texts[i]));
    return columns;
}

static int lines_of(const char *text) { return *text ? count_lines(text) : 0; }

static double title_height(const Plot *plot, double without)
{
    return *plot->title ? 48.0 + (lines_of(plot->title) - 1) * (LINE_HEIGHT + 4) : without;
}

// Makes the picture as large as the grid with its margins, or centres the grid in a picture of a given size.
static void fit_picture(Plot *plot, Arrangement *grid)
{
    double width = grid->left + grid->columns * grid->cell_width + grid->right;
    double height = grid->top + grid->rows * grid->cell_height + grid->bottom;
    if (!plot->size_given) {
        plot->width =
            int_max((int)ceil(width), int_max(200, 40 + widest_line(plot->title) * CHARACTER_WIDTH));
        plot->height = int_max((int)ceil(height), 60);
    }
    grid->left += fmax(0.0, 0.5 * (plot->width - width));
    grid->right = plot->width - grid->left - grid->columns * grid->cell_width;
    grid->bottom += fmax(0.0, 0.5 * (plot->height - height));
    grid->top = plot->height - grid->bottom - grid->rows * grid->cell_height;
}

static Arrangement arrange_cells(Plot *plot, const Series *series)
{
    Arrangement grid = {.rows = series->values.rows, .columns = series->values.cols};
    int row_names = longest(series->names, grid.rows),
        column_names = longest(series->column_names, grid.columns);
    grid.left = 36.0 + (row_names ? row_names : 3) * CHARACTER_WIDTH + lines_of(plot->y_label) * LINE_HEIGHT;
    grid.right = series->digits < 0 ? 95.0 + plot->long_colours : 25.0;
    grid.top = title_height(plot, 16.0);
    double room = plot->width - grid.left - grid.right;
    double cell = fmin(series->digits < 0 ? 64.0 : 72.0, room / grid.columns);
    grid.slanted = column_names * CHARACTER_WIDTH > cell - 4.0;
    grid.bottom = 20.0 + (grid.slanted ? 8.0 + 0.6 * column_names * CHARACTER_WIDTH : LINE_HEIGHT) +
                  lines_of(plot->x_label) * LINE_HEIGHT;
    cell = fmax(1.0, fmin(cell, (fmax(plot->height, 600) - grid.top - grid.bottom) / grid.rows));
    if (cell < 40.0) grid.slanted = column_names * CHARACTER_WIDTH > cell - 4.0;
    grid.cell_width = grid.cell_height = cell;
    fit_picture(plot, &grid);
    return grid;
}

static Arrangement arrange_images(Plot *plot, const Series *series)
{
    const PlotImages how = series->images;
    const double margin = 14.0, gap = 10.0;
    int count = series->values.rows, letters = longest(series->names, count);
    Arrangement grid = {
        .columns = int_min(how.columns, count), .left = margin, .right = margin, .bottom = 4.0};
    grid.rows = (count + grid.columns - 1) / grid.columns;
    grid.top = title_height(plot, margin);
    double width = (plot->width - 2.0 * margin) / grid.columns;
    grid.caption_lines = letters == 0 ? 0 : letters * SMALL_CHARACTER_WIDTH <= width ? 1 : 2;
    double below = gap + grid.caption_lines * SMALL_LINE_HEIGHT;
    double height = ((plot->size_given ? plot->height : 1000) - grid.top - grid.bottom) / grid.rows;
    double scale = fmin((width - gap) / how.width, (height - below) / how.height);
    grid.scale = fmax(0.05, scale >= 1.0 ? fmin(floor(scale), 12.0) : scale); // whole pixels stay sharp
    double caption = (double)(letters * SMALL_CHARACTER_WIDTH) / int_max(1, grid.caption_lines) + gap;
    grid.cell_width = fmax(how.width * grid.scale + gap, fmin(caption, width));
    grid.cell_height = how.height * grid.scale + below;
    fit_picture(plot, &grid);
    return grid;
}

// ---- All of it -------------------------------------------------------------------------------------------------------

// Where a unit of one axis would be so much longer than one of the other that nothing is left of it, both are free.
static void free_if_too_long(Plot *plot)
{
    double ratio = (plot->x.high - plot->x.low) / (plot->y.high - plot->y.low);
    if (!plot->square || (ratio > 0.05 && ratio < 20.0)) return;
    plot->square = false;
    plot_tell(plot, "the axes, from %g to %g and from %g to %g, cannot have the same unit", plot->x.low,
              plot->x.high, plot->y.low, plot->y.high);
}

// A picture too small for letters of the usual size is arranged as a larger one, and drawn small.
static void shrink(Plot *plot)
{
    enum { WIDTH = 400, HEIGHT = 300 };
    bool alone = plot->first && (plot->first->kind == SERIES_CELLS || plot->first->kind == SERIES_IMAGES);
    plot->scale = alone ? 1.0 : fmin(1.0, fmin((double)plot->width / WIDTH, (double)plot->height / HEIGHT));
    plot->width = (int)lround(plot->width / plot->scale);
    plot->height = (int)lround(plot->height / plot->scale);
}

void plot_fix_ranges(Plot *plot)
{
    shrink(plot);
    check(!plot->x.fixed || !plot->x.log || plot->x.low > 0.0, "a logarithmic axis begins above 0",
          "%s: x from %g", plot->file, plot->x.low);
    check(!plot->y.fixed || !plot->y.log || plot->y.low > 0.0, "a logarithmic axis begins above 0",
          "%s: y from %g", plot->file, plot->y.low);
    fix_x(plot);
    fix_y(plot);
    free_if_too_long(plot);
    choose_colours(plot);
}

void plot_lay_out(Plot *plot)
{
    double height = plot->height - 130.0;
    double names = names_width(plot, plot->y, height);
    plot->long_names = fmax(0.0, names - 65.0);
    plot->usual_names = fmin(names, 65.0);
    for (const Series *series = plot->first; series; series = series->next)
        if (series->kind == SERIES_HEATMAP || series->kind == SERIES_CELLS)
            plot->long_colours = fmax(0.0, names_width(plot, colour_range(series->values), height) - 55.0);
    if (plot->first && plot->first->kind == SERIES_CELLS) plot->grid = arrange_cells(plot, plot->first);
    if (plot->first && plot->first->kind == SERIES_IMAGES) plot->grid = arrange_images(plot, plot->first);
    place_legend(plot);
}
