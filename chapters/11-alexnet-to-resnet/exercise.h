// Exercises of chapter 11, From AlexNet to ResNet: what each task takes and gives back. Do not edit: write in exercise.c.
//
// N rows (pixels of all pictures of a batch), C columns (channels). Outputs are overwritten, whatever they held, except
// where they are said to be changed.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 11.1  Batch normalisation while training: each column of x is brought to mean 0 and variance 1 (the variance with
// 1/N, and 1e-5 added to it inside the root), then multiplied by its gain and shifted by its bias.
// y and x (N × C), gain and bias (1 × C). Columns may lie far from zero (1000 ± 1).
void normalise_channels(/* out */ Matrix y, Matrix x, Matrix gain, Matrix bias);

// TASK 11.2  Its derivative. d_y, d_x and x (N × C), gain, d_gain and d_bias (1 × C).
void normalise_channels_gradient(/* out */ Matrix d_x, /* out */ Matrix d_gain, /* out */ Matrix d_bias,
                                 Matrix d_y, Matrix x, Matrix gain);

// TASK 11.3  The running statistics after one more batch: s ← (1 − momentum) · s + momentum · (statistic of the batch).
// mean and variance (1 × C) are changed; x (N × C), N ≥ 2. The batch's variance is the one with 1/(N − 1).
void follow_batch(/* in/out */ Matrix mean, /* in/out */ Matrix variance, Matrix x, float momentum);

// TASK 11.4  Dropout while training: x (N × C) is changed. An element whose number in `uniform` (N × C, each in [0, 1)) is
// below p becomes 0, every other is divided by 1 − p. 0 ≤ p < 1.
void drop(/* in/out */ Matrix x, Matrix uniform, float p);

// TASK 11.5  Augmentation of one picture: if flip is 1, mirrored left to right; then moved down by dy rows and right by dx
// columns (negative: up, left). What comes in from outside is background. out and picture (H × W), not always square.
void move_picture(/* out */ Matrix out, Matrix picture, int dy, int dx, int flip, float background);
