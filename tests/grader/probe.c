// probe.c: a program that tries what the jail forbids, to learn whether the jail holds here. It answers "a"
// when no file can be opened, and must then be killed for asking for a process.
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "wire.h"

int main(void)
{
    if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES) return 1;
    if (write(WIRE_REPLY, "a", 1) != 1) return 2;
    fork();
    return 3;
}
