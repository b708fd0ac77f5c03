// guarded.c: see guarded.h. Also the arenas of a worker: the interface of base/arena.h, each piece guarded by
// itself.
#include "guarded.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "wire.h"

enum { PAGE = 4096, CHAINS = 4096, BLOCKS = 1 << 14, NO_ARGUMENT = -1 };
enum {
    RESTING = 256,
    RESTING_BYTES = 16 << 20
}; // how many freed pieces stay forbidden, and how large in all

typedef enum { UNUSED, IN_USE, FREED } State;

typedef struct {
    unsigned char *region, *piece; // guard page, pages, guard page; and where the piece is in them
    size_t region_size, size;
    int argument, next; // next in its chain, or in the list of unused entries
    State state;
} Block;

static Block blocks[BLOCKS];
static int chains[CHAINS];     // first entry + 1 of the pieces whose address hashes here
static int unused = -1, fresh; // entries given back, and entries never used
static size_t in_use;          // blocks of the student, arguments not counted
static int resting[RESTING], oldest, rest_count;
static size_t rest_bytes;

static int *chain_of(const void *piece)
{
    return &chains[((uintptr_t)piece >> 4) * 2654435761u >> 12 & (CHAINS - 1)];
}

static int find(const void *piece)
{
    int i = *chain_of(piece) - 1;
    while (i >= 0 && blocks[i].piece != piece) i = blocks[i].next;
    return i;
}

static int new_entry(void)
{
    if (unused >= 0) {
        int i = unused;
        unused = blocks[i].next;
        return i;
    }
    return fresh < BLOCKS ? fresh++ : -1;
}

static void drop_entry(int i)
{
    int *link = chain_of(blocks[i].piece);
    if (*link == i + 1) {
        *link = blocks[i].next + 1;
    } else {
        int before = *link - 1;
        while (blocks[before].next != i) before = blocks[before].next;
        blocks[before].next = blocks[i].next;
    }
    munmap(blocks[i].region, blocks[i].region_size);
    blocks[i] = (Block){.next = unused};
    unused = i;
}

static void *take(size_t size, size_t alignment, int argument)
{
    if (size > WIRE_BYTES * 2u || alignment > PAGE) return NULL;
    size_t room = (size + alignment - 1) / alignment * alignment;
    size_t pages = (room + PAGE - 1) / PAGE * PAGE;
    if (pages == 0) pages = PAGE;
    int i = new_entry();
    if (i < 0) return NULL;
    unsigned char *region = mmap(NULL, pages + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED) {
        blocks[i].next = unused;
        unused = i;
        return NULL;
    }
    mprotect(region + PAGE, pages, PROT_READ | PROT_WRITE);
    memset(region + PAGE, 0xFF, pages);
    unsigned char *piece = region + PAGE + pages - room;
    int *chain = chain_of(piece);
    blocks[i] = (Block){region, piece, pages + 2 * PAGE, size, argument, *chain - 1, IN_USE};
    *chain = i + 1;
    return piece;
}

static bool untouched(const unsigned char *from, const unsigned char *to)
{
    while (from < to)
        if (*from++ != 0xFF) return false;
    return true;
}

static void check_block(const Block *block)
{
    const unsigned char *end = block->region + block->region_size - PAGE;
    bool argument = block->argument != NO_ARGUMENT;
    if (!untouched(block->region + PAGE, block->piece))
        worker_fault(argument ? FAULT_BEFORE_ARGUMENT : FAULT_BEFORE_BLOCK, block->argument, 0);
    if (!untouched(block->piece + block->size, end))
        worker_fault(argument ? FAULT_PAST_ARGUMENT : FAULT_PAST_BLOCK, block->argument, 0);
}

void guarded_check(void)
{
    for (int i = 0; i < fresh; i++)
        if (blocks[i].state == IN_USE) check_block(&blocks[i]);
}

void guarded_release_arguments(void)
{
    for (int i = 0; i < fresh; i++)
        if (blocks[i].state == IN_USE && blocks[i].argument != NO_ARGUMENT) drop_entry(i);
}

size_t guarded_blocks(void) { return in_use; }

void *guarded_argument(size_t size, int argument) { return take(size, 4, argument); }

int guarded_explain(const void *address, int *argument)
{
    const unsigned char *a = address;
    for (int i = 0; i < fresh; i++) {
        const Block *block = &blocks[i];
        if (block->state == UNUSED || a < block->region || a >= block->region + block->region_size) continue;
        *argument = block->argument;
        if (block->state == FREED) return FAULT_FREED;
        bool past = a >= block->piece;
        if (block->argument != NO_ARGUMENT) return past ? FAULT_PAST_ARGUMENT : FAULT_BEFORE_ARGUMENT;
        return past ? FAULT_PAST_BLOCK : FAULT_BEFORE_BLOCK;
    }
    return (uintptr_t)address < PAGE ? FAULT_NULL : FAULT_UNKNOWN;
}

// ---- malloc and its kin --------------------------------------------------------------------------------

static void *take_block(size_t size, size_t alignment)
{
    void *piece = take(size, alignment, NO_ARGUMENT);
    if (piece)
        in_use++;
    else
        errno = ENOMEM;
    return piece;
}

void *guarded_malloc(size_t size) { return take_block(size, 16); }

void *guarded_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    void *piece = take_block(bytes, 16);
    if (piece) memset(piece, 0, bytes);
    return piece;
}

void *guarded_aligned_alloc(size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) return NULL;
    return take_block(size, alignment < 16 ? 16 : alignment);
}

void *guarded_memalign(size_t alignment, size_t size) { return guarded_aligned_alloc(alignment, size); }

int guarded_posix_memalign(void **out, size_t alignment, size_t size)
{
    void *piece = guarded_aligned_alloc(alignment, size);
    if (!piece) return ENOMEM;
    *out = piece;
    return 0;
}

// The entry of a piece that may be freed. −1: it is none of ours, but from a function of the C library that
// allocates.
static int freeable(void *piece)
{
    int i = find(piece), argument;
    if (i >= 0 && blocks[i].state == FREED) worker_fault(FAULT_FREED, NO_ARGUMENT, 0);
    if (i < 0 && guarded_explain(piece, &argument) == FAULT_UNKNOWN) return -1;
    if (i < 0 || blocks[i].argument != NO_ARGUMENT) worker_fault(FAULT_BAD_FREE, NO_ARGUMENT, 0);
    return i;
}

void guarded_free(void *piece)
{
    if (!piece) return;
    int i = freeable(piece);
    if (i < 0) {
        free(piece);
        return;
    }
    check_block(&blocks[i]);
    in_use--;
    blocks[i].state = FREED;
    mmap(blocks[i].region, blocks[i].region_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    rest_bytes += blocks[i].region_size;
    while (rest_count == RESTING || (rest_count > 0 && rest_bytes > RESTING_BYTES)) {
        int eldest = resting[oldest];
        oldest = (oldest + 1) % RESTING;
        rest_count--;
        rest_bytes -= blocks[eldest].region_size;
        drop_entry(eldest);
    }
    resting[(oldest + rest_count++) % RESTING] = i;
}

void *guarded_realloc(void *old, size_t size)
{
    if (!old) return guarded_malloc(size);
    int i = freeable(old);
    if (i < 0) return realloc(old, size);
    void *piece = guarded_malloc(size);
    if (!piece) return NULL;
    memcpy(piece, old, blocks[i].size < size ? blocks[i].size : size);
    guarded_free(old);
    return piece;
}

char *guarded_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = guarded_malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

// ---- Arenas --------------------------------------------------------------------------------------------
// A piece is a guarded block with a link to the one before it. Rewinding frees blocks, so their reuse is
// caught as well.

typedef struct Piece {
    struct Piece *before;
    void *bytes;
    size_t size, used; // used: by this piece and all before it
} Piece;

struct Arena {
    Piece *last;
    size_t limit, peak, count;
};

Arena *arena_new(void) { return arena_new_limited(SIZE_MAX); }

Arena *arena_new_limited(size_t limit)
{
    Arena *arena = guarded_calloc(1, sizeof *arena);
    check(arena, "close other programs", "no memory for an arena");
    arena->limit = limit;
    return arena;
}

size_t arena_used(const Arena *arena) { return arena->last ? arena->last->used : 0; }
size_t arena_peak(const Arena *arena) { return arena->peak; }
size_t arena_blocks(const Arena *arena) { return arena->count; }

void *arena_alloc_at(Place place, Arena *arena, size_t count, size_t size)
{
    const char *hint = "use smaller matrices or batches, or rewind the arena after each step";
    size_t bytes = size_product(place, count, size), used = size_sum(place, arena_used(arena), bytes);
    check_at(place, used <= arena->limit, hint, "the arena is full: it may hold %zu bytes", arena->limit);
    Piece *piece = malloc(sizeof *piece); // of the worker's own: only what the student asked for is guarded
    void *memory = take(bytes, ARENA_ALIGNMENT, NO_ARGUMENT);
    check_at(place, piece && memory, hint, "no memory: the system refused %zu more bytes", bytes);
    in_use++;
    *piece = (Piece){arena->last, memory, bytes, used};
    arena->last = piece;
    arena->count++;
    if (used > arena->peak) arena->peak = used;
    return memory;
}

void *arena_zeros_at(Place place, Arena *arena, size_t count, size_t size)
{
    void *piece = arena_alloc_at(place, arena, count, size);
    memset(piece, 0, count * size);
    return piece;
}

char *arena_string(Arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(arena_alloc(arena, size, 1), text, size);
}

ArenaMark arena_mark(const Arena *arena) { return (ArenaMark){arena->last, arena_used(arena)}; }

void arena_rewind(Arena *arena, ArenaMark mark)
{
    while (arena->last && arena->last != mark.block) {
        Piece *piece = arena->last;
        arena->last = piece->before;
        guarded_free(piece->bytes);
        free(piece);
    }
}

void arena_reset(Arena *arena) { arena_rewind(arena, (ArenaMark){NULL, 0}); }

void arena_free(Arena *arena)
{
    if (!arena) return;
    arena_reset(arena);
    guarded_free(arena);
}
