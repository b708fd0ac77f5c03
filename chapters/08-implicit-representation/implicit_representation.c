/*
# A function hidden in a network

Learning is function approximation. So far that sentence has been about clothes and their names, and nobody can look
at a function of 784 variables. Here is one that we can look at: a photograph. It is a function of two variables, the
place $(x, y)$, with three values, red, green and blue. We give a network places and colours, and what it has learnt
we can *see*: every fault of the approximation is a fault of the image.

A network that holds one image, one shape or one scene in its weights is called an **implicit neural representation**
(隐式神经表示): no pixel is stored anywhere, and there is a colour at every place, also between the pixels. On the way
we find

- that the networks of [chapter 6](../06-mlp-backprop/README.md) are blind to detail, and why;
- two ways to give them eyes, in both of which the first layer does it: **Fourier features** (傅里叶特征) and
  **SIREN**;
- what such a network is worth as an image of any size, and as a compressed file: less than one often reads;
- that its slope is a function too, and how a shape can be learnt from a rule about slopes alone.

You need the tape of [chapter 7](../07-autograd/README.md) and Adam of
[chapter 5](../05-descent-and-randomness/README.md).
*/

#include "base/mathf.h"
#include "files/image.h"
#include "learning/ops/elementwise.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "matrix/stored.h"
#include "models/nn.h"

#include <math.h>
#include <string.h>

enum { SIDE = 128, PIXELS = SIDE * SIDE, PHOTOS = 2 };
static const float PI = 3.14159265f;

/*
## A photograph is a function

Rows are positions, columns are features: an image is a matrix with a row for each pixel. Its place is two inputs from
$-1$ to $1$, its colour three outputs. Both photographs are cut to a square and shrunk to 128 × 128 pixels, each the
mean of the area that it covers; the large ones are held out until the end.

The measure of likeness is the **peak signal-to-noise ratio** (峰值信噪比), PSNR. With colours from 0 to 1 and a mean
squared error of MSE it is $-10 \log_{10} \text{MSE}$, in decibels: every 10 dB are a factor of ten in the squared
error. At 20 dB the error is a tenth of the range from black to white, at 30 dB a thirtieth, and then most people have
to look twice.
*/

// Words in a column of a table: the width counts characters and not bytes
static void print_words(const char *words, int width)
{
    for (const char *c = words; *c; c++) width -= (*c & 0xc0) != 0x80;
    printf("%s%*s", words, int_max(width, 0), "");
}

typedef struct {
    const char *name;
    int factor;             // the large one has this many times the side
    Matrix places, colours; // (pixels × 2), (pixels × 3)
    Matrix large;           // the colours of the large one
} Photo;

// The centres of side × side pixels, row by row: (side² × 2), x to the right and y down
static Matrix pixel_centres(Arena *arena, int side)
{
    Matrix places = matrix_new(arena, side * side, 2);
    for (int i = 0; i < side * side; i++) {
        AT(places, i, 0) = (float)(2 * (i % side) + 1) / (float)side - 1.0f;
        AT(places, i, 1) = (float)(2 * (i / side) + 1) / (float)side - 1.0f;
    }
    return places;
}

static float psnr(Matrix rendered, Matrix colours)
{
    double total = 0.0;
    for (size_t i = 0; i < matrix_size(colours); i++) {
        const double error = (double)clamp32(rendered.data[i], 0.0f, 1.0f) - (double)colours.data[i];
        total += error * error;
    }
    return -10.0f * log32((float)(total / (double)matrix_size(colours))) / log32(10.0f);
}

static Photo photo_read(Arena *arena, const char *name, int factor)
{
    char path[128];
    snprintf(path, sizeof path, "datasets/cache/photographs/%s.png", name);
    Image whole = image_read(arena, path);
    Image large = image_centre(arena, whole, factor * SIDE, factor * SIDE);
    return (Photo){name, factor, pixel_centres(arena, SIDE),
                   image_pixels(arena, image_resize(arena, large, SIDE, SIDE)), image_pixels(arena, large)};
}

// As if the photograph were a mosaic of cells × cells squares, each of one colour
static float mosaic_psnr(const Photo *photo, int cells)
{
    Arena *arena = arena_new();
    Image small = image_from_pixels(arena, photo->colours, SIDE, SIDE);
    Image mosaic = image_resize(arena, image_resize(arena, small, cells, cells), SIDE, SIDE);
    const float likeness = psnr(image_pixels(arena, mosaic), photo->colours);
    arena_free(arena);
    return likeness;
}

static void the_photographs(Lesson *lesson, const Photo *photos)
{
    section(lesson, "A photograph is a function");
    printf("PSNR, when the photograph is a mosaic\n\n%-12s%13s%13s%13s\n", "", "8 × 8", "16 × 16", "32 × 32");
    for (int p = 0; p < PHOTOS; p++) {
        printf("%-12s", photos[p].name);
        for (int cells = 8; cells <= 32; cells *= 2)
            printf("%9.1f dB", (double)mosaic_psnr(&photos[p], cells));
        printf("\n");
    }
}

/*
## Three networks

All three have layers of 128 and about as many weights to learn, 34 thousand. They differ in what the first layer does
with the place $v = (x, y)$.

**Plain ReLU.** The network of chapter 6: three hidden layers, $\text{relu}(vW + b)$ and so on, with the uniform start
that is usual elsewhere.

**Fourier features** (Tancik and others 2020). The first layer is not learnt. It is a fixed set of waves,
$\gamma(v) = [\sin 2\pi vB,\ \cos 2\pi vB]$, where the 64 columns of $B$ are drawn once from a normal distribution of
deviation $\sigma$: waves in all directions, of about $\sigma$ cycles a unit. Then come two ReLU layers.

**SIREN** (Sitzmann and others 2020). Three hidden layers with the sine for an activation, $\sin(\omega_0 (hW + b))$
with $\omega_0 = 30$. All layers are learnt. Why the weights start as they do below has its own section.
*/

typedef enum { RELU, FOURIER, SIREN, KINDS } Kind;
static const char *const kind_names[KINDS] = {"plain ReLU", "Fourier features", "SIREN"};

typedef struct {
    Kind kind;
    float frequency; // of its waves: σ of Fourier features, ω₀ of SIREN
    Parameters set;
    Linear layers[4];
    int count;
    Matrix waves; // B (inputs × width/2)
} Network;

// x (N × inputs), waves (inputs × m) → (N × 2m)
static void fourier_features(Matrix out, Matrix x, Matrix waves)
{
    for (int n = 0; n < x.rows; n++)
        for (int j = 0; j < waves.cols; j++) {
            float turns = 0.0f;
            for (int i = 0; i < x.cols; i++) turns += AT(x, n, i) * AT(waves, i, j);
            AT(out, n, j) = sin32(2.0f * PI * turns);
            AT(out, n, waves.cols + j) = cos32(2.0f * PI * turns);
        }
}

// The first layer of SIREN: ω₀ W is up to ω₀ / inputs, waves of many lengths. The others: ±√(6 / inputs) / ω₀.
static void siren_start(Linear *layer, bool first, float omega, Rng *rng)
{
    const float inputs = (float)layer->weight->value.rows,
                bound = first ? 1.0f / inputs : sqrtf(6.0f / inputs) / omega;
    fill_uniform(layer->weight->value, rng, -bound, bound);
    const float shift = 1.0f / sqrtf(inputs);
    fill_uniform(layer->bias->value, rng, -shift, shift);
}

static Network network_new(Arena *arena, Kind kind, float frequency, int inputs, int width, int outputs,
                           Rng *rng)
{
    Network net = {.kind = kind, .frequency = frequency, .set = parameters_new(arena), .count = 4};
    int sizes[5] = {inputs, width, width, width, outputs};
    if (kind == FOURIER) {
        net.waves = matrix_new(arena, inputs, width / 2);
        fill_normal(net.waves, rng, 0.0f, frequency);
        sizes[0] = width, sizes[3] = outputs, net.count = 3;
    }
    for (int l = 0; l < net.count; l++) {
        net.layers[l] = linear_new(&net.set, layer_name(&net.set, "layer", "", l), sizes[l], sizes[l + 1],
                                   rng, INIT_FAN_IN_UNIFORM);
        if (kind == SIREN) siren_start(&net.layers[l], l == 0, frequency, rng);
    }
    return net;
}

// x (N × inputs) → (N × outputs)
static Tensor *network_output(const Network *net, Tensor *x)
{
    Tensor *hidden = x;
    if (net->kind == FOURIER) {
        Matrix features = matrix_new(tape_arena(x->tape), x->value.rows, 2 * net->waves.cols);
        fourier_features(features, x->value, net->waves);
        hidden = tape_input(x->tape, features);
    }
    for (int l = 0; l < net->count - 1; l++) {
        if (net->kind == SIREN) {
            hidden = sine(tensor_scale(linear(&net->layers[l], hidden), net->frequency));
        } else {
            hidden = linear_relu(&net->layers[l], hidden);
        }
    }
    return linear(&net->layers[net->count - 1], hidden);
}

/*
The networks speak of colours from $-1$ to $1$. A step shows 1024 pixels, drawn at random; the rate falls along half a
cosine to 0.
*/

enum { BATCH = 1024, STEPS = 800, EVERY = 100, LOOKS = STEPS / EVERY };

// The colours at any places, from 0 to 1 where the network keeps to it
static void render(Matrix out, const Network *net, Matrix places)
{
    Arena *arena = arena_new();
    enum { AT_ONCE = 4096 };
    for (int first = 0; first < places.rows; first += AT_ONCE) {
        const int count = int_min(AT_ONCE, places.rows - first);
        Tape *tape = tape_inference(arena);
        Tensor *y = network_output(net, tape_input(tape, matrix_rows(places, first, count)));
        for (size_t i = 0; i < matrix_size(y->value); i++)
            matrix_row(out, first)[i] = 0.5f + 0.5f * y->value.data[i];
        arena_reset(arena);
    }
    arena_free(arena);
}

typedef struct {
    Kind kind;
    float frequency, rate;
} Recipe;

typedef struct {
    Network net;
    float psnr[LOOKS + 1]; // after 0, 100, 200, … steps
    Matrix images[LOOKS + 1];
} Fit;

static void fit_step(const Network *net, Tape *tape, const Photo *photo, Rng *rng)
{
    tape_reset(tape);
    Matrix places = matrix_uninitialised(tape_arena(tape), BATCH, 2),
           colours = matrix_uninitialised(tape_arena(tape), BATCH, 3);
    for (int i = 0; i < BATCH; i++) {
        const int pixel = (int)rng_below(rng, PIXELS);
        memcpy(matrix_row(places, i), matrix_row(photo->places, pixel), 2 * sizeof(float));
        for (int c = 0; c < 3; c++) AT(colours, i, c) = 2.0f * AT(photo->colours, pixel, c) - 1.0f;
    }
    backward(mean_squared_error(network_output(net, tape_input(tape, places)), colours));
}

static void fit_train(Fit *fit, Arena *arena, const Photo *photo, float rate, int steps, Rng *rng)
{
    Optimiser adam = adam_new(arena, &fit->net.set, 0.9f, 0.999f, 1e-8f, 0.0f);
    Tape *tape = tape_new();
    for (int step = 0; step <= steps; step++) {
        if (step % (steps / LOOKS) == 0) {
            const int look = step / (steps / LOOKS);
            fit->images[look] = matrix_new(arena, PIXELS, 3);
            render(fit->images[look], &fit->net, photo->places);
            fit->psnr[look] = psnr(fit->images[look], photo->colours);
        }
        if (step == steps) break;
        fit_step(&fit->net, tape, photo, rng);
        optimiser_step(&adam, cosine_schedule(rate, step, 0, steps));
    }
    tape_free(tape);
}

static Fit fit_photo(Arena *arena, const Photo *photo, Recipe recipe, int steps, Rng rng)
{
    Fit fit = {.net = network_new(arena, recipe.kind, recipe.frequency, 2, SIDE, 3, &rng)};
    fit_train(&fit, arena, photo, recipe.rate, steps, &rng);
    return fit;
}

/*
Each network gets the best of six rates, from 0.0005 to 0.02, for 800 steps on both photographs. The best of three
$\sigma$ is 6; $\omega_0$ stays at its authors' 30, although 60 fits better still. The whole table is printed with
`FULL=1`.
*/

static const Recipe recipes[KINDS] = {{RELU, 0.0f, 1e-2f}, {FOURIER, 6.0f, 1e-2f}, {SIREN, 30.0f, 2e-3f}};

static void draw_fits(Lesson *lesson, const Photo *photos, Fit fits[PHOTOS][KINDS])
{
    Matrix images = matrix_new(lesson_arena(lesson), PHOTOS * 4, PIXELS * 3);
    char words[PHOTOS * 4][64];
    const char *captions[PHOTOS * 4];
    for (int p = 0; p < PHOTOS; p++)
        for (int k = 0; k < 4; k++) {
            const Matrix image = k == 0 ? photos[p].colours : fits[p][k - 1].images[LOOKS];
            memcpy(matrix_row(images, 4 * p + k), image.data, matrix_size(image) * sizeof(float));
            if (k == 0)
                snprintf(words[4 * p], sizeof words[0], "%s", "the photograph");
            else
                snprintf(words[4 * p + k], sizeof words[0], "%s, %.1f dB", kind_names[k - 1],
                         (double)fits[p][k - 1].psnr[LOOKS]);
            captions[4 * p + k] = words[4 * p + k];
        }
    Plot *plot = plot_begin(lesson, "fits.png", "34 thousand weights, 800 steps");
    plot_images(plot, (PlotImages){SIDE, SIDE, 3, 4, 0.0f, 1.0f}, images, captions);
    plot_end(plot, "The same number of weights, the same steps, each network at its best learning rate.");
}

static void draw_progress(Lesson *lesson, Fit fits[KINDS])
{
    const int looks[] = {0, 1, 2, 4, 6, 8};
    Matrix images = matrix_new(lesson_arena(lesson), 6, PIXELS * 3);
    char words[6][32];
    const char *captions[6];
    for (int i = 0; i < 6; i++) {
        memcpy(matrix_row(images, i), fits[SIREN].images[looks[i]].data, PIXELS * 3 * sizeof(float));
        snprintf(words[i], sizeof words[0], "%d: %.1f dB", looks[i] * EVERY,
                 (double)fits[SIREN].psnr[looks[i]]);
        captions[i] = words[i];
    }
    Plot *plot = plot_begin(lesson, "strip.png", "SIREN while it learns");
    plot_images(plot, (PlotImages){SIDE, SIDE, 3, 6, 0.0f, 1.0f}, images, captions);
    plot_end(plot, "After 0 to 800 steps of 1024 pixels each.");
    float steps[LOOKS + 1];
    for (int i = 0; i <= LOOKS; i++) steps[i] = (float)(i * EVERY);
    plot = plot_begin(lesson, "psnr.svg", "Likeness by step");
    plot_axes(plot, "step", "PSNR on all pixels, dB");
    plot_legend(plot, "top left");
    for (int k = 0; k < KINDS; k++) plot_line_points(plot, kind_names[k], steps, fits[k].psnr, LOOKS + 1);
    plot_end(plot, "The first photograph, after each hundred steps. The last hundreds gain from a rate that "
                   "falls to 0.");
}

// The table from which recipes come
static void search(Lesson *lesson, const Photo *photos)
{
    const float rates[] = {5e-4f, 1e-3f, 2e-3f, 5e-3f, 1e-2f, 2e-2f};
    const float frequencies[KINDS][4] = {{0.0f}, {3.0f, 6.0f, 10.0f}, {1.0f, 15.0f, 30.0f, 60.0f}};
    const int frequency_counts[KINDS] = {1, 3, 4};
    printf("%-20s%10s%10s%12s%12s\n", "PSNR, dB", "frequency", "rate", photos[0].name, photos[1].name);
    for (int k = 0; k < KINDS; k++)
        for (int d = 0; d < frequency_counts[k]; d++)
            for (int r = 0; r < 6; r++) {
                printf("%-20s%10g%10g", kind_names[k], (double)frequencies[k][d], (double)rates[r]);
                for (int p = 0; p < PHOTOS; p++) {
                    Arena *arena = arena_new();
                    Fit fit = fit_photo(arena, &photos[p], (Recipe){(Kind)k, frequencies[k][d], rates[r]},
                                        STEPS, lesson_rng(lesson, 1));
                    printf("%12.1f", (double)fit.psnr[LOOKS]);
                    arena_free(arena);
                }
                printf("\n");
            }
    printf("\n");
}

static void three_networks(Lesson *lesson, const Photo *photos, Fit fits[PHOTOS][KINDS])
{
    section(lesson, "Three networks");
    float least_gain = INFINITY, least_siren = INFINITY;
    if (lesson_full(lesson)) search(lesson, photos);
    printf("%-20s%10s%12s%12s\n", "PSNR, dB", "weights", photos[0].name, photos[1].name);
    for (int k = 0; k < KINDS; k++) {
        for (int p = 0; p < PHOTOS; p++) {
            fits[p][k] =
                fit_photo(lesson_arena(lesson), &photos[p], recipes[k], STEPS, lesson_rng(lesson, 1));
            lesson_progress(lesson, "fitting photographs", PHOTOS * k + p + 1, PHOTOS * KINDS, NAN);
            const float gain = fits[p][k].psnr[LOOKS] - fits[p][RELU].psnr[LOOKS];
            if (k != RELU && gain < least_gain) least_gain = gain;
            if (k == SIREN && fits[p][k].psnr[LOOKS] < least_siren) least_siren = fits[p][k].psnr[LOOKS];
        }
        printf("%-20s%10zu%12.1f%12.1f\n", kind_names[k], parameters_size(&fits[0][k].net.set),
               (double)fits[0][k].psnr[LOOKS], (double)fits[1][k].psnr[LOOKS]);
    }
    printf("\n");
    claim(lesson, fits[0][RELU].psnr[LOOKS] <= 20.0f, "plain ReLU stays below 20 dB on the %s",
          photos[0].name);
    claim(lesson, least_gain >= 8.0f, "Fourier features and SIREN gain at least 8 dB on both photographs");
    claim(lesson, least_siren >= 30.0f, "SIREN reaches 30 dB on both");
    draw_fits(lesson, photos, fits);
    draw_progress(lesson, fits[0]);
}

/*
Plain ReLU has seen that somebody in orange stands there. It is as like the astronaut as a mosaic of more than 256 and
fewer than 1024 squares, though it has two weights for each pixel. The cup is smoother, so the same blindness costs
less there: decibels of two photographs cannot be compared, gains on the same one can. At a rate of 0.001, where plain
ReLU is often left, it has less than 15 dB on the astronaut; the best of six gives it what the table says. SIREN is
not shown at its best: with $\omega_0 = 60$ and a rate of 0.0005 it has about 36 and 38 dB, with $\omega_0 = 1$ no
more than plain ReLU, and at two or three times its best rate it learns nothing at all. `FULL=1` prints all of it.
From five seeds plain ReLU had 17.2 to 17.3 dB on the astronaut, Fourier features 29.6 to 31.3 and SIREN 33.7 to 34.2;
on the cup 21.7 to 22.0, 33.1 to 34.1 and 35.9 to 36.3.

## Why does it blur?

The usual answer is **spectral bias** (频谱偏置; Rahaman and others 2019): such a network learns low frequencies first
and high ones late or never. In an image we cannot take frequencies apart easily; in one dimension we can. The target
is a sum of five sines of equal amplitude, with 1, 2, 4, 8 and 16 cycles on the interval, at 128 places, all of which
each step sees. We note for each frequency the step from which on its part in the network's answer is right to within
a fifth.

Two networks are the experiment, ReLU with and without Fourier features; they differ in the first layer alone. If the
explanation is right, order by frequency must vanish with the waves, and come back when all of the waves are long
($\sigma = 0.3$). A SIREN stands beside them. Each gets the best of three rates: the one at which most frequencies are
learnt, and soonest.
*/

enum { SAMPLES = 128, TONES = 5, TONE_STEPS = 1500, TONE_RATES = 3, TONE_ARMS = 5 };
static const int tones[TONES] = {1, 2, 4, 8, 16};

// The error of each tone in an answer, as part of its amplitude 1
static void tone_errors(double *errors, Matrix answer, Matrix target)
{
    for (int f = 0; f < TONES; f++) {
        double in_phase = 0.0, across = 0.0;
        for (int i = 0; i < SAMPLES; i++) {
            const float angle = 2.0f * PI * (float)(tones[f] * i) / SAMPLES;
            const double error = (double)AT(answer, i, 0) - (double)AT(target, i, 0);
            in_phase += error * (double)cos32(angle), across += error * (double)sin32(angle);
        }
        errors[f] = 2.0 / SAMPLES * sqrt(in_phase * in_phase + across * across);
    }
}

// steps[f]: from which on tone f is right to within a fifth; TONE_STEPS for never
static void learn_tones(int *steps, Kind kind, float frequency, float rate, Rng rng)
{
    Arena *arena = arena_new();
    Matrix x = matrix_new(arena, SAMPLES, 1), y = matrix_new(arena, SAMPLES, 1);
    for (int i = 0; i < SAMPLES; i++) {
        AT(x, i, 0) = (float)(2 * i + 1) / SAMPLES - 1.0f;
        for (int f = 0; f < TONES; f++)
            AT(y, i, 0) += sin32(2.0f * PI * (float)(tones[f] * i) / SAMPLES + (float)f);
    }
    Network net = network_new(arena, kind, frequency, 1, 64, 1, &rng);
    Optimiser adam = adam_new(arena, &net.set, 0.9f, 0.999f, 1e-8f, 0.0f);
    Tape *tape = tape_new();
    for (int f = 0; f < TONES; f++) steps[f] = 0;
    for (int step = 0; step < TONE_STEPS; step++) {
        double errors[TONES];
        tape_reset(tape);
        Tensor *answer = network_output(&net, tape_input(tape, x));
        tone_errors(errors, answer->value, y);
        for (int f = 0; f < TONES; f++)
            if (!(errors[f] < 0.2)) steps[f] = step + 1;
        backward(mean_squared_error(answer, y));
        optimiser_step(&adam, rate);
    }
    tape_free(tape);
    arena_free(arena);
}

static int total(const int *steps)
{
    int all = 0;
    for (int f = 0; f < TONES; f++) all += steps[f];
    return all;
}

static void draw_tones(Lesson *lesson, const char *const *names, int steps[TONE_ARMS][TONES])
{
    float cycles[TONES], y[TONES];
    Plot *plot = plot_begin(lesson, "tones.svg", "When is which frequency learnt?");
    plot_axes(plot, "cycles on the interval", "steps until right to within a fifth");
    plot_log(plot, "xy");
    plot_x_ticks(plot, (double[]){1, 2, 4, 8, 16}, (const char *[]){"1", "2", "4", "8", "16"}, TONES);
    for (int a = 0; a < TONE_ARMS; a++) {
        int learnt = 0;
        for (; learnt < TONES && steps[a][learnt] < TONE_STEPS; learnt++) {
            cycles[learnt] = (float)tones[learnt];
            y[learnt] = (float)int_max(steps[a][learnt], 1);
        }
        plot_line_points(plot, names[a], cycles, y, learnt);
    }
    plot_end(plot, "A line that ends has not learnt the next frequency in 1500 steps.");
}

static void why_it_blurs(Lesson *lesson)
{
    section(lesson, "Why does it blur?");
    const Kind kinds[TONE_ARMS] = {RELU, FOURIER, FOURIER, SIREN, SIREN};
    const float frequencies[TONE_ARMS] = {0.0f, 6.0f, 0.3f, 30.0f, 3.0f},
                rates[TONE_RATES] = {3e-4f, 1e-3f, 3e-3f};
    const char *const names[TONE_ARMS] = {"plain ReLU", "Fourier, σ = 6", "Fourier, σ = 0.3",
                                          "SIREN, ω₀ = 30", "SIREN, ω₀ = 3"};
    int best[TONE_ARMS][TONES];
    printf("steps until a frequency is right to within a fifth, - for more than %d\n\n%-20s", TONE_STEPS,
           "cycles");
    for (int f = 0; f < TONES; f++) printf("%8d", tones[f]);
    printf("    rate\n");
    for (int a = 0; a < TONE_ARMS; a++) {
        float best_rate = 0.0f;
        for (int r = 0; r < TONE_RATES; r++) {
            int steps[TONES];
            learn_tones(steps, kinds[a], frequencies[a], rates[r], lesson_rng(lesson, 2));
            if (r && total(steps) >= total(best[a])) continue;
            memcpy(best[a], steps, sizeof steps);
            best_rate = rates[r];
        }
        print_words(names[a], 20);
        for (int f = 0; f < TONES; f++) {
            if (best[a][f] < TONE_STEPS)
                printf("%8d", best[a][f]);
            else
                printf("%8s", "-");
        }
        printf("    %g\n", (double)best_rate);
    }
    printf("\n");
    claim(lesson,
          best[0][3] >= 3 * int_max(best[0][0], int_max(best[0][1], best[0][2])) && best[0][4] == TONE_STEPS,
          "plain ReLU takes at least three times as long for 8 cycles as for 1, 2 and 4, and 16 never come");
    claim(lesson, best[1][4] <= 2 * best[1][0],
          "with waves before it the same ReLU learns 16 cycles as soon as one");
    claim(lesson, best[2][4] == TONE_STEPS, "with long waves alone 16 cycles never come");
    draw_tones(lesson, names, best);
}

/*
The same ReLU layers, the same rates to choose from: with waves of all lengths before them, order by frequency is
gone; with long waves alone it is back. So it is not that ReLU *cannot* hold a high frequency, and not Adam either; it
is what the first layer offers to the others. One way to see it: kinks at many places must be balanced against each
other to make a fast wave; one that is there already needs one weight. A SIREN has its own waves, and here too it is
their length that counts: with $\omega_0 = 3$ the fast ones come last again, though the sine has remained.

## Why that start?

A stack of sines is delicate. Let a layer have $n$ inputs $h$, each a sine of something like a normal variable. Its
weights are uniform in $\pm\sqrt{6/n}/\omega_0$, of variance $2 / (n \omega_0^2)$; so $\omega_0 hW$ has the variance
$2\,\overline{h^2}$, whatever $n$ and $\omega_0$. And if what goes into a sine is normal with variance $s$, the sine
has the mean square $\frac12 (1 - e^{-2s})$. So from layer to layer

$$s \leftarrow 1 - e^{-2s},$$

which settles at $s = 0.797$: the signal neither fades nor swells, through any number of layers. (We count the
weights' part only. The biases add a fixed phase.) With the start that linear layers usually have, $\pm 1/\sqrt n$,
the variance would be $\omega_0^2 / 3$ times the mean square, 150 of them: then a layer turns its input around several
times over, the next one again, and neighbouring places have nothing in common any more. We measure the variance in
networks of eight layers, and let that start learn the photograph.
*/

enum { DEPTH = 8 };

// The variance of ω₀ hW in each of DEPTH hidden layers behind the first, at 1024 places; usual: weights in ±1/√n
static void signal_variances(double *variances, bool usual, Rng rng)
{
    enum { N = 1024, OMEGA = 30 };
    Arena *arena = arena_new();
    Matrix h = matrix_new(arena, N, SIDE), z = matrix_new(arena, N, SIDE),
           weight = matrix_new(arena, SIDE, SIDE);
    fill_uniform(h, &rng, -PI, PI); // phases of the first layer's waves
    for (int l = 0; l < DEPTH; l++) {
        const float bound = usual ? 1.0f / sqrtf((float)SIDE) : sqrtf(6.0f / SIDE) / OMEGA;
        for (size_t i = 0; i < matrix_size(h); i++) h.data[i] = sin32(h.data[i]);
        fill_uniform(weight, &rng, -bound, bound);
        matmul(z, h, weight);
        scale(z, OMEGA);
        variances[l] = sum_of_squares(z) / (double)matrix_size(z);
        copy(h, z);
    }
    arena_free(arena);
}

static float psnr_with_usual_start(Arena *arena, const Photo *photo, float rate, Rng rng)
{
    Fit fit = {.net = network_new(arena, SIREN, recipes[SIREN].frequency, 2, SIDE, 3, &rng)};
    for (int l = 1; l < fit.net.count; l++)
        initialise(fit.net.layers[l].weight->value, INIT_FAN_IN_UNIFORM, &rng);
    fit_train(&fit, arena, photo, rate, STEPS / 2, &rng);
    return fit.psnr[LOOKS];
}

static void why_that_start(Lesson *lesson, const Photo *photos)
{
    section(lesson, "Why that start?");
    double ours[DEPTH], usual[DEPTH], predicted = 1.0, worst = 0.0;
    signal_variances(ours, false, lesson_rng(lesson, 3));
    signal_variances(usual, true, lesson_rng(lesson, 3));
    printf("variance before the sine\n\n%-12s%12s%12s%12s\n", "layer", "predicted", "SIREN", "usual start");
    for (int l = 0; l < DEPTH; l++) {
        printf("%-12d%12.3f%12.3f%12.1f\n", l + 2, predicted, ours[l], usual[l]);
        worst = fmax(worst, fabs(ours[l] / predicted - 1.0));
        predicted = 1.0 - (double)exp32((float)(-2.0 * predicted));
    }
    float best = 0.0f;
    for (int r = 0; r < 2; r++) {
        const float likeness =
            psnr_with_usual_start(lesson_arena(lesson), &photos[0], r ? 1e-4f : 1e-3f, lesson_rng(lesson, 1));
        best = likeness > best ? likeness : best;
    }
    printf("\nthe %s after %d steps from the usual start, the better of two rates: %.1f dB\n\n",
           photos[0].name, STEPS / 2, (double)best);
    claim(lesson, worst <= 0.1, "the variance is within 10 %% of the prediction in all %d layers", DEPTH);
    claim(lesson, best <= 20.0f, "from the usual start SIREN stays below 20 dB");
}

/*
The prediction has no free number in it, and holds through eight layers. With the usual start the variance is nearly
two hundred times as large, and hardly anything is learnt at either rate. Here the initialisation is not a matter of
speed: it decides whether there is a network at all. [Chapter 9](../09-resnet/README.md) finds the same knife's edge
for ReLU.

## Between the pixels

The network has a colour at every place. Ask it at four times as many places in each direction, and out comes an image
of 512 × 512. Is it a *better* one than what every image program makes of 128 × 128 pixels? The true one was held out,
so we can say. (The photograph of the cup is smaller, and is asked at three times as many.) The opponents are
**bilinear** (双线性) interpolation, the weighted mean of the four pixels around a place, and **bicubic** (双三次;
Keys 1981), of sixteen, some of them with negative weights, which keeps edges sharper, the more so the larger they
are.
*/

// Keys' kernel at distance t ≥ 0
static float keys(float t, float a)
{
    if (t < 1.0f) return ((a + 2.0f) * t - (a + 3.0f)) * t * t + 1.0f;
    return t < 2.0f ? a * (((t - 5.0f) * t + 8.0f) * t - 4.0f) : 0.0f;
}
static float cubic(float t) { return keys(t, -0.5f); }
static float sharp_cubic(float t) { return keys(t, -1.0f); }
static float tent(float t) { return t < 1.0f ? 1.0f - t : 0.0f; }

// The image at any places in −1 … 1, from the pixels around; beyond the edge its outermost pixels go on
static void interpolate(Matrix out, Matrix places, Matrix colours, float (*kernel)(float))
{
    fill(out, 0.0f);
    for (int n = 0; n < places.rows; n++) {
        const float x = (AT(places, n, 0) + 1.0f) * 0.5f * SIDE - 0.5f,
                    y = (AT(places, n, 1) + 1.0f) * 0.5f * SIDE - 0.5f;
        const int left = (int)floorf(x), top = (int)floorf(y);
        for (int i = top - 1; i <= top + 2; i++)
            for (int j = left - 1; j <= left + 2; j++) {
                const float weight = kernel(fabsf(y - (float)i)) * kernel(fabsf(x - (float)j));
                const int row = int_min(int_max(i, 0), SIDE - 1), column = int_min(int_max(j, 0), SIDE - 1);
                for (int c = 0; c < 3; c++) AT(out, n, c) += weight * AT(colours, row * SIDE + column, c);
            }
    }
}

enum { BILINEAR, BICUBIC, SHARPER, FROM_FOURIER, FROM_SIREN, WAYS };

static void draw_detail(Lesson *lesson, const Photo *photo, Matrix *large)
{
    enum { DETAIL = 160, TOP = 20, LEFT = 160 };
    const char *const captions[] = {"the true one", "128 × 128",        "bilinear",
                                    "bicubic",      "Fourier features", "SIREN"};
    const Matrix shown[] = {photo->large,   photo->colours,      large[BILINEAR],
                            large[BICUBIC], large[FROM_FOURIER], large[FROM_SIREN]};
    Matrix images = matrix_new(lesson_arena(lesson), 6, DETAIL * DETAIL * 3);
    const int side = photo->factor * SIDE;
    for (int w = 0; w < 6; w++)
        for (int i = 0; i < DETAIL * DETAIL; i++) {
            const int row = TOP + i / DETAIL, column = LEFT + i % DETAIL;
            const int pixel =
                w == 1 ? row / photo->factor * SIDE + column / photo->factor : row * side + column;
            memcpy(matrix_row(images, w) + 3 * i, matrix_row(shown[w], pixel), 3 * sizeof(float));
        }
    Plot *plot = plot_begin(lesson, "detail.png", "Four times the side");
    plot_images(plot, (PlotImages){DETAIL, DETAIL, 3, 3, 0.0f, 1.0f}, images, captions);
    plot_end(plot, "A piece of 160 × 160 of the 512 × 512 pixels.");
}

// A SIREN for this purpose: longer waves, and five times the steps
static float patient_psnr(const Photo *photo, Matrix places, Matrix scratch, Rng rng)
{
    Arena *arena = arena_new();
    Fit fit = fit_photo(arena, photo, (Recipe){SIREN, 15.0f, 2e-3f}, 5 * STEPS, rng);
    render(scratch, &fit.net, places);
    arena_free(arena);
    return psnr(scratch, photo->large);
}

static void between_the_pixels(Lesson *lesson, const Photo *photos, Fit fits[PHOTOS][KINDS])
{
    section(lesson, "Between the pixels");
    float (*const kernels[])(float) = {tent, cubic, sharp_cubic};
    bool behind = true;
    Arena *arena = arena_new();
    Matrix large[PHOTOS][WAYS];
    printf("PSNR against the true large image, dB\n\n%-12s%8s%12s%12s%12s%12s%12s\n", "", "times", "bilinear",
           "bicubic", "sharper", "Fourier", "SIREN");
    for (int p = 0; p < PHOTOS; p++) {
        const int side = photos[p].factor * SIDE;
        float likeness[WAYS];
        Matrix places = pixel_centres(arena, side);
        printf("%-12s%8d", photos[p].name, photos[p].factor);
        for (int w = 0; w < WAYS; w++) {
            large[p][w] = matrix_new(arena, side * side, 3);
            if (w <= SHARPER)
                interpolate(large[p][w], places, photos[p].colours, kernels[w]);
            else
                render(large[p][w], &fits[p][w == FROM_SIREN ? SIREN : FOURIER].net, places);
            likeness[w] = psnr(large[p][w], photos[p].large);
            printf("%12.2f", (double)likeness[w]);
        }
        if (lesson_full(lesson)) {
            Matrix scratch = matrix_new(arena, side * side, 3);
            printf("  patient SIREN %.2f",
                   (double)patient_psnr(&photos[p], places, scratch, lesson_rng(lesson, 1)));
        }
        printf("\n");
        behind =
            behind && likeness[BICUBIC] > likeness[FROM_SIREN] && likeness[BICUBIC] > likeness[FROM_FOURIER];
    }
    printf("\n");
    claim(lesson, behind,
          "bicubic is closer to the true large image than either network, on both photographs");
    draw_detail(lesson, &photos[0], large[0]);
    arena_free(arena);
}

/*
Bicubic wins, and it has learnt nothing; a sharper kernel of the same family ($a = -1$ in place of $-\frac12$) is
better still. The network was told the colours *at* the centres and is free between them. Whatever waves fit the
16,384 centres will do, and the short ones show as grain, worst with Fourier features. "Continuous" means that every
place has a colour, not that the colour is right.

But was that fair? These networks were tuned to fit the small image, not to guess the large one. A SIREN for this
purpose, with the longer waves of $\omega_0 = 15$ and five times the steps, has 25.4 dB on the astronaut and 28.5 dB
on the cup (`FULL=1`, one seed): against the sharper kernel, one each. A detail that is not in the small image comes
out of neither.

## Is it a compressed image?

34 thousand weights for 49 thousand numbers: that looks like compression, and is often called so. Count bytes. The
photograph has one for each number. A weight is a float and has four.

So store the weights in 8 bits: **quantisation** (量化). Each row of a weight matrix gets a scale, the largest size in
it over 127, and each weight becomes the nearest whole number of scales. Biases and scales stay floats.

An opponent is needed as well, and an old one will do: what JPEG does at its heart. Cut each colour channel into
blocks of 8 × 8, write each block as a sum of 64 cosines (the **discrete cosine transform**, 离散余弦变换, DCT), and
round the 64 numbers to multiples of a step. To both we give the same ideal packer: a symbol that makes up a fraction
$p$ of its kind costs $-\log_2 p$ bits.
*/

// values of −127 … 127 → bits in all, by their frequencies
static double ideal_bits(const int *values, int count)
{
    int often[4096] = {0};
    double bits = 0.0;
    for (int i = 0; i < count; i++) often[int_min(int_max(values[i] + 2048, 0), 4095)]++;
    for (int v = 0; v < 4096; v++)
        if (often[v]) bits -= often[v] * (double)log32((float)often[v] / (float)count) / (double)log32(2.0f);
    return bits;
}

// Rounds a row to whole numbers of a scale, in place; wholes receives them
static float quantise_row(float *row, int *wholes, int count)
{
    float most = 0.0f;
    for (int j = 0; j < count; j++) most = fabsf(row[j]) > most ? fabsf(row[j]) : most;
    const float step = most / 127.0f;
    for (int j = 0; j < count; j++) {
        wholes[j] = most > 0.0f ? (int)lrintf(row[j] / step) : 0;
        row[j] = (float)wholes[j] * step;
    }
    return step;
}

typedef struct {
    float psnr;
    double bytes, packed;
} Stored8;

static Stored8 quantise_network(const Network *net, const Photo *photo)
{
    Arena *arena = arena_new();
    Network copied = *net;
    Stored8 s = {.packed = 0.0};
    for (int l = 0; l < net->count; l++) {
        Tensor *weight =
            parameter_new(arena, net->layers[l].weight->value.rows, net->layers[l].weight->value.cols);
        copy(weight->value, net->layers[l].weight->value);
        copied.layers[l].weight = weight;
        const int rows = weight->value.rows, count = (int)matrix_size(weight->value);
        int *wholes = arena_alloc(arena, (size_t)count, sizeof *wholes);
        for (int i = 0; i < rows; i++)
            quantise_row(matrix_row(weight->value, i), wholes + i * weight->value.cols, weight->value.cols);
        const double floats = 4.0 * (rows + weight->value.cols); // scales and biases
        s.bytes += count + floats;
        s.packed += ideal_bits(wholes, count) / 8.0 + floats;
    }
    Matrix image = matrix_new(arena, PIXELS, 3);
    render(image, &copied, photo->places);
    s.psnr = psnr(image, photo->colours);
    arena_free(arena);
    return s;
}

// The 8 × 8 matrix of cosines: row k has k half waves; orthogonal
static Matrix cosines(Arena *arena)
{
    Matrix m = matrix_new(arena, 8, 8);
    for (int k = 0; k < 8; k++)
        for (int i = 0; i < 8; i++)
            AT(m, k, i) = (k ? 0.5f : 0.5f * sqrtf(0.5f)) * cos32(PI * (float)(k * (2 * i + 1)) / 16.0f);
    return m;
}

// Brightness and two differences of colour (as JPEG has them), and back
static void to_channels(float *out, const float *rgb)
{
    out[0] = 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
    out[1] = 0.564f * (rgb[2] - out[0]);
    out[2] = 0.713f * (rgb[0] - out[0]);
}
static void from_channels(float *rgb, const float *channels)
{
    rgb[0] = channels[0] + channels[2] / 0.713f;
    rgb[2] = channels[0] + channels[1] / 0.564f;
    rgb[1] = (channels[0] - 0.299f * rgb[0] - 0.114f * rgb[2]) / 0.587f;
}

// The photograph by cosines, rounded to multiples of step; *bytes: ideally packed, each of the 3 · 64 kinds of number by itself
static float dct_psnr(const Photo *photo, float step, double *bytes)
{
    enum { BLOCKS = PIXELS / 64 };
    Arena *arena = arena_new();
    Matrix c = cosines(arena), block = matrix_new(arena, 8, 8), half = matrix_new(arena, 8, 8),
           image = matrix_new(arena, PIXELS, 3);
    int(*wholes)[BLOCKS] = arena_alloc(arena, 3 * 64, sizeof *wholes);
    for (int i = 0; i < PIXELS; i++) to_channels(matrix_row(image, i), matrix_row(photo->colours, i));
    for (int b = 0; b < BLOCKS; b++)
        for (int channel = 0; channel < 3; channel++) {
            const int first = b / (SIDE / 8) * 8 * SIDE + b % (SIDE / 8) * 8;
            for (int i = 0; i < 64; i++) block.data[i] = AT(image, first + i / 8 * SIDE + i % 8, channel);
            matmul(half, c, block);
            matmul_nt(block, half, c);
            for (int i = 0; i < 64; i++) {
                wholes[channel * 64 + i][b] = (int)lrintf(block.data[i] / step);
                block.data[i] = (float)wholes[channel * 64 + i][b] * step;
            }
            matmul_tn(half, c, block);
            matmul(block, half, c);
            for (int i = 0; i < 64; i++) AT(image, first + i / 8 * SIDE + i % 8, channel) = block.data[i];
        }
    *bytes = 0.0;
    for (int k = 0; k < 3 * 64; k++) *bytes += ideal_bits(wholes[k], BLOCKS) / 8.0;
    for (int i = 0; i < PIXELS; i++) {
        float rgb[3];
        from_channels(rgb, matrix_row(image, i));
        memcpy(matrix_row(image, i), rgb, sizeof rgb);
    }
    const float likeness = psnr(image, photo->colours);
    arena_free(arena);
    return likeness;
}

// The fewest bytes with which the cosines are as like the photograph as wanted
static double dct_bytes(const Photo *photo, float wanted)
{
    double bytes = 0.0;
    for (float step = 1.0f; step > 1e-3f; step *= 0.94f)
        if (dct_psnr(photo, step, &bytes) >= wanted) break;
    return bytes;
}

// How far our rows are from the library's
static float apart_from_library(const Network *net)
{
    Arena *arena = arena_new();
    Matrix ours = matrix_copy(arena, net->layers[1].weight->value),
           theirs = matrix_new(arena, ours.rows, ours.cols);
    stored_expand(theirs, stored_quantise(arena, ours));
    int wholes[SIDE];
    for (int i = 0; i < ours.rows; i++) quantise_row(matrix_row(ours, i), wholes, ours.cols);
    const float apart = largest_difference(ours, theirs);
    arena_free(arena);
    return apart;
}

static void the_bytes(Lesson *lesson, const Photo *photos, Fit fits[PHOTOS][KINDS])
{
    section(lesson, "Is it a compressed image?");
    bool smaller = true, lost_little = true, beaten = true;
    for (int p = 0; p < PHOTOS; p++) {
        const Fit *fit = &fits[p][SIREN];
        const double raw = 3.0 * PIXELS, floats = 4.0 * (double)parameters_size(&fit->net.set);
        Stored8 s = quantise_network(&fit->net, &photos[p]);
        const double cosine_bytes = dct_bytes(&photos[p], s.psnr);
        printf("%-32s%12s%12s\n", photos[p].name, "bytes", "PSNR, dB");
        printf("%-32s%12.0f%12s\n", "the photograph, 8 bits", raw, "all");
        printf("%-32s%12.0f%12.2f\n", "SIREN, floats", floats, (double)fit->psnr[LOOKS]);
        printf("%-32s%12.0f%12.2f\n", "SIREN, 8 bits", s.bytes, (double)s.psnr);
        printf("%-32s%12.0f%12.2f\n", "SIREN, 8 bits, packed", s.packed, (double)s.psnr);
        printf("%-32s%12.0f%12.2f\n\n", "cosines, packed", cosine_bytes, (double)s.psnr);
        smaller = smaller && floats > raw && s.bytes < raw;
        lost_little = lost_little && fit->psnr[LOOKS] - s.psnr <= 3.0f;
        beaten = beaten && cosine_bytes < 0.5 * s.packed;
    }
    claim(lesson, smaller, "in floats SIREN is larger than the photograph, in 8 bits it is smaller");
    claim(lesson, lost_little, "rounding to 8 bits adds at most as much error as there was: 3 dB");
    claim(lesson, apart_from_library(&fits[0][SIREN].net) <= 1e-7f,
          "the library rounds the same rows to the same numbers");
    claim(lesson, beaten, "cosines need less than half of the packed bytes for the same likeness");
}

/*
In floats the "compressed" photograph is almost three times as large as the photograph. In 8 bits it is a quarter
smaller, no longer the same image, and as large as a PNG, which loses nothing: 34,368 and 30,171 bytes, measured with
another program. Cosines, known since 1974, need a sixth of the bytes for the same likeness, and no training. The
weights hardly pack: they look like noise, while most of the rounded cosines are 0.

So what is it good for? For functions that no grid can hold: three dimensions, or five, as in radiance fields
(Mildenhall and others 2020); for functions that are only known through their slopes or their projections. There is an
example of that below.

## Its slope is a function too

A table of pixels has no derivative. A network has: the tape finds $\partial f / \partial x$ and
$\partial f / \partial y$ at any place, when the place is what the gradient is asked for. For a SIREN the slope is
again made of sines and cosines, and where an image is steep, there are its edges. We compare the slope of brightness
with finite differences of the network itself, as a check of the tape, and with differences of neighbouring pixels of
the photograph, which the network has never been shown.
*/

// The slope of brightness at places (N × 2) → (N × 2)
static void brightness_slope(Matrix slopes, const Network *net, Matrix places)
{
    Tape *tape = tape_new();
    enum { AT_ONCE = 4096 };
    for (int first = 0; first < places.rows; first += AT_ONCE) {
        const int count = int_min(AT_ONCE, places.rows - first);
        tape_reset(tape);
        Tensor *x = tape_variable(tape, matrix_rows(places, first, count)), *y = network_output(net, x);
        Matrix upstream = matrix_new(tape_arena(tape), count, 3);
        for (int i = 0; i < count; i++)
            memcpy(matrix_row(upstream, i), (float[]){0.1495f, 0.2935f, 0.057f},
                   3 * sizeof(float)); // half of it: colours are −1 … 1
        backward_from(y, upstream);
        memcpy(matrix_row(slopes, first), x->gradient.data, matrix_size(x->gradient) * sizeof(float));
    }
    tape_free(tape);
}

static float brightness(const float *rgb) { return 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2]; }

// Central differences of the network, h to either side; slopes (N × 2)
static void difference_slope(Matrix slopes, const Network *net, Matrix places, float h)
{
    Arena *arena = arena_new();
    Matrix moved[2] = {matrix_new(arena, places.rows, 2), matrix_new(arena, places.rows, 2)};
    Matrix colours[2] = {matrix_new(arena, places.rows, 3), matrix_new(arena, places.rows, 3)};
    for (int axis = 0; axis < 2; axis++) {
        for (int side = 0; side < 2; side++) {
            copy(moved[side], places);
            for (int i = 0; i < places.rows; i++) AT(moved[side], i, axis) += side ? h : -h;
            render(colours[side], net, moved[side]);
        }
        for (int i = 0; i < places.rows; i++)
            AT(slopes, i, axis) =
                (brightness(matrix_row(colours[1], i)) - brightness(matrix_row(colours[0], i))) / (2.0f * h);
    }
    arena_free(arena);
}

// The same of the photograph's pixels, one to either side; 0 at the edge
static void pixel_slope(Matrix slopes, Matrix colours)
{
    fill(slopes, 0.0f);
    for (int i = 1; i < SIDE - 1; i++)
        for (int j = 1; j < SIDE - 1; j++) {
            const int at = i * SIDE + j, step[2] = {1, SIDE};
            for (int axis = 0; axis < 2; axis++)
                AT(slopes, at, axis) = (brightness(matrix_row(colours, at + step[axis])) -
                                        brightness(matrix_row(colours, at - step[axis]))) *
                                       SIDE / 4.0f;
        }
}

static Matrix lengths_of(Arena *arena, Matrix slopes)
{
    Matrix lengths = matrix_new(arena, slopes.rows, 1);
    for (int i = 0; i < slopes.rows; i++)
        lengths.data[i] = sqrtf(AT(slopes, i, 0) * AT(slopes, i, 0) + AT(slopes, i, 1) * AT(slopes, i, 1));
    return lengths;
}

static double correlation(Matrix a, Matrix b)
{
    const double mean_a = mean(a), mean_b = mean(b);
    double both = 0.0, of_a = 0.0, of_b = 0.0;
    for (size_t i = 0; i < matrix_size(a); i++) {
        const double da = (double)a.data[i] - mean_a, db = (double)b.data[i] - mean_b;
        both += da * db, of_a += da * da, of_b += db * db;
    }
    return both / sqrt(of_a * of_b);
}

static void draw_slopes(Lesson *lesson, const Photo *photo, Matrix ours, Matrix pixels)
{
    Matrix images = matrix_new(lesson_arena(lesson), 3, PIXELS);
    for (int i = 0; i < PIXELS; i++) {
        AT(images, 0, i) = brightness(matrix_row(photo->colours, i));
        AT(images, 1, i) = fminf(ours.data[i] / 15.0f, 1.0f);
        AT(images, 2, i) = fminf(pixels.data[i] / 15.0f, 1.0f);
    }
    Plot *plot = plot_begin(lesson, "slopes.png", "The network's slope, and that of the pixels");
    plot_images(plot, (PlotImages){SIDE, SIDE, 1, 3, 0.0f, 1.0f}, images,
                (const char *[]){"the photograph, grey", "slope of the SIREN", "differences of pixels"});
    plot_end(plot,
             "Black: flat. White: 15 and more, from black to white within a fifteenth of half the width.");
}

static void its_slope(Lesson *lesson, const Photo *photos, Fit fits[PHOTOS][KINDS])
{
    section(lesson, "Its slope is a function too");
    Arena *arena = arena_new();
    const Network *net = &fits[0][SIREN].net;
    Matrix tape_slopes = matrix_new(arena, PIXELS, 2), differences = matrix_new(arena, PIXELS, 2),
           pixels = matrix_new(arena, PIXELS, 2);
    brightness_slope(tape_slopes, net, photos[0].places);
    difference_slope(differences, net, photos[0].places, 3e-4f);
    pixel_slope(pixels, photos[0].colours);
    const double size = norm(tape_slopes);
    subtract(differences, differences, tape_slopes);
    Matrix ours = lengths_of(arena, tape_slopes), theirs = lengths_of(arena, pixels);
    const double apart = norm(differences) / size, alike = correlation(ours, theirs);
    printf("tape against differences of the network: %.2f %% apart\n", 100.0 * apart);
    printf("steepness of the network and of the pixels: correlation %.3f\n\n", alike);
    claim(lesson, apart <= 0.01, "the tape's slope is that of finite differences, within 1 %%");
    claim(lesson, alike >= 0.8, "the network is steep where the photograph has edges");
    draw_slopes(lesson, &photos[0], ours, theirs);
    arena_free(arena);
}

/*
The differences are those of a function that goes through all pixels; the network's slope has grain in flat places, on
the grey ground for instance, where small fast waves do not matter to the colours and do to the slope: differentiation
multiplies a wave by its frequency.

## A shape from a rule about slopes

A shape can be a function as well: the **signed distance function** (有符号距离函数), at each place the distance to
the outline, negative inside. Its outline is where the function is 0, at any resolution. Suppose all we have is a
black and white image, a horse: each place says *inside* or *outside*, and some places lie on the outline. No distance
is given. But a distance has a property that can be asked for: walk away from the outline, and it grows by one for
each unit of way. Its slope has the length 1 everywhere,

$$\lVert \nabla f \rVert = 1,$$

the **eikonal equation** (程函方程). So the loss is: $f$ is 0 on the outline, $f$ has the right sign elsewhere, and
the slope has length 1 (Gropp and others 2020). The gradient of a loss about gradients needs second derivatives, which
our tape has not; central differences do instead, five places in the place of one. The network is a small SIREN. The
control is the same without the rule; and since the distances can be found by trying all points of the outline, the
ceiling is the network that is simply told them.
*/

enum { OUTLINE = 4096, SHAPE_STEPS = 1000, ON_LINE = 256, ELSEWHERE = 256, TESTED = 4096 };

typedef struct {
    Image image;
    int count;      // of points on the outline
    Matrix outline; // (OUTLINE × 2)
} Shape;

// The longer side is from −1 to 1
static bool is_inside(const Shape *shape, const float *place)
{
    const float longer = (float)int_max(shape->image.width, shape->image.height);
    const int j = (int)floorf(0.5f * (place[0] * longer + (float)shape->image.width)),
              i = (int)floorf(0.5f * (place[1] * longer + (float)shape->image.height));
    if (i < 0 || j < 0 || i >= shape->image.height || j >= shape->image.width) return false;
    return shape->image.rgb[3 * (i * shape->image.width + j)] < 128;
}

// Points of the outline: where, along a row or a column of pixels, inside becomes outside
static Shape shape_read(Arena *arena, const char *path)
{
    Shape shape = {.image = image_read(arena, path), .outline = matrix_new(arena, OUTLINE, 2)};
    const int height = shape.image.height, width = shape.image.width, longer = int_max(width, height);
    for (int i = 0; i < height; i++)
        for (int j = 0; j < width; j++)
            for (int axis = 0; axis < 2; axis++) {
                const float across = (float)(2 * j + 1 - width) / (float)longer,
                            down = (float)(2 * i + 1 - height) / (float)longer;
                const float step = 1.0f / (float)longer;
                const float here[2] = {across, down},
                            next[2] = {across + (axis ? 0 : 2 * step), down + (axis ? 2 * step : 0)};
                if (is_inside(&shape, here) == is_inside(&shape, next) || shape.count == OUTLINE) continue;
                AT(shape.outline, shape.count, 0) = 0.5f * (here[0] + next[0]);
                AT(shape.outline, shape.count++, 1) = 0.5f * (here[1] + next[1]);
            }
    return shape;
}

static float true_distance(const Shape *shape, const float *place)
{
    float nearest = INFINITY;
    for (int k = 0; k < shape->count; k++) {
        const float dx = place[0] - AT(shape->outline, k, 0), dy = place[1] - AT(shape->outline, k, 1);
        nearest = fminf(nearest, dx * dx + dy * dy);
    }
    return is_inside(shape, place) ? -sqrtf(nearest) : sqrtf(nearest);
}

typedef enum { SIGNS_ONLY, EIKONAL, TOLD, ARMS } Arm;
static const char *const arm_names[ARMS] = {"outline and signs", "and slope 1", "told the distances"};

// Where a step looks: on the outline, elsewhere, and a little to the right, left, below and above of elsewhere
static void choose_places(Matrix places, const Shape *shape, float h, Rng *rng)
{
    for (int i = 0; i < ON_LINE; i++)
        memcpy(matrix_row(places, i), matrix_row(shape->outline, (int)rng_below(rng, (uint32_t)shape->count)),
               2 * sizeof(float));
    for (int i = 0; i < ELSEWHERE; i++) {
        float *place = matrix_row(places, ON_LINE + i);
        place[0] = rng_between(rng, -1.0f, 1.0f);
        place[1] = rng_between(rng, -1.0f, 1.0f);
        const float moves[4][2] = {{h, 0}, {-h, 0}, {0, h}, {0, -h}};
        for (int m = 0; m < 4; m++) {
            float *moved = matrix_row(places, ON_LINE + (m + 1) * ELSEWHERE + i);
            moved[0] = place[0] + moves[m][0], moved[1] = place[1] + moves[m][1];
        }
    }
}

// The mean of (‖∇f‖ − 1)²
static Tensor *eikonal_loss(Tensor *f, float h)
{
    Tensor *moved[4];
    for (int m = 0; m < 4; m++) moved[m] = slice_rows(f, ON_LINE + (m + 1) * ELSEWHERE, ELSEWHERE);
    Tensor *across = tensor_scale(tensor_subtract(moved[0], moved[1]), 0.5f / h);
    Tensor *down = tensor_scale(tensor_subtract(moved[2], moved[3]), 0.5f / h);
    Tensor *across_squared = tensor_multiply(across, across), *down_squared = tensor_multiply(down, down);
    Matrix tiny = matrix_new(tape_arena(f->tape), ELSEWHERE, 1),
           ones = matrix_new(tape_arena(f->tape), ELSEWHERE, 1);
    fill(tiny, 1e-8f);
    fill(ones, 1.0f);
    Tensor *squares = tensor_add(across_squared, down_squared);
    return mean_squared_error(square_root(tensor_add(squares, tape_input(f->tape, tiny))), ones);
}

static Tensor *shape_loss(Tensor *f, const Shape *shape, Matrix places, Arm arm, float h)
{
    Arena *arena = tape_arena(f->tape);
    Matrix zeros = matrix_new(arena, ON_LINE, 1), signs = matrix_new(arena, ELSEWHERE, 1),
           distances = matrix_new(arena, ELSEWHERE, 1);
    for (int i = 0; i < ELSEWHERE; i++) {
        signs.data[i] = is_inside(shape, matrix_row(places, ON_LINE + i)) ? 1.0f : -1.0f;
        if (arm == TOLD) distances.data[i] = true_distance(shape, matrix_row(places, ON_LINE + i));
    }
    Tensor *on_line = mean_squared_error(slice_rows(f, 0, ON_LINE), zeros),
           *elsewhere = slice_rows(f, ON_LINE, ELSEWHERE);
    if (arm == TOLD) return tensor_add(on_line, mean_squared_error(elsewhere, distances));
    Tensor *wrong = mean_all(relu(tensor_multiply(elsewhere, tape_input(f->tape, signs))));
    Tensor *loss = tensor_add(tensor_scale(on_line, 30.0f), wrong);
    if (arm == SIGNS_ONLY) return loss;
    return tensor_add(loss, tensor_scale(eikonal_loss(f, h), 0.1f));
}

static Network learn_shape(Arena *arena, const Shape *shape, Arm arm, float rate, Rng rng)
{
    const float h = 0.01f;
    Network net = network_new(arena, SIREN, 10.0f, 2, 64, 1, &rng);
    Optimiser adam = adam_new(arena, &net.set, 0.9f, 0.999f, 1e-8f, 0.0f);
    Tape *tape = tape_new();
    Matrix places = matrix_new(arena, ON_LINE + 5 * ELSEWHERE, 2);
    for (int step = 0; step < SHAPE_STEPS; step++) {
        tape_reset(tape);
        choose_places(places, shape, h, &rng);
        const Matrix needed = arm == EIKONAL ? places : matrix_rows(places, 0, ON_LINE + ELSEWHERE);
        Tensor *f = network_output(&net, tape_input(tape, needed));
        backward(shape_loss(f, shape, places, arm, h));
        optimiser_step(&adam, cosine_schedule(rate, step, 0, SHAPE_STEPS));
    }
    tape_free(tape);
    return net;
}

// The network's value (N × 1), without render's shift to colours
static void values_at(Matrix out, const Network *net, Matrix places)
{
    render(out, net, places);
    for (size_t i = 0; i < matrix_size(out); i++) out.data[i] = 2.0f * out.data[i] - 1.0f;
}

typedef struct {
    double error, scaled; // mean |f − distance|, and the same of f times the factor that suits it best
    double slope, off;    // mean length of the slope, mean |length − 1|
    double signs;         // fraction of right signs
} Judgement;

static Judgement judge_shape(const Network *net, const Shape *shape, Rng rng)
{
    const float h = 0.005f;
    Arena *arena = arena_new();
    Matrix places = matrix_new(arena, TESTED, 2), values[5];
    fill_uniform(places, &rng, -0.9f, 0.9f);
    const float moves[5][2] = {{0, 0}, {h, 0}, {-h, 0}, {0, h}, {0, -h}};
    for (int m = 0; m < 5; m++) {
        Matrix moved = matrix_copy(arena, places);
        add_row(moved, matrix_from(arena, 1, 2, moves[m]));
        values[m] = matrix_new(arena, TESTED, 1);
        values_at(values[m], net, moved);
    }
    Judgement j = {.error = 0.0};
    double distances[TESTED], products = 0.0, squares = 0.0;
    for (int i = 0; i < TESTED; i++) {
        const double distance = (double)true_distance(shape, matrix_row(places, i)),
                     f = (double)values[0].data[i];
        distances[i] = distance, products += f * distance, squares += f * f;
        const double across = (double)(values[1].data[i] - values[2].data[i]) / (2.0 * (double)h),
                     down = (double)(values[3].data[i] - values[4].data[i]) / (2.0 * (double)h);
        const double length = sqrt(across * across + down * down);
        j.error += fabs(f - distance) / TESTED;
        j.slope += length / TESTED;
        j.off += fabs(length - 1.0) / TESTED;
        j.signs += (f < 0.0) == (distance < 0.0) ? 1.0 / TESTED : 0.0;
    }
    for (int i = 0; i < TESTED; i++)
        j.scaled += fabs(products / squares * (double)values[0].data[i] - distances[i]) / TESTED;
    arena_free(arena);
    return j;
}

static void draw_shape(Lesson *lesson, const Network *net, const Shape *shape)
{
    enum { CELLS = 200 };
    Matrix values = matrix_new(lesson_arena(lesson), CELLS * CELLS, 1);
    Matrix places = matrix_new(lesson_arena(lesson), CELLS * CELLS, 2);
    for (int i = 0; i < CELLS * CELLS; i++) {
        AT(places, i, 0) = 2.0f * (float)(i % CELLS) / (CELLS - 1) - 1.0f;
        AT(places, i, 1) = 1.0f - 2.0f * (float)(i / CELLS) / (CELLS - 1); // rows of a plot go upwards
    }
    values_at(values, net, places);
    float x[OUTLINE], y[OUTLINE];
    for (int k = 0; k < shape->count; k++) x[k] = AT(shape->outline, k, 0), y[k] = -AT(shape->outline, k, 1);
    Plot *plot = plot_begin(lesson, "shape.svg", "Distances that nobody told");
    plot_axes(plot, "x", "y");
    plot_square(plot);
    plot_size(plot, 820, 800);
    plot_legend(plot, "none");
    plot_contour(plot, (PlotWindow){-1.0, 1.0, -1.0, 1.0}, matrix_reshape(values, CELLS, CELLS),
                 (float[]){-0.1f, 0.0f, 0.1f, 0.2f, 0.3f, 0.4f, 0.5f}, 7);
    plot_points(plot, "the outline given", x, y, shape->count);
    plot_end(plot,
             "Lines of equal value of the network that was shown the outline (dots), signs and the rule.");
}

static void a_shape(Lesson *lesson)
{
    section(lesson, "A shape from a rule about slopes");
    Shape shape = shape_read(lesson_arena(lesson), "datasets/cache/photographs/horse.png");
    Judgement found[ARMS];
    Network nets[ARMS];
    printf("%d points on the outline; half the width of the image is 1\n\n%-22s%14s%14s%14s%14s%16s\n",
           shape.count, "", "signs right", "mean error", "best scaled", "mean slope", "|slope − 1|");
    for (int arm = 0; arm < ARMS; arm++) {
        nets[arm] = learn_shape(lesson_arena(lesson), &shape, (Arm)arm, 1e-3f, lesson_rng(lesson, 4));
        found[arm] = judge_shape(&nets[arm], &shape, lesson_rng(lesson, 5));
        printf("%-22s%12.1f %%%14.4f%14.4f%14.3f%14.3f\n", arm_names[arm], 100.0 * found[arm].signs,
               found[arm].error, found[arm].scaled, found[arm].slope, found[arm].off);
    }
    printf("\n");
    claim(lesson, fabs(found[EIKONAL].slope - 1.0) <= 0.15 && found[SIGNS_ONLY].slope <= 0.5,
          "with the rule the mean slope is 1 to within 15 %%, without it less than a half");
    claim(lesson, 1.5 * found[EIKONAL].error <= found[SIGNS_ONLY].scaled,
          "the rule makes distances of signs: two thirds, at most, of their error at its best scale");
    claim(lesson, found[TOLD].error <= 0.5 * found[EIKONAL].error,
          "to be told the distances is better still, twice at least");
    draw_shape(lesson, &nets[EIKONAL], &shape);
}

/*
Outline and signs alone are satisfied by a function that is hardly anything but its sign: its slope is small nearly
everywhere. The rule, which mentions no distance, turns it into distances, to about two hundredths of half the image's
width, four pixels of the horse's 400. Does the other function only lack a scale? Its best factor, which nobody knows
without the distances, halves its error, and what remains is still twice that of the rule. Near the edge of the image
and between the legs the rule is worst: it is about slopes, and a dent that rises again with slope 1 obeys it, too.
Whoever has the distances should tell them. For a cloud of points measured in space, nobody has.
*/

/*
## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "08-implicit-representation", "A function hidden in a network");
    const Photo photos[PHOTOS] = {photo_read(lesson_arena(lesson), "astronaut", 4),
                                  photo_read(lesson_arena(lesson), "coffee", 3)};
    static Fit fits[PHOTOS][KINDS];
    the_photographs(lesson, photos);
    three_networks(lesson, photos, fits);
    why_it_blurs(lesson);
    why_that_start(lesson, photos);
    between_the_pixels(lesson, photos, fits);
    the_bytes(lesson, photos, fits);
    its_slope(lesson, photos, fits);
    a_shape(lesson);
    return lesson_end(lesson);
}

/*
## What to take along

- A network of coordinates makes function approximation visible: what it cannot learn is what you do not see.
- Plain ReLU learns long waves first and short ones late or never. It is the first layer's fault: give it waves, fixed
  or learnt, and the order is gone.
- A stack of sines needs its start. With $\pm\sqrt{6/n}/\omega_0$ the variance before each sine settles at 0.797,
  whatever the depth.
- A colour at every place is no detail at every place: bicubic interpolation is nearer to the truth, or as near, when
  the network was tuned for it.
- Count bytes before you say compression, and take an opponent. Cosines need a sixth.
- A function that is differentiable can be asked for its slope, and can be learnt from a rule about its slope.

## Check yourself

**1.** Two images have PSNRs of 20 and 32 dB. By what factor do their squared errors differ, and by what factor the
errors?

<details><summary>Answer</summary>

12 dB are $10^{1.2} = 16$ in the squared error and 4 in the error itself: a tenth of the range against a fortieth.

</details>

**2.** Somebody raises $\sigma$ from 6 to 100 for an image of 128 × 128 pixels. What does the network learn at the
pixels, and what lies between them?

<details><summary>Answer</summary>

Neighbouring pixels are 1/64 apart, and a wave of 100 cycles a unit turns more than once and a half from one to the
next: places have nothing in common any more. It can learn the pixels by heart, as a table would; between them is
noise. Too small a $\sigma$ blurs, too large a one does not interpolate.

</details>

**3.** Why do we divide the hidden weights of a SIREN by $\omega_0$, only to multiply by $\omega_0$ in the next
moment?

<details><summary>Answer</summary>

The product, and so the function at the start, is the same for every $\omega_0$ in the hidden layers. What changes is
the step: Adam moves each weight by about the rate, and behind the factor $\omega_0$ that is a step $\omega_0$ times
as large for the function. It is a way to choose the rate of those layers. In the first layer $\omega_0$ sets the
wavelengths.

</details>

**4.** A network of 34 thousand weights fits a photograph of 128 × 128 to 34 dB. You have one of 1024 × 1024. Would
you say that the network compresses it 64 times better?

<details><summary>Answer</summary>

Only if it still fits it. There are 64 times as many numbers to be right about, with detail that the small one had
not; the same network gives a likeness as of a small image, enlarged. JPEG has not stood still either: its bytes grow
less than the pixels, since large photographs are smoother from pixel to pixel. The question is always bytes at equal
likeness.

</details>

**5.** A function $f$ is 0 on the outline and has slope 1 everywhere. Must it be the signed distance?

<details><summary>Answer</summary>

No. $|f|$ is as good, without the sign, so that the signs must be told; and $f$ may rise to a ridge and fall again,
with slope 1 on both sides, where the true distance goes on rising. The figure has such dents at the edge of the
image. The distance is the one that rises as long as it can (the viscosity solution), which the loss does not ask for.

</details>

## Sources

- V. Sitzmann, J. Martel, A. Bergman, D. Lindell, G. Wetzstein, *Implicit neural representations with periodic
  activation functions*, 2020: SIREN, its start and $\omega_0 = 30$.
- M. Tancik and others, *Fourier features let networks learn high frequency functions in low dimensional domains*,
  2020.
- N. Rahaman and others, *On the spectral bias of neural networks*, 2019.
- B. Mildenhall and others, *NeRF: representing scenes as neural radiance fields for view synthesis*, 2020: octaves of
  waves (task 8.2), and what it is good for.
- A. Gropp, L. Yariv, N. Haim, M. Atzmon, Y. Lipman, *Implicit geometric regularization for learning shapes*, 2020:
  the eikonal loss.
- R. Keys, *Cubic convolution interpolation for digital image processing*, 1981.
- N. Ahmed, T. Natarajan, K. Rao, *Discrete cosine transform*, 1974; G. Wallace, *The JPEG still picture compression
  standard*, 1991.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade8` tells how far you are,
`make hint8` helps.

- **TASK 8.1** the likeness of two images in decibels, whatever their range.
- **TASK 8.2** waves that are not drawn: each coordinate in octaves.
- **TASK 8.3** the colour between the pixels, by bilinear interpolation.
- **TASK 8.4** the signed distance from a polygon, without any network.

And without a computer, or with five minutes at one:

**1.** How many weights has a SIREN of 2 inputs, three hidden layers of $n$ and 3 outputs? For which $n$ does it have
as many bytes, in 8 bits, as the photograph?

<details><summary>Answer</summary>

$2n + n + 2(n^2 + n) + 3n + 3 = 2n^2 + 8n + 3$: 33,795 for $n = 128$. As many as the 49,152 bytes: $n \approx 155$,
scales not counted.

</details>

**2.** The mean square of $\sin z$ for a normal $z$ of variance $s$ is $\frac12(1 - e^{-2s})$. What is it for small
and for large $s$, and why is that no surprise?

<details><summary>Answer</summary>

About $s$ for small $s$, where the sine is its argument; $\frac12$ for large $s$, where the phase is anywhere, and the
mean square of a sine over a whole turn is $\frac12$.

</details>

**3.** Why can a network with ReLU, told distances or not, never have slope 1 around a round outline exactly?

<details><summary>Answer</summary>

It is made of flat pieces, each with one slope and one direction. Around a circle the direction of the slope must turn
at every place. With more pieces it comes as near as one likes.

</details>

**4.** The eikonal loss asks for five values where one would do for a plain loss. What would it cost in three
dimensions, and how could it be had cheaper?

<details><summary>Answer</summary>

Seven, or four with one-sided differences, which are less exact. Or draw one random direction $u$ a place and ask,
with two values, for $(u \cdot \nabla f)^2$, whose mean over directions is $\lVert\nabla f\rVert^2 / 3$; cheaper, but
noisy. Second derivatives by the tape, as larger frameworks have them, cost about two backward passes.

</details>
*/
