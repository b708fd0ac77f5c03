// tool.h: runs a tool of the system on a stranger's file, within limits, and tells what it took.
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *folder;          // where it runs, and the only place it may write to
    const char *const *readable; // what it may read besides; NULL: no such limit
    unsigned user;               // as whom it runs when this is root; 0: as root
    double seconds;              // of processor time, for it and all that it starts
    double idle;                 // seconds that it may spend waiting for something other than a processor
} ToolLimits;

// TOOL_FAILED: it ended itself with a status other than 0. TOOL_LIMIT: it used up its time. TOOL_KILLED:
// somebody ended it that had not used its time. TOOL_MISSING: it could not be started at all.
typedef enum { TOOL_FINE, TOOL_FAILED, TOOL_LIMIT, TOOL_KILLED, TOOL_MISSING } ToolEnd;

typedef struct {
    double seconds; // of processor time, and of idle waiting
    long largest;   // KiB of memory of the largest process
} ToolUse;

enum {
    TOOL_MEMORY = 1 << 30,
    TOOL_FILE = 16 << 20
}; // bytes that a tool may have, and that a file of it may have

// Runs arguments[0] with its arguments, and standard output and error as text (cut at size); use may be NULL.
ToolEnd run_tool(const ToolLimits *limits, const char *const *arguments, char *text, size_t size,
                 ToolUse *use);

// As root: whether this user can read all these files (the list ends with NULL).
bool user_can_read(unsigned user, const char *const *files);
