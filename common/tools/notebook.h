// notebook.h: a chapter's C file and the output of its run, put together as the pages of a notebook.
//
// The source. A text cell is a block comment whose /* and */ each stand alone on their lines, from the first column
// (blanks may follow); its inside is Markdown, with mathematics between dollars. What lies between text cells is a code cell. A
// small lexer decides what is a comment, so that markers inside strings, characters and other comments are left alone.
// The chapter begins with a text cell, and that with "# Title".
//
// The output. A line "── Title ──…" (see lesson.h) begins a section; it belongs under the code cell that contains the
// call section(lesson, "Title"). What is printed before the first section belongs under the cell that calls
// lesson_begin. A line "figure: name.png — caption" (see plot.h) becomes the picture. The title line of a section is
// shown only where one cell prints several; all other lines are shown as they are.
//
// The figures of chapter 9 are numbered on its pages, "Figure 9.1", "Figure 9.2" and so on, in the order in which they
// stand there. Where the prose says "chapter 7" or "chapters 6 and 7", the Markdown page links to the chapters that exist.
// The chapters of the appendix have letters for numbers: "A-fast-product", "Figure A.1", "appendix A".
//
// Folding. A function "static void draw_…", "plot_…", "print_…" or "show_…" at the first column is folded on the Markdown
// page, with the comment lines right above it, unless it says Rng (such a function draws random numbers) or claim (such a
// function is an experiment). All other code is shown. The fold says which figures the function draws, if the names of
// their files stand in it, "How Figure 9.1 is drawn", else its name.
//
// The pages. notebook_markdown writes the README.md of the chapter, notebook_jupyter the same as a Jupyter notebook:
//
//     Document source = notebook_load(arena, "chapters/01-linear-regression/linear_regression.c");
//     Document output = notebook_load(arena, "build/…/output.txt");
//     Notebook *notebook = notebook_weave(arena, source, output);
//     notebook_markdown(notebook, &page, stdout);
//
// notebook_read is notebook_weave for a page that was written before: the outputs are taken from it, and nothing has to run.
//
// A section that is printed and never named, named and never printed, or there twice stops the program with both
// files' names; so do bytes that are not UTF-8, control characters, unterminated comments and strings, and odd figures.
#pragma once
#include "base/arena.h"

// Chapters by number, and behind them those of the appendix, by letter.
enum { NOTEBOOK_MAX_BYTES = 1 << 26, NOTEBOOK_NUMBERS = 100, NOTEBOOK_CHAPTERS = NOTEBOOK_NUMBERS + 26 };

// A whole file: UTF-8 without control characters other than tab and newline, ended by a zero byte that is not counted.
typedef struct {
    const char *path;
    const char *bytes;
    size_t length;
} Document;

// Part of a text.
typedef struct {
    const char *at;
    size_t length;
} Span;

typedef enum { OUTPUT_TEXT, OUTPUT_FIGURE } OutputKind;

typedef struct Output {
    OutputKind kind;
    Span text;   // the lines printed, or the caption of the figure (perhaps empty)
    Span figure; // the figure's file name
    int number;  // 1 for the first figure of the page
    struct Output *next;
} Output;

typedef enum { CELL_TEXT, CELL_CODE } CellKind;

typedef struct Cell {
    CellKind kind;
    Span text;       // without blank lines at both ends; never empty
    Output *outputs; // what a code cell printed, in order
    Output *last;    // the last of them
    struct Cell *next;
} Cell;

// Words of the prose that name a chapter: "Chapter 7", "appendix A"; in a list, the first with its word, then the numbers alone.
typedef struct Mention {
    Span words;
    int chapter; // its place in Page.chapters
    struct Mention *next;
} Mention;

typedef struct {
    Document source;
    Span title; // of the first text cell, without "# "
    Cell *cells;
    Mention *mentions, *last_mention; // in the order of the text
} Notebook;

// What a page says besides the chapter itself.
typedef struct {
    const char *folder;          // "01-linear-regression": figures are in ../../figures/01-linear-regression/
    const char *file;            // "linear_regression.c"
    bool exercise;               // there is an exercise.c beside it
    const char *previous, *next; // folders of the neighbouring chapters, NULL at both ends of the book
    const char *previous_title, *next_title;
    // [7]: the folder of chapter 7, NULL when there is none; [NOTEBOOK_NUMBERS]: that of appendix A
    const char *chapters[NOTEBOOK_CHAPTERS];
} Page;

static inline bool notebook_is_letter(char c) { return c >= 'A' && c <= 'Z'; }

// The place of a folder in Page.chapters: 7 of "07-autograd"; −1 when it has none.
int notebook_chapter_of(const char *folder);

// Reads a file, or takes bytes from memory: carriage returns before newlines and a byte order mark are dropped.
Document notebook_load(Arena *arena, const char *path);
Document notebook_text(Arena *arena, const char *path, const char *bytes, size_t length);

// The cells of a source alone, and with what its run printed.
Notebook *notebook_cells(Arena *arena, Document source);
Notebook *notebook_weave(Arena *arena, Document source, Document output);

// The same from a page of this source: notebook_markdown gives that page again, byte for byte, or the program stops.
Notebook *notebook_read(Arena *arena, Document source, Document woven, const Page *page);

void notebook_markdown(const Notebook *notebook, const Page *page, FILE *out);

// nbformat 4.5, with the pictures found in the folder figures. They must be there.
void notebook_jupyter(Arena *arena, const Notebook *notebook, const Page *page, const char *figures,
                      FILE *out);

// For the pages: the next line of the rest of a text, without its newline (false at the end); a text without blank lines
// at both ends and without the last newline; the bytes of a file, or an error with this hint.
bool notebook_line(Span *rest, Span *line);
Span notebook_trim(Span text);
Span notebook_bytes(Arena *arena, const char *path, const char *hint);

// A cell on the Markdown page, with its outputs. Mentions that were passed are left behind.
void notebook_put_cell(FILE *out, const Notebook *notebook, const Page *page, const Mention **mentions,
                       const Cell *cell);

// Adds the mentions of chapters in prose without fenced blocks.
void notebook_read_mentions(Arena *arena, Notebook *notebook, Span prose);

// The first function of the code that is folded, with its comment; false when there is none.
bool notebook_fold(Span code, Span *function, Span *name);
