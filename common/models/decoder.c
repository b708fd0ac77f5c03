// decoder.c: a decoder of language for asking only. See decoder.h.
#include "models/decoder.h"

#include <limits.h>
#include <string.h>

// ---- Of a trained model -----------------------------------------------------------------------------------

static Stored view_of(Matrix m) { return (Stored){m.rows, m.cols, STORED_F32, m.data, NULL, false}; }

static Matrix value_of(const Tensor *t) { return t ? t->value : (Matrix){0, 0, NULL}; }

static DecoderNorm norm_of(const Norm *n) { return (DecoderNorm){value_of(n->gain), value_of(n->bias)}; }

static DecoderLinear linear_of(Place place, const Linear *layer)
{
    check_at(place, !layer->lora_a, "linear_merge it first",
             "decoder_of_gpt: a layer with a low-rank addition");
    return (DecoderLinear){view_of(layer->weight->value), true, value_of(layer->bias)};
}

Decoder decoder_of_gpt_at(Place place, Arena *arena, const Gpt *gpt)
{
    const GptConfig c = gpt->config;
    Decoder d = {.config = c, .limit = gpt->position ? c.context : 0};
    d.token = view_of(gpt->token.table->value);
    if (gpt->position) d.position = view_of(gpt->position->value);
    d.output = view_of(gpt->output->value);
    d.norm = norm_of(&gpt->norm);
    d.layers = arena_zeros_at(place, arena, (size_t)c.layers, sizeof *d.layers);
    for (int i = 0; i < c.layers; i++) {
        const Block *block = &gpt->blocks[i];
        d.layers[i] = (DecoderLayer){.norm1 = norm_of(&block->norm1),
                                     .norm2 = norm_of(&block->norm2),
                                     .qkv = {linear_of(place, &block->qkv)},
                                     .query_gain = value_of(block->query_norm.gain),
                                     .key_gain = value_of(block->key_norm.gain),
                                     .out = linear_of(place, &block->out),
                                     .up = {linear_of(place, &block->up)},
                                     .down = linear_of(place, &block->down)};
    }
    return d;
}

// ---- In fewer bytes ---------------------------------------------------------------------------------------

static DecoderLinear linear_as(Place place, Arena *arena, DecoderLinear layer, StoredKind kind)
{
    const Stored w = layer.weight;
    if (!w.data) return layer;
    DecoderLinear copy = {.bias = layer.bias};
    if (!layer.by_input) {
        copy.weight = stored_convert_at(place, arena, w, kind);
        return copy;
    }
    Arena *scratch = arena_new(); // the result is what the arena keeps
    Matrix floats = matrix_uninitialised_at(place, scratch, w.rows, w.cols);
    Matrix turned = matrix_uninitialised_at(place, scratch, w.cols, w.rows);
    stored_expand_at(place, floats, w);
    transpose_at(place, turned, floats);
    copy.weight = stored_convert_at(place, arena, view_of(turned), kind);
    arena_free(scratch);
    return copy;
}

Decoder decoder_quantise_at(Place place, Arena *arena, const Decoder *decoder, StoredKind kind)
{
    Decoder d = *decoder;
    d.token = stored_convert_at(place, arena, d.token, kind);
    if (d.position.data) d.position = stored_convert_at(place, arena, d.position, kind);
    d.output = decoder->output.data == decoder->token.data ? d.token
                                                           : stored_convert_at(place, arena, d.output, kind);
    d.layers = arena_alloc_at(place, arena, (size_t)d.config.layers, sizeof *d.layers);
    for (int i = 0; i < d.config.layers; i++) {
        DecoderLayer layer = decoder->layers[i];
        for (int p = 0; p < 3; p++) layer.qkv[p] = linear_as(place, arena, layer.qkv[p], kind);
        for (int p = 0; p < 2; p++) layer.up[p] = linear_as(place, arena, layer.up[p], kind);
        layer.out = linear_as(place, arena, layer.out, kind);
        layer.down = linear_as(place, arena, layer.down, kind);
        d.layers[i] = layer;
    }
    return d;
}

static size_t bytes_of(Stored m)
{
    return stored_size(m) * stored_element_bytes(m.kind) + (m.scale ? (size_t)m.rows * sizeof *m.scale : 0);
}

size_t decoder_bytes(const Decoder *d)
{
    size_t bytes = bytes_of(d->output);
    for (int i = 0; i < d->config.layers; i++) {
        const DecoderLayer *layer = &d->layers[i];
        for (int p = 0; p < 3; p++) bytes += bytes_of(layer->qkv[p].weight);
        for (int p = 0; p < 2; p++) bytes += bytes_of(layer->up[p].weight);
        bytes += bytes_of(layer->out.weight) + bytes_of(layer->down.weight);
    }
    return bytes;
}

// ---- The cache --------------------------------------------------------------------------------------------

struct DecoderCache {
    Arena *arena; // for what a step needs on its way
    int capacity, length;
    int layers;
    // Of each layer, a row for each of the g key heads: keys, rotated already, in blocks, and values (capacity × D). So no
    // head's lie between another's, and a query reads on and on.
    Matrix *keys, *values;
    Matrix logits; // (1 × V)
};

DecoderCache *decoder_cache_new_at(Place place, Arena *arena, const Decoder *decoder, int capacity)
{
    const GptConfig *c = &decoder->config;
    check_at(place, capacity > 0 && (capacity <= decoder->limit || !decoder->limit),
             "positions are learnt up to the context, and some models look back at so many only",
             "decoder_cache_new: up to %d tokens for a model of up to %d", capacity, decoder->limit);
    DecoderCache *cache = arena_alloc_at(place, arena, 1, sizeof *cache);
    *cache = (DecoderCache){.arena = arena, .capacity = capacity, .layers = c->layers};
    cache->keys = arena_alloc_at(place, arena, (size_t)c->layers, sizeof *cache->keys);
    cache->values = arena_alloc_at(place, arena, (size_t)c->layers, sizeof *cache->values);
    const size_t size = key_blocks_size(capacity, c->head_width);
    check_at(place, size <= INT_MAX, "a smaller capacity", "decoder_cache_new: %zu floats for one head",
             size);
    for (int i = 0; i < c->layers; i++) {
        cache->keys[i] = matrix_uninitialised_at(place, arena, c->key_heads, (int)size);
        cache->values[i] = matrix_uninitialised_at(place, arena, c->key_heads, (int)size);
    }
    cache->logits = matrix_new_at(place, arena, 1, c->vocabulary);
    return cache;
}

void decoder_cache_clear(DecoderCache *cache) { cache->length = 0; }

int decoder_cache_length(const DecoderCache *cache) { return cache->length; }

void decoder_cache_cut(DecoderCache *cache, int length)
{
    check_at(HERE, length >= 0 && length <= cache->length, "what was not read cannot be kept",
             "decoder_cache_cut: %d of %d tokens", length, cache->length);
    cache->length = length;
}

size_t decoder_cache_bytes(const DecoderCache *cache)
{
    return cache->layers ? 2 * (size_t)cache->layers * matrix_size(cache->keys[0]) * sizeof(float) : 0;
}

// ---- A step -----------------------------------------------------------------------------------------------
// N new positions. Each function is the forward half of what block.c puts on a tape.

typedef struct {
    const Decoder *decoder;
    Arena *arena;
    Matrix x;                // (N × C): the residual stream
    Matrix normal;           // (N × C): norm(x)
    Matrix side;             // (N × C): what a part adds to x
    Matrix query, found;     // (N × h·D)
    Matrix key, value;       // (N × g·D): the new ones
    Matrix keys, values;     // of the layer, in the cache
    Matrix all;              // (N × (h + 2g)·D), for layers that have the three side by side
    Matrix up, gate, active; // up (N × 2H) or (N × H)
    AttentionHeads heads;
    int first; // the number of the first of the positions
} Step;

static void normalise(const Step *s, Matrix y, Matrix x, const DecoderNorm *norm)
{
    ArenaMark mark = arena_mark(s->arena);
    const Matrix r = matrix_uninitialised(s->arena, x.rows, 1);
    if (norm->bias.data) {
        layer_norm_forward(y, matrix_uninitialised(s->arena, x.rows, 1), r, x, norm->gain, norm->bias,
                           s->decoder->config.epsilon);
    } else {
        rms_norm_forward(y, r, x, norm->gain, s->decoder->config.epsilon);
    }
    arena_rewind(s->arena, mark);
}

// outs[i] = x through layers[i]
static void linear_each(const Matrix *outs, const DecoderLinear *layers, int count, Matrix x)
{
    StoredProduct products[3];
    int together = 0;
    for (int i = 0; i < count; i++) {
        if (layers[i].by_input) {
            stored_matmul(outs[i], x, layers[i].weight);
        } else {
            products[together++] = (StoredProduct){outs[i], layers[i].weight};
        }
    }
    if (together) stored_matmul_nt_each(products, together, x);
    for (int i = 0; i < count; i++)
        if (layers[i].bias.data) add_row(outs[i], layers[i].bias);
}

// x += in through the layer
static void add_linear(const Step *s, const DecoderLinear *layer, Matrix in)
{
    linear_each(&s->side, layer, 1, in);
    add(s->x, s->x, s->side);
}

// Heads side by side, each normalised alone, in place
static void normalise_heads(const Step *s, Matrix m, Matrix gain)
{
    const int width = s->decoder->config.head_width;
    const Matrix each = matrix_reshape(m, m.rows * (m.cols / width), width);
    if (gain.data) normalise(s, each, each, &(DecoderNorm){.gain = gain});
}

static void rotate(const Step *s, Matrix m, int heads)
{
    const GptConfig *c = &s->decoder->config;
    if (c->positions != GPT_ROTARY) return;
    rotary_forward(m, m,
                   (RotaryShape){.time = m.rows,
                                 .heads = heads,
                                 .first = s->first,
                                 .base = c->rotary_base,
                                 .width = c->head_width,
                                 .scaling = c->scaling});
}

// The new keys and values → the cache
static void keep_keys_values(const Step *s)
{
    const int width = s->decoder->config.head_width;
    for (int head = 0; head < s->keys.rows; head++) {
        key_blocks_put(matrix_row(s->keys, head), s->first, columns_from(s->key, head * width), s->key.rows,
                       width);
        float *values = matrix_row(s->values, head) + (size_t)s->first * (size_t)width;
        for (int i = 0; i < s->value.rows; i++)
            memcpy(values + (size_t)i * (size_t)width, matrix_row(s->value, i) + head * width,
                   (size_t)width * sizeof(float));
    }
}

static void find_queries_keys_values(const Step *s, const DecoderLayer *layer)
{
    const GptConfig *c = &s->decoder->config;
    const int queries = c->heads * c->head_width, keys = c->key_heads * c->head_width;
    if (layer->qkv[1].weight.data) {
        const Matrix outs[] = {s->query, s->key, s->value};
        linear_each(outs, layer->qkv, 3, s->normal);
    } else {
        linear_each(&s->all, layer->qkv, 1, s->normal);
        copy_columns(s->query, 0, s->all, 0, queries);
        copy_columns(s->key, 0, s->all, queries, keys);
        copy_columns(s->value, 0, s->all, queries + keys, keys);
    }
    normalise_heads(s, s->query, layer->query_gain);
    normalise_heads(s, s->key, layer->key_gain);
    rotate(s, s->query, c->heads);
    rotate(s, s->key, c->key_heads);
    keep_keys_values(s);
}

static void add_attention(const Step *s, const DecoderLayer *layer)
{
    normalise(s, s->normal, s->x, &layer->norm1);
    find_queries_keys_values(s, layer);
    attention_heads_forward(s->arena, &s->heads);
    add_linear(s, &layer->out, s->found);
}

static void add_feed_forward(const Step *s, const DecoderLayer *layer)
{
    normalise(s, s->normal, s->x, &layer->norm2);
    const bool halves = layer->up[1].weight.data;
    const Matrix outs[] = {halves ? s->gate : s->up, s->active};
    linear_each(outs, layer->up, halves ? 2 : 1, s->normal);
    switch (s->decoder->config.activation) {
    case BLOCK_SWIGLU:
        if (halves)
            gated_silu_forward(s->active, s->gate, s->active);
        else
            swiglu_forward(s->active, s->up);
        break;
    case BLOCK_GELU:
        gelu_forward(s->active, s->up);
        break;
    case BLOCK_RELU:
        relu_forward(s->active, s->up);
        break;
    case BLOCK_TANH_GELU:
        tanh_gelu_forward(s->active, s->up);
        break;
    }
    add_linear(s, &layer->down, s->active);
}

// Room for n positions after those of the cache, and the sum of their tables' rows in x.
static Step step_begin(const Decoder *d, const DecoderCache *cache, const int *ids, int n)
{
    const GptConfig *c = &d->config;
    Arena *arena = cache->arena;
    Step s = {.decoder = d, .arena = arena, .first = cache->length};
    s.x = matrix_uninitialised(arena, n, c->width);
    s.normal = matrix_uninitialised(arena, n, c->width);
    s.side = matrix_uninitialised(arena, n, c->width);
    s.query = matrix_uninitialised(arena, n, c->heads * c->head_width);
    s.found = matrix_uninitialised(arena, n, c->heads * c->head_width);
    s.key = matrix_uninitialised(arena, n, c->key_heads * c->head_width);
    s.value = matrix_uninitialised(arena, n, c->key_heads * c->head_width);
    s.all = matrix_uninitialised(arena, n, (c->heads + 2 * c->key_heads) * c->head_width);
    s.up = matrix_uninitialised(arena, n, (c->activation == BLOCK_SWIGLU ? 2 : 1) * c->hidden);
    s.gate = matrix_view(n, c->hidden, s.up.data);
    s.active = matrix_uninitialised(arena, n, c->hidden);
    stored_gather_rows(s.x, d->token, ids);
    if (d->position.data) {
        int *numbers = arena_alloc(arena, (size_t)n, sizeof *numbers);
        for (int i = 0; i < n; i++) numbers[i] = s.first + i;
        stored_gather_rows(s.side, d->position, numbers);
        add(s.x, s.x, s.side);
    }
    return s;
}

// The next layer's keys and values, and where attention finds everything.
static void step_enter(Step *s, const DecoderCache *cache, int layer)
{
    const GptConfig *c = &s->decoder->config;
    const int n = s->x.rows;
    s->keys = cache->keys[layer];
    s->values = cache->values[layer];
    s->heads.shape = attention_shape_complete((AttentionShape){.batch = 1,
                                                               .queries = n,
                                                               .keys = s->first + n,
                                                               .heads = c->heads,
                                                               .key_heads = c->key_heads,
                                                               .causal = true},
                                              c->head_width);
    s->heads.width = c->head_width;
    s->heads.key_blocks = true;
    s->heads.head_step = (size_t)s->keys.cols;
    s->heads.x = (QueriesKeysValues){
        columns_from(s->query, 0), {s->keys.data, KEY_BLOCK}, {s->values.data, (size_t)c->head_width}};
    s->heads.out = columns_from(s->found, 0);
}

enum { AT_ONCE = 256 }; // so many positions of a long prompt share the memory of a step

// Reads n ≤ AT_ONCE tokens. logits: of each (n × V), of the last (1 × V), or data NULL.
static void read_some(const Decoder *d, DecoderCache *cache, Matrix logits, const int *ids, int n)
{
    ArenaMark mark = arena_mark(cache->arena);
    Step s = step_begin(d, cache, ids, n);
    s.heads.log_sums = matrix_uninitialised(cache->arena, n, d->config.heads);
    for (int i = 0; i < d->config.layers; i++) {
        step_enter(&s, cache, i);
        add_attention(&s, &d->layers[i]);
        add_feed_forward(&s, &d->layers[i]);
    }
    if (logits.data) {
        const Matrix last = matrix_rows(s.x, n - logits.rows, logits.rows),
                     normal = matrix_rows(s.normal, 0, logits.rows);
        normalise(&s, normal, last, &d->norm);
        stored_matmul_nt(logits, normal, d->output);
    }
    cache->length += n;
    arena_rewind(cache->arena, mark);
}

static void check_tokens(Place place, const Decoder *d, const DecoderCache *cache, const int *ids, int count)
{
    const GptConfig *c = &d->config;
    check_at(
        place,
        cache->layers == c->layers && cache->logits.cols == c->vocabulary &&
            (!c->layers || (cache->keys[0].rows == c->key_heads &&
                            (size_t)cache->keys[0].cols == key_blocks_size(cache->capacity, c->head_width))),
        "decoder_cache_new makes it for this decoder", "decoder: the cache is another model's");
    check_at(place, count >= 1, "give at least one token", "decoder: %d tokens", count);
    check_at(place, count <= cache->capacity - cache->length, "make a larger cache, or start anew",
             "decoder: %d tokens after %d in a cache for %d", count, cache->length, cache->capacity);
    for (int i = 0; i < count; i++)
        check_at(place, ids[i] >= 0 && ids[i] < c->vocabulary, "ids run from 0 to the vocabulary − 1",
                 "decoder: token %d (number %d) of %d", ids[i], i, c->vocabulary);
}

Matrix decoder_step_at(Place place, const Decoder *decoder, DecoderCache *cache, const int *ids, int count)
{
    check_tokens(place, decoder, cache, ids, count);
    for (int n; count > 0; ids += n, count -= n) {
        n = int_min(count, AT_ONCE);
        read_some(decoder, cache, n == count ? cache->logits : (Matrix){0}, ids, n);
    }
    return cache->logits;
}

void decoder_logits_at(Place place, const Decoder *decoder, DecoderCache *cache, Matrix logits,
                       const int *ids)
{
    check_tokens(place, decoder, cache, ids, logits.rows);
    check_at(place, logits.cols == decoder->config.vocabulary, "a row of logits for each token",
             "decoder_logits: (%d × %d) for a vocabulary of %d", logits.rows, logits.cols,
             decoder->config.vocabulary);
    for (int first = 0, n; first < logits.rows; first += n) {
        n = int_min(logits.rows - first, AT_ONCE);
        read_some(decoder, cache, matrix_rows(logits, first, n), ids + first, n);
    }
}

static bool is_among(int id, const int *ids, int count)
{
    for (int i = 0; i < count; i++)
        if (ids[i] == id) return true;
    return false;
}

int decoder_sample_at(Place place, const Decoder *decoder, DecoderCache *cache, int *ids, int count,
                      int limit, const int *stops, int stop_count, Sampling sampling, Rng *rng)
{
    check_at(place, count >= 1, "begin with a token", "decoder_sample: a prompt of %d tokens", count);
    decoder_cache_clear(cache);
    for (int read = 0; count < limit;) {
        const Matrix logits = decoder_step_at(place, decoder, cache, ids + read, count - read);
        read = count;
        ids[count++] = sample_token_at(place, logits, sampling, rng);
        if (is_among(ids[count - 1], stops, stop_count)) break;
    }
    return count;
}
