// probe.c: a program that tries what the jail forbids, to learn whether the jail holds here. The request is one letter,
// of what to try; the answer "a" says that no file can be opened. Then it must be killed for asking.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wire.h"

int main(void)
{
    char attempt, *const arguments[] = {"probe", NULL};
    if (read(WIRE_REQUEST, &attempt, 1) != 1) return 1;
    if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES) return 2;
    if (write(WIRE_REPLY, "a", 1) != 1) return 3;
    switch (attempt) {
    case 'f':
        fork();
        break;
    case 'e': // the descriptor of the one exec that there was, with a path that passes it over
        syscall(SYS_execveat, WIRE_PROGRAM, "/proc/self/exe", arguments, arguments + 1, AT_EMPTY_PATH);
        break;
    case 'l': // a pointer, or null to who looks at the lower half alone
        syscall(SYS_prlimit64, 0, RLIMIT_CPU, (uintptr_t)1 << 32, 0);
        break;
    case 'm':
        mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        break;
    default:
        break;
    }
    return 4;
}
