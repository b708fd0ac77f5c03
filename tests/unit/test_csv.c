// Tables: what is meant to be read is read to the bit; what is odd stops the program with the file, the line and a remedy.
#include "files/csv.h"
#include "suite.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- Helpers ---------------------------------------------------------------------------------------------------------

typedef struct {
    const char *path;
    const char *first, *last; // read as numbers, unless NULL
    const char *classes;      // read as classes, unless NULL
} Request;

static void read_table(void *context)
{
    const Request *request = context;
    Arena *arena = arena_new();
    Csv table = csv_read(arena, request->path);
    if (request->first) csv_numbers(arena, table, request->first, request->last);
    if (request->classes) {
        char **names;
        int count;
        csv_classes(arena, table, request->classes, &names, &count);
    }
    arena_free(arena);
}

// Reading these bytes must stop with "error: …/x.csv:line: …" and this text.
static void expect_refusal_of(const char *bytes, size_t length, int line, const char *text)
{
    char wanted[400];
    Request request = {.path = scratch_file("x.csv", bytes, length)};
    snprintf(wanted, sizeof wanted, "/x.csv:%d: %s", line, text);
    expect_death(read_table, &request, wanted);
    expect_death(read_table, &request, "(read by tests/unit/test_csv.c:");
}

static void expect_refusal(const char *text, int line, const char *message)
{
    expect_refusal_of(text, strlen(text), line, message);
}

// Reading the column x of these rows as numbers must stop.
static void expect_no_number(const char *cell, const char *message)
{
    char text[400], wanted[400];
    snprintf(text, sizeof text, "w,x\n1,1\n2,%s\n", cell);
    Request request = {.path = scratch_file("n.csv", text, strlen(text)), .first = "w", .last = "x"};
    snprintf(wanted, sizeof wanted, "/n.csv:3: column 'x'%s", message);
    expect_death(read_table, &request, wanted);
}

static Csv table_of(Arena *arena, const char *text)
{
    return csv_read(arena, scratch_file("t.csv", text, strlen(text)));
}

// ---- What is read ----------------------------------------------------------------------------------------------------

START_TEST(a_table_has_its_names_its_cells_and_their_lines)
{
    Arena *arena = arena_new();
    Csv table = table_of(arena, "a,bc,d\n1,2,3\nx,,z\n");
    ck_assert_int_eq(table.rows, 2);
    ck_assert_int_eq(table.cols, 3);
    const char *const names[] = {"a", "bc", "d"}, *const cells[] = {"1", "2", "3", "x", "", "z"};
    for (int j = 0; j < 3; j++) ck_assert_str_eq(table.names[j], names[j]);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++) ck_assert_str_eq(csv_cell(table, i, j), cells[3 * i + j]);
    ck_assert_int_eq(table.lines[0], 2);
    ck_assert_int_eq(table.lines[1], 3);
    ck_assert_int_eq(csv_column(table, "d"), 2);
    arena_free(arena);
}
END_TEST

START_TEST(quotes_carriage_returns_byte_order_marks_and_missing_newlines_are_understood)
{
    static const char *const texts[] = {"a,b\n1,2\n3,4\n",
                                        "a,b\n1,2\n3,4",
                                        "a,b\r\n1,2\r\n3,4\r\n",
                                        ("\xEF\xBB\xBF"
                                         "a,b\n1,2\n3,4\n"),
                                        "\"a\",b\n\"1\",2\n3,\"4\"",
                                        "\"a\",\"b\"\r\n\"1\",\"2\"\r\n\"3\",\"4\"\r\n"};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        Arena *arena = arena_new();
        Csv table = table_of(arena, texts[k]);
        Matrix numbers = csv_numbers(arena, table, "a", "b");
        ck_assert_msg(numbers.rows == 2 && numbers.cols == 2, "text %zu: expected 2 × 2, got %d × %d", k,
                      numbers.rows, numbers.cols);
        for (int i = 0; i < 4; i++)
            ck_assert_msg(numbers.data[i] == (float)(i + 1), "text %zu, number %d: got %g", k, i,
                          (double)numbers.data[i]);
        arena_free(arena);
    }
}
END_TEST

START_TEST(quoted_cells_hold_commas_quotes_and_newlines)
{
    Arena *arena = arena_new();
    Csv table = table_of(arena, "\"a, \"\"b\"\"\",c\n\"one\ntwo\r\n\",\"\"\n3,\"\"\"\"\n");
    ck_assert_str_eq(table.names[0], "a, \"b\"");
    ck_assert_str_eq(csv_cell(table, 0, 0), "one\ntwo\r\n");
    ck_assert_str_eq(csv_cell(table, 0, 1), "");
    ck_assert_str_eq(csv_cell(table, 1, 1), "\"");
    ck_assert_int_eq(table.lines[0], 2);
    ck_assert_int_eq(table.lines[1], 5);
    arena_free(arena);
}
END_TEST

// One table as different programs write it: names a, b and the numbers 1.5, 2; −3, 4.
START_TEST(tables_as_other_programs_write_them_are_read)
{
    static const char *const texts[] = {
        "a,b\n1.5,2\n-3,4\n",
        "a,b\r\n1.5,2\r\n-3,4\r\n",
        "a,b\r1.5,2\r-3,4\r",
        "a,b\r1.5,2\r\n-3,4",
        "\357\273\277a,b\n1.5,2\n-3,4",
        "\xEF\xBB\xBF\"a\",\"b\"\n\"1.5\",\"2\"\n\"-3\",\"4\"\n",
        "a;b\n1.5;2\n-3;4\n",
        "a\tb\n1.5\t2\n-3\t4\n",
        "sep=;\r\na;b\r\n1.5;2\r\n-3;4\r\n",
        "sep=,\na,b\n1.5,2\n-3,4\n",
        "a, b\n1.5, 2\n-3, 4\n",
        " a\t,b \n 1.5 ,\t2\n-3,4 \n",
        "a;  b\n 1.5;  2\n-3.0;  4\n",
        "\n\r\na,b\n\n1.5,2\n  \n\n-3,4\n\n\n",
        "a,b,\n1.5,2,\n-3,4,\n",
        "a,b,\n1.5,2,\n-3,4\n",
        "a;b;\n1.5;2;\n-3;4;\n\n",
        "# one, two and three\n#\n\na,b\n1.5,2\n-3,4\n",
        "#a comment\n#another\na\tb\n1.5\t2\n-3\t4\n",
        "# a,b\n1.5,2\n-3,4\n",
        "# from, a, program\n# a,b\n1.5e0,+2\n-3.,4\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Arena *arena = arena_new();
        Csv table = table_of(arena, texts[i]);
        ck_assert_msg(table.rows == 2 && table.cols == 2, "%s: (%d × %d)", texts[i], table.rows, table.cols);
        Matrix m = csv_numbers(arena, table, "a", "b");
        bool right =
            AT(m, 0, 0) == 1.5f && AT(m, 0, 1) == 2.0f && AT(m, 1, 0) == -3.0f && AT(m, 1, 1) == 4.0f;
        ck_assert_msg(right, "%s: %g %g %g %g", texts[i], (double)m.data[0], (double)m.data[1],
                      (double)m.data[2], (double)m.data[3]);
        arena_free(arena);
    }
}
END_TEST

START_TEST(what_looks_like_a_comment_or_a_blank_may_be_data)
{
    Arena *arena = arena_new();
    Csv table = table_of(arena, "#id,name\n#1, x \n#2,\"# y\"\n");
    ck_assert_int_eq(table.rows, 2);
    ck_assert_str_eq(table.names[0], "#id");
    ck_assert_str_eq(csv_cell(table, 0, 0), "#1");
    ck_assert_str_eq(csv_cell(table, 0, 1), " x "); // words are as they are
    ck_assert_str_eq(csv_cell(table, 1, 1), "# y");
    Csv lines = table_of(arena, "\n#\n\n\na,b\n\n1,2\n\n\n3,4\n");
    ck_assert_int_eq(lines.lines[0], 7);
    ck_assert_int_eq(lines.lines[1], 10);
    arena_free(arena);
}
END_TEST

START_TEST(a_number_that_is_none_says_what_to_write)
{
    expect_no_number("\"1,5\"", ": '1,5' is not a number\n hint: write decimals with a point");
    expect_no_number("\"1,234.5\"", ": '1,234.5' is not a number\n hint: write decimals with a point");
    static const char *const missing[] = {"NA",   "N/A", "NaN", "nan", "NULL", "null",
                                          "None", "-",   "?",   ".",   "#N/A", " NA "};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) expect_no_number(missing[i], "");
    expect_no_number("NA", ": 'NA' is not a number\n hint: a missing value is no number: leave out");
    expect_no_number("inf", ": 'inf' is not a number\n hint: write it like 12");
}
END_TEST

START_TEST(a_table_of_one_column_may_have_empty_cells)
{
    Arena *arena = arena_new();
    Csv table = table_of(arena, "a\n\nx\n");
    ck_assert_int_eq(table.rows, 2);
    ck_assert_str_eq(csv_cell(table, 0, 0), "");
    arena_free(arena);
}
END_TEST

START_TEST(numbers_are_rounded_correctly)
{
    static const struct {
        const char *text;
        float value;
    } known[] = {{"0", 0.0f},
                 {"-0.0", -0.0f},
                 {"+5.", 5.0f},
                 {".5", 0.5f},
                 {"0.1", 0x1.99999ap-4f},
                 {"1.5e-3", 0x1.89374cp-10f},
                 {"12E2", 1200.0f},
                 {"16777217", 0x1p24f},                            // a tie goes to the even neighbour
                 {"16777217.0000000000000000001", 0x1.000002p24f}, // a little above the tie does not
                 {"3.4028235e38", 0x1.fffffep127f},
                 {"1.401298464324817e-45", 0x1p-149f},
                 {"0e99999", 0.0f},
                 {"000000000000000000000000000000000000000000000000000000000000001", 1.0f}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        Arena *arena = arena_new();
        char text[200];
        snprintf(text, sizeof text, "a\n%s\n", known[k].text);
        float got = csv_numbers(arena, table_of(arena, text), "a", "a").data[0];
        ck_assert_msg(memcmp(&got, &known[k].value, sizeof got) == 0, "%s: expected %a, got %a",
                      known[k].text, (double)known[k].value, (double)got);
        arena_free(arena);
    }
}
END_TEST

START_TEST(a_range_of_columns_becomes_a_matrix)
{
    Arena *arena = arena_new();
    Matrix numbers = csv_numbers(arena, table_of(arena, "a,b,c,d\n1,2,3,x\n4,5,6,y\n"), "b", "c");
    ck_assert_int_eq(numbers.rows, 2);
    ck_assert_int_eq(numbers.cols, 2);
    const float wanted[] = {2, 3, 5, 6};
    for (int k = 0; k < 4; k++) ck_assert_float_eq(numbers.data[k], wanted[k]);
    arena_free(arena);
}
END_TEST

START_TEST(classes_are_numbered_as_they_appear)
{
    Arena *arena = arena_new();
    Csv table = table_of(arena, "k,x\nb,1\na,2\n,3\nb,4\nc,5\n");
    char **names;
    int count;
    int *classes = csv_classes(arena, table, "k", &names, &count);
    const int wanted[] = {0, 1, 2, 0, 3};
    const char *const words[] = {"b", "a", "", "c"};
    ck_assert_int_eq(count, 4);
    for (int i = 0; i < 5; i++) ck_assert_int_eq(classes[i], wanted[i]);
    for (int k = 0; k < 4; k++) ck_assert_str_eq(names[k], words[k]);
    arena_free(arena);
}
END_TEST

START_TEST(thousands_of_classes_keep_their_numbers)
{
    enum { ROWS = 12000, WORDS = 4000 };
    Arena *arena = arena_new();
    char *text = arena_zeros(arena, ROWS, 16);
    size_t used = (size_t)sprintf(text, "k\n");
    for (int i = 0; i < ROWS; i++) used += (size_t)sprintf(text + used, "w%d\n", i * 7 % WORDS);
    char **names;
    int count, *classes = csv_classes(arena, table_of(arena, text), "k", &names, &count);
    ck_assert_int_eq(count, WORDS);
    for (int i = 0; i < ROWS; i++) {
        char word[16];
        snprintf(word, sizeof word, "w%d", i * 7 % WORDS);
        ck_assert_int_eq(classes[i], i % WORDS);
        ck_assert_str_eq(names[classes[i]], word);
    }
    arena_free(arena);
}
END_TEST

// What is known of the tables from datasets/README.md.
START_TEST(the_shipped_tables_are_what_their_page_says)
{
    static const struct {
        const char *path;
        int rows, cols;
    } tables[] = {{"datasets/diabetes.csv", 442, 11},
                  {"datasets/breast-cancer.csv", 569, 31},
                  {"datasets/iris.csv", 150, 5},
                  {"datasets/wine.csv", 178, 14},
                  {"datasets/house-votes-84.csv", 435, 17},
                  {"datasets/zoo.csv", 101, 18},
                  {"datasets/ionosphere.csv", 351, 35}};
    for (size_t k = 0; k < sizeof tables / sizeof *tables; k++) {
        Arena *arena = arena_new();
        Csv table = csv_read(arena, tables[k].path);
        ck_assert_msg(table.rows == tables[k].rows && table.cols == tables[k].cols,
                      "%s: expected %d × %d, got %d × %d", tables[k].path, tables[k].rows, tables[k].cols,
                      table.rows, table.cols);
        arena_free(arena);
    }
    Arena *arena = arena_new();
    Matrix progression =
        csv_numbers(arena, csv_read(arena, "datasets/diabetes.csv"), "progression", "progression");
    ck_assert_float_eq(smallest(progression), 25.0f);
    ck_assert_float_eq(largest(progression), 346.0f);
    arena_free(arena);
}
END_TEST

// ---- What is refused -------------------------------------------------------------------------------------------------

START_TEST(rows_too_short_or_too_long_are_refused_with_their_line)
{
    expect_refusal("a,b\n1,2\n3\n", 3, "1 cells; the first line names 2 columns");
    expect_refusal("a,b\n1,2,3\n", 2, "more than 2 cells; the first line names 2 columns");
    expect_refusal("a,b\n1,2\n\n3,4\n5\n", 5, "1 cells; the first line names 2 columns");
    expect_refusal("a,b\n1,2\n3,4,\n", 3, "more than 2 cells; the first line names 2 columns");
    expect_refusal("a,b,\n1,2,\n3,4,,\n", 3, "more than 2 cells; the first line names 2 columns");
    expect_refusal("a,b,\n1,2,x\n", 2, "more than 2 cells; the first line names 2 columns");
    expect_refusal("a;b\n1;2;3\n", 2, "more than 2 cells; the first line names 2 columns");
    expect_refusal("a,b\n1,2\n# here, there, and everywhere\n", 3, "more than 2 cells");
    expect_refusal("a,b\n1,2\n# here\n", 3, "1 cells; the first line names 2 columns");
    expect_refusal("a,b\n\"1\n\n\",2\n3\n", 5, "1 cells; the first line names 2 columns");
    expect_refusal("a\n1,2\n", 2, "more than 1 cells; the first line names 1 columns");
}
END_TEST

START_TEST(names_that_are_missing_or_repeated_are_refused)
{
    expect_refusal("a,,c\n1,2,3\n", 1, "column 2 has no name");
    expect_refusal(",b\n1,2\n", 1, "column 1 has no name");
    expect_refusal("\xEF\xBB\xBF\"\"\n1\n", 1, "column 1 has no name");
    expect_refusal("a,b,,\n1,2,,\n", 1, "column 3 has no name");
    expect_refusal("a, a \n1,2\n", 1, "columns 1 and 2 are both named 'a'");
    expect_refusal("# one\n\na;a\n1;2\n", 3, "columns 1 and 2 are both named 'a'");
    expect_refusal("a,b,c,b\n1,2,3,4\n", 1, "columns 2 and 4 are both named 'b'");
    expect_refusal("a,b,a,a\n1,2,3,4\n", 1, "columns 1 and 3 are both named 'a'");
}
END_TEST

START_TEST(quotes_out_of_place_are_refused)
{
    expect_refusal("a,b\n1,\"2\n3,4\n", 2, "a quote is opened and never closed");
    expect_refusal("a,b\n1,2\"\n", 2, "a quote in the wrong place");
    expect_refusal("a,b\n1,\"2\"x\n", 2, "a quote in the wrong place");
    expect_refusal("\"a,b\n1,2\n", 1, "a quote is opened and never closed");
    expect_refusal("a,b\n\"", 2, "a quote is opened and never closed");
}
END_TEST

START_TEST(other_encodings_are_refused_with_their_line_and_name)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *message;
    } files[] = {
        {"a,b\n1,2\n3,\0004\n", 12, "x.csv: line 3 holds a NUL byte, byte 10 of the file"},
        {"\0", 1, "x.csv: line 1 holds a NUL byte, byte 0 of the file"},
        {"a\0,\0b\0\n\0", 8, "iconv -f UTF-16LE -t UTF-8"},
        {"\xff\xfe"
         "a\0\n\0",
         6, "x.csv is UTF-16, little-endian; a text here is UTF-8"},
        {"\xfe\xff\0a\0\n", 6, "x.csv is UTF-16, big-endian; a text here is UTF-8"},
        {"\xff\xfe\0\0a\0\0\0", 8, "x.csv is UTF-32, little-endian"},
        {"a,b\r1,2\r3,\xe4\r", 12, "x.csv: line 3 is no UTF-8 at the byte 0xe4, byte 10 of the file"},
        {"\x1f\x8b\x08", 3, "x.csv is compressed"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        Request request = {.path = scratch_file("x.csv", files[i].bytes, files[i].size)};
        expect_death(read_table, &request, files[i].message);
    }
}
END_TEST

START_TEST(a_table_without_rows_is_refused)
{
    expect_refusal("a,b\n", 1, "there are no rows");
    expect_refusal("a,b", 1, "there are no rows");
    Request request = {.path = scratch_file("empty.csv", "", 0)};
    expect_death(read_table, &request, "empty.csv is empty\n hint: its first line should name the columns");
}
END_TEST

START_TEST(a_message_does_not_carry_control_characters_or_long_cells_to_the_terminal)
{
    expect_no_number("\x1B[2J\x07zz", ": '?[2J?zz' is not a number");
    expect_no_number("0123456789012345678901234567890123456789xyz",
                     ": '0123456789012345678901234567890123456789…' is not");
    // A character of three bytes that begins at byte 39 is not cut in two.
    expect_no_number("a12345678901234567890123456789012345678\u6570zz",
                     ": 'a12345678901234567890123456789012345678…' is not");
}
END_TEST

START_TEST(cells_that_are_no_numbers_are_refused_with_line_and_column)
{
    static const char *const cells[] = {"abc", "Inf", "inf", "-inf",  "0x10", "1 2",   "1\xc2\xa0",
                                        "1e",  "1e+", "e5",  "..",    "+-1",  "1.2.3", "1_000",
                                        "１",  "1f",  "--1", "1e5.5", "1e 5", "nan(1)"};
    for (size_t k = 0; k < sizeof cells / sizeof *cells; k++) {
        char message[100];
        snprintf(message, sizeof message, ": '%s' is not a number\n hint: write it like 12, -0.5 or 1.5e-3",
                 cells[k]);
        expect_no_number(cells[k], message);
    }
}
END_TEST

START_TEST(an_empty_cell_is_no_number)
{
    expect_no_number("", " is empty\n hint: a missing value is no number");
}
END_TEST

START_TEST(numbers_out_of_range_are_refused)
{
    expect_no_number("1e39", ": '1e39' does not fit a 32-bit float");
    expect_no_number("-3.5e38", ": '-3.5e38' does not fit a 32-bit float");
    expect_no_number("1e999999999999999999999", ": '1e999999999999999999999' does not fit a 32-bit float");
    expect_no_number("1e-50", ": '1e-50' does not fit a 32-bit float");
    expect_no_number("-.000001e-999999999", ": '-.000001e-999999999' does not fit a 32-bit float");
}
END_TEST

START_TEST(a_column_that_is_not_there_lists_those_that_are)
{
    static const char text[] = "age,sex,bmi\n1,2,3\n";
    Request request = {.path = scratch_file("c.csv", text, strlen(text)), .first = "age", .last = "bmj"};
    expect_death(read_table, &request, "error: tests/unit/test_csv.c:");
    expect_death(read_table, &request, "c.csv has no column 'bmj'\n hint: there are: age, sex, bmi\n");
    Request backwards = {.path = request.path, .first = "bmi", .last = "age"};
    expect_death(read_table, &backwards, "column 'bmi' comes after 'age'");
    Request class = {.path = request.path, .classes = "kind"};
    expect_death(read_table, &class, "c.csv has no column 'kind'");
}
END_TEST

START_TEST(long_lists_of_names_are_cut)
{
    char text[40000];
    size_t used = 0;
    for (int j = 0; j < 4000; j++) used += (size_t)sprintf(text + used, "%sc%d", j ? "," : "", j);
    text[used++] = '\n';
    for (int j = 0; j < 4000; j++) used += (size_t)sprintf(text + used, "%s1", j ? "," : "");
    Request request = {.path = scratch_file("w.csv", text, used), .first = "zz", .last = "zz"};
    expect_death(read_table, &request, "c2, c3, c4");
    expect_death(read_table, &request, ", …\n");
    int status;
    ck_assert_uint_lt(strlen(stderr_of(read_table, &request, &status)), 1000);
}
END_TEST

START_TEST(too_many_classes_are_refused)
{
    char *text = malloc(100000);
    size_t used = (size_t)sprintf(text, "k\n");
    for (int i = 0; i < 5000; i++) used += (size_t)sprintf(text + used, "w%d\n", i);
    Request request = {.path = scratch_file("k.csv", text, used), .classes = "k"};
    free(text);
    expect_death(read_table, &request, "k.csv:4098: column 'k' holds more than 4096 different words");
}
END_TEST

// ---- Files that are none ---------------------------------------------------------------------------------------------

START_TEST(a_file_that_is_missing_names_what_brings_it)
{
    Request here = {.path = "no/such.csv"}, cached = {.path = "datasets/cache/mnist/t.csv"},
            shipped = {.path = "datasets/no.csv"};
    expect_death(read_table, &here,
                 "no/such.csv is missing: No such file or directory\n hint: is the path right?");
    expect_death(read_table, &cached, "hint: type `make data DATA=mnist`, which brings it\n");
    expect_death(read_table, &shipped, "hint: it is shipped with the course");
}
END_TEST

START_TEST(folders_pipes_and_devices_are_refused)
{
    Request folder = {.path = "datasets"}, device = {.path = "/dev/zero"},
            pipe = {.path = scratch_path("pipe")};
    expect_death(read_table, &folder, "datasets is a folder, not a file");
    expect_death(read_table, &device, "/dev/zero is a device, not a file");
    ck_assert_int_eq(mkfifo(pipe.path, 0600), 0);
    expect_death(read_table, &pipe,
                 "is a pipe, not a file"); // and does not wait for somebody to write into it
}
END_TEST

// ---- Files that are too large ----------------------------------------------------------------------------------------

// Not more memory than this beside what the program has already.
static void read_with_little_memory(void *context)
{
    long pages = 0;
    FILE *about = fopen("/proc/self/statm", "r");
    if (!about || fscanf(about, "%ld", &pages) != 1) exit(2);
    fclose(about);
    rlim_t most = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + ((rlim_t)64 << 20);
    if (!UNDER_ASAN) setrlimit(RLIMIT_AS, &(struct rlimit){most, most});
    read_table(context);
}

START_TEST(a_file_that_is_too_long_is_refused_before_memory_is_asked_for)
{
    Request request = {.path = scratch_file("long.csv", "a\n", 2)};
    ck_assert_int_eq(truncate(request.path, ((off_t)1 << 30) + 1), 0); // takes no room on the disk
    expect_death(read_with_little_memory, &request,
                 "long.csv has 1073741825 bytes; at most 1073741824 are read");
}
END_TEST

// A header of this many columns, as in "a,a,a,…".
static const char *wide_file(size_t columns)
{
    char *text = malloc(2 * columns + 2);
    for (size_t j = 0; j < columns; j++) memcpy(text + 2 * j, "a,", 2);
    memcpy(text + 2 * columns - 1, "\n1\n", 3);
    const char *path = scratch_file("wide.csv", text, 2 * columns + 2);
    free(text);
    return path;
}

START_TEST(a_header_of_too_many_columns_is_refused_before_memory_is_asked_for)
{
    Request request = {.path = wide_file((size_t)20 << 20)};
    expect_death(read_with_little_memory, &request, "wide.csv:1: more than 16384 columns");
    Request just_too_many = {.path = wide_file(16385)};
    expect_death(read_with_little_memory, &just_too_many, "wide.csv:1: more than 16384 columns");
    Request allowed = {.path = wide_file(16384)};
    expect_death(read_with_little_memory, &allowed, "wide.csv:1: columns 1 and 2 are both named 'a'");
}
END_TEST

START_TEST(a_table_of_too_many_cells_is_refused_before_memory_is_asked_for)
{
    // 16000 columns and 9000 lines of one byte: 144 million cells, were they there.
    enum { COLUMNS = 16000, LINES = 9000 };
    char *text = malloc(COLUMNS * 8 + LINES + 1);
    size_t used = 0;
    for (int j = 0; j < COLUMNS; j++)
        used += (size_t)sprintf(text + used, "c%d%s", j, j + 1 < COLUMNS ? "," : "\n");
    memset(text + used, '\n', LINES);
    text[used] = '1';
    Request request = {.path = scratch_file("cells.csv", text, used + LINES)};
    free(text);
    expect_death(read_with_little_memory, &request,
                 "cells.csv:1: more than 134217728 cells: 8999 lines of 16000");
}
END_TEST

START_TEST(a_very_long_line_is_read)
{
    enum { LENGTH = 3 << 20 };
    Arena *arena = arena_new();
    char *text = arena_alloc(arena, LENGTH + 16, 1);
    size_t used = (size_t)sprintf(text, "a,b\n\"");
    memset(text + used, 'x', LENGTH);
    strcpy(text + used + LENGTH, "\",2\n");
    Csv table = table_of(arena, text);
    ck_assert_uint_eq(strlen(csv_cell(table, 0, 0)), LENGTH);
    ck_assert_str_eq(csv_cell(table, 0, 1), "2");
    arena_free(arena);
}
END_TEST

// ---- Noise -----------------------------------------------------------------------------------------------------------

// A good table with some bytes overwritten, inserted, removed, or cut off.
static size_t mutate(char *bytes, Rng *rng)
{
    static const char good[] =
        "age,\"b, mi\",kind\n1.5,2e3,cat\n-4,\"5\",\"a \"\"dog\"\"\"\n7,8,\"two\nlines\"\n";
    static const char odd[] = ",\n\r\"\0e.-+x9\xEF\xBB\xBF ";
    size_t length = sizeof good - 1;
    memcpy(bytes, good, length);
    for (uint32_t changes = 1 + rng_below(rng, 4); changes > 0 && length > 1; changes--) {
        size_t at = rng_below(rng, (uint32_t)length);
        char byte = rng_below(rng, 2) ? odd[rng_below(rng, sizeof odd - 1)] : (char)rng_below(rng, 256);
        switch (rng_below(rng, 4)) {
        case 0:
            bytes[at] = byte;
            break;
        case 1:
            memmove(bytes + at + 1, bytes + at, length++ - at);
            bytes[at] = byte;
            break;
        case 2:
            memmove(bytes + at, bytes + at + 1, --length - at);
            break;
        default:
            length = at + 1;
        }
    }
    return length;
}

START_TEST(damaged_tables_are_read_or_refused_and_nothing_else)
{
    const int tries = UNDER_ASAN ? 300 : 1500;
    Rng rng = rng_new(20, 1);
    int read = 0, refused = 0;
    for (int k = 0; k < tries; k++) {
        char bytes[256];
        size_t length = mutate(bytes, &rng);
        Request request = {scratch_file("noise.csv", bytes, length), "age", "age", k % 2 ? "kind" : "age"};
        int status;
        const char *message = stderr_of(read_table, &request, &status);
        ck_assert_msg(status == 0 || (status == 1 && strncmp(message, "error: ", 7) == 0),
                      "try %d: exit status %d; it wrote: %s", k, status, message);
        read += status == 0;
        refused += status == 1;
    }
    ck_assert_msg(read > tries / 50 && refused > tries / 50,
                  "%d were read, %d refused: the noise tests nothing", read, refused);
}
END_TEST

START_TEST(blanks_around_a_word_make_no_other_class)
{
    Arena *arena = arena_new();
    const char *text = "x, kind\n1, yes\n2,no\n3,yes \n4,\tno\n5, \n6,\n";
    char **names;
    int count, *classes = csv_classes(arena, table_of(arena, text), "kind", &names, &count);
    const int expected[] = {0, 1, 0, 1, 2, 2};
    for (int i = 0; i < 6; i++)
        ck_assert_msg(classes[i] == expected[i], "row %d: class %d, not %d", i, classes[i], expected[i]);
    ck_assert_int_eq(count, 3);
    ck_assert_str_eq(names[0], "yes");
    ck_assert_str_eq(names[1], "no");
    ck_assert_str_eq(names[2], "");
    arena_free(arena);
}
END_TEST

SUITE("csv", a_table_has_its_names_its_cells_and_their_lines,
      quotes_carriage_returns_byte_order_marks_and_missing_newlines_are_understood,
      quoted_cells_hold_commas_quotes_and_newlines, a_table_of_one_column_may_have_empty_cells,
      tables_as_other_programs_write_them_are_read, what_looks_like_a_comment_or_a_blank_may_be_data,
      a_number_that_is_none_says_what_to_write, numbers_are_rounded_correctly,
      a_range_of_columns_becomes_a_matrix, classes_are_numbered_as_they_appear,
      thousands_of_classes_keep_their_numbers, the_shipped_tables_are_what_their_page_says,
      rows_too_short_or_too_long_are_refused_with_their_line, names_that_are_missing_or_repeated_are_refused,
      quotes_out_of_place_are_refused, other_encodings_are_refused_with_their_line_and_name,
      a_table_without_rows_is_refused,
      a_message_does_not_carry_control_characters_or_long_cells_to_the_terminal,
      cells_that_are_no_numbers_are_refused_with_line_and_column, an_empty_cell_is_no_number,
      numbers_out_of_range_are_refused, a_column_that_is_not_there_lists_those_that_are,
      long_lists_of_names_are_cut, too_many_classes_are_refused, a_file_that_is_missing_names_what_brings_it,
      folders_pipes_and_devices_are_refused, a_file_that_is_too_long_is_refused_before_memory_is_asked_for,
      a_header_of_too_many_columns_is_refused_before_memory_is_asked_for,
      a_table_of_too_many_cells_is_refused_before_memory_is_asked_for, a_very_long_line_is_read,
      damaged_tables_are_read_or_refused_and_nothing_else, blanks_around_a_word_make_no_other_class)
