// fuzz_tokenizer.c: tokenizer.json, and GPT-2's two files when the input has two parts; the last part is a text to be
// encoded. What was read is written, and what is read from that must encode alike and be written the same.
#include "fuzz.h"
#include "models/tokenizer.h"
#include "tokenizer_frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *vocabulary, *merges, *again, *third;
static FuzzPart text;
static Tokenizer *tokenizer;

static void load(void *context)
{
    (void)context;
    tokenizer = merges ? tokenizer_load_gpt2(vocabulary, merges) : tokenizer_load(vocabulary);
    tokenizer_free(tokenizer);
}

static void encode(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    tokenizer = merges ? tokenizer_load_gpt2(vocabulary, merges) : tokenizer_load(vocabulary);
    Tokens tokens = tokenizer_encode(arena, tokenizer, text.bytes, text.size);
    size_t size, count;
    char *decoded = tokenizer_decode(arena, tokenizer, tokens.ids, tokens.count, &size);
    TokenizerPiece *pieces = tokenizer_split(arena, tokenizer, text.bytes, text.size, &count);
    size_t sum = 0;
    bool added =
        false; // a piece whose name in the file an added token has is that piece, and decoded as its bytes
    for (size_t i = 0; i < count; i++) sum += pieces[i].size, added = added || pieces[i].added;
    fuzz_require(added || sum == size, "the pre-tokens have %zu bytes, the pieces %zu", sum, size);
    if (!added && !tokenizer_normalises(tokenizer) && sum == text.size) // nothing was cut away
        fuzz_require(memcmp(decoded, text.bytes, size) == 0, "a text was decoded as another");
    tokenizer_free(tokenizer);
    arena_free(arena);
}

static void check_same(const char *a, const char *b)
{
    FILE *one = fopen(a, "rb"), *two = fopen(b, "rb");
    fuzz_require(one && two, "a written file is not there");
    int x, y;
    do {
        x = getc(one), y = getc(two);
        fuzz_require(x == y, "what was read from a written file is written as another");
    } while (x != EOF);
    fclose(one), fclose(two);
}

static void save(void *context)
{
    (void)context;
    tokenizer = merges ? tokenizer_load_gpt2(vocabulary, merges) : tokenizer_load(vocabulary);
    tokenizer_save(again, tokenizer);
    tokenizer_free(tokenizer);
}

static void round_trip(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Tokenizer *first = merges ? tokenizer_load_gpt2(vocabulary, merges) : tokenizer_load(vocabulary);
    Tokenizer *second = tokenizer_load(again);
    tokenizer_save(third, second);
    check_same(again, third);
    fuzz_require(tokenizer_size(first) == tokenizer_size(second), "%d tokens became %d",
                 tokenizer_size(first), tokenizer_size(second));
    Tokens a = tokenizer_encode(arena, first, text.bytes, text.size),
           b = tokenizer_encode(arena, second, text.bytes, text.size);
    fuzz_require(a.count == b.count && memcmp(a.ids, b.ids, a.count * sizeof *a.ids) == 0,
                 "the written tokenizer encodes otherwise");
    tokenizer_free(first), tokenizer_free(second);
    arena_free(arena);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    FuzzPart parts[3];
    fuzz_parts(bytes, size, parts, 3);
    bool two = parts[1].size >= 8 && memcmp(parts[1].bytes, "#version", 8) == 0;
    FuzzPart json = tokenizer_frame(parts[0]);
    vocabulary = fuzz_file("tokenizer.json", json.bytes, json.size);
    free((void *)json.bytes);
    merges = two ? fuzz_file("vocab.bpe", parts[1].bytes, parts[1].size) : NULL;
    text = parts[two ? 2 : 1];
    again = fuzz_path("again.json");
    third = fuzz_path("third.json");
    if (!fuzz_try(load, NULL)) return;
    if (!fuzz_try(encode, NULL)) return; // a pattern may be refused when it is used
    fuzz_require(fuzz_try(save, NULL), "what was read is not written");
    fuzz_require(fuzz_try(round_trip, NULL), "what was written is not read");
}
