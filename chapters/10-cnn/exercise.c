// Exercises of chapter 10, Convolution and pooling.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade10` tells how far you are, `make hint10` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 10.1
int output_side(int side, int window, int stride, int padding)
{
    (void)side, (void)window, (void)stride, (void)padding;
    NOT_WRITTEN("10.1");
    return 0;
}

// TASK 10.2
void patches(Matrix rows, Matrix x, int width, int window, int stride, int padding)
{
    (void)rows, (void)x, (void)width, (void)window, (void)stride, (void)padding;
    NOT_WRITTEN("10.2");
}

// TASK 10.3
void convolve(Matrix y, Matrix x, Matrix w, Matrix b, int width, int window, int stride, int padding)
{
    (void)y, (void)x, (void)w, (void)b, (void)width, (void)window, (void)stride, (void)padding;
    NOT_WRITTEN("10.3");
}

// TASK 10.4
void convolve_gradient(Matrix d_x, Matrix d_w, Matrix d_y, Matrix x, Matrix w, int width, int window,
                       int stride, int padding)
{
    (void)d_x, (void)d_w, (void)d_y, (void)x, (void)w, (void)width, (void)window, (void)stride;
    (void)padding;
    NOT_WRITTEN("10.4");
}

// TASK 10.5
void pool_gradient(Matrix d_x, Matrix d_y, Matrix x, int width, int window, int stride)
{
    (void)d_x, (void)d_y, (void)x, (void)width, (void)window, (void)stride;
    NOT_WRITTEN("10.5");
}
