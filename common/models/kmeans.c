// kmeans.c: see kmeans.h. Rows are cut into parts, whose number depends on the shapes alone; a part adds up its rows in
// order, and the parts are added in order. Within a part a few rows at a time go through everything while they are in
// the cache: the product with all centres, the smallest distance, the sums.
#include "models/kmeans.h"
#include "base/parallel.h"
#include "matrix/gemm.h"
#include "matrix/lanes.h"

#include <math.h>
#include <string.h>

enum { ROWS_AT_ONCE = 64, MOST_PARTS = 32, LEAST_ROWS = 256, MOST_GROUPS = 16 };

typedef struct {
    Matrix x, centres;
    GemmFactor factor;     // centresᵀ
    const float *squares;  // [k] ‖c‖²
    double largest_length; // of a centre
    double lanes_error;    // of a sum of d squares in lanes, relative
} Search;

// What a part of the rows adds up
typedef struct {
    double *sums; // (k × d), NULL when nobody asks
    int *counts;  // [k]
    double cost;
    float *rows, *products; // (ROWS_AT_ONCE × d), for a fit, and (ROWS_AT_ONCE × k)
    bool changed;           // a label is not what it was
} Part;

static double squared_distance(const float *a, const float *b, int count)
{
    double total = 0.0;
    for (int j = 0; j < count; j++) {
        const double difference = (double)a[j] - (double)b[j];
        total += difference * difference;
    }
    return total;
}

static int nearest_exactly(const Search *s, const float *row)
{
    int best = 0;
    double least = INFINITY;
    for (int c = 0; c < s->centres.rows; c++) {
        const double distance = squared_distance(row, matrix_row(s->centres, c), s->x.cols);
        if (distance < least) least = distance, best = c;
    }
    return best;
}

// The chain of d fused multiply-adds errs by at most d u ‖x‖ ‖c‖, u = 2⁻²⁴ (Higham, Accuracy and Stability of Numerical
// Algorithms, 3.1), and ‖c‖² − 2 x·c by twice as much and four roundings. Two distances further apart than twice that are
// in the right order; the comparison fails for a NaN as well. *least_square, unless NULL, receives what ‖x‖² is at least,
// less the error.
static int nearest(const Search *s, const float *row, const float *products, double *least_square)
{
    const int k = s->centres.rows, d = s->x.cols;
    float least = INFINITY, second = INFINITY;
    int best = 0;
    for (int c = 0; c < k; c++) {
        const float distance = s->squares[c] - 2.0f * products[c];
        if (distance < least) {
            second = least;
            least = distance, best = c;
        } else if (!(distance >= second)) {
            second = distance;
        }
    }
    const double square = (double)lanes_dot(row, row, d), length = sqrt(square);
    const double error = 1.01 * (2.0 * d + 4.0) * 0x1p-24 * s->largest_length * (length + s->largest_length);
    if (least_square) *least_square = square * (1.0 - s->lanes_error) - error;
    const bool sure = (double)second - (double)least > 2.0 * error;
    return sure ? best : nearest_exactly(s, row);
}

static float lanes_squared_distance(const float *a, const float *b, int count)
{
    Lanes total = {0}, x, y;
    int j = 0;
    for (; j + LANES <= count; j += LANES) {
        lanes_load(&x, a + j);
        lanes_load(&y, b + j);
        x -= y;
        total += x * x;
    }
    if (j < count) {
        lanes_load_some(&x, a + j, count - j, 0.0f);
        lanes_load_some(&y, b + j, count - j, 0.0f);
        x -= y;
        total += x * x;
    }
    return lanes_join(&total);
}

static void add_to_sum(Part *part, int label, const float *row, int d)
{
    double *sum = part->sums + (size_t)label * (size_t)d;
    for (int j = 0; j < d; j++) sum[j] += (double)row[j];
    part->counts[label]++;
}

static void take_from_sum(Part *part, int label, const float *row, int d)
{
    double *sum = part->sums + (size_t)label * (size_t)d;
    for (int j = 0; j < d; j++) sum[j] -= (double)row[j];
    part->counts[label]--;
}

// Rows first … end − 1
static void assign_part(const Search *s, Part *part, int *labels, int first, int end)
{
    float *products = part->products;
    const int k = s->centres.rows, d = s->x.cols;
    for (int at = first; at < end; at += ROWS_AT_ONCE) {
        const int count = int_min(ROWS_AT_ONCE, end - at);
        gemm_packed(count, false, matrix_row(s->x, at), d, &s->factor, products, k);
        for (int i = 0; i < count; i++) {
            const float *row = matrix_row(s->x, at + i);
            const int label = nearest(s, row, products + (size_t)i * (size_t)k, NULL);
            labels[at + i] = label;
            part->cost += (double)lanes_squared_distance(row, matrix_row(s->centres, label), d);
            if (part->sums) add_to_sum(part, label, row, d);
        }
    }
}

static Search search_new(Place place, Arena *arena, Matrix centres, Matrix x)
{
    const int k = centres.rows, d = centres.cols;
    float *squares = arena_alloc_at(place, arena, (size_t)k, sizeof *squares);
    Search s = {x,       centres, gemm_pack(arena, d, k, true, centres.data, d),
                squares, 0.0,     (d / LANES + 10) * 0x1p-23};
    for (int c = 0; c < k; c++) {
        double total = 0.0;
        for (int j = 0; j < d; j++) total += (double)AT(centres, c, j) * (double)AT(centres, c, j);
        squares[c] = (float)total;
        s.largest_length =
            fmax(s.largest_length, total < 1e37 ? sqrt(total) : INFINITY); // near overflow, exactly
    }
    return s;
}

static void move_centres(Matrix centres, const Part *parts, int part_count)
{
    const int d = centres.cols;
    PARALLEL_FOR(parallel_worth(matrix_size(centres) * (size_t)part_count), c, centres.rows, {
        int rows = 0;
        for (int p = 0; p < part_count; p++) rows += parts[p].counts[c];
        if (rows == 0) continue;
        for (int j = 0; j < d; j++) {
            double total = 0.0;
            for (int p = 0; p < part_count; p++) total += parts[p].sums[(size_t)c * (size_t)d + (size_t)j];
            AT(centres, c, j) = (float)(total / rows);
        }
    });
}

static void check_problem(Place place, const char *name, Matrix centres, Matrix x)
{
    check_at(place, x.rows > 0 && x.cols > 0 && centres.rows > 0 && centres.cols == x.cols,
             "x is (N × d), the centres (k × d)", "%s: x (%d × %d), centres (%d × %d)", name, x.rows, x.cols,
             centres.rows, centres.cols);
}

// What is not finite is seen in the cost, at no price.
static void check_cost(Place place, const char *name, double cost, Matrix centres, Matrix x)
{
    if (isfinite(cost)) return;
    check_at(place, all_finite(x) && all_finite(centres), "look for a gap in the data or a division by zero",
             "%s: x or a centre holds a NaN or an infinity", name);
    die_at(place, "bring the columns to sizes near 1", "%s: a squared distance is larger than any float",
           name);
}

static int rows_of_part(int rows, int centres)
{
    return int_max(int_max(LEAST_ROWS, int_min(centres, 1 << 20) * 8), (rows + MOST_PARTS - 1) / MOST_PARTS);
}

static void part_new(Place place, Arena *arena, Part *part, int k, int d, bool with_sums)
{
    part->products = arena_alloc_at(place, arena, (size_t)k, ROWS_AT_ONCE * sizeof(float));
    if (!with_sums) return;
    part->sums = arena_zeros_at(place, arena, (size_t)k * (size_t)d, sizeof(double));
    part->counts = arena_zeros_at(place, arena, (size_t)k, sizeof(int));
}

// Assigns, and moves the centres if asked to.
static double pass_over(Place place, const char *name, Arena *scratch, Matrix centres, int *labels, Matrix x,
                        bool move)
{
    check_problem(place, name, centres, x);
    const ArenaMark mark = arena_mark(scratch);
    const Search s = search_new(place, scratch, centres, x);
    const int part_rows = rows_of_part(x.rows, centres.rows),
              part_count = (x.rows + part_rows - 1) / part_rows;
    Part parts[MOST_PARTS] = {0};
    for (int p = 0; p < part_count; p++) part_new(place, scratch, &parts[p], centres.rows, x.cols, move);
#pragma omp parallel for schedule(dynamic) if (parallel_worth(matrix_size(x)))
    for (int p = 0; p < part_count; p++)
        assign_part(&s, &parts[p], labels, p * part_rows, int_min(x.rows, (p + 1) * part_rows));
    double cost = 0.0;
    for (int p = 0; p < part_count; p++) cost += parts[p].cost;
    check_cost(place, name, cost, centres, x);
    if (move) move_centres(centres, parts, part_count);
    arena_rewind(scratch, mark);
    return cost;
}

double kmeans_assign_at(Place place, Arena *scratch, int *labels, Matrix centres, Matrix x)
{
    return pass_over(place, "kmeans_assign", scratch, centres, labels, x, false);
}

double kmeans_step_at(Place place, Arena *scratch, Matrix centres, int *labels, Matrix x)
{
    return pass_over(place, "kmeans_step", scratch, centres, labels, x, true);
}

// ---- Whole fits -------------------------------------------------------------------------------------------

// A row with a chance in proportion to its weight; any row when all weights are 0.
static int draw_row(Rng *rng, const double *weights, int count, double total)
{
    if (total <= 0.0) return (int)rng_below(rng, (uint32_t)count);
    const double coarse = (double)rng_uniform(rng), fine = (double)rng_uniform(rng);
    double left = total * (coarse + fine * 0x1p-24);
    int chosen = -1;
    for (int i = 0; i < count; i++) {
        if (weights[i] <= 0.0) continue;
        chosen = i;
        left -= weights[i];
        if (left < 0.0) break;
    }
    return chosen;
}

void kmeans_plus_plus_at(Place place, Matrix centres, Matrix x, Rng *rng)
{
    check_problem(place, "kmeans_plus_plus", centres, x);
    check_at(place, centres.rows <= x.rows, "ask for fewer centres or bring more rows",
             "kmeans_plus_plus: %d centres from %d rows", centres.rows, x.rows);
    Arena *arena = arena_new();
    double *distances = arena_alloc(arena, (size_t)x.rows, sizeof *distances);
    int chosen = (int)rng_below(rng, (uint32_t)x.rows);
    for (int c = 0; c < centres.rows; c++) {
        float *centre = matrix_row(centres, c);
        memcpy(centre, matrix_row(x, chosen), (size_t)x.cols * sizeof *centre);
        if (c + 1 == centres.rows) break;
        PARALLEL_FOR(parallel_worth(matrix_size(x)), i, x.rows, {
            const double distance = (double)lanes_squared_distance(matrix_row(x, i), centre, x.cols);
            if (c == 0 || !(distance >= distances[i])) distances[i] = distance;
        });
        double total = 0.0;
        for (int i = 0; i < x.rows; i++) total += distances[i];
        check_cost(place, "kmeans_plus_plus", total, centres, x);
        chosen = draw_row(rng, distances, x.rows, total);
    }
    arena_free(arena);
}

// ---- Steps that skip rows -----------------------------------------------------------------------------------
// Between two steps the centres move a little, and most rows cannot have changed sides: the distance from their own centre
// has grown by no more than it moved, those from other centres shrunk by no more than these moved. Where the bounds have
// not met, the row is not even read. For other centres a row keeps one bound a group of them, which may be single centres
// (Elkan, ICML 2003; groups: Ding and others, ICML 2015). Labels are those of full steps.

// Centre c is in group c mod groups.
typedef struct {
    int *labels;              // −1 at first
    double *own;              // [N] a row is no further from its own centre,
    double *others;           // (N × groups) and no nearer to any other one of a group
    double *moves;            // [k] how far each centre has moved,
    double most[MOST_GROUPS]; // and how far the fastest of each group
    int groups;
} Bounds;

static void bound_others(double *others, int groups, const Search *s, int label, const float *products,
                         double least_square)
{
    float least[MOST_GROUPS];
    for (int g = 0; g < groups; g++) least[g] = INFINITY;
    for (int c = 0, g = 0; c < s->centres.rows; c++, g = g + 1 < groups ? g + 1 : 0) {
        const float distance = s->squares[c] - 2.0f * products[c];
        if (c != label && !(distance >= least[g])) least[g] = distance;
    }
    for (int g = 0; g < groups; g++) others[g] = sqrt(fmax(0.0, least_square + (double)least[g]));
}

static void search_rows(const Search *s, Part *part, Bounds *b, const int *chosen, int count)
{
    const int k = s->centres.rows, d = s->x.cols;
    for (int i = 0; i < count; i++)
        memcpy(part->rows + (size_t)i * (size_t)d, matrix_row(s->x, chosen[i]), (size_t)d * sizeof(float));
    gemm_packed(count, false, part->rows, d, &s->factor, part->products, k);
    for (int i = 0; i < count; i++) {
        const float *row = part->rows + (size_t)i * (size_t)d;
        const int at = chosen[i], old = b->labels[at];
        const float *products = part->products + (size_t)i * (size_t)k;
        double least_square;
        const int label = nearest(s, row, products, &least_square);
        bound_others(b->others + (size_t)at * (size_t)b->groups, b->groups, s, label, products, least_square);
        const double square = (double)lanes_squared_distance(row, matrix_row(s->centres, label), d);
        b->own[at] = sqrt(square * (1.0 + s->lanes_error));
        if (label == old) continue;
        b->labels[at] = label;
        part->changed = true;
        if (old >= 0) take_from_sum(part, old, row, d);
        add_to_sum(part, label, row, d);
    }
}

// The bounds of row i, after the centres have moved; the least of them
static double least_of_others(const Bounds *b, int i)
{
    double *others = b->others + (size_t)i * (size_t)b->groups, least = INFINITY;
    for (int g = 0; g < b->groups; g++) {
        others[g] -= b->most[g];
        least = others[g] < least ? others[g] : least;
    }
    return least;
}

static void update_part(const Search *s, Part *part, Bounds *b, int first, int end)
{
    int chosen[ROWS_AT_ONCE], count = 0;
    part->changed = false;
    for (int i = first; i < end; i++) {
        const int label = b->labels[i];
        if (label >= 0) {
            b->own[i] += b->moves[label];
            const double bound =
                least_of_others(b, i) * (1.0 - 1e-9); // against the rounding of many additions
            if (b->own[i] < bound) continue;
            const double square =
                (double)lanes_squared_distance(matrix_row(s->x, i), matrix_row(s->centres, label), s->x.cols);
            b->own[i] = sqrt(square * (1.0 + s->lanes_error));
            if (b->own[i] < bound) continue;
        }
        chosen[count++] = i;
        if (count < ROWS_AT_ONCE) continue;
        search_rows(s, part, b, chosen, count);
        count = 0;
    }
    search_rows(s, part, b, chosen, count);
}

static void note_moves(Bounds *b, Matrix before, Matrix after)
{
    memset(b->most, 0, sizeof b->most);
    for (int c = 0; c < after.rows; c++) {
        b->moves[c] = sqrt(squared_distance(matrix_row(before, c), matrix_row(after, c), after.cols));
        b->most[c % b->groups] = fmax(b->most[c % b->groups], b->moves[c]);
    }
}

// The cost of labels that are right
static double cost_of(Matrix centres, const int *labels, Matrix x)
{
    double parts[MOST_PARTS] = {0}, cost = 0.0;
    const int part_rows = rows_of_part(x.rows, centres.rows);
#pragma omp parallel for schedule(dynamic) if (parallel_worth(matrix_size(x)))
    for (int p = 0; p < (x.rows + part_rows - 1) / part_rows; p++)
        for (int i = p * part_rows; i < int_min(x.rows, (p + 1) * part_rows); i++)
            parts[p] +=
                (double)lanes_squared_distance(matrix_row(x, i), matrix_row(centres, labels[i]), x.cols);
    for (int p = 0; p < MOST_PARTS; p++) cost += parts[p];
    return cost;
}

static Bounds bounds_new(Place place, Arena *arena, int *labels, int rows, int k)
{
    const int groups = int_min(k, MOST_GROUPS);
    memset(labels, -1, (size_t)rows * sizeof *labels);
    return (Bounds){.labels = labels,
                    .own = arena_alloc_at(place, arena, (size_t)rows, sizeof(double)),
                    .others = arena_alloc_at(place, arena, (size_t)rows, (size_t)groups * sizeof(double)),
                    .moves = arena_zeros_at(place, arena, (size_t)k, sizeof(double)),
                    .groups = groups};
}

// Labels and sums for these centres; whether a label has changed.
static bool update(Place place, Arena *scratch, Matrix centres, Matrix x, Part *parts, int part_count,
                   Bounds *b)
{
    const ArenaMark mark = arena_mark(scratch);
    const Search s = search_new(place, scratch, centres, x);
    const int part_rows = rows_of_part(x.rows, centres.rows);
#pragma omp parallel for schedule(dynamic) if (parallel_worth(matrix_size(x)))
    for (int p = 0; p < part_count; p++)
        update_part(&s, &parts[p], b, p * part_rows, int_min(x.rows, (p + 1) * part_rows));
    arena_rewind(scratch, mark);
    bool changed = false;
    for (int p = 0; p < part_count; p++) changed |= parts[p].changed;
    return changed;
}

static Kmeans fit(Place place, const char *name, Arena *arena, Matrix centres, Matrix x, int steps)
{
    const int k = centres.rows, d = x.cols, part_rows = rows_of_part(x.rows, k),
              part_count = (x.rows + part_rows - 1) / part_rows;
    Kmeans found = {.centres = centres, .labels = arena_alloc_at(place, arena, (size_t)x.rows, sizeof(int))};
    Arena *scratch = arena_new();
    Bounds bounds = bounds_new(place, scratch, found.labels, x.rows, k);
    const Matrix before = matrix_new_at(place, scratch, k, d);
    Part parts[MOST_PARTS] = {0};
    for (int p = 0; p < part_count; p++) {
        part_new(place, scratch, &parts[p], k, d, true);
        parts[p].rows = arena_alloc_at(place, scratch, (size_t)d, ROWS_AT_ONCE * sizeof(float));
    }
    while (!found.settled) {
        const bool changed = update(place, scratch, centres, x, parts, part_count, &bounds);
        if (found.steps == steps) break;
        found.steps++;
        found.settled = !changed;
        copy(before, centres);
        move_centres(centres, parts, part_count);
        note_moves(&bounds, before, centres);
    }
    found.cost = cost_of(centres, found.labels, x);
    check_cost(place, name, found.cost, centres, x);
    arena_free(scratch);
    return found;
}

Kmeans kmeans_fit_at(Place place, Arena *arena, Matrix x, int k, int steps, Rng *rng)
{
    check_at(place, k > 0 && k <= x.rows && steps >= 0, "at least 1 centre and at most one for each row",
             "kmeans_fit: %d centres from %d rows in %d steps", k, x.rows, steps);
    Matrix centres = matrix_new_at(place, arena, k, x.cols);
    kmeans_plus_plus_at(place, centres, x, rng);
    return fit(place, "kmeans_fit", arena, centres, x, steps);
}

Kmeans kmeans_from_at(Place place, Arena *arena, Matrix start, Matrix x, int steps)
{
    check_problem(place, "kmeans_from", start, x);
    check_at(place, steps >= 0, "0 steps assign the rows and move nothing", "kmeans_from: %d steps", steps);
    return fit(place, "kmeans_from", arena, matrix_copy_at(place, arena, start), x, steps);
}
