// 20.2-the-first-k.c: keeps the first k tokens, not the most likely.
// expect-fail: 20.2
#include "exercise.h"

void keep_top_k(Matrix p, int k)
{
    Arena *arena = arena_new();
    bool *taken = arena_zeros(arena, (size_t)p.cols, sizeof *taken);
    for (int n = 0; n < k; n++) taken[n] = true;
    keep_taken(p, taken);
    arena_free(arena);
}
