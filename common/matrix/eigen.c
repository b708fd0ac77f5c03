// eigen.c: see eigen.h. h is the working copy (n × n) in double precision.
#include "matrix/eigen.h"

#include <math.h>
#include <string.h>

// Brought to a size between ½ and 1 by powers of two, which are exact: then no square overflows or vanishes. *exponent
// receives what was taken; 0 and what is not finite stay.
static Complex brought_near_one(Complex z, int *exponent)
{
    const double most = fmax(fabs(z.re), fabs(z.im));
    *exponent = 0;
    if (isfinite(most)) frexp(most, exponent);
    return (Complex){ldexp(z.re, -*exponent), ldexp(z.im, -*exponent)};
}

Complex complex_over(Complex a, Complex b)
{
    int above, below;
    a = brought_near_one(a, &above), b = brought_near_one(b, &below);
    const double square = b.re * b.re + b.im * b.im;
    const Complex q = {(a.re * b.re + a.im * b.im) / square, (a.im * b.re - a.re * b.im) / square};
    return (Complex){ldexp(q.re, above - below), ldexp(q.im, above - below)};
}

double complex_size(Complex z)
{
    int exponent;
    z = brought_near_one(z, &exponent);
    return ldexp(sqrt(z.re * z.re + z.im * z.im), exponent);
}

// With θ the angle from the nearer end of the real axis, tan(θ/2) = |im| / (|z| + |re|), and a tangent t of any angle
// becomes t / (1 + √(1 + t²)) for half of it. Halved until t < 0.1, the series of the arc tangent does the rest.
double complex_angle(Complex z)
{
    const double pi = 3.14159265358979324;
    int exponent;
    z = brought_near_one(z, &exponent);
    double size = complex_size(z), re = fabs(z.re), im = fabs(z.im);
    if (size == 0.0) return 0.0;
    double t = im / (size + re), series = 0.0;
    for (int halving = 0; halving < 3; halving++) t /= 1.0 + sqrt(1.0 + t * t);
    for (int k = 19; k >= 1; k -= 2) series = 1.0 / k - t * t * series;
    double angle = 16.0 * t * series;
    if (z.re < 0.0) angle = pi - angle;
    return z.im < 0.0 ? -angle : angle;
}

// ---- Eigenvalues --------------------------------------------------------------------------------------------

typedef struct {
    double *h; // (n × n)
    int n;
} Work;

static double *at(Work w, int i, int j) { return w.h + (size_t)i * (size_t)w.n + (size_t)j; }

// Σ |h_ij| beside the diagonal, of row i and of column i
static void sums_beside(Work w, int i, double *row, double *column)
{
    *row = *column = 0.0;
    for (int j = 0; j < w.n; j++) {
        if (j == i) continue;
        *row += fabs(*at(w, i, j));
        *column += fabs(*at(w, j, i));
    }
}

// Row i divided by f, column i multiplied by it: the eigenvalues stay, and so does the diagonal.
static void rescale(Work w, int i, double f)
{
    for (int j = 0; j < w.n; j++) {
        if (j == i) continue;
        *at(w, i, j) /= f;
        *at(w, j, i) *= f;
    }
}

// Rounding is as large as the largest elements, so rows and columns are first made alike in size, by powers of two, which
// round nothing (Parlett and Reinsch, Numerische Mathematik 13, 1969). Beside a column of zeros the row does not count,
// and beside a row of zeros the column: those become 0.
static void balance(Work w)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < w.n; i++) {
            double row, column, f = 1.0, g = 1.0;
            sums_beside(w, i, &row, &column);
            if (row == 0.0 && column == 0.0) continue;
            if (row == 0.0 || column == 0.0) {
                for (int j = 0; j < w.n; j++)
                    if (j != i) *at(w, i, j) = *at(w, j, i) = 0.0;
                changed = true;
                continue;
            }
            for (; column * g < row * 0.5; g *= 4.0) f *= 2.0;
            for (; column * g >= row * 2.0; g *= 0.25) f *= 0.5;
            if ((column * g + row) / f >= 0.95 * (column + row)) continue;
            rescale(w, i, f);
            changed = true;
        }
    }
}

// h ← P h P with P = I − 2 v vᵀ / vᵀv, where P maps v's old value, a column, to a multiple of its first element. v
// (count) belongs to the rows and columns first …; only columns from left on and rows up to bottom are wanted, inside
// low … high. v is overwritten.
static void reflect(Work w, double *v, int first, int count, int left, int bottom, int low, int high)
{
    double square = 0.0;
    for (int k = 0; k < count; k++) square += v[k] * v[k];
    if (square == 0.0) return;
    double old = v[0];
    v[0] += copysign(sqrt(square), old);
    double factor = 2.0 / (square - old * old + v[0] * v[0]);
    for (int j = left; j <= high; j++) {
        double inner = 0.0;
        for (int k = 0; k < count; k++) inner += v[k] * *at(w, first + k, j);
        for (int k = 0; k < count; k++) *at(w, first + k, j) -= factor * inner * v[k];
    }
    for (int i = low; i <= bottom; i++) {
        double inner = 0.0;
        for (int k = 0; k < count; k++) inner += v[k] * *at(w, i, first + k);
        for (int k = 0; k < count; k++) *at(w, i, first + k) -= factor * inner * v[k];
    }
}

// Zeros below the first subdiagonal, column by column.
static void reduce_to_hessenberg(Work w, double *v)
{
    for (int j = 0; j + 2 < w.n; j++) {
        int count = w.n - j - 1;
        for (int k = 0; k < count; k++) v[k] = *at(w, j + 1 + k, j);
        reflect(w, v, j + 1, count, j, w.n - 1, 0, w.n - 1);
        for (int k = 1; k < count; k++) *at(w, j + 1 + k, j) = 0.0;
    }
}

// One step of QR on the rows and columns low … high, with two shifts at once, whose sum and product are given: the
// first column of H² − sum · H + product · I is reflected to one element, and the bulge that this makes is chased down.
static void francis_step(Work w, int low, int high, double sum, double product)
{
    double a = *at(w, low, low), c = *at(w, low + 1, low);
    double v[3] = {a * (a - sum) + *at(w, low, low + 1) * c + product,
                   c * (a + *at(w, low + 1, low + 1) - sum), c * *at(w, low + 2, low + 1)};
    for (int k = low; k < high; k++) {
        int count = int_min(3, high - k + 1);
        for (int i = 0; i < count && k > low; i++) v[i] = *at(w, k + i, k - 1);
        reflect(w, v, k, count, int_max(low, k - 1), int_min(k + 3, high), low, high);
        for (int i = 1; i < count && k > low; i++) *at(w, k + i, k - 1) = 0.0;
    }
}

// The two eigenvalues of the block at i, i + 1. The smaller real one comes from the product: nothing cancels.
static void solve_pair(Complex *values, Work w, int i)
{
    double a = *at(w, i, i), b = *at(w, i, i + 1), c = *at(w, i + 1, i), d = *at(w, i + 1, i + 1);
    double half = 0.5 * (a - d), square = half * half + b * c;
    if (square < 0.0) {
        values[0] = (Complex){0.5 * (a + d), sqrt(-square)};
        values[1] = (Complex){values[0].re, -values[0].im};
    } else {
        double m = half + copysign(sqrt(square), half);
        values[0] = (Complex){d + m, 0.0};
        values[1] = (Complex){m == 0.0 ? d : d - b * c / m, 0.0};
    }
}

// Where the block that ends at high begins: behind the last subdiagonal element that is as good as zero.
static int block_start(Work w, int high, double largest)
{
    for (int k = high; k > 0; k--) {
        double beside = fabs(*at(w, k - 1, k - 1)) + fabs(*at(w, k, k));
        if (fabs(*at(w, k, k - 1)) <= 0x1p-52 * (beside > 0.0 ? beside : largest)) return k;
    }
    return 0;
}

static bool larger(Complex a, Complex b)
{
    double x = complex_size(a), y = complex_size(b);
    return x != y ? x > y : a.re != b.re ? a.re > b.re : a.im > b.im;
}

static void sort_by_size(Complex *values, int n)
{
    for (int i = 1; i < n; i++)
        for (int j = i; j > 0 && larger(values[j], values[j - 1]); j--) {
            Complex other = values[j];
            values[j] = values[j - 1], values[j - 1] = other;
        }
}

void eigenvalues_at(Place place, Complex *values, Matrix m)
{
    check_at(place, m.rows == m.cols && m.rows > 0, "only square matrices have eigenvalues",
             "eigenvalues: the matrix is (%d × %d)", m.rows, m.cols);
    check_at(place, all_finite(m), "look for a division by zero or a run that diverged",
             "eigenvalues: the matrix holds a NaN or an infinity");
    int n = m.rows;
    Arena *arena = arena_new();
    Work w = {arena_alloc(arena, matrix_size(m), sizeof(double)), n};
    float largest = 0.0f;
    for (size_t i = 0; i < matrix_size(m); i++) {
        w.h[i] = (double)m.data[i];
        largest = fmaxf(largest, fabsf(m.data[i]));
    }
    balance(w);
    reduce_to_hessenberg(w, arena_alloc(arena, (size_t)n, sizeof(double)));
    for (int high = n - 1, tries = 0; high >= 0;) {
        int low = block_start(w, high, (double)largest);
        if (low == high) {
            values[high] = (Complex){*at(w, high, high), 0.0};
            high -= 1, tries = 0;
        } else if (low == high - 1) {
            solve_pair(values + low, w, low);
            high -= 2, tries = 0;
        } else {
            check_at(place, ++tries < 300, NULL, "eigenvalues: no convergence in 300 steps (n = %d)", n);
            double a = *at(w, high - 1, high - 1), d = *at(w, high, high);
            double sum = a + d, product = a * d - *at(w, high - 1, high) * *at(w, high, high - 1);
            if (tries % 10 == 0) { // a shift from elsewhere, should the usual one go in circles
                double size = fabs(*at(w, high, high - 1)) + fabs(*at(w, high - 1, high - 2));
                sum = 1.5 * size, product = size * size;
            }
            francis_step(w, low, high, sum, product);
        }
    }
    arena_free(arena);
    sort_by_size(values, n);
}

double spectral_radius_at(Place place, Matrix m)
{
    Arena *arena = arena_new();
    Complex *values = arena_alloc(arena, (size_t)m.rows + 1, sizeof *values);
    eigenvalues_at(place, values, m);
    double radius = complex_size(values[0]);
    arena_free(arena);
    return radius;
}

double eigenvalues_apart(Matrix a, Matrix b)
{
    Arena *arena = arena_new();
    const Matrix matrices[2] = {a, b};
    Complex *values[2];
    for (int k = 0; k < 2; k++) {
        values[k] = arena_alloc(arena, (size_t)matrices[k].rows, sizeof(Complex));
        eigenvalues(values[k], matrices[k]);
    }
    double worst = 0.0;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < matrices[k].rows; i++) {
            double closest = INFINITY;
            for (int j = 0; j < matrices[1 - k].rows; j++)
                closest = fmin(closest, complex_size(complex_minus(values[k][i], values[1 - k][j])));
            if (closest > 0.0) worst = fmax(worst, closest / complex_size(values[k][i]));
        }
    arena_free(arena);
    return worst;
}

// ---- The exponential, companion matrices ----------------------------------------------------------------------

// out = a · b + diagonal, all (n × n) doubles; out is neither of them
static void multiply_square(double *out, const double *a, const double *b, double factor, double diagonal,
                            int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double total = 0.0;
            for (int k = 0; k < n; k++) total += a[i * n + k] * b[k * n + j];
            out[i * n + j] = factor * total + (i == j ? diagonal : 0.0);
        }
}

void matrix_exponential_at(Place place, Matrix e, Matrix m, double t)
{
    check_at(place, m.rows == m.cols && same_shape(e, m), "only square matrices have an exponential",
             "matrix_exponential: (%d × %d) into (%d × %d)", m.rows, m.cols, e.rows, e.cols);
    check_at(place, all_finite(m) && isfinite(t), "look for a division by zero or a run that diverged",
             "matrix_exponential: the matrix or the time %g is not finite", t);
    enum { TERMS = 14, MOST_HALVINGS = 300 };
    int n = m.rows, halvings = 0;
    size_t bytes = matrix_size(m) * sizeof(double);
    Arena *arena = arena_new();
    double *small = arena_alloc(arena, 1, bytes), *result = arena_zeros(arena, 1, bytes),
           *next = arena_alloc(arena, 1, bytes);
    const double norm_of_tm = norm(m) * fabs(t);
    double size = norm_of_tm, scaling = t;
    for (; size > 0.25 && halvings < MOST_HALVINGS; halvings++) size *= 0.5, scaling *= 0.5;
    for (size_t i = 0; i < matrix_size(m); i++) small[i] = scaling * (double)m.data[i];
    for (int i = 0; i < n; i++) result[i * n + i] = 1.0;
    for (int k = TERMS; k >= 1; k--) { // 1 + M (1 + M/2 (1 + M/3 (…)))
        multiply_square(next, small, result, 1.0 / k, 1.0, n);
        memcpy(result, next, bytes);
    }
    for (int k = 0; k < halvings; k++) {
        multiply_square(next, result, result, 1.0, 0.0, n);
        memcpy(result, next, bytes);
    }
    for (size_t i = 0; i < matrix_size(m); i++) e.data[i] = (float)result[i];
    check_at(place, all_finite(e), "take a shorter time or a smaller matrix",
             "matrix_exponential: of t · m with the norm %g, an element is larger than any float",
             norm_of_tm);
    arena_free(arena);
}

Matrix companion_matrix(Arena *arena, const float *w, int n)
{
    Matrix m = matrix_new(arena, n, n);
    memcpy(m.data, w, sizeof(float) * (size_t)n);
    for (int i = 1; i < n; i++) AT(m, i, i - 1) = 1.0f;
    return m;
}
