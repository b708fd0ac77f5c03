// 20.3-stops-before-the-share.c: leaves out the token that reaches the share.
// expect-fail: 20.3
#include "exercise.h"

void keep_nucleus(Matrix p, float share)
{
    Arena *arena = arena_new();
    bool *taken = arena_zeros(arena, (size_t)p.cols, sizeof *taken);
    double total = 0.0;
    for (int n = 0; n < p.cols && total < (double)share; n++) {
        int next = most_likely(p, taken);
        total += (double)p.data[next];
        if (total >= (double)share && n > 0) break;
        taken[next] = true;
    }
    keep_taken(p, taken);
    arena_free(arena);
}
