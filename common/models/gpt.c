// gpt.c: a decoder of language. See gpt.h.
#include "models/gpt.h"
#include "base/check.h"

#include <math.h>
#include <string.h>

// ---- Making one -------------------------------------------------------------------------------------------

// What gpt_save writes, gpt_open reads: the same limits hold for both, and they hold before anything is trained.
static void check_limits(Place place, const GptConfig *c)
{
    const int sizes[] = {c->vocabulary, c->context,    c->layers, c->heads,
                         c->width,      c->head_width, c->hidden, c->key_heads};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_at(place, sizes[i] >= 0 && sizes[i] <= GPT_MOST, "choose a smaller model",
                 "gpt_new: a size of %d in the configuration; from 0 to %d is possible", sizes[i], GPT_MOST);
}

// What the blocks are made of.
static BlockConfig block_of(const GptConfig *c)
{
    return (BlockConfig){.width = c->width,
                         .heads = c->heads,
                         .key_heads = c->key_heads,
                         .head_width = c->head_width,
                         .hidden = c->hidden,
                         .norm = c->norm,
                         .epsilon = c->epsilon,
                         .activation = c->activation,
                         .without_biases = c->without_biases,
                         .qkv_biases = c->qkv_biases,
                         .query_key_norm = c->query_key_norm,
                         .rotary = c->positions == GPT_ROTARY,
                         .rotary_base = c->rotary_base,
                         .scaling = c->scaling,
                         .deviation = c->deviation,
                         .shrink = c->layers ? 1.0f / sqrtf(2.0f * (float)c->layers) : 1.0f};
}

static GptConfig complete(Place place, GptConfig c)
{
    check_at(place, c.vocabulary > 0 && c.context > 0 && c.layers >= 0 && c.heads > 0 && c.width > 0,
             "name vocabulary, context, layers, heads and width",
             "gpt_new: vocabulary %d, context %d, %d layers, %d heads, width %d", c.vocabulary, c.context,
             c.layers, c.heads, c.width);
    check_limits(place, &c);
    const BlockConfig block = block_config_complete(place, "gpt_new", block_of(&c));
    c.head_width = block.head_width;
    c.key_heads = block.key_heads;
    c.hidden = block.hidden;
    c.rotary_base = block.rotary_base;
    c.epsilon = block.epsilon;
    if (c.embedding_deviation == 0.0f) c.embedding_deviation = c.tied ? 0.02f : 0.3f;
    return c;
}

Gpt gpt_new_at(Place place, Parameters *set, GptConfig config, Rng *rng)
{
    const GptConfig c = complete(place, config);
    Gpt gpt = {.config = c};
    gpt.token = embedding_new_at(place, set, "token", c.vocabulary, c.width, rng, c.embedding_deviation);
    if (c.positions == GPT_LEARNED)
        gpt.position =
            embedding_new_at(place, set, "position", c.context, c.width, rng, c.embedding_deviation).table;
    gpt.blocks = arena_alloc_at(place, set->arena, (size_t)c.layers, sizeof *gpt.blocks);
    for (int i = 0; i < c.layers; i++)
        gpt.blocks[i] = block_new_at(place, set, layer_name(set, "", "block", i), block_of(&c), rng);
    gpt.norm = norm_new_at(place, set, "norm", c.norm, c.width, c.epsilon);
    const float deviation = c.deviation != 0.0f ? c.deviation : 1.0f / sqrtf((float)c.width);
    gpt.output = c.tied ? gpt.token.table
                        : embedding_new_at(place, set, "output", c.vocabulary, c.width, rng, deviation).table;
    return gpt;
}

long gpt_parameters(const GptConfig *c)
{
    const BlockConfig block = block_of(c);
    const long tables = 1 + (c->positions == GPT_LEARNED) + !c->tied, norm = c->norm == NORM_RMS ? 1 : 2;
    return tables + (long)c->layers * block_parameters(&block) + norm;
}

// ---- On a tape --------------------------------------------------------------------------------------------

// The residual stream in front of a layer; in front of number `layers`: behind the last.
static Tensor *stream_at(Place place, const Gpt *gpt, Tape *tape, const int *ids, int batch, int time,
                         int layer)
{
    check_at(place, batch > 0 && time > 0 && time <= gpt->config.context,
             "a sequence has at most context tokens", "gpt: %d sequences of %d tokens, context %d", batch,
             time, gpt->config.context);
    const BlockInputs in = {.self = self_attention_shape(batch, time, 0, true)};
    Tensor *x = embed_at(place, tape, &gpt->token, ids, batch * time);
    if (gpt->position) x = add_positions_at(place, x, gpt->position, time);
    for (int i = 0; i < layer; i++) x = block_forward_at(place, &gpt->blocks[i], x, in);
    return x;
}

Tensor *gpt_states_at(Place place, const Gpt *gpt, Tape *tape, const int *ids, int batch, int time)
{
    return norm_normalise_at(place, &gpt->norm,
                             stream_at(place, gpt, tape, ids, batch, time, gpt->config.layers));
}

Tensor *gpt_logits_at(Place place, const Gpt *gpt, Tape *tape, const int *ids, int batch, int time)
{
    return product_transposed_at(place, gpt_states_at(place, gpt, tape, ids, batch, time), gpt->output);
}

enum { MANY_LOGITS = 1 << 22 }; // 16 MB: from here on they are made twice rather than kept

Tensor *gpt_loss_at(Place place, const Gpt *gpt, Tape *tape, const int *ids, const int *labels, int batch,
                    int time)
{
    Tensor *states = gpt_states_at(place, gpt, tape, ids, batch, time);
    if ((long)states->value.rows * gpt->config.vocabulary >= MANY_LOGITS)
        return tied_cross_entropy_at(place, states, gpt->output, labels);
    return cross_entropy_at(place, product_transposed_at(place, states, gpt->output), labels);
}

// ---- With a cache -----------------------------------------------------------------------------------------

struct GptCache {
    Arena *arena; // for what a step needs on its way
    int batch, capacity;
    int *lengths;          // [batch]
    Matrix *keys, *values; // for each layer (batch · capacity × g·D); keys are rotated already
    Matrix logits;         // (batch × V)
};

GptCache *gpt_cache_new_at(Place place, Arena *arena, const Gpt *gpt, int batch, int capacity)
{
    const GptConfig *c = &gpt->config;
    check_at(place, batch > 0 && capacity > 0 && (capacity <= c->context || !gpt->position),
             "learned positions end with the context",
             "gpt_cache_new: %d sequences of up to %d tokens, context %d", batch, capacity, c->context);
    GptCache *cache = arena_alloc_at(place, arena, 1, sizeof *cache);
    *cache = (GptCache){.arena = arena, .batch = batch, .capacity = capacity};
    cache->lengths = arena_zeros_at(place, arena, (size_t)batch, sizeof *cache->lengths);
    cache->keys = arena_alloc_at(place, arena, (size_t)c->layers, sizeof *cache->keys);
    cache->values = arena_alloc_at(place, arena, (size_t)c->layers, sizeof *cache->values);
    const int rows = (int)size_product(place, (size_t)batch, (size_t)capacity),
              cols = c->key_heads * c->head_width;
    for (int i = 0; i < c->layers; i++) {
        cache->keys[i] = matrix_new_at(place, arena, rows, cols);
        cache->values[i] = matrix_new_at(place, arena, rows, cols);
    }
    cache->logits = matrix_new_at(place, arena, batch, c->vocabulary);
    return cache;
}

void gpt_cache_clear(GptCache *cache)
{
    memset(cache->lengths, 0, (size_t)cache->batch * sizeof *cache->lengths);
}

static void check_sequence(const GptCache *cache, int sequence)
{
    check(sequence >= 0 && sequence < cache->batch, "sequences are numbered from 0", "gpt: sequence %d of %d",
          sequence, cache->batch);
}

int gpt_cache_length(const GptCache *cache, int sequence)
{
    check_sequence(cache, sequence);
    return cache->lengths[sequence];
}

void gpt_cache_cut(GptCache *cache, int sequence, int length)
{
    check_sequence(cache, sequence);
    check(length >= 0 && length <= cache->lengths[sequence], "what was not read cannot be kept",
          "gpt_cache_cut: %d of %d tokens", length, cache->lengths[sequence]);
    cache->lengths[sequence] = length;
}

// Some sequences of a cache, and how many new tokens each of them has.
typedef struct {
    const Gpt *gpt;
    GptCache *cache;
    int first, sequences, count;
} Step;

// The new rows of sequence b of the step.
static Matrix new_rows(const Step *s, Matrix m, int b) { return matrix_rows(m, b * s->count, s->count); }

static Matrix embed_new(Arena *arena, const Step *s, const int *ids)
{
    Matrix x = matrix_uninitialised(arena, s->sequences * s->count, s->gpt->config.width);
    embedding_forward(x, s->gpt->token.table->value, ids);
    for (int b = 0; s->gpt->position && b < s->sequences; b++) {
        Matrix rows = new_rows(s, x, b);
        add(rows, rows, matrix_rows(s->gpt->position->value, s->cache->lengths[s->first + b], s->count));
    }
    return x;
}

// The residual stream of the new positions behind all layers, which have put their keys and values into the cache. Each layer
// has the memory of the one before it.
static Matrix run_layers(Place place, const Step *s, const int *ids)
{
    GptCache *cache = s->cache;
    const int first = s->first * cache->capacity, rows = s->sequences * cache->capacity;
    Matrix x = embed_new(cache->arena, s, ids);
    Tape *tape = tape_inference_at(place, cache->arena);
    for (int i = 0; i < s->gpt->config.layers; i++) {
        const AttentionCache layer = {.keys = matrix_rows(cache->keys[i], first, rows),
                                      .values = matrix_rows(cache->values[i], first, rows),
                                      .capacity = cache->capacity,
                                      .lengths = cache->lengths + s->first};
        const BlockInputs in = {.self = self_attention_shape(s->sequences, s->count, 0, true),
                                .cache = &layer};
        copy(x, block_forward_at(place, &s->gpt->blocks[i], tape_input(tape, x), in)->value);
        tape_reset(tape);
    }
    return x;
}

static Matrix step(Place place, const Step *s, const int *ids)
{
    const Gpt *gpt = s->gpt;
    GptCache *cache = s->cache;
    check_at(place, s->count >= 1, "give at least one token", "gpt: %d tokens", s->count);
    for (int b = 0; b < s->sequences; b++)
        check_at(place, s->count <= cache->capacity - cache->lengths[s->first + b],
                 "make a larger cache, or start anew", "gpt: %d tokens after %d in a cache for %d", s->count,
                 cache->lengths[s->first + b], cache->capacity);
    for (int i = 0; i < s->sequences * s->count; i++)
        check_at(place, ids[i] >= 0 && ids[i] < gpt->config.vocabulary,
                 "ids run from 0 to the vocabulary − 1", "gpt: token %d (number %d) of %d", ids[i], i,
                 gpt->config.vocabulary);
    ArenaMark mark = arena_mark(cache->arena);
    Matrix x = run_layers(place, s, ids);
    Matrix last = matrix_uninitialised(cache->arena, s->sequences, gpt->config.width);
    for (int b = 0; b < s->sequences; b++)
        copy(matrix_rows(last, b, 1), matrix_rows(x, (b + 1) * s->count - 1, 1));
    Matrix logits = matrix_rows(cache->logits, s->first, s->sequences);
    Tape *tape = tape_inference_at(place, cache->arena);
    matmul_nt(logits, norm_normalise_at(place, &gpt->norm, tape_input(tape, last))->value,
              gpt->output->value);
    for (int b = 0; b < s->sequences; b++) cache->lengths[s->first + b] += s->count;
    arena_rewind(cache->arena, mark);
    return logits;
}

Matrix gpt_step_at(Place place, const Gpt *gpt, GptCache *cache, const int *ids, int count)
{
    return step(place, &(Step){gpt, cache, 0, cache->batch, count}, ids);
}

Matrix gpt_read_at(Place place, const Gpt *gpt, GptCache *cache, int sequence, const int *ids, int count)
{
    check_sequence(cache, sequence);
    return step(place, &(Step){gpt, cache, sequence, 1, count}, ids);
}

int gpt_sample_at(Place place, const Gpt *gpt, GptCache *cache, int *ids, int count, int limit, int stop,
                  Sampling sampling, Rng *rng)
{
    check_at(place, cache->batch == 1, "a cache for one sequence", "gpt_sample: a cache for %d sequences",
             cache->batch);
    check_at(place, count >= 1, "begin with a token", "gpt_sample: a prompt of %d tokens", count);
    gpt_cache_clear(cache);
    for (int read = 0; count < limit;) {
        Matrix logits = gpt_step_at(place, gpt, cache, ids + read, count - read);
        read = count;
        ids[count++] = sample_token_at(place, logits, sampling, rng);
        if (ids[count - 1] == stop) break;
    }
    return count;
}

Matrix gpt_attention_weights_at(Place place, Arena *arena, const Gpt *gpt, const int *ids, int time,
                                int layer)
{
    const GptConfig *c = &gpt->config;
    check_at(place, layer >= 0 && layer < c->layers, "layers are numbered from 0",
             "gpt_attention_weights: layer %d of %d", layer, c->layers);
    Matrix weights = matrix_new_at(place, arena, c->heads * time, time);
    ArenaMark mark = arena_mark(arena);
    Tape *tape = tape_inference_at(place, arena);
    Tensor *x = stream_at(place, gpt, tape, ids, 1, time, layer);
    block_self_weights_at(place, &gpt->blocks[layer], x, weights,
                          (BlockInputs){.self = self_attention_shape(1, time, 0, true)});
    arena_rewind(arena, mark);
    return weights;
}
