// Exercises of chapter 16, Attention.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade16` tells how far you are, `make hint16` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 16.1
void kernel_regression(Matrix out, Matrix q, Matrix k, Matrix v, float width)
{
    (void)out, (void)q, (void)k, (void)v, (void)width;
    NOT_WRITTEN("16.1");
}

// TASK 16.2
void causal_softmax(Matrix p, Matrix s)
{
    (void)p, (void)s;
    NOT_WRITTEN("16.2");
}

// TASK 16.3
void multi_head_attention(Matrix out, Matrix q, Matrix k, Matrix v, int batch, int heads)
{
    (void)out, (void)q, (void)k, (void)v, (void)batch, (void)heads;
    NOT_WRITTEN("16.3");
}

// TASK 16.4
void attention_softmax_gradient(Matrix d_s, Matrix d_p, Matrix p)
{
    (void)d_s, (void)d_p, (void)p;
    NOT_WRITTEN("16.4");
}

// TASK 16.5
void attention_gradient(Matrix d_q, Matrix d_k, Matrix d_v, Matrix d_out, Matrix q, Matrix k, Matrix v)
{
    (void)d_q, (void)d_k, (void)d_v, (void)d_out, (void)q, (void)k, (void)v;
    NOT_WRITTEN("16.5");
}
