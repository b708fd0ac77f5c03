// hidden_12.c: random inputs for the exercises of chapter 12. Coordinates and scores are small whole numbers, so that boxes touch, are
// equal, empty or inside out, and scores are equal, as a matter of course.
#include "reference.h"

static void draw_box(Rng *rng, float *box)
{
    for (int i = 0; i < 2; i++) {
        box[i] = (float)hidden_between(rng, 0, 5);
        box[i + 2] = box[i] + (float)hidden_between(rng, hidden_between(rng, 0, 9) ? 1 : -1, 5);
    }
}

static Matrix draw_boxes(Rng *rng, Arena *arena, int count)
{
    Matrix boxes = matrix_new(arena, count, 4);
    for (int i = 0; i < count; i++) draw_box(rng, matrix_row(boxes, i));
    return boxes;
}

ROUNDS(4, the_overlaps_of_random_boxes)
{
    const int n = hidden_between(rng, 3, 9), m = hidden_between(rng, 4, 9);
    Matrix a = draw_boxes(rng, arena, n), b = draw_boxes(rng, arena, m);
    same_overlap_table(1e-5f, matrix_new(arena, n, m), a, b);
}

ROUNDS(6, the_suppression_of_random_boxes)
{
    const int n = hidden_between(rng, 6, 30);
    Matrix boxes = draw_boxes(rng, arena, n), scores = matrix_new(arena, n, 1);
    for (int k = 0; k < n; k++) scores.data[k] = 0.125f * (float)hidden_between(rng, 0, 7);
    for (int k = 1; k < n; k += 4) copy(matrix_rows(boxes, k, 1), matrix_rows(boxes, k - 1, 1)); // duplicates
    const float threshold = i % 2 ? 0.5f : rng_between(rng, 0.1f, 0.6f);
    same_keep_boxes(0.0f, matrix_new(arena, n, 1), boxes, scores, threshold);
}

// Detections near true boxes of three classes out of five, and of the others
ROUNDS(6, the_precision_of_random_lists)
{
    const int classes = 5, truths = hidden_between(rng, 5, 16), detections = hidden_between(rng, 12, 50);
    Matrix truth = matrix_new(arena, truths, 6), found = matrix_new(arena, detections, 7);
    for (int t = 0; t < truths; t++) {
        float *row = matrix_row(truth, t);
        row[0] = (float)(hidden_between(rng, 0, 2) + i % 2);
        row[1] = (float)hidden_between(rng, 0, 2);
        draw_box(rng, row + 2);
    }
    for (int d = 0; d < detections; d++) {
        float *row = matrix_row(found, d);
        const float *near = matrix_row(truth, hidden_between(rng, 0, truths - 1));
        const bool random = hidden_between(rng, 0, 3) == 0;
        row[0] = random ? (float)hidden_between(rng, 0, classes - 1) : near[0];
        row[1] = near[1];
        row[2] = 0.0625f * (float)hidden_between(rng, 0, 15);
        for (int k = 0; k < 4; k++) row[3 + k] = near[2 + k] + (float)(hidden_between(rng, 0, 3) == 0);
        if (random) draw_box(rng, row + 3);
    }
    same_mean_precision(1e-4f, found, truth, classes, 0.5f);
}

ROUNDS(6, the_mean_overlap_of_random_classes)
{
    const int n = hidden_between(rng, 5, 60), classes = hidden_between(rng, 4, 8);
    Matrix truth = matrix_new(arena, n, 1), called = matrix_new(arena, n, 1);
    for (int k = 0; k < n; k++) {
        truth.data[k] = (float)hidden_between(rng, -1, classes - 3); // the last two classes are never there
        called.data[k] = (float)hidden_between(rng, 0, classes - 2); // and the last is never called
    }
    same_mean_overlap(1e-5f, truth, called, classes);
}

ROUNDS(4, the_likeness_inside_random_images)
{
    const int border = hidden_between(rng, 0, 2), colours = hidden_between(rng, 1, 3);
    const int height = 2 * border + hidden_between(rng, 1, 5), width = 2 * border + hidden_between(rng, 6, 9);
    Matrix a = hidden_matrix(rng, arena, height * width, colours);
    Matrix b = hidden_matrix(rng, arena, height * width, colours);
    same_inner_likeness(1e-3f, a, b, height, width, border);
}

HIDDEN({"12.1", the_overlaps_of_random_boxes}, {"12.2", the_suppression_of_random_boxes},
       {"12.3", the_precision_of_random_lists}, {"12.4", the_mean_overlap_of_random_classes},
       {"12.5", the_likeness_inside_random_images})
