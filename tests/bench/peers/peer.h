// peer.h: the conversation of a peer with the harness; see bench.h.
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../timing.h"

// Single precision product C (m × n) = A (m × k) · B (k × n), row-major, rows without gaps.
typedef void Product(int m, int k, int n, const float *a, const float *b, float *c);

// One product again and again, or a walk through many of the same shape: then each finds its matrices as a model's layer does, not in
// the nearest caches.
enum { WALK = 1 << 25 }; // numbers: 128 MB

typedef struct {
    Product *product;
    int m, k, n;
    int count, next;  // of the products
    float *a, *b, *c; // theirs one behind the other
} GemmTask;

static inline void gemm_call(void *context)
{
    GemmTask *t = context;
    const size_t i = (size_t)t->next;
    t->product(t->m, t->k, t->n, t->a + i * (size_t)(t->m * t->k), t->b + i * (size_t)(t->k * t->n),
               t->c + i * (size_t)(t->m * t->n));
    t->next = (t->next + 1) % t->count;
}

// times · rows · columns numbers, on a cache line.
static inline float *new_numbers(int times, int rows, int columns)
{
    const size_t count = (size_t)times * (size_t)rows * (size_t)columns;
    float *data = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    if (!data) exit(1);
    for (size_t i = 0; i < count; i++) data[i] = (float)(i % 17) * 0.125f - 1.0f;
    return data;
}

static inline double gemm_gflops(double seconds, int m, int k, int n, int walk, Product *product)
{
    const int count = walk ? WALK / (m * k + k * n + m * n) + 1 : 1;
    GemmTask t = {.product = product, .m = m, .k = k, .n = n, .count = count};
    t.a = new_numbers(count, m, k), t.b = new_numbers(count, k, n), t.c = new_numbers(count, m, n);
    const double gflops = 2e-9 * m * k * n * calls_per_second(seconds, gemm_call, &t);
    free(t.a);
    free(t.b);
    free(t.c);
    return gflops;
}

// Says who we are and answers "SECONDS gemm M K N" and "SECONDS walk M K N" until there are no more questions.
static inline int serve_gemm(const char *title, Product *product)
{
    printf("ready %s\n", title);
    fflush(stdout);
    char line[256];
    while (fgets(line, sizeof line, stdin)) {
        double seconds;
        int m, k, n;
        char how[8];
        if (sscanf(line, "%lf %7s %d %d %d", &seconds, how, &m, &k, &n) == 5)
            printf("%.6g\n", gemm_gflops(seconds, m, k, n, strcmp(how, "walk") == 0, product));
        else
            printf("no\n");
        fflush(stdout);
    }
    return 0;
}
