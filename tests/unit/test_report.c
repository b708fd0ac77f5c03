// What the grader writes about a student, whose program may say any bytes: every report stays valid.
#include "base/utf8.h"
#include "suite.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../grader/report.c"

const char *status_name(Status status) { return status == PASSED ? "passed" : "wrong answer"; }

static const char *const names[] = {"report.md",        "results.json", "junit.xml",
                                    "classroom50.json", "autolab.txt",  "results.tap"};

// Bytes that are no UTF-8 in every way there is, cut characters, controls, quotes, and code points that are no characters.
static const char *const sayings[] = {
    "\xff\xfe",
    "\xc3",
    "a\xe4\xb8",
    "\xf0\x9f\x98",
    "\xed\xa0\x80 \xed\xbf\xbf",
    "\xc0\x80\xe0\x80\x80",
    "\xf4\x90\x80\x80",
    "\x80\xbf\x80",
    "'\xff'",
    "it's \xe4 '' \\ \"quoted\"",
    "\x01\x02\x1b[31mred\x7f",
    "a\x08\x0c\rb",
    "\xef\xbf\xbe\xef\xbf\xbf",
    "\xc2\x85\xc2\x9b",
    "]]> <b>&amp;</b>",
    "line\n  ...\nnot ok 1",
    "\342\200\256backwards",
    "中文 😀",
    "",
    "\n\t ",
};

static char *read_whole(const char *folder, const char *name, size_t *size)
{
    static char text[1 << 16];
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    *size = fread(text, 1, sizeof text - 1, file);
    text[*size] = '\0';
    fclose(file);
    return text;
}

static void expect_clean(const char *name, const char *text, size_t size, const char *saying)
{
    ck_assert_msg(utf8_invalid(text, size) == size, "%s: no UTF-8 at byte %zu for %s", name,
                  utf8_invalid(text, size), saying);
    const char *at = text;
    for (uint32_t c; (c = utf8_next(&at)) != 0;)
        ck_assert_msg(c == '\n' || c == '\t' ||
                          (c >= ' ' && c != 0x7F && !(c >= 0x80 && c < 0xA0) && (c & 0xFFFE) != 0xFFFE),
                      "%s: the character U+%04X for %s", name, (unsigned)c, saying);
    ck_assert_msg((size_t)(at - text) == size, "%s: a zero byte for %s", name, saying);
}

// Inside TAP's quotes every ' is doubled, and no line begins that the writer has not begun.
static void expect_tap(const char *text, const char *saying)
{
    const char *open = strstr(text, "message: '");
    ck_assert_ptr_nonnull(open);
    open += strlen("message: '");
    for (; *open && (*open != '\'' || open[1] == '\''); open += *open == '\'' ? 2 : 1)
        ck_assert_msg(*open != '\n', "a line ends inside the quotes for %s", saying);
    ck_assert_msg(strncmp(open, "'\n  ...\n", 8) == 0, "%s for %s", open, saying);
}

START_TEST(reports_are_valid_whatever_was_said)
{
    for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++)
        for (int compiled = 0; compiled < 2; compiled++) {
            Grade *grade = calloc(1, sizeof *grade);
            snprintf(grade->student, sizeof grade->student, "%s", sayings[i]);
            snprintf(grade->chapter, sizeof grade->chapter, "01-linear-regression");
            grade->count = 1;
            Result *r = &grade->results[0];
            snprintf(r->task, sizeof r->task, "1.1");
            snprintf(r->test, sizeof r->test, "a_line_is_found");
            snprintf(r->message, sizeof r->message, "%s", sayings[i]);
            snprintf(r->output, sizeof r->output, "%s", sayings[i]);
            snprintf(grade->built.message, sizeof grade->built.message, "%s", sayings[i]);
            r->status = FAILED;
            r->most = 10;
            grade->built.status = compiled ? PASSED : FAILED;
            const char *folder = scratch_path("reports");
            mkdir(folder, 0700);
            ck_assert(write_reports(grade, folder));
            for (size_t f = 0; f < sizeof names / sizeof *names; f++) {
                size_t size;
                char *text = read_whole(folder, names[f], &size);
                expect_clean(names[f], text, size, sayings[i]);
                if (strcmp(names[f], "results.tap") == 0) expect_tap(text, sayings[i]);
            }
            free(grade);
        }
}
END_TEST

START_TEST(what_is_no_character_becomes_the_replacement_character)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    put_json(file, "a\xff中\x1b\xe4\xb8");
    fclose(file);
    ck_assert_str_eq(text, "a\xEF\xBF\xBD中\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    free(text);
}
END_TEST

START_TEST(no_cell_is_a_formula)
{
    static const char *const cells[][2] = {{"=1+1", "\"'=1+1\""},
                                           {"+1", "\"'+1\""},
                                           {"-1", "\"'-1\""},
                                           {"@SUM(A1)", "\"'@SUM(A1)\""},
                                           {" =1", "\"' =1\""},
                                           {"\n=1", "\"' =1\""},
                                           {"\t\r@", "\"' \xEF\xBF\xBD@\""},
                                           {"＝1", "\"'＝1\""},
                                           {"　＋1", "\"'　＋1\""},
                                           {"a=1", "\"a=1\""},
                                           {"", "\"\""},
                                           {"a\"b", "\"a\"\"b\""},
                                           {"|cmd", "\"'|cmd\""},
                                           {"graded", "\"graded\""}};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *file = open_memstream(&text, &size);
        put_cell(file, cells[i][0]);
        fclose(file);
        ck_assert_str_eq(text, cells[i][1]);
        free(text);
    }
}
END_TEST

static void write_into_nothing(void *context)
{
    (void)context;
    static Grade grade;
    if (!write_reports(&grade, "/nonexistent/folder")) exit(2);
}

START_TEST(a_report_that_cannot_be_written_is_said_to_be)
{
    expect_end(2, write_into_nothing, NULL, "/nonexistent/folder/report.md cannot be written: No such file");
}
END_TEST

SUITE("report", reports_are_valid_whatever_was_said, what_is_no_character_becomes_the_replacement_character,
      no_cell_is_a_formula, a_report_that_cannot_be_written_is_said_to_be)
