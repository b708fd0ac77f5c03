// sample: talks with a GPT that a chapter has trained: continues a text, token by token, as they come.
//
//     sample --model FOLDER "In the beginning"          one text
//     sample --model FOLDER -- "--I do not know,"       one that begins with dashes
//     sample --model FOLDER                             each line of standard input is a text to be continued
//
// The text goes to standard output as UTF-8: a token may end within a character, so bytes wait until theirs is whole;
// what is no character, and control characters, come out as U+FFFD and cannot harm a terminal. The keys and values of
// what was read are kept, so each token costs one position. A text longer than the model's context goes on from its
// second half.
#include "lesson/lesson.h"
#include "base/cores.h"
#include "base/utf8.h"
#include "models/gpt_file.h"
#include "tools/arguments.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "sample --model FOLDER [--temperature 0.8] [--top-k 0] [--top-p 0.95] [--tokens 200] [--seed 1] "
    "[--] [PROMPT]\n"
    "  --temperature T  below 1 likelier, above 1 wilder, 0 always the likeliest token\n"
    "  --top-k K        only the K likeliest tokens (0: all)\n"
    "  --top-p P        only the likeliest tokens that sum to P (1: all; 0: the one likeliest)\n"
    "  --tokens N       how many tokens are written\n"
    "  --seed S         the same seed writes the same text\n"
    "  PROMPT           the text to be continued; without one, each line of standard input is one. After -- "
    "it\n"
    "                   may begin with dashes";

typedef struct {
    const char *model, *prompt;
    Sampling sampling;
    bool only_likeliest; // --top-p 0, or so small that a float cannot tell: the first token is more than that
    int tokens;
    uint64_t seed;
} Options;

static void set_option(void *options, const char *name, const char *value)
{
    Options *o = options;
    if (strcmp(name, "--model") == 0) {
        o->model = value;
    } else if (strcmp(name, "--temperature") == 0) {
        o->sampling.temperature = (float)number_argument(usage, name, value, 0.0, 100.0);
    } else if (strcmp(name, "--top-k") == 0) {
        o->sampling.top_k = (int)whole_argument(usage, name, value, 0, 1000000);
    } else if (strcmp(name, "--top-p") == 0) {
        o->sampling.top_p = (float)number_argument(usage, name, value, 0.0, 1.0);
        o->only_likeliest = o->sampling.top_p == 0.0f;
    } else if (strcmp(name, "--tokens") == 0) {
        o->tokens = (int)whole_argument(usage, name, value, 1, 1000000);
    } else if (strcmp(name, "--seed") == 0) {
        o->seed = whole_argument(usage, name, value, 0, UINT64_MAX);
    } else {
        die(usage, "unknown option %s; a text that begins with dashes stands after --", name);
    }
}

static Options read_options(int argc, char **argv)
{
    Options o = {.sampling = {.temperature = 0.8f, .top_p = 0.95f}, .tokens = 200, .seed = 1};
    o.prompt = read_arguments(argc, argv, usage, "prompts", set_option, &o);
    check(o.model, usage, "which model? --model FOLDER is missing");
    if (o.only_likeliest) o.sampling.top_k = 1;
    return o;
}

// ---- Writing ----------------------------------------------------------------------------------------------

static void write_byte(Utf8Waiting *waiting, char byte)
{
    char out[UTF8_WAITING_ROOM];
    fwrite(out, 1, utf8_grow(waiting, byte, out), stdout);
}

static void write_piece(Utf8Waiting *waiting, const Tokenizer *tokenizer, int token)
{
    TokenizerPiece piece = tokenizer_piece(tokenizer, token);
    for (size_t i = 0; i < piece.size; i++) write_byte(waiting, piece.bytes[i]);
    fflush(stdout);
}

// What never became whole.
static void write_rest(Utf8Waiting *waiting)
{
    for (; waiting->size; waiting->size--) fputs("\xEF\xBF\xBD", stdout);
}

// ---- Continuing -------------------------------------------------------------------------------------------

// ids holds a prompt of count tokens and has room for `tokens` more.
static void go_on(GptFile *file, GptCache *cache, int *ids, int count, const Options *o, Rng *rng)
{
    const int context = file->gpt.config.context;
    Utf8Waiting waiting = {.size = 0};
    int read = int_max(0, count - context / 2); // a prompt longer than that: its end
    gpt_cache_clear(cache);
    double start = seconds_now();
    for (int n = 0; n < o->tokens; n++) {
        if (gpt_cache_length(cache, 0) + count - read > context) {
            gpt_cache_clear(cache);
            read = count - context / 2;
        }
        Matrix logits = gpt_step(&file->gpt, cache, ids + read, count - read);
        read = count;
        ids[count] = sample_token(logits, o->sampling, rng);
        write_piece(&waiting, file->tokenizer, ids[count++]);
    }
    write_rest(&waiting);
    putchar('\n');
    fflush(stdout);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "(%d tokens, %.0f a second)\n", o->tokens, o->tokens / (seconds_now() - start));
}

static void continue_text(GptFile *file, GptCache *cache, const char *text, const Options *o, Rng *rng)
{
    Arena *arena = arena_new();
    const char *from = *text ? text : "\n"; // something must stand there to be continued
    Tokens prompt = tokenizer_encode(arena, file->tokenizer, from, strlen(from));
    check(prompt.count < 1u << 28, "give it less to read", "a prompt of %zu tokens", prompt.count);
    int *ids = arena_alloc(arena, prompt.count + (size_t)o->tokens, sizeof *ids);
    memcpy(ids, prompt.ids, prompt.count * sizeof *ids);
    Utf8Waiting waiting = {.size = 0};
    for (const char *at = text; *at; at++) write_byte(&waiting, *at);
    write_rest(&waiting);
    go_on(file, cache, ids, (int)prompt.count, o, rng);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    Options options = read_options(argc, argv);
    cores_begin();
    Arena *arena = arena_new();
    GptFile file = gpt_open(arena, options.model);
    GptCache *cache = gpt_cache_new(arena, &file.gpt, 1, file.gpt.config.context);
    Rng rng = rng_new(options.seed, 0);
    bool asked = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (options.prompt) {
        continue_text(&file, cache, options.prompt, &options, &rng);
    } else {
        char *line = NULL;
        size_t room = 0;
        if (asked) fputs("Begin a text, and the model goes on. Ctrl-D ends it.\n> ", stderr);
        for (ssize_t size; (size = getline(&line, &room, stdin)) >= 0;) {
            if (size && line[size - 1] == '\n') line[size - 1] = 0;
            continue_text(&file, cache, line, &options, &rng);
            if (asked) fputs("> ", stderr);
        }
        free(line);
        if (asked) fputc('\n', stderr);
    }
    tokenizer_free(file.tokenizer);
    arena_free(arena);
    return EXIT_SUCCESS;
}
