// linear.c: linear layers, products and table look-ups. See linear.h.
#include "learning/ops/linear.h"
#include "base/mathf.h"
#include "base/parallel.h"
#include "matrix/columns.h"
#include "matrix/gemm.h"

#include <string.h>

// A layer's rows: what finishes those of y behind the product, or prepares those of d_z, the gradient of x·w + b, before it.
typedef struct {
    Matrix y, b, r, slopes;
    Matrix d_z, d_y;
} LayerRows;

static void finish_sum(const void *context, int first, int count)
{
    const LayerRows *layer = context;
    for (int i = first; i < first + count; i++) {
        float *restrict row = matrix_row(layer->y, i);
        for (int j = 0; j < layer->y.cols; j++) row[j] += layer->b.data[j];
    }
}

void affine_forward(Matrix y, Matrix x, Matrix w, Matrix b)
{
    const LayerRows layer = {.y = y, .b = b};
    const GemmRows rows = {.finish = b.data ? finish_sum : NULL, .context = &layer};
    matmul_with_rows(y, x, w, &rows);
}

void affine_backward(Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_y, Matrix x, Matrix w)
{
    // y = x·w + b: every y_nj holds x_ni · w_ij for all i, and b_j
    if (d_x.data) matmul_nt_add(d_x, d_y, w);
    if (d_w.data) matmul_tn_add(d_w, x, d_y);
    if (d_b.data) add_column_sums(d_b, d_y);
}

static void finish_relu(const void *context, int first, int count)
{
    const LayerRows *layer = context;
    const float *b = layer->b.data;
    for (int i = first; i < first + count; i++) {
        float *restrict row = matrix_row(layer->y, i);
        for (int j = 0; j < layer->y.cols; j++) {
            const float z = b ? row[j] + b[j] : row[j];
            row[j] = z < 0.0f ? 0.0f : z; // a NaN stays one
        }
    }
}

void affine_relu_forward(Matrix y, Matrix x, Matrix w, Matrix b)
{
    const LayerRows layer = {.y = y, .b = b};
    const GemmRows rows = {.finish = finish_relu, .context = &layer};
    matmul_with_rows(y, x, w, &rows);
}

// d_z = d_y where y > 0, else 0
static void relu_mask(const void *context, int first, int count)
{
    const LayerRows *layer = context;
    const size_t from = (size_t)first * (size_t)layer->y.cols,
                 to = from + (size_t)count * (size_t)layer->y.cols;
    const float *d_y = layer->d_y.data, *y = layer->y.data;
    float *d_z = layer->d_z.data; // or d_y itself
#pragma omp simd
    for (size_t i = from; i < to; i++) d_z[i] = y[i] > 0.0f ? d_y[i] : 0.0f;
}

void affine_relu_backward(Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_z, Matrix d_y, Matrix y, Matrix x,
                          Matrix w)
{
    // y = max(0, z)
    const LayerRows layer = {.y = y, .d_y = d_y, .d_z = d_z};
    gemm_each_row(relu_mask, &(GemmRows){.context = &layer}, y.rows, y.cols);
    // z = x·w + b
    affine_backward(d_x, d_w, d_b, d_z, x, w);
}

// row ← gelu(row + b), and its slopes where they are wanted
static void gelu_row(float *restrict row, float *restrict slope, const float *b, int cols)
{
    if (b)
        for (int j = 0; j < cols; j++) row[j] += b[j];
    if (!slope) {
        for (int j = 0; j < cols; j++) row[j] = gelu32(row[j]);
        return;
    }
    for (int j = 0; j < cols; j++) {
        const Gelu gelu = gelu32_and_slope(row[j]);
        row[j] = gelu.value;
        slope[j] = gelu.slope;
    }
}

static void finish_gelu(const void *context, int first, int count)
{
    const LayerRows *layer = context;
    for (int i = first; i < first + count; i++)
        gelu_row(matrix_row(layer->y, i), layer->slopes.data ? matrix_row(layer->slopes, i) : NULL,
                 layer->b.data, layer->y.cols);
}

void affine_gelu_forward(Matrix y, Matrix slopes, Matrix x, Matrix w, Matrix b)
{
    const LayerRows layer = {.y = y, .slopes = slopes, .b = b};
    const GemmRows rows = {.finish = finish_gelu, .context = &layer, .operations = 8};
    matmul_with_rows(y, x, w, &rows);
}

// d_z = d_y ⊙ slopes
static void gelu_slopes(const void *context, int first, int count)
{
    const LayerRows *layer = context;
    const size_t cols = (size_t)layer->d_z.cols, from = (size_t)first * cols,
                 to = from + (size_t)count * cols;
    const float *d_y = layer->d_y.data, *slopes = layer->slopes.data;
    float *d_z = layer->d_z.data; // or d_y itself
#pragma omp simd
    for (size_t i = from; i < to; i++) d_z[i] = d_y[i] * slopes[i];
}

void affine_gelu_backward(Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_z, Matrix d_y, Matrix slopes, Matrix x,
                          Matrix w)
{
    // y = gelu(z)
    const LayerRows layer = {.slopes = slopes, .d_y = d_y, .d_z = d_z};
    gemm_each_row(gelu_slopes, &(GemmRows){.context = &layer}, d_z.rows, d_z.cols);
    // z = x·w + b
    affine_backward(d_x, d_w, d_b, d_z, x, w);
}

static void finish_stream(const void *context, int first, int count)
{
    const LayerRows *layer = context;
    const float *b = layer->b.data;
    for (int i = first; i < first + count; i++) {
        const float *in = matrix_row(layer->r, i);
        float *restrict row = matrix_row(layer->y, i);
        if (b) {
            for (int j = 0; j < layer->y.cols; j++) row[j] = in[j] + (row[j] + b[j]);
        } else {
            for (int j = 0; j < layer->y.cols; j++) row[j] += in[j];
        }
    }
}

void affine_add_forward(Matrix y, Matrix r, Matrix x, Matrix w, Matrix b)
{
    const LayerRows layer = {.y = y, .r = r, .b = b};
    const GemmRows rows = {.finish = finish_stream, .context = &layer};
    matmul_with_rows(y, x, w, &rows);
}

void affine_add_backward(Matrix d_r, Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_y, Matrix x, Matrix w)
{
    // y = r + (x·w + b)
    if (d_r.data) add(d_r, d_r, d_y);
    affine_backward(d_x, d_w, d_b, d_y, x, w);
}

void product_forward(Matrix y, Matrix a, Matrix b) { matmul(y, a, b); }

void product_backward(Matrix d_a, Matrix d_b, Matrix d_y, Matrix a, Matrix b)
{
    // y = a·b
    if (d_a.data) matmul_nt_add(d_a, d_y, b);
    if (d_b.data) matmul_tn_add(d_b, a, d_y);
}

void embedding_forward(Matrix y, Matrix table, const int *ids) { gather_rows(y, table, ids); }

void embedding_backward(Matrix d_table, Matrix d_y, const int *ids)
{
    if (!d_table.data) return;
    // y_i = table row ids_i: an id that occurs twice receives both gradients, in the order of the rows.
    enum { BLOCK = 64 };
    PARALLEL_FOR(parallel_worth(matrix_size(d_y)), block, (d_y.cols + BLOCK - 1) / BLOCK, {
        const int first = block * BLOCK, width = int_min(BLOCK, d_y.cols - first);
        for (int i = 0; i < d_y.rows; i++) {
            float *restrict out = &AT(d_table, ids[i], first);
            const float *restrict in = &AT(d_y, i, first);
            for (int j = 0; j < width; j++) out[j] += in[j];
        }
    });
}

// ---- Taped ------------------------------------------------------------------------------------------------
// Weight gradients are large. Where nothing has been written yet the products overwrite, which saves clearing
// and reading.

// gradient of t += a · bᵀ, whose rows of a are prepared on the way
static void give_product_nt(Tensor *t, Matrix a, Matrix b, GemmRows rows)
{
    bool accumulate;
    Matrix d = tensor_gradient_raw(t, &accumulate);
    if (d.data) {
        matmul_nt_with_rows(d, a, b, accumulate, &rows);
    } else {
        gemm_each_row(rows.prepare, &rows, a.rows, a.cols);
    }
}

// gradient of t += aᵀ · b
static void give_product_tn(Tensor *t, Matrix a, Matrix b)
{
    bool accumulate;
    Matrix d = tensor_gradient_raw(t, &accumulate);
    if (!d.data) return;
    if (accumulate) {
        matmul_tn_add(d, a, b);
    } else {
        matmul_tn(d, a, b);
    }
}

// affine_backward, term by term; rows: what makes d_y
static void give_affine(Tensor *x, Tensor *w, Tensor *b, Matrix d_y, GemmRows rows)
{
    give_product_nt(x, d_y, w->value, rows);
    give_product_tn(w, x->value, d_y);
    Matrix d_b = tensor_gradient(b);
    if (d_b.data) add_column_sums(d_b, d_y);
}

static void need_affine(Place place, const char *name, const Tensor *x, const Tensor *w, const Tensor *b)
{
    check_at(place, x->value.cols == w->value.rows,
             "a weight has one row for each input feature and one column for each output",
             "%s: x (%d × %d) meets a weight (%d × %d)", name, x->value.rows, x->value.cols, w->value.rows,
             w->value.cols);
    check_at(place, !b || (b->value.rows == 1 && b->value.cols == w->value.cols),
             "a bias is (1 × outputs), or NULL", "%s: a weight (%d × %d) with a bias (%d × %d)", name,
             w->value.rows, w->value.cols, b->value.rows, b->value.cols);
}

static void affine_step(Tensor *self)
{
    give_affine(self->inputs[0], self->inputs[1], self->inputs[2], self->gradient, (GemmRows){0});
}

Tensor *affine_at(Place place, Tensor *x, Tensor *w, Tensor *b)
{
    need_affine(place, "affine", x, w, b);
    Tensor *y = tensor_node(place, "affine", x->value.rows, w->value.cols, affine_step, 0, 3, x, w, b);
    affine_forward(y->value, x->value, w->value, b ? b->value : (Matrix){0, 0, NULL});
    return y;
}

static void affine_relu_step(Tensor *self)
{
    Arena *scratch = tape_arena(self->tape);
    ArenaMark mark = arena_mark(scratch);
    const Matrix d_z = tensor_gradient_scratch(self);
    const LayerRows layer = {.y = self->value, .d_y = self->gradient, .d_z = d_z};
    give_affine(self->inputs[0], self->inputs[1], self->inputs[2], d_z,
                (GemmRows){.prepare = relu_mask, .context = &layer});
    arena_rewind(scratch, mark);
}

Tensor *affine_relu_at(Place place, Tensor *x, Tensor *w, Tensor *b)
{
    need_affine(place, "affine_relu", x, w, b);
    Tensor *y =
        tensor_node(place, "affine_relu", x->value.rows, w->value.cols, affine_relu_step, 0, 3, x, w, b);
    affine_relu_forward(y->value, x->value, w->value, b ? b->value : (Matrix){0, 0, NULL});
    return y;
}

static void affine_gelu_step(Tensor *self)
{
    Arena *scratch = tape_arena(self->tape);
    ArenaMark mark = arena_mark(scratch);
    const Matrix d_z = tensor_gradient_scratch(self);
    const LayerRows layer = {.slopes = *(const Matrix *)self->context, .d_y = self->gradient, .d_z = d_z};
    give_affine(self->inputs[0], self->inputs[1], self->inputs[2], d_z,
                (GemmRows){.prepare = gelu_slopes, .context = &layer});
    arena_rewind(scratch, mark);
}

Tensor *affine_gelu_at(Place place, Tensor *x, Tensor *w, Tensor *b)
{
    need_affine(place, "affine_gelu", x, w, b);
    Matrix slopes = {x->value.rows, w->value.cols, NULL};
    Tensor *y = tensor_node(place, "affine_gelu", slopes.rows, slopes.cols, affine_gelu_step, sizeof slopes,
                            3, x, w, b);
    if (y->wants_gradient)
        slopes = matrix_uninitialised_at(place, tape_arena(y->tape), slopes.rows, slopes.cols);
    memcpy(y->context, &slopes, sizeof slopes);
    affine_gelu_forward(y->value, slopes, x->value, w->value, b ? b->value : (Matrix){0, 0, NULL});
    return y;
}

static void affine_add_step(Tensor *self)
{
    give_affine(self->inputs[0], self->inputs[1], self->inputs[2], self->gradient, (GemmRows){0});
    tensor_pass_gradient(self->inputs[3], self);
}

Tensor *affine_add_at(Place place, Tensor *r, Tensor *x, Tensor *w, Tensor *b)
{
    need_affine(place, "affine_add", x, w, b);
    check_at(place, r->value.rows == x->value.rows && r->value.cols == w->value.cols,
             "the stream has the shape of what is added to it", "affine_add: r (%d × %d), x·w (%d × %d)",
             r->value.rows, r->value.cols, x->value.rows, w->value.cols);
    Tensor *y =
        tensor_node(place, "affine_add", r->value.rows, r->value.cols, affine_add_step, 0, 4, x, w, b, r);
    affine_add_forward(y->value, r->value, x->value, w->value, b ? b->value : (Matrix){0, 0, NULL});
    return y;
}

static void product_step(Tensor *self)
{
    give_product_nt(self->inputs[0], self->gradient, self->inputs[1]->value, (GemmRows){0});
    give_product_tn(self->inputs[1], self->inputs[0]->value, self->gradient);
}

Tensor *product_at(Place place, Tensor *a, Tensor *b)
{
    check_at(place, a->value.cols == b->value.rows,
             "the columns of the first factor must equal the rows of the second",
             "product: (%d × %d) · (%d × %d)", a->value.rows, a->value.cols, b->value.rows, b->value.cols);
    Tensor *y = tensor_node(place, "product", a->value.rows, b->value.cols, product_step, 0, 2, a, b);
    product_forward(y->value, a->value, b->value);
    return y;
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
    check_at(place, a->value.cols == b->value.cols, "a row of the table is as wide as a row of x",
             "product_transposed: (%d × %d) · (%d × %d)ᵀ", a->value.rows, a->value.cols, b->value.rows,
             b->value.cols);
    Tensor *y = tensor_node(place, "product_transposed", a->value.rows, b->value.rows,
                            product_transposed_step, 0, 2, a, b);
    matmul_nt(y->value, a->value, b->value);
    return y;
}

static void product_tn_step(Tensor *self)
{
    // y = aᵀ·b: d_a = b·d_yᵀ, d_b = a·d_y. Both may be the same tensor, so each is added on its own.
    Tensor *a = self->inputs[0], *b = self->inputs[1];
    Matrix d_a = tensor_gradient(a);
    if (d_a.data) matmul_nt_add(d_a, b->value, self->gradient);
    Matrix d_b = tensor_gradient(b);
    if (d_b.data) matmul_add(d_b, a->value, self->gradient);
}

Tensor *product_tn_at(Place place, Tensor *a, Tensor *b)
{
    check_at(place, a->value.rows == b->value.rows, "both have one row for each position",
             "product_tn: (%d × %d)ᵀ · (%d × %d)", a->value.rows, a->value.cols, b->value.rows,
             b->value.cols);
    Tensor *y = tensor_node(place, "product_tn", a->value.cols, b->value.cols, product_tn_step, 0, 2, a, b);
    matmul_tn(y->value, a->value, b->value);
    return y;
}

static void embedding_step(Tensor *self)
{
    embedding_backward(tensor_gradient(self->inputs[0]), self->gradient, self->context);
}

Tensor *embedding_at(Place place, Tape *tape, Tensor *table, const int *ids, int count)
{
    check_at(place, count >= 0, "count the ids", "embedding: %d ids", count);
    for (int i = 0; i < count; i++)
        check_at(place, ids[i] >= 0 && ids[i] < table->value.rows,
                 "ids run from 0 to the rows of the table − 1",
                 "embedding: id %d (number %d) into a table (%d × %d)", ids[i], i, table->value.rows,
                 table->value.cols);
    Tensor *y = tensor_node_on(place, tape, "embedding", count, table->value.cols, embedding_step,
                               (size_t)count * sizeof(int), 1, &table);
    if (count) memcpy(y->context, ids, (size_t)count * sizeof(int));
    embedding_forward(y->value, table->value, ids);
    return y;
}
