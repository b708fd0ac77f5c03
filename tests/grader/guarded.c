// guarded.c: see guarded.h. Also the arenas of a worker: the interface of base/arena.h, each piece guarded by
// itself.
#include "guarded.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "base/arena.h"
#include "packed.h"
#include "wire.h"

// A piece and its guards are at least three pages: more than BLOCKS of them do not fit into what a worker may have.
enum { PAGE = 4096, CHAINS = 4096, BLOCKS = 1 << 15, NO_ARGUMENT = -1 };
enum { LARGEST = 2 * WIRE_BYTES, LARGEST_ALIGNMENT = 1 << 20 };
enum { SPARES = 1024 };             // regions kept for the next piece
enum { ALONE = 1024, MOVED = 256 }; // so many pieces have pages of their own, so many reallocs always move
enum {
    RESTING = 256,
    RESTING_BYTES = 16 << 20
}; // how many freed pieces stay forbidden, and how large in all

typedef enum { UNUSED, IN_USE, FREED } State;

typedef struct {
    unsigned char *region, *piece,
        *end; // guard page, pages, guards from end on; and where the piece is in them
    size_t region_size, size;
    int argument, next; // next in its chain, or in the list of unused entries
    State state;
} Block;

static Block blocks[BLOCKS];
static int chains[CHAINS];     // first entry + 1 of the pieces whose address hashes here
static int unused = -1, fresh; // entries given back, and entries never used
static int spare = -1, spares; // entries with a region of one page that nobody uses
static size_t in_use;          // blocks of the student, arguments not counted
static size_t given, moved;    // blocks given since the start, and reallocs that moved theirs
static size_t refused;         // see guarded_refused
static int resting[RESTING], oldest, rest_count;
static size_t rest_bytes;
static size_t for_itself; // bytes mapped for the library's room and the arenas' links

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
    if (blocks[i].region_size == 3 * PAGE && spares < SPARES) {
        if (blocks[i].state == IN_USE) mprotect(blocks[i].region, 3 * PAGE, PROT_NONE);
        blocks[i] = (Block){.region = blocks[i].region, .region_size = 3 * PAGE, .next = spare};
        spare = i;
        spares++;
    } else {
        munmap(blocks[i].region, blocks[i].region_size);
        blocks[i] = (Block){.next = unused};
        unused = i;
    }
}

static size_t whole_pages(size_t bytes) { return (bytes + PAGE - 1) / PAGE * PAGE; }

// Keeps in mind what could not be had, and says so as malloc does.
static void *refuse(size_t size)
{
    refused = size ? size : 1;
    errno = ENOMEM;
    return NULL;
}

// Enters a piece with a region of its own: a guard page, `open` bytes, `reserved` bytes that are forbidden as yet,
// and a guard page. NULL: there is no room.
static Block *new_region(size_t open, size_t reserved)
{
    size_t size = open + reserved + 2 * PAGE;
    bool again = size == 3 * PAGE && spare >= 0;
    int i = again ? spare : new_entry();
    if (i < 0) return NULL;
    if (again) {
        spare = blocks[i].next;
        spares--;
    }
    unsigned char *region = blocks[i].region;
    if (!again) region = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED || mprotect(region + PAGE, open, PROT_READ | PROT_WRITE) != 0) {
        if (region != MAP_FAILED) munmap(region, size);
        blocks[i] = (Block){.next = unused};
        unused = i;
        return NULL;
    }
    blocks[i] = (Block){.region = region, .region_size = size, .end = region + PAGE + open, .state = IN_USE};
    return &blocks[i];
}

// Lays a piece out in its region, the bytes around it 0xFF; those in it too, or zeros as the system gave them.
static void *lay_out(Block *block, unsigned char *piece, size_t size, int argument, bool zeros)
{
    unsigned char *start = block->region + PAGE;
    memset(start, 0xFF, (size_t)(piece - start));
    if (!zeros || block->region_size == 3 * PAGE) memset(piece, zeros ? 0 : 0xFF, size);
    memset(piece + size, 0xFF, (size_t)(block->end - piece) - size);
    int *chain = chain_of(piece), i = (int)(block - blocks);
    block->piece = piece;
    block->size = size;
    block->argument = argument;
    block->next = *chain - 1;
    *chain = i + 1;
    return piece;
}

static void *take(size_t size, size_t alignment, int argument, bool zeros)
{
    if (size > LARGEST || alignment > LARGEST_ALIGNMENT) return NULL;
    size_t room = (size + alignment - 1) / alignment * alignment;
    size_t pages = whole_pages(room + (alignment > PAGE ? alignment - PAGE : 0)); // regions start at any page
    Block *block = new_region(pages ? pages : PAGE, 0);
    if (!block) return NULL;
    uintptr_t end = (uintptr_t)block->end;
    return lay_out(block, block->end - (end - (end - size) / alignment * alignment), size, argument, zeros);
}

static void check_block(const Block *block)
{
    bool argument = block->argument != NO_ARGUMENT;
    if (!bytes_untouched(block->region + PAGE, block->piece))
        worker_fault(argument ? FAULT_BEFORE_ARGUMENT : FAULT_BEFORE_BLOCK, block->argument, 0);
    if (!bytes_untouched(block->piece + block->size, block->end))
        worker_fault(argument ? FAULT_PAST_ARGUMENT : FAULT_PAST_BLOCK, block->argument, 0);
}

void guarded_check(void)
{
    for (int i = 0; i < fresh; i++)
        if (blocks[i].state == IN_USE) check_block(&blocks[i]);
    packed_check();
}

void guarded_release_arguments(void)
{
    for (int i = 0; i < fresh; i++)
        if (blocks[i].state == IN_USE && blocks[i].argument != NO_ARGUMENT) drop_entry(i);
}

void *guarded_argument(size_t size, int argument)
{
    void *piece = take(size, 4, argument, false);
    return piece ? piece : refuse(size);
}

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

// ---- Blocks --------------------------------------------------------------------------------------------

static void *take_block(size_t size, size_t alignment, bool zeros)
{
    bool small = size <= PACKED_LARGEST && alignment <= PACKED_ALIGNMENT;
    void *piece = small && given >= ALONE ? packed_take(size, alignment) : NULL;
    if (piece && zeros) memset(piece, 0, size);
    if (!piece) piece = take(size, alignment, NO_ARGUMENT, zeros);
    if (!piece) return refuse(size);
    in_use++;
    given++;
    return piece;
}

// A block that realloc has moved often: it lies at the start of its region, and may grow to twice its size.
static void *take_growing(size_t size)
{
    size_t open = whole_pages(size);
    Block *block = size > PACKED_LARGEST && size <= LARGEST ? new_region(open, open) : NULL;
    if (!block) return take_block(size, 16, false);
    in_use++;
    given++;
    return lay_out(block, block->region + PAGE, size, NO_ARGUMENT, false);
}

// The entry of a block with pages of its own that may be freed.
static Block *freeable(const void *piece)
{
    int i = find(piece), argument;
    if (i >= 0 && blocks[i].state == IN_USE && blocks[i].argument == NO_ARGUMENT) return &blocks[i];
    bool freed = i >= 0 ? blocks[i].state == FREED : guarded_explain(piece, &argument) == FAULT_FREED;
    worker_fault(freed ? FAULT_FREED : FAULT_BAD_FREE, NO_ARGUMENT, 0);
}

// Freed pages stay forbidden until many others were freed after them.
static void lay_to_rest(Block *block)
{
    block->state = FREED;
    mprotect(block->region, block->region_size, PROT_NONE);
    rest_bytes += block->region_size;
    while (rest_count == RESTING || (rest_count > 0 && rest_bytes > RESTING_BYTES)) {
        int eldest = resting[oldest];
        oldest = (oldest + 1) % RESTING;
        rest_count--;
        rest_bytes -= blocks[eldest].region_size;
        drop_entry(eldest);
    }
    resting[(oldest + rest_count++) % RESTING] = (int)(block - blocks);
}

static void give_back(void *piece)
{
    if (packed_holds(piece)) {
        packed_free(piece);
    } else {
        Block *block = freeable(piece);
        check_block(block);
        lay_to_rest(block);
    }
    in_use--;
}

// Makes a block of a growing region larger or smaller where it is; false: it must move.
static bool resize(Block *block, size_t size)
{
    check_block(block);
    unsigned char *last = block->region + block->region_size - PAGE;
    if (block->piece != block->region + PAGE || block->end == last || size > (size_t)(last - block->piece))
        return false;
    unsigned char *end = block->piece + whole_pages(size ? size : 1);
    if (end > block->end) {
        if (mprotect(block->end, (size_t)(end - block->end), PROT_READ | PROT_WRITE) != 0) return false;
        memset(block->end, 0xFF, (size_t)(end - block->end));
        block->end = end;
    }
    if (size < block->size) memset(block->piece + size, 0xFF, block->size - size);
    block->size = size;
    return true;
}

static void *change_size(void *old, size_t size)
{
    bool packed = packed_holds(old);
    Block *block = packed ? NULL : freeable(old);
    if (packed ? packed_resize(old, size) : resize(block, size)) return old;
    size_t old_size = packed ? packed_size(old) : block->size;
    void *piece = ++moved > MOVED ? take_growing(size) : take_block(size, 16, false);
    if (!piece) return NULL;
    memcpy(piece, old, old_size < size ? old_size : size);
    give_back(old);
    return piece;
}

// ---- malloc and its kin, for the student and for the C library -----------------------------------------

void *malloc(size_t size) { return take_block(size, 16, false); }

void free(void *piece)
{
    if (piece) give_back(piece);
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? refuse(SIZE_MAX) : take_block(bytes, 16, true);
}

void *realloc(void *old, size_t size)
{
    if (!old) return take_block(size, 16, false);
    if (size > 0) return change_size(old, size);
    give_back(old);
    return NULL;
}

void *reallocarray(void *old, size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? refuse(SIZE_MAX) : realloc(old, bytes);
}

void *memalign(size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        errno = EINVAL;
        return NULL;
    }
    return take_block(size, alignment < 16 ? 16 : alignment, false);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
void *valloc(size_t size) { return memalign(PAGE, size); }
void *pvalloc(size_t size) { return size > LARGEST ? refuse(size) : memalign(PAGE, whole_pages(size)); }

int posix_memalign(void **out, size_t alignment, size_t size)
{
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0)
        return EINVAL;
    int before = errno;
    void *piece = memalign(alignment, size);
    errno = before;
    if (!piece) return ENOMEM;
    *out = piece;
    return 0;
}

size_t malloc_usable_size(void *piece)
{
    return !piece ? 0 : packed_holds(piece) ? packed_size(piece) : freeable(piece)->size;
}

// The rest of what the C library has in one object file with malloc: without these it would be linked as well.
void *__libc_malloc(size_t size);
void __libc_free(void *piece);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void *__libc_valloc(size_t size);
void *__libc_pvalloc(size_t size);
void *__libc_malloc(size_t size) { return malloc(size); }
void __libc_free(void *piece) { free(piece); }
void *__libc_calloc(size_t count, size_t size) { return calloc(count, size); }
void *__libc_realloc(void *old, size_t size) { return realloc(old, size); }
void *__libc_memalign(size_t alignment, size_t size) { return memalign(alignment, size); }
void *__libc_valloc(size_t size) { return valloc(size); }
void *__libc_pvalloc(size_t size) { return pvalloc(size); }

void __malloc_fork_lock_parent(void);
void __malloc_fork_unlock_parent(void);
void __malloc_fork_unlock_child(void);
void __malloc_fork_lock_parent(void) {}
void __malloc_fork_unlock_parent(void) {}
void __malloc_fork_unlock_child(void) {}

int mallopt(int what, int value) { return (void)what, (void)value, 1; }
int malloc_trim(size_t kept) { return (void)kept, 0; }
void malloc_stats(void) {}
int malloc_info(int options, FILE *file) { return (void)options, (void)file, -1; }
struct mallinfo mallinfo(void) { return (struct mallinfo){.uordblks = (int)in_use}; }
#if __GLIBC_PREREQ(2, 33)
struct mallinfo2 mallinfo2(void) { return (struct mallinfo2){.uordblks = in_use}; }
#endif

// ---- Memory past malloc --------------------------------------------------------------------------------
// What mmap and its kin become in the student's object (allocator.txt): the same, and counted.

enum { MAPPINGS = 256 };
static struct Mapping {
    unsigned char *from, *to;
} mappings[MAPPINGS];
static size_t mapped;

void *guarded_mmap(void *wish, size_t size, int rights, int kind, int file, off_t offset);
void *guarded_mmap64(void *wish, size_t size, int rights, int kind, int file, off_t offset);
int guarded_munmap(void *start, size_t size);
void *guarded_mremap(void *start, size_t old_size, size_t size, int how, ...);

void *guarded_mmap(void *wish, size_t size, int rights, int kind, int file, off_t offset)
{
    void *start = mapped < MAPPINGS ? mmap(wish, size, rights, kind, file, offset) : MAP_FAILED;
    if (start != MAP_FAILED)
        mappings[mapped++] = (struct Mapping){start, (unsigned char *)start + whole_pages(size)};
    else if (mapped == MAPPINGS || errno == ENOMEM)
        refuse(size);
    return start;
}

void *guarded_mmap64(void *wish, size_t size, int rights, int kind, int file, off_t offset)
{
    return guarded_mmap(wish, size, rights, kind, file, offset);
}

// A mapping is given back when nothing of it is left; what is cut out of its middle changes nothing.
int guarded_munmap(void *start, size_t size)
{
    unsigned char *from = start, *to = from + whole_pages(size);
    if (munmap(start, size) != 0) return -1;
    for (size_t i = mapped; i-- > 0;) {
        if (from <= mappings[i].from && to > mappings[i].from) mappings[i].from = to;
        if (to >= mappings[i].to && from < mappings[i].to) mappings[i].to = from;
        if (mappings[i].from >= mappings[i].to) mappings[i] = mappings[--mapped];
    }
    return 0;
}

void *guarded_mremap(void *start, size_t old_size, size_t size, int how, ...)
{
    (void)start, (void)old_size, (void)how; // the one thing that an honest answer has to do without
    return refuse(size), MAP_FAILED;
}

static _Noreturn void exhausted(size_t size)
{
    refuse(size);
    worker_fault(FAULT_EXHAUSTED, NO_ARGUMENT, 0);
}

// What aligned_alloc becomes in the matrix library (see the makefile): room for packing, asked for once and kept.
// It is nobody's leak.
void *library_aligned_alloc(size_t alignment, size_t size);

void *library_aligned_alloc(size_t alignment, size_t size)
{
    void *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED || alignment > PAGE) exhausted(size);
    for_itself += whole_pages(size);
    return room;
}

// ---- A call --------------------------------------------------------------------------------------------

static size_t blocks_before;
static const char *data_before; // the end of the data segment

void guarded_start(void)
{
    static char in[BUFSIZ], out[BUFSIZ];
    setvbuf(stdin, in, _IOFBF, sizeof in);
    setvbuf(stdout, out, _IOLBF, sizeof out); // who crashes has printed the lines before
    fwide(stderr, -1);                        // or perror would open a second one
    tzset();
    strerror(-1); // keeps its last answer to a number it does not know
}

void guarded_begin_call(void)
{
    blocks_before = in_use + mapped;
    data_before = sbrk(0);
    refused = 0;
}

size_t guarded_leaked(void)
{
    size_t now = in_use + mapped + ((const char *)sbrk(0) > data_before);
    return now > blocks_before ? now - blocks_before : 0;
}

size_t guarded_census(size_t *kept)
{
    static const char *start;
    if (!start) start = sbrk(0);
    *kept = packed_kept() + for_itself;
    return in_use + mapped + ((const char *)sbrk(0) > start);
}

size_t guarded_refused(void) { return refused; }

// ---- Arenas --------------------------------------------------------------------------------------------
// A piece is a guarded block with a link to the one before it. Rewinding frees blocks, so their reuse is
// caught as well. The links lie in pages of their own: only what the student asked for is guarded and counted.

typedef struct Piece {
    struct Piece *before;
    void *bytes;
    size_t size, used; // used: by this piece and all before it
} Piece;

struct Arena {
    Piece *last;
    size_t limit, peak, count;
};

static Piece *unused_links;

static Piece *new_link(void)
{
    if (!unused_links) {
        enum { BYTES = 16 * PAGE, LINKS = BYTES / sizeof(Piece) };
        Piece *links = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (links == MAP_FAILED) return NULL;
        for_itself += BYTES;
        for (size_t i = 0; i < LINKS; i++) {
            links[i].before = unused_links;
            unused_links = &links[i];
        }
    }
    Piece *link = unused_links;
    unused_links = link->before;
    return link;
}

Arena *arena_new(void) { return arena_new_limited(SIZE_MAX); }

Arena *arena_new_limited(size_t limit)
{
    Arena *arena = calloc(1, sizeof *arena);
    if (!arena) exhausted(sizeof *arena);
    arena->limit = limit;
    return arena;
}

size_t arena_used(const Arena *arena) { return arena->last ? arena->last->used : 0; }
size_t arena_peak(const Arena *arena) { return arena->peak; }
size_t arena_blocks(const Arena *arena) { return arena->count; }

static void *arena_take(Place place, Arena *arena, size_t count, size_t size, bool zeros)
{
    const char *hint = "use smaller matrices or batches, or rewind the arena after each step";
    size_t bytes = size_product(place, count, size), used = size_sum(place, arena_used(arena), bytes);
    check_at(place, used <= arena->limit, hint, "the arena is full: it may hold %zu bytes", arena->limit);
    Piece *piece = new_link();
    void *memory = piece ? take_block(bytes, ARENA_ALIGNMENT, zeros) : NULL;
    if (!memory) exhausted(bytes);
    *piece = (Piece){arena->last, memory, bytes, used};
    arena->last = piece;
    arena->count++;
    if (used > arena->peak) arena->peak = used;
    return memory;
}

void *arena_alloc_at(Place place, Arena *arena, size_t count, size_t size)
{
    return arena_take(place, arena, count, size, false);
}

void *arena_zeros_at(Place place, Arena *arena, size_t count, size_t size)
{
    return arena_take(place, arena, count, size, true);
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
        give_back(piece->bytes);
        piece->before = unused_links;
        unused_links = piece;
    }
}

void arena_reset(Arena *arena) { arena_rewind(arena, (ArenaMark){NULL, 0}); }

void arena_free(Arena *arena)
{
    if (!arena) return;
    arena_reset(arena);
    free(arena);
}
