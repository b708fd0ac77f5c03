/*
# From AlexNet to ResNet

In 2012 a convolutional network called **AlexNet** won the largest contest of image recognition by such a margin that
the field changed its tools within a year. The paper lists its ingredients: an activation that does not saturate, random
dropping of units, images flipped and shifted at random. Three years later **ResNet** won the same contest with 152
layers and two ingredients more, batch normalisation and the shortcut.

Ingredients are often handed on like a recipe: "use ReLU, dropout, augmentation and batch norm". In this chapter we
take the recipe apart. We write out each ingredient, build a small AlexNet with all of them, remove one at a time, and
look at what is missing. Then we stack convolutions until it breaks, as in chapter 9, and repair it.

- **batch normalisation** (批归一化), forwards and backwards, and the trap that it brings;
- **dropout** (随机失活) and **data augmentation** (数据增强);
- an **ablation** (消融实验): the whole without one of its parts;
- **degradation** (退化): deeper networks that fit their own training data worse;
- the **residual block** (残差块) of convolutions, and a small ResNet.

You need chapters 9 and 10. A batch of images is one matrix: rows are pixels, columns are channels. Nothing in this
chapter mixes rows in a new way: that is still the convolution's work.
*/

#include "base/mathf.h"
#include "learning/least_squares.h"
#include "learning/optim.h"
#include "files/idx.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 28, CLASSES = 10, MOST_BATCH = 128, TEST_BATCH = 100 };

typedef struct {
    Matrix x; // (N × height · width), one image a row
    const int *labels;
    int side;
    float background; // what a black pixel is after standardising
} Examples;

static Examples examples_from(Examples all, int first)
{
    return (Examples){matrix_rows(all.x, first, all.x.rows - first), all.labels + first, all.side,
                      all.background};
}

/*
## Batch normalisation

Chapter 9 normalised each *row*. Ioffe and Szegedy had normalised each *column* the year before: every channel is
brought to mean 0 and deviation 1 over all pixels of all images in the batch, and then given a gain and a bias of its
own. For a channel with the numbers $x_1, \dots, x_N$,

$$y_i = \gamma\, n_i + \beta, \qquad n_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad
\mu = \tfrac1N \sum_i x_i, \quad \sigma^2 = \tfrac1N \sum_i (x_i - \mu)^2 .$$

In words: it does not matter any more how large the numbers were that a layer received, only how they differ from each
other. That is why a network with batch normalisation forgives an initialisation that is ten times too large.
*/

static const double EPSILON = 1e-5;

// Of column j of x (N × C)
static void channel_statistics(double *mean, double *variance, Matrix x, int j)
{
    *mean = *variance = 0.0;
    for (int i = 0; i < x.rows; i++) *mean += (double)AT(x, i, j) / x.rows;
    for (int i = 0; i < x.rows; i++) {
        double distance = (double)AT(x, i, j) - *mean;
        *variance += distance * distance / x.rows;
    }
}

static void normalise_channels(Matrix y, Matrix x, Matrix gain, Matrix bias)
{
    for (int j = 0; j < x.cols; j++) {
        double mean, variance;
        channel_statistics(&mean, &variance, x, j);
        double r = 1.0 / sqrt(variance + EPSILON);
        for (int i = 0; i < x.rows; i++) {
            double n = ((double)AT(x, i, j) - mean) * r;
            AT(y, i, j) = (float)(n * (double)AT(gain, 0, j) + (double)AT(bias, 0, j));
        }
    }
}

/*
Backwards, the gradient that arrives is $\partial L/\partial y_i$. Moving one $x_i$ moves $n_i$, but it moves $\mu$ and
$\sigma$ as well, and with them every other $n_k$ of the channel. Two kinds of change therefore have no effect: shifting
all $x$ together, and stretching them. The gradient must have no part in these two directions, and so we take them out:

$$\frac{\partial L}{\partial x_i} = \gamma r \Big( g_i - \overline{g} - n_i\, \overline{g\,n} \Big),
\qquad g_i = \frac{\partial L}{\partial y_i}, \quad r = \frac{1}{\sqrt{\sigma^2 + \varepsilon}},$$

with a bar for the mean over the batch. It is chapter 9's formula for columns in the place of rows.
*/

static void normalise_channels_backward(Matrix d_x, Matrix d_gain, Matrix d_bias, Matrix d_y, Matrix x,
                                        Matrix gain)
{
    for (int j = 0; j < x.cols; j++) {
        double mean, variance, sum_g = 0.0, sum_gn = 0.0;
        channel_statistics(&mean, &variance, x, j);
        double r = 1.0 / sqrt(variance + EPSILON);
        // y = n · gain + bias
        for (int i = 0; i < x.rows; i++) {
            double g = (double)AT(d_y, i, j), n = ((double)AT(x, i, j) - mean) * r;
            sum_g += g;
            sum_gn += g * n;
        }
        AT(d_bias, 0, j) = (float)sum_g;
        AT(d_gain, 0, j) = (float)sum_gn;
        // n = (x − mean) · r, where mean and r move with x
        for (int i = 0; i < x.rows; i++) {
            double g = (double)AT(d_y, i, j), n = ((double)AT(x, i, j) - mean) * r;
            AT(d_x, i, j) = (float)((double)AT(gain, 0, j) * r * (g - sum_g / x.rows - n * sum_gn / x.rows));
        }
    }
}

static void check_batch_norm(Lesson *lesson)
{
    section(lesson, "Batch normalisation");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 1);
    enum { N = 77, C = 5 };
    Matrix values = matrix_new(arena, N, C), d_y = matrix_new(arena, N, C), y = matrix_new(arena, N, C);
    Matrix d_x = matrix_new(arena, N, C), d_gain = matrix_new(arena, 1, C), d_bias = matrix_new(arena, 1, C);
    Parameters set = parameters_new(arena);
    BatchNorm norm = batch_norm_new(&set, "norm", C);
    fill_normal(values, &rng, 3.0f, 2.0f);
    fill_normal(d_y, &rng, 0.0f, 1.0f);
    fill_normal(norm.gain->value, &rng, 1.0f, 0.3f);
    fill_normal(norm.bias->value, &rng, 0.0f, 0.3f);

    normalise_channels(y, values, norm.gain->value, norm.bias->value);
    normalise_channels_backward(d_x, d_gain, d_bias, d_y, values, norm.gain->value);
    Tape *tape = tape_new();
    Tensor *x = tape_variable(tape, values), *fast = batch_normalise(&norm, x, true);
    backward_from(fast, d_y);
    float apart = largest_difference(y, fast->value), d_apart = largest_difference(d_x, x->gradient);
    float p_apart = fmaxf(largest_difference(d_gain, norm.gain->gradient),
                          largest_difference(d_bias, norm.bias->gradient));
    claim(lesson, apart <= 1e-5f && d_apart <= 1e-5f && p_apart <= 1e-4f,
          "our loops and the library agree: values, gradients of x, of gain and of bias");

    Matrix stretched = matrix_copy(arena, values), again = matrix_new(arena, N, C);
    scale(stretched, 10.0f);
    add_scalar(stretched, -4.0f);
    normalise_channels(again, stretched, norm.gain->value, norm.bias->value);
    claim(lesson, largest_difference(again, y) <= 1e-4f,
          "ten times the input minus four gives the same output: size and offset are forgotten");
    tape_free(tape);
}

/*
## Afterwards: running statistics

Chapter 9's normalisation looks at one example. This one looks at all of its batch, and so the answer for an image would
depend on which other images happen to be asked about at the same time; and what is the deviation of a single one? So
while the layer trains, it also keeps a **running mean** (滑动平均) and a running variance of each channel. With every
batch they go a tenth of the way to what the batch has,

$$\mu_\text{run} \leftarrow 0.9\, \mu_\text{run} + 0.1\, \mu, \qquad
\sigma^2_\text{run} \leftarrow 0.9\, \sigma^2_\text{run} + 0.1\, \frac{N}{N-1}\, \sigma^2 .$$

(A batch's deviation from its *own* mean is a little too small for images that are not in it; $N/(N-1)$ corrects that.)
After training the two stand in the place of $\mu$ and $\sigma^2$. They are constants then, and the layer is nothing but
one multiplication and one addition for each channel.
*/

// After one more batch x (N × C); mean and variance (1 × C)
static void follow_batch(Matrix mean, Matrix variance, Matrix x)
{
    for (int j = 0; j < x.cols; j++) {
        double batch_mean, batch_variance;
        channel_statistics(&batch_mean, &batch_variance, x, j);
        batch_variance *= (double)x.rows / (x.rows - 1);
        AT(mean, 0, j) = 0.9f * AT(mean, 0, j) + 0.1f * (float)batch_mean;
        AT(variance, 0, j) = 0.9f * AT(variance, 0, j) + 0.1f * (float)batch_variance;
    }
}

static void normalise_afterwards(Matrix y, Matrix x, Matrix mean, Matrix variance, Matrix gain, Matrix bias)
{
    for (int j = 0; j < x.cols; j++) {
        double factor = (double)AT(gain, 0, j) / sqrt((double)AT(variance, 0, j) + EPSILON);
        double offset = (double)AT(bias, 0, j) - factor * (double)AT(mean, 0, j);
        for (int i = 0; i < x.rows; i++) AT(y, i, j) = (float)(factor * (double)AT(x, i, j) + offset);
    }
}

static void check_running_statistics(Lesson *lesson)
{
    section(lesson, "Afterwards: running statistics");
    enum { N = 50, C = 4, BATCHES = 20 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 3);
    Parameters set = parameters_new(arena);
    BatchNorm norm = batch_norm_new(&set, "norm", C);
    Matrix x = matrix_new(arena, N, C), y = matrix_new(arena, N, C);
    Matrix mean = matrix_new(arena, 1, C), variance = matrix_new(arena, 1, C);
    fill(variance, 1.0f); // where the library begins, too: 0 and 1
    fill_normal(norm.gain->value, &rng, 1.0f, 0.3f);
    fill_normal(x, &rng, 3.0f, 2.0f);
    Tape *tape = tape_new();
    float left = 1.0f; // of where the running statistics began
    for (int k = 0; k < BATCHES; k++, left *= 0.9f) {
        tape_reset(tape);
        batch_normalise(&norm, tape_input(tape, x), true);
        follow_batch(mean, variance, x);
    }
    double batch_mean, batch_variance;
    channel_statistics(&batch_mean, &batch_variance, x, 0);
    float expected = (1.0f - left) * (float)batch_mean;
    printf("the same batch %d times, its mean %.3f: running mean %.3f, expected %.3f\n\n", BATCHES,
           batch_mean, (double)AT(mean, 0, 0), (double)expected);
    claim(lesson, fabsf(AT(mean, 0, 0) - expected) <= 1e-4f,
          "after 20 batches 12 %% of the beginning are left, 0.9 to the power of 20");
    normalise_afterwards(y, x, mean, variance, norm.gain->value, norm.bias->value);
    Tensor *fast = batch_normalise(&norm, tape_input(tape, x), false);
    Tensor *alone = batch_normalise(&norm, tape_input(tape, matrix_rows(x, 7, 1)), false);
    claim(lesson, largest_difference(y, fast->value) <= 1e-5f,
          "after training, our loops and the library agree");
    claim(lesson, largest_difference(alone->value, matrix_rows(fast->value, 7, 1)) == 0.0f,
          "and the answer for one row is the same, to the last bit, alone and in company");
    tape_free(tape);
}

/*
## Dropout and augmentation

**Dropout** sets each number to zero with probability $p$ while training and divides the others by $1-p$, so that on
average nothing changes. No unit can rely on another one being there. At test time nothing is dropped.

**Augmentation** shows the network images that were never taken: each is flipped left to right with probability one
half, and shifted by up to two pixels. A flipped shirt is a shirt.
*/

// x (N × C) in place; each number is dropped or enlarged
static void drop(Matrix x, float p, Rng *rng)
{
    for (size_t i = 0; i < matrix_size(x); i++)
        x.data[i] = rng_uniform(rng) < p ? 0.0f : x.data[i] / (1.0f - p);
}

// The image `in`, moved down by dy and right by dx; what comes in from outside is the background.
static void shift_image(float *out, const float *in, int side, int dy, int dx, bool flip, float background)
{
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            int from_y = y - dy, from_x = x - dx;
            bool inside = from_y >= 0 && from_y < side && from_x >= 0 && from_x < side;
            if (flip) from_x = side - 1 - from_x;
            out[y * side + x] = inside ? in[from_y * side + from_x] : background;
        }
}

static void augment(Matrix batch, int side, float background, Rng *rng)
{
    float original[SIDE * SIDE];
    for (int i = 0; i < batch.rows; i++) {
        float *image = matrix_row(batch, i);
        memcpy(original, image, sizeof(float) * (size_t)(side * side));
        bool flip = rng_below(rng, 2) == 1;
        int dy = (int)rng_below(rng, 5) - 2, dx = (int)rng_below(rng, 5) - 2;
        shift_image(image, original, side, dy, dx, flip, background);
    }
}

static void look_at_chance(Lesson *lesson, Examples training, const char *const *names)
{
    section(lesson, "Dropout and augmentation");
    enum { IMAGES = 3, COPIES = 8, ROUNDS = 10000 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 2);
    Matrix total = matrix_new(arena, 1, 16), once = matrix_new(arena, 1, 16);
    for (int k = 0; k < ROUNDS; k++) {
        fill(once, 1.0f);
        drop(once, 0.3f, &rng);
        add_scaled(total, 1.0f / ROUNDS, once);
    }
    float off = fmaxf(fabsf(largest(total) - 1.0f), fabsf(smallest(total) - 1.0f));
    // A dropped one has variance p / (1 − p): the mean of 10 000 has deviation 0.0065.
    claim(lesson, off <= 5 * 0.0065f, "the mean of 10,000 dropped ones is one, within five standard errors");

    Matrix copies = matrix_new(arena, IMAGES * COPIES, SIDE * SIDE);
    const char *captions[IMAGES * COPIES];
    for (int i = 0; i < IMAGES * COPIES; i++) {
        copy(matrix_rows(copies, i, 1), matrix_rows(training.x, i / COPIES, 1));
        captions[i] = i % COPIES ? NULL : names[training.labels[i / COPIES]];
        if (i % COPIES) augment(matrix_rows(copies, i, 1), SIDE, training.background, &rng);
    }
    Plot *plot = plot_begin(lesson, "augmented.png", "Images that were never taken");
    plot_size(plot, 960, 440);
    plot_images(plot, (PlotImages){SIDE, SIDE, 1, COPIES, 0, 0}, copies, captions);
    plot_end(
        plot,
        "On the left the original, then seven copies, flipped and shifted by up to two pixels at random.");
}

/*
## A small AlexNet

Three convolutions of 3 × 3, each followed by a maximum over 2 × 2 pixels, a normalisation and an activation; then a
hidden layer of 64 with dropout, then ten scores. The maximum comes first because what follows then has a quarter of the
work; for an activation that rises it makes no difference. Everything that we want to remove is a switch. A **map** is
features with the grid of pixels that they belong to: each layer takes one and gives one, with the grid that follows.
*/

typedef enum { RELU, TANH, SIGMOID } Activation;

typedef struct {
    const char *name;
    Activation activation;
    bool norm;
    float dropout;
    bool augment;
} Recipe;

enum { CONVS = 3 };
static const int channels[CONVS + 1] = {1, 8, 16, 32};

typedef struct {
    Recipe recipe;
    Conv convs[CONVS];
    BatchNorm norms[CONVS];
    Linear hidden, scores;
    Parameters parameters;
} AlexNet;

static AlexNet *alexnet_new(Arena *arena, Recipe recipe, Rng *rng)
{
    AlexNet *net = arena_zeros(arena, 1, sizeof *net);
    Parameters *set = &net->parameters;
    *set = parameters_new(arena);
    net->recipe = recipe;
    for (int i = 0; i < CONVS; i++) {
        net->convs[i] = conv_new(set, layer_name(set, "conv", "", i), channels[i], channels[i + 1],
                                 window_square(3, 1, 1), rng, INIT_HE);
        if (recipe.norm) net->norms[i] = batch_norm_new(set, layer_name(set, "norm", "", i), channels[i + 1]);
    }
    net->hidden = linear_new(set, "hidden", 3 * 3 * channels[CONVS], 64, rng, INIT_HE);
    net->scores = linear_new(set, "scores", 64, CLASSES, rng, INIT_GLOROT);
    return net;
}

static Tensor *activated(Activation activation, Tensor *x)
{
    return activation == RELU ? relu(x) : activation == TANH ? hyperbolic_tangent(x) : sigmoid(x);
}

// (N × C) → (N × C)
static Tensor *normalised_and_activated(AlexNet *net, int layer, Tensor *x, bool training)
{
    const Activation activation = net->recipe.activation;
    if (!net->recipe.norm) return activated(activation, x);
    BatchNorm *norm = &net->norms[layer];
    if (activation == RELU) return batch_normalise_relu(norm, x, training); // both in one pass
    return activated(activation, batch_normalise(norm, x, training));
}

// x (B × 28·28) → (B × 10). The image's pixels are the rows of the first layer's input: a reshape.
static Tensor *scores_of_alexnet(void *which, Tape *tape, Matrix x, Rng *rng, bool training)
{
    AlexNet *net = which;
    const Grid pixels = {x.rows, SIDE, SIDE};
    Map h = map_input(tape, matrix_reshape(x, grid_rows(pixels), 1), pixels);
    for (int i = 0; i < CONVS; i++) {
        h = map_max_pool(map_conv(&net->convs[i], h), window_square(2, 2, 0));
        h.features = normalised_and_activated(net, i, h.features, training);
    }
    Tensor *flat = tensor_reshape(h.features, x.rows, 3 * 3 * channels[CONVS]);
    Tensor *hidden = activated(net->recipe.activation, linear(&net->hidden, flat));
    return linear(&net->scores, dropout(hidden, net->recipe.dropout, rng, training));
}

/*
Training and testing are chapter 9's loops. One function gives the scores of any network of this chapter, so that both
loops serve all of them.
*/

typedef Tensor *(*Scores)(void *net, Tape *tape, Matrix x, Rng *rng, bool training);

typedef struct {
    double loss, right; // mean cross-entropy; fraction
} Result;

enum { AS_THEY_ARE, MOVED };

// The first `count` images, in batches; when they are moved, each goes two pixels up, down, left or right, in turn. With
// batch_statistics the test is done the wrong way, see below.
static Result test(Scores scores, void *net, Examples set, int count, int moved, bool batch_statistics)
{
    static const int directions[4][2] = {{-2, 0}, {2, 0}, {0, -2}, {0, 2}};
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    tape_record(tape, false);
    Rng unused = rng_new(1, 1);
    Matrix x = matrix_new(arena, TEST_BATCH, set.x.cols);
    Result result = {0};
    for (int first = 0; first < count; first += TEST_BATCH) {
        int rows = int_min(TEST_BATCH, count - first);
        Matrix batch = matrix_rows(x, 0, rows);
        copy(batch, matrix_rows(set.x, first, rows));
        for (int i = 0; i < rows && moved == MOVED; i++) {
            const int *by = directions[i % 4];
            shift_image(matrix_row(batch, i), matrix_row(set.x, first + i), set.side, by[0], by[1], false,
                        set.background);
        }
        tape_reset(tape);
        Tensor *out = scores(net, tape, batch, &unused, batch_statistics);
        Tensor *loss = cross_entropy(out, set.labels + first);
        result.right += accuracy(out->value, set.labels + first) * rows / count;
        result.loss += (double)loss->value.data[0] * rows / count;
    }
    tape_free(tape);
    arena_free(arena);
    return result;
}

typedef struct {
    const char *name; // on the progress bar; NULL: none
    int count, batch; // the first `count` images are used
    long steps, warm_up;
    float rate;
    bool augment;
    float *curve; // NULL, or the mean loss over each fiftieth of the run
} Training;

enum { CURVE = 50 };

static void train(Lesson *lesson, Scores scores, void *net, Optimiser *optimiser, Examples set, Training how,
                  Rng *rng)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    int *order = arena_alloc(arena, (size_t)how.count, sizeof *order), labels[MOST_BATCH];
    Matrix x = matrix_new(arena, how.batch, set.x.cols);
    int next = how.count, counted[CURVE] = {0};
    for (int k = 0; how.curve && k < CURVE; k++) how.curve[k] = 0.0f;
    for (long step = 0; step < how.steps; step++) {
        if (next + how.batch > how.count) rng_permutation(rng, order, how.count), next = 0;
        gather_rows(x, set.x, order + next);
        for (int i = 0; i < how.batch; i++) labels[i] = set.labels[order[next + i]];
        next += how.batch;
        if (how.augment) augment(x, set.side, set.background, rng);
        tape_reset(tape);
        Tensor *loss = cross_entropy(scores(net, tape, x, rng, true), labels);
        backward(loss);
        optimiser_step(optimiser, cosine_schedule(how.rate, step, how.warm_up, how.steps));
        if (how.curve) {
            int k = (int)(step * CURVE / how.steps);
            how.curve[k] += (loss->value.data[0] - how.curve[k]) / (float)++counted[k];
        }
        if (how.name) lesson_progress(lesson, how.name, step + 1, how.steps, (double)loss->value.data[0]);
    }
    tape_free(tape);
    arena_free(arena);
}

/*
## One ingredient at a time

Seven recipes: the whole, the whole with another activation, and the whole with parts left out. A learning rate that suits
one need not suit the other, so each recipe is first trained at three rates, and the best is chosen on 2,000 images that
are held out; with this rate it is trained from two more seeds. Training is on the first 10,000 images for two epochs. We
test twice on the same 5,000 images: as they are, and moved by two pixels, a quarter of them in each direction. *Lost* is
the difference. As in chapter 9, the trainings have nothing to do with each other, and each core takes one.

Three sentences are repeated wherever this recipe is handed on: *ReLU made deep learning possible*, *dropout and
augmentation improve the test*, *batch normalisation speeds up training*. What do you expect to see?
*/

enum { EVERYTHING, WITH_TANH, WITH_SIGMOID, NO_NORM, NO_DROPOUT, NO_AUGMENTATION, NEITHER, RECIPES };
enum { SEEDS = 3, RATES = 3, USED = 10000, HELD_OUT = 2000, TESTED = 5000 };
static const float adam_rates[RATES] = {3e-3f, 1e-2f, 3e-2f};
static const Recipe recipes[RECIPES] = {{"everything", RELU, true, 0.3f, true},
                                        {"tanh instead of ReLU", TANH, true, 0.3f, true},
                                        {"sigmoid instead of ReLU", SIGMOID, true, 0.3f, true},
                                        {"without batch norm", RELU, false, 0.3f, true},
                                        {"without dropout", RELU, true, 0.0f, true},
                                        {"without augmentation", RELU, true, 0.3f, false},
                                        {"without either of these two", RELU, true, 0.0f, false}};

typedef struct {
    double held_out, training, test, moved; // fractions right
} Row;

static int ablation_epochs(const Lesson *lesson) { return lesson_full(lesson) ? 10 : 2; }

static Row run_recipe(Lesson *lesson, Recipe recipe, float rate, int seed, Examples training,
                      Examples testing)
{
    enum { BATCH = 64 };
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 100 + (uint64_t)seed);
    AlexNet *net = alexnet_new(arena, recipe, &rng);
    Optimiser adam = adam_new(arena, &net->parameters, 0.9f, 0.999f, 1e-8f, 0.0f);
    long steps = (long)ablation_epochs(lesson) * (USED / BATCH);
    train(lesson, scores_of_alexnet, net, &adam, training,
          (Training){NULL, USED, BATCH, steps, 0, rate, recipe.augment, NULL}, &rng);
    Examples held_out = examples_from(training, USED);
    Row row = {.held_out = test(scores_of_alexnet, net, held_out, HELD_OUT, AS_THEY_ARE, false).right,
               .training = test(scores_of_alexnet, net, training, HELD_OUT, AS_THEY_ARE, false).right,
               .test = test(scores_of_alexnet, net, testing, TESTED, AS_THEY_ARE, false).right,
               .moved = test(scores_of_alexnet, net, testing, TESTED, MOVED, false).right};
    arena_free(arena);
    return row;
}

typedef struct {
    Row at[RATES]; // with the first seed
    int best;      // which rate
    Row seeds[SEEDS], mean;
    double low, high; // of the test
} Arm;

static void choose_rate(Arm *arm)
{
    for (int r = 1; r < RATES; r++)
        if (arm->at[r].held_out > arm->at[arm->best].held_out) arm->best = r;
    arm->seeds[0] = arm->at[arm->best];
}

static void summarise(Arm *arm)
{
    arm->low = arm->high = arm->seeds[0].test;
    for (int s = 0; s < SEEDS; s++) {
        const Row *row = &arm->seeds[s];
        arm->mean.training += row->training / SEEDS;
        arm->mean.test += row->test / SEEDS;
        arm->mean.moved += row->moved / SEEDS;
        arm->low = fmin(arm->low, row->test), arm->high = fmax(arm->high, row->test);
    }
}

static void run_recipes(Lesson *lesson, Arm *arms, Examples training, Examples testing)
{
    const int all = RECIPES * (RATES + SEEDS - 1);
    int done = 0;
#pragma omp parallel for schedule(dynamic, 1)
    for (int k = 0; k < RECIPES * RATES; k++) {
        arms[k / RATES].at[k % RATES] =
            run_recipe(lesson, recipes[k / RATES], adam_rates[k % RATES], 0, training, testing);
#pragma omp critical
        lesson_progress(lesson, "seven recipes", ++done, all, NAN);
    }
    for (int r = 0; r < RECIPES; r++) choose_rate(&arms[r]);
#pragma omp parallel for schedule(dynamic, 1)
    for (int k = 0; k < RECIPES * (SEEDS - 1); k++) {
        Arm *arm = &arms[k / (SEEDS - 1)];
        int seed = 1 + k % (SEEDS - 1);
        arm->seeds[seed] =
            run_recipe(lesson, recipes[k / (SEEDS - 1)], adam_rates[arm->best], seed, training, testing);
#pragma omp critical
        lesson_progress(lesson, "seven recipes", ++done, all, NAN);
    }
    for (int r = 0; r < RECIPES; r++) summarise(&arms[r]);
}

static void print_recipes(const Arm *arms)
{
    printf("%% right                      held out, at rate   the best rate, mean of %d seeds\n", SEEDS);
    printf("                            %6g %6g %6g", (double)adam_rates[0], (double)adam_rates[1],
           (double)adam_rates[2]);
    printf("   training   test (from … to)     moved   lost\n");
    for (int r = 0; r < RECIPES; r++) {
        const Arm *arm = &arms[r];
        printf("%-28s%6.1f %6.1f %6.1f", recipes[r].name, 100 * arm->at[0].held_out,
               100 * arm->at[1].held_out, 100 * arm->at[2].held_out);
        printf("   %8.1f   %4.1f (%.1f … %.1f)   %7.1f %6.1f\n", 100 * arm->mean.training,
               100 * arm->mean.test, 100 * arm->low, 100 * arm->high, 100 * arm->mean.moved,
               100 * (arm->mean.test - arm->mean.moved));
    }
    printf("\n");
}

// A recipe has a point and its range in each of the two tests, side by side.
static void draw_recipes(Lesson *lesson, const Arm *arms)
{
    static const char *const labels[RECIPES] = {
        "everything", "tanh", "sigmoid", "no norm", "no dropout", "no augm.", "no dropout\nno augm."};
    float as_is[RECIPES], moved[RECIPES], left[RECIPES], right[RECIPES];
    double ticks[RECIPES];
    Plot *plot = plot_begin(lesson, "ablation.svg", "What each ingredient is worth");
    plot_axes(plot, "recipe", "right answers (%)");
    plot_range_x(plot, -0.5, RECIPES - 0.5);
    for (int r = 0; r < RECIPES; r++) {
        ticks[r] = r, left[r] = (float)r - 0.12f, right[r] = (float)r + 0.12f;
        as_is[r] = (float)(100 * arms[r].mean.test), moved[r] = (float)(100 * arms[r].mean.moved);
    }
    plot_x_ticks(plot, ticks, labels, RECIPES);
    plot_points(plot, "as they are, mean of three seeds", left, as_is, RECIPES);
    plot_points(plot, "moved by 2 pixels", right, moved, RECIPES);
    float seeds_x[RECIPES * SEEDS], seeds_y[RECIPES * SEEDS];
    for (int k = 0; k < RECIPES * SEEDS; k++) {
        seeds_x[k] = left[k / SEEDS];
        seeds_y[k] = (float)(100 * arms[k / SEEDS].seeds[k % SEEDS].test);
    }
    plot_crosses(plot, "each seed", seeds_x, seeds_y, RECIPES * SEEDS);
    plot_end(plot,
             "The same 5,000 test images, as they are and moved. Without augmentation the first test is "
             "better and the second worse.");
}

static void one_at_a_time(Lesson *lesson, Examples training, Examples testing)
{
    section(lesson, "One ingredient at a time");
    Arm arms[RECIPES] = {0};
    run_recipes(lesson, arms, training, testing);
    print_recipes(arms);
    Row all = arms[EVERYTHING].mean, no_augmentation = arms[NO_AUGMENTATION].mean;
    claim(lesson, all.test - all.moved <= 0.03,
          "trained with augmentation, the network loses at most 3 points when the images move by 2 pixels");
    claim(lesson, no_augmentation.test - no_augmentation.moved >= 0.04, "trained without, at least 4");
    if (!lesson_full(lesson)) {
        claim(lesson, all.test - arms[WITH_SIGMOID].mean.test >= 0.02,
              "the sigmoid costs at least 2 points, at its own best rate");
        claim(lesson, arms[WITH_TANH].mean.test >= all.test - 0.01,
              "and yet tanh, which saturates as well, is not behind ReLU, by a point at most");
        claim(lesson, all.test - arms[NO_NORM].mean.test >= 0.01,
              "batch normalisation is worth at least 1 point");
        claim(lesson, no_augmentation.test >= all.test + 0.01 && arms[NO_DROPOUT].mean.test >= all.test,
              "on this short budget augmentation lowers the accuracy on the test images as they are, by at "
              "least 1 point, and dropout does not raise it");
    }
    draw_recipes(lesson, arms);
}

/*
*ReLU made deep learning possible.* Not here: with a normalisation in front of it, tanh is two points ahead, each at its
best rate. The sigmoid is nearly three behind. The paper of 2012 saw ReLU reach a given training error six times faster
than tanh, in another network, on other images, and without batch normalisation, which was not yet known. With it, most
numbers lie between −2 and 2, where tanh still has a slope.

*Batch normalisation speeds up training.* That is what we see: after the same two epochs the network without it is nearly
four points behind, at its own best rate.

*Dropout and augmentation improve the test.* On this budget both make it worse, dropout by three points and augmentation
by more than five. Look at the training column: even without the two, training and test are only three and a half points
apart. There is little yet to protect the network from, and both make its task harder.

But the test images are centred as carefully as the training images. Move them by two pixels, and the network that was
best loses eleven points and falls behind the whole recipe, which loses one. Convolution and pooling alone do not give
this tolerance; the images that were never taken do.

## What went wrong on purpose: the switch

Batch normalisation and dropout are the only layers so far that compute something else while training than afterwards.
So every network with them has a switch (`training` in our functions, `model.eval()` in PyTorch), and forgetting it is one of
the most frequent mistakes of all.

How bad is it? We test one network three times, in batches of 100: properly; with the switch forgotten, on test images
in their random order; and with the switch forgotten on the same images sorted by class, as a user's album might be.
*/

// Images sorted by label, in their order within a class
static Examples sorted_by_class(Arena *arena, Examples set)
{
    int *order = arena_alloc(arena, (size_t)set.x.rows, sizeof *order),
        *labels = arena_alloc(arena, (size_t)set.x.rows, sizeof *labels);
    int count = 0;
    for (int c = 0; c < CLASSES; c++)
        for (int i = 0; i < set.x.rows; i++)
            if (set.labels[i] == c) labels[count] = c, order[count++] = i;
    Examples sorted = {matrix_new(arena, set.x.rows, set.x.cols), labels, set.side, set.background};
    gather_rows(sorted.x, set.x, order);
    return sorted;
}

static void forget_the_switch(Lesson *lesson, Examples training, Examples testing)
{
    section(lesson, "What went wrong on purpose: the switch");
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 200);
    AlexNet *net = alexnet_new(arena, recipes[NEITHER], &rng); // without dropout: only one switch matters
    Optimiser adam = adam_new(arena, &net->parameters, 0.9f, 0.999f, 1e-8f, 0.0f);
    train(lesson, scores_of_alexnet, net, &adam, training,
          (Training){"the switch", USED, 64, 2 * (USED / 64), 0, 3e-3f, false, NULL}, &rng);
    Examples album = sorted_by_class(arena, testing);
    int count = testing.x.rows;
    double proper = test(scores_of_alexnet, net, testing, count, AS_THEY_ARE, false).right;
    double mixed = test(scores_of_alexnet, net, testing, count, AS_THEY_ARE, true).right;
    double sorted = test(scores_of_alexnet, net, album, count, AS_THEY_ARE, true).right;
    printf("running statistics                          %5.1f %% right\n", 100 * proper);
    printf("statistics of the batch, random order       %5.1f %%\n", 100 * mixed);
    printf("statistics of the batch, sorted by class    %5.1f %%\n\n", 100 * sorted);
    // A standard error on 10,000 images is 0.4 points.
    claim(lesson, fabs(mixed - proper) <= 0.01,
          "on well mixed batches of 100 nobody notices: within 1 point");
    claim(lesson, proper - sorted >= 0.05,
          "on batches of one class the same network loses at least 5 points");
    arena_free(arena);
}

/*
That the mistake does not show in a shuffled test is what makes it dangerous. When all images of a batch are shirts,
"how much more shirt than the others" is a useless question. We had expected worse, 20 points at least; perhaps it
is because an image has edges and background whatever it shows.

## Only small windows: from AlexNet to deep stacks

AlexNet's first layer has windows of 11 × 11. **VGG** (Simonyan and Zisserman 2014) threw all large windows out: two layers
of 3 × 3 see 5 × 5 pixels, three see 7 × 7, with 27 weights for each pair of channels in the place of 49, and with an
activation after each. That made networks of 16 and 19 layers. The smallest window of all is **1 × 1**: it looks at no
neighbour and mixes only channels, a linear layer for each pixel (Lin, Chen and Yan 2013). It can change the number of
channels cheaply, and so ResNets of 50 layers and more put their 3 × 3 between two of them: down from 256 channels to 64,
3 × 3 among the 64, and up to 256 again. Such a **bottleneck** (瓶颈) has 70 thousand weights, where two layers of
3 × 3 among 256 channels have 1.2 million.

Our networks are so narrow that 3 × 3 alone will do; the 1 × 1 appears where the number of channels changes.

## The residual block

A residual block adds what two convolutions compute to what enters, and then applies the activation:

$$h \leftarrow \max\big(0,\; h + \mathrm{norm}_2(W_2 * \max(0, \mathrm{norm}_1(W_1 * h)))\big).$$

Doing nothing is easy for it: $W_2 * \dots = 0$. Where the number of channels changes, a 1 × 1 convolution takes the place
of the $h$ that is added. And what chapter 9 found about sums holds here as well: $n$ blocks that each add something of
size 1 pile up. So the gain of each block's last normalisation begins with $1/\sqrt n$ instead of 1. The plain network
that we compare with is the same without "$h\, +$".
*/

typedef struct {
    Conv first, second, shortcut; // a convolution on the shortcut only where the shape changes
    BatchNorm norm1, norm2, norm_shortcut;
} Block;

enum { MOST_STAGES = 3, MOST_BLOCKS = 15 };

typedef struct {
    int side;  // of the images
    bool pool; // a maximum over 2 × 2 behind the first layer
    bool residual;
    int stages, width[MOST_STAGES],
        blocks[MOST_STAGES]; // every stage but the first begins with a stride of 2
} Design;

typedef struct {
    Design design;
    Conv stem;
    BatchNorm norm_stem;
    Block blocks[MOST_BLOCKS];
    int made; // of them
    Linear scores;
    Parameters parameters;
} ResNet;

static Block block_new(Parameters *set, const char *name, int from, int to, int stride, Rng *rng)
{
    Block block = {.first = conv_new_without_bias(set, layer_name(set, name, "first", -1), from, to,
                                                  window_square(3, stride, 1), rng, INIT_HE),
                   .norm1 = batch_norm_new(set, layer_name(set, name, "norm1", -1), to),
                   .second = conv_new_without_bias(set, layer_name(set, name, "second", -1), to, to,
                                                   window_square(3, 1, 1), rng, INIT_HE),
                   .norm2 = batch_norm_new(set, layer_name(set, name, "norm2", -1), to)};
    if (from == to && stride == 1) return block;
    block.shortcut = conv_new_without_bias(set, layer_name(set, name, "shortcut", -1), from, to,
                                           window_square(1, stride, 0), rng, INIT_HE);
    block.norm_shortcut = batch_norm_new(set, layer_name(set, name, "norm_shortcut", -1), to);
    return block;
}

static Map block_out(Block *block, Map h, bool residual, bool training)
{
    Map f = map_conv(&block->first, h);
    f.features = batch_normalise_relu(&block->norm1, f.features, training);
    f = map_conv(&block->second, f);
    if (!residual) {
        f.features = batch_normalise_relu(&block->norm2, f.features, training);
        return f;
    }
    if (block->shortcut.weight) {
        h = map_conv(&block->shortcut, h);
        h.features = batch_normalise(&block->norm_shortcut, h.features, training);
    }
    f.features = batch_normalise_add_relu(&block->norm2, f.features, h.features, training);
    return f;
}

static ResNet *resnet_new(Arena *arena, Design design, Rng *rng)
{
    ResNet *net = arena_zeros(arena, 1, sizeof *net);
    Parameters *set = &net->parameters;
    *set = parameters_new(arena);
    net->design = design;
    net->stem = conv_new_without_bias(set, "stem", 1, design.width[0], window_square(3, 1, 1), rng, INIT_HE);
    net->norm_stem = batch_norm_new(set, "norm_stem", design.width[0]);
    int from = design.width[0];
    for (int s = 0; s < design.stages; s++)
        for (int b = 0; b < design.blocks[s]; b++) {
            net->blocks[net->made] = block_new(set, layer_name(set, "block", "", net->made), from,
                                               design.width[s], s > 0 && b == 0 ? 2 : 1, rng);
            net->made++;
            from = design.width[s];
        }
    for (int b = 0; b < net->made && design.residual; b++)
        fill(net->blocks[b].norm2.gain->value, 1.0f / sqrtf((float)net->made));
    net->scores = linear_new(set, "scores", from, CLASSES, rng, INIT_GLOROT);
    return net;
}

// x (B × side²) → (B × channels), the mean of each channel over all pixels
static Tensor *features_of_resnet(ResNet *net, Tape *tape, Matrix x, bool training)
{
    const Grid pixels = {x.rows, net->design.side, net->design.side};
    Map h = map_conv(&net->stem, map_input(tape, matrix_reshape(x, grid_rows(pixels), 1), pixels));
    h.features = batch_normalise_relu(&net->norm_stem, h.features, training);
    if (net->design.pool) h = map_max_pool(h, window_square(2, 2, 0));
    for (int b = 0; b < net->made; b++) h = block_out(&net->blocks[b], h, net->design.residual, training);
    return map_means(h);
}

// x (B × side²) → (B × 10)
static Tensor *scores_of_resnet(void *which, Tape *tape, Matrix x, Rng *rng, bool training)
{
    (void)rng;
    ResNet *net = which;
    return linear(&net->scores, features_of_resnet(net, tape, x, training));
}

// The mean of 2 × 2 pixels
static Examples halved(Arena *arena, Examples set)
{
    int side = set.side / 2;
    Examples small = {matrix_new(arena, set.x.rows, side * side), set.labels, side, set.background};
    for (int i = 0; i < set.x.rows; i++)
        for (int y = 0; y < side; y++)
            for (int x = 0; x < side; x++) {
                const float *at = &AT(set.x, i, 2 * y * set.side + 2 * x);
                AT(small.x, i, y * side + x) = 0.25f * (at[0] + at[1] + at[set.side] + at[set.side + 1]);
            }
    return small;
}

/*
## How large are the gradients?

He, Zhang, Ren and Sun found in 2015 that beyond a certain depth the error of plain networks rises, on their own
*training* images. They used batch normalisation, and so they wrote that vanishing gradients were unlikely to be the
reason: it keeps the size of signals, forwards and backwards. Does it? We have seen in chapter 9 that layer normalisation
without shortcuts makes gradients *explode*. Let us predict what batch normalisation does.

The numbers $n$ that a normalisation hands to ReLU are about normal, with mean 0 and deviation 1. On the way back ReLU
lets half of them pass, and with them half of the gradient's square. The weights change nothing, because the next
normalisation undoes their size. But it also divides by the deviation of what ReLU hands on, and this is small, since
half-waves have a mean that does not count: $\mathrm{Var}(\max(0, n)) = \frac12 - \frac1{2\pi}$. Together

$$\text{factor for each layer} = \sqrt{\frac{1/2}{1/2 - 1/2\pi}} = 1.211 ,$$

the number of chapter 9 (Yang and others 2019). At 32 layers, 28 of them lie between the first convolution of the first
block and that of the last: $1.211^{28} = 213$.

Nothing that we choose stands in this formula but one thing, the place of ReLU's kink. Let the bias $\beta$ of each
normalisation begin at 2. Then $\max(0, n + 2)$ lets 97.7 % pass, and its variance is 0.960: the factor is
$\sqrt{0.977 / 0.960} = 1.009$, and $1.009^{28} = 1.3$. A nearly linear network of the same depth without shortcuts: that
is the control that we need. We measure the gradient of the weights in the first block over that in the last, in fresh
networks.
*/

typedef enum { PLAIN, LINEAR_START, RESIDUAL, KINDS } Kind;
static const char *const kind_names[KINDS] = {"plain", "plain, beta = 2", "residual"};

// Two stages of equal depth. A block has two layers; the first and the last layer stand outside.
static ResNet *deep_new(Arena *arena, Kind kind, int depth, int side, int width, Rng *rng)
{
    const int blocks = (depth - 2) / 2;
    const Design design = {.side = side,
                           .residual = kind == RESIDUAL,
                           .stages = 2,
                           .width = {width, 2 * width},
                           .blocks = {blocks / 2, blocks - blocks / 2}};
    ResNet *net = resnet_new(arena, design, rng);
    for (int b = 0; b < blocks && kind == LINEAR_START; b++) {
        fill(net->blocks[b].norm1.bias->value, 2.0f);
        fill(net->blocks[b].norm2.bias->value, 2.0f);
    }
    return net;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// The gradient of the first block's first convolution over that of the last block's: the median over networks
static double gradient_ratio(Lesson *lesson, Examples set, Kind kind, int depth, int width)
{
    enum { NETWORKS = 7, BATCH = 64 };
    double ratios[NETWORKS];
    for (int k = 0; k < NETWORKS; k++) {
        Arena *arena = arena_new();
        Tape *tape = tape_new();
        Rng rng = lesson_rng(lesson, 600 + (uint64_t)k);
        ResNet *net = deep_new(arena, kind, depth, set.side, width, &rng);
        Examples batch = examples_from(set, k * BATCH);
        Tensor *scores = scores_of_resnet(net, tape, matrix_rows(batch.x, 0, BATCH), &rng, true);
        backward(cross_entropy(scores, batch.labels));
        ratios[k] = norm(net->blocks[0].first.weight->gradient) /
                    norm(net->blocks[net->made - 1].first.weight->gradient);
        tape_free(tape);
        arena_free(arena);
    }
    qsort(ratios, NETWORKS, sizeof *ratios, by_size);
    return ratios[NETWORKS / 2];
}

enum { DEPTHS = 4, SHALLOW = 8, DEEP = 32, WIDTH = 8 };
static const int depths[DEPTHS] = {SHALLOW, 16, 24, DEEP};

static void draw_ratios(Lesson *lesson, float ratios[KINDS][DEPTHS])
{
    float x[DEPTHS], theory[DEPTHS];
    for (int d = 0; d < DEPTHS; d++) {
        x[d] = (float)depths[d];
        theory[d] = ratios[PLAIN][0] * exp32(log32(1.2111f) * (float)(depths[d] - SHALLOW));
    }
    Plot *plot = plot_begin(lesson, "ratio.svg", "Gradient of the first block over that of the last");
    plot_axes(plot, "layers", "ratio of the norms of gradients");
    plot_log(plot, "y");
    plot_range_x(plot, 6.0, 34.0);
    for (int kind = 0; kind < KINDS; kind++)
        plot_line_points(plot, kind == LINEAR_START ? "plain, β = 2" : kind_names[kind], x, ratios[kind],
                         DEPTHS);
    plot_dashed(plot, "1.211 for each layer", x, theory, DEPTHS);
    plot_end(plot,
             "Fresh networks with batch normalisation, medians of seven. The dashed line begins where the "
             "plain networks do.");
}

static void how_large_are_the_gradients(Lesson *lesson, Examples training)
{
    section(lesson, "How large are the gradients?");
    Examples small = halved(lesson_arena(lesson), training);
    float ratios[KINDS][DEPTHS], most[KINDS] = {0};
    printf("first block over last            8 layers       16       24       32\n");
    for (int kind = 0; kind < KINDS; kind++) {
        printf("%-28s", kind_names[kind]);
        for (int d = 0; d < DEPTHS; d++) {
            ratios[kind][d] = (float)gradient_ratio(lesson, small, (Kind)kind, depths[d], WIDTH);
            most[kind] = fmaxf(most[kind], ratios[kind][d]);
            printf("%9.2f", (double)ratios[kind][d]);
        }
        printf("\n");
    }
    float growth = ratios[PLAIN][DEPTHS - 1] / ratios[PLAIN][0];
    double factor = (double)exp32(log32(growth) / (DEEP - SHALLOW));
    printf("\nplain, factor for each layer: %.3f (theory 1.211)\n\n", factor);
    claim(lesson, ratios[PLAIN][DEPTHS - 1] >= 20.0f,
          "in a plain network of 32 layers the first block has at least 20 times the gradient of the last");
    claim(lesson, fabs(factor / 1.2111 - 1.0) <= 0.05,
          "the factor for each layer is that of the theory, to 5 %%");
    claim(lesson, most[LINEAR_START] <= 3.0f, "with a nearly linear start nothing explodes: at most 3 times");
    claim(lesson, most[RESIDUAL] <= 3.0f, "with shortcuts neither, at any depth: at most 3 times");
    draw_ratios(lesson, ratios);
}

/*
So batch normalisation does not keep the size of gradients, it makes them explode, and shortcuts stop it. The factor is
3 % smaller than the theory has it; 3 % in each of 24 layers is a half. It is not the finite width of chapter 9: with four
times the channels we measured 1.171. Nor is it the zeros around the image: on images of 28 × 28, with less of an edge,
it was 1.169. The theory is made for layers whose rows have nothing to do with each other. Neighbouring pixels have.

## Deeper is worse: degradation

Now we train: convolutions of 3 × 3 on images of 14 × 14 (the mean of 2 × 2 pixels), 4,000 of them, for 200 steps of 32
images. The question is not how well new images are recognised, but how well the networks fit *these*. A deeper network
could always copy a shallower one and do nothing in its other layers, so nothing but the search for weights can stand in
its way. Each kind is trained by Adam at three rates, and its best rate counts. The loss is measured with the statistics
of the batch, as in training: a deep plain network enlarges the errors of running statistics as it enlarges all others,
and that is another question.
*/

enum { DEEP_ARMS = 5, DEEP_BATCH = 32, FEW = 4000 };
static const float deep_rates[RATES] = {1e-2f, 3e-2f, 1e-1f};

typedef struct {
    const char *name;
    Kind kind;
    int depth;
    Result at[RATES];
    float curves[RATES][CURVE]; // the mean loss over each fiftieth of the training
    int best;                   // which rate
} DeepArm;

static DeepArm deep_arm(const char *name, Kind kind, int depth)
{
    return (DeepArm){.name = name, .kind = kind, .depth = depth};
}

static long deep_steps(const Lesson *lesson) { return lesson_full(lesson) ? 1000 : 200; }

static void train_deep(Lesson *lesson, Examples set, DeepArm *arm, int rate)
{
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 300);
    ResNet *net = deep_new(arena, arm->kind, arm->depth, set.side, WIDTH, &rng);
    Optimiser adam = adam_new(arena, &net->parameters, 0.9f, 0.999f, 1e-8f, 0.0f);
    Training how = {
        NULL, FEW, DEEP_BATCH, deep_steps(lesson), 30, deep_rates[rate], false, arm->curves[rate]};
    train(lesson, scores_of_resnet, net, &adam, set, how, &rng);
    arm->at[rate] = test(scores_of_resnet, net, set, FEW, AS_THEY_ARE, true);
    arena_free(arena);
}

static void train_all_deep(Lesson *lesson, Examples set, DeepArm *arms)
{
    int done = 0;
#pragma omp parallel for schedule(dynamic, 1)
    for (int k = 0; k < DEEP_ARMS * RATES; k++) { // the longest first
        train_deep(lesson, set, &arms[k / RATES], k % RATES);
#pragma omp critical
        lesson_progress(lesson, "deep networks", ++done, DEEP_ARMS * RATES, NAN);
    }
    printf("training loss, at rate      %6g %6g %6g   right, at the best\n", (double)deep_rates[0],
           (double)deep_rates[1], (double)deep_rates[2]);
    for (int a = 0; a < DEEP_ARMS; a++) {
        DeepArm *arm = &arms[a];
        for (int r = 1; r < RATES; r++)
            if (arm->at[r].loss < arm->at[arm->best].loss) arm->best = r;
        printf("%-28s", arm->kind == LINEAR_START ? "plain, beta = 2, 32 layers" : arm->name);
        for (int r = 0; r < RATES; r++) printf("%6.3f ", arm->at[r].loss);
        printf("%18.1f %%\n", 100 * arm->at[arm->best].right);
    }
    printf("\n");
}

static void draw_degradation(Lesson *lesson, const DeepArm *arms)
{
    float when[CURVE];
    for (int k = 0; k < CURVE; k++) when[k] = ((float)k + 0.5f) * (float)deep_steps(lesson) / CURVE;
    Plot *plot = plot_begin(lesson, "degradation.svg", "Five networks learn the same images");
    plot_axes(plot, "step", "training loss (nats)");
    plot_log(plot, "y");
    for (int a = 0; a < DEEP_ARMS; a++) {
        if (arms[a].depth == DEEP) {
            plot_line(plot, arms[a].name, when, arms[a].curves[arms[a].best], CURVE);
        } else {
            plot_dashed(plot, arms[a].name, when, arms[a].curves[arms[a].best], CURVE);
        }
    }
    plot_end(plot,
             "Each at its best rate. Two of the three deep networks stay behind; the residual one goes with "
             "the shallow ones.");
}

static void degradation(Lesson *lesson, Examples training)
{
    section(lesson, "Deeper is worse: degradation");
    enum { RESIDUAL_32, PLAIN_32, LINEAR_32, RESIDUAL_8, PLAIN_8 };
    DeepArm arms[DEEP_ARMS] = {[RESIDUAL_32] = deep_arm("residual, 32 layers", RESIDUAL, DEEP),
                               [PLAIN_32] = deep_arm("plain, 32 layers", PLAIN, DEEP),
                               [LINEAR_32] = deep_arm("plain, β = 2, 32 layers", LINEAR_START, DEEP),
                               [RESIDUAL_8] = deep_arm("residual, 8 layers", RESIDUAL, SHALLOW),
                               [PLAIN_8] = deep_arm("plain, 8 layers", PLAIN, SHALLOW)};
    double losses[DEEP_ARMS];
    train_all_deep(lesson, halved(lesson_arena(lesson), training), arms);
    for (int a = 0; a < DEEP_ARMS; a++) losses[a] = arms[a].at[arms[a].best].loss;
    claim(lesson, losses[PLAIN_32] >= 1.2 * losses[PLAIN_8],
          "32 plain layers fit their training images worse than 8: at least 1.2 times the loss");
    claim(lesson, losses[RESIDUAL_32] <= 1.1 * losses[RESIDUAL_8],
          "32 residual layers fit them as well as 8, or better: at most 1.1 times the loss");
    claim(lesson, losses[LINEAR_32] >= 1.2 * losses[PLAIN_8],
          "32 plain layers whose gradients do not explode are behind, too: at least 1.2 times the loss");
    draw_degradation(lesson, arms);
}

/*
The plain network of 32 layers is far behind its little sister on the very images that it was trained on, at all three
rates: nothing was learned by heart here, it is descent that does not get there. Add the shortcut, and depth does no
harm any more. It does no good either. At a rate of 0.003, the only rate that we had tried at first, the deep residual
network was far ahead of the shallow one (a loss of 0.693 against 1.005), and a wrong sentence stood here: "depth carries
the residual network". The shallow one had only been given too small a rate.

An honest limit: this is degradation *at a fixed, small number of steps*. It says that descent finds its way more slowly
in the deep plain network, not that it never arrives. `make chapter11 FULL=1` gives all five five times as many steps.
Then the plain network of 32 layers is at 0.660 and its little sister at 0.301: both have fallen by half, and the
proportion stays. The residual ones are at 0.287 and 0.335, the control at 0.756.

## What is left of the image?

And why does the plain network stay behind? The gradients explode; but Adam divides each by its own size, and the control
says clearly that this is not the whole reason. Its gradients do *not* explode, and though it begins higher it ends only a
little better. In chapter 9 it was not the size of the gradients, either: what an image is about got lost on its way
through the layers. Is it so here? We send images through fresh networks, without any training, and ask how much a weighted
sum of the sixteen numbers that come out still knows of the class: least squares for each of the ten classes on 1,000
images, judged on 1,000 others. Whoever guesses is right in 10 % of them.
*/

// For 2,000 images: the features that leave a fresh network, and a column of ones, nearly (least squares wants them independent)
static Matrix fresh_features(Arena *arena, Examples set, Kind kind, int depth, Rng *rng)
{
    enum { IMAGES = 2000, CHANNELS = 2 * WIDTH };
    Matrix features = matrix_new(arena, IMAGES, CHANNELS + 1);
    ResNet *net = deep_new(arena, kind, depth, set.side, WIDTH, rng);
    Tape *tape = tape_new();
    tape_record(tape, false);
    for (int first = 0; first < IMAGES; first += TEST_BATCH) {
        tape_reset(tape);
        Tensor *out = features_of_resnet(net, tape, matrix_rows(set.x, first, TEST_BATCH), true);
        copy_columns(matrix_rows(features, first, TEST_BATCH), 0, out->value, 0, CHANNELS);
    }
    for (int i = 0; i < IMAGES; i++) AT(features, i, CHANNELS) = 1.0f + 0.001f * rng_normal(rng);
    tape_free(tape);
    return features;
}

// The fraction of the second half whose class is found by weights that were fitted to the first half
static double class_left(Lesson *lesson, Examples set, Kind kind, int depth)
{
    enum { NETWORKS = 3 };
    double right[NETWORKS];
    for (int k = 0; k < NETWORKS; k++) {
        Arena *arena = arena_new();
        Rng rng = lesson_rng(lesson, 700 + (uint64_t)k);
        Matrix features = fresh_features(arena, set, kind, depth, &rng);
        int half = features.rows / 2;
        Matrix w = matrix_new(arena, features.cols, 1), is_class = matrix_new(arena, half, 1);
        Matrix score = matrix_new(arena, half, 1), scores = matrix_new(arena, half, CLASSES);
        for (int c = 0; c < CLASSES; c++) {
            for (int i = 0; i < half; i++) is_class.data[i] = set.labels[i] == c ? 1.0f : 0.0f;
            least_squares_solve(w, matrix_rows(features, 0, half), is_class);
            matmul(score, matrix_rows(features, half, half), w);
            copy_columns(scores, c, score, 0, 1);
        }
        right[k] = accuracy(scores, set.labels + half);
        arena_free(arena);
    }
    qsort(right, NETWORKS, sizeof *right, by_size);
    return right[NETWORKS / 2];
}

static void what_is_left(Lesson *lesson, Examples training)
{
    section(lesson, "What is left of the image?");
    Examples small = halved(lesson_arena(lesson), training);
    double left[KINDS][DEPTHS];
    printf("%% right, from fresh features    8 layers       16       24       32\n");
    for (int kind = 0; kind < KINDS; kind++) {
        printf("%-28s", kind_names[kind]);
        for (int d = 0; d < DEPTHS; d++) {
            left[kind][d] = class_left(lesson, small, (Kind)kind, depths[d]);
            printf("%9.1f", 100 * left[kind][d]);
        }
        printf("\n");
    }
    printf("\n");
    // 1,000 guesses are right in 10 % with a standard error of 1 %.
    claim(lesson, left[PLAIN][DEPTHS - 1] <= 0.2,
          "32 plain layers leave next to nothing of the class: at most 20 %% right");
    claim(lesson, left[RESIDUAL][DEPTHS - 1] >= 0.4 && left[LINEAR_START][DEPTHS - 1] >= 0.4,
          "32 residual layers leave much of it, and so does the nearly linear start: at least 40 %%");
}

/*
So the fresh plain network erases the image, layer by layer, as chapter 9's networks with a normalisation and without
shortcuts did. The shortcuts carry it through. That is a good explanation, too, and our control survives it as well: with
$\beta = 2$ the image arrives and the gradients do not explode, and yet training is hardly better. So these two are what
shortcuts do before training; why they help *in* training is not said by either, nor by both together. We leave it open.

## A small ResNet

Doing nothing should be easy for a residual block. Is it, to the last bit? We set the gain of the block's last
normalisation to zero and look. Then we train a small ResNet on all 60,000 images: a first layer of 16 channels, a
maximum over 2 × 2, a block of 16 and a block of 32 channels, the mean over all pixels, ten scores. Nesterov's momentum,
a rate that falls like half a cosine, a little weight decay; no augmentation.
*/

static void nothing_is_easy(Lesson *lesson)
{
    section(lesson, "A small ResNet");
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 400);
    Parameters set = parameters_new(arena);
    Block block = block_new(&set, "block", 6, 6, 1, &rng);
    fill(block.norm2.gain->value, 0.0f);
    Grid grid = {3, 5, 7};
    Matrix x = matrix_new(arena, grid_rows(grid), 6);
    fill_uniform(x, &rng, 0.0f, 2.0f); // after ReLU nothing is negative
    Tape *tape = tape_new();
    Map out = block_out(&block, map_input(tape, x, grid), true, true);
    claim(lesson, largest_difference(out.features->value, x) == 0.0f,
          "a residual block whose last gain is zero does nothing, to the last bit");
    tape_free(tape);
    arena_free(arena);
}

static void small_resnet(Lesson *lesson, Examples training, Examples testing)
{
    section(lesson, "Trained on all images");
    const bool full = lesson_full(lesson);
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 500);
    const Design small = {SIDE, true, true, 2, {16, 32}, {1, 1}},
                 large = {SIDE, true, true, 3, {32, 64, 128}, {1, 1, 1}};
    ResNet *net = resnet_new(arena, full ? large : small, &rng);
    const int batch = 128, epochs = full ? 16 : 2;
    long steps = (long)epochs * (training.x.rows / batch);
    Optimiser nesterov = nesterov_new(arena, &net->parameters, 0.9f, 5e-4f);
    train(lesson, scores_of_resnet, net, &nesterov, training,
          (Training){"a small ResNet", training.x.rows, batch, steps, steps * 15 / 100, full ? 0.1f : 0.15f,
                     full, NULL},
          &rng);
    Result result = test(scores_of_resnet, net, testing, testing.x.rows, AS_THEY_ARE, false);
    printf("%zu parameters, %d epochs: %.2f %% of the test images right\n\n",
           parameters_size(&net->parameters), epochs, 100 * result.right);
    if (full) {
        claim(lesson, result.right >= 0.925, "the ResNet knows at least 92.5 %% of the test images");
    } else {
        claim(lesson, result.right >= 0.89, "the small ResNet knows at least 89 %% of the test images");
    }
    arena_free(arena);
}

/*
The best of chapter 9's networks, four plain layers at their best rate, reached 87.5 % after three epochs, with three times
as many weights. `make chapter11 FULL=1` takes a wider one, with a block of 32, of 64 and of 128 channels, through sixteen
epochs with augmentation: **93.03 %** (after six it was 91.59 %).

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "11-alexnet-to-resnet", "From AlexNet to ResNet");
    Arena *arena = lesson_arena(lesson);
    ImageSet clothes = fashion_mnist_load(arena);
    float mean_pixel, deviation;
    image_statistics(clothes.train, &mean_pixel, &deviation);
    Examples training = {image_matrix(arena, clothes.train, mean_pixel, deviation), clothes.train_labels,
                         SIDE, -mean_pixel / deviation};
    Examples testing = {image_matrix(arena, clothes.test, mean_pixel, deviation), clothes.test_labels, SIDE,
                        -mean_pixel / deviation};

    check_batch_norm(lesson);
    check_running_statistics(lesson);
    look_at_chance(lesson, training, clothes.names);
    one_at_a_time(lesson, training, testing);
    forget_the_switch(lesson, training, testing);
    how_large_are_the_gradients(lesson, training);
    degradation(lesson, training);
    what_is_left(lesson, training);
    nothing_is_easy(lesson);
    small_resnet(lesson, training, testing);
    return lesson_end(lesson);
}

/*
## What to take along

- Batch normalisation forgets size and offset of each channel, forwards and backwards. While training it looks at the
  batch, afterwards at running statistics; then it is one multiplication and one addition. It must be told which.
- An ingredient is worth what its absence costs, measured on your budget, with a rate chosen for each. On a short one,
  dropout and augmentation hold back a network that has not learned enough yet to be held back.
- What augmentation buys at once is tolerance to what it varies. Nobody gets it for free, not even from convolution.
- Batch normalisation does not keep the size of gradients: without shortcuts it enlarges them by about 1.2 in each layer,
  and what the image is about gets lost.
- Depth beyond some point makes plain networks fit worse. With shortcuts depth becomes harmless; useful it has not become
  here.
- A rate that is tried on one network alone decides comparisons. Ours had fooled us.

A residual block with a normalisation is what all later chapters build from. What stands inside it will change: in
chapter 17, attention takes the place of the convolution.

## Sources

- A. Krizhevsky, I. Sutskever, G. E. Hinton, *ImageNet classification with deep convolutional neural networks*, 2012:
  AlexNet, its recipe, and ReLU beside tanh.
- N. Srivastava and others, *Dropout: a simple way to prevent neural networks from overfitting*, 2014.
- M. Lin, Q. Chen, S. Yan, *Network in network*, 2013: the 1 × 1 convolution.
- K. Simonyan, A. Zisserman, *Very deep convolutional networks for large-scale image recognition*, 2014: VGG.
- S. Ioffe, C. Szegedy, *Batch normalization: accelerating deep network training by reducing internal covariate
  shift*, 2015.
- K. He, X. Zhang, S. Ren, J. Sun, *Deep residual learning for image recognition*, 2016: degradation, ResNet, bottlenecks.
- G. Yang and others, *A mean field theory of batch normalization*, 2019: the factor 1.21, and the nearly linear start.
- H. Xiao, K. Rasul, R. Vollgraf, *Fashion-MNIST*, 2017.

## Check yourself

**1.** A channel holds the two numbers 1 and 3. What does batch normalisation with $\gamma = 2$ and $\beta = 1$ make of them? And
of 10 and 30?

<details><summary>Answer</summary>

The mean is 2 and the deviation 1: the normalised numbers are −1 and 1, the outputs −1 and 3. Of 10 and 30 the same (but for
$\varepsilon$): size and offset are forgotten, as the first section claims.

</details>

**2.** You train for ten steps and test at once. The loss is good in training and terrible in the test, on the same images. Nothing
is wrong in the code. What is it?

<details><summary>Answer</summary>

The running statistics: after ten batches $0.9^{10} = 35\,\%$ of where they began, 0 and 1, is still in them. What you test is another
network than the one that you trained.

</details>

**3.** "Augmentation costs five points", says a colleague, and takes it out. What do you ask?

<details><summary>Answer</summary>

What the images of the users will be like, and how long the final training is. On images that are moved by two pixels the recipe with
augmentation and dropout has 78.7 % and the one without the two 74.6 %, though it is six points ahead on centred ones; and two epochs
are not a final training.

</details>

**4.** By what factor does the gradient of the first block exceed that of the last in a plain network with batch normalisation of 62
layers, by the theory? Will Adam suffer from it as much as plain descent?

<details><summary>Answer</summary>

$1.211^{58}$, about 66 000 (with the factor that we measured, 1.178, about 13 000). Plain descent has one rate for all layers, and none
suits both ends. Adam divides each gradient by its own size; and still our deep plain network stays behind, and so does the control
whose gradients do not explode.

</details>

**5.** A residual block begins with a gain of zero in its last normalisation. It does nothing, to the last bit. How can it ever learn
to do something?

<details><summary>Answer</summary>

The gradient of the *gain* is the sum of $g\,n$, and that is not zero. The weights in front of it get no gradient in the first step,
because what comes back to them is multiplied by the gain; once the gain has moved, they learn too.

</details>

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade11` tells how far you are, `make hint11`
helps.

- **TASK 11.1** batch normalisation after training, multiplied into the layer before it.
- **TASK 11.2** the derivative of batch normalisation while training: of the input, of the gain and of the bias.
- **TASK 11.3** the running mean and variance after one more batch.
- **TASK 11.4** dropout of whole channels, with the random numbers given.
- **TASK 11.5** an image flipped and moved.

And without a computer, or with five minutes at one:

**1.** What if the batch had one image of 28 × 28? And one of 1 × 1? What does batch normalisation answer then?

<details><summary>Answer</summary>

With 784 pixels there are still 784 numbers in each channel, and the image is normalised by its own statistics. With one pixel the mean
is the number itself and the variance 0: the answer is $\beta$, whatever the image shows, and no gradient comes back. The running variance
would need $N/(N-1) = 1/0$.

</details>

**2.** A convolution in front of a batch normalisation needs no bias. Why?

<details><summary>Answer</summary>

A bias moves all numbers of a channel by the same amount, and the normalisation takes their mean away again. Its gradient is exactly 0 but
for rounding. $\beta$ does the bias's work, behind the normalisation. (Our AlexNet has both, because one recipe goes without the
normalisation.)

</details>

**3.** What if the shortcut's sum came after the last activation, $h + \max(0, \dots)$? Can such a block lower a number?

<details><summary>Answer</summary>

No: it adds what is never negative, so from block to block every number can only grow, and the sum has a growing mean, as in chapter 9.
In our block ReLU comes after the sum and $\mathrm{norm}_2$ may be negative.

</details>

**4.** Replace "flipped left to right" by "flipped top to bottom". Which classes suffer, and would you do it for digits?

<details><summary>Answer</summary>

Nobody photographs clothes upside down: all classes spend capacity on images that the test does not have, and shapes that gravity tells
apart (a bag's handle, a boot's shaft) become harder. For digits it is wrong either way: flipped top to bottom a 6 is no digit but close to a
mirrored 9, and a 2 is close to a 5. An augmentation says "this does not change the answer"; that must be true.

</details>

**5.** By how much do 32 residual layers fit better than 8, at each rate of the table of degradation? And each at its best?

<details><summary>Answer</summary>

At 0.01, 0.03 and 0.1 by 13, 5 and 6 %, and at 0.003, which the table no longer shows, by 31 % (0.693 against 1.005, measured): whoever
looks at one rate may find anything between "equal" and "a third less". The best of one against the best of the other: 0.597 and 0.631,
5 %, about as much as a second seed moves them.

</details>
*/
