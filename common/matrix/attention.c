// attention.c: attention without the matrix of its weights, and how that is made fast. See attention.h.
//
// For T queries and T keys, attention is three steps: scores S = scale · Q·Kᵀ (T × T), softmax of each row, P, and
// out = P·V. Taken one after the other, each step writes T² numbers and the next one reads them: for 1024 positions
// and 16 heads these are 64 MB for each sequence, and the backward wants P again. The products themselves are small, D =
// 64 multiply-adds for each number, so most of the time would go to memory. Here nothing of size T² exists: scores live in
// a block of 32 queries and 64 keys, 8 KB, which is made, used and overwritten in the nearest cache.
//
//                   keys →   block 0    block 1    block 2
//     queries  block 0      [ S → P ]  [ S → P ]  [ S → P ]     of each block: S by a product, the softmax as far as it can
//        ↓     block 1      [ S → P ]     …                     be known by now, out += P·V by a product
//
// The running softmax. A softmax needs the largest score and the sum of all exponentials of its row, and these are known
// only behind the last block of keys. But what the blocks up to now would give can be kept, and corrected later. For each
// query we hold
//
//     most    the largest score so far
//     total   Σ e^(score − most) over the keys so far
//     out     Σ e^(score − most) · v over the keys so far
//
// When a block brings a larger score, both sums were made with too small a `most`: they are multiplied by e^(old most −
// new most), a number ≤ 1 (`shrink`), and go on. At the end out is divided by total. This is exact but for rounding, and no
// exponential is ever taken of a number above 0, so none overflows. (Milakov and Gimelshein 2018 for the running sum; Dao et
// al. 2022, FlashAttention, for attention by blocks.)
//
// The backward makes P once more, from Q, K and one number kept for each query, log Σ e^score = most + log(total):
// P_ij = e^(S_ij − that), with neither maximum nor division. Making it again costs a product of the block's size; keeping it
// would have cost the memory. The gradient of a softmax needs Σ_j dP_ij P_ij for each query, which seems to need the whole
// row; but dP_ij = ⟨d_out_i, v_j⟩, so the sum is ⟨d_out_i, out_i⟩ (`overlaps`) and known before the first block. Each block
// then gives its part of four products: dP = d_out·Vᵀ, and to d_v, d_k and d_q.
//
// What else saves time. A causal mask leaves out blocks above the diagonal altogether; only those that it crosses are
// masked number by number, and the fewer queries a block has, the less of it is masked. Q·Kᵀ wants K with its columns
// in rows: K (and in the backward V) is transposed once for each head, block by block, instead of once for each block
// of queries; for fewer than 8 queries that would not pay. A model that writes token by token asks one query at a time,
// and so its cache of keys may lie in such blocks from the start (decoder.c). Where there is a bias, or regions, the
// scores of a block are finished in another pass over it, before their softmax. Query heads that share a key head
// (grouped queries) are done by one thread, one after the other, which finds keys and values in its cache.
//
// One order. Blocks of keys begin at multiples of 64 whatever the query, and every number is one chain of fused multiply-adds
// in the order of the keys (of the queries, for gradients of keys and values). So the result for a query depends
// neither on the threads nor on how many other queries there are: asked alone, with the keys of the past kept in a cache, it
// gives the same bits. Threads share nothing: each takes sequences and key heads as it is ready.
#include "matrix/attention.h"
#include "base/check.h"
#include "base/mathf.h"
#include "base/parallel.h"
#include "matrix/gemm.h"
#include "matrix/lanes.h"

#include <math.h>
#include <string.h>

// KEY_BLOCK is part of the result, a multiple of LANES. FEW queries are not worth a copy of the keys.
enum { QUERY_BLOCK = 32, FEW = 8 };

// ---- Heads ------------------------------------------------------------------------------------------------

AttentionShape attention_shape_complete(AttentionShape shape, int width)
{
    if (!shape.key_heads) shape.key_heads = shape.heads;
    if (!shape.key_rows) shape.key_rows = shape.keys;
    if (!shape.key_regions) shape.key_regions = shape.query_regions;
    if (shape.scale == 0.0f) shape.scale = 1.0f / sqrtf((float)width);
    return shape;
}

// One of all groups: number g of the whole, whose slices begin at the first sequence and head.
static AttentionHeads one_group(AttentionHeads whole, int number)
{
    const AttentionShape s = whole.shape;
    const int b = number / s.key_heads, key_head = number % s.key_heads, heads = s.heads / s.key_heads;
    const int query_row = b * s.queries, key_row = b * s.key_rows;
    const int query_column = key_head * heads * whole.width;
    const size_t keys = (size_t)key_head * (whole.head_step ? whole.head_step : (size_t)whole.width);
    AttentionHeads g = whole;
    g.sequence = b;
    g.first = key_head * heads;
    g.x = (QueriesKeysValues){columns_at(whole.x.q, query_row, query_column),
                              columns_after(columns_at(whole.x.k, key_row, 0), keys),
                              columns_after(columns_at(whole.x.v, key_row, 0), keys)};
    g.d = (QueriesKeysValues){columns_at(whole.d.q, query_row, query_column),
                              columns_after(columns_at(whole.d.k, key_row, 0), keys),
                              columns_after(columns_at(whole.d.v, key_row, 0), keys)};
    g.out = columns_at(whole.out, query_row, query_column);
    g.d_out = columns_at(whole.d_out, query_row, query_column);
    return g;
}

// ---- Forward ----------------------------------------------------------------------------------------------

void key_blocks_put(float *blocks, int first, Columns keys, int count, int width)
{
    for (int i = 0; i < count; i++) {
        const int j = first + i;
        float *to = blocks + (size_t)(j / KEY_BLOCK) * KEY_BLOCK * (size_t)width + j % KEY_BLOCK;
        const float *from = columns_at(keys, i, 0).data;
        for (int d = 0; d < width; d++) to[(size_t)d * KEY_BLOCK] = from[d];
    }
}

// The keys (S × D), or values, transposed block by block: to (D × KEY_BLOCK) of each block, one after the other.
// Products then need not transpose them again for each block of queries.
static void transpose_blocks(float *to, Columns from, int keys, int width)
{
    for (int j = 0; j < keys; j += KEY_BLOCK)
        copy_transposed(to + (size_t)j * (size_t)width, KEY_BLOCK, columns_at(from, j, 0).data, from.step,
                        int_min(KEY_BLOCK, keys - j), width);
}

// scores (rows × count, KEY_BLOCK apart) = q · kᵀ for the keys j … j + count − 1.
// transposed: k in blocks, or NULL.
static void score(float *scores, Columns q, Columns k, const float *transposed, int j, int rows, int count,
                  int width)
{
    GemmShape shape = {.m = rows, .n = count, .k = width, .transpose_b = !transposed};
    if (transposed) {
        gemm(shape, q.data, (int)q.step, transposed + (size_t)j * (size_t)width, KEY_BLOCK, scores,
             KEY_BLOCK);
    } else {
        gemm(shape, q.data, (int)q.step, columns_at(k, j, 0).data, (int)k.step, scores, KEY_BLOCK);
    }
}

// Whether scores need more than their scale.
static bool is_shaped(const AttentionShape *s) { return s->query_regions || s->bias.data; }

// By what scores have still to be multiplied: shape_scores has done it already.
static float scale_left(const AttentionShape *s) { return is_shaped(s) ? 1.0f : s->scale; }

// scores (rows × KEY_BLOCK) of the queries i … of one head and the keys j …, of which seen[r] count → scale · score + bias, and
// −∞ where the key is of another region.
static void shape_scores(float *scores, const AttentionHeads *g, int head, int i, int j, int rows,
                         const int *seen)
{
    const AttentionShape *s = &g->shape;
    for (int r = 0; r < rows; r++) {
        float *row = scores + (size_t)r * KEY_BLOCK;
        for (int t = 0; t < seen[r]; t++) row[t] *= s->scale;
        const float *bias = s->bias.data ? &AT(s->bias, head * s->queries + i + r, j) : NULL;
        for (int t = 0; bias && t < seen[r]; t++) row[t] += bias[t];
        for (int t = 0; s->query_regions && t < seen[r]; t++)
            if (!attention_same_region(s, g->sequence, i + r, j + t)) row[t] = -__builtin_inff();
    }
}

// Whether query i of the sequence sees any key.
static bool sees_any(const AttentionHeads *g, int i)
{
    const int keys = attention_visible_keys(&g->shape, g->sequence, i);
    int j = 0;
    while (j < keys && !attention_same_region(&g->shape, g->sequence, i, j)) j++;
    return j < keys;
}

// The running softmax of each query of a block: the largest score so far and Σ e^(score − largest).
typedef struct {
    float most[QUERY_BLOCK], total[QUERY_BLOCK];
    float shrink[QUERY_BLOCK]; // by how much everything before the last block of keys has to shrink
} Running;

static int whole_lanes(int count) { return (count + LANES - 1) / LANES * LANES; }

// Which of the elements j … j + 15 are among the first `seen`.
static inline LaneBits among(int j, int seen)
{
    const LaneBits number = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return number < seen - j;
}

// scores (padded, a multiple of LANES) *= scale, −∞ from seen on. Returns the largest.
static inline float scale_scores(float *scores, int seen, int padded, float scale)
{
    const Lanes nothing = (Lanes){0} - __builtin_inff();
    Lanes most = nothing, x;
    for (int j = 0; j < padded; j += LANES) {
        lanes_load(&x, scores + j);
        x = LANES_CHOOSE(Lanes, LaneBits, among(j, seen), x * scale, nothing);
        memcpy(scores + j, &x, sizeof x);
        most = LANES_CHOOSE(Lanes, LaneBits, x > most, x, most);
    }
    return lanes_largest(&most);
}

// scores, of which seen count → e^(score − base). No exponential of −∞ is taken: on the way to 0 it would pass through
// numbers that are slow on some processors.
static inline void exponentials(float *scores, int seen, float base)
{
    const int reach = whole_lanes(seen);
    for (int j = 0; j < reach; j += LANES) {
        Lanes x;
        lanes_load(&x, scores + j);
        x = LANES_CHOOSE(Lanes, LaneBits, among(j, seen), x - base, (Lanes){0});
        memcpy(scores + j, &x, sizeof x);
    }
    for (int j = 0; j < reach; j++) scores[j] = exp32(scores[j]);
}

// scores (padded) → 0 from seen on
static inline void clear_unseen(float *scores, int seen, int padded)
{
    for (int j = seen / LANES * LANES; j < padded; j += LANES) {
        Lanes x;
        lanes_load(&x, scores + j);
        x = LANES_CHOOSE(Lanes, LaneBits, among(j, seen), x, (Lanes){0});
        memcpy(scores + j, &x, sizeof x);
    }
}

// scores (rows × padded, KEY_BLOCK apart), of which seen[r] count → e^(scale · score − most), 0 for those that do not.
// Each step for all rows before the next: within a row one waits for the other, rows wait for nobody.
static void extend(Running *running, float *scores, const int *seen, int rows, int padded, float scale)
{
    float most[QUERY_BLOCK], base[QUERY_BLOCK], sums[QUERY_BLOCK];
    for (int r = 0; r < rows; r++) most[r] = scale_scores(scores + r * KEY_BLOCK, seen[r], padded, scale);
    for (int r = 0; r < rows; r++) {
        const float before = running->most[r];
        running->most[r] = before > most[r] ? before : most[r];
        base[r] = running->most[r] == -__builtin_inff() ? 0.0f : running->most[r]; // nothing seen yet
        running->shrink[r] =
            before == -__builtin_inff() ? 0.0f : before - base[r]; // nothing is there to shrink
    }
    for (int r = 0; r < rows; r++) exponentials(scores + r * KEY_BLOCK, seen[r], base[r]);
    for (int r = 0; r < rows; r++) clear_unseen(scores + r * KEY_BLOCK, seen[r], padded);
    for (int r = 0; r < rows; r++) sums[r] = lanes_sum(scores + r * KEY_BLOCK, padded);
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
static void count_seen(int *seen, const AttentionHeads *g, int i, int j, int rows, int count)
{
    for (int r = 0; r < rows; r++)
        seen[r] = int_max(0, int_min(count, attention_visible_keys(&g->shape, g->sequence, i + r) - j));
}

// Some queries of one head, and where their results belong.
typedef struct {
    Columns q, out;
    float *log_sums; // s.heads apart
    int head;
    int first, rows; // queries first … first + rows − 1
} Queries;

static void block_forward(const AttentionHeads *g, Queries queries, const float *transposed, float *scores)
{
    const AttentionShape *s = &g->shape;
    const int width = g->width, rows = queries.rows,
              keys = attention_visible_keys(s, g->sequence, queries.first + rows - 1);
    const Columns out = queries.out;
    Running running;
    for (int r = 0; r < rows; r++) running.most[r] = -__builtin_inff(), running.total[r] = 0.0f;
    for (int j = 0; j < keys; j += KEY_BLOCK) {
        const int count = int_min(KEY_BLOCK, keys - j);
        int seen[QUERY_BLOCK];
        count_seen(seen, g, queries.first, j, rows, count);
        score(scores, queries.q, g->x.k, transposed, j, rows, count, width);
        if (is_shaped(s)) shape_scores(scores, g, queries.head, queries.first, j, rows, seen);
        extend(&running, scores, seen, rows, whole_lanes(count), scale_left(s));
        if (j) multiply_rows(out, running.shrink, rows, width);
        gemm((GemmShape){.m = rows, .n = width, .k = count, .accumulate = j > 0}, scores, KEY_BLOCK,
             columns_at(g->x.v, j, 0).data, (int)g->x.v.step, out.data, (int)out.step);
    }
    float log_sums[QUERY_BLOCK], share[QUERY_BLOCK];
    for (int r = 0; r < rows; r++) log_sums[r] = running.most[r] + log32(running.total[r]);
    // No key seen: zeros. Of keys seen whose scores are all −∞ no one is the nearest: 0 · ∞, not a number.
    for (int r = 0; r < rows; r++) share[r] = sees_any(g, queries.first + r) ? 1.0f / running.total[r] : 0.0f;
    for (int r = 0; r < rows; r++) queries.log_sums[(size_t)r * (size_t)s->heads] = log_sums[r];
    if (keys > 0) multiply_rows(out, share, rows, width);
    for (int r = 0; keys <= 0 && r < rows; r++)
        memset(columns_at(out, r, 0).data, 0, (size_t)width * sizeof(float));
}

// Brings the first rows into the cache, before they are waited for one by one: rows of a head lie far apart.
static void ask_for_rows(Columns of, int rows, int width)
{
    enum { MOST = 256 };
    for (int i = 0; i < int_min(rows, MOST); i++)
        for (int d = 0; d < width; d += LANES) __builtin_prefetch(columns_at(of, i, d).data);
}

static void group_forward(const AttentionHeads *g, float *scratch)
{
    const AttentionShape *s = &g->shape;
    float *scores = scratch, *transposed = NULL;
    if (g->key_blocks) {
        transposed = g->x.k.data;
    } else if (s->queries >= FEW) {
        transposed = scratch + QUERY_BLOCK * KEY_BLOCK;
        transpose_blocks(transposed, g->x.k, s->keys, g->width);
    }
    ask_for_rows(g->x.q, s->queries, g->width * (s->heads / s->key_heads));
    ask_for_rows(g->x.v, s->keys, g->width);
    for (int h = 0; h < s->heads / s->key_heads; h++) {
        for (int i = 0; i < s->queries; i += QUERY_BLOCK)
            block_forward(g,
                          (Queries){.q = columns_at(g->x.q, i, h * g->width),
                                    .out = columns_at(g->out, i, h * g->width),
                                    .log_sums = &AT(g->log_sums, g->sequence * s->queries + i, g->first + h),
                                    .head = g->first + h,
                                    .first = i,
                                    .rows = int_min(QUERY_BLOCK, s->queries - i)},
                          transposed, scores);
    }
}

// How many multiply-adds one pass over all scores takes.
static size_t attention_work(const AttentionShape *s, int width)
{
    return (size_t)s->batch * (size_t)s->heads * (size_t)s->queries * (size_t)s->keys * (size_t)width;
}

void attention_heads_forward(Arena *arena, const AttentionHeads *whole)
{
    const AttentionShape s = whole->shape;
    check(!whole->key_blocks || s.batch == 1, "a cache in blocks is that of one sequence",
          "attention: keys in blocks and %d sequences", s.batch);
    const size_t room =
        (size_t)QUERY_BLOCK * KEY_BLOCK + (whole->key_blocks ? 0 : key_blocks_size(s.keys, whole->width));
    ArenaMark mark = arena_mark(arena);
    float *scratch = arena_alloc(arena, (size_t)parallel_threads() * room, sizeof *scratch);
#pragma omp parallel for schedule(dynamic) if (parallel_worth(attention_work(&s, whole->width)))
    for (int n = 0; n < s.batch * s.key_heads; n++) {
        AttentionHeads g = one_group(*whole, n);
        group_forward(&g, scratch + (size_t)parallel_number() * room);
    }
    arena_rewind(arena, mark);
}

// ---- Backward ---------------------------------------------------------------------------------------------

// What one thread needs for the backward of a group: a block of p, one of its gradient, transposed keys and values.
typedef struct {
    float *p, *d_p, *keys, *values;
} Workspace;

// The scores that the forward made of the queries i … and the keys j …, in workspace.p, and how many of them count.
static void score_again(int *seen, const AttentionHeads *g, int h, Workspace workspace, Columns q, int i,
                        int j, int rows, int count)
{
    score(workspace.p, q, g->x.k, workspace.keys, j, rows, count, g->width);
    count_seen(seen, g, i, j, rows, count);
    if (!is_shaped(&g->shape)) return;
    for (int r = 0; r < rows; r++)
        if (!sees_any(g, i + r)) seen[r] = 0;
    shape_scores(workspace.p, g, g->first + h, i, j, rows, seen);
}

// From this size on, rounding the logarithm of a sum to a float may cost its exponential more than one part in 4096. Then
// the shares, made with it, are summed and divided by their sum: another pass over the scores.
static const float FAR = 4096.0f;

static bool is_far(float log_sum) { return fabsf(log_sum) >= FAR && isfinite(log_sum); }

// shares[r]: by how much p of query i + r has to be multiplied; 1 where its logarithm is not far.
static void find_shares(float *shares, const AttentionHeads *g, int h, Workspace workspace, Columns q,
                        const float *log_sums, int i, int rows)
{
    const AttentionShape *s = &g->shape;
    const int keys = attention_visible_keys(s, g->sequence, i + rows - 1);
    float totals[QUERY_BLOCK] = {0};
    bool far = false;
    for (int r = 0; r < rows; r++) {
        shares[r] = 1.0f;
        far |= is_far(log_sums[(size_t)r * (size_t)s->heads]);
    }
    for (int j = 0; far && j < keys; j += KEY_BLOCK) {
        const int count = int_min(KEY_BLOCK, keys - j);
        int seen[QUERY_BLOCK];
        score_again(seen, g, h, workspace, q, i, j, rows, count);
        for (int r = 0; r < rows; r++) {
            const float *p = workspace.p + (size_t)r * KEY_BLOCK,
                        log_sum = log_sums[(size_t)r * (size_t)s->heads];
            for (int t = 0; t < seen[r]; t++) totals[r] += exp32(p[t] * scale_left(s) - log_sum);
        }
    }
    for (int r = 0; far && r < rows; r++)
        if (is_far(log_sums[(size_t)r * (size_t)s->heads])) shares[r] = 1.0f / totals[r];
}

// One block of queries and one of keys: p from the scores, and d_s, the gradient of the products, from that of p.
static void block_slopes(const AttentionHeads *g, Workspace workspace, const float *log_sums,
                         const float *shares, const float *overlaps, const int *seen, int rows, int padded)
{
    const float scale = scale_left(&g->shape), slope = g->d_bias.data ? 1.0f : g->shape.scale;
    for (int r = 0; r < rows; r++) {
        float *restrict p = workspace.p + (size_t)r * KEY_BLOCK, *restrict d =
                                                                     workspace.d_p + (size_t)r * KEY_BLOCK;
        const float log_sum = log_sums[(size_t)r * (size_t)g->shape.heads], overlap = overlaps[r],
                    share = shares[r];
        // p_ij = e^(s_ij − log Σ_j e^s_ij), s_ij = scale · ⟨q_i, k_j⟩ + bias_ij
        // d_s_ij = p_ij (d_p_ij − Σ_j d_p_ij p_ij): see softmax_rows_backward
        const int reach = whole_lanes(seen[r]);
        for (int t = 0; t < reach; t++) {
            p[t] = exp32(p[t] * scale - log_sum) * share;
            d[t] = p[t] * (d[t] - overlap) * slope;
        }
        clear_unseen(p, seen[r], padded);
        clear_unseen(d, seen[r], padded);
    }
}

// d_bias of one head += d_s of a block, which is then scaled like that of the products.
static void add_to_bias(const AttentionHeads *g, int h, Workspace workspace, int i, int j, const int *seen,
                        int rows)
{
    for (int r = 0; r < rows; r++) {
        float *d = workspace.d_p + (size_t)r * KEY_BLOCK,
              *to = &AT(g->d_bias, (g->first + h) * g->shape.queries + i + r, j);
        for (int t = 0; t < seen[r]; t++) to[t] += d[t];
        for (int t = 0; t < seen[r]; t++) d[t] *= g->shape.scale;
    }
}

static void block_backward(const AttentionHeads *g, int h, Workspace workspace, int i, int rows)
{
    const AttentionShape *s = &g->shape;
    const int width = g->width, column = h * width,
              keys = attention_visible_keys(s, g->sequence, i + rows - 1);
    const Columns q = columns_at(g->x.q, i, column), d_q = columns_at(g->d.q, i, column);
    const Columns out = columns_at(g->out, i, column), d_out = columns_at(g->d_out, i, column);
    const float *log_sums = &AT(g->log_sums, g->sequence * s->queries + i, g->first + h);
    int seen[QUERY_BLOCK];
    float shares[QUERY_BLOCK];
    find_shares(shares, g, h, workspace, q, log_sums, i, rows);
    float overlaps[QUERY_BLOCK]; // Σ_j d_p_ij p_ij = ⟨d_out_i, out_i⟩, because d_p_ij = ⟨d_out_i, v_j⟩
    for (int r = 0; r < rows; r++)
        overlaps[r] = lanes_dot(columns_at(d_out, r, 0).data, columns_at(out, r, 0).data, width);
    for (int j = 0; j < keys; j += KEY_BLOCK) {
        const int count = int_min(KEY_BLOCK, keys - j);
        score_again(seen, g, h, workspace, q, i, j, rows, count);
        score(workspace.d_p, d_out, g->x.v, workspace.values, j, rows, count, width);
        block_slopes(g, workspace, log_sums, shares, overlaps, seen, rows, whole_lanes(count));
        if (g->d_bias.data) add_to_bias(g, h, workspace, i, j, seen, rows);
        const GemmShape to_keys = {
            .m = count, .n = width, .k = rows, .transpose_a = true, .accumulate = true};
        const GemmShape to_queries = {.m = rows, .n = width, .k = count, .accumulate = true};
        const Columns k = columns_at(g->x.k, j, 0), d_k = columns_at(g->d.k, j, 0),
                      d_v = columns_at(g->d.v, j, 0);
        // out_i = Σ_j p_ij v_j
        if (d_v.data)
            gemm(to_keys, workspace.p, KEY_BLOCK, d_out.data, (int)d_out.step, d_v.data, (int)d_v.step);
        // s_ij = scale · ⟨q_i, k_j⟩ + bias_ij
        if (d_k.data) gemm(to_keys, workspace.d_p, KEY_BLOCK, q.data, (int)q.step, d_k.data, (int)d_k.step);
        if (d_q.data)
            gemm(to_queries, workspace.d_p, KEY_BLOCK, k.data, (int)k.step, d_q.data, (int)d_q.step);
    }
}

// Rows of `width` numbers = 0. Heads are narrow: a call of memset for each costs more than its stores.
static void clear_rows(Columns of, int rows, int width)
{
    const Lanes nothing = {0};
    for (int i = 0; i < rows; i++) {
        float *row = columns_at(of, i, 0).data;
        int d = 0;
        for (; d + LANES <= width; d += LANES) memcpy(row + d, &nothing, sizeof nothing);
        if (d < width) memset(row + d, 0, (size_t)(width - d) * sizeof(float));
    }
}

// The gradients of a group are 0.
static void clear_gradients_of(const AttentionHeads *g)
{
    const int row = g->width, queries = row * (g->shape.heads / g->shape.key_heads);
    clear_rows(g->d.q, g->shape.queries, queries);
    clear_rows(g->d.k, g->shape.keys, row);
    clear_rows(g->d.v, g->shape.keys, row);
}

static void group_backward(const AttentionHeads *g, float *scratch)
{
    const AttentionShape *s = &g->shape;
    if (g->clear) clear_gradients_of(g);
    const size_t block = QUERY_BLOCK * KEY_BLOCK;
    Workspace workspace = {.p = scratch, .d_p = scratch + block};
    if (s->queries >= FEW) {
        workspace.keys = scratch + 2 * block;
        workspace.values = workspace.keys + key_blocks_size(s->keys, g->width);
        transpose_blocks(workspace.keys, g->x.k, s->keys, g->width);
        transpose_blocks(workspace.values, g->x.v, s->keys, g->width);
    }
    for (int h = 0; h < s->heads / s->key_heads; h++)
        for (int i = 0; i < s->queries; i += QUERY_BLOCK)
            block_backward(g, h, workspace, i, int_min(QUERY_BLOCK, s->queries - i));
}

void attention_heads_backward(Arena *arena, const AttentionHeads *whole)
{
    const AttentionShape s = whole->shape;
    const size_t room = 2 * ((size_t)QUERY_BLOCK * KEY_BLOCK + key_blocks_size(s.keys, whole->width));
    ArenaMark mark = arena_mark(arena);
    float *scratch = arena_alloc(arena, (size_t)parallel_threads() * room, sizeof *scratch);
    // The sequences share d_bias: one thread adds to its rows, sequence by sequence.
    const int turns = whole->d_bias.data ? s.batch : 1;
#pragma omp parallel for schedule(dynamic) if (parallel_worth(attention_work(&s, whole->width)))
    for (int n = 0; n < s.batch * s.key_heads / turns; n++) {
        for (int t = 0; t < turns; t++) {
            AttentionHeads g = one_group(*whole, t * s.key_heads + n);
            group_backward(&g, scratch + (size_t)parallel_number() * room);
        }
    }
    arena_rewind(arena, mark);
}
