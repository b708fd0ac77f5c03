// The steps of appendix A, "How the product is made fast", and the library: 10⁹ floating-point operations a second. A row
// product_N_STEP is the product (N × N) · (N × N); fused_adds is the peak, FMAs on registers alone.
#define main appendix_main // the page's own, which nobody calls here
int appendix_main(int argc, char **argv);
#include "../../chapters/A-fast-product/fast_product.c"
#undef main
#include "bench.h"

typedef struct {
    int step, size;
} Task;

static double block(double seconds, void *context)
{
    const Task *task = context;
    Arena *arena = arena_new();
    Rng rng = rng_new(1, 1);
    const Product p = random_product(arena, &rng, task->size, task->size, task->size);
    float *room = arena_alloc(arena, room_for(task->size), sizeof *room);
    steps[task->step].runs(p, room); // to warm up
    const double start = seconds_now();
    double passed = 0.0, flops = 0.0;
    for (; passed < seconds; passed = seconds_now() - start) {
        steps[task->step].runs(p, room);
        flops += flops_of(p);
    }
    arena_free(arena);
    return 1e-9 * flops / passed;
}

static double peak_block(double seconds, void *context)
{
    (void)seconds, (void)context;
    return 1e-9 * peak();
}

int main(void)
{
    static const char *const names[WITH_LIBRARY] = {"row_times_column", "row_by_row", "tiles_in_place",
                                                    "packed_strips",    "blocks",     "library"};
    static const int sizes[] = {512, 1024};
    bench_begin("fast_product", NULL, 0);
    bench_row((BenchRow){.name = "fused_adds", .metric = "gflops", .block = peak_block}, 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int step = sizes[i] > 512 ? 1 : 0; step < WITH_LIBRARY;
             step++) { // the first takes seconds at 1024
            Task task = {step, sizes[i]};
            char name[64];
            snprintf(name, sizeof name, "product_%d_%s", sizes[i], names[step]);
            bench_row((BenchRow){.name = name, .metric = "gflops", .block = block, .context = &task}, 1);
        }
    return bench_end();
}
