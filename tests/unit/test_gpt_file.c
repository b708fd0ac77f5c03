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
     .norm = GPT_RMS_NORM,
     .activation = GPT_SWIGLU,
     .tied = true,
     .without_biases = true,
     .rotary_base = 500000.0f},
};

START_TEST(what_was_saved_is_opened_with_the_same_logits)
{
    for (int c = 0; c < 2; c++) {
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

START_TEST(a_folder_without_a_model_says_so)
{
    expect_death(open_folder, "/tmp/there-is-no-such-folder", "there-is-no-such-folder/model.safetensors");
}
END_TEST

SUITE("gpt_file", what_was_saved_is_opened_with_the_same_logits, a_configuration_that_lies_is_refused,
      a_folder_without_a_model_says_so)
