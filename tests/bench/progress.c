// progress.c: see progress.h.
#include "progress.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lesson/lesson.h"

enum { LINE = 512 };

static struct {
    char what[LINE];
    double began, shown, left, drawn; // when; left: how many seconds from shown on
    int columns;                      // of the line that stands there
} bar;

static bool watched(void)
{
    static int known = -1;
    if (known < 0) known = isatty(STDERR_FILENO);
    return known;
}

static void draw(void)
{
    if (!watched()) return;
    const double now = seconds_now(), left = bar.left - (now - bar.shown);
    const char *place = getenv("BENCH_PLACE");
    char line[2 * LINE], end[64] = "";
    if (!isnan(left)) snprintf(end, sizeof end, ", about %.0f s left", fmax(left, 1.0));
    snprintf(line, sizeof line, "%s%s%s%s, %.0f s%s", place && *place ? "[" : "", place ? place : "",
             place && *place ? "] " : "", bar.what, now - bar.began, end);
    int columns, lines;
    lesson_screen(&columns, &lines);
    progress_wipe();
    // All of it is one byte a column; the last column stays free, or some terminals would begin a new line.
    bar.columns = fprintf(stderr, "%.*s", columns - 1, line);
    fputc('\r', stderr);
    bar.drawn = now;
}

void progress_begin(void) { bar.began = seconds_now(); }

void progress_show(const char *what, double left)
{
    snprintf(bar.what, sizeof bar.what, "%s", what);
    bar.left = left;
    bar.shown = seconds_now();
    if (bar.shown - bar.drawn >= 0.1) draw();
}

void progress_tick(void)
{
    if (seconds_now() - bar.drawn >= 1.0) draw();
}

void progress_share(double share)
{
    const double now = seconds_now();
    if (now - bar.drawn < 1.0 || share <= 0.0) return;
    bar.left = (now - bar.shown) / share; // of all that is shown; draw() takes off what is over
    draw();
}

void progress_wipe(void)
{
    if (bar.columns > 0) fprintf(stderr, "\r%*s\r", bar.columns, "");
    bar.columns = 0;
}
