// object.h: what stands in a student's object file: its sections, how much room its variables take, the
// functions that it has and those that it wants from elsewhere.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    char message[300];    // why it is refused; "" when it is not
    bool too_large;       // that is for the size of its variables
    bool runs_early;      // it has code that runs before or after main
    bool runs_first;      // and even before the C library is there
    char functions[1200]; // those that it has, with a blank after each
    char wanted[4000];    // names that it uses and does not have, likewise
} Object;

// Of the bytes of a 64-bit ELF file, which are not believed. Returns whether it is not refused.
bool read_object(const char *bytes, size_t size, Object *object);

// Of the names in functions, that which was most likely meant to be `wanted`; "" when none is like it.
void likeliest(const char *functions, const char *wanted, char *name, size_t size);
