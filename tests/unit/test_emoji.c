// The tool that makes the table of emoji: three files are joined by code point, what is no single one stays out, and files that
// are damaged are refused.
#include "suite.h"

#define main emoji_main
int emoji_main(int argc, char **argv);
#include "../../datasets/tools/emoji.c"
#undef main

static char sheet[4096], english[4096], chinese[4096];

static void write_files(const char *drawn, const char *first, const char *second)
{
    scratch_file("sheet.json", drawn, strlen(drawn));
    snprintf(sheet, sizeof sheet, "%s", scratch_path("sheet.json"));
    scratch_file("english.json", first, strlen(first));
    snprintf(english, sizeof english, "%s", scratch_path("english.json"));
    scratch_file("chinese.json", second, strlen(second));
    snprintf(chinese, sizeof chinese, "%s", scratch_path("chinese.json"));
}

static void convert(void *context)
{
    (void)context;
    exit(emoji_main(4, (char *[]){"emoji", sheet, english, chinese, NULL}));
}

static void read_code(const char *text, uint32_t code)
{
    Json json = {"text", (const unsigned char *)text, strlen(text), 0};
    ck_assert_uint_eq(take_code(&json), code);
}

START_TEST(a_code_is_one_code_point)
{
    read_code("\"2764-FE0F\"", 0x2764);
    read_code("\"1F600\"", 0x1F600);
    read_code("\"1F1E8-1F1EE\"", 0);
    read_code("\"110000\"", 0);
    read_code("\"cat\"", 0);
}
END_TEST

START_TEST(objects_are_read_whatever_stands_between)
{
    expect_leaks(); // the tool gives nothing back
    write_files(
        " [ {\"unified\":\"1F431\",\"x\":[{\"y\":null},[1.5e3,true]],\"sheet_x\":3,\"sheet_y\":14,"
        "\"has_img_google\":true,\"has_img_twitter\":false}, {} ] ",
        "[]", "[{\"label\":\"a\\u00e9\\\"b\\tc\",\"tags\":[\"d\",\"e\"],\"group\":3,\"hexcode\":\"2764\"}]");
    int count;
    const Entry *e = read_entries(sheet, &count);
    ck_assert_int_eq(count, 2);
    ck_assert(e[0].code == 0x1F431 && e[0].column == 3 && e[0].row == 14 && e[0].drawn[0] && !e[0].drawn[1]);
    ck_assert(e[1].code == 0 && e[1].row == -1);
    e = read_entries(chinese, &count);
    ck_assert(count == 1 && e[0].group == 3);
    ck_assert_str_eq(e[0].label, "a\xC3\xA9 b c");
    ck_assert_str_eq(e[0].tags, "d, e");
}
END_TEST

static void refuses(const char *text)
{
    write_files(text, "[]", "[]");
    expect_end(1, convert, NULL, "sheet.json");
}

START_TEST(damaged_files_are_refused)
{
    expect_leaks();
    refuses("");
    refuses("{}");
    refuses("[{\"unified\":\"1F431\"");
    refuses("[{\"unified\":1}]");
    refuses("[{\"sheet_x\":99999999999}]");
    refuses("[{\"label\":\"\\ud83d\\ude00\"}]");
    refuses("[{\"tags\":[[[\"a\"]]]}]");
    refuses("[{\"a\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}]");
    refuses("[{\"label\":\"open}]");
}
END_TEST

SUITE("emoji", a_code_is_one_code_point, objects_are_read_whatever_stands_between, damaged_files_are_refused)
