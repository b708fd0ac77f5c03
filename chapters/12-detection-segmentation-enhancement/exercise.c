// Exercises of chapter 12, what a backbone can do.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade12` tells how far you are, `make hint12` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 12.1
void overlap_table(Matrix out, Matrix a, Matrix b)
{
    (void)out, (void)a, (void)b;
    NOT_WRITTEN("12.1");
}

// TASK 12.2
int keep_boxes(Matrix kept, Matrix boxes, Matrix scores, float threshold)
{
    (void)kept, (void)boxes, (void)scores, (void)threshold;
    NOT_WRITTEN("12.2");
    return 0;
}

// TASK 12.3
float mean_precision(Matrix found, Matrix truth, int classes, float threshold)
{
    (void)found, (void)truth, (void)classes, (void)threshold;
    NOT_WRITTEN("12.3");
    return 0.0f;
}

// TASK 12.4
float mean_overlap(Matrix truth, Matrix called, int classes)
{
    (void)truth, (void)called, (void)classes;
    NOT_WRITTEN("12.4");
    return 0.0f;
}

// TASK 12.5
float inner_likeness(Matrix a, Matrix b, int height, int width, int border)
{
    (void)a, (void)b, (void)height, (void)width, (void)border;
    NOT_WRITTEN("12.5");
    return 0.0f;
}
