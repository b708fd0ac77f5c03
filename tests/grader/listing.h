// listing.h: reads what the compiler made of a student's file before the assembler does.
//
// C has many ways to hand text to the assembler: asm, the names of sections and of other symbols, #ident,
// attributes that nobody has thought of yet. So the ban on assembly language is not read from C at all: what
// the compiler wrote may only be labels, instructions, and the directives that compilers write for C, each in
// the form in which they write it. Nothing of that reads a file, names a macro or repeats itself.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LARGEST_VARIABLES = 64 << 20, LARGEST_ALIGNMENT = 1 << 16 };

typedef enum { LISTING_FINE, LISTING_FOREIGN, LISTING_LARGE } ListingVerdict;

typedef struct {
    ListingVerdict verdict;
    int line;          // of the listing, where the reading ended
    uint64_t reserved; // bytes of variables without a value of their own
    char message[300]; // for the student, when the verdict is not LISTING_FINE
} Listing;

// text[length] is '\0'. Returns whether the verdict is LISTING_FINE.
bool read_listing(const char *text, size_t length, Listing *listing);

// Whether an exercise may have this section; flags as the assembler writes them, NULL: any.
bool section_allowed(const char *name, const char *flags);

// "its variables are too large: …"
void say_too_large(uint64_t bytes, char *message, size_t size);
