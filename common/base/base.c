#include "base/base.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/utf8.h"

// A message may quote a file that anybody wrote. What is no UTF-8, and control characters, which could drive a terminal,
// come out as question marks.
static void put_harmless(const char *text)
{
    for (size_t left = strlen(text), used; left > 0; text += used, left -= used) {
        uint32_t c;
        used = (size_t)utf8_decode(text, left, &c);
        bool broken = c == UTF8_REPLACEMENT && used == 1;
        bool control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0);
        if (broken || control)
            fputc('?', stderr);
        else
            fwrite(text, 1, used, stderr);
    }
}

void die_at(Place place, const char *hint, const char *format, ...)
{
    char message[1 << 14];
    fflush(stdout);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    fputs("error: ", stderr);
    put_harmless(place.file);
    fprintf(stderr, ":%d: ", place.line);
    put_harmless(message);
    fputc('\n', stderr);
    if (hint) {
        fputs(" hint: ", stderr);
        put_harmless(hint);
        fputc('\n', stderr);
    }
    exit(EXIT_FAILURE);
}

size_t size_product(Place place, size_t a, size_t b)
{
    size_t product;
    check_at(place, !__builtin_mul_overflow(a, b, &product), "ask for less",
             "the size %zu · %zu does not fit in memory", a, b);
    return product;
}

size_t size_sum(Place place, size_t a, size_t b)
{
    size_t sum;
    check_at(place, !__builtin_add_overflow(a, b, &sum), "ask for less",
             "the size %zu + %zu does not fit in memory", a, b);
    return sum;
}
