// model_read.c: gpt_open in the browser: reads what model_write.c wrote (model_file.h). The file comes with the page, from the
// same make, so only its beginning is doubted.
#include "tools/live/model_file.h"
#include "models/gpt_file.h"
#include "models/tokenizer_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static FILE *in;

static void get(Place place, void *bytes, size_t size)
{
    check_at(place, fread(bytes, 1, size, in) == size, "make the page again: make live",
             "the model ends too early");
}

static int get_number(Place place)
{
    int number;
    get(place, &number, sizeof number);
    return number;
}

static Tokenizer *get_tokenizer(Place place)
{
    Tokenizer *t = tokenizer_new(place);
    const int size = get_number(place);
    for (int i = 0; i < size; i++) {
        const size_t bytes = (size_t)get_number(place);
        char *piece = arena_alloc_at(place, t->arena, bytes, 1);
        get(place, piece, bytes);
        check_at(place, tokenizer_put(place, t, i, (Bytes){piece, bytes}, BYTE_PIECE), NULL,
                 "piece %d is there twice", i);
    }
    tokenizer_find_bytes(t);
    for (int merges = get_number(place); merges > 0; merges--) {
        const int left = get_number(place), right = get_number(place), result = get_number(place);
        tokenizer_put_merge(place, t, (TokenizerMerge){left, right, result});
    }
    const int runs = get_number(place);
    CharacterRun *run = arena_alloc_at(place, t->arena, (size_t)runs, sizeof *run);
    get(place, run, (size_t)runs * sizeof *run);
    words_know(run, runs);
    return t;
}

GptFile gpt_open_at(Place place, Arena *arena, const char *path)
{
    GptFile file = {.parameters = parameters_new(arena)};
    GptConfig config;
    in = fopen(path, "rb");
    check_at(place, in, "make the page again: make live", "%s: %s", path, strerror(errno));
    check_at(place, get_number(place) == MODEL_MAGIC && get_number(place) == (int)sizeof config,
             "make the page again: make live", "%s is not the model of this program", path);
    get(place, &config, sizeof config);
    file.gpt = gpt_new_at(place, &file.parameters, config, NULL);
    for (int i = 0; i < file.parameters.count; i++) {
        const Matrix value = file.parameters.items[i]->value;
        get(place, value.data, matrix_size(value) * sizeof *value.data);
    }
    file.tokenizer = get_tokenizer(place);
    fclose(in);
    return file;
}
