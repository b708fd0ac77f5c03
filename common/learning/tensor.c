// tensor.c: the tape. See tensor.h.
#include "learning/tensor.h"
#include "base/check.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

// Memory that a gradient has left.
typedef struct {
    float *data;
    size_t size; // numbers
} Piece;

struct Tape {
    Arena *arena;     // of one step: nodes, values, contexts
    Arena *gradients; // those of nodes; NULL without recording
    Piece *pieces;    // of them, free again; the last one was left last
    int piece_count, piece_capacity;
    Tensor **nodes; // in order of creation; kept from step to step
    int length, capacity;
    bool recording;
    TapeWatch *watch; // NULL: nobody watches
    void *watch_context;
    bool borrowed; // the arena is another's, and holds the tape itself before `start`; nodes are not listed
    ArenaMark start;
};

Tape *tape_new(void)
{
    Tape *tape = calloc(1, sizeof *tape);
    check(tape, "close other programs", "no memory for a tape");
    tape->arena = arena_new();
    tape->gradients = arena_new();
    tape->recording = true;
    return tape;
}

Tape *tape_inference_at(Place place, Arena *arena)
{
    Tape *tape = arena_alloc_at(place, arena, 1, sizeof *tape);
    *tape = (Tape){.arena = arena, .borrowed = true};
    tape->start = arena_mark(arena);
    return tape;
}

void tape_free(Tape *tape)
{
    if (!tape || tape->borrowed) return;
    arena_free(tape->arena);
    arena_free(tape->gradients);
    free(tape->pieces);
    free(tape->nodes);
    free(tape);
}

void tape_reset(Tape *tape)
{
    if (tape->borrowed) {
        arena_rewind(tape->arena, tape->start);
    } else {
        arena_reset(tape->arena);
        arena_reset(tape->gradients);
    }
    tape->piece_count = 0;
    tape->length = 0;
}

void tape_record(Tape *tape, bool recording)
{
    check(!recording || !tape->borrowed, "make it with tape_new()", "tape_record: a tape for inference");
    tape->recording = recording;
}

void tape_watch(Tape *tape, TapeWatch *watch, void *context)
{
    tape->watch = watch;
    tape->watch_context = context;
}

static void tell(const Tape *tape, const Tensor *node, TapeEvent event)
{
    if (tape->watch) tape->watch(tape->watch_context, node, event);
}

bool tape_recording(const Tape *tape) { return tape->recording; }
Arena *tape_arena(Tape *tape) { return tape->arena; }
int tape_length(const Tape *tape) { return tape->length; }

size_t tape_memory(const Tape *tape)
{
    return arena_used(tape->arena) + (tape->gradients ? arena_used(tape->gradients) : 0);
}

Tensor *tape_node(const Tape *tape, int index)
{
    check(index >= 0 && index < tape->length, "nodes are numbered from 0", "tape_node: node %d of %d", index,
          tape->length);
    return tape->nodes[index];
}

// Writes a tensor with this value at the end of the tape. Without gradients nobody plays the list backwards: a borrowed tape
// has none.
static Tensor *append(Place place, Tape *tape, const char *operation, Matrix value)
{
    if (!tape->borrowed && tape->length == tape->capacity) {
        int capacity = int_max(256, tape->capacity * 2);
        Tensor **nodes = realloc(tape->nodes, (size_t)capacity * sizeof(Tensor *));
        check_at(place, nodes, "is a tape_reset missing?", "no memory for a tape of %d nodes", capacity);
        tape->nodes = nodes;
        tape->capacity = capacity;
    }
    Tensor *tensor = arena_zeros_at(place, tape->arena, 1, sizeof *tensor);
    tensor->value = value;
    tensor->gradient = (Matrix){value.rows, value.cols, NULL};
    tensor->operation = operation;
    tensor->tape = tape;
    if (!tape->borrowed) tape->nodes[tape->length++] = tensor;
    return tensor;
}

Tensor *tape_input(Tape *tape, Matrix value) { return append(HERE, tape, "input", value); }

Tensor *tape_variable(Tape *tape, Matrix value)
{
    Tensor *tensor = append(HERE, tape, "variable", value);
    tensor->wants_gradient = tensor->keeps_gradient = tape->recording;
    if (tensor->wants_gradient) tensor->gradient = matrix_uninitialised(tape->arena, value.rows, value.cols);
    return tensor;
}

Tensor *parameter_new_at(Place place, Arena *arena, int rows, int cols)
{
    Tensor *tensor = arena_zeros_at(place, arena, 1, sizeof *tensor);
    tensor->value = matrix_new_at(place, arena, rows, cols);
    tensor->gradient = matrix_new_at(place, arena, rows, cols);
    tensor->wants_gradient = true;
    tensor->operation = "parameter";
    return tensor;
}

// ---- Nodes ------------------------------------------------------------------------------------------------

// A node with these inputs. Its value is the one given, or new memory when that has none.
static Tensor *node_new(Place place, Tape *tape, const char *operation, Matrix value, BackwardStep step,
                        size_t context_size, int input_count, Tensor *const *inputs)
{
    check_at(place, input_count <= TENSOR_MAX_INPUTS, "join some inputs first",
             "%s: %d inputs, at most %d are possible", operation, input_count, TENSOR_MAX_INPUTS);
    if (!value.data) value = matrix_uninitialised_at(place, tape->arena, value.rows, value.cols);
    Tensor *node = append(place, tape, operation, value);
    for (int i = 0; i < input_count; i++) {
        Tensor *input = inputs[i];
        node->inputs[i] = input;
        if (!input) continue;
        check_at(place, !input->tape || input->tape == tape, "build one graph on one tape",
                 "%s: its inputs are on two tapes", operation);
        if (input->wants_gradient && tape->recording) node->wants_gradient = true;
    }
    node->input_count = input_count;
    if (node->wants_gradient) node->step = step;
    if (context_size) node->context = arena_zeros_at(place, tape->arena, 1, context_size);
    tell(tape, node, TAPE_FORWARD);
    return node;
}

Tensor *tensor_node_on(Place place, Tape *tape, const char *operation, int rows, int cols, BackwardStep step,
                       size_t context_size, int input_count, Tensor *const *inputs)
{
    return node_new(place, tape, operation, (Matrix){rows, cols, NULL}, step, context_size, input_count,
                    inputs);
}

Tensor *tensor_node(Place place, const char *operation, int rows, int cols, BackwardStep step,
                    size_t context_size, int input_count, ...)
{
    Tensor *inputs[TENSOR_MAX_INPUTS];
    Tape *tape = NULL;
    check_at(place, input_count <= TENSOR_MAX_INPUTS, "join some inputs first",
             "%s: %d inputs, at most %d are possible", operation, input_count, TENSOR_MAX_INPUTS);
    va_list arguments;
    va_start(arguments, input_count);
    for (int i = 0; i < input_count; i++) {
        inputs[i] = va_arg(arguments, Tensor *);
        if (inputs[i] && inputs[i]->tape) tape = inputs[i]->tape;
    }
    va_end(arguments);
    check_at(place, tape,
             "put the data on a tape first: tape_input(tape, x); a parameter: tape_parameter(tape, p)",
             "%s: none of its inputs is on a tape", operation);
    return tensor_node_on(place, tape, operation, rows, cols, step, context_size, input_count, inputs);
}

Tensor *tensor_view(Place place, const char *operation, Matrix value, BackwardStep step, size_t context_size,
                    Tensor *x)
{
    check_at(place, x->tape, "put the parameter on a tape first: tape_parameter(tape, p)",
             "%s: its input is not on a tape", operation);
    return node_new(place, x->tape, operation, value, step, context_size, 1, &x);
}

// value = parameter
static void tape_parameter_step(Tensor *self) { tensor_pass_gradient(self->inputs[0], self); }

Tensor *tape_parameter(Tape *tape, Tensor *parameter)
{
    return node_new(HERE, tape, "tape_parameter", parameter->value, tape_parameter_step, 0, 1, &parameter);
}

// ---- Gradients --------------------------------------------------------------------------------------------

// Memory for so many numbers: the piece of that size that was left last, if it is among the last.
static float *take_piece(Tape *tape, size_t size)
{
    enum { LOOKED_AT = 32 };
    const int last = tape->piece_count - 1;
    for (int i = last; i >= 0 && i > last - LOOKED_AT; i--) {
        if (tape->pieces[i].size != size) continue;
        float *data = tape->pieces[i].data;
        memmove(&tape->pieces[i], &tape->pieces[i + 1], (size_t)(last - i) * sizeof(Piece));
        tape->piece_count--;
        return data;
    }
    return arena_alloc(tape->gradients, size, sizeof(float));
}

// Its step has sent the gradient on.
static void leave_piece(Tensor *node)
{
    Tape *tape = node->tape;
    if (node->keeps_gradient) return;
    node->has_gradient = false;
    if (!node->gradient.data) return; // passed on to an input
    if (tape->piece_count == tape->piece_capacity) {
        const int capacity = int_max(64, 2 * tape->piece_capacity);
        Piece *pieces = realloc(tape->pieces, (size_t)capacity * sizeof *pieces);
        check(pieces, "close other programs", "no memory for %d gradients", capacity);
        tape->pieces = pieces;
        tape->piece_capacity = capacity;
    }
    tape->pieces[tape->piece_count++] = (Piece){node->gradient.data, matrix_size(node->gradient)};
    node->gradient.data = NULL;
}

void tensor_keep_gradient(Tensor *node) { node->keeps_gradient = true; }

Matrix tensor_gradient_raw(Tensor *t, bool *accumulate)
{
    *accumulate = false;
    if (!t || !t->wants_gradient) return (Matrix){0, 0, NULL};
    *accumulate = t->has_gradient;
    t->has_gradient = true;
    if (!t->gradient.data) t->gradient.data = take_piece(t->tape, matrix_size(t->gradient));
    return t->gradient;
}

Matrix tensor_gradient_in_place(Tensor *t, Tensor *self, bool *accumulate)
{
    if (!t || !t->wants_gradient || t->gradient.data || self->keeps_gradient)
        return tensor_gradient_raw(t, accumulate);
    *accumulate = false;
    t->has_gradient = true;
    t->gradient.data = self->gradient.data;
    self->gradient.data = NULL;
    return t->gradient;
}

void tensor_pass_gradient(Tensor *t, Tensor *self)
{
    bool accumulate;
    const Matrix d_self = self->gradient, d = tensor_gradient_in_place(t, self, &accumulate);
    if (!d.data || d.data == d_self.data) return;
    const Matrix from = matrix_reshape(d_self, d.rows, d.cols);
    if (accumulate) {
        add(d, d, from);
    } else {
        copy(d, from);
    }
}

Matrix tensor_gradient_scratch(Tensor *self)
{
    if (!self->keeps_gradient) return self->gradient;
    return matrix_uninitialised(self->tape->arena, self->gradient.rows, self->gradient.cols);
}

void tensor_need_same(Place place, const char *operation, const Tensor *a, const Tensor *b)
{
    check_at(place, same_shape(a->value, b->value), "both must have the same number of rows and columns",
             "%s: (%d × %d) and (%d × %d)", operation, a->value.rows, a->value.cols, b->value.rows,
             b->value.cols);
}

Matrix tensor_gradient(Tensor *t)
{
    bool accumulate;
    Matrix gradient = tensor_gradient_raw(t, &accumulate);
    if (gradient.data && !accumulate) memset(gradient.data, 0, matrix_size(gradient) * sizeof(float));
    return gradient;
}

// ---- Backwards --------------------------------------------------------------------------------------------

void backward_from_at(Place place, Tensor *out, Matrix upstream)
{
    Tape *tape = out->tape;
    check_at(place, tape, "a parameter has no history", "backward: this tensor is not on a tape");
    check_at(place, tape->recording, "tape_record(tape, true) before the forward pass",
             "backward: the tape does not record");
    check_at(place, out->wants_gradient,
             "is a parameter among its inputs? was the tape recording when it was made?",
             "backward: %s (%d × %d) does not depend on anything that wants a gradient", out->operation,
             out->value.rows, out->value.cols);
    check_at(place, same_shape(out->value, upstream), "the gradient of a tensor has its shape",
             "backward: the gradient is (%d × %d), %s is (%d × %d)", upstream.rows, upstream.cols,
             out->operation, out->value.rows, out->value.cols);

    // What an earlier backward left on this tape does not count again. Parameters keep theirs.
    for (int i = 0; i < tape->length; i++) tape->nodes[i]->has_gradient = false;
    bool accumulate;
    copy(tensor_gradient_raw(out, &accumulate), upstream);
    for (int i = tape->length - 1; i >= 0; i--) {
        Tensor *node = tape->nodes[i];
        if (!node->has_gradient || !node->step) continue;
        tell(tape, node, TAPE_BACKWARD);
        node->step(node);
        leave_piece(node);
    }
    tell(tape, out, TAPE_END);
}

void backward_at(Place place, Tensor *loss)
{
    check_at(place, loss->value.rows == 1 && loss->value.cols == 1,
             "reduce it first: sum_all(x), mean_all(x) or a loss",
             "backward: a loss is (1 × 1), this %s is (%d × %d)", loss->operation, loss->value.rows,
             loss->value.cols);
    float one = 1.0f;
    backward_from_at(place, loss, (Matrix){1, 1, &one});
}
