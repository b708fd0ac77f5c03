// The steps of appendix B, "How the convolution is made fast", and the library: 10⁹ floating-point operations a second, for 16
// images of 28 × 28 pixels and a window of 3 × 3. A row convolution_C_O_STEP is C channels to O.
#define main appendix_main // the page's own, which nobody calls here
int appendix_main(int argc, char **argv);
#include "../../chapters/B-fast-convolution/fast_convolution.c"
#undef main
#include "bench.h"

typedef struct {
    int step, layer;
} Task;

static double block(double seconds, void *context)
{
    const Task *task = context;
    Arena *arena = arena_new();
    Rng rng = rng_new(1, 1);
    const Case k = random_case(arena, &rng, layer(task->layer));
    double passed = 0.0, flops = 0.0, start = 0.0;
    for (int r = 0; passed < seconds; r++) {
        ArenaMark mark = arena_mark(arena);
        if (r == 1) start = seconds_now(); // behind the first, which warms up
        steps[task->step].run(arena, &k.v, k.y, k.x, k.w);
        arena_rewind(arena, mark);
        if (r == 0) continue;
        passed = seconds_now() - start;
        flops += flops_of(&k.v);
    }
    arena_free(arena);
    return 1e-9 * flops / passed;
}

int main(void)
{
    static const char *const names[STEPS] = {"seven_loops", "patches", "lines", "folded_lines", "library"};
    bench_begin("fast_convolution", NULL, 0);
    for (int l = 0; l < 2; l++)
        for (int step = 0; step < STEPS; step++) {
            Task task = {step, l};
            const Conv v = layer(l);
            char name[64];
            snprintf(name, sizeof name, "convolution_%d_%d_%s", v.inputs, v.outputs, names[step]);
            bench_row((BenchRow){.name = name, .metric = "gflops", .block = block, .context = &task}, 1);
        }
    return bench_end();
}
