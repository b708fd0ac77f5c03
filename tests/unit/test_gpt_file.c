// test_gpt_file.c: a GPT in a folder, whole and damaged, and the program that talks with it.
#include "models/gpt_file.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char text[] =
    "the old man and the sea, the sea and the old man, 海上生明月，天涯共此時。海上生明月，天涯共此時。";

typedef struct {
    Arena *arena;
    char folder[64];
    Gpt gpt;
    Parameters parameters;
    Tokenizer *tokenizer;
} Made;

static Made make(GptConfig config, uint64_t seed)
{
    Made m = {.arena = arena_new(), .folder = "/tmp/course-gpt-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(m.folder));
    m.tokenizer = tokenizer_train(text, strlen(text), 280, NULL);
    m.parameters = parameters_new(m.arena);
    config.vocabulary = tokenizer_size(m.tokenizer);
    Rng rng = rng_new(seed, 7);
    m.gpt = gpt_new(&m.parameters, config, &rng);
    strcat(m.folder, "/deep/er"); // folders that are not there
    gpt_save(m.folder, &m.gpt, &m.parameters, m.tokenizer);
    return m;
}

static void end(Made *m)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf /tmp/%.*s", 17, m->folder + 5);
    ck_assert_int_eq(system(command), 0);
    tokenizer_free(m->tokenizer);
    arena_free(m->arena);
}

static const GptConfig configs[] = {
    {.context = 16, .layers = 2, .heads = 2, .width = 8},
    {.context = 16,
     .layers = 1,
     .heads = 4,
     .key_heads = 2,
     .width = 8,
     .head_width = 4,
     .positions = GPT_ROTARY,
     .norm = NORM_RMS,
     .activation = BLOCK_SWIGLU,
     .tied = true,
     .without_biases = true,
     .rotary_base = 500000.0f},
    {.context = 16,
     .layers = 1,
     .heads = 2,
     .width = 8,
     .positions = GPT_ROTARY,
     .norm = NORM_RMS,
     .activation = BLOCK_TANH_GELU,
     .without_biases = true,
     .qkv_biases = true,
     .query_key_norm = true,
     .epsilon = 1e-6f,
     .scaling = {.kind = ROTARY_BY_WAVELENGTH, .factor = 4.0f, .low = 0.5f, .high = 2.0f, .trained = 10}},
};
enum { CONFIGS = sizeof configs / sizeof *configs };

START_TEST(what_was_saved_is_opened_with_the_same_logits)
{
    for (int c = 0; c < CONFIGS; c++) {
        Made m = make(configs[c], 1);
        GptFile file = gpt_open(m.arena, m.folder);
        Tokens ids = tokenizer_encode(m.arena, m.tokenizer, text, 12);
        Tokens again = tokenizer_encode(m.arena, file.tokenizer, text, 12);
        ck_assert_uint_eq(ids.count, again.count);
        Matrix here = gpt_step(&m.gpt, gpt_cache_new(m.arena, &m.gpt, 1, 16), ids.ids, (int)ids.count);
        Matrix there =
            gpt_step(&file.gpt, gpt_cache_new(m.arena, &file.gpt, 1, 16), again.ids, (int)again.count);
        ck_assert(largest_difference(here, there) == 0.0f);
        tokenizer_free(file.tokenizer);
        end(&m);
    }
}
END_TEST

// The same model, its parameters rounded to two bytes, is what opens from a file of these.
START_TEST(a_model_in_numbers_of_two_bytes_is_opened_as_its_floats)
{
    for (int kind = STORED_F16; kind <= STORED_BF16; kind++) {
        Made m = make(configs[1], 9);
        char path[128];
        snprintf(path, sizeof path, "%s/model.safetensors", m.folder);
        Safetensors old = safetensors_open(m.arena, path);
        SafetensorsStoredItem *items = arena_zeros(m.arena, (size_t)m.parameters.count, sizeof *items);
        for (int i = 0; i < m.parameters.count; i++) {
            Matrix value = m.parameters.items[i]->value;
            items[i].name = m.parameters.names[i];
            items[i].value = stored_from(m.arena, value, (StoredKind)kind);
            stored_expand(value, items[i].value);
        }
        safetensors_write_stored(path, items, m.parameters.count, old.notes, old.note_count);
        safetensors_close(&old);
        GptFile file = gpt_open(m.arena, m.folder);
        for (int i = 0; i < m.parameters.count; i++)
            ck_assert(largest_difference(m.parameters.items[i]->value, file.parameters.items[i]->value) ==
                      0.0f);
        tokenizer_free(file.tokenizer);
        end(&m);
    }
}
END_TEST

static void open_folder(void *folder) { gpt_open(arena_new(), folder); }

// The bytes of `what` in the model's file become `by`, of the same length.
static void damage(const char *folder, const char *what, const char *by)
{
    static char bytes[1 << 20];
    char path[128];
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    FILE *file = fopen(path, "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    char *at = memmem(bytes, size, what, strlen(what));
    ck_assert_ptr_nonnull(at);
    memcpy(at, by, strlen(by));
    file = fopen(path, "wb");
    fwrite(bytes, 1, size, file);
    fclose(file);
}

START_TEST(a_configuration_that_lies_is_refused)
{
    static const char *const lies[][3] = {
        {"\"layers\":\"2\"", "\"layers\":\"x\"", "\"layers\" is \"x\", expected a whole number"},
        {"\"layers\":\"2\"", "\"layerz\":\"2\"", "has no \"layers\""},
        {"\"norm\":\"layer\"", "\"norm\":\"lager\"", "expected layer or rms"},
        {"\"hidden\":\"32\"", "\"hidden\":\"99\"", "hint"},
        {"\"heads\":\"2\"", "\"heads\":\"0\"", "is \"0\""},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        Made m = make(configs[0], 2);
        damage(m.folder, lies[i][0], lies[i][1]);
        expect_death(open_folder, m.folder, lies[i][2]);
        end(&m);
    }
}
END_TEST

START_TEST(a_model_of_no_layers_and_a_base_of_rotations_that_is_not_whole_come_back)
{
    GptConfig config = {.context = 8, .layers = 0, .heads = 1, .width = 4, .positions = GPT_ROTARY};
    config.rotary_base = 0.1f;
    Made m = make(config, 5);
    GptFile file = gpt_open(m.arena, m.folder);
    ck_assert_int_eq(file.gpt.config.layers, 0);
    ck_assert(file.gpt.config.rotary_base == 0.1f);
    tokenizer_free(file.tokenizer);
    end(&m);
}
END_TEST

static void make_too_wide(void *width)
{
    Parameters set = parameters_new(arena_new());
    Rng rng = rng_new(1, 1);
    GptConfig config = {.vocabulary = 1, .context = *(int *)width, .layers = 0, .heads = 1, .width = 1};
    gpt_new(&set, config, &rng);
}

static void save_a_set_with_more_in_it(void *folder)
{
    Made m = make(configs[0], 1);
    parameters_add(&m.parameters, "more", 1, 1);
    gpt_save(folder, &m.gpt, &m.parameters, m.tokenizer);
}

START_TEST(what_could_not_be_opened_is_refused_before_it_is_trained_or_written)
{
    int width = (1 << 20) + 1;
    expect_death(make_too_wide, &width,
                 "a size of 1048577 in the configuration; from 0 to 1048576 is possible");
    const char *folder = scratch_path("more-in-it");
    expect_death(save_a_set_with_more_in_it, (void *)(uintptr_t)folder,
                 "a set of 30 parameters, and the model has 29");
    ck_assert_int_ne(access(folder, F_OK), 0);
}
END_TEST

// A file whose notes promise many layers, and whose header has one tensor of count numbers.
static void write_promises(const char *folder, int layers, size_t count)
{
    char header[1024], path[256];
    int length = snprintf(header, sizeof header,
                          "{\"__metadata__\":{\"vocabulary\":\"1\",\"context\":\"1\",\"layers\":\"%d\","
                          "\"heads\":\"1\",\"key_heads\":\"1\","
                          "\"width\":\"1\",\"head_width\":\"1\",\"hidden\":\"1\",\"rotary_base\":\"10000\","
                          "\"positions\":\"learned\",\"norm\":"
                          "\"layer\",\"activation\":\"gelu\",\"tied\":\"yes\",\"biases\":\"yes\"},\"x\":{"
                          "\"dtype\":\"F32\",\"shape\":[%zu],"
                          "\"data_offsets\":[0,%zu]}}",
                          layers, count, 4 * count);
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    FILE *file = fopen(path, "wb");
    for (int i = 0; i < 8; i++) fputc((int)((uint64_t)length >> (8 * i) & 0xff), file);
    fwrite(header, 1, (size_t)length, file);
    for (size_t i = 0; i < 4 * count; i++) fputc(0, file);
    fclose(file);
}

START_TEST(a_file_that_promises_many_tensors_and_has_one_is_refused_at_once)
{
    Made m = make(configs[0], 3);
    write_promises(m.folder, 34000, 140000); // 560 KB
    expect_death(open_folder, m.folder, "a configuration of 408004 tensors, and the file has 1");
    end(&m);
}
END_TEST

START_TEST(a_model_of_very_many_layers_is_opened_in_little_time)
{
    GptConfig config = {.context = 1, .layers = 5000, .heads = 1, .width = 1, .hidden = 1};
    Made m = make(config, 4);
    GptFile file = gpt_open(m.arena, m.folder);
    ck_assert_int_eq(file.parameters.count, 60005);
    tokenizer_free(file.tokenizer);
    end(&m);
}
END_TEST

// ---- The pair -----------------------------------------------------------------------------------------------------------

// Another model and another tokenizer in the same folder.
static void save_pair(Made *m, int vocabulary, Gpt *gpt, Tokenizer **tokenizer)
{
    Parameters set = parameters_new(m->arena);
    *tokenizer = tokenizer_train(text, strlen(text), vocabulary, NULL);
    GptConfig config = configs[0];
    config.vocabulary = tokenizer_size(*tokenizer);
    Rng rng = rng_new((uint64_t)vocabulary, 1);
    *gpt = gpt_new(&set, config, &rng);
    gpt_save(m->folder, gpt, &set, *tokenizer);
}

static void copy_file(const char *folder, const char *from, const char *to)
{
    char command[512];
    snprintf(command, sizeof command, "cp '%s/%s' '%s/%s'", folder, from, folder, to);
    ck_assert_int_eq(system(command), 0);
}

static void discard(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
}

static bool has(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

// The folder holds a model and a tokenizer of this many tokens.
static void expect_pair(Made *m, int vocabulary)
{
    GptFile file = gpt_open(m->arena, m->folder);
    ck_assert_int_eq(file.gpt.config.vocabulary, vocabulary);
    ck_assert_int_eq(tokenizer_size(file.tokenizer), vocabulary);
    tokenizer_free(file.tokenizer);
}

START_TEST(a_save_that_was_ended_anywhere_leaves_the_old_pair_or_the_new)
{
    Made m = make(configs[0], 6);
    Gpt gpt;
    Tokenizer *more, *most;
    save_pair(&m, 262, &gpt, &more);
    int few = tokenizer_size(more);
    copy_file(m.folder, "model.safetensors", "old.model");
    copy_file(m.folder, "tokenizer.json", "old.tokenizer");
    tokenizer_free(more);
    save_pair(&m, 275, &gpt, &more);
    int many = tokenizer_size(more);
    ck_assert_int_lt(few, many);
    expect_pair(&m, many);
    ck_assert(!has(m.folder, "tokenizer.json.next"));

    // As it was before the new model got its name: the new tokenizer stands beside the old pair.
    copy_file(m.folder, "model.safetensors", "new.model");
    copy_file(m.folder, "tokenizer.json", "tokenizer.json.next");
    copy_file(m.folder, "old.model", "model.safetensors");
    copy_file(m.folder, "old.tokenizer", "tokenizer.json");
    expect_pair(&m, few);
    // And after it.
    copy_file(m.folder, "new.model", "model.safetensors");
    expect_pair(&m, many);
    // The next save finds the tokenizer that belongs to the model before it writes its own, and leaves one pair.
    save_pair(&m, 290, &gpt, &most);
    expect_pair(&m, tokenizer_size(most));
    ck_assert(!has(m.folder, "tokenizer.json.next"));

    // A tokenizer that another program has written belongs to the model that lies there; so does one without a note.
    copy_file(m.folder, "old.tokenizer", "tokenizer.json");
    GptFile file = gpt_open(m.arena, m.folder);
    ck_assert_int_eq(tokenizer_size(file.tokenizer), few);
    tokenizer_free(file.tokenizer);
    tokenizer_free(more);
    tokenizer_free(most);
    discard(m.folder, "old.model");
    end(&m);
}
END_TEST

START_TEST(saving_goes_on_beside_a_damaged_model)
{
    Made m = make(configs[0], 7);
    copy_file(m.folder, "tokenizer.json", "tokenizer.json.next");
    copy_file(m.folder, "tokenizer.json", "model.safetensors");
    gpt_save(m.folder, &m.gpt, &m.parameters, m.tokenizer);
    expect_pair(&m, tokenizer_size(m.tokenizer));
    ck_assert(!has(m.folder, "tokenizer.json.next"));
    end(&m);
}
END_TEST

static void save_in_a_folder_that_is_a_file(void *folder)
{
    Made m = make(configs[0], 8);
    gpt_save(folder, &m.gpt, &m.parameters, m.tokenizer);
}

START_TEST(a_folder_that_is_a_file_is_named)
{
    const char *path = scratch_file("plain", "x", 1);
    expect_death(save_in_a_folder_that_is_a_file, (void *)(uintptr_t)path, "plain");
}
END_TEST

START_TEST(a_folder_without_a_model_says_so)
{
    expect_death(open_folder, "/tmp/there-is-no-such-folder", "there-is-no-such-folder/model.safetensors");
}
END_TEST

SUITE("gpt_file", what_was_saved_is_opened_with_the_same_logits,
      a_model_in_numbers_of_two_bytes_is_opened_as_its_floats, a_configuration_that_lies_is_refused,
      a_model_of_no_layers_and_a_base_of_rotations_that_is_not_whole_come_back,
      what_could_not_be_opened_is_refused_before_it_is_trained_or_written,
      a_file_that_promises_many_tensors_and_has_one_is_refused_at_once,
      a_model_of_very_many_layers_is_opened_in_little_time,
      a_save_that_was_ended_anywhere_leaves_the_old_pair_or_the_new, saving_goes_on_beside_a_damaged_model,
      a_folder_that_is_a_file_is_named, a_folder_without_a_model_says_so)
