// The answers to the exercises of chapter 3. exercise.h says what is asked.
#include "exercise.h"

#include <math.h>

// TASK 3.1
// −Σ counts ln (counts / rows): rows times the entropy
static float entropy_of(const float *counts, int classes)
{
    float rows = 0.0f, total = 0.0f;
    for (int k = 0; k < classes; k++) rows += counts[k];
    for (int k = 0; k < classes; k++)
        if (counts[k] > 0.0f) total -= counts[k] * logf(counts[k] / rows);
    return total;
}

float least_entropy(Matrix values, Matrix labels, int classes)
{
    float left[MAX_CLASSES] = {0}, right[MAX_CLASSES] = {0};
    for (int i = 0; i < values.rows; i++) right[(int)labels.data[i]]++;
    float least = entropy_of(right, classes);
    for (int i = 0; i + 1 < values.rows; i++) {
        left[(int)labels.data[i]]++;
        right[(int)labels.data[i]]--;
        if (values.data[i] == values.data[i + 1]) continue;
        least = fminf(least, entropy_of(left, classes) + entropy_of(right, classes));
    }
    return least / (float)values.rows;
}

// TASK 3.2
// rows · gini of these counts
static float impurity_of(const float *counts, int classes)
{
    float rows = 0.0f, squares = 0.0f;
    for (int k = 0; k < classes; k++) {
        rows += counts[k];
        squares += counts[k] * counts[k];
    }
    if (rows == 0.0f) return 0.0f;
    return rows - squares / rows;
}

float price_of_branch(Matrix counts, float total)
{
    float root[MAX_CLASSES] = {0}, leaves = 0.0f;
    for (int l = 0; l < counts.rows; l++) {
        for (int k = 0; k < counts.cols; k++) root[k] += AT(counts, l, k);
        leaves += impurity_of(matrix_row(counts, l), counts.cols);
    }
    return (impurity_of(root, counts.cols) - leaves) / (total * (float)(counts.rows - 1));
}

// TASK 3.3
float out_of_bag_error(Matrix answers, Matrix bags, Matrix labels, int classes)
{
    int wrong = 0, judged = 0;
    for (int i = 0; i < labels.rows; i++) {
        int votes[MAX_CLASSES] = {0}, most = 0, voters = 0;
        for (int t = 0; t < answers.rows; t++) {
            if (AT(bags, t, i) > 0.0f) continue;
            votes[(int)AT(answers, t, i)]++;
            voters++;
        }
        if (voters == 0) continue;
        for (int k = 1; k < classes; k++)
            if (votes[k] > votes[most]) most = k;
        wrong += most != (int)labels.data[i];
        judged++;
    }
    return (float)wrong / (float)judged; // 0/0 is NAN
}

// TASK 3.4
float squared_hinge(Matrix gradient, Matrix w, Matrix x, Matrix y, float c)
{
    float total = 0.0f;
    for (int j = 0; j < w.rows; j++) {
        total += 0.5f * w.data[j] * w.data[j];
        gradient.data[j] = w.data[j];
    }
    for (int i = 0; i < x.rows; i++) {
        float score = 0.0f;
        for (int j = 0; j < x.cols; j++) score += AT(x, i, j) * w.data[j];
        float missing = fmaxf(1.0f - y.data[i] * score, 0.0f);
        total += c * missing * missing;
        for (int j = 0; j < x.cols; j++) gradient.data[j] -= 2.0f * c * missing * y.data[i] * AT(x, i, j);
    }
    return total;
}

// TASK 3.5
float smo_step(Matrix alpha, Matrix y, Matrix k, int i, int j, float c)
{
    float slope = y.data[i] - y.data[j], curvature = AT(k, i, i) + AT(k, j, j) - 2.0f * AT(k, i, j);
    for (int m = 0; m < alpha.rows; m++) slope -= alpha.data[m] * y.data[m] * (AT(k, i, m) - AT(k, j, m));
    float delta = slope / curvature;
    delta = fminf(delta, y.data[i] > 0.0f ? c - alpha.data[i] : alpha.data[i]);
    delta = fminf(delta, y.data[j] > 0.0f ? alpha.data[j] : c - alpha.data[j]);
    delta = fmaxf(delta, 0.0f);
    alpha.data[i] += y.data[i] * delta;
    alpha.data[j] -= y.data[j] * delta;
    return delta;
}
