// Exercises of chapter 19, BERT.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade19` tells how far you are, `make hint19` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 19.1
int hide_words(Matrix seen, Matrix labels, Matrix ids, Matrix draws, float rate, int first, int vocabulary)
{
    (void)seen, (void)labels, (void)ids, (void)draws, (void)rate, (void)first, (void)vocabulary;
    NOT_WRITTEN("19.1");
    return 0;
}

// TASK 19.2
float hidden_loss(Matrix d_logits, Matrix logits, Matrix labels)
{
    (void)d_logits, (void)logits, (void)labels;
    NOT_WRITTEN("19.2");
    return 0.0f;
}

// TASK 19.3
void mean_of_words(Matrix out, Matrix states, Matrix lengths)
{
    (void)out, (void)states, (void)lengths;
    NOT_WRITTEN("19.3");
}

// TASK 19.4
float mean_f1(Matrix truth, Matrix called, int classes)
{
    (void)truth, (void)called, (void)classes;
    NOT_WRITTEN("19.4");
    return 0.0f;
}

// TASK 19.5
float span_f1(Matrix truth, Matrix called)
{
    (void)truth, (void)called;
    NOT_WRITTEN("19.5");
    return 0.0f;
}
