// gpt_file.h: a trained GPT with its tokenizer in a folder, so that another program can ask it.
//
//     gpt_save("build/models/20-tiny-gpt", &gpt, &parameters, tokenizer);
//     GptFile file = gpt_open(arena, "build/models/20-tiny-gpt");          // file.gpt, file.tokenizer
//
// The folder holds model.safetensors, the parameters under the names of gpt.h, with the configuration in its
// "__metadata__" ("vocabulary", "context", "layers", "heads", "key_heads", "width", "head_width", "hidden",
// "positions": learned or rotary, "norm": layer or rms, "activation": gelu or swiglu, "tied" and "biases": yes or no,
// "rotary_base"), and tokenizer.json. Parameters are written as F32; F16 and BF16 are read as well, and become floats on the
// way. Both files are untrusted input; what is wrong stops the program with the file's name and what to do.
//
// Saving again replaces the two as a pair, although a system renames one file at a time: after a kill, a full disk or a
// power cut gpt_open finds the old model with the old tokenizer or the new with the new. The new tokenizer is written
// beside the old one, as tokenizer.json.next; then the new model gets its name, with the digest of its tokenizer's bytes
// in the note "tokenizer": from this moment on the pair is the new one; then the tokenizer gets its name. Where the
// digest is that of tokenizer.json.next, a save was ended before its last step: gpt_open reads that file, and the next
// gpt_save finishes the step. A tokenizer.json that another program has written since is taken as it is.
#pragma once
#include "models/gpt.h"
#include "models/checkpoint.h"
#include "models/tokenizer.h"

typedef struct {
    Gpt gpt;
    Parameters parameters;
    Tokenizer *tokenizer;
} GptFile;

// The folder is made when it is not there. Each file gets its name when it is complete.
#define gpt_save(folder, gpt, set, tokenizer) gpt_save_at(HERE, folder, gpt, set, tokenizer)
void gpt_save_at(Place place, const char *folder, const Gpt *gpt, const Parameters *set,
                 const Tokenizer *tokenizer);

#define gpt_open(arena, folder) gpt_open_at(HERE, arena, folder)
GptFile gpt_open_at(Place place, Arena *arena, const char *folder);
