// raw.h: files of raw numbers that a benchmark writes for its peers.
#pragma once
#include "base/check.h"
#include "matrix/matrix.h"

#include <stdio.h>
#include <stdlib.h>

// BENCH_PROGRAMS, or here.
static inline const char *raw_folder(void)
{
    const char *folder = getenv("BENCH_PROGRAMS");
    return folder ? folder : ".";
}

// Whether there are peers, who will read them.
static inline bool raw_wanted(void)
{
    const char *peers = getenv("BENCH_PEERS");
    return peers && *peers;
}

// The new file name + end, in that folder; raw_close ends it.
static inline FILE *raw_create(const char *name, const char *end)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s%s", raw_folder(), name, end);
    FILE *file = fopen(path, "wb");
    check(file, "is BENCH_PROGRAMS a folder that can be written to?", "cannot write %s", path);
    return file;
}

static inline void raw_matrix(FILE *file, Matrix m) { fwrite(m.data, sizeof(float), matrix_size(m), file); }

static inline void raw_close(FILE *file)
{
    check(fclose(file) == 0, NULL, "cannot write to %s", raw_folder());
}
