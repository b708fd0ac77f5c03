// fuzz_thesaurus.c: Roget's thesaurus as a graph. An input that begins with a letter r is followed by the categories that
// it lacks, so that a short one can be a whole thesaurus.
#include "fuzz.h"
#include "files/thesaurus.h"

#include <stdlib.h>

static void load(void *context)
{
    Arena *arena = arena_new();
    Thesaurus t = thesaurus_load_at(HERE, arena, context);
    for (int i = 0; i < t.count; i++)
        fuzz_require(t.names[i].size > 0 && t.classes[i] >= 0 && t.classes[i] < THESAURUS_CLASSES,
                     "category %d has no name or no class", i);
    for (int k = 0; k < t.links; k++)
        fuzz_require(t.from[k] >= 0 && t.from[k] < t.count && t.to[k] >= 0 && t.to[k] < t.count,
                     "link %d leads out of the graph", k);
    arena_free(arena);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    if (size == 0 || bytes[0] != 'r') {
        fuzz_try(load, (void *)fuzz_file("roget.txt", bytes, size));
        return;
    }
    int have = 0;
    for (size_t k = 1; k < size; k++) have += bytes[k] == ':';
    size_t room = size + 16 * THESAURUS_CATEGORIES, used = size - 1;
    char *text = malloc(room);
    memcpy(text, bytes + 1, used);
    for (int i = have + 1; i <= THESAURUS_CATEGORIES; i++)
        used += (size_t)snprintf(text + used, room - used, "%da:1\n", i);
    const char *path = fuzz_file("roget.txt", text, used);
    free(text);
    fuzz_try(load, (void *)path);
}
