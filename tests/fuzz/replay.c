// replay.c: tries files on a harness without libFuzzer, built by any compiler:
//
//     fuzz_NAME FILE-OR-FOLDER…
//
// Each file is an input; of a folder, all files in it and below. Tells how many there were. An input that takes more than
// FUZZ_LIMIT seconds of processor time (default 5) ends the program, like one that is a finding.
#include "fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
// What a reader had taken when it refused is lost here; MODE=fuzz gives it back and looks for leaks.
int __lsan_is_turned_off(void) { return 1; }
// A request for more memory than there is must be refused with a message.
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }
#endif

static int tried;
#if defined(__SANITIZE_ADDRESS__)
static int seconds = 25; // everything takes about five times as long
#else
static int seconds = 5;
#endif

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0) _exit(2);
}

static void too_slow(int number)
{
    (void)number;
    say("\n==== FINDING in ");
    say(fuzz_current);
    say(": too slow\n");
    _exit(1);
}

static void fell(int number)
{
    say("\n==== fell in ");
    say(fuzz_current);
    say("\n");
    signal(number, SIG_DFL);
    raise(number);
}

static int try_file(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)place;
    if (kind != FTW_F) return 0;
    size_t size = (size_t)about->st_size;
    uint8_t *bytes = malloc(size + 1);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (!bytes || file < 0 || read(file, bytes, size) != (ssize_t)size) {
        say(path);
        say(": cannot be read\n");
        _exit(2);
    }
    close(file);
    fuzz_current = path;
    setitimer(ITIMER_PROF, &(struct itimerval){.it_value.tv_sec = seconds}, NULL);
    LLVMFuzzerTestOneInput(bytes, size);
    setitimer(ITIMER_PROF, &(struct itimerval){0}, NULL);
    free(bytes);
    tried++;
    return 0;
}

int main(int argc, char **argv)
{
    const char *limit = getenv("FUZZ_LIMIT");
    if (limit && atoi(limit) > 0) seconds = atoi(limit);
    signal(SIGPROF, too_slow);
    signal(SIGABRT, fell);
#if !defined(__SANITIZE_ADDRESS__)
    signal(SIGSEGV, fell);
#endif
    int output = dup(STDOUT_FILENO);
    for (int i = 1; i < argc; i++)
        if (nftw(argv[i], try_file, 8, FTW_PHYS) != 0) {
            say(argv[i]);
            say(": cannot be read\n");
            return 2;
        }
    dprintf(output, "%d\n", tried);
    return EXIT_SUCCESS;
}
