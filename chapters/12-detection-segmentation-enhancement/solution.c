// The answers to the exercises of chapter 12. exercise.h says what is asked.
#include "exercise.h"

#include <math.h>

static float area_of(const float *box)
{
    if (box[2] <= box[0] || box[3] <= box[1]) return 0.0f;
    return (box[2] - box[0]) * (box[3] - box[1]);
}

static float overlap_of(const float *a, const float *b)
{
    const float both[4] = {fmaxf(a[0], b[0]), fmaxf(a[1], b[1]), fminf(a[2], b[2]), fminf(a[3], b[3])};
    const float common = area_of(both);
    return common > 0.0f ? common / (area_of(a) + area_of(b) - common) : 0.0f;
}

// TASK 12.1
void overlap_table(Matrix out, Matrix a, Matrix b)
{
    for (int i = 0; i < a.rows; i++)
        for (int j = 0; j < b.rows; j++) AT(out, i, j) = overlap_of(matrix_row(a, i), matrix_row(b, j));
}

// TASK 12.2
int keep_boxes(Matrix kept, Matrix boxes, Matrix scores, float threshold)
{
    int stay = 0;
    for (int i = 0; i < boxes.rows; i++) kept.data[i] = -1.0f; // not decided
    for (;;) {
        int best = -1;
        for (int i = 0; i < boxes.rows; i++)
            if (kept.data[i] < 0.0f && (best < 0 || scores.data[i] > scores.data[best])) best = i;
        if (best < 0) return stay;
        kept.data[best] = 1.0f;
        stay++;
        for (int i = 0; i < boxes.rows; i++) {
            const float iou = overlap_of(matrix_row(boxes, i), matrix_row(boxes, best));
            if (kept.data[i] < 0.0f && iou > threshold) kept.data[i] = 0.0f;
        }
    }
}

// Whether detection d is right, given which true boxes have been found
static int is_right(int *taken, const float *d, Matrix truth, float threshold)
{
    int nearest = -1;
    float most = -1.0f;
    for (int t = 0; t < truth.rows; t++) {
        const float *row = matrix_row(truth, t);
        if (row[0] != d[0] || row[1] != d[1]) continue;
        const float iou = overlap_of(row + 2, d + 3);
        if (iou > most) most = iou, nearest = t;
    }
    if (nearest < 0 || most < threshold || taken[nearest]) return 0;
    taken[nearest] = 1;
    return 1;
}

// TASK 12.3
float mean_precision(Matrix found, Matrix truth, int classes, float threshold)
{
    double total = 0.0;
    int present = 0;
    for (int k = 0; k < classes; k++) {
        int done[64] = {0}, taken[64] = {0}, there = 0, right = 0, seen = 0;
        double precision[65] = {0}, recall[65] = {0};
        for (int t = 0; t < truth.rows; t++) there += AT(truth, t, 0) == (float)k;
        if (there == 0) continue;
        for (;;) {
            int best = -1;
            for (int i = 0; i < found.rows; i++) {
                if (done[i] || AT(found, i, 0) != (float)k) continue;
                if (best < 0 || AT(found, i, 2) > AT(found, best, 2)) best = i;
            }
            if (best < 0) break;
            done[best] = 1;
            right += is_right(taken, matrix_row(found, best), truth, threshold);
            seen++;
            precision[seen] = (double)right / seen;
            recall[seen] = (double)right / there;
        }
        double area = 0.0, highest = 0.0;
        for (int i = seen; i >= 1; i--) {
            highest = fmax(highest, precision[i]);
            area += (recall[i] - recall[i - 1]) * highest;
        }
        total += area;
        present++;
    }
    return (float)(total / present);
}

// TASK 12.4
float mean_overlap(Matrix truth, Matrix called, int classes)
{
    double total = 0.0;
    int present = 0;
    for (int k = 0; k < classes; k++) {
        int both = 0, either = 0;
        for (int i = 0; i < truth.rows; i++) {
            if (truth.data[i] < 0.0f) continue;
            const int is = truth.data[i] == (float)k, said = called.data[i] == (float)k;
            both += is && said;
            either += is || said;
        }
        if (either == 0) continue;
        total += (double)both / either;
        present++;
    }
    return present ? (float)(total / present) : 0.0f;
}

// TASK 12.5
float inner_likeness(Matrix a, Matrix b, int height, int width, int border)
{
    double total = 0.0;
    int count = 0;
    for (int i = border; i < height - border; i++)
        for (int j = border; j < width - border; j++)
            for (int c = 0; c < a.cols; c++) {
                const double error = (double)AT(a, i * width + j, c) - (double)AT(b, i * width + j, c);
                total += error * error;
                count++;
            }
    if (total == 0.0) return INFINITY;
    return (float)(10.0 * log10(count / total));
}
