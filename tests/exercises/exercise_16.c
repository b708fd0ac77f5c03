// The exercises of chapter 16, Attention: what each task is tested for, and its points.
// T queries, S keys, d columns of a head. What the answers are compared with is computed here, in double and in the
// plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

typedef struct {
    int t, s, d;
} Size;

static const Size sizes[] = {
    {1, 1, 1}, {1, 3, 2}, {2, 2, 5}, {3, 7, 4}, {9, 9, 3}, {17, 23, 11}, {5, MAX_TIME, MAX_WIDTH}};
enum { SIZES = sizeof sizes / sizeof *sizes };

static Rng rng_of(int task, int size) { return rng_new(16, (uint64_t)(100 * task + size)); }

// ---- The scores of 16.3 and 16.5 --------------------------------------------------------------------------------------

static double *true_scores(Arena *arena, Matrix q, Matrix k)
{
    double *s = doubles(arena, (size_t)q.rows * (size_t)k.rows);
    for (int i = 0; i < q.rows; i++)
        for (int j = 0; j < k.rows; j++) {
            double total = 0.0;
            for (int c = 0; c < q.cols; c++) total += (double)AT(q, i, c) * (double)AT(k, j, c);
            s[i * k.rows + j] = total / sqrt((double)q.cols);
        }
    return s;
}

// ---- TASK 16.1: kernel regression --------------------------------------------------------------------------------

// The weights are made from differences of squares, as the squares themselves may be large.
static double *true_regression(Arena *arena, Matrix q, Matrix k, Matrix v, double width)
{
    double *out = doubles(arena, (size_t)q.rows * (size_t)v.cols);
    for (int i = 0; i < q.rows; i++) {
        double nearest = INFINITY, total = 0.0, square[MAX_TIME];
        for (int j = 0; j < k.rows; j++) {
            square[j] = 0.0;
            for (int c = 0; c < q.cols; c++) {
                double apart = (double)AT(q, i, c) - (double)AT(k, j, c);
                square[j] += apart * apart;
            }
            nearest = fmin(nearest, square[j]);
        }
        for (int c = 0; c < v.cols; c++) out[i * v.cols + c] = 0.0;
        for (int j = 0; j < k.rows; j++) total += exp((nearest - square[j]) / (2.0 * width * width));
        for (int j = 0; j < k.rows; j++)
            for (int c = 0; c < v.cols; c++)
                out[i * v.cols + c] +=
                    exp((nearest - square[j]) / (2.0 * width * width)) / total * (double)AT(v, j, c);
    }
    return out;
}

static void expect_regression(Arena *arena, Matrix q, Matrix k, Matrix v, float width)
{
    Matrix out = rubbish(arena, q.rows, v.cols);
    double *expected = true_regression(arena, q, k, v, (double)width);
    GIVEN(OUT("out", out), IN("q", q), IN("k", k), IN("v", v), NUMBER("width", (double)width));
    kernel_regression(out, q, k, v, width);
    expect_close("out", out, expected, 1e-4);
    EXPECT_UNCHANGED();
}

START_TEST(one_query_between_two_keys_by_hand)
{
    // The squares are 1 and 4. With a width of √(3 / (2 log 3)) = 1.168486 the kernels are as 3 to 1: weights ¾ and ¼.
    float q_values[] = {0}, k_values[] = {1, -2}, v_values[] = {4, 8}, out_values[] = {7};
    Matrix q = matrix_view(1, 1, q_values), k = matrix_view(2, 1, k_values), v = matrix_view(2, 1, v_values),
           out = matrix_view(1, 1, out_values);
    GIVEN(OUT("out", out), IN("q", q), IN("k", k), IN("v", v), NUMBER("width", 1.168486));
    kernel_regression(out, q, k, v, 1.168486f);
    expect_within("out", out, ((double[]){5}), 1e-4);
}
END_TEST

START_TEST(regressions_of_any_size_and_width)
{
    static const float widths[] = {1.0f, 0.5f, 3.0f};
    for (int n = 0; n < SIZES; n++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(1, n);
        Matrix q = random_normal(arena, &rng, sizes[n].t, sizes[n].d),
               k = random_normal(arena, &rng, sizes[n].s, sizes[n].d),
               v = random_normal(arena, &rng, sizes[n].s, sizes[n].d);
        expect_regression(arena, q, k, v, widths[n % 3]);
        arena_free(arena);
    }
}
END_TEST

START_TEST(queries_thousands_of_widths_away)
{
    for (int n = 0; n < SIZES; n++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(1, 50 + n);
        Matrix q = random_normal(arena, &rng, sizes[n].t, sizes[n].d),
               k = random_normal(arena, &rng, sizes[n].s, sizes[n].d),
               v = random_normal(arena, &rng, sizes[n].s, sizes[n].d);
        for (size_t i = 0; i < matrix_size(q); i++) q.data[i] += 30.0f;
        expect_regression(arena, q, k, v, 1.0f / 64.0f);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 16.2: the causal softmax ----------------------------------------------------------------------------

static double *true_weights(Arena *arena, const double *scores, int rows, int cols)
{
    double *p = doubles(arena, (size_t)rows * (size_t)cols);
    for (int i = 0; i < rows; i++) {
        int seen = cols - rows + i + 1;
        const double *s = scores + i * cols;
        double most = -INFINITY, total = 0.0;
        for (int j = 0; j < seen; j++) most = fmax(most, s[j]);
        for (int j = 0; j < seen; j++) total += exp(s[j] - most);
        for (int j = 0; j < cols; j++) p[i * cols + j] = j < seen ? exp(s[j] - most) / total : 0.0;
    }
    return p;
}

static double *widened(Arena *arena, Matrix m)
{
    double *wide = doubles(arena, matrix_size(m));
    for (size_t i = 0; i < matrix_size(m); i++) wide[i] = (double)m.data[i];
    return wide;
}

static void expect_weights(Arena *arena, Matrix s)
{
    Matrix p = rubbish(arena, s.rows, s.cols);
    double *expected = true_weights(arena, widened(arena, s), s.rows, s.cols);
    GIVEN(OUT("p", p), IN("s", s));
    causal_softmax(p, s);
    expect_within("p", p, expected, 1e-5);
    EXPECT_UNCHANGED();
}

START_TEST(three_rows_by_hand)
{
    // log 3 = 1.0986: e^1.0986 = 3. Row 0 sees one key, row 1 two, row 2 all three.
    float s_values[] = {5, 9, 9, 0, 1.0986123f, 9, 1.0986123f, 0, 0},
          p_values[] = {7, 7, 7, 7, 7, 7, 7, 7, 7};
    Matrix s = matrix_view(3, 3, s_values), p = matrix_view(3, 3, p_values);
    GIVEN(OUT("p", p), IN("s", s));
    causal_softmax(p, s);
    expect_within("p", p, ((double[]){1, 0, 0, 0.25, 0.75, 0, 0.6, 0.2, 0.2}), 1e-6);
}
END_TEST

START_TEST(more_keys_than_queries_the_queries_are_the_last)
{
    float s_values[] = {0, 0, 1.0986123f, 0, 9, 0, 0, 0, 0, 1.3862944f}, p_values[10] = {7}; // log 4 = 1.3863
    Matrix s = matrix_view(2, 5, s_values), p = matrix_view(2, 5, p_values);
    GIVEN(OUT("p", p), IN("s", s));
    causal_softmax(p, s);
    expect_within("p", p, ((double[]){1 / 6.0, 1 / 6.0, 0.5, 1 / 6.0, 0, 0.125, 0.125, 0.125, 0.125, 0.5}),
                  1e-6);
}
END_TEST

START_TEST(weights_of_any_size)
{
    for (int n = 0; n < SIZES; n++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(2, n);
        expect_weights(arena, random_normal(arena, &rng, sizes[n].t, sizes[n].s));
        arena_free(arena);
    }
}
END_TEST

START_TEST(scores_of_ten_thousand_and_a_tall_future)
{
    for (int n = 0; n < SIZES; n++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(2, 50 + n);
        Matrix s = random_normal(arena, &rng, sizes[n].t, sizes[n].s);
        for (int i = 0; i < s.rows; i++) {
            int seen = s.cols - s.rows + i + 1;
            for (int j = 0; j < s.cols; j++)
                AT(s, i, j) += j >= seen ? 10000.0f : n % 2 ? -10000.0f : 9000.0f;
            AT(s, i, (i + 1) % seen) += 200.0f; // whoever overlooks it as the largest overflows
        }
        expect_weights(arena, s);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 16.3: several heads -----------------------------------------------------------------------------------

// The head whose first column is `first`, of T rows of q and S rows of k and v: adds nothing, overwrites out's columns.
static void true_head(Arena *arena, double *out, Matrix q, Matrix k, Matrix v, int first, int width)
{
    Matrix head_q = matrix_new(arena, q.rows, width), head_k = matrix_new(arena, k.rows, width);
    for (int i = 0; i < q.rows; i++)
        for (int c = 0; c < width; c++) AT(head_q, i, c) = AT(q, i, first + c);
    for (int j = 0; j < k.rows; j++)
        for (int c = 0; c < width; c++) AT(head_k, j, c) = AT(k, j, first + c);
    double *p = true_weights(arena, true_scores(arena, head_q, head_k), q.rows, k.rows);
    for (int i = 0; i < q.rows; i++)
        for (int c = first; c < first + width; c++) {
            out[i * q.cols + c] = 0.0;
            for (int j = 0; j < k.rows; j++) out[i * q.cols + c] += p[i * k.rows + j] * (double)AT(v, j, c);
        }
}

static void expect_heads(int batch, int time, int heads, int width)
{
    Arena *arena = arena_new();
    Rng rng = rng_of(3, batch * 1000 + time * 100 + heads * 10 + width);
    int rows = batch * time, cols = heads * width;
    Matrix q = random_normal(arena, &rng, rows, cols), k = random_normal(arena, &rng, rows, cols),
           v = random_normal(arena, &rng, rows, cols), out = rubbish(arena, rows, cols);
    double *expected = doubles(arena, matrix_size(out));
    for (int b = 0; b < batch; b++)
        for (int n = 0; n < heads; n++)
            true_head(arena, expected + b * time * cols, matrix_rows(q, b * time, time),
                      matrix_rows(k, b * time, time), matrix_rows(v, b * time, time), n * width, width);
    GIVEN(OUT("out", out), IN("q", q), IN("k", k), IN("v", v), NUMBER("batch", batch),
          NUMBER("heads", heads));
    multi_head_attention(out, q, k, v, batch, heads);
    expect_close("out", out, expected, 1e-4);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(one_head_of_one_sequence_by_hand)
{
    // d = 1. Row 0 sees only itself. Row 1: scores 0 and log 3, weights ¼ and ¾: ¼ · 4 + ¾ · 8 = 7.
    float q_values[] = {2, 1}, k_values[] = {0, 1.0986123f}, v_values[] = {4, 8}, out_values[] = {7, 7};
    Matrix q = matrix_view(2, 1, q_values), k = matrix_view(2, 1, k_values), v = matrix_view(2, 1, v_values),
           out = matrix_view(2, 1, out_values);
    GIVEN(OUT("out", out), IN("q", q), IN("k", k), IN("v", v), NUMBER("batch", 1), NUMBER("heads", 1));
    multi_head_attention(out, q, k, v, 1, 1);
    expect_within("out", out, ((double[]){4, 7}), 1e-5);
}
END_TEST

START_TEST(one_head_of_any_size)
{
    expect_heads(1, 1, 1, 1);
    expect_heads(1, 5, 1, 3);
    expect_heads(1, 19, 1, 8);
}
END_TEST

START_TEST(sequences_of_a_batch_do_not_hear_each_other)
{
    expect_heads(2, 3, 1, 2);
    expect_heads(5, 7, 1, 4);
}
END_TEST

START_TEST(each_head_has_its_own_columns)
{
    expect_heads(1, 4, 2, 2);
    expect_heads(1, 6, 3, 5);
    expect_heads(3, 9, 4, 2);
    expect_heads(2, 33, 3, 7);
}
END_TEST

// ---- TASK 16.4: back through the softmax --------------------------------------------------------------------------

START_TEST(two_rows_of_gradients_by_hand)
{
    // ½ · 4 + ½ · 0 = 2: ½ (4 − 2), ½ (0 − 2). And ¾ · 1 + ¼ · 5 = 2: ¾ (1 − 2), ¼ (5 − 2).
    float d_p_values[] = {4, 0, 1, 5}, p_values[] = {0.5f, 0.5f, 0.75f, 0.25f}, d_s_values[] = {7, 7, 7, 7};
    Matrix d_s = matrix_view(2, 2, d_s_values), d_p = matrix_view(2, 2, d_p_values),
           p = matrix_view(2, 2, p_values);
    GIVEN(OUT("d_s", d_s), IN("d_p", d_p), IN("p", p));
    attention_softmax_gradient(d_s, d_p, p);
    expect_within("d_s", d_s, ((double[]){1, -1, -0.75, 0.75}), 1e-6);
}
END_TEST

// Element by element with the matrix of derivatives d p_l / d s_j.
static double *true_score_gradient(Arena *arena, const double *d_p, const double *p, int rows, int cols)
{
    double *d_s = doubles(arena, (size_t)rows * (size_t)cols);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) {
            d_s[i * cols + j] = 0.0;
            for (int l = 0; l < cols; l++)
                d_s[i * cols + j] +=
                    d_p[i * cols + l] * p[i * cols + l] * ((l == j ? 1.0 : 0.0) - p[i * cols + j]);
        }
    return d_s;
}

START_TEST(gradients_of_scores_of_any_size)
{
    for (int n = 0; n < SIZES; n++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(4, n);
        Size z = sizes[n];
        Matrix s = random_normal(arena, &rng, z.t, z.s), d_p = random_normal(arena, &rng, z.t, z.s);
        Matrix p = matrix_new(arena, z.t, z.s), d_s = rubbish(arena, z.t, z.s);
        double *weights = true_weights(arena, widened(arena, s), z.t, z.s);
        for (size_t i = 0; i < matrix_size(p); i++) p.data[i] = (float)weights[i];
        double *expected = true_score_gradient(arena, widened(arena, d_p), widened(arena, p), z.t, z.s);
        GIVEN(OUT("d_s", d_s), IN("d_p", d_p), IN("p", p));
        attention_softmax_gradient(d_s, d_p, p);
        expect_within("d_s", d_s, expected, 1e-5);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 16.5: the whole way back ----------------------------------------------------------------------------------

static void expect_gradient(Size z, int number)
{
    Arena *arena = arena_new();
    Rng rng = rng_of(5, number);
    Matrix q = random_normal(arena, &rng, z.t, z.d), k = random_normal(arena, &rng, z.s, z.d),
           v = random_normal(arena, &rng, z.s, z.d), d_out = random_normal(arena, &rng, z.t, z.d);
    Matrix d_q = rubbish(arena, z.t, z.d), d_k = rubbish(arena, z.s, z.d), d_v = rubbish(arena, z.s, z.d);
    double *p = true_weights(arena, true_scores(arena, q, k), z.t, z.s);
    double *d_p = doubles(arena, (size_t)(z.t * z.s)), *to_q = doubles(arena, matrix_size(q)),
           *to_k = doubles(arena, matrix_size(k)), *to_v = doubles(arena, matrix_size(v));
    for (size_t i = 0; i < matrix_size(q); i++) to_q[i] = 0.0;
    for (size_t i = 0; i < matrix_size(k); i++) to_k[i] = to_v[i] = 0.0;
    for (int i = 0; i < z.t; i++)
        for (int j = 0; j < z.s; j++) {
            d_p[i * z.s + j] = 0.0;
            for (int c = 0; c < z.d; c++) {
                d_p[i * z.s + j] += (double)AT(d_out, i, c) * (double)AT(v, j, c);
                to_v[j * z.d + c] += p[i * z.s + j] * (double)AT(d_out, i, c);
            }
        }
    double *d_s = true_score_gradient(arena, d_p, p, z.t, z.s), share = 1.0 / sqrt((double)z.d);
    for (int i = 0; i < z.t; i++)
        for (int j = 0; j < z.s; j++)
            for (int c = 0; c < z.d; c++) {
                to_q[i * z.d + c] += share * d_s[i * z.s + j] * (double)AT(k, j, c);
                to_k[j * z.d + c] += share * d_s[i * z.s + j] * (double)AT(q, i, c);
            }
    GIVEN(OUT("d_q", d_q), OUT("d_k", d_k), OUT("d_v", d_v), IN("d_out", d_out), IN("q", q), IN("k", k),
          IN("v", v));
    attention_gradient(d_q, d_k, d_v, d_out, q, k, v);
    expect_within("d_v", d_v, to_v, 1e-4 * fmax(1.0, largest_size(to_v, matrix_size(d_v))));
    expect_within("d_q", d_q, to_q, 1e-4 * fmax(1.0, largest_size(to_q, matrix_size(d_q))));
    expect_within("d_k", d_k, to_k, 1e-4 * fmax(1.0, largest_size(to_k, matrix_size(d_k))));
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(gradients_of_two_rows_by_hand)
{
    // d = 1. Row 0 has the weights 1 and 0, and nothing to choose. Row 1: scores 0 and log 3, weights ¼ and ¾;
    // d_p = {4, 8}, of which the average is 7: d_s = {¼ (4 − 7), ¾ (8 − 7)} = {−¾, ¾}.
    float q_values[] = {2, 1}, k_values[] = {0, 1.0986123f}, v_values[] = {4, 8}, d_out_values[] = {2, 1};
    float got[3][2] = {{7, 7}, {7, 7}, {7, 7}};
    Matrix q = matrix_view(2, 1, q_values), k = matrix_view(2, 1, k_values), v = matrix_view(2, 1, v_values),
           d_out = matrix_view(2, 1, d_out_values);
    Matrix d_q = matrix_view(2, 1, got[0]), d_k = matrix_view(2, 1, got[1]), d_v = matrix_view(2, 1, got[2]);
    GIVEN(OUT("d_q", d_q), OUT("d_k", d_k), OUT("d_v", d_v), IN("d_out", d_out), IN("q", q), IN("k", k),
          IN("v", v));
    attention_gradient(d_q, d_k, d_v, d_out, q, k, v);
    expect_within("d_v", d_v, ((double[]){2.25, 0.75}), 1e-5);
    expect_within("d_q", d_q, ((double[]){0, 0.8239592}), 1e-5); // ¾ log 3
    expect_within("d_k", d_k, ((double[]){-0.75, 0.75}), 1e-5);
}
END_TEST

START_TEST(gradients_of_equal_numbers_of_queries_and_keys)
{
    expect_gradient((Size){1, 1, 1}, 0);
    expect_gradient((Size){2, 2, 3}, 1);
    expect_gradient((Size){7, 7, 4}, 2);
    expect_gradient((Size){21, 21, 9}, 3);
}
END_TEST

START_TEST(gradients_with_more_keys_than_queries)
{
    for (int n = 0; n < SIZES; n++) expect_gradient(sizes[n], 10 + n);
}
END_TEST

// clang-format off
EXERCISE("16-attention",
         {"16.1", 3, one_query_between_two_keys_by_hand},
         {"16.1", 3, regressions_of_any_size_and_width},
         {"16.1", 4, queries_thousands_of_widths_away},
         {"16.2", 5, three_rows_by_hand},
         {"16.2", 5, more_keys_than_queries_the_queries_are_the_last},
         {"16.2", 5, weights_of_any_size},
         {"16.2", 5, scores_of_ten_thousand_and_a_tall_future},
         {"16.3", 5, one_head_of_one_sequence_by_hand},
         {"16.3", 5, one_head_of_any_size},
         {"16.3", 5, sequences_of_a_batch_do_not_hear_each_other},
         {"16.3", 10, each_head_has_its_own_columns},
         {"16.4", 5, two_rows_of_gradients_by_hand},
         {"16.4", 10, gradients_of_scores_of_any_size},
         {"16.5", 5, gradients_of_two_rows_by_hand},
         {"16.5", 10, gradients_of_equal_numbers_of_queries_and_keys},
         {"16.5", 15, gradients_with_more_keys_than_queries})
