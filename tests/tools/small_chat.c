// small_chat: an untrained model for conversations in a folder, for the tests of common/tools/chat.c. Its tokens are bytes and
// a few pieces, so that characters arrive in parts.
//
//     small_chat FOLDER CONTEXT [endless | plain]      endless: larger, and nothing ends its answers; plain: without a template
#include "models/pretrained.h"
#include "base/check.h"

#include <stdlib.h>
#include <string.h>

static const char TEMPLATE[] =
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + "
    "'<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

int main(int argc, char **argv)
{
    check(argc >= 3, "small_chat FOLDER CONTEXT [endless | plain]",
          "small_chat takes two arguments or three");
    const bool endless = argc > 3 && strcmp(argv[3], "endless") == 0,
               plain = argc > 3 && strcmp(argv[3], "plain") == 0;
    const char text[] = "海上生明月，天涯共此時。 In the beginning was the word.";
    Arena *arena = arena_new();
    Parameters parameters = parameters_new(arena);
    Tokenizer *tokenizer = tokenizer_train(text, strlen(text), 260, NULL);
    tokenizer_add(tokenizer, "<|im_start|>");
    const int stop = tokenizer_add(tokenizer, "<|im_end|>");
    Rng rng = rng_new(1, 1);
    const Gpt gpt = gpt_new(&parameters,
                            ((GptConfig){.vocabulary = tokenizer_size(tokenizer),
                                         .context = atoi(argv[2]),
                                         .layers = endless ? 4 : 1,
                                         .heads = 2,
                                         .width = endless ? 64 : 8,
                                         .positions = GPT_ROTARY,
                                         .norm = NORM_RMS,
                                         .activation = BLOCK_SWIGLU,
                                         .without_biases = true}),
                            &rng);
    pretrained_save(argv[1], &gpt, tokenizer, .stops = &stop, .stop_count = !endless,
                    .sampling = {.temperature = 1.0f}, .chat_template = plain ? NULL : TEMPLATE);
    tokenizer_free(tokenizer);
    arena_free(arena);
    return EXIT_SUCCESS;
}
