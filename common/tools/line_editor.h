// line_editor.h: lines from standard input: typed at a terminal, where they can be edited, or out of a pipe or a file.
//
//     line_begin();
//     for (;;) {
//         char *text;
//         const LineEnd end = line_read("> ", &text);         // LINE_READ: text is the line, until the next call
//         …
//         while (working) if (line_interrupted()) break;      // ctrl-C, or the signal SIGINT
//     }
//
// The terminal's own editing deletes bytes or knows no character of two columns; this one works on characters and their
// widths (base/utf8.h). Keys: arrows, home and end, backspace and delete, the line before and after, and those of Emacs: ctrl-A, E,
// B, F, H, D, K, U, W, L, P, N. A line that is longer than the screen is wide is shown in part. What is pasted may have several
// lines, which stay one text.
//
// While the program works, keys that are typed wait for the next line; a ctrl-C among them drops those before it. The
// terminal is as it was before when the program ends, also by a signal, or is stopped by ctrl-Z.
//
// With another standard input, with a standard error that is no terminal, or with TERM=dumb, lines are read as they come.
// There is one standard input, so all of it is one for the program. Not for several threads.
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef enum { LINE_READ, LINE_ENDED, LINE_CTRL_C } LineEnd;

void line_begin(void);
bool line_is_typed(void); // whether standard input and standard error are a terminal: prompts make sense

// The prompt goes to standard error, if lines are typed. The text has no newline at its end and is not always UTF-8; *size
// (which may be NULL) counts its bytes, among which zero bytes may be.
LineEnd line_read(const char *prompt, char **text, size_t *size);

// Whether somebody has asked to stop since this or line_read was called last.
bool line_interrupted(void);
