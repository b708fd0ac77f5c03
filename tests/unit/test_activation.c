// Activations: values against double precision, and their gradients.
#include "suite.h"
#include "gradients.h"
#include "learning/ops/activation.h"
#include <math.h>

typedef struct {
    const char *name;
    Tensor *(*taped)(Place, Tensor *);
    double (*exact)(double);
} Activation;

static double exact_relu(double x) { return x > 0 ? x : 0; }
static double exact_sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double exact_silu(double x) { return x / (1 + exp(-x)); }
static double exact_softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }
static double exact_tanh_gelu(double x)
{
    return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x)));
}
static double exact_gelu(double x) { return 0.5 * x * erfc(-x / sqrt(2)); }
static Tensor *taped_leaky_relu(Place place, Tensor *x) { return leaky_relu_at(place, x, 0.2f); }
static double exact_leaky_relu(double x) { return x > 0 ? x : (double)0.2f * x; }

static const Activation ACTIVATIONS[] = {
    {"relu", relu_at, exact_relu},          {"leaky_relu", taped_leaky_relu, exact_leaky_relu},
    {"sigmoid", sigmoid_at, exact_sigmoid}, {"hyperbolic_tangent", hyperbolic_tangent_at, tanh},
    {"silu", silu_at, exact_silu},          {"softplus", softplus_at, exact_softplus},
    {"exponential", exponential_at, exp},   {"sine", sine_at, sin},
    {"gelu", gelu_at, exact_gelu},          {"tanh_gelu", tanh_gelu_at, exact_tanh_gelu},
};
enum { COUNT = sizeof ACTIVATIONS / sizeof *ACTIVATIONS };

typedef struct {
    const Activation *activation;
    Tensor *x;
} Case;

static Tensor *build(Tape *tape, void *context)
{
    Case *c = context;
    return c->activation->taped(HERE, tape_parameter(tape, c->x));
}

START_TEST(values_are_those_of_double_precision)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Tensor *x = parameter_new(arena, 7, 33);
    for (size_t i = 0; i < matrix_size(x->value); i++) x->value.data[i] = ((float)i - 115.0f) * 0.11f;
    for (int a = 0; a < COUNT; a++) {
        Tensor *y = build(tape, &(Case){&ACTIVATIONS[a], x});
        for (size_t i = 0; i < matrix_size(x->value); i++) {
            double expected = ACTIVATIONS[a].exact((double)x->value.data[i]), got = (double)y->value.data[i];
            ck_assert_msg(fabs(got - expected) <= 1e-6 * fabs(expected) + 1e-7,
                          "%s(%g): got %.9g, expected %.9g", ACTIVATIONS[a].name, (double)x->value.data[i],
                          got, expected);
        }
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(gradients_of_every_activation)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(8, 0);
    Tensor *x = parameter_new(arena, 5, 7);
    for (size_t i = 0; i < matrix_size(x->value); i++) { // both signs, away from the kink at 0
        float size = rng_between(&rng, 0.1f, 2.0f);
        x->value.data[i] = i % 2 ? size : -size;
    }
    for (int a = 0; a < COUNT; a++) {
        const char *name = ACTIVATIONS[a].name;
        Case c = {&ACTIVATIONS[a], x};
        check_operation(build, &c, &x, &name, 1, 1e-3);
    }
    arena_free(arena);
}
END_TEST

static Tensor *build_swiglu(Tape *tape, void *context) { return swiglu(tape_parameter(tape, context)); }

START_TEST(swiglu_is_the_silu_of_the_left_half_times_the_right)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Tensor *x = parameter_new(arena, 3, 38);
    Rng rng = rng_new(9, 0);
    fill_normal(x->value, &rng, 0.0f, 1.0f);
    Matrix y = build_swiglu(tape, x)->value;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 19; j++) {
            double expected = exact_silu((double)AT(x->value, i, j)) * (double)AT(x->value, i, j + 19);
            ck_assert(fabs((double)AT(y, i, j) - expected) <= 1e-6);
        }
    }
    check_operation(build_swiglu, x, &x, (const char *[]){"x"}, 1, 2e-3);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(a_nan_is_never_hidden)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Tensor *x = parameter_new(arena, 1, 1);
    x->value.data[0] = NAN;
    for (int a = 0; a < COUNT; a++) {
        Tensor *y = build(tape, &(Case){&ACTIVATIONS[a], x});
        ck_assert_msg(isnan(y->value.data[0]), "%s(NaN) is %g", ACTIVATIONS[a].name,
                      (double)y->value.data[0]);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(infinities_have_their_limits_and_slopes)
{
    const float inf = INFINITY;
    const struct {
        const char *name;
        float values[2], slopes[2]; // at −∞ and at +∞
    } limits[] = {{"relu", {0, inf}, {0, 1}},
                  {"sigmoid", {0, 1}, {0, 0}},
                  {"hyperbolic_tangent", {-1, 1}, {0, 0}},
                  {"silu", {0, inf}, {0, 1}},
                  {"softplus", {0, inf}, {0, 1}},
                  {"gelu", {0, inf}, {0, 1}},
                  {"tanh_gelu", {0, inf}, {0, 1}},
                  {"leaky_relu", {-inf, inf}, {0.2f, 1}}};
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
        for (int a = 0; a < COUNT; a++) {
            if (strcmp(ACTIVATIONS[a].name, limits[l].name) != 0) continue;
            Tensor *x = parameter_new(arena, 1, 2);
            x->value.data[0] = -inf, x->value.data[1] = inf;
            Tensor *y = build(tape, &(Case){&ACTIVATIONS[a], x});
            backward_from(y, matrix_from(arena, 1, 2, ((float[]){1, 1})));
            for (int i = 0; i < 2; i++) {
                ck_assert_msg(y->value.data[i] == limits[l].values[i], "%s: value %d is %g", limits[l].name,
                              i, (double)y->value.data[i]);
                ck_assert_msg(x->gradient.data[i] == limits[l].slopes[i], "%s: slope %d is %g",
                              limits[l].name, i, (double)x->gradient.data[i]);
            }
        }
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(an_activation_can_be_chosen_as_a_function)
{
    typedef Tensor *Chosen(Tensor * x);
    static Chosen *const chosen[] = {relu,   sigmoid,  hyperbolic_tangent, gelu, silu,
                                     swiglu, softplus, exponential,        sine, tanh_gelu};
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Tensor *x = tape_input(tape, matrix_from(arena, 1, 4, ((float[]){-1.5f, -0.25f, 0.5f, 2})));
    Tensor *const called[] = {relu(x),   sigmoid(x),  hyperbolic_tangent(x), gelu(x), silu(x),
                              swiglu(x), softplus(x), exponential(x),        sine(x), tanh_gelu(x)};
    for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++) {
        Tensor *y = chosen[i](x);
        ck_assert_str_eq(y->operation, called[i]->operation);
        ck_assert(largest_difference(y->value, called[i]->value) == 0.0f);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

SUITE("activation", an_activation_can_be_chosen_as_a_function, values_are_those_of_double_precision,
      gradients_of_every_activation, swiglu_is_the_silu_of_the_left_half_times_the_right,
      a_nan_is_never_hidden, infinities_have_their_limits_and_slopes)
