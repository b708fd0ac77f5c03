// fuzz_chat.c: a chat template and three messages, encoded. Whatever the template does, the tokens are tokens or there is a
// problem; where nothing could spell an added token they are those of the text; and with the plainest template the messages hold
// none, and the tokens decode to the text.
#include "models/chat.h"
#include "base/utf8.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGES = 3 };

static const char PLAIN[] =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}";

static FuzzPart source;
static char *contents[MESSAGES];
static ChatMessage talk[MESSAGES];
static const ChatRequest request = {.messages = talk, .count = MESSAGES, .most_steps = 100000};

static Tokenizer *tokenizer_of_texts(void)
{
    static const char text[] = "the cat and the hat and the rat sat on the mat";
    Tokenizer *tokenizer = tokenizer_train(text, sizeof text - 1, 262, NULL);
    tokenizer_add(tokenizer, "<|im_start|>");
    tokenizer_add(tokenizer, "<|im_end|>");
    tokenizer_add(tokenizer, "海");
    return tokenizer;
}

static int count_added(const Tokenizer *tokenizer, Tokens tokens)
{
    int count = 0;
    for (size_t i = 0; i < tokens.count; i++) count += tokenizer_piece(tokenizer, tokens.ids[i]).added;
    return count;
}

static bool may_spell(void)
{
    for (int i = 0; i < MESSAGES; i++)
        if (strpbrk(contents[i], "<\xE6")) return true;
    return false;
}

static bool are_texts(void)
{
    for (int i = 0; i < MESSAGES; i++)
        if (utf8_invalid(contents[i], strlen(contents[i])) < strlen(contents[i])) return false;
    return true;
}

static void encode_hostile(Arena *arena, Tokenizer *tokenizer)
{
    const char *problem;
    const ChatTemplate *made =
        chat_template_try(arena, (const char *)source.bytes, source.size, "t", &problem);
    if (!made) return;
    const Tokens tokens = chat_encode(arena, tokenizer, made, &request, NULL, &problem);
    fuzz_require(!tokens.ids == (problem != NULL), "neither tokens nor a problem, or both");
    if (problem)
        fuzz_require(fuzz_harmless(problem, strlen(problem)), "a problem that could harm a terminal");
    if (problem || may_spell()) return;
    const char *text = chat_template_render(arena, made, &request, &problem);
    fuzz_require(text, "what has tokens has no text: %s", problem);
    const Tokens whole = tokenizer_encode(arena, tokenizer, text, strlen(text));
    fuzz_require(whole.count == tokens.count &&
                     memcmp(whole.ids, tokens.ids, whole.count * sizeof *whole.ids) == 0,
                 "other tokens than those of the text");
}

static void encode_plain(Arena *arena, Tokenizer *tokenizer)
{
    const char *problem;
    const ChatTemplate *plain = chat_template_parse(arena, PLAIN, sizeof PLAIN - 1, "plain");
    const Tokens tokens = chat_encode(arena, tokenizer, plain, &request, NULL, &problem);
    fuzz_require(!tokens.ids == !are_texts(), "texts are encoded, and nothing else");
    if (!tokens.ids) return;
    fuzz_require(count_added(tokenizer, tokens) == 2 * MESSAGES, "%d added tokens",
                 count_added(tokenizer, tokens));
    const char *text = chat_template_render(arena, plain, &request, &problem),
               *back = tokenizer_decode(arena, tokenizer, tokens.ids, tokens.count, NULL);
    fuzz_require(strcmp(text, back) == 0, "the tokens are another text");
}

static void encode(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Tokenizer *tokenizer = tokenizer_of_texts();
    encode_hostile(arena, tokenizer);
    encode_plain(arena, tokenizer);
    tokenizer_free(tokenizer);
    arena_free(arena);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    static const char *const roles[MESSAGES] = {"system", "user", "assistant"};
    FuzzPart parts[1 + MESSAGES];
    fuzz_parts(bytes, size, parts, 1 + MESSAGES);
    source = parts[0];
    for (int i = 0; i < MESSAGES; i++) {
        contents[i] = fuzz_string(parts[1 + i]);
        talk[i] = (ChatMessage){roles[i], contents[i]};
    }
    fuzz_require(fuzz_try(encode, NULL), "a refusal");
    for (int i = 0; i < MESSAGES; i++) free(contents[i]);
}
