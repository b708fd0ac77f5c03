/*
# CLIP and ViLT

Type "red sneaker above blue bag" and see the nearest images. Nobody has labelled them with classes: each came with a
caption, as images on the Web do. Two ways to learn from such pairs stand side by side in this chapter.

**CLIP** (Radford and others 2021) has an **image encoder** (图像编码器) and a **text encoder** (文本编码器) that never
see each other's input. Each gives one vector, and training brings the two vectors of a pair together: **contrastive
learning** (对比学习). This is called a *two-tower* or *dual-encoder* model. **ViLT** (Kim, Son and Kim 2021) lays image
patches and words into one sequence and lets a single transformer read both: a *single-stream* or *fused* model. You
will see

- the contrastive loss with its gradient by hand, and what its temperature does;
- search by caption, also for colours of garments that were never trained, and names given without training;
- a model that finds nearly every image and yet cannot tell "red sneaker above blue bag" from "blue sneaker above red
  bag"; the usual explanation of this, and two experiments on how far it holds;
- what the fused model costs: $N^2$ passes where the two encoders need $2N$;
- the same for emoji, with names in English and Chinese, and what is memory in it.

You can search yourself: `make chapter24 ARGS="--find 'red sneaker above blue bag'"`, or `--find cat`, or `--find 猫`.

You need [chapter 10](../10-cnn/README.md) for convolutions and [chapter 16](../16-attention/README.md) for attention.
*/

#include "base/mathf.h"
#include "base/name_table.h"
#include "base/utf8.h"
#include "files/csv.h"
#include "files/garments.h"
#include "files/image.h"
#include "learning/gradcheck.h"
#include "learning/ops/elementwise.h"
#include "learning/ops/likelihood.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/clip.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
## A world of two garments

A **scene** is an image of 28 × 28 pixels with two garments of Fashion-MNIST, each at 14 × 14 pixels in one of eight
colours. Its caption has five words: colour, item, relation, colour, item. With 8 colours, 10 items and 4 relations
there are $80 \cdot 4 \cdot 80 = 25{,}600$ captions. The garments stand one above the other or side by side, each
shifted at random by 5 to 9 pixels in the other direction.

What shall be tested is kept out of training twice. Test scenes show garments of Fashion-MNIST's test set. And of the
80 pairs of a colour and an item, 16 never occur in training: no red or orange T-shirt, for example. Each colour and
each item does occur, but not these together. Who finds them must have understood the parts.
*/

enum { SIDE = 28, PIXELS = SIDE * SIDE, RGB = 3 * PIXELS, WORDS = 5, RELATIONS = 4 };
enum { PAIRS = GARMENT_COLOURS * GARMENT_ITEMS, CAPTIONS = PAIRS * RELATIONS * PAIRS };
enum { FIRST_ITEM = GARMENT_COLOURS, FIRST_RELATION = FIRST_ITEM + GARMENT_ITEMS };
enum { MASK = FIRST_RELATION + RELATIONS, VOCABULARY = MASK + 1 }; // words: colours, items, relations, [mask]

static const char *const relations[RELATIONS] = {"above", "below", "left-of", "right-of"};

// Items that are never trained in colours 2k and 2k + 1
static const int held_out[GARMENT_COLOURS / 2][2] = {{0, 5}, {1, 9}, {2, 7}, {3, 8}};

static bool is_trained(int colour, int item)
{
    return item != held_out[colour / 2][0] && item != held_out[colour / 2][1];
}

typedef struct {
    int colour[2], item[2], relation;
} Caption;

typedef enum { ANY, TRAINED, UNSEEN } Pairs;

static void draw_pair(Rng *rng, Pairs pairs, int *colour, int *item)
{
    do {
        *colour = (int)rng_below(rng, GARMENT_COLOURS);
        *item = (int)rng_below(rng, GARMENT_ITEMS);
    } while (pairs != ANY && is_trained(*colour, *item) != (pairs == TRAINED));
}

static Caption draw_caption(Rng *rng, Pairs pairs)
{
    Caption c;
    draw_pair(rng, pairs, &c.colour[0], &c.item[0]);
    draw_pair(rng, pairs, &c.colour[1], &c.item[1]);
    c.relation = (int)rng_below(rng, RELATIONS);
    return c;
}

// 0 … CAPTIONS − 1, and back
static int caption_number(Caption c)
{
    const int first = c.colour[0] * GARMENT_ITEMS + c.item[0],
              second = c.colour[1] * GARMENT_ITEMS + c.item[1];
    return (first * RELATIONS + c.relation) * PAIRS + second;
}

static Caption caption_of(int number)
{
    const int second = number % PAIRS, first = number / PAIRS / RELATIONS;
    return (Caption){{first / GARMENT_ITEMS, second / GARMENT_ITEMS},
                     {first % GARMENT_ITEMS, second % GARMENT_ITEMS},
                     number / PAIRS % RELATIONS};
}

static void caption_words(int words[WORDS], Caption c)
{
    words[0] = c.colour[0];
    words[1] = FIRST_ITEM + c.item[0];
    words[2] = FIRST_RELATION + c.relation;
    words[3] = c.colour[1];
    words[4] = FIRST_ITEM + c.item[1];
}

static const char *scene_word(int word)
{
    if (word < FIRST_ITEM) return garment_colours[word];
    return word < FIRST_RELATION ? garment_items[word - FIRST_ITEM] : relations[word - FIRST_RELATION];
}

static char *caption_text(Arena *arena, Caption c)
{
    int w[WORDS];
    caption_words(w, c);
    char *text = arena_alloc(arena, 96, 1);
    snprintf(text, 96, "%s %s %s %s %s", scene_word(w[0]), scene_word(w[1]), scene_word(w[2]),
             scene_word(w[3]), scene_word(w[4]));
    return text;
}

// Garments by item
typedef struct {
    Garments garments;
    int *of_item[GARMENT_ITEMS], count[GARMENT_ITEMS];
} Wardrobe;

static Wardrobe wardrobe_of(Arena *arena, Garments garments)
{
    Wardrobe w = {.garments = garments};
    for (int i = 0; i < GARMENT_ITEMS; i++)
        w.of_item[i] = arena_alloc(arena, (size_t)garments.count, sizeof(int));
    for (int n = 0; n < garments.count; n++) {
        const int item = garments.items[n];
        w.of_item[item][w.count[item]++] = n;
    }
    return w;
}

// pixels [2352] ← a scene with this caption
static void paint_scene(float *pixels, const Wardrobe *w, Caption c, Rng *rng)
{
    Matrix scene = matrix_view(PIXELS, 3, pixels);
    fill(scene, 0.0f);
    for (int k = 0; k < 2; k++) {
        const int which = w->of_item[c.item[k]][rng_below(rng, (uint32_t)w->count[c.item[k]])];
        const int offset = 5 + (int)rng_below(rng, 5);
        const bool upright = c.relation < 2, first_is_near = c.relation % 2 == 0;
        const int along = first_is_near == (k == 0) ? 0 : GARMENT_SIDE;
        garment_paint(scene, SIDE, upright ? along : offset, upright ? offset : along, w->garments, which,
                      (GarmentColour)c.colour[k]);
    }
}

// A batch of scenes: pixels (n × 2352), words [n · 5], numbers [n] of the captions
typedef struct {
    int count;
    Matrix pixels;
    int *words, *numbers;
} Scenes;

static Scenes scenes_new(Arena *arena, int count)
{
    return (Scenes){count, matrix_new(arena, count, RGB),
                    arena_alloc(arena, (size_t)count * WORDS, sizeof(int)),
                    arena_alloc(arena, (size_t)count, sizeof(int))};
}

static void put_scene(Scenes *s, int i, const Wardrobe *w, Caption c, Rng *rng)
{
    caption_words(s->words + i * WORDS, c);
    s->numbers[i] = caption_number(c);
    paint_scene(matrix_row(s->pixels, i), w, c, rng);
}

// Scenes with different captions
static Scenes different_scenes(Arena *arena, const Wardrobe *w, Pairs pairs, int count, Rng rng)
{
    Scenes s = scenes_new(arena, count);
    bool *there = arena_zeros(arena, CAPTIONS, sizeof *there);
    for (int i = 0; i < count;) {
        const Caption c = draw_caption(&rng, pairs);
        if (there[caption_number(c)]) continue;
        there[caption_number(c)] = true;
        put_scene(&s, i++, w, c, &rng);
    }
    return s;
}

typedef struct {
    Wardrobe train, validation, test; // 55,000, 5,000 and 10,000 garments
} World;

static World load_world(Arena *arena)
{
    enum { TRAIN = 55000 };
    const ImageSet f = fashion_mnist_load(arena);
    const Garments all = garments_of(arena, f.train, f.train_labels);
    const Garments train = {TRAIN, matrix_rows(all.grey, 0, TRAIN), all.items},
                   rest = {all.count - TRAIN, matrix_rows(all.grey, TRAIN, all.count - TRAIN),
                           all.items + TRAIN};
    return (World){wardrobe_of(arena, train), wardrobe_of(arena, rest),
                   wardrobe_of(arena, garments_of(arena, f.test, f.test_labels))};
}

static void show_world(Lesson *lesson, const World *world)
{
    section(lesson, "A world of two garments");
    enum { SHOWN = 12, DRAWN = 20000 };
    Arena *arena = lesson_arena(lesson);
    const Scenes s = different_scenes(arena, &world->test, ANY, SHOWN, lesson_rng(lesson, 1));
    const char *captions[SHOWN];
    for (int i = 0; i < SHOWN; i++) captions[i] = caption_text(arena, caption_of(s.numbers[i]));
    Rng rng = lesson_rng(lesson, 2);
    int pairs = 0, leaks = 0, of_colour[GARMENT_COLOURS] = {0}, of_item[GARMENT_ITEMS] = {0};
    for (int p = 0; p < PAIRS; p++) pairs += is_trained(p / GARMENT_ITEMS, p % GARMENT_ITEMS);
    for (int i = 0; i < DRAWN; i++) {
        const Caption c = draw_caption(&rng, TRAINED);
        for (int k = 0; k < 2; k++) {
            leaks += !is_trained(c.colour[k], c.item[k]);
            of_colour[c.colour[k]]++;
            of_item[c.item[k]]++;
        }
    }
    int least = DRAWN;
    for (int i = 0; i < GARMENT_COLOURS; i++) least = int_min(least, of_colour[i]);
    for (int i = 0; i < GARMENT_ITEMS; i++) least = int_min(least, of_item[i]);
    printf("%d captions; %d of %d pairs are trained\n", CAPTIONS, pairs, PAIRS);
    printf("in %d training captions: %d held-out pairs; each colour and item at least %d times\n\n", DRAWN,
           leaks, least);
    claim(lesson, pairs == 64 && leaks == 0 && least > 1000,
          "16 pairs never occur in training, each colour and each item does");
    Plot *plot = plot_begin(lesson, "scenes.png", "Scenes and their captions");
    plot_images(plot, (PlotImages){SIDE, SIDE, 3, 4, 0.0f, 1.0f}, s.pixels, captions);
    plot_end(plot, "Twelve test scenes. Pairs that were never trained are among them.");
}

/*
## Pull together, push apart

Take a batch of $B$ pairs. The image encoder gives vectors $u_1, \dots, u_B$, the text encoder $v_1, \dots, v_B$, all
of length 1, so that $u_i \cdot v_j$ is the cosine of an angle. Put the cosines, times a scale $s$, into a table
$S_{ij} = s\, u_i \cdot v_j$. Row $i$ is then a guessing game: which of the $B$ captions belongs to image $i$? Column
$j$ is the game the other way round. Both are classification with the diagonal as the label, and the loss is the mean
of both cross-entropies:

$$L = \frac{1}{2B} \sum_i \Bigl[ \log \sum_j e^{S_{ij}} + \log \sum_j e^{S_{ji}} - 2 S_{ii} \Bigr].$$

This is **InfoNCE** (van den Oord and others 2018) in both directions. The other $B - 1$ captions of the batch are the
**negatives** (负样本): wrong answers that cost nothing to collect. With $P$ the softmax of the rows and $Q$ that of the
columns, the gradient is as short as that of any softmax:

$$\mathrm d S = \frac{1}{2B}\,(P + Q - 2I), \qquad \mathrm d u_i = s \sum_j \mathrm d S_{ij}\, v_j, \qquad
\mathrm d v_j = s \sum_i \mathrm d S_{ij}\, u_i.$$

In words: each image is pulled to its own caption and pushed away from the others, from each by how much it is
mistaken for it.
*/

// u, v (B × F), rows of length 1 → the loss; d_u, d_v (B × F)
static double infonce(Matrix d_u, Matrix d_v, Matrix u, Matrix v, float s)
{
    Arena *scratch = arena_new();
    const int b = u.rows;
    Matrix table = matrix_new(scratch, b, b), across = matrix_new(scratch, b, b),
           down = matrix_new(scratch, b, b);
    for (int i = 0; i < b; i++)
        for (int j = 0; j < b; j++)
            for (int f = 0; f < u.cols; f++) AT(table, i, j) += s * AT(u, i, f) * AT(v, j, f);
    double loss = 0.0;
    for (int i = 0; i < b; i++) {
        double row = 0.0, column = 0.0;
        for (int j = 0; j < b; j++) row += (double)exp32(AT(table, i, j));
        for (int j = 0; j < b; j++) column += (double)exp32(AT(table, j, i));
        for (int j = 0; j < b; j++) {
            AT(across, i, j) = (float)((double)exp32(AT(table, i, j)) / row);  // P
            AT(down, j, i) = (float)((double)exp32(AT(table, j, i)) / column); // Q
        }
        loss += (double)log32((float)row) + (double)log32((float)column) - 2.0 * (double)AT(table, i, i);
    }
    fill(d_u, 0.0f);
    fill(d_v, 0.0f);
    for (int i = 0; i < b; i++)
        for (int j = 0; j < b; j++) {
            const float slope =
                (AT(across, i, j) + AT(down, i, j) - (i == j ? 2.0f : 0.0f)) / (2.0f * (float)b);
            for (int f = 0; f < u.cols; f++) {
                AT(d_u, i, f) += s * slope * AT(v, j, f);
                AT(d_v, j, f) += s * slope * AT(u, i, f);
            }
        }
    arena_free(scratch);
    return loss / (2.0 * b);
}

/*
The loops overflow where $e^{S}$ does, near $S = 88$; the library's `contrastive_loss` subtracts the largest first. It
also knows what follows when two captions of a batch are equal, of which later.

The vectors have length 1 because each is divided by its length, $u = x / \lVert x \rVert$. That has a gradient too:
what points along $u$ changes only the length, and is lost, $\mathrm d x = (\mathrm d u - (u \cdot \mathrm d u)\, u) /
\lVert x \rVert$. The library's `normalise_rows` does this; we check the whole, from $x$ to the loss, by differences.
*/

static Tensor *loss_of_rows(Tape *tape, void *context)
{
    Tensor **given = context; // x, y, the logarithm of the scale
    Tensor *u = normalise_rows(tape_parameter(tape, given[0]), 1e-12f);
    Tensor *v = normalise_rows(tape_parameter(tape, given[1]), 1e-12f);
    return contrastive_loss(u, v, given[2], NULL);
}

static void check_infonce(Lesson *lesson)
{
    section(lesson, "Pull together, push apart");
    enum { B = 7, F = 5 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 3);
    Tensor *given[3] = {parameter_new(arena, B, F), parameter_new(arena, B, F), parameter_new(arena, 1, 1)};
    const char *const names[3] = {"x", "y", "log scale"};
    for (int k = 0; k < 2; k++) fill_normal(given[k]->value, &rng, 0.0f, 1.0f);
    const float s = 5.0f;
    given[2]->value.data[0] = log32(s);
    Tape *tape = tape_new();
    Matrix unit[2], by_hand[2];
    for (int k = 0; k < 2; k++) {
        unit[k] = matrix_copy(arena, normalise_rows(tape_parameter(tape, given[k]), 1e-12f)->value);
        by_hand[k] = matrix_new(arena, B, F);
    }
    const double loops = infonce(by_hand[0], by_hand[1], unit[0], unit[1], s);
    Tensor *u = tape_variable(tape, unit[0]), *v = tape_variable(tape, unit[1]);
    Tensor *loss = contrastive_loss(u, v, given[2], NULL);
    backward(loss);
    const double apart = fabs(loops - (double)loss->value.data[0]);
    const float slopes =
        fmaxf(largest_difference(by_hand[0], u->gradient), largest_difference(by_hand[1], v->gradient));
    const GradcheckResult differences = gradcheck(loss_of_rows, given, given, names, 3, 2e-3);
    for (int i = 0; i < B; i++) // all rows the same: nothing can be told apart
        for (int k = 0; k < 2; k++) memcpy(matrix_row(unit[k], i), unit[0].data, F * sizeof(float));
    const double blind = infonce(by_hand[0], by_hand[1], unit[0], unit[1], s);
    printf("loops and library   loss %.1e, gradients %.1e apart\n", apart, (double)slopes);
    printf("differences         %.1e apart at worst, by x, y and the scale\n", differences.worst);
    printf("all vectors equal   loss %.4f; log %d = %.4f\n\n", blind, B, (double)log32((float)B));
    claim(lesson, apart <= 1e-5 && slopes <= 1e-5f, "the loops give the library's loss and gradients");
    claim(lesson, differences.passed,
          "finite differences confirm them, through the division by the length as well");
    claim(lesson, fabs(blind - (double)log32((float)B)) <= 1e-5, "encoders that see nothing pay log B");
    tape_free(tape);
}

/*
## Two encoders, trained on scenes

The image encoder has three convolutions with stride 2, a hidden layer and a linear one. The text encoder is a small
transformer: an embedding for each word and one for each position, added; two blocks; the mean over the five
words; a linear layer. Both end in 64 numbers. The scale begins at $1/0.07$ and is learned.

A random guess finds the right one of 300 captions among its first five in 5 of 300 cases. That is no opponent. A fair
one has the same loss and no depth: an image encoder that is one linear layer on the pixels, and for the text the mean
of word embeddings, a **bag of words** (词袋). It may choose among four learning rates, by scenes of garments that were
kept from training; CLIP has one.
*/

enum { BATCH = 128, FEATURES = 64, TEXT = 64, CLIP_STEPS = 400 };

// Either CLIP or the linear opponent
typedef struct {
    bool flat;
    Parameters set;
    Clip clip;
    Linear pixels; // of the linear opponent, and its words
    Embedding bag;
    Tensor *log_scale;
    long passes; // images and texts encoded so far
} Encoders;

static Tensor *encode_images(Encoders *e, Tape *tape, Matrix pixels)
{
    e->passes += pixels.rows;
    if (!e->flat) return clip_images(&e->clip, tape, pixels);
    return normalise_rows(linear(&e->pixels, tape_input(tape, pixels)), 1e-12f);
}

static Tensor *encode_texts(Encoders *e, Tape *tape, const int *words, int count)
{
    e->passes += count;
    if (!e->flat) return clip_texts(&e->clip, tape, words, count);
    Tensor *each = embed(tape, &e->bag, words, count * WORDS);
    return normalise_rows(global_average_pool(each, ((Grid){count, WORDS, 1})), 1e-12f);
}

// How a pair of encoders is trained
typedef struct {
    bool flat;
    float rate;
    float positions; // the deviation with which embeddings of positions begin; those of words begin with 1
    bool twins;      // hard negatives: every second scene is the one before with its colours exchanged
    int steps;
} Plan;

static Encoders *encoders_new(Arena *arena, Plan plan, Rng *rng)
{
    Encoders *e = arena_alloc(arena, 1, sizeof *e);
    *e = (Encoders){.flat = plan.flat, .set = parameters_new(arena)};
    if (plan.flat) {
        e->pixels = linear_new(&e->set, "pixels", RGB, FEATURES, rng, INIT_LECUN);
        e->bag = embedding_new(&e->set, "bag", VOCABULARY, FEATURES, rng, 1.0f);
        e->log_scale = parameters_add(&e->set, "log_scale", 1, 1);
        e->log_scale->value.data[0] = log32(1.0f / 0.07f);
        return e;
    }
    const ClipConfig config = {.side = SIDE,
                               .convolutions = {32, 64, 64},
                               .hidden = 128,
                               .words = WORDS,
                               .vocabulary = VOCABULARY,
                               .text_features = TEXT,
                               .text_hidden = 2 * TEXT,
                               .blocks = 2,
                               .heads = 4,
                               .features = FEATURES};
    e->clip = clip_new(&e->set, config, rng);
    e->log_scale = e->clip.log_scale;
    fill_normal(e->clip.positions->value, rng, 0.0f, plan.positions);
    return e;
}

static Caption exchange_colours(Caption c)
{
    const int first = c.colour[0];
    c.colour[0] = c.colour[1];
    c.colour[1] = first;
    return c;
}

// All pairs of a caption are trained ones (or all unseen), and so are those after an exchange, which differ
static bool can_be_exchanged(Caption c, Pairs pairs)
{
    bool can = c.colour[0] != c.colour[1] && c.item[0] != c.item[1];
    for (int k = 0; k < 4; k++) can = can && is_trained(c.colour[k / 2], c.item[k % 2]) == (pairs == TRAINED);
    return can;
}

static void draw_training(Scenes *s, const Wardrobe *w, bool twins, Rng *rng)
{
    Caption c = {.relation = 0};
    for (int i = 0; i < s->count; i++) {
        if (twins && i % 2 == 1) {
            c = exchange_colours(c);
        } else {
            do c = draw_caption(rng, TRAINED);
            while (twins && !can_be_exchanged(c, TRAINED));
        }
        put_scene(s, i, w, c, rng);
    }
}

static Encoders *train_encoders(Lesson *lesson, const Wardrobe *w, Plan plan, const char *what)
{
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 4);
    Encoders *e = encoders_new(arena, plan, &rng);
    Optimiser adam = adam_new(arena, &e->set, 0.9f, 0.999f, 1e-8f, 0.0f);
    Scenes batch = scenes_new(arena, BATCH);
    Tape *tape = tape_new();
    for (int step = 0; step < plan.steps; step++) {
        draw_training(&batch, w, plan.twins, &rng);
        tape_reset(tape);
        Tensor *u = encode_images(e, tape, batch.pixels);
        Tensor *v = encode_texts(e, tape, batch.words, BATCH);
        Tensor *loss = contrastive_loss(u, v, e->log_scale, batch.numbers);
        backward(loss);
        optimiser_step(&adam, cosine_schedule(plan.rate, step, 50, plan.steps));
        lesson_progress(lesson, what, step + 1, plan.steps, (double)loss->value.data[0]);
    }
    tape_free(tape);
    return e;
}

/*
**Recall at k** (召回率) is the fraction of queries whose right answer is among the first $k$. An answer that scores as
high as the right one counts as before it, so that a model which gives everything the same score gets 0 and not 1.
*/

// scores (N × N): row i is a query, column i its right answer
static double recall(Matrix scores, int k)
{
    int found = 0;
    for (int i = 0; i < scores.rows; i++) {
        int before = 0;
        for (int j = 0; j < scores.cols; j++) before += j != i && AT(scores, i, j) >= AT(scores, i, i);
        found += before < k;
    }
    return (double)found / scores.rows;
}

typedef struct {
    double image_by_caption, caption_by_image; // recall at 5
} Recalls;

static Recalls recalls_of(Encoders *e, const Scenes *s)
{
    Arena *scratch = arena_new();
    Tape *tape = tape_inference(scratch);
    Matrix u = encode_images(e, tape, s->pixels)->value, v = encode_texts(e, tape, s->words, s->count)->value;
    Arena *own = arena_new();
    Matrix table = matrix_new(own, s->count, s->count), transposed = matrix_new(own, s->count, s->count);
    matmul_nt(table, u, v);
    transpose(transposed, table);
    const Recalls r = {recall(transposed, 5), recall(table, 5)};
    arena_free(own);
    arena_free(scratch);
    return r;
}

enum { CANDIDATES = 300, RATES = 4 };
static const float rates[RATES] = {1e-2f, 3e-2f, 1e-1f, 3e-1f};

// The linear opponent with the rate that is best on validation scenes
static Encoders *tuned_opponent(Lesson *lesson, const World *world)
{
    const Scenes held = different_scenes(lesson_arena(lesson), &world->validation, TRAINED, CANDIDATES,
                                         lesson_rng(lesson, 5));
    Encoders *best = NULL;
    double most = -1.0;
    printf("the linear opponent's rates, on validation scenes:");
    for (int r = 0; r < RATES; r++) {
        const Plan plan = {.flat = true, .rate = rates[r], .steps = CLIP_STEPS};
        Encoders *e = train_encoders(lesson, &world->train, plan, "linear");
        const double reached = recalls_of(e, &held).image_by_caption;
        printf(" %g: %.3f", (double)rates[r], reached);
        if (reached > most) {
            most = reached;
            best = e;
        }
    }
    printf("\n\n");
    return best;
}

static void measure_recall(Lesson *lesson, const World *world, Encoders *clip)
{
    section(lesson, "Two encoders, trained on scenes");
    Arena *arena = lesson_arena(lesson);
    Encoders *both[2] = {tuned_opponent(lesson, world), clip};
    static const char *const names[2] = {"linear, bag of words", "CLIP"};
    Recalls r[2][2];
    printf("%-24s%14s%20s\n", "recall at 5 of 300", "trained pairs", "pairs never seen");
    printf("%-24s%14.3f%20.3f\n", "chance", 5.0 / CANDIDATES, 5.0 / CANDIDATES);
    for (int k = 0; k < 2; k++) {
        for (int p = 0; p < 2; p++) {
            const Scenes s = different_scenes(arena, &world->test, p ? UNSEEN : TRAINED, CANDIDATES,
                                              lesson_rng(lesson, 6 + (uint64_t)p));
            r[k][p] = recalls_of(both[k], &s);
        }
        printf("%-24s%14.3f%20.3f   image by caption\n", names[k], r[k][0].image_by_caption,
               r[k][1].image_by_caption);
        printf("%-24s%14.3f%20.3f   caption by image\n", "", r[k][0].caption_by_image,
               r[k][1].caption_by_image);
    }
    printf("\n");
    claim(lesson, r[1][0].image_by_caption >= 0.9 && r[1][0].caption_by_image >= 0.9,
          "CLIP finds at least 90 %% of test scenes and captions among the first five of 300");
    claim(lesson, r[1][1].image_by_caption >= 0.6 && r[1][1].caption_by_image >= 0.6,
          "and at least 60 %% where both pairs of colour and item were never trained");
    claim(lesson,
          r[1][0].image_by_caption >= r[0][0].image_by_caption + 0.03 &&
              r[1][1].image_by_caption >= r[0][1].image_by_caption + 0.06,
          "the linear opponent finds fewer, by at least 3 points, and 6 where pairs were never trained");
}

/*
Both directions work, and unseen pairs are found nearly as well: the vector of a red T-shirt is made of what the
network knows of red and of T-shirts. The linear opponent shows how much of that is colours at places, which a sum of
pixels can tell.

## What the temperature does

The scale $s$ is $1/\tau$, one over the **temperature** (温度). Cosines lie between −1 and 1. At $s = 1$ the best that
any vectors can do is 1 for the pair and −1 for the rest, and the loss cannot fall below $\log(1 + (B-1)\,e^{-2s})$:
with 128 pairs that is nearly 3 of the $\log 128 = 4.85$ that pure guessing costs. So the scale has to grow. It also
decides whom the loss looks at. Image $i$ is pushed away from caption $j$ with the weight $P_{ij}$; we take vectors
of the trained CLIP, change nothing but $s$, and ask which part of the push comes from the one **hardest negative**
(最难负样本).
*/

enum { SCALES = 5 };

static void vary_temperature(Lesson *lesson, const World *world, Encoders *clip)
{
    section(lesson, "What the temperature does");
    Arena *arena = lesson_arena(lesson);
    const Scenes s = different_scenes(arena, &world->test, TRAINED, BATCH, lesson_rng(lesson, 8));
    Tape *tape = tape_new();
    tape_record(tape, false);
    Matrix u = encode_images(clip, tape, s.pixels)->value,
           v = encode_texts(clip, tape, s.words, BATCH)->value;
    Matrix table = matrix_new(arena, BATCH, BATCH);
    const float learned = exp32(clip->log_scale->value.data[0]);
    const float scales[SCALES] = {1.0f, 3.0f, 10.0f, 30.0f, 100.0f};
    bool rises = true, above = true;
    double last = 0.0;
    printf("%8s%10s%16s%34s\n", "scale", "loss", "cannot be below", "hardest negative's part of push");
    for (int k = 0; k < SCALES; k++) {
        matmul_nt(table, u, v);
        scale(table, scales[k]);
        softmax_rows(table, table);
        double part = 0.0;
        for (int i = 0; i < BATCH; i++) {
            float hardest = 0.0f, all = 0.0f;
            for (int j = 0; j < BATCH; j++) {
                if (j == i) continue;
                all += AT(table, i, j);
                hardest = fmaxf(hardest, AT(table, i, j));
            }
            part += (double)(hardest / fmaxf(all, 1e-30f)) / BATCH;
        }
        Tensor *log_scale = tape_input(tape, matrix_new(arena, 1, 1));
        log_scale->value.data[0] = log32(scales[k]);
        const double loss =
            (double)contrastive_loss(tape_input(tape, u), tape_input(tape, v), log_scale, NULL)
                ->value.data[0];
        const double floor = (double)log1p32((float)(BATCH - 1) * exp32(-2.0f * scales[k]));
        printf("%8g%10.3f%16.3f%34.3f\n", (double)scales[k], loss, floor, part);
        rises = rises && part > last;
        above = above && loss >= floor;
        last = part;
    }
    printf("learned: %.1f\n\n", (double)learned);
    claim(lesson, rises, "the larger the scale, the more of the push comes from the hardest negative");
    claim(lesson, above, "no loss is below its bound");
    claim(lesson, learned > 10.0f, "training does not choose a small scale");
    tape_free(tape);
}

/*
At $s = 1$ all 127 negatives push alike, which is nearly a push away from the mean; at 100 almost only one pushes. In
between lies what training chooses for itself. CLIP clips it at 100, and so does the library.

## Names without training on names

Now a smaller world: one garment, 14 × 14 pixels, and captions of two words, "purple sneaker". Nobody trains a
classifier. To classify, write a caption for each class, encode it, and take for an image the class whose vector is
nearest: **zero-shot classification** (零样本分类). The 80 classes include the 16 pairs that were never trained.

A batch of 128 such images has many equal captions, and the diagonal then calls wrong what is right: two purple
sneakers are pushed off each other's caption. The library divides the target among equal captions for this reason. Is
it needed? Let $m$ rows have the same caption, hence the *same vector* $v$. Image $i$ feels only the sum over these
$m$ columns, and the diagonal's targets sum to 1 there just as the divided ones do. The sum over the $m$ texts, which
is all that the text encoder feels, is the same for the same reason. So the loss and the gradient of every parameter
must be equal with and without. It becomes another matter when one meaning has two captions with two vectors. We let
every second image have the order of its words reversed, "sneaker purple", under the same number, and compare again.
*/

enum { NAME_WORDS = 2, NAME_BATCH = 128, NAME_STEPS = 1200 };

typedef struct {
    int count;
    Matrix pixels; // (n × 588)
    int *words, *classes;
} Singles;

static Singles draw_singles(Arena *arena, const Wardrobe *w, Pairs pairs, int count, Rng *rng)
{
    Singles s = {count, matrix_new(arena, count, GARMENT_PIXELS * 3),
                 arena_alloc(arena, (size_t)count * NAME_WORDS, sizeof(int)),
                 arena_alloc(arena, (size_t)count, sizeof(int))};
    for (int i = 0; i < count; i++) {
        int colour, item;
        draw_pair(rng, pairs, &colour, &item);
        const int which = w->of_item[item][rng_below(rng, (uint32_t)w->count[item])];
        garment_paint(matrix_view(GARMENT_PIXELS, 3, matrix_row(s.pixels, i)), GARMENT_SIDE, 0, 0,
                      w->garments, which, (GarmentColour)colour);
        s.words[i * NAME_WORDS] = colour;
        s.words[i * NAME_WORDS + 1] = FIRST_ITEM + item;
        s.classes[i] = colour * GARMENT_ITEMS + item;
    }
    return s;
}

static Tensor *loss_of_singles(const Clip *clip, Tape *tape, const Singles *s, const int *numbers)
{
    Tensor *u = clip_images(clip, tape, s->pixels);
    Tensor *v = clip_texts(clip, tape, s->words, s->count);
    return contrastive_loss(u, v, clip->log_scale, numbers);
}

// How far apart, relative to their length, all gradients are when equal captions share their target and when not
static double targets_apart(const Clip *clip, Parameters *set, const Singles *s, double losses[2])
{
    Tape *tape = tape_new();
    Arena *scratch = arena_new();
    Matrix *first = arena_alloc(scratch, (size_t)set->count, sizeof *first);
    double apart = 0.0, length = 0.0;
    for (int shared = 1; shared >= 0; shared--) {
        tape_reset(tape);
        clear_gradients(set);
        Tensor *loss = loss_of_singles(clip, tape, s, shared ? s->classes : NULL);
        backward(loss);
        losses[shared] = (double)loss->value.data[0];
        for (int p = 0; p < set->count; p++) {
            if (shared) {
                first[p] = matrix_copy(scratch, set->items[p]->gradient);
                length += sum_of_squares(first[p]);
            } else {
                subtract(first[p], first[p], set->items[p]->gradient);
                apart += sum_of_squares(first[p]);
            }
        }
    }
    clear_gradients(set);
    arena_free(scratch);
    tape_free(tape);
    return sqrt(apart / length);
}

// The fraction of images whose nearest caption, among all 80, is theirs
static double zero_shot(const Clip *clip, const Singles *s)
{
    Arena *scratch = arena_new(), *own = arena_new();
    Tape *tape = tape_inference(scratch);
    int words[PAIRS * NAME_WORDS];
    for (int p = 0; p < PAIRS; p++) {
        words[p * NAME_WORDS] = p / GARMENT_ITEMS;
        words[p * NAME_WORDS + 1] = FIRST_ITEM + p % GARMENT_ITEMS;
    }
    Matrix u = clip_images(clip, tape, s->pixels)->value, v = clip_texts(clip, tape, words, PAIRS)->value;
    Matrix table = matrix_new(own, s->count, PAIRS);
    matmul_nt(table, u, v);
    const double right = accuracy(table, s->classes);
    arena_free(own);
    arena_free(scratch);
    return right;
}

static void name_garments(Lesson *lesson, const World *world)
{
    section(lesson, "Names without training on names");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 9);
    Parameters set = parameters_new(arena);
    const ClipConfig config = {.side = GARMENT_SIDE,
                               .convolutions = {24, 48},
                               .hidden = 128,
                               .words = NAME_WORDS,
                               .vocabulary = FIRST_RELATION,
                               .text_features = 32,
                               .text_hidden = 128,
                               .features = 48};
    const Clip clip = clip_new(&set, config, &rng);
    Optimiser adam = adam_new(arena, &set, 0.9f, 0.999f, 1e-8f, 0.0f);
    Arena *scratch = arena_new();
    Tape *tape = tape_new();
    for (int step = 0; step < NAME_STEPS; step++) {
        arena_reset(scratch);
        tape_reset(tape);
        const Singles batch = draw_singles(scratch, &world->train, TRAINED, NAME_BATCH, &rng);
        Tensor *loss = loss_of_singles(&clip, tape, &batch, batch.classes);
        backward(loss);
        optimiser_step(&adam, cosine_schedule(8e-3f, step, 50, NAME_STEPS));
        lesson_progress(lesson, "names", step + 1, NAME_STEPS, (double)loss->value.data[0]);
    }
    Singles batch = draw_singles(arena, &world->train, TRAINED, NAME_BATCH, &rng);
    double losses[2], losses_of_two[2];
    const double apart = targets_apart(&clip, &set, &batch, losses);
    for (int i = 0; i < NAME_BATCH; i += 2) {
        const int colour = batch.words[i * NAME_WORDS];
        batch.words[i * NAME_WORDS] = batch.words[i * NAME_WORDS + 1];
        batch.words[i * NAME_WORDS + 1] = colour;
    }
    const double apart_of_two = targets_apart(&clip, &set, &batch, losses_of_two);
    const Singles known = draw_singles(arena, &world->test, TRAINED, 2000, &rng),
                  unseen = draw_singles(arena, &world->test, UNSEEN, 1000, &rng);
    const double right = zero_shot(&clip, &known), right_unseen = zero_shot(&clip, &unseen);
    printf("equal captions        loss %.3f with shared targets, %.3f without; gradients %.1e apart\n",
           losses[1], losses[0], apart);
    printf("two orders of words   loss %.3f with shared targets, %.3f without; gradients %.1e apart\n",
           losses_of_two[1], losses_of_two[0], apart_of_two);
    printf("zero-shot among %d: %.3f of trained pairs, %.3f of pairs never seen; chance %.4f\n\n", PAIRS,
           right, right_unseen, 1.0 / PAIRS);
    claim(lesson, apart <= 1e-4 && fabs(losses[0] - losses[1]) <= 1e-4,
          "where captions are equal, shared targets change neither the loss nor any gradient");
    claim(lesson, apart_of_two >= 0.01, "where one meaning has two vectors, they change the gradient");
    claim(lesson, right >= 0.8,
          "at least 80 %% of test garments are named right among 80 classes, trained pairs");
    claim(lesson, right_unseen >= 0.5, "and at least 50 %% of those whose pair was never trained");
    arena_free(scratch);
    tape_free(tape);
}

/*
The mathematics holds: loss and gradients are equal but for rounding. That repeated captions are *false negatives*
(假负样本) and harm needs captions that mean the same in other words, or the same garment in two images whose captions
differ. Where there are any, one has to know it, and to divide.

## Which colour is whose?

CLIP finds nearly everything. Does it know what it has found? Take a test scene and two captions: its own, and one
with a small change.

- *colours*: "**red** sneaker above **blue** bag" becomes "**blue** sneaker above **red** bag";
- *items*: "red **sneaker** above blue **bag**" becomes "red **bag** above blue **sneaker**";
- *relation*: *above* becomes *below*, *left-of* becomes *right-of*, and back;
- *word*: one colour or one item becomes one that is not in the scene.

The first three leave the bag of words the same, or nearly so. Whoever guesses is right in half of the cases. All
four pairs of colours and items that an exchange touches are trained ones, so that none can be told by never having
occurred.
*/

typedef enum { COLOURS, ITEMS, RELATION, WORD, KINDS } Kind;
static const char *const kind_names[KINDS] = {"colours", "items", "relation", "word"};

static Caption changed(Caption c, Kind kind, Pairs pairs, Rng *rng)
{
    const Caption before = c;
    const int k = (int)rng_below(rng, 2), item = c.item[0];
    switch (kind) {
    case COLOURS:
        return exchange_colours(c);
    case ITEMS:
        c.item[0] = c.item[1];
        c.item[1] = item;
        return c;
    case RELATION:
        c.relation ^= 1;
        return c;
    default: // another pair, of which the colour or the item stays
        do draw_pair(rng, pairs == TRAINED ? TRAINED : ANY, &c.colour[k], &c.item[k]);
        while ((c.colour[k] == before.colour[k]) == (c.item[k] == before.item[k]) ||
               (c.colour[k] != before.colour[k] && c.colour[k] == c.colour[1 - k]) ||
               (c.item[k] != before.item[k] && c.item[k] == c.item[1 - k]));
        return c;
    }
}

typedef struct {
    Scenes scenes;      // with their own captions
    int *others[KINDS]; // [n · 5]
} Choices;

static Choices draw_choices(Arena *arena, const Wardrobe *w, Pairs pairs, int count, Rng rng)
{
    Choices c = {.scenes = scenes_new(arena, count)};
    for (int k = 0; k < KINDS; k++) c.others[k] = arena_alloc(arena, (size_t)count * WORDS, sizeof(int));
    for (int i = 0; i < count; i++) {
        Caption own;
        do own = draw_caption(&rng, pairs);
        while (!can_be_exchanged(own, pairs));
        put_scene(&c.scenes, i, w, own, &rng);
        for (int k = 0; k < KINDS; k++)
            caption_words(c.others[k] + i * WORDS, changed(own, (Kind)k, pairs, &rng));
    }
    return c;
}

// scores [n] of images (n × 2352) with words [n · 5]: how well image i and text i go together
typedef void (*Scorer)(void *model, Matrix pixels, const int *words, double *scores);

static void score_by_encoders(void *model, Matrix pixels, const int *words, double *scores)
{
    Arena *scratch = arena_new();
    Tape *tape = tape_inference(scratch);
    Matrix u = encode_images(model, tape, pixels)->value,
           v = encode_texts(model, tape, words, pixels.rows)->value;
    for (int i = 0; i < pixels.rows; i++) scores[i] = dot(matrix_rows(u, i, 1), matrix_rows(v, i, 1));
    arena_free(scratch);
}

// rates [KINDS]: how often the own caption scores higher; of equal scores half
static void choose(double rates_of[KINDS], Scorer scorer, void *model, const Choices *c)
{
    const int n = c->scenes.count;
    Arena *scratch = arena_new();
    double *own = arena_alloc(scratch, (size_t)n, sizeof *own),
           *other = arena_alloc(scratch, (size_t)n, sizeof *own);
    scorer(model, c->scenes.pixels, c->scenes.words, own);
    for (int k = 0; k < KINDS; k++) {
        scorer(model, c->scenes.pixels, c->others[k], other);
        double right = 0.0;
        for (int i = 0; i < n; i++) right += own[i] > other[i] ? 1.0 : own[i] == other[i] ? 0.5 : 0.0;
        rates_of[k] = right / n;
    }
    arena_free(scratch);
}

enum { CHOICES = 1000, CHOICES_UNSEEN = 500 };
typedef struct {
    Choices trained, unseen;
} Exam;

static Exam exam_of(Arena *arena, const World *world, const Lesson *lesson)
{
    return (Exam){draw_choices(arena, &world->test, TRAINED, CHOICES, lesson_rng(lesson, 10)),
                  draw_choices(arena, &world->test, UNSEEN, CHOICES_UNSEEN, lesson_rng(lesson, 11))};
}

static void print_exam_head(const char *title)
{
    printf("%-28s", title);
    for (int k = 0; k < KINDS; k++) printf("%10s", kind_names[k]);
    printf("\n");
}

static void sit_exam(double out[2][KINDS], const char *name, Scorer scorer, void *model, const Exam *exam)
{
    choose(out[0], scorer, model, &exam->trained);
    choose(out[1], scorer, model, &exam->unseen);
    for (int p = 0; p < 2; p++) {
        printf("%-28s", p ? "    pairs never seen" : name);
        for (int k = 0; k < KINDS; k++) printf("%10.3f", out[p][k]);
        printf("\n");
    }
}

static bool near_chance(double rate) { return rate >= 0.4 && rate <= 0.6; }

/*
The usual explanation is in the loss: nothing in it asks for order. A batch of 128 random captions hardly ever holds
two that differ by an exchange, so a bag of words wins every comparison; what would help are **hard negatives**,
captions with exchanged words in the batch (Yuksekgonul and others 2023). That can be tested. We train again, with
the same steps and rate, on batches in which every second scene has the caption of the one before it with the colours
exchanged, and its own image for it.

A second suspect is plainer. Our text encoder starts with embeddings of words that have deviation 1 and embeddings of
positions that have deviation 0.1, not unusual numbers. What tells "first" from "second" is then a tenth as strong as
what tells "red" from "blue", and after the first normalisation it weighs a hundredth in each product. We train a
third time, without any hard negative, with positions that begin at deviation 1.
*/

static const Plan plain_plan = {.rate = 4e-3f, .positions = 0.1f, .steps = CLIP_STEPS},
                  search_plan = {.rate = 4e-3f, .positions = 1.0f, .steps = CLIP_STEPS};

// strong [2][KINDS] ← how often the CLIP with strong positions is right
static void exchange_words(Lesson *lesson, const World *world, Encoders *clip, double strong[2][KINDS])
{
    section(lesson, "Which colour is whose?");
    const Exam exam = exam_of(lesson_arena(lesson), world, lesson);
    Plan with_twins = plain_plan, with_positions = plain_plan;
    with_twins.twins = true;
    with_positions.positions = 1.0f;
    Encoders *twins = train_encoders(lesson, &world->train, with_twins, "hard negatives"),
             *positions = train_encoders(lesson, &world->train, with_positions, "positions");
    double plain[2][KINDS], hard[2][KINDS];
    print_exam_head("right of two captions");
    sit_exam(plain, "CLIP", score_by_encoders, clip, &exam);
    sit_exam(hard, "with hard negatives", score_by_encoders, twins, &exam);
    sit_exam(strong, "positions begin with 1", score_by_encoders, positions, &exam);
    const Scenes s =
        different_scenes(lesson_arena(lesson), &world->test, TRAINED, CANDIDATES, lesson_rng(lesson, 6));
    printf("\nrecall at 5 of the three: %.3f, %.3f, %.3f\n\n", recalls_of(clip, &s).image_by_caption,
           recalls_of(twins, &s).image_by_caption, recalls_of(positions, &s).image_by_caption);
    claim(lesson,
          near_chance(plain[0][COLOURS]) && near_chance(plain[0][ITEMS]) && near_chance(plain[0][RELATION]),
          "CLIP guesses, 40 to 60 %%, when colours, items or the relation are exchanged");
    claim(lesson, plain[0][WORD] >= 0.85, "where a word is changed it is right in at least 85 %%");
    claim(lesson, hard[0][COLOURS] >= 0.9 && hard[0][RELATION] >= 0.9,
          "hard negatives teach colours, at least 90 %%, and the relation with them");
    claim(lesson, near_chance(hard[0][ITEMS]),
          "and no more than they show: exchanged items are still guessed");
    claim(
        lesson, strong[0][COLOURS] >= 0.75 && strong[0][RELATION] >= 0.75 && strong[0][ITEMS] >= 0.6,
        "without any hard negative, strong positions bring 75 %% for colours and relation, 60 %% for items");
    claim(lesson, strong[1][COLOURS] >= 0.7, "and at least 70 %% for colours where pairs were never trained");
}

/*
So three sentences have to be kept apart. *A model can find nearly every scene and know nothing of whose colour is
which*: true, and recall does not show it; one has to ask. *Hard negatives help*: true, for what they show. This
model has learned that the colour named first is the one above, or on the left, with "above" or "left-of". It was
never asked which garment is there, with the colours in their places, and of items it knows no more than before.
*Without hard negatives the contrastive loss cannot teach it*: false here. The scale of one table decides. The loss
of a batch is a little lower for whoever knows the order, and a text encoder that can see order learns it without
being shown a single exchanged caption, for colours, relation and, more slowly, items. Large models are trained on
captions where order matters less than in ours, so this does not say why *they* fail. It says that the loss alone is
no explanation.

## One transformer reads both

ViLT has no vector for an image. Sixteen image tokens and five word tokens stand in one sequence, and each block lets
all 21 look at each other, so that a word can ask the image: *sneaker*, where are you, and which colour is there?

The image tokens come from the convolutions of the CLIP above, the one that was guessing. They are **frozen** (冻结).
If the fused model can tell whose colour is which, these features had held it all along. This order of work, first
contrast and then fusion, is that of ALBEF (Li and others 2021).

It is trained as BERT is ([chapter 19](../19-bert/README.md)): words are replaced by `[mask]`, and it has to say
them. Which ones matters. If only the first colour of "[mask] sneaker above blue bag" is masked, the scene says red
and blue, blue is taken, and the answer is red without a look at any sneaker. So both colours are masked together in
35 % of the cases, both items in 35 %, and each word by chance in the rest.

A caption scores by how well the masked words are guessed: $\log p(\text{colours} \mid \text{rest}) + \log
p(\text{items} \mid \text{rest}) + \log p(\text{relation} \mid \text{rest})$, three passes.
*/

enum { TOKENS = 16, SEQUENCE = TOKENS + WORDS, CONVOLUTIONS = 3, BLOCKS = 2 };
enum { FUSED_BATCH = 64, FUSED_STEPS = 700 };

typedef struct {
    Parameters set;
    Conv convolution[CONVOLUTIONS];
    Linear patch; // from the features of a patch to those of the sequence
    Embedding word;
    Tensor *positions; // (21 × 64)
    Block block[BLOCKS];
    Norm norm;
    Linear head;
    long passes; // pairs read so far
} Vilt;

// positions: the deviation with which their embeddings begin
static Vilt *vilt_new(Arena *arena, const Clip *clip, float positions, Rng *rng)
{
    Vilt *v = arena_alloc(arena, 1, sizeof *v);
    *v = (Vilt){.set = parameters_new(arena)};
    int inputs = 3;
    for (int i = 0; i < CONVOLUTIONS; i++) {
        const Conv *from = &clip->convolution[i];
        v->convolution[i] = conv_new(&v->set, layer_name(&v->set, "image", "conv", i), inputs,
                                     from->weight->value.cols, from->window, NULL, INIT_ZERO);
        copy(v->convolution[i].weight->value, from->weight->value);
        copy(v->convolution[i].bias->value, from->bias->value);
        inputs = from->weight->value.cols;
    }
    parameters_freeze(&v->set, "image", true);
    v->patch = linear_new(&v->set, "patch", inputs, TEXT, rng, INIT_LECUN);
    v->word = embedding_new(&v->set, "word", VOCABULARY, TEXT, rng, 1.0f);
    v->positions = parameters_add(&v->set, "position", SEQUENCE, TEXT);
    fill_normal(v->positions->value, rng, 0.0f, positions);
    const BlockConfig config = {.width = TEXT, .heads = 4, .hidden = 2 * TEXT, .shrink = 0.5f};
    for (int i = 0; i < BLOCKS; i++)
        v->block[i] = block_new(&v->set, layer_name(&v->set, "", "block", i), config, rng);
    v->norm = norm_new(&v->set, "norm", NORM_LAYER, TEXT, 0.0f);
    v->head = linear_new(&v->set, "head", TEXT, VOCABULARY, rng, INIT_LECUN);
    return v;
}

// pixels (n × 2352), words [n · 5], of which the masked stand at places `at` [count] → logits (count × VOCABULARY)
static Tensor *guess_words(Vilt *v, Tape *tape, Matrix pixels, const int *words, const int *at, int count)
{
    const int n = pixels.rows;
    Map m = map_input(tape, matrix_reshape(pixels, n * PIXELS, 3), ((Grid){n, SIDE, SIDE}));
    for (int i = 0; i < CONVOLUTIONS; i++) m = map_conv_relu(&v->convolution[i], m);
    Tensor *patches = linear(&v->patch, m.features); // (n · 16 × 64)
    Tensor *text = embed(tape, &v->word, words, n * WORDS);
    int *order = arena_alloc(tape_arena(tape), (size_t)n * SEQUENCE, sizeof *order),
        *rows = arena_alloc(tape_arena(tape), (size_t)count, sizeof *rows);
    for (int i = 0; i < n; i++)
        for (int t = 0; t < SEQUENCE; t++)
            order[i * SEQUENCE + t] = t < TOKENS ? i * TOKENS + t : n * TOKENS + i * WORDS + t - TOKENS;
    for (int i = 0; i < count; i++) rows[i] = at[i] / WORDS * SEQUENCE + TOKENS + at[i] % WORDS;
    Tensor *x = embedding(tape, concat_rows(patches, text), order, n * SEQUENCE);
    x = add_positions(x, v->positions, SEQUENCE);
    for (int i = 0; i < BLOCKS; i++)
        x = block_forward(&v->block[i], x, .self = self_attention_shape(n, SEQUENCE, 0, false));
    x = norm_normalise(&v->norm, embedding(tape, x, rows, count)); // the masked words only
    v->passes += n;
    return linear(&v->head, x);
}

// Masks words of a caption; at and labels receive where and which; returns how many
static int mask_words(int words[WORDS], int first, int *at, int *labels, Rng *rng)
{
    enum { BOTH_COLOURS = 35, BOTH_ITEMS = 70 };
    const int way = (int)rng_below(rng, 100);
    bool masked[WORDS] = {false};
    if (way < BOTH_ITEMS) {
        const int which = way < BOTH_COLOURS ? 0 : 1;
        masked[which] = masked[which + 3] = true;
    } else {
        masked[rng_below(rng, WORDS)] = true;
        for (int k = 0; k < WORDS; k++) masked[k] = rng_uniform(rng) < 0.2f || masked[k];
    }
    int count = 0;
    for (int k = 0; k < WORDS; k++)
        if (masked[k]) {
            at[count] = first + k;
            labels[count++] = words[k];
            words[k] = MASK;
        }
    return count;
}

static Vilt *train_vilt(Lesson *lesson, const Wardrobe *w, const Clip *clip, float positions,
                        const char *what)
{
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 12);
    Vilt *v = vilt_new(arena, clip, positions, &rng);
    Optimiser adam = adam_new(arena, &v->set, 0.9f, 0.999f, 1e-8f, 0.0f);
    Scenes batch = scenes_new(arena, FUSED_BATCH);
    Tape *tape = tape_new();
    int at[FUSED_BATCH * WORDS], labels[FUSED_BATCH * WORDS];
    for (int step = 0; step < FUSED_STEPS; step++) {
        draw_training(&batch, w, false, &rng);
        int count = 0;
        for (int i = 0; i < FUSED_BATCH; i++)
            count += mask_words(batch.words + i * WORDS, i * WORDS, at + count, labels + count, &rng);
        tape_reset(tape);
        Tensor *loss = cross_entropy(guess_words(v, tape, batch.pixels, batch.words, at, count), labels);
        backward(loss);
        clip_gradients(&v->set, 1.0f);
        optimiser_step(&adam, cosine_schedule(3e-3f, step, 100, FUSED_STEPS));
        lesson_progress(lesson, what, step + 1, FUSED_STEPS, (double)loss->value.data[0]);
    }
    tape_free(tape);
    return v;
}

static void score_by_vilt(void *model, Matrix pixels, const int *words, double *scores)
{
    static const int masks[3][2] = {{0, 3}, {1, 4}, {2, 2}};
    Arena *scratch = arena_new(), *own = arena_new();
    const int n = pixels.rows;
    int *masked = arena_alloc(own, (size_t)n * WORDS, sizeof(int)),
        *at = arena_alloc(own, (size_t)n * 2, sizeof(int)),
        *labels = arena_alloc(own, (size_t)n * 2, sizeof(int));
    memset(scores, 0, (size_t)n * sizeof *scores);
    Tape *tape = tape_inference(scratch);
    for (int m = 0; m < 3; m++) {
        const int each = masks[m][0] == masks[m][1] ? 1 : 2;
        memcpy(masked, words, (size_t)n * WORDS * sizeof(int));
        for (int i = 0; i < n; i++)
            for (int k = 0; k < each; k++) {
                at[i * each + k] = i * WORDS + masks[m][k];
                labels[i * each + k] = words[i * WORDS + masks[m][k]];
                masked[i * WORDS + masks[m][k]] = MASK;
            }
        tape_reset(tape);
        Tensor *logits = guess_words(model, tape, pixels, masked, at, n * each);
        const Matrix each_word = row_log_probabilities(logits, labels)->value;
        for (int i = 0; i < n * each; i++) scores[i / each] += (double)each_word.data[i];
    }
    arena_free(own);
    arena_free(scratch);
}

static void draw_exam(Lesson *lesson, double *const rates_of[], const char *const *rows, int count)
{
    Matrix values = matrix_new(lesson_arena(lesson), count, KINDS);
    for (int r = 0; r < count; r++)
        for (int k = 0; k < KINDS; k++) AT(values, r, k) = (float)rates_of[r][k];
    Plot *plot = plot_begin(lesson, "exchanges.svg", "Right of two captions, by what was changed");
    plot_cells(plot, values, rows, kind_names, 2);
    plot_end(plot, "Trained pairs; 0.5 is a guess. Only a changed word is seen by all.");
}

static void fuse(Lesson *lesson, const World *world, Encoders *clip, double strong[KINDS], Vilt **out)
{
    section(lesson, "One transformer reads both");
    const Exam exam = exam_of(lesson_arena(lesson), world, lesson);
    Vilt *fused = train_vilt(lesson, &world->train, &clip->clip, 1.0f, "fused"),
         *weak = train_vilt(lesson, &world->train, &clip->clip, 0.1f, "fused, weak positions");
    double by_clip[2][KINDS], by_fused[2][KINDS], by_weak[2][KINDS];
    print_exam_head("right of two captions");
    sit_exam(by_clip, "CLIP", score_by_encoders, clip, &exam);
    sit_exam(by_fused, "fused", score_by_vilt, fused, &exam);
    sit_exam(by_weak, "fused, positions begin 0.1", score_by_vilt, weak, &exam);
    printf("\n");
    claim(lesson, by_fused[0][COLOURS] >= 0.7 && by_fused[0][ITEMS] >= 0.7,
          "the fused model is right in at least 70 %% when colours or items are exchanged");
    claim(lesson, by_fused[0][COLOURS] >= by_clip[0][COLOURS] + 0.3,
          "for colours at least 30 points above the CLIP whose convolutions it looks through");
    claim(lesson, by_fused[1][COLOURS] >= 0.7, "and at least 70 %% for colours on pairs never seen");
    claim(lesson, near_chance(by_weak[0][COLOURS]),
          "with positions that begin ten times smaller it still guesses after as many steps");
    static const char *const rows[] = {"CLIP", "CLIP, positions 1", "fused, positions 1",
                                       "fused, positions 0.1"};
    draw_exam(lesson, (double *const[]){by_clip[0], strong, by_fused[0], by_weak[0]}, rows, 4);
    *out = fused;
}

/*
The same scale decides here as well. With weak positions the loss falls until the model knows which colours and items
are there, and then lies on a **plateau** (平台期): to do better, a masked colour must look at its neighbour, the item,
and then for that item in the image. We take it that neither step helps without the other, and that positions which
can be told apart from the start give the first one for free.

So "fused models bind and dual encoders do not" is too simple, too. What remains true is the price.

## The price: N² against 2N

CLIP reads each image once and each caption once; all comparisons after that are products of vectors. A search engine
computes its image vectors in advance and pays one text per query. The fused model must read every pair.
*/

static void count_the_price(Lesson *lesson, const World *world, Encoders *clip, Vilt *fused)
{
    section(lesson, "The price: N² against 2N");
    enum { N = 100 };
    Arena *arena = lesson_arena(lesson);
    const Scenes s = different_scenes(arena, &world->test, TRAINED, N, lesson_rng(lesson, 13));
    Matrix by_clip = matrix_new(arena, N, N), by_fused = matrix_new(arena, N, N),
           same = matrix_new(arena, N, RGB);
    double scores[N];
    const long clip_before = clip->passes, fused_before = fused->passes;
    double start = seconds_now();
    Arena *scratch = arena_new();
    Tape *tape = tape_inference(scratch);
    matmul_nt(by_clip, encode_texts(clip, tape, s.words, N)->value,
              encode_images(clip, tape, s.pixels)->value);
    arena_free(scratch);
    const double clip_seconds = seconds_now() - start;
    start = seconds_now();
    for (int i = 0; i < N; i++) { // image i with all captions
        for (int j = 0; j < N; j++) memcpy(matrix_row(same, j), matrix_row(s.pixels, i), RGB * sizeof(float));
        score_by_vilt(fused, same, s.words, scores);
        for (int j = 0; j < N; j++) AT(by_fused, j, i) = (float)scores[j];
        lesson_progress(lesson, "all pairs", i + 1, N, NAN);
    }
    const double fused_seconds = seconds_now() - start;
    const long clip_passes = clip->passes - clip_before, fused_passes = fused->passes - fused_before;
    fprintf(stderr, "all pairs of %d: two encoders %.3f s, fused %.1f s\n", N, clip_seconds, fused_seconds);
    printf("%d images, %d captions    passes    recall at 1    at 5, image by caption\n", N, N);
    printf("two encoders            %8ld%15.2f%8.2f\n", clip_passes, recall(by_clip, 1), recall(by_clip, 5));
    printf("fused, 3 masks a pair   %8ld%15.2f%8.2f\n\n", fused_passes, recall(by_fused, 1),
           recall(by_fused, 5));
    claim(lesson, clip_passes == 2L * N && fused_passes == 3L * N * N,
          "the encoders need 2 N passes, the fused model 3 N²");
    claim(lesson, fused_seconds >= 10.0 * clip_seconds,
          "measured, the fused model takes at least 10 times longer");
}

/*
A search that wants both takes CLIP's first hundred and lets the fused model put these in order.

## Emoji in two languages

Emoji come with names and keywords in many languages. We take 1,384 of them as Google draws them, 32 × 32 pixels,
with names and keywords in English and in Chinese, and the same ones as Twitter draws them for a test. Texts have no
fixed length here, and no order: the text encoder is the mean of embeddings, a bag of words. For English a token is a
word, for Chinese a character, and both languages share one table. No dictionary is given: if *cat* and 猫 come to
mean the same, then because both were said of the same image.

In each step an emoji gets either language by chance, and loses each word with probability 0.2; images are shifted,
scaled and sheared a little. 15 % of the emoji are held out.
*/

enum { EMOJI_SIDE = 32, EMOJI_PIXELS = EMOJI_SIDE * EMOJI_SIDE, LANGUAGES = 2, MOST_TOKENS = 32 };
enum { EMOJI_STEPS = 600, EMOJI_BATCH = 128, EMOJI_FEATURES = 64, TOKEN_SIZE = 32 };
static const char *const languages[LANGUAGES] = {"English", "Chinese"};

typedef struct {
    int count, tokens[MOST_TOKENS];
} Bag;

typedef struct {
    int count;
    Csv table;
    Matrix google, twitter; // (n × 3072), 1 less the colour: the white around is 0
    char **vocabulary;
    int words;
    NameTable places;
    Bag *names[LANGUAGES], *texts[LANGUAGES]; // [n]; texts: names and keywords
    int *train, train_count, *held, held_count;
} Emoji;

static bool is_letter(uint32_t c)
{
    if (c < 0x80) return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
    return (c < 0x2000 || c >= 0x3040) && c < 0xFF00 && c != 0xD7;
}

// The next token: an English word in lower case, or one Chinese character
static bool next_token(const char **at, char token[TOKEN_SIZE])
{
    int size = 0;
    for (;;) {
        const char *before = *at;
        const uint32_t c = utf8_next(at);
        const bool single = c >= 0x3040;
        if (c == 0 || !is_letter(c) || (single && size > 0) || size > TOKEN_SIZE - 5) {
            if (size > 0 && c != 0) *at = before; // what ends a word is looked at again
            if (size > 0 || c == 0) break;
            continue;
        }
        size += utf8_encode(token + size, c >= 'A' && c <= 'Z' ? c + 32 : c);
        if (single) break;
    }
    token[size] = '\0';
    return size > 0;
}

// Adds the tokens of a text; new ones enter the vocabulary where `grow`. Returns false when one is not in it.
static bool add_tokens(Arena *arena, Emoji *e, Bag *bag, const char *text, bool grow)
{
    char token[TOKEN_SIZE];
    bool all = true;
    while (next_token(&text, token)) {
        int number = name_table_find(&e->places, e->vocabulary, token);
        if (number < 0 && grow) {
            number = e->words++;
            e->vocabulary[number] = arena_alloc(arena, strlen(token) + 1, 1);
            memcpy(e->vocabulary[number], token, strlen(token) + 1);
            name_table_put(&e->places, e->vocabulary, number);
        }
        all = all && number >= 0;
        bool there = false;
        for (int k = 0; k < bag->count; k++) there = there || bag->tokens[k] == number;
        if (number >= 0 && !there && bag->count < MOST_TOKENS) bag->tokens[bag->count++] = number;
    }
    return all;
}

static Matrix cut_sheet(Arena *arena, const char *path, Matrix cells, const int *rows, int count)
{
    enum { CELL = EMOJI_SIDE + 2 };
    Arena *scratch = arena_new();
    const Image sheet = image_read(scratch, path);
    Matrix out = matrix_new(arena, count, 3 * EMOJI_PIXELS);
    for (int i = 0; i < count; i++) {
        const int top = (int)AT(cells, rows[i], 0) * CELL + 1, left = (int)AT(cells, rows[i], 1) * CELL + 1;
        Matrix x = image_pixels(scratch, image_crop(scratch, sheet, top, left, EMOJI_SIDE, EMOJI_SIDE));
        for (int k = 0; k < 3 * EMOJI_PIXELS; k++) AT(out, i, k) = 1.0f - x.data[k];
    }
    arena_free(scratch);
    return out;
}

static Emoji load_emoji(Lesson *lesson)
{
    enum { COMPONENTS = 2, MOST_WORDS = 1 << 14 };
    Arena *arena = lesson_arena(lesson);
    Emoji e = {.table = csv_read(arena, "datasets/cache/emoji/emoji.tsv")};
    Matrix cells = csv_numbers(arena, e.table, "row", "group");
    int *rows = arena_alloc(arena, (size_t)e.table.rows, sizeof *rows);
    for (int i = 0; i < e.table.rows; i++) // but for skin tones and hair
        if ((int)AT(cells, i, 2) != COMPONENTS) rows[e.count++] = i;
    e.google = cut_sheet(arena, "datasets/cache/emoji/google.png", cells, rows, e.count);
    e.twitter = cut_sheet(arena, "datasets/cache/emoji/twitter.png", cells, rows, e.count);
    e.vocabulary = arena_alloc(arena, MOST_WORDS, sizeof *e.vocabulary);
    e.places = name_table_new(arena, MOST_WORDS);
    static const char *const columns[LANGUAGES][2] = {{"english", "english_tags"},
                                                      {"chinese", "chinese_tags"}};
    for (int l = 0; l < LANGUAGES; l++) {
        e.names[l] = arena_zeros(arena, (size_t)e.count, sizeof(Bag));
        e.texts[l] = arena_zeros(arena, (size_t)e.count, sizeof(Bag));
        const int name = csv_column(e.table, columns[l][0]), tags = csv_column(e.table, columns[l][1]);
        for (int i = 0; i < e.count; i++) {
            check(e.words < MOST_WORDS - 2 * 512, "fetch the set again: make data DATA=emoji",
                  "the emoji have more than %d different words", MOST_WORDS);
            add_tokens(arena, &e, &e.names[l][i], csv_cell(e.table, rows[i], name), true);
            e.texts[l][i] = e.names[l][i];
            add_tokens(arena, &e, &e.texts[l][i], csv_cell(e.table, rows[i], tags), true);
        }
    }
    for (int i = 0; i < e.count; i++) // the lines of the table, without the components
        for (int c = 0; c < e.table.cols; c++)
            e.table.cells[i * e.table.cols + c] = e.table.cells[rows[i] * e.table.cols + c];
    Rng rng = lesson_rng(lesson, 20);
    e.train = arena_alloc(arena, (size_t)e.count, sizeof(int));
    rng_permutation(&rng, e.train, e.count);
    e.held_count = e.count * 15 / 100;
    e.train_count = e.count - e.held_count;
    e.held = e.train + e.train_count;
    return e;
}

typedef struct {
    Parameters set;
    Clip clip; // its image encoder, its table of words and its scale are used
} EmojiClip;

static EmojiClip *emoji_clip_new(Arena *arena, int words, Rng *rng)
{
    EmojiClip *m = arena_alloc(arena, 1, sizeof *m);
    m->set = parameters_new(arena);
    const ClipConfig config = {.side = EMOJI_SIDE,
                               .convolutions = {24, 48, 96},
                               .hidden = 128,
                               .words = 1,
                               .vocabulary = words,
                               .text_features = EMOJI_FEATURES,
                               .text_hidden = 1,
                               .features = EMOJI_FEATURES};
    m->clip = clip_new(&m->set, config, rng);
    // A word of one emoji is trained in few steps: it must get far from where it began
    scale(m->clip.word.table->value, 0.03f);
    return m;
}

// The mean of the embeddings of each bag, at length 1; a bag without a token gives zeros
static Tensor *encode_bags(const EmojiClip *m, Tape *tape, const Bag *bags, int count)
{
    Arena *arena = tape_arena(tape);
    int *tokens = arena_zeros(arena, (size_t)count * MOST_TOKENS, sizeof *tokens);
    Matrix there = matrix_new(arena, count * MOST_TOKENS, 1);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < bags[i].count; k++) {
            tokens[i * MOST_TOKENS + k] = bags[i].tokens[k];
            there.data[i * MOST_TOKENS + k] = 1.0f;
        }
    Tensor *x = embed(tape, &m->clip.word, tokens, count * MOST_TOKENS);
    x = tensor_multiply_column(x, tape_input(tape, there));
    return normalise_rows(global_average_pool(x, ((Grid){count, MOST_TOKENS, 1})), 1e-12f);
}

static Bag dropped(Bag bag, Rng *rng)
{
    Bag left = {0};
    while (left.count == 0 && bag.count > 0)
        for (int k = 0; k < bag.count; k++)
            if (rng_uniform(rng) < 0.8f) left.tokens[left.count++] = bag.tokens[k];
    return left;
}

// out [3072] ← the image, through a matrix that is nearly the identity, and a shift
static void distort(float *out, const float *image, Rng *rng)
{
    float a[6];
    for (int k = 0; k < 4; k++) a[k] = rng_between(rng, -0.15f, 0.15f) + (k == 0 || k == 3 ? 1.0f : 0.0f);
    for (int k = 4; k < 6; k++) a[k] = rng_between(rng, -3.0f, 3.0f);
    const float middle = 0.5f * (EMOJI_SIDE - 1);
    for (int y = 0; y < EMOJI_SIDE; y++)
        for (int x = 0; x < EMOJI_SIDE; x++) {
            const float dy = (float)y - middle, dx = (float)x - middle;
            const float from_y = a[0] * dy + a[1] * dx + a[4] + middle,
                        from_x = a[2] * dy + a[3] * dx + a[5] + middle;
            const int top = (int)floorf(from_y), left = (int)floorf(from_x);
            const float down = from_y - (float)top, across = from_x - (float)left;
            for (int c = 0; c < 3; c++) {
                float value = 0.0f;
                for (int k = 0; k < 4; k++) {
                    const int yy = top + k / 2, xx = left + k % 2;
                    if (yy < 0 || xx < 0 || yy >= EMOJI_SIDE || xx >= EMOJI_SIDE) continue;
                    const float weight = (k / 2 ? down : 1.0f - down) * (k % 2 ? across : 1.0f - across);
                    value += weight * image[(yy * EMOJI_SIDE + xx) * 3 + c];
                }
                out[(y * EMOJI_SIDE + x) * 3 + c] = value;
            }
        }
}

static EmojiClip *train_emoji(Lesson *lesson, const Emoji *e)
{
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 21);
    EmojiClip *m = emoji_clip_new(arena, e->words, &rng);
    Optimiser adam = adam_new(arena, &m->set, 0.9f, 0.999f, 1e-8f, 0.0f);
    Matrix pixels = matrix_new(arena, EMOJI_BATCH, 3 * EMOJI_PIXELS);
    Bag bags[EMOJI_BATCH];
    int *order = arena_alloc(arena, (size_t)e->train_count, sizeof *order), next = e->train_count;
    Tape *tape = tape_new();
    for (int step = 0; step < EMOJI_STEPS; step++) {
        if (next + EMOJI_BATCH > e->train_count) {
            rng_permutation(&rng, order, e->train_count);
            next = 0;
        }
        for (int i = 0; i < EMOJI_BATCH; i++) {
            const int which = e->train[order[next++]], language = (int)rng_below(&rng, LANGUAGES);
            bags[i] = dropped(e->texts[language][which], &rng);
            distort(matrix_row(pixels, i), matrix_row(e->google, which), &rng);
        }
        tape_reset(tape);
        Tensor *u = clip_images(&m->clip, tape, pixels);
        Tensor *v = encode_bags(m, tape, bags, EMOJI_BATCH);
        Tensor *loss = contrastive_loss(u, v, m->clip.log_scale, NULL);
        backward(loss);
        optimiser_step(&adam, cosine_schedule(4e-3f, step, 50, EMOJI_STEPS));
        lesson_progress(lesson, "emoji", step + 1, EMOJI_STEPS, (double)loss->value.data[0]);
    }
    tape_free(tape);
    return m;
}

// Row i of `which` [count] emoji: its vector from an image, or from a text
static Matrix image_vectors(Arena *arena, const EmojiClip *m, Matrix images, const int *which, int count)
{
    Arena *scratch = arena_new(), *own = arena_new();
    Tape *tape = tape_inference(scratch);
    Matrix chosen = matrix_new(own, count, images.cols);
    gather_rows(chosen, images, which);
    Matrix out = matrix_copy(arena, clip_images(&m->clip, tape, chosen)->value);
    arena_free(scratch);
    arena_free(own);
    return out;
}

static Matrix text_vectors(Arena *arena, const EmojiClip *m, const Bag *bags, const int *which, int count)
{
    Arena *scratch = arena_new(), *own = arena_new();
    Tape *tape = tape_inference(scratch);
    Bag *chosen = arena_alloc(own, (size_t)count, sizeof *chosen);
    for (int i = 0; i < count; i++) chosen[i] = bags[which ? which[i] : i];
    Matrix out = matrix_copy(arena, encode_bags(m, tape, chosen, count)->value);
    arena_free(scratch);
    arena_free(own);
    return out;
}

// Recall at 5 of row i of `answers` by row i of `queries`
static double recall_of_vectors(Matrix queries, Matrix answers)
{
    Arena *own = arena_new();
    Matrix table = matrix_new(own, queries.rows, answers.rows);
    matmul_nt(table, queries, answers);
    const double r = recall(table, 5);
    arena_free(own);
    return r;
}

/*
The test asks with the name alone, as a reader would. Beside it stands an opponent that has learned nothing. It looks
the name up in a list, which is perfect for emoji that are in the list, takes Google's image from there, and looks
for the Twitter image whose pixels are nearest (by the cosine). It cannot do anything for emoji that are not in its
list.
*/

static Matrix unit_pixels(Arena *arena, Matrix images, const int *which, int count)
{
    Matrix out = matrix_new(arena, count, images.cols), middle = matrix_new(arena, 1, images.cols);
    column_means(middle, images);
    gather_rows(out, images, which);
    subtract_row(out, middle);
    for (int i = 0; i < count; i++) {
        Matrix row = matrix_rows(out, i, 1);
        scale(row, (float)(1.0 / fmax(norm(row), 1e-12)));
    }
    return out;
}

static void measure_emoji(Lesson *lesson, const Emoji *e, const EmojiClip *m)
{
    section(lesson, "Emoji in two languages");
    Arena *arena = lesson_arena(lesson);
    printf("%d emoji, %d held out; %d words and characters\n\n", e->count, e->held_count, e->words);
    printf("%-36s%8s%9s%9s%9s\n", "recall at 5, image by name", "of", "chance", languages[0], languages[1]);
    double r[2][2][LANGUAGES], chance[2];
    for (int held = 0; held < 2; held++)
        for (int artist = 0; artist < 2; artist++) {
            const int count = held ? e->held_count : e->train_count, *which = held ? e->held : e->train;
            Matrix u = image_vectors(arena, m, artist ? e->twitter : e->google, which, count);
            chance[held] = 5.0 / count;
            for (int l = 0; l < LANGUAGES; l++)
                r[held][artist][l] = recall_of_vectors(text_vectors(arena, m, e->names[l], which, count), u);
            printf("%-8s emoji, drawn by %-16s%8d%9.4f%9.3f%9.3f\n", held ? "held-out" : "trained",
                   artist ? "Twitter" : "Google", count, chance[held], r[held][artist][0],
                   r[held][artist][1]);
        }
    const double pixels = recall_of_vectors(unit_pixels(arena, e->google, e->train, e->train_count),
                                            unit_pixels(arena, e->twitter, e->train, e->train_count));
    printf("%-36s%8d%9.4f%9.3f%9.3f\n", "list and pixels, Twitter", e->train_count, chance[0], pixels,
           pixels);
    const double across = recall_of_vectors(text_vectors(arena, m, e->names[0], e->train, e->train_count),
                                            text_vectors(arena, m, e->names[1], e->train, e->train_count));
    printf("%-36s%8d%9.4f%9.3f\n\n", "Chinese name by English name", e->train_count, chance[0], across);
    for (int l = 0; l < LANGUAGES; l++) {
        claim(lesson, r[1][0][l] >= 5.0 * chance[1],
              "%s names find held-out emoji at least 5 times as often as chance", languages[l]);
        claim(lesson, r[0][1][l] >= 30.0 * chance[0],
              "%s names find another artist's drawings at least 30 times as often as chance", languages[l]);
        claim(lesson, r[0][0][l] >= 2.0 * r[1][0][l],
              "most of it is memory: trained emoji are found at least twice as often (%s)", languages[l]);
    }
    claim(lesson, pixels >= r[0][1][0],
          "a list of names and the nearest pixels find more of the other artist's drawings");
    claim(lesson, across >= 30.0 * chance[0], "English finds Chinese, through images alone");
}

/*
Two languages meet in the image: an English name finds the Chinese name of the same emoji, and nobody has translated
anything. But look at what kind of knowledge this is. Trained emoji are found three times as often as held-out ones,
and a list with nearest pixels, which cannot generalise at all, finds more of Twitter's drawings than the network
does. With a thousand images it mostly **memorises** (记忆). What it finds of held-out emoji is many times what chance
would, and far from a search that one could use; OpenAI's CLIP was trained on 400 million pairs.

## Type a caption

The search below is what `--find` does. For scenes, all 25,600 captions are painted once, with test garments, and
encoded; then a caption is one vector, and the nearest images are one product away. For emoji all of Google's drawings
are there, the held-out ones too.
*/

enum { SHOWN = 5, CHUNK = 256 };

// best [count] ← the rows of `vectors` that are nearest to the query, the nearest first
static void nearest(int *best, int count, Matrix vectors, Matrix query)
{
    Arena *own = arena_new();
    Matrix scores = matrix_new(own, 1, vectors.rows);
    matmul_nt(scores, query, vectors);
    for (int k = 0; k < count; k++) {
        best[k] = 0;
        for (int i = 1; i < vectors.rows; i++)
            if (scores.data[i] > scores.data[best[k]]) best[k] = i;
        scores.data[best[k]] = -2.0f;
    }
    arena_free(own);
}

// The scene of caption i, always the same one
static void gallery_scene(const World *world, const Rng *rng, int i, float *pixels)
{
    Rng own = rng_stream(rng, (uint64_t)i);
    paint_scene(pixels, &world->test, caption_of(i), &own);
}

static Matrix gallery_vectors(Lesson *lesson, const World *world, Encoders *clip, const Rng *rng)
{
    Arena *arena = lesson_arena(lesson), *scratch = arena_new();
    Matrix out = matrix_new(arena, CAPTIONS, FEATURES), pixels = matrix_new(arena, CHUNK, RGB);
    for (int first = 0; first < CAPTIONS; first += CHUNK) {
        for (int i = 0; i < CHUNK; i++) gallery_scene(world, rng, first + i, matrix_row(pixels, i));
        arena_reset(scratch);
        copy(matrix_rows(out, first, CHUNK), encode_images(clip, tape_inference(scratch), pixels)->value);
        lesson_progress(lesson, "painting all captions", first + CHUNK, CAPTIONS, NAN);
    }
    arena_free(scratch);
    return out;
}

// Blocks of two pixels, in 24-bit colours: images (n × side · side · 3) at half their size,
// as many as the screen holds
static void draw_on_terminal(Matrix images, int side, bool inverted)
{
    int columns, lines;
    lesson_screen(&columns, &lines);
    const int half = side / 2, fit = int_min(images.rows, int_max(1, (columns + 1) / (half + 1)));
    for (int y = 0; y < half; y += 2) {
        for (int n = 0; n < fit; n++) {
            for (int x = 0; x < half; x++) {
                int rgb[2][3];
                for (int up = 0; up < 2; up++)
                    for (int c = 0; c < 3; c++) {
                        float total = 0.0f;
                        for (int k = 0; k < 4; k++)
                            total +=
                                AT(images, n, ((2 * (y + up) + k / 2) * side + 2 * x + k % 2) * 3 + c) / 4.0f;
                        if (inverted) total = 1.0f - total;
                        rgb[up][c] = (int)(255.0f * fminf(fmaxf(total, 0.0f), 1.0f));
                    }
                printf("\033[38;2;%d;%d;%dm\033[48;2;%d;%d;%dm▀", rgb[0][0], rgb[0][1], rgb[0][2], rgb[1][0],
                       rgb[1][1], rgb[1][2]);
            }
            printf("\033[0m ");
        }
        printf("\n");
    }
}

// found (n × side · side · 3) as a row in yours.png, enlarged, and on the terminal where there is one
static void show_found(Lesson *lesson, Matrix found, int side, bool inverted)
{
    enum { LARGER = 6, GAP = 12 };
    Arena *arena = lesson_arena(lesson);
    if (isatty(STDOUT_FILENO)) draw_on_terminal(found, side, inverted);
    Image all = image_new(arena, side * LARGER + 2 * GAP, found.rows * (side * LARGER + GAP) + GAP);
    memset(all.rgb, 255, (size_t)all.height * (size_t)all.width * 3);
    for (int n = 0; n < found.rows; n++) {
        Matrix x = matrix_new(arena, side * side, 3);
        for (size_t i = 0; i < matrix_size(x); i++) {
            const float value = matrix_row(found, n)[i];
            x.data[i] = inverted ? 1.0f - value : value;
        }
        const Image one =
            image_resize(arena, image_from_pixels(arena, x, side, side), side * LARGER, side * LARGER);
        image_paste(all, one, GAP, GAP + n * (side * LARGER + GAP));
    }
    char path[1024];
    snprintf(path, sizeof path, "%s/yours.png", lesson_figures(lesson));
    image_write(path, all);
    printf("written: %s\n", path);
}

// The five scenes nearest to a caption: their numbers, and their pixels (5 × 2352)
static Matrix find_scenes(Arena *arena, const World *world, Encoders *clip, Matrix vectors, const Rng *rng,
                          Caption c, int best[SHOWN])
{
    int words[WORDS];
    caption_words(words, c);
    Arena *scratch = arena_new();
    nearest(best, SHOWN, vectors, encode_texts(clip, tape_inference(scratch), words, 1)->value);
    arena_free(scratch);
    Matrix found = matrix_new(arena, SHOWN, RGB);
    for (int k = 0; k < SHOWN; k++) gallery_scene(world, rng, best[k], matrix_row(found, k));
    return found;
}

static Matrix find_emoji(Arena *arena, const Emoji *e, const EmojiClip *m, Bag bag, int best[SHOWN])
{
    int *all = arena_alloc(arena, (size_t)e->count, sizeof *all);
    for (int i = 0; i < e->count; i++) all[i] = i;
    nearest(best, SHOWN, image_vectors(arena, m, e->google, all, e->count),
            text_vectors(arena, m, &bag, NULL, 1));
    Matrix found = matrix_new(arena, SHOWN, 3 * EMOJI_PIXELS);
    gather_rows(found, e->google, best);
    return found;
}

static void print_emoji(const Emoji *e, const int best[SHOWN])
{
    static const char *const columns[] = {"code", "emoji", "english", "chinese"};
    for (int k = 0; k < SHOWN; k++) {
        const char *cell[4];
        for (int c = 0; c < 4; c++) cell[c] = csv_cell(e->table, best[k], csv_column(e->table, columns[c]));
        bool held = false;
        for (int i = 0; i < e->held_count; i++) held = held || e->held[i] == best[k];
        printf("  U+%-6s %s  %s, %s%s\n", cell[0], cell[1], cell[2], cell[3], held ? " (held out)" : "");
    }
}

static void type_a_caption(Lesson *lesson, const World *world, Encoders *clip, const Emoji *e,
                           const EmojiClip *m)
{
    section(lesson, "Type a caption");
    Arena *arena = lesson_arena(lesson);
    const Rng rng = lesson_rng(lesson, 30);
    Matrix vectors = gallery_vectors(lesson, world, clip, &rng);
    const Caption c = {{GARMENT_RED, GARMENT_BLUE}, {7, 8}, 0};
    int best[SHOWN];
    Matrix found = find_scenes(arena, world, clip, vectors, &rng, c, best);
    printf("%s\n", caption_text(arena, c));
    const char *captions[SHOWN];
    for (int k = 0; k < SHOWN; k++) {
        captions[k] = caption_text(arena, caption_of(best[k]));
        printf("  %s\n", captions[k]);
    }
    Plot *plot = plot_begin(lesson, "search.png", "Nearest to \"red sneaker above blue bag\", out of 25,600");
    plot_images(plot, (PlotImages){SIDE, SIDE, 3, SHOWN, 0.0f, 1.0f}, found, captions);
    plot_size(plot, 1400, 400);
    static const char *const queries[] = {"cat", "猫", "red heart", "水果"};
    enum { QUERIES = sizeof queries / sizeof *queries };
    Matrix all = matrix_new(arena, QUERIES * SHOWN, 3 * EMOJI_PIXELS);
    const char *names[QUERIES * SHOWN];
    for (int q = 0; q < QUERIES; q++) {
        Bag bag = {0};
        Emoji known = *e;
        add_tokens(arena, &known, &bag, queries[q], false);
        found = find_emoji(arena, e, m, bag, best);
        printf("%s\n", queries[q]);
        print_emoji(e, best);
        for (int k = 0; k < SHOWN; k++) {
            for (int i = 0; i < found.cols; i++) AT(all, q * SHOWN + k, i) = 1.0f - AT(found, k, i);
            names[q * SHOWN + k] = csv_cell(e->table, best[k], csv_column(e->table, "english"));
        }
    }
    plot_end(plot, "The five nearest of all captions.");
    plot = plot_begin(lesson, "emoji.png", "Nearest emoji to: cat; 猫; red heart; 水果 (fruit)");
    plot_images(plot, (PlotImages){EMOJI_SIDE, EMOJI_SIDE, 3, SHOWN, 0.0f, 1.0f}, all, names);
    plot_size(plot, 1000, 900);
    plot_end(plot, "A row for each query, the nearest first.");
}

/*
The scene that was asked for is one of the five, and not the first: this CLIP knows the right colours and items, and
takes them in any order. `--find` therefore trains the one with strong positions.

Words that are not known are refused, with those that are spelled most alike. How alike two words are is counted in
letters that must be inserted, deleted or replaced: the edit distance of Levenshtein (1965).
*/

static int edit_distance(const char *a, const char *b)
{
    int row[TOKEN_SIZE + 1];
    const int m = (int)strlen(b);
    for (int j = 0; j <= m; j++) row[j] = j;
    for (int i = 0; a[i]; i++) {
        int diagonal = row[0];
        row[0] = i + 1;
        for (int j = 0; j < m; j++) {
            const int above = row[j + 1], other = diagonal + (a[i] != b[j]);
            row[j + 1] = int_min(other, int_min(above, row[j]) + 1);
            diagonal = above;
        }
    }
    return row[m];
}

// "purpel (purple, purse, people?)" for each unknown token; false when there is none
static bool refuse_unknown(const char *text, char *const *vocabulary, int count)
{
    char token[TOKEN_SIZE];
    bool refused = false;
    while (next_token(&text, token)) {
        int best[3] = {-1, -1, -1}, distance[3] = {99, 99, 99};
        for (int i = 0; i < count; i++) {
            int d = edit_distance(token, vocabulary[i]), n = i;
            for (int k = 0; k < 3; k++)
                if (d < distance[k]) {
                    const int before = distance[k], number = best[k];
                    distance[k] = d, best[k] = n;
                    d = before, n = number;
                }
        }
        if (distance[0] == 0) continue;
        refused = true;
        printf("The word \"%s\" is not known.", token);
        for (int k = 0; k < 3 && distance[k] <= 3 && (size_t)distance[k] < strlen(token); k++)
            printf("%s %s", k ? "," : " Nearest:", vocabulary[best[k]]);
        printf("\n");
    }
    return refused;
}

// The words of "a red T-shirt left of a blue bag", articles left out: their numbers,
// −1 for an unknown one; at most `most`
static int scene_words(const char *text, int *words, int most)
{
    static const char *const articles[] = {"a", "an", "the", "of"};
    char token[TOKEN_SIZE];
    int count = 0;
    bool after_t = false; // "T-shirt" is two tokens
    while (count < most && next_token(&text, token)) {
        bool leave_out = after_t && strcmp(token, "shirt") == 0;
        for (int k = 0; k < 4; k++) leave_out = leave_out || strcmp(token, articles[k]) == 0;
        after_t = strcmp(token, "t") == 0;
        if (leave_out) continue;
        words[count] = -1;
        for (int w = 0; w < MASK; w++) {
            const char *name = scene_word(w), *text_of_name = name;
            char first[TOKEN_SIZE];
            next_token(&text_of_name, first);
            if (strcmp(token, first) == 0) words[count] = w;
        }
        count++;
    }
    return count;
}

// Whether words [5] are colour, item, relation, colour, item; the caption then
static bool is_caption(const int words[WORDS], Caption *c)
{
    int again[WORDS];
    *c = (Caption){
        {words[0], words[3]}, {words[1] - FIRST_ITEM, words[4] - FIRST_ITEM}, words[2] - FIRST_RELATION};
    for (int k = 0; k < 2; k++)
        if (c->colour[k] < 0 || c->colour[k] >= GARMENT_COLOURS || c->item[k] < 0 ||
            c->item[k] >= GARMENT_ITEMS)
            return false;
    if (c->relation < 0 || c->relation >= RELATIONS) return false;
    caption_words(again, *c);
    return memcmp(again, words, sizeof again) == 0;
}

static void refuse_caption(Lesson *lesson, const char *text)
{
    char *vocabulary[VOCABULARY + 6];
    Arena *arena = lesson_arena(lesson);
    int count = 0;
    static const char *const more[] = {"a", "an", "the", "of", "t", "shirt"};
    for (int k = 0; k < 6; k++) vocabulary[count++] = arena_alloc(arena, TOKEN_SIZE, 1);
    for (int k = 0; k < 6; k++) snprintf(vocabulary[k], TOKEN_SIZE, "%s", more[k]);
    for (int w = 0; w < MASK; w++) {
        const char *name = scene_word(w);
        vocabulary[count] = arena_alloc(arena, TOKEN_SIZE, 1);
        next_token(&name, vocabulary[count++]);
    }
    refuse_unknown(text, vocabulary, count);
    printf(
        "A scene is: colour item relation colour item, such as \"red sneaker above blue bag\".\ncolours:  ");
    for (int w = 0; w < MASK; w++)
        printf("%s %s",
               w == FIRST_ITEM       ? "\nitems:    "
               : w == FIRST_RELATION ? "\nrelations:"
                                     : "",
               scene_word(w));
    printf("\n");
}

// What --find does; returns whether something was found
static bool find(Lesson *lesson, const char *text)
{
    enum { SOME = 3 };
    Arena *arena = lesson_arena(lesson);
    int words[WORDS + 1], known = 0, best[SHOWN];
    const int count = scene_words(text, words, WORDS + 1);
    for (int k = 0; k < count; k++) known += words[k] >= 0;
    Caption c;
    if (count == WORDS && is_caption(words, &c)) {
        const World world = load_world(arena);
        Encoders *clip = train_encoders(lesson, &world.train, search_plan, "CLIP");
        const Rng rng = lesson_rng(lesson, 30);
        Matrix vectors = gallery_vectors(lesson, &world, clip, &rng);
        Matrix found = find_scenes(arena, &world, clip, vectors, &rng, c, best);
        printf("nearest to \"%s\":\n", caption_text(arena, c));
        for (int k = 0; k < SHOWN; k++) printf("  %s\n", caption_text(arena, caption_of(best[k])));
        show_found(lesson, found, SIDE, false);
        return true;
    }
    Emoji e = load_emoji(lesson);
    Bag bag = {0};
    if (add_tokens(arena, &e, &bag, text, false) && bag.count > 0) {
        const EmojiClip *m = train_emoji(lesson, &e);
        Matrix found = find_emoji(arena, &e, m, bag, best);
        printf("nearest to \"%s\":\n", text);
        print_emoji(&e, best);
        show_found(lesson, found, EMOJI_SIDE, true);
        return true;
    }
    if (known >= SOME) {
        refuse_caption(lesson, text);
    } else {
        refuse_unknown(text, e.vocabulary, e.words);
        printf("Emoji know %d words and characters, such as cat, heart, 猫, 水果; a scene is \"red sneaker "
               "above blue "
               "bag\".\n",
               e.words);
    }
    return false;
}

/*
## The lesson, from end to end
*/

static void train_clip(Lesson *lesson, const World *world, Encoders **out)
{
    *out = train_encoders(lesson, &world->train, plain_plan, "CLIP");
}

static void learn_emoji(Lesson *lesson, Emoji *emoji, const EmojiClip **out)
{
    *emoji = load_emoji(lesson);
    *out = train_emoji(lesson, emoji);
}

int main(int argc, char **argv)
{
    const char *text = NULL;
    const LessonOption options[] = {
        {"--find", "TEXT", "show the images nearest to this caption, and nothing else", &text}};
    Lesson *lesson = lesson_begin_with(argc, argv, "24-clip-vilt", "CLIP and ViLT", options, 1);
    if (text) {
        const bool found = find(lesson, text);
        const int status = lesson_end(lesson);
        return found ? status : 2;
    }
    const World world = load_world(lesson_arena(lesson));
    show_world(lesson, &world);
    check_infonce(lesson);
    Encoders *clip = NULL;
    train_clip(lesson, &world, &clip);
    measure_recall(lesson, &world, clip);
    vary_temperature(lesson, &world, clip);
    name_garments(lesson, &world);
    double strong[2][KINDS] = {{0}};
    exchange_words(lesson, &world, clip, strong);
    Vilt *fused = NULL;
    fuse(lesson, &world, clip, strong[0], &fused);
    count_the_price(lesson, &world, clip, fused);
    Emoji emoji = {0};
    const EmojiClip *by_name = NULL;
    learn_emoji(lesson, &emoji, &by_name);
    measure_emoji(lesson, &emoji, by_name);
    type_a_caption(lesson, &world, clip, &emoji, by_name);
    return lesson_end(lesson);
}

/*
## What to take along

- Two encoders and one table of cosines: each row and each column is a classification, and the batch is the negatives.
- The scale of the cosines must be able to grow; it decides how much the hardest negative counts.
- A caption for each class makes a classifier, also for combinations that were never trained.
- High recall does not show that a model knows whose colour is which. Ask with two captions that differ in that alone.
- Why it does not know is another question. Hard negatives cure what they show; here a larger
  scale of the positions did it as well, without any. An explanation is worth an experiment that could refute it.
- A fused model reads pairs, $N^2$ of them; two encoders read each side once.

## Check yourself

**1.** Two images of a batch have the same caption. Why may the diagonal stay the label all the same?

<details><summary>Answer</summary>

Equal captions have one vector. What the softmax gives to the copies adds up, and so do the targets, to 1 in either
case. Gradients of images and of the text encoder see the sums alone.

</details>

**2.** Image and text vectors are not divided by their lengths. What could then happen to the scale?

<details><summary>Answer</summary>

It is not needed: longer vectors do the same. And one long vector could win in every row, whatever the image shows.

</details>

**3.** A text encoder takes the mean of word embeddings. What does it score for "red sneaker above blue bag" against
the caption with exchanged colours, and what does that make of the two-way choice?

<details><summary>Answer</summary>

The same, but for rounding: addition has no order. All choices are ties, which count half: exactly one half.

</details>

**4.** A fused model shall search a million images for one caption, at 1,000 pairs a second. How long does that take,
and what would one do?

<details><summary>Answer</summary>

A thousand seconds for a query. Two encoders choose the best hundred, and the fused model puts these in order in a
tenth of a second.

</details>

**5.** Why are both colours masked together?

<details><summary>Answer</summary>

With one of them in the text, the other follows from the two colours in the image by elimination, without knowing
which garment has it.

</details>

## Sources

- A. Radford and others, *Learning transferable visual models from natural language supervision*, 2021: CLIP.
- W. Kim, B. Son, I. Kim, *ViLT: vision-and-language transformer without convolution or region supervision*, 2021.
- A. van den Oord, Y. Li, O. Vinyals, *Representation learning with contrastive predictive coding*, 2018: InfoNCE.
- J. Li and others, *Align before fuse: vision and language representation learning with momentum distillation*, 2021:
  first contrast, then fusion.
- M. Yuksekgonul and others, *When and why vision-language models behave like bags-of-words, and what to do about
  it?*, 2023: exchanged words, and hard negatives.
- T. Thrush and others, *Winoground: probing vision and language models for visio-linguistic compositionality*, 2022:
  two images and two captions with the same words.
- V. I. Levenshtein, *Binary codes capable of correcting deletions, insertions and reversals*, 1966: the edit
  distance.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade24` tells how far you are, `make
hint24` helps.

- **TASK 24.1** rows of length 1.
- **TASK 24.2** InfoNCE in both directions.
- **TASK 24.3** its gradient.
- **TASK 24.4** recall at k, with equal scores.
- **TASK 24.5** zero-shot classification with several captions a class.

And without a computer, or with five minutes at one:

**1.** How many captions of a batch of 128 differ from a given one only by an exchange of colours, on average, when
captions are drawn from $64 \cdot 4 \cdot 64$?

<details><summary>Answer</summary>

One caption of 16,384 is its exchange, so $127 / 16384$: less than one in a hundred for each image, and about one in
a batch.

</details>

**2.** What is the loss for 128 pairs when every image is equally near to two captions, its own and one other, and
far from all the rest, and captions to images likewise?

<details><summary>Answer</summary>

$\log 2 = 0.69$ in each row and each column, and so in all.

</details>

**3.** Set the learning rate of the small world to `2e-3f` and look at the pairs that were never seen. What happens,
though the trained ones are named as well as before?

<details><summary>Answer</summary>

Far fewer of them are named right. The loss cannot tell the two apart: it never sees these pairs. How well a network
puts known parts together depends on how it was trained, and has to be measured on parts that are kept out.

</details>

**4.** Start the positions of CLIP at 0.3 and at 0.5 in `plain_plan`. Where does it begin to know whose colour is
which?

<details><summary>Answer</summary>

In between: at 0.3 it is little better than a guess, at 0.5 right in most cases, at 1 nearly always.

</details>

**5.** Let the hard negatives exchange items instead of colours, in `draw_training`. What does the model know after
as many steps?

<details><summary>Answer</summary>

Hardly more than without them: items are still guessed. So that one kind of hard negative works does not say that
another does, in the same time.

</details>
*/
