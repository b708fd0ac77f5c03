// svm.c: support vector machines by sequential minimal optimisation. See svm.h.
//
// The error of a row is F_i = y_i − Σ_j a_j K_ij, the slope of the dual along its weight. At the optimum no weight that may still
// rise has a larger error than any that may still fall (the bias lies between). While one has, raising the first and
// lowering the second by as much, which keeps the sum of all at 0, makes the dual larger. The one to rise is that of the largest
// error; the one to fall is the one that, once the two have gone as far as is good, will have gained most:
// (F_i − F_j)² / (K_ii + K_jj − 2 K_ij). Then all errors are brought up to date with two rows of the kernel.
#include "models/svm.h"
#include "base/mathf.h"
#include "base/parallel.h"
#include "matrix/gemm.h"
#include "matrix/lanes.h"

enum {
    BLOCK = 64,       // rows whose errors are looked at together: the arrays below are whole blocks long
    BLOCK_ROWS = 256, // rows of kernel values that are made together
    DOUBLES = 8       // lanes of double precision
};

static size_t in_blocks(int count) { return ((size_t)count + BLOCK - 1) / BLOCK * BLOCK; }

// ---- Kernel values ----------------------------------------------------------------------------------------------------------

// Rows as kernels want them: for distances, moved so that a given centre is at 0, and Σ x² of each. The distance of two rows is
// the same, but a difference of two large sums would not hold it.
typedef struct {
    Matrix x;       // (N × d)
    float *squares; // [N]; NULL for the linear kernel
} Points;

static Points points_new(Arena *arena, Matrix x, Matrix centre, float gamma)
{
    if (gamma == 0.0f) return (Points){x, NULL};
    Points p = {matrix_copy(arena, x), arena_alloc(arena, (size_t)x.rows, sizeof *p.squares)};
    PARALLEL_FOR(parallel_worth(matrix_size(x)), i, x.rows, {
        float *row = matrix_row(p.x, i), total = 0.0f;
        for (int j = 0; j < x.cols; j++) row[j] -= centre.data[j];
        // The product's order of summation: so a row is at distance 0 from itself.
        for (int j = 0; j < x.cols; j++) total = __builtin_fmaf(row[j], row[j], total);
        p.squares[i] = total;
    });
    return p;
}

static Points points_range(Points p, int first, int count)
{
    return (Points){matrix_rows(p.x, first, count), p.squares ? p.squares + first : NULL};
}

// values[i · step + j] = K(a_i, b_j)
static void kernel_values(float *values, size_t step, Points a, Points b, float gamma)
{
    const int m = a.x.rows, n = b.x.rows, d = a.x.cols;
    gemm((GemmShape){.m = m, .n = n, .k = d, .transpose_b = true}, a.x.data, d, b.x.data, d, values,
         (int)step);
    if (gamma == 0.0f) return;
    PARALLEL_FOR(parallel_worth(16 * (size_t)m * (size_t)n), i, m, {
        float *row = values + (size_t)i * step;
        for (int j = 0; j < n; j++) {
            const float distance = (a.squares[i] + b.squares[j]) - 2.0f * row[j];
            row[j] = exp32(-gamma * (distance > 0.0f ? distance : 0.0f));
        }
    });
}

// All pairs of points: the upper half, mirrored. Rows are whole blocks long.
static float *all_kernel_values(Arena *arena, Points p, float gamma)
{
    const int n = p.x.rows;
    const size_t step = in_blocks(n);
    float *values = arena_alloc(arena, size_product(HERE, (size_t)n, step), sizeof *values);
    for (int first = 0; first < n; first += BLOCK_ROWS) {
        const int count = int_min(BLOCK_ROWS, n - first), rest = n - first;
        float *corner = values + (size_t)first * step + (size_t)first;
        kernel_values(corner, step, points_range(p, first, count), points_range(p, first, rest), gamma);
        if (rest > count)
            copy_transposed(corner + (size_t)count * step, step, corner + count, step, count, rest - count);
        for (int i = 0; i < count; i++)
            memset(corner + (size_t)i * step + rest, 0, (step - (size_t)n) * sizeof *values);
    }
    return values;
}

// The kernel of one problem of two classes, row by row. Where all values of all points were made already (whole), the problem's
// rows and columns are one or two ranges of them; else a row is made when it is asked for. Rows are kept while there is
// room; then the one that was not asked for the longest time is given up.
typedef struct {
    float gamma;
    Points points;      // of the problem; not looked at when there is a whole
    const float *whole; // [all · whole_step], or NULL
    size_t whole_step;
    int first[2], count[2]; // the ranges
    int rows;               // of the problem: count[0] + count[1]
    float *kept;            // [slots · step]
    size_t step;
    int slots, *slot, *owner; // slot [rows] of each row, or −1; owner [slots], or −1
    long *asked, now;         // asked [slots]: when
} Kernel;

static void kernel_keep(Arena *arena, Kernel *k, size_t bytes)
{
    k->step = in_blocks(k->rows);
    const size_t slots = bytes / (k->step * sizeof(float));
    k->slots = slots < 2 ? 2 : slots > (size_t)k->rows ? k->rows : (int)slots;
    k->kept = arena_alloc(arena, size_product(HERE, (size_t)k->slots, k->step), sizeof *k->kept);
    k->slot = arena_alloc(arena, (size_t)k->rows, sizeof *k->slot);
    k->owner = arena_alloc(arena, (size_t)k->slots, sizeof *k->owner);
    k->asked = arena_zeros(arena, (size_t)k->slots, sizeof *k->asked);
    for (int i = 0; i < k->rows; i++) k->slot[i] = -1;
    for (int s = 0; s < k->slots; s++) k->owner[s] = -1;
}

static size_t place_in_whole(const Kernel *k, int i)
{
    return (size_t)(i < k->count[0] ? k->first[0] + i : k->first[1] + i - k->count[0]);
}

// K(x_i, x_i)
static float kernel_diagonal(const Kernel *k, int i)
{
    if (k->gamma != 0.0f) return 1.0f;
    if (k->whole) return k->whole[place_in_whole(k, i) * (k->whole_step + 1)];
    float value;
    kernel_values(&value, 1, points_range(k->points, i, 1), points_range(k->points, i, 1), 0.0f);
    return value;
}

static void make_row(const Kernel *k, float *row, int i)
{
    if (k->whole) {
        const float *from = k->whole + place_in_whole(k, i) * k->whole_step;
        memcpy(row, from + k->first[0], (size_t)k->count[0] * sizeof *row);
        memcpy(row + k->count[0], from + k->first[1], (size_t)k->count[1] * sizeof *row);
    } else {
        kernel_values(row, k->step, points_range(k->points, i, 1), k->points, k->gamma);
    }
    memset(row + k->rows, 0, (k->step - (size_t)k->rows) * sizeof *row);
}

// K(x_i, ·), as many as there are rows, and zeros up to the end of the last block. Valid until two other rows are asked for.
static const float *kernel_row(Kernel *k, int i)
{
    if (k->whole && k->count[1] == 0) return k->whole + (size_t)(k->first[0] + i) * k->whole_step;
    if (k->slot[i] < 0) {
        int oldest = 0;
        for (int s = 1; s < k->slots; s++)
            if (k->asked[s] < k->asked[oldest]) oldest = s;
        if (k->owner[oldest] >= 0) k->slot[k->owner[oldest]] = -1;
        k->owner[oldest] = i;
        k->slot[i] = oldest;
        make_row(k, k->kept + (size_t)oldest * k->step, i);
    }
    k->asked[k->slot[i]] = ++k->now;
    return k->kept + (size_t)k->slot[i] * k->step;
}

// ---- Two classes ----------------------------------------------------------------------------------------------------------------

// Arrays are whole blocks long. rise and fall are 0 where a weight may still do so, else −∞ and ∞.
typedef struct {
    int rows;
    double c;
    const float *y;
    double *weights, *errors, *rise, *fall;
    float *diagonal; // K(x_i, x_i)
    float *gains;
    double top, bottom; // the largest error where a weight may rise, the smallest where it may fall
    int top_row;
    long iterations;
} Problem;

// Below this, K_ii + K_jj − 2 K_ij is taken for 0: the two rows are the same.
static const float SMALLEST_CURVATURE = 1e-12f;

static void place_weight(Problem *p, int i, double weight)
{
    const double low = p->y[i] > 0.0f ? 0.0 : -p->c, high = p->y[i] > 0.0f ? p->c : 0.0;
    p->weights[i] = weight;
    p->rise[i] = weight < high ? 0.0 : -HUGE_VAL;
    p->fall[i] = weight > low ? 0.0 : HUGE_VAL;
}

static Problem problem_new(Arena *arena, const float *y, int rows, double c)
{
    const size_t size = in_blocks(rows);
    Problem p = {.rows = rows, .c = c, .y = y, .top = 1.0, .bottom = -1.0};
    p.weights = arena_zeros(arena, size, sizeof *p.weights);
    p.errors = arena_zeros(arena, size, sizeof *p.errors);
    p.rise = arena_alloc(arena, size, sizeof *p.rise);
    p.fall = arena_alloc(arena, size, sizeof *p.fall);
    p.diagonal = arena_zeros(arena, size, sizeof *p.diagonal);
    p.gains = arena_alloc(arena, size, sizeof *p.gains);
    for (size_t i = (size_t)rows; i < size; i++) p.rise[i] = -HUGE_VAL, p.fall[i] = HUGE_VAL;
    for (int i = 0; i < rows; i++) {
        place_weight(&p, i, 0.0);
        p.errors[i] = (double)y[i];
    }
    while (y[p.top_row] < 0.0f) p.top_row++;
    return p;
}

// The largest of 8 lanes, and the smallest.
static double largest_lane(const double *lane)
{
    double most = lane[0];
    for (int l = 1; l < DOUBLES; l++) most = lane[l] > most ? lane[l] : most;
    return most;
}

static double smallest_lane(const double *lane)
{
    double least = lane[0];
    for (int l = 1; l < DOUBLES; l++) least = lane[l] < least ? lane[l] : least;
    return least;
}

// The first row whose weight may rise and that has the largest error of these: block after block.
static int row_of_top(const Problem *p)
{
    const double *errors = p->errors, *rise = p->rise;
    for (;; errors += BLOCK, rise += BLOCK) {
        int hits = 0;
        for (int k = 0; k < BLOCK; k++) hits += errors[k] + rise[k] == p->top;
        if (!hits) continue;
        while (*errors + *rise != p->top) errors++, rise++;
        return (int)(errors - p->errors);
    }
}

// Weight i rose by delta and weight j fell by as much: all errors change; the largest and the smallest are found.
static void move_errors(Problem *p, const float *row_i, const float *row_j, double delta)
{
    double top[DOUBLES], bottom[DOUBLES], *errors = p->errors;
    const double *rise = p->rise, *fall = p->fall;
    const size_t size = in_blocks(p->rows);
    for (int l = 0; l < DOUBLES; l++) top[l] = -HUGE_VAL, bottom[l] = HUGE_VAL;
    for (size_t i = 0; i < size; i += DOUBLES)
        for (size_t l = 0; l < DOUBLES; l++) {
            const double change = (double)row_i[i + l] - (double)row_j[i + l];
            const double error = errors[i + l] - delta * change;
            const double high = error + rise[i + l], low = error + fall[i + l];
            errors[i + l] = error;
            top[l] = high > top[l] ? high : top[l];
            bottom[l] = low < bottom[l] ? low : bottom[l];
        }
    p->top = largest_lane(top), p->bottom = smallest_lane(bottom);
    if (p->top > -HUGE_VAL) p->top_row = row_of_top(p);
}

// The partner of the top row: the first of those that gain most. gains [rows]: 0 where a weight must not fall, or would lose.
static int partner(const Problem *p, const float *row_i)
{
    const size_t size = in_blocks(p->rows);
    const float diagonal_i = p->diagonal[p->top_row];
    float lane[LANES] = {0}, most = 0.0f, *gains = p->gains;
    for (size_t i = 0; i < size; i += LANES)
        for (size_t l = 0; l < LANES; l++) {
            const float difference = (float)(p->top - (p->errors[i + l] + p->fall[i + l]));
            const float curvature = (diagonal_i + p->diagonal[i + l]) - 2.0f * row_i[i + l];
            const float room = curvature > SMALLEST_CURVATURE ? curvature : SMALLEST_CURVATURE;
            const float gain = difference > 0.0f ? difference * difference / room : 0.0f;
            gains[i + l] = gain;
            lane[l] = gain > lane[l] ? gain : lane[l];
        }
    for (int l = 0; l < LANES; l++) most = lane[l] > most ? lane[l] : most;
    for (;; gains += BLOCK) {
        int hits = 0;
        for (int k = 0; k < BLOCK; k++) hits += gains[k] == most;
        if (!hits) continue;
        while (*gains != most) gains++;
        return (int)(gains - p->gains);
    }
}

// Moves pairs of weights until no two errors disagree by more than the tolerance.
static void solve(Problem *p, Kernel *kernel, double tolerance)
{
    const long most = 10000000L > 100L * p->rows ? 10000000L : 100L * p->rows; // libsvm's limit
    while (p->top - p->bottom > tolerance && p->iterations < most) {
        const int i = p->top_row;
        const float *row_i = kernel_row(kernel, i);
        const int j = partner(p, row_i);
        const float *row_j = kernel_row(kernel, j);
        const float curvature = (p->diagonal[i] + p->diagonal[j]) - 2.0f * row_i[j];
        const double high = p->y[i] > 0.0f ? p->c : 0.0, low = p->y[j] > 0.0f ? 0.0 : -p->c;
        const double up = high - p->weights[i], down = p->weights[j] - low;
        double delta = (p->top - p->errors[j]) /
                       (double)(curvature > SMALLEST_CURVATURE ? curvature : SMALLEST_CURVATURE);
        delta = delta < up ? delta : up;
        delta = delta < down ? delta : down;
        place_weight(p, i, delta == up ? high : p->weights[i] + delta);
        place_weight(p, j, delta == down ? low : p->weights[j] - delta);
        move_errors(p, row_i, row_j, delta);
        p->iterations++;
    }
}

// The error of rows with a weight between the bounds, their mean; without any, halfway between what is possible.
static double bias_of(const Problem *p)
{
    double total = 0.0;
    int free = 0;
    for (int i = 0; i < p->rows; i++)
        if (p->rise[i] == 0.0 && p->fall[i] == 0.0) total += p->errors[i], free++;
    return free ? total / free : 0.5 * (p->top + p->bottom);
}

// Σ a_i y_i − ½ Σ a_i a_j K_ij, where F_i = y_i − Σ_j a_j K_ij
static double dual_of(const Problem *p)
{
    double total = 0.0;
    for (int i = 0; i < p->rows; i++) total += 0.5 * p->weights[i] * ((double)p->y[i] + p->errors[i]);
    return total;
}

static void check_options(Place place, const char *who, Matrix x, SvmOptions *o)
{
    check_at(place, x.rows >= 2 && x.cols >= 1, "give it examples of two classes", "%s: x (%d × %d)", who,
             x.rows, x.cols);
    check_at(place, o->c > 0.0f && o->c < __builtin_inff(), "1 is usual", "%s: c is %g", who, (double)o->c);
    check_at(place, o->gamma >= 0.0f && o->gamma < __builtin_inff(), "0 is the linear kernel",
             "%s: gamma is %g", who, (double)o->gamma);
    check_at(place, o->tolerance >= 0.0f && o->tolerance < __builtin_inff(), "0 means 1e-3",
             "%s: tolerance is %g", who, (double)o->tolerance);
    const double squares = sum_of_squares(x);
    check_at(place, squares <= 1e37,
             "standardise the columns; a missing value must be filled in, or its row left out",
             "%s: x holds %s", who,
             all_finite(x) ? "numbers whose squares are too large" : "NaN or infinity");
    if (o->tolerance == 0.0f) o->tolerance = 1e-3f;
    if (o->cache_bytes == 0) o->cache_bytes = (size_t)512 << 20;
}

static Points centred_points(Arena *arena, Matrix x, float gamma)
{
    Matrix centre = matrix_new(arena, 1, x.cols);
    column_means(centre, x);
    return points_new(arena, x, centre, gamma);
}

// Whether all kernel values of so many rows fit.
static bool all_fit(int rows, size_t bytes)
{
    return in_blocks(rows) <= bytes / sizeof(float) / (size_t)rows;
}

static Problem solve_problem(Arena *arena, Kernel *kernel, const float *y, SvmOptions o)
{
    Problem p = problem_new(arena, y, kernel->rows, (double)o.c);
    for (int i = 0; i < p.rows; i++) p.diagonal[i] = kernel_diagonal(kernel, i);
    solve(&p, kernel, (double)o.tolerance);
    return p;
}

// All rows of these points are one problem.
static Problem solve_points(Arena *arena, Points points, const float *y, SvmOptions o)
{
    const int rows = points.x.rows;
    Kernel kernel = {.gamma = o.gamma, .points = points, .rows = rows, .count = {rows, 0}};
    kernel.whole_step = in_blocks(rows);
    if (all_fit(rows, o.cache_bytes))
        kernel.whole = all_kernel_values(arena, points, o.gamma);
    else
        kernel_keep(arena, &kernel, o.cache_bytes);
    return solve_problem(arena, &kernel, y, o);
}

static void check_signs(Place place, const float *y, int count)
{
    int above = 0;
    for (int i = 0; i < count; i++) {
        check_at(place, y[i] == 1.0f || y[i] == -1.0f, "svm_fit_classes takes class numbers",
                 "svm_fit: y[%d] is %g, not 1 or -1", i, (double)y[i]);
        above += y[i] > 0.0f;
    }
    check_at(place, above > 0 && above < count, "it separates two classes: give it examples of both",
             "svm_fit: all %d labels are %s", count, above ? "1" : "-1");
}

Svm svm_fit_at(Place place, Arena *arena, Matrix x, const float *y, SvmOptions options)
{
    check_options(place, "svm_fit", x, &options);
    check_signs(place, y, x.rows);
    Arena *work = arena_new();
    const Problem p = solve_points(work, centred_points(work, x, options.gamma), y, options);
    int count = 0;
    for (int i = 0; i < x.rows; i++) count += p.weights[i] != 0.0;
    Svm svm = {.gamma = options.gamma,
               .vectors = matrix_new_at(place, arena, count, x.cols),
               .weights = matrix_new_at(place, arena, count, 1),
               .bias = (float)bias_of(&p),
               .rows = arena_alloc_at(place, arena, (size_t)count, sizeof *svm.rows),
               .dual = dual_of(&p),
               .gap = p.top - p.bottom,
               .iterations = p.iterations};
    for (int i = 0, s = 0; i < x.rows; i++) {
        if (p.weights[i] == 0.0) continue;
        memcpy(matrix_row(svm.vectors, s), matrix_row(x, i), (size_t)x.cols * sizeof(float));
        svm.weights.data[s] = (float)p.weights[i];
        svm.at_bound += fabs(p.weights[i]) == p.c;
        svm.rows[s++] = i;
    }
    arena_free(work);
    return svm;
}

// scores (N × P) = K(x, vectors) · weights + biases
static void decisions(Matrix scores, Matrix vectors, Matrix weights, const float *biases, float gamma,
                      Matrix x)
{
    Arena *work = arena_new();
    Matrix centre = matrix_new(work, 1, vectors.cols);
    column_means(centre, vectors);
    const Points of_vectors = points_new(work, vectors, centre, gamma);
    Matrix values = matrix_new(work, BLOCK_ROWS, vectors.rows);
    for (int first = 0; first < x.rows; first += BLOCK_ROWS) {
        const ArenaMark mark = arena_mark(work);
        const int count = int_min(BLOCK_ROWS, x.rows - first);
        Matrix some = matrix_rows(values, 0, count), out = matrix_rows(scores, first, count);
        kernel_values(some.data, (size_t)some.cols,
                      points_new(work, matrix_rows(x, first, count), centre, gamma), of_vectors, gamma);
        matmul(out, some, weights);
        for (int i = 0; i < count; i++)
            for (int p = 0; p < out.cols; p++) AT(out, i, p) += biases[p];
        arena_rewind(work, mark);
    }
    arena_free(work);
}

static void check_columns(Place place, const char *who, Matrix x, Matrix vectors)
{
    check_at(place, x.cols == vectors.cols, "the columns of x are those that it was fitted on",
             "%s: x (%d × %d), the machine was fitted on %d columns", who, x.rows, x.cols, vectors.cols);
    check_at(place, all_finite(x), "fill missing values in, or leave their rows out",
             "%s: x holds NaN or infinity", who);
}

void svm_decisions_at(Place place, Matrix scores, const Svm *svm, Matrix x)
{
    check_columns(place, "svm_decisions", x, svm->vectors);
    check_at(place, scores.rows == x.rows && scores.cols == 1, "one score for each row",
             "svm_decisions: scores (%d × %d) for x (%d × %d)", scores.rows, scores.cols, x.rows, x.cols);
    decisions(scores, svm->vectors, svm->weights, &svm->bias, svm->gamma, x);
}

// ---- Several classes --------------------------------------------------------------------------------------------------------

// The rows of x in the order of their classes.
typedef struct {
    int *order;  // [N] the rows
    int *starts; // [classes + 1] where those of each class begin
    Points points;
} Sorted;

static int class_rows(const Sorted *s, int k) { return s->starts[k + 1] - s->starts[k]; }

static Sorted sort_by_class(Place place, Arena *arena, Matrix x, const int *labels, int classes, float gamma)
{
    Sorted s = {.order = arena_alloc(arena, (size_t)x.rows, sizeof *s.order),
                .starts = arena_zeros(arena, (size_t)classes + 2, sizeof *s.starts)};
    for (int i = 0; i < x.rows; i++) {
        check_at(place, labels[i] >= 0 && labels[i] < classes, "classes are numbered from 0",
                 "svm_fit_classes: the label of row %d is %d, there are %d classes", i, labels[i], classes);
        s.starts[labels[i] + 2]++;
    }
    int present = 0;
    for (int k = 0; k < classes; k++) {
        present += s.starts[k + 2] > 0;
        s.starts[k + 2] += s.starts[k + 1];
    }
    check_at(place, present >= 2, "it separates classes: give it examples of two",
             "svm_fit_classes: all %d rows have the label %d", x.rows, labels[0]);
    for (int i = 0; i < x.rows; i++) s.order[s.starts[labels[i] + 1]++] = i;
    Matrix sorted = matrix_new(arena, x.rows, x.cols);
    gather_rows(sorted, x, s.order);
    s.points = centred_points(arena, sorted, gamma);
    return s;
}

// Classes a and b where all kernel values are at hand.
static Problem solve_pair_of(Arena *arena, const Sorted *s, const float *whole, int a, int b, const float *y,
                             SvmOptions o)
{
    Kernel kernel = {.gamma = o.gamma,
                     .whole = whole,
                     .whole_step = in_blocks(s->points.x.rows),
                     .first = {s->starts[a], s->starts[b]},
                     .count = {class_rows(s, a), class_rows(s, b)},
                     .rows = class_rows(s, a) + class_rows(s, b)};
    kernel_keep(arena, &kernel, o.cache_bytes);
    return solve_problem(arena, &kernel, y, o);
}

// Classes a and b where they are not: their rows are brought together.
static Problem solve_pair_alone(Arena *arena, const Sorted *s, int a, int b, const float *y, SvmOptions o)
{
    const int count[2] = {class_rows(s, a), class_rows(s, b)}, classes[2] = {a, b};
    const Matrix x = s->points.x;
    Points both = {matrix_uninitialised(arena, count[0] + count[1], x.cols), NULL};
    if (s->points.squares) both.squares = arena_alloc(arena, (size_t)both.x.rows, sizeof(float));
    for (int half = 0, row = 0; half < 2; row += count[half++]) {
        const int first = s->starts[classes[half]];
        copy(matrix_rows(both.x, row, count[half]), matrix_rows(x, first, count[half]));
        if (both.squares)
            memcpy(both.squares + row, s->points.squares + first, (size_t)count[half] * sizeof(float));
    }
    return solve_points(arena, both, y, o);
}

// What is kept of a pair.
typedef struct {
    int a, b;
    double *weights; // [rows of a + rows of b]
    float bias;
    double dual;
    long iterations;
} Pair;

static void solve_pair(Pair *pair, Arena *arena, const Sorted *s, const float *whole, SvmOptions o)
{
    const ArenaMark mark = arena_mark(arena);
    const int rows_a = class_rows(s, pair->a), rows = rows_a + class_rows(s, pair->b);
    float *y = arena_alloc(arena, (size_t)rows, sizeof *y);
    for (int i = 0; i < rows; i++) y[i] = i < rows_a ? 1.0f : -1.0f;
    const Problem p = whole ? solve_pair_of(arena, s, whole, pair->a, pair->b, y, o)
                            : solve_pair_alone(arena, s, pair->a, pair->b, y, o);
    memcpy(pair->weights, p.weights, (size_t)rows * sizeof *p.weights);
    pair->bias = (float)bias_of(&p);
    pair->dual = dual_of(&p);
    pair->iterations = p.iterations;
    arena_rewind(arena, mark);
}

// Every pair of classes that have rows. Where the kernel is made, pairs are shared between threads; else they take turns, and the
// kernel's product is what is shared.
static Pair *solve_pairs(Arena *arena, const Sorted *s, int classes, int *count, SvmOptions o)
{
    const int all = classes * (classes - 1) / 2, threads = parallel_threads();
    Pair *pairs = arena_zeros(arena, (size_t)all, sizeof *pairs);
    *count = 0;
    for (int a = 0; a < classes; a++)
        for (int b = a + 1; b < classes; b++) {
            const int rows_a = class_rows(s, a), rows_b = class_rows(s, b);
            if (!rows_a || !rows_b) continue;
            double *weights = arena_alloc(arena, (size_t)(rows_a + rows_b), sizeof *weights);
            pairs[(*count)++] = (Pair){.a = a, .b = b, .weights = weights};
        }
    const float *whole = NULL;
    if (all_fit(s->points.x.rows, o.cache_bytes)) whole = all_kernel_values(arena, s->points, o.gamma);
    Arena **arenas = arena_alloc(arena, (size_t)threads, sizeof(Arena *));
    for (int thread = 0; thread < threads; thread++) arenas[thread] = arena_new();
#pragma omp parallel for schedule(dynamic) if (whole && parallel_worth((size_t)s->points.x.rows * 64))
    for (int p = 0; p < *count; p++) solve_pair(&pairs[p], arenas[parallel_number()], s, whole, o);
    for (int thread = 0; thread < threads; thread++) arena_free(arenas[thread]);
    return pairs;
}

// Weight of the row that stands at `place` in the order of classes, for a pair; 0 where it is none of its two classes.
static double weight_of(const Sorted *s, const Pair *pair, int place, int label)
{
    if (label == pair->a) return pair->weights[place - s->starts[pair->a]];
    if (label == pair->b) return pair->weights[class_rows(s, pair->a) + place - s->starts[pair->b]];
    return 0.0;
}

// The rows that any pair needs, and their weights for each pair.
static void collect(Place place, Arena *arena, SvmClasses *svm, Matrix x, const int *labels, const Sorted *s,
                    const Pair *pairs)
{
    Arena *work = arena_new();
    int *place_of = arena_alloc(work, (size_t)x.rows, sizeof *place_of), count = 0;
    for (int i = 0; i < x.rows; i++) place_of[s->order[i]] = i;
    Matrix weights = matrix_new(work, x.rows, svm->pairs);
    svm->rows = arena_alloc_at(place, arena, (size_t)x.rows, sizeof *svm->rows);
    for (int i = 0; i < x.rows; i++) {
        bool needed = false;
        for (int p = 0; p < svm->pairs; p++) {
            const double weight = weight_of(s, &pairs[p], place_of[i], labels[i]);
            AT(weights, count, p) = (float)weight;
            svm->supports[p] += weight != 0.0;
            needed = needed || weight != 0.0;
        }
        if (needed) svm->rows[count++] = i;
    }
    svm->vectors = matrix_new_at(place, arena, count, x.cols);
    svm->weights = matrix_copy(arena, matrix_rows(weights, 0, count));
    gather_rows(svm->vectors, x, svm->rows);
    arena_free(work);
}

SvmClasses svm_fit_classes_at(Place place, Arena *arena, Matrix x, const int *labels, int classes,
                              SvmOptions options)
{
    check_at(place, classes >= 2 && classes <= SVM_MOST_CLASSES, "it separates classes: two at least",
             "svm_fit_classes: %d classes, 2 to %d are possible", classes, SVM_MOST_CLASSES);
    check_options(place, "svm_fit_classes", x, &options);
    Arena *work = arena_new();
    const Sorted sorted = sort_by_class(place, work, x, labels, classes, options.gamma);
    SvmClasses svm = {.classes = classes, .gamma = options.gamma};
    const Pair *pairs = solve_pairs(work, &sorted, classes, &svm.pairs, options);
    const size_t count = (size_t)svm.pairs;
    svm.biases = matrix_new_at(place, arena, 1, svm.pairs);
    svm.supports = arena_zeros_at(place, arena, count, sizeof *svm.supports);
    svm.duals = arena_alloc_at(place, arena, count, sizeof *svm.duals);
    svm.first = arena_alloc_at(place, arena, count, sizeof *svm.first);
    svm.second = arena_alloc_at(place, arena, count, sizeof *svm.second);
    for (int p = 0; p < svm.pairs; p++) {
        svm.biases.data[p] = pairs[p].bias;
        svm.duals[p] = pairs[p].dual;
        svm.first[p] = pairs[p].a, svm.second[p] = pairs[p].b;
        svm.iterations += pairs[p].iterations;
    }
    collect(place, arena, &svm, x, labels, &sorted, pairs);
    arena_free(work);
    return svm;
}

void svm_predict_at(Place place, int *out, const SvmClasses *svm, Matrix x)
{
    check_columns(place, "svm_predict", x, svm->vectors);
    Arena *work = arena_new();
    Matrix scores = matrix_new(work, x.rows, svm->pairs);
    int *votes = arena_alloc(work, (size_t)svm->classes, sizeof *votes);
    decisions(scores, svm->vectors, svm->weights, svm->biases.data, svm->gamma, x);
    for (int i = 0; i < x.rows; i++) {
        memset(votes, 0, (size_t)svm->classes * sizeof *votes);
        for (int p = 0; p < svm->pairs; p++)
            votes[AT(scores, i, p) > 0.0f ? svm->first[p] : svm->second[p]]++;
        out[i] = 0;
        for (int k = 1; k < svm->classes; k++)
            if (votes[k] > votes[out[i]]) out[i] = k;
    }
    arena_free(work);
}

float svm_gamma_scale_at(Place place, Matrix x)
{
    check_at(place, matrix_size(x) > 0 && all_finite(x), "fill missing values in, or leave their rows out",
             "svm_gamma_scale: x (%d × %d) %s", x.rows, x.cols,
             matrix_size(x) ? "holds NaN or infinity" : "");
    const double centre = mean(x);
    double total = 0.0;
    for (size_t i = 0; i < matrix_size(x); i++)
        total += ((double)x.data[i] - centre) * ((double)x.data[i] - centre);
    const double variance = total / (double)matrix_size(x);
    return variance > 0.0 ? (float)(1.0 / (x.cols * variance)) : 1.0f;
}
