// 18.2-lower-right-first.c: among equals the lower right piece decides, not the left.
// expect-fail: 18.2
#include "exercise.h"

int pair_to_merge(Matrix pair, Matrix ids)
{
    enum { PIECES = 256 + MOST_MERGES };
    static int counts[PIECES][PIECES];
    for (int a = 0; a < PIECES; a++)
        for (int b = 0; b < PIECES; b++) counts[a][b] = 0;
    for (int i = 0; i + 1 < ids.cols; i++)
        if (ids.data[i] >= 0.0f && ids.data[i + 1] >= 0.0f) counts[(int)ids.data[i]][(int)ids.data[i + 1]]++;
    int most = 0;
    pair.data[0] = pair.data[1] = -1.0f;
    for (int a = 0; a < PIECES; a++)
        for (int b = 0; b < PIECES; b++)
            if (counts[b][a] > most) {
                most = counts[b][a];
                pair.data[0] = (float)b;
                pair.data[1] = (float)a;
            }
    return most;
}
