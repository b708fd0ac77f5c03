// Optimisers against their papers' formulas in double precision; schedules; clipping.
#include "suite.h"
#include <limits.h>
#include <float.h>
#include "learning/optim.h"
#include <math.h>

enum { SIZE = 37, STEPS = 60 };

// One number, its gradient at each step, and the formula of each paper.
typedef struct {
    double value, v, m, s; // θ, velocity, first and second moment
} State;

static void formula(State *q, OptimiserKind kind, double g, int t, double rate, double decay)
{
    const double mu = (double)0.9f, rho = (double)0.95f, b1 = (double)0.9f, b2 = (double)0.999f,
                 eps = (double)1e-8f;
    if (kind != OPTIMISER_ADAMW) g += decay * q->value;
    switch (kind) {
    case OPTIMISER_SGD:
        q->value -= rate * g;
        return;
    case OPTIMISER_MOMENTUM:
        q->v = mu * q->v + g;
        q->value -= rate * q->v;
        return;
    case OPTIMISER_NESTEROV:
        q->v = mu * q->v + g;
        q->value -= rate * (g + mu * q->v);
        return;
    case OPTIMISER_RMSPROP:
        q->s = rho * q->s + (1 - rho) * g * g;
        q->value -= rate * g / (sqrt(q->s) + (double)1e-6f);
        return;
    case OPTIMISER_ADAM:
    case OPTIMISER_ADAMW:
        q->m = b1 * q->m + (1 - b1) * g;
        q->s = b2 * q->s + (1 - b2) * g * g;
        double corrected_m = q->m / (1 - pow(b1, t)), corrected_s = q->s / (1 - pow(b2, t));
        double decoupled = kind == OPTIMISER_ADAMW ? decay * q->value : 0.0;
        q->value -= rate * (corrected_m / (sqrt(corrected_s) + eps) + decoupled);
        return;
    }
}

static Optimiser optimiser_of(OptimiserKind kind, Arena *arena, Parameters *set, float decay)
{
    switch (kind) {
    case OPTIMISER_SGD:
        return sgd_new(arena, set, decay);
    case OPTIMISER_MOMENTUM:
        return momentum_new(arena, set, 0.9f, decay);
    case OPTIMISER_NESTEROV:
        return nesterov_new(arena, set, 0.9f, decay);
    case OPTIMISER_RMSPROP:
        return rmsprop_new(arena, set, 0.95f, 1e-6f, decay);
    case OPTIMISER_ADAM:
        return adam_new(arena, set, 0.9f, 0.999f, 1e-8f, decay);
    default:
        return adamw_new(arena, set, 0.9f, 0.999f, 1e-8f, decay);
    }
}

static void compare_with_formula(OptimiserKind kind, float decay)
{
    Arena *arena = arena_new();
    Parameters set = parameters_new(arena);
    Tensor *p = parameters_add(&set, "p", 1, SIZE);
    Rng rng = rng_new(9, (uint64_t)kind);
    fill_uniform(p->value, &rng, -1, 1);
    State states[SIZE] = {{0}};
    for (int i = 0; i < SIZE; i++) states[i].value = (double)p->value.data[i];
    Optimiser optimiser = optimiser_of(kind, arena, &set, decay);
    for (int t = 1; t <= STEPS; t++) {
        float rate = 0.05f / (float)t;
        p->has_gradient = true;
        for (int i = 0; i < SIZE; i++) {
            p->gradient.data[i] = rng_between(&rng, -1, 1) * (i % 5 == 0 ? 100.0f : 1.0f);
            formula(&states[i], kind, (double)p->gradient.data[i], t, (double)rate, (double)decay);
        }
        optimiser_step(&optimiser, rate);
        ck_assert_msg(!p->has_gradient, "the step clears the gradients");
        for (int i = 0; i < SIZE; i++) {
            double got = (double)p->value.data[i], expected = states[i].value;
            ck_assert_msg(fabs(got - expected) <= 2e-5 * (1 + fabs(expected)),
                          "kind %d, step %d, element %d: got %.9g, expected %.9g", (int)kind, t, i, got,
                          expected);
        }
    }
    ck_assert_int_eq(optimiser.steps, STEPS);
    arena_free(arena);
}

START_TEST(every_method_follows_its_formula)
{
    for (int kind = OPTIMISER_SGD; kind <= OPTIMISER_ADAMW; kind++)
        compare_with_formula((OptimiserKind)kind, 0.0f);
}
END_TEST

START_TEST(every_method_decays_weights_as_its_formula)
{
    for (int kind = OPTIMISER_SGD; kind <= OPTIMISER_ADAMW; kind++)
        compare_with_formula((OptimiserKind)kind, 0.1f);
}
END_TEST

START_TEST(the_first_step_of_adam_is_the_learning_rate)
{
    // Kingma and Ba, section 2.1: at the first step m̂ / √v̂ = ±1, whatever the scale of the gradient.
    Arena *arena = arena_new();
    Parameters set = parameters_new(arena);
    Tensor *p = parameters_add(&set, "p", 1, 3);
    const float gradients[] = {1e-3f, -7.0f, 2000.0f};
    Optimiser adam = adam_new(arena, &set, 0.9f, 0.999f, 1e-8f, 0.0f);
    for (int i = 0; i < 3; i++) p->gradient.data[i] = gradients[i];
    p->has_gradient = true;
    optimiser_step(&adam, 0.01f);
    for (int i = 0; i < 3; i++)
        ck_assert_float_eq_tol(p->value.data[i], gradients[i] > 0 ? -0.01f : 0.01f, 1e-6f);
    arena_free(arena);
}
END_TEST

START_TEST(a_parameter_without_gradient_stays)
{
    Arena *arena = arena_new();
    for (int kind = OPTIMISER_SGD; kind <= OPTIMISER_ADAMW; kind++) {
        Parameters set = parameters_new(arena);
        Tensor *p = parameters_add(&set, "p", 1, 3), *q = parameters_add(&set, "q", 1, 3);
        Optimiser optimiser = optimiser_of((OptimiserKind)kind, arena, &set, 0.1f);
        fill(p->value, 1.0f);
        fill(q->value, 1.0f);
        fill(q->gradient, 1.0f);
        q->has_gradient = true;
        optimiser_step(&optimiser, 0.1f);
        ck_assert(p->value.data[0] == 1.0f && q->value.data[0] < 1.0f);
    }
    arena_free(arena);
}
END_TEST

START_TEST(large_parameters_move_like_small_ones)
{
    Arena *arena = arena_new();
    for (int kind = OPTIMISER_SGD; kind <= OPTIMISER_ADAMW; kind++) {
        Parameters set = parameters_new(arena);
        Tensor *large = parameters_add(&set, "large", 301, 401), *small = parameters_add(&set, "small", 1, 7);
        Optimiser optimiser = optimiser_of((OptimiserKind)kind, arena, &set, 0.01f);
        for (int step = 0; step < 3; step++) {
            for (size_t i = 0; i < matrix_size(large->value); i++)
                large->gradient.data[i] = (float)(i % 7) - 3.0f;
            for (int i = 0; i < 7; i++) small->gradient.data[i] = (float)i - 3.0f;
            large->has_gradient = small->has_gradient = true;
            optimiser_step(&optimiser, 0.1f);
        }
        for (size_t i = 0; i < matrix_size(large->value); i++)
            ck_assert_msg(large->value.data[i] == small->value.data[i % 7],
                          "kind %d, element %zu: got %g, expected %g", kind, i, (double)large->value.data[i],
                          (double)small->value.data[i % 7]);
    }
    arena_free(arena);
}
END_TEST

START_TEST(schedules_pass_through_their_known_points)
{
    ck_assert(step_schedule(0.8f, 0, 10, 0.5f) == 0.8f);
    ck_assert(step_schedule(0.8f, 9, 10, 0.5f) == 0.8f);
    ck_assert(step_schedule(0.8f, 10, 10, 0.5f) == 0.4f);
    ck_assert(step_schedule(0.8f, 35, 10, 0.5f) == 0.1f);

    ck_assert_float_eq_tol(cosine_schedule(0.4f, 0, 4, 104), 0.1f, 1e-7f); // warming up
    ck_assert_float_eq_tol(cosine_schedule(0.4f, 3, 4, 104), 0.4f, 1e-7f);
    ck_assert_float_eq_tol(cosine_schedule(0.4f, 4, 4, 104), 0.4f, 1e-7f);
    ck_assert_float_eq_tol(cosine_schedule(0.4f, 54, 4, 104), 0.2f, 1e-6f); // half-way
    ck_assert_float_eq_tol(cosine_schedule(0.4f, 29, 4, 104), (float)(0.2 * (1 + sqrt(0.5))), 1e-6f);
    ck_assert(cosine_schedule(0.4f, 104, 4, 104) == 0.0f);
    ck_assert(cosine_schedule(0.4f, 1000, 4, 104) == 0.0f);
    for (long step = 5; step < 104; step++)
        ck_assert(cosine_schedule(1, step, 4, 104) < cosine_schedule(1, step - 1, 4, 104));
}
END_TEST

START_TEST(clipping_scales_all_gradients_to_the_limit)
{
    Arena *arena = arena_new();
    Parameters set = parameters_new(arena);
    Tensor *p = parameters_add(&set, "p", 1, 2), *q = parameters_add(&set, "q", 1, 1),
           *idle = parameters_add(&set, "idle", 1, 1);
    p->gradient.data[0] = 2.0f;
    p->gradient.data[1] = 3.0f;
    q->gradient.data[0] = 6.0f;
    idle->gradient.data[0] = 1000.0f; // left from before, and not meant
    p->has_gradient = q->has_gradient = true;
    ck_assert_double_eq_tol(gradient_norm(&set), 7.0, 1e-12);
    ck_assert_double_eq_tol(clip_gradients(&set, 8.0f), 7.0, 1e-12);
    ck_assert(p->gradient.data[0] == 2.0f);
    ck_assert_double_eq_tol(clip_gradients(&set, 3.5f), 7.0, 1e-12);
    ck_assert(p->gradient.data[0] == 1.0f && p->gradient.data[1] == 1.5f && q->gradient.data[0] == 3.0f);
    ck_assert(idle->gradient.data[0] == 1000.0f);
    q->gradient.data[0] = NAN;
    ck_assert(isnan(clip_gradients(&set, 3.5f)));
    arena_free(arena);
}
END_TEST

START_TEST(clipping_leaves_what_has_no_finite_norm)
{
    const float bad[] = {INFINITY, -INFINITY, NAN};
    for (int b = 0; b < 3; b++) {
        Arena *arena = arena_new();
        Parameters set = parameters_new(arena);
        Tensor *p = parameters_add(&set, "p", 1, 3), *q = parameters_add(&set, "q", 1, 2);
        memcpy(p->gradient.data, ((float[]){1, bad[b], 2}), 3 * sizeof(float));
        memcpy(q->gradient.data, ((float[]){3, 4}), 2 * sizeof(float));
        p->has_gradient = q->has_gradient = true;
        const double norm = clip_gradients(&set, 1.0f);
        ck_assert_msg(isnan(bad[b]) ? isnan(norm) : isinf(norm), "the norm is %g", norm);
        ck_assert(p->gradient.data[0] == 1.0f && p->gradient.data[2] == 2.0f &&
                  !isfinite(p->gradient.data[1]));
        ck_assert(q->gradient.data[0] == 3.0f && q->gradient.data[1] == 4.0f);
        arena_free(arena);
    }
}
END_TEST

START_TEST(clipping_brings_gradients_of_any_finite_size_to_the_limit)
{
    const float sizes[] = {FLT_MAX, 1e30f, 1.0f, 1e-30f, 1e-42f}, limits[] = {1e-10f, 1.0f, FLT_MAX};
    for (int s = 0; s < 5; s++) {
        for (int l = 0; l < 3; l++) {
            Arena *arena = arena_new();
            Parameters set = parameters_new(arena);
            Tensor *p = parameters_add(&set, "p", 100, 100);
            fill(p->gradient, sizes[s]);
            p->has_gradient = true;
            const double before = 100.0 * (double)sizes[s], norm = clip_gradients(&set, limits[l]),
                         expected = fmin(before, (double)limits[l]), after = gradient_norm(&set);
            ck_assert_msg(fabs(norm / before - 1) < 1e-6, "got the norm %g, expected %g", norm, before);
            ck_assert_msg(fabs(after / expected - 1) < 1e-5, "of %g, limit %g: got %g, expected %g", before,
                          (double)limits[l], after, expected);
            arena_free(arena);
        }
    }
}
END_TEST

START_TEST(the_cosine_keeps_its_digits_at_its_end)
{
    const long steps[] = {10, 1000, 100000, 30000000};
    for (int s = 0; s < 4; s++) {
        for (long left = steps[s] < 400 ? steps[s] : 400; left >= 1; left--) {
            const double half = sin(0.5 * acos(-1.0) * (double)left / (double)steps[s]),
                         expected = (double)0.3f * half * half;
            const double got = (double)cosine_schedule(0.3f, steps[s] - left, 0, steps[s]);
            ck_assert_msg(fabs(got / expected - 1) < 1e-4, "%ld steps before %ld: got %g, expected %g", left,
                          steps[s], got, expected);
        }
    }
    ck_assert(cosine_schedule(0.3f, 0, 0, 0) == 0.0f);
    ck_assert(step_schedule(0.5f, LONG_MAX, 1, 0.999999f) == 0.0f); // at once
    ck_assert(step_schedule(0.5f, LONG_MAX, 1, 1.0f) == 0.5f);
}
END_TEST

static void cosine_before_the_first(void *context) { cosine_schedule(*(float *)context, -1, 0, 10); }
static void step_before_the_first(void *context) { step_schedule(*(float *)context, -1, 10, 0.5f); }

START_TEST(steps_before_the_first_are_refused)
{
    float rate = 0.1f;
    expect_death(cosine_before_the_first, &rate, "cosine_schedule: step -1");
    expect_death(step_before_the_first, &rate, "step_schedule: step -1");
}
END_TEST

START_TEST(a_gradient_that_is_not_finite_shows_in_its_parameter)
{
    const float bad[] = {INFINITY, NAN};
    for (int b = 0; b < 2; b++) {
        for (int kind = 0; kind < 6; kind++) {
            Arena *arena = arena_new();
            Parameters set = parameters_new(arena);
            Tensor *p = parameters_add(&set, "p", 1, 2);
            Optimiser methods[] = {sgd_new(arena, &set, 0),
                                   momentum_new(arena, &set, 0.9f, 0),
                                   nesterov_new(arena, &set, 0.9f, 0),
                                   rmsprop_new(arena, &set, 0.9f, 1e-8f, 0),
                                   adam_new(arena, &set, 0.9f, 0.999f, 1e-8f, 0),
                                   adamw_new(arena, &set, 0.9f, 0.999f, 1e-8f, 0.01f)};
            p->gradient.data[0] = bad[b], p->gradient.data[1] = 1.0f;
            p->has_gradient = true;
            optimiser_step(&methods[kind], 0.1f);
            ck_assert_msg(!isfinite(p->value.data[0]), "method %d hides %g", kind, (double)bad[b]);
            ck_assert(isfinite(p->value.data[1]) && p->value.data[1] != 0.0f);
            arena_free(arena);
        }
    }
}
END_TEST

typedef struct {
    int kind;
    float decay1, decay2, small, weight_decay;
} Settings;

static void make_optimiser(void *context)
{
    const Settings *s = context;
    Arena *arena = arena_new();
    Parameters set = parameters_new(arena);
    parameters_add(&set, "p", 1, 2);
    if (s->kind == 0) rmsprop_new(arena, &set, s->decay2, s->small, s->weight_decay);
    if (s->kind == 1) adam_new(arena, &set, s->decay1, s->decay2, s->small, s->weight_decay);
    if (s->kind == 2) adamw_new(arena, &set, s->decay1, s->decay2, s->small, s->weight_decay);
    if (s->kind == 3) sgd_new(arena, &set, s->weight_decay);
}

// With ε = 0, a gradient of 0 makes 0 / 0 of a parameter that should stay.
START_TEST(settings_that_make_no_number_are_refused)
{
    Settings none[] = {{0, 0, 0.9f, 0, 0}, {1, 0.9f, 0.999f, 0, 0}, {2, 0.9f, 0.999f, 0, 0}};
    for (int k = 0; k < 3; k++) expect_death(make_optimiser, &none[k], "ε 0");
    Settings infinite[] = {
        {0, 0, 0.9f, INFINITY, 0}, {3, 0, 0, 0, INFINITY}, {2, 0.9f, 0.999f, 1e-8f, INFINITY}};
    for (int k = 0; k < 3; k++) expect_death(make_optimiser, &infinite[k], "inf");
}
END_TEST

static void step_with_rate(void *context)
{
    Arena *arena = arena_new();
    Parameters set = parameters_new(arena);
    parameters_add(&set, "p", 1, 2);
    Optimiser sgd = sgd_new(arena, &set, 0.0f);
    optimiser_step(&sgd, *(float *)context);
}

START_TEST(a_learning_rate_that_is_not_finite_is_refused)
{
    float rates[] = {NAN, INFINITY, -INFINITY};
    for (int k = 0; k < 3; k++)
        expect_death(step_with_rate, &rates[k], "optimiser_step: a learning rate of ");
}
END_TEST

// A gradient of ones for every parameter of the set.
static void give_ones(Parameters *set)
{
    for (int i = 0; i < set->count; i++) fill(tensor_gradient(set->items[i]), 1.0f);
}

START_TEST(a_frozen_parameter_stays_whatever_came_before)
{
    static const OptimiserKind kinds[] = {OPTIMISER_SGD,     OPTIMISER_MOMENTUM, OPTIMISER_NESTEROV,
                                          OPTIMISER_RMSPROP, OPTIMISER_ADAM,     OPTIMISER_ADAMW};
    for (int k = 0; k < 6; k++) {
        Arena *arena = arena_new();
        Parameters set = parameters_new(arena);
        Tensor *p = parameters_add(&set, "p", 1, 3), *q = parameters_add(&set, "q", 1, 3);
        fill(p->value, 2.0f), fill(q->value, 2.0f);
        Optimiser optimiser = optimiser_of(kinds[k], arena, &set, 0.1f);
        give_ones(&set);
        optimiser_step(&optimiser, 0.1f);
        Matrix before = matrix_copy(arena, p->value), other = matrix_copy(arena, q->value);

        give_ones(&set);
        p->wants_gradient = false; // by hand, behind the backward
        optimiser_step(&optimiser, 0.1f);
        ck_assert_msg(largest_difference(before, p->value) == 0.0f, "method %d moves what is frozen", k);
        ck_assert(largest_difference(other, q->value) > 0.0f);

        p->wants_gradient = true;
        give_ones(&set);
        optimiser_step(&optimiser, 0.1f);
        ck_assert(largest_difference(before, p->value) > 0.0f);
        arena_free(arena);
    }
}
END_TEST

START_TEST(freezing_goes_by_name_and_takes_the_gradient)
{
    static const char *const names[] = {"block1.gain", "block1.norm.gain", "block10.gain", "block1", "out"};
    static const struct {
        const char *prefix;
        bool frozen[5];
    } cases[] = {{"block1", {true, true, false, true, false}},
                 {"block1.", {true, true, false, false, false}},
                 {"block1.norm", {false, true, false, false, false}},
                 {"out", {false, false, false, false, true}},
                 {"", {true, true, true, true, true}}};
    for (int c = 0; c < 5; c++) {
        Arena *arena = arena_new();
        Parameters set = parameters_new(arena);
        for (int i = 0; i < 5; i++) parameters_add(&set, names[i], 1, 2);
        give_ones(&set);
        parameters_freeze(&set, cases[c].prefix, true);
        int left = 0;
        for (int i = 0; i < 5; i++) {
            const Tensor *p = set.items[i];
            ck_assert_msg(p->wants_gradient == !cases[c].frozen[i], "\"%s\" and %s", cases[c].prefix,
                          names[i]);
            ck_assert(p->has_gradient == !cases[c].frozen[i]);
            left += p->has_gradient;
        }
        ck_assert(fabs(gradient_norm(&set) - sqrt(2.0 * left)) < 1e-6);
        parameters_freeze(&set, cases[c].prefix, false);
        give_ones(&set);
        for (int i = 0; i < 5; i++) ck_assert(set.items[i]->wants_gradient && set.items[i]->has_gradient);
        arena_free(arena);
    }
}
END_TEST

static void freeze_what_is_not_there(void *unused)
{
    (void)unused;
    Parameters set = parameters_new(arena_new());
    parameters_add(&set, "block1.gain", 1, 1);
    parameters_freeze(&set, "block", true);
}

START_TEST(freezing_what_is_not_there_is_refused)
{
    expect_death(freeze_what_is_not_there, NULL, "no parameter is called block");
}
END_TEST

SUITE("optim", every_method_follows_its_formula, every_method_decays_weights_as_its_formula,
      the_first_step_of_adam_is_the_learning_rate, a_parameter_without_gradient_stays,
      large_parameters_move_like_small_ones, schedules_pass_through_their_known_points,
      clipping_scales_all_gradients_to_the_limit, clipping_leaves_what_has_no_finite_norm,
      clipping_brings_gradients_of_any_finite_size_to_the_limit, the_cosine_keeps_its_digits_at_its_end,
      steps_before_the_first_are_refused, a_gradient_that_is_not_finite_shows_in_its_parameter,
      settings_that_make_no_number_are_refused, a_learning_rate_that_is_not_finite_is_refused,
      a_frozen_parameter_stays_whatever_came_before, freezing_goes_by_name_and_takes_the_gradient,
      freezing_what_is_not_there_is_refused)
