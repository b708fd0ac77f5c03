// Exercises of chapter 20, A tiny GPT.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade20` tells how far you are, `make hint20` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 20.1
float bits_per_character(Matrix logits, Matrix labels, int characters)
{
    (void)logits, (void)labels, (void)characters;
    NOT_WRITTEN("20.1");
    return 0.0f;
}

// TASK 20.2
void keep_top_k(Matrix p, int k)
{
    (void)p, (void)k;
    NOT_WRITTEN("20.2");
}

// TASK 20.3
void keep_nucleus(Matrix p, float top_p)
{
    (void)p, (void)top_p;
    NOT_WRITTEN("20.3");
}

// TASK 20.4
int draw(Matrix p, float uniform)
{
    (void)p, (void)uniform;
    NOT_WRITTEN("20.4");
    return 0;
}

// TASK 20.5
void decoder_block(Matrix x, Matrix qkv, Matrix out, Matrix up, Matrix down, int heads)
{
    (void)x, (void)qkv, (void)out, (void)up, (void)down, (void)heads;
    NOT_WRITTEN("20.5");
}
