// small_gpt: an untrained GPT in a folder, for the tests of common/tools/sample.c. Its tokens are bytes and a few
// pieces, so that characters arrive in parts.
#include "models/gpt_file.h"
#include "base/check.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    check(argc == 2, "small_gpt FOLDER", "small_gpt takes one folder");
    const char text[] = "海上生明月，天涯共此時。 In the beginning was the word.";
    Arena *arena = arena_new();
    Parameters parameters = parameters_new(arena);
    Tokenizer *tokenizer = tokenizer_train(text, strlen(text), 260, NULL);
    Rng rng = rng_new(1, 1);
    Gpt gpt = gpt_new(&parameters,
                      ((GptConfig){.vocabulary = tokenizer_size(tokenizer),
                                   .context = 16,
                                   .layers = 1,
                                   .heads = 2,
                                   .width = 8,
                                   .positions = GPT_ROTARY}),
                      &rng);
    gpt_save(argv[1], &gpt, &parameters, tokenizer);
    tokenizer_free(tokenizer);
    arena_free(arena);
    return EXIT_SUCCESS;
}
