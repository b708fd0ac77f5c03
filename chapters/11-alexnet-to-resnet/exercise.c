// Exercises of chapter 11, From AlexNet to ResNet.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade11` tells how far you are, `make hint11` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 11.1
void fold_norm(Matrix weight, Matrix bias, Matrix mean, Matrix variance, Matrix gain, Matrix offset)
{
    (void)weight, (void)bias, (void)mean, (void)variance, (void)gain, (void)offset;
    NOT_WRITTEN("11.1");
}

// TASK 11.2
void normalise_channels_gradient(Matrix d_x, Matrix d_gain, Matrix d_bias, Matrix d_y, Matrix x, Matrix gain)
{
    (void)d_x, (void)d_gain, (void)d_bias, (void)d_y, (void)x, (void)gain;
    NOT_WRITTEN("11.2");
}

// TASK 11.3
void follow_batch(Matrix mean, Matrix variance, Matrix x, float momentum)
{
    (void)mean, (void)variance, (void)x, (void)momentum;
    NOT_WRITTEN("11.3");
}

// TASK 11.4
void drop_channels(Matrix x, Matrix uniform, float p)
{
    (void)x, (void)uniform, (void)p;
    NOT_WRITTEN("11.4");
}

// TASK 11.5
void move_image(Matrix out, Matrix image, int dy, int dx, int flip, float background)
{
    (void)out, (void)image, (void)dy, (void)dx, (void)flip, (void)background;
    NOT_WRITTEN("11.5");
}
