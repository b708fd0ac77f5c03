// fuzz_submission.c: all that the grader does with a submission, but for the tools: what they say and write
// comes from the input. Its parts: the source, what a tool said, the preprocessed file, the list of
// dependencies, the name under which the file was handed in, the listing and the object file. The first byte
// says which tool fails, how often and how. What a student reads of it is harmless, and what fails once is
// tried again.
#include "fuzz.h"
#include "tests/grader/submission.h"
#include "tests/grader/tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARTS = 7 };
static FuzzPart parts[PARTS];
static int tool_calls, failing, times;
static ToolEnd way;
static const char *folder;

ToolEnd run_tool(const ToolLimits *limits, const char *const *arguments, char *text, size_t size,
                 ToolUse *use)
{
    (void)limits, (void)arguments;
    if (use) *use = (ToolUse){.seconds = 0.1};
    size_t length = parts[1].size < size - 1 ? parts[1].size : size - 1;
    const char *end = length ? memchr(parts[1].bytes, 0, length) : NULL;
    if (end) length = (size_t)(end - (const char *)parts[1].bytes);
    if (length) memcpy(text, parts[1].bytes, length);
    text[length] = '\0';
    if (tool_calls == 0) {
        fuzz_file("workshop/exercise.i", parts[2].bytes, parts[2].size);
        fuzz_file("workshop/exercise.d", parts[3].bytes, parts[3].size);
        fuzz_file("workshop/exercise.s", parts[5].bytes, parts[5].size);
        fuzz_file("workshop/exercise.o", parts[6].bytes, parts[6].size);
    }
    tool_calls++;
    return tool_calls >= failing && tool_calls < failing + times ? way : TOOL_FINE;
}

// The tools' own limits are not what is tried here.
bool user_can_read(unsigned user, const char *const *files) { return user && files[0]; }
bool jail_files(const char *const *readable, const char *writable) { return readable[0] && writable[0]; }

void fuzz_input(const uint8_t *bytes, size_t size)
{
    static Built built;
    char hash[20], line[40];
    static const ToolEnd ways[] = {TOOL_FAILED, TOOL_KILLED, TOOL_LIMIT, TOOL_MISSING};
    failing = size ? bytes[0] % 7 : 0;
    times = failing && size ? 1 + bytes[0] / 7 % 3 : 0;
    way = ways[size ? bytes[0] / 21 % 4 : 0];
    tool_calls = 0;
    fuzz_parts(bytes + (size > 0), size - (size > 0), parts, PARTS);
    folder = fuzz_path("workshop");
    mkdir(folder, 0700);
    mkdir(fuzz_path("harness"), 0700);
    mkdir(fuzz_path("harness/include"), 0700);
    fuzz_file("workshop/worker", "", 0);
    unlink(fuzz_path("workshop/exercise.i"));
    unlink(fuzz_path("workshop/exercise.s"));
    unlink(fuzz_path("workshop/exercise.o"));
    const Workshop workshop = {.harness = fuzz_path("harness"),
                               .compiler = "cc",
                               .architecture = "native",
                               .chapter = "01-a",
                               .folder = folder};
    // The file's own name comes from whoever hands in.
    char *name = fuzz_string(parts[4]);
    bool fair = name[0] && strlen(name) < 60 && !strchr(name, '/') && strcmp(name, ".") && strcmp(name, "..");
    char given[80];
    snprintf(given, sizeof given, "handed-%s", fair ? name : "in.c");
    const char *path = fuzz_file(given, parts[0].bytes, parts[0].size);
    build_worker(&workshop, path, &built);
    fuzz_require(built.status < STATUS_COUNT, "a status that is none");
    fuzz_require(built.status == PASSED || built.message[0], "refused without a reason");
    fuzz_require(memchr(built.message, 0, sizeof built.message), "the message does not end");
    fuzz_require(fuzz_harmless(built.message, strlen(built.message)), "the message is not harmless: %s",
                 built.message);
    bool tried_again = times == 1 && (way == TOOL_FAILED || way == TOOL_KILLED);
    fuzz_require(!tried_again || built.status == PASSED || tool_calls != failing,
                 "what failed once was not tried again");
    fuzz_require(fuzz_harmless(built.functions, strlen(built.functions)),
                 "the functions' names are not harmless");
    fuzz_require(fuzz_harmless(built.flags, strlen(built.flags)), "the flags are not harmless");
    fuzz_require(fuzz_harmless(built.taken, strlen(built.taken)), "the file's name is not made harmless");
    hash_submission(&workshop, path, hash, sizeof hash);
    fuzz_require(strcmp(hash, built.hash) == 0, "two hashes of one file");
    line_of(&workshop, 1, line, sizeof line);
    unlink(path);
    free(name);
}
