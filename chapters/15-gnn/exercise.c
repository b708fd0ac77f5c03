// Exercises of chapter 15, Graph networks.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade15` tells how far you are, `make hint15` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 15.1
void neighbour_mean(Matrix out, Matrix w, Matrix x)
{
    (void)out, (void)w, (void)x;
    NOT_WRITTEN("15.1");
}

// TASK 15.2
void spread_labels(Matrix f, Matrix w, Matrix known, int steps)
{
    (void)f, (void)w, (void)known, (void)steps;
    NOT_WRITTEN("15.2");
}

// TASK 15.3
void neighbour_maximum(Matrix out, Matrix source, Matrix w, Matrix x)
{
    (void)out, (void)source, (void)w, (void)x;
    NOT_WRITTEN("15.3");
}

// TASK 15.4
void neighbour_maximum_gradient(Matrix d_x, Matrix d_out, Matrix source)
{
    (void)d_x, (void)d_out, (void)source;
    NOT_WRITTEN("15.4");
}

// TASK 15.5
void graph_attention(Matrix out, Matrix w, Matrix s, Matrix v)
{
    (void)out, (void)w, (void)s, (void)v;
    NOT_WRITTEN("15.5");
}
