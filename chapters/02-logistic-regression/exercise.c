// Exercises of chapter 2, logistic and softmax regression.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade2` tells how far you are, `make hint2` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 2.1
float logistic_loss(Matrix x, Matrix w, Matrix y)
{
    (void)x, (void)w, (void)y;
    NOT_WRITTEN("2.1");
    return 0.0f;
}

// TASK 2.2
void logistic_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    (void)gradient, (void)x, (void)w, (void)y;
    NOT_WRITTEN("2.2");
}

// TASK 2.3
void softmax_of_rows(Matrix p, Matrix z)
{
    (void)p, (void)z;
    NOT_WRITTEN("2.3");
}

// TASK 2.4
void softmax_gradient(Matrix gradient, Matrix x, Matrix w, Matrix labels)
{
    (void)gradient, (void)x, (void)w, (void)labels;
    NOT_WRITTEN("2.4");
}

// TASK 2.5
float area_under_curve(Matrix scores, Matrix y)
{
    (void)scores, (void)y;
    NOT_WRITTEN("2.5");
    return 0.0f;
}
