// The answers to the exercises of chapter 8. exercise.h says what is asked.
#include "exercise.h"

#include <math.h>

// TASK 8.1
float peak_ratio(Matrix a, Matrix b, float peak)
{
    double total = 0.0;
    for (size_t i = 0; i < matrix_size(a); i++) {
        double difference = (double)a.data[i] - (double)b.data[i];
        total += difference * difference;
    }
    double error = total / (double)matrix_size(a);
    if (error == 0.0) return INFINITY;
    return (float)(10.0 * log10((double)peak * (double)peak / error));
}

// TASK 8.2
void octave_features(Matrix out, Matrix x, int octaves)
{
    const float pi = 3.14159265f;
    for (int n = 0; n < x.rows; n++)
        for (int i = 0; i < x.cols; i++) {
            float speed = pi;
            for (int k = 0; k < octaves; k++) {
                int column = 2 * (i * octaves + k);
                AT(out, n, column) = sinf(speed * AT(x, n, i));
                AT(out, n, column + 1) = cosf(speed * AT(x, n, i));
                speed *= 2.0f;
            }
        }
}

static float between(float value, float low, float high)
{
    return value < low ? low : value > high ? high : value;
}

// TASK 8.3
void bilinear_colour(Matrix colour, Matrix image, int height, int width, float down, float across)
{
    down = between(down, 0.0f, (float)(height - 1));
    across = between(across, 0.0f, (float)(width - 1));
    int top = (int)down, left = (int)across;
    int bottom = top + 1 < height ? top + 1 : top, right = left + 1 < width ? left + 1 : left;
    float v = down - (float)top, u = across - (float)left;
    for (int c = 0; c < image.cols; c++) {
        float upper = (1.0f - u) * AT(image, top * width + left, c) + u * AT(image, top * width + right, c);
        float lower =
            (1.0f - u) * AT(image, bottom * width + left, c) + u * AT(image, bottom * width + right, c);
        colour.data[c] = (1.0f - v) * upper + v * lower;
    }
}

// TASK 8.4
float polygon_distance(Matrix corners, float x, float y)
{
    float nearest = INFINITY;
    int inside = 0;
    for (int k = 0; k < corners.rows; k++) {
        int next = (k + 1) % corners.rows;
        float ax = AT(corners, k, 0), ay = AT(corners, k, 1);
        float bx = AT(corners, next, 0), by = AT(corners, next, 1);
        float ex = bx - ax, ey = by - ay;
        float along = between(((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey), 0.0f, 1.0f);
        float dx = x - (ax + along * ex), dy = y - (ay + along * ey);
        nearest = fminf(nearest, sqrtf(dx * dx + dy * dy));
        if ((ay > y) != (by > y) && x < ax + (y - ay) / (by - ay) * (bx - ax)) inside = !inside;
    }
    return inside ? -nearest : nearest;
}
