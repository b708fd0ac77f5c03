// safetensors.c: named arrays in a file. See safetensors.h.
#include "files/safetensors.h"
#include "base/name_table.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(float) == 4 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the format is that of this machine's floats");

enum { LENGTH_BYTES = 8, MOST_NESTED = 128 }; // the length of the header; values within values

static const char METADATA[] = "__metadata__";
static const char *const DAMAGED = "it is damaged, no safetensors file, or written by a program that does "
                                   "not keep to the format: fetch or save it again";

// ---- The header: a reader for JSON of this form ------------------------------------------------------------

typedef struct {
    Place place;
    Arena *arena;
    const char *path;
    unsigned char *text; // strings are decoded where they stand
    size_t size, at;
    size_t *sizes; // room for shapes
    int sizes_left;
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

static bool is_blank(int c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static int peek(Reader *r)
{
    while (r->at < r->size && is_blank(r->text[r->at])) r->at++;
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

static bool take_word(Reader *r, const char *word)
{
    size_t length = strlen(word);
    if (peek(r) < 0 || r->size - r->at < length || memcmp(r->text + r->at, word, length) != 0) return false;
    r->at += length;
    return true;
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
static size_t unicode_escape(Reader *r, char out[4])
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
    if (code == 0) refuse(r, "a NUL inside a string, where a string of C would end");
    return (size_t)utf8_encode(out, code);
}

// A string, decoded in its place: an escape is never longer decoded than written, and the closing quote makes room
// for the 0 at the end.
static char *read_string(Reader *r)
{
    expect(r, '"');
    size_t end = r->at;
    while (end < r->size && r->text[end] != '"') end += r->text[end] == '\\' ? 2 : 1;
    if (end >= r->size) refuse(r, "a string without end");
    char *string = (char *)r->text + r->at, *out = string;
    while (r->at < end) {
        const unsigned char *c = r->text + r->at;
        if (*c < 0x20) refuse(r, "a control character inside a string");
        if (*c != '\\') {
            uint32_t character;
            int width = utf8_decode((const char *)c, end - r->at, &character);
            if (character == UTF8_REPLACEMENT && width == 1) refuse(r, "not UTF-8");
            for (int i = 0; i < width; i++) *out++ = (char)c[i];
            r->at += (size_t)width;
            continue;
        }
        r->at += 2;
        const char *letters = "\"\\/bfnrt", *values = "\"\\/\b\f\n\r\t", *which = strchr(letters, c[1]);
        if (c[1] == 'u') {
            char bytes[4];
            size_t length = unicode_escape(r, bytes);
            memcpy(out, bytes, length);
            out += length;
        } else if (c[1] && which) {
            *out++ = values[which - letters];
        } else {
            refuse(r, "an unknown escape");
        }
    }
    if (r->at != end) refuse(r, "an escape across the end of a string");
    r->at++;
    *out = '\0';
    return string;
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

static size_t skip_digits(Reader *r)
{
    size_t first = r->at;
    while (r->at < r->size && r->text[r->at] >= '0' && r->text[r->at] <= '9') r->at++;
    return r->at - first;
}

static void skip_number(Reader *r)
{
    size_t start = r->at;
    if (r->text[r->at] == '-') r->at++;
    size_t first = r->at, digits = skip_digits(r);
    bool right = digits == 1 || (digits > 1 && r->text[first] != '0');
    if (right && r->at < r->size && r->text[r->at] == '.') r->at++, right = skip_digits(r) > 0;
    if (right && r->at < r->size && (r->text[r->at] | 0x20) == 'e') {
        r->at++;
        if (r->at < r->size && (r->text[r->at] == '+' || r->text[r->at] == '-')) r->at++;
        right = skip_digits(r) > 0;
    }
    if (!right) refuse_at(start, r, "a value is expected");
}

// Any JSON value, of a key that is not known.
static void skip_value(Reader *r, int nested)
{
    int c = peek(r);
    if (c == '"') {
        read_string(r);
    } else if (c == '{' || c == '[') {
        const char end = c == '{' ? '}' : ']';
        if (nested == MOST_NESTED) refuse(r, "values nested more than %d deep", MOST_NESTED);
        r->at++;
        if (take(r, end)) return;
        do {
            if (c == '{') {
                read_string(r);
                expect(r, ':');
            }
            skip_value(r, nested + 1);
        } while (take(r, ','));
        expect(r, end);
    } else if (!take_word(r, "true") && !take_word(r, "false") && !take_word(r, "null")) {
        if (c < 0) refuse(r, "it ends where a value is expected");
        skip_number(r);
    }
}

// ---- Tensors and notes --------------------------------------------------------------------------------------

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
static int read_shape(Reader *r, size_t sizes[SAFETENSORS_MAX_RANK], const char *name)
{
    int rank = 0;
    expect(r, '[');
    if (take(r, ']')) return 0;
    do {
        if (rank == SAFETENSORS_MAX_RANK)
            refuse(r, "tensor %.80s has more than %d dimensions", name, SAFETENSORS_MAX_RANK);
        sizes[rank++] = read_number(r);
    } while (take(r, ','));
    expect(r, ']');
    return rank;
}

static const size_t *keep_shape(Reader *r, const size_t *sizes, int rank)
{
    enum { MANY = 4096 };
    if (!r->sizes || r->sizes_left < rank) {
        r->sizes = arena_alloc_at(r->place, r->arena, MANY, sizeof *r->sizes);
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

typedef enum { KEY_DTYPE = 1, KEY_SHAPE = 2, KEY_OFFSETS = 4, ALL_KEYS = 7 } EntryKey;

static EntryKey key_of(const char *key)
{
    return strcmp(key, "dtype") == 0          ? KEY_DTYPE
           : strcmp(key, "shape") == 0        ? KEY_SHAPE
           : strcmp(key, "data_offsets") == 0 ? KEY_OFFSETS
                                              : 0;
}

// {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, the keys in any order, each once; others are skipped.
static SafetensorsEntry read_entry(Reader *r, const char *name)
{
    SafetensorsEntry entry = {.name = name};
    size_t end = 0, sizes[SAFETENSORS_MAX_RANK];
    unsigned found = 0;
    expect(r, '{');
    do {
        size_t start = r->at;
        const char *key = read_string(r);
        EntryKey which = key_of(key);
        expect(r, ':');
        if (found & which) refuse_at(start, r, "tensor %.80s: key %s is repeated", name, key);
        found |= which;
        if (which == KEY_DTYPE) {
            entry.dtype = read_string(r);
        } else if (which == KEY_SHAPE) {
            entry.rank = read_shape(r, sizes, name);
        } else if (which == KEY_OFFSETS) {
            expect(r, '[');
            entry.begin = read_number(r);
            expect(r, ',');
            end = read_number(r);
            expect(r, ']');
        } else {
            skip_value(r, 0);
        }
    } while (take(r, ','));
    expect(r, '}');

    if (found != ALL_KEYS) refuse(r, "tensor %.80s needs dtype, shape and data_offsets", name);
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
    void *larger = arena_alloc_at(r->place, r->arena, count == 0 ? 16 : (size_t)count * 2, size);
    if (count) memcpy(larger, list, (size_t)count * size);
    return larger;
}

// {"key": "text", …}, or null: none.
static void read_notes(Reader *r, Safetensors *file)
{
    if (take_word(r, "null")) return;
    expect(r, '{');
    if (take(r, '}')) return;
    do {
        if (file->note_count == SAFETENSORS_MAX_TENSORS) refuse(r, "too much metadata");
        file->notes = with_room(r, file->notes, file->note_count, sizeof *file->notes);
        SafetensorsNote *note = &file->notes[file->note_count++];
        note->key = read_string(r);
        expect(r, ':');
        if (peek(r) != '"')
            refuse(r, "metadata %.80s is not a string, and there may only be strings", note->key);
        note->value = read_string(r);
    } while (take(r, ','));
    expect(r, '}');
}

static void read_header(Reader *r, Safetensors *file)
{
    bool metadata = false;
    if (!take(r, '{')) refuse(r, "a header begins with '{'");
    if (!take(r, '}')) {
        do {
            size_t start = r->at;
            char *name = read_string(r);
            expect(r, ':');
            if (strcmp(name, METADATA) == 0) {
                if (metadata) refuse_at(start, r, "%s is there twice", METADATA);
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
    if (peek(r) >= 0) refuse(r, "something other than white space behind the header");
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

// Reads until size bytes are there, the file ends, or an error.
static size_t read_fully(int file, unsigned char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(file, bytes + done, size - done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        done += (size_t)got;
    }
    return done;
}

// The whole file as bytes in the arena. *size receives how many, *header the length of the header.
static unsigned char *read_file(Place place, Arena *arena, const char *path, size_t *size, size_t *header)
{
    const char *hint = "has it been saved or fetched, and is the name right?";
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a named pipe must not make us wait
    check_at(place, file >= 0, hint, "%s: %s", path, strerror(errno));
    struct stat about;
    check_at(place, fstat(file, &about) == 0 && S_ISREG(about.st_mode), hint, "%s is not an ordinary file",
             path);
    *size = (size_t)about.st_size;

    unsigned char start[LENGTH_BYTES] = {0};
    size_t got = read_fully(file, start, LENGTH_BYTES);
    *header = header_length(start);
    const bool plausible = *size >= LENGTH_BYTES + 2 && *header >= 2 && *header <= SAFETENSORS_MAX_HEADER &&
                           *header <= *size - LENGTH_BYTES;
    const char *other = plausible ? NULL : other_kind(start, got);
    if (other) die_at(place, "give the name of a safetensors file", "%s is %s", path, other);
    check_at(place, *size >= LENGTH_BYTES + 2, DAMAGED, "%s: %zu bytes, a safetensors file has at least 10",
             path, *size);
    check_at(place, got < LENGTH_BYTES || plausible, DAMAGED,
             "%s: a header of %zu bytes in a file of %zu (limit %d)", path, *header, *size,
             SAFETENSORS_MAX_HEADER);

    unsigned char *bytes = arena_alloc_at(place, arena, *size, 1);
    memcpy(bytes, start, LENGTH_BYTES);
    got += got == LENGTH_BYTES ? read_fully(file, bytes + LENGTH_BYTES, *size - LENGTH_BYTES) : 0;
    close(file);
    check_at(place, got == *size, hint, "%s: %zu bytes could be read, expected %zu", path, got, *size);
    return bytes;
}

Safetensors safetensors_open_at(Place place, Arena *arena, const char *path)
{
    size_t size, header;
    unsigned char *bytes = read_file(place, arena, path, &size, &header);
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

static void check_float32(Place place, const Safetensors *file, const SafetensorsEntry *entry)
{
    bool known = bits_of_dtype(entry->dtype) > 0;
    check_at(
        place, strcmp(entry->dtype, "F32") == 0,
        known ? "convert the file to float32 with the program that made it"
              : "an element type that is not known here; convert the file to float32 with the program that "
                "made it",
        "%s: tensor %s is %s, expected F32", file->path, entry->name, entry->dtype);
}

Matrix safetensors_matrix_at(Place place, Arena *arena, const Safetensors *file, const char *name)
{
    const SafetensorsEntry *entry = safetensors_find(file, name);
    check_at(place, entry, "is it the file of this model?", "%s: there is no tensor %s", file->path, name);
    check_float32(place, file, entry);
    size_t cols = entry->rank ? entry->shape[entry->rank - 1] : 1, rows = 1;
    for (int i = 0; i < entry->rank - 1; i++) rows = size_product(place, rows, entry->shape[i]);
    check_at(place, rows <= INT32_MAX && cols <= INT32_MAX, "a matrix has fewer than 2³¹ rows and columns",
             "%s: tensor %s is (%zu × %zu)", file->path, name, rows, cols);
    Matrix out = matrix_uninitialised_at(place, arena, (int)rows, (int)cols);
    if (entry->bytes) memcpy(out.data, entry->data, entry->bytes);
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

static void write_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c < 0x20) {
            fprintf(out, "\\u%04x", *c);
        } else {
            if (*c == '"' || *c == '\\') fputc('\\', out);
            fputc(*c, out);
        }
    }
    fputc('"', out);
}

static void write_header(FILE *out, const Item *items, int count, const SafetensorsNote *notes,
                         int note_count)
{
    size_t offset = 0;
    fputc('{', out);
    if (note_count) {
        fprintf(out, "\"%s\":{", METADATA);
        for (int i = 0; i < note_count; i++) {
            if (i) fputc(',', out);
            write_string(out, notes[i].key);
            fputc(':', out);
            write_string(out, notes[i].value);
        }
        fputs(count ? "}," : "}", out);
    }
    for (int i = 0; i < count; i++) {
        size_t end = offset + matrix_size(items[i].value) * sizeof(float);
        if (i) fputc(',', out);
        write_string(out, items[i].name);
        fprintf(out, ":{\"dtype\":\"F32\",\"shape\":[%d,%d],\"data_offsets\":[%zu,%zu]}", items[i].value.rows,
                items[i].value.cols, offset, end);
        offset = end;
    }
    fputc('}', out);
    while (ftell(out) % 8) fputc(' ', out); // the numbers begin at a multiple of 8
}

static bool is_text(const char *text) { return utf8_invalid(text, strlen(text)) == strlen(text); }

// Nothing is written that the reader would refuse. The items are sorted by name.
static void check_writable(Place place, const char *path, const Item *items, int count,
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

// Sorts the items, writes them under a temporary name, and renames. False when there was no room, say.
static bool save_items(Place place, const char *path, Item *items, int count, const SafetensorsNote *notes,
                       int note_count, Replacement *file)
{
    if (count) qsort(items, (size_t)count, sizeof *items, item_by_name);
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
            if (matrix_size(items[i].value))
                fwrite(items[i].value.data, sizeof(float), matrix_size(items[i].value), file->stream);
        written = replace_try_finish(file);
    }
    free(header);
    return written;
}

static Item *items_of(Arena *arena, const Parameters *set)
{
    Item *items = arena_alloc(arena, (size_t)set->count, sizeof *items);
    for (int i = 0; i < set->count; i++) items[i] = (Item){set->names[i], set->items[i]->value};
    return items;
}

bool safetensors_try_save_at(Place place, const char *path, const Parameters *set,
                             const SafetensorsNote *notes, int note_count, Replacement *file)
{
    Arena *arena = arena_new();
    bool written = save_items(place, path, items_of(arena, set), set->count, notes, note_count, file);
    arena_free(arena);
    return written;
}

void safetensors_save_at(Place place, const char *path, const Parameters *set, const SafetensorsNote *notes,
                         int note_count)
{
    Replacement file;
    if (!safetensors_try_save_at(place, path, set, notes, note_count, &file))
        die_at(place, file.remedy, "%s", file.problem);
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
        check_float32(place, file, entry);
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

static void load_items(const Safetensors *file, const Item *items, int count)
{
    for (int i = 0; i < count; i++)
        if (matrix_size(items[i].value))
            memcpy(items[i].value.data, safetensors_find(file, items[i].name)->data,
                   matrix_size(items[i].value) * sizeof(float));
}

void safetensors_fill_at(Place place, const Safetensors *file, Parameters *set)
{
    Arena *arena = arena_new();
    Item *items = items_of(arena, set);
    check_items(place, file, items, set->count);
    load_items(file, items, set->count);
    arena_free(arena);
}

void safetensors_load_at(Place place, const char *path, Parameters *set)
{
    Arena *arena = arena_new();
    Safetensors file = safetensors_open_at(place, arena, path);
    safetensors_fill_at(place, &file, set);
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
    check_at(place, step >= 0, "steps count from 0", "checkpoint_save: step %ld", step);
    for (int i = 0; i < rng_count; i++)
        check_at(place, rngs[i].increment & 1, "make it with rng_new",
                 "checkpoint_save: generator %d was never made", i);
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
    Replacement file;
    if (!save_items(place, path, items, count, notes, note_count, &file))
        die_at(place, file.remedy, "%s", file.problem);
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
