// gradcheck.c: derivatives against differences. See gradcheck.h.
#include "learning/gradcheck.h"

#include <math.h>
#include <stdarg.h>

typedef struct {
    Tape *tape;
    GraphBuilder build;
    void *context;
    Matrix upstream; // the weights of the outputs
    GradcheckResult result;
} Check;

static Tensor *build(Check *check)
{
    tape_reset(check->tape);
    Tensor *out = check->build(check->tape, check->context);
    check_at(HERE, out && out->tape == check->tape, "build the graph on the tape that is given",
             "gradcheck: the output is not on the tape");
    return out;
}

// Σ upstream ⊙ output
static double weighed_output(Check *check) { return dot(check->upstream, build(check)->value); }

// Weights from ±[0.5, 1.5), all different, the same in every run.
static Matrix uneven_upstream(Arena *arena, Matrix shape)
{
    Matrix upstream = matrix_uninitialised(arena, shape.rows, shape.cols);
    Rng rng = rng_new(20, 7);
    for (size_t i = 0; i < matrix_size(upstream); i++) {
        float size = rng_between(&rng, 0.5f, 1.5f);
        upstream.data[i] = rng_below(&rng, 2) ? size : -size;
    }
    return upstream;
}

// The result says why it failed, once: the first reason stays.
__attribute__((format(printf, 2, 3))) static void fail(Check *check, const char *format, ...)
{
    if (!check->result.passed) return;
    check->result.passed = false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(check->result.message, sizeof check->result.message, format, arguments);
    va_end(arguments);
}

// The gradients of all tensors, as one backward pass finds them, added to start.
static void analytic_gradients(Check *check, Matrix *out, Tensor *const *tensors, int count,
                               const float *start)
{
    for (int t = 0; t < count; t++) {
        tensors[t]->has_gradient = start != NULL;
        if (start) fill(tensors[t]->gradient, *start);
    }
    backward_from(build(check), check->upstream);
    for (int t = 0; t < count; t++) {
        if (tensors[t]->has_gradient) {
            copy(out[t], tensors[t]->gradient);
        } else {
            fill(out[t], 0.0f);
        }
        tensors[t]->has_gradient = false;
    }
}

static void compare(Check *check, const char *name, int row, int col, double analytic, double numeric)
{
    double error = fabs(analytic - numeric) / (1.0 + fabs(numeric));
    if (error <= check->result.worst) return;
    GradcheckResult *r = &check->result;
    r->worst = error;
    r->where = name;
    r->row = row;
    r->col = col;
    r->analytic = analytic;
    r->numeric = numeric;
}

// Moves every element of one tensor both ways.
static void check_differences(Check *check, Tensor *tensor, const char *name, Matrix analytic)
{
    for (int i = 0; i < tensor->value.rows && check->result.passed; i++) {
        for (int j = 0; j < tensor->value.cols; j++) {
            float *x = &AT(tensor->value, i, j), held = *x, step = 1e-2f * fmaxf(1.0f, fabsf(held));
            float above = held + step, below = held - step;
            *x = above;
            double high = weighed_output(check);
            *x = below;
            double low = weighed_output(check);
            *x = held;
            double numeric = (high - low) / ((double)above - (double)below),
                   found = (double)AT(analytic, i, j);
            if (!isfinite(numeric) || !isfinite(found)) {
                fail(check, "%s (%d, %d): not finite: analytic %g, numeric %g", name, i, j, found, numeric);
                check->result.where = name;
                return;
            }
            compare(check, name, i, j, found, numeric);
        }
    }
}

// Another way to the same gradients must lead to the same numbers, up to the rounding of adding start.
static void check_same(Check *check, const char *name, Matrix wanted, Matrix got, float start,
                       const char *mistake)
{
    for (size_t i = 0; i < matrix_size(wanted); i++) {
        float expected = wanted.data[i] + start;
        if (!(fabsf(got.data[i] - expected) <= 1e-5f * (1.0f + fabsf(expected)))) {
            fail(check, "%s: %s: element %zu is %g, not %g", name, mistake, i, (double)got.data[i],
                 (double)expected);
            check->result.where = name;
            return;
        }
    }
}

// A backward step must add to what is there, and give each gradient also when it is the only one wanted.
static void check_manners(Check *check, Arena *arena, Tensor *const *tensors, const char *const *names,
                          int count, const Matrix *analytic)
{
    Matrix *again = arena_alloc(arena, (size_t)count, sizeof *again);
    for (int t = 0; t < count; t++) again[t] = matrix_copy(arena, analytic[t]);
    const float start = 1.0f;
    analytic_gradients(check, again, tensors, count, &start);
    for (int t = 0; t < count; t++)
        check_same(check, names[t], analytic[t], again[t], start,
                   "the backward step overwrites instead of adding");

    for (int alone = 0; alone < count; alone++) {
        for (int t = 0; t < count; t++) tensors[t]->wants_gradient = t == alone;
        analytic_gradients(check, again, tensors, count, NULL);
        check_same(check, names[alone], analytic[alone], again[alone], 0.0f,
                   "differs when it alone is wanted");
    }
    for (int t = 0; t < count; t++) tensors[t]->wants_gradient = true;
}

GradcheckResult gradcheck(GraphBuilder builder, void *context, Tensor *const *tensors,
                          const char *const *names, int count, double tolerance)
{
    check_at(HERE, count > 0, "name at least one parameter", "gradcheck: nothing to check");
    Arena *arena = arena_new();
    Check check = {.tape = tape_new(),
                   .build = builder,
                   .context = context,
                   .result = {.passed = true, .where = "nothing"}};
    Tensor *out = build(&check);
    if (!all_finite(out->value)) fail(&check, "the output of %s is not finite", out->operation);
    check.upstream = uneven_upstream(arena, out->value);

    Matrix *analytic = arena_alloc(arena, (size_t)count, sizeof *analytic);
    for (int t = 0; t < count; t++) {
        check_at(HERE, tensors[t]->wants_gradient, "check parameters", "gradcheck: %s wants no gradient",
                 names[t]);
        check_at(HERE, matrix_size(tensors[t]->value) > 0, "give it at least one element",
                 "gradcheck: %s (%d × %d) has nothing to move", names[t], tensors[t]->value.rows,
                 tensors[t]->value.cols);
        analytic[t] = matrix_copy(arena, tensors[t]->value);
    }
    analytic_gradients(&check, analytic, tensors, count, NULL);
    for (int t = 0; t < count; t++) check_differences(&check, tensors[t], names[t], analytic[t]);

    const GradcheckResult *r = &check.result;
    if (!(r->worst <= tolerance))
        fail(&check, "%s (%d, %d): analytic %.6g, numeric %.6g, error %.2g > %.2g", r->where, r->row, r->col,
             r->analytic, r->numeric, r->worst, tolerance);
    if (r->passed) check_manners(&check, arena, tensors, names, count, analytic);
    if (r->passed)
        snprintf(check.result.message, sizeof check.result.message, "largest error %.2g", r->worst);
    tape_free(check.tape);
    arena_free(arena);
    return check.result;
}
