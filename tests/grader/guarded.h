// guarded.h: all memory of a worker: what malloc and its kin give, what arenas give, and the arguments.
//
// The worker defines malloc and its kin for the whole program, so that what the C library allocates for a
// student (strdup, asprintf, getline, tsearch, …) is guarded and counted like the rest. Each piece lies between
// two pages that may not be touched, its end against the upper one, so that reading or writing one element
// too far stops the worker; where alignment leaves a few bytes, and before the start, there are bytes that must
// not change. Fresh memory is full of 0xFF: a float read before it was written is NaN, an index −1. Freed memory
// may not be touched either.
//
// After some thousand pieces the small ones are packed (packed.h), and an array that realloc makes larger again and
// again gets room to grow in its place: a tree with a malloc for each node, or a list of a million numbers,
// is an honest answer.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// To be called once, before the first call: what the C library would take for itself later, it takes now.
void guarded_start(void);

// A piece for argument number `argument` of a call, its end exactly at the guard page.
void *guarded_argument(size_t size, int argument);

// Around a call: what it took and did not give back, in blocks, mappings and growth of the data segment.
void guarded_begin_call(void);
size_t guarded_leaked(void);

// All that is in use now, in the same measure, whatever took it; and how many bytes the bookkeeping has mapped.
size_t guarded_census(size_t *kept);

// Stops the worker when a byte before or after any piece was changed; then gives the arguments back.
void guarded_check(void);
void guarded_release_arguments(void);

// What lies at an address that could not be touched: a Fault of wire.h, and the argument it belongs to.
int guarded_explain(const void *address, int *argument);

// The bytes that were asked for during this call and could not be had; 0: there was enough.
size_t guarded_refused(void);

// Ends the worker with a report; defined in worker.c.
_Noreturn void worker_fault(int fault, int argument, uint64_t address);
