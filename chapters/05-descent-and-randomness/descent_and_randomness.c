/*
# Descent and randomness

The last chapters went downhill: take the gradient of the loss, make a small step against it, repeat. This course
holds that learning is little more than that, and one thing besides: *descent makes progress, randomness gets out of
bad places*. Here we turn the sentence into numbers. There is no data in this chapter and no network, only
**landscapes** (地形): functions of a few variables, simple enough that a formula says beforehand what we must find.

Some of what we find is well known, and some of it is told wrongly almost everywhere:

- how many steps descent needs, and how many **momentum** (动量) saves, follows from one number of the landscape;
- at a saddle, descent does not get stuck, but it waits, for a time that can be told in advance;
- **Adam** (自适应矩估计) is fast because the axes happen to suit it, and slow when they do not;
- noise helps or does nothing at all, according to *where* it is added.

You need [chapter 1](../01-linear-regression/README.md). All optimisers of this course appear here by their formula; how
they train networks is told from [chapter 9](../09-resnet/README.md) on.
*/

#include "base/mathf.h"
#include "learning/optim.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"

#include <math.h>
#include <string.h>

enum { MOST = 20 }; // variables
static const float PI = 3.14159265f;

/*
## Six ways to go down

A walker stands at $x$, knows the gradient $g = \nabla f(x)$ and chooses a step. $\eta$ is the learning rate. Plain
descent takes $x \leftarrow x - \eta g$. All others remember something.

**Momentum** (Polyak 1964) is a ball that rolls: its velocity $v$ keeps the part $\mu$ of what it was,

$$v \leftarrow \mu v + g, \qquad x \leftarrow x - \eta v.$$

**Nesterov's** variant (1983) looks ahead: $x \leftarrow x - \eta (g + \mu v)$ with the new $v$.

**RMSProp** (Tieleman and Hinton 2012) divides each coordinate by the size that its gradients usually have,

$$s \leftarrow \rho s + (1 - \rho) g^2, \qquad x \leftarrow x - \eta\, g / (\sqrt s + \varepsilon),$$

squares and roots taken coordinate by coordinate. **Adam** (Kingma and Ba 2015) puts both together: a mean $m$ of the
gradients, a mean $s$ of their squares, and both divided by what is missing at the start, when few gradients have been
averaged,

$$m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \qquad
x \leftarrow x - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{s / (1 - \beta_2^t)} + \varepsilon}.$$

**AdamW** (Loshchilov and Hutter 2019) also shrinks $x$ itself, by $\eta \lambda x$ in each step, beside the
division and not through it.
*/

typedef struct {
    int n;
    float x[MOST], gradient[MOST], first[MOST], second[MOST]; // v or m; s
    float power1, power2;                                     // β₁ᵗ, β₂ᵗ
} Walker;

static const float BETA1 = 0.9f, BETA2 = 0.999f, SMALL = 1e-8f;

static void descent_step(Walker *w, float rate)
{
    for (int i = 0; i < w->n; i++) w->x[i] -= rate * w->gradient[i];
}

static void momentum_step(Walker *w, float rate, float keep)
{
    for (int i = 0; i < w->n; i++) {
        w->first[i] = keep * w->first[i] + w->gradient[i];
        w->x[i] -= rate * w->first[i];
    }
}

static void nesterov_step(Walker *w, float rate, float keep)
{
    for (int i = 0; i < w->n; i++) {
        w->first[i] = keep * w->first[i] + w->gradient[i];
        w->x[i] -= rate * (w->gradient[i] + keep * w->first[i]);
    }
}

static void rmsprop_step(Walker *w, float rate, float keep)
{
    for (int i = 0; i < w->n; i++) {
        const float g = w->gradient[i];
        w->second[i] = keep * w->second[i] + (1.0f - keep) * g * g;
        w->x[i] -= rate * g / (sqrtf(w->second[i]) + SMALL);
    }
}

static void adamw_step(Walker *w, float rate, float decay) // decay 0: Adam
{
    w->power1 *= BETA1, w->power2 *= BETA2;
    for (int i = 0; i < w->n; i++) {
        const float g = w->gradient[i];
        w->first[i] = BETA1 * w->first[i] + (1.0f - BETA1) * g;
        w->second[i] = BETA2 * w->second[i] + (1.0f - BETA2) * g * g;
        const float m = w->first[i] / (1.0f - w->power1), s = w->second[i] / (1.0f - w->power2);
        w->x[i] -= rate * (m / (sqrtf(s) + SMALL) + decay * w->x[i]);
    }
}

static Walker walker_at(int n, const float *x)
{
    Walker w = {.n = n, .power1 = 1.0f, .power2 = 1.0f};
    memcpy(w.x, x, (size_t)n * sizeof *x);
    return w;
}

typedef enum { DESCENT, MOMENTUM, NESTEROV, RMSPROP, ADAM, ADAMW, METHODS } Method;
static const char *const method_names[METHODS] = {"descent", "momentum", "Nesterov",
                                                  "RMSProp", "Adam",     "AdamW"};

static void step(Walker *w, Method method, float rate)
{
    switch (method) {
    case DESCENT:
        descent_step(w, rate);
        break;
    case MOMENTUM:
        momentum_step(w, rate, 0.9f);
        break;
    case NESTEROV:
        nesterov_step(w, rate, 0.9f);
        break;
    case RMSPROP:
        rmsprop_step(w, rate, 0.99f);
        break;
    case ADAM:
        adamw_step(w, rate, 0.0f);
        break;
    default:
        adamw_step(w, rate, 0.1f);
    }
}

/*
Our first landscape is a curved valley with steep walls, Rosenbrock's (1960): $f = (1 - x)^2 + 100\,(y - x^2)^2$. Into
the valley everybody falls at once; along its flat floor to the lowest point, $(1, 1)$, the way is long. Each method
gets the best of seven rates. The library's optimisers walk beside ours.
*/

static float rosenbrock(const float *x)
{
    const float a = 1.0f - x[0], b = x[1] - x[0] * x[0];
    return a * a + 100.0f * b * b;
}

static void rosenbrock_gradient(Walker *w)
{
    const float a = 1.0f - w->x[0], b = w->x[1] - w->x[0] * w->x[0];
    w->gradient[0] = -2.0f * a - 400.0f * w->x[0] * b;
    w->gradient[1] = 200.0f * b;
}

enum { VALLEY_STEPS = 20000 };
static const float valley_start[2] = {-1.5f, 1.0f};

// The step from which on f stays below 1e-3; VALLEY_STEPS when there is none. The way is kept in path (steps × 2).
static int walk_the_valley(Method method, float rate, Matrix path)
{
    Walker w = walker_at(2, valley_start);
    int from = 0;
    for (int t = 0; t < VALLEY_STEPS; t++) {
        if (t < path.rows) memcpy(matrix_row(path, t), w.x, sizeof valley_start);
        if (!(rosenbrock(w.x) < 1e-3f)) from = t + 1;
        rosenbrock_gradient(&w);
        step(&w, method, rate);
    }
    return from;
}

static Optimiser library_optimiser(Arena *arena, Parameters *set, Method method)
{
    switch (method) {
    case DESCENT:
        return sgd_new(arena, set, 0.0f);
    case MOMENTUM:
        return momentum_new(arena, set, 0.9f, 0.0f);
    case NESTEROV:
        return nesterov_new(arena, set, 0.9f, 0.0f);
    case RMSPROP:
        return rmsprop_new(arena, set, 0.99f, SMALL, 0.0f);
    case ADAM:
        return adam_new(arena, set, BETA1, BETA2, SMALL, 0.0f);
    default:
        return adamw_new(arena, set, BETA1, BETA2, SMALL, 0.1f);
    }
}

// How far the library's walker is from ours after 100 steps, both of which are shown the same gradients.
static float apart_from_library(Method method)
{
    Arena *arena = arena_new();
    Parameters set = parameters_new(arena);
    Tensor *x = parameters_add(&set, "x", 1, 2);
    Optimiser theirs = library_optimiser(arena, &set, method);
    Walker ours = walker_at(2, valley_start);
    memcpy(x->value.data, valley_start, sizeof valley_start);
    for (int t = 0; t < 100; t++) {
        rosenbrock_gradient(&ours);
        memcpy(x->gradient.data, ours.gradient, sizeof valley_start);
        x->has_gradient = true;
        step(&ours, method, 1e-4f);
        optimiser_step(&theirs, 1e-4f);
    }
    const float apart = largest_difference(x->value, matrix_view(1, 2, ours.x));
    arena_free(arena);
    return apart;
}

enum { RATES = 7, DRAWN = 400 };
static const float valley_rates[RATES] = {3e-4f, 1e-3f, 3e-3f, 1e-2f, 3e-2f, 0.1f, 0.3f};

static void draw_valley(Lesson *lesson, const float *best_rates)
{
    enum { CELLS = 160 };
    const PlotWindow window = {-2.0, 2.0, -0.6, 2.4};
    const Method drawn[] = {MOMENTUM, NESTEROV, ADAM, DESCENT};
    Arena *arena = arena_new();
    Matrix heights = matrix_new(arena, CELLS, CELLS), path = matrix_new(arena, DRAWN, 2);
    for (int i = 0; i < CELLS; i++)
        for (int j = 0; j < CELLS; j++)
            AT(heights, i, j) = log32(1.0f + rosenbrock((float[]){-2.0f + 4.0f * (float)j / (CELLS - 1),
                                                                  -0.6f + 3.0f * (float)i / (CELLS - 1)}));
    Plot *plot = plot_begin(lesson, "valley.svg", "Four walkers in a valley, the first 400 steps");
    plot_axes(plot, "x", "y");
    plot_size(plot, 960, 720);
    plot_contour(plot, window, heights, (float[]){0.2f, 0.6f, 1.2f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f}, 8);
    float ends_x[4], ends_y[4];
    for (int d = 0; d < 4; d++) {
        float x[DRAWN], y[DRAWN];
        int count = walk_the_valley(drawn[d], best_rates[drawn[d]], path);
        count = count < DRAWN ? count : DRAWN;
        for (int t = 0; t < count; t++) x[t] = AT(path, t, 0), y[t] = AT(path, t, 1);
        ends_x[d] = x[count - 1], ends_y[d] = y[count - 1];
        if (drawn[d] == DESCENT) {
            plot_dashed(plot, method_names[drawn[d]], x, y, count);
        } else {
            plot_line(plot, method_names[drawn[d]], x, y, count);
        }
    }
    plot_points(plot, "where they are", ends_x, ends_y, 4);
    plot_crosses(plot, "the lowest point", (float[]){1.0f}, (float[]){1.0f}, 1);
    plot_end(plot, "The lines are equal heights of log(1 + f). Each walker has its best rate.");
    arena_free(arena);
}

static void six_ways(Lesson *lesson)
{
    section(lesson, "Six ways to go down");
    float apart = 0.0f, best_rates[METHODS];
    int fewest[METHODS];
    printf("steps until f stays below 0.001, and the rate (of seven) that needs fewest\n\n");
    for (int m = 0; m < METHODS; m++) {
        fewest[m] = VALLEY_STEPS;
        best_rates[m] = valley_rates[0];
        for (int r = 0; r < RATES; r++) {
            const int steps = walk_the_valley((Method)m, valley_rates[r], (Matrix){0, 0, NULL});
            if (steps < fewest[m]) fewest[m] = steps, best_rates[m] = valley_rates[r];
        }
        if (fewest[m] < VALLEY_STEPS) {
            printf("%-10s %7d   at %g\n", method_names[m], fewest[m], (double)best_rates[m]);
        } else {
            printf("%-10s   never\n", method_names[m]);
        }
        const float a = apart_from_library((Method)m);
        apart = a > apart ? a : apart;
    }
    printf("\n");
    claim(lesson, apart <= 1e-5f,
          "ours and the library's optimisers, shown the same gradients, stay together");
    claim(lesson, fewest[MOMENTUM] < fewest[DESCENT] / 2, "momentum needs less than half of descent's steps");
    draw_valley(lesson, best_rates);
}

/*
AdamW's pull towards zero moves its resting place away from $(1, 1)$; here that is a fault, in a network with more
weights than it needs it is the purpose.

## How fast?

Near a lowest point every smooth landscape is a bowl, $f = \frac12 \sum_i \lambda_i x_i^2$ in well-chosen axes. So the bowl
is the one landscape whose speed limit we must know. Descent multiplies each $x_i$ by $1 - \eta\lambda_i$ in each step.
Steep axes want small rates, flat ones large rates; the best compromise, $\eta = 2 / (\lambda_{\min} + \lambda_{\max})$,
multiplies the distance by

$$r = \frac{\kappa - 1}{\kappa + 1}, \qquad \kappa = \frac{\lambda_{\max}}{\lambda_{\min}},$$

where $\kappa$ is the **condition number** (条件数). For momentum, $x_{t+1}$ depends on $x_t$ and $x_{t-1}$; a solution
$x_t = z^t$ satisfies $z^2 - (1 + \mu - \eta\lambda)\, z + \mu = 0$, and the larger $|z|$ of the two is the factor for each
step. For Nesterov the equation is $z^2 - (1 + \mu)(1 - \eta\lambda)\, z + \mu (1 - \eta\lambda) = 0$. The best that
momentum can do is

$$r = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1} \quad\text{with}\quad \eta = \Big(\frac{2}{\sqrt{\lambda_{\max}} +
\sqrt{\lambda_{\min}}}\Big)^2,\ \mu = r^2 :$$

not $\kappa$ but its root. For $\kappa = 10\,000$ that is a factor of a hundred in time.
*/

typedef struct {
    float rate, keep;
} Setting;

// The largest |z| of z² − b z + c = 0 over all axes of the bowl.
static double predicted_factor(Method method, Setting s, const float *lambda, int n)
{
    double worst = 0.0;
    for (int i = 0; i < n; i++) {
        const double left = 1.0 - (double)s.rate * (double)lambda[i],
                     keep = method == DESCENT ? 0.0 : (double)s.keep;
        const double b = method == NESTEROV ? (1.0 + keep) * left : keep + left;
        const double c = method == NESTEROV ? keep * left : keep, root = b * b / 4.0 - c;
        const double size =
            root >= 0.0 ? fabs(b) / 2.0 + sqrt(root) : sqrt(c); // complex: |z|² is the product of both
        worst = size > worst ? size : worst;
    }
    return worst;
}

static void bowl_gradient(Walker *w, const float *lambda)
{
    for (int i = 0; i < w->n; i++) w->gradient[i] = lambda[i] * w->x[i];
}

static double distance(const Walker *w)
{
    double total = 0.0;
    for (int i = 0; i < w->n; i++) total += (double)w->x[i] * (double)w->x[i];
    return sqrt(total);
}

static void bowl_step(Walker *w, Method method, Setting s, const float *lambda)
{
    bowl_gradient(w, lambda);
    if (method == DESCENT) descent_step(w, s.rate);
    if (method == MOMENTUM) momentum_step(w, s.rate, s.keep);
    if (method == NESTEROV) nesterov_step(w, s.rate, s.keep);
}

// ln of the factor for each step, over the second half of as many steps as 60 / |ln predicted|.
static double measured_logarithm(Method method, Setting s, const float *lambda, int n, long steps)
{
    float ones[MOST];
    for (int i = 0; i < n; i++) ones[i] = 1.0f;
    Walker w = walker_at(n, ones);
    double half = 0.0;
    for (long t = 0; t < steps; t++) {
        if (t == steps / 2) half = distance(&w);
        bowl_step(&w, method, s, lambda);
    }
    return (double)log32((float)(distance(&w) / half)) / (double)(steps - steps / 2);
}

static void make_axes(float *lambda, int n, float condition)
{
    for (int i = 0; i < n; i++) lambda[i] = exp32(log32(condition) * (float)i / (float)(n - 1));
}

static Setting best_setting(Method method, double condition)
{
    const double root = sqrt(condition);
    if (method == DESCENT) return (Setting){(float)(2.0 / (1.0 + condition)), 0.0f};
    if (method == MOMENTUM) {
        const double r = (root - 1.0) / (root + 1.0);
        return (Setting){(float)(4.0 / ((root + 1.0) * (root + 1.0))), (float)(r * r)};
    }
    const double three = sqrt(3.0 * condition + 1.0); // Lessard, Recht and Packard 2016, table 1
    return (Setting){(float)(4.0 / (3.0 * condition + 1.0)), (float)((three - 2.0) / (three + 2.0))};
}

/*
At the best setting of momentum the two solutions of the steepest and of the flattest axis fall together, and then the
distance is not $r^t$ but $t\, r^t$. Over the second half of $T$ steps this looks slower by $2 \ln 2 / T$: with $T = 60
/ |\ln r|$, a ratio of $1 - 2 \ln 2 / 60 = 0.977$. So we can predict even what we will miss the prediction by.
*/

static void how_fast(Lesson *lesson)
{
    section(lesson, "How fast?");
    const float conditions[] = {10.0f, 100.0f, 1e4f};
    const Method methods[] = {DESCENT, MOMENTUM, NESTEROV};
    double steps_to_tenth[3][3], worst = 0.0, worst_double = 0.0;
    printf("steps for one more digit, and the measured logarithm of the factor over the predicted one\n\n");
    printf("%-10s%18s%18s%18s\n", "", "κ = 10", "κ = 100", "κ = 10000");
    for (int m = 0; m < 3; m++) {
        printf("%-10s", method_names[methods[m]]);
        for (int c = 0; c < 3; c++) {
            float lambda[MOST];
            make_axes(lambda, MOST, conditions[c]);
            const Setting s = best_setting(methods[m], (double)conditions[c]);
            const double predicted = (double)log32((float)predicted_factor(methods[m], s, lambda, MOST));
            const double measured =
                measured_logarithm(methods[m], s, lambda, MOST, (long)(-60.0 / predicted));
            const double ratio = measured / predicted, expected = m == 0 ? 1.0 : 1.0 - 2.0 * 0.693147 / 60.0;
            steps_to_tenth[m][c] = -2.302585 / measured;
            if (m == 0) worst = fmax(worst, fabs(ratio - 1.0));
            if (m > 0 && c < 2) worst_double = fmax(worst_double, fabs(ratio - expected));
            printf("%10.1f (%.3f)", steps_to_tenth[m][c], ratio);
        }
        printf("\n");
    }
    printf("\n");
    claim(lesson, worst < 0.01, "descent has the predicted factor, within 1 %% of its logarithm");
    claim(lesson, worst_double < 0.005,
          "momentum and Nesterov, at their best, miss theirs by the predicted 2.3 %%");
    claim(lesson, steps_to_tenth[0][2] > 80.0 * steps_to_tenth[1][2],
          "at κ = 10000 momentum is more than 80 times as fast");
}

/*
## Waiting at a saddle

In many dimensions a place where the gradient vanishes is hardly ever a valley's floor: it is enough that one direction
goes down. Such a place is a **saddle** (鞍点). Take $f = \frac12 x^2 - \frac12 y^2 + \frac14 y^4$, with its saddle at
$(0, 0)$ and lowest points at $y = \pm 1$. A walker who comes along the ridge, $y_0$ beside it, sees a gradient that is
almost zero. Is he stuck?

As long as $y$ is small, each step multiplies it by $1 + \eta$. To grow from $y_0$ to $\frac12$ takes $\ln(\frac12 /
y_0) / \ln(1 + \eta)$ steps, a little more near the end: for $\eta = 0.05$, that is 47.2 steps for each zero behind the
point. A hundred zeros would cost five thousand steps. Only a walker exactly on the ridge stays there.
*/

enum { ZEROS = 10, SADDLE_MOST = 100000 };

// Steps from (1, start) until |y| > 1/2, with a push of this deviation in each step; SADDLE_MOST: never.
static int saddle_steps(float start, float push, Rng *rng)
{
    const float rate = 0.05f;
    float y = start;
    for (int t = 0; t < SADDLE_MOST; t++) {
        if (fabsf(y) > 0.5f) return t;
        y -= rate * (y * y * y - y);
        if (push > 0.0f) y += push * rng_normal(rng);
    }
    return SADDLE_MOST;
}

static void at_a_saddle(Lesson *lesson)
{
    section(lesson, "Waiting at a saddle");
    float zeros[ZEROS], steps[ZEROS], theory[ZEROS];
    const float decade = 2.3025851f / log1p32(0.05f);
    for (int z = 0; z < ZEROS; z++) {
        zeros[z] = (float)(z + 3);
        steps[z] = (float)saddle_steps(exp32(-2.3025851f * zeros[z]), 0.0f, NULL);
        theory[z] = decade * (zeros[z] - 0.30103f); // from 10^−zeros to 1/2
    }
    Rng rng = lesson_rng(lesson, 1);
    const int still = saddle_steps(0.0f, 0.0f, NULL), pushed = saddle_steps(0.0f, 1e-6f, &rng);
    const float measured = (steps[ZEROS - 1] - steps[0]) / (float)(ZEROS - 1);
    printf("beside the ridge by 10⁻³:  %4.0f steps\n", (double)steps[0]);
    printf("beside the ridge by 10⁻¹²: %4.0f steps\n", (double)steps[ZEROS - 1]);
    printf("on the ridge: %s; with pushes of one millionth: %d steps\n\n",
           still == SADDLE_MOST ? "never" : "left", pushed);
    claim(lesson, fabsf(measured - decade) < 0.01f * decade, "each zero costs %.1f steps, as predicted",
          (double)decade);
    claim(lesson, still == SADDLE_MOST, "from the ridge itself descent never leaves");
    claim(lesson, pushed < 400, "the smallest randomness is enough");
    Plot *plot = plot_begin(lesson, "saddle.svg", "How long descent waits at a saddle");
    plot_axes(plot, "zeros behind the point of the distance from the ridge", "steps until it has left");
    plot_dashed(plot, "ln(1/2y₀) / ln(1 + η)", zeros, theory, ZEROS);
    plot_points(plot, "measured", zeros, steps, ZEROS);
    plot_end(plot, "A straight line over a logarithm: waiting, not being stuck.");
}

/*
## What Adam cannot turn

RMSProp and Adam divide each coordinate by its own size. Where the steep direction is one coordinate and the flat one
another, they see through the bowl at once. But turn the bowl by any angle: then every coordinate has a part in the
steep direction. A bowl turned is the same bowl; descent and momentum do not notice, because they never look at
a coordinate alone.

Ten variables, $\kappa = 10\,000$, five bowls turned at random; steps until the walker is a thousand times nearer, at the best of
21 rates for each method. What is random is the rotation: perpendicular unit vectors from random ones, by Gram and
Schmidt's method.
*/

enum { TURNED = 10, BOWLS = 5, AXIS_RATES = 21, AXIS_MOST = 60000 };

// Rows that are perpendicular and of length 1.
static void random_rotation(Matrix rotation, Rng *rng)
{
    fill_normal(rotation, rng, 0.0f, 1.0f);
    for (int i = 0; i < rotation.rows; i++) {
        Matrix row = matrix_rows(rotation, i, 1);
        for (int k = 0; k < i; k++) {
            Matrix other = matrix_rows(rotation, k, 1);
            add_scaled(row, (float)-dot(row, other), other);
        }
        scale(row, (float)(1.0 / norm(row)));
    }
}

// gradient = Rᵀ Λ R x for the rows of R; R without data: x itself.
static void turned_gradient(Walker *w, Matrix rotation, const float *lambda)
{
    if (!rotation.data) {
        bowl_gradient(w, lambda);
        return;
    }
    memset(w->gradient, 0, sizeof w->gradient);
    for (int k = 0; k < w->n; k++) {
        const float *axis = matrix_row(rotation, k);
        float along = 0.0f;
        for (int i = 0; i < w->n; i++) along += axis[i] * w->x[i];
        for (int i = 0; i < w->n; i++) w->gradient[i] += lambda[k] * along * axis[i];
    }
}

static int steps_to_thousandth(Method method, float rate, Matrix rotation, const float *start, int most)
{
    float lambda[TURNED];
    make_axes(lambda, TURNED, 1e4f);
    Walker w = walker_at(TURNED, start);
    const double goal = 1e-3 * distance(&w);
    for (int t = 0; t < most; t++) {
        const double now = distance(&w);
        if (now <= goal) return t;
        if (!(now < 1e6)) return most; // it has run away
        turned_gradient(&w, rotation, lambda);
        step(&w, method, rate);
    }
    return most;
}

// The fewest steps at any of the rates 2^−20 … 1.
static int fewest_steps(Method method, Matrix rotation, const float *start)
{
    int fewest = AXIS_MOST;
    for (int r = 0; r < AXIS_RATES; r++)
        fewest = steps_to_thousandth(method, exp32(-0.69314718f * (float)r), rotation, start, fewest);
    return fewest;
}

static void turn_the_bowl(Lesson *lesson)
{
    section(lesson, "What Adam cannot turn");
    const Method methods[] = {DESCENT, MOMENTUM, RMSPROP, ADAM};
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 2);
    int plain[4][BOWLS], turned[4][BOWLS];
    for (int b = 0; b < BOWLS; b++) {
        Matrix start = matrix_new(arena, 1, TURNED), image = matrix_new(arena, 1, TURNED);
        Matrix rotation = matrix_new(arena, TURNED, TURNED);
        fill_normal(start, &rng, 0.0f, 1.0f);
        random_rotation(rotation, &rng);
        matmul(image, start, rotation); // the same place of the turned bowl: R · image = start
        for (int m = 0; m < 4; m++) {
            plain[m][b] = fewest_steps(methods[m], (Matrix){0, 0, NULL}, start.data);
            turned[m][b] = fewest_steps(methods[m], rotation, image.data);
        }
    }
    double least_lost = INFINITY, most_moved = 0.0;
    printf("%-10s%28s%34s\n", "", "along the axes", "turned");
    for (int m = 0; m < 4; m++) {
        printf("%-10s", method_names[methods[m]]);
        for (int b = 0; b < BOWLS; b++) printf("%6d", plain[m][b]);
        printf("    ");
        for (int b = 0; b < BOWLS; b++) printf("%6d", turned[m][b]);
        printf("\n");
        for (int b = 0; b < BOWLS; b++) {
            const double ratio = (double)turned[m][b] / plain[m][b];
            if (methods[m] == ADAM) least_lost = fmin(least_lost, ratio);
            if (m < 2) most_moved = fmax(most_moved, fabs(ratio - 1.0));
        }
    }
    printf("\n");
    claim(lesson, most_moved < 0.02, "descent and momentum do not notice that the bowl was turned");
    claim(lesson, least_lost >= 4.0,
          "Adam, at its best rate, needs at least four times as many steps in each turned bowl");
    arena_free(arena);
}
/*
## Many valleys

So far there was one place to go. Rastrigin's landscape (1974) has many:

$$f = \sum_{i=1}^n x_i^2 + 10\,(1 - \cos 2\pi x_i).$$

A wide bowl, and in it a valley around each grid point, eleven in each direction between $-5.12$ and $5.12$: 121 in
two dimensions, 26 thousand million in ten. Only the one at the origin counts. Descent from a random place ends in the valley in
which it began. Here, the usual story goes, randomness helps. It does, and it does not: five ways of being random, each
given the same budget of 128,000 looks at the gradient (or the height) for a run, a hundred runs each. All end with 300
plain steps, and a run has succeeded if then $f < 0.01$.
*/

enum { RUNS = 100, LOOKS = 128000, LAST_STEPS = 300, MOST_DIMENSIONS = 10 };

static float rastrigin(const float *x, int n)
{
    float f = 0.0f;
    for (int i = 0; i < n; i++) f += x[i] * x[i] + 10.0f * (1.0f - cos32(2.0f * PI * x[i]));
    return f;
}

static void rastrigin_gradient(float *gradient, const float *x, int n)
{
    for (int i = 0; i < n; i++) gradient[i] = 2.0f * x[i] + 20.0f * PI * sin32(2.0f * PI * x[i]);
}

static void plain_steps(float *x, int n, int steps)
{
    float gradient[MOST_DIMENSIONS];
    for (int t = 0; t < steps; t++) {
        rastrigin_gradient(gradient, x, n);
        for (int i = 0; i < n; i++) x[i] -= 0.002f * gradient[i];
    }
}

static void random_place(float *x, int n, Rng *rng)
{
    for (int i = 0; i < n; i++) x[i] = rng_between(rng, -5.12f, 5.12f);
}

/*
**Restarts**: descend from a new place, again and again, and keep the lowest. **Langevin's** walk (named after Paul Langevin, 1908)
adds noise to the *position*: $x \leftarrow x - \eta g + \sqrt{2 \eta T}\,\xi$ with $\xi$ normal, at a temperature $T$ that
falls to zero. It is the textbook model of what minibatches do to descent.
*/

typedef struct {
    float rate, heat; // what a way of walking can choose: η or a deviation, and the temperature at the start
    int steps, mean_of;
    Matrix trace; // (rows × n): receives as many places of the way, evenly spaced in time, when it has data
} Choice;

static void remember(const Choice *c, int t, const float *x)
{
    if (!c->trace.data) return;
    const int every = c->steps / c->trace.rows;
    if (t % every == 0 && t / every < c->trace.rows)
        memcpy(matrix_row(c->trace, t / every), x, (size_t)c->trace.cols * sizeof *x);
}

typedef void Walk(float *x, int n, Choice c, Rng *rng);

static void restarts(float *x, int n, Choice c, Rng *rng)
{
    float lowest = INFINITY, try[MOST_DIMENSIONS];
    for (int t = 0; t < c.steps; t++) {
        random_place(try, n, rng);
        plain_steps(try, n, LAST_STEPS);
        const float f = rastrigin(try, n);
        if (f < lowest) lowest = f, memcpy(x, try, (size_t)n * sizeof *x);
    }
}

static void langevin(float *x, int n, Choice c, Rng *rng)
{
    float gradient[MOST_DIMENSIONS], noise[MOST_DIMENSIONS];
    for (int t = 0; t < c.steps; t++) {
        const float heat = c.heat * (1.0f - (float)t / (float)c.steps), size = sqrtf(2.0f * c.rate * heat);
        remember(&c, t, x);
        rastrigin_gradient(gradient, x, n);
        rng_normals(rng, noise, (size_t)n);
        for (int i = 0; i < n; i++) x[i] += size * noise[i] - c.rate * gradient[i];
    }
}

/*
**Noise inside the gradient**: ask for the gradient not where you stand but at places scattered around, and follow the mean
of the answers, $x \leftarrow x - \eta\, \frac1k \sum_{j=1}^k \nabla f(x + \sigma \xi_j)$, with a $\sigma$ that falls from one to zero.

**Metropolis's** walk (1953; as a method to find lowest points, "simulated annealing", Kirkpatrick and others 1983) needs
no gradient: it proposes a jump, goes if it leads down, and if it leads up by $\Delta$, goes all the same with
probability $e^{-\Delta/T}$. Here each jump changes one coordinate.
*/

static void noise_inside(float *x, int n, Choice c, Rng *rng)
{
    float gradient[MOST_DIMENSIONS], place[MOST_DIMENSIONS], mean[MOST_DIMENSIONS];
    for (int t = 0; t < c.steps; t++) {
        const float sigma = 1.0f - (float)t / (float)c.steps;
        remember(&c, t, x);
        memset(mean, 0, sizeof mean);
        for (int k = 0; k < c.mean_of; k++) {
            rng_normals(rng, place, (size_t)n);
            for (int i = 0; i < n; i++) place[i] = x[i] + sigma * place[i];
            rastrigin_gradient(gradient, place, n);
            for (int i = 0; i < n; i++) mean[i] += gradient[i];
        }
        for (int i = 0; i < n; i++) x[i] -= c.rate * mean[i] / (float)c.mean_of;
    }
}

static float height_along(float x) { return x * x + 10.0f * (1.0f - cos32(2.0f * PI * x)); }

static void metropolis(float *x, int n, Choice c, Rng *rng)
{
    for (int t = 0; t < c.steps; t++) {
        // from heat to 1/200 of it, by the same factor each step; heat 0 stays 0
        const float heat = c.heat * exp32(-5.2983174f * (float)t / (float)c.steps);
        const int i = (int)rng_below(rng, (uint32_t)n);
        const float jump = x[i] + c.rate * rng_normal(rng), up = height_along(jump) - height_along(x[i]);
        if (up <= 0.0f || (heat > 0.0f && rng_uniform(rng) < exp32(-up / heat))) x[i] = jump;
    }
}

// How many of the runs end in the valley of the origin.
static int successes(Walk *walk, int n, Choice c, Rng *rng)
{
    int found = 0;
    for (int run = 0; run < RUNS; run++) {
        Rng own = rng_stream(rng, (uint64_t)run);
        float x[MOST_DIMENSIONS];
        random_place(x, n, &own);
        if (walk) walk(x, n, c, &own);
        plain_steps(x, n, LAST_STEPS);
        found += rastrigin(x, n) < 0.01f;
    }
    rng_next(rng);
    return found;
}

/*
Langevin's walk gets the best of twelve pairs of rate and temperature, found with a sixth of the budget; the
others one choice each, and Metropolis's walk a control: the same walk with no heat at all, which never goes up.
*/

static Choice best_langevin(int n, Rng *rng)
{
    const float rates[] = {0.0005f, 0.001f, 0.002f}, heats[] = {5.0f, 10.0f, 20.0f, 40.0f};
    Choice best = {.steps = 0};
    int most = -1;
    for (int r = 0; r < 3; r++)
        for (int h = 0; h < 4; h++) {
            const Choice c = {.rate = rates[r], .heat = heats[h], .steps = LOOKS / 6};
            const int found = successes(langevin, n, c, rng);
            if (found > most) most = found, best = c;
        }
    best.steps = LOOKS;
    return best;
}

typedef struct {
    const char *name;
    Walk *walk;
    Choice choice;
    int found[2]; // in 2 and in 10 dimensions
} Way;

static void draw_ways(Lesson *lesson, Choice position, Choice inside)
{
    enum { CELLS = 181, KEPT = 160 };
    const PlotWindow window = {-5.12, 5.12, -5.12, 5.12};
    Arena *arena = arena_new();
    Matrix heights = matrix_new(arena, CELLS, CELLS);
    for (int i = 0; i < CELLS; i++)
        for (int j = 0; j < CELLS; j++)
            AT(heights, i, j) = rastrigin(
                (float[]){-5.12f + 10.24f * (float)j / (CELLS - 1), -5.12f + 10.24f * (float)i / (CELLS - 1)},
                2);
    Plot *plot = plot_begin(lesson, "ways.png", "Two ways of being random, from the same place");
    plot_axes(plot, "x₁", "x₂");
    plot_size(plot, 960, 720);
    plot_legend(plot, "bottom left");
    plot_range_x(plot, -5.12, 5.12);
    plot_range_y(plot, -5.12, 5.12);
    plot_heatmap(plot, window, heights);
    for (int w = 0; w < 2; w++) {
        float x[KEPT], y[KEPT], place[2] = {3.4f, -3.3f};
        Choice c = w ? inside : position;
        Rng rng = lesson_rng(lesson, 7);
        c.trace = matrix_new(arena, KEPT, 2);
        if (w) {
            noise_inside(place, 2, c, &rng);
        } else {
            langevin(place, 2, c, &rng);
        }
        for (int t = 0; t < KEPT; t++) x[t] = AT(c.trace, t, 0), y[t] = AT(c.trace, t, 1);
        if (w) {
            plot_line(plot, "noise inside the gradient", x, y, KEPT);
        } else {
            plot_points(plot, "noise on the position", x, y, KEPT);
        }
    }
    plot_end(plot, "160 places of each walk. Inside the gradient, the noise leads to the middle and stays.");
    arena_free(arena);
}

enum { PLAIN, RESTARTS, LANGEVIN, INSIDE_16, INSIDE_64, ANNEALED, COLD, WAYS };

static void many_valleys(Lesson *lesson)
{
    section(lesson, "Many valleys");
    Way ways[WAYS] = {
        {.name = "descent alone"},
        {.name = "restarts", .walk = restarts, .choice = {.steps = LOOKS / LAST_STEPS}},
        {.name = "noise on the position", .walk = langevin},
        {.name = "noise inside the gradient, mean of 16",
         .walk = noise_inside,
         .choice = {.rate = 0.002f, .steps = LOOKS / 16, .mean_of = 16}},
        {.name = "noise inside the gradient, mean of 64",
         .walk = noise_inside,
         .choice = {.rate = 0.002f, .steps = LOOKS / 64, .mean_of = 64}},
        {.name = "jumps with heat",
         .walk = metropolis,
         .choice = {.rate = 0.5f, .heat = 10.0f, .steps = LOOKS}},
        {.name = "jumps without heat",
         .walk = metropolis,
         .choice = {.rate = 0.5f, .heat = 0.0f, .steps = LOOKS}},
    };
    Rng rng = lesson_rng(lesson, 3);
    const int dimensions[] = {2, MOST_DIMENSIONS};
    Choice drawn = {.steps = 0};
    printf("%-40s%16s%16s\n", "runs of 100 that found the lowest valley", "2 dimensions", "10 dimensions");
    for (int w = 0; w < WAYS; w++) {
        printf("%-40s", ways[w].name);
        for (int d = 0; d < 2; d++) {
            if (w == LANGEVIN) ways[w].choice = best_langevin(dimensions[d], &rng);
            if (w == LANGEVIN && d == 0) drawn = ways[w].choice;
            ways[w].found[d] = successes(ways[w].walk, dimensions[d], ways[w].choice, &rng);
            printf("%16d", ways[w].found[d]);
        }
        printf("\n");
    }
    printf("\n");
    draw_ways(lesson, drawn, ways[INSIDE_64].choice);
    claim(lesson, ways[PLAIN].found[0] <= 6 && ways[PLAIN].found[1] == 0,
          "descent alone finds it in at most 6 of 100 runs");
    claim(lesson, ways[LANGEVIN].found[0] <= 30 && ways[LANGEVIN].found[1] <= 30,
          "with noise on the position, at its best setting, at most 30 do");
    claim(lesson, ways[INSIDE_64].found[0] >= 90 && ways[INSIDE_64].found[1] >= 90,
          "with noise inside the gradient at least 90 do, in 2 and in 10 dimensions");
    claim(lesson, ways[COLD].found[0] >= 90 && ways[COLD].found[1] >= 90, "jumps find it without any heat");
}

/*
## Why inside?

Scattered questions are questions about another landscape. The mean of $\nabla f(x + \sigma\xi)$ is the gradient of the mean of
$f(x + \sigma\xi)$, a landscape seen out of focus. For a cosine this is exact: its mean over normal $\xi$ is

$$\mathbb E \cos 2\pi(x + \sigma\xi) = e^{-2\pi^2\sigma^2} \cos 2\pi x .$$

At $\sigma = 0.2$ the ripples have less than half of their height, at $0.5$ less than a hundredth: no valley is left but
the bowl, and the walker goes to its middle. Then $\sigma$ shrinks, the valleys come back, and he is already in the right one.
Noise on the position smooths nothing. It has to carry the walker over walls of height 20, one valley at a
time, and where it is hot enough to do that, it is too hot to tell the lowest valley from its neighbours, which lie only 1 higher.

And the jumps? The landscape is a sum of one-dimensional ones, and a jump along one coordinate with deviation $0.5$ often lands in the next
valley without climbing the wall. Heat has no part in it. What "annealing" did here was jumping.
*/

enum { SIGMAS = 4, ALONG = 201, SCATTERED = 4000 };

// The mean height of the ripples, cos 2πx, over scattered places
static double mean_ripple(float x, float sigma, Rng *rng)
{
    double total = 0.0;
    for (int k = 0; k < SCATTERED; k++) total += (double)cos32(2.0f * PI * (x + sigma * rng_normal(rng)));
    return total / SCATTERED;
}

static void why_inside(Lesson *lesson)
{
    section(lesson, "Why inside?");
    const float sigmas[SIGMAS] = {0.0f, 0.1f, 0.2f, 0.5f};
    const char *const names[SIGMAS] = {"in focus", "σ = 0.1", "σ = 0.2", "σ = 0.5"};
    Rng rng = lesson_rng(lesson, 4);
    double worst = 0.0;
    Plot *plot = plot_begin(lesson, "focus.svg", "Rastrigin's landscape, in focus and out of focus");
    plot_axes(plot, "x", "mean height");
    for (int s = 0; s < SIGMAS; s++) {
        float x[ALONG], height[ALONG];
        const double left = (double)exp32(-2.0f * PI * PI * sigmas[s] * sigmas[s]);
        for (int i = 0; i < ALONG; i++) {
            x[i] = -3.0f + 6.0f * (float)i / (ALONG - 1);
            const double ripple = mean_ripple(x[i], sigmas[s], &rng);
            worst = fmax(worst, fabs(ripple - left * (double)cos32(2.0f * PI * x[i])));
            height[i] = x[i] * x[i] + sigmas[s] * sigmas[s] + 10.0f * (1.0f - (float)ripple);
        }
        printf("%-9s ripples of %5.1f %%\n", names[s], 100.0 * left);
        plot_line(plot, names[s], x, height, ALONG);
    }
    printf("\n");
    // A mean of 4000 numbers of size 1 has a deviation of at most 1/√4000 = .016; the largest of 804 stays below 4.5 of them.
    claim(lesson, worst < 4.5 / sqrt((double)SCATTERED),
          "the ripples shrink as the formula says, at all %d places", SIGMAS * ALONG);
    plot_end(plot, "Each point is the mean over 4000 scattered places.");
}

/*
## How long until it is out?

How long does noise on the position need to carry a walker out of *one* valley? Hendrik Kramers answered in 1940: if
the wall is $\Delta$ high, a time proportional to $e^{\Delta/T}$. Halve the temperature, and the time is not doubled but
squared. We test it on $U = \frac12 (1 + \cos \pi x)$, whose valley at $x = 1$ lies between walls of height 1, at $0$ and
at $2$: the logarithm of the mean time over $1/T$ must be a line of slope 1.

There is an exact answer beside the law, if we are ready to integrate: for a walk in infinitely small steps, the mean time from the
floor to either wall is

$$\tau = \frac 1T \int_1^2 e^{U(y)/T} \int_1^y e^{-U(z)/T}\, dz\, dy .$$
*/

enum { HEATS = 5, ESCAPES = 300 };
static const float escape_rate = 0.005f;

static double valley_height(double x) { return 0.5 * (1.0 + (double)cos32(PI * (float)x)); }

// The integral above by sums over 4000 slices, in steps of the walker
static double exact_steps(double cold)
{
    enum { SLICES = 4000 };
    const double slice = 1.0 / SLICES;
    double inner = 0.0, outer = 0.0;
    for (int i = 0; i < SLICES; i++) {
        const double u = valley_height(1.0 + (i + 0.5) * slice),
                     grows = (double)exp32((float)(-cold * u)) * slice;
        outer += (double)exp32((float)(cold * u)) * (inner + 0.5 * grows) * slice;
        inner += grows;
    }
    return cold * outer / (double)escape_rate;
}

// Steps until a walker of this temperature has left the valley between 0 and 2
static long steps_to_escape(float heat, Rng *rng)
{
    const float size = sqrtf(2.0f * escape_rate * heat);
    float x = 1.0f;
    long t = 0;
    for (; x > 0.0f && x < 2.0f; t++) x += escape_rate * 0.5f * PI * sin32(PI * x) + size * rng_normal(rng);
    return t;
}

static float mean_escape(float heat, Rng *rng)
{
    double total = 0.0;
    for (int e = 0; e < ESCAPES; e++) {
        Rng own = rng_stream(rng, (uint64_t)e);
        total += (double)steps_to_escape(heat, &own);
    }
    rng_next(rng);
    return (float)(total / ESCAPES);
}

// The slope of the best line through the logarithms of y over x
static double logarithmic_slope(const float *x, const float *y, int count)
{
    double mean_x = 0.0, mean_y = 0.0, products = 0.0, squares = 0.0;
    for (int i = 0; i < count; i++) mean_x += (double)x[i] / count, mean_y += (double)log32(y[i]) / count;
    for (int i = 0; i < count; i++) {
        products += ((double)x[i] - mean_x) * ((double)log32(y[i]) - mean_y);
        squares += ((double)x[i] - mean_x) * ((double)x[i] - mean_x);
    }
    return products / squares;
}

static void how_long(Lesson *lesson)
{
    section(lesson, "How long until it is out?");
    const float cold[HEATS] = {2.0f, 3.0f, 4.0f, 5.0f, 6.0f}; // 1 / T
    float times[HEATS], exact[HEATS];
    Rng rng = lesson_rng(lesson, 5);
    printf("mean steps until the walker is out\n\n%-10s%12s%12s\n", "1/T", "measured", "integral");
    for (int h = 0; h < HEATS; h++) {
        times[h] = mean_escape(1.0f / cold[h], &rng);
        exact[h] = (float)exact_steps((double)cold[h]);
        printf("%-10.0f%12.0f%12.0f\n", (double)cold[h], (double)times[h], (double)exact[h]);
    }
    const double slope = logarithmic_slope(cold, times, HEATS);
    printf("\nslope of the logarithm: measured %.3f, of the integral %.3f\n\n", slope,
           logarithmic_slope(cold, exact, HEATS));
    claim(lesson, fabs(slope - 1.0) <= 0.08,
          "the logarithm of the time grows by 1 with each 1/T, within 8 %%");
    Plot *plot = plot_begin(lesson, "escape.svg", "Half as hot, and the time is squared");
    plot_axes(plot, "1 / temperature", "mean steps until the walker is out");
    plot_log(plot, "y");
    plot_dashed(plot, "integral", cold, exact, HEATS);
    plot_points(plot, "measured", cold, times, HEATS);
    plot_end(plot, "Kramers' law over a factor of fifty in time.");
}

/*
The measured times are a little longer: our walker takes finite steps, and may be beyond the wall and back between two of
them without our seeing it.
*/

/*
## The sharp and the flat

The noise of minibatches is not noise on the position. Each minibatch has a landscape of its own, a little beside the
true one, and the walker follows the gradient of that: $x \leftarrow x - \eta\, U'(x + \sigma\xi)$. Where the landscape is
flat, all of them agree, and there is hardly any noise; where it is sharp, the noise is strong. So it should drive walkers out of sharp
valleys and let them rest in flat ones. People add that flat valleys generalise better, which we cannot test here; that
this noise prefers them, we can.

Two valleys lie side by side, equally deep: one half a unit wide, from $-0.5$ to $0$, the other two units wide, from $0$ to $2$. Two
hundred walkers start on the floor of one, and we count who reaches the floor of the other within 20,000
steps. The control is noise on the position, as strong everywhere as that of minibatches with $\sigma = 0.14$ is in the sharp valley.
*/

enum { WALKERS = 200, WELL_STEPS = 20000 };
static const float SHARP = 0.25f, FLAT = 1.0f; // half-widths, and the distances of the floors from 0

// The slope of U = −(1 + cos(π (x − floor) / half-width)) / 2; steep walls outside of both valleys
static float well_slope(float x)
{
    if (x < -2.0f * SHARP) return 20.0f * (x + 2.0f * SHARP);
    if (x > 2.0f * FLAT) return 20.0f * (x - 2.0f * FLAT);
    const float half = x < 0.0f ? SHARP : FLAT, floor = x < 0.0f ? -SHARP : FLAT;
    return 0.5f * PI / half * sin32(PI * (x - floor) / half);
}

typedef struct {
    const char *name;
    float inside, outside; // σ of the gradient's place; deviation of the noise on the position
} Noise;

static int steps_between(float from, float to, Noise noise, Rng *rng)
{
    float x = from;
    for (int t = 0; t < WELL_STEPS; t++) {
        if (from < to ? x >= to : x <= to) return t;
        const float shift = noise.inside * rng_normal(rng), push = noise.outside * rng_normal(rng);
        x += push - 0.01f * well_slope(x + shift);
    }
    return WELL_STEPS;
}

// How many walkers arrive; *mean_steps: of these
static int arrivals(float from, float to, Noise noise, double *mean_steps, Rng *rng)
{
    int arrived = 0;
    *mean_steps = 0.0;
    for (int w = 0; w < WALKERS; w++) {
        Rng own = rng_stream(rng, (uint64_t)w);
        const int steps = steps_between(from, to, noise, &own);
        if (steps == WELL_STEPS) continue;
        *mean_steps += steps;
        arrived++;
    }
    rng_next(rng);
    if (arrived) *mean_steps /= arrived;
    return arrived;
}

enum { NOISES = 5 };

static void sharp_and_flat(Lesson *lesson)
{
    section(lesson, "The sharp and the flat");
    Rng rng = lesson_rng(lesson, 6);
    const float near_floor = 0.5f * (PI / SHARP) * (PI / SHARP); // U' = π²/(2h²) · (x − floor) there
    const Noise noises[NOISES] = {{"minibatches, σ = 0.06", 0.06f, 0.0f},
                                  {"minibatches, σ = 0.14", 0.14f, 0.0f},
                                  {"minibatches, σ = 0.22", 0.22f, 0.0f},
                                  {"minibatches, σ = 0.30", 0.30f, 0.0f},
                                  {"on the position", 0.0f, 0.01f * near_floor * 0.14f}};
    int out_of_sharp[NOISES], out_of_flat[NOISES];
    printf("walkers of 200 that changed valleys (and their mean steps)\n\n%-26s%20s%20s\n", "noise",
           "sharp to flat", "flat to sharp");
    for (int n = 0; n < NOISES; n++) {
        double steps[2];
        out_of_sharp[n] = arrivals(-SHARP, FLAT, noises[n], &steps[0], &rng);
        out_of_flat[n] = arrivals(FLAT, -SHARP, noises[n], &steps[1], &rng);
        printf("%-26s%12d (%5.0f)%12d (%5.0f)\n", noises[n].name, out_of_sharp[n], steps[0], out_of_flat[n],
               steps[1]);
    }
    printf("\n");
    claim(lesson, out_of_sharp[0] == 0 && out_of_flat[0] == 0, "weak minibatch noise moves nobody");
    claim(lesson, out_of_sharp[2] == WALKERS && out_of_sharp[3] == WALKERS,
          "stronger minibatch noise moves everybody from the sharp valley to the flat one");
    claim(lesson, out_of_flat[1] + out_of_flat[2] + out_of_flat[3] == 0, "and nobody back");
    claim(lesson, out_of_sharp[4] == WALKERS && out_of_flat[4] == WALKERS,
          "noise on the position moves everybody out of either");
}

/*
## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "05-descent-and-randomness", "Descent and randomness");
    six_ways(lesson);
    how_fast(lesson);
    at_a_saddle(lesson);
    turn_the_bowl(lesson);
    many_valleys(lesson);
    why_inside(lesson);
    how_long(lesson);
    sharp_and_flat(lesson);
    return lesson_end(lesson);
}

/*
## What to take along

- Near the floor one number tells the time: descent needs steps in proportion to $\kappa$, momentum to $\sqrt\kappa$.
- A saddle does not hold a walker. It makes him wait, 47 steps a zero, and the smallest push ends the waiting.
- Adam and RMSProp look at coordinates. Their speed belongs to the axes, not to the bowl.
- "Add noise and you get out of bad valleys" is half a sentence. On Rastrigin's landscape noise on the position finds the lowest valley
  in a tenth of the runs, at its best setting; noise inside the gradient always, because it puts the landscape
  out of focus first.
- Restarts are an honest opponent: as good in two dimensions, useless in ten.
- What looks like annealing may be jumping. Take the heat away and see.
- Noise on the position needs $e^{\Delta/T}$ steps for a wall of height $\Delta$.
- Minibatch noise is strong where it is sharp: it prefers flat valleys, which ordinary noise does not.

## Check yourself

**1.** A bowl has $\kappa = 400$. How many times fewer steps does momentum need than descent, both at their best?

<details><summary>Answer</summary>

About twenty times, $\sqrt{400}$. For large $\kappa$ the logarithm of descent's factor is $-2/\kappa$ and that of
momentum $-2/\sqrt\kappa$; at $\kappa = 100$ the table has 115.1 steps against 11.7 for a digit, almost ten times.

</details>

**2.** Somebody trains with the rate $2/(\lambda_{\min} + \lambda_{\max})$ and doubles it. What happens, and along which axis?

<details><summary>Answer</summary>

It diverges along the steepest axis. There $1 - \eta\lambda$ becomes $1 - 4\kappa/(\kappa + 1)$, which is
nearly $-3$ for large $\kappa$: three times as far in each step, on the other side each time. The flat axes would still have liked it.

</details>

**3.** In which landscape would you expect RMSProp to lose all of its advantage over descent?

<details><summary>Answer</summary>

In a bowl whose axes lie between the coordinates. In the table RMSProp needs 6 steps along the axes and about 18,000 in the
turned bowl, half of descent's 40,000 and many times momentum's 2,000.

</details>

**4.** Why does the walk with noise on the position not become better when it is made hotter?

<details><summary>Answer</summary>

Neighbouring valleys differ by about 1 in height, the walls between them by about 20. Hot enough to climb the walls often, the walker is
about equally often in each valley; cold enough to prefer the lowest, it no longer climbs. The best of twelve
settings found it in 13 of 100 runs, with five other seeds in 6 to 15.

</details>

**5.** A colleague finds that simulated annealing solves his problem, and explains that heat carries it over the walls. Which
experiment do you ask for?

<details><summary>Answer</summary>

The same walk with the heat at zero. On Rastrigin's landscape it finds the lowest valley in all runs as
well: what carries it over the walls is the length of its jumps.

</details>

## Sources

- B. T. Polyak, *Some methods of speeding up the convergence of iteration methods*, 1964: momentum and its best setting.
- Y. Nesterov, *A method of solving a convex programming problem with convergence rate O(1/k²)*, 1983.
- L. Lessard, B. Recht, A. Packard, *Analysis and design of optimization algorithms via integral quadratic constraints*, 2016:
  the factors on bowls, and the best setting of Nesterov's method.
- H. H. Rosenbrock, 1960; L. A. Rastrigin, 1974: the landscapes.
- T. Tieleman and G. Hinton 2012 (RMSProp); D. Kingma and J. Ba 2015 (Adam); I. Loshchilov and F. Hutter 2019 (AdamW).
- N. Metropolis and others 1953; S. Kirkpatrick, C. Gelatt, M. Vecchi 1983: jumps with heat.
- H. A. Kramers, *Brownian motion in a field of force and the diffusion model of chemical reactions*, 1940.
- S. Hochreiter and J. Schmidhuber, *Flat minima*, 1997; N. Keskar and others 2017: why flat valleys are thought to be better.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade5` tells how far you are,
`make hint5` helps.

- **TASK 5.1** a step of Adagrad, the ancestor of RMSProp, which forgets nothing.
- **TASK 5.2** how many steps descent needs for a digit, from its rate and the flattest and the steepest axis.
- **TASK 5.3** a gradient from heights alone: questions asked in pairs around a place.
- **TASK 5.4** two walkers at different temperatures: with what probability they change places.

And without a computer, or with five minutes at one:

**1.** Descent on $f = \frac12 \lambda x^2$ with $\eta = 1/\lambda$ arrives in one step. Why does nobody train networks so?

<details><summary>Answer</summary>

Because there is one $\lambda$ for each direction, and only one $\eta$. Dividing each direction by its own $\lambda$ is Newton's method; it needs
the matrix of second derivatives, as many numbers as the square of the weights. Adam is an attempt with one number for each
coordinate, which is why it depends on the axes.

</details>

**2.** With $\mu = 0.9$, a constant gradient $g$ and many steps: how long is a step of momentum?

<details><summary>Answer</summary>

$v = g + 0.9\, g + 0.81\, g + \dots = g / (1 - 0.9) = 10\, g$. A rate of $\eta$ with $\mu = 0.9$ is in the long run
one of $10\,\eta$ without, which is why rates are about ten times smaller with momentum.

</details>

**3.** What does Adam's first step look like, whatever the gradient?

<details><summary>Answer</summary>

At $t = 1$, $m / (1 - \beta_1) = g$ and $s / (1 - \beta_2) = g^2$, so the step is $\eta\, g / |g| = \pm\eta$ in each
coordinate, as long in a flat direction as in a steep one. Without the two divisions it would be $0.1\, g / \sqrt{0.001\, g^2} \approx
3.2$ times as long.

</details>

**4.** Ripples of the landscape have a wavelength of 0.1 instead of 1. Which $\sigma$ puts them out of focus?

<details><summary>Answer</summary>

A tenth: the factor is $e^{-2\pi^2 \sigma^2 / w^2}$ for the wavelength $w$. Below 1 % at $\sigma = 0.05$, where ripples of wavelength
1 still have 95 %. So a $\sigma$ that falls from large to small removes fine ripples longest.

</details>
*/
