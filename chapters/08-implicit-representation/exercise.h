// Exercises of chapter 8, a function hidden in a network: what each task takes and gives back. Do not edit: write in exercise.c.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 8.1  How like two images are when their values reach from 0 to peak: 10 · log₁₀(peak² / MSE) decibels, MSE being the mean of the
// squared differences of all elements. INFINITY when there is no difference. a, b (N × C), N, C ≥ 1, peak > 0.
float peak_ratio(Matrix a, Matrix b, float peak);

// TASK 8.2  Fourier features that are not drawn (Mildenhall and others 2020): each of the D coordinates in `octaves` = L waves, each
// twice as fast as the one before. Column 2 (i L + k) of out is sin(2ᵏ π xᵢ), the one behind it cos(2ᵏ π xᵢ), for i = 0 … D − 1 and
// k = 0 … L − 1. x (N × D), out (N × 2DL), L ≥ 1.
void octave_features(/* out */ Matrix out, Matrix x, int octaves);

// TASK 8.3  The colour between the pixels, by bilinear interpolation. Pixel (i, j), row i of `height` and column j of `width`, is row
// i · width + j of image (height·width × C), and its centre lies at down = i, across = j. Beyond the outermost centres their
// colours go on: the place is moved to the nearest one in 0 … height − 1 and 0 … width − 1. colour (1 × C) is overwritten.
void bilinear_colour(/* out */ Matrix colour, Matrix image, int height, int width, float down, float across);

// TASK 8.4  The signed distance of the place (x, y) from the outline of a polygon: how far it is to the nearest point of any edge, negative
// inside. corners (n × 2), n ≥ 3: x and y of each corner in order, the last is joined to the first; edges do not cross. A
// place is inside when a ray from it to the right, towards larger x, crosses an odd number of edges. No two neighbours
// are equal. Places on the outline give 0.
float polygon_distance(Matrix corners, float x, float y);
