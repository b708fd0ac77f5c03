// rdata.c: takes texts out of a data base of R (the files NAME.rdx and NAME.rdb of a package), so that nobody needs R.
//
//     rdata lines NAME OBJECT…            prints the strings of these vectors, one a line
//     rdata table NAME OBJECT COLUMN…     prints columns of a data frame, separated by tabs
//
// A newline, a carriage return or a tab inside a string becomes a blank; a missing string is empty.
//
// NAME.rdx is compressed by gzip: a list of two, variables and references, and the first names each object and says where
// in NAME.rdb it lies. There an object is its length when unpacked (4 bytes), a letter, and the packed bytes: without a
// letter zlib's, after a Z those of LZMA2, which the program xz unpacks, after a 0 bytes that are not packed, because that
// would not have made them smaller; after a 2 those of bzip2, which are not read. What is packed is R's serialisation
// in the XDR form: items of a head of 4 bytes and a body, all numbers with the highest byte first; R Internals, section 1.8.
//
// Both files may be anybody's. Each number is compared with what is there before memory is asked for or a byte is read,
// lists may not be nested deeper than MOST_DEPTH, and anything unknown ends the program with a message and status 1.
#define TOOL "rdata"
#include "tool.h"
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_INDEX = 1 << 22, MOST_DEPTH = 64, MOST_REFERENCES = 1 << 16, LZMA_MOST = 1 << 13 };

// ---- Packed bytes -------------------------------------------------------------------------------------------------------

static Blob read_part(const char *path, uint32_t from, uint32_t size)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) stop("%s cannot be read", path);
    long length = ftell(file);
    if (length < 0 || from > length || size > length - from)
        stop("%s is too short: an object is said to be %u bytes from byte %u on", path, size, from);
    Blob blob = {memory(size, 1), size};
    if (fseek(file, from, SEEK_SET) != 0 || fread(blob.bytes, 1, size, file) != size)
        stop("%s cannot be read", path);
    fclose(file);
    return blob;
}

// Bytes of LZMA2 without any container go through a temporary file to xz, and at most out.size come back.
static size_t unpack_lzma(Blob packed, Blob out)
{
    FILE *input = tmpfile();
    int ends[2];
    if (!input || fwrite(packed.bytes, 1, packed.size, input) != packed.size || fflush(input) != 0 ||
        pipe(ends) != 0)
        stop("no temporary file can be written");
    rewind(input);
    pid_t child = fork();
    if (child < 0) stop("xz cannot be started");
    if (child == 0) {
        dup2(fileno(input), STDIN_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]), close(ends[1]);
        execlp("xz", "xz", "-dcq", "--format=raw", "--lzma2=dict=64MiB", "--memlimit-decompress=256MiB",
               (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *output = fdopen(ends[0], "rb");
    size_t got = fread(out.bytes, 1, out.size, output);
    bool more = fgetc(output) != EOF;
    fclose(output), fclose(input);
    int status;
    if (waitpid(child, &status, 0) != child) stop("xz was lost");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        stop("xz is not here. Type: apt-get install xz-utils");
    return more || !WIFEXITED(status) || WEXITSTATUS(status) != 0 ? 0 : got;
}

static Blob unpack(Blob packed)
{
    if (packed.size < 6) stop("an object of %zu bytes is too short", packed.size);
    const unsigned char *b = packed.bytes;
    uint32_t size = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    if (b[4] == '2') stop("an object is packed by bzip2; zlib and LZMA2 are unpacked");
    Blob out = room_to_unpack("an object", packed.size, b[4] == 'Z' ? LZMA_MOST : DEFLATE_MOST, size);
    size_t got = size;
    if (b[4] == '0') {
        got = packed.size - 5;
        if (got == size) memcpy(out.bytes, b + 5, size);
    } else if (b[4] == 'Z') {
        got = unpack_lzma((Blob){packed.bytes + 5, packed.size - 5}, out);
    } else if (uncompress(out.bytes, &got, b + 4, packed.size - 4) != Z_OK) {
        got = 0;
    }
    if (got != size) stop("an object is damaged: it does not unpack to its %u bytes", size);
    return out;
}

// ---- R's items ----------------------------------------------------------------------------------------------------------

typedef enum {
    SYMBOL = 1,
    PAIRS = 2,
    STRING = 9,
    LOGICALS = 10,
    INTEGERS = 13,
    REALS = 14,
    STRINGS = 16,
    LIST = 19,
    COMPACT = 238,
    NOTHING = 254,
    REFERENCE = 255
} Kind;

// A vector of numbers keeps its place in the stream, a string its bytes; a list, strings and pairs have items.
// Of pairs, each item carries its tag; attributes are pairs.
typedef struct Item {
    Kind kind;
    uint32_t count;
    const unsigned char *bytes;
    struct Item **items;
    const struct Item **tags;
    struct Item *attributes;
} Item;

typedef struct {
    const unsigned char *at, *end;
    int depth;
    const Item **references;
    int reference_count;
} Reader;

static const unsigned char *take(Reader *r, size_t count)
{
    if (count > (size_t)(r->end - r->at)) stop("an object ends inside an item");
    r->at += count;
    return r->at - count;
}

static uint32_t take_number(Reader *r)
{
    const unsigned char *b = take(r, 4);
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static Item *read_item(Reader *r);

// Room for so many items, each of which takes at least 4 bytes of what is left.
static Item **room(const Reader *r, uint32_t count)
{
    if (count > (size_t)(r->end - r->at) / 4)
        stop("a list is said to have %u items, more than there are bytes", count);
    return memory(count, sizeof(Item *));
}

static void read_symbol(Reader *r, Item *item)
{
    Item *name = read_item(r);
    if (name->kind != STRING) stop("a symbol's name is no string");
    item->bytes = name->bytes;
    item->count = name->count;
    if (r->reference_count == MOST_REFERENCES) stop("there are more than %d symbols", MOST_REFERENCES);
    r->references[r->reference_count++] = item;
}

// Twice the room, with what was there.
static void *longer(const void *items, uint32_t count, size_t size)
{
    return memcpy(memory((size_t)count * 2, size), items, count * size);
}

// Pairs follow each other as head, tag, value, until there is nothing.
static void read_pairs(Reader *r, Item *item, uint32_t head)
{
    uint32_t most = 4;
    item->items = memory(most, sizeof *item->items);
    item->tags = memory(most, sizeof *item->tags);
    for (; (head & 0xFF) == PAIRS; head = take_number(r)) {
        if (head & 0x200) read_item(r); // attributes of a pair: read, and forgotten
        if (item->count == most) {
            item->items = longer(item->items, most, sizeof *item->items);
            item->tags = longer(item->tags, most, sizeof *item->tags);
            most *= 2;
        }
        item->tags[item->count] = head & 0x400 ? read_item(r) : NULL;
        item->items[item->count++] = read_item(r);
    }
    if ((head & 0xFF) != NOTHING) stop("a list of pairs ends with an item of kind %u", head & 0xFF);
}

static void read_reference(Reader *r, Item *item, uint32_t head)
{
    uint32_t number = head >> 8 ? head >> 8 : take_number(r);
    if (number < 1 || number > (uint32_t)r->reference_count) stop("reference %u points to nothing", number);
    *item = *r->references[number - 1];
}

static Item *read_item(Reader *r)
{
    if (++r->depth > MOST_DEPTH) stop("an object is nested deeper than %d", MOST_DEPTH);
    uint32_t head = take_number(r);
    Item *item = memory(1, sizeof *item);
    item->kind = head & 0xFF;
    switch (item->kind) {
    case NOTHING:
        break;
    case SYMBOL:
        read_symbol(r, item);
        break;
    case REFERENCE:
        read_reference(r, item, head);
        break;
    case PAIRS:
        read_pairs(r, item, head);
        break;
    case STRING:
        item->count = take_number(r);
        if (item->count == UINT32_MAX) item->count = 0; // missing
        item->bytes = take(r, item->count);
        break;
    case LOGICALS:
    case INTEGERS:
        item->count = take_number(r);
        item->bytes = take(r, (size_t)item->count * 4);
        break;
    case REALS:
        item->count = take_number(r);
        item->bytes = take(r, (size_t)item->count * 8);
        break;
    case STRINGS:
    case LIST:
        item->count = take_number(r);
        item->items = room(r, item->count);
        for (uint32_t i = 0; i < item->count; i++) item->items[i] = read_item(r);
        if (item->kind == STRINGS)
            for (uint32_t i = 0; i < item->count; i++)
                if (item->items[i]->kind != STRING) stop("a vector of strings holds something else");
        break;
    case COMPACT: // three items say how a vector was to be made: nothing that we need
        for (int i = 0; i < 3; i++) read_item(r);
        break;
    default:
        stop("an item of kind %d is not known", (int)item->kind);
    }
    Kind kind = head & 0xFF;
    if (head & 0x200 &&
        (kind == STRINGS || kind == LIST || kind == LOGICALS || kind == INTEGERS || kind == REALS))
        item->attributes = read_item(r);
    r->depth--;
    return item;
}

// "X\n", the version 2 or 3, R's version, the oldest that can read it; of version 3 the name of the encoding; one item.
static Item *read_stream(Blob blob)
{
    Reader r = {.at = blob.bytes, .end = blob.bytes + blob.size};
    r.references = memory(MOST_REFERENCES, sizeof *r.references);
    if (memcmp(take(&r, 2), "X\n", 2) != 0) stop("this is not R's serialisation in its XDR form");
    uint32_t version = take_number(&r);
    if (version != 2 && version != 3)
        stop("this is version %u of R's serialisation; 2 and 3 are read", version);
    take(&r, 8);
    if (version == 3) take(&r, take_number(&r));
    Item *item = read_item(&r);
    if (r.at != r.end) stop("an object goes on after its end");
    return item;
}

static bool is_called(const Item *item, const char *name)
{
    return item && item->count == strlen(name) && (item->kind == STRING || item->kind == SYMBOL) &&
           memcmp(item->bytes, name, item->count) == 0;
}

static const Item *attribute(const Item *item, const char *name)
{
    const Item *pairs = item->attributes;
    if (pairs && pairs->kind == PAIRS)
        for (uint32_t i = 0; i < pairs->count; i++)
            if (is_called(pairs->tags[i], name)) return pairs->items[i];
    return NULL;
}

// The item of that name in a list.
static const Item *member(const Item *list, const char *name)
{
    const Item *names = list->kind == LIST ? attribute(list, "names") : NULL;
    if (names && names->kind == STRINGS && names->count == list->count)
        for (uint32_t i = 0; i < list->count; i++)
            if (is_called(names->items[i], name)) return list->items[i];
    stop("there is no '%s'", name);
}

static uint32_t integer(const Item *item, uint32_t i)
{
    if (item->kind != INTEGERS || i >= item->count) stop("there is no number where one has to be");
    const unsigned char *b = item->bytes + 4 * (size_t)i;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

// ---- Printing -----------------------------------------------------------------------------------------------------------

static void print_string(const Item *string)
{
    for (uint32_t i = 0; i < string->count; i++) {
        int c = string->bytes[i];
        putchar(c == '\n' || c == '\r' || c == '\t' ? ' ' : c);
    }
}

// A cell of a column of strings, or of a factor, whose numbers from 1 on name its levels.
static void print_cell(const Item *column, const char *name, uint32_t i)
{
    const Item *levels = attribute(column, "levels");
    if (column->kind == STRINGS) {
        print_string(column->items[i]);
    } else {
        uint32_t level = integer(column, i);
        if (!levels || levels->kind != STRINGS || level < 1 || level > levels->count)
            stop("column %s is neither of strings nor a factor", name);
        print_string(levels->items[level - 1]);
    }
}

static void print_table(const Item *frame, char **names, int count)
{
    const Item **columns = memory((size_t)count, sizeof *columns);
    for (int j = 0; j < count; j++) {
        columns[j] = member(frame, names[j]);
        if (columns[j]->count != columns[0]->count)
            stop("columns %s and %s are not of the same length", names[0], names[j]);
    }
    for (uint32_t i = 0; i < columns[0]->count; i++)
        for (int j = 0; j < count; j++) {
            print_cell(columns[j], names[j], i);
            putchar(j == count - 1 ? '\n' : '\t');
        }
}

static Item *read_object(const Item *index, const char *path, const char *name)
{
    const Item *where = member(member(index, "variables"), name);
    return read_stream(unpack(read_part(path, integer(where, 0), integer(where, 1))));
}

int main(int argc, char **argv)
{
    bool lines = argc >= 4 && strcmp(argv[1], "lines") == 0,
         table = argc >= 5 && strcmp(argv[1], "table") == 0;
    if (!lines && !table) stop("usage: rdata lines NAME OBJECT… | rdata table NAME OBJECT COLUMN…");
    char index_path[4096], path[4096];
    snprintf(index_path, sizeof index_path, "%s.rdx", argv[2]);
    snprintf(path, sizeof path, "%s.rdb", argv[2]);
    const Item *index = read_stream(read_file(index_path, MOST_INDEX));
    if (table) print_table(read_object(index, path, argv[3]), argv + 4, argc - 4);
    for (int i = 3; lines && i < argc; i++) {
        const Item *vector = read_object(index, path, argv[i]);
        if (vector->kind != STRINGS) stop("%s is no vector of strings", argv[i]);
        for (uint32_t j = 0; j < vector->count; j++) {
            print_string(vector->items[j]);
            putchar('\n');
        }
    }
    return finish();
}
