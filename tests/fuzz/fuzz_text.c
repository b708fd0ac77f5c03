// fuzz_text.c: a text file, and what walks over texts that may be no UTF-8: pieces, characters, blanks, terminals.
#include "fuzz.h"
#include "files/text.h"

#include <string.h>

static const char *path;
static Text raw;

static void read_text(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Text text = text_read(arena, path);
    fuzz_require(text_invalid(text) == text.size, "text_read lets through what is no UTF-8");
    for (size_t at = 0; at < text.size;) {
        char again[4];
        size_t from = at;
        int length = utf8_encode(again, text_next(text, &at));
        fuzz_require((size_t)length == at - from && memcmp(again, text.bytes + from, (size_t)length) == 0,
                     "the character at byte %zu is written otherwise", from);
    }
    utf8_columns(text_string(arena, text));
    arena_free(arena);
}

static void pieces(void *context)
{
    const char *separator = context;
    Arena *arena = arena_new();
    Text text = text_read_bytes(arena, path);
    int count;
    Text *list = text_split(arena, text, separator, &count);
    size_t sum = 0;
    for (int i = 0; i < count; i++) {
        sum += list[i].size + strlen(separator);
        fuzz_require(text_find(list[i], separator) == list[i].size, "a piece holds the separator");
    }
    fuzz_require(sum == text.size || sum == text.size + strlen(separator), "%zu bytes in pieces, %zu in all",
                 sum, text.size);
    Text collapsed = text_collapse_blanks(arena, text);
    fuzz_require(collapsed.size <= text.size, "collapsed text is longer");
    fuzz_require(text_equal(collapsed, text_collapse_blanks(arena, collapsed)), "collapsing twice differs");
    arena_free(arena);
}

static void terminal(void)
{
    char out[UTF8_WAITING_ROOM];
    Utf8Waiting waiting = {.size = 0};
    for (size_t i = 0; i < raw.size; i++) {
        size_t length = utf8_grow(&waiting, raw.bytes[i], out);
        fuzz_require(length <= sizeof out && fuzz_harmless(out, length), "byte %zu harms a terminal", i);
    }
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    raw = (Text){(const char *)bytes, size};
    path = fuzz_file("text.txt", bytes, size);
    fuzz_try(read_text, NULL);
    fuzz_require(fuzz_try(pieces, "\n") && fuzz_try(pieces, "aa"), "a text is not cut");
    terminal();
}
