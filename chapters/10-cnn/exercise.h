// Exercises of chapter 10, Convolution and pooling: what each task takes and gives back. Do not edit: write in exercise.c.
//
// One image of H × W pixels with C features: x (H·W × C), row i · width + j is the pixel in line i and column j, and H is
// x.rows / width. A square window of k × k pixels moves by stride pixels, over padding pixels of zeros on each side; it
// stands at H'·W' places, line after line. O output features. Outputs are overwritten, whatever they held.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 10.1  At how many places does a window stand along a side? It may not reach beyond the padding. side + 2 · padding is
// at least window.
int output_side(int side, int window, int stride, int padding);

// TASK 10.2  What the window sees at each place, as one row (im2col): column (dy · k + dx) · C + c holds feature c of the
// pixel dy lines below and dx columns right of the window's upper left corner, 0 beyond the edge.
// rows (H'·W' × k·k·C), x (H·W × C)
void patches(/* out */ Matrix rows, Matrix x, int width, int window, int stride, int padding);

// TASK 10.3  Convolution: a weighted sum of what the window sees, and the bias. The rows of w are in the order of the columns
// of 10.2; the window is not flipped.
// y (H'·W' × O), x (H·W × C), w (k·k·C × O), b (1 × O)
void convolve(/* out */ Matrix y, Matrix x, Matrix w, Matrix b, int width, int window, int stride,
              int padding);

// TASK 10.4  Its derivatives, from the gradient d_y of the output.
// d_x (H·W × C), d_w (k·k·C × O), d_y (H'·W' × O), x (H·W × C), w (k·k·C × O)
void convolve_gradient(/* out */ Matrix d_x, /* out */ Matrix d_w, Matrix d_y, Matrix x, Matrix w, int width,
                       int window, int stride, int padding);

// TASK 10.5  The gradient of max pooling without padding: in each window and for each feature, the largest number receives
// the gradient; of equal ones, the first in the order of the taps. Windows overlap where stride is less than window.
// d_x (H·W × C), d_y (H'·W' × C), x (H·W × C)
void pool_gradient(/* out */ Matrix d_x, Matrix d_y, Matrix x, int width, int window, int stride);
