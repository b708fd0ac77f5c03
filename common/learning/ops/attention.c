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

void attention_backward(Arena *scratch, Matrix d_q, Matrix d_k, Matrix d_v, Matrix d_out, Matrix out,
                        Matrix log_sums, Matrix q, Matrix k, Matrix v, AttentionShape shape)
{
    const int width = q.cols / shape.heads;
    AttentionHeads whole = {.shape = attention_shape_complete(shape, width),
                            .width = width,
                            .x = {columns_from(q, 0), columns_from(k, 0), columns_from(v, 0)},
                            .d = {columns_from(d_q, 0), columns_from(d_k, 0), columns_from(d_v, 0)},
                            .out = columns_from(out, 0),
                            .d_out = columns_from(d_out, 0),
                            .log_sums = log_sums};
    attention_heads_backward(scratch, &whole);
}

// ---- In plain loops ---------------------------------------------------------------------------------------

// p (keys), 0 where nothing is seen: the softmax of scale · ⟨q, k_j⟩
static void naive_weights(float *p, const float *q, Columns k, int seen, int keys, int width, float scale)
{
    float most = -__builtin_inff();
    double total = 0.0;
    for (int j = 0; j < seen; j++) {
        double product = 0.0;
        for (int d = 0; d < width; d++) product += (double)q[d] * (double)columns_at(k, j, d).data[0];
        p[j] = scale * (float)product;
        most = p[j] > most ? p[j] : most;
    }
    for (int j = 0; j < seen; j++) {
        p[j] = exp32(p[j] - most);
        total += (double)p[j];
    }
    for (int j = 0; j < keys; j++) p[j] = j < seen ? (float)((double)p[j] / total) : 0.0f;
}

void attention_naive_forward(Arena *scratch, Matrix out, Matrix weights, Matrix q, Matrix k, Matrix v,
                             AttentionShape shape)
{
    const int width = q.cols / shape.heads;
    const AttentionShape s = attention_shape_complete(shape, width);
    ArenaMark mark = arena_mark(scratch);
    float *own = arena_alloc(scratch, (size_t)s.keys, sizeof *own);
    for (int b = 0; b < s.batch; b++) {
        for (int h = 0; h < s.heads; h++) {
            const int key_column = h / (s.heads / s.key_heads) * width;
            const Columns keys = columns_at(columns_from(k, 0), b * s.key_rows, key_column);
            const Columns values = columns_at(columns_from(v, 0), b * s.key_rows, key_column);
            for (int i = 0; i < s.queries; i++) {
                float *p = weights.data ? matrix_row(weights, (b * s.heads + h) * s.queries + i) : own;
                naive_weights(p, &AT(q, b * s.queries + i, h * width), keys, attention_visible_keys(&s, b, i),
                              s.keys, width, s.scale);
                for (int d = 0; d < width; d++) {
                    double total = 0.0;
                    for (int j = 0; j < s.keys; j++)
                        total += (double)p[j] * (double)columns_at(values, j, d).data[0];
                    AT(out, b * s.queries + i, h * width + d) = (float)total;
                }
            }
        }
    }
    arena_rewind(scratch, mark);
}

// One query: p (keys) is given, d_s (keys) is scratch.
static void naive_query_backward(float *d_q, Columns d_k, Columns d_v, const float *d_out, const float *p,
                                 float *d_s, const float *q, Columns k, Columns v, int keys, int width,
                                 float scale)
{
    double overlap = 0.0;
    for (int j = 0; j < keys; j++) {
        // out = Σ_j p_j v_j
        double d_p = 0.0;
        for (int d = 0; d < width; d++) {
            d_p += (double)d_out[d] * (double)columns_at(v, j, d).data[0];
            if (d_v.data) columns_at(d_v, j, d).data[0] += p[j] * d_out[d];
        }
        d_s[j] = (float)d_p;
        overlap += d_p * (double)p[j];
    }
    for (int j = 0; j < keys; j++) {
        // p_j = e^s_j / Σ e^s
        d_s[j] = p[j] * (d_s[j] - (float)overlap);
        // s_j = scale · ⟨q, k_j⟩
        for (int d = 0; d < width; d++) {
            if (d_q) d_q[d] += scale * d_s[j] * columns_at(k, j, d).data[0];
            if (d_k.data) columns_at(d_k, j, d).data[0] += scale * d_s[j] * q[d];
        }
    }
}

void attention_naive_backward(Arena *scratch, Matrix d_q, Matrix d_k, Matrix d_v, Matrix d_out, Matrix q,
                              Matrix k, Matrix v, AttentionShape shape)
{
    const int width = q.cols / shape.heads;
    const AttentionShape s = attention_shape_complete(shape, width);
    ArenaMark mark = arena_mark(scratch);
    float *p = arena_alloc(scratch, (size_t)s.keys, sizeof *p),
          *d_s = arena_alloc(scratch, (size_t)s.keys, sizeof *d_s);
    for (int b = 0; b < s.batch; b++) {
        for (int h = 0; h < s.heads; h++) {
            const int row = b * s.key_rows, column = h / (s.heads / s.key_heads) * width;
            const Columns keys = columns_at(columns_from(k, 0), row, column),
                          values = columns_at(columns_from(v, 0), row, column);
            for (int i = 0; i < s.queries; i++) {
                const int seen = attention_visible_keys(&s, b, i);
                const float *query = &AT(q, b * s.queries + i, h * width);
                naive_weights(p, query, keys, seen, s.keys, width, s.scale);
                naive_query_backward(d_q.data ? &AT(d_q, b * s.queries + i, h * width) : NULL,
                                     columns_at(columns_from(d_k, 0), row, column),
                                     columns_at(columns_from(d_v, 0), row, column),
                                     &AT(d_out, b * s.queries + i, h * width), p, d_s, query, keys, values,
                                     seen, width, s.scale);
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

// The context of a node that holds the shape, with its own copy of the counts, and room for the logarithms.
static AttentionContext *keep_shape(Place place, Tensor *out, AttentionShape shape)
{
    Arena *arena = tape_arena(out->tape);
    AttentionContext *context = out->context;
    if (shape.key_counts) {
        int *held = arena_alloc_at(place, arena, (size_t)shape.batch, sizeof *held);
        memcpy(held, shape.key_counts, (size_t)shape.batch * sizeof *held);
        shape.key_counts = held;
    }
    context->shape = shape;
    context->log_sums = matrix_uninitialised_at(place, arena, out->value.rows, shape.heads);
    return context;
}

static void attention_step(Tensor *self)
{
    const AttentionContext *context = self->context;
    Tensor *q = self->inputs[0], *k = self->inputs[1], *v = self->inputs[2];
    Matrix d_q = tensor_gradient(q), d_k = tensor_gradient(k), d_v = tensor_gradient(v);
    attention_backward(tape_arena(self->tape), d_q, d_k, d_v, self->gradient, self->value, context->log_sums,
                       q->value, k->value, v->value, context->shape);
}

Tensor *attention_at(Place place, Tensor *q, Tensor *k, Tensor *v, AttentionShape shape)
{
    static const char name[] = "attention";
    check_counts(place, name, &shape);
    const int key_heads = shape.key_heads ? shape.key_heads : shape.heads;
    check_rows(place, name, "q", q->value, shape.batch, shape.queries);
    const int key_rows = shape.key_rows ? shape.key_rows : shape.keys;
    check_at(place, key_rows >= shape.keys, "a sequence has room for its keys", "%s: %d keys in %d rows",
             name, shape.keys, key_rows);
    check_rows(place, name, "k", k->value, shape.batch, key_rows);
    check_rows(place, name, "v", v->value, shape.batch, key_rows);
    check_at(place, q->value.cols > 0 && q->value.cols % shape.heads == 0,
             "the columns of q are its heads, side by side", "%s: %d columns for %d heads", name,
             q->value.cols, shape.heads);
    const int width = q->value.cols / shape.heads;
    check_at(place, k->value.cols == key_heads * width && v->value.cols == key_heads * width,
             "keys and values have heads as wide as those of the queries",
             "%s: %d heads of width %d meet k (%d × %d) and v (%d × %d), %d heads each", name, shape.heads,
             width, k->value.rows, k->value.cols, v->value.rows, v->value.cols, key_heads);
    Tensor *out = tensor_node(place, name, q->value.rows, q->value.cols, attention_step,
                              sizeof(AttentionContext), 3, q, k, v);
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
    whole.clear = !accumulate;
    whole.d_out = columns_from(self->gradient, 0);
    if (whole.d.q.data) attention_heads_backward(tape_arena(self->tape), &whole);
}

Tensor *self_attention_at(Place place, Tensor *qkv, AttentionShape shape)
{
    static const char name[] = "self_attention";
    check_counts(place, name, &shape);
    check_at(place, shape.queries == shape.keys, "each position has a query and a key",
             "%s: %d queries and %d keys", name, shape.queries, shape.keys);
    check_rows(place, name, "qkv", qkv->value, shape.batch, shape.queries);
    const long long heads = shape.heads + 2LL * (shape.key_heads ? shape.key_heads : shape.heads);
    check_at(place, qkv->value.cols > 0 && qkv->value.cols % heads == 0,
             "side by side: the heads of the queries, of the keys, of the values",
             "%s: %d columns for %lld heads in all", name, qkv->value.cols, heads);
    const int width = (int)(qkv->value.cols / heads);
    Tensor *out = tensor_node(place, name, qkv->value.rows, shape.heads * width, self_attention_step,
                              sizeof(AttentionContext), 1, qkv);
    AttentionHeads whole = self_group(out, keep_shape(place, out, shape));
    attention_heads_forward(tape_arena(out->tape), &whole);
    return out;
}
