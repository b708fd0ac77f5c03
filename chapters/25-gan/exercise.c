// Exercises of chapter 25, GAN.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade25` tells how far you are, `make hint25` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 25.1
float passing_loss(Matrix d_logits, Matrix logits)
{
    (void)d_logits, (void)logits;
    NOT_WRITTEN("25.1");
    return 0.0f;
}

// TASK 25.2
float verdict_loss(Matrix d_real, Matrix d_made, Matrix real, Matrix made)
{
    (void)d_real, (void)d_made, (void)real, (void)made;
    NOT_WRITTEN("25.2");
    return 0.0f;
}

// TASK 25.3
float flatness_penalty(Matrix d_w, Matrix d_v, Matrix x, Matrix w, Matrix b, Matrix v, float gamma)
{
    (void)d_w, (void)d_v, (void)x, (void)w, (void)b, (void)v, (void)gamma;
    NOT_WRITTEN("25.3");
    return 0.0f;
}

// TASK 25.4
int modes_found(Matrix counts, Matrix points, Matrix centres, float radius, int least)
{
    (void)counts, (void)points, (void)centres, (void)radius, (void)least;
    NOT_WRITTEN("25.4");
    return 0;
}

// TASK 25.5
float distance_of_numbers(Matrix a, Matrix b)
{
    (void)a, (void)b;
    NOT_WRITTEN("25.5");
    return 0.0f;
}
