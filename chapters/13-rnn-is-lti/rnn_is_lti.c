/*
# An RNN is a linear system is a convolution

Push a swing once. It answers for a minute: forth, back, forth again. What it does now depends on a push long
ago, and yet a swing keeps no diary. It has two numbers, where it is and how fast it moves. They carry the
past.

A **recurrent neural network** (循环神经网络), RNN, is built in the same way: a few numbers, the **state**
(状态), which every input changes and from which every output is read. Leave out the activation, and it is letter
for letter what control engineers call a **discrete linear time-invariant system** (离散线性时不变系统),
LTI. And every such system is a **convolution** (卷积): its output is a weighted sum of past inputs, with
weights that depend only on how long ago they came.

So the same numbers can be computed in three ways. Then we turn round: somebody shows us only the pushes and
the movement, and we train a network until it does the same. Engineers call that **system identification**
(系统辨识). We will find their numbers in our weights. You need chapters 6 and 7.
*/

#include "base/mathf.h"
#include "learning/least_squares.h"
#include "learning/ops/recurrent.h"
#include "files/csv.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
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
the position 0. But an accelerometer gives $\ddot p = (F - k p - c v)/m$, so $C = (-k/m, -c/m)$ and $D = 1/m$.
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

static System system_zeros(Arena *arena, int n)
{
    return (System){matrix_new(arena, n, n), matrix_new(arena, n, 1), matrix_new(arena, 1, n),
                    matrix_new(arena, 1, 1)};
}

static System spring(Arena *arena)
{
    return system_new(arena, 2, (float[]){0, 1, -4, -0.4f}, (float[]){0, 1}, (float[]){1, 0}, 0);
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

The exponential of a matrix is the series $e^M = 1 + M + M^2/2 + \dots$; `common/matrix/eigen.c` adds it up.
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
    System sampled = system_zeros(arena, n);
    sampled.c = s.c, sampled.d = s.d;
    copy_columns(sampled.a, 0, matrix_rows(m, 0, n), 0, n);
    copy_columns(sampled.b, 0, matrix_rows(m, 0, n), n, 1);
    return sampled;
}

/*
The eigenvalues of the matrix are called the **poles** (极点) of the system. The spring has a pair, $s = -0.2
\pm 1.99i$ per second. The real part says how fast a movement dies out: like $e^{-0.2 t}$, with a time
constant of 5 s. The imaginary part is its frequency, 1.99 rad/s or 0.317 Hz. A movement $e^{st}$, looked at
every $\Delta t$, is multiplied from look to look by $z = e^{s \Delta t}$, and that must be the eigenvalue of
$A$: its size is the loss of each step, its angle the turn of each step. But an angle has no memory of full
turns. A movement that turns by more than half a circle between two looks is taken for a slower one: this is
**aliasing** (混叠), and half the sampling frequency, the highest that can be told, is the **Nyquist
frequency** (奈奎斯特频率). What happens if we look at our spring only every 2 seconds?
*/

static const double turn = 2.0 * 3.14159265358979;
static const double spring_step = 0.1, masses_step = 0.15; // seconds

static void look_at_the_spring(Lesson *lesson)
{
    section(lesson, "A mass on a spring");
    Arena *arena = lesson_arena(lesson);
    const double steps[] = {spring_step, 1.0, 2.0};
    double seen = 0.0, error = 0.0;
    Complex s[2], z[2];
    eigenvalues(s, spring(arena).a);
    matrix_print(stdout, "A", sample(arena, spring(arena), spring_step).a, 4);
    for (int k = 0; k < 3; k++) {
        eigenvalues(z, sample(arena, spring(arena), steps[k]).a);
        seen = complex_angle(z[0]) / (turn * steps[k]);
        printf("sampled every %.1f s, it seems to swing at %.3f Hz\n", steps[k], seen);
        float size = exp32((float)(s[0].re * steps[k])), angle = (float)(s[0].im * steps[k]);
        Complex expected = {(double)(size * cos32(angle)), (double)fabsf(size * sin32(angle))};
        error = fmax(error, complex_size(complex_minus(z[0], expected)));
    }
    printf("\n");
    claim(lesson, error <= 1e-5, "the poles of the sampled spring are exp(s dt), to 1e-5");
    claim(lesson, fabs(seen - (0.5 - s[0].im / turn)) <= 1e-3,
          "every 2 s, the frequency f shows up as 0.5 Hz − f");
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
(脉冲响应): what comes out when one single 1 goes in. It has no state; its outputs can be computed in any
order.
*/

static void impulse_response(float *g, System s, int taps)
{
    float x[MOST_STATES]; // Aᵏ⁻¹ B
    memcpy(x, s.b.data, sizeof *x * (size_t)s.a.rows);
    g[0] = s.d.data[0];
    for (int k = 1; k < taps; k++) g[k] = step(x, s, 0.0f);
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
within a round all places can be computed at the same time. This is a **parallel scan** (并行扫描).
*/

typedef struct {
    float a[MOST_STATES][MOST_STATES], b[MOST_STATES];
} Affine; // x ↦ a x + b

static Affine compose(const Affine *second, const Affine *first, int n)
{
    Affine both = {0};
    for (int i = 0; i < n; i++) {
        both.b[i] = second->b[i];
        for (int j = 0; j < n; j++) {
            both.b[i] += second->a[i][j] * first->b[j];
            for (int k = 0; k < n; k++) both.a[i][k] += second->a[i][j] * first->a[j][k];
        }
    }
    return both;
}

// machines: the one of each step, or, when there is only one, the same in all
static void run_scan(Arena *arena, float *y, const System *machines, int count, const float *x_0,
                     const float *u, int steps)
{
    int n = machines[0].a.rows;
    Affine *maps = arena_zeros(arena, (size_t)steps, sizeof *maps); // maps[t] makes the state before step t
    memcpy(maps[0].b, x_0, sizeof *x_0 * (size_t)n);
    for (int t = 1; t < steps; t++) {
        System s = machines[(t - 1) % count];
        for (int i = 0; i < n; i++) {
            maps[t].b[i] = s.b.data[i] * u[t - 1];
            memcpy(maps[t].a[i], matrix_row(s.a, i), sizeof(float) * (size_t)n);
        }
    }
    for (int far = 1; far < steps; far *= 2)
        for (int t = steps - 1; t >= far; t--) maps[t] = compose(&maps[t], &maps[t - far], n);
    for (int t = 0; t < steps; t++) {
        System s = machines[t % count];
        y[t] = s.d.data[0] * u[t];
        for (int i = 0; i < n; i++) y[t] += s.c.data[i] * maps[t].b[i];
    }
}

// The largest difference, as a fraction of the largest a
static float apart(const float *a, const float *b, int count)
{
    float difference = 0.0f, size = 0.0f;
    for (int i = 0; i < count; i++)
        difference = fmaxf(difference, fabsf(a[i] - b[i])), size = fmaxf(size, fabsf(a[i]));
    return difference / size;
}

enum { STEPS = 256 };

static void three_ways(Lesson *lesson)
{
    section(lesson, "Three ways to one output");
    Arena *arena = lesson_arena(lesson);
    const char *names[] = {"spring, position", "spring, acceleration", "two masses, position"};
    System machines[] = {sample(arena, spring(arena), spring_step), sample(arena, spring(arena), spring_step),
                         sample(arena, two_masses(arena), masses_step)};
    const float accelerometer[] = {-4, -0.4f, 1};
    machines[1].c = matrix_from(arena, 1, 2, accelerometer);
    machines[1].d = matrix_from(arena, 1, 1, accelerometer + 2);
    const float x_0[MOST_STATES] = {0.3f, -0.2f, -0.1f, 0.4f}, nothing[STEPS] = {0}; // not at rest
    float u[STEPS], steps[STEPS], g[STEPS], left[STEPS], convolution[STEPS], scan[STEPS];
    Rng rng = lesson_rng(lesson, 1);
    rng_normals(&rng, u, STEPS);
    for (int m = 0; m < 3; m++) {
        run_steps(steps, machines[m], x_0, u, STEPS);
        run_steps(left, machines[m], x_0, nothing, STEPS); // C Aᵗ x_0
        impulse_response(g, machines[m], STEPS);
        convolve(convolution, g, STEPS, u, STEPS);
        for (int t = 0; t < STEPS; t++) convolution[t] += left[t];
        run_scan(arena, scan, &machines[m], 1, x_0, u, STEPS);
        claim(lesson, apart(steps, convolution, STEPS) <= 1e-5f && apart(steps, scan, STEPS) <= 1e-5f,
              "%s: step by step, convolution and scan agree over 256 steps, to 1e-5", names[m]);
    }
}

/*
Nothing in the scan asks that all the maps be alike. Let the spring become stiffer while it swings, from 2 to
8 N/m in the 256 steps. Then there is another $A$ and another $B$ at every step, and the order in which they
are put together matters: $A_2 A_1$ is not $A_1 A_2$. And the convolution? A kernel answers a push in the same
way whenever it comes. This spring answers an early push slowly and a late one fast.
*/

static void a_spring_that_stiffens(Lesson *lesson)
{
    section(lesson, "A spring that stiffens");
    enum { LATE = STEPS / 2, WATCHED = 64 };
    Arena *arena = lesson_arena(lesson);
    System machines[STEPS];
    for (int t = 0; t < STEPS; t++) {
        const float stiffness = 2.0f + 6.0f * (float)t / STEPS, a[] = {0, 1, -stiffness, -0.4f};
        machines[t] =
            sample(arena, system_new(arena, 2, a, (float[]){0, 1}, (float[]){1, 0}, 0), spring_step);
    }
    const float x_0[MOST_STATES] = {0.3f, -0.2f};
    float u[STEPS], steps[STEPS], scan[STEPS], x[MOST_STATES], early[WATCHED], late[WATCHED];
    Rng rng = lesson_rng(lesson, 2);
    rng_normals(&rng, u, STEPS);
    memcpy(x, x_0, sizeof x);
    for (int t = 0; t < STEPS; t++) steps[t] = step(x, machines[t], u[t]);
    run_scan(arena, scan, machines, STEPS, x_0, u, STEPS);
    memset(x, 0, sizeof x);
    for (int t = 0; t < WATCHED; t++) early[t] = step(x, machines[t], t == 0 ? 1.0f : 0.0f);
    memset(x, 0, sizeof x);
    for (int t = 0; t < WATCHED; t++) late[t] = step(x, machines[LATE + t], t == 0 ? 1.0f : 0.0f);
    printf("the same push, 12.8 s later: answers apart by %.0f %% of the first one's peak\n\n",
           100.0 * (double)apart(early, late, WATCHED));
    claim(lesson, apart(steps, scan, STEPS) <= 1e-5f,
          "with another A at every step the scan still equals stepping, to 1e-5");
    claim(lesson, apart(early, late, WATCHED) >= 0.5f,
          "and no kernel can: an early and a late push are answered differently, by half the peak or more");
}

/*
The scan multiplies matrices where stepping multiplies a matrix with a vector: worth it only with many
processors, or when $A$ is diagonal. Any machine with different poles becomes diagonal when it is described by
its movements $z^t$ in the place of position and speed; the recurrent layers that compete with attention
today, S4D, LRU, Mamba, are made so. Mamba makes its $A_t$ and $B_t$ from the input: the scan can do that, as
we have just seen, and a convolution cannot. Where $A$ is the same at all times, as in **S4**, training uses the
convolution, and by the **fast Fourier transform** (快速傅里叶变换), FFT: two transforms, a product for each
frequency and one transform back take $T \log T$ multiplications in the place of $T^2$. And $\Delta t$, which we
chose, is one of S4's *learned* numbers: it stretches the kernel, so each channel finds its own time scale.

A convolution over the whole past grows with every step, so one cuts the **kernel** (卷积核) when its weights
have faded. For an error of one percent our spring needs more than 200, where the recurrence has two numbers.

## Training is system identification

Now somebody hands us a black box. We may push it, with random forces, and watch what comes out, with the
noise of a real instrument. What is inside? We guess *some* state equation of $n$ states, begin with random
$A$, $B$, $C$, $D$, and descend until our output is what was measured.

Unrolled, the recurrence is a network of $T$ layers with the same weights in each; chapter 6 tells how to
differentiate it. Let $e_t$ be the derivative of the loss with respect to $y_t$ and $\lambda_t$ that with
respect to $x_t$. Since $x_t$ acts on $y_t$ through $C$ and on $x_{t+1}$ through $A$,

$$\lambda_t = A^\top \lambda_{t+1} + C^\top e_t, \qquad
d_A = \sum_t \lambda_{t+1} x_t^\top, \quad d_B = \sum_t \lambda_{t+1} u_t, \quad
d_C = \sum_t e_t x_t^\top, \quad d_D = \sum_t e_t u_t .$$

This is **backpropagation through time** (通过时间的反向传播), BPTT. Look at the first equation: it is again a
linear system, with $A^\top$ for $A$, which runs from the future into the past. Control theory has had it
since the fifties and calls it the **adjoint system** (伴随系统).
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

/*
Is that what the library's tape computes? Its layer takes states as rows, so it wants $A^\top$; and its state
has already seen the newest input, where ours is what was there *before*. So we hand it the inputs one step
late.
*/

static float difference_from_the_tape(Arena *arena, System s, Record r)
{
    int n = s.a.rows, steps = r.u.cols, count = r.u.rows * steps;
    Matrix late = matrix_new(arena, count, 1), transposed = matrix_new(arena, n, n);
    for (int i = 0; i < count; i++) late.data[i] = i % steps == 0 ? 0.0f : r.u.data[i - 1];
    transpose(transposed, s.a);
    Tape *tape = tape_new();
    Tensor *a = tape_variable(tape, transposed), *b = tape_variable(tape, matrix_reshape(s.b, 1, n));
    Tensor *c = tape_variable(tape, matrix_reshape(s.c, n, 1)), *d = tape_variable(tape, s.d);
    Tensor *states = rnn(tape_input(tape, late), b, a, tape_input(tape, matrix_new(arena, 1, n)),
                         ((Sequences){r.u.rows, steps}), RNN_LINEAR, NULL);
    Tensor *output =
        tensor_add(product(states, c), product(tape_input(tape, matrix_reshape(r.u, count, 1)), d));
    backward(mean_squared_error(output, matrix_reshape(r.y, count, 1)));

    System own = system_zeros(arena, n);
    backpropagate_through_time(own, s, r);
    transpose(transposed, a->gradient);
    float a_and_b = fmaxf(apart(own.a.data, transposed.data, n * n), apart(own.b.data, b->gradient.data, n));
    float c_and_d = fmaxf(apart(own.c.data, c->gradient.data, n), apart(own.d.data, d->gradient.data, 1));
    tape_free(tape);
    return fmaxf(a_and_b, c_and_d);
}

/*
The experiments: white noise in, from rest, 64 steps; sixteen of them with the spring and eight with the two
masses. The output is divided by its deviation, then noise is added, 5 % and 2 % of it. Adam, 2000 steps on
all the data. On the same data we try the textbook's parametrisation, the **companion form** (友矩阵形式). The
first row of $A$ holds the coefficients of its characteristic polynomial, below stand fixed ones, $B$ is
$(1, 0, \dots)^\top$; only $C$, $D$ and the $n$ coefficients are learned. Nothing is superfluous: there is
exactly one such matrix for each set of poles. Each form is trained at four rates from the same start, and the
one with the smallest loss, which needs no knowledge of the truth, is taken for two more tries, each with a
start and an experiment of its own.
*/

enum { TRIES = 3 };

typedef struct {
    const char *name;
    System truth;
    int experiments;
    float noise;
    double dt;
    System full[TRIES], companion[TRIES]; // what was learned
    System short_way;                     // what least squares says
} Box;

static Record experiment(Arena *arena, Box box, Rng *rng)
{
    int count = box.experiments;
    Record r = {matrix_new(arena, count, MOST_STEPS), matrix_new(arena, count, MOST_STEPS), 0, 1.0f};
    fill_normal(r.u, rng, 0.0f, 1.0f);
    for (int i = 0; i < count; i++)
        run_steps(matrix_row(r.y, i), box.truth, NULL, matrix_row(r.u, i), MOST_STEPS);
    r.deviation = sqrtf((float)(sum_of_squares(r.y) / (double)matrix_size(r.y)));
    for (size_t i = 0; i < matrix_size(r.y); i++)
        r.y.data[i] = r.y.data[i] / r.deviation + box.noise * rng_normal(rng);
    return r;
}

typedef enum { ALL_FREE, COMPANION, CIRCLES } Form; // what is learned, and from where

static void start(System s, Form form, Rng *rng)
{
    int n = s.a.rows;
    if (form == COMPANION) { // all poles at 0.9: the coefficients of (z − 0.9)ⁿ
        float coefficients[MOST_STATES + 1] = {1};
        for (int k = 1; k <= n; k++)
            for (int i = k; i >= 1; i--) coefficients[i] -= 0.9f * coefficients[i - 1];
        for (int j = 0; j < n; j++) AT(s.a, 0, j) = -coefficients[j + 1];
        for (int i = 1; i < n; i++) AT(s.a, i, i - 1) = 1.0f;
        s.b.data[0] = 1.0f;
        fill_normal(s.c, rng, 0.0f, 0.1f);
        return;
    }
    fill_normal(s.a, rng, 0.0f, 0.1f / sqrtf((float)n)); // slowly fading states, loosely coupled
    fill_normal(s.b, rng, 0.0f, 0.5f);
    fill_normal(s.c, rng, 0.0f, 0.5f);
    for (int i = 0; i < n; i++) AT(s.a, i, i) += 0.9f;
    if (form == ALL_FREE) return;
    fill(s.a, 0.0f);
    const float angles[] = {0.1f, 1.5f}; // circles, a slow and a fast one; the output begins as the input
    for (int i = 0; i + 1 < n; i += 2) {
        AT(s.a, i, i) = AT(s.a, i + 1, i + 1) = 0.95f * cos32(angles[i / 2]);
        AT(s.a, i, i + 1) = 0.95f * sin32(angles[i / 2]);
        AT(s.a, i + 1, i) = -AT(s.a, i, i + 1);
    }
    s.d.data[0] = 1.0f;
}

static System system_of(const Parameters *p, bool gradients)
{
    Matrix m[4];
    for (int i = 0; i < 4; i++) m[i] = gradients ? tensor_gradient(p->items[i]) : p->items[i]->value;
    return (System){m[0], m[1], m[2], m[3]};
}

typedef struct {
    Form form;
    float rate;
    int steps;
} Descent;

// Returns the machine, in its own units; *loss is the last one
static System identify(Lesson *lesson, const char *name, int n, Record record, Descent how, Rng rng,
                       double *loss)
{
    Parameters p = parameters_new(lesson_arena(lesson));
    parameters_add(&p, "a", n, n), parameters_add(&p, "b", n, 1);
    parameters_add(&p, "c", 1, n), parameters_add(&p, "d", 1, 1);
    System s = system_of(&p, false);
    start(s, how.form, &rng);
    Optimiser adam = adam_new(lesson_arena(lesson), &p, 0.9f, 0.999f, 1e-8f, 0.0f);
    for (int k = 0; k < how.steps; k++) {
        System gradients = system_of(&p, true);
        *loss = backpropagate_through_time(gradients, s, record);
        if (how.form == COMPANION) { // what is fixed has no gradient
            fill(matrix_rows(gradients.a, 1, n - 1), 0.0f);
            fill(gradients.b, 0.0f);
        }
        clip_gradients(&p, 1.0f);
        optimiser_step(&adam, cosine_schedule(how.rate, k, 0, how.steps));
        lesson_progress(lesson, name, k + 1, how.steps, *loss);
    }
    scale(s.c, record.deviation); // back to the units of the machine
    scale(s.d, record.deviation);
    return s;
}

static double largest_of(const double *three) { return fmax(three[0], fmax(three[1], three[2])); }
static double smallest_of(const double *three) { return fmin(three[0], fmin(three[1], three[2])); }

enum { RATES = 4 };
static const float rates[RATES] = {1e-3f, 3e-3f, 1e-2f, 3e-2f};

// The first try at every rate; the rate of the smallest loss serves for the others. errors: of each try, a pole's largest
static void identify_by(Lesson *lesson, const Box *box, Form form, System *found, double *errors)
{
    const char *name = box->name;
    const int n = box->truth.a.rows, steps = lesson_full(lesson) ? 20000 : 2000;
    Descent how = {form, 0.0f, steps};
    double least = INFINITY, loss;
    printf("%-15s", form == COMPANION ? "companion form" : "all of A free");
    for (int k = 0; k < TRIES; k++) {
        Rng rng = lesson_rng(lesson, 10 + (uint64_t)k);
        Record record = experiment(lesson_arena(lesson), *box, &rng);
        for (int r = 0; r < RATES && k == 0; r++) {
            Descent at = {form, rates[r], steps};
            System s = identify(lesson, name, n, record, at, rng, &loss);
            printf("%8.3f %%", 100.0 * eigenvalues_apart(s.a, box->truth.a));
            if (loss < least) least = loss, how = at, found[0] = s;
        }
        if (k > 0) found[k] = identify(lesson, name, n, record, how, rng, &loss);
        errors[k] = eigenvalues_apart(found[k].a, box->truth.a);
        if (k > 0) printf("%s%8.3f %%", k == 1 ? "   |" : "", 100.0 * errors[k]);
    }
    printf("   at %g\n", (double)how.rate);
}

static void identify_box(Lesson *lesson, Box *box)
{
    double full[TRIES], companion[TRIES];
    printf("%s: largest error of a pole, first try, at rate          | two more tries at the best\n",
           box->name);
    printf("               %8g   %8g   %8g   %8g     |\n", (double)rates[0], (double)rates[1],
           (double)rates[2], (double)rates[3]);
    identify_by(lesson, box, ALL_FREE, box->full, full);
    identify_by(lesson, box, COMPANION, box->companion, companion);
    printf("\n");
    claim(lesson, largest_of(full) <= 0.005, "%s: BPTT finds the poles to 0.5 %%, despite the noise",
          box->name);
    if (box->truth.a.rows == 2)
        claim(lesson, largest_of(companion) <= 0.005, "%s: the companion form does so too", box->name);
    else
        claim(lesson, smallest_of(companion) >= 0.05,
              "%s: the companion form fails at its best rate, by 5 %% or more", box->name);
}

static void training_is_identification(Lesson *lesson, Box *boxes)
{
    section(lesson, "Training is system identification");
    Arena *arena = lesson_arena(lesson);
    boxes[0] = (Box){.name = "spring", .experiments = 16, .noise = 0.05f, .dt = spring_step};
    boxes[1] = (Box){.name = "two masses", .experiments = 8, .noise = 0.02f, .dt = masses_step};
    boxes[0].truth = sample(arena, spring(arena), spring_step);
    boxes[1].truth = sample(arena, two_masses(arena), masses_step);
    Rng rng = lesson_rng(lesson, 4);
    System fresh = system_zeros(arena, 4);
    start(fresh, ALL_FREE, &rng);
    claim(lesson, difference_from_the_tape(arena, fresh, experiment(arena, boxes[1], &rng)) <= 1e-5f,
          "backpropagation through time in plain loops equals the library's, to 1e-5");
    for (int m = 0; m < 2; m++) identify_box(lesson, &boxes[m]);
}

/*
The 22 % at a rate of 0.001 are an unfinished descent: with ten times the steps (`FULL=1`) it ends at 0.016 %, as
the others do. The companion form of two masses does not: with ten times the steps its best rate leaves 10 to 11 %. We
come back to it.

## The short way, and why it is wrong

Training runs the whole system from the inputs alone and compares only at the end; engineers call it the
**output-error method** (输出误差法). Was it necessary? An output of a machine of $n$ states is a weighted sum
of the $n$ outputs before it and of the inputs now and before, so one can simply ask for the weights by least
squares, without any descent:

$$y_t = a_1 y_{t-1} + \dots + a_n y_{t-n} + b_0 u_t + \dots + b_n u_{t-n} .$$

The $a$ are the coefficients of the characteristic polynomial, its roots the poles. But look at what stands on
the right: *measured* outputs, with their noise. Noise of variance $\sigma^2$ in the columns of a least squares
problem adds $T \sigma^2$ to the diagonal of $X^\top X$, after $T$ rows. It is a ridge, as in chapter 1, that
nobody has ordered: it makes the $a$ smaller than they are, and more data makes it larger at the same rate. We
can predict where it leads: the same least squares on outputs *without* noise, with the ridge put in by hand.
Two remedies are offered: 64 times the data, and a longer past, ten times as many outputs as there are states,
of whose poles we count only those nearest to the machine's.
*/

enum { MOST_PAST = 40 };

// Weights of `past` outputs before, of the input now, of `past` inputs before (2 · past + 1 × 1). ridge: added to the diagonal
// for the outputs, for each row of the problem
static Matrix fit_past(Arena *arena, Record r, int past, double ridge)
{
    int each = r.u.cols - past, rows = r.u.rows * each, columns = 2 * past + 1;
    Matrix x = matrix_new(arena, rows + past, columns), y = matrix_new(arena, rows + past, 1);
    for (int k = 0; k < rows; k++) {
        int row = k / each, t = past + k % each;
        y.data[k] = AT(r.y, row, t);
        for (int i = 1; i <= past; i++) AT(x, k, i - 1) = AT(r.y, row, t - i);
        for (int i = 0; i <= past; i++) AT(x, k, past + i) = AT(r.u, row, t - i);
    }
    for (int i = 0; i < past; i++) AT(x, rows + i, i) = (float)sqrt(ridge * rows);
    Matrix w = matrix_new(arena, columns, 1);
    least_squares_solve(w, x, y);
    return w;
}

// A machine with these weights. In this form a state is what is left to come of one past output and input.
static System system_of_past(Arena *arena, Matrix w, float deviation)
{
    int n = w.rows / 2;
    System s = system_zeros(arena, n);
    s.d.data[0] = w.data[n] * deviation;
    s.c.data[0] = 1.0f;
    for (int i = 0; i < n; i++) {
        AT(s.a, i, 0) = w.data[i];
        if (i + 1 < n) AT(s.a, i, i + 1) = 1.0f;
        s.b.data[i] = (w.data[n + 1 + i] + w.data[i] * w.data[n]) * deviation;
    }
    return s;
}

// Of each pole of the machine, the distance to the nearest pole of the fit, relative to its size: the largest
static double nearest_poles(Arena *arena, System truth, Matrix w)
{
    Complex poles[MOST_STATES], found[MOST_PAST];
    double worst = 0.0;
    int past = w.rows / 2;
    eigenvalues(poles, truth.a);
    eigenvalues(found, companion_matrix(arena, w.data, past));
    for (int i = 0; i < truth.a.rows; i++) {
        double nearest = INFINITY;
        for (int k = 0; k < past; k++)
            nearest = fmin(nearest, complex_size(complex_minus(poles[i], found[k])) / complex_size(poles[i]));
        worst = fmax(worst, nearest);
    }
    return worst;
}

typedef struct {
    double few, many, predicted, long_few, long_many; // largest errors of a pole
    double from_prediction;                           // how far the poles of many are from the predicted ones
} ShortWay;

static ShortWay by_least_squares(Arena *arena, Lesson *lesson, Box *box)
{
    enum { MORE = 64, LONGER = 10 };
    int n = box->truth.a.rows;
    Box more = *box, silent = *box;
    more.experiments = silent.experiments = box->experiments * MORE;
    silent.noise = 0.0f;
    Rng one = lesson_rng(lesson, 30), two = lesson_rng(lesson, 31), three = lesson_rng(lesson, 31);
    Record record = experiment(arena, *box, &one), large = experiment(arena, more, &two);
    Record clean = experiment(arena, silent, &three);
    Matrix few = fit_past(arena, record, n, 0.0), many = fit_past(arena, large, n, 0.0);
    Matrix predicted = fit_past(arena, clean, n, (double)(box->noise * box->noise));
    box->short_way = system_of_past(arena, many, large.deviation);
    return (ShortWay){.few = nearest_poles(arena, box->truth, few),
                      .many = nearest_poles(arena, box->truth, many),
                      .predicted = nearest_poles(arena, box->truth, predicted),
                      .long_few = nearest_poles(arena, box->truth, fit_past(arena, record, n * LONGER, 0.0)),
                      .long_many = nearest_poles(arena, box->truth, fit_past(arena, large, n * LONGER, 0.0)),
                      .from_prediction = eigenvalues_apart(companion_matrix(arena, many.data, n),
                                                           companion_matrix(arena, predicted.data, n))};
}

static void the_short_way(Lesson *lesson, Box *boxes)
{
    section(lesson, "The short way, and why it is wrong");
    Arena *arena = lesson_arena(lesson);
    double least = INFINITY, apart_most = 0.0, long_most = 0.0;
    for (int m = 0; m < 2; m++) {
        ShortWay s = by_least_squares(arena, lesson, &boxes[m]);
        printf("%s: largest error of a pole\n", boxes[m].name);
        printf("least squares                   %7.2f %%   64 times the data %6.2f %%   predicted %6.2f %%\n",
               100.0 * s.few, 100.0 * s.many, 100.0 * s.predicted);
        printf("least squares, ten times the past%6.2f %%   64 times the data %6.2f %%\n", 100.0 * s.long_few,
               100.0 * s.long_many);
        printf("training, first try             %7.2f %%\n\n",
               100.0 * eigenvalues_apart(boxes[m].full[0].a, boxes[m].truth.a));
        least = fmin(least, s.many);
        apart_most = fmax(apart_most, s.from_prediction), long_most = fmax(long_most, s.long_few);
    }
    claim(lesson, least >= 0.05,
          "64 times the data do not help least squares: a pole is wrong by 5 %% or more");
    claim(lesson, apart_most <= 0.01, "its poles are where the ridge of the noise leads them, to 1 %%");
    claim(lesson, long_most <= 0.01, "a longer past does help: a pole is wrong by 1 %% at most");
}

/*
The prediction is right to a hundredth of a per cent. More data only show the wrong machine more clearly.

The long past deserves a fair word. Its poles are nearly as good as those of training for the spring, and for the two masses
too when there are more data. Practice often does just this. The price: 41 and 81 weights in the place of 5 and 9, and
of 20 and 40 poles somebody has to say which are the machine's. (Below, "least squares" is the one with the short past.)

## The same box with other numbers inside

Three times we have learned the spring. What have the three in common with the truth?
*/

static void other_numbers_inside(Lesson *lesson, const Box *r)
{
    section(lesson, "The same box with other numbers inside");
    enum { TAPS = 100 };
    float truth[TAPS], learned[TAPS], response_error = 0.0f, entries_apart = INFINITY;
    impulse_response(truth, r->truth, TAPS);
    matrix_print(stdout, "A", r->truth.a, 3);
    for (int k = 0; k < TRIES; k++) {
        matrix_print(stdout, "a learned A", r->full[k].a, 3);
        impulse_response(learned, r->full[k], TAPS);
        response_error = fmaxf(response_error, apart(truth, learned, TAPS));
        entries_apart = fminf(entries_apart, largest_difference(r->full[k].a, r->truth.a));
    }
    printf("\n");
    claim(lesson, entries_apart >= 0.05f, "every learned A has an entry that is off by 0.05 or more");
    claim(lesson, response_error <= 0.02f,
          "and yet all impulse responses are the true one, to 2 %% of its peak");
}

/*
Nothing in the weights looks like the machine, and yet they are it. Describe the state by any other two
numbers, $\tilde x = T x$, and the weights $T A T^{-1}$, $T B$, $C T^{-1}$ give the very same outputs. From
outside, $A$ can only be known **up to a change of basis** (基变换). What does not change is what we compared:
the poles and the impulse response.

## A form without freedom

Should we then take a form that leaves no choice? The companion form has no superfluous number, and with four
states it failed at every rate. The four poles stand close together, near 1. There the polynomial is flat. When
one coefficient changes by $\delta$, the root $z_i$ moves by $\delta\, z_i^{n-1-k}$ divided by the product of its
distances from all the other roots; and these distances are small. How much does a thousandth matter? We change
one number after another by 0.1 % of the largest, in the companion matrix and in a matrix that was learned, and
look at the poles.
*/

// The coefficients of (z − z_1) … (z − z_n) = zⁿ − w_0 zⁿ⁻¹ − … − w_(n−1), from the eigenvalues of a
static Matrix characteristic(Arena *arena, Matrix a)
{
    Complex poles[MOST_STATES], product[MOST_STATES + 1] = {{1.0, 0.0}};
    eigenvalues(poles, a);
    for (int k = 0; k < a.rows; k++)
        for (int i = k + 1; i >= 1; i--)
            product[i] = complex_minus(product[i], complex_times(poles[k], product[i - 1]));
    Matrix w = matrix_new(arena, a.rows, 1);
    for (int i = 0; i < a.rows; i++) w.data[i] = (float)-product[i + 1].re;
    return w;
}

// The largest error of a pole when one of the first `rows` rows' numbers changes by a thousandth of the largest
static double sensitivity(Arena *arena, Matrix a, int rows)
{
    Matrix changed = matrix_copy(arena, a);
    float largest_size = fmaxf(largest(a), -smallest(a));
    double worst = 0.0;
    for (int k = 0; k < rows * a.cols; k++) {
        changed.data[k] = a.data[k] + 1e-3f * largest_size;
        worst = fmax(worst, eigenvalues_apart(changed, a));
        changed.data[k] = a.data[k];
    }
    return worst;
}

static void a_form_without_freedom(Lesson *lesson, const Box *box)
{
    section(lesson, "A form without freedom");
    Arena *arena = lesson_arena(lesson);
    int n = box->truth.a.rows;
    Matrix companion = companion_matrix(arena, characteristic(arena, box->truth.a).data, n);
    double restricted = sensitivity(arena, companion, 1), largest_full = 0.0;
    for (int k = 0; k < TRIES; k++) largest_full = fmax(largest_full, sensitivity(arena, box->full[k].a, n));
    printf("two masses, one number changed by 0.1 %% of the largest: a pole moves by up to %.1f %%\n",
           100.0 * restricted);
    printf("in companion form, by up to %.2f %% in a learned matrix\n\n", 100.0 * largest_full);
    claim(lesson, restricted >= 10.0 * largest_full,
          "in companion form the poles are at least ten times as sensitive as in a learned matrix");
}

/*
So the loss, seen from the coefficients, is a gorge (chapter 1's valley, much narrower): a thousandth of one number
decides. It is the search that fails and not the form, which holds the machine as well as the other one does. The
parametrisation with superfluous numbers is the easier one to descend.

## What was learned

Two answers to the same push: the machine's, and that of least squares with a past of four, on 64 times the
data. The third, of what training has found, would lie on the first. So we draw what is *left* of it: the
difference from the machine.
*/

enum { WATCHED = 128 };

static void draw_impulse_response(Lesson *lesson, const Box *r, float left[TRIES][WATCHED])
{
    float seconds[WATCHED], truth[WATCHED], short_way[WATCHED];
    impulse_response(truth, r->truth, WATCHED);
    impulse_response(short_way, r->short_way, WATCHED);
    for (int t = 0; t < WATCHED; t++) {
        seconds[t] = (float)r->dt * (float)t;
        truth[t] *= 1e3f, short_way[t] *= 1e3f;
        for (int k = 0; k < TRIES; k++) left[k][t] *= 1e3f;
    }
    Plot *plot =
        plot_begin(lesson, "impulse.svg", "Two masses: 1 N for 0.15 s on one, movement of the other");
    plot_axes(plot, "time (s)", "position (mm)");
    plot_line(plot, "the machine", seconds, truth, WATCHED);
    plot_dashed(plot, "least squares, 64 times the data", seconds, short_way, WATCHED);
    plot_end(plot,
             "The impulse response is the kernel of the convolution. Least squares on noisy outputs finds a "
             "machine that stops too soon.");
    plot = plot_begin(lesson, "residuals.svg", "Two masses: what training has left over, three tries");
    plot_axes(plot, "time (s)", "learned minus true position (mm)");
    for (int k = 0; k < TRIES; k++) plot_line(plot, NULL, seconds, left[k], WATCHED);
    plot_end(plot,
             "The errors of three learned machines, each from an experiment of its own; the peak of the "
             "answer is 61 mm.");
}

static void what_was_learned(Lesson *lesson, const Box *r)
{
    section(lesson, "What was learned");
    float truth[WATCHED], learned[TRIES][WATCHED], short_way[WATCHED], error = 0.0f;
    impulse_response(truth, r->truth, WATCHED);
    impulse_response(short_way, r->short_way, WATCHED);
    for (int k = 0; k < TRIES; k++) {
        impulse_response(learned[k], r->full[k], WATCHED);
        error = fmaxf(error, apart(truth, learned[k], WATCHED));
        for (int t = 0; t < WATCHED; t++) learned[k][t] -= truth[t];
    }
    float wrong = apart(truth, short_way, WATCHED);
    printf("largest error, of the peak: training %.1f %%, least squares %.0f %%\n\n", 100.0 * (double)error,
           100.0 * (double)wrong);
    claim(lesson, error <= 0.02f && wrong >= 0.5f,
          "training finds the impulse response to 2 %% of its peak, least squares is off by half of it");
    draw_impulse_response(lesson, r, learned);
}

// A machine's poles are crosses, as in every book on control; the learned ones are dots.
static void plot_poles(Plot *plot, const char *label, const System *systems, int count, bool machine)
{
    Complex poles[MOST_STATES];
    float re[TRIES * MOST_STATES], im[TRIES * MOST_STATES];
    int found = 0;
    for (int k = 0; k < count; k++) {
        eigenvalues(poles, systems[k].a);
        for (int i = 0; i < systems[k].a.rows; i++)
            if (poles[i].im >= 0.0) re[found] = (float)poles[i].re, im[found++] = (float)poles[i].im;
    }
    (machine ? plot_crosses : plot_points)(plot, label, re, im, found);
}

static void draw_poles(Lesson *lesson, const Box *r)
{
    enum { AROUND = 200 };
    float re[AROUND], im[AROUND];
    for (int k = 0; k < AROUND; k++) re[k] = cos32(0.0050f * (float)k), im[k] = sin32(0.0050f * (float)k);
    Plot *plot = plot_begin(lesson, "poles.svg", "Two masses: poles, one step = 0.15 s");
    plot_axes(plot, "real part", "imaginary part");
    plot_square(plot);
    plot_range_x(plot, 0.3, 1.05);
    plot_range_y(plot, -0.3, 0.6); // room for the legend
    plot_legend(plot, "bottom left");
    plot_line(plot, "unit circle: the edge of stability", re, im, AROUND);
    plot_poles(plot, "learned in companion form", r->companion, TRIES, false);
    plot_poles(plot, "least squares", &r->short_way, 1, false);
    plot_poles(plot, "the machine", &r->truth, 1, true);
    plot_poles(plot, "learned, three times", r->full, TRIES, false);
    plot_end(plot,
             "The upper half; the lower one mirrors it. Distance from the circle is damping, angle is "
             "frequency. The learned poles lie in the middle of the machine's; least squares has made two of "
             "them real, of which one lies further left.");
}

/*
## The answer to a sine

Put a sine into a linear machine, wait, and out comes a sine of the same frequency, larger or smaller, and
late. How much and how late is one complex number for each frequency, the **frequency response** (频率响应).
With $z = e^{i \omega \Delta t}$, $u_t = z^t$ makes $\sum_k g_k z^{t-k}$, $z^t$ times

$$G(\omega) = \sum_{k \ge 0} g_k z^{-k} = D + C\, (z I - A)^{-1} B ,$$

the Fourier transform of the kernel. Where $z$, on the unit circle, comes close to an eigenvalue of $A$, there
is nearly nothing to divide by: the machine resonates. The **Bode plot** (伯德图) shows $|G|$ in **decibels**
(分贝), $20 \log_{10} |G|$, and the angle, over the frequency.
*/

// g_0 + z⁻¹ (g_1 + z⁻¹ (g_2 + …)), as many weights as it takes until nothing is left of our machines
static Complex frequency_response(System s, double hertz, double dt)
{
    enum { LONG = 4096 };
    float angle = (float)(-turn * hertz * dt), g[LONG];
    impulse_response(g, s, LONG);
    Complex back = {(double)cos32(angle), (double)sin32(angle)}, total = {0.0, 0.0};
    for (int k = LONG - 1; k >= 0; k--)
        total = complex_plus(complex_times(total, back), (Complex){(double)g[k], 0.0});
    return total;
}

enum { TONES = 160, MACHINES = 3 };

// The magnitude in dB and the phase in degrees, without jumps, at frequencies from 0.05 Hz to Nyquist's in equal ratios
static void bode(float *hertz, float *height, float *phase, System s, double dt)
{
    for (int k = 0; k < TONES; k++) {
        hertz[k] = 0.05f * exp32((float)k / (TONES - 1) * log32(10.0f / (float)dt));
        Complex g = frequency_response(s, (double)hertz[k], dt);
        height[k] = 20.0f * log32((float)complex_size(g)) / log32(10.0f);
        phase[k] = (float)(complex_angle(g) * 360.0 / turn);
        if (phase[k] > 0.0f) phase[k] -= 360.0f;
        while (k > 0 && phase[k] > phase[k - 1] + 180.0f) phase[k] -= 360.0f;
    }
}

static void draw_bode_plot(Lesson *lesson, const char *file, const char *title, const char *unit,
                           const float *hertz, float values[MACHINES][TONES], const char *caption)
{
    Plot *plot = plot_begin(lesson, file, title);
    plot_axes(plot, "frequency (Hz)", unit);
    plot_size(plot, 960, 420);
    plot_log(plot, "x");
    plot_legend(plot, "bottom left");
    plot_line(plot, "the machine", hertz, values[0], TONES);
    plot_line(plot, "least squares, 64 times the data", hertz, values[1], TONES);
    plot_dashed(plot, "learned", hertz, values[2], TONES);
    plot_end(plot, caption);
}

static void answer_to_a_sine(Lesson *lesson, const Box *r)
{
    section(lesson, "The answer to a sine");
    const System systems[MACHINES] = {r->truth, r->short_way, r->full[TRIES - 1]};
    float hertz[TONES], height[MACHINES][TONES], phase[MACHINES][TONES], worst[MACHINES] = {0};
    for (int m = 0; m < MACHINES; m++) {
        bode(hertz, height[m], phase[m], systems[m], r->dt);
        for (int k = 0; k < TONES; k++)
            if (hertz[k] <= 0.5f) worst[m] = fmaxf(worst[m], fabsf(height[m][k] - height[0][k]));
    }
    printf("largest error up to 0.5 Hz: learned %.2f dB, least squares %.1f dB\n\n", (double)worst[2],
           (double)worst[1]);
    claim(lesson, worst[2] <= 0.5f,
          "up to 0.5 Hz, over both resonances, the learned magnitude is right to 0.5 dB");
    claim(lesson, worst[1] >= 6.0f, "that of least squares is wrong by 6 dB, a factor of two, or more");
    draw_bode_plot(
        lesson, "magnitude.svg", "Two masses: Bode plot, magnitude", "magnitude (dB, 0 dB = 1 m/N)", hertz,
        height,
        "Two resonances. Below −60 dB the learned machine has heard only noise; least squares has lost "
        "the resonances.");
    draw_bode_plot(lesson, "phase.svg", "Two masses: Bode plot, phase", "phase (degrees)", hertz, phase,
                   "Each resonance delays by half a turn, 180°.");
}

/*
## One number for two directions

After $t$ steps without input a state is $A^t x_0$. It falls or grows like $\rho^t$, where $\rho$, the
**spectral radius** (谱半径), is the size of the largest eigenvalue. (Almost every state: one that has no part along
that eigenvalue's vectors follows the next one. A random state has.) So a linear recurrence is **stable**
(稳定) when $\rho < 1$: all poles inside the unit circle.

The same number rules the other direction. Backpropagation through time is the system with $A^\top$, which has
the same eigenvalues. So a gradient that goes back over $T$ steps is multiplied by about $\rho^T$: when the
states fade, so does what can be learned from the past; when gradients explode, the network was unstable to
begin with. We scale random matrices of 16 states to $\rho$ from 0.9 to 1.1, and watch 400 steps forwards and
backwards. The rate is fitted over the last 300: before, a matrix whose eigenvectors are not at right angles
may do as it likes.
*/

// Of x ← a x, from a random x of length 1: returns the factor for each step, and the length at the end.
static double growth(Arena *arena, Matrix a, double *after, Rng *rng)
{
    enum { FROM = 100, TO = 400 };
    Matrix x = matrix_new(arena, a.rows, 1), next = matrix_new(arena, a.rows, 1);
    fill_normal(x, rng, 0.0f, 1.0f);
    scale(x, (float)(1.0 / norm(x)));
    double along = 0.0, squares = 0.0, middle = 0.5 * (FROM + TO); // slope of log |x| against the step
    for (int t = 1; t <= TO; t++) {
        matmul(next, a, x);
        copy(x, next);
        if (t < FROM) continue;
        along += (t - middle) * (double)log32((float)norm(x));
        squares += (t - middle) * (t - middle);
    }
    *after = norm(x);
    return (double)exp32((float)(along / squares));
}

static void two_directions(Lesson *lesson)
{
    section(lesson, "One number for two directions");
    enum { RADII = 4, MATRICES = 5, STATES = 16 };
    const double radii[RADII] = {0.9, 0.95, 1.05, 1.1};
    Arena *arena = lesson_arena(lesson);
    Matrix a = matrix_new(arena, STATES, STATES), transposed = matrix_new(arena, STATES, STATES);
    double forwards, backwards, off = 0.0, largest_stable = 0.0, smallest_unstable = INFINITY;
    for (int k = 0; k < RADII * MATRICES; k++) {
        Rng rng = lesson_rng(lesson, 20 + (uint64_t)k);
        double radius = radii[k / MATRICES];
        fill_normal(a, &rng, 0.0f, 1.0f);
        scale(a, (float)(radius / spectral_radius(a)));
        transpose(transposed, a);
        growth(arena, a, &forwards, &rng);
        off = fmax(off, fabs(growth(arena, transposed, &backwards, &rng) / radius - 1.0));
        if (radius < 1.0) largest_stable = fmax(largest_stable, forwards);
        if (radius > 1.0) smallest_unstable = fmin(smallest_unstable, forwards);
    }
    printf("after 400 steps, of 1: at most %.0e below ρ = 1, at least %.0e above\n", largest_stable,
           smallest_unstable);
    printf("gradient: the factor for each step back is off from ρ by at most %.2f %%\n\n", 100.0 * off);
    claim(lesson, largest_stable <= 1e-4 && smallest_unstable >= 1e4,
          "below ρ = 1 all random states die out, above it all run away");
    claim(lesson, off <= 0.015, "the gradient changes with each step back by the factor ρ, to 1.5 %%");
}

/*
## An activation breaks the sum

The answer to two pushes is the sum of the answers to each: **superposition** (叠加原理). It is why an impulse
response says everything. The RNNs of the textbooks have an activation, $x_{t+1} = \tanh(A x_t + B u_t)$. Since
$\tanh z = z - z^3/3 + \dots$, what it bends away is smaller than the straight part by $z^2$: the breach of
superposition should grow with the square of the amplitude. We send in two white noises and their sum.
*/

// |f(u + v) − f(u) − f(v)| as a fraction of |f(u + v)|, root mean square
static double breach(System s, float amplitude, bool with_tanh, Rng rng)
{
    float u[3][STEPS], y[3][STEPS];
    rng_normals(&rng, u[0], STEPS);
    rng_normals(&rng, u[1], STEPS);
    for (int t = 0; t < STEPS; t++) u[0][t] *= amplitude, u[1][t] *= amplitude, u[2][t] = u[0][t] + u[1][t];
    for (int k = 0; k < 3; k++) {
        float x[MOST_STATES] = {0};
        for (int t = 0; t < STEPS; t++) {
            y[k][t] = step(x, s, u[k][t]);
            for (int i = 0; i < s.a.rows && with_tanh; i++) x[i] = tanh32(x[i]);
        }
    }
    for (int t = 0; t < STEPS; t++) y[0][t] = y[2][t] - y[0][t] - y[1][t];
    return norm(matrix_view(1, STEPS, y[0])) / norm(matrix_view(1, STEPS, y[2]));
}

static void an_activation_breaks_the_sum(Lesson *lesson)
{
    section(lesson, "An activation breaks the sum");
    enum { SIZES = 4, PAIRS = 5 };
    const float sizes[SIZES] = {0.01f, 0.1f, 1.0f, 10.0f};
    System s = sample(lesson_arena(lesson), spring(lesson_arena(lesson)), spring_step);
    double linear = 0.0, low = INFINITY, high = 0.0;
    double means[SIZES] = {0};
    for (int p = 0; p < PAIRS; p++) {
        Rng rng = lesson_rng(lesson, 40 + (uint64_t)p);
        double breaches[SIZES];
        for (int k = 0; k < SIZES; k++) {
            linear = fmax(linear, breach(s, sizes[k], false, rng));
            breaches[k] = breach(s, sizes[k], true, rng);
            means[k] += breaches[k] / PAIRS;
        }
        low = fmin(low, breaches[1] / breaches[0]), high = fmax(high, breaches[1] / breaches[0]);
    }
    printf("amplitude    breach with tanh, mean of five pairs\n");
    for (int k = 0; k < SIZES; k++) printf("%7.2f N %12.5f\n", (double)sizes[k], means[k]);
    printf("\nfrom 0.01 to 0.1 N the breach grows %.0f to %.0f times\n\n", low, high);
    claim(lesson, linear <= 1e-5, "a linear recurrence obeys superposition, to 1e-5, at every amplitude");
    claim(lesson, low >= 60.0 && high <= 140.0,
          "with tanh, ten times the amplitude make about a hundred times the breach");
}

/*
## Sunspots

Since 1700 astronomers have counted spots on the sun, one number a year. They come and go, in a rhythm of
about eleven years. Given all the years until now, what will next year's number be? We leave the program as it
is: $u_t$ is this year's number, the output to be learned is the next one's. Trained on all windows of 40
years in the first 220, tested on the last 89; all numbers are in units of the training years' deviation. To
beat are **persistence** (持续性预测), next year is as this year, and **autoregression** (自回归), AR($p$):
least squares on the $p$ last years, Yule's idea of 1927 for sunspots.
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
    for (int t = s.training; t < s.years; t++)
        total += (double)(predicted[t] - s.values[t]) * (double)(predicted[t] - s.values[t]);
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
    Record r = {matrix_new(arena, count, WINDOW), matrix_new(arena, count, WINDOW), WARM_UP, 1.0f};
    for (int i = 0; i < count; i++) {
        memcpy(matrix_row(r.u, i), s.values + i, sizeof(float) * WINDOW);
        memcpy(matrix_row(r.y, i), s.values + i + 1, sizeof(float) * WINDOW);
    }
    return r;
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
    Plot *plot = plot_begin(lesson, "sunspots.svg", "Sunspots, predicted one year ahead");
    plot_axes(plot, "year", "sunspot number");
    plot_range_y(plot, -10.0, 240.0);
    plot_legend(plot, "top left");
    plot_line_points(plot, "counted", years + first, counted + first, count);
    plot_dashed(plot, "linear RNN of 4 states, told a year before", years + first, told + first, count);
    plot_end(plot, "The 89 test years. The rhythm is caught; the height of a maximum comes as a surprise.");
}

// How much better `ours` predicts the test years than `theirs`, in standard errors of the mean difference of squared errors
static double standard_errors(Series s, const float *ours, const float *theirs)
{
    double sum = 0.0, squares = 0.0;
    int years = s.years - s.training;
    for (int t = s.training; t < s.years; t++) {
        double own = (double)(ours[t] - s.values[t]), other = (double)(theirs[t] - s.values[t]);
        double difference = other * other - own * own;
        sum += difference, squares += difference * difference;
    }
    double average = sum / years;
    return average / sqrt((squares / years - average * average) / (years - 1));
}

static void predict_sunspots(Lesson *lesson, Series s, System *networks)
{
    section(lesson, "Sunspots");
    enum { ORDERS = 5, PERSISTENCE = ORDERS };
    const int orders[ORDERS] = {1, 2, 9, 12, 20};
    Arena *arena = lesson_arena(lesson);
    float *theirs[ORDERS + 1], *ours = arena_zeros(arena, (size_t)s.years, sizeof *ours);
    for (int k = 0; k <= ORDERS; k++) theirs[k] = arena_zeros(arena, (size_t)s.years, sizeof **theirs);
    memcpy(theirs[PERSISTENCE] + 1, s.values, sizeof(float) * (size_t)(s.years - 1));
    printf("error on the test years (1 = %.1f sunspots)\npersistence %.3f", (double)s.deviation,
           test_error(s, theirs[PERSISTENCE]));
    for (int k = 0; k < ORDERS; k++)
        printf("   AR(%d) %.3f", orders[k],
               autoregression(arena, matrix_new(arena, orders[k] + 1, 1), theirs[k], s));
    printf("\nlinear RNN, 4 states, three tries:");
    double better[3] = {0.0}, loss; // than persistence, AR(2), AR(9)
    for (int k = 0; k < TRIES; k++) {
        Rng rng = lesson_rng(lesson, 60 + (uint64_t)k);
        networks[k] =
            identify(lesson, "sunspots", 4, windows(arena, s), (Descent){CIRCLES, 1e-2f, 1000}, rng, &loss);
        run_steps(ours + 1, networks[k], NULL, s.values, s.years - 1);
        printf("   %.3f", test_error(s, ours));
        better[0] += standard_errors(s, ours, theirs[PERSISTENCE]) / TRIES;
        better[1] += standard_errors(s, ours, theirs[1]) / TRIES;
        better[2] += standard_errors(s, ours, theirs[2]) / TRIES;
    }
    printf("\n\n");
    printf("standard errors by which the network is better (mean of the three): than persistence %.1f,\n"
           "than AR(2) %.1f, than AR(9) %.1f\n\n",
           better[0], better[1], better[2]);
    claim(lesson, better[0] >= 2.0 && better[1] >= 2.0,
          "a linear RNN of 4 states beats persistence and AR(2), by two standard errors or more");
    claim(lesson, better[2] <= 0.0, "it does not beat AR(9)");
    draw_sunspots(lesson, s, ours);
}

/*
A state of four numbers does nearly what nine remembered years do, but not as well, by two standard errors: AR(9)
is a linear system too, one of nine states. The networks began in a good place: two circles, a slow and a fast one, and $D = 1$.
Begun at random, a network may end with a pole outside the circle and not know it: the state starts at zero,
and a window of 40 years is too short to run away. For a linear network there is a test that takes a moment,
before anything is run: look at the poles.

## Where is the cycle?

Let us do so with our three. Do they show the eleven years of the sun?
*/

// Of the slowest movement, in years
static double period(const char *name, Matrix a)
{
    Complex poles[MOST_STATES];
    eigenvalues(poles, a);
    double years = poles[0].im > 0.0 ? turn / complex_angle(poles[0]) : INFINITY;
    printf("%-38s%6.1f years (%.2f)\n", name, years, complex_size(poles[0]));
    return years;
}

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

static double middle_of(const double *of_three)
{
    return of_three[0] + of_three[1] + of_three[2] - smallest_of(of_three) - largest_of(of_three);
}

static void the_cycle(Lesson *lesson, const System *networks)
{
    section(lesson, "Where is the cycle?");
    Arena *arena = lesson_arena(lesson);
    double open[TRIES], closed[TRIES];
    printf("period of the largest pole (and its size)\n");
    for (int i = 0; i < TRIES; i++) {
        open[i] = period("linear RNN, A", networks[i].a);
        closed[i] = period("linear RNN, fed with its predictions", closed_loop(arena, networks[i]));
    }
    printf("\n");
    double open_years = middle_of(open), closed_years = middle_of(closed);
    claim(lesson, open_years < 10.0 || open_years > 12.0,
          "the period of A's largest pole is not the cycle's: not between 10 and 12 years (median)");
    claim(lesson, closed_years >= 10.0 && closed_years <= 12.0,
          "fed with its own predictions, a network swings with a period of 10 to 12 years (median)");
}

/*
The poles of $A$ are not the sun's. Each year the network is told what really came, and $A$ says only how fast
it forgets what it was told. The sun's movement is in the loop that closes when the network's output is taken
for the next input, $u_{t+1} = C x_t + D u_t$:

$$\begin{pmatrix} x_{t+1} \\ u_{t+1} \end{pmatrix} =
\begin{pmatrix} A & B \\ C & D \end{pmatrix} \begin{pmatrix} x_t \\ u_t \end{pmatrix} .$$

Its largest pole has the eleven years.

Control engineers have a name for what the network has become: an **observer** (观测器). An observer carries a
model $F$ of a machine that it sees only through measurements. It predicts the next one, $H \hat x$, compares,
and corrects its state by a gain $K$ times the surprise: $\hat x_{t+1} = F \hat x_t + K (u_t - H \hat x_t)$.
Collect what stands before $\hat x_t$: the observer's own recurrent matrix is $A = F - K H$, and $K$ is its
$B$. The poles of $F$ are the sun's; those of $A$ say how fast errors of the state die out, and they are where
$K$ puts them. With the $K$ that makes the surprises smallest it is called the **Kalman filter** (卡尔曼滤波器),
or Kalman's predictor (1960). Nobody has told our network; making surprises small was the loss.

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "13-rnn-is-lti", "An RNN is a linear system is a convolution");
    look_at_the_spring(lesson);
    three_ways(lesson);
    a_spring_that_stiffens(lesson);
    Box boxes[2];
    training_is_identification(lesson, boxes);
    the_short_way(lesson, boxes);
    other_numbers_inside(lesson, &boxes[0]);
    a_form_without_freedom(lesson, &boxes[1]);
    what_was_learned(lesson, &boxes[1]);
    draw_poles(lesson, &boxes[1]);
    answer_to_a_sine(lesson, &boxes[1]);
    two_directions(lesson);
    an_activation_breaks_the_sum(lesson);
    System networks[TRIES];
    Series series = sunspots(lesson_arena(lesson));
    predict_sunspots(lesson, series, networks);
    the_cycle(lesson, networks);
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
| fed with what really came; fed with its own predictions | observer, Kalman's predictor; free-running model |

- A linear RNN, a discrete LTI system and a convolution are one thing, computed in three ways.
- Training recovers the poles of a machine, not its coordinates: those are a matter of the basis.
- Noise in the columns of least squares is a ridge that nobody ordered, and more data do not remove it. Training the whole
  system on its inputs alone has no such bias.
- The way of writing the unknowns decides whether descent finds them. More numbers can be easier than fewer.
- The size of the largest pole rules memory, stability and gradients alike. An activation ends all this, gently for
  small signals and thoroughly for large ones.

A linear system forgets at a rate that is fixed once and for all. The next chapter's LSTM decides anew at
every step how much to keep: its $A$ depends on the input, and with that the convolution is gone.

## Sources

- R. E. Kalman, *A new approach to linear filtering and prediction problems*, 1960: state space, the optimal observer.
- G. U. Yule, *On a method of investigating periodicities in disturbed series, with special reference to Wolfer's
  sunspot numbers*, 1927: autoregression.
- L. Ljung, *System identification: theory for the user*, 1987: output-error methods, and the bias of least squares
  on noisy outputs.
- P. J. Werbos, *Backpropagation through time: what it does and how to do it*, 1990.
- G. E. Blelloch, *Prefix sums and their applications*, 1990: scans of pairs, and recurrences by them.
- A. Gu, K. Goel, C. Ré, *Efficiently modeling long sequences with structured state spaces*, 2022 (S4);
  A. Gu, A. Gupta, K. Goel, C. Ré, *On the parameterization and initialization of diagonal state space models*, 2022
  (S4D); A. Orvieto and others, *Resurrecting recurrent neural networks for long sequences*, 2023 (LRU);
  A. Gu, T. Dao, *Mamba: linear-time sequence modeling with selective state spaces*, 2023.

## Check yourself

**1.** Two students describe the same spring, one by position and speed, one by position and momentum, with a mass of
2 kg. What is equal in their two systems: $A$, $B$, the poles, the kernel?

<details><summary>Answer</summary>

The poles and the kernel. With $\tilde x = T x$ and $T$ = diag(1, 2) the matrices are $T A T^{-1}$, $T B$ and $C T^{-1}$: other
numbers, the same outputs. It is why none of our three learned matrices looks like the machine's.

</details>

**2.** A system has the poles 0.9 and 0.5. By which factor is a gradient multiplied that goes back over 20 steps? Which of
the two poles decides?

<details><summary>Answer</summary>

The larger one: $0.9^{20} = 0.12$, while the other part has shrunk to $0.5^{20} = 10^{-6}$. Forwards it is the same: of a
state, too, 12 % are left.

</details>

**3.** Mamba lets the input choose $A_t$. Which of the three ways to compute the output are left, and why?

<details><summary>Answer</summary>

Stepping and the scan. Maps $x \mapsto A_t x + b_t$ can be put together in any grouping, as long as their order stays. A
convolution needs one kernel for all times, and there is none: our stiffening spring answers an early and a late push
differently, by 97 % of the peak.

</details>

**4.** You fit $y_t = a\, y_{t-1} + b\, u_{t-1}$ by least squares to outputs with white noise in them. Is $a$ too large or too
small? What do a hundred times the data change? What a hundredth of the noise?

<details><summary>Answer</summary>

Too small: noise in a column works like a ridge and draws its weight to zero. More data make signal and ridge grow alike, and
nothing changes (in our table, 64 times the data move the error by a point). A hundredth of the noise makes the ridge
10 000 times smaller.

</details>

**5.** A scan over 256 steps: how many rounds, and about how many products of matrices in all, as we have written it? And how
many has stepping?

<details><summary>Answer</summary>

Eight rounds. In the round with distance $d$ there are $256 - d$ products, together $8 \cdot 256 - 255 = 1793$; stepping has
256 products of a matrix with a *vector*. The scan does more work in fewer rounds; it pays with many processors, or for
diagonal matrices.

</details>

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade13` tells how far you are,
`make hint13` helps.

- **TASK 13.1** one step of a linear system, with its $D$.
- **TASK 13.2** two systems in a row as one: $A$, $B$, $C$ and $D$ of the whole.
- **TASK 13.3** two steps as one: what a parallel scan puts together.
- **TASK 13.4** backpropagation through time for a system of one state.
- **TASK 13.5** the spectral radius without eigenvalues.

And without a computer, or with five minutes at one:

**1.** How does $A$ change when the spring is sampled twice as often? Check it with the numbers of the first section.

<details><summary>Answer</summary>

It becomes its own square root: $e^{A_c \Delta t / 2}$ times itself is $e^{A_c \Delta t}$. For 0.05 s that is
$\begin{pmatrix} 0.9950 & 0.0494 \\ -0.1978 & 0.9753 \end{pmatrix}$, and its square has the first section's 0.9803, 0.0974,
−0.3895 and 0.9414, to a unit of the last digit. The poles are square roots, too: half the angle in each step.

</details>

**2.** Push the black box with a constant force, and look only when it stands still. What can be found of it, and what not?

<details><summary>Answer</summary>

One number: what it answers to the frequency 0, $D + C (I - A)^{-1} B$; for the spring $1/k = 0.25$ m/N. Neither mass nor damping
can be found: they matter only while something moves. What is not excited is not identified, which is why we push with white noise.

</details>

**3.** Begin with zeros in $A$, $B$ and $C$. Why does the network never learn anything but $D$?

<details><summary>Answer</summary>

With $C = 0$ nothing comes back to the states: $\lambda_t = A^\top \lambda_{t+1} + C^\top e_t = 0$, and $d_A$ and $d_B$ are zero. With
$B = 0$ the states are zero, and so is $d_C = \sum e_t x_t^\top$. Each waits for the other. Only $d_D = \sum e_t u_t$ is left.

</details>

**4.** Give the sunspots' network 8 states, or put a $\tanh$ into it. What do you need to believe that it got better?

<details><summary>Answer</summary>

A comparison on years that were not used for choosing. The test years have been looked at by every method of this chapter; take the
choice on the last training years, then look once. And the standard error: 89 years tell two methods apart only when their squared
errors differ by two of it; the three networks and AR(9) just do.

</details>

**5.** Which weights make an RNN that counts its inputs? Where is its pole, and what does BPTT think of it?

<details><summary>Answer</summary>

One state, $A = B = C = 1$, $D = 0$ (or $D = 1$, to count the newest one at once). Its pole is at 1, on the circle: nothing fades,
neither states nor gradients. But descent walks on an edge: at 1.01 a gradient over 400 steps is 53 times as large, at 0.99 a
fiftieth.

</details>
*/
