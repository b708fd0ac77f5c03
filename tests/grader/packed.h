// packed.h: memory for a worker whose student asks for many small blocks: slots of equal size in slabs.
//
// A slot is a block and at least 16 bytes after it that must not change; what was freed and what nobody had
// yet must not change either. They are looked at when the block is freed, when its slot is used again, and
// at the end of each call, so an overrun is told later than with guard pages (guarded.h), but told. Freed slots
// wait in line before they are used again.
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { PACKED_LARGEST = (32 << 10) - 16, PACKED_ALIGNMENT = 64 }; // more than this is not for slabs

// size bytes, all 0xFF, aligned to 16, or to 64 when more is asked. NULL: the system has no more memory.
void *packed_take(size_t size, size_t alignment);
bool packed_holds(const void *piece); // does it point into a slab?

// Of a block in use; anything else, and bytes that were changed around it, end the worker with a report.
size_t packed_size(const void *piece);
void packed_free(void *piece);
bool packed_resize(void *piece, size_t size); // false: its slot is not of that size

// Ends the worker when a byte was changed that belongs to no block in use.
void packed_check(void);

bool bytes_untouched(const unsigned char *from, const unsigned char *to); // all 0xFF

size_t packed_kept(void); // bytes that are mapped for slabs, used or not
