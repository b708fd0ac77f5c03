// wire.h: what travels between the grader and a worker, the process that holds a student's code.
//
//     grader (trusted)                                           worker (jailed)
//     Check test ── regression_loss(x, w, y) ── stub ── pipe 3 ──▶ adapter ── the student's regression_loss
//                ◀──────────────────────────────────── pipe 4 ──┘
//
// A request is a RequestHeader and the arguments one after the other: a matrix as rows, cols (int32) and its
// numbers, a number as a double, a string as its length (uint32) and its bytes. A reply is a ReplyHeader and,
// when the call came back, the numbers of every matrix argument, in order. The worker is not believed: the
// grader knows how long a reply must be, compares what was only to be read with what it sent, and takes
// nothing else from it than answers and excuses.
#pragma once
#include "matrix/matrix.h"

enum {
    WIRE_REQUEST = 3,
    WIRE_REPLY = 4,
    WIRE_PROGRAM = 5,
    WIRE_TROUBLE = 6
};                                                  // file descriptors of the worker
enum { WIRE_ARGUMENTS = 12, WIRE_BYTES = 1 << 26 }; // the most of each
enum { WIRE_READY = 0x6A61696C };                   // the worker's first word; see entry.c
enum { WIRE_CENSUS = 0x7FFFFFFF };                  // instead of a function: what does the worker hold now?

typedef enum { ARGUMENT_IN, ARGUMENT_OUT, ARGUMENT_NUMBER, ARGUMENT_STRING } ArgumentKind;

typedef struct {
    ArgumentKind kind;
    const char *name;
    Matrix matrix;
    double number; // an int and a float are a double exactly
    const char *text;
} Argument;

typedef struct {
    uint32_t bytes, function; // bytes after the header
} RequestHeader;

typedef enum {
    REPLY_RETURNED = 1, // the call came back; the matrices follow
    REPLY_NOT_WRITTEN,  // NOT_WRITTEN was reached
    REPLY_MISSING,      // the student's file has no such function
    REPLY_FAULT,        // a signal or a broken guard; see Fault
} ReplyKind;

typedef enum {
    FAULT_UNKNOWN,
    FAULT_UNDEFINED,       // a trap of the undefined-behaviour sanitizer
    FAULT_NULL,            // an address near 0
    FAULT_STACK,           // recursion without end, or arrays too large
    FAULT_PAST_ARGUMENT,   // right after the end of the argument `detail`
    FAULT_BEFORE_ARGUMENT, // right before its start
    FAULT_PAST_BLOCK,      // after the end of memory from malloc or an arena
    FAULT_BEFORE_BLOCK,
    FAULT_FREED,     // memory that was freed
    FAULT_BAD_FREE,  // free of what malloc did not give, or twice
    FAULT_SMASHED,   // a local array was overrun
    FAULT_EXHAUSTED, // there was no more memory; the reply's value is how many bytes were asked for
    FAULT_COUNT
} Fault;

typedef struct {
    uint32_t kind;          // ReplyKind
    uint32_t fault, detail; // for REPLY_FAULT: which, and which argument
    uint32_t leaked;        // blocks that the call took and did not give back; for a census: that are in use
    uint64_t address;       // of the instruction that failed, for its line
    double value; // what the function returned; for a census: bytes that the worker keeps for itself
} ReplyHeader;
