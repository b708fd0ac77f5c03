// fuzz_sword.c: SWORD modules of Bibles, whose verses are OSIS. Six parts are the files of both testaments. An input that
// begins with P is one block of OSIS, packed here, and the list of verse slots in it.
#include "fuzz.h"
#include "lesson/corpora.h"

#include <stdlib.h>
#include <sys/stat.h>

static void verses(void *context)
{
    Arena *arena = arena_new();
    Verses verses = sword_verses_at(HERE, arena, context, "module");
    size_t sum = 0;
    for (int i = 0; i < verses.count; i++) {
        Text verse = verses.verses[i];
        fuzz_require(text_invalid(verse) == verse.size, "verse %d is no UTF-8", i);
        sum += verse.size + 1;
    }
    fuzz_require(verses_text(arena, verses).size == sum, "the text is not the verses");
    arena_free(arena);
}

static void little_endian(uint8_t *to, size_t number)
{
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(number >> (8 * i));
}

static void write_packed(FuzzPart osis, FuzzPart slots)
{
    uint8_t block[12];
    FuzzPart packed = fuzz_packed(osis, false);
    little_endian(block, 0), little_endian(block + 4, packed.size), little_endian(block + 8, osis.size);
    fuzz_file("sword/module-ot.bzs", block, sizeof block);
    fuzz_file("sword/module-ot.bzv", slots.bytes, slots.size / 10 * 10);
    fuzz_file("sword/module-ot.bzz", packed.bytes, packed.size);
    fuzz_file("sword/module-nt.bzs", block, sizeof block);
    fuzz_file("sword/module-nt.bzv", NULL, 0);
    fuzz_file("sword/module-nt.bzz", packed.bytes, packed.size);
    free((void *)packed.bytes);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    static const char *const names[6] = {"sword/module-ot.bzs", "sword/module-ot.bzv", "sword/module-ot.bzz",
                                         "sword/module-nt.bzs", "sword/module-nt.bzv", "sword/module-nt.bzz"};
    FuzzPart parts[6];
    const char *folder = fuzz_path("sword");
    mkdir(folder, 0700);
    if (size && bytes[0] == 'P') {
        fuzz_parts(bytes + 1, size - 1, parts, 2);
        write_packed(parts[0], parts[1]);
    } else {
        fuzz_parts(bytes, size, parts, 6);
        for (int i = 0; i < 6; i++) fuzz_file(names[i], parts[i].bytes, parts[i].size);
    }
    fuzz_try(verses, (void *)folder);
}
