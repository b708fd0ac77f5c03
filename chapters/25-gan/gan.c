/*
# GAN: two networks against each other

How would you train a network to draw? Squared error needs a right answer, and a network that must please all
possible answers at once draws their mean: chapter 23 saw blurred trousers come of that. The **generative
adversarial network** (生成对抗网络, GAN) of Ian Goodfellow and others (2014) has no right answer. A **generator** (生成器)
turns random numbers into an image. A **discriminator** (判别器) is shown real images and made ones, in disorder, and
says of each how probable it is that it is real. The discriminator learns to tell them apart; the generator learns
to make that hard. Neither ever compares a made image with any particular real one.

You will see

- the game and its solution: what the best discriminator answers, and a trained one beside it;
- why the loss of the original game is replaced by another one before the first step;
- a generator that forgets seven of eight things to draw, and what brings them back: one remedy needs the gradient
  of a gradient;
- garments drawn on demand, and why the obvious measure of how good they are rewards the worst generator;
- what this kind of model cannot tell you: when to stop, and how probable an image is.

You need [chapter 7](../07-autograd/README.md) for the tape and [chapter 11](../11-alexnet-to-resnet/README.md) for
batch normalisation.
*/

#include "base/mathf.h"
#include "base/name_table.h"
#include "base/parallel.h"
#include "files/garments.h"
#include "learning/ops/elementwise.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/judge.h"

/*
## The game

The generator $G$ takes noise $z$, the discriminator gives a number $\ell(x)$, its **logit**, and with it the
probability $D(x) = \sigma(\ell(x))$ that $x$ is real. It is an ordinary classifier of two classes, and its loss is
the cross-entropy of chapter 2. Written as what the discriminator wants to be *large*, it is the value of the game:

$$V(D, G) = \mathbb E_{x \sim p} \log D(x) + \mathbb E_z \log\bigl(1 - D(G(z))\bigr) .$$

The discriminator climbs $V$, the generator descends it, $\min_G \max_D V$. With
$\log \sigma(\ell) = -\mathrm{softplus}(-\ell)$ everything is a softplus of a logit, and no logarithm of a number
near 0 is ever taken. The losses are:

| | loss, a mean over a batch | its derivative by $\ell$ |
|---|---|---|
| discriminator, real images | $\mathrm{softplus}(-\ell)$ | $-\sigma(-\ell)$ |
| discriminator, made images | $\mathrm{softplus}(\ell)$ | $\sigma(\ell)$ |
| generator, as in the game: **saturating** | $-\mathrm{softplus}(\ell)$ | $-\sigma(\ell)$ |
| generator, **non-saturating** | $\mathrm{softplus}(-\ell)$ | $-\sigma(-\ell)$ |

The last replaces "make it less probable that I am found out" by "make it more probable that I pass".
*/

// The mean of softplus(sign · ℓ) over logits (n × 1), and its derivative into d_logits
static float softplus_loss(Matrix d_logits, Matrix logits, float sign)
{
    double total = 0.0;
    for (int i = 0; i < logits.rows; i++) {
        float l = sign * logits.data[i];
        total += (double)softplus32(l);
        d_logits.data[i] = sign * sigmoid32(l) / (float)logits.rows;
    }
    return (float)(total / logits.rows);
}

// The same on the tape: what is used from here on
static Tensor *called_real(Tensor *logits) { return mean_all(softplus(tensor_scale(logits, -1.0f))); }
static Tensor *called_made(Tensor *logits) { return mean_all(softplus(logits)); }

static void check_the_losses(Lesson *lesson)
{
    section(lesson, "The game");
    enum { LOGITS = 9 };
    float values[LOGITS] = {-100.0f, -20.0f, -5.0f, -1.0f, 0.0f, 1.0f, 5.0f, 20.0f, 100.0f}, apart = 0.0f;
    Arena *arena = lesson_arena(lesson);
    Matrix logits = matrix_from(arena, LOGITS, 1, values), d_logits = matrix_new(arena, LOGITS, 1);
    Matrix saturating = matrix_new(arena, LOGITS, 1);
    Tape *tape = tape_new();
    for (int real = 0; real < 2; real++) {
        tape_reset(tape);
        Tensor *x = tape_variable(tape, logits), *loss = real ? called_real(x) : called_made(x);
        backward(loss);
        float by_hand = softplus_loss(d_logits, logits, real ? -1.0f : 1.0f);
        apart = fmaxf(apart, fabsf(by_hand / loss->value.data[0] - 1.0f));
        apart = fmaxf(apart, largest_difference(d_logits, x->gradient));
    }
    softplus_loss(saturating, logits, 1.0f);
    printf("ℓ of a made image       ");
    for (int i = 0; i < LOGITS; i++) printf("%9g", (double)values[i]);
    printf("\nsaturating slope        ");
    for (int i = 0; i < LOGITS; i++) printf("%9.1e", (double)(-LOGITS * saturating.data[i]));
    printf("\nnon-saturating slope    ");
    for (int i = 0; i < LOGITS; i++) printf("%9.1e", (double)(LOGITS * d_logits.data[i]));
    printf("\n\n");
    claim(lesson, apart <= 1e-6f,
          "losses and gradients by hand are those of the tape, for logits up to ±100");
    tape_free(tape);
}

/*
## The best discriminator

Let the generator stand still: its images have a density $q$. Then $V = \int p \log D + q \log (1 - D)$, and at each
$x$ alone the number $D$ that makes $p \log D + q \log(1 - D)$ largest is found by a derivative:

$$D^*(x) = \frac{p(x)}{p(x) + q(x)} .$$

So a discriminator that has learned all there is to learn knows the *ratio of the two densities*, although it was
only asked "real or not?": $p / q = D^* / (1 - D^*) = e^{\ell}$. Put $D^*$ into $V$ and what remains for the
generator is $2\,\mathrm{JSD}(p, q) - \log 4$, with the **Jensen–Shannon divergence**, which is 0 only for $p = q$
(Goodfellow and others, theorem 1). To check it we need a $p$ and a $q$ that we know. Real numbers come from two
bells at ±1.5, the "generator" gives one broad bell around 0.5. A network with two hidden layers of 64, trained as
always, sees samples only.
*/

enum { HIDDEN = 64, BATCH = 128 };

// Three layers with leaky ReLU between them; serves as discriminator and, for points, as generator
typedef struct {
    Parameters parameters;
    Linear layers[3];
    Optimiser adam;
} Net;

typedef struct {
    Tensor *before[2]; // what enters the two activations
    Tensor *out;
} Pass;

static const float LEAK = 0.2f;

static Net *net_new(Arena *arena, int inputs, int outputs, Rng *rng)
{
    const int sizes[] = {inputs, HIDDEN, HIDDEN, outputs};
    Net *n = arena_zeros(arena, 1, sizeof *n); // the optimiser keeps its address
    n->parameters = parameters_new(arena);
    for (int l = 0; l < 3; l++)
        n->layers[l] = linear_new(&n->parameters, layer_name(&n->parameters, "net", "layer", l), sizes[l],
                                  sizes[l + 1], rng, INIT_FAN_IN_UNIFORM);
    n->adam = adam_new(arena, &n->parameters, 0.5f, 0.99f, 1e-8f, 0.0f);
    return n;
}

static Pass net_pass(const Net *n, Tensor *x)
{
    Pass p;
    p.before[0] = linear(&n->layers[0], x);
    p.before[1] = linear(&n->layers[1], leaky_relu(p.before[0], LEAK));
    p.out = linear(&n->layers[2], leaky_relu(p.before[1], LEAK));
    return p;
}

static float bell(float x, float middle, float deviation)
{
    float t = (x - middle) / deviation;
    return exp32(-0.5f * t * t) / (deviation * 2.50662827f);
}

static float real_density(float x) { return 0.5f * bell(x, -1.5f, 0.5f) + 0.5f * bell(x, 1.5f, 0.5f); }
static float made_density(float x) { return bell(x, 0.5f, 1.2f); }

static void draw_numbers(Matrix x, Rng *rng, bool real)
{
    for (int i = 0; i < x.rows; i++) {
        float middle = real ? (rng_below(rng, 2) ? 1.5f : -1.5f) : 0.5f;
        x.data[i] = middle + (real ? 0.5f : 1.2f) * rng_normal(rng);
    }
}

static void train_on_numbers(Lesson *lesson, Net *d, Rng *rng)
{
    enum { STEPS = 1500 };
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Matrix real = matrix_new(arena, 2 * BATCH, 1), made = matrix_new(arena, 2 * BATCH, 1);
    for (int step = 0; step < STEPS; step++) {
        draw_numbers(real, rng, true);
        draw_numbers(made, rng, false);
        tape_reset(tape);
        Tensor *of_real = called_real(net_pass(d, tape_input(tape, real)).out);
        Tensor *of_made = called_made(net_pass(d, tape_input(tape, made)).out);
        Tensor *loss = tensor_add(of_real, of_made);
        backward(loss);
        optimiser_step(&d->adam, cosine_schedule(4e-3f, step, 0, STEPS));
        lesson_progress(lesson, "discriminator", step + 1, STEPS, (double)loss->value.data[0]);
    }
    tape_free(tape);
    arena_free(arena);
}

enum { CELLS = 401 };

static void find_the_best(Lesson *lesson)
{
    section(lesson, "The best discriminator");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 1);
    Net *d = net_new(arena, 1, 1, &rng);
    train_on_numbers(lesson, d, &rng);
    Matrix x = matrix_new(arena, CELLS, 1);
    for (int i = 0; i < CELLS; i++) x.data[i] = -5.0f + 10.0f * (float)i / (CELLS - 1);
    Tape *tape = tape_inference(arena);
    Matrix logits = net_pass(d, tape_input(tape, x)).out->value;
    static float real[CELLS], made[CELLS], best[CELLS], trained[CELLS];
    double apart = 0.0, value = 0.0, most = 0.0;
    const double cell = 10.0 / (CELLS - 1);
    for (int i = 0; i < CELLS; i++) {
        real[i] = real_density(x.data[i]), made[i] = made_density(x.data[i]);
        best[i] = real[i] / (real[i] + made[i]);
        trained[i] = sigmoid32(logits.data[i]);
        double p = (double)real[i] * cell, q = (double)made[i] * cell;
        apart += 0.5 * (p + q) * fabs((double)(trained[i] - best[i]));
        value -= p * (double)softplus32(-logits.data[i]) + q * (double)softplus32(logits.data[i]);
        most += p * (double)log32(best[i]) + q * (double)log32(1.0f - best[i]);
    }
    printf("value of the game            %8.4f with the trained discriminator\n", value);
    printf("                             %8.4f with p / (p + q)\n", most);
    printf("Jensen–Shannon divergence    %8.4f = (value + log 4) / 2\n", 0.5 * (most + (double)log32(4.0f)));
    printf("|D − p / (p + q)|            %8.4f, a mean over both kinds of numbers\n\n", apart);
    claim(lesson, apart <= 0.03, "the trained discriminator is p / (p + q), to 0.03 in the mean");
    claim(lesson, value <= most && value >= most - 0.01,
          "its value is the largest there is, but for at most 0.01");

    Plot *plot = plot_begin(lesson, "best.svg", "Two densities, and how probably a number is real");
    plot_axes(plot, "x", "density; probability");
    plot_line(plot, "density of real numbers, p", x.data, real, CELLS);
    plot_line(plot, "density of made numbers, q", x.data, made, CELLS);
    plot_dashed(plot, "p / (p + q)", x.data, best, CELLS);
    plot_line(plot, "trained discriminator", x.data, trained, CELLS);
    plot_legend(plot, "outside");
    plot_end(
        plot,
        "The discriminator was given samples only. Where neither density reaches, nobody tells it anything.");
}

/*
## A gradient that vanishes

That is the discriminator at its best, and it is bad news. At the start the generator is bad, the two kinds are told
apart easily, and $D$ is near 0 on everything made. There the slope of $\log(1 - D)$ is $-\sigma(\ell)$, nearly 0,
as the first table showed: the worse the generator is, the less it is told. The slope of $-\log D$ is nearly 1
there. For a single image the two gradients even point the *same way*, and their lengths have the ratio $e^{\ell}$;
only the weights of the images in a batch differ. And where $D = \frac12$ on everything, both are equal: the point
at which the game rests is the same.

We let a discriminator run ahead of a generator that stands still, and measure both gradients at the generator's
weights. The data are those of the next section.
*/

enum { MODES = 8, NOISE = 8 };
static const float RADIUS = 2.0f, DEVIATION = 0.05f, EIGHTH = 0.785398163f; // of a circle, in radians

// Points around one of eight centres on a circle
static void draw_points(Matrix x, Rng *rng)
{
    fill_normal(x, rng, 0.0f, DEVIATION);
    for (int i = 0; i < x.rows; i++) {
        float angle = EIGHTH * (float)rng_below(rng, MODES);
        AT(x, i, 0) += RADIUS * cos32(angle);
        AT(x, i, 1) += RADIUS * sin32(angle);
    }
}

typedef struct {
    int d_steps;         // of the discriminator, for each of the generator
    float d_rate, gamma; // its learning rate; the weight of a penalty that is explained below, 0 for none
} Recipe;

static Tensor *slope_penalty(const Net *d, Tape *tape, Pass pass, float gamma);

// One step of the discriminator. What the generator makes is an input: no gradient goes back into it
static void discriminator_step(Net *d, const Net *g, Tape *tape, Matrix real, Matrix noise, Rng *rng,
                               Recipe r)
{
    draw_points(real, rng);
    fill_normal(noise, rng, 0.0f, 1.0f);
    tape_reset(tape);
    Tensor *made = tape_input(tape, net_pass(g, tape_input(tape, noise)).out->value);
    Pass of_real = net_pass(d, tape_input(tape, real)), of_made = net_pass(d, made);
    Tensor *right = called_real(of_real.out), *wrong = called_made(of_made.out),
           *loss = tensor_add(right, wrong);
    if (r.gamma > 0.0f) {
        Tensor *penalty = slope_penalty(d, tape, of_real, r.gamma);
        loss = tensor_add(loss, penalty);
    }
    backward(loss);
    optimiser_step(&d->adam, r.d_rate);
}

// The generator's gradients. The discriminator is frozen: the gradient goes through it, and it learns nothing
static Tensor *generator_gradient(Net *d, const Net *g, Tape *tape, Matrix noise, Rng *rng, bool saturating)
{
    fill_normal(noise, rng, 0.0f, 1.0f);
    tape_reset(tape);
    parameters_freeze(&d->parameters, "", true);
    Tensor *logits = net_pass(d, net_pass(g, tape_input(tape, noise)).out).out;
    backward(saturating ? tensor_scale(called_made(logits), -1.0f) : called_real(logits));
    parameters_freeze(&d->parameters, "", false);
    return logits;
}

static void compare_slopes(Lesson *lesson)
{
    section(lesson, "A gradient that vanishes");
    enum { ROWS = 4 };
    static const int steps[ROWS] = {0, 50, 200, 800};
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 2);
    Net *g = net_new(arena, NOISE, 2, &rng), *d = net_new(arena, 2, 1, &rng);
    Tape *tape = tape_new();
    Matrix real = matrix_new(arena, BATCH, 2), noise = matrix_new(arena, BATCH, NOISE);
    printf("discriminator steps    D of made points    gradient, saturating    non-saturating    ratio\n");
    double ratio[ROWS], chance = 0.0;
    for (int r = 0, taken = 0; r < ROWS; r++) {
        for (; taken < steps[r]; taken++)
            discriminator_step(d, g, tape, real, noise, &rng, (Recipe){1, 1e-3f, 0.0f});
        double length[2];
        for (int saturating = 0; saturating < 2; saturating++) {
            Rng same = lesson_rng(lesson, 3);
            Tensor *logits = generator_gradient(d, g, tape, noise, &same, saturating);
            length[saturating] = gradient_norm(&g->parameters);
            clear_gradients(&g->parameters);
            chance = 0.0;
            for (int i = 0; i < BATCH; i++) chance += (double)sigmoid32(logits->value.data[i]) / BATCH;
        }
        ratio[r] = length[0] / length[1];
        printf("%19d%20.5f%24.2e%18.2e%9.1f\n", steps[r], chance, length[1], length[0], ratio[r]);
    }
    printf("\n");
    claim(lesson, ratio[0] >= 0.8 && ratio[0] <= 1.25,
          "before the first step both gradients are equally long, to a quarter");
    claim(lesson, ratio[2] >= 10.0, "after 200 steps the non-saturating one is at least 10 times longer");
    tape_free(tape);
}

/*
After 200 steps of the discriminator the gradient of the original game is 224 times shorter, after 800 steps 26 000
times. Goodfellow and others saw this and gave the generator the other loss, in the same paper. It is then no longer
one game with one value: the two networks descend two different functions. (Adam divides by the size of the gradient
and would hide much of the difference. It cannot change the weights within a batch: $\sigma(\ell)$ listens to the
images that pass already, $\sigma(-\ell)$ to those that do not.) From here on every generator has the non-saturating
loss.

## Eight Gaussians

Now both learn. The real points lie around eight centres on a circle of radius 2, with a deviation of 0.05, an
experiment of Metz and others (2016). Generator and discriminator have the three layers above; the noise has 8
numbers. A **mode** (模式) is one of the eight bells; it counts as found when at least 2 % of 2,000 made points lie
within 0.3 of its centre.

Theory says: let the discriminator become as good as it can before each step of the generator. We let it take five
steps for one, at three times the generator's learning rate of 0.001, and compare with one step for one at equal
rates.
*/

enum { SNAPSHOTS = 6, RUNS = 3, SEEN = 2000, ARMS = 8 };
static const int snapshots[SNAPSHOTS] = {100, 250, 500, 1000, 1500, 2000};
static const float G_RATE = 1e-3f;

typedef struct {
    Net *g, *d;
    int modes[SNAPSHOTS];
    unsigned found[SNAPSHOTS]; // bit m: mode m
    double near[SNAPSHOTS];    // the fraction of points within 0.3 of a centre
    Matrix points[SNAPSHOTS];  // (2000 × 2)
    double slope; // of the discriminator where made points are: a mean of ‖∇ℓ‖, at the end
} Run;

typedef struct {
    const char *name;
    Recipe recipe;
    Run runs[RUNS];
} Arm;

enum { EVEN, OVER_TRAINED, PENALISED, FIVE_STEPS, SLOWER, SLOW, FAST, EVEN_PENALISED };
static Arm arms[ARMS] = {[EVEN] = {.name = "1 step,  rate 0.001", .recipe = {1, 1e-3f, 0.0f}},
                         [OVER_TRAINED] = {.name = "5 steps, rate 0.003", .recipe = {5, 3e-3f, 0.0f}},
                         [PENALISED] = {.name = "5 steps, rate 0.003, R1", .recipe = {5, 3e-3f, 1.0f}},
                         [FIVE_STEPS] = {.name = "5 steps, rate 0.001", .recipe = {5, 1e-3f, 0.0f}},
                         [FAST] = {.name = "1 step,  rate 0.003", .recipe = {1, 3e-3f, 0.0f}},
                         [SLOWER] = {.name = "5 steps, rate 0.0003", .recipe = {5, 3e-4f, 0.0f}},
                         [SLOW] = {.name = "5 steps, rate 0.0001", .recipe = {5, 1e-4f, 0.0f}},
                         [EVEN_PENALISED] = {.name = "1 step,  rate 0.001, R1", .recipe = {1, 1e-3f, 1.0f}}};

// points (n × 2) → which modes they found, as bits, and the fraction that lies near one
static unsigned find_modes(Matrix points, double *near)
{
    int count[MODES] = {0}, all = 0;
    unsigned found = 0;
    for (int m = 0; m < MODES; m++) {
        float x = RADIUS * cos32(EIGHTH * (float)m), y = RADIUS * sin32(EIGHTH * (float)m);
        for (int i = 0; i < points.rows; i++) {
            float right = AT(points, i, 0) - x, up = AT(points, i, 1) - y;
            count[m] += right * right + up * up < 0.3f * 0.3f;
        }
        all += count[m];
        if (50 * count[m] >= points.rows) found |= 1u << m;
    }
    *near = (double)all / points.rows;
    return found;
}

static int count_bits(unsigned bits)
{
    int count = 0;
    for (; bits; bits >>= 1) count += bits & 1;
    return count;
}

// The slope of ℓ at each point: ∇ℓ (n × 2), by the tape
static Matrix slopes_at(Arena *arena, Net *d, Matrix points)
{
    Tape *tape = tape_new();
    Tensor *x = tape_variable(tape, points);
    parameters_freeze(&d->parameters, "", true);
    backward(sum_all(net_pass(d, x).out));
    parameters_freeze(&d->parameters, "", false);
    Matrix slopes = matrix_copy(arena, x->gradient);
    tape_free(tape);
    return slopes;
}

static double mean_length(Matrix rows)
{
    double total = 0.0;
    for (int i = 0; i < rows.rows; i++) total += norm(matrix_rows(rows, i, 1)) / rows.rows;
    return total;
}

static void look_at_points(Arena *arena, Run *run, int snapshot, Rng rng)
{
    Matrix noise = matrix_new(arena, SEEN, NOISE);
    fill_normal(noise, &rng, 0.0f, 1.0f);
    Tape *tape = tape_new();
    tape_record(tape, false);
    run->points[snapshot] = matrix_copy(arena, net_pass(run->g, tape_input(tape, noise)).out->value);
    tape_free(tape);
    run->found[snapshot] = find_modes(run->points[snapshot], &run->near[snapshot]);
    run->modes[snapshot] = count_bits(run->found[snapshot]);
}

static void train_on_points(Arena *arena, Run *run, Recipe recipe, Rng rng, int factor)
{
    run->g = net_new(arena, NOISE, 2, &rng), run->d = net_new(arena, 2, 1, &rng);
    Tape *tape = tape_new();
    Matrix real = matrix_new(arena, BATCH, 2), noise = matrix_new(arena, BATCH, NOISE);
    for (int step = 1, next = 0; step <= factor * snapshots[SNAPSHOTS - 1]; step++) {
        for (int k = 0; k < recipe.d_steps; k++)
            discriminator_step(run->d, run->g, tape, real, noise, &rng, recipe);
        generator_gradient(run->d, run->g, tape, noise, &rng, false);
        optimiser_step(&run->g->adam, G_RATE);
        if (step == factor * snapshots[next]) look_at_points(arena, run, next++, rng_stream(&rng, 99));
    }
    tape_free(tape);
    run->slope = mean_length(slopes_at(arena, run->d, run->points[SNAPSHOTS - 1]));
}

// Arms first … first + count − 1, each RUNS times. Runs are independent: each thread trains one at a time
static void train_arms(Lesson *lesson, int first, int count)
{
    int done = 0;
    Arena *arenas[ARMS * RUNS];
    for (int k = 0; k < count * RUNS; k++) arenas[k] = arena_new(); // kept to the end of the lesson
#pragma omp parallel for schedule(dynamic, 1)
    for (int k = 0; k < count * RUNS; k++) {
        Arm *arm = &arms[first + k / RUNS];
        train_on_points(arenas[k], &arm->runs[k % RUNS], arm->recipe,
                        lesson_rng(lesson, 100 + (uint64_t)(k % RUNS)), lesson_full(lesson) ? 3 : 1);
#pragma omp critical
        lesson_progress(lesson, "eight Gaussians", ++done, count * RUNS, NAN);
    }
}

static void print_arms(int first, int count)
{
    printf("discriminator               modes found           points near a mode     its slope there\n");
    for (int a = first; a < first + count; a++) {
        printf("%-24s", arms[a].name);
        for (int r = 0; r < RUNS; r++) printf("%5d", arms[a].runs[r].modes[SNAPSHOTS - 1]);
        printf("     ");
        for (int r = 0; r < RUNS; r++) printf("%7.2f", arms[a].runs[r].near[SNAPSHOTS - 1]);
        printf("  ");
        for (int r = 0; r < RUNS; r++) printf("%7.1f", arms[a].runs[r].slope);
        printf("\n");
    }
    printf("\n");
}

// The fewest and the most modes over the runs of an arm, and the smallest fraction near a mode
static int fewest_modes(const Arm *arm)
{
    int fewest = MODES;
    for (int r = 0; r < RUNS; r++) fewest = int_min(fewest, arm->runs[r].modes[SNAPSHOTS - 1]);
    return fewest;
}

static int most_modes(const Arm *arm)
{
    int most = 0;
    for (int r = 0; r < RUNS; r++) most = int_max(most, arm->runs[r].modes[SNAPSHOTS - 1]);
    return most;
}

static double least_near(const Arm *arm)
{
    double least = 1.0;
    for (int r = 0; r < RUNS; r++) least = fmin(least, arm->runs[r].near[SNAPSHOTS - 1]);
    return least;
}

// What the discriminator says of the centres that an arm's generators do not reach: the smallest probability
static double least_of_missing(const Arm *arm)
{
    double least = 1.0;
    for (int r = 0; r < RUNS; r++) {
        Arena *arena = arena_new();
        Tape *tape = tape_inference(arena);
        const Run *run = &arm->runs[r];
        Matrix centres = matrix_new(tape_arena(tape), MODES, 2);
        for (int m = 0; m < MODES; m++) {
            AT(centres, m, 0) = RADIUS * cos32(EIGHTH * (float)m);
            AT(centres, m, 1) = RADIUS * sin32(EIGHTH * (float)m);
        }
        Matrix logits = net_pass(run->d, tape_input(tape, centres)).out->value;
        for (int m = 0; m < MODES; m++)
            if (!(run->found[SNAPSHOTS - 1] >> m & 1)) least = fmin(least, (double)sigmoid32(logits.data[m]));
        arena_free(arena);
    }
    return least;
}

static double mean_slope(const Arm *arm)
{
    double total = 0.0;
    for (int r = 0; r < RUNS; r++) total += arm->runs[r].slope / RUNS;
    return total;
}

static void eight_gaussians(Lesson *lesson)
{
    section(lesson, "Eight Gaussians");
    train_arms(lesson, EVEN, 2);
    print_arms(EVEN, 2);
    claim(lesson, fewest_modes(&arms[EVEN]) >= 6,
          "one step at equal rates finds at least 6 of 8 modes in every run");
    claim(lesson, most_modes(&arms[OVER_TRAINED]) <= 4,
          "five steps at three times the rate end with at most 4 modes in every run");
}

/*
The discriminator that is trained harder makes the worse generator. This is **mode collapse** (模式崩溃): what is made
looks real, all points lie in a bell, and seven of the bells are never made. Note that the fraction near a mode, the
obvious measure of quality, is *highest* where most is lost. And note what is not true: "GANs collapse". With one
step for one, at equal rates, this one does not, in any run.

Why does the loss allow it? Because each made point is judged alone. The generator asks for every point "in which
direction does $\ell$ rise from here?", and if that leads all of them to the same bell, no term of the loss says
that seven are missing. Only the discriminator can tell, in its next steps, by lowering $\ell$ where too many points
are.

## A penalty on the slope

A remedy of Mescheder, Geiger and Nowozin (2018) adds one term to the discriminator's loss, a **gradient penalty**
(梯度惩罚) called **R1**:

$$R_1 = \frac{\gamma}{2} \, \mathbb E_{x \sim p} \lVert \nabla_x \ell(x) \rVert^2 .$$

At real points the discriminator should be flat. At the end of the game, when made and real ones are the same, that
costs nothing: the best $\ell$ is 0 everywhere. On the way there it bounds how far the discriminator can run ahead.

To learn with it we need the derivative of $R_1$ by the *weights*: the gradient of a gradient, or **double
backward** (二次反向传播). Our tape knows first derivatives only. But for three layers the first backward pass is short
enough to be written down. With $s_1, s_2$ the slopes of the leaky ReLU at the sample $x$, each 1 or 0.2:

$$u_2 = s_2 \odot w_3^\top, \qquad u_1 = s_1 \odot (u_2 W_2^\top), \qquad \nabla_x \ell = u_1 W_1^\top .$$

That is a small network of its own. Its input is a constant, its weights are the old ones in reverse order, and we
know how to differentiate networks: going back through it, $W_1$, $W_2$ and $w_3$ each receive a gradient. $s_1$ and
$s_2$ depend on the weights, too, but they are constant in pieces, and their derivative is 0 wherever there is one.
For the same reason no bias appears: $R_1$ does not move them.
*/

typedef struct {
    Matrix w1, w2, w3; // (2 × 64), (64 × 64), (64 × 1); inputs × outputs, as everywhere
} Weights;

static Weights weights_of(const Net *n, bool gradients)
{
    Matrix m[3];
    for (int l = 0; l < 3; l++)
        m[l] = gradients ? tensor_gradient(n->layers[l].weight) : n->layers[l].weight->value;
    return (Weights){m[0], m[1], m[2]};
}

// s ← the slope of the leaky ReLU at a, element by element
static void leaky_slopes(Matrix s, Matrix a)
{
    for (size_t i = 0; i < matrix_size(a); i++) s.data[i] = a.data[i] > 0.0f ? 1.0f : LEAK;
}

// γ/2 · the mean of ‖∇ℓ‖² over rows. d_w += its derivative; s1, s2 (n × 64) are the slopes at these samples
static float penalty_by_hand(Arena *scratch, Weights d_w, Weights w, Matrix s1, Matrix s2, float gamma)
{
    int n = s1.rows, h = s1.cols;
    Matrix u2 = matrix_copy(scratch, s2), u1 = matrix_new(scratch, n, h),
           g = matrix_new(scratch, n, w.w1.rows);
    multiply_row(u2, matrix_reshape(w.w3, 1, h)); // u2 = s2 ⊙ w3ᵀ
    matmul_nt(u1, u2, w.w2);                      // u1 = s1 ⊙ (u2·W2ᵀ)
    multiply(u1, u1, s1);
    matmul_nt(g, u1, w.w1); // g = u1·W1ᵀ

    Matrix d_g = matrix_copy(scratch, g), d_u1 = matrix_new(scratch, n, h), d_u2 = matrix_new(scratch, n, h);
    scale(d_g, gamma / (float)n);
    matmul_tn_add(d_w.w1, d_g, u1); // from g = u1·W1ᵀ
    matmul(d_u1, d_g, w.w1);
    multiply(d_u1, d_u1, s1); // from u1 = s1 ⊙ …
    matmul_tn_add(d_w.w2, d_u1, u2);
    matmul(d_u2, d_u1, w.w2);
    for (int i = 0; i < n; i++) // from u2 = s2 ⊙ w3ᵀ
        for (int j = 0; j < h; j++) d_w.w3.data[j] += AT(s2, i, j) * AT(d_u2, i, j);
    return 0.5f * gamma * (float)(sum_of_squares(g) / n);
}

/*
The tape can do the same, when the backward pass is handed to it as if it were a forward pass. This is what trains
below, in seven operations. (Frameworks with second derivatives record their own backward pass, for every operation;
the principle is this.)
*/

static Tensor *leaky_slopes_input(Tape *tape, Tensor *before)
{
    Matrix s = matrix_uninitialised(tape_arena(tape), before->value.rows, before->value.cols);
    leaky_slopes(s, before->value);
    return tape_input(tape, s);
}

static Tensor *slope_penalty(const Net *d, Tape *tape, Pass pass, float gamma)
{
    Tensor *s1 = leaky_slopes_input(tape, pass.before[0]), *s2 = leaky_slopes_input(tape, pass.before[1]);
    Tensor *w3 = tensor_reshape(tape_parameter(tape, d->layers[2].weight), 1, HIDDEN);
    Tensor *u2 = tensor_multiply_row(s2, w3);
    Tensor *u1 = tensor_multiply(s1, product_transposed(u2, d->layers[1].weight));
    Tensor *g = product_transposed(u1, d->layers[0].weight);
    return tensor_scale(mean_all(tensor_multiply(g, g)), 0.5f * gamma * (float)g->value.cols);
}

/*
Two checks: both agree; and a third way, which uses neither. Move every sample along its gradient
$v = \nabla_x \ell$, held constant. Then $\partial_\varepsilon\, \ell(x + \varepsilon v) = v \cdot \nabla_x \ell$,
and the derivative of that by the weights is what we want:

$$\nabla_\theta \tfrac12 \lVert \nabla_x \ell \rVert^2 \approx
\frac{\nabla_\theta \ell(x + \varepsilon v) - \nabla_\theta \ell(x - \varepsilon v)}{2 \varepsilon} :$$

two ordinary backward passes. Samples for which a unit changes its side between $x - \varepsilon v$ and
$x + \varepsilon v$ are left out: there the slopes jump.
*/

// Samples none of whose units changes its side between x − εv and x + εv, at most `wanted` of them
static Matrix samples_off_kinks(Arena *arena, const Net *d, Matrix x, Matrix v, float epsilon, int wanted,
                                int *chosen)
{
    Tape *tape = tape_inference(arena_new());
    Pass pass[2];
    for (int side = 0; side < 2; side++) {
        Matrix moved = matrix_copy(arena, x);
        add_scaled(moved, side ? epsilon : -epsilon, v);
        pass[side] = net_pass(d, tape_input(tape, moved));
    }
    int count = 0;
    for (int i = 0; i < x.rows && count < wanted; i++) {
        bool same = true;
        for (int l = 0; l < 2; l++)
            for (int j = 0; j < HIDDEN; j++)
                same &= (AT(pass[0].before[l]->value, i, j) > 0.0f) ==
                        (AT(pass[1].before[l]->value, i, j) > 0.0f);
        if (same) chosen[count++] = i;
    }
    Matrix kept = matrix_new(arena, count, x.cols);
    gather_rows(kept, x, chosen);
    arena_free(tape_arena(tape));
    return kept;
}

// The gradients of γ (mean ℓ(x + εv) − mean ℓ(x − εv)) / 2ε at all weights and biases
static void penalty_by_two_passes(Arena *arena, const Net *d, Matrix x, Matrix v, float epsilon, float gamma)
{
    Tape *tape = tape_new();
    for (int side = 0; side < 2; side++) {
        Matrix moved = matrix_copy(arena, x);
        add_scaled(moved, side ? epsilon : -epsilon, v);
        tape_reset(tape);
        Tensor *mean_logit = mean_all(net_pass(d, tape_input(tape, moved)).out);
        backward(tensor_scale(mean_logit, (side ? 0.5f : -0.5f) * gamma / epsilon));
    }
    tape_free(tape);
}

static void check_the_penalty(Lesson *lesson)
{
    section(lesson, "A penalty on the slope");
    enum { WANTED = 64 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 4);
    Net *d = net_new(arena, 2, 1, &rng);
    const float gamma = 3.0f, epsilon = 0.1f;
    int chosen[WANTED];
    Matrix many = matrix_new(arena, 8 * WANTED, 2);
    draw_points(many, &rng);
    Matrix x = samples_off_kinks(arena, d, many, slopes_at(arena, d, many), epsilon, WANTED, chosen);

    Tape *tape = tape_new();
    Pass pass = net_pass(d, tape_input(tape, x));
    Matrix s1 = matrix_new(arena, x.rows, HIDDEN), s2 = matrix_new(arena, x.rows, HIDDEN);
    leaky_slopes(s1, pass.before[0]->value), leaky_slopes(s2, pass.before[1]->value);
    Weights by_hand = {matrix_new(arena, 2, HIDDEN), matrix_new(arena, HIDDEN, HIDDEN),
                       matrix_new(arena, HIDDEN, 1)};
    float value = penalty_by_hand(arena, by_hand, weights_of(d, false), s1, s2, gamma);
    const Matrix hand[3] = {by_hand.w1, by_hand.w2, by_hand.w3};

    double from_tape = 0.0, from_passes = 0.0, biases = 0.0;
    Tensor *taped = slope_penalty(d, tape, pass, gamma);
    backward(taped);
    for (int l = 0; l < 3; l++)
        from_tape = fmax(from_tape,
                         (double)largest_difference(hand[l], d->layers[l].weight->gradient) / norm(hand[l]));
    clear_gradients(&d->parameters);
    penalty_by_two_passes(arena, d, x, slopes_at(arena, d, x), epsilon, gamma);
    for (int l = 0; l < 3; l++) {
        Matrix passes = d->layers[l].weight->gradient;
        from_passes = fmax(from_passes, (double)largest_difference(hand[l], passes) / norm(hand[l]));
        biases = fmax(biases, norm(d->layers[l].bias->gradient) / norm(hand[l]));
    }
    printf("penalty of %d samples: %.6f by hand, %.6f by the tape\n", x.rows, (double)value,
           (double)taped->value.data[0]);
    printf("largest difference of its gradients, relative to the length of each\n");
    printf("    by hand and by the tape          %.1e\n    by hand and by two passes        %.1e\n",
           from_tape, from_passes);
    printf("length of the gradient of the biases %.1e\n\n", biases);
    claim(lesson, fabsf(value / taped->value.data[0] - 1.0f) <= 1e-5f && from_tape <= 1e-5,
          "the double backward by hand is the tape's, value and gradients");
    claim(lesson, from_passes <= 1e-3,
          "and the difference of two backward passes gives the same gradients, to 0.1 %%");
    claim(lesson, biases <= 1e-3, "the penalty does not move the biases");
    tape_free(tape);
}

/*
## Remedies

Now the over-trained discriminator again, with R1. A remedy needs opponents: the same five steps at lower rates,
tuned down to a thirtieth, with no penalty at all; one step at the high rate; and R1 where nothing was wrong.
*/

// Made points as an image: white where none is, darker where more are
static void draw_as_image(Matrix image, int side, Matrix points)
{
    const float reach = 2.6f;
    fill(image, 1.0f);
    for (int i = 0; i < points.rows; i++) {
        float right = (AT(points, i, 0) + reach) / (2.0f * reach),
              down = (reach - AT(points, i, 1)) / (2.0f * reach);
        if (!(right >= 0.0f && right < 1.0f && down >= 0.0f && down < 1.0f)) continue;
        float *pixel = &image.data[(int)(down * (float)side) * side + (int)(right * (float)side)];
        *pixel = fmaxf(0.0f, *pixel - 0.25f);
    }
}

static void draw_over_time(Lesson *lesson)
{
    enum { ROWS = 3, PIXELS_ACROSS = 80 };
    static const int shown[ROWS] = {EVEN, OVER_TRAINED, PENALISED};
    Arena *arena = lesson_arena(lesson);
    Matrix images = matrix_new(arena, ROWS * SNAPSHOTS, PIXELS_ACROSS * PIXELS_ACROSS);
    const char *captions[ROWS * SNAPSHOTS];
    int factor = lesson_full(lesson) ? 3 : 1;
    for (int k = 0; k < ROWS * SNAPSHOTS; k++) {
        const Run *run = &arms[shown[k / SNAPSHOTS]].runs[0];
        int modes = run->modes[k % SNAPSHOTS];
        char words[64];
        draw_as_image(matrix_rows(images, k, 1), PIXELS_ACROSS, run->points[k % SNAPSHOTS]);
        snprintf(words, sizeof words, "step %d: %d mode%s", factor * snapshots[k % SNAPSHOTS], modes,
                 modes == 1 ? "" : "s");
        captions[k] = arena_string(arena, words);
    }
    Plot *plot = plot_begin(
        lesson, "over_time.png",
        "2,000 made points over time. Top: 1 step, rate 0.001. Middle: 5 steps, rate 0.003. Bottom: "
        "the same with R1");
    plot_size(plot, 1200, 760);
    plot_images(plot, (PlotImages){PIXELS_ACROSS, PIXELS_ACROSS, 1, SNAPSHOTS, 0.0f, 1.0f}, images, captions);
    plot_end(plot, "The middle row begins with several of the bells, and has fewer and fewer. The first run "
                   "of each kind.");
}

static void draw_surface(Lesson *lesson, const Run *run, const char *file, const char *title,
                         const char *caption)
{
    enum { ACROSS = 160, DRAWN = 400 };
    Arena *arena = lesson_arena(lesson);
    const PlotWindow window = {-3.0, 3.0, -3.0, 3.0};
    Matrix at = matrix_new(arena, ACROSS * ACROSS, 2), map = matrix_new(arena, ACROSS, ACROSS);
    for (int i = 0; i < ACROSS * ACROSS; i++) {
        AT(at, i, 0) = -3.0f + 6.0f * (float)(i % ACROSS) / (ACROSS - 1);
        AT(at, i, 1) = -3.0f + 6.0f * (float)(i / ACROSS) / (ACROSS - 1);
    }
    Tape *tape = tape_new();
    tape_record(tape, false);
    Matrix logits = net_pass(run->d, tape_input(tape, at)).out->value;
    for (int i = 0; i < ACROSS * ACROSS; i++) map.data[i] = clamp32(logits.data[i], -6.0f, 6.0f);
    tape_free(tape);

    Matrix centres = matrix_new(arena, 2, MODES), points = matrix_new(arena, 2, DRAWN);
    for (int m = 0; m < MODES; m++) {
        AT(centres, 0, m) = RADIUS * cos32(EIGHTH * (float)m);
        AT(centres, 1, m) = RADIUS * sin32(EIGHTH * (float)m);
    }
    for (int i = 0; i < DRAWN; i++)
        for (int c = 0; c < 2; c++) AT(points, c, i) = AT(run->points[SNAPSHOTS - 1], i, c);
    Plot *plot = plot_begin(lesson, file, title);
    plot_axes(plot, "x", "y");
    plot_square(plot);
    plot_legend(plot, "outside");
    plot_heatmap(plot, window, map);
    plot_points(plot, "made points", matrix_row(points, 0), matrix_row(points, 1), DRAWN);
    plot_crosses(plot, "centres of the bells", matrix_row(centres, 0), matrix_row(centres, 1), MODES);
    plot_end(plot, caption);
}

// Over the snapshots: how many modes were lost in all, and how many of those came back later
static void count_losses(const Arm *arm, int *lost, int *returned)
{
    for (int r = 0; r < RUNS; r++)
        for (int m = 0; m < MODES; m++) {
            bool before = false, gone = false, back = false;
            for (int s = 0; s < SNAPSHOTS; s++) {
                bool here = arm->runs[r].found[s] >> m & 1;
                back |= gone && here;
                gone |= before && !here;
                before |= here;
            }
            *lost += gone, *returned += back;
        }
}

static void compare_remedies(Lesson *lesson)
{
    section(lesson, "Remedies");
    train_arms(lesson, PENALISED, ARMS - PENALISED);
    print_arms(EVEN, ARMS);
    int lost = 0, returned = 0;
    count_losses(&arms[OVER_TRAINED], &lost, &returned);
    printf("over-trained: %d modes were lost between two snapshots, %d of them came back\n\n", lost,
           returned);
    claim(lesson, fewest_modes(&arms[PENALISED]) >= 7 && least_near(&arms[PENALISED]) >= 0.5,
          "the same discriminator with R1 finds at least 7 modes in every run, and half of the points lie "
          "near one");
    claim(lesson, fewest_modes(&arms[SLOW]) >= 6,
          "five steps at a thirtieth of the rate, without a penalty, find at least 6");
    claim(lesson, 4 * returned <= lost, "of the modes that were lost, at most one in four came back");
    claim(lesson, least_of_missing(&arms[OVER_TRAINED]) >= 0.9,
          "the over-trained discriminator holds points at every missing centre for real, with at least 0.9");
    double collapsed = mean_slope(&arms[OVER_TRAINED]), even = mean_slope(&arms[EVEN]);
    claim(lesson, even >= 0.5 * collapsed && even >= 5.0 * mean_slope(&arms[PENALISED]),
          "R1 makes the discriminator at least 5 times flatter, but one as steep as the over-trained one "
          "kept all modes");
    draw_over_time(lesson);
    draw_surface(lesson, &arms[OVER_TRAINED].runs[0], "surface.png",
                 "Logit of the over-trained discriminator, cut off at ±6",
                 "Orange: surely real. The discriminator knows the seven other bells; the made points sit "
                 "where nothing tells them.");
    draw_surface(lesson, &arms[PENALISED].runs[0], "surface_r1.png",
                 "Logit of the same discriminator with R1, cut off at ±6",
                 "The colours end at ±0.35 here. Nothing is steep, and nothing is sure.");
}

/*
Read the table from the top. Two remedies are whole: R1, and a discriminator that learns at a thirtieth of the
speed. Between them the outcome depends on the run: five steps at 0.0003 end with 4 modes once and with 8 twice.
What decides in this table is how fast the discriminator learns, *relative to the generator*; the number of its
steps is only one way to say it. So here R1 is not the only cure, and with one step at equal rates there was nothing
to cure. What speaks for it: it worked at both speeds that we tried, the fastest included, and nobody had to find a
rate first. Points between the bells remain in all the runs that have all of them; a continuous map of a connected
cloud of noise can make them rare and not avoid them.

Two popular explanations, measured:

**"The generator hops from mode to mode, and the discriminator chases it."** Not here. Between our snapshots 10
modes were lost and none came back; in the 15 runs of seeds 1 to 5 one of 38 did. The figure shows an arc over four
bells that shrinks to a point.

**"Collapse comes of a discriminator that is too steep."** Steepness does not tell. R1 makes it 40 times flatter,
but the discriminator of the first line, which lost nothing, is as steep at made points (6.1 in the mean) as the
over-trained one (6.9).

What the surface shows is stranger. The over-trained discriminator *knows*: at every bell that is missing it holds a
point for real with certainty. The generator does not hear of it: its gradient is taken where its points are, and
tells where $\ell$ rises nearby, not where it is high.

## Garments on demand

Now images: the garments of Fashion-MNIST at 14 × 14 pixels, in grey. We want to *order* one, "a boot", so both
networks are told the item: a **conditional GAN** (条件生成对抗网络) of Mirza and Osindero (2014). The generator gets 64
numbers of noise and 32 learned numbers for the item, and has two hidden layers of 256 and 512 with batch
normalisation and ReLU, and a tanh at the end. The discriminator has hidden layers of 512 and 256, with leaky ReLU
and dropout of 0.3. With its last features $h$ and a learned vector $e_c$ for each item it computes a **projection**
(Miyato and Koyama 2018),

$$\ell(x, c) = w \cdot h(x) + b + e_c \cdot h(x) :$$

"does it look real?" plus "does it look like a $c$?".

Three decisions about what comes out. The tanh gives −1 … 1 and garments are 0 … 1: two functions, and nothing else,
go between the ranges. Images are not drawn by the generator of the last step but by a moving average of its
weights, which irons out the back and forth of the game (Yazıcı and others 2018). And batch normalisation makes an
image depend on the others of its batch. We want an image to depend on its noise and its item only, so after
training the statistics are taken once, from 1,000 images, and then kept.
*/

enum { LATENT = 64, TOLD = 32, FEATURES = 256, ITEMS = GARMENT_ITEMS, PIXELS = GARMENT_PIXELS };

typedef struct {
    Parameters parameters;
    Embedding item; // (10 × 32)
    Linear layers[3];
    BatchNorm norms[2];
} Generator;

typedef struct {
    Parameters parameters;
    Embedding item; // (10 × 256)
    Linear layers[3];
} Discriminator;

static Generator *generator_new(Arena *arena, Rng *rng)
{
    const int sizes[] = {LATENT + TOLD, 256, 512, PIXELS};
    Generator *g = arena_zeros(arena, 1, sizeof *g);
    g->parameters = parameters_new(arena);
    Parameters *set = &g->parameters;
    g->item = embedding_new(set, "item", ITEMS, TOLD, rng, 1.0f);
    for (int l = 0; l < 3; l++)
        g->layers[l] = linear_new(set, layer_name(set, "generator", "layer", l), sizes[l], sizes[l + 1], rng,
                                  INIT_FAN_IN_UNIFORM);
    for (int l = 0; l < 2; l++)
        g->norms[l] = batch_norm_new(set, layer_name(set, "generator", "norm", l), sizes[l + 1]);
    return g;
}

static Discriminator *discriminator_new(Arena *arena, Rng *rng)
{
    const int sizes[] = {PIXELS, 512, FEATURES, 1};
    Discriminator *d = arena_zeros(arena, 1, sizeof *d);
    d->parameters = parameters_new(arena);
    Parameters *set = &d->parameters;
    d->item = embedding_new(set, "item", ITEMS, FEATURES, rng, 1.0f);
    for (int l = 0; l < 3; l++)
        d->layers[l] = linear_new(set, layer_name(set, "discriminator", "layer", l), sizes[l], sizes[l + 1],
                                  rng, INIT_FAN_IN_UNIFORM);
    return d;
}

// noise (n × 64), items [n] → images (n × 196) in −1 … 1. training: normalised by this batch, else as kept
static Tensor *generate(Generator *g, Tape *tape, Matrix noise, const int *items, bool training)
{
    Tensor *told = embed(tape, &g->item, items, noise.rows);
    Tensor *h = concat_columns(tape_input(tape, noise), told);
    for (int l = 0; l < 2; l++) h = batch_normalise_relu(&g->norms[l], linear(&g->layers[l], h), training);
    return hyperbolic_tangent(linear(&g->layers[2], h));
}

// images (n × 196) in −1 … 1, items [n] → logits (n × 1)
static Tensor *discriminate(const Discriminator *d, Tape *tape, Tensor *images, const int *items, Rng *rng)
{
    Tensor *h = images;
    for (int l = 0; l < 2; l++) h = dropout(leaky_relu(linear(&d->layers[l], h), LEAK), 0.3f, rng, true);
    Tensor *told = embed(tape, &d->item, items, images->value.rows);
    Tensor *matches = tensor_scale(tensor_row_means(tensor_multiply(h, told)), FEATURES); // e_c · h
    return tensor_add(linear(&d->layers[2], h), matches);
}

// The two ranges: garments and the judge have 0 … 1, the networks −1 … 1
static void to_network_range(Matrix images) { scale(images, 2.0f), add_scalar(images, -1.0f); }
static void to_image_range(Matrix images) { scale(images, 0.5f), add_scalar(images, 0.5f); }

typedef struct {
    Generator *now, *average;
    Discriminator *discriminator;
    Optimiser g_adam, d_adam;
    long steps;
} Gan;

static Gan *gan_new(Arena *arena, Rng *rng)
{
    Gan *gan = arena_zeros(arena, 1, sizeof *gan);
    gan->now = generator_new(arena, rng), gan->average = generator_new(arena, NULL);
    parameters_copy(&gan->average->parameters, &gan->now->parameters);
    gan->discriminator = discriminator_new(arena, rng);
    gan->g_adam = adam_new(arena, &gan->now->parameters, 0.5f, 0.99f, 1e-8f, 0.0f);
    gan->d_adam = adam_new(arena, &gan->discriminator->parameters, 0.5f, 0.99f, 1e-8f, 0.0f);
    return gan;
}

/*
One step of each. The moving average remembers about the last tenth of the training, and at most the last 500 steps:
the weights of the first steps are not worth remembering.
*/

static const float GAN_RATE = 4e-4f;

typedef struct {
    double discriminator, generator;
} Losses;

static void train_discriminator(Gan *gan, Tape *tape, Garments real, Rng *rng, Losses *losses)
{
    Arena *arena = tape_arena(tape);
    tape_reset(tape);
    Matrix images = matrix_new(arena, BATCH, PIXELS), noise = matrix_new(arena, BATCH, LATENT);
    int items[BATCH];
    for (int i = 0; i < BATCH; i++) {
        int k = (int)rng_below(rng, (uint32_t)real.count);
        copy(matrix_rows(images, i, 1), matrix_rows(real.grey, k, 1));
        items[i] = real.items[k];
    }
    to_network_range(images);
    fill_normal(noise, rng, 0.0f, 1.0f);
    Tensor *made = tape_input(tape, generate(gan->now, tape, noise, items, true)->value);
    Tensor *right = called_real(discriminate(gan->discriminator, tape, tape_input(tape, images), items, rng));
    Tensor *wrong = called_made(discriminate(gan->discriminator, tape, made, items, rng));
    Tensor *loss = tensor_add(right, wrong);
    backward(loss);
    optimiser_step(&gan->d_adam, GAN_RATE);
    losses->discriminator += (double)loss->value.data[0];
}

static void train_generator(Gan *gan, Tape *tape, Rng *rng, Losses *losses)
{
    tape_reset(tape);
    Matrix noise = matrix_new(tape_arena(tape), BATCH, LATENT);
    int items[BATCH];
    fill_normal(noise, rng, 0.0f, 1.0f);
    for (int i = 0; i < BATCH; i++) items[i] = (int)rng_below(rng, ITEMS);
    parameters_freeze(&gan->discriminator->parameters, "", true);
    Tensor *made = generate(gan->now, tape, noise, items, true);
    Tensor *loss = called_real(discriminate(gan->discriminator, tape, made, items, rng));
    backward(loss);
    parameters_freeze(&gan->discriminator->parameters, "", false);
    optimiser_step(&gan->g_adam, GAN_RATE);
    losses->generator += (double)loss->value.data[0];
    float step = (float)++gan->steps;
    parameters_average(&gan->average->parameters, &gan->now->parameters,
                       fminf(0.998f, step / (step + 10.0f)));
}

// Takes the statistics of both normalisations from one large batch: with momentum 1 the running ones are its own
static void keep_statistics(Generator *g)
{
    enum { LARGE = 1000 };
    Arena *arena = arena_new();
    Tape *tape = tape_inference(arena);
    Matrix noise = matrix_new(tape_arena(tape), LARGE, LATENT);
    int items[LARGE];
    Rng rng = rng_new(25, 0);
    fill_normal(noise, &rng, 0.0f, 1.0f);
    for (int i = 0; i < LARGE; i++) items[i] = i % ITEMS;
    for (int l = 0; l < 2; l++) g->norms[l].state.momentum = 1.0f;
    generate(g, tape, noise, items, true);
    arena_free(arena);
}

// images (n × 196) in 0 … 1: image i shows items[i], and its noise comes from seeds[i] alone
static void draw_garments(Matrix images, Generator *g, const int *items, const int *seeds)
{
    Arena *arena = arena_new();
    Tape *tape = tape_inference(arena);
    Matrix noise = matrix_new(tape_arena(tape), images.rows, LATENT);
    for (int i = 0; i < images.rows; i++) {
        Rng rng = rng_new((uint64_t)seeds[i], 25);
        fill_normal(matrix_rows(noise, i, 1), &rng, 0.0f, 1.0f);
    }
    copy(images, generate(g, tape, noise, items, false)->value);
    to_image_range(images);
    arena_free(arena);
}

/*
## Who judges?

Nothing in a GAN says how good it is: the losses are a score between two players who both improve. So we let a third
network look, a **judge** that is trained on real garments to name them and plays no part in the game
(`common/models/judge.h`). It measures three things:

- **agreement** (一致率): the fraction of images that it takes for what was ordered;
- **variety** (多样性): how much images of one item differ from each other, pixel by pixel, relative to real ones;
- the **Fréchet distance** (弗雷歇距离): means and covariances of the judge's 128 features, of made against real images,
  as one number:
  $\lVert \mu_1 - \mu_2 \rVert^2 + \mathrm{tr}\bigl(\Sigma_1 + \Sigma_2 - 2 (\Sigma_1 \Sigma_2)^{1/2}\bigr)$.

The judge errs, too. Its accuracy on real test images is printed beside everything that it says, and an agreement is
to be compared with that and not with 1. For a scale we let it see four things that are no GAN:

- real images that neither it nor any GAN has seen;
- **the mean image** of each item, again and again;
- **a Gaussian** for each item, with the mean and the whole covariance of its real images: the best that a *linear*
  generator can do. (Noise-weighted sums of the centred images have exactly this covariance, so no matrix has to be
  factorised.) What leaves 0 … 1 is cut off;
- **copies**: training images, plus noise of deviation 0.02.

Two thousand images each, 200 of every item.
*/

// The first eight checkpoints lie within 500 steps, in FULL as well
enum { JUDGED = 2000, CHECKPOINTS = 16, FIRST_ONES = 8 };

typedef struct {
    Garments training, held_out, test;
    Judge judge;
    JudgeReference reference; // the test images
    Matrix means;             // (10 × 196) of the items
} Wardrobe;

typedef struct {
    Gan *gan;
    Generator *early; // as it was at the best agreement of the first tenth of the training
    int early_step;
    int steps[CHECKPOINTS];
    JudgeReport reports[CHECKPOINTS];
    Losses losses[CHECKPOINTS]; // means since the checkpoint before
} Training;

enum { HELD_OUT_IMAGES, MEANS, GAUSSIAN, COPIES, EARLY, GAN, WAYS };
static const char *const way_names[WAYS] = {"real, held out",    "mean image", "Gaussian",
                                            "copies with noise", "GAN, early", "GAN, last"};

static void judge_progress(void *lesson, long done, long total, double loss)
{
    lesson_progress(lesson, "judge", done, total, loss);
}

static void prepare(Lesson *lesson, Wardrobe *w)
{
    section(lesson, "Who judges?");
    enum { TRAINING = 50000, EPOCHS = 3 };
    Arena *arena = lesson_arena(lesson);
    ImageSet fashion = fashion_mnist_load(arena);
    Garments all = garments_of(arena, fashion.train, fashion.train_labels);
    w->training = (Garments){TRAINING, matrix_rows(all.grey, 0, TRAINING), all.items};
    w->held_out = (Garments){all.count - TRAINING, matrix_rows(all.grey, TRAINING, all.count - TRAINING),
                             all.items + TRAINING};
    w->test = garments_of(arena, fashion.test, fashion.test_labels);
    static Parameters parameters;
    parameters = parameters_new(arena);
    Rng rng = lesson_rng(lesson, 5);
    w->judge = judge_new(&parameters, &rng);
    judge_train(&w->judge, &parameters, w->training.grey, w->training.items, EPOCHS, &rng, judge_progress,
                lesson);
    w->reference = judge_reference(arena, &w->judge, w->test.grey, w->test.items);
    w->means = matrix_new(arena, ITEMS, PIXELS);
    int count[ITEMS] = {0};
    for (int i = 0; i < TRAINING; i++) {
        add_scaled(matrix_rows(w->means, w->training.items[i], 1), 1.0f, matrix_rows(w->training.grey, i, 1));
        count[w->training.items[i]]++;
    }
    for (int k = 0; k < ITEMS; k++) scale(matrix_rows(w->means, k, 1), 1.0f / (float)count[k]);
    printf("the judge is right about %.1f %% of the %d real test images\n\n", 100.0 * w->reference.agreement,
           w->test.count);
    claim(lesson, w->reference.agreement >= 0.84,
          "the judge is right about at least 84 %% of real test images");
}

// The first JUDGED / 10 images of each item, in turn, from `first` on
static void take_in_turn(Matrix images, Garments from)
{
    int taken[ITEMS] = {0};
    for (int i = 0; i < from.count; i++) {
        int k = from.items[i];
        if (taken[k] * ITEMS + k < images.rows)
            copy(matrix_rows(images, taken[k]++ * ITEMS + k, 1), matrix_rows(from.grey, i, 1));
    }
}

static void clamp_to_image(Matrix images)
{
    for (size_t i = 0; i < matrix_size(images); i++) images.data[i] = clamp32(images.data[i], 0.0f, 1.0f);
}

// Image i shows item i % 10
static void draw_gaussians(Matrix images, const Wardrobe *w, Rng *rng)
{
    Arena *arena = arena_new();
    const int each = images.rows / ITEMS;
    for (int k = 0; k < ITEMS; k++) {
        const ArenaMark mark = arena_mark(arena);
        Matrix real = matrix_new(arena, w->training.count, PIXELS), drawn = matrix_new(arena, each, PIXELS);
        int count = 0;
        for (int i = 0; i < w->training.count; i++)
            if (w->training.items[i] == k)
                copy(matrix_rows(real, count++, 1), matrix_rows(w->training.grey, i, 1));
        judge_gaussian(drawn, matrix_rows(real, 0, count), rng);
        for (int i = 0; i < each; i++) copy(matrix_rows(images, i * ITEMS + k, 1), matrix_rows(drawn, i, 1));
        arena_rewind(arena, mark);
    }
    arena_free(arena);
}

// Image i shows item i % 10; its seed is first + i
static void order_garments(Matrix images, Generator *g, int *items, int first)
{
    int seeds[JUDGED];
    for (int i = 0; i < images.rows; i++) items[i] = i % ITEMS, seeds[i] = first + i;
    draw_garments(images, g, items, seeds);
}

/*
## Training, and looking

Three thousand steps. At sixteen of them the averaged generator draws 2,000 garments, and the judge looks at them.
*/

static void train_on_garments(Lesson *lesson, const Wardrobe *w, Training *t)
{
    section(lesson, "Training, and looking");
    static const int steps[CHECKPOINTS] = {50,  100,  150,  200,  250,  300,  400,  500,
                                           750, 1000, 1250, 1500, 1750, 2000, 2500, 3000};
    enum { FIRST_SEED = 100000 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 6);
    t->gan = gan_new(arena, &rng), t->early = generator_new(arena, NULL);
    Tape *tape = tape_new();
    Matrix images = matrix_new(arena, JUDGED, PIXELS);
    int items[JUDGED], factor = lesson_full(lesson) ? 4 : 1;
    const int all = factor * steps[CHECKPOINTS - 1];
    double best = -1.0;
    printf(
        "steps    agreement    worst item         variety    distance    losses: discriminator, generator\n");
    for (int c = 0, step = 0; c < CHECKPOINTS; c++) {
        t->steps[c] = (c < FIRST_ONES ? 1 : factor) * steps[c];
        for (; step < t->steps[c]; step++) {
            train_discriminator(t->gan, tape, w->training, &rng, &t->losses[c]);
            train_generator(t->gan, tape, &rng, &t->losses[c]);
            lesson_progress(lesson, "garments", step + 1, all, NAN);
        }
        int passed = t->steps[c] - (c ? t->steps[c - 1] : 0);
        t->losses[c].discriminator /= passed, t->losses[c].generator /= passed;
        keep_statistics(t->gan->average);
        order_garments(images, t->gan->average, items, FIRST_SEED);
        JudgeReport r = t->reports[c] = judge_report(&w->judge, w->reference, images, items);
        int worst = 0;
        for (int k = 1; k < ITEMS; k++)
            if (r.agreement_of[k] < r.agreement_of[worst]) worst = k;
        printf("%5d%13.3f    %.2f %-10s%11.2f%12.1f%18.2f%18.2f\n", t->steps[c], r.agreement,
               r.agreement_of[worst], garment_items[worst], r.variety, r.distance, t->losses[c].discriminator,
               t->losses[c].generator);
        if (r.agreement > best && 10 * t->steps[c] <= all) {
            best = r.agreement, t->early_step = t->steps[c];
            parameters_copy(&t->early->parameters, &t->gan->average->parameters);
        }
    }
    printf("real test images: agreement %.3f\n", w->reference.agreement);
    tape_free(tape);
}

/*
Agreement is best after 200 steps, then falls, while variety and distance improve; later all three improve together.
From step 400 on the worst item is the shirt, which the sheets below show taken for a T-shirt, a pullover or a coat.

## What agreement rewards

Now the last generator beside the opponents, and beside one that was stopped early: at the best agreement of the
first tenth of the training, which is the best of all here. The last one draws from three sets of seeds.
*/

typedef struct {
    Matrix images[WAYS];
    int items[WAYS][JUDGED];
    JudgeReport reports[WAYS];
} Gallery;

enum { SEED_SETS = 3, SEED_SET = 10000 };

static void fill_gallery(Lesson *lesson, Gallery *g, const Wardrobe *w, const Training *t)
{
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 7);
    for (int way = 0; way < WAYS; way++) {
        g->images[way] = matrix_new(arena, JUDGED, PIXELS);
        for (int i = 0; i < JUDGED; i++) g->items[way][i] = i % ITEMS;
    }
    take_in_turn(g->images[HELD_OUT_IMAGES], w->held_out);
    for (int i = 0; i < JUDGED; i++)
        copy(matrix_rows(g->images[MEANS], i, 1), matrix_rows(w->means, i % ITEMS, 1));
    draw_gaussians(g->images[GAUSSIAN], w, &rng);
    Matrix noise = matrix_new(arena, JUDGED, PIXELS);
    fill_normal(noise, &rng, 0.0f, 0.02f);
    take_in_turn(g->images[COPIES], w->training);
    add(g->images[COPIES], g->images[COPIES], noise);
    clamp_to_image(g->images[COPIES]);
    order_garments(g->images[EARLY], t->early, g->items[EARLY], 0);
    order_garments(g->images[GAN], t->gan->average, g->items[GAN], 0);
    for (int way = 0; way < WAYS; way++)
        g->reports[way] = judge_report(&w->judge, w->reference, g->images[way], g->items[way]);
}

static void print_report(const char *name, JudgeReport r, const Wardrobe *w)
{
    printf("%-22s%10.3f (judge %.3f)%10.2f%12.2f\n", name, r.agreement, w->reference.agreement, r.variety,
           r.distance);
}

static void compare_ways(Lesson *lesson, Gallery *g, const Wardrobe *w, const Training *t)
{
    section(lesson, "What agreement rewards");
    fill_gallery(lesson, g, w, t);
    printf("2,000 images of       agreement                   variety    distance\n");
    for (int way = 0; way < WAYS; way++) print_report(way_names[way], g->reports[way], w);
    double agreement = 1.0, variety = 1.0, distance = 0.0;
    Arena *scratch = arena_new();
    Matrix images = matrix_new(scratch, JUDGED, PIXELS);
    for (int set = 0; set < SEED_SETS; set++) {
        int items[JUDGED];
        order_garments(images, t->gan->average, items, set * SEED_SET);
        JudgeReport r = judge_report(&w->judge, w->reference, images, items);
        if (set) print_report("    other seeds", r, w);
        agreement = fmin(agreement, r.agreement), variety = fmin(variety, r.variety);
        distance = fmax(distance, r.distance);
    }
    arena_free(scratch);
    const JudgeReport *early = &g->reports[EARLY], *means = &g->reports[MEANS];
    printf("stopped early: after %d steps\n\n", t->early_step);
    claim(lesson, agreement >= 0.8,
          "the judge agrees with at least 80 %% of what the last generator draws, for all seeds");
    claim(lesson, variety >= 0.6, "and its garments have at least 0.6 of the variety of real ones");
    claim(lesson, means->agreement >= 0.8 && means->variety <= 0.01,
          "ten images, one for each item, pass the same 80 %%, and have no variety at all");
    claim(lesson, early->agreement > w->reference.agreement,
          "the generator that was stopped early is agreed with more often than real images are");
    claim(lesson, early->variety <= variety - 0.1 && early->distance >= 2.0 * distance,
          "it has less variety than the last one, by 0.1, and at least twice its distance");
    claim(lesson, distance <= 0.25 * means->distance && distance <= 1.25 * g->reports[GAUSSIAN].distance,
          "the last one is at most a quarter as far as the mean images, and at most a quarter further than "
          "the Gaussians");
}

// A grid of garments for a plot, black on white as on paper
static void plot_garments(Lesson *lesson, const char *file, const char *title, int width, int height,
                          Matrix images, const char *const *captions, const char *words)
{
    Plot *plot = plot_begin(lesson, file, title);
    plot_size(plot, width, height);
    plot_images(plot, (PlotImages){GARMENT_SIDE, GARMENT_SIDE, 1, ITEMS, 0.0f, 1.0f}, images, captions);
    plot_end(plot, words);
}

// A sheet: row r has seed first + r, each column an item
enum { SHEET_ROWS = 6, SHEET = SHEET_ROWS * ITEMS, FIRST_SEED_SHOWN = 1 };

static void draw_sheet(Matrix sheet, Generator *g, int items[SHEET])
{
    int seeds[SHEET];
    for (int i = 0; i < SHEET; i++) items[i] = i % ITEMS, seeds[i] = FIRST_SEED_SHOWN + i / ITEMS;
    draw_garments(sheet, g, items, seeds);
}

static void draw_sheets(Lesson *lesson, const Wardrobe *w, const Training *t)
{
    Arena *arena = lesson_arena(lesson);
    Matrix sheet = matrix_new(arena, SHEET, PIXELS);
    int items[SHEET], seen[SHEET];
    for (int early = 0; early < 2; early++) {
        const char *captions[SHEET];
        char words[64], title[128];
        draw_sheet(sheet, early ? t->early : t->gan->average, items);
        judge_classes(&w->judge, sheet, seen);
        for (int i = 0; i < SHEET; i++) {
            const char *taken = seen[i] == items[i] ? "" : garment_items[seen[i]];
            snprintf(words, sizeof words, "%s %d%s%s", garment_items[items[i]], FIRST_SEED_SHOWN + i / ITEMS,
                     *taken ? " → " : "", taken);
            captions[i] = arena_string(arena, words);
        }
        snprintf(title, sizeof title, "%s: item and seed; → what the judge takes it for, if for another item",
                 early ? "The generator that was stopped early" : "The last generator");
        plot_garments(lesson, early ? "early.png" : "samples.png", title, 1200, 1000, sheet, captions,
                      early ? "The same items and seeds as before. The judge is content; every column is "
                              "nearly one image."
                            : "Each row has one seed, each column one item. Nothing was chosen.");
    }
}

static void draw_ways(Lesson *lesson, const Gallery *g)
{
    Arena *arena = lesson_arena(lesson);
    Matrix images = matrix_new(arena, WAYS * 2 * ITEMS, PIXELS);
    const char *captions[WAYS * 2 * ITEMS] = {NULL};
    for (int row = 0; row < WAYS * 2; row++)
        for (int k = 0; k < ITEMS; k++)
            copy(matrix_rows(images, row * ITEMS + k, 1),
                 matrix_rows(g->images[row / 2], row % 2 * ITEMS + k, 1));
    for (int i = 0; i < WAYS * 2 * ITEMS; i++)
        captions[i] = i % ITEMS == 0  ? way_names[i / ITEMS / 2]
                      : i / ITEMS % 2 ? NULL
                                      : garment_items[i % ITEMS];
    plot_garments(lesson, "ways.png", "Two of each item, six ways", 1200, 1500, images, captions,
                  "Two rows for each way of the table. A Gaussian knows every variance and no edge.");
}

// For every item the first image that the judge takes for it, and the first that it does not
static void draw_failures(Lesson *lesson, const Gallery *g, const Wardrobe *w)
{
    Arena *arena = lesson_arena(lesson);
    Matrix images = matrix_new(arena, 4 * ITEMS, PIXELS);
    const char *captions[4 * ITEMS] = {NULL};
    int *seen = arena_alloc(arena, JUDGED, sizeof(int)), shown[2][ITEMS] = {{0}, {0}};
    fill(images, 1.0f);
    judge_classes(&w->judge, g->images[GAN], seen);
    for (int i = 0; i < JUDGED; i++) {
        int item = g->items[GAN][i], wrong = seen[i] != item;
        if (shown[wrong][item] == 2) continue;
        int to = (2 * wrong + shown[wrong][item]++) * ITEMS + item;
        char words[64];
        copy(matrix_rows(images, to, 1), matrix_rows(g->images[GAN], i, 1));
        snprintf(words, sizeof words, "%s %d%s%s", garment_items[item], i, wrong ? " → " : "",
                 wrong ? garment_items[seen[i]] : "");
        captions[to] = arena_string(arena, words);
    }
    plot_garments(lesson, "failures.png",
                  "The last generator: two that the judge takes for the item, two that it does not", 1200,
                  700, images, captions,
                  "Item and seed, and below what the judge saw. The first ones of 2,000; a white square: "
                  "none was wrong.");
}

/*
The judge agrees with 96 % of what the generator of step 200 draws, and with only 86 % of real images. The sheet
shows why: ten templates with noise on them. The ten mean images pass the bound of 80 %, too, with a variety of
nothing. Agreement asks "is this typical?", and what is typical is the same again and again; real garments are often
not typical. So an agreement *above* that of real images is no triumph but a warning, and the last generator
deserves it a little: 0.90.

The hardest opponent is the plainest. A Gaussian for each item, two sums over the data and no training, has an
agreement of 0.89, a variety of 0.89 and a distance of 5.8; three thousand steps of two networks come to 4.7 … 5.3.
The GAN is ahead, with each of the seeds 1 to 5, and not by much. The images tell a difference that the numbers
hardly do: the Gaussians have shadows of sleeves that belong to other garments, because a sum of garments is no
garment. A Fréchet distance sees means and covariances only, and that is what a Gaussian is made of.

And copies are perfect in all three columns.

## Does it copy?

What gives copies away is the distance to the nearest training image. For a generator that has learned garments, and
not images, it should be about that of real images that nobody has trained on. We take 500 of each kind and search
all 50,000 training images.
*/

enum { SEARCHED = 500 };

static void look_for_copies(Lesson *lesson, const Gallery *g, const Wardrobe *w)
{
    section(lesson, "Does it copy?");
    Arena *arena = lesson_arena(lesson);
    int nearest[WAYS][SEARCHED];
    double mean_distance[WAYS] = {0.0}, distance[SEARCHED];
    printf("distance to the nearest training image, a mean over %d\n", SEARCHED);
    for (int way = 0; way < WAYS; way++) {
        judge_nearest(matrix_rows(g->images[way], 0, SEARCHED), w->training.grey, nearest[way], distance);
        for (int i = 0; i < SEARCHED; i++) mean_distance[way] += distance[i] / SEARCHED;
        printf("%-22s%8.3f%8.2f times that of real ones\n", way_names[way], mean_distance[way],
               mean_distance[way] / mean_distance[HELD_OUT_IMAGES]);
    }
    printf("\n");
    claim(lesson, mean_distance[COPIES] <= 0.4 * mean_distance[HELD_OUT_IMAGES],
          "copies lie much nearer to a training image than held-out images do: at most 0.4 times as far");
    claim(lesson, mean_distance[GAN] >= 0.7 * mean_distance[HELD_OUT_IMAGES],
          "what the last generator draws lies at least 0.7 times as far: it does not copy");

    enum { ROWS = 4 };
    static const int shown[ROWS] = {GAN, GAN, COPIES, COPIES};
    Matrix images = matrix_new(arena, ROWS * ITEMS, PIXELS);
    const char *captions[ROWS * ITEMS] = {NULL};
    for (int i = 0; i < ROWS * ITEMS; i++) {
        int way = shown[i / ITEMS], k = i % ITEMS;
        bool training = i / ITEMS % 2;
        copy(matrix_rows(images, i, 1), training ? matrix_rows(w->training.grey, nearest[way][k], 1)
                                                 : matrix_rows(g->images[way], k, 1));
        captions[i] = training ? "nearest" : k ? garment_items[k] : way_names[way];
    }
    plot_garments(lesson, "nearest.png", "Made images, and below each the training image that is nearest",
                  1200, 700, images, captions,
                  "The last generator draws garments like others, not the same. The lower two rows are what "
                  "copying looks like.");
}

/*
## The same seed, the same image

An image is to be a function of its item and its seed. Three things could spoil that: other images in the batch, the
number of threads, and the processor. The first two we check here, byte for byte. For the third the checksum of the
sheet is printed: this page was made on one processor, and `make verify` on yours finds the same number, or says so.
*/

static uint64_t checksum(Matrix images, uint8_t *bytes)
{
    for (size_t i = 0; i < matrix_size(images); i++) bytes[i] = (uint8_t)(255.0f * images.data[i] + 0.5f);
    return name_hash((const char *)bytes, matrix_size(images));
}

// A sheet by a generator that took some steps with this many threads
static uint64_t train_and_draw(Lesson *lesson, const Wardrobe *w, int threads)
{
    enum { STEPS = 20 };
    Arena *arena = arena_new();
    int usual = parallel_threads(), items[SHEET];
    parallel_set_threads(threads);
    Rng rng = lesson_rng(lesson, 6);
    Gan *gan = gan_new(arena, &rng);
    Tape *tape = tape_new();
    Losses losses = {0.0, 0.0};
    for (int step = 0; step < STEPS; step++) {
        train_discriminator(gan, tape, w->training, &rng, &losses);
        train_generator(gan, tape, &rng, &losses);
    }
    keep_statistics(gan->average);
    Matrix sheet = matrix_new(arena, SHEET, PIXELS);
    draw_sheet(sheet, gan->average, items);
    uint64_t sum = checksum(sheet, arena_alloc(arena, SHEET * PIXELS, 1));
    parallel_set_threads(usual);
    tape_free(tape);
    arena_free(arena);
    return sum;
}

static void check_the_bytes(Lesson *lesson, const Wardrobe *w, const Training *t)
{
    section(lesson, "The same seed, the same image");
    Arena *arena = lesson_arena(lesson);
    Matrix sheet = matrix_new(arena, SHEET, PIXELS), pair = matrix_new(arena, 2, PIXELS);
    const int row = 3, item = 7;
    int items[SHEET], ordered[2] = {item, 2}, seeds[2] = {FIRST_SEED_SHOWN + row, 1000};
    draw_sheet(sheet, t->gan->average, items);
    draw_garments(pair, t->gan->average, ordered, seeds);
    uint64_t one = train_and_draw(lesson, w, 1), two = train_and_draw(lesson, w, 2);
    printf("checksum of the sheet of the last generator: %016llx\n",
           (unsigned long long)checksum(sheet, arena_alloc(arena, SHEET * PIXELS, 1)));
    printf("20 steps and a sheet, with 1 thread %016llx, with 2 threads %016llx\n\n", (unsigned long long)one,
           (unsigned long long)two);
    claim(lesson,
          largest_difference(matrix_rows(pair, 0, 1), matrix_rows(sheet, row * ITEMS + item, 1)) == 0.0f,
          "a garment drawn in other company is the one on the sheet, to the last bit");
    claim(lesson, one == two, "training and drawing with 1 and with 2 threads give the same bytes");
}

/*
## When to stop?

A classifier stops where its loss on held-out data is least. What could a GAN go by?
*/

static void draw_curves(Lesson *lesson, const Wardrobe *w, const Training *t, const Gallery *g)
{
    static float step[CHECKPOINTS], agreement[CHECKPOINTS], variety[CHECKPOINTS], distance[CHECKPOINTS];
    static float of_d[CHECKPOINTS], of_g[CHECKPOINTS];
    for (int c = 0; c < CHECKPOINTS; c++) {
        step[c] = (float)t->steps[c];
        agreement[c] = (float)t->reports[c].agreement, variety[c] = (float)t->reports[c].variety;
        distance[c] = (float)t->reports[c].distance;
        of_d[c] = (float)t->losses[c].discriminator, of_g[c] = (float)t->losses[c].generator;
    }
    Plot *plot = plot_begin(lesson, "curves.svg", "Agreement and variety while the GAN learns");
    plot_axes(plot, "step", "fraction");
    plot_log(plot, "x");
    plot_range_y(plot, 0.0, 1.05);
    plot_line_points(plot, "agreement", step, agreement, CHECKPOINTS);
    plot_line_points(plot, "variety, of that of real images", step, variety, CHECKPOINTS);
    plot_horizontal(plot, "agreement of real test images", w->reference.agreement);
    plot_legend(plot, "bottom right");
    plot_end(
        plot,
        "Agreement passes that of real images when the generator draws one garment for each item, and falls "
        "while variety grows.");
    plot = plot_begin(lesson, "distance.svg", "Fréchet distance and losses while the GAN learns");
    plot_axes(plot, "step", "distance; loss");
    plot_log(plot, "xy");
    plot_line_points(plot, "Fréchet distance", step, distance, CHECKPOINTS);
    plot_line_points(plot, "loss of the discriminator", step, of_d, CHECKPOINTS);
    plot_line_points(plot, "loss of the generator", step, of_g, CHECKPOINTS);
    plot_horizontal(plot, "distance of the Gaussians", g->reports[GAUSSIAN].distance);
    plot_horizontal(plot, "distance of real images", g->reports[HELD_OUT_IMAGES].distance);
    plot_legend(plot, "outside");
    plot_end(plot, "The distance is the judge's. The losses are all that the game itself shows.");
}

static void look_for_the_end(Lesson *lesson, const Wardrobe *w, const Training *t, const Gallery *g)
{
    section(lesson, "When to stop?");
    const int middle = FIRST_ONES - 1;
    const Losses *first = &t->losses[middle], *last = &t->losses[CHECKPOINTS - 1];
    double nearer = t->reports[middle].distance / t->reports[CHECKPOINTS - 1].distance;
    double moved = last->discriminator / first->discriminator - 1.0, coin = 2.0 * (double)log32(2.0f);
    double real = g->reports[HELD_OUT_IMAGES].distance;
    printf("from step %d to step %d\n    distance              %6.2f to %.2f\n", t->steps[middle],
           t->steps[CHECKPOINTS - 1], t->reports[middle].distance, t->reports[CHECKPOINTS - 1].distance);
    printf("    discriminator's loss  %6.3f to %.3f; a coin's is %.3f\n", first->discriminator,
           last->discriminator, coin);
    printf("    generator's loss      %6.3f to %.3f\n\n", first->generator, last->generator);
    claim(lesson, nearer >= 2.0 && fabs(moved) <= 0.3,
          "the distance falls to half or less while the discriminator's loss moves by less than 30 %%");
    claim(lesson,
          fabs(last->discriminator / coin - 1.0) <= 0.05 &&
              t->reports[CHECKPOINTS - 1].distance >= 3.0 * real,
          "for the discriminator it is a draw, to 5 %%; for the judge the distance is at least 3 times that "
          "of real images");
    draw_curves(lesson, w, t, g);
}

/*
There is no stopping rule in the game. The loss of the generator cannot be compared between two steps, because its
judge has changed in between. The discriminator's loss is that of a coin from step 1,500 on, $2 \log 2$: by the
theorem above made and real garments are the same now, and the game is over. In truth this discriminator, with
235,000 weights and dropout, cannot tell them apart any more; the judge sees twelve times the distance that real
images have, and sees it fall further. Every curve that looks like progress comes from the judge, from outside.

Nor does a GAN know how probable an image is. It can draw, but no number comes with what it draws, and none can be
asked for a given image. So there is no likelihood on held-out images, which is how chapters 14 and 20 compared
models in bits per character, and we are left with judges.

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "25-gan", "GAN: two networks against each other");
    check_the_losses(lesson);
    find_the_best(lesson);
    compare_slopes(lesson);
    eight_gaussians(lesson);
    check_the_penalty(lesson);
    compare_remedies(lesson);

    static Wardrobe wardrobe;
    static Training training;
    static Gallery gallery;
    prepare(lesson, &wardrobe);
    train_on_garments(lesson, &wardrobe, &training);
    compare_ways(lesson, &gallery, &wardrobe, &training);
    draw_sheets(lesson, &wardrobe, &training);
    draw_ways(lesson, &gallery);
    draw_failures(lesson, &gallery, &wardrobe);
    look_for_copies(lesson, &gallery, &wardrobe);
    check_the_bytes(lesson, &wardrobe, &training);
    look_for_the_end(lesson, &wardrobe, &training, &gallery);
    return lesson_end(lesson);
}

/*
## What to take along

- A discriminator that is trained well knows $p / (p + q)$. A generator learns through it, and never sees an image.
- The non-saturating loss points the same way as the game's and is longer where it matters: where the generator is
  bad.
- A generator may forget most of what there is to draw, because each made point is judged alone. Here it did when
  the discriminator learned much faster, and did not otherwise. R1 prevented it, and so did a slower discriminator.
- The gradient of a gradient is the backward pass, written as a forward pass and differentiated once more.
- Agreement with a judge rewards the typical. Look at variety and at a distance between distributions as well, print
  what real images get, what a Gaussian gets, and what a copy gets; then look for copies.
- A GAN has no likelihood and no stopping rule.

Chapter 26 draws the same garments with a model that has a loss that falls.

## Check yourself

**1.** A discriminator answers 0.8 at some $x$. If it is the best one, how do the densities compare there?

<details><summary>Answer</summary>

$p / (p + q) = 0.8$, so $p = 4q$: real images are four times as dense. The logit is $\log 4 = 1.39$.

</details>

**2.** For one made image with $\ell = -6$: by how much is the gradient of the non-saturating loss longer, and does
it point elsewhere?

<details><summary>Answer</summary>

The slopes are $-\sigma(6)$ and $-\sigma(-6)$, with the ratio $e^6 = 403$. Both are multiplied by the same
$\partial \ell / \partial x$: the direction is the same.

</details>

**3.** Why do the biases receive no gradient from R1, and would they with tanh in the place of the leaky ReLU?

<details><summary>Answer</summary>

$\nabla_x \ell$ contains the biases only through the slopes $s_1$, $s_2$, which are constant in pieces. The slope of
tanh is $1 - \tanh^2$, which moves with the bias: with tanh they would receive one.

</details>

**4.** A colleague's generator has an agreement of 99 %, her judge an accuracy of 92 %. What do you say?

<details><summary>Answer</summary>

That her generator draws what is typical more often than the world does. Ask for the variety in each class and for a
distance between distributions, and look at twenty images of one class.

</details>

**5.** Another colleague reports a distance smaller than that of held-out images. What do you look at first?

<details><summary>Answer</summary>

The nearest training image of each: copies had 0.36 here, like real images. And whether both sets had the same size,
since the distance of a smaller set is larger.

</details>

## Sources

- I. Goodfellow and others, *Generative adversarial nets*, 2014: the game, its best discriminator, and the other
  loss.
- L. Metz, B. Poole, D. Pfau, J. Sohl-Dickstein, *Unrolled generative adversarial networks*, 2016: Gaussians on a
  circle.
- L. Mescheder, A. Geiger, S. Nowozin, *Which training methods for GANs do actually converge?*, 2018: R1.
- M. Mirza, S. Osindero, *Conditional generative adversarial nets*, 2014; T. Miyato, M. Koyama, *cGANs with
  projection discriminator*, 2018.
- M. Heusel and others, *GANs trained by a two time-scale update rule converge to a local Nash equilibrium*, 2017:
  the Fréchet distance of features, and different rates for the two networks.
- Y. Yazıcı and others, *The unusual effectiveness of averaging in GAN training*, 2018.
- M. Lucic, K. Kurach, M. Michalski, S. Gelly, O. Bousquet, *Are GANs created equal?*, 2018: how much of a
  difference between methods is a difference in tuning.
- H. Xiao, K. Rasul, R. Vollgraf, *Fashion-MNIST*, 2017.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade25` tells how far you are, `make
hint25` helps.

- **TASK 25.1** the generator's loss, and its gradient.
- **TASK 25.2** the discriminator's, for logits of any size.
- **TASK 25.3** R1 and its gradients, for one hidden layer.
- **TASK 25.4** how many modes are found.
- **TASK 25.5** the Fréchet distance of two lists of numbers.

And without a computer, or with five minutes at one:

**1.** Show that $V$ at the best discriminator is $2\,\mathrm{JSD}(p, q) - \log 4$.

<details><summary>Answer</summary>

With $m = (p + q) / 2$, $\log D^* = \log (p / m) - \log 2$ and $\log (1 - D^*) = \log (q / m) - \log 2$. So
$V = \mathrm{KL}(p \| m) + \mathrm{KL}(q \| m) - 2 \log 2$, and the JSD is half of the two divergences' sum.

</details>

**2.** $p$ and $q$ do not overlap at all. What is $V$ at the best discriminator, and what does the generator learn
from it?

<details><summary>Answer</summary>

$D^*$ is 1 on the one and 0 on the other, $V = 0$, whatever the distance between them is: the divergence is $\log 2$
near and far. The best discriminator teaches nothing; one that is not yet the best, and smooth, does.

</details>

**3.** Give the discriminator four made, or four real, points at a time, and let it judge the four together. Why
could that help against collapse?

<details><summary>Answer</summary>

Four points in one bell are improbable among real ones, so sameness becomes something that can be seen and punished.
This is *packing* (Lin and others 2018).

</details>

**4.** Why does a generator with a continuous $G$ and normal noise always draw some points between two bells?

<details><summary>Answer</summary>

The noise is one connected cloud, and so is its image under a continuous map. If it reaches two bells it also covers
a path between them; it can only make the path improbable by crossing it steeply.

</details>
*/
