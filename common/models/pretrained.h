// pretrained.h: a language model out of a folder in the layout of Hugging Face, its weights used where they lie in the file.
//
//     Pretrained model = pretrained_open(arena, "Qwen3-0.6B");
//     DecoderCache *cache = decoder_cache_new(arena, &model.decoder, 1024);
//     Matrix logits = decoder_step(&model.decoder, cache, prompt.ids, (int)prompt.count);
//     …
//     pretrained_close(&model);                          // the weights are gone
//
// What is read of the folder:
//     config.json                    sizes and settings, by the names and with the defaults of the transformers library
//     model.safetensors, or model.safetensors.index.json with its shards (files/weights.h): F32, F16 or BF16
//     tokenizer.json                 models/tokenizer.h; of GPT-2 also vocab.json and merges.txt; NULL when there is none
//     generation_config.json         which tokens end a text, and how the authors sample; need not be there
//
// Families, by "model_type":
//     llama, mistral     RMS norm, rotary positions, SwiGLU, grouped keys; "attention_bias" and "mlp_bias" of llama
//     qwen2              the same with biases of queries, keys and values
//     qwen3              the same without, and RMS norm of each head's queries and keys
//     gpt2               layer norm, learnt positions, GELU; weights (in × out), queries, keys and values in one
// Names may have their prefix ("model.", "transformer.") or not. Queries and keys are rotated in halves, column j with j + D/2, as
// the layout has them and as models/decoder.h does: nothing is permuted.
//
// Numbers are those of the transformers library in float32, but for rounding. What would change them is refused by name: other
// families, other activations, quantised weights, scaling of rotary positions other than linear, llama3 and dynamic, partial
// rotation, scores scaled in other ways. Where attention looks back by a window only ("sliding_window"), texts up to its
// length are the same and longer ones are refused by decoder_cache_new; so are they beyond "max_position_embeddings" where the
// scaling is "dynamic", which does nothing up to there.
//
// A folder is untrusted input: sizes are compared with the files before memory is asked for, each tensor's shape and type with the
// configuration; a tensor that nobody asked for is refused unless it is known to be of no use (masks of old GPT-2 files,
// "inv_freq", an output table beside "tie_word_embeddings": true, which the transformers library does not use either). The
// program stops with the file, what was found, and what was expected.
#pragma once
#include "files/weights.h"
#include "models/decoder.h"
#include "models/tokenizer.h"

enum {
    PRETRAINED_MAX_CONFIG = 1 << 22, // bytes
    PRETRAINED_MOST_STOPS = 32,
};

// Where a parameter lives.
typedef struct {
    const char *name;  // in the file
    const char *role;  // "queries", "gain of the first norm", …
    int layer;         // −1: of none
    const char *dtype; // "BF16"
    int rows, cols;    // as the file has them; a vector is 1 × cols. 0 × 0: not used
    const char *file;
} PretrainedTensor;

typedef struct {
    const char *folder, *model_type;
    Decoder decoder;
    Tokenizer *tokenizer;
    int stops[PRETRAINED_MOST_STOPS]; // tokens after which a text is at its end
    int stop_count;
    Sampling sampling; // of generation_config.json; temperature 0 where it does not say "do_sample": true
    PretrainedTensor *tensors; // sorted by name
    int tensor_count;
    Weights weights;
} Pretrained;

#define pretrained_open(arena, folder) pretrained_open_at(HERE, arena, folder)
Pretrained pretrained_open_at(Place place, Arena *arena, const char *folder);
// The same without a tokenizer, of which the folder may have one that models/tokenizer.h does not know.
#define pretrained_open_model(arena, folder) pretrained_open_model_at(HERE, arena, folder)
Pretrained pretrained_open_model_at(Place place, Arena *arena, const char *folder);
void pretrained_close(Pretrained *model);

// ---- Writing ------------------------------------------------------------------------------------------------------------

typedef struct {
    StoredKind kind;           // F32, F16 or BF16
    size_t shard_bytes;        // of numbers in a file; 0: one file
    const int *stops;          // tokens that end a text
    int stop_count;            // up to PRETRAINED_MOST_STOPS
    Sampling sampling;         // temperature 0: "do_sample": false
    const char *chat_template; // a Jinja template for tokenizer_config.json, or NULL
} PretrainedOptions;

// Writes a trained model so that pretrained_open and the transformers library can read it: config.json, the weights,
// tokenizer.json, tokenizer_config.json and generation_config.json. Of the models of gpt.h these are possible: with rotary
// positions, RMS norm and SwiGLU, without biases (llama), with those of queries, keys and values (qwen2), or with the norm
// of queries and keys (qwen3); with learnt positions, layer norm, GELU or ReLU, and biases (gpt2). Others are refused.
// In F32 the logits of what is read again are equal bit for bit. config.json comes last: a folder without it is no model yet. A
// folder in use is not the place to write to.
#define pretrained_save(folder, gpt, tokenizer, ...)                                                         \
    pretrained_save_at(HERE, folder, gpt, tokenizer, (PretrainedOptions){__VA_ARGS__})
void pretrained_save_at(Place place, const char *folder, const Gpt *gpt, const Tokenizer *tokenizer,
                        PretrainedOptions options);
