// tokenizer_frame.c: see tokenizer_frame.h.
#include "tokenizer_frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool printable(int byte) { return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte != 0xad); }

// The characters U+0000 … U+0143 that stand for bytes, in rising order.
static void write_bytes(FILE *out)
{
    for (int letter = 0, id = 0; letter < 256 + 68; letter++) {
        if (letter < 256 && !printable(letter)) continue;
        fprintf(out, "%s\"%s", id ? ", " : "", letter == '"' || letter == '\\' ? "\\" : "");
        if (letter < 0x80)
            fputc(letter, out);
        else
            fprintf(out, "%c%c", 0xc0 | letter >> 6, 0x80 | (letter & 0x3f));
        fprintf(out, "\": %d", id++);
    }
}

FuzzPart tokenizer_frame(FuzzPart part)
{
    static const char word[] = "%BYTES%";
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) abort();
    for (int count = 0; part.size; count++) {
        const uint8_t *found = count < 4 ? memmem(part.bytes, part.size, word, sizeof word - 1) : NULL;
        size_t before = found ? (size_t)(found - part.bytes) : part.size;
        size_t used = before + (found ? sizeof word - 1 : 0);
        fwrite(part.bytes, 1, before, out);
        if (found) write_bytes(out);
        part = (FuzzPart){part.bytes + used, part.size - used};
    }
    if (fclose(out) != 0) abort();
    return (FuzzPart){(uint8_t *)text, size};
}
