// exhausts_memory_by_and_by.c: a list without end, a small block for each of its links.
// at most: 0
// expect: memory error, time limit
#include "exercise.h"

#include <stdlib.h>

typedef struct Link {
    struct Link *next;
    double number;
} Link;

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    Link *first = NULL;
    for (int i = 0;; i++) {
        Link *link = malloc(sizeof *link);
        link->next = first;
        link->number = (double)(x.data[0] + w.data[0] + y.data[0]);
        first = link;
    }
}
