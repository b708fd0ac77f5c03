// Attention: against the naive twin, gradients, one query at a time, positions, outputs tied to a table.
#include "suite.h"
#include "gradients.h"
#include "learning/ops/attention.h"
#include "learning/ops/linear.h"
#include "learning/ops/position.h"
#include "learning/ops/loss.h"
#include <math.h>
#include <stdio.h>

typedef struct {
    AttentionShape shape;
    int width;
    bool biased, regions;
} Size;

// T 1, 5, 17, 33, several blocks; widths 1, 3, 8, 24; grouped heads; causal or not; other lengths of keys; padding; a bias;
// regions.
static const int ALL[] = {7, 0, 3}, SOME[] = {70, 1, 129};
static const Size SIZES[] = {
    {.shape = {.batch = 2, .queries = 1, .keys = 1, .heads = 1}, .width = 1},
    {.shape = {.batch = 2, .queries = 5, .keys = 5, .heads = 2, .causal = true}, .width = 3},
    {.shape = {.batch = 1, .queries = 33, .keys = 33, .heads = 4, .key_heads = 2, .causal = true},
     .width = 3},
    {.shape = {.batch = 1, .queries = 17, .keys = 17, .heads = 2, .key_heads = 1, .scale = 0.3f},
     .width = 24},
    {.shape = {.batch = 3, .queries = 5, .keys = 7, .heads = 2, .key_counts = ALL}, .width = 3},
    {.shape = {.batch = 3, .queries = 5, .keys = 7, .heads = 2, .causal = true, .key_counts = ALL},
     .width = 8},
    {.shape = {.batch = 1, .queries = 9, .keys = 4, .heads = 1, .causal = true},
     .width = 5}, // the first queries see nothing
    {.shape = {.batch = 2, .queries = 4, .keys = 6, .heads = 2, .key_heads = 1}, .width = 3, .biased = true},
    {.shape = {.batch = 2, .queries = 6, .keys = 6, .heads = 2}, .width = 3, .regions = true},
    {.shape = {.batch = 2, .queries = 11, .keys = 12, .heads = 1, .causal = true, .scale = -0.7f},
     .width = 4,
     .biased = true,
     .regions = true},
    {.shape = {.batch = 3, .queries = 131, .keys = 131, .heads = 2, .causal = true, .key_counts = SOME},
     .width = 8},
    {.shape = {.batch = 1, .queries = 70, .keys = 150, .heads = 2, .causal = true}, .width = 3},
    {.shape = {.batch = 1, .queries = 150, .keys = 70, .heads = 2}, .width = 3},
    {.shape = {.batch = 3, .queries = 5, .keys = 6, .heads = 2, .causal = true, .key_rows = 9}, .width = 3},
    {.shape = {.batch = 2, .queries = 150, .keys = 150, .heads = 2},
     .width = 3,
     .biased = true,
     .regions = true},
    {.shape = {.batch = 3, .queries = 131, .keys = 131, .heads = 2, .causal = true, .key_counts = SOME},
     .width = 8,
     .regions = true},
    {.shape = {.batch = 2, .queries = 3, .keys = 70, .heads = 4, .key_heads = 2},
     .width = 3,
     .biased = true,
     .regions = true},
};
enum {
    SIZE_COUNT = sizeof SIZES / sizeof *SIZES,
    GRADIENTS = 10
}; // the gradients of the small ones are checked

typedef struct {
    Tensor *q, *k, *v, *bias; // bias NULL: none
    AttentionShape shape;
} Case;

static int key_heads(const AttentionShape *s) { return s->key_heads ? s->key_heads : s->heads; }

// Three regions that come in no order, −1 among them; the last query's region has no key.
static int *drawn_regions(Arena *arena, int count, Rng *rng)
{
    int *regions = arena_alloc(arena, (size_t)count, sizeof *regions);
    for (int i = 0; i < count; i++) regions[i] = (int)rng_below(rng, 4) - 1;
    return regions;
}

static void add_regions(Arena *arena, AttentionShape *s)
{
    Rng rng = rng_new(17, 0);
    int *queries = drawn_regions(arena, s->batch * s->queries, &rng);
    s->key_regions = drawn_regions(arena, s->batch * s->keys, &rng);
    queries[s->batch * s->queries - 1] = 99;
    s->query_regions = queries;
}

static Case filled_case(Arena *arena, Size size)
{
    AttentionShape s = size.shape;
    if (size.regions) add_regions(arena, &s);
    Case c = {parameter_new(arena, s.batch * s.queries, s.heads * size.width),
              parameter_new(arena, s.batch * (s.key_rows ? s.key_rows : s.keys), key_heads(&s) * size.width),
              parameter_new(arena, s.batch * (s.key_rows ? s.key_rows : s.keys), key_heads(&s) * size.width),
              NULL, s};
    Rng rng = rng_new(7, 1);
    fill_normal(c.q->value, &rng, 0.0f, 1.0f);
    fill_normal(c.k->value, &rng, 0.0f, 1.0f);
    fill_normal(c.v->value, &rng, 0.0f, 1.0f);
    if (size.biased) {
        c.bias = parameter_new(arena, s.heads * s.queries, s.keys);
        fill_normal(c.bias->value, &rng, 0.0f, 1.0f);
    }
    return c;
}

// The shape with the bias in it.
static AttentionShape plain_shape(const Case *c)
{
    AttentionShape shape = c->shape;
    if (c->bias) shape.bias = c->bias->value;
    return shape;
}

static bool sees(const AttentionShape *s, int b, int i, int j)
{
    const int seen = s->causal ? s->keys - s->queries + i + 1 : s->keys;
    if (j >= seen || (s->key_counts && j >= s->key_counts[b])) return false;
    if (!s->query_regions) return true;
    const int region = s->key_regions[b * s->keys + j];
    return region >= 0 && region == s->query_regions[b * s->queries + i];
}

static Tensor *build_attention(Tape *tape, void *context)
{
    Case *c = context;
    return attention_biased(tape_parameter(tape, c->q), c->k, c->v, c->bias, c->shape);
}

static void expect_near(Matrix got, Matrix expected, float bound, const char *what, int size)
{
    for (size_t i = 0; i < matrix_size(got); i++)
        if (!(fabsf(got.data[i] - expected.data[i]) <= bound))
            ck_abort_msg("size %d, %s, element %zu: got %g, expected %g", size, what, i, (double)got.data[i],
                         (double)expected.data[i]);
}

START_TEST(blocks_equal_plain_loops)
{
    Arena *arena = arena_new();
    for (int i = 0; i < SIZE_COUNT; i++) {
        Case c = filled_case(arena, SIZES[i]);
        Matrix q = c.q->value, k = c.k->value, v = c.v->value, none = {0, 0, NULL};
        Matrix out = matrix_new(arena, q.rows, q.cols), naive = matrix_new(arena, q.rows, q.cols),
               log_sums = matrix_new(arena, q.rows, c.shape.heads), d_out = matrix_new(arena, q.rows, q.cols);
        fill(out, 5.0f);
        const AttentionShape shape = plain_shape(&c);
        attention_forward(arena, out, log_sums, q, k, v, shape);
        attention_naive_forward(arena, naive, none, q, k, v, shape);
        expect_near(out, naive, 4e-6f, "out", i);

        Rng rng = rng_new(8, 0);
        fill_normal(d_out, &rng, 0.0f, 1.0f);
        Matrix d[4], naive_d[4], inputs[] = {q, k, v, shape.bias};
        for (int n = 0; n < 4; n++) {
            d[n] = naive_d[n] = none;
            if (!inputs[n].data) continue;
            d[n] = matrix_new(arena, inputs[n].rows, inputs[n].cols);
            naive_d[n] = matrix_new(arena, inputs[n].rows, inputs[n].cols);
            fill(d[n], 0.5f); // added to
            fill(naive_d[n], 0.5f);
        }
        attention_backward(arena, d[0], d[1], d[2], d[3], d_out, out, log_sums, q, k, v, shape);
        attention_naive_backward(arena, naive_d[0], naive_d[1], naive_d[2], naive_d[3], d_out, q, k, v,
                                 shape);
        const char *names[] = {"d_q", "d_k", "d_v", "d_bias"};
        for (int n = 0; n < 4; n++)
            if (inputs[n].data) expect_near(d[n], naive_d[n], 4e-5f, names[n], i);
        attention_backward(arena, none, none, none, none, d_out, out, log_sums, q, k, v,
                           shape); // nothing is wanted
    }
    arena_free(arena);
}
END_TEST

START_TEST(weights_are_probabilities_of_what_is_seen)
{
    Arena *arena = arena_new();
    for (int n = 0; n < SIZE_COUNT; n++) {
        Case c = filled_case(arena, SIZES[n]);
        AttentionShape s = plain_shape(&c);
        Matrix out = matrix_new(arena, c.q->value.rows, c.q->value.cols),
               weights = matrix_new(arena, s.batch * s.heads * s.queries, s.keys);
        attention_naive_forward(arena, out, weights, c.q->value, c.k->value, c.v->value, s);
        for (int row = 0; row < weights.rows; row++) {
            const int i = row % s.queries, b = row / s.queries / s.heads;
            double total = 0;
            bool any = false;
            for (int j = 0; j < s.keys; j++) {
                any = any || sees(&s, b, i, j);
                if ((AT(weights, row, j) > 0) != sees(&s, b, i, j))
                    ck_abort_msg("size %d, row %d, key %d: %g", n, row, j, (double)AT(weights, row, j));
                total += (double)AT(weights, row, j);
            }
            ck_assert_msg(fabs(total - any) < 1e-5, "size %d, row %d: the weights sum to %g", n, row, total);
        }
    }
    arena_free(arena);
}
END_TEST

START_TEST(large_scores_do_not_overflow)
{
    Arena *arena = arena_new();
    Case c = filled_case(
        arena,
        (Size){.shape = {.batch = 1, .queries = 70, .keys = 130, .heads = 1, .scale = 300.0f}, .width = 2});
    Matrix out = matrix_new(arena, 70, 2), naive = matrix_new(arena, 70, 2),
           log_sums = matrix_new(arena, 70, 1), none = {0, 0, NULL};
    attention_forward(arena, out, log_sums, c.q->value, c.k->value, c.v->value, c.shape);
    attention_naive_forward(arena, naive, none, c.q->value, c.k->value, c.v->value, c.shape);
    ck_assert(all_finite(out) && all_finite(log_sums));
    expect_near(out, naive, 2e-3f, "out", 0); // scores near 2000 are themselves rounded to 1e-4
    arena_free(arena);
}
END_TEST

static const char *const NAMES[] = {"q", "k", "v", "bias"};

START_TEST(gradients_of_attention)
{
    Arena *arena = arena_new();
    for (int i = 0; i < GRADIENTS; i++) {
        if (SIZES[i].shape.keys == 1) continue; // one key: q and k do not matter
        Case c = filled_case(arena, SIZES[i]);
        Tensor *const inputs[] = {c.q, c.k, c.v, c.bias};
        const int count = c.bias ? 4 : 3;
        if (matrix_size(c.q->value) < 200) { // with every way to be wrong
            check_operation(build_attention, &c, inputs, NAMES, count, 3e-3);
        } else {
            GradcheckResult right = gradcheck(build_attention, &c, inputs, NAMES, count, 3e-3);
            ck_assert_msg(right.passed, "%s", right.message);
        }
    }
    arena_free(arena);
}
END_TEST

// ---- q, k and v beside each other ---------------------------------------------------------------------------

static Tensor *build_self_attention(Tape *tape, void *context)
{
    Case *c = context;
    return self_attention_biased(tape_parameter(tape, c->q), c->bias, c->shape);
}

static Case self_case(Arena *arena, int batch, int time, int heads, int groups, int width)
{
    Case c = {.q = parameter_new(arena, batch * time, (heads + 2 * groups) * width),
              .shape = self_attention_shape(batch, time, heads, true)};
    c.shape.key_heads = groups;
    Rng rng = rng_new(9, 0);
    fill_normal(c.q->value, &rng, 0.0f, 1.0f);
    return c;
}

START_TEST(gradients_of_self_attention)
{
    Arena *arena = arena_new();
    const int sizes[][5] = {{2, 5, 2, 2, 3}, {1, 17, 4, 2, 1}, {1, 9, 3, 1, 8}};
    for (int i = 0; i < 3; i++) {
        Case c = self_case(arena, sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3], sizes[i][4]);
        check_operation(build_self_attention, &c, (Tensor *[]){c.q}, (const char *[]){"qkv"}, 1, 3e-3);
    }
    Case c = self_case(arena, 3, 4, 2, 1, 3);
    Rng rng = rng_new(19, 0);
    c.bias = parameter_new(arena, 2 * 4, 4);
    c.shape.causal = false;
    c.shape.query_regions = drawn_regions(arena, 3 * 4, &rng); // those of the keys are the same
    fill_normal(c.bias->value, &rng, 0.0f, 1.0f);
    check_operation(build_self_attention, &c, (Tensor *[]){c.q, c.bias}, (const char *[]){"qkv", "bias"}, 2,
                    3e-3);
    arena_free(arena);
}
END_TEST

// Keys of another region are as if they were not there, wherever they stand.
START_TEST(regions_equal_sequences_of_their_own)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    enum { TIME = 90, HALF = TIME / 2, HEADS = 2, WIDTH = 3, COLUMNS = 3 * HEADS * WIDTH };
    int regions[TIME];
    Matrix mixed = matrix_new(arena, TIME, COLUMNS), sorted = matrix_new(arena, TIME, COLUMNS);
    Rng rng = rng_new(4, 0);
    fill_normal(mixed, &rng, 0.0f, 1.0f);
    for (int t = 0; t < TIME; t++) {
        regions[t] = t % 2;
        copy(matrix_rows(sorted, t % 2 * HALF + t / 2, 1), matrix_rows(mixed, t, 1));
    }
    AttentionShape together = self_attention_shape(1, TIME, HEADS, true);
    together.query_regions = regions;
    Matrix in_one = self_attention(tape_input(tape, mixed), together)->value,
           apart =
               self_attention(tape_input(tape, sorted), self_attention_shape(2, HALF, HEADS, true))->value;
    for (int t = 0; t < TIME; t++)
        expect_near(matrix_rows(in_one, t, 1), matrix_rows(apart, t % 2 * HALF + t / 2, 1), 2e-6f, "row", t);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// Sequence 0 is all padding, of sequence 1 the last key is: its query 1 is in a region that no key has, query 2 sees keys 0 and 3.
START_TEST(a_query_that_sees_nothing_gives_zeros_and_no_gradient)
{
    enum { BATCH = 2, TIME = 5, HEADS = 2, COLUMNS = 6 };
    static const int counts[BATCH] = {0, 4}, query_regions[BATCH * TIME] = {0, 0, 0, 0, 0, 0, 7, 1, 0, 0},
                     key_regions[BATCH * TIME] = {0, 0, 0, 0, 0, 1, 0, -1, 1, 0};
    static const int seen[TIME] = {1, 0, 2, 1, 1};
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Rng rng = rng_new(17, 0);
    Matrix values[3], d_out = matrix_new(arena, BATCH * TIME, COLUMNS);
    for (int n = 0; n < 3; n++) {
        values[n] = matrix_new(arena, BATCH * TIME, COLUMNS);
        fill_normal(values[n], &rng, 0.0f, 1.0f);
    }
    fill_normal(d_out, &rng, 0.0f, 1.0f);
    AttentionShape shape = self_attention_shape(BATCH, TIME, HEADS, false);
    shape.key_counts = counts, shape.query_regions = query_regions, shape.key_regions = key_regions;
    Tensor *q = tape_variable(tape, values[0]), *k = tape_variable(tape, values[1]),
           *v = tape_variable(tape, values[2]);
    Tensor *out = attention(q, k, v, shape);
    backward_from(out, d_out);
    ck_assert(all_finite(q->gradient) && all_finite(k->gradient) && all_finite(v->gradient));
    for (int row = 0; row < BATCH * TIME; row++) {
        const int keys = row < TIME ? 0 : seen[row - TIME];
        ck_assert_msg((norm(matrix_rows(out->value, row, 1)) > 0.0) == (keys > 0), "row %d", row);
        ck_assert_msg((norm(matrix_rows(q->gradient, row, 1)) > 1e-5) == (keys > 1), "row %d", row);
    }
    const int unseen[] = {0, 1, 2, 3, 4, 7, 9}; // rows of padding, of region −1, behind the count
    for (int i = 0; i < 7; i++) {
        ck_assert(norm(matrix_rows(k->gradient, unseen[i], 1)) == 0.0);
        ck_assert(norm(matrix_rows(v->gradient, unseen[i], 1)) == 0.0);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(one_key_gives_its_value_to_the_last_bit)
{
    Arena *arena = arena_new();
    Matrix q = matrix_new(arena, 3, 4), k = matrix_new(arena, 3, 4), v = matrix_new(arena, 3, 4),
           out = matrix_new(arena, 3, 4);
    Rng rng = rng_new(18, 0);
    fill_normal(q, &rng, 0.0f, 100.0f), fill_normal(k, &rng, 0.0f, 100.0f), fill_normal(v, &rng, 0.0f, 1.0f);
    for (int causal = 0; causal < 2; causal++) {
        attention_forward(arena, out, matrix_new(arena, 3, 2), q, k, v,
                          self_attention_shape(3, 1, 2, causal));
        ck_assert(largest_difference(out, v) == 0.0f);
    }
    arena_free(arena);
}
END_TEST

// The bits of the whole, when the same sequences of different lengths are read on with a cache, by ones and by more.
START_TEST(reading_on_with_a_cache_gives_the_same_bits)
{
    enum { BATCH = 3, TIME = 80, HEADS = 4, GROUPS = 2, WIDTH = 6, CAPACITY = 90, KEYS = GROUPS * WIDTH };
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    tape_record(tape, false);
    Case c = self_case(arena, BATCH, TIME, HEADS, GROUPS, WIDTH);
    Matrix whole = build_self_attention(tape, &c)->value, qkv = c.q->value;
    int lengths[BATCH] = {0};
    AttentionCache cache = {matrix_new(arena, BATCH * CAPACITY, KEYS),
                            matrix_new(arena, BATCH * CAPACITY, KEYS), CAPACITY, lengths};
    for (int count = 1; lengths[0] + count <= TIME; count = count % 5 + 1) {
        Matrix rows = matrix_new(arena, BATCH * count, qkv.cols);
        for (int b = 0; b < BATCH; b++)
            copy(matrix_rows(rows, b * count, count), matrix_rows(qkv, b * TIME + lengths[b], count));
        Matrix found =
            cached_self_attention(
                tape_input(tape, rows), cache,
                ((AttentionShape){.batch = BATCH, .queries = count, .heads = HEADS, .key_heads = GROUPS}))
                ->value;
        for (int b = 0; b < BATCH; b++) {
            const Matrix expected = matrix_rows(whole, b * TIME + lengths[b], count);
            ck_assert_msg(memcmp(matrix_row(found, b * count), expected.data,
                                 matrix_size(expected) * sizeof(float)) == 0,
                          "sequence %d, %d positions after %d", b, count, lengths[b]);
            lengths[b] += count;
        }
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(self_attention_equals_attention_bit_for_bit)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    const int heads = 4, groups = 2, width = 5;
    Case c = self_case(arena, 2, 70, heads, groups, width);
    Matrix qkv = c.q->value, q = matrix_new(arena, 140, heads * width),
           k = matrix_new(arena, 140, groups * width), v = matrix_new(arena, 140, groups * width);
    copy_columns(q, 0, qkv, 0, heads * width);
    copy_columns(k, 0, qkv, heads * width, groups * width);
    copy_columns(v, 0, qkv, (heads + groups) * width, groups * width);
    Matrix together = build_self_attention(tape, &c)->value,
           apart = attention(tape_input(tape, q), tape_input(tape, k), tape_input(tape, v), c.shape)->value;
    ck_assert(memcmp(together.data, apart.data, matrix_size(apart) * sizeof(float)) == 0);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// As a cache of keys and values makes it: 1, 2, … queries at the end of as many keys as there are by then.
START_TEST(a_query_asked_alone_gives_the_same_bits)
{
    Arena *arena = arena_new();
    enum { TIME = 200, HEADS = 4, GROUPS = 2, WIDTH = 6 };
    Case c = filled_case(arena, (Size){.shape = {.batch = 1,
                                                 .queries = TIME,
                                                 .keys = TIME,
                                                 .heads = HEADS,
                                                 .key_heads = GROUPS,
                                                 .causal = true},
                                       .width = WIDTH});
    Matrix out = matrix_new(arena, TIME, HEADS * WIDTH), log_sums = matrix_new(arena, TIME, HEADS);
    attention_forward(arena, out, log_sums, c.q->value, c.k->value, c.v->value, c.shape);
    for (int first = 0, count = 1; first < TIME; first += count, count = count % 13 + 1) {
        if (first + count > TIME) count = TIME - first;
        AttentionShape shape = c.shape;
        shape.queries = count;
        shape.keys = first + count;
        Matrix few = matrix_new(arena, count, HEADS * WIDTH), few_sums = matrix_new(arena, count, HEADS);
        attention_forward(arena, few, few_sums, matrix_rows(c.q->value, first, count),
                          matrix_rows(c.k->value, 0, first + count),
                          matrix_rows(c.v->value, 0, first + count), shape);
        ck_assert_msg(memcmp(few.data, matrix_row(out, first), matrix_size(few) * sizeof(float)) == 0,
                      "queries %d to %d", first, first + count - 1);
    }
    arena_free(arena);
}
END_TEST

// The keys of each head in blocks, the values of each head in rows of their own, with room behind; put in one after another.
START_TEST(keys_in_blocks_give_the_same_bits)
{
    Arena *arena = arena_new();
    enum { TIME = 200, HEADS = 4, GROUPS = 2, WIDTH = 6, CAPACITY = 210 };
    Case c = filled_case(arena, (Size){.shape = {.batch = 1,
                                                 .queries = TIME,
                                                 .keys = TIME,
                                                 .heads = HEADS,
                                                 .key_heads = GROUPS,
                                                 .causal = true},
                                       .width = WIDTH});
    const size_t step = key_blocks_size(CAPACITY, WIDTH);
    ck_assert_uint_eq(step, 256 * WIDTH);
    Matrix out = matrix_new(arena, TIME, HEADS * WIDTH), log_sums = matrix_new(arena, TIME, HEADS);
    Matrix keys = matrix_new(arena, GROUPS, (int)step), values = matrix_new(arena, GROUPS, (int)step),
           found = matrix_new(arena, TIME, HEADS * WIDTH);
    fill(keys, NAN);
    fill(values, NAN);
    attention_forward(arena, out, log_sums, c.q->value, c.k->value, c.v->value, c.shape);
    for (int first = 0, count = 1; first < TIME; first += count, count = count % 13 + 1) {
        if (first + count > TIME) count = TIME - first;
        for (int g = 0; g < GROUPS; g++) {
            const Columns k = columns_from(c.k->value, g * WIDTH), v = columns_from(c.v->value, g * WIDTH);
            key_blocks_put(matrix_row(keys, g), first, columns_at(k, first, 0), count, WIDTH);
            for (int i = first; i < first + count; i++)
                memcpy(matrix_row(values, g) + i * WIDTH, columns_at(v, i, 0).data, WIDTH * sizeof(float));
        }
        AttentionShape shape = c.shape;
        shape.queries = count;
        shape.keys = first + count;
        AttentionHeads heads = {.shape = attention_shape_complete(shape, WIDTH),
                                .width = WIDTH,
                                .head_step = step,
                                .key_blocks = true,
                                .log_sums = matrix_new(arena, count, HEADS)};
        heads.x = (QueriesKeysValues){columns_from(matrix_rows(c.q->value, first, count), 0),
                                      {keys.data, KEY_BLOCK},
                                      {values.data, WIDTH}};
        heads.out = columns_from(matrix_rows(found, first, count), 0);
        attention_heads_forward(arena, &heads);
    }
    ck_assert(memcmp(found.data, out.data, matrix_size(out) * sizeof(float)) == 0);
    arena_free(arena);
}
END_TEST

// ---- Positions ------------------------------------------------------------------------------------------------

typedef struct {
    Tensor *x, *table;
    RotaryShape shape;
    const int *labels;
} Positions;

static Tensor *build_rotary(Tape *tape, void *context)
{
    Positions *c = context;
    return rotary(tape_parameter(tape, c->x), c->shape);
}

static Tensor *build_add_positions(Tape *tape, void *context)
{
    Positions *c = context;
    return add_positions(tape_parameter(tape, c->x), c->table, c->shape.time);
}

static Positions position_case(Arena *arena, int batch, int time, int heads, int width)
{
    Positions c = {.x = parameter_new(arena, batch * time, heads * width),
                   .table = parameter_new(arena, time + 2, heads * width),
                   .shape = {.time = time, .heads = heads}};
    Rng rng = rng_new(10, 0);
    fill_normal(c.x->value, &rng, 0.0f, 1.0f);
    fill_normal(c.table->value, &rng, 0.0f, 1.0f);
    return c;
}

START_TEST(rotary_positions_equal_their_definition)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    const int sizes[][4] = {{2, 5, 3, 2}, {1, 17, 2, 8}, {3, 300, 1, 6}, {1, 3, 2, 300}};
    for (int n = 0; n < 4; n++) {
        Positions c = position_case(arena, sizes[n][0], sizes[n][1], sizes[n][2], sizes[n][3]);
        c.shape.first = n * 100;
        c.shape.base = n == 2 ? 500.0f : 0.0f;
        const double base = n == 2 ? 500 : 10000;
        Matrix y = build_rotary(tape, &c)->value, x = c.x->value;
        const int width = sizes[n][3], half = width / 2;
        if (sizes[n][2] > 1) { // all heads but the last, which must stay as it is
            c.shape.heads--;
            c.shape.width = width;
            y = build_rotary(tape, &c)->value;
        }
        for (int row = 0; row < x.rows; row++) {
            for (int column = 0; column < x.cols; column++) {
                if (column >= c.shape.heads * width) {
                    ck_assert(AT(y, row, column) == AT(x, row, column));
                    continue;
                }
                const int j = column % width % half, head = column / width * width;
                const double angle = (row % c.shape.time + c.shape.first) * pow(base, -2.0 * j / width);
                const double a = (double)AT(x, row, head + j), b = (double)AT(x, row, head + j + half);
                const double expected =
                    column % width < half ? a * cos(angle) - b * sin(angle) : a * sin(angle) + b * cos(angle);
                ck_assert_msg(fabs((double)AT(y, row, column) - expected) < 1e-4,
                              "case %d, (%d, %d): got %g, expected %g", n, row, column,
                              (double)AT(y, row, column), expected);
            }
        }
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// A sequence that begins later is rotated as the later rows of one that begins at 0.
START_TEST(each_sequence_is_rotated_from_its_own_first_position)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Positions c = position_case(arena, 3, 4, 2, 6);
    const int firsts[] = {5, 0, 130};
    c.shape.firsts = firsts;
    Matrix y = build_rotary(tape, &c)->value;
    for (int b = 0; b < 3; b++) {
        RotaryShape alone = {.time = 4, .heads = 2, .first = firsts[b]};
        Matrix expected = matrix_new(arena, 4, 12);
        rotary_forward(expected, matrix_rows(c.x->value, 4 * b, 4), alone);
        ck_assert(memcmp(expected.data, matrix_row(y, 4 * b), matrix_size(expected) * sizeof(float)) == 0);
    }
    check_operation(build_rotary, &c, (Tensor *[]){c.x}, (const char *[]){"x"}, 1, 3e-3);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// Angle of the one pair number j of a head of `width` ones at position t.
static double angle_of(RotaryShape shape, int width, int j)
{
    Arena *arena = arena_new();
    Matrix x = matrix_new(arena, 1, width), y = matrix_new(arena, 1, width);
    AT(x, 0, j) = 1.0f;
    rotary_forward(y, x, shape);
    const double angle = atan2((double)AT(y, 0, j + width / 2), (double)AT(y, 0, j));
    arena_free(arena);
    return angle;
}

START_TEST(scaled_rotations_equal_their_definitions)
{
    enum { WIDTH = 64, FIRST = 3 };
    const double low = 1, high = 4, trained = 512, factor = 8;
    RotaryShape linear = {.time = 1,
                          .heads = 1,
                          .first = FIRST,
                          .scaling = {.kind = ROTARY_LINEAR, .factor = 8.0f}},
                waves = linear;
    waves.scaling = (RotaryScaling){
        .kind = ROTARY_BY_WAVELENGTH, .factor = 8.0f, .low = 1.0f, .high = 4.0f, .trained = 512};
    int kept = 0, divided = 0, between = 0;
    for (int j = 0; j < WIDTH / 2; j++) {
        const double plain = pow(10000.0, -2.0 * j / WIDTH), wavelength = 2 * acos(-1.0) / plain;
        ck_assert_double_eq_tol(angle_of(linear, WIDTH, j), remainder(FIRST * plain / factor, 2 * acos(-1.0)),
                                1e-6);
        double expected = plain;
        if (wavelength > trained / low) {
            expected = plain / factor;
            divided++;
        } else if (wavelength >= trained / high) {
            const double smooth = (trained / wavelength - low) / (high - low);
            expected = (1 - smooth) * plain / factor + smooth * plain;
            between++;
        } else {
            kept++;
        }
        ck_assert_double_eq_tol(angle_of(waves, WIDTH, j), remainder(FIRST * expected, 2 * acos(-1.0)), 1e-6);
    }
    ck_assert(kept > 2 && divided > 2 && between > 2);
}
END_TEST

START_TEST(rotary_products_depend_on_the_distance_alone)
{
    Arena *arena = arena_new();
    Positions c = position_case(arena, 1, 2, 1, 8);
    Matrix y = matrix_new(arena, 2, 8);
    double products[2];
    for (int n = 0; n < 2; n++) {
        c.shape.first = 3 + 50 * n;
        rotary_forward(y, c.x->value, c.shape);
        products[n] = dot(matrix_rows(y, 0, 1), matrix_rows(y, 1, 1));
    }
    ck_assert_msg(fabs(products[0] - products[1]) < 1e-5, "%g and %g", products[0], products[1]);
    arena_free(arena);
}
END_TEST

START_TEST(sinusoidal_positions_equal_their_definition)
{
    Arena *arena = arena_new();
    const int sizes[][2] = {{5, 6}, {40, 7}, {3, 301}, {100, 1}};
    for (int n = 0; n < 4; n++) {
        Matrix table = matrix_new(arena, sizes[n][0], sizes[n][1]);
        sinusoidal_positions(table);
        for (int t = 0; t < table.rows; t++) {
            for (int j = 0; j < table.cols; j++) {
                const double angle = t / pow(10000.0, (double)(j / 2 * 2) / table.cols);
                const double expected = j % 2 ? cos(angle) : sin(angle);
                ck_assert_msg(fabs((double)AT(table, t, j) - expected) < 1e-5,
                              "%d × %d, (%d, %d): got %g, expected %g", table.rows, table.cols, t, j,
                              (double)AT(table, t, j), expected);
            }
        }
    }
    arena_free(arena);
}
END_TEST

START_TEST(gradients_of_positions)
{
    Arena *arena = arena_new();
    Positions c = position_case(arena, 3, 5, 2, 4);
    check_operation(build_rotary, &c, (Tensor *[]){c.x}, (const char *[]){"x"}, 1, 2e-3);
    c.shape.heads = 1;
    c.shape.width = 6;
    check_operation(build_rotary, &c, (Tensor *[]){c.x}, (const char *[]){"x"}, 1, 2e-3);
    check_operation(build_add_positions, &c, (Tensor *[]){c.x, c.table}, (const char *[]){"x", "table"}, 2,
                    2e-3);
    arena_free(arena);
}
END_TEST

// ---- An output tied to a table ----------------------------------------------------------------------------------

static Tensor *build_product_transposed(Tape *tape, void *context)
{
    Positions *c = context;
    return product_transposed(tape_parameter(tape, c->x), c->table);
}

static Tensor *build_tied(Tape *tape, void *context)
{
    Positions *c = context;
    return tied_cross_entropy(tape_parameter(tape, c->x), c->table, c->labels);
}

START_TEST(gradients_of_tied_outputs)
{
    Arena *arena = arena_new();
    Positions c = position_case(arena, 1, 7, 1, 5);
    const int labels[] = {0, 8, LABEL_IGNORED, 3, 3, 1, 7};
    c.labels = labels;
    check_operation(build_product_transposed, &c, (Tensor *[]){c.x, c.table}, (const char *[]){"x", "table"},
                    2, 2e-3);
    check_operation(build_tied, &c, (Tensor *[]){c.x, c.table}, (const char *[]){"x", "table"}, 2, 2e-3);
    arena_free(arena);
}
END_TEST

START_TEST(tied_cross_entropy_equals_its_parts_bit_for_bit)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    enum { ROWS = 75, CLASSES = 20000, WIDTH = 3 }; // three blocks of rows
    Tensor *x = parameter_new(arena, ROWS, WIDTH), *table = parameter_new(arena, CLASSES, WIDTH);
    Rng rng = rng_new(11, 0);
    fill_normal(x->value, &rng, 0.0f, 1.0f);
    fill_normal(table->value, &rng, 0.0f, 1.0f);
    int labels[ROWS];
    for (int i = 0; i < ROWS; i++) labels[i] = i % 10 == 7 ? LABEL_IGNORED : (int)rng_below(&rng, CLASSES);
    float losses[2];
    Matrix d_x[2], d_table[2];
    for (int n = 0; n < 2; n++) {
        Tensor *in = tape_parameter(tape, x);
        Tensor *loss =
            n ? cross_entropy(product_transposed(in, table), labels) : tied_cross_entropy(in, table, labels);
        x->has_gradient = table->has_gradient = false;
        backward(loss);
        losses[n] = loss->value.data[0];
        d_x[n] = matrix_copy(arena, x->gradient);
        d_table[n] = matrix_copy(arena, table->gradient);
    }
    ck_assert_msg(losses[0] == losses[1], "%.9g and %.9g", (double)losses[0], (double)losses[1]);
    ck_assert(memcmp(d_x[0].data, d_x[1].data, matrix_size(d_x[0]) * sizeof(float)) == 0);
    ck_assert(largest_difference(d_table[0], d_table[1]) == 0.0f);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// ---- Shapes -----------------------------------------------------------------------------------------------------

typedef struct {
    AttentionShape shape;
    int q[2], k[2], v[2];
} Shapes;

static void ask_wrongly(void *context)
{
    const Shapes *s = context;
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    attention(tape_input(tape, matrix_new(arena, s->q[0], s->q[1])),
              tape_input(tape, matrix_new(arena, s->k[0], s->k[1])),
              tape_input(tape, matrix_new(arena, s->v[0], s->v[1])), s->shape);
}

static void ask_self_wrongly(void *context)
{
    (void)context;
    Tape *tape = tape_new();
    self_attention(tape_input(tape, matrix_new(arena_new(), 10, 16)), self_attention_shape(2, 5, 2, true));
}

static void turn_odd_heads(void *context)
{
    (void)context;
    rotary(tape_input(tape_new(), matrix_new(arena_new(), 4, 6)), ((RotaryShape){.time = 4, .heads = 2}));
}

static void too_few_positions(void *context)
{
    (void)context;
    Tape *tape = tape_new();
    Arena *arena = arena_new();
    add_positions(tape_input(tape, matrix_new(arena, 6, 2)), tape_input(tape, matrix_new(arena, 2, 2)), 3);
}

static void table_too_wide(void *context)
{
    (void)context;
    Tape *tape = tape_new();
    Arena *arena = arena_new();
    product_transposed(tape_input(tape, matrix_new(arena, 6, 2)), tape_input(tape, matrix_new(arena, 9, 3)));
}

static void label_too_large(void *context)
{
    (void)context;
    Tape *tape = tape_new();
    Arena *arena = arena_new();
    tied_cross_entropy(tape_input(tape, matrix_new(arena, 1, 2)), tape_input(tape, matrix_new(arena, 9, 2)),
                       (int[]){9});
}

START_TEST(wrong_shapes_are_named)
{
    AttentionShape s = {.batch = 2, .queries = 3, .keys = 4, .heads = 2};
    Shapes rows = {s, {6, 4}, {9, 4}, {8, 4}}, width = {s, {6, 4}, {8, 6}, {8, 4}},
           heads = {s, {6, 5}, {8, 5}, {8, 5}};
    expect_death(ask_wrongly, &rows, "attention: k (9 × 4) is not 2 sequences of 4 positions");
    expect_death(ask_wrongly, &width,
                 "attention: 2 heads of width 2 meet k (8 × 6) and v (8 × 4), 2 heads each");
    expect_death(ask_wrongly, &heads, "attention: 5 columns for 2 heads");
    s.key_heads = 3;
    expect_death(ask_wrongly, &((Shapes){.shape = s}), "attention: 2 heads with 3 key heads");
    s.key_heads = 0;
    s.key_counts = (int[]){4, 5};
    expect_death(ask_wrongly, &((Shapes){.shape = s}), "attention: 5 of 4 keys count in sequence 1");
    expect_death(ask_self_wrongly, NULL, "self_attention: 16 columns for 6 heads in all");
    expect_death(turn_odd_heads, NULL, "rotary: x (4 × 6) with 2 heads");
    expect_death(too_few_positions, NULL, "add_positions: 3 positions of x (6 × 2), a table (2 × 2)");
    expect_death(table_too_wide, NULL, "product_transposed: (6 × 2) · (9 × 3)ᵀ");
    expect_death(label_too_large, NULL, "tied_cross_entropy: label 9 (row 0) for 9 classes");
}
END_TEST

// Scores that are all −∞, hold +∞ or a NaN: the blocks answer as the plain loops do, with NaN, and only there.
START_TEST(undefined_scores_are_not_hidden)
{
    Arena *arena = arena_new();
    const float far[] = {-INFINITY, INFINITY, NAN};
    for (int keys = 3; keys <= 150; keys += 49) {
        for (int f = 0; f < 3; f++) {
            Case c = filled_case(
                arena, (Size){.shape = {.batch = 1, .queries = 9, .keys = keys, .heads = 1, .causal = true},
                              .width = 1});
            for (int j = 0; j < keys; j++) c.k->value.data[j] = 0.5f + (float)(j % 3);
            for (int i = 0; i < 9; i++) c.q->value.data[i] = 1.0f;
            c.q->value.data[7] = far[f];
            Matrix fast = matrix_new(arena, 9, 1), naive = matrix_new(arena, 9, 1),
                   sums = matrix_new(arena, 9, 1);
            attention_forward(arena, fast, sums, c.q->value, c.k->value, c.v->value, c.shape);
            attention_naive_forward(arena, naive, (Matrix){0, 0, NULL}, c.q->value, c.k->value, c.v->value,
                                    c.shape);
            for (int i = 0; i < 9; i++) {
                ck_assert_msg(isnan(fast.data[i]) == (i == 7) && isnan(naive.data[i]) == (i == 7),
                              "%d keys, score %g, query %d: %g and %g", keys, (double)far[f], i,
                              (double)fast.data[i], (double)naive.data[i]);
                ck_assert(i == 7 || fabsf(fast.data[i] - naive.data[i]) < 1e-5f);
            }
        }
    }
    arena_free(arena);
}
END_TEST

// Many keys share scores so large that the logarithm of their sum is, as a float, the score itself.
START_TEST(gradients_keep_their_digits_under_huge_scores)
{
    enum { KEYS = 150 };
    const float sizes[] = {1e2f, 1e4f, 1e6f, 1e8f, 1e20f};
    for (int queries = 3; queries <= 80; queries += 77)
        for (int s = 0; s < 5; s++) {
            Arena *arena = arena_new();
            Rng rng = rng_new(3, 0);
            const AttentionShape shape = {
                .batch = 1, .queries = queries, .keys = KEYS, .heads = 1, .scale = 1.0f};
            Matrix q = matrix_new(arena, queries, 1), k = matrix_new(arena, KEYS, 1),
                   v = matrix_new(arena, KEYS, 1);
            Matrix out = matrix_new(arena, queries, 1), d_out = matrix_new(arena, queries, 1);
            Matrix log_sums = matrix_new(arena, queries, 1), fast[3], naive[3];
            for (int i = 0; i < queries; i++) q.data[i] = i % 2 ? sizes[s] : -sizes[s];
            for (int j = 0; j < KEYS; j++) k.data[j] = j % 3 ? 1.0f : -1.0f;
            fill_uniform(v, &rng, -1.0f, 1.0f);
            fill_uniform(d_out, &rng, 0.5f, 1.5f);
            for (int g = 0; g < 3; g++) {
                fast[g] = matrix_new(arena, g ? KEYS : queries, 1);
                naive[g] = matrix_new(arena, g ? KEYS : queries, 1);
            }
            attention_forward(arena, out, log_sums, q, k, v, shape);
            attention_backward(arena, fast[0], fast[1], fast[2], (Matrix){0, 0, NULL}, d_out, out, log_sums,
                               q, k, v, shape);
            attention_naive_backward(arena, naive[0], naive[1], naive[2], (Matrix){0, 0, NULL}, d_out, q, k,
                                     v, shape);
            for (int g = 1; g < 3; g++) {
                const double room = 1e-4 * norm(naive[g]) / sqrt((double)KEYS);
                ck_assert_msg((double)largest_difference(fast[g], naive[g]) <= room,
                              "%d queries, scores of %g: gradient %d differs by %g", queries,
                              (double)sizes[s], g, (double)largest_difference(fast[g], naive[g]));
            }
            arena_free(arena);
        }
}
END_TEST

SUITE("attention", blocks_equal_plain_loops, weights_are_probabilities_of_what_is_seen,
      large_scores_do_not_overflow, gradients_of_attention, gradients_of_self_attention,
      self_attention_equals_attention_bit_for_bit, regions_equal_sequences_of_their_own,
      a_query_that_sees_nothing_gives_zeros_and_no_gradient, one_key_gives_its_value_to_the_last_bit,
      reading_on_with_a_cache_gives_the_same_bits, a_query_asked_alone_gives_the_same_bits,
      keys_in_blocks_give_the_same_bits, rotary_positions_equal_their_definition,
      each_sequence_is_rotated_from_its_own_first_position, scaled_rotations_equal_their_definitions,
      rotary_products_depend_on_the_distance_alone, sinusoidal_positions_equal_their_definition,
      gradients_of_positions, gradients_of_tied_outputs, tied_cross_entropy_equals_its_parts_bit_for_bit,
      wrong_shapes_are_named, undefined_scores_are_not_hidden, gradients_keep_their_digits_under_huge_scores)
