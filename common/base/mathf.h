// mathf.h: exp, log, tanh and their kin in 32-bit floats, with the same bits on every machine.
//
// The C library's expf differs from one version and one processor to the next, so no result of this course may pass
// through it. These are polynomials after a range reduction, without branches, so that a loop over an array becomes
// vector code; every step is written with explicit __builtin_fmaf or plain operations, and the compiler is told not to
// contract the rest (-ffp-contract=off). At most 2 units in the last place off (ulp), tested over all 2³² floats by
// tests/unit/test_mathf.c. NaN goes in, NaN comes out; infinities and zeros behave as in C's Annex F.
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>
