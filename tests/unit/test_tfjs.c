// test_tfjs.c: weights of TensorFlow.js: bytes and floats come out as they were meant, and manifests that lie are refused.
#include "base/rng.h"
#include "files/tfjs.h"
#include "learning/ops/conv.h"
#include "suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static Arena *arena;

static char *folder(void)
{
    static char path[256];
    snprintf(path, sizeof path, "%s", scratch_path("tfjs"));
    mkdir(path, 0700);
    return path;
}

static const char *path_of(const char *name)
{
    static char paths[4][512];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder(), name);
    return path;
}

static void put(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(path_of(name), "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert(size == 0 || fwrite(bytes, 1, size, file) == size);
    fclose(file);
}

static void manifest(const char *text) { put("manifest.json", text, strlen(text)); }

static TfjsFile opened(void)
{
    if (!arena) arena = arena_new();
    return tfjs_open(arena, path_of("manifest.json"));
}

// A group of one file, "a.bin", with one tensor besides the text
#define GROUP(tensors)                "[{\"weights\":[" tensors "],\"paths\":[\"a.bin\"]}]"
#define BYTE(name, shape, scale, min) QUANTISED(name, shape, "\"uint8\"", scale, min)
#define QUANTISED(name, shape, type, scale, min)                                                             \
    "{\"name\":\"" name "\",\"shape\":[" shape "],\"dtype\":\"float32\",\"quantization\":{\"dtype\":" type   \
    ",\"scale\":" scale ",\"min\":" min "}}"
#define FLOAT(name, shape) "{\"name\":\"" name "\",\"shape\":[" shape "],\"dtype\":\"float32\"}"

START_TEST(bytes_and_floats_are_read_side_by_side)
{
    const float floats[] = {1.5f, -0.0f, INFINITY};
    unsigned char bytes[4 + sizeof floats + 2] = {0, 1, 128, 255};
    memcpy(bytes + 4, floats, sizeof floats);
    bytes[16] = 200;
    bytes[17] = 3;
    put("a.bin", bytes, sizeof bytes);
    manifest(GROUP(BYTE("q", "2,2", "0.1", "-12.7") "," FLOAT("f", "3") "," BYTE("r", "2", "-0.25", "1e-3")));
    TfjsFile file = opened();
    ck_assert_int_eq(file.count, 3);
    const Matrix q = tfjs_matrix(arena, &file, "q", 2, 2), f = tfjs_matrix(arena, &file, "f", 1, 3),
                 r = tfjs_matrix(arena, &file, "r", 1, 2);
    const unsigned char expected[] = {0, 1, 128, 255};
    for (int i = 0; i < 4; i++) ck_assert_float_eq(q.data[i], (float)(expected[i] * 0.1 - 12.7));
    ck_assert(memcmp(f.data, floats, sizeof floats) == 0);
    ck_assert_float_eq(r.data[0], (float)(200 * -0.25 + 1e-3));
    ck_assert_float_eq(r.data[1], (float)(3 * -0.25 + 1e-3));
    const TfjsTensor *tensor = tfjs_find(&file, "q");
    ck_assert(tensor && tensor->quantised && tensor->rank == 2 && tensor->elements == 4 &&
              tensor->bytes == 4);
    ck_assert(tensor->scale == 0.1 && tensor->minimum == -12.7);
    ck_assert(!tfjs_find(&file, "f")->quantised && tfjs_find(&file, "f")->bytes == 12);
    ck_assert_ptr_null(tfjs_find(&file, "s"));
}
END_TEST

// A tensor may begin in one file and end in the next; groups have files of their own
START_TEST(files_of_a_group_are_one_after_the_other)
{
    const float floats[] = {1.0f, 2.0f, 3.0f};
    const char *bytes = (const char *)floats;
    put("one", bytes, 6);
    put("two", bytes + 6, 0);
    put("three", bytes + 6, 6);
    put("other", "\7", 1);
    manifest("[{\"weights\":[" FLOAT("b", "") "," FLOAT(
        "a", "2,1") "],\"paths\":[\"one\",\"two\",\"three\"]},"
                    "{\"paths\":[\"other\"],\"weights\":[" BYTE("c", "1,1,1", "2",
                                                                "0") "]},{\"weights\":[],\"paths\":[]}]");
    TfjsFile file = opened();
    ck_assert_int_eq(file.count, 3);
    ck_assert_float_eq(tfjs_matrix(arena, &file, "b", 1, 1).data[0], 1.0f); // a shape [] is one number
    const Matrix a = tfjs_matrix(arena, &file, "a", 2, 1);
    ck_assert(a.data[0] == 2.0f && a.data[1] == 3.0f);
    ck_assert_float_eq(tfjs_matrix(arena, &file, "c", 1, 1).data[0], 14.0f);
}
END_TEST

// The layouts of filters: [k_h, k_w, in, out] and, depthwise, [k_h, k_w, channels, 1], against a convolution written down for them
START_TEST(filters_are_weights_of_our_convolutions)
{
    enum { SIDE = 5, IN = 3, OUT = 2, K = 3, FULL = K * K * IN * OUT, EACH = K * K * IN };
    static float filters[FULL + EACH];
    if (!arena) arena = arena_new();
    Rng rng = rng_new(1, 1);
    for (int i = 0; i < FULL + EACH; i++) filters[i] = rng_normal(&rng);
    put("a.bin", filters, sizeof filters);
    manifest(GROUP(FLOAT("full", "3,3,3,2") "," FLOAT("each", "3,3,3,1")));
    TfjsFile file = opened();
    const Matrix full = tfjs_matrix(arena, &file, "full", K * K * IN, OUT),
                 each = tfjs_matrix(arena, &file, "each", K * K, IN);
    Matrix x = matrix_new(arena, SIDE * SIDE, IN), y = matrix_new(arena, SIDE * SIDE, OUT),
           z = matrix_new(arena, SIDE * SIDE, IN);
    fill_normal(x, &rng, 0, 1);
    const Grid grid = {1, SIDE, SIDE};
    Window window = window_square(K, 1, 1);
    conv2d_forward(arena, y, x, full, (Matrix){0}, grid, window);
    window.groups = IN;
    conv2d_forward(arena, z, x, each, (Matrix){0}, grid, window);
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            double out[OUT] = {0}, apart[IN] = {0};
            for (int dy = 0; dy < K; dy++)
                for (int dx = 0; dx < K; dx++)
                    for (int c = 0; c < IN; c++) {
                        const int row = i + dy - 1, col = j + dx - 1;
                        if (row < 0 || row >= SIDE || col < 0 || col >= SIDE) continue;
                        const double pixel = (double)AT(x, row * SIDE + col, c);
                        for (int o = 0; o < OUT; o++)
                            out[o] += pixel * (double)filters[((dy * K + dx) * IN + c) * OUT + o];
                        apart[c] += pixel * (double)filters[FULL + (dy * K + dx) * IN + c];
                    }
            for (int o = 0; o < OUT; o++)
                ck_assert_double_eq_tol((double)AT(y, i * SIDE + j, o), out[o], 1e-5);
            for (int c = 0; c < IN; c++)
                ck_assert_double_eq_tol((double)AT(z, i * SIDE + j, c), apart[c], 1e-5);
        }
}
END_TEST

// ---- What is refused -----------------------------------------------------------------------------------------------------

static void open_it(void *unused)
{
    (void)unused;
    opened();
}

static void expect_refused(const char *text, const char *message)
{
    manifest(text);
    expect_death(open_it, NULL, message);
}

START_TEST(what_is_no_manifest_is_refused)
{
    put("a.bin", "\1\2", 2);
    expect_refused("", "manifest.json");
    expect_refused("[", "manifest.json");
    expect_refused("{}", "a manifest is a list of groups");
    expect_refused("[1]", "a group is an object");
    expect_refused("[{}]", "a group needs a list of weights");
    expect_refused("[{\"weights\":[]}]", "a group needs a list of paths");
    expect_refused("[{\"weights\":[1],\"paths\":[\"a.bin\"]}]", "a tensor is an object");
    expect_refused("[{\"weights\":[],\"weights\":[],\"paths\":[]}]", "key weights is repeated");
    expect_refused(GROUP("{}"), "a string name is expected");
    expect_refused(GROUP("{\"name\":\"a\"}"), "a: a string dtype is expected");
    expect_refused(GROUP("{\"name\":\"a\",\"name\":\"a\"}"), "key name is repeated");
    expect_refused(GROUP("{\"name\":\"a\",\"dtype\":\"float32\"}"), "tensor a: its shape is no list");
    expect_refused(GROUP("{\"name\":\"a\",\"dtype\":\"float32\",\"shape\":[2],\"quantization\":null}"),
                   "tensor a: its quantization is no object");
    expect_refused(GROUP("{\"name\":\"a\\u0000\",\"dtype\":\"float32\",\"shape\":[2]}"), "manifest.json");
    unlink(path_of("manifest.json"));
    expect_death(open_it, NULL, "manifest.json is missing");
}
END_TEST

START_TEST(bytes_that_are_missing_or_left_over_are_refused)
{
    put("a.bin", "\1\2\3\4", 4);
    expect_refused(GROUP(BYTE("a", "5", "1", "0")),
                   "tensor a has 5 bytes, and the files of its group have 4 left");
    expect_refused(GROUP(BYTE("a", "3", "1", "0")), "the tensors of a group have 3 bytes, its files 4");
    expect_refused(GROUP(BYTE("a", "3", "1", "0") "," BYTE("b", "2", "1", "0")), "tensor b has 2 bytes");
    expect_refused(GROUP(FLOAT("a", "2")), "tensor a has 8 bytes");
    expect_refused(GROUP(""), "the tensors of a group have 0 bytes, its files 4");
    expect_refused(GROUP(BYTE("a", "4294967296,4294967296", "1", "0")), "beyond 64 bits");
    expect_refused(GROUP(FLOAT("a", "9007199254740991,1024")), "beyond 64 bits");
    expect_refused(GROUP(FLOAT("a", "4294967296,4294967296,0")), "beyond 64 bits");
    expect_refused(GROUP(BYTE("a", "-4", "1", "0")), "something other than whole numbers");
    expect_refused(GROUP(BYTE("a", "1.5", "1", "0")), "something other than whole numbers");
    expect_refused(GROUP(BYTE("a", "\\\"4\\\"", "1", "0")), "manifest.json");
    expect_refused(GROUP(BYTE("a", "1,1,1,1,1,1,1,1,4", "1", "0")), "more than 8 dimensions");
}
END_TEST

START_TEST(other_numbers_are_refused_by_their_names)
{
    put("a.bin", "\1\2", 2);
    expect_refused(GROUP("{\"name\":\"a\",\"shape\":[2],\"dtype\":\"int32\"}"),
                   "tensor a is int32, expected float32");
    expect_refused(GROUP(QUANTISED("a", "1", "\"uint16\"", "1", "0")),
                   "tensor a is quantised to uint16, expected uint8");
    expect_refused(GROUP(QUANTISED("a", "1", "\"float16\"", "1", "0")), "tensor a is quantised to float16");
    expect_refused(GROUP(QUANTISED("a", "2", "7", "1", "0")), "a: a string dtype is expected");
    expect_refused(GROUP(BYTE("a", "2", "1e999", "0")), "needs a finite number scale");
    expect_refused(GROUP(BYTE("a", "2", "\"1\"", "0")), "needs a finite number scale");
    expect_refused(GROUP(BYTE("a", "2", "1", "-1e999")), "needs a finite number min");
    expect_refused(GROUP(BYTE("a", "2", "NaN", "0")), "manifest.json");
    expect_refused(GROUP(BYTE("a", "2", "2e36", "0")), "beyond those of a float");
    expect_refused(GROUP(BYTE("a", "2", "1", "-4e38")), "beyond those of a float");
    expect_refused(
        GROUP("{\"name\":\"a\",\"dtype\":\"float32\",\"shape\":[2],\"quantization\":{\"dtype\":\"uint8\","
              "\"scale\":1}}"),
        "needs a finite number min");
    expect_refused(GROUP(BYTE("a", "1", "1", "0") "," BYTE("a", "1", "1", "0")), "tensor a is there twice");
}
END_TEST

#define PATHS(paths) "[{\"weights\":[],\"paths\":[" paths "]}]"

START_TEST(only_files_of_the_folder_are_opened)
{
    put("a.bin", "", 0);
    expect_refused(PATHS("\"../tfjs/a.bin\""), "\"../tfjs/a.bin\" is no file of this folder");
    expect_refused(PATHS("\"/dev/zero\""), "is no file of this folder");
    expect_refused(PATHS("\"..\""), "is no file of this folder");
    expect_refused(PATHS("\".\""), "is no file of this folder");
    expect_refused(PATHS("\"\""), "is no file of this folder");
    expect_refused(PATHS("3"), "paths are strings");
    expect_refused(PATHS("\"a.bin\",\"a.bin\""), "the file a.bin is there twice");
    expect_refused("[{\"weights\":[],\"paths\":[\"a.bin\"]},{\"weights\":[],\"paths\":[\"a.bin\"]}]",
                   "the file a.bin is there twice");
    expect_refused(PATHS("\"nothing\""), "nothing: No such file");
    unlink(path_of("link"));
    ck_assert_int_eq(symlink("/dev/zero", path_of("link")), 0);
    expect_refused(PATHS("\"link\""), "link to a file outside of the folder");
    unlink(path_of("link"));
    ck_assert_int_eq(symlink("a.bin", path_of("link")), 0); // within the folder it may lead
    manifest(PATHS("\"link\""));
    ck_assert_int_eq(opened().count, 0);
    mkdir(path_of("inner"), 0700);
    expect_refused(PATHS("\"inner\""), "not an ordinary file");
    rmdir(path_of("inner"));
}
END_TEST

START_TEST(a_manifest_may_be_named_without_its_folder)
{
    put("a.bin", "\5", 1);
    manifest(GROUP(BYTE("a", "1", "3", "1")));
    char here[4096];
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    ck_assert_int_eq(chdir(folder()), 0);
    if (!arena) arena = arena_new();
    TfjsFile file = tfjs_open(arena, "manifest.json");
    ck_assert_int_eq(chdir(here), 0);
    ck_assert_float_eq(tfjs_matrix(arena, &file, "a", 1, 1).data[0], 16.0f);
}
END_TEST

typedef struct {
    const char *name;
    int rows, cols;
} Wanted;

static void ask(void *context)
{
    const Wanted *wanted = context;
    TfjsFile file = opened();
    tfjs_matrix(arena, &file, wanted->name, wanted->rows, wanted->cols);
}

START_TEST(other_shapes_are_refused)
{
    put("a.bin", "123456789012", 12);
    manifest(GROUP(BYTE("a", "2,2,3", "1", "0")));
    for (int rows = 1; rows <= 12; rows++) {
        if (12 % rows) continue;
        Wanted wanted = {"a", rows, 12 / rows};
        if (rows == 1 || rows == 2 || rows == 4 || rows == 12)
            ask(&wanted);
        else
            expect_death(ask, &wanted, "tensor a is [2, 2, 3], expected (");
    }
    expect_death(ask, (&(Wanted){"a", 4, 4}), "tensor a is [2, 2, 3], expected (4 × 4)");
    expect_death(ask, (&(Wanted){"a", -4, -3}), "expected (-4 × -3)");
    expect_death(ask, (&(Wanted){"b", 4, 3}), "there is no tensor b (4 × 3)");
}
END_TEST

SUITE("tfjs", bytes_and_floats_are_read_side_by_side, files_of_a_group_are_one_after_the_other,
      filters_are_weights_of_our_convolutions, what_is_no_manifest_is_refused,
      bytes_that_are_missing_or_left_over_are_refused, other_numbers_are_refused_by_their_names,
      only_files_of_the_folder_are_opened, a_manifest_may_be_named_without_its_folder,
      other_shapes_are_refused)
