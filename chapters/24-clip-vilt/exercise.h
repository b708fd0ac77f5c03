// Exercises of chapter 24, CLIP and ViLT: what each task takes and gives back. Do not edit: write in exercise.c.
//
// B pairs of an image and a caption, vectors of F numbers. Outputs are overwritten, whatever they held.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 24.1  Each row divided by its length √Σ x², so that products of rows are cosines. A row of zeros stays one.
// out (N × F), x (N × F)
void unit_rows(/* out */ Matrix out, Matrix x);

// TASK 24.2  InfoNCE in both directions. With S_ij = s · ⟨image i, text j⟩: half the mean over rows of −log softmax(S_i)_i, and half
// the mean over columns of −log softmax(column j)_j. Large scores must not overflow: s may be 1000, and products of unit
// rows are up to 1. Returns the loss. images, texts (B × F), rows of length 1
float paired_loss(Matrix images, Matrix texts, float s);

// TASK 24.3  Its gradient by both, at the same s, which stays as it is.
// d_images, d_texts (B × F)
void paired_gradient(/* out */ Matrix d_images, /* out */ Matrix d_texts, Matrix images, Matrix texts,
                     float s);

// TASK 24.4  Recall at k. Row i of scores holds what query i gives to each of N candidates, and candidate i is the right one. It is
// found when fewer than k others score as high or higher. Returns the fraction of queries whose right one is found.
// scores (N × N), 1 ≤ k
float recall_at(Matrix scores, int k);

// TASK 24.5  Zero-shot classification with several captions a class. Rows c · M … c · M + M − 1 of captions are the vectors of class c,
// of length 1; its direction is their mean, divided by the length of the mean. An image belongs to the class whose direction has the
// largest product with it; of equal ones to the first. Means are never 0 here.
// classes (N × 1) ← 0 … K − 1, images (N × F), captions (K·M × F), M = captions_each
void nearest_class(/* out */ Matrix classes, Matrix images, Matrix captions, int captions_each);
