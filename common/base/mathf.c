// mathf.c: the digits of 2/π that sin32 and cos32 of mathf.h need, for every exponent that a float can have.
//
// Entry i serves the floats with 2^(24+i) ≤ |x| < 2^(25+i), entry 0 also all smaller ones. Those are
// multiples of 2^(1+i), so a multiple of 4 / 2^(1+i) in 2/π gives whole turns, four quadrants each: it is
// left out, and what remains is nearest to zero. Its first 29 bits are the head, so that head · x is exact in
// double precision; the tail is the next 53. Computed in exact integers, with 600 bits, from Machin's formula,
// π/4 = 4 arctan(1/5) − arctan(1/239).
#include "base/mathf.h"

const double two_over_pi_head[104] = {
    0x1.45f306dp-1,    -0x1.7419f25p-2,  0x1.17cc1b7p-3,    -0x1.d067c92p-4,  0x1.7cc1b7p-7,
    0x1.7cc1b72p-7,    0x1.7cc1b72p-7,   -0x1.067c91cp-8,   0x1.f306dc9p-9,   -0x1.9f246dp-14,
    -0x1.9f246c8p-14,  -0x1.9f246c8p-14, -0x1.9f246c8p-14,  -0x1.9f246c7p-14, 0x1.836e4e4p-16,
    0x1.836e4e4p-16,   -0x1.f246c7p-18,  -0x1.f246c6fp-18,  0x1.b72722p-23,   0x1.b72722p-23,
    0x1.b72722p-23,    0x1.b72722p-23,   0x1.b72722p-23,    -0x1.236377ep-25, -0x1.236377ep-25,
    0x1.b939105p-26,   -0x1.1b1bbecp-28, -0x1.1b1bbebp-28,  0x1.c9c882ap-29,  -0x1.b1bbebp-32,
    -0x1.b1bbeaep-32,  -0x1.b1bbeaep-32, 0x1.391054ap-34,   0x1.391054ap-34,  -0x1.8ddf56cp-35,
    0x1.c882a52p-37,   0x1.c882a53p-37,  -0x1.bbead64p-40,  -0x1.bbead62p-40, -0x1.bbead61p-40,
    0x1.1054a7ep-42,   0x1.1054a7fp-42,  -0x1.df56b02p-43,  0x1.054a7fp-46,   0x1.054a7fp-46,
    0x1.054a7fp-46,    -0x1.f56b01fp-47, 0x1.529fc2p-52,    0x1.529fc2p-52,   0x1.529fc24p-52,
    0x1.529fc26p-52,   0x1.529fc27p-52,  -0x1.5ac07b2p-53,  0x1.4a7f09dp-54,  -0x1.6b01ec6p-55,
    0x1.29fc275p-56,   -0x1.ac07b16p-57, 0x1.4fe13aap-59,   0x1.4fe13abp-59,  -0x1.603d8a9p-60,
    0x1.3f84eafp-61,   -0x1.80f62a1p-62, 0x1.fc2757cp-64,   0x1.fc2757dp-64,  -0x1.ec5418p-71,
    -0x1.ec5418p-71,   -0x1.ec5418p-71,  -0x1.ec54178p-71,  -0x1.ec54174p-71, -0x1.ec54172p-71,
    -0x1.ec54171p-71,  0x1.3abe8f8p-75,  0x1.3abe8f8p-75,   0x1.3abe8fap-75,  0x1.3abe8fap-75,
    -0x1.8a82e0bp-76,  0x1.d5f47d4p-78,  0x1.d5f47d4p-78,   -0x1.505c15cp-81, -0x1.505c15ap-81,
    -0x1.505c15ap-81,  0x1.5f47d4dp-82,  -0x1.4170566p-83,  0x1.7d1f534p-84,  -0x1.05c1597p-85,
    0x1.f47d4d3p-86,   -0x1.70565ap-91,  -0x1.7056598p-91,  -0x1.7056594p-91, -0x1.7056592p-91,
    -0x1.7056592p-91,  0x1.1f534ddp-92,  -0x1.c159645p-93,  0x1.f534ddcp-96,  0x1.f534ddcp-96,
    0x1.f534ddcp-96,   -0x1.596448p-101, -0x1.596448p-101,  -0x1.596448p-101, -0x1.596448p-101,
    -0x1.596447fp-101, 0x1.4d37703p-102, -0x1.65911fap-103, 0x1.34ddc0dp-104,
};

const double two_over_pi_tail[104] = {
    0x1.9391054a7f09dp-30,  0x1.27220a94fe13bp-31,  0x1.391054a7f09d6p-34,  0x1.391054a7f09d6p-34,
    0x1.391054a7f09d6p-34,  0x1.c882a53f84ebp-37,   0x1.c882a53f84ebp-37,   0x1.c882a53f84ebp-37,
    0x1.91054a7f09d5fp-38,  0x1.220a94fe13abfp-39,  0x1.1054a7f09d5f4p-42,  0x1.1054a7f09d5f4p-42,
    0x1.1054a7f09d5f4p-42,  0x1.054a7f09d5f48p-46,  0x1.054a7f09d5f48p-46,  0x1.054a7f09d5f48p-46,
    0x1.054a7f09d5f48p-46,  0x1.529fc2757d1f5p-52,  0x1.529fc2757d1f5p-52,  0x1.529fc2757d1f5p-52,
    0x1.529fc2757d1f5p-52,  0x1.529fc2757d1f5p-52,  0x1.529fc2757d1f5p-52,  0x1.4a7f09d5f47d5p-54,
    0x1.4a7f09d5f47d5p-54,  0x1.29fc2757d1f53p-56,  0x1.29fc2757d1f53p-56,  0x1.4fe13abe8fa9ap-59,
    0x1.4fe13abe8fa9ap-59,  0x1.4fe13abe8fa9ap-59,  0x1.3f84eafa3ea6ap-61,  0x1.3f84eafa3ea6ap-61,
    0x1.fc2757d1f534ep-64,  0x1.fc2757d1f534ep-64,  0x1.fc2757d1f534ep-64,  0x1.f84eafa3ea69cp-65,
    0x1.f09d5f47d4d37p-66,  0x1.e13abe8fa9a6fp-67,  0x1.c2757d1f534dep-68,  0x1.84eafa3ea69bcp-69,
    0x1.09d5f47d4d377p-70,  0x1.3abe8fa9a6eep-75,   0x1.3abe8fa9a6eep-75,   0x1.3abe8fa9a6eep-75,
    0x1.3abe8fa9a6eep-75,   0x1.3abe8fa9a6eep-75,   0x1.d5f47d4d37703p-78,  0x1.d5f47d4d37703p-78,
    0x1.d5f47d4d37703p-78,  0x1.abe8fa9a6ee07p-79,  0x1.57d1f534ddc0ep-80,  0x1.5f47d4d377037p-82,
    0x1.5f47d4d377037p-82,  0x1.7d1f534ddc0dbp-84,  0x1.7d1f534ddc0dbp-84,  0x1.f47d4d377036ep-86,
    0x1.f47d4d377036ep-86,  0x1.e8fa9a6ee06dbp-87,  0x1.d1f534ddc0db6p-88,  0x1.a3ea69bb81b6cp-89,
    0x1.47d4d377036d9p-90,  0x1.1f534ddc0db63p-92,  0x1.1f534ddc0db63p-92,  0x1.f534ddc0db629p-96,
    0x1.f534ddc0db629p-96,  0x1.f534ddc0db629p-96,  0x1.f534ddc0db629p-96,  0x1.ea69bb81b6c53p-97,
    0x1.d4d377036d8a5p-98,  0x1.a9a6ee06db14bp-99,  0x1.534ddc0db6296p-100, 0x1.4d377036d8a56p-102,
    0x1.4d377036d8a56p-102, 0x1.34ddc0db6295ap-104, 0x1.34ddc0db6295ap-104, 0x1.a6ee06db14acdp-107,
    0x1.a6ee06db14acdp-107, 0x1.a6ee06db14acdp-107, 0x1.4ddc0db629599p-108, 0x1.377036d8a5665p-110,
    0x1.377036d8a5665p-110, 0x1.bb81b6c52b328p-113, 0x1.bb81b6c52b328p-113, 0x1.bb81b6c52b328p-113,
    0x1.77036d8a5664fp-114, 0x1.dc0db6295993cp-116, 0x1.dc0db6295993cp-116, 0x1.b81b6c52b3279p-117,
    0x1.7036d8a5664f1p-118, 0x1.c0db6295993c4p-120, 0x1.c0db6295993c4p-120, 0x1.81b6c52b32788p-121,
    0x1.036d8a5664f11p-122, 0x1.b6c52b3278872p-129, 0x1.b6c52b3278872p-129, 0x1.b6c52b3278872p-129,
    0x1.b6c52b3278872p-129, 0x1.b6c52b3278872p-129, 0x1.b6c52b3278872p-129, 0x1.b6c52b3278872p-129,
    0x1.6d8a5664f10e4p-130, 0x1.b6295993c439p-132,  0x1.b6295993c439p-132,  0x1.6c52b32788721p-133,
};
