// Exercises of chapter 22, ViT and Swin: what each task takes and gives back. Do not edit: write in exercise.c.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 22.1  Cut an image of several channels into patches. Pixel (y, x) is row y · width + x of image
// (height·width × C). Patch (i, j), the one of the i-th row and j-th column of patches, is row i · width/p + j of
// patches (height/p · width/p × p·p·C), p = patch, which divides height and width; its numbers are those of its
// pixels, row by row, and the C channels of a pixel stand together.
void patches_of_colours(/* out */ Matrix patches, Matrix image, int height, int width, int patch);

// TASK 22.2  Where each token goes when a grid of height × width tokens is rolled by `shift` and cut into windows
// of window × window. Rolling moves the token (y, x) up and left by shift; what leaves at the top comes in at the
// bottom, and left at the right. The windows of the rolled grid are counted row by row, their tokens too, and
// stand one behind the other. places (height × width): AT(places, y, x) is the number of the token (y, x) in this
// order, from 0. window divides height and width, 0 ≤ shift < window.
void places_in_windows(/* out */ Matrix places, int height, int width, int window, int shift);

// TASK 22.3  Which number of the table of relative positions belongs to each pair of tokens of a window of height
// × width tokens, counted row by row. index (height·width × height·width): AT(index, i, j) for query i and key j.
// The key lies `down` rows below the query and `right` columns to its right, both maybe negative; the table holds
// the displacements row by row from the most negative ones on, down from −(height − 1) to height − 1, for each of
// them right from −(width − 1) to width − 1.
void relative_index(/* out */ Matrix index, int height, int width);

// TASK 22.4  Who may look at whom in shifted windows, without rolling. The boundaries between windows lie above
// the rows shift, shift + window, shift + 2 window, … of a grid of height × width tokens, and left of the same
// columns; with shift = 0 the first lies at the edge and parts nothing. AT(may, i, j) is 1 when no boundary lies
// between tokens i and j (counted row by row), else 0. may (height·width × height·width), 0 ≤ shift < window;
// height and width may be any, also such as window does not divide.
void may_look(/* out */ Matrix may, int height, int width, int window, int shift);

// TASK 22.5  The multiply-adds of one block for an image of side × side pixels, in millions. Patches are patch ×
// patch pixels; tokens have `features` numbers, the hidden layer has `hidden`. Four matrices of features ×
// features serve attention, two of features × hidden what comes after; each pair of tokens that see each other
// costs 2 · features. window > 0: a token sees the window × window tokens of its window, itself included. window =
// 0: one more token, the class token, is there, and all see all.
float block_cost(int side, int patch, int features, int hidden, int window);
