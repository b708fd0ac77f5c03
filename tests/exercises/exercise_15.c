// The exercises of chapter 15, Graph networks: what each task is tested for, and its points.
// N nodes, C columns. What the answers are compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

typedef struct {
    int n, c;
} Size;

static const Size sizes[] = {{1, 1}, {2, 3}, {5, 2}, {9, 4}, {23, 7}, {MAX_NODES, 5}, {12, MAX_COLUMNS}};
enum { SIZES = sizeof sizes / sizeof *sizes };

static Rng rng_of(int task, int size) { return rng_new(15, (uint64_t)(100 * task + size)); }

// Directed, about three edges for each node, weights from ¼ to 2, some nodes that hear themselves. lonely: node 0 hears
// nobody.
static Matrix random_graph(Arena *arena, Rng *rng, int nodes, bool lonely)
{
    Matrix w = matrix_new(arena, nodes, nodes);
    for (int i = lonely ? 1 : 0; i < nodes; i++) {
        for (int k = 0; k < 3; k++) {
            int j = (int)rng_below(rng, (uint32_t)nodes);
            AT(w, i, j) = 0.25f * (float)(1 + rng_below(rng, 8));
        }
    }
    return w;
}

static double *widened(Arena *arena, Matrix m)
{
    double *wide = doubles(arena, matrix_size(m));
    for (size_t i = 0; i < matrix_size(m); i++) wide[i] = (double)m.data[i];
    return wide;
}

// ---- TASK 15.1: the mean over neighbours --------------------------------------------------------------------------

static double *true_mean(Arena *arena, Matrix w, const double *x, int columns)
{
    double *out = doubles(arena, (size_t)w.rows * (size_t)columns);
    for (int i = 0; i < w.rows; i++)
        for (int c = 0; c < columns; c++) {
            double heard = 0.0, total = 0.0;
            for (int j = 0; j < w.rows; j++) {
                heard += (double)AT(w, i, j) * x[j * columns + c];
                total += (double)AT(w, i, j);
            }
            out[i * columns + c] = total > 0.0 ? heard / total : x[i * columns + c];
        }
    return out;
}

static void expect_mean(Size z, int number, bool lonely)
{
    Arena *arena = arena_new();
    Rng rng = rng_of(1, number);
    Matrix w = random_graph(arena, &rng, z.n, lonely), x = random_normal(arena, &rng, z.n, z.c),
           out = rubbish(arena, z.n, z.c);
    double *expected = true_mean(arena, w, widened(arena, x), z.c);
    GIVEN(OUT("out", out), IN("w", w), IN("x", x));
    neighbour_mean(out, w, x);
    expect_close("out", out, expected, 1e-4);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(three_nodes_by_hand)
{
    // Node 0 hears 1 with weight 1 and 2 with weight 3: (1 · 4 + 3 · 8) / 4 = 7. Node 1 hears itself, node 2 hears 0.
    float w_values[] = {0, 1, 3, 0, 2, 0, 5, 0, 0}, x_values[] = {1, 4, 8}, out_values[] = {9, 9, 9};
    Matrix w = matrix_view(3, 3, w_values), x = matrix_view(3, 1, x_values),
           out = matrix_view(3, 1, out_values);
    GIVEN(OUT("out", out), IN("w", w), IN("x", x));
    neighbour_mean(out, w, x);
    expect_within("out", out, ((double[]){7, 4, 1}), 1e-5);
}
END_TEST

START_TEST(means_of_any_size)
{
    for (int n = 0; n < SIZES; n++) expect_mean(sizes[n], n, false);
}
END_TEST

START_TEST(a_node_that_hears_nobody_keeps_its_row)
{
    for (int n = 0; n < SIZES; n++) expect_mean(sizes[n], 50 + n, true);
}
END_TEST

// ---- TASK 15.2: spreading labels ----------------------------------------------------------------------------------

static void expect_spread(Size z, int number, int steps, bool lonely)
{
    Arena *arena = arena_new();
    Rng rng = rng_of(2, number);
    Matrix w = random_graph(arena, &rng, z.n, lonely), known = matrix_new(arena, z.n, z.c),
           f = rubbish(arena, z.n, z.c);
    const int first = number % 2; // the known nodes: every second one, with node 0 or without
    for (int i = first; i < z.n; i += 2) AT(known, i, (int)rng_below(&rng, (uint32_t)z.c)) = 1.0f;
    double *now = widened(arena, known);
    for (int k = 0; k < steps; k++) {
        now = true_mean(arena, w, now, z.c);
        for (int i = first; i < z.n; i += 2)
            for (int c = 0; c < z.c; c++) now[i * z.c + c] = (double)AT(known, i, c);
    }
    GIVEN(OUT("f", f), IN("w", w), IN("known", known), NUMBER("steps", steps));
    spread_labels(f, w, known, steps);
    expect_within("f", f, now, 1e-4);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(a_path_of_three_by_hand)
{
    // 0 – 1 – 2; node 0 is known. After one step node 1 has ½ (it hears 0 and 2), after two node 2 has ½, and node 1
    // still ½; after three node 1 has ¾.
    float w_values[] = {0, 1, 0, 1, 0, 1, 0, 1, 0}, known_values[] = {1, 0, 0}, f_values[] = {9, 9, 9};
    Matrix w = matrix_view(3, 3, w_values), known = matrix_view(3, 1, known_values),
           f = matrix_view(3, 1, f_values);
    GIVEN(OUT("f", f), IN("w", w), IN("known", known), NUMBER("steps", 3));
    spread_labels(f, w, known, 3);
    expect_within("f", f, ((double[]){1, 0.75, 0.5}), 1e-5);
}
END_TEST

START_TEST(no_steps_leave_what_is_known)
{
    for (int n = 0; n < SIZES; n++) expect_spread(sizes[n], n, 0, false);
}
END_TEST

START_TEST(labels_spread_for_many_steps)
{
    for (int n = 0; n < SIZES; n++) {
        expect_spread(sizes[n], 50 + n, 1, false);
        expect_spread(sizes[n], 60 + n, 2, true);
        expect_spread(sizes[n], 70 + n, 7, false);
    }
}
END_TEST

// ---- TASK 15.3: the maximum ----------------------------------------------------------------------------------------

static void true_maximum(double *out, double *source, Matrix w, Matrix x)
{
    for (int i = 0; i < w.rows; i++)
        for (int c = 0; c < x.cols; c++) {
            double most = -INFINITY, from = -1.0;
            for (int j = w.rows - 1; j >= 0; j--)
                if (AT(w, i, j) > 0.0f && (double)AT(x, j, c) >= most) most = (double)AT(x, j, c), from = j;
            out[i * x.cols + c] = from < 0.0 ? 0.0 : most;
            source[i * x.cols + c] = from;
        }
}

// move: added to all of x; steps: x is rounded to whole numbers, so that many are equal
static void expect_maximum(Size z, int number, float move, bool whole)
{
    Arena *arena = arena_new();
    Rng rng = rng_of(3, number);
    Matrix w = random_graph(arena, &rng, z.n, z.n > 1), x = random_normal(arena, &rng, z.n, z.c),
           out = rubbish(arena, z.n, z.c), source = rubbish(arena, z.n, z.c);
    for (size_t i = 0; i < matrix_size(x); i++) x.data[i] = (whole ? roundf(x.data[i]) : x.data[i]) + move;
    double *most = doubles(arena, matrix_size(x)), *from = doubles(arena, matrix_size(x));
    true_maximum(most, from, w, x);
    GIVEN(OUT("out", out), OUT("source", source), IN("w", w), IN("x", x));
    neighbour_maximum(out, source, w, x);
    expect_within("out", out, most, 0.0);
    expect_within("source", source, from, 0.0);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(maxima_of_three_nodes_by_hand)
{
    // Node 0 hears 1 and 2, node 1 hears 2, node 2 nobody.
    float w_values[] = {0, 0.5f, 0.1f, 0, 0, 1, 0, 0, 0}, x_values[] = {9, -4, -3},
          got[2][3] = {{7, 7, 7}, {7, 7, 7}};
    Matrix w = matrix_view(3, 3, w_values), x = matrix_view(3, 1, x_values), out = matrix_view(3, 1, got[0]),
           source = matrix_view(3, 1, got[1]);
    GIVEN(OUT("out", out), OUT("source", source), IN("w", w), IN("x", x));
    neighbour_maximum(out, source, w, x);
    expect_within("out", out, ((double[]){-3, -3, 0}), 0.0);
    expect_within("source", source, ((double[]){2, 2, -1}), 0.0);
}
END_TEST

START_TEST(maxima_of_any_size)
{
    for (int n = 0; n < SIZES; n++) expect_maximum(sizes[n], n, 0.0f, false);
}
END_TEST

START_TEST(all_numbers_negative)
{
    for (int n = 0; n < SIZES; n++) expect_maximum(sizes[n], 50 + n, -20.0f, false);
}
END_TEST

START_TEST(of_equal_numbers_the_first)
{
    for (int n = 0; n < SIZES; n++) expect_maximum(sizes[n], 60 + n, 0.0f, true);
}
END_TEST

// ---- TASK 15.4: the way back of the maximum --------------------------------------------------------------------------

START_TEST(gradients_of_three_nodes_by_hand)
{
    // Nodes 0 and 1 took their number from node 2, which receives from both; node 2 heard nobody.
    float source_values[] = {2, 2, -1}, d_out_values[] = {5, 3, 11}, got[] = {7, 7, 7};
    Matrix source = matrix_view(3, 1, source_values), d_out = matrix_view(3, 1, d_out_values),
           d_x = matrix_view(3, 1, got);
    GIVEN(OUT("d_x", d_x), IN("d_out", d_out), IN("source", source));
    neighbour_maximum_gradient(d_x, d_out, source);
    expect_within("d_x", d_x, ((double[]){0, 0, 8}), 1e-6);
}
END_TEST

START_TEST(gradients_of_any_size)
{
    for (int n = 0; n < SIZES; n++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(4, n);
        Size z = sizes[n];
        Matrix source = matrix_new(arena, z.n, z.c), d_out = random_normal(arena, &rng, z.n, z.c),
               d_x = rubbish(arena, z.n, z.c);
        double *expected = doubles(arena, matrix_size(d_x));
        for (size_t i = 0; i < matrix_size(d_x); i++) expected[i] = 0.0;
        for (int i = 0; i < z.n; i++)
            for (int c = 0; c < z.c; c++) {
                int from = (int)rng_below(&rng, (uint32_t)z.n + 1) - 1;
                AT(source, i, c) = (float)from;
                if (from >= 0) expected[from * z.c + c] += (double)AT(d_out, i, c);
            }
        GIVEN(OUT("d_x", d_x), IN("d_out", d_out), IN("source", source));
        neighbour_maximum_gradient(d_x, d_out, source);
        expect_within("d_x", d_x, expected, 1e-4);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 15.5: attention over a graph ---------------------------------------------------------------------------------

static double *true_attention(Arena *arena, Matrix w, Matrix s, Matrix v)
{
    double *out = doubles(arena, matrix_size(v));
    for (size_t i = 0; i < matrix_size(v); i++) out[i] = 0.0;
    for (int i = 0; i < w.rows; i++) {
        double most = -INFINITY, total = 0.0;
        for (int j = 0; j < w.rows; j++)
            if (AT(w, i, j) > 0.0f) most = fmax(most, (double)AT(s, i, j));
        for (int j = 0; j < w.rows; j++)
            if (AT(w, i, j) > 0.0f) total += exp((double)AT(s, i, j) - most);
        for (int j = 0; j < w.rows; j++)
            for (int c = 0; c < v.cols && AT(w, i, j) > 0.0f; c++)
                out[i * v.cols + c] += exp((double)AT(s, i, j) - most) / total * (double)AT(v, j, c);
    }
    return out;
}

// heard, unheard: added to the scores of those
static void expect_attention(Size z, int number, float heard, float unheard)
{
    Arena *arena = arena_new();
    Rng rng = rng_of(5, number);
    Matrix w = random_graph(arena, &rng, z.n, z.n > 1), s = random_normal(arena, &rng, z.n, z.n),
           v = random_normal(arena, &rng, z.n, z.c), out = rubbish(arena, z.n, z.c);
    for (size_t i = 0; i < matrix_size(s); i++) s.data[i] += w.data[i] > 0.0f ? heard : unheard;
    double *expected = true_attention(arena, w, s, v);
    GIVEN(OUT("out", out), IN("w", w), IN("s", s), IN("v", v));
    graph_attention(out, w, s, v);
    expect_within("out", out, expected, 1e-4);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(attention_of_three_nodes_by_hand)
{
    // Node 0 hears 1 and 2 with scores 0 and log 3: ¼ · 4 + ¾ · 8 = 7. Node 1 hears itself, node 2 nobody.
    float w_values[] = {0, 2, 0.5f, 0, 1, 0, 0, 0, 0}, s_values[] = {5, 0, 1.0986123f, 3, -2, 3, 1, 1, 1};
    float v_values[] = {1, 4, 8}, got[] = {9, 9, 9};
    Matrix w = matrix_view(3, 3, w_values), s = matrix_view(3, 3, s_values), v = matrix_view(3, 1, v_values),
           out = matrix_view(3, 1, got);
    GIVEN(OUT("out", out), IN("w", w), IN("s", s), IN("v", v));
    graph_attention(out, w, s, v);
    expect_within("out", out, ((double[]){7, 4, 0}), 1e-5);
}
END_TEST

START_TEST(attention_of_any_size)
{
    for (int n = 0; n < SIZES; n++) expect_attention(sizes[n], n, 0.0f, 0.0f);
}
END_TEST

START_TEST(scores_of_ten_thousand)
{
    for (int n = 0; n < SIZES; n++) {
        expect_attention(sizes[n], 50 + n, 9990.0f, 0.0f);
        expect_attention(sizes[n], 60 + n, -9990.0f, 9990.0f);
    }
}
END_TEST

// clang-format off
EXERCISE("15-gnn",
         {"15.1", 5, three_nodes_by_hand},
         {"15.1", 5, means_of_any_size},
         {"15.1", 5, a_node_that_hears_nobody_keeps_its_row},
         {"15.2", 5, a_path_of_three_by_hand},
         {"15.2", 5, no_steps_leave_what_is_known},
         {"15.2", 10, labels_spread_for_many_steps},
         {"15.3", 5, maxima_of_three_nodes_by_hand},
         {"15.3", 5, maxima_of_any_size},
         {"15.3", 5, all_numbers_negative},
         {"15.3", 5, of_equal_numbers_the_first},
         {"15.4", 5, gradients_of_three_nodes_by_hand},
         {"15.4", 10, gradients_of_any_size},
         {"15.5", 5, attention_of_three_nodes_by_hand},
         {"15.5", 10, attention_of_any_size},
         {"15.5", 15, scores_of_ten_thousand})
