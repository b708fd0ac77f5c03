// The reader of JSON: what a tree holds, what is refused, and strings that come back as they were written.
#include "files/json.h"
#include "suite.h"

#include <stdlib.h>

static const Json *read_with(Arena *arena, const char *text, JsonText how)
{
    how.place = HERE, how.path = "file.json", how.remedy = "fetch it again";
    how.size = strlen(text);
    how.bytes = arena_string(arena, text);
    return json_read(&how, arena);
}
static const Json *read_text(Arena *arena, const char *text) { return read_with(arena, text, (JsonText){0}); }

static void read_alone(void *text) { read_text(arena_new(), text); }

START_TEST(a_tree_holds_what_the_text_says)
{
    Arena *arena = arena_new();
    const Json *all = read_text(
        arena, " { \"a\" : [1, -2.5e+3 ,0.5,[],{} , null,true,false] ,\t\"b\":\"x\",\r\n\"b\":\"last\"} ");
    ck_assert_int_eq(all->kind, JSON_OBJECT);
    const Json *item = json_item(all, "a")->child;
    const double numbers[] = {1.0, -2500.0, 0.5};
    for (int i = 0; i < 3; i++, item = item->next) {
        ck_assert_int_eq(item->kind, JSON_NUMBER);
        ck_assert_msg(item->number == numbers[i], "number %d is %g, expected %g", i, item->number,
                      numbers[i]);
    }
    const JsonKind kinds[] = {JSON_ARRAY, JSON_OBJECT, JSON_NULL, JSON_TRUE, JSON_FALSE};
    for (int i = 0; i < 5; i++, item = item->next) {
        ck_assert_int_eq(item->kind, kinds[i]);
        ck_assert_ptr_null(item->child);
    }
    ck_assert_ptr_null(item);
    ck_assert_str_eq(json_item(all, "b")->text, "last");
    ck_assert_ptr_null(json_item(all, "c"));
    ck_assert_ptr_null(json_item(json_item(all, "b"), "a"));
    arena_free(arena);
}
END_TEST

START_TEST(escapes_are_decoded)
{
    Arena *arena = arena_new();
    const Json *text =
        read_text(arena, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u4E00\\ud83d\\ude00 \\u0000 é一\"");
    const char expected[] = "\"\\/\b\f\n\r\t\xc3\xa9\xe4\xb8\x80\xf0\x9f\x98\x80 \0 é一";
    ck_assert_uint_eq(text->size, sizeof expected - 1);
    ck_assert_mem_eq(text->text, expected, sizeof expected);
    arena_free(arena);
}
END_TEST

START_TEST(what_is_no_json_is_refused_with_its_place)
{
    static const char *const cases[][2] = {
        {"", "file.json: no JSON from byte 0"},
        {"[1,]", "no JSON from byte 3"},
        {"{\"a\":1,}", "no JSON from byte 7"},
        {"{\"a\" 1}", "no JSON from byte 5"},
        {"[1 2]", "no JSON from byte 3"},
        {"[1]]", "byte 3: something other than white space"},
        {"[1]\\", "byte 3: something other than white space"},
        {"-", "no JSON from byte 0"},
        {".5", "no JSON from byte 0"},
        {"nan", "no JSON from byte 0"},
        {"tru", "no JSON from byte 0"},
        {"'a'", "no JSON from byte 0"},
        {"\"a", "no JSON"},
        {"\"a\\\"", "no JSON"},
        {"\"\\x\"", "no JSON"},
        {"\"\\u12g4\"", "byte 1: \\u needs four hexadecimal digits"},
        {"\"\\ud800\"", "no JSON"},
        {"\"\\udc00\"", "no JSON"},
        {"\"\\ud800\\u0041\"", "no JSON"},
        {"\"\xff\"", "byte 1: not UTF-8"},
        {"\"\xed\xa0\x80\"", "byte 1: not UTF-8"},
        {"{1:2}", "no JSON from byte 2"},
        {"[1}", "no JSON from byte 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_death(read_alone, (void *)(uintptr_t)cases[i][0], cases[i][1]);
    expect_death(read_alone, (void *)(uintptr_t) "[", "hint: fetch it again");
}
END_TEST

START_TEST(nesting_is_bounded)
{
    char deep[2 * JSON_MOST_NESTED + 3];
    memset(deep, '[', JSON_MOST_NESTED);
    memset(deep + JSON_MOST_NESTED, ']', JSON_MOST_NESTED);
    deep[2 * JSON_MOST_NESTED] = '\0';
    Arena *arena = arena_new();
    read_text(arena, deep);
    arena_free(arena);
    memset(deep, '[', JSON_MOST_NESTED + 1);
    expect_death(read_alone, deep, "nested more than 128 deep");
}
END_TEST

static void read_many(void *text) { read_with(arena_new(), text, (JsonText){.most_values = 4}); }
static void read_c_strings(void *text) { read_with(arena_new(), text, (JsonText){.c_strings = true}); }

START_TEST(a_text_may_be_forbidden_to_hold_more)
{
    Arena *arena = arena_new();
    read_with(arena, "[1,\",,,:[{\\\",\"]",
              (JsonText){.most_values = 4}); // what stands in a string is no value
    arena_free(arena);
    expect_death(read_many, "[1,2,3,4]", "byte 6: more than 4 values");
    expect_death(read_c_strings, "[\"a\\u0000\"]", "byte 3: a NUL inside a string");
}
END_TEST

START_TEST(whole_numbers_are_exact_or_none)
{
    static const struct {
        const char *text;
        bool whole;
        size_t value;
    } cases[] = {{"0", true, 0},
                 {"9007199254740992", true, (size_t)1 << 53},
                 {"9007199254740994", false, 0},
                 {"1e3", true, 1000},
                 {"-1", false, 0},
                 {"0.5", false, 0},
                 {"1e999", false, 0},
                 {"\"1\"", false, 0},
                 {"null", false, 0}};
    Arena *arena = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t got = 0;
        bool whole = json_whole(read_text(arena, cases[i].text), &got);
        ck_assert_msg(whole == cases[i].whole && got == cases[i].value, "%s: %s, %zu", cases[i].text,
                      whole ? "whole" : "not whole", got);
    }
    ck_assert(!json_whole(NULL, NULL));
    arena_free(arena);
}
END_TEST

START_TEST(what_is_written_is_read_again)
{
    char text[256];
    size_t length = 0;
    for (int c = 0; c < 128; c++) text[length++] = (char)c;
    length += (size_t)snprintf(text + length, sizeof text - length, "é一😀");
    char *written = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&written, &size);
    json_write_string(out, text, length);
    fclose(out);
    Arena *arena = arena_new();
    const Json *again = read_with(arena, written, (JsonText){0});
    ck_assert_uint_eq(again->size, length);
    ck_assert_mem_eq(again->text, text, length);
    arena_free(arena);
    free(written);
}
END_TEST

SUITE("json", a_tree_holds_what_the_text_says, escapes_are_decoded, what_is_no_json_is_refused_with_its_place,
      nesting_is_bounded, a_text_may_be_forbidden_to_hold_more, whole_numbers_are_exact_or_none,
      what_is_written_is_read_again)
