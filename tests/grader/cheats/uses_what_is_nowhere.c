// uses_what_is_nowhere.c: calls a function that exists in another language only.
// at most: 0
// expect: compile error
#include "exercise.h"

double mean_squared_error(Matrix x, Matrix w, Matrix y);
float regression_loss(Matrix x, Matrix w, Matrix y) { return (float)mean_squared_error(x, w, y); }
