/*
# From AlexNet to ResNet

In 2012 a convolutional network called **AlexNet** won the largest picture contest there was, by such a margin that the
field changed its tools within a year. The paper lists its ingredients: a bend that does not saturate, random dropping
of units, pictures flipped and shifted at random. Three years later **ResNet** won the same contest with 152 layers and
two ingredients more, batch normalisation and the shortcut.

Ingredients are often handed on like a recipe: "use ReLU, dropout, augmentation and batch norm". In this chapter we
take the recipe apart. We write out each ingredient, build a small AlexNet with all of them, remove one at a time, and
look at what is missing. Then we stack convolutions until it breaks, as in chapter 9, and repair it.

- **batch normalisation** (批归一化), forwards and backwards, and the trap that it brings;
- **dropout** (随机失活) and **data augmentation** (数据增强);
- an **ablation** (消融实验): the whole without one of its parts;
- **degradation** (退化): deeper networks that fit their own training data worse;
- the **residual block** (残差块) of convolutions, and a small ResNet.

You need chapters 9 and 10. A batch of pictures is one matrix: rows are pixels, columns are channels. Nothing in this
chapter mixes rows in a new way: that is still the convolution's work.
*/

#include "learning/ops/conv.h"
#include "learning/optim.h"
#include "files/idx.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/nn.h"

#include <math.h>
#include <string.h>

enum { SIDE = 28, CLASSES = 10, MOST_BATCH = 128, TEST_BATCH = 100 };

typedef struct {
    Matrix x; // (N × height · width), one picture a row
    const int *labels;
    int side;
    float background; // what a black pixel is after standardising
} Examples;

/*
## Batch normalisation

Chapter 9 normalised each *row*. Ioffe and Szegedy had normalised each *column* the year before: every channel is
brought to mean 0 and deviation 1 over all pixels of all pictures in the batch, and then given a gain and a bias of its
own. For a channel with the numbers $x_1, \dots, x_N$,

$$y_i = \gamma\, n_i + \beta, \qquad n_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad
\mu = \tfrac1N \sum_i x_i, \quad \sigma^2 = \tfrac1N \sum_i (x_i - \mu)^2 .$$

In words: it does not matter any more how large the numbers were that a layer received, only how they differ from each
other. That is why a network with batch normalisation forgives an initialisation that is ten times too large.
*/

static const double EPSILON = 1e-5;

// One channel: x and y (N × C), column j
static void channel_statistics(double *mean, double *r, Matrix x, int j)
{
    double variance = 0.0;
    *mean = 0.0;
    for (int i = 0; i < x.rows; i++) *mean += (double)AT(x, i, j) / x.rows;
    for (int i = 0; i < x.rows; i++) {
        double distance = (double)AT(x, i, j) - *mean;
        variance += distance * distance / x.rows;
    }
    *r = 1.0 / sqrt(variance + EPSILON);
}

static void normalise_channels(Matrix y, Matrix x, Matrix gain, Matrix bias)
{
    for (int j = 0; j < x.cols; j++) {
        double mean, r;
        channel_statistics(&mean, &r, x, j);
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

with a bar for the mean over the batch. It is chapter 9's formula, turned by ninety degrees.
*/

static void normalise_channels_backward(Matrix d_x, Matrix d_gain, Matrix d_bias, Matrix d_y, Matrix x,
                                        Matrix gain)
{
    for (int j = 0; j < x.cols; j++) {
        double mean, r, sum_g = 0.0, sum_gn = 0.0;
        channel_statistics(&mean, &r, x, j);
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
## Dropout and augmentation

**Dropout** sets each number to zero with probability $p$ while training and divides the others by $1-p$, so that on
average nothing changes. No unit can rely on another one being there. At test time nothing is dropped.

**Augmentation** shows the network pictures that were never taken: each is flipped left to right with probability one
half, and shifted by up to two pixels. A flipped shirt is a shirt.
*/

// x (N × C) in place; each number is dropped or enlarged
static void drop(Matrix x, float p, Rng *rng)
{
    for (size_t i = 0; i < matrix_size(x); i++)
        x.data[i] = rng_uniform(rng) < p ? 0.0f : x.data[i] / (1.0f - p);
}

// The picture `in`, moved down by dy and right by dx; what comes in from outside is the background.
static void shift_picture(float *out, const float *in, int side, int dy, int dx, bool flip, float background)
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
        float *picture = matrix_row(batch, i);
        memcpy(original, picture, sizeof(float) * (size_t)(side * side));
        bool flip = rng_below(rng, 2) == 1;
        int dy = (int)rng_below(rng, 5) - 2, dx = (int)rng_below(rng, 5) - 2;
        shift_picture(picture, original, side, dy, dx, flip, background);
    }
}

static void look_at_chance(Lesson *lesson, Examples training, const char *const *names)
{
    section(lesson, "Dropout and augmentation");
    enum { PICTURES = 3, COPIES = 8, ROUNDS = 10000 };
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

    Matrix copies = matrix_new(arena, PICTURES * COPIES, SIDE * SIDE);
    const char *captions[PICTURES * COPIES];
    for (int i = 0; i < PICTURES * COPIES; i++) {
        copy(matrix_rows(copies, i, 1), matrix_rows(training.x, i / COPIES, 1));
        captions[i] = i % COPIES ? NULL : names[training.labels[i / COPIES]];
        if (i % COPIES) augment(matrix_rows(copies, i, 1), SIDE, training.background, &rng);
    }
    Plot *plot = plot_begin(lesson, "augmented.png", "Pictures that were never taken");
    plot_size(plot, 960, 440);
    plot_images(plot, (PlotImages){SIDE, SIDE, 1, COPIES, 0, 0}, copies, captions);
    plot_end(
        plot,
        "On the left the original, then seven copies, flipped and shifted by up to two pixels at random.");
}

/*
## A small AlexNet

Three convolutions of 3 × 3, each followed by a maximum over 2 × 2 pixels, a normalisation and a bend; then a hidden
layer of 64 with dropout, then ten scores. The maximum comes first because what follows then has a quarter of the work;
for a bend that rises it makes no difference. Everything that we want to remove is a switch.
*/

typedef enum { RELU, TANH, SIGMOID } Bend;

typedef struct {
    const char *name;
    Bend bend;
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

static Tensor *bent(Bend bend, Tensor *x)
{
    return bend == RELU ? relu(x) : bend == TANH ? hyperbolic_tangent(x) : sigmoid(x);
}

static Tensor *normalised_and_bent(BatchNorm *norm, Bend bend, Tensor *x, bool training)
{
    if (bend == RELU) return batch_normalise_relu(norm, x, training); // both in one pass
    return bent(bend, batch_normalise(norm, x, training));
}

// x (B × 28·28) → (B × 10). The picture's pixels are the rows of the first layer's input: a reshape.
static Tensor *alexnet_scores(AlexNet *net, Tape *tape, Matrix x, Rng *rng, bool training)
{
    Grid grid = {x.rows, SIDE, SIDE};
    Window pool = window_square(2, 2, 0);
    Tensor *h = tape_input(tape, matrix_reshape(x, grid_rows(grid), 1));
    for (int i = 0; i < CONVS; i++) {
        h = max_pool(conv(&net->convs[i], h, grid), grid, pool);
        grid = window_grid(HERE, grid, pool);
        h = net->recipe.norm ? normalised_and_bent(&net->norms[i], net->recipe.bend, h, training)
                             : bent(net->recipe.bend, h);
    }
    h = tensor_reshape(h, x.rows, 3 * 3 * channels[CONVS]);
    h = bent(net->recipe.bend, linear(&net->hidden, h));
    return linear(&net->scores, dropout(h, net->recipe.dropout, rng, training));
}

/*
Training and testing are chapter 9's loops. One function gives the scores of any network of this chapter, so that both
loops serve all of them.
*/

typedef Tensor *(*Scores)(void *net, Tape *tape, Matrix x, Rng *rng, bool training);

static Tensor *scores_of_alexnet(void *net, Tape *tape, Matrix x, Rng *rng, bool training)
{
    return alexnet_scores(net, tape, x, rng, training);
}

typedef struct {
    double loss, right; // mean cross-entropy; share
} Result;

// Pictures shifted by (dy, dx), in batches; with batch_statistics the test is done the wrong way, see below.
static Result test(Scores scores, void *net, Examples set, int count, int dy, int dx, bool batch_statistics)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    tape_record(tape, false);
    Rng unused = rng_new(1, 1);
    Matrix x = matrix_new(arena, TEST_BATCH, set.x.cols);
    Result result = {0};
    for (int first = 0; first < count; first += TEST_BATCH) {
        int some = int_min(TEST_BATCH, count - first);
        Matrix batch = matrix_rows(x, 0, some);
        for (int i = 0; i < some; i++)
            shift_picture(matrix_row(batch, i), matrix_row(set.x, first + i), set.side, dy, dx, false,
                          set.background);
        tape_reset(tape);
        Tensor *out = scores(net, tape, batch, &unused, batch_statistics);
        Tensor *loss = cross_entropy(out, set.labels + first);
        result.right += accuracy(out->value, set.labels + first) * some / count;
        result.loss += (double)loss->value.data[0] * some / count;
    }
    tape_free(tape);
    arena_free(arena);
    return result;
}

typedef struct {
    const char *name; // on the progress bar
    int count, batch; // the first `count` pictures are used
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
        lesson_progress(lesson, how.name, step + 1, how.steps, (double)loss->value.data[0]);
    }
    tape_free(tape);
    arena_free(arena);
}

/*
## One ingredient at a time

Seven recipes: the whole, the whole with another bend, and the whole with parts left out. Each is trained on the first
10,000 pictures for two epochs, with three seeds, and tested twice: on all test pictures as they are, and on the first
1,000 moved by two pixels, the mean over four directions. *Lost* is what these 1,000 lose by being moved.

Three sentences are repeated wherever this recipe is handed on: *ReLU made deep learning possible*, *dropout and
augmentation improve the test*, *batch normalisation speeds up training*. What do you expect to see?
*/

enum { EVERYTHING, WITH_TANH, WITH_SIGMOID, NO_NORM, NO_DROPOUT, NO_AUGMENTATION, NEITHER, RECIPES };
enum { SEEDS = 3, SOME = 10000, SHIFTED = 1000 };
static const Recipe recipes[RECIPES] = {{"everything", RELU, true, 0.3f, true},
                                        {"tanh instead of ReLU", TANH, true, 0.3f, true},
                                        {"sigmoid instead of ReLU", SIGMOID, true, 0.3f, true},
                                        {"without batch norm", RELU, false, 0.3f, true},
                                        {"without dropout", RELU, true, 0.0f, true},
                                        {"without augmentation", RELU, true, 0.3f, false},
                                        {"without either of the two", RELU, true, 0.0f, false}};

typedef struct {
    double training, test, moved, lost; // shares of right answers
} Row;

static Row run_recipe(Lesson *lesson, Recipe recipe, Examples training, Examples testing, uint64_t seed)
{
    const int epochs = lesson_full(lesson) ? 10 : 2, batch = 64;
    const int directions[4][2] = {{-2, 0}, {2, 0}, {0, -2}, {0, 2}};
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 100 + seed);
    AlexNet *net = alexnet_new(arena, recipe, &rng);
    Optimiser adam = adam_new(arena, &net->parameters, 0.9f, 0.999f, 1e-8f, 0.0f);
    long steps = (long)epochs * (SOME / batch);
    train(lesson, scores_of_alexnet, net, &adam, training,
          (Training){recipe.name, SOME, batch, steps, 0, 3e-3f, recipe.augment, NULL}, &rng);
    Row row = {.training = test(scores_of_alexnet, net, training, SHIFTED, 0, 0, false).right,
               .test = test(scores_of_alexnet, net, testing, testing.x.rows, 0, 0, false).right};
    for (int d = 0; d < 4; d++) {
        const int *by = directions[d];
        row.moved += test(scores_of_alexnet, net, testing, SHIFTED, by[0], by[1], false).right / 4;
    }
    row.lost = test(scores_of_alexnet, net, testing, SHIFTED, 0, 0, false).right - row.moved;
    arena_free(arena);
    return row;
}

static void one_at_a_time(Lesson *lesson, Examples training, Examples testing)
{
    section(lesson, "One ingredient at a time");
    Row mean[RECIPES] = {0};
    printf("%% right, mean of %d seeds   training   test (from … to)     moved   lost\n", SEEDS);
    for (int r = 0; r < RECIPES; r++) {
        double low = 1.0, high = 0.0;
        for (int seed = 0; seed < SEEDS; seed++) {
            Row row = run_recipe(lesson, recipes[r], training, testing, (uint64_t)seed);
            mean[r].training += row.training / SEEDS, mean[r].test += row.test / SEEDS;
            mean[r].moved += row.moved / SEEDS, mean[r].lost += row.lost / SEEDS;
            low = fmin(low, row.test), high = fmax(high, row.test);
        }
        printf("%-26s %8.1f   %5.1f (%.1f … %.1f) %8.1f %6.1f\n", recipes[r].name, 100 * mean[r].training,
               100 * mean[r].test, 100 * low, 100 * high, 100 * mean[r].moved, 100 * mean[r].lost);
    }
    printf("\n");
    claim(lesson, mean[EVERYTHING].lost <= 0.03,
          "trained with augmentation, the network loses at most 3 points when the pictures move by 2 pixels");
    claim(lesson, mean[NO_AUGMENTATION].lost >= 0.04, "trained without, at least 4");
    if (!lesson_full(lesson)) {
        claim(lesson, mean[EVERYTHING].test - mean[WITH_SIGMOID].test >= 0.03,
              "the sigmoid costs at least 3 points");
        claim(lesson, fabs(mean[EVERYTHING].test - mean[WITH_TANH].test) <= 0.03,
              "and yet tanh, which saturates as well, is within 3 points of ReLU");
        claim(lesson, mean[EVERYTHING].test - mean[NO_NORM].test >= 0.01,
              "batch normalisation is worth at least 1 point");
        claim(lesson,
              mean[NO_AUGMENTATION].test > mean[EVERYTHING].test &&
                  mean[NO_DROPOUT].test > mean[EVERYTHING].test,
              "on this short budget augmentation and dropout each lower the accuracy on the test pictures as "
              "they are");
    }

    float values[RECIPES], moved[RECIPES], where[RECIPES];
    const char *labels[RECIPES] = {"everything", "tanh",     "sigmoid", "no norm",
                                   "no dropout", "no augm.", "neither"};
    double ticks[RECIPES];
    for (int r = 0; r < RECIPES; r++) {
        ticks[r] = r, where[r] = (float)r;
        values[r] = (float)(100 * mean[r].test), moved[r] = (float)(100 * mean[r].moved);
    }
    Plot *plot = plot_begin(lesson, "ablation.png", "What each ingredient is worth");
    plot_axes(plot, "recipe", "right answers (%)");
    plot_range_x(plot, -0.5, RECIPES - 0.5);
    plot_x_ticks(plot, ticks, labels, RECIPES);
    plot_points(plot, "test", where, values, RECIPES);
    plot_points(plot, "test, moved by 2 pixels", where, moved, RECIPES);
    plot_end(plot, "Without augmentation the clean test is better and the moved test is worse.");
}

/*
*ReLU made deep learning possible.* Not here: with a normalisation in front of it, tanh is more than a point ahead at
equal steps. What costs points is the sigmoid, whose numbers are never negative and whose slope is at most a quarter.
The paper of 2012 saw ReLU reach a given training error six times faster than tanh, in another network, on other
pictures, and without batch normalisation, which was not yet known. A bend that saturates is a problem only where the
numbers are large enough to saturate it.

*Batch normalisation speeds up training.* That is what we see: after the same two epochs the network without it is
about three points behind.

*Dropout and augmentation improve the test.* On this budget both make it worse, and augmentation by as much as the
sigmoid. Look at the training column: even without the two, training and test are only five points apart. There is
little yet to protect the network from, and both make its task harder. With ten epochs (`FULL=1`) the network without
either knows 97.8 % of its training pictures and 86.4 % of the others: now there is something to protect from, and dropout
alone, with 86.8 %, has begun to earn its keep.

But the test pictures are centred as carefully as the training pictures. Move them by two pixels, and the network that
was best falls back to the one without normalisation, while the whole recipe loses two points. Convolution and pooling
alone do not give this tolerance; the pictures that were never taken do.

## What went wrong on purpose: the switch

Batch normalisation is the only layer so far that computes something else while training than afterwards. While
training it uses the mean and deviation of the batch; afterwards it must not, because an answer would then depend on
which other pictures happen to be asked about at the same time. So a *running* mean and variance are kept while
training and used afterwards. Forgetting the switch is one of the most frequent mistakes of all.

How bad is it? We test one network three times, in batches of 100: properly; with the switch forgotten, on test pictures
in their random order; and with the switch forgotten on the same pictures sorted by class, as a user's album might be.
*/

// Pictures sorted by label, in their order within a class
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
          (Training){"the switch", SOME, 64, 2 * (SOME / 64), 0, 3e-3f, false, NULL}, &rng);
    Examples album = sorted_by_class(arena, testing);
    int count = testing.x.rows;
    double proper = test(scores_of_alexnet, net, testing, count, 0, 0, false).right;
    double mixed = test(scores_of_alexnet, net, testing, count, 0, 0, true).right;
    double sorted = test(scores_of_alexnet, net, album, count, 0, 0, true).right;
    printf("running statistics                          %5.1f %% right\n", 100 * proper);
    printf("statistics of the batch, random order       %5.1f %%\n", 100 * mixed);
    printf("statistics of the batch, sorted by class    %5.1f %%\n\n", 100 * sorted);
    claim(lesson, fabs(mixed - proper) <= 0.02,
          "on well mixed batches of 100 nobody notices: within 2 points");
    claim(lesson, proper - sorted >= 0.05,
          "on batches of one class the same network loses at least 5 points");
    arena_free(arena);
}

/*
That the mistake does not show in a shuffled test is what makes it dangerous. When all pictures of a batch are shirts,
"how much more shirt than the others" is a useless question. We had expected worse, 20 points at least; but a picture
has edges and background whatever it shows, and so its statistics are not all about its class.

## Deeper is worse: degradation

Now depth. We stack convolutions of 3 × 3 with batch normalisation, on pictures of 14 × 14 (the mean of 2 × 2 pixels)
to save time. Normalisation keeps the size of signals and gradients, so by chapter 9 nothing should stand in the way.
He, Zhang, Ren and Sun found in 2015 that something does: beyond a certain depth the *training* error rises. It is not
overfitting. A deeper network could always copy a shallower one and do nothing in its other layers, but descent does
not find that.

Their remedy is chapter 9's, with a convolution in it. A residual block adds what two convolutions compute to what
enters, and then bends:

$$h \leftarrow \max\big(0,\; h + \mathrm{norm}_2(W_2 * \max(0, \mathrm{norm}_1(W_1 * h)))\big).$$

Doing nothing is now easy: $W_2 * \dots = 0$. Where the number of channels changes, a 1 × 1 convolution takes the place
of the $h$ that is added. And what chapter 9 found about the road holds here as well: $n$ blocks that each add something
of size 1 pile up. So the gain of each block's last normalisation begins with $1/\sqrt n$ instead of 1.
*/

typedef struct {
    Conv first, second, road; // road: on the shortcut, only where the shape changes
    BatchNorm norm1, norm2, norm_road;
} Block;

enum { MOST_STAGES = 3, MOST_BLOCKS = 15 };

typedef struct {
    int side;  // of the pictures
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
    block.road = conv_new_without_bias(set, layer_name(set, name, "road", -1), from, to,
                                       window_square(1, stride, 0), rng, INIT_HE);
    block.norm_road = batch_norm_new(set, layer_name(set, name, "norm_road", -1), to);
    return block;
}

// h (grid × from) → (grid' × to)
static Tensor *block_out(Block *block, Tensor *h, Grid *grid, bool residual, bool training)
{
    Grid entering = *grid;
    *grid = window_grid(HERE, entering, block->first.window);
    Tensor *f = batch_normalise_relu(&block->norm1, conv(&block->first, h, entering), training);
    f = conv(&block->second, f, *grid);
    if (!residual) return batch_normalise_relu(&block->norm2, f, training);
    Tensor *road = h;
    if (block->road.weight)
        road = batch_normalise(&block->norm_road, conv(&block->road, h, entering), training);
    return batch_normalise_add_relu(&block->norm2, f, road, training);
}

static ResNet *resnet_new(Arena *arena, Design design, Rng *rng)
{
    ResNet *net = arena_zeros(arena, 1, sizeof *net);
    Parameters *set = &net->parameters;
    *set = parameters_new(arena);
    net->design = design;
    net->stem = conv_new_without_bias(set, "stem", 1, design.width[0], window_square(3, 1, 1), rng, INIT_HE);
    net->norm_stem = batch_norm_new(set, "norm_stem", design.width[0]);
    int made = 0, from = design.width[0];
    for (int s = 0; s < design.stages; s++)
        for (int b = 0; b < design.blocks[s]; b++, made++) {
            net->blocks[made] = block_new(set, layer_name(set, "block", "", made), from, design.width[s],
                                          s > 0 && b == 0 ? 2 : 1, rng);
            from = design.width[s];
        }
    for (int b = 0; b < made && design.residual; b++)
        fill(net->blocks[b].norm2.gain->value, 1.0f / sqrtf((float)made));
    net->scores = linear_new(set, "scores", from, CLASSES, rng, INIT_GLOROT);
    return net;
}

static Tensor *scores_of_resnet(void *which, Tape *tape, Matrix x, Rng *rng, bool training)
{
    (void)rng;
    ResNet *net = which;
    Grid grid = {x.rows, net->design.side, net->design.side};
    Tensor *h = tape_input(tape, matrix_reshape(x, grid_rows(grid), 1));
    h = batch_normalise_relu(&net->norm_stem, conv(&net->stem, h, grid), training);
    if (net->design.pool) {
        h = max_pool(h, grid, window_square(2, 2, 0));
        grid = window_grid(HERE, grid, window_square(2, 2, 0));
    }
    int made = 0;
    for (int s = 0; s < net->design.stages; s++)
        for (int b = 0; b < net->design.blocks[s]; b++)
            h = block_out(&net->blocks[made++], h, &grid, net->design.residual, training);
    return linear(&net->scores, global_average_pool(h, grid));
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

// Trains TRIES networks of one kind and depth; curve receives their mean loss over each fiftieth of the run.
static Result train_deep(Lesson *lesson, Examples set, int count, const char *name, bool residual, int depth,
                         float *curve)
{
    enum { TRIES = 2 };
    const int blocks = (depth - 2) / 2; // a block has two layers; the first and the last stand outside
    const long steps = lesson_full(lesson) ? 1000 : 200;
    const Design design = {set.side, false, residual, 2, {8, 16}, {blocks / 2, blocks - blocks / 2}};
    Result mean = {0};
    for (int k = 0; k < CURVE; k++) curve[k] = 0.0f;
    for (int seed = 0; seed < TRIES; seed++) {
        Arena *arena = arena_new();
        float losses[CURVE];
        Rng rng = lesson_rng(lesson, 300 + (uint64_t)seed);
        ResNet *net = resnet_new(arena, design, &rng);
        Optimiser adam = adam_new(arena, &net->parameters, 0.9f, 0.999f, 1e-8f, 0.0f);
        train(lesson, scores_of_resnet, net, &adam, set,
              (Training){name, count, 64, steps, 30, 3e-3f, false, losses}, &rng);
        Result result = test(scores_of_resnet, net, set, count, 0, 0, false);
        mean.loss += result.loss / TRIES, mean.right += result.right / TRIES;
        for (int k = 0; k < CURVE; k++) curve[k] += losses[k] / TRIES;
        arena_free(arena);
    }
    printf("%-20s loss %.3f, %.1f %% right\n", name, mean.loss, 100 * mean.right);
    return mean;
}

static void degradation(Lesson *lesson, Examples training)
{
    section(lesson, "Deeper is worse: degradation");
    enum { FEW = 4000 };
    Examples small = halved(lesson_arena(lesson), training);
    float curves[4][CURVE], when[CURVE];
    printf("on the %d training pictures, mean of two seeds\n", FEW);
    const Result plain8 = train_deep(lesson, small, FEW, "plain, 8 layers", false, 8, curves[0]),
                 plain32 = train_deep(lesson, small, FEW, "plain, 32 layers", false, 32, curves[1]),
                 residual8 = train_deep(lesson, small, FEW, "residual, 8 layers", true, 8, curves[2]),
                 residual32 = train_deep(lesson, small, FEW, "residual, 32 layers", true, 32, curves[3]);
    printf("\n");
    claim(lesson, residual32.loss <= 0.8 * residual8.loss,
          "32 residual layers fit their training pictures better than 8: at most 0.8 times the loss");
    if (!lesson_full(lesson)) {
        claim(lesson, plain32.loss >= 1.2 * plain8.loss,
              "32 plain layers fit them worse than 8: at least 1.2 times the loss");
        claim(lesson, residual32.right - plain32.right >= 0.12,
              "at 32 layers the shortcut is worth at least 12 points of training accuracy");
    }

    for (int k = 0; k < CURVE; k++)
        when[k] = ((float)k + 0.5f) * (lesson_full(lesson) ? 1000.0f : 200.0f) / CURVE;
    Plot *plot = plot_begin(lesson, "degradation.png", "Four networks learn the same pictures");
    plot_axes(plot, "step", "training loss");
    plot_dashed(plot, "plain, 8 layers", when, curves[0], CURVE);
    plot_line(plot, "plain, 32 layers", when, curves[1], CURVE);
    plot_dashed(plot, "residual, 8 layers", when, curves[2], CURVE);
    plot_line(plot, "residual, 32 layers", when, curves[3], CURVE);
    plot_end(plot, "Depth holds the plain network back and carries the residual one.");
}

/*
The plain network of 32 layers is far behind its little sister on the very pictures that it was trained on: nothing
was learned by heart here, it is descent that does not get there. Add the shortcut, and the order turns round.

An honest limit: this is degradation *at a fixed, small number of steps*. It says that descent finds its way more slowly
in the deep plain network, not that it never arrives. `make chapter11 FULL=1` gives all four five times as many steps. The
deep plain network is still behind (a loss of 0.432 against 0.268 of the one with 8 layers), and the deep residual one has
gone further ahead: 0.117 against 0.322, 96.8 % of its training pictures right.

## A small ResNet

Doing nothing should be easy for a residual block. Is it, to the last bit? We set the gain of the block's last
normalisation to zero and look. Then we train a small ResNet on all 60,000 pictures: a first layer of 16 channels, a
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
    fill_uniform(x, &rng, 0.0f, 2.0f); // behind a bend nothing is negative
    Tape *tape = tape_new();
    Tensor *out = block_out(&block, tape_input(tape, x), &grid, true, true);
    claim(lesson, largest_difference(out->value, x) == 0.0f,
          "a residual block whose last gain is zero does nothing, to the last bit");
    tape_free(tape);
    arena_free(arena);
}

static void small_resnet(Lesson *lesson, Examples training, Examples testing)
{
    section(lesson, "Trained on all pictures");
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
    Result result = test(scores_of_resnet, net, testing, testing.x.rows, 0, 0, false);
    printf("%zu parameters, %d epochs: %.2f %% of the test pictures right\n\n",
           parameters_size(&net->parameters), epochs, 100 * result.right);
    if (full) {
        claim(lesson, result.right >= 0.925, "the ResNet knows at least 92.5 %% of the test pictures");
    } else {
        claim(lesson, result.right >= 0.89, "the small ResNet knows at least 89 %% of the test pictures");
    }
    arena_free(arena);
}

/*
Chapter 9's tower of four layers reached 86.6 % after three epochs, with three times as many weights. What helps here is
less the depth, six layers on the longest way, than that the network knows what a neighbour is.
`make chapter11 FULL=1` takes a wider one, with a block of 32, of 64 and of 128 channels, through sixteen epochs with
augmentation: **93.03 %** (after six it was 91.59 %). The whole chapter then computes for 12 minutes on one core.

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
    look_at_chance(lesson, training, clothes.names);
    one_at_a_time(lesson, training, testing);
    forget_the_switch(lesson, training, testing);
    degradation(lesson, training);
    nothing_is_easy(lesson);
    small_resnet(lesson, training, testing);
    return lesson_end(lesson);
}

/*
## What to take along

- Batch normalisation forgets size and offset of each channel, forwards and backwards. It is the one layer so far that
  needs to be told whether we are training.
- An ingredient is worth what its absence costs, measured on your budget. On a short one, dropout and augmentation
  hold back a network that has not learned enough yet to be held back; they are made for one that has seen everything
  many times.
- What augmentation buys at once is tolerance to what it varies. Nobody gets it for free, not even from convolution.
- Depth beyond some point makes plain networks fit worse. A shortcut makes doing nothing the easiest thing to learn,
  and depth becomes harmless again.

A residual block with a normalisation is what all later chapters build from. What stands inside it will change: in
chapter 16, attention takes the place of the convolution.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade11` tells how far you are, `make hint11`
helps.

- **TASK 11.1** batch normalisation while training, for columns far from zero as well.
- **TASK 11.2** its derivative: of the input, of the gain and of the bias.
- **TASK 11.3** the running mean and variance after one more batch.
- **TASK 11.4** dropout, with the random numbers given.
- **TASK 11.5** a picture flipped and moved.

And without a computer, or with five minutes at one:

1. What if the batch had one picture of 28 × 28? And one of 1 × 1? What does batch normalisation answer then?
2. A convolution in front of a batch normalisation needs no bias. Why?
3. What if the shortcut's sum came after the last bend, $h + \max(0, \dots)$? Can such a block lower a number?
4. Replace "flipped left to right" by "flipped top to bottom". Which classes suffer, and would you do it for digits?
5. `FULL=1` does not let the plain network of 32 layers catch up. Does half the rate, or twice the rate?
*/
