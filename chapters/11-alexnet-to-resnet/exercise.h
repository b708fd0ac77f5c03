// Exercises of chapter 11, From AlexNet to ResNet: what each task takes and gives back. Do not edit: write in exercise.c.
//
// N rows (pixels of all images of a batch), C columns (channels). Outputs are overwritten, whatever they held, except
// where they are said to be changed.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 11.1  Batch normalisation after training, multiplied into the layer before it. weight (K × C) and bias (1 × C) are changed
// so that x·weight + bias gives what the layer and its normalisation gave one after the other. Of the normalisation, all (1 × C):
// the running mean and variance (1e-5 is added to it inside the root), gain and offset (the chapter's γ and β).
void fold_norm(/* in/out */ Matrix weight, /* in/out */ Matrix bias, Matrix mean, Matrix variance,
               Matrix gain, Matrix offset);

// TASK 11.2  The derivative of batch normalisation while training (the variance with 1/N, and 1e-5 added to it inside the root).
// d_y, d_x and x (N × C), gain, d_gain and d_bias (1 × C). Columns may lie far from zero (1000 ± 1).
void normalise_channels_gradient(/* out */ Matrix d_x, /* out */ Matrix d_gain, /* out */ Matrix d_bias,
                                 Matrix d_y, Matrix x, Matrix gain);

// TASK 11.3  The running statistics after one more batch: s ← (1 − momentum) · s + momentum · (statistic of the batch).
// mean and variance (1 × C) are changed; x (N × C), N ≥ 2. The batch's variance is the one with 1/(N − 1).
void follow_batch(/* in/out */ Matrix mean, /* in/out */ Matrix variance, Matrix x, float momentum);

// TASK 11.4  Dropout of whole channels while training. x (n·P × C) holds n images of P pixels each, one after the other, and
// is changed. Where the number in `uniform` (n × C, each in [0, 1)) is below p, this channel of this image becomes 0 in all its
// pixels; all others are divided by 1 − p. 0 ≤ p < 1.
void drop_channels(/* in/out */ Matrix x, Matrix uniform, float p);

// TASK 11.5  Augmentation of one image: if flip is 1, mirrored left to right; then moved down by dy rows and right by dx
// columns (negative: up, left). What comes in from outside is background. out and image (H × W), not always square.
void move_image(/* out */ Matrix out, Matrix image, int dy, int dx, int flip, float background);
