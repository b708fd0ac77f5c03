// The tool that writes texts in one form: line ends, trailing blanks, colours and links of two releases make no difference.
#include "suite.h"

#define main text_main
int text_main(int argc, char **argv);
#include "../../datasets/tools/text.c"
#undef main

typedef struct {
    const char *how; // NULL: as a text
    char path[4096];
} Call;

static void print_text(void *context)
{
    Call *call = context;
    if (call->how)
        text_main(3, (char *[]){"text", (char *)(uintptr_t)call->how, call->path, NULL});
    else
        text_main(2, (char *[]){"text", call->path, NULL});
}

static void expect_output(const char *how, const char *input, const char *expected)
{
    Call call = {.how = how};
    snprintf(call.path, sizeof call.path, "%s", scratch_file("input", input, strlen(input)));
    int status;
    const char *got = stdout_of(print_text, &call, &status);
    ck_assert_int_eq(status, 0);
    ck_assert_msg(strcmp(got, expected) == 0, "'%s' gave '%s', expected '%s'", input, got, expected);
}

START_TEST(lines_end_alike)
{
    expect_output(NULL, "one  \ntwo\t \n\n three\n", "one\ntwo\n\n three\n");
    expect_output(NULL, "one\r\ntwo\r\n\r\n three\r\n\r\n", "one\ntwo\n\n three\n");
    expect_output(NULL, "\xEF\xBB\xBFone\ntwo\n\n three", "one\ntwo\n\n three\n");
    expect_output(NULL, "", "");
    expect_output(NULL, " \n\n", "");
    expect_output(NULL, "\xEF\xBB", "\xEF\xBB\n");
}
END_TEST

START_TEST(sayings_of_two_releases_are_the_same)
{
    const char *expected = "one\n  -- who\n%\ntwo\n%\n";
    expect_output("fortunes", "one  \n  \x1b[32m-- who\x1b[m\n%    \ntwo\n%\n", expected);
    expect_output("fortunes", "one\n  -- who\n%\n\ntwo\n", expected);
    expect_output("fortunes", "%\n%\none\r\n  -- \x1b[1;31mwho\x1b[0m\r\n%Fred\r\ntwo", expected);
    expect_output("fortunes", "one \x1b[3\ntwo 100%\n%\n", "one\ntwo 100%\n%\n");
    expect_output("fortunes", "%\n", "");
}
END_TEST

START_TEST(notices_with_links_go)
{
    const char *with = "one\n%\nreport\nhttps://www.debian.org/Bugs\n[1] mailto:somebody\n%\ntwo\n%\n";
    expect_output("fortunes-without-links", with, "one\n%\ntwo\n%\n");
    expect_output("fortunes-without-links", "one\n%\ntwo\n%\n", "one\n%\ntwo\n%\n");
    expect_output("fortunes", with, with);
}
END_TEST

static void write_gzip(Call *call, const char *text, size_t size, int zeros)
{
    static char nothing[1 << 20];
    snprintf(call->path, sizeof call->path, "%s", scratch_path("packed.gz"));
    gzFile file = gzopen(call->path, "wb1");
    ck_assert(file && gzwrite(file, text, (unsigned)size) == (int)size);
    for (int i = 0; i < zeros; i++) ck_assert_int_eq(gzwrite(file, nothing, sizeof nothing), (int)sizeof nothing);
    ck_assert_int_eq(gzclose(file), Z_OK);
}

START_TEST(a_packed_text_is_read_and_a_bomb_is_not)
{
    Call call = {.how = NULL};
    int status;
    write_gzip(&call, "one \n", 5, 0);
    ck_assert_str_eq(stdout_of(print_text, &call, &status), "one\n");
    write_gzip(&call, "one \n", 5, 70);
    expect_death(print_text, &call, "has more than 67108864 bytes when unpacked");
    snprintf(call.path, sizeof call.path, "%s", scratch_file("half.gz", "\x1f\x8b\x08\0\0\0\0\0\0\3\x4b", 11));
    expect_death(print_text, &call, "half.gz is damaged");
    snprintf(call.path, sizeof call.path, "%s", scratch_path("nowhere"));
    expect_death(print_text, &call, "nowhere cannot be read");
}
END_TEST

int main(void)
{
    expect_leaks(); // the tool ends before its memory matters
    const TTest *const tests[] = {lines_end_alike, sayings_of_two_releases_are_the_same, notices_with_links_go,
                                  a_packed_text_is_read_and_a_bomb_is_not};
    return run_suite("tidy text", tests, (int)(sizeof tests / sizeof *tests), 60);
}
