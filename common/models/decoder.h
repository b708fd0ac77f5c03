// decoder.h: a decoder of language for asking only: the model of gpt.h, its weights in 32, 16 or 8 bits and where they lie.
//
//     Pretrained model = pretrained_open(arena, "Qwen3-0.6B");              // pretrained.h; or
//     Decoder decoder = decoder_of_gpt(arena, &gpt);                        // views of a trained one
//     Decoder small = decoder_quantise(arena, &decoder, STORED_INT8);       // a copy in fewer bytes
//
//     DecoderCache *cache = decoder_cache_new(arena, &decoder, 1024);
//     Matrix logits = decoder_step(&decoder, cache, prompt, prompt_count);
//     int next = sample_token(logits, (Sampling){.temperature = 0.8f}, &rng);
//     logits = decoder_step(&decoder, cache, &next, 1);                     // costs one position
//
// The functions are those that gpt_step runs, on matrices instead of a tape: on the same floats the logits are equal bit for bit,
// whether a text is read at once or token by token, and whatever the threads.
//
// A token costs one look at every weight, decoder_bytes in all, and one at the keys and values of the text so far. Where
// the weights are larger than the caches of the processor, memory is what is waited for: bytes a token, divided by bytes a
// second, is the time.
//
// Letters: V vocabulary, C width, h heads of width D for queries, g for keys and values, H hidden units.
#pragma once
#include "matrix/stored.h"
#include "models/gpt.h"

typedef struct {
    Stored weight; // (out × in): a row for each output, as in most checkpoints
    bool by_input; // … or (in × out), as in GPT-2's and in gpt.h
    Matrix bias;   // (1 × out), or data NULL
} DecoderLinear;

typedef struct {
    Matrix gain, bias; // (1 × C); bias.data NULL: RMS norm
} DecoderNorm;

// Rotary positions pair the columns j and j + D/2 of a head (learning/ops/position.h), and so do the checkpoints of Hugging
// Face ("rotate_half"): their rows of queries and keys are used in the order in which they are. Those of Meta's own files
// pair 2j and 2j + 1.
typedef struct {
    DecoderNorm norm1, norm2;
    DecoderLinear qkv[3]; // queries (h·D), keys (g·D), values (g·D); or the first has all three, side by side
    Matrix query_gain, key_gain; // (1 × D): RMS norm of each head; or data NULL
    DecoderLinear out;
    DecoderLinear
        up[2]; // SwiGLU: gate and value (H each), or the first has both, side by side; others: only the first
    DecoderLinear down;
} DecoderLayer;

typedef struct {
    GptConfig config; // complete
    int limit;        // no sequence may be longer; 0: any may
    Stored token;     // (V × C)
    Stored position;  // (context × C), or data NULL: rotary
    DecoderLayer *layers;
    DecoderNorm norm;
    Stored output; // (V × C); the token table when tied
} Decoder;

// Views of the model's parameters, which stay the model's: training it further moves them. Layers with low-rank additions are
// merged first (nn.h, linear_merge).
#define decoder_of_gpt(arena, gpt) decoder_of_gpt_at(HERE, arena, gpt)
Decoder decoder_of_gpt_at(Place place, Arena *arena, const Gpt *gpt);

// A copy whose linear weights and tables are of this kind, all of them (out × in); norms and biases are shared with the
// decoder. INT8 has a scale for each output. They lie in strips (matrix/stored.h), so a copy of the same kind as a file's
// is answered with faster than the file itself.
#define decoder_quantise(arena, decoder, kind) decoder_quantise_at(HERE, arena, decoder, kind)
Decoder decoder_quantise_at(Place place, Arena *arena, const Decoder *decoder, StoredKind kind);

// How many bytes of weights one token reads: all but the table of tokens, of which it reads a row, unless it is the output
// as well.
size_t decoder_bytes(const Decoder *decoder);

// ---- With a cache -------------------------------------------------------------------------------------------------------
// The keys and values of one sequence. What a step needs on its way comes from the same arena and is given back.

typedef struct DecoderCache DecoderCache;

#define decoder_cache_new(arena, decoder, capacity) decoder_cache_new_at(HERE, arena, decoder, capacity)
DecoderCache *decoder_cache_new_at(Place place, Arena *arena, const Decoder *decoder, int capacity);
void decoder_cache_clear(DecoderCache *cache);
int decoder_cache_length(const DecoderCache *cache);     // how many tokens it has read
void decoder_cache_cut(DecoderCache *cache, int length); // forgets the tokens after the first length
size_t
decoder_cache_bytes(const DecoderCache *cache); // of keys and values, with room for a multiple of 64 tokens

// Reads count ≥ 1 tokens → the logits after the last (1 × V), which live until the next call. The cache is one that
// was made for this decoder, or for one of the same configuration: of a copy in other bits, say.
#define decoder_step(decoder, cache, ...) decoder_step_at(HERE, decoder, cache, __VA_ARGS__) // ids, count
Matrix decoder_step_at(Place place, const Decoder *decoder, DecoderCache *cache, const int *ids, int count);

// The same with the logits after each of the tokens, logits (count × V): to see how likely a given text is.
#define decoder_logits(decoder, cache, logits, ids) decoder_logits_at(HERE, decoder, cache, logits, ids)
void decoder_logits_at(Place place, const Decoder *decoder, DecoderCache *cache, Matrix logits,
                       const int *ids);

// Continues a text: ids holds a prompt of count ≥ 1 tokens and has room for limit. Stops after one of the tokens
// stops[stop_count], or when limit tokens stand there, and returns how many do. The cache is cleared first.
#define decoder_sample(decoder, cache, ...) decoder_sample_at(HERE, decoder, cache, __VA_ARGS__)
int decoder_sample_at(Place place, const Decoder *decoder, DecoderCache *cache, int *ids, int count,
                      int limit, const int *stops, int stop_count, Sampling sampling, Rng *rng);
