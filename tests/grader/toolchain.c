// toolchain.c: see toolchain.h.
#include "tests/grader/toolchain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/grader/harmless.h"
#include "tests/grader/jail.h"
#include "tests/grader/turn.h"

// ---- Files ---------------------------------------------------------------------------------------------

void join(char *out, size_t size, const char *folder, const char *name)
{
    if (snprintf(out, size, "%s/%s", folder, name) >= (int)size) out[0] = '\0';
}

bool toolchain_write(const Workshop *workshop, const char *name, const char *text)
{
    char path[PATH_MAX];
    unsigned user = tools_user(workshop);
    join(path, sizeof path, workshop->folder, name);
    FILE *file = fopen(path, "w");
    if (!file) return false;
    bool written = fputs(text, file) >= 0 && (!user || fchown(fileno(file), user, user) == 0);
    return fclose(file) == 0 && written;
}

// ---- What the tools may read, and as whom they run -----------------------------------------------------

enum { MOST_READABLE = 16 };
typedef struct {
    char prepared[4][PATH_MAX];
    const char *list[MOST_READABLE];
} Readable;

static const char *const system_places[] = {
    "/usr", "/lib", "/lib64", "/bin", "/etc/alternatives", "/etc/ld.so.cache"};
enum { SYSTEM_PLACES = sizeof system_places / sizeof *system_places };

// /opt/NAME or /nix/store when the compiler lives there, NULL otherwise.
static const char *place_of_compiler(const char *compiler)
{
    static const char *const folders[] = {"/usr/local/bin/", "/usr/bin/", "/bin/"};
    static char place[PATH_MAX];
    char path[PATH_MAX];
    const char *found = strchr(compiler, '/') ? realpath(compiler, place) : NULL;
    for (int i = 0; i < 3 && !strchr(compiler, '/') && !found; i++)
        if (snprintf(path, sizeof path, "%s%s", folders[i], compiler) < (int)sizeof path)
            found = realpath(path, place);
    if (!found || (strncmp(found, "/opt/", 5) != 0 && strncmp(found, "/nix/store/", 11) != 0)) return NULL;
    char *end = strchr(place + 5, '/');
    if (!end) return NULL;
    *end = '\0';
    return place;
}

static const char *const *readable_for(const Workshop *workshop, Readable *readable)
{
    static const char *const prepared[] = {"include", "names", "allocator", "worker.o"};
    int count = 0;
    for (int i = 0; i < SYSTEM_PLACES; i++) readable->list[count++] = system_places[i];
    for (int i = 0; i < 4; i++) {
        join(readable->prepared[i], PATH_MAX, workshop->harness, prepared[i]);
        readable->list[count++] = readable->prepared[i];
    }
    const char *own = place_of_compiler(workshop->compiler);
    if (own) readable->list[count++] = own;
    readable->list[count] = NULL;
    return readable->list;
}

const char *readable_place(const char *compiler, const char *path)
{
    char real[PATH_MAX];
    if (!realpath(path, real)) return NULL;
    for (int i = 0; i <= SYSTEM_PLACES; i++) {
        const char *place = i < SYSTEM_PLACES ? system_places[i] : place_of_compiler(compiler);
        size_t length = place ? strlen(place) : 0;
        if (place && strncmp(real, place, length) == 0 && (real[length] == '/' || real[length] == '\0'))
            return place;
    }
    return NULL;
}

bool tools_are_fenced(void)
{
    static const char *const nothing[] = {NULL};
    pid_t process = fork();
    if (process == 0) _exit(!jail_files(nothing, "/dev/null"));
    int status = 1;
    while (process > 0 && waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    return process > 0 && status == 0;
}

unsigned tools_user(const Workshop *workshop)
{
    static unsigned asked, answer; // the same in all of a submission's own process
    char files[4][PATH_MAX];
    static const char *const names[] = {"include/exercise.h", "names", "allocator", "worker.o"};
    if (geteuid() != 0 || workshop->user == 0) return 0;
    if (asked == workshop->user) return answer;
    for (int i = 0; i < 4; i++) join(files[i], sizeof files[i], workshop->harness, names[i]);
    const char *const list[] = {files[0], files[1], files[2], files[3], NULL};
    asked = workshop->user;
    return answer = user_can_read(asked, list) ? asked : 0;
}

// ---- The steps -----------------------------------------------------------------------------------------

enum { MOST_ARGUMENTS = 32, LONGEST_ARGUMENT = PATH_MAX + 40 };
typedef struct {
    char text[MOST_ARGUMENTS][LONGEST_ARGUMENT];
    const char *list[MOST_ARGUMENTS + 1];
    int count;
} Arguments;

__attribute__((format(printf, 2, 3))) static void put(Arguments *arguments, const char *format, ...)
{
    if (arguments->count == MOST_ARGUMENTS) abort();
    char *text = arguments->text[arguments->count];
    va_list values;
    va_start(values, format);
    vsnprintf(text, LONGEST_ARGUMENT, format, values);
    va_end(values);
    arguments->list[arguments->count++] = text;
    arguments->list[arguments->count] = NULL;
}

static void put_all(Arguments *arguments, const char *const *list)
{
    for (; *list; list++) put(arguments, "%s", *list);
}

// The command of a step for name.c
static void command(Arguments *arguments, const Workshop *workshop, Step step, const char *name)
{
    static const char *const reading[] = {
        "-D_GNU_SOURCE", "-O1", "-U_FORTIFY_SOURCE", "-include", "exercise.h", "-E", "-MD", NULL};
    static const char *const compiling[] = {"-O1",
                                            "-g1",
                                            "-w",
                                            "-ffp-contract=off",
                                            "-fno-pie",
                                            "-fno-common",
                                            "-fno-omit-frame-pointer",
                                            "-fno-verbose-asm",
                                            "-ftrivial-auto-var-init=pattern",
                                            "-fstack-protector-all",
                                            "-fsanitize=undefined,bounds,float-cast-overflow",
                                            "-fsanitize-undefined-trap-on-error",
                                            NULL};
    arguments->count = 0;
    if (step == PREPARE) {
        put(arguments, "objcopy");
        put(arguments, "--keep-global-symbols=%s/names", workshop->harness);
        put(arguments, "--redefine-syms=%s/allocator", workshop->harness);
        put(arguments, "%s.o", name);
        put(arguments, "%s.ready.o", name);
        return;
    }
    put(arguments, "%s", workshop->compiler);
    if (step == LINK) {
        put_all(arguments,
                (const char *const[]){"-static", "-Wl,--entry=worker_entry,-z,noexecstack", "-o", NULL});
        put(arguments, "%s", strcmp(name, "exercise") == 0 ? "worker" : "control");
        put(arguments, "%s.ready.o", name);
        put(arguments, "%s/worker.o", workshop->harness);
        put(arguments, "-lm");
        return;
    }
    put(arguments, "-march=%s", workshop->architecture);
    if (step != ASSEMBLE) put(arguments, "-std=c11");
    if (step == PREPROCESS) {
        put_all(arguments, reading);
        put(arguments, "-I%s/include", workshop->harness);
        put(arguments, "-MF");
        put(arguments, "%s.d", name);
    }
    if (step == COMPILE) put_all(arguments, compiling);
    put(arguments, "-o");
    put(arguments, "%s.%c", name, "iso"[step]);
    if (step == COMPILE) put_all(arguments, (const char *const[]){"-x", "cpp-output", "-S", NULL});
    if (step == ASSEMBLE) put_all(arguments, (const char *const[]){"-x", "assembler", "-c", NULL});
    put(arguments, "%s.%c", name, "cis"[step]);
}

static ToolEnd take_step(const Workshop *workshop, Step step, const char *name, double seconds, char *said,
                         size_t size, ToolUse *use)
{
    static Arguments arguments;
    Readable readable;
    command(&arguments, workshop, step, name);
    const ToolLimits limits = {workshop->folder, readable_for(workshop, &readable), tools_user(workshop),
                               seconds, IDLE_SECONDS};
    return run_tool(&limits, arguments.list, said, size, use);
}

bool toolchain_ask(const Workshop *workshop, const char *const *arguments, char *said, size_t size)
{
    Readable readable;
    const ToolLimits limits = {workshop->folder, readable_for(workshop, &readable), tools_user(workshop),
                               BUILD_SECONDS, IDLE_SECONDS};
    return run_tool(&limits, arguments, said, size, NULL) == TOOL_FINE;
}

// ---- Who is to blame -----------------------------------------------------------------------------------

static const char *const step_names[STEP_COUNT] = {"reading the file", "compiling", "assembling",
                                                   "preparing the object file", "linking"};

static const char control[] =
    "#include <math.h>\n"
    "#include \"exercise.h\"\n"
    "static const char *const texts[] = {\"a\", \"b\"};\n"
    "double control(Matrix m, int n) { return sqrt(m.data[n % 2]) + texts[n % 2][0]; }\n";

// Whether the disk takes a few megabytes more.
static bool disk_has_room(const char *folder, char *why, size_t size)
{
    static const char block[1 << 16] = {1};
    char path[PATH_MAX];
    join(path, sizeof path, folder, "control.room");
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool fine = file >= 0;
    for (int i = 0; i < 64 && fine; i++) fine = write(file, block, sizeof block) == sizeof block;
    int problem = errno;
    if (file >= 0 && close(file) != 0) fine = false;
    unlink(path);
    if (!fine) snprintf(why, size, "%.200s does not take 4 MiB more: %s", folder, strerror(problem));
    return fine;
}

// Whether the grader's own file passes the steps up to this one.
static bool control_passes(const Workshop *workshop, Step last, char *why, size_t size)
{
    static char said[1 << 12];
    const char *const made[] = {PREPROCESSED, LISTING, OBJECT, "exercise.ready.o", "worker"};
    for (int i = last; i < STEP_COUNT; i++) { // whatever the student's file left must not be in the way
        char path[PATH_MAX];
        join(path, sizeof path, workshop->folder, made[i]);
        unlink(path);
    }
    if (!disk_has_room(workshop->folder, why, size)) return false;
    if (!toolchain_write(workshop, "control.c", control)) {
        snprintf(why, size, "%.200s/control.c cannot be written: %s", workshop->folder, strerror(errno));
        return false;
    }
    for (Step step = 0; step <= last; step++)
        if (take_step(workshop, step, "control", BUILD_SECONDS, said, sizeof said, NULL) != TOOL_FINE) {
            snprintf(why, size, "%s fails with a file of the grader's own too: %.300s", step_names[step],
                     said);
            return false;
        }
    return true;
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

__attribute__((format(printf, 3, 4))) static bool fail(Built *built, Status status, const char *format, ...)
{
    built->status = status;
    va_list values;
    va_start(values, format);
    vsnprintf(built->message, sizeof built->message, format, values);
    va_end(values);
    make_harmless(built->message);
    return false;
}

static bool blame(const Workshop *workshop, Step step, ToolEnd end, const ToolUse *use, const char *said,
                  Built *built)
{
    enum { MUCH_MEMORY = 256 << 10 }; // KiB: less than that no kernel ends a compiler for
    char why[1024], lines[sizeof built->message - 64];
    if (end == TOOL_KILLED && use->largest < MUCH_MEMORY)
        return fail(built, GRADER_ERROR, "%s was ended from outside, twice: %s", step_names[step],
                    "does something on this machine kill compilers?");
    if (!control_passes(workshop, step, why, sizeof why)) return fail(built, GRADER_ERROR, "%s", why);
    own_lines(said, lines, sizeof lines);
    return fail(built, COMPILE_ERROR, "%s failed:\n%s", step_names[step],
                lines[0] ? lines
                         : "the tools take other files, but not this one: is something in it very large, or "
                           "very deeply nested?");
}

// What fails after so much, ten times what an exercise needs, failed for that.
static bool has_used_much(const ToolUse *use)
{
    return use->seconds > BUILD_SECONDS / 2 || use->largest > TOOL_MEMORY / 2 >> 10;
}

bool toolchain_step(const Workshop *workshop, Step step, Built *built, char *said, size_t size)
{
    char folder[PATH_MAX];
    double left = BUILD_SECONDS - built->seconds;
    ToolUse use;
    join(folder, sizeof folder, workshop->folder, "..");
    if (!turn_enter(folder))
        return fail(built, GRADER_ERROR, "%.500s: no lock can be had: %s", folder, strerror(errno));
    ToolEnd end = take_step(workshop, step, "exercise", left, said, size, &use);
    bool fine = end == TOOL_FINE;
    if ((end == TOOL_FAILED || end == TOOL_KILLED) && has_used_much(&use)) end = TOOL_LIMIT;
    if (end == TOOL_FAILED || end == TOOL_KILLED) {
        turn_alone();
        end = take_step(workshop, step, "exercise", left, said, size, &use);
        fine = end == TOOL_FINE ||
               (end != TOOL_LIMIT && end != TOOL_MISSING && blame(workshop, step, end, &use, said, built));
        turn_share();
    }
    built->seconds += use.seconds;
    if (end == TOOL_MISSING)
        return fail(built, GRADER_ERROR, "%s could not be started",
                    step == PREPARE ? "objcopy" : workshop->compiler);
    if (end == TOOL_LIMIT)
        return fail(built, COMPILE_ERROR,
                    "%s took too much time or memory; a file may take %d s in all, and %d MiB",
                    step_names[step], BUILD_SECONDS, TOOL_MEMORY >> 20); // the same words whatever JOBS
    return fine;
}
