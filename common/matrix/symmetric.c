// symmetric.c: see symmetric.h.
#include "matrix/symmetric.h"
#include "base/parallel.h"

#include <math.h>
#include <string.h>

// ---- All of them ------------------------------------------------------------------------------------------

static double *row_of(double *m, int n, int i) { return m + (size_t)i * (size_t)n; }

enum { WAYS = 8 }; // sums beside each other, so that they become vectors

static double sum_ways(const double total[WAYS])
{
    return ((total[0] + total[4]) + (total[2] + total[6])) + ((total[1] + total[5]) + (total[3] + total[7]));
}

static double dot_product(const double *a, const double *b, int count)
{
    double total[WAYS] = {0};
    int j = 0;
    for (; j + WAYS <= count; j += WAYS)
        for (int l = 0; l < WAYS; l++) total[l] += a[j + l] * b[j + l];
    for (int l = 0; j < count; j++, l++) total[l] += a[j] * b[j];
    return sum_ways(total);
}

static void add_multiple(double *to, double factor, const double *from, int count)
{
    for (int j = 0; j < count; j++) to[j] += factor * from[j];
}

// Row r of A ← A − v pᵀ − p vᵀ, up to the diagonal
static void subtract_from_row(double *restrict row, const double *v, const double *p, int r)
{
    const double a = v[r], b = p[r];
    for (int j = 0; j <= r; j++) row[j] -= a * p[j] + b * v[j];
}

// The same, and at once what this row, and the column that equals it, give to q = A w. Most of the time goes by with bringing A
// from memory, so a step should read it once.
static void pass_row(double *restrict row, const double *v, const double *p, int r, const double *w,
                     double *restrict q)
{
    const double a = v[r], b = p[r], c = w[r];
    double total[WAYS] = {0};
    int j = 0;
    for (; j + WAYS <= r; j += WAYS)
        for (int l = 0; l < WAYS; l++) {
            const double x = row[j + l] - (a * p[j + l] + b * v[j + l]);
            row[j + l] = x;
            total[l] += x * w[j + l];
            q[j + l] += c * x;
        }
    for (int l = 0; j <= r; j++, l++) {
        row[j] -= a * p[j] + b * v[j];
        total[l] += row[j] * w[j];
        if (j < r) q[j] += c * row[j];
    }
    q[r] += sum_ways(total);
}

// v, the beginning of row i, is to be reflected to one element beside the diagonal, which is returned: P = I − v vᵀ / h. h = 0:
// it is so already.
static double find_reflection(double *v, int i, double *h)
{
    double size = 0.0;
    for (int j = 0; j < i; j++) size = fmax(size, fabs(v[j]));
    *h = 0.0;
    double rest = 0.0;
    for (int j = 0; j + 1 < i; j++) rest = fmax(rest, fabs(v[j]));
    if (rest == 0.0) return v[i - 1];
    for (int j = 0; j < i; j++) v[j] /= size;
    const double square = dot_product(v, v, i), length = copysign(sqrt(square), v[i - 1]);
    *h = square + length * v[i - 1];
    v[i - 1] += length;
    return -length * size;
}

// Row after row from the last, A, the rows before it, becomes P A P = A − v pᵀ − p vᵀ with q = A v / h and
// p = q − (qᵀv / 2h) v. m keeps each v in its row, halves [n] the h; what is left of m are diagonal [n] and beside [n], of which
// beside[i] stands at (i + 1, i). beside[n − 1] is 0.
static void reduce_to_three_diagonals(Arena *arena, double *m, int n, double *diagonal, double *beside,
                                      double *halves)
{
    const double *none = arena_zeros(arena, (size_t)n, sizeof *none), *v = none; // the vector before
    double *p = arena_zeros(arena, (size_t)n, sizeof *p), *q = arena_zeros(arena, (size_t)n, sizeof *q);
    for (int i = n - 1; i > 0; i--) {
        double *row = row_of(m, n, i);
        subtract_from_row(row, v, p, i);
        diagonal[i] = row[i];
        beside[i - 1] = find_reflection(row, i, &halves[i]);
        const double *w = halves[i] == 0.0 ? none : row;
        memset(q, 0, (size_t)i * sizeof *q);
        for (int r = 0; r < i; r++) pass_row(row_of(m, n, r), v, p, r, w, q);
        v = w;
        if (w == none) {
            memset(p, 0, (size_t)i * sizeof *p);
            continue;
        }
        for (int j = 0; j < i; j++) q[j] /= halves[i];
        add_multiple(q, -dot_product(q, w, i) / (2.0 * halves[i]), w, i);
        double *other = p;
        p = q, q = other;
    }
    diagonal[0] = m[0];
    beside[n - 1] = halves[0] = 0.0;
}

typedef struct {
    double c, s;
} Rotation;

static double hypotenuse(double a, double b)
{
    const double x = fmax(fabs(a), fabs(b)), y = fmin(fabs(a), fabs(b));
    return x == 0.0 ? 0.0 : x * sqrt(1.0 + (y / x) * (y / x));
}

// Where the block that begins at low ends: before the first element beside the diagonal that is as good as zero.
static int block_end(const double *diagonal, const double *beside, double least, int low, int n)
{
    for (int end = low; end + 1 < n; end++) {
        const double neighbours = fabs(diagonal[end]) + fabs(diagonal[end + 1]);
        if (fabs(beside[end]) <= fmax(least, 0x1p-53 * neighbours)) return end;
    }
    return n - 1;
}

// One implicit QL step on low … end, with the eigenvalue of the first two rows as its shift. rotations[i] mixes i and
// i + 1. Returns the lowest i that was rotated.
static int ql_step(double *diagonal, double *beside, int low, int end, Rotation *rotations)
{
    const double half = (diagonal[low + 1] - diagonal[low]) / (2.0 * beside[low]);
    double shifted =
        diagonal[end] - diagonal[low] + beside[low] / (half + copysign(hypotenuse(half, 1.0), half));
    double s = 1.0, c = 1.0, carried = 0.0;
    for (int i = end - 1; i >= low; i--) {
        const double f = s * beside[i], b = c * beside[i], r = hypotenuse(f, shifted);
        beside[i + 1] = i + 1 < end ? r : 0.0;
        if (r == 0.0) { // the block falls apart here
            diagonal[i + 1] -= carried;
            return i + 1;
        }
        s = f / r, c = shifted / r;
        shifted = diagonal[i + 1] - carried;
        const double t = (diagonal[i] - shifted) * s + 2.0 * c * b;
        carried = s * t;
        diagonal[i + 1] = shifted + carried;
        shifted = c * t - b;
        rotations[i] = (Rotation){c, s};
    }
    diagonal[low] -= carried;
    beside[low] = shifted;
    return low;
}

// The rows low … end of z (n × n), of which each thread takes some columns
static void rotate_rows(double *z, int n, int low, int end, const Rotation *rotations)
{
    enum { COLUMNS = 64 };
#pragma omp parallel for if (parallel_worth((size_t)(end - low) * (size_t)n))
    for (int first = 0; first < n; first += COLUMNS) {
        const int count = int_min(COLUMNS, n - first);
        for (int i = end - 1; i >= low; i--) {
            const Rotation r = rotations[i];
            double *a = row_of(z, n, i) + first, *b = row_of(z, n, i + 1) + first;
            for (int j = 0; j < count; j++) {
                const double old = b[j];
                b[j] = r.s * a[j] + r.c * old;
                a[j] = r.c * a[j] - r.s * old;
            }
        }
    }
}

// diagonal becomes the eigenvalues, in any order; the rows of z (n × n; NULL: none), which began as the unit matrix, the
// vectors of the matrix of three diagonals.
static void solve_three_diagonals(Place place, double *diagonal, double *beside, double *z, int n,
                                  Rotation *rotations)
{
    double largest = 0.0;
    for (int i = 0; i < n; i++) largest = fmax(largest, fmax(fabs(diagonal[i]), fabs(beside[i])));
    for (int low = 0, tries = 0; low < n;) {
        const int end = block_end(diagonal, beside, 0x1p-55 * largest, low, n);
        if (end == low) {
            low++, tries = 0;
            continue;
        }
        check_at(place, ++tries < 100, NULL, "symmetric_eigen: no convergence in 100 steps (n = %d)", n);
        const int lowest = ql_step(diagonal, beside, low, end, rotations);
        if (z) rotate_rows(z, n, lowest, end, rotations);
    }
}

// ---- A few vectors ------------------------------------------------------------------------------------------

// A matrix of three diagonals, of which beside[i] stands at (i + 1, i) and (i, i + 1); beside[n − 1] is 0.
typedef struct {
    const double *diagonal, *beside;
    int n;
    double size;  // its largest element; 1 for zeros
    double *rows; // (n × 3): scratch
} ThreeDiagonals;

static double away_from_zero(double x, double least) { return fabs(x) < least ? copysign(least, x) : x; }

// x ← (T − λ)⁻¹ x · any factor, by elimination with exchange of rows. A pivot of 0 is made a little more.
static void solve_shifted(double *x, ThreeDiagonals t, double lambda)
{
    const int n = t.n;
    const double least = 0x1p-53 * t.size;
    double pivot = t.diagonal[0] - lambda, next = t.beside[0];
    for (int i = 0; i + 1 < n; i++) {
        const double below = t.beside[i], diagonal = t.diagonal[i + 1] - lambda, after = t.beside[i + 1];
        double *row = t.rows + 3 * (size_t)i;
        if (fabs(below) > fabs(pivot)) {
            const double factor = pivot / below, other = x[i];
            row[0] = below, row[1] = diagonal, row[2] = after;
            x[i] = x[i + 1];
            x[i + 1] = other - factor * x[i];
            pivot = next - factor * diagonal;
            next = -factor * after;
        } else {
            row[0] = away_from_zero(pivot, least), row[1] = next, row[2] = 0.0;
            const double factor = below / row[0];
            x[i + 1] -= factor * x[i];
            pivot = diagonal - factor * next;
            next = after;
        }
    }
    x[n - 1] /= away_from_zero(pivot, least);
    for (int i = n - 2; i >= 0; i--) {
        const double *row = t.rows + 3 * (size_t)i;
        x[i] = (x[i] - row[1] * x[i + 1] - (i + 2 < n ? row[2] * x[i + 2] : 0.0)) / row[0];
        if (fabs(x[i]) < 1e200) continue;
        for (int j = i; j < n; j++) x[j] *= 1e-200; // before anything is too large for a double
    }
}

// x ← x without its part along the count rows of others, at length 1
static void orthonormalise(double *x, const double *others, int count, int n)
{
    double size = 0.0;
    for (int j = 0; j < n; j++) size = fmax(size, fabs(x[j]));
    for (int j = 0; j < n; j++) x[j] /= size;
    for (int round = 0; round < 2; round++) { // once is not enough when little is left
        for (int i = 0; i < count; i++) {
            const double *other = others + (size_t)i * (size_t)n;
            add_multiple(x, -dot_product(other, x, n), other, n);
        }
        const double length = sqrt(dot_product(x, x, n));
        for (int j = 0; j < n; j++) x[j] /= length;
    }
}

static double largest_residual(const double *x, ThreeDiagonals t, double lambda)
{
    double most = 0.0;
    for (int i = 0; i < t.n; i++) {
        double product = (t.diagonal[i] - lambda) * x[i];
        if (i > 0) product += t.beside[i - 1] * x[i - 1];
        if (i + 1 < t.n) product += t.beside[i] * x[i + 1];
        most = fmax(most, fabs(product));
    }
    return most;
}

// z (count × n) ← the vectors of T for these values, by inverse iteration from random starts (Peters and Wilkinson, SIAM
// Review 21, 1979), each kept orthogonal to those before, so that close and equal values get vectors of their own. Two
// rounds do.
static void iterate_inversely(Place place, double *z, const double *values, ThreeDiagonals t, int count)
{
    enum { MOST_ROUNDS = 20 };
    Rng rng = rng_new(1, 0);
    for (int i = 0; i < count; i++) {
        double *x = z + (size_t)i * (size_t)t.n;
        for (int j = 0; j < t.n; j++) x[j] = (double)rng_between(&rng, -1.0f, 1.0f);
        int round = 0;
        for (bool found = false; !found; round++) {
            check_at(place, round < MOST_ROUNDS, "symmetric_eigen finds all of them in another way",
                     "symmetric_largest: vector %d of %d has not come out in %d rounds (n = %d)", i, count,
                     round, t.n);
            solve_shifted(x, t, values[i]);
            orthonormalise(x, z, i, t.n);
            found = round > 0 && largest_residual(x, t, values[i]) <= 0x1p-44 * t.size;
        }
    }
}

// ---- The whole way ------------------------------------------------------------------------------------------

// x ← Q x, the reflections one after the other
static void undo_reflections(double *x, const double *m, int n, const double *halves)
{
    for (int i = 1; i < n; i++) {
        if (halves[i] == 0.0) continue;
        const double *v = m + (size_t)i * (size_t)n;
        add_multiple(x, -dot_product(v, x, i) / halves[i], v, i);
    }
}

// The first element that is, but for rounding, of the largest size becomes positive.
static void fix_sign(double *v, int n)
{
    double most = 0.0;
    for (int j = 0; j < n; j++) most = fmax(most, fabs(v[j]));
    int first = 0;
    while (first < n && fabs(v[first]) < (1.0 - 0x1p-16) * most) first++;
    if (first == n || v[first] >= 0.0) return;
    for (int j = 0; j < n; j++) v[j] = -v[j];
}

// order [n] ← which value is the largest, the second, …; of equal ones, the first
static void sort_values(int *order, const double *values, int n)
{
    for (int i = 0; i < n; i++) {
        int at = i;
        for (; at > 0 && values[order[at - 1]] < values[i]; at--) order[at] = order[at - 1];
        order[at] = i;
    }
}

static double *unit_matrix(Arena *arena, size_t n)
{
    double *z = arena_zeros(arena, n * n, sizeof *z);
    for (size_t i = 0; i < n; i++) z[i * n + i] = 1.0;
    return z;
}

static ThreeDiagonals three_diagonals(Arena *arena, const double *diagonal, const double *beside, int n)
{
    ThreeDiagonals t = {diagonal, beside, n, 0.0, arena_alloc(arena, (size_t)n, 3 * sizeof(double))};
    for (int i = 0; i < n; i++) t.size = fmax(t.size, fmax(fabs(diagonal[i]), fabs(beside[i])));
    if (t.size == 0.0) t.size = 1.0;
    return t;
}

// The count largest. m (n × n), of which the lower triangle is right, is overwritten. The values come all at once; many
// vectors along with them, a few by inverse iteration.
static void solve_whole(Place place, double *values, double *vectors, double *m, int n, int count)
{
    Arena *arena = arena_new();
    const size_t length = (size_t)n;
    double *parts[5];
    for (int i = 0; i < 5; i++) parts[i] = arena_alloc(arena, length, sizeof(double));
    double *diagonal = parts[0], *beside = parts[1], *halves = parts[2], *all = parts[3], *rest = parts[4];
    reduce_to_three_diagonals(arena, m, n, diagonal, beside, halves);
    memcpy(all, diagonal, length * sizeof *all);
    memcpy(rest, beside, length * sizeof *rest);
    const bool few = 2 * count <= n;
    double *z = vectors && !few ? unit_matrix(arena, length) : NULL;
    solve_three_diagonals(place, all, rest, z, n, arena_alloc(arena, length, sizeof(Rotation)));
    int *order = arena_alloc(arena, length, sizeof *order);
    sort_values(order, all, n);
    for (int i = 0; i < count; i++) values[i] = all[order[i]];
    if (vectors && few)
        iterate_inversely(place, vectors, values, three_diagonals(arena, diagonal, beside, n), count);
    PARALLEL_FOR(parallel_worth((size_t)count * length * length), i, (vectors ? count : 0), {
        double *v = vectors + (size_t)i * length;
        if (z) memcpy(v, z + (size_t)order[i] * length, length * sizeof *v);
        undo_reflections(v, m, n, halves);
        fix_sign(v, n);
    });
    arena_free(arena);
}

// ---- Floats and doubles -----------------------------------------------------------------------------------

void symmetric_largest_of_doubles_at(Place place, double *values, double *vectors, const double *m, int n,
                                     int count)
{
    check_at(place, n > 0 && count > 0 && count <= n, "there are as many as rows",
             "symmetric_largest_of_doubles: %d eigenvalues of a matrix (%d × %d)", count, n, n);
    Arena *arena = arena_new();
    double *copied = arena_alloc(arena, size_product(place, (size_t)n, (size_t)n), sizeof *copied);
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            const size_t at = (size_t)i * (size_t)n + (size_t)j;
            check_at(place, isfinite(m[at]), "look for a division by zero or a run that diverged",
                     "symmetric_largest_of_doubles: element (%d, %d) is not finite", i, j);
            copied[at] = m[at];
        }
    solve_whole(place, values, vectors, copied, n, count);
    arena_free(arena);
}

static void solve(Place place, const char *name, double *values, Matrix vectors, Matrix m, int count)
{
    check_at(place, m.rows == m.cols && m.rows > 0, "only a square matrix is symmetric",
             "%s: the matrix is (%d × %d)", name, m.rows, m.cols);
    check_at(place, count > 0 && count <= m.rows, "there are as many as rows",
             "%s: %d eigenvalues of a matrix (%d × %d)", name, count, m.rows, m.cols);
    check_at(place, !vectors.data || (vectors.rows == count && vectors.cols == m.cols),
             "vectors is (count × n), one vector a row", "%s: vectors is (%d × %d), not (%d × %d)", name,
             vectors.rows, vectors.cols, count, m.cols);
    check_at(place, all_finite(m), "look for a division by zero or a run that diverged",
             "%s: the matrix holds a NaN or an infinity", name);
    Arena *arena = arena_new();
    const size_t size = matrix_size(m), wanted = (size_t)count * (size_t)m.cols;
    double *copied = arena_alloc_at(place, arena, size, sizeof *copied),
           *found = vectors.data ? arena_alloc_at(place, arena, wanted, sizeof *found) : NULL;
    for (size_t i = 0; i < size; i++) copied[i] = (double)m.data[i];
    solve_whole(place, values, found, copied, m.rows, count);
    for (size_t i = 0; found && i < wanted; i++) vectors.data[i] = (float)found[i];
    arena_free(arena);
}

void symmetric_eigen_at(Place place, double *values, Matrix vectors, Matrix m)
{
    solve(place, "symmetric_eigen", values, vectors, m, m.rows);
}

void symmetric_largest_at(Place place, double *values, Matrix vectors, Matrix m, int count)
{
    solve(place, "symmetric_largest", values, vectors, m, count);
}
