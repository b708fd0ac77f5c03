// Exercises of chapter 3, trees and margins.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade3` tells how far you are, `make hint3` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 3.1
float least_entropy(Matrix values, Matrix labels, int classes)
{
    (void)values, (void)labels, (void)classes;
    NOT_WRITTEN("3.1");
    return 0.0f;
}

// TASK 3.2
float price_of_branch(Matrix counts, float total)
{
    (void)counts, (void)total;
    NOT_WRITTEN("3.2");
    return 0.0f;
}

// TASK 3.3
float out_of_bag_error(Matrix answers, Matrix bags, Matrix labels, int classes)
{
    (void)answers, (void)bags, (void)labels, (void)classes;
    NOT_WRITTEN("3.3");
    return 0.0f;
}

// TASK 3.4
float squared_hinge(Matrix gradient, Matrix w, Matrix x, Matrix y, float c)
{
    (void)gradient, (void)w, (void)x, (void)y, (void)c;
    NOT_WRITTEN("3.4");
    return 0.0f;
}

// TASK 3.5
float smo_step(Matrix alpha, Matrix y, Matrix k, int i, int j, float c)
{
    (void)alpha, (void)y, (void)k, (void)i, (void)j, (void)c;
    NOT_WRITTEN("3.5");
    return 0.0f;
}
