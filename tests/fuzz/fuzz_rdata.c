// fuzz_rdata.c: data bases of R, through the converter's main. The parts are the index, the data and which object is
// asked for: "lines NAME", or "table NAME COLUMN…". An input that begins with P has index and object unpacked: they are
// packed here, and the index's numbers 0x11111111 and 0x22222222 become where the object lies and how long it is.
#define main tool_main
int tool_main(int argc, char **argv);
#include "datasets/tools/rdata.c"
#undef main
#include "data_tool.h"

// Cuts "table NAME COLUMN…" at its blanks, and puts the data base's path where it belongs.
static void read_words(char *text, char *base, char *words[16])
{
    static char program[] = "rdata";
    char *rest = text;
    int count = 0;
    words[count++] = program;
    for (char *word; (word = strsep(&rest, " \n")) && count < 14;) {
        if (count == 2) words[count++] = base;
        if (*word && fuzz_harmless(word, strlen(word))) words[count++] = word; // a recipe's words are ours
    }
    words[count] = NULL;
}

static void write_number(uint8_t *to, size_t number)
{
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(number >> (24 - 8 * i));
}

static void pack_both(FuzzPart *index, FuzzPart *object)
{
    FuzzPart packed = fuzz_packed(*object, false);
    uint8_t *data = malloc(packed.size + 4), *list = malloc(index->size + 1);
    if (!data || !list) abort();
    write_number(data, object->size);
    memcpy(data + 4, packed.bytes, packed.size);
    memcpy(list, index->bytes, index->size);
    for (size_t i = 0; i + 8 <= index->size; i++)
        if (memcmp(list + i, "\x11\x11\x11\x11\x22\x22\x22\x22", 8) == 0) {
            write_number(list + i, 0);
            write_number(list + i + 4, packed.size + 4);
        }
    *object = (FuzzPart){data, packed.size + 4};
    free((void *)packed.bytes);
    *index = fuzz_packed((FuzzPart){list, index->size}, true);
    free(list);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    FuzzPart parts[3];
    bool packed = size && bytes[0] == 'P';
    fuzz_parts(bytes + packed, size - packed, parts, 3);
    // Bytes of LZMA2 are for the program xz: not ours, and too slow to be started for each input.
    if (!packed && parts[1].size > 4 && parts[1].bytes[4] == 'Z') return;
    if (packed) pack_both(&parts[0], &parts[1]);
    fuzz_file("db.rdx", parts[0].bytes, parts[0].size);
    fuzz_file("db.rdb", parts[1].bytes, parts[1].size);
    if (packed) free((void *)parts[0].bytes), free((void *)parts[1].bytes);
    char *text = fuzz_string(parts[2]), *words[16];
    read_words(text, (char *)fuzz_path("db"), words);
    tool_try(words);
    free(text);
}
