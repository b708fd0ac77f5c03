// The exercises of chapter 29, Fine-tuning: SFT and LoRA: what each task is tested for, and its points.
// What the answers are compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

// ---- TASK 29.1: labels --------------------------------------------------------------------------------------

static void expect_labels(Matrix ids, Matrix writer, const double *expected)
{
    Arena *arena = arena_new();
    Matrix labels = matrix_new(arena, 1, ids.cols);
    fill(labels, 7.0f);
    int count = 0;
    for (int t = 0; t < ids.cols; t++) count += expected[t] >= 0.0;
    GIVEN(OUT("labels", labels), IN("ids", ids), IN("writer", writer));
    int got = answer_labels(labels, ids, writer);
    expect_within("labels", labels, expected, 0.0);
    expect_number("answer_labels(labels, ids, writer)", got, count, 0.0);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

// <|im_start|> is 90, <|im_end|> 91, the line end 92; user 93, assistant 94, system 95.
START_TEST(the_answer_and_its_end)
{
    float ids[] = {90, 93, 92, 5, 6, 91, 92, 90, 94, 92, 7, 8, 91, 92};
    float writer[] = {3, 3, 3, 1, 1, 1, 3, 3, 3, 3, 2, 2, 2, 3};
    expect_labels(matrix_view(1, 14, ids), matrix_view(1, 14, writer),
                  (double[]){-1, -1, -1, -1, -1, -1, -1, -1, -1, 7, 8, 91, -1, -1});
}
END_TEST

START_TEST(every_answer_counts)
{
    float ids[] = {90, 95, 92, 4,  91, 92, 90, 93, 92, 5,  91, 92, 90, 94, 92, 0,
                   91, 92, 90, 93, 92, 6,  91, 92, 90, 94, 92, 8,  9,  91, 92};
    float writer[] = {3, 3, 3, 0, 0, 3, 3, 3, 3, 1, 1, 3, 3, 3, 3, 2,
                      2, 3, 3, 3, 3, 1, 1, 3, 3, 3, 3, 2, 2, 2, 3};
    double expected[31];
    for (int t = 0; t < 31; t++) expected[t] = -1;
    expected[14] = 0, expected[15] = 91, expected[26] = 8, expected[27] = 9, expected[28] = 91;
    expect_labels(matrix_view(1, 31, ids), matrix_view(1, 31, writer), expected);
}
END_TEST

START_TEST(nothing_follows_the_last_token)
{
    float ids[] = {90, 94, 92, 7, 8}, writer[] = {3, 3, 3, 2, 2}, answer[] = {2, 2, 2};
    expect_labels(matrix_view(1, 5, ids), matrix_view(1, 5, writer), (double[]){-1, -1, 7, 8, -1});
    expect_labels(matrix_view(1, 3, ids), matrix_view(1, 3, answer), (double[]){94, 92, -1});
    expect_labels(matrix_view(1, 1, ids), matrix_view(1, 1, answer), (double[]){-1});
}
END_TEST

START_TEST(who_did_not_answer)
{
    float ids[] = {90, 95, 92, 4, 91, 92, 90, 93, 92, 5, 91, 92};
    float writer[] = {3, 3, 3, 0, 0, 3, 3, 3, 3, 1, 1, 3};
    double expected[12];
    for (int t = 0; t < 12; t++) expected[t] = -1;
    expect_labels(matrix_view(1, 12, ids), matrix_view(1, 12, writer), expected);
}
END_TEST

// ---- TASK 29.2: forward -------------------------------------------------------------------------------------

typedef struct {
    int rows, inputs, outputs, rank;
} Sizes;

static const Sizes sizes_of_layers[] = {{1, 1, 1, 1}, {1, 2, 3, 1},   {3, 1, 2, 4},
                                        {2, 5, 1, 3}, {7, 24, 40, 8}, {3, 100, 90, MOST_RANK}};
enum { LAYERS = sizeof sizes_of_layers / sizeof *sizes_of_layers };

typedef struct {
    Matrix y, low, x, w, bias, a, b;
} Layer;

static Layer random_layer(Arena *arena, Rng *rng, Sizes z)
{
    Layer l = {.y = rubbish(arena, z.rows, z.outputs), .low = rubbish(arena, z.rows, z.rank)};
    l.x = random_normal(arena, rng, z.rows, z.inputs);
    l.w = random_normal(arena, rng, z.inputs, z.outputs);
    l.bias = random_normal(arena, rng, 1, z.outputs);
    l.a = random_normal(arena, rng, z.inputs, z.rank);
    l.b = random_normal(arena, rng, z.rank, z.outputs);
    return l;
}

// x·A in double.
static double *true_low(Arena *arena, Layer l)
{
    double *low = doubles(arena, (size_t)l.x.rows * (size_t)l.a.cols);
    for (int t = 0; t < l.x.rows; t++)
        for (int k = 0; k < l.a.cols; k++) {
            double sum = 0.0;
            for (int i = 0; i < l.x.cols; i++) sum += (double)AT(l.x, t, i) * (double)AT(l.a, i, k);
            low[t * l.a.cols + k] = sum;
        }
    return low;
}

static void call_forward(Layer l, float s)
{
    GIVEN(OUT("y", l.y), OUT("low", l.low), IN("x", l.x), IN("w", l.w), IN("bias", l.bias), IN("a", l.a),
          IN("b", l.b), NUMBER("s", s));
    lora_forward(l.y, l.low, l.x, l.w, l.bias, l.a, l.b, s);
}

static void expect_forward(Layer l, float s)
{
    Arena *arena = arena_new();
    double *low = true_low(arena, l), *y = doubles(arena, matrix_size(l.y));
    for (int t = 0; t < l.y.rows; t++)
        for (int o = 0; o < l.y.cols; o++) {
            double sum = (double)l.bias.data[o];
            for (int i = 0; i < l.x.cols; i++) sum += (double)AT(l.x, t, i) * (double)AT(l.w, i, o);
            for (int k = 0; k < l.b.rows; k++)
                sum += (double)s * low[t * l.b.rows + k] * (double)AT(l.b, k, o);
            y[t * l.y.cols + o] = sum;
        }
    call_forward(l, s);
    expect_close("low", l.low, low, 1e-5);
    expect_close("y", l.y, y, 1e-5);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

// Two inputs, two outputs, rank 1.
typedef struct {
    float x[2], w[4], bias[2], a[2], b[2], low[1], y[2];
} Small;

static Layer small_layer(Small *z)
{
    return (Layer){matrix_view(1, 2, z->y), matrix_view(1, 1, z->low),  matrix_view(1, 2, z->x),
                   matrix_view(2, 2, z->w), matrix_view(1, 2, z->bias), matrix_view(2, 1, z->a),
                   matrix_view(1, 2, z->b)};
}

START_TEST(both_ways_and_the_bias)
{
    // low = 1·3 + 2·(−1) = 1; y = (1·5 + 2·7, 1·6 + 2·8) + (100, 200) + 0.5 · 1 · (4, −2)
    Small z = {{1, 2}, {5, 6, 7, 8}, {100, 200}, {3, -1}, {4, -2}, {9}, {9, 9}};
    Layer l = small_layer(&z);
    call_forward(l, 0.5f);
    expect_within("low", l.low, ((double[]){1}), 1e-6);
    expect_within("y", l.y, ((double[]){121, 221}), 1e-4);
}
END_TEST

START_TEST(a_new_adapter_changes_nothing)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(292, 100);
    Layer l = random_layer(arena, &rng, (Sizes){4, 6, 5, 3});
    fill(l.b, 0.0f);
    expect_forward(l, 2.0f);
    arena_free(arena);
}
END_TEST

START_TEST(layers_of_any_size)
{
    for (int k = 0; k < LAYERS; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(292, (uint64_t)k);
        Layer l = random_layer(arena, &rng, sizes_of_layers[k]);
        expect_forward(l, k % 2 ? 0.125f : 3.0f);
        arena_free(arena);
    }
}
END_TEST

// x·A is 0: y has nothing of the adapter. The elements of A·B are 3 · 10⁸ first, then infinite; W is as small as x.
START_TEST(small_products_of_large_factors)
{
    Small z = {{1, 1}, {1.5f, -4, 2.25f, 0.75f}, {0.5f, 1}, {3e4f, -3e4f}, {1e4f, -1e4f}, {9}, {9, 9}};
    Layer l = small_layer(&z);
    call_forward(l, 1.0f);
    expect_within("low", l.low, ((double[]){0}), 0.0);
    expect_within("y", l.y, ((double[]){4.25, -2.25}), 1e-5);
    z.a[0] = 1e20f, z.a[1] = -1e20f, z.b[0] = 1e20f;
    call_forward(l, 1.0f);
    expect_within("y", l.y, ((double[]){4.25, -2.25}), 1e-5);
}
END_TEST

// ---- TASK 29.3: backward ------------------------------------------------------------------------------------

typedef struct {
    Layer layer;
    Matrix d_x, d_a, d_b, d_y;
} Gradients;

static void call_backward(Gradients g, float s)
{
    Layer l = g.layer;
    GIVEN(OUT("d_x", g.d_x), OUT("d_a", g.d_a), OUT("d_b", g.d_b), IN("d_y", g.d_y), IN("x", l.x),
          IN("low", l.low), IN("w", l.w), IN("a", l.a), IN("b", l.b), NUMBER("s", s));
    lora_backward(g.d_x, g.d_a, g.d_b, g.d_y, l.x, l.low, l.w, l.a, l.b, s);
}

// low of the layer is filled here; d_a and d_b hold something, to which is added.
static Gradients random_gradients(Arena *arena, Rng *rng, Sizes z)
{
    Gradients g = {.layer = random_layer(arena, rng, z)};
    double *low = true_low(arena, g.layer);
    for (int i = 0; i < z.rows * z.rank; i++) g.layer.low.data[i] = (float)low[i];
    g.d_x = rubbish(arena, z.rows, z.inputs);
    g.d_a = random_normal(arena, rng, z.inputs, z.rank);
    g.d_b = random_normal(arena, rng, z.rank, z.outputs);
    g.d_y = random_normal(arena, rng, z.rows, z.outputs);
    return g;
}

// s · d_y·Bᵀ in double, for one row and one column.
static double true_d_low(Gradients g, float s, int t, int k)
{
    double sum = 0.0;
    for (int o = 0; o < g.d_y.cols; o++)
        sum += (double)s * (double)AT(g.d_y, t, o) * (double)AT(g.layer.b, k, o);
    return sum;
}

static double true_d_x(Gradients g, float s, int t, int i)
{
    double sum = 0.0;
    for (int o = 0; o < g.d_y.cols; o++) sum += (double)AT(g.d_y, t, o) * (double)AT(g.layer.w, i, o);
    for (int k = 0; k < g.d_a.cols; k++) sum += true_d_low(g, s, t, k) * (double)AT(g.layer.a, i, k);
    return sum;
}

static double true_d_a(Gradients g, float s, int i, int k)
{
    double sum = (double)AT(g.d_a, i, k);
    for (int t = 0; t < g.d_y.rows; t++) sum += (double)AT(g.layer.x, t, i) * true_d_low(g, s, t, k);
    return sum;
}

static double true_d_b(Gradients g, float s, int k, int o)
{
    double sum = (double)AT(g.d_b, k, o);
    for (int t = 0; t < g.d_y.rows; t++)
        sum += (double)s * (double)AT(g.layer.low, t, k) * (double)AT(g.d_y, t, o);
    return sum;
}

static double *all_of(Arena *arena, Matrix shape, double (*element)(Gradients, float, int, int), Gradients g,
                      float s)
{
    double *values = doubles(arena, matrix_size(shape));
    for (int r = 0; r < shape.rows; r++)
        for (int c = 0; c < shape.cols; c++) values[r * shape.cols + c] = element(g, s, r, c);
    return values;
}

static void expect_backward(Gradients g, float s)
{
    Arena *arena = arena_new();
    double *d_x = all_of(arena, g.d_x, true_d_x, g, s);
    double *d_a = all_of(arena, g.d_a, true_d_a, g, s);
    double *d_b = all_of(arena, g.d_b, true_d_b, g, s);
    call_backward(g, s);
    expect_close("d_x", g.d_x, d_x, 1e-5);
    expect_close("d_a", g.d_a, d_a, 1e-5);
    expect_close("d_b", g.d_b, d_b, 1e-5);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

// Of a small layer.
typedef struct {
    float d_x[2], d_a[2], d_b[2], d_y[2];
} SmallGradients;

static Gradients small_gradients(Small *z, SmallGradients *d)
{
    return (Gradients){small_layer(z), matrix_view(1, 2, d->d_x), matrix_view(2, 1, d->d_a),
                       matrix_view(1, 2, d->d_b), matrix_view(1, 2, d->d_y)};
}

START_TEST(all_three_gradients)
{
    // s · d_y·Bᵀ = 0.5 · (10·4 − 1·2) = 19; d_x = (10·5 + 1·6, 10·7 + 1·8) + 19 · (3, −1)
    Small z = {{1, 2}, {5, 6, 7, 8}, {100, 200}, {3, -1}, {4, -2}, {1}, {121, 221}};
    SmallGradients d = {{9, 9}, {0, 0}, {0, 0}, {10, 1}};
    Gradients g = small_gradients(&z, &d);
    call_backward(g, 0.5f);
    expect_within("d_x", g.d_x, ((double[]){113, 59}), 1e-4);
    expect_within("d_a", g.d_a, ((double[]){19, 38}), 1e-4);
    expect_within("d_b", g.d_b, ((double[]){5, 0.5}), 1e-4);
}
END_TEST

START_TEST(a_second_batch_is_added)
{
    Small z = {{1, 2}, {5, 6, 7, 8}, {100, 200}, {3, -1}, {4, -2}, {1}, {121, 221}};
    SmallGradients d = {{9, 9}, {1000, 2000}, {3000, 4000}, {10, 1}};
    Gradients g = small_gradients(&z, &d);
    call_backward(g, 0.5f);
    expect_within("d_a", g.d_a, ((double[]){1019, 2038}), 1e-2);
    expect_within("d_b", g.d_b, ((double[]){3005, 4000.5}), 1e-2);
    expect_within("d_x", g.d_x, ((double[]){113, 59}), 1e-4);
}
END_TEST

START_TEST(gradients_of_any_size)
{
    for (int k = 0; k < LAYERS; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(293, (uint64_t)k);
        Gradients g = random_gradients(arena, &rng, sizes_of_layers[k]);
        expect_backward(g, k % 2 ? 0.125f : 3.0f);
        arena_free(arena);
    }
}
END_TEST

START_TEST(the_first_step_of_an_adapter)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(293, 100);
    Gradients g = random_gradients(arena, &rng, (Sizes){4, 6, 5, 3});
    fill(g.layer.b, 0.0f), fill(g.d_a, 0.0f), fill(g.d_b, 0.0f);
    expect_backward(g, 2.0f);
    arena_free(arena);
}
END_TEST

// d_y·Bᵀ is 0, and A·B infinite: what comes back to x is what W lets through.
START_TEST(large_factors_backwards)
{
    Small z = {{1, 2}, {1.5f, -4, 2.25f, 0.75f}, {0, 0}, {1e20f, 2e20f}, {2e20f, -2e20f}, {5}, {0, 0}};
    SmallGradients d = {{9, 9}, {3, 4}, {0, 0}, {1, 1}};
    Gradients g = small_gradients(&z, &d);
    call_backward(g, 1.0f);
    expect_within("d_x", g.d_x, ((double[]){-2.5, 3}), 1e-5);
    expect_within("d_a", g.d_a, ((double[]){3, 4}), 1e-5);
    expect_within("d_b", g.d_b, ((double[]){5, 5}), 1e-4);
}
END_TEST

// ---- TASK 29.4: merge ---------------------------------------------------------------------------------------

static void call_merge(Matrix w, Matrix a, Matrix b, float s)
{
    GIVEN(OUT("w", w), IN("a", a), IN("b", b), NUMBER("s", s));
    lora_merge(w, a, b, s);
}

START_TEST(the_weights_take_the_adapter)
{
    float w[] = {1, 2, 3, 4, 5, 6}, a[] = {1, 2, 3, 4}, b[] = {10, 0, -1, 0, 1, 2};
    Matrix merged = matrix_view(2, 3, w);
    call_merge(merged, matrix_view(2, 2, a), matrix_view(2, 3, b), 0.5f);
    expect_within("w", merged, ((double[]){6, 3, 4.5, 19, 7, 8.5}), 1e-5);
}
END_TEST

START_TEST(merges_of_any_size)
{
    for (int k = 0; k < LAYERS; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(294, (uint64_t)k);
        Layer l = random_layer(arena, &rng, sizes_of_layers[k]);
        float s = k % 2 ? 0.125f : 3.0f;
        double *w = doubles(arena, matrix_size(l.w));
        for (int i = 0; i < l.w.rows; i++)
            for (int o = 0; o < l.w.cols; o++) {
                double sum = 0.0;
                for (int j = 0; j < l.b.rows; j++) sum += (double)AT(l.a, i, j) * (double)AT(l.b, j, o);
                w[i * l.w.cols + o] = (double)AT(l.w, i, o) + (double)s * sum;
            }
        call_merge(l.w, l.a, l.b, s);
        expect_close("w", l.w, w, 1e-5);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

START_TEST(taken_out_again)
{
    float w[] = {1, 2, 3, 4}, a[] = {1, 2}, b[] = {3, 4};
    Matrix merged = matrix_view(2, 2, w);
    call_merge(merged, matrix_view(2, 1, a), matrix_view(1, 2, b), 2.0f);
    expect_within("w", merged, ((double[]){7, 10, 15, 20}), 1e-5);
    call_merge(merged, matrix_view(2, 1, a), matrix_view(1, 2, b), -2.0f);
    expect_within("w", merged, ((double[]){1, 2, 3, 4}), 1e-5);
    call_merge(merged, matrix_view(2, 1, a), matrix_view(1, 2, b), 0.0f);
    expect_within("w", merged, ((double[]){1, 2, 3, 4}), 0.0);
}
END_TEST

// Beside 2²⁴ floats are two apart: half a one, added 16 times, is lost 16 times.
START_TEST(one_addition_for_the_whole_sum)
{
    float w[] = {16777216, -16777216}, a[16], b[32];
    for (int k = 0; k < 16; k++) a[k] = 0.5f, b[2 * k] = 1.0f, b[2 * k + 1] = -1.0f;
    Matrix merged = matrix_view(1, 2, w);
    call_merge(merged, matrix_view(1, 16, a), matrix_view(16, 2, b), 1.0f);
    expect_within("w", merged, ((double[]){16777224, -16777224}), 0.0);
}
END_TEST

// ---- TASK 29.5: what stays in the context -------------------------------------------------------------------

typedef struct {
    const char *roles; // one letter a message: s, u, a
    int tokens[12];
    int context, room;
    const char *kept; // one digit a message
    int expected;
} Conversation;

static const char *wrong_messages(Matrix kept, const char *expected, int got, int tokens)
{
    for (int i = 0; i < kept.cols; i++) {
        float right = expected[i] == '1' ? 1.0f : 0.0f;
        if (kept.data[i] != right)
            return wrong_because("AT(kept, 0, %d): got %g, expected %g", i, (double)kept.data[i],
                                 (double)right);
    }
    return got == tokens ? NULL
                         : wrong_because("messages_to_keep(kept, tokens, roles, context, room): got %d, "
                                         "expected %d",
                                         got, tokens);
}

static void expect_messages(Matrix tokens, Matrix roles, int context, int room, const char *expected,
                            int stay)
{
    Arena *arena = arena_new();
    Matrix kept = rubbish(arena, 1, tokens.cols);
    GIVEN(OUT("kept", kept), IN("tokens", tokens), IN("roles", roles), NUMBER("context", context),
          NUMBER("room", room));
    int got = messages_to_keep(kept, tokens, roles, context, room);
    EXPECT_RIGHT(wrong_messages(kept, expected, got, stay));
    EXPECT_UNCHANGED();
    arena_free(arena);
}

static void expect_kept(const Conversation *list, int count)
{
    for (int k = 0; k < count; k++) {
        Arena *arena = arena_new();
        int n = (int)strlen(list[k].roles);
        Matrix tokens = matrix_new(arena, 1, n), roles = matrix_new(arena, 1, n);
        for (int i = 0; i < n; i++) {
            tokens.data[i] = (float)list[k].tokens[i];
            roles.data[i] = (float)(list[k].roles[i] == 's'   ? SYSTEM
                                    : list[k].roles[i] == 'u' ? USER
                                                              : ASSISTANT);
        }
        expect_messages(tokens, roles, list[k].context, list[k].room, list[k].kept, list[k].expected);
        arena_free(arena);
    }
}
#define EXPECT_KEPT(list) expect_kept(list, (int)(sizeof(list) / sizeof *(list)))

START_TEST(the_oldest_exchanges_go)
{
    static const Conversation list[] = {
        {"suauau", {5, 10, 20, 30, 40, 7}, 200, 50, "111111", 112},
        {"suauau", {5, 10, 20, 30, 40, 7}, 162, 50, "111111", 112},
        {"suauau", {5, 10, 20, 30, 40, 7}, 161, 50, "100111", 82},
        {"suauau", {5, 10, 20, 30, 40, 7}, 132, 50, "100111", 82},
        {"suauau", {5, 10, 20, 30, 40, 7}, 131, 50, "100001", 12},
        {"suauau", {5, 10, 20, 30, 40, 7}, 62, 50, "100001", 12},
    };
    EXPECT_KEPT(list);
}
END_TEST

START_TEST(no_gaps)
{
    static const Conversation list[] = {
        {"uauau", {1, 1, 100, 100, 5}, 50, 10, "00001", 5},
        {"suauauau", {3, 2, 2, 60, 1, 2, 2, 4}, 40, 10, "10000111", 11},
    };
    EXPECT_KEPT(list);
}
END_TEST

START_TEST(too_long_for_any_answer)
{
    static const Conversation list[] = {
        {"suau", {5, 1, 1, 7}, 61, 50, "0000", -1},
        {"su", {5, 7}, 11, 0, "00", -1},
        {"su", {5, 7}, 12, 0, "11", 12},
        {"u", {7}, 7, 0, "1", 7},
        {"u", {7}, 6, 0, "0", -1},
        {"u", {1}, 0, 0, "0", -1},
        {"ssu", {5, 5, 1}, 10, 0, "000", -1},
        {"uau", {1, 1, 1}, 100, 100, "000", -1},
    };
    EXPECT_KEPT(list);
}
END_TEST

START_TEST(interrupted_and_talkative)
{
    static const Conversation list[] = {
        {"uuuau", {10, 20, 30, 40, 5}, 75, 0, "00111", 75},
        {"uuuau", {10, 20, 30, 40, 5}, 94, 0, "00111", 75},
        {"uuuau", {10, 20, 30, 40, 5}, 95, 0, "01111", 95},
        {"uuu", {10, 20, 30}, 50, 0, "011", 50},
        {"ssuaauaau", {1, 2, 8, 8, 8, 8, 8, 8, 4}, 40, 2, "110001111", 31},
        {"ssuaauaau", {1, 2, 8, 8, 8, 8, 8, 8, 4}, 30, 2, "110000001", 7},
        {"ssuaauaau", {1, 2, 8, 8, 8, 8, 8, 8, 4}, 57, 2, "111111111", 55},
    };
    EXPECT_KEPT(list);
}
END_TEST

// The first user's message from which on all fits, tried from the oldest on.
static int true_messages(char *kept, Matrix tokens, Matrix roles, int context, int room)
{
    int n = tokens.cols;
    for (int first = 0; first < n; first++) {
        if ((int)roles.data[first] != USER) continue;
        int64_t total = 0;
        for (int i = 0; i < n; i++) {
            kept[i] = (int)roles.data[i] == SYSTEM || i >= first ? '1' : '0';
            if (kept[i] == '1') total += (int64_t)tokens.data[i];
        }
        if (total <= (int64_t)context - room) return (int)total;
    }
    memset(kept, '0', (size_t)n);
    return -1;
}

static void expect_random_messages(Rng *rng, int n, int most, int context)
{
    Arena *arena = arena_new();
    Matrix tokens = matrix_new(arena, 1, n), roles = matrix_new(arena, 1, n);
    int system = (int)rng_below(rng, 3), room = (int)rng_below(rng, (uint32_t)most);
    for (int i = 0; i < n; i++) {
        tokens.data[i] = (float)(1 + (int)rng_below(rng, (uint32_t)most));
        roles.data[i] = (float)(i < system ? SYSTEM : rng_below(rng, 5) < 2 ? USER : ASSISTANT);
    }
    if (system < n) roles.data[system] = (float)USER;
    roles.data[n - 1] = (float)USER;
    char *expected = arena_zeros(arena, (size_t)n + 1, 1);
    int stay = true_messages(expected, tokens, roles, context, room);
    expect_messages(tokens, roles, context, room, expected, stay);
    arena_free(arena);
}

START_TEST(conversations_of_any_length)
{
    Rng rng = rng_new(295, 0);
    for (int k = 0; k < 300; k++) {
        int n = 3 + (int)rng_below(&rng, 20), context = 20 + (int)rng_below(&rng, 300);
        expect_random_messages(&rng, n, 30, context);
    }
}
END_TEST

// So many messages of the system, so many of the user, all of 16 000 000 tokens; the last `last` ones stay, or none.
static void expect_giants(int system, int users, int context, int room, int last)
{
    Arena *arena = arena_new();
    int n = system + users;
    Matrix tokens = matrix_new(arena, 1, n), roles = matrix_new(arena, 1, n);
    char *expected = arena_zeros(arena, (size_t)n + 1, 1);
    fill(tokens, 16000000.0f);
    for (int i = 0; i < n; i++) {
        roles.data[i] = (float)(i < system ? SYSTEM : USER);
        expected[i] = last > 0 && (i < system || i >= n - last) ? '1' : '0';
    }
    expect_messages(tokens, roles, context, room, expected, last > 0 ? 16000000 * (system + last) : -1);
    arena_free(arena);
}

START_TEST(more_tokens_than_an_int_holds)
{
    enum { MOST = 2000000000 };
    Rng rng = rng_new(295, 1);
    expect_random_messages(&rng, 600, 16000000, MOST);
    expect_random_messages(&rng, 400, 16000000, 1000000007);
    expect_giants(2, 300, MOST, 1000, 122);
    expect_giants(300, 1, MOST, 0, 0);
    expect_giants(10, 1, MOST, MOST, 0);
    expect_giants(0, 1, 15999999, MOST, 0);
}
END_TEST

// clang-format off
EXERCISE("29-sft-lora",
         {"29.1", 4, the_answer_and_its_end},
         {"29.1", 4, every_answer_counts},
         {"29.1", 4, nothing_follows_the_last_token},
         {"29.1", 3, who_did_not_answer},
         {"29.2", 5, both_ways_and_the_bias},
         {"29.2", 3, a_new_adapter_changes_nothing},
         {"29.2", 6, layers_of_any_size},
         {"29.2", 6, small_products_of_large_factors},
         {"29.3", 5, all_three_gradients},
         {"29.3", 5, a_second_batch_is_added},
         {"29.3", 7, gradients_of_any_size},
         {"29.3", 3, the_first_step_of_an_adapter},
         {"29.3", 5, large_factors_backwards},
         {"29.4", 4, the_weights_take_the_adapter},
         {"29.4", 4, merges_of_any_size},
         {"29.4", 3, taken_out_again},
         {"29.4", 4, one_addition_for_the_whole_sum},
         {"29.5", 5, the_oldest_exchanges_go},
         {"29.5", 4, no_gaps},
         {"29.5", 4, too_long_for_any_answer},
         {"29.5", 4, interrupted_and_talkative},
         {"29.5", 4, conversations_of_any_length},
         {"29.5", 4, more_tokens_than_an_int_holds})
