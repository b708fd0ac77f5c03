// 20.2-one-too-many.c: keeps k + 1.
// expect-fail: 20.2
#include "exercise.h"

void keep_top_k(Matrix p, int k)
{
    Arena *arena = arena_new();
    bool *taken = arena_zeros(arena, (size_t)p.cols, sizeof *taken);
    for (int n = 0; n < k + 1 && n < p.cols; n++) taken[most_likely(p, taken)] = true;
    keep_taken(p, taken);
    arena_free(arena);
}
