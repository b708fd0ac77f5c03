// progress.h: one line on standard error that says what a benchmark waits for. It is drawn over itself and wiped before anything
// else is printed; nothing of it where standard error is no terminal.
#pragma once

// A new wait: its seconds are counted from here.
void progress_begin(void);

// "[3 of 22] lenet, 2 threads: measuring PyTorch, block 4 of at most 9, 5 s, about 8 s left". What stands in brackets is
// BENCH_PLACE of the environment; left: how many seconds more, NAN when nobody knows.
void progress_show(const char *what, double left);

// The same wait, a second later. And, of a long training: so much of the work that it takes is done, 0 to 1.
void progress_tick(void);
void progress_share(double share);

void progress_wipe(void);
