// 18.4-numbers-one-too-low.c: piece 255 + m instead of 256 + m.
// expect-fail: 18.4
#include "exercise.h"

int encode_word(Matrix ids, int count, Matrix merges)
{
    for (int m = 0; m < merges.rows; m++)
        count = merge_pair(ids, count, (int)AT(merges, m, 0), (int)AT(merges, m, 1), 255 + m);
    return count;
}
