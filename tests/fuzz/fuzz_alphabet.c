// fuzz_alphabet.c: the characters of a text as numbers and back, bytes that are no UTF-8 included.
#include "fuzz.h"
#include "files/text.h"

static void numbers(void *context)
{
    Text *text = context;
    Arena *arena = arena_new();
    bool frequent = text->size && text->bytes[0] == 'f';
    Alphabet alphabet = frequent ? alphabet_frequent(arena, *text, 3) : alphabet_of(arena, *text);
    size_t length;
    int *ids = alphabet_encode(arena, alphabet, *text, &length);
    for (size_t i = 0; i < length; i++)
        fuzz_require(ids[i] >= 0 && ids[i] < alphabet.size, "character %zu has the number %d", i, ids[i]);
    Text again = alphabet_decode(arena, alphabet, ids, length);
    if (!frequent && text_invalid(*text) == text->size)
        fuzz_require(text_equal(again, *text), "a text comes back as another");
    fuzz_require(text_characters(again) == length, "%zu characters come back as %zu", length,
                 text_characters(again));
    arena_free(arena);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    Text text = {(const char *)bytes, size};
    bool done = fuzz_try(numbers, &text);
    fuzz_require(done == (size > 0), "only the empty text is refused");
}
