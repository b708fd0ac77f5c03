// Exercises of chapter 6, MLP and backpropagation.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade6` tells how far you are, `make hint6` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 6.1
void mlp_hidden(Matrix h, Matrix x, Matrix w, Matrix b)
{
    (void)h, (void)x, (void)w, (void)b;
    NOT_WRITTEN("6.1");
}

// TASK 6.2
void mlp_output_gradient(Matrix d_z, Matrix z, Matrix labels)
{
    (void)d_z, (void)z, (void)labels;
    NOT_WRITTEN("6.2");
}

// TASK 6.3
void mlp_hidden_gradient(Matrix d_a, Matrix d_z, Matrix w, Matrix h)
{
    (void)d_a, (void)d_z, (void)w, (void)h;
    NOT_WRITTEN("6.3");
}

// TASK 6.4
void mlp_gradients(Matrix d_w1, Matrix d_b1, Matrix d_w2, Matrix d_b2, Matrix x, Matrix labels, Matrix w1,
                   Matrix b1, Matrix w2, Matrix b2)
{
    (void)d_w1, (void)d_b1, (void)d_w2, (void)d_b2, (void)x, (void)labels, (void)w1, (void)b1;
    (void)w2, (void)b2;
    NOT_WRITTEN("6.4");
}

// TASK 6.5
void mlp_train(Matrix w1, Matrix b1, Matrix w2, Matrix b2, Matrix x, Matrix labels, float rate, int steps)
{
    (void)w1, (void)b1, (void)w2, (void)b2, (void)x, (void)labels, (void)rate, (void)steps;
    NOT_WRITTEN("6.5");
}
