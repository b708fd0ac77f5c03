// Exercises of chapter 5, descent and randomness.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade5` tells how far you are, `make hint5` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 5.1
void adagrad_step(Matrix x, Matrix sums, Matrix gradient, float rate)
{
    (void)x, (void)sums, (void)gradient, (void)rate;
    NOT_WRITTEN("5.1");
}

// TASK 5.2
float steps_for_a_digit(float rate, float least, float most)
{
    (void)rate, (void)least, (void)most;
    NOT_WRITTEN("5.2");
    return 0.0f;
}

// TASK 5.3
void gradient_from_heights(Matrix gradient, Matrix above, Matrix below, Matrix noise, float sigma)
{
    (void)gradient, (void)above, (void)below, (void)noise, (void)sigma;
    NOT_WRITTEN("5.3");
}

// TASK 5.4
float exchange_probability(float f1, float t1, float f2, float t2)
{
    (void)f1, (void)t1, (void)f2, (void)t2;
    NOT_WRITTEN("5.4");
    return 0.0f;
}
