// checkpoint.c: parameters and runs in files. See checkpoint.h.
#include "models/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const DAMAGED = "it is damaged, or no checkpoint: begin the run again";

// ---- Parameters -------------------------------------------------------------------------------------------

static SafetensorsItem *items_of(Arena *arena, const Parameters *set)
{
    SafetensorsItem *items = arena_alloc(arena, (size_t)set->count, sizeof *items);
    for (int i = 0; i < set->count; i++) items[i] = (SafetensorsItem){set->names[i], set->items[i]->value};
    return items;
}

bool parameters_try_save_at(Place place, const char *path, const Parameters *set,
                            const SafetensorsNote *notes, int note_count, Replacement *file)
{
    Arena *arena = arena_new();
    bool written =
        safetensors_try_write_at(place, path, items_of(arena, set), set->count, notes, note_count, file);
    arena_free(arena);
    return written;
}

void parameters_save_at(Place place, const char *path, const Parameters *set, const SafetensorsNote *notes,
                        int note_count)
{
    Replacement file;
    if (!parameters_try_save_at(place, path, set, notes, note_count, &file))
        die_at(place, file.remedy, "%s", file.problem);
}

void parameters_fill_at(Place place, const Safetensors *file, Parameters *set)
{
    Arena *arena = arena_new();
    safetensors_fill_at(place, file, items_of(arena, set), set->count);
    arena_free(arena);
}

void parameters_load_at(Place place, const char *path, Parameters *set)
{
    Arena *arena = arena_new();
    Safetensors file = safetensors_open_at(place, arena, path);
    parameters_fill_at(place, &file, set);
    safetensors_close(&file);
    arena_free(arena);
}

// ---- Checkpoints ------------------------------------------------------------------------------------------
// "value/name" is a parameter, "first/name" and "second/name" its moments; the rest is metadata. Numbers of
// the metadata are written as their bits in hexadecimal, so that nothing is rounded.

enum { MAX_NOTES = 64, NOTE_SIZE = 40 };

static const char *const CHECKPOINT_NOTES[] = {"optimiser", "steps", "power1",
                                               "power2",    "step",  "generators"};
enum { FIXED_NOTES = sizeof CHECKPOINT_NOTES / sizeof *CHECKPOINT_NOTES };

static SafetensorsItem *checkpoint_items(Arena *arena, const Optimiser *o, int *count)
{
    const Parameters *set = o->parameters;
    SafetensorsItem *items = arena_alloc(arena, (size_t)set->count * 3, sizeof *items);
    const char *prefixes[] = {"value/", "first/", "second/"};
    const Matrix *moments[] = {NULL, o->first, o->second};
    *count = 0;
    for (int kind = 0; kind < 3; kind++) {
        if (kind > 0 && !moments[kind]) continue;
        for (int i = 0; i < set->count; i++) {
            size_t size = strlen(prefixes[kind]) + strlen(set->names[i]) + 1;
            char *name = arena_alloc(arena, size, 1);
            snprintf(name, size, "%s%s", prefixes[kind], set->names[i]);
            items[(*count)++] = (SafetensorsItem){name, kind ? moments[kind][i] : set->items[i]->value};
        }
    }
    return items;
}

static uint64_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float bits_float(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return value;
}

void checkpoint_save_at(Place place, const char *path, const Optimiser *o, const Rng *rngs, int rng_count,
                        long step)
{
    check_at(place, rng_count >= 0 && FIXED_NOTES + 2 * rng_count <= MAX_NOTES,
             "share generators between purposes", "checkpoint_save: %d generators", rng_count);
    check_at(place, step >= 0, "steps count from 0", "checkpoint_save: step %ld", step);
    for (int i = 0; i < rng_count; i++)
        check_at(place, rngs[i].increment & 1, "make it with rng_new",
                 "checkpoint_save: generator %d was never made", i);
    Arena *arena = arena_new();
    int count;
    SafetensorsItem *items = checkpoint_items(arena, o, &count);
    const uint64_t fixed[FIXED_NOTES] = {(uint64_t)o->kind,     (uint64_t)o->steps, float_bits(o->power1),
                                         float_bits(o->power2), (uint64_t)step,     (uint64_t)rng_count};
    SafetensorsNote notes[MAX_NOTES];
    char keys[MAX_NOTES][NOTE_SIZE], values[MAX_NOTES][NOTE_SIZE];
    int note_count = 0;
    for (; note_count < FIXED_NOTES; note_count++) {
        snprintf(keys[note_count], NOTE_SIZE, "%s", CHECKPOINT_NOTES[note_count]);
        snprintf(values[note_count], NOTE_SIZE, "%016" PRIx64, fixed[note_count]);
    }
    for (int i = 0; i < 2 * rng_count; i++, note_count++) {
        snprintf(keys[note_count], NOTE_SIZE, "generator%d.%s", i / 2, i % 2 ? "increment" : "state");
        snprintf(values[note_count], NOTE_SIZE, "%016" PRIx64,
                 i % 2 ? rngs[i / 2].increment : rngs[i / 2].state);
    }
    for (int i = 0; i < note_count; i++) notes[i] = (SafetensorsNote){keys[i], values[i]};
    safetensors_write_at(place, path, items, count, notes, note_count);
    arena_free(arena);
}

static uint64_t number_note(Place place, const Safetensors *file, const char *key)
{
    const char *text = safetensors_note(file, key);
    check_at(place, text, "is it a checkpoint?", "%s: metadata %s is missing", file->path, key);
    bool digits = strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16;
    check_at(place, digits, DAMAGED, "%s: metadata %s is \"%.40s\", expected 16 hexadecimal digits",
             file->path, key, text);
    return strtoull(text, NULL, 16);
}

long checkpoint_load_at(Place place, const char *path, Optimiser *o, Rng *rngs, int rng_count)
{
    Arena *arena = arena_new();
    Safetensors file = safetensors_open_at(place, arena, path);
    uint64_t fixed[FIXED_NOTES];
    for (int i = 0; i < FIXED_NOTES; i++) fixed[i] = number_note(place, &file, CHECKPOINT_NOTES[i]);
    check_at(place, fixed[0] == (uint64_t)o->kind, "go on with the method that the run began with",
             "%s: saved with optimiser %" PRIu64 ", this one is %d", path, fixed[0], (int)o->kind);
    check_at(place, fixed[1] <= INT64_MAX && fixed[4] <= INT64_MAX, DAMAGED, "%s: a negative number of steps",
             path);
    check_at(place, fixed[5] == (uint64_t)rng_count, "give the generators that were saved",
             "%s: %" PRIu64 " generators, expected %d", path, fixed[5], rng_count);

    Rng *found = arena_alloc(arena, (size_t)rng_count, sizeof *found);
    for (int i = 0; i < rng_count; i++) {
        char key[NOTE_SIZE];
        snprintf(key, sizeof key, "generator%d.state", i);
        found[i].state = number_note(place, &file, key);
        snprintf(key, sizeof key, "generator%d.increment", i);
        found[i].increment = number_note(place, &file, key);
        check_at(place, found[i].increment & 1, DAMAGED, "%s: metadata %s must be odd", path, key);
    }
    int count;
    SafetensorsItem *items = checkpoint_items(arena, o, &count);
    safetensors_fill_at(place, &file, items, count);
    if (rng_count) memcpy(rngs, found, (size_t)rng_count * sizeof *rngs);
    o->steps = (long)fixed[1];
    o->power1 = bits_float(fixed[2]);
    o->power2 = bits_float(fixed[3]);
    clear_gradients(o->parameters);
    safetensors_close(&file);
    arena_free(arena);
    return (long)fixed[4];
}
