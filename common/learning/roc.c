#include "learning/roc.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    float score;
    bool positive;
} Scored;

static int higher_first(const void *a, const void *b)
{
    const float x = ((const Scored *)a)->score, y = ((const Scored *)b)->score;
    return (x < y) - (x > y);
}

// The examples, the highest score first; *positives receives how many are positive.
static Scored *sorted_examples(Place place, Arena *arena, const char *name, const float *scores,
                               const bool *positive, int count, int *positives)
{
    Scored *examples = arena_alloc_at(place, arena, (size_t)int_max(count, 0), sizeof *examples);
    *positives = 0;
    for (int i = 0; i < count; i++) {
        check_at(place, !isnan(scores[i]), "look for a division by zero or a run that diverged",
                 "%s: score %d of %d is no number", name, i, count);
        examples[i] = (Scored){scores[i], positive[i]};
        *positives += positive[i];
    }
    check_at(place, *positives > 0 && *positives < count, "bring examples of both kinds",
             "%s: %d of %d examples are positive", name, *positives, count);
    qsort(examples, (size_t)count, sizeof *examples, higher_first);
    return examples;
}

// The end of the examples that score as the one at first does
static int end_of_tie(const Scored *examples, int first, int count)
{
    int end = first + 1;
    while (end < count && examples[end].score == examples[first].score) end++;
    return end;
}

double roc_area_at(Place place, const float *scores, const bool *positive, int count)
{
    Arena *arena = arena_new();
    int positives;
    const Scored *examples = sorted_examples(place, arena, "roc_area", scores, positive, count, &positives);
    // Twice the number of pairs in which the positive is higher, a tie counting 1: whole numbers, exact
    uint64_t twice = 0, above = 0;
    for (int first = 0, end; first < count; first = end) {
        end = end_of_tie(examples, first, count);
        uint64_t here = 0;
        for (int i = first; i < end; i++) here += examples[i].positive;
        twice += ((uint64_t)(end - first) - here) * (2 * above + here);
        above += here;
    }
    arena_free(arena);
    return (double)twice / (2.0 * positives * (count - positives));
}

RocCurve roc_curve_at(Place place, Arena *arena, const float *scores, const bool *positive, int count)
{
    Arena *scratch = arena_new();
    int positives, found = 0;
    const Scored *examples =
        sorted_examples(place, scratch, "roc_curve", scores, positive, count, &positives);
    RocCurve curve = {1,
                      arena_alloc_at(place, arena, size_sum(place, (size_t)count, 1), sizeof *curve.points)};
    curve.points[0] = (RocPoint){INFINITY, 0.0, 0.0};
    for (int first = 0, end; first < count; first = end) {
        end = end_of_tie(examples, first, count);
        for (int i = first; i < end; i++) found += examples[i].positive;
        curve.points[curve.count++] = (RocPoint){
            examples[first].score, (double)(end - found) / (count - positives), (double)found / positives};
    }
    arena_free(scratch);
    return curve;
}
