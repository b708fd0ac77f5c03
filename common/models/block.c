// block.c: the block of a Transformer. See block.h.
#include "models/block.h"
#include "base/check.h"

#include <math.h>

// ---- Making one -------------------------------------------------------------------------------------------

BlockConfig block_config_complete(Place place, const char *maker, BlockConfig c)
{
    check_at(place, c.width > 0 && c.heads > 0 && c.hidden >= 0 && c.head_width >= 0 && c.key_heads >= 0,
             "name width and heads", "%s: width %d, %d heads of width %d, %d key heads, %d hidden units",
             maker, c.width, c.heads, c.head_width, c.key_heads, c.hidden);
    check_at(place, c.head_width > 0 || c.width % c.heads == 0, "or name head_width",
             "%s: width %d in %d heads", maker, c.width, c.heads);
    if (!c.head_width) c.head_width = c.width / c.heads;
    if (!c.key_heads) c.key_heads = c.heads;
    check_at(place, c.heads % c.key_heads == 0, "each key head serves the same number of query heads",
             "%s: %d heads with %d key heads", maker, c.heads, c.key_heads);
    check_at(place, !c.rotary || c.head_width % 2 == 0, "a head is rotated in pairs: its width is even",
             "%s: rotary positions with heads of width %d", maker, c.head_width);
    check_at(place, c.rotary_base >= 0.0f && isfinite(c.rotary_base), "10000 is usual",
             "%s: the base of the rotations is %g", maker, (double)c.rotary_base);
    rotary_check_scaling(place, maker, c.scaling);
    const long columns = ((long)c.heads + 2L * c.key_heads) * c.head_width; // counted in an int
    check_at(place, columns <= INT32_MAX, "choose a smaller model",
             "%s: %d heads and %d key heads of width %d", maker, c.heads, c.key_heads, c.head_width);
    if (!c.hidden) c.hidden = c.activation == BLOCK_SWIGLU ? (8 * c.width / 3 + 7) / 8 * 8 : 4 * c.width;
    if (c.rotary_base == 0.0f) c.rotary_base = 10000.0f;
    if (c.epsilon == 0.0f) c.epsilon = NORM_EPSILON;
    if (c.shrink == 0.0f) c.shrink = 1.0f;
    return c;
}

// A linear layer whose weights begin with the deviation of the configuration, times shrink.
static Linear weights_new(Place place, Parameters *set, const char *name, int inputs, int outputs,
                          const BlockConfig *c, bool biases, float shrink, Rng *rng)
{
    Linear layer = linear_new_at(place, set, name, inputs, outputs, rng, INIT_ZERO, biases);
    const float deviation = c->deviation != 0.0f ? c->deviation : 1.0f / sqrtf((float)inputs);
    if (rng) fill_normal(layer.weight->value, rng, 0.0f, shrink * deviation);
    return layer;
}

static void add_cross(Place place, Block *block, Parameters *set, const char *name, Rng *rng)
{
    const BlockConfig *c = &block->config;
    const int queries = c->heads * c->head_width, keys = c->key_heads * c->head_width;
    const bool biases = !c->without_biases;
    block->norm_cross =
        norm_new_at(place, set, layer_name(set, name, "norm_cross", -1), c->norm, c->width, c->epsilon);
    block->cross_query = weights_new(place, set, layer_name(set, name, "cross_query", -1), c->width, queries,
                                     c, biases, 1.0f, rng);
    block->cross_memory = weights_new(place, set, layer_name(set, name, "cross_memory", -1), c->width,
                                      2 * keys, c, biases, 1.0f, rng);
    block->cross_out = weights_new(place, set, layer_name(set, name, "cross_out", -1), queries, c->width, c,
                                   biases, c->shrink, rng);
}

Block block_new_at(Place place, Parameters *set, const char *name, BlockConfig config, Rng *rng)
{
    Block block = {.config = block_config_complete(place, "block_new", config)};
    const BlockConfig *c = &block.config;
    const int queries = c->heads * c->head_width, keys = c->key_heads * c->head_width;
    const int up = c->activation == BLOCK_SWIGLU ? 2 * c->hidden : c->hidden;
    const bool biases = !c->without_biases;
    block.norm1 = norm_new_at(place, set, layer_name(set, name, "norm1", -1), c->norm, c->width, c->epsilon);
    block.qkv = weights_new(place, set, layer_name(set, name, "qkv", -1), c->width, queries + 2 * keys, c,
                            biases || c->qkv_biases, 1.0f, rng);
    if (c->query_key_norm) {
        block.query_norm = norm_new_at(place, set, layer_name(set, name, "query_norm", -1), NORM_RMS,
                                       c->head_width, c->epsilon);
        block.key_norm = norm_new_at(place, set, layer_name(set, name, "key_norm", -1), NORM_RMS,
                                     c->head_width, c->epsilon);
    }
    block.out = weights_new(place, set, layer_name(set, name, "out", -1), queries, c->width, c, biases,
                            c->shrink, rng);
    if (c->cross) add_cross(place, &block, set, name, rng);
    block.norm2 = norm_new_at(place, set, layer_name(set, name, "norm2", -1), c->norm, c->width, c->epsilon);
    block.up = weights_new(place, set, layer_name(set, name, "up", -1), c->width, up, c, biases, 1.0f, rng);
    block.down = weights_new(place, set, layer_name(set, name, "down", -1), c->hidden, c->width, c, biases,
                             c->shrink, rng);
    return block;
}

int block_parameters(const BlockConfig *c)
{
    const int norm = c->norm == NORM_RMS ? 1 : 2, linear = c->without_biases ? 1 : 2;
    return 2 * norm + 4 * linear + (c->without_biases && c->qkv_biases) + 2 * c->query_key_norm +
           (c->cross ? norm + 3 * linear : 0);
}

// ---- Its parts --------------------------------------------------------------------------------------------

// What a part sees of x, and what becomes of the sum: a norm stands before the part, or behind the sum.
static Tensor *before(Place place, const Block *block, const Norm *norm, Tensor *x)
{
    return block->config.post_norm ? x : norm_normalise_at(place, norm, x);
}

static Tensor *behind(Place place, const Block *block, const Norm *norm, Tensor *sum)
{
    return block->config.post_norm ? norm_normalise_at(place, norm, sum) : sum;
}

static AttentionShape with_heads(const Block *block, AttentionShape shape)
{
    shape.heads = block->config.heads;
    shape.key_heads = block->config.key_heads;
    return shape;
}

// Some heads of a matrix of heads side by side, each with its own mean square.
static Tensor *normalise_heads(Place place, const Norm *norm, Tensor *x, int first, int heads, int width)
{
    Tensor *part = slice_columns_at(place, x, first * width, heads * width);
    const int rows = part->value.rows;
    Tensor *each = norm_normalise_at(place, norm, tensor_reshape_at(place, part, rows * heads, width));
    return tensor_reshape_at(place, each, rows, heads * width);
}

static Tensor *normalise_queries_and_keys(Place place, const Block *block, Tensor *qkv)
{
    const BlockConfig *c = &block->config;
    Tensor *q = normalise_heads(place, &block->query_norm, qkv, 0, c->heads, c->head_width);
    Tensor *k = normalise_heads(place, &block->key_norm, qkv, c->heads, c->key_heads, c->head_width);
    Tensor *v =
        slice_columns_at(place, qkv, (c->heads + c->key_heads) * c->head_width, c->key_heads * c->head_width);
    return concat_columns_at(place, concat_columns_at(place, q, k), v);
}

// Queries, keys and values of x, as attention takes them.
static Tensor *queries_keys_values(Place place, const Block *block, Tensor *x, const BlockInputs *in)
{
    const BlockConfig *c = &block->config;
    Tensor *qkv = linear_at(place, &block->qkv, before(place, block, &block->norm1, x));
    if (c->query_key_norm) qkv = normalise_queries_and_keys(place, block, qkv);
    if (!c->rotary) return qkv;
    return rotary_at(place, qkv,
                     (RotaryShape){.time = in->self.queries,
                                   .heads = c->heads + c->key_heads,
                                   .firsts = in->cache ? in->cache->lengths : NULL,
                                   .base = c->rotary_base,
                                   .width = c->head_width,
                                   .scaling = c->scaling});
}

static Tensor *add_self_attention(Place place, const Block *block, Tensor *x, const BlockInputs *in)
{
    const AttentionShape shape = with_heads(block, in->self);
    Tensor *qkv = queries_keys_values(place, block, x, in);
    Tensor *found = in->cache ? cached_self_attention_at(place, qkv, *in->cache, shape)
                              : self_attention_at(place, qkv, in->bias, shape);
    return behind(place, block, &block->norm1, linear_add_at(place, &block->out, x, found));
}

// Queries from x, keys and values from the memory.
typedef struct {
    Tensor *q, *k, *v;
} CrossInputs;

static CrossInputs cross_inputs(Place place, const Block *block, Tensor *x, const BlockInputs *in)
{
    check_at(place, in->memory && block->config.cross,
             "block_new with .cross = true, and a memory to look at",
             "block_forward: a %s for a block %s cross-attention", in->memory ? "memory" : "missing memory",
             block->config.cross ? "with" : "without");
    const int keys = block->config.key_heads * block->config.head_width;
    Tensor *q = linear_at(place, &block->cross_query, before(place, block, &block->norm_cross, x));
    Tensor *both = linear_at(place, &block->cross_memory, in->memory);
    Tensor *k = slice_columns_at(place, both, 0, keys), *v = slice_columns_at(place, both, keys, keys);
    return (CrossInputs){q, k, v};
}

static Tensor *add_cross_attention(Place place, const Block *block, Tensor *x, const BlockInputs *in)
{
    const CrossInputs c = cross_inputs(place, block, x, in);
    Tensor *found = attention_at(place, c.q, c.k, c.v, NULL, with_heads(block, in->cross));
    return behind(place, block, &block->norm_cross, linear_add_at(place, &block->cross_out, x, found));
}

static Tensor *activate(Place place, const Block *block, Tensor *x)
{
    switch (block->config.activation) {
    case BLOCK_SWIGLU:
        return swiglu_at(place, linear_at(place, &block->up, x));
    case BLOCK_RELU:
        return linear_relu_at(place, &block->up, x);
    case BLOCK_TANH_GELU:
        return tanh_gelu_at(place, linear_at(place, &block->up, x));
    case BLOCK_GELU:
        break;
    }
    return linear_gelu_at(place, &block->up, x);
}

static Tensor *add_feed_forward(Place place, const Block *block, Tensor *x)
{
    Tensor *active = activate(place, block, before(place, block, &block->norm2, x));
    return behind(place, block, &block->norm2, linear_add_at(place, &block->down, x, active));
}

Tensor *block_forward_at(Place place, const Block *block, Tensor *x, BlockInputs in)
{
    x = add_self_attention(place, block, x, &in);
    if (block->config.cross || in.memory) x = add_cross_attention(place, block, x, &in);
    return add_feed_forward(place, block, x);
}

// ---- What the heads look at -------------------------------------------------------------------------------

static void look(Place place, Tape *tape, Matrix weights, Matrix q, Matrix k, Matrix v, AttentionShape shape)
{
    check_at(place,
             (long)weights.rows == (long)shape.batch * shape.heads * shape.queries &&
                 weights.cols == shape.keys,
             "a row for each query of each head of each sequence",
             "block: weights (%d × %d) of %d sequences, %d heads, %d queries, %d keys", weights.rows,
             weights.cols, shape.batch, shape.heads, shape.queries, shape.keys);
    Arena *arena = tape_arena(tape);
    attention_naive_forward(arena, matrix_uninitialised(arena, q.rows, q.cols), weights, q, k, v, shape);
}

void block_self_weights_at(Place place, const Block *block, Tensor *x, Matrix weights, BlockInputs in)
{
    check_at(place, !in.cache, "give the whole sequences", "block_self_weights: a cache");
    const BlockConfig *c = &block->config;
    const int queries = c->heads * c->head_width, keys = c->key_heads * c->head_width;
    AttentionShape shape = with_heads(block, in.self);
    if (in.bias) shape.bias = in.bias->value;
    Tensor *qkv = queries_keys_values(place, block, x, &in);
    Tensor *q = slice_columns_at(place, qkv, 0, queries), *k = slice_columns_at(place, qkv, queries, keys),
           *v = slice_columns_at(place, qkv, queries + keys, keys);
    look(place, q->tape, weights, q->value, k->value, v->value, shape);
}

void block_cross_weights_at(Place place, const Block *block, Tensor *x, Matrix weights, BlockInputs in)
{
    const CrossInputs c = cross_inputs(place, block, add_self_attention(place, block, x, &in), &in);
    look(place, c.q->tape, weights, c.q->value, c.k->value, c.v->value, with_heads(block, in.cross));
}
