// Files of tensors: the format to the byte, hostile files, and training that goes on bit for bit.
#include "suite.h"
#include "models/checkpoint.h"
#include "models/nn.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static Parameters small_set(Arena *arena)
{
    Parameters set = parameters_new(arena);
    Tensor *b = parameters_add(&set, "b", 1, 2), *a = parameters_add(&set, "a", 2, 3);
    for (int i = 0; i < 6; i++) a->value.data[i] = (float)i + 0.5f;
    b->value.data[0] = -1.0f;
    b->value.data[1] = 1e-40f; // a subnormal number survives as well
    return set;
}

// A file with this header and count bytes of data 0, 1, 2, …
static const char *file_of(const char *header, size_t count)
{
    static unsigned char bytes[1 << 12];
    size_t length = strlen(header);
    ck_assert(8 + length + count <= sizeof bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(length >> (8 * i));
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < count; i++) bytes[8 + length + i] = (unsigned char)i;
    return scratch_file("made.safetensors", bytes, 8 + length + count);
}

static void open_file(void *context) { safetensors_open(arena_new(), context); }

// What a refused load leaves of the parameters, printed when the process ends.
static Parameters watched;
static void tell_watched(void)
{
    Tensor *a = parameters_find(&watched, "a"), *b = parameters_find(&watched, "b");
    bool untouched = sum(a->value) == 0.0 && sum(b->value) == 0.0;
    fprintf(stderr, "%s", untouched ? "UNTOUCHED" : "CHANGED");
}

static void load_file(void *context)
{
    Arena *arena = arena_new();
    watched = small_set(arena);
    for (int i = 0; i < watched.count; i++) fill(watched.items[i]->value, 0.0f);
    atexit(tell_watched);
    parameters_load(context, &watched);
    exit(0);
}

static void load_into_watched(void *path) { parameters_load(path, &watched); }

static size_t read_bytes(const char *path, unsigned char *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    ck_assert(file != NULL);
    size_t count = fread(bytes, 1, room, file);
    fclose(file);
    return count;
}

START_TEST(the_file_is_the_format_byte_for_byte)
{
    Arena *arena = arena_new();
    Parameters set = small_set(arena);
    SafetensorsNote note = {"made \"by\"", "tést\n"};
    const char *path = scratch_path("exact.safetensors");
    parameters_save(path, &set, &note, 1);
    const char header[] = "{\"__metadata__\":{\"made \\\"by\\\"\":\"tést\\u000a\"},"
                          "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
                          "\"b\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[24,32]}}";
    size_t length = sizeof header - 1, padded = (length + 7) / 8 * 8;
    unsigned char expected[512] = {(unsigned char)padded}, got[512];
    memset(expected + 8, ' ', padded);
    memcpy(expected + 8, header, length);
    memcpy(expected + 8 + padded, set.items[1]->value.data, 24);
    memcpy(expected + 8 + padded + 24, set.items[0]->value.data, 8);
    ck_assert(read_bytes(path, got, sizeof got) == 8 + padded + 32);
    ck_assert_msg(memcmp(expected, got, 8 + padded + 32) == 0, "got %.300s", (const char *)got + 8);

    Safetensors file = safetensors_open(arena, path);
    ck_assert_str_eq(safetensors_note(&file, "made \"by\""), "tést\n");
    ck_assert(safetensors_note(&file, "made") == NULL && safetensors_find(&file, "c") == NULL);
    safetensors_close(&file);
    arena_free(arena);
}
END_TEST

START_TEST(what_was_saved_is_loaded_bit_for_bit)
{
    Arena *arena = arena_new();
    Parameters set = small_set(arena), loaded = small_set(arena);
    const char *path = scratch_path("roundtrip.safetensors");
    parameters_save(path, &set, NULL, 0);
    for (int i = 0; i < loaded.count; i++) fill(loaded.items[i]->value, 7.0f);
    parameters_load(path, &loaded);
    for (int i = 0; i < set.count; i++)
        ck_assert(memcmp(set.items[i]->value.data, loaded.items[i]->value.data,
                         matrix_size(set.items[i]->value) * 4) == 0);
    Safetensors file = safetensors_open(arena, path);
    Matrix a = safetensors_matrix(arena, &file, "a");
    ck_assert(a.rows == 2 && a.cols == 3 && AT(a, 1, 2) == 5.5f);
    safetensors_close(&file);
    arena_free(arena);
}
END_TEST

START_TEST(files_of_others_are_read)
{
    Arena *arena = arena_new();
    // White space, escapes, any order of keys, other dtypes, empty tensors, scalars, more dimensions, arrays
    // in any order.
    const char *path = file_of(
        "{ \"z\\u00e9\\ud83d\\ude00\" :\n{\"data_offsets\":[16,16],\"shape\":[0,3],\"dtype\":\"F32\"} , "
        "\"half\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]},"
        "\"one\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[12,16]},"
        "\"cube\":{\"dtype\":\"F32\",\"shape\":[1,1,2],\"data_offsets\":[4,12]}}   ",
        16);
    Safetensors file = safetensors_open(arena, path);
    ck_assert_int_eq(file.count, 4);
    ck_assert(safetensors_find(&file, "zé😀") && safetensors_find(&file, "zé😀")->bytes == 0);
    ck_assert_str_eq(safetensors_find(&file, "half")->dtype, "BF16");
    Matrix cube = safetensors_matrix(arena, &file, "cube"), one = safetensors_matrix(arena, &file, "one");
    ck_assert(cube.rows == 1 && cube.cols == 2 && one.rows == 1 && one.cols == 1);
    ck_assert(((unsigned char *)cube.data)[0] == 4 && ((unsigned char *)one.data)[3] == 15);
    Safetensors none = safetensors_open(arena, file_of("{}", 0));
    ck_assert_int_eq(none.count, 0);
    safetensors_close(&none);
    safetensors_close(&file);
    arena_free(arena);
}
END_TEST

#define F32(name, shape, begin, end)                                                                         \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"

static void read_scale(void *path)
{
    Arena *arena = arena_new();
    Safetensors file = safetensors_open(arena, path);
    safetensors_matrix(arena, &file, "scale");
}

// Editions of the format add element types: what is not known is listed, and the rest of the file can be read.
START_TEST(element_types_of_later_editions_do_not_stand_in_the_way)
{
    static const struct {
        const char *dtype, *shape;
        size_t bytes;
    } types[] = {{"F8_E8M0", "[4]", 4},
                 {"F8_E4M3FNUZ", "[2,2]", 4},
                 {"F8_E5M2FNUZ", "[4]", 4},
                 {"F8_E5M2", "[4]", 4},
                 {"F4", "[8]", 4},
                 {"F4", "[2,4]", 4},
                 {"F6_E2M3", "[4]", 3},
                 {"F6_E3M2", "[8]", 6},
                 {"C64", "[1]", 8},
                 {"C64", "[]", 8},
                 {"C128", "[1]", 16},
                 {"I4", "[3]", 2},
                 {"F32_OF_2031", "[5]", 7},
                 {"f32", "[1]", 4},
                 {"", "[1]", 3},
                 {"F4", "[0]", 0},
                 {"U128", "[0,7]", 0}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char header[300];
        snprintf(
            header, sizeof header,
            "{\"scale\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[8,%zu]}," F32("w", "[2]", 0, 8) "}",
            types[i].dtype, types[i].shape, 8 + types[i].bytes);
        Arena *arena = arena_new();
        const char *path = file_of(header, 8 + types[i].bytes);
        Safetensors file = safetensors_open(arena, path);
        ck_assert_int_eq(file.count, 2);
        ck_assert_str_eq(file.entries[0].dtype, types[i].dtype);
        ck_assert_uint_eq(file.entries[0].bytes, types[i].bytes);
        Matrix w = safetensors_matrix(arena, &file, "w");
        ck_assert(w.rows == 1 && w.cols == 2 && ((unsigned char *)w.data)[7] == 7);
        expect_death(read_scale, (void *)(uintptr_t)path, ", expected F32");
        safetensors_close(&file);
        arena_free(arena);
    }
}
END_TEST

START_TEST(headers_as_the_reference_reads_them_are_read)
{
    static const struct {
        const char *header;
        int notes;
    } headers[] = {
        {"{\"__metadata__\":null," F32("w", "[2]", 0, 8) "}", 0},
        {"{" F32("w", "[2]", 0, 8) ",\"__metadata__\" : null }", 0},
        {"{\"__metadata__\":{}," F32("w", "[2]", 0, 8) "}", 0},
        {"{\"__metadata__\":{\"\":\"\",\"a\":\"b\"}," F32("w", "[2]", 0, 8) "}", 2},
        {" \n\t{" F32("w", "[2]", 0, 8) "}", 0},
        {"{" F32("w", "[2]", 0, 8) "}\n\t \r\n", 0},
        {"{\"w\":{\"more\":[1,-2.5e+3,{\"x\":[true,false,null,\"\\u00e9\"]},{},[]],\"dtype\":\"F32\","
         "\"shape\":[2],"
         "\"data_offsets\":[0,8],\"more\":0}}",
         0},
        {"{" F32("w", "[1,1,1,1,1,1,1,1,1,2]", 0, 8) "}", 0},
        {"{" F32("", "[0]", 0, 0) "," F32("w", "[2]", 0, 8) "," F32("z", "[7,0]", 8, 8) "}", 0},
        {"{" F32("../a/b\\\\\\/\\n", "[0,2147483648]", 0, 0) "," F32("w", "[2]", 0, 8) "}", 0},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        Arena *arena = arena_new();
        Safetensors file = safetensors_open(arena, file_of(headers[i].header, 8));
        ck_assert_int_eq(file.note_count, headers[i].notes);
        Matrix w = safetensors_matrix(arena, &file, "w");
        ck_assert_msg(matrix_size(w) == 2 && ((unsigned char *)w.data)[7] == 7, "%s", headers[i].header);
        safetensors_close(&file);
        arena_free(arena);
    }
}
END_TEST

START_TEST(files_of_other_kinds_are_called_by_their_name)
{
    static const struct {
        const char *start, *kind;
    } files[] = {{"PK\3\4archive/data.pkl", "a zip archive"},
                 {"\x1f\x8b\x08 and so on", "compressed"},
                 {"version https://git-lfs.github.com/spec/v1", "git lfs pull"},
                 {"\xef\xbb\xbf@\0\0\0\0{}", "byte order mark"},
                 {"<!DOCTYPE html><html>", "a page of the web"},
                 {"{\"metadata\":{},\"weight_map\":{}}", "the index of several files"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        expect_death(open_file,
                     (void *)(uintptr_t)scratch_file("other", files[i].start, strlen(files[i].start)),
                     files[i].kind);
}
END_TEST

// ---- Numbers of two bytes ---------------------------------------------------------------------------------

static const char halves[] = "{\"h\":{\"dtype\":\"F16\",\"shape\":[2,2],\"data_offsets\":[0,8]},"
                             "\"b\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[8,14]},"
                             "\"i\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[14,22]}}";
// 1, −2, 2⁻²⁴, 65504 as F16; 1, −1.5, 2¹²⁷ as BF16.
static const unsigned char half_bytes[22] = {0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0xff,
                                             0x7b, 0x80, 0x3f, 0xc0, 0xbf, 0x00, 0x7f};

static const char *file_of_halves(void)
{
    unsigned char bytes[512] = {sizeof halves - 1};
    memcpy(bytes + 8, halves, sizeof halves - 1);
    memcpy(bytes + 8 + sizeof halves - 1, half_bytes, sizeof half_bytes);
    return scratch_file("halves.safetensors", bytes, 8 + sizeof halves - 1 + sizeof half_bytes);
}

static void read_integers(void *path)
{
    Arena *arena = arena_new();
    Safetensors file = safetensors_open(arena, path);
    safetensors_matrix(arena, &file, "i");
}

START_TEST(numbers_of_two_bytes_become_floats_and_stay_as_they_are_in_a_view)
{
    Arena *arena = arena_new();
    const char *path = file_of_halves();
    Safetensors file = safetensors_open(arena, path);
    Matrix h = safetensors_matrix(arena, &file, "h"), b = safetensors_matrix(arena, &file, "b");
    ck_assert(h.rows == 2 && h.cols == 2 && b.rows == 1 && b.cols == 3);
    ck_assert(AT(h, 0, 0) == 1.0f && AT(h, 0, 1) == -2.0f && AT(h, 1, 0) == 0x1p-24f &&
              AT(h, 1, 1) == 65504.0f);
    ck_assert(AT(b, 0, 0) == 1.0f && AT(b, 0, 1) == -1.5f && AT(b, 0, 2) == 0x1p127f);
    Stored view = safetensors_stored(&file, "b");
    ck_assert(view.kind == STORED_BF16 && view.rows == 1 && view.cols == 3);
    ck_assert(view.data == safetensors_find(&file, "b")->data);
    float row[2];
    stored_row(row, safetensors_stored(&file, "h"), 1);
    ck_assert(row[0] == 0x1p-24f && row[1] == 65504.0f);
    expect_death(read_integers, (void *)(uintptr_t)path, "tensor i is I64, expected F32, F16 or BF16");
    safetensors_close(&file);
    arena_free(arena);
}
END_TEST

static void write_strips(void *path)
{
    Arena *arena = arena_new();
    const Stored rows = stored_from(arena, matrix_new(arena, 5, 3), STORED_BF16);
    SafetensorsStoredItem item = {"w", stored_convert(arena, rows, STORED_BF16), false};
    safetensors_write_stored(path, &item, 1, NULL, 0);
}

START_TEST(strips_are_not_written_as_rows)
{
    expect_death(write_strips, (void *)(uintptr_t)scratch_path("strips.safetensors"), "w lies in strips");
}
END_TEST

START_TEST(what_is_stored_in_two_bytes_is_written_and_read_again)
{
    Arena *arena = arena_new();
    const char *path = scratch_path("stored.safetensors");
    Matrix m = matrix_new(arena, 5, 3), gain = matrix_new(arena, 1, 3);
    Rng rng = rng_new(3, 1);
    fill_normal(m, &rng, 0, 1);
    fill_normal(gain, &rng, 0, 1);
    SafetensorsStoredItem items[] = {{"w", stored_from(arena, m, STORED_BF16), false},
                                     {"gain", stored_from(arena, gain, STORED_F16), true},
                                     {"f", {5, 3, STORED_F32, m.data, NULL, false}, false}};
    Stored weight = items[0].value, half = items[1].value;
    safetensors_write_stored(path, items, 3, NULL, 0);
    Safetensors file = safetensors_open(arena, path);
    const SafetensorsEntry *entry = safetensors_find(&file, "gain");
    ck_assert(entry->rank == 1 && entry->shape[0] == 3 && strcmp(entry->dtype, "F16") == 0);
    ck_assert(memcmp(entry->data, half.data, 6) == 0);
    ck_assert(memcmp(safetensors_find(&file, "w")->data, weight.data, 30) == 0);
    ck_assert(largest_difference(safetensors_matrix(arena, &file, "f"), m) == 0.0f);
    safetensors_close(&file);
    arena_free(arena);
}
END_TEST

START_TEST(parameters_are_loaded_from_numbers_of_two_bytes)
{
    Arena *arena = arena_new();
    Parameters set = small_set(arena), loaded = small_set(arena);
    const char *path = scratch_path("bf16.safetensors");
    SafetensorsStoredItem items[] = {{"a", stored_from(arena, set.items[1]->value, STORED_BF16), false},
                                     {"b", stored_from(arena, set.items[0]->value, STORED_F16), true}};
    safetensors_write_stored(path, items, 2, NULL, 0);
    for (int i = 0; i < loaded.count; i++) fill(loaded.items[i]->value, 7.0f);
    parameters_load(path, &loaded);
    ck_assert(largest_difference(loaded.items[1]->value, set.items[1]->value) == 0.0f); // few bits are needed
    ck_assert(loaded.items[0]->value.data[0] == -1.0f && loaded.items[0]->value.data[1] == 0.0f);
    arena_free(arena);
}
END_TEST

// ---- The map ------------------------------------------------------------------------------------------------

// A file of one F32 tensor of so many numbers, all 0, that takes no room on the disk.
static const char *hollow_file(size_t numbers)
{
    char header[128];
    int length = snprintf(header, sizeof header,
                          "{\"w\":{\"dtype\":\"F32\",\"shape\":[%zu,1024],\"data_offsets\":[0,%zu]}}",
                          numbers / 1024, 4 * numbers);
    unsigned char bytes[256] = {(unsigned char)length};
    memcpy(bytes + 8, header, (size_t)length);
    const char *path = scratch_file("hollow.safetensors", bytes, 8 + (size_t)length);
    ck_assert_int_eq(truncate(path, (off_t)(8 + (size_t)length + 4 * numbers)), 0);
    return path;
}

static long most_memory(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

START_TEST(opening_a_large_file_costs_its_header)
{
    Arena *arena = arena_new();
    const char *path = hollow_file((size_t)1 << 30); // 4 GiB
    const long before = most_memory();
    Safetensors file = safetensors_open(arena, path);
    float row[1024] = {1.0f};
    stored_row(row, safetensors_stored(&file, "w"), (1 << 20) - 1);
    ck_assert(row[0] == 0.0f);
    ck_assert_msg(most_memory() - before < 32 * 1024, "%ld KiB", most_memory() - before);
    safetensors_close(&file);
    ck_assert_int_eq(file.count, 0);
    arena_free(arena);
}
END_TEST

static void read_what_was_cut_off(void *path)
{
    Arena *arena = arena_new();
    Safetensors file = safetensors_open(arena, path);
    if (truncate(path, 4096) != 0) exit(3);
    safetensors_matrix(arena, &file, "w");
}

static void overwrite(const char *path, off_t at)
{
    int file = open(path, O_WRONLY);
    if (file < 0 || pwrite(file, "new", 3, at) != 3 || close(file) != 0) exit(3);
}

static void read_what_was_overwritten(void *path)
{
    Arena *arena = arena_new();
    const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    if (utimensat(AT_FDCWD, path, old, 0) != 0) exit(3);
    Safetensors file = safetensors_open(arena, path);
    overwrite(path, 5000);
    safetensors_matrix(arena, &file, "w");
}

START_TEST(a_file_that_changes_while_it_is_open_is_refused)
{
    const char *path = hollow_file(1 << 16);
    expect_death(read_what_was_cut_off, (void *)(uintptr_t)path,
                 "hollow.safetensors: the file has become shorter while it was in use");
    path = hollow_file(1 << 16);
    expect_death(read_what_was_overwritten, (void *)(uintptr_t)path,
                 "hollow.safetensors: the file was written to while it was read");
}
END_TEST

START_TEST(a_file_that_is_replaced_while_it_is_open_stays_as_it_was)
{
    Arena *arena = arena_new();
    Parameters set = small_set(arena);
    const char *path = scratch_path("replaced.safetensors");
    parameters_save(path, &set, NULL, 0);
    Safetensors file = safetensors_open(arena, path);
    fill(set.items[1]->value, 9.0f);
    parameters_save(path, &set, NULL, 0);
    Matrix a = safetensors_matrix(arena, &file, "a");
    ck_assert(AT(a, 1, 2) == 5.5f);
    safetensors_close(&file);
    arena_free(arena);
}
END_TEST

// Writes the bytes to the pipe from another process.
static pid_t write_to_pipe(const char *path, const void *bytes, size_t size)
{
    pid_t writer = fork();
    if (writer) return writer;
    int pipe = open(path, O_WRONLY);
    _exit(write(pipe, bytes, size) == (ssize_t)size ? 0 : 1);
}

START_TEST(a_pipe_is_read_to_its_end)
{
    Arena *arena = arena_new();
    unsigned char bytes[1 << 12];
    size_t size = read_bytes(file_of_halves(), bytes, sizeof bytes);
    const char *path = scratch_path("pipe");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    expect_death(open_file, (void *)(uintptr_t)path, "0 bytes, a safetensors file has at least 10");
    for (int cut = 0; cut < 2; cut++) {
        int keep = open(path, O_RDWR); // so that the writer finds a reader, and the reader a writer
        pid_t writer = write_to_pipe(path, bytes, size - (size_t)cut);
        int status;
        ck_assert(waitpid(writer, &status, 0) == writer && status == 0);
        int end = open(path, O_RDONLY | O_NONBLOCK); // the bytes stay while someone has it open
        close(keep);
        if (cut) {
            expect_death(open_file, (void *)(uintptr_t)path, "the data end at 21");
        } else {
            Safetensors file = safetensors_open(arena, path);
            ck_assert(AT(safetensors_matrix(arena, &file, "h"), 0, 1) == -2.0f);
            safetensors_close(&file);
        }
        close(end);
    }
    arena_free(arena);
}
END_TEST

#define TWICE(x)      x x
#define DIMENSIONS_64 TWICE(TWICE(TWICE(TWICE(TWICE(TWICE("1,"))))))
#define BRACKETS_128  TWICE(TWICE(TWICE(TWICE(TWICE(TWICE(TWICE("[")))))))

START_TEST(hostile_headers_are_refused_with_the_reason)
{
    static const struct {
        const char *header;
        size_t data;
        const char *reason;
    } files[] = {
        {"{" F32("a", "[2]", 0, 8) "," F32("a", "[1]", 8, 12) "}", 12, "tensor a is there twice"},
        {"{" F32("a", "[2]", 0, 8) "," F32("b", "[2]", 4, 12) "}", 12, "it overlaps another"},
        {"{" F32("a", "[1]", 0, 4) "," F32("b", "[1]", 8, 12) "}", 12, "there is a hole"},
        {"{" F32("a", "[1]", 4, 8) "}", 8, "there is a hole"},
        {"{" F32("a", "[4]", 0, 16) "}", 12, "the data end at 12"},
        {"{" F32("a", "[1]", 0, 4) "}", 12, "8 bytes behind the last tensor"},
        {"{" F32("a", "[3]", 0, 8) "}", 8, "dtype and shape need 12 bytes"},
        {"{" F32("a", "[1]", 8, 4) "}", 8, "ends at 4 before it begins at 8"},
        {"{" F32("a", "[4294967296,4294967296]", 0, 0) "}", 0, "beyond 64 bits"},
        {"{" F32("a", "[18446744073709551616]", 0, 0) "}", 0, "whole numbers up to"},
        {"{" F32("a", "[4503599627370496,8192]", 0, 0) "}", 0, "beyond 64 bits"},
        {"{" F32("a", "[-1]", 0, 4) "}", 4, "whole numbers up to"},
        {"{" F32("a", "[" DIMENSIONS_64 "1]", 0, 4) "}", 4, "more than 64 dimensions"},
        {"{" F32("a", "[1.5]", 0, 4) "}", 4, "whole number"},
        {"{" F32("a", "[null]", 0, 4) "}", 4, "whole number"},
        {"{" F32("a", "[1,]", 0, 4) "}", 4, "no JSON from byte 31"},
        {"{" F32("a", "[1]", 0, 4) ",}", 4, "no JSON"},
        {"{" F32("a", "[1]", 0, 4), 4, "no JSON"},
        {"{" F32("a", "[1]", 0, 4) "} x", 4, "behind the value"},
        {"{\"a\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,0]}}", 0,
         "the shape has 1 elements, the offsets give 0 bytes"},
        {"{\"a\":{\"dtype\":\"F33\",\"shape\":[0],\"data_offsets\":[0,4]}}", 4,
         "the shape has 0 elements, the offsets give 4 bytes"},
        {"{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}", 2,
         "3 elements of F4, 4 bits each, are no whole number of bytes"},
        {"{\"a\":{\"dtype\":\"F6_E2M3\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4,
         "dtype and shape need 3 bytes, the offsets give 4"},
        {"{\"a\":{\"dtype\":\"F4\",\"shape\":[4503599627370496,8192],\"data_offsets\":[0,0]}}", 0,
         "beyond 64 bits"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "needs dtype, shape and data_offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
         "key dtype is repeated"},
        {"{\"a\":{\"DType\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
         "needs dtype, shape and data_offsets"},
        {"{\"a\":{\"more\":tru}}", 4, "no JSON from byte 13"},
        {"{\"a\":{\"more\":[1,]}}", 4, "no JSON"},
        {"{\"a\":{\"more\":{\"x\" 1}}}", 4, "no JSON"},
        {"{\"a\":{\"more\":" BRACKETS_128 "[", 4, "nested more than 128 deep"},
        {"{\"a\":[]}", 0, "an object { … } is expected"},
        {"{\"a\\q\":{}}", 0, "no JSON"},
        {"{\"a\\ud83d\":{}}", 0, "no JSON"},
        {"{\"a\\u00\":{}}", 0, "hexadecimal"},
        {"{\"a\\u0000\":{}}", 0, "NUL"},
        {"{\"a\xff\":{}}", 0, "not UTF-8"},
        {"{\"a\xc0\xaf\":{}}", 0, "not UTF-8"},
        {"{\"a\xed\xa0\x80\":{}}", 0, "not UTF-8"},
        {"{\"a", 0, "no JSON"},
        {"{\"a\\", 0, "no JSON"},
        {"[]", 0, "begins with '{'"},
        {"{}\\0", 0, "behind the value"},
        {"{\"__metadata__\":{\"k\":1}}", 0, "metadata k is not a string"},
        {"{\"__metadata__\":{\"k\":null}}", 0, "metadata k is not a string"},
        {"{\"__metadata__\":[]}", 0, "an object { … } is expected"},
        {"{\"__metadata__\":null,\"__metadata__\":{}}", 0, "__metadata__ is there twice"},
        {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "metadata k is there twice"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ is there twice"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *path = file_of(files[i].header, files[i].data);
        int status;
        const char *message = stderr_of(open_file, (void *)(uintptr_t)path, &status);
        ck_assert_msg(status == 1 && strstr(message, files[i].reason) && strstr(message, "made.safetensors"),
                      "%s: status %d, expected \"%s\", got: %s", files[i].header, status, files[i].reason,
                      message);
    }
}
END_TEST

START_TEST(a_header_longer_than_the_file_is_refused_before_memory_is_asked_for)
{
    const unsigned char huge[10] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, '{', '}'};
    const unsigned char beyond[10] = {3, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    const unsigned char empty[10] = {0, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    const char *path = scratch_file("huge.safetensors", huge, sizeof huge);
    expect_death(open_file, (void *)(uintptr_t)path, "a header of 9223372036854775807 bytes in a file of 10");
    path = scratch_file("beyond.safetensors", beyond, sizeof beyond);
    expect_death(open_file, (void *)(uintptr_t)path, "a header of 3 bytes in a file of 10");
    path = scratch_file("empty.safetensors", empty, sizeof empty);
    expect_death(open_file, (void *)(uintptr_t)path, "a header of 0 bytes");
    path = scratch_file("short.safetensors", huge, 4);
    expect_death(open_file, (void *)(uintptr_t)path, "4 bytes, a safetensors file has at least 10");
    expect_death(open_file, (void *)(uintptr_t)scratch_path("absent.safetensors"), "No such file");
    expect_death(open_file, (void *)(uintptr_t) "/", "is not an ordinary file");
}
END_TEST

START_TEST(a_file_of_another_model_is_refused_and_nothing_is_loaded)
{
    static const struct {
        const char *header;
        size_t data;
        const char *reason;
    } files[] = {
        {"{" F32("b", "[1,2]", 0, 8) "}", 8, "tensor a (2 × 3) is missing"},
        {"{" F32("a", "[3,2]", 0, 24) "," F32("b", "[1,2]", 24, 32) "}", 32,
         "tensor a is [3, 2], expected [2, 3]"},
        {"{" F32("a", "[6]", 0, 24) "," F32("b", "[1,2]", 24, 32) "}", 32,
         "tensor a is [6], expected [2, 3]"},
        {"{" F32("a", "[2,4]", 0, 32) "," F32("b", "[1,2]", 32, 40) "}", 40,
         "tensor a is [2, 4], expected [2, 3]"},
        {"{\"a\":{\"dtype\":\"I32\",\"shape\":[2,3],\"data_offsets\":[0,24]}," F32("b", "[2]", 24, 32) "}",
         32, "tensor a is I32, expected F32"},
        {"{" F32("a", "[2,3]", 0, 24) "," F32("b", "[1,2]", 24, 32) "," F32("c", "[1]", 32, 36) "}", 36,
         "tensor c is not part of this model"},
        {"{" F32("a", "[2,3]", 0, 24) "," F32("b", "[2,1]", 24, 32) "}", 32,
         "tensor b is [2, 1], expected [1, 2]"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *path = file_of(files[i].header, files[i].data);
        int status;
        const char *message = stderr_of(load_file, (void *)(uintptr_t)path, &status);
        ck_assert_msg(status == 1 && strstr(message, files[i].reason) && strstr(message, "UNTOUCHED"),
                      "%s: status %d, expected \"%s\", got: %s", files[i].header, status, files[i].reason,
                      message);
    }
    const char *right = file_of("{" F32("a", "[2,3]", 0, 24) "," F32("b", "[2]", 24, 32) "}", 32);
    int status;
    const char *message = stderr_of(load_file, (void *)(uintptr_t)right, &status);
    ck_assert_msg(status == 0 && strstr(message, "CHANGED"), "status %d: %s", status, message);
}
END_TEST

// Every truncation is refused; random damage is refused or harmless, but never a crash, a hang, or half a
// load.
START_TEST(damaged_files_never_crash)
{
    Arena *arena = arena_new();
    Parameters set = small_set(arena);
    SafetensorsNote note = {"format", "pt"};
    parameters_save(scratch_path("whole.safetensors"), &set, &note, 1);
    unsigned char whole[512], bytes[520];
    size_t size = read_bytes(scratch_path("whole.safetensors"), whole, sizeof whole);
    for (size_t cut = 0; cut < size; cut++) {
        int status;
        const char *path = scratch_file("cut.safetensors", whole, cut);
        const char *message = stderr_of(load_file, (void *)(uintptr_t)path, &status);
        ck_assert_msg(status == 1 && strstr(message, "UNTOUCHED"), "cut to %zu of %zu: status %d, %s", cut,
                      size, status, message);
    }
    Rng rng = rng_new(77, 0);
    static const unsigned char nasty[] = {0,   0xff, '"', '\\', '{', '}', '[',  ']',
                                          ',', ':',  '9', '0',  '-', 'u', 0x80, ' '};
    int refused = 0;
    enum { ROUNDS = 600 };
    for (int round = 0; round < ROUNDS; round++) {
        memcpy(bytes, whole, size);
        size_t length = size;
        for (int damage = (int)rng_below(&rng, 3); damage >= 0; damage--) {
            size_t at = rng_below(&rng, (uint32_t)(round % 2 ? size - 32 : 12));
            if (rng_below(&rng, 4) == 0 && length < sizeof bytes) {
                memmove(bytes + at + 1, bytes + at, length - at);
                length++;
            }
            bytes[at] =
                rng_below(&rng, 2) ? nasty[rng_below(&rng, sizeof nasty)] : (unsigned char)rng_next(&rng);
        }
        int status;
        const char *path = scratch_file("damaged.safetensors", bytes, length);
        const char *message = stderr_of(load_file, (void *)(uintptr_t)path, &status);
        refused += status == 1;
        ck_assert_msg(status == 0 || (status == 1 && strstr(message, "UNTOUCHED")), "round %d: status %d, %s",
                      round, status, message);
    }
    ck_assert_msg(refused > ROUNDS / 2, "only %d of %d were refused", refused, ROUNDS);
    arena_free(arena);
}
END_TEST

static void save_into_nowhere(void *context)
{
    Parameters set = small_set(arena_new());
    parameters_save(context, &set, NULL, 0);
}

static void add_a_parameter(void *name)
{
    Parameters set = parameters_new(arena_new());
    parameters_add(&set, name, 1, 1);
}

// Before anything is trained.
START_TEST(a_parameter_that_could_not_be_saved_is_refused_when_it_is_added)
{
    expect_death(add_a_parameter, "__metadata__", "a parameter cannot be named __metadata__");
    expect_death(add_a_parameter, "", "a parameter needs a name");
    expect_death(add_a_parameter, "a\xff", "is not UTF-8 at byte 1");
    expect_death(add_a_parameter, "\xed\xa0\x80", "is not UTF-8 at byte 0");
    Arena *arena = arena_new();
    Parameters set = parameters_new(arena);
    static const char *const odd[] = {"__metadata", "__Metadata__", " ",    "\n\t\x01\x7f",
                                      "a/b",        "梯度",         "\"\\", "z\u0301"};
    int count = (int)(sizeof odd / sizeof *odd);
    for (int i = 0; i < count; i++) parameters_add(&set, odd[i], 1, i);
    const char *path = scratch_path("odd.safetensors");
    parameters_save(path, &set, NULL, 0);
    Safetensors file = safetensors_open(arena, path);
    for (int i = 0; i < count; i++) ck_assert_msg(safetensors_find(&file, odd[i]), "%s", odd[i]);
    safetensors_close(&file);
    parameters_load(path, &set);
    arena_free(arena);
}
END_TEST

typedef struct {
    const char *path;
    SafetensorsNote notes[2];
    int count;
} Notes;

static void save_notes(void *context)
{
    const Notes *notes = context;
    Arena *arena = arena_new();
    Parameters set = small_set(arena);
    parameters_save(notes->path, &set, notes->notes, notes->count);
    arena_free(arena);
}

START_TEST(notes_that_could_not_be_read_are_not_written)
{
    Arena *arena = arena_new();
    const char *path = scratch_path("noted.safetensors");
    Notes right = {path, {{"a", "1"}, {"", ""}}, 2};
    save_notes(&right);
    Notes twice = {path, {{"a", "1"}, {"a", "2"}}, 2}, key = {path, {{"\xff", "1"}}, 1},
          value = {path, {{"a", "\xc0\x80"}}, 1}, none = {path, {{"a", NULL}}, 1},
          unnamed = {path, {{NULL, "a"}}, 1};
    expect_death(save_notes, &twice, "two notes have the key \"a\"");
    expect_death(save_notes, &key, "is not UTF-8");
    expect_death(save_notes, &value, "note \"a\" is not UTF-8");
    expect_death(save_notes, &none, "note 0 has no value");
    expect_death(save_notes, &unnamed, "note 0 has no key");
    Safetensors file = safetensors_open(arena, path);
    ck_assert_int_eq(file.note_count, 2); // the old file
    safetensors_close(&file);
    arena_free(arena);
}
END_TEST

START_TEST(many_names_are_found_and_compared_in_no_time)
{
    Arena *arena = arena_new();
    Parameters set = parameters_new(arena), more = parameters_new(arena);
    enum { MANY = 100000 };
    char name[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "block%d.gain", i);
        parameters_add(&set, name, 1, 1)->value.data[0] = (float)i;
        if (i < MANY / 2) parameters_add(&more, name, 1, 1);
    }
    ck_assert(parameters_find(&set, "block99999.gain")->value.data[0] == 99999.0f);
    ck_assert(parameters_find(&set, "block100000.gain") == NULL && parameters_find(&set, "") == NULL);
    const char *path = scratch_path("many.safetensors");
    parameters_save(path, &set, NULL, 0);
    parameters_load(path, &set);
    int status;
    watched = more;
    const char *message = stderr_of(load_into_watched, (void *)(uintptr_t)path, &status);
    ck_assert_msg(status == 1 && strstr(message, "is not part of this model"), "%s", message);
    arena_free(arena);
}
END_TEST

START_TEST(a_failed_save_leaves_the_old_file)
{
    Arena *arena = arena_new();
    Parameters set = small_set(arena);
    expect_death(save_into_nowhere, (void *)(uintptr_t) "/nonexistent/folder/x", "cannot be written");
    const char *path = scratch_path("kept.safetensors");
    parameters_save(path, &set, NULL, 0);
    Notes bad = {path, {{"a\xff", "1"}}, 1};
    expect_death(save_notes, &bad, "is not UTF-8");
    Safetensors file = safetensors_open(arena, path);
    ck_assert_int_eq(file.count, 2);
    safetensors_close(&file);
    arena_free(arena);
}
END_TEST

// ---- Checkpoints ------------------------------------------------------------------------------------------

typedef struct {
    Parameters set;
    Linear first, second;
    BatchNorm norm;
    Optimiser optimiser;
    Rng rng;
} Run;

static void run_begin(Run *run, Arena *arena, OptimiserKind kind)
{
    Rng rng = rng_new(4, 0);
    run->set = parameters_new(arena);
    run->first = linear_new(&run->set, "first", 9, 21, &rng, INIT_HE);
    run->norm = batch_norm_new(&run->set, "norm", 21);
    run->second = linear_new(&run->set, "second", 21, 3, &rng, INIT_HE);
    run->rng = rng_new(4, 1);
    switch (kind) {
    case OPTIMISER_SGD:
        run->optimiser = sgd_new(arena, &run->set, 0.01f);
        break;
    case OPTIMISER_MOMENTUM:
        run->optimiser = momentum_new(arena, &run->set, 0.9f, 0.01f);
        break;
    case OPTIMISER_NESTEROV:
        run->optimiser = nesterov_new(arena, &run->set, 0.9f, 0.01f);
        break;
    case OPTIMISER_RMSPROP:
        run->optimiser = rmsprop_new(arena, &run->set, 0.9f, 1e-8f, 0.01f);
        break;
    case OPTIMISER_ADAM:
        run->optimiser = adam_new(arena, &run->set, 0.9f, 0.999f, 1e-8f, 0.01f);
        break;
    case OPTIMISER_ADAMW:
        run->optimiser = adamw_new(arena, &run->set, 0.9f, 0.999f, 1e-8f, 0.01f);
        break;
    }
}

static void run_steps(Run *run, Arena *arena, long from, long to)
{
    Tape *tape = tape_new();
    Matrix x = matrix_new(arena, 12, 9);
    int labels[12];
    for (long step = from; step < to; step++) {
        tape_reset(tape);
        fill_normal(x, &run->rng, 0, 1);
        for (int i = 0; i < 12; i++) labels[i] = (int)rng_below(&run->rng, 3);
        Tensor *h = batch_normalise(&run->norm, linear(&run->first, tape_input(tape, x)), true);
        h = dropout(relu(h), 0.2f, &run->rng, true);
        backward(cross_entropy(linear(&run->second, h), labels));
        optimiser_step(&run->optimiser, cosine_schedule(1e-2f, step, 3, 20));
    }
    tape_free(tape);
}

START_TEST(training_goes_on_from_a_checkpoint_bit_for_bit)
{
    Arena *arena = arena_new();
    const char *path = scratch_path("run.safetensors");
    for (int kind = OPTIMISER_SGD; kind <= OPTIMISER_ADAMW; kind++) {
        Run whole, resumed;
        run_begin(&whole, arena, (OptimiserKind)kind);
        run_steps(&whole, arena, 0, 7);
        checkpoint_save(path, &whole.optimiser, &whole.rng, 1, 7);
        Matrix at_seven = matrix_copy(arena, whole.first.weight->value);
        run_steps(&whole, arena, 7, 20);

        run_begin(&resumed, arena, (OptimiserKind)kind);
        long step = checkpoint_load(path, &resumed.optimiser, &resumed.rng, 1);
        ck_assert_int_eq(step, 7);
        run_steps(&resumed, arena, step, 20);
        for (int i = 0; i < whole.set.count; i++)
            ck_assert_msg(memcmp(whole.set.items[i]->value.data, resumed.set.items[i]->value.data,
                                 matrix_size(whole.set.items[i]->value) * sizeof(float)) == 0,
                          "optimiser %d: %s differs", kind, whole.set.names[i]);
        ck_assert(largest_difference(at_seven, whole.first.weight->value) > 0.0f);
    }
    arena_free(arena);
}
END_TEST

static void save_a_step_before_the_first(void *path)
{
    Run run;
    run_begin(&run, arena_new(), OPTIMISER_ADAM);
    checkpoint_save(path, &run.optimiser, &run.rng, 1, -1);
}

static void save_a_generator_that_was_never_made(void *path)
{
    Run run;
    run_begin(&run, arena_new(), OPTIMISER_ADAM);
    Rng none = {0};
    checkpoint_save(path, &run.optimiser, &none, 1, 0);
}

START_TEST(a_checkpoint_that_could_not_be_loaded_is_not_written)
{
    void *path = (void *)(uintptr_t)scratch_path("refused.safetensors");
    expect_death(save_a_step_before_the_first, path, "step -1");
    expect_death(save_a_generator_that_was_never_made, path, "generator 0 was never made");
    FILE *file = fopen(path, "rb");
    ck_assert(file == NULL);
}
END_TEST

static void load_with_another_optimiser(void *context)
{
    Run run;
    run_begin(&run, arena_new(), OPTIMISER_NESTEROV);
    checkpoint_load(context, &run.optimiser, &run.rng, 1);
}

static void load_without_generator(void *context)
{
    Run run;
    run_begin(&run, arena_new(), OPTIMISER_ADAM);
    checkpoint_load(context, &run.optimiser, NULL, 0);
}

START_TEST(a_checkpoint_of_another_run_is_refused)
{
    Arena *arena = arena_new();
    const char *path = scratch_path("adam.safetensors"), *model = scratch_path("model.safetensors");
    Run run;
    run_begin(&run, arena, OPTIMISER_ADAM);
    checkpoint_save(path, &run.optimiser, &run.rng, 1, 0);
    parameters_save(model, &run.set, NULL, 0);
    expect_death(load_with_another_optimiser, (void *)(uintptr_t)path,
                 "saved with optimiser 4, this one is 2");
    expect_death(load_without_generator, (void *)(uintptr_t)path, "1 generators, expected 0");
    expect_death(load_without_generator, (void *)(uintptr_t)model, "metadata optimiser is missing");
    arena_free(arena);
}
END_TEST

SUITE("safetensors", the_file_is_the_format_byte_for_byte, what_was_saved_is_loaded_bit_for_bit,
      files_of_others_are_read, element_types_of_later_editions_do_not_stand_in_the_way,
      headers_as_the_reference_reads_them_are_read, files_of_other_kinds_are_called_by_their_name,
      hostile_headers_are_refused_with_the_reason,
      a_header_longer_than_the_file_is_refused_before_memory_is_asked_for,
      a_file_of_another_model_is_refused_and_nothing_is_loaded, damaged_files_never_crash,
      a_failed_save_leaves_the_old_file, a_parameter_that_could_not_be_saved_is_refused_when_it_is_added,
      notes_that_could_not_be_read_are_not_written, many_names_are_found_and_compared_in_no_time,
      a_checkpoint_that_could_not_be_loaded_is_not_written, training_goes_on_from_a_checkpoint_bit_for_bit,
      a_checkpoint_of_another_run_is_refused,
      numbers_of_two_bytes_become_floats_and_stay_as_they_are_in_a_view,
      what_is_stored_in_two_bytes_is_written_and_read_again, strips_are_not_written_as_rows,
      parameters_are_loaded_from_numbers_of_two_bytes, opening_a_large_file_costs_its_header,
      a_file_that_changes_while_it_is_open_is_refused,
      a_file_that_is_replaced_while_it_is_open_stays_as_it_was, a_pipe_is_read_to_its_end)
