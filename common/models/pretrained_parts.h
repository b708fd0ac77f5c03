// pretrained_parts.h: what the files that read and write a pretrained model share. For others: pretrained.h.
#pragma once
#include "models/pretrained.h"

// What the JSON files of a folder say, after a look at all of it.
typedef struct {
    const char *model_type;
    GptConfig gpt;   // complete
    int limit;       // as in Decoder
    bool is_gpt2;    // names and weights as GPT-2 has them
    bool out_bias;   // of what attention adds
    bool mlp_biases; // of the other three layers
    int stops[PRETRAINED_MOST_STOPS], stop_count;
    Sampling sampling;
} PretrainedConfig;

PretrainedConfig pretrained_config_read(Place place, Arena *arena, const char *folder);

// Whether the folder has something of this name, be it a link to nothing.
bool pretrained_has(Place place, const char *folder, const char *name);
