// safetensors.c: named arrays in a file. See safetensors.h.
#include "models/safetensors.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(float) == 4 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the format is that of this machine's floats");

enum { LENGTH_BYTES = 8 }; // the length of the header

static const char *const DAMAGED =
    "the file is damaged, or is not a safetensors file: fetch or save it again";

// ---- The header: a strict reader for exactly this grammar -------------------------------------------------

typedef struct {
    Place place;
    Arena *arena;
    const char *path;
    const unsigned char *text;
    size_t size, at;
} Reader;

#define refuse(r, ...) refuse_at((r)->at, r, __VA_ARGS__)

noreturn __attribute__((format(printf, 3, 4))) static void refuse_at(size_t at, const Reader *r,
                                                                     const char *format, ...)
{
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    die_at(r->place, DAMAGED, "%s: header, byte %zu: %s", r->path, at, what);
}

static int peek(Reader *r)
{
    while (r->at < r->size && strchr(" \t\r\n", r->text[r->at]) && r->text[r->at]) r->at++;
    return r->at < r->size ? r->text[r->at] : -1;
}

static bool take(Reader *r, char wanted)
{
    if (peek(r) != wanted) return false;
    r->at++;
    return true;
}

static void expect(Reader *r, char wanted)
{
    int found = peek(r);
    if (take(r, wanted)) return;
    if (found < 0) refuse(r, "it ends where '%c' is expected", wanted);
    if (found < 32 || found > 126) refuse(r, "byte 0x%02x where '%c' is expected", (unsigned)found, wanted);
    refuse(r, "'%c' where '%c' is expected", found, wanted);
}

// How many bytes the character at text has, 0 when it is not UTF-8 (RFC 3629: no overlong forms, no
// surrogates).
static int utf8_length(const unsigned char *text, size_t left)
{
    unsigned char first = text[0];
    if (first < 0x80) return 1;
    int length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length == 0 || (size_t)length > left) return 0;
    for (int i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80) return 0;
    if (first == 0xe0 && text[1] < 0xa0) return 0;
    if (first == 0xed && text[1] > 0x9f) return 0;
    if (first == 0xf0 && text[1] < 0x90) return 0;
    if (first == 0xf4 && text[1] > 0x8f) return 0;
    return length;
}

static unsigned hexadecimal4(Reader *r)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        int c = r->at < r->size ? r->text[r->at] : -1;
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) refuse(r, "\\u needs four hexadecimal digits");
        value = value * 16 + (unsigned)digit;
    }
    return value;
}

// The character of \uXXXX (two of them for a surrogate pair), written as UTF-8; returns its length.
static size_t unicode_escape(Reader *r, char *out)
{
    unsigned code = hexadecimal4(r);
    if (code >= 0xd800 && code < 0xdc00) {
        if (r->size - r->at < 6 || r->text[r->at] != '\\' || r->text[r->at + 1] != 'u')
            refuse(r, "half a surrogate pair");
        r->at += 2;
        unsigned low = hexadecimal4(r);
        if (low < 0xdc00 || low > 0xdfff) refuse(r, "half a surrogate pair");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code <= 0xdfff) {
        refuse(r, "half a surrogate pair");
    }
    if (code == 0) refuse(r, "a NUL inside a string");
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3; // continuation bytes, six bits each
    const unsigned lead[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(lead[more] | code >> (6 * more));
    for (int i = 1; i <= more; i++) out[i] = (char)(0x80 | (code >> (6 * (more - i)) & 0x3f));
    return (size_t)more + 1;
}

// A string in the arena. An escape is never longer decoded than written, so the room up to the closing quote
// is enough.
static char *read_string(Reader *r)
{
    expect(r, '"');
    size_t end = r->at;
    while (end < r->size && r->text[end] != '"') end += r->text[end] == '\\' ? 2 : 1;
    if (end >= r->size) refuse(r, "a string without end");
    char *out = arena_alloc_at(r->place, r->arena, end - r->at + 1, 1);
    size_t length = 0;
    while (r->at < end) {
        const unsigned char *c = r->text + r->at;
        int width = utf8_length(c, end - r->at);
        if (*c < 0x20) refuse(r, "a control character inside a string");
        if (width == 0) refuse(r, "not UTF-8");
        if (*c != '\\') {
            memcpy(out + length, c, (size_t)width);
            length += (size_t)width;
            r->at += (size_t)width;
            continue;
        }
        r->at += 2;
        const char *letters = "\"\\/bfnrt", *values = "\"\\/\b\f\n\r\t", *which = strchr(letters, c[1]);
        if (c[1] == 'u') {
            length += unicode_escape(r, out + length);
        } else if (c[1] && which) {
            out[length++] = values[which - letters];
        } else {
            refuse(r, "an unknown escape");
        }
    }
    if (r->at != end) refuse(r, "an escape across the end of a string");
    r->at++;
    out[length] = '\0';
    return out;
}

static size_t read_number(Reader *r)
{
    int c = peek(r);
    if (c < '0' || c > '9') refuse(r, "a whole number, not negative, is expected");
    if (c == '0' && r->at + 1 < r->size && r->text[r->at + 1] >= '0' && r->text[r->at + 1] <= '9')
        refuse(r, "a number with a leading 0");
    size_t value = 0;
    for (; r->at < r->size && r->text[r->at] >= '0' && r->text[r->at] <= '9'; r->at++)
        if (__builtin_mul_overflow(value, (size_t)10, &value) ||
            __builtin_add_overflow(value, (size_t)(r->text[r->at] - '0'), &value))
            refuse(r, "a number beyond 64 bits");
    if (r->at < r->size && strchr(".eE", r->text[r->at]) && r->text[r->at])
        refuse(r, "a whole number is expected");
    return value;
}

static size_t bytes_of_dtype(const char *dtype)
{
    static const struct {
        const char *name;
        size_t bytes;
    } known[] = {{"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8},     {"I64", 8},
                 {"I32", 4}, {"I16", 2}, {"I8", 1},   {"U64", 8},     {"U32", 4},
                 {"U16", 2}, {"U8", 1},  {"BOOL", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(dtype, known[i].name) == 0) return known[i].bytes;
    return 0;
}

// {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, the keys in any order, each once.
static SafetensorsEntry read_entry(Reader *r, const char *name)
{
    SafetensorsEntry entry = {.name = name, .rank = -1};
    size_t end = 0;
    bool offsets = false;
    expect(r, '{');
    do {
        size_t start = r->at;
        const char *key = read_string(r);
        expect(r, ':');
        if (strcmp(key, "dtype") == 0 && !entry.dtype) {
            entry.dtype = read_string(r);
        } else if (strcmp(key, "shape") == 0 && entry.rank < 0) {
            expect(r, '[');
            entry.rank = 0;
            if (!take(r, ']')) {
                do {
                    if (entry.rank == SAFETENSORS_MAX_RANK)
                        refuse(r, "tensor %.80s has more than 8 dimensions", name);
                    entry.shape[entry.rank++] = read_number(r);
                } while (take(r, ','));
                expect(r, ']');
            }
        } else if (strcmp(key, "data_offsets") == 0 && !offsets) {
            offsets = true;
            expect(r, '[');
            entry.begin = read_number(r);
            expect(r, ',');
            end = read_number(r);
            expect(r, ']');
        } else {
            refuse_at(start, r, "tensor %.80s: key %.40s is unknown or repeated", name, key);
        }
    } while (take(r, ','));
    expect(r, '}');

    if (!entry.dtype || entry.rank < 0 || !offsets)
        refuse(r, "tensor %.80s needs dtype, shape and data_offsets", name);
    size_t bytes = bytes_of_dtype(entry.dtype);
    if (bytes == 0) refuse(r, "tensor %.80s: unknown dtype %.40s", name, entry.dtype);
    if (end < entry.begin)
        refuse(r, "tensor %.80s ends at %zu before it begins at %zu", name, end, entry.begin);
    for (int i = 0; i < entry.rank; i++)
        if (__builtin_mul_overflow(bytes, entry.shape[i], &bytes))
            refuse(r, "the shape of tensor %.80s is beyond 64 bits", name);
    entry.bytes = end - entry.begin;
    if (bytes != entry.bytes)
        refuse(r, "tensor %.80s: dtype and shape need %zu bytes, the offsets give %zu", name, bytes,
               entry.bytes);
    return entry;
}

// Room for one more item in a list of the arena.
static void *with_room(const Reader *r, void *list, int count, size_t size)
{
    bool full = count == 0 || (count >= 16 && (count & (count - 1)) == 0); // at 16, 32, 64, …
    if (!full) return list;
    void *larger = arena_alloc_at(r->place, r->arena, count == 0 ? 16 : (size_t)count * 2, size);
    if (count) memcpy(larger, list, (size_t)count * size);
    return larger;
}

static void read_notes(Reader *r, Safetensors *file)
{
    expect(r, '{');
    if (take(r, '}')) return;
    do {
        if (file->note_count == SAFETENSORS_MAX_TENSORS) refuse(r, "too much metadata");
        file->notes = with_room(r, file->notes, file->note_count, sizeof *file->notes);
        SafetensorsNote *note = &file->notes[file->note_count++];
        note->key = read_string(r);
        expect(r, ':');
        note->value = read_string(r);
    } while (take(r, ','));
    expect(r, '}');
}

static void read_header(Reader *r, Safetensors *file)
{
    bool metadata = false;
    if (r->size == 0 || r->text[0] != '{') refuse(r, "a header begins with '{'");
    r->at = 1;
    if (!take(r, '}')) {
        do {
            size_t start = r->at;
            char *name = read_string(r);
            expect(r, ':');
            if (strcmp(name, "__metadata__") == 0) {
                if (metadata) refuse_at(start, r, "__metadata__ is there twice");
                metadata = true;
                read_notes(r, file);
                continue;
            }
            if (file->count == SAFETENSORS_MAX_TENSORS)
                refuse(r, "more than %d tensors", SAFETENSORS_MAX_TENSORS);
            file->entries = with_room(r, file->entries, file->count, sizeof *file->entries);
            file->entries[file->count++] = read_entry(r, name);
        } while (take(r, ','));
        expect(r, '}');
    }
    while (r->at < r->size)
        if (r->text[r->at++] != ' ') refuse_at(r->at - 1, r, "something other than spaces behind the header");
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
        check_at(r->place, entry->begin == filled, DAMAGED,
                 "%s: tensor %s begins at byte %zu, expected %zu: %s", r->path, entry->name, entry->begin,
                 filled, entry->begin < filled ? "it overlaps another" : "there is a hole");
        check_at(r->place, entry->bytes <= size - filled, DAMAGED,
                 "%s: tensor %s ends at byte %zu, the data end at %zu", r->path, entry->name,
                 entry->begin + entry->bytes, size);
        entry->data = data + entry->begin;
        filled += entry->bytes;
    }
    check_at(r->place, filled == size, DAMAGED, "%s: %zu bytes behind the last tensor, expected none",
             r->path, size - filled);

    if (file->count) qsort(file->entries, (size_t)file->count, sizeof *file->entries, by_name);
    for (int i = 1; i < file->count; i++)
        check_at(r->place, strcmp(file->entries[i - 1].name, file->entries[i].name) != 0, DAMAGED,
                 "%s: tensor %s is there twice", r->path, file->entries[i].name);
    if (file->note_count) qsort(file->notes, (size_t)file->note_count, sizeof *file->notes, by_key);
    for (int i = 1; i < file->note_count; i++)
        check_at(r->place, strcmp(file->notes[i - 1].key, file->notes[i].key) != 0, DAMAGED,
                 "%s: metadata %s is there twice", r->path, file->notes[i].key);
}

// The whole file as bytes in the arena. *size receives how many.
static unsigned char *read_file(Place place, Arena *arena, const char *path, size_t *size)
{
    const char *hint = "has it been saved or fetched, and is the name right?";
    FILE *stream = fopen(path, "rb");
    check_at(place, stream, hint, "%s: %s", path, strerror(errno));
    struct stat about;
    check_at(place, fstat(fileno(stream), &about) == 0 && S_ISREG(about.st_mode), hint,
             "%s is not an ordinary file", path);
    *size = (size_t)about.st_size;
    check_at(place, *size >= LENGTH_BYTES + 2, DAMAGED, "%s: %zu bytes, a safetensors file has at least 10",
             path, *size);

    unsigned char start[LENGTH_BYTES];
    check_at(place, fread(start, 1, LENGTH_BYTES, stream) == LENGTH_BYTES, hint, "%s: it cannot be read",
             path);
    uint64_t header = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--) header = header << 8 | start[i];
    check_at(place, header >= 2 && header <= SAFETENSORS_MAX_HEADER && header <= *size - LENGTH_BYTES,
             DAMAGED, "%s: a header of %" PRIu64 " bytes in a file of %zu (limit %d)", path, header, *size,
             SAFETENSORS_MAX_HEADER);

    unsigned char *bytes = arena_alloc_at(place, arena, *size, 1);
    memcpy(bytes, start, LENGTH_BYTES);
    size_t rest = *size - LENGTH_BYTES, got = fread(bytes + LENGTH_BYTES, 1, rest, stream);
    fclose(stream);
    check_at(place, got == rest, hint, "%s: %zu bytes could be read, expected %zu", path, got + LENGTH_BYTES,
             *size);
    return bytes;
}

Safetensors safetensors_open_at(Place place, Arena *arena, const char *path)
{
    size_t size;
    const unsigned char *bytes = read_file(place, arena, path, &size);
    uint64_t header = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--) header = header << 8 | bytes[i];
    Reader reader = {
        .place = place, .arena = arena, .path = path, .text = bytes + LENGTH_BYTES, .size = header};
    Safetensors file = {.path = arena_string(arena, path)};
    read_header(&reader, &file);
    check_layout(&reader, &file, bytes + LENGTH_BYTES + header, size - LENGTH_BYTES - header);
    return file;
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

Matrix safetensors_matrix_at(Place place, Arena *arena, const Safetensors *file, const char *name)
{
    const SafetensorsEntry *entry = safetensors_find(file, name);
    check_at(place, entry, "is it the file of this model?", "%s: there is no tensor %s", file->path, name);
    check_at(place, strcmp(entry->dtype, "F32") == 0, "convert the file to float32",
             "%s: tensor %s is %s, expected F32", file->path, name, entry->dtype);
    size_t cols = entry->rank ? entry->shape[entry->rank - 1] : 1, rows = 1;
    for (int i = 0; i < entry->rank - 1; i++) rows = size_product(place, rows, entry->shape[i]);
    check_at(place, rows <= INT32_MAX && cols <= INT32_MAX, DAMAGED, "%s: tensor %s is (%zu × %zu)",
             file->path, name, rows, cols);
    Matrix out = matrix_uninitialised_at(place, arena, (int)rows, (int)cols);
    memcpy(out.data, entry->data, entry->bytes);
    return out;
}

// ---- Writing ----------------------------------------------------------------------------------------------

typedef struct {
    const char *name;
    Matrix value;
} Item;

static int item_by_name(const void *a, const void *b)
{
    return strcmp(((const Item *)a)->name, ((const Item *)b)->name);
}

static void write_string(Place place, FILE *out, const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    size_t left = strlen(text);
    fputc('"', out);
    while (left) {
        int width = utf8_length(c, left);
        check_at(place, width, "names are UTF-8", "safetensors_save: the name \"%s\" is not UTF-8", text);
        if (*c == '"' || *c == '\\') {
            fprintf(out, "\\%c", *c);
        } else if (*c < 0x20) {
            fprintf(out, "\\u%04x", *c);
        } else {
            fwrite(c, 1, (size_t)width, out);
        }
        c += width;
        left -= (size_t)width;
    }
    fputc('"', out);
}

static void write_header(Place place, FILE *out, const Item *items, int count, const SafetensorsNote *notes,
                         int note_count)
{
    size_t offset = 0;
    fputc('{', out);
    if (note_count) {
        fputs("\"__metadata__\":{", out);
        for (int i = 0; i < note_count; i++) {
            if (i) fputc(',', out);
            write_string(place, out, notes[i].key);
            fputc(':', out);
            write_string(place, out, notes[i].value);
        }
        fputs(count ? "}," : "}", out);
    }
    for (int i = 0; i < count; i++) {
        size_t end = offset + matrix_size(items[i].value) * sizeof(float);
        if (i) fputc(',', out);
        write_string(place, out, items[i].name);
        fprintf(out, ":{\"dtype\":\"F32\",\"shape\":[%d,%d],\"data_offsets\":[%zu,%zu]}", items[i].value.rows,
                items[i].value.cols, offset, end);
        offset = end;
    }
    fputc('}', out);
    while (ftell(out) % 8) fputc(' ', out); // the numbers begin at a multiple of 8
}

// Sorts the items, writes them under a temporary name, and renames.
static void save_items(Place place, const char *path, Item *items, int count, const SafetensorsNote *notes,
                       int note_count)
{
    const char *hint = "is there room on the disk, and may this folder be written to?";
    if (count) qsort(items, (size_t)count, sizeof *items, item_by_name);
    char *header = NULL, *temporary = NULL;
    size_t header_size = 0;
    FILE *text = open_memstream(&header, &header_size);
    check_at(place, text, hint, "%s: no memory for the header", path);
    write_header(place, text, items, count, notes, note_count);
    check_at(place, fclose(text) == 0, hint, "%s: no memory for the header", path);

    check_at(place, asprintf(&temporary, "%s.part-%ld", path, (long)getpid()) > 0, hint,
             "%s: no memory for a name", path);
    FILE *out = fopen(temporary, "wb");
    check_at(place, out, hint, "%s cannot be written: %s", temporary, strerror(errno));
    unsigned char length[LENGTH_BYTES];
    for (int i = 0; i < LENGTH_BYTES; i++) length[i] = (unsigned char)(header_size >> (8 * i));
    bool written = fwrite(length, 1, LENGTH_BYTES, out) == LENGTH_BYTES &&
                   fwrite(header, 1, header_size, out) == header_size;
    for (int i = 0; i < count && written; i++)
        written = fwrite(items[i].value.data, sizeof(float), matrix_size(items[i].value), out) ==
                  matrix_size(items[i].value);
    written = fclose(out) == 0 && written;
    if (!written || rename(temporary, path) != 0) {
        int reason = errno;
        remove(temporary);
        die_at(place, hint, "%s cannot be written: %s", path, strerror(reason));
    }
    free(header);
    free(temporary);
}

void safetensors_save_at(Place place, const char *path, const Parameters *set, const SafetensorsNote *notes,
                         int note_count)
{
    Arena *arena = arena_new();
    Item *items = arena_alloc(arena, (size_t)set->count, sizeof *items);
    for (int i = 0; i < set->count; i++) items[i] = (Item){set->names[i], set->items[i]->value};
    save_items(place, path, items, set->count, notes, note_count);
    arena_free(arena);
}

// ---- Into parameters --------------------------------------------------------------------------------------

static void shape_text(char *out, size_t size, const SafetensorsEntry *entry)
{
    size_t used = (size_t)snprintf(out, size, "[");
    for (int i = 0; i < entry->rank && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, i ? ", %zu" : "%zu", entry->shape[i]);
    if (used < size) snprintf(out + used, size - used, "]");
}

// Every item is in the file, F32 and of its shape, and nothing else is. Changes nothing.
static void check_items(Place place, const Safetensors *file, const Item *items, int count)
{
    for (int i = 0; i < count; i++) {
        const SafetensorsEntry *entry = safetensors_find(file, items[i].name);
        Matrix m = items[i].value;
        check_at(place, entry, "is it the file of this model?", "%s: tensor %s (%d × %d) is missing",
                 file->path, items[i].name, m.rows, m.cols);
        check_at(place, strcmp(entry->dtype, "F32") == 0, "convert the file to float32",
                 "%s: tensor %s is %s, expected F32", file->path, entry->name, entry->dtype);
        bool matrix =
            entry->rank == 2 && entry->shape[0] == (size_t)m.rows && entry->shape[1] == (size_t)m.cols;
        bool vector = entry->rank == 1 && m.rows == 1 && entry->shape[0] == (size_t)m.cols;
        char shape[256];
        shape_text(shape, sizeof shape, entry);
        check_at(place, matrix || vector, "is it the file of this model?",
                 "%s: tensor %s is %s, expected [%d, %d]", file->path, entry->name, shape, m.rows, m.cols);
    }
    for (int i = 0, found; i < file->count && file->count != count; i++) {
        found = 0;
        for (int j = 0; j < count; j++) found |= strcmp(items[j].name, file->entries[i].name) == 0;
        check_at(place, found, "is it the file of this model?", "%s: tensor %s is not part of this model",
                 file->path, file->entries[i].name);
    }
}

static void load_items(const Safetensors *file, const Item *items, int count)
{
    for (int i = 0; i < count; i++)
        if (matrix_size(items[i].value))
            memcpy(items[i].value.data, safetensors_find(file, items[i].name)->data,
                   matrix_size(items[i].value) * sizeof(float));
}

void safetensors_load_at(Place place, const char *path, Parameters *set)
{
    Arena *arena = arena_new();
    Safetensors file = safetensors_open_at(place, arena, path);
    Item *items = arena_alloc(arena, (size_t)set->count, sizeof *items);
    for (int i = 0; i < set->count; i++) items[i] = (Item){set->names[i], set->items[i]->value};
    check_items(place, &file, items, set->count);
    load_items(&file, items, set->count);
    arena_free(arena);
}

// ---- Checkpoints ------------------------------------------------------------------------------------------
// "value/name" is a parameter, "first/name" and "second/name" its moments; the rest is metadata. Numbers of
// the metadata are written as their bits in hexadecimal, so that nothing is rounded.

enum { MAX_NOTES = 64, NOTE_SIZE = 40 };

static const char *const CHECKPOINT_NOTES[] = {"optimiser", "steps", "power1",
                                               "power2",    "step",  "generators"};
enum { FIXED_NOTES = sizeof CHECKPOINT_NOTES / sizeof *CHECKPOINT_NOTES };

static Item *checkpoint_items(Arena *arena, const Optimiser *o, int *count)
{
    const Parameters *set = o->parameters;
    Item *items = arena_alloc(arena, (size_t)set->count * 3, sizeof *items);
    const char *prefixes[] = {"value/", "first/", "second/"};
    const Matrix *moments[] = {NULL, o->first, o->second};
    *count = 0;
    for (int kind = 0; kind < 3; kind++) {
        if (kind > 0 && !moments[kind]) continue;
        for (int i = 0; i < set->count; i++) {
            size_t size = strlen(prefixes[kind]) + strlen(set->names[i]) + 1;
            char *name = arena_alloc(arena, size, 1);
            snprintf(name, size, "%s%s", prefixes[kind], set->names[i]);
            items[(*count)++] = (Item){name, kind ? moments[kind][i] : set->items[i]->value};
        }
    }
    return items;
}

static uint64_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float bits_float(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return value;
}

void checkpoint_save_at(Place place, const char *path, const Optimiser *o, const Rng *rngs, int rng_count,
                        long step)
{
    check_at(place, rng_count >= 0 && FIXED_NOTES + 2 * rng_count <= MAX_NOTES,
             "share generators between purposes", "checkpoint_save: %d generators", rng_count);
    Arena *arena = arena_new();
    int count;
    Item *items = checkpoint_items(arena, o, &count);
    const uint64_t fixed[FIXED_NOTES] = {(uint64_t)o->kind,     (uint64_t)o->steps, float_bits(o->power1),
                                         float_bits(o->power2), (uint64_t)step,     (uint64_t)rng_count};
    SafetensorsNote notes[MAX_NOTES];
    char keys[MAX_NOTES][NOTE_SIZE], values[MAX_NOTES][NOTE_SIZE];
    int note_count = 0;
    for (; note_count < FIXED_NOTES; note_count++) {
        snprintf(keys[note_count], NOTE_SIZE, "%s", CHECKPOINT_NOTES[note_count]);
        snprintf(values[note_count], NOTE_SIZE, "%016" PRIx64, fixed[note_count]);
    }
    for (int i = 0; i < 2 * rng_count; i++, note_count++) {
        snprintf(keys[note_count], NOTE_SIZE, "generator%d.%s", i / 2, i % 2 ? "increment" : "state");
        snprintf(values[note_count], NOTE_SIZE, "%016" PRIx64,
                 i % 2 ? rngs[i / 2].increment : rngs[i / 2].state);
    }
    for (int i = 0; i < note_count; i++) notes[i] = (SafetensorsNote){keys[i], values[i]};
    save_items(place, path, items, count, notes, note_count);
    arena_free(arena);
}

static uint64_t number_note(Place place, const Safetensors *file, const char *key)
{
    const char *text = safetensors_note(file, key);
    check_at(place, text, "is it a checkpoint?", "%s: metadata %s is missing", file->path, key);
    bool digits = strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16;
    check_at(place, digits, DAMAGED, "%s: metadata %s is \"%.40s\", expected 16 hexadecimal digits",
             file->path, key, text);
    return strtoull(text, NULL, 16);
}

long checkpoint_load_at(Place place, const char *path, Optimiser *o, Rng *rngs, int rng_count)
{
    Arena *arena = arena_new();
    Safetensors file = safetensors_open_at(place, arena, path);
    uint64_t fixed[FIXED_NOTES];
    for (int i = 0; i < FIXED_NOTES; i++) fixed[i] = number_note(place, &file, CHECKPOINT_NOTES[i]);
    check_at(place, fixed[0] == (uint64_t)o->kind, "go on with the method that the run began with",
             "%s: saved with optimiser %" PRIu64 ", this one is %d", path, fixed[0], (int)o->kind);
    check_at(place, fixed[1] <= INT64_MAX && fixed[4] <= INT64_MAX, DAMAGED, "%s: a negative number of steps",
             path);
    check_at(place, fixed[5] == (uint64_t)rng_count, "give the generators that were saved",
             "%s: %" PRIu64 " generators, expected %d", path, fixed[5], rng_count);

    Rng *found = arena_alloc(arena, (size_t)rng_count, sizeof *found);
    for (int i = 0; i < rng_count; i++) {
        char key[NOTE_SIZE];
        snprintf(key, sizeof key, "generator%d.state", i);
        found[i].state = number_note(place, &file, key);
        snprintf(key, sizeof key, "generator%d.increment", i);
        found[i].increment = number_note(place, &file, key);
        check_at(place, found[i].increment & 1, DAMAGED, "%s: metadata %s must be odd", path, key);
    }
    int count;
    Item *items = checkpoint_items(arena, o, &count);
    check_items(place, &file, items, count);

    load_items(&file, items, count);
    if (rng_count) memcpy(rngs, found, (size_t)rng_count * sizeof *rngs);
    o->steps = (long)fixed[1];
    o->power1 = bits_float(fixed[2]);
    o->power2 = bits_float(fixed[3]);
    clear_gradients(o->parameters);
    arena_free(arena);
    return (long)fixed[4];
}
