// Reference answers to the exercises of chapter 32. Look when you have tried.
#include "exercise.h"
#include "base/mathf.h"

#include <math.h>

// TASK 32.1: the largest of a row becomes m
void quantise_rows(Matrix q, Matrix scales, Matrix w, int bits)
{
    float m = (float)((1 << (bits - 1)) - 1);
    for (int i = 0; i < w.rows; i++) {
        float most = 0.0f;
        for (int j = 0; j < w.cols; j++) most = fmaxf(most, fabsf(AT(w, i, j)));
        float scale_of_row = most / m;
        scales.data[i] = scale_of_row;
        for (int j = 0; j < w.cols; j++) AT(q, i, j) = most > 0.0f ? rintf(AT(w, i, j) / scale_of_row) : 0.0f;
    }
}

// TASK 32.2: whole numbers are added as whole numbers
void integer_layer(Matrix y, Matrix x, Matrix w, float x_scale, Matrix scales, Matrix bias)
{
    for (int n = 0; n < y.rows; n++)
        for (int o = 0; o < y.cols; o++) {
            int total = 0;
            for (int k = 0; k < x.cols; k++) total += (int)AT(x, n, k) * (int)AT(w, k, o);
            AT(y, n, o) = x_scale * scales.data[o] * (float)total + bias.data[o];
        }
}

// TASK 32.3: every channel by itself; pixels beyond the edge are 0 and are left out
void depthwise(Matrix y, Matrix x, Matrix w, Matrix bias, int height, int width, int side)
{
    for (int p = 0; p < height * width; p++)
        for (int c = 0; c < x.cols; c++) {
            float total = bias.data[c];
            for (int t = 0; t < side * side; t++) {
                int i = p / width + t / side - side / 2, j = p % width + t % side - side / 2;
                if (i < 0 || i >= height || j < 0 || j >= width) continue;
                total += AT(x, i * width + j, c) * AT(w, t, c);
            }
            AT(y, p, c) = total;
        }
}

// TASK 32.4: an element stays if fewer than `keep` others come before it
void prune_smallest(Matrix w, Matrix mask, int keep)
{
    int count = w.rows * w.cols;
    for (int i = 0; i < count; i++) {
        int before = 0;
        for (int j = 0; j < count; j++) {
            float other = fabsf(w.data[j]), own = fabsf(w.data[i]);
            before += other > own || (other == own && j < i);
        }
        mask.data[i] = before < keep ? 1.0f : 0.0f;
    }
    for (int i = 0; i < count; i++)
        if (mask.data[i] == 0.0f) w.data[i] = 0.0f;
}

// log softmax(row / temperature) of column c
static float log_probability(Matrix row, float temperature, int c)
{
    float most = largest(row), total = 0.0f;
    for (int k = 0; k < row.cols; k++) total += exp32((row.data[k] - most) / temperature);
    return (row.data[c] - most) / temperature - log32(total);
}

// TASK 32.5: of the second term the gradient is part · T² · (p' − q') / T
float distil(Matrix d_student, Matrix student, Matrix teacher, Matrix labels, float part, float temperature)
{
    float loss = 0.0f, count = (float)student.rows;
    for (int n = 0; n < student.rows; n++) {
        Matrix s = matrix_rows(student, n, 1), t = matrix_rows(teacher, n, 1);
        int label = (int)labels.data[n];
        loss -= (1.0f - part) * log_probability(s, 1.0f, label) / count;
        for (int c = 0; c < student.cols; c++) {
            float mild = log_probability(s, temperature, c),
                  taught = exp32(log_probability(t, temperature, c));
            loss -= part * temperature * temperature * taught * mild / count;
            float hard = exp32(log_probability(s, 1.0f, c)) - (c == label ? 1.0f : 0.0f);
            float soft = temperature * (exp32(mild) - taught);
            AT(d_student, n, c) = ((1.0f - part) * hard + part * soft) / count;
        }
    }
    return loss;
}
