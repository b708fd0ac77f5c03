// The jail's filters are tested by what they forbid: every system call that the kernel may have is tried, with whole
// arguments of 64 bits, and compared with the list that is meant. The list is written once more here, on purpose.
#include "suite.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../grader/filter.c"

#include "../grader/entry.c"

enum { CALLS = 1024 }; // more than any kernel has had
typedef enum { KILLED, REFUSED, PASSED } Verdict;
typedef enum { BEFORE_EXEC, CLOSED } Stage;

static const long HIGH = 1L << 32;

static const struct {
    long number;
    Verdict verdict; // with arguments of 0, once exec is closed
} meant[] = {
    {SYS_read, PASSED},
    {SYS_write, PASSED},
    {SYS_writev, PASSED},
    {SYS_exit, PASSED},
    {SYS_exit_group, PASSED},
    {SYS_brk, PASSED},
    {SYS_munmap, PASSED},
    {SYS_madvise, PASSED},
    {SYS_mremap, PASSED},
    {SYS_rt_sigaction, PASSED},
    {SYS_rt_sigprocmask, PASSED},
    {SYS_rt_sigreturn, PASSED},
    {SYS_sigaltstack, PASSED},
    {SYS_getpid, PASSED},
    {SYS_gettid, PASSED},
    {SYS_set_tid_address, PASSED},
    {SYS_set_robust_list, PASSED},
    {SYS_rseq, PASSED},
    {SYS_getrandom, PASSED},
    {SYS_fstat, PASSED},
    {SYS_lseek, PASSED},
    {SYS_close, PASSED},
    {SYS_futex, PASSED},
    {SYS_sched_yield, PASSED},
    {SYS_clock_gettime, PASSED},
    {SYS_clock_getres, PASSED},
    {SYS_gettimeofday, PASSED},
    {SYS_getrusage, PASSED},
    {SYS_sysinfo, PASSED},
    {SYS_uname, PASSED},
    {SYS_mmap, PASSED},
    {SYS_mprotect, PASSED},
    {SYS_prlimit64, PASSED},
    {SYS_sched_getaffinity, PASSED},
#ifdef SYS_arch_prctl
    {SYS_arch_prctl, PASSED},
#endif
#ifdef SYS_open
    {SYS_open, REFUSED},
    {SYS_readlink, REFUSED},
    {SYS_access, REFUSED},
#endif
    {SYS_openat, REFUSED},
    {SYS_readlinkat, REFUSED},
    {SYS_newfstatat, REFUSED},
    {SYS_faccessat, REFUSED},
    {SYS_ioctl, REFUSED},
};

static Verdict meant_for(long number)
{
    for (size_t i = 0; i < sizeof meant / sizeof *meant; i++)
        if (meant[i].number == number) return meant[i].verdict;
    return KILLED;
}

// On x86-64 Linux 6.14 and later answer uretprobe and uprobe before any filter is asked. They serve the kernel's own
// probes, and end a process that calls them from anywhere else with SIGILL.
static bool passes_all_filters(long number)
{
#ifdef __x86_64__
    return number == 335 || number == 336;
#else
    return number < 0;
#endif
}

// It takes all registers from the stack, so that a call out of nothing goes anywhere: see a_handler_returns.
static bool needs_a_frame(long number) { return number == SYS_rt_sigreturn; }

// What becomes of a process behind the filters that makes this call.
static Verdict verdict_on(Stage stage, long number, const long arguments[6])
{
    enum { ANSWERED = 40, ANSWERED_REFUSED };
    pid_t process = fork();
    if (process == 0) {
        alarm(10); // before the filters: for a call that waits
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || filter_jail(WIRE_PROGRAM) != 0) _exit(99);
        if (stage == CLOSED) worker_close();
        const long *a = arguments;
        errno = 0;
        long result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
        bool refused = result == -1 && (errno == EACCES || errno == ENOTTY);
        syscall(SYS_exit_group, refused ? ANSWERED_REFUSED : ANSWERED);
    }
    int status = 0;
    ck_assert(process > 0 && waitpid(process, &status, 0) == process);
    ck_assert_msg(!WIFEXITED(status) || WEXITSTATUS(status) != 99, "call %ld: the filter cannot be installed",
                  number);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) return KILLED;
    return WIFEXITED(status) && WEXITSTATUS(status) == ANSWERED_REFUSED ? REFUSED : PASSED;
}

static void expect(Stage stage, Verdict wanted, long number, const long arguments[6], const char *what)
{
    static const char *const words[] = {"killed", "refused", "let pass"};
    Verdict got = verdict_on(stage, number, arguments);
    ck_assert_msg(got == wanted, "call %ld (%s)%s: %s, meant to be %s", number, what,
                  stage == CLOSED ? "" : " before exec", words[got], words[wanted]);
}
#define EXPECT(stage, wanted, number, ...)                                                                   \
    expect(stage, wanted, number, (const long[6]){__VA_ARGS__}, #__VA_ARGS__)

// The word of worker_close goes somewhere.
static void catch_word(void)
{
    int nothing = open("/dev/null", O_RDWR);
    ck_assert(nothing >= 0 && dup2(nothing, WIRE_REPLY) == WIRE_REPLY && dup2(nothing, STDIN_FILENO) == 0);
    close(WIRE_PROGRAM);
}

START_TEST(every_system_call_is_killed_but_for_the_list)
{
    catch_word();
    for (long number = 0; number < CALLS; number++)
        if (!passes_all_filters(number) && !needs_a_frame(number))
            EXPECT(CLOSED, meant_for(number), number, 0);
    EXPECT(CLOSED, KILLED, (long)(int)0x80000000, 0);
}
END_TEST

// On x86-64; elsewhere these numbers are no calls at all.
START_TEST(the_calls_of_the_x32_world_are_killed)
{
    catch_word();
    for (long number = 0; number < CALLS; number++) EXPECT(CLOSED, KILLED, number | 0x40000000, 0);
}
END_TEST

START_TEST(arguments_are_compared_whole)
{
    catch_word();
    const long page = sysconf(_SC_PAGESIZE), anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
    EXPECT(CLOSED, PASSED, SYS_prlimit64, 0, RLIMIT_CPU, 0, 0);
    EXPECT(CLOSED, KILLED, SYS_prlimit64, 0, RLIMIT_CPU, HIGH, 0); // its lower half is a null pointer
    EXPECT(CLOSED, KILLED, SYS_prlimit64, 0, RLIMIT_CPU, 1, 0);
    EXPECT(CLOSED, KILLED, SYS_prlimit64, 1, RLIMIT_CPU, 0, 0);
    EXPECT(CLOSED, KILLED, SYS_prlimit64, HIGH, RLIMIT_CPU, 0, 0);
    EXPECT(CLOSED, KILLED, SYS_sched_getaffinity, 1, 8, 0);
    EXPECT(CLOSED, KILLED, SYS_sched_getaffinity, HIGH, 8, 0);
    EXPECT(CLOSED, PASSED, SYS_mmap, 0, page, PROT_READ | PROT_WRITE, anonymous, -1, 0);
    EXPECT(CLOSED, KILLED, SYS_mmap, 0, page, PROT_READ | PROT_EXEC, anonymous, -1, 0);
    EXPECT(CLOSED, KILLED, SYS_mmap, 0, page, HIGH | PROT_READ, anonymous, -1, 0);
    EXPECT(CLOSED, KILLED, SYS_mmap, 0, page, HIGH | PROT_EXEC, anonymous, -1, 0);
    EXPECT(CLOSED, PASSED, SYS_mprotect, 0, 0, PROT_READ);
    EXPECT(CLOSED, KILLED, SYS_mprotect, 0, 0, PROT_READ | PROT_EXEC);
    EXPECT(CLOSED, KILLED, SYS_mprotect, 0, 0, HIGH | PROT_READ);
    EXPECT(CLOSED, KILLED, SYS_tgkill, 1, 1, 0);
    EXPECT(CLOSED, KILLED, SYS_tgkill, getpid(), getpid(), 0); // the parent
    EXPECT(CLOSED, KILLED, SYS_kill, 0, 0);
}
END_TEST

static volatile sig_atomic_t handled;
static void handle(int number) { handled = number; }

// A process that may signal itself, and whose number with a bit in the upper half is no number.
static int signals_itself(long more, int number)
{
    pid_t process = fork();
    if (process == 0) {
        signal(SIGUSR1, handle);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || filter_jail(WIRE_PROGRAM) != 0) _exit(99);
        worker_close();
        syscall(SYS_tgkill, getpid() | more, gettid(), number);
        syscall(SYS_exit_group, handled);
    }
    int status = 0;
    ck_assert(process > 0 && waitpid(process, &status, 0) == process);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

START_TEST(a_signal_goes_to_the_process_itself_alone)
{
    catch_word();
    ck_assert_int_eq(signals_itself(0, 0), 0);
    ck_assert_int_eq(signals_itself(HIGH, 0), SIGSYS);
}
END_TEST

START_TEST(a_handler_returns)
{
    catch_word();
    ck_assert_int_eq(signals_itself(0, SIGUSR1), SIGUSR1);
}
END_TEST

START_TEST(exec_and_filters_are_possible_once_and_then_closed)
{
    catch_word();
    const long nowhere = (long)"";
    EXPECT(BEFORE_EXEC, PASSED, SYS_execveat, WIRE_PROGRAM, nowhere, 0, 0,
           AT_EMPTY_PATH); // no such descriptor
    EXPECT(BEFORE_EXEC, KILLED, SYS_execveat, WIRE_PROGRAM, nowhere, 0, 0, 0);
    EXPECT(BEFORE_EXEC, KILLED, SYS_execveat, WIRE_REPLY, nowhere, 0, 0, AT_EMPTY_PATH);
    EXPECT(BEFORE_EXEC, KILLED, SYS_execveat, HIGH | WIRE_PROGRAM, nowhere, 0, 0, AT_EMPTY_PATH);
    EXPECT(BEFORE_EXEC, KILLED, SYS_execveat, WIRE_PROGRAM, nowhere, 0, 0, HIGH | AT_EMPTY_PATH);
    EXPECT(BEFORE_EXEC, PASSED, SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 0);
    EXPECT(BEFORE_EXEC, KILLED, SYS_seccomp, SECCOMP_SET_MODE_FILTER, 1, 0);
    EXPECT(BEFORE_EXEC, KILLED, SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, 0);
    EXPECT(CLOSED, KILLED, SYS_execveat, WIRE_PROGRAM, nowhere, 0, 0, AT_EMPTY_PATH);
    EXPECT(CLOSED, KILLED, SYS_execveat, -1, (long)"/proc/self/exe", 0, 0, 0);
    EXPECT(CLOSED, KILLED, SYS_execve, (long)"/bin/true", 0, 0);
    EXPECT(CLOSED, KILLED, SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 0);
    EXPECT(CLOSED, KILLED, SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0);
}
END_TEST

SUITE_TIMEOUT("filter", 120, every_system_call_is_killed_but_for_the_list,
              the_calls_of_the_x32_world_are_killed, arguments_are_compared_whole,
              a_signal_goes_to_the_process_itself_alone, a_handler_returns,
              exec_and_filters_are_possible_once_and_then_closed)
