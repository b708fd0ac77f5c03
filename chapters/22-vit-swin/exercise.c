// Exercises of chapter 22, ViT and Swin.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade22` tells how far you are, `make hint22` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 22.1
void patches_of_colours(Matrix patches, Matrix image, int height, int width, int patch)
{
    (void)patches, (void)image, (void)height, (void)width, (void)patch;
    NOT_WRITTEN("22.1");
}

// TASK 22.2
void places_in_windows(Matrix places, int height, int width, int window, int shift)
{
    (void)places, (void)height, (void)width, (void)window, (void)shift;
    NOT_WRITTEN("22.2");
}

// TASK 22.3
void relative_index(Matrix index, int height, int width)
{
    (void)index, (void)height, (void)width;
    NOT_WRITTEN("22.3");
}

// TASK 22.4
void may_look(Matrix may, int height, int width, int window, int shift)
{
    (void)may, (void)height, (void)width, (void)window, (void)shift;
    NOT_WRITTEN("22.4");
}

// TASK 22.5
float block_cost(int side, int patch, int features, int hidden, int window)
{
    (void)side, (void)patch, (void)features, (void)hidden, (void)window;
    NOT_WRITTEN("22.5");
    return 0.0f;
}
