// descent.c: chapter 1's descent for its page in the browser. It is the chapter's own code, included here without its main: the
// same data, the same split, the same loss, gradient and steps, and its sentences with the same digits. live.mk says which
// file CHAPTER is. tests/tools/live_bits.c compiles it for this machine, to compare.
int chapter_main(int argc, char **argv);
#define main chapter_main
#include CHAPTER
#undef main

#ifdef __wasm__
#define FOR_THE_PAGE(name) __attribute__((export_name(#name))) name
#else
#define FOR_THE_PAGE(name) name
#endif

enum { MOST_STEPS = 400, GRID_SIDE = 81, TEXT = 200 };

static Examples all, two; // ten weights, and those of s1 and s2
static Arena *memory;
static float limit_of_all, limit_of_two, path[2][MOST_STEPS + 1], losses[MOST_STEPS + 1];
static Matrix map;
static char text[TEXT];

// Reads the data and learns the limits.
void FOR_THE_PAGE(live_begin)(void);
void live_begin(void)
{
    char *command[] = {"descent", NULL};
    Lesson *lesson = lesson_begin(1, command, "01-linear-regression", "Linear regression");
    memory = lesson_arena(lesson);
    all = hold_people_out(lesson, look_at_the_data(lesson)).training;
    two = (Examples){matrix_new(memory, all.x.rows, 2), all.y};
    copy_columns(two.x, 0, all.x, 4, 2);
    limit_of_all = 2.0f / largest_curvature(memory, matrix_new(memory, FEATURES, 1), all.x);
    limit_of_two = 2.0f / largest_curvature(memory, matrix_new(memory, 2, 1), two.x);
}

float FOR_THE_PAGE(live_limit)(int weights);
float live_limit(int weights) { return weights == 2 ? limit_of_two : limit_of_all; }
int FOR_THE_PAGE(live_people)(void);
int live_people(void) { return all.x.rows; }

// GRID_SIDE rows of as many losses, from the lowest weight of s2 to the highest.
const float *FOR_THE_PAGE(live_map)(double x_low, double x_high, double y_low, double y_high);
const float *live_map(double x_low, double x_high, double y_low, double y_high)
{
    map = map_the_loss(memory, two, (PlotWindow){x_low, x_high, y_low, y_high});
    return map.data;
}

// A step for `people` of them, drawn anew from everybody.
static void step_with_a_few(Matrix w, float rate, int people, Rng *rng)
{
    ArenaMark mark = arena_mark(memory);
    int *order = arena_alloc(memory, (size_t)two.x.rows, sizeof *order);
    rng_permutation(rng, order, two.x.rows);
    Examples few = {matrix_new(memory, people, 2), matrix_new(memory, people, 1)};
    gather_rows(few.x, two.x, order);
    gather_rows(few.y, two.y, order);
    descend(memory, w, few, rate, 1, NULL);
    arena_rewind(memory, mark);
}

// Steps of descent on the map from (x, y), with a rate that is a fraction of the limit; people 0: all of them in each step.
// Leaves the way in live_way and the losses in live_losses.
const char *FOR_THE_PAGE(live_descend)(double fraction, int steps, int people, int seed, double x, double y);
const char *live_descend(double fraction, int steps, int people, int seed, double x, double y)
{
    ArenaMark mark = arena_mark(memory);
    Matrix errors = matrix_new(memory, two.x.rows, 1), w = matrix_new(memory, 2, 1);
    const float rate = (float)fraction * limit_of_two;
    Rng rng = rng_new((uint64_t)seed, 4);
    double loss = 0.0;
    w.data[0] = (float)x, w.data[1] = (float)y;
    for (int s = 0;; s++) {
        loss = loss_of(errors, two.x, w, two.y);
        path[0][s] = w.data[0], path[1][s] = w.data[1], losses[s] = (float)loss;
        if (s == steps) break;
        if (people) {
            step_with_a_few(w, rate, people, &rng);
        } else {
            descend(memory, w, two, rate, 1, NULL);
        }
    }
    arena_rewind(memory, mark);
    const int used =
        snprintf(text, TEXT, "%2.0f %% of the limit: after %d steps the loss is ", 100.0 * fraction, steps);
    snprintf(text + used, TEXT - (size_t)used, loss < 1e6 ? "%.5f" : "%.4g", loss);
    return text;
}

// The steps + 1 weights of s1 (which 0) or s2 (1) on the way, and the losses there.
const float *FOR_THE_PAGE(live_way)(int which);
const float *live_way(int which) { return path[which]; }
const float *FOR_THE_PAGE(live_losses)(void);
const float *live_losses(void) { return losses; }

// 200 steps of descent with all ten weights, from 0; the losses are left in live_losses.
const char *FOR_THE_PAGE(live_rate)(double rate);
const char *live_rate(double rate)
{
    enum { STEPS = 200 };
    ArenaMark mark = arena_mark(memory);
    descend(memory, matrix_new(memory, FEATURES, 1), all, (float)rate, STEPS, losses);
    arena_rewind(memory, mark);
    snprintf(text, TEXT, "learning rate %.3f: loss %.4f after 10 steps, %.4g after %d", rate,
             (double)losses[10], (double)losses[STEPS], STEPS);
    return text;
}
