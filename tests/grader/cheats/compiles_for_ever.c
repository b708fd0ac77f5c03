// compiles_for_ever.c: few lines, from which the optimizer is asked to make very many.
// at most: 0
// expect: compile error rejected
#include "exercise.h"

#define STEP(a) a = a * 3u + (a >> 7 ^ (unsigned)x.rows);
#define S2(a) STEP(a) STEP(a) STEP(a) STEP(a) STEP(a) STEP(a) STEP(a) STEP(a) STEP(a) STEP(a)
#define S3(a) S2(a) S2(a) S2(a) S2(a) S2(a) S2(a) S2(a) S2(a) S2(a) S2(a)
#define S4(a) S3(a) S3(a) S3(a) S3(a) S3(a) S3(a) S3(a) S3(a) S3(a) S3(a)
#define S5(a) S4(a) S4(a) S4(a) S4(a) S4(a) S4(a) S4(a) S4(a) S4(a) S4(a)
#define S6(a) S5(a) S5(a) S5(a) S5(a) S5(a) S5(a) S5(a) S5(a) S5(a) S5(a)

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    unsigned v = (unsigned)w.rows + (unsigned)y.rows;
    S6(v)
    return (float)v;
}
