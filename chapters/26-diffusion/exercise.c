// Exercises of chapter 26, Diffusion.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade26` tells how far you are, `make hint26` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 26.1
void cosine_schedule_of(Matrix remaining, float end, float offset)
{
    (void)remaining, (void)end, (void)offset;
    NOT_WRITTEN("26.1");
}

// TASK 26.2
void noised_and_target(Matrix x_t, Matrix v, Matrix x_0, Matrix noise, Matrix remaining)
{
    (void)x_t, (void)v, (void)x_0, (void)noise, (void)remaining;
    NOT_WRITTEN("26.2");
}

// TASK 26.3
void taken_apart(Matrix x_0, Matrix noise, Matrix x_t, Matrix v, Matrix remaining)
{
    (void)x_0, (void)noise, (void)x_t, (void)v, (void)remaining;
    NOT_WRITTEN("26.3");
}

// TASK 26.4
void jump_back(Matrix earlier, Matrix x, Matrix v, float now, float then)
{
    (void)earlier, (void)x, (void)v, (void)now, (void)then;
    NOT_WRITTEN("26.4");
}

// TASK 26.5
void guided_step_back(Matrix earlier, Matrix x, Matrix v_told, Matrix v_none, Matrix fresh, float guidance,
                      float now, float then)
{
    (void)earlier, (void)x, (void)v_told, (void)v_none, (void)fresh, (void)guidance, (void)now;
    (void)then;
    NOT_WRITTEN("26.5");
}
