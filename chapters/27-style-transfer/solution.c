// The answers to the exercises of chapter 27. exercise.h says what is asked.
#include "exercise.h"

#include <math.h>

// TASK 27.1
void feature_gram(Matrix gram, Matrix features)
{
    for (int j = 0; j < features.cols; j++)
        for (int k = 0; k < features.cols; k++) {
            double total = 0.0;
            for (int n = 0; n < features.rows; n++)
                total += (double)AT(features, n, j) * (double)AT(features, n, k);
            AT(gram, j, k) = (float)(total / features.rows);
        }
}

// TASK 27.2
void gram_slope(Matrix d_features, Matrix d_gram, Matrix features)
{
    for (int n = 0; n < features.rows; n++)
        for (int j = 0; j < features.cols; j++) {
            double total = 0.0;
            for (int k = 0; k < features.cols; k++) {
                double both = (double)AT(d_gram, j, k) + (double)AT(d_gram, k, j);
                total += both * (double)AT(features, n, k);
            }
            AT(d_features, n, j) = (float)(total / features.rows);
        }
}

// TASK 27.3
void blind_to_brightness(Matrix weight)
{
    for (int k = 0; k < weight.cols; k++) {
        double total = 0.0, square = 0.0;
        int equal = 1;
        for (int i = 0; i < weight.rows; i++) {
            total += (double)AT(weight, i, k);
            if (AT(weight, i, k) != AT(weight, 0, k)) equal = 0;
        }
        double middle = total / weight.rows;
        for (int i = 0; i < weight.rows; i++)
            square += ((double)AT(weight, i, k) - middle) * ((double)AT(weight, i, k) - middle);
        for (int i = 0; i < weight.rows; i++)
            AT(weight, i, k) = equal ? 0.0f : (float)(((double)AT(weight, i, k) - middle) / sqrt(square));
    }
}

static float between_0_and_1(float value) { return value < 0.0f ? 0.0f : value > 1.0f ? 1.0f : value; }

// TASK 27.4
void with_luminance(Matrix out, Matrix rgb, Matrix y)
{
    for (int n = 0; n < rgb.rows; n++) {
        float now = 0.299f * AT(rgb, n, 0) + 0.587f * AT(rgb, n, 1) + 0.114f * AT(rgb, n, 2);
        float missing = y.data[n] - now;
        for (int c = 0; c < 3; c++) AT(out, n, c) = between_0_and_1(AT(rgb, n, c) + missing);
    }
}

// TASK 27.5
void local_patterns(Matrix frequencies, Matrix image, int height, int width)
{
    const int down[8] = {-1, -1, -1, 0, 1, 1, 1, 0}, right[8] = {-1, 0, 1, 1, 1, 0, -1, -1};
    int counts[256] = {0};
    for (int i = 1; i < height - 1; i++)
        for (int j = 1; j < width - 1; j++) {
            int pattern = 0;
            for (int k = 0; k < 8; k++) {
                float other = image.data[(i + down[k]) * width + j + right[k]];
                if (other >= image.data[i * width + j]) pattern |= 1 << k;
            }
            counts[pattern]++;
        }
    int pixels = (height - 2) * (width - 2);
    for (int p = 0; p < 256; p++) frequencies.data[p] = (float)counts[p] / (float)pixels;
}
