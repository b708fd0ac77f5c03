/*
# What a backbone can do

A classifier looks at an image and says one word. Most of what people ask of images is more than a word: *what is
where?* (boxes), *what is each pixel?* (masks), *what should each pixel have been?* (without the noise, or twice as
sharp). It would be natural to expect a network of its own kind for each of these questions.

There is none. A stack of convolutions turns an image into **features on a grid**, and everything in this chapter is
read off such a grid by one last layer. The stack is called the **backbone** (主干网络), the last layers a **head**
(任务头). We build one backbone, hang heads on it, and ask each of them something that can be measured:

- **object detection** (目标检测): boxes, their **intersection over union** (交并比), **non-maximum suppression** (非极大值抑制)
  and **mean average precision** (平均精度均值);
- **semantic segmentation** (语义分割) with a **U-Net**, and what its shortcuts are worth;
- **denoising** (去噪) and **super-resolution** (超分辨率), against hand-made filters whose setting was chosen *on the
  test image*, which no real filter can be;
- a network that others trained, from its published weight file, on photographs.

You need [chapter 10](../10-cnn/README.md) for convolution and [chapter 11](../11-alexnet-to-resnet/README.md) for
batch normalisation and for maps, features with the grid of pixels that they belong to.
*/

#include "base/mathf.h"
#include "base/parallel.h"
#include "files/idx.h"
#include "files/image.h"
#include "files/tfjs.h"
#include "learning/metrics.h"
#include "learning/ops/elementwise.h"
#include "learning/optim.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/boxes.h"
#include "models/map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 16, TEXTURES = 3, CLASSES = 10, ITEM = 28 };

/*
## Scenes that know their truth

Somebody has to draw the boxes and paint the masks that a detector learns from; for one of the usual sets, COCO,
that took 70,000 hours. We compose our scenes, and so we know the truth to the pixel. Each scene is 64 × 64: a piece
of a photographed texture (brick, grass or gravel), and on it one to four items of Fashion-MNIST, shrunk to 18 to 28
pixels, each with less than 15 % of its pixels on the ones before.

What is test must not have been seen: training scenes take items from the training images and the left three
quarters of each texture, test scenes the test images and the right quarter. Training scenes are composed afresh for
every step, so no scene is ever seen twice.
*/

enum { SCENE = 64, PIXELS = SCENE * SCENE, MOST_ITEMS = 4, TEST_SCENES = 300 };

typedef enum { TRAINING, TESTING } Part;

typedef struct {
    ImageSet fashion;
    Matrix textures[TEXTURES]; // (height × width), from 0 to 0.6
} World;

typedef struct {
    int count;
    Matrix pixels;                // (count·64·64 × 1)
    int *owners;                  // [count·64·64]: which item of its scene a pixel shows, or −1
    int *items;                   // [count]: how many items a scene has
    TrueBox (*truth)[MOST_ITEMS]; // [count]
} Scenes;

static World world_read(Arena *arena)
{
    static const char *const names[TEXTURES] = {"brick", "grass", "gravel"};
    World world = {.fashion = fashion_mnist_load(arena)};
    for (int t = 0; t < TEXTURES; t++) {
        char path[128];
        snprintf(path, sizeof path, "datasets/cache/photographs/%s.png", names[t]);
        Image image = image_read(arena, path);
        world.textures[t] = matrix_reshape(image_luminance(arena, image), image.height, image.width);
        scale(world.textures[t], 0.6f);
    }
    return world;
}

// Lines of 28 numbers become columns of `side`, out (side × lines): each is the sum of what it covers of its line
// (lines × 28). A number of the line is `side` units wide here, and one of out 28 units: all borders are whole numbers.
static void shrink_lines(int *out, int side, const int *in, int lines)
{
    memset(out, 0, (size_t)(side * lines) * sizeof *out);
    for (int x = 0; x < side; x++)
        for (int j = x * ITEM / side; j * side < (x + 1) * ITEM; j++) {
            const int covered = int_min((j + 1) * side, (x + 1) * ITEM) - int_max(j * side, x * ITEM);
            for (int line = 0; line < lines; line++) out[x * lines + line] += covered * in[line * ITEM + j];
        }
}

// Each pixel of out (side × side) is the mean of the area that it covers of an item (28 × 28), from 0 to 1.
static void shrink_item(float *out, int side, const uint8_t *item)
{
    int numbers[ITEM * ITEM], columns[ITEM * ITEM];
    for (int i = 0; i < ITEM * ITEM; i++) numbers[i] = item[i];
    shrink_lines(columns, side, numbers, ITEM);
    shrink_lines(numbers, side, columns, side);
    for (int i = 0; i < side * side; i++) out[i] = (float)numbers[i] / (255.0f * ITEM * ITEM);
}

// Scene n receives one more item, at the first of twenty random places where it covers little of the others.
static void add_item(Scenes *s, int n, Images images, const int *labels, Rng *rng)
{
    float item[ITEM * ITEM];
    const int which = (int)rng_below(rng, (uint32_t)images.count), side = 18 + (int)rng_below(rng, 11);
    shrink_item(item, side, image_bytes(images, which));
    float *pixels = s->pixels.data + (size_t)n * PIXELS;
    int *owners = s->owners + (size_t)n * PIXELS;
    for (int attempt = 0; attempt < 20; attempt++) {
        const int top = (int)rng_below(rng, (uint32_t)(SCENE - side + 1));
        const int left = (int)rng_below(rng, (uint32_t)(SCENE - side + 1));
        int size = 0, taken = 0;
        for (int i = 0; i < side * side; i++) {
            if (item[i] <= 0.1f) continue; // the background of the item
            size++;
            taken += owners[(top + i / side) * SCENE + left + i % side] >= 0;
        }
        if (100 * taken >= 15 * size) continue;
        Box box = {SCENE, SCENE, 0, 0};
        for (int i = 0; i < side * side; i++) {
            if (item[i] <= 0.1f) continue;
            const int y = top + i / side, x = left + i % side;
            pixels[y * SCENE + x] = 0.15f + 0.85f * item[i];
            owners[y * SCENE + x] = s->items[n];
            box.top = fminf(box.top, (float)y), box.bottom = fmaxf(box.bottom, (float)(y + 1));
            box.left = fminf(box.left, (float)x), box.right = fmaxf(box.right, (float)(x + 1));
        }
        s->truth[n][s->items[n]++] = (TrueBox){box, labels[which], n};
        return;
    }
}

// The crop at (top, left) of an image as `side` rows in a column of pixels
static void crop(float *out, Matrix image, int top, int left, int side)
{
    for (int i = 0; i < side; i++)
        memcpy(out + i * side, &AT(image, top + i, left), (size_t)side * sizeof(float));
}

static Scenes compose(Arena *arena, const World *world, int count, Part part, const Rng *rng)
{
    Scenes s = {.count = count, .pixels = matrix_uninitialised(arena, count * PIXELS, 1)};
    s.owners = arena_alloc(arena, (size_t)count * PIXELS, sizeof *s.owners);
    s.items = arena_zeros(arena, (size_t)count, sizeof *s.items);
    s.truth = arena_alloc(arena, (size_t)count, sizeof *s.truth);
    const bool training = part == TRAINING;
#pragma omp parallel for if (parallel_worth((size_t)count * PIXELS))
    for (int n = 0; n < count; n++) {
        Rng own = rng_stream(rng, (uint64_t)n);
        Matrix texture = world->textures[rng_below(&own, TEXTURES)];
        const int border = texture.cols * 3 / 4, from = training ? 0 : border,
                  to = training ? border : texture.cols;
        const int top = (int)rng_below(&own, (uint32_t)(texture.rows - SCENE + 1));
        const int left = from + (int)rng_below(&own, (uint32_t)(to - from - SCENE + 1));
        crop(s.pixels.data + n * PIXELS, texture, top, left, SCENE);
        for (int i = 0; i < PIXELS; i++) s.owners[n * PIXELS + i] = -1;
        const int wanted = 1 + (int)rng_below(&own, MOST_ITEMS);
        for (int k = 0; k < wanted; k++)
            add_item(&s, n, training ? world->fashion.train : world->fashion.test,
                     training ? world->fashion.train_labels : world->fashion.test_labels, &own);
    }
    return s;
}

static int all_items(const Scenes *s)
{
    int count = 0;
    for (int n = 0; n < s->count; n++) count += s->items[n];
    return count;
}

// Pictures for the eye: grey scenes in colour. Those with boxes have every pixel FACTOR times as large.
enum { FACTOR = 3, LARGE = FACTOR * SCENE };
static const uint8_t GREEN[3] = {60, 220, 60}, RED[3] = {255, 60, 60};

static Image scene_image(Arena *arena, const Scenes *s, int n, int side)
{
    Matrix rgb = matrix_new(arena, PIXELS, 3);
    for (int i = 0; i < 3 * PIXELS; i++) rgb.data[i] = s->pixels.data[n * PIXELS + i / 3];
    return image_resize(arena, image_from_pixels(arena, rgb, SCENE, SCENE), side, side);
}

static void draw_box(Image image, Box box, int thickness, const uint8_t colour[3])
{
    image_draw_box(image, (int)lrintf(FACTOR * box.top), (int)lrintf(FACTOR * box.left),
                   (int)lrintf(FACTOR * box.bottom), (int)lrintf(FACTOR * box.right), thickness, colour);
}

static void put_image(Matrix images, int row, Image image)
{
    for (int i = 0; i < images.cols; i++) AT(images, row, i) = (float)image.rgb[i] / 255.0f;
}

enum { KINDS = 5 };
static const char *const kind_names[KINDS] = {"background", "top", "trousers", "shoe", "bag"};
static const int kind_of[CLASSES] = {1, 2, 1, 1, 1, 3, 1, 3, 4, 3}; // of t-shirt, trousers, …, ankle boot

// What pixel i of all scenes shows
static int kind_at(const Scenes *s, int i)
{
    return s->owners[i] < 0 ? 0 : kind_of[s->truth[i / PIXELS][s->owners[i]].label];
}

static Image kinds_image(Arena *arena, const int kinds[PIXELS], int side)
{
    static const float colours[KINDS][3] = {{0.12f, 0.12f, 0.14f},
                                            {0.30f, 0.62f, 0.95f},
                                            {0.98f, 0.75f, 0.25f},
                                            {0.40f, 0.80f, 0.45f},
                                            {0.90f, 0.40f, 0.60f}};
    Matrix rgb = matrix_new(arena, PIXELS, 3);
    for (int i = 0; i < 3 * PIXELS; i++) rgb.data[i] = colours[kinds[i / 3]][i % 3];
    return image_resize(arena, image_from_pixels(arena, rgb, SCENE, SCENE), side, side);
}

static void true_kinds(int kinds[PIXELS], const Scenes *s, int n)
{
    for (int i = 0; i < PIXELS; i++) kinds[i] = kind_at(s, n * PIXELS + i);
}

static void draw_scenes(Lesson *lesson, const Scenes *test, const char *const *names)
{
    enum { SHOWN = 5 };
    Arena *arena = lesson_arena(lesson);
    Matrix images = matrix_new(arena, 2 * SHOWN, LARGE * LARGE * 3);
    char words[SHOWN][96];
    const char *captions[2 * SHOWN];
    int kinds[PIXELS];
    for (int k = 0; k < SHOWN; k++) {
        Image image = scene_image(arena, test, k, LARGE);
        words[k][0] = '\0';
        for (int i = 0; i < test->items[k]; i++) {
            draw_box(image, test->truth[k][i].box, 1, GREEN);
            const size_t used = strlen(words[k]);
            snprintf(words[k] + used, sizeof words[k] - used, "%s%s", i ? ", " : "",
                     names[test->truth[k][i].label]);
        }
        put_image(images, k, image);
        true_kinds(kinds, test, k);
        put_image(images, SHOWN + k, kinds_image(arena, kinds, LARGE));
        captions[k] = words[k], captions[SHOWN + k] = k ? NULL : "what each pixel is";
    }
    Plot *plot = plot_begin(lesson, "scenes.png", "Five test scenes, and their truth");
    plot_size(plot, 1100, 560);
    plot_images(plot, (PlotImages){LARGE, LARGE, 3, SHOWN, 0.0f, 1.0f}, images, captions);
    plot_end(
        plot,
        "Above, the scenes with their boxes; below, their masks in four kinds: tops blue, trousers yellow, "
        "shoes green, bags pink.");
}

static void the_scenes(Lesson *lesson, const Scenes *test, const char *const *names)
{
    section(lesson, "Scenes that know their truth");
    int found[CLASSES] = {0}, covered = 0, smallest_class = TEST_SCENES;
    for (int n = 0; n < test->count; n++)
        for (int k = 0; k < test->items[n]; k++) found[test->truth[n][k].label]++;
    for (int i = 0; i < test->count * PIXELS; i++) covered += test->owners[i] >= 0;
    for (int k = 0; k < CLASSES; k++) smallest_class = int_min(smallest_class, found[k]);
    printf("%d test scenes with %d items, of the rarest class %d; items cover %.1f %% of the pixels\n",
           test->count, all_items(test), smallest_class, 100.0 * covered / (test->count * PIXELS));
    draw_scenes(lesson, test, names);
}

/*
## A grid of features

The backbone is six **stages**: a convolution of 3 × 3, batch normalisation, ReLU. Two of them have stride 2 and
halve the grid. First of all, each 2 × 2 pixels become one position with four numbers (`map_pixel_unshuffle`):
nothing is lost, and everything after it costs a quarter.

A `Map` carries the grid with the features, so that nobody has to count along; what comes out are three maps of the
same image, fine, middle and coarse. The finer one is, the better it knows *where*; the coarser one is, the more of
the image each of its positions has seen, and the better it can know *what*.
*/

typedef struct {
    Conv conv;
    BatchNorm norm;
} Stage;

static Stage stage_new(Parameters *set, const char *name, int inputs, int outputs, int stride, Rng *rng)
{
    char part[64];
    snprintf(part, sizeof part, "%s.conv", name);
    Stage s = {
        .conv = conv_new_without_bias(set, part, inputs, outputs, window_square(3, stride, 1), rng, INIT_HE)};
    snprintf(part, sizeof part, "%s.norm", name);
    s.norm = batch_norm_new(set, part, outputs);
    return s;
}

static Map stage(Stage *s, Map m, bool training)
{
    Map h = map_conv(&s->conv, m);
    return map_of(batch_normalise_relu(&s->norm, h.features, training), h.grid);
}

typedef struct {
    Stage enter, down, middle, down_again, deep, coarse;
} Backbone;

typedef struct {
    Map image, fine, middle, coarse;
} Features;

static Backbone backbone_new(Parameters *set, Rng *rng)
{
    Backbone b;
    b.enter = stage_new(set, "backbone.enter", 4, 16, 1, rng);
    b.down = stage_new(set, "backbone.down", 16, 32, 2, rng);
    b.middle = stage_new(set, "backbone.middle", 32, 32, 1, rng);
    b.down_again = stage_new(set, "backbone.down_again", 32, 64, 2, rng);
    b.deep = stage_new(set, "backbone.deep", 64, 64, 1, rng);
    b.coarse = stage_new(set, "backbone.coarse", 64, 64, 1, rng);
    return b;
}

// image (n·64·64 × 1) → image (n·32·32 × 4), fine (n·32·32 × 16), middle (n·16·16 × 32), coarse (n·8·8 × 64)
static Features backbone(Backbone *b, Map image, bool training)
{
    Features f;
    f.image = map_pixel_unshuffle(image, 2);
    f.fine = stage(&b->enter, f.image, training);
    f.middle = stage(&b->middle, stage(&b->down, f.fine, training), training);
    Map deep = stage(&b->deep, stage(&b->down_again, f.middle, training), training);
    f.coarse = stage(&b->coarse, deep, training);
    return f;
}

/*
How much of the image has one position of a map seen? Its **receptive field** (感受野) can be counted: a window of 3
adds two steps of the grid that it stands on, and a stride of 2 makes the steps after it twice as long. In pixels,
with steps of 2 after the first rearrangement,

$$2 \to 2 + 2 \cdot 2 = 6 \to 10 \to 10 + 2 \cdot 4 = 18 \to 26 \to 26 + 2 \cdot 8 = 42 \to 58 .$$

The tape can measure it: a pixel has been seen by a position if the position's gradient with respect to it is not
zero.
*/

// The longest side of the pixels that the position (i, j) of a map depends on
static int field_of(Map m, int i, int j, Tensor *image)
{
    Matrix upstream = matrix_new(tape_arena(image->tape), m.features->value.rows, m.features->value.cols);
    fill(matrix_rows(upstream, i * m.grid.width + j, 1), 1.0f);
    backward_from(m.features, upstream);
    int first = SCENE, last = -1;
    for (int p = 0; p < PIXELS; p++)
        if (image->gradient.data[p] != 0.0f)
            first = int_min(first, p / SCENE), last = int_max(last, p / SCENE);
    return last - first + 1;
}

static void a_grid_of_features(Lesson *lesson, const Scenes *test)
{
    section(lesson, "A grid of features");
    static const char *const names[] = {"fine", "middle", "coarse"};
    static const int counted[] = {6, 18, 58};
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 10);
    Parameters set = parameters_new(arena);
    Backbone b = backbone_new(&set, &rng);
    bool as_counted = true;
    Tape *tape = tape_new();
    printf("%-10s%12s%12s%22s\n", "map", "grid", "features", "seen by a position");
    for (int k = 0; k < 3; k++) {
        tape_reset(tape);
        Tensor *image = tape_variable(tape, matrix_rows(test->pixels, 0, PIXELS));
        Features f = backbone(&b, map_of(image, ((Grid){1, SCENE, SCENE})), false);
        Map m = k == 0 ? f.fine : k == 1 ? f.middle : f.coarse;
        const int field = field_of(m, m.grid.height / 2, m.grid.width / 2, image);
        printf("%-10s%8d × %-2d%11d%14d × %d\n", names[k], m.grid.height, m.grid.width,
               m.features->value.cols, field, field);
        as_counted = as_counted && field == counted[k];
    }
    printf("\n%zu weights\n\n", parameters_size(&set));
    claim(lesson, as_counted, "a position sees as many pixels as we have counted: 6, 18 and 58");
    tape_free(tape);
}

/*
### One loop for all of them

Every network of this chapter is trained by the same loop. What differs is a function that draws a batch and gives
its loss. Adam's rate falls in a straight line to 0. All batches hold 16 images.
*/

typedef Tensor *(*BatchLoss)(void *net, Tape *tape, Rng rng);

static void train(Lesson *lesson, const char *what, BatchLoss loss_of, void *net, Parameters *set, int steps,
                  float rate, Rng rng)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Optimiser adam = adam_new(arena, set, 0.9f, 0.999f, 1e-8f, 0.0f);
    for (int step = 0; step < steps; step++) {
        tape_reset(tape);
        Tensor *loss = loss_of(net, tape, rng_stream(&rng, (uint64_t)step));
        backward(loss);
        optimiser_step(&adam, rate * (1.0f - (float)step / (float)steps));
        lesson_progress(lesson, what, step + 1, steps, (double)loss->value.data[0]);
    }
    tape_free(tape);
    arena_free(arena);
}

/*
## What is where

The coarse map has 8 × 8 positions, and each stands for a cell of 8 × 8 pixels. An item belongs to the cell that its
centre lies in (if two meet there, to the one composed last, which lies on top). The head gives each cell 15
numbers:

- one **objectness** score: does the centre of an item lie here?
- two for where the centre is, from the middle of the cell, in cells;
- two for how wide and how high it is, as $\log(\text{side} / 20)$: an error of 10 % costs the same for all sizes;
- ten scores for the class.

There is nothing else to it. (Older detectors began with thousands of boxes of given shapes, **anchors** (锚框), and
corrected them; one that says the box outright is called **anchor-free** (无锚框).) The loss adds the three questions
up. Objectness is asked everywhere; place and class only where an item is:

$$L = \frac{1}{\text{items}} \Big( \sum_{\text{cells}} \text{BCE} + 2 \sum_{\text{items}} \sum_{4} h(\text{error}) +
\sum_{\text{items}} \text{CE} \Big), \qquad
h(e) = \begin{cases} e^2 / 2\beta & |e| \le \beta \\ |e| - \beta/2 & |e| > \beta \end{cases} .$$

$h$ is the **Huber loss** (Huber 损失): a square for small errors, a straight line for large ones, so that a few
impossible boxes do not outvote the rest. With $c = \text{clamp}(e, -\beta, \beta)$ it is $(c\,e - c^2/2) / \beta$
on both sides, and its gradient is $c/\beta$: three operations that the tape has.
*/

enum { CELLS = 8, CELL = SCENE / CELLS, OUTPUTS = 5 + CLASSES };
static const float USUAL_SIDE = 20.0f;

typedef struct {
    const World *world;
    Parameters set;
    Backbone backbone;
    Conv head;
} Detector;

static Detector *detector_new(Arena *arena, const World *world, Rng *rng)
{
    Detector *d = arena_zeros(arena, 1, sizeof *d);
    d->world = world;
    d->set = parameters_new(arena);
    d->backbone = backbone_new(&d->set, rng);
    d->head = conv_new(&d->set, "head", 64, OUTPUTS, window_square(1, 1, 0), rng, INIT_GLOROT);
    return d;
}

// image (n·64·64 × 1) → (n·8·8 × 15)
static Map detect(Detector *d, Map image, bool training)
{
    return map_conv(&d->head, backbone(&d->backbone, image, training).coarse);
}

// Σ h(e) over all elements (N × C) → (1 × 1)
static Tensor *huber(Tensor *e, float beta)
{
    Tensor *c = tensor_clamp(e, -beta, beta);
    Tensor *ce = tensor_multiply(c, e), *cc = tensor_multiply(c, c);
    return tensor_scale(sum_all(tensor_subtract(ce, tensor_scale(cc, 0.5f))), 1.0f / beta);
}

typedef struct {
    Matrix there;  // (cells × 1): 1 where an item has its centre
    Matrix places; // (items × 4)
    int *cells, *labels, count;
} Targets;

static Targets targets_of(Arena *arena, const Scenes *s)
{
    const size_t most = (size_t)s->count * MOST_ITEMS;
    Targets t = {matrix_new(arena, s->count * CELLS * CELLS, 1), matrix_uninitialised(arena, (int)most, 4),
                 arena_alloc(arena, most, sizeof(int)), arena_alloc(arena, most, sizeof(int)), 0};
    for (int n = 0; n < s->count; n++)
        for (int k = s->items[n] - 1; k >= 0; k--) { // the last is on top
            const Box box = s->truth[n][k].box;
            const float x = 0.5f * (box.left + box.right) / CELL, y = 0.5f * (box.top + box.bottom) / CELL;
            const int i = (int)y, j = (int)x, cell = (n * CELLS + i) * CELLS + j;
            if (AT(t.there, cell, 0) > 0.0f) continue;
            AT(t.there, cell, 0) = 1.0f;
            const float place[4] = {y - (float)i - 0.5f, x - (float)j - 0.5f,
                                    log32((box.bottom - box.top) / USUAL_SIDE),
                                    log32((box.right - box.left) / USUAL_SIDE)};
            memcpy(matrix_row(t.places, t.count), place, sizeof place);
            t.cells[t.count] = cell;
            t.labels[t.count++] = s->truth[n][k].label;
        }
    t.places = matrix_rows(t.places, 0, t.count);
    return t;
}

static Tensor *detector_loss(void *which, Tape *tape, Rng rng)
{
    Detector *d = which;
    Scenes s = compose(tape_arena(tape), d->world, BATCH, TRAINING, &rng);
    Targets t = targets_of(tape_arena(tape), &s);
    Tensor *out = detect(d, map_input(tape, s.pixels, ((Grid){BATCH, SCENE, SCENE})), true).features;
    Tensor *there = binary_cross_entropy(slice_columns(out, 0, 1), t.there); // the mean over cells
    Tensor *found = embedding(tape, out, t.cells, t.count);                  // the rows of those cells
    Tensor *error = tensor_subtract(slice_columns(found, 1, 4), tape_input(tape, t.places));
    Tensor *place = tensor_scale(huber(error, 0.1f), 2.0f / (float)t.count);
    Tensor *class = cross_entropy(slice_columns(found, 5, CLASSES), t.labels); // the mean over items
    Tensor *where = tensor_add(tensor_scale(there, (float)t.there.rows / (float)t.count), place);
    return tensor_add(where, class);
}

/*
What comes out is read backwards into boxes. Every cell offers ten of them, the same box with each class, and the
score of each is objectness times the probability of the class. (To offer only the best class is a common shortcut;
it throws away the second guess of a cell that hesitates between shirt and coat, and the measure below pays for
second guesses.) For the question without classes the score is the objectness alone.
*/

// scores (8·8 × 15) of one image → up to 8·8·10 detections, or 8·8 without classes
static int read_boxes(Detection *out, Matrix scores, int image, bool with_classes)
{
    int count = 0;
    float shares[CLASSES];
    for (int cell = 0; cell < CELLS * CELLS; cell++) {
        const float *v = matrix_row(scores, cell), there = sigmoid32(v[0]);
        const float y = ((float)(cell / CELLS) + 0.5f + v[1]) * CELL,
                    x = ((float)(cell % CELLS) + 0.5f + v[2]) * CELL;
        const float half_height = 0.5f * USUAL_SIDE * exp32(clamp32(v[3], -3.0f, 3.0f));
        const float half_width = 0.5f * USUAL_SIDE * exp32(clamp32(v[4], -3.0f, 3.0f));
        const Box box = {y - half_height, x - half_width, y + half_height, x + half_width};
        if (!with_classes) out[count++] = (Detection){box, there, 0, image};
        softmax_rows(matrix_view(1, CLASSES, shares), matrix_view(1, CLASSES, matrix_row(scores, cell) + 5));
        for (int k = 0; with_classes && k < CLASSES; k++)
            if (there * shares[k] >= 0.005f) out[count++] = (Detection){box, there * shares[k], k, image};
    }
    return count;
}

/*
## How much two boxes agree

Is a box right? Its edges are never right to the last pixel. What is asked is how much of the two areas they share:

$$\text{IoU}(A, B) = \frac{|A \cap B|}{|A \cup B|} = \frac{|A \cap B|}{|A| + |B| - |A \cap B|} .$$

It is 1 for equal boxes, 0 for boxes that have nothing in common; to touch is nothing in common, and an empty box
agrees with nobody, not even with itself. Two boxes of 20 × 20 pixels, one moved by 4 to the right: 16 · 20 pixels
in common of 24 · 20, IoU 0.67. Moved by 4 in both directions it is 0.47. Half is usually taken for "found", and
that is stricter than it sounds.
*/

static double overlap(Box a, Box b)
{
    const double down = fmin((double)a.bottom, (double)b.bottom) - fmax((double)a.top, (double)b.top);
    const double across = fmin((double)a.right, (double)b.right) - fmax((double)a.left, (double)b.left);
    if (down <= 0.0 || across <= 0.0) return 0.0; // apart, touching, or one is empty
    const double first = ((double)a.bottom - (double)a.top) * ((double)a.right - (double)a.left);
    const double second = ((double)b.bottom - (double)b.top) * ((double)b.right - (double)b.left);
    return down * across / (first + second - down * across);
}

/*
A network that is asked in every cell answers in more than one for the same item: its neighbours see it as well.
That is what **non-maximum suppression** is for: the box with the highest score stays, all boxes of the same class
whose IoU with it is above a half go, the best of the rest stays, and so on.
*/

// Among the detections that are left, the first with the highest score; −1: none is left
static int best_of(const Detection *all, const bool *gone, int count)
{
    int best = -1;
    for (int i = 0; i < count; i++)
        if (!gone[i] && (best < 0 || all[i].score > all[best].score)) best = i;
    return best;
}

// Writes those that stay to kept, from the highest score down; returns how many
static int suppress(Detection *kept, const Detection *all, int count, double threshold)
{
    bool *gone = calloc((size_t)count + 1, sizeof *gone);
    int stay = 0;
    for (int best; (best = best_of(all, gone, count)) >= 0;) {
        kept[stay++] = all[best];
        for (int i = 0; i < count; i++)
            if (all[i].image == all[best].image && all[i].label == all[best].label &&
                overlap(all[i].box, all[best].box) > threshold)
                gone[i] = true;
        gone[best] = true; // an empty box does not agree with itself
    }
    free(gone);
    return stay;
}

/*
Is a list of detections good? Take them one by one from the highest score down. A detection is right if the true box
of its image and class that agrees best with it agrees by at least a half, and nothing has found that box before: of
two boxes for one item the second is wrong. After each of them, **precision** (查准率) is the fraction of detections so
far that are right, and **recall** (查全率) the fraction of true boxes that have been found.

Going down the list recall only rises, and precision goes up and down. The **average precision** (平均精度), AP, is the
area under precision as a function of recall, once every precision is replaced by the best at that recall or a
higher one. A list that finds everything and nothing else has 1. The mean over the classes is called **mAP**, here
mAP@0.5 for the IoU that counts as found.
*/

// Of one class
static double area_under(const Detection *all, int count, const TrueBox *truth, int truths, int label)
{
    bool *gone = calloc((size_t)count + 1, sizeof *gone), *found = calloc((size_t)truths + 1, sizeof *found);
    double *precision = calloc((size_t)count + 2, sizeof *precision),
           *recall = calloc((size_t)count + 2, sizeof *recall);
    int there = 0, right = 0, seen = 0;
    for (int t = 0; t < truths; t++) there += truth[t].label == label;
    for (int best; (best = best_of(all, gone, count)) >= 0;) {
        gone[best] = true;
        if (all[best].label != label) continue;
        int nearest = -1;
        for (int t = 0; t < truths; t++)
            if (truth[t].label == label && truth[t].image == all[best].image &&
                (nearest < 0 ||
                 overlap(truth[t].box, all[best].box) > overlap(truth[nearest].box, all[best].box)))
                nearest = t;
        if (nearest >= 0 && overlap(truth[nearest].box, all[best].box) >= 0.5 && !found[nearest]) {
            found[nearest] = true;
            right++;
        }
        seen++;
        precision[seen] = (double)right / seen, recall[seen] = (double)right / there;
    }
    double area = 0.0;
    for (int i = seen; i >= 1; i--) {
        precision[i] = fmax(precision[i], precision[i + 1]);
        area += (recall[i] - recall[i - 1]) * precision[i];
    }
    free(gone), free(found), free(precision), free(recall);
    return there ? area : (double)NAN; // nothing to be found
}

/*
These rules have corners: equal scores, equal boxes, boxes that touch, empty ones, classes without a true box,
classes that nobody detects. The library has its own version of all three (`models/boxes.h`, sorted and faster).
Random lists with coordinates and scores from a handful of numbers hit the corners all the time, and there the two
must agree to the last digit.
*/

static Box random_box(Rng *rng)
{
    const float top = (float)rng_below(rng, 5), left = (float)rng_below(rng, 5);
    const float height = (float)rng_below(rng, 4), width = (float)rng_below(rng, 4); // 0: empty
    return (Box){top, left, top + height, left + width};
}

static void how_much_boxes_agree(Lesson *lesson)
{
    section(lesson, "How much two boxes agree");
    enum { LISTS = 500, MOST = 24, IMAGES = 2, LABELS = 4 };
    Rng rng = lesson_rng(lesson, 11);
    int same_overlap = 0, same_lists = 0, same_area = 0, equal_scores = 0, touching = 0, empty_classes = 0;
    for (int list = 0; list < LISTS; list++) {
        Detection all[MOST], kept[MOST];
        TrueBox truth[MOST];
        for (int i = 0; i < MOST; i++) {
            const float score = 0.2f * (float)rng_below(&rng, 5);
            const int label = (int)rng_below(&rng, LABELS), image = (int)rng_below(&rng, IMAGES);
            all[i] = (Detection){random_box(&rng), score, label, image};
            const int true_label = (int)rng_below(&rng, LABELS - 1); // the last class is empty
            truth[i] = (TrueBox){random_box(&rng), true_label, (int)rng_below(&rng, IMAGES)};
        }
        double each[LABELS], apart = 0.0;
        for (int i = 0; i < MOST; i++) {
            apart = fmax(apart, fabs(overlap(all[i].box, truth[i].box) - box_iou(all[i].box, truth[i].box)));
            touching += all[i].box.right == truth[i].box.left;
            equal_scores += all[i].score == all[(i + 1) % MOST].score;
        }
        same_overlap += apart == 0.0;
        mean_average_precision(all, MOST, truth, MOST, LABELS, 0.5, each);
        bool equal = true;
        for (int k = 0; k < LABELS; k++) {
            const double ours = area_under(all, MOST, truth, MOST, k);
            equal = equal && (isnan(ours) ? isnan(each[k]) : fabs(ours - each[k]) <= 1e-12);
        }
        same_area += equal;
        empty_classes += isnan(each[LABELS - 1]);
        const int stay = suppress(kept, all, MOST, 0.5);
        const int fast = non_maximum_suppression(all, MOST, 0.5, NMS_PER_LABEL);
        bool same = stay == fast;
        for (int i = 0; same && i < stay; i++)
            same = kept[i].score == all[i].score && kept[i].label == all[i].label &&
                   kept[i].image == all[i].image && memcmp(&kept[i].box, &all[i].box, sizeof(Box)) == 0;
        same_lists += same;
    }
    const Box square = {0, 0, 20, 20}, right = {0, 4, 20, 24}, diagonal = {4, 4, 24, 24},
              beside = {0, 20, 20, 40}, empty = {3, 3, 3, 9};
    printf("IoU of a square of 20 with one moved by 4 to the right: %.2f; in both directions: %.2f\n",
           overlap(square, right), overlap(square, diagonal));
    printf("%d random lists of %d: %d pairs of equal scores, %d touching pairs, %d empty classes\n\n", LISTS,
           MOST, equal_scores, touching, empty_classes);
    claim(lesson,
          overlap(square, beside) == 0.0 && overlap(empty, empty) == 0.0 && overlap(square, square) == 1.0,
          "boxes that touch have IoU 0, an empty box with itself too, a square with itself 1");
    claim(lesson, same_overlap == LISTS && same_lists == LISTS,
          "IoU and non-maximum suppression agree with the library on all %d lists", LISTS);
    claim(lesson, same_area == LISTS,
          "and so does average precision, undefined where nothing is to be found");
}

/*
## The detector on trial

It trains for 2,500 steps, 40 thousand scenes. Its opponent has learnt nothing: items are brighter than most of what
is behind them, so blur the scene, take all pixels above a threshold, and put a box around each **connected
component** (连通分量). We choose its blur, its threshold, the smallest component that counts and how components are
scored on the test scenes themselves, 288 settings. No opponent can be better treated. It knows no classes, so the
comparison is without them.
*/

enum { MOST_FOUND = TEST_SCENES * CELLS * CELLS * CLASSES };

typedef struct {
    Detection *all;
    int count;
} Found;

enum { AT_ONCE = 20 }; // scenes that go through a network together

// The scenes from `first` on, as the input of a network
static Map some_scenes(Tape *tape, const Scenes *s, int first)
{
    const int count = int_min(AT_ONCE, s->count - first);
    return map_input(tape, matrix_rows(s->pixels, first * PIXELS, count * PIXELS),
                     ((Grid){count, SCENE, SCENE}));
}

// What the detector finds in the scenes
static Found find_all(Arena *arena, Detector *d, const Scenes *s, bool with_classes, bool suppressed)
{
    Found found = {arena_alloc(arena, MOST_FOUND, sizeof(Detection)), 0};
    Arena *scratch = arena_new();
    for (int first = 0; first < s->count; first += AT_ONCE) {
        Matrix scores = detect(d, some_scenes(tape_inference(scratch), s, first), false).features->value;
        for (int n = first; n < int_min(first + AT_ONCE, s->count); n++) {
            Detection *here = found.all + found.count;
            Matrix own = matrix_rows(scores, (n - first) * CELLS * CELLS, CELLS * CELLS);
            int count = read_boxes(here, own, n, with_classes);
            if (suppressed)
                count = non_maximum_suppression(here, count, 0.5, with_classes ? NMS_PER_LABEL : NMS_ALL);
            found.count += count;
        }
        arena_reset(scratch);
    }
    arena_free(scratch);
    return found;
}

static TrueBox *truths_of(Arena *arena, const Scenes *s)
{
    TrueBox *all = arena_alloc(arena, (size_t)s->count * MOST_ITEMS, sizeof *all);
    int count = 0;
    for (int n = 0; n < s->count; n++)
        for (int k = 0; k < s->items[n]; k++) all[count++] = s->truth[n][k];
    return all;
}

// Gaussian weights for the distances −reach … reach
enum { MOST_REACH = 12 };
static int gaussian_weights(float weights[2 * MOST_REACH + 1], float sigma)
{
    const int reach = int_min((int)ceilf(4.0f * sigma), MOST_REACH);
    float total = 0.0f;
    for (int k = -reach; k <= reach; k++)
        total += weights[k + reach] = sigma > 0.0f ? exp32(-0.5f * (float)(k * k) / (sigma * sigma)) : 1.0f;
    for (int k = 0; k <= 2 * reach; k++) weights[k] /= total;
    return reach;
}

// A place beyond the edge shows what lies as far inside of it
static int mirrored(int i, int n) { return i < 0 ? -1 - i : i >= n ? 2 * n - 1 - i : i; }

// out and x (height × width); first along the rows, then along the columns
static void blur(Matrix out, Matrix x, float sigma)
{
    float weights[2 * MOST_REACH + 1];
    const int reach = gaussian_weights(weights, sigma);
    Arena *arena = arena_new();
    Matrix across = matrix_new(arena, x.rows, x.cols);
#pragma omp parallel for if (parallel_worth(matrix_size(x) * 8))
    for (int i = 0; i < x.rows; i++)
        for (int k = -reach; k <= reach; k++)
            for (int j = 0; j < x.cols; j++)
                AT(across, i, j) += weights[k + reach] * AT(x, i, mirrored(j + k, x.cols));
    fill(out, 0.0f);
#pragma omp parallel for if (parallel_worth(matrix_size(x) * 8))
    for (int i = 0; i < x.rows; i++)
        for (int k = -reach; k <= reach; k++)
            for (int j = 0; j < x.cols; j++)
                AT(out, i, j) += weights[k + reach] * AT(across, mirrored(i + k, x.rows), j);
    arena_free(arena);
}

typedef struct {
    Box box;
    int size;     // pixels
    float bright; // their mean
} Component;

// All neighbours of pixel `start` that are above the threshold, and theirs: writes their numbers, returns how many
static int grow(int *members, bool *seen, Matrix x, int start, float threshold)
{
    static const int steps[4][2] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};
    int count = 0;
    members[count++] = start;
    seen[start] = true;
    for (int k = 0; k < count; k++)
        for (int s = 0; s < 4; s++) {
            const int i = members[k] / x.cols + steps[s][0], j = members[k] % x.cols + steps[s][1];
            if (i < 0 || i >= x.rows || j < 0 || j >= x.cols) continue;
            if (seen[i * x.cols + j] || AT(x, i, j) < threshold) continue;
            seen[i * x.cols + j] = true;
            members[count++] = i * x.cols + j;
        }
    return count;
}

// Those of one blurred scene x: writes them, returns how many
static int find_components(Component *out, Matrix x, float threshold)
{
    bool seen[PIXELS] = {false};
    int members[PIXELS], count = 0;
    for (int p = 0; p < PIXELS; p++) {
        if (seen[p] || x.data[p] < threshold) continue;
        Component c = {{SCENE, SCENE, 0, 0}, grow(members, seen, x, p, threshold), 0.0f};
        for (int k = 0; k < c.size; k++) {
            const int i = members[k] / SCENE, j = members[k] % SCENE;
            c.box.top = fminf(c.box.top, (float)i), c.box.bottom = fmaxf(c.box.bottom, (float)(i + 1));
            c.box.left = fminf(c.box.left, (float)j), c.box.right = fmaxf(c.box.right, (float)(j + 1));
            c.bright += x.data[members[k]] / (float)c.size;
        }
        out[count++] = c;
    }
    return count;
}

// The best of all settings on these scenes; chosen: its blur and its threshold
static Found best_components(Arena *arena, double *best, float chosen[2], const Scenes *s,
                             const TrueBox *truth, int truths)
{
    enum { MOST = PIXELS / 2 }; // components of one scene
    Found found = {arena_alloc(arena, (size_t)s->count * MOST, sizeof(Detection)), 0};
    Detection *list = arena_alloc(arena, (size_t)s->count * MOST, sizeof *list);
    Component *all = arena_alloc(arena, (size_t)s->count * MOST, sizeof *all);
    int *counts = arena_alloc(arena, (size_t)s->count, sizeof *counts);
    Matrix blurred = matrix_new(arena, s->count * SCENE, SCENE);
    *best = -1.0;
    for (int look = 0; look < 4 * 18; look++) {
        const float sigma = 0.5f * (float)(look / 18), threshold = 0.15f + 0.04f * (float)(look % 18);
#pragma omp parallel for
        for (int n = 0; n < s->count; n++) {
            Matrix scene = matrix_reshape(matrix_rows(s->pixels, n * PIXELS, PIXELS), SCENE, SCENE),
                   soft = matrix_rows(blurred, n * SCENE, SCENE);
            if (look % 18 == 0) blur(soft, scene, sigma);
            counts[n] = find_components(all + n * MOST, soft, threshold);
        }
        for (int way = 0; way < 4; way++) {
            const int smallest = way & 1 ? 100 : 40, by_size = way & 2;
            int count = 0;
            for (int n = 0; n < s->count; n++)
                for (const Component *c = all + n * MOST; c < all + n * MOST + counts[n]; c++)
                    if (c->size >= smallest)
                        list[count++] = (Detection){c->box, by_size ? (float)c->size : c->bright, 0, n};
            const double area = average_precision(list, count, truth, truths, ALL_LABELS, 0.5);
            if (area <= *best) continue;
            *best = area, chosen[0] = sigma, chosen[1] = threshold, found.count = count;
            memcpy(found.all, list, (size_t)count * sizeof *list);
        }
    }
    return found;
}

static void draw_found(Lesson *lesson, const Scenes *test, Found found, const char *const *names)
{
    enum { SHOWN = 10 };
    Arena *arena = lesson_arena(lesson);
    Matrix images = matrix_new(arena, SHOWN, LARGE * LARGE * 3);
    static char words[SHOWN][128];
    const char *captions[SHOWN];
    for (int n = 0; n < SHOWN; n++) {
        Image image = scene_image(arena, test, n, LARGE);
        words[n][0] = '\0';
        for (int k = 0; k < test->items[n]; k++) draw_box(image, test->truth[n][k].box, 1, GREEN);
        for (int i = 0; i < found.count; i++) {
            if (found.all[i].image != n || found.all[i].score < 0.3f) continue;
            draw_box(image, found.all[i].box, 2, RED);
            const size_t used = strlen(words[n]);
            snprintf(words[n] + used, sizeof words[n] - used, "%s%s %.2f", used ? ", " : "",
                     names[found.all[i].label], (double)found.all[i].score);
        }
        put_image(images, n, image);
        captions[n] = words[n];
    }
    Plot *plot = plot_begin(lesson, "boxes.png", "What the detector finds");
    plot_size(plot, 1100, 620);
    plot_images(plot, (PlotImages){LARGE, LARGE, 3, SHOWN / 2, 0.0f, 1.0f}, images, captions);
    plot_end(plot, "Red, what it finds with a score of 0.3 or more; green and thin, what is there.");
}

static void add_curve(Plot *plot, Arena *arena, const char *name, PrecisionRecall pr)
{
    float *x = arena_alloc(arena, (size_t)pr.count, sizeof *x),
          *y = arena_alloc(arena, (size_t)pr.count, sizeof *y);
    for (int i = 0; i < pr.count; i++) x[i] = (float)pr.recall[i], y[i] = (float)pr.precision[i];
    plot_line(plot, name, x, y, pr.count);
}

static void draw_curves(Lesson *lesson, const Found lists[3], Found classes, const TrueBox *truth, int truths)
{
    static const char *const names[] = {"items", "items, nothing suppressed", "bright components"};
    Arena *arena = lesson_arena(lesson);
    Plot *plot = plot_begin(lesson, "precision.svg", "Precision and recall down the list");
    plot_axes(plot, "recall: of all that is there", "precision: of all that is said");
    plot_range_x(plot, 0.0, 1.0);
    plot_range_y(plot, 0.0, 1.02);
    plot_legend(plot, "bottom left");
    for (int k = 0; k < 3; k++)
        add_curve(plot, arena, names[k],
                  precision_recall(arena, lists[k].all, lists[k].count, truth, truths, ALL_LABELS, 0.5));
    add_curve(plot, arena, "trousers",
              precision_recall(arena, classes.all, classes.count, truth, truths, 1, 0.5));
    add_curve(plot, arena, "shirts",
              precision_recall(arena, classes.all, classes.count, truth, truths, 6, 0.5));
    plot_end(plot, "Where items are it knows; which of them are shirts is another question.");
}

enum { DETECTOR_STEPS = 2500 };
static const float DETECTOR_RATE = 4e-3f;

static void what_is_where(Lesson *lesson, Detector **detector, const World *world, const Scenes *test)
{
    section(lesson, "The detector on trial");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 20);
    Detector *d = *detector = detector_new(arena, world, &rng);
    const int steps = lesson_full(lesson) ? 4 * DETECTOR_STEPS : DETECTOR_STEPS;
    train(lesson, "detector", detector_loss, d, &d->set, steps, DETECTOR_RATE, lesson_rng(lesson, 21));
    const TrueBox *truth = truths_of(arena, test);
    const int truths = all_items(test);
    Found classes = find_all(arena, d, test, true, true),
          lists[3] = {find_all(arena, d, test, false, true), find_all(arena, d, test, false, false)};
    double each[CLASSES], area[3], best = 0.0;
    float chosen[2] = {0};
    lists[2] = best_components(arena, &best, chosen, test, truth, truths);
    for (int k = 0; k < 3; k++)
        area[k] = average_precision(lists[k].all, lists[k].count, truth, truths, ALL_LABELS, 0.5);
    const double mean = mean_average_precision(classes.all, classes.count, truth, truths, CLASSES, 0.5, each);
    printf("%zu weights, %d steps\n\n", parameters_size(&d->set), steps);
    for (int k = 0; k < CLASSES; k++) printf("%-14sAP %.2f\n", world->fashion.names[k], each[k]);
    printf("\nmean over the ten classes (mAP@0.5)         %.3f\n", mean);
    printf("without classes (AP@0.5)                    %.3f\n", area[0]);
    printf("the same, nothing suppressed                %.3f\n", area[1]);
    printf("bright components at their best             %.3f (blur %.1f, threshold %.2f)\n\n", best,
           (double)chosen[0], (double)chosen[1]);
    claim(lesson, area[0] >= 0.9, "without classes the average precision is at least 0.9");
    claim(lesson, mean >= 0.7, "over ten classes its mean is at least 0.7");
    claim(lesson, area[1] >= area[0] - 0.03,
          "suppression is worth 0.03 at most: one cell is responsible, and the others keep quiet");
    claim(lesson, 1.0 - area[0] <= 0.25 * (1.0 - best),
          "to 1 it lacks a quarter, at most, of what bright components lack at their best");
    draw_found(lesson, test, classes, world->fashion.names);
    draw_curves(lesson, lists, classes, truth, truths);
}

/*
Where items are, it knows nearly without fault. What they are is another question: trousers and bags are told at
once, while a shirt is a T-shirt, a pullover or a coat for it in every other case, as it is for everybody who has
tried on these images. The mAP is a mean over both.

Bright components find two items of three. They fail in two ways: what touches grows together, and what is dark is
lost. The figure shows the first: their curve *begins* at zero. The best score for a component is its size, and 52
of the 60 largest hold the centres of two items or more.

One reads that a detector lives by non-maximum suppression. Ours hardly needs it: suppressing gains a few
thousandths. One cell is responsible for an item, and its neighbours have been taught by every scene to keep quiet.
It is not so with every detector: at the end of the chapter we move a face from one cell to the next and look at the
border.

## What is each pixel

Boxes are a coarse answer, and the coarse map was enough for them. To say for every pixel what it shows we have to
come back to the fine grid, and the coarse map alone cannot tell where exactly an edge runs: its positions are 8
pixels apart. The **U-Net** goes up again step by step, and on every step it puts beside what comes from below the
map of the same grid that the backbone had made on the way down (`map_concat`): what is known about *what* meets
what is known about *where*.

The whole network is the function `each_pixel`. Its head says for each position of the fine grid what its four
pixels are; `map_pixel_shuffle` puts them in their places. We ask for four kinds and the background; the loss is the
cross-entropy of every pixel.
*/

typedef struct {
    const void *data; // that it is trained on: the world of scenes, or photographs
    Parameters set;
    Backbone backbone;
    Stage up, up_again;
    Conv head;
    bool shortcuts, frozen; // frozen: the backbone stays as it is
} UNet;

// With so many outputs for each pixel
static UNet *unet_new(Arena *arena, const void *data, int outputs, int width, bool shortcuts, Rng *rng)
{
    UNet *u = arena_zeros(arena, 1, sizeof *u);
    u->data = data, u->shortcuts = shortcuts;
    u->set = parameters_new(arena);
    u->backbone = backbone_new(&u->set, rng);
    u->up = stage_new(&u->set, "up", shortcuts ? 64 + 32 : 64, 32, 1, rng);
    u->up_again = stage_new(&u->set, "up_again", shortcuts ? 32 + 16 : 32, width, 1, rng);
    u->head = conv_new(&u->set, "head", shortcuts ? width + 4 : width, 4 * outputs, window_square(3, 1, 1),
                       rng, INIT_ZERO);
    return u;
}

// image (n·H·W × 1) → (n·H·W × outputs); H and W multiples of 8
static Map each_pixel(UNet *u, Map image, bool training)
{
    Features f = backbone(&u->backbone, image, training && !u->frozen);
    Map h = map_upsample(f.coarse, 2);
    h = stage(&u->up, u->shortcuts ? map_concat(h, f.middle) : h, training);
    h = map_upsample(h, 2);
    h = stage(&u->up_again, u->shortcuts ? map_concat(h, f.fine) : h, training);
    return map_pixel_shuffle(map_conv(&u->head, u->shortcuts ? map_concat(h, f.image) : h), 2);
}

static Tensor *unet_loss(void *which, Tape *tape, Rng rng)
{
    UNet *u = which;
    Scenes s = compose(tape_arena(tape), u->data, BATCH, TRAINING, &rng);
    int *kinds = arena_alloc(tape_arena(tape), BATCH * PIXELS, sizeof *kinds);
#pragma omp parallel for
    for (int i = 0; i < BATCH * PIXELS; i++) kinds[i] = kind_at(&s, i);
    return cross_entropy(
        each_pixel(u, map_input(tape, s.pixels, ((Grid){BATCH, SCENE, SCENE})), true).features, kinds);
}

/*
Most pixels are background, so a network that says "background" everywhere is right in four of five and has said
nothing. The measure is again IoU, now of sets of pixels, for each class over all scenes together:

$$\text{IoU}_k = \frac{\text{pixels that are } k \text{ and are called } k}
{\text{pixels that are } k \text{ or are called } k} ,$$

and **mIoU** is its mean over the classes. A class that is nowhere and is called nowhere has 0/0: it does not count.
A class that is nowhere and *is* called somewhere has 0 and counts.
*/

// Of `count` pixels with classes 0 … classes − 1
static double mean_iou(const int *truth, const int *called, int count, int classes)
{
    double total = 0.0;
    int present = 0;
    for (int k = 0; k < classes; k++) {
        int both = 0, either = 0;
        for (int i = 0; i < count; i++) {
            both += truth[i] == k && called[i] == k;
            either += truth[i] == k || called[i] == k;
        }
        if (either > 0) total += (double)both / either, present++;
    }
    return present ? total / present : (double)NAN;
}

static void check_mean_iou(Lesson *lesson)
{
    Rng rng = lesson_rng(lesson, 30);
    double apart = 0.0;
    int absent = 0;
    for (int list = 0; list < 200; list++) {
        Arena *arena = arena_new();
        int truth[12], called[12], counts[6] = {0};
        for (int i = 0; i < 12; i++) {
            truth[i] = (int)rng_below(&rng, 3);
            called[i] = (int)rng_below(&rng, 4);
            counts[truth[i]]++, counts[called[i]]++;
        }
        Confusion confusion = confusion_new(arena, 6);
        confusion_count(&confusion, truth, called, 12);
        apart = fmax(apart, fabs(mean_iou(truth, called, 12, 6) - confusion_mean_iou(&confusion, NULL)));
        for (int k = 0; k < 6; k++) absent += counts[k] == 0;
        arena_free(arena);
    }
    claim(lesson, apart <= 1e-12 && absent >= 400,
          "our mean IoU is the library's on 200 random lists with two to four classes absent");
}

/*
Now to the question that the chapter is called after. The detector's backbone has been trained on boxes; nobody has
ever told it about a pixel. We take it as it is and **freeze** (冻结) it: only the way up is trained, in 400 steps.
Beside it stand three others.

- The same **without shortcuts**. One reads that they are what makes a U-Net; an explanation is a claim too, so we
  take them out.
- Everything trained from scratch on masks, backbone included, in as many steps. The rate is the best of 0.004,
  0.008 and 0.016 for this one, and serves the others, too.
- The brightness of a pixel and nothing else: for each of 32 grey levels the kind that has it most often *in the
  test scenes*, which is the best that brightness can do.
*/

typedef struct {
    const char *name;
    bool shortcuts;
    bool frozen; // the detector's, or learnt with the rest
} UNetArm;

enum { FROZEN_UNET, NO_SHORTCUTS, FROM_SCRATCH, UNET_ARMS, UNET_STEPS = 400 };
static const float UNET_RATE = 8e-3f;
static const UNetArm unet_arms[UNET_ARMS] = {{"on the detector's backbone", true, true},
                                             {"the same without shortcuts", false, true},
                                             {"all from scratch", true, false}};

// What u says of all scenes: called [count·64·64]
static void segment_all(int *called, UNet *u, const Scenes *s)
{
    Arena *scratch = arena_new();
    for (int first = 0; first < s->count; first += AT_ONCE) {
        Map some = some_scenes(tape_inference(scratch), s, first);
        row_argmax(called + (size_t)first * PIXELS, each_pixel(u, some, false).features->value);
        arena_reset(scratch);
    }
    arena_free(scratch);
}

// The kind that each grey level has most often in these scenes
static void by_brightness(int *called, const int *truth, const Scenes *s)
{
    enum { LEVELS = 32 };
    int counts[LEVELS][KINDS] = {{0}}, most[LEVELS] = {0};
    for (int i = 0; i < s->pixels.rows; i++)
        counts[int_min((int)(s->pixels.data[i] * LEVELS), LEVELS - 1)][truth[i]]++;
    for (int l = 0; l < LEVELS; l++)
        for (int k = 1; k < KINDS; k++)
            if (counts[l][k] > counts[l][most[l]]) most[l] = k;
    for (int i = 0; i < s->pixels.rows; i++)
        called[i] = most[int_min((int)(s->pixels.data[i] * LEVELS), LEVELS - 1)];
}

static void draw_segments(Lesson *lesson, const Scenes *test, const int *called, const int *without)
{
    enum { SHOWN = 5 };
    Arena *arena = lesson_arena(lesson);
    Matrix images = matrix_new(arena, 4 * SHOWN, SCENE * SCENE * 3);
    const char *captions[4 * SHOWN] = {"the scene"};
    int kinds[PIXELS];
    for (int n = 0; n < SHOWN; n++) {
        put_image(images, n, scene_image(arena, test, n, SCENE));
        true_kinds(kinds, test, n);
        put_image(images, SHOWN + n, kinds_image(arena, kinds, SCENE));
        put_image(images, 2 * SHOWN + n, kinds_image(arena, called + n * PIXELS, SCENE));
        put_image(images, 3 * SHOWN + n, kinds_image(arena, without + n * PIXELS, SCENE));
    }
    captions[SHOWN] = "the truth", captions[2 * SHOWN] = "the U-Net",
    captions[3 * SHOWN] = "without shortcuts";
    Plot *plot = plot_begin(lesson, "segments.png", "What is each pixel?");
    plot_size(plot, 1100, 1000);
    plot_images(plot, (PlotImages){SCENE, SCENE, 3, SHOWN, 0.0f, 1.0f}, images, captions);
    plot_end(plot, "Tops blue, trousers yellow, shoes green, bags pink.");
}

static void copy_backbone(Parameters *to, const Parameters *from)
{
    for (int i = 0; i < to->count; i++)
        if (strncmp(to->names[i], "backbone.", strlen("backbone.")) == 0)
            copy(to->items[i]->value, parameters_find(from, to->names[i])->value);
}

static void what_is_each_pixel(Lesson *lesson, const Detector *detector, const World *world,
                               const Scenes *test)
{
    section(lesson, "What is each pixel");
    check_mean_iou(lesson);
    Arena *arena = lesson_arena(lesson);
    const int pixels = test->count * PIXELS, steps = lesson_full(lesson) ? 4 * UNET_STEPS : UNET_STEPS;
    int *truth = arena_alloc(arena, (size_t)pixels, sizeof *truth), *called[UNET_ARMS + 1];
    for (int i = 0; i < pixels; i++) truth[i] = kind_at(test, i);
    double miou[UNET_ARMS + 1], each[KINDS];
    printf("\n%d steps\n\n%-28s%8s", steps, "IoU", "mean");
    for (int k = 0; k < KINDS; k++) printf("%12s", kind_names[k]);
    for (int a = 0; a <= UNET_ARMS; a++) {
        called[a] = arena_alloc(arena, (size_t)pixels, sizeof(int));
        if (a < UNET_ARMS) {
            Rng rng = lesson_rng(lesson, 31);
            UNet *u = unet_new(arena, world, KINDS, 16, unet_arms[a].shortcuts, &rng);
            u->frozen = unet_arms[a].frozen;
            if (u->frozen && detector) copy_backbone(&u->set, &detector->set);
            if (u->frozen) parameters_freeze(&u->set, "backbone", true);
            train(lesson, unet_arms[a].name, unet_loss, u, &u->set, steps, UNET_RATE, lesson_rng(lesson, 32));
            segment_all(called[a], u, test);
        } else {
            by_brightness(called[a], truth, test);
        }
        Confusion confusion = confusion_new(arena, KINDS);
        confusion_count(&confusion, truth, called[a], pixels);
        miou[a] = confusion_mean_iou(&confusion, each);
        printf("\n%-28s%8.3f", a < UNET_ARMS ? unet_arms[a].name : "brightness at its best", miou[a]);
        for (int k = 0; k < KINDS; k++) printf("%12.3f", each[k]);
    }
    printf("\n\n");
    claim(lesson, miou[FROZEN_UNET] >= 0.75, "on the detector's backbone the mean IoU is at least 0.75");
    claim(lesson, miou[FROZEN_UNET] >= miou[FROM_SCRATCH],
          "that is no less than a backbone learns from masks in as many steps");
    claim(lesson, miou[NO_SHORTCUTS] <= miou[FROZEN_UNET] - 0.05,
          "without shortcuts at least 0.05 of it is lost");
    claim(lesson, miou[UNET_ARMS] <= 0.5 * miou[FROZEN_UNET], "brightness alone reaches half of it at most");
    draw_segments(lesson, test, called[FROZEN_UNET], called[NO_SHORTCUTS]);
}

/*
The way up alone, on features that were learnt for boxes, has reached what the whole network does not from scratch
in as many steps. (Given more it gets there, too: in a run with 600 steps it came to 0.80. On a backbone frozen as
it was drawn at random, the way up stayed at 0.41 in the same run.) That is what a **pretrained** (预训练) backbone is
worth, and why nobody who has one begins from scratch: the features that tell boots from bags do not care in which
form the answer is wanted.

And the shortcuts? Look at the last row of the figure. Without them the network knows *what* is there as well as
before, and roughly where: tops are blue and shoes green. What it does not know are outlines. Legs of trousers grow
together, heels vanish, everything is as round as 8 pixels of a coarse grid make it. So the popular sentence holds
here, and the figure says in which sense: shortcuts carry the *where*. A task that needs no outline would not miss
them.

## What should each pixel have been

The last questions have no classes at all. Something is wrong with an image; say for each pixel what it should have
been. First it is **noise** (噪声): to every pixel of a photograph, from 0 to 1, a normal number of deviation 25/255
is added, as a small sensor adds it in bad light.

Take `each_pixel` once more. It gave five numbers for each pixel; now it gives one, and that number is not the pixel
but a *correction*: the output is the input plus a tenth of what the network says. This is called **residual
learning** (残差学习): whatever the photograph shows, what is to be learnt is noise of one size. The loss is the mean
squared error, so we train for what we measure, the **peak signal-to-noise ratio** (峰值信噪比) of [chapter
8](../08-implicit-representation/README.md). For values from 0 to 1 it is $-10 \log_{10} \text{MSE}$ decibels; 3 dB
more are half the squared error.

Five photographs are for training (china, flower, coffee, rocket, astronaut), in crops of 32 × 32. Three are the
test: camera and chelsea, which everybody uses, and coins. The third was chosen before any result had been seen: of
what the set has left, it is the only photograph of things under a lamp; hubble's sky is nearly all black, and the
cell nearly all one grey.
*/

enum {
    TRAIN_PHOTOS = 5,
    TEST_PHOTOS = 3,
    PHOTOS = TRAIN_PHOTOS + TEST_PHOTOS,
    CROP = 32,
    CROP_PIXELS = CROP * CROP
};
static const char *const photo_files[PHOTOS] = {"china.jpg",     "flower.jpg", "coffee.png",  "rocket.jpg",
                                                "astronaut.png", "camera.png", "chelsea.png", "coins.png"};
static const float NOISE = 25.0f / 255.0f;

typedef struct {
    char name[16];
    Matrix clean; // (height × width), grey, from 0 to 1
    Matrix noisy;
    Matrix small, bicubic; // for the section after this one
} Photo;

static double likeness(Matrix a, Matrix b)
{
    double total = 0.0;
    for (size_t i = 0; i < matrix_size(a); i++) {
        const double error = (double)a.data[i] - (double)b.data[i];
        total += error * error;
    }
    return -10.0 * log10(total / (double)matrix_size(a));
}

// A random training photograph, and a place in it where a crop begins: an even row and column
static const Photo *random_place(const Photo *photos, int *top, int *left, Rng *rng)
{
    const Photo *photo = &photos[rng_below(rng, TRAIN_PHOTOS)];
    *top = 2 * (int)rng_below(rng, (uint32_t)((photo->clean.rows - CROP) / 2 + 1));
    *left = 2 * (int)rng_below(rng, (uint32_t)((photo->clean.cols - CROP) / 2 + 1));
    return photo;
}

// A tenth of what the network says, added: so its numbers are of order one, like the features that they are made of.
static Map corrected(Map guess, Map said)
{
    return map_add(guess, map_of(tensor_scale(said.features, 0.1f), said.grid));
}

static Map denoised(UNet *u, Map noisy, bool training)
{
    return corrected(noisy, each_pixel(u, noisy, training));
}

static Tensor *denoiser_loss(void *which, Tape *tape, Rng rng)
{
    UNet *u = which;
    Matrix clean = matrix_uninitialised(tape_arena(tape), BATCH * CROP_PIXELS, 1);
    Matrix noisy = matrix_uninitialised(tape_arena(tape), BATCH * CROP_PIXELS, 1);
    for (int b = 0; b < BATCH; b++) {
        int top, left;
        const Photo *photo = random_place(u->data, &top, &left, &rng);
        crop(clean.data + b * CROP_PIXELS, photo->clean, top, left, CROP);
    }
    rng_normals(&rng, noisy.data, matrix_size(noisy));
    scale(noisy, NOISE);
    add(noisy, noisy, clean);
    Map out = denoised(u, map_input(tape, noisy, ((Grid){BATCH, CROP, CROP})), true);
    return mean_squared_error(out.features, clean);
}

/*
### Opponents who know the answer

What would one do without learning? Take the **Gaussian blur** (高斯模糊): noise averages out, and so do edges. Or the
**median** (中值滤波): of the pixels around, the one in the middle of their order, which keeps edges and loses texture.
Or the **adaptive Wiener filter** of Lee: around each pixel take mean and variance; what of the variance is more
than the noise's must be image, and by that fraction the pixel keeps its distance from the mean,

$$y = m + \frac{\max(0,\, v - s^2)}{v} \, (x - m) .$$

In flat places it is a mean, at edges it keeps its hands off. Each filter has a setting. We choose it **on the test
image**, separately for each photograph, by its PSNR against the clean one: an **oracle** (神谕) that no real filter
has. Blur: 43 deviations from 0.4 to 2.5 pixels. Median: all twelve round windows of 5 to 69 pixels, 3 × 3 and 5 × 5
among them. Wiener: windows of 3 to 9 with eight values for $s$. If the network wins against that, it is no fault of
the settings.
*/

// A whole image (height × width) as the input of a network
static Map whole_image(Tape *tape, Matrix image)
{
    return map_input(tape, matrix_reshape(image, (int)matrix_size(image), 1),
                     ((Grid){1, image.rows, image.cols}));
}

typedef struct {
    double psnr;
    float setting;
    Matrix image;
} Best;

static Best best_new(Arena *arena, Matrix like)
{
    return (Best){-INFINITY, 0.0f, matrix_new(arena, like.rows, like.cols)};
}

static void keep_the_better(Best *best, Matrix image, Matrix clean, float setting)
{
    const double psnr = peak_signal_noise_ratio(image, clean, 1.0);
    if (psnr <= best->psnr) return;
    best->psnr = psnr, best->setting = setting;
    copy(best->image, image);
}

enum { MEDIANS = 12, STRIP = 8 };

// out[m]: the middle one of the pixels in the m-th round window, and sizes[m] how many these are. Each window holds the
// smaller ones, so one sort, which takes the pixels in by their distance, passes through all twelve medians. Eight pixels side
// by side are sorted at a time: a line's length is a multiple of eight.
static void median_filters(Matrix out[MEDIANS], int sizes[MEDIANS], Matrix x)
{
    static const int reaches[MEDIANS] = {1, 2, 4, 5, 8, 9, 10, 13, 16, 17, 18, 20}; // squared
    int dy[81], dx[81], count = 0;
    for (int m = 0; m < MEDIANS; m++) {
        for (int k = 0; k < 81; k++) {
            const int down = k / 9 - 4, across = k % 9 - 4, far = down * down + across * across;
            if (far <= reaches[m] && (m == 0 || far > reaches[m - 1])) dy[count] = down, dx[count++] = across;
        }
        sizes[m] = count;
    }
#pragma omp parallel for if (parallel_worth(matrix_size(x) * 8))
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < x.cols; j += STRIP) {
            float sorted[81][STRIP], value[STRIP];
            for (int k = 0, m = 0; k < count; k++) {
                for (int l = 0; l < STRIP; l++)
                    value[l] = AT(x, mirrored(i + dy[k], x.rows), mirrored(j + l + dx[k], x.cols));
                for (int at = 0; at < k; at++)
                    for (int l = 0; l < STRIP; l++) { // the smaller one stays, the larger one goes on
                        const float here = sorted[at][l], on = value[l];
                        sorted[at][l] = here < on ? here : on, value[l] = here < on ? on : here;
                    }
                memcpy(sorted[k], value, sizeof value);
                if (k + 1 < sizes[m]) continue;
                memcpy(&AT(out[m], i, j), sorted[sizes[m] / 2], sizeof value);
                m++;
            }
        }
}

// Mean and variance around each pixel
static void moments(Matrix middle, Matrix variance, Matrix x, int reach)
{
    const float count = (float)((2 * reach + 1) * (2 * reach + 1));
#pragma omp parallel for if (parallel_worth(matrix_size(x) * 8))
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < x.cols; j++) {
            float total = 0.0f, squares = 0.0f;
            for (int dy = -reach; dy <= reach; dy++)
                for (int dx = -reach; dx <= reach; dx++) {
                    const float value = AT(x, mirrored(i + dy, x.rows), mirrored(j + dx, x.cols));
                    total += value, squares += value * value;
                }
            const float mean = total / count;
            AT(middle, i, j) = mean, AT(variance, i, j) = fmaxf(squares / count - mean * mean, 1e-9f);
        }
}

static void wiener_filter(Matrix out, Matrix x, Matrix middle, Matrix variance, float noise)
{
    for (size_t i = 0; i < matrix_size(x); i++) {
        const float v = variance.data[i], kept = fmaxf(0.0f, v - noise * noise) / v;
        out.data[i] = middle.data[i] + kept * (x.data[i] - middle.data[i]);
    }
}

enum { GAUSSIAN, MEDIAN, WIENER, LEARNT_FILTER, FILTERS };

static void best_filters(Arena *arena, Best best[FILTERS], const Photo *photo)
{
    const Matrix noisy = photo->noisy, clean = photo->clean;
    Matrix out[MEDIANS];
    int sizes[MEDIANS];
    for (int m = 0; m < MEDIANS; m++) out[m] = matrix_new(arena, clean.rows, clean.cols);
    for (int f = 0; f < FILTERS; f++) best[f] = best_new(arena, clean);
    median_filters(out, sizes, noisy);
    for (int m = 0; m < MEDIANS; m++) keep_the_better(&best[MEDIAN], out[m], clean, (float)sizes[m]);
    for (int k = 0; k < 43; k++) {
        const float sigma = 0.4f + 0.05f * (float)k;
        blur(out[0], noisy, sigma);
        keep_the_better(&best[GAUSSIAN], out[0], clean, sigma);
    }
    for (int k = 0; k < 4 * 8; k++) {
        const int reach = 1 + k / 8;
        if (k % 8 == 0) moments(out[1], out[2], noisy, reach);
        wiener_filter(out[0], noisy, out[1], out[2], NOISE * (0.8f + 0.1f * (float)(k % 8)));
        keep_the_better(&best[WIENER], out[0], clean, (float)(2 * reach + 1));
    }
}

// The same crop of `count` images, each with its PSNR on the whole photograph
static void draw_compared(Plot *plot, const Matrix *images, const char *const *names, int count, int columns,
                          Matrix clean, int top, int left, int side)
{
    enum { MOST = 6 };
    char words[MOST][48];
    const char *captions[MOST];
    Arena *arena = arena_new();
    Matrix crops = matrix_new(arena, count, side * side);
    for (int k = 0; k < count; k++) {
        crop(matrix_row(crops, k), images[k], top, left, side);
        snprintf(words[k], sizeof words[k], "%s, %.1f dB", names[k],
                 peak_signal_noise_ratio(images[k], clean, 1.0));
        captions[k] = images[k].data == clean.data ? "the photograph" : words[k];
    }
    plot_images(plot, (PlotImages){side, side, 1, columns, 0.0f, 1.0f}, crops, captions);
    arena_free(arena);
}

static void draw_denoised(Lesson *lesson, const Photo *photo, const Best best[FILTERS])
{
    const Matrix images[] = {photo->clean,       photo->noisy,       best[GAUSSIAN].image,
                             best[MEDIAN].image, best[WIENER].image, best[LEARNT_FILTER].image};
    static const char *const names[] = {"", "noisy", "best Gaussian", "best median", "best Wiener", "U-Net"};
    Plot *plot = plot_begin(lesson, "denoised.png", "What should each pixel have been?");
    plot_size(plot, 1100, 780);
    draw_compared(plot, images, names, 6, 3, photo->clean, 60, 170, 160);
    plot_end(plot, "A piece of camera; decibels are those of the whole photograph.");
}

enum { DENOISER_STEPS = 600 };

static void without_noise(Lesson *lesson, const Photo *photos)
{
    section(lesson, "Opponents who know the answer");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 40);
    UNet *u = unet_new(arena, photos, 1, 32, true, &rng);
    const int steps = lesson_full(lesson) ? 8 * DENOISER_STEPS : DENOISER_STEPS;
    train(lesson, "denoiser", denoiser_loss, u, &u->set, steps, 4e-3f, lesson_rng(lesson, 41));
    printf("%zu weights, %d steps; PSNR in dB\n\n%-10s%8s%18s%18s%18s%10s\n", parameters_size(&u->set), steps,
           "", "noisy", "best Gaussian", "best median", "best Wiener", "U-Net");
    bool medians = true, same = true;
    double over_gaussian = 0.0, over_wiener = 0.0;
    static Best best[TEST_PHOTOS][FILTERS];
    for (int p = 0; p < TEST_PHOTOS; p++) {
        const Photo *photo = &photos[TRAIN_PHOTOS + p];
        best_filters(arena, best[p], photo);
        Arena *scratch = arena_new();
        Map noisy = whole_image(tape_inference(scratch), photo->noisy);
        Matrix out = denoised(u, noisy, false).features->value;
        keep_the_better(&best[p][LEARNT_FILTER], matrix_reshape(out, photo->clean.rows, photo->clean.cols),
                        photo->clean, 0.0f);
        arena_free(scratch);
        const double network = best[p][LEARNT_FILTER].psnr;
        printf("%-10s%8.2f%9.2f (σ %.2f)%9.2f (%2.0f px)%9.2f (%.0f × %.0f)%10.2f\n", photo->name,
               peak_signal_noise_ratio(photo->noisy, photo->clean, 1.0), best[p][GAUSSIAN].psnr,
               (double)best[p][GAUSSIAN].setting, best[p][MEDIAN].psnr, (double)best[p][MEDIAN].setting,
               best[p][WIENER].psnr, (double)best[p][WIENER].setting, (double)best[p][WIENER].setting,
               network);
        medians = medians && network > best[p][MEDIAN].psnr;
        over_gaussian += (network - best[p][GAUSSIAN].psnr) / TEST_PHOTOS;
        over_wiener += (network - best[p][WIENER].psnr) / TEST_PHOTOS;
        same = same && fabs(likeness(photo->noisy, photo->clean) -
                            peak_signal_noise_ratio(photo->noisy, photo->clean, 1.0)) < 1e-6;
    }
    printf("\n");
    claim(lesson, same, "our decibels are the library's");
    claim(lesson, medians, "the U-Net beats the best median on every photograph");
    claim(lesson, over_gaussian >= 0.5, "it beats the best Gaussian by at least half a decibel on average");
    claim(lesson, over_wiener > 0.0, "and the best Wiener filter on average");
    draw_denoised(lesson, &photos[TRAIN_PHOTOS], best[0]);
}

/*
Where there are edges, on camera and coins, the network is more than a decibel ahead of the best blur. On chelsea
the blur is a little ahead of the network. There is a cat on it; fur without edges is what a blur is made for, and
with the width chosen by an oracle it is hard to beat. In five runs, each with its own weights and noise, the network
lay between 0.19 dB below it and 0.01 above. (1,000 steps instead of 600 put it 0.14 dB ahead in this run.) So the
claim says "on average", and that is meant so.

Where the advantage comes from shows in the figure. A blur has one width for the sky and for the hair. Median and
Wiener filter look at a few pixels and decide; the network sees 58 pixels and more, and leaves the sky smooth and
the outline of the camera sharp. Its own fault is visible, too: hair has become one dark surface. What cannot be
told from noise is taken for noise, and a mean squared error prefers a smooth guess to a wrong detail.

The tenth in the correction matters. With the network's answer taken whole, the same 600 steps brought nothing over
the blur: 0.3 and 0.5 dB on camera and coins, and 0.9 less on chelsea.

## Twice as many pixels

In **super-resolution** nothing has been added to the image; three numbers of four have been lost. The small image
has the mean of each 2 × 2 pixels, and what were those four?

One number of the four is known: their mean. That is more than it sounds. Take any guess at the large image and add
to each 2 × 2 pixels the same number, so that their mean is right again. The result is the *nearest* image to the
guess of all that could have made the small one, and the true image is among those; so by Pythagoras the truth is
nearer to the result than to the guess, always:

$$\lVert \text{guess} - \text{truth} \rVert^2 = \lVert \text{guess} - \text{result} \rVert^2 +
\lVert \text{result} - \text{truth} \rVert^2 .$$

We do so with every guess, our own and our opponents'.
*/

// small (h × w): the means of each 2 × 2 pixels of x (2h × 2w)
static void halve(Matrix small, Matrix x)
{
    for (int i = 0; i < small.rows; i++)
        for (int j = 0; j < small.cols; j++)
            AT(small, i, j) = 0.25f * (AT(x, 2 * i, 2 * j) + AT(x, 2 * i, 2 * j + 1) +
                                       AT(x, 2 * i + 1, 2 * j) + AT(x, 2 * i + 1, 2 * j + 1));
}

static void make_consistent(Matrix guess, Matrix small)
{
    for (int i = 0; i < small.rows; i++)
        for (int j = 0; j < small.cols; j++) {
            float *above = &AT(guess, 2 * i, 2 * j), *below = &AT(guess, 2 * i + 1, 2 * j);
            const float missing = AT(small, i, j) - 0.25f * (above[0] + above[1] + below[0] + below[1]);
            above[0] += missing, above[1] += missing, below[0] += missing, below[1] += missing;
        }
}

/*
The opponent is **bicubic interpolation** (双三次插值): each new pixel is a weighted sum of the 4 × 4 pixels around it,
with weights that are Keys's piecewise cubic of the distance. It has a parameter $a$; $-0.5$ follows a smooth
function best, $-0.75$ is what PyTorch and OpenCV take, and rings a little more. And since the small pixels are
means, any interpolation of them comes out too soft; so our opponent may be sharpened as well:
$y = x + k\,(x - \text{blur}_\sigma(x))$, **unsharp masking** (反锐化掩模). The oracle chooses kernel (bilinear too), $k$
and $\sigma$ on the test image.
*/

static float kernel(float distance, float a)
{
    const float t = fabsf(distance);
    if (a > 0.0f) return fmaxf(0.0f, 1.0f - t); // bilinear
    if (t < 1.0f) return ((a + 2.0f) * t - (a + 3.0f)) * t * t + 1.0f;
    return t < 2.0f ? ((a * t - 5.0f * a) * t + 8.0f * a) * t - 4.0f * a : 0.0f;
}

// Pixel i of the large image lies at (i − ½) / 2 of the small one: a quarter of a pixel beside a centre. Beyond the
// edge its outermost pixels go on.
static void interpolate(Matrix large, Matrix small, float a)
{
    float weights[2][4];
    for (int k = 0; k < 4; k++)
        weights[0][k] = kernel((float)k - 1.75f, a), weights[1][k] = kernel((float)k - 1.25f, a);
#pragma omp parallel for if (parallel_worth(matrix_size(large) * 8))
    for (int i = 0; i < large.rows; i++)
        for (int j = 0; j < large.cols; j++) {
            float total = 0.0f;
            for (int k = 0; k < 16; k++) {
                const int y = int_max(0, int_min((i + 1) / 2 - 2 + k / 4, small.rows - 1));
                const int x = int_max(0, int_min((j + 1) / 2 - 2 + k % 4, small.cols - 1));
                total += weights[i % 2][k / 4] * weights[j % 2][k % 4] * AT(small, y, x);
            }
            AT(large, i, j) = total;
        }
}

/*
Our network stands on the small grid, and its head gives four numbers for each of its pixels, shuffled into a
correction of the bicubic guess: again a residual. It is five convolutions without anything else, and without batch
normalisation. That is no whim. The U-Net with batch normalisation, which has served everywhere so far, was tried
first, and lost to bicubic on one photograph of three. The corrections are a few hundredths, and a normalisation
whose mean and deviation are estimated anew from each batch shakes its features by more than that. (Those who won
the contests of 2017 had found the same and taken it out.)

Two factors of ten help it a lot. A convolution must learn first that the brightness of a place says nothing about
its details; we tell it, by giving it only how much a pixel differs from the mean of the 3 × 3 around it, ten times,
so that the numbers are of order one. And `corrected` takes a tenth of its answer: Adam's steps have one size,
whatever the gradient, and where weights of the usual size make corrections of a few hundredths, a step is a small
one. With its answer taken whole, the same network came to 0.34 dB above bicubic in as many steps, below our claim.
*/

enum { ENLARGER_LAYERS = 5, ENLARGER_WIDTH = 24 };

typedef struct {
    const Photo *photos;
    Parameters set;
    Conv convs[ENLARGER_LAYERS];
} Enlarger;

static Enlarger *enlarger_new(Arena *arena, const Photo *photos, Rng *rng)
{
    Enlarger *e = arena_zeros(arena, 1, sizeof *e);
    e->photos = photos;
    e->set = parameters_new(arena);
    for (int l = 0; l < ENLARGER_LAYERS; l++) {
        const bool last = l == ENLARGER_LAYERS - 1; // it begins with no correction
        e->convs[l] =
            conv_new(&e->set, layer_name(&e->set, "conv", "", l), l ? ENLARGER_WIDTH : 1,
                     last ? 4 : ENLARGER_WIDTH, window_square(3, 1, 1), rng, last ? INIT_ZERO : INIT_HE);
    }
    return e;
}

// small (n·h·w × 1), guess (n·2h·2w × 1) → (n·2h·2w × 1)
static Map enlarged(const Enlarger *e, Map small, Map guess)
{
    Map around = map_average_pool(small, window_square(3, 1, 1));
    Map h = map_of(tensor_scale(tensor_subtract(small.features, around.features), 10.0f), small.grid);
    for (int l = 0; l < ENLARGER_LAYERS - 1; l++) h = map_conv_relu(&e->convs[l], h);
    return corrected(guess, map_pixel_shuffle(map_conv(&e->convs[ENLARGER_LAYERS - 1], h), 2));
}

static Tensor *enlarger_loss(void *which, Tape *tape, Rng rng)
{
    Enlarger *e = which;
    Matrix clean = matrix_uninitialised(tape_arena(tape), BATCH * CROP_PIXELS, 1),
           guess = matrix_uninitialised(tape_arena(tape), BATCH * CROP_PIXELS, 1),
           small = matrix_uninitialised(tape_arena(tape), BATCH * CROP_PIXELS / 4, 1);
    for (int b = 0; b < BATCH; b++) {
        int top, left;
        const Photo *photo = random_place(e->photos, &top, &left, &rng);
        crop(clean.data + b * CROP_PIXELS, photo->clean, top, left, CROP);
        crop(guess.data + b * CROP_PIXELS, photo->bicubic, top, left, CROP);
        crop(small.data + b * CROP_PIXELS / 4, photo->small, top / 2, left / 2, CROP / 2);
    }
    Map out = enlarged(e, map_input(tape, small, ((Grid){BATCH, CROP / 2, CROP / 2})),
                       map_input(tape, guess, ((Grid){BATCH, CROP, CROP})));
    return mean_squared_error(out.features, clean);
}

enum { BICUBIC, SHARPENED, LEARNT_ENLARGER, ENLARGERS };

// The best of each on this photograph. *nearer: whether make_consistent has always helped
static void best_enlargers(Arena *arena, Best best[ENLARGERS], bool *nearer, const Photo *photo)
{
    static const float kernels[] = {1.0f, -0.5f, -0.75f};
    Matrix plain = matrix_new(arena, photo->clean.rows, photo->clean.cols), soft = matrix_copy(arena, plain),
           out = matrix_copy(arena, plain);
    for (int m = 0; m < ENLARGERS; m++) best[m] = best_new(arena, photo->clean);
    for (int k = 0; k < 3; k++) {
        interpolate(plain, photo->small, kernels[k]);
        if (kernels[k] < 0.0f) keep_the_better(&best[BICUBIC], plain, photo->clean, kernels[k]);
        for (int s = 0; s < 5; s++) {
            blur(soft, plain, 0.4f + 0.3f * (float)s);
            for (int strength = 0; strength <= 16; strength++) {
                subtract(out, plain, soft);
                scale(out, 0.125f * (float)strength);
                add(out, out, plain);
                const double before = peak_signal_noise_ratio(out, photo->clean, 1.0);
                make_consistent(out, photo->small);
                *nearer = *nearer && peak_signal_noise_ratio(out, photo->clean, 1.0) >= before - 1e-4;
                keep_the_better(&best[SHARPENED], out, photo->clean, kernels[k]);
            }
        }
    }
}

static void draw_enlarged(Lesson *lesson, const Photo *photo, const Best best[ENLARGERS])
{
    Matrix blocks = matrix_new(lesson_arena(lesson), photo->clean.rows, photo->clean.cols);
    make_consistent(blocks, photo->small); // each small pixel as four equal ones
    const Matrix images[] = {blocks, best[BICUBIC].image, best[SHARPENED].image, best[LEARNT_ENLARGER].image,
                             photo->clean};
    static const char *const names[] = {"small", "bicubic", "sharpened", "network", ""};
    Plot *plot = plot_begin(lesson, "enlarged.png", "What were those four?");
    plot_size(plot, 1200, 350);
    draw_compared(plot, images, names, 5, 5, photo->clean, 24, 84, 72);
    plot_end(plot, "A piece of coins; decibels are those of the whole photograph.");
}

enum { ENLARGER_STEPS = 800 };

static void twice_as_many(Lesson *lesson, const Photo *photos)
{
    section(lesson, "Twice as many pixels");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 50);
    Enlarger *e = enlarger_new(arena, photos, &rng);
    const int steps = lesson_full(lesson) ? 8 * ENLARGER_STEPS : ENLARGER_STEPS;
    train(lesson, "super-resolution", enlarger_loss, e, &e->set, steps, 2e-3f, lesson_rng(lesson, 51));
    printf("%zu weights, %d steps; PSNR in dB\n\n%-10s%20s%12s%18s%18s\n", parameters_size(&e->set), steps,
           "", "best bicubic", "network", "best sharpened *", "network *");
    bool nearer = true, wins = true;
    double over_bicubic = 0.0, over_sharpened = 0.0;
    static Best best[TEST_PHOTOS][ENLARGERS];
    for (int p = 0; p < TEST_PHOTOS; p++) {
        const Photo *photo = &photos[TRAIN_PHOTOS + p];
        best_enlargers(arena, best[p], &nearer, photo);
        Arena *scratch = arena_new();
        Tape *tape = tape_inference(scratch);
        Map small = whole_image(tape, photo->small), guess = whole_image(tape, photo->bicubic);
        Matrix out =
            matrix_reshape(enlarged(e, small, guess).features->value, photo->clean.rows, photo->clean.cols);
        const double plain = peak_signal_noise_ratio(out, photo->clean, 1.0), bicubic = best[p][BICUBIC].psnr;
        make_consistent(out, photo->small);
        keep_the_better(&best[p][LEARNT_ENLARGER], out, photo->clean, 0.0f);
        arena_free(scratch);
        const double network = best[p][LEARNT_ENLARGER].psnr, sharpened = best[p][SHARPENED].psnr;
        printf("%-10s%10.2f (a %5.2f)%12.2f%18.2f%18.2f\n", photo->name, bicubic,
               (double)best[p][BICUBIC].setting, plain, sharpened, network);
        nearer = nearer && network >= plain - 1e-4;
        wins = wins && plain > bicubic;
        over_bicubic += (plain - bicubic) / TEST_PHOTOS;
        over_sharpened += (network - sharpened) / TEST_PHOTOS;
    }
    printf("\n* with the means set right; the network is %.2f dB above bicubic, with * %.2f above the "
           "sharpened one\n\n",
           over_bicubic, over_sharpened);
    claim(lesson, nearer, "to set the means right brings every guess nearer to the truth, without exception");
    claim(lesson, wins, "the network beats the best bicubic on every photograph");
    claim(lesson, over_bicubic >= 0.5, "by at least half a decibel on average");
    claim(lesson, over_sharpened > 0.0, "and, means set right on both sides, the sharpened one on average");
    draw_enlarged(lesson, &photos[TRAIN_PHOTOS + 2], best[2]);
}

/*
About two fifths of the advantage over bicubic are nothing that must be learnt: sharpening has them, with the means
set right. What is left is small on camera and chelsea, and large on the coins. Half a decibel "over bicubic" is often
reported as what a network can do. It is what a network can do *and* what bicubic had left undone.

Before they can be used the photographs have to be read.
*/

static void photos_read(Photo photos[PHOTOS], Lesson *lesson)
{
    Arena *arena = lesson_arena(lesson);
    for (int p = 0; p < PHOTOS; p++) {
        char path[128];
        Photo *photo = &photos[p];
        snprintf(path, sizeof path, "datasets/cache/photographs/%s", photo_files[p]);
        snprintf(photo->name, sizeof photo->name, "%.*s", (int)strcspn(photo_files[p], "."), photo_files[p]);
        Image image = image_read(arena, path);
        image = image_centre(arena, image, image.height / 8 * 8,
                             image.width / 8 * 8); // the U-Net halves three times
        photo->clean = matrix_reshape(image_luminance(arena, image), image.height, image.width);
        photo->noisy = matrix_new(arena, image.height, image.width);
        photo->small = matrix_new(arena, image.height / 2, image.width / 2);
        photo->bicubic = matrix_new(arena, image.height, image.width);
        Rng rng = lesson_rng(lesson, 60 + (uint64_t)p);
        rng_normals(&rng, photo->noisy.data, matrix_size(photo->noisy));
        scale(photo->noisy, NOISE);
        add(photo->noisy, photo->noisy, photo->clean);
        halve(photo->small, photo->clean);
        interpolate(photo->bicubic, photo->small, -0.5f);
    }
}
/*
## Weights that somebody else has trained

All networks so far were trained on the spot, and still the best of them stood on a backbone that had been trained
for something else. Most of those that run in the world were not: somebody trained a network once, and others fetch
a file of numbers. Here is such a file, 193 kB that find **faces** in photographs. It belongs to *face-api.js*, a
library for web pages, whose authors say that it was trained on "a custom dataset of ~14K images", and no more. To
use it we need three things: the numbers, the network that they are the weights of, and the meaning of its outputs.

**The numbers.** A manifest in JSON lists the tensors by name and shape. Their values stand in a second file, one
tensor after the other, **one byte each**. This is **quantisation** (量化): the range from the least to the largest
weight of a tensor is cut into 255 equal steps, and each weight goes to the nearest of the 256 levels. A byte $q$
stands for

$$w = q \cdot s + m,$$

where the manifest notes the step $s$ and the least weight $m$. In words: from the least weight, go $q$ steps up. No
weight is off by more than half a step, and the file is a quarter of what floats would need.
*/

enum { FACE_SIDE = 416, FACE_CELLS = 13, FACE_ANCHORS = 5, FACE_BLOCKS = 5 };
enum { FACE_MOST = FACE_CELLS * FACE_CELLS * FACE_ANCHORS }; // boxes that one image can have

// q · scale + minimum of each byte, in double and rounded once: (rows × cols).
static void dequantise(Matrix out, const TfjsTensor *tensor)
{
    for (size_t i = 0; i < matrix_size(out); i++)
        out.data[i] = (float)(tensor->data[i] * tensor->scale + tensor->minimum);
}

/*
**The network** must be known from elsewhere, though the names of the tensors tell most of it. It is a stack of
layers that we have met, but for one: the **depthwise separable convolution** (深度可分离卷积; Sifre 2014; Howard and
others 2017). First a 3 × 3 window slides over each channel, over each another one, and the channels do not meet;
then a 1 × 1 convolution mixes them. A full 3 × 3 convolution from $C$ to $2C$ channels has $18 C^2$ weights, these
two together $9C + 2C^2$.

```
416 × 416 ×   3   conv 3 × 3 without padding
414 × 414 ×  16   max pool, depthwise 3 × 3, 1 × 1
207 × 207 ×  32   max pool, depthwise 3 × 3, 1 × 1
104 × 104 ×  64   max pool, depthwise 3 × 3, 1 × 1
 52 ×  52 × 128   max pool, depthwise 3 × 3, 1 × 1
 26 ×  26 × 256   max pool, depthwise 3 × 3, 1 × 1
 13 ×  13 × 512   max pool that moves by one pixel, 1 × 1
 13 ×  13 ×  25
```

After the first layer and after each block comes a **leaky ReLU** (带泄漏的线性整流): what is negative is not cut off but
divided by ten. 207 is odd, and 104 is its half rounded *up*: the pool repeats the last row and column, so that
nothing at the edge is lost. Such conventions are not in the file either.
*/

typedef struct {
    Conv first, depthwise[FACE_BLOCKS], pointwise[FACE_BLOCKS], last;
    Arena *arena;
    Tape *tape; // that does not record
    TfjsFile file;
    bool equal; // to what common/ reads
} FaceNet;

// The tensor "layer/part" as a parameter, (rows × cols)
static Tensor *face_tensor(FaceNet *net, const char *layer, const char *part, int rows, int cols)
{
    char name[64];
    snprintf(name, sizeof name, "%s/%s", layer, part);
    const Matrix read = tfjs_matrix(net->arena, &net->file, name, rows, cols); // stops at another shape
    Tensor *tensor = parameter_new(net->arena, rows, cols);
    dequantise(tensor->value, tfjs_find(&net->file, name));
    net->equal = net->equal && largest_difference(tensor->value, read) == 0.0f;
    return tensor;
}

static void face_net_read(FaceNet *net)
{
    const Window pixel = window_square(1, 1, 0);
    net->equal = true;
    net->first = (Conv){face_tensor(net, "conv0", "filters", 3 * 3 * 3, 16),
                        face_tensor(net, "conv0", "bias", 1, 16), window_square(3, 1, 0)};
    for (int b = 0; b < FACE_BLOCKS; b++) {
        const int channels = 16 << b;
        char layer[16];
        snprintf(layer, sizeof layer, "conv%d", b + 1);
        net->depthwise[b] = (Conv){face_tensor(net, layer, "depthwise_filter", 3 * 3, channels),
                                   NULL,
                                   {.height = 3, .width = 3, .padding = 1, .groups = channels}};
        net->pointwise[b] = (Conv){face_tensor(net, layer, "pointwise_filter", channels, 2 * channels),
                                   face_tensor(net, layer, "bias", 1, 2 * channels), pixel};
    }
    net->last = (Conv){face_tensor(net, "conv8", "filters", 512, 5 * FACE_ANCHORS),
                       face_tensor(net, "conv8", "bias", 1, 5 * FACE_ANCHORS), pixel};
}

// The largest of 2 × 2 pixels of one image, its last row and column repeated: H becomes H / stride, rounded up.
static Map pool_to_the_edge(Map m, int stride)
{
    const Grid wider = {1, m.grid.height + 1, m.grid.width + 1};
    Tape *tape = m.features->tape;
    int *pixels = arena_alloc(tape_arena(tape), (size_t)grid_rows(wider), sizeof *pixels);
    for (int i = 0; i < grid_rows(wider); i++)
        pixels[i] = int_min(i / wider.width, m.grid.height - 1) * m.grid.width +
                    int_min(i % wider.width, m.grid.width - 1);
    Tensor *repeated = embedding(tape, m.features, pixels, grid_rows(wider));
    return map_max_pool(map_of(repeated, wider), window_square(2, stride, 0));
}

static Map face_leaky(Map m) { return map_of(leaky_relu(m.features, 0.1f), m.grid); }

// pixels (416·416 × 3), from 0 to 1 → (13·13 × 5·5)
static Matrix face_outputs(const FaceNet *net, Matrix pixels)
{
    const float means[] = {117.001f / 255.0f, 114.697f / 255.0f, 97.404f / 255.0f}; // of red, green, blue
    const Grid grid = {1, FACE_SIDE, FACE_SIDE};
    Matrix x = matrix_copy(tape_arena(net->tape), pixels);
    for (int i = 0; i < x.rows; i++)
        for (int c = 0; c < 3; c++) AT(x, i, c) -= means[c];
    Map m = face_leaky(map_conv(&net->first, map_input(net->tape, x, grid)));
    for (int b = 0; b < FACE_BLOCKS; b++) {
        m = map_conv(&net->depthwise[b], pool_to_the_edge(m, 2));
        m = face_leaky(map_conv(&net->pointwise[b], m));
    }
    return map_conv(&net->last, pool_to_the_edge(m, 1)).features->value;
}

/*
**The outputs.** Our own detector has one box a cell. This one has five, its **anchors** (锚框; Redmon and Farhadi
2017): boxes of fixed sizes, from 1.6 × 2.1 to 9 × 10.7 cells, that were common in its training set. Each has five
numbers $t$. With $\sigma$ the sigmoid, and in units of cells,

$$\text{centre} = \text{cell} + \sigma(t_{xy}), \qquad \text{size} = \text{anchor} \cdot e^{t_{wh}}, \qquad
\text{score} = \sigma(t_o).$$

In words: the centre is somewhere in the cell, the size is the anchor's up to a factor, and the score says how sure
the network is that a face is there. An image that is not square lies in the upper left corner of a black one that
is, and that is shrunk to 416 × 416. The authors take scores from 0.5 on for faces and suppress above an IoU of 0.4,
and so do we.
*/

// outputs (13·13 × 5·5) → the boxes with a score of at least .5, in pixels of a square of this side, cut at its
// edges; returns how many
static int face_candidates(Detection *boxes, Matrix outputs, int side)
{
    const float anchors[FACE_ANCHORS][2] = {{1.603231f, 2.094468f},
                                            {6.041143f, 7.080126f},
                                            {2.882459f, 3.518061f},
                                            {4.266906f, 5.178857f},
                                            {9.041765f, 10.66308f}};
    const float cell = (float)side / FACE_CELLS;
    int count = 0;
    for (int i = 0; i < FACE_CELLS * FACE_CELLS; i++)
        for (int a = 0; a < FACE_ANCHORS; a++) {
            const float *t = matrix_row(outputs, i) + 5 * a; // x, y, width, height, object
            const float score = sigmoid32(t[4]);
            if (!(score >= 0.5f)) continue;
            const float x = ((float)(i % FACE_CELLS) + sigmoid32(t[0])) * cell;
            const float y = ((float)(i / FACE_CELLS) + sigmoid32(t[1])) * cell;
            const float w = anchors[a][0] * exp32(t[2]) * cell, h = anchors[a][1] * exp32(t[3]) * cell,
                        end = (float)side;
            const Box box = {clamp32(y - h / 2, 0, end), clamp32(x - w / 2, 0, end),
                             clamp32(y + h / 2, 0, end), clamp32(x + w / 2, 0, end)};
            boxes[count++] = (Detection){.box = box, .score = score};
        }
    return count;
}

// boxes [FACE_MOST]; returns how many there are; before receives how many there were before suppression
static int face_look(Detection *boxes, const FaceNet *net, Image image, int *before)
{
    tape_reset(net->tape);
    Arena *arena = tape_arena(net->tape);
    const int side = int_max(image.height, image.width);
    Image square = image_new(arena, side, side);
    image_paste(square, image, 0, 0);
    Matrix pixels = image_pixels(arena, image_resize(arena, square, FACE_SIDE, FACE_SIDE));
    *before = face_candidates(boxes, face_outputs(net, pixels), side);
    return non_maximum_suppression(boxes, *before, 0.4, NMS_ALL);
}

/*
### Two faces, and twelve photographs without one

Two of our photographs show a face: the astronaut's from the front, and the cameraman's from the side. We fix the
truth by eye, from the hair to the chin and from ear to cheek, or ear to nose: rows 75 to 178 and columns 175 to 270
for her, rows 127 to 197 and columns 180 to 254 for him. The cat has a face too, but not one that the network was
asked for.

And we have a reference: the authors' own program, in JavaScript, gives her a score of 0.975 and him one of 0.669.
It shrinks an image by bilinear interpolation; ours takes the mean of the area that a pixel covers, so we may expect
nearly the same, and not the same.
*/

enum { FACE_PHOTOS = 14, CAT = 2 };
static const char *const face_photos[FACE_PHOTOS] = {
    "astronaut.png", "camera.png", "chelsea.png", "coffee.png", "rocket.jpg", "hubble_deep_field.jpg",
    "coins.png",     "cell.png",   "horse.png",   "brick.png",  "grass.png",  "gravel.png",
    "china.jpg",     "flower.jpg"};
static const TrueBox true_faces[] = {{{75, 175, 178, 270}, 0, 0}, {{127, 180, 197, 254}, 0, 1}};
static const Detection their_faces[] = {
    {{75.7f, 163.3f, 186.6f, 279.3f}, 0.975f, 0, 0}, // of the authors' program
    {{130.6f, 189.8f, 200.5f, 258.5f}, 0.669f, 0, 1}};

static Image face_photo(Arena *arena, int i)
{
    char path[96];
    snprintf(path, sizeof path, "datasets/cache/photographs/%s", face_photos[i]);
    return image_read(arena, path);
}

// all [FACE_PHOTOS · FACE_MOST] receives what is found in all photographs
static int find_faces(Detection *all, const FaceNet *net, int *candidates)
{
    int count = 0, before;
    *candidates = 0;
    for (int p = 0; p < FACE_PHOTOS; p++) {
        Arena *arena = arena_new();
        const int more = face_look(all + count, net, face_photo(arena, p), &before);
        for (int i = count; i < count + more; i++) all[i].image = p;
        count += more;
        *candidates += before;
        arena_free(arena);
    }
    return count;
}

static void look_for_faces(Lesson *lesson, const FaceNet *net, Detection *found)
{
    section(lesson, "Weights that somebody else has trained");
    int candidates, numbers = 0, hers = 0, sure = 0, cats = 0, alike = 0;
    const int count = find_faces(found, net, &candidates);
    for (int i = 0; i < net->file.count; i++) numbers += (int)net->file.tensors[i].elements;
    printf("%d tensors, %d numbers; %d photographs, %d boxes each\n", net->file.count, numbers, FACE_PHOTOS,
           FACE_MOST);
    printf("%d candidates, %d faces after suppression\n\n", candidates, count);
    printf("%-16s%8s%12s%12s%14s%14s\n", "photograph", "score", "rows", "columns", "IoU by eye",
           "IoU to theirs");
    for (int i = 0; i < count; i++) {
        const Detection d = found[i], theirs = their_faces[d.image & 1];
        const double by_eye = box_iou(d.box, true_faces[d.image & 1].box),
                     with_theirs = box_iou(d.box, theirs.box);
        printf("%-16s%8.3f%8.0f–%3.0f%8.0f–%3.0f%14.2f%14.2f\n", face_photos[d.image], (double)d.score,
               (double)d.box.top, (double)d.box.bottom, (double)d.box.left, (double)d.box.right, by_eye,
               with_theirs);
        alike += d.image == theirs.image && fabsf(d.score - theirs.score) <= 0.02f && with_theirs >= 0.9;
        hers += d.image == 0;
        sure += d.image == 0 && d.score >= 0.9f && by_eye >= 0.5;
        cats += d.image == CAT;
    }
    printf("\n");
    const double ap = average_precision(found, count, true_faces, 2, ALL_LABELS, 0.5);
    claim(lesson, net->equal, "our dequantisation gives the weights that common/ reads, bit for bit");
    claim(lesson, hers == 1 && sure == 1, "the astronaut has one face, with a score of at least 0.9");
    claim(lesson, cats == 0, "the cat has none");
    claim(lesson, ap == 1.0 && count == 2,
          "both faces are found and nothing else: an average precision of 1");
    claim(lesson, alike == 2,
          "the authors' program says the same: scores within 0.02, an IoU of at least 0.9");
}

/*
### One face, two cells

There was no second candidate anywhere, so suppression had nothing to do. Was it needless? Each cell speaks for the
faces whose centre lies in it. What if a centre lies near the border of two? We make the astronaut's photograph a
little smaller and move it about on a black square, by steps of 8 pixels, a quarter of a cell, to 16 places. Nothing
in it changes.
*/

enum { FACE_MOVES = 4, FACE_MOVE = 8, FACE_SMALLER = 384 };

static Image smaller_face(Arena *arena)
{
    return image_resize(arena, face_photo(arena, 0), FACE_SMALLER, FACE_SMALLER);
}

static Image moved(Arena *arena, Image face, int down, int right)
{
    Image out = image_new(arena, FACE_SIDE, FACE_SIDE);
    image_paste(out, face, down, right);
    return out;
}

static void draw_faces(Lesson *lesson, const FaceNet *net)
{
    enum { PANELS = 4, SHOWN = 256 };
    static const char *const captions[PANELS] = {"the astronaut", "the cameraman", "the cat",
                                                 "one face, two cells"};
    static const uint8_t colour[3] = {255, 40, 40};
    Arena *arena = arena_new();
    Matrix images = matrix_new(arena, PANELS, SHOWN * SHOWN * 3);
    for (int p = 0; p < PANELS; p++) {
        Detection boxes[FACE_MOST];
        int before;
        Image image = p < 3 ? face_photo(arena, p) : moved(arena, smaller_face(arena), 24, 24);
        face_look(boxes, net, image, &before);
        Image square =
            image_new(arena, int_max(image.height, image.width), int_max(image.height, image.width));
        image_paste(square, image, 0, 0);
        for (int i = 0; i < before; i++)
            image_draw_box(square, (int)boxes[i].box.top, (int)boxes[i].box.left, (int)boxes[i].box.bottom,
                           (int)boxes[i].box.right, square.height / 128, colour);
        const Matrix small = image_pixels(arena, image_resize(arena, square, SHOWN, SHOWN));
        memcpy(matrix_row(images, p), small.data, matrix_size(small) * sizeof(float));
    }
    Plot *plot = plot_begin(lesson, "faces.png", "Candidates for faces, before suppression");
    plot_images(plot, (PlotImages){SHOWN, SHOWN, 3, PANELS, 0.0f, 1.0f}, images, captions);
    plot_end(plot, "Boxes with a score of 0.5 or more.");
    arena_free(arena);
}

static void move_the_face(Lesson *lesson, const FaceNet *net, Detection *boxes)
{
    section(lesson, "One face, two cells");
    const float shrunk = (float)FACE_SMALLER / 512.0f;
    const Image face = smaller_face(lesson_arena(lesson));
    int candidates = 0, single = 0, before;
    printf("candidates and the highest score; moved down in each line, to the right in each column\n\n");
    for (int i = 0; i < FACE_MOVES * FACE_MOVES; i++) {
        const int down = i / FACE_MOVES * FACE_MOVE, right = i % FACE_MOVES * FACE_MOVE;
        Arena *arena = arena_new();
        const int kept = face_look(boxes, net, moved(arena, face, down, right), &before);
        const Box eye = true_faces[0].box;
        const Box truth = {eye.top * shrunk + (float)down, eye.left * shrunk + (float)right,
                           eye.bottom * shrunk + (float)down, eye.right * shrunk + (float)right};
        single += kept == 1 && box_iou(boxes[0].box, truth) >= 0.5;
        candidates += before;
        printf("%8d  %.2f%s", before, kept ? (double)boxes[0].score : 0.0, (i + 1) % FACE_MOVES ? "" : "\n");
        arena_free(arena);
    }
    printf("\n");
    const int places = FACE_MOVES * FACE_MOVES;
    claim(lesson, candidates > places && single == places,
          "suppression leaves one face in each of %d places, of %d candidates", places, candidates);
    draw_faces(lesson, net);
}

/*
Where the centre is near a border, two cells claim the face, and suppression makes one of two. And look at the
scores: the same face, pixel for pixel, has anything from 0.71 to 0.98, by where it happens to lie in its cell. A
score ranks boxes; it is no probability that could be trusted to two digits.
*/

static void faces(Lesson *lesson)
{
    FaceNet net = {.arena = arena_new(), .tape = tape_new()};
    tape_record(net.tape, false);
    net.file =
        tfjs_open(net.arena, "datasets/cache/face-detector/tiny_face_detector_model-weights_manifest.json");
    Detection *boxes = arena_zeros(net.arena, FACE_PHOTOS * FACE_MOST, sizeof *boxes);
    face_net_read(&net);
    look_for_faces(lesson, &net, boxes);
    move_the_face(lesson, &net, boxes);
    tape_free(net.tape);
    arena_free(net.arena);
}

/*
*Not in the file, and misread without a word of warning:* where the mean colour is subtracted, in which order red,
green and blue come, how steep the leaky ReLU is. It is often said that with one such mistake nothing works. Try it:
with red and blue exchanged both faces are found as before; without the means, hers only; with an ordinary ReLU
both, and three that are not there. Most mistakes make a network a little poorer and look like a poor network. So
whoever loads foreign weights needs outputs to compare with, from where they came, and that is what the two scores
were for. With its way of shrinking an image instead of ours, this network gives the other program's scores to six
digits.
*/

/*
## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson =
        lesson_begin(argc, argv, "12-detection-segmentation-enhancement", "What a backbone can do");
    Arena *arena = lesson_arena(lesson);
    const World world = world_read(arena);
    Rng rng = lesson_rng(lesson, 1);
    const Scenes test = compose(arena, &world, TEST_SCENES, TESTING, &rng);
    Detector *detector = NULL;
    static Photo photos[PHOTOS];
    photos_read(photos, lesson);
    the_scenes(lesson, &test, world.fashion.names);
    a_grid_of_features(lesson, &test);
    how_much_boxes_agree(lesson);
    what_is_where(lesson, &detector, &world, &test);
    what_is_each_pixel(lesson, detector, &world, &test);
    without_noise(lesson, photos);
    twice_as_many(lesson, photos);
    faces(lesson);
    return lesson_end(lesson);
}

/*
## What to take along

- A backbone turns an image into features on a grid. What is asked of them is a matter of the head: boxes from a
  coarse grid, classes of pixels or the pixels themselves from a fine one.
- A detector that makes one cell responsible for each item has learnt to say it once. Suppression is for those items
  whose centre lies between two cells.
- IoU, suppression and average precision have corners (touching, empty, equal, absent). Write down what happens
  there, and compare with a second implementation on cases that hit them.
- In a mean over classes an absent class counts for nothing, one that is called without being there for zero.
- What an ingredient is worth is measured by taking it out, with all else equal. The shortcuts of a U-Net carry
  outlines.
- Features learnt for one question answer another: a backbone trained on boxes, left as it was, served masks better
  than one that was learnt for them in as many steps.
- An opponent deserves his best setting. One who may choose it on the test image cannot complain; if he is still
  beaten, it was not the setting.
- What is known for certain (the mean of four pixels) should be imposed and not learnt. It cannot hurt.
- Foreign weights come without the conventions that give them their meaning. Compare an output with one from their
  home.

## Check yourself

**1.** Two squares of side 10 overlap in a strip of 10 × 5. What is their IoU? One is enlarged to 10 × 20 so that it
covers the other one: and now?

<details><summary>Answer</summary>

50 of 150: one third, though half of each is covered. Then 100 of 200: one half, though all of the small one is
covered.

</details>

**2.** A detector finds every item, with the right box and the score 0.9, and half of the time a second, equal box
with the score 0.4. What is its AP without suppression? And if the second box has the score 0.95?

<details><summary>Answer</summary>

1: when the wrong ones come, everything has been found, and the area is complete. At 0.95 the second boxes come
first, and they are the right ones then, for they are equal to the others; the first boxes of those items are wrong
and come in the middle of the list, mixed with the right ones of the other half. Half of the recall is reached with
precision 1; in the other half it falls from 1 to 2/3.

</details>

**3.** A U-Net calls everything "background". The background has four fifths of the pixels. What is its accuracy,
what its mean IoU over five classes?

<details><summary>Answer</summary>

80 %, and $(0.8 + 0 + 0 + 0 + 0)/5 = 0.16$.

</details>

**4.** Why does the denoiser add its answer to the input, where the segmenting network does not?

<details><summary>Answer</summary>

Its answer *is* nearly the input: to pass on a whole image through convolutions and ReLU is work, and it would have
to be done exactly. What is to be said about the noise is small, and saying nothing is a good beginning. A mask has
nothing in common with the brightness of its pixels.

</details>

**5.** Somebody reports a super-resolution network that beats bicubic by 0.3 dB. What would you ask?

<details><summary>Answer</summary>

How the small images were made: of means, bicubic interpolation is too soft, and sharpening alone gives it 0.3 dB.
Which $a$ bicubic had. Whether the test photographs, or others of the same scene, were among the training ones. On
each photograph, or on average?

</details>

## Sources

- J. Redmon, S. Divvala, R. Girshick, A. Farhadi, *You only look once*, 2016: a cell is responsible for the objects
  whose centre it holds. Z. Tian, C. Shen, H. Chen, T. He, *FCOS*, 2019, and X. Zhou, D. Wang, P. Krähenbühl,
  *Objects as points*, 2019: without anchors.
- M. Everingham and others, *The PASCAL visual object classes challenge*, 2010: IoU, average precision, and IoU for
  masks.
- T.-Y. Lin and others, *Microsoft COCO: common objects in context*, 2014: the hours.
- A. Neubeck, L. Van Gool, *Efficient non-maximum suppression*, 2006.
- R. Girshick, *Fast R-CNN*, 2015: the Huber loss for boxes. P. Huber, *Robust estimation of a location parameter*,
  1964.
- O. Ronneberger, P. Fischer, T. Brox, *U-Net: convolutional networks for biomedical image segmentation*, 2015.
- K. Zhang and others, *Beyond a Gaussian denoiser*, 2017: residual learning; *FFDNet*, 2018: four pixels as four
  features.
- J.-S. Lee, *Digital image enhancement and noise filtering by use of local statistics*, 1980: the adaptive Wiener
  filter.
- C. Dong and others, *Learning a deep convolutional network for image super-resolution*, 2014; W. Shi and others,
  *Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural network*,
  2016: the small grid and the shuffle; B. Lim and others, *Enhanced deep residual networks for single image
  super-resolution*, 2017: without batch normalisation.
- R. Keys, *Cubic convolution interpolation for digital image processing*, 1981.
- J. Redmon, A. Farhadi, *YOLO9000*, 2017: boxes by anchors. V. Mühler, *face-api.js*, 2018–2020, and V. Mandic's
  continuation: the face detector and its weights (MIT licence). A. Howard and others, *MobileNets*, 2017.
- H. Xiao, K. Rasul, R. Vollgraf, *Fashion-MNIST*, 2017; the photographs are those of scikit-image and scikit-learn.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade12` tells how far you are, `make
hint12` helps.

- **TASK 12.1** the IoU of all pairs of two lists of boxes.
- **TASK 12.2** non-maximum suppression, with its ties.
- **TASK 12.3** mean average precision over images and classes.
- **TASK 12.4** mean IoU, with absent classes and pixels without a truth.
- **TASK 12.5** PSNR without the border.

And without a computer, or with five minutes at one:

**1.** A box of 20 × 20 is found with its centre off by $d$ pixels in both directions. From which $d$ on is the IoU
below one half?

<details><summary>Answer</summary>

$(20-d)^2 / (800 - (20-d)^2) = \frac12$ gives $(20 - d)^2 = 800/3$, $d = 3.67$: less than half a cell.

</details>

**2.** The backbone has 107 thousand weights, two thirds of them in its last two stages. How would the number of
weights and the number of products change for images of 128 × 128?

<details><summary>Answer</summary>

The weights stay, there are four times as many positions and so four times as many products. A coarse position still
sees 58 × 58 pixels.

</details>

**3.** Noise of deviation $s$ is added to an image. What is the PSNR of the noisy image, in decibels, and why does
its content not matter?

<details><summary>Answer</summary>

The mean squared error is $s^2$, the PSNR $-20 \log_{10} s$: 20.17 dB for 25/255, as the table says of all three
photographs. The difference is the noise, whatever it was added to (as long as nothing is cut off at 0 and 1).

</details>

**4.** A mean of $n$ noisy pixels has a noise of deviation $s / \sqrt n$. By how much could the PSNR rise at most
with the best window of 5 × 5, and what must the image be for that?

<details><summary>Answer</summary>

By $10 \log_{10} 25 = 14$ dB, if the image is constant within each window. Fur and grass are not, and there the best
Gaussian has windows of a few pixels.

</details>

**5.** Show that the image that `make_consistent` makes is the nearest one with the right means.

<details><summary>Answer</summary>

In each 2 × 2 pixels, corrections $e$ with a given sum $4m$ have $\sum e_i^2 \ge 4 m^2$, with equality when all are
equal. And for any other image with the right means, its difference from ours sums to zero in each 2 × 2, so it is
perpendicular to the correction, which is constant there: that is Pythagoras's right angle.

</details>
*/
