// tfjs.c: see tfjs.h.
#include "files/tfjs.h"
#include "base/name_table.h"
#include "files/folder.h"
#include "files/json.h"
#include "files/text_file.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(float) == 4 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the format is that of this machine's floats");

static const char *const DAMAGED = "the model is damaged, or of another kind: fetch all of its files again";
static const char *const OTHER_TYPE =
    "convert the model with float32 weights, or quantised to uint8, with the program that made it";

typedef struct {
    JsonText json;
    Arena *arena, *scratch; // scratch: gone after reading
    const char *folder;
    TfjsFile *file;
    char *paths[TFJS_MAX_FILES]; // of all groups
    int path_count;
    NameTable table;   // of these
    size_t bytes_left; // that files may still have
} Reader;

#define refuse(r, ...) json_refuse(&(r)->json, __VA_ARGS__)

// The member of an object that is there at most once.
static const Json *member(Reader *r, const Json *object, const char *what, const char *key)
{
    const Json *found = NULL;
    for (const Json *item = object->child; item; item = item->next) {
        if (strcmp(item->key, key) != 0) continue;
        if (found) refuse(r, "%.80s: key %s is repeated", what, key);
        found = item;
    }
    return found;
}

static const char *string_of(Reader *r, const Json *object, const char *what, const char *key)
{
    const Json *value = member(r, object, what, key);
    if (!json_is(value, JSON_STRING)) refuse(r, "%.80s: a string %s is expected", what, key);
    return value->text;
}

static double number_of(Reader *r, const Json *object, const char *what, const char *key)
{
    const Json *value = member(r, object, what, key);
    if (!json_is(value, JSON_NUMBER) || !isfinite(value->number))
        refuse(r, "tensor %.80s: its quantization needs a finite number %s", what, key);
    return value->number;
}

// ---- Tensors -----------------------------------------------------------------------------------------------------------

// a · b; false when that is beyond 64 bits
static bool multiplied(size_t *a, size_t b) { return !__builtin_mul_overflow(*a, b, a); }

static void read_shape(Reader *r, TfjsTensor *tensor, const Json *shape)
{
    if (!json_is(shape, JSON_ARRAY)) refuse(r, "tensor %.80s: its shape is no list", tensor->name);
    tensor->elements = 1;
    for (const Json *size = shape->child; size; size = size->next) {
        if (tensor->rank == TFJS_MAX_RANK)
            refuse(r, "tensor %.80s has more than %d dimensions", tensor->name, TFJS_MAX_RANK);
        if (!json_whole(size, &tensor->shape[tensor->rank]))
            refuse(r, "tensor %.80s: its shape holds something other than whole numbers up to 2⁵³",
                   tensor->name);
        if (!multiplied(&tensor->elements, tensor->shape[tensor->rank++]))
            refuse(r, "the shape of tensor %.80s is beyond 64 bits", tensor->name);
    }
}

// {"dtype": "uint8", "scale": 0.0053, "min": -0.92}
static void read_quantisation(Reader *r, TfjsTensor *tensor, const Json *quantisation)
{
    const char *name = tensor->name;
    if (quantisation->kind != JSON_OBJECT)
        refuse(r, "tensor %.80s: its quantization is no object { … }", name);
    const char *dtype = string_of(r, quantisation, name, "dtype");
    check_at(r->json.place, strcmp(dtype, "uint8") == 0, OTHER_TYPE,
             "%s: tensor %.80s is quantised to %.40s, expected uint8", r->json.path, name, dtype);
    tensor->quantised = true;
    tensor->scale = number_of(r, quantisation, name, "scale");
    tensor->minimum = number_of(r, quantisation, name, "min");
    if (!(fabs(tensor->minimum) <= FLT_MAX && fabs(255.0 * tensor->scale + tensor->minimum) <= FLT_MAX))
        refuse(r, "tensor %.80s: levels from %g in steps of %g are beyond those of a float", name,
               tensor->minimum, tensor->scale);
}

// {"name": "conv0/bias", "shape": [16], "dtype": "float32", "quantization": {…}}, which begins at byte `begin` of its group.
static TfjsTensor read_tensor(Reader *r, const Json *entry, const FileBytes group, size_t begin)
{
    if (entry->kind != JSON_OBJECT) refuse(r, "a tensor is an object { … }");
    TfjsTensor tensor = {.name = string_of(r, entry, "a tensor", "name")};
    const char *dtype = string_of(r, entry, tensor.name, "dtype");
    check_at(r->json.place, strcmp(dtype, "float32") == 0, OTHER_TYPE,
             "%s: tensor %.80s is %.40s, expected float32", r->json.path, tensor.name, dtype);
    read_shape(r, &tensor, member(r, entry, tensor.name, "shape"));
    const Json *quantisation = member(r, entry, tensor.name, "quantization");
    if (quantisation) read_quantisation(r, &tensor, quantisation);
    tensor.bytes = tensor.elements;
    if (!tensor.quantised && !multiplied(&tensor.bytes, sizeof(float)))
        refuse(r, "the shape of tensor %.80s is beyond 64 bits", tensor.name);
    check_at(r->json.place, tensor.bytes <= group.size - begin, DAMAGED,
             "%s: tensor %.80s has %zu bytes, and the files of its group have %zu left", r->json.path,
             tensor.name, tensor.bytes, group.size - begin);
    tensor.data = (const uint8_t *)group.bytes + begin;
    tensor.name = arena_string(r->arena, tensor.name);
    return tensor;
}

// ---- Groups ------------------------------------------------------------------------------------------------------------

// The bytes of a file of the manifest's folder.
static FileBytes read_file(Reader *r, Arena *arena, const Json *name)
{
    const Place place = r->json.place;
    char path[FOLDER_MOST_PATH];
    if (name->kind != JSON_STRING) refuse(r, "paths are strings");
    check_at(place, folder_is_plain(name->text), "a model lies in one folder: fetch it again",
             "%s: \"%.200s\" is no file of this folder", r->json.path, name->text);
    if (name_table_find(&r->table, r->paths, name->text) >= 0)
        refuse(r, "the file %.200s is there twice", name->text);
    if (r->path_count == TFJS_MAX_FILES) refuse(r, "more than %d files", TFJS_MAX_FILES);
    r->paths[r->path_count] = arena_string(r->scratch, name->text);
    name_table_put(&r->table, r->paths, r->path_count++);
    folder_own_file_at(place, path, r->folder, name->text, DAMAGED);
    const FileBytes bytes = file_read_at(place, arena, path, r->bytes_left, NULL);
    r->bytes_left -= bytes.size;
    return bytes;
}

// The bytes of all files of a group, one after the other: a tensor may begin in one and end in the next.
static FileBytes read_files(Reader *r, const Json *paths)
{
    if (!json_is(paths, JSON_ARRAY)) refuse(r, "a group needs a list of paths");
    if (paths->child && !paths->child->next) return read_file(r, r->arena, paths->child);
    FileBytes pieces[TFJS_MAX_FILES], all = {.size = 0};
    int count = 0;
    for (const Json *name = paths->child; name; name = name->next) {
        pieces[count] = read_file(r, r->scratch, name); // which counts them
        all.size += pieces[count++].size;
    }
    all.bytes = arena_alloc_at(r->json.place, r->arena, all.size, 1);
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        if (pieces[i].size) memcpy(all.bytes + at, pieces[i].bytes, pieces[i].size);
        at += pieces[i].size;
    }
    return all;
}

// {"weights": [tensor, …], "paths": [file, …]}
static void read_group(Reader *r, const Json *group)
{
    if (group->kind != JSON_OBJECT) refuse(r, "a group is an object { … }");
    const Json *weights = member(r, group, "a group", "weights");
    if (!json_is(weights, JSON_ARRAY)) refuse(r, "a group needs a list of weights");
    const FileBytes bytes = read_files(r, member(r, group, "a group", "paths"));
    size_t at = 0;
    for (const Json *entry = weights->child; entry; entry = entry->next) {
        TfjsTensor *tensor = &r->file->tensors[r->file->count++];
        *tensor = read_tensor(r, entry, bytes, at);
        at += tensor->bytes;
    }
    check_at(r->json.place, at == bytes.size, DAMAGED,
             "%s: the tensors of a group have %zu bytes, its files %zu", r->json.path, at, bytes.size);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const TfjsTensor *)a)->name, ((const TfjsTensor *)b)->name);
}

static void read_groups(Reader *r, const Json *groups)
{
    if (!json_is(groups, JSON_ARRAY)) refuse(r, "a manifest is a list of groups");
    size_t count = 0;
    for (const Json *group = groups->child; group; group = group->next) {
        const Json *weights = json_item(group, "weights");
        for (const Json *entry = weights ? weights->child : NULL; entry; entry = entry->next) count++;
    }
    if (count > TFJS_MAX_TENSORS) refuse(r, "more than %d tensors", TFJS_MAX_TENSORS);
    TfjsFile *file = r->file;
    file->tensors = arena_zeros_at(r->json.place, r->arena, count, sizeof *file->tensors);
    for (const Json *group = groups->child; group; group = group->next) read_group(r, group);
    if (file->count) qsort(file->tensors, (size_t)file->count, sizeof *file->tensors, by_name);
    for (int i = 1; i < file->count; i++)
        if (strcmp(file->tensors[i - 1].name, file->tensors[i].name) == 0)
            refuse(r, "tensor %.80s is there twice", file->tensors[i].name);
}

TfjsFile tfjs_open_at(Place place, Arena *arena, const char *manifest_path)
{
    Arena *scratch = arena_new();
    const FileBytes text =
        file_read_at(place, scratch, manifest_path, TFJS_MAX_MANIFEST,
                     "type `make data` in the course's top folder, or `make data DATA=SET` for one set");
    const char *slash = strrchr(manifest_path, '/');
    char *folder = arena_string(scratch, slash ? manifest_path : ".");
    if (slash) folder[slash == manifest_path ? 1 : slash - manifest_path] = '\0';
    TfjsFile file = {.path = arena_string(arena, manifest_path)};
    Reader *reader = arena_zeros_at(place, scratch, 1, sizeof *reader);
    *reader = (Reader){.json = {.place = place,
                                .path = manifest_path,
                                .remedy = DAMAGED,
                                .bytes = text.bytes,
                                .size = text.size,
                                .c_strings = true},
                       .arena = arena,
                       .scratch = scratch,
                       .folder = folder,
                       .file = &file,
                       .table = name_table_new(scratch, TFJS_MAX_FILES),
                       .bytes_left = TFJS_MAX_BYTES};
    read_groups(reader, json_read(&reader->json, scratch));
    arena_free(scratch);
    return file;
}

// ---- As matrices -------------------------------------------------------------------------------------------------------

const TfjsTensor *tfjs_find(const TfjsFile *file, const char *name)
{
    const TfjsTensor key = {.name = name};
    return file->count ? bsearch(&key, file->tensors, (size_t)file->count, sizeof key, by_name) : NULL;
}

// Whether the first dimensions multiply to rows and the rest to cols.
static bool has_shape(const TfjsTensor *tensor, size_t rows, size_t cols)
{
    for (int cut = 0; cut <= tensor->rank; cut++) {
        size_t above = 1, below = 1;
        bool fits = true;
        for (int i = 0; i < tensor->rank; i++)
            fits = fits && multiplied(i < cut ? &above : &below, tensor->shape[i]);
        if (fits && above == rows && below == cols) return true;
    }
    return false;
}

Matrix tfjs_matrix_at(Place place, Arena *arena, const TfjsFile *file, const char *name, int rows, int cols)
{
    const TfjsTensor *tensor = tfjs_find(file, name);
    check_at(place, tensor, "is it a model of this kind?", "%s: there is no tensor %s (%d × %d)", file->path,
             name, rows, cols);
    char shape[TFJS_MAX_RANK * 24] = "";
    size_t used = 0;
    for (int i = 0; i < tensor->rank; i++)
        used += (size_t)snprintf(shape + used, sizeof shape - used, i ? ", %zu" : "%zu", tensor->shape[i]);
    check_at(place, rows >= 0 && cols >= 0 && has_shape(tensor, (size_t)rows, (size_t)cols),
             "is it a model of this kind?", "%s: tensor %s is [%s], expected (%d × %d)", file->path, name,
             shape, rows, cols);
    Matrix out = matrix_uninitialised_at(place, arena, rows, cols);
    if (!tensor->quantised) {
        if (tensor->bytes) memcpy(out.data, tensor->data, tensor->bytes);
        return out;
    }
    for (size_t i = 0; i < tensor->elements; i++)
        out.data[i] = (float)(tensor->data[i] * tensor->scale + tensor->minimum);
    return out;
}
