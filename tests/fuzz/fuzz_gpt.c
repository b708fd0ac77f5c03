// fuzz_gpt.c: a model's folder: model.safetensors with the configuration in its notes, and tokenizer.json. What opens
// predicts a token.
#include "fuzz.h"
#include "models/gpt_file.h"
#include "safetensors_frame.h"
#include "tokenizer_frame.h"

#include <stdlib.h>
#include <sys/stat.h>

static void open_folder(void *context)
{
    Arena *arena = arena_new();
    GptFile file = gpt_open(arena, context);
    GptConfig c = file.gpt.config;
    fuzz_require(tokenizer_size(file.tokenizer) <= c.vocabulary, "more tokens than rows");
    if (c.context <= 4096) {
        GptCache *cache = gpt_cache_new(arena, &file.gpt, 1, int_min(c.context, 8));
        int id = c.vocabulary - 1;
        Matrix logits = gpt_step(&file.gpt, cache, &id, 1);
        fuzz_require(logits.cols == c.vocabulary, "%d logits for %d tokens", logits.cols, c.vocabulary);
    }
    tokenizer_free(file.tokenizer);
    arena_free(arena);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    FuzzPart parts[2];
    fuzz_parts(bytes, size, parts, 2);
    FuzzPart model = safetensors_frame(parts[0]), tokenizer = tokenizer_frame(parts[1]);
    const char *folder = fuzz_path("gpt");
    mkdir(folder, 0700);
    fuzz_file("gpt/model.safetensors", model.bytes, model.size);
    fuzz_file("gpt/tokenizer.json", tokenizer.bytes, tokenizer.size);
    free((void *)model.bytes);
    free((void *)tokenizer.bytes);
    fuzz_most_at_once = (size_t)64 << 20; // the largest tokenizer takes less
    fuzz_try(open_folder, (void *)folder);
}
