// block.h: the block of a Transformer (Vaswani et al. 2017): positions look at each other, then each is thought about alone.
// One block serves GPT (causal), BERT and ViT (all see all), encoder and decoder (cross-attention), Swin (regions and a bias).
//
//     Block block = block_new(&parameters, "block0", (BlockConfig){.width = 64, .heads = 4}, &rng);
//     Tensor *y = block_forward(&block, x, .self = self_attention_shape(batch, time, 0, true));     // x, y (B·T × C)
//
//     x += out(attention(qkv(norm1(x))))                         pre-norm: Radford et al. 2019, section 2.3
//     x += cross_out(attention(cross_query(norm_cross(x)), cross_memory(memory)))   with .cross: from a memory of S positions
//     x += down(activation(up(norm2(x))))
//
// Parameters by name: norm1.gain, qkv.weight (C × (h + 2g)·D: all queries, all keys, all values), query_norm.gain and
// key_norm.gain (1 × D) when they are normalised, out.weight (h·D × C); norm_cross.gain, cross_query.weight (C × h·D),
// cross_memory.weight (C × 2g·D: all keys, all values), cross_out.weight; norm2.gain, up.weight (C × H; SwiGLU C × 2H: gate,
// then value), down.weight (H × C). A .bias stands beside each .weight, and beside the .gain of layer norms.
//
// Used for: translation (17), BERT (19), GPT (20, 28), ViT and Swin (22), masked autoencoders (23), CLIP (24).
#pragma once
#include "learning/ops/attention.h"
#include "learning/ops/position.h"
#include "models/nn.h"

typedef enum { BLOCK_GELU, BLOCK_SWIGLU, BLOCK_RELU, BLOCK_TANH_GELU } BlockActivation;

// What is 0 takes the default that stands beside it.
typedef struct {
    int width, heads; // C, h
    int key_heads;    // g: as many as heads
    int head_width;   // D: width / heads
    int hidden;       // H: 4 · width; with SwiGLU 8/3 · width, rounded up to a multiple of 8
    bool cross;       // with cross-attention to a memory, C wide
    NormKind norm;
    float epsilon;  // NORM_EPSILON
    bool post_norm; // as in 2017: x = norm(x + …), and the parts see x itself
    BlockActivation activation;
    bool without_biases; // linear layers have weights only
    bool qkv_biases;     // … but for qkv (Qwen2)
    bool query_key_norm; // RMS norm of each head's queries and keys, before they are rotated (Qwen3)
    bool rotary;         // queries and keys are rotated by their positions
    float rotary_base;   // 10000
    RotaryScaling scaling;
    float deviation; // of weights: 1/√in
    float
        shrink; // times that for out, cross_out and down: 1. A stack of L blocks keeps its size with 1/√(2L)
} BlockConfig;

// The config with all defaults filled in, after a look at it. A mistake stops the program in the name of `maker`.
BlockConfig block_config_complete(Place place, const char *maker, BlockConfig config);

// The layers are open: another tensor of the same shape may stand in the place of a weight.
typedef struct {
    BlockConfig config; // complete
    Norm norm1, norm_cross, norm2;
    Norm query_norm, key_norm;
    Linear qkv, out, cross_query, cross_memory, cross_out, up, down;
} Block;

// rng NULL: the weights stay zeros, to be read from a file.
#define block_new(set, name, config, rng) block_new_at(HERE, set, name, config, rng)
Block block_new_at(Place place, Parameters *set, const char *name, BlockConfig config, Rng *rng);

// How many parameters a block adds to its set.
int block_parameters(const BlockConfig *config);

// Who looks at whom. Heads, key heads and scale are the block's own and need not be given.
typedef struct {
    AttentionShape self; // batch, queries and keys; causal, padding, regions as they are wanted
    Tensor *bias;        // added to the scores (h·T × T), learnt; or NULL
    Tensor *memory;      // (B·S × C), for cross-attention
    AttentionShape cross;
    const AttentionCache *cache; // read on: x are positions that follow those of the cache; or NULL
} BlockInputs;

#define block_forward(block, x, ...) block_forward_at(HERE, block, x, (BlockInputs){__VA_ARGS__})
Tensor *block_forward_at(Place place, const Block *block, Tensor *x, BlockInputs in);

// What the heads look at, for heat maps: weights (B·h·T × T), row (b · h + head) · T + i; of the memory (B·h·T × S).
#define block_self_weights(block, x, weights, ...)                                                           \
    block_self_weights_at(HERE, block, x, weights, (BlockInputs){__VA_ARGS__})
#define block_cross_weights(block, x, weights, ...)                                                          \
    block_cross_weights_at(HERE, block, x, weights, (BlockInputs){__VA_ARGS__})
void block_self_weights_at(Place place, const Block *block, Tensor *x, Matrix weights, BlockInputs in);
void block_cross_weights_at(Place place, const Block *block, Tensor *x, Matrix weights, BlockInputs in);
