// The matrix product, in 10⁹ floating-point operations a second, against other libraries. A row gemm_MxKxN
// is the product (M × K) · (K × N); gemm_N is gemm_NxNxN.
#include "base/base.h"
#include "bench.h"
#include "matrix/gemm.h"
#include "peers/peer.h"

static void product(int m, int k, int n, const float *a, const float *b, float *c)
{
    gemm((GemmShape){.m = m, .n = n, .k = k}, a, k, b, n, c, n);
}

typedef struct {
    int m, k, n;
} Shape;

static double block(double seconds, void *context)
{
    const Shape *s = context;
    return gemm_gflops(seconds, s->m, s->k, s->n, product);
}

int main(void)
{
    static const BenchPeer peers[] = {
        {.label = "OpenBLAS", .program = "openblas", .argument = "openmp", .bar = 1.0},
        {.label = "OpenBLAS-pthread", .program = "openblas", .argument = "pthread", .bar = 1.0},
        {.label = "oneDNN", .program = "onednn", .bar = 0.9},
        {.label = "numpy", .program = "numpy_peer.py"},
        {.label = "PyTorch", .program = "pytorch.py"},
    };
    static Shape shapes[] = {
        {64, 64, 64},       {128, 128, 128},  {256, 256, 256},  {512, 512, 512}, {1024, 1024, 1024},
        {2048, 2048, 2048}, {64, 784, 128},   {32, 1024, 256},  {32, 256, 1024}, {2048, 128, 512}, // layers
        {50176, 9, 16},     {50176, 144, 16}, {12544, 288, 32},                // convolutions as products
        {32, 10, 1},        {10, 32, 1},      {442, 10, 1},     {64, 128, 10}, // first chapters
        {64, 784, 10},      {128, 64, 64},    {8, 8, 8},        {16, 16, 16},    {32, 32, 32},
    };
    bench_begin("gemm", peers, (int)(sizeof peers / sizeof *peers));
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        Shape *s = &shapes[i];
        char name[64], request[64];
        if (s->m == s->k && s->k == s->n)
            snprintf(name, sizeof name, "gemm_%d", s->m);
        else
            snprintf(name, sizeof name, "gemm_%dx%dx%d", s->m, s->k, s->n);
        snprintf(request, sizeof request, "gemm %d %d %d", s->m, s->k, s->n);
        bench_row(
            (BenchRow){.name = name, .metric = "gflops", .block = block, .context = s, .request = request},
            64);
    }
    return bench_end();
}
