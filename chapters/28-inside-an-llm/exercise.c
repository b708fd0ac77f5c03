// Exercises of chapter 28, Inside a pretrained model.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade28` tells how far you are, `make hint28` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 28.1
void bf16_to_floats(Matrix values, Matrix bytes)
{
    (void)values, (void)bytes;
    NOT_WRITTEN("28.1");
}

// TASK 28.2
int byte_of_number(int header, int begin, int end, int rows, int cols, int width, int row, int col)
{
    (void)header, (void)begin, (void)end, (void)rows, (void)cols, (void)width, (void)row, (void)col;
    NOT_WRITTEN("28.2");
    return 0;
}

// TASK 28.3
void rms_norm_rows(Matrix x, Matrix gain, float epsilon)
{
    (void)x, (void)gain, (void)epsilon;
    NOT_WRITTEN("28.3");
}

// TASK 28.4
void rotate_heads(Matrix x, int heads, int first, float base)
{
    (void)x, (void)heads, (void)first, (void)base;
    NOT_WRITTEN("28.4");
}

// TASK 28.5
void attend_to_cache(Matrix out, Matrix q, Matrix keys, Matrix values, int count, int heads, int key_heads)
{
    (void)out, (void)q, (void)keys, (void)values, (void)count, (void)heads, (void)key_heads;
    NOT_WRITTEN("28.5");
}
