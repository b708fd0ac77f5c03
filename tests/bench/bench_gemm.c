// The matrix product, in 10⁹ floating-point operations a second, against other libraries. A row gemm_MxKxN
// is the product (M × K) · (K × N); gemm_N is gemm_NxNxN. It is repeated, and finds its matrices in the cache where they are
// small. A row walk_MxKxN goes through many of one shape, 128 MB, as a model's layers do: shapes of gpt_small and vit.
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

static double repeated(double seconds, void *context)
{
    const Shape *s = context;
    return gemm_gflops(seconds, s->m, s->k, s->n, false, product);
}

static double walked(double seconds, void *context)
{
    const Shape *s = context;
    return gemm_gflops(seconds, s->m, s->k, s->n, true, product);
}

static void rows(const char *how, Shape *shapes, int count, bool outside_bar)
{
    for (int i = 0; i < count; i++) {
        Shape *s = &shapes[i];
        char name[64], request[64];
        if (s->m == s->k && s->k == s->n)
            snprintf(name, sizeof name, "%s_%d", how, s->m);
        else
            snprintf(name, sizeof name, "%s_%dx%dx%d", how, s->m, s->k, s->n);
        snprintf(request, sizeof request, "%s %d %d %d", how, s->m, s->k, s->n);
        BenchRow row = {.name = name, .metric = "gflops", .context = s, .request = request};
        row.block = strcmp(how, "walk") == 0 ? walked : repeated;
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
    static Shape walks[] = {{2048, 128, 512}, {2048, 512, 128}, {3200, 64, 256}};
    bench_begin("gemm", peers, COUNT(peers));
    rows("gemm", squares, COUNT(squares), false);
    rows("gemm", layers, COUNT(layers), false);
    rows("gemm", convolutions, COUNT(convolutions), false);
    rows("gemm", others, COUNT(others), true);
    rows("walk", walks, COUNT(walks), true);
    return bench_end();
}
