// Sets of parameters as a whole: copied, averaged, and put side by side.
#include "suite.h"
#include "learning/optim.h"
#include "models/nn.h"

#include <math.h>

typedef struct {
    Parameters set;
    Linear first, second;
} Model;

static Model new_model(Arena *arena, uint64_t seed)
{
    Model m = {.set = parameters_new(arena)};
    Rng rng = rng_new(seed, 0);
    m.first = linear_new(&m.set, "first", 3, 5, &rng, INIT_FAN_IN_UNIFORM);
    m.second = linear_new(&m.set, "second", 5, 2, &rng, INIT_FAN_IN_UNIFORM);
    return m;
}

static void learn(Model *m, Tape *tape, Matrix x)
{
    tape_reset(tape);
    Tensor *y = linear(&m->second, linear_relu(&m->first, tape_input(tape, x)));
    backward(mean_all(tensor_multiply(y, y)));
}

static Matrix data_of(Arena *arena)
{
    Matrix x = matrix_new(arena, 7, 3);
    Rng rng = rng_new(1, 1);
    fill_normal(x, &rng, 0.0f, 1.0f);
    return x;
}

START_TEST(values_are_copied_by_name)
{
    Arena *arena = arena_new();
    Model a = new_model(arena, 1), b = new_model(arena, 2);
    parameters_add(&b.set, "more", 1, 1); // the source may hold more
    parameters_copy(&a.set, &b.set);
    for (int i = 0; i < a.set.count; i++)
        ck_assert_mem_eq(a.set.items[i]->value.data, b.set.items[i]->value.data,
                         matrix_size(a.set.items[i]->value) * sizeof(float));
    arena_free(arena);
}
END_TEST

START_TEST(an_average_follows_at_its_pace)
{
    Arena *arena = arena_new();
    Model average = new_model(arena, 1), now = new_model(arena, 2);
    const float before = average.first.weight->value.data[4], other = now.first.weight->value.data[4];
    for (int step = 0; step < 3; step++) parameters_average(&average.set, &now.set, 0.9f);
    const double expected = (double)other + 0.729 * ((double)before - (double)other);
    const double got = (double)average.first.weight->value.data[4];
    ck_assert_msg(fabs(got - expected) < 1e-6, "got %g, expected %g", got, expected);
    arena_free(arena);
}
END_TEST

START_TEST(a_sealed_model_learns_the_same_bits)
{
    Arena *arena = arena_new();
    Model plain = new_model(arena, 3), sealed = new_model(arena, 3);
    parameters_seal(&sealed.set);
    const Matrix x = data_of(arena);
    Tape *tape = tape_new();
    Optimiser a = adamw_new(arena, &plain.set, 0.9f, 0.99f, 1e-8f, 0.1f);
    Optimiser b = adamw_new(arena, &sealed.set, 0.9f, 0.99f, 1e-8f, 0.1f);
    for (int step = 0; step < 5; step++) {
        learn(&plain, tape, x);
        optimiser_step(&a, 0.01f);
        learn(&sealed, tape, x);
        optimiser_step(&b, 0.01f);
    }
    size_t offset = 0;
    for (int i = 0; i < plain.set.count; i++) {
        const Matrix value = sealed.set.items[i]->value;
        ck_assert_ptr_eq(value.data, sealed.set.block.data + offset);
        ck_assert_mem_eq(value.data, plain.set.items[i]->value.data, matrix_size(value) * sizeof(float));
        offset += (matrix_size(value) + 15) / 16 * 16;
    }
    ck_assert_uint_eq(offset, matrix_size(sealed.set.block));
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(the_block_of_gradients_is_whole)
{
    Arena *arena = arena_new();
    Model m = new_model(arena, 3);
    parameters_seal(&m.set);
    const Matrix x = data_of(arena);
    Tape *tape = tape_new();
    learn(&m, tape, x);
    const double norm = gradient_norm(&m.set);
    Matrix all = parameters_gradients(&m.set);
    ck_assert_msg(fabs(sqrt(sum_of_squares(all)) - norm) < 1e-6 * norm, "got %g, expected %g",
                  sqrt(sum_of_squares(all)), norm);

    // What no backward has reached counts as 0, whatever stood there; so does what is frozen.
    clear_gradients(&m.set);
    parameters_freeze(&m.set, "first", true);
    all = parameters_gradients(&m.set);
    for (size_t i = 0; i < matrix_size(all); i++) ck_assert(all.data[i] == 0.0f);
    const Matrix before = matrix_copy(arena, m.set.block);
    Optimiser sgd = sgd_new(arena, &m.set, 0.0f);
    optimiser_step(&sgd, 1.0f);
    ck_assert_mem_eq(before.data, m.set.block.data, matrix_size(before) * sizeof(float));
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// Two halves of a batch, one of them learned by a replica: the gradient is that of the batch, and a step moves both.
START_TEST(replicas_learn_as_one)
{
    Arena *arena = arena_new();
    Model whole = new_model(arena, 6), m = new_model(arena, 6), replica = new_model(arena, 7);
    Tape *tape = tape_new();
    const Matrix x = matrix_rows(data_of(arena), 0, 6);
    learn(&whole, tape, x);
    parameters_share(&replica.set, &m.set);
    learn(&m, tape, matrix_rows(x, 0, 3));
    learn(&replica, tape, matrix_rows(x, 3, 3));
    parameters_gather(&m.set, &replica.set);
    for (int i = 0; i < m.set.count; i++) {
        const Matrix sum = m.set.items[i]->gradient, expected = whole.set.items[i]->gradient;
        for (size_t k = 0; k < matrix_size(sum); k++) // each half's mean is over half as many
            ck_assert_msg(fabsf(0.5f * sum.data[k] - expected.data[k]) < 1e-6f, "%s: %g and %g",
                          m.set.names[i], 0.5 * (double)sum.data[k], (double)expected.data[k]);
        ck_assert(!replica.set.items[i]->has_gradient);
    }
    Optimiser sgd = sgd_new(arena, &m.set, 0.0f);
    optimiser_step(&sgd, 0.1f);
    for (int i = 0; i < m.set.count; i++)
        ck_assert_ptr_eq(m.set.items[i]->value.data, replica.set.items[i]->value.data);
    ck_assert(m.first.weight->value.data[0] != whole.first.weight->value.data[0]);

    // What only the replica has learned arrives whole; what is frozen takes nothing.
    learn(&replica, tape, x);
    parameters_freeze(&m.set, "first", true);
    parameters_gather(&m.set, &replica.set);
    ck_assert(!m.first.weight->has_gradient && m.second.weight->has_gradient);
    ck_assert_mem_eq(m.second.weight->gradient.data, replica.second.weight->gradient.data,
                     10 * sizeof(float));
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(weight_decay_is_chosen_by_the_last_part_of_the_name)
{
    Arena *arena = arena_new();
    Model m = new_model(arena, 4);
    for (int i = 0; i < m.set.count; i++) fill(m.set.items[i]->value, 1.0f);
    Optimiser adamw = adamw_new(arena, &m.set, 0.9f, 0.999f, 1e-8f, 0.5f);
    optimiser_decay(&adamw, "bias", 0.0f);
    for (int i = 0; i < m.set.count; i++) fill(tensor_gradient(m.set.items[i]), 0.0f);
    optimiser_step(&adamw, 0.1f);
    for (int i = 0; i < m.set.count; i++) {
        const float expected = strstr(m.set.names[i], "bias") ? 1.0f : 0.95f,
                    got = m.set.items[i]->value.data[0];
        ck_assert_msg(fabsf(got - expected) < 1e-6f, "%s: got %g, expected %g", m.set.names[i], (double)got,
                      (double)expected);
    }
    arena_free(arena);
}
END_TEST

static void copy_from_another_model(void *unused)
{
    (void)unused;
    Arena *arena = arena_new();
    Model m = new_model(arena, 1);
    Parameters other = parameters_new(arena);
    parameters_add(&other, "first.weight", 5, 3);
    parameters_copy(&m.set, &other);
}
static void add_to_what_is_sealed(void *unused)
{
    (void)unused;
    Model m = new_model(arena_new(), 1);
    parameters_seal(&m.set);
    parameters_add(&m.set, "late", 1, 1);
}
static void gather_what_is_not_sealed(void *unused)
{
    (void)unused;
    Model m = new_model(arena_new(), 1);
    parameters_gradients(&m.set);
}
static void share_with_a_sealed_replica(void *unused)
{
    (void)unused;
    Arena *arena = arena_new();
    Model a = new_model(arena, 1), b = new_model(arena, 1);
    parameters_seal(&b.set);
    parameters_share(&b.set, &a.set);
}
static void decay_nothing(void *unused)
{
    (void)unused;
    Arena *arena = arena_new();
    Model m = new_model(arena, 1);
    Optimiser sgd = sgd_new(arena, &m.set, 0.0f);
    optimiser_decay(&sgd, "eight", 0.0f); // the end of weight, but no part of a name
}

START_TEST(what_does_not_fit_is_named)
{
    expect_death(copy_from_another_model, NULL, "first.weight is (3 × 5) here and (5 × 3) there");
    expect_death(add_to_what_is_sealed, NULL, "parameter late comes too late");
    expect_death(gather_what_is_not_sealed, NULL, "the set is not sealed");
    expect_death(share_with_a_sealed_replica, NULL, "parameters_share: the replica is sealed");
    expect_death(decay_nothing, NULL, "no parameter's name ends with eight");
}
END_TEST

SUITE("parameters", values_are_copied_by_name, an_average_follows_at_its_pace,
      a_sealed_model_learns_the_same_bits, the_block_of_gradients_is_whole, replicas_learn_as_one,
      weight_decay_is_chosen_by_the_last_part_of_the_name, what_does_not_fit_is_named)
