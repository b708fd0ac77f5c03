// lock.c: see lock.h.
#include "tests/grader/lock.h"

#include <fcntl.h>
#include <unistd.h>

bool lock_byte(int file, off_t byte)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(file, F_SETLK, &lock) == 0;
}

bool byte_is_free(int file, off_t byte)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(file, F_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}
