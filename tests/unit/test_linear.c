// Linear layers, products, embeddings: against naive loops, and their gradients.
#include "suite.h"
#include "gradients.h"
#include "learning/ops/activation.h"
#include "learning/ops/linear.h"

typedef struct {
    Arena *arena;
    Tensor *x, *w, *b, *r; // r: the stream that affine_add adds to
    const int *ids;
    int count;
} Case;

static Tensor *filled(Arena *arena, int rows, int cols, Rng *rng)
{
    Tensor *t = parameter_new(arena, rows, cols);
    fill_uniform(t->value, rng, -1.0f, 1.0f);
    return t;
}

static Case linear_case(Arena *arena, int n, int in, int out)
{
    Rng rng = rng_new(3, 1);
    return (Case){arena,
                  filled(arena, n, in, &rng),
                  filled(arena, in, out, &rng),
                  filled(arena, 1, out, &rng),
                  filled(arena, n, out, &rng),
                  NULL,
                  0};
}

static Tensor *build_affine(Tape *tape, void *context)
{
    Case *c = context;
    return affine(tape_parameter(tape, c->x), c->w, c->b);
}

static Tensor *build_affine_without_bias(Tape *tape, void *context)
{
    Case *c = context;
    return affine(tape_parameter(tape, c->x), c->w, NULL);
}

static Tensor *build_affine_relu(Tape *tape, void *context)
{
    Case *c = context;
    return affine_relu(tape_parameter(tape, c->x), c->w, c->b);
}

static Tensor *build_affine_gelu(Tape *tape, void *context)
{
    Case *c = context;
    return affine_gelu(tape_parameter(tape, c->x), c->w, c->b);
}

static Tensor *build_affine_add(Tape *tape, void *context)
{
    Case *c = context;
    return affine_add(c->r, tape_parameter(tape, c->x), c->w, c->b);
}

static Tensor *build_product(Tape *tape, void *context)
{
    Case *c = context;
    return product(tape_parameter(tape, c->x), c->w);
}

static Tensor *build_embedding(Tape *tape, void *context)
{
    Case *c = context;
    return embedding(tape, c->x, c->ids, c->count);
}

START_TEST(affine_add_equals_the_sum_bit_for_bit)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Case c = linear_case(arena, 7, 13, 37);
    for (int with_bias = 1; with_bias >= 0; with_bias--) {
        if (!with_bias) c.b = NULL;
        Matrix expected = matrix_new(arena, 7, 37), y = build_affine_add(tape, &c)->value;
        add(expected, c.r->value, affine(tape_parameter(tape, c.x), c.w, c.b)->value);
        ck_assert(memcmp(y.data, expected.data, 7 * 37 * sizeof(float)) == 0);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// As one operation and as two: the same bits, recording or not.
START_TEST(affine_gelu_equals_gelu_of_affine_bit_for_bit)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Case c = linear_case(arena, 7, 13, 37);
    Tensor *expected = gelu(build_affine(tape, &c));
    for (int recording = 0; recording < 2; recording++) {
        tape_record(tape, recording);
        Tensor *y = build_affine_gelu(tape, &c);
        ck_assert(memcmp(y->value.data, expected->value.data, 7 * 37 * sizeof(float)) == 0);
    }
    c.b = NULL;
    ck_assert(largest_difference(build_affine_gelu(tape, &c)->value,
                                 gelu(build_affine_without_bias(tape, &c))->value) == 0.0f);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

static const char *const NAMES[] = {"x", "w", "b", "r"};

START_TEST(affine_equals_three_loops)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Case c = linear_case(arena, 7, 13, 5);
    Tensor *y = build_affine(tape, &c), *active = build_affine_relu(tape, &c);
    for (int n = 0; n < 7; n++) {
        for (int o = 0; o < 5; o++) {
            double expected = (double)c.b->value.data[o];
            for (int i = 0; i < 13; i++)
                expected += (double)AT(c.x->value, n, i) * (double)AT(c.w->value, i, o);
            ck_assert_msg(fabs((double)AT(y->value, n, o) - expected) < 1e-5, "(%d, %d): got %g, expected %g",
                          n, o, (double)AT(y->value, n, o), expected);
            float positive = AT(y->value, n, o) > 0 ? AT(y->value, n, o) : 0.0f;
            ck_assert_msg(AT(active->value, n, o) == positive, "relu (%d, %d): got %g, expected %g", n, o,
                          (double)AT(active->value, n, o), (double)positive);
        }
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(gradients_of_affine)
{
    Arena *arena = arena_new();
    Case c = linear_case(arena, 5, 7, 3);
    check_operation(build_affine, &c, (Tensor *[]){c.x, c.w, c.b}, NAMES, 3, 1e-3);
    check_operation(build_affine_gelu, &c, (Tensor *[]){c.x, c.w, c.b}, NAMES, 3, 2e-3);
    check_operation(build_affine_add, &c, (Tensor *[]){c.x, c.w, c.b, c.r}, NAMES, 4, 1e-3);
    check_operation(build_affine_without_bias, &c, (Tensor *[]){c.x, c.w}, NAMES, 2, 1e-3);
    Case tall = linear_case(arena, 19, 1, 1);
    check_operation(build_affine, &tall, (Tensor *[]){tall.x, tall.w, tall.b}, NAMES, 3, 1e-3);
    arena_free(arena);
}
END_TEST

START_TEST(gradients_of_affine_relu)
{
    Arena *arena = arena_new();
    Case c = linear_case(arena, 5, 7, 3);
    // Kept away from the kink: each column is clearly positive or clearly negative.
    for (int o = 0; o < 3; o++) c.b->value.data[o] = o == 1 ? -9.0f : 9.0f;
    check_operation(build_affine_relu, &c, (Tensor *[]){c.x, c.w, c.b}, NAMES, 3, 1e-3);
    arena_free(arena);
}
END_TEST

START_TEST(gradients_of_product)
{
    Arena *arena = arena_new();
    Case c = linear_case(arena, 3, 9, 4);
    check_operation(build_product, &c, (Tensor *[]){c.x, c.w}, NAMES, 2, 1e-3);
    arena_free(arena);
}
END_TEST

START_TEST(gradients_of_embedding_add_up_for_repeated_ids)
{
    Arena *arena = arena_new();
    const int ids[] = {4, 0, 4, 4, 2, 0};
    Case c = linear_case(arena, 5, 67, 1);
    c.ids = ids;
    c.count = 6;
    check_operation(build_embedding, &c, (Tensor *[]){c.x}, NAMES, 1, 1e-3);

    Tape *tape = tape_new();
    Tensor *y = build_embedding(tape, &c);
    Matrix ones = matrix_new(arena, 6, 67);
    fill(ones, 1.0f);
    backward_from(y, ones);
    const float times[] = {2, 0, 1, 0, 3};
    for (int v = 0; v < 5; v++)
        ck_assert_msg(AT(c.x->gradient, v, 66) == times[v], "row %d: got %g, expected %g", v,
                      (double)AT(c.x->gradient, v, 66), (double)times[v]);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(the_plain_backward_equals_the_taped_one_bit_for_bit)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Case c = linear_case(arena, 33, 65, 17);
    Matrix d_y = matrix_new(arena, 33, 17), zero = {0, 0, NULL};
    Rng rng = rng_new(5, 5);
    fill_normal(d_y, &rng, 0, 1);

    for (int active = 0; active < 2; active++) {
        Matrix d_x = matrix_new(arena, 33, 65), d_w = matrix_new(arena, 65, 17),
               d_b = matrix_new(arena, 1, 17);
        Matrix d_z = matrix_new(arena, 33, 17);
        Tensor *y = active ? build_affine_relu(tape, &c) : build_affine(tape, &c);
        c.x->has_gradient = c.w->has_gradient = c.b->has_gradient = false;
        backward_from(y, d_y);
        if (active) {
            affine_relu_backward(d_x, d_w, d_b, d_z, d_y, y->value, c.x->value, c.w->value);
        } else {
            affine_backward(d_x, d_w, d_b, d_y, c.x->value, c.w->value);
            affine_backward(zero, zero, zero, d_y, c.x->value, c.w->value); // nothing wanted, nothing touched
        }
        ck_assert(largest_difference(d_x, c.x->gradient) == 0.0f);
        ck_assert(largest_difference(d_w, c.w->gradient) == 0.0f);
        ck_assert(largest_difference(d_b, c.b->gradient) == 0.0f);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

static void affine_of_wrong_shape(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Case c = linear_case(arena, 4, 6, 3);
    Tape *tape = tape_new();
    affine(tape_input(tape, c.w->value), c.w, c.b);
}

static void embedding_of_unknown_id(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Case c = linear_case(arena, 4, 6, 3);
    const int ids[] = {0, 4};
    embedding(tape_new(), c.x, ids, 2);
}

START_TEST(wrong_shapes_stop_with_the_callers_line)
{
    expect_death(affine_of_wrong_shape, NULL, "test_linear.c");
    expect_death(affine_of_wrong_shape, NULL, "affine: x (6 × 3) meets a weight (6 × 3)");
    expect_death(embedding_of_unknown_id, NULL, "id 4 (number 1) into a table (4 × 6)");
}
END_TEST

SUITE("linear", affine_equals_three_loops, affine_add_equals_the_sum_bit_for_bit,
      affine_gelu_equals_gelu_of_affine_bit_for_bit, gradients_of_affine, gradients_of_affine_relu,
      gradients_of_product, gradients_of_embedding_add_up_for_repeated_ids,
      the_plain_backward_equals_the_taped_one_bit_for_bit, wrong_shapes_stop_with_the_callers_line)
