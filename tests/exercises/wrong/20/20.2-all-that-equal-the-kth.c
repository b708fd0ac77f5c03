// 20.2-all-that-equal-the-kth.c: keeps every token that is as likely as the k-th.
// expect-fail: 20.2
#include "exercise.h"

void keep_top_k(Matrix p, int k)
{
    Arena *arena = arena_new();
    bool *taken = arena_zeros(arena, (size_t)p.cols, sizeof *taken);
    float limit = 0.0f;
    for (int n = 0; n < k; n++) {
        int next = most_likely(p, taken);
        taken[next] = true;
        limit = p.data[next];
    }
    for (int i = 0; i < p.cols; i++) taken[i] = p.data[i] >= limit;
    keep_taken(p, taken);
    arena_free(arena);
}
