// chat_encode.c: a conversation as tokens, of which none are made of what people typed. See chat.h.
//
// To know whether an added token in the rendered text was typed, marks are put into the contents: a character that stands
// nowhere else, behind the first character of whatever spells an added token. In the rendered text the marks are taken out
// again, and an added token with a mark in it is cut there. All that a template may do with a text in earnest (trim it, split
// it, look for a word) moves marks along with their characters.
//
// A template that leaves things out of a content can make an added token of what spelled none. So there is a second rendering
// with marks behind every character that could begin one. When the two agree in their text, it has all the marks that are
// needed; when they do not (the template has looked for something that begins so), the first is good if no more added tokens
// are left in it than in the second.
//
// An added token counts as the template's when its first character does.
#include "models/chat.h"
#include "base/utf8.h"

#include <stdlib.h>

typedef struct {
    TokenizerPiece *pieces; // the added tokens, of two bytes or more: a byte has one number in any case
    int *ids, count;
    bool begins[256]; // whether one begins with this byte
} Added;

static Added added_of(Place place, Arena *arena, const Tokenizer *tokenizer)
{
    const int size = tokenizer_size(tokenizer);
    Added added = {.count = 0};
    for (int id = 0; id < size; id++) added.count += tokenizer_piece(tokenizer, id).added;
    added.pieces = arena_alloc_at(place, arena, (size_t)added.count, sizeof *added.pieces);
    added.ids = arena_alloc_at(place, arena, (size_t)added.count, sizeof *added.ids);
    added.count = 0;
    for (int id = 0; id < size; id++) {
        const TokenizerPiece piece = tokenizer_piece(tokenizer, id);
        if (!piece.added || piece.size < 2) continue;
        added.begins[(uint8_t)piece.bytes[0]] = true;
        added.pieces[added.count] = piece;
        added.ids[added.count++] = id;
    }
    return added;
}

// The longest that the text begins with; −1: none
static int added_at(const Added *added, const char *text, size_t size)
{
    int found = -1;
    if (!size || !added->begins[(uint8_t)*text]) return found;
    for (int i = 0; i < added->count; i++) {
        const TokenizerPiece piece = added->pieces[i];
        if (piece.size <= size && memcmp(piece.bytes, text, piece.size) == 0 &&
            (found < 0 || piece.size > added->pieces[found].size))
            found = i;
    }
    return found;
}

static size_t first_character(const char *text, size_t size)
{
    uint32_t c;
    return (size_t)utf8_decode(text, size, &c);
}

// ---- Marks ------------------------------------------------------------------------------------------------

enum { PRIVATE = 0xF0000, PRIVATE_COUNT = 0xFFFE }; // a plane of characters for private use

typedef enum { WITHOUT, SPARSE, DENSE } Marking; // behind: nothing; what spells a token; what may begin one

static bool is_marked(const Added *added, Marking marking, const char *text, size_t size)
{
    return marking == DENSE ? added->begins[(uint8_t)*text] : added_at(added, text, size) >= 0;
}

// The content with marks. The model's own tokens have none. Returns the content itself when it needs none.
static const char *marked(Place place, Arena *arena, const Added *added, Marking marking, const char *mark,
                          const char *content, ChatOwns own)
{
    const size_t size = strlen(content), length = strlen(mark);
    char *text = arena_alloc_at(place, arena, size_sum(place, size_product(place, size, 1 + length), 1), 1);
    size_t to = 0, marks = 0;
    for (size_t at = 0, part; at < size; at += part) {
        const bool is_own = own.count && own.items->at == at && own.items->size <= size - at;
        const bool spells = !is_own && is_marked(added, marking, content + at, size - at);
        part = is_own ? own.items->size : first_character(content + at, size - at);
        if (is_own) own.items++, own.count--;
        memcpy(text + to, content + at, part);
        to += part;
        if (!spells) continue;
        memcpy(text + to, mark, length);
        to += length, marks++;
    }
    text[to] = '\0';
    return marks ? text : content;
}

// A character that stands in none of the texts
static bool find_mark(char mark[5], const char *const *texts, int count)
{
    static const size_t words = (PRIVATE_COUNT + 63) / 64;
    uint64_t used[(PRIVATE_COUNT + 63) / 64] = {0};
    for (int i = 0; i < count; i++)
        for (const char *at = texts[i]; at && *at;) {
            const uint32_t c = utf8_next(&at);
            if (c >= PRIVATE && c < PRIVATE + PRIVATE_COUNT)
                used[(c - PRIVATE) / 64] |= 1ull << (c - PRIVATE) % 64;
        }
    for (size_t i = 0; i < words; i++)
        for (uint32_t bit = 0; bit < 64 && 64 * i + bit < PRIVATE_COUNT; bit++)
            if (!(used[i] >> bit & 1)) {
                mark[utf8_encode(mark, (uint32_t)(PRIVATE + 64 * i + bit))] = '\0';
                return true;
            }
    return false;
}

// ---- Rendering --------------------------------------------------------------------------------------------

// What the template makes of the contents, without their marks, and where those were.
typedef struct {
    char *text;
    size_t size;
    size_t *marks, mark_count;
    size_t *cuts, cut_count; // to be encoded in parts that end here
    int *left, left_count;   // the added tokens that stand in these parts
} Rendering;

typedef struct {
    Place place;
    Arena *arena;
    Tokenizer *tokenizer;
    const ChatTemplate *chat_template;
    const ChatRequest *request;
    const ChatOwns *own;
    Added added;
    char mark[5];
} Encoding;

static ChatOwns own_of(const Encoding *e, int message) { return e->own ? e->own[message] : (ChatOwns){0}; }

static const char *render(const Encoding *e, Marking marking, const char **problem)
{
    const int count = e->request->count;
    ChatMessage *messages = arena_alloc_at(e->place, e->arena, (size_t)count, sizeof *messages);
    for (int i = 0; i < count; i++) {
        messages[i] = e->request->messages[i];
        if (marking == WITHOUT || !messages[i].content) continue;
        messages[i].content =
            marked(e->place, e->arena, &e->added, marking, e->mark, messages[i].content, own_of(e, i));
    }
    ChatRequest request = *e->request;
    request.messages = messages;
    return chat_template_render_at(e->place, e->arena, e->chat_template, &request, problem);
}

static void take_marks_out(const Encoding *e, Rendering *r, const char *text)
{
    const size_t size = strlen(text), length = strlen(e->mark);
    r->text = arena_alloc_at(e->place, e->arena, size + 1, 1);
    r->marks = arena_alloc_at(e->place, e->arena, length ? size / length + 1 : 0, sizeof *r->marks);
    for (size_t at = 0; at < size;) {
        if (length && strncmp(text + at, e->mark, length) == 0) {
            r->marks[r->mark_count++] = r->size;
            at += length;
        } else {
            r->text[r->size++] = text[at++];
        }
    }
    r->text[r->size] = '\0';
}

// Cuts the added tokens that have a mark behind their first character, and counts the others.
static void cut_marked(const Encoding *e, Rendering *r)
{
    r->cuts = arena_alloc_at(e->place, e->arena, r->mark_count, sizeof *r->cuts);
    r->left = arena_alloc_at(e->place, e->arena, r->size / 2 + 1, sizeof *r->left);
    for (size_t at = 0, next = 0; at < r->size;) {
        const int found = added_at(&e->added, r->text + at, r->size - at);
        if (found < 0) {
            at++;
            continue;
        }
        const size_t whole = e->added.pieces[found].size, first = first_character(r->text + at, whole);
        while (next < r->mark_count && r->marks[next] < at + first) next++;
        const bool typed = next < r->mark_count && r->marks[next] == at + first;
        if (typed)
            r->cuts[r->cut_count++] = at += first < whole ? first : 1; // a single character is cut as bytes
        else
            r->left[r->left_count++] = e->added.ids[found], at += whole;
    }
}

static bool rendered(const Encoding *e, Rendering *r, Marking marking, const char **problem)
{
    *r = (Rendering){.text = NULL};
    const char *text = render(e, marking, problem);
    if (!text) return false;
    take_marks_out(e, r, text);
    cut_marked(e, r);
    return true;
}

static bool same_text(const Rendering *a, const Rendering *b)
{
    return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

static bool same_left(const Rendering *a, const Rendering *b)
{
    return a->left_count == b->left_count &&
           (!a->left_count || memcmp(a->left, b->left, (size_t)a->left_count * sizeof *a->left) == 0);
}

static bool may_spell(const Encoding *e)
{
    for (int i = 0; i < e->request->count; i++)
        for (const char *at = e->request->messages[i].content; at && *at; at++)
            if (e->added.begins[(uint8_t)*at]) return true;
    return false;
}

static bool choose_mark(Encoding *e, const char *plain)
{
    const int count = e->request->count;
    const char **texts = arena_alloc_at(e->place, e->arena, (size_t)count + 1, sizeof *texts);
    for (int i = 0; i < count; i++) texts[i] = e->request->messages[i].content;
    texts[count] = plain;
    return find_mark(e->mark, texts, count + 1);
}

static bool choose_rendering(Encoding *e, Rendering *r, const char **problem)
{
    if (!may_spell(e)) return rendered(e, r, WITHOUT, problem);
    const char *plain = render(e, WITHOUT, problem);
    if (!plain) return false;
    if (!choose_mark(e, plain)) {
        *problem = "the messages hold all characters for private use that there are";
        return false;
    }
    Rendering sparse, dense;
    if (!rendered(e, &sparse, SPARSE, problem) || !rendered(e, &dense, DENSE, problem)) return false;
    *r = !same_text(&sparse, &dense) && same_left(&sparse, &dense) ? sparse : dense;
    return true;
}

// ---- Encoding ---------------------------------------------------------------------------------------------

// Whether the added tokens among these are some of those that are left, in their order; *next goes on behind them.
static bool only_left(const Tokenizer *tokenizer, Tokens tokens, const Rendering *r, int *next)
{
    for (size_t i = 0; i < tokens.count; i++) {
        const TokenizerPiece piece = tokenizer_piece(tokenizer, tokens.ids[i]);
        if (!piece.added || piece.size < 2) continue;
        while (*next < r->left_count && r->left[*next] != tokens.ids[i]) ++*next;
        if (*next == r->left_count) return false;
        ++*next;
    }
    return true;
}

static Tokens encode_parts(const Encoding *e, Arena *arena, const Rendering *r, const char **problem)
{
    const size_t parts = r->cut_count + 1;
    Tokens *each = arena_alloc_at(e->place, e->arena, parts, sizeof *each), all = {NULL, 0};
    int next = 0;
    for (size_t i = 0, from = 0; i < parts; i++) {
        const size_t to = i < r->cut_count ? r->cuts[i] : r->size;
        each[i] = tokenizer_encode_at(e->place, e->arena, e->tokenizer, r->text + from, to - from);
        from = to;
        all.count += each[i].count;
        if (only_left(e->tokenizer, each[i], r, &next)) continue;
        *problem = "normalised, a message spells an added token of the model's; write it in another way";
        return (Tokens){NULL, 0};
    }
    all.ids = arena_alloc_at(e->place, arena, all.count, sizeof *all.ids);
    size_t to = 0;
    for (size_t i = 0; i < parts; to += each[i++].count)
        if (each[i].count) memcpy(all.ids + to, each[i].ids, each[i].count * sizeof *all.ids);
    return all;
}

Tokens chat_encode_at(Place place, Arena *arena, Tokenizer *tokenizer, const ChatTemplate *chat_template,
                      const ChatRequest *request, const ChatOwns *own, const char **problem)
{
    Arena *scratch = arena_new();
    Encoding e = {place, scratch, tokenizer, chat_template, request, own, added_of(place, scratch, tokenizer),
                  ""};
    Rendering r;
    Tokens tokens = {NULL, 0};
    *problem = NULL;
    if (choose_rendering(&e, &r, problem)) tokens = encode_parts(&e, arena, &r, problem);
    if (*problem) *problem = arena_string(arena, *problem);
    arena_free(scratch);
    return tokens;
}
