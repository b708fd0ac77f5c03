// vit.h: a Transformer that reads an image as a sequence of patches (Dosovitskiy et al. 2021, "An Image is Worth
// 16x16 Words").
//
//     VitConfig config = {.height = 28, .width = 28, .patch = 7, .features = 64,
//                         .layers = 4, .heads = 4, .classes = 10};
//     Vit vit = vit_new(&parameters, config, &rng);
//     Tensor *loss = cross_entropy(vit_logits(&vit, tape, images), labels);
//
// The image is cut into P = H/p · W/p patches of p × p pixels, row by row. Each becomes a token by one linear
// layer, which is a convolution whose stride is its window. In front of them stands the class token, a learnt
// vector that belongs to no patch, T = P + 1; each of the T tokens has a learnt position, which is added. The tokens pass
// through blocks (block.h) in which all see all; what the class token has become is normalised and goes to the
// classes.
//
// Shapes: B images, C features of a token. images hold their numbers row by row, channels innermost, as
// matrix/grid.h has them (B·H·W × channels); (B × H·W·channels) is the same memory and is taken as well.
//
// Parameters by name: embed.weight (p·p·channels × C), embed.bias, class (1 × C), position (T × C), blocki.…
// (block.h), norm.gain, norm.bias, head.weight (C × classes), head.bias.
//
// Used for: chapter 22. The parts are open, so that others may embed some patches only (23) or take the features
// (24).
#pragma once
#include "models/block.h"

// What is 0 takes the default that stands beside it.
typedef struct {
    int height, width, channels; // of the images; channels: 1
    int patch;                   // p, which divides height and width
    int features, layers, heads; // C; blocks; heads of each
    int hidden;                  // 4 · features
    int classes;                 // 0: no head
    bool without_positions;      // the tokens are a set
    float deviation;             // of the weights in the blocks: 1/√in (block.h)
    float position_deviation;    // of positions and class token: 0.02
} VitConfig;

typedef struct {
    VitConfig config; // complete
    Linear embed;
    Tensor *token, *positions; // the class token (1 × C); (T × C), NULL without
    Block *blocks;             // [layers]
    Norm norm;
    Linear head;
} Vit;

static inline int vit_patch_count(const VitConfig *c)
{
    return c->height / c->patch * (c->width / c->patch);
} // P
static inline int vit_tokens(const VitConfig *c) { return vit_patch_count(c) + 1; } // T

// rng NULL: the weights stay zeros, to be read from a file.
#define vit_new(set, config, rng) vit_new_at(HERE, set, config, rng)
Vit vit_new_at(Place place, Parameters *set, VitConfig config, Rng *rng);

// The patches as rows, the pixels of each row by row: (B·P × p·p·channels)
#define vit_patches(arena, config, images) vit_patches_at(HERE, arena, config, images)
Matrix vit_patches_at(Place place, Arena *arena, const VitConfig *config, Matrix images);

#define vit_embed(vit, tape, images)                                                                         \
    vit_embed_at(HERE, vit, tape, images) // what the first block gets: (B·T × C)
#define vit_states(vit, tape, images)                                                                        \
    vit_states_at(HERE, vit, tape, images) // all tokens at the end (B·T × C)
#define vit_features(vit, tape, images)                                                                      \
    vit_features_at(HERE, vit, tape, images) // of the class token, normalised (B × C)
#define vit_logits(vit, tape, images) vit_logits_at(HERE, vit, tape, images) // (B × classes)
Tensor *vit_embed_at(Place place, const Vit *vit, Tape *tape, Matrix images);
Tensor *vit_states_at(Place place, const Vit *vit, Tape *tape, Matrix images);
Tensor *vit_features_at(Place place, const Vit *vit, Tape *tape, Matrix images);
Tensor *vit_logits_at(Place place, const Vit *vit, Tape *tape, Matrix images);

// A token in front of each sequence: x (B·P × C), token (1 × C) → (B·(P + 1) × C)
#define prepend_token(x, token, time) prepend_token_at(HERE, x, token, time) // time: P
Tensor *prepend_token_at(Place place, Tensor *x, Tensor *token, int time);
