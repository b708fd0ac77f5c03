// OpenBLAS's product. Its argument chooses the build, openmp or pthread; loaded at run time, so nothing is
// needed to build.
#include "openblas_build.h"
#include "peer.h"

typedef void Sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                   const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);

enum { ROW_MAJOR = 101, AS_IT_IS = 111 };

static Sgemm *sgemm;

static void product(int m, int k, int n, const float *a, const float *b, float *c)
{
    sgemm(ROW_MAJOR, AS_IT_IS, AS_IT_IS, m, n, k, 1.0f, a, k, b, n, 0.0f, c, n);
}

int main(int argc, char **argv)
{
    void *library = openblas_open(argc > 1 ? argv[1] : "openmp");
    if (!library) return 1;
    sgemm = (Sgemm *)dlsym(library, "cblas_sgemm");
    char *(*config)(void) = (char *(*)(void))dlsym(library, "openblas_get_config");
    char *(*core)(void) = (char *(*)(void))dlsym(library, "openblas_get_corename");
    if (!sgemm || !config || !core) return 1;
    char title[256];
    snprintf(title, sizeof title, "%s, kernels for %s", config(), core());
    return serve_gemm(title, product);
}
