// vit.c: a Transformer that reads patches. See vit.h.
#include "models/vit.h"
#include "base/check.h"
#include "base/parallel.h"
#include "learning/ops/conv.h"
#include "learning/ops/shape.h"

#include <math.h>
#include <string.h>

// ---- Making one -------------------------------------------------------------------------------------------

static VitConfig complete(Place place, VitConfig c)
{
    if (!c.channels) c.channels = 1;
    check_at(place, c.height > 0 && c.width > 0 && c.channels > 0 && c.patch > 0,
             "name height, width and patch", "vit_new: images of %d × %d pixels, %d channels, patches of %d",
             c.height, c.width, c.channels, c.patch);
    check_at(place, c.height % c.patch == 0 && c.width % c.patch == 0, "patches cover the image exactly",
             "vit_new: images of %d × %d pixels in patches of %d × %d", c.height, c.width, c.patch, c.patch);
    check_at(place, c.features > 0 && c.layers >= 0 && c.heads > 0 && c.classes >= 0,
             "name features, layers and heads", "vit_new: %d features, %d layers, %d heads, %d classes",
             c.features, c.layers, c.heads, c.classes);
    if (!c.hidden) c.hidden = 4 * c.features;
    if (c.position_deviation == 0.0f) c.position_deviation = 0.02f;
    return c;
}

Vit vit_new_at(Place place, Parameters *set, VitConfig config, Rng *rng)
{
    const VitConfig c = complete(place, config);
    Vit vit = {.config = c};
    vit.embed = linear_new_at(place, set, "embed", c.patch * c.patch * c.channels, c.features, rng,
                              rng ? INIT_LECUN : INIT_ZERO, true);
    vit.token = parameters_add_at(place, set, "class", 1, c.features);
    if (rng) fill_normal(vit.token->value, rng, 0.0f, c.position_deviation);
    if (!c.without_positions) {
        vit.positions = parameters_add_at(place, set, "position", vit_tokens(&c), c.features);
        if (rng) fill_normal(vit.positions->value, rng, 0.0f, c.position_deviation);
    }
    vit.blocks = arena_alloc_at(place, set->arena, (size_t)c.layers, sizeof *vit.blocks);
    const BlockConfig block = {.width = c.features,
                               .heads = c.heads,
                               .hidden = c.hidden,
                               .deviation = c.deviation,
                               .shrink = c.layers ? 1.0f / sqrtf(2.0f * (float)c.layers) : 1.0f};
    for (int i = 0; i < c.layers; i++)
        vit.blocks[i] = block_new_at(place, set, layer_name(set, "", "block", i), block, rng);
    vit.norm = norm_new_at(place, set, "norm", NORM_LAYER, c.features, 0.0f);
    if (c.classes)
        vit.head =
            linear_new_at(place, set, "head", c.features, c.classes, rng, rng ? INIT_LECUN : INIT_ZERO, true);
    return vit;
}

// ---- Tokens -----------------------------------------------------------------------------------------------

static int channels_of(const VitConfig *c) { return c->channels ? c->channels : 1; }

static int images_in(Place place, const VitConfig *c, Matrix images)
{
    const int channels = channels_of(c);
    const size_t each = (size_t)c->height * (size_t)c->width * (size_t)channels;
    check_at(place, images.rows > 0 && matrix_size(images) % each == 0,
             "rows are pixels, columns channels; or a row for each image",
             "vit: images (%d × %d), each of %d × %d pixels with %d channels", images.rows, images.cols,
             c->height, c->width, channels);
    return (int)(matrix_size(images) / each);
}

Matrix vit_patches_at(Place place, Arena *arena, const VitConfig *c, Matrix images)
{
    const Grid grid = {images_in(place, c, images), c->height, c->width};
    const int channels = channels_of(c);
    Matrix patches = matrix_uninitialised_at(place, arena, grid.count * vit_patch_count(c),
                                             c->patch * c->patch * channels);
    grid_to_patches(patches, matrix_reshape_at(place, images, grid_rows(grid), channels), grid,
                    window_square(c->patch, c->patch, 0));
    return patches;
}

static void prepend_token_step(Tensor *self)
{
    // y_(b·(P + 1)) = token, y_(b·(P + 1) + 1 + t) = x_(b·P + t)
    const int time = *(const int *)self->context;
    const Matrix d_y = self->gradient, d_x = tensor_gradient(self->inputs[0]),
                 d_token = tensor_gradient(self->inputs[1]);
    const int batch = d_y.rows / (time + 1), cols = d_y.cols;
    for (int b = 0; b < batch && d_token.data; b++)
        for (int j = 0; j < cols; j++) d_token.data[j] += AT(d_y, b * (time + 1), j);
    if (!d_x.data) return;
    PARALLEL_FOR(parallel_worth(matrix_size(d_x)), b, batch, {
        float *to = matrix_row(d_x, b * time);
        const float *from = matrix_row(d_y, b * (time + 1) + 1);
        for (size_t i = 0; i < (size_t)time * (size_t)cols; i++) to[i] += from[i];
    });
}

Tensor *prepend_token_at(Place place, Tensor *x, Tensor *token, int time)
{
    check_at(place, time > 0 && x->value.rows % time == 0, "row b · P + t is position t of sequence b",
             "prepend_token: x (%d × %d) in sequences of %d positions", x->value.rows, x->value.cols, time);
    check_at(place, token->value.rows == 1 && token->value.cols == x->value.cols,
             "one token, as wide as those of x", "prepend_token: x (%d × %d), token (%d × %d)", x->value.rows,
             x->value.cols, token->value.rows, token->value.cols);
    const int batch = x->value.rows / time;
    Tensor *y = tensor_node(place, "prepend_token", batch * (time + 1), x->value.cols, prepend_token_step,
                            sizeof time, 2, x, token);
    memcpy(y->context, &time, sizeof time);
    const size_t row = (size_t)x->value.cols * sizeof(float);
    PARALLEL_FOR(parallel_worth(matrix_size(x->value)), b, batch, {
        memcpy(matrix_row(y->value, b * (time + 1)), token->value.data, row);
        memcpy(matrix_row(y->value, b * (time + 1) + 1), matrix_row(x->value, b * time), (size_t)time * row);
    });
    return y;
}

// ---- On a tape --------------------------------------------------------------------------------------------

Tensor *vit_embed_at(Place place, const Vit *vit, Tape *tape, Matrix images)
{
    const VitConfig *c = &vit->config;
    Tensor *patches = tape_input(tape, vit_patches_at(place, tape_arena(tape), c, images));
    Tensor *x =
        prepend_token_at(place, linear_at(place, &vit->embed, patches), vit->token, vit_patch_count(c));
    return vit->positions ? add_positions_at(place, x, vit->positions, vit_tokens(c)) : x;
}

static Tensor *through_blocks(Place place, const Vit *vit, Tape *tape, Matrix images)
{
    const VitConfig *c = &vit->config;
    const BlockInputs in = {.self =
                                self_attention_shape(images_in(place, c, images), vit_tokens(c), 0, false)};
    Tensor *x = vit_embed_at(place, vit, tape, images);
    for (int i = 0; i < c->layers; i++) x = block_forward_at(place, &vit->blocks[i], x, in);
    return x;
}

Tensor *vit_states_at(Place place, const Vit *vit, Tape *tape, Matrix images)
{
    return norm_normalise_at(place, &vit->norm, through_blocks(place, vit, tape, images));
}

Tensor *vit_features_at(Place place, const Vit *vit, Tape *tape, Matrix images)
{
    const VitConfig *c = &vit->config;
    Tensor *x = through_blocks(place, vit, tape, images);
    const int tokens = vit_tokens(c), batch = x->value.rows / tokens;
    Tensor *first =
        slice_columns_at(place, tensor_reshape_at(place, x, batch, tokens * c->features), 0, c->features);
    return norm_normalise_at(place, &vit->norm, first);
}

Tensor *vit_logits_at(Place place, const Vit *vit, Tape *tape, Matrix images)
{
    check_at(place, vit->head.weight, "vit_new with .classes", "vit_logits: a ViT without a head");
    return linear_at(place, &vit->head, vit_features_at(place, vit, tape, images));
}
