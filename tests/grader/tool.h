// tool.h: runs a tool of the system on a stranger's file, within limits.
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *folder;          // where it runs, and the only place it may write to
    const char *const *readable; // what it may read besides; NULL: no such limit
    double seconds;              // at most
} ToolLimits;

typedef enum { TOOL_FINE, TOOL_FAILED, TOOL_LIMIT, TOOL_MISSING } ToolEnd;

// Runs arguments[0] with its arguments, and standard output and error as text (cut at size). TOOL_MISSING: it
// could not be started at all.
ToolEnd run_tool(const ToolLimits *limits, const char *const *arguments, char *text, size_t size);
