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

static void rows(Shape *shapes, int count, bool outside_bar)
{
    for (int i = 0; i < count; i++) {
        Shape *s = &shapes[i];
        char name[64], request[64];
        if (s->m == s->k && s->k == s->n)
            snprintf(name, sizeof name, "gemm_%d", s->m);
        else
            snprintf(name, sizeof name, "gemm_%dx%dx%d", s->m, s->k, s->n);
        snprintf(request, sizeof request, "gemm %d %d %d", s->m, s->k, s->n);
        BenchRow row = {.name = name, .metric = "gflops", .block = block, .context = s, .request = request};
        row.outside_bar = outside_bar;
        bench_row(row, 64);
    }
}

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void)
{
    static const BenchPeer peers[] = {
        {.label = "OpenBLAS", .program = "openblas", .argument = "openmp", .bar = 1.0},
        {.label = "OpenBLAS-pthread", .program = "openblas", .argument = "pthread", .bar = 1.0},
        {.label = "oneDNN", .program = "onednn", .bar = 0.9},
        {.label = "numpy", .program = "numpy_peer.py"},
        {.label = "PyTorch", .program = "pytorch.py"},
    };
    static Shape squares[] = {
        {64, 64, 64}, {128, 128, 128}, {256, 256, 256}, {512, 512, 512}, {1024, 1024, 1024}};
    static Shape layers[] = {{64, 784, 128}, {32, 1024, 256}, {2048, 128, 512}};
    static Shape convolutions[] = {{50176, 9, 16}, {50176, 144, 16}, {12544, 288, 32}}; // as products
    static Shape others[] = {{2048, 2048, 2048}, {32, 256, 1024}, {128, 64, 64}, {64, 784, 10}, {64, 128, 10},
                             {442, 10, 1},       {32, 10, 1},     {32, 32, 32},  {16, 16, 16},  {8, 8, 8}};
    bench_begin("gemm", peers, COUNT(peers));
    rows(squares, COUNT(squares), false);
    rows(layers, COUNT(layers), false);
    rows(convolutions, COUNT(convolutions), false);
    rows(others, COUNT(others), true);
    return bench_end();
}
