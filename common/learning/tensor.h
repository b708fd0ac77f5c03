// tensor.h: the tape. It writes down each operation as it runs, and plays the list backwards to find every
// gradient.
//
//     Tape *tape = tape_new();
//     for (...) {
//         tape_reset(tape);                                 // forget the last step; no memory is asked for
//         Tensor *hidden = relu(affine(tape_input(tape, x), weight, bias));
//         Tensor *loss = mean_squared_error(hidden, y);
//         backward(loss);                                   // weight->gradient now holds d loss / d weight
//     }
//
// Operations are coarse (a whole layer is one node), so the tape costs nothing that can be measured. The
// order of creation is an order in which every node comes after its inputs: playing it backwards needs no
// sorting. There is no global state: an operation finds its tape through its inputs. A tensor that is used
// twice receives the sum of both gradients.
//
// Gradients on their way: the gradient of a node is needed from the moment an operation above it writes to it until its own step has
// sent it on. Then its memory serves the next one, which finds it in the processor's cache, and gradient.data is NULL again; a
// backward pass needs a few gradients at once, not as many as there are nodes. The leaves keep theirs (parameters,
// tape_variable). To look at that of a node in between, ask before the pass: tensor_keep_gradient(hidden).
//
// C leaves open in which order the arguments of a call are evaluated, and compilers
// differ: in tensor_add(f(x), g(x)) either may come first on the tape. Where x is used more than twice, or f and g draw
// random numbers, give them lines of their own, or the last digits depend on the compiler.
//
// How an operation is written (ops/*.c): a pair of plain functions on matrices, x_forward and x_backward, side
// by side, the backward quoting the forward line it differentiates, and adding to the gradients it is given;
// then the taped operation, which checks shapes, makes the node with tensor_node, runs the forward function
// and names the backward step:
//
//     static void relu_step(Tensor *self)
//     {
//         relu_backward(tensor_gradient(self->inputs[0]), self->gradient, self->value);
//     }
//     Tensor *relu_at(Place place, Tensor *x)
//     {
//         Tensor *out = tensor_node(place, "relu", x->value.rows, x->value.cols, relu_step, 0, 1, x);
//         relu_forward(out->value, x->value);
//         return out;
//     }
#pragma once
#include "matrix/matrix.h"

typedef struct Tape Tape;
typedef struct Tensor Tensor;
typedef void (*BackwardStep)(Tensor *self); // adds to the gradients of self->inputs; self->gradient is spent

enum { TENSOR_MAX_INPUTS = 6 };

struct Tensor {
    Matrix value;
    Matrix gradient;       // d loss / d value while has_gradient; data NULL when not wanted, or sent on
    bool wants_gradient;   // it is a parameter, or depends on one, and the tape records
    bool has_gradient;     // something has been written into gradient since it was last cleared
    bool keeps_gradient;   // it is there after the pass, too
    const char *operation; // "relu", "parameter", "input", … for messages and drawings
    Tape *tape;            // NULL for a parameter, which outlives every tape
    BackwardStep step;     // NULL for leaves
    void *context;         // what the step needs beside the inputs (indices, statistics), in the tape's arena
    Tensor *inputs[TENSOR_MAX_INPUTS];
    int input_count;
};

Tape *tape_new(void);
void tape_free(Tape *tape);
// A tape for inference that lives in an arena, and ends when that is rewound: it does not record and is not freed. Between its
// making and a reset of it the arena serves nobody else.
#define tape_inference(arena) tape_inference_at(HERE, arena)
Tape *tape_inference_at(Place place, Arena *arena);
void tape_reset(Tape *tape);                  // forgets all nodes and takes back their memory
void tape_record(Tape *tape, bool recording); // false: inference, without gradients (default true)
bool tape_recording(const Tape *tape);
Arena *tape_arena(Tape *tape);                  // scratch that lives until the next tape_reset
size_t tape_memory(const Tape *tape);           // bytes that all of it fills now: nodes, values, gradients
int tape_length(const Tape *tape);              // how many nodes there are
Tensor *tape_node(const Tape *tape, int index); // in order of creation

// A leaf that wants no gradient: data. The matrix is not copied: it must live until the tape is reset.
Tensor *tape_input(Tape *tape, Matrix value);

// A leaf of this tape that wants its gradient (to look at the gradient of an input).
Tensor *tape_variable(Tape *tape, Matrix value);

// A parameter as a node of this tape, for an operation that has no other input on a tape. No number is
// copied.
Tensor *tape_parameter(Tape *tape, Tensor *parameter);

// A parameter: a leaf that outlives tapes. Its value and gradient live in the arena; the value begins as
// zeros.
#define parameter_new(arena, rows, cols) parameter_new_at(HERE, arena, rows, cols)
Tensor *parameter_new_at(Place place, Arena *arena, int rows, int cols);

// The gradient of this node will be there after backward, until the tape is reset. Leaves need not ask.
void tensor_keep_gradient(Tensor *node);

// d loss / d everything. The loss must be (1 × 1). Gradients of parameters are added to what is there.
#define backward(loss) backward_at(HERE, loss)
void backward_at(Place place, Tensor *loss);

// The same from any tensor, with the gradient that arrives from above: for checks.
#define backward_from(out, upstream) backward_from_at(HERE, out, upstream)
void backward_from_at(Place place, Tensor *out, Matrix upstream);

// ---- Watching ---------------------------------------------------------------------------------------------

// What the tape is about to do with a node, and that the end of a backward has been reached (of the loss).
typedef enum { TAPE_FORWARD, TAPE_BACKWARD, TAPE_END } TapeEvent;
typedef void TapeWatch(void *context, const Tensor *node, TapeEvent event);

// From now on the tape tells: TAPE_FORWARD when a node was made and its value comes next, TAPE_BACKWARD before its step is taken.
// So a clock that is read at each event knows where the time went. watch NULL: nobody (default).
void tape_watch(Tape *tape, TapeWatch *watch, void *context);

// ---- For those who write operations -----------------------------------------------------------------------

// A new node (rows × cols) on the tape of its inputs, value not initialised, with context_size zeroed bytes
// of context (0: none). It wants a gradient when the tape records and an input wants one. NULL inputs may be
// given for what is optional.
Tensor *tensor_node(Place place, const char *operation, int rows, int cols, BackwardStep step,
                    size_t context_size, int input_count, ...);

// The same on a tape that is named, with the inputs in an array: for operations whose inputs may all be
// parameters.
Tensor *tensor_node_on(Place place, Tape *tape, const char *operation, int rows, int cols, BackwardStep step,
                       size_t context_size, int input_count, Tensor *const *inputs);

// A node whose value is memory that x already has: a reshape or a range of rows.
Tensor *tensor_view(Place place, const char *operation, Matrix value, BackwardStep step, size_t context_size,
                    Tensor *x);

// Stops the program, with the operation's name and both shapes, when they differ.
void tensor_need_same(Place place, const char *operation, const Tensor *a, const Tensor *b);

// The gradient to add to: cleared first when nothing has been written yet. Its data is NULL when t is NULL or
// wants none: backward functions skip such an output.
Matrix tensor_gradient(Tensor *t);

// For an operation that can overwrite as fast as add: the gradient, not cleared, and whether to accumulate
// into it.
Matrix tensor_gradient_raw(Tensor *t, bool *accumulate);

// The gradient of t += the gradient of self, as many numbers, row behind row. Where nothing has been written to t yet it takes over
// the memory, and no number is copied: so this is the last thing that a step does with self->gradient, whose data may be NULL then.
void tensor_pass_gradient(Tensor *t, Tensor *self);

// As tensor_gradient_raw, for an operation that makes each number of t's gradient from the same number of self's: where nothing has
// been written to t yet it takes over the memory, to be overwritten in place. Look up self->gradient before.
Matrix tensor_gradient_in_place(Tensor *t, Tensor *self, bool *accumulate);

// For what a step makes of self->gradient on its way, each number from the same number: in its place, or in scratch of the tape where
// it is kept.
Matrix tensor_gradient_scratch(Tensor *self);
