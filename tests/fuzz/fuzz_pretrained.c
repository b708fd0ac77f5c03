// fuzz_pretrained.c: a folder in the layout of Hugging Face: config.json, model.safetensors and generation_config.json. What opens
// reads two tokens, and the same again as one token after the other.
#include "fuzz.h"
#include "models/pretrained.h"
#include "safetensors_frame.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void open_folder(void *context)
{
    Arena *arena = arena_new();
    Pretrained model = pretrained_open(arena, context);
    const GptConfig c = model.decoder.config;
    for (int i = 0; i < model.stop_count; i++)
        fuzz_require(model.stops[i] >= 0 && model.stops[i] < c.vocabulary, "token %d ends a text",
                     model.stops[i]);
    for (int i = 0; i < model.tensor_count; i++)
        fuzz_require(model.tensors[i].role, "%s has no place", model.tensors[i].name);
    const int capacity = model.decoder.limit ? int_min(model.decoder.limit, 2) : 2;
    DecoderCache *cache = decoder_cache_new(arena, &model.decoder, capacity);
    const int ids[] = {0, c.vocabulary - 1};
    Matrix both = matrix_new(arena, capacity, c.vocabulary);
    decoder_logits(&model.decoder, cache, both, ids);
    decoder_cache_clear(cache);
    for (int i = 0; i < capacity; i++) {
        const Matrix one = decoder_step(&model.decoder, cache, ids + i, 1);
        const bool same = memcmp(one.data, matrix_row(both, i), matrix_size(one) * sizeof(float)) == 0;
        fuzz_require(same || !all_finite(one), "token %d has other logits alone", i);
    }
    pretrained_close(&model);
    arena_free(arena);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    FuzzPart parts[3];
    fuzz_parts(bytes, size, parts, 3);
    FuzzPart model = safetensors_frame(parts[1]);
    const char *folder = fuzz_path("pretrained");
    mkdir(folder, 0700);
    fuzz_file("pretrained/config.json", parts[0].bytes, parts[0].size);
    fuzz_file("pretrained/model.safetensors", model.bytes, model.size);
    fuzz_file("pretrained/generation_config.json", parts[2].bytes, parts[2].size);
    free((void *)model.bytes);
    fuzz_most_at_once = (size_t)64 << 20;
    fuzz_try(open_folder, (void *)folder);
}
