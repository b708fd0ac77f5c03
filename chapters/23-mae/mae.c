/*
# MAE: an encoder that sees a quarter

Labels are expensive and images are not. BERT (chapter 19) learned from text without labels: hide some words, guess
them, and whoever guesses well has understood something. Can the same be done with images? Hide a part, let a network
fill it in, throw the filled-in image away, and keep the network.

The **masked autoencoder** (掩码自编码器, MAE) of Kaiming He and others (2021) is this idea, with two decisions that
text does not need. It hides three quarters of the image instead of a seventh. And its encoder never sees what is
hidden, not even as an empty place: it runs on the visible quarter alone. You will see

- how patches are gathered and put back, which is all of the bookkeeping, and how such indices are checked;
- what the short sequence saves, counted and measured;
- the images that it fills in, beside five other ways to fill them in, two of which are closer to the truth;
- what the encoder is worth afterwards, with 10 and with 100 labels of each class.

You need [chapter 16](../16-attention/README.md) for attention and [chapter 22](../22-vit-swin/README.md) for images
as patches.
*/

#include "base/mathf.h"
#include "base/parallel.h"
#include "files/idx.h"
#include "learning/ops/graph.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/block.h"

/*
## An image as 49 tokens

A transformer reads a sequence of vectors. To make one of an image of 28 × 28 pixels, cut it into squares of 4 × 4:
49 patches of 16 numbers each. Patch $p$ stands in line $\lfloor p / 7 \rfloor$ and column $p \bmod 7$ of
the patches, and number $t$ in it is the pixel in line $\lfloor t / 4 \rfloor$ and column $t \bmod 4$ of the patch.
No number is lost or computed; an image becomes another order of the same 784 numbers. We bring all images into this
order once, so that a batch of $B$ images is a matrix of $B \times 784$ or, the same memory, of $49 B \times 16$.

Two things are done to the numbers before. The mean of all training images is subtracted, pixel by pixel, and what
is left is divided by one deviation, that of all pixels together. So an image of zeros *is* the mean image, and
whoever guesses it has a mean squared error of about 1. All errors of this chapter are in this unit: 0.3 means that
30 % of the variance is not explained.
*/

enum { SIDE = 28, PIXELS = SIDE * SIDE, PATCH = 4, ACROSS = SIDE / PATCH, PATCHES = ACROSS * ACROSS };
enum { INSIDE = PATCH * PATCH, VISIBLE = 12, HIDDEN = PATCHES - VISIBLE, CLASSES = 10 };

// images (N × 784), line after line → out (N × 784), patch after patch
static void cut_into_patches(Matrix out, Matrix images)
{
    for (int n = 0; n < images.rows; n++)
        for (int p = 0; p < PATCHES; p++)
            for (int t = 0; t < INSIDE; t++) {
                int line = p / ACROSS * PATCH + t / PATCH, column = p % ACROSS * PATCH + t % PATCH;
                AT(out, n, p * INSIDE + t) = AT(images, n, line * SIDE + column);
            }
}

// And back: what pixel (line, column) of an image is called in the order of patches
static int place_of_pixel(int line, int column)
{
    return (line / PATCH * ACROSS + column / PATCH) * INSIDE + line % PATCH * PATCH + column % PATCH;
}

/*
## Which are seen

For each image we draw a random order of its 49 patches. The first 12 are **visible** (可见), the other 37 are
**masked** (被掩码). Each image of a batch has another mask, and each step draws new ones, but the *number* is always
12, so that a batch remains a matrix. Four lists of integers say all:

- `seen`: the row, in the $49 B \times 16$ matrix of patches, of each visible patch, image after image;
- `seen_at`: the position 0 … 48 of each in its image;
- `hidden`: the rows of the masked patches;
- `source`: for each of the $49 B$ places that the decoder fills, the row of the *encoded* tokens that belongs
  there, or $12 B$, one row behind the last, for "was masked".

The first three gather. The fourth is the inverse of `seen`: where `seen` says which patch went to row $k$, `source`
says which row $k$ came from this patch. Putting back is gathering with the inverse permutation.
*/

typedef struct {
    int images, visible; // B, V
    int *seen, *seen_at; // [B · V]
    int *hidden;         // [B · (49 − V)]
    int *source;         // [B · 49]
} Mask;

static Mask mask_new(Arena *arena, int images, int visible)
{
    Mask m = {.images = images, .visible = visible};
    size_t count = (size_t)images, patches = PATCHES, some = (size_t)visible;
    m.seen = arena_alloc(arena, count * some, sizeof(int));
    m.seen_at = arena_alloc(arena, count * some, sizeof(int));
    m.hidden = arena_alloc(arena, count * (patches - some) + 1, sizeof(int));
    m.source = arena_alloc(arena, count * patches, sizeof(int));
    return m;
}

// Image b sees the first V patches of order [49]
static void mask_image(Mask *m, int b, const int *order)
{
    int hidden = PATCHES - m->visible;
    for (int k = 0; k < PATCHES; k++) {
        int p = order[k], row = b * m->visible + k;
        if (k < m->visible) {
            m->seen[row] = b * PATCHES + p;
            m->seen_at[row] = p;
        } else {
            m->hidden[b * hidden + k - m->visible] = b * PATCHES + p;
        }
        m->source[b * PATCHES + p] = k < m->visible ? row : m->images * m->visible;
    }
}

static void mask_draw(Mask *m, Rng *rng)
{
    int order[PATCHES];
    for (int b = 0; b < m->images; b++) {
        rng_permutation(rng, order, PATCHES);
        mask_image(m, b, order);
    }
}

// All 49 patches, in their order: for when the encoder is used
static Mask mask_nothing(Arena *arena, int images)
{
    Mask m = mask_new(arena, images, PATCHES);
    int order[PATCHES];
    for (int p = 0; p < PATCHES; p++) order[p] = p;
    for (int b = 0; b < images; b++) mask_image(&m, b, order);
    return m;
}

/*
Forwards, gathering copies rows. Backwards, each copy hands its gradient to the row that it came from, and a row that
was copied often (the row for "was masked" is copied $37 B$ times) receives the sum. That is the whole derivative.
*/

// out (n × C): row i is row ids_i of table (V × C)
static void gather_in_loops(Matrix out, Matrix table, const int *ids)
{
    for (int i = 0; i < out.rows; i++)
        for (int c = 0; c < out.cols; c++) AT(out, i, c) = AT(table, ids[i], c);
}

// d_table (V × C) += what the copies received, d_out (n × C)
static void gather_back_in_loops(Matrix d_table, Matrix d_out, const int *ids)
{
    for (int i = 0; i < d_out.rows; i++)
        for (int c = 0; c < d_out.cols; c++) AT(d_table, ids[i], c) += AT(d_out, i, c);
}

static void check_the_lists(Lesson *lesson, Matrix images, Matrix patches)
{
    section(lesson, "Which are seen");
    enum { BATCHED = 6, FEATURES = 5 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 20);
    Mask mask = mask_new(arena, BATCHED, VISIBLE);
    mask_draw(&mask, &rng);
    printf("image 0 sees patches");
    for (int k = 0; k < VISIBLE; k++) printf(" %d", mask.seen_at[k]);
    printf("\nits 49 places take row");
    for (int p = 0; p < PATCHES; p++) printf("%s%d", p % 24 == 0 ? "\n    " : " ", mask.source[p]);
    printf("\n\n");

    Matrix library = matrix_new(arena, images.rows * PATCHES, INSIDE);
    grid_to_patches(library, matrix_reshape(images, images.rows * PIXELS, 1), (Grid){images.rows, SIDE, SIDE},
                    window_square(PATCH, PATCH, 0));
    claim(lesson, largest_difference(library, matrix_reshape(patches, library.rows, INSIDE)) == 0.0f,
          "patches in loops are those of the library, to the last bit");

    // Encoded tokens and one row for "was masked", put back and handed the gradient
    Matrix table = matrix_new(arena, BATCHED * VISIBLE + 1, FEATURES),
           d_table = matrix_new(arena, table.rows, FEATURES);
    Matrix out = matrix_new(arena, BATCHED * PATCHES, FEATURES),
           d_out = matrix_new(arena, out.rows, FEATURES);
    fill_normal(table, &rng, 0.0f, 1.0f), fill_normal(d_out, &rng, 0.0f, 1.0f);
    gather_in_loops(out, table, mask.source);
    gather_back_in_loops(d_table, d_out, mask.source);
    Tape *tape = tape_new();
    Tensor *tokens = tape_variable(tape, table);
    Tensor *put_back = embedding(tape, tokens, mask.source, out.rows);
    backward_from(put_back, d_out);
    claim(lesson,
          largest_difference(put_back->value, out) == 0.0f &&
              largest_difference(tokens->gradient, d_table) <= 1e-4f,
          "gathering in loops is the library's, forwards and backwards");
    // The other way: each encoded token is sent to its place
    Tensor *sent =
        segment_sums(slice_rows(tape_input(tape, table), 0, BATCHED * VISIBLE), mask.seen, out.rows);
    float apart = 0.0f;
    for (int k = 0; k < BATCHED * VISIBLE; k++)
        for (int c = 0; c < FEATURES; c++)
            apart = fmaxf(apart, fabsf(AT(sent->value, mask.seen[k], c) - AT(out, mask.seen[k], c)));
    claim(lesson, apart == 0.0f, "gathering with the inverse puts each token where scattering would");
    tape_free(tape);
}

/*
## The encoder, the decoder

The encoder is a plain transformer in which all see all, as in BERT: a linear layer makes 64 numbers of the 16, the
position is added, three blocks follow. A transformer has no idea of the length of its input, so nothing has to be
changed for 12 tokens instead of 49. But a token must bring its own position: what comes fifth is not the fifth patch
of the image. The table of positions begins with sines and cosines of the line and of the column, 32 numbers each, and
is learned on from there.

The decoder is smaller: 48 wide, one block. It takes the encoded tokens back to their 49 places, one and
the same learned vector, the **mask token** (掩码词元), stands in all the others, positions are added again (the mask
tokens would all be equal otherwise), and a linear layer reads 16 pixels out of each masked place. After the training
the decoder is thrown away.
*/

enum { WIDTH = 64, DEPTH = 3, HEADS = 4, FEED_FORWARD = 2 * WIDTH, NARROW = 48, NARROW_FORWARD = 2 * NARROW };

typedef struct {
    Linear embed;
    Tensor *positions; // (49 × WIDTH)
    Block blocks[DEPTH];
    LayerNorm last;
} Encoder;

typedef struct {
    Linear embed;
    Tensor *mask_token; // (1 × NARROW)
    Tensor *positions;  // (49 × NARROW)
    Block block;
    LayerNorm last;
    Linear pixels;
} Decoder;

typedef struct {
    Parameters parameters;
    Encoder encoder;
    Decoder decoder;
} Mae;

// Half of the columns tell the line of a patch, the other half its column: table (49 × C)
static void begin_positions(Arena *arena, Matrix table)
{
    Matrix waves = matrix_new(arena, ACROSS, table.cols / 2);
    sinusoidal_positions(waves);
    for (int p = 0; p < PATCHES; p++) {
        copy_columns(matrix_rows(table, p, 1), 0, matrix_rows(waves, p / ACROSS, 1), 0, waves.cols);
        copy_columns(matrix_rows(table, p, 1), waves.cols, matrix_rows(waves, p % ACROSS, 1), 0, waves.cols);
    }
}

static Encoder encoder_new(Parameters *set, Rng *rng)
{
    Encoder e = {.embed = linear_new(set, "encoder.embed", INSIDE, WIDTH, rng, INIT_LECUN)};
    e.positions = parameters_add(set, "encoder.positions", PATCHES, WIDTH);
    begin_positions(set->arena, e.positions->value);
    BlockConfig config = {.width = WIDTH, .heads = HEADS, .hidden = FEED_FORWARD};
    for (int l = 0; l < DEPTH; l++)
        e.blocks[l] = block_new(set, layer_name(set, "encoder", "block", l), config, rng);
    e.last = layer_norm_new(set, "encoder.last", WIDTH);
    return e;
}

static Mae mae_new(Arena *arena, Rng *rng)
{
    Mae m = {.parameters = parameters_new(arena)};
    Parameters *set = &m.parameters;
    m.encoder = encoder_new(set, rng);
    m.decoder.embed = linear_new(set, "decoder.embed", WIDTH, NARROW, rng, INIT_LECUN);
    m.decoder.mask_token = parameters_add(set, "decoder.mask_token", 1, NARROW);
    fill_normal(m.decoder.mask_token->value, rng, 0.0f, 0.02f);
    m.decoder.positions = parameters_add(set, "decoder.positions", PATCHES, NARROW);
    begin_positions(arena, m.decoder.positions->value);
    BlockConfig config = {.width = NARROW, .heads = HEADS, .hidden = NARROW_FORWARD};
    m.decoder.block = block_new(set, "decoder.block", config, rng);
    m.decoder.last = layer_norm_new(set, "decoder.last", NARROW);
    m.decoder.pixels = linear_new(set, "decoder.pixels", NARROW, INSIDE, rng, INIT_LECUN);
    return m;
}

// patches (B·49 × 16), of which only the seen are looked at → tokens (B·V × WIDTH)
static Tensor *encode(const Encoder *e, Tape *tape, Matrix patches, const Mask *mask)
{
    int count = mask->images * mask->visible;
    Tensor *seen = embedding(tape, tape_input(tape, patches), mask->seen, count);
    Tensor *positions = embedding(tape, e->positions, mask->seen_at, count);
    Tensor *x = tensor_add(linear(&e->embed, seen), positions);
    for (int l = 0; l < DEPTH; l++)
        x = block_forward(&e->blocks[l], x,
                          .self = self_attention_shape(mask->images, mask->visible, HEADS, false));
    return layer_normalise(&e->last, x);
}

// tokens (B·V × WIDTH) → what stands in the rows `wanted` of all patches: (count × 16)
static Tensor *decode(const Decoder *d, Tape *tape, Tensor *tokens, const Mask *mask, const int *wanted,
                      int count)
{
    Tensor *table = concat_rows(linear(&d->embed, tokens), d->mask_token); // row B·V is the mask token
    Tensor *x = embedding(tape, table, mask->source, mask->images * PATCHES);
    x = add_positions(x, d->positions, PATCHES);
    x = block_forward(&d->block, x, .self = self_attention_shape(mask->images, PATCHES, HEADS, false));
    return linear(&d->pixels, layer_normalise(&d->last, embedding(tape, x, wanted, count)));
}

// The masked patches of some images, as the network sees them: (B·(49 − V) × 16)
static Tensor *fill_in(const Mae *m, Tape *tape, Matrix patches, const Mask *mask)
{
    Tensor *tokens = encode(&m->encoder, tape, patches, mask);
    return decode(&m->decoder, tape, tokens, mask, mask->hidden, mask->images * (PATCHES - mask->visible));
}

/*
An index that is off by one does not crash. It trains, a little worse, and nobody notices. So we ask for properties
that only right lists have:

1. When nothing is masked and the 49 patches come in a random order, each token must be what the plain encoder gives.
2. When the 12 visible patches are exchanged among themselves, together with their positions, the filled-in patches
   must not change. (Sums are made in another order, so the last digits may.)
3. When the pixels under the mask are replaced by noise, no bit of the prediction may change. A network that
   peeks is the most flattering mistake in this chapter.
*/

static void check_the_network(Lesson *lesson, const Mae *m, Matrix images)
{
    section(lesson, "The encoder, the decoder");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 21);
    int count = images.rows, order[PATCHES];
    Matrix patches = matrix_reshape(images, count * PATCHES, INSIDE);
    Tape *tape = tape_new();
    tape_record(tape, false);

    Mask plain = mask_nothing(arena, count), shuffled = mask_new(arena, count, PATCHES);
    mask_draw(&shuffled, &rng);
    Tensor *expected = encode(&m->encoder, tape, patches, &plain);
    Tensor *got =
        embedding(tape, encode(&m->encoder, tape, patches, &shuffled), shuffled.source, count * PATCHES);
    float nothing_masked = largest_difference(expected->value, got->value);

    Mask some = mask_new(arena, count, VISIBLE), exchanged = mask_new(arena, count, VISIBLE);
    for (int b = 0; b < count; b++) {
        rng_permutation(&rng, order, PATCHES);
        mask_image(&some, b, order);
        rng_shuffle(&rng, order, VISIBLE); // the same 12 in another order
        mask_image(&exchanged, b, order);
    }
    Tensor *filled = fill_in(m, tape, patches, &some), *again = fill_in(m, tape, patches, &exchanged);
    float order_matters = largest_difference(filled->value, again->value);

    Matrix spoilt = matrix_copy(arena, patches);
    for (int k = 0; k < count * HIDDEN; k++)
        fill_normal(matrix_rows(spoilt, some.hidden[k], 1), &rng, 0.0f, 9.0f);
    Tensor *blind = fill_in(m, tape, spoilt, &some);
    float peeked = largest_difference(filled->value, blind->value);
    printf("%zu parameters in all\n\n", parameters_size(&m->parameters));
    claim(lesson, nothing_masked <= 1e-4f,
          "with nothing masked and the patches shuffled, it is the plain encoder");
    claim(lesson, order_matters <= 1e-4f, "the order of the visible patches changes nothing");
    claim(lesson, peeked == 0.0f, "what lies under the mask changes no bit of the prediction");
    tape_free(tape);
}

/*
## What a quarter costs

"We accelerate training (by 3× or more)", says the paper. Let us count. For each token a block multiplies $C \times
3C$ (queries, keys, values), $C \times C$ (what comes out of attention) and twice $C \times 2C$, together $8 C^2$
multiply-adds, and attention costs $2 T C$ more for each of the $T$ tokens: once for the scores, once for the sum.
With $C = 64$ the first part is 32 768 and the second at most 6 272. So on images this small attention is the lesser
part, and a quarter of the tokens costs about a quarter. (With long sequences the second part rules, and a quarter
of the tokens costs a sixteenth of it.)
*/

// Multiply-adds of the encoder's forward pass for one image of which so many patches are seen
static long encoder_work(long tokens)
{
    long products = 4L * WIDTH * WIDTH + 2L * WIDTH * FEED_FORWARD, attention = 2L * tokens * WIDTH;
    return tokens * (INSIDE * WIDTH + DEPTH * (products + attention));
}

static long decoder_work(void)
{
    long products = 4L * NARROW * NARROW + 2L * NARROW * NARROW_FORWARD, attention = 2L * PATCHES * NARROW;
    return VISIBLE * WIDTH * NARROW + PATCHES * (products + attention) + HIDDEN * NARROW * INSIDE;
}

// The fastest of some forward passes through the encoder, one thread, in seconds; both masks in turn
static void time_encoder(const Encoder *e, Matrix patches, const Mask *const masks[2], double seconds[2])
{
    enum { ROUNDS = 9 };
    Arena *arena = arena_new();
    int threads = parallel_threads();
    parallel_set_threads(1);
    seconds[0] = seconds[1] = INFINITY;
    for (int round = 0; round < ROUNDS; round++)
        for (int which = 0; which < 2; which++) {
            Tape *tape = tape_inference(arena);
            double start = seconds_now();
            encode(e, tape, patches, masks[which]);
            seconds[which] = fmin(seconds[which], seconds_now() - start);
            arena_reset(arena);
        }
    parallel_set_threads(threads);
    arena_free(arena);
}

static void count_the_cost(Lesson *lesson, const Mae *m, Matrix images)
{
    section(lesson, "What a quarter costs");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 22);
    Mask whole = mask_nothing(arena, images.rows), quarter = mask_new(arena, images.rows, VISIBLE);
    mask_draw(&quarter, &rng);
    const Mask *masks[2] = {&whole, &quarter};
    double seconds[2];
    time_encoder(&m->encoder, matrix_reshape(images, images.rows * PATCHES, INSIDE), masks, seconds);
    lesson_wipe_progress(lesson);
    fprintf(stderr, "encoder, %d images, one thread: 49 patches %.1f ms, 12 patches %.1f ms, ratio %.2f\n",
            images.rows, 1000.0 * seconds[0], 1000.0 * seconds[1], seconds[0] / seconds[1]);
    double counted = (double)encoder_work(PATCHES) / (double)encoder_work(VISIBLE);
    printf("multiply-adds for an image, forwards\n");
    printf("encoder, 49 patches   %9ld\nencoder, 12 patches   %9ld   %.2f times fewer\n",
           encoder_work(PATCHES), encoder_work(VISIBLE), counted);
    printf("decoder               %9ld\n\n", decoder_work());
    claim(lesson, counted >= 49.0 / 12.0,
          "counted, 12 of 49 patches are at least 49/12 times cheaper to encode");
    claim(lesson, seconds[0] / seconds[1] >= 2.5, "measured, they are at least 2.5 times cheaper");
}

/*
The decoder works on all 49 places, and ours costs about as much as the encoder on its quarter. That is why a decoder
should be small: put the mask tokens into the *encoder*, as BERT does, and nothing is saved at all.

## Training

The target of a masked patch is its 16 pixels, minus the mean image as everywhere in this chapter. The loss is the
mean squared error over the masked patches only,

$$L = \frac{1}{37 B \cdot 16} \sum_{p \,\in\, \text{masked}} \lVert \hat x_p - x_p \rVert^2 .$$

In words: nobody is paid for repeating what he has seen. AdamW, batches of 32, a short warm-up, a cosine. 58 000 of
the training images are learned from; the last 2 000 are held out for choosing settings, of our network and of all that
compete with it.
*/

enum { BATCH = 32, HELD_OUT = 2000 };

// What is varied in the last section
typedef struct {
    const char *name;
    int visible, steps;
    bool all;        // the loss is that of all patches, not of the masked ones
    bool normalised; // the target of a patch has mean 0 and deviation 1
} Recipe;

// Each row to mean 0 and deviation 1
static void normalise_targets(Matrix target)
{
    for (int i = 0; i < target.rows; i++) {
        Matrix row = matrix_rows(target, i, 1);
        add_scalar(row, -(float)mean(row));
        scale(row, 1.0f / sqrtf((float)sum_of_squares(row) / INSIDE + 1e-4f));
    }
}

// images (N × 784) in the order of patches
static void pretrain(Lesson *lesson, Mae *m, Matrix images, Recipe recipe, float rate)
{
    enum { PARTS = 8 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 2);
    Optimiser adam = adamw_new(arena, &m->parameters, 0.9f, 0.95f, 1e-8f, 0.02f);
    optimiser_decay(&adam, "bias", 0.0f), optimiser_decay(&adam, "gain", 0.0f);
    optimiser_decay(&adam, "positions", 0.0f);
    Mask mask = mask_new(arena, BATCH, recipe.visible);
    int hidden = BATCH * (PATCHES - recipe.visible), per_epoch = images.rows / BATCH;
    int *order = arena_alloc(arena, (size_t)images.rows, sizeof(int));
    int all[BATCH * PATCHES];
    for (int p = 0; p < BATCH * PATCHES; p++) all[p] = p;
    Matrix x = matrix_new(arena, BATCH, PIXELS), patches = matrix_reshape(x, BATCH * PATCHES, INSIDE);
    const int *wanted = recipe.all ? all : mask.hidden, count = recipe.all ? BATCH * PATCHES : hidden;
    Matrix target = matrix_new(arena, count, INSIDE);
    Tape *tape = tape_new();
    double part = 0.0;
    for (int step = 0; step < recipe.steps; step++) {
        if (step % per_epoch == 0) rng_permutation(&rng, order, images.rows);
        gather_rows(x, images, order + step % per_epoch * BATCH);
        mask_draw(&mask, &rng);
        gather_rows(target, patches, wanted);
        if (recipe.normalised) normalise_targets(target);
        tape_reset(tape);
        Tensor *tokens = encode(&m->encoder, tape, patches, &mask);
        Tensor *loss = mean_squared_error(decode(&m->decoder, tape, tokens, &mask, wanted, count), target);
        backward(loss);
        clip_gradients(&m->parameters, 1.0f);
        optimiser_step(&adam, cosine_schedule(rate, step, recipe.steps / 20, recipe.steps));
        part += (double)loss->value.data[0];
        if ((step + 1) % (recipe.steps / PARTS) == 0) {
            if (!recipe.name) printf("%8d%12.4f\n", step + 1, part / (recipe.steps / PARTS));
            part = 0.0;
        }
        lesson_progress(lesson, recipe.name ? recipe.name : "filling in", step + 1, recipe.steps,
                        (double)loss->value.data[0]);
    }
    tape_free(tape);
}

static int steps_of(const Lesson *lesson) { return lesson_full(lesson) ? 8000 : 1600; }

static const float rate_found = 4e-3f; // of 2e-3 … 5e-3, by the loss at the end

static void train(Lesson *lesson, Mae *m, Matrix images)
{
    section(lesson, "Training");
    printf("    step   mean loss since the last line\n");
    pretrain(lesson, m, images, (Recipe){.visible = VISIBLE, .steps = steps_of(lesson)}, rate_found);
}

/*
For the first hundred steps little happens: the network guesses hardly more than the mean image, until attention has
found out where to look. At the end it still falls; 1 600 steps are 51 200 images, less than all of them once.

## Filling in

Is the result good? An error alone says nothing; it needs others beside it. Each of the following sees the same 12
patches of the same 500 test images, and each may learn from the training images.

- **The mean image**: zeros, in our unit.
- **The nearest visible patch**, copied.
- **The nearest training image**, by the visible pixels, of 20 000 (all 58 000 with FULL=1); and the mean of the $k$
  nearest, where $k$ is chosen on held-out images.
- **The best linear guess.** Take the covariance $\Sigma$ of all pairs of pixels, from the same training images. If
  pixels were Gaussian, the best guess of the hidden ones $h$ from the visible ones $v$ would be linear,

$$\hat x_h = \Sigma_{hv} \, (\Sigma_{vv} + \lambda I)^{-1} \, x_v ,$$

and of all linear guesses it has the least squared error whatever they are. It is the regression of chapter 1, of 592
pixels on 192 others, made anew for each mask. $\lambda$ keeps it from trusting tiny directions of $\Sigma_{vv}$, and
is chosen on held-out images.

We need to solve $A x = b$ for a symmetric positive $A$: Cholesky's factorisation $A = U^\top U$, then two
substitutions.
*/

// a (n × n) symmetric, positive → U in its upper triangle, UᵀU = a
static void factorise(Matrix a)
{
    for (int k = 0; k < a.rows; k++) {
        float *row = matrix_row(a, k), inverse = 1.0f / sqrtf(row[k]);
        for (int j = k; j < a.cols; j++) row[j] *= inverse;
#pragma omp parallel for if (parallel_worth((size_t)(a.rows - k) * (size_t)(a.rows - k) / 4))
        for (int i = k + 1; i < a.rows; i++) {
            float *below = matrix_row(a, i), u = row[i];
            for (int j = i; j < a.cols; j++) below[j] -= u * row[j];
        }
    }
}

// b (n × m) ← a⁻¹ b, by Uᵀ(U x) = b
static void solve(Matrix b, Matrix u)
{
    for (int i = 0; i < b.rows; i++) {
        scale(matrix_rows(b, i, 1), 1.0f / AT(u, i, i));
        for (int below = i + 1; below < b.rows; below++)
            for (int j = 0; j < b.cols; j++) AT(b, below, j) -= AT(u, i, below) * AT(b, i, j);
    }
    for (int i = b.rows - 1; i >= 0; i--) {
        for (int later = i + 1; later < b.rows; later++)
            for (int j = 0; j < b.cols; j++) AT(b, i, j) -= AT(u, i, later) * AT(b, later, j);
        scale(matrix_rows(b, i, 1), 1.0f / AT(u, i, i));
    }
}

// The masked pixels of image b of a mask, (1 × 784): zero where visible
static void guess_linearly(Arena *scratch, Matrix guess, Matrix image, const Mask *mask, int b,
                           Matrix covariance, float ridge)
{
    ArenaMark start = arena_mark(scratch);
    const int count = mask->visible * INSIDE;
    int *pixel = arena_alloc(scratch, (size_t)count, sizeof(int));
    for (int i = 0; i < count; i++)
        pixel[i] = mask->seen_at[b * mask->visible + i / INSIDE] * INSIDE + i % INSIDE;
    Matrix among = matrix_new(scratch, count, count), weights = matrix_new(scratch, count, 1);
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < count; j++) AT(among, i, j) = AT(covariance, pixel[i], pixel[j]);
        AT(among, i, i) += ridge;
        weights.data[i] = image.data[pixel[i]];
    }
    factorise(among);
    solve(weights, among);
    fill(guess, 0.0f);
    for (int i = 0; i < count; i++)
        add_scaled(guess, weights.data[i],
                   matrix_rows(covariance, pixel[i], 1)); // symmetric: a row is a column
    arena_rewind(scratch, start);
}

/*
For the neighbours, the squared distance over the visible pixels only is $\sum_i m_i (x_i - t_i)^2$ with $m_i = 1$
where visible. Multiplied out, it is $\sum m_i x_i^2$, the same for all $t$, minus $2 \sum (m_i x_i)\, t_i$ plus
$\sum m_i \, t_i^2$: two products of matrices for all pairs of images at once.
*/

enum { MOST_NEIGHBOURS = 60 };

// 1 where visible, else 0: (N × 784)
static Matrix visible_pixels(Arena *arena, const Mask *mask)
{
    Matrix seen = matrix_new(arena, mask->images * PATCHES, INSIDE);
    for (int k = 0; k < mask->images * mask->visible; k++) fill(matrix_rows(seen, mask->seen[k], 1), 1.0f);
    return matrix_reshape(seen, mask->images, PIXELS);
}

// nearest [N · MOST_NEIGHBOURS] ← the nearest of the training images by visible pixels, the nearest first
static void find_neighbours(int *nearest, Matrix images, Matrix seen, Matrix training)
{
    Arena *arena = arena_new();
    Matrix squares = matrix_uninitialised(arena, training.rows, PIXELS),
           shown = matrix_new(arena, seen.rows, PIXELS);
    Matrix distance = matrix_new(arena, seen.rows, training.rows);
    multiply(squares, training, training);
    multiply(shown, images, seen);
    scale(shown, -2.0f);
    matmul_nt(distance, shown, training);
    matmul_nt_add(distance, seen, squares);
    for (int n = 0; n < distance.rows; n++) {
        int *best = nearest + n * MOST_NEIGHBOURS, found = 0;
        const float *to = matrix_row(distance, n);
        for (int t = 0; t < training.rows; t++) {
            if (found == MOST_NEIGHBOURS && to[t] >= to[best[found - 1]]) continue;
            int k = found < MOST_NEIGHBOURS ? found++ : found - 1;
            for (; k > 0 && to[t] < to[best[k - 1]]; k--) best[k] = best[k - 1];
            best[k] = t;
        }
    }
    arena_free(arena);
}

static void mean_of_neighbours(Matrix guess, const int *nearest, int k, Matrix training)
{
    fill(guess, 0.0f);
    for (int n = 0; n < guess.rows; n++)
        for (int i = 0; i < k; i++)
            add_scaled(matrix_rows(guess, n, 1), 1.0f / (float)k,
                       matrix_rows(training, nearest[n * MOST_NEIGHBOURS + i], 1));
}

// mean_image (1 × 784) is added back: a dark patch is dark wherever it lies
static void copy_nearest_patch(Matrix guess, Matrix images, const Mask *mask, Matrix mean_image)
{
    for (int n = 0; n < images.rows; n++)
        for (int p = 0; p < PATCHES; p++) {
            int best = -1, least = 2 * ACROSS * ACROSS;
            for (int k = 0; k < mask->visible; k++) {
                int q = mask->seen_at[n * mask->visible + k];
                int down = q / ACROSS - p / ACROSS, right = q % ACROSS - p % ACROSS;
                int distance = down * down + right * right;
                if (distance < least) least = distance, best = q;
            }
            for (int t = 0; t < INSIDE; t++) {
                int from = best * INSIDE + t, to = p * INSIDE + t;
                AT(guess, n, to) = AT(images, n, from) + mean_image.data[from] - mean_image.data[to];
            }
        }
}

static void guess_by_network(Matrix guess, const Mae *m, Matrix images, const Mask *mask)
{
    Tape *tape = tape_new();
    tape_record(tape, false);
    Matrix rows = matrix_reshape(guess, images.rows * PATCHES, INSIDE);
    Tensor *filled = fill_in(m, tape, matrix_reshape(images, images.rows * PATCHES, INSIDE), mask);
    for (int k = 0; k < filled->value.rows; k++)
        copy(matrix_rows(rows, mask->hidden[k], 1), matrix_rows(filled->value, k, 1));
    tape_free(tape);
}

// The mean squared error over masked pixels; the mean image has 1, nearly
static double masked_error(Matrix guess, Matrix images, const Mask *mask)
{
    double sum = 0.0;
    int count = images.rows * (PATCHES - mask->visible);
    Matrix g = matrix_reshape(guess, images.rows * PATCHES, INSIDE),
           x = matrix_reshape(images, g.rows, INSIDE);
    for (int k = 0; k < count; k++)
        for (int t = 0; t < INSIDE; t++) {
            double apart = (double)(AT(g, mask->hidden[k], t) - AT(x, mask->hidden[k], t));
            sum += apart * apart;
        }
    return sum / ((double)count * INSIDE);
}

typedef struct {
    Matrix training, held_out, test; // in the order of patches, centred, of deviation 1
    int *training_labels, *held_out_labels, *test_labels;
    Matrix mean_image; // (1 × 784), in the same unit
    Matrix covariance; // (784 × 784)
} Data;

enum {
    GUESSED = 500,
    CHOOSING = 200
}; // test images that are filled in; held-out ones that settings are chosen by

static const float ridges[] = {1e-3f, 1e-2f, 1e-1f};
static const int neighbours[] = {1, 5, 20, MOST_NEIGHBOURS};

static void guess_all_linearly(Matrix guess, Matrix images, const Mask *mask, Matrix covariance, float ridge)
{
    Arena *scratch = arena_new();
    for (int n = 0; n < images.rows; n++)
        guess_linearly(scratch, matrix_rows(guess, n, 1), matrix_rows(images, n, 1), mask, n, covariance,
                       ridge);
    arena_free(scratch);
}

// The settings with the least error on held-out images
static void choose(Lesson *lesson, const Data *d, Matrix searched, float *ridge, int *k)
{
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 30);
    Matrix images = matrix_rows(d->held_out, 0, CHOOSING), guess = matrix_new(arena, CHOOSING, PIXELS);
    Mask mask = mask_new(arena, CHOOSING, VISIBLE);
    mask_draw(&mask, &rng);
    int *nearest = arena_alloc(arena, (size_t)CHOOSING * MOST_NEIGHBOURS, sizeof(int));
    find_neighbours(nearest, images, visible_pixels(arena, &mask), searched);
    double least = INFINITY, error;
    printf("on held-out images: ");
    for (int i = 0; i < 3; i++) {
        guess_all_linearly(guess, images, &mask, d->covariance, ridges[i]);
        error = masked_error(guess, images, &mask);
        printf("λ = %g %.4f%s", (double)ridges[i], error, i < 2 ? ", " : "\n                    ");
        if (error < least) least = error, *ridge = ridges[i];
    }
    least = INFINITY;
    for (int i = 0; i < 4; i++) {
        mean_of_neighbours(guess, nearest, neighbours[i], searched);
        error = masked_error(guess, images, &mask);
        printf("k = %d %.4f%s", neighbours[i], error, i < 3 ? ", " : "\n\n");
        if (error < least) least = error, *k = neighbours[i];
    }
}

enum { MEAN_IMAGE, COPIED, ONE_NEIGHBOUR, SOME_NEIGHBOURS, LINEAR, NETWORK, WAYS };

// guesses: one matrix (N × 784) for each way. Rows: the image, what is seen, three ways to fill it in
static void draw_filled(Lesson *lesson, const Data *d, const Mask *mask, const Matrix *guesses)
{
    enum { COLUMNS = 8, ROWS = 5 };
    static const char *const names[ROWS] = {"image", "seen", "MAE", "linear", "neighbours"};
    static const int ways[ROWS] = {-1, -1, NETWORK, LINEAR, SOME_NEIGHBOURS};
    Arena *arena = lesson_arena(lesson);
    Matrix drawn = matrix_new(arena, ROWS * COLUMNS, PIXELS), seen = visible_pixels(arena, mask);
    const char *captions[ROWS * COLUMNS] = {NULL};
    for (int r = 0; r < ROWS; r++)
        for (int n = 0; n < COLUMNS; n++)
            for (int i = 0; i < PIXELS; i++) {
                int at = place_of_pixel(i / SIDE, i % SIDE);
                bool shown = r == 0 || AT(seen, n, at) > 0.0f;
                float value = shown ? AT(d->test, n, at) : r == 1 ? 0.0f : AT(guesses[ways[r]], n, at);
                AT(drawn, r * COLUMNS + n, i) = r == 1 && !shown ? 1.2f : value + d->mean_image.data[at];
            }
    for (int r = 0; r < ROWS; r++) captions[r * COLUMNS] = names[r];
    Plot *plot =
        plot_begin(lesson, "filled.png", "Twelve of 49 patches, and three ways to fill in the others");
    plot_size(plot, 1080, 760);
    plot_images(plot, (PlotImages){SIDE, SIDE, 1, COLUMNS, 0.0f, 3.39f}, drawn, captions);
    plot_end(plot,
             "The first eight images of the test; grey patches are masked. Below, visible patches are kept "
             "as they are "
             "and the others filled in: by the network, by the best linear guess, by the mean of the nearest "
             "training images.");
}

static void compare_guesses(Lesson *lesson, const Mae *m, const Data *d)
{
    section(lesson, "Filling in");
    static const char *const names[WAYS] = {"mean image",
                                            "nearest visible patch",
                                            "nearest training image",
                                            "mean of the k nearest",
                                            "best linear guess",
                                            "MAE"};
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 31);
    Matrix searched = matrix_rows(d->training, 0, lesson_full(lesson) ? d->training.rows : 20000);
    float ridge = 0.0f;
    int k = 0;
    choose(lesson, d, searched, &ridge, &k);

    Matrix images = matrix_rows(d->test, 0, GUESSED), guesses[WAYS];
    Mask mask = mask_new(arena, GUESSED, VISIBLE);
    mask_draw(&mask, &rng);
    for (int way = 0; way < WAYS; way++) guesses[way] = matrix_new(arena, GUESSED, PIXELS);
    int *nearest = arena_alloc(arena, (size_t)GUESSED * MOST_NEIGHBOURS, sizeof(int));
    find_neighbours(nearest, images, visible_pixels(arena, &mask), searched);
    copy_nearest_patch(guesses[COPIED], images, &mask, d->mean_image);
    mean_of_neighbours(guesses[ONE_NEIGHBOUR], nearest, 1, searched);
    mean_of_neighbours(guesses[SOME_NEIGHBOURS], nearest, k, searched);
    guess_all_linearly(guesses[LINEAR], images, &mask, d->covariance, ridge);
    guess_by_network(guesses[NETWORK], m, images, &mask);
    double error[WAYS];
    printf("masked pixels of %d test images    error\n", GUESSED);
    for (int way = 0; way < WAYS; way++) {
        error[way] = masked_error(guesses[way], images, &mask);
        printf("%-30s%10.4f\n", names[way], error[way]);
    }
    printf("\n");
    claim(lesson, 1.5 * error[NETWORK] <= error[MEAN_IMAGE],
          "the error is at most 1/1.5 of that of the mean image");
    claim(lesson, 1.5 * error[NETWORK] <= error[COPIED],
          "and at most 1/1.5 of that of the nearest visible patch");
    if (!lesson_full(lesson))
        claim(lesson, error[LINEAR] < error[NETWORK] && error[SOME_NEIGHBOURS] < error[NETWORK],
              "but the best linear guess and the mean of %d neighbours are closer than the network", k);
    draw_filled(lesson, d, &mask, guesses);
}

/*
The first two opponents are beaten by factors of 2.9 and 4.7, and they are the two that one usually sees. But
the best linear guess, which is least squares and nothing else, is closer to the truth than 130 128 learned numbers,
and so is the mean of some neighbours. The images show how. The network has found the kind of garment and its size,
and its trousers are blurred: the gap between the legs is a grey band, and where two masked patches meet there is
often a seam, because each patch is read out by itself. The linear guess knows the covariance of pixels on both
sides of every seam from the start. What nobody brings back is what no neighbour tells, the letters on the second
garment.

Is it a matter of training? In part. `make chapter23 FULL=1` trains for 8 000 steps, four and a half times through
the images: the error is then 0.263, and the linear guess, now from all images, has 0.273. So the network passes it
in the end. The mean of 10 neighbours among all 58 000 has 0.223, and stays ahead. Larger photographs are another
matter: no training image is near, and nobody inverts a covariance of 150 000 pixels. On these small ones, whoever
shows you only the mean image as an opponent has not shown you much.

The second line of the table is worth a look as well: copying the nearest visible patch is *worse* than the mean
image, by half. That an image is redundant does not mean that a patch equals its neighbour.

## How much do the neighbours tell?

BERT hides 15 % of the words. Why three quarters here? The usual answer: a patch is not a word. A word was chosen by
somebody to say what the other words do not; a patch is mostly what its neighbours lead one to expect. The linear
guess measures that without any training: we let it see 42, 24, 12 and 5 of the 49 patches.
*/

static void measure_redundancy(Lesson *lesson, const Data *d)
{
    section(lesson, "How much do the neighbours tell?");
    enum { SEEN_COUNTS = 4, SHOWN = 40 };
    static const int seen[SEEN_COUNTS] = {42, 24, 12, 5};
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 32);
    Matrix images = matrix_rows(d->test, 0, SHOWN), guess = matrix_new(arena, SHOWN, PIXELS);
    double error[SEEN_COUNTS];
    printf("hidden    error of the best linear guess\n");
    for (int i = 0; i < SEEN_COUNTS; i++) {
        Mask mask = mask_new(arena, SHOWN, seen[i]);
        mask_draw(&mask, &rng);
        guess_all_linearly(guess, images, &mask, d->covariance, 1e-2f);
        error[i] = masked_error(guess, images, &mask);
        printf("%4.0f %%%16.3f\n", 100.0 * (PATCHES - seen[i]) / PATCHES, error[i]);
    }
    printf("\n");
    claim(lesson, error[0] < error[1] && error[1] < error[2] && error[2] < error[3],
          "the more is hidden, the worse the guess");
    claim(lesson, error[0] <= 0.25,
          "of one patch in seven, linear arithmetic knows three quarters of the variance");
}

/*
Hide one patch in seven, as BERT does with words, and arithmetic knows 86 % of its variance from the patches around.
A network that has to do no more than that need not know what a sleeve is. Hide nine in ten, and about half of the
variance cannot be had linearly. So the fraction sets how far a guess must reach.

**"MAE is BERT for images."** Alike: the transformer that sees in both directions, the part that is hidden and must be
guessed, the head that is thrown away afterwards. Not alike:

- BERT guesses one of 30 000 tokens, with a probability for each and the cross-entropy as its loss. A patch is 16
  real numbers; squared error asks for their *mean* over everything that is possible, and a mean of possibilities is
  blurred.
- BERT's encoder sees the mask tokens, 15 % of its input, in training and never afterwards. MAE's never sees one, so
  it meets nothing new when it is used, but for the length.
- BERT hides little since words are not redundant; MAE hides much since patches are.
- BERT's output layer is the encoder's own. MAE needs a decoder to take the business of pixels off the encoder.

## What the encoder has learned

The filled-in images were never the aim. Now the decoder goes, the encoder is frozen and sees whole images, all 49
patches. The mean and the maximum over its tokens are 128 features of an image. A linear classifier on top of
them, a **linear probe** (线性探测), is fitted with very few labels: 10 of each class, then 100. If it does well, then
the classes lie apart in the features already.

The classifier is ridge regression on the ten indicators of the classes, $W = (X^\top X + \lambda I)^{-1} X^\top Y$,
with the features centred. When there are fewer images than features, the same $W$ is found from a smaller system:
$X^\top (X X^\top + \lambda I)^{-1} Y$. (Multiply $(X^\top X + \lambda I) X^\top = X^\top (X X^\top + \lambda I)$
from both sides by the inverses.) $\lambda$ is chosen of five on 1 000 held-out images, for each kind of features and
each draw of labels by itself. There are three draws of labels that have no image in common.

Three kinds of features: our encoder's; those of the *same encoder before training*, whose weights are random, a
baseline that is too often left out; and the 784 pixels as they are.
*/

enum {
    TOKENS = PATCHES * WIDTH,
    POOLED = 2 * WIDTH,
    DRAWS = 3,
    POOL = 4500,
    JUDGING = 1000,
    TESTED = 2000,
    LAMBDAS = 5
};

// images (N × 784) → all tokens of each (N × 49·WIDTH)
static Matrix tokens_of(Arena *arena, const Encoder *e, Matrix images)
{
    enum { CHUNK = 100 };
    Matrix out = matrix_uninitialised(arena, images.rows, TOKENS);
    Mask mask = mask_nothing(arena, CHUNK);
    Tape *tape = tape_new();
    tape_record(tape, false);
    for (int first = 0; first < images.rows; first += CHUNK) {
        tape_reset(tape);
        Matrix patches = matrix_reshape(matrix_rows(images, first, CHUNK), CHUNK * PATCHES, INSIDE);
        Tensor *tokens = encode(e, tape, patches, &mask);
        copy(matrix_rows(out, first, CHUNK), matrix_reshape(tokens->value, CHUNK, TOKENS));
    }
    tape_free(tape);
    return out;
}

// tokens (N × 49·WIDTH) → mean and maximum of each column of an image's 49 tokens (N × 2·WIDTH)
static Matrix pooled(Arena *arena, Matrix tokens)
{
    Matrix out = matrix_new(arena, tokens.rows, POOLED);
    for (int n = 0; n < tokens.rows; n++)
        for (int c = 0; c < WIDTH; c++) {
            float sum = 0.0f, most = -INFINITY;
            for (int p = 0; p < PATCHES; p++) {
                sum += AT(tokens, n, p * WIDTH + c);
                most = fmaxf(most, AT(tokens, n, p * WIDTH + c));
            }
            AT(out, n, c) = sum / PATCHES, AT(out, n, WIDTH + c) = most;
        }
    return out;
}

// Images that labels are drawn from, images that judge settings, images of the test
typedef struct {
    Matrix pool, held_out, test; // (POOL × F), (JUDGING × F), (TESTED × F)
} Features;

typedef struct {
    int pool_labels[POOL];
    int images[DRAWS][100 * CLASSES]; // of the pool: those of the first n of each class come first
} Labels;

// The first 100 of each class, from a third of the pool on, ordered so that the first 10·n are n of each class
static void draw_labels(Labels *labels)
{
    for (int draw = 0; draw < DRAWS; draw++) {
        int taken[CLASSES] = {0}, total = 0;
        for (int i = draw * POOL / DRAWS; i < (draw + 1) * POOL / DRAWS; i++) {
            int c = labels->pool_labels[i];
            if (taken[c] == 100) continue;
            labels->images[draw][taken[c]++ * CLASSES + c] = i;
            total++;
        }
        if (total < 100 * CLASSES)
            die("make POOL larger", "draw %d of labels: its %d images hold %d of the %d wanted", draw,
                POOL / DRAWS, total, 100 * CLASSES);
    }
}

// X·Xᵀ where there are fewer rows than columns, else Xᵀ·X
static Matrix gram(Arena *arena, Matrix x)
{
    bool few = x.rows < x.cols;
    Matrix g = matrix_new(arena, few ? x.rows : x.cols, few ? x.rows : x.cols);
    if (few) matmul_nt(g, x, x);
    if (!few) matmul_tn(g, x, x);
    return g;
}

// w (F × 10) ← ridge regression of y (n × 10) on x (n × F)
static void ridge_regression(Arena *scratch, Matrix w, Matrix x, Matrix y, Matrix products, float lambda)
{
    ArenaMark start = arena_mark(scratch);
    bool few = x.rows < x.cols;
    Matrix a = matrix_copy(scratch, products), b = few ? matrix_copy(scratch, y) : w;
    for (int i = 0; i < a.rows; i++) AT(a, i, i) += lambda;
    factorise(a);
    if (!few) matmul_tn(b, x, y);
    solve(b, a);
    if (few) matmul_tn(w, x, b);
    arena_rewind(scratch, start);
}

// The fraction of the test that is right after learning from `count` labelled images of the pool
static double probe(const Features *f, const Data *d, const Labels *labels, int draw, int count)
{
    static const float factors[LAMBDAS] = {1e-3f, 1e-2f, 1e-1f, 1.0f, 10.0f};
    Arena *arena = arena_new();
    const int width = f->pool.cols, *chosen = labels->images[draw];
    Matrix x = matrix_new(arena, count, width), y = matrix_new(arena, count, CLASSES),
           centre = matrix_new(arena, 1, width);
    Matrix held_out = matrix_copy(arena, f->held_out), test = matrix_copy(arena, f->test),
           w = matrix_new(arena, width, CLASSES);
    Matrix held_out_scores = matrix_new(arena, held_out.rows, CLASSES),
           scores = matrix_new(arena, test.rows, CLASSES);
    gather_rows(x, f->pool, chosen);
    column_means(centre, x);
    subtract_row(x, centre), subtract_row(held_out, centre), subtract_row(test, centre);
    fill(y, -1.0f / CLASSES);
    for (int i = 0; i < count; i++) AT(y, i, labels->pool_labels[chosen[i]]) += 1.0f;
    float length = (float)(sum_of_squares(x) / count); // of a row, squared
    double best = -1.0, right = 0.0;
    Matrix products = gram(arena, x);
    for (int i = 0; i < LAMBDAS; i++) {
        ridge_regression(arena, w, x, y, products, factors[i] * length);
        matmul(held_out_scores, held_out, w);
        double judged = accuracy(held_out_scores, d->held_out_labels);
        if (judged <= best) continue;
        matmul(scores, test, w);
        best = judged, right = accuracy(scores, d->test_labels);
    }
    arena_free(arena);
    return right;
}

typedef struct {
    double mean, low, high;
} Spread;

static Spread spread_of(const double *values, int count)
{
    Spread s = {0.0, INFINITY, -INFINITY};
    for (int i = 0; i < count; i++)
        s.mean += values[i] / count, s.low = fmin(s.low, values[i]), s.high = fmax(s.high, values[i]);
    return s;
}

static void print_spread(Spread s)
{
    printf("   %5.1f (%.1f–%.1f)", 100.0 * s.mean, 100.0 * s.low, 100.0 * s.high);
}

static Spread probe_draws(const Features *f, const Data *d, const Labels *labels, int count)
{
    double right[DRAWS];
    for (int draw = 0; draw < DRAWS; draw++) right[draw] = probe(f, d, labels, draw, count);
    return spread_of(right, DRAWS);
}

static Features encoded(Arena *arena, const Encoder *e, const Features *pixels)
{
    return (Features){.pool = tokens_of(arena, e, pixels->pool),
                      .held_out = tokens_of(arena, e, pixels->held_out),
                      .test = tokens_of(arena, e, pixels->test)};
}

static Features pooled_features(Arena *arena, const Features *f)
{
    return (Features){pooled(arena, f->pool), pooled(arena, f->held_out), pooled(arena, f->test)};
}

enum { RAW, RANDOM_POOLED, TRAINED_POOLED, RANDOM_TOKENS, TRAINED_TOKENS, KINDS };

static void draw_probes(Lesson *lesson, const char *const *names, const Spread *few, const Spread *more)
{
    float x[3 * KINDS], y[2][3 * KINDS];
    double ticks[KINDS];
    for (int kind = 0; kind < KINDS; kind++) {
        ticks[kind] = kind;
        for (int i = 0; i < 2; i++) {
            Spread s = i ? more[kind] : few[kind];
            y[i][3 * kind] = 100.0f * (float)s.low, y[i][3 * kind + 2] = 100.0f * (float)s.high;
            y[i][3 * kind + 1] = 100.0f * (float)s.mean;
        }
        for (int i = 0; i < 3; i++) x[3 * kind + i] = (float)kind;
    }
    Plot *plot = plot_begin(lesson, "probes.svg", "What a linear classifier makes of five kinds of features");
    plot_size(plot, 1080, 520);
    plot_axes(plot, "features", "test images right (%)");
    plot_x_ticks(plot, ticks, names, KINDS);
    plot_range_x(plot, -0.4, KINDS - 0.6);
    plot_range_y(plot, 50.0, 85.0);
    plot_legend(plot, "bottom right");
    plot_points(plot, "100 labels a class", x, y[1], 3 * KINDS);
    plot_points(plot, "10 labels a class", x, y[0], 3 * KINDS);
    plot_end(plot,
             "The least, the mean and the most of three draws of labels. Pooled features lose to the pixels, "
             "and where all tokens are kept, the random encoder comes close to the trained one.");
}

// probed receives the accuracy on pooled features of the trained encoder, with 10 labels of each class
static void probe_the_encoder(Lesson *lesson, const Mae *m, const Data *d, const Features *pixels,
                              const Labels *labels, double *probed)
{
    section(lesson, "What the encoder has learned");
    static const char *const names[KINDS] = {"784 pixels", "random, pooled", "MAE, pooled",
                                             "random, 49 tokens", "MAE, 49 tokens"};
    static const int counts[KINDS] = {PIXELS, POOLED, POOLED, TOKENS, TOKENS};
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 1); // the encoder as it was before training
    Mae untrained = mae_new(arena, &rng);
    Features f[KINDS] = {[RAW] = *pixels};
    f[RANDOM_TOKENS] = encoded(arena, &untrained.encoder, pixels);
    f[TRAINED_TOKENS] = encoded(arena, &m->encoder, pixels);
    f[RANDOM_POOLED] = pooled_features(arena, &f[RANDOM_TOKENS]);
    f[TRAINED_POOLED] = pooled_features(arena, &f[TRAINED_TOKENS]);
    Spread few[KINDS], more[KINDS];
    printf("%% right of %d test images, mean of %d draws of labels (least–most)\n", TESTED, DRAWS);
    printf("features                      10 labels a class     100 labels a class\n");
    for (int kind = 0; kind < KINDS; kind++) {
        few[kind] = probe_draws(&f[kind], d, labels, 10 * CLASSES);
        more[kind] = probe_draws(&f[kind], d, labels, 100 * CLASSES);
        printf("%-18s%7d", names[kind], counts[kind]);
        print_spread(few[kind]), print_spread(more[kind]);
        printf("\n");
    }
    printf("\n");
    claim(lesson, few[TRAINED_POOLED].mean >= few[RANDOM_POOLED].mean + 0.03,
          "pooled, with 10 labels a class, the trained encoder is at least 3 points better than the random "
          "one");
    claim(lesson, more[TRAINED_POOLED].mean >= more[RANDOM_POOLED].mean + 0.03,
          "with 100 labels a class, too");
    if (!lesson_full(lesson))
        claim(lesson, more[RAW].mean > more[TRAINED_POOLED].mean,
              "but the pixels themselves are better, with 100 labels");
    claim(lesson, more[TRAINED_TOKENS].mean > more[RAW].mean,
          "with all 49 tokens kept, the trained encoder is ahead of the pixels");
    if (!lesson_full(lesson))
        claim(lesson, more[TRAINED_TOKENS].mean < more[RANDOM_TOKENS].mean + 0.03,
              "and less than 3 points ahead of the random encoder");
    *probed = few[TRAINED_POOLED].mean;
    draw_probes(lesson, names, few, more);
}

/*
Three readings of one table, from top to bottom.

*Pooled*, the trained encoder is far ahead of the random one, 13 points with 10 labels. This is the comparison that is
usually shown, and it holds. *But the pixels themselves are better.* Nothing was learned that ridge regression on 784
raw numbers does not get for nothing. On images that are centred and of one size, pixels are a hard opponent.

Why are the pooled features so poor? The mean over 49 tokens forgets where things are. So we keep all tokens: 49 ×
64 numbers. Now the trained encoder is ahead of the pixels, by two points or so; *and the random one is nearly as
good*: with 100 labels a class the trained one is a point or two ahead, and with 10 labels one seed of five ties.
Most of the 13 points were not understanding. They were a price that pooling took from the random encoder, whose
tokens are little more than their own patch, and not from the trained one, which has learned to tell in each token
about the others. That is what the training gave, and the point or two.

Longer training (FULL=1) moves all of it up: 69.0 and 79.5 % pooled, level with the pixels, and with all tokens 73.4
and 83.1 %, three points and two ahead of the random encoder.

## Without the detour

Why not learn from the labels at once? The same encoder with the same pooling and a linear layer on top, trained from
random weights on the 100 labelled images, with a learning rate of its own; and the same once more, starting from
the pretrained weights, which is fine-tuning. Of three rates, each of the two takes the one that is best on
held-out images in the first draw.
*/

enum { RATES = 3, STUDENT_BATCH = 25, FEW = 10 * CLASSES };
static const float student_rates[RATES] = {1e-3f, 3e-3f, 1e-2f};

typedef struct {
    Parameters parameters;
    Encoder encoder;
    Linear head;
} Classifier;

// tokens (B·49 × WIDTH) → (B × 2·WIDTH)
static Tensor *pool_tokens(Tensor *tokens, int images)
{
    Grid grid = {images, ACROSS, ACROSS};
    Window whole = window_square(ACROSS, 1, 0);
    Tensor *means = average_pool(tokens, grid, whole);
    Tensor *maxima = max_pool(tokens, grid, whole);
    return concat_columns(means, maxima);
}

static Tensor *scores_of(const Classifier *c, Tape *tape, Matrix images, const Mask *whole)
{
    Tensor *tokens = encode(&c->encoder, tape, matrix_reshape(images, images.rows * PATCHES, INSIDE), whole);
    return linear(&c->head, pool_tokens(tokens, images.rows));
}

// pretrained NULL: from random weights
static Classifier learn_from_labels(Lesson *lesson, const Mae *pretrained, Matrix pool, const Labels *labels,
                                    int draw, float rate)
{
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 40 + (uint64_t)draw);
    Classifier c = {.parameters = parameters_new(arena)};
    c.encoder = encoder_new(&c.parameters, &rng);
    if (pretrained) parameters_copy(&c.parameters, &pretrained->parameters);
    c.head = linear_new(&c.parameters, "head", POOLED, CLASSES, &rng, INIT_LECUN);
    Optimiser adam = adamw_new(arena, &c.parameters, 0.9f, 0.99f, 1e-8f, 0.05f);
    Mask whole = mask_nothing(arena, STUDENT_BATCH);
    Matrix x = matrix_new(arena, STUDENT_BATCH, PIXELS);
    int order[FEW], chosen[STUDENT_BATCH], y[STUDENT_BATCH], per_epoch = FEW / STUDENT_BATCH;
    int steps = per_epoch * (lesson_full(lesson) ? 60 : 20);
    Tape *tape = tape_new();
    for (int step = 0; step < steps; step++) {
        if (step % per_epoch == 0) rng_permutation(&rng, order, FEW);
        for (int i = 0; i < STUDENT_BATCH; i++) {
            chosen[i] = labels->images[draw][order[step % per_epoch * STUDENT_BATCH + i]];
            y[i] = labels->pool_labels[chosen[i]];
        }
        gather_rows(x, pool, chosen);
        tape_reset(tape);
        Tensor *loss = cross_entropy(scores_of(&c, tape, x, &whole), y);
        backward(loss);
        clip_gradients(&c.parameters, 1.0f);
        optimiser_step(&adam, cosine_schedule(rate, step, steps / 10, steps));
        lesson_progress(lesson, "few labels", step + 1, steps, (double)loss->value.data[0]);
    }
    tape_free(tape);
    return c;
}

static double fraction_right(const Classifier *c, Matrix images, const int *labels)
{
    Arena *arena = arena_new();
    Matrix f = pooled(arena, tokens_of(arena, &c->encoder, images)),
           scores = matrix_new(arena, images.rows, CLASSES);
    affine_forward(scores, f, c->head.weight->value, c->head.bias->value);
    double right = accuracy(scores, labels);
    arena_free(arena);
    return right;
}

static void learn_without_the_detour(Lesson *lesson, const Mae *m, const Data *d, const Features *pixels,
                                     const Labels *labels, double probed)
{
    section(lesson, "Without the detour");
    Spread arms[2];
    printf("%% right of %d test images with 10 labels a class\n", TESTED);
    for (int arm = 0; arm < 2; arm++) {
        double right[DRAWS] = {0.0}, best = -1.0;
        float rate = 0.0f;
        printf("%-16s", arm ? "fine-tuned" : "from scratch");
        for (int r = 0; r < RATES; r++) {
            Classifier c =
                learn_from_labels(lesson, arm ? m : NULL, pixels->pool, labels, 0, student_rates[r]);
            double judged = fraction_right(&c, pixels->held_out, d->held_out_labels);
            if (judged <= best) continue;
            best = judged, rate = student_rates[r];
            right[0] = fraction_right(&c, pixels->test, d->test_labels);
        }
        for (int draw = 1; draw < DRAWS; draw++) {
            Classifier c = learn_from_labels(lesson, arm ? m : NULL, pixels->pool, labels, draw, rate);
            right[draw] = fraction_right(&c, pixels->test, d->test_labels);
        }
        arms[arm] = spread_of(right, DRAWS);
        print_spread(arms[arm]);
        printf("   at a rate of %g\n", (double)rate);
    }
    printf("%-16s   %5.1f\n\n", "linear probe", 100.0 * probed);
    claim(lesson, probed > arms[0].mean,
          "a linear layer on the frozen encoder beats the encoder trained from scratch");
    claim(lesson, arms[1].mean > arms[0].mean,
          "so does the encoder that is trained on from the pretrained weights");
}

/*
Pretraining beats training from scratch when there are ten labels a class: the popular sentence is true here, by
more than the draws differ. (Three times as many epochs leave the network from scratch where it is, at 60.3 %, and
with the longer pretraining of FULL=1 the fine-tuned one has 68.7.) But look who else does. Ridge regression on
pixels, from the table before, is ten points better than the network from scratch, and better than the fine-tuned
one. With 100 labelled images a network of 100 000 parameters is simply the wrong opponent, and to beat it proves
little.

## Other masks, other targets

Three decisions were made with half a reason: 75 %, the loss on masked patches only, and plain pixels as the target.
`make chapter23 FULL=1` trains each of the others for 800 steps, and the network of this chapter for 8 000.
*/

static void try_other_recipes(Lesson *lesson, const Data *d, const Features *pixels, const Labels *labels)
{
    section(lesson, "Other masks, other targets");
    enum { STEPS = 800, RECIPES = 6 };
    static const Recipe recipes[RECIPES] = {
        {.name = "25 % masked", .visible = 37, .steps = STEPS},
        {.name = "50 % masked", .visible = 24, .steps = STEPS},
        {.name = "75 % masked", .visible = 12, .steps = STEPS},
        {.name = "90 % masked", .visible = 5, .steps = STEPS},
        {.name = "75 %, loss on all", .visible = 12, .steps = STEPS, .all = true},
        {.name = "75 %, normalised", .visible = 12, .steps = STEPS, .normalised = true}};
    if (!lesson_full(lesson)) {
        printf("only with FULL=1\n");
        return;
    }
    Arena *arena = lesson_arena(lesson);
    Rng drawing = lesson_rng(lesson, 31);
    Matrix images = matrix_rows(d->test, 0, GUESSED), guess = matrix_new(arena, GUESSED, PIXELS);
    Mask mask = mask_new(arena, GUESSED, VISIBLE);
    mask_draw(&mask, &drawing);
    printf("probes with 10 labels a class\nrecipe                error at 75 %%   pooled                49 "
           "tokens\n");
    for (int r = 0; r < RECIPES; r++) {
        Rng rng = lesson_rng(lesson, 1);
        Mae m = mae_new(arena, &rng);
        pretrain(lesson, &m, d->training, recipes[r], rate_found);
        guess_by_network(guess, &m, images, &mask);
        ArenaMark mark = arena_mark(arena);
        Features tokens = encoded(arena, &m.encoder, pixels), f = pooled_features(arena, &tokens);
        printf("%-20s%14.4f ", recipes[r].name, masked_error(guess, images, &mask));
        print_spread(probe_draws(&f, d, labels, FEW)), print_spread(probe_draws(&tokens, d, labels, FEW));
        printf("\n");
        arena_rewind(arena, mark);
    }
}

/*
This is what came (seed 1; probes with 10 labels of each class, mean of three draws, which lie 1 to 2 points on
either side):

| recipe | error at 75 % | probe, pooled | probe, 49 tokens |
|---|---|---|---|
| 25 % masked | 0.514 | 66.0 | 71.2 |
| 50 % masked | 0.422 | 67.2 | 71.1 |
| 75 % masked | 0.394 | 63.7 | 70.6 |
| 90 % masked | 0.498 | 54.2 | 68.1 |
| 75 %, loss on all patches | 0.390 | 65.5 | 72.0 |
| 75 %, each target of mean 0 and deviation 1 | – | 61.9 | 68.6 |

The error is least where the mask of the training is that of the test, which is no wonder. For the features "75 % is
best" does not hold here: at the same number of steps 25 and 50 % are two or three points better where tokens are
pooled, about level where all are kept, and only 90 % is clearly worse. What 75 % has for itself is the price: its
encoder does a third of the work of 37 visible patches, so for the same work, decoder included, it could take twice
the steps. Nor does it hurt to be paid for the visible patches as well, and normalised targets, which helped the
authors on photographs, are behind after 800 steps. The authors trained for 1 600 epochs on a million photographs;
we for less than half an epoch, with one seed. We keep their decisions; the reason that we can measure is the work.

## The lesson, from end to end
*/

static Data data_new(Lesson *lesson, ImageSet clothes, Matrix *first_images)
{
    Arena *arena = lesson_arena(lesson);
    Matrix lines = image_matrix(arena, clothes.train, 0.0f, 1.0f),
           test = image_matrix(arena, clothes.test, 0.0f, 1.0f);
    *first_images = matrix_rows(lines, 0, 100);
    Data d = {.test = matrix_uninitialised(arena, test.rows, PIXELS), .test_labels = clothes.test_labels};
    Matrix all = matrix_uninitialised(arena, lines.rows, PIXELS), variances = matrix_new(arena, 1, PIXELS);
    cut_into_patches(all, lines), cut_into_patches(d.test, test);
    d.mean_image = matrix_new(arena, 1, PIXELS);
    column_means(d.mean_image, all);
    column_variances(variances, all);
    float deviation = sqrtf((float)mean(variances));
    subtract_row(all, d.mean_image), subtract_row(d.test, d.mean_image);
    scale(all, 1.0f / deviation), scale(d.test, 1.0f / deviation), scale(d.mean_image, 1.0f / deviation);
    int count = all.rows - HELD_OUT;
    d.training = matrix_rows(all, 0, count), d.training_labels = clothes.train_labels;
    d.held_out = matrix_rows(all, count, HELD_OUT), d.held_out_labels = clothes.train_labels + count;
    d.covariance = matrix_new(arena, PIXELS, PIXELS);
    Matrix counted = lesson_full(lesson) ? d.training : matrix_rows(d.training, 0, 20000);
    matmul_tn(d.covariance, counted, counted);
    scale(d.covariance, 1.0f / (float)counted.rows);
    return d;
}

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "23-mae", "MAE: an encoder that sees a quarter");
    Arena *arena = lesson_arena(lesson);
    Matrix first_images;
    Data d = data_new(lesson, fashion_mnist_load(arena), &first_images);
    Matrix lines = matrix_copy(arena, first_images), cut = matrix_new(arena, lines.rows, PIXELS);
    cut_into_patches(cut, lines);
    check_the_lists(lesson, lines, cut);

    Rng rng = lesson_rng(lesson, 1), drawing = lesson_rng(lesson, 3);
    Mae mae = mae_new(arena, &rng);
    check_the_network(lesson, &mae, matrix_rows(d.test, 0, 20));
    count_the_cost(lesson, &mae, matrix_rows(d.test, 0, 256));
    train(lesson, &mae, d.training);
    compare_guesses(lesson, &mae, &d);
    measure_redundancy(lesson, &d);

    static Labels labels;
    int *order = arena_alloc(arena, (size_t)d.training.rows, sizeof(int));
    rng_permutation(&drawing, order, d.training.rows);
    for (int i = 0; i < POOL; i++) labels.pool_labels[i] = d.training_labels[order[i]];
    draw_labels(&labels);
    Features pixels = {matrix_new(arena, POOL, PIXELS), matrix_rows(d.held_out, 0, JUDGING),
                       matrix_rows(d.test, 0, TESTED)};
    gather_rows(pixels.pool, d.training, order);
    double probed = 0.0;
    probe_the_encoder(lesson, &mae, &d, &pixels, &labels, &probed);
    learn_without_the_detour(lesson, &mae, &d, &pixels, &labels, probed);
    try_other_recipes(lesson, &d, &pixels, &labels);
    return lesson_end(lesson);
}

/*
## What to take along

- A masked autoencoder hides most of an image, encodes the rest, and fills the image in. The decoder is thrown away.
- The encoder sees the visible patches only. That makes it about $49/12$ times cheaper, and a little more than that.
- Gathering and putting back are lists of integers, the second list the inverse of the first. Check them with
  properties that only right lists have: nothing masked, order exchanged, pixels under the mask replaced.
- An error needs hard opponents: the best linear guess and the mean of near neighbours were better than our network.
- So does a probe: the pixels themselves, and the same encoder with random weights, pooled and not pooled.

Chapter 24 finds a teacher for images that costs no labels either: the sentences that stand beside them.

## Check yourself

**1.** A batch has 2 images of 4 patches, $V = 2$. In image 0 patches 3 and 1 are seen, in this order, in image 1
patches 0 and 2, in this. What are `seen`, `seen_at`, `hidden` and `source`?

<details><summary>Answer</summary>

`seen` = 3 1 4 6, `seen_at` = 3 1 0 2, `hidden` holds 0 2 5 7 in some order within each image, `source` = 4 1 4 0 2
4 3 4, where 4 = $2 \cdot 2$ is the mask token.

</details>

**2.** Why must a token bring its position along, when the patches of BERT's sentences, the words, simply get the
position at which they stand in the input?

<details><summary>Answer</summary>

Because the visible patches are a random part, in a random order: the fifth row of the input is not the fifth patch.
Without `seen_at` the encoder would know what it sees and not where.

</details>

**3.** Why does the mask token need a position, and what would the decoder answer without one?

<details><summary>Answer</summary>

All masked places hold the same vector. Without positions attention would treat them all alike, and all masked
patches of an image would be filled in with one and the same patch.

</details>

**4.** The encoder takes $T (8 C^2 + 2 T C)$ multiply-adds a block. When is a quarter of the tokens 4 times cheaper,
when 16 times?

<details><summary>Answer</summary>

4 times while $T$ is far below $4C$, where the products with weights rule; 16 times when $T$ is far above it, where
attention does. Here $T = 49$ and $4 C = 256$.

</details>

**5.** A colleague reports that his masked autoencoder "beats random features by 13 points". What do you ask for?

<details><summary>Answer</summary>

The same probe on raw pixels, and the same comparison with the tokens not pooled; how the regularisation of each was
chosen, and on which images; the spread over draws of labels. On this page the 13 points shrink to one.

</details>

## Sources

- K. He, X. Chen, S. Xie, Y. Li, P. Dollár, R. Girshick, *Masked autoencoders are scalable vision learners*, 2021:
  the method, the masking of 75 %, the encoder without mask tokens, and the loss on masked patches.
- J. Devlin, M.-W. Chang, K. Lee, K. Toutanova, *BERT: pre-training of deep bidirectional transformers for language
  understanding*, 2018: 15 % of the words.
- P. Vincent and others, *Extracting and composing robust features with denoising autoencoders*, 2008; D. Pathak and
  others, *Context encoders: feature learning by inpainting*, 2016: the idea before transformers.
- G. Alain, Y. Bengio, *Understanding intermediate layers using linear classifier probes*, 2016: the linear probe.
- H. Xiao, K. Rasul, R. Vollgraf, *Fashion-MNIST*, 2017.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade23` tells how far you are, `make
hint23` helps.

- **TASK 23.1** a mask of exactly $V$ patches, drawn by noise.
- **TASK 23.2** the way back: the inverse list.
- **TASK 23.3** the gradient of what was gathered, the mask token's included.
- **TASK 23.4** the loss on masked patches, and its gradient.
- **TASK 23.5** what seeing all would cost.

And without a computer, or with five minutes at one:

**1.** Suppose the hidden patches were put into the encoder as mask tokens, as BERT does it. How many multiply-adds
does the encoder take then, and what would have to be different when it is used afterwards?

<details><summary>Answer</summary>

5 789 056 instead of 1 247 232, those of 49 patches. And in use no token is a mask token, so three quarters of the
input would be of a kind that was never there in training.

</details>

**2.** Why is the loss on all patches so low, compared with that on the masked ones, and why is that no good sign?

<details><summary>Answer</summary>

A quarter of the patches only has to be copied. The mean falls without any guess having become better; compare
errors on the masked patches only.

</details>

**3.** Show that of all linear guesses $A x_v$ the one with $A = \Sigma_{hv} \Sigma_{vv}^{-1}$ has the least mean
squared error, whatever the distribution is.

<details><summary>Answer</summary>

$E \lVert x_h - A x_v \rVert^2$ has the derivative $-2 (\Sigma_{hv} - A \Sigma_{vv})$ by $A$: only second moments
occur. It is zero for this $A$, and the function is convex. A Gaussian is needed for one thing only: that no *other*
guess is better.

</details>

**4.** Squared error makes blurred images. What would you have to change to get one sharp possibility instead of the
mean of all?

<details><summary>Answer</summary>

The model must give a distribution and draw from it: tokens with probabilities (chapter 20), an adversary that
punishes what no image looks like (chapter 25), or many small denoising steps (chapter 26).

</details>
*/
