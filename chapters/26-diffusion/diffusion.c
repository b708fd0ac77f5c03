/*
# Diffusion and DALL·E 2: images out of noise, and out of words

To destroy an image is easy: add noise until nothing is left. A **diffusion model** (扩散模型) learns the way back, one
small step at a time. Each step asks a network a modest question, "what is behind this noise?", and the answer may be
blurred and wrong as a whole: it is used for a small step only, and then the question is asked again. From pure noise,
after a few dozen questions, comes an image that nobody has photographed. You will see

- that 200 small steps of noise are one large step, in closed form, which makes training possible;
- a world of two numbers in which the best possible answer is known, and how near a trained network comes to it;
- garments drawn for a class that you name, how hard the drawing should be pushed towards it, and what that costs;
- the same network in 20 steps instead of 200, and a GAN that had the same work to learn with;
- "a purple sneaker", drawn from the words, by the three networks of DALL·E 2, in one minute of training.

You need [chapter 12](../12-detection-segmentation-enhancement/README.md) for denoising and the U-Net, and chapters 24
and 25 for CLIP and for the judge that decides whether a drawing shows what it should.
*/

#include "base/mathf.h"
#include "base/parallel.h"
#include "learning/ops/elementwise.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/checkpoint.h"
#include "models/judge.h"
#include "models/unclip.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = GARMENT_SIDE, PIXELS = GARMENT_PIXELS, ITEMS = GARMENT_ITEMS, TIMES = 200 };

// Garments of 14 × 14 pixels, −1 black and 1 white; a row for each
typedef struct {
    Garments train_garments, test_garments; // 0 to 1, as the judge sees them
    Matrix train;
    const int *train_items, *test_items;
} Data;

static Data data_new(Arena *arena)
{
    ImageSet fashion = fashion_mnist_load(arena);
    Data d = {.train_garments = garments_of(arena, fashion.train, fashion.train_labels),
              .test_garments = garments_of(arena, fashion.test, fashion.test_labels)};
    d.train_items = d.train_garments.items, d.test_items = d.test_garments.items;
    d.train = matrix_copy(arena, d.train_garments.grey);
    scale(d.train, 2.0f), add_scalar(d.train, -1.0f);
    return d;
}

/*
## Noise in small steps

Take an image $x_0$, its numbers between −1 and 1. In step $t$ shrink what is there a little and add a little normal
noise, as Jascha Sohl-Dickstein and others did in 2015:

$$x_t = \sqrt{1 - \beta_t} \; x_{t-1} + \sqrt{\beta_t} \; \varepsilon_t , \qquad \varepsilon_t \sim N(0, I) .$$

Why shrink? Because variances add. If $x_{t-1}$ has variance 1, then $x_t$ has $(1 - \beta_t) + \beta_t = 1$ again:
the noise does not grow, it takes the image's place.

A sum of independent normal variables is normal. So all steps up to $t$ can be taken at once. With $\alpha_t = 1 -
\beta_t$ and the product $\bar\alpha_t = \alpha_1 \alpha_2 \cdots \alpha_t$,

$$x_t = \sqrt{\bar\alpha_t} \; x_0 + \sqrt{1 - \bar\alpha_t} \; \varepsilon .$$

In words: $\bar\alpha_t$ is how much of the image's variance remains after $t$ steps, and all that has gone is noise.
The proof is one line. What one more step does to the noise that is already there is $\alpha_t (1 -
\bar\alpha_{t-1}) + \beta_t = 1 - \bar\alpha_t$.

A **noise schedule** (噪声调度) says how fast that happens. We take $\bar\alpha_t$ as a squared cosine of the time
(Nichol and Dhariwal 2021): little is lost at the beginning, little is left to lose at the end. $\beta_t = 1 -
\bar\alpha_t / \bar\alpha_{t-1}$ follows from it.
*/

// remaining [T + 1]: ā_t, from 1 to 5e-4
static void cosine_remaining(double *remaining)
{
    for (int t = 0; t <= TIMES; t++) {
        double quarter = 1.5707963267948966 * (0.985 * t / TIMES + 0.008) / 1.008;
        double cosine = (double)cos32((float)quarter);
        remaining[t] = cosine * cosine;
    }
    for (int t = TIMES; t >= 0; t--) remaining[t] /= remaining[0];
}

// The schedule of Ho and others: β rises in a straight line. Theirs ends at .02 after 1000 steps, this one at
// .04 after 200
static void linear_remaining(double *remaining)
{
    remaining[0] = 1.0;
    for (int t = 1; t <= TIMES; t++)
        remaining[t] = remaining[t - 1] * (1.0 - (1e-4 + (0.04 - 1e-4) * (t - 1) / (TIMES - 1)));
}

// x ← √(1 − β) x + √β ε
static void small_step(Matrix x, double beta, Matrix fresh, Rng *rng)
{
    fill_normal(fresh, rng, 0.0f, 1.0f);
    scale(x, (float)sqrt(1.0 - beta));
    add_scaled(x, (float)sqrt(beta), fresh);
}

/*
Let us not believe it. A thousand copies of one boot walk through 200 small steps, each with noise of its own. At some
times we stop and compare mean and variance of each of the 196 pixels over the thousand copies with
$\sqrt{\bar\alpha_t} \, x_0$ and $1 - \bar\alpha_t$. A measured mean errs by $\sqrt{(1 - \bar\alpha_t) / 1000}$, a
measured variance by $\sqrt{2 / 1000}$ of itself. Of 392 numbers at four times, the worst should be off by three or
four such standard errors, and not by six.
*/

enum { COPIES = 1000 };

// The largest distance of mean and variance from what the closed form says, in standard errors
static double worst_error(Matrix x, Matrix x_0, double remaining)
{
    double worst = 0.0, noise = 1.0 - remaining;
    for (int p = 0; p < PIXELS; p++) {
        double sum_of_x = 0.0, squares = 0.0;
        for (int i = 0; i < COPIES; i++) sum_of_x += (double)AT(x, i, p);
        double centre = sum_of_x / COPIES, expected = sqrt(remaining) * (double)x_0.data[p];
        for (int i = 0; i < COPIES; i++)
            squares += ((double)AT(x, i, p) - centre) * ((double)AT(x, i, p) - centre);
        double variance = squares / (COPIES - 1);
        worst = fmax(worst, fabs(centre - expected) / sqrt(noise / COPIES));
        worst = fmax(worst, fabs(variance / noise - 1.0) / sqrt(2.0 / COPIES));
    }
    return worst;
}

static void noise_in_small_steps(Lesson *lesson, const Data *d)
{
    section(lesson, "Noise in small steps");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 1);
    double cosine[TIMES + 1], linear_one[TIMES + 1], worst = 0.0;
    cosine_remaining(cosine), linear_remaining(linear_one);
    Matrix boot = matrix_rows(d->train, 0, 1), x = matrix_new(arena, COPIES, PIXELS),
           fresh = matrix_new(arena, COPIES, PIXELS);
    for (int i = 0; i < COPIES; i++) copy(matrix_rows(x, i, 1), boot);
    static const int shown[] = {0, 25, 50, 100, 150, 200};
    enum { SHOWN = sizeof shown / sizeof *shown };
    Matrix images = matrix_new(arena, SHOWN, PIXELS);
    copy(matrix_rows(images, 0, 1), boot);
    printf("   t   remains, cosine   linear   worst of 392 numbers\n   0      %8.4f    %8.4f\n", cosine[0],
           linear_one[0]);
    for (int t = 1, s = 1; t <= TIMES; t++) {
        small_step(x, 1.0 - cosine[t] / cosine[t - 1], fresh, &rng);
        if (t != shown[s]) continue;
        double error = worst_error(x, boot, cosine[t]);
        worst = fmax(worst, error);
        printf("%4d      %8.4f    %8.4f   %.1f standard errors\n", t, cosine[t], linear_one[t], error);
        copy(matrix_rows(images, s++, 1), matrix_rows(x, 0, 1));
    }
    printf("\n");
    claim(lesson, worst <= 6.0, "step by step, all means and variances are those of the closed form");
    claim(lesson, cosine[TIMES] <= 1e-3 && linear_one[TIMES] >= 10.0 * cosine[TIMES],
          "the linear schedule leaves at least ten times the signal of the cosine at the end");
    DiffusionSchedule library = diffusion_schedule_new(arena, TIMES);
    double apart = 0.0;
    for (int t = 0; t <= TIMES; t++) apart = fmax(apart, fabs(library.remaining[t] - cosine[t]));
    claim(lesson, apart <= 1e-12, "the library's schedule is this one");
    const char *names[] = {"t = 0", "t = 25", "t = 50", "t = 100", "t = 150", "t = 200"};
    Plot *plot = plot_begin(lesson, "noised.png", "A boot loses itself in 200 steps");
    plot_images(plot, (PlotImages){SIDE, SIDE, 1, SHOWN, -2.0f, 2.0f}, images, names);
    plot_end(plot,
             "One of the thousand copies. At t = 100 half of the variance is left, at 200 a two-thousandth.");
}

/*
What remains at the end matters. Drawing will begin at pure noise, and if training ended where 2 % of the variance are
still image, the network has never seen what it is asked first. The straight schedule for $\beta$, which was made for
1 000 steps, leaves that much when it is compressed into 200.

## What to ask for

The network sees $x_t$ and $t$. It could be asked for the image $x_0$ or for the noise $\varepsilon$: from either and
$x_t$ the other follows. But at $t = 200$ to say the noise is trivial and at $t = 1$ to say the image is. A mixture is
never trivial (Salimans and Ho 2022). The pair $(x_t, v)$ is the pair $(x_0, \varepsilon)$ rotated by an angle whose
cosine is $\sqrt{\bar\alpha_t}$:

$$x_t = \sqrt{\bar\alpha_t} \, x_0 + \sqrt{1 - \bar\alpha_t} \, \varepsilon \qquad
v = \sqrt{\bar\alpha_t} \, \varepsilon - \sqrt{1 - \bar\alpha_t} \, x_0$$
$$x_0 = \sqrt{\bar\alpha_t} \, x_t - \sqrt{1 - \bar\alpha_t} \, v \qquad
\varepsilon = \sqrt{1 - \bar\alpha_t} \, x_t + \sqrt{\bar\alpha_t} \, v$$

This is **v-prediction** (v 预测). Its target has variance about 1 at all times, and the loss is the mean squared error.

## One step back

Suppose somebody told us $x_0$. Then where was $x_{t-1}$? Both $x_{t-1}$ given $x_0$ and $x_t$ given $x_{t-1}$ are
normal, so by Bayes' rule $x_{t-1}$ given both is normal as well (Ho, Jain and Abbeel 2020, eq. 6 and 7), with

$$\text{mean} = \frac{\sqrt{\bar\alpha_{t-1}} \, \beta_t}{1 - \bar\alpha_t} \, x_0 +
\frac{\sqrt{\alpha_t} \, (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t} \, x_t , \qquad
\text{variance} = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t} \, \beta_t .$$

Nobody tells us $x_0$, so the network's guess takes its place. That is **DDPM** (denoising diffusion probabilistic
model, 去噪扩散概率模型): guess the image, go a small step towards it, add a little fresh noise, ask again.

Jiaming Song and others (2021) noticed that the noise need not be fresh. Take the noise that the network thinks is in
$x_t$, and put as much of *it* on the guessed image as belongs to the earlier time. Nothing random is left, and since
the formula holds for any earlier time, steps may be long. That is **DDIM**:

$$x_s = \sqrt{\bar\alpha_s} \, \hat x_0 + \sqrt{1 - \bar\alpha_s} \; \hat\varepsilon .$$
*/

// x ← x_(t−1), given x_t in x and a guess of x_0
static void step_back(Matrix x, Matrix x_0, const double *remaining, int t, Matrix fresh)
{
    double now = remaining[t], then = remaining[t - 1], alpha = now / then, beta = 1.0 - alpha;
    float of_image = (float)(sqrt(then) * beta / (1.0 - now));
    float of_noisy = (float)(sqrt(alpha) * (1.0 - then) / (1.0 - now));
    float deviation = (float)sqrt((1.0 - then) / (1.0 - now) * beta);
    for (size_t i = 0; i < matrix_size(x); i++)
        x.data[i] = of_image * x_0.data[i] + of_noisy * x.data[i] + deviation * fresh.data[i];
}

// x ← x_s, given x_t in x, a guess of x_0, and nothing random
static void long_step_back(Matrix x, Matrix x_0, const double *remaining, int t, int s)
{
    for (size_t i = 0; i < matrix_size(x); i++) {
        double noise =
            ((double)x.data[i] - sqrt(remaining[t]) * (double)x_0.data[i]) / sqrt(1.0 - remaining[t]);
        x.data[i] = (float)(sqrt(remaining[s]) * (double)x_0.data[i] + sqrt(1.0 - remaining[s]) * noise);
    }
}

/*
## A world of two numbers

Before a network draws garments, let it draw points, where we know everything. The data are eight small clouds on a
circle of radius 1: normal, deviation 0.1, all equally likely. Given a noisy point $x_t$, cloud $k$ has the
probability $r_k \propto \exp\bigl(-\lVert x_t - \sqrt{\bar\alpha_t} \, \mu_k \rVert^2 / 2 s_t^2\bigr)$ with
$s_t^2 = 0.01 \, \bar\alpha_t + 1 - \bar\alpha_t$, and within a cloud the best guess is linear. So the best guess of
all is known:

$$E[x_0 \mid x_t] = \sum_k r_k \left( \mu_k + \frac{0.01 \sqrt{\bar\alpha_t}}{s_t^2}
\bigl( x_t - \sqrt{\bar\alpha_t} \, \mu_k \bigr) \right) .$$

In words: far from any cloud it is a mean of several, a point where no data are. Nearby it is the cloud itself.
*/

enum { CLOUDS = 8, POINTS = 2000, WAVES = 32 };
static const float CLOUD_DEVIATION = 0.1f;

static void cloud_centre(int k, float centre[2])
{
    float angle = 6.28318531f * (float)k / CLOUDS;
    centre[0] = cos32(angle), centre[1] = sin32(angle);
}

// points (n × 2)
static void draw_clouds(Matrix points, Rng *rng)
{
    fill_normal(points, rng, 0.0f, CLOUD_DEVIATION);
    for (int i = 0; i < points.rows; i++) {
        float centre[2];
        cloud_centre((int)rng_below(rng, CLOUDS), centre);
        for (int j = 0; j < 2; j++) AT(points, i, j) += centre[j];
    }
}

// x_0 (n × 2) ← E[x_0 | x_t], all rows of x at time t
static void best_guess(Matrix x_0, Matrix x, double remaining)
{
    float signal = (float)sqrt(remaining), own = CLOUD_DEVIATION * CLOUD_DEVIATION;
    float spread = own * (float)remaining + (float)(1.0 - remaining);
    for (int i = 0; i < x.rows; i++) {
        float nearest = INFINITY, squares[CLOUDS], total = 0.0f, guess[2] = {0.0f, 0.0f};
        for (int k = 0; k < CLOUDS; k++) {
            float centre[2];
            cloud_centre(k, centre);
            float right = AT(x, i, 0) - signal * centre[0], up = AT(x, i, 1) - signal * centre[1];
            squares[k] = right * right + up * up;
            nearest = fminf(nearest, squares[k]);
        }
        for (int k = 0; k < CLOUDS; k++) {
            float centre[2], weight = exp32((nearest - squares[k]) / (2.0f * spread));
            cloud_centre(k, centre);
            total += weight;
            for (int j = 0; j < 2; j++)
                guess[j] += weight * (centre[j] + own * signal / spread * (AT(x, i, j) - signal * centre[j]));
        }
        for (int j = 0; j < 2; j++) AT(x_0, i, j) = guess[j] / total;
    }
}

/*
The trained opponent is a small network of two hidden layers. It sees the point and the time, the latter as 32 sines
and cosines (the positions of chapter 17 once more), and is asked for $v$. A training step draws points, times and
noise, mixes them by the closed form, and takes one step of Adam on the squared error. That is the whole of training a
diffusion model; for images it will be the same ten lines.
*/

typedef struct {
    Parameters parameters;
    Linear point, time, hidden, out;
} PointNet;

static PointNet point_net_new(Arena *arena, Rng *rng)
{
    enum { WIDTH = 128 };
    PointNet n = {.parameters = parameters_new(arena)};
    n.point = linear_new(&n.parameters, "point", 2, WIDTH, rng, INIT_LECUN);
    scale(n.point.weight->value, 4.0f); // what it must say changes fast from place to place: chapter 8
    n.time = linear_new(&n.parameters, "time", WAVES, WIDTH, rng, INIT_LECUN);
    n.hidden = linear_new(&n.parameters, "hidden", WIDTH, WIDTH, rng, INIT_HE);
    n.out = linear_new(&n.parameters, "out", WIDTH, 2, rng, INIT_LECUN);
    return n;
}

// x (n × 2), times [n] → v (n × 2)
static Tensor *point_net(const PointNet *n, Tape *tape, Matrix x, const int *times)
{
    Matrix waves = matrix_new(tape_arena(tape), x.rows, WAVES);
    time_waves(waves, times);
    Tensor *told = linear(&n->time, tape_input(tape, waves));
    Tensor *h = silu(linear_add(&n->point, told, tape_input(tape, x)));
    return linear(&n->out, silu(linear(&n->hidden, h)));
}

static void train_point_net(Lesson *lesson, PointNet *n, const DiffusionSchedule *schedule)
{
    enum { BATCH = 256 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 3);
    const int steps = lesson_full(lesson) ? 12000 : 3000;
    Optimiser adam = adam_new(arena, &n->parameters, 0.9f, 0.99f, 1e-8f, 0.0f);
    Matrix x_0 = matrix_new(arena, BATCH, 2), noise = matrix_new(arena, BATCH, 2),
           x_t = matrix_new(arena, BATCH, 2), v = matrix_new(arena, BATCH, 2);
    int times[BATCH];
    Tape *tape = tape_new();
    for (int step = 0; step < steps; step++) {
        draw_clouds(x_0, &rng);
        fill_normal(noise, &rng, 0.0f, 1.0f);
        for (int i = 0; i < BATCH; i++) times[i] = 1 + (int)rng_below(&rng, TIMES);
        diffusion_noised(x_t, x_0, noise, times, schedule);
        diffusion_velocity(v, x_0, noise, times, schedule);
        tape_reset(tape);
        Tensor *loss = mean_squared_error(point_net(n, tape, x_t, times), v);
        backward(loss);
        optimiser_step(&adam, cosine_schedule(5e-3f, step, 50, steps));
        lesson_progress(lesson, "points", step + 1, steps, (double)loss->value.data[0]);
    }
    tape_free(tape);
}

// For diffusion_draw, and for our own loops: context is a PointNet, or NULL for the best guess
typedef struct {
    const PointNet *net;
    const DiffusionSchedule *schedule;
} Guesser;

static void say_velocity(void *context, Matrix v, Matrix x, int t)
{
    const Guesser *g = context;
    Arena *arena = arena_new(), *pass = arena_new();
    if (g->net) {
        int *times = arena_alloc(arena, (size_t)x.rows, sizeof *times);
        for (int i = 0; i < x.rows; i++) times[i] = t;
        copy(v, point_net(g->net, tape_inference(pass), x, times)->value);
    } else { // x_0 = √ā x_t − √(1 − ā) v
        best_guess(v, x, g->schedule->remaining[t]);
        scale(v, -1.0f);
        add_scaled(v, g->schedule->signal[t], x);
        scale(v, 1.0f / g->schedule->noise[t]);
    }
    arena_free(pass), arena_free(arena);
}

/*
First the steps: ours, in loops, against the library's (`common/models/diffusion.h`), on the way from noise to points.
The library writes both as one formula with a knob for the randomness, which is 1 for DDPM and 0 for DDIM.
*/

static void check_the_steps(Lesson *lesson, const DiffusionSchedule *schedule)
{
    section(lesson, "One step back");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 4);
    double remaining[TIMES + 1];
    cosine_remaining(remaining);
    float small = 0.0f, large = 0.0f, there_and_back = 0.0f;
    for (int t = TIMES; t > 10; t -= 9) {
        Matrix x = matrix_new(arena, 50, 2), x_0 = matrix_new(arena, 50, 2), fresh = matrix_new(arena, 50, 2);
        fill_normal(x, &rng, 0.0f, 1.0f), fill_normal(x_0, &rng, 0.0f, 1.0f),
            fill_normal(fresh, &rng, 0.0f, 1.0f);
        Matrix ours = matrix_copy(arena, x), theirs = matrix_copy(arena, x), far = matrix_copy(arena, x),
               their_far = matrix_copy(arena, x);
        step_back(ours, x_0, remaining, t, fresh);
        diffusion_step(theirs, x_0, t, t - 1, 1.0f, fresh, schedule);
        small = fmaxf(small, largest_difference(ours, theirs));
        long_step_back(far, x_0, remaining, t, t - 10);
        diffusion_step(their_far, x_0, t, t - 10, 0.0f, fresh, schedule);
        large = fmaxf(large, largest_difference(far, their_far));

        int times[50];
        for (int i = 0; i < 50; i++) times[i] = t;
        Matrix noisy = matrix_new(arena, 50, 2), v = matrix_new(arena, 50, 2),
               back = matrix_new(arena, 50, 2);
        diffusion_noised(noisy, x_0, fresh, times, schedule),
            diffusion_velocity(v, x_0, fresh, times, schedule);
        for (size_t i = 0; i < matrix_size(back); i++) // x_0 = √ā x_t − √(1 − ā) v
            back.data[i] =
                (float)sqrt(remaining[t]) * noisy.data[i] - (float)sqrt(1.0 - remaining[t]) * v.data[i];
        there_and_back = fmaxf(there_and_back, largest_difference(back, x_0));
    }
    claim(lesson, small <= 2e-6f, "our step of DDPM is the library's with randomness 1");
    claim(lesson, large <= 2e-6f, "our step of DDIM is the library's with randomness 0");
    claim(lesson, there_and_back <= 2e-6f, "an image comes back out of x_t and v");
}

/*
Now the answers. Both guessers see the same 2 000 noisy points at each of several times, and their errors are measured
in $v$. The best guess errs too: where clouds are mixed up, nobody can know.
*/

// The mean squared error of v at time t, on points that training has not seen
static double velocity_error(Guesser *g, int t, Rng *rng)
{
    Arena *arena = arena_new();
    Matrix x_0 = matrix_new(arena, POINTS, 2), noise = matrix_new(arena, POINTS, 2),
           x = matrix_new(arena, POINTS, 2), v = matrix_new(arena, POINTS, 2),
           said = matrix_new(arena, POINTS, 2);
    int times[POINTS];
    for (int i = 0; i < POINTS; i++) times[i] = t;
    draw_clouds(x_0, rng);
    fill_normal(noise, rng, 0.0f, 1.0f);
    diffusion_noised(x, x_0, noise, times, g->schedule),
        diffusion_velocity(v, x_0, noise, times, g->schedule);
    say_velocity(g, said, x, t);
    subtract(said, said, v);
    double error = sum_of_squares(said) / (double)matrix_size(said);
    arena_free(arena);
    return error;
}

// How many points lie within .3 of their nearest cloud, and how many the emptiest cloud has
static void count_clouds(Matrix points, double *near, double *least)
{
    int held[CLOUDS] = {0}, all = 0;
    for (int i = 0; i < points.rows; i++)
        for (int k = 0; k < CLOUDS; k++) {
            float centre[2];
            cloud_centre(k, centre);
            float right = AT(points, i, 0) - centre[0], up = AT(points, i, 1) - centre[1];
            if (right * right + up * up <= 0.09f) held[k]++, all++;
        }
    *near = (double)all / points.rows, *least = 1.0;
    for (int k = 0; k < CLOUDS; k++) *least = fmin(*least, (double)held[k] / points.rows);
}

static void plot_errors(Lesson *lesson, const float *at, const float *best, const float *trained, int count)
{
    Plot *plot = plot_begin(lesson, "points_error.svg", "What cannot be known, and what was not learned");
    plot_axes(plot, "time t (0: data, 200: noise)", "mean squared error of v");
    plot_line_points(plot, "best possible guess", at, best, count);
    plot_line_points(plot, "trained network", at, trained, count);
    plot_range_y(plot, 0.0, 1.2);
    plot_end(plot, "Most is unknown in the middle, where it is decided which cloud a point will come from.");
}

static void answer_in_two_dimensions(Lesson *lesson, PointNet *net, const DiffusionSchedule *schedule)
{
    section(lesson, "A world of two numbers");
    enum { ASKED = 20 };
    Guesser best = {NULL, schedule}, trained = {net, schedule};
    float at[ASKED], of_best[ASKED], of_trained[ASKED];
    double sum_best = 0.0, sum_trained = 0.0;
    train_point_net(lesson, net, schedule);
    Rng rng = lesson_rng(lesson, 5);
    printf("   t    best guess   network\n");
    for (int k = 0; k < ASKED; k++) {
        int t = (k + 1) * TIMES / ASKED;
        Rng same = rng;
        at[k] = (float)t;
        of_best[k] = (float)velocity_error(&best, t, &rng);
        of_trained[k] = (float)velocity_error(&trained, t, &same);
        sum_best += (double)of_best[k] / ASKED, sum_trained += (double)of_trained[k] / ASKED;
        if (k % 3 == 1) printf("%4d%14.3f%10.3f\n", t, (double)of_best[k], (double)of_trained[k]);
    }
    printf("mean%14.3f%10.3f\n\n", sum_best, sum_trained);
    claim(lesson, sum_best < sum_trained, "no network guesses better than the best guess");
    claim(lesson, sum_trained <= 1.15 * sum_best, "the trained one is at most 15 %% worse");
    plot_errors(lesson, at, of_best, of_trained, ASKED);
}

/*
And do points come back out of noise? Three ways: the best guess and 200 steps of DDPM, the network and the same, the
network and 20 steps of DDIM. Each begins with 2 000 points of pure noise.
*/

// DDPM as we wrote it, from noise to points
static void draw_points_by_hand(Matrix x, Guesser *g, Rng *rng)
{
    Arena *arena = arena_new();
    Matrix v = matrix_new(arena, x.rows, 2), fresh = matrix_new(arena, x.rows, 2);
    for (int t = TIMES; t >= 1; t--) {
        say_velocity(g, v, x, t);
        scale(v, -g->schedule->noise[t]); // v becomes the guess of x_0
        add_scaled(v, g->schedule->signal[t], x);
        fill_normal(fresh, rng, 0.0f, 1.0f);
        step_back(x, v, g->schedule->remaining, t, fresh);
    }
    arena_free(arena);
}

static void plot_point_paths(Lesson *lesson, Matrix drawn, Guesser *g)
{
    enum { PATHS = 12, LENGTH = 20 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 7);
    Plot *plot = plot_begin(lesson, "points.svg", "From noise to eight clouds in 20 steps");
    plot_axes(plot, "first number", "second number");
    plot_square(plot), plot_size(plot, 820, 820);
    plot_range_x(plot, -2.2, 2.2), plot_range_y(plot, -2.2, 2.2);
    float *right = arena_alloc(arena, POINTS, sizeof *right), *up = arena_alloc(arena, POINTS, sizeof *up);
    for (int i = 0; i < POINTS; i++) right[i] = AT(drawn, i, 0), up[i] = AT(drawn, i, 1);
    plot_points(plot, "2 000 points drawn", right, up, POINTS);
    float xs[PATHS][LENGTH + 1], ys[PATHS][LENGTH + 1];
    Matrix x = matrix_new(arena, PATHS, 2), v = matrix_new(arena, PATHS, 2);
    fill_normal(x, &rng, 0.0f, 1.0f);
    const DiffusionPath path = {.steps = LENGTH};
    for (int k = 0; k <= LENGTH; k++) {
        for (int i = 0; i < PATHS; i++) xs[i][k] = AT(x, i, 0), ys[i][k] = AT(x, i, 1);
        if (k == LENGTH) break;
        int t = diffusion_time(path, k, g->schedule), s = diffusion_time(path, k + 1, g->schedule);
        say_velocity(g, v, x, t);
        diffusion_data(v, x, v, t, 0.0f, g->schedule);
        long_step_back(x, v, g->schedule->remaining, t, s);
    }
    for (int i = 0; i < PATHS; i++)
        plot_line_points(plot, i ? NULL : "12 paths of DDIM", xs[i], ys[i], LENGTH + 1);
    plot_end(plot, "Paths bend where it is decided which cloud they end in. All eight are reached.");
}

static void draw_in_two_dimensions(Lesson *lesson, const PointNet *net, const DiffusionSchedule *schedule)
{
    section(lesson, "Points out of noise");
    Arena *arena = lesson_arena(lesson);
    Guesser best = {NULL, schedule}, trained = {net, schedule};
    double near[4], least[4];
    Matrix x = matrix_new(arena, POINTS, 2);
    static const char *const names[] = {"data", "best guess, DDPM 200", "network, DDPM 200",
                                        "network, DDIM 20"};
    printf("                        near a cloud   in the emptiest\n");
    for (int way = 0; way < 4; way++) {
        Rng rng = lesson_rng(lesson, 6);
        if (way == 0) draw_clouds(x, &rng);
        if (way > 0) fill_normal(x, &rng, 0.0f, 1.0f);
        if (way == 1) draw_points_by_hand(x, &best, &rng);
        if (way == 2) draw_points_by_hand(x, &trained, &rng);
        if (way == 3)
            diffusion_draw(x, schedule, ((DiffusionPath){.steps = 20}), say_velocity, &trained, NULL);
        count_clouds(x, &near[way], &least[way]);
        printf("%-22s%12.1f %%%15.1f %%\n", names[way], 100.0 * near[way], 100.0 * least[way]);
    }
    printf("\n");
    claim(lesson, near[2] >= 0.85 && near[3] >= 0.85,
          "of the network's points at least 85 %% lie near a cloud, either way");
    claim(lesson, least[2] >= 0.08 && least[3] >= 0.08,
          "and no cloud has less than 8 %% of them, where 12.5 %% would be fair");
    plot_point_paths(lesson, x, &trained);
}

/*
No cloud is forgotten. A GAN on the same task loses some or most of them unless something is done about it
(chapter 25): its generator is rewarded for points that look right, and eight different ones are not asked for. A
squared error on noisy data asks for all of them, each in proportion.
*/

/*
## The judge

Now garments: the ten kinds of Fashion-MNIST at half their size, 14 × 14 pixels. Whether a drawing shows a bag cannot
be seen from a loss. So a small classifier, the **judge** of chapter 25 (`common/models/judge.h`), is trained on real
garments only and looks at drawn ones. It says three things of a set of drawings. *Agreement* is the fraction that it
takes for what was asked. *Variety* is how much the drawings of one kind differ from each other, compared with real
ones. *Distance* is the Fréchet distance in the judge's 128 features, the recipe of the FID: 0 would mean that means
and covariances are those of real garments.

A judge errs. Its agreement on *real* test images is what any drawing should be measured by, not 100 %.
*/

enum { DRAWN = 300, CHOSEN = 5000 };

typedef struct {
    Parameters parameters;
    Judge judge;
    JudgeReference real;
    int wanted[DRAWN];   // 30 of each item
    Matrix conditions;   // (300 × 10), a 1 at the item
    JudgeReport of_real; // of 300 real test images
} Court;

static void show_training(void *lesson, long done, long total, double loss)
{
    lesson_progress(lesson, "the judge", done, total, loss);
}

static void print_report(const char *name, JudgeReport r)
{
    printf("%-26s%8.1f %%%11.2f%11.1f\n", name, 100.0 * r.agreement, r.variety, r.distance);
}

static void train_the_judge(Lesson *lesson, Court *c, const Data *d)
{
    section(lesson, "The judge");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 10);
    c->parameters = parameters_new(arena);
    c->judge = judge_new(&c->parameters, &rng);
    judge_train(&c->judge, &c->parameters, d->train_garments.grey, d->train_items,
                lesson_full(lesson) ? 5 : 2, &rng, show_training, lesson);
    c->real = judge_reference(arena, &c->judge, d->test_garments.grey, d->test_items);
    c->conditions = matrix_new(arena, DRAWN, ITEMS);
    int found[ITEMS] = {0}, rows[DRAWN];
    for (int i = 0; i < DRAWN; i++) c->wanted[i] = i % ITEMS, AT(c->conditions, i, i % ITEMS) = 1.0f;
    for (int n = 0; n < d->test_garments.count;
         n++) { // 30 real ones of each item, in the order of the drawings
        int item = d->test_items[n];
        if (found[item] < DRAWN / ITEMS) rows[found[item]++ * ITEMS + item] = n;
    }
    Matrix some = matrix_new(arena, DRAWN, PIXELS);
    gather_rows(some, d->test_garments.grey, rows);
    c->of_real = judge_report(&c->judge, c->real, some, c->wanted);
    printf("the judge is right on %.1f %% of the 10 000 real test images\n\n", 100.0 * c->real.agreement);
    printf("                          agreement    variety   distance\n");
    print_report("300 real test images", c->of_real);
    printf("\n");
    claim(lesson, c->real.agreement >= 0.82, "the judge is right on at least 82 %% of real test images");
}

/*
## Drawing what is asked

The network is a small U-Net (`common/models/unet.h`): convolutions at 14 × 14 and at 7 × 7, a shortcut between the
two halves. Chapter 12 has taken one apart; this one is only told two things more, the time and the item that is
wanted. Both become one vector, and each block adds a number made of it to each of its channels. An item is a row of
ten numbers, a single 1 among zeros.

Training is that of the points. Two habits come with images. First, what draws in the end is not the network itself
but an **exponential moving average** (指数移动平均) of its weights over the last steps: it has seen the same data, and the
zigzag of single steps is gone. Second, for one image in ten the item is withheld, and a row of zeros stands in its
place. So one network learns two things: what a bag looks like behind the noise, and what *any* garment looks like.
The next section needs both.

`unet_learn` is the forward pass, the mean squared error and the backward pass. The layers are so small that to share
each of them between the cores would cost more than it saves. It cuts the batch instead into four parts, which pass
through the whole network side by side, and adds up their gradients: **data parallelism** (数据并行).
*/

enum { BATCH = 32 };

typedef struct {
    Parameters parameters, averaged;
    Unet unet, average;
    DiffusionSchedule schedule;
} Painter;

static UnetConfig painter_config(void)
{
    return (UnetConfig){.side = SIDE, .channels = 1, .features = 16, .groups = 4, .conditions = ITEMS};
}

static int painter_steps(const Lesson *lesson) { return lesson_full(lesson) ? 6000 : 1200; }

// Full for the first half of the steps, then down to 0; and a short rise at the beginning
static float learning_rate(float rate, int step, int steps)
{
    enum { WARM_UP = 50 };
    float left = 2.0f * (1.0f - (float)step / (float)steps);
    return rate * fminf(1.0f, (float)(step + 1) / WARM_UP) * fminf(1.0f, left);
}

// The average follows fast at first and slowly later
static float average_decay(int step) { return fminf(0.995f, (float)(step + 1) / (float)(step + 10)); }

static void train_the_painter(Lesson *lesson, Painter *p, const Data *d)
{
    section(lesson, "Drawing what is asked");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 11);
    const int steps = painter_steps(lesson), part = steps / 8;
    p->parameters = parameters_new(arena), p->averaged = parameters_new(arena);
    p->unet = unet_new(&p->parameters, painter_config(), &rng);
    p->average = unet_new(&p->averaged, painter_config(), NULL);
    p->schedule = diffusion_schedule_new(arena, TIMES);
    parameters_copy(&p->averaged, &p->parameters);
    Optimiser adam = adam_new(arena, &p->parameters, 0.9f, 0.99f, 1e-8f, 0.0f);
    Matrix x_0 = matrix_new(arena, BATCH, PIXELS), noise = matrix_new(arena, BATCH, PIXELS),
           x_t = matrix_new(arena, BATCH, PIXELS), v = matrix_new(arena, BATCH, PIXELS),
           conditions = matrix_new(arena, BATCH, ITEMS);
    int chosen[BATCH], times[BATCH];
    UnetLearner learner = unet_learner_new(arena, &p->unet, &p->parameters);
    double losses = 0.0;
    printf("%zu parameters\n\n    step   mean loss since the last line\n", parameters_size(&p->parameters));
    for (int step = 0; step < steps; step++) {
        fill(conditions, 0.0f);
        for (int i = 0; i < BATCH; i++) {
            chosen[i] = (int)rng_below(&rng, (uint32_t)d->train.rows);
            times[i] = 1 + (int)rng_below(&rng, TIMES);
            if (rng_uniform(&rng) >= 0.1f) AT(conditions, i, d->train_items[chosen[i]]) = 1.0f;
        }
        gather_rows(x_0, d->train, chosen);
        fill_normal(noise, &rng, 0.0f, 1.0f);
        diffusion_noised(x_t, x_0, noise, times, &p->schedule);
        diffusion_velocity(v, x_0, noise, times, &p->schedule);
        const double loss = unet_learn(&learner, x_t, times, conditions, v);
        optimiser_step(&adam, learning_rate(4e-3f, step, steps));
        parameters_average(&p->averaged, &p->parameters, average_decay(step));
        losses += loss / part;
        if ((step + 1) % part == 0) printf("%8d%12.4f\n", step + 1, losses), losses = 0.0;
        lesson_progress(lesson, "garments", step + 1, steps, loss);
    }
    unet_learner_free(&learner);
}

/*
The loss never goes to zero, and should not: part of the noise cannot be told from cloth, as with the points. It says
little about drawings, too.

## Guidance

Ask the network twice about the same noisy image: once told "bag", once told nothing. The difference
$v_{bag} - v_{none}$ points to where "bag" makes a difference. **Classifier-free guidance** (无分类器引导, Ho and Salimans
2022) goes further in this direction than the network does:

$$v = v_{none} + g \, (v_{bag} - v_{none}) .$$

$g = 0$ draws any garment, $g = 1$ is the network told "bag", and with $g = 2$ what makes it a bag is exaggerated. We
draw 30 of each item at four guidances from the same noise, 20 steps of DDIM each, and call the judge. Beside them
stand three drawings without any network: the mean image of the item, thirty times; samples of a normal distribution
with the item's mean and covariance, which is all that a linear model can know; and real images.
*/

enum { GUIDANCES = 4 };
static const float guidances[GUIDANCES] = {0.0f, 1.0f, 2.0f, 4.0f};

// images (300 × 196), 0 to 1, and how many passes of one image through the network they took
static Matrix draw_garments(Lesson *lesson, const Painter *p, const Court *c, float guidance,
                            DiffusionPath path, long *passes)
{
    Matrix x = matrix_new(lesson_arena(lesson), DRAWN, PIXELS);
    Rng rng = lesson_rng(lesson, 12);
    fill_normal(x, &rng, 0.0f, 1.0f);
    UnetPredictor predictor = {.unet = &p->average, .conditions = c->conditions, .guidance = guidance};
    diffusion_draw(x, &p->schedule, path, unet_predict, &predictor, &rng);
    if (passes) *passes = predictor.passes;
    add_scalar(x, 1.0f), scale(x, 0.5f);
    return x;
}

// What can be drawn from the mean and the covariance of each item, and from its mean alone
static void draw_without_a_network(Lesson *lesson, const Data *d, Matrix means, Matrix samples)
{
    enum { EACH = DRAWN / ITEMS };
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 13);
    Matrix of_item = matrix_new(arena, CHOSEN, PIXELS), mean_image = matrix_new(arena, 1, PIXELS),
           drawn = matrix_new(arena, EACH, PIXELS);
    for (int item = 0; item < ITEMS; item++) {
        int count = 0;
        for (int n = 0; n < d->train.rows && count < CHOSEN; n++)
            if (d->train_items[n] == item)
                copy(matrix_rows(of_item, count++, 1), matrix_rows(d->train_garments.grey, n, 1));
        const Matrix real = matrix_rows(of_item, 0, count);
        column_means(mean_image, real);
        judge_gaussian(drawn, real, &rng);
        for (int i = 0; i < EACH; i++) {
            copy(matrix_rows(means, i * ITEMS + item, 1), mean_image);
            copy(matrix_rows(samples, i * ITEMS + item, 1), matrix_rows(drawn, i, 1));
        }
    }
    arena_free(arena);
}

static void plot_guidance(Lesson *lesson, const Matrix *drawn, Matrix samples)
{
    enum { SHEET = (GUIDANCES + 1) * ITEMS };
    Arena *arena = lesson_arena(lesson);
    Matrix sheet = matrix_new(arena, SHEET, PIXELS);
    const char *names[SHEET];
    for (int row = 0; row <= GUIDANCES; row++)
        for (int item = 0; item < ITEMS; item++) {
            Matrix from = row < GUIDANCES ? drawn[row] : samples;
            int place = row * ITEMS + item;
            copy(matrix_rows(sheet, place, 1), matrix_rows(from, item, 1));
            char *name = arena_alloc(arena, 40, 1);
            if (row < GUIDANCES)
                snprintf(name, 40, "%s g = %.0f", garment_items[item], (double)guidances[row]);
            else
                snprintf(name, 40, "%s Gaussian", garment_items[item]);
            names[place] = name;
        }
    Plot *plot = plot_begin(lesson, "guidance.png",
                            "Ten items at four guidances, and without a network (the lesson's seed)");
    plot_images(plot, (PlotImages){SIDE, SIDE, 1, ITEMS, 0.0f, 1.0f}, sheet, names);
    plot_end(plot, "Each column begins with the same noise. The first drawing of each item, not the best.");
}

static void plot_curves(Lesson *lesson, const JudgeReport *reports, const Court *c)
{
    float agreement[GUIDANCES], variety[GUIDANCES];
    for (int k = 0; k < GUIDANCES; k++)
        agreement[k] = (float)reports[k].agreement, variety[k] = (float)reports[k].variety;
    Plot *plot = plot_begin(lesson, "guidance_curves.svg", "Agreement rises, variety falls");
    plot_axes(plot, "guidance g", "fraction");
    plot_line_points(plot, "agreement with what was asked", guidances, agreement, GUIDANCES);
    plot_line_points(plot, "variety (real garments: 1)", guidances, variety, GUIDANCES);
    plot_horizontal(plot, "the judge on real garments", c->real.agreement);
    plot_range_y(plot, 0.0, 1.4);
    plot_end(plot, "Above the line the judge is surer of drawings than of real garments.");
}

// What later sections compare with
typedef struct {
    Matrix guided, samples; // at guidance 2; Gaussian
    JudgeReport of_plain, of_guided;
} Drawn;

static void guide(Lesson *lesson, const Painter *p, const Court *c, const Data *d, Drawn *results)
{
    section(lesson, "Guidance");
    Arena *arena = lesson_arena(lesson);
    const DiffusionPath ddim = {.steps = 20, .limit = 1.0f};
    Matrix drawn[GUIDANCES], means = matrix_new(arena, DRAWN, PIXELS),
                             samples = matrix_new(arena, DRAWN, PIXELS);
    JudgeReport reports[GUIDANCES];
    printf("                          agreement    variety   distance\n");
    for (int k = 0; k < GUIDANCES; k++) {
        char name[32];
        drawn[k] = draw_garments(lesson, p, c, guidances[k], ddim, NULL);
        reports[k] = judge_report(&c->judge, c->real, drawn[k], c->wanted);
        snprintf(name, sizeof name, "guidance %.0f", (double)guidances[k]);
        print_report(name, reports[k]);
    }
    draw_without_a_network(lesson, d, means, samples);
    JudgeReport of_means = judge_report(&c->judge, c->real, means, c->wanted),
                of_samples = judge_report(&c->judge, c->real, samples, c->wanted);
    print_report("mean image of the item", of_means), print_report("Gaussian of the item", of_samples);
    print_report("real test images", c->of_real);
    printf("\n");
    claim(lesson, reports[0].agreement <= 0.2,
          "without guidance towards an item, agreement is that of chance, 10 %%");
    claim(lesson, reports[1].agreement < 0.8, "told the item and not guided, the network stays below 80 %%");
    claim(lesson, reports[2].agreement >= 0.8, "with guidance 2 the judge agrees with at least 80 %%");
    claim(lesson,
          reports[0].variety > reports[1].variety && reports[1].variety > reports[2].variety &&
              reports[2].variety > reports[3].variety,
          "variety falls with each guidance");
    claim(lesson, reports[3].distance >= 1.3 * reports[2].distance,
          "guidance 4 is at least 1.3 times as far from real garments as guidance 2");
    claim(lesson, of_means.variety <= 0.01 && of_means.distance > reports[2].distance,
          "mean images have no variety, and are farther from real garments than guidance 2");
    claim(lesson, of_samples.agreement >= 0.8 && of_samples.distance <= 1.5 * reports[2].distance,
          "by these measures a Gaussian of each item is no worse: at least 80 %%, at most 1.5 times as far");
    *results = (Drawn){drawn[2], samples, reports[1], reports[2]};
    plot_guidance(lesson, drawn, samples), plot_curves(lesson, reports, c);
}

/*
A table to be read slowly. The mean image of an item pleases the judge, and it is one image thirty times: agreement
alone is a bad aim. Guidance buys agreement with variety. At 4 the judge is surer of the drawings than of real
garments, which is not a triumph: shirts that could be coats do exist, and are no longer drawn.

And the Gaussian? By all three measures it is as good as our U-Net, or better. That is no accident. The Fréchet
distance compares means and covariances of features, and a Gaussian of the pixels has the right means and covariances
to begin with; an item of 14 × 14 pixels in one pose is nearly a mean image plus some brightness and width. But look
at the last row of the figure: edges are smeared, and textures are those of no cloth. None of the three figures sees
that. A measure says what it measures, and a baseline tells what it cannot tell apart.

That the network at guidance 1 is below the judge's figure for real images has a plain reason: it is small, and was
trained for less than a minute. Its drawings are blurred in what tells a shirt from a coat.

Here are the first drawings at guidance 2 with which the judge does *not* agree.
*/

static void show_failures(Lesson *lesson, const Court *c, Matrix drawn)
{
    section(lesson, "Drawings that the judge takes for something else");
    enum { SHOWN = 10 };
    Arena *arena = lesson_arena(lesson);
    int classes[DRAWN], shown = 0, wrong[ITEMS] = {0};
    judge_classes(&c->judge, drawn, classes);
    Matrix sheet = matrix_new(arena, SHOWN, PIXELS);
    const char *names[SHOWN];
    for (int i = 0; i < DRAWN; i++) {
        if (classes[i] == c->wanted[i]) continue;
        wrong[c->wanted[i]]++;
        if (shown == SHOWN) continue;
        char *name = arena_alloc(arena, 64, 1);
        snprintf(name, 64, "%s? %s", garment_items[c->wanted[i]], garment_items[classes[i]]);
        copy(matrix_rows(sheet, shown, 1), matrix_rows(drawn, i, 1));
        names[shown++] = name;
    }
    printf("of 30 drawings of each item, not recognised at guidance 2:\n");
    for (int item = 0; item < ITEMS; item++)
        printf("%s %d%s", garment_items[item], wrong[item], item == ITEMS - 1 ? "\n" : ", ");
    if (!shown) return;
    Plot *plot = plot_begin(lesson, "failures.png", "Not recognised, at guidance 2 (the lesson's seed)");
    plot_images(plot, (PlotImages){SIDE, SIDE, 1, 5, 0.0f, 1.0f}, matrix_rows(sheet, 0, shown), names);
    plot_end(plot, "What was asked, and what the judge takes it for.");
}

/*
## Twenty steps or two hundred

DDPM asks the network at each of the 200 times. DDIM jumps over nine of ten. Both use the same weights and the same
noise at the beginning.
*/

static void count_the_steps(Lesson *lesson, const Painter *p, const Court *c)
{
    section(lesson, "Twenty steps or two hundred");
    long passes[2];
    const DiffusionPath paths[2] = {{.steps = 200, .randomness = 1.0f, .limit = 1.0f},
                                    {.steps = 20, .limit = 1.0f}};
    JudgeReport reports[2];
    Matrix drawn[2];
    printf("guidance 1                agreement    variety   distance   passes for an image\n");
    for (int k = 0; k < 2; k++) {
        drawn[k] = draw_garments(lesson, p, c, 1.0f, paths[k], &passes[k]);
        reports[k] = judge_report(&c->judge, c->real, drawn[k], c->wanted);
        printf("%-26s%8.1f %%%11.2f%11.1f%16ld\n", k ? "DDIM, 20 steps" : "DDPM, 200 steps",
               100.0 * reports[k].agreement, reports[k].variety, reports[k].distance, passes[k] / DRAWN);
    }
    printf("\n");
    claim(lesson, passes[0] == 10 * passes[1], "20 steps cost a tenth of 200");
    claim(lesson, reports[1].agreement >= reports[0].agreement - 0.06,
          "and lose at most 6 points of agreement");

    int threads = parallel_threads();
    parallel_set_threads(1);
    Matrix again = draw_garments(lesson, p, c, 1.0f, paths[1], NULL);
    parallel_set_threads(threads);
    claim(lesson, memcmp(again.data, drawn[1].data, matrix_size(again) * sizeof(float)) == 0,
          "the same seed draws the same bytes on one thread");
}

/*
"DDIM is as good in a tenth of the time" is often read. By agreement it is nearly true: at most 4.4 points fewer over
five seeds of this page. By distance it is not: in four of the five the 200 steps are nearer to real garments, 6.5 to
8.8 against 8.3 to 10.6, since fresh noise repairs earlier mistakes and DDIM carries them along. Print both before you
believe either.

## Does it copy?

A network that had stored the training images could draw perfectly, and would have learned nothing. For each drawing
we look up the nearest of the 60 000 training images, and do the same for real test images, which are no copies of
anything.
*/

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void look_for_copies(Lesson *lesson, const Data *d, const Drawn *results)
{
    section(lesson, "Does it copy?");
    enum { PAIRS = 8 };
    Arena *arena = lesson_arena(lesson);
    const Matrix drawn = results->guided;
    int nearest[DRAWN], unused[DRAWN];
    double distance[DRAWN], real[DRAWN], gaussian[DRAWN];
    judge_nearest(drawn, d->train_garments.grey, nearest, distance);
    judge_nearest(results->samples, d->train_garments.grey, unused, gaussian);
    judge_nearest(matrix_rows(d->test_garments.grey, 0, DRAWN), d->train_garments.grey, unused, real);
    Matrix sheet = matrix_new(arena, 2 * PAIRS, PIXELS);
    const char *names[2 * PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        copy(matrix_rows(sheet, i, 1), matrix_rows(drawn, i, 1)), names[i] = "drawn";
        copy(matrix_rows(sheet, PAIRS + i, 1), matrix_rows(d->train_garments.grey, nearest[i], 1));
        names[PAIRS + i] = "nearest";
    }
    qsort(distance, DRAWN, sizeof *distance, compare_numbers),
        qsort(real, DRAWN, sizeof *real, compare_numbers);
    qsort(gaussian, DRAWN, sizeof *gaussian, compare_numbers);
    printf("distance to the nearest training image    smallest   median\n");
    printf("real test images%33.3f%9.3f\ndrawn at guidance 2%30.3f%9.3f\n", real[0], real[DRAWN / 2],
           distance[0], distance[DRAWN / 2]);
    printf("Gaussian of the item%29.3f%9.3f\n\n", gaussian[0], gaussian[DRAWN / 2]);
    claim(lesson, distance[0] > 0.5 * real[0] && distance[0] > 0.0,
          "no drawing is a copy: the nearest is at least half as far as the nearest of the real test images");
    Plot *plot = plot_begin(lesson, "nearest.png", "Drawings, and the training images nearest to them");
    plot_images(plot, (PlotImages){SIDE, SIDE, 1, PAIRS, 0.0f, 1.0f}, sheet, names);
    plot_end(plot, "Guidance 2, the first eight drawings. Alike, and not the same.");
}

/*
## The same work for a GAN

Chapter 25 draws the same garments with a generator and a discriminator. Which is better? It depends on what both may
spend. Here both may spend the same: multiply-adds are counted, and the GAN trains until it has used as many as the
U-Net did. It is the conditional GAN of chapter 25 in short: two dense networks, batch norm in the generator, dropout
and a projection head (Miyato and Koyama 2018) in the discriminator, non-saturating losses, an average of the
generator's weights. Its learning rate is the best of four, chosen by the distance from training images.
*/

enum { GAN_BATCH = 128, LATENT = 64, TOLD = 32, G1 = 256, G2 = 512, D1 = 512, D2 = 256 };

typedef struct {
    Embedding told;
    Linear first, second, out;
    BatchNorm norm1, norm2;
} Generator;

typedef struct {
    Linear first, second, score;
    Embedding told;
} Discriminator;

static Generator generator_new(Parameters *set, Rng *rng)
{
    Generator g = {.told = embedding_new(set, "told", ITEMS, TOLD, rng, 1.0f)};
    g.first = linear_new(set, "first", LATENT + TOLD, G1, rng, INIT_HE),
    g.norm1 = batch_norm_new(set, "norm1", G1);
    g.second = linear_new(set, "second", G1, G2, rng, INIT_HE), g.norm2 = batch_norm_new(set, "norm2", G2);
    g.out = linear_new(set, "out", G2, PIXELS, rng, INIT_LECUN);
    return g;
}

static Discriminator discriminator_new(Parameters *set, Rng *rng)
{
    Discriminator d = {.first = linear_new(set, "first", PIXELS, D1, rng, INIT_HE)};
    d.second = linear_new(set, "second", D1, D2, rng, INIT_HE);
    d.score = linear_new(set, "score", D2, 1, rng, INIT_LECUN);
    d.told = embedding_new(set, "told", ITEMS, D2, rng, 1.0f / 16.0f);
    return d;
}

// z (n × 64), items [n] → images (n × 196), −1 to 1, with the statistics of this batch
static Tensor *generate(Generator *g, Tape *tape, Matrix z, const int *items)
{
    Tensor *told = embed(tape, &g->told, items, z.rows);
    Tensor *h = linear(&g->first, concat_columns(tape_input(tape, z), told));
    h = linear(&g->second, batch_normalise_relu(&g->norm1, h, true));
    return hyperbolic_tangent(linear(&g->out, batch_normalise_relu(&g->norm2, h, true)));
}

// → scores (n × 1): real above 0, drawn below
static Tensor *discriminate(const Discriminator *d, Tape *tape, Tensor *x, const int *items, Rng *rng)
{
    Tensor *h = dropout(leaky_relu(linear(&d->first, x), 0.2f), 0.3f, rng, true);
    h = dropout(leaky_relu(linear(&d->second, h), 0.2f), 0.3f, rng, true);
    Tensor *told = embed(tape, &d->told, items, x->value.rows);
    Tensor *of_item = tensor_scale(tensor_row_means(tensor_multiply(h, told)), (float)D2);
    return tensor_add(linear(&d->score, h), of_item);
}

// Multiply-adds of one step. The discriminator learns from a batch of each kind (3 passes' worth, twice) and from
// what the generator draws for it; the generator learns through the discriminator, whose weights need no gradient
// then.
static double gan_step_work(void)
{
    double generator = (LATENT + TOLD) * G1 + G1 * G2 + G2 * PIXELS,
           discriminator = PIXELS * D1 + D1 * D2 + D2;
    return GAN_BATCH * (generator + 6.0 * discriminator + 3.0 * generator + 2.0 * discriminator);
}

static double painter_work(const Lesson *lesson)
{
    UnetConfig config = painter_config();
    return 3.0 * BATCH * painter_steps(lesson) * unet_work(&config);
}

typedef struct {
    Parameters drawing, judging, averaged;
    Generator generator, average;
    Discriminator discriminator;
} Gan;

static void draw_items(int *items, int count, Rng *rng)
{
    for (int i = 0; i < count; i++) items[i] = (int)rng_below(rng, ITEMS);
}

static void train_the_gan(Lesson *lesson, Gan *gan, const Data *data, int steps)
{
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 14);
    gan->drawing = parameters_new(arena), gan->judging = parameters_new(arena),
    gan->averaged = parameters_new(arena);
    gan->generator = generator_new(&gan->drawing, &rng), gan->average = generator_new(&gan->averaged, NULL);
    gan->discriminator = discriminator_new(&gan->judging, &rng);
    parameters_copy(&gan->averaged, &gan->drawing);
    Optimiser draws = adam_new(arena, &gan->drawing, 0.5f, 0.99f, 1e-8f, 0.0f),
              judges = adam_new(arena, &gan->judging, 0.5f, 0.99f, 1e-8f, 0.0f);
    Matrix z = matrix_new(arena, GAN_BATCH, LATENT), x = matrix_new(arena, GAN_BATCH, PIXELS),
           drawn = matrix_new(arena, GAN_BATCH, PIXELS);
    int items[GAN_BATCH], chosen[GAN_BATCH], real_items[GAN_BATCH];
    const float rate = 8e-4f; // of 2e-4, 4e-4, 8e-4 and 1.6e-3
    Tape *tape = tape_new();
    for (int step = 0; step < steps; step++) {
        for (int i = 0; i < GAN_BATCH; i++) {
            chosen[i] = (int)rng_below(&rng, (uint32_t)data->train.rows);
            real_items[i] = data->train_items[chosen[i]];
        }
        gather_rows(x, data->train, chosen);
        draw_items(items, GAN_BATCH, &rng), fill_normal(z, &rng, 0.0f, 1.0f);
        tape_reset(tape), tape_record(tape, false);
        copy(drawn, generate(&gan->generator, tape, z, items)->value);
        tape_reset(tape), tape_record(tape, true);
        Tensor *of_real = discriminate(&gan->discriminator, tape, tape_input(tape, x), real_items, &rng);
        Tensor *of_drawn = discriminate(&gan->discriminator, tape, tape_input(tape, drawn), items, &rng);
        Tensor *real_loss = mean_all(softplus(tensor_scale(of_real, -1.0f))),
               *drawn_loss = mean_all(softplus(of_drawn));
        backward(tensor_add(real_loss, drawn_loss));
        optimiser_step(&judges, rate);

        draw_items(items, GAN_BATCH, &rng), fill_normal(z, &rng, 0.0f, 1.0f);
        tape_reset(tape), parameters_freeze(&gan->judging, "", true);
        Tensor *fresh = generate(&gan->generator, tape, z, items);
        Tensor *fooled = discriminate(&gan->discriminator, tape, fresh, items, &rng);
        Tensor *loss = mean_all(softplus(tensor_scale(fooled, -1.0f)));
        backward(loss);
        optimiser_step(&draws, rate);
        parameters_freeze(&gan->judging, "", false);
        parameters_average(&gan->averaged, &gan->drawing,
                           fminf(0.998f, (float)(step + 1) / (float)(step + 10)));
        lesson_progress(lesson, "the GAN", step + 1, steps, (double)loss->value.data[0]);
    }
    tape_free(tape);
}

static void compare_with_a_gan(Lesson *lesson, const Court *c, const Data *d, const Drawn *results)
{
    section(lesson, "The same work for a GAN");
    Arena *arena = lesson_arena(lesson);
    static Gan gan;
    const int steps = (int)(painter_work(lesson) / gan_step_work());
    double start = seconds_now();
    train_the_gan(lesson, &gan, d, steps);
    lesson_wipe_progress(lesson);
    fprintf(stderr, "the GAN trained for %.1f s\n", seconds_now() - start);
    printf("U-Net: %4d steps of %3d images, %.0f billion multiply-adds\n", painter_steps(lesson), BATCH,
           painter_work(lesson) / 1e9);
    printf("GAN:   %4d steps of %3d images, %.0f billion\n\n", steps, GAN_BATCH,
           steps * gan_step_work() / 1e9);
    Rng rng = lesson_rng(lesson, 15);
    Matrix z = matrix_new(arena, DRAWN, LATENT), drawn = matrix_new(arena, DRAWN, PIXELS);
    fill_normal(z, &rng, 0.0f, 1.0f);
    Arena *pass = arena_new();
    copy(drawn, generate(&gan.average, tape_inference(pass), z, c->wanted)->value);
    arena_free(pass);
    add_scalar(drawn, 1.0f), scale(drawn, 0.5f);
    JudgeReport of_gan = judge_report(&c->judge, c->real, drawn, c->wanted), of_plain = results->of_plain,
                of_guided = results->of_guided;
    printf("                          agreement    variety   distance   passes for an image\n");
    printf("%-26s%8.1f %%%11.2f%11.1f%16d\n", "GAN", 100.0 * of_gan.agreement, of_gan.variety,
           of_gan.distance, 1);
    printf("%-26s%8.1f %%%11.2f%11.1f%16d\n", "diffusion, guidance 1", 100.0 * of_plain.agreement,
           of_plain.variety, of_plain.distance, 20);
    printf("%-26s%8.1f %%%11.2f%11.1f%16d\n\n", "diffusion, guidance 2", 100.0 * of_guided.agreement,
           of_guided.variety, of_guided.distance, 40);
    claim(lesson, of_gan.agreement >= 0.7, "the judge agrees with at least 70 %% of the GAN's drawings");
    claim(lesson, of_gan.agreement > of_plain.agreement,
          "which is more than with diffusion at guidance 1, after the same work");
    claim(lesson, of_plain.distance < of_gan.distance,
          "but diffusion at guidance 1 is nearer to real garments than the GAN");
    enum { SHOWN = 10 };
    Matrix sheet = matrix_new(arena, 2 * SHOWN, PIXELS);
    const char *names[2 * SHOWN];
    for (int i = 0; i < SHOWN; i++) {
        copy(matrix_rows(sheet, i, 1), matrix_rows(drawn, i, 1));
        copy(matrix_rows(sheet, SHOWN + i, 1), matrix_rows(results->guided, i, 1));
        for (int row = 0; row < 2; row++) {
            char *name = arena_alloc(arena, 48, 1);
            snprintf(name, 48, "%s %s", garment_items[i], row ? "g = 2" : "GAN");
            names[row * SHOWN + i] = name;
        }
    }
    Plot *plot = plot_begin(lesson, "gan.png", "A GAN and diffusion after the same work (the lesson's seed)");
    plot_images(plot, (PlotImages){SIDE, SIDE, 1, SHOWN, 0.0f, 1.0f}, sheet, names);
    plot_end(plot, "Above the GAN, grainy and varied; below diffusion with guidance 2, smooth.");
}

/*
So which is better? After the same work each is ahead by one figure. The judge agrees with more of the GAN's drawings;
those of the U-Net at guidance 1 are nearer to real garments, though not by much: 8.3 to 10.6 over five seeds of this
page, the GAN 10.2 to 12.2. The GAN draws in one pass, the U-Net in twenty. And the verdict is one for this budget:
with twice the steps and more the GAN goes on improving (chapter 25), as does the U-Net. What diffusion has for itself
is how it got there: one network, one squared error, no balance to keep. Both, and that belongs here too, are still
behind the Gaussian's distance.

## From words: CLIP

DALL·E 2 (Ramesh and others 2022, who call it unCLIP) draws from words with three networks, and none of them has to be
new to us. The first is CLIP (chapter 24): two networks, one for images and one for texts, whose vectors meet when
image and text belong together. Our world is small enough to be learned in seconds: garments in eight colours, and
captions of two words that matter, "a purple sneaker". Of the 80 pairs of colour and item 64 are trained on, and 16
never seen, two of each colour. A purple sneaker is one of the 16.

In a batch of 128 there are only 64 captions, so many repeat. The loss of `common/models/clip.h` shares the target
among rows with equal captions; that chapter has shown that with equal vectors this changes neither the loss nor a
gradient.
*/

enum { PAIRS_OF_ALL = GARMENT_COLOURS * ITEMS, COLLECTED = 16000, TESTED = 160 };

typedef struct {
    Unclip networks;
    Parameters prior_average, decoder_average; // what is trained; the networks hold the averages
    Matrix vectors;                            // (COLLECTED × 48): CLIP's vectors of training images
    int rows[COLLECTED], words[COLLECTED][UNCLIP_WORDS];
    Matrix texts; // (80 × 48), row colour · 10 + item
} World;

static bool never_seen(int colour, int item) { return (item + 3 * colour) % 5 == 0; }

// A garment of the set and a colour whose pair is trained on, or is not; pixels (1 × 588), 0 to 1
static void draw_painted(Matrix pixels, Garments garments, bool unseen, Rng *rng, int *row,
                         int words[UNCLIP_WORDS])
{
    int colour;
    do {
        *row = (int)rng_below(rng, (uint32_t)garments.count);
        colour = (int)rng_below(rng, GARMENT_COLOURS);
    } while (never_seen(colour, garments.items[*row]) != unseen);
    words[0] = colour, words[1] = GARMENT_COLOURS + garments.items[*row];
    Matrix picture = matrix_reshape(pixels, PIXELS, 3);
    fill(picture, 0.0f);
    garment_paint(picture, SIDE, 0, 0, garments, *row, (GarmentColour)colour);
}

static int pair_of(const int words[UNCLIP_WORDS]) { return words[0] * ITEMS + words[1] - GARMENT_COLOURS; }

static void fit_clip(Lesson *lesson, World *w, const Data *d)
{
    enum { CLIP_BATCH = 128 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 16);
    const int steps = lesson_full(lesson) ? 10000 : 2000;
    Clip *clip = &w->networks.clip;
    Optimiser adam = adam_new(arena, &w->networks.clip_set, 0.9f, 0.99f, 1e-8f, 0.0f);
    Matrix pixels = matrix_new(arena, CLIP_BATCH, UNCLIP_NUMBERS);
    int words[CLIP_BATCH][UNCLIP_WORDS], captions[CLIP_BATCH], row;
    const float largest_scale = log32(30.0f);
    Tape *tape = tape_new();
    for (int step = 0; step < steps; step++) {
        for (int i = 0; i < CLIP_BATCH; i++) {
            draw_painted(matrix_rows(pixels, i, 1), d->train_garments, false, &rng, &row, words[i]);
            captions[i] = pair_of(words[i]);
        }
        tape_reset(tape);
        Tensor *images = clip_images(clip, tape, pixels);
        Tensor *texts = clip_texts(clip, tape, words[0], CLIP_BATCH);
        Tensor *loss = contrastive_loss(images, texts, clip->log_scale, captions);
        backward(loss);
        optimiser_step(&adam, 2e-3f * (1.0f - (float)step / (float)steps));
        float *scale_of = clip->log_scale->value.data;
        *scale_of = fminf(*scale_of, largest_scale);
        lesson_progress(lesson, "CLIP", step + 1, steps, (double)loss->value.data[0]);
    }
    tape_free(tape);
}

// Painted test images as CLIP's vectors and pixels, −1 to 1
typedef struct {
    Matrix pixels, vectors;
    int words[TESTED][UNCLIP_WORDS];
} Asked;

static Asked ask_for(Arena *arena, const World *w, const Data *d, bool unseen, Rng *rng)
{
    Asked a = {.pixels = matrix_new(arena, TESTED, UNCLIP_NUMBERS)};
    int row;
    for (int i = 0; i < TESTED; i++)
        draw_painted(matrix_rows(a.pixels, i, 1), d->test_garments, unseen, rng, &row, a.words[i]);
    scale(a.pixels, 2.0f), add_scalar(a.pixels, -1.0f);
    a.vectors = unclip_look(arena, &w->networks, a.pixels);
    return a;
}

// The fraction of images whose vector is nearest to the vector of their own caption, of all 80
static double zero_shot(const Asked *a, Matrix texts)
{
    int right = 0;
    for (int i = 0; i < TESTED; i++) {
        int best = 0;
        double most = -INFINITY;
        for (int k = 0; k < PAIRS_OF_ALL; k++) {
            double product_of = dot(matrix_rows(a->vectors, i, 1), matrix_rows(texts, k, 1));
            if (product_of > most) most = product_of, best = k;
        }
        right += best == pair_of(a->words[i]);
    }
    return (double)right / TESTED;
}

static void train_clip(Lesson *lesson, World *w, const Data *d, Asked asked[2])
{
    section(lesson, "From words: CLIP");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 17), drawing = lesson_rng(lesson, 18);
    w->networks = unclip_new(arena, &rng);
    fit_clip(lesson, w, d);
    int all[PAIRS_OF_ALL][UNCLIP_WORDS];
    for (int k = 0; k < PAIRS_OF_ALL; k++) all[k][0] = k / ITEMS, all[k][1] = GARMENT_COLOURS + k % ITEMS;
    w->texts = unclip_texts(arena, &w->networks, all[0], PAIRS_OF_ALL);
    for (int unseen = 0; unseen < 2; unseen++) asked[unseen] = ask_for(arena, w, d, unseen, &drawing);
    double seen = zero_shot(&asked[0], w->texts), unseen = zero_shot(&asked[1], w->texts);
    printf("the right caption of 80 for a test image: %.1f %% of trained pairs, %.1f %% of never seen ones; "
           "chance %.2f %%\n\n",
           100.0 * seen, 100.0 * unseen, 100.0 / PAIRS_OF_ALL);
    claim(lesson, seen >= 0.75, "CLIP finds the caption of at least 75 %% of test images of trained pairs");
    claim(lesson, unseen >= 0.25, "and of at least a quarter of images of pairs that it has never seen");
}

/*
## The prior

A text has one vector, and many images go with it, each with a vector of its own. They meet, and are not the same:
texts and images of CLIP lie in two different regions. The decoder will be trained on vectors of images, so somebody
has to guess one from the text. That is the **prior** (先验): a diffusion model again, whose data are not images but
vectors of 48 numbers. Its denoiser is a network of three residual blocks that is told the time and the text's vector;
it is trained on 16 000 garments with their captions, and draws in 20 steps of DDIM.
*/

static void collect_vectors(Lesson *lesson, World *w, const Data *d)
{
    enum { AT_ONCE = 500 };
    Arena *arena = lesson_arena(lesson), *scratch = arena_new();
    Rng rng = lesson_rng(lesson, 19);
    w->vectors = matrix_new(arena, COLLECTED, UNCLIP_FEATURES);
    Matrix pixels = matrix_new(arena, AT_ONCE, UNCLIP_NUMBERS);
    for (int first = 0; first < COLLECTED; first += AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++)
            draw_painted(matrix_rows(pixels, i, 1), d->train_garments, false, &rng, &w->rows[first + i],
                         w->words[first + i]);
        scale(pixels, 2.0f), add_scalar(pixels, -1.0f);
        copy(matrix_rows(w->vectors, first, AT_ONCE), unclip_look(scratch, &w->networks, pixels));
        arena_reset(scratch);
    }
    arena_free(scratch);
}

static void fit_prior(Lesson *lesson, World *w)
{
    enum { PRIOR_BATCH = 256 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 20);
    const int steps = lesson_full(lesson) ? 3000 : 300;
    const DiffusionSchedule *schedule = &w->networks.schedule;
    Parameters set = parameters_new(arena);
    Prior prior = prior_new(&set, &rng);
    parameters_copy(&w->networks.prior_set, &set);
    Optimiser adam = adam_new(arena, &set, 0.9f, 0.99f, 1e-8f, 0.0f);
    Matrix z_0 = matrix_new(arena, PRIOR_BATCH, UNCLIP_FEATURES),
           noise = matrix_new(arena, PRIOR_BATCH, UNCLIP_FEATURES),
           z_t = matrix_new(arena, PRIOR_BATCH, UNCLIP_FEATURES),
           v = matrix_new(arena, PRIOR_BATCH, UNCLIP_FEATURES),
           texts = matrix_new(arena, PRIOR_BATCH, UNCLIP_FEATURES);
    int chosen[PRIOR_BATCH], pairs[PRIOR_BATCH], times[PRIOR_BATCH];
    Tape *tape = tape_new();
    for (int step = 0; step < steps; step++) {
        for (int i = 0; i < PRIOR_BATCH; i++) {
            chosen[i] = (int)rng_below(&rng, COLLECTED), pairs[i] = pair_of(w->words[chosen[i]]);
            times[i] = 1 + (int)rng_below(&rng, TIMES);
        }
        gather_rows(z_0, w->vectors, chosen), gather_rows(texts, w->texts, pairs);
        fill_normal(noise, &rng, 0.0f, 1.0f);
        diffusion_noised(z_t, z_0, noise, times, schedule),
            diffusion_velocity(v, z_0, noise, times, schedule);
        tape_reset(tape);
        Tensor *loss = mean_squared_error(prior_forward(&prior, tape, z_t, times, texts), v);
        backward(loss);
        optimiser_step(&adam, learning_rate(2e-3f, step, steps));
        parameters_average(&w->networks.prior_set, &set, fminf(0.99f, average_decay(step)));
        lesson_progress(lesson, "prior", step + 1, steps, (double)loss->value.data[0]);
    }
    tape_free(tape);
}

// The mean cosine of the angle between rows
static double mean_cosine(Matrix a, Matrix b)
{
    double total = 0.0;
    for (int i = 0; i < a.rows; i++) {
        Matrix x = matrix_rows(a, i, 1), y = matrix_rows(b, i, 1);
        total += dot(x, y) / (norm(x) * norm(y)) / a.rows;
    }
    return total;
}

// What is drawn for each request: the texts' vectors and what the prior makes of them
typedef struct {
    Matrix texts, priors;
} Meant;

static void train_prior(Lesson *lesson, World *w, const Data *d, const Asked asked[2], Meant meant[2])
{
    section(lesson, "The prior");
    Arena *arena = lesson_arena(lesson);
    collect_vectors(lesson, w, d);
    fit_prior(lesson, w);
    Rng rng = lesson_rng(lesson, 21);
    double of_text[2], of_prior[2];
    printf("cosine with the vector of a real image of the pair\n                  text's vector   prior's\n");
    for (int unseen = 0; unseen < 2; unseen++) {
        meant[unseen].texts = unclip_texts(arena, &w->networks, asked[unseen].words[0], TESTED);
        meant[unseen].priors = unclip_image_vectors(arena, &w->networks, meant[unseen].texts, &rng);
        of_text[unseen] = mean_cosine(asked[unseen].vectors, meant[unseen].texts);
        of_prior[unseen] = mean_cosine(asked[unseen].vectors, meant[unseen].priors);
        printf("%-18s%13.3f%10.3f\n", unseen ? "never seen pairs" : "trained pairs", of_text[unseen],
               of_prior[unseen]);
    }
    printf("\n");
    claim(lesson, of_prior[0] >= of_text[0] + 0.01 && of_prior[1] >= of_text[1] + 0.01,
          "the prior moves the text's vector at least .01 nearer to the image's, on trained and on unseen "
          "pairs");
}

/*
## The decoder

The third network is the U-Net once more: three channels instead of one, and told not one of ten items but the vector
of an image, 48 numbers. For one image in ten the vector is withheld, for guidance. It is trained on vectors of
*images*; when it draws, it gets one from the prior.
*/

enum { DECODER_BATCH = 32 };

static void fit_decoder(Lesson *lesson, World *w, const Data *d)
{
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 22);
    const int steps = lesson_full(lesson) ? 8000 : 2200, part = steps / 8;
    const DiffusionSchedule *schedule = &w->networks.schedule;
    Parameters set = parameters_new(arena);
    Unet unet = unet_new(&set, unclip_decoder_config(), &rng);
    parameters_copy(&w->networks.decoder_set, &set);
    Optimiser adam = adam_new(arena, &set, 0.9f, 0.99f, 1e-8f, 0.0f);
    Matrix x_0 = matrix_new(arena, DECODER_BATCH, UNCLIP_NUMBERS),
           noise = matrix_new(arena, DECODER_BATCH, UNCLIP_NUMBERS),
           x_t = matrix_new(arena, DECODER_BATCH, UNCLIP_NUMBERS),
           v = matrix_new(arena, DECODER_BATCH, UNCLIP_NUMBERS),
           vectors = matrix_new(arena, DECODER_BATCH, UNCLIP_FEATURES);
    int times[DECODER_BATCH];
    double losses = 0.0;
    UnetLearner learner = unet_learner_new(arena, &unet, &set);
    printf("%zu parameters\n\n    step   mean loss since the last line\n", parameters_size(&set));
    for (int step = 0; step < steps; step++) {
        for (int i = 0; i < DECODER_BATCH; i++) {
            int chosen = (int)rng_below(&rng, COLLECTED);
            Matrix picture = matrix_reshape(matrix_rows(x_0, i, 1), PIXELS, 3),
                   vector = matrix_rows(vectors, i, 1);
            fill(picture, 0.0f);
            garment_paint(picture, SIDE, 0, 0, d->train_garments, w->rows[chosen],
                          (GarmentColour)w->words[chosen][0]);
            copy(vector, matrix_rows(w->vectors, chosen, 1));
            times[i] = 1 + (int)rng_below(&rng, TIMES);
            if (rng_uniform(&rng) < 0.1f) fill(vector, 0.0f);
        }
        scale(x_0, 2.0f), add_scalar(x_0, -1.0f);
        fill_normal(noise, &rng, 0.0f, 1.0f);
        diffusion_noised(x_t, x_0, noise, times, schedule),
            diffusion_velocity(v, x_0, noise, times, schedule);
        const double loss = unet_learn(&learner, x_t, times, vectors, v);
        optimiser_step(&adam, learning_rate(8e-3f, step, steps));
        parameters_average(&w->networks.decoder_set, &set, average_decay(step));
        losses += loss / part;
        if ((step + 1) % part == 0) printf("%8d%12.4f\n", step + 1, losses), losses = 0.0;
        lesson_progress(lesson, "decoder", step + 1, steps, loss);
    }
    unet_learner_free(&learner);
}

static void train_decoder(Lesson *lesson, World *w, const Data *d)
{
    section(lesson, "The decoder");
    fit_decoder(lesson, w, d);
    const char *build = getenv("COURSE_BUILD");
    char folder[2048];
    snprintf(folder, sizeof folder, "%s/models/26-diffusion", build && *build ? build : "build");
    unclip_save(folder, &w->networks);
}

/*
The three networks are kept: `make draw PROMPT="a purple sneaker"` draws with them, in the terminal and as a PNG.

## A purple sneaker

Is what comes out what was asked? The item is judged by the judge, which looks at the largest of red, green and blue
of each pixel; the colour is the one whose direction is nearest. Both must be right. Three ways to make an image, all
with guidance 2, are asked for the same captions, 160 of trained pairs and 160 of pairs that no network has seen: the
vector of a real image straight into the decoder, text and prior and decoder, and the text's vector straight into the
decoder, without a prior. Beside them: real garments, painted.
*/

typedef struct {
    double item, colour, both;
    bool right[TESTED];
} Verdict;

// pixels (160 × 588), −1 to 1
static Verdict judge_painted(const Court *c, Matrix pixels, int (*words)[UNCLIP_WORDS])
{
    Arena *arena = arena_new();
    Matrix grey = matrix_new(arena, pixels.rows, PIXELS), light = matrix_new(arena, PIXELS, 3);
    int classes[TESTED];
    Verdict v = {.item = 0.0};
    for (int i = 0; i < pixels.rows; i++)
        for (int p = 0; p < PIXELS; p++) {
            const float *rgb = &AT(pixels, i, 3 * p);
            AT(grey, i, p) = 0.5f * (fmaxf(rgb[0], fmaxf(rgb[1], rgb[2])) + 1.0f);
        }
    judge_classes(&c->judge, grey, classes);
    for (int i = 0; i < pixels.rows; i++) {
        for (int k = 0; k < UNCLIP_NUMBERS; k++) light.data[k] = 0.5f * (AT(pixels, i, k) + 1.0f);
        bool item = classes[i] == words[i][1] - GARMENT_COLOURS,
             colour = (int)garment_colour(light) == words[i][0];
        v.right[i] = item && colour;
        v.item += (double)item / pixels.rows, v.colour += (double)colour / pixels.rows;
        v.both += (double)v.right[i] / pixels.rows;
    }
    arena_free(arena);
    return v;
}

static const char *caption_of(Arena *arena, const int words[UNCLIP_WORDS], const char *more)
{
    char *name = arena_alloc(arena, 64, 1);
    snprintf(name, 64, "%s %s%s", garment_colours[words[0]], garment_items[words[1] - GARMENT_COLOURS], more);
    return name;
}

// The first six right and the first six wrong drawings of each kind
static void plot_drawings(Lesson *lesson, const Matrix drawn[2], const Verdict verdicts[2], Asked asked[2])
{
    enum { ACROSS = 6 };
    Arena *arena = lesson_arena(lesson);
    Matrix sheet = matrix_new(arena, 4 * ACROSS, UNCLIP_NUMBERS);
    const char *names[4 * ACROSS];
    int place = 0;
    for (int unseen = 0; unseen < 2; unseen++)
        for (int right = 1; right >= 0; right--)
            for (int i = 0, shown = 0; i < TESTED && shown < ACROSS; i++) {
                if (verdicts[unseen].right[i] != right) continue;
                copy(matrix_rows(sheet, place, 1), matrix_rows(drawn[unseen], i, 1));
                names[place++] = caption_of(arena, asked[unseen].words[i], right ? ": right" : ": wrong");
                shown++;
            }
    Plot *plot =
        plot_begin(lesson, "words.png",
                   "Drawn from words: trained pairs above, unseen pairs below (g = 2, the lesson's seed)");
    plot_images(plot, (PlotImages){SIDE, SIDE, 3, ACROSS, -1.0f, 1.0f}, matrix_rows(sheet, 0, place), names);
    plot_end(plot, "The first six that are right and the first six that are wrong, of each kind.");
}

static void plot_sneakers(Lesson *lesson, const World *w)
{
    enum { SEEDS = 4, PROMPTS = 4, SHOWN = SEEDS * PROMPTS };
    static const char *const prompts[PROMPTS] = {"a purple sneaker", "a green bag", "a red dress",
                                                 "a cyan boot"};
    Arena *arena = lesson_arena(lesson);
    Matrix sheet = matrix_new(arena, SHOWN, UNCLIP_NUMBERS);
    const char *names[SHOWN];
    for (int p = 0; p < PROMPTS; p++) {
        int words[UNCLIP_WORDS];
        const char *problem = unclip_words(words, prompts[p]);
        check(!problem, "ask for a colour and an item", "%s", problem);
        for (int seed = 1; seed <= SEEDS; seed++) {
            Rng rng = rng_new((uint64_t)seed, 0);
            int place = p * SEEDS + seed - 1;
            Matrix x = unclip_draw(arena, &w->networks, words, 1, (UnclipDrawing){2.0f, 20}, &rng);
            copy(matrix_rows(sheet, place, 1), x);
            char *name = arena_alloc(arena, 64, 1);
            snprintf(name, 64, "%s%s, seed %d", prompts[p],
                     never_seen(words[0], words[1] - GARMENT_COLOURS) ? "*" : "", seed);
            names[place] = name;
        }
    }
    Plot *plot = plot_begin(lesson, "sneaker.png", "What make draw shows, at guidance 2");
    plot_images(plot, (PlotImages){SIDE, SIDE, 3, SEEDS, -1.0f, 1.0f}, sheet, names);
    plot_end(plot, "Not chosen: seeds 1 to 4 of each prompt. *: a pair that no network has seen. The same "
                   "seed draws the "
                   "same bytes everywhere.");
}

static void draw_from_words(Lesson *lesson, World *w, const Court *c, Asked asked[2], Meant meant[2])
{
    section(lesson, "A purple sneaker");
    enum { WAYS = 4 };
    static const char *const names[WAYS] = {"real garments, painted", "image's vector", "text, then prior",
                                            "text, no prior"};
    Arena *arena = lesson_arena(lesson);
    Verdict verdicts[WAYS][2];
    Matrix drawn[WAYS][2];
    printf("                              trained pairs            never seen pairs\n");
    printf("                          item   colour   both      item   colour   both\n");
    for (int way = 0; way < WAYS; way++) {
        printf("%-24s", names[way]);
        for (int unseen = 0; unseen < 2; unseen++) {
            Rng rng = lesson_rng(lesson, 23);
            const Matrix from[WAYS] = {{0}, asked[unseen].vectors, meant[unseen].priors, meant[unseen].texts};
            const UnclipDrawing how = {2.0f, 20};
            drawn[way][unseen] =
                way ? unclip_decode(arena, &w->networks, from[way], how, &rng) : asked[unseen].pixels;
            Verdict v = judge_painted(c, drawn[way][unseen], asked[unseen].words);
            verdicts[way][unseen] = v;
            printf("%6.3f%9.3f%7.3f    ", v.item, v.colour, v.both);
        }
        printf("\n");
    }
    printf("chance%42.4f%30.4f\n\n", 1.0 / PAIRS_OF_ALL, 1.0 / PAIRS_OF_ALL);
    claim(lesson, verdicts[2][0].both >= 0.7,
          "drawn from words, item and colour are right on at least 70 %% of trained pairs");
    claim(lesson, verdicts[2][1].both >= 0.4, "and on at least 40 %% of pairs that no network has seen");
    claim(lesson, verdicts[2][0].colour >= 0.9 && verdicts[2][1].colour >= 0.85,
          "the colour is right on at least 90 and 85 %%");
    claim(lesson, verdicts[2][0].both + verdicts[2][1].both > verdicts[3][0].both + verdicts[3][1].both,
          "of all 320 requests, more are right with the prior than without it");
    plot_drawings(lesson, drawn[2], verdicts[2], asked);
    plot_sneakers(lesson, w);

    int words[UNCLIP_WORDS];
    unclip_words(words, "a purple sneaker");
    Rng rng = rng_new(1, 0), same = rng_new(1, 0);
    int threads = parallel_threads();
    Matrix one = unclip_draw(arena, &w->networks, words, 1, (UnclipDrawing){2.0f, 20}, &rng);
    parallel_set_threads(1);
    Matrix two = unclip_draw(arena, &w->networks, words, 1, (UnclipDrawing){2.0f, 20}, &same);
    parallel_set_threads(threads);
    claim(lesson, memcmp(one.data, two.data, matrix_size(one) * sizeof(float)) == 0,
          "the same words and the same seed give the same bytes on one thread");
}

/*
The decoder is best with what the prior gives it, better even than with the vectors of real images, and the reason is
the same as that of guidance: the prior says what is typical of a caption, and a real shirt may look like a coat. The
text's own vector does less well, and most of all on unseen pairs: over five seeds 41 to 71 % are right with it, and
64 to 73 % with the prior. That is not a law. In other trainings of these networks, with another CLIP, the prior moved
the vector towards the image's just as here and the drawings were no better for it; the cosine and the drawing are two
measures, and the second is the one that counts.

Look at the pictures, too. Sandals and pullovers fail more than bags and boots; colours hardly ever do. What is joined
here are two words that the network has seen often, only never together. That is a small thing beside what DALL·E 2
does with hundreds of millions of captioned images, and it is the same thing.
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "26-diffusion",
                                  "Diffusion and DALL·E 2: images out of noise, and out of words");
    Arena *arena = lesson_arena(lesson);
    Data data = data_new(arena);
    noise_in_small_steps(lesson, &data);

    DiffusionSchedule schedule = diffusion_schedule_new(arena, TIMES);
    Rng rng = lesson_rng(lesson, 2);
    PointNet points = point_net_new(arena, &rng);
    check_the_steps(lesson, &schedule);
    answer_in_two_dimensions(lesson, &points, &schedule);
    draw_in_two_dimensions(lesson, &points, &schedule);

    static Court court;
    static Painter painter;
    static Drawn drawn;
    train_the_judge(lesson, &court, &data);
    train_the_painter(lesson, &painter, &data);
    guide(lesson, &painter, &court, &data, &drawn);
    show_failures(lesson, &court, drawn.guided);
    count_the_steps(lesson, &painter, &court);
    look_for_copies(lesson, &data, &drawn);
    compare_with_a_gan(lesson, &court, &data, &drawn);

    static World world;
    static Asked asked[2];
    Meant meant[2];
    train_clip(lesson, &world, &data, asked);
    train_prior(lesson, &world, &data, asked, meant);
    train_decoder(lesson, &world, &data);
    draw_from_words(lesson, &world, &court, asked, meant);
    return lesson_end(lesson);
}

/*
## What to take along

- Many small steps of noise are one step in closed form, so a training example costs one draw of noise and one pass.
- A network is asked for $v$, from which image and noise follow by a rotation. The loss is a squared error, and what
  is left of it at the end is mostly what nobody can know.
- Drawing asks again and again: DDPM takes small steps with fresh noise, DDIM long ones with the noise that is there.
- Guidance goes past the condition, away from "nothing in particular". It buys agreement with variety.
- Agreement alone is pleased by one image repeated, and a distance of means and covariances by a model that has only
  means and covariances. Look at drawings, and at how far they are from anything real.
- DALL·E 2 is CLIP, a prior and a decoder. It joined a colour and an item that it had never seen together.

Chapter 27 makes an image without training any network at all: it moves the pixels.

## Check yourself

**1.** $\bar\alpha_t = 0.64$, a pixel is $x_0 = 1$, its noise is $\varepsilon = -0.5$. What are $x_t$ and $v$?

<details><summary>Answer</summary>

$\sqrt{0.64} = 0.8$ and $\sqrt{0.36} = 0.6$, so $x_t = 0.8 - 0.3 = 0.5$ and $v = -0.4 - 0.6 = -1$. Back: $0.8 \cdot
0.5 + 0.6 \cdot 1 = 1$.

</details>

**2.** The network is shown pure noise at $t = T$ and knows nothing. What is its best guess of $x_0$, and what would a
single step of DDIM from there to 0 draw?

<details><summary>Answer</summary>

The mean of all training images (of the item, if it is told one): a blurred average. One long step draws just that.
Many steps decide one thing after the other.

</details>

**3.** Why is the item withheld in one example of ten?

<details><summary>Answer</summary>

Guidance needs $v_{none}$, what the network says of an image of no particular item. Without such examples a row of
zeros would be an input that it has never seen.

</details>

**4.** What does guidance 2 cost beside variety?

<details><summary>Answer</summary>

Two passes in each step in the place of one. And it leaves the distribution that was learned: at guidance 4 the
drawings are farther from real garments than at 2.

</details>

**5.** A report says "our generator reaches 99 % agreement". What do you ask for?

<details><summary>Answer</summary>

The classifier's agreement on real images, the variety within a class, the drawings themselves, and the same figures
for a mean image and for a Gaussian. The mean image of each item would have been a strong entry.

</details>

## Sources

- J. Sohl-Dickstein, E. Weiss, N. Maheswaranathan, S. Ganguli, *Deep unsupervised learning using nonequilibrium
  thermodynamics*, 2015: noise in small steps, and its reversal.
- J. Ho, A. Jain, P. Abbeel, *Denoising diffusion probabilistic models*, 2020: DDPM, the closed form (eq. 4), the
  posterior (eq. 6 and 7), the U-Net.
- A. Nichol, P. Dhariwal, *Improved denoising diffusion probabilistic models*, 2021: the cosine schedule.
- J. Song, C. Meng, S. Ermon, *Denoising diffusion implicit models*, 2021: DDIM.
- T. Salimans, J. Ho, *Progressive distillation for fast sampling of diffusion models*, 2022: v-prediction.
- J. Ho, T. Salimans, *Classifier-free diffusion guidance*, 2022.
- A. Ramesh, P. Dhariwal, A. Nichol, C. Chu, M. Chen, *Hierarchical text-conditional image generation with CLIP
  latents*, 2022: DALL·E 2, prior and decoder.
- M. Heusel and others, *GANs trained by a two time-scale update rule converge to a local Nash equilibrium*, 2017: the
  Fréchet distance of features; T. Miyato, M. Koyama, *cGANs with projection discriminator*, 2018.
- H. Xiao, K. Rasul, R. Vollgraf, *Fashion-MNIST*, 2017.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade26` tells how far you are, `make
hint26` helps.

- **TASK 26.1** the cosine schedule.
- **TASK 26.2** noise in one step, and the target.
- **TASK 26.3** image and noise, taken apart again.
- **TASK 26.4** a step of DDIM.
- **TASK 26.5** a step of DDPM with guidance, cut to where images lie.

And without a computer, or with five minutes at one:

**1.** What if the noise of the way forward were not shrunk against: $x_t = x_{t-1} + \sqrt{\beta_t} \,
\varepsilon_t$? Which of the formulas survive?

<details><summary>Answer</summary>

$x_t = x_0 + \sigma_t \varepsilon$ with $\sigma_t^2 = \sum \beta$: also closed, and used by other authors. But the
input's size then grows with $t$, so it must be scaled for the network, and drawing begins at noise of deviation
$\sigma_T$.

</details>

**2.** Show that $\lVert v - \hat v \rVert^2 = \lVert x_0 - \hat x_0 \rVert^2 / (1 - \bar\alpha_t)$. Which times
does the loss of $v$ care about more than that of $x_0$?

<details><summary>Answer</summary>

$x_0 - \hat x_0 = -\sqrt{1 - \bar\alpha_t} \, (v - \hat v)$, since $x_t$ is the same for both. The factor is large
where little noise is: the loss of $v$ cares about details.

</details>

**3.** Try `make draw PROMPT="a purple sneaker" GUIDANCE=0` and `GUIDANCE=8`. What do you expect to see?

<details><summary>Answer</summary>

At 0 the words have no say: any garment in any colour. At 8 everything is pushed to the bounds: flat, full colours and
hard edges, nearly the same for every seed.

</details>

**4.** With how many steps can you still tell a sneaker (`STEPS=1`, 2, 3, 5)?

<details><summary>Answer</summary>

One step draws the mean image of what the vector stands for, blurred and dark. With three to five an edge appears. Try
it: the colour is there first.

</details>
*/
