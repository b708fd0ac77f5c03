// fuzz.c: see fuzz.h.
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "base/utf8.h"

const char *fuzz_current;
bool fuzz_leaves_memory;
size_t fuzz_most_at_once = (size_t)256 << 20;

static FILE *loud; // the standard error of the whole program; what readers print goes to a buffer
static char said[1 << 16];
static char folder[128];
static bool folder_is_ours;

static jmp_buf back;
static volatile bool trying;
static volatile int ended_with;

// ---- What a refused reader leaves behind ------------------------------------------------------------------------------
// In MODE=fuzz the sanitizer tells of every piece of memory that is taken, also by libraries. All that was taken since
// fuzz_try began and was not freed is freed when the reader refuses. Streams are closed first: the C library keeps a
// list of them. PCRE2's compiled code lies outside of such memory, so there patterns are interpreted.

#ifdef FUZZ_TREE
#include <sanitizer/allocator_interface.h>

enum { MOST_TAKEN = 1 << 22, MOST_STREAMS = 64, MOST_MAPS = 16 };
static const volatile void *taken[MOST_TAKEN];
static size_t taken_count, largest_taken;
static FILE *streams[MOST_STREAMS];
static struct {
    void *begin;
    size_t size;
} maps[MOST_MAPS];
static bool writes_to_memory; // closing such a stream would write to variables that are gone

static void note_taken(const volatile void *memory, size_t size)
{
    if (trying && size > largest_taken) largest_taken = size;
    if (trying && taken_count < MOST_TAKEN) taken[taken_count++] = memory;
}
static void note_freed(const volatile void *memory) { (void)memory; }

static FILE *noted(FILE *stream)
{
    for (int i = 0; trying && stream && i < MOST_STREAMS; i++)
        if (!streams[i]) return streams[i] = stream;
    return stream;
}

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode) { return noted(__real_fopen(path, mode)); }

FILE *__real_fdopen(int file, const char *mode);
FILE *__wrap_fdopen(int file, const char *mode);
FILE *__wrap_fdopen(int file, const char *mode) { return noted(__real_fdopen(file, mode)); }

FILE *__real_open_memstream(char **bytes, size_t *size);
FILE *__wrap_open_memstream(char **bytes, size_t *size);
FILE *__wrap_open_memstream(char **bytes, size_t *size)
{
    writes_to_memory = true;
    return __real_open_memstream(bytes, size);
}

int __real_fclose(FILE *stream);
int __wrap_fclose(FILE *stream);
int __wrap_fclose(FILE *stream)
{
    bool known = false;
    for (int i = 0; i < MOST_STREAMS; i++)
        if (streams[i] == stream) streams[i] = NULL, known = true;
    if (!known) writes_to_memory = false;
    return __real_fclose(stream);
}

void *__real_mmap(void *at, size_t size, int access, int flags, int file, off_t offset);
void *__wrap_mmap(void *at, size_t size, int access, int flags, int file, off_t offset);
void *__wrap_mmap(void *at, size_t size, int access, int flags, int file, off_t offset)
{
    void *begin = __real_mmap(at, size, access, flags, file, offset);
    for (int i = 0; trying && begin != MAP_FAILED && i < MOST_MAPS; i++) {
        if (maps[i].begin) continue;
        maps[i].begin = begin;
        maps[i].size = size;
        break;
    }
    return begin;
}

int __real_munmap(void *begin, size_t size);
int __wrap_munmap(void *begin, size_t size);
int __wrap_munmap(void *begin, size_t size)
{
    for (int i = 0; i < MOST_MAPS; i++)
        if (maps[i].begin == begin) maps[i].begin = NULL;
    return __real_munmap(begin, size);
}

int __wrap_pcre2_jit_compile_8(void *code, uint32_t options);
int __wrap_pcre2_jit_compile_8(void *code, uint32_t options)
{
    (void)code, (void)options;
    return -45; // PCRE2_ERROR_JIT_BADOPTION: there is no JIT
}
void *__wrap_pcre2_jit_stack_create_8(size_t first, size_t most, void *context);
void *__wrap_pcre2_jit_stack_create_8(size_t first, size_t most, void *context)
{
    (void)first, (void)most, (void)context;
    return NULL;
}

static void watch_memory(void) { __sanitizer_install_malloc_and_free_hooks(note_taken, note_freed); }

static void start_noting(void)
{
    taken_count = largest_taken = 0;
    writes_to_memory = false;
}

static void check_largest(void)
{
    fuzz_require(largest_taken <= fuzz_most_at_once, "an input had the reader ask for %zu bytes at once",
                 largest_taken);
}

static void give_back(void)
{
    if (writes_to_memory) return;
    for (int i = 0; i < MOST_STREAMS; i++)
        if (streams[i]) __wrap_fclose(streams[i]);
    for (int i = 0; i < MOST_MAPS; i++)
        if (maps[i].begin) __wrap_munmap(maps[i].begin, maps[i].size);
    for (size_t i = taken_count; i-- > 0;) // what was freed, and perhaps taken again, is there once
        if (__sanitizer_get_ownership(taken[i])) free((void *)taken[i]);
}
#else
static void watch_memory(void) {}
static void start_noting(void) {}
static void give_back(void) {}
static void check_largest(void) {}
#endif

// ---- Beginning and end --------------------------------------------------------------------------------------------------

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about, (void)kind, (void)place;
    remove(path);
    return 0;
}

static void remove_folder(void)
{
    if (folder_is_ours) nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void set_up(void)
{
    static char quiet[1 << 12], words[1 << 12];
    const char *given = getenv("FUZZ_FOLDER"); // of fuzz.sh, which removes it even after a crash
    loud = stderr;
    snprintf(folder, sizeof folder, "%s/course-fuzz-XXXXXX",
             given                                  ? given
             : access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm"
                                                    : "/tmp");
    if (!mkdtemp(folder)) perror(folder), _exit(2);
    folder_is_ours = true;
    atexit(remove_folder);
    FILE *nowhere = fopen("/dev/null", "w");
    stderr = fmemopen(said, sizeof said - 1, "w");
    if (!nowhere || !stderr) _exit(2);
    setvbuf(nowhere, quiet, _IOFBF, sizeof quiet);
    setvbuf(stderr, words, _IOFBF, sizeof words);
    stdout = nowhere;
    watch_memory();
}

// Descriptors from the first one that is free now.
static void close_from(int first)
{
#ifdef CLOSE_RANGE_UNSHARE                                 // glibc 2.34
    if (close_range((unsigned)first, ~0u, 0) == 0) return; // one call instead of sixteen
#endif
    for (int file = first, closed = 0; closed < 16; file++) closed = close(file) == 0 ? 0 : closed + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static int first_free;
    if (!loud) set_up();
    if (!first_free) {
        first_free = open("/dev/null", O_RDONLY);
        close(first_free);
    }
    fuzz_input(bytes, size);
    close_from(first_free);
    return 0;
}

void fuzz_fail(const char *format, ...)
{
    va_list arguments;
    fprintf(loud, "\n==== FINDING%s%s: ", fuzz_current ? " in " : "", fuzz_current ? fuzz_current : "");
    va_start(arguments, format);
    vfprintf(loud, format, arguments);
    va_end(arguments);
    fprintf(loud, "\n==== it said: %s\n", said);
    fflush(loud);
    trying = false;
    abort();
}

// ---- Refusing -----------------------------------------------------------------------------------------------------------

_Noreturn void __real_exit(int status);
_Noreturn void __wrap_exit(int status);
void __wrap_exit(int status)
{
    if (trying) fuzz_leave(status);
    __real_exit(status);
}

void fuzz_leave(int status)
{
    ended_with = status;
    longjmp(back, 1);
}

bool fuzz_harmless(const char *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        uint32_t c;
        int length = utf8_decode(bytes + at, size - at, &c);
        if (c == UTF8_REPLACEMENT && length == 1) return false;
        if ((c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0)) return false;
        at += (size_t)length;
    }
    return true;
}

// What was said ends here; the buffer may hold the end of an earlier message.
static void end_words(void)
{
    long length = fflush(stderr) == 0 ? ftell(stderr) : 0;
    said[length > 0 && length < (long)sizeof said ? length : 0] = '\0';
}

bool fuzz_try(void (*action)(void *), void *context)
{
    rewind(stderr);
    said[0] = '\0';
    start_noting();
    ended_with = -1;
    if (setjmp(back) == 0) {
        trying = true;
        action(context);
        trying = false;
        check_largest();
        if (fuzz_leaves_memory) give_back();
        return true;
    }
    trying = false;
    give_back();
    end_words();
    check_largest();
    if (ended_with == 0) return true;
    fuzz_require(ended_with == 1, "the reader ended with status %d instead of 1", ended_with);
    fuzz_require(said[0], "the reader refused its input and said nothing");
    fuzz_require(fuzz_harmless(said, strlen(said)), "the message holds bytes that may harm a terminal");
    return false;
}

// ---- Inputs -------------------------------------------------------------------------------------------------------------

const char *fuzz_path(const char *name)
{
    static char paths[16][512];
    static unsigned turn;
    char *path = paths[turn++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

const char *fuzz_file(const char *name, const void *bytes, size_t size)
{
    const char *path = fuzz_path(name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size || close(file) != 0)
        fuzz_fail("%s: %s", path, strerror(errno));
    return path;
}

void fuzz_parts(const uint8_t *bytes, size_t size, FuzzPart *parts, int count)
{
    static const char cut[] = FUZZ_CUT;
    for (int i = 0; i < count; i++) {
        const uint8_t *end = i + 1 < count && size ? memmem(bytes, size, cut, sizeof cut - 1) : NULL;
        size_t length = end ? (size_t)(end - bytes) : size, used = length + (end ? sizeof cut - 1 : 0);
        parts[i] = (FuzzPart){bytes, length};
        bytes += used;
        size -= used;
    }
}

char *fuzz_string(FuzzPart part)
{
    char *copy = malloc(part.size + 1);
    if (!copy) abort();
    memcpy(copy, part.bytes, part.size);
    copy[part.size] = '\0';
    return copy;
}

FuzzPart fuzz_packed(FuzzPart part, bool gzip)
{
    z_stream z = {0};
    if (deflateInit2(&z, 1, Z_DEFLATED, gzip ? 15 + 16 : 15, 8, Z_DEFAULT_STRATEGY) != Z_OK) abort();
    size_t room = deflateBound(&z, part.size) + 32;
    uint8_t *packed = malloc(room);
    if (!packed) abort();
    z.next_in = (Bytef *)part.bytes;
    z.avail_in = (uInt)part.size;
    z.next_out = packed;
    z.avail_out = (uInt)room;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END) abort();
    size_t size = z.total_out;
    deflateEnd(&z);
    return (FuzzPart){packed, size};
}
