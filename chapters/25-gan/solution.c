// Reference answers to the exercises of chapter 25. Look when you have tried.
#include "exercise.h"
#include "base/mathf.h"

// TASK 25.1
float passing_loss(Matrix d_logits, Matrix logits)
{
    double total = 0.0;
    for (int i = 0; i < logits.rows; i++) {
        float odds = exp32(-logits.data[i]);
        total += (double)log1p32(odds);
        d_logits.data[i] = -odds / (1.0f + odds) / (float)logits.rows;
    }
    return (float)(total / logits.rows);
}

// softplus(t) = max(0, t) + log(1 + e^−|t|): what is put into the exponential is never positive
static float softplus_of(float t)
{
    float positive = t > 0.0f ? t : 0.0f;
    return positive + log1p32(exp32(t > 0.0f ? -t : t));
}

// Its derivative 1 / (1 + e^−t)
static float slope_of(float t)
{
    float e = exp32(t > 0.0f ? -t : t);
    return (t > 0.0f ? 1.0f : e) / (1.0f + e);
}

// TASK 25.2
float verdict_loss(Matrix d_real, Matrix d_made, Matrix real, Matrix made)
{
    double of_real = 0.0, of_made = 0.0;
    for (int i = 0; i < real.rows; i++) {
        of_real += (double)softplus_of(-real.data[i]);
        d_real.data[i] = -slope_of(-real.data[i]) / (float)real.rows;
    }
    for (int i = 0; i < made.rows; i++) {
        of_made += (double)softplus_of(made.data[i]);
        d_made.data[i] = slope_of(made.data[i]) / (float)made.rows;
    }
    return (float)(of_real / real.rows + of_made / made.rows);
}

// TASK 25.3: with u = s ⊙ vᵀ the gradient is g = u·Wᵀ
float flatness_penalty(Matrix d_w, Matrix d_v, Matrix x, Matrix w, Matrix b, Matrix v, float gamma)
{
    double squares = 0.0;
    fill(d_w, 0.0f);
    fill(d_v, 0.0f);
    for (int n = 0; n < x.rows; n++) {
        float slope[256], g[256];
        for (int h = 0; h < w.cols; h++) {
            float t = b.data[h];
            for (int i = 0; i < w.rows; i++) t += AT(x, n, i) * AT(w, i, h);
            slope[h] = t > 0.0f ? 1.0f : 0.2f;
        }
        for (int i = 0; i < w.rows; i++) {
            g[i] = 0.0f;
            for (int h = 0; h < w.cols; h++) g[i] += AT(w, i, h) * slope[h] * v.data[h];
            squares += (double)g[i] * (double)g[i];
        }
        for (int i = 0; i < w.rows; i++)
            for (int h = 0; h < w.cols; h++) {
                float d_g = gamma * g[i] / (float)x.rows;
                AT(d_w, i, h) += d_g * slope[h] * v.data[h];
                d_v.data[h] += d_g * slope[h] * AT(w, i, h);
            }
    }
    return 0.5f * gamma * (float)(squares / x.rows);
}

// TASK 25.4
int modes_found(Matrix counts, Matrix points, Matrix centres, float radius, int least)
{
    int found = 0;
    for (int m = 0; m < centres.rows; m++) {
        int count = 0;
        for (int n = 0; n < points.rows; n++) {
            float square = 0.0f;
            for (int d = 0; d < points.cols; d++) {
                float apart = AT(points, n, d) - AT(centres, m, d);
                square += apart * apart;
            }
            if (square <= radius * radius) count++;
        }
        counts.data[m] = (float)count;
        if (count >= least) found++;
    }
    return found;
}

// Mean and variance of a list
static void moments(Matrix list, double *average, double *variance)
{
    double total = 0.0, squares = 0.0;
    for (int i = 0; i < list.rows; i++) total += (double)list.data[i];
    *average = total / list.rows;
    for (int i = 0; i < list.rows; i++) {
        double apart = (double)list.data[i] - *average;
        squares += apart * apart;
    }
    *variance = squares / (list.rows - 1);
}

// TASK 25.5
float distance_of_numbers(Matrix a, Matrix b)
{
    double mean_a, mean_b, variance_a, variance_b;
    moments(a, &mean_a, &variance_a);
    moments(b, &mean_b, &variance_b);
    double apart = mean_a - mean_b, wider = sqrt(variance_a) - sqrt(variance_b);
    return (float)(apart * apart + wider * wider);
}
