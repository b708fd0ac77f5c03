// sword.h: reading Bibles that are modules of SWORD (zText), for the programs that convert them.
//
// A Bible has three files for each testament, all numbers little-endian:
//   .bzs  12 bytes a block: where it begins in .bzz, how long it is there, how long when unpacked
//   .bzv  10 bytes a verse slot: its block, where it begins in the unpacked block, its length (2 bytes)
//   .bzz  the blocks, each packed by zlib
// A module that is packed by chapters or by verses has a c or a v in place of the b.
//
// The text of a verse is OSIS, an XML. Releases of one translation differ in its markup; two things are settled here, so that
// all give the same text:
//   - With words, each <w> encloses whole words. Where an element ends and another begins, and one of them is a <w>,
//     there is a blank, though some releases have lost it ("LORD</w></divineName><w>God" is two words). An element
//     that ends alone may do so inside a word ("agains</w>t"). Without, tags stand for nothing: in Spanish "sáca</w>
//     <transChange>lo" is one word, and only a reader of Spanish knows.
//   - Marks of an older format that were left over, a backslash and a name (\nd, \+nd*), go.
//
// The files may be anybody's: each number is compared with what is there. TOOL is defined before this file is included.
#pragma once
#include "tool.h"
#include <unistd.h>

enum { BLOCK_BYTES = 12, SLOT_BYTES = 10, MOST_SLOTS = 1 << 20, MOST_OF_A_VERSE = 1 << 16 };

// A piece of a text that lies elsewhere.
typedef struct {
    const unsigned char *bytes;
    size_t size;
} Part;

// ---- From OSIS to plain text --------------------------------------------------------------------------------------------

static bool starts(Part text, const char *what)
{
    return text.size >= strlen(what) && memcmp(text.bytes, what, strlen(what)) == 0;
}

// Is this, the inside of <…> without a slash before it, a tag of that name?
static bool is_tag(Part inside, const char *name)
{
    size_t length = strlen(name);
    return starts(inside, name) && (inside.size == length || strchr(" \t\n/", inside.bytes[length]) != NULL);
}

// Notes and titles are no words of the verse.
static bool is_aside(Part inside) { return is_tag(inside, "note") || is_tag(inside, "title"); }

static bool breaks_line(Part inside)
{
    return is_tag(inside, "lb") || is_tag(inside, "l") || is_tag(inside, "lg") || is_tag(inside, "p");
}

// The verse as it grows. Blanks are collapsed while it does.
typedef struct {
    unsigned char *bytes;
    size_t size;
    bool words; // each <w> encloses whole words
    int asides; // notes and titles around
    bool blank; // one is due before the next character
    // Of the tags since the last character: did an element end, and another begin after it, and was one a <w>?
    bool ended, began, word;
} Verse;

// A letter begins with such a byte. Those beyond ASCII do not begin with E2, as dashes and quotation marks do.
static bool is_letter(unsigned char c)
{
    return ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= 0xC3 && c != 0xE2);
}

static void put(Verse *verse, const unsigned char *character, size_t length)
{
    if (verse->asides > 0) return;
    if (verse->words && verse->ended && verse->began && verse->word &&
        (is_letter(*character) || *character == '{'))
        verse->blank = true;
    if (verse->blank && verse->size > 0) verse->bytes[verse->size++] = ' ';
    memcpy(verse->bytes + verse->size, character, length);
    verse->size += length;
    verse->blank = verse->ended = verse->began = verse->word = false;
}

// The tag at the beginning of the text; returns how long it is, or 0 when it does not end.
static size_t take_tag(Verse *verse, Part text)
{
    const unsigned char *end = memchr(text.bytes, '>', text.size);
    if (!end || end == text.bytes + 1) return end ? 2 : 0;
    bool closing = text.bytes[1] == '/', empty = end[-1] == '/';
    const unsigned char *name = text.bytes + 1 + closing;
    Part inside = {name, name <= end ? (size_t)(end - name) : 0};
    if (is_aside(inside)) {
        if (!empty) verse->asides += closing ? (verse->asides > 0 ? -1 : 0) : 1;
    } else if (verse->asides == 0) {
        if (breaks_line(inside)) verse->blank = true;
        if (closing) verse->ended = true, verse->began = false;
        if (!closing && !empty) verse->began = true;
        if (is_tag(inside, "w")) verse->word = true;
    }
    return (size_t)(end - text.bytes) + 1;
}

// A left-over mark at the beginning of the text, \nd or \+nd*, with the blank or the star behind it: how long it is; 0
// when there is none.
static size_t mark(Part text)
{
    size_t at = 1 + (text.size > 1 && text.bytes[1] == '+'), name = at;
    while (at < text.size && ((text.bytes[at] >= 'a' && text.bytes[at] <= 'z') ||
                              (at > name && text.bytes[at] >= '0' && text.bytes[at] <= '9')))
        at++;
    if (*text.bytes != '\\' || at == name) return 0;
    return at + (at < text.size && (text.bytes[at] == ' ' || text.bytes[at] == '*'));
}

// What is no character of its own at the beginning of the text: blanks, marks of print, entities. Returns how long it is,
// or 0 when a plain character comes first.
static size_t take_special(Verse *verse, Part text)
{
    static const struct {
        const char *name, *character; // none: nothing; " ": a blank
    } known[] = {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}, {"¶", ""},
                 {" ", " "},     {"\t", " "},   {"\n", " "},   {"\r", " "},      {"\u00A0", " "}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!starts(text, known[i].name)) continue;
        if (known[i].character[0] == ' ')
            verse->blank |= verse->asides == 0;
        else if (known[i].character[0])
            put(verse, (const unsigned char *)known[i].character, 1);
        return strlen(known[i].name);
    }
    return mark(text);
}

// Into the buffer, which has room for a blank before each character.
static Part plain_text(unsigned char buffer[2 * MOST_OF_A_VERSE], bool words, Part osis, const char *path,
                       size_t slot)
{
    Verse verse = {.bytes = buffer, .words = words};
    for (size_t at = 0; at < osis.size;) {
        Part rest = {osis.bytes + at, osis.size - at};
        size_t used;
        if (*rest.bytes == '<') {
            used = take_tag(&verse, rest);
            if (used == 0) stop("%s: verse slot %zu: a tag does not end", path, slot);
        } else {
            used = take_special(&verse, rest);
            if (used == 0) put(&verse, rest.bytes, used = 1);
        }
        at += used;
    }
    return (Part){verse.bytes, verse.size};
}

// ---- A module -----------------------------------------------------------------------------------------------------------

typedef struct {
    size_t count;
    Part *verses;    // [count] as OSIS: a slot without text is empty
    char path[4096]; // of the list of slots, for messages
} Testament;

// Reads FOLDER/TESTAMENT.?zs and the like; path receives the name.
static Blob read_part(char path[4096], const char *folder, const char *testament, const char *ending)
{
    for (const char *kind = "bcv"; *kind; kind++) {
        snprintf(path, 4096, "%s/%s.%c%s", folder, testament, *kind, ending);
        if (access(path, F_OK) == 0) return read_file(path, MOST_UNPACKED);
    }
    stop("%s/%s.bz%s is missing", folder, testament, ending + 1);
}

// All blocks of a testament, unpacked.
static Part *read_blocks(const char *folder, const char *testament, size_t *count)
{
    char path[4096];
    Blob index = read_part(path, folder, testament, "zs");
    if (index.size == 0 || index.size % BLOCK_BYTES != 0)
        stop("%s: %zu bytes are no list of blocks of %d bytes", path, index.size, BLOCK_BYTES);
    Blob packed = read_part(path, folder, testament, "zz");
    *count = index.size / BLOCK_BYTES;
    Part *blocks = memory(*count, sizeof *blocks);
    for (size_t i = 0; i < *count; i++) {
        const unsigned char *record = index.bytes + i * BLOCK_BYTES;
        size_t from = little_endian(record, 4), length = little_endian(record + 4, 4),
               unpacked = little_endian(record + 8, 4);
        if (from > packed.size || length > packed.size - from)
            stop("%s is too short: block %zu is said to be %zu bytes from byte %zu on, and it has %zu", path,
                 i, length, from, packed.size);
        Blob block = room_to_unpack("a block", length, DEFLATE_MOST, unpacked);
        uLongf got = unpacked;
        int status = uncompress(block.bytes, &got, packed.bytes + from, length);
        if (status != Z_OK || got != unpacked)
            stop("%s: block %zu is damaged: it does not unpack to its %zu bytes", path, i, unpacked);
        blocks[i] = (Part){block.bytes, block.size};
    }
    return blocks;
}

static Testament read_testament(const char *folder, const char *name)
{
    Testament testament = {0};
    size_t block_count;
    Part *blocks = read_blocks(folder, name, &block_count);
    Blob slots = read_part(testament.path, folder, name, "zv");
    if (slots.size % SLOT_BYTES != 0 || slots.size / SLOT_BYTES > MOST_SLOTS)
        stop("%s: %zu bytes are no list of at most %d verses of %d bytes", testament.path, slots.size,
             MOST_SLOTS, SLOT_BYTES);
    testament.count = slots.size / SLOT_BYTES;
    testament.verses = memory(testament.count, sizeof *testament.verses);
    for (size_t i = 0; i < testament.count; i++) {
        const unsigned char *record = slots.bytes + i * SLOT_BYTES;
        size_t block = little_endian(record, 4), from = little_endian(record + 4, 4),
               length = little_endian(record + 8, 2);
        if (length == 0) continue;
        if (block >= block_count || from > blocks[block].size || length > blocks[block].size - from)
            stop("%s: verse slot %zu is said to be %zu bytes from byte %zu of block %zu on", testament.path,
                 i, length, from, block);
        testament.verses[i] = (Part){blocks[block].bytes + from, length};
    }
    return testament;
}
