// safetensors.c: named arrays in a file. See safetensors.h.
#include "files/safetensors.h"
#include "base/name_table.h"
#include "base/utf8.h"
#include "files/json.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(float) == 4 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the format is that of this machine's floats");

enum { LENGTH_BYTES = 8 }; // of the length of the header

static const char METADATA[] = "__metadata__";
static const char *const DAMAGED = "it is damaged, no safetensors file, or written by a program that does "
                                   "not keep to the format: fetch or save it again";

// ---- The header -----------------------------------------------------------------------------------------------

typedef struct {
    JsonText json;
    Arena *arena;
    size_t *sizes; // room for shapes
    int sizes_left;
} Reader;

#define refuse(r, ...) json_refuse(&(r)->json, __VA_ARGS__)

// How many bits an element has; 0: of an edition of the format that is not known here.
static size_t bits_of_dtype(const char *dtype)
{
    static const struct {
        const char *name;
        size_t bits;
    } known[] = {{"F32", 32},    {"F16", 16},    {"BF16", 16},       {"F64", 64},        {"I64", 64},
                 {"I32", 32},    {"I16", 16},    {"I8", 8},          {"U64", 64},        {"U32", 32},
                 {"U16", 16},    {"U8", 8},      {"BOOL", 8},        {"C64", 64},        {"F8_E4M3", 8},
                 {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"F6_E2M3", 6},
                 {"F6_E3M2", 6}, {"F4", 4}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(dtype, known[i].name) == 0) return known[i].bits;
    return 0;
}

// [2, 3] into sizes; returns how many.
static int read_shape(Reader *r, size_t sizes[SAFETENSORS_MAX_RANK], const char *name, const Json *value)
{
    int rank = 0;
    if (!json_is(value, JSON_ARRAY)) refuse(r, "tensor %.80s: its shape is no list", name);
    for (const Json *size = value->child; size; size = size->next) {
        if (rank == SAFETENSORS_MAX_RANK)
            refuse(r, "tensor %.80s has more than %d dimensions", name, SAFETENSORS_MAX_RANK);
        if (!json_whole(size, &sizes[rank++]))
            refuse(r, "tensor %.80s: its shape holds something other than whole numbers up to 2⁵³", name);
    }
    return rank;
}

static const size_t *keep_shape(Reader *r, const size_t *sizes, int rank)
{
    enum { MANY = 4096 };
    if (!r->sizes || r->sizes_left < rank) {
        r->sizes = arena_alloc_at(r->json.place, r->arena, MANY, sizeof *r->sizes);
        r->sizes_left = MANY;
    }
    size_t *kept = r->sizes;
    for (int i = 0; i < rank; i++) kept[i] = sizes[i];
    r->sizes += rank;
    r->sizes_left -= rank;
    return kept;
}

// The bytes between the offsets are those that type and shape need.
static void check_size(Reader *r, const SafetensorsEntry *entry)
{
    const char *name = entry->name;
    size_t elements = 1, bits = bits_of_dtype(entry->dtype), all;
    for (int i = 0; i < entry->rank; i++)
        if (__builtin_mul_overflow(elements, entry->shape[i], &elements))
            refuse(r, "the shape of tensor %.80s is beyond 64 bits", name);
    if (__builtin_mul_overflow(elements, bits, &all))
        refuse(r, "the shape of tensor %.80s is beyond 64 bits", name);
    if (all % 8)
        refuse(r, "tensor %.80s: %zu elements of %s, %zu bits each, are no whole number of bytes", name,
               elements, entry->dtype, bits);
    if (bits && all / 8 != entry->bytes)
        refuse(r, "tensor %.80s: dtype and shape need %zu bytes, the offsets give %zu", name, all / 8,
               entry->bytes);
    if (!bits && (elements == 0) != (entry->bytes == 0))
        refuse(r, "tensor %.80s: the shape has %zu elements, the offsets give %zu bytes", name, elements,
               entry->bytes);
}

// The member of a tensor's entry that must be there, once.
static const Json *member(Reader *r, const Json *entry, const char *key)
{
    const Json *found = NULL;
    for (const Json *item = entry->child; item; item = item->next) {
        if (strcmp(item->key, key) != 0) continue;
        if (found) refuse(r, "tensor %.80s: key %s is repeated", entry->key, key);
        found = item;
    }
    if (!found) refuse(r, "tensor %.80s needs dtype, shape and data_offsets", entry->key);
    return found;
}

// {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, the keys in any order, each once; others are skipped.
static SafetensorsEntry read_entry(Reader *r, const Json *value)
{
    SafetensorsEntry entry = {.name = value->key};
    const char *name = value->key;
    size_t end, sizes[SAFETENSORS_MAX_RANK];
    if (value->kind != JSON_OBJECT) refuse(r, "tensor %.80s: an object { … } is expected", name);
    const Json *dtype = member(r, value, "dtype"), *offsets = member(r, value, "data_offsets")->child;
    if (dtype->kind != JSON_STRING) refuse(r, "tensor %.80s: its dtype is no string", name);
    entry.dtype = dtype->text;
    entry.rank = read_shape(r, sizes, name, member(r, value, "shape"));
    if (!json_whole(offsets, &entry.begin) || !json_whole(offsets->next, &end) || offsets->next->next)
        refuse(r, "tensor %.80s: its data_offsets are not two whole numbers up to 2⁵³", name);
    if (end < entry.begin)
        refuse(r, "tensor %.80s ends at %zu before it begins at %zu", name, end, entry.begin);
    entry.bytes = end - entry.begin;
    entry.shape = keep_shape(r, sizes, entry.rank);
    check_size(r, &entry);
    return entry;
}

// Room for one more item in a list of the arena.
static void *with_room(const Reader *r, void *list, int count, size_t size)
{
    bool full = count == 0 || (count >= 16 && (count & (count - 1)) == 0); // at 16, 32, 64, …
    if (!full) return list;
    void *larger = arena_alloc_at(r->json.place, r->arena, count == 0 ? 16 : (size_t)count * 2, size);
    if (count) memcpy(larger, list, (size_t)count * size);
    return larger;
}

// {"key": "text", …}, or null: none.
static void read_notes(Reader *r, Safetensors *file, const Json *notes)
{
    if (notes->kind == JSON_NULL) return;
    if (notes->kind != JSON_OBJECT) refuse(r, "%s: an object { … } is expected", METADATA);
    for (const Json *note = notes->child; note; note = note->next) {
        if (file->note_count == SAFETENSORS_MAX_TENSORS) refuse(r, "too much metadata");
        if (note->kind != JSON_STRING)
            refuse(r, "metadata %.80s is not a string, and there may only be strings", note->key);
        file->notes = with_room(r, file->notes, file->note_count, sizeof *file->notes);
        file->notes[file->note_count++] = (SafetensorsNote){note->key, note->text};
    }
}

static void read_header(Reader *r, Safetensors *file)
{
    bool metadata = false;
    const Json *header = json_read(&r->json, r->arena);
    if (header->kind != JSON_OBJECT) refuse(r, "a header begins with '{'");
    for (const Json *item = header->child; item; item = item->next) {
        if (strcmp(item->key, METADATA) == 0) {
            if (metadata) refuse(r, "%s is there twice", METADATA);
            metadata = true;
            read_notes(r, file, item);
            continue;
        }
        if (file->count == SAFETENSORS_MAX_TENSORS)
            refuse(r, "more than %d tensors", SAFETENSORS_MAX_TENSORS);
        file->entries = with_room(r, file->entries, file->count, sizeof *file->entries);
        file->entries[file->count++] = read_entry(r, item);
    }
}

// ---- Reading ----------------------------------------------------------------------------------------------

static int by_name(const void *a, const void *b)
{
    return strcmp(((const SafetensorsEntry *)a)->name, ((const SafetensorsEntry *)b)->name);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const SafetensorsNote *)a)->key, ((const SafetensorsNote *)b)->key);
}

static int by_place(const void *a, const void *b)
{
    const SafetensorsEntry *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->bytes > y->bytes) -
           (x->bytes < y->bytes); // an empty tensor stands in front of the one that begins there
}

// The arrays fill size bytes exactly; names are unique.
static void check_layout(const Reader *r, Safetensors *file, const unsigned char *data, size_t size)
{
    size_t filled = 0;
    if (file->count) qsort(file->entries, (size_t)file->count, sizeof *file->entries, by_place);
    for (int i = 0; i < file->count; i++) {
        SafetensorsEntry *entry = &file->entries[i];
        check_at(r->json.place, entry->begin == filled, DAMAGED,
                 "%s: tensor %s begins at byte %zu, expected %zu: %s", r->json.path, entry->name,
                 entry->begin, filled, entry->begin < filled ? "it overlaps another" : "there is a hole");
        check_at(r->json.place, entry->bytes <= size - filled, DAMAGED,
                 "%s: tensor %s ends at byte %zu, the data end at %zu", r->json.path, entry->name,
                 entry->begin + entry->bytes, size);
        entry->data = data + entry->begin;
        filled += entry->bytes;
    }
    check_at(r->json.place, filled == size, DAMAGED, "%s: %zu bytes behind the last tensor, expected none",
             r->json.path, size - filled);

    if (file->count) qsort(file->entries, (size_t)file->count, sizeof *file->entries, by_name);
    for (int i = 1; i < file->count; i++)
        check_at(r->json.place, strcmp(file->entries[i - 1].name, file->entries[i].name) != 0, DAMAGED,
                 "%s: tensor %s is there twice", r->json.path, file->entries[i].name);
    if (file->note_count) qsort(file->notes, (size_t)file->note_count, sizeof *file->notes, by_key);
    for (int i = 1; i < file->note_count; i++)
        check_at(r->json.place, strcmp(file->notes[i - 1].key, file->notes[i].key) != 0, DAMAGED,
                 "%s: metadata %s is there twice", r->json.path, file->notes[i].key);
}

// What other kinds of files begin with, and what they are.
static const char *other_kind(const unsigned char *start, size_t size)
{
    static const struct {
        const char *bytes, *kind;
    } kinds[] = {
        {"PK\3\4", "a zip archive, such as PyTorch's .pt: convert it with the program that made it"},
        {"\x1f\x8b", "compressed: unpack it with gunzip"},
        {"\x80\2", "a pickle of Python: convert it with the program that made it"},
        {"\x89HDF", "an HDF5 file: convert it with the program that made it"},
        {"GGUF", "a GGUF file: fetch the safetensors file of that model"},
        {"version ", "a pointer of git-lfs, not the file itself: `git lfs pull` fetches it"},
        {"\xef\xbb\xbf", "a text with a byte order mark: an editor has changed the file, fetch it again"},
        {"<", "a page of the web, not a file of tensors: fetch it again"},
        {"{", "JSON without the length of the header in front: is it the index of several files?"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t length = strlen(kinds[i].bytes);
        if (size >= length && memcmp(start, kinds[i].bytes, length) == 0) return kinds[i].kind;
    }
    return NULL;
}

static size_t header_length(const unsigned char start[LENGTH_BYTES])
{
    uint64_t length = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--) length = length << 8 | start[i];
    return (size_t)length;
}

// The length of the header, which lies within the file.
static size_t checked_header_length(Place place, const FileMap *map)
{
    const size_t size = map->size, header = size >= LENGTH_BYTES ? header_length(map->bytes) : 0;
    const bool plausible = size >= LENGTH_BYTES + 2 && header >= 2 && header <= SAFETENSORS_MAX_HEADER &&
                           header <= size - LENGTH_BYTES;
    const char *other = plausible ? NULL : other_kind(map->bytes, size);
    if (other) die_at(place, "give the name of a safetensors file", "%s is %s", map->path, other);
    check_at(place, size >= LENGTH_BYTES + 2, DAMAGED, "%s: %zu bytes, a safetensors file has at least 10",
             map->path, size);
    check_at(place, plausible, DAMAGED, "%s: a header of %zu bytes in a file of %zu (limit %d)", map->path,
             header, size, SAFETENSORS_MAX_HEADER);
    return header;
}

Safetensors safetensors_open_at(Place place, Arena *arena, const char *path)
{
    FileMap *map = file_map_open_at(place, path, "has it been saved or fetched, and is the name right?");
    const size_t header = checked_header_length(place, map);
    Arena *scratch = arena_new();
    char *text = arena_alloc_at(place, scratch, header, 1); // which reading JSON writes to
    memcpy(text, map->bytes + LENGTH_BYTES, header);
    Reader reader = {.json = {.place = place,
                              .path = path,
                              .part = "header",
                              .remedy = DAMAGED,
                              .bytes = text,
                              .size = header,
                              .c_strings = true},
                     .arena = arena};
    Safetensors file = {.path = arena_string(arena, path), .map = map};
    read_header(&reader, &file);
    check_layout(&reader, &file, map->bytes + LENGTH_BYTES + header, map->size - LENGTH_BYTES - header);
    arena_free(scratch);
    file_map_check_at(place, map);
    return file;
}

void safetensors_close(Safetensors *file)
{
    file_map_close(file->map);
    *file = (Safetensors){.path = file->path};
}

const SafetensorsEntry *safetensors_find(const Safetensors *file, const char *name)
{
    SafetensorsEntry key = {.name = name};
    return file->count ? bsearch(&key, file->entries, (size_t)file->count, sizeof key, by_name) : NULL;
}

const char *safetensors_note(const Safetensors *file, const char *key)
{
    SafetensorsNote wanted = {.key = key}, *found = NULL;
    if (file->note_count)
        found = bsearch(&wanted, file->notes, (size_t)file->note_count, sizeof wanted, by_key);
    return found ? found->value : NULL;
}

// The kind of the elements; a type that is not read as numbers is refused by its name.
static StoredKind checked_kind(Place place, const Safetensors *file, const SafetensorsEntry *entry)
{
    for (int kind = STORED_F32; kind <= STORED_BF16; kind++)
        if (strcmp(entry->dtype, stored_kind_name((StoredKind)kind)) == 0) return (StoredKind)kind;
    die_at(place,
           bits_of_dtype(entry->dtype)
               ? "convert the file to one of these with the program that made it"
               : "an element type that is not known here; convert the file with the program that made it",
           "%s: tensor %s is %s, expected F32, F16 or BF16", file->path, entry->name, entry->dtype);
}

Stored safetensors_stored_at(Place place, const Safetensors *file, const char *name)
{
    const SafetensorsEntry *entry = safetensors_find(file, name);
    check_at(place, entry, "is it the file of this model?", "%s: there is no tensor %s", file->path, name);
    const StoredKind kind = checked_kind(place, file, entry);
    size_t cols = entry->rank ? entry->shape[entry->rank - 1] : 1, rows = 1;
    for (int i = 0; i < entry->rank - 1; i++) rows = size_product(place, rows, entry->shape[i]);
    check_at(place, rows <= INT32_MAX && cols <= INT32_MAX, "a matrix has fewer than 2³¹ rows and columns",
             "%s: tensor %s is (%zu × %zu)", file->path, name, rows, cols);
    return (Stored){(int)rows, (int)cols, kind, entry->data, NULL, false};
}

Matrix safetensors_matrix_at(Place place, Arena *arena, const Safetensors *file, const char *name)
{
    const Stored stored = safetensors_stored_at(place, file, name);
    Matrix out = matrix_uninitialised_at(place, arena, stored.rows, stored.cols);
    stored_expand_at(place, out, stored);
    file_map_check_at(place, file->map);
    return out;
}

// ---- Writing ----------------------------------------------------------------------------------------------

static int item_by_name(const void *a, const void *b)
{
    return strcmp(((const SafetensorsItem *)a)->name, ((const SafetensorsItem *)b)->name);
}

static int stored_by_name(const void *a, const void *b)
{
    return strcmp(((const SafetensorsStoredItem *)a)->name, ((const SafetensorsStoredItem *)b)->name);
}

static void write_header(FILE *out, const SafetensorsStoredItem *items, int count,
                         const SafetensorsNote *notes, int note_count)
{
    size_t offset = 0;
    fputc('{', out);
    if (note_count) {
        fprintf(out, "\"%s\":{", METADATA);
        for (int i = 0; i < note_count; i++) {
            if (i) fputc(',', out);
            json_write_string(out, notes[i].key, strlen(notes[i].key));
            fputc(':', out);
            json_write_string(out, notes[i].value, strlen(notes[i].value));
        }
        fputs(count ? "}," : "}", out);
    }
    for (int i = 0; i < count; i++) {
        const Stored value = items[i].value;
        const size_t end = offset + stored_bytes(value);
        if (i) fputc(',', out);
        json_write_string(out, items[i].name, strlen(items[i].name));
        fprintf(out, ":{\"dtype\":\"%s\",\"shape\":[", stored_kind_name(value.kind));
        if (!items[i].vector) fprintf(out, "%d,", value.rows);
        fprintf(out, "%d],\"data_offsets\":[%zu,%zu]}", value.cols, offset, end);
        offset = end;
    }
    fputc('}', out);
    while (ftell(out) % 8) fputc(' ', out); // the numbers begin at a multiple of 8
}

static bool is_text(const char *text) { return utf8_invalid(text, strlen(text)) == strlen(text); }

// Nothing is written that the reader would refuse. The items are sorted by name.
static void check_writable(Place place, const char *path, const SafetensorsStoredItem *items, int count,
                           const SafetensorsNote *notes, int note_count)
{
    check_at(place, count <= SAFETENSORS_MAX_TENSORS && note_count <= SAFETENSORS_MAX_TENSORS,
             "join some of them", "%s: %d tensors and %d notes; at most %d are read", path, count, note_count,
             SAFETENSORS_MAX_TENSORS);
    for (int i = 0; i < count; i++) {
        check_at(place, is_text(items[i].name), "names are UTF-8", "%s: the name \"%s\" is not UTF-8", path,
                 items[i].name);
        check_at(place, strcmp(items[i].name, METADATA) != 0,
                 "the format keeps its notes there: choose another", "%s: a tensor cannot be named %s", path,
                 METADATA);
        check_at(place, i == 0 || strcmp(items[i - 1].name, items[i].name) != 0, "names are unique",
                 "%s: two tensors are named %s", path, items[i].name);
        check_at(place, items[i].value.kind != STORED_INT8,
                 "write its floats (stored_expand), or what it was made from",
                 "%s: %s is INT8, whose scales have no place in the file", path, items[i].name);
        check_at(place, !items[i].value.strips,
                 "a file has its rows one after the other: stored_from makes them so",
                 "%s: %s lies in strips", path, items[i].name);
        check_at(place, !items[i].vector || items[i].value.rows == 1, "a vector has one row",
                 "%s: %s has %d rows, and is to be written as a vector", path, items[i].name,
                 items[i].value.rows);
    }
    Arena *arena = arena_new();
    NameTable table = name_table_new(arena, (size_t)note_count);
    char **keys = arena_alloc_at(place, arena, (size_t)note_count, sizeof *keys);
    for (int i = 0; i < note_count; i++) {
        const char *key = notes[i].key, *value = notes[i].value;
        check_at(place, key && value, "a note is two strings", "%s: note %d has no %s", path, i,
                 key ? "value" : "key");
        check_at(place, is_text(key) && is_text(value), "notes are UTF-8", "%s: note \"%s\" is not UTF-8",
                 path, key);
        check_at(place, name_table_find(&table, keys, key) < 0, "each key can be there once",
                 "%s: two notes have the key \"%s\"", path, key);
        keys[i] = (char *)(uintptr_t)key;
        name_table_put(&table, keys, i);
    }
    arena_free(arena);
}

// The items are sorted by name.
static bool try_write(Place place, const char *path, const SafetensorsStoredItem *items, int count,
                      const SafetensorsNote *notes, int note_count, Replacement *file)
{
    check_writable(place, path, items, count, notes, note_count);
    char *header = NULL;
    size_t header_size = 0;
    FILE *text = open_memstream(&header, &header_size);
    check_at(place, text, "free some memory", "%s: no memory for the header", path);
    write_header(text, items, count, notes, note_count);
    check_at(place, fclose(text) == 0, "free some memory", "%s: no memory for the header", path);
    check_at(place, header_size <= SAFETENSORS_MAX_HEADER, "shorten names and notes",
             "%s: a header of %zu bytes; at most %d are read", path, header_size, SAFETENSORS_MAX_HEADER);

    bool written = replace_try_begin(file, path);
    if (written) {
        unsigned char length[LENGTH_BYTES];
        for (int i = 0; i < LENGTH_BYTES; i++) length[i] = (unsigned char)(header_size >> (8 * i));
        fwrite(length, 1, LENGTH_BYTES, file->stream);
        fwrite(header, 1, header_size, file->stream);
        for (int i = 0; i < count && !ferror(file->stream); i++)
            if (stored_bytes(items[i].value))
                fwrite(items[i].value.data, 1, stored_bytes(items[i].value), file->stream);
        written = replace_try_finish(file);
    }
    free(header);
    return written;
}

bool safetensors_try_write_at(Place place, const char *path, SafetensorsItem *items, int count,
                              const SafetensorsNote *notes, int note_count, Replacement *file)
{
    if (count) qsort(items, (size_t)count, sizeof *items, item_by_name);
    Arena *arena = arena_new();
    SafetensorsStoredItem *stored = arena_zeros_at(place, arena, (size_t)count, sizeof *stored);
    for (int i = 0; i < count; i++) {
        const Matrix m = items[i].value;
        stored[i].name = items[i].name;
        stored[i].value = (Stored){m.rows, m.cols, STORED_F32, m.data, NULL, false};
    }
    const bool written = try_write(place, path, stored, count, notes, note_count, file);
    arena_free(arena);
    return written;
}

void safetensors_write_stored_at(Place place, const char *path, SafetensorsStoredItem *items, int count,
                                 const SafetensorsNote *notes, int note_count)
{
    Replacement file;
    if (count) qsort(items, (size_t)count, sizeof *items, stored_by_name);
    if (!try_write(place, path, items, count, notes, note_count, &file))
        die_at(place, file.remedy, "%s", file.problem);
}

void safetensors_write_at(Place place, const char *path, SafetensorsItem *items, int count,
                          const SafetensorsNote *notes, int note_count)
{
    Replacement file;
    if (!safetensors_try_write_at(place, path, items, count, notes, note_count, &file))
        die_at(place, file.remedy, "%s", file.problem);
}

// ---- Into matrices --------------------------------------------------------------------------------------

static void shape_text(char *out, size_t size, const SafetensorsEntry *entry)
{
    size_t used = (size_t)snprintf(out, size, "[");
    for (int i = 0; i < entry->rank && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, i ? ", %zu" : "%zu", entry->shape[i]);
    if (used < size) snprintf(out + used, size - used, "]");
}

// Every item is in the file, as numbers and of its shape, and nothing else is. Changes nothing.
static void check_items(Place place, const Safetensors *file, const SafetensorsItem *items, int count)
{
    for (int i = 0; i < count; i++) {
        const SafetensorsEntry *entry = safetensors_find(file, items[i].name);
        Matrix m = items[i].value;
        check_at(place, entry, "is it the file of this model?", "%s: tensor %s (%d × %d) is missing",
                 file->path, items[i].name, m.rows, m.cols);
        checked_kind(place, file, entry);
        bool matrix =
            entry->rank == 2 && entry->shape[0] == (size_t)m.rows && entry->shape[1] == (size_t)m.cols;
        bool vector = entry->rank == 1 && m.rows == 1 && entry->shape[0] == (size_t)m.cols;
        char shape[256];
        shape_text(shape, sizeof shape, entry);
        check_at(place, matrix || vector, "is it the file of this model?",
                 "%s: tensor %s is %s, expected [%d, %d]", file->path, entry->name, shape, m.rows, m.cols);
    }
    if (file->count == count) return;
    Arena *arena = arena_new();
    NameTable table = name_table_new(arena, (size_t)count);
    char **names = arena_alloc_at(place, arena, (size_t)count, sizeof *names);
    for (int i = 0; i < count; i++) {
        names[i] = (char *)(uintptr_t)items[i].name;
        name_table_put(&table, names, i);
    }
    for (int i = 0; i < file->count; i++)
        check_at(place, name_table_find(&table, names, file->entries[i].name) >= 0,
                 "is it the file of this model?", "%s: tensor %s is not part of this model", file->path,
                 file->entries[i].name);
    arena_free(arena);
}

void safetensors_fill_at(Place place, const Safetensors *file, const SafetensorsItem *items, int count)
{
    check_items(place, file, items, count);
    for (int i = 0; i < count; i++) {
        const Matrix m = items[i].value;
        stored_expand_at(place, m, safetensors_stored_at(place, file, items[i].name));
    }
    file_map_check_at(place, file->map);
}
