// Exercises of chapter 21, Money is all you need: scaling.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade21` tells how far you are, `make hint21` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 21.1
float decoder_parameters(int layers, int width, int heads, int key_heads, int hidden, int vocabulary)
{
    (void)layers, (void)width, (void)heads, (void)key_heads, (void)hidden, (void)vocabulary;
    NOT_WRITTEN("21.1");
    return 0.0f;
}

// TASK 21.2
float training_flop(int layers, int width, int vocabulary, int time, int window)
{
    (void)layers, (void)width, (void)vocabulary, (void)time, (void)window;
    NOT_WRITTEN("21.2");
    return 0.0f;
}

// TASK 21.3
float fit_floor(Matrix law, Matrix n, Matrix loss, Matrix weights, float b)
{
    (void)law, (void)n, (void)loss, (void)weights, (void)b;
    NOT_WRITTEN("21.3");
    return 0.0f;
}

// TASK 21.4
float isoflop_best(Matrix n, Matrix loss)
{
    (void)n, (void)loss;
    NOT_WRITTEN("21.4");
    return 0.0f;
}

// TASK 21.5
float cheapest_size(Matrix surface, float target, float served)
{
    (void)surface, (void)target, (void)served;
    NOT_WRITTEN("21.5");
    return 0.0f;
}
