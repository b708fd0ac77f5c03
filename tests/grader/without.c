// without.c: runs a program as on a kernel that lacks something, to try what the grader does there.
//
//   without landlock|namespaces|seccomp PROGRAM ARGUMENTS…
//
// A filter answers the system calls that would give it, with the error that such a kernel gives.
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/grader/filter.h"

#define REFUSE(name, error) FILTER_UNLESS(__NR_##name, 1), FILTER_SAY(SECCOMP_RET_ERRNO | (error))
#define REFUSE_IF(name, i, value, error)                                                                     \
    FILTER_UNLESS(__NR_##name, 4), FILTER_LOW(i), FILTER_UNLESS(value, 1),                                   \
        FILTER_SAY(SECCOMP_RET_ERRNO | (error)), FILTER_SAY(SECCOMP_RET_ALLOW)
#define INSTALL(...)                                                                                         \
    install(sizeof((const struct sock_filter[]){__VA_ARGS__}) / sizeof(struct sock_filter),                  \
            (const struct sock_filter[]){__VA_ARGS__})

static bool install(size_t length, const struct sock_filter *program)
{
    struct sock_fprog filter = {.len = (unsigned short)length, .filter = (struct sock_filter *)program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static bool take_away(const char *what)
{
    if (strcmp(what, "landlock") == 0)
        return INSTALL(FILTER_HEAD, REFUSE(landlock_create_ruleset, ENOSYS), FILTER_SAY(SECCOMP_RET_ALLOW));
    if (strcmp(what, "namespaces") == 0)
        return INSTALL(FILTER_HEAD, REFUSE(unshare, EPERM), FILTER_SAY(SECCOMP_RET_ALLOW));
    if (strcmp(what, "seccomp") == 0)
        return INSTALL(FILTER_HEAD, REFUSE(seccomp, ENOSYS), REFUSE_IF(prctl, 0, PR_SET_SECCOMP, EINVAL),
                       FILTER_SAY(SECCOMP_RET_ALLOW));
    errno = EINVAL;
    return false;
}

int main(int count, char **arguments)
{
    if (count < 3) return fprintf(stderr, "without landlock|namespaces|seccomp PROGRAM ARGUMENTS…\n"), 2;
    if (take_away(arguments[1])) execvp(arguments[2], arguments + 2);
    fprintf(stderr, "without %s %s: %s\n", arguments[1], arguments[2], strerror(errno));
    return 126;
}
