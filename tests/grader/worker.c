// worker.c: the program that holds a student's functions. It answers calls until it is ended; see wire.h and
// jail.h.
//
// Nothing here protects the grade: a student's code may do with this process whatever it likes. It only helps
// honest code: arguments lie against guard pages, leaks are counted, and a fault is told with what it
// touched.
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "guarded.h"
#include "lesson/exercise.h"

// ---- Bytes ---------------------------------------------------------------------------------------------

static void receive(void *bytes, size_t size)
{
    for (char *next = bytes; size > 0;) {
        ssize_t got = read(WIRE_REQUEST, next, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) _exit(0); // the grader has hung up
        next += got;
        size -= (size_t)got;
    }
}

static void answer(const void *bytes, size_t size)
{
    for (const char *next = bytes; size > 0;) {
        ssize_t sent = write(WIRE_REPLY, next, size);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) _exit(0);
        next += sent;
        size -= (size_t)sent;
    }
}

// ---- Faults --------------------------------------------------------------------------------------------

// Who was refused memory and then falls, over a null pointer or a number not far from it, fell because of that.
void worker_fault(int fault, int argument, uint64_t address)
{
    size_t refused = guarded_refused();
    bool fell = fault == FAULT_NULL || fault == FAULT_UNDEFINED || fault == FAULT_UNKNOWN;
    if (refused && fell) fault = FAULT_EXHAUSTED;
    answer(&(ReplyHeader){.kind = REPLY_FAULT,
                          .fault = (uint32_t)fault,
                          .detail = (uint32_t)argument,
                          .address = address,
                          .value = (double)refused},
           sizeof(ReplyHeader));
    _exit(1);
}

void not_written(const char *task)
{
    (void)task; // the grader knows which task it asked for
    answer(&(ReplyHeader){.kind = REPLY_NOT_WRITTEN}, sizeof(ReplyHeader));
    _exit(0);
}

void worker_missing(void)
{
    answer(&(ReplyHeader){.kind = REPLY_MISSING}, sizeof(ReplyHeader));
    _exit(0);
}

// What -fstack-protector-all calls in the student's object when a local array was overrun.
_Noreturn void worker_smashed(void);
_Noreturn void worker_smashed(void)
{
    worker_fault(FAULT_SMASHED, -1, (uint64_t)__builtin_return_address(0));
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    const ucontext_t *at = context;
#if defined(__x86_64__)
    uint64_t instruction = (uint64_t)at->uc_mcontext.gregs[REG_RIP],
             stack = (uint64_t)at->uc_mcontext.gregs[REG_RSP];
#else
    uint64_t instruction = at->uc_mcontext.pc, stack = at->uc_mcontext.sp;
#endif
    uint64_t address = (uint64_t)info->si_addr;
    int argument = -1, fault = FAULT_UNDEFINED;
    if (number == SIGSEGV || number == SIGBUS) {
        fault = guarded_explain(info->si_addr, &argument);
        if (fault == FAULT_UNKNOWN && address - (stack - 65536) < 131072) fault = FAULT_STACK;
    }
    worker_fault(fault, argument, instruction);
}

static void catch_faults(void)
{
    static char stack[1 << 15];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&other, NULL);
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND};
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
}

// ---- Calls ---------------------------------------------------------------------------------------------

static void receive_matrix(Argument *argument, int index)
{
    int32_t shape[2];
    receive(shape, sizeof shape);
    argument->matrix = (Matrix){shape[0], shape[1], NULL};
    size_t bytes = matrix_size(argument->matrix) * sizeof(float);
    if (!(argument->matrix.data = guarded_argument(bytes, index))) worker_fault(FAULT_EXHAUSTED, -1, 0);
    receive(argument->matrix.data, bytes);
}

static void receive_string(Argument *argument, int index)
{
    uint32_t length;
    receive(&length, sizeof length);
    char *text = guarded_argument((size_t)length + 1, index);
    if (!text) worker_fault(FAULT_EXHAUSTED, -1, 0);
    receive(text, length);
    text[length] = '\0';
    argument->text = text;
}

static void serve(const Adapter *adapter)
{
    Argument arguments[WIRE_ARGUMENTS];
    for (int i = 0; i < adapter->count; i++) {
        arguments[i].kind = adapter->kinds[i];
        if (adapter->kinds[i] == ARGUMENT_NUMBER)
            receive(&arguments[i].number, sizeof(double));
        else if (adapter->kinds[i] == ARGUMENT_STRING)
            receive_string(&arguments[i], i);
        else
            receive_matrix(&arguments[i], i);
    }
    guarded_begin_call();
    double value = adapter->call(arguments);
    guarded_check();
    answer(&(ReplyHeader){.kind = REPLY_RETURNED, .value = value, .leaked = (uint32_t)guarded_leaked()},
           sizeof(ReplyHeader));
    for (int i = 0; i < adapter->count; i++)
        if (adapter->kinds[i] == ARGUMENT_IN || adapter->kinds[i] == ARGUMENT_OUT)
            answer(arguments[i].matrix.data, matrix_size(arguments[i].matrix) * sizeof(float));
    guarded_release_arguments();
}

int main(void)
{
    guarded_start();
    catch_faults();
    for (;;) {
        RequestHeader request;
        receive(&request, sizeof request);
        if (request.function == WIRE_CENSUS) {
            size_t kept, held = guarded_census(&kept);
            answer(&(ReplyHeader){.kind = REPLY_RETURNED, .leaked = (uint32_t)held, .value = (double)kept},
                   sizeof(ReplyHeader));
            continue;
        }
        if (request.function >= adapter_count) return 2;
        serve(&adapters[request.function]);
    }
}

// ---- One thread ----------------------------------------------------------------------------------------
// The matrix library is compiled without OpenMP for a worker; these are the answers it gets.

int omp_get_max_threads(void);
int omp_get_num_threads(void);
int omp_get_thread_num(void);
int omp_in_parallel(void);
void omp_set_num_threads(int count);
int omp_get_max_threads(void) { return 1; }
int omp_get_num_threads(void) { return 1; }
int omp_get_thread_num(void) { return 0; }
int omp_in_parallel(void) { return 0; }
void omp_set_num_threads(int count) { (void)count; }
