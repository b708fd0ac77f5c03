// many_large_variables.c: variables that are each small enough, and together are not.
// at most: 0
// expect: compile error
#include "exercise.h"

#define FOUR(name) static char name##a[20 << 20], name##b[20 << 20], name##c[20 << 20], name##d[20 << 20];
FOUR(first) FOUR(second) FOUR(third) FOUR(fourth)

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    firsta[x.rows] = secondb[x.cols] = thirdc[w.rows] = fourthd[y.rows] = 1;
    firstb[x.rows] = secondc[x.cols] = thirdd[w.rows] = fourtha[y.rows] = 1;
    firstc[x.rows] = secondd[x.cols] = thirda[w.rows] = fourthb[y.rows] = 1;
    firstd[x.rows] = seconda[x.cols] = thirdb[w.rows] = fourthc[y.rows] = 1;
    return x.data[0] + w.data[0] + y.data[0];
}
