// fuzz_chat_template.c: a chat template, the variables of a request as JSON, and a folder's tokenizer_config.json.
// What renders is UTF-8 and the same each time; what does not says why.
#include "models/chat_template.h"
#include "base/utf8.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const ChatMessage talk[] = {
    {"system", "Be brief."}, {"user", "<x>Hello, 世界</x> "}, {"assistant", "a</think>\n\nb"}};

static FuzzPart source;
static char *variables;
static const char *folder;

static const char *rendered(Arena *arena, const ChatTemplate *chat_template)
{
    const ChatRequest request = {.messages = talk,
                                 .count = 3,
                                 .add_generation_prompt = true,
                                 .bos_token = "<s>",
                                 .eos_token = "</s>",
                                 .variables = *variables ? variables : NULL,
                                 .date = "2026-01-31",
                                 .most_steps = 100000};
    const char *problem, *text = chat_template_render(arena, chat_template, &request, &problem);
    fuzz_require(!text == (problem != NULL), "neither a text nor a problem, or both");
    if (problem)
        fuzz_require(fuzz_harmless(problem, strlen(problem)), "a problem that could harm a terminal");
    if (text) fuzz_require(utf8_invalid(text, strlen(text)) == strlen(text), "a text that is no UTF-8");
    return text;
}

static void render(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    const char *problem;
    const ChatTemplate *made =
        chat_template_try(arena, (const char *)source.bytes, source.size, "t", &problem);
    fuzz_require(!made == (problem != NULL), "neither a template nor a problem, or both");
    if (problem)
        fuzz_require(fuzz_harmless(problem, strlen(problem)), "a problem that could harm a terminal");
    const char *first = made ? rendered(arena, made) : NULL, *second = made ? rendered(arena, made) : NULL;
    fuzz_require(!first == !second && (!first || strcmp(first, second) == 0), "two texts of one template");
    arena_free(arena);
}

static void open_folder(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    chat_template_tokens(arena, folder);
    const ChatTemplate *made = chat_template_open(arena, folder);
    if (made) rendered(arena, made);
    arena_free(arena);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    FuzzPart parts[3];
    fuzz_parts(bytes, size, parts, 3);
    source = parts[0];
    variables = fuzz_string(parts[1]);
    fuzz_try(render, NULL);
    if (parts[2].size) {
        folder = fuzz_path("chat");
        mkdir(folder, 0700);
        fuzz_file("chat/tokenizer_config.json", parts[2].bytes, parts[2].size);
        fuzz_try(open_folder, NULL);
    }
    free(variables);
}
