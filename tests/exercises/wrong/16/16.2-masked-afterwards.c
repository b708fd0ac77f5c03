// 16.2-masked-afterwards.c: softmax over all keys first, then the future is struck out.
// expect-fail: 16.2
// and therefore: 16.3 16.5
#include "exercise.h"
#include <math.h>

void causal_softmax(Matrix p, Matrix s)
{
    for (int i = 0; i < s.rows; i++) {
        int seen = s.cols - s.rows + i + 1;
        float most = AT(s, i, 0), total = 0.0f;
        for (int j = 1; j < s.cols; j++) most = fmaxf(most, AT(s, i, j));
        for (int j = 0; j < s.cols; j++) total += AT(p, i, j) = expf(AT(s, i, j) - most);
        for (int j = 0; j < s.cols; j++) AT(p, i, j) = j < seen ? AT(p, i, j) / total : 0.0f;
    }
}
