// 20.3-by-probability.c: keeps the tokens that are more likely than 1 − share.
// expect-fail: 20.3
#include "exercise.h"

void keep_nucleus(Matrix p, float share)
{
    Arena *arena = arena_new();
    bool *taken = arena_zeros(arena, (size_t)p.cols, sizeof *taken);
    taken[most_likely(p, taken)] = true;
    for (int i = 0; i < p.cols; i++) taken[i] = taken[i] || p.data[i] > 1.0f - share;
    keep_taken(p, taken);
    arena_free(arena);
}
