// entry.c: where a worker starts, before anything of the student's: constructors, .preinit_array and indirect functions
// run in _start, which comes afterwards.
//
// Takes away what the jail's filter had to allow for the worker to begin at all: exec, and more filters. Then says so
// to the grader with one word, WIRE_READY, and goes on to _start. Nothing of the C library works yet, not even
// errno; so system calls are made by hand. The linker is told to start here: --entry=worker_entry.
#include "tests/grader/filter.h"
#include "wire.h"

#define BEFORE_LIBC                                                                                          \
    __attribute__((no_stack_protector)) // its secret would be read through a register that is not set yet

#if defined(__x86_64__)
// The kernel's registers are the call's; rdx must be 0 again for _start, which takes it for a function to call at exit.
__asm__(".globl worker_entry\n"
        ".type worker_entry, @function\n"
        "worker_entry:\n"
        "    call worker_close\n"
        "    xor %edx, %edx\n"
        "    xor %ebp, %ebp\n"
        "    jmp _start\n");

BEFORE_LIBC static long system_call(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
__asm__(".globl worker_entry\n"
        ".type worker_entry, %function\n"
        "worker_entry:\n"
        "    bl worker_close\n"
        "    mov x0, #0\n"
        "    mov x29, #0\n"
        "    mov x30, #0\n"
        "    b _start\n");

BEFORE_LIBC static long system_call(long number, long a, long b, long c)
{
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}
#endif

// Called by the instructions above, and by the test of the filters.
BEFORE_LIBC __attribute__((used)) void worker_close(void);
void worker_close(void)
{
    static const struct sock_filter program[] = {FILTER_HEAD, FILTER_UNLESS(__NR_execveat, 1),
                                                 FILTER_KILL, FILTER_UNLESS(__NR_seccomp, 1),
                                                 FILTER_KILL, FILTER_SAY(SECCOMP_RET_ALLOW)};
    struct sock_fprog filter = {.len = sizeof program / sizeof *program,
                                .filter = (struct sock_filter *)program};
    static const uint32_t ready = WIRE_READY;
    if (system_call(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&filter) != 0 ||
        system_call(__NR_write, WIRE_REPLY, (long)&ready, sizeof ready) != sizeof ready)
        system_call(__NR_exit_group, 1, 0, 0);
}
