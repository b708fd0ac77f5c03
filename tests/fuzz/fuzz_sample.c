// fuzz_sample.c: the command line of common/tools/sample.c, an option or value a line, and what comes through its standard
// input behind a cut. What it prints must not harm a terminal.
#define main sample_main
int sample_main(int argc, char **argv);
#include "tools/sample.c"
#undef main

#include "fuzz.h"

#include <fcntl.h>

static char *arguments[32];
static int argument_count;
static const char *folder;

static void make_model(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Parameters parameters = parameters_new(arena);
    Tokenizer *tokenizer = tokenizer_train("to be or not to be", 18, 258, NULL);
    Rng rng = rng_new(1, 1);
    Gpt gpt = gpt_new(&parameters,
                      ((GptConfig){.vocabulary = tokenizer_size(tokenizer),
                                   .context = 8,
                                   .layers = 1,
                                   .heads = 1,
                                   .width = 2,
                                   .positions = GPT_ROTARY}),
                      &rng);
    gpt_save(folder, &gpt, &parameters, tokenizer);
    tokenizer_free(tokenizer);
    arena_free(arena);
}

static void run(void *context)
{
    (void)context;
    int status = sample_main(argument_count, arguments);
    if (status != 0) fuzz_leave(status);
}

// Many tokens take long, which is no finding.
static bool too_many(const char *value)
{
    double number = strtod(value, NULL);
    return number > 50;
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    static char program[] = "sample", model[] = "--model";
    static bool made;
    FuzzPart parts[2];
    folder = fuzz_path("model");
    if (!made) fuzz_require(fuzz_try(make_model, NULL), "no model");
    made = true;
    fuzz_parts(bytes, size, parts, 2);
    char *lines = fuzz_string(parts[0]), *rest = lines;
    argument_count = 0;
    arguments[argument_count++] = program;
    arguments[argument_count++] = model;
    arguments[argument_count++] = (char *)folder;
    static char few[] = "--tokens", five[] = "5";
    arguments[argument_count++] = few;
    arguments[argument_count++] = five;
    bool slow = false;
    for (char *line; (line = strsep(&rest, "\n")) && argument_count < 31;) {
        slow = slow || too_many(line);
        arguments[argument_count++] = line;
    }
    arguments[argument_count] = NULL;
    int input = open(fuzz_file("input", parts[1].bytes, parts[1].size), O_RDONLY);
    FILE *before = stdin, *given = fdopen(input, "r"), *printed = stdout;
    FILE *out = fopen(fuzz_path("printed"), "w");
    static char taken[1 << 12], left[1 << 12];
    setvbuf(given, taken, _IOFBF, sizeof taken);
    setvbuf(out, left, _IOFBF, sizeof left);
    stdin = given;
    stdout = out;
    if (!slow) fuzz_try(run, NULL);
    stdin = before;
    stdout = printed;
    fclose(given);
    fclose(out);
    free(lines);
    static char text[1 << 16];
    FILE *file = fopen(fuzz_path("printed"), "r");
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    if (length < sizeof text) fuzz_require(fuzz_harmless(text, length), "what it prints may harm a terminal");
}
