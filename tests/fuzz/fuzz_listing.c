// fuzz_listing.c: what a compiler wrote, as text for the assembler and as an object file. What passes as a
// listing has no line that reads a file, names a macro or repeats itself; names of an object are its own.
#include "fuzz.h"
#include "tests/grader/listing.h"
#include "tests/grader/object.h"

#include <stdlib.h>
#include <string.h>

// Whether a statement of this line, after its labels, starts with one of the words.
static bool starts_with(const char *line, const char *const *words)
{
    for (;;) {
        line += strspn(line, " \t");
        size_t length = strcspn(line, " \t:\n");
        if (line[length] == ':') {
            line += length + 1;
            continue;
        }
        for (int i = 0; words[i]; i++)
            if (length == strlen(words[i]) && strncmp(line, words[i], length) == 0) return true;
        return false;
    }
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    static const char *const forbidden[] = {".incbin", ".include",     ".macro", ".rept",     ".irp",
                                            ".irpc",   ".org",         ".if",    ".altmacro", ".symver",
                                            ".fill",   ".pushsection", "#APP",   NULL};
    FuzzPart parts[2];
    fuzz_parts(bytes, size, parts, 2);
    char *text = fuzz_string(parts[0]), name[40];
    Listing listing;
    bool fine = read_listing(text, parts[0].size, &listing);
    fuzz_require(fine == (listing.verdict == LISTING_FINE), "two verdicts");
    fuzz_require(fine || listing.message[0], "refused without a reason");
    fuzz_require(memchr(listing.message, 0, sizeof listing.message), "the message does not end");
    fuzz_require(!fine || strlen(text) == parts[0].size, "a listing with a zero in it");
    for (const char *line = text; fine && line; line = strchr(line, '\n')) {
        line += *line == '\n';
        fuzz_require(!starts_with(line, forbidden), "a forbidden line passes: %.60s", line);
    }
    static Object object;
    fine = read_object((const char *)parts[1].bytes, parts[1].size, &object);
    fuzz_require(fine == !object.message[0], "an object is refused without a reason");
    likeliest(object.functions, "regression_loss", name, sizeof name);
    fuzz_require(!name[0] || strstr(object.functions, name), "a name that the object does not have");
    free(text);
}
