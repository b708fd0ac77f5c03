// worker.h: what the generated adapters of a chapter tell the worker that they are linked into.
#pragma once
#include "wire.h"

// Calls the student's function with these arguments and returns what it returned (0 for void).
typedef double Call(const Argument *arguments);

typedef struct {
    const char *name;
    int count; // of arguments
    ArgumentKind kinds[WIRE_ARGUMENTS];
    Call *call;
} Adapter;

extern const Adapter adapters[];
extern const uint32_t adapter_count;

// Tells the grader that the function asked for does not exist.
_Noreturn void worker_missing(void);
