// The decoder of language: gradients of the whole, the cache against no cache, names, sampling of texts.
#include "suite.h"
#include "gradients.h"
#include "models/gpt.h"
#include <math.h>

enum { VOCABULARY = 11, TIME = 5, BATCH = 2 };

static const int IDS[BATCH * TIME] = {3, 0, 10, 7, 7, 1, 2, 9, 3, 5};
static const int LABELS[BATCH * TIME] = {0, 10, 7, 7, 1, LABEL_IGNORED, 9, 3, 5, 5};

typedef struct {
    Parameters set;
    Gpt gpt;
} Model;

// Every combination of positions, output, norm and activation; 3 heads of width 2, or 2 of 4 with one key head.
static GptConfig combination(int number)
{
    const bool grouped = number >> 4 & 1;
    return (GptConfig){.vocabulary = VOCABULARY,
                       .context = TIME + 2,
                       .layers = 2,
                       .width = 6,
                       .heads = grouped ? 2 : 3,
                       .head_width = grouped ? 4 : 0,
                       .key_heads = grouped ? 1 : 0,
                       .hidden = 5,
                       .positions = number & 1 ? GPT_ROTARY : GPT_LEARNED,
                       .tied = number >> 1 & 1,
                       .norm = number >> 2 & 1 ? NORM_RMS : NORM_LAYER,
                       .activation = number >> 3 & 1 ? BLOCK_SWIGLU : BLOCK_GELU,
                       .without_biases = grouped,
                       .embedding_deviation = 1.0f};
}
enum { COMBINATIONS = 32 };

// And what families of checkpoints have beside these.
static GptConfig variant(int number)
{
    GptConfig config =
        combination(number < COMBINATIONS ? number : 29); // 29: rotary, RMS norm, SwiGLU, grouped heads
    switch (number - COMBINATIONS) {
    case 0:
        config.query_key_norm = true;
        break; // Qwen3
    case 1:
        config.qkv_biases = true;
        break; // Qwen2
    case 2:    // Llama 3.1
        config.epsilon = 1e-3f;
        config.scaling = (RotaryScaling){
            .kind = ROTARY_BY_WAVELENGTH, .factor = 4.0f, .low = 0.5f, .high = 2.0f, .trained = 10};
        break;
    case 3: // GPT-2
        config = combination(2);
        config.activation = BLOCK_TANH_GELU;
        break;
    default:
        break;
    }
    return config;
}
enum { VARIANTS = COMBINATIONS + 4 };

static Model model_new(Arena *arena, GptConfig config)
{
    Model model = {.set = parameters_new(arena)};
    Rng rng = rng_new(5, 0);
    model.gpt = gpt_new(&model.set, config, &rng);
    for (int i = 0; i < model.set.count; i++) { // no bias stays 0 and no gain 1
        Matrix value = model.set.items[i]->value;
        if (value.rows == 1)
            for (int j = 0; j < value.cols; j++) value.data[j] += rng_between(&rng, -0.3f, 0.3f);
    }
    return model;
}

// ---- Gradients --------------------------------------------------------------------------------------------

static int without_step = -1; // the number of a node whose backward step is left out

static void no_step(Tensor *self) { (void)self; }

static Tensor *build_logits(Tape *tape, void *context)
{
    Tensor *logits = gpt_logits(&((Model *)context)->gpt, tape, IDS, BATCH, TIME);
    if (without_step >= 0) tape_node(tape, without_step)->step = no_step;
    return logits;
}

static Tensor *build_loss(Tape *tape, void *context)
{
    return gpt_loss(&((Model *)context)->gpt, tape, IDS, LABELS, BATCH, TIME);
}

static GradcheckResult check_gradients(Model *model, GraphBuilder build, double tolerance)
{
    return gradcheck(build, model, model->set.items, (const char *const *)model->set.names, model->set.count,
                     tolerance);
}

START_TEST(gradients_of_every_kind_of_gpt)
{
    for (int n = 0; n < VARIANTS; n++) {
        Arena *arena = arena_new();
        Model model = model_new(arena, variant(n));
        GradcheckResult logits = check_gradients(&model, build_logits, 1e-2);
        ck_assert_msg(logits.passed, "variant %d: %s", n, logits.message);
        if (n % 31 == 0) {
            GradcheckResult loss = check_gradients(&model, build_loss, 1e-3);
            ck_assert_msg(loss.passed, "the loss of variant %d: %s", n, loss.message);
        }
        arena_free(arena);
    }
}
END_TEST

START_TEST(a_missing_step_is_noticed)
{
    Arena *arena = arena_new();
    for (int n = 0; n < VARIANTS; n += 31) {
        GptConfig config = variant(n);
        config.layers = 1;
        Model model = model_new(arena, config);
        Tape *tape = tape_new();
        build_logits(tape, &model);
        for (int node = 0; node < tape_length(tape); node++) {
            without_step = node;
            GradcheckResult wrong = check_gradients(&model, build_logits, 1e-2);
            ck_assert_msg(!wrong.passed, "variant %d: without the step of %s (node %d) the check passes", n,
                          tape_node(tape, node)->operation, node);
        }
        without_step = -1;
        tape_free(tape);
    }
    arena_free(arena);
}
END_TEST

START_TEST(many_logits_are_not_kept_and_change_nothing)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    enum { MANY = 140000, LENGTH = 31 };
    GptConfig config = variant(3);
    config.vocabulary = MANY;
    config.context = LENGTH;
    Model model = model_new(arena, config);
    int ids[LENGTH], labels[LENGTH];
    for (int i = 0; i < LENGTH; i++) ids[i] = i * 4007, labels[i] = i * 3001;
    Tensor *loss = gpt_loss(&model.gpt, tape, ids, labels, 1, LENGTH);
    ck_assert_str_eq(loss->operation, "tied_cross_entropy");
    Tensor *kept = cross_entropy(gpt_logits(&model.gpt, tape, ids, 1, LENGTH), labels);
    ck_assert(loss->value.data[0] == kept->value.data[0]);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// ---- The cache --------------------------------------------------------------------------------------------

enum { LONG = 150 }; // more than two blocks of keys

static GptConfig long_variant(int number)
{
    GptConfig config = variant(number);
    config.context = LONG;
    return config;
}

static void expect_same(Matrix got, Matrix expected, const char *what, int variant, int token)
{
    ck_assert_msg(memcmp(got.data, expected.data, matrix_size(got) * sizeof(float)) == 0,
                  "variant %d, %s, after token %d: the largest difference is %g", variant, what, token,
                  (double)largest_difference(got, expected));
}

START_TEST(logits_with_a_cache_are_those_without_bit_for_bit)
{
    int ids[LONG];
    Rng rng = rng_new(6, 0);
    for (int i = 0; i < LONG; i++) ids[i] = (int)rng_below(&rng, VOCABULARY);
    for (int n = 0; n < VARIANTS; n++) {
        Arena *arena = arena_new();
        Tape *tape = tape_new();
        Model model = model_new(arena, long_variant(n));
        tape_record(tape, false);
        Matrix all = gpt_logits(&model.gpt, tape, ids, 1, LONG)->value;
        GptCache *cache = gpt_cache_new(arena, &model.gpt, 1, LONG);
        size_t used = arena_used(arena);
        for (int i = 0; i < LONG; i++)
            expect_same(gpt_step(&model.gpt, cache, ids + i, 1), matrix_rows(all, i, 1), "one by one", n, i);
        ck_assert(gpt_cache_length(cache, 0) == LONG && arena_used(arena) == used);
        gpt_cache_clear(cache);
        for (int i = 0, count = 1; i < LONG; i += count, count = count * 2 % 37) {
            if (i + count > LONG) count = LONG - i;
            expect_same(gpt_step(&model.gpt, cache, ids + i, count), matrix_rows(all, i + count - 1, 1),
                        "in pieces", n, i + count - 1);
        }
        gpt_cache_cut(cache, 0, 66);
        expect_same(gpt_step(&model.gpt, cache, ids + 66, 2), matrix_rows(all, 67, 1), "after a cut", n, 67);
        tape_free(tape);
        arena_free(arena);
    }
}
END_TEST

START_TEST(sequences_side_by_side_do_not_meet)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    tape_record(tape, false);
    enum { SEQUENCES = 3, MORE = 20 };
    const int lengths[SEQUENCES] = {1, 90, 13};
    int ids[SEQUENCES][LONG];
    Rng rng = rng_new(7, 0);
    for (int b = 0; b < SEQUENCES; b++)
        for (int i = 0; i < LONG; i++) ids[b][i] = (int)rng_below(&rng, VOCABULARY);
    for (int n = 0; n < VARIANTS; n += 5) {
        Model model = model_new(arena, long_variant(n));
        GptCache *cache = gpt_cache_new(arena, &model.gpt, SEQUENCES, LONG);
        Matrix all[SEQUENCES];
        for (int b = 0; b < SEQUENCES; b++) {
            all[b] = gpt_logits(&model.gpt, tape, ids[b], 1, LONG)->value;
            Matrix last = gpt_read(&model.gpt, cache, b, ids[b], lengths[b]);
            expect_same(last, matrix_rows(all[b], lengths[b] - 1, 1), "a prompt", n, lengths[b] - 1);
        }
        for (int i = 0; i < MORE; i += 2) { // one token, then two
            const int one[] = {ids[0][lengths[0] + 3 * i / 2], ids[1][lengths[1] + 3 * i / 2],
                               ids[2][lengths[2] + 3 * i / 2]};
            Matrix logits = gpt_step(&model.gpt, cache, one, 1);
            int two[2 * SEQUENCES];
            for (int b = 0; b < SEQUENCES; b++) {
                const int place = lengths[b] + 3 * i / 2;
                expect_same(matrix_rows(logits, b, 1), matrix_rows(all[b], place, 1), "one token", n, place);
                two[2 * b] = ids[b][place + 1], two[2 * b + 1] = ids[b][place + 2];
            }
            logits = gpt_step(&model.gpt, cache, two, 2);
            for (int b = 0; b < SEQUENCES; b++) {
                const int place = lengths[b] + 3 * i / 2 + 2;
                expect_same(matrix_rows(logits, b, 1), matrix_rows(all[b], place, 1), "two tokens", n, place);
            }
        }
        tape_reset(tape);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(texts_are_the_same_with_and_without_a_cache)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    tape_record(tape, false);
    enum { PROMPT = 4, LIMIT = 100 };
    const Sampling sampling = {.temperature = 1.0f, .top_k = 8, .top_p = 0.95f};
    for (int n = 0; n < 2; n++) {
        Model model = model_new(arena, long_variant(n));
        int with[LIMIT] = {1, 2, 3, 4}, without[LIMIT] = {1, 2, 3, 4};
        GptCache *cache = gpt_cache_new(arena, &model.gpt, 1, LIMIT);
        Rng rng = rng_new(8, 0), same = rng;
        int count = gpt_sample(&model.gpt, cache, with, PROMPT, LIMIT, -1, sampling, &rng);
        ck_assert_int_eq(count, LIMIT);
        for (int i = PROMPT; i < LIMIT; i++) {
            tape_reset(tape);
            Matrix logits = gpt_logits(&model.gpt, tape, without, 1, i)->value;
            without[i] = sample_token(matrix_rows(logits, i - 1, 1), sampling, &same);
            ck_assert_msg(with[i] == without[i], "token %d: %d with a cache, %d without", i, with[i],
                          without[i]);
        }
        const int stop = with[20];
        rng = rng_new(8, 0);
        count = gpt_sample(&model.gpt, cache, with, PROMPT, LIMIT, stop, sampling, &rng);
        int first = PROMPT;
        while (without[first] != stop) first++;
        ck_assert_int_eq(count, first + 1);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(weights_of_a_head_are_those_of_its_queries_and_keys)
{
    Arena *arena = arena_new();
    for (int n = 0; n < VARIANTS; n += 31) {
        Model model = model_new(arena, variant(n));
        const int heads = model.gpt.config.heads;
        for (int layer = 0; layer < 2; layer++) {
            Matrix weights = gpt_attention_weights(arena, &model.gpt, IDS, TIME, layer);
            ck_assert(weights.rows == heads * TIME && weights.cols == TIME);
            for (int row = 0; row < weights.rows; row++) {
                double total = 0;
                for (int j = 0; j < TIME; j++) {
                    total += (double)AT(weights, row, j);
                    ck_assert((AT(weights, row, j) > 0) == (j <= row % TIME));
                }
                ck_assert(fabs(total - 1) < 1e-5);
            }
        }
        // What the first layer looks at does not depend on the second.
        Matrix before = gpt_attention_weights(arena, &model.gpt, IDS, TIME, 0);
        scale(model.gpt.blocks[1].qkv.weight->value, 2.0f);
        ck_assert(largest_difference(before, gpt_attention_weights(arena, &model.gpt, IDS, TIME, 0)) == 0.0f);
        scale(model.gpt.blocks[0].qkv.weight->value, 2.0f);
        ck_assert(largest_difference(before, gpt_attention_weights(arena, &model.gpt, IDS, TIME, 0)) > 1e-3f);
    }
    arena_free(arena);
}
END_TEST

// ---- Names and mistakes -----------------------------------------------------------------------------------

START_TEST(parameters_have_the_documented_names_and_shapes)
{
    Arena *arena = arena_new();
    Model model = model_new(arena, variant(0)); // learned, untied, layer norm, gelu
    static const struct {
        const char *name;
        int rows, cols;
    } expected[] = {{"token.table", 11, 6},       {"position.table", 7, 6},     {"block0.norm1.gain", 1, 6},
                    {"block0.norm1.bias", 1, 6},  {"block0.qkv.weight", 6, 18}, {"block0.qkv.bias", 1, 18},
                    {"block0.out.weight", 6, 6},  {"block1.norm2.gain", 1, 6},  {"block1.up.weight", 6, 5},
                    {"block1.down.weight", 5, 6}, {"block1.down.bias", 1, 6},   {"norm.gain", 1, 6},
                    {"norm.bias", 1, 6},          {"output.table", 11, 6}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        Tensor *found = parameters_find(&model.set, expected[i].name);
        ck_assert_msg(found && found->value.rows == expected[i].rows && found->value.cols == expected[i].cols,
                      "%s", expected[i].name);
    }
    ck_assert_int_eq(model.set.count, 2 + 2 * 12 + 2 + 1);
    Model llama = model_new(arena, variant(31)); // rotary, tied, RMS norm, SwiGLU, grouped heads, no biases
    ck_assert_int_eq(llama.set.count, 1 + 2 * 6 + 1);
    ck_assert_int_eq(parameters_find(&llama.set, "block0.qkv.weight")->value.cols, (2 + 1 + 1) * 4);
    ck_assert_int_eq(parameters_find(&llama.set, "block0.up.weight")->value.cols, 10);
    arena_free(arena);
}
END_TEST

static void too_long(void *context)
{
    Model model = model_new(arena_new(), variant(0));
    (void)context;
    gpt_logits(&model.gpt, tape_new(), IDS, 1, 10);
}

static void full_cache(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Model model = model_new(arena, variant(0));
    GptCache *cache = gpt_cache_new(arena, &model.gpt, 1, 4);
    gpt_step(&model.gpt, cache, IDS, 3);
    gpt_step(&model.gpt, cache, IDS, 2);
}

static void unknown_token(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Model model = model_new(arena, variant(0));
    gpt_step(&model.gpt, gpt_cache_new(arena, &model.gpt, 1, 4), (int[]){3, 11}, 2);
}

static void odd_rotary(void *context)
{
    (void)context;
    GptConfig config = variant(1);
    config.heads = 2;
    model_new(arena_new(), config);
}

START_TEST(mistakes_are_named)
{
    expect_death(too_long, NULL, "gpt: 1 sequences of 10 tokens, context 7");
    expect_death(full_cache, NULL, "gpt: 2 tokens after 3 in a cache for 4");
    expect_death(unknown_token, NULL, "gpt: token 11 (number 1) of 11");
    expect_death(odd_rotary, NULL, "gpt_new: rotary positions with heads of width 3");
}
END_TEST

SUITE("gpt", gradients_of_every_kind_of_gpt, a_missing_step_is_noticed,
      many_logits_are_not_kept_and_change_nothing, logits_with_a_cache_are_those_without_bit_for_bit,
      sequences_side_by_side_do_not_meet, texts_are_the_same_with_and_without_a_cache,
      weights_of_a_head_are_those_of_its_queries_and_keys, parameters_have_the_documented_names_and_shapes,
      mistakes_are_named)
