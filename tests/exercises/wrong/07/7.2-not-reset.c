// 7.2-not-reset.c: starts from what the gradients held before.
// expect-fail: 7.2
#include "exercise.h"

void tape_play_backwards(Matrix gradients, Matrix tape)
{
    gradients.data[tape.rows - 1] = 1.0f;
    for (int i = tape.rows - 1; i >= 0; i--)
        for (int k = 0; k < 2; k++) {
            int input = (int)AT(tape, i, k);
            if (input >= 0) gradients.data[input] += gradients.data[i] * AT(tape, i, 2 + k);
        }
}
