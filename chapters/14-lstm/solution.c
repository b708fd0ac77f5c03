// Reference answers to the exercises of chapter 14. Look when you have tried.
#include "exercise.h"

#include <math.h>

// TASK 14.1: σ(b)^steps = ½, so σ(b) = 2^(−1/steps), and σ(b) = 1 / (1 + e⁻ᵇ) gives e⁻ᵇ = 2^(1/steps) − 1
float forget_bias(float steps) { return (float)-log(expm1(0.6931471805599453 / (double)steps)); }

static double gate(float z) { return 1.0 / (1.0 + exp(-(double)z)); }

// TASK 14.2: a mean of the candidate and of the old state, weighted by the update gate
void gru_step(Matrix h, Matrix z)
{
    int n = h.cols;
    for (int b = 0; b < h.rows; b++)
        for (int k = 0; k < n; k++) {
            double r = gate(AT(z, b, k)), u = gate(AT(z, b, n + k));
            double candidate = tanh((double)AT(z, b, 2 * n + k) + r * (double)AT(z, b, 3 * n + k));
            AT(h, b, k) = (float)((1.0 - u) * candidate + u * (double)AT(h, b, k));
        }
}

// TASK 14.3: u is seen twice, with opposite signs; what passes tanh goes to z₂, to r and, times r, to z₃
void gru_step_gradient(Matrix d_z, Matrix d_h, Matrix h, Matrix z)
{
    int n = h.cols;
    for (int b = 0; b < h.rows; b++)
        for (int k = 0; k < n; k++) {
            double r = gate(AT(z, b, k)), u = gate(AT(z, b, n + k)), from_state = (double)AT(z, b, 3 * n + k);
            double candidate = tanh((double)AT(z, b, 2 * n + k) + r * from_state);
            double d = (double)AT(d_h, b, k);
            double d_sum = d * (1.0 - u) * (1.0 - candidate * candidate);
            AT(d_z, b, k) = (float)(d_sum * from_state * r * (1.0 - r));
            AT(d_z, b, n + k) = (float)(d * ((double)AT(h, b, k) - candidate) * u * (1.0 - u));
            AT(d_z, b, 2 * n + k) = (float)d_sum;
            AT(d_z, b, 3 * n + k) = (float)(d_sum * r);
            AT(d_h, b, k) = (float)(d * u);
        }
}

// TASK 14.4: in double, because 1e30 squared is no float. Divided by an infinite size, all would become 0 or NaN.
void clip(Matrix g, float limit)
{
    double square = 0.0;
    for (int i = 0; i < g.rows; i++)
        for (int j = 0; j < g.cols; j++) square += (double)AT(g, i, j) * (double)AT(g, i, j);
    double size = sqrt(square);
    if (!isfinite(size) || size <= (double)limit) return;
    for (int i = 0; i < g.rows; i++)
        for (int j = 0; j < g.cols; j++) AT(g, i, j) = (float)((double)AT(g, i, j) * ((double)limit / size));
}

// TASK 14.5: first the single characters, then the pairs
void witten_bell(Matrix p, Matrix counts)
{
    int k = counts.cols;
    double all = 0.0, kinds = 0.0;
    for (int j = 0; j < k; j++) {
        double times = 0.0;
        for (int i = 0; i < k; i++) times += (double)AT(counts, i, j);
        all += times;
        if (times > 0.0) kinds += 1.0;
    }
    for (int j = 0; j < k; j++) {
        double times = 0.0;
        for (int i = 0; i < k; i++) times += (double)AT(counts, i, j);
        double single = (times + kinds / k) / (all + kinds);
        for (int i = 0; i < k; i++) AT(p, i, j) = (float)single;
    }
    for (int i = 0; i < k; i++) {
        double total = 0.0, different = 0.0;
        for (int j = 0; j < k; j++) {
            total += (double)AT(counts, i, j);
            if (AT(counts, i, j) > 0.0f) different += 1.0;
        }
        if (total == 0.0) continue;
        for (int j = 0; j < k; j++)
            AT(p, i, j) =
                (float)(((double)AT(counts, i, j) + different * (double)AT(p, i, j)) / (total + different));
    }
}
