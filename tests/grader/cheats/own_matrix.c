// own_matrix.c: another Matrix type, of another size.
// at most: 0
// expect: compile error
#include "exercise.h"

typedef struct {
    int rows, cols;
    double *data;
} Matrix;

float regression_loss(Matrix x, Matrix w, Matrix y) { return (float)(x.data[0] + w.data[0] + y.data[0]); }
