// judge.h: a classifier that looks at generated garments: do they show what was asked for, do they differ from each other, and
// are they distributed like real ones?
//
//     Judge judge = judge_new(&parameters, &rng);
//     judge_train(&judge, &parameters, garments.grey, garments.items, 2, &rng, NULL, NULL);
//     JudgeReference real = judge_reference(arena, &judge, test.grey, test.items);
//     JudgeReport report = judge_report(&judge, real, generated, wanted);
//     printf("%.2f of real test images are what they are, %.2f of generated ones\n", real.agreement, report.agreement);
//
// The judge is trained on real garments (files/garments.h, 14 × 14 in grey, 0 to 1) and apart from every generator. It errs
// itself: agreement is to be read against real.agreement and not against 1. It is a network with a fixed task, so that a
// generator trained against it could fool it; none here is.
//
//     agreement   the fraction of images that the judge takes for the item that was wanted
//     variety     for each item √(mean over pixels of the variance over its images), divided by that of real ones; the mean
//                 over items. 1: as different from each other as real ones; 0: all the same image, which agreement rewards
//     distance    Fréchet distance (learning/frechet.h) in the judge's 128 features from all real test images
//
// Used for: chapters 25 and 26.
#pragma once
#include "learning/frechet.h"
#include "models/nn.h"

enum { JUDGE_SIDE = 14, JUDGE_PIXELS = 196, JUDGE_CLASSES = 10, JUDGE_FEATURES = 128 };

// 3 × 3 convolutions to 16 and, after a maximum over 2 × 2, 32 features; again a maximum; 128 features and 10 classes.
typedef struct {
    Conv first, second;
    Linear hidden, head;
} Judge;

Judge judge_new(Parameters *set, Rng *rng);

Tensor *judge_features(const Judge *judge, Tape *tape,
                       Matrix images); // images (n × 196) → (n × 128), after ReLU
Tensor *judge_logits(const Judge *judge, Tape *tape, Matrix images); // (n × 10)

// Adam at 2e-3 falling to 0 on a cosine, batches of 128 in an order that rng shuffles. progress, when not NULL, is called
// after each step.
typedef void (*JudgeProgress)(void *context, long done, long total, double loss);
void judge_train(const Judge *judge, Parameters *set, Matrix images, const int *labels, int epochs, Rng *rng,
                 JudgeProgress progress, void *context);

typedef struct {
    double agreement;                // of the judge with the labels of real test images
    double deviation[JUDGE_CLASSES]; // √(mean over pixels of the variance over a class's images)
    Gaussian features;
} JudgeReference;

typedef struct {
    double agreement, agreement_of[JUDGE_CLASSES]; // NaN for an item that was not wanted
    double variety, variety_of[JUDGE_CLASSES];     // NaN for an item with fewer than two images
    double distance;
} JudgeReport;

// labels: every class at least twice.
#define judge_reference(arena, judge, images, labels) judge_reference_at(HERE, arena, judge, images, labels)
JudgeReference judge_reference_at(Place place, Arena *arena, const Judge *judge, Matrix images,
                                  const int *labels);

// wanted [n], each 0 to 9; at least two images. The means are over the items for which there is a number.
#define judge_report(judge, reference, images, wanted) judge_report_at(HERE, judge, reference, images, wanted)
JudgeReport judge_report_at(Place place, const Judge *judge, JudgeReference reference, Matrix images,
                            const int *wanted);

// What the judge takes each image for: classes [n].
void judge_classes(const Judge *judge, Matrix images, int *classes);

// ---- What a generator is compared with ----------------------------------------------------------------------------

// For each of the images (n × D) the row of training (N × D) at the least Euclidean distance, the first of equally near ones, and
// that distance: nearest [n], distance [n]. A generator that copies has distances near 0.
#define judge_nearest(images, training, nearest, distance)                                                   \
    judge_nearest_at(HERE, images, training, nearest, distance)
void judge_nearest_at(Place place, Matrix images, Matrix training, int *nearest, double *distance);

// Samples of the normal distribution with the mean and the covariance of real images (N × D), all that a linear model can
// know: images (n × D), each mean + Σ wᵢ (realᵢ − mean) with wᵢ normal of deviation 1/√N, cut to 0 … 1.
#define judge_gaussian(images, real, rng) judge_gaussian_at(HERE, images, real, rng)
void judge_gaussian_at(Place place, Matrix images, Matrix real, Rng *rng);
