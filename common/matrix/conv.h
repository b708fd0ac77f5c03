// conv.h: the kernel of convolution, and of its gradients. Layers are in learning/ops/conv.h, which has the shapes; how it is
// made fast is told in conv.c.
#pragma once
#include "matrix/grid.h"

// y = x ∗ w + b, or max(0, x ∗ w + b); b.data may be NULL. scratch is rewound before returning, here and below.
void conv_product(Arena *scratch, Matrix y, Matrix x, Matrix w, Matrix b, Grid grid, Window window,
                  bool relu);

typedef struct {
    Matrix d_x, d_w,
        d_b;          // the gradients that are wanted; the data of others is NULL. d_w and d_b are added to
    Matrix d_y, x, w; // what they follow from
    bool accumulate;  // add to d_x, instead of overwriting it
    const float *active; // NULL, or as many numbers as d_y has: where one is not positive, d_y counts as 0
} ConvGradients;

void conv_gradients(Arena *scratch, ConvGradients gradients, Grid grid, Window window);

// How many pictures of a batch of count form a chunk: the sums of d_w and d_b are cut there.
int conv_chunk(int count);
