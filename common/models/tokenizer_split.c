// tokenizer_split.c: added tokens, the normal form NFC, and pre-tokens. See tokenizer.h.
#include "models/tokenizer_parts.h"

#include <stdlib.h>
#include <string.h>

#if defined(__has_include) && !defined(TOKENIZER_WITHOUT_LIBRARIES)
#if __has_include(<pcre2.h>) && __has_include(<uninorm.h>)
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <uninorm.h>
#include <unistr.h>
#define TOKENIZER_LIBRARIES 1
#endif
#endif

#ifndef TOKENIZER_LIBRARIES

Splitter *splitter_new(Place place, const char *pattern)
{
    die_at(place,
           "install libpcre2-dev and libunistring-dev (`make setup` does), `touch "
           "common/models/tokenizer_split.c`, "
           "and try again",
           "a tokenizer with the pattern %.40s…: this program was built without PCRE2 or libunistring",
           pattern);
}

void splitter_free(Splitter *splitter) { (void)splitter; }
bool is_utf8(const char *text, size_t size) { return text && size; }

void split_text(Place place, Tokenizer *t, const char *text, size_t size, Visit *visit, void *context)
{
    (void)place, (void)t, (void)text, (void)size, (void)visit, (void)context; // there is no Splitter
}

#else

bool is_utf8(const char *text, size_t size) { return u8_check((const uint8_t *)text, size) == NULL; }

// ---- The regular expression ---------------------------------------------------------------------------------

struct Splitter {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

// What Unicode calls White_Space. PCRE2's own \s has U+180E as well, which no longer belongs to it.
#define WHITE_SPACE                                                                                          \
    "\\t-\\r \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"

// The pattern with \s and \S written out.
static char *with_white_space(Place place, Arena *arena, const char *pattern)
{
    size_t room = size_sum(place, size_product(place, strlen(pattern), sizeof WHITE_SPACE + 4), 1);
    char *out = arena_alloc_at(place, arena, room, 1), *to = out;
    bool inside = false; // of brackets
    for (const char *at = pattern; *at; at++) {
        if (at[0] == '\\' && (at[1] == 's' || (at[1] == 'S' && !inside))) {
            to = stpcpy(to, inside ? WHITE_SPACE : at[1] == 's' ? "[" WHITE_SPACE "]" : "[^" WHITE_SPACE "]");
            at++;
            continue;
        }
        if (at[0] == '[') inside = true;
        if (at[0] == ']') inside = false;
        *to++ = *at;
        if (at[0] == '\\' && at[1]) *to++ = *++at;
    }
    *to = '\0';
    return out;
}

Splitter *splitter_new(Place place, const char *pattern)
{
    enum { STACK_FIRST = 1 << 15, STACK_MOST = 1 << 23 };
    Arena *arena = arena_new();
    const char *full = with_white_space(place, arena, pattern);
    int error;
    size_t offset;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)full, PCRE2_ZERO_TERMINATED,
                                     PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, NULL);
    if (!code) {
        unsigned char message[256];
        pcre2_get_error_message(error, message, sizeof message);
        die_at(place, "the tokenizer needs a regular expression that PCRE2 understands",
               "the pattern %.200s is wrong: %s", pattern, (const char *)message);
    }
    arena_free(arena);
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); // where there is no JIT, matching is slower and the same
    Splitter *s = malloc(sizeof *s);
    check_at(place, s, NULL, "no memory is left for a tokenizer");
    *s = (Splitter){code, pcre2_match_data_create_from_pattern(code, NULL), pcre2_match_context_create(NULL),
                    pcre2_jit_stack_create(STACK_FIRST, STACK_MOST, NULL)};
    check_at(place, s->data && s->context, NULL, "no memory is left for a tokenizer");
    pcre2_jit_stack_assign(s->context, NULL, s->stack);
    return s;
}

void splitter_free(Splitter *s)
{
    if (!s) return;
    pcre2_jit_stack_free(s->stack);
    pcre2_match_context_free(s->context);
    pcre2_match_data_free(s->data);
    pcre2_code_free(s->code);
    free(s);
}

// Where the pre-token that begins at from ends. What the pattern does not match is a pre-token as well.
static size_t pretoken_end(Place place, const Tokenizer *t, const char *text, size_t size, size_t from)
{
    const Splitter *s = t->splitter;
    int found = pcre2_match(s->code, (PCRE2_SPTR)text, size, from, PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY,
                            s->data, s->context);
    if (found == PCRE2_ERROR_NOMATCH) return size;
    const size_t *span = pcre2_get_ovector_pointer(s->data);
    check_at(place, found >= 0 && span[0] >= from && span[0] < span[1],
             "a pattern of this kind takes for ever, or steps back; choose a simpler one",
             "the tokenizer's pattern %.200s fails (PCRE2's error %d)", t->pattern, found);
    return span[0] > from ? span[0] : span[1];
}

static void split_words(Place place, Tokenizer *t, const char *text, size_t size, Visit *visit, void *context)
{
    while (size) {
        const uint8_t *wrong = u8_check((const uint8_t *)text, size);
        size_t valid = wrong ? (size_t)((const char *)wrong - text) : size;
        for (size_t from = 0, end; from < valid; from = end) {
            end = pretoken_end(place, t, text, valid, from);
            visit(context, text + from, end - from, -1);
        }
        if (wrong) visit(context, text + valid, 1, -1);
        text += valid + (wrong != NULL);
        size -= valid + (wrong != NULL);
    }
}

// ---- The normal form NFC ------------------------------------------------------------------------------------

// Characters that stay what they are beside whatever stands in front of them: none of these blocks holds a mark that
// combines, or a character that NFC replaces. Most text needs no more than this.
static bool stays(ucs4_t c)
{
    return c < 0x300 || (c >= 0x388 && c < 0x483) || (c >= 0x2010 && c < 0x2060) ||
           (c >= 0x3001 && c < 0x302a) || (c >= 0x3041 && c < 0x3097) || (c >= 0x30a1 && c < 0x30fb) ||
           (c >= 0x3400 && c < 0xa000) || (c >= 0xac00 && c < 0xd7a4) || (c >= 0xff01 && c < 0xfff0) ||
           (c >= 0x1f300 && c < 0x1fb00);
}

// The character at text; what is not UTF-8 stays as well.
static ucs4_t character(const char *text, size_t size, size_t *length)
{
    ucs4_t c = (uint8_t)text[0];
    *length = 1;
    if (c < 0x80) return c;
    int bytes = u8_mbtoucr(&c, (const uint8_t *)text, size);
    if (bytes > 0) *length = (size_t)bytes;
    return bytes > 0 ? c : 0;
}

// Appends size bytes to the normalised text that has used bytes.
static void append_normal(Place place, Tokenizer *t, size_t *used, const void *bytes, size_t size)
{
    size_t needed = size_sum(place, *used, size);
    if (needed > t->normal_room) {
        t->normal_room = 2 * needed;
        char *larger = arena_alloc_at(place, t->arena, t->normal_room, 1);
        if (*used) memcpy(larger, t->normal, *used);
        t->normal = larger;
    }
    if (size) memcpy(t->normal + *used, bytes, size);
    *used = needed;
}

// text itself, where nothing changes; else t->normal. A stretch to be normalised begins with the character in front of
// the first one that may change, for the two may combine.
static const char *normalised(Place place, Tokenizer *t, const char *text, size_t size, size_t *length)
{
    size_t used = 0, done = 0,
           last = 0; // text[0 … done) is in t->normal; text[last] is the character before at
    for (size_t at = 0, step; at < size; last = at, at += step) {
        if (stays(character(text + at, size - at, &step))) continue;
        size_t begin = last, end = at + step, more;
        while (end < size && !stays(character(text + end, size - end, &more))) end += more;
        if (!is_utf8(text + begin, at - begin)) begin = at;
        append_normal(place, t, &used, text + done, begin - done);
        size_t normal_size = 0;
        uint8_t *normal =
            u8_normalize(UNINORM_NFC, (const uint8_t *)text + begin, end - begin, NULL, &normal_size);
        check_at(place, normal, NULL, "no memory is left to normalise a text");
        append_normal(place, t, &used, normal, normal_size);
        free(normal);
        done = end;
        step = end - at; // the character at end, if any, stays: last is not looked at
    }
    *length = size;
    if (done == 0) return text;
    append_normal(place, t, &used, text + done, size - done);
    *length = used;
    return t->normal;
}

// ---- Added tokens -------------------------------------------------------------------------------------------

static int added_at(const Tokenizer *t, const char *text, size_t size, bool after)
{
    if (!t->added_starts[after][(uint8_t)text[0]]) return -1;
    for (int i = 0; i < t->added_count; i++) {
        const TokenizerPiece *piece = &t->pieces[t->added[i].id];
        if (t->added[i].normalised == after && piece->size <= size &&
            memcmp(text, piece->bytes, piece->size) == 0)
            return t->added[i].id;
    }
    return -1;
}

typedef void Rest(Place place, Tokenizer *t, const char *text, size_t size, Visit *visit, void *context);

// Finds the added tokens that are looked for before, or after, normalising; hands on what is between them.
static void split_added(Place place, Tokenizer *t, const char *text, size_t size, Visit *visit, void *context,
                        bool after, Rest *rest)
{
    size_t from = 0;
    for (size_t at = 0; t->added_count && at < size;) {
        int id = added_at(t, text + at, size - at, after);
        if (id < 0) {
            at++;
            continue;
        }
        rest(place, t, text + from, at - from, visit, context);
        visit(context, text + at, t->pieces[id].size, id);
        at += t->pieces[id].size;
        from = at;
    }
    rest(place, t, text + from, size - from, visit, context);
}

static void split_normal(Place place, Tokenizer *t, const char *text, size_t size, Visit *visit,
                         void *context)
{
    if (t->nfc) text = normalised(place, t, text, size, &size);
    split_added(place, t, text, size, visit, context, true, split_words);
}

void split_text(Place place, Tokenizer *t, const char *text, size_t size, Visit *visit, void *context)
{
    split_added(place, t, text, size, visit, context, false, split_normal);
}

#endif

// ---- For the eye --------------------------------------------------------------------------------------------

typedef struct {
    Place place;
    Arena *arena;
    TokenizerPiece *pieces;
    size_t count, room;
} Listing;

static void list_piece(void *context, const char *bytes, size_t size, int added)
{
    Listing *l = context;
    l->pieces = grown(l->place, l->arena, l->pieces, l->count, &l->room, sizeof *l->pieces);
    char *copy = arena_alloc_at(l->place, l->arena, size, 1);
    memcpy(copy, bytes, size);
    l->pieces[l->count++] = (TokenizerPiece){copy, size, added >= 0};
}

TokenizerPiece *tokenizer_split_at(Place place, Arena *arena, Tokenizer *t, const void *text, size_t size,
                                   size_t *count)
{
    Listing listing = {.place = place, .arena = arena};
    split_text(place, t, text, size, list_piece, &listing);
    *count = listing.count;
    return listing.pieces;
}
