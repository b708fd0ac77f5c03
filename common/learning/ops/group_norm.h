// group_norm.h: normalisation of each picture by itself, in groups of channels (Wu and He 2018): independent of the batch, so
// it does the same while training and afterwards. Used in U-Nets (12, 26).
//
// Shapes: x, y (n·H·W × C) on a grid of n pictures, gain and bias (1 × C), G groups of C/G channels side by side.
// y = (x − mean) · r ⊙ gain + bias with the mean and r = 1 / √(variance + 1e-5) over the pixels of a picture and the channels of a
// group. mean and r (n × C) are kept for the backward, equal within a group.
// Backward functions add to the gradients they are given and skip those whose data is NULL.
#pragma once
#include "learning/tensor.h"
#include "matrix/grid.h"

void group_norm_forward(Matrix y, Matrix mean, Matrix r, Matrix x, Matrix gain, Matrix bias, Grid grid,
                        int groups);
// sums (4n × C) is scratch
void group_norm_backward(Matrix d_x, Matrix d_gain, Matrix d_bias, Matrix sums, Matrix d_y, Matrix x,
                         Matrix mean, Matrix r, Matrix gain, Grid grid, int groups);

#define group_norm(x, gain, bias, grid, groups) group_norm_at(HERE, x, gain, bias, grid, groups)
Tensor *group_norm_at(Place place, Tensor *x, Tensor *gain, Tensor *bias, Grid grid, int groups);
