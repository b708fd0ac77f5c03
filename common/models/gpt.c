// gpt.c: a decoder of language. See gpt.h.
#include "models/gpt.h"
#include "base/check.h"
#include "base/parallel.h"

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
    check_at(place, c->rotary_base >= 0.0f && isfinite(c->rotary_base), "10000 is usual",
             "gpt_new: the base of the rotations is %g", (double)c->rotary_base);
}

// Columns of keys, queries and values together, and of the feed-forward network, are counted in an int.
static void check_columns(Place place, const GptConfig *c)
{
    long queries = (long)c->heads * c->head_width, keys = (long)c->key_heads * c->head_width;
    check_at(place, queries + 2 * keys <= INT32_MAX, "choose a smaller model",
             "gpt_new: %d heads and %d key heads of width %d", c->heads, c->key_heads, c->head_width);
}

static GptConfig complete(Place place, GptConfig c)
{
    check_at(place, c.vocabulary > 0 && c.context > 0 && c.layers >= 0 && c.heads > 0 && c.width > 0,
             "name vocabulary, context, layers, heads and width",
             "gpt_new: vocabulary %d, context %d, %d layers, %d heads, width %d", c.vocabulary, c.context,
             c.layers, c.heads, c.width);
    check_limits(place, &c);
    check_at(place, c.head_width > 0 || c.width % c.heads == 0, "or name head_width",
             "gpt_new: width %d in %d heads", c.width, c.heads);
    if (!c.head_width) c.head_width = c.width / c.heads;
    if (!c.key_heads) c.key_heads = c.heads;
    check_at(place, c.key_heads > 0 && c.heads % c.key_heads == 0,
             "each key head serves the same number of query heads", "gpt_new: %d heads with %d key heads",
             c.heads, c.key_heads);
    check_at(place, c.positions != GPT_ROTARY || c.head_width % 2 == 0,
             "a head is rotated in pairs: its width is even",
             "gpt_new: rotary positions with heads of width %d", c.head_width);
    check_columns(place, &c);
    if (!c.hidden) c.hidden = c.activation == GPT_SWIGLU ? (8 * c.width / 3 + 7) / 8 * 8 : 4 * c.width;
    if (c.rotary_base == 0.0f) c.rotary_base = 10000.0f;
    if (c.embedding_deviation == 0.0f) c.embedding_deviation = c.tied ? 0.02f : 0.3f;
    return c;
}

static GptNormLayer norm_new(Place place, Parameters *set, const char *name, const GptConfig *c)
{
    if (c->norm == GPT_RMS_NORM)
        return (GptNormLayer){rms_norm_new_at(place, set, name, c->width).gain, NULL};
    LayerNorm norm = layer_norm_new_at(place, set, name, c->width);
    return (GptNormLayer){norm.gain, norm.bias};
}

// A linear layer whose weights begin with the deviation of the configuration, times shrink.
static Linear weights_new(Place place, Parameters *set, const char *name, int inputs, int outputs,
                          const GptConfig *c, float shrink, Rng *rng)
{
    Linear layer = linear_new_at(place, set, name, inputs, outputs, rng, INIT_ZERO, !c->without_biases);
    const float deviation = c->deviation != 0.0f ? c->deviation : 1.0f / sqrtf((float)inputs);
    if (rng) fill_normal(layer.weight->value, rng, 0.0f, shrink * deviation);
    return layer;
}

static GptBlock block_new(Place place, Parameters *set, const char *name, const GptConfig *c, Rng *rng)
{
    const float shrink = 1.0f / sqrtf(2.0f * (float)c->layers);
    const int queries = c->heads * c->head_width, keys = c->key_heads * c->head_width;
    const int up = c->activation == GPT_SWIGLU ? 2 * c->hidden : c->hidden;
    GptBlock block;
    block.norm1 = norm_new(place, set, layer_name(set, name, "norm1", -1), c);
    block.qkv =
        weights_new(place, set, layer_name(set, name, "qkv", -1), c->width, queries + 2 * keys, c, 1.0f, rng);
    block.out = weights_new(place, set, layer_name(set, name, "out", -1), queries, c->width, c, shrink, rng);
    block.norm2 = norm_new(place, set, layer_name(set, name, "norm2", -1), c);
    block.up = weights_new(place, set, layer_name(set, name, "up", -1), c->width, up, c, 1.0f, rng);
    block.down =
        weights_new(place, set, layer_name(set, name, "down", -1), c->hidden, c->width, c, shrink, rng);
    return block;
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
        gpt.blocks[i] = block_new(place, set, layer_name(set, "", "block", i), &c, rng);
    gpt.norm = norm_new(place, set, "norm", &c);
    const float deviation = c.deviation != 0.0f ? c.deviation : 1.0f / sqrtf((float)c.width);
    gpt.output = c.tied ? gpt.token.table
                        : embedding_new_at(place, set, "output", c.vocabulary, c.width, rng, deviation).table;
    return gpt;
}

long gpt_parameters(const GptConfig *c)
{
    const long norm = c->norm == GPT_RMS_NORM ? 1 : 2, linear = c->without_biases ? 1 : 2;
    const long tables = 1 + (c->positions == GPT_LEARNED) + !c->tied;
    return tables + c->layers * (2 * norm + 4 * linear) + norm;
}

// ---- On a tape --------------------------------------------------------------------------------------------

static Tensor *normalise(Place place, GptNormLayer norm, Tensor *x)
{
    return norm.bias ? layer_norm_at(place, x, norm.gain, norm.bias) : rms_norm_at(place, x, norm.gain);
}

// x + out(attention(qkv(norm1(x))))
static Tensor *add_attention(Place place, const Gpt *gpt, const GptBlock *block, Tensor *x, int batch,
                             int time)
{
    const GptConfig *c = &gpt->config;
    AttentionShape shape = self_attention_shape(batch, time, c->heads, true);
    shape.key_heads = c->key_heads;
    Tensor *qkv = linear_at(place, &block->qkv, normalise(place, block->norm1, x));
    if (c->positions == GPT_ROTARY) {
        RotaryShape rotation = {
            .time = time, .heads = c->heads + c->key_heads, .base = c->rotary_base, .width = c->head_width};
        qkv = rotary_at(place, qkv, rotation);
    }
    return linear_add_at(place, &block->out, x, self_attention_at(place, qkv, shape));
}

// x + down(activation(up(norm2(x))))
static Tensor *add_feed_forward(Place place, const Gpt *gpt, const GptBlock *block, Tensor *x)
{
    Tensor *n = normalise(place, block->norm2, x);
    Tensor *bent = gpt->config.activation == GPT_SWIGLU ? swiglu_at(place, linear_at(place, &block->up, n))
                                                        : linear_gelu_at(place, &block->up, n);
    return linear_add_at(place, &block->down, x, bent);
}

Tensor *gpt_states_at(Place place, const Gpt *gpt, Tape *tape, const int *ids, int batch, int time)
{
    check_at(place, batch > 0 && time > 0 && time <= gpt->config.context,
             "a sequence has at most context tokens", "gpt: %d sequences of %d tokens, context %d", batch,
             time, gpt->config.context);
    Tensor *x = embed_at(place, tape, &gpt->token, ids, batch * time);
    if (gpt->position) x = add_positions_at(place, x, gpt->position, time);
    for (int i = 0; i < gpt->config.layers; i++) {
        x = add_attention(place, gpt, &gpt->blocks[i], x, batch, time);
        x = add_feed_forward(place, gpt, &gpt->blocks[i], x);
    }
    return normalise(place, gpt->norm, x);
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

static Matrix linear_forward(Arena *arena, const Linear *layer, Matrix x)
{
    Matrix y = matrix_uninitialised(arena, x.rows, layer->weight->value.cols);
    affine_forward(y, x, layer->weight->value, layer->bias ? layer->bias->value : (Matrix){0, 0, NULL});
    return y;
}

static Matrix norm_forward(Arena *arena, GptNormLayer norm, Matrix x)
{
    Matrix y = matrix_uninitialised(arena, x.rows, x.cols), mean = matrix_uninitialised(arena, x.rows, 1),
           r = matrix_uninitialised(arena, x.rows, 1);
    if (norm.bias) {
        layer_norm_forward(y, mean, r, x, norm.gain->value, norm.bias->value);
    } else {
        rms_norm_forward(y, r, x, norm.gain->value);
    }
    return y;
}

// The new rows of sequence b of the step, and the row of the cache where they will stand.
static Matrix new_rows(const Step *s, Matrix m, int b) { return matrix_rows(m, b * s->count, s->count); }
static int cache_row(const Step *s, int b)
{
    return (s->first + b) * s->cache->capacity + s->cache->lengths[s->first + b];
}

// Puts keys and values of the new positions into the cache and returns the queries, rotated where positions are.
static Matrix store_keys(const Step *s, int layer, Matrix qkv)
{
    const GptConfig *c = &s->gpt->config;
    const int queries = c->heads * c->head_width, keys = c->key_heads * c->head_width;
    Matrix q = matrix_uninitialised(s->cache->arena, qkv.rows, queries);
    for (int b = 0; b < s->sequences; b++) {
        Matrix rows = new_rows(s, qkv, b);
        if (c->positions == GPT_ROTARY) {
            RotaryShape rotation = {.time = s->count,
                                    .heads = c->heads + c->key_heads,
                                    .first = s->cache->lengths[s->first + b],
                                    .base = c->rotary_base,
                                    .width = c->head_width};
            rotary_forward(rows, rows, rotation);
        }
        copy_columns(matrix_rows(s->cache->keys[layer], cache_row(s, b), s->count), 0, rows, queries, keys);
        copy_columns(matrix_rows(s->cache->values[layer], cache_row(s, b), s->count), 0, rows, queries + keys,
                     keys);
    }
    copy_columns(q, 0, qkv, 0, queries);
    return q;
}

// One new position each: all sequences at once, the keys of each counted. Otherwise one sequence after the other.
static Matrix attend_cached(const Step *s, int layer, Matrix q)
{
    const GptConfig *c = &s->gpt->config;
    GptCache *cache = s->cache;
    Matrix out = matrix_uninitialised(cache->arena, q.rows, q.cols),
           log_sums = matrix_uninitialised(cache->arena, q.rows, c->heads);
    AttentionShape shape = {
        .batch = 1, .queries = s->count, .heads = c->heads, .key_heads = c->key_heads, .causal = true};
    const int capacity = cache->capacity;
    if (s->count == 1) {
        int *counts = arena_alloc(cache->arena, (size_t)s->sequences, sizeof *counts);
        for (int b = 0; b < s->sequences; b++) {
            counts[b] = cache->lengths[s->first + b] + 1;
            shape.keys = int_max(shape.keys, counts[b]);
        }
        shape.batch = s->sequences;
        shape.key_counts = counts;
        shape.key_rows = capacity;
        attention_forward(cache->arena, out, log_sums, q,
                          matrix_rows(cache->keys[layer], s->first * capacity, s->sequences * capacity),
                          matrix_rows(cache->values[layer], s->first * capacity, s->sequences * capacity),
                          shape);
        return out;
    }
    for (int b = 0; b < s->sequences; b++) {
        shape.keys = cache->lengths[s->first + b] + s->count;
        attention_forward(cache->arena, new_rows(s, out, b), new_rows(s, log_sums, b), new_rows(s, q, b),
                          matrix_rows(cache->keys[layer], (s->first + b) * capacity, shape.keys),
                          matrix_rows(cache->values[layer], (s->first + b) * capacity, shape.keys), shape);
    }
    return out;
}

static Matrix feed_forward_plain(Arena *arena, const Gpt *gpt, const GptBlock *block, Matrix x)
{
    Matrix up = linear_forward(arena, &block->up, x);
    if (gpt->config.activation == GPT_SWIGLU) {
        Matrix bent = matrix_uninitialised(arena, up.rows, gpt->config.hidden);
        swiglu_forward(bent, up);
        return linear_forward(arena, &block->down, bent);
    }
    gelu_forward(up, up);
    return linear_forward(arena, &block->down, up);
}

static Matrix embed_plain(Arena *arena, const Step *s, const int *ids)
{
    Matrix x = matrix_uninitialised(arena, s->sequences * s->count, s->gpt->config.width);
    embedding_forward(x, s->gpt->token.table->value, ids);
    for (int b = 0; s->gpt->position && b < s->sequences; b++) {
        Matrix rows = new_rows(s, x, b);
        add(rows, rows, matrix_rows(s->gpt->position->value, s->cache->lengths[s->first + b], s->count));
    }
    return x;
}

// The stream after the first layers, which have put their keys and values into the cache.
static Matrix run_layers(const Step *s, const int *ids, int layers)
{
    Arena *arena = s->cache->arena;
    Matrix x = embed_plain(arena, s, ids);
    for (int i = 0; i < layers; i++) {
        const GptBlock *block = &s->gpt->blocks[i];
        ArenaMark mark = arena_mark(arena);
        Matrix q = store_keys(s, i, linear_forward(arena, &block->qkv, norm_forward(arena, block->norm1, x)));
        add(x, x, linear_forward(arena, &block->out, attend_cached(s, i, q)));
        add(x, x, feed_forward_plain(arena, s->gpt, block, norm_forward(arena, block->norm2, x)));
        arena_rewind(arena, mark);
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
    Matrix x = run_layers(s, ids, gpt->config.layers);
    Matrix last = matrix_uninitialised(cache->arena, s->sequences, gpt->config.width);
    for (int b = 0; b < s->sequences; b++)
        copy(matrix_rows(last, b, 1), matrix_rows(x, (b + 1) * s->count - 1, 1));
    Matrix logits = matrix_rows(cache->logits, s->first, s->sequences);
    matmul_nt(logits, norm_forward(cache->arena, gpt->norm, last), gpt->output->value);
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
    GptCache *cache = gpt_cache_new_at(place, arena, gpt, 1, time);
    const Step s = {gpt, cache, 0, 1, time};
    Matrix x = run_layers(&s, ids, layer);
    const GptBlock *block = &gpt->blocks[layer];
    Matrix q =
        store_keys(&s, layer, linear_forward(arena, &block->qkv, norm_forward(arena, block->norm1, x)));
    AttentionShape shape = self_attention_shape(1, time, c->heads, true);
    shape.key_heads = c->key_heads;
    attention_naive_forward(arena, matrix_uninitialised(arena, q.rows, q.cols), weights, q,
                            cache->keys[layer], cache->values[layer], shape);
    arena_rewind(arena, mark);
    return weights;
}
