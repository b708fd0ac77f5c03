// text.c: prints a text in one canonical form: without a byte-order mark, without carriage returns, blanks and tabs at the
// ends of lines, without empty lines at its end. The file may be packed by gzip.
//
//     text FILE                       any text
//     text fortunes FILE              sayings or poems for the program fortune: items, between them lines that begin
//                                     with a percent sign, of which only the sign is kept. Colours of a terminal (ESC [ … m) go.
//     text fortunes-without-links FILE    also without items that give an address on the Web: these are notices of
//                                     the day, which come and go from release to release
#define TOOL "text"
#include "tool.h"

static bool is_blank(unsigned char c) { return c == ' ' || c == '\t' || c == '\r'; }

// The lines of the text one after the other, in place; returns how many bytes are left.
static size_t tidy_lines(unsigned char *bytes, size_t size)
{
    size_t from = size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0, to = 0;
    while (from < size) {
        size_t end = from;
        while (end < size && bytes[end] != '\n') end++;
        size_t last = end;
        while (last > from && is_blank(bytes[last - 1])) last--;
        memmove(bytes + to, bytes + from, last - from);
        to += last - from;
        bytes[to++] = '\n';
        from = end + 1;
        // The last line had no end: it got one, for which a byte is kept behind the text.
    }
    while (to > 0 && bytes[to - 1] == '\n') to--;
    if (to > 0) bytes[to++] = '\n';
    return to;
}

// Without ESC … m, in place. One that does not end on its line takes the rest of the line.
static size_t drop_colours(unsigned char *bytes, size_t size)
{
    size_t to = 0;
    for (size_t at = 0; at < size; at++) {
        if (bytes[at] == 0x1B) {
            while (at < size && bytes[at] != 'm' && bytes[at] != '\n') at++;
            if (at < size && bytes[at] == 'm') continue;
        }
        if (at < size) bytes[to++] = bytes[at];
    }
    return to;
}

static bool has(const unsigned char *bytes, size_t size, const char *what)
{
    size_t length = strlen(what);
    for (size_t at = 0; at + length <= size; at++)
        if (memcmp(bytes + at, what, length) == 0) return true;
    return false;
}

static void print(const unsigned char *bytes, size_t size)
{
    if (fwrite(bytes, 1, size, stdout) != size) stop("the output cannot be written");
}

// Tidy lines in; each item goes out with a line "%" behind it. Empty items go.
static void print_items(const unsigned char *bytes, size_t size, bool links)
{
    size_t item = 0;
    for (size_t line = 0; line <= size;) {
        size_t end = line;
        while (end < size && bytes[end] != '\n') end++;
        if (line == size || bytes[line] == '%') {
            bool linked = has(bytes + item, line - item, "://") || has(bytes + item, line - item, "mailto:");
            while (item < line && bytes[item] == '\n') item++;
            if (line > item && (links || !linked)) {
                print(bytes + item, line - item);
                print((const unsigned char *)"%\n", 2);
            }
            item = end + 1;
        }
        line = end + 1;
    }
}

int main(int argc, char **argv)
{
    bool fortunes = argc == 3 && strcmp(argv[1], "fortunes") == 0,
         without_links = argc == 3 && strcmp(argv[1], "fortunes-without-links") == 0;
    if (argc != 2 && !fortunes && !without_links)
        stop("usage: text FILE | text fortunes FILE | text fortunes-without-links FILE");
    Blob file = read_file(argv[argc - 1], MOST_UNPACKED);
    Blob text = {memory(file.size + 1, 1), file.size}; // one more: for the end of the last line
    if (file.size > 0) memcpy(text.bytes, file.bytes, file.size);
    if (argc == 3) text.size = drop_colours(text.bytes, text.size);
    text.size = tidy_lines(text.bytes, text.size);
    if (argc == 3)
        print_items(text.bytes, text.size, !without_links);
    else
        print(text.bytes, text.size);
    return finish();
}
