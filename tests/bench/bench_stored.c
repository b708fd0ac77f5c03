// Products with weights of 32, 16 and 8 bits (matrix/stored.h): one row of x, as in writing token after token, a few, and many.
// The first three lie row by row, as in a file, INT8 in strips.
// By one row every weight is read once, so its bytes a second stand beside those that a plain copy reads on this machine; by
// many, the operations stand beside those of the product of floats.
#include "base/parallel.h"
#include "bench.h"
#include "matrix/stored.h"
#include "timing.h"

#include <string.h>

enum { OUTPUTS = 8192, INPUTS = 4096, COPIED = 1 << 28, PIECES = 64 };

typedef struct {
    Matrix out, x, floats;
    Stored weights;
    bool as_floats; // matmul_nt
} Task;

static void multiply_once(void *context)
{
    const Task *t = context;
    if (t->as_floats)
        matmul_nt(t->out, t->x, t->floats);
    else
        stored_matmul_nt(t->out, t->x, t->weights);
}

static double gigabytes(double seconds, void *context)
{
    const Task *t = context;
    const double bytes = (double)(t->as_floats ? 4 * matrix_size(t->floats) : stored_bytes(t->weights));
    return 1e-9 * bytes * calls_per_second(seconds, multiply_once, context);
}

static double gigaflops(double seconds, void *context)
{
    const Task *t = context;
    return 2e-9 * t->x.rows * (double)matrix_size(t->floats) *
           calls_per_second(seconds, multiply_once, context);
}

typedef struct {
    char *to, *from;
} Copy;

static void copy_once(void *context)
{
    const Copy *c = context;
#pragma omp parallel for
    for (size_t i = 0; i < PIECES; i++)
        memcpy(c->to + i * (COPIED / PIECES), c->from + i * (COPIED / PIECES), COPIED / PIECES);
}

static double copied(double seconds, void *context)
{
    return 1e-9 * COPIED * calls_per_second(seconds, copy_once, context);
}

// The rows of a table for so many rows of x: floats, and each kind.
static void rows(Arena *arena, Matrix floats, const Stored *kinds, int count)
{
    Task task = {
        .x = matrix_new(arena, count, INPUTS), .out = matrix_new(arena, count, OUTPUTS), .floats = floats};
    Rng rng = rng_new(1, 2);
    fill_normal(task.x, &rng, 0, 1);
    for (int kind = -1; kind <= STORED_INT8; kind++) {
        char name[64];
        task.as_floats = kind < 0;
        if (kind >= 0) task.weights = kinds[kind];
        snprintf(name, sizeof name, "stored_%s_%dx%dx%d",
                 kind < 0 ? "matmul_nt" : stored_kind_name((StoredKind)kind), count, INPUTS, OUTPUTS);
        bench_row((BenchRow){.name = name,
                             .metric = count == 1 ? "gbytes_per_s" : "gflops",
                             .block = count == 1 ? gigabytes : gigaflops,
                             .context = &task,
                             .block_seconds = 0.1},
                  2);
    }
}

int main(void)
{
    Arena *arena = arena_new();
    Matrix floats = matrix_new(arena, OUTPUTS, INPUTS);
    Rng rng = rng_new(1, 1);
    fill_normal(floats, &rng, 0, 0.02f);
    Stored kinds[STORED_INT8 + 1];
    for (int kind = STORED_F32; kind < STORED_INT8; kind++)
        kinds[kind] = stored_from(arena, floats, (StoredKind)kind);
    kinds[STORED_INT8] = stored_quantise(arena, floats);
    Copy c = {arena_zeros(arena, COPIED, 1), arena_zeros(arena, COPIED, 1)};

    bench_begin("stored", NULL, 0);
    bench_row((BenchRow){.name = "stored_copy",
                         .metric = "gbytes_per_s",
                         .block = copied,
                         .context = &c,
                         .block_seconds = 0.1},
              2);
    rows(arena, floats, kinds, 1);
    rows(arena, floats, kinds, 4);
    rows(arena, floats, kinds, 256);
    int status = bench_end();
    arena_free(arena);
    return status;
}
