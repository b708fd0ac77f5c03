#pragma once
#include <math.h>
#define exp32 expf
#define log32 logf
#define tanh32 tanhf
#define sin32 sinf
#define cos32 cosf
static inline float sigmoid32(float x) { return 1.0f / (1.0f + expf(-x)); }
static inline float softplus32(float x) { return x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x)); }
static inline float silu32(float x) { return x * sigmoid32(x); }
static inline float gelu32(float x) { return 0.5f * x * (1 + erff(x * 0.70710678f)); }
static inline float gelu32_slope(float x) { return 0.5f * (1 + erff(x * 0.70710678f)) + x * 0.39894228f * expf(-0.5f * x * x); }
