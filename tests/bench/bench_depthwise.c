// Convolutions with a window for each channel (matrix/depthwise.h), in 10⁹ operations a second. For each number that they read they
// compute little, unlike a matrix product. Two windows, 3×3 as in MobileNet (Howard et al. 2017) and
// 7×7 as in ConvNeXt (Liu et al. 2022), forward and all three gradients, each beside the seven loops that they replace.
#include "bench.h"
#include "learning/ops/conv.h"
#include "matrix/depthwise.h"
#include "timing.h"

enum { COUNT = 8, SIDE = 28, CHANNELS = 192 };

typedef struct {
    Arena *scratch;
    Grid grid;
    Window window;
    Matrix x, w, b, y, d_x, d_w, d_b, d_y;
    bool gradients, naive;
} Task;

static Task task_new(Arena *arena, int side)
{
    Task t = {.scratch = arena_new(),
              .grid = {COUNT, SIDE, SIDE},
              .window = {side, side, 1, side / 2, CHANNELS},
              .x = matrix_new(arena, COUNT * SIDE * SIDE, CHANNELS),
              .w = matrix_new(arena, side * side, CHANNELS),
              .b = matrix_new(arena, 1, CHANNELS)};
    Rng rng = rng_new(1, 1);
    fill_normal(t.x, &rng, 0.0f, 1.0f);
    fill_normal(t.w, &rng, 0.0f, 1.0f);
    t.y = matrix_copy(arena, t.x), t.d_y = matrix_copy(arena, t.x), t.d_x = matrix_copy(arena, t.x);
    t.d_w = matrix_copy(arena, t.w), t.d_b = matrix_copy(arena, t.b);
    return t;
}

static void once(void *context)
{
    const Task *t = context;
    const ConvGradients gradients = {
        .d_x = t->d_x, .d_w = t->d_w, .d_b = t->d_b, .d_y = t->d_y, .x = t->x, .w = t->w};
    if (!t->gradients && t->naive)
        conv2d_naive_forward(t->y, t->x, t->w, t->b, t->grid, t->window);
    else if (!t->gradients)
        depthwise_product(t->y, t->x, t->w, t->b, t->grid, t->window, false);
    else if (t->naive)
        conv2d_naive_backward(t->d_x, t->d_w, t->d_b, t->d_y, t->x, t->w, t->grid, t->window);
    else
        depthwise_gradients(t->scratch, gradients, t->grid, t->window);
}

// Windows count as if they lay on the picture with all of their taps.
static double gigaflops(double seconds, void *context)
{
    const Task *t = context;
    return (t->gradients ? 4e-9 : 2e-9) * (double)matrix_size(t->x) * t->w.rows *
           calls_per_second(seconds, once, context);
}

int main(void)
{
    static const int sides[] = {3, 7};
    Arena *arena = arena_new();
    bench_begin("depthwise", NULL, 0);
    for (int s = 0; s < 2; s++) {
        Task task = task_new(arena, sides[s]);
        for (int row = 0; row < 4; row++) {
            char name[64];
            task.gradients = row / 2, task.naive = row % 2;
            snprintf(name, sizeof name, "depthwise_%dx%d_%s%s", sides[s], sides[s],
                     task.gradients ? "gradients" : "forward", task.naive ? "_naive" : "");
            bench_row((BenchRow){.name = name, .metric = "gflops", .block = gigaflops, .context = &task},
                      task.naive ? 1 : 2);
        }
        arena_free(task.scratch);
    }
    const int status = bench_end();
    arena_free(arena);
    return status;
}
