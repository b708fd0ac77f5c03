// 18.4-last-learned-first.c: the merges in the wrong order.
// expect-fail: 18.4
#include "exercise.h"

int encode_word(Matrix ids, int count, Matrix merges)
{
    for (int m = merges.rows - 1; m >= 0; m--)
        count = merge_pair(ids, count, (int)AT(merges, m, 0), (int)AT(merges, m, 1), 256 + m);
    return count;
}
