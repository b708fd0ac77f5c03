// fuzz_weights.c: a model's folder of shards: the index, and two files that it may name, a and b. What opens is written again
// in smaller shards and must be read back equal.
#include "files/weights.h"
#include "fuzz.h"
#include "safetensors_frame.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *folder, *again;

// Shape and bytes of each tensor, where it is read as numbers and a matrix has its shape.
static int items_of(Arena *arena, const Weights *weights, SafetensorsStoredItem **items)
{
    int count = 0;
    *items = arena_zeros(arena, (size_t)weights->count, sizeof **items);
    for (int i = 0; i < weights->count; i++) {
        const WeightsTensor *tensor = &weights->tensors[i];
        const SafetensorsEntry *entry = tensor->entry;
        fuzz_require(weights_find(weights, tensor->name) == tensor, "tensor %s is not found", tensor->name);
        fuzz_require(safetensors_find(&weights->shards[tensor->shard], tensor->name) == entry,
                     "tensor %s is in another shard", tensor->name);
        const bool numbers = strcmp(entry->dtype, "F32") == 0 || strcmp(entry->dtype, "F16") == 0 ||
                             strcmp(entry->dtype, "BF16") == 0;
        if (!numbers || entry->rank > 2 || entry->rank == 0) continue;
        const Stored stored = safetensors_stored(&weights->shards[tensor->shard], tensor->name);
        (*items)[count++] = (SafetensorsStoredItem){tensor->name, stored, entry->rank == 1};
    }
    return count;
}

static void open_folder(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Weights weights = weights_open(arena, folder);
    SafetensorsStoredItem *items;
    const int count = items_of(arena, &weights, &items);
    if (count <= 64) {
        weights_write(again, items, count, 16);
        Weights second = weights_open(arena, again);
        fuzz_require(second.count == count, "%d tensors became %d", count, second.count);
        for (int i = 0; i < count; i++) {
            const Stored was = items[i].value,
                         is = weights_stored(&second, items[i].name, was.rows, was.cols);
            fuzz_require(is.kind == was.kind &&
                             (!stored_bytes(was) || memcmp(is.data, was.data, stored_bytes(was)) == 0),
                         "tensor %s was written as another", items[i].name);
        }
        weights_close(&second);
    }
    weights_check(&weights);
    weights_close(&weights);
    arena_free(arena);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    FuzzPart parts[3];
    fuzz_parts(bytes, size, parts, 3);
    FuzzPart a = safetensors_frame(parts[1]), b = safetensors_frame(parts[2]);
    folder = fuzz_path("weights");
    again = fuzz_path("weights-again");
    mkdir(folder, 0700);
    fuzz_file("weights/model.safetensors.index.json", parts[0].bytes, parts[0].size);
    fuzz_file("weights/a", a.bytes, a.size);
    fuzz_file("weights/b", b.bytes, b.size);
    free((void *)a.bytes);
    free((void *)b.bytes);
    fuzz_try(open_folder, NULL);
}
