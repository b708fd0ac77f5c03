// Runs gnuplot and puts the picture in its place. gnuplot may be missing, may fail, may die, may hang, and may say that all
// went well when the disk was full: whatever it does, the data and the script are kept, the lesson goes on, and no
// half-drawn picture replaces a good one.
#include "lesson/child.h"
#include "lesson/plot/parts.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

// The same where that is no lack of the machine's, but something went wrong: then the lesson fails, too.
#define fail(plot, ...) (complain(plot, __VA_ARGS__), lesson_lost_figure((plot)->lesson, (plot)->file))

// The path as gnuplot takes it for a file: what begins with <, |, $, ~ or - is something else to it.
static const char *file_path(Arena *arena, const char *path)
{
    bool plain = *path == '/' || *path == '.' || isalnum((unsigned char)*path);
    return plain ? path : text_of(arena, "./%s", path);
}

// A path to be typed into a shell.
static const char *typed(Arena *arena, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:@%";
    if (*path && path[strspn(path, plain)] == '\0') return path;
    char *quoted = arena_alloc(arena, 4 * strlen(path) + 3, 1), *at = quoted;
    *at++ = '\'';
    for (; *path; path++) {
        if (*path == '\'') at = stpcpy(at, "'\\'"); // ends, a quote, begins again
        *at++ = *path;
    }
    strcpy(at, "'");
    return quoted;
}

// Makes a folder and those that it lies in.
static bool make_folder(Arena *arena, const char *path)
{
    struct stat about;
    char *part = arena_string(arena, path);
    for (char *at = part + 1;; at++) {
        if (*at != '/' && *at != '\0') continue;
        char kept = *at;
        *at = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST) return false;
        *at = kept;
        if (kept) continue;
        if (stat(path, &about) != 0) return false; // a link to nowhere
        errno = ENOTDIR;
        return S_ISDIR(about.st_mode);
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

// Whether gnuplot has drawn the picture; says why not.
static bool run_gnuplot(const Plot *plot, char *script, char *picture, const char *log)
{
    char *arguments[] = {"gnuplot", "-d", "-c", script, picture, NULL}; // -d: no settings of the user's
    const char *again = typed(plot->arena, script);
    Child child = child_run(arguments, log, true, plot->seconds);
    switch (child.end) {
    case CHILD_MISSING:
        complain(plot, "there is no gnuplot (`make setup` installs it); later, run: gnuplot %s", again);
        return false;
    case CHILD_REFUSED:
        fail(plot, "gnuplot cannot be started (%s); later, run: gnuplot %s", strerror(child.detail), again);
        return false;
    case CHILD_SLOW:
        fail(plot, "gnuplot took more than %g s and was ended; try: gnuplot %s", plot->seconds, again);
        return false;
    case CHILD_LOUD:
        fail(plot, "gnuplot wrote more than %d MB of messages and was ended; try: gnuplot %s",
             CHILD_MOST >> 20, again);
        return false;
    case CHILD_KILLED:
        fail(plot, "gnuplot died (%s); try: gnuplot %s", strsignal(child.detail), again);
        return false;
    case CHILD_ENDED:
        break;
    }
    struct stat about;
    if (child.detail != 0)
        fail(plot, "gnuplot failed with exit status %d and wrote %s; try: gnuplot %s", child.detail, log,
             again);
    else if (stat(picture, &about) != 0 || about.st_size == 0)
        fail(plot, "gnuplot wrote nothing; is the disk full? Try: gnuplot %s", again);
    else if (!is_whole_picture(picture, plot->svg))
        fail(plot, "what gnuplot wrote is no whole %s; is the disk full? Try: gnuplot %s",
             plot->svg ? "SVG" : "PNG", again);
    else
        return true;
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
    fail(plot, "%s: %s", path, strerror(errno));
    return false;
}

// A terminal gets a text plot as wide as it is, up to MOST_COLUMNS; its last column and some of its lines stay free.
static void show_text_plot(Plot *plot)
{
    enum { MOST_COLUMNS = 200, USUAL_LINES = 20 };
    int columns, lines;
    lesson_screen(&columns, &lines);
    lesson_wipe_progress(plot->lesson);
    write_text_plot(stderr, plot, int_min(columns, MOST_COLUMNS) - 1, int_min(lines - 2, USUAL_LINES));
}

static bool has_room_for(const Plot *plot, Arena *arena, const char *folder)
{
    if (make_folder(arena, folder)) return true;
    fail(plot, "%s: %s", folder, strerror(errno));
    return false;
}

// The draft becomes the picture. A link that was there is replaced, and not what it points to.
static void put_in_place(const Plot *plot, const char *draft, const char *picture)
{
    const char *small = text_of(plot->arena, "%s.small", draft);
    bool known = true;
    int error = plot->svg ? squeeze_svg(draft, small, *plot->title ? plot->title : plot->stem, &known)
                          : squeeze_png(draft, small);
    if (!known)
        plot_tell(plot, "this gnuplot's SVG is another than is known, and stays light on a dark page");
    if (error == 0 && rename(draft, picture) == 0) return;
    fail(plot, "%s: %s", picture, strerror(error ? error : errno));
}

void draw(Plot *plot)
{
    Arena *arena = plot->arena;
    const char *build = getenv("COURSE_BUILD"), *pictures = file_path(arena, lesson_figures(plot->lesson));
    char *folder = text_of(arena, "%s/figures/%s", file_path(arena, build && *build ? build : "build"),
                           lesson_folder(plot->lesson));
    char *data = text_of(arena, "%s/%s.dat", folder, plot->stem),
         *script = text_of(arena, "%s/%s.gp", folder, plot->stem),
         *log = text_of(arena, "%s/%s.log", folder, plot->stem);
    char *picture = text_of(arena, "%s/%s", pictures, plot->file);
    char *draft = text_of(arena, "%s/.%s.%ld", pictures, plot->file, (long)getpid());

    plot_fix_ranges(plot);
    if (lesson_watched(plot->lesson) && fits_a_text_plot(plot)) show_text_plot(plot);
    if (!has_room_for(plot, arena, folder)) return;
    plot_prepare_words(plot, log);
    plot_lay_out(plot);
    if (!write_file(plot, data, NULL, NULL) || !write_file(plot, script, data, picture)) return;
    if (!has_room_for(plot, arena, pictures)) return;
    if (run_gnuplot(plot, script, draft, log)) {
        put_in_place(plot, draft, picture);
        unlink(log);
    }
    unlink(draft);
}
