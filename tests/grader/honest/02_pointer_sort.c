// pointer_sort.c: an array of pointers to records, each from malloc, and qsort_r with a context.
#include "exercise.h"

#include <math.h>
#include <stdlib.h>

static double score_of(Matrix x, Matrix w, int i, int k)
{
    double score = 0.0;
    for (int j = 0; j < x.cols; j++) score += (double)AT(x, i, j) * (double)AT(w, j, k);
    return score;
}

float logistic_loss(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double z = score_of(x, w, i, 0);
        total += fmax(z, 0.0) - z * (double)y.data[i] + log1p(exp(-fabs(z)));
    }
    return (float)(total / x.rows);
}

void logistic_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    for (int j = 0; j < x.cols; j++) {
        double sum = 0.0;
        for (int i = 0; i < x.rows; i++)
            sum += (double)AT(x, i, j) * (1.0 / (1.0 + exp(-score_of(x, w, i, 0))) - (double)y.data[i]);
        gradient.data[j] = (float)(sum / x.rows);
    }
}

void softmax_of_rows(Matrix p, Matrix z)
{
    for (int i = 0; i < z.rows; i++) {
        double most = -INFINITY, total = 0.0;
        for (int k = 0; k < z.cols; k++) most = fmax(most, (double)AT(z, i, k));
        for (int k = 0; k < z.cols; k++) total += exp((double)AT(z, i, k) - most);
        for (int k = 0; k < z.cols; k++) AT(p, i, k) = (float)(exp((double)AT(z, i, k) - most) / total);
    }
}

void softmax_gradient(Matrix gradient, Matrix x, Matrix w, Matrix labels)
{
    float scores[MAX_CLASSES], shares[MAX_CLASSES];
    for (size_t e = 0; e < matrix_size(gradient); e++) gradient.data[e] = 0.0f;
    for (int i = 0; i < x.rows; i++) {
        for (int k = 0; k < w.cols; k++) scores[k] = (float)score_of(x, w, i, k);
        softmax_of_rows(matrix_view(1, w.cols, shares), matrix_view(1, w.cols, scores));
        shares[(int)labels.data[i]] -= 1.0f;
        for (int j = 0; j < x.cols; j++)
            for (int k = 0; k < w.cols; k++)
                AT(gradient, j, k) += AT(x, i, j) * shares[k] / (float)x.rows;
    }
}

typedef struct {
    int example;
} Record;

static int by_score(const void *a, const void *b, void *context)
{
    const float *scores = context;
    float left = scores[(*(Record *const *)a)->example], right = scores[(*(Record *const *)b)->example];
    return left < right ? -1 : left > right;
}

float area_under_curve(Matrix scores, Matrix y)
{
    Record **records = malloc((size_t)y.rows * sizeof *records);
    double *ranks = malloc((size_t)y.rows * sizeof *ranks), sum = 0.0, ones = 0.0;
    for (int i = 0; i < y.rows; i++) {
        records[i] = malloc(sizeof **records);
        records[i]->example = i;
    }
    qsort_r(records, (size_t)y.rows, sizeof *records, by_score, scores.data);
    for (int i = 0, end; i < y.rows; i = end) { // equal scores share the mean of their ranks
        float score = scores.data[records[i]->example];
        for (end = i; end < y.rows && scores.data[records[end]->example] == score;) end++;
        for (int k = i; k < end; k++) ranks[records[k]->example] = (i + 1 + end) / 2.0;
    }
    for (int i = 0; i < y.rows; i++) {
        if (y.data[i] > 0.5f) sum += ranks[i], ones += 1.0;
        free(records[i]);
    }
    free(records);
    free(ranks);
    return (float)((sum - ones * (ones + 1.0) / 2.0) / (ones * (y.rows - ones)));
}
