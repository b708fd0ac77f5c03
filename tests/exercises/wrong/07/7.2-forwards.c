// 7.2-forwards.c: plays the tape from its beginning.
// expect-fail: 7.2
#include "exercise.h"

void tape_play_backwards(Matrix gradients, Matrix tape)
{
    fill(gradients, 0.0f);
    gradients.data[tape.rows - 1] = 1.0f;
    for (int i = 0; i < tape.rows; i++)
        for (int k = 0; k < 2; k++) {
            int input = (int)AT(tape, i, k);
            if (input >= 0) gradients.data[input] += gradients.data[i] * AT(tape, i, 2 + k);
        }
}
