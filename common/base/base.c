#include "base/base.h"

#include <stdarg.h>
#include <stdlib.h>

void die_at(Place place, const char *hint, const char *format, ...)
{
    fflush(stdout);
    fprintf(stderr, "error: %s:%d: ", place.file, place.line);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    if (hint) fprintf(stderr, " hint: %s\n", hint);
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
