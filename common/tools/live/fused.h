// fused.h: x · y + z of floats, rounded once, for processors that cannot do it. WebAssembly has no such instruction, and every
// product of the library is made of it: with two roundings other digits come out. live.mk includes this header before each
// file, so that __builtin_fmaf in the source of the library, which stays as it is, means this function.
//
// The product of two floats is exact in a double. The sum of it and z is not always, and rounded to a float after it was rounded
// to a double it may come out wrong, but only where the double lies exactly between two floats: it does not say on which side of
// it the sum was. Then the sum is rounded to odd: one that is not exact gets an odd last bit, which no such double has. (S.
// Boldo, G. Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", IEEE Transactions
// on Computers 57, 2008; the error of the sum: D. E. Knuth, "The Art of Computer Programming", volume 2, section 4.2.2.)
//
// Not the C library's fmaf: that of wasi-libc (and musl) overlooks the floats below 2⁻¹²⁶, where other bits lie between two.
#pragma once
#include <stdint.h>
#include <string.h>

static inline float fused_exactly(float x, float y, float z)
{
    const double product = (double)x * (double)y, addend = (double)z;
    double sum = product + addend;
    int64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    // The 29 bits that a float does not have; below 2⁻¹²⁶ there are more.
    if ((bits & 0x1fffffff) != 0x10000000 && (bits & INT64_MAX) >= 0x3810000000000000) return (float)sum;
    const double part = sum - product,
                 error = (product - (sum - part)) + (addend - part); // sum + error is exact
    // Infinity and NaN have an error that is no number, and stay.
    if ((error > 0.0 || error < 0.0) && bits % 2 == 0) {
        bits += (error > 0.0) == (sum > 0.0)
                    ? 1
                    : -1; // towards the error: away from zero where it has the sum's sign
        memcpy(&sum, &bits, sizeof sum);
    }
    return (float)sum;
}
