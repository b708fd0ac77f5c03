// arena.h: memory by regions. An arena hands out pieces and takes all of them back at once.
//
// Two arenas serve a whole training program: one that lives as long as the model, and one that is rewound after each
// step. There is no malloc in a step and no free for each matrix, so nothing leaks and nothing is freed twice:
//
//     Arena *step = arena_new();
//     for (...) {
//         ArenaMark mark = arena_mark(step);
//         Matrix hidden = matrix_new(step, 64, 128);
//         ...
//         arena_rewind(step, mark);                // hidden is gone; its memory serves the next step
//     }
//     arena_free(step);
//
// Growing adds a block and never moves what was handed out. Every piece is aligned to 64 bytes (a cache line, an
// AVX-512 register). Under AddressSanitizer a rewound region is poisoned, and pieces are kept apart by a poisoned gap,
// so a use after rewind or past the end stops the program.
#pragma once
#include "base/base.h"

enum { ARENA_ALIGNMENT = 64 };

typedef struct Arena Arena;

typedef struct {
    void *block; // the block that was being filled, NULL when there was none
    size_t used; // how many of its bytes were in use
} ArenaMark;

// A new, empty arena. It asks the system for memory only when the first piece is asked for.
Arena *arena_new(void);

// The same with an upper limit in bytes, counted in blocks taken from the system: asking for more stops the program.
Arena *arena_new_limited(size_t limit);

void arena_free(Arena *arena); // NULL is allowed

// count · size bytes, not initialised; arena_zeros clears them. Never NULL: when memory is exhausted it stops the
// program with the caller's place. Asking for 0 bytes gives a valid pointer to nothing.
void *arena_alloc_at(Place place, Arena *arena, size_t count, size_t size);
void *arena_zeros_at(Place place, Arena *arena, size_t count, size_t size);
#define arena_alloc(arena, count, size) arena_alloc_at(HERE, arena, count, size)
#define arena_zeros(arena, count, size) arena_zeros_at(HERE, arena, count, size)

// A copy of a string.
char *arena_string(Arena *arena, const char *text);

// Remember this point; later give back everything handed out since. Blocks are kept for reuse.
// A mark is spent when an earlier mark of the same arena has been rewound to.
ArenaMark arena_mark(const Arena *arena);
void arena_rewind(Arena *arena, ArenaMark mark);
void arena_reset(Arena *arena); // gives back everything

size_t arena_used(const Arena *arena); // bytes handed out now, padding included
size_t arena_peak(const Arena *arena); // the most it ever was
size_t
arena_blocks(const Arena *arena); // how often it asked the system for memory: constant once a program is warm
