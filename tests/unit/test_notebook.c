// The weaver's core: nasty sources and outputs, and a property: the page gives the source back.
#include "suite.h"

#include "base/rng.h"
#include "tools/notebook.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#define TITLE "/*\n# T\n*/\n"
#define HEAD                                                                                                 \
    "<!-- Generated from name.c and its output: do not edit. Edit name.c, then run `make weave`. -->\n\n"    \
    "# T\n\n[name.c](name.c) · run it with `make chapter7`\n\n"
#define FOOT "---\n\n[contents](../../README.md)\n"

static const Page page = {
    .folder = "07-name",
    .file = "name.c",
    .chapters = {
        [2] = "02-two", [6] = "06-six", [7] = "07-name", [12] = "12-dozen", [NOTEBOOK_NUMBERS] = "A-one"}};

typedef struct {
    const char *source, *output;
} Pair;

static Document text_of(Arena *arena, const char *path, const char *bytes)
{
    return notebook_text(arena, path, bytes, strlen(bytes));
}

static Notebook *notebook_of(Arena *arena, const char *source, const char *output)
{
    return notebook_weave(arena, text_of(arena, "name.c", source), text_of(arena, "out.txt", output));
}

static char *arena_span(Arena *arena, Span span)
{
    char *text = arena_zeros(arena, span.length + 1, 1);
    memcpy(text, span.at, span.length);
    return text;
}

static char *markdown_of(const char *source, const char *output)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    Arena *arena = arena_new();
    notebook_markdown(notebook_of(arena, source, output), &page, out);
    fclose(out);
    arena_free(arena);
    return bytes;
}

static void expect_page(const char *source, const char *output, const char *expected)
{
    char *got = markdown_of(source, output);
    ck_assert_str_eq(got, expected);
    free(got);
}

static void weave_pair(void *context)
{
    const Pair *pair = context;
    free(markdown_of(pair->source, pair->output));
}

#define expect_refusal(source_, output_, text) expect_death(weave_pair, (&(Pair){source_, output_}), text)

// The source is a title and then one code cell, exactly this.
static void expect_one_code_cell(const char *code)
{
    Arena *arena = arena_new();
    char *source = NULL;
    ck_assert_int_gt(asprintf(&source, TITLE "%s", code), 0);
    const Cell *cell = notebook_cells(arena, text_of(arena, "name.c", source))->cells->next;
    ck_assert_msg(cell && !cell->next && cell->kind == CELL_CODE, "not one code cell: %s", code);
    ck_assert_uint_eq(cell->text.length, strlen(code));
    ck_assert(memcmp(cell->text.at, code, cell->text.length) == 0);
    free(source);
    arena_free(arena);
}

START_TEST(a_chapter_becomes_a_page)
{
    expect_page(
        "/*\n# T\n\nProse with $x_1^2 < 3$ and **loss** (损失).\n*/\n"
        "#include <a.h>\n\n\n"
        "/*\n\n## Two\n\n*/\n\n"
        "// n × d\nstatic void f(Lesson *lesson)\n{\n    section(lesson, \"The data\");\n}\n"
        "/*\nMore.\n*/\n"
        "int main(void)\n{\n    lesson_begin(0);\n    f();\n}\n",
        "T\n\n── The data ──────────\n\n  442 people\nfigure: a_b-1.png — Loss by step.\n✓ ok\n\n1 of 1 "
        "claims hold\n",
        "<!-- Generated from name.c and its output: do not edit. Edit name.c, then run `make weave`. -->\n\n"
        "# T\n\n[name.c](name.c) · run it with `make chapter7`\n\n"
        "Prose with $x_1^2 < 3$ and **loss** (损失).\n\n"
        "```c\n#include <a.h>\n```\n\n"
        "## Two\n\n"
        "```c\n// n × d\nstatic void f(Lesson *lesson)\n{\n    section(lesson, \"The data\");\n}\n```\n\n"
        "```text\n  442 people\n```\n\n"
        "![Figure 7.1. Loss by step.](../../figures/07-name/a_b-1.png)\n\n**Figure 7.1.** *Loss by step.*\n\n"
        "```text\n✓ ok\n\n1 of 1 claims hold\n```\n\n"
        "More.\n\n"
        "```c\nint main(void)\n{\n    lesson_begin(0);\n    f();\n}\n```\n\n"
        "```text\nT\n```\n\n" FOOT);
}
END_TEST

START_TEST(what_a_chapter_with_options_prints_first_stands_under_its_beginning)
{
    expect_page(TITLE "int main(void)\n{\n    lesson_begin_with(0);\n    f();\n}\n", "T\n",
                HEAD "```c\nint main(void)\n{\n    lesson_begin_with(0);\n    f();\n}\n```\n\n"
                     "```text\nT\n```\n\n" FOOT);
}
END_TEST

START_TEST(the_foot_of_a_page_leads_to_the_neighbours)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    Arena *arena = arena_new();
    Page middle = {.folder = "10-cnn",
                   .file = "cnn.c",
                   .exercise = true,
                   .previous = "09-resnet",
                   .next = "11-x",
                   .previous_title = "Deep is hard",
                   .next_title = "卷积"};
    notebook_markdown(notebook_of(arena, TITLE, ""), &middle, out);
    fclose(out);
    ck_assert_str_eq(
        bytes,
        "<!-- Generated from cnn.c and its output: do not edit. Edit cnn.c, then run `make weave`. -->\n\n"
        "# T\n\n[cnn.c](cnn.c) · run it with `make chapter10` · [exercise.c](exercise.c)\n\n"
        "---\n\n← [Deep is hard](../09-resnet/README.md) · [contents](../../README.md)"
        " · [卷积](../11-x/README.md) →\n");
    free(bytes);
    arena_free(arena);
}
END_TEST

static const char *const one_code_cell[] = {
    "char *s = \"/*\";\nchar *t = \"*/\";",
    "char *s = \"\\\n/*\\\nno cell\\\n*/\";", // a string over several lines
    "char *s = \"\\\"\\\n/*\\\n*/\\\\\";",    // with an escaped quote and an escaped backslash
    "char c = '\"'; /* \" */ char d = '\\'', e = '\\\\';",
    "int a; /*\n/*\nin a comment\n*/ int b;", // the marker stands alone, but a comment is open
    "int a; /* x\n*/\nint b;",
    "int a; /*\nx\n*/",
    "/\\\n*\nx\n*/",
    "/* x\n*/",
    "/*\nx */",
    "/*\n * in the usual style\n */",
    "/*\nx\n*/ int a;",
    "    /*\n    indented\n    */",
    "/**\nx\n*/",
    "/*\nx\n**/",
    "/*/\nx\n*/",
    "// a line comment \\\n/*\n1 + 2\n*/", // the comment goes on to the next line
    "// blanks behind the backslash \\ \t\n/*\n1 + 2\n*/",
    "/\\\n* a marker cut in two *\\\n/",
    "#define A \\\n/*\nx\n*/\n1", // the directive's line goes on into the comment
    "/*\nx\n*\\\n/ int a;",
    "int a = 6 / *p; // don't \"\nint b = 1'0' + u8\"/*\"[0];",
    "int 变量 = 1; // 注释 /*",
    "a = b //*\n/*\n*//c\n;",
    "int a;   \n\n\t\n    int b;\t",
    "int a;\n// Draws\nstatic void draw_a(int a)\n{\n\n    ;\n}\nstatic void print_b(void) { ; } // b",
    "char *s = \"\\\nstatic void draw_a(void)\\\n{\\\n\\\n}\";",
    "static void show_it(int a)\n{\n}\n\n    static int b;\n/*\n*/ static void plot_it(void)\n{\n}",
};

START_TEST(comment_markers_elsewhere_open_no_text_cell)
{
    for (size_t i = 0; i < sizeof one_code_cell / sizeof *one_code_cell; i++)
        expect_one_code_cell(one_code_cell[i]);
}
END_TEST

START_TEST(a_text_cell_may_contain_anything_but_its_end)
{
    expect_page(
        TITLE "/*\n/* \"it's\" // $\\frac{a}{b}$ \\\\\n/*\n```c\nint *p; /* x\n```\n   \\\n*/\nint a;\n", "",
        HEAD "/* \"it's\" // $\\frac{a}{b}$ \\\\\n/*\n```c\nint *p; /* x\n```\n   \\\n\n```c\nint "
             "a;\n```\n\n" FOOT);
}
END_TEST

START_TEST(blanks_may_follow_the_markers)
{
    expect_page("/* \t\n# T\n*/  \nint a;\n/*\t\nx\n*/\t", "", HEAD "```c\nint a;\n```\n\nx\n\n" FOOT);
}
END_TEST

START_TEST(empty_cells_vanish)
{
    expect_page("\n\n" TITLE "\n \t\n/*\n*/\n/*\n\n \n*/\nint a;\n/*\n*/\nint b;\n/*\nx\n*/\n\n", "",
                HEAD "```c\nint a;\n```\n\n```c\nint b;\n```\n\nx\n\n" FOOT);
}
END_TEST

START_TEST(line_ends_and_byte_order_marks_make_no_difference)
{
    const char *expected = HEAD "```c\nint a;\nsection(l, \"S\");\n```\n\n```text\nx\ny\n```\n\n" FOOT;
    expect_page("/*\n# T\n*/\nint a;\nsection(l, \"S\");\n", "── S ──\nx\ny\n", expected);
    expect_page("/*\n# T\n*/\nint a;\nsection(l, \"S\");", "── S ──\nx\ny", expected);
    expect_page("/*\r\n# T\r\n*/\r\nint a;\r\nsection(l, \"S\");\r\n", "── S ──\r\nx\r\ny\r\n", expected);
    expect_page("\xEF\xBB\xBF/*\n# T\n*/\nint a;\nsection(l, \"S\");\n", "\xEF\xBB\xBF── S ──\nx\ny\n",
                expected);
}
END_TEST

START_TEST(a_fence_is_longer_than_any_run_of_backticks_inside)
{
    expect_page(
        TITLE "// ``` and ````` x\nsection(l, \"S\");\n", "── S ──\n```\n````c\n",
        HEAD
        "``````c\n// ``` and ````` x\nsection(l, \"S\");\n``````\n\n`````text\n```\n````c\n`````\n\n" FOOT);
}
END_TEST

START_TEST(only_a_call_with_a_literal_title_names_a_section)
{
    expect_page(
        TITLE
        "// section(l, \"a\")\n/* section(l, \"b\") */\nchar *s = \"section(l, \\\"c\\\")\";\n"
        "void section(Lesson *l, const char *title);\nint intersection(l, \"d\"), section_(l, \"e\");\n"
        "section(l); section(\"f\"); section(l, f(\"g\")); section(l, \"h\", 1); section (l, 'i'); section;\n"
        "section(l, ); section(a, b, \"j\"); 1section(l, \"k\"); section(l, \"l\" + 1);\n数section(l, "
        "\"m\"); section(l)(, \"n\");\n",
        "",
        HEAD
        "```c\n// section(l, \"a\")\n/* section(l, \"b\") */\nchar *s = \"section(l, \\\"c\\\")\";\n"
        "void section(Lesson *l, const char *title);\nint intersection(l, \"d\"), section_(l, \"e\");\n"
        "section(l); section(\"f\"); section(l, f(\"g\")); section(l, \"h\", 1); section (l, 'i'); section;\n"
        "section(l, ); section(a, b, \"j\"); 1section(l, \"k\"); section(l, \"l\" + 1);\n数section(l, "
        "\"m\"); section(l)(, \"n\");\n```\n\n" FOOT);
}
END_TEST

START_TEST(a_title_may_be_cut_escaped_and_surrounded_by_comments)
{
    const char *code =
        "section /* , */ ( // (\n f(a, (b)), \"A \" /* \"x\" */ \"\\\"q\\\" \\\\ 数\\\n据\" );";
    char source[200], expected[2000];
    snprintf(source, sizeof source, TITLE "%s\n", code);
    snprintf(expected, sizeof expected, HEAD "```c\n%s\n```\n\n```text\nout\n```\n\n" FOOT, code);
    expect_page(source, "── A \"q\" \\ 数据 ──────\nout\n", expected);
    expect_refusal(TITLE "section(l, \"a\\n\");\n", "", "name.c:4: the escape \\n in the title of a section");
}
END_TEST

START_TEST(a_title_may_be_too_long_for_its_rule_or_end_in_one)
{
    char title[301], source[400], output[400], expected[2000];
    memset(title, 't', 300);
    title[300] = '\0';
    snprintf(source, sizeof source, TITLE "section(l, \"%s\");", title);
    snprintf(output, sizeof output, "── %s\nout\n", title);
    snprintf(expected, sizeof expected, HEAD "```c\nsection(l, \"%s\");\n```\n\n```text\nout\n```\n\n" FOOT,
             title);
    expect_page(source, output, expected);
    expect_page(TITLE "section(l, \"a ─ b\");", "── a ─ b ──\nout\n",
                HEAD "```c\nsection(l, \"a ─ b\");\n```\n\n```text\nout\n```\n\n" FOOT);
}
END_TEST

START_TEST(sections_of_one_cell_follow_in_its_order_with_their_title_lines)
{
    expect_page(TITLE "section(l, \"A\");\nsection(l, \"B\");\n/*\nx\n*/\nsection(l, \"C\");\n",
                "── B ──\nb\n── C ──\nc\n── A ──\n\n",
                HEAD "```c\nsection(l, \"A\");\nsection(l, \"B\");\n```\n\n```text\n── A "
                     "──\n```\n\n```text\n── B ──\nb\n```\n\n"
                     "x\n\n```c\nsection(l, \"C\");\n```\n\n```text\nc\n```\n\n" FOOT);
}
END_TEST

START_TEST(rules_inside_the_output_begin_no_section)
{
    expect_page(
        TITLE "section(l, \"A\");\n", "── A ──\n────────\n──\n ── A ──\n─── A ──\nx ── y\n",
        HEAD
        "```c\nsection(l, \"A\");\n```\n\n```text\n────────\n──\n ── A ──\n─── A ──\nx ── y\n```\n\n" FOOT);
}
END_TEST

START_TEST(sections_must_match_one_to_one)
{
    const char *two = TITLE "section(l, \"A\");\nsection(l, \"B\");\n";
    expect_refusal(two, "── A ──\n── B ──\n── C ──\n",
                   "out.txt:3: section \"C\" is printed here, but no section(lesson, \"C\") is in name.c");
    expect_refusal(two, "── A ──\n", "name.c:5: section \"B\" is never printed in out.txt");
    expect_refusal(two, "", "name.c:4: section \"A\" is never printed in out.txt");
    expect_refusal(two, "── A ──\n── B ──\n── A ──\n", "out.txt:3: section \"A\" of name.c is printed twice");
    expect_refusal(TITLE "section(l, \"A\");\nsection(l, \"A\");\n", "── A ──\n",
                   "name.c:5: section \"A\" is named twice");
    expect_refusal(TITLE "section(l, \"A\");\n", "before\n── A ──\n",
                   "out.txt:1: something is printed before the first section");
    expect_refusal(TITLE "section(l, \"a\");\n", "── A ──\n", "no section(lesson, \"A\") is in name.c");
}
END_TEST

START_TEST(what_is_never_closed_is_refused)
{
    expect_refusal(TITLE "int a;\n/* x\n", "", "name.c:5: this comment is never closed");
    expect_refusal("/*\n# T\n", "", "name.c:1: this comment is never closed");
    expect_refusal(TITLE "char *s = \"x;\nint a;\n", "", "name.c:4: this string is never closed");
    expect_refusal(TITLE "char *s = \"x\\", "", "name.c:4: this string is never closed");
    expect_refusal(TITLE "char *s = \"x;\nchar *t = \";\n", "", "name.c:4: this string is never closed");
    expect_refusal(TITLE "\nchar c = ';\n", "", "name.c:5: this character constant is never closed");
    expect_refusal(TITLE "section(l, \"A", "", "name.c:4: this string is never closed");
    expect_refusal(TITLE "/*\nx\n\n```c\nint a;\n`````` x\n*/\n", "",
                   "name.c:7: this fenced block is never closed");
    expect_refusal(TITLE "/*\n~~~\n```\n*/\n", "", "name.c:5: this fenced block is never closed");
    expect_page(TITLE "/*\n````c\n```\n~~~\n`````  \n``` `x` ```\n*/\n", "",
                HEAD "````c\n```\n~~~\n`````  \n``` `x` ```\n\n" FOOT);
}
END_TEST

START_TEST(a_chapter_begins_with_its_title)
{
    expect_refusal("", "", "name.c:1: the chapter does not begin with a title");
    expect_refusal("int a;\n" TITLE, "", "name.c:1: the chapter does not begin with a title");
    expect_refusal("/*\n\n## T\n*/\n", "", "name.c:3: the chapter does not begin with a title");
    expect_refusal("/*\n#  \t\n*/\n", "", "name.c:2: the chapter's title is empty");
}
END_TEST

START_TEST(figures_take_odd_captions)
{
    expect_page(
        TITLE "section(l, \"A\");",
        "── A ──\nfigure: a.png — $x_1$ *b* [c](d) <e> `f` & g — h \\ 损失 ~|\n"
        "figure: B-2_c.svg —   \nfigure: c.d.png\nx\nx figure: no.png — no\nfigures: no\n",
        HEAD "```c\nsection(l, \"A\");\n```\n\n"
             "![Figure 7.1. \\$x\\_1\\$ \\*b\\* \\[c\\](d) \\<e\\> \\`f\\` \\& g — h \\\\ 损失 "
             "\\~\\|](../../figures/07-name/a.png)\n\n"
             "**Figure 7.1.** *\\$x\\_1\\$ \\*b\\* \\[c\\](d) \\<e\\> \\`f\\` \\& g — h \\\\ 损失 \\~\\|*\n\n"
             "![Figure 7.2. B-2\\_c.svg](../../figures/07-name/B-2_c.svg)\n\n**Figure 7.2.**\n\n"
             "![Figure 7.3. c.d.png](../../figures/07-name/c.d.png)\n\n**Figure 7.3.**\n\n"
             "```text\nx\nx figure: no.png — no\nfigures: no\n```\n\n" FOOT);
}
END_TEST

// Number 1 is printed second, and stands first on the page.
START_TEST(figures_are_numbered_as_they_stand_on_the_page)
{
    expect_page(TITLE "section(l, \"A\");\n/*\nx\n*/\nsection(l, \"B\");\n",
                "── B ──\nfigure: b.png — Bee.\n── A ──\nfigure: a.png — Ay.\ny\nfigure: a.png — Again.\n",
                HEAD "```c\nsection(l, \"A\");\n```\n\n"
                     "![Figure 7.1. Ay.](../../figures/07-name/a.png)\n\n**Figure 7.1.** *Ay.*\n\n"
                     "```text\ny\n```\n\n"
                     "![Figure 7.2. Again.](../../figures/07-name/a.png)\n\n**Figure 7.2.** *Again.*\n\n"
                     "x\n\n```c\nsection(l, \"B\");\n```\n\n"
                     "![Figure 7.3. Bee.](../../figures/07-name/b.png)\n\n**Figure 7.3.** *Bee.*\n\n" FOOT);
}
END_TEST

START_TEST(a_chapter_of_the_appendix_has_a_letter)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    Arena *arena = arena_new();
    const Page last = {.folder = "B-two", .file = "two.c"};
    notebook_markdown(
        notebook_of(arena, TITLE "static void draw_it(void)\n{\n    section(l, \"A\"), plot(\"a.png\");\n}\n",
                    "── A ──\nfigure: a.png — It."),
        &last, out);
    fclose(out);
    ck_assert(strstr(bytes, "run it with `make chapterB`\n"));
    ck_assert(strstr(bytes, "How Figure B.1 is drawn"));
    ck_assert(strstr(bytes, "![Figure B.1. It.](../../figures/B-two/a.png)\n\n**Figure B.1.** *It.*\n"));
    ck_assert_int_eq(notebook_chapter_of("B-two"), NOTEBOOK_NUMBERS + 1);
    ck_assert_int_eq(notebook_chapter_of("100-far"), -1);
    free(bytes);
    arena_free(arena);
}
END_TEST

static const char *const linked[][2] = {
    {"See chapter 6.", "See [chapter 6](../06-six/README.md)."},
    {"Chapter 12's sum", "[Chapter 12](../12-dozen/README.md)'s sum"},
    {"(chapter\n02)", "([chapter\n02](../02-two/README.md))"},
    {"in chapters 2 and 6: x", "in [chapters 2](../02-two/README.md) and [6](../06-six/README.md): x"},
    {"chapters 3, 2, 7,\n12, and 6",
     "chapters 3, [2](../02-two/README.md), 7,\n[12](../12-dozen/README.md), and [6](../06-six/README.md)"},
    {"chapters 2–6 or 12 to 6", "[chapters 2](../02-two/README.md)–[6](../06-six/README.md) or "
                                "[12](../12-dozen/README.md) to [6](../06-six/README.md)"},
    {"chapter 6, 12 and 2", "[chapter 6](../06-six/README.md), 12 and 2"},
    {"chapters 2 and 60 people", "[chapters 2](../02-two/README.md) and 60 people"},
    {"chapters 2 6", "[chapters 2](../02-two/README.md) 6"},
    {"chapters 2, then 6", "[chapters 2](../02-two/README.md), then 6"},
    {"**chapter 6** | chapter 6|",
     "**[chapter 6](../06-six/README.md)** | [chapter 6](../06-six/README.md)|"},
    {"$5 and chapter 6", "$5 and [chapter 6](../06-six/README.md)"},
    {"$x$ chapter 6 $y$", "$x$ [chapter 6](../06-six/README.md) $y$"},
    {"`x` chapter 6 ``y``", "`x` [chapter 6](../06-six/README.md) ``y``"},
    {"a [b] chapter 6 [c](d)", "a [b] [chapter 6](../06-six/README.md) [c](d)"},
    {"[chapter 6]", "[[chapter 6](../06-six/README.md)]"},
    {"[a\n\nchapter 6](x)", "[a\n\n[chapter 6](../06-six/README.md)](x)"},
    {"1 < 2 chapter 6 > 1", "1 < 2 [chapter 6](../06-six/README.md) > 1"},
    {"#chapter 6\n####### chapter 6",
     "#[chapter 6](../06-six/README.md)\n####### [chapter 6](../06-six/README.md)"},
    {"appendix A; (Appendix\nA)", "[appendix A](../A-one/README.md); ([Appendix\nA](../A-one/README.md))"},
    {"```\nx\n```\nchapter 6\n", "```\nx\n```\n[chapter 6](../06-six/README.md)"},
};

// Chapters 3 and 7 (this one) have no page to lead to.
static const char *const unlinked[] = {
    "chapter 3, chapter 7, chapter 07, chapters 3 and 7, chapter 100, chapter 4294967298",
    "chapter 6.5, chapter 6:1, chapter 6th, chapter 6_, chapter 2,000, chapter six, chapter, chapters",
    "chapter6, subchapter 6, sub-chapter 6, CHAPTER 6, chapterss 6, chapter\n\n6, a/chapter 6",
    "`chapter 6` ``a ` chapter 6`` $chapter 6$ $$\nchapter 6\n$$ $\\$ chapter 6$",
    "[chapter 6](x) [see [chapter 6] and\nchapter 2](x \"chapter 6\") [chapter 6][x] ![chapter 6](x)",
    "[a \\] chapter 6](x) [a](chapter 6 \\) chapter 6)",
    "<a title=\"chapter 6\"> <!-- chapter 6 --> </x chapter 6>",
    "# chapter 6\n\n   ###### chapter 6\n#\tchapter 6",
    "```\nchapter 6\n```\n~~~\nchapter 6\n~~~",
    "\\chapter 6",
    "appendix B, appendix a, appendix Ab, appendix A_, appendices A, appendixA, anappendix A, chapter A",
};

static void expect_prose(const char *prose, const char *expected)
{
    char *source = NULL, *markdown = NULL;
    ck_assert_int_gt(asprintf(&source, TITLE "// chapter 6\n/*\n%s\n*/\n", prose), 0);
    ck_assert_int_gt(asprintf(&markdown, HEAD "```c\n// chapter 6\n```\n\n%s\n\n" FOOT, expected), 0);
    expect_page(source, "", markdown);
    free(source), free(markdown);
}

START_TEST(mentions_of_other_chapters_become_links)
{
    for (size_t i = 0; i < sizeof linked / sizeof *linked; i++) expect_prose(linked[i][0], linked[i][1]);
    for (size_t i = 0; i < sizeof unlinked / sizeof *unlinked; i++) expect_prose(unlinked[i], unlinked[i]);
    expect_page("/*\n# T chapter 6\n\nchapter 6\n*/\n", "",
                "<!-- Generated from name.c and its output: do not edit. Edit name.c, then run `make weave`. "
                "-->\n\n# T chapter 6\n\n[name.c](name.c) · run it with `make chapter7`\n\n"
                "[chapter 6](../06-six/README.md)\n\n" FOOT);
    Arena *arena = arena_new();
    const Mention *mention =
        notebook_of(arena, TITLE "/*\nchapters 100, 99\nand 0 and chapter 99\n*/\n", "")->mentions;
    ck_assert(mention && !mention->next && mention->chapter == 99);
    ck_assert_str_eq(arena_span(arena, mention->words), "chapter 99");
    arena_free(arena);
}
END_TEST

#define SHOWN(code)           "```c\n" code "\n```\n\n"
#define FOLDED(summary, code) "<details><summary>" summary "</summary>\n\n" SHOWN(code) "</details>\n\n"
#define BY_NAME(name)         "The code of <code>" name "</code>"
#define BOWL                                                                                                 \
    "// A bowl\n// on a table\nstatic void draw_the_bowl(Lesson *l,\n        int a)\n{\n    if (a) {\n    "  \
    "}\n\n"                                                                                                  \
    "    section(l, \"A\");\n}"
#define ROW   "static void print_row(void) { puts(\"\"); }"
#define WHAT  "static void show_what_it_is(int a)\n{\n}"
#define CURVE "static void plot_x_1(int Rngs, int disclaim)\n{\n}"

START_TEST(functions_that_draw_and_print_are_folded_alone)
{
    static const char folded[] = SHOWN("int a;") FOLDED(BY_NAME("draw_the_bowl"), BOWL)
        FOLDED(BY_NAME("print_row"), ROW) SHOWN("int b;\n\n// c") FOLDED(BY_NAME("show_what_it_is"), WHAT)
            FOLDED(BY_NAME("plot_x_1"), CURVE);
    char expected[2000];
    snprintf(expected, sizeof expected,
             HEAD "%s```text\nx\n```\n\n"
                  "![Figure 7.1. a.png](../../figures/07-name/a.png)\n\n**Figure 7.1.**\n\n" FOOT,
             folded);
    expect_page(TITLE "int a;\n\n" BOWL "\n\n" ROW "\nint b;\n\n// c\n\n\n" WHAT "\n" CURVE "\n",
                "── A ──\nx\nfigure: a.png\n", expected);
    expect_page(
        TITLE "static void draw_a(void)\n{\n    // ```\n}", "",
        HEAD "<details><summary>" BY_NAME(
            "draw_a") "</summary>\n\n"
                      "````c\nstatic void draw_a(void)\n{\n    // ```\n}\n````\n\n</details>\n\n" FOOT);
}
END_TEST

// The page of a function that draws, and of a section with the figures a.png to d.png.
static void expect_summary(const char *function, const char *summary)
{
    char *source = NULL, *markdown = NULL;
    ck_assert_int_gt(asprintf(&source, TITLE "%s\nsection(l, \"A\");\n", function), 0);
    ck_assert_int_gt(asprintf(&markdown, "<details><summary>%s</summary>\n\n```c\n%s\n```\n\n</details>\n\n",
                              summary, function),
                     0);
    char *got = markdown_of(source, "── A ──\nfigure: a.png\nfigure: b.png\nfigure: c.png\n");
    ck_assert_msg(strstr(got, markdown) != NULL, "expected\n%s\non the page\n%s", markdown, got);
    free(source), free(markdown), free(got);
}

START_TEST(a_fold_says_which_figures_are_drawn_there)
{
    expect_summary("static void draw_b(void)\n{\n    plot(\"b.png\");\n}", "How Figure 7.2 is drawn");
    expect_summary("static void draw_all(void)\n{\n    plot(\"c.png\"), plot(\"a.png\");\n}",
                   "How Figures 7.1 and 7.3 are drawn");
    expect_summary("static void draw_all(void)\n{\n    plot(\"a.png\", \"b.png\", \"c.png\");\n}",
                   "How Figures 7.1, 7.2 and 7.3 are drawn");
    expect_summary("static void draw_d(void)\n{\n    plot(\"aa.png\", \"b.pngs\", c.png);\n}",
                   BY_NAME("draw_d"));
}
END_TEST

static const char *const shown[] = {
    "static int draw_a(void)\n{\n}",
    "void draw_a(void)\n{\n}",
    " static void draw_a(void)\n{\n}",
    "static void redraw_a(void)\n{\n}",
    "static void draws(void)\n{\n}",
    "static void draw_a (void)\n{\n}",
    "static void draw_",
    "static void draw_a(void);\n{\n}",
    "static void draw_a(int a,\n                   int b);\n{\n}",
    "static void draw_a(void)\n{\n    ;",
    "static void draw_a(void)\n{\n  }\n } \n}  ",
    "static void draw_a(void)\n{\nstatic void f(void)\n{\n}",
    "static void draw_a(Rng *rng)\n{\n}",
    "static void print_a(void)\n{\n    Rng rng;\n}",
    "static void show_a(void)\n{\n    claim(1);\n}",
    "// static void draw_a(void)\n{\n}",
    "static void plot(void) { puts(\"\"); }",
};

START_TEST(other_functions_are_shown)
{
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        char *source = NULL, *markdown = NULL;
        ck_assert_int_gt(asprintf(&source, TITLE "%s\n", shown[i]), 0);
        ck_assert_int_gt(asprintf(&markdown, HEAD "```c\n%s\n```\n\n" FOOT, shown[i]), 0);
        expect_page(source, "", markdown);
        free(source), free(markdown);
    }
}
END_TEST

START_TEST(figures_with_names_that_lead_elsewhere_are_refused)
{
    static const char *const bad[] = {"",          " — x",      "../a.png — x", "/a.png", ".png",
                                      ".a.png",    "a.jpg — x", "a b.png",      "a).png", "图.png",
                                      "a.png - x", "a.png—x",   "a.PNG"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char output[100];
        snprintf(output, sizeof output, "── A ──\n\nfigure: %s\n", bad[i]);
        expect_refusal(TITLE "section(l, \"A\");", output, "out.txt:3: a figure named");
    }
}
END_TEST

START_TEST(lines_of_any_length_pass)
{
    enum { LONG = 1 << 20 };
    char *line = malloc(LONG + 1), *source = NULL, *output = NULL, *expected = NULL;
    memset(line, 'x', LONG);
    line[LONG] = '\0';
    ck_assert_int_gt(asprintf(&source, "/*\n# T\n\n%s\n*/\nsection(l, \"S\"); // %s", line, line), 0);
    ck_assert_int_gt(asprintf(&output, "── S ──\n%s", line), 0);
    ck_assert_int_gt(asprintf(&expected,
                              HEAD "%s\n\n```c\nsection(l, \"S\"); // %s\n```\n\n```text\n%s\n```\n\n" FOOT,
                              line, line, line),
                     0);
    char *got = markdown_of(source, output);
    ck_assert_msg(strcmp(got, expected) == 0, "a page with lines of %d characters came out wrong", LONG);
    Arena *arena = arena_new();
    Document loaded = notebook_load(arena, scratch_file("long.c", source, strlen(source)));
    ck_assert_uint_eq(loaded.length, strlen(source));
    ck_assert(strcmp(loaded.bytes, source) == 0);
    arena_free(arena);
    free(got), free(line), free(source), free(output), free(expected);
}
END_TEST

static void cut_character(void *context) { notebook_text(context, "name.c", "\xE4\xBD\xA0", 2); }

START_TEST(bytes_that_are_not_text_are_refused_with_their_line)
{
    Arena *arena = arena_new();
    expect_death(cut_character, arena, "name.c:1: byte 0xE4 is not UTF-8");
    arena_free(arena);
    static const char *const bad[] = {"\xFF",
                                      "\x80",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xE4\xBD",
                                      "\xE4\xBD\n",
                                      "\xEF\xBB"};
    static const char *const control[] = {"\x1B[31m", "a\rb", "\b", "\f", "\x7F"};
    char text[100], message[100];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, TITLE "// \n%s", bad[i]);
        snprintf(message, sizeof message, "name.c:5: byte 0x%02X is not UTF-8", (unsigned char)bad[i][0]);
        expect_refusal(text, "", message);
    }
    for (size_t i = 0; i < sizeof control / sizeof *control; i++) {
        snprintf(text, sizeof text, "a\n%s", control[i]);
        expect_refusal(TITLE "lesson_begin();", text, "out.txt:2: control character");
    }
    expect_page(TITLE "// \xF4\x8F\xBF\xBF\xED\x9F\xBF\xF0\x90\x80\x80\xC2\x80\t.\n", "",
                HEAD "```c\n// \xF4\x8F\xBF\xBF\xED\x9F\xBF\xF0\x90\x80\x80\xC2\x80\t.\n```\n\n" FOOT);
}
END_TEST

static void load_nul(void *context) { notebook_load(context, scratch_file("nul.c", "/*\n# T\n\0*/", 10)); }

static void load_nothing(void *context) { notebook_load(context, "no/such/file.c"); }

static void load_folder(void *context) { notebook_load(context, "/"); }

START_TEST(files_that_cannot_be_read_are_refused)
{
    Arena *arena = arena_new();
    expect_death(load_nul, arena, "nul.c: line 3 holds a NUL byte");
    expect_death(load_nothing, arena, "no/such/file.c is missing: No such file");
    expect_death(load_folder, arena, "/ is a folder, not a file");
    arena_free(arena);
}
END_TEST

// ---- The property ----------------------------------------------------------------------------------------------------

// Copies the lines that are not blank.
static char *without_blank_lines(const char *text)
{
    char *copy = malloc(strlen(text) + 2), *to = copy;
    for (size_t length; *text; text += length + (text[length] == '\n')) {
        length = strcspn(text, "\n");
        if (strspn(text, " \t") >= length) continue;
        memcpy(to, text, length);
        to += length;
        *to++ = '\n';
    }
    *to = '\0';
    return copy;
}

// Reads a page as Markdown does: what stands in code blocks and outside of them, without outputs, figures and links.
static char *unweave(const char *markdown)
{
    char *copy = malloc(strlen(markdown) + 1), *to = copy;
    size_t fence = 0; // of the block we are in
    bool output = false, figure = false;
    for (size_t length; *markdown; markdown += length + (markdown[length] == '\n')) {
        length = strcspn(markdown, "\n");
        size_t ticks = strspn(markdown, "`");
        bool bare = ticks == length;
        if (!fence && ticks >= 3) {
            fence = ticks;
            output = strncmp(markdown + ticks, "text", 4) == 0;
            continue;
        }
        if (fence && bare && ticks >= fence) {
            fence = 0;
            continue;
        }
        if (!fence && strncmp(markdown, "---\n", 4) == 0) break;
        bool ours = !fence && (strncmp(markdown, "<!--", 4) == 0 || strncmp(markdown, "<details>", 9) == 0 ||
                               strncmp(markdown, "</details>", 10) == 0 ||
                               strncmp(markdown, "[name.c]", 8) == 0 || strncmp(markdown, "![", 2) == 0 ||
                               (figure && strncmp(markdown, "**Figure 7.", 11) == 0));
        if (length) figure = !fence && strncmp(markdown, "![", 2) == 0;
        if (ours || (fence && output)) continue;
        memcpy(to, markdown, length);
        to += length;
        *to++ = '\n';
    }
    *to = '\0';
    return copy;
}

static const char *const prose[] = {
    "Text with $x$, `code` and **bold** (粗体).",
    "## A heading",
    "- a\n- b\n\n- c",
    "~~~\n/*\nint a;\n~~~",
    "\n\nspace  \n\n",
    "it's \"open",
    "// /* /*",
    "\\",
    "$$\n\\begin{matrix} a \\\\\n b\n\\end{matrix}\n$$",
    "",
    "/*",
    "| a | b |\n|---|---|\n| 1 | 2 |",
};
static const char *const printed[] = {"✓ holds\n",
                                      "figure: a.png — caption *a*\n",
                                      "```\nint a;\n",
                                      "/*\n*/\n",
                                      "\n\n",
                                      "────\n",
                                      "figure: b.svg\n",
                                      "~~~ ````` $\n"};

#define PICK(rng, list) (list)[rng_below(rng, sizeof(list) / sizeof *(list))]

// A chapter made of random pieces, what its run prints (sections in reverse order), and the source without markers.
static void invent(Rng *rng, char **source, char **output, char **expected)
{
    char *sections[32];
    size_t lengths[32], count = 0, length;
    FILE *code = open_memstream(source, &length), *plain = open_memstream(expected, &length);
    fprintf(code, TITLE);
    fprintf(plain, "# T\n");
    for (uint32_t i = rng_below(rng, 12); i > 0; i--) {
        if (rng_below(rng, 2)) {
            const char *text = PICK(rng, prose);
            fprintf(code, "/*\n%s\n*/\n", text);
            fprintf(plain, "%s\n", text);
            continue;
        }
        const char *text = PICK(rng, one_code_cell);
        fprintf(code, "%s\n", text);
        fprintf(plain, "%s\n", text);
        if (rng_below(rng, 2)) {
            fprintf(code, "section(l, \"%zu\");\n", count);
            fprintf(plain, "section(l, \"%zu\");\n", count);
            FILE *section = open_memstream(&sections[count], &lengths[count]);
            fprintf(section, "── %zu ────\n", count);
            for (uint32_t j = rng_below(rng, 4); j > 0; j--) fputs(PICK(rng, printed), section);
            fclose(section);
            count++;
        }
    }
    fclose(code);
    fclose(plain);
    FILE *out = open_memstream(output, &length);
    while (count-- > 0) {
        fputs(sections[count], out);
        free(sections[count]);
    }
    fclose(out);
}

START_TEST(the_cells_of_a_page_give_the_source_back)
{
    Rng rng = rng_new(7, 0);
    for (int i = 0; i < 2000; i++) {
        char *source, *output, *expected;
        invent(&rng, &source, &output, &expected);
        char *markdown = markdown_of(source, output), *unwoven = unweave(markdown);
        char *got = without_blank_lines(unwoven), *wanted = without_blank_lines(expected);
        ck_assert_msg(strcmp(got, wanted) == 0, "notebook %d. The source:\n%s\nthe page gives back:\n%s", i,
                      source, got);
        free(source), free(output), free(expected), free(markdown), free(unwoven), free(got), free(wanted);
    }
}
END_TEST

START_TEST(the_cells_of_every_chapter_give_its_source_back)
{
    glob_t found;
    if (glob("chapters/[0-9A-Z]*-*/*.c", 0, NULL, &found) != 0) return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        if (strstr(found.gl_pathv[i], "/exercise.c") || strstr(found.gl_pathv[i], "/solution.c")) continue;
        Arena *arena = arena_new();
        Document source = notebook_load(arena, found.gl_pathv[i]);
        char *cells = NULL, *plain = NULL;
        size_t length;
        FILE *out = open_memstream(&cells, &length);
        for (const Cell *cell = notebook_cells(arena, source)->cells; cell; cell = cell->next)
            fprintf(out, "%.*s\n", (int)cell->text.length, cell->text.at);
        fclose(out);
        out = open_memstream(&plain, &length);
        for (const char *line = source.bytes; *line; line += length + (line[length] == '\n')) {
            length = strcspn(line, "\n");
            if (length != 2 || (strncmp(line, "/*", 2) && strncmp(line, "*/", 2)))
                fprintf(out, "%.*s\n", (int)length, line);
        }
        fclose(out);
        char *got = without_blank_lines(cells), *wanted = without_blank_lines(plain);
        ck_assert_str_eq(got, wanted);
        free(cells), free(plain), free(got), free(wanted);
        arena_free(arena);
    }
    globfree(&found);
}
END_TEST

// ---- Jupyter -----------------------------------------------------------------------------------------------------------

static char *jupyter_of(const char *source, const char *output, const char *figures)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    Arena *arena = arena_new();
    notebook_jupyter(arena, notebook_of(arena, source, output), &page, figures, out);
    fclose(out);
    arena_free(arena);
    return bytes;
}

// Passes over one value of JSON (RFC 8259); returns NULL when it is none.
static const char *json_value(const char *at);

static const char *json_blank(const char *at) { return at ? at + strspn(at, " \t\r\n") : NULL; }

static const char *json_string(const char *at)
{
    if (*at != '"') return NULL;
    for (at++; *at != '"'; at++) {
        if ((unsigned char)*at < ' ') return NULL;
        if (*at != '\\') continue;
        at++;
        if (*at == 'u') {
            if (strspn(at + 1, "0123456789abcdefABCDEF") < 4) return NULL;
            at += 4;
        } else if (!*at || !strchr("\"\\/bfnrt", *at)) {
            return NULL;
        }
    }
    return at + 1;
}

static const char *json_list(const char *at, char close)
{
    at = json_blank(at + 1);
    if (*at == close) return at + 1;
    for (;;) {
        if (close == '}') {
            at = json_blank(json_string(at));
            if (!at || *at++ != ':') return NULL;
        }
        at = json_blank(json_value(json_blank(at)));
        if (!at || *at == close) return at ? at + 1 : NULL;
        if (*at != ',') return NULL;
        at = json_blank(at + 1);
    }
}

static const char *json_value(const char *at)
{
    if (*at == '{') return json_list(at, '}');
    if (*at == '[') return json_list(at, ']');
    if (*at == '"') return json_string(at);
    if (strncmp(at, "null", 4) == 0) return at + 4;
    size_t digits = strspn(at, "0123456789");
    return digits ? at + digits : NULL;
}

static bool is_json(const char *text)
{
    const char *end = json_blank(json_value(json_blank(text)));
    return end && !*end;
}

static const char *scratch_folder_of(const char *path)
{
    static char folder[300];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    return folder;
}

START_TEST(a_chapter_becomes_a_jupyter_notebook)
{
    scratch_file("a.png", "foobar", 6);
    const char *figures = scratch_folder_of(scratch_file("b.svg", "<svg>\n\"\n</svg>\n", 15));
    char *got = jupyter_of("/*\n# T \"x\"\n\n$\\alpha$\n*/\nsection(l, \"A\");\n\tprintf(\"\\n\");",
                           "── A ──\n✓ a\nfigure: a.png — \"损失\"\nfigure: b.svg\n\nz", figures);
    ck_assert_str_eq(
        got, "{\n \"nbformat\": 4, \"nbformat_minor\": 5,\n"
             " \"metadata\": {\"kernelspec\": {\"name\": \"gentle-walk\", \"display_name\": \"C, as the "
             "chapters\", "
             "\"language\": \"c\"},\n  \"language_info\": {\"name\": \"c\", \"file_extension\": \".c\", "
             "\"mimetype\": "
             "\"text/x-csrc\"},\n"
             "  \"title\": \"T \\\"x\\\"\"},\n"
             " \"cells\": [\n  {\"cell_type\": \"markdown\", \"id\": \"cell-0\", \"metadata\": {},\n"
             "   \"source\": [\n    \"# T \\\"x\\\"\\n\",\n    \"\\n\",\n    \"$\\\\alpha$\"]},\n"
             "  {\"cell_type\": \"code\", \"id\": \"cell-1\", \"metadata\": {},\n"
             "   \"source\": [\n    \"section(l, \\\"A\\\");\\n\",\n    \"\\u0009printf(\\\"\\\\n\\\");\"],\n"
             "   \"execution_count\": null, \"outputs\": ["
             "{\"output_type\": \"stream\", \"name\": \"stdout\", \"text\": [\n    \"✓ a\"]},\n    "
             "{\"output_type\": \"display_data\", \"metadata\": {}, \"data\": {\"image/png\": \"Zm9vYmFy\", "
             "\"text/plain\": \"Figure 7.1. \\\"损失\\\"\"}},\n    "
             "{\"output_type\": \"display_data\", \"metadata\": {}, \"data\": {\"text/markdown\": "
             "[\n    \"**Figure 7.1.** *\\\"损失\\\"*\"]}},\n    "
             "{\"output_type\": \"display_data\", \"metadata\": {}, \"data\": {\"image/svg+xml\": ["
             "\n    \"<svg>\\n\",\n    \"\\\"\\n\",\n    \"</svg>\"], \"text/plain\": \"Figure 7.2. "
             "b.svg\"}},\n    "
             "{\"output_type\": \"display_data\", \"metadata\": {}, \"data\": {\"text/markdown\": "
             "[\n    \"**Figure 7.2.**\"]}},\n    "
             "{\"output_type\": \"stream\", \"name\": \"stdout\", \"text\": [\n    \"z\"]}]}\n ]\n}\n");
    free(got);
}
END_TEST

START_TEST(pictures_are_embedded_as_rfc_4648_says)
{
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"\xFF\xFE\xFB", "//77"},
                                             {"\xFB\xF0", "+/A="}};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const char *figures = scratch_folder_of(scratch_file("v.png", vectors[i][0], strlen(vectors[i][0])));
        char *got = jupyter_of(TITLE "section(l, \"A\");", "── A ──\nfigure: v.png\n", figures), wanted[100];
        snprintf(wanted, sizeof wanted, "\"image/png\": \"%s\"", vectors[i][1]);
        ck_assert_msg(strstr(got, wanted) != NULL, "expected %s in %s", wanted, got);
        free(got);
    }
}
END_TEST

START_TEST(any_chapter_is_a_valid_jupyter_notebook)
{
    scratch_file("a.png", "\0\n\"", 3);
    const char *figures = scratch_folder_of(scratch_file("b.svg", "<svg\t\"\\\"/>", 10));
    Rng rng = rng_new(8, 0);
    for (int i = 0; i < 500; i++) {
        char *source, *output, *expected;
        invent(&rng, &source, &output, &expected);
        char *got = jupyter_of(source, output, figures);
        ck_assert_msg(is_json(got), "notebook %d is no JSON:\n%s", i, got);
        free(source), free(output), free(expected), free(got);
    }
}
END_TEST

static char *jupyter_of_page(const char *source, const char *markdown, const char *figures)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    Arena *arena = arena_new();
    Notebook *notebook =
        notebook_read(arena, text_of(arena, "name.c", source), text_of(arena, "README.md", markdown), &page);
    notebook_jupyter(arena, notebook, &page, figures, out);
    fclose(out);
    arena_free(arena);
    return bytes;
}

START_TEST(a_page_gives_the_outputs_of_its_cells_back)
{
    scratch_file("a.png", "\0\n\"", 3);
    const char *figures = scratch_folder_of(scratch_file("b.svg", "<svg\t\"\\\"/>", 10));
    Rng rng = rng_new(9, 0);
    for (int i = 0; i < 500; i++) {
        char *source, *output, *expected;
        invent(&rng, &source, &output, &expected);
        char *woven = jupyter_of(source, output, figures), *markdown = markdown_of(source, output),
             *read = jupyter_of_page(source, markdown, figures);
        ck_assert_str_eq(read, woven);
        free(source), free(output), free(expected), free(woven), free(markdown), free(read);
    }
}
END_TEST

static void read_pair(void *context)
{
    const Pair *pair = context;
    free(jupyter_of_page(pair->source, pair->output, "no/such"));
}

START_TEST(a_page_of_another_source_is_refused)
{
    expect_death(read_pair, (&(Pair){TITLE, ""}),
                 "README.md:1: from here on, this page is not the one that name.c gives");
    expect_death(read_pair, (&(Pair){TITLE "int a;", HEAD "```c\nint b;\n```\n\n" FOOT}),
                 "README.md:8: from here on");
    expect_death(read_pair, (&(Pair){TITLE, HEAD FOOT "\n"}), "README.md:10: from here on");
    expect_death(
        read_pair,
        (&(Pair){TITLE "f();\n/*\n```text\na\n```\n*/", HEAD "```c\nf();\n```\n\n```text\nb\n```\n\n" FOOT}),
        "README.md:15: from here on");
    expect_death(read_pair, (&(Pair){TITLE "f();", HEAD "```c\nf();\n```\n\n![Figure 7.1. a](x/" FOOT}),
                 "README.md:11: from here on");
}
END_TEST

static void weave_without_picture(void *context)
{
    (void)context;
    jupyter_of(TITLE "section(l, \"A\");", "── A ──\nfigure: v.png\n", "no/such");
}

START_TEST(a_jupyter_notebook_wants_its_pictures)
{
    expect_death(weave_without_picture, NULL, "no/such/v.png is missing");
}
END_TEST

SUITE("notebook", a_chapter_becomes_a_page,
      what_a_chapter_with_options_prints_first_stands_under_its_beginning,
      the_foot_of_a_page_leads_to_the_neighbours, comment_markers_elsewhere_open_no_text_cell,
      a_text_cell_may_contain_anything_but_its_end, blanks_may_follow_the_markers, empty_cells_vanish,
      line_ends_and_byte_order_marks_make_no_difference, a_fence_is_longer_than_any_run_of_backticks_inside,
      only_a_call_with_a_literal_title_names_a_section, a_title_may_be_cut_escaped_and_surrounded_by_comments,
      a_title_may_be_too_long_for_its_rule_or_end_in_one,
      sections_of_one_cell_follow_in_its_order_with_their_title_lines,
      rules_inside_the_output_begin_no_section, sections_must_match_one_to_one,
      what_is_never_closed_is_refused, a_chapter_begins_with_its_title, figures_take_odd_captions,
      figures_are_numbered_as_they_stand_on_the_page, mentions_of_other_chapters_become_links,
      a_chapter_of_the_appendix_has_a_letter, functions_that_draw_and_print_are_folded_alone,
      a_fold_says_which_figures_are_drawn_there, other_functions_are_shown,
      figures_with_names_that_lead_elsewhere_are_refused, lines_of_any_length_pass,
      bytes_that_are_not_text_are_refused_with_their_line, files_that_cannot_be_read_are_refused,
      the_cells_of_a_page_give_the_source_back, the_cells_of_every_chapter_give_its_source_back,
      a_chapter_becomes_a_jupyter_notebook, pictures_are_embedded_as_rfc_4648_says,
      any_chapter_is_a_valid_jupyter_notebook, a_page_gives_the_outputs_of_its_cells_back,
      a_page_of_another_source_is_refused, a_jupyter_notebook_wants_its_pictures)
