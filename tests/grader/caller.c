// caller.c: see caller.h. Everything that comes from a worker is measured before it is used.
#include "tests/grader/caller.h"

#include "tests/grader/harmless.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const double ASLEEP =
    2.0; // seconds, of one test, in which a worker neither works nor waits for a processor

Outcome *outcome;
Jail worker_jail;

typedef struct {
    uint32_t blocks;
    long long bytes;
} Holding;

static Prisoner worker;
static bool running;
static int queue = -1;   // the kernel's account of how long the worker has waited for a processor
static int facts = -1;   // and of its memory
static Holding at_start; // what it held before its first call
static double waited;    // seconds in which this test has waited for the worker

const char *status_name(Status status)
{
    static const char *const names[STATUS_COUNT] = {
        "not run",    "passed",           "failed",       "not written yet",     "crashed",
        "time limit", "forbidden",        "memory error", "undefined behaviour", "input changed",
        "bad answer", "function missing", "skipped",      "compile error",       "rejected",
        "no file",    "grader error"};
    return status < STATUS_COUNT ? names[status] : "grader error";
}

// ---- Failing -------------------------------------------------------------------------------------------

// The end of what the worker printed, made harmless.
static void keep_output(void)
{
    char text[sizeof outcome->output] = "";
    off_t end = lseek(worker.output, 0, SEEK_END);
    off_t from = end > (off_t)sizeof text - 1 ? end - (off_t)sizeof text + 1 : 0;
    ssize_t length = pread(worker.output, text, sizeof text - 1, from);
    if (length < 0) length = 0;
    for (ssize_t i = 0; i < length; i++)
        if (!text[i]) text[i] = '?';
    text[length] = '\0';
    make_harmless(text); // the first character may have been cut
    memcpy(outcome->output, text, sizeof text);
}

__attribute__((format(printf, 2, 3))) static _Noreturn void give_up(Status status, const char *format, ...)
{
    char text[512];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    if (running) {
        kill(worker.process, SIGKILL);
        keep_output();
    }
    outcome->status = status;
    ck_abort_msg("%s", text);
    abort(); // ck_abort_msg does not come back
}

static void judge_signal(const char *function, int number)
{
    switch (number) {
    case SIGSYS:
        give_up(FORBIDDEN,
                "%s asked the system for something that an exercise may not (a file, a process, a signal, …)",
                function);
    case SIGXCPU:
        give_up(TIME_LIMIT, "%s used more processor time than it may", function);
    case SIGXFSZ:
        give_up(CRASHED, "%s printed more than a megabyte", function);
    default:
        give_up(CRASHED, "%s was stopped by a signal: %s", function, strsignal(number));
    }
}

// The worker's end of the reply pipe is closed: how did it end?
static _Noreturn void judge_end(const char *function)
{
    int status = 0;
    for (int i = 0; i < 100; i++) { // it may have closed the pipe and live on
        pid_t ended = waitpid(worker.process, &status, WNOHANG);
        if (ended == worker.process) {
            if (WIFSIGNALED(status)) judge_signal(function, WTERMSIG(status));
            give_up(CRASHED, "%s ended the program (exit status %d) instead of returning", function,
                    WEXITSTATUS(status));
        }
        usleep(5000);
    }
    give_up(CRASHED, "%s closed the line to the grader", function);
}

// ---- Bytes, with deadlines -----------------------------------------------------------------------------

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double processor_seconds(void)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(worker.process, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0.0;
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

// Opens /proc/N/status of the worker, and schedstat: "seconds on a processor, seconds in its queue (both ·10⁻⁹), turns".
static void open_accounts(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)worker.process);
    queue = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%d/status", (int)worker.process);
    facts = open(path, O_RDONLY | O_CLOEXEC);
}

// −1: this kernel does not tell.
static double queue_seconds(void)
{
    char line[128];
    long long ran, queued;
    ssize_t length = queue < 0 ? -1 : pread(queue, line, sizeof line - 1, 0);
    if (length <= 0) return -1.0;
    line[length] = '\0';
    return sscanf(line, "%lld %lld", &ran, &queued) == 2 ? 1e-9 * (double)queued : -1.0;
}

// Ends the test when its time is over. Processor time is what counts, and time in which there was neither work nor a queue
// for a processor: so that a busy machine, or many jobs, change no grade.
static void check_time(const char *function)
{
    const double limit = worker_jail.seconds, used = processor_seconds();
    double asleep = waited - used;
    if (asleep > ASLEEP) {
        double queued = queue_seconds();
        asleep = queued >= 0.0 ? asleep - queued : asleep - 3.0 - 5.0 * limit;
    }
    outcome->spent = used + (asleep > 0.0 ? asleep : 0.0);
    if (used > limit)
        give_up(TIME_LIMIT, "%s did not return within %.3g s of processor time", function, limit);
    if (asleep > ASLEEP) give_up(TIME_LIMIT, "%s fell asleep", function);
}

// Waits until the pipe is ready. The time is looked at in every turn: a worker that says a byte now and then is asleep in
// between.
static void wait_for(int descriptor, short events, const char *function)
{
    for (int ready = 0; ready <= 0;) {
        double before = now();
        struct pollfd one = {.fd = descriptor, .events = events};
        ready = poll(&one, 1, 20);
        waited += now() - before;
        check_time(function);
    }
}

static void send_bytes(const char *function, const void *bytes, size_t size)
{
    for (const char *next = bytes; size > 0;) {
        wait_for(worker.request, POLLOUT, function);
        ssize_t sent = write(worker.request, next, size);
        if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (sent <= 0) judge_end(function);
        next += sent;
        size -= (size_t)sent;
    }
}

static void receive_bytes(const char *function, void *bytes, size_t size)
{
    for (char *next = bytes; size > 0;) {
        wait_for(worker.reply, POLLIN, function);
        ssize_t got = read(worker.reply, next, size);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got <= 0) judge_end(function);
        next += got;
        size -= (size_t)got;
    }
}

// ---- What the worker holds ---------------------------------------------------------------------------------

// Bytes of memory that it may write to, as the kernel counts them; −1: the kernel does not tell.
static long long writable_bytes(void)
{
    char text[4096];
    ssize_t length = facts < 0 ? -1 : pread(facts, text, sizeof text - 1, 0);
    if (length <= 0) return -1;
    text[length] = '\0';
    const char *line = strstr(text, "\nVmData:");
    long long kilobytes;
    return line && sscanf(line, "\nVmData: %lld", &kilobytes) == 1 ? kilobytes * 1024 : -1;
}

// Asks the worker, and the kernel, when the worker waits for its next request.
static Holding census(const char *whom)
{
    RequestHeader header = {0, WIRE_CENSUS};
    ReplyHeader reply;
    send_bytes(whom, &header, sizeof header);
    receive_bytes(whom, &reply, sizeof reply);
    if (reply.kind != REPLY_RETURNED || !(reply.value >= 0.0 && reply.value < 1e15))
        give_up(BAD_ANSWER, "%s broke the line to the grader", whom);
    long long bytes = writable_bytes();
    return (Holding){reply.leaked, bytes < 0 ? -1 : bytes - (long long)reply.value};
}

// A call that wrote its own answer can say that it leaked nothing; but then more is in use at the end than at the start.
void end_worker(void)
{
    if (!running) return;
    Holding last = census("the program, after its last call,");
    if (last.blocks > at_start.blocks && last.blocks - at_start.blocks > outcome->leaked)
        outcome->leaked = last.blocks - at_start.blocks;
    if (at_start.bytes >= 0 && last.bytes > at_start.bytes && outcome->leaked == 0) outcome->leaked = 1;
}

// ---- A call --------------------------------------------------------------------------------------------

static void start_worker(int index)
{
    char why[256];
    worker_jail.seconds = task_limits[index].seconds;
    if (!jail_start(&worker_jail, &worker, why, sizeof why)) give_up(GRADER_ERROR, "no worker: %s", why);
    running = true;
    fcntl(worker.request, F_SETFL, O_NONBLOCK);
    fcntl(worker.reply, F_SETFL, O_NONBLOCK);
    open_accounts();
    at_start = census("the program, before its first call,");
}

static bool is_matrix(const Argument *argument)
{
    return argument->kind == ARGUMENT_IN || argument->kind == ARGUMENT_OUT;
}

static size_t matrix_bytes(const Argument *argument) { return matrix_size(argument->matrix) * sizeof(float); }

static void *allocate(size_t size)
{
    void *memory = malloc(size ? size : 1);
    if (!memory) give_up(GRADER_ERROR, "no memory for a request of %zu bytes", size);
    return memory;
}

static char *put(char *next, const void *bytes, size_t size)
{
    if (size > 0) memcpy(next, bytes, size);
    return next + size;
}

static void send_request(int index, const char *function, const Argument *arguments, int count)
{
    size_t size = sizeof(RequestHeader);
    for (int i = 0; i < count; i++) {
        const Argument *a = &arguments[i];
        size += is_matrix(a)                 ? 8 + matrix_bytes(a)
                : a->kind == ARGUMENT_STRING ? 4 + strlen(a->text)
                                             : sizeof(double);
    }
    if (size > WIRE_BYTES) give_up(GRADER_ERROR, "a request of %zu bytes: the test asks for too much", size);
    char *bytes = allocate(size), *next = bytes;
    RequestHeader header = {(uint32_t)(size - sizeof header), (uint32_t)index};
    next = put(next, &header, sizeof header);
    for (int i = 0; i < count; i++) {
        const Argument *a = &arguments[i];
        if (is_matrix(a)) {
            next = put(next, (int32_t[]){a->matrix.rows, a->matrix.cols}, 8);
            next = put(next, a->matrix.data, matrix_bytes(a));
        } else if (a->kind == ARGUMENT_STRING) {
            uint32_t length = (uint32_t)strlen(a->text);
            next = put(put(next, &length, sizeof length), a->text, length);
        } else {
            next = put(next, &a->number, sizeof a->number);
        }
    }
    send_bytes(function, bytes, size);
    free(bytes);
}

static _Noreturn void judge_fault(const char *function, const Argument *arguments, int count,
                                  const ReplyHeader *reply)
{
    static const char *const texts[FAULT_COUNT] = {
        [FAULT_UNKNOWN] = "%s used memory that does not belong to it%s",
        [FAULT_UNDEFINED] = "%s did what C leaves undefined (an index outside an array, an overflow, …)%s",
        [FAULT_NULL] = "%s used a null pointer%s",
        [FAULT_STACK] = "%s ran out of stack: recursion without end, or a local array too large%s",
        [FAULT_PAST_ARGUMENT] = "%s went past the end of %s",
        [FAULT_BEFORE_ARGUMENT] = "%s went before the start of %s",
        [FAULT_PAST_BLOCK] = "%s went past the end of memory that it allocated%s",
        [FAULT_BEFORE_BLOCK] = "%s went before the start of memory that it allocated%s",
        [FAULT_FREED] = "%s used or freed memory that it had freed already%s",
        [FAULT_BAD_FREE] = "%s freed what malloc did not give%s",
        [FAULT_SMASHED] = "%s wrote past the end of a local array%s",
        [FAULT_EXHAUSTED] = "%s asked for more memory than an exercise may (256 MiB): %s bytes were refused"};
    Fault fault = reply->fault < FAULT_COUNT ? (Fault)reply->fault : FAULT_UNKNOWN;
    bool named = fault == FAULT_PAST_ARGUMENT || fault == FAULT_BEFORE_ARGUMENT;
    const char *name = named && reply->detail < (uint32_t)count ? arguments[reply->detail].name : "";
    char bytes[32];
    if (fault == FAULT_EXHAUSTED) {
        bool sensible = reply->value >= 0.0 && reply->value < 1e20;
        snprintf(bytes, sizeof bytes, "%.0f", sensible ? reply->value : 0.0);
        name = bytes;
    }
    outcome->address = reply->address;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    give_up(fault == FAULT_UNDEFINED ? UNDEFINED_BEHAVIOUR : MEMORY_ERROR, texts[fault], function, name);
#pragma GCC diagnostic pop
}

static void receive_matrices(const char *function, Argument *arguments, int count)
{
    for (int i = 0; i < count; i++) {
        if (!is_matrix(&arguments[i])) continue;
        size_t size = matrix_bytes(&arguments[i]);
        char *bytes = allocate(size);
        receive_bytes(function, bytes, size);
        if (arguments[i].kind == ARGUMENT_IN && size > 0 &&
            memcmp(bytes, arguments[i].matrix.data, size) != 0)
            give_up(INPUT_CHANGED, "%s changed %s, which it may only read", function, arguments[i].name);
        if (arguments[i].kind == ARGUMENT_OUT) put((char *)arguments[i].matrix.data, bytes, size);
        free(bytes);
    }
}

double call_worker(int index, const char *function, Argument *arguments, int count)
{
    outcome->calls++;
    if (!running) start_worker(index);
    send_request(index, function, arguments, count);
    ReplyHeader reply;
    receive_bytes(function, &reply, sizeof reply);
    switch (reply.kind) {
    case REPLY_RETURNED:
        receive_matrices(function, arguments, count);
        if (reply.leaked > outcome->leaked) outcome->leaked = reply.leaked;
        return reply.value;
    case REPLY_NOT_WRITTEN:
        give_up(NOT_WRITTEN_YET, "TASK %s is not written yet", task_limits[index].task);
    case REPLY_MISSING:
        give_up(FUNCTION_MISSING, "there is no function %s in the file", function);
    case REPLY_FAULT:
        judge_fault(function, arguments, count, &reply);
    default:
        give_up(BAD_ANSWER, "%s broke the line to the grader", function);
    }
}

int whole_number(double value)
{
    if (!(value >= INT_MIN && value <= INT_MAX && value == floor(value)))
        give_up(BAD_ANSWER, "the answer is no whole number");
    return (int)value;
}
