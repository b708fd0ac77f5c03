// The tokenizer: its rules beside the plainest ones, GPT-2's and Qwen3's numbers, any bytes there and back, hostile files.
#include "suite.h"
#include "base/rng.h"
#include "models/tokenizer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uninorm.h>
#include <unictype.h>
#include <unistd.h>
#include <unistr.h>

static const char TEXT[] =
    "She sells sea shells by the sea shore. The shells she sells are sea shells, she's sure; "
    "so if she sells shells on the sea shore, the shells are sea shore shells.\n\n"
    "床前明月光，疑是地上霜。舉頭望明月，低頭思故鄉。明月明月明月。 aaaaaaaa aaaaaaa aaa aaaa bananananana "
    "12 123 1234 12 123";

static Tokenizer *small(int pieces) { return tokenizer_train(TEXT, sizeof TEXT - 1, pieces, NULL); }

static void expect_ids(const char *what, Tokens got, const int *ids, size_t count)
{
    size_t i = 0;
    while (i < count && i < got.count && got.ids[i] == ids[i]) i++;
    ck_assert_msg(i == count && i == got.count, "%s: %zu ids, expected %zu; number %zu is %d, expected %d",
                  what, got.count, count, i, i < got.count ? got.ids[i] : -1, i < count ? ids[i] : -1);
}

// ---- Training and encoding beside the plainest loops ----------------------------------------------------------

enum { MOST = 1024 };

// The words of a text as lists of pieces, one after the other, −1 behind each.
typedef struct {
    int *pieces;
    size_t count;
} Words;

static Words words_of(Arena *arena, Tokenizer *t, const char *text, size_t size)
{
    size_t count;
    TokenizerPiece *words = tokenizer_split(arena, t, text, size, &count);
    Words out = {arena_alloc(arena, 2 * size, sizeof(int)), 0};
    for (size_t w = 0; w < count; w++) {
        for (size_t i = 0; i < words[w].size; i++) out.pieces[out.count++] = (uint8_t)words[w].bytes[i];
        out.pieces[out.count++] = -1;
    }
    return out;
}

static void merge_plainly(Words *words, int left, int right, int made)
{
    size_t kept = 0;
    for (size_t i = 0; i < words->count; i++) {
        bool pair = words->pieces[i] == left && i + 1 < words->count && words->pieces[i + 1] == right;
        words->pieces[kept++] = pair ? made : words->pieces[i];
        i += pair;
    }
    words->count = kept;
}

static bool most_frequent_plainly(Words words, int pieces, int *left, int *right)
{
    static int counts[MOST][MOST];
    for (int a = 0; a < pieces; a++) memset(counts[a], 0, (size_t)pieces * sizeof(int));
    int most = 1;
    for (size_t i = 0; i + 1 < words.count; i++)
        if (words.pieces[i] >= 0 && words.pieces[i + 1] >= 0) counts[words.pieces[i]][words.pieces[i + 1]]++;
    for (int a = 0; a < pieces; a++)
        for (int b = 0; b < pieces; b++)
            if (counts[a][b] > most) most = counts[a][b], *left = a, *right = b;
    return most > 1;
}

static void expect_plain_merges(const char *text, size_t size, int pieces)
{
    Arena *arena = arena_new();
    Tokenizer *t = tokenizer_train(text, size, pieces, NULL);
    Words words = words_of(arena, t, text, size);
    int made = 256, left, right;
    for (; made < pieces && most_frequent_plainly(words, made, &left, &right); made++) {
        TokenizerMerge merge = tokenizer_merge(t, made - 256);
        ck_assert_msg(merge.left == left && merge.right == right && merge.result == made,
                      "merge %d is %d + %d = %d, expected %d + %d = %d", made - 256, merge.left, merge.right,
                      merge.result, left, right, made);
        merge_plainly(&words, left, right, made);
    }
    ck_assert_int_eq(tokenizer_size(t), made);
    // What training has made of the text is what encoding makes of it.
    Words ids = {words.pieces, 0};
    for (size_t i = 0; i < words.count; i++)
        if (words.pieces[i] >= 0) ids.pieces[ids.count++] = words.pieces[i];
    expect_ids("the text it was trained with", tokenizer_encode(arena, t, text, size), ids.pieces, ids.count);
    tokenizer_free(t);
    arena_free(arena);
}

START_TEST(merges_are_those_of_counting_everything_anew)
{
    expect_plain_merges(TEXT, sizeof TEXT - 1, 256);
    expect_plain_merges(TEXT, sizeof TEXT - 1, 257);
    expect_plain_merges(TEXT, sizeof TEXT - 1, MOST); // until no pair occurs twice
    expect_plain_merges("", 0, 300);
    expect_plain_merges("a", 1, 300);
    expect_plain_merges("aaaaaaaaaaaaaaaa", 16, 300);
    for (int i = 0; i < 20; i++) { // few letters: ties and overlaps everywhere
        Rng rng = rng_new(18, (uint64_t)i);
        char text[600];
        for (int k = 0; k < 600; k++) text[k] = "ab cA1.\n"[rng_below(&rng, i % 2 ? 3 : 8)];
        expect_plain_merges(text, sizeof text, 330);
    }
}
END_TEST

START_TEST(any_bytes_come_back)
{
    Arena *arena = arena_new();
    Tokenizer *t = small(400);
    tokenizer_add(t, "<|end|>");
    for (int i = 0; i < 3000; i++) {
        Rng rng = rng_new(19, (uint64_t)i);
        uint8_t bytes[64];
        size_t size = rng_below(&rng, 64);
        for (size_t k = 0; k < size; k++) {
            const uint8_t often[] = {0,    ' ',  '\n', 'a',  '\'', 's',  0xe6,
                                     0x98, 0x8e, 0xc3, 0x80, 0xf0, 0xff, 0xed};
            bytes[k] = i % 2 ? (uint8_t)rng_below(&rng, 256) : often[rng_below(&rng, sizeof often)];
        }
        if (size > 20) memcpy(bytes + 9, "<|end|>", 7);
        Tokens tokens = tokenizer_encode(arena, t, bytes, size);
        size_t back;
        const char *again = tokenizer_decode(arena, t, tokens.ids, tokens.count, &back);
        ck_assert_msg(back == size && memcmp(again, bytes, size) == 0,
                      "text %d of %zu bytes came back as %zu", i, size, back);
        arena_reset(arena);
    }
    tokenizer_free(t);
    arena_free(arena);
}
END_TEST

START_TEST(a_byte_that_is_not_utf_8_stands_alone)
{
    Arena *arena = arena_new();
    Tokenizer *t = small(300);
    size_t count;
    TokenizerPiece *pieces = tokenizer_split(arena, t,
                                             "ab\xff\xfe"
                                             "cd\xe6\x98 e",
                                             10, &count);
    const char *expected[] = {"ab", "\xff", "\xfe", "cd", "\xe6", "\x98", " e"};
    ck_assert_uint_eq(count, 7);
    for (size_t i = 0; i < count; i++)
        ck_assert(pieces[i].size == strlen(expected[i]) &&
                  memcmp(pieces[i].bytes, expected[i], pieces[i].size) == 0);
    tokenizer_free(t);
    arena_free(arena);
}
END_TEST

// The pre-tokens with a | between.
static const char *cut(Tokenizer *t, const char *text)
{
    static char out[512];
    Arena *arena = arena_new();
    size_t count, used = 0;
    TokenizerPiece *pieces = tokenizer_split(arena, t, text, strlen(text), &count);
    for (size_t i = 0; i < count; i++) {
        if (i) out[used++] = '|';
        memcpy(out + used, pieces[i].bytes, pieces[i].size);
        used += pieces[i].size;
    }
    out[used] = '\0';
    arena_free(arena);
    return out;
}

START_TEST(texts_are_cut_as_gpt_2_and_qwen_cut_them)
{
    Tokenizer *t = small(256);
    ck_assert_str_eq(cut(t, "It's 1984,  isn't it?\n\n  Yes"), "It|'s| 1984|,| | isn|'t| it|?|\n\n | Yes");
    ck_assert_str_eq(cut(t, "IT'S x1  "), "IT|'|S| x|1|  ");
    // White space is Unicode's: U+0085 is, U+FEFF and U+180E are not. (JavaScript's is different: "a.\u0085" would be one cut less.)
    ck_assert_str_eq(cut(t, ".\xc2\x85."), ".|\xc2\x85|.");
    ck_assert_str_eq(cut(t, ".\ufeff."), ".\ufeff.");
    ck_assert_str_eq(cut(t, ".\u180e."), ".\u180e.");
    ck_assert_str_eq(cut(t, "a\u3000\u3000b"), "a|\u3000|\u3000|b");
    tokenizer_free(t);
    t = tokenizer_train(TEXT, sizeof TEXT - 1, 256, TOKENIZER_QWEN_PATTERN);
    ck_assert_str_eq(cut(t, "It'S 1984,  isn't it?\n\n  Yes"),
                     "It|'S| |1|9|8|4|,| | isn|'t| it|?\n\n| | Yes");
    ck_assert_str_eq(cut(t, "(word) \n \n x"), "(word|)| \n \n| x");
    tokenizer_free(t);
}
END_TEST

START_TEST(what_no_alternative_matches_is_a_pre_token_too)
{
    Tokenizer *t = tokenizer_train(TEXT, sizeof TEXT - 1, 256, "[a-z]+|\\d+");
    ck_assert_str_eq(cut(t, "one, TWO three"), "one|, TWO |three");
    tokenizer_free(t);
}
END_TEST

START_TEST(added_tokens_come_first_and_the_longest_wins)
{
    Arena *arena = arena_new();
    Tokenizer *t = small(300);
    int end = tokenizer_add(t, "<|end|>"), ending = tokenizer_add(t, "<|end|>!"),
        moon = tokenizer_add(t, "月");
    ck_assert_int_eq(end, tokenizer_size(t) - 3);
    Tokens tokens =
        tokenizer_encode(arena, t, "<|end|>!<|end|>?月<|end|", strlen("<|end|>!<|end|>?月<|end|"));
    ck_assert(tokens.ids[0] == ending && tokens.ids[1] == end && tokens.ids[2] == '?' &&
              tokens.ids[3] == moon);
    ck_assert(tokens.ids[4] == '<');
    ck_assert(tokenizer_piece(t, end).added && !tokenizer_piece(t, 65).added);
    ck_assert_str_eq(cut(t, "a <|end|> b"), "a| |<|end|>| b");
    tokenizer_free(t);
    arena_free(arena);
}
END_TEST

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void expect_fast(Arena *arena, Tokenizer *t, const char *bytes, size_t size)
{
    double start = seconds();
    Tokens tokens = tokenizer_encode(arena, t, bytes, size);
    double took = seconds() - start;
    size_t back;
    const char *again = tokenizer_decode(arena, t, tokens.ids, tokens.count, &back);
    ck_assert(back == size && memcmp(again, bytes, size) == 0);
    ck_assert_msg(took < 10.0, "%zu bytes took %.1f s", size, took); // quadratic: hours
}

START_TEST(a_million_times_one_character_is_no_trouble)
{
    enum { SIZE = 1 << 20 };
    Arena *arena = arena_new();
    char *bytes = malloc(SIZE + 1);
    for (int i = 0; i < SIZE; i++) bytes[i] = 'a';
    Tokenizer *t = tokenizer_train(bytes, SIZE, 300, NULL);
    ck_assert_int_eq(tokenizer_size(t), 256 + 19); // a², a⁴, … a^(2¹⁹): that occurs twice, its double once
    expect_fast(arena, t, bytes, SIZE);
    const char *others[] = {" ", "\n", "!", "0", "\xcc\x81", "\xff", "ab"};
    for (int k = 0; k < 7; k++) {
        size_t unit = strlen(others[k]);
        for (size_t i = 0; i + unit <= SIZE; i += unit) memcpy(bytes + i, others[k], unit);
        expect_fast(arena, t, bytes, SIZE / unit * unit);
    }
    free(bytes);
    tokenizer_free(t);
    arena_free(arena);
}
END_TEST

// ---- Files ----------------------------------------------------------------------------------------------------

static char *whole_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s is not there", path);
    char *text = calloc(1, 1 << 20);
    size_t got = fread(text, 1, (1 << 20) - 1, file);
    ck_assert(got > 0);
    fclose(file);
    return text;
}

START_TEST(what_is_saved_is_loaded)
{
    Arena *arena = arena_new();
    Tokenizer *t = small(420);
    int end = tokenizer_add(t, "<|\"end\"\\|>");
    const char *path = scratch_path("tokenizer.json"), *second = scratch_path("second.json");
    tokenizer_save(path, t);
    Tokenizer *loaded = tokenizer_load(path);
    ck_assert_int_eq(tokenizer_size(loaded), tokenizer_size(t));
    ck_assert_int_eq(tokenizer_merge_count(loaded), tokenizer_merge_count(t));
    for (int id = 0; id < tokenizer_size(t); id++) {
        TokenizerPiece a = tokenizer_piece(t, id), b = tokenizer_piece(loaded, id);
        ck_assert(a.size == b.size && memcmp(a.bytes, b.bytes, a.size) == 0 && a.added == b.added);
    }
    for (int m = 0; m < tokenizer_merge_count(t); m++) {
        TokenizerMerge a = tokenizer_merge(t, m), b = tokenizer_merge(loaded, m);
        ck_assert(a.left == b.left && a.right == b.right && a.result == b.result);
    }
    ck_assert_int_eq(tokenizer_find(loaded, "<|\"end\"\\|>", 10), end);
    Tokens expected = tokenizer_encode(arena, t, TEXT, sizeof TEXT);
    expect_ids("after loading", tokenizer_encode(arena, loaded, TEXT, sizeof TEXT), expected.ids,
               expected.count);
    tokenizer_save(second, loaded);
    char *one = whole_file(path), *two = whole_file(second);
    ck_assert_str_eq(one, two);
    free(one), free(two);
    tokenizer_free(t);
    tokenizer_free(loaded);
    arena_free(arena);
}
END_TEST

static void load_file(void *path) { tokenizer_free(tokenizer_load(path)); }

// A file that is saved, with the first occurrence of one text replaced by another.
static const char *damaged(const char *from, const char *to)
{
    const char *path = scratch_path("whole.json");
    Tokenizer *t = small(258);
    tokenizer_add(t, "<|end|>");
    tokenizer_save(path, t);
    tokenizer_free(t);
    char *text = whole_file(path), *at = strstr(text, from);
    ck_assert_msg(at != NULL, "\"%s\" is not in %s", from, text);
    size_t length = strlen(text), room = length + strlen(to) + 1;
    char *out = malloc(room);
    snprintf(out, room, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    const char *result = scratch_file("damaged.json", out, strlen(out));
    free(text), free(out);
    return result;
}

START_TEST(hostile_files_are_refused)
{
    static const char *const cases[][3] = {
        {"\"version\"", "version", "no JSON from byte 5"},
        {"{\n", "[{\n", "no JSON"},
        {"\"a\": 97", "\"a\": \"97\"", "a: its number is missing or no number"},
        {"\"a\": 97", "\"a\": -1", "a has the number -1"},
        {"\"a\": 97", "\"a\": 97.5", "a has the number 97.5"},
        {"\"a\": 97", "\"a\": 1e300", "a has the number 1e+300"},
        {"\"a\": 97", "\"a\": 1048576", "whole numbers below 1048576 are expected"},
        {"\"a\": 97", "\"a\": 98", "\"b\" or its number 98 is there twice"},
        {"\"a\": 97", "\"b\": 97", "\"b\" or its number 98 is there twice"},
        {"\"a\": 97", "\"\": 97", "merge 2: \"a\" is no piece"},
        {"\"a\": 97", "\"一\": 97", "merge 2: \"a\" is no piece"},
        {"\"a\": 97", "\"a\\ud800\": 97", "no JSON from byte"},
        {"\"vocab\": {", "\"vocab\": {}, \"was\": {", "the vocabulary is empty"},
        {"\"1.0\"", "\"2.0\"", "its version is 2.0"},
        {"\"vocab\": {", "\"vocab\": 5, \"was\": {", "must be an object"},
        {"\"merges\": [", "\"merges\": {}, \"was\": [", "the merges must be a list"},
        {"\"merges\": [", "\"merges\": [5,", "merge 1: two pieces are expected"},
        {"\"merges\": [", "\"merges\": [[\"a\"],", "merge 1: two pieces are expected"},
        {"\"merges\": [", "\"merges\": [[\"a\",\"b\",\"c\"],", "merge 1: two pieces are expected"},
        {"\"merges\": [", "\"merges\": [\"ab\",", "merge 1: two pieces with one blank between"},
        {"\"merges\": [", "\"merges\": [[\"a\",\"qqq\"],", "merge 1: \"qqq\" is no piece"},
        {"\"merges\": [", "\"merges\": [[\"q\",\"z\"],", "\"q\" and \"z\" together are no piece"},
        {"\"merges\": [", "\"merges\": [[\"Ġ\",\"s\"],", "merge 2, \"Ġ s\", is there twice"},
        {"\"type\": \"BPE\"", "\"type\": \"WordPiece\"", "the model's type is not \"BPE\""},
        {"\"model\"", "\"modell\"", "there is no model"},
        {"\"unk_token\": null", "\"unk_token\": 5", "\"unk_token\" must be a string"},
        {"\"fuse_unk\": false", "\"fuse_unk\": 0", "\"fuse_unk\" must be true or false"},
        {"\"dropout\": null", "\"dropout\": 0.1", "its model has a dropout"},
        {"\"Isolated\"", "\"isolated\"", "its pre-tokeniser Split is \"isolated\""},
        {"\"Split\"", "\"Metaspace\"", "neither ByteLevel nor Split but \"Metaspace\""},
        {"\"Regex\"", "\"Pattern\"", "needs a pattern"},
        {"\"Regex\": \"", "\"Regex\": \"(", "is wrong: missing closing parenthesis"},
        {"\"normalizer\": null", "\"normalizer\": {\"type\": \"Lowercase\"}", "its normaliser is not NFC"},
        {"\"<|end|>\"", "5", "an added token has no content"},
        {"\"id\": 258", "\"id\": 97", "the number 97 of the added token <|end|> is that of another piece"},
        {"\"lstrip\": false", "\"lstrip\": 1", "\"lstrip\" must be true or false"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = damaged(cases[i][0], cases[i][1]);
        expect_death(load_file, (void *)(uintptr_t)path, cases[i][2]);
    }
}
END_TEST

static void load_gpt2(void *context)
{
    const char **paths = context;
    tokenizer_load_gpt2(paths[0], paths[1]);
}

static void train_with(void *pattern)
{
    const char text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!";
    tokenizer_free(tokenizer_train(text, sizeof text - 1, 300, pattern));
}

START_TEST(patterns_that_are_wrong_or_take_for_ever_are_refused)
{
    expect_death(train_with, (void *)(uintptr_t) "[a-", "is wrong: missing terminating ]");
    expect_death(train_with, (void *)(uintptr_t) "(a|a)+$", "takes for ever");
    expect_death(train_with, (void *)(uintptr_t) "a\\C", "is wrong");
}
END_TEST

START_TEST(files_that_are_missing_cut_short_or_binary_are_refused)
{
    expect_death(load_file, (void *)(uintptr_t)scratch_path("nothing.json"), "nothing.json is missing");
    expect_death(load_file, (void *)(uintptr_t) "/tmp", "is a folder, not a file");
    expect_death(load_file, (void *)(uintptr_t)scratch_file("empty.json", "", 0), "no JSON from byte 0");
    expect_death(load_file, (void *)(uintptr_t)scratch_file("nul.json", "{\0}", 3), "holds a NUL byte");
    expect_death(load_file, (void *)(uintptr_t)scratch_file("latin.json", "{\"\xe9\": 1}", 8),
                 "no UTF-8 at the byte 0xe9");
    expect_death(load_file, (void *)(uintptr_t)scratch_file("list.json", "[1]", 3),
                 "a JSON object { … } is expected");
    char *deep = malloc(1 << 20);
    memset(deep, '[', 1 << 20);
    expect_death(load_file, (void *)(uintptr_t)scratch_file("deep.json", deep, 1 << 20),
                 "nested more than 128 deep");
    free(deep);

    const char *path = scratch_path("short.json");
    Tokenizer *t = small(300);
    tokenizer_save(path, t);
    tokenizer_free(t);
    char *text = whole_file(path);
    for (size_t size = 1; size < strlen(text); size += 1 + size / 7) {
        int status;
        stderr_of(load_file, (void *)(uintptr_t)scratch_file("cut.json", text, size), &status);
        ck_assert_msg(status == 1, "the first %zu bytes: status %d", size, status);
    }
    free(text);
    const char *paths[2] = {scratch_file("encoder.json", "{\"a\": 0}", 8), path};
    expect_death(load_gpt2, paths, "merge 1: two pieces with one blank between");
}
END_TEST

static void decode_wrong(void *id)
{
    Tokenizer *t = small(300);
    tokenizer_decode(arena_new(), t, id, 1, NULL);
}
static void add_twice(void *text)
{
    Tokenizer *t = small(300);
    tokenizer_add(t, text);
}
static void train_too_few(void *pieces) { small(*(int *)pieces); }

START_TEST(numbers_that_are_no_pieces_are_refused)
{
    expect_death(decode_wrong, (&(int){-1}), "number 0 is -1");
    expect_death(decode_wrong, (&(int){300}), "there are pieces from 0 to");
    expect_death(add_twice, (void *)(uintptr_t) "a", "is a piece already, number 97");
    expect_death(add_twice, (void *)(uintptr_t) "", "empty or not UTF-8");
    expect_death(add_twice, (void *)(uintptr_t) "\xff", "empty or not UTF-8");
    expect_death(train_too_few, (&(int){255}), "every byte is a piece");
}
END_TEST

// ---- The originals ----------------------------------------------------------------------------------------------

static const char GPT2_FOLDER[] = "datasets/cache/gpt2-tokenizer",
                  QWEN3_FOLDER[] = "datasets/cache/qwen3-tokenizer";

static bool fetched(const char *folder)
{
    char path[256];
    snprintf(path, sizeof path, "%s/.done", folder);
    bool there = access(path, F_OK) == 0;
    if (!there)
        fprintf(stderr, "skipped: %s is not there; `make data DATA=%s` brings it\n", folder,
                strrchr(folder, '/') + 1);
    return there;
}

static Tokenizer *load_original(bool qwen)
{
    return qwen ? tokenizer_load("datasets/cache/qwen3-tokenizer/tokenizer.json")
                : tokenizer_load_gpt2("datasets/cache/gpt2-tokenizer/encoder.json",
                                      "datasets/cache/gpt2-tokenizer/vocab.bpe");
}

// A text of the reference list, in place: \n, \r, \t, \0 and \\ are escapes.
static size_t unescape(char *text)
{
    const char *letters = "nrt0\\", *values = "\n\r\t\0\\";
    char *to = text;
    for (const char *at = text; *at; at++) {
        const char *which = *at == '\\' ? strchr(letters, *++at) : NULL;
        *to++ = which ? values[which - letters] : *at;
    }
    return (size_t)(to - text);
}

static void expect_reference(bool qwen)
{
    Arena *arena = arena_new();
    Tokenizer *t = load_original(qwen);
    FILE *file = fopen("datasets/tokenizer-reference.tsv", "r");
    ck_assert(file != NULL);
    static char line[1 << 16];
    int lines = 0;
    for (; fgets(line, sizeof line, file); lines++) {
        char what[64], *columns[3] = {strtok(line, "\t"), strtok(NULL, "\t"), strtok(NULL, "\t\n")};
        int ids[1024];
        size_t count = 0;
        for (char *at = columns[qwen ? 2 : 1], *end; ids[count] = (int)strtol(at, &end, 10), end != at;
             at = end)
            count++;
        snprintf(what, sizeof what, "line %d, \"%.30s\"", lines + 1, columns[0]);
        size_t size = unescape(columns[0]);
        expect_ids(what, tokenizer_encode(arena, t, columns[0], size), ids, count);
    }
    ck_assert_int_ge(lines, 150);
    fclose(file);
    tokenizer_free(t);
    arena_free(arena);
}

START_TEST(gpt_2_numbers_are_the_originals)
{
    if (!fetched(GPT2_FOLDER)) return;
    expect_reference(false);
    Tokenizer *t = load_original(false);
    ck_assert_int_eq(tokenizer_size(t), 50257);
    ck_assert_int_eq(tokenizer_merge_count(t), 50000);
    ck_assert(!tokenizer_normalises(t));
    tokenizer_free(t);
}
END_TEST

START_TEST(qwen_3_numbers_are_the_originals)
{
    if (!fetched(QWEN3_FOLDER)) return;
    expect_reference(true);
    Tokenizer *t = load_original(true);
    ck_assert_int_eq(tokenizer_size(t), 151643 + 26);
    ck_assert_int_eq(tokenizer_merge_count(t), 151387);
    ck_assert(tokenizer_normalises(t));
    tokenizer_free(t);
}
END_TEST

// ---- NFC beside libunistring's own ------------------------------------------------------------------------------

// A tokenizer that normalises: one of ours, whose file asks for it.
static Tokenizer *normalising(void)
{
    return tokenizer_load(damaged("\"normalizer\": null", "\"normalizer\": {\"type\": \"NFC\"}"));
}

static void expect_nfc(Arena *arena, Tokenizer *t, const uint8_t *text, size_t size)
{
    size_t length, got_length;
    uint8_t *expected = u8_normalize(UNINORM_NFC, text, size, NULL, &length);
    Tokens tokens = tokenizer_encode(arena, t, text, size);
    char *got = tokenizer_decode(arena, t, tokens.ids, tokens.count, &got_length);
    ck_assert_msg(length == got_length && memcmp(expected, got, length) == 0,
                  "\"%.*s\" became \"%s\", expected \"%.*s\"", (int)size, (const char *)text, got,
                  (int)length, (const char *)expected);
    free(expected);
    arena_reset(arena);
}

START_TEST(every_character_and_its_parts_are_normalised)
{
    Arena *arena = arena_new();
    Tokenizer *t = normalising();
    for (ucs4_t c = 1; c < 0x110000; c++) {
        ucs4_t parts[UC_DECOMPOSITION_MAX_LENGTH];
        int count = uc_canonical_decomposition(c, parts);
        // Most of Unicode is like its neighbours.
        if ((c >= 0xd800 && c < 0xe000) || (count < 0 && uc_combining_class(c) == 0 && c > 0x3000 && c % 97))
            continue;
        if (UNDER_ASAN && c % 8) continue;
        uint8_t text[64] = "x";
        int size = 1 + u8_uctomb(text + 1, c, 8);
        expect_nfc(arena, t, text, (size_t)size);
        if (count < 0) continue;
        size = 0;
        for (int i = 0; i < count; i++) size += u8_uctomb(text + size, parts[i], 8);
        expect_nfc(arena, t, text, (size_t)size);
    }
    tokenizer_free(t);
    arena_free(arena);
}
END_TEST

START_TEST(random_texts_with_marks_are_normalised)
{
    static const ucs4_t some[] = {'a',    'e',    ' ',    0xe9,    0x1112,  0x1161,  0x11a8, 0x11ab, 0xac00,
                                  0x300,  0x301,  0x323,  0x345,   0x344,   0x915,   0x93c,  0x958,  0x3046,
                                  0x3099, 0x4e00, 0xf900, 0x1d157, 0x1d165, 0x1d15e, 0x5b0,  0x2126, 0x1f600};
    Arena *arena = arena_new();
    Tokenizer *t = normalising();
    for (int i = 0; i < 20000; i++) {
        Rng rng = rng_new(20, (uint64_t)i);
        uint8_t text[128];
        int size = 0, count = (int)rng_below(&rng, 14);
        for (int k = 0; k < count; k++)
            size += u8_uctomb(text + size, some[rng_below(&rng, sizeof some / sizeof *some)], 8);
        expect_nfc(arena, t, text, (size_t)size);
    }
    tokenizer_free(t);
    arena_free(arena);
}
END_TEST

START_TEST(broken_bytes_survive_beside_marks)
{
    Arena *arena = arena_new();
    Tokenizer *t = normalising();
    const char *text = "e\xcc\x81\xff\xcc\x81 \xc3(e\xcc\x81", *expected = "é\xff\xcc\x81 \xc3(é";
    Tokens tokens = tokenizer_encode(arena, t, text, strlen(text));
    ck_assert_str_eq(tokenizer_decode(arena, t, tokens.ids, tokens.count, NULL), expected);
    tokenizer_free(t);
    arena_free(arena);
}
END_TEST

SUITE("tokenizer", merges_are_those_of_counting_everything_anew, any_bytes_come_back,
      a_byte_that_is_not_utf_8_stands_alone, texts_are_cut_as_gpt_2_and_qwen_cut_them,
      what_no_alternative_matches_is_a_pre_token_too, added_tokens_come_first_and_the_longest_wins,
      a_million_times_one_character_is_no_trouble, what_is_saved_is_loaded, hostile_files_are_refused,
      patterns_that_are_wrong_or_take_for_ever_are_refused,
      files_that_are_missing_cut_short_or_binary_are_refused, numbers_that_are_no_pieces_are_refused,
      gpt_2_numbers_are_the_originals, qwen_3_numbers_are_the_originals,
      every_character_and_its_parts_are_normalised, random_texts_with_marks_are_normalised,
      broken_bytes_survive_beside_marks)
