// Reference answers to the exercises of chapter 2. Look when you have tried.
#include "exercise.h"

#include "base/mathf.h"

#include <stdlib.h>

// The score of example i for class k: Σⱼ xᵢⱼ wⱼₖ
static float score_of(Matrix x, Matrix w, int i, int k)
{
    float score = 0.0f;
    for (int j = 0; j < x.cols; j++) score += AT(x, i, j) * AT(w, j, k);
    return score;
}

// TASK 2.1
float logistic_loss(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        float z = score_of(x, w, i, 0);
        // log(1 + eᶻ) − z is log(1 + e⁻ᶻ): nothing large is subtracted from something large. In both the exponent is
        // never positive.
        float score = y.data[i] > 0.5f ? -z : z;
        total += (double)(fmaxf(score, 0.0f) + log1p32(exp32(-fabsf(score))));
    }
    return (float)(total / x.rows);
}

// TASK 2.2
void logistic_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    fill(gradient, 0.0f);
    for (int i = 0; i < x.rows; i++) {
        float error = 1.0f / (1.0f + exp32(-score_of(x, w, i, 0))) - y.data[i];
        for (int j = 0; j < x.cols; j++) gradient.data[j] += AT(x, i, j) * error;
    }
    scale(gradient, 1.0f / (float)x.rows);
}

// TASK 2.3
void softmax_of_rows(Matrix p, Matrix z)
{
    for (int i = 0; i < z.rows; i++) {
        float most = AT(z, i, 0), total = 0.0f;
        for (int k = 1; k < z.cols; k++) most = fmaxf(most, AT(z, i, k));
        for (int k = 0; k < z.cols; k++) total += AT(p, i, k) = exp32(AT(z, i, k) - most);
        for (int k = 0; k < z.cols; k++) AT(p, i, k) /= total;
    }
}

// TASK 2.4
void softmax_gradient(Matrix gradient, Matrix x, Matrix w, Matrix labels)
{
    float values[MAX_CLASSES];
    Matrix p = matrix_view(1, w.cols, values);
    fill(gradient, 0.0f);
    for (int i = 0; i < x.rows; i++) {
        for (int k = 0; k < w.cols; k++) values[k] = score_of(x, w, i, k);
        softmax_of_rows(p, p);
        values[(int)labels.data[i]] -= 1.0f;
        for (int j = 0; j < x.cols; j++)
            for (int k = 0; k < w.cols; k++) AT(gradient, j, k) += AT(x, i, j) * values[k];
    }
    scale(gradient, 1.0f / (float)x.rows);
}

typedef struct {
    float score, label;
} Scored;

static int by_score(const void *a, const void *b)
{
    float left = ((const Scored *)a)->score, right = ((const Scored *)b)->score;
    return (left > right) - (left < right);
}

// TASK 2.5
float area_under_curve(Matrix scores, Matrix y)
{
    Arena *arena = arena_new();
    Scored *sorted = arena_alloc(arena, (size_t)y.rows, sizeof *sorted);
    for (int i = 0; i < y.rows; i++) sorted[i] = (Scored){scores.data[i], y.data[i]};
    qsort(sorted, (size_t)y.rows, sizeof *sorted, by_score);

    // From the lowest score upwards: each 1 wins against all 0 below it, and half of those beside it.
    double zeros = 0.0, ones = 0.0, won = 0.0;
    for (int i = 0; i < y.rows;) {
        double equal_zeros = 0.0, equal_ones = 0.0;
        for (float score = sorted[i].score; i < y.rows && sorted[i].score == score; i++)
            sorted[i].label > 0.5f ? equal_ones++ : equal_zeros++;
        won += equal_ones * (zeros + 0.5 * equal_zeros);
        zeros += equal_zeros;
        ones += equal_ones;
    }
    arena_free(arena);
    return (float)(won / (zeros * ones));
}
