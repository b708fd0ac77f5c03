// bench.h: the harness of the benchmarks. Each tests/bench/bench_NAME.c is one program:
//
//     int main(void)
//     {
//         static const BenchPeer peers[] = {{.label = "PyTorch", .program = "pytorch.py"}};
//         bench_begin("softmax", peers, 1);
//         bench_row((BenchRow){"softmax", "samples_per_s", .block = epoch, .request = "softmax"}, 2);
//         return bench_end();
//     }
//
// Every row is measured in blocks of a few milliseconds to a second, behind one that warms up and does not count. The blocks of
// this course and those of the peers take turns, so that all of them meet the same hour of the same machine, and the median
// counts. A ratio compares the best quarter of our blocks with the best quarter of theirs: what others do on the machine only ever
// makes a block slower. A row is bounded: on each number of threads about 3 seconds of ours and 6 of each peer's (bench.c), so
// that all rows take less than 10 minutes on two cores, and less than 20 beside their peers. Where a model's tape is watched
// (watch.h), its operations a second stand beside the rate, and the share of what our own product of 1024³ does in the same run:
// the limit.
//
// What is reached (an accuracy, a loss) is no matter of the hour: it is measured when it is asked for, BENCH_ACCURACY=1, as the
// median of three, and kept in accuracy.tsv with its commit. run.sh does that, and shows it behind the rows.
//
// The table for people goes to standard error, a row as soon as it is measured, and below it what is waited for (progress.h).
// One JSON object per line, ours and each peer's, goes to standard output unless that is a terminal, or to the file BENCH_JSON;
// table.sh makes a table in Markdown of them.
//
// A peer is a program in tests/bench/peers that computes the same with another library, in a process of its
// own, because two libraries' threads in one process fight. It is started (only with BENCH_PEERS=1) with
// OMP_NUM_THREADS set and prints "ready" and its name with versions, or exits when its library is missing.
// Then it is asked, line by line, "SECONDS REQUEST", and answers with the value for one block, or with "no"
// if it does not know the request. Between its blocks it is stopped, for idle threads like to spin.
//
// Debian's packages: libopenblas0-openmp libopenblas0-pthread libdnnl-dev python3-numpy python3-torch
// python3-sklearn. None is needed to build; those that are missing are named and skipped.
//
// Settings in the environment: BENCH_PEERS=1, BENCH_ACCURACY=1, BENCH_PROFILE=1 (where the time goes), BENCH_BLOCKS=n (at most so
// many, default 9), BENCH_JSON=file, BENCH_PROGRAMS=folder of the compiled peers, BENCH_ONLY=text (only rows whose name contains
// it), PYTHON=interpreter to be tried first; BENCH_PLACE and BENCH_COMMIT come from run.sh.
#pragma once
#include <stdbool.h>

typedef struct {
    const char *label;    // "OpenBLAS"
    const char *program;  // "blas", compiled from peers/blas.c, or "pytorch.py"
    const char *argument; // handed to it; may be NULL
    double bar;           // we want to be at least so many times as fast; 0: no bar
} BenchPeer;

typedef struct {
    const char *name, *metric;
    bool lower_is_better; // seconds; otherwise the value is a rate
    double (*block)(double seconds,
                    void *context); // does about so many seconds of work (or one unit of it); its value
    void *context;
    bool outside_bar;     // shown, but not counted where a peer's bar is
    const char *request;  // what the peers are asked; NULL: they have nothing like it
    double block_seconds; // 0: 0.02
    const char *kept;     // "5 epochs": after so much work the value is reached. NULL: a speed
} BenchRow;

// The peers must stay where they are until bench_end.
void bench_begin(const char *group, const BenchPeer *peers, int peer_count);

// Measures a row on 1 thread, on 2, and on all there are; no more than most. One that is kept, with BENCH_ACCURACY=1 and only
// then, on 2 threads.
void bench_row(BenchRow row, int most);

// Within a long block of a row that is kept: so much of its work is done, 0 to 1.
void bench_share(double share);

// The bars. Returns the exit status: 0, since a slow machine is not an error.
int bench_end(void);
