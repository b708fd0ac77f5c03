// Reference answers to the exercises of chapter 11. Look when you have tried.
#include "exercise.h"

#include <math.h>

// Of column j, in double and in two passes: what is left after the mean is subtracted must keep its digits. The sum of
// squares is not divided yet.
static void column_statistics(double *mean, double *squares, Matrix x, int j)
{
    *mean = *squares = 0.0;
    for (int i = 0; i < x.rows; i++) *mean += (double)AT(x, i, j) / x.rows;
    for (int i = 0; i < x.rows; i++)
        *squares += ((double)AT(x, i, j) - *mean) * ((double)AT(x, i, j) - *mean);
}

// TASK 11.1: gain · (x·weight + bias − mean) / √(variance + 1e-5) + offset, sorted by what stands with x
void fold_norm(Matrix weight, Matrix bias, Matrix mean, Matrix variance, Matrix gain, Matrix offset)
{
    for (int j = 0; j < weight.cols; j++) {
        float factor = gain.data[j] / sqrtf(variance.data[j] + 1e-5f);
        for (int k = 0; k < weight.rows; k++) AT(weight, k, j) *= factor;
        bias.data[j] = (bias.data[j] - mean.data[j]) * factor + offset.data[j];
    }
}

// TASK 11.2: the gradient without its mean and without its part along the normalised column, times gain · r
void normalise_channels_gradient(Matrix d_x, Matrix d_gain, Matrix d_bias, Matrix d_y, Matrix x, Matrix gain)
{
    for (int j = 0; j < x.cols; j++) {
        double mean, squares, sum = 0.0, along = 0.0;
        column_statistics(&mean, &squares, x, j);
        double r = 1.0 / sqrt(squares / x.rows + 1e-5);
        for (int i = 0; i < x.rows; i++) {
            sum += (double)AT(d_y, i, j);
            along += (double)AT(d_y, i, j) * ((double)AT(x, i, j) - mean) * r;
        }
        d_bias.data[j] = (float)sum;
        d_gain.data[j] = (float)along;
        for (int i = 0; i < x.rows; i++) {
            double normal = ((double)AT(x, i, j) - mean) * r;
            double through = (double)AT(d_y, i, j) - sum / x.rows - normal * along / x.rows;
            AT(d_x, i, j) = (float)((double)gain.data[j] * r * through);
        }
    }
}

// TASK 11.3
void follow_batch(Matrix mean, Matrix variance, Matrix x, float momentum)
{
    for (int j = 0; j < x.cols; j++) {
        double batch_mean, squares;
        column_statistics(&batch_mean, &squares, x, j);
        mean.data[j] = (1.0f - momentum) * mean.data[j] + momentum * (float)batch_mean;
        variance.data[j] = (1.0f - momentum) * variance.data[j] + momentum * (float)(squares / (x.rows - 1));
    }
}

// TASK 11.4
void drop_channels(Matrix x, Matrix uniform, float p)
{
    int pixels = x.rows / uniform.rows;
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < x.cols; j++)
            AT(x, i, j) = AT(uniform, i / pixels, j) < p ? 0.0f : AT(x, i, j) / (1.0f - p);
}

// TASK 11.5: for each pixel of the new image, where it comes from
void move_image(Matrix out, Matrix image, int dy, int dx, int flip, float background)
{
    for (int y = 0; y < out.rows; y++)
        for (int x = 0; x < out.cols; x++) {
            int from_y = y - dy, from_x = x - dx;
            AT(out, y, x) = background;
            if (from_y < 0 || from_y >= image.rows || from_x < 0 || from_x >= image.cols) continue;
            AT(out, y, x) = AT(image, from_y, flip == 1 ? image.cols - 1 - from_x : from_x);
        }
}
