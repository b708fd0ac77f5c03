#include "lesson/lesson.h"
#include "base/cores.h"
#include "base/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SCREEN = 80, STATUS_USAGE = 2 };

// What getrusage counts memory in: bytes on macOS, kibibytes elsewhere.
#ifdef __APPLE__
#define RESIDENT_PER_MEGABYTE 1048576.0
#else
#define RESIDENT_PER_MEGABYTE 1024.0
#endif

// A bar's clock need not be exact; Linux has one that takes only a few nanoseconds to read.
#ifdef CLOCK_MONOTONIC_COARSE
#define CLOCK_FOR_BARS CLOCK_MONOTONIC_COARSE
#else
#define CLOCK_FOR_BARS CLOCK_MONOTONIC
#endif

typedef struct FailedClaim {
    Place place;
    const char *sentence;
    struct FailedClaim *next;
} FailedClaim;

typedef struct LostFigure {
    const char *file;
    struct LostFigure *next;
} LostFigure;

typedef struct {
    char given[64], what[64]; // the loop's name, and what can be shown of it
    long total, first, last;  // done when the bar began, and at the last call
    double began, drawn;      // seconds_now
    int columns;              // on the screen now, 0 when there is no bar
    int screen;               // how wide the terminal was when it was drawn
} Bar;

struct Lesson {
    Arena *own,
        *arena; // the lesson's own memory is apart: the chapter may rewind its arena between two claims
    const char *program, *folder, *title, *figures;
    const LessonOption *options; // the chapter's own
    int option_count;
    uint64_t seed;
    bool full, quiet, watched;
    int claims, failed;
    FailedClaim *first_failed, **last_failed;
    LostFigure *first_lost, **last_lost;
    double began;
    Bar bar;
    FILE *plain_stdout; // what stdout was before it was taught to wipe the bar; NULL when it was not
};

// ---- Ending early ----------------------------------------------------------------------------------------------------

// For errors of the person at the keyboard or of the machine, which no line of the source has made.
noreturn static void stop(int status, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
noreturn static void stop(int status, const char *hint, const char *format, ...)
{
    fflush(stdout);
    fputs("error: ", stderr);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n hint: %s\n", hint);
    exit(status);
}

// Standard output is the lesson: one that did not arrive is an error, and there is no use in going on.
static void flush_output(Lesson *lesson)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return;
    const char *reason = errno ? strerror(errno) : "it could not be written";
    lesson_wipe_progress(lesson);
    stop(EXIT_FAILURE, "its reader has stopped, or the disk is full", "standard output: %s", reason);
}

// ---- The command line ------------------------------------------------------------------------------------------------

static const char options_text[] =
    "  --seed N          other random numbers: N = 0, 1, 2, … (the book's, and its claims', are those of 1)\n"
    "  --full            train longer, for the better figures\n"
    "  --figures FOLDER  where the pictures go (otherwise figures/ and the chapter's name)\n"
    "  --quiet           no progress bar, no plots in the terminal\n"
    "  --help            this text\n";

// The chapter's own options first: whoever asks may have come for them.
static void print_options(const Lesson *lesson, FILE *to)
{
    int widest = 0;
    for (int i = 0; i < lesson->option_count; i++) {
        const LessonOption *option = &lesson->options[i];
        widest = int_max(widest, (int)(strlen(option->name) + 1 + strlen(option->what)));
    }
    for (int i = 0; i < lesson->option_count; i++) {
        const LessonOption *option = &lesson->options[i];
        const int rest = int_max(widest, 16) - (int)strlen(option->name) - 1;
        fprintf(to, "  %s %-*s  %s\n", option->name, rest, option->what, option->help);
    }
    fputs(options_text, to);
}

static void print_help(const Lesson *lesson)
{
    printf("%s\n\nusage: %s [options]\n", lesson->title, lesson->program);
    print_options(lesson, stdout);
    printf("\nIn the environment:\n"
           "  FULL=1            the same as --full\n"
           "  OMP_NUM_THREADS=N use N processor cores; the results are the same for any number\n"
           "  COURSE_BUILD=FOLDER  where the data and the scripts of the figures go (otherwise build)\n"
           "\nThe exit status is 0 when every claim of the lesson held and no figure was lost, 1 when not, 2 "
           "after a wrong\n"
           "option. Without gnuplot no figure is drawn, and none is lost.\n");
}

noreturn static void refuse_option(const Lesson *lesson, const char *problem, const char *option)
{
    fprintf(stderr, "%s: %s '%s'. There are:\n", lesson->program, problem, option);
    print_options(lesson, stderr);
    exit(STATUS_USAGE);
}

static uint64_t read_seed(const Lesson *lesson, const char *text)
{
    uint64_t seed = 0;
    bool fits = *text != '\0';
    for (const char *at = text; *at && fits; at++) {
        fits = isdigit((unsigned char)*at) && !__builtin_mul_overflow(seed, (uint64_t)10, &seed) &&
               !__builtin_add_overflow(seed, (uint64_t)(*at - '0'), &seed);
    }
    if (!fits)
        stop(STATUS_USAGE, "--seed takes a whole number from 0 to 18446744073709551615",
             "%s: --seed '%s' is no such number", lesson->program, text);
    return seed;
}

// The value of an option: "--name=value" or "--name value"; NULL when this argument is another option.
static const char *option_value(const Lesson *lesson, const char *name, int argc, char **argv, int *i)
{
    size_t length = strlen(name);
    if (strncmp(argv[*i], name, length) != 0) return NULL;
    if (argv[*i][length] == '=') return argv[*i] + length + 1;
    if (argv[*i][length] != '\0') return NULL;
    if (*i + 1 == argc) refuse_option(lesson, "something must follow the option", name);
    return argv[++*i];
}

// Whether this argument was one of the chapter's own options.
static bool read_own_option(const Lesson *lesson, int argc, char **argv, int *i)
{
    for (int k = 0; k < lesson->option_count; k++) {
        const LessonOption *option = &lesson->options[k];
        const char *value = option_value(lesson, option->name, argc, argv, i);
        if (!value) continue;
        if (!*value) refuse_option(lesson, "something must follow the option", option->name);
        *option->value = value;
        return true;
    }
    return false;
}

static void read_arguments(Lesson *lesson, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(lesson);
            flush_output(lesson);
            exit(EXIT_SUCCESS);
        } else if (strcmp(argv[i], "--full") == 0) {
            lesson->full = true;
        } else if (strcmp(argv[i], "--quiet") == 0) {
            lesson->quiet = true;
        } else if ((value = option_value(lesson, "--seed", argc, argv, &i)) != NULL) {
            lesson->seed = read_seed(lesson, value);
        } else if ((value = option_value(lesson, "--figures", argc, argv, &i)) != NULL) {
            if (!*value) refuse_option(lesson, "a folder must follow the option", "--figures");
            lesson->figures = value;
        } else if (!read_own_option(lesson, argc, argv, &i)) {
            refuse_option(lesson, "unknown option", argv[i]);
        }
    }
}

static void read_environment(Lesson *lesson)
{
    const char *full = getenv("FULL");
    if (!full || !*full || strcmp(full, "0") == 0) return;
    if (strcmp(full, "1") != 0)
        stop(STATUS_USAGE, "FULL=1 trains longer, FULL=0 does not", "%s: FULL is '%s' in the environment",
             lesson->program, full);
    lesson->full = true;
}

// Pictures and data are found from the course's folder. Who says where the pictures go may be elsewhere.
static void set_figures(Lesson *lesson)
{
    if (lesson->figures) return;
    struct stat about;
    if (stat("chapters", &about) != 0 || !S_ISDIR(about.st_mode))
        stop(
            EXIT_FAILURE,
            "go to the course's folder and type `make chapter…`, or say with --figures where pictures may go",
            "%s must be run from the course's folder, the one with chapters/ in it", lesson->program);
    size_t size = strlen("figures/") + strlen(lesson->folder) + 1;
    char *figures = arena_alloc(lesson->own, size, 1);
    snprintf(figures, size, "figures/%s", lesson->folder);
    lesson->figures = figures;
}

// ---- Beginning and end -----------------------------------------------------------------------------------------------

// A program that was started without one of its standard streams would write its messages into the next file it opens.
static void tame_the_process(void)
{
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        if (fcntl(descriptor, F_GETFD) >= 0) continue;
        if (open("/dev/null", descriptor == 1 ? O_RDONLY : O_RDWR) != descriptor) exit(EXIT_FAILURE);
    }
    signal(SIGPIPE, SIG_IGN); // writing fails instead, and says why
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGCHLD,
           SIG_DFL); // whoever started us may have it ignored, and then gnuplot's exit status would be lost
}

// A stream whose writes a program sees is an extension of a C library, and so is a stdout that can be set. Without them
// the lesson is the same, only its lines may run into the bar.
#if defined(__GLIBC__) || defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__)

// Written to a terminal that also shows the bar, a line of the lesson first wipes it.
static ssize_t write_without_bar(void *cookie, const char *bytes, size_t count)
{
    lesson_wipe_progress(cookie);
    for (size_t done = 0; done < count;) {
        ssize_t wrote = write(STDOUT_FILENO, bytes + done, count - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return 0;
        done += (size_t)wrote;
    }
    return (ssize_t)count;
}

#ifdef __GLIBC__
static FILE *stream_without_bar(Lesson *lesson)
{
    return fopencookie(lesson, "w", (cookie_io_functions_t){.write = write_without_bar});
}
#else
static int write_some_without_bar(void *lesson, const char *bytes, int count)
{
    return write_without_bar(lesson, bytes, (size_t)count) == count ? count : -1;
}

static FILE *stream_without_bar(Lesson *lesson)
{
    return funopen(lesson, NULL, write_some_without_bar, NULL, NULL);
}
#endif

static void watch_standard_output(Lesson *lesson)
{
    if (!lesson->watched || !isatty(STDOUT_FILENO)) return;
    fflush(stdout);
    FILE *wiping = stream_without_bar(lesson);
    if (!wiping) return;
    setvbuf(wiping, NULL, _IOLBF, BUFSIZ);
    lesson->plain_stdout = stdout;
    stdout = wiping;
}

static void restore_standard_output(Lesson *lesson)
{
    if (!lesson->plain_stdout) return;
    fclose(stdout);
    stdout = lesson->plain_stdout;
}

#else
static void watch_standard_output(Lesson *lesson) { (void)lesson; }
static void restore_standard_output(Lesson *lesson) { (void)lesson; }
#endif

Lesson *lesson_begin(int argc, char **argv, const char *folder, const char *title)
{
    return lesson_begin_with(argc, argv, folder, title, NULL, 0);
}

Lesson *lesson_begin_with(int argc, char **argv, const char *folder, const char *title,
                          const LessonOption *options, int option_count)
{
    tame_the_process();
    cores_begin();
    char *after_number;
    long number = strtol(folder, &after_number, 10);
    const bool in_appendix = *folder >= 'A' && *folder <= 'Z'; // its chapters have a letter
    after_number += in_appendix;
    check((isdigit((unsigned char)*folder) || in_appendix) && *after_number == '-' && after_number[1] &&
              !strchr(folder, '/'),
          "give the name of the chapter's folder, like \"01-linear-regression\"",
          "a lesson in the folder '%s'", folder);

    Arena *own = arena_new();
    Lesson *lesson = arena_zeros(own, 1, sizeof *lesson);
    *lesson = (Lesson){.own = own, .arena = arena_new(), .seed = 1, .began = seconds_now()};
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    lesson->program = slash ? slash + 1 : argc > 0 ? argv[0] : folder;
    lesson->folder = arena_string(own, folder);
    lesson->title = arena_string(own, title);
    lesson->options = options;
    lesson->option_count = option_count;
    lesson->last_failed = &lesson->first_failed;
    lesson->last_lost = &lesson->first_lost;
    read_environment(lesson);
    read_arguments(lesson, argc, argv);
    set_figures(lesson);
    lesson->watched = !lesson->quiet && isatty(STDERR_FILENO);
    watch_standard_output(lesson);
    printf("A Gentle Walk into Deep Learning, in C. ");
    if (in_appendix) printf("Appendix %c: %s\n", *folder, title);
    if (!in_appendix) printf("Chapter %ld: %s\n", number, title);
    return lesson;
}

int lesson_end(Lesson *lesson)
{
    if (lesson->claims > 0)
        printf("\n%d of %d %s.\n", lesson->claims - lesson->failed, lesson->claims,
               lesson->claims == 1 ? "claim holds" : "claims hold");
    flush_output(lesson);
    lesson_wipe_progress(lesson);

    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    fprintf(stderr, "%.2f s, at most %.0f MB of memory\n", seconds_now() - lesson->began,
            (double)usage.ru_maxrss / RESIDENT_PER_MEGABYTE);
    for (const FailedClaim *claim = lesson->first_failed; claim; claim = claim->next)
        fprintf(stderr, "claim does not hold: %s:%d: %s\n", claim->place.file, claim->place.line,
                claim->sentence);

    for (const LostFigure *lost = lesson->first_lost; lost; lost = lost->next)
        fprintf(stderr, "figure is not drawn: %s\n", lost->file);

    int status = lesson->failed == 0 && !lesson->first_lost ? EXIT_SUCCESS : EXIT_FAILURE;
    restore_standard_output(lesson);
    arena_free(lesson->arena);
    arena_free(lesson->own);
    return status;
}

// ---- Sections and claims ---------------------------------------------------------------------------------------------

void section(Lesson *lesson, const char *title)
{
    flush_output(lesson);
    lesson_wipe_progress(lesson);
    printf("\n── %s ", title);
    for (int column = utf8_columns(title) + 4; column < SCREEN; column++) fputs("─", stdout);
    printf("\n\n");
}

// The sentence, in the lesson's own memory.
static const char *sentence_of(Lesson *lesson, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
static const char *sentence_of(Lesson *lesson, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    check(length >= 0, "look at its arguments", "the claim '%s' cannot be printed", format);
    char *sentence = arena_alloc(lesson->own, (size_t)length + 1, 1);
    vsnprintf(sentence, (size_t)length + 1, format, again);
    va_end(again);
    return sentence;
}

void claim_at(Place place, Lesson *lesson, bool holds, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *sentence = sentence_of(lesson, format, arguments);
    va_end(arguments);
    lesson_wipe_progress(lesson);
    printf("%s %s\n", holds ? "✓" : "✗", sentence);
    lesson->claims++;
    if (holds) return;
    lesson->failed++;
    FailedClaim *failed = arena_alloc(lesson->own, 1, sizeof *failed);
    *failed = (FailedClaim){place, sentence, NULL};
    *lesson->last_failed = failed;
    lesson->last_failed = &failed->next;
}

void lesson_lost_figure(Lesson *lesson, const char *file)
{
    LostFigure *lost = arena_alloc(lesson->own, 1, sizeof *lost);
    *lost = (LostFigure){arena_string(lesson->own, file), NULL};
    *lesson->last_lost = lost;
    lesson->last_lost = &lost->next;
}

// ---- What a lesson knows ---------------------------------------------------------------------------------------------

Arena *lesson_arena(Lesson *lesson) { return lesson->arena; }
Rng lesson_rng(const Lesson *lesson, uint64_t stream) { return rng_new(lesson->seed, stream); }
bool lesson_full(const Lesson *lesson) { return lesson->full; }
bool lesson_watched(const Lesson *lesson) { return lesson->watched; }
const char *lesson_figures(const Lesson *lesson) { return lesson->figures; }
const char *lesson_folder(const Lesson *lesson) { return lesson->folder; }

static double clock_seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double seconds_now(void) { return clock_seconds(CLOCK_MONOTONIC); }

// ---- The progress bar ------------------------------------------------------------------------------------------------

static const double SECONDS_BETWEEN_BARS = 0.1;

// What the terminal says, or else the environment, or else what is usual.
static int screen_side(unsigned short said, const char *name, int usual)
{
    const char *text = getenv(name);
    long given = text ? strtol(text, NULL, 10) : 0;
    return said > 0 ? said : given > 0 && given < 10000 ? (int)given : usual;
}

void lesson_screen(int *columns, int *lines)
{
    struct winsize size = {.ws_col = 0};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) size = (struct winsize){.ws_col = 0};
    *columns = screen_side(size.ws_col, "COLUMNS", SCREEN);
    *lines = screen_side(size.ws_row, "LINES", 24);
}

// "1:05:09" or "5:09"
static void put_duration(char *text, size_t size, double seconds)
{
    long s = seconds < 359999.0 ? (long)(seconds + 0.5) : 359999;
    if (s >= 3600) snprintf(text, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    if (s < 3600) snprintf(text, size, "%ld:%02ld", s / 60, s % 60);
}

// Cuts a text so that it fills at most this many columns.
static void cut(char *text, int columns)
{
    const char *at = text;
    while (*at) {
        const char *before = at;
        columns -= utf8_width(utf8_next(&at));
        if (columns < 0) {
            text[before - text] = '\0';
            return;
        }
    }
}

// "training ██████░░░░  60 %  loss 0.3121  0:12 left", as much of it as the terminal has room for. The last column
// stays free, or some terminals would begin a new line.
static void format_bar(char *line, size_t size, const Bar *bar, double now, double loss)
{
    enum { LONGEST = 30, SHORTEST = 5 };
    double share = (double)bar->last / (double)bar->total;
    char left[32], tail[96], blocks[3 * LONGEST + 1] = "";
    put_duration(left, sizeof left,
                 (now - bar->began) * (double)(bar->total - bar->last) / (double)(bar->last - bar->first));
    int used = snprintf(tail, sizeof tail, " %3.0f %%", floor(100.0 * share));
    if (!isnan(loss)) used += snprintf(tail + used, sizeof tail - (size_t)used, "  loss %.4g", loss);
    snprintf(tail + used, sizeof tail - (size_t)used, "  %s left", left);

    int columns = bar->screen - 1, length = columns - utf8_columns(bar->what) - 1 - (int)strlen(tail);
    length = length > LONGEST ? LONGEST : length < SHORTEST ? 0 : length;
    for (int i = 0; i < length; i++) strcat(blocks, i < (int)(share * length + 0.5) ? "█" : "░");
    snprintf(line, size, "%s %s%s", bar->what, blocks, tail);
    cut(line, columns);
}

// Whether the terminal knows the sequence that clears it from the cursor to its end (ECMA-48, ED), as all but the dumb do.
static bool can_clear(void)
{
    const char *terminal = getenv("TERM");
    return terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

void lesson_wipe_progress(Lesson *lesson)
{
    Bar *bar = &lesson->bar;
    int columns, lines;
    if (bar->columns == 0) return;
    lesson_screen(&columns, &lines);
    // The cursor is on the bar's first character. In a terminal that has become narrower since, the bar may be broken
    // into lines, which must go, too; blanks for all of it could do more harm than good.
    if (columns < bar->screen && can_clear())
        fputs("\r\033[J", stderr);
    else
        fprintf(stderr, "\r%*s\r", bar->columns < columns ? bar->columns : columns - 1, "");
    bar->columns = 0;
}

static void draw_bar(Lesson *lesson, double now, double loss)
{
    Bar *bar = &lesson->bar;
    char line[512];
    int screen, lines;
    lesson_screen(&screen, &lines);
    if (screen != bar->screen) lesson_wipe_progress(lesson);
    bar->screen = screen;
    format_bar(line, sizeof line, bar, now, loss);
    int columns = utf8_columns(line);
    fprintf(stderr, "\r%s%*s\r", line, bar->columns > columns ? bar->columns - columns : 0, "");
    bar->columns = columns;
    bar->drawn = now;
}

// The words before a bar, as much of them as there is room for: whole characters, and none that moves the cursor.
static void name_bar(Bar *bar, const char *what)
{
    size_t used = 0;
    while (*what && used + 4 < sizeof bar->what) {
        uint32_t c = utf8_next(&what);
        used += (size_t)utf8_encode(bar->what + used, c < ' ' || (c >= 0x7F && c < 0xA0) ? ' ' : c);
    }
    bar->what[used] = '\0';
}

void lesson_progress(Lesson *lesson, const char *what, long done, long total, double loss)
{
    if (!lesson->watched) return;
    Bar *bar = &lesson->bar;
    double now = clock_seconds(CLOCK_FOR_BARS);
    if (done <= bar->last || total != bar->total || strncmp(what, bar->given, sizeof bar->given - 1) != 0) {
        snprintf(bar->given, sizeof bar->given, "%s", what); // a new loop; its first call ends its first step
        name_bar(bar, what);
        bar->total = total;
        bar->first = done;
        bar->began = bar->drawn = now;
    }
    bar->last = done;
    if (done >= total) {
        lesson_wipe_progress(lesson);
    } else if (done > bar->first && now - bar->drawn >= SECONDS_BETWEEN_BARS) {
        draw_bar(lesson, now, loss);
    }
}
