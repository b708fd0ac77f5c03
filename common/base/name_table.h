// name_table.h: finding a name among many by its hash. The names themselves stand in a list of the caller's.
//
//     NameTable table = name_table_new(arena, 100);                  // for up to 100 names
//     int place = name_table_find(&table, names, "weight");          // its number in names, −1 when it is not there
//     name_table_put(&table, names, count);                          // names[count] is in the table from now on
//
// Open addressing with linear probing, at least half of the slots free.
#pragma once
#include "base/arena.h"

#include <string.h>

typedef struct {
    int *slots;  // numbers of names, −1: free
    size_t size; // a power of two
} NameTable;

static inline NameTable name_table_new(Arena *arena, size_t most)
{
    NameTable table = {.size = 32};
    while (table.size < 2 * most) table.size *= 2;
    table.slots = arena_alloc(arena, table.size, sizeof *table.slots);
    for (size_t i = 0; i < table.size; i++) table.slots[i] = -1;
    return table;
}

// 64-bit FNV-1a (Fowler, Noll and Vo).
static inline uint64_t name_hash(const char *bytes, size_t size)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i++) hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
    return hash;
}

// Where the name stands, or would.
static inline size_t name_table_slot(const NameTable *table, char *const *names, const char *name)
{
    uint64_t hash = name_hash(name, strlen(name));
    size_t slot = (size_t)(hash ^ hash >> 32) & (table->size - 1);
    while (table->slots[slot] >= 0 && strcmp(names[table->slots[slot]], name) != 0)
        slot = (slot + 1) & (table->size - 1);
    return slot;
}

static inline int name_table_find(const NameTable *table, char *const *names, const char *name)
{
    return table->size ? table->slots[name_table_slot(table, names, name)] : -1;
}

static inline void name_table_put(NameTable *table, char *const *names, int number)
{
    table->slots[name_table_slot(table, names, names[number])] = number;
}
