// fused.h: x · y + z of floats, rounded once, for processors that cannot do it. WebAssembly has no such instruction, and every
// product of the library is made of it: with two roundings other digits come out. live.mk includes this header before each
// file, so that __builtin_fmaf in the source of the library, which stays as it is, means this function.
//
// The product of two floats is exact in a double. The sum of it and z is not always, and rounded to a float after it was rounded
// to a double it may come out wrong: a double that lies exactly between two floats does not say on which side of it the sum was.
// So the sum is rounded to odd: one that is not exact gets an odd last bit, which no such double has, whether the float is an
// ordinary one or has lost bits to a small exponent. (S. Boldo, G. Melquiond, "Emulation of FMA and correctly rounded sums:
// proved algorithms using rounding to odd", IEEE Transactions on Computers 57, 2008; the error of the sum: D. E. Knuth, "The Art
// of Computer Programming", volume 2, section 4.2.2.)
#pragma once
#include <stdint.h>
#include <string.h>

static inline float fused_exactly(float x, float y, float z)
{
    const double product = (double)x * (double)y, addend = (double)z;
    double sum = product + addend;
    const double part = sum - product,
                 error = (product - (sum - part)) + (addend - part); // sum + error is exact
    int64_t bits, error_bits;
    memcpy(&bits, &sum, sizeof bits);
    memcpy(&error_bits, &error, sizeof error_bits);
    // Towards the error: away from zero where it has the sign of the sum. Infinity and NaN have an error that is no number.
    const int64_t step = (bits ^ error_bits) >> 63 | 1;
    const int64_t inexact = -(int64_t)((error > 0.0) | (error < 0.0)), even = (bits & 1) - 1;
    bits += step & inexact & even;
    memcpy(&sum, &bits, sizeof sum);
    return (float)sum;
}
