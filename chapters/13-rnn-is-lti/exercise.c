// Exercises of chapter 13, An RNN is a linear system is a convolution.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade13` tells how far you are, `make hint13` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 13.1
float state_step(Matrix x, Matrix a, Matrix b, Matrix c, float d, float u)
{
    (void)x, (void)a, (void)b, (void)c, (void)d, (void)u;
    NOT_WRITTEN("13.1");
    return 0.0f;
}

// TASK 13.2
void in_series(Matrix a, Matrix b, Matrix c, Matrix d, Matrix a_1, Matrix b_1, Matrix c_1, float d_1,
               Matrix a_2, Matrix b_2, Matrix c_2, float d_2)
{
    (void)a, (void)b, (void)c, (void)d, (void)a_1, (void)b_1, (void)c_1, (void)d_1, (void)a_2;
    (void)b_2, (void)c_2, (void)d_2;
    NOT_WRITTEN("13.2");
}

// TASK 13.3
void compose(Matrix a, Matrix b, Matrix a_1, Matrix b_1, Matrix a_2, Matrix b_2)
{
    (void)a, (void)b, (void)a_1, (void)b_1, (void)a_2, (void)b_2;
    NOT_WRITTEN("13.3");
}

// TASK 13.4
void gradient_through_time(Matrix gradient, Matrix u, Matrix target, float a, float b)
{
    (void)gradient, (void)u, (void)target, (void)a, (void)b;
    NOT_WRITTEN("13.4");
}

// TASK 13.5
float radius(Matrix a)
{
    (void)a;
    NOT_WRITTEN("13.5");
    return 0.0f;
}
