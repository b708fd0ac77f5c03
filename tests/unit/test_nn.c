// Layers: names, beginnings, and what they compute.
#include "suite.h"
#include "gradients.h"
#include "matrix/gemm.h"
#include "models/nn.h"
#include <math.h>

START_TEST(layers_name_their_parameters)
{
    Arena *arena = arena_new();
    Parameters set = parameters_new(arena);
    Rng rng = rng_new(1, 0);
    const int sizes[] = {7, 5, 3};
    linear_new(&set, "head", 4, 2, &rng, INIT_HE);
    linear_new_without_bias(&set, "plain", 4, 2, &rng, INIT_HE);
    mlp_new(&set, "body", sizes, 3, &rng, INIT_HE);
    layer_norm_new(&set, "norm", 6);
    rms_norm_new(&set, "rms", 6);
    batch_norm_new(&set, "batch", 6);
    embedding_new(&set, "words", 11, 4, &rng, 0.1f);
    conv_new(&set, "edges", 4, 6, ((Window){3, 2, 1, 1, 2}), &rng, INIT_HE);
    conv_new_without_bias(&set, "bare", 1, 2, window_square(5, 1, 0), &rng, INIT_HE);
    const char *expected[] = {"head.weight", "head.bias",     "plain.weight",       "body.0.weight",
                              "body.0.bias", "body.1.weight", "body.1.bias",        "norm.gain",
                              "norm.bias",   "rms.gain",      "batch.running_mean", "batch.running_variance",
                              "batch.gain",  "batch.bias",    "words.table",        "edges.weight",
                              "edges.bias",  "bare.weight"};
    ck_assert_int_eq(set.count, (int)(sizeof expected / sizeof *expected));
    for (int i = 0; i < set.count; i++)
        ck_assert_msg(parameters_find(&set, expected[i]) != NULL, "%s is missing", expected[i]);
    ck_assert(parameters_size(&set) == 8 + 2 + 8 + 35 + 5 + 15 + 3 + 12 + 6 + 24 + 44 + 78 + 50);
    ck_assert(parameters_find(&set, "head") == NULL);
    arena_free(arena);
}
END_TEST

START_TEST(weights_begin_with_the_deviation_of_their_paper)
{
    Arena *arena = arena_new();
    Matrix w = matrix_new(arena, 300, 200);
    struct {
        Initialiser initialiser;
        double deviation, bound; // bound: no element lies beyond it; 0: any
    } checks[] = {{INIT_HE, sqrt(2.0 / 300), 0},
                  {INIT_GLOROT, sqrt(2.0 / 500), 0},
                  {INIT_LECUN, sqrt(1.0 / 300), 0},
                  {INIT_GLOROT_UNIFORM, sqrt(2.0 / 500), sqrt(6.0 / 500)},
                  {INIT_FAN_IN_UNIFORM, sqrt(1.0 / 900), sqrt(1.0 / 300)}};
    for (int c = 0; c < 5; c++) {
        Rng rng = rng_new(1, (uint64_t)c);
        initialise(w, checks[c].initialiser, &rng);
        double deviation = sqrt(sum_of_squares(w) / 60000),
               reach = fmax((double)largest(w), -(double)smallest(w));
        // The deviation of 60000 draws is known to 1/√120000 of itself; five of those.
        ck_assert_msg(fabs(deviation / checks[c].deviation - 1) < 5 / sqrt(120000.0),
                      "kind %d: got %g, expected %g", c, deviation, checks[c].deviation);
        ck_assert_msg(fabs(mean(w)) < 5 * checks[c].deviation / sqrt(60000.0), "kind %d: mean %g", c,
                      mean(w));
        if (checks[c].bound > 0)
            ck_assert_msg(reach <= checks[c].bound * (1 + 1e-6), "kind %d: reaches %g", c, reach);
    }
    Rng rng = rng_new(1, 9);
    initialise(w, INIT_ZERO, &rng);
    ck_assert(largest(w) == 0.0f && smallest(w) == 0.0f);
    arena_free(arena);
}
END_TEST

START_TEST(new_normalisations_change_only_mean_and_deviation)
{
    Arena *arena = arena_new();
    Parameters set = parameters_new(arena);
    Rng rng = rng_new(1, 0);
    Matrix x = matrix_new(arena, 50, 40);
    fill_normal(x, &rng, 3.0f, 2.0f);
    Tape *tape = tape_new();
    LayerNorm layer = layer_norm_new(&set, "layer", 40);
    RmsNorm rms = rms_norm_new(&set, "rms", 40);
    BatchNorm batch = batch_norm_new(&set, "batch", 40);
    Tensor *input = tape_input(tape, x);
    Tensor *outputs[] = {layer_normalise(&layer, input), rms_normalise(&rms, input),
                         batch_normalise(&batch, input, true)};
    for (int k = 0; k < 3; k++) {
        Matrix y = outputs[k]->value;
        ck_assert_msg(fabs(sum_of_squares(y) / 2000 - 1) < 1e-4, "kind %d: mean square %g", k,
                      sum_of_squares(y) / 2000);
        if (k != 1) ck_assert_msg(fabs(mean(y)) < 1e-6, "kind %d: mean %g", k, mean(y));
    }
    Matrix untrained =
        batch_normalise(&batch, input, false)->value; // the running statistics have moved by a tenth
    ck_assert_float_eq_tol((float)mean(untrained), (3.0f - 0.3f) / sqrtf(0.9f + 0.1f * 4.0f), 0.1f);
    ck_assert(!parameters_find(&set, "batch.running_mean")->wants_gradient);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// A net of every kind of layer, checked as a whole: what single operations cannot show is how they join.
typedef struct {
    Parameters set;
    Embedding words;
    Linear first, second;
    LayerNorm norm;
    RmsNorm rms;
    BatchNorm batch;
    Mlp head;
} Net;

static const int IDS[] = {0, 3, 1, 3, 2, 0, 1};
static const int LABELS[] = {0, 1, 2, 0, 1, 2, 0};

static Tensor *build(Tape *tape, void *context)
{
    Net *net = context;
    Tensor *x = embed(tape, &net->words, IDS, 7);
    Tensor *h = tensor_add(x, gelu(linear(&net->first, layer_normalise(&net->norm, x)))); // residual
    h = tensor_add(h, hyperbolic_tangent(linear(&net->second, rms_normalise(&net->rms, h))));
    return cross_entropy(mlp(&net->head, batch_normalise(&net->batch, h, true)), LABELS);
}

static void net_make(Net *net, Arena *arena)
{
    Rng rng = rng_new(6, 0);
    const int sizes[] = {5, 3};
    net->set = parameters_new(arena);
    net->words = embedding_new(&net->set, "words", 4, 5, &rng, 1.0f);
    net->first = linear_new(&net->set, "first", 5, 5, &rng, INIT_GLOROT);
    net->second = linear_new_without_bias(&net->set, "second", 5, 5, &rng, INIT_LECUN);
    net->norm = layer_norm_new(&net->set, "norm", 5);
    net->rms = rms_norm_new(&net->set, "rms", 5);
    net->batch = batch_norm_new(&net->set, "batch", 5);
    net->head = mlp_new(&net->set, "head", sizes, 2, &rng, INIT_HE);
}

START_TEST(gradients_of_a_net_of_every_layer)
{
    Arena *arena = arena_new();
    Net net;
    net_make(&net, arena);
    Tensor *tensors[32];
    const char *names[32];
    int count = 0;
    for (int i = 0; i < net.set.count; i++) {
        if (!net.set.items[i]->wants_gradient) continue;
        tensors[count] = net.set.items[i];
        names[count++] = net.set.names[i];
    }
    GradcheckResult result = gradcheck(build, &net, tensors, names, count, 2e-3);
    ck_assert_msg(result.passed, "%s", result.message);
    arena_free(arena);
}
END_TEST

START_TEST(it_learns_its_examples_by_heart)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(2, 0);
    const int sizes[] = {6, 32, 32, 3};
    Parameters set = parameters_new(arena);
    Mlp model = mlp_new(&set, "m", sizes, 4, &rng, INIT_HE);
    Matrix x = matrix_new(arena, 30, 6);
    int labels[30];
    fill_normal(x, &rng, 0, 1);
    for (int i = 0; i < 30; i++) labels[i] = (int)rng_below(&rng, 3);
    Optimiser adam = adam_new(arena, &set, 0.9f, 0.999f, 1e-8f, 0.0f);
    Tape *tape = tape_new();
    double first = 0, last = 0;
    for (int step = 0; step < 300; step++) {
        tape_reset(tape);
        Tensor *scores = mlp(&model, tape_input(tape, x)), *loss = cross_entropy(scores, labels);
        backward(loss);
        optimiser_step(&adam, 1e-2f);
        last = (double)loss->value.data[0];
        if (step == 0) first = last;
        if (step == 299)
            ck_assert_msg(accuracy(scores->value, labels) == 1.0, "accuracy %g",
                          accuracy(scores->value, labels));
    }
    ck_assert_msg(last < 0.05 * first, "loss %g, then %g", first, last);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

static void mlp_of_one_size(void *context)
{
    (void)context;
    Parameters set = parameters_new(arena_new());
    Rng rng = rng_new(1, 0);
    const int sizes[] = {6};
    mlp_new(&set, "m", sizes, 1, &rng, INIT_HE);
}

START_TEST(misuse_stops_with_the_callers_line)
{
    expect_death(mlp_of_one_size, NULL, "test_nn.c");
    expect_death(mlp_of_one_size, NULL, "m has 1 sizes");
}
END_TEST

// Recurrent layers: names, the size of the weights, the forget bias, and that all of it is used.
START_TEST(recurrent_layers_begin_as_they_say_and_learn)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Rng rng = rng_new(8, 0);
    Parameters set = parameters_new(arena);
    Rnn plain = rnn_new(&set, "rnn", 50, 200, &rng, RNN_TANH);
    Lstm gated = lstm_new(&set, "lstm", 50, 200, &rng, 1.5f);
    Gru light = gru_new(&set, "gru", 50, 200, &rng);
    ck_assert_str_eq(set.names[0], "rnn.weight");
    ck_assert_str_eq(set.names[4], "lstm.recurrent");
    ck_assert_str_eq(set.names[9], "gru.recurrent_bias");
    Matrix inner[] = {plain.weight->value, gated.weight->value, light.weight->value},
           outer[] = {plain.recurrent->value, gated.recurrent->value, light.recurrent->value};
    for (int i = 0; i < 3; i++) {
        double got = sqrt(sum_of_squares(inner[i]) / (double)matrix_size(inner[i])),
               expected = sqrt(2.0 / 250);
        ck_assert_msg(fabs(got / expected - 1) < 0.05, "layer %d, weight: got %g, expected %g", i, got,
                      expected);
        got = sqrt(sum_of_squares(outer[i]) / (double)matrix_size(outer[i])), expected = sqrt(1.0 / 200);
        ck_assert_msg(fabs(got / expected - 1) < 0.05, "layer %d, recurrent: got %g, expected %g", i, got,
                      expected);
    }
    for (int j = 0; j < 800; j++)
        if (gated.bias->value.data[j] != (j / 200 == 1 ? 1.5f : 0.0f)) ck_abort_msg("bias %d", j);

    Sequences shape = {3, 4};
    Matrix data = matrix_new(arena, 12, 50);
    fill_normal(data, &rng, 0, 1);
    RecurrentState state = recurrent_state_new(arena, 3, 200);
    Tensor *x = tape_input(tape, data);
    Tensor *all =
        tensor_add(tensor_add(rnn_states(&plain, x, shape, NULL), lstm_states(&gated, x, shape, &state)),
                   gru_states(&light, x, shape, NULL));
    backward(mean_squared_error(last_steps(all, shape), matrix_new(arena, 3, 200)));
    ck_assert(sum_of_squares(state.hidden) > 0 && sum_of_squares(state.cell) > 0);
    for (int i = 0; i < set.count; i++) ck_assert(sum_of_squares(set.items[i]->gradient) > 0);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(without_a_generator_weights_stay_zeros)
{
    Arena *arena = arena_new();
    Parameters set = parameters_new(arena);
    linear_new(&set, "he", 4, 2, NULL, INIT_HE);
    linear_new(&set, "fan", 4, 2, NULL, INIT_FAN_IN_UNIFORM);
    mlp_new(&set, "body", ((const int[]){7, 5, 3}), 3, NULL, INIT_GLOROT);
    embedding_new(&set, "words", 11, 4, NULL, 0.1f);
    conv_new(&set, "edges", 4, 6, ((Window){3, 2, 1, 1, 2}), NULL, INIT_LECUN);
    gru_new(&set, "gru", 3, 4, NULL);
    for (int i = 0; i < set.count; i++)
        ck_assert_msg(sum_of_squares(set.items[i]->value) == 0.0, "%s is not 0", set.names[i]);
    arena_free(arena);
}
END_TEST

// ---- Low-rank adaptation ------------------------------------------------------------------------------------

typedef struct {
    Parameters set;
    Linear layer;
    Tensor *x;
    int variant;
} Adapted;

static Adapted adapted_new(Arena *arena)
{
    Adapted a = {.set = parameters_new(arena)};
    Rng rng = rng_new(8, 0);
    a.layer = linear_new(&a.set, "layer", 6, 5, &rng, INIT_FAN_IN_UNIFORM);
    a.x = parameters_add(&a.set, "x", 4, 6);
    fill_normal(a.x->value, &rng, 0.0f, 1.0f);
    return a;
}

static Tensor *build_adapted(Tape *tape, void *context)
{
    Adapted *a = context;
    Tensor *x = tape_parameter(tape, a->x);
    switch (a->variant) {
    case 0:
        return linear(&a->layer, x);
    case 1:
        return linear_relu(&a->layer, x);
    case 2:
        return linear_gelu(&a->layer, x);
    default:
        return linear_add(&a->layer, slice_columns(x, 0, 5), x);
    }
}

START_TEST(an_adapted_layer_adds_a_product_of_low_rank)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    for (int variant = 0; variant < 4; variant++) {
        Adapted a = adapted_new(arena);
        a.variant = variant;
        const Matrix plain = matrix_copy(arena, build_adapted(tape, &a)->value);
        Rng rng = rng_new(9, 0);
        linear_add_lora(&a.layer, &a.set, "layer", 2, 8.0f, &rng);
        ck_assert(largest_difference(build_adapted(tape, &a)->value, plain) == 0.0f); // B begins as 0
        fill_normal(a.layer.lora_b->value, &rng, 0.0f, 0.5f);
        const Matrix adapted = matrix_copy(arena, build_adapted(tape, &a)->value);
        ck_assert(largest_difference(adapted, plain) > 0.1f);

        check_operation(build_adapted, &a, (Tensor *const[]){a.layer.lora_a, a.layer.lora_b, a.x},
                        (const char *const[]){"lora_a", "lora_b", "x"}, 3, 2e-2);
        ck_assert(!a.layer.weight->has_gradient && !a.layer.bias->has_gradient); // frozen

        Matrix full = matrix_new(arena, 6, 5); // W + 8/2 · A·B, the dense twin
        matmul(full, a.layer.lora_a->value, a.layer.lora_b->value);
        scale(full, 4.0f);
        add(full, full, a.layer.weight->value);
        linear_merge(&a.layer);
        ck_assert_ptr_null(a.layer.lora_a);
        ck_assert_msg(largest_difference(a.layer.weight->value, full) < 1e-6f, "merged: off by %g",
                      (double)largest_difference(a.layer.weight->value, full));
        const float off = largest_difference(build_adapted(tape, &a)->value, adapted);
        ck_assert_msg(off < 1e-5f, "variant %d, after the merge: off by %g", variant, (double)off);
        tape_reset(tape);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

static void adapt_with_rank(void *rank)
{
    Adapted a = adapted_new(arena_new());
    Rng rng = rng_new(9, 0);
    linear_add_lora(&a.layer, &a.set, "layer", *(int *)rank, 8.0f, &rng);
    linear_add_lora(&a.layer, &a.set, "again", *(int *)rank, 8.0f, &rng);
}

START_TEST(ranks_that_make_no_sense_are_refused)
{
    int rank = 6;
    expect_death(adapt_with_rank, &rank, "layer from 6 to 5 features with rank 6");
    rank = 2;
    expect_death(adapt_with_rank, &rank, "again has one already");
}
END_TEST

// ---- Two networks against each other -----------------------------------------------------------------------

// A generative adversarial network: one set and one optimiser for each side, the other side frozen.
typedef struct {
    Parameters of_generator, of_judge;
    Mlp generator, judge;
    Optimiser improve_generator, improve_judge;
} Gan;

static Gan *gan_new(Arena *arena, Rng *rng)
{
    Gan *gan = arena_alloc(arena, 1, sizeof *gan);
    gan->of_generator = parameters_new(arena);
    gan->of_judge = parameters_new(arena);
    gan->generator = mlp_new(&gan->of_generator, "generator", ((int[]){2, 16, 1}), 3, rng, INIT_HE);
    gan->judge = mlp_new(&gan->of_judge, "judge", ((int[]){1, 16, 1}), 3, rng, INIT_HE);
    gan->improve_generator = adam_new(arena, &gan->of_generator, 0.5f, 0.99f, 1e-8f, 0.0f);
    gan->improve_judge = adam_new(arena, &gan->of_judge, 0.5f, 0.99f, 1e-8f, 0.0f);
    return gan;
}

// One step of the judge, who should give the real ones more than 0 and the others less, or one of the generator.
static void gan_step(Gan *gan, Tape *tape, Matrix real, Matrix noise, bool of_judge)
{
    parameters_freeze(&gan->of_generator, "", of_judge);
    parameters_freeze(&gan->of_judge, "", !of_judge);
    tape_reset(tape);
    Tensor *made = mlp(&gan->judge, mlp(&gan->generator, tape_input(tape, noise)));
    if (of_judge) {
        Tensor *seen = mlp(&gan->judge, tape_input(tape, real));
        Tensor *doubt = mean_all(softplus(tensor_scale(seen, -1.0f)));
        backward(tensor_add(doubt, mean_all(softplus(made))));
        optimiser_step(&gan->improve_judge, 0.01f);
    } else {
        backward(mean_all(softplus(tensor_scale(made, -1.0f))));
        optimiser_step(&gan->improve_generator, 0.002f);
    }
}

START_TEST(a_frozen_side_of_two_stays_as_it_is)
{
    enum { MANY = 64, STEPS = 1500 };
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Rng rng = rng_new(4, 0);
    Gan *gan = gan_new(arena, &rng);
    Matrix real = matrix_new(arena, MANY, 1), noise = matrix_new(arena, MANY, 2);
    for (int step = 0; step < 2 * STEPS; step++) {
        const bool of_judge = step % 2 == 0;
        const Tensor *still = of_judge ? gan->generator.layers[0].weight : gan->judge.layers[0].weight,
                     *moving = of_judge ? gan->judge.layers[0].weight : gan->generator.layers[0].weight;
        ArenaMark mark = arena_mark(arena);
        const Matrix frozen = matrix_copy(arena, still->value), free = matrix_copy(arena, moving->value);
        fill_normal(real, &rng, 3.0f, 0.5f);
        fill_normal(noise, &rng, 0.0f, 1.0f);
        gan_step(gan, tape, real, noise, of_judge);
        ck_assert_msg(largest_difference(frozen, still->value) == 0.0f, "step %d moved the frozen side",
                      step);
        ck_assert(largest_difference(free, moving->value) > 0.0f);
        arena_rewind(arena, mark);
    }
    tape_reset(tape);
    Matrix made = mlp(&gan->generator, tape_input(tape, noise))->value;
    double mean = 0.0;
    for (int i = 0; i < MANY; i++) mean += (double)made.data[i] / MANY;
    ck_assert_msg(fabs(mean - 3.0) < 0.5, "the mean of what is made is %g", mean); // that of the noise is 0
    tape_free(tape);
    arena_free(arena);
}
END_TEST

SUITE("nn", a_frozen_side_of_two_stays_as_it_is, without_a_generator_weights_stay_zeros,
      an_adapted_layer_adds_a_product_of_low_rank, ranks_that_make_no_sense_are_refused,
      recurrent_layers_begin_as_they_say_and_learn, layers_name_their_parameters,
      weights_begin_with_the_deviation_of_their_paper, new_normalisations_change_only_mean_and_deviation,
      gradients_of_a_net_of_every_layer, it_learns_its_examples_by_heart, misuse_stops_with_the_callers_line)
