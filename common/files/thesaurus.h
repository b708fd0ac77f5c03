// thesaurus.h: Roget's thesaurus as a graph: which of its 1022 categories points at which.
//
//     Thesaurus roget = thesaurus_load(arena);
//     text_equal(roget.names[0], text_of("existence"));   // true; roget.classes[0] is 0, abstract relations
//
// The file roget.dat of the Stanford GraphBase (D. E. Knuth, 1993), after the thesaurus of 1879. A line is
// "1existence:2 69 125": a category's number, counted from 1, its head word, and the numbers of those that it points at; a
// backslash at its end: it goes on in the next line. Lines that begin with * are comments. Here all numbers count from 0.
//
// The file lies in datasets/cache/graphs, where `make data DATA=graphs` puts it. It is untrusted input: what does not fit stops
// the program with the line and what was expected.
#pragma once
#include "files/text.h"

enum { THESAURUS_CATEGORIES = 1022, THESAURUS_CLASSES = 6 };

typedef struct {
    int count;      // THESAURUS_CATEGORIES
    Text *names;    // [count] head words, not empty
    int *classes;   // [count] 0 … 5: Roget's classes, each a range of categories
    int links;      // in the order of the file
    int *from, *to; // [links] 0 … count − 1; a category may point at itself, or twice at another
} Thesaurus;

// Abstract relations, space, matter, intellect, volition, affections.
extern const char *const thesaurus_class_names[THESAURUS_CLASSES];

#define thesaurus_load(arena) thesaurus_load_at(HERE, arena, "datasets/cache/graphs/roget.txt")
Thesaurus thesaurus_load_at(Place place, Arena *arena, const char *path);
