// 18.3-looks-behind-the-end.c: a pair may reach behind the end.
// expect-fail: 18.3
// and therefore: 18.4
#include "exercise.h"

int merge_pair(Matrix ids, int count, int left, int right, int made)
{
    int kept = 0;
    for (int i = 0; i < count; i++) {
        bool here = (int)ids.data[i] == left && (int)ids.data[i + 1] == right;
        ids.data[kept++] = here ? (float)made : ids.data[i];
        if (here) i++;
    }
    return kept;
}
