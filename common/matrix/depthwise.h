// depthwise.h: the kernel of a convolution with as many groups as channels, in and out, and of its gradients: each channel has a
// window of its own. conv.h calls it where a convolution is one; who wants a layer uses learning/ops/conv.h.
#pragma once
#include "matrix/conv.h"

static inline bool conv_is_depthwise(Window window, int inputs, int outputs)
{
    return window.groups > 1 && window.groups == inputs && window.groups == outputs;
}

// As conv_product and conv_gradients, bit for bit what the seven loops of conv2d_naive_forward and _backward give.
void depthwise_product(Matrix y, Matrix x, Matrix w, Matrix b, Grid grid, Window window, bool relu);
void depthwise_gradients(Arena *scratch, ConvGradients gradients, Grid grid, Window window);
