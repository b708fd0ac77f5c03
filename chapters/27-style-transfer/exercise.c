// Exercises of chapter 27, style transfer.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade27` tells how far you are, `make hint27` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 27.1
void feature_gram(Matrix gram, Matrix features)
{
    (void)gram, (void)features;
    NOT_WRITTEN("27.1");
}

// TASK 27.2
void gram_slope(Matrix d_features, Matrix d_gram, Matrix features)
{
    (void)d_features, (void)d_gram, (void)features;
    NOT_WRITTEN("27.2");
}

// TASK 27.3
void blind_to_brightness(Matrix weight)
{
    (void)weight;
    NOT_WRITTEN("27.3");
}

// TASK 27.4
void with_luminance(Matrix out, Matrix rgb, Matrix y)
{
    (void)out, (void)rgb, (void)y;
    NOT_WRITTEN("27.4");
}

// TASK 27.5
void local_patterns(Matrix frequencies, Matrix image, int height, int width)
{
    (void)frequencies, (void)image, (void)height, (void)width;
    NOT_WRITTEN("27.5");
}
