/*
# LSTM

The recurrent network of chapter 13 multiplies its memory by the same matrix in every step. What it
remembers fades, or explodes, by a factor for each step: the same knife's edge as in chapter 9, with time in
the place of depth. The cure is the same as well. Do not replace: *add*.

The **long short-term memory** (长短期记忆网络), LSTM, of Hochreiter and Schmidhuber (1997) keeps a second row of
numbers beside the hidden state, the **cell** (细胞状态), to which each step adds something. Three **gates**
(门), numbers between 0 and 1 that the network computes for itself, decide what is let in, what is kept and
what is shown.

In this chapter we

- write the cell out, forwards and backwards, and compare it with the library;
- measure how far back its gradient reaches, and find that a popular sentence is wrong without a condition;
- let it add two numbers out of a hundred, beside plain networks that are given a fair start: one of them can
  do it, too, and shows what it is that matters;
- let it read Jane Austen letter by letter, and compare it with plain counting, which wins;
- look at its gates.

You need chapters 7, 9 and 13.
*/

#include "base/mathf.h"
#include "files/corpora.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/ngram.h"
#include "models/nn.h"

#include <stdlib.h>

/*
## The cell

In step $t$ the network sees an input $x_t$ and what it was left with, a hidden state $h_{t-1}$ and a cell
$c_{t-1}$. Four weighted sums of $x_t$ and $h_{t-1}$ are made; three of them go through the sigmoid and
become gates, one goes through tanh and becomes a candidate:

$$\begin{aligned} i &= \sigma(x_t W_i + h_{t-1} U_i + b_i) && \text{input gate: how much of the candidate is let in} \\
f &= \sigma(x_t W_f + h_{t-1} U_f + b_f) && \text{forget gate: how much of the cell is kept} \\
g &= \tanh(x_t W_g + h_{t-1} U_g + b_g) && \text{candidate} \\
o &= \sigma(x_t W_o + h_{t-1} U_o + b_o) && \text{output gate: how much of the cell is shown} \end{aligned}$$

$$c_t = f \odot c_{t-1} + i \odot g, \qquad h_t = o \odot \tanh(c_t).$$

Each number of the cell has its own gates. The **forget gate** (遗忘门) came three years after the rest (Gers,
Schmidhuber and Cummins, 2000); before, a cell could only be added to.
*/

// Letters of this chapter: I inputs, H hidden numbers, B sequences side by side, T steps. Columns: i, f, g, o.
typedef struct {
    int inputs, hidden;
    Matrix w, u, b; // (I × 4H), (H × 4H), (1 × 4H)
} Cell;

// One step of one sequence: x (I), h_before and c_before (H) → h, c (H); gates (4H) are kept for the way back
static void cell_forward(Cell cell, float *h, float *c, float *gates, const float *x, const float *h_before,
                         const float *c_before)
{
    int n = cell.hidden;
    for (int k = 0; k < 4 * n; k++) {
        float z = cell.b.data[k];
        for (int j = 0; j < cell.inputs; j++) z += x[j] * AT(cell.w, j, k);
        for (int j = 0; j < n; j++) z += h_before[j] * AT(cell.u, j, k);
        gates[k] = k / n == 2 ? tanh32(z) : sigmoid32(z);
    }
    const float *i = gates, *f = gates + n, *g = gates + 2 * n, *o = gates + 3 * n;
    for (int k = 0; k < n; k++) {
        c[k] = f[k] * c_before[k] + i[k] * g[k];
        h[k] = o[k] * tanh32(c[k]);
    }
}

/*
And back. Two gradients arrive at the end of a step: $d_h$, from the output and from the next step's sums,
and $d_c$, from the next step's cell. The cell is seen in two places, so what it receives is a sum:

$$d_c \leftarrow d_c + d_h \odot o \odot (1 - \tanh^2 c_t).$$

From there on every factor of the two lines above receives the gradient times the other factor, and what
stood before an activation the slope of the activation: $\sigma' = \sigma (1 - \sigma)$ and $\tanh' = 1 -
\tanh^2$. The line to remember is

$$d_{c_{t-1}} = d_c \odot f .$$

No matrix, and no activation: along the cell, the gradient is multiplied by the forget gate and by nothing
else.
*/

typedef struct {
    Matrix w, u, b;
} CellGradient;

// The gradients d_h and d_c (H) of what leaves the step → d_z (4H) before the activations, d_h and d_c of what entered
static void cell_backward(Cell cell, float *d_z, float *d_h, float *d_c, const float *c, const float *gates,
                          const float *c_before)
{
    int n = cell.hidden;
    const float *i = gates, *f = gates + n, *g = gates + 2 * n, *o = gates + 3 * n;
    for (int k = 0; k < n; k++) {
        float shown = tanh32(c[k]);
        float d = d_c[k] + d_h[k] * o[k] * (1.0f - shown * shown); // h = o ⊙ tanh(c)
        d_z[k] = d * g[k] * i[k] * (1.0f - i[k]);                  // c = f ⊙ c_before + i ⊙ g
        d_z[n + k] = d * c_before[k] * f[k] * (1.0f - f[k]);
        d_z[2 * n + k] = d * i[k] * (1.0f - g[k] * g[k]);
        d_z[3 * n + k] = d_h[k] * shown * o[k] * (1.0f - o[k]);
        d_c[k] = d * f[k];
    }
    for (int j = 0; j < n; j++) { // z = x·w + h_before·u + b
        d_h[j] = 0.0f;
        for (int k = 0; k < 4 * n; k++) d_h[j] += d_z[k] * AT(cell.u, j, k);
    }
}

// Adds one step's part to the gradients of the weights: z = x·w + h_before·u + b
static void cell_weights_backward(Cell cell, CellGradient d, const float *d_z, const float *x,
                                  const float *h_before)
{
    for (int k = 0; k < 4 * cell.hidden; k++) {
        for (int j = 0; j < cell.inputs; j++) AT(d.w, j, k) += x[j] * d_z[k];
        for (int j = 0; j < cell.hidden; j++) AT(d.u, j, k) += h_before[j] * d_z[k];
        d.b.data[k] += d_z[k];
    }
}

/*
The library has the same as one operation, `lstm`: the sums with $W$ of all steps are one product, made at
once, and only the products with $U$ wait for each other. The two must agree.
*/

// One sequence x (T × I), forwards and backwards: h (T × H) receives the states, d gets the gradients of the weights added
static void run_the_cell(Cell cell, CellGradient d, Matrix x, Matrix h, Matrix d_above)
{
    enum { MOST = 8 };
    const float nothing[MOST] = {0};
    float c[MOST][MOST], gates[MOST][4 * MOST], d_z[4 * MOST], d_h[MOST] = {0}, d_c[MOST] = {0};
    for (int t = 0; t < x.rows; t++)
        cell_forward(cell, matrix_row(h, t), c[t], gates[t], matrix_row(x, t),
                     t ? matrix_row(h, t - 1) : nothing, t ? c[t - 1] : nothing);
    for (int t = x.rows - 1; t >= 0; t--) {
        for (int k = 0; k < cell.hidden; k++) d_h[k] += AT(d_above, t, k);
        cell_backward(cell, d_z, d_h, d_c, c[t], gates[t], t ? c[t - 1] : nothing);
        cell_weights_backward(cell, d, d_z, matrix_row(x, t), t ? matrix_row(h, t - 1) : nothing);
    }
}

static void check_the_cell(Lesson *lesson)
{
    section(lesson, "The cell");
    enum { I = 3, H = 5, B = 2, T = 7 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 1);
    Parameters set = parameters_new(arena);
    Lstm layer = lstm_new(&set, "lstm", I, H, &rng, 1.0f);
    Cell cell = {I, H, layer.weight->value, layer.recurrent->value, layer.bias->value};
    CellGradient d = {matrix_new(arena, I, 4 * H), matrix_new(arena, H, 4 * H), matrix_new(arena, 1, 4 * H)};
    Matrix x = matrix_new(arena, B * T, I), h = matrix_new(arena, B * T, H),
           d_above = matrix_new(arena, B * T, H);
    fill_normal(x, &rng, 0.0f, 1.0f);
    fill_normal(d_above, &rng, 0.0f, 1.0f);

    for (int b = 0; b < B; b++)
        run_the_cell(cell, d, matrix_rows(x, b * T, T), matrix_rows(h, b * T, T),
                     matrix_rows(d_above, b * T, T));

    Tape *tape = tape_new();
    Tensor *states = lstm_states(&layer, tape_input(tape, x), ((Sequences){B, T}), NULL);
    backward_from(states, d_above);
    float apart = largest_difference(states->value, h);
    float d_apart = fmaxf(largest_difference(layer.weight->gradient, d.w),
                          fmaxf(largest_difference(layer.recurrent->gradient, d.u),
                                largest_difference(layer.bias->gradient, d.b)));
    printf("values apart by %s, gradients of the weights by %s\n\n",
           apart <= 1e-5f ? "less than 1e-5" : "too much", d_apart <= 1e-4f ? "less than 1e-4" : "too much");
    claim(lesson, apart <= 1e-5f && d_apart <= 1e-4f,
          "plain loops and the library agree on the cell and on all its gradients");
    tape_free(tape);
}

/*
## A smaller cell

The hidden state is a view of the cell. Can one of the two be saved? The **gated recurrent unit**
(门控循环单元), GRU, of Cho and others (2014) has no cell apart and two gates, *update* $z$ and *reset* $r$:

$$h_t = (1 - z) \odot n + z \odot h_{t-1}, \qquad n = \tanh(\dots),$$

where the candidate $n$ sees as much of $h_{t-1}$ as $r$ lets through. What is kept and what is let in add
up to one: nothing can be added without forgetting, and the state cannot grow. Along $h$ the gradient is
multiplied by $z$, as along $c$ by $f$, and a second way leads through the candidate. Three blocks of
weights in the place of four. You will write it (TASK 14.2 and 14.3); here we take the library's.

## How long does a gradient live?

"The gradient of an LSTM lives much longer than that of a plain recurrent network" is the sentence that
every text has. Let us measure it on fresh networks of 32 hidden numbers that read 400 random inputs. A
gradient of size 1 arrives at the last step only. How large is it after going back $k$ steps? We call the
first distance at which less than a hundredth is left the gradient's **life**.

What should we expect? Along the cell the gradient is multiplied by $f$ in each step. With a bias of 0 the
forget gate begins near $\sigma(0) = \frac12$, and a half is a *worse* factor than that of a plain network
near its edge. At a bias of 1 it is $\sigma(1) = 0.73$, at 2 it is 0.88, at 3 it is 0.95.

And *which* plain network? Chapter 9 has taught us to ask how it begins. We take three:

- *random*: $h_t = \tanh(x_t W + h_{t-1} U + b)$, and the numbers of $U$ are drawn with variance $1/H$;
- *orthogonal*: the same, but the rows of $U$ are made orthogonal and of length one. Such a matrix rotates and
  reflects and changes no length, neither of a state nor of a gradient (Saxe and others, 2014);
- *identity*: $U$ is the identity, and ReLU stands in the place of tanh: $h_t = \mathrm{relu}(h_{t-1} + x_t
  W)$. The state is kept, and each step adds to it (Le, Jaitly and Hinton, 2015). That is the idea of the
  cell, without any gate.
*/

typedef enum { RANDOM, ORTHOGONAL, IDENTITY, LSTM, GRU } Kind;

typedef struct {
    const char *name;
    Kind kind;
    float forget_bias; // for the LSTM
} Network;

// Gram and Schmidt: each row loses what it has in common with those above it, and gets the length one.
static void orthogonalise(Matrix u)
{
    for (int i = 0; i < u.rows; i++) {
        Matrix row = matrix_rows(u, i, 1);
        for (int j = 0; j < i; j++) {
            Matrix other = matrix_rows(u, j, 1);
            add_scaled(row, (float)-dot(row, other), other);
        }
        scale(row, 1.0f / (float)norm(row));
    }
}

// u (H × H) holds random numbers of variance 1/H.
static void begin_recurrent(Matrix u, Kind kind)
{
    if (kind == ORTHOGONAL) orthogonalise(u);
    if (kind != IDENTITY) return;
    fill(u, 0.0f);
    for (int k = 0; k < u.rows; k++) AT(u, k, k) = 1.0f;
}

enum { LIFE_HIDDEN = 32, LIFE_INPUTS = 8, LIFE_STEPS = 400, STARTS = 5 };

// Adds to squares[k]: the squared gradient of the state k steps before the last, of one sequence of random inputs
static void lstm_gradient_squares(double *squares, Arena *arena, Cell cell, Rng *rng)
{
    enum { H = LIFE_HIDDEN, T = LIFE_STEPS };
    Matrix x = matrix_new(arena, T, cell.inputs), h = matrix_new(arena, T + 1, H),
           c = matrix_new(arena, T + 1, H);
    Matrix gates = matrix_new(arena, T, 4 * H);
    fill_normal(x, rng, 0.0f, 1.0f);
    for (int t = 0; t < T; t++) // row t of h and c is what enters step t
        cell_forward(cell, matrix_row(h, t + 1), matrix_row(c, t + 1), matrix_row(gates, t), matrix_row(x, t),
                     matrix_row(h, t), matrix_row(c, t));
    float d_h[H], d_c[H] = {0}, d_z[4 * H];
    for (int k = 0; k < H; k++) d_h[k] = rng_normal(rng);
    for (int t = T - 1; t >= 0; t--) {
        for (int k = 0; k < H; k++) squares[T - 1 - t] += (double)(d_h[k] * d_h[k] + d_c[k] * d_c[k]);
        cell_backward(cell, d_z, d_h, d_c, matrix_row(c, t + 1), matrix_row(gates, t), matrix_row(c, t));
    }
}

// The same for a plain network: each step back is a product with the slopes, and one with uᵀ
static void rnn_gradient_squares(double *squares, Arena *arena, Matrix w, Matrix u, RnnKind kind, Rng *rng)
{
    enum { H = LIFE_HIDDEN, T = LIFE_STEPS };
    Matrix x = matrix_new(arena, T, w.rows), h = matrix_new(arena, T, H), no_bias = matrix_new(arena, 1, H);
    fill_normal(x, rng, 0.0f, 1.0f);
    rnn_forward(arena, h, x, w, u, no_bias, (Matrix){0}, (Sequences){1, T}, kind);
    float d[H], before[H];
    for (int k = 0; k < H; k++) d[k] = rng_normal(rng);
    for (int t = T - 1; t >= 0; t--) {
        for (int j = 0; j < H; j++) squares[T - 1 - t] += (double)(d[j] * d[j]);
        for (int k = 0; k < H; k++) {
            float state = AT(h, t, k), on = state > 0.0f ? 1.0f : 0.0f;
            d[k] *= kind == RNN_RELU ? on : 1.0f - state * state;
        }
        for (int j = 0; j < H; j++) {
            before[j] = 0.0f;
            for (int k = 0; k < H; k++) before[j] += d[k] * AT(u, j, k);
        }
        memcpy(d, before, sizeof d);
    }
}

// A fresh network reads some sequences; sizes[k] receives the gradient k steps back as a fraction of the last step's.
static void gradient_sizes(float *sizes, Arena *arena, Rng *rng, Network network)
{
    enum { H = LIFE_HIDDEN, I = LIFE_INPUTS, SEQUENCES = 16 };
    int columns = network.kind == LSTM ? 4 * H : H;
    Cell cell = {I, H, matrix_new(arena, I, columns), matrix_new(arena, H, columns),
                 matrix_new(arena, 1, columns)};
    fill_normal(cell.w, rng, 0.0f, 0.5f / sqrtf(I));
    fill_normal(cell.u, rng, 0.0f, 1.0f / sqrtf(H));
    begin_recurrent(cell.u, network.kind);
    for (int k = 0; k < H && network.kind == LSTM; k++) cell.b.data[H + k] = network.forget_bias;
    double squares[LIFE_STEPS] = {0};
    for (int s = 0; s < SEQUENCES; s++) {
        ArenaMark mark = arena_mark(arena);
        if (network.kind == LSTM)
            lstm_gradient_squares(squares, arena, cell, rng);
        else
            rnn_gradient_squares(squares, arena, cell.w, cell.u,
                                 network.kind == IDENTITY ? RNN_RELU : RNN_TANH, rng);
        arena_rewind(arena, mark);
    }
    for (int k = 0; k < LIFE_STEPS; k++) sizes[k] = (float)sqrt(squares[k] / squares[0]);
}

static int life_of(const float *sizes)
{
    int life = 0;
    while (life < LIFE_STEPS && sizes[life] >= 0.01f) life++;
    return life;
}

static int rising(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static int median_of(const int lives[STARTS])
{
    int sorted[STARTS];
    memcpy(sorted, lives, sizeof sorted);
    qsort(sorted, STARTS, sizeof *sorted, rising);
    return sorted[STARTS / 2];
}

enum { PLAIN_RANDOM, PLAIN_ORTHOGONAL, PLAIN_IDENTITY, BIAS_0, BIAS_1, BIAS_2, BIAS_3, LIVES };
static const Network fresh[LIVES] = {
    {"RNN, random", RANDOM, 0.0f},          {"RNN, orthogonal", ORTHOGONAL, 0.0f},
    {"ReLU RNN, identity", IDENTITY, 0.0f}, {"LSTM, forget bias 0", LSTM, 0.0f},
    {"LSTM, forget bias 1", LSTM, 1.0f},    {"LSTM, forget bias 2", LSTM, 2.0f},
    {"LSTM, forget bias 3", LSTM, 3.0f}};

static void draw_life(Lesson *lesson, float sizes[LIVES][STARTS][LIFE_STEPS])
{
    Plot *plot = plot_begin(lesson, "life.svg", "How much of a gradient is left");
    plot_axes(plot, "steps back", "fraction of the last step's gradient");
    plot_log(plot, "y");
    plot_range_x(plot, 0.0, 200.0);
    plot_range_y(plot, 1e-6, 2.0);
    for (int r = 0; r < LIVES; r++) plot_line(plot, fresh[r].name, NULL, sizes[r][0], 201);
    plot_horizontal(plot, "1 %", 0.01);
    plot_end(plot,
             "Fresh networks of 32 hidden numbers, one start of each kind. What decides is how much of the "
             "state a step keeps: by the matrix, or by the bias of the forget gate.");
}

static void how_long(Lesson *lesson)
{
    section(lesson, "How long does a gradient live?");
    static float sizes[LIVES][STARTS][LIFE_STEPS];
    int lives[LIVES][STARTS], median[LIVES];
    Arena *arena = lesson_arena(lesson);
    printf("steps until less than 1 %% is left, five starts                median\n");
    for (int r = 0; r < LIVES; r++) {
        printf("%-20s", fresh[r].name);
        for (int s = 0; s < STARTS; s++) {
            ArenaMark mark = arena_mark(arena);
            Rng rng = lesson_rng(lesson, 100 + (uint64_t)s);
            gradient_sizes(sizes[r][s], arena, &rng, fresh[r]);
            arena_rewind(arena, mark);
            lives[r][s] = life_of(sizes[r][s]);
            printf("%s%4d", lives[r][s] < LIFE_STEPS ? "   " : "  ≥", lives[r][s]);
        }
        median[r] = median_of(lives[r]);
        printf("%s%4d\n", median[r] < LIFE_STEPS ? "       " : "      ≥", median[r]);
    }
    bool shorter = true, longer = true;
    for (int s = 0; s < STARTS; s++) {
        shorter = shorter && lives[BIAS_0][s] < lives[PLAIN_RANDOM][s];
        longer = longer && lives[BIAS_0][s] < lives[BIAS_1][s] && lives[BIAS_1][s] < lives[BIAS_2][s];
    }
    printf("\n");
    claim(lesson, shorter,
          "with a forget bias of 0 the LSTM's gradient dies sooner than the plain network's, in every start");
    claim(lesson, median[BIAS_2] >= 10 * median[PLAIN_RANDOM],
          "with a forget bias of 2 it lives at least 10 times as long (medians)");
    claim(lesson, longer, "its life grows with the bias from 0 over 1 to 2, in every start");
    claim(lesson, median[PLAIN_IDENTITY] >= 10 * median[PLAIN_RANDOM],
          "so does the gradient of a network without gates that begins with the identity");
    draw_life(lesson, sizes);
}

/*
So the usual sentence needs its condition, twice. An LSTM whose forget gates begin half open has the
*shorter* memory; one number that is set before training makes it long. Gers and others said so in 2000, and
many programs forgot it again for fifteen years (Jozefowicz, Zaremba and Sutskever, 2015). And a plain
network lives as long when its matrix and its activation keep what they hold. A matrix that keeps lengths is
not enough: the slopes of tanh are below one, and together they leave 0.78 of a gradient in each step
($0.01^{1/19}$). It is evenly short; the random matrices are a lottery, 14 to 96 steps.

## Adding two numbers out of a hundred

Does a long-lived gradient help? Here is a task that needs it. A network reads 100 pairs: a random number
between 0 and 1, and a mark that is 1 in two of the steps, one in each half, and 0 elsewhere. At the end it
has to say the sum of the two marked numbers, which stand 50 steps apart on average. Who always answers 1 has
a mean squared error of $\frac16 = 0.167$. Who remembers only one of the two, and guesses ½ for the other, has
an error of $\frac1{12} = 0.083$.

We train on sequences of 10, then 25, 50 and 100 steps, a **curriculum** (课程学习), 700 updates in all; in the
last 150 of them the learning rate falls to zero. Each network has 32 hidden numbers and gets three learning
rates; the best one, by a thousand sequences of its own, is used for two more starts.
*/

typedef struct {
    Kind kind;
    Lstm lstm;
    Gru gru;
    Rnn rnn;
    Linear answer;
    Parameters parameters;
} Adder;

static Adder *adder_new(Arena *arena, Network network, Rng *rng)
{
    enum { INPUTS = 2, HIDDEN = 32 };
    Adder *a = arena_zeros(arena, 1, sizeof *a);
    a->kind = network.kind, a->parameters = parameters_new(arena);
    Parameters *set = &a->parameters;
    if (a->kind == LSTM)
        a->lstm = lstm_new(set, "lstm", INPUTS, HIDDEN, rng, network.forget_bias);
    else if (a->kind == GRU)
        a->gru = gru_new(set, "gru", INPUTS, HIDDEN, rng);
    else
        a->rnn = rnn_new(set, "rnn", INPUTS, HIDDEN, rng, a->kind == IDENTITY ? RNN_RELU : RNN_TANH);
    if (a->rnn.recurrent) begin_recurrent(a->rnn.recurrent->value, a->kind);
    a->answer = linear_new(set, "answer", HIDDEN, 1, rng, INIT_GLOROT);
    return a;
}

// x (B·T × 2) → (B × 1)
static Tensor *adder_answers(const Adder *a, Tape *tape, Matrix x, Sequences shape)
{
    Tensor *in = tape_input(tape, x), *states;
    if (a->kind == LSTM)
        states = lstm_states(&a->lstm, in, shape, NULL);
    else if (a->kind == GRU)
        states = gru_states(&a->gru, in, shape, NULL);
    else
        states = rnn_states(&a->rnn, in, shape, NULL);
    return linear(&a->answer, last_steps(states, shape));
}

static void draw_sums(Matrix x, Matrix sums, Rng *rng, Sequences shape)
{
    fill(sums, 0.0f);
    for (int b = 0; b < shape.batch; b++) {
        int half = shape.time / 2, first = (int)rng_below(rng, (uint32_t)half);
        int second = half + (int)rng_below(rng, (uint32_t)half);
        for (int t = 0; t < shape.time; t++) {
            int r = b * shape.time + t;
            AT(x, r, 0) = rng_uniform(rng);
            AT(x, r, 1) = t == first || t == second ? 1.0f : 0.0f;
            sums.data[b] += AT(x, r, 0) * AT(x, r, 1);
        }
    }
}

enum { STAGES = 4, ADDING_BATCH = 32, ADDING_STEPS = 700, FINISH = 150 };
static const int stage_times[STAGES] = {10, 25, 50, 100}, stage_steps[STAGES] = {200, 150, 100, 250};

static double adding_error(const Adder *adder, Tape *tape, Rng rng)
{
    enum { TESTED = 1000, LONGEST = 100 };
    Sequences test = {TESTED, LONGEST};
    tape_reset(tape);
    Matrix x = matrix_new(tape_arena(tape), sequences_rows(test), 2);
    Matrix sums = matrix_new(tape_arena(tape), test.batch, 1);
    draw_sums(x, sums, &rng, test);
    tape_record(tape, false);
    double error = (double)mean_squared_error_forward(adder_answers(adder, tape, x, test)->value, sums);
    tape_record(tape, true);
    return error;
}

typedef struct {
    double validation, test;    // mean squared errors of 1000 new sequences each
    float errors[ADDING_STEPS]; // of each step
} Adding;

// Trains through the curriculum. start: which random start.
static void train_adder(Lesson *lesson, Adding *adding, Network network, float rate, int start)
{
    Arena *arena = lesson_arena(lesson);
    ArenaMark mark = arena_mark(arena);
    const uint64_t stream = 200 + 10 * (uint64_t)start;
    Rng weights = lesson_rng(lesson, stream), rng = lesson_rng(lesson, stream + 1);
    Adder *adder = adder_new(arena, network, &weights);
    Optimiser optimiser = adam_new(arena, &adder->parameters, 0.9f, 0.999f, 1e-8f, 0.0f);
    Tape *tape = tape_new();
    for (int stage = 0, step = 0; stage < STAGES; stage++) {
        Sequences shape = {ADDING_BATCH, stage_times[stage]};
        Matrix x = matrix_new(arena, sequences_rows(shape), 2), sums = matrix_new(arena, shape.batch, 1);
        for (int k = 0; k < stage_steps[stage]; k++, step++) {
            draw_sums(x, sums, &rng, shape);
            tape_reset(tape);
            Tensor *loss = mean_squared_error(adder_answers(adder, tape, x, shape), sums);
            backward(loss);
            clip_gradients(&adder->parameters, 1.0f);
            optimiser_step(&optimiser, rate * fminf(1.0f, (float)(ADDING_STEPS - step) / FINISH));
            adding->errors[step] = loss->value.data[0];
            lesson_progress(lesson, network.name, step + 1, ADDING_STEPS, (double)adding->errors[step]);
        }
    }
    adding->validation = adding_error(adder, tape, lesson_rng(lesson, 202));
    adding->test = adding_error(adder, tape, lesson_rng(lesson, 203));
    tape_free(tape);
    arena_rewind(arena, mark);
}

/*
`clip_gradients` is new: when the gradient of all parameters together is longer than 1, it is shortened to
that length (Pascanu, Mikolov and Bengio, 2013). A network whose gradient explodes now and then is not thrown
far away by one step. TASK 14.4 asks for it.
*/

enum { ADDERS = 7, ADDER_RATES = 3, ADDER_STARTS = 3 };
enum { ADD_RANDOM, ADD_ORTHOGONAL, ADD_IDENTITY, ADD_BIAS_0, ADD_BIAS_1, ADD_BIAS_2, ADD_GRU };
static const float adder_rates[ADDER_RATES] = {0.03f, 0.008f, 0.002f};

// The best rate by the first start, and two more starts with it
static float tune_adder(Lesson *lesson, Adding runs[ADDER_STARTS], Network network)
{
    float best = adder_rates[0];
    train_adder(lesson, &runs[0], network, best, 0);
    for (int r = 1; r < ADDER_RATES; r++) {
        train_adder(lesson, &runs[1], network, adder_rates[r], 0);
        if (runs[1].validation >= runs[0].validation) continue;
        runs[0] = runs[1];
        best = adder_rates[r];
    }
    for (int start = 1; start < ADDER_STARTS; start++)
        train_adder(lesson, &runs[start], network, best, start);
    return best;
}

// The mean over the last steps, so that a curve can be seen
static void smooth(float *curve, int count, int window)
{
    double total = 0.0;
    float kept[64];
    for (int k = 0; k < count; k++) {
        total += (double)curve[k] - (k >= window ? (double)kept[k % window] : 0.0);
        kept[k % window] = curve[k];
        curve[k] = (float)(total / int_min(k + 1, window));
    }
}

static void draw_adding(Lesson *lesson, const Network *networks, Adding runs[ADDERS][ADDER_STARTS])
{
    Plot *plot = plot_begin(lesson, "adding.svg", "Adding two marked numbers");
    plot_axes(plot, "update", "mean squared error (mean of 20 updates)");
    plot_log(plot, "y");
    plot_range_y(plot, 1e-4, 3.0);
    for (int n = 0; n < ADDERS; n++) {
        if (n == ADD_BIAS_1) continue; // lies between the other two
        smooth(runs[n][0].errors, ADDING_STEPS, 20);
        plot_line(plot, networks[n].name, NULL, runs[n][0].errors, ADDING_STEPS);
    }
    plot_horizontal(plot, "always 1", 1.0 / 6.0);
    for (int stage = 0, step = 0; stage < STAGES; step += stage_steps[stage++]) {
        char label[32];
        snprintf(label, sizeof label, "of %d", stage_times[stage]);
        plot_text(plot, step + 8, 1.8, label);
        if (stage > 0) plot_vertical(plot, NULL, step);
    }
    plot_end(plot,
             "Sequences of 10 pairs, then of 25, 50 and 100; the first start of each, at its best rate. "
             "Each lengthening throws them back, and the first two do not recover.");
}

static void adding(Lesson *lesson)
{
    section(lesson, "Adding two numbers out of a hundred");
    static const Network networks[ADDERS] = {{"RNN, random", RANDOM, 0.0f},
                                             {"RNN, orthogonal", ORTHOGONAL, 0.0f},
                                             {"ReLU RNN, identity", IDENTITY, 0.0f},
                                             {"LSTM, forget bias 0", LSTM, 0.0f},
                                             {"LSTM, forget bias 1", LSTM, 1.0f},
                                             {"LSTM, forget bias 2", LSTM, 2.0f},
                                             {"GRU", GRU, 0.0f}};
    static Adding runs[ADDERS][ADDER_STARTS];
    double least[ADDERS], most[ADDERS];
    printf("                       best rate    mean squared error of three starts, 1000 sequences\n");
    for (int n = 0; n < ADDERS; n++) {
        float rate = tune_adder(lesson, runs[n], networks[n]);
        least[n] = INFINITY, most[n] = 0.0;
        printf("%-22s %9g   ", networks[n].name, (double)rate);
        for (int s = 0; s < ADDER_STARTS; s++) {
            least[n] = fmin(least[n], runs[n][s].test), most[n] = fmax(most[n], runs[n][s].test);
            printf(" %8.4f", runs[n][s].test);
        }
        printf("\n");
    }
    printf("\n");
    claim(lesson, fmin(least[ADD_RANDOM], least[ADD_ORTHOGONAL]) >= 0.05,
          "with a random or an orthogonal matrix and tanh, 700 updates are not enough: errors of at least "
          "0.05");
    claim(lesson, fmax(most[ADD_BIAS_1], most[ADD_BIAS_2]) <= 0.01,
          "the LSTM with a forget bias of 1 or 2 solves it: errors of at most 0.01");
    claim(lesson, most[ADD_GRU] <= 0.01, "so does the GRU");
    claim(lesson, most[ADD_IDENTITY] <= 0.02,
          "and so does a network without gates that begins with the identity: at most 0.02");
    draw_adding(lesson, networks, runs);
}

/*
"A plain recurrent network cannot learn this" is what we would have said after the first two lines, and it is
what one often reads. The best of their starts remember one of the two numbers (0.083), the others none. But
the third network is plain as well, with a quarter of the LSTM's weights, and it adds: it begins by keeping
what it holds. And "cannot" is too strong even for the first two. With four times as many updates they get
there, too (measured apart, at a rate of 0.001: errors from 0.018 to 0.032 in five starts of each).

What the life of the gradient is worth in training, the biases tell. At 0, where it reaches ten steps, the
LSTM learns as well, at its own best rate, and is merely thrown back further by each lengthening; at a
rate of 0.01 the difference is larger (five starts, measured apart: errors from 0.003 to 0.065, against
0.002 to 0.005 with a bias of 2). The curriculum helps it: sequences of ten are within its reach.

## Counting

Now to texts. A network reads numbers, so each distinct character of the six novels of Jane Austen gets one:
there are 80, sorted, and chapter 18 has more to say about that.

Before we train anything: how well does plain counting predict the next character? An **n-gram model** (n
元语法模型) looks at the $n - 1$ characters before and asks what followed them in the training text. The trouble
is contexts that were never seen, or seen twice. The answer of Witten and Bell (1991) is to mix with the
shorter context, and to let the *number of different* followers decide how much:

$$P_n(x \mid \text{context}) = \frac{\text{count}(\text{context}, x) + d \cdot P_{n-1}(x \mid \text{shorter context})}{\text{count}(\text{context}) + d},$$

where $d$ is how many different characters have followed this context. After "q" only "u" has followed: $d$
is 1, and the counts are trusted. The library has it in `models/ngram.h`, as a table of all strings that
occur; for pairs of characters you will write it yourself (TASK 14.5).

We measure in **bits per character** (每字符比特数): the mean of $-\log_2 P$ of what really came next. Two to the
power of the bits is the **perplexity** (困惑度): among how many equally likely characters would one have to
choose, to be as uncertain? Who knows nothing needs $\log_2 80 = 6.3$ bits, and has a perplexity of 80.

The novels have four million characters. The last twentieth is held out. Of it we score 32 pieces of 640
characters, each after 50 that only give the context, so that all models see the same.
*/

enum { PIECES = 32, LEAD = 50, SCORED = 640, PIECE = LEAD + SCORED, MOST_ORDER = NGRAM_MOST_ORDER };

typedef struct {
    Alphabet alphabet;
    const int *training, *held_out;
    size_t training_length;
} Corpus;

static Corpus corpus_load(Arena *arena)
{
    Text text = text_collapse_blanks(arena, austen_load(arena));
    Corpus corpus = {.alphabet = alphabet_of(arena, text)};
    size_t length;
    corpus.training = alphabet_encode(arena, corpus.alphabet, text, &length);
    corpus.training_length = length / 20 * 19;
    corpus.held_out = corpus.training + corpus.training_length;
    check(length - corpus.training_length >= PIECES * PIECE, "is the set austen whole?",
          "the text is too short");
    return corpus;
}

static double perplexity(double bits) { return (double)exp32((float)(bits * 0.6931471805599453)); }

static void counting(Lesson *lesson, Corpus corpus, double bits[MOST_ORDER + 1])
{
    section(lesson, "Counting");
    Arena *scratch = arena_new();
    Ngram *counts =
        ngram_new(scratch, corpus.training, corpus.training_length, corpus.alphabet.size, MOST_ORDER);
    printf("%d characters in the alphabet, %zu in the training text\n\n", corpus.alphabet.size,
           corpus.training_length);
    printf("characters seen    bits per character    perplexity\n");
    for (int n = 1; n <= MOST_ORDER; n++) {
        bits[n] = 0.0;
        for (int p = 0; p < PIECES; p++)
            bits[n] += ngram_bits(counts, n, corpus.held_out + p * PIECE, LEAD, PIECE) / PIECES;
        printf("%15d %21.3f %13.2f\n", n - 1, bits[n], perplexity(bits[n]));
    }
    printf("\n");
    arena_free(scratch);
    bool falling = true;
    for (int n = 2; n <= 6; n++) falling = falling && bits[n] < bits[n - 1];
    claim(lesson, falling, "each further character of context helps, up to five");
    claim(lesson, bits[7] > bits[6] - 0.05,
          "a sixth helps by less than 0.05 bits: this text has told what it can");
}

/*
Here counting stops improving: of the strings of seven characters in the held-out pieces, one in ten does
not occur in the training text, and one in five at most three times. By then the tables hold 1.14 million
different strings, 609,000 of them seven characters long.
*/

/*
## Reading letter by letter

Our model: each character is looked up in a table of 32 numbers, an LSTM of 128 reads them, and a linear
layer gives scores for the next character. The text is one sequence of millions of steps, and nobody can go
back through all of it. So we cut: 64 steps forward, 64 steps back, one update, and the next 64 begin with
the state that the last ones left. That is **truncated backpropagation through time** (截断的随时间反向传播). The
*state* is carried on; the *gradient* stops at the cut.

For a batch the text is cut into 32 strips, which are read side by side.
*/

enum { EMBEDDED = 32, HIDDEN = 128, STRIPS = 32, CUT = 64 };

typedef struct {
    Embedding characters;
    Lstm lstm;
    Linear next;
    Parameters parameters;
} Reader;

static Reader *reader_new(Arena *arena, int alphabet, Rng *rng)
{
    Reader *r = arena_zeros(arena, 1, sizeof *r);
    r->parameters = parameters_new(arena);
    r->characters = embedding_new(&r->parameters, "characters", alphabet, EMBEDDED, rng, 1.0f);
    r->lstm = lstm_new(&r->parameters, "lstm", EMBEDDED, HIDDEN, rng, 1.0f);
    r->next = linear_new(&r->parameters, "next", HIDDEN, alphabet, rng, INIT_GLOROT);
    return r;
}

// ids [B·T] → scores (B·T × alphabet)
static Tensor *reader_scores(const Reader *r, Tape *tape, const int *ids, Sequences shape,
                             RecurrentState *state)
{
    Tensor *x = embed(tape, &r->characters, ids, sequences_rows(shape));
    return linear(&r->next, lstm_states(&r->lstm, x, shape, state));
}

static double held_out_bits(const Reader *r, Tape *tape, const int *held_out)
{
    enum { ROWS = PIECES * (PIECE - 1) };
    static int ids[ROWS], labels[ROWS];
    for (int p = 0; p < PIECES; p++)
        for (int t = 0; t < PIECE - 1; t++) {
            int at = p * (PIECE - 1) + t;
            ids[at] = held_out[p * PIECE + t];
            labels[at] = t + 1 >= LEAD ? held_out[p * PIECE + t + 1] : LABEL_IGNORED;
        }
    tape_reset(tape);
    tape_record(tape, false);
    Tensor *loss = cross_entropy(reader_scores(r, tape, ids, (Sequences){PIECES, PIECE - 1}, NULL), labels);
    double bits = (double)loss->value.data[0] / 0.6931471805599453;
    tape_reset(tape);
    tape_record(tape, true);
    return bits;
}

enum { MEASURED = 12 }; // how often the held-out text is scored while training

static void train_reader(Lesson *lesson, Reader *r, Corpus corpus, int steps, float bits[MEASURED])
{
    Arena *arena = lesson_arena(lesson);
    Optimiser optimiser = adam_new(arena, &r->parameters, 0.9f, 0.999f, 1e-8f, 0.0f);
    RecurrentState state = recurrent_state_new(arena, STRIPS, HIDDEN);
    Sequences shape = {STRIPS, CUT};
    Tape *tape = tape_new();
    int ids[STRIPS * CUT], labels[STRIPS * CUT], every = steps / MEASURED;
    size_t strip = corpus.training_length / STRIPS, at = 0;
    for (int step = 0; step < steps; step++, at += CUT) {
        if (at + CUT >= strip) at = 0; // from the beginning: the state is that of the end, which does no harm
        for (int k = 0; k < STRIPS * CUT; k++) {
            const int *here = corpus.training + (size_t)(k / CUT) * strip + at + (size_t)(k % CUT);
            ids[k] = here[0], labels[k] = here[1];
        }
        tape_reset(tape);
        Tensor *loss = cross_entropy(reader_scores(r, tape, ids, shape, &state), labels);
        backward(loss);
        clip_gradients(&r->parameters, 1.0f);
        optimiser_step(&optimiser, cosine_schedule(steps > 10000 ? 1e-2f : 3e-2f, step, 50, steps));
        lesson_progress(lesson, "reading", step + 1, steps, (double)loss->value.data[0] / 0.6931471805599453);
        if ((step + 1) % every == 0)
            bits[(step + 1) / every - 1] = (float)held_out_bits(r, tape, corpus.held_out);
    }
    tape_free(tape);
}

/*
And then it may write. We give it a beginning, take its probabilities of the next character, draw one, feed
it back in, and go on. Before drawing, the scores are divided by a **temperature** (温度): below 1 the likely
becomes likelier.
*/

static int draw_character(Matrix scores, float temperature, Rng *rng)
{
    scale(scores, 1.0f / temperature);
    softmax_rows(scores, scores);
    float left = rng_uniform(rng);
    int id = 0;
    while (id < scores.cols - 1 && left >= scores.data[id]) left -= scores.data[id++];
    return id;
}

static Text write_on(Lesson *lesson, const Reader *r, Alphabet alphabet, const char *beginning,
                     float temperature)
{
    enum { LENGTH = 300 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 400);
    RecurrentState state = recurrent_state_new(arena, 1, HIDDEN);
    Tape *tape = tape_new();
    tape_record(tape, false);
    size_t length;
    const int *given = alphabet_encode(arena, alphabet, text_of(beginning), &length);
    int ids[LENGTH];
    for (size_t t = 0; t < LENGTH; t++) {
        if (t < length) ids[t] = given[t];
        tape_reset(tape);
        Matrix scores = reader_scores(r, tape, &ids[t], (Sequences){1, 1}, &state)->value;
        if (t + 1 >= length && t + 1 < LENGTH) ids[t + 1] = draw_character(scores, temperature, &rng);
    }
    tape_free(tape);
    return alphabet_decode(arena, alphabet, ids, LENGTH);
}

static void print_written(Text text, float temperature)
{
    printf("temperature %.1f:\n", (double)temperature);
    for (size_t from = 0; from < text.size;) { // broken at blanks
        size_t width = text.size - from < 96 ? text.size - from : 96;
        while (from + width < text.size && width > 1 && text.bytes[from + width - 1] != ' ') width--;
        printf("    %.*s\n", (int)width, text.bytes + from);
        from += width;
    }
}

static void draw_bits(Lesson *lesson, const double *counted, const float *bits, int steps)
{
    float when[MEASURED];
    for (int k = 0; k < MEASURED; k++) when[k] = (float)((k + 1) * (steps / MEASURED));
    Plot *plot = plot_begin(lesson, "bits.svg", "Jane Austen, letter by letter");
    plot_axes(plot, "update", "bits per character, held out");
    plot_line_points(plot, "LSTM", when, bits, MEASURED);
    for (int n = 3; n <= MOST_ORDER; n++) {
        float level[2] = {(float)counted[n], (float)counted[n]}, ends[2] = {0.0f, (float)steps};
        char label[40];
        snprintf(label, sizeof label, "counting, %d before", n - 1);
        plot_dashed(plot, label, ends, level, 2);
    }
    plot_range_x(plot, 0.0, steps);
    plot_range_y(plot, 1.6, 3.0);
    plot_legend(plot, "outside");
    plot_end(plot, "The LSTM against counting with two to six characters of context, which has counted the "
                   "whole training text.");
}

static void reading(Lesson *lesson, Reader *reader, Corpus corpus, const double counted[MOST_ORDER + 1])
{
    section(lesson, "Reading letter by letter");
    int steps = lesson_full(lesson) ? 18000 : 1500;
    float bits[MEASURED];
    train_reader(lesson, reader, corpus, steps, bits);
    double trained = (double)bits[MEASURED - 1], best = counted[1];
    for (int n = 2; n <= MOST_ORDER; n++) best = fmin(best, counted[n]);
    printf("%zu parameters, %d updates of %d characters\n\n", parameters_size(&reader->parameters), steps,
           STRIPS * CUT);
    printf("                         bits per character    perplexity\n");
    printf("counting, 3 before %24.3f %13.2f\n", counted[4], perplexity(counted[4]));
    printf("counting, best     %24.3f %13.2f\n", best, perplexity(best));
    printf("LSTM               %24.3f %13.2f\n\n", trained, perplexity(trained));
    claim(lesson, trained <= counted[4] - 0.05,
          "the LSTM needs at least 0.05 bits per character less than counting with three characters of "
          "context");
    claim(lesson, best < trained, "at its best, counting needs less than the LSTM");
    draw_bits(lesson, counted, bits, steps);

    printf("\n");
    print_written(write_on(lesson, reader, corpus.alphabet, "It is a truth ", 0.5f), 0.5f);
    print_written(write_on(lesson, reader, corpus.alphabet, "It is a truth ", 1.0f), 1.0f);
}

/*
The words are mostly words and the sentences are none. That is what two bits a character sound like:
spelling, the commas, a rhythm; no sense. The lower temperature plays safe and repeats itself, the higher
one invents.

How good is it, honestly? Better than counting with three characters of context. Counting with four is ahead,
and with five further still: at this budget counting wins, in seconds against half a minute. The LSTM was tuned:
rates of 0.003, 0.01, 0.02, 0.03 and 0.05 give 2.34, 2.07, 2.00, 1.98 and 2.00 bits. A GRU of the same width
does better, 1.94 at its best rate, 0.01, and is behind as well. What speaks for the networks is their size,
95,312 parameters against 1.14 million counted strings, and that they go on learning: with
`make chapter14 FULL=1`, twelve times as long and at a rate of 0.01, the LSTM comes to 1.79 bits, still behind.
The Transformer of chapter 20 will be measured against the same tables.

## What do the gates do?

We let the trained network read and look at its forget gates. Some should stay near 1: their cells keep what
they hold over a whole sentence. Others should open and close with the letters. And when a word is over, its
letters may go: do the gates close where a blank is read? One sentence would be an anecdote; we take eight
pieces of held-out text.
*/

// The forget gates (T × H) of all steps while the reader reads ids [T]
static Matrix forget_gates(Arena *arena, const Reader *reader, const int *ids, int steps)
{
    Matrix x = matrix_new(arena, steps, EMBEDDED), h = matrix_new(arena, steps + 1, HIDDEN);
    Matrix c = matrix_new(arena, steps + 1, HIDDEN), gates = matrix_new(arena, steps, 4 * HIDDEN);
    embedding_forward(x, reader->characters.table->value, ids);
    Cell cell = {EMBEDDED, HIDDEN, reader->lstm.weight->value, reader->lstm.recurrent->value,
                 reader->lstm.bias->value};
    for (int t = 0; t < steps; t++)
        cell_forward(cell, matrix_row(h, t + 1), matrix_row(c, t + 1), matrix_row(gates, t), matrix_row(x, t),
                     matrix_row(h, t), matrix_row(c, t));
    Matrix forget = matrix_new(arena, steps, HIDDEN);
    copy_columns(forget, 0, gates, HIDDEN, HIDDEN);
    return forget;
}

typedef struct {
    float kept; // the mean of its forget gate
    int cell;
} Faith;

static int by_faith(const void *a, const void *b)
{
    float x = ((const Faith *)a)->kept, y = ((const Faith *)b)->kept;
    return (x > y) - (x < y);
}

static void draw_gates(Lesson *lesson, const Reader *reader, Alphabet alphabet, const Faith order[HIDDEN])
{
    enum { SHOWN = 12 };
    const char *sentence = "She was not afraid of being in love.";
    Arena *arena = lesson_arena(lesson);
    size_t length;
    const int *ids = alphabet_encode(arena, alphabet, text_of(sentence), &length);
    Matrix forget = forget_gates(arena, reader, ids, (int)length);
    Matrix picture = matrix_new(arena, SHOWN, forget.rows);
    const char *rows[SHOWN], **columns = arena_alloc(arena, length, sizeof *columns);
    for (int r = 0; r < SHOWN; r++) {
        int k = order[HIDDEN - 1 - r * (HIDDEN - 1) / (SHOWN - 1)].cell;
        char name[32];
        snprintf(name, sizeof name, "cell %d", k);
        rows[r] = arena_string(arena, name);
        for (int t = 0; t < forget.rows; t++) AT(picture, r, t) = AT(forget, t, k);
    }
    for (int t = 0; t < forget.rows; t++) columns[t] = text_string(arena, (Text){sentence + t, 1});
    Plot *plot = plot_begin(lesson, "gates.svg", "The forget gate of twelve cells while the LSTM reads");
    plot_cells(plot, picture, rows, columns, -1);
    plot_end(plot,
             "Dark: kept; white: forgotten. From the most faithful cell (top) to the most forgetful one.");
}

static void gates(Lesson *lesson, const Reader *reader, Corpus corpus)
{
    section(lesson, "What do the gates do?");
    enum { READ = 8 * PIECE };
    Arena *arena = lesson_arena(lesson);
    Matrix forget = forget_gates(arena, reader, corpus.held_out, READ);
    int blank = alphabet_id(corpus.alphabet, ' '), blanks = 0;
    double at_blank = 0.0, elsewhere = 0.0;
    for (int t = 0; t < READ; t++) {
        double open = mean(matrix_rows(forget, t, 1));
        bool is_blank = corpus.held_out[t] == blank;
        at_blank += is_blank ? open : 0.0, elsewhere += is_blank ? 0.0 : open;
        blanks += is_blank;
    }
    at_blank /= blanks, elsewhere /= READ - blanks;
    Matrix kept = matrix_new(arena, 1, HIDDEN);
    column_means(kept, forget);
    Faith order[HIDDEN];
    for (int k = 0; k < HIDDEN; k++) order[k] = (Faith){kept.data[k], k};
    qsort(order, HIDDEN, sizeof *order, by_faith);
    printf("mean of the forget gate: %.3f in the most forgetful of %d cells, %.3f in the middle, %.3f in the "
           "most faithful\n",
           (double)order[0].kept, HIDDEN, (double)order[HIDDEN / 2].kept, (double)order[HIDDEN - 1].kept);
    printf("mean over all cells: %.3f at %d blanks, %.3f elsewhere\n\n", at_blank, blanks, elsewhere);
    claim(lesson, order[HIDDEN - 1].kept >= 0.95f && order[0].kept <= 0.5f,
          "one cell keeps at least 95 %% in each step, another at most half: long and short memories side by "
          "side");
    claim(lesson, at_blank <= elsewhere - 0.05,
          "where a blank is read, the gates are less open, by 0.05 at least");
    draw_gates(lesson, reader, corpus.alphabet, order);
}

/*
On average the gates close where a blank is read (in a fresh network the difference was 0.02, by chance, and
of the other sign): a word is over, and its letters may go. The mean is made of opposites. The cells in the
upper half of the picture keep what they have over the whole sentence; those below are cleared by one letter
and filled by the next. Which letters a cell waits for can be read off here; what it holds meanwhile, and
what that is good for, cannot.

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "14-lstm", "LSTM");
    Arena *arena = lesson_arena(lesson);
    check_the_cell(lesson);
    how_long(lesson);
    adding(lesson);

    Corpus corpus = corpus_load(arena);
    double counted[MOST_ORDER + 1];
    counting(lesson, corpus, counted);
    Rng rng = lesson_rng(lesson, 300);
    Reader *reader = reader_new(arena, corpus.alphabet.size, &rng);
    reading(lesson, reader, corpus, counted);
    gates(lesson, reader, corpus);
    return lesson_end(lesson);
}

/*
## What to take along

- A cell to which each step adds, and which is multiplied by nothing but the forget gate, lets a gradient
  live as long as that gate is open. The bias of the forget gate decides how long; at 0 it is shorter than
  in a plain network.
- What matters is to keep and to add. An identity matrix with ReLU does that without any gate, and adds two
  numbers out of a hundred as well.
- Give the opponent a fair start and its own learning rate before you say that it cannot.
- Truncated backpropagation carries the state through a text of any length, and the gradient as far as the
  cut.
- Compare with counting, to the order where it stops improving. With four million characters and half a
  minute, it is ahead.

## Check yourself

**1.** The gates are $i = 1$, $f = 0$ and $o = 1$, the candidate is $g = 0.5$, and the cell held 3. What are
$c$ and $h$ now? And with $f = 1$?

<details><summary>Answer</summary>

With $f = 0$ the old 3 is gone: $c = 0 \cdot 3 + 1 \cdot 0.5 = 0.5$ and $h = \tanh 0.5 = 0.462$. With $f =
1$ it is kept: $c = 3.5$ and $h = \tanh 3.5 = 0.998$. The cell can hold numbers beyond 1, what is shown
cannot.

</details>

**2.** If each forget gate were $\sigma(\text{bias})$ and nothing else, after how many steps would less than
1 % of a gradient be left along the cell, for a bias of 0 and of 2? Why are the lives in the table longer?

<details><summary>Answer</summary>

$0.5^7 = 0.0078$, so seven steps; $\sigma(2) = 0.881$ and $0.881^{37} = 0.0092$, so 37. The table has 10
and 334. Real gates see the input and the state as well, so they differ from cell to cell and from step to
step, and after many steps most of what is left is in the cells whose gates were the most open.

</details>

**3.** An orthogonal matrix changes no length. Why does the gradient of the orthogonal network die all the
same, and which change would let it live?

<details><summary>Answer</summary>

Between two products with the matrix, the gradient is multiplied by the slopes of tanh, which are below one
wherever a state is not near zero: together 0.78 in each step. Without an activation it would keep its length
exactly, but then the network is linear (chapter 13). ReLU with the identity has slopes of 1 for all units
that are on, and lives for more than 400 steps.

</details>

**4.** One model needs 2.00 bits per character, another 1.77. Which perplexities are these, and how many times
as probable does the second find a text of 1000 characters?

<details><summary>Answer</summary>

$2^{2.00} = 4.00$ and $2^{1.77} = 3.41$. The bits add up over the text, 2000 against 1770, so it finds it
$2^{230}$ times as probable. A difference that looks small per character is none.

</details>

**5.** We cut after 64 steps and carry the state on. Can the LSTM use a name that stood 200 characters back?
Can it learn to?

<details><summary>Answer</summary>

It can use it: the state is carried on, and a cell whose gate stays open still holds it. It is not taught
to: the gradient stops at the cut, so nothing tells the step that read the name that it was needed 200 steps
later. Only a habit that already pays within 64 steps, such as keeping names, is learned, and then reaches
further.

</details>

## Sources

- S. Hochreiter, J. Schmidhuber, *Long short-term memory*, Neural Computation 9, 1997: the cell, two gates,
  and the task of adding.
- F. Gers, J. Schmidhuber, F. Cummins, *Learning to forget: continual prediction with LSTM*, Neural
  Computation 12, 2000: the forget gate and its bias.
- R. Jozefowicz, W. Zaremba, I. Sutskever, *An empirical exploration of recurrent network architectures*,
  2015: a bias of 1.
- K. Cho and others, *Learning phrase representations using RNN encoder–decoder for statistical machine
  translation*, 2014: the GRU.
- A. Saxe, J. McClelland, S. Ganguli, *Exact solutions to the nonlinear dynamics of learning in deep linear
  neural networks*, 2014: orthogonal beginnings. Q. Le, N. Jaitly, G. Hinton, *A simple way to initialize
  recurrent networks of rectified linear units*, 2015: the identity.
- R. Pascanu, T. Mikolov, Y. Bengio, *On the difficulty of training recurrent neural networks*, 2013:
  clipping.
- Y. Bengio, J. Louradour, R. Collobert, J. Weston, *Curriculum learning*, 2009.
- I. Witten, T. Bell, *The zero-frequency problem*, IEEE Transactions on Information Theory 37, 1991, method
  C.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade14` tells how far you are,
`make hint14` helps.

- **TASK 14.1** the bias that halves a cell in so many steps.
- **TASK 14.2** one step of a GRU.
- **TASK 14.3** its gradient.
- **TASK 14.4** clipping, also of a gradient that has exploded.
- **TASK 14.5** a bigram model by Witten and Bell.

And without a computer, or with five minutes at one:

**1.** Cut after 8 steps instead of 64. What can the model still learn, now that the state is carried further
than the gradient? Begin every piece with a state of zeros as well: what changes now?

<details><summary>Answer</summary>

It still learns to spell: most of what helps to predict a letter stands within 8 letters. Of what stands
further back it can use whatever happens to be in the state, but nothing teaches it what to put there. With
zeros it sees nothing but its piece, one to eight characters: it is an n-gram model of orders 2 to 9 with
shared weights, and the first letters of each piece are guessed nearly blindly.

</details>

**2.** What if the forget gate is taken away (always 1)? What if the output gate is?

<details><summary>Answer</summary>

Without a forget gate the cell is a running sum, as in 1997. For adding two numbers that is enough; in a
text without end it grows until tanh is saturated, and can be emptied only by adding the opposite. Without
an output gate everything that is held is shown at every step, to the next layer and to all gates. That
costs less: the GRU has none.

</details>

**3.** Train the adders on 100 pairs from the beginning, without a curriculum. Which of them still get there
in 700 updates?

<details><summary>Answer</summary>

Measured with four starts each (rate 0.03; identity 0.003): the GRU always (errors of 0.0003 at most), the
identity network always (0.013 at most), the LSTM by luck: with forget biases of 0, 1 and 2, two, one and
one of four starts end at 0.166 to 0.170, the error of who always answers 1.

</details>

**4.** Let the tables count the whole text, the held-out part included. What does counting with six
characters of context say now, and why is that no achievement?

<details><summary>Answer</summary>

1.31 bits per character (measured): each context of the held-out pieces has been seen at least once, with the
right answer. Whoever lets a table see the examination learns how well it remembers, not how well it predicts.

</details>

**5.** An LSTM of 128 hidden numbers reads 32 inputs. How many weights has it? How wide may a GRU be that
has no more, with the library's two biases?

<details><summary>Answer</summary>

The LSTM has $4 \cdot 128 \cdot (32 + 128 + 1) = 82\,432$. A GRU of width $H$ has $3H(32 + H) + 6H = 3H(H +
34)$: 81,801 for $H = 149$ and 82,800 for $H = 150$. So 149.

</details>
*/
