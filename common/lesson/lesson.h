// lesson.h: what makes a program a lesson: sections, claims that are checked, a progress bar, and one exit status.
//
//     int main(int argc, char **argv)
//     {
//         Lesson *lesson = lesson_begin(argc, argv, "01-linear-regression", "Linear regression");
//         explore(lesson);                         // calls section(lesson, "The data"), prints, claims, plots
//         return lesson_end(lesson);               // 0 when every claim held
//     }
//
// Standard output is the lesson: the same bytes on every run, machine and number of threads. Everything that depends on
// the machine (time, memory, the progress bar) goes to standard error, and bars only to a terminal.
//
// The command line, the same for every chapter: --help, --seed N (default 1: the book's numbers), --full (or FULL=1 in
// the environment), --figures FOLDER (where pictures go; default figures/NN-name), --quiet (no progress bar). A wrong
// command line ends the program with exit status 2. Without --figures it must be run from the course's folder.
//
// A section begins with a line "── Title ──…" on standard output. The weaver (common/tools/weave.c) puts each section's
// output under the code cell that contains the call section(lesson, "Title"), so titles are literal strings, one of a kind.
// No other line of a lesson's output may begin with "── ".
#pragma once
#include "base/arena.h"
#include "base/check.h"
#include "base/rng.h"

typedef struct Lesson Lesson;

// Reads the command line, prints the title. folder is the chapter's folder name, "NN-name".
// Writing to a closed pipe becomes an error that is told, at the next section or at the end, with exit status 1.
Lesson *lesson_begin(int argc, char **argv, const char *folder, const char *title);

// The same for a chapter with options of its own, each followed by a value: "--content FILE" or "--content=FILE". What was given
// is found in *value, which keeps what it had when the option was not; --help shows them above the others.
//
//     const char *content = NULL;
//     const LessonOption options[] = {{"--content", "FILE", "the photograph that is painted", &content}};
//     Lesson *lesson = lesson_begin_with(argc, argv, "27-style-transfer", "Style transfer", options, 1);
typedef struct {
    const char *name, *what, *help; // "--content"; its value in one word; a line for --help
    const char **value;
} LessonOption;
Lesson *lesson_begin_with(int argc, char **argv, const char *folder, const char *title,
                          const LessonOption *options, int option_count);

// Prints how many claims held, if there were any; on standard error the run time and the peak memory, each claim that failed,
// with its place in the source, and each figure that was lost. Returns the exit status: 0 when every claim held and no figure
// was lost, 1 otherwise.
int lesson_end(Lesson *lesson);

void section(Lesson *lesson, const char *title);

// A sentence that the run must bear out: prints "✓ sentence" or "✗ sentence".
#define claim(lesson, condition, ...) claim_at(HERE, lesson, condition, __VA_ARGS__)
void claim_at(Place place, Lesson *lesson, bool holds, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// An arena that lives as long as the lesson.
Arena *lesson_arena(Lesson *lesson);

// A generator for one purpose: streams of the same seed are independent. lesson_rng(lesson, 1), lesson_rng(lesson, 2), …
Rng lesson_rng(const Lesson *lesson, uint64_t stream);

bool lesson_full(const Lesson *lesson);           // FULL=1: train longer for the better figure
const char *lesson_figures(const Lesson *lesson); // the folder that pictures go to
const char *lesson_folder(const Lesson *lesson);  // "NN-name"

// A progress bar on standard error with the loss and the time left; silent when that is not a terminal.
// Steps of a loop: for (step = 0; step < steps; step++) { …; lesson_progress(lesson, "training", step + 1, steps, loss); }
// Pass NAN for a loop without a loss. The bar is wiped when done reaches total.
void lesson_progress(Lesson *lesson, const char *what, long done, long total, double loss);

// A figure could not be drawn, or not be kept: the lesson goes on, and ends with exit status 1. (A machine without gnuplot
// draws none; that is no failure.)
void lesson_lost_figure(Lesson *lesson, const char *file);

// Seconds since an arbitrary start, for figures that go to standard error only.
double seconds_now(void);

// Whether somebody watches: standard error is a terminal, and --quiet was not given. Who writes there wipes the bar first.
bool lesson_watched(const Lesson *lesson);
void lesson_wipe_progress(Lesson *lesson);

// How many columns and lines the terminal has at this moment; where it does not say, as COLUMNS and LINES in the
// environment say, or 80 × 24.
void lesson_screen(int *columns, int *lines);
