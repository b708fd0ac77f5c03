// weights.c: a model's tensors in one file or many. See weights.h.
#include "files/weights.h"
#include "base/name_table.h"
#include "files/folder.h"
#include "files/json.h"
#include "files/text_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char SINGLE[] = "model.safetensors", INDEX[] = "model.safetensors.index.json",
                  MAP[] = "weight_map";
static const char *const DAMAGED =
    "files of the folder are damaged, or of different models: fetch all of them again";

// ---- The index --------------------------------------------------------------------------------------------------------

typedef struct {
    Place place;
    Arena *arena;
    Weights *weights;
    char path[FOLDER_MOST_PATH]; // of the index
    char *shards[WEIGHTS_MAX_SHARDS];
    NameTable table; // of these
} Index;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const WeightsTensor *)a)->name, ((const WeightsTensor *)b)->name);
}

// The number of the shard with this name, which must be one of a file in the folder itself.
static int shard_number(Index *index, const char *tensor, const char *name)
{
    Weights *weights = index->weights;
    check_at(index->place, folder_is_plain(name), "a model lies in one folder: fetch it again",
             "%s: tensor %.200s is said to be in \"%.200s\", which is no file of this folder", index->path,
             tensor, name);
    int number = name_table_find(&index->table, index->shards, name);
    if (number >= 0) return number;
    number = weights->shard_count;
    check_at(index->place, number < WEIGHTS_MAX_SHARDS, DAMAGED, "%s: more than %d files", index->path,
             WEIGHTS_MAX_SHARDS);
    index->shards[number] = arena_string(index->arena, name);
    name_table_put(&index->table, index->shards, number);
    weights->shard_count++;
    return number;
}

// The member that says where each tensor is, and is there once.
static const Json *weight_map(const JsonText *text, const Json *root)
{
    const Json *map = NULL;
    for (const Json *item = json_is(root, JSON_OBJECT) ? root->child : NULL; item; item = item->next) {
        if (strcmp(item->key, MAP) != 0) continue;
        if (map) json_refuse(text, "%s is there twice", MAP);
        map = item;
    }
    if (!json_is(map, JSON_OBJECT)) json_refuse(text, "an object { … } with an object %s is expected", MAP);
    return map;
}

// The shards in the order of their names, and not in that in which the index happens to name them.
static void sort_shards(Index *index)
{
    Weights *weights = index->weights;
    char *names[WEIGHTS_MAX_SHARDS];
    int place_of[WEIGHTS_MAX_SHARDS];
    for (int i = 0; i < weights->shard_count; i++) {
        names[i] = index->shards[i], place_of[i] = 0;
        for (int k = 0; k < weights->shard_count; k++)
            place_of[i] += strcmp(index->shards[k], index->shards[i]) < 0;
    }
    for (int i = 0; i < weights->shard_count; i++) index->shards[place_of[i]] = names[i];
    for (int i = 0; i < weights->count; i++) weights->tensors[i].shard = place_of[weights->tensors[i].shard];
}

// Fills weights->tensors with names and shards, and index->shards.
static void read_index(Index *index, const char *folder)
{
    Weights *weights = index->weights;
    Arena *scratch = arena_new();
    folder_path_at(index->place, index->path, folder, INDEX);
    FileBytes file = file_read_at(index->place, scratch, index->path, WEIGHTS_MAX_INDEX, NULL);
    const JsonText text = {.place = index->place,
                           .path = index->path,
                           .remedy = DAMAGED,
                           .bytes = file.bytes,
                           .size = file.size,
                           .c_strings = true};
    const Json *map = weight_map(&text, json_read(&text, scratch));
    size_t count = 0;
    for (const Json *item = map->child; item; item = item->next) count++;
    check_at(index->place, count <= SAFETENSORS_MAX_TENSORS, DAMAGED, "%s: more than %d tensors", index->path,
             SAFETENSORS_MAX_TENSORS);
    weights->tensors = arena_zeros_at(index->place, index->arena, count, sizeof *weights->tensors);
    for (const Json *item = map->child; item; item = item->next) {
        if (item->kind != JSON_STRING)
            json_refuse(&text, "tensor %.80s: the name of a file is expected", item->key);
        weights->tensors[weights->count++] = (WeightsTensor){
            arena_string(index->arena, item->key), shard_number(index, item->key, item->text), NULL};
    }
    arena_free(scratch);
    if (weights->count) qsort(weights->tensors, count, sizeof *weights->tensors, by_name);
    for (int i = 1; i < weights->count; i++)
        check_at(index->place, strcmp(weights->tensors[i - 1].name, weights->tensors[i].name) != 0, DAMAGED,
                 "%s: tensor %s is there twice", index->path, weights->tensors[i].name);
    sort_shards(index);
}

// ---- The shards -------------------------------------------------------------------------------------------------------

static Safetensors open_shard(Place place, Arena *arena, const char *folder, const char *name)
{
    char path[FOLDER_MOST_PATH];
    folder_own_file_at(place, path, folder, name, DAMAGED);
    return safetensors_open_at(place, arena, path);
}

// Each tensor of the shard gets its entry. There is none that the index does not put there.
static void take_shard(const Index *index, int shard)
{
    const Weights *weights = index->weights;
    const Safetensors *file = &weights->shards[shard];
    for (int i = 0; i < file->count; i++) {
        const char *name = file->entries[i].name;
        WeightsTensor *tensor = (WeightsTensor *)(uintptr_t)weights_find(weights, name);
        check_at(index->place, tensor, DAMAGED, "%s: tensor %s is not in the index, %s", file->path, name,
                 INDEX);
        check_at(index->place, tensor->shard == shard, DAMAGED,
                 "%s: tensor %s is here, and the index says that it is in %s", file->path, name,
                 index->shards[tensor->shard]);
        tensor->entry = &file->entries[i];
    }
}

static void open_shards(const Index *index, const char *folder)
{
    Weights *weights = index->weights;
    weights->shards =
        arena_zeros_at(index->place, index->arena, (size_t)weights->shard_count, sizeof *weights->shards);
    for (int i = 0; i < weights->shard_count; i++) {
        weights->shards[i] = open_shard(index->place, index->arena, folder, index->shards[i]);
        take_shard(index, i);
    }
    for (int i = 0; i < weights->count; i++) {
        const WeightsTensor *tensor = &weights->tensors[i];
        check_at(index->place, tensor->entry, DAMAGED,
                 "%s: there is no tensor %s, and the index says that it is here",
                 weights->shards[tensor->shard].path, tensor->name);
    }
}

static void take_single(Place place, Arena *arena, Weights *weights, Safetensors file)
{
    weights->shards = arena_alloc_at(place, arena, 1, sizeof *weights->shards);
    weights->shards[0] = file;
    weights->shard_count = 1;
    weights->count = file.count;
    weights->tensors = arena_alloc_at(place, arena, (size_t)file.count, sizeof *weights->tensors);
    for (int i = 0; i < file.count; i++)
        weights->tensors[i] = (WeightsTensor){file.entries[i].name, 0, &file.entries[i]};
}

static bool exists(Place place, const char *folder, const char *name)
{
    char path[FOLDER_MOST_PATH];
    struct stat about;
    folder_path_at(place, path, folder, name);
    return lstat(path, &about) == 0; // a link to nothing is there, and refused
}

// ---- Reading ----------------------------------------------------------------------------------------------------------

Weights weights_open_at(Place place, Arena *arena, const char *path)
{
    struct stat about;
    Weights weights = {.path = arena_string(arena, path)};
    if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode)) {
        take_single(place, arena, &weights, safetensors_open_at(place, arena, path));
        return weights;
    }
    if (exists(place, path, SINGLE)) {
        take_single(place, arena, &weights, open_shard(place, arena, path, SINGLE));
        return weights;
    }
    check_at(place, exists(place, path, INDEX),
             "fetch a model in the safetensors format, and give the folder of its files",
             "%s: there is no %s and no %s", path, SINGLE, INDEX);
    Index *index = arena_zeros_at(place, arena, 1, sizeof *index);
    index->place = place;
    index->arena = arena;
    index->weights = &weights;
    index->table = name_table_new(arena, WEIGHTS_MAX_SHARDS);
    read_index(index, path);
    open_shards(index, path);
    return weights;
}

void weights_close(Weights *weights)
{
    for (int i = 0; i < weights->shard_count; i++) safetensors_close(&weights->shards[i]);
    *weights = (Weights){.path = weights->path};
}

const WeightsTensor *weights_find(const Weights *weights, const char *name)
{
    const WeightsTensor key = {.name = name};
    if (!weights->count) return NULL;
    return bsearch(&key, weights->tensors, (size_t)weights->count, sizeof key, by_name);
}

Stored weights_stored_at(Place place, const Weights *weights, const char *name, int rows, int cols)
{
    const WeightsTensor *tensor = weights_find(weights, name);
    check_at(place, tensor, "is it a model of this kind?", "%s: there is no tensor %s (%d × %d)",
             weights->path, name, rows, cols);
    const Safetensors *file = &weights->shards[tensor->shard];
    const Stored stored = safetensors_stored_at(place, file, name);
    check_at(place, stored.rows == rows && stored.cols == cols, "is the configuration that of this model?",
             "%s: tensor %s is (%d × %d), expected (%d × %d)", file->path, name, stored.rows, stored.cols,
             rows, cols);
    return stored;
}

Matrix weights_matrix_at(Place place, Arena *arena, const Weights *weights, const char *name, int rows,
                         int cols)
{
    const Stored stored = weights_stored_at(place, weights, name, rows, cols);
    Matrix out = matrix_uninitialised_at(place, arena, rows, cols);
    stored_expand_at(place, out, stored);
    file_map_check_at(place, weights->shards[weights_find(weights, name)->shard].map);
    return out;
}

void weights_check_at(Place place, const Weights *weights)
{
    for (int i = 0; i < weights->shard_count; i++) file_map_check_at(place, weights->shards[i].map);
}

// ---- Writing ----------------------------------------------------------------------------------------------------------

// Which shard each item belongs to: shards[count], from 0. Returns how many there are.
static int share_out(const SafetensorsStoredItem *items, int count, size_t most_bytes, int *shards)
{
    size_t bytes = 0;
    int shard = 0;
    for (int i = 0; i < count; i++) {
        const size_t more = stored_bytes(items[i].value);
        if (i > 0 && (bytes > most_bytes || more > most_bytes - bytes)) shard++, bytes = 0;
        shards[i] = shard;
        bytes += more;
    }
    return shard + 1;
}

static void shard_name(char name[64], int shard, int count)
{
    snprintf(name, 64, "model-%05d-of-%05d.safetensors", shard + 1, count);
}

static void write_index(Place place, const char *folder, const WeightsTensor *tensors, int count, int shards,
                        size_t total)
{
    char path[FOLDER_MOST_PATH], file_name[64];
    Replacement file;
    folder_path_at(place, path, folder, INDEX);
    replace_begin_at(place, &file, path);
    fprintf(file.stream, "{\n  \"metadata\": {\n    \"total_size\": %zu\n  },\n  \"%s\": {", total, MAP);
    for (int i = 0; i < count; i++) {
        fputs(i ? ",\n    " : "\n    ", file.stream);
        json_write_string(file.stream, tensors[i].name, strlen(tensors[i].name));
        shard_name(file_name, tensors[i].shard, shards);
        fprintf(file.stream, ": \"%s\"", file_name);
    }
    fputs("\n  }\n}\n", file.stream);
    replace_finish_at(place, &file);
}

static void discard(Place place, const char *folder, const char *name)
{
    char path[FOLDER_MOST_PATH];
    folder_path_at(place, path, folder, name);
    check_at(place, unlink(path) == 0 || errno == ENOENT, "remove it: it is of the model before",
             "%s cannot be removed: %s", path, strerror(errno));
}

void weights_write_at(Place place, const char *folder, const SafetensorsStoredItem *items, int count,
                      size_t most_bytes)
{
    static const SafetensorsNote format = {"format", "pt"};
    check_at(place, count >= 0 && count <= SAFETENSORS_MAX_TENSORS && most_bytes > 0,
             "a shard holds something", "weights_write: %d tensors in shards of %zu bytes", count,
             most_bytes);
    Arena *arena = arena_new();
    SafetensorsStoredItem *own = arena_alloc_at(place, arena, (size_t)count, sizeof *own); // to be sorted
    WeightsTensor *tensors = arena_zeros_at(place, arena, (size_t)count, sizeof *tensors);
    int *shard_of = arena_alloc_at(place, arena, (size_t)count, sizeof *shard_of);
    const int shards = share_out(items, count, most_bytes, shard_of);
    check_at(place, shards <= WEIGHTS_MAX_SHARDS, "let a shard hold more",
             "weights_write: %d shards; at most %d are read", shards, WEIGHTS_MAX_SHARDS);
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        own[i] = items[i];
        tensors[i] = (WeightsTensor){items[i].name, shard_of[i], NULL};
        total += stored_bytes(items[i].value);
    }
    if (count) qsort(tensors, (size_t)count, sizeof *tensors, by_name);
    for (int i = 1; i < count; i++)
        check_at(place, strcmp(tensors[i - 1].name, tensors[i].name) != 0, "names are unique",
                 "%s: two tensors are named %s", folder, tensors[i].name);

    folder_make_at(place, folder);
    for (int shard = 0, begin = 0, end = 0; shard < shards; shard++, begin = end) {
        char name[64], path[FOLDER_MOST_PATH];
        while (end < count && shard_of[end] == shard) end++;
        shard_name(name, shard, shards);
        folder_path_at(place, path, folder, shards > 1 ? name : SINGLE);
        safetensors_write_stored_at(place, path, own + begin, end - begin, &format, 1);
    }
    if (shards > 1) write_index(place, folder, tensors, count, shards, total);
    discard(place, folder, shards > 1 ? SINGLE : INDEX);
    arena_free(arena);
}
