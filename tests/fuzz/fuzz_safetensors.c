// fuzz_safetensors.c: safetensors files: opened, as matrices, into parameters, as checkpoints. What was read as float32
// is written again and must be read back equal.
#include "fuzz.h"
#include "models/checkpoint.h"
#include "safetensors_frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *path, *again;
static size_t tensors;

static void open_all(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Safetensors file = safetensors_open(arena, path);
    size_t bytes = 0;
    for (int i = 0; i < file.count; i++) {
        const SafetensorsEntry *entry = &file.entries[i];
        fuzz_require(safetensors_find(&file, entry->name) == entry, "tensor %s is not found", entry->name);
        for (size_t k = 0; k < entry->bytes; k += 16) bytes += entry->data[k];
        if (entry->bytes) bytes += entry->data[entry->bytes - 1];
    }
    for (int i = 0; i < file.note_count; i++)
        fuzz_require(safetensors_note(&file, file.notes[i].key) == file.notes[i].value, "a note is lost");
    tensors = (size_t)file.count + bytes * 0;
    safetensors_close(&file);
    arena_free(arena);
}

static void matrices(void *context)
{
    const size_t *number = context;
    Arena *arena = arena_new();
    Safetensors file = safetensors_open(arena, path);
    const char *name = file.entries[*number].name;
    const Matrix m = safetensors_matrix(arena, &file, name);
    const Stored stored = safetensors_stored(&file, name);
    fuzz_require(stored_bytes(stored) == file.entries[*number].bytes && matrix_size(m) == stored_size(stored),
                 "tensor %s has another size as a matrix", name);
    safetensors_close(&file);
    arena_free(arena);
}

// The file as parameters of its own shapes; when it may be one.
static bool as_parameters(Arena *arena, const Safetensors *file, Parameters *set)
{
    for (int i = 0; i < file->count; i++) {
        const SafetensorsEntry *entry = &file->entries[i];
        bool fits = strcmp(entry->dtype, "F32") == 0 && (entry->rank == 1 || entry->rank == 2) &&
                    entry->name[0] && entry->bytes;
        if (!fits || i == 64) return false;
    }
    *set = parameters_new(arena);
    for (int i = 0; i < file->count; i++) {
        const SafetensorsEntry *entry = &file->entries[i];
        int rows = entry->rank == 2 ? (int)entry->shape[0] : 1, cols = (int)entry->shape[entry->rank - 1];
        parameters_add(set, entry->name, rows, cols);
    }
    return true;
}

static void round_trip(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Safetensors file = safetensors_open(arena, path);
    Parameters set;
    if (as_parameters(arena, &file, &set)) {
        parameters_load(path, &set);
        parameters_save(again, &set, file.notes, file.note_count);
        Safetensors second = safetensors_open(arena, again);
        fuzz_require(second.count == file.count && second.note_count == file.note_count,
                     "%d tensors and %d notes became %d and %d", file.count, file.note_count, second.count,
                     second.note_count);
        for (int i = 0; i < file.count; i++) {
            const SafetensorsEntry *a = &file.entries[i], *b = &second.entries[i];
            fuzz_require(strcmp(a->name, b->name) == 0 && a->bytes == b->bytes &&
                             memcmp(a->data, b->data, a->bytes) == 0,
                         "tensor %s was written as another", a->name);
        }
        for (int i = 0; i < file.note_count; i++)
            fuzz_require(strcmp(file.notes[i].key, second.notes[i].key) == 0 &&
                             strcmp(file.notes[i].value, second.notes[i].value) == 0,
                         "note %s was written as another", file.notes[i].key);
        safetensors_close(&second);
    }
    safetensors_close(&file);
    arena_free(arena);
}

static void checkpoint(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Parameters set = parameters_new(arena);
    parameters_add(&set, "w", 2, 3);
    parameters_add(&set, "b", 1, 3);
    Optimiser adam = adam_new(arena, &set, 0.9f, 0.999f, 1e-8f, 0.0f);
    Rng rng = rng_new(1, 1);
    checkpoint_load(path, &adam, &rng, 1);
    arena_free(arena);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    FuzzPart file = safetensors_frame((FuzzPart){bytes, size});
    path = fuzz_file("model.safetensors", file.bytes, file.size);
    again = fuzz_path("again.safetensors");
    free((void *)file.bytes);
    if (!fuzz_try(open_all, NULL)) return;
    for (size_t i = 0; i < tensors && i < 4; i++) fuzz_try(matrices, &i);
    bool mayfail = fuzz_try(round_trip, NULL); // shapes that no matrix has, names that no parameter has
    (void)mayfail;
    fuzz_try(checkpoint, NULL);
}
