// guarded.h: memory for a worker, each piece between two pages that may not be touched.
//
// The end of a piece lies against the upper guard page, so that reading or writing one element too far stops
// the worker; where alignment leaves a few bytes, and before the start, there are bytes that must not change.
// Fresh memory is full of 0xFF: a float read before it was written is NaN, an index −1. Freed memory may not
// be touched either.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What malloc and its kin become in the student's object.
void *guarded_malloc(size_t size);
void *guarded_calloc(size_t count, size_t size);
void *guarded_realloc(void *old, size_t size);
void *guarded_aligned_alloc(size_t alignment, size_t size);
void *guarded_memalign(size_t alignment, size_t size);
int guarded_posix_memalign(void **out, size_t alignment, size_t size);
char *guarded_strdup(const char *text);
void guarded_free(void *piece);

// A piece for argument number `argument` of a call, its end exactly at the guard page; and how many blocks
// are in use.
void *guarded_argument(size_t size, int argument);
size_t guarded_blocks(void);

// Stops the worker when a byte before or after any piece was changed; then gives the arguments back.
void guarded_check(void);
void guarded_release_arguments(void);

// What lies at an address that could not be touched: a Fault of wire.h, and the argument it belongs to.
int guarded_explain(const void *address, int *argument);

// Ends the worker with a report; defined in worker.c.
_Noreturn void worker_fault(int fault, int argument, uint64_t address);
