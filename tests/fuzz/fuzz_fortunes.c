// fuzz_fortunes.c: texts and files of sayings as datasets/tools/text.c brings them into one form: no
// line ends with a blank or a carriage return, and the last line has an end.
#define main tool_main
int tool_main(int argc, char **argv);
#include "datasets/tools/text.c"
#undef main
#include "data_tool.h"

static void check_form(const char *path)
{
    FILE *file = fopen(path, "rb");
    int before = '\n';
    for (int c; (c = getc(file)) != EOF; before = c)
        fuzz_require(c != '\n' || (before != ' ' && before != '\t' && before != '\r'),
                     "a line ends with a blank");
    fuzz_require(before == '\n', "the last line has no end");
    fclose(file);
}

// Runs the program on a file; what it prints goes to another.
static void convert(char *how, const char *from, const char *to)
{
    static char program[] = "text", buffer[1 << 12];
    char *words[] = {program, how ? how : (char *)from, how ? (char *)from : NULL, NULL};
    FILE *before = stdout, *out = fopen(to, "wb");
    fuzz_require(out, "a scratch file cannot be written");
    setvbuf(out, buffer, _IOFBF, sizeof buffer);
    stdout = out;
    bool done = tool_try(words);
    stdout = before;
    fclose(out);
    if (done) check_form(to);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    static char fortunes[] = "fortunes", without[] = "fortunes-without-links";
    char *const how[] = {NULL, fortunes, without};
    bool packed = size && bytes[0] == 'Z';
    FuzzPart part = {bytes, size};
    if (packed) part = fuzz_packed((FuzzPart){bytes + 1, size - 1}, true);
    const char *path = fuzz_file("text", part.bytes, part.size);
    if (packed) free((void *)part.bytes);
    for (int i = 0; i < 3; i++) convert(how[i], path, fuzz_path("printed"));
}
