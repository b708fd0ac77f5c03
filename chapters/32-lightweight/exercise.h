// Exercises of chapter 32, Small and light: what each task takes and gives back. Do not edit: write in exercise.c.
//
// N images or rows, K inputs, O outputs, C channels or classes. Whole numbers stand in matrices of float. What is only written
// (out) is overwritten, whatever it held, and is never the memory of an input. base/mathf.h has exp32, log32 and clamp32;
// rintf of math.h rounds to the nearest whole number, of two that are equally near to the even one.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 32.1  Quantisation with a scale for each row of w (N × K), symmetric, to `bits` bits: with m = 2^(bits − 1) − 1,
//   scales(i) = max_j |w(i, j)| / m,   q(i, j) = the whole number nearest to w(i, j) / scales(i),
// of two that are equally near the even one. A row of zeros has the scale 0 and zeros in q.
// q (N × K), scales (N × 1); 2 ≤ bits ≤ 16; w is finite and as large as ±10⁶
void quantise_rows(/* out */ Matrix q, /* out */ Matrix scales, Matrix w, int bits);

// TASK 32.2  A linear layer in whole numbers,
//   y(n, o) = x_scale · scales(o) · Σ_k x(n, k) · w(k, o) + bias(o).
// The elements of x (N × K) and w (K × O) are whole numbers from −127 to 127, and the sum is exact: K is at most 4096, so no sum
// is beyond ±67 million. A float holds whole numbers up to 16 777 216 only.
// y (N × O); scales and bias (1 × O)
void integer_layer(/* out */ Matrix y, Matrix x, Matrix w, float x_scale, Matrix scales, Matrix bias);

// TASK 32.3  A depthwise convolution of one image of height × width pixels with C channels, window side × side, side odd,
// stride 1, and as many zeros around the image as are needed for y to have its size:
//   y(p, c) = bias(c) + Σ over taps t of x(pixel under tap t, c) · w(t, c).
// Pixel (i, j) is row i · width + j of x and y (height·width × C). Row t of w (side² × C) belongs to the pixel that lies
// t / side − side / 2 lines below and t % side − side / 2 columns to the right (whole divisions). bias (1 × C)
void depthwise(/* out */ Matrix y, Matrix x, Matrix w, Matrix bias, int height, int width, int side);

// TASK 32.4  Pruning by size: the `keep` elements of w (N × K) of the largest size |w| stay, all others become 0. Of equal sizes
// those stay that come first, in the order of memory. mask (N × K) receives 1 where an element stays, 0 elsewhere: exactly
// `keep` ones, also where zeros have to be among them. 0 ≤ keep ≤ N·K ≤ 3000; w is finite
void prune_smallest(/* in/out */ Matrix w, /* out */ Matrix mask, int keep);

// TASK 32.5  Distillation. With p the softmax of student and, at the temperature T, p' that of student / T and q' that of
// teacher / T, the loss is the mean over the N rows of
//   −(1 − part) · log p(label)  −  part · T² · Σ_c q'(c) · log p'(c).
// d_student (N × C) receives its gradient with respect to student. Returns the loss.
// student, teacher (N × C), as large as ±10 000; labels (1 × N); 0 ≤ part ≤ 1; 0.1 ≤ T ≤ 20
float distil(/* out */ Matrix d_student, Matrix student, Matrix teacher, Matrix labels, float part,
             float temperature);
