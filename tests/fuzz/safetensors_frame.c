// safetensors_frame.c: see safetensors_frame.h.
#include "safetensors_frame.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_NUMBERS = 1 << 18 };

// The highest number behind a comma and in front of a bracket.
static size_t highest_offset(const uint8_t *text, size_t size)
{
    size_t most = 0;
    for (size_t i = 0; i < size; i++) {
        size_t value = 0, at = i + 1;
        if (text[i] != ',') continue;
        while (at < size && text[at] == ' ') at++;
        while (at < size && text[at] >= '0' && text[at] <= '9' && value < MOST_NUMBERS)
            value = value * 10 + (size_t)(text[at++] - '0');
        if (at < size && text[at] == ']' && value <= MOST_NUMBERS && value > most) most = value;
    }
    return most;
}

FuzzPart safetensors_frame(FuzzPart part)
{
    bool framed = part.size && part.bytes[0] == '{';
    const uint8_t *zero = framed ? memchr(part.bytes, 0, part.size) : NULL;
    size_t dashes = 0;
    while (framed && !zero && part.size > 1 && part.bytes[part.size - 1] == '-') part.size--, dashes++;
    size_t header = zero ? (size_t)(zero - part.bytes) : part.size;
    size_t given = zero ? part.size - header - 1 : 0;
    size_t numbers = framed && !zero ? highest_offset(part.bytes, part.size) : given;
    if (!zero) numbers = numbers > 4 * dashes ? numbers - 4 * dashes : 0;
    uint8_t *bytes = calloc(8 + header + numbers + 1, 1);
    if (!bytes) abort();
    if (!framed) {
        memcpy(bytes, part.bytes, part.size);
        return (FuzzPart){bytes, part.size};
    }
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)((uint64_t)header >> (8 * i));
    memcpy(bytes + 8, part.bytes, header);
    if (given) memcpy(bytes + 8 + header, zero + 1, given);
    return (FuzzPart){bytes, 8 + header + numbers};
}
