// The reader of JSON: what RFC 8259 allows, byte by byte what it forbids, and strings that come back as they were written.
#include "base/json.h"
#include "suite.h"

#include <stdlib.h>

static const Json *read_text(Arena *arena, const char *text)
{
    JsonReader reader = {.place = HERE, .path = "file.json", .remedy = "fetch it again"};
    reader.size = strlen(text);
    reader.text = (unsigned char *)arena_string(arena, text);
    return json_read(&reader, arena);
}

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
        {"", "file.json: byte 0: it ends where a value is expected"},
        {"[1,]", "byte 3: a value is expected"},
        {"{\"a\":1,}", "byte 7: '}' where '\"' is expected"},
        {"{\"a\" 1}", "byte 5: '1' where ':' is expected"},
        {"[1 2]", "byte 3: '2' where ']' is expected"},
        {"[1]]", "byte 3: something other than white space"},
        {"01", "byte 0: a value is expected"},
        {"-", "byte 0: a value is expected"},
        {"1.", "byte 0: a value is expected"},
        {"1e", "byte 0: a value is expected"},
        {".5", "byte 0: a value is expected"},
        {"nan", "byte 0: a value is expected"},
        {"tru", "byte 0: a value is expected"},
        {"'a'", "byte 0: a value is expected"},
        {"\"a", "byte 1: a string without end"},
        {"\"a\\\"", "byte 1: a string without end"},
        {"\"\\x\"", "an unknown escape"},
        {"\"\\u12g4\"", "four hexadecimal digits"},
        {"\"\\ud800\"", "half a surrogate pair"},
        {"\"\\udc00\"", "half a surrogate pair"},
        {"\"\\ud800\\u0041\"", "half a surrogate pair"},
        {"\"\n\"", "a control character inside a string"},
        {"\"\xff\"", "byte 1: not UTF-8"},
        {"\"\xed\xa0\x80\"", "byte 1: not UTF-8"},
        {"{1:2}", "byte 1: '1' where '\"' is expected"},
        {"[1}", "byte 2: '}' where ']' is expected"},
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

static void read_whole(void *text)
{
    JsonReader reader = {.place = HERE, .path = "n.json", .text = text, .size = strlen(text)};
    json_whole(&reader);
}

START_TEST(whole_numbers_are_read_to_the_last_one)
{
    static const char *const wrong[][2] = {{"18446744073709551616", "beyond 64 bits"},
                                           {"-1", "not negative"},
                                           {"1.0", "a whole number is expected"},
                                           {"007", "leading 0"}};
    JsonReader reader = {.text = (unsigned char *)(uintptr_t) "18446744073709551615", .size = 20};
    ck_assert_uint_eq(json_whole(&reader), UINT64_MAX);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_death(read_whole, (void *)(uintptr_t)wrong[i][0], wrong[i][1]);
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
    JsonReader reader = {.text = (unsigned char *)written, .size = size};
    size_t got;
    const char *again = json_string(&reader, &got);
    ck_assert_uint_eq(got, length);
    ck_assert_mem_eq(again, text, length);
    free(written);
}
END_TEST

SUITE("json", a_tree_holds_what_the_text_says, escapes_are_decoded, what_is_no_json_is_refused_with_its_place,
      nesting_is_bounded, whole_numbers_are_read_to_the_last_one, what_is_written_is_read_again)
