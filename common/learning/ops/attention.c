// attention.c: attention, positions, and outputs tied to a table. See attention.h.
//
// The fast attention takes one head of one sequence at a time and walks over it in blocks of queries and keys. Every
// number is one chain of fused multiply-adds in the order of the keys (of the queries, for gradients of keys and
// values), and the blocks of keys begin at multiples of KEY_BLOCK whatever the query. So the result for a query
// depends neither on the threads nor on how many other queries there are: asked alone, with the keys of the past kept
// in a cache, it gives the same bits.
#include "learning/ops/attention.h"
#include "base/mathf.h"
#include "base/parallel.h"
#include "matrix/lanes.h"
#include "learning/ops/loss.h"
#include "matrix/gemm.h"

#include <math.h>
#include <string.h>

// KEY_BLOCK is part of the result, a multiple of LANES. FEW queries are not worth a copy of the keys.
enum { QUERY_BLOCK = 64, KEY_BLOCK = 64, FEW = 8 };

// ---- Heads ------------------------------------------------------------------------------------------------

// Some columns of a matrix: where they begin, and how far it is from one row to the next.
typedef struct {
    float *data;
    size_t step;
} Columns;

static Columns columns_from(Matrix m, int first) { return (Columns){m.data + first, (size_t)m.cols}; }

static Columns part(Columns c, int row, int column)
{
    if (!c.data) return c;
    return (Columns){c.data + (size_t)row * c.step + column, c.step};
}

typedef struct {
    Columns q, k, v;
} Three;

// Some query heads of one sequence and the one key head that all of them look at.
typedef struct {
    AttentionShape shape; // with key_heads, key_rows and scale filled in
    int width;            // D
    int sequence, first;  // which sequence; the first of the query heads
    Three x, d;           // inputs and gradients, from the first row of the sequence and column of the head
    Columns out, d_out;   // the same
    Matrix log_sums;
    bool clear; // the gradients hold nothing yet
} Group;

static AttentionShape complete(AttentionShape shape, int width)
{
    if (!shape.key_heads) shape.key_heads = shape.heads;
    if (!shape.key_rows) shape.key_rows = shape.keys;
    if (shape.scale == 0.0f) shape.scale = 1.0f / sqrtf((float)width);
    return shape;
}

// How many keys, from the first, query i of a sequence sees.
static int visible_keys(const AttentionShape *shape, int sequence, int i)
{
    int keys = shape->causal ? int_max(0, shape->keys - shape->queries + i + 1) : shape->keys;
    return shape->key_counts ? int_min(keys, shape->key_counts[sequence]) : keys;
}

// One of all groups: number g of the whole, whose slices begin at the first sequence and head.
static Group one_group(Group whole, int number)
{
    const AttentionShape s = whole.shape;
    const int b = number / s.key_heads, key_head = number % s.key_heads, heads = s.heads / s.key_heads;
    const int query_row = b * s.queries, key_row = b * s.key_rows;
    const int query_column = key_head * heads * whole.width, key_column = key_head * whole.width;
    Group g = whole;
    g.sequence = b;
    g.first = key_head * heads;
    g.x = (Three){part(whole.x.q, query_row, query_column), part(whole.x.k, key_row, key_column),
                  part(whole.x.v, key_row, key_column)};
    g.d = (Three){part(whole.d.q, query_row, query_column), part(whole.d.k, key_row, key_column),
                  part(whole.d.v, key_row, key_column)};
    g.out = part(whole.out, query_row, query_column);
    g.d_out = part(whole.d_out, query_row, query_column);
    return g;
}

// ---- Forward ----------------------------------------------------------------------------------------------

// The keys (S × D), or values, turned round block by block: to (D × KEY_BLOCK) of each block, one after the other.
// Products then need not turn them again for each block of queries.
static void turn(float *to, Columns from, int keys, int width)
{
    for (int j = 0; j < keys; j += KEY_BLOCK)
        copy_transposed(to + (size_t)j * (size_t)width, KEY_BLOCK, part(from, j, 0).data, from.step,
                        int_min(KEY_BLOCK, keys - j), width);
}

// scores (rows × count, KEY_BLOCK apart) = q · kᵀ for the keys j … j + count − 1. turned: what turn made of k, or NULL.
static void score(float *scores, Columns q, Columns k, const float *turned, int j, int rows, int count,
                  int width)
{
    GemmShape shape = {.m = rows, .n = count, .k = width, .transpose_b = !turned};
    if (turned) {
        gemm(shape, q.data, (int)q.step, turned + (size_t)j * (size_t)width, KEY_BLOCK, scores, KEY_BLOCK);
    } else {
        gemm(shape, q.data, (int)q.step, part(k, j, 0).data, (int)k.step, scores, KEY_BLOCK);
    }
}

// The running softmax of each query of a block: the largest score so far and Σ e^(score − largest).
typedef struct {
    float most[QUERY_BLOCK], total[QUERY_BLOCK];
    float shrink[QUERY_BLOCK]; // by how much everything before the last block of keys has to shrink
} Running;

static int whole_lanes(int count) { return (count + LANES - 1) / LANES * LANES; }

// scores (padded, a multiple of LANES) *= scale, −∞ from seen on. Returns the largest; a NaN may be passed over, as
// in lanes.h.
static float scale_scores(float *scores, int seen, int padded, float scale)
{
    typedef int Bits __attribute__((vector_size(sizeof(Lanes))));
    for (int j = seen; j < padded; j++) scores[j] = scale < 0.0f ? __builtin_inff() : -__builtin_inff();
    Lanes most = {0}, x;
    most -= __builtin_inff();
    for (int j = 0; j < padded; j += LANES) {
        lanes_load(&x, scores + j);
        x *= scale;
        memcpy(scores + j, &x, sizeof x);
        const Bits larger = x > most;
        most = (Lanes)(((Bits)x & larger) | ((Bits)most & ~larger));
    }
    float lane[LANES];
    memcpy(lane, &most, sizeof lane);
    for (int half = LANES / 2; half; half /= 2)
        for (int l = 0; l < half; l++) lane[l] = lane[l + half] > lane[l] ? lane[l + half] : lane[l];
    return lane[0];
}

// scores (padded), of which seen count → e^(score − base), 0 for the others. Returns their sum, as lanes_sum does. No
// exponential of −∞ is taken: on the way to 0 it would pass through numbers that are slow on some processors.
static float exponentials(float *scores, int seen, int padded, float base)
{
    const int reach = whole_lanes(seen);
    for (int j = seen; j < reach; j++) scores[j] = base;
    for (int j = 0; j < reach; j++) scores[j] = exp32(scores[j] - base);
    for (int j = seen; j < padded; j++) scores[j] = 0.0f;
    return lanes_sum(scores, reach);
}

// scores (rows × padded, KEY_BLOCK apart), of which seen[r] count → e^(scale · score − most), 0 for those that do not.
static void extend(Running *running, float *scores, const int *seen, int rows, int padded, float scale)
{
    float base[QUERY_BLOCK], sums[QUERY_BLOCK];
    for (int r = 0; r < rows; r++) {
        float *row = scores + (size_t)r * KEY_BLOCK;
        const float most = scale_scores(row, seen[r], padded, scale), before = running->most[r];
        running->most[r] = before > most ? before : most;
        base[r] = running->most[r] == -__builtin_inff() ? 0.0f : running->most[r]; // nothing seen yet
        running->shrink[r] =
            before == -__builtin_inff() ? 0.0f : before - base[r]; // nothing is there to shrink
        sums[r] = exponentials(row, seen[r], padded, base[r]);
    }
    for (int r = 0; r < rows; r++) {
        running->shrink[r] = exp32(running->shrink[r]);
        running->total[r] = __builtin_fmaf(running->total[r], running->shrink[r], sums[r]);
    }
}

static void multiply_rows(Columns out, const float *factors, int rows, int width)
{
    for (int r = 0; r < rows; r++) {
        float *o = out.data + (size_t)r * out.step;
        for (int d = 0; d < width; d++) o[d] *= factors[r];
    }
}

// How many of the keys j … j + count − 1 the queries i … i + rows − 1 see.
static void count_seen(int *seen, const Group *g, int i, int j, int rows, int count)
{
    for (int r = 0; r < rows; r++)
        seen[r] = int_max(0, int_min(count, visible_keys(&g->shape, g->sequence, i + r) - j));
}

// Some queries of one head, and where their results belong.
typedef struct {
    Columns q, out;
    float *log_sums; // s.heads apart
    int first, rows; // queries first … first + rows − 1
} Queries;

static void block_forward(const Group *g, Queries queries, const float *turned, float *scores)
{
    const AttentionShape *s = &g->shape;
    const int width = g->width, rows = queries.rows,
              keys = visible_keys(s, g->sequence, queries.first + rows - 1);
    const Columns out = queries.out;
    Running running;
    for (int r = 0; r < rows; r++) running.most[r] = -__builtin_inff(), running.total[r] = 0.0f;
    for (int j = 0; j < keys; j += KEY_BLOCK) {
        const int count = int_min(KEY_BLOCK, keys - j);
        int seen[QUERY_BLOCK];
        count_seen(seen, g, queries.first, j, rows, count);
        score(scores, queries.q, g->x.k, turned, j, rows, count, width);
        extend(&running, scores, seen, rows, whole_lanes(count), s->scale);
        if (j) multiply_rows(out, running.shrink, rows, width);
        gemm((GemmShape){.m = rows, .n = width, .k = count, .accumulate = j > 0}, scores, KEY_BLOCK,
             part(g->x.v, j, 0).data, (int)g->x.v.step, out.data, (int)out.step);
    }
    float log_sums[QUERY_BLOCK], share[QUERY_BLOCK];
    for (int r = 0; r < rows; r++) log_sums[r] = running.most[r] + log32(running.total[r]);
    // No key seen: zeros. Of keys seen whose scores are all −∞ no one is the nearest: 0 · ∞, not a number.
    for (int r = 0; r < rows; r++)
        share[r] = visible_keys(s, g->sequence, queries.first + r) > 0 ? 1.0f / running.total[r] : 0.0f;
    for (int r = 0; r < rows; r++) queries.log_sums[(size_t)r * (size_t)s->heads] = log_sums[r];
    if (keys > 0) multiply_rows(out, share, rows, width);
    for (int r = 0; keys <= 0 && r < rows; r++)
        memset(part(out, r, 0).data, 0, (size_t)width * sizeof(float));
}

static void group_forward(const Group *g, float *scratch)
{
    const AttentionShape *s = &g->shape;
    float *scores = scratch, *turned = s->queries < FEW ? NULL : scratch + QUERY_BLOCK * KEY_BLOCK;
    if (turned) turn(turned, g->x.k, s->keys, g->width);
    for (int h = 0; h < s->heads / s->key_heads; h++) {
        for (int i = 0; i < s->queries; i += QUERY_BLOCK)
            block_forward(g,
                          (Queries){.q = part(g->x.q, i, h * g->width),
                                    .out = part(g->out, i, h * g->width),
                                    .log_sums = &AT(g->log_sums, g->sequence * s->queries + i, g->first + h),
                                    .first = i,
                                    .rows = int_min(QUERY_BLOCK, s->queries - i)},
                          turned, scores);
    }
}

// How many floats the turned keys take.
static size_t turned_size(const AttentionShape *s, int width)
{
    return ((size_t)s->keys + KEY_BLOCK) / KEY_BLOCK * KEY_BLOCK * (size_t)width;
}

// How many multiply-adds one pass over all scores takes.
static size_t attention_work(const AttentionShape *s, int width)
{
    return (size_t)s->batch * (size_t)s->heads * (size_t)s->queries * (size_t)s->keys * (size_t)width;
}

static void groups_forward(Arena *arena, const Group *whole)
{
    const AttentionShape s = whole->shape;
    const size_t room = (size_t)QUERY_BLOCK * KEY_BLOCK + turned_size(&s, whole->width);
    ArenaMark mark = arena_mark(arena);
    float *scratch = arena_alloc(arena, (size_t)parallel_threads() * room, sizeof *scratch);
#pragma omp parallel for schedule(dynamic) if (parallel_worth(attention_work(&s, whole->width)))
    for (int n = 0; n < s.batch * s.key_heads; n++) {
        Group g = one_group(*whole, n);
        group_forward(&g, scratch + (size_t)parallel_number() * room);
    }
    arena_rewind(arena, mark);
}

void attention_forward(Arena *scratch, Matrix out, Matrix log_sums, Matrix q, Matrix k, Matrix v,
                       AttentionShape shape)
{
    const int width = q.cols / shape.heads;
    Group whole = {.shape = complete(shape, width),
                   .width = width,
                   .x = {columns_from(q, 0), columns_from(k, 0), columns_from(v, 0)},
                   .out = columns_from(out, 0),
                   .log_sums = log_sums};
    groups_forward(scratch, &whole);
}

// ---- Backward ---------------------------------------------------------------------------------------------

// What one thread needs for the backward of a group: a block of p, one of its gradient, keys and values turned round.
typedef struct {
    float *p, *d_p, *keys, *values;
} BackwardRoom;

// From this size on, rounding the logarithm of a sum to a float may cost its exponential more than one part in 4096. Then
// the shares, made with it, are summed and divided by their sum: another pass over the scores.
static const float FAR = 4096.0f;

static bool is_far(float log_sum) { return fabsf(log_sum) >= FAR && isfinite(log_sum); }

// shares[r]: by how much p of query i + r has to be multiplied; 1 where its logarithm is not far.
static void find_shares(float *shares, const Group *g, BackwardRoom room, Columns q, const float *log_sums,
                        int i, int rows)
{
    const AttentionShape *s = &g->shape;
    const int keys = visible_keys(s, g->sequence, i + rows - 1);
    float totals[QUERY_BLOCK] = {0};
    bool far = false;
    for (int r = 0; r < rows; r++) {
        shares[r] = 1.0f;
        far |= is_far(log_sums[(size_t)r * (size_t)s->heads]);
    }
    for (int j = 0; far && j < keys; j += KEY_BLOCK) {
        const int count = int_min(KEY_BLOCK, keys - j);
        int seen[QUERY_BLOCK];
        score(room.p, q, g->x.k, room.keys, j, rows, count, g->width);
        count_seen(seen, g, i, j, rows, count);
        for (int r = 0; r < rows; r++) {
            const float *p = room.p + (size_t)r * KEY_BLOCK, log_sum = log_sums[(size_t)r * (size_t)s->heads];
            for (int t = 0; t < seen[r]; t++) totals[r] += exp32(p[t] * s->scale - log_sum);
        }
    }
    for (int r = 0; far && r < rows; r++)
        if (is_far(log_sums[(size_t)r * (size_t)s->heads])) shares[r] = 1.0f / totals[r];
}

// One block of queries and one of keys: p from the scores, and d_s, the gradient of the scores, from that of p.
static void block_slopes(const Group *g, BackwardRoom room, const float *log_sums, const float *shares,
                         const float *overlaps, const int *seen, int rows, int padded)
{
    const float scale = g->shape.scale;
    for (int r = 0; r < rows; r++) {
        float *restrict p = room.p + (size_t)r * KEY_BLOCK, *restrict d = room.d_p + (size_t)r * KEY_BLOCK;
        const float log_sum = log_sums[(size_t)r * (size_t)g->shape.heads], overlap = overlaps[r],
                    share = shares[r];
        // p_ij = e^(s_ij − log Σ_j e^s_ij), s_ij = scale · ⟨q_i, k_j⟩
        // d_s_ij = p_ij (d_p_ij − Σ_j d_p_ij p_ij): see softmax_rows_backward
        const int reach = whole_lanes(seen[r]);
        for (int t = 0; t < reach; t++) {
            p[t] = exp32(p[t] * scale - log_sum) * share;
            d[t] = p[t] * (d[t] - overlap) * scale;
        }
        for (int t = seen[r]; t < padded; t++) p[t] = d[t] = 0.0f;
    }
}

static void block_backward(const Group *g, int h, BackwardRoom room, int i, int rows)
{
    const AttentionShape *s = &g->shape;
    const int width = g->width, column = h * width, keys = visible_keys(s, g->sequence, i + rows - 1);
    const Columns q = part(g->x.q, i, column), d_q = part(g->d.q, i, column);
    const Columns out = part(g->out, i, column), d_out = part(g->d_out, i, column);
    const float *log_sums = &AT(g->log_sums, g->sequence * s->queries + i, g->first + h);
    int seen[QUERY_BLOCK];
    float shares[QUERY_BLOCK];
    find_shares(shares, g, room, q, log_sums, i, rows);
    float overlaps[QUERY_BLOCK]; // Σ_j d_p_ij p_ij = ⟨d_out_i, out_i⟩, because d_p_ij = ⟨d_out_i, v_j⟩
    for (int r = 0; r < rows; r++)
        overlaps[r] = lanes_dot(part(d_out, r, 0).data, part(out, r, 0).data, width);
    for (int j = 0; j < keys; j += KEY_BLOCK) {
        const int count = int_min(KEY_BLOCK, keys - j);
        score(room.p, q, g->x.k, room.keys, j, rows, count, width);
        score(room.d_p, d_out, g->x.v, room.values, j, rows, count, width);
        count_seen(seen, g, i, j, rows, count);
        block_slopes(g, room, log_sums, shares, overlaps, seen, rows, whole_lanes(count));
        const GemmShape to_keys = {
            .m = count, .n = width, .k = rows, .transpose_a = true, .accumulate = true};
        const GemmShape to_queries = {.m = rows, .n = width, .k = count, .accumulate = true};
        const Columns k = part(g->x.k, j, 0), d_k = part(g->d.k, j, 0), d_v = part(g->d.v, j, 0);
        // out_i = Σ_j p_ij v_j
        if (d_v.data) gemm(to_keys, room.p, KEY_BLOCK, d_out.data, (int)d_out.step, d_v.data, (int)d_v.step);
        // s_ij = scale · ⟨q_i, k_j⟩
        if (d_k.data) gemm(to_keys, room.d_p, KEY_BLOCK, q.data, (int)q.step, d_k.data, (int)d_k.step);
        if (d_q.data) gemm(to_queries, room.d_p, KEY_BLOCK, k.data, (int)k.step, d_q.data, (int)d_q.step);
    }
}

// The gradients of a group are 0.
static void clear_gradients_of(const Group *g)
{
    const size_t row = (size_t)g->width * sizeof(float),
                 queries = row * (size_t)(g->shape.heads / g->shape.key_heads);
    for (int i = 0; i < g->shape.queries; i++) memset(part(g->d.q, i, 0).data, 0, queries);
    for (int j = 0; j < g->shape.keys; j++) memset(part(g->d.k, j, 0).data, 0, row);
    for (int j = 0; j < g->shape.keys; j++) memset(part(g->d.v, j, 0).data, 0, row);
}

static void group_backward(const Group *g, float *scratch)
{
    const AttentionShape *s = &g->shape;
    if (g->clear) clear_gradients_of(g);
    const size_t block = QUERY_BLOCK * KEY_BLOCK;
    BackwardRoom room = {.p = scratch, .d_p = scratch + block};
    if (s->queries >= FEW) {
        room.keys = scratch + 2 * block;
        room.values = room.keys + turned_size(s, g->width);
        turn(room.keys, g->x.k, s->keys, g->width);
        turn(room.values, g->x.v, s->keys, g->width);
    }
    for (int h = 0; h < s->heads / s->key_heads; h++)
        for (int i = 0; i < s->queries; i += QUERY_BLOCK)
            block_backward(g, h, room, i, int_min(QUERY_BLOCK, s->queries - i));
}

static void groups_backward(Arena *arena, const Group *whole)
{
    const AttentionShape s = whole->shape;
    const size_t room = 2 * ((size_t)QUERY_BLOCK * KEY_BLOCK + turned_size(&s, whole->width));
    ArenaMark mark = arena_mark(arena);
    float *scratch = arena_alloc(arena, (size_t)parallel_threads() * room, sizeof *scratch);
#pragma omp parallel for schedule(dynamic) if (parallel_worth(attention_work(&s, whole->width)))
    for (int n = 0; n < s.batch * s.key_heads; n++) {
        Group g = one_group(*whole, n);
        group_backward(&g, scratch + (size_t)parallel_number() * room);
    }
    arena_rewind(arena, mark);
}

void attention_backward(Arena *scratch, Matrix d_q, Matrix d_k, Matrix d_v, Matrix d_out, Matrix out,
                        Matrix log_sums, Matrix q, Matrix k, Matrix v, AttentionShape shape)
{
    const int width = q.cols / shape.heads;
    Group whole = {.shape = complete(shape, width),
                   .width = width,
                   .x = {columns_from(q, 0), columns_from(k, 0), columns_from(v, 0)},
                   .d = {columns_from(d_q, 0), columns_from(d_k, 0), columns_from(d_v, 0)},
                   .out = columns_from(out, 0),
                   .d_out = columns_from(d_out, 0),
                   .log_sums = log_sums};
    groups_backward(scratch, &whole);
}

// ---- In plain loops ---------------------------------------------------------------------------------------

// p (keys), 0 where nothing is seen: the softmax of scale · ⟨q, k_j⟩
static void naive_weights(float *p, const float *q, Columns k, int seen, int keys, int width, float scale)
{
    float most = -__builtin_inff();
    double total = 0.0;
    for (int j = 0; j < seen; j++) {
        double product = 0.0;
        for (int d = 0; d < width; d++) product += (double)q[d] * (double)part(k, j, d).data[0];
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
    const AttentionShape s = complete(shape, width);
    ArenaMark mark = arena_mark(scratch);
    float *own = arena_alloc(scratch, (size_t)s.keys, sizeof *own);
    for (int b = 0; b < s.batch; b++) {
        for (int h = 0; h < s.heads; h++) {
            const int key_column = h / (s.heads / s.key_heads) * width;
            const Columns keys = part(columns_from(k, 0), b * s.key_rows, key_column);
            const Columns values = part(columns_from(v, 0), b * s.key_rows, key_column);
            for (int i = 0; i < s.queries; i++) {
                float *p = weights.data ? matrix_row(weights, (b * s.heads + h) * s.queries + i) : own;
                naive_weights(p, &AT(q, b * s.queries + i, h * width), keys, visible_keys(&s, b, i), s.keys,
                              width, s.scale);
                for (int d = 0; d < width; d++) {
                    double total = 0.0;
                    for (int j = 0; j < s.keys; j++)
                        total += (double)p[j] * (double)part(values, j, d).data[0];
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
            d_p += (double)d_out[d] * (double)part(v, j, d).data[0];
            if (d_v.data) part(d_v, j, d).data[0] += p[j] * d_out[d];
        }
        d_s[j] = (float)d_p;
        overlap += d_p * (double)p[j];
    }
    for (int j = 0; j < keys; j++) {
        // p_j = e^s_j / Σ e^s
        d_s[j] = p[j] * (d_s[j] - (float)overlap);
        // s_j = scale · ⟨q, k_j⟩
        for (int d = 0; d < width; d++) {
            if (d_q) d_q[d] += scale * d_s[j] * part(k, j, d).data[0];
            if (d_k.data) part(d_k, j, d).data[0] += scale * d_s[j] * q[d];
        }
    }
}

void attention_naive_backward(Arena *scratch, Matrix d_q, Matrix d_k, Matrix d_v, Matrix d_out, Matrix q,
                              Matrix k, Matrix v, AttentionShape shape)
{
    const int width = q.cols / shape.heads;
    const AttentionShape s = complete(shape, width);
    ArenaMark mark = arena_mark(scratch);
    float *p = arena_alloc(scratch, (size_t)s.keys, sizeof *p),
          *d_s = arena_alloc(scratch, (size_t)s.keys, sizeof *d_s);
    for (int b = 0; b < s.batch; b++) {
        for (int h = 0; h < s.heads; h++) {
            const int row = b * s.key_rows, column = h / (s.heads / s.key_heads) * width;
            const Columns keys = part(columns_from(k, 0), row, column),
                          values = part(columns_from(v, 0), row, column);
            for (int i = 0; i < s.queries; i++) {
                const int seen = visible_keys(&s, b, i);
                const float *query = &AT(q, b * s.queries + i, h * width);
                naive_weights(p, query, keys, seen, s.keys, width, s.scale);
                naive_query_backward(d_q.data ? &AT(d_q, b * s.queries + i, h * width) : NULL,
                                     part(columns_from(d_k, 0), row, column),
                                     part(columns_from(d_v, 0), row, column),
                                     &AT(d_out, b * s.queries + i, h * width), p, d_s, query, keys, values,
                                     seen, width, s.scale);
            }
        }
    }
    arena_rewind(scratch, mark);
}

// ---- Positions --------------------------------------------------------------------------------------------

// base^(−1/count) in double precision: Newton's method for the root of r^count = 1/base, from a first guess good to six
// digits.
static double geometric_ratio(double base, int count)
{
    double r = (double)exp32(-log32((float)base) / (float)count);
    for (int step = 0; step < 3; step++) {
        double power = 1.0;
        for (int i = 0; i < count; i++) power *= r;
        r += r * (1.0 / (base * power) - 1.0) / count;
    }
    return r;
}

enum { PAIRS = 64 }; // this many sines and cosines are at hand at a time

// sines and cosines of t · frequency, t · frequency · ratio, …
static void angles(float *sines, float *cosines, int t, double frequency, double ratio, int count)
{
    float angle[PAIRS];
    for (int j = 0; j < count; j++, frequency *= ratio) angle[j] = (float)(t * frequency);
    for (int j = 0; j < count; j++) sines[j] = sin32(angle[j]);
    for (int j = 0; j < count; j++) cosines[j] = cos32(angle[j]);
}

// The pairs first … first + count − 1 of every head of the rows with position t: y = x turned, times direction; or added.
static void turn_position(Matrix y, Matrix x, const RotaryShape *s, int t, int first, int count,
                          double frequency, double ratio, bool backwards)
{
    const int half = s->width / 2;
    float sines[PAIRS], cosines[PAIRS];
    angles(sines, cosines, s->first + t, frequency, ratio, count);
    for (int row = t; row < x.rows; row += s->time) {
        for (int h = 0; h < s->heads; h++) {
            const float *a = &AT(x, row, h * s->width + first), *b = a + half;
            float *out_a = &AT(y, row, h * s->width + first), *out_b = out_a + half;
            for (int j = 0; j < count; j++) {
                const float c = cosines[j], sine = backwards ? -sines[j] : sines[j], left = a[j],
                            right = b[j];
                const float new_left = __builtin_fmaf(left, c, -(right * sine));
                const float new_right = __builtin_fmaf(left, sine, right * c);
                out_a[j] = backwards ? out_a[j] + new_left : new_left;
                out_b[j] = backwards ? out_b[j] + new_right : new_right;
            }
        }
    }
}

// The columns behind the heads: y = x; or added.
static void pass_on(Matrix y, Matrix x, const RotaryShape *s, int t, bool backwards)
{
    for (int row = t; row < x.rows; row += s->time) {
        const float *in = matrix_row(x, row);
        float *out = matrix_row(y, row);
        for (int j = s->heads * s->width; j < x.cols; j++) out[j] = backwards ? out[j] + in[j] : in[j];
    }
}

static void turn_all(Matrix y, Matrix x, RotaryShape s, bool backwards)
{
    if (!s.width) s.width = x.cols / s.heads;
    const int half = s.width / 2;
    const double ratio = half ? geometric_ratio(s.base != 0.0f ? (double)s.base : 10000.0, half) : 1.0;
#pragma omp parallel for if (parallel_worth(matrix_size(x) * 2))
    for (int t = 0; t < s.time; t++) {
        double frequency = 1.0;
        for (int j = 0; j < half; j += PAIRS) {
            turn_position(y, x, &s, t, j, int_min(PAIRS, half - j), frequency, ratio, backwards);
            for (int i = 0; i < PAIRS; i++) frequency *= ratio;
        }
        pass_on(y, x, &s, t, backwards);
    }
}

void rotary_forward(Matrix y, Matrix x, RotaryShape shape) { turn_all(y, x, shape, false); }

void rotary_backward(Matrix d_x, Matrix d_y, RotaryShape shape)
{
    // (y_j, y_j+D/2) is (x_j, x_j+D/2) turned: the gradient turns back
    if (d_x.data) turn_all(d_x, d_y, shape, true);
}

void sinusoidal_positions(Matrix table)
{
    const int pairs = (table.cols + 1) / 2;
    // frequencies 10000^(−2j/C)
    const double ratio = table.cols ? geometric_ratio(10000.0, table.cols) : 1.0;
    for (int t = 0; t < table.rows; t++) {
        double frequency = 1.0;
        for (int first = 0; first < pairs; first += PAIRS) {
            const int count = int_min(PAIRS, pairs - first);
            float sines[PAIRS], cosines[PAIRS];
            angles(sines, cosines, t, frequency, ratio * ratio, count);
            for (int j = 0; j < count; j++) {
                const int column = 2 * (first + j);
                AT(table, t, column) = sines[j];
                if (column + 1 < table.cols) AT(table, t, column + 1) = cosines[j];
                frequency *= ratio * ratio;
            }
        }
    }
}

// ---- Taped: attention -------------------------------------------------------------------------------------

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
static Three beside(Matrix qkv, const AttentionShape *s, int width)
{
    if (!qkv.data) return (Three){{NULL, 0}, {NULL, 0}, {NULL, 0}};
    return (Three){columns_from(qkv, 0), columns_from(qkv, s->heads * width),
                   columns_from(qkv, (s->heads + s->key_heads) * width)};
}

static Group self_group(const Tensor *out, const AttentionContext *context)
{
    const int width = out->value.cols / context->shape.heads;
    Group whole = {.shape = complete(context->shape, width), .width = width, .log_sums = context->log_sums};
    whole.x = beside(out->inputs[0]->value, &whole.shape, width);
    whole.out = columns_from(out->value, 0);
    return whole;
}

static void self_attention_step(Tensor *self)
{
    Group whole = self_group(self, self->context);
    bool accumulate;
    whole.d = beside(tensor_gradient_raw(self->inputs[0], &accumulate), &whole.shape, whole.width);
    whole.clear = !accumulate;
    whole.d_out = columns_from(self->gradient, 0);
    if (whole.d.q.data) groups_backward(tape_arena(self->tape), &whole);
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
    Group whole = self_group(out, keep_shape(place, out, shape));
    groups_forward(tape_arena(out->tape), &whole);
    return out;
}

// ---- Taped: positions -------------------------------------------------------------------------------------

static void rotary_step(Tensor *self)
{
    rotary_backward(tensor_gradient(self->inputs[0]), self->gradient, *(const RotaryShape *)self->context);
}

Tensor *rotary_at(Place place, Tensor *x, RotaryShape shape)
{
    check_at(place, shape.time > 0 && x->value.rows % shape.time == 0,
             "row b · T + t is position t of sequence b", "rotary: x (%d × %d) in sequences of %d positions",
             x->value.rows, x->value.cols, shape.time);
    const int width = shape.width ? shape.width : x->value.cols / int_max(1, shape.heads);
    const long long columns = (long long)shape.heads * width;
    check_at(place,
             shape.heads > 0 && width >= 0 && width % 2 == 0 &&
                 (shape.width ? columns <= x->value.cols : columns == x->value.cols),
             "a head is turned in pairs: its width is even", "rotary: x (%d × %d) with %d heads",
             x->value.rows, x->value.cols, shape.heads);
    Tensor *y = tensor_node(place, "rotary", x->value.rows, x->value.cols, rotary_step, sizeof shape, 1, x);
    memcpy(y->context, &shape, sizeof shape);
    rotary_forward(y->value, x->value, shape);
    return y;
}

static void add_positions_step(Tensor *self)
{
    // y_(b·T + t) = x_(b·T + t) + table_t
    const int time = *(const int *)self->context;
    Matrix d_y = self->gradient, d_x = tensor_gradient(self->inputs[0]),
           d_table = tensor_gradient(self->inputs[1]);
    if (d_x.data) add(d_x, d_x, d_y);
    if (!d_table.data) return;
#pragma omp parallel for if (parallel_worth(matrix_size(d_y)))
    for (int t = 0; t < time; t++) {
        float *out = matrix_row(d_table, t);
        for (int row = t; row < d_y.rows; row += time) {
            const float *in = matrix_row(d_y, row);
            for (int j = 0; j < d_y.cols; j++) out[j] += in[j];
        }
    }
}

Tensor *add_positions_at(Place place, Tensor *x, Tensor *table, int time)
{
    check_at(place, time > 0 && x->value.rows % time == 0, "row b · T + t is position t of sequence b",
             "add_positions: x (%d × %d) in sequences of %d positions", x->value.rows, x->value.cols, time);
    check_at(place, table->value.cols == x->value.cols && table->value.rows >= time,
             "the table has a row for each position, as wide as x",
             "add_positions: %d positions of x (%d × %d), a table (%d × %d)", time, x->value.rows,
             x->value.cols, table->value.rows, table->value.cols);
    Tensor *y = tensor_node(place, "add_positions", x->value.rows, x->value.cols, add_positions_step,
                            sizeof time, 2, x, table);
    memcpy(y->context, &time, sizeof time);
#pragma omp parallel for if (parallel_worth(matrix_size(x->value)))
    for (int i = 0; i < x->value.rows; i++) {
        const float *in = matrix_row(x->value, i), *position = matrix_row(table->value, i % time);
        float *out = matrix_row(y->value, i);
        for (int j = 0; j < x->value.cols; j++) out[j] = in[j] + position[j];
    }
    return y;
}

// ---- Taped: an output tied to a table -----------------------------------------------------------------------

static void check_table(Place place, const char *name, const Tensor *x, const Tensor *table)
{
    check_at(place, x->value.cols == table->value.cols, "a row of the table is as wide as a row of x",
             "%s: (%d × %d) · (%d × %d)ᵀ", name, x->value.rows, x->value.cols, table->value.rows,
             table->value.cols);
}

static void product_transposed_step(Tensor *self)
{
    // y = a·bᵀ
    Tensor *a = self->inputs[0], *b = self->inputs[1];
    bool accumulate;
    Matrix d_a = tensor_gradient_raw(a, &accumulate);
    if (d_a.data) (accumulate ? matmul_add_at : matmul_at)(HERE, d_a, self->gradient, b->value);
    Matrix d_b = tensor_gradient_raw(b, &accumulate);
    if (d_b.data) (accumulate ? matmul_tn_add_at : matmul_tn_at)(HERE, d_b, self->gradient, a->value);
}

Tensor *product_transposed_at(Place place, Tensor *a, Tensor *b)
{
    check_table(place, "product_transposed", a, b);
    Tensor *y = tensor_node(place, "product_transposed", a->value.rows, b->value.rows,
                            product_transposed_step, 0, 2, a, b);
    matmul_nt(y->value, a->value, b->value);
    return y;
}

enum { LOGITS = 1 << 18 }; // so many are held at a time, at least BLOCK_ROWS rows of them
enum { BLOCK_ROWS = 32 };

typedef struct {
    const int *labels;
    int counted, block; // rows that count; rows at a time
} TiedContext;

static int some(const TiedContext *context, Matrix x, int first)
{
    return int_min(context->block, x.rows - first);
}

// losses (N × 1) of the rows first … first + count − 1; probabilities (block × V) receives theirs
static void tied_block(Matrix probabilities, Matrix losses, const TiedContext *context, Matrix x,
                       Matrix table, int first, int count)
{
    matmul_nt(probabilities, matrix_rows(x, first, count), table);
    cross_entropy_forward(probabilities, matrix_rows(losses, first, count), probabilities,
                          context->labels + first);
}

static void tied_cross_entropy_step(Tensor *self)
{
    const TiedContext *context = self->context;
    Tensor *x = self->inputs[0], *table = self->inputs[1];
    Matrix d_x = tensor_gradient(x), d_table = tensor_gradient(table);
    Arena *scratch = tape_arena(self->tape);
    ArenaMark mark = arena_mark(scratch);
    Matrix room = matrix_uninitialised(scratch, context->block, table->value.rows);
    Matrix losses = matrix_uninitialised(scratch, x->value.rows, 1);
    const float share = self->gradient.data[0] / (float)context->counted;
    for (int first = 0; first < x->value.rows; first += context->block) {
        const int count = some(context, x->value, first);
        Matrix d_logits = matrix_rows(room, 0, count);
        tied_block(d_logits, losses, context, x->value, table->value, first, count);
        // loss = 1/n Σ_i (log Σ_j e^x_ij − x_i,label): see cross_entropy_backward
#pragma omp parallel for if (parallel_worth(matrix_size(d_logits)))
        for (int i = 0; i < count; i++) {
            const int label = context->labels[first + i];
            float *d = matrix_row(d_logits, i);
            for (int j = 0; j < d_logits.cols; j++) d[j] *= label == LABEL_IGNORED ? 0.0f : share;
            if (label != LABEL_IGNORED) d[label] -= share;
        }
        // logits = x · tableᵀ
        if (d_x.data) matmul_add(matrix_rows(d_x, first, count), d_logits, table->value);
        if (d_table.data) matmul_tn_add(d_table, d_logits, matrix_rows(x->value, first, count));
    }
    arena_rewind(scratch, mark);
}

Tensor *tied_cross_entropy_at(Place place, Tensor *x, Tensor *table, const int *labels)
{
    const int rows = x->value.rows, classes = table->value.rows;
    int counted = 0;
    check_table(place, "tied_cross_entropy", x, table);
    for (int i = 0; i < rows; i++) {
        check_at(place, labels[i] == LABEL_IGNORED || (labels[i] >= 0 && labels[i] < classes),
                 "labels run from 0 to the rows of the table − 1",
                 "tied_cross_entropy: label %d (row %d) for %d classes", labels[i], i, classes);
        counted += labels[i] != LABEL_IGNORED;
    }
    check_at(place, counted > 0, "at least one row must count", "tied_cross_entropy: %d rows, all ignored",
             rows);

    Tensor *loss = tensor_node(place, "tied_cross_entropy", 1, 1, tied_cross_entropy_step,
                               sizeof(TiedContext), 2, x, table);
    Arena *arena = tape_arena(loss->tape);
    TiedContext *context = loss->context;
    int *held = arena_alloc_at(place, arena, (size_t)rows, sizeof *held);
    memcpy(held, labels, (size_t)rows * sizeof *held);
    *context = (TiedContext){held, counted, int_min(rows, int_max(BLOCK_ROWS, LOGITS / classes))};

    ArenaMark mark = arena_mark(arena);
    Matrix room = matrix_uninitialised_at(place, arena, context->block, classes);
    Matrix losses = matrix_uninitialised_at(place, arena, rows, 1);
    for (int first = 0; first < rows; first += context->block) {
        const int count = some(context, x->value, first);
        tied_block(matrix_rows(room, 0, count), losses, context, x->value, table->value, first, count);
    }
    loss->value.data[0] = (float)(sum(losses) / counted);
    arena_rewind(arena, mark);
    return loss;
}
