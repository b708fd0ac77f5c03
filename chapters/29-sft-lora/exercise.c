// Exercises of chapter 29, Fine-tuning: SFT and LoRA.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade29` tells how far you are, `make hint29` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 29.1
int answer_labels(Matrix labels, Matrix ids, Matrix writer)
{
    (void)labels, (void)ids, (void)writer;
    NOT_WRITTEN("29.1");
    return 0;
}

// TASK 29.2
void lora_forward(Matrix y, Matrix low, Matrix x, Matrix w, Matrix bias, Matrix a, Matrix b, float s)
{
    (void)y, (void)low, (void)x, (void)w, (void)bias, (void)a, (void)b, (void)s;
    NOT_WRITTEN("29.2");
}

// TASK 29.3
void lora_backward(Matrix d_x, Matrix d_a, Matrix d_b, Matrix d_y, Matrix x, Matrix low, Matrix w, Matrix a,
                   Matrix b, float s)
{
    (void)d_x, (void)d_a, (void)d_b, (void)d_y, (void)x, (void)low, (void)w, (void)a, (void)b;
    (void)s;
    NOT_WRITTEN("29.3");
}

// TASK 29.4
void lora_merge(Matrix w, Matrix a, Matrix b, float s)
{
    (void)w, (void)a, (void)b, (void)s;
    NOT_WRITTEN("29.4");
}

// TASK 29.5
int messages_to_keep(Matrix kept, Matrix tokens, Matrix roles, int context, int room)
{
    (void)kept, (void)tokens, (void)roles, (void)context, (void)room;
    NOT_WRITTEN("29.5");
    return 0;
}
