// Exercises of chapter 4, learning without labels.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade4` tells how far you are, `make hint4` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 4.1
void stream_step(Matrix centres, Matrix counts, Matrix example)
{
    (void)centres, (void)counts, (void)example;
    NOT_WRITTEN("4.1");
}

// TASK 4.2
void next_centre_probabilities(Matrix p, Matrix x, Matrix centres)
{
    (void)p, (void)x, (void)centres;
    NOT_WRITTEN("4.2");
}

// TASK 4.3
float deflated_step(Matrix v, Matrix c, Matrix found)
{
    (void)v, (void)c, (void)found;
    NOT_WRITTEN("4.3");
    return 0.0f;
}

// TASK 4.4
int candidate_survives(Matrix candidate, Matrix frequent)
{
    (void)candidate, (void)frequent;
    NOT_WRITTEN("4.4");
    return 0;
}

// TASK 4.5
void running_median(Matrix out, Matrix series, int window)
{
    (void)out, (void)series, (void)window;
    NOT_WRITTEN("4.5");
}
