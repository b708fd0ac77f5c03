// 18.3-right-half-stays.c: the right half of the pair stays in the list.
// expect-fail: 18.3
// and therefore: 18.4
#include "exercise.h"

int merge_pair(Matrix ids, int count, int left, int right, int made)
{
    int kept = 0;
    for (int i = 0; i < count; i++) {
        bool here = i + 1 < count && (int)ids.data[i] == left && (int)ids.data[i + 1] == right;
        ids.data[kept++] = here ? (float)made : ids.data[i];
    }
    return kept;
}
