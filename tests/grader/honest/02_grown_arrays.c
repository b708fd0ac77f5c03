// grown_arrays.c: two arrays that realloc makes larger by one score, and a search by halves.
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
    float *at;
    size_t count;
} Scores;

static void append(Scores *s, float score)
{
    s->at = realloc(s->at, (s->count + 1) * sizeof *s->at);
    s->at[s->count++] = score;
}

static int compare(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

// How many scores are less than this one, or not greater.
static size_t rank(const Scores *s, float score, int or_equal)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->at[middle] < score || (or_equal && s->at[middle] == score))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

float area_under_curve(Matrix scores, Matrix y)
{
    Scores of[2] = {{0}, {0}};
    for (int i = 0; i < y.rows; i++) append(&of[y.data[i] > 0.5f], scores.data[i]);
    qsort(of[0].at, of[0].count, sizeof(float), compare);
    double won = 0.0;
    for (size_t i = 0; i < of[1].count; i++)
        won += (double)(rank(&of[0], of[1].at[i], 0) + rank(&of[0], of[1].at[i], 1)) / 2.0;
    float area = (float)(won / (double)of[0].count / (double)of[1].count);
    free(of[0].at);
    free(of[1].at);
    return area;
}
