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
void impulse_response(Matrix g, Matrix a, Matrix b, Matrix c, float d)
{
    (void)g, (void)a, (void)b, (void)c, (void)d;
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
