// The decoder for asking: bit for bit what gpt_step gives, however a text is cut; weights in fewer bits; what it refuses.
#include "models/decoder.h"
#include "suite.h"

enum { VOCABULARY = 23, CONTEXT = 300 };

typedef struct {
    Arena *arena;
    Parameters set;
    Gpt gpt;
    Decoder decoder;
    DecoderCache *cache;
} Model;

static GptConfig family(int number)
{
    static const RotaryScaling scaling = {
        .kind = ROTARY_BY_WAVELENGTH, .factor = 4.0f, .low = 0.5f, .high = 2.0f, .trained = 10};
    const GptConfig families[] = {
        {.positions = GPT_LEARNED, .tied = true, .activation = BLOCK_TANH_GELU}, // GPT-2
        {.positions = GPT_ROTARY, .norm = NORM_RMS, .activation = BLOCK_SWIGLU, .without_biases = true},
        {.positions = GPT_ROTARY,
         .key_heads = 2,
         .norm = NORM_RMS,
         .activation = BLOCK_SWIGLU,
         .without_biases = true,
         .scaling = scaling,
         .epsilon = 1e-3f}, // Llama 3.1
        {.positions = GPT_ROTARY,
         .key_heads = 1,
         .norm = NORM_RMS,
         .activation = BLOCK_SWIGLU,
         .without_biases = true,
         .qkv_biases = true,
         .tied = true}, // Qwen2
        {.positions = GPT_ROTARY,
         .key_heads = 2,
         .head_width = 10,
         .norm = NORM_RMS,
         .activation = BLOCK_SWIGLU,
         .without_biases = true,
         .query_key_norm = true,
         .tied = true}, // Qwen3
        {.positions = GPT_LEARNED, .activation = BLOCK_GELU},
        {.positions = GPT_ROTARY, .norm = NORM_LAYER, .activation = BLOCK_RELU, .without_biases = true},
    };
    GptConfig c = families[number];
    c.vocabulary = VOCABULARY, c.context = CONTEXT, c.layers = 2, c.heads = 4, c.width = 24, c.hidden = 21;
    c.embedding_deviation = 1.0f;
    return c;
}
enum { FAMILIES = 7 };

static Model model_new(int number)
{
    Model m = {.arena = arena_new()};
    m.set = parameters_new(m.arena);
    Rng rng = rng_new(5, (uint64_t)number);
    m.gpt = gpt_new(&m.set, family(number), &rng);
    for (int i = 0; i < m.set.count; i++) { // no bias stays 0 and no gain 1
        Matrix value = m.set.items[i]->value;
        for (int j = 0; value.rows == 1 && j < value.cols; j++)
            value.data[j] += rng_between(&rng, -0.3f, 0.3f);
    }
    m.decoder = decoder_of_gpt(m.arena, &m.gpt);
    m.cache = decoder_cache_new(m.arena, &m.decoder, CONTEXT);
    return m;
}

static const int *text(void)
{
    static int ids[CONTEXT];
    Rng rng = rng_new(8, 0);
    for (int i = 0; i < CONTEXT; i++) ids[i] = (int)rng_below(&rng, VOCABULARY);
    return ids;
}

static void expect_same(Matrix got, Matrix expected, int family_number, const char *what)
{
    ck_assert_msg(same_shape(got, expected) &&
                      memcmp(got.data, expected.data, matrix_size(got) * sizeof(float)) == 0,
                  "family %d, %s: bits differ, by up to %g", family_number, what,
                  (double)largest_difference(got, expected));
}

START_TEST(logits_are_those_of_the_trained_model)
{
    static const int cuts[] = {1, 1, 3, 9, 1, 40, 1};
    for (int f = 0; f < FAMILIES; f++) {
        Model m = model_new(f);
        GptCache *cache = gpt_cache_new(m.arena, &m.gpt, 1, CONTEXT);
        const int *ids = text();
        for (size_t i = 0; i < sizeof cuts / sizeof *cuts; ids += cuts[i++]) {
            const Matrix expected = gpt_step(&m.gpt, cache, ids, cuts[i]);
            expect_same(decoder_step(&m.decoder, m.cache, ids, cuts[i]), expected, f, "a step");
        }
        ck_assert_int_eq(decoder_cache_length(m.cache), 56);
        arena_free(m.arena);
    }
}
END_TEST

START_TEST(a_text_at_once_is_a_text_token_by_token)
{
    for (int f = 0; f < FAMILIES; f++) {
        Model m = model_new(f);
        Matrix one_by_one = matrix_new(m.arena, CONTEXT, VOCABULARY),
               at_once = matrix_new(m.arena, CONTEXT, VOCABULARY);
        for (int i = 0; i < CONTEXT; i++)
            copy(matrix_rows(one_by_one, i, 1), decoder_step(&m.decoder, m.cache, text() + i, 1));
        decoder_cache_clear(m.cache);
        decoder_logits(&m.decoder, m.cache, at_once, text());
        expect_same(at_once, one_by_one, f, "all logits");
        decoder_cache_clear(m.cache);
        expect_same(decoder_step(&m.decoder, m.cache, text(), CONTEXT), matrix_rows(at_once, CONTEXT - 1, 1),
                    f, "the last of a long prompt");
        decoder_cache_cut(m.cache, 100); // what stands behind is overwritten
        expect_same(decoder_step(&m.decoder, m.cache, text() + 100, 7), matrix_rows(at_once, 106, 1), f,
                    "after a cut");
        arena_free(m.arena);
    }
}
END_TEST

START_TEST(weights_in_fewer_bits_are_the_floats_they_stand_for)
{
    static const float bounds[] = {0.0f, 0.05f, 0.3f, 0.3f};
    for (int f = 0; f < FAMILIES; f++) {
        Model m = model_new(f);
        const Matrix exact = matrix_copy(m.arena, decoder_step(&m.decoder, m.cache, text(), 30));
        for (int kind = STORED_F32; kind <= STORED_INT8; kind++) {
            const Decoder low = decoder_quantise(m.arena, &m.decoder, (StoredKind)kind),
                          floats = decoder_quantise(m.arena, &low, STORED_F32);
            decoder_cache_clear(m.cache);
            const Matrix got = matrix_copy(m.arena, decoder_step(&low, m.cache, text(), 30));
            decoder_cache_clear(m.cache);
            const Matrix stand_for = decoder_step(&floats, m.cache, text(), 30);
            if (kind == STORED_INT8) // each sum is multiplied by its scale, not each number
                ck_assert_float_le(largest_difference(stand_for, got), 1e-5f);
            else
                expect_same(stand_for, got, f, stored_kind_name((StoredKind)kind));
            const float missed = largest_difference(got, exact);
            ck_assert_msg(missed <= bounds[kind] && (missed > 0) == (kind > 0), "family %d, %s: off by %g", f,
                          stored_kind_name((StoredKind)kind), (double)missed);
        }
        arena_free(m.arena);
    }
}
END_TEST

START_TEST(bytes_are_counted)
{
    Model m = model_new(2);
    const size_t layer = 24 * (24 + 2 * 12) + 24 * 24 + 3 * 24 * 21, weights = 2 * layer + 23 * 24;
    ck_assert_uint_eq(decoder_bytes(&m.decoder), 4 * weights);
    const Decoder low = decoder_quantise(m.arena, &m.decoder, STORED_BF16);
    ck_assert_uint_eq(decoder_bytes(&low), 2 * weights);
    const Decoder lower = decoder_quantise(m.arena, &m.decoder, STORED_INT8);
    ck_assert_uint_eq(decoder_bytes(&lower), weights + 4 * (2 * (24 + 24 + 24 + 2 * 21 + 24) + 23));
    ck_assert_uint_eq(decoder_cache_bytes(m.cache), 2u * 2 * 12 * 4 * ((CONTEXT + 63) / 64 * 64));
    arena_free(m.arena);
}
END_TEST

START_TEST(a_step_keeps_no_memory)
{
    Model m = model_new(4);
    decoder_step(&m.decoder, m.cache, text(), 10);
    const size_t used = arena_used(m.arena), blocks = arena_blocks(m.arena);
    for (int i = 10; i < 40; i++) decoder_step(&m.decoder, m.cache, text() + i, 1);
    ck_assert_uint_eq(arena_used(m.arena), used);
    ck_assert_uint_eq(arena_blocks(m.arena), blocks);
    arena_free(m.arena);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_text)
{
    Model m = model_new(3);
    GptCache *cache = gpt_cache_new(m.arena, &m.gpt, 1, CONTEXT);
    int theirs[60] = {3, 1, 4}, ours[60] = {3, 1, 4};
    const Sampling sampling = {.temperature = 0.9f, .top_k = 12};
    Rng rng = rng_new(1, 1), again = rng_new(1, 1);
    ck_assert_int_eq(gpt_sample(&m.gpt, cache, theirs, 3, 60, -1, sampling, &rng), 60);
    ck_assert_int_eq(decoder_sample(&m.decoder, m.cache, ours, 3, 60, NULL, 0, sampling, &again), 60);
    ck_assert_mem_eq(theirs, ours, sizeof ours);

    int stops[] = {-1, theirs[20]}, end = 3;
    while (theirs[end] != stops[1]) end++;
    again = rng_new(1, 1);
    ck_assert_int_eq(decoder_sample(&m.decoder, m.cache, ours, 3, 60, stops, 2, sampling, &again), end + 1);
    arena_free(m.arena);
}
END_TEST

static void unknown_token(void *context)
{
    Model *m = context;
    decoder_step(&m->decoder, m->cache, &(int){VOCABULARY}, 1);
}
static void no_token(void *context)
{
    Model *m = context;
    decoder_step(&m->decoder, m->cache, text(), 0);
}
static void too_many(void *context)
{
    Model *m = context;
    decoder_step(&m->decoder, m->cache, text(), CONTEXT);
    decoder_step(&m->decoder, m->cache, text(), 1);
}
static void too_long(void *context)
{
    Model *m = context;
    decoder_cache_new(m->arena, &m->decoder, CONTEXT + 1);
}
static void cut_too_far(void *context) { decoder_cache_cut(((Model *)context)->cache, 1); }
static void odd_logits(void *context)
{
    Model *m = context;
    decoder_logits(&m->decoder, m->cache, matrix_new(m->arena, 2, VOCABULARY - 1), text());
}
static void not_merged(void *context)
{
    Model *m = context;
    Rng rng = rng_new(1, 1);
    linear_add_lora(&m->gpt.blocks[1].out, &m->set, "more", 2, 4, &rng);
    decoder_of_gpt(m->arena, &m->gpt);
}
static void foreign_cache(void *context)
{
    Model *m = context, other = model_new(4);
    decoder_step(&other.decoder, m->cache, text(), 1);
}
static void not_finite(void *context)
{
    Model *m = context;
    AT(m->gpt.output->value, 7, 5) = __builtin_inff();
    decoder_quantise(m->arena, &m->decoder, STORED_INT8);
}

START_TEST(what_cannot_be_is_refused)
{
    Model m = model_new(0);
    expect_leaks();
    expect_death(unknown_token, &m, "token 23 (number 0) of 23");
    expect_death(no_token, &m, "0 tokens");
    expect_death(too_many, &m, "1 tokens after 300 in a cache for 300");
    expect_death(too_long, &m, "up to 301 tokens for a model of up to 300");
    expect_death(cut_too_far, &m, "1 of 0 tokens");
    expect_death(odd_logits, &m, "(2 × 22) for a vocabulary of 23");
    expect_death(not_merged, &m, "low-rank");
    expect_death(foreign_cache, &m, "another model's");
    expect_death(not_finite, &m, "element (7, 5) is inf");
    arena_free(m.arena);
}
END_TEST

SUITE("decoder", logits_are_those_of_the_trained_model, a_text_at_once_is_a_text_token_by_token,
      weights_in_fewer_bits_are_the_floats_they_stand_for, bytes_are_counted, a_step_keeps_no_memory,
      the_same_seed_gives_the_same_text, what_cannot_be_is_refused)
