// vectors.h: vectors of floats as processors have them. For the innermost loops of products, and the few others that
// compilers do not turn into good vectors; everything else is written with plain loops.
//
// TILE_ROWS rows of two vectors are as many sums as the registers hold beside the factors.
#pragma once
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

// Before a loop whose length is a constant: write it out. Otherwise an array of sums would lie in memory.
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 28")
#endif

// A handful of names for what every processor can do. fused(x, y, z) is x · y + z, rounded once. A Mask
// stands for the first few lanes of a vector: load_first reads only these (the others are 0), store_first
// writes only these. above_zero(x) is max(0, x), and a NaN stays one; where_positive(y, x) is x where y > 0, else 0.
// The operators + − · work on each lane.

#if defined(__AVX512F__)
#include <immintrin.h>
enum { VECTOR_LANES = 16, TILE_ROWS = 14 };
typedef __m512 Vector;
typedef __mmask16 Mask;
INLINE Vector load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void store(float *p, Vector x) { _mm512_storeu_ps(p, x); }
INLINE Vector broadcast(float x) { return _mm512_set1_ps(x); }
INLINE Vector fused(Vector x, Vector y, Vector z) { return _mm512_fmadd_ps(x, y, z); }
INLINE Vector above_zero(Vector x) { return _mm512_max_ps(_mm512_setzero_ps(), x); }
INLINE Vector where_positive(Vector y, Vector x)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y, _mm512_setzero_ps(), _CMP_GT_OQ), x);
}
INLINE Mask first(int count) { return (Mask)((1u << count) - 1u); }
INLINE Vector load_first(Mask mask, const float *p) { return _mm512_maskz_loadu_ps(mask, p); }
INLINE void store_first(Mask mask, float *p, Vector x) { _mm512_mask_storeu_ps(p, mask, x); }

#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
enum { VECTOR_LANES = 8, TILE_ROWS = 6 };
typedef __m256 Vector;
typedef __m256i Mask;
INLINE Vector load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void store(float *p, Vector x) { _mm256_storeu_ps(p, x); }
INLINE Vector broadcast(float x) { return _mm256_set1_ps(x); }
INLINE Vector fused(Vector x, Vector y, Vector z) { return _mm256_fmadd_ps(x, y, z); }
INLINE Vector above_zero(Vector x) { return _mm256_max_ps(_mm256_setzero_ps(), x); }
INLINE Vector where_positive(Vector y, Vector x)
{
    return _mm256_and_ps(_mm256_cmp_ps(y, _mm256_setzero_ps(), _CMP_GT_OQ), x);
}
INLINE Mask first(int count)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE Vector load_first(Mask mask, const float *p) { return _mm256_maskload_ps(p, mask); }
INLINE void store_first(Mask mask, float *p, Vector x) { _mm256_maskstore_ps(p, mask, x); }

#else // four lanes: ARM, and whatever else the compiler knows
typedef float Vector __attribute__((vector_size(16)));
typedef int Mask;
#if defined(__aarch64__)
#include <arm_neon.h>
enum { VECTOR_LANES = 4, TILE_ROWS = 12 };
INLINE Vector fused(Vector x, Vector y, Vector z) { return vfmaq_f32(z, x, y); }
#else
enum { VECTOR_LANES = 4, TILE_ROWS = 6 };
INLINE Vector fused(Vector x, Vector y, Vector z)
{
    for (int i = 0; i < VECTOR_LANES; i++) z[i] = __builtin_fmaf(x[i], y[i], z[i]);
    return z;
}
#endif
INLINE Vector load(const float *p)
{
    Vector x;
    memcpy(&x, p, sizeof x);
    return x;
}
INLINE void store(float *p, Vector x) { memcpy(p, &x, sizeof x); }
INLINE Vector broadcast(float x) { return (Vector){x, x, x, x}; }
INLINE Vector above_zero(Vector x)
{
    for (int i = 0; i < VECTOR_LANES; i++) x[i] = x[i] < 0.0f ? 0.0f : x[i];
    return x;
}
INLINE Vector where_positive(Vector y, Vector x)
{
    for (int i = 0; i < VECTOR_LANES; i++) x[i] = y[i] > 0.0f ? x[i] : 0.0f;
    return x;
}
INLINE Mask first(int count) { return count; }
INLINE Vector load_first(Mask mask, const float *p)
{
    if (mask == VECTOR_LANES) return load(p);
    Vector x = broadcast(0.0f);
    for (int i = 0; i < mask; i++) x[i] = p[i];
    return x;
}
INLINE void store_first(Mask mask, float *p, Vector x)
{
    for (int i = 0; i < mask; i++) p[i] = x[i];
}
#endif

// Writes the first count lanes; mask is first(count). Some processors write whole vectors much faster.
INLINE void store_some(int count, Mask mask, float *p, Vector x)
{
    if (count == VECTOR_LANES) {
        store(p, x);
    } else {
        store_first(mask, p, x);
    }
}

// Floats of a page of memory, and of a line of the cache
enum { PAGE = 1024, CACHE_LINE = 16 };

// Brings the number that lies so many floats after p into the cache. It may lie past the end: nothing is read. Processors do so by
// themselves while memory is read in order, but begin anew at each page, and there is one in every PAGE floats.
INLINE void ask_for(const float *p, size_t after)
{
    __builtin_prefetch((const void *)((uintptr_t)p + after * sizeof *p));
}

// The same for one that will be written.
INLINE void ask_to_write(const float *p, size_t after)
{
    __builtin_prefetch((const void *)((uintptr_t)p + after * sizeof *p), 1);
}
