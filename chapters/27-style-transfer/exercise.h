// Exercises of chapter 27, style transfer: what each task takes and gives back. Do not edit: write in exercise.c.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 27.1  The Gram matrix of features (N × K): gram (K × K) is overwritten with the mean over the N positions of feature j times
// feature k. N, K ≥ 1.
void feature_gram(/* out */ Matrix gram, Matrix features);

// TASK 27.2  Its gradient: d_features (N × K) is overwritten with d loss / d features, where d_gram (K × K) is d loss / d gram, which
// need not be symmetric, and gram is that of TASK 27.1.
void gram_slope(/* out */ Matrix d_features, Matrix d_gram, Matrix features);

// TASK 27.3  Filters that do not see brightness: each column of weight (taps × K) is shifted so that its elements add up to 0, and
// then scaled to length 1, Σᵢ w² = 1. A column whose elements are all equal becomes zeros. taps, K ≥ 1.
void blind_to_brightness(/* in/out */ Matrix weight);

// TASK 27.4  Another luminance with the colours of before. rgb (N × 3), from 0 to 1; y (N × 1) is the luminance that is wanted. The
// luminance of a pixel is .299 red + .587 green + .114 blue. What is missing to y is added to red, green and blue alike, and what
// is then below 0 or above 1 becomes 0 or 1. out (N × 3) is overwritten.
void with_luminance(/* out */ Matrix out, Matrix rgb, Matrix y);

// TASK 27.5  Local patterns. Pixel (i, j), row i of `height` and column j of `width`, is element i · width + j of image (height·width
// × 1). For each pixel that has eight neighbours, ask them clockwise from the one up on the left (up left, up, up right, right,
// down right, down, down left, left): number k of them gives 2ᵏ when it is at least as bright as the pixel, else 0. The sum is
// the pattern. frequencies (1 × 256) is overwritten with the fraction of these pixels that have each pattern. height, width ≥ 3.
void local_patterns(/* out */ Matrix frequencies, Matrix image, int height, int width);
