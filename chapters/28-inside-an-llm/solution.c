// Reference answers to the exercises of chapter 28. Look when you have tried.
#include "exercise.h"
#include "base/mathf.h"

#include <math.h>
#include <stdint.h>

// TASK 28.1: the lower half of the float is 0
void bf16_to_floats(Matrix values, Matrix bytes)
{
    for (int i = 0; i < values.cols; i++) {
        uint32_t low = (uint32_t)bytes.data[2 * i], high = (uint32_t)bytes.data[2 * i + 1];
        values.data[i] = float_from_bits(high << 24 | low << 16);
    }
}

// TASK 28.2: three factors of up to 10⁹, 10⁹ and 4 fit 63 bits
int byte_of_number(int header, int begin, int end, int rows, int cols, int width, int row, int col)
{
    if (header < 0 || begin < 0) return -1;
    if (row < 0 || row >= rows || col < 0 || col >= cols) return -1;
    if ((int64_t)rows * cols * width != (int64_t)end - begin) return -1;
    return 8 + header + begin + (row * cols + col) * width;
}

// TASK 28.3
void rms_norm_rows(Matrix x, Matrix gain, float epsilon)
{
    for (int t = 0; t < x.rows; t++) {
        float square = 0.0f;
        for (int c = 0; c < x.cols; c++) square += AT(x, t, c) * AT(x, t, c);
        float root = sqrtf(square / (float)x.cols + epsilon);
        for (int c = 0; c < x.cols; c++) AT(x, t, c) *= gain.data[c] / root;
    }
}

// The D numbers of one head.
static void rotate(float *x, int width, int position, float base)
{
    int half = width / 2;
    for (int j = 0; j < half; j++) {
        float angle = (float)position * exp32((float)(-2 * j) / (float)width * log32(base));
        float a = x[j], b = x[j + half];
        x[j] = a * cos32(angle) - b * sin32(angle);
        x[j + half] = a * sin32(angle) + b * cos32(angle);
    }
}

// TASK 28.4
void rotate_heads(Matrix x, int heads, int first, float base)
{
    int width = x.cols / heads;
    for (int t = 0; t < x.rows; t++)
        for (int i = 0; i < heads; i++) rotate(&AT(x, t, i * width), width, first + t, base);
}

// One head; `own` and `shared` are the first columns of the query's head and of the key's.
static void attend(Matrix out, Matrix q, Matrix keys, Matrix values, int count, int own, int shared,
                   int width)
{
    float weight[MOST_CACHED], most = -INFINITY, total = 0.0f;
    for (int s = 0; s < count; s++) {
        float score = 0.0f;
        for (int j = 0; j < width; j++) score += q.data[own + j] * AT(keys, s, shared + j);
        weight[s] = score / sqrtf((float)width);
        most = fmaxf(most, weight[s]);
    }
    for (int s = 0; s < count; s++) total += weight[s] = exp32(weight[s] - most);
    for (int j = 0; j < width; j++) {
        float sum = 0.0f;
        for (int s = 0; s < count; s++) sum += weight[s] / total * AT(values, s, shared + j);
        out.data[own + j] = sum;
    }
}

// TASK 28.5
void attend_to_cache(Matrix out, Matrix q, Matrix keys, Matrix values, int count, int heads, int key_heads)
{
    int width = q.cols / heads;
    for (int i = 0; i < heads; i++) {
        int shared = i * key_heads / heads;
        attend(out, q, keys, values, count, i * width, shared * width, width);
    }
}
