// Pictures: what gnuplot is given is what the chapter gave; whatever gnuplot does, the lesson goes on and prints the same.
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "lesson/plot/parts.h"
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

// gcc 14 takes a colour that stb_image reads only where it was set for one that may not have been.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#include <stb/stb_image.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

// ---- Lessons that draw -----------------------------------------------------------------------------------------------

typedef struct {
    void (*draw)(Lesson *lesson, void *context);
    void *context;
    const char *path;            // for programs, NULL: as it is
    const char *figures, *build; // NULL: in the scratch folder
    bool lost;                   // a figure, so that the lesson must fail
} Drawing;

static void run_drawing(void *context)
{
    const Drawing *drawing = context;
    char *argv[] = {(char[]){"x"}, (char[]){"--figures"}, (char *)(uintptr_t)drawing->figures, NULL};
    if (!drawing->figures) argv[2] = (char *)(uintptr_t)scratch_path("figures");
    setenv("COURSE_BUILD", drawing->build ? drawing->build : scratch_path("build"), 1);
    if (drawing->path) setenv("PATH", drawing->path, 1);
    Lesson *lesson = lesson_begin(3, argv, "07-drawing", "Drawing");
    drawing->draw(lesson, drawing->context);
    printf("went on\n");
    exit(lesson_end(lesson));
}

// Runs it and expects this on standard output between title and end; returns what was on standard error.
static const char *expect_figures(Drawing *drawing, const char *wanted)
{
    static char errors[1 << 16], output[1 << 12];
    int status;
    snprintf(output, sizeof output, "A Gentle Walk into Deep Learning, in C. Chapter 7: Drawing\n%swent on\n",
             wanted);
    const char *path = scratch_path("stderr");
    int kept = dup(STDERR_FILENO), file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDERR_FILENO);
    const char *text = stdout_of(run_drawing, drawing, &status);
    dup2(kept, STDERR_FILENO);
    close(kept);
    ssize_t length = pread(file, errors, sizeof errors - 1, 0);
    close(file);
    errors[length > 0 ? length : 0] = '\0';
    ck_assert_msg(status == drawing->lost && strcmp(text, output) == 0, "exit status %d, it wrote: %s%s",
                  status, text, errors);
    return errors;
}

// The complaint in one line; then time and memory; then, when a figure is lost, its name.
static void expect_complaint(Drawing *drawing, const char *wanted, const char *complaint)
{
    const char *errors = expect_figures(drawing, wanted);
    ck_assert_msg(strncmp(errors, complaint, strlen(complaint)) == 0, "expected \"%s\", got \"%s\"",
                  complaint, errors);
    const char *second = strchr(errors, '\n'), *third = second ? strchr(second + 1, '\n') : NULL;
    ck_assert_msg(third && strstr(second, " of memory\n") &&
                      strcmp(third + 1, drawing->lost ? "figure is not drawn: loss.png\n" : "") == 0,
                  "other lines than one: %s", errors);
}

// A PNG of one red pixel.
static const uint8_t red_pixel[69] = {
    137, 80, 78, 71, 13, 10, 26,  10,  0,   0,   0,   13, 73, 72, 68, 82, 0,  0,  0,   1,   0,  0,   0,
    1,   8,  2,  0,  0,  0,  144, 119, 83,  222, 0,   0,  0,  12, 73, 68, 65, 84, 120, 156, 99, 248, 207,
    192, 0,  0,  3,  1,  1,  0,   201, 254, 146, 239, 0,  0,  0,  0,  73, 69, 78, 68,  174, 66, 96,  130};

// A program called gnuplot, in a folder of its own, which is returned.
static const char *fake_gnuplot(const char *script)
{
    static char folder[256];
    char path[300];
    snprintf(folder, sizeof folder, "%s", scratch_path("bin"));
    mkdir(folder, 0700);
    snprintf(path, sizeof path, "%s/gnuplot", folder);
    FILE *file = fopen(path, "w");
    fprintf(file, "#!/bin/sh\n%s\n", script);
    fclose(file);
    chmod(path, 0700);
    return folder;
}

static const char *read_scratch(const char *name)
{
    static char text[1 << 20];
    FILE *file = fopen(scratch_path(name), "r");
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file) fclose(file);
    text[length] = '\0';
    return text;
}

static bool exists(const char *name) { return access(scratch_path(name), F_OK) == 0; }

// How many files are in a scratch folder, hidden ones too.
static int files_in(const char *name)
{
    char command[300], line[32] = "";
    snprintf(command, sizeof command, "ls -A '%s' 2>/dev/null | wc -l", scratch_path(name));
    FILE *pipe = popen(command, "r");
    if (!fgets(line, sizeof line, pipe)) ck_abort_msg("no answer to %s", command);
    pclose(pipe);
    return atoi(line);
}

// Takes away what earlier tests have drawn.
static void clear_scratch(void)
{
    char command[400];
    snprintf(command, sizeof command, "rm -rf '%s' '%s'", scratch_path("figures"), scratch_path("build"));
    ck_assert_int_eq(system(command), 0);
}

static const float sample[] = {1.0f, 0.5f, 0.25f, 0.125f};

static void draw_line(Lesson *lesson, void *context)
{
    const char *name = context ? context : "loss.png";
    Plot *plot = plot_begin(lesson, name, "Title");
    plot_line(plot, "η = 0.1", NULL, sample, 4);
    plot_end(plot, "It falls.");
}

// ---- What gnuplot is given ---------------------------------------------------------------------------------------------

// Runs the drawing without gnuplot and returns its data or its script.
static const char *written(void (*draw_it)(Lesson *, void *), const char *name)
{
    Drawing drawing = {.draw = draw_it, .path = "/nowhere"};
    int status, kept = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDERR_FILENO);
    stdout_of(run_drawing, &drawing, &status);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(nowhere);
    ck_assert_int_eq(status, 0);
    return read_scratch(name);
}

static void expect_text(const char *text, const char *wanted)
{
    ck_assert_msg(strstr(text, wanted) != NULL, "expected \"%s\" in: %s", wanted, text);
}

static void draw_points(Lesson *lesson, void *context)
{
    (void)context;
    float x[] = {1, 2, 3}, y[] = {0.1f, NAN, -INFINITY}, low[] = {0, 1, 2}, high[] = {2, 3, 4};
    char label[] = "first";
    Plot *plot = plot_begin(lesson, "points.png", "T");
    plot_line(plot, label, x, y, 3);
    plot_band(plot, NULL, NULL, low, high, 3);
    plot_points(plot, NULL, NULL, NULL, 0); // numbers its block, though it has no points
    plot_horizontal(plot, NULL, 1.5);
    memset(x, 0, sizeof x); // everything is copied
    memset(y, 0, sizeof y);
    memset(label, 'z', 5);
    plot_end(plot, "c");
}

START_TEST(data_is_written_to_the_last_digit_with_nan_for_gaps)
{
    const char *data = written(draw_points, "build/figures/07-drawing/points.dat");
    expect_text(
        data,
        "# block 0, line: first\n# x y\n1 0.100000001\n2 nan\n3 nan\n\n\n# block 1, band\n# x low high\n"
        "0 0 2\n1 1 3\n2 2 4\n\n\n# block 2, points\n# x y\nNaN NaN NaN\n\n\n# block 3, a height\n");
}
END_TEST

static void draw_bars(Lesson *lesson, void *context)
{
    (void)context;
    char first[] = "one", second[] = "two 2 %";
    const char *names[] = {first, second};
    Plot *plot = plot_begin(lesson, "bars.png", "T");
    plot_bars(plot, names, sample, 2);
    memset(first, 'z', 3);
    memset(second, 'z', 3);
    names[0] = names[1] = "other";
    plot_end(plot, "c");
}

START_TEST(bars_keep_their_names)
{
    expect_text(written(draw_bars, "build/figures/07-drawing/bars.gp"),
                "set xtics ('one' 0, 'two 2 %%' 1)\n");
    expect_text(read_scratch("build/figures/07-drawing/bars.dat"),
                "\n-0.349999994 1 0.349999994\n0.649999976 0.5 1.35000002\n");
}
END_TEST

static void draw_histogram(Lesson *lesson, void *context)
{
    (void)context;
    const float values[] = {0, 1, 1.5f, 2, 2.5f, 3.9f, 4, NAN};
    Plot *plot = plot_begin(lesson, "histogram.png", "T");
    plot_histogram(plot, "h", values, 8, 4);
    plot_end(plot, "c");
}

START_TEST(a_histogram_counts_every_finite_value_once)
{
    expect_text(written(draw_histogram, "build/figures/07-drawing/histogram.dat"),
                "\n0 1 1\n1 2 2\n2 2 3\n3 2 4\n");
}
END_TEST

static void draw_equal_values(Lesson *lesson, void *context)
{
    (void)context;
    const float values[] = {5, 5, 5};
    Plot *plot = plot_begin(lesson, "equal.png", "T");
    plot_histogram(plot, "h", values, 3, 2);
    plot_end(plot, "c");
}

START_TEST(a_histogram_of_equal_values_has_a_width)
{
    expect_text(written(draw_equal_values, "build/figures/07-drawing/equal.dat"), "\n4 0 5\n5 3 6\n");
}
END_TEST

static void draw_images(Lesson *lesson, void *context)
{
    (void)context;
    float pixels[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12}; // 2 × 2 × 3
    Plot *plot = plot_begin(lesson, "images.png", "");
    plot_images(plot, (PlotImages){2, 2, 3, 4, 0, 12}, (Matrix){1, 12, pixels}, NULL);
    plot_end(plot, "c");
}

START_TEST(images_are_written_from_the_top_left_with_channels_innermost)
{
    // 0 … 12 becomes 0 … 255.
    const char *data = written(draw_images, "build/figures/07-drawing/images.dat");
    int red, green, blue, row = 0;
    double x, y, last_x = -1.0, last_y = 1e9;
    const int wanted[4][3] = {{0, 21, 43}, {64, 85, 106}, {128, 149, 170}, {191, 213, 255}};
    data = strstr(data, "blue\n") + 5;
    for (int read; sscanf(data, "%lf %lf %d %d %d\n%n", &x, &y, &red, &green, &blue, &read) == 5;
         data += read, row++) {
        ck_assert_int_lt(row, 4);
        ck_assert_msg(red == wanted[row][0] && green == wanted[row][1] && blue == wanted[row][2],
                      "pixel %d: %d %d %d", row, red, green, blue);
        ck_assert(row % 2 ? x > last_x && y == last_y : x < last_x || row == 0);
        ck_assert(row != 2 || y < last_y);
        last_x = x;
        last_y = y;
    }
    ck_assert_int_eq(row, 4);
}
END_TEST

static const float values_of_cells[] = {0, 1, -0.001f, NAN, 5, -5};

static void draw_cells(Lesson *lesson, void *context)
{
    (void)context;
    float values[6];
    memcpy(values, values_of_cells, sizeof values);
    const char *const rows[] = {"a 50 %", NULL}, *const columns[] = {"x", "y's", "z"};
    Plot *plot = plot_begin(lesson, "cells.png", "T");
    plot_cells(plot, (Matrix){2, 3, values}, rows, columns, 2);
    plot_end(plot, "c");
}

START_TEST(cells_have_their_values_and_names_and_readable_ink)
{
    const char *data = written(draw_cells, "build/figures/07-drawing/cells.dat");
    static const char *const texts[] = {"0.00", "1.00", "0.00", "–", "5.00", "-5.00"};
    data = strstr(data, "ink\n") + 4;
    for (int k = 0; k < 6; k++) {
        int column, row, read;
        char value[32], text[32];
        unsigned colour, ink;
        ck_assert_msg(
            sscanf(data, "%d %d %31s %u %31s %u\n%n", &column, &row, value, &colour, text, &ink, &read) == 6,
            "%s", data);
        ck_assert_int_eq(row * 3 + column, k);
        ck_assert_str_eq(text, texts[k]);
        // The dash of a number that there is not stands on the page, and is of the colour of words.
        bool dark = (colour >> 8 & 0xFF) < 0x90;
        unsigned expected = isnan(values_of_cells[k]) ? 0x444444 : dark ? 0xFEFEFE : 0x212121;
        ck_assert_msg(ink == expected, "cell %d: ink %06X on %06X", k, ink, colour);
        data += read;
    }
    const char *script = written(draw_cells, "build/figures/07-drawing/cells.gp");
    expect_text(script, "set ytics scale 0 ('a 50 %%' 0, '' 1)\n");
    expect_text(script, "set xtics scale 0 ('x' 0, 'y'.\"'\".'s' 1, 'z' 2)\n");
}
END_TEST

static void draw_far_points(Lesson *lesson, void *context)
{
    (void)context;
    const float x[] = {1, 10, 100, 1000}, y[] = {1e-3f, 0.0f, 10, 1e30f};
    Plot *plot = plot_begin(lesson, "far.png", "T");
    plot_log(plot, "xy");
    plot_range_x(plot, 1, 100);
    plot_line(plot, NULL, x, y, 4);
    plot_end(plot, "c");
}

START_TEST(ranges_hold_what_can_be_seen)
{
    // y of 10⁻³ and 10, with 5 % of its four decades more at both ends; 0 has no logarithm, and 1000 is outside.
    const char *script = written(draw_far_points, "build/figures/07-drawing/far.gp");
    double low, high;
    ck_assert_int_eq(sscanf(strstr(script, "set yrange ["), "set yrange [%lf:%lf]", &low, &high), 2);
    ck_assert_double_eq_tol(log10(low), -3.2, 1e-6);
    ck_assert_double_eq_tol(log10(high), 1.2, 1e-6);
    expect_text(script, "set xrange [1:100]\n");
    expect_text(script, "set xtics ('1' 1 0, ");
    expect_text(script, "'100' 100 0)\n");
}
END_TEST

static void draw_powers(Lesson *lesson, void *context)
{
    (void)context;
    const float y[] = {1e-12f, 1e12f};
    Plot *plot = plot_begin(lesson, "powers.png", "T");
    plot_log(plot, "y");
    plot_range_y(plot, 1e-12, 1e12);
    plot_line(plot, NULL, NULL, y, 2);
    plot_end(plot, "c");
}

START_TEST(powers_of_ten_are_written_as_such)
{
    const char *script = written(draw_powers, "build/figures/07-drawing/powers.gp");
    expect_text(script, "'10⁻¹²' 1e-12 0");
    expect_text(script, "'10⁰' 1 0");
    expect_text(script, "'10¹²' 1e+12 0");
}
END_TEST

// Where the legend goes when one curve is in a corner and the others are free, and when it is everywhere.
static void draw_in_corners(Lesson *lesson, void *context)
{
    (void)context;
    float x[400], y[400];
    for (int corner = 0; corner < 5; corner++) {
        char name[32];
        for (int i = 0; i < 400; i++) {
            bool right = corner & 1, top = corner & 2;
            x[i] = (right ? 0.9f : 0.0f) + 0.1f * (float)(i % 20) / 20.0f;
            y[i] = (top ? 0.9f : 0.0f) + 0.1f * (float)(i / 20) / 20.0f;
            if (corner == 4) x[i] = (float)(i % 20) / 20.0f, y[i] = (float)(i / 20) / 20.0f;
        }
        snprintf(name, sizeof name, "corner%d.png", corner);
        Plot *plot = plot_begin(lesson, name, "T");
        plot_range_x(plot, 0, 1);
        plot_range_y(plot, 0, 1);
        plot_points(plot, "points", x, y, 400);
        plot_end(plot, "c");
    }
}

START_TEST(the_legend_covers_nothing)
{
    static const char *const wanted[] = {"inside top right", "inside top right", "inside top right",
                                         "inside top left", "outside right top"};
    for (int corner = 0; corner < 5; corner++) {
        char name[64], line[64];
        snprintf(name, sizeof name, "build/figures/07-drawing/corner%d.gp", corner);
        snprintf(line, sizeof line, "set key %s vertical", wanted[corner]);
        expect_text(written(draw_in_corners, name), line);
    }
}
END_TEST

static void draw_map(Lesson *lesson, void *context)
{
    (void)context;
    float values[] = {1, 2, 3, 4}, ends[] = {-0.5f, 1.5f};
    for (int overlaid = 0; overlaid <= 1; overlaid++) {
        Plot *plot = plot_begin(lesson, overlaid ? "pale.png" : "dark.png", "T");
        plot_heatmap(plot, (PlotWindow){0, 1, 0, 1}, (Matrix){2, 2, values});
        if (overlaid) plot_points(plot, "p", ends, ends, 2);
        plot_end(plot, "c");
    }
}

START_TEST(a_map_under_points_is_pale)
{
    expect_text(written(draw_map, "build/figures/07-drawing/dark.gp"), "4 '#08306B')\nset cbrange [1:4]\n");
    expect_text(read_scratch("build/figures/07-drawing/pale.gp"), "4 '#93C3DF')\nset cbrange [1:4]\n");
    // Its outermost pixels are centred on the ends of the window, and nothing is left around them.
    expect_text(read_scratch("build/figures/07-drawing/pale.gp"),
                "set xrange [-0.5:1.5]\nset yrange [-0.5:1.5]\n");
}
END_TEST

// ---- Words -----------------------------------------------------------------------------------------------------------

static char hostile[1024];

static void draw_words(Lesson *lesson, void *context)
{
    Plot *plot = plot_begin(lesson, context, hostile);
    plot_axes(plot, hostile, hostile);
    plot_line(plot, hostile, NULL, sample, 4);
    plot_text(plot, 1, 0.5, hostile);
    const char *const labels[] = {hostile, "50 %d {/Bold x}_y 'z'"};
    const double positions[] = {0, 1};
    plot_x_ticks(plot, positions, labels, 2);
    plot_end(plot, "c");
}

// Short enough for every place, so that they are neither broken nor cut; and how an SVG writes them.
static const char *const odd_words[][2] = {
    {"`touch evil` '; system('touch evil');#", "`touch evil` '; system('touch evil');#"},
    {"'q' \" @x {/Bold a}_b^2 & %d %s %n", "'q' \" @x {/Bold a}_b^2 &amp; %d %s %n"},
    {"''\\n \\ $x ~a <b> 损失 η", "''\\n \\ $x ~a &lt;b> 损失 η"},
};

START_TEST(words_are_drawn_as_they_are_and_nothing_in_them_is_run)
{
    int here = open(".", O_RDONLY);
    ck_assert(here >= 0 && chdir(scratch_path("")) == 0);
    for (size_t k = 0; k < sizeof odd_words / sizeof *odd_words; k++) {
        snprintf(hostile, sizeof hostile, "%s", odd_words[k][0]);
        Drawing svg = {.draw = draw_words, .context = (char[]){"words.svg"}},
                png = {.draw = draw_words, .context = (char[]){"words.png"}};
        expect_figures(&svg, "figure: words.svg — c\n");
        expect_figures(&png, "figure: words.png — c\n");
        ck_assert_msg(!exists("evil"), "a command in a title was run");
        if (!exists("figures/words.svg")) continue; // without gnuplot there is no picture
        const char *picture = read_scratch("figures/words.svg");
        int count = 0;
        for (const char *at = picture; (at = strstr(at, odd_words[k][1])) != NULL; at++) count++;
        ck_assert_msg(count >= 6, "%s: expected 6 times, found %d times", odd_words[k][0], count);
        ck_assert_ptr_nonnull(strstr(picture, ">50 %d {/Bold x}_y 'z'<"));
    }
    ck_assert_int_eq(fchdir(here), 0);
    close(here);
}
END_TEST

START_TEST(newlines_and_odd_bytes_in_words_do_not_break_the_script)
{
    snprintf(hostile, sizeof hostile, "two\nlines 'and' \x01\x1B[2J \xFF\xC3 \x7F \xE6\x8D end");
    Drawing svg = {.draw = draw_words, .context = (char[]){"odd.svg"}};
    const char *errors = expect_figures(&svg, "figure: odd.svg — c\n");
    ck_assert_msg(exists("figures/odd.svg") || strstr(errors, "there is no gnuplot"), "%s", errors);
    const char *script = read_scratch("build/figures/07-drawing/odd.gp");
    expect_text(
        script,
        "set title 'two'.\"\\n\".'lines '.\"'\".'and'.\"'\".'   [2J \uFFFD\uFFFD   \uFFFD\uFFFD end'");
    expect_text(read_scratch("build/figures/07-drawing/odd.dat"), "# block 0, line: two lines 'and'");
}
END_TEST

static void draw_captions(Lesson *lesson, void *context)
{
    (void)context;
    static const char *const captions[] = {"损失 — `x` %d $η$", "two\nlines\tand\x1B", "", NULL};
    for (int i = 0; i < 4; i++) plot_end(plot_begin(lesson, "a_B-9.png", NULL), captions[i]);
}

START_TEST(captions_are_printed_on_one_line)
{
    Drawing drawing = {.draw = draw_captions, .path = "/nowhere"};
    expect_figures(&drawing, "figure: a_B-9.png — 损失 — `x` %d $η$\nfigure: a_B-9.png — two lines and \n"
                             "figure: a_B-9.png\nfigure: a_B-9.png\n");
}
END_TEST

// ---- Ticks -------------------------------------------------------------------------------------------------------------

static double columns_of_name(const char *name) { return utf8_columns(name); }

// At least two named ticks inside the axis, each name differs from all others, and none touches the next.
static void check_ticks(Axis axis, Ruler ruler)
{
    Arena *arena = arena_new();
    Ticks ticks = choose_ticks(arena, axis, ruler);
    int named = 0;
    double end = -INFINITY;
    for (int i = 0; i < ticks.count; i++) {
        const Tick *tick = &ticks.ticks[i];
        double across = axis_fraction(axis, tick->at);
        ck_assert_msg(across >= -1e-6 && across <= 1.0 + 1e-6, "%.17g to %.17g: a tick at %.17g", axis.low,
                      axis.high, tick->at);
        if (!*tick->name) continue;
        named++;
        double size = ruler.name_length ? ruler.name_length(tick->name) : ruler.line;
        double begin = across * ruler.length - 0.5 * size;
        ck_assert_msg(ticks.crowded || begin >= end, "%.17g to %.17g: '%s' touches the name before", axis.low,
                      axis.high, tick->name);
        end = begin + size;
        for (int j = 0; j < i; j++)
            ck_assert_msg(strcmp(ticks.ticks[j].name, tick->name) != 0, "%.17g to %.17g: '%s' twice",
                          axis.low, axis.high, tick->name);
    }
    ck_assert_msg(named >= 2, "%.17g to %.17g%s: %d names", axis.low, axis.high,
                  axis.log ? ", logarithmic" : "", named);
    arena_free(arena);
}

static void check_axis(double low, double high)
{
    const Ruler rulers[] = {{840.0, 18.0, 2.0, NULL},          {840.0, 18.0, 10.0, words_width},
                            {280.0, 18.0, 10.0, words_width},  {170.0, 18.0, 2.0, NULL},
                            {60.0, 1.0, 2.0, columns_of_name}, {9.0, 1.0, 1.0, NULL}};
    for (size_t k = 0; k < sizeof rulers / sizeof *rulers; k++) {
        check_ticks((Axis){low, high, true, false}, rulers[k]);
        if (low > 0.0) check_ticks((Axis){low, high, true, true}, rulers[k]);
    }
}

START_TEST(every_axis_has_two_names_and_all_of_them_differ)
{
    static const double ends[][2] = {{2.1, 2.6},
                                     {1, 4},
                                     {9, 11},
                                     {0.5, 0.7},
                                     {1e-30, 1e-29},
                                     {1, 10},
                                     {1e299, 1e300},
                                     {1e-299, 1e300},
                                     {-7e307, 7e307},
                                     {1000001, 1000009},
                                     {1e8, 1e8 + 16},
                                     {0.999999, 1},
                                     {1 - 5e-10, 1 + 5e-10},
                                     {20261128, 20261144},
                                     {1e-45, 1e-43},
                                     {-3.5e38, 3.5e38},
                                     {-1, 1e-3},
                                     {0, 1},
                                     {-1000009, -1000001},
                                     {1e12, 1e12 + 5}};
    for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) check_axis(ends[k][0], ends[k][1]);
    Rng rng = rng_new(8, 8);
    for (int round = 0; round < 150; round++) {
        double place = pow(10.0, 60.0 * (double)rng_uniform(&rng) - 30.0);
        double span = place * pow(10.0, -10.0 * (double)rng_uniform(&rng));
        check_axis(place, place + span);
        check_axis(-place, span - place);
        check_axis(place, place * (1.0 + pow(10.0, 3.0 * (double)rng_uniform(&rng))));
    }
}
END_TEST

static void draw_odd_axes(Lesson *lesson, void *context)
{
    (void)context;
    const float y[] = {2.6f, 2.5f, 2.4f, 2.3f, 2.15f}, x[] = {1000001, 1000002, 1000003, 1000005, 1000009};
    const float levels[] = {1000001, 1000002};
    for (int k = 0; k < 2; k++) {
        Plot *plot = plot_begin(lesson, k ? "odd.png" : "odd.svg", "T");
        plot_log(plot, "y"), plot_line(plot, "a", x, y, 5), plot_end(plot, "c");
    }
    float map[6] = {1000001, 1000001.5f, 1000002, 1000003, 1000003, 1000003};
    for (int k = 0; k < 2; k++) { // of a flat map there are no lines at all
        Plot *plot = plot_begin(lesson, k ? "flat.svg" : "map.svg", "T");
        for (int i = 0; k && i < 6; i++) map[i] = 1e30f;
        plot_heatmap(plot, (PlotWindow){0, 1, 1e6, 1e6 + 1}, (Matrix){2, 3, map});
        plot_contour(plot, (PlotWindow){0, 1, 1e6, 1e6 + 1}, (Matrix){2, 3, map}, levels, 2),
            plot_end(plot, "c");
    }
}

START_TEST(odd_axes_are_drawn_with_their_names_inside_the_picture)
{
    clear_scratch();
    Drawing drawing = {.draw = draw_odd_axes};
    expect_figures(&drawing,
                   "figure: odd.svg — c\nfigure: odd.png — c\nfigure: map.svg — c\nfigure: flat.svg — c\n");
    if (!exists("figures/odd.svg")) return;
    const char *text = read_scratch("figures/odd.svg");
    static const char *const names[] = {">2.2<", ">2.4<", ">1000002<", ">1000003<", ">1000008<"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        ck_assert_msg(strstr(text, names[k]) != NULL, "no %s", names[k]);
    text = read_scratch("figures/map.svg");
    ck_assert_msg(strstr(text, ">1000002.5<") && strstr(text, ">1000000.5<"),
                  "names beside the map are missing");
    ck_assert(strstr(read_scratch("figures/flat.svg"), ">1.02e+30<") != NULL);
    int width, height, channels;
    stbi_uc *pixels = stbi_load(scratch_path("figures/odd.png"), &width, &height, &channels, 3);
    ck_assert_ptr_nonnull(pixels);
    for (int i = 0; i < height; i++) // nothing reaches the edges
        for (int j = 0; j < 3; j++)
            ck_assert(pixels[3 * i * width + j] == 255 && pixels[3 * (i * width + width - 1) + j] == 255);
    stbi_image_free(pixels);
}
END_TEST

static void draw_many_words(Lesson *lesson, void *context)
{
    (void)context;
    static const char *const words[] = {"a name that is much too long for a legend beside so small a picture",
                                        "温和走进深度学习的课程很长很长很长很长很长很长",
                                        "ไ ท ย ห ด ก ข ค ง จ"};
    const float y[] = {3, 1, 2, 1, 3}, x[] = {2, 3, 1, 2, 2.5f};
    for (int k = 0; k < 4; k++) {
        Plot *plot = plot_begin(lesson, (const char *[]){"0.png", "1.png", "2.png", "3.png"}[k], "T");
        if (k < 3) {
            plot_size(plot, 480, 300), plot_axes(plot, words[k], "y"), plot_legend(plot, "outside");
            plot_line(plot, words[k], x, y, 5);
        }
        for (int i = 0; k == 3 && i < 40; i++) {
            char name[32];
            snprintf(name, sizeof name, "a rate with number %d", i);
            plot_line(plot, name, x, y, 5);
        }
        plot_end(plot, "c");
    }
}

START_TEST(names_and_labels_leave_the_axes_their_room_and_do_not_leave_the_picture)
{
    clear_scratch();
    Drawing drawing = {.draw = draw_many_words};
    const char *told = expect_figures(&drawing, "figure: 0.png — c\nfigure: 1.png — c\nfigure: 2.png — c\n"
                                                "figure: 3.png — c\n");
    expect_text(told, "3.png: 4 of 40 names find no place in the legend\n");
    if (!exists("figures/0.png")) return;
    for (int k = 0; k < 4; k++) {
        int width, height, channels, axis = 0;
        char name[32];
        snprintf(name, sizeof name, "figures/%d.png", k);
        stbi_uc *pixels = stbi_load(scratch_path(name), &width, &height, &channels, 3);
        ck_assert_ptr_nonnull(pixels);
        for (int i = 0; i < height; i++) {
            int grey = 0; // of the line below the axes
            for (int j = 0; j < width; j++) grey += pixels[3 * (i * width + j)] == 0x99;
            axis = grey > axis ? grey : axis;
            for (int j = 0; j < 3; j++)
                ck_assert_msg(pixels[3 * i * width + j] == 255 &&
                                  pixels[3 * (i * width + width - 1) + j] == 255,
                              "%s: something reaches the edge", name);
        }
        ck_assert_msg(axis > width / 6, "%s: the x axis has %d of %d pixels", name, axis, width);
        stbi_image_free(pixels);
    }
}
END_TEST

static void draw_late(Lesson *lesson, void *context)
{
    (void)context;
    const float x[] = {1e9f, 1e9f + 64, 1e9f + 128, 1e9f + 256},
                y[] = {123456.7f, 123456.8f, 123456.9f, 123457};
    Plot *plot = plot_begin(lesson, "late.png", "T");
    plot_size(plot, 480, 300), plot_axes(plot, "x", "y"), plot_line(plot, "a", x, y, 4), plot_end(plot, "c");
}

START_TEST(names_below_do_not_touch_where_those_beside_are_long)
{
    const char *script = written(draw_late, "build/figures/07-drawing/late.gp");
    expect_text(script, "1000000200");
    ck_assert_msg(!strstr(script, "1000000100"), "names that touch: %s", script);
}
END_TEST

static void draw_missing(Lesson *lesson, void *context)
{
    (void)context;
    const float y[] = {1, NAN, INFINITY, 0, -2, 6};
    Plot *plot = plot_begin(lesson, "loss.png", "T");
    plot_log(plot, "y"), plot_line(plot, "a", NULL, y, 6), plot_end(plot, "c");
}

START_TEST(values_that_cannot_be_drawn_are_told)
{
    Drawing drawing = {.draw = draw_missing, .path = "/nowhere"};
    const char *errors = expect_figures(&drawing, "figure: loss.png — c\n");
    expect_text(errors, "loss.png: 2 values are NaN or infinite, and not drawn\n"
                        "loss.png: 2 points are not above 0, and cannot be drawn on a logarithmic axis\n");
}
END_TEST

// ---- Words and fonts ---------------------------------------------------------------------------------------------------

static void draw_foreign(Lesson *lesson, void *context)
{
    (void)context;
    const char *words = "loss 损失 🇨🇳 ✅ \xFF e\u0301\u0301\u0301";
    Plot *plot = plot_begin(lesson, "loss.png", words);
    plot_axes(plot, words, words), plot_line(plot, words, NULL, sample, 4), plot_text(plot, 1, 0.5, words);
    plot_end(plot, "c");
}

// The share of pixels of the figure that are nearly black, with the fonts of this folder alone; what is told in *errors.
static double darkness(const char *fonts, const char **errors)
{
    char conf[400];
    int length = snprintf(conf, sizeof conf,
                          "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\"><fontconfig>"
                          "<dir>%s</dir><cachedir>%s</cachedir></fontconfig>",
                          fonts, scratch_path("cache"));
    clear_scratch();
    setenv("FONTCONFIG_FILE", scratch_file("fonts.conf", conf, (size_t)length), 1);
    Drawing drawing = {.draw = draw_foreign};
    *errors = expect_figures(&drawing, "figure: loss.png — c\n");
    unsetenv("FONTCONFIG_FILE");
    int width, height, channels, dark = 0;
    stbi_uc *pixels = stbi_load(scratch_path("figures/loss.png"), &width, &height, &channels, 3);
    if (!pixels) return NAN;
    for (int k = 0; k < width * height; k++)
        dark += pixels[3 * k] < 64 && pixels[3 * k + 1] < 64 && pixels[3 * k + 2] < 64;
    stbi_image_free(pixels);
    return (double)dark / (width * height);
}

START_TEST(letters_that_no_font_has_do_not_cover_the_picture)
{
    static const char dejavu[] = "/usr/share/fonts/truetype/dejavu";
    const char *errors;
    if (access(dejavu, F_OK) == 0) {
        double dark = darkness(dejavu, &errors);
        ck_assert_msg(isnan(dark) || dark < 0.02, "%g of the picture is black", dark);
        if (!isnan(dark))
            expect_text(
                errors,
                "loss.png: no font has 损 (U+635F), 失 (U+5931), 🇨 (U+1F1E8), 🇳 (U+1F1F3), ✅ (U+2705); □");
    }
    double dark = darkness("/nowhere", &errors);
    ck_assert_msg(isnan(dark) || dark < 0.001, "without fonts %g of the picture is black", dark);
    if (!isnan(dark)) expect_text(errors, "loss.png: there is no font to draw words with");
}
END_TEST

// ---- What is drawn -----------------------------------------------------------------------------------------------------

static Rng noise;

static void draw_everything(Lesson *lesson, void *context)
{
    const char *ending = context;
    char name[64];
    float x[50], y[50], z[50];
    for (int i = 0; i < 50; i++)
        x[i] = (float)i, y[i] = sqrtf(x[i] + 1.0f), z[i] = y[i] + rng_uniform(&noise);
    const char *const words[] = {"one", "two with a long name", "three"};
    Matrix map = matrix_new(lesson_arena(lesson), 20, 30), pictures = matrix_new(lesson_arena(lesson), 6, 48);
    fill_normal(map, &noise, 0, 1);
    fill_uniform(pictures, &noise, 0, 1);
    const PlotWindow window = {-1, 1, 0, 3};
    const float levels[] = {-1, 0, 1};

    snprintf(name, sizeof name, "lines.%s", ending);
    Plot *plot = plot_begin(lesson, name, "Lines");
    plot_line(plot, "a", x, y, 50), plot_dashed(plot, "b", x, z, 50),
        plot_line_points(plot, "c", NULL, z, 50);
    plot_band(plot, "d", x, y, z, 50), plot_horizontal(plot, "e", 3), plot_vertical(plot, "f", 3);
    plot_end(plot, "c");
    snprintf(name, sizeof name, "points.%s", ending);
    plot = plot_begin(lesson, name, "Points");
    plot_square(plot), plot_points(plot, "a", x, y, 50), plot_points(plot, NULL, z, y, 1),
        plot_points(plot, "none", NULL, NULL, 0), plot_crosses(plot, "x", z, y, 3);
    plot_end(plot, "c");
    snprintf(name, sizeof name, "diagram.%s", ending);
    plot = plot_begin(lesson, name, "Diagram");
    plot_diagram(plot), plot_line(plot, NULL, x, y, 3), plot_points(plot, NULL, x, y, 3);
    plot_end(plot, "c");
    snprintf(name, sizeof name, "bars.%s", ending);
    plot = plot_begin(lesson, name, "Bars");
    plot_bars(plot, words, y, 3);
    plot_end(plot, "c");
    snprintf(name, sizeof name, "histogram.%s", ending);
    plot = plot_begin(lesson, name, "Histogram");
    plot_histogram(plot, "a", y, 50, 7), plot_histogram(plot, "b", z, 50, 7);
    plot_end(plot, "c");
    snprintf(name, sizeof name, "map.%s", ending);
    plot = plot_begin(lesson, name, "Map");
    plot_heatmap(plot, window, map), plot_contour(plot, window, map, levels, 3),
        plot_points(plot, "p", levels, levels, 3);
    plot_end(plot, "c");
    snprintf(name, sizeof name, "cells.%s", ending);
    plot = plot_begin(lesson, name, "Cells");
    plot_cells(plot, map, NULL, NULL, -1);
    plot_end(plot, "c");
    snprintf(name, sizeof name, "one_cell.%s", ending);
    plot = plot_begin(lesson, name, "Cell");
    plot_cells(plot, matrix_new(lesson_arena(lesson), 1, 1), words, words, 1);
    plot_end(plot, "c");
    snprintf(name, sizeof name, "images.%s", ending);
    plot = plot_begin(lesson, name, "Images");
    plot_images(plot, (PlotImages){4, 4, 3, 4, 0, 0}, pictures, NULL);
    plot_end(plot, "c");
    snprintf(name, sizeof name, "thin.%s", ending);
    plot = plot_begin(lesson, name, "Thin images");
    plot_images(plot, (PlotImages){1, 48, 1, 1, 0, 1}, pictures, NULL);
    plot_end(plot, "c");
    snprintf(name, sizeof name, "empty.%s", ending);
    plot = plot_begin(lesson, name, "Nothing");
    plot_end(plot, "c");
    snprintf(name, sizeof name, "nan.%s", ending);
    plot = plot_begin(lesson, name, "NaN");
    x[0] = NAN;
    plot_log(plot, "xy"), plot_line(plot, "a", x, x, 1), plot_points(plot, "b", x, x, 0);
    plot_end(plot, "c");
}

static const char *const everything[] = {"lines", "points",   "diagram", "bars", "histogram", "map",
                                         "cells", "one_cell", "images",  "thin", "empty",     "nan"};
enum { EVERYTHING = sizeof everything / sizeof *everything };

// Draws one of everything; false when there is no gnuplot.
static bool draw_all(const char *ending)
{
    char wanted[1000];
    size_t used = 0;
    for (int k = 0; k < EVERYTHING; k++)
        used += (size_t)snprintf(wanted + used, sizeof wanted - used, "figure: %s.%s — c\n", everything[k],
                                 ending);
    noise = rng_new(1, 1);
    Drawing drawing = {.draw = draw_everything, .context = (void *)(uintptr_t)ending};
    const char *errors = expect_figures(&drawing, wanted);
    if (strstr(errors, "there is no gnuplot")) return false;
    ck_assert_msg(strstr(errors, "is not drawn") == NULL, "%s", errors);
    return true;
}

START_TEST(every_kind_of_picture_is_drawn_as_png)
{
    clear_scratch();
    if (!draw_all("png")) return;
    for (int k = 0; k < EVERYTHING; k++) {
        char name[64];
        snprintf(name, sizeof name, "figures/%s.png", everything[k]);
        int width, height, channels;
        stbi_uc *pixels = stbi_load(scratch_path(name), &width, &height, &channels, 3);
        ck_assert_msg(pixels != NULL, "%s: %s", name, stbi_failure_reason());
        bool grid = strstr(name, "cell") || strstr(name, "images") || strstr(name, "thin");
        ck_assert_msg(grid || (width == 960 && height == 600), "%s is %d × %d", name, width, height);
        int coloured = 0;
        for (int i = 0; i < width * height; i++)
            coloured += pixels[3 * i] + pixels[3 * i + 1] + pixels[3 * i + 2] < 740;
        ck_assert_msg(pixels[0] == 255 && coloured > 100, "%s: %d pixels are not white", name, coloured);
        stbi_image_free(pixels);
        struct stat about;
        stat(scratch_path(name), &about);
        ck_assert_msg(about.st_size < 60000, "%s has %ld bytes", name, (long)about.st_size);
    }
    ck_assert_int_eq(files_in("figures"), EVERYTHING);
}
END_TEST

START_TEST(every_kind_of_picture_is_drawn_as_svg)
{
    clear_scratch();
    if (!draw_all("svg")) return;
    for (int k = 0; k < EVERYTHING; k++) {
        char name[64];
        snprintf(name, sizeof name, "figures/%s.svg", everything[k]);
        const char *text = read_scratch(name);
        ck_assert_msg(strstr(text, "<svg") && strstr(text, "</svg>"), "%s: %.100s", name, text);
        ck_assert_msg(strstr(text, "prefers-color-scheme:dark") && strstr(text, "<title>"), "%s: %.900s",
                      name, text);
        ck_assert_msg(!strstr(text, " id="), "%s has an id", name);
    }
    ck_assert_int_eq(files_in("figures"), EVERYTHING); // images are in them, and not beside them
}
END_TEST

START_TEST(the_same_picture_is_the_same_bytes)
{
    if (!draw_all("png")) return;
    static char first[EVERYTHING][1 << 16];
    size_t lengths[EVERYTHING];
    for (int round = 0; round < 2; round++) {
        for (int k = 0; k < EVERYTHING; k++) {
            char name[64], bytes[1 << 16];
            snprintf(name, sizeof name, "figures/%s.png", everything[k]);
            FILE *file = fopen(scratch_path(name), "rb");
            ck_assert_ptr_nonnull(file);
            size_t length = fread(round ? bytes : first[k], 1, sizeof bytes, file);
            fclose(file);
            ck_assert_msg(!round || (length == lengths[k] && memcmp(bytes, first[k], length) == 0),
                          "%s differs", name);
            lengths[k] = length;
        }
        if (round == 0) draw_all("png");
    }
}
END_TEST

// A grid of squares of known colours comes out of gnuplot at the right place.
static void draw_colours(Lesson *lesson, void *context)
{
    int height = *(int *)context; // 2, or 1: gnuplot itself draws nothing less than 2 × 2
    float pixels[] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0, 0.5f, 0.5f, 0.5f, 0, 0, 0};
    Plot *plot = plot_begin(lesson, "colours.png", "");
    plot_images(plot, (PlotImages){height, 3, 3, 1, 0, 1}, (Matrix){1, 9 * height, pixels}, NULL);
    plot_end(plot, "c");
}

static void check_colours(int image_height)
{
    clear_scratch();
    Drawing drawing = {.draw = draw_colours, .context = &image_height};
    expect_figures(&drawing, "figure: colours.png — c\n");
    int width, height, channels;
    stbi_uc *pixels = stbi_load(scratch_path("figures/colours.png"), &width, &height, &channels, 3);
    if (!pixels) return;
    // The corners of the image: the first and the last column and row that are not white.
    int left = width, right = 0, top = height, bottom = 0;
    for (int i = 0; i < height; i++) {
        for (int j = 0; j < width; j++) {
            const stbi_uc *p = pixels + 3 * (i * width + j);
            if (p[0] > 250 && p[1] > 250 && p[2] > 250) continue;
            left = int_min(left, j), right = int_max(right, j);
            top = int_min(top, i), bottom = int_max(bottom, i);
        }
    }
    static const int wanted[2][3][3] = {{{255, 0, 0}, {0, 255, 0}, {0, 0, 255}},
                                        {{255, 255, 0}, {128, 128, 128}, {0, 0, 0}}};
    ck_assert_msg(right - left == 35 && bottom - top == 12 * image_height - 1, "the image is %d × %d",
                  right - left + 1, bottom - top + 1);
    for (int i = 0; i < image_height; i++) {
        for (int j = 0; j < 3; j++) {
            const stbi_uc *p = pixels + 3 * ((top + 6 + 12 * i) * width + left + 6 + 12 * j);
            for (int c = 0; c < 3; c++)
                ck_assert_msg(abs(p[c] - wanted[i][j][c]) <= 2, "pixel (%d, %d) is %d %d %d", i, j, p[0],
                              p[1], p[2]);
        }
    }
    stbi_image_free(pixels);
}

START_TEST(an_image_comes_out_upright_and_in_its_colours)
{
    check_colours(2);
    check_colours(1);
}
END_TEST

// ---- When gnuplot fails ------------------------------------------------------------------------------------------------

static void check_kept(const char *figure)
{
    ck_assert_msg(exists("build/figures/07-drawing/loss.dat") && exists("build/figures/07-drawing/loss.gp"),
                  "data and script are not kept");
    ck_assert_int_eq(files_in("figures"), figure ? 1 : 0); // no draft is left
    if (figure) ck_assert_str_eq(read_scratch("figures/loss.png"), figure);
}

START_TEST(without_gnuplot_data_and_script_are_kept_and_the_lesson_goes_on)
{
    clear_scratch();
    Drawing drawing = {.draw = draw_line, .path = scratch_path("nothing_here")};
    char complaint[300];
    snprintf(complaint, sizeof complaint,
             "loss.png is not drawn: there is no gnuplot (`make setup` installs it); later, run: "
             "gnuplot %s\n",
             scratch_path("build/figures/07-drawing/loss.gp"));
    expect_complaint(&drawing, "figure: loss.png — It falls.\n", complaint);
    check_kept(NULL);
    drawing.path = "";
    expect_complaint(&drawing, "figure: loss.png — It falls.\n", complaint);
}
END_TEST

START_TEST(the_script_that_was_kept_draws_the_picture_later)
{
    clear_scratch();
    Drawing drawing = {.draw = draw_line, .path = "/nowhere"};
    expect_figures(&drawing, "figure: loss.png — It falls.\n");
    ck_assert(!exists("figures/loss.png"));
    char command[300];
    snprintf(command, sizeof command, "command -v gnuplot >/dev/null || exit 77; gnuplot '%s'",
             scratch_path("build/figures/07-drawing/loss.gp"));
    int status = system(command);
    if (WEXITSTATUS(status) == 77) return;
    ck_assert_int_eq(status, 0);
    ck_assert(exists("figures/loss.png"));
}
END_TEST

// A gnuplot that does this, when an older picture is there: the complaint, and the older picture stays.
static void expect_failure(const char *script, const char *complaint)
{
    clear_scratch();
    mkdir(scratch_path("figures"), 0700);
    scratch_file("figures/loss.png", "old", 3);
    Drawing drawing = {.draw = draw_line, .path = fake_gnuplot(script), .lost = true};
    expect_complaint(&drawing, "figure: loss.png — It falls.\n", complaint);
    check_kept("old");
}

START_TEST(a_gnuplot_that_fails_leaves_the_old_picture)
{
    expect_failure("echo oops; echo no terminal >&2; echo half > \"$4\"; exit 3",
                   "loss.png is not drawn: gnuplot failed with exit status 3 and wrote ");
    ck_assert_str_eq(read_scratch("build/figures/07-drawing/loss.log"), "oops\nno terminal\n");
}
END_TEST

START_TEST(a_gnuplot_that_dies_leaves_the_old_picture)
{
    expect_failure("echo half > \"$4\"; kill -SEGV $$",
                   "loss.png is not drawn: gnuplot died (Segmentation fault); try: gnuplot ");
    expect_failure("kill -PIPE $$", "loss.png is not drawn: gnuplot died (Broken pipe); try: gnuplot ");
}
END_TEST

START_TEST(a_gnuplot_that_draws_nothing_leaves_the_old_picture)
{
    expect_failure("exit 0", "loss.png is not drawn: gnuplot wrote nothing; is the disk full? Try: gnuplot ");
    expect_failure(": > \"$4\"",
                   "loss.png is not drawn: gnuplot wrote nothing; is the disk full? Try: gnuplot ");
}
END_TEST

START_TEST(a_gnuplot_that_cannot_be_started_leaves_the_old_picture)
{
    const char *folder = fake_gnuplot("");
    char path[300];
    snprintf(path, sizeof path, "%s/gnuplot", folder);
    FILE *file = fopen(path, "w");
    fputs("this is no program\n", file);
    fclose(file);
    mkdir(scratch_path("figures"), 0700);
    Drawing drawing = {.draw = draw_line, .path = folder, .lost = true};
    expect_complaint(&drawing, "figure: loss.png — It falls.\n",
                     "loss.png is not drawn: gnuplot cannot be started (Exec format error)");
}
END_TEST

START_TEST(a_gnuplot_that_writes_much_does_not_block)
{
    expect_failure("i=0; while [ $i -lt 3000 ]; do echo "
                   "0123456789012345678901234567890123456789012345678901234567890123456789; "
                   "i=$((i+1)); done; exit 1",
                   "loss.png is not drawn: gnuplot failed with exit status 1 and wrote ");
    ck_assert_uint_eq(strlen(read_scratch("build/figures/07-drawing/loss.log")), 3000 * 71);
}
END_TEST

START_TEST(a_gnuplot_that_reads_finds_nothing_to_read)
{
    int ends[2], kept = dup(STDIN_FILENO);
    ck_assert(pipe(ends) == 0 && write(ends[1], "line\n", 5) == 5);
    dup2(ends[0], STDIN_FILENO);
    expect_failure("read line && exit 4; exit 5",
                   "loss.png is not drawn: gnuplot failed with exit status 5 and wrote ");
    if (kept >= 0) dup2(kept, STDIN_FILENO);
    close(kept);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

static void draw_in_a_hurry(Lesson *lesson, void *context)
{
    (void)context;
    Plot *plot = plot_begin(lesson, "loss.png", "T");
    plot->seconds = 0.3;
    plot_line(plot, "a", NULL, sample, 4);
    plot_end(plot, "c");
}

START_TEST(a_gnuplot_that_hangs_is_ended_with_all_that_it_started)
{
    clear_scratch();
    char script[400];
    snprintf(script, sizeof script,
             "trap '' TERM INT HUP; /bin/sleep 1000 & echo $! > %s; echo half > \"$4\"; wait",
             scratch_path("sleeper"));
    Drawing drawing = {.draw = draw_in_a_hurry, .path = fake_gnuplot(script), .lost = true};
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    expect_complaint(&drawing, "figure: loss.png — c\n",
                     "loss.png is not drawn: gnuplot took more than 0.3 s and was ended; try: gnuplot ");
    clock_gettime(CLOCK_MONOTONIC, &after);
    ck_assert_int_lt(after.tv_sec - before.tv_sec, 10);
    check_kept(NULL);
    int sleeper = atoi(read_scratch("sleeper"));
    ck_assert_int_gt(sleeper, 1);
    char state[300] = "";
    for (int tries = 0; tries < 100;
         tries++) { // it may take a moment until it is gone, or nobody may fetch its end
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/stat", sleeper);
        FILE *file = fopen(path, "r");
        if (!file) return;
        bool dead = fgets(state, sizeof state, file) && strstr(state, ") Z ");
        fclose(file);
        if (dead) return;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    kill(sleeper, SIGKILL);
    ck_abort_msg("the sleeper lives: %s", state);
}
END_TEST

START_TEST(a_gnuplot_that_succeeds_replaces_the_picture)
{
    clear_scratch();
    mkdir(scratch_path("figures"), 0700);
    scratch_file("figures/loss.png", "old", 3);
    char script[300];
    snprintf(script, sizeof script, "echo noise; /bin/cat %s > \"$4\"",
             scratch_file("whole", red_pixel, sizeof red_pixel));
    Drawing drawing = {.draw = draw_line, .path = fake_gnuplot(script)};
    const char *errors = expect_figures(&drawing, "figure: loss.png — It falls.\n");
    ck_assert_ptr_null(strstr(errors, "is not drawn"));
    ck_assert(memcmp(read_scratch("figures/loss.png"), red_pixel, sizeof red_pixel) == 0);
    ck_assert_int_eq(files_in("figures"), 1);
    ck_assert(!exists("build/figures/07-drawing/loss.log"));
}
END_TEST

static void draw_with_small_files(Lesson *lesson, void *context)
{
    (void)context;
    static float many[20000];
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, 4096});
    Plot *plot = plot_begin(lesson, "loss.png", "T");
    plot_line(plot, "a", NULL, many, 20000);
    plot_end(plot, "c");
}

START_TEST(a_full_disk_leaves_nothing_half_written)
{
    clear_scratch();
    Drawing drawing = {.draw = draw_with_small_files, .lost = true};
    char complaint[300];
    snprintf(complaint, sizeof complaint, "loss.png is not drawn: %s: File too large\n",
             scratch_path("build/figures/07-drawing/loss.dat"));
    expect_complaint(&drawing, "figure: loss.png — c\n", complaint);
    ck_assert_int_eq(files_in("build/figures/07-drawing"), 0);
}
END_TEST

START_TEST(folders_that_cannot_be_made_are_told)
{
    scratch_file("file", "x", 1);
    char inside[300], complaint[400];
    snprintf(inside, sizeof inside, "%s/figures", scratch_path("file"));
    Drawing figures = {
        .draw = draw_line, .path = fake_gnuplot("echo new > \"$4\""), .figures = inside, .lost = true};
    snprintf(complaint, sizeof complaint, "loss.png is not drawn: %s: Not a directory\n", inside);
    expect_complaint(&figures, "figure: loss.png — It falls.\n", complaint);
    Drawing build = {.draw = draw_line, .path = "/nowhere", .build = scratch_path("file"), .lost = true};
    snprintf(complaint, sizeof complaint, "loss.png is not drawn: %s/figures/07-drawing: Not a directory\n",
             scratch_path("file"));
    expect_complaint(&build, "figure: loss.png — It falls.\n", complaint);
}
END_TEST

START_TEST(a_figures_folder_that_cannot_be_written_is_told)
{
    clear_scratch();
    // Root may write everywhere; so the picture cannot take its place because a folder has its name.
    char folder[300], script[400], complaint[400];
    snprintf(folder, sizeof folder, "%s", scratch_path("figures"));
    snprintf(script, sizeof script, "/bin/mkdir -p %s/loss.png/x; /bin/cat %s > \"$4\"", folder,
             scratch_file("whole", red_pixel, sizeof red_pixel));
    snprintf(complaint, sizeof complaint, "loss.png is not drawn: %s/loss.png: ", folder);
    mkdir(folder, 0700);
    Drawing drawing = {.draw = draw_line, .path = fake_gnuplot(script), .lost = true};
    expect_complaint(&drawing, "figure: loss.png — It falls.\n", complaint);
    ck_assert_int_eq(files_in("figures"), 1);
}
END_TEST

// gnuplot says that all is well and leaves this in place of a picture: the old one stays, and the lesson fails.
static void expect_refused(const void *bytes, size_t count)
{
    char script[300];
    snprintf(script, sizeof script, "/bin/cat %s > \"$4\"", scratch_file("odd", bytes, count));
    expect_failure(
        script, "loss.png is not drawn: what gnuplot wrote is no whole PNG; is the disk full? Try: gnuplot ");
}

START_TEST(half_a_picture_does_not_replace_a_whole_one)
{
    uint8_t bytes[sizeof red_pixel + 1];
    for (size_t cut = 8; cut < sizeof red_pixel; cut += 26) expect_refused(red_pixel, cut);
    expect_refused(red_pixel, sizeof red_pixel - 1);
    memcpy(bytes, red_pixel, sizeof red_pixel);
    bytes[sizeof red_pixel] = 0;
    expect_refused(bytes, sizeof bytes); // something behind the end
    bytes[45] ^= 1;
    expect_refused(bytes, sizeof red_pixel); // a wrong check sum
    expect_refused("rubbish", 7);
    const char *svgs[] = {"<svg>", "<svg></sv", "</svg>", "<svg>\n</svg>\n"};
    for (int k = 0; k < 4; k++)
        ck_assert_int_eq(is_whole_picture(scratch_file("odd", svgs[k], strlen(svgs[k])), true), k == 3);
}
END_TEST

// On a disk of 64 KB with 4 KB left, with the real gnuplot, where this process may mount one.
static void draw_noise(Lesson *lesson, void *context)
{
    (void)context;
    static float map[200 * 200];
    Rng rng = rng_new(1, 1);
    for (int k = 0; k < 200 * 200; k++) map[k] = rng_uniform(&rng);
    Plot *plot = plot_begin(lesson, "loss.png", "T");
    plot_heatmap(plot, (PlotWindow){0, 1, 0, 1}, (Matrix){200, 200, map});
    plot_end(plot, "c");
}

START_TEST(a_full_disk_leaves_the_old_picture_and_fails)
{
    clear_scratch();
    const char *folder = scratch_path("figures");
    mkdir(folder, 0700);
    if (mount("tmpfs", folder, "tmpfs", 0, "size=65536") != 0) return; // only root may
    scratch_file("figures/loss.png", "old", 3);
    Drawing drawing = {.draw = draw_noise, .lost = true, .figures = folder};
    const char *errors =
        access("/usr/bin/gnuplot", X_OK) == 0 ? expect_figures(&drawing, "figure: loss.png — c\n") : "";
    int left = files_in("figures");
    bool kept = strcmp(read_scratch("figures/loss.png"), "old") == 0;
    umount(folder);
    ck_assert_msg(kept && left == 1, "%d files are left; it wrote: %s", left, errors);
    if (*errors) expect_text(errors, "loss.png is not drawn: ");
}
END_TEST

START_TEST(a_link_is_replaced_and_not_what_it_points_to)
{
    clear_scratch();
    mkdir(scratch_path("figures"), 0700);
    const char *elsewhere = scratch_file("elsewhere", "mine", 4);
    ck_assert_int_eq(symlink(elsewhere, scratch_path("figures/loss.png")), 0);
    char script[300];
    snprintf(script, sizeof script, "/bin/cat %s > \"$4\"",
             scratch_file("whole", red_pixel, sizeof red_pixel));
    Drawing drawing = {.draw = draw_line, .path = fake_gnuplot(script)};
    expect_figures(&drawing, "figure: loss.png — It falls.\n");
    ck_assert_str_eq(read_scratch("elsewhere"), "mine");
    ck_assert(memcmp(read_scratch("figures/loss.png"), red_pixel, sizeof red_pixel) == 0);
}
END_TEST

START_TEST(gnuplot_is_told_nothing_but_what_it_needs)
{
    static const char *const odd[] = {"GNUTERM",
                                      "GNUPLOT_LIB",
                                      "GNUPLOT_FONTPATH",
                                      "GNUPLOT_DEFAULT_GDFONT",
                                      "GDFONTPATH",
                                      "GNUPLOT_PS_DIR",
                                      "GNUHELP",
                                      "DISPLAY",
                                      "LC_NUMERIC",
                                      "LANG",
                                      "PAGER",
                                      "COLUMNS",
                                      "TMPDIR",
                                      "XZ_OPT",
                                      "LD_PRELOAD_NOT"};
    char script[300];
    for (size_t k = 0; k < sizeof odd / sizeof *odd; k++) setenv(odd[k], "qt", 1);
    setenv("LC_ALL", "de_DE.UTF-8", 1);
    setenv("FONTCONFIG_PATH", "kept", 1);
    snprintf(script, sizeof script, "/usr/bin/env > %s; exit 1", scratch_path("told"));
    expect_failure(script, "loss.png is not drawn: gnuplot failed with exit status 1 and wrote ");
    char told[1 << 14];
    snprintf(told, sizeof told, "\n%.16000s", read_scratch("told"));
    for (size_t k = 0; k < sizeof odd / sizeof *odd; k++) {
        char line[64];
        snprintf(line, sizeof line, "\n%s=", odd[k]);
        ck_assert_msg(!strstr(told, line), "%s was told: %s", odd[k], told);
        unsetenv(odd[k]);
    }
    expect_text(told, "\nLC_ALL=C\n");
    expect_text(told, "\nFONTCONFIG_PATH=kept\n");
    unsetenv("LC_ALL");
    unsetenv("FONTCONFIG_PATH");
}
END_TEST

START_TEST(a_gnuplot_that_never_stops_writing_is_ended)
{
    if (access("/usr/bin/yes", X_OK) != 0) return;
    expect_failure("exec /usr/bin/yes",
                   "loss.png is not drawn: gnuplot wrote more than 64 MB of messages and was ended");
    truncate(scratch_path("build/figures/07-drawing/loss.log"), 0);
}
END_TEST

START_TEST(folders_may_have_any_name_and_run_nothing)
{
    static const char *const names[] = {
        "|touch evil", "< touch evil", "$data", "a 'b' \"c\" `touch evil`\nd\x01\xFF",
        "~",           "-x",           "50 %d", "损失"};
    int here = open(".", O_RDONLY);
    char path[PATH_MAX];
    clear_scratch();
    ck_assert(here >= 0 && chdir(scratch_path("")) == 0);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        Drawing drawing = {.draw = draw_line, .figures = names[k], .build = names[k]};
        const char *errors = expect_figures(&drawing, "figure: loss.png — It falls.\n");
        if (strstr(errors, "there is no gnuplot")) break;
        snprintf(path, sizeof path, "./%s/loss.png", names[k]);
        ck_assert_msg(access(path, F_OK) == 0 && !exists("evil"), "%s: %s", names[k], errors);
    }
    ck_assert_int_eq(fchdir(here), 0);
    close(here);
}
END_TEST

// ---- On a terminal -----------------------------------------------------------------------------------------------------

// Runs the drawing with standard error on a terminal, and returns what the terminal got.
static const char *terminal_of(Drawing *drawing)
{
    static char text[1 << 16];
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert_msg(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0, "no terminal: %s",
                  strerror(errno));
    int slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        close(terminal);
        dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
        dup2(slave, STDERR_FILENO);
        run_drawing(drawing);
    }
    close(slave);
    size_t used = 0;
    for (ssize_t got;
         used < sizeof text - 1 && (got = read(terminal, text + used, sizeof text - 1 - used)) > 0;)
        used += (size_t)got;
    text[used] = '\0';
    close(terminal);
    int status;
    waitpid(process, &status, 0);
    ck_assert_int_eq(status, 0);
    return text;
}

START_TEST(a_terminal_gets_a_text_plot_of_lines_and_a_file_does_not)
{
    Drawing line = {.draw = draw_line}, images = {.draw = draw_images};
    clear_scratch();
    const char *text = terminal_of(&line);
    ck_assert_msg(strstr(text, "Title") && strstr(text, "η = 0.1") && strstr(text, "****"), "no plot: %s",
                  text);
    ck_assert(!strchr(text, '\f') && !strchr(text, '\x1B'));
    ck_assert_ptr_null(strstr(terminal_of(&images), "+--"));
    ck_assert_ptr_null(strstr(expect_figures(&line, "figure: loss.png — It falls.\n"), "Title"));
}
END_TEST

// What write_text_plot writes on a screen of this size.
static void write_on_a_screen(void *context)
{
    const int *size = context;
    static const float far[] = {1e8f, 1e8f + 8, 1e8f + 16};
    char *argv[] = {(char[]){"x"}, (char[]){"--figures"}, (char[]){"/nowhere"}, NULL};
    Lesson *lesson = lesson_begin(3, argv, "07-drawing", "T");
    Plot *plot = plot_begin(lesson, "a.png",
                            "温度 e\u0301 \x1B[31m of a model with a title that no narrow screen can hold");
    plot_axes(plot, "step", "a y label"), plot_line(plot, "train", far, sample, 3);
    plot_points(plot, "测试 with a long name", far, sample, 3), plot_log(plot, "y");
    plot_fix_ranges(plot);
    write_text_plot(stderr, plot, size[0], size[1]);
    exit(0);
}

START_TEST(a_text_plot_has_the_width_of_the_screen)
{
    for (int columns = 1; columns <= 200; columns += columns < 24 ? 1 : 29) {
        int status, size[] = {columns, 20}, widest = 0, lines = 0;
        const char *text = stderr_of(write_on_a_screen, size, &status);
        ck_assert_int_eq(status, 0);
        ck_assert(!strchr(text, '\x1B'));
        for (const char *at = text; *at; lines++) {
            char line[2000];
            size_t length = strcspn(at, "\n");
            snprintf(line, sizeof line, "%.*s", (int)length, at);
            at += length + (at[length] == '\n');
            widest = int_max(widest, utf8_columns(line));
        }
        ck_assert_msg(widest <= columns && lines <= 20, "%d columns: %d lines of up to %d:\n%s", columns,
                      lines, widest, text);
        if (columns < 30) continue;
        ck_assert_msg(widest >= columns - 12, "%d columns: only %d are used", columns, widest);
        expect_text(text, "*");
        expect_text(text, "100000000");
    }
}
END_TEST

// ---- Lines of equal height -----------------------------------------------------------------------------------------------

// A plot and one contour series of it, outside of any lesson.
typedef struct {
    Plot plot;
    Series series;
    Contour *lines;
} Traced;

static Traced trace(Arena *arena, PlotWindow window, Matrix values, float *levels, int count)
{
    Traced t = {
        .plot = {.arena = arena, .width = 960, .height = 600},
        .series = {.kind = SERIES_CONTOUR, .window = window, .values = values, .z = levels, .count = count}};
    t.plot.x = (Axis){window.x_low, window.x_high, true, false};
    t.plot.y = (Axis){window.y_low, window.y_high, true, false};
    t.lines = trace_contours(arena, &t.plot, &t.series);
    return t;
}

START_TEST(contours_of_a_bowl_are_closed_circles)
{
    enum { ROWS = 61, COLUMNS = 81 };
    Arena *arena = arena_new();
    Matrix bowl = matrix_new(arena, ROWS, COLUMNS);
    const PlotWindow window = {-2.0, 2.0, -1.5, 1.5};
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < COLUMNS; j++) {
            double x = -2.0 + 4.0 * j / (COLUMNS - 1), y = -1.5 + 3.0 * i / (ROWS - 1);
            AT(bowl, i, j) = (float)(x * x + y * y);
        }
    }
    float levels[] = {0.25f, 1.0f, 2.0f, 100.0f};
    Traced traced = trace(arena, window, bowl, levels, 4);
    int lines = 0;
    for (const Contour *line = traced.lines; line; line = line->next, lines++) {
        double angle = 0.0;
        for (int k = 0; k < line->count; k++) {
            double radius = hypot(line->x[k], line->y[k]);
            ck_assert_msg(fabs(radius * radius - (double)line->level) < 0.01, "level %g, point %d: radius %g",
                          (double)line->level, k, radius);
            if (k)
                angle += atan2(line->x[k - 1] * line->y[k] - line->x[k] * line->y[k - 1],
                               line->x[k - 1] * line->x[k] + line->y[k - 1] * line->y[k]);
        }
        ck_assert_double_eq_tol(fabs(angle), 2.0 * 3.14159265358979, 1e-6); // once round
        ck_assert(line->x[0] == line->x[line->count - 1] && line->y[0] == line->y[line->count - 1]);
        ck_assert_int_ge(line->label, 0);
    }
    ck_assert_int_eq(lines, 3);
    arena_free(arena);
}
END_TEST

// Each edge between a value below the level and one above is crossed exactly once by all lines together.
START_TEST(every_crossing_is_on_exactly_one_line)
{
    enum { ROWS = 13, COLUMNS = 17 };
    Rng rng = rng_new(5, 5);
    for (int round = 0; round < 200; round++) {
        Arena *arena = arena_new();
        Matrix values = matrix_new(arena, ROWS, COLUMNS);
        for (int k = 0; k < ROWS * COLUMNS; k++)
            values.data[k] = (float)rng_below(&rng, 5); // saddles and equal values
        float level = (float)rng_below(&rng, 5) + (round % 2 ? 0.5f : 0.0f);
        int crossings = 0, points = 0, borders = 0;
        for (int i = 0; i < ROWS; i++) {
            for (int j = 0; j < COLUMNS; j++) {
                bool above = AT(values, i, j) >= level;
                bool right = j + 1 < COLUMNS && above != (AT(values, i, j + 1) >= level);
                bool down = i + 1 < ROWS && above != (AT(values, i + 1, j) >= level);
                crossings += right + down;
                borders += (right && (i == 0 || i == ROWS - 1)) + (down && (j == 0 || j == COLUMNS - 1));
            }
        }
        Traced traced = trace(arena, (PlotWindow){0, COLUMNS - 1, 0, ROWS - 1}, values, &level, 1);
        int lines = 0;
        for (const Contour *line = traced.lines; line; line = line->next, lines++) {
            points += line->count;
            for (int k = 1; k < line->count; k++)
                ck_assert_msg(hypot(line->x[k] - line->x[k - 1], line->y[k] - line->y[k - 1]) <= 1.5,
                              "a line leaps");
        }
        // A closed line repeats its first point. Open lines begin and end on the border, so there are borders / 2 of them.
        ck_assert_int_eq(borders % 2, 0);
        ck_assert_msg(points == crossings + lines - borders / 2,
                      "round %d: %d crossings, %d points on %d lines, %d on the border", round, crossings,
                      points, lines, borders);
        arena_free(arena);
    }
}
END_TEST

START_TEST(missing_values_leave_a_hole_in_the_lines)
{
    Arena *arena = arena_new();
    Matrix slope = matrix_new(arena, 9, 9);
    for (int i = 0; i < 9; i++)
        for (int j = 0; j < 9; j++) AT(slope, i, j) = (float)j;
    AT(slope, 4, 4) = NAN;
    float levels[] = {3.5f, NAN};
    Traced traced = trace(arena, (PlotWindow){0, 8, 0, 8}, slope, levels, 2);
    int lines = 0;
    for (const Contour *line = traced.lines; line; line = line->next, lines++) {
        for (int k = 0; k < line->count; k++)
            ck_assert(line->x[k] == 3.5 && !(line->y[k] > 3.0 && line->y[k] < 5.0));
    }
    ck_assert_int_eq(lines, 2);
    arena_free(arena);
}
END_TEST

START_TEST(labels_of_contours_keep_apart)
{
    Arena *arena = arena_new();
    Matrix waves = matrix_new(arena, 60, 60);
    for (int i = 0; i < 60; i++)
        for (int j = 0; j < 60; j++) AT(waves, i, j) = (float)((i - 30) * (i - 30) + 3 * (j - 30) * (j - 30));
    float levels[150];
    for (int k = 0; k < 150; k++) levels[k] = 20.0f + 15.0f * (float)k; // too many for all to bear a label
    Traced traced = trace(arena, (PlotWindow){-1, 1, -1, 1}, waves, levels, 150);
    int labels = 0;
    for (const Contour *a = traced.lines; a; a = a->next) {
        if (a->label < 0) continue;
        labels++;
        ck_assert(under_label(&traced.plot, a, a->label));
        for (const Contour *b = a->next; b; b = b->next) {
            if (b->label < 0) continue;
            double width, height;
            plot_area(&traced.plot, &width, &height);
            double across = 0.5 * width * (a->x[a->label] - b->x[b->label]),
                   up = 0.5 * height * (a->y[a->label] - b->y[b->label]);
            ck_assert_msg(fabs(across) > 36.0 || fabs(up) > 18.0, "labels %g and %g are %g × %g pixels apart",
                          (double)a->level, (double)b->level, across, up);
        }
    }
    ck_assert_int_ge(labels, 6);
    arena_free(arena);
}
END_TEST

// ---- Small files -------------------------------------------------------------------------------------------------------

static void put_number(FILE *file, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8) putc((int)(number >> shift & 0xFF), file);
}

static void put_chunk(FILE *file, const char *name, const uint8_t *bytes, size_t length)
{
    put_number(file, (uint32_t)length);
    fwrite(name, 1, 4, file);
    fwrite(bytes, 1, length, file);
    uLong sum = crc32(crc32(0, NULL, 0), (const Bytef *)name, 4);
    put_number(file, (uint32_t)(length ? crc32(sum, bytes, (uInt)length) : sum));
}

enum { SIDE = 96, ROW = 3 * SIDE + 1 };

// Writes pixels (SIDE × SIDE × 3) as a PNG of which every row says how it is predicted, in several pieces.
static const char *write_png(const uint8_t *pixels, uint8_t type)
{
    static uint8_t rows[SIDE * ROW], compressed[SIDE * ROW + 1000];
    for (int i = 0; i < SIDE; i++) {
        uint8_t filter = (uint8_t)(i % 5);
        rows[i * ROW] = filter;
        for (int j = 0; j < 3 * SIDE; j++) {
            int a = j >= 3 ? pixels[i * 3 * SIDE + j - 3] : 0, b = i ? pixels[(i - 1) * 3 * SIDE + j] : 0;
            int c = i && j >= 3 ? pixels[(i - 1) * 3 * SIDE + j - 3] : 0, p = a + b - c;
            int paeth = abs(p - a) <= abs(p - b) && abs(p - a) <= abs(p - c) ? a
                        : abs(p - b) <= abs(p - c)                           ? b
                                                                             : c;
            const int predicted[] = {0, a, b, (a + b) / 2, paeth};
            rows[i * ROW + 1 + j] = (uint8_t)(pixels[i * 3 * SIDE + j] - predicted[filter]);
        }
    }
    uLongf length = sizeof compressed;
    compress2(compressed, &length, rows, sizeof rows, 0); // not compressed, so that anything is smaller
    const char *path = scratch_path("in.png");
    FILE *file = fopen(path, "wb");
    fwrite("\x89PNG\r\n\x1A\n", 1, 8, file);
    const uint8_t header[13] = {0, 0, 0, SIDE, 0, 0, 0, SIDE, 8, type, 0, 0, 0};
    put_chunk(file, "IHDR", header, 13);
    put_chunk(file, "tEXt", (const uint8_t *)"a\0b", 3);
    put_chunk(file, "IDAT", compressed, 1000);
    put_chunk(file, "IDAT", compressed + 1000, length - 1000);
    put_chunk(file, "IEND", header, 0);
    fclose(file);
    return path;
}

static long scratch_size(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 ? (long)about.st_size : -1;
}

// Squeezes the picture; returns how far a pixel moved at most, and the size of the file.
static int squeeze(const uint8_t *pixels, long *size)
{
    const char *path = write_png(pixels, 2);
    squeeze_png(path, scratch_path("out.png"));
    ck_assert(!exists("out.png"));
    *size = scratch_size(path);
    int width, height, channels, most = 0;
    stbi_uc *got = stbi_load(path, &width, &height, &channels, 3);
    ck_assert_msg(got && width == SIDE && height == SIDE, "%s", stbi_failure_reason());
    for (int k = 0; k < SIDE * SIDE * 3; k++) most = int_max(most, abs(got[k] - pixels[k]));
    stbi_image_free(got);
    return most;
}

START_TEST(a_picture_of_few_colours_is_made_small_without_loss)
{
    static uint8_t pixels[SIDE * SIDE * 3];
    Rng rng = rng_new(3, 3);
    for (int k = 0; k < SIDE * SIDE; k++) {
        uint32_t colour = rng_below(&rng, 256) * 65793u * 7u; // 256 different ones
        for (int c = 0; c < 3; c++) pixels[3 * k + c] = (uint8_t)(colour >> 8 * c);
    }
    long size;
    ck_assert_int_eq(squeeze(pixels, &size), 0);
    ck_assert_msg(size < SIDE * SIDE + 2000, "%ld bytes", size);
}
END_TEST

START_TEST(a_picture_of_shades_is_made_small_with_little_loss)
{
    static uint8_t pixels[SIDE * SIDE * 3];
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) // 96 · 96 / 2 shades near a line from black to blue, and some red
            for (int c = 0; c < 3; c++)
                pixels[3 * (i * SIDE + j) + c] = (uint8_t)(c == 0   ? (i + j) % 8
                                                           : c == 1 ? (i + j) / 2
                                                                    : i + j);
    long size;
    ck_assert_int_le(squeeze(pixels, &size), 4);
    ck_assert_msg(size < SIDE * SIDE + 2000, "%ld bytes", size);
}
END_TEST

START_TEST(a_picture_of_too_many_colours_is_left_alone)
{
    static uint8_t pixels[SIDE * SIDE * 3];
    Rng rng = rng_new(4, 4);
    for (int k = 0; k < SIDE * SIDE * 3; k++) pixels[k] = (uint8_t)rng_below(&rng, 256);
    long size;
    ck_assert_int_eq(squeeze(pixels, &size), 0);
    ck_assert_int_gt(size, SIDE * SIDE * 3);
}
END_TEST

START_TEST(a_damaged_picture_is_left_alone)
{
    static uint8_t pixels[SIDE * SIDE * 3], good[SIDE * ROW + 2000], bad[sizeof good], after[sizeof good];
    const char *path = write_png(pixels, 2);
    FILE *file = fopen(path, "rb");
    size_t length = fread(good, 1, sizeof good, file);
    fclose(file);
    Rng rng = rng_new(6, 6);
    for (int k = 0; k < 500; k++) {
        memcpy(bad, good, length);
        size_t cut = k % 3 == 0 ? rng_below(&rng, (uint32_t)length) : length;
        size_t at = k < 240 ? (size_t)k / 3
                            : rng_below(&rng, (uint32_t)cut + 1); // each byte of the headers, then any
        if (at < cut) bad[at] ^= (uint8_t)(1 + rng_below(&rng, 255));
        path = scratch_file("bad.png", bad, cut);
        squeeze_png(path, scratch_path("out.png"));
        ck_assert(!exists("out.png"));
        file = fopen(path, "rb");
        size_t left = fread(after, 1, sizeof after, file);
        fclose(file);
        // Damage that this reader does not see (a check sum, a comment) may be repaired; nothing else may change.
        int width, height, channels;
        if (left == cut && memcmp(after, bad, cut) == 0) continue;
        stbi_uc *seen = stbi_load(path, &width, &height, &channels, 3);
        ck_assert_msg(seen != NULL, "byte %zu of %zu: %s", at, cut, stbi_failure_reason());
        stbi_image_free(seen);
    }
    // A disk that is full leaves the picture as it was, and nothing else.
    path = write_png(pixels, 2);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){50, RLIM_INFINITY});
    ck_assert_int_eq(squeeze_png(path, scratch_path("out.png")), EFBIG);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    ck_assert(!exists("out.png"));
    ck_assert_int_eq(scratch_size(path), (long)length);

    path = write_png(pixels, 6); // says that it has four bytes a pixel
    squeeze_png(path, scratch_path("out.png"));
    ck_assert_int_eq(scratch_size(path), (long)length);
    squeeze_png(scratch_path("nothing"), scratch_path("out.png"));
    ck_assert(!exists("nothing") && !exists("out.png"));
}
END_TEST

// ---- What is refused -----------------------------------------------------------------------------------------------------

static void draw_wrongly(Lesson *lesson, void *context)
{
    int number = *(const int *)context;
    static float y[4], numbers[12];
    static const char *const names[4] = {"a", "b", "c", "d"};
    const Matrix m = {3, 4, numbers}, none = {0, 4, numbers}, thin = {1, 12, numbers};
    const PlotWindow window = {0, 1, 0, 1}, backwards = {1, 0, 0, 1}, unknown = {0, 1, (double)NAN, 1};
    static const char *const files[] = {"",        ".png",      "a.jpg", "a",    "../a.png",
                                        "a b.png", "a.png.png", "é.svg", "a.PNG"};
    if (number < 9) plot_begin(lesson, files[number], "T");
    Plot *plot = plot_begin(lesson, "a.png", "T");
    switch (number) {
    case 9:
        plot_log(plot, "z");
        break;
    case 10:
        plot_range_x(plot, 1, 1);
        break;
    case 11:
        plot_range_y(plot, 0, (double)INFINITY);
        break;
    case 12:
        plot_legend(plot, "over there");
        break;
    case 13:
        plot_size(plot, 0, 100);
        break;
    case 14:
        plot_line(plot, "a", NULL, NULL, 4);
        break;
    case 15:
        plot_line(plot, "a", NULL, y, -1);
        break;
    case 16:
        plot_histogram(plot, "a", y, 4, 0);
        break;
    case 17:
        plot_horizontal(plot, "a", (double)NAN);
        break;
    case 18:
        plot_text(plot, 0, 0, NULL);
        break;
    case 19:
        plot_heatmap(plot, backwards, m);
        break;
    case 20:
        plot_heatmap(plot, unknown, m);
        break;
    case 21:
        plot_contour(plot, window, thin, y, 4);
        break;
    case 22:
        plot_cells(plot, none, NULL, NULL, 1);
        break;
    case 23:
        plot_cells(plot, m, NULL, NULL, 7);
        break;
    case 24:
        plot_images(plot, (PlotImages){2, 2, 2, 1, 0, 1}, m, NULL);
        break;
    case 25:
        plot_images(plot, (PlotImages){2, 2, 3, 1, 0, 1}, m, NULL);
        break;
    case 26:
        plot_images(plot, (PlotImages){2, 2, 1, 0, 0, 1}, m, NULL);
        break;
    case 27:
        plot_cells(plot, m, NULL, NULL, 0), plot_line(plot, "a", NULL, y, 4);
        break;
    case 28:
        plot_line(plot, "a", NULL, y, 4), plot_cells(plot, m, NULL, NULL, 0);
        break;
    case 29:
        plot_bars(plot, names, y, 4), plot_bars(plot, names, y, 4);
        break;
    case 30:
        plot_log(plot, "y"), plot_range_y(plot, 0, 1), plot_end(plot, "c");
        break;
    case 31:
        plot_heatmap(plot, window, m), plot_heatmap(plot, window, m);
        break;
    case 32:
        plot_x_ticks(plot, (double[]){(double)NAN}, NULL, 1);
        break;
    case 33:
        plot_images(plot, (PlotImages){2, 2, 1, 1, 0, NAN}, m, NULL);
        break;
    case 34:
        plot_bars(plot, NULL, y, 4);
        break;
    case 35:
        plot_band(plot, "a", NULL, y, NULL, 4);
        break;
    default:
        break;
    }
}

START_TEST(what_makes_no_sense_is_refused_with_a_hint)
{
    for (int number = 0; number <= 35; number++) {
        Drawing drawing = {.draw = draw_wrongly, .context = &number, .path = "/nowhere"};
        int status;
        const char *text = stderr_of(run_drawing, &drawing, &status);
        ck_assert_msg(status == 1 && strstr(text, "error: common/lesson/plot") && strstr(text, "\n hint: "),
                      "number %d: status %d, it wrote %s", number, status, text);
    }
}
END_TEST

SUITE("plot", data_is_written_to_the_last_digit_with_nan_for_gaps, a_histogram_counts_every_finite_value_once,
      bars_keep_their_names, a_histogram_of_equal_values_has_a_width,
      images_are_written_from_the_top_left_with_channels_innermost,
      cells_have_their_values_and_names_and_readable_ink, ranges_hold_what_can_be_seen,
      powers_of_ten_are_written_as_such, the_legend_covers_nothing, a_map_under_points_is_pale,
      every_axis_has_two_names_and_all_of_them_differ, odd_axes_are_drawn_with_their_names_inside_the_picture,
      names_and_labels_leave_the_axes_their_room_and_do_not_leave_the_picture,
      names_below_do_not_touch_where_those_beside_are_long, values_that_cannot_be_drawn_are_told,
      letters_that_no_font_has_do_not_cover_the_picture, half_a_picture_does_not_replace_a_whole_one,
      a_full_disk_leaves_the_old_picture_and_fails, a_link_is_replaced_and_not_what_it_points_to,
      gnuplot_is_told_nothing_but_what_it_needs, a_gnuplot_that_never_stops_writing_is_ended,
      folders_may_have_any_name_and_run_nothing, a_text_plot_has_the_width_of_the_screen,
      words_are_drawn_as_they_are_and_nothing_in_them_is_run,
      newlines_and_odd_bytes_in_words_do_not_break_the_script, captions_are_printed_on_one_line,
      every_kind_of_picture_is_drawn_as_png, every_kind_of_picture_is_drawn_as_svg,
      the_same_picture_is_the_same_bytes, an_image_comes_out_upright_and_in_its_colours,
      without_gnuplot_data_and_script_are_kept_and_the_lesson_goes_on,
      the_script_that_was_kept_draws_the_picture_later, a_gnuplot_that_fails_leaves_the_old_picture,
      a_gnuplot_that_dies_leaves_the_old_picture, a_gnuplot_that_draws_nothing_leaves_the_old_picture,
      a_gnuplot_that_cannot_be_started_leaves_the_old_picture, a_gnuplot_that_writes_much_does_not_block,
      a_gnuplot_that_reads_finds_nothing_to_read, a_gnuplot_that_hangs_is_ended_with_all_that_it_started,
      a_gnuplot_that_succeeds_replaces_the_picture, a_full_disk_leaves_nothing_half_written,
      folders_that_cannot_be_made_are_told, a_figures_folder_that_cannot_be_written_is_told,
      a_terminal_gets_a_text_plot_of_lines_and_a_file_does_not, contours_of_a_bowl_are_closed_circles,
      every_crossing_is_on_exactly_one_line, missing_values_leave_a_hole_in_the_lines,
      labels_of_contours_keep_apart, a_picture_of_few_colours_is_made_small_without_loss,
      a_picture_of_shades_is_made_small_with_little_loss, a_picture_of_too_many_colours_is_left_alone,
      a_damaged_picture_is_left_alone, what_makes_no_sense_is_refused_with_a_hint)
