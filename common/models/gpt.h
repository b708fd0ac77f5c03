// gpt.h: a decoder of language, from GPT-2 to Llama by its configuration: trained on a tape, asked with a cache.
//
//     GptConfig config = {.vocabulary = 96, .context = 128, .layers = 4, .heads = 4, .width = 128};
//     Gpt gpt = gpt_new(&parameters, config, &rng);
//     …
//     backward(gpt_loss(&gpt, tape, ids, labels, batch, time));          // training
//
//     GptCache *cache = gpt_cache_new(arena, &gpt, 1, 128);             // asking
//     Matrix logits = gpt_step(&gpt, cache, prompt, prompt_count);
//     int next = sample_token(logits, (Sampling){.temperature = 0.8f}, &rng);
//     logits = gpt_step(&gpt, cache, &next, 1);                          // costs one position, not all of them
//
// Each of the layers is a block of block.h, which adds to the residual stream x of width C, and the logits are norm(x) times
// a table with a row for each token. With a cache the same numbers are added up in the
// same order: logits are equal bit for bit to those without, so the same seed gives the same text.
//
// Parameters by name: token.table (V × C), position.table (context × C) when learned; of layer i = 0 … those of its block:
// blocki.norm1.gain, blocki.qkv.weight, … (block.h); norm.gain, and norm.bias of a layer norm; output.table (V × C) unless
// tied.
// Weights are (in × out): the transposes of PyTorch's and of most checkpoints'; the tables are stored as theirs are.
#pragma once
#include "models/block.h"
#include "models/sampler.h"

typedef enum {
    GPT_LEARNED,
    GPT_ROTARY
} GptPositions; // a table that is added; queries and keys that are rotated

enum { GPT_MOST = 1 << 20 }; // no number of a configuration may be larger

// What is 0 takes the default that stands beside it.
typedef struct {
    int vocabulary, context;  // V; the most positions of a sequence
    int layers, heads, width; // C
    int key_heads;            // g: as many as heads
    int head_width;           // D: width / heads
    int hidden;               // H: 4 · width; with SwiGLU 8/3 · width, rounded up to a multiple of 8
    GptPositions positions;
    float rotary_base; // 10000
    RotaryScaling scaling;
    NormKind norm;
    float epsilon; // NORM_EPSILON
    BlockActivation activation;
    bool tied;                 // the output uses token.table
    bool without_biases;       // linear layers have weights only
    bool qkv_biases;           // … but for qkv
    bool query_key_norm;       // RMS norm of each head's queries and keys
    float embedding_deviation; // of the tables of tokens and positions: 0.3, tied 0.02
    float deviation; // of weights and of output.table: 1/√in. Those of out and down are divided by
                     // √(2 · layers), so that the residual stream does not grow with depth
} GptConfig;

typedef struct {
    GptConfig config; // with all defaults filled in
    Embedding token;
    Tensor *position; // NULL: rotary
    Block *blocks;    // [layers]
    Norm norm;
    Tensor *output; // (V × C); the token table when tied
} Gpt;

// rng NULL: the weights stay zeros, to be read from a file.
#define gpt_new(set, config, rng) gpt_new_at(HERE, set, config, rng)
Gpt gpt_new_at(Place place, Parameters *set, GptConfig config, Rng *rng);

// How many parameters it adds to the set.
long gpt_parameters(const GptConfig *config);

// ---- On a tape ---------------------------------------------------------------------------------------------------
// ids: batch sequences of time tokens, one after the other; positions are counted from 0. T = time, B = batch.

#define gpt_states(gpt, tape, ids, batch, time)       gpt_states_at(HERE, gpt, tape, ids, batch, time)
#define gpt_logits(gpt, tape, ids, batch, time)       gpt_logits_at(HERE, gpt, tape, ids, batch, time)
#define gpt_loss(gpt, tape, ids, labels, batch, time) gpt_loss_at(HERE, gpt, tape, ids, labels, batch, time)
// norm(x), (B·T × C): for other outputs than the next token
Tensor *gpt_states_at(Place place, const Gpt *gpt, Tape *tape, const int *ids, int batch, int time);
Tensor *gpt_logits_at(Place place, const Gpt *gpt, Tape *tape, const int *ids, int batch,
                      int time); // (B·T × V)
// The mean cross entropy of labels [B·T], the token that follows each position; LABEL_IGNORED does not count. Without
// keeping the logits when there are many.
Tensor *gpt_loss_at(Place place, const Gpt *gpt, Tape *tape, const int *ids, const int *labels, int batch,
                    int time);

// ---- With a cache --------------------------------------------------------------------------------------------------
// The keys and values of what was read, for some sequences side by side, each of its own length. No tape, no gradients.

typedef struct GptCache GptCache;

#define gpt_cache_new(arena, gpt, batch, capacity) gpt_cache_new_at(HERE, arena, gpt, batch, capacity)
GptCache *gpt_cache_new_at(Place place, Arena *arena, const Gpt *gpt, int batch, int capacity);
void gpt_cache_clear(GptCache *cache);                         // all sequences are empty
int gpt_cache_length(const GptCache *cache, int sequence);     // how many tokens it has read
void gpt_cache_cut(GptCache *cache, int sequence, int length); // forgets the tokens after the first length

// Reads count ≥ 1 tokens of each sequence (ids [batch · count]) → the logits after the last (batch × V), which live
// until the next call.
#define gpt_step(gpt, cache, ...) gpt_step_at(HERE, gpt, cache, __VA_ARGS__)
Matrix gpt_step_at(Place place, const Gpt *gpt, GptCache *cache, const int *ids, int count);

// The same for one of the sequences → (1 × V): prompts of different lengths are read one by one.
#define gpt_read(gpt, cache, ...) gpt_read_at(HERE, gpt, cache, __VA_ARGS__)
Matrix gpt_read_at(Place place, const Gpt *gpt, GptCache *cache, int sequence, const int *ids, int count);

// Continues a text: ids holds a prompt of count ≥ 1 tokens and has room for limit. Stops after the token stop (−1:
// never), or when limit tokens stand there, and returns how many do. The cache is cleared first; it holds one sequence.
#define gpt_sample(gpt, cache, ...) gpt_sample_at(HERE, gpt, cache, __VA_ARGS__)
int gpt_sample_at(Place place, const Gpt *gpt, GptCache *cache, int *ids, int count, int limit, int stop,
                  Sampling sampling, Rng *rng);

// What the heads of one layer look at in one sequence: row h · T + i, column j (h·T × T), for heat maps.
#define gpt_attention_weights(arena, gpt, ids, time, layer)                                                  \
    gpt_attention_weights_at(HERE, arena, gpt, ids, time, layer)
Matrix gpt_attention_weights_at(Place place, Arena *arena, const Gpt *gpt, const int *ids, int time,
                                int layer);
