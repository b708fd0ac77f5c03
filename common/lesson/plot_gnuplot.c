// Runs gnuplot and puts the picture in its place. gnuplot may be missing, may fail, may die and may hang: whatever it does,
// the data and the script are kept, the lesson goes on, and no half-drawn picture replaces a good one.
#include "lesson/plot_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

// ---- Files -----------------------------------------------------------------------------------------------------------

static char *text_of(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
static char *text_of(Arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = arena_alloc(arena, (size_t)length + 1, 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

// One line for the reader about what kept the picture from being drawn.
static void complain(const Plot *plot, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void complain(const Plot *plot, const char *format, ...)
{
    lesson_wipe_progress(plot->lesson);
    fprintf(stderr, "%s is not drawn: ", plot->file);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

// Makes a folder and those that it lies in.
static bool make_folder(Arena *arena, const char *path)
{
    char *part = arena_string(arena, path);
    for (char *at = part + 1;; at++) {
        if (*at != '/' && *at != '\0') continue;
        char kept = *at;
        *at = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST) return false;
        *at = kept;
        if (!kept) return true;
    }
}

// Opens a draft beside the file that it will become.
static FILE *open_draft(const char *draft)
{
    int descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
}

// Ends a draft; when all of it is on the disk, it becomes the file. errno says what went wrong.
static bool close_draft(FILE *file, const char *draft, const char *path)
{
    errno = 0;
    bool written = fflush(file) == 0 && !ferror(file);
    int reason = errno;
    if (fclose(file) != 0 && written) {
        written = false;
        reason = errno;
    }
    if (written && rename(draft, path) == 0) return true;
    if (written) reason = errno;
    unlink(draft);
    errno = reason;
    return false;
}

// ---- Running ---------------------------------------------------------------------------------------------------------

// Waits for a process that may take this many seconds; then ends it and all that it has started.
static bool wait_for(pid_t process, double seconds, int *status)
{
    double until = seconds_now() + seconds;
    for (;;) {
        pid_t ended = waitpid(process, status, WNOHANG);
        if (ended == process) return true;
        if (ended < 0 && errno != EINTR) *status = 0;
        if (ended < 0 && errno != EINTR) return true;
        if (seconds_now() >= until) break;
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    kill(-process, SIGKILL);
    while (waitpid(process, status, 0) < 0 && errno == EINTR) {
    }
    return false;
}

// Starts gnuplot without a shell, in a process group of its own, with nothing to read and its messages going to a file.
static int start(pid_t *process, char *const *arguments, const char *log)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGXFSZ);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    int error = posix_spawnp(process, arguments[0], &files, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

// Whether gnuplot has drawn the picture; says why not.
static bool run_gnuplot(const Plot *plot, char *script, char *picture, char *text_plot, const char *log)
{
    char *arguments[] = {"gnuplot", "-d",      "-c", script,
                         picture,   text_plot, NULL}; // -d: no settings of the user's
    pid_t process;
    int status, error = start(&process, arguments, log);
    if (error == ENOENT) {
        complain(plot, "there is no gnuplot (`make setup` installs it); later, run: gnuplot %s", script);
    } else if (error != 0) {
        complain(plot, "gnuplot cannot be started (%s); later, run: gnuplot %s", strerror(error), script);
    } else if (!wait_for(process, plot->seconds, &status)) {
        complain(plot, "gnuplot took more than %g s and was ended; try: gnuplot %s", plot->seconds, script);
    } else if (WIFSIGNALED(status)) {
        complain(plot, "gnuplot died (%s); try: gnuplot %s", strsignal(WTERMSIG(status)), script);
    } else if (WEXITSTATUS(status) != 0) {
        complain(plot, "gnuplot failed with exit status %d and wrote %s; try: gnuplot %s",
                 WEXITSTATUS(status), log, script);
    } else {
        struct stat about;
        if (stat(picture, &about) == 0 && about.st_size > 0) return true;
        complain(plot, "gnuplot wrote nothing; try: gnuplot %s", script);
    }
    return false;
}

// ---- Drawing ---------------------------------------------------------------------------------------------------------

// Writes the data or the script; the order of the two matters to neither.
static bool write_file(Plot *plot, const char *path, const char *data, const char *picture)
{
    char *draft = text_of(plot->arena, "%s.%ld", path, (long)getpid());
    FILE *file = open_draft(draft);
    if (file && !data) write_data(file, plot);
    if (file && data) write_script(file, plot, data, picture);
    if (file && close_draft(file, draft, path)) return true;
    complain(plot, "%s: %s", path, strerror(errno));
    return false;
}

static void show_text_plot(const Plot *plot, const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) return;
    lesson_wipe_progress(plot->lesson);
    for (int c; (c = getc(file)) != EOF;)
        if (c != '\f') putc(c, stderr); // gnuplot begins with a new page
    fclose(file);
}

static bool has_room_for(const Plot *plot, Arena *arena, const char *folder)
{
    if (make_folder(arena, folder)) return true;
    complain(plot, "%s: %s", folder, strerror(errno));
    return false;
}

void draw(Plot *plot)
{
    Arena *arena = plot->arena;
    const char *build = getenv("COURSE_BUILD"), *pictures = lesson_figures(plot->lesson);
    char *folder =
        text_of(arena, "%s/figures/%s", build && *build ? build : "build", lesson_folder(plot->lesson));
    char *data = text_of(arena, "%s/%s.dat", folder, plot->stem),
         *script = text_of(arena, "%s/%s.gp", folder, plot->stem);
    char *log = text_of(arena, "%s/%s.log", folder, plot->stem),
         *text_plot = text_of(arena, "%s/%s.txt", folder, plot->stem);
    char *picture = text_of(arena, "%s/%s", pictures, plot->file);
    char *draft = text_of(arena, "%s/.%s.%ld", pictures, plot->file, (long)getpid());
    bool watched = lesson_watched(plot->lesson) && fits_a_text_plot(plot);

    plot_lay_out(plot);
    if (!has_room_for(plot, arena, folder) || !write_file(plot, data, NULL, NULL) ||
        !write_file(plot, script, data, picture))
        return;
    if (!has_room_for(plot, arena, pictures)) return;
    if (run_gnuplot(plot, script, draft, watched ? text_plot : NULL, log)) {
        if (!plot->svg) squeeze_png(draft, text_of(arena, "%s.small", draft));
        if (rename(draft, picture) != 0) complain(plot, "%s: %s", picture, strerror(errno));
        if (watched) show_text_plot(plot, text_plot);
        unlink(log);
    }
    unlink(draft);
}
