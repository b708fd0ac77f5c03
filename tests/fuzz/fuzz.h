// fuzz.h: what the harnesses share. A harness, fuzz_NAME.c, defines fuzz_input, which hands bytes to one reader:
//
//     static void read(void *context) { … csv_read(arena, context) … }
//     void fuzz_input(const uint8_t *bytes, size_t size)
//     {
//         if (fuzz_try(read, (void *)fuzz_file("table.csv", bytes, size))) …
//     }
//
// The same object is linked with libFuzzer (make fuzz) and with replay.c, which only reads files (make test-fuzz).
//
// A reader refuses a file by exit(1), mostly through die_at. The programs are linked with --wrap=exit, and inside
// fuzz_try that jumps back here: the reader's code is the one that the course runs. In the tree of MODE=fuzz what a
// refused reader had taken (memory, streams, maps, descriptors) is given back, so inputs do not add up.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Each harness defines it. Called for one input after the other, in one process.
void fuzz_input(const uint8_t *bytes, size_t size);

// Runs action(context). true: it came back, or ended the program with status 0; false: it refused its input with status
// 1. A refusal must say why, in UTF-8 and without control characters that could harm a terminal. Any other end is
// a finding. What action needs afterwards belongs into context, not into local variables.
bool fuzz_try(void (*action)(void *), void *context);

// To be set by harnesses of programs that leave their memory to the system: it is given back after each run.
extern bool fuzz_leaves_memory;

// The most bytes that an input may ask for at once, in the tree of MODE=fuzz. Harnesses of readers whose inputs are small set
// it lower than 256 MiB: libFuzzer changes a number a few digits at a time.
extern size_t fuzz_most_at_once;

// From inside of fuzz_try: ends it as exit(status) does.
_Noreturn void fuzz_leave(int status);

// Reports a finding and aborts.
_Noreturn __attribute__((format(printf, 1, 2))) void fuzz_fail(const char *format, ...);
#define fuzz_require(condition, ...)                                                                         \
    do {                                                                                                     \
        if (!(condition)) fuzz_fail(__VA_ARGS__);                                                            \
    } while (0)

// A path in a scratch folder of this process, in memory where the system has such a folder. The last 16 stay valid.
const char *fuzz_path(const char *name);
// Writes a scratch file and returns its path.
const char *fuzz_file(const char *name, const void *bytes, size_t size);

typedef struct {
    const uint8_t *bytes;
    size_t size;
} FuzzPart;

// An input that stands for several files holds this line between them.
#define FUZZ_CUT "\n#### NEXT ####\n"

// The parts of an input; parts that are not there are empty, the last one takes all the rest.
void fuzz_parts(const uint8_t *bytes, size_t size, FuzzPart *parts, int count);

// A copy of a part with a zero byte behind it, and cut at its first zero byte if it has one; free it.
char *fuzz_string(FuzzPart part);

// The part as gzip or as zlib would pack it; free it.
FuzzPart fuzz_packed(FuzzPart part, bool gzip);

// Whether bytes are UTF-8 without control characters other than newline and tab.
bool fuzz_harmless(const char *bytes, size_t size);

// For the replay: the input that is tried now, for messages.
extern const char *fuzz_current;
