// kmeans.c: see kmeans.h. Rows are cut into parts, whose number depends on the shapes alone; a part adds up its rows in
// order, and the parts are added in order. Within a part a few rows at a time go through everything while they are in
// the cache: the product with all centres, the smallest distance, the sums.
#include "models/kmeans.h"
#include "base/parallel.h"
#include "matrix/gemm.h"
#include "matrix/lanes.h"

#include <math.h>
#include <string.h>

enum { ROWS_AT_ONCE = 64, MOST_PARTS = 32, LEAST_ROWS = 256 };

typedef struct {
    Matrix x, centres;
    GemmFactor factor;     // centresᵀ
    const float *squares;  // [k] ‖c‖²
    double largest_length; // of a centre
} Search;

// What a part of the rows adds up
typedef struct {
    double *sums; // (k × d), NULL when nobody asks
    int *counts;  // [k]
    double cost;
    bool changed; // a label is not what it was
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
// in the right order; the second comparison fails for a NaN as well.
static int nearest(const Search *s, const float *row, const float *products)
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
    const double length = sqrt((double)lanes_dot(row, row, d));
    const double error = 1.01 * (2.0 * d + 4.0) * 0x1p-24 * s->largest_length * (length + s->largest_length);
    return (double)second - (double)least > 2.0 * error ? best : nearest_exactly(s, row);
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

// Rows first … end − 1
static void assign_part(const Search *s, Part *part, int *labels, float *products, int first, int end)
{
    const int k = s->centres.rows, d = s->x.cols;
    for (int at = first; at < end; at += ROWS_AT_ONCE) {
        const int count = int_min(ROWS_AT_ONCE, end - at);
        gemm_packed(count, false, matrix_row(s->x, at), d, &s->factor, products, k);
        for (int i = 0; i < count; i++) {
            const float *row = matrix_row(s->x, at + i);
            const int label = nearest(s, row, products + (size_t)i * (size_t)k);
            part->changed |= labels[at + i] != label;
            labels[at + i] = label;
            part->cost += (double)lanes_squared_distance(row, matrix_row(s->centres, label), d);
            if (!part->sums) continue;
            part->counts[label]++;
            double *sum = part->sums + (size_t)label * (size_t)d;
            for (int j = 0; j < d; j++) sum[j] += (double)row[j];
        }
    }
}

static Search search_new(Place place, Arena *arena, Matrix centres, Matrix x)
{
    const int k = centres.rows, d = centres.cols;
    float *squares = arena_alloc_at(place, arena, (size_t)k, sizeof *squares);
    Search s = {x, centres, gemm_pack(arena, d, k, true, centres.data, d), squares, 0.0};
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
#pragma omp parallel for if (parallel_worth(matrix_size(centres) * (size_t)part_count))
    for (int c = 0; c < centres.rows; c++) {
        int rows = 0;
        for (int p = 0; p < part_count; p++) rows += parts[p].counts[c];
        if (rows == 0) continue;
        for (int j = 0; j < d; j++) {
            double total = 0.0;
            for (int p = 0; p < part_count; p++) total += parts[p].sums[(size_t)c * (size_t)d + (size_t)j];
            AT(centres, c, j) = (float)(total / rows);
        }
    }
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

// Assigns, and moves the centres if asked to. *changed, unless NULL, receives whether a label is another one now.
static double pass_over(Place place, const char *name, Arena *scratch, Matrix centres, int *labels, Matrix x,
                        bool move, bool *changed)
{
    check_problem(place, name, centres, x);
    const int k = centres.rows, d = x.cols;
    const ArenaMark mark = arena_mark(scratch);
    const Search s = search_new(place, scratch, centres, x);
    const int part_rows =
        int_max(int_max(LEAST_ROWS, int_min(k, 1 << 20) * 8), (x.rows + MOST_PARTS - 1) / MOST_PARTS);
    const int part_count = (x.rows + part_rows - 1) / part_rows;
    Part parts[MOST_PARTS] = {0};
    float *products[MOST_PARTS];
    for (int p = 0; p < part_count; p++) {
        products[p] = arena_alloc_at(place, scratch, (size_t)k, ROWS_AT_ONCE * sizeof(float));
        if (!move) continue;
        parts[p].sums = arena_zeros_at(place, scratch, (size_t)k * (size_t)d, sizeof(double));
        parts[p].counts = arena_zeros_at(place, scratch, (size_t)k, sizeof(int));
    }
#pragma omp parallel for schedule(dynamic) if (parallel_worth(matrix_size(x)))
    for (int p = 0; p < part_count; p++)
        assign_part(&s, &parts[p], labels, products[p], p * part_rows, int_min(x.rows, (p + 1) * part_rows));
    double cost = 0.0;
    if (changed) *changed = false;
    for (int p = 0; p < part_count; p++) {
        cost += parts[p].cost;
        if (changed) *changed |= parts[p].changed;
    }
    check_cost(place, name, cost, centres, x);
    if (move) move_centres(centres, parts, part_count);
    arena_rewind(scratch, mark);
    return cost;
}

double kmeans_assign_at(Place place, Arena *scratch, int *labels, Matrix centres, Matrix x)
{
    memset(labels, -1, (size_t)x.rows * sizeof *labels);
    return pass_over(place, "kmeans_assign", scratch, centres, labels, x, false, NULL);
}

double kmeans_step_at(Place place, Arena *scratch, Matrix centres, int *labels, Matrix x)
{
    memset(labels, -1, (size_t)x.rows * sizeof *labels);
    return pass_over(place, "kmeans_step", scratch, centres, labels, x, true, NULL);
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
#pragma omp parallel for if (parallel_worth(matrix_size(x)))
        for (int i = 0; i < x.rows; i++) {
            const double distance = (double)lanes_squared_distance(matrix_row(x, i), centre, x.cols);
            if (c == 0 || !(distance >= distances[i])) distances[i] = distance;
        }
        double total = 0.0;
        for (int i = 0; i < x.rows; i++) total += distances[i];
        check_cost(place, "kmeans_plus_plus", total, centres, x);
        chosen = draw_row(rng, distances, x.rows, total);
    }
    arena_free(arena);
}

static Kmeans fit(Place place, Arena *arena, Matrix centres, Matrix x, int steps)
{
    Kmeans found = {.centres = centres, .labels = arena_alloc_at(place, arena, (size_t)x.rows, sizeof(int))};
    memset(found.labels, -1, (size_t)x.rows * sizeof(int));
    for (; found.steps < steps && !found.settled; found.steps++) {
        bool changed;
        found.cost = pass_over(place, "kmeans_fit", arena, centres, found.labels, x, true, &changed);
        found.settled = !changed;
    }
    if (!found.settled)
        found.cost = pass_over(place, "kmeans_fit", arena, centres, found.labels, x, false, NULL);
    return found;
}

Kmeans kmeans_fit_at(Place place, Arena *arena, Matrix x, int k, int steps, Rng *rng)
{
    check_at(place, k > 0 && k <= x.rows && steps >= 0, "at least 1 centre and at most one for each row",
             "kmeans_fit: %d centres from %d rows in %d steps", k, x.rows, steps);
    Matrix centres = matrix_new_at(place, arena, k, x.cols);
    kmeans_plus_plus_at(place, centres, x, rng);
    return fit(place, arena, centres, x, steps);
}

Kmeans kmeans_from_at(Place place, Arena *arena, Matrix start, Matrix x, int steps)
{
    check_problem(place, "kmeans_from", start, x);
    check_at(place, steps >= 0, "0 steps assign the rows and move nothing", "kmeans_from: %d steps", steps);
    return fit(place, arena, matrix_copy_at(place, arena, start), x, steps);
}
