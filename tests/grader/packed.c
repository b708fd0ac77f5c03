// packed.c: see packed.h. What is known about a slab lies outside of it.
//
//     slab   |margin| block 0 |watched| block 1 |watched| … | slots that nobody had yet … |
//            all bytes that belong to no block in use are 0xFF
#include "packed.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "guarded.h"
#include "wire.h"

enum { SLAB_BITS = 18, SLAB = 1 << SLAB_BITS, MARGIN = 64, WATCHED = 16, FILLED = 1 << 14 };
enum { CHUNK = 8, SLABS = 1024, PLACES = 4096 }; // a quarter of a gigabyte is all that a worker may have
enum { SMALLEST = 2 * WATCHED, MOST_SLOTS = SLAB / SMALLEST, LINEAR = 1024, CLASSES = 112, NONE = 0xFFFF };

typedef struct Slab {
    unsigned char *start;
    uint16_t *sizes,
        *following; // of each slot: the bytes asked for + 1, 0 when free; and who is free after it
    size_t stride, slots, fresh, live; // fresh: slots from here on were never used
    size_t first_free, last_free;
    unsigned char *filled;       // from here on are zeros, as the system gave them
    struct Slab *before, *after; // in the list of its class, while it has room
    bool listed;
} Slab;

typedef struct {
    Slab *first, *last;
} List;

static Slab slabs[SLABS];
static uint16_t places[PLACES];         // slab + 1 by its address
static size_t slab_count, mapped_count; // slabs in use, and with those that wait in their chunk
static List with_room[CLASSES], empty;  // empty: of no class

// ---- Slabs ---------------------------------------------------------------------------------------------

// The bytes from one block to the next. Up to a kilobyte there is a size for each multiple of the alignment,
// above eight for each power of two.
static size_t stride_of(size_t size, size_t alignment)
{
    size_t step = alignment <= WATCHED ? WATCHED : PACKED_ALIGNMENT;
    size_t stride = (size + WATCHED + step - 1) / step * step;
    if (stride < SMALLEST) stride = SMALLEST;
    if (stride > LINEAR) {
        step = (size_t)1 << (60 - __builtin_clzll(stride - 1)); // an eighth of the power of two below
        stride = (stride + step - 1) / step * step;
    }
    return stride;
}

static size_t class_of(size_t stride)
{
    if (stride <= LINEAR) return stride / WATCHED;
    int power = 63 - __builtin_clzll(stride - 1);
    return LINEAR / WATCHED + 8 * (size_t)(power - 10) + (stride >> (power - 3)) - 8;
}

static void unlist(List *list, Slab *slab)
{
    *(slab->before ? &slab->before->after : &list->first) = slab->after;
    *(slab->after ? &slab->after->before : &list->last) = slab->before;
    slab->listed = false;
}

static void enlist(List *list, Slab *slab)
{
    slab->before = list->last;
    slab->after = NULL;
    *(list->last ? &list->last->after : &list->first) = slab;
    list->last = slab;
    slab->listed = true;
}

static uint16_t *place_of(uintptr_t number)
{
    size_t at = number * 2654435761u % PLACES;
    while (places[at] && (uintptr_t)slabs[places[at] - 1].start >> SLAB_BITS != number)
        at = (at + 1) % PLACES;
    return &places[at];
}

static Slab *slab_at(const void *piece)
{
    uint16_t i = *place_of((uintptr_t)piece >> SLAB_BITS);
    return i ? &slabs[i - 1] : NULL;
}

// Fresh memory for some slabs, at a multiple of their size, and for what is known of them.
static bool map_slabs(void)
{
    const int rights = PROT_READ | PROT_WRITE, kind = MAP_PRIVATE | MAP_ANONYMOUS;
    const size_t size = CHUNK * SLAB, of_book = 2 * MOST_SLOTS;
    unsigned char *memory = mmap(NULL, 2 * size, rights, kind, -1, 0);
    if (memory == MAP_FAILED) return false;
    size_t skipped = (size - (uintptr_t)memory % size) % size;
    if (skipped > 0) munmap(memory, skipped);
    memory += skipped;
    munmap(memory + size, size - skipped);
    uint16_t *book = mmap(NULL, CHUNK * of_book * sizeof *book, rights, kind, -1, 0);
    if (book == MAP_FAILED) {
        munmap(memory, size);
        return false;
    }
    madvise(memory, size, MADV_HUGEPAGE); // one page instead of 512, where the system has them
    for (size_t i = 0; i < CHUNK; i++, memory += SLAB, book += of_book)
        slabs[mapped_count++] =
            (Slab){.start = memory, .filled = memory, .sizes = book, .following = book + MOST_SLOTS};
    return true;
}

// Fills a slab up to some bytes with 0xFF, a few pages ahead.
static void fill_slab(Slab *slab, const unsigned char *to)
{
    while (slab->filled < to) {
        memset(slab->filled, 0xFF, FILLED);
        slab->filled += FILLED;
    }
}

static Slab *new_slab(size_t stride)
{
    Slab *slab = empty.first;
    if (slab) {
        unlist(&empty, slab);
    } else {
        if (slab_count == mapped_count && (slab_count == SLABS || !map_slabs())) return NULL;
        slab = &slabs[slab_count++];
        *place_of((uintptr_t)slab->start >> SLAB_BITS) = (uint16_t)slab_count;
    }
    slab->stride = stride;
    slab->slots = (SLAB - MARGIN) / stride;
    slab->fresh = slab->live = 0;
    slab->first_free = slab->last_free = NONE;
    enlist(&with_room[class_of(stride)], slab);
    return slab;
}

// ---- What must not change ------------------------------------------------------------------------------

bool bytes_untouched(const unsigned char *from, const unsigned char *to)
{
    for (uint64_t word; to - from >= (ptrdiff_t)sizeof word; from += sizeof word) {
        memcpy(&word, from, sizeof word);
        if (word != UINT64_MAX) return false;
    }
    while (from < to)
        if (*from++ != 0xFF) return false;
    return true;
}

static unsigned char *slot_start(const Slab *slab, size_t slot)
{
    return slab->start + MARGIN + slot * slab->stride;
}

// Says who changed the bytes between a block and the next: who went past the end of the one changed the first of them.
static _Noreturn void blame(const Slab *slab, size_t slot)
{
    const unsigned char *end = slot_start(slab, slot) + slab->sizes[slot] - 1;
    worker_fault(bytes_untouched(end, end + 1) ? FAULT_BEFORE_BLOCK : FAULT_PAST_BLOCK, -1, 0);
}

// The bytes after the block in a slot, or all of a free one.
static void check_slot(const Slab *slab, size_t slot)
{
    const unsigned char *start = slot_start(slab, slot);
    size_t size = slab->sizes[slot] ? slab->sizes[slot] - 1u : 0;
    if (bytes_untouched(start + size, start + slab->stride)) return;
    if (slab->sizes[slot]) blame(slab, slot);
    worker_fault(slot < slab->fresh ? FAULT_FREED : FAULT_PAST_BLOCK, -1, 0);
}

static void check_before(const Slab *slab, size_t slot)
{
    const unsigned char *start = slot_start(slab, slot);
    if (bytes_untouched(start - WATCHED, start)) return;
    if (slot > 0 && slab->sizes[slot - 1]) blame(slab, slot - 1);
    worker_fault(FAULT_BEFORE_BLOCK, -1, 0);
}

static void check_slab(const Slab *slab)
{
    if (!bytes_untouched(slab->start, slab->start + MARGIN)) worker_fault(FAULT_BEFORE_BLOCK, -1, 0);
    for (size_t slot = 0; slot < slab->fresh; slot++) check_slot(slab, slot);
    if (!bytes_untouched(slot_start(slab, slab->fresh), slab->filled)) worker_fault(FAULT_PAST_BLOCK, -1, 0);
}

// A slab without blocks may serve another class, once it is known that nobody wrote into it.
static void retire(Slab *slab)
{
    check_slab(slab);
    unlist(&with_room[class_of(slab->stride)], slab);
    enlist(&empty, slab);
    slab->fresh = 0;
}

void packed_check(void)
{
    for (size_t i = 0; i < slab_count; i++) {
        if (slabs[i].live > 0)
            check_slab(&slabs[i]);
        else if (slabs[i].fresh > 0)
            retire(&slabs[i]);
    }
}

// ---- Blocks --------------------------------------------------------------------------------------------

void *packed_take(size_t size, size_t alignment)
{
    size_t stride = stride_of(size, alignment);
    List *list = &with_room[class_of(stride)];
    Slab *slab = list->first ? list->first : new_slab(stride);
    if (!slab) return NULL;
    bool used = slab->fresh == slab->slots;
    size_t slot = used ? slab->first_free : slab->fresh;
    fill_slab(slab, slot_start(slab, slot + 1));
    check_slot(slab, slot);
    if (used) {
        slab->first_free = slab->following[slot];
        if (slab->first_free == NONE) slab->last_free = NONE;
    } else {
        slab->fresh++;
    }
    slab->sizes[slot] = (uint16_t)(size + 1);
    slab->live++;
    if (slab->fresh == slab->slots && slab->first_free == NONE) unlist(list, slab);
    return slot_start(slab, slot);
}

bool packed_holds(const void *piece) { return slab_at(piece) != NULL; }

// The slot of a block in use, after a look at the bytes around it.
static size_t slot_of(const Slab *slab, const void *piece)
{
    ptrdiff_t offset = (const unsigned char *)piece - slab->start - MARGIN;
    size_t slot = (size_t)offset / slab->stride;
    if (offset < 0 || (size_t)offset % slab->stride != 0 || slot >= slab->fresh)
        worker_fault(FAULT_BAD_FREE, -1, 0);
    if (!slab->sizes[slot]) worker_fault(FAULT_FREED, -1, 0);
    check_before(slab, slot);
    check_slot(slab, slot);
    return slot;
}

size_t packed_size(const void *piece)
{
    const Slab *slab = slab_at(piece);
    return slab->sizes[slot_of(slab, piece)] - 1u;
}

void packed_free(void *piece)
{
    Slab *slab = slab_at(piece);
    size_t slot = slot_of(slab, piece);
    memset(piece, 0xFF, slab->sizes[slot] - 1u);
    slab->sizes[slot] = 0;
    slab->following[slot] = NONE;
    if (slab->last_free == NONE)
        slab->first_free = slot;
    else
        slab->following[slab->last_free] = (uint16_t)slot;
    slab->last_free = slot;
    slab->live--;
    List *list = &with_room[class_of(slab->stride)];
    if (!slab->listed) enlist(list, slab);
    if (slab->live == 0 && list->first != list->last) retire(slab);
}

bool packed_resize(void *piece, size_t size)
{
    Slab *slab = slab_at(piece);
    size_t slot = slot_of(slab, piece), old = slab->sizes[slot] - 1u;
    if (size > PACKED_LARGEST || stride_of(size, WATCHED) != slab->stride) return false;
    if (size < old) memset((unsigned char *)piece + size, 0xFF, old - size);
    slab->sizes[slot] = (uint16_t)(size + 1);
    return true;
}

size_t packed_kept(void)
{
    return mapped_count / CHUNK * (CHUNK * SLAB + CHUNK * 2 * MOST_SLOTS * sizeof(uint16_t));
}
