// recurrent_tape.c: the layers of recurrent.h as operations of the tape.
#include "learning/ops/recurrent.h"

#include <string.h>

static const Matrix NOTHING = {0, 0, NULL};

static Matrix value_of(const Tensor *t) { return t ? t->value : NOTHING; }

// ---- Shapes -----------------------------------------------------------------------------------------------

static void need_sequences(Place place, const char *name, const Tensor *x, Sequences s)
{
    check_at(place, s.batch > 0 && s.time > 0 && (long)s.batch * s.time == x->value.rows,
             "row b · time + t holds step t of sequence b: batch · time rows",
             "%s: %d sequences of %d steps in a matrix (%d × %d)", name, s.batch, s.time, x->value.rows,
             x->value.cols);
}

static void need_bias(Place place, const char *name, const Tensor *b, int cols)
{
    check_at(place, !b || (b->value.rows == 1 && b->value.cols == cols),
             "a bias is (1 × columns of the weight), or NULL",
             "%s: weights with %d columns and a bias (%d × %d)", name, cols, b->value.rows, b->value.cols);
}

// x (B·T × I), w (I × gates·H), u (H × gates·H), b (1 × gates·H); the state (B × H)
static void need_cell(Place place, const char *name, int gates, const Tensor *x, const Tensor *w,
                      const Tensor *u, const Tensor *b, Sequences s, const RecurrentState *state)
{
    need_sequences(place, name, x, s);
    check_at(place, x->value.cols == w->value.rows, "an input weight has one row for each input feature",
             "%s: x (%d × %d) meets an input weight (%d × %d)", name, x->value.rows, x->value.cols,
             w->value.rows, w->value.cols);
    check_at(place, (long)u->value.rows * gates == u->value.cols && w->value.cols == u->value.cols,
             gates == 1   ? "with H hidden units: inputs × H and H × H"
             : gates == 3 ? "with H hidden units: inputs × 3H and H × 3H, for r, z and n"
                          : "with H hidden units: inputs × 4H and H × 4H, for i, f, g and o",
             "%s: input weight (%d × %d), recurrent weight (%d × %d)", name, w->value.rows, w->value.cols,
             u->value.rows, u->value.cols);
    need_bias(place, name, b, u->value.cols);
    if (!state) return;
    check_at(place, state->hidden.rows == s.batch && state->hidden.cols == u->value.rows,
             "recurrent_state_new(arena, batch, hidden)",
             "%s: %d sequences, %d hidden units, a state (%d × %d)", name, s.batch, u->value.rows,
             state->hidden.rows, state->hidden.cols);
    check_at(place, gates != 4 || same_shape(state->hidden, state->cell),
             "recurrent_state_new(arena, batch, hidden)", "%s: a hidden state (%d × %d) and a cell (%d × %d)",
             name, state->hidden.rows, state->hidden.cols, state->cell.rows, state->cell.cols);
}

// ---- Cells ------------------------------------------------------------------------------------------------

// What a backward needs beside its inputs.
typedef struct {
    Sequences shape;
    RnnKind kind;
    RecurrentState before;
    Matrix cell, gates;
} Memory;

// The state before the first step, kept: the one that the caller holds is overwritten.
static RecurrentState state_before(Tensor *node, const RecurrentState *state, bool with_cell)
{
    if (!state) return (RecurrentState){NOTHING, NOTHING};
    return (RecurrentState){.hidden = matrix_copy(tape_arena(node->tape), state->hidden),
                            .cell = with_cell ? matrix_copy(tape_arena(node->tape), state->cell) : NOTHING};
}

static void keep_last(Matrix state, Matrix all, Sequences s)
{
    for (int b = 0; b < s.batch; b++)
        memcpy(matrix_row(state, b), matrix_row(all, (b + 1) * s.time - 1), (size_t)all.cols * sizeof(float));
}

static void rnn_step(Tensor *self)
{
    const Memory *m = self->context;
    Tensor **in = self->inputs;
    Arena *scratch = tape_arena(self->tape);
    ArenaMark mark = arena_mark(scratch);
    Matrix d_z = matrix_uninitialised(scratch, self->value.rows, self->value.cols);
    rnn_backward(scratch, tensor_gradient(in[0]), tensor_gradient(in[1]), tensor_gradient(in[2]),
                 tensor_gradient(in[3]), d_z, self->gradient, self->value, in[0]->value, in[1]->value,
                 in[2]->value, m->before.hidden, m->shape, m->kind);
    arena_rewind(scratch, mark);
}

Tensor *rnn_at(Place place, Tensor *x, Tensor *w, Tensor *u, Tensor *b, Sequences shape, RnnKind kind,
               RecurrentState *state)
{
    need_cell(place, "rnn", 1, x, w, u, b, shape, state);
    Tensor *h =
        tensor_node(place, "rnn", x->value.rows, u->value.rows, rnn_step, sizeof(Memory), 4, x, w, u, b);
    Memory *m = h->context;
    *m = (Memory){.shape = shape, .kind = kind, .before = state_before(h, state, false)};
    rnn_forward(tape_arena(h->tape), h->value, x->value, w->value, u->value, value_of(b), m->before.hidden,
                shape, kind);
    if (state) keep_last(state->hidden, h->value, shape);
    return h;
}

static void lstm_step(Tensor *self)
{
    const Memory *m = self->context;
    Tensor **in = self->inputs;
    Arena *scratch = tape_arena(self->tape);
    ArenaMark mark = arena_mark(scratch);
    Matrix d_gates = matrix_uninitialised(scratch, m->gates.rows, m->gates.cols);
    lstm_backward(scratch, tensor_gradient(in[0]), tensor_gradient(in[1]), tensor_gradient(in[2]),
                  tensor_gradient(in[3]), d_gates, self->gradient, self->value, m->cell, m->gates,
                  in[0]->value, in[1]->value, in[2]->value, m->before, m->shape);
    arena_rewind(scratch, mark);
}

Tensor *lstm_at(Place place, Tensor *x, Tensor *w, Tensor *u, Tensor *b, Sequences shape,
                RecurrentState *state)
{
    need_cell(place, "lstm", 4, x, w, u, b, shape, state);
    int rows = x->value.rows, hidden = u->value.rows;
    Tensor *h = tensor_node(place, "lstm", rows, hidden, lstm_step, sizeof(Memory), 4, x, w, u, b);
    Arena *arena = tape_arena(h->tape);
    Memory *m = h->context;
    *m = (Memory){.shape = shape,
                  .before = state_before(h, state, true),
                  .cell = matrix_uninitialised_at(place, arena, rows, hidden),
                  .gates = matrix_uninitialised_at(place, arena, rows, 4 * hidden)};
    lstm_forward(arena, h->value, m->cell, m->gates, x->value, w->value, u->value, value_of(b), m->before,
                 shape);
    if (state) {
        keep_last(state->hidden, h->value, shape);
        keep_last(state->cell, m->cell, shape);
    }
    return h;
}

static void gru_step(Tensor *self)
{
    const Memory *m = self->context;
    Tensor **in = self->inputs;
    Arena *scratch = tape_arena(self->tape);
    ArenaMark mark = arena_mark(scratch);
    Matrix d_gates = matrix_uninitialised(scratch, m->gates.rows, m->gates.cols);
    gru_backward(scratch, tensor_gradient(in[0]), tensor_gradient(in[1]), tensor_gradient(in[2]),
                 tensor_gradient(in[3]), tensor_gradient(in[4]), d_gates, self->gradient, self->value,
                 m->gates, in[0]->value, in[1]->value, in[2]->value, m->before.hidden, m->shape);
    arena_rewind(scratch, mark);
}

Tensor *gru_at(Place place, Tensor *x, Tensor *w, Tensor *u, Tensor *b, Tensor *b_u, Sequences shape,
               RecurrentState *state)
{
    need_cell(place, "gru", 3, x, w, u, b, shape, state);
    need_bias(place, "gru", b_u, u->value.cols);
    int rows = x->value.rows, hidden = u->value.rows;
    Tensor *h = tensor_node(place, "gru", rows, hidden, gru_step, sizeof(Memory), 5, x, w, u, b, b_u);
    Arena *arena = tape_arena(h->tape);
    Memory *m = h->context;
    *m = (Memory){.shape = shape,
                  .before = state_before(h, state, false),
                  .gates = matrix_uninitialised_at(place, arena, rows, 4 * hidden)};
    gru_forward(arena, h->value, m->gates, x->value, w->value, u->value, value_of(b), value_of(b_u),
                m->before.hidden, shape);
    if (state) keep_last(state->hidden, h->value, shape);
    return h;
}

// ---- Linear recurrence, causal convolution, the last step ---------------------------------------------------

static void linear_recurrence_step(Tensor *self)
{
    Tensor *a = self->inputs[0], *x = self->inputs[1];
    linear_recurrence_backward(tensor_gradient(a), tensor_gradient(x), self->gradient, self->value, a->value,
                               *(const Sequences *)self->context);
}

Tensor *linear_recurrence_at(Place place, Tensor *a, Tensor *x, Sequences shape)
{
    need_sequences(place, "linear_recurrence", x, shape);
    check_at(place, a->value.cols == x->value.cols && (a->value.rows == 1 || a->value.rows == x->value.rows),
             "the factors are one row for all steps, or one row for each",
             "linear_recurrence: factors (%d × %d), x (%d × %d)", a->value.rows, a->value.cols, x->value.rows,
             x->value.cols);
    Tensor *h = tensor_node(place, "linear_recurrence", x->value.rows, x->value.cols, linear_recurrence_step,
                            sizeof shape, 2, a, x);
    memcpy(h->context, &shape, sizeof shape);
    linear_recurrence_forward(h->value, a->value, x->value, shape);
    return h;
}

static void causal_conv_step(Tensor *self)
{
    Tensor *x = self->inputs[0], *w = self->inputs[1];
    causal_conv_backward(tensor_gradient(x), tensor_gradient(w), self->gradient, x->value, w->value,
                         *(const Sequences *)self->context);
}

Tensor *causal_conv_at(Place place, Tensor *x, Tensor *w, Sequences shape)
{
    need_sequences(place, "causal_conv", x, shape);
    check_at(place, x->value.cols == w->value.cols && w->value.rows > 0,
             "every channel has its own taps: w is (taps × channels)",
             "causal_conv: x (%d × %d), w (%d × %d)", x->value.rows, x->value.cols, w->value.rows,
             w->value.cols);
    Tensor *y = tensor_node(place, "causal_conv", x->value.rows, x->value.cols, causal_conv_step,
                            sizeof shape, 2, x, w);
    memcpy(y->context, &shape, sizeof shape);
    causal_conv_forward(y->value, x->value, w->value, shape);
    return y;
}

// y_b = x of the last step of sequence b
static void last_steps_step(Tensor *self)
{
    Matrix d_x = tensor_gradient(self->inputs[0]);
    if (!d_x.data) return;
    const Sequences *s = self->context;
    for (int b = 0; b < s->batch; b++) {
        Matrix to = matrix_rows(d_x, (b + 1) * s->time - 1, 1);
        add(to, to, matrix_rows(self->gradient, b, 1));
    }
}

Tensor *last_steps_at(Place place, Tensor *x, Sequences shape)
{
    need_sequences(place, "last_steps", x, shape);
    Tensor *y =
        tensor_node(place, "last_steps", shape.batch, x->value.cols, last_steps_step, sizeof shape, 1, x);
    memcpy(y->context, &shape, sizeof shape);
    keep_last(y->value, x->value, shape);
    return y;
}
