// renames_for_the_linker.c: gives functions other names for the linker, so that one of the library's stands for another.
// at most: 0
// expect: compile error function missing
#include "exercise.h"

#pragma redefine_extname regression_gradient reference_regression_gradient
#pragma redefine_extname regression_loss reference_regression_loss
float regression_loss(Matrix x, Matrix w, Matrix y);
void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y);

float honest(Matrix x, Matrix w, Matrix y)
{
    regression_gradient(w, x, w, y);
    return regression_loss(x, w, y);
}
