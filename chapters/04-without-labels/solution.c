// The answers to the exercises of chapter 4. exercise.h says what is asked.
#include "exercise.h"

#include <math.h>

static float squared_distance(const float *a, const float *b, int d)
{
    float total = 0.0f;
    for (int j = 0; j < d; j++) total += (a[j] - b[j]) * (a[j] - b[j]);
    return total;
}

// TASK 4.1
static float away(Matrix centres, int c, Matrix example)
{
    return squared_distance(matrix_row(centres, c), example.data, centres.cols);
}

void stream_step(Matrix centres, Matrix counts, Matrix example)
{
    int nearest = 0;
    for (int c = 1; c < centres.rows; c++)
        if (away(centres, c, example) < away(centres, nearest, example)) nearest = c;
    counts.data[nearest] += 1.0f;
    float part = 1.0f / counts.data[nearest];
    for (int j = 0; j < centres.cols; j++)
        AT(centres, nearest, j) += part * (example.data[j] - AT(centres, nearest, j));
}

// TASK 4.2
void next_centre_probabilities(Matrix p, Matrix x, Matrix centres)
{
    float total = 0.0f;
    for (int i = 0; i < x.rows; i++) {
        p.data[i] = INFINITY;
        for (int c = 0; c < centres.rows; c++)
            p.data[i] = fminf(p.data[i], squared_distance(matrix_row(x, i), matrix_row(centres, c), x.cols));
        total += p.data[i];
    }
    for (int i = 0; i < x.rows; i++) p.data[i] = total > 0.0f ? p.data[i] / total : 1.0f / (float)x.rows;
}

// TASK 4.3
float deflated_step(Matrix v, Matrix c, Matrix found)
{
    Arena *arena = arena_new();
    Matrix w = matrix_new(arena, 1, v.cols);
    matmul_nt(w, v, c); // C is symmetric
    for (int m = 0; m < found.rows; m++) {
        Matrix component = matrix_rows(found, m, 1);
        float along = (float)dot(w, component);
        add_scaled(w, -along, component);
    }
    float length = (float)norm(w);
    if (length > 0.0f) {
        for (int j = 0; j < v.cols; j++) v.data[j] = w.data[j] / length;
    }
    arena_free(arena);
    return length;
}

// TASK 4.4
static int is_part(Matrix frequent, int row, Matrix candidate, int without)
{
    for (int j = 0; j < candidate.cols; j++) {
        float wanted = j == without ? 0.0f : candidate.data[j];
        if (AT(frequent, row, j) != wanted) return 0;
    }
    return 1;
}

int candidate_survives(Matrix candidate, Matrix frequent)
{
    for (int item = 0; item < candidate.cols; item++) {
        if (candidate.data[item] == 0.0f) continue;
        int found = 0;
        for (int row = 0; row < frequent.rows && !found; row++)
            found = is_part(frequent, row, candidate, item);
        if (!found) return 0;
    }
    return 1;
}

// TASK 4.5
void running_median(Matrix out, Matrix series, int window)
{
    Arena *arena = arena_new();
    float *sorted = arena_alloc(arena, (size_t)series.rows, sizeof *sorted);
    out.data[0] = series.data[0];
    for (int t = 1; t < series.rows; t++) {
        int count = 0;
        for (int k = t - 1; k >= 0 && count < window; k--) {
            int at = count++;
            for (; at > 0 && sorted[at - 1] > series.data[k]; at--) sorted[at] = sorted[at - 1];
            sorted[at] = series.data[k];
        }
        out.data[t] = 0.5f * (sorted[(count - 1) / 2] + sorted[count / 2]);
    }
    arena_free(arena);
}
