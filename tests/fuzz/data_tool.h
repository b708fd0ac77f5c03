// data_tool.h: for harnesses of the programs in datasets/tools. They include the program's file, with its main renamed:
//
//     #define main tool_main
//     #include "datasets/tools/sword.c"
//     #undef main
//     #include "data_tool.h"
#pragma once
#include "fuzz.h"

typedef struct {
    int count;
    char **words;
} ToolCommand;

static void tool_run(void *context)
{
    const ToolCommand *command = context;
    memory_used = unpacked_bytes = 0; // what a program starts with
    if (tool_main(command->count, command->words) != 0) fuzz_leave(1);
}

// Runs it with these words, the last of them NULL. false: it refused.
static bool tool_try(char **words)
{
    ToolCommand command = {0, words};
    while (words[command.count]) command.count++;
    fuzz_leaves_memory = true;
    return fuzz_try(tool_run, &command);
}
