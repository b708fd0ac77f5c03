// Reference answers to the exercises of chapter 21. Look when you have tried.
#include "exercise.h"

#include <math.h>

// TASK 21.1: in doubles, since the square of a width alone may be more than an int holds
float decoder_parameters(int layers, int width, int heads, int key_heads, int hidden, int vocabulary)
{
    double c = width, keys = (double)(width / heads) * key_heads;
    double attention = c * c + 2.0 * c * keys + c * c;
    double network = 3.0 * c * hidden, norms = 2.0 * c;
    return (float)(layers * (attention + network + norms) + c + 2.0 * vocabulary * c);
}

// TASK 21.2: the pairs of positions that see each other, and the weights that each token meets
float training_flop(int layers, int width, int vocabulary, int time, int window)
{
    double c = width, pairs = 0.0;
    for (int t = 0; t < time; t++) pairs += t + 1 < window ? t + 1 : window;
    double weights = layers * 12.0 * c * c + (double)vocabulary * c;
    return (float)(6.0 * (time * weights + layers * 2.0 * c * pairs));
}

// The weighted sum of squares of loss − a x − c
static double squares(const double *x, Matrix loss, Matrix weights, double a, double c)
{
    double total = 0.0;
    for (int i = 0; i < loss.cols; i++) {
        double apart = (double)loss.data[i] - a * x[i] - c;
        total += (double)weights.data[i] * apart * apart;
    }
    return total;
}

// TASK 21.3: a line in x = N^−b through the weighted mean; without a floor, through 0
float fit_floor(Matrix law, Matrix n, Matrix loss, Matrix weights, float b)
{
    double x[MAX_POINTS], all = 0.0, mean_x = 0.0, mean = 0.0, xx = 0.0, xl = 0.0, xx0 = 0.0, xl0 = 0.0;
    for (int i = 0; i < n.cols; i++) {
        double w = (double)weights.data[i], l = (double)loss.data[i];
        x[i] = pow((double)n.data[i], -(double)b);
        all += w;
        mean_x += w * x[i];
        mean += w * l;
        xx0 += w * x[i] * x[i];
        xl0 += w * x[i] * l;
    }
    mean_x /= all;
    mean /= all;
    for (int i = 0; i < n.cols; i++) {
        double w = (double)weights.data[i];
        xx += w * (x[i] - mean_x) * (x[i] - mean_x);
        xl += w * (x[i] - mean_x) * ((double)loss.data[i] - mean);
    }
    double a = xl / xx, c = mean - a * mean_x;
    if (c < 0.0) {
        a = xl0 / xx0;
        c = 0.0;
    }
    law.data[0] = (float)a;
    law.data[1] = (float)c;
    return (float)squares(x, loss, weights, a, c);
}

// TASK 21.4: around the mean of ln N, the normal equations of 1, z and z² are three that are easily solved
float isoflop_best(Matrix n, Matrix loss)
{
    int count = n.cols;
    double mean_z = 0.0, mean = 0.0, low = INFINITY, high = 0.0;
    for (int i = 0; i < count; i++) {
        mean_z += log((double)n.data[i]) / count;
        mean += (double)loss.data[i] / count;
        low = fmin(low, (double)n.data[i]);
        high = fmax(high, (double)n.data[i]);
    }
    double s2 = 0.0, s3 = 0.0, s4 = 0.0, zl = 0.0, zzl = 0.0;
    for (int i = 0; i < count; i++) {
        double z = log((double)n.data[i]) - mean_z, l = (double)loss.data[i] - mean;
        s2 += z * z;
        s3 += z * z * z;
        s4 += z * z * z * z;
        zl += z * l;
        zzl += z * z * l;
    }
    double spread = s4 - s2 * s2 / count, determinant = s2 * spread - s3 * s3;
    double slope = (zl * spread - s3 * zzl) / determinant, curvature = (s2 * zzl - s3 * zl) / determinant;
    if (!(curvature > 0.0)) return 0.0f;
    double best = exp(mean_z - slope / (2.0 * curvature));
    return best >= low && best <= high ? (float)best : 0.0f;
}

// All that N parameters cost; infinite when they never reach the target
static double total_cost(Matrix surface, double target, double served, double n)
{
    double left =
        target - (double)surface.data[0] - (double)surface.data[1] * pow(n, -(double)surface.data[2]);
    if (left <= 0.0) return INFINITY;
    double tokens = pow((double)surface.data[3] / left, 1.0 / (double)surface.data[4]);
    return 6.0 * n * tokens + 2.0 * n * served;
}

// TASK 21.5: more parameters need fewer tokens, so there is one valley: walk along it in steps of a tenth of a percent
float cheapest_size(Matrix surface, float target, float served)
{
    double best = 0.0, least = INFINITY;
    for (double n = 1e3; n <= 1e15; n *= 1.001) {
        double cost = total_cost(surface, (double)target, (double)served, n);
        if (cost >= least) continue;
        least = cost;
        best = n;
    }
    return (float)best;
}
