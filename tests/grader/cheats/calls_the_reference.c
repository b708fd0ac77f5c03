// calls_the_reference.c: calls the solution by the name it has in the grader.
// at most: 0
// expect: compile error
#include "exercise.h"

float reference_regression_loss(Matrix x, Matrix w, Matrix y);

float regression_loss(Matrix x, Matrix w, Matrix y) { return reference_regression_loss(x, w, y); }
