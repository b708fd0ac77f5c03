// warns_in_the_linker.c: makes the linker say what a full disk would make it say.
// at most: 0
// expect: rejected
#include "exercise.h"

__attribute__((section(".gnu.warning.fill"))) const char warning[] = "ld: final link failed: No space left on device";

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    fill(w, 0.0f);
    return x.data[0] + y.data[0];
}
