// filter.c: see filter.h. The allow-list.
#include "tests/grader/filter.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define ALLOW(name)         FILTER_UNLESS(__NR_##name, 1), FILTER_SAY(SECCOMP_RET_ALLOW)
#define REFUSE(name, error) FILTER_UNLESS(__NR_##name, 1), FILTER_SAY(SECCOMP_RET_ERRNO | (error))
// Allowed when argument i is value; when i is value and j is another; when argument i has none of these bits.
#define ALLOW_IF(name, i, value)                                                                             \
    FILTER_UNLESS(__NR_##name, 6), FILTER_HIGH(i), FILTER_UNLESS(0, 3), FILTER_LOW(i),                       \
        FILTER_UNLESS(value, 1), FILTER_SAY(SECCOMP_RET_ALLOW), FILTER_KILL
#define ALLOW_IF_BOTH(name, i, value, j, other)                                                              \
    FILTER_UNLESS(__NR_##name, 10), FILTER_HIGH(i), FILTER_UNLESS(0, 7), FILTER_LOW(i),                      \
        FILTER_UNLESS(value, 5), FILTER_HIGH(j), FILTER_UNLESS(0, 3), FILTER_LOW(j),                         \
        FILTER_UNLESS(other, 1), FILTER_SAY(SECCOMP_RET_ALLOW), FILTER_KILL
#define ALLOW_WITHOUT(name, i, bits)                                                                         \
    FILTER_UNLESS(__NR_##name, 6), FILTER_HIGH(i), FILTER_UNLESS(0, 3), FILTER_LOW(i),                       \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0), FILTER_SAY(SECCOMP_RET_ALLOW), FILTER_KILL

int filter_jail(int worker)
{
    const struct sock_filter program[] = {
        FILTER_HEAD, ALLOW(read), ALLOW(write), ALLOW(writev), ALLOW(exit), ALLOW(exit_group), ALLOW(brk),
        ALLOW(munmap), ALLOW(madvise), ALLOW(mremap), ALLOW(rt_sigaction), ALLOW(rt_sigprocmask),
        ALLOW(rt_sigreturn), ALLOW(sigaltstack), ALLOW(getpid), ALLOW(gettid), ALLOW(set_tid_address),
        ALLOW(set_robust_list), ALLOW(rseq), ALLOW(getrandom), ALLOW(fstat), ALLOW(lseek), ALLOW(close),
        ALLOW(futex), ALLOW(sched_yield), ALLOW(clock_gettime), ALLOW(clock_getres), ALLOW(gettimeofday),
        ALLOW(getrusage), ALLOW(sysinfo), ALLOW(uname), // qsort asks how much memory there is
#ifdef __NR_arch_prctl
        ALLOW(arch_prctl),
#endif
#ifdef __NR_open
        REFUSE(open, EACCES), REFUSE(readlink, EACCES), REFUSE(access, EACCES),
#endif
        REFUSE(openat, EACCES), REFUSE(readlinkat, EACCES), REFUSE(newfstatat, EACCES),
        REFUSE(faccessat, EACCES), REFUSE(ioctl, ENOTTY),
        // No executable memory; of itself alone limits may be read and not set, and a signal sent (abort).
        ALLOW_WITHOUT(mmap, 2, PROT_EXEC), ALLOW_WITHOUT(mprotect, 2, PROT_EXEC),
        ALLOW_IF_BOTH(prlimit64, 0, 0, 2, 0), ALLOW_IF(sched_getaffinity, 0, 0),
        ALLOW_IF(tgkill, 0, getpid()),
        // What entry.c takes away: the one exec, and the one filter more.
        ALLOW_IF_BOTH(execveat, 0, worker, 4, AT_EMPTY_PATH),
        ALLOW_IF_BOTH(seccomp, 0, SECCOMP_SET_MODE_FILTER, 1, 0), FILTER_KILL};
    struct sock_fprog filter = {.len = sizeof program / sizeof *program,
                                .filter = (struct sock_filter *)program};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}
