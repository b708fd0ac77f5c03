// 18.4-last-merge-left-out.c: the last merge is left out.
// expect-fail: 18.4
#include "exercise.h"

int encode_word(Matrix ids, int count, Matrix merges)
{
    for (int m = 0; m + 1 < merges.rows; m++)
        count = merge_pair(ids, count, (int)AT(merges, m, 0), (int)AT(merges, m, 1), 256 + m);
    return count;
}
