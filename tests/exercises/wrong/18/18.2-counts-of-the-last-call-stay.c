// 18.2-counts-of-the-last-call-stay.c: the counts are never cleared.
// expect-fail: 18.2
#include "exercise.h"

int pair_to_merge(Matrix pair, Matrix ids)
{
    enum { PIECES = 256 + MOST_MERGES };
    static int counts[PIECES][PIECES];
    for (int i = 0; i + 1 < ids.cols; i++)
        if (ids.data[i] >= 0.0f && ids.data[i + 1] >= 0.0f) counts[(int)ids.data[i]][(int)ids.data[i + 1]]++;
    int most = 0;
    pair.data[0] = pair.data[1] = -1.0f;
    for (int a = 0; a < PIECES; a++)
        for (int b = 0; b < PIECES; b++)
            if (counts[a][b] > most) {
                most = counts[a][b];
                pair.data[0] = (float)a;
                pair.data[1] = (float)b;
            }
    return most;
}
