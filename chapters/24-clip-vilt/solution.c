// Reference answers to the exercises of chapter 24. Look when you have tried.
#include "exercise.h"

#include <math.h>

// TASK 24.1
void unit_rows(Matrix out, Matrix x)
{
    for (int i = 0; i < x.rows; i++) {
        double square = 0.0;
        for (int f = 0; f < x.cols; f++) square += (double)AT(x, i, f) * (double)AT(x, i, f);
        double length = square > 0.0 ? sqrt(square) : 1.0;
        for (int f = 0; f < x.cols; f++) AT(out, i, f) = (float)((double)AT(x, i, f) / length);
    }
}

// s times the product of image i and text j
static double score(Matrix images, Matrix texts, float s, int i, int j)
{
    double product = 0.0;
    for (int f = 0; f < images.cols; f++) product += (double)AT(images, i, f) * (double)AT(texts, j, f);
    return (double)s * product;
}

// log Σ e^score over the other index: of image i over all texts, or of text i over all images
static double log_sum(Matrix images, Matrix texts, float s, int i, bool of_image)
{
    double most = -INFINITY, total = 0.0;
    for (int j = 0; j < images.rows; j++)
        most = fmax(most, of_image ? score(images, texts, s, i, j) : score(images, texts, s, j, i));
    for (int j = 0; j < images.rows; j++)
        total += exp((of_image ? score(images, texts, s, i, j) : score(images, texts, s, j, i)) - most);
    return most + log(total);
}

// TASK 24.2
float paired_loss(Matrix images, Matrix texts, float s)
{
    double loss = 0.0;
    for (int i = 0; i < images.rows; i++) {
        loss += log_sum(images, texts, s, i, true) - score(images, texts, s, i, i);
        loss += log_sum(images, texts, s, i, false) - score(images, texts, s, i, i);
    }
    return (float)(loss / (2.0 * images.rows));
}

// TASK 24.3
void paired_gradient(Matrix d_images, Matrix d_texts, Matrix images, Matrix texts, float s)
{
    const int b = images.rows;
    for (int i = 0; i < b * images.cols; i++) d_images.data[i] = d_texts.data[i] = 0.0f;
    for (int i = 0; i < b; i++)
        for (int j = 0; j < b; j++) {
            double across = exp(score(images, texts, s, i, j) - log_sum(images, texts, s, i, true));
            double down = exp(score(images, texts, s, i, j) - log_sum(images, texts, s, j, false));
            float slope = (float)((across + down - (i == j ? 2.0 : 0.0)) / (2.0 * b));
            for (int f = 0; f < images.cols; f++) {
                AT(d_images, i, f) += s * slope * AT(texts, j, f);
                AT(d_texts, j, f) += s * slope * AT(images, i, f);
            }
        }
}

// TASK 24.4
float recall_at(Matrix scores, int k)
{
    int found = 0;
    for (int i = 0; i < scores.rows; i++) {
        int before = 0;
        for (int j = 0; j < scores.cols; j++) before += j != i && AT(scores, i, j) >= AT(scores, i, i);
        found += before < k;
    }
    return (float)found / (float)scores.rows;
}

// TASK 24.5
void nearest_class(Matrix classes, Matrix images, Matrix captions, int captions_each)
{
    const int count = captions.rows / captions_each;
    for (int n = 0; n < images.rows; n++) {
        double most = -INFINITY;
        for (int c = 0; c < count; c++) {
            double product = 0.0, square = 0.0;
            for (int f = 0; f < images.cols; f++) {
                double middle = 0.0;
                for (int m = 0; m < captions_each; m++)
                    middle += (double)AT(captions, c * captions_each + m, f);
                product += middle * (double)AT(images, n, f);
                square += middle * middle;
            }
            double cosine = product / sqrt(square);
            if (cosine > most) {
                most = cosine;
                AT(classes, n, 0) = (float)c;
            }
        }
    }
}
