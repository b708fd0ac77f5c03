// Does the gradient check catch what it is for? Operations with one mistake each.
#include "suite.h"
#include "learning/gradcheck.h"
#include <math.h>
#include <string.h>

typedef enum {
    RIGHT,
    FLIPPED,
    DOUBLED,
    ONE_ELEMENT_WRONG,
    SLIGHTLY_WRONG,
    MISSING,
    OVERWRITES,
    NOT_A_NUMBER,
    WITHOUT_THE_MEAN_TERM,
    NEEDS_BOTH
} Mistake;

typedef struct {
    Tensor *x, *w;
    Mistake mistake;
} Case;

// y_ij = x_ij w_ij − the mean of row i of x: small, with a term that couples the elements of a row.
static void step(Tensor *self)
{
    Mistake mistake = *(const Mistake *)self->context;
    Tensor *x = self->inputs[0], *w = self->inputs[1];
    Matrix d_y = self->gradient;
    if (mistake == MISSING) return;
    bool ignored;
    Matrix d_x = mistake == OVERWRITES ? tensor_gradient_raw(x, &ignored) : tensor_gradient(x),
           d_w = tensor_gradient(w);
    if (mistake == NEEDS_BOTH && (!d_x.data || !d_w.data)) return;
    for (int i = 0; i < d_y.rows; i++) {
        float mean_d = 0;
        for (int j = 0; j < d_y.cols; j++) mean_d += AT(d_y, i, j) / (float)d_y.cols;
        if (mistake == WITHOUT_THE_MEAN_TERM) mean_d = 1.0f; // what an upstream of ones would give
        for (int j = 0; j < d_y.cols; j++) {
            float g = AT(d_y, i, j) * AT(w->value, i, j) - mean_d;
            if (mistake == FLIPPED) g = -g;
            if (mistake == DOUBLED) g *= 2;
            if (mistake == SLIGHTLY_WRONG) g *= 1.02f;
            if (mistake == ONE_ELEMENT_WRONG && i == 1 && j == 2) g += 0.1f;
            if (mistake == NOT_A_NUMBER && i == 1 && j == 2) g = NAN;
            if (d_x.data) AT(d_x, i, j) = mistake == OVERWRITES ? g : AT(d_x, i, j) + g;
            if (d_w.data) AT(d_w, i, j) += AT(d_y, i, j) * AT(x->value, i, j);
        }
    }
}

static Tensor *build(Tape *tape, void *context)
{
    Case *c = context;
    Tensor *inputs[] = {c->x, c->w};
    Matrix x = c->x->value;
    Tensor *y = tensor_node_on(HERE, tape, "coupled", x.rows, x.cols, step, sizeof(Mistake), 2, inputs);
    memcpy(y->context, &c->mistake, sizeof(Mistake));
    for (int i = 0; i < x.rows; i++) {
        float mean_x = 0;
        for (int j = 0; j < x.cols; j++) mean_x += AT(x, i, j) / (float)x.cols;
        for (int j = 0; j < x.cols; j++) AT(y->value, i, j) = AT(x, i, j) * AT(c->w->value, i, j) - mean_x;
    }
    return y;
}

static const char *const NAMES[] = {"x", "w"};

static Case filled_case(Arena *arena)
{
    Case c = {parameter_new(arena, 3, 5), parameter_new(arena, 3, 5), RIGHT};
    Rng rng = rng_new(1, 0);
    fill_uniform(c.x->value, &rng, -1, 1);
    fill_uniform(c.w->value, &rng, 0.5f, 1);
    return c;
}

static GradcheckResult result_of(Case *c)
{
    return gradcheck(build, c, (Tensor *[]){c->x, c->w}, NAMES, 2, 2e-3);
}

START_TEST(a_right_backward_passes_and_nothing_is_left_behind)
{
    Arena *arena = arena_new();
    Case c = filled_case(arena);
    Matrix before = matrix_copy(arena, c.x->value);
    GradcheckResult result = result_of(&c);
    ck_assert_msg(result.passed, "%s", result.message);
    ck_assert_msg(result.worst > 0 && result.worst < 1e-4, "worst error %g", result.worst);
    ck_assert(largest_difference(before, c.x->value) == 0.0f);
    ck_assert(!c.x->has_gradient && !c.w->has_gradient && c.x->wants_gradient && c.w->wants_gradient);
    arena_free(arena);
}
END_TEST

START_TEST(every_mistake_is_caught)
{
    Arena *arena = arena_new();
    Case c = filled_case(arena);
    for (c.mistake = FLIPPED; c.mistake <= NEEDS_BOTH; c.mistake++)
        ck_assert_msg(!result_of(&c).passed, "mistake %d was not caught", (int)c.mistake);
    arena_free(arena);
}
END_TEST

START_TEST(the_message_names_the_element)
{
    Arena *arena = arena_new();
    Case c = filled_case(arena);
    c.mistake = ONE_ELEMENT_WRONG;
    GradcheckResult result = result_of(&c);
    ck_assert_msg(strcmp(result.where, "x") == 0 && result.row == 1 && result.col == 2, "found %s (%d, %d)",
                  result.where, result.row, result.col);
    ck_assert_msg(fabs(result.analytic - result.numeric - 0.1) < 1e-3, "signed error %g",
                  result.analytic - result.numeric);
    c.mistake = NOT_A_NUMBER;
    result = result_of(&c);
    ck_assert_msg(strstr(result.message, "x (1, 2): not finite"), "message: %s", result.message);
    c.mistake = OVERWRITES;
    result = result_of(&c);
    ck_assert_msg(strstr(result.message, "overwrites"), "message: %s", result.message);
    arena_free(arena);
}
END_TEST

START_TEST(an_output_that_is_not_finite_fails)
{
    Arena *arena = arena_new();
    Case c = filled_case(arena);
    c.w->value.data[3] = INFINITY;
    GradcheckResult result = result_of(&c);
    ck_assert(!result.passed);
    ck_assert_msg(strstr(result.message, "not finite"), "message: %s", result.message);
    arena_free(arena);
}
END_TEST

static void check_no_tensor(void *context)
{
    Case *c = context;
    gradcheck(build, c, (Tensor *[]){c->x}, NAMES, 0, 2e-3);
}

static void check_no_element(void *context)
{
    Case *c = context;
    gradcheck(build, c, (Tensor *[]){c->x, parameter_new(arena_new(), 0, 5)}, NAMES, 2, 2e-3);
}

START_TEST(a_check_of_nothing_is_refused)
{
    Arena *arena = arena_new();
    Case c = filled_case(arena);
    expect_death(check_no_tensor, &c, "gradcheck: nothing to check");
    expect_death(check_no_element, &c, "gradcheck: w (0 × 5) has nothing to move");
    arena_free(arena);
}
END_TEST

SUITE("gradcheck", a_right_backward_passes_and_nothing_is_left_behind, every_mistake_is_caught,
      the_message_names_the_element, an_output_that_is_not_finite_fails, a_check_of_nothing_is_refused)
