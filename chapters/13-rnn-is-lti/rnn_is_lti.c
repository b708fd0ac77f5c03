/*
# An RNN is a linear system is a convolution

Push a swing once. It answers for a minute: forth, back, forth again, a little less each time. What it does
now depends on a push long ago, and yet a swing keeps no diary. All that it has are two numbers, where it is
and how fast it moves. They carry the whole past.

A **recurrent neural network** (循环神经网络), RNN, is built in the same way: a few numbers, the **state**
(状态), which every input changes and from which every output is read. Leave out the bend, and it is letter
for letter what control engineers call a **discrete linear time-invariant system** (离散线性时不变系统),
LTI. And every such system is a **convolution** (卷积): its output is a weighted sum of past inputs, with
weights that depend only on how long ago they came.

So there are three ways to compute the same numbers, and we will compute them in all three. Then we turn
round: somebody shows us only the pushes and the movement, and we train a network until it does the same.
Engineers call that **system identification** (系统辨识), and have done it since long before networks
learned anything. We will find their numbers in our weights.

You need chapters 6 and 7.
*/

#include "base/mathf.h"
#include "learning/least_squares.h"
#include "learning/op_recurrent.h"
#include "lesson/csv.h"
#include "lesson/lesson.h"
#include "lesson/plot.h"
#include "matrix/eigen.h"
#include "models/nn.h"

#include <string.h>

/*
## A mass on a spring

A mass of $m = 1$ kg hangs on a spring of $k = 4$ N/m; oil slows it down, $c = 0.4$ N s/m; a force $F$ pushes
it. Newton says $m \ddot p + c\, \dot p + k p = F$. With the position $p$ and the speed $v$ as the state
$x = (p, v)$, the force as input $u$ and the position as output $y$, that is

$$\dot x = A_c x + B_c u, \qquad y = C x + D u, \qquad
A_c = \begin{pmatrix} 0 & 1 \\ -k/m & -c/m \end{pmatrix}, \quad B_c = \begin{pmatrix} 0 \\ 1/m \end{pmatrix}.$$

$C$ says what we look at, $(1, 0)$ for the position. $D$ is what the output sees of the input at once: for
the position nothing, 0. But put an accelerometer on the mass: $\ddot p = (F - k p - c v)/m$, so
$C = (-k/m, -c/m)$ and $D = 1/m$. A push is felt in the moment it comes.

Our second machine has two masses of 1 kg in a row, held by springs of 4 and 3 N/m, slowed by 0.3 and
0.2 N s/m. We push the first mass and watch the second. Its state has four numbers.
*/

enum { MOST_STATES = 5 };

// One input, one output: a (n × n), b (n × 1), c (1 × n), d (1 × 1). In continuous time x' = dx/dt, in discrete
// time the next state: x' = a x + b u, y = c x + d u.
typedef struct {
    Matrix a, b, c, d;
} System;

static System system_new(Arena *arena, int n, const float *a, const float *b, const float *c, float d)
{
    return (System){matrix_from(arena, n, n, a), matrix_from(arena, n, 1, b), matrix_from(arena, 1, n, c),
                    matrix_from(arena, 1, 1, &d)};
}

static System spring(Arena *arena)
{
    return system_new(arena, 2, (float[]){0, 1, -4, -0.4f}, (float[]){0, 1}, (float[]){1, 0}, 0);
}

static System spring_accelerometer(Arena *arena)
{
    return system_new(arena, 2, (float[]){0, 1, -4, -0.4f}, (float[]){0, 1}, (float[]){-4, -0.4f}, 1);
}

static System two_masses(Arena *arena) // x = (p₁, v₁, p₂, v₂)
{
    const float a[] = {0, 1, 0, 0, -7, -0.5f, 3, 0.2f, 0, 0, 0, 1, 3, 0.2f, -3, -0.2f};
    return system_new(arena, 4, a, (float[]){0, 1, 0, 0}, (float[]){0, 0, 1, 0}, 0);
}

/*
A computer looks only every $\Delta t$ seconds. Between two looks it holds the force still; this is called a
**zero-order hold** (零阶保持). For a force that stands still the equation can be solved exactly:

$$x_{t+1} = A x_t + B u_t, \qquad
\begin{pmatrix} A & B \\ 0 & 1 \end{pmatrix} = \exp \left[ \begin{pmatrix} A_c & B_c \\ 0 & 0 \end{pmatrix} \Delta t \right].$$

The exponential of a matrix is the series that you know, $e^M = 1 + M + M^2/2 + \dots$;
`common/matrix/eigen.c` adds it up.
*/

static System sample(Arena *arena, System s, double dt)
{
    int n = s.a.rows;
    Matrix m = matrix_new(arena, n + 1, n + 1);
    for (int i = 0; i < n; i++) {
        copy_columns(matrix_rows(m, i, 1), 0, matrix_rows(s.a, i, 1), 0, n);
        AT(m, i, n) = s.b.data[i];
    }
    matrix_exponential(m, m, dt);
    System sampled = {matrix_new(arena, n, n), matrix_new(arena, n, 1), s.c, s.d};
    copy_columns(sampled.a, 0, matrix_rows(m, 0, n), 0, n);
    copy_columns(sampled.b, 0, matrix_rows(m, 0, n), n, 1);
    return sampled;
}

/*
The eigenvalues of the matrix are called the **poles** (极点) of the system. The spring has a pair,
$s = -0.2 \pm 1.99i$ per second. The real part says how fast a movement dies out: like $e^{-0.2 t}$, with a
time constant of 5 s. The imaginary part is its frequency, 1.99 rad/s or 0.317 Hz. What becomes of a pole when
the machine is sampled? A movement $e^{st}$, looked at every $\Delta t$, is multiplied from look to look by

$$z = e^{s \Delta t},$$

and that must be the eigenvalue of $A$: its size is the loss of each step, its angle the turn of each step.

But an angle has no memory of full turns. A movement that turns by more than half a circle between two looks
is taken for a slower one: this is **aliasing** (混叠), and half the sampling frequency, the highest that can be
told, is the **Nyquist frequency** (奈奎斯特频率). What happens if we look at our spring only every 2 seconds?
*/

static Complex first_pole(System s) // the largest; of a pair the one that turns to the left
{
    Complex poles[MOST_STATES];
    eigenvalues(poles, s.a);
    return poles[0];
}

static const double turn = 2.0 * 3.14159265358979;
static const double spring_step = 0.1, masses_step = 0.15; // seconds

static void print_poles(const char *name, System s)
{
    Complex poles[MOST_STATES];
    eigenvalues(poles, s.a);
    printf("%s", name);
    for (int i = 0; i < s.a.rows; i++)
        if (poles[i].im > 0.0)
            printf("   %.4f ± %.4fi (size %.4f)", poles[i].re, poles[i].im, complex_size(poles[i]));
    printf("\n");
}

static void look_at_the_machines(Lesson *lesson)
{
    section(lesson, "A mass on a spring");
    Arena *arena = lesson_arena(lesson);
    System s = sample(arena, spring(arena), spring_step);
    matrix_print(stdout, "A", s.a, 4);
    matrix_print(stdout, "B", s.b, 5);
    print_poles("spring, every 0.10 s:    ", s);
    print_poles("two masses, every 0.15 s:", sample(arena, two_masses(arena), masses_step));
    printf("\nsampled every     Nyquist frequency     the spring seems to swing at\n");
    const double steps[] = {0.1, 1.0, 2.0};
    double seen[3];
    for (int k = 0; k < 3; k++) {
        seen[k] = complex_angle(first_pole(sample(arena, spring(arena), steps[k]))) / (turn * steps[k]);
        printf("%8.1f s %18.2f Hz %24.3f Hz\n", steps[k], 0.5 / steps[k], seen[k]);
    }
    printf("\n");
    Complex slow = first_pole(spring(arena)), z = first_pole(s);
    double size = (double)exp32((float)(slow.re * spring_step));
    float angle = (float)(slow.im * spring_step);
    Complex expected = {size * (double)cos32(angle), size * (double)sin32(angle)};
    claim(lesson, complex_size(complex_minus(z, expected)) <= 1e-5,
          "the pole of the sampled spring is exp(s dt), to 1e-5");
    claim(lesson, fabs(seen[1] - seen[0]) <= 1e-3 && fabs(seen[2] - (0.5 - seen[0])) <= 1e-3,
          "sampled every 2 s, the frequency f shows up as 0.5 Hz − f");
}

/*
## Three ways to one output

**Step by step.** This is the recurrent network: keep a state, and for each input read the output and make
the next state. Its weights are $A$, $B$, $C$ and $D$.
*/

static float step(float *x, System s, float u) // returns the output; x (n) becomes the next state
{
    int n = s.a.rows;
    float next[MOST_STATES], y = s.d.data[0] * u;
    for (int i = 0; i < n; i++) {
        y += s.c.data[i] * x[i];
        next[i] = s.b.data[i] * u;
        for (int j = 0; j < n; j++) next[i] += AT(s.a, i, j) * x[j];
    }
    memcpy(x, next, sizeof *x * (size_t)n);
    return y;
}

static void run_steps(float *y, System s, const float *x_0, const float *u, int steps)
{
    float x[MOST_STATES] = {0};
    if (x_0) memcpy(x, x_0, sizeof *x * (size_t)s.a.rows);
    for (int t = 0; t < steps; t++) y[t] = step(x, s, u[t]);
}

/*
**Convolution.** Put the equation into itself: $x_1 = A x_0 + B u_0$, $x_2 = A^2 x_0 + A B u_0 + B u_1$, and
so on. What comes out is

$$y_t = C A^t x_0 + \sum_{k=0}^{t} g_k\, u_{t-k}, \qquad g_0 = D, \quad g_k = C A^{k-1} B .$$

The first term is what is left of the beginning. The rest is a convolution with $g$, the **impulse response**
(脉冲响应): what comes out when one single 1 goes in. A convolution has no state, and it does not care in which
order its outputs are computed.
*/

static void impulse_response(float *g, float *free_motion, System s, const float *x_0, int taps)
{
    int n = s.a.rows;
    float row[MOST_STATES], next[MOST_STATES]; // C Aᵗ
    memcpy(row, s.c.data, sizeof *row * (size_t)n);
    g[0] = s.d.data[0];
    for (int t = 0; t < taps; t++) {
        float through = 0.0f, left = 0.0f;
        for (int i = 0; i < n; i++) through += row[i] * s.b.data[i], left += x_0 ? row[i] * x_0[i] : 0.0f;
        if (t + 1 < taps) g[t + 1] = through;
        if (free_motion) free_motion[t] = left;
        for (int j = 0; j < n; j++) {
            next[j] = 0.0f;
            for (int i = 0; i < n; i++) next[j] += row[i] * AT(s.a, i, j);
        }
        memcpy(row, next, sizeof *row * (size_t)n);
    }
}

// taps: how many of the last inputs are looked at
static void convolve(float *y, const float *g, int taps, const float *u, int steps)
{
    for (int t = 0; t < steps; t++) {
        y[t] = 0.0f;
        for (int k = 0; k < taps && k <= t; k++) y[t] += g[k] * u[t - k];
    }
}

/*
**Parallel scan.** Stepping needs $T$ steps one after the other. Must it? A step is a map $x \mapsto A x + b$,
and two such maps in a row are again one:

$$x \mapsto A_2 (A_1 x + b_1) + b_2 = (A_2 A_1)\, x + (A_2 b_1 + b_2).$$

So pairs $(A, b)$ can be put together like numbers in a sum, in any grouping: first neighbours, then
neighbours of neighbours. After $\log_2 T$ rounds every place holds the map from the beginning to itself, and
within a round all places can be computed at the same time. This is a **parallel scan** (并行扫描); it is how
recurrent layers are run on machines with thousands of processors.
*/

typedef struct {
    float a[MOST_STATES][MOST_STATES], b[MOST_STATES];
} Map;

static Map compose(const Map *second, const Map *first, int n)
{
    Map both = {0};
    for (int i = 0; i < n; i++) {
        both.b[i] = second->b[i];
        for (int j = 0; j < n; j++) {
            both.b[i] += second->a[i][j] * first->b[j];
            for (int k = 0; k < n; k++) both.a[i][k] += second->a[i][j] * first->a[j][k];
        }
    }
    return both;
}

static int run_scan(Arena *arena, float *y, System s, const float *x_0, const float *u, int steps)
{
    int n = s.a.rows, rounds = 0;
    Map *maps = arena_zeros(arena, (size_t)steps, sizeof *maps);
    for (int t = 0; t < steps; t++)
        for (int i = 0; i < n; i++) {
            maps[t].b[i] = s.b.data[i] * u[t];
            memcpy(maps[t].a[i], matrix_row(s.a, i), sizeof(float) * (size_t)n);
        }
    for (int far = 1; far < steps; far *= 2, rounds++)
        for (int t = steps - 1; t >= far; t--) maps[t] = compose(&maps[t], &maps[t - far], n);
    for (int t = 0; t < steps; t++) {
        y[t] = s.d.data[0] * u[t];
        for (int i = 0; i < n; i++) {
            float x = x_0[i];
            if (t > 0) {
                x = maps[t - 1].b[i];
                for (int j = 0; j < n; j++) x += maps[t - 1].a[i][j] * x_0[j];
            }
            y[t] += s.c.data[i] * x;
        }
    }
    return rounds;
}

/*
The library has an RNN layer too, `rnn_forward`. Two things differ. Its states are rows, so it takes the
transposes $A^\top$ and $B^\top$; and its state has already seen the newest input, $h_t = A h_{t-1} + B u_t$,
where engineers let the state be what was there *before*. So $h_t$ is our $x_{t+1}$: the same numbers under
another index.
*/

static void run_library(Arena *arena, float *y, System s, const float *x_0, const float *u, int steps)
{
    int n = s.a.rows;
    Matrix a_turned = matrix_new(arena, n, n), h = matrix_new(arena, steps, n),
           before = matrix_new(arena, 1, n);
    transpose(a_turned, s.a);
    memcpy(before.data, x_0, sizeof(float) * (size_t)n);
    rnn_forward(arena, h, matrix_from(arena, steps, 1, u), matrix_reshape(s.b, 1, n), a_turned,
                matrix_new(arena, 1, n), before, (Sequences){1, steps}, RNN_LINEAR);
    for (int t = 0; t < steps; t++) {
        const float *x = t > 0 ? matrix_row(h, t - 1) : x_0;
        y[t] = s.d.data[0] * u[t];
        for (int i = 0; i < n; i++) y[t] += s.c.data[i] * x[i];
    }
}

static float apart(const float *a, const float *b,
                   int count) // largest difference, as a share of the largest a
{
    float difference = 0.0f, size = 0.0f;
    for (int i = 0; i < count; i++)
        difference = fmaxf(difference, fabsf(a[i] - b[i])), size = fmaxf(size, fabsf(a[i]));
    return difference / size;
}

enum { STEPS = 256 };

static const char *verdict(float difference) { return difference <= 1e-5f ? "the same" : "DIFFERENT"; }

static void three_ways(Lesson *lesson)
{
    section(lesson, "Three ways to one output");
    Arena *arena = lesson_arena(lesson);
    const char *names[] = {"spring, position", "spring, acceleration", "two masses, position"};
    const System machines[] = {sample(arena, spring(arena), spring_step),
                               sample(arena, spring_accelerometer(arena), spring_step),
                               sample(arena, two_masses(arena), masses_step)};
    const float x_0[MOST_STATES] = {0.3f, -0.2f, -0.1f, 0.4f}; // not at rest
    float u[STEPS], y[STEPS], g[STEPS], left[STEPS], other[3][STEPS], worst = 0.0f;
    Rng rng = lesson_rng(lesson, 1);
    rng_normals(&rng, u, STEPS);
    printf("256 steps against step by step       convolution      scan      library\n");
    for (int m = 0; m < 3; m++) {
        run_steps(y, machines[m], x_0, u, STEPS);
        impulse_response(g, left, machines[m], x_0, STEPS);
        convolve(other[0], g, STEPS, u, STEPS);
        for (int t = 0; t < STEPS; t++) other[0][t] += left[t];
        run_scan(arena, other[1], machines[m], x_0, u, STEPS);
        run_library(arena, other[2], machines[m], x_0, u, STEPS);
        printf("%-36s", names[m]);
        for (int k = 0; k < 3; k++) {
            float difference = apart(y, other[k], STEPS);
            worst = fmaxf(worst, difference);
            printf(" %10s ", verdict(difference));
        }
        printf("\n");
    }
    printf("rounds of the scan: %d\n\n", run_scan(arena, y, machines[0], x_0, u, STEPS));
    claim(lesson, worst <= 1e-5f, "step by step, convolution, scan and library agree to 1e-5");
}

/*
The scan multiplies matrices where stepping multiplies a matrix with a vector: more work, and worth it only
with many processors. Unless $A$ is diagonal: then a product of two matrices is $n$ products of numbers, and
the library's `linear_recurrence_scan` is all that is needed. Any machine with different poles becomes
diagonal when it is described by its movements $z^t$ in the place of position and speed; for one that
swings, those numbers are complex. The recurrent layers that compete with attention today, S4D, LRU, Mamba,
are diagonal in this way. (Mamba's diagonal changes with the input: a scan can do that, a convolution
cannot.)

## How long must a kernel be?

A convolution over the whole past grows with every step. In practice one cuts the **kernel** (卷积核) after $K$
weights; engineers then speak of a finite impulse response. What does that cost? Inputs of at most 1 N can
make up for no more than all the weights that were cut away:

$$\Big| y_t - \sum_{k<K} g_k u_{t-k} \Big| \;\le\; \sum_{k \ge K} |g_k| .$$

And the weights fall like the largest pole does, by its size $\rho$ in each step.
*/

static void cut_the_kernel(Lesson *lesson)
{
    section(lesson, "How long must a kernel be?");
    enum { COUNT = 2000, CUTS = 5 };
    System s = sample(lesson_arena(lesson), spring(lesson_arena(lesson)), spring_step);
    static float u[COUNT], g[COUNT], whole[COUNT], part[COUNT];
    const int taps[CUTS] = {25, 50, 100, 200, 300};
    Rng rng = lesson_rng(lesson, 3);
    for (int t = 0; t < COUNT; t++) u[t] = rng_between(&rng, -1.0f, 1.0f);
    impulse_response(g, NULL, s, NULL, COUNT);
    run_steps(whole, s, NULL, u, COUNT);
    double bounds[CUTS] = {0}, size = 0.0, fall = 1.0;
    for (int t = 0; t < COUNT; t++) size = fmax(size, fabs((double)whole[t]));
    bool within = true;
    printf("weights    largest error      bound    error as a share of the largest movement\n");
    for (int k = 0; k < CUTS; k++) {
        convolve(part, g, taps[k], u, COUNT);
        for (int t = COUNT - 1; t >= taps[k]; t--) bounds[k] += fabs((double)g[t]);
        double error = (double)apart(whole, part, COUNT) * size;
        within = within && error <= bounds[k];
        printf("%7d %12.2f mm %8.2f mm %12.2f %%\n", taps[k], 1e3 * error, 1e3 * bounds[k],
               100.0 * error / size);
    }
    for (int k = 0; k < 100; k++) fall *= spectral_radius(s.a);
    printf("\n100 weights more: bound × %.3f; size of the pole to the 100th: %.3f\n\n", bounds[4] / bounds[3],
           fall);
    claim(lesson, within, "the error of a cut kernel stays within the sum of the weights that were cut");
    claim(lesson, fabs(bounds[4] / bounds[3] / fall - 1.0) <= 0.02,
          "that sum falls as the size of the pole does, to 2 %%");
}

/*
To be right within one percent the convolution needs more than 200 numbers where the recurrence has two.
That is the bargain of a state. The other way round, a short kernel has nothing to forget and cannot blow
up: chapter 10 lives on short ones.

## What becomes of a sine

There is one kind of input that such a machine cannot bend out of shape. Put in a sine, wait, and out comes
a sine of the same frequency, larger or smaller, and late. How much larger and how late is one complex
number for each frequency, the **frequency response** (频率响应). With $z = e^{i \omega \Delta t}$, the turn of
one step, put $u_t = z^t$ into the convolution: $\sum_k g_k z^{t-k}$ is $z^t$ times

$$G(\omega) = \sum_{k \ge 0} g_k z^{-k} = D + C\, (z I - A)^{-1} B .$$

The sum is the Fourier transform of the kernel; the right side is what the geometric series in $A$ adds up to.
Where $z$, on the unit circle, comes close to an eigenvalue of $A$, there is nearly nothing to divide by: the
machine resonates.
*/

enum { LONG = 4096 }; // weights after which nothing is left of our machines

static float *long_kernel(Arena *arena, System s)
{
    float *g = arena_alloc(arena, LONG, sizeof *g);
    impulse_response(g, NULL, s, NULL, LONG);
    return g;
}

// g_0 + z⁻¹ (g_1 + z⁻¹ (g_2 + …))
static Complex frequency_response(const float *g, double hertz, double dt)
{
    float angle = (float)(-turn * hertz * dt);
    Complex back = {(double)cos32(angle), (double)sin32(angle)}, total = {0.0, 0.0};
    for (int k = LONG - 1; k >= 0; k--)
        total = complex_plus(complex_times(total, back), (Complex){(double)g[k], 0.0});
    return total;
}

static double decibels(Complex g) { return 20.0 * (double)log32((float)complex_size(g)) / 2.302585093; }

static double degrees(Complex g) // how late: 0 … 360
{
    double late = -complex_angle(g) * 360.0 / turn;
    return late < 0.0 ? late + 360.0 : late;
}

// The largest difference between the output and the sine that G promises, as a share of its height
static float sine_error(System s, Complex g, double hertz, double dt)
{
    enum { WAIT = 1000, LISTEN = 200 };
    float x[MOST_STATES] = {0}, promised[LISTEN], heard[LISTEN];
    for (int t = 0; t < WAIT + LISTEN; t++) {
        float angle = (float)(turn * hertz * dt * t), y = step(x, s, sin32(angle));
        if (t < WAIT) continue;
        heard[t - WAIT] = y;
        promised[t - WAIT] = (float)g.re * sin32(angle) + (float)g.im * cos32(angle);
    }
    return apart(promised, heard, LISTEN);
}

static void what_becomes_of_a_sine(Lesson *lesson)
{
    section(lesson, "What becomes of a sine");
    System s = sample(lesson_arena(lesson), spring(lesson_arena(lesson)), spring_step);
    const float *kernel = long_kernel(lesson_arena(lesson), s);
    const double tones[] = {0.02, 0.1, 0.3167, 0.6, 2.0};
    float worst = 0.0f;
    double peak = 0.0, peak_hertz = 0.0;
    printf("frequency   height of the answer           late by\n");
    for (int k = 0; k < 5; k++) {
        Complex g = frequency_response(kernel, tones[k], spring_step);
        printf("%6.3f Hz %9.4f m/N  (%6.1f dB) %11.1f°\n", tones[k], complex_size(g), decibels(g),
               degrees(g));
        worst = fmaxf(worst, sine_error(s, g, tones[k], spring_step));
    }
    for (double hertz = 0.25; hertz < 0.4; hertz += 0.0005) {
        double size = complex_size(frequency_response(kernel, hertz, spring_step));
        if (size > peak) peak = size, peak_hertz = hertz;
    }
    printf("\nresonance at %.3f Hz: %.2f m/N\n\n", peak_hertz, peak);
    claim(lesson, worst <= 1e-3f, "five sines come out as the frequency response says, to 0.1 %%");
    claim(lesson, fabs(peak_hertz - 0.3151) <= 0.002 && fabs(peak - 1.256) <= 0.01,
          "the resonance is where textbooks have it: 1/(2ζ√(1−ζ²)) times the height at rest, with ζ = 0.1");
}

/*
At rest a newton moves the mass by $1/k = 0.25$ m; in step with it, five times as far. The **decibels** (分贝)
in brackets are $20 \log_{10}$ of the height, in which engineers draw it. A mass on a spring is never late
by more than half a turn; the 214° at 2 Hz are 178° of the spring and 36° of the hold, which delays by half
a sample, 0.05 s.

## Training is system identification

Now somebody hands us a black box. We may push it, with random forces, and watch what comes out, with the
noise of a real instrument. What is inside? We guess that it is *some* state equation of $n$ states, begin
with random $A$, $B$, $C$, $D$, and let gradient descent make the output of our system equal to what was
measured.

For that we need derivatives. Unroll the recurrence; then it is a network of $T$ layers with the same
weights in each, and chapter 6 tells what to do. Let $e_t$ be the derivative of the loss with respect to
$y_t$ and $\lambda_t$ that with respect to $x_t$. Since $x_t$ acts on $y_t$ through $C$ and on $x_{t+1}$
through $A$,

$$\lambda_t = A^\top \lambda_{t+1} + C^\top e_t, \qquad
d_A = \sum_t \lambda_{t+1} x_t^\top, \quad d_B = \sum_t \lambda_{t+1} u_t, \quad
d_C = \sum_t e_t x_t^\top, \quad d_D = \sum_t e_t u_t .$$

This is **backpropagation through time** (通过时间的反向传播), BPTT. Look at the first equation: it is again a linear
system, with $A^\top$ for $A$, which runs from the future into the past. Control theory has had it since the
fifties and calls it the **adjoint system** (伴随系统).
*/

enum { MOST_STEPS = 64 };

// What a box was given and what it gave, one experiment a row, each from rest: u, y (B × T). The first outputs
// may not count.
typedef struct {
    Matrix u, y;
    int ignored;
    float deviation; // what the outputs were divided by
} Record;

// Returns the mean squared error and adds its gradients to d.
static double backpropagate_through_time(System d, System s, Record r)
{
    int n = s.a.rows, steps = r.u.cols, counted = r.u.rows * (steps - r.ignored);
    double loss = 0.0;
    for (int row = 0; row < r.u.rows; row++) {
        const float *u = matrix_row(r.u, row), *y = matrix_row(r.y, row);
        float x[MOST_STEPS + 1][MOST_STATES] = {0}, e[MOST_STEPS] = {0}, adjoint[MOST_STATES] = {0};
        for (int t = 0; t < steps; t++) {
            memcpy(x[t + 1], x[t], sizeof x[t]);
            float error = step(x[t + 1], s, u[t]) - y[t];
            if (t < r.ignored) continue;
            loss += (double)(error * error) / counted;
            e[t] = 2.0f * error / (float)counted;
        }
        for (int t = steps - 1; t >= 0; t--) {
            float before[MOST_STATES];
            d.d.data[0] += e[t] * u[t];
            for (int j = 0; j < n; j++) {
                d.c.data[j] += e[t] * x[t][j];
                d.b.data[j] += adjoint[j] * u[t];
                before[j] = s.c.data[j] * e[t];
                for (int i = 0; i < n; i++) {
                    AT(d.a, i, j) += adjoint[i] * x[t][j];
                    before[j] += AT(s.a, i, j) * adjoint[i];
                }
            }
            memcpy(adjoint, before, sizeof adjoint);
        }
    }
    return loss;
}

typedef struct {
    Parameters parameters;
    Tensor *a, *b, *c, *d;
} Learner;

static Learner learner_new(Arena *arena, int n)
{
    Learner l = {.parameters = parameters_new(arena)};
    l.a = parameters_add(&l.parameters, "a", n, n), l.b = parameters_add(&l.parameters, "b", n, 1);
    l.c = parameters_add(&l.parameters, "c", 1, n), l.d = parameters_add(&l.parameters, "d", 1, 1);
    return l;
}

static System values_of(Learner l) { return (System){l.a->value, l.b->value, l.c->value, l.d->value}; }

static System gradients_of(Learner l)
{
    return (System){tensor_gradient(l.a), tensor_gradient(l.b), tensor_gradient(l.c), tensor_gradient(l.d)};
}

static void start_at_random(Learner l, Rng *rng) // slowly fading states, loosely coupled
{
    int n = l.a->value.rows;
    fill_normal(l.a->value, rng, 0.0f, 0.1f / sqrtf((float)n));
    for (int i = 0; i < n; i++) AT(l.a->value, i, i) += 0.9f;
    fill_normal(l.b->value, rng, 0.0f, 0.5f);
    fill_normal(l.c->value, rng, 0.0f, 0.5f);
}

static void
start_in_circles(Learner l, Rng *rng) // of radius 0.95, a slow and a fast one; the output begins as the input
{
    const float angles[] = {0.1f, 1.5f};
    start_at_random(l, rng);
    fill(l.a->value, 0.0f);
    for (int i = 0; i + 1 < l.a->value.rows; i += 2) {
        AT(l.a->value, i, i) = AT(l.a->value, i + 1, i + 1) = 0.95f * cos32(angles[i / 2]);
        AT(l.a->value, i, i + 1) = 0.95f * sin32(angles[i / 2]);
        AT(l.a->value, i + 1, i) = -AT(l.a->value, i, i + 1);
    }
    l.d->value.data[0] = 1.0f;
}

/*
Is that what the library's tape computes? Its layer lets the state see the newest input, so we hand it the
inputs one step late; then $h_t = x_t$.
*/

static float difference_from_the_tape(Arena *arena, Learner l, Record r)
{
    int n = l.a->value.rows, steps = r.u.cols, count = r.u.rows * steps;
    Matrix late = matrix_new(arena, count, 1), d_a = matrix_new(arena, n, n);
    for (int i = 0; i < count; i++) late.data[i] = i % steps == 0 ? 0.0f : r.u.data[i - 1];
    Tape *tape = tape_new();
    Matrix a_turned = matrix_new(arena, n, n);
    transpose(a_turned, l.a->value);
    Tensor *a = tape_variable(tape, a_turned), *b = tape_variable(tape, matrix_reshape(l.b->value, 1, n));
    Tensor *c = tape_variable(tape, matrix_reshape(l.c->value, n, 1)), *d = tape_variable(tape, l.d->value);
    Tensor *states = rnn(tape_input(tape, late), b, a, tape_input(tape, matrix_new(arena, 1, n)),
                         ((Sequences){r.u.rows, steps}), RNN_LINEAR, NULL);
    Tensor *output =
        tensor_add(product(states, c), product(tape_input(tape, matrix_reshape(r.u, count, 1)), d));
    backward(mean_squared_error(output, matrix_reshape(r.y, count, 1)));

    clear_gradients(&l.parameters);
    System own = gradients_of(l);
    backpropagate_through_time(own, values_of(l), r);
    transpose(d_a, a->gradient);
    float worst = apart(own.a.data, d_a.data, n * n);
    worst = fmaxf(worst, apart(own.b.data, b->gradient.data, n));
    worst = fmaxf(worst, apart(own.c.data, c->gradient.data, n));
    worst = fmaxf(worst, apart(own.d.data, d->gradient.data, 1));
    tape_free(tape);
    return worst;
}

/*
The experiments: white noise in, from rest, 64 steps; sixteen of them with the spring and eight with the two
masses. The output is divided by its deviation, then noise is added, 5 % and 2 % of it. Adam, 2000 steps on
all the data. Two other ways are tried on the same data:

- **companion form** (友矩阵形式), the textbook's parametrisation of the same systems. The first row of $A$ holds
  the coefficients of its characteristic polynomial, below stand fixed ones, $B$ is $(1, 0, \dots)^\top$;
  only $C$, $D$ and the $n$ coefficients are learned. Nothing is superfluous: there is exactly one such
  matrix for each set of poles.
- **least squares** (最小二乘), without any iteration: write each output as a weighted sum of the $n$ outputs and
  inputs before it, and solve for the weights as in chapter 1.
*/

typedef struct {
    const char *name;
    System truth;
    int experiments;
    float noise;
    double dt;
} Box;

static Record experiment(Arena *arena, Box box, Rng *rng)
{
    Record r = {.u = matrix_new(arena, box.experiments, MOST_STEPS),
                .y = matrix_new(arena, box.experiments, MOST_STEPS)};
    fill_normal(r.u, rng, 0.0f, 1.0f);
    for (int i = 0; i < box.experiments; i++)
        run_steps(matrix_row(r.y, i), box.truth, NULL, matrix_row(r.u, i), MOST_STEPS);
    r.deviation = sqrtf((float)(sum_of_squares(r.y) / (double)matrix_size(r.y)));
    for (size_t i = 0; i < matrix_size(r.y); i++)
        r.y.data[i] = r.y.data[i] / r.deviation + box.noise * rng_normal(rng);
    return r;
}

static void start_in_companion_form(Learner l, Rng *rng) // all poles at 0.9
{
    int n = l.a->value.rows;
    float coefficients[MOST_STATES + 1] = {1}; // of (z − 0.9)ⁿ
    for (int k = 1; k <= n; k++)
        for (int i = k; i >= 1; i--) coefficients[i] -= 0.9f * coefficients[i - 1];
    for (int j = 0; j < n; j++) AT(l.a->value, 0, j) = -coefficients[j + 1];
    for (int i = 1; i < n; i++) AT(l.a->value, i, i - 1) = 1.0f;
    l.b->value.data[0] = 1.0f;
    fill_normal(l.c->value, rng, 0.0f, 0.1f);
}

typedef enum { ALL_FREE, COMPANION, CIRCLES } Form; // what is learned, and from where

static Learner identify(Lesson *lesson, const char *name, int n, Record record, Form form, Rng *rng)
{
    enum { DESCENT = 2000 };
    Learner l = learner_new(lesson_arena(lesson), n);
    if (form == COMPANION) start_in_companion_form(l, rng);
    if (form == CIRCLES) start_in_circles(l, rng);
    if (form == ALL_FREE) start_at_random(l, rng);
    Optimiser adam = adam_new(lesson_arena(lesson), &l.parameters, 0.9f, 0.999f, 1e-8f, 0.0f);
    for (int k = 0; k < DESCENT; k++) {
        System gradients = gradients_of(l);
        double loss = backpropagate_through_time(gradients, values_of(l), record);
        if (form == COMPANION) { // what is fixed has no gradient
            fill(matrix_rows(gradients.a, 1, n - 1), 0.0f);
            fill(gradients.b, 0.0f);
        }
        clip_gradients(&l.parameters, 1.0f);
        optimiser_step(&adam, cosine_schedule(1e-2f, k, 0, DESCENT));
        lesson_progress(lesson, name, k + 1, DESCENT, loss);
    }
    return l;
}

static Matrix poles_by_least_squares(Arena *arena, Record record, int n)
{
    int each = MOST_STEPS - n;
    Matrix x = matrix_new(arena, record.u.rows * each, 2 * n + 1), y = matrix_new(arena, x.rows, 1);
    for (int r = 0; r < x.rows; r++) {
        int row = r / each, t = r % each + n;
        y.data[r] = AT(record.y, row, t);
        for (int k = 0; k < n; k++) AT(x, r, k) = AT(record.y, row, t - 1 - k);
        for (int k = 0; k <= n; k++) AT(x, r, n + k) = AT(record.u, row, t - k);
    }
    Matrix w = matrix_new(arena, x.cols, 1);
    least_squares_solve(w, x, y);
    return companion_matrix(arena, w.data, n);
}

enum { BOXES = 2, TRIES = 3, WAYS = 5 };
static const char *const ways[WAYS] = {"all entries of A free", "companion form", "least squares",
                                       "least squares, 64 times the data", "least squares, no noise"};

typedef struct {
    Box box;
    Learner full[TRIES], companion[TRIES];
    Matrix solved[3]; // by least squares: companion matrices, the last one right
    float deviation[TRIES];
    double errors[WAYS][TRIES];
} Identified;

static void identify_box(Lesson *lesson, Identified *r)
{
    Arena *arena = lesson_arena(lesson);
    Box many = r->box, quiet = r->box;
    many.experiments *= 64, quiet.noise = 0.0f;
    for (int k = 0; k < TRIES; k++) {
        Rng rng = lesson_rng(lesson, 10 + (uint64_t)k);
        Record records[3] = {experiment(arena, r->box, &rng), experiment(arena, many, &rng),
                             experiment(arena, quiet, &rng)};
        r->deviation[k] = records[0].deviation;
        r->full[k] = identify(lesson, r->box.name, r->box.truth.a.rows, records[0], ALL_FREE, &rng);
        r->companion[k] = identify(lesson, r->box.name, r->box.truth.a.rows, records[0], COMPANION, &rng);
        r->errors[0][k] = eigenvalues_apart(r->full[k].a->value, r->box.truth.a);
        r->errors[1][k] = eigenvalues_apart(r->companion[k].a->value, r->box.truth.a);
        for (int i = 0; i < 3; i++) {
            r->solved[i] = poles_by_least_squares(arena, records[i], r->box.truth.a.rows);
            r->errors[2 + i][k] = eigenvalues_apart(r->solved[i], r->box.truth.a);
        }
    }
    for (int way = 0; way < WAYS; way++) {
        printf("%-12s%-34s", r->box.name, ways[way]);
        for (int k = 0; k < TRIES; k++) printf("%9.3f %%", 100.0 * r->errors[way][k]);
        printf("\n");
    }
}

static double largest_of(const double *three) { return fmax(three[0], fmax(three[1], three[2])); }
static double smallest_of(const double *three) { return fmin(three[0], fmin(three[1], three[2])); }

static void training_is_identification(Lesson *lesson, Identified *results)
{
    section(lesson, "Training is system identification");
    Arena *arena = lesson_arena(lesson);
    results[0].box = (Box){"spring", sample(arena, spring(arena), spring_step), 16, 0.05f, spring_step};
    results[1].box =
        (Box){"two masses", sample(arena, two_masses(arena), masses_step), 8, 0.02f, masses_step};
    Rng rng = lesson_rng(lesson, 4);
    Record record = experiment(arena, results[1].box, &rng);
    Learner fresh = learner_new(arena, 4);
    start_at_random(fresh, &rng);
    float difference = difference_from_the_tape(arena, fresh, record);
    printf("gradients by hand and by the tape: %s\n\n", verdict(difference));
    claim(lesson, difference <= 1e-5f,
          "backpropagation through time in plain loops equals the library's, to 1e-5");
    printf("largest error of a pole, three tries\n");
    for (int m = 0; m < BOXES; m++) identify_box(lesson, &results[m]);
    printf("\n");
    claim(lesson, largest_of(results[0].errors[0]) <= 0.005 && largest_of(results[1].errors[0]) <= 0.005,
          "BPTT finds the poles of both boxes to 0.5 %%, in spite of the noise");
    claim(lesson, largest_of(results[0].errors[1]) <= 0.005 && smallest_of(results[1].errors[1]) >= 0.05,
          "the companion form does so for two states, and fails for four: a pole is off by 5 %% or more");
    for (int m = 0; m < BOXES; m++)
        claim(lesson, largest_of(results[m].errors[4]) <= 0.005 && smallest_of(results[m].errors[3]) >= 0.05,
              "%s: least squares is right without noise, off by 5 %% or more with it, however much the data",
              results[m].box.name);
}

/*
The poles come out right to a few parts in ten thousand, from outputs with some percent of noise. (Over six
seeds, eighteen tries a box, the worst was 0.13 %. With 800 steps in the place of 2000, one of them was still
1.7 % off.)

## The same box with other numbers inside

Three times we have learned the spring. What do the three have in common with the truth?
*/

static void other_numbers_inside(Lesson *lesson, const Identified *results)
{
    section(lesson, "The same box with other numbers inside");
    enum { TAPS = 100 };
    const Identified *r = &results[0];
    float truth[TAPS], learned[TAPS], response_error = 0.0f, entries_apart = INFINITY;
    impulse_response(truth, NULL, r->box.truth, NULL, TAPS);
    matrix_print(stdout, "A", r->box.truth.a, 3);
    for (int k = 0; k < TRIES; k++) {
        System s = values_of(r->full[k]);
        matrix_print(stdout, "a learned A", s.a, 3);
        impulse_response(learned, NULL, s, NULL, TAPS);
        for (int t = 0; t < TAPS; t++) learned[t] *= r->deviation[k];
        response_error = fmaxf(response_error, apart(truth, learned, TAPS));
        entries_apart = fminf(entries_apart, largest_difference(s.a, r->box.truth.a));
    }
    printf("impulse responses apart by at most %.2f %% of the peak\n\n", 100.0 * (double)response_error);
    claim(lesson, entries_apart >= 0.05f, "every learned A has an entry that is off by 0.05 or more");
    claim(lesson, response_error <= 0.02f,
          "and yet all impulse responses agree with the true one, to 2 %% of its peak");
}

/*
The network has found the machine, and nothing in its weights looks like it. It could not have known better.
Describe the state by any other two numbers, $\tilde x = T x$, and the weights $T A T^{-1}$, $T B$, $C
T^{-1}$ give the very same outputs. From outside, $A$ can only be known **up to a change of basis** (基变换).
What does not change is what we compared: the poles and the impulse response. Whoever wants to read a
trained network should ask first which of its numbers mean anything.

Should we then take a form without this freedom? The companion form has none, and it failed. Let us change
each of its numbers by a thousandth, one at a time, and see how far a pole moves.
*/

static double worst_movement(Arena *arena, Matrix a)
{
    double worst = 0.0;
    for (size_t i = 0; i < matrix_size(a); i++) {
        Matrix changed = matrix_copy(arena, a);
        if (a.data[i] == 1.0f || a.data[i] == 0.0f) continue; // what the companion form keeps fixed
        changed.data[i] *= 1.001f;
        worst = fmax(worst, eigenvalues_apart(changed, a));
    }
    return worst;
}

static void shake_the_numbers(Lesson *lesson, const Identified *results)
{
    section(lesson, "Shaking the numbers");
    Arena *arena = lesson_arena(lesson);
    double moved[BOXES][2];
    printf("one number changed by 0.1 %%: the most that a pole moves\n");
    for (int m = 0; m < BOXES; m++) {
        moved[m][0] = worst_movement(arena, results[m].full[0].a->value);
        moved[m][1] = worst_movement(arena, results[m].solved[2]);
        printf("%-12s a learned A %6.2f %%   companion form %6.2f %%\n", results[m].box.name,
               100.0 * moved[m][0], 100.0 * moved[m][1]);
    }
    printf("\n");
    claim(lesson, moved[1][1] >= 10.0 * moved[1][0],
          "with four states, the companion form is at least ten times as touchy as a learned A");
}

/*
The four poles stand close together, near 1. There the polynomial is flat, and its roots run away at the
slightest change of a coefficient; so the loss, seen from the coefficients, is a gorge (chapter 1's valley,
much narrower). We have tried ten times as many steps, and a smaller learning rate: it stays stuck. A
parametrisation with superfluous numbers is the easier one to descend. It is a lesson that repeats in deep
learning.

And least squares? Without noise it would have been right at once. But it predicts each output from
*measured* ones, and takes their noise for part of the machine; what is left of that after a thousand
measurements is no small random error but a bias, which more data does not cure. BPTT runs the whole system
from the inputs alone and compares only at the end. Engineers call it the **output-error method** (输出误差法).

Pictures of what was learned, with the axes that an engineer would ask for.
*/

static void draw_impulse_response(Lesson *lesson, const Identified *r)
{
    enum { TAPS = 128 };
    float seconds[TAPS], truth[TAPS], kernel[TAPS], learned[TAPS], u[TAPS] = {1.0f};
    float some_seconds[TAPS / 4], some_kernel[TAPS / 4];
    run_steps(truth, r->box.truth, NULL, u, TAPS);
    impulse_response(kernel, NULL, r->box.truth, NULL, TAPS);
    impulse_response(learned, NULL, values_of(r->full[0]), NULL, TAPS);
    for (int t = 0; t < TAPS; t++) {
        seconds[t] = (float)(r->box.dt * t);
        truth[t] *= 1e3f, learned[t] *= 1e3f * r->deviation[0];
        if (t % 4 == 0) some_seconds[t / 4] = seconds[t], some_kernel[t / 4] = 1e3f * kernel[t];
    }
    Plot *plot =
        plot_begin(lesson, "impulse.png", "Two masses: 1 N for 0.15 s on the first, movement of the second");
    plot_axes(plot, "time (s)", "position (mm)");
    plot_line(plot, "step by step", seconds, truth, TAPS);
    plot_points(plot, "kernel C Aᵏ⁻¹ B", some_seconds, some_kernel, TAPS / 4);
    plot_dashed(plot, "learned from noisy outputs", seconds, learned, TAPS);
    plot_end(plot,
             "The impulse response is the kernel of the convolution. The learned system has the same one.");
}

static void draw_bode(Lesson *lesson, const Identified *r)
{
    enum { TONES = 160, LINES = 3 };
    static const char *const names[LINES] = {"the machine", "learned", "learned in companion form"};
    Arena *arena = lesson_arena(lesson);
    const System systems[LINES] = {r->box.truth, values_of(r->full[TRIES - 1]),
                                   values_of(r->companion[TRIES - 1])};
    float hertz[TONES], height[LINES][TONES], phase[LINES][TONES], worst = 0.0f;
    for (int m = 0; m < LINES; m++) {
        float *kernel = long_kernel(arena, systems[m]);
        for (int t = 0; t < LONG && m > 0; t++) kernel[t] *= r->deviation[TRIES - 1];
        for (int k = 0; k < TONES; k++) { // from 0.05 Hz to the Nyquist frequency, in equal ratios
            hertz[k] = 0.05f * exp32((float)k / (TONES - 1) * log32(10.0f / (float)r->box.dt));
            Complex g = frequency_response(kernel, (double)hertz[k], r->box.dt);
            height[m][k] = (float)decibels(g);
            phase[m][k] = (float)-degrees(g);
            while (k > 0 && phase[m][k] > phase[m][k - 1] + 180.0f) phase[m][k] -= 360.0f;
            if (m == 1 && hertz[k] <= 0.5f) worst = fmaxf(worst, fabsf(height[1][k] - height[0][k]));
        }
    }
    for (int picture = 0; picture < 2; picture++) {
        Plot *plot =
            picture == 0
                ? plot_begin(lesson, "bode_magnitude.png", "Two masses: frequency response, magnitude")
                : plot_begin(lesson, "bode_phase.png", "Two masses: frequency response, phase");
        plot_axes(plot, "frequency (Hz)", picture == 0 ? "magnitude (dB, 0 dB = 1 m/N)" : "phase (degrees)");
        plot_log(plot, "x");
        for (int m = 0; m < LINES; m++)
            (m == 0 ? plot_line : plot_dashed)(plot, names[m], hertz, picture == 0 ? height[m] : phase[m],
                                               TONES);
        plot_end(plot, picture == 0
                           ? "Where the machine answers, the learned system answers alike. Below −60 dB "
                             "it has heard only noise."
                           : "Each resonance costs half a turn; the hold delays by half a sample more.");
    }
    printf("\n");
    claim(lesson, worst <= 0.5f,
          "up to 0.5 Hz, across both resonances, the learned magnitude is right to 0.5 dB");
}

static int upper_poles(float *re, float *im, Matrix a)
{
    Complex poles[MOST_STATES];
    int count = 0;
    eigenvalues(poles, a);
    for (int i = 0; i < a.rows; i++)
        if (poles[i].im >= 0.0) re[count] = (float)poles[i].re, im[count++] = (float)poles[i].im;
    return count;
}

static void draw_poles(Lesson *lesson, const Identified *r)
{
    enum { AROUND = 200 };
    float re[AROUND], im[AROUND];
    Plot *plot = plot_begin(lesson, "poles.png", "Two masses: poles, one step = 0.15 s");
    plot_axes(plot, "real part", "imaginary part");
    plot_square(plot);
    plot_range_x(plot, 0.3, 1.05);
    plot_range_y(plot, 0.0, 0.6);
    plot_size(plot, 960, 760);
    plot_legend(plot, "bottom left");
    for (int k = 0; k < AROUND; k++) {
        float angle = 0.7f * (float)k / (AROUND - 1);
        re[k] = cos32(angle), im[k] = sin32(angle);
    }
    plot_line(plot, "unit circle: the edge of stability", re, im, AROUND);
    int count = upper_poles(re, im, r->companion[TRIES - 1].a->value);
    plot_points(plot, "learned in companion form", re, im, count);
    count = upper_poles(re, im, r->box.truth.a);
    plot_points(plot, "the machine", re, im, count);
    count = 0;
    for (int k = 0; k < TRIES; k++) count += upper_poles(re + count, im + count, r->full[k].a->value);
    plot_points(plot, "learned, three times", re, im, count);
    plot_end(
        plot,
        "The upper half; the lower one mirrors it. Distance from the circle is damping, angle is frequency. "
        "The learned poles hide the machine's.");
}

static void draw_what_was_learned(Lesson *lesson, const Identified *results)
{
    section(lesson, "What was learned");
    draw_impulse_response(lesson, &results[1]);
    draw_poles(lesson, &results[1]);
    draw_bode(lesson, &results[1]);
}

/*
## One number for two directions

When does a state die out, and when does it run away? After $t$ steps without input it is $A^t x_0$, and
that falls or grows like $\rho^t$, where $\rho$, the **spectral radius** (谱半径), is the size of the largest
eigenvalue. So a linear recurrence is **stable** (稳定) when $\rho < 1$: all poles inside the unit circle.

It is easily lost. We could have spared ourselves the matrix exponential with Euler's step, $x + \Delta t\,
\dot x$, which makes $A = I + A_c \Delta t$ and $z = 1 + s \Delta t$. For our spring $|z|^2 = 1 - 0.4\,
\Delta t + 4\, \Delta t^2$.
*/

static void euler(Lesson *lesson)
{
    section(lesson, "One number for two directions");
    Arena *arena = lesson_arena(lesson);
    const double steps[] = {0.05, 0.1, 0.2};
    double radius[3], exact[3];
    printf("size of the poles     Euler     exact\n");
    for (int k = 0; k < 3; k++) {
        Matrix a = spring(arena).a;
        exact[k] = spectral_radius(sample(arena, spring(arena), steps[k]).a);
        scale(a, (float)steps[k]);
        for (int i = 0; i < 2; i++) AT(a, i, i) += 1.0f;
        radius[k] = spectral_radius(a);
        printf("step %.2f s       %10.4f%10.4f\n", steps[k], radius[k], exact[k]);
    }
    printf("\n");
    claim(lesson, fabs(radius[1] - 1.0) <= 1e-6,
          "Euler's steps of 0.1 s put the poles of a damped spring on the circle");
    claim(lesson, radius[2] > 1.0 && largest_of(exact) < 1.0,
          "at 0.2 s they are outside; sampled exactly, the poles are inside at every step length");
}

/*
The mass hangs in oil, and in Euler's numbers it swings for ever: at 0.1 s the error of the method feeds in
exactly as much as the oil takes out. A recurrent network has no oil. Whether it is stable is a matter of
its weights.

The same number rules the other direction. Backpropagation through time is the system with $A^\top$, which
has the same eigenvalues. So a gradient that goes back over $T$ steps is multiplied by about $\rho^T$: when
the states fade, so does what can be learned from the past; when gradients explode, the network was unstable
to begin with. We take random matrices of 16 states, scale them to a given $\rho$, and watch 400 steps
forwards and backwards. The rate is fitted over steps 100 to 400: before that, a matrix whose eigenvectors
are not at right angles may do as it likes. (Fitted over steps 30 to 100, 14 of 1000 matrices were off by more
than 1.5 %; over steps 100 to 400, none.)
*/

static Matrix random_with_radius(Arena *arena, Rng *rng, int n, double radius)
{
    Matrix a = matrix_new(arena, n, n);
    fill_normal(a, rng, 0.0f, 1.0f);
    scale(a, (float)(radius / spectral_radius(a)));
    return a;
}

typedef struct {
    double rate;  // for each step, fitted over steps 100 to 400
    double after; // the size after 400 steps, of 1
} Growth;

// Of x ← a x, or of x ← aᵀ x, from a random x
static Growth growth(Arena *arena, Matrix a, bool transposed, Rng *rng)
{
    enum { FROM = 100, TO = 400 };
    Matrix x = matrix_new(arena, a.rows, 1), next = matrix_new(arena, a.rows, 1);
    fill_normal(x, rng, 0.0f, 1.0f);
    scale(x, (float)(1.0 / norm(x)));
    double along = 0.0, squares = 0.0, middle = 0.5 * (FROM + TO); // slope of log |x| against the step
    for (int t = 1; t <= TO; t++) {
        transposed ? matmul_tn(next, a, x) : matmul(next, a, x);
        copy(x, next);
        if (t < FROM) continue;
        along += (t - middle) * (double)log32((float)norm(x));
        squares += (t - middle) * (t - middle);
    }
    return (Growth){(double)exp32((float)(along / squares)), norm(x)};
}

static void two_directions(Lesson *lesson)
{
    section(lesson, "The rate of a gradient");
    enum { RADII = 5, MATRICES = 5, STATES = 16 };
    const double radii[RADII] = {0.9, 0.95, 1.0, 1.05, 1.1};
    Arena *arena = lesson_arena(lesson);
    double off = 0.0, largest_stable = 0.0, smallest_unstable = INFINITY;
    printf("  ρ     states after 400 steps       gradient, factor for each step back\n");
    for (int r = 0; r < RADII; r++) {
        double low = INFINITY, high = 0.0, small = INFINITY, large = 0.0;
        for (int k = 0; k < MATRICES; k++) {
            Rng rng = lesson_rng(lesson, 20 + (uint64_t)(MATRICES * r + k));
            Matrix a = random_with_radius(arena, &rng, STATES, radii[r]);
            Growth forwards = growth(arena, a, false, &rng), backwards = growth(arena, a, true, &rng);
            small = fmin(small, forwards.after), large = fmax(large, forwards.after);
            low = fmin(low, backwards.rate), high = fmax(high, backwards.rate);
            off = fmax(off, fabs(backwards.rate / radii[r] - 1.0));
        }
        if (radii[r] < 1.0) largest_stable = fmax(largest_stable, large);
        if (radii[r] > 1.0) smallest_unstable = fmin(smallest_unstable, small);
        printf("%.2f %12.1e to %.1e %22.3f to %.3f\n", radii[r], small, large, low, high);
    }
    printf("\n");
    claim(lesson, largest_stable <= 1e-4 && smallest_unstable >= 1e4,
          "below ρ = 1 every state dies out, above it every state runs away");
    claim(lesson, off <= 0.015, "the gradient changes with each step back by the factor ρ, to 1.5 %%");
}

/*
## A bend breaks the sum

What makes all of this possible is one property. The answer to two pushes is the sum of the answers to each:
**superposition** (叠加原理). It is why an impulse response says everything. The RNNs of the textbooks have a
bend, $x_{t+1} = \tanh(A x_t + B u_t)$, and so they are no LTI systems. How far from one are they? Since
$\tanh z = z - z^3/3 + \dots$, the bend is smaller than the straight part by $z^2$: the breach of
superposition should grow with the square of the amplitude. We send in two white noises and their sum.
*/

static void run_bent(float *y, System s, const float *u, int steps)
{
    float x[MOST_STATES] = {0};
    for (int t = 0; t < steps; t++) {
        y[t] = step(x, s, u[t]);
        for (int i = 0; i < s.a.rows; i++) x[i] = tanh32(x[i]);
    }
}

// |f(u + v) − f(u) − f(v)| as a share of |f(u + v)|, root mean square
static double breach(System s, float amplitude, bool bent, Rng rng)
{
    float u[3][STEPS], y[3][STEPS];
    rng_normals(&rng, u[0], STEPS);
    rng_normals(&rng, u[1], STEPS);
    for (int t = 0; t < STEPS; t++) u[0][t] *= amplitude, u[1][t] *= amplitude, u[2][t] = u[0][t] + u[1][t];
    for (int k = 0; k < 3; k++) bent ? run_bent(y[k], s, u[k], STEPS) : run_steps(y[k], s, NULL, u[k], STEPS);
    double error = 0.0, size = 0.0;
    for (int t = 0; t < STEPS; t++) {
        double gap = (double)(y[2][t] - y[0][t] - y[1][t]);
        error += gap * gap, size += (double)y[2][t] * (double)y[2][t];
    }
    return sqrt(error / size);
}

static void a_bend_breaks_the_sum(Lesson *lesson)
{
    section(lesson, "A bend breaks the sum");
    enum { SIZES = 7, PAIRS = 5 };
    const float sizes[SIZES] = {0.01f, 0.03f, 0.1f, 0.3f, 1.0f, 3.0f, 10.0f};
    System s = sample(lesson_arena(lesson), spring(lesson_arena(lesson)), spring_step);
    double bent[SIZES][PAIRS], linear = 0.0, low = INFINITY, high = 0.0, at_one = INFINITY;
    float means[SIZES] = {0}, square[SIZES];
    printf("amplitude     breach with tanh, five pairs of forces\n");
    for (int k = 0; k < SIZES; k++) {
        printf("%6.2f N ", (double)sizes[k]);
        for (int p = 0; p < PAIRS; p++) {
            Rng rng = lesson_rng(lesson, 40 + (uint64_t)p);
            linear = fmax(linear, breach(s, sizes[k], false, rng));
            bent[k][p] = breach(s, sizes[k], true, rng);
            means[k] += (float)bent[k][p] / PAIRS;
            printf("%11.5f", bent[k][p]);
        }
        square[k] = means[0] * sizes[k] * sizes[k] / (sizes[0] * sizes[0]);
        printf("\n");
    }
    for (int p = 0; p < PAIRS; p++) {
        double ratio = bent[2][p] / bent[0][p];
        low = fmin(low, ratio), high = fmax(high, ratio), at_one = fmin(at_one, bent[4][p]);
    }
    printf("\nfrom 0.01 to 0.1 N it grows %.0f to %.0f times\n\n", low, high);
    claim(lesson, linear <= 1e-5, "a linear recurrence obeys superposition, to 1e-5, at every amplitude");
    claim(lesson, low >= 60.0 && high <= 140.0,
          "with tanh, ten times the amplitude make about a hundred times the breach");
    claim(lesson, at_one >= 0.08, "at 1 N the breach is 8 %% or more");

    Plot *plot = plot_begin(lesson, "superposition.png", "How far tanh is from superposition");
    plot_axes(plot, "amplitude of the force (N)", "breach, as a share of the output");
    plot_log(plot, "xy");
    plot_range_y(plot, 1e-4, 3.0);
    plot_line_points(plot, "with tanh, mean of five pairs", sizes, means, SIZES);
    plot_dashed(plot, "the square of the amplitude", sizes, square, SIZES);
    plot_end(plot, "Small signals do not feel the bend. Engineers rely on that when they linearise.");
}

/*
## Sunspots

Enough of machines that we have made ourselves. Since 1700 astronomers have counted spots on the sun, one
number a year. They come and go, in a rhythm of about eleven years that nobody could write down as an
equation. Given all the years until now, what will next year's number be?

We leave the program as it is: $u_t$ is this year's number, the output to be learned is the next one's.
Trained on all windows of 40 years in the first 220, tested on the last 89; all numbers are in units of the
training years' deviation. To beat are **persistence** (持续性预测), next year is as this year, and
**autoregression** (自回归) of order $p$, AR($p$): least squares on the $p$ last years, which Yule invented in
1927 for these very sunspots.
*/

typedef struct {
    float *values; // standardised
    int years, training;
    float mean, deviation;
} Series;

static Series sunspots(Arena *arena)
{
    Csv table = csv_read(arena, "datasets/cache/time-series/sunspots.csv");
    Matrix all = csv_numbers(arena, table, "SUNACTIVITY", "SUNACTIVITY");
    Series s = {all.data, all.rows, 220, 0.0f, 0.0f};
    Matrix training = matrix_rows(all, 0, s.training);
    s.mean = (float)mean(training);
    add_scalar(all, -s.mean);
    s.deviation = sqrtf((float)(sum_of_squares(training) / s.training));
    scale(all, 1.0f / s.deviation);
    return s;
}

// Root mean square error over the test years; predicted[t] is the prediction for year t
static double test_error(Series s, const float *predicted)
{
    double total = 0.0;
    for (int t = s.training; t < s.years; t++) {
        double error = (double)(predicted[t] - s.values[t]);
        total += error * error;
    }
    return sqrt(total / (s.years - s.training));
}

// w (order + 1 × 1) receives the weights of the last year, the one before, …, and the constant
static double autoregression(Arena *arena, Matrix w, float *predicted, Series s)
{
    int order = w.rows - 1;
    Matrix x = matrix_new(arena, s.years - order, order + 1), y = matrix_new(arena, x.rows, 1),
           all = matrix_new(arena, x.rows, 1);
    for (int r = 0; r < x.rows; r++) {
        for (int k = 0; k < order; k++) AT(x, r, k) = s.values[r + order - 1 - k];
        AT(x, r, order) = 1.0f;
        y.data[r] = s.values[r + order];
    }
    least_squares_solve(w, matrix_rows(x, 0, s.training - order), matrix_rows(y, 0, s.training - order));
    matmul(all, x, w);
    memcpy(predicted + order, all.data, sizeof(float) * (size_t)all.rows);
    return test_error(s, predicted);
}

// Every window of 40 training years; the input is a year, the output to be learned the next one.
static Record windows(Arena *arena, Series s)
{
    enum { WINDOW = 40, WARM_UP = 10 }; // the state begins at zero: give it time
    int count = s.training - WINDOW;
    Record r = {
        .u = matrix_new(arena, count, WINDOW), .y = matrix_new(arena, count, WINDOW), .ignored = WARM_UP};
    for (int i = 0; i < count; i++) {
        memcpy(matrix_row(r.u, i), s.values + i, sizeof(float) * WINDOW);
        memcpy(matrix_row(r.y, i), s.values + i + 1, sizeof(float) * WINDOW);
    }
    return r;
}

static void print_movements(const char *name, Matrix a)
{
    Complex poles[16];
    eigenvalues(poles, a);
    printf("%-38s", name);
    for (int i = 0; i < a.rows; i++)
        if (poles[i].im > 0.0)
            printf("%6.1f years (%.2f)", turn / complex_angle(poles[i]), complex_size(poles[i]));
    printf("\n");
}

static double slowest_fading_period(Matrix a) // of the oscillation with the largest pole
{
    Complex poles[16];
    eigenvalues(poles, a);
    for (int i = 0; i < a.rows; i++)
        if (poles[i].im > 0.0) return turn / complex_angle(poles[i]);
    return INFINITY;
}

static void draw_sunspots(Lesson *lesson, Series s, const float *predicted)
{
    enum { MOST_YEARS = 400 };
    float years[MOST_YEARS], counted[MOST_YEARS], told[MOST_YEARS];
    for (int t = s.training; t < s.years; t++) {
        years[t] = (float)(1700 + t);
        counted[t] = s.mean + s.deviation * s.values[t];
        told[t] = s.mean + s.deviation * predicted[t];
    }
    int first = s.training, count = s.years - first;
    Plot *plot = plot_begin(lesson, "sunspots.png", "Sunspots, predicted one year ahead");
    plot_axes(plot, "year", "sunspot number");
    plot_range_y(plot, -10.0, 240.0);
    plot_legend(plot, "top left");
    plot_line_points(plot, "counted", years + first, counted + first, count);
    plot_dashed(plot, "linear RNN of 4 states, told a year before", years + first, told + first, count);
    plot_end(plot, "The 89 test years. The rhythm is caught; the height of a maximum comes as a surprise.");
}

static void predict_sunspots(Lesson *lesson, Series s, System *networks)
{
    section(lesson, "Sunspots");
    Arena *arena = lesson_arena(lesson);
    float *predicted = arena_zeros(arena, (size_t)s.years, sizeof *predicted);
    double ar[4], errors[TRIES];
    const int orders[] = {1, 2, 9, 12};
    memcpy(predicted + 1, s.values, sizeof(float) * (size_t)(s.years - 1));
    double persistence = test_error(s, predicted);
    printf("error on the test years (1 = %.1f sunspots)\npersistence %.3f", (double)s.deviation, persistence);
    for (int k = 0; k < 4; k++) {
        ar[k] = autoregression(arena, matrix_new(arena, orders[k] + 1, 1), predicted, s);
        printf("   AR(%d) %.3f", orders[k], ar[k]);
    }
    printf("\nlinear RNN, 4 states, three tries:");
    for (int k = 0; k < TRIES; k++) {
        Rng rng = lesson_rng(lesson, 60 + (uint64_t)k);
        networks[k] = values_of(identify(lesson, "sunspots", 4, windows(arena, s), CIRCLES, &rng));
        run_steps(predicted + 1, networks[k], NULL, s.values, s.years - 1);
        errors[k] = test_error(s, predicted);
        printf("   %.3f", errors[k]);
    }
    printf("\n\n");
    claim(lesson, largest_of(errors) <= 0.92 * ar[1] && largest_of(errors) <= 0.65 * persistence,
          "a linear RNN of 4 states beats AR(2) by 8 %% or more, and persistence by 35 %% or more");
    claim(lesson, smallest_of(errors) >= ar[2] && largest_of(errors) <= 1.06 * ar[2],
          "it comes within 6 %% of AR(9), and does not beat it");
    draw_sunspots(lesson, s, predicted);
}

/*
A state of four numbers does nearly what nine remembered years do, and does not do it better. That is as it
should be: AR(9) is a linear system too, one of nine states.

## A network that learned to explode

The networks above began in a good place: two circles, a slow and a fast one, and $D = 1$. What if we let
them begin as we let the springs, at random?
*/

static double error_on_windows(Arena *arena, System s, Record r)
{
    System unused = {matrix_copy(arena, s.a), matrix_copy(arena, s.b), matrix_copy(arena, s.c),
                     matrix_copy(arena, s.d)};
    return sqrt(backpropagate_through_time(unused, s, r));
}

static void learn_to_explode(Lesson *lesson, Series s, const System *networks)
{
    section(lesson, "A network that learned to explode");
    Arena *arena = lesson_arena(lesson);
    Record record = windows(arena, s);
    float *predicted = arena_zeros(arena, (size_t)s.years, sizeof *predicted);
    double most = 0.0;
    printf("                    largest pole    error on the windows    on the test years\n");
    for (int k = 0; k <= TRIES; k++) {
        Rng rng = lesson_rng(lesson, 60 + (uint64_t)k);
        System network =
            k == 0 ? networks[0] : values_of(identify(lesson, "sunspots", 4, record, ALL_FREE, &rng));
        run_steps(predicted + 1, network, NULL, s.values, s.years - 1);
        double error = test_error(s, predicted), radius = spectral_radius(network.a);
        printf(error < 100.0 ? "%-20s%12.3f %23.3f %20.3f\n" : "%-20s%12.3f %23.3f %20.0f\n",
               k == 0 ? "begun in circles" : "begun at random", radius,
               error_on_windows(arena, network, record), error);
        if (radius > 1.0) most = fmax(most, error);
    }
    printf("\n");
    claim(lesson, most >= 10.0,
          "from a random start, the same training can give an unstable network, useless in the test");
}

/*
On the windows the unstable networks do as well as the good one. They hold a pole outside the circle, and
nobody notices: the state starts at zero, and 40 years are too short to run away. Trained on short pieces
and used on a long one, they explode. (Behind a $\tanh$ the states would have stayed bounded, and the fault
hidden.) For a linear network there is a test that takes a moment, before anything is run: look at the
poles.

## Where is the cycle?

So let us look at the poles of the three good ones. Do they show the eleven years of the sun?
*/

// The network fed with its own predictions: state and input together, (n + 1 × n + 1)
static Matrix closed_loop(Arena *arena, System s)
{
    int n = s.a.rows;
    Matrix m = matrix_new(arena, n + 1, n + 1);
    copy_columns(matrix_rows(m, 0, n), 0, s.a, 0, n);
    copy_columns(matrix_rows(m, 0, n), n, s.b, 0, 1);
    copy_columns(matrix_rows(m, n, 1), 0, s.c, 0, n);
    AT(m, n, n) = s.d.data[0];
    return m;
}

static void the_cycle(Lesson *lesson, Series s, const System *networks)
{
    section(lesson, "Where is the cycle?");
    Arena *arena = lesson_arena(lesson);
    double open[TRIES], closed[TRIES];
    float *predicted = arena_zeros(arena, (size_t)s.years, sizeof *predicted);
    printf("periods of the poles (and their size)\n");
    for (int i = 0; i < TRIES; i++) {
        open[i] = slowest_fading_period(networks[i].a);
        print_movements("linear RNN, A", networks[i].a);
    }
    for (int i = 0; i < TRIES; i++) {
        closed[i] = slowest_fading_period(closed_loop(arena, networks[i]));
        print_movements("linear RNN, fed with its predictions", closed_loop(arena, networks[i]));
    }
    for (int order = 2; order <= 9; order += 7) {
        Matrix w = matrix_new(arena, order + 1, 1);
        autoregression(arena, w, predicted, s);
        print_movements(order == 2 ? "AR(2)" : "AR(9)", companion_matrix(arena, w.data, order));
    }
    printf("\n");
    double middle = open[0] + open[1] + open[2] - smallest_of(open) - largest_of(open);
    claim(lesson, middle >= 13.0,
          "the slowest pole of A is not near the cycle of the sun: 13 years or more (median)");
    claim(lesson, smallest_of(closed) >= 10.0 && largest_of(closed) <= 12.0,
          "fed with its own predictions, every network swings with a period of 10 to 12 years");
}

/*
The poles of $A$ are not the sun's. Of course not: the network is not left to itself, it is told each year
what really came, and $A$ says only how fast it forgets what it was told. The sun's movement is in the loop
that closes when the network's output is taken for the next input, $u_{t+1} = C x_t + D u_t$:

$$\begin{pmatrix} x_{t+1} \\ u_{t+1} \end{pmatrix} =
\begin{pmatrix} A & B \\ C & D \end{pmatrix} \begin{pmatrix} x_t \\ u_t \end{pmatrix} .$$

All the weights of the network are one matrix, and its slowest pole has the eleven years, in every try. An
engineer has seen this before: a predictor that corrects itself by measurements is a **Kalman filter**
(卡尔曼滤波器), and its poles are those of its errors, not those of what it watches.

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "13-rnn-is-lti", "An RNN is a linear system is a convolution");
    look_at_the_machines(lesson);
    three_ways(lesson);
    cut_the_kernel(lesson);
    what_becomes_of_a_sine(lesson);
    Identified results[BOXES];
    training_is_identification(lesson, results);
    other_numbers_inside(lesson, results);
    shake_the_numbers(lesson, results);
    draw_what_was_learned(lesson, results);
    euler(lesson);
    two_directions(lesson);
    a_bend_breaks_the_sum(lesson);
    System networks[TRIES];
    Series series = sunspots(lesson_arena(lesson));
    predict_sunspots(lesson, series, networks);
    learn_to_explode(lesson, series, networks);
    the_cycle(lesson, series, networks);
    return lesson_end(lesson);
}

/*
## What to take along

| a network says | an engineer says |
|---|---|
| hidden state, recurrent weights | state, $A$ |
| input weights, output weights, skip connection | $B$, $C$, $D$ |
| unrolled kernel | impulse response, $D, CB, CAB, \dots$ |
| training | system identification, output-error method |
| backpropagation through time | adjoint system |
| vanishing, exploding gradients | stable, unstable poles |

- A linear RNN, a discrete LTI system and a convolution are one thing, computed in three ways. A state is
  short and must be computed in order; a kernel is long and can be computed in any.
- Training recovers the poles of a machine to a few parts in ten thousand, from noisy outputs. It does not
  recover the machine's coordinates: only what does not depend on the basis means anything.
- The way of writing the unknowns decides whether descent can find them. More numbers can be easier than
  fewer.
- One number, the size of the largest pole, rules memory, stability and gradients alike.
- A bend ends all this, gently for small signals and thoroughly for large ones.

A linear system forgets at a rate that is fixed once and for all. The next chapter's LSTM decides anew at
every step how much to keep: its $A$ depends on the input, and with that the convolution is gone.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade13` tells how far you are,
`make hint13` helps.

- **TASK 13.1** one step of a linear system, with its $D$.
- **TASK 13.2** the impulse response from $A$, $B$, $C$, $D$.
- **TASK 13.3** two steps as one: what a parallel scan puts together.
- **TASK 13.4** backpropagation through time for a system of one state.
- **TASK 13.5** the spectral radius without eigenvalues.

And without a computer, or with five minutes at one:

1. How does $A$ change when the spring is sampled twice as often? Check it with the numbers of the first
   section.
2. Push the black box with a constant force, and look only when it stands still. What can be found of it,
   and what not?
3. Begin with zeros in $A$, $B$ and $C$. Why does the network never learn anything but $D$?
4. Give the sunspots' network 8 states, or put a $\tanh$ into it. What do you need to believe that it got
   better?
5. Which weights make an RNN that counts its inputs? Where is its pole, and what does BPTT think of it?
*/
