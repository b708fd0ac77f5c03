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
#include <unistd.h>

#include "base/name_table.h"
#include "tests/grader/harmless.h"
#include "tests/grader/listing.h"
#include "tests/grader/object.h"
#include "tests/grader/scan.h"
#include "tests/grader/toolchain.h"

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
    } else if (file < 0 && errno == EACCES) { // no missing file: it costs nobody points
        const char *name = strrchr(path, '/');
        refuse(built, GRADER_ERROR, "%s may not be read by the grader. Try: chmod -R u+rX",
               name ? name + 1 : path);
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
        snprintf(built->hash, sizeof built->hash, "%016llx",
                 (unsigned long long)name_hash(text, length)); // to notice that it changed, not to protect it
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

// ---- From the file to a worker -------------------------------------------------------------------------

enum { SAID = 1 << 16 };
static char said[SAID]; // by the tool that ran last

static char *read_made(const Workshop *workshop, const char *name, size_t most, size_t *length)
{
    char path[PATH_MAX];
    struct stat facts;
    join(path, sizeof path, workshop->folder, name);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0) return NULL;
    char *text = fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) ? read_whole(file, most, length) : NULL;
    close(file);
    return text;
}

static void add_flag(Built *built, const char *flag)
{
    size_t used = strlen(built->flags);
    snprintf(built->flags + used, sizeof built->flags - used, "%s%s", used ? "; " : "", flag);
}

// The folders of the system and of the library, whose headers a file may include.
static const char *const system_folders[] = {"/usr/include", "/usr/lib", "/usr/local/include",
                                             "/usr/local/lib", "/usr/aarch64-linux-gnu/include"};
typedef struct {
    char include[PATH_MAX], own[PATH_MAX]; // real paths
    const char *list[sizeof system_folders / sizeof *system_folders + 3];
} Folders;

// With `own` the student's file belongs to them.
static const char *const *folders_of(const Workshop *workshop, Folders *folders, bool own)
{
    char path[PATH_MAX];
    int count = 0;
    for (size_t i = 0; i < sizeof system_folders / sizeof *system_folders; i++)
        folders->list[count++] = system_folders[i];
    join(path, sizeof path, workshop->harness, "include");
    if (realpath(path, folders->include)) folders->list[count++] = folders->include;
    join(path, sizeof path, workshop->folder, "exercise.c");
    if (own && realpath(path, folders->own)) folders->list[count++] = folders->own;
    folders->list[count] = NULL;
    return folders->list;
}

static bool preprocess(const Workshop *workshop, Built *built)
{
    char name[PATH_MAX] = "(no list of files)";
    Folders folders;
    size_t length;
    if (!toolchain_step(workshop, PREPROCESS, built, said, sizeof said)) return false;
    char *list = read_made(workshop, LIST_OF_FILES, LARGEST_FILE, &length);
    bool stranger = true;
    if (list && chdir(workshop->folder) == 0)
        stranger = scan_dependencies(list, folders_of(workshop, &folders, true), name, sizeof name);
    free(list);
    if (stranger)
        return refuse(built, REJECTED,
                      "includes %.200s: an exercise may include the C library, base/, matrix/ and "
                      "lesson/exercise.h",
                      name);
    char *text = read_made(workshop, PREPROCESSED, LARGEST_PREPROCESSED, &length);
    if (!text) return refuse(built, REJECTED, "the file is too large once its macros are written out");
    const char *reason = scan_preprocessed(text, folders_of(workshop, &folders, false));
    free(text);
    return reason ? refuse(built, REJECTED, "%s", reason) : true;
}

// Compiles, looks at what the compiler wrote, and lets the assembler have it.
static bool compile(const Workshop *workshop, Built *built)
{
    Listing listing = {.verdict = LISTING_FOREIGN, .message = "the compiler wrote nothing that can be read"};
    size_t length;
    if (!toolchain_step(workshop, COMPILE, built, said, sizeof said)) return false;
    char *text = read_made(workshop, LISTING, TOOL_FILE, &length);
    bool fine = text && read_listing(text, length, &listing);
    free(text);
    if (!fine)
        return refuse(built, listing.verdict == LISTING_LARGE ? COMPILE_ERROR : REJECTED, "%s",
                      listing.message);
    return toolchain_step(workshop, ASSEMBLE, built, said, sizeof said);
}

// Whether `name` stands in a list of names, each with `mark` after it.
static bool has_name(const char *list, const char *name, char mark)
{
    size_t length = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at++)
        if ((at == list || at[-1] == mark) && at[length] == mark) return true;
    return false;
}

// Keeps the names of functions that are none of the exercise's.
static void keep_functions(const Workshop *workshop, const char *functions, Built *built)
{
    char path[PATH_MAX], name[128];
    size_t length, used = 0;
    join(path, sizeof path, workshop->harness, "names");
    int file = open(path, O_RDONLY | O_CLOEXEC);
    char *names = file < 0 ? NULL : read_whole(file, LARGEST_FILE, &length);
    if (file >= 0) close(file);
    for (int taken; names && sscanf(functions, "%127s%n", name, &taken) == 1; functions += taken)
        if (!has_name(names, name, '\n') && used + strlen(name) + 2 < sizeof built->functions)
            used += (size_t)sprintf(built->functions + used, "%s ", name);
    free(names);
    make_harmless(built->functions);
}

static bool look_at_object(const Workshop *workshop, Object *object, Built *built)
{
    size_t length = 0;
    char *bytes = read_made(workshop, OBJECT, TOOL_FILE, &length);
    bool fine = read_object(bytes ? bytes : "", length, object);
    free(bytes);
    if (!fine) return refuse(built, object->too_large ? COMPILE_ERROR : REJECTED, "%s", object->message);
    if (object->runs_early) add_flag(built, "runs code before or after main");
    if (object->runs_first) add_flag(built, "runs code before the C library starts");
    keep_functions(workshop, object->functions, built);
    return true;
}

// Which of the names that the object wants the linker did not find: they are taken from the object, and only
// looked up in what the linker said.
static bool name_missing(const Object *object, Built *built)
{
    char name[100], quoted[104], list[400] = "";
    int count = 0, taken;
    for (const char *at = object->wanted; sscanf(at, "%99s%n", name, &taken) == 1; at += taken) {
        snprintf(quoted, sizeof quoted, "`%s'", name);
        size_t used = strlen(list);
        if (strstr(said, quoted) && count++ < 4)
            snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", name);
    }
    if (count == 0) return false; // it failed for another reason, which built has
    return refuse(built, COMPILE_ERROR,
                  "linking failed: the file uses %s%s, which exist%s neither in it nor in the C library, "
                  "base/ or matrix/. "
                  "Is a name misspelt?",
                  list, count > 4 ? " and others" : "", count > 1 ? "" : "s");
}

static bool link_worker(const Workshop *workshop, Built *built)
{
    static Object object;
    char program[PATH_MAX];
    if (!look_at_object(workshop, &object, built) ||
        !toolchain_step(workshop, PREPARE, built, said, sizeof said))
        return false;
    if (!toolchain_step(workshop, LINK, built, said, sizeof said))
        return built->status == COMPILE_ERROR ? name_missing(&object, built) : false;
    join(program, sizeof program, workshop->folder, "worker");
    return chmod(program, 0755) == 0 || refuse(built, GRADER_ERROR, "the worker cannot be made executable");
}

// Every kind of line end becomes '\n', as the scan reads them: compilers do not agree about a lone '\r'.
static void plain_line_ends(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        bool pair = from[0] == '\r' && from[1] == '\n'; // looked at before it is overwritten
        *to++ = *from == '\r' ? '\n' : *from;
        from += pair;
    }
    *to = '\0';
}

void build_worker(const Workshop *workshop, const char *path, Built *built)
{
    *built = (Built){.status = PASSED};
    char *source = take_file(workshop, path, built);
    if (!source) return;
    plain_line_ends(source);
    unsigned user = tools_user(workshop);
    if (user && chown(workshop->folder, user, user) != 0)
        refuse(built, GRADER_ERROR, "%.500s: %s", workshop->folder, strerror(errno));
    const char *reason = scan_source(source, built->flags, sizeof built->flags);
    bool written = toolchain_write(workshop, "exercise.c", source);
    free(source);
    if (reason)
        refuse(built, REJECTED, "%s", reason);
    else if (!written || built->status != PASSED)
        refuse(built, GRADER_ERROR, "%s: cannot write", workshop->folder);
    else if (preprocess(workshop, built) && compile(workshop, built))
        link_worker(workshop, built);
}

void add_misspelling(const Built *built, char *message, size_t size)
{
    char wanted[128], found[128];
    if (sscanf(message, "there is no function %127s in the file", wanted) != 1) return;
    likeliest(built->functions, wanted, found, sizeof found);
    size_t used = strlen(message);
    if (found[0]) snprintf(message + used, size - used, "; it has %s, is that meant?", found);
}

void line_of(const Workshop *workshop, uint64_t address, char *text, size_t size)
{
    char place[512], number[32];
    text[0] = '\0';
    if (address == 0) return;
    snprintf(number, sizeof number, "0x%llx", (unsigned long long)address);
    const char *const arguments[] = {"addr2line", "-e", "worker", number, NULL};
    if (!toolchain_ask(workshop, arguments, place, sizeof place)) return;
    const char *name = strstr(place, "exercise.c:");
    if (name && isdigit((unsigned char)name[11])) snprintf(text, size, "exercise.c:%d", atoi(name + 11));
}
