#include "base/rng.h"
#include "base/check.h"

#include "base/mathf.h"

#include <math.h>

static const uint64_t MULTIPLIER = 6364136223846793005u; // Knuth's, as in the PCG paper

uint32_t rng_next(Rng *rng)
{
    uint64_t state = rng->state;
    rng->state = state * MULTIPLIER + rng->increment;
    // XSH-RR: the high bits choose how far the xor-shifted middle bits are rotated.
    uint32_t shifted = (uint32_t)(((state >> 18) ^ state) >> 27), turn = (uint32_t)(state >> 59);
    return (shifted >> turn) | (shifted << (-turn & 31));
}

Rng rng_new(uint64_t seed, uint64_t stream)
{
    Rng rng = {0, stream << 1 | 1}; // the increment must be odd
    rng_next(&rng);
    rng.state += seed;
    rng_next(&rng);
    return rng;
}

// SplitMix64's finaliser (Steele, Lea and Flood, OOPSLA 2014): neighbouring numbers come out unrelated.
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

Rng rng_stream(const Rng *rng, uint64_t index)
{
    uint64_t seed = mix(rng->state + 0x9e3779b97f4a7c15u * (index + 1));
    return rng_new(seed, mix(seed ^ rng->increment));
}

uint32_t rng_below(Rng *rng, uint32_t bound)
{
    check(bound >= 1, "ask for at least one possible value", "rng_below: a bound of 0");
    // Lemire (ACM TOMACS 29, 2019): the high word of a product is in range. The first 2³² mod bound low words
    // would come up once too often, so they are drawn again.
    uint64_t product = (uint64_t)rng_next(rng) * bound;
    if ((uint32_t)product < bound) {
        uint32_t surplus = -bound % bound;
        while ((uint32_t)product < surplus) product = (uint64_t)rng_next(rng) * bound;
    }
    return (uint32_t)(product >> 32);
}

float rng_uniform(Rng *rng) { return (float)(rng_next(rng) >> 8) * 0x1p-24f; }

float rng_between(Rng *rng, float low, float high)
{
    float width = high - low, share = rng_uniform(rng), value = low + width * share;
    if (!(width >= 0.0f && width < INFINITY)) {
        check(isfinite(low) && isfinite(high) && low <= high, "give two numbers, the smaller one first",
              "rng_between: from %g to %g", (double)low, (double)high);
        // From −3e38 to 3e38 the width is no float, but it is a double.
        value = (float)((double)low + ((double)high - (double)low) * (double)share);
    }
    return value < high ? value : low; // rounding may reach high, which is excluded
}

// Box and Muller: a radius √(−2 ln u) and an angle 2πv, u in (0, 1].
static void normal_pair(Rng *rng, float *first, float *second)
{
    float u = 1.0f - rng_uniform(rng), v = rng_uniform(rng);
    float radius = sqrtf(-2.0f * log32(u)), angle = 6.283185307179586f * v;
    *first = radius * cos32(angle);
    *second = radius * sin32(angle);
}

float rng_normal(Rng *rng)
{
    float first, second;
    normal_pair(rng, &first, &second);
    return first;
}

void rng_normals(Rng *rng, float *out, size_t count)
{
    size_t i = 0;
    for (; i + 1 < count; i += 2) normal_pair(rng, &out[i], &out[i + 1]);
    if (i < count) out[i] = rng_normal(rng);
}

void rng_shuffle(Rng *rng, int *items, int count)
{
    check(count >= 0, "count the items", "rng_shuffle: %d items", count);
    for (int i = count - 1; i > 0; i--) {
        int j = (int)rng_below(rng, (uint32_t)i + 1);
        int held = items[i];
        items[i] = items[j];
        items[j] = held;
    }
}

void rng_permutation(Rng *rng, int *out, int count)
{
    for (int i = 0; i < count; i++) out[i] = i;
    rng_shuffle(rng, out, count);
}
