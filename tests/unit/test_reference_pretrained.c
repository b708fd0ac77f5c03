// Models in the layout of Hugging Face against independent programs in PyTorch: the logits of tests/reference/pretrained.txt.
#include "base/name_table.h"
#include "models/pretrained.h"
#include "suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_TENSORS = 64, MOST_TOKENS = 32, MODELS = 11 };

typedef struct {
    Arena *arena;
    FILE *file;
    int ids[MOST_TOKENS], count;
    char name[40], folder[300];
    SafetensorsStoredItem items[MOST_TENSORS];
    int tensors;
    size_t bytes; // of all numbers
} Fixture;

static Fixture fixture_open(void)
{
    Fixture f = {.arena = arena_new(), .file = fopen("tests/reference/pretrained.txt", "r")};
    ck_assert_msg(f.file != NULL, "run the tests from the project's root");
    ck_assert(fscanf(f.file, "#%*[^\n] #%*[^\n] tokens %d", &f.count) == 1 && f.count <= MOST_TOKENS);
    for (int i = 0; i < f.count; i++) ck_assert(fscanf(f.file, "%d", &f.ids[i]) == 1);
    return f;
}

// As make_pretrained.py does.
static Matrix values_of(Arena *arena, const char *name, int rows, int cols)
{
    const bool vector = rows == 0, gain = vector && strcmp(name + strlen(name) - 6, "weight") == 0;
    const uint32_t seed = (uint32_t)name_hash(name, strlen(name));
    Matrix m = matrix_new(arena, vector ? 1 : rows, cols);
    for (size_t i = 0; i < matrix_size(m); i++) {
        uint32_t x = (uint32_t)i * 2654435761u + seed;
        x = (x ^ x >> 16) * 0x7feb352du;
        x = (x ^ x >> 15) * 0x846ca68bu;
        x ^= x >> 16;
        m.data[i] = (float)(((double)(x >> 8) / (1 << 23) - 1.0) * 0.375 + (gain ? 1.0 : 0.0));
    }
    return m;
}

static StoredKind kind_of(const char *dtype)
{
    return strcmp(dtype, "F32") == 0 ? STORED_F32 : strcmp(dtype, "F16") == 0 ? STORED_F16 : STORED_BF16;
}

// Makes the folder of the next model: two shards, or one file.
static bool next_model(Fixture *f, bool sharded)
{
    char dtype[8], config[1024], path[400];
    if (fscanf(f->file, " model %39s %7s %d %1023[^\n]", f->name, dtype, &f->tensors, config) != 4)
        return false;
    ck_assert_int_le(f->tensors, MOST_TENSORS);
    f->bytes = 0;
    for (int i = 0; i < f->tensors; i++) {
        char name[100];
        int rows, cols;
        ck_assert(fscanf(f->file, "%99s %d %d", name, &rows, &cols) == 3);
        const Stored stored = stored_from(f->arena, values_of(f->arena, name, rows, cols), kind_of(dtype));
        f->items[i] = (SafetensorsStoredItem){arena_string(f->arena, name), stored, rows == 0};
        f->bytes += stored_bytes(stored);
    }
    snprintf(f->folder, sizeof f->folder, "%s", scratch_path(f->name));
    weights_write(f->folder, f->items, f->tensors, sharded ? f->bytes * 3 / 5 : f->bytes);
    snprintf(path, sizeof path, "%s/config.json", f->folder);
    FILE *file = fopen(path, "w");
    fputs(config, file);
    fclose(file);
    return true;
}

static void expect_logits(Fixture *f, Matrix got)
{
    for (size_t i = 0; i < matrix_size(got); i++) {
        double expected;
        ck_assert(fscanf(f->file, "%lf", &expected) == 1);
        ck_assert_msg(fabs((double)got.data[i] - expected) <= 1e-4 * (1.0 + fabs(expected)),
                      "%s, token %zu, logit %zu: got %.7g, expected %.7g", f->name, i / (size_t)got.cols,
                      i % (size_t)got.cols, (double)got.data[i], expected);
    }
}

START_TEST(logits_of_every_family)
{
    Fixture f = fixture_open();
    int models = 0;
    for (; next_model(&f, models % 2 == 0); models++) {
        Pretrained model = pretrained_open(f.arena, f.folder);
        ck_assert_int_eq(model.tensor_count, f.tensors);
        ck_assert_int_eq(model.weights.shard_count, models % 2 == 0 ? 2 : 1);
        ck_assert_ptr_null(model.tokenizer);
        DecoderCache *cache = decoder_cache_new(f.arena, &model.decoder, 30);
        Matrix logits = matrix_new(f.arena, f.count, model.decoder.config.vocabulary);
        decoder_logits(&model.decoder, cache, logits, f.ids);
        expect_logits(&f, logits);
        decoder_cache_clear(cache);
        for (int i = 0; i < f.count; i++) { // bit for bit the same, token by token
            const Matrix one = decoder_step(&model.decoder, cache, f.ids + i, 1);
            ck_assert_mem_eq(one.data, matrix_row(logits, i), (size_t)one.cols * sizeof(float));
        }
        pretrained_close(&model);
    }
    ck_assert_int_eq(models, MODELS);
    fclose(f.file);
    arena_free(f.arena);
}
END_TEST

SUITE("reference_pretrained", logits_of_every_family)
