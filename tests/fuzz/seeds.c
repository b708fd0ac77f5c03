// seeds.c: inputs that follow our own writers, and long ones, made when they are needed.
//
//     seeds FOLDER        writes FOLDER/seeds/NAME/… and FOLDER/long/NAME/…
//
// The long ones are those that a reader with a quadratic step takes minutes for; make test-fuzz gives each 5 seconds.
#include "fuzz.h"
#include "base/check.h"
#include "models/gpt_file.h"
#include "models/checkpoint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *top;

static FILE *create(const char *kind, const char *name, const char *file)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", top, kind);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", top, kind, name);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s/%s", top, kind, name, file);
    FILE *out = fopen(path, "wb");
    check(out, "may you write there?", "%s: %s", path, strerror(errno));
    return out;
}

// The bytes of a file; *size receives how many.
static char *bytes_of(Arena *arena, const char *path, size_t *size)
{
    FILE *in = fopen(path, "rb");
    check(in, "may you write there?", "%s: %s", path, strerror(errno));
    char *bytes = arena_alloc(arena, 1 << 20, 1);
    *size = fread(bytes, 1, 1 << 20, in);
    fclose(in);
    return bytes;
}

// The header of a safetensors file, which the harness puts its length and numbers to. With room for larger numbers, those of
// the notes have zeros in front: libFuzzer changes a number, but not how many digits it has.
static void copy_header(Arena *arena, FILE *out, const char *path, bool with_room)
{
    size_t size, length = 0;
    const char *bytes = bytes_of(arena, path, &size);
    for (int i = 7; i >= 0; i--) length = length << 8 | (unsigned char)bytes[i];
    for (size_t i = 8; i < 8 + length; i++) {
        const bool begins = bytes[i - 2] == ':' && bytes[i - 1] == '"';
        const size_t digits = strspn(bytes + i, "0123456789");
        if (with_room && begins && digits < 7 && bytes[i + digits] == '"') fputs(&"0000000"[digits], out);
        fputc(bytes[i], out);
    }
}

static void copy_file(Arena *arena, FILE *out, const char *path)
{
    size_t size;
    const char *bytes = bytes_of(arena, path, &size);
    fwrite(bytes, 1, size, out);
}

// ---- Valid and small ------------------------------------------------------------------------------------------------------

static void put_tokenizer(FILE *out, bool qwen)
{
    fprintf(out,
            "{\"added_tokens\": [{\"id\": 259, \"content\": \"<|end|>\", \"special\": true, \"normalized\": "
            "false}, {\"id\": 260, \"content\": \"ế\", \"normalized\": true}],\n");
    fprintf(out, " \"normalizer\": %s,\n", qwen ? "{\"type\": \"NFC\"}" : "null");
    fprintf(out,
            qwen ? " \"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", "
                   "\"pattern\": {\"Regex\": \"\\\\p{L}+|\\\\s+|[^\\\\s]\"}, \"behavior\": \"Isolated\", "
                   "\"invert\": false}, {\"type\": \"ByteLevel\", \"add_prefix_space\": false, "
                   "\"use_regex\": false}]},\n"
                 : " \"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false},\n");
    fprintf(out,
            " \"model\": {\"type\": \"BPE\", \"ignore_merges\": %s, \"vocab\": {%%BYTES%%, \"th\": 256, "
            "\"the\": 257, \"Ġthe\": 258}, \"merges\": %s}}",
            qwen ? "true" : "false",
            qwen ? "[[\"t\", \"h\"], [\"th\", \"e\"], [\"Ġ\", \"the\"]]" : "[\"t h\", \"th e\", \"Ġ the\"]");
}

static void small_tokenizers(void)
{
    FILE *out = create("seeds", "tokenizer", "gpt2-like");
    put_tokenizer(out, false);
    fputs(FUZZ_CUT "then the end<|end|> ế", out);
    fclose(out);
    out = create("seeds", "tokenizer", "qwen-like");
    put_tokenizer(out, true);
    fputs(FUZZ_CUT "the e\u0302\u0301 \xff 12\n\n", out);
    fclose(out);
    out = create("seeds", "tokenizer", "two-files");
    fputs("{%BYTES%, \"th\": 256, \"the\": 257}" FUZZ_CUT "#version: 0.2\nt h\nth e\n" FUZZ_CUT "the", out);
    fclose(out);
}

static void small_models(Arena *arena)
{
    for (int i = 0; i < 4; i++) {
        char folder[4096], path[4200];
        Parameters set = parameters_new(arena);
        Rng rng = rng_new(1, 1);
        GptConfig config = {
            .vocabulary = 262, .context = 8, .layers = 1, .heads = 1, .width = 2, .hidden = 2};
        if (i == 3) { // a few more digits in a number, and it is more than an input may ask for
            config.vocabulary = 1000, config.width = config.head_width = 32;
            config.layers = 0, config.tied = true;
        } else if (i > 0) {
            config.positions = GPT_ROTARY, config.norm = NORM_RMS, config.activation = BLOCK_SWIGLU;
            config.tied = config.without_biases = i == 2;
            config.heads = 2, config.key_heads = 1, config.head_width = 2, config.layers = i;
        }
        Gpt gpt = gpt_new(&set, config, &rng);
        Tokenizer *tokenizer = tokenizer_train("the the", 7, 258, NULL);
        snprintf(folder, sizeof folder, "%s/gpt-%d", top, i);
        gpt_save(folder, &gpt, &set, tokenizer);
        tokenizer_free(tokenizer);
        snprintf(path, sizeof path, "%s/model.safetensors", folder);
        FILE *out = create("seeds", "gpt", (const char *[]){"plain", "rotary", "tied", "wide"}[i]);
        copy_header(arena, out, path, i == 3);
        fputs(FUZZ_CUT, out);
        put_tokenizer(out, i);
        fclose(out);
        if (i > 0) continue;
        out = create("seeds", "gpt", "more-tokens-than-rows");
        copy_header(arena, out, path, false);
        fputs(
            FUZZ_CUT
            "{\"added_tokens\": [{\"id\": 262, \"content\": \"<a>\"}], \"pre_tokenizer\": {\"type\": "
            "\"ByteLevel\", \"add_prefix_space\": false}, \"model\": {\"vocab\": {%BYTES%}, \"merges\": []}}",
            out);
        fclose(out);
    }
}

static void small_tensors(Arena *arena)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/run.safetensors", top);
    Parameters set = parameters_new(arena);
    parameters_add(&set, "w", 2, 3);
    parameters_add(&set, "b", 1, 3);
    Optimiser adam = adam_new(arena, &set, 0.9f, 0.999f, 1e-8f, 0.0f);
    Rng rng = rng_new(1, 1);
    const SafetensorsNote notes[] = {{"author", "Ada \"é\" \\"}, {"step", "3"}};
    checkpoint_save(path, &adam, &rng, 1, 7);
    FILE *out = create("seeds", "safetensors", "checkpoint");
    copy_header(arena, out, path, false);
    fclose(out);
    parameters_save(path, &set, notes, 2);
    out = create("seeds", "safetensors", "whole");
    copy_file(arena, out, path);
    fclose(out);
    out = create("seeds", "safetensors", "header");
    copy_header(arena, out, path, false);
    fclose(out);
    out = create("seeds", "safetensors", "kinds");
    fputs("{\"a\\u00e9\\ud83d\\ude00\":{\"dtype\":\"BF16\",\"shape\":[2,1,0,3],\"data_offsets\":[0,0]},"
          "\"s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
          "\"v\":{\"shape\":[3],\"data_offsets\":[4,16],\"dtype\":\"F32\"},"
          "\"i\":{\"dtype\":\"I64\",\"shape\":[1,2],\"data_offsets\":[16,32]},"
          "\"c\":{\"dtype\":\"F32\",\"shape\":[1,2,2],\"data_offsets\":[32,48]}}",
          out);
    fclose(out);
}

// ---- Long -------------------------------------------------------------------------------------------------------------------

enum { MANY = 100000 };

// A compiler that says more than a message holds.
static void loud_compiler(void)
{
    FILE *out = create("seeds", "submission", "says-much");
    fputs("\011int x" FUZZ_CUT, out); // the second tool fails, and once more
    for (int i = 1; i <= 100; i++) fprintf(out, "exercise.c:%d:1: error: unknown type name ‘x’\n", i);
    fputs(FUZZ_CUT "# 1 \"exercise.c\"\nint x\n" FUZZ_CUT ": exercise.c\n" FUZZ_CUT "a.c", out);
    fclose(out);
}

static void long_tensors(void)
{
    // Without numbers; a configuration that lies about the number of layers beside it.
    FILE *out = create("long", "safetensors", "many-tensors");
    for (int i = 0; i < MANY; i++)
        fprintf(out, "%c\"t%d\":{\"dtype\":\"F32\",\"shape\":[0,1],\"data_offsets\":[0,0]}", i ? ',' : '{',
                i);
    fputs("}", out);
    fclose(out);
    for (int lie = 0; lie < 2; lie++) {
        out = create("long", "gpt", lie ? "many-layers" : "many-tensors");
        fprintf(
            out,
            "{\"__metadata__\":{\"vocabulary\":\"1\",\"context\":\"1\",\"layers\":\"%d\",\"heads\":\"1\","
            "\"key_heads\":\"1\",\"width\":\"1\",\"head_width\":\"1\",\"hidden\":\"1\",\"rotary_base\":\"1\","
            "\"positions\":\"rotary\",\"norm\":\"rms\",\"activation\":\"gelu\",\"tied\":\"yes\","
            "\"biases\":\"no\"}",
            lie ? 8192 : 1);
        int count = lie ? 1 : MANY / 2;
        for (int i = 0; i < count; i++)
            fprintf(out,
                    ",\"block%d.qkv.weight\":{\"dtype\":\"F32\",\"shape\":[%d],\"data_offsets\":[%d,%d]}", i,
                    i ? 0 : 65536, i ? 262144 : 0, 262144);
        fputs("}" FUZZ_CUT "{}", out);
        fclose(out);
    }
}

static void long_manifests(void)
{
    FILE *out = create("long", "tfjs", "many-tensors");
    fputs("[{\"paths\":[\"a\"],\"weights\":[", out);
    for (int i = 0; i < 65000; i++)
        fprintf(out, "%s{\"name\":\"t%d\",\"dtype\":\"float32\",\"shape\":[0]}", i ? "," : "", i);
    fputs("]}]", out);
    fclose(out);
    out = create("long", "tfjs", "many-keys");
    fputs("[{\"paths\":[\"a\"],\"weights\":[{", out);
    for (int i = 0; i < MANY; i++) fprintf(out, "\"k%d\":0,", i);
    fputs("\"name\":\"t\",\"dtype\":\"float32\",\"shape\":[0]}]}]", out);
    fclose(out);
}

static void long_tokenizers(void)
{
    FILE *out = create("long", "tokenizer", "many-added");
    fputs("{\"added_tokens\": [", out);
    for (int i = 0; i < MANY; i++)
        fprintf(out, "%s{\"id\": %d, \"content\": \"<%d>\"}", i ? "," : "", 256 + i, i);
    fputs("], \"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false}, \"model\": "
          "{\"vocab\": "
          "{%BYTES%}, \"merges\": []}}" FUZZ_CUT "<1><2><99999>",
          out);
    fclose(out);
    out = create("long", "tokenizer", "long-word"); // one pre-token, merged a hundred thousand times
    put_tokenizer(out, false);
    fputs(FUZZ_CUT, out);
    for (int i = 0; i < MANY; i++) fputs("th", out);
    fclose(out);
    out = create("long", "tokenizer", "bytes"); // no UTF-8 at all
    put_tokenizer(out, true);
    fputs(FUZZ_CUT, out);
    for (int i = 0; i < MANY; i++) fputc(0xff, out);
    fclose(out);
    out = create("long", "tokenizer", "deep");
    for (int i = 0; i < MANY; i++) fputs("{\"a\":", out);
    fclose(out);
}

static void long_tables(void)
{
    FILE *out = create("long", "csv", "many-columns");
    for (int i = 0; i < 16000; i++) fprintf(out, "%sc%d", i ? "," : "", i);
    fputc('\n', out);
    for (int i = 0; i < 16000; i++) fprintf(out, "%s%d", i ? "," : "", i);
    fclose(out);
    out = create("long", "csv", "many-rows");
    fputs("a\n", out);
    for (int i = 0; i < MANY; i++) fprintf(out, "\"%d\"\n", i % 4000);
    fclose(out);
    out = create("long", "csv", "many-quotes");
    fputs("a\n", out);
    for (int i = 0; i < MANY; i++) fputs("\"\"", out);
    fclose(out);
}

static void repeat(const char *name, const char *file, const char *before, const char *what,
                   const char *after)
{
    FILE *out = create("long", name, file);
    fputs(before, out);
    for (int i = 0; i < MANY; i++) fputs(what, out);
    fputs(after, out);
    fclose(out);
}

static void long_texts(void)
{
    repeat("text", "no-utf8", "", "\xe2\x82", "");
    repeat("text", "blanks", "", " \u00a0\n", "");
    repeat("scan", "comments", "", "/**/", "");
    repeat("scan", "open-comments", "", "/*", "");
    repeat("scan", "joined", "", "\\  \n", "");
    repeat("scan", "directives", "", "#/*", "");
    repeat("scan", "trigraphs", "", "??", "=");
    repeat("scan", "words", "", "fork ", "");
    repeat("scan", "names", FUZZ_CUT "x:", " a\\ b", "");
    repeat("sword", "tags", "P", "<note>", FUZZ_CUT);
    repeat("corpora", "escapes", "p" FUZZ_CUT, "\x1b[", FUZZ_CUT);
    repeat("corpora", "poems", "p" FUZZ_CUT, "\n%", FUZZ_CUT);
}

static void long_notebooks(void)
{
    FILE *out = create("long", "notebook", "sections");
    fputs("/*\n# T\n*/\n", out);
    for (int i = 0; i < 5000; i++) fprintf(out, "section(l, \"%d\");\n", i);
    fputs(FUZZ_CUT, out);
    for (int i = 0; i < 5000; i++) fprintf(out, "── %d ──\nx\n", i);
    fclose(out);
    out = create("long", "notebook", "terms");
    fputs("/*\n# T\n", out);
    for (int i = 0; i < 5000; i++) fprintf(out, "**t%d** (一)\n", i);
    fputs("*/\n", out);
    fclose(out);
    repeat("notebook", "openings", "/*\n# T\n*/\n", "section(", "");
    repeat("notebook", "bold", "/*\n# T\n", "**a", "\n*/\n");
    repeat("notebook", "backticks", "/*\n# T\n", "`a``b", "\n*/\n");
    repeat("notebook", "mentions", "/*\n# T\n", "chapters 2, 3 and\n**2** (二)\n", "*/\n");
    repeat("notebook", "brackets", "/*\n# T\n", "[a $", "\n*/\n");
    repeat("notebook", "folds", "/*\n# T\n*/\n", "static void draw_a(void)\n{\n", "");
    repeat("notebook", "backslashes", "/*\n# T\n*/\n", "\\ \n", "");
    repeat("notebook", "figures", "/*\n# T\n*/\nlesson_begin section(l, \"a\")" FUZZ_CUT "── a ──\n",
           "figure: a.png\n", "");
}

int main(int argc, char **argv)
{
    check(argc == 2, "seeds FOLDER", "seeds takes one folder");
    top = argv[1];
    mkdir(top, 0777);
    Arena *arena = arena_new();
    small_tokenizers();
    small_models(arena);
    small_tensors(arena);
    loud_compiler();
    long_tensors();
    long_manifests();
    long_tokenizers();
    long_tables();
    long_texts();
    long_notebooks();
    arena_free(arena);
    return EXIT_SUCCESS;
}
