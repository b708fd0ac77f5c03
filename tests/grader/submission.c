// submission.c: see submission.h.
#include "tests/grader/submission.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/grader/harmless.h"
#include "tests/grader/scan.h"
#include "tests/grader/tool.h"

enum { LARGEST_FILE = 256 << 10, LARGEST_PREPROCESSED = 8 << 20 };

// ---- Taking the one file -------------------------------------------------------------------------------

// Opens a path below a folder part by part, through no symbolic link. −1: not there, or not to be taken
// (errno ELOOP).
static int open_below(int folder, const char *path)
{
    char part[256];
    int at = dup(folder);
    while (at >= 0 && *path) {
        size_t length = strcspn(path, "/");
        if (length >= sizeof part) return close(at), errno = ENAMETOOLONG, -1;
        snprintf(part, sizeof part, "%.*s", (int)length, path);
        path += length;
        bool last = !*path;
        if (!last) path++;
        int next =
            openat(at, part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (last ? 0 : O_DIRECTORY));
        close(at);
        at = next;
    }
    return at;
}

// The only file NAME.c right in the folder; false when there are none or several.
static bool only_c_file(int folder, char *name, size_t size)
{
    int found = 0;
    DIR *list = fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!list) return false;
    for (struct dirent *entry; (entry = readdir(list));) {
        size_t length = strlen(entry->d_name);
        if (length < 3 || length >= size || entry->d_name[0] == '.' ||
            strcmp(entry->d_name + length - 2, ".c") != 0)
            continue;
        found++;
        memcpy(name, entry->d_name, length + 1);
    }
    closedir(list);
    return found == 1;
}

// Opens the C file of a submission; its name within the submission goes to built.
static int open_submission(const char *path, const char *chapter, Built *built)
{
    int top = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat facts;
    if (top < 0 || fstat(top, &facts) != 0 || !S_ISDIR(facts.st_mode)) {
        snprintf(built->taken, sizeof built->taken, "%s", strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
        return top;
    }
    char candidates[4][sizeof built->taken] = {"exercise.c"};
    snprintf(candidates[1], sizeof candidates[1], "chapters/%s/exercise.c", chapter);
    snprintf(candidates[2], sizeof candidates[2], "%s/exercise.c", chapter);
    if (!only_c_file(top, candidates[3], sizeof candidates[3])) candidates[3][0] = '\0';
    int file = -1;
    for (int i = 0; i < 4 && file < 0 && candidates[i][0]; i++) {
        memcpy(built->taken, candidates[i], sizeof built->taken);
        file = open_below(top, candidates[i]);
        if (file < 0 && errno == ELOOP) break;
    }
    int problem = errno;
    close(top);
    errno = problem;
    return file;
}

__attribute__((format(printf, 3, 4))) static bool refuse(Built *built, Status status, const char *format, ...)
{
    built->status = status;
    va_list values;
    va_start(values, format);
    vsnprintf(built->message, sizeof built->message, format, values);
    va_end(values);
    make_harmless(built->message);
    return false;
}

// FNV-1a, 64 bits: to notice that a file changed, not to protect anything.
static void hash_text(const char *text, size_t length, char *out, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    snprintf(out, size, "%016llx", (unsigned long long)hash);
}

// The whole of an open file as text, freed by the caller; NULL when it is larger than most or cannot be read.
static char *read_whole(int file, size_t most, size_t *length)
{
    size_t used = 0, room = most < 1 << 16 ? most + 1 : 1 << 16;
    char *text = malloc(room + 1);
    ssize_t got = 1;
    while (text && used <= most && (got = read(file, text + used, room - used)) != 0) {
        if (got < 0 && errno != EINTR) break;
        if (got > 0) used += (size_t)got;
        if (used < room || used > most) continue;
        room = 2 * room < most ? 2 * room : most + 1;
        char *longer = realloc(text, room + 1);
        if (!longer) free(text);
        text = longer;
    }
    if (!text || got < 0 || used > most) {
        free(text);
        return NULL;
    }
    text[used] = '\0';
    *length = used;
    return text;
}

static char *take_file(const Workshop *workshop, const char *path, Built *built)
{
    struct stat facts;
    size_t length = 0;
    int file = open_submission(path, workshop->chapter, built);
    make_harmless(built->taken);
    if (file < 0 && errno == ELOOP) {
        refuse(built, REJECTED, "%s is a symbolic link", built->taken);
    } else if (file < 0) {
        refuse(built, NO_FILE, "there is no file exercise.c (%s)", strerror(errno));
    } else if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        refuse(built, REJECTED, "%s is not a regular file", built->taken);
    } else if (facts.st_size > LARGEST_FILE) {
        refuse(built, REJECTED, "%s is larger than %d KiB", built->taken, LARGEST_FILE >> 10);
    } else {
        char *text = read_whole(file, LARGEST_FILE, &length);
        close(file);
        if (!text) return refuse(built, REJECTED, "%s cannot be read", built->taken), NULL;
        hash_text(text, length, built->hash, sizeof built->hash);
        if (memchr(text, '\0', length)) {
            free(text);
            return refuse(built, REJECTED, "%s is not a text file", built->taken), NULL;
        }
        return text;
    }
    if (file >= 0) close(file);
    return NULL;
}

bool hash_submission(const Workshop *workshop, const char *path, char *hash, size_t size)
{
    Built built = {.status = PASSED};
    char *text = take_file(workshop, path, &built);
    free(text);
    snprintf(hash, size, "%s", built.hash);
    return text != NULL;
}

// ---- Tools ---------------------------------------------------------------------------------------------

static void join(char *out, size_t size, const char *folder, const char *name)
{
    if (snprintf(out, size, "%s/%s", folder, name) >= (int)size) out[0] = '\0';
}

static bool write_file(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX];
    join(path, sizeof path, folder, name);
    FILE *file = fopen(path, "w");
    if (!file) return false;
    bool written = fputs(text, file) >= 0;
    return fclose(file) == 0 && written;
}

static char *read_made(const char *folder, const char *name, size_t most)
{
    char path[PATH_MAX];
    size_t length;
    join(path, sizeof path, folder, name);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return NULL;
    char *text = read_whole(file, most, &length);
    close(file);
    return text;
}

// Of what a tool said, the lines about the student's own file.
static void own_lines(const char *said, char *out, size_t size)
{
    size_t used = 0;
    for (const char *line = said; *line;) {
        size_t length = strcspn(line, "\n");
        if (strncmp(line, "exercise.c:", 11) == 0)
            for (size_t i = 0; i <= length && used + 1 < size && line[i]; i++) out[used++] = line[i];
        line += length + (line[length] == '\n');
    }
    out[used] = '\0';
}

// What the tools may read: the compiler, and what the build prepared for them.
enum { MOST_READABLE = 16 };
typedef struct {
    char prepared[4][PATH_MAX];
    const char *list[MOST_READABLE];
} Readable;

static const char *const *readable_for(const Workshop *workshop, Readable *readable)
{
    static const char *const system[] = {
        "/usr", "/lib", "/lib64", "/bin", "/opt", "/nix", "/etc/alternatives", "/etc/ld.so.cache"};
    static const char *const prepared[] = {"include", "names", "allocator", "worker.o"};
    int count = 0;
    for (size_t i = 0; i < sizeof system / sizeof *system; i++) readable->list[count++] = system[i];
    for (int i = 0; i < 4; i++) {
        join(readable->prepared[i], PATH_MAX, workshop->harness, prepared[i]);
        readable->list[count++] = readable->prepared[i];
    }
    readable->list[count] = NULL;
    return readable->list;
}

static bool tool(const Workshop *workshop, const char *const *arguments, double seconds, Built *built,
                 const char *what)
{
    static char said[1 << 16];
    Readable readable;
    ToolLimits limits = {workshop->folder, readable_for(workshop, &readable), seconds};
    switch (run_tool(&limits, arguments, said, sizeof said)) {
    case TOOL_FINE:
        return true;
    case TOOL_MISSING:
        return refuse(built, GRADER_ERROR, "%s could not be started", arguments[0]);
    case TOOL_LIMIT:
        return refuse(built, COMPILE_ERROR, "%s took more time or memory than it may", what);
    default:
        break;
    }
    if (strstr(said, "No space left on device") || strstr(said, "cannot execute") ||
        strstr(said, "Disk quota"))
        return refuse(built, GRADER_ERROR, "%s: %.300s", what, said);
    char lines[sizeof built->message - 64];
    own_lines(said, lines, sizeof lines);
    return refuse(built, COMPILE_ERROR, "%s failed:\n%s", what, lines);
}

static bool preprocess(const Workshop *workshop, Built *built)
{
    char include[PATH_MAX];
    join(include, sizeof include, workshop->harness, "include");
    char march[64];
    snprintf(march, sizeof march, "-march=%s", workshop->architecture);
    const char *const arguments[] = {workshop->compiler,
                                     "-std=c11",
                                     march,
                                     "-D_GNU_SOURCE",
                                     "-O1",
                                     "-U_FORTIFY_SOURCE",
                                     "-I",
                                     include,
                                     "-include",
                                     "exercise.h",
                                     "-E",
                                     "-MD",
                                     "-MF",
                                     "dependencies",
                                     "-o",
                                     "exercise.i",
                                     "exercise.c",
                                     NULL};
    if (!tool(workshop, arguments, 2.0, built, "reading the file")) return false;
    char *list = read_made(workshop->folder, "dependencies", LARGEST_FILE), name[PATH_MAX];
    char own[PATH_MAX];
    join(own, sizeof own, workshop->folder, "exercise.c");
    char real_own[PATH_MAX], real_include[PATH_MAX];
    bool found = realpath(own, real_own) && realpath(include, real_include);
    const char *const folders[] = {
        "/usr/include", "/usr/lib", "/usr/local/include", "/usr/local/lib", real_include, real_own, NULL};
    bool stranger = true;
    if (list && found && chdir(workshop->folder) == 0)
        stranger = scan_dependencies(list, folders, name, sizeof name);
    else
        snprintf(name, sizeof name, "(no list of files)");
    free(list);
    if (stranger)
        return refuse(built, REJECTED,
                      "includes %.200s: an exercise may include the C library, base/, matrix/ and "
                      "lesson/exercise.h",
                      name);
    char *text = read_made(workshop->folder, "exercise.i", LARGEST_PREPROCESSED);
    if (!text) return refuse(built, REJECTED, "the file is too large once its macros are written out");
    const char *reason = scan_preprocessed(text, "exercise.c");
    free(text);
    return reason ? refuse(built, REJECTED, "%s", reason) : true;
}

static bool compile(const Workshop *workshop, Built *built)
{
    char march[64];
    snprintf(march, sizeof march, "-march=%s", workshop->architecture);
    const char *const arguments[] = {workshop->compiler,
                                     "-x",
                                     "cpp-output",
                                     "-std=c11",
                                     march,
                                     "-O1",
                                     "-g1",
                                     "-w",
                                     "-ffp-contract=off",
                                     "-fno-pie",
                                     "-fno-common",
                                     "-fno-omit-frame-pointer",
                                     "-ftrivial-auto-var-init=pattern",
                                     "-fstack-protector-all",
                                     "-fsanitize=undefined,bounds,float-cast-overflow",
                                     "-fsanitize-undefined-trap-on-error",
                                     "-c",
                                     "exercise.i",
                                     "-o",
                                     "exercise.o",
                                     NULL};
    return tool(workshop, arguments, 5.0, built, "compiling");
}

// Words of the object file that a teacher may want to know.
static void flag_object(const Workshop *workshop, Built *built)
{
    static char said[1 << 18];
    Readable readable;
    ToolLimits limits = {workshop->folder, readable_for(workshop, &readable), 5.0};
    const char *const arguments[] = {"objdump", "-h", "-t", "exercise.o", NULL};
    if (run_tool(&limits, arguments, said, sizeof said) != TOOL_FINE) return;
    size_t used = strlen(built->flags);
    if (strstr(said, ".init_array") || strstr(said, ".fini_array") || strstr(said, ".ctors"))
        snprintf(built->flags + used, sizeof built->flags - used, "%sruns code before or after main",
                 used ? "; " : "");
}

static bool rename_symbols(const Workshop *workshop, Built *built)
{
    char names[PATH_MAX + 32], allocator[PATH_MAX + 32];
    snprintf(names, sizeof names, "--keep-global-symbols=%s/names", workshop->harness);
    snprintf(allocator, sizeof allocator, "--redefine-syms=%s/allocator", workshop->harness);
    const char *const arguments[] = {"objcopy", names, allocator, "exercise.o", "student.o", NULL};
    return tool(workshop, arguments, 5.0, built, "preparing the object file") ||
           refuse(built, GRADER_ERROR, "objcopy failed");
}

static bool link_worker(const Workshop *workshop, Built *built)
{
    char rest[PATH_MAX], program[PATH_MAX];
    join(rest, sizeof rest, workshop->harness, "worker.o");
    const char *const arguments[] = {workshop->compiler,
                                     "-static",
                                     "-Wl,--entry=worker_entry,-z,noexecstack",
                                     "-o",
                                     "worker",
                                     "student.o",
                                     rest,
                                     "-lm",
                                     NULL};
    if (!tool(workshop, arguments, 5.0, built, "linking")) {
        if (built->status == COMPILE_ERROR)
            snprintf(
                built->message, sizeof built->message,
                "linking failed: the file uses a function that exists neither in it nor in the C library, "
                "base/ or matrix/, or its variables are too large");
        return false;
    }
    join(program, sizeof program, workshop->folder, "worker");
    return chmod(program, 0755) == 0 || refuse(built, GRADER_ERROR, "the worker cannot be made executable");
}

void build_worker(const Workshop *workshop, const char *path, Built *built)
{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    *built = (Built){.status = PASSED};
    char *source = take_file(workshop, path, built);
    if (!source) return;
    const char *reason = scan_source(source, built->flags, sizeof built->flags);
    bool written = write_file(workshop->folder, "exercise.c", source);
    free(source);
    if (reason) {
        refuse(built, REJECTED, "%s", reason);
    } else if (!written) {
        refuse(built, GRADER_ERROR, "%s: cannot write", workshop->folder);
    } else if (preprocess(workshop, built) && compile(workshop, built)) {
        flag_object(workshop, built);
        if (rename_symbols(workshop, built)) link_worker(workshop, built);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    built->seconds = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
}

void line_of(const Workshop *workshop, uint64_t address, char *text, size_t size)
{
    char said[512], number[32];
    text[0] = '\0';
    if (address == 0) return;
    snprintf(number, sizeof number, "0x%llx", (unsigned long long)address);
    Readable readable;
    ToolLimits limits = {workshop->folder, readable_for(workshop, &readable), 5.0};
    const char *const arguments[] = {"addr2line", "-e", "worker", number, NULL};
    if (run_tool(&limits, arguments, said, sizeof said) != TOOL_FINE) return;
    const char *name = strstr(said, "exercise.c:");
    if (name && isdigit((unsigned char)name[11])) snprintf(text, size, "exercise.c:%d", atoi(name + 11));
}
