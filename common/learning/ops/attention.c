// attention.c: attention by the kernel of matrix/attention.c, and in plain loops. See attention.h.
#include "learning/ops/attention.h"
#include "base/mathf.h"

#include <string.h>

// ---- By blocks --------------------------------------------------------------------------------------------

void attention_forward(Arena *scratch, Matrix out, Matrix log_sums, Matrix q, Matrix k, Matrix v,
                       AttentionShape shape)
{
    const int width = q.cols / shape.heads;
    AttentionHeads whole = {.shape = attention_shape_complete(shape, width),
                            .width = width,
                            .x = {columns_from(q, 0), columns_from(k, 0), columns_from(v, 0)},
                            .out = columns_from(out, 0),
                            .log_sums = log_sums};
    attention_heads_forward(scratch, &whole);
}

void attention_backward(Arena *scratch, Matrix d_q, Matrix d_k, Matrix d_v, Matrix d_bias, Matrix d_out,
                        Matrix out, Matrix log_sums, Matrix q, Matrix k, Matrix v, AttentionShape shape)
{
    const int width = q.cols / shape.heads;
    AttentionHeads whole = {.shape = attention_shape_complete(shape, width),
                            .width = width,
                            .x = {columns_from(q, 0), columns_from(k, 0), columns_from(v, 0)},
                            .d = {columns_from(d_q, 0), columns_from(d_k, 0), columns_from(d_v, 0)},
                            .out = columns_from(out, 0),
                            .d_out = columns_from(d_out, 0),
                            .log_sums = log_sums,
                            .d_bias = d_bias};
    attention_heads_backward(scratch, &whole);
}

// ---- In plain loops ---------------------------------------------------------------------------------------

// One query of one head.
typedef struct {
    const AttentionShape *shape; // complete
    int sequence, head, i, width;
    const float *q;
    Columns k, v;
} Query;

static Query one_query(const AttentionShape *s, int b, int h, int i, Matrix q, Matrix k, Matrix v)
{
    const int width = q.cols / s->heads, column = h / (s->heads / s->key_heads) * width;
    return (Query){.shape = s,
                   .sequence = b,
                   .head = h,
                   .i = i,
                   .width = width,
                   .q = &AT(q, b * s->queries + i, h * width),
                   .k = columns_at(columns_from(k, 0), b * s->key_rows, column),
                   .v = columns_at(columns_from(v, 0), b * s->key_rows, column)};
}

static bool query_sees(const Query *x, int j)
{
    return j < attention_visible_keys(x->shape, x->sequence, x->i) &&
           attention_same_region(x->shape, x->sequence, x->i, j);
}

// p (keys), 0 where nothing is seen: the softmax of scale · ⟨q, k_j⟩ + bias_j
static void naive_weights(float *p, const Query *x)
{
    const AttentionShape *s = x->shape;
    float most = -__builtin_inff();
    double total = 0.0;
    for (int j = 0; j < s->keys; j++) {
        if (!query_sees(x, j)) continue;
        double product = 0.0;
        for (int d = 0; d < x->width; d++)
            product += (double)x->q[d] * (double)columns_at(x->k, j, d).data[0];
        p[j] = s->scale * (float)product;
        if (s->bias.data) p[j] += AT(s->bias, x->head * s->queries + x->i, j);
        most = p[j] > most ? p[j] : most;
    }
    for (int j = 0; j < s->keys; j++) {
        p[j] = query_sees(x, j) ? exp32(p[j] - most) : 0.0f;
        total += (double)p[j];
    }
    for (int j = 0; j < s->keys; j++)
        if (query_sees(x, j)) p[j] = (float)((double)p[j] / total);
}

void attention_naive_forward(Arena *scratch, Matrix out, Matrix weights, Matrix q, Matrix k, Matrix v,
                             AttentionShape shape)
{
    const AttentionShape s = attention_shape_complete(shape, q.cols / shape.heads);
    ArenaMark mark = arena_mark(scratch);
    float *own = arena_alloc(scratch, (size_t)s.keys, sizeof *own);
    for (int b = 0; b < s.batch; b++) {
        for (int h = 0; h < s.heads; h++) {
            for (int i = 0; i < s.queries; i++) {
                const Query x = one_query(&s, b, h, i, q, k, v);
                float *p = weights.data ? matrix_row(weights, (b * s.heads + h) * s.queries + i) : own;
                naive_weights(p, &x);
                for (int d = 0; d < x.width; d++) {
                    double total = 0.0;
                    for (int j = 0; j < s.keys; j++)
                        total += (double)p[j] * (double)columns_at(x.v, j, d).data[0];
                    AT(out, b * s.queries + i, h * x.width + d) = (float)total;
                }
            }
        }
    }
    arena_rewind(scratch, mark);
}

// p (keys) is given, d_s (keys) is scratch.
static void naive_query_backward(float *d_q, Columns d_k, Columns d_v, float *d_bias, const float *d_out,
                                 const float *p, float *d_s, const Query *x)
{
    const int keys = x->shape->keys, width = x->width;
    const float scale = x->shape->scale;
    double overlap = 0.0;
    for (int j = 0; j < keys; j++) {
        if (!query_sees(x, j)) continue;
        // out = Σ_j p_j v_j
        double d_p = 0.0;
        for (int d = 0; d < width; d++) {
            d_p += (double)d_out[d] * (double)columns_at(x->v, j, d).data[0];
            if (d_v.data) columns_at(d_v, j, d).data[0] += p[j] * d_out[d];
        }
        d_s[j] = (float)d_p;
        overlap += d_p * (double)p[j];
    }
    for (int j = 0; j < keys; j++) {
        if (!query_sees(x, j)) continue;
        // p_j = e^s_j / Σ e^s
        d_s[j] = p[j] * (d_s[j] - (float)overlap);
        // s_j = scale · ⟨q, k_j⟩ + bias_j
        if (d_bias) d_bias[j] += d_s[j];
        for (int d = 0; d < width; d++) {
            if (d_q) d_q[d] += scale * d_s[j] * columns_at(x->k, j, d).data[0];
            if (d_k.data) columns_at(d_k, j, d).data[0] += scale * d_s[j] * x->q[d];
        }
    }
}

void attention_naive_backward(Arena *scratch, Matrix d_q, Matrix d_k, Matrix d_v, Matrix d_bias, Matrix d_out,
                              Matrix q, Matrix k, Matrix v, AttentionShape shape)
{
    const int width = q.cols / shape.heads;
    const AttentionShape s = attention_shape_complete(shape, width);
    ArenaMark mark = arena_mark(scratch);
    float *p = arena_alloc(scratch, (size_t)s.keys, sizeof *p),
          *d_s = arena_alloc(scratch, (size_t)s.keys, sizeof *d_s);
    for (int b = 0; b < s.batch; b++) {
        for (int h = 0; h < s.heads; h++) {
            const int key_row = b * s.key_rows, column = h / (s.heads / s.key_heads) * width;
            for (int i = 0; i < s.queries; i++) {
                const Query x = one_query(&s, b, h, i, q, k, v);
                const int row = b * s.queries + i;
                naive_weights(p, &x);
                naive_query_backward(d_q.data ? &AT(d_q, row, h * width) : NULL,
                                     columns_at(columns_from(d_k, 0), key_row, column),
                                     columns_at(columns_from(d_v, 0), key_row, column),
                                     d_bias.data ? matrix_row(d_bias, h * s.queries + i) : NULL,
                                     &AT(d_out, row, h * width), p, d_s, &x);
            }
        }
    }
    arena_rewind(scratch, mark);
}

// ---- Taped -------------------------------------------------------------------------------------

typedef struct {
    AttentionShape shape;
    Matrix log_sums;
} AttentionContext;

static void check_counts(Place place, const char *name, const AttentionShape *s)
{
    check_at(place, s->batch > 0 && s->queries > 0 && s->keys > 0 && s->heads > 0,
             "count the sequences, their positions and the heads",
             "%s: %d sequences, %d queries, %d keys, %d heads", name, s->batch, s->queries, s->keys,
             s->heads);
    check_at(place, s->key_heads >= 0 && (!s->key_heads || s->heads % s->key_heads == 0),
             "each key head serves the same number of query heads", "%s: %d heads with %d key heads", name,
             s->heads, s->key_heads);
    for (int b = 0; s->key_counts && b < s->batch; b++)
        check_at(place, s->key_counts[b] >= 0 && s->key_counts[b] <= s->keys,
                 "a sequence counts from none to all of its keys", "%s: %d of %d keys count in sequence %d",
                 name, s->key_counts[b], s->keys, b);
}

static void check_rows(Place place, const char *name, const char *what, Matrix m, int batch, int time)
{
    check_at(place, (long)m.rows == (long)batch * time, "row b · T + t is position t of sequence b",
             "%s: %s (%d × %d) is not %d sequences of %d positions", name, what, m.rows, m.cols, batch, time);
}

// The shape with the bias, after a look at both and at the regions.
static AttentionShape with_bias(Place place, const char *name, AttentionShape shape, const Tensor *bias)
{
    if (bias) shape.bias = bias->value;
    check_at(place,
             !shape.bias.data || ((long)shape.bias.rows == (long)shape.heads * shape.queries &&
                                  shape.bias.cols == shape.keys),
             "row h · T + i of the bias is query i of head h",
             "%s: a bias (%d × %d) for %d heads of %d queries and %d keys", name, shape.bias.rows,
             shape.bias.cols, shape.heads, shape.queries, shape.keys);
    check_at(place, !shape.key_regions || shape.query_regions, "give both, or none",
             "%s: keys have regions and queries have none", name);
    check_at(place, !shape.query_regions || shape.key_regions || shape.queries == shape.keys,
             "give key_regions too", "%s: regions of %d queries for %d keys", name, shape.queries,
             shape.keys);
    return shape;
}

// count numbers, copied; NULL where there are none
static const int *keep_numbers(Place place, Arena *arena, const int *numbers, size_t count)
{
    if (!numbers) return NULL;
    int *held = arena_alloc_at(place, arena, count, sizeof *held);
    memcpy(held, numbers, count * sizeof *held);
    return held;
}

// The context of a node that holds the shape, with its own copy of counts and regions, and room for the logarithms.
static AttentionContext *keep_shape(Place place, Tensor *out, AttentionShape shape)
{
    Arena *arena = tape_arena(out->tape);
    AttentionContext *context = out->context;
    const size_t batch = (size_t)shape.batch;
    shape.key_counts = keep_numbers(place, arena, shape.key_counts, batch);
    shape.query_regions = keep_numbers(place, arena, shape.query_regions, batch * (size_t)shape.queries);
    shape.key_regions = keep_numbers(place, arena, shape.key_regions, batch * (size_t)shape.keys);
    context->shape = shape;
    context->log_sums = matrix_uninitialised_at(place, arena, out->value.rows, shape.heads);
    return context;
}

static void attention_step(Tensor *self)
{
    const AttentionContext *context = self->context;
    Tensor *q = self->inputs[0], *k = self->inputs[1], *v = self->inputs[2];
    Matrix d_q = tensor_gradient(q), d_k = tensor_gradient(k), d_v = tensor_gradient(v),
           d_bias = tensor_gradient(self->inputs[3]);
    attention_backward(tape_arena(self->tape), d_q, d_k, d_v, d_bias, self->gradient, self->value,
                       context->log_sums, q->value, k->value, v->value, context->shape);
}

static void check_keys(Place place, const char *name, Matrix q, Matrix k, Matrix v,
                       const AttentionShape *shape)
{
    const int key_heads = shape->key_heads ? shape->key_heads : shape->heads;
    const int key_rows = shape->key_rows ? shape->key_rows : shape->keys;
    check_at(place, key_rows >= shape->keys, "a sequence has room for its keys", "%s: %d keys in %d rows",
             name, shape->keys, key_rows);
    check_rows(place, name, "k", k, shape->batch, key_rows);
    check_rows(place, name, "v", v, shape->batch, key_rows);
    check_at(place, q.cols > 0 && q.cols % shape->heads == 0, "the columns of q are its heads, side by side",
             "%s: %d columns for %d heads", name, q.cols, shape->heads);
    const int width = q.cols / shape->heads;
    check_at(place, k.cols == key_heads * width && v.cols == key_heads * width,
             "keys and values have heads as wide as those of the queries",
             "%s: %d heads of width %d meet k (%d × %d) and v (%d × %d), %d heads each", name, shape->heads,
             width, k.rows, k.cols, v.rows, v.cols, key_heads);
}

Tensor *attention_at(Place place, Tensor *q, Tensor *k, Tensor *v, Tensor *bias, AttentionShape shape)
{
    static const char name[] = "attention";
    check_counts(place, name, &shape);
    check_rows(place, name, "q", q->value, shape.batch, shape.queries);
    check_keys(place, name, q->value, k->value, v->value, &shape);
    shape = with_bias(place, name, shape, bias);
    Tensor *out = tensor_node(place, name, q->value.rows, q->value.cols, attention_step,
                              sizeof(AttentionContext), 4, q, k, v, bias);
    AttentionContext *context = keep_shape(place, out, shape);
    attention_forward(tape_arena(out->tape), out->value, context->log_sums, q->value, k->value, v->value,
                      context->shape);
    return out;
}

// q, k and v beside each other, heads of this width
static QueriesKeysValues beside(Matrix qkv, const AttentionShape *s, int width)
{
    if (!qkv.data) return (QueriesKeysValues){{NULL, 0}, {NULL, 0}, {NULL, 0}};
    return (QueriesKeysValues){columns_from(qkv, 0), columns_from(qkv, s->heads * width),
                               columns_from(qkv, (s->heads + s->key_heads) * width)};
}

static AttentionHeads self_group(const Tensor *out, const AttentionContext *context)
{
    const int width = out->value.cols / context->shape.heads;
    AttentionHeads whole = {.shape = attention_shape_complete(context->shape, width),
                            .width = width,
                            .log_sums = context->log_sums};
    whole.x = beside(out->inputs[0]->value, &whole.shape, width);
    whole.out = columns_from(out->value, 0);
    return whole;
}

static void self_attention_step(Tensor *self)
{
    AttentionHeads whole = self_group(self, self->context);
    bool accumulate;
    whole.d = beside(tensor_gradient_raw(self->inputs[0], &accumulate), &whole.shape, whole.width);
    whole.clear = whole.d.q.data && !accumulate;
    whole.d_out = columns_from(self->gradient, 0);
    whole.d_bias = tensor_gradient(self->inputs[1]);
    if (whole.d.q.data || whole.d_bias.data) attention_heads_backward(tape_arena(self->tape), &whole);
}

// The width of a head.
static int check_beside(Place place, const char *name, Matrix qkv, const AttentionShape *shape)
{
    check_rows(place, name, "qkv", qkv, shape->batch, shape->queries);
    const long long heads = shape->heads + 2LL * (shape->key_heads ? shape->key_heads : shape->heads);
    check_at(place, qkv.cols > 0 && qkv.cols % heads == 0,
             "side by side: the heads of the queries, of the keys, of the values",
             "%s: %d columns for %lld heads in all", name, qkv.cols, heads);
    return (int)(qkv.cols / heads);
}

Tensor *self_attention_at(Place place, Tensor *qkv, Tensor *bias, AttentionShape shape)
{
    static const char name[] = "self_attention";
    check_counts(place, name, &shape);
    check_at(place, shape.queries == shape.keys, "each position has a query and a key",
             "%s: %d queries and %d keys", name, shape.queries, shape.keys);
    const int width = check_beside(place, name, qkv->value, &shape);
    shape = with_bias(place, name, shape, bias);
    Tensor *out = tensor_node(place, name, qkv->value.rows, shape.heads * width, self_attention_step,
                              sizeof(AttentionContext), 2, qkv, bias);
    AttentionHeads whole = self_group(out, keep_shape(place, out, shape));
    attention_heads_forward(tape_arena(out->tape), &whole);
    return out;
}

const AttentionShape *attention_shape_of(const Tensor *node)
{
    if (node->step != attention_step && node->step != self_attention_step) return NULL;
    return &((const AttentionContext *)node->context)->shape;
}

// ---- With a cache ----------------------------------------------------------------------------------------------

static void check_cache(Place place, const AttentionCache *cache, const AttentionShape *s, int width)
{
    static const char name[] = "cached_self_attention";
    const Matrix *tables[] = {&cache->keys, &cache->values};
    for (int t = 0; t < 2; t++)
        check_at(place,
                 (long)tables[t]->rows == (long)s->batch * cache->capacity &&
                     tables[t]->cols == s->key_heads * width,
                 "row b · capacity + t is position t of sequence b",
                 "%s: a cache (%d × %d) for %d sequences of up to %d positions, %d key heads of width %d",
                 name, tables[t]->rows, tables[t]->cols, s->batch, cache->capacity, s->key_heads, width);
    for (int b = 0; b < s->batch; b++)
        check_at(place, cache->lengths[b] >= 0 && s->queries <= cache->capacity - cache->lengths[b],
                 "make a larger cache, or start anew", "%s: %d positions after %d in a cache for %d", name,
                 s->queries, cache->lengths[b], cache->capacity);
}

// Keys and values of the new positions, behind those that the cache has.
static void put_into_cache(const AttentionCache *cache, Matrix qkv, const AttentionShape *s, int width)
{
    const int queries = s->heads * width, keys = s->key_heads * width;
    for (int b = 0; b < s->batch; b++) {
        const Matrix rows = matrix_rows(qkv, b * s->queries, s->queries);
        const int first = b * cache->capacity + cache->lengths[b];
        copy_columns(matrix_rows(cache->keys, first, s->queries), 0, rows, queries, keys);
        copy_columns(matrix_rows(cache->values, first, s->queries), 0, rows, queries + keys, keys);
    }
}

// All sequences at once when each has one new position: the keys of each are counted. Otherwise one after the other.
static void attend_cached(Arena *scratch, Matrix out, Matrix qkv, const AttentionCache *cache,
                          AttentionShape s, int width)
{
    const bool together = s.queries == 1;
    int *counts = arena_alloc(scratch, (size_t)s.batch, sizeof *counts);
    AttentionShape shape = s;
    shape.keys = 0;
    for (int b = 0; b < s.batch; b++) {
        counts[b] = cache->lengths[b] + s.queries;
        shape.keys = int_max(shape.keys, counts[b]);
    }
    shape.causal = true;
    shape.key_rows = cache->capacity;
    if (together) shape.key_counts = counts;
    shape.batch = together ? s.batch : 1;
    for (int b = 0; b < s.batch; b += shape.batch) {
        if (!together) shape.keys = counts[b];
        AttentionHeads heads = {.shape = shape, .width = width};
        heads.x.q = columns_from(matrix_rows(qkv, b * s.queries, shape.batch * s.queries), 0);
        heads.x.k = columns_at(columns_from(cache->keys, 0), b * cache->capacity, 0);
        heads.x.v = columns_at(columns_from(cache->values, 0), b * cache->capacity, 0);
        heads.out = columns_at(columns_from(out, 0), b * s.queries, 0);
        heads.log_sums = matrix_uninitialised(scratch, shape.batch * s.queries, s.heads);
        attention_heads_forward(scratch, &heads);
    }
}

Tensor *cached_self_attention_at(Place place, Tensor *qkv, AttentionCache cache, AttentionShape shape)
{
    static const char name[] = "cached_self_attention";
    shape.keys = shape.queries;
    check_counts(place, name, &shape);
    check_at(place, !shape.key_counts && !shape.query_regions && !shape.bias.data, "leave them out",
             "%s: a cache knows neither padding nor regions nor a bias", name);
    const int width = check_beside(place, name, qkv->value, &shape);
    shape = attention_shape_complete(shape, width);
    check_cache(place, &cache, &shape, width);
    Tensor *out = tensor_node(place, name, qkv->value.rows, shape.heads * width, NULL, 0, 1, qkv);
    check_at(place, !out->wants_gradient, "tape_record(tape, false)", "%s: the tape records", name);
    put_into_cache(&cache, qkv->value, &shape, width);
    attend_cached(tape_arena(out->tape), out->value, qkv->value, &cache, shape, width);
    return out;
}
