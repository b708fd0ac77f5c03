// The tokenizer as it is on a machine without PCRE2 and libunistring: whoever asks for one is told what to install.
#define TOKENIZER_WITHOUT_LIBRARIES
#include "models/tokenizer_split.c"
#include "suite.h"

static void train(void *text) { tokenizer_train(text, strlen(text), 300, NULL); }

START_TEST(training_says_what_to_install)
{
    expect_death(train, (void *)(uintptr_t) "abc", "install libpcre2-dev and libunistring-dev");
}
END_TEST

SUITE("tokenizer without libraries", training_says_what_to_install)
