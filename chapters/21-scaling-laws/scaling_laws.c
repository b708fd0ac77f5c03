/*
# Money is all you need: scaling

In 2020 somebody paid a few million dollars to train GPT-3, once. Nobody spends that on a guess. Many small
networks had been trained before, and a curve through their losses had said what to expect of a large one. Such a
curve is a **scaling law** (规模定律), and this chapter makes one.

We train eight sizes of the network of chapter 20, from three thousand to a quarter of a million parameters, and we
make the largest last. Before it is made we write down what it will reach. Then we ask what such a curve
is worth: what it knows, what it does not know, how easily it is bent by a learning rate or by the way one counts,
and what GPT-3 cost.

You need chapter 20 (the network and its score) and the learning rates of chapter 5.
*/

#include "base/mathf.h"
#include "files/corpora.h"
#include "learning/optim.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/gpt.h"
#include "models/ngram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
## The text, and what counting makes of it

The text is the King James Bible again, but the tokens are its characters, so that a loss per token is a loss per
character and the opponent who counts reads what the networks read. Losses are in **nats per character**; divided by
$\ln 2$ they are chapter 20's bits. One block of 40 verses in 80 is held out, and all losses are measured there. The
other blocks are shuffled once, and the first $D$ characters of them are the training text: whoever gets less data
gets the beginning of the same text.

First the opponent. An n-gram model (chapter 20) has no size to choose, only an order, and we go on to where
more stops to help.
*/

enum {
    BLOCK = 40,       // verses
    EVERY = 80,       // one block of so many is held out
    TOKENS = 1 << 18, // D: characters of a training run, unless another number is said
    TIME = 64,        // T: characters that a network sees at once
    BATCH = 4,        // sequences in a step
    NEW = TIME / 2,   // guesses of a held-out window that count: those with 32 characters before them
    MOST_ORDER = NGRAM_MOST_ORDER,
};

typedef struct {
    int *ids;
    size_t count;
} Characters;

typedef struct {
    Characters train, held_out;
    int symbols;                // V
    double few[MOST_ORDER + 1]; // nats per character of the n-grams by order: D characters counted
    double all[MOST_ORDER + 1]; // all of train counted
} Book;

// The verses of the held-out blocks in their order, or of all others, blocks shuffled
static Verses choose_verses(Arena *arena, Verses all, bool held_out, Rng *rng)
{
    const int blocks = (all.count + BLOCK - 1) / BLOCK;
    int *order = arena_alloc(arena, (size_t)blocks, sizeof *order);
    for (int i = 0; i < blocks; i++) order[i] = i;
    if (!held_out) rng_shuffle(rng, order, blocks);
    Verses chosen = {0, arena_alloc(arena, (size_t)all.count, sizeof *chosen.verses)};
    for (int i = 0; i < blocks; i++)
        for (int v = order[i] * BLOCK; v < (order[i] + 1) * BLOCK && v < all.count; v++)
            if ((order[i] % EVERY == EVERY / 2) == held_out) chosen.verses[chosen.count++] = all.verses[v];
    return chosen;
}

static Characters encode(Arena *arena, Alphabet alphabet, Verses verses)
{
    Characters c = {NULL, 0};
    c.ids = alphabet_encode(arena, alphabet, verses_text(arena, verses), &c.count);
    return c;
}

// How many windows of the held-out text there are
static int held_out_windows(const Book *book) { return (int)((book->held_out.count - 1 - NEW) / NEW); }

// What n-grams that have counted the first `tokens` characters need for those that the networks will have to guess
static void count_characters(const Book *book, size_t tokens, double losses[MOST_ORDER + 1])
{
    Arena *arena = arena_new();
    Ngram *counts = ngram_new(arena, book->train.ids, tokens, book->symbols, MOST_ORDER);
    size_t last = (size_t)(held_out_windows(book) + 1) * NEW + 1;
    printf("\nhas counted %7zu         ", tokens);
    for (int n = 1; n <= MOST_ORDER; n++) {
        losses[n] = 0.69314718056 * ngram_bits(counts, n, book->held_out.ids, NEW + 1, last);
        printf("%7.3f", losses[n]);
    }
    arena_free(arena);
}

static Book open_book(Lesson *lesson)
{
    section(lesson, "The text, and what counting makes of it");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 1);
    Verses all = bible_load(arena).english;
    Alphabet alphabet = alphabet_of(arena, verses_text(arena, all));
    Book book = {.symbols = alphabet.size};
    book.train = encode(arena, alphabet, choose_verses(arena, all, false, &rng));
    book.held_out = encode(arena, alphabet, choose_verses(arena, all, true, &rng));
    printf("%zu characters to learn from, %zu held out, %d different ones\n\n", book.train.count,
           book.held_out.count, book.symbols);
    printf("n-gram, nats per character  ");
    for (int n = 1; n <= MOST_ORDER; n++) printf("%7d", n);
    count_characters(&book, TOKENS, book.few);
    count_characters(&book, book.train.count, book.all);
    printf("\n\n");
    return book;
}

/*
Order 5 is the best for whoever has counted a quarter of a million characters, and counting sixteen times as many
makes it order 7 (with eight and more it gets worse again: chapter 20). Keep the row in mind. It has not cost a
second.

## Counting parameters

Our networks have two layers and the width $C$, from 8 to 96. How many parameters is that? A block holds

- a layer from $C$ to $3C$ for queries, keys and values, one from $C$ to $C$ behind them,
- one from $C$ to $4C$ and one from $4C$ to $C$ for the hidden layer,
- a gain and a bias for each of two norms.

Together $12 C^2$ weights and $13 C$ others. With one more norm, and two tables with a row for each of the $V$
symbols,

$$N = L \, (12 C^2 + 13 C) + 2C + 2VC.$$
*/

enum { LAYERS = 2, SIZES = 8 };
static const int widths[SIZES] = {8, 12, 16, 24, 32, 48, 64, 96}; // C

static GptConfig config_of(const Book *book, int width)
{
    return (GptConfig){.vocabulary = book->symbols,
                       .context = TIME,
                       .layers = LAYERS,
                       .heads = width < 48 ? 2 : 4,
                       .width = width,
                       .positions = GPT_ROTARY,
                       .rotary_base = 100.0f, // positions go to 64, not to thousands
                       .embedding_deviation = 0.3f};
}

// Parameters of a decoder whose tables have so many rows of C numbers in all
static double count_parameters(double layers, double width, double rows)
{
    double attention = 3.0 * width * width + 3.0 * width + width * width + width;
    double network = 4.0 * width * width + 4.0 * width + 4.0 * width * width + width;
    double norms = 2.0 * 2.0 * width, last_norm = 2.0 * width;
    return layers * (attention + network + norms) + last_norm + rows * width;
}

static double parameters_of(const Book *book, int width)
{
    return count_parameters(LAYERS, width, 2.0 * book->symbols);
}

/*
## Counting products

Time and money go into products of matrices. A weight is multiplied with one number of each token, and the result is
added up: one multiply-add, which is 2 **FLOP** (浮点运算, floating-point operations). On the way back the same weight
is used twice: for the gradient of what came in, and for its own. So each weight costs $2 + 4 = 6$ FLOP a token, and
training on $D$ tokens

$$F \approx 6 N D.$$

This is the best-known formula of the trade. It leaves out two things, with opposite signs:

- Attention's products of queries with keys and of weights with values have no parameters. A position that sees $s$
  others needs $2 C s$ multiply-adds in each layer, and the mean of $s$ under the causal mask is $(T + 1)/2$.
- The lower table is only looked up in. Its $VC$ parameters are in $N$ and multiply nothing; biases and gains neither.

Counted in full, a token of training costs

$$f = 6 \bigl( L \, (12 C^2 + C (T + 1)) + V C \bigr).$$

Do not believe it: count. The tape knows each product that was made, its shapes, and which of its factors want a
gradient. We walk along it and add up.
*/

// FLOP of training on one token, forwards and backwards
static double flop_by_hand(double layers, double width, double symbols, double time)
{
    return 6.0 * (layers * (12.0 * width * width + width * (time + 1.0)) + symbols * width);
}

// The same, of all tokens on a tape, from the shapes of what was recorded
static double flop_on_tape(const Tape *tape, int time)
{
    double multiply_adds = 0.0;
    for (int i = 0; i < tape_length(tape); i++) {
        const Tensor *t = tape_node(tape, i);
        const Matrix out = t->value;
        if (strncmp(t->operation, "affine", 6) == 0 || strcmp(t->operation, "product_transposed") == 0) {
            double once = (double)out.rows * out.cols * t->inputs[0]->value.cols;
            multiply_adds += once * (1 + t->inputs[0]->wants_gradient + t->inputs[1]->wants_gradient);
        } else if (strcmp(t->operation, "self_attention") == 0) {
            for (int row = 0; row < out.rows; row++) // sees the positions up to its own, in two products
                multiply_adds += 2.0 * (row % time + 1) * out.cols * (1 + 2 * t->inputs[0]->wants_gradient);
        }
    }
    return 2.0 * multiply_adds;
}

static void count_by_hand(Lesson *lesson, const Book *book)
{
    section(lesson, "Counting products");
    bool same_parameters = true, same_flop = true;
    printf("             parameters             FLOP a token, in thousands\n"
           "width       N   in tables    counted  of these attention     6N\n");
    for (int i = 0; i < SIZES; i++) {
        Arena *arena = arena_new();
        Tape *tape = tape_new();
        Rng rng = lesson_rng(lesson, 2);
        Parameters set = parameters_new(arena);
        Gpt gpt = gpt_new(&set, config_of(book, widths[i]), &rng);
        gpt_loss(&gpt, tape, book->train.ids, book->train.ids + 1, BATCH, TIME);
        double n = parameters_of(book, widths[i]), counted = flop_on_tape(tape, TIME) / (BATCH * TIME);
        same_parameters = same_parameters && n == (double)parameters_size(&set);
        same_flop = same_flop && counted == flop_by_hand(LAYERS, widths[i], book->symbols, TIME);
        printf("%5d  %6.0f  %8.0f %%  %9.1f  %14.0f %%  %5.1f\n", widths[i], n,
               100.0 * 2.0 * book->symbols * widths[i] / n, counted / 1e3,
               100.0 * 6.0 * LAYERS * widths[i] * (TIME + 1) / counted, 6.0 * n / 1e3);
        tape_free(tape);
        arena_free(arena);
    }
    printf("\n");
    claim(lesson, same_parameters, "the formula gives the number of parameters of all %d sizes", SIZES);
    claim(lesson, same_flop, "and the FLOP that are counted on the tape, to the last one");
}

/*
What is left out of 6N is no detail at the small end: a third of the smallest network's work is attention, which has
no parameters, and a fifth of its parameters is a table that does no work. That the two nearly cancel is luck. With
$C$ the layers take over, which grow like $C^2$ when the rest grows like $C$.

## A learning rate for each size

A curve through sizes compares networks that are trained *well*. That is harder than it sounds: each of them has a
best rate of its own, and a curve through networks of one common rate is a curve through our carelessness. So first
the rates. The rule is

$$\eta = \frac{0.3}{C},$$

and this is what half and twice as much would give (nats per character, one seed):

| width | 8 | 12 | 16 | 24 | 32 | 48 | 64 | 96 |
|---|---|---|---|---|---|---|---|---|
| half | 2.098 | 1.927 | 1.871 | 1.778 | 1.743 | 1.687 | 1.663 | 1.616 |
| $0.3 / C$ | **2.074** | **1.911** | **1.834** | **1.749** | **1.718** | **1.639** | **1.634** | **1.575** |
| twice | 2.092 | **1.911** | 1.853 | 1.755 | 1.730 | 1.648 | 1.661 | 1.599 |

There is a reason for its form. Adam moves every weight by about $\eta$, whatever the gradient. A number in the next
layer is a sum over $C$ weights, and where they all move in the direction that helps, it moves by $C \eta$. For the
same change in every network, $\eta$ must be like $1/C$ (Yang and others 2021).

A rule holds for the length at which it was tried: with an eighth of the text, twice as much is better for all eight.

Everything else is the same for all: the same characters in the same order for each seed, 256 in a step, 1024 steps,
AdamW, a tenth of the steps to warm up, half a cosine down to 0. And a loss depends on the seed, the most where
networks are small. But these are cheap, so they get more seeds.
*/

enum { CURVE = 32, MOST_SEEDS = 4 };
static const int seeds[SIZES] = {4, 3, 3, 3, 2, 2, 2, 2};
static const float rate_rule = 0.3f; // divided by C

typedef struct {
    int width, seed;
    long tokens;
    float rate;
    double loss;        // of the held-out text, nats per character
    float curve[CURVE]; // training loss, the mean of each 32nd of the steps
} Run;

static Run run_of(int width, int seed, long tokens)
{
    return (Run){.width = width, .seed = seed, .tokens = tokens, .rate = rate_rule / (float)width};
}

static void read_batch(Characters text, const int *windows, int *ids, int *labels)
{
    for (int b = 0; b < BATCH; b++) {
        const int *from = text.ids + TIME * windows[b];
        memcpy(ids + b * TIME, from, TIME * sizeof *ids);
        memcpy(labels + b * TIME, from + 1, TIME * sizeof *labels);
    }
}

// Every window hands on its second half, so that each guess has 32 characters before it at least
static double held_out_loss(const Book *book, const Gpt *gpt)
{
    enum { AT_ONCE = 16 };
    int ids[AT_ONCE * TIME], labels[AT_ONCE * TIME];
    const int windows = held_out_windows(book);
    double total = 0.0;
    Tape *tape = tape_new();
    tape_record(tape, false);
    for (int first = 0; first < windows; first += AT_ONCE) {
        const int count = windows - first < AT_ONCE ? windows - first : AT_ONCE;
        for (int i = 0; i < count * TIME; i++) {
            const int at = (first + i / TIME) * NEW + i % TIME;
            ids[i] = book->held_out.ids[at];
            labels[i] = i % TIME < NEW ? LABEL_IGNORED : book->held_out.ids[at + 1];
        }
        tape_reset(tape);
        total += count * (double)gpt_loss(gpt, tape, ids, labels, count, TIME)->value.data[0];
    }
    tape_free(tape);
    return total / windows;
}

static void train(Lesson *lesson, const Book *book, Run *run)
{
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 100 + (uint64_t)run->seed);
    const int windows = (int)(run->tokens / TIME), steps = windows / BATCH;
    int *order = arena_alloc(arena, (size_t)windows, sizeof *order), ids[BATCH * TIME], labels[BATCH * TIME];
    rng_permutation(&rng, order, windows);
    Parameters set = parameters_new(arena);
    Gpt gpt = gpt_new(&set, config_of(book, run->width), &rng);
    Optimiser optimiser = adamw_new(arena, &set, 0.9f, 0.99f, 1e-8f, 0.1f);
    Tape *tape = tape_new();
    for (int step = 0; step < steps; step++) {
        tape_reset(tape);
        read_batch(book->train, order + step * BATCH, ids, labels);
        Tensor *loss = gpt_loss(&gpt, tape, ids, labels, BATCH, TIME);
        backward(loss);
        clip_gradients(&set, 1.0f);
        optimiser_step(&optimiser, cosine_schedule(run->rate, step, steps / 10, steps));
        run->curve[step * CURVE / steps] += loss->value.data[0] * CURVE / (float)steps;
    }
    tape_free(tape);
    run->loss = held_out_loss(book, &gpt);
    arena_free(arena);
}

/*
A network of width 8 has nothing to share between two processor cores: its largest product takes microseconds. But
the *networks* can be shared. Each run has its own memory and its own random numbers, so it does not matter which
core makes it, or when.
*/

// Trains all of them, on as many cores as there are; the rate is told on standard error, as it belongs to the machine
static void train_all(Lesson *lesson, const Book *book, const char *what, Run *runs, int count)
{
    int done = 0;
    double start = seconds_now(), flop = 0.0;
#pragma omp parallel for schedule(dynamic, 1)
    for (int i = 0; i < count; i++) {
        train(lesson, book, &runs[i]);
#pragma omp critical
        lesson_progress(lesson, what, ++done, count, runs[i].loss);
    }
    lesson_wipe_progress(lesson);
    for (int i = 0; i < count; i++)
        flop += flop_by_hand(LAYERS, runs[i].width, book->symbols, TIME) * (double)runs[i].tokens;
    double seconds = seconds_now() - start;
    fprintf(stderr, "%s: %d runs, %.1f s, %.1f GFLOP/s\n", what, count, seconds, flop / seconds / 1e9);
}

// A size, and what its seeds reached
typedef struct {
    double n, loss; // the mean
    int count;
    double losses[MOST_SEEDS];
    float curve[CURVE]; // of the first seed
} Point;

// Trains the sizes first … last − 1, the large ones first, so that no core waits at the end
static void train_sizes(Lesson *lesson, const Book *book, const char *what, Point *points, int first,
                        int last)
{
    Run runs[SIZES * MOST_SEEDS];
    int count = 0;
    for (int i = last - 1; i >= first; i--)
        for (int s = 0; s < seeds[i]; s++) runs[count++] = run_of(widths[i], s, TOKENS);
    train_all(lesson, book, what, runs, count);
    const Run *run = runs;
    for (int i = last - 1; i >= first; i--) {
        points[i] = (Point){.n = parameters_of(book, widths[i]), .count = seeds[i]};
        memcpy(points[i].curve, run->curve, sizeof run->curve);
        for (int s = 0; s < seeds[i]; s++, run++) {
            points[i].losses[s] = run->loss;
            points[i].loss += run->loss / seeds[i];
        }
    }
}

static void print_points(const Point *points, int first, int last)
{
    for (int i = first; i < last; i++) {
        printf("%5d  %6.0f  %6.4f  %8.3f  ", widths[i], points[i].n, (double)rate_rule / widths[i],
               points[i].loss);
        for (int s = 0; s < points[i].count; s++) printf("  %.3f", points[i].losses[s]);
        printf("\n");
    }
    printf("\n");
}

static void train_all_but_the_largest(Lesson *lesson, const Book *book, Point *points)
{
    section(lesson, "A learning rate for each size");
    train_sizes(lesson, book, "all sizes but the largest", points, 0, SIZES - 1);
    printf("width       N    rate  mean loss    of each seed, nats per character\n");
    print_points(points, 0, SIZES - 1);
}

/*
## A curve through the points

The law that is always tried is a **power law** (幂律) with a floor,

$$\hat L(N) = a N^{-b} + c.$$

Ten times the parameters multiply what is above the floor $c$ by $10^{-b}$. The floor would be what no network of any
size gets below with this training: the text's own surprise, and what our training leaves undone.

For a given $b$ this is a straight line in $x = N^{-b}$, and a line through points is chapter 1's least squares. So we
try many exponents, solve for $a$ and $c$ with each, and keep the best. A floor below 0 is no loss: there $c$ is 0.
*/

typedef struct {
    double a, b, c;
    double error; // the sum of squares
} Law;

static double power_of(double n, double b) { return (double)exp32((float)-b * log32((float)n)); }

static double law_at(Law law, double n) { return law.a * power_of(n, law.b) + law.c; }

// The line y = a x + c of the least squares; without a floor, c = 0
static Law fit_line(const double *x, const double *y, int count, bool with_floor)
{
    double mean_x = 0.0, mean_y = 0.0, xx = 0.0, xy = 0.0;
    for (int i = 0; i < count && with_floor; i++) mean_x += x[i] / count, mean_y += y[i] / count;
    for (int i = 0; i < count; i++) {
        xx += (x[i] - mean_x) * (x[i] - mean_x);
        xy += (x[i] - mean_x) * (y[i] - mean_y);
    }
    Law line = {.a = xy / xx, .c = mean_y - xy / xx * mean_x};
    for (int i = 0; i < count; i++) {
        double apart = y[i] - line.a * x[i] - line.c;
        line.error += apart * apart;
    }
    return line;
}

static Law fit_exponent(const double *n, const double *loss, int count, bool with_floor, double b)
{
    double x[SIZES];
    for (int i = 0; i < count; i++) x[i] = power_of(n[i], b);
    Law law = fit_line(x, loss, count, with_floor);
    if (law.c < 0.0) law = fit_line(x, loss, count, false);
    law.b = b;
    return law;
}

// The best exponent from 0.01 to 1.5: a grid of steps of 2 %, then between the neighbours of its best, ever closer
static Law fit_law(const double *n, const double *loss, int count, bool with_floor)
{
    Law best = {.error = (double)INFINITY};
    for (double b = 0.01; b < 1.5; b *= 1.02) {
        Law law = fit_exponent(n, loss, count, with_floor, b);
        if (law.error < best.error) best = law;
    }
    for (double step = 0.01; step > 1e-5; step /= 2.0)
        for (int side = -1; side <= 1; side += 2) {
            Law law = fit_exponent(n, loss, count, with_floor, best.b * (1.0 + side * step));
            if (law.error < best.error) best = law;
        }
    return best;
}

/*
How good is a fit? $R^2$ is the part of the variance that it explains. But it never falls when a curve gets one
parameter more, so it cannot say whether the floor is worth having. **Akaike's criterion** counts parameters: with $n$
points, $k$ parameters (the noise's variance is one), and $S$ the sum of squares,

$$\text{AICc} = n \ln \frac Sn + 2k + \frac{2k(k+1)}{n - k - 1},$$

and the smaller one wins. The last term is for small $n$: the eighth point of a curve with four parameters is dear.
*/

static double r_squared(const double *loss, int count, double error)
{
    double mean = 0.0, total = 0.0;
    for (int i = 0; i < count; i++) mean += loss[i] / count;
    for (int i = 0; i < count; i++) total += (loss[i] - mean) * (loss[i] - mean);
    return 1.0 - error / total;
}

static double akaike(int n, int k, double error)
{
    return n * (double)log32((float)(error / n)) + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0);
}

enum { WITH_FLOOR, PURE, LOGARITHM, CURVES };
static const char *const curve_names[CURVES] = {"a N^-b + c", "a N^-b", "a ln N + c"};
static const int curve_parameters[CURVES] = {4, 3, 3}; // with the variance

static void columns_of(const Point *points, int count, double *n, double *loss)
{
    for (int i = 0; i < count; i++) n[i] = points[i].n, loss[i] = points[i].loss;
}

// Fits one kind of curve. That of a logarithm is a line in ln N.
static Law fit_curve(int kind, const double *n, const double *loss, int count)
{
    if (kind != LOGARITHM) return fit_law(n, loss, count, kind == WITH_FLOOR);
    double x[SIZES];
    for (int i = 0; i < count; i++) x[i] = (double)log32((float)n[i]);
    return fit_line(x, loss, count, true);
}

static double curve_at(int kind, Law law, double n)
{
    return kind == LOGARITHM ? law.a * (double)log32((float)n) + law.c : law_at(law, n);
}

static void fit_and_print(const Point *points, int count, Law laws[CURVES], double akaikes[CURVES])
{
    double n[SIZES], loss[SIZES];
    columns_of(points, count, n, loss);
    printf("%d sizes          a       b       c      R²    AICc\n", count);
    for (int k = 0; k < CURVES; k++) {
        laws[k] = fit_curve(k, n, loss, count);
        akaikes[k] = akaike(count, curve_parameters[k], laws[k].error);
        printf("%-11s %8.3f  %6.3f  %6.3f  %6.4f  %6.1f\n", curve_names[k], laws[k].a, laws[k].b, laws[k].c,
               r_squared(loss, count, laws[k].error), akaikes[k]);
    }
    printf("\n");
}

/*
## Predicted before it is made

Now the promise. The largest network has not been made; nothing in this program has seen it. Seven sizes are
known, the curves are fitted, and each of them says what the eighth will reach, at more than twice the parameters
of the seventh. Beside them stand two who do without a floor in another way: a pure power law that looks at the
last three sizes only, and who does not fit at all, "it will be like the second largest".
*/

enum { LAST_THREE = CURVES, AS_BEFORE, GUESSES };
static const char *const guess_names[GUESSES] = {"a N^-b + c", "a N^-b", "a ln N + c",
                                                 "a N^-b, last three sizes", "as the second largest"};

static void predict_the_largest(Lesson *lesson, const Book *book, Point *points)
{
    section(lesson, "Predicted before it is made");
    const int last = SIZES - 1;
    const double n = parameters_of(book, widths[last]), second = points[last - 1].loss;
    Law laws[CURVES];
    double akaikes[CURVES], guesses[GUESSES] = {0};
    fit_and_print(points, last, laws, akaikes);
    for (int k = 0; k < CURVES; k++) guesses[k] = curve_at(k, laws[k], n);
    double sizes[SIZES], losses[SIZES];
    columns_of(points, last, sizes, losses);
    guesses[LAST_THREE] = law_at(fit_law(sizes + last - 3, losses + last - 3, 3, false), n);
    guesses[AS_BEFORE] = second;
    printf("prediction for width %d, %.0f parameters: %.3f nats per character\n\n", widths[last], n,
           guesses[WITH_FLOOR]);
    fflush(stdout);

    train_sizes(lesson, book, "the largest", points, last, SIZES);
    printf("width       N    rate  mean loss    of each seed\n");
    print_points(points, last, SIZES);
    const double loss = points[last].loss, gained = second - loss;
    printf("                          predicted   error   improvement  predicted\n");
    for (int k = 0; k < GUESSES; k++)
        printf("%-24s  %9.3f  %+5.1f %%  %11.3f  %9.3f\n", guess_names[k], guesses[k],
               100.0 * (guesses[k] / loss - 1.0), gained, second - guesses[k]);
    printf("\n");
    claim(lesson, fabs(guesses[WITH_FLOOR] / loss - 1.0) <= 0.03,
          "the power law with a floor predicted the largest network to 3 %%");
    claim(lesson, gained > 0.0, "and the largest is better than the second largest");
}

/*
The power law with a floor says 1.597, and the networks come to 1.581: an error of 1 %. The two curves without a
floor, each with the least squares that it can have, are 5 and 6 % too low.

But look at the last two rows before you are impressed. A pure power law that has forgotten the small sizes is
wrong by 1.2 %, on the other side: for one step ahead the floor is not needed. And who says nothing but "as the
second largest" is wrong by 2.3 %, and would have passed a bar of 3 %, too. A loss changes slowly, so every guess
about it looks good. The honest question is about the *improvement*: 0.037 nats came, and the law had promised
0.021, little more than half; the last three sizes had promised 0.056, half too much. With two other seeds of
everything (`make chapter21 SEED=2`, 3) it was the same: the law was 0.9 and 1.4 % too high and had promised half
of what came. The large sizes fall on faster than the curve through all of them says.

## A curve through all eight
*/

static void draw_curves(Lesson *lesson, const Point *points)
{
    static const int shown[] = {0, 2, 4, 6, 7};
    Plot *plot = plot_begin(lesson, "curves.svg", "Five of the eight sizes while they learn");
    float x[CURVE];
    for (int i = 0; i < CURVE; i++) x[i] = ((float)i + 0.5f) * TOKENS / CURVE / 1000.0f;
    plot_axes(plot, "characters seen (thousands)", "training loss, nats per character");
    plot_log(plot, "x");
    for (int i = 0; i < 5; i++) {
        char name[64];
        snprintf(name, sizeof name, "width %d, N = %.0f", widths[shown[i]], points[shown[i]].n);
        plot_line(plot, name, x, points[shown[i]].curve, CURVE);
    }
    plot_end(plot, "One seed of each, each at its own learning rate. Every character is read once.");
}

static void draw_law(Lesson *lesson, const Point *points, const Law laws[CURVES], double predicted)
{
    enum { STEPS = 60 };
    float x[STEPS], y[CURVES][STEPS], n[SIZES], loss[SIZES], seed_n[SIZES * MOST_SEEDS],
        seed_loss[SIZES * MOST_SEEDS];
    int count = 0;
    for (int i = 0; i < STEPS; i++) {
        x[i] = 2000.0f * exp32((float)i / (STEPS - 1) * log32(200.0f));
        for (int k = 0; k < CURVES; k++) y[k][i] = (float)curve_at(k, laws[k], (double)x[i]);
    }
    for (int i = 0; i < SIZES; i++) {
        n[i] = (float)points[i].n, loss[i] = (float)points[i].loss;
        for (int s = 0; s < points[i].count; s++, count++)
            seed_n[count] = n[i], seed_loss[count] = (float)points[i].losses[s];
    }
    Plot *plot = plot_begin(lesson, "law.svg", "A curve through seven sizes, and the eighth");
    plot_axes(plot, "parameters N", "nats per character, held out");
    plot_log(plot, "xy");
    plot_legend(plot, "top right");
    plot_line(plot, "power law with a floor, fitted to seven", x, y[WITH_FLOOR], STEPS);
    plot_dashed(plot, "pure power law", x, y[PURE], STEPS);
    plot_dashed(plot, "line in ln N", x, y[LOGARITHM], STEPS);
    plot_points(plot, "single seeds", seed_n, seed_loss, count);
    plot_points(plot, "the mean of the seeds", n, loss, SIZES - 1);
    plot_crosses(plot, "predicted", &n[SIZES - 1], &(float){(float)predicted}, 1);
    plot_points(plot, "and made afterwards", &n[SIZES - 1], &loss[SIZES - 1], 1);
    plot_end(plot, "The curves are fitted to the means of the seven sizes on the left.");
}

static void through_all(Lesson *lesson, const Book *book, const Point *points, Law laws[CURVES])
{
    section(lesson, "A curve through all eight");
    Law seven[CURVES];
    double akaikes[CURVES], n[SIZES], loss[SIZES];
    columns_of(points, SIZES, n, loss);
    for (int k = 0; k < CURVES; k++) seven[k] = fit_curve(k, n, loss, SIZES - 1);
    draw_curves(lesson, points);
    draw_law(lesson, points, seven, law_at(seven[WITH_FLOOR], parameters_of(book, widths[SIZES - 1])));
    fit_and_print(points, SIZES, laws, akaikes);
    claim(lesson, r_squared(loss, SIZES, laws[WITH_FLOOR].error) >= 0.98,
          "a power law with a floor explains at least 98 %% of the variance between sizes");
    claim(lesson, akaikes[WITH_FLOOR] < akaikes[PURE] && akaikes[WITH_FLOOR] < akaikes[LOGARITHM],
          "and is worth its third parameter, by Akaike's criterion");
}

/*
So far this is the story as it is told. $R^2$ is .998, and the floor is worth its parameter: the two curves without it
fall short by nearly twenty points of AICc. (A difference of ten is usually taken as decisive.)

## What the curve does not say

A fit returns three numbers. How well does it know them? Seeds are the noise, so we draw other seeds: to the law's
value at each size we add as many of the deviations that were seen, drawn at random from all sizes together, as
there were seeds, take the mean, and fit again. This is a **bootstrap** (自助法, chapter 1). A deviation from the mean
of $m$ seeds is too small by $\sqrt{(m-1)/m}$, so it is enlarged by that. What is between the 5th and the 95th of
100 fits is an interval of 90 %.
*/

enum { DRAWS = 400 };

typedef struct {
    double low, middle, high;
} Interval;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static Interval interval_of(const double *values, int count)
{
    double sorted[DRAWS];
    memcpy(sorted, values, (size_t)count * sizeof *values);
    qsort(sorted, (size_t)count, sizeof *sorted, by_value);
    return (Interval){sorted[count / 20], sorted[count / 2], sorted[count - 1 - count / 20]};
}

// What seeds deviate from the means of their sizes; returns how many there are
static int seed_deviations(const Point *points, int count, double *deviations)
{
    int all = 0;
    for (int i = 0; i < count; i++)
        for (int s = 0; s < points[i].count; s++)
            deviations[all++] = (points[i].losses[s] - points[i].loss) *
                                sqrt((double)points[i].count / (points[i].count - 1));
    return all;
}

// Laws fitted to the means of seeds that might have been
static void draw_laws(Lesson *lesson, const Point *points, Law law, Law *laws)
{
    double deviations[SIZES * MOST_SEEDS], n[SIZES], loss[SIZES];
    const int all = seed_deviations(points, SIZES, deviations);
    Rng rng = lesson_rng(lesson, 3);
    for (int d = 0; d < DRAWS; d++) {
        for (int i = 0; i < SIZES; i++) {
            n[i] = points[i].n, loss[i] = law_at(law, points[i].n);
            for (int s = 0; s < points[i].count; s++)
                loss[i] += deviations[rng_below(&rng, (uint32_t)all)] / points[i].count;
        }
        laws[d] = fit_law(n, loss, SIZES, true);
    }
}

static Interval interval_at(const Law *laws, double n)
{
    double values[DRAWS];
    for (int d = 0; d < DRAWS; d++) values[d] = law_at(laws[d], n);
    return interval_of(values, DRAWS);
}

static void print_interval(const char *what, Interval i)
{
    printf("%-34s %6.3f   %6.3f … %.3f\n", what, i.middle, i.low, i.high);
}

static void draw_fan(Lesson *lesson, const Point *points, const Law *laws, const Law others[CURVES])
{
    enum { STEPS = 80 };
    float x[STEPS], low[STEPS], middle[STEPS], high[STEPS], y[CURVES][STEPS], n[SIZES], loss[SIZES];
    for (int i = 0; i < STEPS; i++) {
        x[i] = 2000.0f * exp32((float)i / (STEPS - 1) * log32(1e8f));
        Interval at = interval_at(laws, (double)x[i]);
        low[i] = (float)at.low, middle[i] = (float)at.middle, high[i] = (float)at.high;
        for (int k = 0; k < CURVES; k++) y[k][i] = (float)curve_at(k, others[k], (double)x[i]);
    }
    for (int i = 0; i < SIZES; i++) n[i] = (float)points[i].n, loss[i] = (float)points[i].loss;
    Plot *plot = plot_begin(lesson, "fan.svg", "The same points, three curves, as far as GPT-3");
    plot_axes(plot, "parameters N", "nats per character, held out");
    plot_log(plot, "x");
    plot_legend(plot, "bottom left");
    plot_band(plot, NULL, x, low, high, STEPS);
    plot_line(plot, "with a floor, and 90 % of the draws", x, middle, STEPS);
    plot_dashed(plot, "pure power law", x, y[PURE], STEPS);
    plot_dashed(plot, "line in ln N", x, y[LOGARITHM], STEPS);
    plot_points(plot, "the eight sizes", n, loss, SIZES);
    plot_vertical(plot, "GPT-3", 1.75e11);
    plot_end(plot, "Where there are points, the curves agree. The bootstrap knows the seeds; it does not "
                   "know the curve.");
}

// The exponents whose best curve explains at least so much
static Interval good_exponents(const double *n, const double *loss, double needed, Interval *floors)
{
    Interval b = {(double)INFINITY, 0.0, 0.0};
    *floors = (Interval){(double)INFINITY, 0.0, 0.0};
    for (double at = 0.01; at < 1.5; at *= 1.01) {
        Law law = fit_exponent(n, loss, SIZES, true, at);
        if (r_squared(loss, SIZES, law.error) < needed) continue;
        b.low = fmin(b.low, at), b.high = fmax(b.high, at);
        floors->low = fmin(floors->low, law.c), floors->high = fmax(floors->high, law.c);
    }
    return b;
}

static void draw_valley(Lesson *lesson, const double *n, const double *loss, Interval exponents, double best)
{
    enum { STEPS = 60 };
    const double tried[3] = {exponents.low, best, exponents.high};
    float x[STEPS], y[STEPS], points_n[SIZES], points_loss[SIZES];
    Plot *plot = plot_begin(lesson, "valley.svg", "The same points, three exponents");
    plot_axes(plot, "parameters N", "nats per character, held out");
    plot_log(plot, "x");
    plot_legend(plot, "top right");
    for (int k = 0; k < 3; k++) {
        const Law law = fit_exponent(n, loss, SIZES, true, tried[k]);
        char name[64];
        snprintf(name, sizeof name, "b = %.2f, c = %.2f, R² = %.3f", law.b, law.c,
                 r_squared(loss, SIZES, law.error));
        for (int i = 0; i < STEPS; i++) {
            x[i] = 2000.0f * exp32((float)i / (STEPS - 1) * log32(5e4f));
            y[i] = (float)law_at(law, (double)x[i]);
        }
        plot_line(plot, name, x, y, STEPS);
    }
    for (int i = 0; i < SIZES; i++) points_n[i] = (float)n[i], points_loss[i] = (float)loss[i];
    plot_points(plot, "the eight sizes", points_n, points_loss, SIZES);
    plot_end(plot, "For each exponent the best a and c: the outer two have an R² of 0.98.");
}

static void what_is_not_known(Lesson *lesson, const Point *points, const Law curves[CURVES], Law *laws)
{
    section(lesson, "What the curve does not say");
    double n[SIZES], loss[SIZES], b[DRAWS], c[DRAWS];
    columns_of(points, SIZES, n, loss);
    draw_laws(lesson, points, curves[WITH_FLOOR], laws);
    for (int d = 0; d < DRAWS; d++) b[d] = laws[d].b, c[d] = laws[d].c;
    Interval exponent = interval_of(b, DRAWS), floors, near = interval_at(laws, 2.0 * n[SIZES - 1]);
    Interval good = good_exponents(n, loss, 0.98, &floors);
    printf("%d bootstrap draws                  median      90 %%\n", DRAWS);
    print_interval("exponent b", exponent);
    print_interval("floor c", interval_of(c, DRAWS));
    print_interval("loss at twice the largest N", near);
    print_interval("loss at ten times", interval_at(laws, 10.0 * n[SIZES - 1]));
    print_interval("loss at 1.75e11 parameters", interval_at(laws, 1.75e11));
    printf("the same by the pure power law      %.3f, by the line in ln N %.3f\n",
           curve_at(PURE, curves[PURE], 1.75e11), curve_at(LOGARITHM, curves[LOGARITHM], 1.75e11));
    printf("\ncurves with an R² of 0.98 or more have b from %.2f to %.2f, c from %.2f to %.2f\n\n", good.low,
           good.high, floors.low, floors.high);
    claim(lesson, good.high >= 1.5 * good.low && floors.high - floors.low >= 0.1,
          "exponents a factor of 1.5 apart, and floors 0.1 nat apart, fit with an R² of 0.98");
    claim(lesson, exponent.high / exponent.low > near.high / near.low,
          "seeds move the exponent by more, as a ratio, than the loss at twice the size");
    draw_valley(lesson, n, loss, good, curves[WITH_FLOOR].b);
    draw_fan(lesson, points, laws, curves);
}

/*
The seeds leave the exponent between 0.43 and 0.55. That is too narrow, because the bootstrap takes the curve for
granted: seven sizes gave 0.52 and eight gave 0.49. And how one judges the fit matters. An $R^2$ of 0.98, which
sounds strict, is a weak witness: exponents from 0.25 to 0.76 have it, with floors from 1.32 to 1.60, although in
the first figure the outer two miss points by more than seeds move them. A smaller exponent goes with a lower floor,
so neither of the two numbers means much without the other, and soon behind the last point the three part.

So a law is good for the next step and not for the last one. At twice the largest size all draws agree to 2 %. At the
size of GPT-3, seven hundred thousand times further, the draws agree just as well, since each has reached its floor,
and what they agree on is worth nothing: the pure power law says 0.67 there and the line in $\ln N$ says 0.11. The
interval of a bootstrap tells how well one knows the numbers *if* the curve is right.

Never read a floor as "the entropy of English", then, nor an exponent as a constant of nature.

## One learning rate for all

Now the mistake. Suppose we had been careless and had taken one rate for all sizes: that of the largest network, which
is the smallest of all. Or that of the smallest. Every network is trained to its end and none diverges.
*/

enum { CHECKED = 3 };
static const int checked[CHECKED] = {0, 3, 6}; // of the sizes

static void draw_one_rate(Lesson *lesson, const Point *points, double losses[3][CHECKED])
{
    static const char *const names[3] = {"0.3 / C", "one for all, that of width 96",
                                         "one for all, that of width 8"};
    Plot *plot = plot_begin(lesson, "one-rate.svg", "Three laws from the same networks");
    plot_axes(plot, "parameters N", "nats per character, held out");
    plot_log(plot, "xy");
    for (int k = 0; k < 3; k++) {
        float x[CHECKED], y[CHECKED];
        for (int i = 0; i < CHECKED; i++) x[i] = (float)points[checked[i]].n, y[i] = (float)losses[k][i];
        plot_line_points(plot, names[k], x, y, CHECKED);
    }
    plot_end(plot, "The same text, the same seeds. Only the learning rates differ.");
}

static void one_rate_for_all(Lesson *lesson, const Book *book, const Point *points)
{
    section(lesson, "One learning rate for all");
    const float rates[3] = {0.0f, rate_rule / 96.0f, rate_rule / 8.0f};
    double losses[3][CHECKED], n[CHECKED], slopes[3];
    Run runs[2 * CHECKED];
    int count = 0;
    for (int i = CHECKED - 1; i >= 0; i--)
        for (int k = 1; k < 3; k++) {
            runs[count] = run_of(widths[checked[i]], 0, TOKENS);
            runs[count++].rate = rates[k];
        }
    train_all(lesson, book, "one rate for all", runs, count);
    for (int i = 0; i < CHECKED; i++) {
        n[i] = points[checked[i]].n;
        losses[0][i] = points[checked[i]].losses[0];
        for (int k = 1; k < 3; k++) losses[k][i] = runs[2 * (CHECKED - 1 - i) + k - 1].loss;
    }
    printf("nats per character, seed 0\n width   0.3 / C  all %.4f  all %.4f\n", (double)rates[1],
           (double)rates[2]);
    for (int i = 0; i < CHECKED; i++)
        printf("%6d  %8.3f  %10.3f  %10.3f\n", widths[checked[i]], losses[0][i], losses[1][i], losses[2][i]);
    printf("slope ");
    for (int k = 0; k < 3; k++) {
        slopes[k] = fit_law(n, losses[k], CHECKED, false).b;
        printf("  %8.3f", slopes[k]);
    }
    printf("\n\n");
    claim(lesson, losses[0][0] < losses[1][0] && losses[0][CHECKED - 1] < losses[2][CHECKED - 1],
          "the small one suffers under the rate of the large one, and the large one under that of the small");
    claim(lesson, slopes[1] >= 1.1 * slopes[0] && slopes[2] <= 0.9 * slopes[0],
          "one rate for all makes the law steeper by a tenth, or flatter by a tenth, whichever rate it is");
    draw_one_rate(lesson, points, losses);
}

/*
With the rate of the large network the small ones crawl, and the law looks steeper by a quarter: size seems to be
worth more than it is. With the rate of the small one the large ones shake, and it looks flatter: size seems not to
help. Each of these would make a convincing figure, and both would be about the rate. The studies of 2020 and 2022
differed for such reasons, schedules that did not fit the length and the counting that comes next (Porian and others
2024).

## Which N?

A second way to bend a law is to count differently. The first large study (Kaplan and others 2020) left the tables
out of $N$; the second (Hoffmann and others 2022) counted them in. For GPT-3 that is less than one percent. For
networks as small as those that one fits laws to, it is most of them.
*/

static void which_n(Lesson *lesson, const Book *book, const Point *points, Law law)
{
    section(lesson, "Which N?");
    double n[SIZES], loss[SIZES];
    columns_of(points, SIZES, n, loss);
    for (int i = 0; i < SIZES; i++) n[i] -= 2.0 * book->symbols * widths[i];
    Law without = fit_law(n, loss, SIZES, true);
    printf("                    a       b       c      R²\n");
    printf("all         %9.3f  %6.3f  %6.3f  %6.4f\n", law.a, law.b, law.c,
           r_squared(loss, SIZES, law.error));
    printf("no tables   %9.3f  %6.3f  %6.3f  %6.4f\n\n", without.a, without.b, without.c,
           r_squared(loss, SIZES, without.error));
    claim(lesson, without.b <= 0.9 * law.b,
          "without the tables in N, the exponent is smaller by a tenth or more");
}

/*
The same losses, and the exponent is 0.40 in the place of 0.49. $N$ without the tables spans more: a factor of 127
from the smallest to the largest, and with them 83. Both curves fit. Who quotes an exponent must say what was
counted. (With tables and without, and small sizes, most of the difference between the two large studies can be
explained: Pearce and Song 2024.)

## Is money all you need?

The title says so. Ask the networks' opponent, who has counted the same quarter of a million characters.
*/

static double least_of(const double *values, int count)
{
    double least = values[0];
    for (int i = 1; i < count; i++) least = fmin(least, values[i]);
    return least;
}

static void against_counting(Lesson *lesson, const Book *book, const Point *points, Law law, const Law *laws)
{
    section(lesson, "Is money all you need?");
    printf("nats per character after %d characters\n", TOKENS);
    for (int order = 1; order <= MOST_ORDER; order++) {
        int better = 0;
        while (better < SIZES && points[better].loss > book->few[order]) better++;
        printf("%d-gram  %.3f   ", order, book->few[order]);
        if (better < SIZES)
            printf("networks are better from width %d on\n", widths[better]);
        else
            printf("better than all networks\n");
    }
    const double best = least_of(book->few + 1, MOST_ORDER), more = least_of(book->all + 1, MOST_ORDER);
    int hopeless = 0;
    for (int d = 0; d < DRAWS; d++) hopeless += laws[d].c >= best;
    printf("\nthe largest network %.3f; the law's floor %.3f, above the best n-gram in %.0f %% of the draws\n"
           "the best n-gram with %.1f times the text: %.3f\n\n",
           points[SIZES - 1].loss, law.c, 100.0 * hopeless / DRAWS, (double)book->train.count / TOKENS, more);
    claim(lesson, points[0].loss < book->few[2], "the smallest network beats counting pairs");
    claim(lesson, points[SIZES - 1].loss > best,
          "the best n-gram of the same text beats the largest network");
    claim(
        lesson, best - more > points[SIZES - 1].loss - law_at(law, 1e3 * points[SIZES - 1].n),
        "all of the text helps counting more than, by the law, a thousand times the size helps the network");
}

/*
So money for parameters is not all. At this length of text the row that cost nothing wins against every size, and as
the law's floor lies above it, by the law no size would ever win. But the law was fitted at *one* length of text.
Its floor is made of what $D$ characters, read once, can teach.

## Size or data?

Then let both move, and hold fixed what costs: the FLOP. For the same budget one can train a small network on much
text or a large one on little. Both ends are bad: the small one has no room for more, the large one has no time.
Somewhere between is the best size, and Hoffmann and others (2022) found it by putting a parabola through the
losses, over $\ln N$. Each run has a schedule of its own that ends where its text ends: a long run that is looked at
in its middle has a rate that is still high, and looks worse than it need be. (The study of 2020 had looked so, and
this was one reason why it found other exponents.)
*/

enum { BUDGETS = 3, TRIED = 5 };
static const double budgets[BUDGETS] = {1e10, 4e10, 1.6e11}; // FLOP; the last with FULL=1 only
static const int first_tried[BUDGETS] = {0, 1, 2};           // of the sizes: five that enclose the best

typedef struct {
    double n[TRIED], loss[TRIED];
    long tokens[TRIED];
} Budget;

// The lowest point of the parabola of the least squares through five losses, in z = ln N, as far as sizes were tried
static double best_size(const double *n, const double *loss)
{
    double z[TRIED], middle = 0.0, mean = 0.0, z2 = 0.0, z3 = 0.0, z4 = 0.0, zl = 0.0, zzl = 0.0;
    for (int i = 0; i < TRIED; i++) {
        z[i] = (double)log32((float)n[i]);
        middle += z[i] / TRIED, mean += loss[i] / TRIED;
    }
    for (int i = 0; i < TRIED; i++) {
        const double from = z[i] - middle, square = from * from;
        z2 += square, z3 += square * from, z4 += square * square;
        zl += from * (loss[i] - mean), zzl += square * (loss[i] - mean);
    }
    const double spread = z4 - z2 * z2 / TRIED;
    const double slope = zl * spread - z3 * zzl, curvature = z2 * zzl - z3 * zl; // times the same number
    const double lowest = curvature > 0.0 ? middle - slope / (2.0 * curvature) : middle;
    return (double)exp32((float)fmin(fmax(lowest, z[0]), z[TRIED - 1]));
}

// Trains five sizes for each budget; with FULL=1 at three rates each, of which the best counts
static void spend(Lesson *lesson, const Book *book, Budget *spent, int count)
{
    static const float factors[] = {1.0f, 0.5f, 2.0f}; // of the rule's rate
    const int rates = lesson_full(lesson) ? 3 : 1;
    Run runs[BUDGETS * TRIED * 3];
    int made = 0;
    for (int k = count - 1; k >= 0; k--)
        for (int i = 0; i < TRIED; i++)
            for (int r = 0; r < rates; r++) {
                const int width = widths[first_tried[k] + i];
                const double each = flop_by_hand(LAYERS, width, book->symbols, TIME) * TIME * BATCH;
                runs[made] = run_of(width, 0, (long)(budgets[k] / each) * TIME * BATCH);
                runs[made++].rate *= factors[r];
            }
    train_all(lesson, book, "size or data", runs, made);
    const Run *run = runs;
    for (int k = count - 1; k >= 0; k--)
        for (int i = 0; i < TRIED; i++) {
            spent[k].n[i] = parameters_of(book, run->width);
            spent[k].tokens[i] = run->tokens;
            spent[k].loss[i] = run->loss;
            for (int r = 0; r < rates; r++, run++) spent[k].loss[i] = fmin(spent[k].loss[i], run->loss);
        }
}

static double exponent_between(double n, double more_n, double flop, double more_flop)
{
    return (double)log32((float)(more_n / n)) / (double)log32((float)(more_flop / flop));
}

/*
How does the best size grow with the budget? Between two budgets the exponent is the logarithm of the ratio of sizes
over that of the budgets. For the seeds we draw again: to each loss one deviation of those that were seen above is
added, and the parabolas are laid anew.
*/

static Interval draw_exponents(Lesson *lesson, const Point *points, const Budget *spent, int count)
{
    double deviations[SIZES * MOST_SEEDS], drawn[DRAWS];
    const int all = seed_deviations(points, SIZES, deviations);
    Rng rng = lesson_rng(lesson, 4);
    for (int d = 0; d < DRAWS; d++) {
        double best[BUDGETS] = {0};
        for (int k = 0; k < count; k++) {
            double loss[TRIED];
            for (int i = 0; i < TRIED; i++)
                loss[i] = spent[k].loss[i] + deviations[rng_below(&rng, (uint32_t)all)];
            best[k] = best_size(spent[k].n, loss);
        }
        drawn[d] = exponent_between(best[0], best[count - 1], budgets[0], budgets[count - 1]);
    }
    return interval_of(drawn, DRAWS);
}

static void draw_budgets(Lesson *lesson, const Budget *spent, int count)
{
    Plot *plot = plot_begin(lesson, "budgets.svg", "The same budget, spent on size or on text");
    plot_axes(plot, "parameters N", "nats per character, held out");
    plot_log(plot, "x");
    for (int k = 0; k < count; k++) {
        float n[TRIED], loss[TRIED];
        char name[64];
        for (int i = 0; i < TRIED; i++) n[i] = (float)spent[k].n[i], loss[i] = (float)spent[k].loss[i];
        snprintf(name, sizeof name, "%.1e FLOP each", budgets[k]);
        plot_line_points(plot, name, n, loss, TRIED);
    }
    plot_end(plot,
             "All points of a line have cost the same. To the left much text, to the right large networks.");
}

static void size_or_data(Lesson *lesson, const Book *book, const Point *points)
{
    section(lesson, "Size or data?");
    const int count = lesson_full(lesson) ? BUDGETS : BUDGETS - 1;
    Budget spent[BUDGETS];
    double best[BUDGETS];
    bool inside = true;
    spend(lesson, book, spent, count);
    for (int k = 0; k < count; k++) {
        const Budget *b = &spent[k];
        printf("%.1e FLOP      N  characters  for each parameter   loss\n", budgets[k]);
        for (int i = 0; i < TRIED; i++)
            printf("%18.0f  %10ld  %18.1f  %.3f\n", b->n[i], b->tokens[i], (double)b->tokens[i] / b->n[i],
                   b->loss[i]);
        best[k] = best_size(b->n, b->loss);
        const double least = least_of(b->loss, TRIED);
        inside = inside && b->loss[0] > least && b->loss[TRIED - 1] > least;
        printf("the best size by a parabola: %.0f\n\n", best[k]);
    }
    const Interval exponent = draw_exponents(lesson, points, spent, count);
    printf("the best size grows like FLOP to the power %.2f (90 %%: %.2f … %.2f)\n\n",
           exponent_between(best[0], best[count - 1], budgets[0], budgets[count - 1]), exponent.low,
           exponent.high);
    claim(lesson, inside,
          "for the same FLOP, the smallest and the largest network are both worse than one between");
    claim(lesson, best[count - 1] > best[0], "and with a larger budget the best size is larger");
    draw_budgets(lesson, spent, count);
}

/*
Both lines have a valley, and the larger budget has it further to the right: from 6.9 to 12.8 thousand parameters
for four times the FLOP, an exponent of 0.44. Two valleys of five points and the noise of seeds leave it between
0.34 and 0.55, and other seeds of everything gave 0.33 and 0.45. This leans to the 0.50 of 2022, and would not
convince anybody who believes in another.

`FULL=1` adds a third budget and tries half and twice the rate for every size, of which the best counts: three
minutes of one core. $1.6 \cdot 10^{11}$ FLOP are best spent on 24.8 thousand parameters, and through three valleys
the exponent is 0.47, between 0.41 and 0.54 in nine of ten draws. That interval is two thirds as
wide, and 0.50 is still in it. Trained apart, by the same code, half and twice the rate were tried for fifteen pairs
of size and budget: the rule was the best in twelve, and where twice the rate was better, the gain was 0.015 nats at
most. With $1.6 \cdot 10^{11}$ FLOP the best of the
widths 24 to 96 was 24, with 1.483 nats after 1.4 million characters; at width 96 that budget is spent after 110
thousand, with 1.788.

And the law of the other sections? It was made with one length of text for all, and on the right of each valley
that is a waste: our largest network has seen one character for each of its parameters.

## The bill

What does it cost? The FLOP we know. The rest are assumptions, and the table says which: a processor core that does
$3 \cdot 10^{10}$ FLOP a second, draws 10 W and is rented for 3 cents an hour; an accelerator that does $1.5 \cdot
10^{14}$ in real training, half of what its data sheet promises, draws 500 W with its part of the machine and the
cooling, and is rented for 2 dollars an hour; and a kilowatt-hour for 15 cents. (How fast *your* cores were stands
on the terminal, beside the table.)

The large networks are those of the paper on GPT-3, which trained all of them on $3 \cdot 10^{11}$ tokens.
*/

typedef struct {
    const char *name;
    double n, tokens;
} Training;

typedef struct {
    const char *name;
    double rate, watts, rent; // FLOP a second; dollars an hour
} Machine;

static const Machine machines[] = {{"core", 3e10, 10.0, 0.03}, {"accelerator", 1.5e14, 500.0, 2.0}};
static const double kilowatt_hour = 0.15; // dollars

static void print_bill(const Training *t, Interval loss)
{
    const double flop = 6.0 * t->n * t->tokens;
    printf("%-12s %8.1e %8.1e %8.1e", t->name, t->n, t->tokens, flop);
    for (int m = 0; m < 2; m++) {
        const double hours = flop / machines[m].rate / 3600.0, energy = hours * machines[m].watts / 1000.0;
        printf("  %8.2g %8.2g %8.2g", hours, energy * kilowatt_hour, hours * machines[m].rent);
    }
    printf("  %5.2f … %.2f\n", loss.low, loss.high);
}

static void the_bill(Lesson *lesson, const Book *book, const Law *laws)
{
    section(lesson, "The bill");
    const Training trainings[] = {{"our largest", parameters_of(book, widths[SIZES - 1]), TOKENS},
                                  {"GPT-3 Small", 1.25e8, 3e11},
                                  {"GPT-3 XL", 1.3e9, 3e11},
                                  {"GPT-3 13B", 1.3e10, 3e11},
                                  {"GPT-3", count_parameters(96, 12288, 50257 + 2048), 3e11}};
    enum { TRAININGS = sizeof trainings / sizeof *trainings };
    printf("                                           one core                   one accelerator\n"
           "                    N   tokens     FLOP     hours  power $   rent $     hours  power $   rent $"
           "  loss, 90 %%\n");
    for (int i = 0; i < TRAININGS; i++) print_bill(&trainings[i], interval_at(laws, trainings[i].n));
    const Training *gpt3 = &trainings[TRAININGS - 1];
    const double full = flop_by_hand(96, 12288, 50257, 2048) * gpt3->tokens,
                 short_way = 6.0 * gpt3->n * gpt3->tokens;
    printf("\nGPT-3: 6ND = %.2e FLOP; counted with attention %.2e\n\n", short_way, full);
    claim(lesson, fabs(gpt3->n / 1.75e11 - 1.0) <= 0.01,
          "from layers, width and vocabulary, GPT-3 has the published 175 billion parameters, to 1 %%");
    claim(lesson, fabs(short_way / 3.14e23 - 1.0) <= 0.01,
          "and 6ND gives the 3.14e23 FLOP of its paper, to 1 %%");
    claim(lesson, fabs(full / short_way - 1.0) <= 0.02, "what 6ND leaves out is less than 2 %% of GPT-3");
}

/*
What our largest network cost is a hundredth of a cent, and GPT-3's cost is a million times a million times that.
Each row is a product of a number that is counted and some that are assumed. The FLOP are good to 2 %. The rate is
not: a factor of three either way separates careful from careless programs on the same machine, and rents differ by
as much. So read "1.2 million dollars" as "between four hundred thousand and four million". The runs that failed, the search for rates and the salaries come on top.

The last column is absurd, and stands there so that nobody has to compute it in secret. It is our law at $N$, for a
quarter of a million characters of the Bible, read once; GPT-3 read a million times as many tokens, other ones, of
another text. Its loss is counted per token of another tokenizer. Nothing in this chapter can be compared with it,
and the narrow interval says only that our curve has ended.

Is money all you need, then? Within a law's reach it buys loss, at a price that is known beforehand, and that is
remarkable enough. But it has to be spent on size and data together, with rates that fit; at the budget of this page
the one who counts is ahead and has spent nothing; and a lower loss is not yet what anybody wanted (chapter 20's
questions are asked afterwards).
*/

/*
## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "21-scaling-laws", "Money is all you need: scaling");
    Book book = open_book(lesson);
    Point points[SIZES] = {{0}};
    Law curves[CURVES];
    static Law laws[DRAWS];
    count_by_hand(lesson, &book);
    train_all_but_the_largest(lesson, &book, points);
    predict_the_largest(lesson, &book, points);
    through_all(lesson, &book, points, curves);
    what_is_not_known(lesson, points, curves, laws);
    one_rate_for_all(lesson, &book, points);
    which_n(lesson, &book, points, curves[WITH_FLOOR]);
    against_counting(lesson, &book, points, curves[WITH_FLOOR], laws);
    size_or_data(lesson, &book, points);
    the_bill(lesson, &book, laws);
    return lesson_end(lesson);
}

/*
## What to take along

- $6ND$ FLOP: twice for each weight and token forwards, four times backwards. Attention and tables are what it leaves
  out; they matter for small networks, and hardly for large ones.
- A power law with a floor fits the losses of eight sizes, and predicts the next one. Judge a prediction by the
  improvement and not by the loss, and beside the guess that nothing changes.
- A fit of three numbers to eight points does not know its exponent, and an interval holds only if the curve does.
- One learning rate for all sizes makes another law. So does another way to count $N$. Ask for both.
- For a fixed budget there is a best size. Larger is not better; larger and longer is.
- Before you spend money, let somebody count.

## Check yourself

**1.** Why 6 and not 3 FLOP for each parameter and token?

<details><summary>Answer</summary>

A multiply-add is two, and each weight is in three of them: one forwards, one for the gradient of its input, one for
its own.

</details>

**2.** A network has 12 layers of width 768. At which context does attention's own work equal that of the weights in
the layers?

<details><summary>Answer</summary>

$C(T + 1) = 12 C^2$, so $T + 1 = 12 C = 9216$, whatever the number of layers. (Under the causal mask. Without one it
is half of that.)

</details>

**3.** A law with $b = 0.5$ and a floor of 1.5 gives 1.6 at some size. What does it give at a hundred times the
size? And with $b = 0.25$?

<details><summary>Answer</summary>

What is above the floor, 0.1, is divided by $100^{0.5} = 10$: 1.51. With 0.25 it is divided by 3.2: 1.53.

</details>

**4.** Somebody predicts the loss of the next model to 2 % and calls it precise. What do you ask?

<details><summary>Answer</summary>

By how much did the loss change? If the last model had 1.62 and the next has 1.58, "as the last one" is within 3 %.
Ask for the error of the change, and for what simpler guesses would have said.

</details>

**5.** You get a law for networks of 10 to 100 million parameters, all trained with a rate of 0.001. In which
direction is its slope wrong?

<details><summary>Answer</summary>

It depends on which of them the rate fits. If it is the large ones', the small ones are too bad and the slope is too
steep. If it is the small ones', it is too flat. From the law alone one cannot tell.

</details>

## Sources

- J. Kaplan and others, *Scaling laws for neural language models*, 2020: power laws in size, data and compute;
  $6ND$; $N$ without embeddings.
- J. Hoffmann and others, *Training compute-optimal large language models*, 2022 ("Chinchilla"): equal budgets with
  parabolas, schedules that end where the text ends.
- T. Brown and others, *Language models are few-shot learners*, 2020: sizes, tokens and FLOP of the GPT-3 family
  (table 2.1, table D.1).
- T. Pearce, J. Song, *Reconciling Kaplan and Chinchilla scaling laws*, 2024: counting with and without embeddings;
  T. Porian and others, *Resolving discrepancies in compute-optimal scaling of language models*, 2024: schedules and
  the rest.
- G. Yang and others, *Tensor programs V: tuning large neural networks via zero-shot hyperparameter transfer*, 2021:
  Adam's rate as $1/C$.
- K. Burnham, D. Anderson, *Model selection and multimodel inference*, 2002: AICc. B. Efron, *Bootstrap methods*,
  1979.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade21` tells how far you are,
`make hint21` helps.

- **TASK 21.1** the parameters of a Llama.
- **TASK 21.2** FLOP with a sliding window.
- **TASK 21.3** a law through means of different numbers of seeds.
- **TASK 21.4** the best size for a budget, by a parabola that one may believe.
- **TASK 21.5** the cheapest model when it is used afterwards, too.

And without a computer, or with five minutes at one:

**1.** What if the two tables were tied (chapter 20)? What becomes of $N$, of the FLOP, of $6ND$?

<details><summary>Answer</summary>

$N$ loses $VC$ parameters and the FLOP lose nothing, since the upper product is made as before. For the smallest
network $6N$ then falls to 13.8 thousand, with 18.7 thousand counted: the luck is over.

</details>

**2.** What if the context were 1024 characters and not 64? Which of the eight sizes change the most?

<details><summary>Answer</summary>

Attention's $C(T + 1)$ grows sixteenfold for all. Width 8 would need 111 thousand FLOP a token, six times as many,
and width 96 1.8 times as many. With $6ND$ on the axis nobody would see it.

</details>

**3.** The eighth size is predicted from seven. Predict the seventh and the eighth from six. Is it harder?

<details><summary>Answer</summary>

Yes. The step is longer and there is one point less for three numbers. Put `SIZES - 2` into `predict_the_largest`
and into the call before it, and see how far the floor moves.

</details>

**4.** Why is the text read only once here? What would a law look like that reads the same $D$ characters ten times?

<details><summary>Answer</summary>

In one pass each loss is measured on new text, and training and validation agree (chapter 20). After ten passes the
large networks know the text by heart: the curve turns up again, and no power law does that.

</details>

**5.** With a kilowatt-hour at 15 cents, what is the power that GPT-3 needs for training worth, and how many
households of 3500 kilowatt-hours a year use as much?

<details><summary>Answer</summary>

By our assumptions 44 thousand dollars, which are 290 thousand kilowatt-hours: 84 households. Published estimates
are four times as high (accelerators of 2020 did less for each watt), which is inside of what one must expect from
such a table.

</details>
*/
