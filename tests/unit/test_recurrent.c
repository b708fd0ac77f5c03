// Recurrent layers: bit for bit equal to their naive twins, with and without a state, and their gradients.
#include "suite.h"
#include "base/parallel.h"
#include "gradients.h"
#include "learning/ops/recurrent.h"
#include <math.h>

// ---- Cases ------------------------------------------------------------------------------------------------

typedef enum { RNN, LSTM, GRU } Cell;
static const int GATES[] = {1, 4, 3};

typedef struct {
    Cell cell;
    RnnKind kind;
    Sequences shape;
    Tensor *x, *w, *u, *b, *b_u;
    RecurrentState first; // the state before the first step
    RecurrentState state; // the one that the operation overwrites: set to first before each use
    bool with_state;
} Case;

static Case new_case(Arena *arena, Cell cell, RnnKind kind, Sequences shape, int inputs, int hidden,
                     bool with_state)
{
    int rows = sequences_rows(shape), wide = GATES[cell] * hidden;
    Case c = {.cell = cell,
              .kind = kind,
              .shape = shape,
              .x = parameter_new(arena, rows, inputs),
              .w = parameter_new(arena, inputs, wide),
              .u = parameter_new(arena, hidden, wide),
              .b = parameter_new(arena, 1, wide),
              .b_u = parameter_new(arena, 1, wide),
              .first = recurrent_state_new(arena, shape.batch, hidden),
              .state = recurrent_state_new(arena, shape.batch, hidden),
              .with_state = with_state};
    Rng rng = rng_new(13, (uint64_t)(rows * 31 + hidden));
    fill_normal(c.x->value, &rng, 0.0f, 1.0f);
    fill_normal(c.w->value, &rng, 0.0f, 0.5f);
    fill_normal(c.u->value, &rng, 0.0f, 0.7f / sqrtf((float)hidden));
    fill_normal(c.b->value, &rng, 0.0f, 0.5f);
    fill_normal(c.b_u->value, &rng, 0.0f, 0.5f);
    fill_normal(c.first.hidden, &rng, 0.0f, 0.5f);
    fill_normal(c.first.cell, &rng, 0.0f, 0.5f);
    return c;
}

static Tensor *build(Tape *tape, void *context)
{
    Case *c = context;
    copy(c->state.hidden, c->first.hidden);
    copy(c->state.cell, c->first.cell);
    RecurrentState *state = c->with_state ? &c->state : NULL;
    Tensor *x = tape_parameter(tape, c->x);
    if (c->cell == RNN) return rnn(x, c->w, c->u, c->b, c->shape, c->kind, state);
    if (c->cell == LSTM) return lstm(x, c->w, c->u, c->b, c->shape, state);
    return gru(x, c->w, c->u, c->b, c->b_u, c->shape, state);
}

static const struct {
    Sequences shape;
    int inputs, hidden;
} SIZES[] = {{{1, 1}, 1, 1}, {{1, 5}, 3, 2}, {{3, 1}, 2, 5}, {{2, 4}, 3, 3}, {{5, 3}, 1, 7}};
enum { SIZE_COUNT = sizeof SIZES / sizeof *SIZES };

// ---- The same numbers as the naive twins ------------------------------------------------------------------

static void expect_equal(Matrix got, Matrix expected, const char *what, const Case *c)
{
    ck_assert(same_shape(got, expected));
    // Every ck_assert writes a file: only what is wrong is handed to Check.
    for (int i = 0; i < got.rows; i++)
        for (int j = 0; j < got.cols; j++)
            if (memcmp(&AT(got, i, j), &AT(expected, i, j), sizeof(float)) != 0)
                ck_abort_msg("%s, cell %d, %d sequences of %d, %d threads: (%d, %d): got %.9g, expected %.9g",
                             what, (int)c->cell, c->shape.batch, c->shape.time, parallel_threads(), i, j,
                             (double)AT(got, i, j), (double)AT(expected, i, j));
}

// Fills what a naive forward gives: h, the cells, the gates.
static void naive(const Case *c, Matrix h, Matrix cell, Matrix gates)
{
    RecurrentState before = c->with_state ? c->first : (RecurrentState){{0, 0, NULL}, {0, 0, NULL}};
    Matrix x = c->x->value, w = c->w->value, u = c->u->value, b = c->b->value;
    if (c->cell == RNN) rnn_naive_forward(h, x, w, u, b, before.hidden, c->shape, c->kind);
    if (c->cell == LSTM) lstm_naive_forward(h, cell, gates, x, w, u, b, before, c->shape);
    if (c->cell == GRU) gru_naive_forward(h, gates, x, w, u, b, c->b_u->value, before.hidden, c->shape);
}

static void compare(Case *c)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    int rows = c->x->value.rows, hidden = c->u->value.rows;
    Matrix h = matrix_new(arena, rows, hidden), cell = matrix_new(arena, rows, hidden);
    Matrix gates = matrix_new(arena, rows, 4 * hidden);
    naive(c, h, cell, gates);
    for (int threads = 1; threads <= 3; threads++) {
        parallel_set_threads(threads);
        tape_reset(tape);
        Tensor *out = build(tape, c);
        expect_equal(out->value, h, "h", c);
        for (int b = 0; c->with_state && b < c->shape.batch; b++) {
            Matrix last = matrix_rows(h, (b + 1) * c->shape.time - 1, 1);
            expect_equal(matrix_rows(c->state.hidden, b, 1), last, "hidden state kept", c);
            if (c->cell != LSTM) continue;
            last = matrix_rows(cell, (b + 1) * c->shape.time - 1, 1);
            expect_equal(matrix_rows(c->state.cell, b, 1), last, "cell state kept", c);
        }
    }
    tape_free(tape);
    arena_free(arena);
}

START_TEST(cells_equal_their_naive_twins_bit_for_bit)
{
    const struct {
        Sequences shape;
        int inputs, hidden;
    } larger[] = {{{33, 7}, 19, 37}, {{9, 13}, 70, 64}, {{2, 40}, 5, 131}};
    for (int cell = RNN; cell <= GRU; cell++) {
        for (int with_state = 0; with_state < 2; with_state++) {
            for (int s = 0; s < SIZE_COUNT + 3; s++) {
                Arena *arena = arena_new();
                bool large = s >= SIZE_COUNT;
                Sequences shape = large ? larger[s - SIZE_COUNT].shape : SIZES[s].shape;
                int inputs = large ? larger[s - SIZE_COUNT].inputs : SIZES[s].inputs;
                int hidden = large ? larger[s - SIZE_COUNT].hidden : SIZES[s].hidden;
                for (int kind = RNN_LINEAR; kind <= (cell == RNN ? RNN_RELU : RNN_LINEAR); kind++) {
                    Case c = new_case(arena, (Cell)cell, (RnnKind)kind, shape, inputs, hidden, with_state);
                    compare(&c);
                }
                arena_free(arena);
            }
        }
    }
}
END_TEST

// One unit, one step, numbers that can be worked out on paper.
START_TEST(one_step_equals_the_equations)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    for (int cell = RNN; cell <= GRU; cell++) {
        Case c = new_case(arena, (Cell)cell, RNN_TANH, (Sequences){1, 1}, 1, 1, true);
        double x = (double)c.x->value.data[0], h = (double)c.first.hidden.data[0], z[4] = {0}, past = 0,
               expected;
        for (int g = 0; g < GATES[cell]; g++)
            z[g] =
                x * (double)c.w->value.data[g] + h * (double)c.u->value.data[g] + (double)c.b->value.data[g];
        if (cell == RNN) {
            expected = tanh(z[0]);
        } else if (cell == LSTM) {
            double i = 1 / (1 + exp(-z[0])), f = 1 / (1 + exp(-z[1])), o = 1 / (1 + exp(-z[3]));
            expected = o * tanh(f * (double)c.first.cell.data[0] + i * tanh(z[2]));
        } else {
            double r = 1 / (1 + exp(-z[0] - (double)c.b_u->value.data[0]));
            double update = 1 / (1 + exp(-z[1] - (double)c.b_u->value.data[1]));
            past = h * (double)c.u->value.data[2] + (double)c.b_u->value.data[2];
            double n = tanh(x * (double)c.w->value.data[2] + (double)c.b->value.data[2] + r * past);
            expected = (1 - update) * n + update * h;
        }
        double got = (double)build(tape, &c)->value.data[0];
        ck_assert_msg(fabs(got - expected) < 1e-6, "cell %d: got %.9g, expected %.9g", cell, got, expected);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// Two halves with the state carried over are the whole.
START_TEST(a_long_text_may_be_read_in_pieces)
{
    enum { BATCH = 3, HALF = 4, HIDDEN = 5 };
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    for (int cell = RNN; cell <= GRU; cell++) {
        Case whole = new_case(arena, (Cell)cell, RNN_TANH, (Sequences){BATCH, 2 * HALF}, 2, HIDDEN, true);
        Matrix all = build(tape, &whole)->value;
        Case part = whole;
        part.shape.time = HALF;
        for (int half = 0; half < 2; half++) {
            part.x = parameter_new(arena, BATCH * HALF, 2);
            for (int b = 0; b < BATCH; b++)
                copy(matrix_rows(part.x->value, b * HALF, HALF),
                     matrix_rows(whole.x->value, (2 * b + half) * HALF, HALF));
            Matrix piece = build(tape, &part)->value;
            for (int b = 0; b < BATCH; b++)
                expect_equal(matrix_rows(piece, b * HALF, HALF),
                             matrix_rows(all, (2 * b + half) * HALF, HALF), "piece", &part);
            copy(part.first.hidden, part.state.hidden);
            copy(part.first.cell, part.state.cell);
        }
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(biases_may_be_left_out)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    for (int cell = RNN; cell <= GRU; cell++) {
        Case c = new_case(arena, (Cell)cell, RNN_TANH, (Sequences){2, 3}, 2, 3, false);
        fill(c.b->value, 0.0f);
        fill(c.b_u->value, 0.0f);
        Matrix expected = build(tape, &c)->value;
        c.b = c.b_u = NULL;
        expect_equal(build(tape, &c)->value, expected, "without bias", &c);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// ---- Gradients --------------------------------------------------------------------------------------------

static void gradients_of(Cell cell, RnnKind kind)
{
    static const char *const names[] = {"x", "w", "u", "b", "b_u"};
    for (int s = 0; s < SIZE_COUNT; s++) {
        for (int with_state = 0; with_state < 2; with_state++) {
            // Without a state, one step does not depend on u: nothing there to be caught.
            if (!with_state && SIZES[s].shape.time == 1) continue;
            Arena *arena = arena_new();
            Case c =
                new_case(arena, cell, kind, SIZES[s].shape, SIZES[s].inputs, SIZES[s].hidden, with_state);
            check_operation(build, &c, (Tensor *[]){c.x, c.w, c.u, c.b, c.b_u}, names, cell == GRU ? 5 : 4,
                            2e-3);
            arena_free(arena);
        }
    }
}

START_TEST(gradients_of_linear_networks) { gradients_of(RNN, RNN_LINEAR); }
END_TEST
START_TEST(gradients_of_networks_with_tanh) { gradients_of(RNN, RNN_TANH); }
END_TEST
START_TEST(gradients_of_the_lstm) { gradients_of(LSTM, RNN_LINEAR); }
END_TEST
START_TEST(gradients_of_the_gru) { gradients_of(GRU, RNN_LINEAR); }
END_TEST

// A kink within the step of the differences would be no mistake: all sums are kept away from 0.
START_TEST(gradients_of_networks_with_relu)
{
    Arena *arena = arena_new();
    static const char *const names[] = {"x", "w", "u", "b"};
    Case c = new_case(arena, RNN, RNN_RELU, (Sequences){2, 4}, 3, 6, true);
    scale(c.w->value, 0.2f);
    scale(c.u->value, 0.2f);
    for (int j = 0; j < 6; j++) c.b->value.data[j] = j % 2 ? 1.0f : -1.0f;
    check_operation(build, &c, (Tensor *[]){c.x, c.w, c.u, c.b}, names, 4, 2e-3);
    arena_free(arena);
}
END_TEST

// Without a state, one step leaves u without an influence: a gradient of exactly 0.
START_TEST(one_step_from_nothing_does_not_depend_on_u)
{
    for (int cell = RNN; cell <= GRU; cell++) {
        Arena *arena = arena_new();
        Tape *tape = tape_new();
        Case c = new_case(arena, (Cell)cell, RNN_TANH, (Sequences){3, 1}, 2, 5, false);
        Tensor *out = build(tape, &c);
        fill(c.u->gradient, 1.0f);
        Matrix upstream = matrix_new(arena, 3, 5);
        fill(upstream, 0.3f);
        backward_from(out, upstream);
        for (size_t i = 0; i < matrix_size(c.u->gradient); i++) ck_assert(c.u->gradient.data[i] == 0.0f);
        ck_assert(sum_of_squares(c.w->gradient) > 0.0);
        tape_free(tape);
        arena_free(arena);
    }
}
END_TEST

// Gates that are shut or open as far as floats go: nothing overflows, nothing is divided by 0; and a NaN stays one.
START_TEST(closed_gates_keep_everything_finite)
{
    for (int cell = LSTM; cell <= GRU; cell++) {
        for (int way = 0; way < 3; way++) {
            Arena *arena = arena_new();
            Tape *tape = tape_new();
            Case c = new_case(arena, (Cell)cell, RNN_TANH, (Sequences){2, 3}, 2, 4, true);
            const float size = way == 2 ? NAN : way ? 1e6f : -1e6f;
            for (int j = 0; j < 4 * GATES[cell]; j++) c.b->value.data[j] = j / 4 == 2 ? 0.5f : size;
            Tensor *out = build(tape, &c);
            Matrix upstream = matrix_new(arena, 6, 4);
            fill(upstream, 1.0f);
            backward_from(out, upstream);
            ck_assert(all_finite(out->value) == (way < 2) && all_finite(c.w->gradient) == (way < 2));
            tape_free(tape);
            arena_free(arena);
        }
    }
}
END_TEST

// A large case on one and on three threads: the same bits in every gradient.
START_TEST(gradients_do_not_depend_on_threads)
{
    for (int cell = RNN; cell <= GRU; cell++) {
        Arena *arena = arena_new();
        Case c = new_case(arena, (Cell)cell, RNN_TANH, (Sequences){21, 11}, 19, 67, true);
        Tensor *const leaves[] = {c.x, c.w, c.u, c.b, c.b_u};
        Matrix first[5] = {{0, 0, NULL}}, upstream = matrix_new(arena, 21 * 11, 67);
        Rng rng = rng_new(1, 2);
        fill_normal(upstream, &rng, 0, 1);
        for (int threads = 1; threads <= 3; threads++) {
            parallel_set_threads(threads);
            Tape *tape = tape_new();
            for (int i = 0; i < 5; i++) leaves[i]->has_gradient = false;
            backward_from(build(tape, &c), upstream);
            for (int i = 0; i < (cell == GRU ? 5 : 4); i++) {
                if (threads == 1) first[i] = matrix_copy(arena, leaves[i]->gradient);
                expect_equal(leaves[i]->gradient, first[i], "gradient", &c);
            }
            tape_free(tape);
        }
        arena_free(arena);
    }
}
END_TEST

// ---- Linear recurrence and causal convolution -------------------------------------------------------------

typedef struct {
    Sequences shape;
    Tensor *a, *x; // factors or taps; inputs
} Simple;

static Simple new_simple(Arena *arena, Sequences shape, int rows_of_a, int channels)
{
    Simple s = {shape, parameter_new(arena, rows_of_a, channels),
                parameter_new(arena, sequences_rows(shape), channels)};
    Rng rng = rng_new(5, (uint64_t)(rows_of_a * 17 + channels));
    fill_uniform(s.a->value, &rng, -1.0f, 1.0f);
    fill_normal(s.x->value, &rng, 0.0f, 1.0f);
    return s;
}

static Tensor *build_recurrence(Tape *tape, void *context)
{
    Simple *s = context;
    return linear_recurrence(s->a, tape_parameter(tape, s->x), s->shape);
}

static Tensor *build_conv(Tape *tape, void *context)
{
    Simple *s = context;
    return causal_conv(tape_parameter(tape, s->x), s->a, s->shape);
}

static Tensor *build_last(Tape *tape, void *context)
{
    Simple *s = context;
    return last_steps(tape_parameter(tape, s->x), s->shape);
}

static void expect_near(Matrix got, int row, int col, double expected, double tolerance, const char *what)
{
    if (!(fabs((double)AT(got, row, col) - expected) <= tolerance * (1 + fabs(expected))))
        ck_abort_msg("%s, (%d × %d), (%d, %d): got %.9g, expected %.9g", what, got.rows, got.cols, row, col,
                     (double)AT(got, row, col), expected);
}

static const struct {
    Sequences shape;
    int channels;
} SIMPLE[] = {{{1, 1}, 1},  {{1, 2}, 1},   {{2, 3}, 5},   {{3, 8}, 2},    {{1, 7}, 70},
              {{5, 17}, 3}, {{2, 64}, 65}, {{37, 31}, 9}, {{1, 4099}, 3}, {{2, 300}, 130}};
enum { SIMPLE_COUNT = sizeof SIMPLE / sizeof *SIMPLE };

START_TEST(the_scan_and_the_loop_equal_the_recurrence)
{
    for (int s = 0; s < SIMPLE_COUNT; s++) {
        for (int shared = 0; shared < 2; shared++) {
            Arena *arena = arena_new();
            Tape *tape = tape_new();
            Sequences shape = SIMPLE[s].shape;
            int rows = sequences_rows(shape), channels = SIMPLE[s].channels;
            Simple c = new_simple(arena, shape, shared ? 1 : rows, channels);
            Matrix loop = build_recurrence(tape, &c)->value, scan = matrix_new(arena, rows, channels),
                   first = scan;
            for (int threads = 1; threads <= 3; threads++) {
                parallel_set_threads(threads);
                scan = matrix_new(arena, rows, channels);
                linear_recurrence_scan(arena, scan, c.a->value, c.x->value, shape);
                if (threads == 1) first = scan;
                ck_assert(memcmp(scan.data, first.data, matrix_size(scan) * sizeof(float)) == 0);
            }
            for (int b = 0; b < shape.batch; b++) {
                for (int j = 0; j < channels; j++) {
                    double state = 0;
                    for (int t = 0; t < shape.time; t++) {
                        int row = b * shape.time + t;
                        state = (double)AT(c.a->value, shared ? 0 : row, j) * state +
                                (double)AT(c.x->value, row, j);
                        expect_near(loop, row, j, state, 1e-4, "loop");
                        expect_near(scan, row, j, state, 1e-4, "scan");
                    }
                }
            }
            tape_free(tape);
            arena_free(arena);
        }
    }
}
END_TEST

START_TEST(gradients_of_linear_recurrences)
{
    static const char *const names[] = {"a", "x"};
    for (int s = 1; s < 6; s++) {
        for (int shared = 0; shared < 2; shared++) {
            Arena *arena = arena_new();
            Sequences shape = SIMPLE[s].shape;
            Simple c = new_simple(arena, shape, shared ? 1 : sequences_rows(shape), SIMPLE[s].channels);
            check_operation(build_recurrence, &c, (Tensor *[]){c.a, c.x}, names, 2, 2e-3);
            arena_free(arena);
        }
    }
}
END_TEST

START_TEST(causal_convolution_equals_its_definition)
{
    for (int s = 0; s < SIMPLE_COUNT; s++) {
        for (int taps = 1; taps <= 9; taps += 4) {
            Arena *arena = arena_new();
            Tape *tape = tape_new();
            Sequences shape = SIMPLE[s].shape;
            Simple c = new_simple(arena, shape, taps, SIMPLE[s].channels);
            Matrix y = build_conv(tape, &c)->value;
            for (int row = 0; row < y.rows; row++) {
                for (int j = 0; j < y.cols; j++) {
                    double expected = 0;
                    for (int k = 0; k < taps && k <= row % shape.time; k++)
                        expected += (double)AT(c.a->value, k, j) * (double)AT(c.x->value, row - k, j);
                    expect_near(y, row, j, expected, 1e-5, "convolution");
                }
            }
            tape_free(tape);
            arena_free(arena);
        }
    }
}
END_TEST

START_TEST(gradients_of_causal_convolutions)
{
    static const char *const names[] = {"w", "x"};
    const int taps[] = {1, 2, 3, 5, 2, 4};
    for (int s = 0; s < 6; s++) {
        Arena *arena = arena_new();
        Simple c =
            new_simple(arena, SIMPLE[s].shape, int_min(taps[s], SIMPLE[s].shape.time), SIMPLE[s].channels);
        check_operation(build_conv, &c, (Tensor *[]){c.a, c.x}, names, 2, 2e-3);
        arena_free(arena);
    }
}
END_TEST

START_TEST(last_steps_are_the_last_and_send_their_gradient_there)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Simple c = new_simple(arena, (Sequences){3, 4}, 1, 5);
    Tensor *y = build_last(tape, &c);
    for (int b = 0; b < 3; b++)
        for (int j = 0; j < 5; j++) ck_assert(AT(y->value, b, j) == AT(c.x->value, 4 * b + 3, j));
    check_operation(build_last, &c, (Tensor *[]){c.x}, (const char *const[]){"x"}, 1, 2e-3);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// ---- What is refused --------------------------------------------------------------------------------------

static void too_few_rows(void *context)
{
    (void)context;
    Case c = new_case(arena_new(), LSTM, RNN_TANH, (Sequences){2, 3}, 2, 3, false);
    c.shape.time = 4;
    build(tape_new(), &c);
}

static void wrong_input_weight(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Case c = new_case(arena, RNN, RNN_TANH, (Sequences){2, 3}, 2, 3, false);
    c.w = parameter_new(arena, 3, 3);
    build(tape_new(), &c);
}

static void weights_of_another_cell(void *context)
{
    (void)context;
    Case c = new_case(arena_new(), GRU, RNN_TANH, (Sequences){2, 3}, 2, 3, false);
    c.cell = LSTM;
    build(tape_new(), &c);
}

static void state_of_another_batch(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Case c = new_case(arena, LSTM, RNN_TANH, (Sequences){2, 3}, 2, 3, true);
    c.first = c.state = recurrent_state_new(arena, 4, 3);
    build(tape_new(), &c);
}

static void wrong_bias(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Case c = new_case(arena, GRU, RNN_TANH, (Sequences){2, 3}, 2, 3, true);
    c.b_u = parameter_new(arena, 1, 3);
    build(tape_new(), &c);
}

static void wrong_factors(void *context)
{
    (void)context;
    Simple c = new_simple(arena_new(), (Sequences){2, 3}, 2, 3);
    build_recurrence(tape_new(), &c);
}

static void wrong_taps(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Simple c = new_simple(arena, (Sequences){2, 3}, 2, 3);
    c.a = parameter_new(arena, 2, 4);
    build_conv(tape_new(), &c);
}

START_TEST(wrong_shapes_are_refused)
{
    expect_death(too_few_rows, NULL, "lstm: 2 sequences of 4 steps in a matrix (6 × 2)");
    expect_death(wrong_input_weight, NULL, "rnn: x (6 × 2) meets an input weight (3 × 3)");
    expect_death(weights_of_another_cell, NULL, "lstm: input weight (2 × 9), recurrent weight (3 × 9)");
    expect_death(state_of_another_batch, NULL, "lstm: 2 sequences, 3 hidden units, a state (4 × 3)");
    expect_death(wrong_bias, NULL, "gru: weights with 9 columns and a bias (1 × 3)");
    expect_death(wrong_factors, NULL, "linear_recurrence: factors (2 × 3), x (6 × 3)");
    expect_death(wrong_taps, NULL, "causal_conv: x (6 × 3), w (2 × 4)");
}
END_TEST

SUITE("recurrent", cells_equal_their_naive_twins_bit_for_bit, one_step_equals_the_equations,
      a_long_text_may_be_read_in_pieces, biases_may_be_left_out, gradients_of_linear_networks,
      gradients_of_networks_with_tanh, gradients_of_the_lstm, gradients_of_the_gru,
      gradients_of_networks_with_relu, one_step_from_nothing_does_not_depend_on_u,
      closed_gates_keep_everything_finite, gradients_do_not_depend_on_threads,
      the_scan_and_the_loop_equal_the_recurrence, gradients_of_linear_recurrences,
      causal_convolution_equals_its_definition, gradients_of_causal_convolutions,
      last_steps_are_the_last_and_send_their_gradient_there, wrong_shapes_are_refused)
