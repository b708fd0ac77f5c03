// model_write: writes the GPT in a folder as one file for the page in the browser (model_file.h).
//
//     model_write FOLDER FILE
//
// Only a tokenizer as tokenizer_train makes it with the pattern of GPT-2 is written: words.c knows no other.
#include "tools/live/model_file.h"
#include "base/check.h"
#include "base/utf8.h"
#include "models/gpt_file.h"
#include "models/tokenizer_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static FILE *out;

static void put(const void *bytes, size_t size)
{
    check(fwrite(bytes, 1, size, out) == size, "is the disk full?", "the file cannot be written: %s",
          strerror(errno));
}

static void put_number(int number) { put(&number, sizeof number); }

static void check_tokenizer(const Tokenizer *t, const char *folder)
{
    const Step *step = t->steps;
    const bool plain = t->step_count == 1 && !step->prefix && !step->literal && !step->inverted &&
                       step->behaviour == ISOLATED &&
                       strcmp(step->pattern.bytes, TOKENIZER_GPT2_PATTERN) == 0;
    check(
        plain && t->form_count == 0 && t->added_count == 0 && t->unknown < 0 && !t->whole_first,
        "take a model whose tokenizer tokenizer_train has made, as chapter 20's",
        "%s: its tokenizer cuts texts in another way than GPT-2's pattern, which is all that the page knows",
        folder);
}

static void put_tokenizer(const Tokenizer *t)
{
    put_number(tokenizer_size(t));
    for (int i = 0; i < tokenizer_size(t); i++) {
        const TokenizerPiece piece = tokenizer_piece(t, i);
        check(piece.bytes && t->kinds[i] == BYTE_PIECE, NULL, "the piece %d is no bytes", i);
        put_number((int)piece.size);
        put(piece.bytes, piece.size);
    }
    put_number(tokenizer_merge_count(t));
    for (int i = 0; i < tokenizer_merge_count(t); i++) {
        const TokenizerMerge merge = tokenizer_merge(t, i);
        put_number(merge.left);
        put_number(merge.right);
        put_number(merge.result);
    }
}

// Asked of the tokenizer itself: a letter makes one word with a letter in front of it, a number with a number, any other sign with
// a sign.
static CharacterKind kind_of(Arena *arena, Tokenizer *t, uint32_t character)
{
    static const char before[] = {[OTHER_CHARACTER] = '!', [LETTER] = 'a', [NUMBER] = '1'};
    for (int kind = OTHER_CHARACTER; kind < WHITE_SPACE; kind++) {
        char text[5] = {before[kind]};
        size_t words;
        tokenizer_split(arena, t, text, 1 + (size_t)utf8_encode(text + 1, character), &words);
        if (words == 1) return (CharacterKind)kind;
    }
    return WHITE_SPACE;
}

static void put_characters(Tokenizer *t)
{
    Arena *arena = arena_new();
    enum { MOST_RUNS = 1 << 14, CHARACTERS = 0x110000 };
    CharacterRun *runs = arena_alloc(arena, MOST_RUNS, sizeof *runs);
    int count = 0;
    for (int c = 0; c < CHARACTERS; c++) {
        const bool half = c >> 11 == 0x1b; // of a pair of UTF-16: no character
        ArenaMark mark = arena_mark(arena);
        const int kind = half ? OTHER_CHARACTER : (int)kind_of(arena, t, (uint32_t)c);
        arena_rewind(arena, mark);
        if (count && runs[count - 1].kind == kind) continue;
        check(count < MOST_RUNS, "raise MOST_RUNS", "more than %d runs of characters", MOST_RUNS);
        runs[count++] = (CharacterRun){c, kind};
    }
    put_number(count);
    put(runs, (size_t)count * sizeof *runs);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    check(argc == 3, "model_write FOLDER FILE", "model_write takes a folder and a file");
    Arena *arena = arena_new();
    GptFile file = gpt_open(arena, argv[1]);
    check_tokenizer(file.tokenizer, argv[1]);
    out = fopen(argv[2], "wb");
    check(out, "may you write there?", "%s: %s", argv[2], strerror(errno));
    put_number(MODEL_MAGIC);
    put_number((int)sizeof file.gpt.config);
    put(&file.gpt.config, sizeof file.gpt.config);
    for (int i = 0; i < file.parameters.count; i++) {
        const Matrix value = file.parameters.items[i]->value;
        put(value.data, matrix_size(value) * sizeof *value.data);
    }
    put_tokenizer(file.tokenizer);
    put_characters(file.tokenizer);
    check(fclose(out) == 0, "is the disk full?", "%s: %s", argv[2], strerror(errno));
    tokenizer_free(file.tokenizer);
    arena_free(arena);
    return EXIT_SUCCESS;
}
