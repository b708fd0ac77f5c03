// filter.h: which system calls a worker may make. Two filters lie one upon the other, and the kernel heeds the stricter.
//
//     jail.c, before exec      filter_jail: an allow-list. It lets pass one exec, of the worker, and one more filter.
//     entry.c, before main     filter_close: neither of these any more. It is installed by the worker's own first
//                              instructions, before any instruction of the student's: constructors come later.
//
// The kernel's small machine has words of 32 bits, arguments have 64: both halves are compared, always.
#pragma once
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "no system call filter for this processor: add its AUDIT_ARCH"
#endif

#define FILTER_LOAD(field)        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define FILTER_LOW(i)             BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (i))
#define FILTER_HIGH(i)            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (i) + 4)
#define FILTER_SAY(answer)        BPF_STMT(BPF_RET | BPF_K, answer)
#define FILTER_KILL               FILTER_SAY(SECCOMP_RET_KILL_PROCESS)
// When what was loaded is not value, the next `far` instructions are passed over.
#define FILTER_UNLESS(value, far) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), 0, far)
// Another processor's calls, and on x86-64 those of the x32 world, have other numbers: nobody needs them.
#define FILTER_HEAD                                                                                          \
    FILTER_LOAD(arch), FILTER_UNLESS(FILTER_ARCHITECTURE, 1), BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),           \
        FILTER_KILL, FILTER_LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), FILTER_KILL

// Installs the allow-list for this process, which then may make the calls that an exec of `program`, an open file,
// needs, and the worker's. Needs PR_SET_NO_NEW_PRIVS.
int filter_jail(int program);
