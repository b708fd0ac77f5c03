// tokenizer_split.c: added tokens, the normal form NFC, and pre-tokens. See tokenizer.h.
#include "base/utf8.h"
#include "models/tokenizer_parts.h"

#include <stdlib.h>
#include <string.h>

#if defined(__has_include) && !defined(TOKENIZER_WITHOUT_LIBRARIES)
#if __has_include(<pcre2.h>) && __has_include(<uninorm.h>)
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>
#define TOKENIZER_LIBRARIES 1
#endif
#endif

const char *const behaviour_names[BEHAVIOURS] = {"Isolated", "Removed", "MergedWithPrevious",
                                                 "MergedWithNext", "Contiguous"};
const char *const normal_form_names[NORMAL_FORMS] = {"NFC", "NFD", "NFKC", "NFKD"};

#ifndef TOKENIZER_LIBRARIES

Splitter *splitter_new(Place place, const Step *step)
{
    die_at(place,
           "install libpcre2-dev and libunistring-dev (`make setup` does), `touch "
           "common/models/tokenizer_split.c`, "
           "and try again",
           "a tokenizer with the pattern %.40s…: this program was built without PCRE2 or libunistring",
           step->pattern.bytes);
}

void splitter_free(Splitter *splitter) { (void)splitter; }

void split_text(Place place, Tokenizer *t, const char *text, size_t size, Visit *visit, void *context)
{
    (void)place, (void)t, (void)text, (void)size, (void)visit, (void)context; // there is no Splitter
}

#else

// ---- The regular expression ---------------------------------------------------------------------------------

struct Splitter {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static pcre2_code *compiled(Place place, const Step *step)
{
    check_at(place, step->pattern.size <= TOKENIZER_MAX_PATTERN, NULL,
             "the tokenizer's pattern has %zu bytes; at most %d are read", step->pattern.size,
             TOKENIZER_MAX_PATTERN);
    Arena *arena = arena_new();
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    check_at(place, context, NULL, "no memory is left for a tokenizer");
    pcre2_set_newline(context, PCRE2_NEWLINE_LF); // whatever this PCRE2 was built for
    const char *text = step->literal ? step->pattern.bytes : pattern_for_pcre2(place, arena, step->pattern);
    uint32_t options =
        PCRE2_UTF | (step->literal ? PCRE2_LITERAL : PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C);
    int error;
    size_t offset;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)text, step->literal ? step->pattern.size : PCRE2_ZERO_TERMINATED, options,
                      &error, &offset, context);
    if (!code) {
        unsigned char message[256];
        pcre2_get_error_message(error, message, sizeof message);
        die_at(place, "the tokenizer needs a regular expression that PCRE2 understands",
               "the pattern %.200s is wrong: %s", step->pattern.bytes, (const char *)message);
    }
    pcre2_compile_context_free(context);
    arena_free(arena);
    return code;
}

Splitter *splitter_new(Place place, const Step *step)
{
    enum { STACK_FIRST = 1 << 15, STACK_MOST = 1 << 23 };
    pcre2_code *code = compiled(place, step);
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

// The next match, as the Rust library looks for it: one of nothing counts, but not at the end of the one before it (last;
// SIZE_MAX: there was none).
static bool next_match(Place place, const Step *step, Bytes text, size_t from, size_t last, size_t span[2])
{
    const Splitter *s = step->splitter;
    for (; from <= text.size; from++) {
        int found = pcre2_match(s->code, (PCRE2_SPTR)text.bytes, text.size, from, PCRE2_NO_UTF_CHECK, s->data,
                                s->context);
        if (found == PCRE2_ERROR_NOMATCH) return false;
        const size_t *place_of = pcre2_get_ovector_pointer(s->data);
        check_at(place, found >= 0 && place_of[0] >= from && place_of[0] <= place_of[1],
                 "a pattern of this kind takes for ever, or steps back; choose a simpler one",
                 "the tokenizer's pattern %.200s fails (PCRE2's error %d)", step->pattern.bytes, found);
        span[0] = place_of[0];
        span[1] = place_of[1];
        if (span[0] < span[1] || span[1] != last) return true;
        while (from + 1 < text.size && ((uint8_t)text.bytes[from + 1] & 0xc0) == 0x80) from++;
    }
    return false;
}

typedef struct {
    Place place;
    Tokenizer *t;
    int step;
    Visit *visit;
    void *context;
} Cutting;

static void run_steps(Cutting cutting, Bytes text);

// Hands a part on to the next step.
static void hand_on(Cutting cutting, const char *from, const char *to)
{
    if (from == to) return;
    cutting.step++;
    if (cutting.step == cutting.t->step_count)
        cutting.visit(cutting.context, from, (size_t)(to - from), -1);
    else
        run_steps(cutting, (Bytes){from, (size_t)(to - from)});
}

// Parts come in order; with some behaviours one waits for the next.
typedef struct {
    const char *from, *to; // what waits; from NULL: nothing
    bool matched;          // whether the part before this one was a match
} Waiting;

static void take_part(Cutting cutting, Behaviour behaviour, Waiting *waiting, const char *from,
                      const char *to, bool matched)
{
    bool joins = false; // what waits
    switch (behaviour) {
    case REMOVED:
        if (matched) return;
        break;
    case CONTIGUOUS:
        joins = matched == waiting->matched;
        break;
    case MERGED_WITH_PREVIOUS:
        joins = matched && !waiting->matched;
        break;
    case MERGED_WITH_NEXT:
        joins = waiting->matched && !matched;
        break;
    default:
        break;
    }
    waiting->matched = matched;
    if (behaviour == ISOLATED || behaviour == REMOVED) {
        hand_on(cutting, from, to);
        return;
    }
    if (waiting->from && !joins) hand_on(cutting, waiting->from, waiting->to);
    if (!waiting->from || !joins) waiting->from = from;
    waiting->to = to;
}

static void cut(Cutting cutting, const Step *step, Bytes text)
{
    Waiting waiting = {0};
    size_t done = 0, last = SIZE_MAX, span[2];
    while (next_match(cutting.place, step, text, done, last, span)) {
        if (done < span[0])
            take_part(cutting, step->behaviour, &waiting, text.bytes + done, text.bytes + span[0],
                      step->inverted);
        take_part(cutting, step->behaviour, &waiting, text.bytes + span[0], text.bytes + span[1],
                  !step->inverted);
        done = last = span[1];
    }
    if (done < text.size)
        take_part(cutting, step->behaviour, &waiting, text.bytes + done, text.bytes + text.size,
                  step->inverted);
    if (waiting.from) hand_on(cutting, waiting.from, waiting.to);
}

static void put_prefix(Cutting cutting, Bytes text)
{
    Tokenizer *t = cutting.t;
    if (text.bytes[0] == ' ') {
        hand_on(cutting, text.bytes, text.bytes + text.size);
        return;
    }
    size_t needed = size_sum(cutting.place, text.size, 1);
    if (needed > t->prefixed.room) {
        t->prefixed.room = size_product(cutting.place, needed, 2);
        t->prefixed.bytes = arena_alloc_at(cutting.place, t->arena, t->prefixed.room, 1);
    }
    t->prefixed.bytes[0] = ' ';
    memcpy(t->prefixed.bytes + 1, text.bytes, text.size);
    hand_on(cutting, t->prefixed.bytes, t->prefixed.bytes + needed);
}

static void run_steps(Cutting cutting, Bytes text)
{
    const Step *step = &cutting.t->steps[cutting.step];
    if (step->prefix)
        put_prefix(cutting, text);
    else
        cut(cutting, step, text);
}

static void split_words(Place place, Tokenizer *t, Bytes text, Visit *visit, void *context)
{
    Cutting cutting = {place, t, -1, visit, context};
    for (const char *at = text.bytes, *end = at + text.size; at < end;) {
        const char *wrong = (const char *)u8_check((const uint8_t *)at, (size_t)(end - at));
        hand_on(cutting, at, wrong ? wrong : end);
        if (wrong) visit(context, wrong, 1, -1);
        at = wrong ? wrong + 1 : end;
    }
}

// ---- Normal forms ------------------------------------------------------------------------------------------

// Characters that stay what they are beside whatever stands in front of them: none of these blocks holds a mark that
// combines, or a character that NFC replaces. Most text needs no more than this.
static bool stays(ucs4_t c, NormalForm form)
{
    if (form != NFC) return c < 0x80;
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
static void append_normal(Place place, Tokenizer *t, int which, size_t *used, const void *bytes, size_t size)
{
    size_t needed = size_sum(place, *used, size);
    if (needed > t->normal[which].room) {
        t->normal[which].room = size_product(place, needed, 2);
        char *larger = arena_alloc_at(place, t->arena, t->normal[which].room, 1);
        if (*used) memcpy(larger, t->normal[which].bytes, *used);
        t->normal[which].bytes = larger;
    }
    if (size) memcpy(t->normal[which].bytes + *used, bytes, size);
    *used = needed;
}

// text itself, where nothing changes; else t->normal[which]. A stretch to be normalised begins with the character in front
// of the first one that may change, for the two may combine.
static Bytes in_form(Place place, Tokenizer *t, NormalForm form, int which, Bytes text)
{
    const uninorm_t forms[] = {UNINORM_NFC, UNINORM_NFD, UNINORM_NFKC, UNINORM_NFKD};
    size_t used = 0, done = 0,
           last = 0; // text[0 … done) is in t->normal; text[last] is the character before at
    for (size_t at = 0, step; at < text.size; last = at, at += step) {
        if (stays(character(text.bytes + at, text.size - at, &step), form)) continue;
        size_t begin = last, end = at + step, more;
        while (end < text.size && !stays(character(text.bytes + end, text.size - end, &more), form))
            end += more;
        if (utf8_invalid(text.bytes + begin, at - begin) < at - begin) begin = at;
        append_normal(place, t, which, &used, text.bytes + done, begin - done);
        size_t normal_size = 0;
        uint8_t *normal =
            u8_normalize(forms[form], (const uint8_t *)text.bytes + begin, end - begin, NULL, &normal_size);
        check_at(place, normal, NULL, "no memory is left to normalise a text");
        append_normal(place, t, which, &used, normal, normal_size);
        free(normal);
        done = end;
        step = end - at; // the character at end, if any, stays: last is not looked at
    }
    if (done == 0) return text;
    append_normal(place, t, which, &used, text.bytes + done, text.size - done);
    return (Bytes){t->normal[which].bytes, used};
}

static Bytes normalised(Place place, Tokenizer *t, Bytes text)
{
    for (int f = 0; f < t->form_count; f++) text = in_form(place, t, t->forms[f], f % 2, text);
    return text;
}

// ---- Added tokens -------------------------------------------------------------------------------------------

static bool is_white(ucs4_t c) { return uc_is_property_white_space(c); }

// What a regular expression of Rust calls \w.
static bool is_word(ucs4_t c)
{
    return uc_is_property_alphabetic(c) || uc_is_property_join_control(c) ||
           uc_is_general_category_withtable(c,
                                            UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_Nd | UC_CATEGORY_MASK_Pc);
}

// The character that ends where text ends; its length, or 0 where there is none.
static size_t character_before(Bytes text, ucs4_t *c)
{
    size_t length = text.size > 0;
    while (length < 4 && length < text.size && ((uint8_t)text.bytes[text.size - length] & 0xc0) == 0x80)
        length++;
    if (!length) return 0;
    size_t read;
    *c = character(text.bytes + text.size - length, length, &read);
    if (read == length) return length;
    *c = 0;
    return 1;
}

static bool in_a_word(Bytes text, size_t from, size_t to)
{
    ucs4_t c;
    size_t length;
    if (character_before((Bytes){text.bytes, from}, &c) && is_word(c)) return true;
    return to < text.size && is_word(character(text.bytes + to, text.size - to, &length));
}

static size_t before_white(Bytes text, size_t at, size_t least)
{
    ucs4_t c;
    for (size_t length;
         at > least && (length = character_before((Bytes){text.bytes, at}, &c)) && is_white(c);)
        at -= length;
    return at < least ? least : at;
}

static size_t behind_white(Bytes text, size_t at)
{
    for (size_t length; at < text.size && is_white(character(text.bytes + at, text.size - at, &length));)
        at += length;
    return at;
}

// Makes the finder of what is sought before, or after, normalising. Of texts that are the same then, the
// first special one is found, or the first one: so did the Rust library while it kept them in order.
static Finder make_finder(Place place, Tokenizer *t, bool after)
{
    Sought *sought = arena_alloc_at(place, t->finder_arena, (size_t)t->added_count, sizeof *sought);
    size_t count = 0;
    for (int i = 0; i < t->added_count; i++) {
        AddedToken *token = &t->added[i];
        if (!token->sought[after]) continue;
        Bytes text = after ? normalised(place, t, token->content) : token->content;
        token->sizes[after] = text.size;
        sought[count++] =
            (Sought){copied(place, t->finder_arena, text), i, token->special ? i : t->added_count + i};
    }
    return finder_new(place, t->finder_arena, sought, count);
}

static void know_added(Place place, Tokenizer *t)
{
    if (t->finders_know == t->added_count) return;
    arena_reset(t->finder_arena);
    for (int after = 0; after < 2; after++) t->finders[after] = make_finder(place, t, after);
    t->finders_know = t->added_count;
}

typedef void Rest(Place place, Tokenizer *t, Bytes text, Visit *visit, void *context);

// Finds the added tokens that are sought before, or after, normalising; hands on what is between them. Places are taken
// and left as the Rust library does it: one that a token's white space has covered is still taken.
static void split_added(Place place, Tokenizer *t, Bytes text, Visit *visit, void *context, bool after,
                        Rest *rest)
{
    FoundList *places = &t->places[after];
    places->count = 0;
    if (t->finders[after].nodes)
        finder_scan(place, t->arena, &t->finders[after], text.bytes, text.size, places);
    size_t from = 0, next = 0, white = 0; // white: how far the last white space that was looked at goes
    for (size_t i = places->count; i-- > 0;) {
        const Found found = places->items[i];
        const AddedToken *token = &t->added[found.added];
        if (found.at < next) continue;
        size_t begin = found.at, end = next = found.at + token->sizes[after];
        if (token->single_word && in_a_word(text, begin, end)) continue;
        if (token->lstrip) begin = before_white(text, begin, from);
        if (token->rstrip) end = white = end < white ? white : behind_white(text, end);
        if (from < begin) rest(place, t, (Bytes){text.bytes + from, begin - from}, visit, context);
        visit(context, text.bytes + begin, end > begin ? end - begin : 0, token->id);
        from = end;
    }
    if (from < text.size) rest(place, t, (Bytes){text.bytes + from, text.size - from}, visit, context);
}

static void split_normal(Place place, Tokenizer *t, Bytes text, Visit *visit, void *context)
{
    split_added(place, t, normalised(place, t, text), visit, context, true, split_words);
}

void split_text(Place place, Tokenizer *t, const char *text, size_t size, Visit *visit, void *context)
{
    know_added(place, t);
    split_added(place, t, (Bytes){text, size}, visit, context, false, split_normal);
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
