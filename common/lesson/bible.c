// bible.c: verses of a SWORD module of the kind zText, whose text is OSIS, an XML. See corpora.h.
//
// Three files for each testament, all numbers little-endian:
//   .bzs  12 bytes a block: where it begins in .bzz, how long it is there, how long when unpacked
//   .bzv  10 bytes a verse slot: its block, where it begins in the unpacked block, its length (2 bytes)
//   .bzz  the blocks, each packed by zlib
#include "lesson/corpora.h"

#if defined(__has_include)
#if __has_include(<zlib.h>)
#include <zlib.h>
#define BIBLE_ZLIB 1
#endif
#endif

enum {
    BLOCK_BYTES = 12,
    SLOT_BYTES = 10,
    MOST_SLOTS = 1 << 20,
    MOST_UNPACKED = 1 << 28, // of all blocks of a testament
    DEFLATE_MOST = 1032,     // no packed byte can stand for more
};

static const char *const BRING_AGAIN = "`sh datasets/fetch.sh --verify bible` brings the right file";

static uint32_t little_endian(const char *bytes, int count)
{
    uint32_t number = 0;
    for (int i = count - 1; i >= 0; i--) number = number << 8 | (unsigned char)bytes[i];
    return number;
}

// ---- From OSIS to plain text --------------------------------------------------------------------------------------------

static bool starts(Text text, const char *what)
{
    return text.size >= strlen(what) && memcmp(text.bytes, what, strlen(what)) == 0;
}

// Is this, the inside of <…>, an opening or closing tag of that name?
static bool is_tag(Text inside, const char *name)
{
    size_t length = strlen(name);
    return starts(inside, name) && (inside.size == length || strchr(" \t\n/", inside.bytes[length]) != NULL);
}

// Notes and titles are no words of the verse.
static bool is_aside(Text inside) { return is_tag(inside, "note") || is_tag(inside, "title"); }

static bool breaks_line(Text inside)
{
    return is_tag(inside, "lb") || is_tag(inside, "l") || is_tag(inside, "lg") || is_tag(inside, "p");
}

// A mark of print: here a paragraph begins.
#define PILCROW "¶"

// The character that an entity at the beginning of the text stands for, as UTF-8; returns how many bytes it has in
// the text, or 0 when it is none that we know.
static size_t entity(Text text, char character[4], int *length)
{
    static const struct {
        const char *name;
        uint32_t character;
    } known[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (starts(text, known[i].name)) {
            *length = utf8_encode(character, known[i].character);
            return strlen(known[i].name);
        }
    return 0;
}

static Text plain_text(Place place, Arena *arena, Arena *scratch, Text osis, const char *path, int slot)
{
    ArenaMark mark = arena_mark(scratch);
    char *bytes = arena_alloc_at(place, scratch, osis.size + 1, 1);
    size_t size = 0;
    int depth = 0; // of notes and titles around
    for (size_t at = 0; at < osis.size;) {
        Text rest = {osis.bytes + at, osis.size - at};
        if (*rest.bytes == '<') {
            size_t end = text_find(rest, ">");
            check_at(place, end < rest.size, BRING_AGAIN, "%s: verse slot %d: a tag does not end", path,
                     slot);
            bool closing = rest.bytes[1] == '/', empty = rest.bytes[end - 1] == '/';
            Text inside = {rest.bytes + 1 + closing, end - 1 - closing};
            if (is_aside(inside) && !empty) depth += closing ? (depth > 0 ? -1 : 0) : 1;
            if (depth == 0 && breaks_line(inside)) bytes[size++] = ' ';
            at += end + 1;
        } else {
            char character[4] = {*rest.bytes};
            int length = 1;
            size_t used = *rest.bytes == '&' ? entity(rest, character, &length) : 0;
            if (starts(rest, PILCROW)) used = strlen(PILCROW), length = 0;
            if (depth == 0) {
                memcpy(bytes + size, character, (size_t)length);
                size += (size_t)length;
            }
            at += used > 0 ? used : 1;
        }
    }
    Text plain = text_collapse_blanks(arena, (Text){bytes, size});
    size_t wrong = text_invalid(plain);
    check_at(place, wrong == plain.size, BRING_AGAIN, "%s: verse slot %d is no UTF-8 at its byte %zu", path,
             slot, wrong);
    arena_rewind(scratch, mark);
    return plain;
}

// ---- A testament --------------------------------------------------------------------------------------------------------

static Text read_part(Place place, Arena *arena, const char **path, const char *testament, const char *ending)
{
    size_t length = strlen(testament) + strlen(ending) + 1;
    char *joined = arena_alloc_at(place, arena, length, 1);
    snprintf(joined, length, "%s%s", testament, ending);
    *path = joined;
    return text_read_bytes_at(place, arena, joined);
}

// Unpacks a block of which the two ends are known.
static void unpack(Place place, char *to, uint32_t unpacked, Text packed, const char *path, size_t block)
{
#ifdef BIBLE_ZLIB
    uLongf length = unpacked;
    int status = uncompress((Bytef *)to, &length, (const Bytef *)packed.bytes, (uLong)packed.size);
    check_at(place, status == Z_OK && length == unpacked, BRING_AGAIN,
             "%s: block %zu is damaged: it does not unpack to its %u bytes", path, block, unpacked);
#else
    (void)to, (void)unpacked, (void)packed, (void)block;
    die_at(place, "install zlib1g-dev (`make setup` does), `touch common/lesson/bible.c`, and try again",
           "%s is compressed, and this program was built without zlib", path);
#endif
}

// All blocks of a testament unpacked; they live in the arena.
static Text *read_blocks(Place place, Arena *arena, const char *testament, size_t *count)
{
    const char *path;
    Text index = read_part(place, arena, &path, testament, ".bzs");
    check_at(place, index.size > 0 && index.size % BLOCK_BYTES == 0, BRING_AGAIN,
             "%s: %zu bytes are no list of blocks of %d bytes", path, index.size, BLOCK_BYTES);
    Text packed = read_part(place, arena, &path, testament, ".bzz");
    *count = index.size / BLOCK_BYTES;
    Text *blocks = arena_alloc_at(place, arena, *count, sizeof *blocks);
    uint64_t total = 0;
    for (size_t i = 0; i < *count; i++) {
        const char *record = index.bytes + i * BLOCK_BYTES;
        uint32_t from = little_endian(record, 4), length = little_endian(record + 4, 4),
                 unpacked = little_endian(record + 8, 4);
        check_at(place, from <= packed.size && length <= packed.size - from, BRING_AGAIN,
                 "%s is too short: block %zu is said to be %u bytes from byte %u on, and it has %zu", path, i,
                 length, from, packed.size);
        total += unpacked;
        check_at(place, unpacked <= (uint64_t)length * DEFLATE_MOST && total <= MOST_UNPACKED, BRING_AGAIN,
                 "%s: block %zu of %u bytes is said to unpack to %u", path, i, length, unpacked);
        char *bytes = arena_alloc_at(place, arena, unpacked, 1);
        unpack(place, bytes, unpacked, (Text){packed.bytes + from, length}, path, i);
        blocks[i] = (Text){bytes, unpacked};
    }
    return blocks;
}

// Appends the slots of a testament to verses, which has room.
static void read_testament(Place place, Arena *arena, Verses *verses, const char *testament)
{
    Arena *scratch = arena_new();
    const char *path;
    size_t block_count;
    Text *blocks = read_blocks(place, scratch, testament, &block_count);
    Text slots = read_part(place, scratch, &path, testament, ".bzv");
    check_at(place, slots.size % SLOT_BYTES == 0 && slots.size / SLOT_BYTES <= MOST_SLOTS, BRING_AGAIN,
             "%s: %zu bytes are no list of at most %d verses of %d bytes", path, slots.size, MOST_SLOTS,
             SLOT_BYTES);
    size_t count = slots.size / SLOT_BYTES;
    Text *longer = arena_alloc_at(place, arena, (size_t)verses->count + count, sizeof *longer);
    if (verses->count > 0) memcpy(longer, verses->verses, (size_t)verses->count * sizeof *longer);
    verses->verses = longer;
    for (size_t i = 0; i < count; i++) {
        const char *record = slots.bytes + i * SLOT_BYTES;
        uint32_t block = little_endian(record, 4), from = little_endian(record + 4, 4),
                 length = little_endian(record + 8, 2);
        Text verse = {"", 0};
        if (length > 0) {
            check_at(place,
                     block < block_count && from <= blocks[block].size && length <= blocks[block].size - from,
                     BRING_AGAIN, "%s: verse slot %zu is said to be %u bytes from byte %u of block %u on",
                     path, i, length, from, block);
            verse =
                plain_text(place, arena, scratch, (Text){blocks[block].bytes + from, length}, path, (int)i);
        }
        verses->verses[verses->count++] = verse;
    }
    arena_free(scratch);
}

Verses sword_verses_at(Place place, Arena *arena, const char *folder, const char *name)
{
    static const char *const endings[] = {"ot", "nt"};
    size_t length = strlen(folder) + strlen(name) + sizeof "/-ot";
    char *testament = arena_alloc_at(place, arena, length, 1);
    Verses verses = {0};
    for (int i = 0; i < 2; i++) {
        snprintf(testament, length, "%s/%s-%s", folder, name, endings[i]);
        read_testament(place, arena, &verses, testament);
    }
    return verses;
}

Bible bible_load_at(Place place, Arena *arena, const char *folder)
{
    Bible bible = {sword_verses_at(place, arena, folder, "english"),
                   sword_verses_at(place, arena, folder, "spanish")};
    check_at(place, bible.english.count == bible.spanish.count, BRING_AGAIN,
             "%s: %d English verse slots, %d Spanish ones", folder, bible.english.count, bible.spanish.count);
    int kept = 0;
    for (int i = 0; i < bible.english.count; i++)
        if (bible.english.verses[i].size > 0 && bible.spanish.verses[i].size > 0) {
            bible.english.verses[kept] = bible.english.verses[i];
            bible.spanish.verses[kept++] = bible.spanish.verses[i];
        }
    bible.english.count = bible.spanish.count = kept;
    return bible;
}

Text verses_text(Arena *arena, Verses verses)
{
    size_t size = 0;
    for (int i = 0; i < verses.count; i++) size += verses.verses[i].size + 1;
    char *bytes = arena_alloc(arena, size + 1, 1), *to = bytes;
    for (int i = 0; i < verses.count; i++) {
        if (verses.verses[i].size > 0) to = mempcpy(to, verses.verses[i].bytes, verses.verses[i].size);
        *to++ = '\n';
    }
    *to = 0;
    return (Text){bytes, size};
}
