// 18.1-two-bytes-for-too-long.c: two bytes up to 0x1000: the first one overflows.
// expect-fail: 18.1
#include "exercise.h"

int utf8_bytes(Matrix bytes, int character)
{
    for (int k = 0; k < 4; k++) bytes.data[k] = 0.0f;
    if (character < 0 || character > 0x10FFFF || (character >= 0xD800 && character <= 0xDFFF)) return 0;
    int count = character < 0x80 ? 1 : character < 0x1000 ? 2 : character < 0x10000 ? 3 : 4;
    for (int k = count - 1; k > 0; k--) { // six bits each, the lowest last
        bytes.data[k] = (float)(0x80 + character % 64);
        character /= 64;
    }
    const int marks[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    bytes.data[0] = (float)(marks[count] + character);
    return count;
}
