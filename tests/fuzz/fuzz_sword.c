// fuzz_sword.c: SWORD modules of Bibles, whose verses are OSIS. Six parts are the files of both testaments. An input that
// begins with P is one block of OSIS, packed here, and the list of verse slots in it.
#define main tool_main
int tool_main(int argc, char **argv);
#include "datasets/tools/sword.c"
#undef main
#include "data_tool.h"

#include <sys/stat.h>

static void write_number(uint8_t *to, size_t number)
{
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(number >> (8 * i));
}

static void write_packed(FuzzPart osis, FuzzPart slots)
{
    uint8_t block[12];
    FuzzPart packed = fuzz_packed(osis, false);
    write_number(block, 0), write_number(block + 4, packed.size), write_number(block + 8, osis.size);
    fuzz_file("sword/ot.bzs", block, sizeof block);
    fuzz_file("sword/ot.bzv", slots.bytes, slots.size / 10 * 10);
    fuzz_file("sword/ot.bzz", packed.bytes, packed.size);
    fuzz_file("sword/nt.bzs", block, sizeof block);
    fuzz_file("sword/nt.bzv", NULL, 0);
    fuzz_file("sword/nt.bzz", packed.bytes, packed.size);
    free((void *)packed.bytes);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    static const char *const names[6] = {"sword/ot.bzs", "sword/ot.bzv", "sword/ot.bzz",
                                         "sword/nt.bzs", "sword/nt.bzv", "sword/nt.bzz"};
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
    char program[] = "sword", words[] = "words", plain[] = "plain";
    char *command[] = {program, words, (char *)folder, plain, (char *)folder, NULL};
    tool_try(command);
}
