/*
# How attention is made fast

Attention compares each of $T$ positions with each: $T^2$ scores, of which a softmax makes weights. Its arithmetic is
two products, which appendix A makes fast. But between them stands a matrix of $T^2$ numbers, for each head of each
layer of each sequence, which is written, read, written and read again, and for long texts there is no memory that
holds it. Must it be there at all?

It need not. A softmax can be computed while it runs, from a part of the scores at a time, and corrected when a larger
score comes. This page goes from the three formulas to `common/matrix/attention.c`, forwards and back. You need
chapter 16, and appendix A for the product.
*/

#include "base/mathf.h"
#include "base/parallel.h"
#include "learning/ops/attention.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "matrix/gemm.h"
#include "matrix/lanes.h"
#include "matrix/vectors.h"

#include <math.h>
#include <string.h>

/*
## The question

One head of one sequence. $Q$ has a row for each query, $K$ and $V$ for each key, all of width $D$:

$$S = \tfrac{1}{\sqrt D} Q K^\top, \qquad P_{ij} = \frac{e^{S_{ij}}}{\sum_j e^{S_{ij}}}, \qquad O = P V .$$

With a **causal mask** (因果掩码), a query sees its own position and those before it. Queries are the last positions:
the last query sees all keys.
*/

typedef struct {
    int queries, keys, width;
    bool causal;
    float scale;
} Head;

typedef struct {
    Matrix q, k, v;
} Three;

static Head head_new(int queries, int keys, int width, bool causal)
{
    return (Head){queries, keys, width, causal, 1.0f / sqrtf((float)width)};
}

// How many keys, from the first, query i sees
static int visible(const Head *h, int i) { return h->causal ? h->keys - h->queries + i + 1 : h->keys; }

/*
## Step 1: all scores

Product, softmax, product. From each score the largest of its row is subtracted first, or $e^{89}$ would not be a
float any more; that changes numerator and denominator by the same factor.
*/

static void all_scores(Arena *arena, const Head *h, Matrix out, Three x)
{
    Matrix p = matrix_uninitialised(arena, h->queries, h->keys);
    gemm((GemmShape){.m = h->queries, .n = h->keys, .k = h->width, .transpose_b = true}, x.q.data, x.q.cols,
         x.k.data, x.k.cols, p.data, p.cols);
    for (int i = 0; i < h->queries; i++) {
        float *row = matrix_row(p, i);
        const int seen = visible(h, i);
        for (int j = 0; j < seen; j++) row[j] *= h->scale;
        const float most = lanes_max(row, seen);
        for (int j = 0; j < seen; j++) row[j] = exp32(row[j] - most);
        const float share = 1.0f / lanes_sum(row, seen);
        for (int j = 0; j < seen; j++) row[j] *= share;
        for (int j = seen; j < h->keys; j++) row[j] = 0.0f;
    }
    gemm((GemmShape){.m = h->queries, .n = h->width, .k = h->keys}, p.data, p.cols, x.v.data, x.v.cols,
         out.data, out.cols);
}

/*
The scores are written by the first product, read and written by the softmax, read by the second: 16 bytes for each,
and $2D$ multiply-adds. For $D = 64$ that is one byte for eight multiply-adds, of which a core can do 32 in a cycle.
As long as the matrix fits a cache this is no trouble; with 1024 positions it takes 4 MB.

## Step 2: a softmax that runs

To the largest score and the sum of a row belong all its scores. But suppose that we have seen only some, and hold for
one query

- `most`, the largest score so far,
- `total`, $\sum e^{s_j - \mathrm{most}}$ over the keys so far,
- `out`, $\sum e^{s_j - \mathrm{most}} v_j$ over the keys so far.

Now a key comes with a score $s$ above `most`. Both sums were made with too small a number, and since

$$e^{s_j - s} = e^{s_j - \mathrm{most}} \cdot e^{\mathrm{most} - s} \quad \text{for every } j,$$

one factor, at most 1, puts all of them right at once. We call it `shrink`. At the end `out` is divided by `total`.
This is the **running softmax** (在线 softmax), and it is exact: without rounding it would be the softmax, and no
exponential is ever taken of a number above 0.
*/

static void key_by_key(Arena *arena, const Head *h, Matrix out, Three x)
{
    (void)arena;
    for (int i = 0; i < h->queries; i++) {
        float most = -INFINITY, total = 0.0f;
        for (int d = 0; d < h->width; d++) AT(out, i, d) = 0.0f;
        for (int j = 0; j < visible(h, i); j++) {
            float s = 0.0f;
            for (int d = 0; d < h->width; d++) s = fmaf(AT(x.q, i, d), AT(x.k, j, d), s);
            s *= h->scale;
            if (s > most) {
                const float shrink = j ? exp32(most - s) : 0.0f;
                total *= shrink;
                for (int d = 0; d < h->width; d++) AT(out, i, d) *= shrink;
                most = s;
            }
            const float e = exp32(s - most);
            total += e;
            for (int d = 0; d < h->width; d++) AT(out, i, d) = fmaf(e, AT(x.v, j, d), AT(out, i, d));
        }
        for (int d = 0; d < h->width; d++) AT(out, i, d) /= total;
    }
}

/*
Nothing of size $T^2$ is left. But nothing of the products either: one query meets one key at a time, and every number
is fetched for one multiply-add.

## Step 3: blocks

Between all scores and one score there is room: 64 queries and 64 keys, a **block** (矩阵块) of scores of 16 KB. Make
it by a product, let the running softmax take it in, and add its part of the result by a product, while it is in the
nearest cache; then overwrite it by the next.

```
              keys →   block 0    block 1    block 2
queries  block 0      [ S → P ]  [ S → P ]  [ S → P ]     of each block: S by a product, the softmax as far as
   ↓     block 1      [ S → P ]     …                     it can be known by now, out += P·V by a product
```

The rows of a block run their softmax side by side. $Q K^\top$ wants $K$ with its columns in rows, and $K$ is met by
all blocks of queries: so it is transposed once, block by block.
*/

enum { BLOCK = 64 };

typedef struct {
    float most[BLOCK], total[BLOCK], shrink[BLOCK];
} Running;

// scores (rows × BLOCK), of which seen[r] count → e^(scale · score − most), 0 for the others
static void take_in(Running *run, float *scores, const int *seen, int rows, float scale)
{
    for (int r = 0; r < rows; r++) {
        float *row = scores + (size_t)r * BLOCK;
        const float before = run->most[r];
        for (int j = 0; j < seen[r]; j++) row[j] *= scale;
        if (seen[r]) run->most[r] = fmaxf(before, lanes_max(row, seen[r]));
        run->shrink[r] = before == -INFINITY ? 1.0f : exp32(before - run->most[r]);
        for (int j = 0; j < seen[r]; j++) row[j] = exp32(row[j] - run->most[r]);
        for (int j = seen[r]; j < BLOCK; j++) row[j] = 0.0f;
        run->total[r] = fmaf(run->total[r], run->shrink[r], lanes_sum(row, BLOCK));
    }
}

// Keys, or values, transposed block by block: (width × BLOCK) for each, one after the other
static float *transposed_blocks(Arena *arena, Matrix m)
{
    const int blocks = (m.rows + BLOCK - 1) / BLOCK;
    float *to = arena_alloc(arena, (size_t)(blocks * BLOCK * m.cols), sizeof *to);
    for (int j = 0; j < m.rows; j += BLOCK)
        copy_transposed(to + (size_t)(j * m.cols), BLOCK, matrix_row(m, j), (size_t)m.cols,
                        int_min(BLOCK, m.rows - j), m.cols);
    return to;
}

// product (rows × BLOCK) = rows of a (from row i on) times count keys, or values, of a transposed block
static void block_product(float *product, Matrix a, int i, int rows, const float *blocks, int j, int count)
{
    gemm((GemmShape){.m = rows, .n = count, .k = a.cols}, matrix_row(a, i), a.cols,
         blocks + (size_t)(j * a.cols), BLOCK, product, BLOCK);
}

// How many of the keys j … j + count − 1 the queries i … see
static void count_seen(int *seen, const Head *h, int i, int rows, int j, int count)
{
    for (int r = 0; r < rows; r++) seen[r] = int_max(0, int_min(count, visible(h, i + r) - j));
}

static void multiply_rows(Matrix out, int i, int rows, const float *factors)
{
    for (int r = 0; r < rows; r++)
        for (int d = 0; d < out.cols; d++) AT(out, i + r, d) *= factors[r];
}

// log_sums (queries × 1) receives log Σ e^score of each query: the way back wants it. Returns how many blocks were made.
static long blocks_forward(Arena *arena, const Head *h, Matrix out, Matrix log_sums, Three x)
{
    ArenaMark mark = arena_mark(arena);
    const float *keys = transposed_blocks(arena, x.k);
    float scores[BLOCK * BLOCK];
    long made = 0;
    for (int i = 0; i < h->queries; i += BLOCK) {
        const int rows = int_min(BLOCK, h->queries - i), reach = visible(h, i + rows - 1);
        Running run = {.total = {0}};
        for (int r = 0; r < rows; r++) run.most[r] = -INFINITY;
        for (int j = 0; j < reach; j += BLOCK, made++) {
            const int count = int_min(BLOCK, reach - j);
            int seen[BLOCK];
            count_seen(seen, h, i, rows, j, count);
            block_product(scores, x.q, i, rows, keys, j, count);
            take_in(&run, scores, seen, rows, h->scale);
            if (j) multiply_rows(out, i, rows, run.shrink);
            gemm((GemmShape){.m = rows, .n = h->width, .k = count, .accumulate = j > 0}, scores, BLOCK,
                 matrix_row(x.v, j), x.v.cols, matrix_row(out, i), out.cols);
        }
        float shares[BLOCK];
        for (int r = 0; r < rows; r++) {
            shares[r] = 1.0f / run.total[r];
            AT(log_sums, i + r, 0) = run.most[r] + log32(run.total[r]);
        }
        multiply_rows(out, i, rows, shares);
    }
    arena_rewind(arena, mark);
    return made;
}

static void in_blocks(Arena *arena, const Head *h, Matrix out, Three x)
{
    blocks_forward(arena, h, out, matrix_new(arena, h->queries, 1), x);
}

/*
## Step 4: half of it is not there

Under a causal mask, half of the scores count nothing. In step 1 they were computed all the same. In blocks it is easy
to leave out what lies above the diagonal: the loop over keys ends at the last key that the last query of the block
sees (`reach`). Only blocks that the diagonal crosses are masked number by number (`seen`).
*/

static void draw_causal(Lesson *lesson)
{
    enum { SIDE = 8 };
    Matrix kinds = matrix_new(lesson_arena(lesson), SIDE, SIDE);
    const Head h = head_new(SIDE * BLOCK, SIDE * BLOCK, 64, true);
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            int seen[BLOCK], all = 0;
            count_seen(seen, &h, i * BLOCK, BLOCK, j * BLOCK, BLOCK);
            for (int r = 0; r < BLOCK; r++) all += seen[r];
            AT(kinds, i, j) = 100.0f * (float)all / (BLOCK * BLOCK);
        }
    const char *names[SIDE] = {"0", "64", "128", "192", "256", "320", "384", "448"};
    Plot *plot = plot_begin(lesson, "causal.svg", "How much of each block counts, in %, under a causal mask");
    plot_axes(plot, "keys from", "queries from");
    plot_size(plot, 760, 620);
    plot_cells(plot, kinds, names, names, 0);
    plot_end(plot, "512 positions. Blocks of 0 are not made, blocks of 100 need no mask.");
}

static void count_blocks(Lesson *lesson)
{
    section(lesson, "What is made, and where it lies");
    enum { WIDTH = 64 };
    printf("               all scores                     blocks, causal\n");
    printf("    T   multiply-adds    memory, kB    multiply-adds    memory, kB\n");
    bool half = true, linear = true;
    double last = 0.0;
    for (int t = 256; t <= 2048; t *= 2) {
        const Head h = head_new(t, t, WIDTH, true);
        Rng rng = lesson_rng(lesson, 3);
        Arena *own = arena_new(), *whole = arena_new(), *small = arena_new();
        Three x = {matrix_new(own, t, WIDTH), matrix_new(own, t, WIDTH), matrix_new(own, t, WIDTH)};
        Matrix out = matrix_new(own, t, WIDTH);
        fill_normal(x.q, &rng, 0.0f, 1.0f), fill_normal(x.k, &rng, 0.0f, 1.0f),
            fill_normal(x.v, &rng, 0.0f, 1.0f);
        all_scores(whole, &h, out, x);
        const double made = (double)blocks_forward(small, &h, out, matrix_new(small, t, 1), x);
        const double all = 2.0 * t * t * WIDTH, some = made * 2.0 * BLOCK * BLOCK * WIDTH;
        const double naive = (double)arena_peak(whole) / 1024.0;
        const double blocks = ((double)arena_peak(small) + BLOCK * BLOCK * sizeof(float)) / 1024.0;
        printf("%5d%16.0f%14.0f%17.0f%14.0f\n", t, all, naive, some, blocks);
        half &= some <= all * (0.5 + 0.5 * BLOCK / t);
        linear &= last == 0.0 || blocks <= 2.1 * last;
        last = blocks;
        arena_free(own), arena_free(whole), arena_free(small);
    }
    printf("\n");
    claim(lesson, half, "the causal mask leaves half of the blocks, and half of the diagonal");
    claim(lesson, linear, "twice the positions, at most about twice the memory");
    draw_causal(lesson);
}

/*
What is left grows with $T$: the transposed keys. All scores of 2048 positions would take 16 MB; times 16 heads and 24
layers, were they kept for the way back, 6 GB for one sequence.

How does a running softmax run? Here is one query among 512 keys.
*/

static void watch_a_row(Lesson *lesson)
{
    section(lesson, "One row, as it runs");
    enum { KEYS = 512, WIDTH = 16 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 4);
    float at[KEYS], scores[KEYS], block[BLOCK], ends[KEYS / BLOCK], most[KEYS / BLOCK];
    Matrix q = matrix_new(arena, 1, WIDTH), k = matrix_new(arena, KEYS, WIDTH);
    fill_normal(q, &rng, 0.0f, 1.0f), fill_normal(k, &rng, 0.0f, 1.0f);
    Running run = {.most = {-INFINITY}, .total = {0}};
    bool growing = true;
    double whole = 0.0;
    printf("keys up to   largest so far   shrink    total\n");
    for (int j = 0; j < KEYS; j += BLOCK) {
        for (int t = 0; t < BLOCK; t++) {
            block[t] = 0.0f;
            for (int d = 0; d < WIDTH; d++) block[t] = fmaf(AT(q, 0, d), AT(k, j + t, d), block[t]);
            at[j + t] = (float)(j + t), scores[j + t] = block[t] * 0.25f;
        }
        const float before = run.most[0];
        take_in(&run, block, (const int[]){BLOCK}, 1, 0.25f);
        growing &= run.most[0] >= before && run.shrink[0] <= 1.0f;
        ends[j / BLOCK] = (float)(j + BLOCK - 1), most[j / BLOCK] = run.most[0];
        printf("%10d%17.3f%9.3f%9.3f\n", j + BLOCK - 1, (double)run.most[0], (double)run.shrink[0],
               (double)run.total[0]);
    }
    for (int j = 0; j < KEYS; j++) whole += exp((double)scores[j] - (double)run.most[0]);
    printf("\n");
    claim(lesson, growing, "the largest score only grows, and no shrink is above 1");
    claim(lesson, fabs((double)run.total[0] - whole) <= 1e-5 * whole,
          "the last total is the sum over all keys, made with the largest of all scores");
    Plot *plot = plot_begin(lesson, "running.svg", "The scores of one query, and the largest so far");
    plot_axes(plot, "key", "score");
    plot_points(plot, "scores", at, scores, KEYS);
    plot_line_points(plot, "the largest, behind each block", ends, most, KEYS / BLOCK);
    plot_end(plot, "Where the line rises, all that was summed before is multiplied by one factor.");
}

/*
## How exact?

Without rounding, all these ways give the same. With floats they do not, and theory says how far apart they may be.
With $u = 2^{-24}$ and $A = \max_j \frac{1}{\sqrt D} \sum_d |q_d k_{jd}|$, a score is wrong by at most $(D + 4) u A$,
its exponential by this fraction and a few $u$ more; each of at most $S$ corrections and $S$ additions adds two $u$.
All of this enters numerator and denominator:

$$|o - o_{\text{exact}}| \le 2 \max |v| \cdot u \left( 2 (D + 4) A + 4 S + 16 \right) .$$

We compare all ways with sums in double precision, also with scores that are eight times as large.
*/

static void with_doubles(const Head *h, double *out, int i, Three x)
{
    double total = 0.0, most = -INFINITY;
    for (int d = 0; d < h->width; d++) out[d] = 0.0;
    for (int pass = 0; pass < 2; pass++)
        for (int j = 0; j < visible(h, i); j++) {
            double s = 0.0;
            for (int d = 0; d < h->width; d++) s += (double)AT(x.q, i, d) * (double)AT(x.k, j, d);
            s *= (double)h->scale;
            if (pass == 0) {
                most = fmax(most, s);
                continue;
            }
            total += exp(s - most);
            for (int d = 0; d < h->width; d++) out[d] += exp(s - most) * (double)AT(x.v, j, d);
        }
    for (int d = 0; d < h->width; d++) out[d] /= total;
}

static double bound_of(const Head *h, int i, Three x)
{
    double largest = 0.0, value = 0.0;
    for (int j = 0; j < visible(h, i); j++) {
        double a = 0.0;
        for (int d = 0; d < h->width; d++) {
            a += fabs((double)AT(x.q, i, d) * (double)AT(x.k, j, d));
            value = fmax(value, fabs((double)AT(x.v, j, d)));
        }
        largest = fmax(largest, a * (double)h->scale);
    }
    return 2.0 * value * 0x1p-24 * (2.0 * (h->width + 4) * largest + 4.0 * h->keys + 16.0);
}

static void library(Arena *arena, const Head *h, Matrix out, Three x)
{
    const AttentionShape shape = {.batch = 1,
                                  .queries = h->queries,
                                  .keys = h->keys,
                                  .heads = 1,
                                  .causal = h->causal,
                                  .scale = h->scale};
    attention_forward(arena, out, matrix_new(arena, h->queries, 1), x.q, x.k, x.v, shape);
}

static const struct {
    const char *name;
    void (*run)(Arena *arena, const Head *h, Matrix out, Three x);
} steps[] = {{"1 all scores", all_scores},
             {"2 key by key", key_by_key},
             {"3 and 4 blocks", in_blocks},
             {"the library", library}};
enum { STEPS = 4 };

static Three random_three(Arena *arena, Rng *rng, const Head *h)
{
    Three x = {matrix_new(arena, h->queries, h->width), matrix_new(arena, h->keys, h->width),
               matrix_new(arena, h->keys, h->width)};
    fill_normal(x.q, rng, 0.0f, 1.0f), fill_normal(x.k, rng, 0.0f, 1.0f), fill_normal(x.v, rng, 0.0f, 1.0f);
    return x;
}

// The largest error of out, in parts of what is allowed
static double worst(const Head *h, Matrix out, Three x)
{
    double most = 0.0, exact[64];
    for (int i = 0; i < h->queries; i++) {
        with_doubles(h, exact, i, x);
        const double bound = bound_of(h, i, x);
        for (int d = 0; d < h->width; d++) {
            const double part = fabs((double)AT(out, i, d) - exact[d]) / bound;
            if (!(part <= most)) most = part; // also where it is not a number
        }
    }
    return most;
}

static bool same(Matrix a, Matrix b) { return memcmp(a.data, b.data, matrix_size(a) * sizeof *a.data) == 0; }

static void compare(Lesson *lesson)
{
    section(lesson, "How far apart");
    Head heads[] = {head_new(200, 200, 32, false), head_new(200, 200, 32, true), head_new(70, 300, 64, true),
                    head_new(130, 130, 16, false)};
    heads[3].scale *= 8.0f;
    bool within = true, bits = true, alone = true;
    Rng rng = lesson_rng(lesson, 1);
    for (size_t n = 0; n < sizeof heads / sizeof *heads; n++) {
        Arena *arena = arena_new();
        const Head *h = &heads[n];
        const Three x = random_three(arena, &rng, h);
        Matrix out[STEPS];
        for (int s = 0; s < STEPS; s++) {
            out[s] = matrix_new(arena, h->queries, h->width);
            steps[s].run(arena, h, out[s], x);
            within &= worst(h, out[s], x) <= 1.0;
        }
        bits &= same(out[2], out[3]);
        // The last query by itself
        const Head one = {1, h->keys, h->width, h->causal, h->scale};
        Matrix last = matrix_new(arena, 1, h->width);
        in_blocks(arena, &one, last, (Three){matrix_rows(x.q, h->queries - 1, 1), x.k, x.v});
        alone &= same(last, matrix_rows(out[2], h->queries - 1, 1));
        arena_free(arena);
    }
    claim(lesson, within, "four heads, all ways: the error stays below the bound of the theory");
    claim(lesson, bits, "our blocks and the library's: the same bits");
    claim(lesson, alone, "a query that is asked alone gets the bits that it gets among others");
}

/*
The last claim is not a matter of course. Blocks of keys begin at multiples of 64 whatever the query, and each number
is one chain in the order of the keys; so a model that writes word by word, with the keys of the past in a cache, says
what it would have said with the whole text before it. The blocks of queries are free: the library takes 32 at once, of
which a causal mask crosses less.

## The way back

Let $dO$ be the gradient of the result. Then

$$dV = P^\top dO, \qquad dP = dO\, V^\top, \qquad dS_{ij} = P_{ij} \left( dP_{ij} - \sum_k dP_{ik} P_{ik} \right), \qquad
dQ = \tfrac{1}{\sqrt D} dS\, K, \qquad dK = \tfrac{1}{\sqrt D} dS^\top Q .$$

Two things stand in the way of blocks. The first: $P$ is needed again, and we have not kept it. So it is made again,
from $Q$, $K$ and one number for each query, $L_i = \log \sum_j e^{S_{ij}}$ = `most` + log(`total`), because $P_{ij} =
e^{S_{ij} - L_i}$. That needs neither a maximum nor a division, and costs a product of the block's size. The second:
the sum over $k$ needs a whole row. But $dP_{ik} = \langle dO_i, v_k \rangle$, and so

$$\sum_k dP_{ik} P_{ik} = \Big\langle dO_i, \sum_k P_{ik} v_k \Big\rangle = \langle dO_i, O_i \rangle ,$$

which is known before the first block.
*/

typedef struct {
    Matrix q, k, v;
} Gradients;

static Gradients zero_gradients(Arena *arena, const Head *h)
{
    return (Gradients){matrix_new(arena, h->queries, h->width), matrix_new(arena, h->keys, h->width),
                       matrix_new(arena, h->keys, h->width)};
}

// c += or = op(a) · op(b), both of whole rows
static void accumulate(Matrix c, Matrix a, bool transpose_a, Matrix b, bool transpose_b)
{
    gemm((GemmShape){.m = c.rows,
                     .n = c.cols,
                     .k = transpose_a ? a.rows : a.cols,
                     .transpose_a = transpose_a,
                     .transpose_b = transpose_b,
                     .accumulate = true},
         a.data, a.cols, b.data, b.cols, c.data, c.cols);
}

// With everything kept: the formulas, one after the other
static void keep_everything(Arena *arena, const Head *h, Gradients d, Matrix d_out, Three x)
{
    Matrix p = matrix_new(arena, h->queries, h->keys), d_p = matrix_new(arena, h->queries, h->keys);
    accumulate(p, x.q, false, x.k, true);
    accumulate(d_p, d_out, false, x.v, true);
    for (int i = 0; i < h->queries; i++) {
        double total = 0.0, overlap = 0.0;
        const int seen = visible(h, i);
        const float most = lanes_max(matrix_row(p, i), seen);
        for (int j = 0; j < h->keys; j++) {
            AT(p, i, j) = j < seen ? exp32((AT(p, i, j) - most) * h->scale) : 0.0f;
            total += (double)AT(p, i, j);
        }
        for (int j = 0; j < h->keys; j++) {
            AT(p, i, j) = (float)((double)AT(p, i, j) / total);
            overlap += (double)AT(p, i, j) * (double)AT(d_p, i, j);
        }
        for (int j = 0; j < h->keys; j++)
            AT(d_p, i, j) = AT(p, i, j) * (AT(d_p, i, j) - (float)overlap) * h->scale;
    }
    accumulate(d.v, p, true, d_out, false);
    accumulate(d.q, d_p, false, x.k, false);
    accumulate(d.k, d_p, true, x.q, false);
}

static void blocks_backward(Arena *arena, const Head *h, Gradients d, Matrix d_out, Matrix out,
                            Matrix log_sums, Three x)
{
    const float *keys = transposed_blocks(arena, x.k), *values = transposed_blocks(arena, x.v);
    float p[BLOCK * BLOCK], d_p[BLOCK * BLOCK];
    for (int i = 0; i < h->queries; i += BLOCK) {
        const int rows = int_min(BLOCK, h->queries - i), reach = visible(h, i + rows - 1);
        for (int j = 0; j < reach; j += BLOCK) {
            const int count = int_min(BLOCK, reach - j);
            int seen[BLOCK];
            count_seen(seen, h, i, rows, j, count);
            block_product(p, x.q, i, rows, keys, j, count);
            block_product(d_p, d_out, i, rows, values, j, count);
            for (int r = 0; r < rows; r++) {
                float *p_row = p + (size_t)r * BLOCK, *d_row = d_p + (size_t)r * BLOCK;
                const float overlap = lanes_dot(matrix_row(d_out, i + r), matrix_row(out, i + r), h->width);
                for (int t = 0; t < seen[r]; t++) {
                    p_row[t] = exp32(p_row[t] * h->scale - AT(log_sums, i + r, 0));
                    d_row[t] = p_row[t] * (d_row[t] - overlap) * h->scale;
                }
                for (int t = seen[r]; t < BLOCK; t++) p_row[t] = d_row[t] = 0.0f;
            }
            const GemmShape to_keys = {
                .m = count, .n = h->width, .k = rows, .transpose_a = true, .accumulate = true};
            const GemmShape to_queries = {.m = rows, .n = h->width, .k = count, .accumulate = true};
            gemm(to_keys, p, BLOCK, matrix_row(d_out, i), d_out.cols, matrix_row(d.v, j), d.v.cols);
            gemm(to_keys, d_p, BLOCK, matrix_row(x.q, i), x.q.cols, matrix_row(d.k, j), d.k.cols);
            gemm(to_queries, d_p, BLOCK, matrix_row(x.k, j), x.k.cols, matrix_row(d.q, i), d.q.cols);
        }
    }
}

// The largest difference, as a fraction of the largest a
static double apart(Matrix a, Matrix b)
{
    double most = 0.0, size = 0.0;
    for (size_t i = 0; i < matrix_size(a); i++) {
        most = fmax(most, fabs((double)a.data[i] - (double)b.data[i]));
        size = fmax(size, fabs((double)a.data[i]));
    }
    return most / size;
}

static void go_back(Lesson *lesson)
{
    section(lesson, "The way back");
    const Head heads[] = {head_new(200, 200, 32, false), head_new(200, 200, 32, true),
                          head_new(70, 300, 64, true)};
    bool near = true, bits = true;
    Rng rng = lesson_rng(lesson, 2);
    for (size_t n = 0; n < sizeof heads / sizeof *heads; n++) {
        Arena *arena = arena_new();
        const Head *h = &heads[n];
        const Three x = random_three(arena, &rng, h);
        Matrix out = matrix_new(arena, h->queries, h->width), d_out = matrix_new(arena, h->queries, h->width);
        Matrix log_sums = matrix_new(arena, h->queries, 1);
        fill_normal(d_out, &rng, 0.0f, 1.0f);
        const Gradients kept = zero_gradients(arena, h), again = zero_gradients(arena, h),
                        theirs = zero_gradients(arena, h);
        keep_everything(arena, h, kept, d_out, x);
        blocks_forward(arena, h, out, log_sums, x);
        blocks_backward(arena, h, again, d_out, out, log_sums, x);
        near &= apart(kept.q, again.q) <= 1e-5 && apart(kept.k, again.k) <= 1e-5 &&
                apart(kept.v, again.v) <= 1e-5;
        const AttentionShape shape = {.batch = 1,
                                      .queries = h->queries,
                                      .keys = h->keys,
                                      .heads = 1,
                                      .causal = h->causal,
                                      .scale = h->scale};
        attention_backward(arena, theirs.q, theirs.k, theirs.v, (Matrix){0}, d_out, out, log_sums, x.q, x.k,
                           x.v, shape);
        bits &= same(again.q, theirs.q) && same(again.k, theirs.k) && same(again.v, theirs.v);
        arena_free(arena);
    }
    printf("multiply-adds for a pair of query and key, D = 64, and bytes kept for it between the two ways\n");
    printf("with P kept       %4d      4\nP made again      %4d      0\n\n", 4 * 64, 5 * 64);
    claim(lesson, near,
          "made again, P gives the gradients that it gives when it is kept, to 1e-5 of the largest");
    claim(lesson, bits, "and the bits of the library's backward");
}

/*
A quarter more arithmetic, then, for four bytes less of each of $T^2$ pairs. Arithmetic in the nearest cache is the
cheaper of the two.

## The clock

1024 positions of width 64, one thread, the fastest of three runs in turn; rates go to standard error, and `make bench
NAME=fast_attention` has more.
*/

static double flops_of(const Head *h) { return 4.0 * h->queries * h->keys * h->width; }

static double rate_of(Arena *arena, int step, const Head *h, Matrix out, Three x)
{
    ArenaMark mark = arena_mark(arena);
    const double start = seconds_now();
    steps[step].run(arena, h, out, x);
    const double seconds = seconds_now() - start;
    arena_rewind(arena, mark);
    return flops_of(h) / seconds;
}

static void time_steps(Lesson *lesson)
{
    section(lesson, "The clock");
    enum { ROUNDS = 3, TIME = 1024, WIDTH = 64 };
#ifdef __aarch64__
    const bool wide = true;
#else
    const bool wide = VECTOR_LANES > 4; // else a fused multiply-add is a function of the C library
#endif
    const int threads = parallel_threads();
    parallel_set_threads(1);
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 5);
    const Head heads[2] = {head_new(TIME, TIME, WIDTH, false), head_new(TIME, TIME, WIDTH, true)};
    const Three x = random_three(arena, &rng, &heads[0]);
    Matrix out = matrix_new(arena, TIME, WIDTH);
    double rate[2][STEPS] = {{0}};
    for (int r = 0; r < ROUNDS; r++)
        for (int c = 0; c < 2; c++)
            for (int s = 0; s < STEPS; s++)
                rate[c][s] = fmax(rate[c][s], rate_of(arena, s, &heads[c], out, x));
    parallel_set_threads(threads);
    lesson_wipe_progress(lesson);
    fprintf(stderr, "counted as if nothing were masked     whole   causal\n");
    for (int s = 0; s < STEPS; s++)
        fprintf(stderr, "%-30s %7.2f %8.2f GF/s\n", steps[s].name, 1e-9 * rate[0][s], 1e-9 * rate[1][s]);
    claim(lesson, !wide || rate[0][2] >= 4.0 * rate[0][1],
          "blocks are at least 4 times as fast as key by key");
    claim(lesson, rate[1][2] >= 1.2 * rate[0][2], "and faster still with a causal mask, by a fifth or more");
    arena_free(arena);
}

/*
All scores and blocks are not far apart here: 4 MB of scores still find a cache on many machines, and one head at a
time uses it. What blocks win is room: with 16 heads on several threads, and with the way back, the scores of step 1
have no cache left.

## From here to `attention.c`

| here | in `attention.c` | and what it adds |
|---|---|---|
| `take_in` | `extend`, `scale_scores`, `exponentials` | lanes, also for the maximum; no exponential of $-\infty$ is taken |
| `transposed_blocks` | `transpose_blocks`, `key_blocks_put` | a cache of keys may lie in such blocks from the start; for a few queries nothing is transposed |
| `blocks_forward` | `block_forward`, `group_forward` | query heads that share a key head are done one after the other, which find the keys in the cache |
| | `shape_scores` | a bias, regions: who may see whom |
| `blocks_backward` | `block_backward`, `block_slopes` | the bias's gradient; where $L$ is so far from 0 that rounding it hurts, `find_shares` |

Threads take sequences and key heads, and share nothing.

## What to take along

- The softmax does not need a whole row at once: a maximum and a sum that run, and one factor that corrects what was
  summed before.
- What is cheap to make again need not be kept. The way back makes $P$ from $Q$, $K$ and one number a query.
- Memory grows with $T$, arithmetic with $T^2$: blocks do not make attention linear.
- A mask that is known beforehand is a loop that ends earlier.

## Check yourself

**1.** Why is `shrink` never above 1?

<details><summary>Answer</summary>

It is $e^{\text{old most} - \text{new most}}$, and the maximum of more numbers is never smaller.

</details>

**2.** The scores come in falling order. How often does anything shrink? And in rising order?

<details><summary>Answer</summary>

Falling: the first is the largest, and nothing shrinks after it. Rising: at each new block (or key) everything
shrinks. The result is the same but for rounding.

</details>

**3.** What has the forward to keep for the backward, for one head?

<details><summary>Answer</summary>

$Q$, $K$, $V$ and $O$, which are there anyhow, and one number for each query, $\log \sum_j e^{S_{ij}}$. Nothing of
size $T^2$.

</details>

**4.** Two texts of 512 words are packed into one sequence of 1024, and none may see the other. What part of the
blocks could be left out, without a causal mask?

<details><summary>Answer</summary>

Half: the two squares off the diagonal. A kernel that knows where the texts end can leave them out as it does blocks
above the diagonal; ours computes them and masks them (`shape_scores`).

</details>

**5.** Why do blocks of keys begin at multiples of 64, and not at the first key that matters to a query?

<details><summary>Answer</summary>

The order and the grouping of sums are part of the result. If they depended on the query, a query asked alone, with a
cache of keys, would get other bits than the same query in a whole text.

</details>

## Sources

- Maxim Milakov and Natalia Gimelshein, "Online normalizer calculation for softmax", 2018: the running sum.
- Tri Dao, Daniel Fu, Stefano Ermon, Atri Rudra and Christopher Ré, "FlashAttention: Fast and Memory-Efficient Exact
  Attention with IO-Awareness", 2022: attention in blocks, and the way back that makes $P$ again.

## The page, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "C-fast-attention", "How attention is made fast");
    count_blocks(lesson);
    watch_a_row(lesson);
    compare(lesson);
    go_back(lesson);
    time_steps(lesson);
    return lesson_end(lesson);
}
