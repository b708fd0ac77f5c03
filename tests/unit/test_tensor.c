// The tape: order, reuse, recording, memory.
#include "suite.h"
#include "base/parallel.h"
#include "learning/ops/activation.h"
#include "learning/ops/linear.h"
#include "learning/ops/loss.h"
#include "learning/ops/shape.h"
#include "learning/optim.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// ---- Counting what is asked of the system -----------------------------------------------------------------
// This program's malloc counts its calls, except those of the OpenMP runtime, which keeps books of its own.
// Under AddressSanitizer malloc is taken, and nothing is counted.

#if defined(__SANITIZE_ADDRESS__)
#define COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef COUNTS_ALLOCATIONS
#define COUNTS_ALLOCATIONS 1
#endif

static atomic_int allocations;
static atomic_bool counting;

#if COUNTS_ALLOCATIONS
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static void count(void *caller)
{
    if (!counting) return;
    Dl_info library;
    if (dladdr(caller, &library) && library.dli_fname && strstr(library.dli_fname, "omp")) return;
    allocations++;
}

void *malloc(size_t size)
{
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}
#endif

typedef struct {
    Parameters parameters;
    Tensor *w1, *b1, *w2, *b2;
    Optimiser optimiser;
    Matrix x;
    int labels[64];
} Net;

static void net_make(Net *net, Arena *arena)
{
    Rng rng = rng_new(1, 0);
    net->parameters = parameters_new(arena);
    net->w1 = parameters_add(&net->parameters, "first.weight", 300, 128);
    net->b1 = parameters_add(&net->parameters, "first.bias", 1, 128);
    net->w2 = parameters_add(&net->parameters, "second.weight", 128, 10);
    net->b2 = parameters_add(&net->parameters, "second.bias", 1, 10);
    fill_normal(net->w1->value, &rng, 0, he_deviation(300));
    fill_normal(net->w2->value, &rng, 0, he_deviation(128));
    net->x = matrix_new(arena, 64, 300);
    fill_normal(net->x, &rng, 0, 1);
    for (int i = 0; i < 64; i++) net->labels[i] = i % 10;
    net->optimiser = adam_new(arena, &net->parameters, 0.9f, 0.999f, 1e-8f, 0.0f);
}

static Tensor *net_loss(Net *net, Tape *tape)
{
    Tensor *hidden = affine_relu(tape_input(tape, net->x), net->w1, net->b1);
    return cross_entropy(affine(hidden, net->w2, net->b2), net->labels);
}

static float net_step(Net *net, Tape *tape)
{
    tape_reset(tape);
    Tensor *loss = net_loss(net, tape);
    backward(loss);
    clip_gradients(&net->parameters, 1.0f);
    optimiser_step(&net->optimiser, 1e-2f);
    return loss->value.data[0];
}

START_TEST(a_training_step_asks_for_no_memory)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Net net;
    net_make(&net, arena);
    float first = net_step(&net, tape), last = first;
    net_step(&net, tape);
    size_t blocks = arena_blocks(tape_arena(tape)), used = arena_used(tape_arena(tape)),
           model = arena_used(arena);
    allocations = 0;
    counting = true;
    for (int step = 0; step < 20; step++) last = net_step(&net, tape);
    counting = false;
    ck_assert_msg(allocations == 0, "%d allocations in 20 steps", (int)allocations);
    ck_assert(arena_blocks(tape_arena(tape)) == blocks && arena_used(tape_arena(tape)) == used &&
              arena_used(arena) == model);
    ck_assert_msg(last < 0.5f * first, "and it learns: loss %g, then %g", (double)first, (double)last);
#if COUNTS_ALLOCATIONS
    counting = true;
    void *volatile seen = malloc(1);
    counting = false;
    free(seen);
    ck_assert_msg(allocations == 1, "the counter counts");
#endif
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// ---- Gradients --------------------------------------------------------------------------------------------

START_TEST(a_tensor_used_twice_receives_both_gradients)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Tensor *p = parameter_new(arena, 1, 1);
    p->value.data[0] = 3.0f;
    Tensor *x = tape_parameter(tape, p);
    Tensor *y = tensor_add(tensor_multiply(x, x), tensor_scale(x, 5.0f)); // x² + 5x
    backward(y);
    ck_assert_msg(p->gradient.data[0] == 11.0f, "got %g, expected 2·3 + 5", (double)p->gradient.data[0]);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(gradients_of_parameters_add_up_until_cleared_and_those_of_the_tape_do_not)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Parameters set = parameters_new(arena);
    Tensor *p = parameters_add(&set, "p", 1, 1);
    p->value.data[0] = 3.0f;
    Tensor *x = tape_parameter(tape, p), *y = tensor_multiply(x, x);
    tensor_keep_gradient(x);
    backward(y);
    backward(y);
    ck_assert_msg(p->gradient.data[0] == 12.0f, "got %g, expected 6 + 6", (double)p->gradient.data[0]);
    ck_assert_msg(x->gradient.data[0] == 6.0f, "got %g, expected 6", (double)x->gradient.data[0]);
    clear_gradients(&set);
    backward(y);
    ck_assert_msg(p->gradient.data[0] == 6.0f, "got %g after clearing, expected 6",
                  (double)p->gradient.data[0]);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(a_variable_shows_the_gradient_of_an_input)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Matrix data = matrix_from(arena, 1, 3, ((float[]){1, 2, 3}));
    Tensor *x = tape_variable(tape, data), *constant = tape_input(tape, data);
    backward(sum_all(tensor_multiply(x, constant)));
    ck_assert(x->has_gradient && largest_difference(x->gradient, data) == 0.0f);
    ck_assert(!constant->has_gradient && !constant->gradient.data);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// The sum of squares of a network's output for its first weight as data: hidden[l] is what leaves layer l. Past odd ones goes a
// residual.
static Tensor *deep_loss(Tape *tape, Tensor *const *weights, int layers, Tensor **hidden)
{
    Tensor *h = tape_input(tape, weights[0]->value);
    for (int l = 0; l < layers; l++)
        hidden[l] = h = l % 2 ? affine_add(h, relu(h), weights[l], NULL) : affine(h, weights[l], NULL);
    return sum_all(tensor_multiply(h, h));
}

START_TEST(gradients_in_between_need_memory_only_while_they_are_on_their_way)
{
    enum { LAYERS = 24, WIDTH = 64 };
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Rng rng = rng_new(11, 0);
    Tensor *weights[LAYERS], *hidden[LAYERS];
    for (int l = 0; l < LAYERS; l++) {
        weights[l] = parameter_new(arena, WIDTH, WIDTH);
        fill_normal(weights[l]->value, &rng, 0.0f, 0.1f);
    }
    Tensor *loss = deep_loss(tape, weights, LAYERS, hidden);
    const size_t forward = tape_memory(tape), one = sizeof(float) * WIDTH * WIDTH;
    backward(loss);
    ck_assert_msg(tape_memory(tape) - forward <= 4 * one, "%zu bytes of gradients in %d layers of %zu",
                  tape_memory(tape) - forward, LAYERS, one);
    for (int l = 0; l < LAYERS; l++) ck_assert(!hidden[l]->gradient.data && !hidden[l]->has_gradient);
    Matrix first[LAYERS];
    for (int l = 0; l < LAYERS; l++) {
        first[l] = matrix_copy(arena, weights[l]->gradient);
        weights[l]->has_gradient = false;
    }

    // The same with all of them kept, and after a reset
    tape_reset(tape);
    loss = deep_loss(tape, weights, LAYERS, hidden);
    for (int l = 0; l < LAYERS; l++) tensor_keep_gradient(hidden[l]);
    backward(loss);
    ck_assert(tape_memory(tape) - forward >= LAYERS * one);
    for (int l = 0; l < LAYERS; l++) {
        ck_assert(hidden[l]->has_gradient && norm(hidden[l]->gradient) > 0.0);
        ck_assert(largest_difference(first[l], weights[l]->gradient) == 0.0f);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(a_gradient_that_was_kept_is_that_of_the_node)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Tensor *p = parameter_new(arena, 2, 2);
    for (int i = 0; i < 4; i++) p->value.data[i] = (float)i;
    // y = x + x² has the slope 1 + 2x at x; its gradient would move on to x
    Tensor *x = tensor_scale(tape_parameter(tape, p), 1.0f), *square = tensor_multiply(x, x);
    Tensor *y = tensor_add(square, x);
    for (int kept = 0; kept < 2; kept++) {
        if (kept) {
            tensor_keep_gradient(x);
            tensor_keep_gradient(y);
        }
        p->has_gradient = false;
        backward(sum_all(y));
        for (int i = 0; i < 4; i++) {
            ck_assert(p->gradient.data[i] == (float)(1 + 2 * i));
            if (kept) ck_assert(x->gradient.data[i] == p->gradient.data[i] && y->gradient.data[i] == 1.0f);
        }
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(a_frozen_parameter_gets_no_gradient)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Net net;
    net_make(&net, arena);
    net.w1->wants_gradient = net.b1->wants_gradient = false;
    Matrix before = matrix_copy(arena, net.w1->value), second = matrix_copy(arena, net.w2->value);
    net_step(&net, tape);
    ck_assert(!net.w1->has_gradient && largest_difference(before, net.w1->value) == 0.0f);
    ck_assert(largest_difference(second, net.w2->value) > 0.0f);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(what_the_loss_does_not_need_is_not_run)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Tensor *p = parameter_new(arena, 1, 2), *unused = parameter_new(arena, 1, 2);
    Tensor *x = tape_parameter(tape, p), *loss = sum_all(x), *aside = relu(tape_parameter(tape, unused));
    backward(loss);
    ck_assert(p->has_gradient && !unused->has_gradient && !aside->has_gradient);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(nodes_stand_in_order_of_creation)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Net net;
    net_make(&net, arena);
    Tensor *loss = net_loss(&net, tape);
    ck_assert_int_eq(tape_length(tape), 4);
    ck_assert(tape_node(tape, 3) == loss);
    const char *expected[] = {"input", "affine_relu", "affine", "cross_entropy"};
    for (int i = 0; i < 4; i++) ck_assert_str_eq(tape_node(tape, i)->operation, expected[i]);
    tape_reset(tape);
    ck_assert_int_eq(tape_length(tape), 0);
    for (int i = 0; i < 1000; i++) tape_input(tape, net.x); // more than the list held
    ck_assert_int_eq(tape_length(tape), 1000);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// What a watcher is told, in a line: "+affine" before a forward, "-affine" before a backward, "." at the end.
static void write_down(void *context, const Tensor *node, TapeEvent event)
{
    char *line = context;
    strcat(line, event == TAPE_FORWARD ? "+" : event == TAPE_BACKWARD ? "-" : ".");
    if (event != TAPE_END) strcat(line, node->operation);
}

START_TEST(who_watches_a_tape_is_told_each_step)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Net net;
    net_make(&net, arena);
    char line[200] = "";
    tape_watch(tape, write_down, line);
    backward(net_loss(&net, tape));
    ck_assert_str_eq(line, "+affine_relu+affine+cross_entropy-cross_entropy-affine-affine_relu.");
    tape_watch(tape, NULL, NULL);
    backward(net_loss(&net, tape));
    ck_assert_uint_eq(strlen(line),
                      strlen("+affine_relu+affine+cross_entropy-cross_entropy-affine-affine_relu."));
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(inference_gives_the_same_numbers_and_keeps_no_gradients)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Net net;
    net_make(&net, arena);
    Tensor *taped = net_loss(&net, tape);
    const float recorded = taped->value.data[0];
    backward(taped);
    size_t with = tape_memory(tape);
    tape_reset(tape);
    tape_record(tape, false);
    ck_assert(!tape_recording(tape));
    Tensor *loss = net_loss(&net, tape);
    ck_assert(loss->value.data[0] == recorded && !loss->step && !loss->gradient.data &&
              !loss->wants_gradient);
    ck_assert_msg(tape_memory(tape) < with, "%zu bytes, %zu when recording", tape_memory(tape), with);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(gradients_are_the_same_bits_for_any_number_of_threads)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Matrix expected = {0, 0, NULL};
    for (int threads = 1; threads <= 3; threads++) {
        parallel_set_threads(threads);
        Net net;
        net_make(&net, arena);
        for (int step = 0; step < 3; step++) net_step(&net, tape);
        if (!expected.data) expected = matrix_copy(arena, net.w1->value);
        ck_assert_msg(memcmp(expected.data, net.w1->value.data, matrix_size(expected) * sizeof(float)) == 0,
                      "%d threads: another result", threads);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// ---- Misuse -----------------------------------------------------------------------------------------------

enum {
    TWO_TAPES,
    NO_TAPE,
    LOSS_NOT_A_NUMBER,
    NOTHING_WANTED,
    NOT_RECORDED,
    TAKEN_NAME,
    WRONG_UPSTREAM,
    SENT_ON
};

static void misuse(void *context)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new(), *other = tape_new();
    Matrix data = matrix_new(arena, 2, 2);
    Tensor *p = parameter_new(arena, 2, 2);
    Parameters set = parameters_new(arena);
    switch (*(int *)context) {
    case TWO_TAPES:
        tensor_add(tape_input(tape, data), tape_input(other, data));
        break;
    case NO_TAPE:
        tensor_add(p, p);
        break;
    case LOSS_NOT_A_NUMBER:
        backward(tape_parameter(tape, p));
        break;
    case NOTHING_WANTED:
        backward(sum_all(tape_input(tape, data)));
        break;
    case NOT_RECORDED:
        tape_record(tape, false);
        backward(sum_all(tape_parameter(tape, p)));
        break;
    case TAKEN_NAME:
        parameters_add(&set, "a", 1, 1);
        parameters_add(&set, "a", 1, 1);
        break;
    case WRONG_UPSTREAM:
        backward_from(tape_parameter(tape, p), matrix_new(arena, 1, 2));
        break;
    case SENT_ON: {
        Tensor *hidden = tape_parameter(tape, p);
        backward(sum_all(hidden));
        printf("%g\n", norm(hidden->gradient));
        break;
    }
    }
}

START_TEST(misuse_stops_with_a_hint)
{
    const char *messages[] = {"its inputs are on two tapes",
                              "none of its inputs is on a tape",
                              "a loss is (1 × 1), this tape_parameter is (2 × 2)",
                              "does not depend on anything that wants a gradient",
                              "the tape does not record",
                              "parameter a exists already",
                              "the gradient is (1 × 2), tape_parameter is (2 × 2)",
                              "norm: (2 × 2) without numbers"};
    for (int kind = TWO_TAPES; kind <= SENT_ON; kind++) {
        expect_death(misuse, &kind, messages[kind]);
        expect_death(misuse, &kind, "test_tensor.c");
        expect_death(misuse, &kind, "hint: ");
    }
}
END_TEST

SUITE("tensor", a_training_step_asks_for_no_memory, a_tensor_used_twice_receives_both_gradients,
      gradients_of_parameters_add_up_until_cleared_and_those_of_the_tape_do_not,
      a_variable_shows_the_gradient_of_an_input,
      gradients_in_between_need_memory_only_while_they_are_on_their_way,
      a_gradient_that_was_kept_is_that_of_the_node, a_frozen_parameter_gets_no_gradient,
      what_the_loss_does_not_need_is_not_run, nodes_stand_in_order_of_creation,
      who_watches_a_tape_is_told_each_step, inference_gives_the_same_numbers_and_keeps_no_gradients,
      gradients_are_the_same_bits_for_any_number_of_threads, misuse_stops_with_a_hint)
