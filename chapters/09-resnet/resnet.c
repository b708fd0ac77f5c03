/*
# Deep is hard: ResNet

If one hidden layer is good, fifty should be better. Each layer can build on what the one before has found:
edges, then sleeves, then shirts. Nothing in chapter 7 stands in the way: the tape does not care how many
layers there are.

And yet, for almost thirty years nobody could train such a network. In this chapter we stack layers until it
breaks, and measure *where* it breaks. What we find is a number, the factor by which each layer multiplies a
signal. Fifty factors of 0.7 are $10^{-8}$; fifty factors of 1.4 are $10^{7}$. Everything that makes deep
networks work keeps that number at one:

- the **initialisation** (初始化) of Xavier Glorot and of Kaiming He;
- **layer normalisation** (层归一化), which we write out with its derivative;
- the **residual connection** (残差连接), after which a ResNet is named.

You need chapters 6 and 7. The tape does the derivatives.
*/

#include "base/mathf.h"
#include "learning/optim.h"
#include "files/idx.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/nn.h"

#include <stdlib.h>

/*
## A tower of layers

All networks of this chapter have the same shape. The first layer takes 784 pixels to 64 numbers, the last
takes 64 numbers to ten scores, and between them stands a tower of layers from 64 to 64. We build three
kinds of tower. With $h$ for the 64 numbers that enter a layer and $f$ for a weighted sum with a bend behind
it:

- **plain**: $h \leftarrow f(h)$, what we know;
- **residual**: $h \leftarrow h + f(h)$, the layer adds to what is there;
- **pre-norm residual**: $h \leftarrow h + f(\mathrm{norm}(h))$, the same with a normalisation in front.

The weights of a layer with $n$ inputs are drawn with deviation $g / \sqrt n$. The **gain** (增益) $g$ is
the knob that we will turn.
*/

typedef enum { PLAIN, RESIDUAL, RESIDUAL_NORM } Kind;

enum { WIDTH = 64, CLASSES = 10, MAX_DEPTH = 64 };

typedef struct {
    Kind kind;
    int depth; // linear layers, first and last included
    Linear layers[MAX_DEPTH];
    LayerNorm norms[MAX_DEPTH];
    Parameters parameters;
} Tower;

static Tower *tower_new(Arena *arena, Kind kind, int depth, float gain, Rng *rng)
{
    Tower *t = arena_zeros(arena, 1, sizeof *t);
    t->kind = kind, t->depth = depth, t->parameters = parameters_new(arena);
    for (int l = 0; l < depth; l++) {
        int inputs = l == 0 ? 784 : WIDTH, outputs = l == depth - 1 ? CLASSES : WIDTH;
        t->layers[l] = linear_new(&t->parameters, layer_name(&t->parameters, "layer", "", l), inputs, outputs,
                                  rng, INIT_ZERO);
        fill_normal(t->layers[l].weight->value, rng, 0.0f,
                    (l == depth - 1 ? 1.0f : gain) / sqrtf((float)inputs));
        if (kind == RESIDUAL_NORM && l > 0)
            t->norms[l] = layer_norm_new(&t->parameters, layer_name(&t->parameters, "norm", "", l), WIDTH);
    }
    return t;
}

// x (N × 784) → scores (N × 10); hidden, when given, receives what leaves each layer but the last
static Tensor *tower_scores(const Tower *t, Tape *tape, Matrix x, Tensor **hidden)
{
    Tensor *h = linear_relu(&t->layers[0], tape_input(tape, x));
    if (hidden) hidden[0] = h;
    for (int l = 1; l < t->depth - 1; l++) {
        Tensor *entering = t->kind == RESIDUAL_NORM ? layer_normalise(&t->norms[l], h) : h;
        Tensor *leaving = linear_relu(&t->layers[l], entering);
        h = t->kind == PLAIN ? leaving : tensor_add(h, leaving);
        if (hidden) hidden[l] = h;
    }
    if (t->kind == RESIDUAL_NORM) h = layer_normalise(&t->norms[t->depth - 1], h);
    return linear(&t->layers[t->depth - 1], h);
}

/*
## How far does a gradient reach?

Before any training, we ask one question of a fresh tower: how large is the gradient of its *first* layer?
That layer sees the pixels; if no gradient arrives there, it can never learn, and everything above it works
with noise.

What should we expect? Take a plain tower. A weighted sum of $n$ numbers with weights of deviation $g/\sqrt
n$ has, on average, $g^2$ times the mean square of what came in. The bend then throws the negative half
away, and with it half of the square. So each layer multiplies the square by $g^2/2$, and the size by
$g/\sqrt2$. On the way back the same argument holds with the same factor. For a tower of $L$ layers,

$$\lVert \nabla_{\text{first}} \rVert \;\propto\; \Big( \frac{g}{\sqrt 2} \Big)^{L}.$$

Only $g = \sqrt 2$ keeps the size; this is **He's initialisation**. With $g = 1$ (close to **Glorot's**,
which was made for another bend) the factor is 0.71, with $g = 2$ it is 1.41. We measure with one batch of
256 pictures, and take the median of five towers.
*/

typedef struct {
    Lesson *lesson;
    Matrix pixels; // (256 × 784)
    const int *labels;
} Probe;

// By layer: the norm of the gradient of its weights, and that of the error signal, the gradient of what leaves it
typedef struct {
    double weights[MAX_DEPTH], errors[MAX_DEPTH];
} Norms;

static Norms gradient_norms(Probe probe, const Tower *t)
{
    Norms norms = {0};
    Tape *tape = tape_new();
    Tensor *hidden[MAX_DEPTH];
    backward(cross_entropy(tower_scores(t, tape, probe.pixels, hidden), probe.labels));
    for (int l = 0; l < t->depth; l++) norms.weights[l] = norm(t->layers[l].weight->gradient);
    for (int l = 0; l < t->depth - 1; l++) norms.errors[l] = norm(hidden[l]->gradient);
    tape_free(tape);
    return norms;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// The median over five towers of the gradient norm of the first layer
static double first_gradient(Probe probe, Kind kind, int depth, float gain)
{
    enum { TOWERS = 5 };
    Arena *arena = lesson_arena(probe.lesson);
    double firsts[TOWERS];
    for (int k = 0; k < TOWERS; k++) {
        ArenaMark mark = arena_mark(arena);
        Rng rng = lesson_rng(probe.lesson, 100 + (uint64_t)k);
        firsts[k] = gradient_norms(probe, tower_new(arena, kind, depth, gain, &rng)).weights[0];
        arena_rewind(arena, mark);
    }
    qsort(firsts, TOWERS, sizeof *firsts, by_size);
    return firsts[TOWERS / 2];
}

enum { DEPTHS = 5 };
static const int depths[DEPTHS] = {4, 8, 16, 32, 64};

static void measure_row(double *row, Probe probe, const char *name, Kind kind, float gain)
{
    printf("%-26s", name);
    for (int d = 0; d < DEPTHS; d++) {
        row[d] = first_gradient(probe, kind, depths[d], gain);
        printf("%10.2g", row[d]);
    }
    printf("\n");
}

// The factor for each layer between depth 4 and depth 64
static double factor_of(const double *row)
{
    return (double)exp32(log32((float)(row[DEPTHS - 1] / row[0])) / 60.0f);
}

enum { ROWS = 7 };
static const char *const row_names[ROWS] = {"plain, gain 0.25",     "plain, gain 1", "plain, gain 1.41 (He)",
                                            "plain, gain 2",        "plain, gain 3", "residual, He",
                                            "pre-norm residual, He"};

static void print_depths(void)
{
    printf("layers                    ");
    for (int d = 0; d < DEPTHS; d++) printf("%10d", depths[d]);
    printf("\n");
}

static void how_far(Probe probe, double table[ROWS][DEPTHS])
{
    Lesson *lesson = probe.lesson;
    section(lesson, "How far does a gradient reach?");
    const float gains[] = {0.25f, 1.0f, 1.41421356f, 2.0f, 3.0f};
    printf("gradient norm of the first layer\n");
    print_depths();
    for (int r = 0; r < 5; r++) measure_row(table[r], probe, row_names[r], PLAIN, gains[r]);
    printf("\nfactor for each layer: gain 1 %.3f (theory 0.707), gain 2 %.3f (theory 1.414)\n\n",
           factor_of(table[1]), factor_of(table[3]));
    claim(lesson, table[1][4] / table[1][0] <= 1e-6,
          "at gain 1 the gradient falls by more than 1,000,000 between 4 and 64 layers");
    claim(lesson, table[3][4] / table[3][0] >= 1e6, "at gain 2 it grows by more than 1,000,000");
    claim(lesson, fabs(factor_of(table[1]) - 0.707) < 0.1 && fabs(factor_of(table[3]) - 1.414) < 0.15,
          "the factors for each layer are those of the theory, to 0.15");
    claim(lesson, table[0][4] == 0.0, "at gain 0.25 and 64 layers it is exactly 0: too small for a float32");
}

/*
A popular sentence says that gradients in deep networks vanish. They do, or they explode; which of the two
is decided by one number that we choose before training. On the edge between the two they do neither. How
thin is that edge? We draw the **error signal** (误差信号), the gradient of the hidden numbers, in every
layer of towers with many different gains.
*/

static void draw_the_edge(Probe probe)
{
    Lesson *lesson = probe.lesson;
    section(lesson, "The edge of a knife");
    enum { GAINS = 41, LAYERS = 64 };
    Arena *arena = lesson_arena(lesson);
    Matrix map = matrix_new(arena, LAYERS - 1, GAINS);
    int alive = 0;
    for (int k = 0; k < GAINS; k++) {
        ArenaMark mark = arena_mark(arena);
        Rng rng = lesson_rng(lesson, 200);
        Norms norms = gradient_norms(
            probe, tower_new(arena, PLAIN, LAYERS, 0.7f + 1.6f * (float)k / (GAINS - 1), &rng));
        alive += norms.weights[0] > 1e-3 && norms.weights[0] < 1e3;
        for (int l = 0; l < LAYERS - 1; l++) // the power of ten, from −8 to 8
            AT(map, l, k) =
                fminf(8.0f, fmaxf(-8.0f,
                                  norms.errors[l] > 0.0 ? log32((float)norms.errors[l]) / 2.302585f : -8.0f));
        arena_rewind(arena, mark);
        lesson_progress(lesson, "64-layer towers", k + 1, GAINS, NAN);
    }
    Plot *plot =
        plot_begin(lesson, "edge.png", "Error signal in each layer of a 64-layer tower, as a power of ten");
    plot_axes(plot, "gain", "layer (0 sees the pixels)");
    plot_heatmap(plot, (PlotWindow){0.7, 2.3, 0.0, LAYERS - 2.0}, map);
    plot_vertical(plot, "√2", 1.41421356);
    plot_legend(plot, "outside");
    plot_end(plot, "Every column is one tower; the error enters at the top and runs down. On the left it "
                   "fades, on the right it swells. The "
                   "strip between them narrows with every layer.");

    Rng rng = lesson_rng(lesson, 201);
    Norms norms = gradient_norms(probe, tower_new(arena, PLAIN, LAYERS, 1.0f, &rng));
    double low = norms.weights[1], high = low;
    for (int l = 1; l < LAYERS - 1; l++)
        low = fmin(low, norms.weights[l]), high = fmax(high, norms.weights[l]);
    printf("%d of %d towers have a first gradient between 0.001 and 1000\n\n", alive, GAINS);
    printf("a tower of 64 at gain 1    layer 1   layer 31   layer 62\n");
    printf("error signal            %10.1e %10.1e %10.1e\n", norms.errors[1], norms.errors[31],
           norms.errors[62]);
    printf("gradient of the weights %10.1e %10.1e %10.1e\n\n", norms.weights[1], norms.weights[31],
           norms.weights[62]);
    claim(lesson, norms.errors[62] >= 1e6 * norms.errors[1],
          "at gain 1 the error signal fades by more than 1,000,000 on its way down");
    claim(lesson, high <= 100.0 * low,
          "and yet the gradients of the weights are about equal in all layers (within a factor of 100)");
}

/*
The last two rows hold a surprise. The usual story says that the *lower* layers receive no gradient while
the upper ones learn. For the error signal that is so. But the gradient of a weight is input times error,
and the inputs fade on their way *up* at the same rate at which the errors fade on their way *down*. The
product is the same in every layer: at the bottom a clear input meets a faint error, at the top a faint
input meets a clear error. A dead tower is dead from the first to the last layer.

## Adding instead of replacing

Here is another idea. A plain layer must pass on, through its own weights, everything that the layers above
will ever need. Let it rather *add* to what is there:

$$h \leftarrow h + f(h).$$

A layer with nothing to say can now be silent ($f = 0$), and the signal passes. On the way back, the sum has
slope 1 towards both of its inputs: the gradient runs down the tower on a road of its own, past all the
weights.

That is the usual explanation, and it is half of the truth. Let us measure it.
*/

static void only_adding(Probe probe, double table[ROWS][DEPTHS])
{
    Lesson *lesson = probe.lesson;
    section(lesson, "Adding instead of replacing");
    printf("gradient norm of the first layer\n");
    print_depths();
    measure_row(table[5], probe, row_names[5], RESIDUAL, 1.41421356f);
    printf("\n");
    claim(lesson, table[5][4] / table[5][0] >= 1e6, "residual connections alone make the gradient explode");
}

/*
What went wrong? Adding keeps the old signal *and* puts a new one of the same size on top. The mean square
doubles in each layer, and with the part that both have in common it more than doubles. Sixty layers
multiply it by more than $2^{60}$. The road past the weights is fine; it is the traffic that grows.

## Normalisation

So each layer should receive a signal of a known size, whatever has piled up on the road. **Layer
normalisation** takes the 64 numbers of one example, subtracts their mean $\mu$ and divides by their
deviation $\sigma$; two learned vectors, a gain $\gamma$ and a bias $\beta$, may then undo it where that is
useful:

$$\hat h = \frac{h - \mu}{\sigma}, \qquad y = \gamma \odot \hat h + \beta .$$

Its derivative is worth doing once by hand. All 64 outputs depend on each input, through $\mu$ and $\sigma$.
Let $d$ be the gradient that arrives at $\hat h$. Moving all of $h$ by the same amount changes nothing, so
the gradient can have no mean; stretching $h$ changes nothing, so it can have no part along $\hat h$. What
is left is $d$ with both parts taken out, divided by $\sigma$:

$$d_h = \frac1\sigma \big( d - \mathrm{mean}(d) - \hat h \cdot \mathrm{mean}(d \odot \hat h) \big).$$
*/

// One row, C numbers: y = (h − μ) / σ ⊙ gain + bias, and from d_y back to d_h (both C)
static void normalise_in_loops(float *y, float *d_h, const float *h, const float *d_y, const float *gain,
                               const float *bias, int c)
{
    float mean_h = 0.0f, square = 0.0f;
    for (int j = 0; j < c; j++) mean_h += h[j] / (float)c;
    for (int j = 0; j < c; j++) square += (h[j] - mean_h) * (h[j] - mean_h) / (float)c;
    float deviation = sqrtf(square + 1e-5f); // the small number protects rows that are all equal

    float mean_d = 0.0f, along = 0.0f;
    for (int j = 0; j < c; j++) {
        float normal = (h[j] - mean_h) / deviation, d = d_y[j] * gain[j];
        y[j] = normal * gain[j] + bias[j];
        mean_d += d / (float)c;
        along += d * normal / (float)c;
    }
    for (int j = 0; j < c; j++)
        d_h[j] = (d_y[j] * gain[j] - mean_d - (h[j] - mean_h) / deviation * along) / deviation;
}

static void check_normalisation(Lesson *lesson)
{
    section(lesson, "Normalisation");
    enum { ROWS_HERE = 7, COLUMNS = 13 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 1);
    Parameters set = parameters_new(arena);
    LayerNorm layer = layer_norm_new(&set, "norm", COLUMNS);
    fill_normal(layer.gain->value, &rng, 1.0f, 0.3f);
    fill_normal(layer.bias->value, &rng, 0.0f, 0.3f);
    Matrix h = matrix_new(arena, ROWS_HERE, COLUMNS), d_y = matrix_new(arena, ROWS_HERE, COLUMNS);
    Matrix y = matrix_new(arena, ROWS_HERE, COLUMNS), d_h = matrix_new(arena, ROWS_HERE, COLUMNS);
    fill_normal(h, &rng, 3.0f, 2.0f);
    fill_normal(d_y, &rng, 0.0f, 1.0f);
    for (int i = 0; i < ROWS_HERE; i++)
        normalise_in_loops(matrix_row(y, i), matrix_row(d_h, i), matrix_row(h, i), matrix_row(d_y, i),
                           layer.gain->value.data, layer.bias->value.data, COLUMNS);

    Tape *tape = tape_new();
    Tensor *variable = tape_variable(tape, h), *fast = layer_normalise(&layer, variable);
    backward_from(fast, d_y);
    float apart = largest_difference(fast->value, y), d_apart = largest_difference(variable->gradient, d_h);

    double mean_left = 0.0, along_left = 0.0; // before the gain, the two parts that must be missing
    for (int i = 0; i < ROWS_HERE; i++) {
        double total = 0.0, inner = 0.0;
        for (int j = 0; j < COLUMNS; j++) {
            total += (double)AT(d_h, i, j);
            inner += (double)AT(d_h, i, j) *
                     (double)((AT(y, i, j) - layer.bias->value.data[j]) / layer.gain->value.data[j]);
        }
        mean_left = fmax(mean_left, fabs(total));
        along_left = fmax(along_left, fabs(inner));
    }
    printf("values apart by %s, gradients apart by %s\n\n", apart <= 1e-5f ? "less than 1e-5" : "too much",
           d_apart <= 1e-5f ? "less than 1e-5" : "too much");
    claim(lesson, apart <= 1e-5f && d_apart <= 1e-5f,
          "plain loops and the library agree on the normalisation and its gradient");
    claim(lesson, mean_left <= 1e-4 && along_left <= 1e-4,
          "its gradient has no mean and no part along the signal");
    tape_free(tape);
}

/*
## Both together

Now the third kind of tower. The road carries the sum of everything, growing as it likes; in front of every
layer the normalisation hands it a signal of size one. So each layer adds about as much as every other: the
road grows like $\sqrt L$ and not like $2^{L/2}$.
*/

static void both_together(Probe probe, double table[ROWS][DEPTHS])
{
    Lesson *lesson = probe.lesson;
    section(lesson, "Both together");
    printf("gradient norm of the first layer\n");
    print_depths();
    measure_row(table[6], probe, row_names[6], RESIDUAL_NORM, 1.41421356f);
    double low = table[6][0], high = low;
    for (int d = 1; d < DEPTHS; d++) low = fmin(low, table[6][d]), high = fmax(high, table[6][d]);
    printf("\n");
    claim(
        lesson, high <= 4.0 * low,
        "with normalised residual layers the first gradient stays within a factor of 4 from 4 to 64 layers");

    Plot *plot = plot_begin(lesson, "depth.png", "The gradient that reaches the first layer");
    plot_axes(plot, "layers", "gradient norm of the first layer");
    plot_log(plot, "xy");
    plot_legend(plot, "outside");
    float x[DEPTHS], y[ROWS][DEPTHS];
    for (int r = 0; r < ROWS; r++) {
        for (int d = 0; d < DEPTHS; d++)
            x[d] = (float)depths[d], y[r][d] = table[r][d] > 0.0 ? (float)table[r][d] : NAN;
        plot_line_points(plot, row_names[r], x, y[r], DEPTHS);
    }
    plot_range_y(plot, 1e-14, 1e16);
    plot_end(plot, "Seven kinds of tower, before any training. One line is flat because a number was chosen "
                   "exactly; one is flat by construction.");
}

/*
## Fifty layers

A gradient that arrives is not yet a network that learns. So we train five towers on the 60 000 pieces of
clothing: minibatches of 128, a learning rate that warms up for 50 steps and then falls along a cosine,
three epochs. The optimiser is Adam, which divides each gradient by its own typical size; the tower at gain
1 is also trained with momentum, which does not. One of the towers has only four layers: it is the honest
baseline, for who needs fifty?
*/

typedef struct {
    Matrix x;
    const int *labels;
} Examples;

static double test_accuracy(const Tower *t, Tape *tape, Examples test)
{
    enum { CHUNK = 500 };
    double right = 0.0;
    tape_record(tape, false);
    for (int first = 0; first < test.x.rows; first += CHUNK) {
        tape_reset(tape);
        int count = int_min(CHUNK, test.x.rows - first);
        right += count * accuracy(tower_scores(t, tape, matrix_rows(test.x, first, count), NULL)->value,
                                  test.labels + first);
    }
    tape_record(tape, true);
    tape_reset(tape);
    return right / test.x.rows;
}

enum { BATCH = 128, WARM_UP = 50, CURVE = 60 };

typedef struct {
    const char *name;
    Kind kind;
    int depth;
    float gain, rate;
    bool momentum; // descent with momentum instead of Adam
} Run;

// Trains; curve receives the mean loss over each sixtieth of the run. Returns the test accuracy.
static double train(Lesson *lesson, Run run, Examples training, Examples test, float *curve)
{
    Arena *arena = lesson_arena(lesson);
    Rng start = lesson_rng(lesson, 3), rng = lesson_rng(lesson, 2);
    Tower *t = tower_new(arena, run.kind, run.depth, run.gain, &start);
    Optimiser optimiser = run.momentum ? momentum_new(arena, &t->parameters, 0.9f, 0.0f)
                                       : adam_new(arena, &t->parameters, 0.9f, 0.999f, 1e-8f, 0.0f);
    int epochs = lesson_full(lesson) ? 10 : 3, per_epoch = training.x.rows / BATCH,
        steps = epochs * per_epoch;
    int labels[BATCH], *order = arena_alloc(arena, (size_t)training.x.rows, sizeof(int));
    Matrix x = matrix_new(arena, BATCH, training.x.cols);
    Tape *tape = tape_new();
    int counted[CURVE] = {0};
    for (int k = 0; k < CURVE; k++) curve[k] = 0.0f;
    for (int step = 0; step < steps; step++) {
        if (step % per_epoch == 0) rng_permutation(&rng, order, training.x.rows);
        const int *chosen = order + step % per_epoch * BATCH;
        gather_rows(x, training.x, chosen);
        for (int i = 0; i < BATCH; i++) labels[i] = training.labels[chosen[i]];
        tape_reset(tape);
        Tensor *loss = cross_entropy(tower_scores(t, tape, x, NULL), labels);
        backward(loss);
        optimiser_step(&optimiser, cosine_schedule(run.rate, step, WARM_UP, steps));
        int k = step * CURVE / steps;
        curve[k] += (loss->value.data[0] - curve[k]) / (float)++counted[k];
        lesson_progress(lesson, run.name, step + 1, steps, (double)loss->value.data[0]);
    }
    double right = test_accuracy(t, tape, test);
    printf("%-34s loss %.3f at the end, %5.2f %% of the test right\n", run.name, (double)curve[CURVE - 1],
           100.0 * right);
    tape_free(tape);
    return right;
}

static void fifty_layers(Lesson *lesson, Examples training, Examples test)
{
    section(lesson, "Fifty layers");
    enum { RUNS = 5 };
    const float he = 1.41421356f;
    const Run runs[RUNS] = {{"plain, 4 layers, He", PLAIN, 4, he, 1e-3f, false},
                            {"plain, 50 layers, gain 1, momentum", PLAIN, 50, 1.0f, 0.05f, true},
                            {"plain, 50 layers, gain 1", PLAIN, 50, 1.0f, 1e-3f, false},
                            {"plain, 50 layers, He", PLAIN, 50, he, 1e-3f, false},
                            {"pre-norm residual, 50 layers, He", RESIDUAL_NORM, 50, he, 2e-3f, false}};
    float curves[RUNS][CURVE], when[CURVE];
    double right[RUNS];
    for (int k = 0; k < CURVE; k++)
        when[k] = ((float)k + 0.5f) * (lesson_full(lesson) ? 10.0f : 3.0f) / CURVE;
    for (int r = 0; r < RUNS; r++) {
        ArenaMark mark = arena_mark(lesson_arena(lesson));
        right[r] = train(lesson, runs[r], training, test, curves[r]);
        arena_rewind(lesson_arena(lesson), mark);
    }
    printf("\n");
    claim(lesson, right[1] <= 0.15, "fifty plain layers at gain 1, trained with momentum, stay at chance");
    claim(lesson, right[3] >= 0.30 && right[3] <= right[4] - 0.02,
          "fifty plain layers with He's gain learn, but at least 2 points worse than residual ones");
    claim(lesson, right[4] >= 0.865, "fifty normalised residual layers reach at least 86.5 %%");

    Plot *plot = plot_begin(lesson, "training.png", "Five towers learn, or not");
    plot_axes(plot, "epoch", "training loss");
    plot_range_y(plot, 0.2, 3.4);
    for (int r = 0; r < RUNS; r++) // the two at gain 1 lie on each other: one is dashed
        (r == 2 ? plot_dashed : plot_line)(plot, runs[r].name, when, curves[r], CURVE);
    plot_end(plot, "At gain 1 the loss never leaves log 10, the loss of a guess. With He's gain it comes "
                   "down late and stays behind.");
}

/*
A second popular sentence says that fifty plain layers cannot be trained. At gain 1 and with momentum that
is what we see, chance to the last digit: where the gradient is $10^{-8}$, no number of such steps leads
anywhere. Adam enlarges the steps, and still most starts end at chance; but not all of them, `make chapter9
ARGS="--seed 5"` shows one that got away. With He's gain the sentence is false: the tower learns, slowly and
badly. The residual tower learns well.

And the honest baseline? Four layers do about as well as fifty. For clothes of 28 × 28 pixels in a tower
without any notion of a picture there is nothing that depth could be good for; chapters 10 and 11 give it
something. What the shortcut buys here is not a better network but the *permission* to be deep.

## Why does the edge not suffice?

On the edge, with He's gain, the gradient arrives at the first layer in the right size. Why does the plain
tower learn so badly? Size is not everything. Let us send 256 different pictures through fresh towers and
ask how different they still are after each layer: the cosine of the angle between the hidden numbers of two
pictures, averaged over pairs; we take the median of nine towers. At 1, all pictures look the same.
*/

static void what_is_left(Probe probe)
{
    Lesson *lesson = probe.lesson;
    section(lesson, "Why does the edge not suffice?");
    enum { LAYERS = 50, PAIRS = 128, TOWERS = 9 };
    const Kind kinds[] = {PLAIN, RESIDUAL_NORM};
    Arena *arena = lesson_arena(lesson);
    double cosines[2][LAYERS - 1][TOWERS];
    float alike[2][LAYERS - 1], differ[2][LAYERS - 1], numbers[LAYERS - 1];
    for (int k = 0; k < 2 * TOWERS; k++) {
        ArenaMark mark = arena_mark(arena);
        Rng rng = lesson_rng(lesson, 300 + (uint64_t)(k / 2));
        Tower *t = tower_new(arena, kinds[k % 2], LAYERS, 1.41421356f, &rng);
        Tape *tape = tape_new();
        tape_record(tape, false);
        Tensor *hidden[MAX_DEPTH];
        tower_scores(t, tape, probe.pixels, hidden);
        for (int l = 0; l < LAYERS - 1; l++) {
            double total = 0.0;
            for (int p = 0; p < PAIRS; p++) {
                Matrix a = matrix_rows(hidden[l]->value, 2 * p, 1),
                       b = matrix_rows(hidden[l]->value, 2 * p + 1, 1);
                total += dot(a, b) / (norm(a) * norm(b) + 1e-30);
            }
            cosines[k % 2][l][k / 2] = total / PAIRS;
        }
        tape_free(tape);
        arena_rewind(arena, mark);
    }
    for (int l = 0; l < LAYERS - 1; l++) {
        numbers[l] = (float)(l + 1);
        for (int k = 0; k < 2; k++) {
            qsort(cosines[k][l], TOWERS, sizeof(double), by_size);
            alike[k][l] = (float)cosines[k][l][TOWERS / 2];
            differ[k][l] = 1.0f - alike[k][l];
        }
    }
    printf("cosine between two pictures\nafter layer            1     10     25     49\n");
    printf("plain, He        %7.3f%7.3f%7.3f%7.3f\n", (double)alike[0][0], (double)alike[0][9],
           (double)alike[0][24], (double)alike[0][48]);
    printf("pre-norm residual%7.3f%7.3f%7.3f%7.3f\n\n", (double)alike[1][0], (double)alike[1][9],
           (double)alike[1][24], (double)alike[1][48]);
    claim(lesson, alike[0][48] >= 0.97f,
          "after 49 plain layers, two pictures differ by a cosine of at most 0.03");
    claim(lesson, 1.0f - alike[1][48] >= 2.0f * (1.0f - alike[0][48]),
          "the residual tower keeps at least twice as much of the difference");

    Plot *plot = plot_begin(lesson, "alike.png", "What is left of the difference between two pictures");
    plot_axes(plot, "after layer", "1 − cosine between two pictures");
    plot_log(plot, "y");
    plot_line(plot, "plain, He", numbers, differ[0], LAYERS - 1);
    plot_line(plot, "pre-norm residual, He", numbers, differ[1], LAYERS - 1);
    plot_end(plot, "A plain tower preserves the size of the signal and loses what it is about.");
}

/*
Each bend maps the pictures a little closer together, and with fifty bends in a row a shoe and a shirt
arrive as nearly the same numbers. The last layers are asked to tell apart what they cannot see, and the
gradient, of perfect size, says nothing. A residual tower keeps the picture on its road.

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    enum { PROBED = 256 };
    Lesson *lesson = lesson_begin(argc, argv, "09-resnet", "Deep is hard: ResNet");
    Arena *arena = lesson_arena(lesson);
    ImageSet clothes = fashion_mnist_load(arena);
    float mean_pixel, deviation;
    image_statistics(clothes.train, &mean_pixel, &deviation);
    Examples training = {image_matrix(arena, clothes.train, mean_pixel, deviation), clothes.train_labels};
    Examples test = {image_matrix(arena, clothes.test, mean_pixel, deviation), clothes.test_labels};
    Probe probe = {lesson, matrix_rows(training.x, 0, PROBED), training.labels};

    double table[ROWS][DEPTHS];
    how_far(probe, table);
    draw_the_edge(probe);
    only_adding(probe, table);
    check_normalisation(lesson);
    both_together(probe, table);
    fifty_layers(lesson, training, test);
    what_is_left(probe);
    return lesson_end(lesson);
}

/*
## What to take along

- Each layer multiplies signals and gradients by a factor. Away from one, depth turns it into nothing or
  infinity, exponentially, at the rate that the theory gives.
- He's gain makes the factor one on average. It keeps the size; it does not keep what the signal is about.
- Adding instead of replacing keeps the signal, but alone it explodes. With a normalisation in front of each
  layer, any depth is as good as any other.
- That a network can be deep does not mean that it should be. Compare with a shallow one.

Every large model that you have heard of is a tower of normalised residual layers: from chapter 17 on, what
stands inside the brackets will change, and $h \leftarrow h + f(\mathrm{norm}(h))$ will not.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade9` tells how far you are,
`make hint9` helps.

- **TASK 9.1** the gain that keeps the size of a signal for a leaky bend.
- **TASK 9.2** layer normalisation, forwards.
- **TASK 9.3** layer normalisation, backwards, to be measured: it must hold for rows far from zero.
- **TASK 9.4** a tower of normalised residual layers, forwards.
- **TASK 9.5** the gradient through such a tower down to its input.

And without a computer, or with five minutes at one:

1. Which gain does $\tanh$ need near zero? Why is 1 a good answer there and a bad one for ReLU?
2. Divide each residual branch by $\sqrt L$ and leave the normalisation out. What does the theory say about
   the growth? Try it.
3. Put the normalisation *behind* the sum, $h \leftarrow \mathrm{norm}(h + f(h))$, as the first Transformers
   had it. What happens to the road?
4. Draw the edge with $\tanh$ instead of ReLU. Why is the right half so different?
5. A tower of 50 layers whose weights are all zero: what does each of the three kinds compute, and which of
   them can learn?
*/
