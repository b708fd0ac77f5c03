// 18.5-one-level-only.c: the halves of a piece are taken for bytes.
// expect-fail: 18.5
#include "exercise.h"

int decode_pieces(Matrix bytes, Matrix ids, Matrix merges)
{
    int written = 0;
    for (int i = 0; i < ids.cols; i++) {
        int id = (int)ids.data[i];
        if (id < 256) {
            bytes.data[written++] = (float)id;
            continue;
        }
        bytes.data[written++] = AT(merges, id - 256, 0);
        bytes.data[written++] = AT(merges, id - 256, 1);
    }
    return written;
}
