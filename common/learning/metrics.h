// metrics.h: measures for what a network says of every pixel: a class (segmentation) or a brightness (enhancement).
//
//     Confusion confusion = confusion_new(arena, 5);
//     for (…) confusion_count(&confusion, labels, predicted, pixels);          // image after image
//     double miou = confusion_mean_iou(&confusion, NULL);
//
//     double likeness = peak_signal_noise_ratio(rendered, truth, 1.0f);        // in dB
//
// For a score with a threshold: learning/roc.h. For boxes: models/boxes.h.
#pragma once
#include "matrix/matrix.h"

// ---- Classes -------------------------------------------------------------------------------------------------------------

// How often an example of class t was called p: counts[t · classes + p]. Whole numbers, so the order of counting does not
// matter.
typedef struct {
    int classes;
    int64_t *counts; // [classes · classes]
} Confusion;

#define confusion_new(arena, classes) confusion_new_at(HERE, arena, classes) // zeros
Confusion confusion_new_at(Place place, Arena *arena, int classes);

// truth and predicted [count], from 0 to classes − 1. A truth of −1 (LABEL_IGNORED of learning/ops/loss.h) does not count,
// whatever was predicted.
#define confusion_count(confusion, truth, predicted, count)                                                  \
    confusion_count_at(HERE, confusion, truth, predicted, count)
void confusion_count_at(Place place, Confusion *confusion, const int *truth, const int *predicted, int count);

// Intersection over union of one class: the examples that are of it and were called so, over those that are of it or were
// called so (the Jaccard index; segmentation accuracy in the PASCAL VOC challenge). NaN for a class that is neither in the
// truth nor in the predictions.
double confusion_iou(const Confusion *confusion, int label);

// The mean over the classes that are in the truth or in the predictions; NaN when nothing was counted. each, if not NULL,
// receives the IoU of each class [classes].
double confusion_mean_iou(const Confusion *confusion, double *each);

// The fraction that was called what it is; NaN when nothing was counted.
double confusion_accuracy(const Confusion *confusion);

// ---- Brightness ----------------------------------------------------------------------------------------------------------

// The peak signal-to-noise ratio in decibels, 10 log₁₀(peak² / mean squared error), of two matrices of the same shape, where
// peak is the largest value that a pixel can have (1, or 255). 20 dB: an error of a tenth of the peak; 6.02 dB more: half the
// error. +∞ for equal images; NaN where one holds a NaN or an infinity. The squares are added in double, from the first to the
// last; the logarithm is that of base/mathf.h, right to 10⁻⁶ dB.
#define peak_signal_noise_ratio(a, b, peak) peak_signal_noise_ratio_at(HERE, a, b, peak)
double peak_signal_noise_ratio_at(Place place, Matrix a, Matrix b, float peak);
