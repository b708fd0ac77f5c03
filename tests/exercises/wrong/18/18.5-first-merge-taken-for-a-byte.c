// 18.5-first-merge-taken-for-a-byte.c: piece 256 is written as it is.
// expect-fail: 18.5
#include "exercise.h"

static int spell(Matrix bytes, int written, int id, Matrix merges)
{
    if (id <= 256) {
        bytes.data[written] = (float)id;
        return written + 1;
    }
    written = spell(bytes, written, (int)AT(merges, id - 256, 0), merges);
    return spell(bytes, written, (int)AT(merges, id - 256, 1), merges);
}

int decode_pieces(Matrix bytes, Matrix ids, Matrix merges)
{
    int written = 0;
    for (int i = 0; i < ids.cols; i++) written = spell(bytes, written, (int)ids.data[i], merges);
    return written;
}
