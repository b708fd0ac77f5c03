// words.c: cuts a text into words as the pattern of GPT-2 does,
//
//     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// written out, for the page in the browser, where there is no PCRE2. It stands where tokenizer_split.c does elsewhere; which
// characters are letters, numbers and white space, the model's file says (model_file.h).
#include "tools/live/model_file.h"
#include "base/utf8.h"
#include "models/tokenizer_parts.h"

#include <string.h>

static const CharacterRun *runs;
static int run_count;

void words_know(const CharacterRun *known, int count)
{
    runs = known;
    run_count = count;
}

static CharacterKind kind_of(uint32_t character)
{
    int low = 0, high = run_count; // the run is one of low … high − 1
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        if (runs[middle].first <= (int)character) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (CharacterKind)runs[low].kind;
}

// The kind of the character at text, and its bytes.
static CharacterKind kind_at(Bytes text, size_t at, size_t *length)
{
    uint32_t character;
    *length = (size_t)utf8_decode(text.bytes + at, text.size - at, &character);
    return kind_of(character);
}

// Where the characters of a kind end that begin at a place.
static size_t end_of(Bytes text, size_t at, CharacterKind kind)
{
    for (size_t length; at < text.size && kind_at(text, at, &length) == kind; at += length) {
    }
    return at;
}

// The bytes of a contraction at the beginning of a text, which begins with '; 0: there is none.
static size_t contraction(Bytes text)
{
    static const char *const ends[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const size_t size = strlen(ends[i]);
        if (size <= text.size && memcmp(text.bytes, ends[i], size) == 0) return size;
    }
    return 0;
}

// The bytes of the first word of a text that is not empty and is UTF-8.
static size_t first_word(Bytes text)
{
    const size_t contracted = contraction(text), blank = text.size > 1 && text.bytes[0] == ' ';
    if (contracted) return contracted;
    size_t length;
    const CharacterKind kind = kind_at(text, blank, &length);
    if (kind != WHITE_SPACE) return end_of(text, blank, kind);
    // White space; if something follows, the last of it is left to that, unless there is no more.
    const size_t end = end_of(text, 0, WHITE_SPACE);
    size_t last = 0;
    for (size_t at = 0; at < end; at += length) {
        last = at;
        kind_at(text, at, &length);
    }
    return end < text.size && last > 0 ? last : end;
}

Splitter *splitter_new(Place place, const Step *step)
{
    (void)place, (void)step;
    return NULL;
}
void splitter_free(Splitter *splitter) { (void)splitter; }

// A byte that is no UTF-8 is a word of its own.
void split_text(Place place, Tokenizer *t, const char *text, size_t size, Visit *visit, void *context)
{
    (void)place, (void)t;
    for (size_t at = 0; at < size;) {
        const size_t valid = at + utf8_invalid(text + at, size - at);
        while (at < valid) {
            const size_t word = first_word((Bytes){text + at, valid - at});
            visit(context, text + at, word, -1);
            at += word;
        }
        if (at < size) visit(context, text + at++, 1, -1);
    }
}
