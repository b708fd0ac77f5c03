// fuzz_wire.c: what a worker says to the grader, on the grader's side. The worker is not there: the first part is what it
// prints, the second what comes through its pipe after the first census, and the first byte of that says how it ended. After the calls, what was
// only to be read is as it was, and whatever a teacher is shown is harmless.
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

static int exit_status;
static pid_t no_process(int *status) { return *status = exit_status, 4194303; }

#define kill(process, number)             ((void)(number))
#define usleep(time)                      ((void)(time))
#define waitpid(process, status, options) no_process(status)
#include "tests/grader/caller.c"

const TaskLimit task_limits[] = {{"1.1", "f", 1.0}, {"1.2", "g", 1.0}};
const int task_limit_count = 2;

static FuzzPart parts[2];
static char message[1024];

static int memory_file(const char *name, FuzzPart part)
{
    int file = open(fuzz_file(name, part.bytes, part.size), O_RDONLY | O_CLOEXEC);
    fuzz_require(file >= 0, "a scratch file cannot be read");
    return file;
}

// What the worker says before its first call, and then the input.
static FuzzPart with_census(FuzzPart part)
{
    static uint8_t bytes[1 << 20];
    const ReplyHeader census = {.kind = REPLY_RETURNED};
    size_t size = part.size < sizeof bytes - sizeof census ? part.size : sizeof bytes - sizeof census;
    memcpy(bytes, &census, sizeof census);
    if (size) memcpy(bytes + sizeof census, part.bytes, size);
    return (FuzzPart){bytes, sizeof census + size};
}

bool jail_start(const Jail *jail, Prisoner *prisoner, char *why, size_t why_size)
{
    (void)jail, (void)why, (void)why_size;
    *prisoner = (Prisoner){.process = 4194303, // beyond what Linux gives
                           .request = open("/dev/null", O_WRONLY | O_CLOEXEC),
                           .reply = memory_file("reply", with_census(parts[1])),
                           .output = memory_file("output", parts[0])};
    return true;
}

void _ck_assert_failed(const char *file, int line, const char *expression, const char *format, ...)
{
    (void)file, (void)line, (void)expression;
    va_list values;
    va_start(values, format);
    vsnprintf(message, sizeof message, format, values);
    va_end(values);
    fprintf(stderr, "%s\n", message);
    fuzz_leave(1);
}

static void calls(void *context)
{
    float *data = context;
    Matrix in = {2, 3, data}, out = {3, 1, data + 6}, none = {0, 4, data};
    Argument first[] = {{.kind = ARGUMENT_IN, .name = "x", .matrix = in},
                        {.kind = ARGUMENT_OUT, .name = "gradient", .matrix = out},
                        {.kind = ARGUMENT_NUMBER, .name = "rate", .number = 0.5},
                        {.kind = ARGUMENT_STRING, .name = "word", .text = "ab"},
                        {.kind = ARGUMENT_OUT, .name = "none", .matrix = none}};
    for (int i = 0; i < 4; i++) {
        double value = call_worker(0, "f", first, 5);
        if (i == 2) whole_number(value);
        call_worker(1, "g", NULL, 0);
    }
    end_worker();
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    static Outcome made;
    float data[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    fuzz_parts(bytes, size, parts, 2);
    if (parts[1].size) {
        uint8_t end = parts[1].bytes[0];
        exit_status = end & 1 ? 1 + (end >> 1) % 31 : (end >> 1) << 8; // killed by a signal, or exit status
        parts[1] = (FuzzPart){parts[1].bytes + 1, parts[1].size - 1};
    }
    memset(&made, 0, sizeof made);
    outcome = &made;
    running = false;
    waited = 0.0;
    fuzz_try(calls, data);
    for (int i = 0; i < 6; i++)
        fuzz_require(data[i] == (float)(i + 1), "a matrix that is only read has changed");
    fuzz_require(made.status != PASSED && made.status < STATUS_COUNT, "the worker chose a status");
    fuzz_require(memchr(made.output, 0, sizeof made.output), "what it printed does not end");
    fuzz_require(fuzz_harmless(made.output, strlen(made.output)), "what it printed is not made harmless");
}
