// The answers to the exercises of chapter 5. exercise.h says what is asked.
#include "exercise.h"

#include <math.h>

// TASK 5.1
void adagrad_step(Matrix x, Matrix sums, Matrix gradient, float rate)
{
    for (int i = 0; i < x.cols; i++) {
        float g = gradient.data[i];
        sums.data[i] += g * g;
        if (sums.data[i] > 0.0f) x.data[i] -= rate * g / sqrtf(sums.data[i]);
    }
}

// TASK 5.2
float steps_for_a_digit(float rate, float least, float most)
{
    float flat = fabsf(1.0f - rate * least), steep = fabsf(1.0f - rate * most);
    float factor = flat > steep ? flat : steep;
    if (factor >= 1.0f) return INFINITY;
    return -logf(10.0f) / logf(factor);
}

// TASK 5.3
void gradient_from_heights(Matrix gradient, Matrix above, Matrix below, Matrix noise, float sigma)
{
    fill(gradient, 0.0f);
    for (int j = 0; j < noise.rows; j++) {
        float slope = (above.data[j] - below.data[j]) / (2.0f * sigma);
        for (int i = 0; i < noise.cols; i++) gradient.data[i] += slope * AT(noise, j, i) / (float)noise.rows;
    }
}

// TASK 5.4
float exchange_probability(float f1, float t1, float f2, float t2)
{
    float d = (1.0f / t1 - 1.0f / t2) * (f1 - f2);
    return d >= 0.0f ? 1.0f : expf(d);
}
