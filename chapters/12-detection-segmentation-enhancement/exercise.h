// Exercises of chapter 12, what a backbone can do: what each task takes and gives back. Do not edit: write in exercise.c.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// A box is a row of four numbers: top, left, bottom, right. Its area is (bottom − top) · (right − left); where bottom ≤ top or
// right ≤ left it is empty and has none.

// TASK 12.1  The IoU of every box of a with every box of b. 0 where they do not overlap, where they only touch, and where one is
// empty. a (N × 4), b (M × 4), out (N × M).
void overlap_table(/* out */ Matrix out, Matrix a, Matrix b);

// TASK 12.2  Non-maximum suppression in a list of one class and one image. The box with the highest score stays (of equal scores the
// first in the list); all others whose IoU with it is above the threshold go; the same again with those that are left, until
// none is. kept_i becomes 1 where box i stays and 0 where it goes. Returns how many stay. boxes (N × 4), scores (N × 1),
// kept (N × 1), 0 ≤ threshold < 1.
int keep_boxes(/* out */ Matrix kept, Matrix boxes, Matrix scores, float threshold);

// TASK 12.3  Mean average precision. A row of found (N × 7) is a detection: class, image, score, and its box; a row of truth (M × 6) a
// true box: class, image, box. For one class, from the highest score down (of equal scores the first in the list): a
// detection is right if, of the true boxes of its class and image, the one with which its IoU is largest (of equal ones the
// first) has an IoU of at least the threshold and has not been found before. Precision after each detection is the fraction of
// those so far that are right, recall the fraction of the class's true boxes that have been found; each precision is
// replaced by the largest at its own place or further down the list, and the average precision is the area under it as a
// function of recall, which begins at 0. Returns the mean over those of the classes 0 … classes − 1 that have a true box, of
// which there is at least one. N ≤ 64, M ≤ 64. 0 < threshold ≤ 1.
float mean_precision(Matrix found, Matrix truth, int classes, float threshold);

// TASK 12.4  The mean IoU of a segmentation. truth (N × 1) and called (N × 1) hold the classes of N pixels, 0 … classes − 1; where truth is
// −1 the pixel does not count, whatever it was called. The IoU of a class: pixels that are of it and are called so, divided
// by pixels that are of it or are called so. The mean is over the classes for which there is such a pixel; 0 when no
// pixel counts.
float mean_overlap(Matrix truth, Matrix called, int classes);

// TASK 12.5  The likeness of two images as papers about super-resolution give it: 10 · log₁₀(1 / MSE) decibels for values from 0 to 1,
// but without the outermost `border` rows and columns on all four sides, where the methods have to guess. Pixel (i, j) is row
// i · width + j of a and b (height·width × C); 0 ≤ 2 · border < height, width. INFINITY when there is no difference.
float inner_likeness(Matrix a, Matrix b, int height, int width, int border);
