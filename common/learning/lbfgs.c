#include "learning/lbfgs.h"

#include <math.h>

enum { MEMORY = 10, MOST_TRIALS = 30 };

// A place on the line from w along a direction: how far, the loss there, its slope along the line
typedef struct {
    double t, loss, slope;
} Trial;

typedef struct {
    LbfgsLoss *loss;
    void *context;
    Matrix w, gradient;           // where we are
    Matrix trial, trial_gradient; // where the line is tried
    Matrix direction;
    Matrix *steps, *changes; // the last steps of w and of the gradient, a ring
    double *curvatures;      // step · change
    int memory, remembered, newest;
    int evaluations;
} Search;

static double largest_size(Matrix m) { return fmax((double)largest(m), -(double)smallest(m)); }

static Trial try_step(Search *s, double t)
{
    copy(s->trial, s->w);
    add_scaled(s->trial, (float)t, s->direction);
    s->evaluations++;
    const double loss = s->loss(s->trial_gradient, s->trial, s->context);
    return (Trial){t, loss, dot(s->trial_gradient, s->direction)};
}

// The minimum of the cubic through two trials (Nocedal and Wright, 3.59), kept a tenth of their distance away from both
static double between(Trial low, Trial high)
{
    const double width = high.t - low.t;
    const double d = low.slope + high.slope - 3.0 * (high.loss - low.loss) / width,
                 root = sqrt(d * d - low.slope * high.slope);
    const double t = high.t - width * (high.slope + root - d) / (high.slope - low.slope + 2.0 * root);
    if (!isfinite(t)) return low.t + 0.5 * width;
    return fmin(fmax(t, low.t + 0.1 * width), high.t - 0.1 * width);
}

// The first condition of Wolfe. Near the minimum the fall is smaller than the rounding of the loss: there its slope tells
// (Hager and Zhang, SIAM Journal on Optimization 16, 2005).
static bool falls_enough(Trial now, double loss, double slope)
{
    const double least = 1e-4;
    return now.loss <= loss + least * now.t * slope ||
           (now.loss <= loss + 0x1p-20 * fabs(loss) && now.slope <= (2.0 * least - 1.0) * slope);
}

// Leaves the step's end in trial and trial_gradient, and *loss_found is the loss there. low falls as the first condition asks and still points steeply
// down; between it and high, where the line is too high or rises, lies a place where both conditions hold.
static bool search_line(Search *s, double *loss_found, double slope, double first)
{
    const double loss = *loss_found;
    Trial low = {0.0, loss, slope}, high = {INFINITY, 0.0, 0.0};
    double t = first;
    for (int trial = 0; trial < MOST_TRIALS; trial++) {
        const Trial now = try_step(s, t);
        if (!falls_enough(now, loss, slope) || !isfinite(now.slope)) {
            high = now;
        } else if (fabs(now.slope) <= 0.9 * fabs(slope)) {
            *loss_found = now.loss;
            return true;
        } else if (now.slope > 0.0) {
            high = now;
        } else {
            low = now;
        }
        t = isfinite(high.t) ? between(low, high) : 4.0 * t;
    }
    return false;
}

static int slot(const Search *s, int age) { return (s->newest - age + s->memory) % s->memory; }

// direction ← −H · gradient, H the inverse curvature of the remembered steps, the newest first and back
static void find_direction(Search *s)
{
    double weights[256];
    copy(s->direction, s->gradient);
    for (int age = 0; age < s->remembered; age++) {
        const int i = slot(s, age);
        weights[age] = dot(s->steps[i], s->direction) / s->curvatures[i];
        add_scaled(s->direction, (float)-weights[age], s->changes[i]);
    }
    if (s->remembered > 0) {
        const int i = slot(s, 0);
        scale(s->direction, (float)(s->curvatures[i] / sum_of_squares(s->changes[i])));
    }
    for (int age = s->remembered - 1; age >= 0; age--) {
        const int i = slot(s, age);
        const double back = dot(s->changes[i], s->direction) / s->curvatures[i];
        add_scaled(s->direction, (float)(weights[age] - back), s->steps[i]);
    }
    scale(s->direction, -1.0f);
}

// Moves to the trial and remembers the step. The second condition of Wolfe makes the curvature along it positive; should
// rounding spoil that, the next direction does not point down, and the search ends.
static void take_step(Search *s)
{
    s->newest = (s->newest + 1) % s->memory;
    s->remembered = int_min(s->remembered + 1, s->memory);
    const int i = s->newest;
    subtract(s->steps[i], s->trial, s->w);
    subtract(s->changes[i], s->trial_gradient, s->gradient);
    s->curvatures[i] = dot(s->steps[i], s->changes[i]);
    copy(s->w, s->trial);
    copy(s->gradient, s->trial_gradient);
}

static Search search_new(Place place, Arena *arena, Matrix w, LbfgsLoss *loss, void *context, int memory)
{
    Search s = {.loss = loss, .context = context, .w = w, .memory = memory};
    Matrix *const parts[] = {&s.gradient, &s.trial, &s.trial_gradient, &s.direction};
    for (int i = 0; i < 4; i++) *parts[i] = matrix_new_at(place, arena, w.rows, w.cols);
    s.steps = arena_alloc_at(place, arena, (size_t)memory, sizeof *s.steps);
    s.changes = arena_alloc_at(place, arena, (size_t)memory, sizeof *s.changes);
    s.curvatures = arena_alloc_at(place, arena, (size_t)memory, sizeof *s.curvatures);
    for (int i = 0; i < memory; i++) {
        s.steps[i] = matrix_new_at(place, arena, w.rows, w.cols);
        s.changes[i] = matrix_new_at(place, arena, w.rows, w.cols);
    }
    return s;
}

LbfgsResult lbfgs_minimise_at(Place place, Arena *scratch, Matrix w, LbfgsLoss *loss, void *context,
                              LbfgsOptions options)
{
    const int memory = options.memory ? options.memory : MEMORY;
    check_at(place, matrix_size(w) > 0 && options.iterations >= 0 && memory > 0 && memory <= 256,
             "at least one weight, and 1 to 256 remembered steps",
             "lbfgs_minimise: w (%d × %d), %d iterations, a memory of %d", w.rows, w.cols, options.iterations,
             options.memory);
    const ArenaMark mark = arena_mark(scratch);
    Search s = search_new(place, scratch, w, loss, context, memory);
    LbfgsResult result = {.loss = loss(s.gradient, w, context)};
    s.evaluations = 1;
    check_at(place, isfinite(result.loss) && all_finite(s.gradient), "start elsewhere, or look at the data",
             "lbfgs_minimise: the loss at the start is %g, or its gradient is not finite", result.loss);
    for (;;) {
        result.largest_gradient = largest_size(s.gradient);
        result.converged = result.largest_gradient <= options.tolerance;
        if (result.converged || result.iterations == options.iterations) break;
        find_direction(&s);
        const double slope = dot(s.gradient, s.direction);
        if (!(slope < 0.0)) break; // nothing but rounding is left
        const double first = s.remembered ? 1.0 : 1.0 / fmax(norm(s.gradient), 1e-30);
        if (!search_line(&s, &result.loss, slope, first)) break;
        take_step(&s);
        result.iterations++;
    }
    result.evaluations = s.evaluations;
    arena_rewind(scratch, mark);
    return result;
}
