// The tokenizer as it is on a machine without PCRE2, libunistring and cJSON: whoever asks for one is told what to install.
#define TOKENIZER_WITHOUT_LIBRARIES
#include "models/tokenizer_file.c"
#include "models/tokenizer_split.c"
#include "suite.h"

static void train(void *text) { tokenizer_train(text, strlen(text), 300, NULL); }
static void load(void *path) { tokenizer_load(path); }
static void load_two(void *path) { tokenizer_load_gpt2(path, path); }

START_TEST(training_says_what_to_install)
{
    expect_death(train, (void *)(uintptr_t) "abc", "install libpcre2-dev and libunistring-dev");
}
END_TEST

START_TEST(reading_says_what_to_install)
{
    expect_death(load, (void *)(uintptr_t) "a.json", "install libcjson-dev");
    expect_death(load_two, (void *)(uintptr_t) "a.json", "a.json: this program was built without cJSON");
}
END_TEST

SUITE("tokenizer without libraries", training_says_what_to_install, reading_says_what_to_install)
