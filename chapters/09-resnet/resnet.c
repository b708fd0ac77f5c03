/*
# Deep is hard: ResNet

If one hidden layer is good, fifty should be better. Each layer can build on what the one before has found:
edges, then sleeves, then shirts. Nothing in chapter 7 stands in the way: the tape does not care how many
layers there are.

And yet, for almost thirty years nobody could train such a network; Sepp Hochreiter showed why in 1991. In
this chapter we stack layers until it breaks, and measure *where* it breaks. What we find is a number, the
factor by which each layer multiplies a signal. Fifty factors of 0.7 are $10^{-8}$; fifty factors of 1.4 are
$10^{7}$. Three inventions keep that number at one:

- the **initialisation** (初始化) of Xavier Glorot (2010) and of Kaiming He (2015);
- **layer normalisation** (层归一化; Ba, Kiros and Hinton 2016), which we write out with its derivative;
- the **residual connection** (残差连接; He and others 2016), after which a ResNet is named.

None of the three is enough alone. We predict what each of them does to a signal, measure it, and then train.
You need [chapter 6](../06-mlp-backprop/README.md) and [chapter 7](../07-autograd/README.md). The tape does the
derivatives.
*/

#include "base/mathf.h"
#include "learning/optim.h"
#include "files/idx.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/nn.h"

#include <stdlib.h>

/*
## A stack of layers

All networks of this chapter have the same shape. The first layer takes 784 pixels to 64 numbers, the last
takes 64 numbers to ten scores, and between them lies a stack of layers from 64 to 64. There are four kinds.
With $h$ for the 64 numbers that enter a layer and $f$ for a weighted sum with its activation, ReLU:

- **plain**: $h \leftarrow f(h)$, what we know;
- **normalised**: $h \leftarrow f(\mathrm{norm}(h))$, with a normalisation in front of each layer;
- **residual**: $h \leftarrow h + f(h)$, the layer adds to what is there;
- **pre-norm residual**: $h \leftarrow h + f(\mathrm{norm}(h))$, both.

The weights of a layer with $n$ inputs are drawn with deviation $g / \sqrt n$. The **gain** (增益) $g$ is
the knob that we will turn. Biases begin at zero.
*/

typedef enum { PLAIN, NORM, RESIDUAL, RESIDUAL_NORM } Kind;

enum { WIDTH = 64, WIDE = 256, CLASSES = 10, MAX_DEPTH = 64 };

static const float HE = 1.41421356f; // He's gain, √2
static const double PI = 3.14159265358979;

typedef struct {
    Kind kind;
    int depth; // linear layers, first and last included
    Linear layers[MAX_DEPTH];
    LayerNorm norms[MAX_DEPTH];
    Parameters parameters;
} Network;

static bool is_normalised(Kind kind) { return kind == NORM || kind == RESIDUAL_NORM; }
static bool is_residual(Kind kind) { return kind == RESIDUAL || kind == RESIDUAL_NORM; }

static Network *network_new(Arena *arena, Kind kind, int depth, int width, float gain, Rng *rng)
{
    Network *net = arena_zeros(arena, 1, sizeof *net);
    net->kind = kind, net->depth = depth, net->parameters = parameters_new(arena);
    Parameters *set = &net->parameters;
    for (int l = 0; l < depth; l++) {
        bool last = l == depth - 1;
        int inputs = l == 0 ? 784 : width, outputs = last ? CLASSES : width;
        net->layers[l] = linear_new(set, layer_name(set, "layer", "", l), inputs, outputs, rng, INIT_ZERO);
        fill_normal(net->layers[l].weight->value, rng, 0.0f, (last ? 1.0f : gain) / sqrtf((float)inputs));
        if (is_normalised(kind) && l > 0)
            net->norms[l] = layer_norm_new(set, layer_name(set, "norm", "", l), width);
    }
    return net;
}

// x (N × 784) → scores (N × 10); hidden, when given, receives what leaves each layer but the last
static Tensor *network_scores(const Network *net, Tape *tape, Matrix x, Tensor **hidden)
{
    Tensor *h = linear_relu(&net->layers[0], tape_input(tape, x));
    if (hidden) hidden[0] = h;
    for (int l = 1; l < net->depth - 1; l++) {
        Tensor *entering = is_normalised(net->kind) ? layer_normalise(&net->norms[l], h) : h;
        Tensor *leaving = linear_relu(&net->layers[l], entering);
        h = is_residual(net->kind) ? tensor_add(h, leaving) : leaving;
        if (hidden) hidden[l] = h;
    }
    if (is_normalised(net->kind)) h = layer_normalise(&net->norms[net->depth - 1], h);
    return linear(&net->layers[net->depth - 1], h);
}

/*
## How far does a gradient reach?

Before any training, we ask one question of a fresh network: how large is the gradient of its *first* layer?
That layer sees the pixels; if no gradient arrives there, it can never learn, and everything above it works
with noise.

What should we expect? Take a plain network. A weighted sum of $n$ numbers with weights of deviation $g/\sqrt
n$ has, on average, $g^2$ times the mean square of what came in. ReLU then throws the negative half away, and
with it half of the square. So each layer multiplies the square by $g^2/2$, and the size by $g/\sqrt2$. On
the way back the same argument holds with the same factor. For a network of $L$ layers,

$$\lVert \nabla_{\text{first}} \rVert \;\propto\; \Big( \frac{g}{\sqrt 2} \Big)^{L}.$$

Only $g = \sqrt 2$ keeps the size; this is **He's initialisation**. With $g = 1$ (close to **Glorot's**,
which was made for another activation, tanh) the factor is 0.71, with $g = 2$ it is 1.41. We measure with one
batch of 256 images, and take the median of 15 networks.
*/

typedef struct {
    Lesson *lesson;
    Matrix pixels; // (256 × 784)
    const int *labels;
} Probe;

// By layer: the norms of the gradients of its weights and biases, and of the error signal: the gradient of what leaves it
typedef struct {
    double weights[MAX_DEPTH], biases[MAX_DEPTH], errors[MAX_DEPTH];
} Norms;

static Norms gradient_norms(Probe probe, const Network *net)
{
    Norms norms = {0};
    Tape *tape = tape_new();
    Tensor *hidden[MAX_DEPTH];
    Tensor *scores = network_scores(net, tape, probe.pixels, hidden);
    for (int l = 0; l < net->depth - 1; l++) tensor_keep_gradient(hidden[l]);
    backward(cross_entropy(scores, probe.labels));
    for (int l = 0; l < net->depth; l++) {
        norms.weights[l] = norm(net->layers[l].weight->gradient);
        norms.biases[l] = norm(net->layers[l].bias->gradient);
        if (l < net->depth - 1) norms.errors[l] = norm(hidden[l]->gradient);
    }
    tape_free(tape);
    return norms;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_size);
    return values[count / 2];
}

// What we compare: a kind of network, and its first gradient at each depth
enum { DEPTHS = 5, SHALLOWEST = 0, DEEPEST = DEPTHS - 1 };
static const int depths[DEPTHS] = {4, 8, 16, 32, 64};

typedef struct {
    const char *name;
    Kind kind;
    int width;
    float gain;
    double first[DEPTHS]; // gradient norm of the first layer, the median over networks
} Row;

static void measure_row(Row *row, Probe probe)
{
    enum { NETWORKS = 15 };
    Arena *arena = lesson_arena(probe.lesson);
    printf("%-26s", row->name);
    for (int d = 0; d < DEPTHS; d++) {
        double firsts[NETWORKS];
        for (int k = 0; k < NETWORKS; k++) {
            ArenaMark mark = arena_mark(arena);
            Rng rng = lesson_rng(probe.lesson, 100 + (uint64_t)k);
            Network *net = network_new(arena, row->kind, depths[d], row->width, row->gain, &rng);
            firsts[k] = gradient_norms(probe, net).weights[0];
            arena_rewind(arena, mark);
        }
        row->first[d] = median(firsts, NETWORKS);
        printf("%10.2g", row->first[d]);
    }
    printf("\n");
}

static double growth(Row row) { return row.first[DEEPEST] / row.first[SHALLOWEST]; }

// The factor for each layer between depth 4 and depth 64
static double factor(Row row) { return (double)exp32(log32((float)growth(row)) / 60.0f); }

static bool within(double measured, double theory, double tolerance)
{
    return fabs(measured / theory - 1.0) <= tolerance;
}

static void print_depths(void)
{
    printf("gradient norm of the first layer\nlayers                    ");
    for (int d = 0; d < DEPTHS; d++) printf("%10d", depths[d]);
    printf("\n");
}

typedef struct {
    Row quarter, one, he, two, three; // plain, by gain
    Row residual, norm, both;
} Table;

static Table how_far(Probe probe)
{
    Lesson *lesson = probe.lesson;
    section(lesson, "How far does a gradient reach?");
    Table t = {.quarter = {"plain, gain 0.25", PLAIN, WIDTH, 0.25f, {0}},
               .one = {"plain, gain 1", PLAIN, WIDTH, 1.0f, {0}},
               .he = {"plain, gain 1.41 (He)", PLAIN, WIDTH, HE, {0}},
               .two = {"plain, gain 2", PLAIN, WIDTH, 2.0f, {0}},
               .three = {"plain, gain 3", PLAIN, WIDTH, 3.0f, {0}},
               .residual = {"residual, He", RESIDUAL, WIDTH, HE, {0}},
               .norm = {"normalised, He", NORM, WIDTH, HE, {0}},
               .both = {"pre-norm residual, He", RESIDUAL_NORM, WIDTH, HE, {0}}};
    print_depths();
    measure_row(&t.quarter, probe);
    measure_row(&t.one, probe);
    measure_row(&t.he, probe);
    measure_row(&t.two, probe);
    measure_row(&t.three, probe);
    printf("\nfactor for each layer: gain 1 %.3f (theory 0.707), gain 2 %.3f (theory 1.414)\n\n",
           factor(t.one), factor(t.two));
    claim(lesson, growth(t.one) <= 1e-6,
          "at gain 1 the gradient falls by more than 1,000,000 between 4 and 64 layers");
    claim(lesson, growth(t.two) >= 1e6, "at gain 2 it grows by more than 1,000,000");
    claim(lesson, within(factor(t.one), 0.7071, 0.04) && within(factor(t.two), 1.4142, 0.04),
          "the factors for each layer are those of the theory, to 4 %%");
    claim(lesson, t.quarter.first[DEEPEST] == 0.0,
          "at gain 0.25 and 64 layers it is exactly 0: too small for a float32");
    return t;
}

/*
Four per cent sound exact, but $1.04^{60}$ is ten. Both factors are too small by about the same, and the line
of He's gain, which should be level, falls to a sixth. Is the theory wrong?

It speaks of averages. With $n$ numbers in a layer, the square of one network's signal is not multiplied by
exactly $g^2/2$; it wavers around it, with a relative variance of $5/n$. (For a normal $u$, the mean of
$\mathrm{relu}(u)^4$ is $3/2$, and the square of the mean of $\mathrm{relu}(u)^2$ is $1/4$: six times as much,
less one.) A product of wavering factors is *typically* smaller than the product of their means: the logarithm
loses half of the variance. So we expect for the size, which is the root of the square,

$$\text{typical factor} = \frac{g}{\sqrt2}\, e^{-5/(4n)},$$

which is 0.981 times the theory at a width of 64 and 0.995 times at 256 (Hanin and Nica 2018). We measure it where
it is at home, on the error signal of a single image, between the layers 1 and 62 of 90 networks, and of 22 wide ones.
*/

static double typical_factor(float gain, int width)
{
    return (double)(gain / HE * exp32(-1.25f / (float)width));
}

static double error_factor(Probe probe, int width, float gain)
{
    enum { NETWORKS = 90, TOP = MAX_DEPTH - 2 };
    int networks = NETWORKS * WIDTH / width; // wide ones waver less
    Arena *arena = lesson_arena(probe.lesson);
    Probe one_image = {probe.lesson, matrix_rows(probe.pixels, 0, 1), probe.labels};
    double ratios[NETWORKS];
    for (int k = 0; k < networks; k++) {
        ArenaMark mark = arena_mark(arena);
        Rng rng = lesson_rng(probe.lesson, 500 + (uint64_t)k);
        Norms norms = gradient_norms(one_image, network_new(arena, PLAIN, MAX_DEPTH, width, gain, &rng));
        ratios[k] = norms.errors[1] / norms.errors[TOP];
        arena_rewind(arena, mark);
    }
    return (double)exp32(log32((float)median(ratios, networks)) / (TOP - 1));
}

static void a_finite_width(Probe probe)
{
    Lesson *lesson = probe.lesson;
    section(lesson, "Four per cent sound exact");
    const int widths[] = {WIDTH, WIDE};
    double worst = 0.0;
    printf("factor for each layer, He    average   typical   measured\n");
    for (int k = 0; k < 2; k++) {
        double measured = error_factor(probe, widths[k], HE), typical = typical_factor(HE, widths[k]);
        printf("width %3d                %11.3f%10.3f%11.3f\n", widths[k], 1.0, typical, measured);
        worst = fmax(worst, fabs(measured / typical - 1.0));
    }
    printf("\n");
    claim(lesson, worst <= 0.01, "with the correction for the width, both factors are as expected, to 1 %%");
}

/*
The first gradient of a whole batch, in the table above, shrinks by about a hundredth more in each layer. It is
a sum over 256 images, and their parts cancel more and more, the more alike the images become on their way up.
Keep this in mind; at the end of the chapter it will be the main thing.
*/

/*
A popular sentence says that gradients in deep networks vanish. They do, or they explode; which of the two
is decided by one number that we choose before training. On the edge between the two they do neither. How
thin is that edge? We draw the **error signal** (误差信号), the gradient of the hidden numbers, in every
layer of networks with many different gains.
*/

static double power_of_ten(double x) // from −8 to 8
{
    return x > 0.0 ? fmax(-8.0, fmin(8.0, (double)log32((float)x) / 2.302585)) : -8.0;
}

static void draw_the_edge(Probe probe)
{
    Lesson *lesson = probe.lesson;
    section(lesson, "The edge of a knife");
    enum { GAINS = 41, NETWORKS = 5, HIDDEN = MAX_DEPTH - 1 };
    Arena *arena = lesson_arena(lesson);
    Matrix map = matrix_new(arena, HIDDEN, GAINS);
    int alive = 0;
    for (int k = 0; k < GAINS * NETWORKS; k++) {
        ArenaMark mark = arena_mark(arena);
        Rng rng = lesson_rng(lesson, 200 + (uint64_t)(k % NETWORKS));
        float gain = 0.7f + 1.6f * (float)(k / NETWORKS) / (GAINS - 1);
        Norms norms = gradient_norms(probe, network_new(arena, PLAIN, MAX_DEPTH, WIDTH, gain, &rng));
        alive += norms.weights[0] > 1e-3 && norms.weights[0] < 1e3;
        for (int l = 0; l < HIDDEN; l++)
            AT(map, l, k / NETWORKS) +=
                (float)(power_of_ten(norms.errors[l] / norms.errors[HIDDEN - 1]) / NETWORKS);
        arena_rewind(arena, mark);
        lesson_progress(lesson, "64-layer networks", k + 1, GAINS * NETWORKS, NAN);
    }
    Plot *plot =
        plot_begin(lesson, "edge.png", "Error signal of each layer over that of the last, as a power of ten");
    plot_axes(plot, "gain", "layer (0 sees the pixels)");
    plot_heatmap(plot, (PlotWindow){0.7, 2.3, 0.0, HIDDEN - 1.0}, map);
    plot_vertical(plot, "√2", (double)HE);
    plot_legend(plot, "outside");
    plot_end(plot,
             "Every column is a gain, averaged over five networks of 64 layers; the error enters at the "
             "top and runs down. On the left it fades, on the right it swells. The strip between them "
             "narrows with every layer, a little to the right of √2: at width 64 the neutral gain is 1.44.");
    printf("%d of %d networks have a first gradient between 0.001 and 1000\n\n", alive, GAINS * NETWORKS);
}

/*
Now look at one column, gain 1, in all its layers: the error signal, and what the weights and the biases
receive.
*/

static void look_at_one_column(Probe probe)
{
    Lesson *lesson = probe.lesson;
    section(lesson, "One column");
    enum { MIDDLE = 31, LAST = MAX_DEPTH - 2 };
    Rng rng = lesson_rng(lesson, 201);
    Norms norms =
        gradient_norms(probe, network_new(lesson_arena(lesson), PLAIN, MAX_DEPTH, WIDTH, 1.0f, &rng));
    double low = norms.weights[1], high = low;
    for (int l = 1; l <= LAST; l++) low = fmin(low, norms.weights[l]), high = fmax(high, norms.weights[l]);
    printf("64 layers at gain 1        layer 1   layer 31   layer 62\n");
    printf("error signal            %10.1e %10.1e %10.1e\n", norms.errors[1], norms.errors[MIDDLE],
           norms.errors[LAST]);
    printf("gradient of the biases  %10.1e %10.1e %10.1e\n", norms.biases[1], norms.biases[MIDDLE],
           norms.biases[LAST]);
    printf("gradient of the weights %10.1e %10.1e %10.1e\n\n", norms.weights[1], norms.weights[MIDDLE],
           norms.weights[LAST]);
    claim(
        lesson, norms.errors[LAST] >= 1e6 * norms.errors[1] && norms.biases[LAST] >= 1e6 * norms.biases[1],
        "at gain 1 the error signal, and the gradient of the biases with it, fades by more than 1,000,000 on "
        "its way down");
    claim(lesson, high <= 100.0 * low && high <= 1e-6,
          "and yet the gradients of the weights are about equal in all layers (within a factor of 100), and "
          "below 1e-6");
}

/*
The last row holds a surprise. The usual story says that the *lower* layers receive no gradient while the
upper ones learn. For the error signal that is so, and for the biases, whose gradient is the sum of the error
signals. But the gradient of a weight is input times error, and the inputs fade on their way *up* at the same
rate at which the errors fade on their way *down*. The product is the same in every layer: at the bottom a
clear input meets a faint error, at the top a faint input meets a clear error. The weights are dead from the
first layer to the last; only the topmost biases live, and a network of biases says the same of every image.

## Adding instead of replacing

Here is another idea. A plain layer must pass on, through its own weights, everything that the layers above
will ever need. Let it rather *add* to what is there:

$$h \leftarrow h + f(h).$$

A layer with nothing to say can now be silent ($f = 0$), and the signal passes. On the way back, the sum has
slope 1 towards both of its inputs: the gradient runs down along the residual connections, past all the
weights.

That is the usual explanation, and it is half of the truth. What does our factor say? The two parts of the sum
have the same mean square. If they had nothing in common, their sum would have twice as much in each layer, and
what they have in common adds to it: the factor for the size is *at least* $\sqrt2$, worse than at gain 2.
*/

static void only_adding(Probe probe, Table *t)
{
    Lesson *lesson = probe.lesson;
    section(lesson, "Adding instead of replacing");
    print_depths();
    measure_row(&t->residual, probe);
    printf("\nfactor for each layer: %.3f (theory: more than 1.414)\n\n", factor(t->residual));
    claim(lesson, factor(t->residual) >= 1.4142,
          "residual connections alone make the gradient explode, by more than √2 in each layer");
}

/*
The way past the weights is free; but what comes along it grows without end.

## Normalisation

So each layer should receive a signal of a known size, whatever has piled up before it. **Layer
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
        mean_left = fabs(total) > mean_left ? fabs(total) : mean_left;
        along_left = fabs(inner) > along_left ? fabs(inner) : along_left;
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
## Normalising without adding

A signal of a known size in front of every layer: is that not all we wanted? Let us try it without the
residual connections, and predict first. A normalised input has mean square 1, so with He's gain the weighted
sums have mean square 2, and after ReLU a mean square of 1, as it should be. But half-waves have a mean: for
a normal $u$ of variance 2 it is $1/\sqrt\pi$. The normalisation takes it away, $1 - 1/\pi$ is what is left of
the square, and dividing by the root of that enlarges everything else. The gradient, too:

$$\text{factor} = \frac{1}{\sqrt{1 - 1/\pi}} = 1.211 .$$

Whatever gain we take, we get this number, for the normalisation undoes the gain. Sizes cannot grow here, but
gradients do, because small *differences* do. Greg Yang and others (2019) found the same for batch
normalisation.
*/

static void only_normalising(Probe probe, Table *t)
{
    Lesson *lesson = probe.lesson;
    section(lesson, "Normalising without adding");
    print_depths();
    measure_row(&t->norm, probe);
    printf("\nfactor for each layer: %.3f (theory 1.211)\n\n", factor(t->norm));
    claim(lesson, within(factor(t->norm), 1.2111, 0.04),
          "normalisation alone makes the gradient explode, by the factor of the theory to 4 %%");
    claim(lesson, growth(t->norm) >= 1e4, "64 normalised layers have 10,000 times the first gradient of 4");
}

/*
## Both together

Now the fourth kind. The residual connections carry the sum of everything, growing as it likes; in front of
every layer the normalisation hands over a signal of size one. So all layers add about as much as each
other. How does their sum grow? A popular answer is $\sqrt L$, as for independent steps in random directions.
But ReLU's steps are never negative: their mean, $1/\sqrt\pi$ for each number, adds up in a straight line, and
only what they have apart from it, a variance of $1 - 1/\pi$, adds up like a random walk:

$$\text{mean square after } l \text{ layers} = \frac{l^2}{\pi} + l \Big( 1 - \frac1\pi \Big).$$

The next layer does not see the mean, which the normalisation takes away. It sees the deviation, and *that*
grows like $\sqrt l$.
*/

// Root mean square of what leaves each layer, and its deviation from the mean of the example, over the probe's images
static void sizes_by_layer(double *size, double *spread, Probe probe, const Network *net)
{
    Tape *tape = tape_new();
    tape_record(tape, false);
    Tensor *hidden[MAX_DEPTH];
    network_scores(net, tape, probe.pixels, hidden);
    for (int l = 0; l < net->depth - 1; l++) {
        Matrix h = hidden[l]->value;
        double squares = 0.0, variance = 0.0;
        for (int i = 0; i < h.rows; i++) {
            double row_mean = mean(matrix_rows(h, i, 1)), row_square = 0.0;
            for (int j = 0; j < h.cols; j++) row_square += (double)AT(h, i, j) * (double)AT(h, i, j) / h.cols;
            squares += row_square / h.rows;
            variance += (row_square - row_mean * row_mean) / h.rows;
        }
        size[l] = sqrt(squares), spread[l] = sqrt(variance);
    }
    tape_free(tape);
}

enum { DEEP = 50 }; // the depth of the networks that we train

static void how_the_sum_grows(Probe probe)
{
    Lesson *lesson = probe.lesson;
    section(lesson, "Both together");
    enum { NETWORKS = 5, SHOWN = 6 };
    const int shown[SHOWN] = {1, 4, 8, 16, 32, DEEP - 1};
    double size[NETWORKS][MAX_DEPTH], spread[NETWORKS][MAX_DEPTH], worst = 0.0;
    for (int k = 0; k < NETWORKS; k++) {
        Rng rng = lesson_rng(lesson, 400 + (uint64_t)k);
        Network *net = network_new(lesson_arena(lesson), RESIDUAL_NORM, DEEP, WIDTH, HE, &rng);
        sizes_by_layer(size[k], spread[k], probe, net);
    }
    printf("after layer   size  theory   deviation  theory\n");
    for (int s = 0; s < SHOWN; s++) {
        int l = shown[s];
        double steps = (double)l, sizes = 0.0, spreads = 0.0;
        for (int k = 0; k < NETWORKS; k++)
            sizes += size[k][l - 1] / NETWORKS, spreads += spread[k][l - 1] / NETWORKS;
        double variance = steps * (1.0 - 1.0 / PI), square = steps * steps / PI + variance;
        printf("%11d %6.1f %7.1f %11.2f %7.2f\n", l, sizes, sqrt(square), spreads, sqrt(variance));
        worst = fmax(worst, fmax(fabs(sizes / sqrt(square) - 1.0), fabs(spreads / sqrt(variance) - 1.0)));
    }
    printf("\n");
    claim(lesson, worst <= 0.1, "size and deviation grow as the theory says, the one like L, to 10 %%");
}

/*
So layer $l$ divides what it hands down by a deviation that grows like $\sqrt l$, and adds to the square of the
gradient not all of it again but a part of about $1/l$. Products of $1 + 1/l$ grow like a power of the depth,
not exponentially. Does the first gradient stay where it is?
*/

static void both_together(Probe probe, Table *t)
{
    Lesson *lesson = probe.lesson;
    section(lesson, "Does the first gradient stay?");
    print_depths();
    measure_row(&t->both, probe);
    double low = t->both.first[0], high = low;
    for (int d = 1; d < DEPTHS; d++) low = fmin(low, t->both.first[d]), high = fmax(high, t->both.first[d]);
    printf("\n");
    claim(
        lesson, high <= 4.0 * low,
        "with normalised residual layers the first gradient stays within a factor of 4 from 4 to 64 layers");
}

static void draw_depth(Lesson *lesson, Table t)
{
    const Row *rows[] = {&t.one, &t.he, &t.two, &t.three, &t.residual, &t.norm, &t.both};
    Plot *plot = plot_begin(lesson, "depth.svg", "The gradient that reaches the first layer");
    plot_axes(plot, "layers", "gradient norm of the first layer");
    plot_log(plot, "xy");
    plot_legend(plot, "outside");
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        float x[DEPTHS], y[DEPTHS];
        for (int d = 0; d < DEPTHS; d++) {
            x[d] = (float)depths[d];
            y[d] = (float)rows[r]->first[d];
        }
        plot_line_points(plot, rows[r]->name, x, y, DEPTHS);
    }
    const double ticks[DEPTHS] = {4, 8, 16, 32, 64};
    const char *const names[DEPTHS] = {"4", "8", "16", "32", "64"};
    plot_x_ticks(plot, ticks, names, DEPTHS);
    plot_range_y(plot, 1e-12, 1e22);
    plot_end(plot,
             "Seven kinds of network, before any training. One line is nearly level because a number was "
             "chosen exactly; one is level by construction. Normalisation or addition alone explode.");
}

/*
## Adam

A gradient that arrives is not yet a network that learns; we must train. Steps along the gradient are hopeless
where its size is $10^{-8}$. **Adam** (Kingma and Ba 2015) divides each number's gradient by its own typical
size. It remembers two running averages, of the gradient, $m$, and of its square, $v$. Both begin at zero and
are too small at first, by the factor $1 - \beta^t$ after $t$ steps, which is divided out:

$$w \leftarrow w - \eta \, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \varepsilon},
\qquad \beta_1 = 0.9, \; \beta_2 = 0.999, \; \varepsilon = 10^{-8}.$$
*/

// Step t = 1, 2, … for one matrix of weights; m and v begin with zeros. All (rows × cols)
static void adam_in_loops(Matrix w, Matrix d_w, Matrix m, Matrix v, float rate, int t)
{
    float start_m = 1.0f, start_v = 1.0f;
    for (int k = 0; k < t; k++) start_m *= 0.9f, start_v *= 0.999f;
    for (size_t i = 0; i < matrix_size(w); i++) {
        float g = d_w.data[i];
        m.data[i] += 0.1f * (g - m.data[i]);
        v.data[i] += 0.001f * (g * g - v.data[i]);
        w.data[i] -= rate * (m.data[i] / (1.0f - start_m)) / (sqrtf(v.data[i] / (1.0f - start_v)) + 1e-8f);
    }
}

static void check_adam(Lesson *lesson)
{
    section(lesson, "Adam");
    enum { ROWS = 5, COLUMNS = 7, STEPS = 20 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 5);
    Parameters set = parameters_new(arena);
    Tensor *parameter = parameters_add(&set, "weight", ROWS, COLUMNS);
    fill_normal(parameter->value, &rng, 0.0f, 1.0f);
    Matrix w = matrix_copy(arena, parameter->value), g = matrix_new(arena, ROWS, COLUMNS);
    Matrix m = matrix_new(arena, ROWS, COLUMNS), v = matrix_new(arena, ROWS, COLUMNS);
    Optimiser library = adam_new(arena, &set, 0.9f, 0.999f, 1e-8f, 0.0f);
    for (int t = 1; t <= STEPS; t++) {
        fill_normal(g, &rng, 1e-8f, 1e-8f); // as small as they come at gain 1
        copy(tensor_gradient(parameter), g);
        adam_in_loops(w, g, m, v, 0.01f, t);
        optimiser_step(&library, 0.01f);
    }
    float apart = largest_difference(w, parameter->value);
    printf("weights apart by %s after %d steps\n\n", apart <= 1e-5f ? "less than 1e-5" : "too much", STEPS);
    claim(lesson, apart <= 1e-5f, "plain loops and the library agree on Adam's steps");
}

/*
## Fifty layers

Now we train on the 60 000 images of clothing: minibatches of 128, a learning rate that warms up for 50 steps
and then falls along a cosine, three epochs. Each kind of network is trained by Adam at three rates; the one at
gain 1 also by descent with momentum, which does not enlarge the steps. Which rate is best is judged on 5,000
images that are held out of the training, and only then do we look at the test. One of the networks has four
layers: it is the honest baseline, for who needs fifty?

The trainings have nothing to do with each other, so each core takes one. It does not pay to share *one*
training among cores: a layer of 64 numbers is done in some millionths of a second, and to wake a core up for
it and put it to sleep again costs more.
*/

typedef struct {
    Matrix x;
    const int *labels;
} Examples;

static Examples examples_part(Examples all, int first, int count)
{
    return (Examples){matrix_rows(all.x, first, count), all.labels + first};
}

static double fraction_right(const Network *net, Tape *tape, Examples all)
{
    enum { CHUNK = 500 };
    double right = 0.0;
    tape_record(tape, false);
    for (int first = 0; first < all.x.rows; first += CHUNK) {
        tape_reset(tape);
        Examples part = examples_part(all, first, int_min(CHUNK, all.x.rows - first));
        right += part.x.rows * accuracy(network_scores(net, tape, part.x, NULL)->value, part.labels);
    }
    tape_record(tape, true);
    tape_reset(tape);
    return right / all.x.rows;
}

enum { BATCH = 128, WARM_UP = 50, CURVE = 60 };

typedef struct {
    const char *name;
    Kind kind;
    int depth;
    float gain, rate;
    bool momentum;         // descent with momentum instead of Adam
    double held_out, test; // fractions right
    float curve[CURVE];    // the mean loss over each sixtieth of the training
} Run;

static int epochs_of(const Lesson *lesson) { return lesson_full(lesson) ? 10 : 3; }

static void train(Run *run, const Lesson *lesson, Examples training, Examples held_out, Examples test)
{
    Arena *arena = arena_new();
    Rng start = lesson_rng(lesson, 3), rng = lesson_rng(lesson, 2);
    Network *net = network_new(arena, run->kind, run->depth, WIDTH, run->gain, &start);
    Optimiser optimiser = run->momentum ? momentum_new(arena, &net->parameters, 0.9f, 0.0f)
                                        : adam_new(arena, &net->parameters, 0.9f, 0.999f, 1e-8f, 0.0f);
    int per_epoch = training.x.rows / BATCH, steps = epochs_of(lesson) * per_epoch, counted[CURVE] = {0};
    int labels[BATCH], *order = arena_alloc(arena, (size_t)training.x.rows, sizeof(int));
    Matrix x = matrix_new(arena, BATCH, training.x.cols);
    Tape *tape = tape_new();
    for (int step = 0; step < steps; step++) {
        if (step % per_epoch == 0) rng_permutation(&rng, order, training.x.rows);
        const int *chosen = order + step % per_epoch * BATCH;
        gather_rows(x, training.x, chosen);
        for (int i = 0; i < BATCH; i++) labels[i] = training.labels[chosen[i]];
        tape_reset(tape);
        Tensor *loss = cross_entropy(network_scores(net, tape, x, NULL), labels);
        backward(loss);
        optimiser_step(&optimiser, cosine_schedule(run->rate, step, WARM_UP, steps));
        int k = step * CURVE / steps;
        run->curve[k] += (loss->value.data[0] - run->curve[k]) / (float)++counted[k];
    }
    run->held_out = fraction_right(net, tape, held_out);
    run->test = fraction_right(net, tape, test);
    tape_free(tape);
    arena_free(arena);
}

// One kind of network at each rate
enum { RATES = 3 };
static const float adam_rates[RATES] = {5e-4f, 1.5e-3f, 5e-3f};
static const float momentum_rates[RATES] = {0.03f, 0.1f, 0.3f};

typedef struct {
    Run runs[RATES];
    const Run *best; // by the images held out
} Arm;

static Arm arm_new(const char *name, Kind kind, int depth, float gain, bool momentum)
{
    Arm arm = {0};
    for (int r = 0; r < RATES; r++)
        arm.runs[r] = (Run){.name = name,
                            .kind = kind,
                            .depth = depth,
                            .gain = gain,
                            .momentum = momentum,
                            .rate = momentum ? momentum_rates[r] : adam_rates[r]};
    return arm;
}

static void choose_rate(Arm *arm)
{
    arm->best = &arm->runs[0];
    printf("%-28s", arm->best->name);
    for (int r = 0; r < RATES; r++) {
        const Run *run = &arm->runs[r];
        printf("%14.2f", 100.0 * run->held_out);
        if (run->held_out > arm->best->held_out) arm->best = run;
    }
    printf("%10.2f\n", 100.0 * arm->best->test);
}

static void draw_training(Lesson *lesson, const Arm *arms, int count)
{
    float when[CURVE];
    for (int k = 0; k < CURVE; k++) when[k] = ((float)k + 0.5f) * (float)epochs_of(lesson) / CURVE;
    Plot *plot = plot_begin(lesson, "training.svg", "Six networks learn, or not");
    plot_axes(plot, "epoch", "training loss (nats)");
    plot_range_y(plot, 0.2, 2.8);
    for (int a = 0; a < count; a++) {
        const Run *run = arms[a].best;
        if (run->depth == DEEP) {
            plot_line(plot, run->name, when, run->curve, CURVE);
        } else { // lies on that of the residual network
            plot_dashed(plot, run->name, when, run->curve, CURVE);
        }
    }
    plot_end(plot, "Each at its best rate. With momentum the loss never leaves log 10, the loss of a guess.");
}

static void fifty_layers(Lesson *lesson, Examples training, Examples held_out, Examples test)
{
    section(lesson, "Fifty layers");
    enum { ONE_MOMENTUM, ONE, PLAIN_HE, NORM_HE, BOTH, BASELINE, ARMS };
    Arm arms[ARMS] = {[ONE_MOMENTUM] = arm_new("plain, gain 1, momentum", PLAIN, DEEP, 1.0f, true),
                      [ONE] = arm_new("plain, gain 1", PLAIN, DEEP, 1.0f, false),
                      [PLAIN_HE] = arm_new("plain, He", PLAIN, DEEP, HE, false),
                      [NORM_HE] = arm_new("normalised, He", NORM, DEEP, HE, false),
                      [BOTH] = arm_new("pre-norm residual, He", RESIDUAL_NORM, DEEP, HE, false),
                      [BASELINE] = arm_new("plain, 4 layers, He", PLAIN, 4, HE, false)};
    int done = 0;
#pragma omp parallel for schedule(dynamic, 1)
    for (int k = 0; k < ARMS * RATES; k++) { // the shortest last
        train(&arms[k / RATES].runs[k % RATES], lesson, training, held_out, test);
#pragma omp critical
        lesson_progress(lesson, "trainings", ++done, ARMS * RATES, NAN);
    }
    printf("                            %% of the held-out images right   the best in the test\n");
    printf("rate of Adam, of momentum   ");
    for (int r = 0; r < RATES; r++) printf("  %6g, %4g", (double)adam_rates[r], (double)momentum_rates[r]);
    printf("\n");
    for (int a = 0; a < ARMS; a++) choose_rate(&arms[a]);
    printf("\n");
    double most = 0.0, shallow = arms[BASELINE].best->test, deep = arms[BOTH].best->test;
    for (int r = 0; r < RATES; r++) most = fmax(most, arms[ONE_MOMENTUM].runs[r].test);
    claim(lesson, most <= 0.15,
          "fifty plain layers at gain 1, trained with momentum, stay at chance at all rates");
    claim(lesson, arms[PLAIN_HE].best->test >= 0.3 && arms[PLAIN_HE].best->test <= deep - 0.02,
          "fifty plain layers with He's gain learn, but at least 2 points worse than residual ones");
    claim(lesson, arms[NORM_HE].best->test <= deep - 0.02,
          "fifty normalised layers without residual connections are at least 2 points worse, too");
    claim(lesson, deep >= 0.865, "fifty normalised residual layers reach at least 86.5 %%");
    claim(lesson, fabs(deep - shallow) <= 0.02, "and four plain layers are as good, to 2 points");
    draw_training(lesson, arms, ARMS);
}

/*
A second popular sentence says that fifty plain layers cannot be trained. At gain 1 and with momentum that
is what we see, chance to the last digit: where the gradient is $10^{-8}$, no number of such steps leads
anywhere. With Adam the sentence is false. It enlarges the steps, and with He's gain the network learns, slowly and
badly. At gain 1 it is a matter of luck: with the seed of this book the network learns, with another one (`make
chapter9 ARGS="--seed 2"`) it stays at chance at all three rates. Do not read much into the order of the numbers in
these two rows either.

(Two points are four standard deviations of what chance does to the difference of two networks on 10,000 test
images.)

The two networks with a normalisation tell us what the residual connections are for. Without them the size of
every signal is right, and the network does worse than one without any normalisation. With them it learns
well at every rate.

And the honest baseline? Four layers do about as well as fifty. For clothes of 28 × 28 pixels in a network
without any notion of an image there is nothing that depth could be good for; [chapter 10](../10-cnn/README.md)
and [chapter 11](../11-alexnet-to-resnet/README.md) give it something. What the residual connections buy here is
not a better network but the *permission* to be deep.

## Why does the edge not suffice?

On the edge, with He's gain, the gradient arrives at the first layer in the right size. Why does the plain
network learn so badly? And why does the normalised one, whose signals have the right size in every layer? Size
is not everything. Let us send pairs of different images through fresh networks and ask how alike they are in
each layer: the cosine of the angle between the hidden numbers of the two. At 1, all images look the same; at
0, each looks like noise to the other.

There is a trap. The numbers after ReLU are never negative, so all of them have a mean in common, and in a sum of
fifty the mean is nearly everything: two vectors that share nothing else seem to point the same way. The next
layer of a pre-norm network does not see that mean. We measure what it sees, the numbers minus their mean.

Theory again goes first (Poole and others 2016; Schoenholz and others 2017). If the weighted sums of two images
have the cosine $c$ and the mean square 2, then the mean of the product of their numbers after ReLU is

$$\kappa(c) = \frac1\pi \Big( \sqrt{1 - c^2} + c \, (\pi - \arccos c) \Big) .$$

A plain layer makes $\kappa(c)$ of $c$, again and again: $\kappa(1) = 1$ draws all pairs to itself. With the mean,
$1/\pi$, taken out, and divided by what is left, $1 - 1/\pi$, the normalised layer has $\kappa(0) - 1/\pi = 0$,
and now it is 0 that draws all pairs, while near 1 differences grow by the factor that we know. A residual network *adds* the
same numbers up: after $l$ layers each new one has only a part of $1/l$ in the sum.

The graph of $\kappa$ is not a straight line, so the mean of its values is not its value at the mean. We follow each pair by itself, from
its measured cosine after the first layer on, and average at the end. And the theory is for infinitely wide layers: the
cosine of two rows of 64 independent numbers wavers by $1/\sqrt{64}$ from network to network, and the median of 25 networks
by a quarter of that, 0.03. We allow for three times as much, 0.1.
*/

static double arccos(double c)
{
    double low = 0.0, high = PI; // cos falls from 1 to −1
    for (int k = 0; k < 40; k++) {
        double middle = (low + high) / 2.0;
        if (cos32((float)middle) > (float)c) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static double kappa(double c) { return (sqrt(fmax(0.0, 1.0 - c * c)) + c * (PI - arccos(c))) / PI; }

// What layer l + 1 sees of an image: the hidden numbers without their mean, divided by their deviation
static void as_seen(float *seen, Matrix h)
{
    float average = (float)mean(h);
    for (int j = 0; j < h.cols; j++) seen[j] = h.data[j] - average;
}

// Theory for infinitely wide layers, for a pair of images whose cosine after the first layer is given: by layer, added up
static void add_expected(double *cosine, double first, Kind kind)
{
    const double left = 1.0 - 1.0 / PI; // of the mean square 1, when the mean is taken out
    double together = first * left,
           own = left; // the product of the two images' numbers, and each one's square
    for (int l = 0; l < DEEP - 1; l++) {
        cosine[l] += together / own;
        double c = kind == PLAIN ? together + 1.0 / PI : together / own; // the cosine that the weights see
        double product = kappa(c) - 1.0 / PI;
        if (is_residual(kind)) {
            together += product, own += left;
        } else {
            together = product;
        }
    }
}

// The cosine between two different images by layer, measured and expected, averaged over pairs of the probe's
static void likeness_by_layer(double *measured, double *expected, Probe probe, const Network *net)
{
    Tape *tape = tape_new();
    tape_record(tape, false);
    Tensor *hidden[MAX_DEPTH];
    network_scores(net, tape, probe.pixels, hidden);
    int pairs = probe.pixels.rows / 2;
    for (int l = 0; l < net->depth - 1; l++) measured[l] = expected[l] = 0.0;
    for (int p = 0; p < pairs; p++) {
        for (int l = 0; l < net->depth - 1; l++) {
            float first[WIDTH], second[WIDTH];
            Matrix a = {1, WIDTH, first}, b = {1, WIDTH, second};
            as_seen(first, matrix_rows(hidden[l]->value, 2 * p, 1));
            as_seen(second, matrix_rows(hidden[l]->value, 2 * p + 1, 1));
            double cosine = dot(a, b) / (norm(a) * norm(b) + 1e-30);
            measured[l] += cosine;
            if (l == 0) add_expected(expected, cosine, net->kind);
        }
    }
    for (int l = 0; l < net->depth - 1; l++) measured[l] /= pairs, expected[l] /= pairs;
    tape_free(tape);
}

static void median_likeness(float *measured, float *expected, Probe probe, Kind kind)
{
    enum { NETWORKS = 25 };
    double seen[NETWORKS][MAX_DEPTH], theory[NETWORKS][MAX_DEPTH], of_layer[NETWORKS];
    for (int k = 0; k < NETWORKS; k++) {
        Rng rng = lesson_rng(probe.lesson, 300 + (uint64_t)k);
        likeness_by_layer(seen[k], theory[k], probe,
                          network_new(lesson_arena(probe.lesson), kind, DEEP, WIDTH, HE, &rng));
    }
    for (int l = 0; l < DEEP - 1; l++) {
        for (int k = 0; k < NETWORKS; k++) of_layer[k] = seen[k][l];
        measured[l] = (float)median(of_layer, NETWORKS);
        for (int k = 0; k < NETWORKS; k++) of_layer[k] = theory[k][l];
        expected[l] = (float)median(of_layer, NETWORKS);
    }
}

static void what_is_left(Probe probe)
{
    Lesson *lesson = probe.lesson;
    section(lesson, "Why does the edge not suffice?");
    enum { KINDS = 3, LAST = DEEP - 2 };
    const Kind kinds[KINDS] = {PLAIN, NORM, RESIDUAL_NORM};
    const char *const names[KINDS] = {"plain, He", "normalised, He", "pre-norm residual, He"};
    float seen[KINDS][DEEP - 1], expected[KINDS][DEEP - 1], layers[DEEP - 1];
    printf("cosine between two images, after layer   1     10     25     49   theory\n");
    for (int k = 0; k < KINDS; k++) {
        median_likeness(seen[k], expected[k], probe, kinds[k]);
        printf("%-34s%7.3f%7.3f%7.3f%7.3f%9.3f\n", names[k], (double)seen[k][0], (double)seen[k][9],
               (double)seen[k][24], (double)seen[k][LAST], (double)expected[k][LAST]);
    }
    printf("\n");
    claim(lesson, seen[0][LAST] >= 0.95f,
          "after 49 plain layers, all images look the same (cosine of 0.95 or more)");
    claim(lesson, fabsf(seen[1][LAST]) <= 0.1f,
          "after 49 normalised layers, no two look alike (at most 0.1)");
    claim(lesson, fabsf(seen[2][LAST] - expected[2][LAST]) <= 0.1f,
          "pre-norm residual layers keep as much of the likeness as the theory says, to 0.1");

    Plot *plot = plot_begin(lesson, "alike.svg", "How alike two different images look to a layer");
    plot_axes(plot, "after layer", "cosine between two images, without the mean");
    for (int l = 0; l < DEEP - 1; l++) layers[l] = (float)(l + 1);
    for (int k = 0; k < KINDS; k++) plot_line(plot, names[k], layers, seen[k], DEEP - 1);
    for (int k = 0; k < KINDS; k++) plot_dashed(plot, NULL, layers, expected[k], DEEP - 1);
    plot_range_y(plot, -0.1, 1.0);
    plot_end(plot, "Medians of 25 fresh networks; dashed beside each, the theory for infinitely wide ones. "
                   "The first two "
                   "kinds lose what an image is about, in opposite ways.");
}

/*
Each plain layer maps the images a little closer together, and after fifty a shoe and a shirt arrive as nearly
the same numbers. The last layers are asked to tell apart what they cannot see, and the gradient, of perfect
size, says nothing. Each normalised layer without a residual connection pulls the images *apart*, whatever they
are: a shoe is as far from another shoe as from a shirt, and what has been learned about one says nothing about
the other. Only the third kind hands on most of what came in. A layer deep in the sum changes it by a part of
about $1/l$, so the likeness of two images falls slowly, like a power of the depth, and an image is still that
image at the top.

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    enum { PROBED = 256, HELD_OUT = 5000 };
    Lesson *lesson = lesson_begin(argc, argv, "09-resnet", "Deep is hard: ResNet");
    Arena *arena = lesson_arena(lesson);
    ImageSet clothes = fashion_mnist_load(arena);
    float mean_pixel, deviation;
    image_statistics(clothes.train, &mean_pixel, &deviation);
    Examples all = {image_matrix(arena, clothes.train, mean_pixel, deviation), clothes.train_labels};
    Examples test = {image_matrix(arena, clothes.test, mean_pixel, deviation), clothes.test_labels};
    Examples training = examples_part(all, 0, all.x.rows - HELD_OUT);
    Examples held_out = examples_part(all, training.x.rows, HELD_OUT);
    Probe probe = {lesson, matrix_rows(training.x, 0, PROBED), training.labels};

    Table table = how_far(probe);
    a_finite_width(probe);
    draw_the_edge(probe);
    look_at_one_column(probe);
    only_adding(probe, &table);
    check_normalisation(lesson);
    only_normalising(probe, &table);
    how_the_sum_grows(probe);
    both_together(probe, &table);
    draw_depth(lesson, table);
    check_adam(lesson);
    fifty_layers(lesson, training, held_out, test);
    what_is_left(probe);
    return lesson_end(lesson);
}

/*
## What to take along

- Each layer multiplies signals and gradients by a factor. Away from one, depth turns it into nothing or
  infinity, exponentially, at the rate that the theory gives.
- He's gain makes the factor one on average. It keeps the size; it does not keep what the signal is about.
- Adding instead of replacing explodes, by more than √2 in each layer. Normalising instead of choosing a gain
  explodes too, by 1.21. Together they do not: the gradient grows like a small power of the depth.
- Two vectors with a common mean look alike to a cosine, though not to the next layer. Measure what it sees.
- That a network can be deep does not mean that it should be. Compare with a shallow one, and tune both.

Every large model that you have heard of is a stack of normalised residual layers: from chapter 17 on, what
stands inside the brackets will change, and $h \leftarrow h + f(\mathrm{norm}(h))$ will not.

## Check yourself

**1.** A plain network of 30 ReLU layers is drawn with gain 1.2. By what factor does an error signal shrink on its
way down, according to the theory for wide layers? What does a width of 64 add to that?

<details><summary>Answer</summary>

Each layer multiplies it by $1.2 / \sqrt2 = 0.849$, thirty of them by $0.849^{30} = 0.0073$. At width 64 a typical
layer has 0.981 times that factor, and $0.981^{30} = 0.56$: together 0.004. A small error in a factor becomes a
large one in a power.

</details>

**2.** At gain 1 the error signal of layer 1 is a billion times smaller than that of layer 62, and yet the
gradients of their weights are about equal. How can that be?

<details><summary>Answer</summary>

The gradient of a weight is input times error. The inputs fade on their way up by the same factor as the errors on
their way down, so the product of the two is the same in every layer: 8.0e-11, 2.1e-11 and 1.2e-11 in the table,
while the error signals are 2.3e-11, 1.2e-06 and 5.9e-02. All weights are dead, not only those at the bottom.

</details>

**3.** By how much does the first gradient grow in 20 layers if they are only residual, and if they are only
normalised? Why does it grow at all with a normalisation in front of every layer?

<details><summary>Answer</summary>

Measured factors are 1.683 and 1.217 for each layer: 33,000 and 51 in twenty. The normalisation fixes the size of
the *signals*. But it divides by the deviation that is left when ReLU's mean is taken out, which is smaller than 1,
and so it enlarges every difference between two signals, by 1.21 each time. A gradient is made of small
differences.

</details>

**4.** How large are the numbers after 100 pre-norm residual layers, and what is their deviation? What does layer
101 see of it?

<details><summary>Answer</summary>

The mean square is $100^2/\pi + 100 \cdot (1 - 1/\pi) = 3\,183 + 68$, so the size is 57, nearly all of it a mean that
every number has in common. The deviation is $\sqrt{68} = 8.3$. Layer 101 sees neither: the normalisation takes
away the mean and divides by the deviation. But what it adds, of size 1, is small beside what is there.

</details>

**5.** The numbers of two images have a mean of 3 in common, and independent parts of deviation 1 around it. What
is the cosine between the two? What does a normalised layer see?

<details><summary>Answer</summary>

The product has the mean $3^2 = 9$, the squares $9 + 1 = 10$, so the cosine is 0.9: the two seem to be nearly the
same. Without the mean it is 0. A normalised layer takes the mean away first and finds nothing alike in them. That
is why the last section measures what a layer sees.

</details>

## Sources

- S. Hochreiter, *Untersuchungen zu dynamischen neuronalen Netzen*, 1991: the vanishing gradient.
- X. Glorot, Y. Bengio, *Understanding the difficulty of training deep feedforward neural networks*, 2010.
- K. He, X. Zhang, S. Ren, J. Sun, *Delving deep into rectifiers*, 2015 (the gain), and *Deep residual learning for
  image recognition*, 2016; *Identity mappings in deep residual networks*, 2016 (normalisation first).
- J. L. Ba, J. R. Kiros, G. E. Hinton, *Layer normalization*, 2016.
- D. P. Kingma, J. Ba, *Adam: a method for stochastic optimization*, 2015.
- B. Poole and others, *Exponential expressivity in deep neural networks through transient chaos*, 2016; S.
  Schoenholz and others, *Deep information propagation*, 2017: signals and their angles, layer by layer.
- G. Yang and others, *A mean field theory of batch normalization*, 2019: normalisation alone explodes.
- B. Hanin, M. Nica, *Products of many large random matrices and gradients in deep neural networks*, 2018.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade9` tells how far you are, `make
hint9` helps.

- **TASK 9.1** the gain that keeps the size of a signal for a leaky ReLU.
- **TASK 9.2** layer normalisation, forwards.
- **TASK 9.3** layer normalisation, backwards, to be measured: it must hold for rows far from zero.
- **TASK 9.4** a stack of normalised residual layers, forwards.
- **TASK 9.5** the gradient through such a stack down to its input.

And without a computer, or with five minutes at one:

**1.** Which gain does $\tanh$ need near zero? Why is 1 a good answer there and a bad one for ReLU?

<details><summary>Answer</summary>

Near zero $\tanh$ has slope 1 and changes nothing, so weights of gain 1 keep the size: this is where Glorot's
initialisation comes from. ReLU throws half of the square away and needs $\sqrt2$. (Once the numbers are not small,
$\tanh$ shrinks them a little: at gain 1 we measured a first gradient of 2.1 with 4 layers and 0.33 with 64, a
power of the depth and not an exponential.)

</details>

**2.** Divide each residual branch by $\sqrt L$ and leave the normalisation out. What does the theory say about the
growth? Try it.

<details><summary>Answer</summary>

If a branch had nothing in common with what is there, the mean square would grow by $1 + 1/L$ in each layer, $e$ in
all. But both are positive on average, and what they have in common adds a part of order $1/\sqrt L$, and $(1 +
c/\sqrt L)^L$ grows like $e^{c \sqrt L}$. We measured 6.5, 11, 17, 35, 160 for 4 to 64 layers: slower than without
the division, and not level. Divided by $L$ it is level: 5.1, 5.0, 4.7, 4.7, 4.9.

</details>

**3.** Put the normalisation *after* the sum, $h \leftarrow \mathrm{norm}(h + f(h))$, as the first Transformers had
it. What happens to the gradient along the residual connections?

<details><summary>Answer</summary>

It no longer passes freely: every layer divides by the deviation of the sum, $\sqrt{1 + (1 - 1/\pi)} = 1.30$, so
along the connections alone 64 layers leave $10^{-7}$ of it. What comes through the weights is added again, and
together the square of the gradient changes by $2 / 1.68$ in each layer, its size by 1.09. We measured 4.3, 5.2,
6.1, 22, 370 for 4 to 64 layers, 1.08 for each: such a network explodes, slowly. Deep ones need a long warm-up.

</details>

**4.** Draw the edge with $\tanh$ instead of ReLU. Why is the right half so different?

<details><summary>Answer</summary>

$\tanh$ saturates. With a large gain its numbers come close to ±1, where the slope is small, and that holds the
error signal back. At gain 2 and 64 layers we measured a first gradient of $1.3 \cdot 10^4$ (ReLU: $3.7 \cdot
10^9$), at gain 3 $1.2 \cdot 10^8$ (ReLU: $3 \cdot 10^{20}$). It still explodes, and the edge is at 1 or a little
above.

</details>

**5.** A network of 50 layers whose weights are all zero: what does each of the four kinds compute, and which of
them can learn?

<details><summary>Answer</summary>

All say 10 % to every class, and only the ten biases of the last layer get a gradient: what enters the last layer
is 0. If the first and the last layer are drawn as usual and only the 48 between them are zero, the two residual
kinds pass the first layer's numbers on and learn with the first and the last layer, while plain and normalised
ones stay dead. The 48 stay zero even then, because ReLU has slope 0 at 0; we measured gradients of exactly 0.
Where residual branches are meant to start at zero, there is a weighted sum after the activation, and only that one
is set to zero.

</details>

**6.** Why does the normalised network not care which gain we take? And the pre-norm residual one?

<details><summary>Answer</summary>

If all numbers of a layer are multiplied by $g$, so are their deviations, and dividing by the deviation takes $g$
away: each layer hands on the same as before. In the residual network the first layer and all branches have the
same gain, so the whole sum is multiplied by it, and every layer sees the same as before, too. The gradients of the
weights are divided by $g$: we measured 6.6, 4.7 and 3.3 at 4 layers for gains of 1, $\sqrt2$ and 2, for the
residual network and nearly the same for the normalised one.

</details>
*/
