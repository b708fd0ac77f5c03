// lanes.h: sums and maxima of one row in sixteen lanes, the order written in the source: the same bits for
// any vector width. For operations that work row by row (softmax, normalisations). Sums are in single
// precision: rows are short.
#pragma once
#include <stddef.h>

enum { ROW_LANES = 16 };

// The lanes, joined in pairs: 0 with 8, 1 with 9, …; then 0 with 4, …
static inline float lanes_join(const float *lane)
{
    float eight[8], four[4];
    for (int l = 0; l < 8; l++) eight[l] = lane[l] + lane[l + 8];
    for (int l = 0; l < 4; l++) four[l] = eight[l] + eight[l + 4];
    return (four[0] + four[2]) + (four[1] + four[3]);
}

// Σ a_j
static inline float lanes_sum(const float *a, int count)
{
    float lane[ROW_LANES] = {0};
    int whole = count / ROW_LANES * ROW_LANES;
    for (int j = 0; j < whole; j += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++) lane[l] += a[j + l];
    for (int j = whole; j < count; j++) lane[j - whole] += a[j];
    return lanes_join(lane);
}

// Σ a_j b_j
static inline float lanes_dot(const float *a, const float *b, int count)
{
    float lane[ROW_LANES] = {0};
    int whole = count / ROW_LANES * ROW_LANES;
    for (int j = 0; j < whole; j += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++) lane[l] = __builtin_fmaf(a[j + l], b[j + l], lane[l]);
    for (int j = whole; j < count; j++) lane[j - whole] = __builtin_fmaf(a[j], b[j], lane[j - whole]);
    return lanes_join(lane);
}

// Σ (a_j − centre)²
static inline float lanes_squares(const float *a, float centre, int count)
{
    float lane[ROW_LANES] = {0};
    int whole = count / ROW_LANES * ROW_LANES;
    for (int j = 0; j < whole; j += ROW_LANES) {
        for (int l = 0; l < ROW_LANES; l++) {
            float distance = a[j + l] - centre;
            lane[l] = __builtin_fmaf(distance, distance, lane[l]);
        }
    }
    for (int j = whole; j < count; j++)
        lane[j - whole] = __builtin_fmaf(a[j] - centre, a[j] - centre, lane[j - whole]);
    return lanes_join(lane);
}

// The largest of count ≥ 1 values. A NaN may be passed over: what is computed from the row shows it all the
// same.
static inline float lanes_max(const float *a, int count)
{
    float lane[ROW_LANES], most = a[0];
    int whole = count / ROW_LANES * ROW_LANES;
    if (whole) {
        for (int l = 0; l < ROW_LANES; l++) lane[l] = a[l];
        for (int j = ROW_LANES; j < whole; j += ROW_LANES)
            for (int l = 0; l < ROW_LANES; l++) lane[l] = a[j + l] > lane[l] ? a[j + l] : lane[l];
        for (int l = 0; l < ROW_LANES; l++) most = lane[l] > most ? lane[l] : most;
    }
    for (int j = whole; j < count; j++) most = a[j] > most ? a[j] : most;
    return most;
}
