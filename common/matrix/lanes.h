// lanes.h: sums and maxima of one row in sixteen lanes, the order written in the source: the same bits for
// any vector width. For operations that work row by row (softmax, normalisations). Sums are in single
// precision: rows are short.
//
// Element j belongs to lane j mod 16. The lanes are joined as a tree: 0 with 8, 1 with 9, …; then 0 with 4, …
#pragma once
#include <stddef.h>
#include <string.h>

enum { LANES = 16 };

// Sixteen floats in one variable, which stays in a register; its operators work on each lane.
typedef float Lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef float HalfLanes __attribute__((vector_size(LANES / 2 * sizeof(float))));
typedef float QuarterLanes __attribute__((vector_size(LANES / 4 * sizeof(float))));

// Of comparisons: all bits of a lane, or none.
typedef int LaneBits __attribute__((vector_size(sizeof(Lanes))));
typedef int HalfLaneBits __attribute__((vector_size(sizeof(HalfLanes))));
typedef int QuarterLaneBits __attribute__((vector_size(sizeof(QuarterLanes))));

// a where the bits of which are set, else b
#define LANES_CHOOSE(Vector, Bits, which, a, b) ((Vector)(((Bits)(a) & (which)) | ((Bits)(b) & ~(which))))

static inline float lanes_join(const Lanes *lanes)
{
    const HalfLanes eight = __builtin_shufflevector(*lanes, *lanes, 0, 1, 2, 3, 4, 5, 6, 7) +
                            __builtin_shufflevector(*lanes, *lanes, 8, 9, 10, 11, 12, 13, 14, 15);
    const QuarterLanes four =
        __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
    return (four[0] + four[2]) + (four[1] + four[3]);
}

// The largest of sixteen, paired as lanes_join pairs them; a NaN may be passed over.
static inline float lanes_largest(const Lanes *x)
{
    const HalfLanes a = __builtin_shufflevector(*x, *x, 0, 1, 2, 3, 4, 5, 6, 7),
                    b = __builtin_shufflevector(*x, *x, 8, 9, 10, 11, 12, 13, 14, 15);
    const HalfLanes eight = LANES_CHOOSE(HalfLanes, HalfLaneBits, b > a, b, a);
    const QuarterLanes c = __builtin_shufflevector(eight, eight, 0, 1, 2, 3),
                       d = __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
    const QuarterLanes four = LANES_CHOOSE(QuarterLanes, QuarterLaneBits, d > c, d, c);
    const float left = four[2] > four[0] ? four[2] : four[0], right = four[3] > four[1] ? four[3] : four[1];
    return right > left ? right : left;
}

// The sixteen elements at a.
static inline void lanes_load(Lanes *out, const float *a) { memcpy(out, a, sizeof *out); }

// The count < 16 elements at a; filler in the other lanes.
static inline void lanes_load_some(Lanes *out, const float *a, int count, float filler)
{
    float padded[LANES];
    for (int l = 0; l < LANES; l++) padded[l] = filler;
    for (int l = 0; l < count; l++) padded[l] = a[l];
    memcpy(out, padded, sizeof padded);
}

// Σ a_j
static inline float lanes_sum(const float *a, int count)
{
    Lanes total = {0}, x;
    int j = 0;
    for (; j + LANES <= count; j += LANES) {
        lanes_load(&x, a + j);
        total += x;
    }
    if (j < count) {
        lanes_load_some(&x, a + j, count - j, 0.0f);
        total += x;
    }
    return lanes_join(&total);
}

// Σ a_j b_j
static inline float lanes_dot(const float *a, const float *b, int count)
{
    Lanes total = {0}, x, y;
    int j = 0;
    for (; j + LANES <= count; j += LANES) {
        lanes_load(&x, a + j);
        lanes_load(&y, b + j);
        total += x * y;
    }
    if (j < count) {
        lanes_load_some(&x, a + j, count - j, 0.0f);
        lanes_load_some(&y, b + j, count - j, 0.0f);
        total += x * y;
    }
    return lanes_join(&total);
}

// Σ (a_j − centre), and in *squares Σ (a_j − centre)²
static inline float lanes_offsets(const float *a, float centre, int count, float *squares)
{
    Lanes total = {0}, total_of_squares = {0}, x;
    int j = 0;
    for (; j + LANES <= count; j += LANES) {
        lanes_load(&x, a + j);
        x -= centre;
        total += x;
        total_of_squares += x * x;
    }
    if (j < count) {
        lanes_load_some(&x, a + j, count - j, centre);
        x -= centre;
        total += x;
        total_of_squares += x * x;
    }
    *squares = lanes_join(&total_of_squares);
    return lanes_join(&total);
}

// The largest of count ≥ 1 values, which may be infinite. A NaN may be passed over: e^(x − largest) shows it all the
// same, unless nothing is computed because the largest is infinite.
static inline float lanes_max(const float *a, int count)
{
    float lane[LANES], most = a[0];
    int whole = count / LANES * LANES;
    if (whole) {
        for (int l = 0; l < LANES; l++) lane[l] = a[l];
        for (int j = LANES; j < whole; j += LANES)
            for (int l = 0; l < LANES; l++) lane[l] = a[j + l] > lane[l] ? a[j + l] : lane[l];
        for (int l = 0; l < LANES; l++) most = lane[l] > most ? lane[l] : most;
    }
    for (int j = whole; j < count; j++) most = a[j] > most ? a[j] : most;
    return most;
}
