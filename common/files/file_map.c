// file_map.c: files in memory. See file_map.h.
#include "files/file_map.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- When a mapped file has become shorter ----------------------------------------------------------------------------
// A handler of signals can only look at what lies still: a list of a fixed length, whose entries are taken and given back by
// one word. Beyond so many maps the signal ends the program without a message.

enum { MOST_WATCHED = 512, MOST_NAME = 512 };

static struct {
    volatile uintptr_t begin; // 0: free
    volatile uintptr_t end;
    char path[MOST_NAME];
} watched[MOST_WATCHED];

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0) return;
}

static void tell_shorter(int number, siginfo_t *about, void *context)
{
    (void)context;
    const uintptr_t at = (uintptr_t)about->si_addr;
    for (int i = 0; i < MOST_WATCHED; i++) {
        if (!watched[i].begin || at < watched[i].begin || at >= watched[i].end) continue;
        say("error: ");
        say(watched[i].path);
        say(": the file has become shorter while it was in use, or cannot be read any more\n hint: no "
            "program may "
            "write to it meanwhile; fetch it again\n");
        _exit(1);
    }
    signal(number, SIG_DFL); // another's; on return the same access ends the program
}

static void watch(const FileMap *map)
{
    static bool handled;
    if (!handled) {
        struct sigaction action = {.sa_sigaction = tell_shorter, .sa_flags = SA_SIGINFO};
        sigemptyset(&action.sa_mask);
        handled = sigaction(SIGBUS, &action, NULL) == 0;
    }
    for (int i = 0; i < MOST_WATCHED; i++) {
        if (watched[i].begin) continue;
        size_t length = 0; // as die_at shows a name: control characters are question marks
        for (; map->path[length] && length < MOST_NAME - 1; length++) {
            const unsigned char c = (unsigned char)map->path[length];
            watched[i].path[length] = c < 0x20 || c == 0x7f ? '?' : (char)c;
        }
        watched[i].path[length] = '\0';
        watched[i].end = (uintptr_t)map->bytes + map->size;
        watched[i].begin = (uintptr_t)map->bytes;
        return;
    }
}

static void unwatch(const FileMap *map)
{
    for (int i = 0; i < MOST_WATCHED; i++)
        if (watched[i].begin == (uintptr_t)map->bytes) watched[i].begin = 0;
}

// ---- Opening ----------------------------------------------------------------------------------------------------------

// What can be read until the end; *size receives how much. NULL with errno when that fails.
static unsigned char *read_to_end(int file, size_t *size)
{
    unsigned char *bytes = NULL;
    size_t room = 0;
    *size = 0;
    for (;;) {
        if (*size == room) {
            room = room ? 2 * room : 1 << 16;
            unsigned char *larger = realloc(bytes, room);
            if (!larger) break;
            bytes = larger;
        }
        const ssize_t got = read(file, bytes + *size, room - *size);
        if (got == 0) return bytes;
        if (got < 0 && errno != EINTR) break;
        if (got > 0) *size += (size_t)got;
    }
    free(bytes);
    return NULL;
}

FileMap *file_map_open_at(Place place, const char *path, const char *remedy)
{
    const int file =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); // a pipe without writers does not wait
    check_at(place, file >= 0, remedy, "%s: %s", path, strerror(errno));
    struct stat about;
    const bool known = fstat(file, &about) == 0;
    check_at(place, known && (S_ISREG(about.st_mode) || S_ISFIFO(about.st_mode)), remedy,
             "%s is not an ordinary file", path);
    fcntl(file, F_SETFL, fcntl(file, F_GETFL) & ~O_NONBLOCK);

    FileMap *map = calloc(1, sizeof *map);
    char *name = strdup(path);
    check_at(place, map && name, "close other programs", "%s: no memory", path);
    *map = (FileMap){.path = name, .descriptor = file, .modified = about.st_mtim};
    void *pages = MAP_FAILED;
    if (S_ISREG(about.st_mode) && about.st_size > 0)
        pages = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    map->mapped = pages != MAP_FAILED;
    if (map->mapped) {
        map->bytes = pages;
        map->size = (size_t)about.st_size;
        watch(map);
    } else {
        map->bytes = read_to_end(file, &map->size);
        check_at(place, map->bytes, remedy, "%s: %s", path, strerror(errno));
    }
    return map;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

void file_map_check_at(Place place, const FileMap *map)
{
    struct stat now;
    if (!map->mapped) return;
    const bool known = fstat(map->descriptor, &now) == 0;
    check_at(place, known && same_time(now.st_mtim, map->modified) && (size_t)now.st_size == map->size,
             "no program may write to it meanwhile: try again, or fetch it again",
             "%s: the file was written to while it was read", map->path);
}

void file_map_close(FileMap *map)
{
    if (!map) return;
    if (map->mapped) {
        unwatch(map);
        munmap((void *)(uintptr_t)map->bytes, map->size);
    } else {
        free((void *)(uintptr_t)map->bytes);
    }
    close(map->descriptor);
    free((void *)(uintptr_t)map->path);
    free(map);
}
