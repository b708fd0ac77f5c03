// The block of a Transformer: gradients of every kind, an encoder-decoder in a few lines, packed sequences, a cache, mistakes.
// tests/unit/test_reference.c compares it with PyTorch's layers.
#include "suite.h"
#include "gradients.h"
#include "models/block.h"

#include <math.h>

enum { BATCH = 2, TIME = 4, MEMORY = 3, WIDTH = 6 };

typedef struct {
    Parameters set;
    Block block;
    Tensor *x, *memory, *bias;
    BlockInputs in;
} Model;

// Every bit of the number switches something on.
static BlockConfig variant(int number)
{
    static const BlockActivation activations[] = {BLOCK_GELU, BLOCK_SWIGLU,
                                                  BLOCK_TANH_GELU}; // ReLU has a kink
    return (BlockConfig){.width = WIDTH,
                         .heads = 2,
                         .head_width = 4,
                         .key_heads = number & 1 ? 1 : 2,
                         .hidden = 5,
                         .cross = number & 2,
                         .norm = number & 4 ? NORM_RMS : NORM_LAYER,
                         .post_norm = number & 8,
                         .query_key_norm = number & 1,
                         .rotary = number & 4,
                         .without_biases = number & 2,
                         .qkv_biases = number & 1,
                         .activation = activations[number % 3]};
}
enum { VARIANTS = 16 };

static Tensor *filled(Arena *arena, int rows, int cols, Rng *rng)
{
    Tensor *t = parameter_new(arena, rows, cols);
    fill_normal(t->value, rng, 0.0f, 1.0f);
    return t;
}

static Model model_new(Arena *arena, BlockConfig config)
{
    Rng rng = rng_new(5, 0);
    Model m = {.set = parameters_new(arena)};
    m.block = block_new(&m.set, "block", config, &rng);
    for (int i = 0; i < m.set.count; i++) { // no bias stays 0 and no gain 1
        Matrix value = m.set.items[i]->value;
        if (value.rows == 1)
            for (int j = 0; j < value.cols; j++) value.data[j] += rng_between(&rng, -0.3f, 0.3f);
    }
    m.x = filled(arena, BATCH * TIME, WIDTH, &rng);
    m.memory = filled(arena, BATCH * MEMORY, WIDTH, &rng);
    m.bias = filled(arena, 2 * TIME, TIME, &rng);
    m.in = (BlockInputs){.self = self_attention_shape(BATCH, TIME, 0, true),
                         .bias = m.bias,
                         .memory = config.cross ? m.memory : NULL,
                         .cross = {.batch = BATCH, .queries = TIME, .keys = MEMORY}};
    return m;
}

static Tensor *build(Tape *tape, void *context)
{
    const Model *m = context;
    BlockInputs in = m->in;
    if (in.memory) in.memory = tape_parameter(tape, m->memory);
    return block_forward_at(HERE, &m->block, tape_parameter(tape, m->x), in);
}

START_TEST(gradients_of_every_kind_of_block)
{
    for (int n = 0; n < VARIANTS; n++) {
        Arena *arena = arena_new();
        Model m = model_new(arena, variant(n));
        ck_assert_int_eq(m.set.count, block_parameters(&m.block.config));
        Tensor *tensors[64] = {m.x, m.bias, m.memory};
        const char *names[64] = {"x", "bias", "memory"};
        int count = m.block.config.cross ? 3 : 2;
        for (int i = 0; i < m.set.count; i++, count++) {
            tensors[count] = m.set.items[i];
            names[count] = m.set.names[i];
        }
        GradcheckResult right = gradcheck(build, &m, tensors, names, count, 1e-2);
        ck_assert_msg(right.passed, "variant %d: %s", n, right.message);
        arena_free(arena);
    }
}
END_TEST

// ---- An encoder-decoder -----------------------------------------------------------------------------------

// Reads four digits and writes them backwards: two blocks, 40 lines.
enum { DIGITS = 10, START = DIGITS, LENGTH = 4, WIDE = 16 };

typedef struct {
    Parameters set;
    Embedding symbols;
    Tensor *positions;
    Block encoder, decoder;
    Norm norm;
    Linear out;
} Translator;

static Translator translator_new(Arena *arena, Rng *rng)
{
    Translator t = {.set = parameters_new(arena)};
    t.symbols = embedding_new(&t.set, "symbols", DIGITS + 1, WIDE, rng, 0.5f);
    t.positions = embedding_new(&t.set, "positions", LENGTH, WIDE, rng, 0.5f).table;
    t.encoder = block_new(&t.set, "encoder", ((BlockConfig){.width = WIDE, .heads = 2}), rng);
    t.decoder = block_new(&t.set, "decoder", ((BlockConfig){.width = WIDE, .heads = 2, .cross = true}), rng);
    t.norm = norm_new(&t.set, "norm", NORM_LAYER, WIDE, 0.0f);
    t.out = linear_new(&t.set, "out", WIDE, DIGITS, rng, INIT_GLOROT);
    return t;
}

static Tensor *translate(const Translator *t, Tape *tape, const int *source, const int *written, int batch)
{
    Tensor *read = add_positions(embed(tape, &t->symbols, source, batch * LENGTH), t->positions, LENGTH);
    Tensor *memory = block_forward(&t->encoder, read, .self = self_attention_shape(batch, LENGTH, 0, false));
    Tensor *x = add_positions(embed(tape, &t->symbols, written, batch * LENGTH), t->positions, LENGTH);
    x = block_forward(&t->decoder, x, .self = self_attention_shape(batch, LENGTH, 0, true), .memory = memory,
                      .cross = {.batch = batch, .queries = LENGTH, .keys = LENGTH});
    return linear(&t->out, norm_normalise(&t->norm, x));
}

static void draw_digits(int *source, int *written, int *target, int batch, Rng *rng)
{
    for (int b = 0; b < batch * LENGTH; b += LENGTH) {
        for (int i = 0; i < LENGTH; i++)
            source[b + i] = target[b + LENGTH - 1 - i] = (int)rng_below(rng, DIGITS);
        written[b] = START;
        for (int i = 1; i < LENGTH; i++) written[b + i] = target[b + i - 1];
    }
}

START_TEST(an_encoder_decoder_learns_to_write_backwards)
{
    enum { MANY = 64, STEPS = 400 };
    int source[MANY * LENGTH], written[MANY * LENGTH], target[MANY * LENGTH];
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Rng rng = rng_new(3, 0);
    Translator t = translator_new(arena, &rng);
    Optimiser adam = adam_new(arena, &t.set, 0.9f, 0.999f, 1e-8f, 0.0f);
    for (int step = 0; step < STEPS; step++) {
        tape_reset(tape);
        draw_digits(source, written, target, MANY, &rng);
        backward(cross_entropy(translate(&t, tape, source, written, MANY), target));
        optimiser_step(&adam, 0.01f);
    }
    tape_record(tape, false);
    draw_digits(source, written, target, MANY, &rng);
    Matrix logits = translate(&t, tape, source, written, MANY)->value;
    int right = 0, chosen[MANY * LENGTH];
    row_argmax(chosen, logits);
    for (int i = 0; i < logits.rows; i++) right += chosen[i] == target[i];
    ck_assert_msg(right >= 0.95 * logits.rows, "%d of %d digits", right, logits.rows); // blind: 10 %

    // The weights are those of the heads that wrote: where the digit of each place comes from.
    Matrix weights = matrix_new(arena, MANY * 2 * LENGTH, LENGTH);
    Tensor *read = add_positions(embed(tape, &t.symbols, source, MANY * LENGTH), t.positions, LENGTH);
    Tensor *memory = block_forward(&t.encoder, read, .self = self_attention_shape(MANY, LENGTH, 0, false));
    Tensor *x = add_positions(embed(tape, &t.symbols, written, MANY * LENGTH), t.positions, LENGTH);
    block_cross_weights(&t.decoder, x, weights, .self = self_attention_shape(MANY, LENGTH, 0, true),
                        .memory = memory, .cross = {.batch = MANY, .queries = LENGTH, .keys = LENGTH});
    for (int row = 0; row < weights.rows; row++) {
        float total = 0.0f;
        for (int j = 0; j < LENGTH; j++) total += AT(weights, row, j);
        ck_assert_float_eq_tol(total, 1.0f, 1e-5f);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// ---- Who sees whom ----------------------------------------------------------------------------------------

// Two texts packed into one sequence, and padding between them: each comes out as if it were alone.
START_TEST(packed_sequences_do_not_meet)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Model m = model_new(arena, variant(0));
    const int regions[] = {0, 0, -1, 1, 1, 1};
    Matrix packed = matrix_new(arena, 6, WIDTH);
    Rng rng = rng_new(8, 0);
    fill_normal(packed, &rng, 0.0f, 1.0f);
    AttentionShape both = self_attention_shape(1, 6, 0, false);
    both.query_regions = regions;
    Matrix y = block_forward(&m.block, tape_input(tape, packed), .self = both)->value;
    const int first[] = {0, 3}, count[] = {2, 3};
    for (int n = 0; n < 2; n++) {
        Matrix alone = block_forward(&m.block, tape_input(tape, matrix_rows(packed, first[n], count[n])),
                                     .self = self_attention_shape(1, count[n], 0, false))
                           ->value;
        ck_assert(largest_difference(matrix_rows(y, first[n], count[n]), alone) < 1e-5f);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// Each head's queries and keys have a mean square of 1 before the gain; values stay as they are.
START_TEST(queries_and_keys_are_normalised_by_head)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    BlockConfig config = variant(1);
    Model m = model_new(arena, config);
    Matrix weights = matrix_new(arena, BATCH * 2 * TIME, TIME),
           scaled = matrix_new(arena, BATCH * 2 * TIME, TIME);
    block_self_weights_at(HERE, &m.block, tape_parameter(tape, m.x), weights, m.in);
    scale(m.block.qkv.weight->value, 50.0f); // lengths of queries and keys do not matter
    scale(m.block.qkv.bias->value, 50.0f);
    block_self_weights_at(HERE, &m.block, tape_parameter(tape, m.x), scaled, m.in);
    ck_assert_msg(largest_difference(weights, scaled) < 1e-4f, "off by %g",
                  (double)largest_difference(weights, scaled));
    scale(m.block.query_norm.gain->value, 2.0f);
    block_self_weights_at(HERE, &m.block, tape_parameter(tape, m.x), scaled, m.in);
    ck_assert(largest_difference(weights, scaled) > 1e-2f);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// ---- Mistakes ---------------------------------------------------------------------------------------------

static void memory_without_cross(void *context)
{
    Model m = model_new(context, variant(0));
    Tape *tape = tape_new();
    m.in.memory = m.memory;
    build(tape, &m);
}

static void cross_without_memory(void *context)
{
    Model m = model_new(context, variant(2));
    m.in.memory = NULL;
    build(tape_new(), &m);
}

static void odd_heads(void *context)
{
    Parameters set = parameters_new(context);
    block_new(&set, "block", ((BlockConfig){.width = 7, .heads = 2}), NULL);
}

static void cache_on_a_tape_that_records(void *context)
{
    Model m = model_new(context, variant(0));
    const int lengths[BATCH] = {0};
    const AttentionCache cache = {matrix_new(context, BATCH * TIME, 8), matrix_new(context, BATCH * TIME, 8),
                                  TIME, lengths};
    m.in.cache = &cache;
    build(tape_new(), &m);
}

START_TEST(mistakes_are_named)
{
    Arena *arena = arena_new();
    expect_death(memory_without_cross, arena, "a memory for a block without cross-attention");
    expect_death(cross_without_memory, arena, "a missing memory for a block with cross-attention");
    expect_death(odd_heads, arena, "width 7 in 2 heads");
    expect_death(cache_on_a_tape_that_records, arena, "the tape records");
    arena_free(arena);
}
END_TEST

SUITE("block", gradients_of_every_kind_of_block, an_encoder_decoder_learns_to_write_backwards,
      packed_sequences_do_not_meet, queries_and_keys_are_normalised_by_head, mistakes_are_named)
