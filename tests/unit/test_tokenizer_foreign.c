// tokenizer.json as other programs write it. The numbers expected are those that Hugging Face's Rust library gives for the
// same file and text, without special tokens: tried with version 0.23, from npm's package tokenizers 0.23.2.
#include "suite.h"
#include "models/tokenizer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

// ---- Files --------------------------------------------------------------------------------------------------

// What differs from the plainest file: 256 bytes with their own numbers, no merges, GPT-2's pattern.
typedef struct {
    const char *added;      // the list, without brackets
    const char *normaliser; // instead of null
    const char *steps;      // the list of pre-tokenisers, instead of ByteLevel with its pattern
    const char *pieces;     // more of them, each with a comma behind
    const char *merges;     // the list
    const char *model;      // more settings, each with a comma behind
    const char *without;    // the bytes that have no piece
} Parts;

#define BYTE_LEVEL                                                                                           \
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":false}"
#define SPLIT(kind, pattern, behaviour, invert)                                                              \
    "{\"type\":\"Split\",\"pattern\":{\"" kind "\":\"" pattern "\"},\"behavior\":\"" behaviour               \
    "\",\"invert\":" invert "}"

// The letter of a byte, by the definition: printable bytes of Latin-1 are themselves, the others U+0100 … in order.
static int letter(int byte)
{
    int others = 0;
    for (int b = 0; b <= byte; b++) {
        bool own = (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
        if (b == byte) return own ? b : 256 + others;
        others += !own;
    }
    return 0;
}

static const char *or_else(const char *text, const char *otherwise) { return text ? text : otherwise; }

static const char *written(Parts p)
{
    const char *path = scratch_path("foreign.json");
    FILE *out = fopen(path, "wb");
    fprintf(out, "{\"version\":\"1.0\",\"truncation\":null,\"added_tokens\":[%s],\"normalizer\":%s,",
            or_else(p.added, ""), or_else(p.normaliser, "null"));
    fprintf(out,
            "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[%s]},\"decoder\":null,\"model\":{",
            or_else(p.steps, "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true}"));
    fprintf(out, "\"type\":\"BPE\",%s\"vocab\":{%s", or_else(p.model, ""), or_else(p.pieces, ""));
    const char *between = "";
    for (int b = 0; b < 256; b++) {
        if (p.without && memchr(p.without, b, strlen(p.without))) continue;
        int c = letter(b);
        fprintf(out, "%s\"", between);
        if (c == '"' || c == '\\') fputc('\\', out);
        if (c < 128)
            fputc(c, out);
        else
            fprintf(out, "%c%c", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
        fprintf(out, "\":%d", b);
        between = ",";
    }
    fprintf(out, "},\"merges\":[%s]}}", or_else(p.merges, ""));
    fclose(out);
    return path;
}

static const char *numbers(Tokenizer *t, const char *text, size_t size)
{
    static char out[4096];
    Arena *arena = arena_new();
    Tokens tokens = tokenizer_encode(arena, t, text, size);
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < tokens.count; i++)
        used += (size_t)snprintf(out + used, sizeof out - used, i ? " %d" : "%d", tokens.ids[i]);
    arena_free(arena);
    return out;
}

typedef struct {
    const char *text, *numbers;
} Expected;

// What the file gives, and what it gives after it has been saved and loaded again.
static void expect_numbers(Parts parts, const Expected *expected)
{
    Tokenizer *t = tokenizer_load(written(parts));
    for (int again = 0; again < 2; again++) {
        for (const Expected *e = expected; e->text; e++) {
            const char *got = numbers(t, e->text, strlen(e->text));
            ck_assert_msg(strcmp(got, e->numbers) == 0, "%s\"%s\" gives %s, expected %s",
                          again ? "saved and loaded, " : "", e->text, got, e->numbers);
        }
        const char *path = scratch_path("saved.json");
        tokenizer_save(path, t);
        tokenizer_free(t);
        t = tokenizer_load(path);
    }
    tokenizer_free(t);
}
#define expect(parts, ...) expect_numbers((Parts)parts, (const Expected[]){__VA_ARGS__, {NULL, NULL}})
#define PARTS(...)                                                                                           \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }

static void load(void *path) { tokenizer_free(tokenizer_load(path)); }
#define expect_refusal(parts, message) expect_death(load, (void *)(uintptr_t)written((Parts)parts), message)

#define ADDED(id, content, more) "{\"id\":" #id ",\"content\":\"" content "\"" more "}"
#define NORMALIZED               ",\"normalized\":true"
#define RAW                      ",\"normalized\":false"

// ---- Added tokens -------------------------------------------------------------------------------------------

START_TEST(an_added_token_may_have_the_bytes_of_a_piece)
{
    expect(PARTS(.pieces = "\"ĠĠ\":256,", .merges = "\"Ġ Ġ\"",
                 .added = ADDED(257, "  ", NORMALIZED) "," ADDED(258, "    ", NORMALIZED)),
           {"a  b", "97 257 98"}, {"a    b", "97 258 98"}, {"a      b", "97 258 257 98"},
           {"a b", "97 32 98"});
}
END_TEST

START_TEST(an_added_token_with_the_name_of_a_piece_is_that_piece)
{
    expect(PARTS(.pieces = "\"<|e|>\":256,", .added = ADDED(256, "<|e|>", RAW)), {"a<|e|>b", "97 256 98"});
    expect(PARTS(.pieces = "\"ab\":256,", .merges = "[\"a\",\"b\"]", .added = ADDED(256, "ab", RAW)),
           {"cab ab", "99 256 32 256"});
    expect(PARTS(.pieces = "\"床\":256,", .added = ADDED(256, "床", RAW)), {"a床b", "97 256 98"});
    expect(PARTS(.added = ADDED(256, "a", NORMALIZED)), {"cab", "99 97 98"});
    // The letter é is the byte 0xe9, Ġ is the blank.
    expect(PARTS(.added = ADDED(256, "é", NORMALIZED)), {"aéb", "97 233 98"});
    expect(PARTS(.added = ADDED(32, "Ġ", NORMALIZED)), {"aĠ b", "97 32 32 98"});
    expect(PARTS(.added = ADDED(256, "<x>", RAW) "," ADDED(257, "<x>", RAW)), {"a<x>b", "97 256 98"});
}
END_TEST

START_TEST(what_is_normalised_is_compared_with_what_is_normalised)
{
    expect(PARTS(.normaliser = "{\"type\":\"NFC\"}", .added = ADDED(256, "cafe\u0301", NORMALIZED)),
           {"un café!", "117 110 32 256 33"}, {"un cafe\u0301!", "117 110 32 256 33"});
    expect(PARTS(.normaliser = "{\"type\":\"NFC\"}",
                 .added = ADDED(256, "é!", RAW) "," ADDED(257, "e\u0301!", NORMALIZED)),
           {"aé!b", "97 256 98"}, {"ae\u0301!b", "97 257 98"});
    // A mark behind a token belongs to its last character, unless the token was found before normalising.
    expect(PARTS(.normaliser = "{\"type\":\"NFC\"}", .added = ADDED(256, "xe", NORMALIZED)),
           {"xe\u0301", "120 195 169"}, {"xe", "256"});
    expect(PARTS(.normaliser = "{\"type\":\"NFC\"}", .added = ADDED(256, "xe", RAW)),
           {"xe\u0301", "256 204 129"});
    expect(PARTS(.normaliser = "{\"type\":\"NFC\"}", .added = ADDED(256, "\u0301x", NORMALIZED)),
           {"e\u0301x", "195 169 120"}, {"\u0301x", "256"});
}
END_TEST

START_TEST(of_two_added_tokens_the_longest_is_found)
{
    expect(PARTS(.added = ADDED(256, "ab", RAW) "," ADDED(257, "abcd", RAW) "," ADDED(258, "bc", RAW)),
           {"abcd abc xbcd abcabcd", "257 32 256 99 32 120 258 100 32 256 99 257"});
    expect(PARTS(.added = ADDED(256, "<x>", RAW) "," ADDED(257, "a<x>", NORMALIZED)), {"a<x>", "97 256"});
    expect(PARTS(.added = ADDED(256, "", RAW)), {"ab", "97 98"}); // passed over
}
END_TEST

START_TEST(added_tokens_take_white_space_and_stand_alone_as_they_ask)
{
    expect(PARTS(.added = ADDED(256, "<m>", RAW ",\"lstrip\":true")), {"a  <m> b", "97 256 32 98"},
           {"<m>", "256"});
    expect(PARTS(.added = ADDED(256, "<m>", RAW ",\"rstrip\":true")), {"a <m>\t \u3000b", "97 32 256 98"});
    expect(PARTS(.added = ADDED(256, "<m>", RAW ",\"lstrip\":true,\"rstrip\":true")),
           {"b  <m> \t <m>\u3000c\u00a0<m>\u2028", "98 256 256 99 256"}, {"  <m>  ", "256"});
    // One that another's white space has covered is found all the same.
    expect(PARTS(.added = ADDED(256, "  ", RAW) "," ADDED(257, "<m>", RAW ",\"rstrip\":true")),
           {"<m>  b", "257 256 98"}, {"<m>  <m> b", "257 256 257 98"});
    expect(PARTS(.added = ADDED(256, "  ", RAW) "," ADDED(257, "<m>", RAW ",\"lstrip\":true")),
           {"b   <m> b", "98 256 257 32 98"});
    expect(PARTS(.added = ADDED(256, "ab", RAW ",\"single_word\":true") "," ADDED(257, "bc", RAW)),
           {"ab xab abb", "256 32 120 97 98 32 97 98 98"}, {"ab_", "97 98 95"},
           {"ab1 ab-ab", "97 98 49 32 256 45 256"}, {"\u0301ab abc", "204 129 97 98 32 97 98 99"});
}
END_TEST

START_TEST(numbers_of_added_tokens_may_have_gaps)
{
    Tokenizer *t = tokenizer_load(
        written((Parts){.added = ADDED(300, "<x>", RAW) "," ADDED(290, "<y>", RAW ",\"special\":true")}));
    ck_assert_str_eq(numbers(t, "a<x><y>", 7), "97 300 290");
    ck_assert_int_eq(tokenizer_size(t), 301);
    ck_assert(tokenizer_piece(t, 299).bytes == NULL && tokenizer_piece(t, 300).added);
    tokenizer_free(t);
    expect_refusal(PARTS(.added = ADDED(256, "<x>", RAW) "," ADDED(256, "<y>", RAW)),
                   "the number 256 of the added token <y> is that of another piece");
    expect_refusal(PARTS(.added = ADDED(-1, "<x>", RAW)), "<x> has the number -1");
    expect_refusal(PARTS(.added = ADDED(1e12, "<x>", RAW)), "<x> has the number 1e+12");
    expect_refusal(PARTS(.added = "{\"id\":256}"), "an added token has no content");
}
END_TEST

START_TEST(an_added_token_may_not_take_the_name_of_a_byte)
{
    Tokenizer *t = tokenizer_load(written((Parts){.pieces = "\"ĠĠ\":256,", .merges = "\"Ġ Ġ\""}));
    ck_assert_int_eq(tokenizer_add(t, "  "), 257);
    ck_assert_str_eq(numbers(t, "a  b", 4), "97 257 98");
    ck_assert_int_eq(tokenizer_find(t, "  ", 2), 256);
    tokenizer_free(t);
}
END_TEST

static void add(void *text) { tokenizer_add(tokenizer_load(scratch_path("foreign.json")), text); }

START_TEST(names_that_are_taken_are_refused)
{
    written((Parts){.pieces = "\"床\":256,"});
    expect_death(add, (void *)(uintptr_t) "é", "\"é\" is a piece already, number 233");
    expect_death(add, (void *)(uintptr_t) "床", "\"床\" is a piece already, number 256");
}
END_TEST

static double processor_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// Loads so many added tokens, the shorter ones first, and finds one; returns the seconds.
static double seconds_for(int count)
{
    enum { EACH = 64 };
    char *list = malloc((size_t)count * EACH), *at = list;
    for (int i = 0; i < count; i++)
        at += snprintf(at, EACH, "%s{\"id\":%d,\"content\":\"<%0*x>\"}", i ? "," : "", 256 + i,
                       5 + 20 * i / count, i);
    const char *path = written((Parts){.added = list});
    double start = processor_seconds();
    Tokenizer *t = tokenizer_load(path);
    ck_assert_str_eq(numbers(t, "a<00063>b", 9), "97 355 98"); // 0x63 is 99
    double took = processor_seconds() - start;
    tokenizer_free(t);
    free(list);
    return took;
}

START_TEST(a_hundred_thousand_added_tokens_take_little_time_each)
{
    double few = seconds_for(12500), many = seconds_for(100000);
    ck_assert_msg(many < 24 * few, "%.2f s for 8 times the tokens of %.3f s", many,
                  few); // an insertion sort: 64 times
}
END_TEST

// A token that begins everywhere and ends nowhere; texts of one letter; white space that several tokens take.
START_TEST(no_text_makes_finding_slow)
{
    enum { LONG = 1 << 16, SIZE = 1 << 20 };
    char *list = malloc(2 * LONG), *text = malloc(SIZE);
    memset(text, 'a', SIZE);
    snprintf(list, 2 * LONG, "{\"id\":256,\"content\":\"%.*sb\"},{\"id\":257,\"content\":\"b%.*s\"}",
             LONG / 2, text, LONG / 2, text);
    Tokenizer *t =
        tokenizer_load(written((Parts){.added = list, .pieces = "\"aa\":258,", .merges = "\"a a\""}));
    Arena *arena = arena_new();
    double start = processor_seconds();
    ck_assert_uint_eq(tokenizer_encode(arena, t, text, SIZE).count, SIZE / 2);
    tokenizer_free(t);
    t = tokenizer_load(written((Parts){.added = ADDED(256, " ", RAW ",\"rstrip\":true,\"lstrip\":true")}));
    memset(text, ' ', SIZE);
    ck_assert_uint_eq(tokenizer_encode(arena, t, text, SIZE).count, SIZE);
    ck_assert_msg(processor_seconds() - start < 10, "%.1f s",
                  processor_seconds() - start); // quadratic: minutes
    tokenizer_free(t);
    arena_free(arena);
    free(list), free(text);
}
END_TEST

// ---- The vocabulary -----------------------------------------------------------------------------------------

static void encode_a(void *path) { numbers(tokenizer_load(path), "cab", 3); }

START_TEST(bytes_without_a_piece_are_refused_when_they_come)
{
    expect(PARTS(.without = "\xc0\xc1\xf5\xff"), {"hé!", "104 195 169 33"});
    expect_death(encode_a, (void *)(uintptr_t)written((Parts){.without = "a"}),
                 "tokenizer_encode: there is no piece for the byte 0x61");
    expect_death(encode_a,
                 (void *)(uintptr_t)written((Parts){.without = "a", .model = "\"unk_token\":\"[UNK]\","}),
                 "in its vocabulary no unk_token [UNK]");
}
END_TEST

START_TEST(bytes_without_a_piece_are_unknown_where_the_file_says_so)
{
    const char *unk = "\"[UNK]\":256,";
    expect(PARTS(.without = "a", .pieces = unk, .model = "\"unk_token\":\"[UNK]\",\"fuse_unk\":false,"),
           {"cab caab", "99 256 98 32 99 256 256 98"});
    expect(PARTS(.without = "a", .pieces = unk, .model = "\"unk_token\":\"[UNK]\",\"fuse_unk\":true,"),
           {"cab caab", "99 256 98 32 99 256 98"}, {"aa", "256"});
    expect(PARTS(.without = "a", .pieces = "\"[UNK]\":97,\"[UNK]b\":256,", .merges = "[\"[UNK]\",\"b\"]",
                 .model = "\"unk_token\":\"[UNK]\","),
           {"ab aab", "256 32 97 256"});
    expect(PARTS(.model = "\"unk_token\":\"[UNK]\","), {"cab", "99 97 98"});
}
END_TEST

START_TEST(names_may_be_any_text)
{
    expect(PARTS(.pieces = "\"床\":256,\" x\":257,\" \":258,\"\":259,", .merges = "[\" \",\"x\"]"),
           {"a 床 x", "97 32 229 186 138 32 120"});
    expect(PARTS(.pieces = "\"\\u0000\":256,\"a\\u0000b\":257,"), {"a\\0b", "97 92 48 98"});
    expect(PARTS(.pieces = "\"\\u0061b\":256,\"\\/\\/\":257,\"\\ud83d\\ude00\":258,",
                 .merges = "\"a b\",\"/ /\""),
           {"ab//😀", "256 257 240 159 152 128"});
    // Six characters that look like an escape, after one, two and three backslashes in the text
    expect(PARTS(.pieces = "\"\\\\u0000\":256,\"\\\\\\\\u0000\":257,", .model = "\"ignore_merges\":true,",
                 .steps = SPLIT("Regex", "\\\\S+", "Isolated", "false") "," BYTE_LEVEL),
           {"a \\u0000 b", "97 32 256 32 98"}, {"\\\\u0000", "257"});
}
END_TEST

START_TEST(a_nul_is_a_character_like_others)
{
    Tokenizer *t = tokenizer_load(written((Parts){.added = ADDED(256, "\\u0000\\\\u0000", RAW)}));
    for (int again = 0; again < 2; again++) {
        ck_assert_str_eq(numbers(t, "a\0\\u0000b\0", 10), "97 256 98 0");
        tokenizer_save(scratch_path("saved.json"), t);
        tokenizer_free(t);
        t = tokenizer_load(scratch_path("saved.json"));
    }
    tokenizer_free(t);
}
END_TEST

START_TEST(merges_may_be_written_in_both_ways)
{
    expect(PARTS(.pieces = "\"ab\":256,", .merges = "\"a b\""), {"ab", "256"});
    expect(PARTS(.pieces = "\"ab\":256,", .merges = "\"#version: 0.2\",\"a b\""), {"ab", "256"});
    expect(PARTS(.pieces = "\"ab\":256,", .merges = "[\"a\",\"b\"]"), {"ab", "256"});
    expect(PARTS(.pieces = "\"ab\":256,", .model = "\"ignore_merges\":true,"),
           {"ab b ab", "256 32 98 32 97 98"});
    expect_refusal(PARTS(.merges = "\"a b\""), "\"a\" and \"b\" together are no piece");
    expect_refusal(PARTS(.pieces = "\"ab\":256,", .merges = "\"a b \""), "two pieces with one blank between");
}
END_TEST

START_TEST(models_that_are_not_understood_are_refused_by_name)
{
    expect(PARTS(.model = "\"dropout\":0.0,\"byte_fallback\":true,\"continuing_subword_prefix\":null,"),
           {"ab", "97 98"});
    expect_refusal(PARTS(.model = "\"dropout\":1.0,"), "its model has a dropout");
    expect_refusal(PARTS(.model = "\"end_of_word_suffix\":\"</w>\","), "its model has a end_of_word_suffix");
    expect_refusal(PARTS(.model = "\"byte_fallback\":true,", .without = "\xff"),
                   "no piece for the byte 0xff");
    expect_refusal(PARTS(.normaliser = "{\"type\":\"Lowercase\"}"),
                   "its normaliser is not NFC but \"Lowercase\"");
}
END_TEST

// ---- Normalisers and pre-tokenisers -------------------------------------------------------------------------

START_TEST(all_four_normal_forms_are_read)
{
    expect(PARTS(.normaliser = "{\"type\":\"NFD\"}"), {"é ﬁ", "101 204 129 32 239 172 129"});
    expect(PARTS(.normaliser = "{\"type\":\"NFKC\"}"), {"e\u0301 ﬁ Ⅷ", "195 169 32 102 105 32 86 73 73 73"});
    expect(PARTS(.normaliser = "{\"type\":\"NFKD\"}"), {"é ﬁ", "101 204 129 32 102 105"});
    expect(PARTS(.normaliser = "{\"type\":\"Sequence\",\"normalizers\":[]}"), {"e\u0301", "101 204 129"});
    expect(PARTS(.normaliser =
                     "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKD\"},{\"type\":\"NFC\"}]}"),
           {"é ﬁ", "195 169 32 102 105"});
}
END_TEST

// Pieces that show where a text was cut: with ignore_merges each is found only as a whole pre-token.
#define WHOLE                                                                                                \
    .model = "\"ignore_merges\":true,", .pieces = "\"ab\":300,\"cd\":301,\"ab-\":302,\"-cd\":303,\"--\":"    \
                                                  "304,\"-\":45,\"12\":305,\"123\":306,\"Ġab\":307,"        \
                                                  "\"abĠĠ\":308,\"abc\":309,\"Ġ12\":310,\"à¤¹à¤¿\":311,"

START_TEST(every_behaviour_of_splits_is_done)
{
    expect(PARTS(WHOLE, .steps = SPLIT("String", "-", "Isolated", "false") "," BYTE_LEVEL),
           {"ab--cd", "300 45 45 301"});
    expect(PARTS(WHOLE, .steps = SPLIT("String", "-", "Removed", "false") "," BYTE_LEVEL),
           {"ab--cd", "300 301"}, {"--", ""}, {"-ab-", "300"});
    expect(PARTS(WHOLE, .steps = SPLIT("String", "-", "Removed", "true") "," BYTE_LEVEL), {"ab--cd", "45 45"},
           {"ab", ""});
    expect(PARTS(WHOLE, .steps = SPLIT("String", "-", "MergedWithPrevious", "false") "," BYTE_LEVEL),
           {"ab--cd", "302 45 301"}, {"-ab-", "45 302"}, {"--", "45 45"});
    expect(PARTS(WHOLE, .steps = SPLIT("String", "-", "MergedWithNext", "false") "," BYTE_LEVEL),
           {"ab--cd", "300 45 303"});
    expect(PARTS(WHOLE, .steps = SPLIT("String", "-", "Contiguous", "false") "," BYTE_LEVEL),
           {"ab--cd", "300 304 301"});
    expect(PARTS(WHOLE, .steps = SPLIT("Regex", "[a-z]+|\\\\d*", "Isolated", "false") "," BYTE_LEVEL),
           {"ab12 TWO", "300 305 32 84 87 79"});
    expect_refusal(PARTS(.steps = SPLIT("String", "-", "isolated", "false") "," BYTE_LEVEL),
                   "Split is \"isolated\"");
}
END_TEST

START_TEST(steps_follow_each_other)
{
    expect(PARTS(WHOLE, .steps = SPLIT("Regex", "\\\\d+", "Isolated", "false") "," SPLIT(
                            "String", " ", "Removed",
                            "false") ",{\"type\":\"Sequence\",\"pretokenizers\":[" BYTE_LEVEL "]}"),
           {"12ab cd", "305 300 301"});
    expect(PARTS(WHOLE, .steps = "{\"type\":\"Digits\",\"individual_digits\":true}," BYTE_LEVEL),
           {"123ab", "49 50 51 300"});
    expect(PARTS(WHOLE, .steps = "{\"type\":\"Digits\",\"individual_digits\":false}," BYTE_LEVEL),
           {"123ab", "306 300"});
    expect(PARTS(WHOLE, .steps = "{\"type\":\"Punctuation\"}," BYTE_LEVEL), {"ab--cd$", "300 45 45 301 36"});
    expect(PARTS(WHOLE, .steps = "{\"type\":\"Punctuation\",\"behavior\":\"Contiguous\"}," BYTE_LEVEL),
           {"ab--cd", "300 304 301"});
    expect(PARTS(WHOLE, .steps = "{\"type\":\"Whitespace\"}," BYTE_LEVEL), {"ab --cd", "300 304 301"});
    expect(PARTS(WHOLE, .steps = "{\"type\":\"WhitespaceSplit\"}," BYTE_LEVEL), {" ab  ab-", "300 302"});
    expect(PARTS(WHOLE, .steps = BYTE_LEVEL), {"ab  ", "308"}, {"ab12", "97 98 49 50"});
    expect_refusal(PARTS(.steps = BYTE_LEVEL ",{\"type\":\"Digits\"}"), "Digits stands behind ByteLevel");
    expect_refusal(PARTS(.steps = "{\"type\":\"Digits\"}"), "there is no ByteLevel in it");
    expect_refusal(PARTS(.steps = "{\"type\":\"Metaspace\"}"), "but \"Metaspace\"");
}
END_TEST

START_TEST(a_blank_is_put_in_front_where_the_file_asks_for_it)
{
    const char *prefix =
        "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}";
    expect(PARTS(WHOLE, .steps = prefix, .added = ADDED(400, "<x>", RAW)), {"ab", "307"}, {" ab", "307"},
           {"<x>ab<x> 12<x>", "400 307 400 310 400"}, {"", ""});
    expect(
        PARTS(WHOLE,
              .steps =
                  "{\"type\":\"Split\",\"pattern\":{\"String\":\"-\"},\"behavior\":\"Isolated\",\"invert\":"
                  "false},{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"use_regex\":true}"),
        {"ab-12", "307 32 45 310"});
}
END_TEST

#define REGEX(pattern) WHOLE, .steps = SPLIT("Regex", pattern, "Removed", "false") "," BYTE_LEVEL

START_TEST(patterns_mean_what_oniguruma_means)
{
    expect(PARTS(REGEX("\\\\w")), {"\u0301", ""}, {"½", ""}, {"٣", ""}, {"\u200d", "226 128 141"},
           {"⅓", "226 133 147"});
    expect(PARTS(REGEX("[\\\\w]")), {"½", "194 189"}, {"Ⓐ", ""});
    expect(PARTS(REGEX("\\\\s|[[:space:]]")), {"a\xc2\x85\u180e"
                                               "b\u3000",
                                               "97 225 160 142 98"});
    expect(PARTS(REGEX("[[:alnum:]]")), {"½Ⅷ٣", "194 189"});
    expect(PARTS(REGEX("\\\\h")), {"zag", "122 103"});
    expect(PARTS(REGEX("\\\\v")), {"a\nb\x0bz", "97 10 98 122"});
    expect(PARTS(REGEX("[a[bc]]+")), {"abc]", "93"});
    expect(PARTS(REGEX("\\\\p{Han}")), {"床、〇", "227 128 129"});
    expect(PARTS(REGEX("(?m)a.b")), {"xa\nby", "120 121"});
    expect(PARTS(REGEX("a.b")), {"xa\nby", "120 97 10 98 121"});
    expect(PARTS(REGEX("\\\\s+$")), {"a  \n  b ", "97 10 32 32 98"});
    expect(PARTS(REGEX("a{,2}b")), {"aabc", "99"});
    expect(PARTS(REGEX("\\\\d{1,2}+z")), {"123zz", "122"});
    expect(PARTS(REGEX("(a|b){2}?z")), {"abzbz", "98"});
    expect(PARTS(REGEX("\\\\u0061b")), {"xab", "120"});
    expect(PARTS(WHOLE, .steps = SPLIT("Regex", "\\\\b", "Isolated", "false") "," BYTE_LEVEL),
           {"ab--cd", "300 304 301"}, {"हि", "311"});
    expect_refusal(PARTS(REGEX("[a-z&&[^b]]")), "has an intersection of sets");
    expect_refusal(PARTS(REGEX("[\\\\W]")), "has \\W in brackets");
    expect_refusal(PARTS(REGEX("(a")), "is wrong: missing closing parenthesis");
}
END_TEST

// ---- The text of the file -----------------------------------------------------------------------------------

static Tokenizer *load_text(const char *before, const char *text, const char *behind)
{
    size_t room = strlen(before) + strlen(text) + strlen(behind) + 1;
    char *all = malloc(room);
    snprintf(all, room, "%s%s%s", before, text, behind);
    const char *path = scratch_file("text.json", all, room - 1);
    free(all);
    return tokenizer_load(path);
}

static const char GOOD[] =
    "{\"model\":{\"merges\":[],\"vocab\":{\"a\":0.0,\"b\":1e0,\"a\":0}},\"other\":[{}],\"normalizer\":"
    "{\"type\":\"Lowercase\"},\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\"}}";

static void load_with_rubbish(void *rubbish) { load_text("", GOOD, rubbish); }

START_TEST(json_may_be_written_in_many_ways)
{
    const char *const around[][2] = {{"", ""}, {"\xef\xbb\xbf", ""}, {"\r\n\t ", "\r\n\r\n"}};
    for (int i = 0; i < 3; i++) {
        Tokenizer *t = load_text(around[i][0], GOOD, around[i][1]);
        ck_assert_str_eq(numbers(t, "aba", 3), "0 1 0");
        tokenizer_free(t);
    }
    expect_death(load_with_rubbish, (void *)(uintptr_t) "}",
                 "something other than white space behind the value");
    expect_death(load_with_rubbish, (void *)(uintptr_t) "\xff", "is no UTF-8 at the byte 0xff");
}
END_TEST

static const char *two_files[2];
static void load_two(void *unused)
{
    (void)unused;
    tokenizer_load_gpt2(two_files[0], two_files[1]);
}

START_TEST(the_two_files_of_gpt_2_may_be_written_in_many_ways)
{
    static const char vocabulary[] = "\xef\xbb\xbf{\"a\":0,\r\n\"b\":1,\"ab\":2,\"abab\":3}\r\n";
    const char *const merges[] = {"#version: 0.2\na b\nab ab\n", "a b\nab ab",
                                  "#version: 0.2\r\na b\r\nab ab\r\n", "a b\nab ab\n\n\n",
                                  "\357\273\277a b\r\nab ab\r\n\r\n"};
    static char first[512];
    snprintf(first, sizeof first, "%s", scratch_file("vocab.json", vocabulary, sizeof vocabulary - 1));
    two_files[0] = first;
    for (int i = 0; i < 5; i++) {
        two_files[1] = scratch_file("merges.txt", merges[i], strlen(merges[i]));
        Tokenizer *t = tokenizer_load_gpt2(two_files[0], two_files[1]);
        ck_assert_str_eq(numbers(t, "ababab", 6), "3 2");
        tokenizer_free(t);
    }
    const char *const wrong[][2] = {{"a b\nab\n", "merge 2: two pieces with one blank between"},
                                    {"a b\nab ab ab\n", "merge 2: two pieces with one blank between"},
                                    {"a b\na b\n", "merge 2, \"a b\", is there twice"},
                                    {"a c\n", "merge 1: \"c\" is no piece"}};
    for (int i = 0; i < 4; i++) {
        two_files[1] = scratch_file("merges.txt", wrong[i][0], strlen(wrong[i][0]));
        expect_death(load_two, NULL, wrong[i][1]);
    }
}
END_TEST

SUITE("tokenizers of others", an_added_token_may_have_the_bytes_of_a_piece,
      an_added_token_with_the_name_of_a_piece_is_that_piece,
      what_is_normalised_is_compared_with_what_is_normalised, of_two_added_tokens_the_longest_is_found,
      added_tokens_take_white_space_and_stand_alone_as_they_ask, numbers_of_added_tokens_may_have_gaps,
      an_added_token_may_not_take_the_name_of_a_byte, names_that_are_taken_are_refused,
      a_hundred_thousand_added_tokens_take_little_time_each, no_text_makes_finding_slow,
      bytes_without_a_piece_are_refused_when_they_come,
      bytes_without_a_piece_are_unknown_where_the_file_says_so, names_may_be_any_text,
      a_nul_is_a_character_like_others, merges_may_be_written_in_both_ways,
      models_that_are_not_understood_are_refused_by_name, all_four_normal_forms_are_read,
      every_behaviour_of_splits_is_done, steps_follow_each_other,
      a_blank_is_put_in_front_where_the_file_asks_for_it, patterns_mean_what_oniguruma_means,
      json_may_be_written_in_many_ways, the_two_files_of_gpt_2_may_be_written_in_many_ways)
