// gradients.h: the gradient check as tests use it. A backward must pass, and must be caught when any part of
// it is perturbed.
//
// For each input of the checked operation that wants a gradient, the contribution of the backward step to
// that input alone is multiplied by −1 and by 2, and the check must then fail.
#pragma once
#include "learning/gradcheck.h"
#include <check.h>
#include <math.h>
#include <string.h>

typedef struct {
    GraphBuilder build;
    void *context;
    int input;    // whose gradient is perturbed
    float factor; // by this
} Perturbation;

// One perturbed node for each graph: the last one that is not a leaf.
static BackwardStep perturbed_original;
static int perturbed_input;
static float perturbed_factor;

static void perturbed_step(Tensor *self)
{
    Tensor *input = self->inputs[perturbed_input];
    Arena *arena = arena_new();
    Matrix before = matrix_new(arena, input->value.rows, input->value.cols);
    if (input->has_gradient) copy(before, input->gradient);
    perturbed_original(self);
    if (input->has_gradient)
        for (size_t i = 0; i < matrix_size(before); i++)
            input->gradient.data[i] =
                before.data[i] + perturbed_factor * (input->gradient.data[i] - before.data[i]);
    arena_free(arena);
}

static Tensor *build_perturbed(Tape *tape, void *context)
{
    const Perturbation *p = context;
    Tensor *out = p->build(tape, p->context);
    if (!out->step || !out->inputs[p->input] || !out->inputs[p->input]->wants_gradient) return out;
    perturbed_original = out->step;
    perturbed_input = p->input;
    perturbed_factor = p->factor;
    out->step = perturbed_step;
    return out;
}

// Running the backward step a second time must double the gradient of each input: it adds to what is there.
static inline void check_that_it_adds(GraphBuilder build, void *context)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Tensor *out = build(tape, context);
    Matrix upstream = matrix_new(arena, out->value.rows, out->value.cols), once[TENSOR_MAX_INPUTS];
    Rng rng = rng_new(3, 3);
    fill_normal(upstream, &rng, 0, 1);
    for (int i = 0; i < out->input_count; i++)
        if (out->inputs[i]) out->inputs[i]->has_gradient = false;
    tensor_keep_gradient(out); // the step is taken twice, and may not send its memory on
    copy(tensor_gradient(out), upstream);
    out->step(out);
    for (int i = 0; i < out->input_count; i++)
        if (out->inputs[i] && out->inputs[i]->has_gradient)
            once[i] = matrix_copy(arena, out->inputs[i]->gradient);
    out->step(out);
    for (int i = 0; i < out->input_count; i++) {
        Tensor *input = out->inputs[i];
        if (!input || !input->has_gradient) continue;
        for (size_t k = 0; k < matrix_size(input->gradient); k++) {
            float expected = 2 * once[i].data[k], got = input->gradient.data[k];
            ck_assert_msg(fabsf(got - expected) <= 1e-5f * (1 + fabsf(expected)),
                          "%s, input %d, element %zu, after two steps: got %g, expected %g", out->operation,
                          i, k, (double)got, (double)expected);
        }
        input->has_gradient = false;
    }
    tape_free(tape);
    arena_free(arena);
}

// The operation under test is the last node that build makes. Fails the test when a right backward does not
// pass, or a wrong one does.
static inline void check_operation(GraphBuilder build, void *context, Tensor *const *tensors,
                                   const char *const *names, int count, double tolerance)
{
    GradcheckResult right = gradcheck(build, context, tensors, names, count, tolerance);
    ck_assert_msg(right.passed, "%s", right.message);
    check_that_it_adds(build, context);

    Tape *tape = tape_new();
    Tensor *out = build(tape, context);
    int inputs = out->input_count;
    bool wanted[TENSOR_MAX_INPUTS] = {false};
    for (int i = 0; i < inputs; i++) wanted[i] = out->inputs[i] && out->inputs[i]->wants_gradient;
    tape_free(tape);

    int perturbed = 0;
    for (int i = 0; i < inputs; i++) {
        for (int doubled = 0; doubled < 2 && wanted[i]; doubled++) {
            Perturbation p = {build, context, i, doubled ? 2.0f : -1.0f};
            GradcheckResult wrong = gradcheck(build_perturbed, &p, tensors, names, count, tolerance);
            ck_assert_msg(!wrong.passed, "input %d times %g was not caught", i, (double)p.factor);
            perturbed++;
        }
    }
    ck_assert_msg(perturbed > 0, "nothing was perturbed: the operation records no gradient");
}
