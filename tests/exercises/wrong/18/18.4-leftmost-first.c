// 18.4-leftmost-first.c: the leftmost pair that may be merged, whenever it was learned.
// expect-fail: 18.4
#include "exercise.h"

int encode_word(Matrix ids, int count, Matrix merges)
{
    for (int i = 0; i + 1 < count; i++)
        for (int m = 0; m < merges.rows; m++) {
            if (ids.data[i] != AT(merges, m, 0) || ids.data[i + 1] != AT(merges, m, 1)) continue;
            ids.data[i] = (float)(256 + m);
            for (int k = i + 1; k + 1 < count; k++) ids.data[k] = ids.data[k + 1];
            count--;
            i = -1;
            break;
        }
    return count;
}
