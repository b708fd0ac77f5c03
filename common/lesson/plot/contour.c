// Lines of equal height through a grid of values: marching squares (Lorensen and Cline's marching cubes, SIGGRAPH 1987, on
// the plane). A line crosses a square of four neighbouring values from one edge to another. Each crossing lies on an
// edge that two squares share, so the pieces of all squares, each linked with its neighbours, form the lines.
#include "lesson/plot/parts.h"

#include <math.h>

// The grid's edges are numbered: first the ones along rows, from (i, j) to (i, j + 1), then those along columns, from
// (i, j) to (i + 1, j); of both, as many as there are values.
typedef struct {
    const Series *series;
    Matrix v;
    float level;
    int (*links)[2]; // [edges] the edges that the line goes on to, −1 for none
    bool *seen;      // [edges]
} Tracer;

static int row_edge(const Tracer *t, int i, int j) { return i * t->v.cols + j; }
static int column_edge(const Tracer *t, int i, int j) { return (t->v.rows + i) * t->v.cols + j; }

static void link_edges(Tracer *t, int a, int b)
{
    t->links[a][t->links[a][0] >= 0] = b;
    t->links[b][t->links[b][0] >= 0] = a;
}

// Links the edges that the line crosses in the square with the corners (i, j) and (i + 1, j + 1).
static void link_square(Tracer *t, int i, int j)
{
    float a = AT(t->v, i, j), b = AT(t->v, i, j + 1), c = AT(t->v, i + 1, j + 1), d = AT(t->v, i + 1, j);
    if (isnan(a) || isnan(b) || isnan(c) || isnan(d)) return;
    bool above_a = a >= t->level, above_b = b >= t->level, above_c = c >= t->level, above_d = d >= t->level;
    int crossed[4], count = 0;
    if (above_a != above_b) crossed[count++] = row_edge(t, i, j);
    if (above_b != above_c) crossed[count++] = column_edge(t, i, j + 1);
    if (above_c != above_d) crossed[count++] = row_edge(t, i + 1, j);
    if (above_d != above_a) crossed[count++] = column_edge(t, i, j);
    if (count == 2) link_edges(t, crossed[0], crossed[1]);
    if (count == 4) { // a saddle: the middle decides which corners belong together
        bool above_middle = 0.25f * a + 0.25f * b + 0.25f * c + 0.25f * d >= t->level;
        bool cut_b_and_d = above_middle == above_a;
        link_edges(t, crossed[0], crossed[cut_b_and_d ? 1 : 3]);
        link_edges(t, crossed[2], crossed[cut_b_and_d ? 3 : 1]);
    }
}

// Where the line crosses an edge, between the two values in proportion.
static void crossing(const Tracer *t, int edge, double *x, double *y)
{
    int values = t->v.rows * t->v.cols, cell = edge % values, i = cell / t->v.cols, j = cell % t->v.cols;
    bool along_row = edge < values;
    double from = (double)AT(t->v, i, j), to = (double)(along_row ? AT(t->v, i, j + 1) : AT(t->v, i + 1, j));
    double share = ((double)t->level - from) / (to - from);
    const PlotWindow w = t->series->window;
    *x = w.x_low + (w.x_high - w.x_low) * (j + (along_row ? share : 0.0)) / (t->v.cols - 1);
    *y = w.y_low + (w.y_high - w.y_low) * (i + (along_row ? 0.0 : share)) / (t->v.rows - 1);
}

// Follows a line from an edge to its end, or round to where it began.
static Contour *follow(Arena *arena, Tracer *t, int start)
{
    int count = 0, last = -1;
    for (int edge = start, before = -1; edge >= 0 && !(count > 0 && edge == start); count++) {
        int next = t->links[edge][0] != before ? t->links[edge][0] : t->links[edge][1];
        before = edge;
        last = edge;
        edge = next;
    }
    bool closed = count > 2 && (t->links[last][0] == start || t->links[last][1] == start);
    Contour *line = arena_zeros(arena, 1, sizeof *line);
    *line = (Contour){.level = t->level, .count = count + closed, .label = -1};
    line->x = arena_alloc(arena, (size_t)line->count, sizeof *line->x);
    line->y = arena_alloc(arena, (size_t)line->count, sizeof *line->y);
    for (int k = 0, edge = start, before = -1; k < count; k++) {
        t->seen[edge] = true;
        crossing(t, edge, &line->x[k], &line->y[k]);
        int next = t->links[edge][0] != before ? t->links[edge][0] : t->links[edge][1];
        before = edge;
        edge = next;
    }
    if (closed) line->x[count] = line->x[0], line->y[count] = line->y[0];
    return line;
}

// ---- Labels ----------------------------------------------------------------------------------------------------------

static void pixels_of(const Plot *plot, const Contour *line, int point, double *across, double *up)
{
    double width, height;
    plot_area(plot, &width, &height);
    *across = width * axis_fraction(plot->x, line->x[point]);
    *up = height * axis_fraction(plot->y, line->y[point]);
}

static const char *level_text(Arena *arena, const Series *series, float level)
{
    double *levels = arena_alloc(arena, (size_t)series->count, sizeof *levels);
    int count = 0;
    for (int k = 0; k < series->count; k++)
        if (!isnan(series->z[k])) levels[count++] = (double)series->z[k];
    char text[32];
    snprintf(text, sizeof text, "%.*g", telling_digits(arena, levels, count), (double)level);
    return arena_string(arena, text);
}

static double label_width(const Contour *line)
{
    return SMALL_CHARACTER_WIDTH * utf8_columns(line->name) + 4.0;
}

// How much room there is for a label: pixels to the nearest label of another line or to the frame, at most 200.
static double room_at(const Plot *plot, const Contour *lines, const Contour *line, int point)
{
    double width, height, across, up, other_across, other_up;
    plot_area(plot, &width, &height);
    pixels_of(plot, line, point, &across, &up);
    double half = 0.5 * label_width(line);
    double frame = fmin(fmin(across, width - across) - half, fmin(up, height - up) - 10.0), room = 200.0;
    if (frame < 4.0) return 0.0;
    for (const Contour *other = lines; other; other = other->next) {
        if (other->label < 0 || other == line) continue;
        pixels_of(plot, other, other->label, &other_across, &other_up);
        room = fmin(room, hypot(across - other_across, 1.5 * (up - other_up)));
    }
    return fmin(room, 50.0 + frame);
}

// Labels a line where there is most room, unless it is too short to bear one.
static void place_label(const Plot *plot, const Contour *lines, Contour *line)
{
    double length = 0.0, across = 0.0, up = 0.0, before_across, before_up, most = 45.0;
    for (int i = 0; i < line->count; i++) {
        before_across = across, before_up = up;
        pixels_of(plot, line, i, &across, &up);
        if (i) length += hypot(across - before_across, up - before_up);
    }
    if (length < 3.0 * label_width(line)) return;
    for (int i = 0; i < line->count; i++) {
        double room = room_at(plot, lines, line, i);
        if (room > most) most = room, line->label = i;
    }
}

bool under_label(const Plot *plot, const Contour *line, int point)
{
    if (line->label < 0) return false;
    double across, up, label_across, label_up;
    pixels_of(plot, line, point, &across, &up);
    pixels_of(plot, line, line->label, &label_across, &label_up);
    return fabs(across - label_across) < 0.5 * label_width(line) &&
           fabs(up - label_up) < 0.5 * SMALL_LINE_HEIGHT;
}

Contour *trace_contours(Arena *arena, const Plot *plot, const Series *series)
{
    Tracer t = {.series = series, .v = series->values};
    size_t edges = 2 * matrix_size(t.v);
    t.links = arena_alloc(arena, edges, sizeof *t.links);
    t.seen = arena_alloc(arena, edges, sizeof *t.seen);
    Contour *first = NULL, **last = &first;
    for (int k = 0; k < series->count; k++) {
        t.level = series->z[k];
        if (isnan(t.level)) continue;
        const char *name = level_text(arena, series, t.level);
        for (size_t e = 0; e < edges; e++) t.links[e][0] = t.links[e][1] = -1, t.seen[e] = false;
        for (int i = 0; i + 1 < t.v.rows; i++)
            for (int j = 0; j + 1 < t.v.cols; j++) link_square(&t, i, j);
        for (int closed = 0; closed <= 1; closed++) { // open lines must be followed from one of their ends
            for (size_t e = 0; e < edges; e++) {
                bool begins = !t.seen[e] && t.links[e][0] >= 0 && (closed || t.links[e][1] < 0);
                if (!begins) continue;
                *last = follow(arena, &t, (int)e);
                (*last)->name = name;
                place_label(plot, first, *last);
                last = &(*last)->next;
            }
        }
    }
    return first;
}
