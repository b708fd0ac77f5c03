// child.h: runs another program and waits for its end. No shell reads its arguments; it has nothing to read and no terminal
// to ask at; and its environment is one that is known, whatever the user's says: a program is told where programs,
// libraries, fonts and the user's folder are, and to speak and to count as in C ("0.5", not "0,5"). Nothing else.
//
//     char *const arguments[] = {"gnuplot", "-d", "-c", "loss.gp", NULL};
//     Child child = child_run(arguments, "loss.log", true, 60.0);
//     if (child.end == CHILD_ENDED && child.detail == 0) …
#pragma once
#include <stdbool.h>

typedef enum {
    CHILD_ENDED,   // detail: its exit status
    CHILD_MISSING, // there is no such program on PATH
    CHILD_REFUSED, // it cannot be started; detail: errno
    CHILD_KILLED,  // detail: the signal that it died of
    CHILD_SLOW,    // it took longer, and was ended with all that it had started
    CHILD_LOUD,    // it wrote more than CHILD_MOST bytes, and was ended likewise
} ChildEnd;

typedef struct {
    ChildEnd end;
    int detail;
} Child;

enum { CHILD_MOST = 1 << 26 };

// arguments: its name and what follows, then NULL. What it writes to its standard output, and with messages also what it
// writes to standard error, goes to the file output, which is made or emptied. seconds: how long it may take.
Child child_run(char *const *arguments, const char *output, bool messages, double seconds);
