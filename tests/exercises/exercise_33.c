// The exercises of chapter 33, Many machines: what each task is tested for, and its points.
// What the answers are compared with is computed here, in double and in the plainest way; sums of floats in their own order.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

// ---- TASK 33.1: Metropolis weights --------------------------------------------------------------------------

static void expect_weights(Matrix edges, const double *expected)
{
    Arena *arena = arena_new();
    Matrix weights = rubbish(arena, edges.rows, edges.cols);
    GIVEN(OUT("weights", weights), IN("edges", edges));
    metropolis_weights(weights, edges);
    expect_within("weights", weights, expected, 1e-5);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(a_path_of_three)
{
    float edges[] = {0, 1, 0, 1, 0, 1, 0, 1, 0};
    expect_weights(matrix_view(3, 3, edges),
                   (double[]){2 / 3.0, 1 / 3.0, 0, 1 / 3.0, 1 / 3.0, 1 / 3.0, 0, 1 / 3.0, 2 / 3.0});
}
END_TEST

START_TEST(a_star_and_one_alone)
{
    float edges[] = {0, 1, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    expect_weights(matrix_view(5, 5, edges),
                   (double[]){0.25, 0.25, 0.25, 0.25, 0, 0.25, 0.75, 0, 0, 0, 0.25, 0, 0.75,
                              0,    0,    0.25, 0,    0, 0.75, 0,    0, 0, 0, 0,    1});
    float one = 1;
    expect_weights(matrix_view(1, 1, &one), (double[]){1});
}
END_TEST

START_TEST(nobody_is_its_own_neighbour)
{
    float edges[] = {1, 1, 0, 1, NAN, 1, 0, 1, 5};
    expect_weights(matrix_view(3, 3, edges),
                   (double[]){2 / 3.0, 1 / 3.0, 0, 1 / 3.0, 1 / 3.0, 1 / 3.0, 0, 1 / 3.0, 2 / 3.0});
}
END_TEST

START_TEST(graphs_of_any_size)
{
    static const int sizes[] = {2, 6, 17, 40};
    for (int k = 0; k < 4; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(331, (uint64_t)k);
        int n = sizes[k];
        Matrix edges = matrix_new(arena, n, n);
        double *expected = arena_zeros(arena, (size_t)(n * n), sizeof *expected);
        int *degrees = arena_zeros(arena, (size_t)n, sizeof *degrees);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < i; j++) {
                AT(edges, i, j) = AT(edges, j, i) = rng_below(&rng, 3) == 0 ? 1.0f : 0.0f;
                if (AT(edges, i, j) > 0.0f) degrees[i]++, degrees[j]++;
            }
        for (int i = 0; i < n; i++) {
            expected[i * n + i] = 1.0;
            for (int j = 0; j < n; j++) {
                if (AT(edges, i, j) <= 0.0f) continue;
                expected[i * n + j] = 1.0 / (1 + int_max(degrees[i], degrees[j]));
                expected[i * n + i] -= expected[i * n + j];
            }
        }
        expect_weights(edges, expected);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 33.2: a step of gradient tracking -----------------------------------------------------------------

typedef struct {
    Matrix x_new, y_new, x, y, weights, hessians;
} Tracking;

static void call_tracking(Tracking z, float rate)
{
    GIVEN(OUT("x_new", z.x_new), OUT("y_new", z.y_new), IN("x", z.x), IN("y", z.y), IN("weights", z.weights),
          IN("hessians", z.hessians), NUMBER("rate", rate));
    tracking_step(z.x_new, z.y_new, z.x, z.y, z.weights, z.hessians, rate);
}

static void expect_tracking(Tracking z, float rate)
{
    Arena *arena = arena_new();
    int n = z.x.rows, d = z.x.cols;
    z.x_new = rubbish(arena, n, d), z.y_new = rubbish(arena, n, d);
    double *x = doubles(arena, (size_t)(n * d)), *y = doubles(arena, (size_t)(n * d));
    for (int i = 0; i < n; i++)
        for (int c = 0; c < d; c++) {
            x[i * d + c] = -(double)rate * (double)AT(z.y, i, c), y[i * d + c] = 0.0;
            for (int j = 0; j < n; j++) x[i * d + c] += (double)AT(z.weights, i, j) * (double)AT(z.x, j, c);
            for (int j = 0; j < n; j++) y[i * d + c] += (double)AT(z.weights, i, j) * (double)AT(z.y, j, c);
        }
    for (int i = 0; i < n; i++)
        for (int c = 0; c < d; c++)
            for (int k = 0; k < d; k++)
                y[i * d + c] += (double)AT(z.hessians, i * d + c, k) * (x[i * d + k] - (double)AT(z.x, i, k));
    call_tracking(z, rate);
    expect_close("x_new", z.x_new, x, 2e-5);
    expect_close("y_new", z.y_new, y, 2e-5);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(one_machine_alone)
{
    // f(x) = ½ (2 x₀² + x₁²) − …: the gradient changes by −0.5 · (2 · 4, 1 · 6)
    float x[] = {1, 2}, y[] = {4, 6}, one = 1, hessian[] = {2, 0, 0, 1}, x_new[] = {9, 9}, y_new[] = {9, 9};
    Tracking z = {matrix_view(1, 2, x_new), matrix_view(1, 2, y_new), matrix_view(1, 2, x),
                  matrix_view(1, 2, y),     matrix_view(1, 1, &one),  matrix_view(2, 2, hessian)};
    call_tracking(z, 0.5f);
    expect_within("x_new", z.x_new, ((double[]){-1, -1}), 1e-6);
    expect_within("y_new", z.y_new, ((double[]){0, 3}), 1e-6);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(two_machines_agree)
{
    // W x = (2.5, 2), W y = (−0.5, 0): the weights are not symmetric
    float x[] = {3, 1}, y[] = {1, -1}, weights[] = {0.75f, 0.25f, 0.5f, 0.5f}, hessians[] = {2, 4};
    float x_new[] = {9, 9}, y_new[] = {9, 9};
    Tracking z = {matrix_view(2, 1, x_new), matrix_view(2, 1, y_new),   matrix_view(2, 1, x),
                  matrix_view(2, 1, y),     matrix_view(2, 2, weights), matrix_view(2, 1, hessians)};
    call_tracking(z, 0.5f);
    expect_within("x_new", z.x_new, ((double[]){2, 2.5}), 1e-6);
    expect_within("y_new", z.y_new, ((double[]){0.5 - 2, 0 + 6}), 1e-6);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(where_all_slopes_are_0_all_stays)
{
    float x[] = {3, -1, 3, -1}, y[] = {0, 0, 0, 0}, weights[] = {0.5f, 0.5f, 0.5f, 0.5f};
    float hessians[] = {2, 1, 1, 2, 5, 0, 0, 5}, x_new[] = {9, 9, 9, 9}, y_new[] = {9, 9, 9, 9};
    Tracking z = {matrix_view(2, 2, x_new), matrix_view(2, 2, y_new),   matrix_view(2, 2, x),
                  matrix_view(2, 2, y),     matrix_view(2, 2, weights), matrix_view(4, 2, hessians)};
    call_tracking(z, 0.1f);
    expect_within("x_new", z.x_new, ((double[]){3, -1, 3, -1}), 0.0);
    expect_within("y_new", z.y_new, ((double[]){0, 0, 0, 0}), 0.0);
}
END_TEST

START_TEST(steps_of_any_size)
{
    static const int sizes[][2] = {{1, 1}, {2, 3}, {5, 1}, {7, 4}, {16, 10}};
    for (int k = 0; k < 5; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(332, (uint64_t)k);
        int n = sizes[k][0], d = sizes[k][1];
        Tracking z = {.x = random_normal(arena, &rng, n, d), .y = random_normal(arena, &rng, n, d)};
        z.weights = random_normal(arena, &rng, n, n), z.hessians = random_normal(arena, &rng, n * d, d);
        for (int i = 0; i < n; i++)
            for (int c = 0; c < d; c++)
                for (int b = 0; b < c; b++) AT(z.hessians, i * d + b, c) = AT(z.hessians, i * d + c, b);
        expect_tracking(z, 0.3f);
        expect_tracking(z, 0.0f);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 33.3: a round on the ring -------------------------------------------------------------------------

static Matrix call_round(Arena *arena, int p, int round)
{
    Matrix plan = rubbish(arena, p, 3);
    GIVEN(OUT("plan", plan), NUMBER("p", p), NUMBER("round", round));
    ring_round(plan, round);
    return plan;
}

START_TEST(the_first_round)
{
    Arena *arena = arena_new();
    Matrix plan = call_round(arena, 4, 0);
    expect_within("plan", plan, ((double[]){0, 3, 1, 1, 0, 1, 2, 1, 1, 3, 2, 1}), 0.0);
    arena_free(arena);
}
END_TEST

START_TEST(the_last_rounds)
{
    Arena *arena = arena_new();
    Matrix plan = call_round(arena, 3, 1);
    expect_within("plan", plan, ((double[]){2, 1, 1, 0, 2, 1, 1, 0, 1}), 0.0);
    plan = call_round(arena, 3, 2);
    expect_within("plan", plan, ((double[]){1, 0, 0, 2, 1, 0, 0, 2, 0}), 0.0);
    plan = call_round(arena, 3, 3);
    expect_within("plan", plan, ((double[]){0, 2, 0, 1, 0, 0, 2, 1, 0}), 0.0);
    arena_free(arena);
}
END_TEST

// A piece that is sent is the one that was received, and what was received is what the neighbour has sent.
START_TEST(rounds_of_any_ring)
{
    static const int sizes[] = {2, 3, 5, 16, 33};
    for (int k = 0; k < 5; k++) {
        Arena *arena = arena_new();
        int p = sizes[k];
        double *expected = doubles(arena, (size_t)(3 * p));
        for (int r = 0; r < p; r++) expected[3 * r + 1] = r;
        for (int round = 0; round < 2 * p - 2; round++) {
            for (int r = 0; r < p; r++) expected[3 * r] = expected[3 * r + 1];
            for (int r = 0; r < p; r++) expected[3 * r + 1] = expected[3 * ((r + p - 1) % p)];
            for (int r = 0; r < p; r++) expected[3 * r + 2] = round < p - 1;
            Matrix plan = call_round(arena, p, round);
            expect_within("plan", plan, expected, 0.0);
        }
        arena_free(arena);
    }
}
END_TEST

// With the plans, every process ends with every sum.
START_TEST(everybody_gets_the_sum)
{
    enum { P = 6 };
    Arena *arena = arena_new();
    double has[P][P], next[P][P]; // has[r][c]: piece c at process r, at first 10ʳ
    for (int r = 0; r < P; r++)
        for (int c = 0; c < P; c++) has[r][c] = pow(10, r);
    for (int round = 0; round < 2 * P - 2; round++) {
        Matrix plan = call_round(arena, P, round);
        memcpy(next, has, sizeof has);
        for (int r = 0; r < P; r++) {
            double sent = (double)AT(plan, (r + P - 1) % P, 0), got = (double)AT(plan, r, 1);
            expect_number("the piece that r receives", got, sent, 0.0);
            if (!(got >= 0 && got < P)) ck_abort_msg("there is no piece %g of %d", got, P);
            double value = has[(r + P - 1) % P][(int)sent];
            next[r][(int)got] = (AT(plan, r, 2) > 0.0f ? has[r][(int)got] : 0.0) + value;
        }
        memcpy(has, next, sizeof has);
    }
    for (int r = 0; r < P; r++)
        for (int c = 0; c < P; c++) expect_number("the sum of all", has[r][c], 111111.0, 0.0);
    arena_free(arena);
}
END_TEST

// ---- TASK 33.4: a sum in a fixed order ----------------------------------------------------------------------

static void expect_sum(Matrix parts, const double *expected)
{
    Arena *arena = arena_new();
    Matrix total = rubbish(arena, 1, parts.cols);
    GIVEN(OUT("total", total), IN("parts", parts));
    tree_sum(total, parts);
    expect_within("total", total, expected, 0.0);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

// 2²⁴ + 1 is no float: it becomes 2²⁴.
START_TEST(the_order_shows)
{
    float parts[] = {16777216, 1, 1, 1};
    expect_sum(matrix_view(4, 1, parts), (double[]){16777218});
    float others[] = {1, 16777216, 1, -16777216};
    expect_sum(matrix_view(4, 1, others), (double[]){1});
    float three[] = {1, 1, 16777216};
    expect_sum(matrix_view(3, 1, three), (double[]){16777218});
    float one[] = {0.1f, -3};
    expect_sum(matrix_view(1, 2, one), (double[]){(double)0.1f, -3});
}
END_TEST

START_TEST(seven_are_four_and_three)
{
    // Each + is rounded: volatile, so that no compiler computes it otherwise
    float parts[] = {1, 16777216, -16777216, 1, 16777216, 1, 1};
    volatile float a = parts[0] + parts[1], b = parts[2] + parts[3], c = parts[4] + parts[5];
    volatile float left = a + b, right = c + parts[6];
    expect_sum(matrix_view(7, 1, parts), (double[]){(double)(left + right)});
}
END_TEST

// By levels, as a tree that is not full is filled from the left: pairs, pairs of pairs, …
static void levels_of(double *expected, Matrix parts, Arena *arena)
{
    Matrix sums = matrix_copy(arena, parts);
    for (int apart = 1; apart < parts.rows; apart *= 2)
        for (int r = 0; r + apart < parts.rows; r += 2 * apart)
            for (int c = 0; c < parts.cols; c++) AT(sums, r, c) += AT(sums, r + apart, c);
    for (int c = 0; c < parts.cols; c++) expected[c] = (double)AT(sums, 0, c);
}

START_TEST(sums_of_any_number)
{
    for (int k = 1; k <= 40; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(334, (uint64_t)k);
        Matrix parts = random_normal(arena, &rng, k, 1 + 13 * (k % 3));
        double *expected = doubles(arena, (size_t)parts.cols);
        levels_of(expected, parts, arena);
        expect_sum(parts, expected);
        arena_free(arena);
    }
}
END_TEST

START_TEST(processes_do_not_matter)
{
    static const int counts[] = {2, 4, 8};
    Arena *arena = arena_new();
    Rng rng = rng_new(335, 0);
    Matrix parts = random_normal(arena, &rng, 8, 50), whole = rubbish(arena, 1, 50);
    GIVEN(OUT("total", whole), IN("parts", parts));
    tree_sum(whole, parts);
    for (int k = 0; k < 3; k++) {
        Matrix own = rubbish(arena, counts[k], 50), total = rubbish(arena, 1, 50);
        for (int r = 0; r < counts[k]; r++)
            tree_sum(matrix_rows(own, r, 1), matrix_rows(parts, r * 8 / counts[k], 8 / counts[k]));
        tree_sum(total, own);
        double expected[50];
        for (int c = 0; c < 50; c++) expected[c] = (double)total.data[c];
        expect_within("total", whole, expected, 0.0);
    }
    arena_free(arena);
}
END_TEST

// ---- TASK 33.5: how long it takes ---------------------------------------------------------------------------

static double call_times(Matrix times, int processes, float bytes, float latency, float bandwidth)
{
    GIVEN(OUT("times", times), NUMBER("processes", processes), NUMBER("bytes", bytes),
          NUMBER("latency", latency), NUMBER("bandwidth", bandwidth));
    return (double)all_reduce_times(times, processes, bytes, latency, bandwidth);
}

static void expect_times(int processes, float bytes, float latency, float bandwidth)
{
    Arena *arena = arena_new();
    double expected[3] = {0}, p = processes, rest = (double)bytes, a = (double)latency, b = (double)bandwidth;
    double levels = 0;
    for (int size = processes; size > 1; size /= 2) {
        expected[0] += 2 * (a + (double)bytes / b);
        rest /= 2;
        expected[2] += 2 * (a + rest / b);
        levels++;
    }
    for (int round = 0; round < 2 * (processes - 1); round++) expected[1] += a + (double)bytes / p / b;
    double crossing =
        processes <= 2 ? 0 : (2 * (p - 1) - 2 * levels) * a * b / (2 * levels - 2 * (p - 1) / p);
    Matrix times = rubbish(arena, 1, 3);
    double got = call_times(times, processes, bytes, latency, bandwidth);
    for (int k = 0; k < 3; k++)
        expect_number(k == 0   ? "times.data[0], the tree's"
                      : k == 1 ? "times.data[1], the ring's"
                               : "times.data[2]",
                      times.data[k], expected[k], 1e-4 * expected[k]);
    expect_number("all_reduce_times(…)", got, crossing, 1e-4 * crossing);
    arena_free(arena);
}

START_TEST(sixteen_processes)
{
    float t[] = {9, 9, 9};
    Matrix times = matrix_view(1, 3, t);
    double crossing = call_times(times, 16, 1e7f, 20e-6f, 1e9f);
    expect_within("times", times, ((double[]){0.08016, 0.01935, 0.01891}), 1e-6);
    expect_number("all_reduce_times(…)", crossing, 71836.7, 5);
    crossing = call_times(times, 16, 1000, 20e-6f, 1e9f);
    expect_within("times", times, ((double[]){168e-6, 601.875e-6, 161.875e-6}), 1e-7);
    expect_number("all_reduce_times(…)", crossing, 71836.7, 5);
}
END_TEST

START_TEST(one_and_two_processes)
{
    float t[] = {9, 9, 9};
    Matrix times = matrix_view(1, 3, t);
    expect_number("all_reduce_times(…)", call_times(times, 1, 1e6f, 1e-3f, 1e9f), 0, 0.0);
    expect_within("times", times, ((double[]){0, 0, 0}), 0.0);
    expect_number("all_reduce_times(…)", call_times(times, 2, 1e6f, 1e-3f, 1e9f), 0, 0.0);
    expect_within("times", times, ((double[]){0.004, 0.003, 0.003}), 1e-7);
}
END_TEST

START_TEST(no_bytes_and_no_latency)
{
    for (int p = 2; p <= 64; p *= 4) {
        expect_times(p, 0, 1e-5f, 1e9f);
        expect_times(p, 1e8f, 0, 1e9f);
    }
}
END_TEST

START_TEST(processes_of_any_number)
{
    for (int p = 1; p <= 4096; p *= 2) {
        expect_times(p, 1e5f, 5e-5f, 1e10f);
        expect_times(p, 4e8f, 1e-6f, 2e9f);
    }
}
END_TEST

// clang-format off
EXERCISE("33-many-machines",
         {"33.1", 5, a_path_of_three},
         {"33.1", 5, a_star_and_one_alone},
         {"33.1", 4, nobody_is_its_own_neighbour},
         {"33.1", 6, graphs_of_any_size},
         {"33.2", 6, one_machine_alone},
         {"33.2", 6, two_machines_agree},
         {"33.2", 4, where_all_slopes_are_0_all_stays},
         {"33.2", 6, steps_of_any_size},
         {"33.3", 4, the_first_round},
         {"33.3", 5, the_last_rounds},
         {"33.3", 5, rounds_of_any_ring},
         {"33.3", 5, everybody_gets_the_sum},
         {"33.4", 5, the_order_shows},
         {"33.4", 5, seven_are_four_and_three},
         {"33.4", 5, sums_of_any_number},
         {"33.4", 5, processes_do_not_matter},
         {"33.5", 5, sixteen_processes},
         {"33.5", 4, one_and_two_processes},
         {"33.5", 4, no_bytes_and_no_latency},
         {"33.5", 6, processes_of_any_number})
