// peer.h: the conversation of a peer with the harness; see bench.h.
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../timing.h"

// Single precision product C (m × n) = A (m × k) · B (k × n), row-major, rows without gaps.
typedef void Product(int m, int k, int n, const float *a, const float *b, float *c);

typedef struct {
    Product *product;
    int m, k, n;
    float *a, *b, *c;
} GemmTask;

static inline void gemm_call(void *context)
{
    const GemmTask *t = context;
    t->product(t->m, t->k, t->n, t->a, t->b, t->c);
}

// rows · columns numbers, on a cache line.
static inline float *new_numbers(int rows, int columns)
{
    const size_t count = (size_t)rows * (size_t)columns;
    float *data = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    if (!data) exit(1);
    for (size_t i = 0; i < count; i++) data[i] = (float)(i % 17) * 0.125f - 1.0f;
    return data;
}

static inline double gemm_gflops(double seconds, int m, int k, int n, Product *product)
{
    GemmTask t = {product, m, k, n, new_numbers(m, k), new_numbers(k, n), new_numbers(m, n)};
    const double gflops = 2e-9 * m * k * n * calls_per_second(seconds, gemm_call, &t);
    free(t.a);
    free(t.b);
    free(t.c);
    return gflops;
}

// Says who we are and answers "SECONDS gemm M K N" until there are no more questions.
static inline int serve_gemm(const char *title, Product *product)
{
    printf("ready %s\n", title);
    fflush(stdout);
    char line[256];
    while (fgets(line, sizeof line, stdin)) {
        double seconds;
        int m, k, n;
        if (sscanf(line, "%lf gemm %d %d %d", &seconds, &m, &k, &n) == 4)
            printf("%.6g\n", gemm_gflops(seconds, m, k, n, product));
        else
            printf("no\n");
        fflush(stdout);
    }
    return 0;
}
