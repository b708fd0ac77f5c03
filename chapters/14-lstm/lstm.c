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
- let it solve a task that the plain network cannot: add two numbers, a hundred steps apart;
- let it read Jane Austen letter by letter, and compare it with plain counting;
- let it judge reviews, and compare it with a list of words.

You need chapters 7, 9 and 13.
*/

#include "base/mathf.h"
#include "files/corpora.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
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

From there on every factor of the two lines above receives the gradient times the other factor, and each
bend its slope: $\sigma' = \sigma (1 - \sigma)$ and $\tanh' = 1 - \tanh^2$. The line to remember is

$$d_{c_{t-1}} = d_c \odot f .$$

No matrix, and no bend: along the cell, the gradient is multiplied by the forget gate and by nothing else.
*/

typedef struct {
    Matrix w, u, b;
} CellGradient;

// The gradients d_h and d_c (H) of what leaves the step → d_z (4H) before the bends, d_h and d_c of what entered
static void cell_backward(Cell cell, float *d_z, float *d_h, float *d_c, const float *c, const float *gates,
                          const float *c_before)
{
    int n = cell.hidden;
    const float *i = gates, *f = gates + n, *g = gates + 2 * n, *o = gates + 3 * n;
    for (int k = 0; k < n; k++) {
        float bent = tanh32(c[k]);
        float d = d_c[k] + d_h[k] * o[k] * (1.0f - bent * bent); // h = o ⊙ tanh(c)
        d_z[k] = d * g[k] * i[k] * (1.0f - i[k]);                // c = f ⊙ c_before + i ⊙ g
        d_z[n + k] = d * c_before[k] * f[k] * (1.0f - f[k]);
        d_z[2 * n + k] = d * i[k] * (1.0f - g[k] * g[k]);
        d_z[3 * n + k] = d_h[k] * bent * o[k] * (1.0f - o[k]);
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
    Matrix x = matrix_new(arena, B * T, I), h = matrix_new(arena, B * T, H), c = matrix_new(arena, B * T, H);
    Matrix gates = matrix_new(arena, B * T, 4 * H), d_above = matrix_new(arena, B * T, H);
    fill_normal(x, &rng, 0.0f, 1.0f);
    fill_normal(d_above, &rng, 0.0f, 1.0f);

    const float nothing[H] = {0};
    for (int b = 0; b < B; b++) {
        for (int t = 0; t < T; t++) {
            int r = b * T + t;
            cell_forward(cell, matrix_row(h, r), matrix_row(c, r), matrix_row(gates, r), matrix_row(x, r),
                         t ? matrix_row(h, r - 1) : nothing, t ? matrix_row(c, r - 1) : nothing);
        }
        float d_z[4 * H], d_h[H] = {0}, d_c[H] = {0};
        for (int t = T - 1; t >= 0; t--) {
            int r = b * T + t;
            for (int k = 0; k < H; k++) d_h[k] += AT(d_above, r, k);
            cell_backward(cell, d_z, d_h, d_c, matrix_row(c, r), matrix_row(gates, r),
                          t ? matrix_row(c, r - 1) : nothing);
            cell_weights_backward(cell, d, d_z, matrix_row(x, r), t ? matrix_row(h, r - 1) : nothing);
        }
    }

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
## How long does a gradient live?

"The gradient of an LSTM lives much longer than that of a plain recurrent network" is the sentence that
every text has. Let us measure it on fresh networks of 32 hidden numbers that read 400 random inputs. A
gradient of size 1 arrives at the last step only. How large is it after going back $k$ steps? We call the
first distance at which less than a hundredth is left the gradient's **life**.

What should we expect? Along the cell the gradient is multiplied by $f$ in each step. With a bias of 0 the
forget gate begins near $\sigma(0) = \frac12$, and a half is a *worse* factor than that of a plain network
near its edge. At a bias of 1 it is $\sigma(1) = 0.73$, at 2 it is 0.88, at 3 it is 0.95.
*/

enum { LIFE_HIDDEN = 32, LIFE_INPUTS = 8, LIFE_STEPS = 400, LIFE_ROWS = 6, STARTS = 5 };
static const char *const life_names[LIFE_ROWS] = {"plain RNN",           "LSTM, forget bias −1",
                                                  "LSTM, forget bias 0", "LSTM, forget bias 1",
                                                  "LSTM, forget bias 2", "LSTM, forget bias 3"};

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

// The same for the plain h' = tanh(x·w + h·u)
static void rnn_gradient_squares(double *squares, Arena *arena, Matrix w, Matrix u, Rng *rng)
{
    enum { H = LIFE_HIDDEN, T = LIFE_STEPS };
    Matrix x = matrix_new(arena, T, w.rows), h = matrix_new(arena, T, H), no_bias = matrix_new(arena, 1, H);
    fill_normal(x, rng, 0.0f, 1.0f);
    rnn_forward(arena, h, x, w, u, no_bias, (Matrix){0}, (Sequences){1, T}, RNN_TANH);
    float d[H], before[H];
    for (int k = 0; k < H; k++) d[k] = rng_normal(rng);
    for (int t = T - 1; t >= 0; t--) {
        for (int j = 0; j < H; j++) {
            squares[T - 1 - t] += (double)(d[j] * d[j]);
            before[j] = 0.0f;
            for (int k = 0; k < H; k++) before[j] += d[k] * (1.0f - AT(h, t, k) * AT(h, t, k)) * AT(u, j, k);
        }
        memcpy(d, before, sizeof d);
    }
}

// A fresh network reads some sequences; sizes[k] receives the gradient k steps back as a share of the last step's.
static void gradient_sizes(float *sizes, Arena *arena, Rng *rng, bool gated, float forget_bias)
{
    enum { H = LIFE_HIDDEN, I = LIFE_INPUTS, SEQUENCES = 16 };
    int columns = gated ? 4 * H : H;
    Cell cell = {I, H, matrix_new(arena, I, columns), matrix_new(arena, H, columns),
                 matrix_new(arena, 1, columns)};
    fill_normal(cell.w, rng, 0.0f, 0.5f / sqrtf(I));
    fill_normal(cell.u, rng, 0.0f, 1.0f / sqrtf(H));
    for (int k = 0; k < H && gated; k++) cell.b.data[H + k] = forget_bias;
    double squares[LIFE_STEPS] = {0};
    for (int s = 0; s < SEQUENCES; s++) {
        ArenaMark mark = arena_mark(arena);
        if (gated)
            lstm_gradient_squares(squares, arena, cell, rng);
        else
            rnn_gradient_squares(squares, arena, cell.w, cell.u, rng);
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

static int median_of(const int lives[STARTS])
{
    int sorted[STARTS];
    memcpy(sorted, lives, sizeof sorted);
    for (int i = 1; i < STARTS; i++) // insertion
        for (int k = i; k > 0 && sorted[k] < sorted[k - 1]; k--) {
            int swapped = sorted[k];
            sorted[k] = sorted[k - 1], sorted[k - 1] = swapped;
        }
    return sorted[STARTS / 2];
}

static void how_long(Lesson *lesson)
{
    section(lesson, "How long does a gradient live?");
    static float sizes[LIFE_ROWS][STARTS][LIFE_STEPS];
    int lives[LIFE_ROWS][STARTS];
    Arena *arena = lesson_arena(lesson);
    printf("steps until less than 1 %% is left, five starts\n");
    for (int r = 0; r < LIFE_ROWS; r++) {
        printf("%-22s", life_names[r]);
        for (int s = 0; s < STARTS; s++) {
            ArenaMark mark = arena_mark(arena);
            Rng rng = lesson_rng(lesson, 100 + (uint64_t)s);
            gradient_sizes(sizes[r][s], arena, &rng, r > 0, (float)r - 2.0f);
            arena_rewind(arena, mark);
            lives[r][s] = life_of(sizes[r][s]);
            printf("%s%5d", lives[r][s] < LIFE_STEPS ? "  " : " ≥", lives[r][s]);
        }
        printf("\n");
    }
    bool shorter = true, rising = true;
    for (int s = 0; s < STARTS; s++) {
        shorter = shorter && lives[2][s] < lives[0][s];
        rising =
            rising && lives[1][s] < lives[2][s] && lives[2][s] < lives[3][s] && lives[3][s] < lives[4][s];
    }
    int plain = median_of(lives[0]), biased = median_of(lives[4]);
    printf("\nmedians: plain RNN %d, forget bias 2 at least %d\n\n", plain, biased);
    claim(lesson, shorter,
          "with a forget bias of 0 the LSTM's gradient dies sooner than the plain network's, in every start");
    claim(lesson, biased >= 10 * plain,
          "with a forget bias of 2 it lives at least 10 times as long (medians)");
    claim(lesson, rising, "its life rises with the bias from −1 over 0 and 1 to 2, in every start");

    Plot *plot = plot_begin(lesson, "life.png", "How much of a gradient is left");
    plot_axes(plot, "steps back", "share of the last step's gradient");
    plot_log(plot, "y");
    plot_range_x(plot, 0.0, 200.0);
    plot_range_y(plot, 1e-6, 2.0);
    for (int r = 0; r < LIFE_ROWS; r++) plot_line(plot, life_names[r], NULL, sizes[r][0], LIFE_STEPS);
    plot_horizontal(plot, "1 %", 0.01);
    plot_end(plot, "Fresh networks of 32 hidden numbers, one start of each kind. What decides is the bias of "
                   "the forget gate.");
}

/*
So the usual sentence needs its condition. An LSTM whose forget gates begin half open has the *shorter*
memory of the two; one number that is set before training makes it long. Gers and others said so in 2000,
and many programs forgot it again for fifteen years (Jozefowicz, Zaremba and Sutskever, 2015). The plain
network is less predictable: now and then a random matrix has an eigenvalue near 1, and a start lives three
times as long as the others.

## Adding two numbers, a hundred steps apart

Does a long-lived gradient help? Here is a task that needs it. A network reads 100 pairs: a random number
between 0 and 1, and a mark that is 1 in two of the steps, one in each half, and 0 elsewhere. At the end it
has to say the sum of the two marked numbers. Who always answers 1 has a mean squared error of $\frac16 =
0.167$.

We train on sequences of 10, then 25, 50 and 100 steps, a **curriculum** (课程学习). Without it the LSTM also
gets there, after a thousand steps or more, or not: a lottery with the start. The plain network has the same
curriculum and as many hidden numbers, 32, at the LSTM's learning rate and at its own best one. In the last
150 steps the rate falls to zero.

One more number is worth knowing. Who remembers only one of the two, and guesses ½ for the other, has an
error of $\frac1{12} = 0.083$.
*/

typedef struct {
    bool gated; // LSTM, or a plain network
    Lstm lstm;
    Rnn rnn;
    Linear answer;
    Parameters parameters;
} Adder;

static Adder *adder_new(Arena *arena, bool gated, Rng *rng)
{
    enum { HIDDEN = 32 };
    Adder *a = arena_zeros(arena, 1, sizeof *a);
    a->gated = gated, a->parameters = parameters_new(arena);
    if (gated)
        a->lstm = lstm_new(&a->parameters, "lstm", 2, HIDDEN, rng, 1.0f);
    else
        a->rnn = rnn_new(&a->parameters, "rnn", 2, HIDDEN, rng, RNN_TANH);
    a->answer = linear_new(&a->parameters, "answer", HIDDEN, 1, rng, INIT_GLOROT);
    return a;
}

// x (B·T × 2) → (B × 1)
static Tensor *adder_answers(const Adder *a, Tape *tape, Matrix x, Sequences shape)
{
    Tensor *in = tape_input(tape, x);
    Tensor *states = a->gated ? lstm_states(&a->lstm, in, shape, NULL) : rnn_states(&a->rnn, in, shape, NULL);
    return linear(&a->answer, last_steps(states, shape));
}

static void draw_sums(Matrix x, Matrix sums, Rng *rng, Sequences shape)
{
    fill(sums, 0.0f);
    for (int b = 0; b < shape.batch; b++) {
        int half = shape.time / 2;
        int marked[2] = {(int)rng_below(rng, (uint32_t)half), half + (int)rng_below(rng, (uint32_t)half)};
        for (int t = 0; t < shape.time; t++) {
            int r = b * shape.time + t;
            AT(x, r, 0) = rng_uniform(rng);
            AT(x, r, 1) = t == marked[0] || t == marked[1] ? 1.0f : 0.0f;
            sums.data[b] += AT(x, r, 0) * AT(x, r, 1);
        }
    }
}

enum {
    STAGES = 4,
    ADDING_BATCH = 32,
    ADDING_STEPS = 700,
    FINISH = 150
}; // the rate falls over the last 150 steps
static const int stage_times[STAGES] = {10, 25, 50, 100}, stage_steps[STAGES] = {200, 150, 100, 250};

// Trains through the curriculum; errors (ADDING_STEPS) receives the error of each step. Returns that of 1000 new sequences.
static double train_adder(Lesson *lesson, bool gated, float rate, float *errors)
{
    Arena *arena = lesson_arena(lesson);
    ArenaMark mark = arena_mark(arena);
    Rng start = lesson_rng(lesson, 200), rng = lesson_rng(lesson, 201);
    Adder *adder = adder_new(arena, gated, &start);
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
            errors[step] = loss->value.data[0];
            lesson_progress(lesson, gated ? "LSTM adds" : "RNN adds", step + 1, ADDING_STEPS,
                            (double)errors[step]);
        }
    }
    Sequences test = {1000, 100};
    Matrix x = matrix_new(arena, sequences_rows(test), 2), sums = matrix_new(arena, test.batch, 1);
    draw_sums(x, sums, &rng, test);
    tape_reset(tape);
    tape_record(tape, false);
    double error = (double)mean_squared_error_forward(adder_answers(adder, tape, x, test)->value, sums);
    tape_free(tape);
    arena_rewind(arena, mark);
    return error;
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

static void adding(Lesson *lesson)
{
    section(lesson, "Adding two numbers, a hundred steps apart");
    enum { RUNS = 3 };
    const struct {
        const char *name;
        bool gated;
        float rate;
    } runs[RUNS] = {{"plain RNN, rate 0.01", false, 1e-2f},
                    {"plain RNN, rate 0.002", false, 2e-3f},
                    {"LSTM, rate 0.01", true, 1e-2f}};
    float errors[RUNS][ADDING_STEPS];
    double error[RUNS];
    printf("mean squared error on 1000 new sequences of 100 steps\n%-24s 0.1667\n", "always 1");
    for (int r = 0; r < RUNS; r++) {
        error[r] = train_adder(lesson, runs[r].gated, runs[r].rate, errors[r]);
        printf("%-24s %.4f\n", runs[r].name, error[r]);
    }
    printf("\n");
    claim(lesson, error[0] >= 0.12,
          "the plain network, trained like the LSTM, does not solve it: an error of at least 0.12");
    claim(lesson, error[1] >= 0.075,
          "at its own best rate it remembers one of the two numbers at most (1/12 = 0.083)");
    claim(lesson, error[2] <= 0.01, "the LSTM solves it: an error of at most 0.01");

    Plot *plot = plot_begin(lesson, "adding.png", "Adding two marked numbers");
    plot_axes(plot, "training step", "mean squared error (mean of 20 steps)");
    plot_log(plot, "y");
    plot_range_y(plot, 1e-3, 3.0);
    for (int r = 0; r < RUNS; r++) {
        smooth(errors[r], ADDING_STEPS, 20);
        plot_line(plot, runs[r].name, NULL, errors[r], ADDING_STEPS);
    }
    plot_horizontal(plot, "always 1", 1.0 / 6.0);
    for (int stage = 1, step = 0; stage < STAGES; stage++) {
        char label[32];
        snprintf(label, sizeof label, "%d steps", stage_times[stage]);
        step += stage_steps[stage - 1];
        plot_vertical(plot, label, step);
    }
    plot_end(
        plot,
        "Each vertical line makes the sequences longer. The LSTM carries over what it has learned; the plain "
        "network falls back to answering 1.");
}

/*
"A plain recurrent network cannot learn this" is what we would have said after the first line. With its own
learning rate some starts get to 0.09 (`make chapter14 ARGS="--seed 2"`): they keep the number of the second
half, which is nearer, and lose that of the first. None of the starts that we tried kept both.

## Characters are not bytes

Now to texts. A network reads numbers, so every character becomes one. Which characters? In **UTF-8** (UTF-8
编码) an English letter is one byte and a Chinese character three. A model of *bytes* would have to learn,
before anything else, which three bytes may follow each other. We number *characters* instead: the distinct
ones of a text, sorted, are its alphabet.
*/

static void alphabets(Lesson *lesson, Text novels)
{
    section(lesson, "Characters are not bytes");
    Arena *arena = lesson_arena(lesson);
    Poems poems = poems_load(arena);
    Text texts[] = {novels, poems_text(arena, poems)};
    const char *const names[] = {"Jane Austen", "409 Chinese poems"};
    bool same = true;
    printf("text                     bytes  characters  alphabet\n");
    for (int i = 0; i < 2; i++) {
        size_t length;
        Alphabet alphabet = alphabet_of(arena, texts[i]);
        const int *ids = alphabet_encode(arena, alphabet, texts[i], &length);
        same = same && text_equal(alphabet_decode(arena, alphabet, ids, length), texts[i]);
        printf("%-20s %9zu   %9zu   %7d\n", names[i], texts[i].size, length, alphabet.size);
    }
    Text line = poems.poems[0].lines[0];
    size_t length;
    Alphabet alphabet = alphabet_of(arena, texts[1]);
    const int *ids = alphabet_encode(arena, alphabet, line, &length);
    printf("\n%.*s  as numbers:", (int)line.size, line.bytes);
    for (size_t i = 0; i < length; i++) printf(" %d", ids[i]);
    printf("\n\n");
    claim(lesson, same, "decoding gives back every byte of both texts");
}

/*
## Counting

Before we train anything: how well does plain counting predict the next character? An **n-gram model** (n
元语法模型) looks at the $n - 1$ characters before and asks what followed them in the training text. The trouble
is contexts that were never seen, or seen twice. The answer of Witten and Bell is to mix with the shorter
context, and to let the *number of different* followers decide how much:

$$P_n(x \mid \text{context}) = \frac{\text{count}(\text{context}, x) + d \cdot P_{n-1}(x \mid \text{shorter context})}{\text{count}(\text{context}) + d},$$

where $d$ is how many different characters have followed this context. After "q" only "u" has followed: $d$
is 1, and the counts are trusted. We measure in **bits per character** (每字符比特数): the mean of $-\log_2 P$ of
what really came next. A model that knows nothing needs $\log_2 80 = 6.3$.
*/

enum { MOST_ORDER = 4 };

// counts[n][context of n − 1 characters and the next one, as one number with the alphabet's size as base]
typedef struct {
    int alphabet;
    uint32_t *counts[MOST_ORDER + 1];  // [alphabetⁿ]
    uint32_t *totals[MOST_ORDER + 1];  // [alphabetⁿ⁻¹] how often the context was seen
    uint32_t *follows[MOST_ORDER + 1]; // [alphabetⁿ⁻¹] how many different characters followed
} Ngrams;

static Ngrams count_ngrams(Arena *arena, const int *ids, size_t length, int alphabet)
{
    Ngrams g = {.alphabet = alphabet};
    size_t contexts = 1; // of n − 1 characters
    for (int n = 1; n <= MOST_ORDER; n++, contexts *= (size_t)alphabet) {
        g.counts[n] = arena_zeros(arena, contexts * (size_t)alphabet, sizeof(uint32_t));
        g.totals[n] = arena_zeros(arena, contexts, sizeof(uint32_t));
        g.follows[n] = arena_zeros(arena, contexts, sizeof(uint32_t));
        size_t context = 0;
        for (size_t t = 0; t < length; t++) {
            if (t >= (size_t)n - 1) {
                g.totals[n][context]++;
                g.follows[n][context] += g.counts[n][context * (size_t)alphabet + (size_t)ids[t]]++ == 0;
            }
            context = (context * (size_t)alphabet + (size_t)ids[t]) % contexts;
        }
    }
    return g;
}

// P(ids[t] | the order − 1 characters before it)
static double ngram_probability(const Ngrams *g, int order, const int *ids, size_t t)
{
    double p = 1.0 / g->alphabet;
    for (int n = 1; n <= order; n++) {
        size_t context = 0;
        for (size_t k = t - (size_t)n + 1; k < t; k++)
            context = context * (size_t)g->alphabet + (size_t)ids[k];
        double count = g->counts[n][context * (size_t)g->alphabet + (size_t)ids[t]];
        double total = g->totals[n][context], different = g->follows[n][context];
        if (total > 0.0) p = (count + different * p) / (total + different);
    }
    return p;
}

/*
The six novels have four million characters. The last twentieth is held out. Of it we score 32 pieces of 640
characters, each behind 50 that only give the context, so that all models see the same.
*/

enum { PIECES = 32, LEAD = 50, SCORED = 640, PIECE = LEAD + SCORED };

typedef struct {
    Alphabet alphabet;
    const int *training, *held_out;
    size_t training_length;
} Corpus;

static double ngram_bits(const Ngrams *g, int order, const int *held_out)
{
    double bits = 0.0;
    for (int p = 0; p < PIECES; p++)
        for (int t = LEAD; t < PIECE; t++)
            bits -=
                (double)log32((float)ngram_probability(g, order, held_out + (size_t)p * PIECE, (size_t)t));
    return bits / (PIECES * SCORED) / 0.6931471805599453;
}

static void counting(Lesson *lesson, Corpus corpus, double *bits)
{
    section(lesson, "Counting");
    Arena *scratch = arena_new();
    Ngrams g = count_ngrams(scratch, corpus.training, corpus.training_length, corpus.alphabet.size);
    const char *const names[] = {"", "single characters", "bigram", "trigram", "4-gram"};
    printf("trained on %zu characters    bits per character\n", corpus.training_length);
    for (int n = 1; n <= MOST_ORDER; n++) {
        bits[n] = ngram_bits(&g, n, corpus.held_out);
        printf("%-32s %10.3f\n", names[n], bits[n]);
    }
    printf("\n");
    arena_free(scratch);
    claim(lesson, bits[4] < bits[3] && bits[3] < bits[2] && bits[2] < bits[1],
          "each further character of context helps");
}

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

static void train_reader(Lesson *lesson, Reader *r, Corpus corpus, int steps, float *bits)
{
    Arena *arena = lesson_arena(lesson);
    Optimiser optimiser = adam_new(arena, &r->parameters, 0.9f, 0.999f, 1e-8f, 0.0f);
    RecurrentState state = recurrent_state_new(arena, STRIPS, HIDDEN);
    Sequences shape = {STRIPS, CUT};
    Tape *tape = tape_new();
    int ids[STRIPS * CUT], labels[STRIPS * CUT];
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
        optimiser_step(&optimiser, cosine_schedule(1e-2f, step, 50, steps));
        lesson_progress(lesson, "reading", step + 1, steps, (double)loss->value.data[0] / 0.6931471805599453);
        if ((step + 1) % (steps / MEASURED) == 0)
            bits[(step + 1) / (steps / MEASURED) - 1] = (float)held_out_bits(r, tape, corpus.held_out);
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

static void write_on(Lesson *lesson, const Reader *r, Alphabet alphabet, const char *beginning,
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
    Text text = alphabet_decode(arena, alphabet, ids, LENGTH);
    printf("temperature %.1f:\n", (double)temperature);
    for (size_t from = 0; from < text.size;) { // broken at blanks
        size_t width = text.size - from < 96 ? text.size - from : 96;
        while (from + width < text.size && width > 1 && text.bytes[from + width - 1] != ' ') width--;
        printf("    %.*s\n", (int)width, text.bytes + from);
        from += width;
    }
}

static void reading(Lesson *lesson, const Reader *reader, Corpus corpus, const double *counted,
                    const float *bits, int steps)
{
    section(lesson, "Reading letter by letter");
    double trained = (double)bits[MEASURED - 1];
    printf("%zu parameters, %d steps of %d characters\n\n", parameters_size(&reader->parameters), steps,
           STRIPS * CUT);
    printf("bits per character    bigram %.3f, trigram %.3f, 4-gram %.3f, LSTM %.3f\n\n", counted[2],
           counted[3], counted[4], trained);
    claim(lesson, trained <= counted[3] - 0.15,
          "the LSTM needs at least 0.15 bits per character less than the trigram");
    claim(lesson, trained < counted[4], "and less than the 4-gram, which has read all of the training text");

    float when[MEASURED];
    for (int k = 0; k < MEASURED; k++) when[k] = (float)((k + 1) * (steps / MEASURED));
    Plot *plot = plot_begin(lesson, "bits.png", "Jane Austen, letter by letter");
    plot_axes(plot, "training step", "bits per character, held out");
    plot_line_points(plot, "LSTM", when, bits, MEASURED);
    const char *const names[] = {"bigram", "trigram", "4-gram"};
    for (int n = 2; n <= MOST_ORDER; n++) plot_horizontal(plot, names[n - 2], counted[n]);
    plot_end(
        plot,
        "The LSTM against counting. The n-grams have read the whole training text, the LSTM a part of it.");

    printf("\n");
    write_on(lesson, reader, corpus.alphabet, "It is a truth ", 0.5f);
    write_on(lesson, reader, corpus.alphabet, "It is a truth ", 1.0f);
}

/*
The words are mostly words and the sentences are none. That is what two bits a character sound like:
spelling, the commas, a rhythm; no sense. The lower temperature plays safe and repeats itself, the higher
one invents.

How good is it, honestly? It beats the 4-gram, which has read the whole training text, after reading four
fifths of it once. With 600 steps instead of 1500 it did not (2.33 bits). Trained for twelve times as long
(`make chapter14 FULL=1`, four minutes more on one core) it needs 1.79 bits, and writes "She felt the rest
of the first week and the world, and Mrs. Jennings's arrival". The Transformer of chapter 20 will be
measured against this.

## What do the gates do?

We let the trained network read a sentence and look at its forget gates. Some stay near 1: their cells keep
what they hold over a whole sentence. Others open and close with the letters.
*/

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void gates(Lesson *lesson, const Reader *reader, Corpus corpus)
{
    section(lesson, "What do the gates do?");
    enum { SHOWN = 12 };
    const char *sentence = "She was not afraid of being in love.";
    Arena *arena = lesson_arena(lesson);
    size_t length;
    const int *ids = alphabet_encode(arena, corpus.alphabet, text_of(sentence), &length);
    int steps = (int)length;
    Matrix x = matrix_new(arena, steps, EMBEDDED), h = matrix_new(arena, steps + 1, HIDDEN);
    Matrix c = matrix_new(arena, steps + 1, HIDDEN), gate = matrix_new(arena, steps, 4 * HIDDEN);
    embedding_forward(x, reader->characters.table->value, ids);
    Cell cell = {EMBEDDED, HIDDEN, reader->lstm.weight->value, reader->lstm.recurrent->value,
                 reader->lstm.bias->value};
    for (int t = 0; t < steps; t++)
        cell_forward(cell, matrix_row(h, t + 1), matrix_row(c, t + 1), matrix_row(gate, t), matrix_row(x, t),
                     matrix_row(h, t), matrix_row(c, t));

    struct {
        float kept;
        int cell;
    } order[HIDDEN]; // by the mean of the forget gate
    float at_blank = 0.0f, elsewhere = 0.0f;
    int blanks = 0;
    for (int t = 0; t < steps; t++) blanks += sentence[t] == ' ';
    for (int k = 0; k < HIDDEN; k++) {
        order[k].kept = 0.0f, order[k].cell = k;
        for (int t = 0; t < steps; t++) {
            float open = AT(gate, t, HIDDEN + k) / HIDDEN;
            order[k].kept += open * HIDDEN / (float)steps;
            *(sentence[t] == ' ' ? &at_blank : &elsewhere) +=
                open / (float)(sentence[t] == ' ' ? blanks : steps - blanks);
        }
    }
    qsort(order, HIDDEN, sizeof *order, by_size);
    printf("mean of the forget gate: %.3f in the most forgetful of %d cells, %.3f in the middle, %.3f in the "
           "most faithful\n",
           (double)order[0].kept, HIDDEN, (double)order[HIDDEN / 2].kept, (double)order[HIDDEN - 1].kept);
    printf("mean over all cells: %.3f where a blank is read, %.3f elsewhere\n\n", (double)at_blank,
           (double)elsewhere);
    claim(lesson, order[HIDDEN - 1].kept >= 0.95f && order[0].kept <= 0.5f,
          "one cell keeps at least 95 %% in each step, another at most half: long and short memories side by "
          "side");

    Matrix picture = matrix_new(arena, SHOWN, steps);
    const char *rows[SHOWN], **columns = arena_alloc(arena, length, sizeof *columns);
    for (int r = 0; r < SHOWN; r++) {
        int k = order[HIDDEN - 1 - r * (HIDDEN - 1) / (SHOWN - 1)].cell;
        char name[32];
        snprintf(name, sizeof name, "cell %d", k);
        rows[r] = arena_string(arena, name);
        for (int t = 0; t < steps; t++) AT(picture, r, t) = AT(gate, t, HIDDEN + k);
    }
    for (int t = 0; t < steps; t++) columns[t] = text_string(arena, (Text){sentence + t, 1});
    Plot *plot = plot_begin(lesson, "gates.png", "The forget gate of twelve cells while the LSTM reads");
    plot_cells(plot, picture, rows, columns, -1);
    plot_end(plot,
             "Dark: kept; white: forgotten. From the most faithful cell (top) to the most forgetful one.");
}

/*
Where a blank is read the gates close a little more than elsewhere: a word is over, and its letters may go.

## Is it a good review?

The last task is to judge a whole text: 4000 reviews of food to learn from, 1000 to test, half a page each;
was it five stars, "great", or fewer? Two out of three are great, so who always says so is right in 65.8 %.

The honest baseline is a **bag of words** (词袋模型): logistic regression with one input for each of the 3000
most frequent words, 1 when the review has it. It knows nothing of their order. The LSTM reads the first 64
known words; the mean of its states, or its last state, goes to one sigmoid.
*/

enum { WORDS = 3000, BAG_TIME = 256, LSTM_TIME = 64, REVIEW_BATCH = 50 };

typedef struct {
    int count;
    int **words;   // [count][lengths[i]] numbers of known words, in order
    int *lengths;  // at most BAG_TIME
    Matrix labels; // (count × 1) 1: great
} Bags;

// The words of a text: small letters and apostrophes. Tags, and everything else, separate.
static Text *words_of(Arena *arena, Text text, int *count)
{
    char *plain = text_string(arena, text);
    bool tag = false;
    for (char *c = plain; *c; c++) {
        tag = *c == '<' || (tag && *c != '>');
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 'a' - 'A');
        if (tag || !((*c >= 'a' && *c <= 'z') || *c == '\'')) *c = ' ';
    }
    return text_split(arena, text_collapse_blanks(arena, text_of(plain)), " ", count);
}

static int by_letters(const void *a, const void *b)
{
    const Text *x = a, *y = b;
    int order = memcmp(x->bytes, y->bytes, x->size < y->size ? x->size : y->size);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

typedef struct {
    Text word;
    int times;
} Counted;

static int by_times(const void *a, const void *b)
{
    const Counted *x = a, *y = b;
    return x->times != y->times ? y->times - x->times : by_letters(&x->word, &y->word);
}

// The most frequent words of all texts, sorted by their letters
static Text *vocabulary_of(Arena *arena, Reviews reviews)
{
    Text **words = arena_alloc(arena, (size_t)reviews.count, sizeof *words), *all;
    int *counts = arena_alloc(arena, (size_t)reviews.count, sizeof *counts), total = 0, distinct = 0;
    for (int i = 0; i < reviews.count; i++) {
        words[i] = words_of(arena, reviews.texts[i], &counts[i]);
        total += counts[i];
    }
    all = arena_alloc(arena, (size_t)total, sizeof *all);
    total = 0;
    for (int i = 0; i < reviews.count; i++)
        for (int k = 0; k < counts[i]; k++) all[total++] = words[i][k];
    qsort(all, (size_t)total, sizeof *all, by_letters);
    Counted *counted = arena_alloc(arena, (size_t)total, sizeof *counted);
    for (int k = 0; k < total; k++) {
        if (k == 0 || !text_equal(all[k], all[k - 1])) counted[distinct++] = (Counted){all[k], 0};
        counted[distinct - 1].times++;
    }
    qsort(counted, (size_t)distinct, sizeof *counted, by_times);
    for (int k = 0; k < WORDS; k++) all[k] = counted[k].word;
    qsort(all, WORDS, sizeof *all, by_letters);
    return all;
}

static Bags bags_of(Arena *arena, Reviews reviews, const Text *vocabulary)
{
    size_t count = (size_t)reviews.count;
    Bags bags = {reviews.count, arena_alloc(arena, count, sizeof(int *)),
                 arena_alloc(arena, count, sizeof(int)), matrix_new(arena, reviews.count, 1)};
    for (int i = 0; i < reviews.count; i++) {
        int found;
        const Text *words = words_of(arena, reviews.texts[i], &found);
        bags.words[i] = arena_alloc(arena, BAG_TIME, sizeof(int));
        bags.lengths[i] = 0;
        bags.labels.data[i] = (float)reviews.great[i];
        for (int k = 0; k < found && bags.lengths[i] < BAG_TIME; k++) {
            const Text *known = bsearch(&words[k], vocabulary, WORDS, sizeof *vocabulary, by_letters);
            if (known) bags.words[i][bags.lengths[i]++] = (int)(known - vocabulary);
        }
    }
    return bags;
}

/*
All three models have the same form: look up something for each word, let it (or an LSTM) make numbers, and
take a *weighted sum over the steps* of each review. That sum is a product with a matrix of weights: ones at
the first occurrence of each word for the bag, $1/\text{length}$ everywhere for the mean, a single one at
the end for the last state.
*/

typedef enum { BAG, LSTM_MEAN, LSTM_LAST } Judging;

typedef struct {
    Judging kind;
    Embedding table; // (WORDS × 1) for the bag: one weight a word
    Lstm lstm;
    Linear verdict;
    Parameters parameters;
} Judge;

static Judge *judge_new(Arena *arena, Judging kind, Rng *rng)
{
    enum { WIDTH = 32 };
    Judge *j = arena_zeros(arena, 1, sizeof *j);
    j->kind = kind, j->parameters = parameters_new(arena);
    j->table = embedding_new(&j->parameters, "words", WORDS, kind == BAG ? 1 : WIDTH, rng,
                             kind == BAG ? 0.0f : 0.3f);
    if (kind != BAG) j->lstm = lstm_new(&j->parameters, "lstm", WIDTH, WIDTH, rng, 1.0f);
    j->verdict = linear_new(&j->parameters, "verdict", kind == BAG ? 1 : WIDTH, 1, rng, INIT_GLOROT);
    if (kind == BAG) fill(j->verdict.weight->value, 1.0f);
    return j;
}

// Scores of the reviews chosen (REVIEW_BATCH × 1): above 0 is great
static Tensor *judge_scores(const Judge *j, Tape *tape, Bags bags, const int *chosen)
{
    int time = j->kind == BAG ? BAG_TIME : LSTM_TIME;
    Sequences shape = {REVIEW_BATCH, time};
    Arena *arena = tape_arena(tape);
    Matrix weights = matrix_new(arena, REVIEW_BATCH, sequences_rows(shape));
    int *ids = arena_zeros(arena, (size_t)sequences_rows(shape),
                           sizeof *ids); // behind the end: any word, with weight 0
    for (int b = 0; b < REVIEW_BATCH; b++) {
        const int *words = bags.words[chosen[b]];
        int length = int_min(bags.lengths[chosen[b]], time);
        for (int t = 0; t < length; t++) {
            ids[b * time + t] = words[t];
            bool again = false;
            for (int s = 0; s < t && j->kind == BAG; s++) again = again || words[s] == words[t];
            AT(weights, b, b * time + t) = j->kind == BAG         ? (again ? 0.0f : 1.0f)
                                           : j->kind == LSTM_MEAN ? 1.0f / (float)length
                                                                  : (t == length - 1 ? 1.0f : 0.0f);
        }
    }
    Tensor *numbers = embed(tape, &j->table, ids, sequences_rows(shape));
    if (j->kind != BAG) numbers = lstm_states(&j->lstm, numbers, shape, NULL);
    return linear(&j->verdict, product(tape_input(tape, weights), numbers));
}

static double judged_right(const Judge *j, Tape *tape, Bags bags)
{
    int right = 0, chosen[REVIEW_BATCH];
    tape_record(tape, false);
    for (int first = 0; first < bags.count; first += REVIEW_BATCH) {
        for (int b = 0; b < REVIEW_BATCH; b++) chosen[b] = first + b;
        tape_reset(tape);
        Matrix scores = judge_scores(j, tape, bags, chosen)->value;
        for (int b = 0; b < REVIEW_BATCH; b++)
            right += (scores.data[b] > 0.0f) == (bags.labels.data[first + b] > 0.5f);
    }
    tape_record(tape, true);
    tape_reset(tape);
    return (double)right / bags.count;
}

typedef struct {
    const char *name;
    Judging kind;
    int epochs;
    float rate, weight_decay;
} JudgeRun;

static Judge *train_judge(Lesson *lesson, JudgeRun run, Bags training, Tape *tape)
{
    Arena *arena = lesson_arena(lesson);
    Rng start = lesson_rng(lesson, 500), rng = lesson_rng(lesson, 501);
    Judge *judge = judge_new(arena, run.kind, &start);
    Optimiser optimiser = adam_new(arena, &judge->parameters, 0.9f, 0.999f, 1e-8f, run.weight_decay);
    int *order = arena_alloc(arena, (size_t)training.count, sizeof *order),
        steps = training.count / REVIEW_BATCH;
    Matrix labels = matrix_new(arena, REVIEW_BATCH, 1);
    for (int epoch = 0; epoch < run.epochs; epoch++) {
        rng_permutation(&rng, order, training.count);
        for (int step = 0; step < steps; step++) {
            const int *chosen = order + step * REVIEW_BATCH;
            gather_rows(labels, training.labels, chosen);
            tape_reset(tape);
            Tensor *loss = binary_cross_entropy(judge_scores(judge, tape, training, chosen), labels);
            backward(loss);
            clip_gradients(&judge->parameters, 1.0f);
            optimiser_step(&optimiser, run.rate);
            lesson_progress(lesson, run.name, epoch * steps + step + 1, run.epochs * steps,
                            (double)loss->value.data[0]);
        }
    }
    return judge;
}

static void print_telling_words(const Judge *bag, const Text *vocabulary)
{
    enum { SHOWN = 8 };
    Matrix weights = bag->table.table->value;
    bool used[WORDS] = {false};
    for (int sign = -1; sign <= 1; sign += 2) {
        printf(sign < 0 ? "speak against it:" : "speak for it:    ");
        for (int n = 0; n < SHOWN; n++) {
            int best = -1;
            for (int k = 0; k < WORDS; k++)
                if (!used[k] &&
                    (best < 0 || (float)sign * weights.data[k] > (float)sign * weights.data[best]))
                    best = k;
            used[best] = true;
            printf(" %.*s", (int)vocabulary[best].size, vocabulary[best].bytes);
        }
        printf("\n");
    }
}

static void judging(Lesson *lesson)
{
    section(lesson, "Is it a good review?");
    Arena *arena = lesson_arena(lesson);
    ReviewSet reviews = reviews_load(arena);
    Text *vocabulary = vocabulary_of(arena, reviews.train);
    Bags training = bags_of(arena, reviews.train, vocabulary),
         test = bags_of(arena, reviews.test, vocabulary);
    enum { RUNS = 3 };
    const JudgeRun runs[RUNS] = {{"bag of words", BAG, 4, 5e-3f, 1e-3f},
                                 {"LSTM, mean of its states", LSTM_MEAN, 3, 5e-3f, 0.0f},
                                 {"LSTM, last state", LSTM_LAST, 3, 5e-3f, 0.0f}};
    double right[RUNS];
    Tape *tape = tape_new();
    printf("share judged right            training    test\nalways great                     %.3f   %.3f\n",
           mean(training.labels), mean(test.labels));
    for (int r = 0; r < RUNS; r++) {
        Judge *judge = train_judge(lesson, runs[r], training, tape);
        right[r] = judged_right(judge, tape, test);
        printf("%-32s %.3f   %.3f\n", runs[r].name, judged_right(judge, tape, training), right[r]);
        if (runs[r].kind == BAG) print_telling_words(judge, vocabulary);
    }
    tape_free(tape);
    printf("\n");
    claim(lesson, right[1] >= 0.73, "the LSTM judges at least 73 %% of the reviews right");
}

/*
The LSTM knows the order of the words and the bag does not; and the bag is better than the better of the two
LSTMs, in each of five seeds, by 0.7 to 3 points (the standard error of one such share is 1.3 points). With 4000 examples the order of words is
more than can be learned, and "delicious" says enough. All three know their training reviews far better than
new ones. What would help is to learn the language first, from texts without labels: chapter 19 tries.

## The lesson, from end to end
*/

static Corpus corpus_of(Arena *arena, Text novels)
{
    Text text = text_collapse_blanks(arena, novels);
    Corpus corpus = {.alphabet = alphabet_of(arena, text)};
    size_t length;
    corpus.training = alphabet_encode(arena, corpus.alphabet, text, &length);
    corpus.training_length = length / 20 * 19;
    corpus.held_out = corpus.training + corpus.training_length;
    check(length - corpus.training_length >= PIECES * PIECE, "is the set austen whole?",
          "the text is too short");
    return corpus;
}

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "14-lstm", "LSTM");
    Arena *arena = lesson_arena(lesson);
    check_the_cell(lesson);
    how_long(lesson);
    adding(lesson);

    Text novels = austen_load(arena);
    alphabets(lesson, novels);
    Corpus corpus = corpus_of(arena, novels);
    double counted[MOST_ORDER + 1];
    counting(lesson, corpus, counted);
    Rng rng = lesson_rng(lesson, 300);
    Reader *reader = reader_new(arena, corpus.alphabet.size, &rng);
    int steps = lesson_full(lesson) ? 18000 : 1500;
    float bits[MEASURED];
    train_reader(lesson, reader, corpus, steps, bits);
    reading(lesson, reader, corpus, counted, bits, steps);
    gates(lesson, reader, corpus);
    judging(lesson);
    return lesson_end(lesson);
}

/*
## What to take along

- A cell to which each step adds, and which is multiplied by nothing but the forget gate, lets a gradient
  live as long as that gate is open. The bias of the forget gate decides how long; at 0 it is shorter than
  in a plain network.
- Truncated backpropagation carries the state through a text of any length, and the gradient as far as the
  cut.
- Compare with counting, and with a bag of words. Both are hard to beat with little data, and both are quick
  to write.
- A character is not a byte.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade14` tells how far you are,
`make hint14` helps.

- **TASK 14.1** the bias that halves a cell in so many steps.
- **TASK 14.2** one step of the cell.
- **TASK 14.3** its gradient.
- **TASK 14.4** clipping, also of a gradient that has exploded.
- **TASK 14.5** a bigram model by Witten and Bell.

And without a computer, or with five minutes at one:

1. Cut after 8 steps instead of 64. What can the model still learn, now that the state is carried further
   than the gradient? Begin every piece with a state of zeros as well: what changes now?
2. What if the forget gate is taken away (always 1)? What if the output gate is?
3. Train the adder without its curriculum, with five seeds. How many of them get there in 1300 steps?
4. Let the reader read the poems, with `alphabet_frequent`. 35 656 characters are not many: what do you see
   on the training text, and what on poems that were held out?
5. Read the review backwards. Does the last state become better or worse, and why might it?
*/
