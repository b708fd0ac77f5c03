// misspelt.c: honest, but for the names of its functions.
// at most: 0
// expect: function missing
#include "exercise.h"

float regresion_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0]; }
void RegressionGradient(Matrix gradient, Matrix x, Matrix w, Matrix y) { fill(gradient, x.data[0] + w.data[0] + y.data[0]); }
