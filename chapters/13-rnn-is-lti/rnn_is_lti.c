/*
# An RNN is a linear system is a convolution

Push a swing once. It answers for a minute: forth, back, forth again. What it does now depends on a push long
ago, and yet a swing keeps no diary. It has two numbers, where it is and how fast it moves. They carry the
past.

A **recurrent neural network** (循环神经网络), RNN, is built in the same way: a few numbers, the **state**
(状态), which every input changes and from which every output is read. Leave out the bend, and it is letter
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

static void run_scan(Arena *arena, float *y, System s, const float *x_0, const float *u, int steps)
{
    int n = s.a.rows;
    Map *maps =
        arena_zeros(arena, (size_t)steps, sizeof *maps); // from the state before step 0 to that before t
    memcpy(maps[0].b, x_0, sizeof *x_0 * (size_t)n);
    for (int t = 1; t < steps; t++)
        for (int i = 0; i < n; i++) {
            maps[t].b[i] = s.b.data[i] * u[t - 1];
            memcpy(maps[t].a[i], matrix_row(s.a, i), sizeof(float) * (size_t)n);
        }
    for (int far = 1; far < steps; far *= 2)
        for (int t = steps - 1; t >= far; t--) maps[t] = compose(&maps[t], &maps[t - far], n);
    for (int t = 0; t < steps; t++) {
        y[t] = s.d.data[0] * u[t];
        for (int i = 0; i < n; i++) y[t] += s.c.data[i] * maps[t].b[i];
    }
}

// The largest difference, as a share of the largest a
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
        run_scan(arena, scan, machines[m], x_0, u, STEPS);
        claim(lesson, apart(steps, convolution, STEPS) <= 1e-5f && apart(steps, scan, STEPS) <= 1e-5f,
              "%s: step by step, convolution and scan agree over 256 steps, to 1e-5", names[m]);
    }
}

/*
The scan multiplies matrices where stepping multiplies a matrix with a vector: worth it only with many
processors, or when $A$ is diagonal. Any machine with different poles becomes diagonal when it is described by
its movements $z^t$ in the place of position and speed; the recurrent layers that compete with attention
today, S4D, LRU, Mamba, are made so. (Mamba's changes with the input: a scan can do that, a convolution
cannot.)

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
    Matrix late = matrix_new(arena, count, 1), turned = matrix_new(arena, n, n);
    for (int i = 0; i < count; i++) late.data[i] = i % steps == 0 ? 0.0f : r.u.data[i - 1];
    transpose(turned, s.a);
    Tape *tape = tape_new();
    Tensor *a = tape_variable(tape, turned), *b = tape_variable(tape, matrix_reshape(s.b, 1, n));
    Tensor *c = tape_variable(tape, matrix_reshape(s.c, n, 1)), *d = tape_variable(tape, s.d);
    Tensor *states = rnn(tape_input(tape, late), b, a, tape_input(tape, matrix_new(arena, 1, n)),
                         ((Sequences){r.u.rows, steps}), RNN_LINEAR, NULL);
    Tensor *output =
        tensor_add(product(states, c), product(tape_input(tape, matrix_reshape(r.u, count, 1)), d));
    backward(mean_squared_error(output, matrix_reshape(r.y, count, 1)));

    System own = system_zeros(arena, n);
    backpropagate_through_time(own, s, r);
    transpose(turned, a->gradient);
    float a_and_b = fmaxf(apart(own.a.data, turned.data, n * n), apart(own.b.data, b->gradient.data, n));
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
exactly one such matrix for each set of poles.
*/

enum { TRIES = 3 };

typedef struct {
    const char *name;
    System truth;
    int experiments;
    float noise;
    double dt;
    System full[TRIES], companion[TRIES]; // what was learned
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

static System identify(Lesson *lesson, const char *name, int n, Record record, Form form, Rng *rng)
{
    enum { DESCENT = 2000 };
    Parameters p = parameters_new(lesson_arena(lesson));
    parameters_add(&p, "a", n, n), parameters_add(&p, "b", n, 1);
    parameters_add(&p, "c", 1, n), parameters_add(&p, "d", 1, 1);
    System s = system_of(&p, false);
    start(s, form, rng);
    Optimiser adam = adam_new(lesson_arena(lesson), &p, 0.9f, 0.999f, 1e-8f, 0.0f);
    for (int k = 0; k < DESCENT; k++) {
        System gradients = system_of(&p, true);
        double loss = backpropagate_through_time(gradients, s, record);
        if (form == COMPANION) { // what is fixed has no gradient
            fill(matrix_rows(gradients.a, 1, n - 1), 0.0f);
            fill(gradients.b, 0.0f);
        }
        clip_gradients(&p, 1.0f);
        optimiser_step(&adam, cosine_schedule(1e-2f, k, 0, DESCENT));
        lesson_progress(lesson, name, k + 1, DESCENT, loss);
    }
    scale(s.c, record.deviation); // back to the units of the machine
    scale(s.d, record.deviation);
    return s;
}

static double largest_of(const double *three) { return fmax(three[0], fmax(three[1], three[2])); }
static double smallest_of(const double *three) { return fmin(three[0], fmin(three[1], three[2])); }

static void identify_box(Lesson *lesson, Box *r)
{
    const char *name = r->name;
    Matrix truth = r->truth.a;
    double full[TRIES], companion[TRIES];
    printf("%s: largest error of a pole\n", name);
    for (int k = 0; k < TRIES; k++) {
        Rng rng = lesson_rng(lesson, 10 + (uint64_t)k);
        Record record = experiment(lesson_arena(lesson), *r, &rng);
        r->full[k] = identify(lesson, name, truth.rows, record, ALL_FREE, &rng);
        r->companion[k] = identify(lesson, name, truth.rows, record, COMPANION, &rng);
        full[k] = eigenvalues_apart(r->full[k].a, truth);
        companion[k] = eigenvalues_apart(r->companion[k].a, truth);
        printf("all of A free %8.3f %%     companion form %8.3f %%\n", 100.0 * full[k], 100.0 * companion[k]);
    }
    printf("\n");
    claim(lesson, largest_of(full) <= 0.005, "%s: BPTT finds the poles to 0.5 %%, despite the noise", name);
    if (truth.rows == 2)
        claim(lesson, largest_of(companion) <= 0.005, "%s: the companion form does so too", name);
    else
        claim(lesson, smallest_of(companion) >= 0.05, "%s: the companion form fails, by 5 %% or more", name);
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
(Over five seeds, fifteen tries a box, the worst was 0.13 %.) We run the whole system from the inputs alone
and compare only at the end; engineers call it the **output-error method** (输出误差法). The short way is
least squares, each output as a weighted sum of the $n$ inputs and *measured* outputs before it. That takes
their noise for part of the machine, and no number of measurements removes the error.

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
Should we then take a form without this freedom? The companion form has none, and with four states it failed.
The four poles stand close together, near 1. There the polynomial is flat, and its roots run away at the
slightest change of a coefficient. So the loss, seen from the coefficients, is a gorge (chapter 1's valley,
much narrower). A parametrisation with superfluous numbers is the easier one to descend: a lesson that
repeats.
*/

static void draw_impulse_response(Lesson *lesson, const Box *r)
{
    section(lesson, "What was learned");
    enum { TAPS = 128 };
    float seconds[TAPS], truth[TAPS], learned[TAPS];
    impulse_response(truth, r->truth, TAPS);
    impulse_response(learned, r->full[0], TAPS);
    for (int t = 0; t < TAPS; t++) seconds[t] = (float)r->dt * (float)t, truth[t] *= 1e3f, learned[t] *= 1e3f;
    Plot *plot =
        plot_begin(lesson, "impulse.png", "Two masses: 1 N for 0.15 s on one, movement of the other");
    plot_axes(plot, "time (s)", "position (mm)");
    plot_line(plot, "the machine", seconds, truth, TAPS);
    plot_dashed(plot, "learned from noisy outputs", seconds, learned, TAPS);
    plot_end(plot, "The impulse response is the kernel of the convolution. The learned one is the same.");
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
    for (int k = 0; k < AROUND; k++) re[k] = cos32(0.0035f * (float)k), im[k] = sin32(0.0035f * (float)k);
    Plot *plot = plot_begin(lesson, "poles.png", "Two masses: poles, one step = 0.15 s");
    plot_axes(plot, "real part", "imaginary part");
    plot_square(plot);
    plot_range_x(plot, 0.3, 1.05);
    plot_range_y(plot, 0.0, 0.6);
    plot_legend(plot, "bottom left");
    plot_line(plot, "unit circle: the edge of stability", re, im, AROUND);
    plot_poles(plot, "learned in companion form", r->companion + TRIES - 1, 1, false);
    plot_poles(plot, "the machine", &r->truth, 1, true);
    plot_poles(plot, "learned, three times", r->full, TRIES, false);
    plot_end(plot, "The upper half; the lower one mirrors it. Distance from the circle is damping, angle is "
                   "frequency. The learned poles lie in the middle of the machine's.");
}

/*
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

enum { TONES = 160 };

static void plot_bode(Lesson *lesson, const char *file, const char *title, const char *unit,
                      const float *hertz, float values[2][TONES], const char *caption)
{
    Plot *plot = plot_begin(lesson, file, title);
    plot_axes(plot, "frequency (Hz)", unit);
    plot_size(plot, 960, 420);
    plot_log(plot, "x");
    plot_legend(plot, "bottom left");
    plot_line(plot, "the machine", hertz, values[0], TONES);
    plot_dashed(plot, "learned", hertz, values[1], TONES);
    plot_end(plot, caption);
}

static void draw_bode(Lesson *lesson, const Box *r)
{
    const System systems[2] = {r->truth, r->full[TRIES - 1]};
    float hertz[TONES], height[2][TONES], phase[2][TONES], worst = 0.0f; // in dB, in degrees
    for (int k = 0; k < TONES; k++) { // from 0.05 Hz to the Nyquist frequency, in equal ratios
        hertz[k] = 0.05f * exp32((float)k / (TONES - 1) * log32(10.0f / (float)r->dt));
        for (int m = 0; m < 2; m++) {
            Complex g = frequency_response(systems[m], (double)hertz[k], r->dt);
            height[m][k] = 20.0f * log32((float)complex_size(g)) / log32(10.0f);
            phase[m][k] = (float)(complex_angle(g) * 360.0 / turn);
            if (phase[m][k] > 0.0f) phase[m][k] -= 360.0f;
            while (k > 0 && phase[m][k] > phase[m][k - 1] + 180.0f) phase[m][k] -= 360.0f;
        }
        if (hertz[k] <= 0.5f) worst = fmaxf(worst, fabsf(height[1][k] - height[0][k]));
    }
    plot_bode(
        lesson, "magnitude.png", "Two masses: Bode plot, magnitude", "magnitude (dB, 0 dB = 1 m/N)", hertz,
        height,
        "Where the machine answers, the learned system answers alike. Below −60 dB it has heard only noise.");
    plot_bode(lesson, "phase.png", "Two masses: Bode plot, phase", "phase (degrees)", hertz, phase,
              "Each resonance delays by half a turn, 180°.");
    printf("\n");
    claim(lesson, worst <= 0.5f, "up to 0.5 Hz, over both resonances, the magnitude is right to 0.5 dB");
}

/*
## One number for two directions

After $t$ steps without input a state is $A^t x_0$. It falls or grows like $\rho^t$, where $\rho$, the
**spectral radius** (谱半径), is the size of the largest eigenvalue. So a linear recurrence is **stable**
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
    Matrix a = matrix_new(arena, STATES, STATES), turned = matrix_new(arena, STATES, STATES);
    double forwards, backwards, off = 0.0, largest_stable = 0.0, smallest_unstable = INFINITY;
    for (int k = 0; k < RADII * MATRICES; k++) {
        Rng rng = lesson_rng(lesson, 20 + (uint64_t)k);
        double radius = radii[k / MATRICES];
        fill_normal(a, &rng, 0.0f, 1.0f);
        scale(a, (float)(radius / spectral_radius(a)));
        transpose(turned, a);
        growth(arena, a, &forwards, &rng);
        off = fmax(off, fabs(growth(arena, turned, &backwards, &rng) / radius - 1.0));
        if (radius < 1.0) largest_stable = fmax(largest_stable, forwards);
        if (radius > 1.0) smallest_unstable = fmin(smallest_unstable, forwards);
    }
    printf("after 400 steps, of 1: at most %.0e below ρ = 1, at least %.0e above\n", largest_stable,
           smallest_unstable);
    printf("gradient: the factor for each step back is off from ρ by at most %.2f %%\n\n", 100.0 * off);
    claim(lesson, largest_stable <= 1e-4 && smallest_unstable >= 1e4,
          "below ρ = 1 every state dies out, above it every state runs away");
    claim(lesson, off <= 0.015, "the gradient changes with each step back by the factor ρ, to 1.5 %%");
}

/*
## A bend breaks the sum

The answer to two pushes is the sum of the answers to each: **superposition** (叠加原理). It is why an impulse
response says everything. The RNNs of the textbooks have a bend, $x_{t+1} = \tanh(A x_t + B u_t)$. Since
$\tanh z = z - z^3/3 + \dots$, the bend is smaller than the straight part by $z^2$: the breach of
superposition should grow with the square of the amplitude. We send in two white noises and their sum.
*/

// |f(u + v) − f(u) − f(v)| as a share of |f(u + v)|, root mean square
static double breach(System s, float amplitude, bool bent, Rng rng)
{
    float u[3][STEPS], y[3][STEPS];
    rng_normals(&rng, u[0], STEPS);
    rng_normals(&rng, u[1], STEPS);
    for (int t = 0; t < STEPS; t++) u[0][t] *= amplitude, u[1][t] *= amplitude, u[2][t] = u[0][t] + u[1][t];
    for (int k = 0; k < 3; k++) {
        float x[MOST_STATES] = {0};
        for (int t = 0; t < STEPS; t++) {
            y[k][t] = step(x, s, u[k][t]);
            for (int i = 0; i < s.a.rows && bent; i++) x[i] = tanh32(x[i]);
        }
    }
    for (int t = 0; t < STEPS; t++) y[0][t] = y[2][t] - y[0][t] - y[1][t];
    return norm(matrix_view(1, STEPS, y[0])) / norm(matrix_view(1, STEPS, y[2]));
}

static void a_bend_breaks_the_sum(Lesson *lesson)
{
    section(lesson, "A bend breaks the sum");
    enum { SIZES = 4, PAIRS = 5 };
    const float sizes[SIZES] = {0.01f, 0.1f, 1.0f, 10.0f};
    System s = sample(lesson_arena(lesson), spring(lesson_arena(lesson)), spring_step);
    double linear = 0.0, low = INFINITY, high = 0.0;
    double means[SIZES] = {0};
    for (int p = 0; p < PAIRS; p++) {
        Rng rng = lesson_rng(lesson, 40 + (uint64_t)p);
        double bent[SIZES];
        for (int k = 0; k < SIZES; k++) {
            linear = fmax(linear, breach(s, sizes[k], false, rng));
            bent[k] = breach(s, sizes[k], true, rng);
            means[k] += bent[k] / PAIRS;
        }
        low = fmin(low, bent[1] / bent[0]), high = fmax(high, bent[1] / bent[0]);
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
        networks[k] = identify(lesson, "sunspots", 4, windows(arena, s), CIRCLES, &rng);
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
A state of four numbers does nearly what nine remembered years do, and not better: AR(9) is a linear system
too, one of nine states. The networks began in a good place: two circles, a slow and a fast one, and $D = 1$.
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
    claim(lesson, open_years >= 13.0,
          "the largest pole of A is not near the cycle: 13 years or more (median)");
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

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "13-rnn-is-lti", "An RNN is a linear system is a convolution");
    look_at_the_spring(lesson);
    three_ways(lesson);
    Box boxes[2];
    training_is_identification(lesson, boxes);
    other_numbers_inside(lesson, &boxes[0]);
    draw_impulse_response(lesson, &boxes[1]);
    draw_poles(lesson, &boxes[1]);
    draw_bode(lesson, &boxes[1]);
    two_directions(lesson);
    a_bend_breaks_the_sum(lesson);
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

- A linear RNN, a discrete LTI system and a convolution are one thing, computed in three ways.
- Training recovers the poles of a machine, not its coordinates: those are a matter of the basis.
- The way of writing the unknowns decides whether descent finds them. More numbers can be easier than fewer.
- The size of the largest pole rules memory, stability and gradients alike. A bend ends all this, gently for
  small signals and thoroughly for large ones.

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
