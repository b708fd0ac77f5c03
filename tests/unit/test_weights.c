// test_weights.c: a model's folder of one file or of shards, and folders that lie.
#include "base/rng.h"
#include "files/weights.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TENSORS = 5 };

typedef struct {
    Arena *arena;
    char folder[256];
    Matrix values[TENSORS];
    SafetensorsStoredItem items[TENSORS];
} Made;

static const char *const names[TENSORS] = {"token.table", "block0.up", "block0.gain", "block1.up",
                                           "norm.gain"};

// Five tensors of 60, 24, 6, 24 and 6 numbers, in three kinds; their values as read are values.
static Made make(const char *name)
{
    static int number;
    Made m = {.arena = arena_new()};
    snprintf(m.folder, sizeof m.folder, "%s-%d", scratch_path(name), number++);
    const int rows[TENSORS] = {10, 4, 1, 4, 1};
    const StoredKind kinds[TENSORS] = {STORED_F32, STORED_BF16, STORED_F16, STORED_F16, STORED_F32};
    Rng rng = rng_new(7, 1);
    for (int i = 0; i < TENSORS; i++) {
        m.values[i] = matrix_new(m.arena, rows[i], 6);
        fill_normal(m.values[i], &rng, 0, 1);
        m.items[i] =
            (SafetensorsStoredItem){names[i], stored_from(m.arena, m.values[i], kinds[i]), rows[i] == 1};
        stored_expand(m.values[i], m.items[i].value);
    }
    return m;
}

static const char *path_in(const Made *m, const char *name)
{
    static char paths[4][512];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", m->folder, name);
    return path;
}

static bool has(const Made *m, const char *name) { return access(path_in(m, name), F_OK) == 0; }

static void put(const Made *m, const char *name, const char *text)
{
    FILE *file = fopen(path_in(m, name), "wb");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static const char *text_of(const Made *m, const char *name)
{
    static char text[4096];
    FILE *file = fopen(path_in(m, name), "rb");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

// The index with `by` in the place of the first `what`.
static void change_index(const Made *m, const char *what, const char *by)
{
    static char text[8192];
    const char *old = text_of(m, "model.safetensors.index.json"), *at = strstr(old, what);
    ck_assert_msg(at, "no %s in %s", what, old);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - old), old, by, at + strlen(what));
    put(m, "model.safetensors.index.json", text);
}

static void expect_values(const Made *m, const char *path, int shards)
{
    Weights weights = weights_open(m->arena, path);
    ck_assert_int_eq(weights.count, TENSORS);
    ck_assert_int_eq(weights.shard_count, shards);
    for (int i = 1; i < shards; i++) ck_assert_str_lt(weights.shards[i - 1].path, weights.shards[i].path);
    for (int i = 0; i < TENSORS; i++) {
        Matrix got = weights_matrix(m->arena, &weights, names[i], m->values[i].rows, 6);
        ck_assert_msg(largest_difference(got, m->values[i]) == 0.0f, "%s differs", names[i]);
        ck_assert_int_eq(weights_stored(&weights, names[i], m->values[i].rows, 6).kind,
                         m->items[i].value.kind);
    }
    ck_assert_ptr_null(weights_find(&weights, "block0"));
    weights_check(&weights);
    weights_close(&weights);
    ck_assert_int_eq(weights.count, 0);
}

START_TEST(the_same_tensors_are_read_from_one_file_and_from_shards)
{
    Made m = make("same");
    // Bytes: 240, 48, 12, 48, 24. The first is more than a shard may hold, and has one for itself.
    weights_write(m.folder, m.items, TENSORS, 100);
    ck_assert(has(&m, "model-00001-of-00003.safetensors") && !has(&m, "model.safetensors"));
    ck_assert_str_eq(text_of(&m, "model.safetensors.index.json"),
                     "{\n  \"metadata\": {\n    \"total_size\": 372\n  },\n  \"weight_map\": {\n"
                     "    \"block0.gain\": \"model-00002-of-00003.safetensors\",\n"
                     "    \"block0.up\": \"model-00002-of-00003.safetensors\",\n"
                     "    \"block1.up\": \"model-00003-of-00003.safetensors\",\n"
                     "    \"norm.gain\": \"model-00003-of-00003.safetensors\",\n"
                     "    \"token.table\": \"model-00001-of-00003.safetensors\"\n  }\n}\n");
    expect_values(&m, m.folder, 3);

    weights_write(m.folder, m.items, TENSORS, 372);
    ck_assert(has(&m, "model.safetensors") && !has(&m, "model.safetensors.index.json"));
    expect_values(&m, m.folder, 1);
    expect_values(&m, path_in(&m, "model.safetensors"), 1);
    Safetensors file = safetensors_open(m.arena, path_in(&m, "model.safetensors"));
    ck_assert_str_eq(safetensors_note(&file, "format"), "pt");
    safetensors_close(&file);

    weights_write(m.folder, m.items, TENSORS, 371); // back again: the single file would count
    expect_values(&m, m.folder, 2);
    arena_free(m.arena);
}
END_TEST

START_TEST(an_index_is_read_however_it_is_written)
{
    Made m = make("written");
    weights_write(m.folder, m.items, TENSORS, 340);
    put(&m, "model.safetensors.index.json",
        "{\"weight_map\":{\"token.table\":\"model-00001-of-00002.safetensors\",\"norm.gain\":"
        "\"model-00002-of-00002.safetensors\",\"block0.up\":\"model-00001-of-00002.safetensors\","
        "\"block1.\\u0075p\":\"model-00002-of-00002.safetensors\",\"block0.gain\":"
        "\"model-00001-of-00002.safetensors\"},\"metadata\":{\"total_size\":-1e99},\"more\":[null]}");
    expect_values(&m, m.folder, 2);
    arena_free(m.arena);
}
END_TEST

START_TEST(a_link_within_the_folder_is_followed)
{
    Made m = make("inner");
    weights_write(m.folder, m.items, TENSORS, 340);
    ck_assert_int_eq(rename(path_in(&m, "model-00002-of-00002.safetensors"), path_in(&m, "second")), 0);
    ck_assert_int_eq(symlink("second", path_in(&m, "model-00002-of-00002.safetensors")), 0);
    expect_values(&m, m.folder, 2);
    arena_free(m.arena);
}
END_TEST

// ---- Folders that lie -------------------------------------------------------------------------------------------------

static void open_folder(void *context)
{
    const Made *m = context;
    weights_open(m->arena, m->folder);
}

START_TEST(an_index_that_lies_is_refused_with_the_reason)
{
    static const struct {
        const char *what, *by, *reason;
    } lies[] = {
        {"model-00001-of", "model-00007-of", "model-00007-of-00003.safetensors: No such file"},
        {"model-00001-of", "../model-00001-of", "said to be in \"../model-00001-of-00003.safetensors\""},
        {"\"model-00001-of", "\"/model-00001-of", "which is no file of this folder"},
        {"\"model-00001-of-00003.safetensors\"", "\"..\"", "said to be in \"..\", which is no file"},
        {"\"model-00001-of-00003.safetensors\"", "\".\"", "said to be in \".\", which is no file"},
        {"\"model-00001-of-00003.safetensors\"", "\"\"", "said to be in \"\", which is no file"},
        {"\"model-00001-of-00003.safetensors\"", "\"a/../model-00001-of-00003.safetensors\"",
         "which is no file"},
        {"\"model-00001-of-00003.safetensors\"", "7", "tensor token.table: the name of a file is expected"},
        {"\"model-00001-of-00003.safetensors\"", "\"a\\u0000\"", "a NUL inside a string"},
        {"token.table", "token.tablet", "tensor token.table is not in the index"},
        {"token.table", "block0.up", "tensor block0.up is there twice"},
        {"block1.up\": \"model-00003", "block1.up\": \"model-00001",
         "model-00003-of-00003.safetensors: tensor block1.up is here, and the index says that it is in "
         "model-00001"},
        {"\"token.table\":", "\"more\": \"model-00001-of-00003.safetensors\", \"token.table\":",
         "model-00001-of-00003.safetensors: there is no tensor more"},
        {"weight_map", "weight-map", "an object { … } with an object weight_map is expected"},
        {"\"metadata\"", "\"weight_map\"", "weight_map is there twice"},
        {"{", "[", "no JSON"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        Made m = make("lie");
        weights_write(m.folder, m.items, TENSORS, 100);
        change_index(&m, lies[i].what, lies[i].by);
        int status;
        const char *message = stderr_of(open_folder, &m, &status);
        ck_assert_msg(status == 1 && strstr(message, lies[i].reason) && strstr(message, m.folder),
                      "%s: status %d, expected \"%s\", got: %s", lies[i].by, status, lies[i].reason, message);
        arena_free(m.arena);
    }
}
END_TEST

START_TEST(a_shard_that_is_missing_damaged_or_elsewhere_is_refused)
{
    Made m = make("shards");
    const char *shard = "model-00002-of-00003.safetensors";
    weights_write(m.folder, m.items, TENSORS, 100);
    ck_assert_int_eq(unlink(path_in(&m, shard)), 0);
    expect_death(open_folder, &m, "model-00002-of-00003.safetensors: No such file");
    const char *outside = scratch_path("outside.safetensors");
    safetensors_write_stored(outside, m.items + 1, 2, NULL, 0);
    ck_assert_int_eq(symlink(outside, path_in(&m, shard)), 0);
    expect_death(open_folder, &m,
                 "model-00002-of-00003.safetensors is a link to a file outside of the folder");
    ck_assert_int_eq(unlink(path_in(&m, shard)), 0);
    ck_assert_int_eq(mkdir(path_in(&m, shard), 0777), 0);
    expect_death(open_folder, &m, "model-00002-of-00003.safetensors is not an ordinary file");
    ck_assert_int_eq(rmdir(path_in(&m, shard)), 0);
    put(&m, shard, "version https://git-lfs.github.com/spec/v1");
    expect_death(open_folder, &m, "git lfs pull");
    arena_free(m.arena);
}
END_TEST

START_TEST(a_tensor_in_two_shards_is_refused)
{
    Made m = make("twice");
    weights_write(m.folder, m.items, TENSORS, 100);
    SafetensorsStoredItem both[] = {m.items[1], m.items[2], m.items[4]};
    safetensors_write_stored(path_in(&m, "model-00002-of-00003.safetensors"), both, 3, NULL, 0);
    expect_death(
        open_folder, &m,
        "model-00002-of-00003.safetensors: tensor norm.gain is here, and the index says that it is in "
        "model-00003");
    arena_free(m.arena);
}
END_TEST

START_TEST(a_single_file_that_is_a_link_out_of_the_folder_is_refused)
{
    Made m = make("single");
    const char *outside = scratch_path("outside.safetensors");
    SafetensorsStoredItem sorted[TENSORS];
    memcpy(sorted, m.items, sizeof sorted);
    safetensors_write_stored(outside, sorted, TENSORS, NULL, 0);
    ck_assert_int_eq(mkdir(m.folder, 0777), 0);
    expect_death(open_folder, &m, "there is no model.safetensors and no model.safetensors.index.json");
    ck_assert_int_eq(symlink(outside, path_in(&m, "model.safetensors")), 0);
    expect_death(open_folder, &m, "is a link to a file outside");
    expect_values(&m, outside, 1); // given by its own name
    arena_free(m.arena);
}
END_TEST

typedef struct {
    Made *made;
    const char *name;
    int rows, cols;
} Wanted;

static void ask(void *context)
{
    const Wanted *w = context;
    Weights weights = weights_open(w->made->arena, w->made->folder);
    weights_stored(&weights, w->name, w->rows, w->cols);
}

START_TEST(another_shape_and_another_name_are_refused)
{
    Made m = make("ask");
    weights_write(m.folder, m.items, TENSORS, 100);
    Wanted shape = {&m, "block0.up", 6, 4}, name = {&m, "block2.up", 4, 6}, vector = {&m, "norm.gain", 6, 1};
    expect_death(ask, &shape,
                 "model-00002-of-00003.safetensors: tensor block0.up is (4 × 6), expected (6 × 4)");
    expect_death(ask, &name, "there is no tensor block2.up (4 × 6)");
    expect_death(ask, &vector, "tensor norm.gain is (1 × 6), expected (6 × 1)");
    arena_free(m.arena);
}
END_TEST

static void write_twice(void *context)
{
    Made *m = context;
    m->items[4].name = "token.table";
    weights_write(m->folder, m->items, TENSORS, 100);
}

static void write_in_nothing(void *context)
{
    Made *m = context;
    weights_write(m->folder, m->items, TENSORS, 0);
}

START_TEST(what_could_not_be_read_again_is_not_written)
{
    Made m = make("unwritten");
    expect_death(write_twice, &m, "two tensors are named token.table");
    expect_death(write_in_nothing, &m, "in shards of 0 bytes");
    ck_assert(access(m.folder, F_OK) != 0);
    arena_free(m.arena);
}
END_TEST

SUITE("weights", the_same_tensors_are_read_from_one_file_and_from_shards,
      an_index_is_read_however_it_is_written, a_link_within_the_folder_is_followed,
      an_index_that_lies_is_refused_with_the_reason, a_shard_that_is_missing_damaged_or_elsewhere_is_refused,
      a_tensor_in_two_shards_is_refused, a_single_file_that_is_a_link_out_of_the_folder_is_refused,
      another_shape_and_another_name_are_refused, what_could_not_be_read_again_is_not_written)
