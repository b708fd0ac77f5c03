// 18.3-from-the-right.c: three in a row are merged from the right.
// expect-fail: 18.3
// and therefore: 18.4
#include "exercise.h"

int merge_pair(Matrix ids, int count, int left, int right, int made)
{
    for (int i = count - 2; i >= 0; i--) {
        if ((int)ids.data[i] != left || (int)ids.data[i + 1] != right) continue;
        ids.data[i] = (float)made;
        for (int k = i + 1; k + 1 < count; k++) ids.data[k] = ids.data[k + 1];
        count--;
    }
    return count;
}
