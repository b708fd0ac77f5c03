// Exercises of chapter 8, a function hidden in a network.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade8` tells how far you are, `make hint8` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 8.1
float peak_ratio(Matrix a, Matrix b, float peak)
{
    (void)a, (void)b, (void)peak;
    NOT_WRITTEN("8.1");
    return 0.0f;
}

// TASK 8.2
void octave_features(Matrix out, Matrix x, int octaves)
{
    (void)out, (void)x, (void)octaves;
    NOT_WRITTEN("8.2");
}

// TASK 8.3
void bilinear_colour(Matrix colour, Matrix image, int height, int width, float down, float across)
{
    (void)colour, (void)image, (void)height, (void)width, (void)down, (void)across;
    NOT_WRITTEN("8.3");
}

// TASK 8.4
float polygon_distance(Matrix corners, float x, float y)
{
    (void)corners, (void)x, (void)y;
    NOT_WRITTEN("8.4");
    return 0.0f;
}
