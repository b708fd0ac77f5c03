// clip.c: see clip.h.
#include "models/clip.h"
#include "base/mathf.h"
#include "learning/ops/elementwise.h"
#include "learning/ops/likelihood.h"
#include "learning/ops/position.h"

#include <math.h>

// ---- Making one -------------------------------------------------------------------------------------------

static const float LARGEST_SCALE = 100.0f; // of the logits, as in the paper

static Window window_of(int i) { return i == 0 ? window_square(4, 2, 1) : window_square(3, 2, 1); }

static ClipConfig complete(Place place, ClipConfig c)
{
    if (!c.channels) c.channels = 3;
    if (c.scale == 0.0f) c.scale = 1.0f / 0.07f;
    check_at(
        place, c.side > 0 && c.channels > 0 && c.convolutions[0] > 0 && c.hidden > 0 && c.features > 0,
        "name side, convolutions, hidden and features",
        "clip_new: images of %d × %d pixels, %d features after the first convolution, %d hidden, %d in all",
        c.side, c.side, c.convolutions[0], c.hidden, c.features);
    check_at(place, c.words > 0 && c.vocabulary > 0 && c.text_features > 0,
             "name words, vocabulary and text_features",
             "clip_new: texts of %d words out of %d, %d features each", c.words, c.vocabulary,
             c.text_features);
    check_at(place, c.blocks >= 0 && (c.blocks || c.text_hidden > 0), "name text_hidden",
             "clip_new: %d blocks, text_hidden %d", c.blocks, c.text_hidden);
    check_at(place, c.scale > 0.0f && c.scale <= LARGEST_SCALE, "1/0.07 is usual", "clip_new: a scale of %g",
             (double)c.scale);
    if (!c.text_hidden) c.text_hidden = 4 * c.text_features;
    return c;
}

// The parts of the network that reads images; the text's follow.
static void make_image_layers(Place place, Clip *clip, Parameters *set, Rng *rng)
{
    const ClipConfig *c = &clip->config;
    const Initialiser he = rng ? INIT_HE : INIT_ZERO, lecun = rng ? INIT_LECUN : INIT_ZERO;
    Grid grid = {1, c->side, c->side};
    int inputs = c->channels;
    while (clip->convolution_count < CLIP_MAX_CONVOLUTIONS && c->convolutions[clip->convolution_count] > 0) {
        const int i = clip->convolution_count++;
        clip->convolution[i] = conv_new_at(place, set, layer_name(set, "image", "conv", i), inputs,
                                           c->convolutions[i], window_of(i), rng, he, true);
        inputs = c->convolutions[i];
        grid = window_grid(place, grid, window_of(i));
    }
    clip->image_hidden =
        linear_new_at(place, set, "image.hidden", inputs * grid_rows(grid), c->hidden, rng, he, true);
    clip->image_out = linear_new_at(place, set, "image.out", c->hidden, c->features, rng, lecun, false);
}

Clip clip_new_at(Place place, Parameters *set, ClipConfig config, Rng *rng)
{
    Clip clip = {.config = complete(place, config)};
    const ClipConfig *c = &clip.config;
    const Initialiser he = rng ? INIT_HE : INIT_ZERO, lecun = rng ? INIT_LECUN : INIT_ZERO;
    make_image_layers(place, &clip, set, rng);
    clip.word =
        embedding_new_at(place, set, "text.word", c->vocabulary, c->text_features, rng, rng ? 1.0f : 0.0f);
    if (c->blocks) {
        clip.positions = parameters_add_at(place, set, "text.position", c->words, c->text_features);
        if (rng) fill_normal(clip.positions->value, rng, 0.0f, 0.1f);
        clip.blocks = arena_alloc_at(place, set->arena, (size_t)c->blocks, sizeof *clip.blocks);
        const BlockConfig block = {.width = c->text_features,
                                   .heads = c->heads,
                                   .hidden = c->text_hidden,
                                   .shrink = 1.0f / sqrtf(2.0f * (float)c->blocks)};
        for (int i = 0; i < c->blocks; i++)
            clip.blocks[i] = block_new_at(place, set, layer_name(set, "text", "block", i), block, rng);
        clip.norm = norm_new_at(place, set, "text.norm", NORM_LAYER, c->text_features, 0.0f);
        clip.text_out =
            linear_new_at(place, set, "text.out", c->text_features, c->features, rng, lecun, false);
    } else {
        clip.text_hidden = linear_new_at(place, set, "text.hidden", c->words * c->text_features,
                                         c->text_hidden, rng, he, true);
        clip.text_out = linear_new_at(place, set, "text.out", c->text_hidden, c->features, rng, lecun, false);
    }
    clip.log_scale = parameters_add_at(place, set, "log_scale", 1, 1);
    clip.log_scale->value.data[0] = log32(c->scale);
    return clip;
}

// ---- On a tape --------------------------------------------------------------------------------------------

static const float SMALL = 1e-12f; // a row of zeros stays one

Tensor *clip_images_at(Place place, const Clip *clip, Tape *tape, Matrix pixels)
{
    const ClipConfig *c = &clip->config;
    const size_t each = (size_t)c->side * (size_t)c->side * (size_t)c->channels;
    check_at(place, pixels.rows > 0 && matrix_size(pixels) % each == 0,
             "rows are pixels, columns channels; or a row for each image",
             "clip_images: pixels (%d × %d), images of %d × %d with %d channels", pixels.rows, pixels.cols,
             c->side, c->side, c->channels);
    const Grid grid = {(int)(matrix_size(pixels) / each), c->side, c->side};
    Map m = map_input_at(place, tape, matrix_reshape_at(place, pixels, grid_rows(grid), c->channels), grid);
    for (int i = 0; i < clip->convolution_count; i++) m = map_conv_relu_at(place, &clip->convolution[i], m);
    const int rest = (int)(matrix_size(m.features->value) / (size_t)grid.count);
    Tensor *h = tensor_reshape_at(place, m.features, grid.count, rest);
    h = linear_relu_at(place, &clip->image_hidden, h);
    return normalise_rows_at(place, linear_at(place, &clip->image_out, h), SMALL);
}

Tensor *clip_texts_at(Place place, const Clip *clip, Tape *tape, const int *words, int count)
{
    const ClipConfig *c = &clip->config;
    check_at(place, count > 0, "give at least one text", "clip_texts: %d texts", count);
    Tensor *x = embed_at(place, tape, &clip->word, words, count * c->words);
    if (c->blocks) {
        const BlockInputs in = {.self = self_attention_shape(count, c->words, 0, false)};
        x = add_positions_at(place, x, clip->positions, c->words);
        for (int i = 0; i < c->blocks; i++) x = block_forward_at(place, &clip->blocks[i], x, in);
        x = norm_normalise_at(place, &clip->norm, x);
        x = global_average_pool_at(place, x, (Grid){count, c->words, 1}); // the mean over the words of a text
    } else {
        x = tensor_reshape_at(place, x, count, c->words * c->text_features);
        x = linear_relu_at(place, &clip->text_hidden, x);
    }
    return normalise_rows_at(place, linear_at(place, &clip->text_out, x), SMALL);
}

// Row i: the same probability for each j whose caption is that of i.
static Matrix shared_targets(Place place, Arena *arena, const int *captions, int count)
{
    Matrix targets = matrix_new_at(place, arena, count, count);
    for (int i = 0; i < count; i++) {
        int equal = 0;
        for (int j = 0; j < count; j++) equal += captions ? captions[i] == captions[j] : i == j;
        for (int j = 0; j < count; j++)
            if (captions ? captions[i] == captions[j] : i == j) AT(targets, i, j) = 1.0f / (float)equal;
    }
    return targets;
}

Tensor *contrastive_loss_at(Place place, Tensor *images, Tensor *texts, Tensor *log_scale,
                            const int *captions)
{
    tensor_need_same(place, "contrastive_loss", images, texts);
    Tape *tape = images->tape ? images->tape : texts->tape;
    check_at(place, tape, "give what the networks make of a batch", "contrastive_loss: no tape");
    Matrix targets = shared_targets(place, tape_arena(tape), captions, images->value.rows); // = its transpose
    Tensor *scale = exponential_at(place, log_scale->tape ? log_scale : tape_parameter(tape, log_scale));
    scale = tensor_clamp_at(place, scale, 0.0f, LARGEST_SCALE);
    Tensor *to_texts = scale_by_at(place, product_transposed_at(place, images, texts), scale);
    Tensor *to_images = scale_by_at(place, product_transposed_at(place, texts, images), scale);
    Tensor *of_images = soft_cross_entropy_at(place, to_texts, targets);
    Tensor *of_texts = soft_cross_entropy_at(place, to_images, targets);
    return tensor_scale_at(place, tensor_add_at(place, of_images, of_texts), 0.5f);
}
