// Reference answers to the exercises of chapter 26. Look when you have tried.
#include "exercise.h"
#include "base/mathf.h"

#include <math.h>

static float squared_cosine(float part, float offset)
{
    float cosine = cos32(1.57079633f * (part + offset) / (1.0f + offset));
    return cosine * cosine;
}

// TASK 26.1
void cosine_schedule_of(Matrix remaining, float end, float offset)
{
    int steps = remaining.cols - 1;
    float start = squared_cosine(0.0f, offset);
    for (int t = 0; t <= steps; t++)
        remaining.data[t] = squared_cosine((float)t / (float)steps * end, offset) / start;
}

// TASK 26.2: (x_t, v) is (x_0, noise), rotated
void noised_and_target(Matrix x_t, Matrix v, Matrix x_0, Matrix noise, Matrix remaining)
{
    for (int i = 0; i < x_t.rows; i++) {
        float signal = sqrtf(remaining.data[i]), rest = sqrtf(1.0f - remaining.data[i]);
        for (int j = 0; j < x_t.cols; j++) {
            AT(x_t, i, j) = signal * AT(x_0, i, j) + rest * AT(noise, i, j);
            AT(v, i, j) = signal * AT(noise, i, j) - rest * AT(x_0, i, j);
        }
    }
}

// TASK 26.3: rotated back
void taken_apart(Matrix x_0, Matrix noise, Matrix x_t, Matrix v, Matrix remaining)
{
    for (int i = 0; i < x_t.rows; i++) {
        float signal = sqrtf(remaining.data[i]), rest = sqrtf(1.0f - remaining.data[i]);
        for (int j = 0; j < x_t.cols; j++) {
            AT(x_0, i, j) = signal * AT(x_t, i, j) - rest * AT(v, i, j);
            AT(noise, i, j) = rest * AT(x_t, i, j) + signal * AT(v, i, j);
        }
    }
}

// TASK 26.4
void jump_back(Matrix earlier, Matrix x, Matrix v, float now, float then)
{
    float signal = sqrtf(now), rest = sqrtf(1.0f - now);
    for (size_t i = 0; i < matrix_size(x); i++) {
        float data = signal * x.data[i] - rest * v.data[i];
        float noise = rest * x.data[i] + signal * v.data[i];
        earlier.data[i] = sqrtf(then) * data + sqrtf(1.0f - then) * noise;
    }
}

// TASK 26.5
void guided_step_back(Matrix earlier, Matrix x, Matrix v_told, Matrix v_none, Matrix fresh, float guidance,
                      float now, float then)
{
    float alpha = now / then, beta = 1.0f - alpha;
    float of_data = sqrtf(then) * beta / (1.0f - now);
    float of_x = sqrtf(alpha) * (1.0f - then) / (1.0f - now);
    float deviation = sqrtf((1.0f - then) / (1.0f - now) * beta);
    for (size_t i = 0; i < matrix_size(x); i++) {
        float v = v_none.data[i] + guidance * (v_told.data[i] - v_none.data[i]);
        float data = sqrtf(now) * x.data[i] - sqrtf(1.0f - now) * v;
        data = fminf(1.0f, fmaxf(-1.0f, data));
        earlier.data[i] = of_data * data + of_x * x.data[i] + deviation * fresh.data[i];
    }
}
