// boxes.h: boxes around the objects of an image: how far two agree, how several of one object become one, how good a list is.
//
//     Detection found[…];                                               // of all images, in any order
//     count = non_maximum_suppression(found, count, .5, NMS_PER_LABEL);
//     double map = mean_average_precision(found, count, truths, truth_count, labels, .5, NULL);
//
// A box is half-open: the pixels of rows top … bottom − 1 and columns left … right − 1, or any unit of the caller's. So its area
// is (bottom − top) · (right − left), without the "+ 1" of older programs, and boxes that only touch have nothing in common.
// A box that is turned inside out (bottom ≤ top or right ≤ left) is empty: its area is 0.
//
// All arithmetic is in double and in a stated order: the same bits on every machine.
//
// Used for: detection (12).
#pragma once
#include "base/arena.h"

typedef struct {
    float top, left, bottom, right;
} Box;

// A box that a detector gives. Lists may hold those of many images, numbered from 0 (or as the caller likes).
typedef struct {
    Box box;
    float score; // the higher, the surer; any finite number
    int label;   // its class, from 0
    int image;
} Detection;

// A box that is there: the ground truth.
typedef struct {
    Box box;
    int label, image;
} TrueBox;

double box_area(Box box);

// Intersection over union, from 0 to 1: the Jaccard index of the two areas. 0 where they do not overlap, where they touch, and
// where one of them is empty, even if both are the same empty box. A coordinate that is not finite makes a box empty.
double box_iou(Box a, Box b);

// ---- Non-maximum suppression ---------------------------------------------------------------------------------------------

typedef enum {
    NMS_PER_LABEL, // boxes of different labels leave each other alone
    NMS_ALL,       // one box suppresses another whatever their labels (class-agnostic)
} NmsKind;

// Greedy: the box with the highest score stays and suppresses those of its image whose IoU with it is above the threshold; the
// highest of the rest stays, and so on (of boxes: Felzenszwalb, Girshick, McAllester and Ramanan, PAMI 32, 2010; of pixels:
// Neubeck and Van Gool, ICPR 2006). Of equal scores the one that is first in the list goes first. Returns how many stay: they
// stand in front of the list now, from the highest score down, and behind them those that were suppressed, likewise.
//
// threshold from 0 to 1: 1 keeps all, 0 keeps boxes that do not overlap. Scores and coordinates that are not finite stop the
// program.
#define non_maximum_suppression(detections, count, threshold, kind)                                          \
    non_maximum_suppression_at(HERE, detections, count, threshold, kind)
int non_maximum_suppression_at(Place place, Detection *detections, int count, double threshold, NmsKind kind);

// ---- Average precision ---------------------------------------------------------------------------------------------------
// Everingham, Van Gool, Williams, Winn and Zisserman, "The PASCAL Visual Object Classes (VOC) challenge", IJCV 88, 2010, with
// the area in all points, as in VOC 2010 and later, instead of in 11. From the highest score down (of equal scores the first
// in the list), each detection looks for the true box of its image and label with which its IoU is largest (of equal ones the
// first in the list). If that IoU is at least the threshold and nothing has found that box before, it is a true positive; if
// not, a false positive: so is the second detection of one object. (COCO's evaluation lets the second one take the next best
// box instead, and averages the precision at 101 values of recall.)

enum { ALL_LABELS = -1 }; // in place of a label: labels do not count, all boxes are of one kind

// After each detection, from the highest score down: of all detections so far, the fraction that is right; and of all true
// boxes, the fraction that has been found.
typedef struct {
    int count;                  // detections with this label
    int truths;                 // true boxes with this label
    double *precision, *recall; // [count]; recall is NaN without true boxes
    float *score;               // [count]
    bool *right;                // [count]: a true positive
} PrecisionRecall;

#define precision_recall(arena, detections, count, truths, truth_count, label, iou)                          \
    precision_recall_at(HERE, arena, detections, count, truths, truth_count, label, iou)
PrecisionRecall precision_recall_at(Place place, Arena *arena, const Detection *detections, int count,
                                    const TrueBox *truths, int truth_count, int label, double iou);

// The area under the precision, as a function of recall, once each precision is replaced by the largest at that recall or a
// higher one, from 0 to 1. Without detections 0; without true boxes of this label NaN: there is nothing to be found.
#define average_precision(detections, count, truths, truth_count, label, iou)                                \
    average_precision_at(HERE, detections, count, truths, truth_count, label, iou)
double average_precision_at(Place place, const Detection *detections, int count, const TrueBox *truths,
                            int truth_count, int label, double iou);

// The mean over the labels 0 … labels − 1 that have true boxes; NaN when none has. each, if not NULL, receives the average
// precision of each label, NaN for those that do not count. Detections of a label without true boxes cost nothing; a label
// that is not below labels stops the program.
#define mean_average_precision(detections, count, truths, truth_count, labels, iou, each)                    \
    mean_average_precision_at(HERE, detections, count, truths, truth_count, labels, iou, each)
double mean_average_precision_at(Place place, const Detection *detections, int count, const TrueBox *truths,
                                 int truth_count, int labels, double iou, double *each);
