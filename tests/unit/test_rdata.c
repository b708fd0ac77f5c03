// The tool that takes texts out of R's data bases: small data bases written here, whole and damaged.
#include "suite.h"

#define main rdata_main
int rdata_main(int argc, char **argv);
#include "../../datasets/tools/rdata.c"
#undef main

typedef struct {
    unsigned char bytes[8192];
    size_t size;
} Bytes;

static void put(Bytes *b, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8) b->bytes[b->size++] = (unsigned char)(number >> shift);
}

static void put_string(Bytes *b, const char *string)
{
    put(b, 0x00040009);
    put(b, (uint32_t)strlen(string));
    memcpy(b->bytes + b->size, string, strlen(string));
    b->size += strlen(string);
}

static void put_strings(Bytes *b, uint32_t flags, int count, const char *const strings[])
{
    put(b, flags | 16);
    put(b, (uint32_t)count);
    for (int i = 0; i < count; i++) put_string(b, strings[i]);
}

static void put_symbol(Bytes *b, const char *name)
{
    put(b, 1);
    put_string(b, name);
}

static Bytes start(void)
{
    Bytes b = {.size = 2};
    memcpy(b.bytes, "X\n", 2);
    put(&b, 3), put(&b, 0x00040201), put(&b, 0x00030500), put(&b, 5);
    memcpy(b.bytes + b.size, "UTF-8", 5);
    b.size += 5;
    return b;
}

static Bytes lines_object(void)
{
    Bytes b = start();
    put_strings(&b, 0, 3, (const char *const[]){"one", "", "two\nthree"});
    return b;
}

// A data frame of a factor "score" and strings "review".
static Bytes table_object(void)
{
    Bytes b = start();
    put(&b, 0x313), put(&b, 2);
    put(&b, 0x30D), put(&b, 2), put(&b, 2), put(&b, 1);
    put(&b, 0x402), put_symbol(&b, "levels"), put_strings(&b, 0, 2, (const char *const[]){"great", "other"});
    put(&b, 0x402), put_symbol(&b, "class"), put_strings(&b, 0, 1, (const char *const[]){"factor"}),
        put(&b, 254);
    put_strings(&b, 0, 2, (const char *const[]){"so\tso", "yes"});
    put(&b, 0x402), put(&b, 0x2FF),
        put_strings(&b, 0, 1, (const char *const[]){"data.frame"}); // class, by reference
    put(&b, 0x402), put_symbol(&b, "names"), put_strings(&b, 0, 2, (const char *const[]){"score", "review"});
    put(&b, 254);
    return b;
}

static char base[4096]; // the data base's path without its ending

static void write_index(const Bytes *index)
{
    char path[4200];
    snprintf(base, sizeof base, "%s", scratch_path("db"));
    snprintf(path, sizeof path, "%s.rdx", base);
    gzFile file = gzopen(path, "wb");
    ck_assert(file && gzwrite(file, index->bytes, (unsigned)index->size) == (int)index->size);
    ck_assert_int_eq(gzclose(file), Z_OK);
}

static Bytes index_of(uint32_t from, uint32_t size)
{
    Bytes b = start();
    put(&b, 0x213), put(&b, 1);
    put(&b, 0x213), put(&b, 1), put(&b, 13), put(&b, 2), put(&b, from), put(&b, size);
    put(&b, 0x402), put_symbol(&b, "names"), put_strings(&b, 0, 1, (const char *const[]){"it"}), put(&b, 254);
    put(&b, 0x402), put(&b, 0x1FF), put_strings(&b, 0, 1, (const char *const[]){"variables"}), put(&b, 254);
    return b;
}

static Bytes packed(const Bytes *object)
{
    Bytes b = {.size = 0};
    put(&b, (uint32_t)object->size);
    uLongf length = sizeof b.bytes - 4;
    ck_assert_int_eq(compress(b.bytes + 4, &length, object->bytes, object->size), Z_OK);
    b.size += length;
    return b;
}

static void write_packed(const Bytes *data)
{
    scratch_file("db.rdb", data->bytes, data->size);
    Bytes index = index_of(0, (uint32_t)data->size);
    write_index(&index);
}

static void write_object(Bytes object)
{
    Bytes data = packed(&object);
    write_packed(&data);
}

static void print_lines(void *unused)
{
    (void)unused;
    rdata_main(4, (char *[]){"rdata", "lines", base, "it", NULL});
}

static void print_columns(void *unused)
{
    (void)unused;
    rdata_main(6, (char *[]){"rdata", "table", base, "it", "score", "review", NULL});
}

static void expect_output(void (*action)(void *), const char *expected)
{
    int status;
    ck_assert_str_eq(stdout_of(action, NULL, &status), expected);
    ck_assert_int_eq(status, 0);
}

START_TEST(a_vector_of_strings_is_printed_line_by_line)
{
    write_object(lines_object());
    expect_output(print_lines, "one\n\ntwo three\n");
}
END_TEST

START_TEST(columns_of_a_data_frame_are_printed_with_tabs)
{
    write_object(table_object());
    expect_output(print_columns, "other\tso so\ngreat\tyes\n");
}
END_TEST

START_TEST(an_object_packed_by_xz_is_unpacked)
{
    if (system("xz --version >/dev/null 2>&1") != 0) return;
    Bytes object = lines_object(), data = {.size = 0};
    const char *plain = scratch_file("plain", object.bytes, object.size);
    char command[9000];
    snprintf(command, sizeof command, "xz -zc --format=raw --lzma2=preset=6 <%s", plain);
    FILE *pipe = popen(command, "r");
    put(&data, (uint32_t)object.size);
    data.bytes[data.size++] = 'Z';
    data.size += fread(data.bytes + data.size, 1, sizeof data.bytes - data.size, pipe);
    pclose(pipe);
    write_packed(&data);
    expect_output(print_lines, "one\n\ntwo three\n");
    data.bytes[3]--; // promises a byte less than there is
    write_packed(&data);
    expect_death(print_lines, NULL, "an object is damaged");
    data.bytes[3] += 2;
    write_packed(&data);
    expect_death(print_lines, NULL, "an object is damaged");
    data.bytes[3]--;
    data.bytes[data.size / 2] ^= 0x55;
    write_packed(&data);
    expect_death(print_lines, NULL, "rdata: ");
}
END_TEST

START_TEST(promises_that_are_not_kept_are_refused)
{
    Bytes object = lines_object(), data = packed(&object);
    scratch_file("db.rdb", data.bytes, data.size);
    Bytes index = index_of(1, (uint32_t)data.size);
    write_index(&index);
    expect_death(print_lines, NULL, "db.rdb is too short: an object is said to be");
    index = index_of(0xFFFFFFFF, 1);
    write_index(&index);
    expect_death(print_lines, NULL, "is too short");
    index = index_of(0, 3);
    write_index(&index);
    expect_death(print_lines, NULL, "an object of 3 bytes is too short");

    data.bytes[0] = 0x7F;
    write_packed(&data);
    expect_death(print_lines, NULL, "is said to unpack to 2130706499; at most 64 MB are unpacked");
    data = packed(&object);
    data.bytes[3]--;
    write_packed(&data);
    expect_death(print_lines, NULL, "an object is damaged");

    object = start();
    put(&object, 16), put(&object, 0x7FFFFFFF);
    write_object(object);
    expect_death(print_lines, NULL, "a list is said to have 2147483647 items");
    object = start();
    put(&object, 13), put(&object, 0x40000000);
    write_object(object);
    expect_death(print_lines, NULL, "an object ends inside an item");
    object = start();
    for (int i = 0; i < 200; i++) put(&object, 19), put(&object, 1);
    put(&object, 254);
    write_object(object);
    expect_death(print_lines, NULL, "nested deeper than 64");
    object = start();
    put(&object, 0x5FF);
    write_object(object);
    expect_death(print_lines, NULL, "reference 5 points to nothing");
    object = lines_object();
    put(&object, 254);
    write_object(object);
    expect_death(print_lines, NULL, "goes on after its end");
    object = lines_object();
    object.bytes[0] = 'A';
    write_object(object);
    expect_death(print_lines, NULL, "not R's serialisation");
    object = start();
    put(&object, 77);
    write_object(object);
    expect_death(print_lines, NULL, "an item of kind 77 is not known");
}
END_TEST

static void print_other(void *unused)
{
    (void)unused;
    rdata_main(4, (char *[]){"rdata", "lines", base, "other", NULL});
}

START_TEST(what_is_not_there_is_named)
{
    write_object(lines_object());
    expect_death(print_other, NULL, "there is no 'other'");
    expect_death(print_columns, NULL, "there is no 'score'");
    write_object(table_object());
    expect_death(print_lines, NULL, "it is no vector of strings");
    Bytes object = table_object();
    object.bytes[23 + 8 + 8 + 3] = 3; // a third level of two
    write_object(object);
    expect_death(print_columns, NULL, "column score is neither of strings nor a factor");
}
END_TEST

// 50 MB that are packed to 50 kB hold six million empty strings, each of which is ten times as large in memory.
START_TEST(a_small_file_does_not_become_gigabytes)
{
    enum { STRINGS_COUNT = 6000000 };
    Bytes begin = start(), packed_strings = {.size = 0};
    put(&begin, 16), put(&begin, STRINGS_COUNT);
    size_t size = begin.size + 8 * (size_t)STRINGS_COUNT;
    unsigned char *object = calloc(size, 1), *data = calloc(1, 1 << 20);
    memcpy(object, begin.bytes, begin.size);
    for (size_t i = 0; i < STRINGS_COUNT; i++) object[begin.size + 8 * i + 3] = 9;
    uLongf length = (1 << 20) - 4;
    put(&packed_strings, (uint32_t)size);
    memcpy(data, packed_strings.bytes, 4);
    ck_assert_int_eq(compress2(data + 4, &length, object, size, 1), Z_OK);
    scratch_file("db.rdb", data, length + 4);
    Bytes index = index_of(0, (uint32_t)length + 4);
    write_index(&index);
    free(object), free(data);
    expect_death(print_lines, NULL, "this takes more than 256 MB of memory");
}
END_TEST

START_TEST(no_mutation_crashes_the_tool)
{
    uint32_t state = 7;
    for (int round = 0; round < 50; round++) {
        Bytes object = table_object();
        for (int change = 0; change < 2; change++) {
            state = state * 1664525 + 1013904223;
            object.bytes[(state >> 12) % object.size] ^= (unsigned char)(1 << (state >> 28) % 8);
        }
        write_object(object);
        int status;
        const char *message = stderr_of(print_columns, NULL, &status);
        ck_assert_msg(status <= 1, "round %d: status %d, %s", round, status, message);
    }
}
END_TEST

// R keeps an object as it is, behind a 0, where packing it by bzip2 or xz would not make it smaller.
START_TEST(an_object_that_is_not_packed_is_read)
{
    Bytes object = lines_object(), data = {.size = 0};
    put(&data, (uint32_t)object.size);
    data.bytes[data.size++] = '0';
    memcpy(data.bytes + data.size, object.bytes, object.size);
    data.size += object.size;
    write_packed(&data);
    expect_output(print_lines, "one\n\ntwo three\n");
    data.bytes[3]++; // promises a byte more than there is
    write_packed(&data);
    expect_death(print_lines, NULL, "an object is damaged");
    data.bytes[3]--;
    data.bytes[4] = '2';
    write_packed(&data);
    expect_death(print_lines, NULL, "packed by bzip2");
}
END_TEST

int main(void)
{
    expect_leaks(); // the tool ends before its memory matters
    const TTest *const tests[] = {
        a_vector_of_strings_is_printed_line_by_line, columns_of_a_data_frame_are_printed_with_tabs,
        an_object_packed_by_xz_is_unpacked,          an_object_that_is_not_packed_is_read,
        promises_that_are_not_kept_are_refused,      what_is_not_there_is_named,
        a_small_file_does_not_become_gigabytes,      no_mutation_crashes_the_tool};
    return run_suite("rdata", tests, (int)(sizeof tests / sizeof *tests), 60);
}
