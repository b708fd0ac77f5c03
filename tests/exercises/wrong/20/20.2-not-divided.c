// 20.2-not-divided.c: what is left does not sum to 1.
// expect-fail: 20.2
#include "exercise.h"

void keep_top_k(Matrix p, int k)
{
    Arena *arena = arena_new();
    bool *taken = arena_zeros(arena, (size_t)p.cols, sizeof *taken);
    for (int n = 0; n < k; n++) taken[most_likely(p, taken)] = true;
    for (int i = 0; i < p.cols; i++) p.data[i] = taken[i] ? p.data[i] : 0.0f;
    arena_free(arena);
}
