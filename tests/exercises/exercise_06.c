// The exercises of chapter 6, MLP and backpropagation: what each task is tested for, and its points.
// N examples, D inputs, H hidden units, K classes. What the answers are compared with is computed here, in double and in
// the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

typedef struct {
    int n, d, h, k;
} Sizes;

// Sizes that a loop with a wrong bound does not survive; the small ones first, because a message shows them whole.
static const Sizes sizes[] = {{1, 1, 1, 1}, {2, 1, 3, 2}, {1, 4, 2, 3},          {3, 2, 5, 4},
                              {7, 5, 1, 2}, {5, 3, 4, 1}, {17, 9, MAX_UNITS, 7}, {23, 6, 11, MAX_UNITS}};
enum { SIZES = sizeof sizes / sizeof *sizes };

// The class of each example, in an uneven order.
static Matrix some_labels(Arena *arena, int n, int classes)
{
    Matrix labels = matrix_new(arena, n, 1);
    for (int i = 0; i < n; i++) labels.data[i] = (float)((i * i + 2 * i + 1) % classes);
    return labels;
}

// ---- TASK 6.1: the hidden layer ---------------------------------------------------------------------------

START_TEST(a_hidden_layer_computed_by_hand)
{
    float x_values[] = {1, 2, -1, 0.5f}, w_values[] = {1, 0, -2, 3, -1, 1}, b_values[] = {0.5f, 0, -1};
    float h_values[] = {7, 7, 7, 7, 7, 7}; // to be overwritten
    Matrix h = matrix_view(2, 3, h_values), x = matrix_view(2, 2, x_values);
    Matrix w = matrix_view(2, 3, w_values), b = matrix_view(1, 3, b_values);
    GIVEN(OUT("h", h), IN("x", x), IN("w", w), IN("b", b));
    mlp_hidden(h, x, w, b);
    expect_within("h", h, ((double[]){7.5, 0, 0, 1.0, 0, 1.5}), 1e-5);
}
END_TEST

START_TEST(the_hidden_layer_is_right_for_any_size)
{
    for (int s = 0; s < SIZES; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(1, (uint64_t)s);
        Sizes z = sizes[s];
        Matrix x = random_normal(arena, &rng, z.n, z.d), w = random_normal(arena, &rng, z.d, z.h);
        Matrix b = random_normal(arena, &rng, 1, z.h), h = rubbish(arena, z.n, z.h);
        double *expected = doubles(arena, matrix_size(h));
        for (int i = 0; i < z.n; i++)
            for (int u = 0; u < z.h; u++) {
                double a = (double)b.data[u];
                for (int j = 0; j < z.d; j++) a += (double)AT(x, i, j) * (double)AT(w, j, u);
                expected[i * z.h + u] = fmax(0.0, a);
            }
        GIVEN(OUT("h", h), IN("x", x), IN("w", w), IN("b", b));
        mlp_hidden(h, x, w, b);
        expect_within("h", h, expected, 2e-5);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

START_TEST(without_inputs_the_bias_alone_bends)
{
    float b_values[] = {-2, 3, 0, 1e-3f}, x_values[] = {0}, w_values[] = {5, -5, 5, 5},
          h_values[] = {7, 7, 7, 7};
    Matrix h = matrix_view(1, 4, h_values), x = matrix_view(1, 1, x_values);
    Matrix w = matrix_view(1, 4, w_values), b = matrix_view(1, 4, b_values);
    GIVEN(OUT("h", h), IN("x", x), IN("w", w), IN("b", b));
    mlp_hidden(h, x, w, b);
    expect_within("h", h, ((double[]){0, 3, 0, 1e-3}), 1e-7);
}
END_TEST

// ---- TASK 6.2: the gradient at the output -----------------------------------------------------------------

static void true_output_gradient(double *d_z, const double *z, Matrix labels, int classes)
{
    for (int i = 0; i < labels.rows; i++)
        for (int k = 0; k < classes; k++) {
            double total = 0.0; // 1 / p
            for (int j = 0; j < classes; j++) total += exp(z[i * classes + j] - z[i * classes + k]);
            double truth = (int)labels.data[i] == k ? 1.0 : 0.0;
            d_z[i * classes + k] = (1.0 / total - truth) / labels.rows;
        }
}

static double *widened(Arena *arena, Matrix m)
{
    double *wide = doubles(arena, matrix_size(m));
    for (size_t i = 0; i < matrix_size(m); i++) wide[i] = (double)m.data[i];
    return wide;
}

// Scores of this deviation, all shifted.
static void expect_output_gradient(int n, int classes, float deviation, float shift)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(2, (uint64_t)(100 * n + classes));
    Matrix z = matrix_new(arena, n, classes), labels = some_labels(arena, n, classes);
    Matrix d_z = rubbish(arena, n, classes);
    fill_normal(z, &rng, shift, deviation);
    double *expected = doubles(arena, matrix_size(z));
    true_output_gradient(expected, widened(arena, z), labels, classes);
    GIVEN(OUT("d_z", d_z), IN("z", z), IN("labels", labels));
    mlp_output_gradient(d_z, z, labels);
    expect_within("d_z", d_z, expected, 2e-6 / n);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(the_output_gradient_computed_by_hand)
{
    // Probabilities ½ ½ and ¾ ¼: log 3 = 1.0986123.
    float z_values[] = {2, 2, 1.0986123f, 0}, label_values[] = {1, 0}, d_values[] = {7, 7, 7, 7};
    Matrix d_z = matrix_view(2, 2, d_values), z = matrix_view(2, 2, z_values);
    Matrix labels = matrix_view(2, 1, label_values);
    GIVEN(OUT("d_z", d_z), IN("z", z), IN("labels", labels));
    mlp_output_gradient(d_z, z, labels);
    expect_within("d_z", d_z, ((double[]){0.25, -0.25, -0.125, 0.125}), 1e-6);
}
END_TEST

START_TEST(the_output_gradient_is_right_for_any_size)
{
    for (int s = 0; s < SIZES; s++) expect_output_gradient(sizes[s].n, sizes[s].k, 2.0f, 0.0f);
}
END_TEST

START_TEST(large_scores_do_not_overflow)
{
    expect_output_gradient(2, 3, 2.0f, 200.0f);
    expect_output_gradient(2, 3, 2.0f, 9990.0f);
    expect_output_gradient(2, 3, 3000.0f, 0.0f);
    expect_output_gradient(19, 5, 3000.0f, 0.0f);
}
END_TEST

START_TEST(very_negative_scores_do_not_vanish)
{
    expect_output_gradient(2, 3, 2.0f, -200.0f);
    expect_output_gradient(2, 3, 2.0f, -9990.0f);
}
END_TEST

// ---- TASK 6.3: back to the hidden units -------------------------------------------------------------------

START_TEST(the_error_of_two_hidden_units_computed_by_hand)
{
    // d_z wᵀ is {1·1 + 2·3, 1·(−1) + 2·0.5, 1·4 + 2·(−2)} = {7, 0, 0} and {−1·1 + 1·3, 1 + 0.5, −4 − 2} = {2, 1.5, −6}.
    float d_z_values[] = {1, 2, -1, 1}, w_values[] = {1, 3, -1, 0.5f, 4, -2},
          h_values[] = {0.1f, 0, 2, 0, 3, 5};
    float d_a_values[] = {7, 7, 7, 7, 7, 7};
    Matrix d_a = matrix_view(2, 3, d_a_values), d_z = matrix_view(2, 2, d_z_values);
    Matrix w = matrix_view(3, 2, w_values), h = matrix_view(2, 3, h_values);
    GIVEN(OUT("d_a", d_a), IN("d_z", d_z), IN("w", w), IN("h", h));
    mlp_hidden_gradient(d_a, d_z, w, h);
    expect_within("d_a", d_a, ((double[]){7, 0, 0, 0, 1.5, -6}), 1e-5);
}
END_TEST

START_TEST(the_error_carried_back_is_right_for_any_size)
{
    for (int s = 0; s < SIZES; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(3, (uint64_t)s);
        Sizes z = sizes[s];
        Matrix d_z = random_normal(arena, &rng, z.n, z.k), w = random_normal(arena, &rng, z.h, z.k);
        Matrix h = random_normal(arena, &rng, z.n, z.h), d_a = rubbish(arena, z.n, z.h);
        double *expected = doubles(arena, matrix_size(h));
        for (int i = 0; i < z.n; i++)
            for (int u = 0; u < z.h; u++) {
                double sum_of_errors = 0.0;
                AT(h, i, u) = fmaxf(0.0f, AT(h, i, u));
                for (int k = 0; k < z.k; k++) sum_of_errors += (double)AT(d_z, i, k) * (double)AT(w, u, k);
                expected[i * z.h + u] = AT(h, i, u) > 0.0f ? sum_of_errors : 0.0;
            }
        GIVEN(OUT("d_a", d_a), IN("d_z", d_z), IN("w", w), IN("h", h));
        mlp_hidden_gradient(d_a, d_z, w, h);
        expect_within("d_a", d_a, expected, 5e-5);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

START_TEST(silent_units_receive_nothing)
{
    float d_z_values[] = {3}, w_values[] = {2, 2, 2}, h_values[] = {0, 0, 0}, d_a_values[] = {7, 7, 7};
    Matrix d_a = matrix_view(1, 3, d_a_values), d_z = matrix_view(1, 1, d_z_values);
    Matrix w = matrix_view(3, 1, w_values), h = matrix_view(1, 3, h_values);
    GIVEN(OUT("d_a", d_a), IN("d_z", d_z), IN("w", w), IN("h", h));
    mlp_hidden_gradient(d_a, d_z, w, h);
    expect_within("d_a", d_a, ((double[]){0, 0, 0}), 0.0);
}
END_TEST

// ---- TASK 6.4: all gradients of a network -----------------------------------------------------------------

enum { PARTS = 4 }; // w1, b1, w2, b2

typedef struct {
    Sizes sizes;
    Matrix x, labels;
    Matrix part[PARTS];
    double *wide[PARTS];     // the same in double
    double *gradient[PARTS]; // of the mean cross-entropy at wide
    double loss;
    double closest; // the hidden unit nearest to its kink: there, rounding decides which side
} Network;

static Network network_of(Arena *arena, uint64_t seed, Sizes sizes_of_it)
{
    Rng rng = rng_new(4, seed);
    Sizes z = sizes_of_it;
    Network net = {.sizes = z, .closest = INFINITY};
    net.x = random_normal(arena, &rng, z.n, z.d);
    net.labels = some_labels(arena, z.n, z.k);
    const int rows[PARTS] = {z.d, 1, z.h, 1}, cols[PARTS] = {z.h, z.h, z.k, z.k};
    for (int p = 0; p < PARTS; p++) {
        net.part[p] = random_normal(arena, &rng, rows[p], cols[p]);
        net.wide[p] = widened(arena, net.part[p]);
        net.gradient[p] = doubles(arena, matrix_size(net.part[p]));
    }
    return net;
}

// One example, forwards: hidden units h (H) and scores z (K).
static void forward(Network *net, const float *x, double *h, double *z)
{
    for (int u = 0; u < net->sizes.h; u++) {
        double a = net->wide[1][u];
        for (int j = 0; j < net->sizes.d; j++) a += (double)x[j] * net->wide[0][j * net->sizes.h + u];
        net->closest = fmin(net->closest, fabs(a));
        h[u] = fmax(0.0, a);
    }
    for (int k = 0; k < net->sizes.k; k++) {
        z[k] = net->wide[3][k];
        for (int u = 0; u < net->sizes.h; u++) z[k] += h[u] * net->wide[2][u * net->sizes.k + k];
    }
}

// Fills in gradient, loss and closest, one example after the other.
static void true_gradients(Network *net)
{
    Sizes s = net->sizes;
    double h[MAX_UNITS], z[MAX_UNITS], d_z[MAX_UNITS];
    for (int p = 0; p < PARTS; p++)
        for (size_t i = 0; i < matrix_size(net->part[p]); i++) net->gradient[p][i] = 0.0;
    net->loss = 0.0;
    for (int i = 0; i < s.n; i++) {
        forward(net, matrix_row(net->x, i), h, z);
        true_output_gradient(d_z, z, matrix_rows(net->labels, i, 1), s.k);
        net->loss -= log(1.0 + d_z[(int)net->labels.data[i]]) / s.n;
        for (int k = 0; k < s.k; k++) {
            net->gradient[3][k] += d_z[k] / s.n;
            for (int u = 0; u < s.h; u++) net->gradient[2][u * s.k + k] += h[u] * d_z[k] / s.n;
        }
        for (int u = 0; u < s.h; u++) {
            double d_h = 0.0;
            for (int k = 0; k < s.k; k++) d_h += d_z[k] * net->wide[2][u * s.k + k];
            if (h[u] <= 0.0) continue;
            net->gradient[1][u] += d_h / s.n;
            for (int j = 0; j < s.d; j++)
                net->gradient[0][j * s.h + u] += (double)AT(net->x, i, j) * d_h / s.n;
        }
    }
}

static void expect_gradients(Network *net)
{
    Arena *arena = arena_new();
    Matrix d[PARTS];
    static const char *const names[] = {"d_w1", "d_b1", "d_w2", "d_b2"};
    for (int p = 0; p < PARTS; p++) d[p] = rubbish(arena, net->part[p].rows, net->part[p].cols);
    GIVEN(IN("x", net->x), IN("labels", net->labels), IN("w1", net->part[0]), IN("b1", net->part[1]),
          IN("w2", net->part[2]), IN("b2", net->part[3]));
    mlp_gradients(d[0], d[1], d[2], d[3], net->x, net->labels, net->part[0], net->part[1], net->part[2],
                  net->part[3]);
    for (int p = PARTS - 1; p >= 0; p--) // from the output back to the input, as they are computed
        expect_within(names[p], d[p], net->gradient[p],
                      1e-4 * fmax(1e-3, largest_size(net->gradient[p], matrix_size(d[p]))));
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(the_gradients_of_one_example_computed_by_hand)
{
    // a = {2, −1}, so h = {2, 0}; z = {0.5, 0.5}, so p = {½, ½} and d_z = {−½, ½}; d_h = {−½ · 0 + ½ · 1} = ½.
    float x_value[] = {2}, label[] = {0}, w1[] = {1, -1}, b1[] = {0, 1}, w2[] = {0, 1, 5, 5},
          b2[] = {0.5f, -1.5f};
    float d_w1[] = {7, 7}, d_b1[] = {7, 7}, d_w2[] = {7, 7, 7, 7}, d_b2[] = {7, 7};
    Matrix d[PARTS] = {matrix_view(1, 2, d_w1), matrix_view(1, 2, d_b1), matrix_view(2, 2, d_w2),
                       matrix_view(1, 2, d_b2)};
    Matrix part[PARTS] = {matrix_view(1, 2, w1), matrix_view(1, 2, b1), matrix_view(2, 2, w2),
                          matrix_view(1, 2, b2)};
    Matrix x = matrix_view(1, 1, x_value), labels = matrix_view(1, 1, label);
    GIVEN(IN("x", x), IN("labels", labels), IN("w1", part[0]), IN("b1", part[1]), IN("w2", part[2]),
          IN("b2", part[3]));
    mlp_gradients(d[0], d[1], d[2], d[3], x, labels, part[0], part[1], part[2], part[3]);
    expect_within("d_b2", d[3], ((double[]){-0.5, 0.5}), 1e-5);
    expect_within("d_w2", d[2], ((double[]){-1, 1, 0, 0}), 1e-5);
    expect_within("d_b1", d[1], ((double[]){0.5, 0}), 1e-5);
    expect_within("d_w1", d[0], ((double[]){1, 0}), 1e-5);
}
END_TEST

START_TEST(the_gradients_are_right_for_any_size)
{
    for (int s = 0; s < SIZES; s++) {
        Arena *arena = arena_new();
        Network net;
        uint64_t draw = 100 * (uint64_t)s;
        do {
            net = network_of(arena, draw++, sizes[s]);
            true_gradients(&net);
        } while (net.closest < 1e-4);
        expect_gradients(&net);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 6.5: training -----------------------------------------------------------------------------------

static void true_step(Network *net, double rate)
{
    true_gradients(net);
    for (int p = 0; p < PARTS; p++)
        for (size_t i = 0; i < matrix_size(net->part[p]); i++) net->wide[p][i] -= rate * net->gradient[p][i];
}

static void train(Network *net, float rate, int steps)
{
    static const char *const names[] = {"w1", "b1", "w2", "b2"};
    GIVEN(OUT(names[0], net->part[0]), OUT(names[1], net->part[1]), OUT(names[2], net->part[2]),
          OUT(names[3], net->part[3]), IN("x", net->x), IN("labels", net->labels),
          NUMBER("rate", (double)rate), NUMBER("steps", steps));
    mlp_train(net->part[0], net->part[1], net->part[2], net->part[3], net->x, net->labels, rate, steps);
    EXPECT_UNCHANGED();
}

static void expect_path(Sizes sizes_of_it, float rate, int steps)
{
    static const char *const names[] = {"w1", "b1", "w2", "b2"};
    Arena *arena = arena_new();
    Network net;
    uint64_t draw = 1000;
    do { // a unit that comes too near to its kink on the way may cross it, or not
        net = network_of(arena, draw++, sizes_of_it);
        for (int step = 0; step < steps; step++) true_step(&net, (double)rate);
    } while (net.closest < 1e-4);
    train(&net, rate, steps);
    for (int p = 0; p < PARTS; p++) expect_close(names[p], net.part[p], net.wide[p], steps ? 1e-4 : 0.0);
    arena_free(arena);
}

START_TEST(no_step_changes_nothing) { expect_path((Sizes){2, 1, 2, 2}, 0.5f, 0); }
END_TEST

START_TEST(one_step_goes_down_the_gradients)
{
    expect_path((Sizes){2, 1, 2, 2}, 0.5f, 1);
    expect_path((Sizes){1, 1, 3, 2}, 0.1f, 1);
}
END_TEST

START_TEST(many_steps_follow_the_same_path)
{
    expect_path((Sizes){5, 2, 4, 3}, 0.1f, 10);
    expect_path((Sizes){13, 7, 9, 5}, 0.05f, 10);
}
END_TEST

START_TEST(training_solves_xor)
{
    for (uint64_t seed = 0; seed < 3; seed++) {
        Arena *arena = arena_new();
        Network net = network_of(arena, 5000 + seed, (Sizes){4, 2, 16, 2});
        for (int i = 0; i < 4; i++) {
            AT(net.x, i, 0) = (float)(i / 2);
            AT(net.x, i, 1) = (float)(i % 2);
            net.labels.data[i] = (float)(i / 2 ^ i % 2);
        }
        train(&net, 0.5f, 2000);
        for (int p = 0; p < PARTS; p++)
            for (size_t i = 0; i < matrix_size(net.part[p]); i++)
                net.wide[p][i] = (double)net.part[p].data[i];
        true_gradients(&net);
        ck_assert_msg(net.loss < 0.01,
                      "the loss after 2000 steps on XOR: got %g, expected less than 0.01; with %s", net.loss,
                      given.text);
        arena_free(arena);
    }
}
END_TEST

// clang-format off
EXERCISE("06-mlp-backprop",
         {"6.1", 5, a_hidden_layer_computed_by_hand},
         {"6.1", 5, without_inputs_the_bias_alone_bends},
         {"6.1", 5, the_hidden_layer_is_right_for_any_size},
         {"6.2", 5, the_output_gradient_computed_by_hand},
         {"6.2", 5, the_output_gradient_is_right_for_any_size},
         {"6.2", 5, large_scores_do_not_overflow},
         {"6.2", 5, very_negative_scores_do_not_vanish},
         {"6.3", 5, the_error_of_two_hidden_units_computed_by_hand},
         {"6.3", 5, silent_units_receive_nothing},
         {"6.3", 10, the_error_carried_back_is_right_for_any_size},
         {"6.4", 10, the_gradients_of_one_example_computed_by_hand},
         {"6.4", 15, the_gradients_are_right_for_any_size},
         {"6.5", 5, no_step_changes_nothing},
         {"6.5", 5, one_step_goes_down_the_gradients},
         {"6.5", 5, many_steps_follow_the_same_path},
         {"6.5", 5, training_solves_xor})
