// gemm.h: the general matrix product, C = op(A) · op(B) or C += op(A) · op(B), fast and in one order of summation.
//
// Each element of C is one chain of fused multiply-adds over k = 0, 1, 2, … (starting from 0, or from C when
// accumulating): the vectors run across columns and the threads across blocks of C, so neither changes a bit.
// gemm_naive is three loops with the same chain; it is the oracle: the two agree bit for bit.
//
// A is stored (M × K), or (K × M) when transpose_a; B is (K × N), or (N × K) when transpose_b; C is (M × N). lda, ldb and
// ldc are the distances, in floats, from one stored row to the next. C must not overlap A or B. K = 0 gives zeros.
#pragma once
#include "base/arena.h"

typedef struct {
    int m, n, k;                   // C is (m × n), the sums run over k
    bool transpose_a, transpose_b; // the factor is stored the other way round
    bool accumulate;               // add to C instead of overwriting it
} GemmShape;

void gemm(GemmShape shape, const float *a, int lda, const float *b, int ldb, float *c, int ldc);
void gemm_naive(GemmShape shape, const float *a, int lda, const float *b, int ldb, float *c, int ldc);

// Work on rows of A before a product, or on rows of C behind it. prepare and finish are called for the rows first … first + count
// − 1, for each row once, by several threads, and look at no other rows. Either may be NULL.
typedef struct GemmRows {
    void (*prepare)(const void *context, int first, int count);
    void (*finish)(const void *context, int first, int count);
    const void *context;
    int operations; // that a number of a row takes, for parallel.h; 0: one
} GemmRows;

// The product and the work, as if by prepare(context, 0, M), gemm(…), finish(context, 0, M). A tall product is done in pieces of
// rows, so that the work finds its piece in the cache. A is not transposed.
void gemm_with_rows(GemmShape shape, const float *a, int lda, const float *b, int ldb, float *c, int ldc,
                    GemmRows rows);

// work(context, …) on count rows of length numbers, shared between threads
void gemm_each_row(void (*work)(const void *context, int first, int count), const GemmRows *rows, int count,
                   int length);

// A second factor that meets many first ones, as the weights of a recurrent network do: brought once into the order in
// which it is read. op(B) is (k × n), stored as for gemm. The copy lives in the arena.
typedef struct {
    int k, n;
    const float *strips;
} GemmFactor;

GemmFactor gemm_pack(Arena *arena, int k, int n, bool transpose_b, const float *b, int ldb);

// C (m × n) = A (m × k) · B, or C += when accumulating: the same bits as gemm. On the calling thread alone: for loops
// that are themselves shared between threads.
void gemm_packed(int m, bool accumulate, const float *a, int lda, const GemmFactor *b, float *c, int ldc);

// to (columns × rows) = from (rows × columns) transposed; the steps are the distances from row to row, as above.
void copy_transposed(float *to, size_t to_step, const float *from, size_t from_step, int rows, int columns);
