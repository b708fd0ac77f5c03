// gemm.c: the matrix product. See gemm.h.
#include "matrix/gemm.h"

// C (M × N) = op(A) (M × K) · op(B) (K × N), three plain loops: the oracle of gemm.
void gemm_naive(GemmShape shape, const float *a, int lda, const float *b, int ldb, float *c, int ldc)
{
    for (int i = 0; i < shape.m; i++) {
        for (int j = 0; j < shape.n; j++) {
            float *out = &c[(size_t)i * (size_t)ldc + (size_t)j];
            float total = shape.accumulate ? *out : 0.0f;
            for (int p = 0; p < shape.k; p++) {
                const float x = shape.transpose_a ? a[(size_t)p * (size_t)lda + (size_t)i]
                                                  : a[(size_t)i * (size_t)lda + (size_t)p];
                const float y = shape.transpose_b ? b[(size_t)j * (size_t)ldb + (size_t)p]
                                                  : b[(size_t)p * (size_t)ldb + (size_t)j];
                total = __builtin_fmaf(x, y, total);
            }
            *out = total;
        }
    }
}

void gemm(GemmShape shape, const float *a, int lda, const float *b, int ldb, float *c, int ldc)
{
    gemm_naive(shape, a, lda, b, ldb, c, ldc);
}
