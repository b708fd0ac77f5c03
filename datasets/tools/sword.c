// sword.c: prints two Bibles verse by verse, "first TAB second" a line, out of two modules of the kind zText of SWORD, as
// plain text: without notes, titles of chapters and ¶, blanks collapsed. Verses that one of them lacks are left out.
//
//     sword HOW FOLDER HOW FOLDER        each folder holds ot.bzs, ot.bzv, ot.bzz, nt.bzs, nt.bzv and nt.bzz
//
// HOW is "words" or "plain": how sword.h, which knows the format, takes tags between letters.
#define TOOL "sword"
#include "sword.h"

static void print_aligned(const bool words[2], const char *const folders[2], const char *name)
{
    Testament both[2];
    for (int i = 0; i < 2; i++) both[i] = read_testament(folders[i], name);
    if (both[0].count != both[1].count)
        stop("%s has %zu verse slots, %s has %zu: their verses are not numbered alike", both[0].path,
             both[0].count, both[1].path, both[1].count);
    for (size_t i = 0; i < both[0].count; i++) {
        static unsigned char buffers[2][2 * MOST_OF_A_VERSE];
        Part plain[2];
        for (int j = 0; j < 2; j++)
            plain[j] = plain_text(buffers[j], words[j], both[j].verses[i], both[j].path, i);
        if (plain[0].size > 0 && plain[1].size > 0)
            printf("%.*s\t%.*s\n", (int)plain[0].size, (const char *)plain[0].bytes, (int)plain[1].size,
                   (const char *)plain[1].bytes);
    }
}

int main(int argc, char **argv)
{
    bool words[2];
    for (int i = 0; i < 2; i++) {
        words[i] = argc == 5 && strcmp(argv[1 + 2 * i], "words") == 0;
        if (argc != 5 || (!words[i] && strcmp(argv[1 + 2 * i], "plain") != 0))
            stop("usage: sword words|plain FOLDER words|plain FOLDER");
    }
    const char *const folders[2] = {argv[2], argv[4]};
    print_aligned(words, folders, "ot");
    print_aligned(words, folders, "nt");
    return finish();
}
