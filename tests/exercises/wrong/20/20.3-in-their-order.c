// 20.3-in-their-order.c: takes tokens in their order, not by probability.
// expect-fail: 20.3
#include "exercise.h"

void keep_nucleus(Matrix p, float share)
{
    Arena *arena = arena_new();
    bool *taken = arena_zeros(arena, (size_t)p.cols, sizeof *taken);
    double total = 0.0;
    for (int n = 0; n < p.cols && total < (double)share; n++) {
        int next = n;
        taken[next] = true;
        total += (double)p.data[next];
    }
    keep_taken(p, taken);
    arena_free(arena);
}
