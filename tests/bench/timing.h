// timing.h: how long something takes. Shared by the benchmarks and by the programs of other libraries, so
// that both are measured in the same way.
#pragma once
#include <time.h>

static inline double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// How many times a second call(context) runs. It is called for about a third of the given time to warm up
// caches, threads and the clock of the processor, then for the whole of it, measured.
static inline double calls_per_second(double seconds, void (*call)(void *context), void *context)
{
    long calls = 0, batch = 1;
    double start = seconds_now(), warm = 0.0;
    while (warm < seconds / 3.0) {
        for (long i = 0; i < batch; i++) call(context);
        calls += batch;
        if (batch < 1 << 16) batch *= 2;
        warm = seconds_now() - start;
    }
    long measured = (long)(seconds * (double)calls / warm) + 1;
    start = seconds_now();
    for (long i = 0; i < measured; i++) call(context);
    return (double)measured / (seconds_now() - start);
}
