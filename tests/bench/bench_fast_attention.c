// The steps of appendix C, "How attention is made fast", and the library: 10⁹ floating-point operations a second, one head of
// width 64, counted as if nothing were masked. A row attention_T_STEP has T positions; causal_T_STEP a causal mask.
#define main appendix_main // the page's own, which nobody calls here
int appendix_main(int argc, char **argv);
#include "../../chapters/C-fast-attention/fast_attention.c"
#undef main
#include "bench.h"

typedef struct {
    int step;
    Head head;
} Task;

static double block(double seconds, void *context)
{
    const Task *task = context;
    Arena *arena = arena_new();
    Rng rng = rng_new(1, 1);
    const Three x = random_three(arena, &rng, &task->head);
    Matrix out = matrix_new(arena, task->head.queries, task->head.width);
    rate_of(arena, task->step, &task->head, out, x); // to warm up
    double passed = 0.0, flops = 0.0;
    while (passed < seconds) {
        flops += flops_of(&task->head);
        passed += flops_of(&task->head) / rate_of(arena, task->step, &task->head, out, x);
    }
    arena_free(arena);
    return 1e-9 * flops / passed;
}

int main(void)
{
    static const char *const names[STEPS] = {"all_scores", "key_by_key", "blocks", "library"};
    static const int times[] = {256, 1024, 4096};
    bench_begin("fast_attention", NULL, 0);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        for (int causal = 0; causal < 2; causal++)
            for (int step = 0; step < STEPS; step++) {
                if (step == 1 && times[i] > 1024) continue; // takes seconds
                Task task = {step, head_new(times[i], times[i], 64, causal)};
                char name[64];
                snprintf(name, sizeof name, "%s_%d_%s", causal ? "causal" : "attention", times[i],
                         names[step]);
                bench_row((BenchRow){.name = name, .metric = "gflops", .block = block, .context = &task}, 1);
            }
    return bench_end();
}
