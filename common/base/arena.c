#include "base/arena.h"
#include "base/check.h"

#include <stdlib.h>
#include <string.h>

// Under AddressSanitizer, memory that was not handed out is poisoned.
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
enum { ARENA_GAP = ARENA_ALIGNMENT }; // poisoned bytes after each piece
enum { ARENA_BLOCK = 1 << 16 }; // smaller than below: ASan asks the system for each piece of 256 KB or more
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
enum { ARENA_GAP = 0 };
enum { ARENA_BLOCK = 1 << 22 }; // bytes of an ordinary block; a larger piece gets a block of its own size
#endif

typedef struct Block {
    struct Block *next;
    size_t capacity, used;
    size_t before; // bytes handed out in the blocks in front of this one, once it is in use
    char *bytes;
} Block;

struct Arena {
    Block *first, *current; // blocks after current are empty and wait for reuse
    size_t limit, taken;    // bytes that may be, and have been, taken from the system
    size_t peak, blocks;
};

Arena *arena_new(void) { return arena_new_limited(SIZE_MAX); }

Arena *arena_new_limited(size_t limit)
{
    Arena *arena = calloc(1, sizeof *arena);
    check(arena, "close other programs", "no memory for an arena");
    arena->limit = limit;
    return arena;
}

void arena_free(Arena *arena)
{
    if (!arena) return;
    for (Block *block = arena->first, *next; block; block = next) {
        next = block->next;
        ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->capacity);
        free(block->bytes);
        free(block);
    }
    free(arena);
}

// A block with room for size bytes: an ordinary one, if the limit allows.
static Block *block_new(Place place, Arena *arena, size_t size)
{
    const char *hint = "use smaller matrices or batches, or rewind the arena after each step";
    size_t left = arena->limit - arena->taken;
    check_at(place, size <= left, hint,
             "the arena is full: %zu more bytes would pass its limit of %zu (%zu taken)", size, arena->limit,
             arena->taken);
    size_t capacity = size > ARENA_BLOCK ? size : ARENA_BLOCK;
    if (capacity > left) capacity = left / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
    Block *block = calloc(1, sizeof *block);
    char *bytes = block ? aligned_alloc(ARENA_ALIGNMENT, capacity) : NULL;
    check_at(place, bytes, hint, "no memory: the system refused %zu more bytes (%zu taken)", capacity,
             arena->taken);
    *block = (Block){.capacity = capacity, .bytes = bytes};
    ASAN_POISON_MEMORY_REGION(bytes, capacity);
    arena->taken += capacity;
    arena->blocks++;
    return block;
}

// The block that has room for size bytes: the current one, a waiting one, or a new one.
static Block *block_with_room(Place place, Arena *arena, size_t size)
{
    Block *block = arena->current;
    if (block && size <= block->capacity - block->used) return block;

    // Waiting blocks too small for this piece are passed over: they are reused after the next rewind.
    Block **link = block ? &block->next : &arena->first;
    while (*link && size > (*link)->capacity) link = &(*link)->next;
    if (!*link) *link = block_new(place, arena, size);
    (*link)->before = block ? block->before + block->used : 0;
    return arena->current = *link;
}

void *arena_alloc_at(Place place, Arena *arena, size_t count, size_t size)
{
    size_t bytes = size_product(place, count, size);
    size_t padded = size_sum(place, bytes, ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
    padded = size_sum(place, padded, ARENA_GAP);
    if (padded == 0) padded = ARENA_ALIGNMENT; // a piece of nothing still has an address of its own

    Block *block = block_with_room(place, arena, padded);
    void *piece = block->bytes + block->used;
    block->used += padded;
    if (block->before + block->used > arena->peak) arena->peak = block->before + block->used;
    ASAN_UNPOISON_MEMORY_REGION(piece, bytes);
    return piece;
}

void *arena_zeros_at(Place place, Arena *arena, size_t count, size_t size)
{
    void *piece = arena_alloc_at(place, arena, count, size);
    memset(piece, 0, count * size); // the product was checked above
    return piece;
}

char *arena_string(Arena *arena, const char *text)
{
    size_t length = strlen(text) + 1;
    return memcpy(arena_alloc(arena, length, 1), text, length);
}

ArenaMark arena_mark(const Arena *arena)
{
    return (ArenaMark){arena->current, arena->current ? arena->current->used : 0};
}

void arena_rewind(Arena *arena, ArenaMark mark)
{
    Block *kept = arena->first;
    while (kept && kept != mark.block) kept = kept->next;
    check(kept == mark.block, "rewind the arena that the mark was taken from",
          "this mark is of another arena");
    check(!kept || mark.used <= kept->used, "a mark is spent when an earlier one was rewound to",
          "this mark was rewound before");

    for (Block *block = kept ? kept->next : arena->first; block; block = block->next) {
        ASAN_POISON_MEMORY_REGION(block->bytes, block->capacity);
        block->used = 0;
    }
    arena->current = kept;
    if (!kept) return;
    ASAN_POISON_MEMORY_REGION(kept->bytes + mark.used, kept->capacity - mark.used);
    kept->used = mark.used;
}

void arena_reset(Arena *arena) { arena_rewind(arena, (ArenaMark){NULL, 0}); }

size_t arena_used(const Arena *arena)
{
    return arena->current ? arena->current->before + arena->current->used : 0;
}
size_t arena_peak(const Arena *arena) { return arena->peak; }
size_t arena_blocks(const Arena *arena) { return arena->blocks; }
