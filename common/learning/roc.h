// roc.h: how well a score tells two kinds of examples apart, whatever the threshold.
//
//     double area = roc_area(scores, positive, count);         // 1: every positive above every negative; ½: a coin
//     RocCurve curve = roc_curve(arena, scores, positive, count);
//     for (int i = 0; i < curve.count; i++) …                  // (false-positive rate, true-positive rate)
//
// The receiver operating characteristic: with the threshold falling from +∞, the fraction of negatives that are called
// positive against the fraction of positives that are. The area below is the chance that a positive drawn at random
// scores higher than a negative, ties counting half (Hanley and McNeil, Radiology 143, 1982).
//
// Scores may be infinite; a NaN stops the program, and so do examples of one kind only, which have no curve.
#pragma once
#include "base/arena.h"

// scores [count], the larger the more positive; positive [count]
#define roc_area(scores, positive, count) roc_area_at(HERE, scores, positive, count)
double roc_area_at(Place place, const float *scores, const bool *positive, int count);

typedef struct {
    float threshold; // examples with at least this score are called positive
    double false_positive_rate, true_positive_rate;
} RocPoint;

// From (0, 0) at the threshold ∞ to (1, 1): one point more than there are different scores. Equal scores are one step, a
// slanting line, so that the area under the lines between the points is roc_area.
typedef struct {
    int count;
    RocPoint *points;
} RocCurve;

#define roc_curve(arena, scores, positive, count) roc_curve_at(HERE, arena, scores, positive, count)
RocCurve roc_curve_at(Place place, Arena *arena, const float *scores, const bool *positive, int count);
