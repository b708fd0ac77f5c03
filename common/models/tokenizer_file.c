// tokenizer_file.c: reading tokenizer.json, and the two files of GPT-2. See tokenizer.h.
//
// The format is what Hugging Face's Rust library reads. What that library does with a field is done here as well, or the
// file is refused with the field's name: a field that is passed over would give other numbers, and no message.
#include "files/json.h"
#include "files/text_file.h"
#include "models/tokenizer_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    Place place;
    Arena *arena; // while reading
    const char *path;
} Reader;

static const char *const DAMAGED = "the file is damaged, or of another kind: bring it again (`make data`)";
static const char *const MISSING =
    "type `make data DATA=\"gpt2-tokenizer qwen3-tokenizer\"`, or is the name right?";

#define demand(r, condition, ...)                                                                            \
    do {                                                                                                     \
        if (!(condition)) die_at((r)->place, DAMAGED, __VA_ARGS__);                                          \
    } while (0)

// The file is in order, but asks for what is not done here.
#define demand_known(r, condition, remedy, ...) check_at((r)->place, condition, remedy, __VA_ARGS__)

// ---- Files --------------------------------------------------------------------------------------------------

static Bytes text_of(const Json *value) { return (Bytes){value->text, value->size}; }
static Bytes key_of(const Json *value) { return (Bytes){value->key, value->key_size}; }

static const Json *read_json(const Reader *r)
{
    FileBytes text = text_file_checked_at(
        r->place, r->path, file_read_at(r->place, r->arena, r->path, TOKENIZER_MAX_FILE, MISSING));
    JsonText reader = {
        .place = r->place, .path = r->path, .remedy = DAMAGED, .bytes = text.bytes, .size = text.size};
    const Json *json = json_read(&reader, r->arena);
    demand(r, json->kind == JSON_OBJECT, "%s: a JSON object { … } is expected", r->path);
    return json;
}

static bool absent(const Json *value) { return !value || value->kind == JSON_NULL; }

static bool empty(const Json *value)
{
    return absent(value) || (json_is(value, JSON_STRING) && value->size == 0);
}

// The type of a part, "" where it has none.
static const char *type_of(const Json *part)
{
    const Json *type = json_item(part, "type");
    return json_is(type, JSON_STRING) ? type->text : "";
}

static bool is_type(const Json *part, const char *type) { return strcmp(type_of(part), type) == 0; }

// true or false; where nothing is said, otherwise.
static bool read_truth(const Reader *r, const Json *object, const char *name, bool otherwise)
{
    const Json *value = json_item(object, name);
    if (absent(value)) return otherwise;
    demand(r, value->kind == JSON_TRUE || value->kind == JSON_FALSE, "%s: \"%s\" must be true or false",
           r->path, name);
    return value->kind == JSON_TRUE;
}

// ---- Vocabulary and merges ----------------------------------------------------------------------------------

static int read_id(const Reader *r, const Json *value, const char *what)
{
    demand(r, json_is(value, JSON_NUMBER), "%s: %.80s: its number is missing or no number", r->path, what);
    double number = value->number;
    demand(r, number >= 0 && number < TOKENIZER_MAX_PIECES && number == floor(number),
           "%s: %.80s has the number %g; whole numbers below %d are expected", r->path, what, number,
           TOKENIZER_MAX_PIECES);
    return (int)number;
}

// A name that is not written in the 256 letters is a piece as well, of its own text. No merge can make it out of letters,
// but an added token may have this name, and so its number.
static void read_vocabulary(const Reader *r, Tokenizer *t, const Json *vocabulary)
{
    demand(r, json_is(vocabulary, JSON_OBJECT), "%s: the vocabulary must be an object {piece: number, …}",
           r->path);
    demand(r, vocabulary->child, "%s: the vocabulary is empty", r->path);
    ArenaMark mark = arena_mark(r->arena);
    for (const Json *entry = vocabulary->child; entry; entry = entry->next, arena_rewind(r->arena, mark)) {
        int id = read_id(r, entry, entry->key);
        Bytes name = key_of(entry), bytes = name;
        char *buffer = arena_alloc_at(r->place, r->arena, name.size, 1);
        bool letters = from_letters(name, buffer, &bytes.size);
        bytes.bytes = letters ? buffer : name.bytes;
        if (!letters) bytes.size = name.size;
        demand(r,
               find_by_name(r->place, t, name) == id || // the same twice
                   tokenizer_put(r->place, t, id, bytes, letters ? BYTE_PIECE : TEXT_PIECE),
               "%s: piece \"%.80s\" or its number %d is there twice", r->path, entry->key, id);
    }
    tokenizer_find_bytes(t);
}

// number counts from 1, as in a file's lines
static void read_merge(const Reader *r, Tokenizer *t, Bytes left, Bytes right, size_t number)
{
    const Bytes names[2] = {left, right};
    int ids[2];
    for (int k = 0; k < 2; k++) {
        ids[k] = find_by_name(r->place, t, names[k]);
        demand(r, ids[k] >= 0, "%s: merge %zu: \"%.*s\" is no piece", r->path, number,
               int_min(80, (int)names[k].size), names[k].bytes);
    }
    ArenaMark mark = arena_mark(r->arena);
    char *joined = arena_alloc_at(r->place, r->arena, left.size + right.size, 1);
    memcpy(joined, left.bytes, left.size);
    memcpy(joined + left.size, right.bytes, right.size);
    int result = find_by_name(r->place, t, (Bytes){joined, left.size + right.size});
    arena_rewind(r->arena, mark);
    const int shown[2] = {int_min(80, (int)left.size), int_min(80, (int)right.size)};
    demand(r, result >= 0, "%s: merge %zu: \"%.*s\" and \"%.*s\" together are no piece", r->path, number,
           shown[0], left.bytes, shown[1], right.bytes);
    demand(r, table_find(&t->ranks, pair_key(ids[0], ids[1])) < 0,
           "%s: merge %zu, \"%.*s %.*s\", is there twice", r->path, number, shown[0], left.bytes, shown[1],
           right.bytes);
    tokenizer_put_merge(r->place, t, (TokenizerMerge){ids[0], ids[1], result});
}

// "left right"; a line that begins with #version is no merge.
static void read_merge_line(const Reader *r, Tokenizer *t, Bytes line, size_t number)
{
    const char *const version = "#version";
    if (line.size >= strlen(version) && memcmp(line.bytes, version, strlen(version)) == 0) return;
    const char *end = line.bytes + line.size, *blank = line.size ? memchr(line.bytes, ' ', line.size) : NULL;
    demand(r, blank && !memchr(blank + 1, ' ', (size_t)(end - blank - 1)),
           "%s: merge %zu: two pieces with one blank between are expected", r->path, number);
    read_merge(r, t, (Bytes){line.bytes, (size_t)(blank - line.bytes)},
               (Bytes){blank + 1, (size_t)(end - blank - 1)}, number);
}

static void read_merges(const Reader *r, Tokenizer *t, const Json *merges)
{
    demand(r, json_is(merges, JSON_ARRAY), "%s: the merges must be a list", r->path);
    size_t number = 0;
    for (const Json *entry = merges->child; entry; entry = entry->next) {
        number++;
        if (json_is(entry, JSON_STRING)) {
            read_merge_line(r, t, text_of(entry), number);
            continue;
        }
        const Json *left = json_is(entry, JSON_ARRAY) ? entry->child : NULL,
                   *right = left ? left->next : NULL;
        demand(r, json_is(left, JSON_STRING) && json_is(right, JSON_STRING) && !right->next,
               "%s: merge %zu: two pieces are expected", r->path, number);
        read_merge(r, t, text_of(left), text_of(right), number);
    }
}

// One merge a line. There may be blank ones.
static void read_merge_file(const Reader *r, Tokenizer *t)
{
    FileBytes file = text_file_read_at(r->place, r->arena, r->path, TOKENIZER_MAX_FILE, MISSING);
    const char *at = file.bytes, *end = at + file.size;
    size_t number = 0;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at)), *next = stop ? stop + 1 : end;
        if (!stop) stop = end;
        number++;
        if (stop > at) read_merge_line(r, t, (Bytes){at, (size_t)(stop - at)}, number);
        at = next;
    }
}

Tokenizer *tokenizer_load_gpt2_at(Place place, const char *encoder_json, const char *vocab_bpe)
{
    Tokenizer *t = tokenizer_new(place);
    tokenizer_put_step(place, t, (Step){.pattern = {TOKENIZER_GPT2_PATTERN, strlen(TOKENIZER_GPT2_PATTERN)}});
    Reader r = {place, arena_new(), encoder_json};
    const Json *vocabulary = read_json(&r);
    read_vocabulary(&r, t, vocabulary);
    r.path = vocab_bpe;
    read_merge_file(&r, t);
    arena_free(r.arena);
    return t;
}

// ---- tokenizer.json: the model ------------------------------------------------------------------------------

static void check_model(const Reader *r, const Json *model)
{
    const char *other = "only byte-level BPE is read, as GPT-2, Llama 3 and Qwen have it";
    demand(r, json_is(model, JSON_OBJECT), "%s: there is no model", r->path);
    demand_known(r, absent(json_item(model, "type")) || is_type(model, "BPE"), other,
                 "%s: the model's type is not \"BPE\" but \"%.40s\"", r->path, type_of(model));
    const char *names[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    for (int i = 0; i < 2; i++)
        demand_known(r, empty(json_item(model, names[i])), other,
                     "%s: its model has a %s, which byte-level BPE has not", r->path, names[i]);
    const Json *dropout = json_item(model, "dropout");
    demand_known(r, absent(dropout) || (json_is(dropout, JSON_NUMBER) && dropout->number == 0),
                 "set \"dropout\" to null: it is for training a model only",
                 "%s: its model has a dropout: it merges at random", r->path);
}

// Falling back to bytes is for characters that have no piece; with all 256 bytes there are none.
static void check_fallback(const Reader *r, const Tokenizer *t, const Json *model)
{
    if (!read_truth(r, model, "byte_fallback", false)) return;
    for (int b = 0; b < 256; b++)
        demand_known(
            r, t->bytes[b] >= 0, "only byte-level BPE is read, as GPT-2, Llama 3 and Qwen have it",
            "%s: its model falls back to bytes, and has no piece for the byte 0x%02x in byte-level BPE's "
            "letters",
            r->path, (unsigned)b);
}

static void read_model(const Reader *r, Tokenizer *t, const Json *model)
{
    read_vocabulary(r, t, json_item(model, "vocab"));
    check_fallback(r, t, model);
    t->whole_first = read_truth(r, model, "ignore_merges", false);
    t->fuse_unknown = read_truth(r, model, "fuse_unk", false);
    const Json *unknown = json_item(model, "unk_token");
    if (!empty(unknown)) {
        demand(r, json_is(unknown, JSON_STRING), "%s: \"unk_token\" must be a string", r->path);
        t->unknown_name = copied(r->place, t->arena, text_of(unknown));
        t->unknown = find_by_name(r->place, t, t->unknown_name);
    }
    read_merges(r, t, json_item(model, "merges"));
}

// ---- tokenizer.json: pre-tokenisers and normalisers ---------------------------------------------------------

typedef struct {
    const Reader *r;
    Tokenizer *t;
    bool byte_level; // whether the step ByteLevel has been read
} Steps;

// What a regular expression of Rust calls \w.
#define RUST_WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}"

static void put_regex(const Steps *s, const char *regex, Behaviour behaviour, bool inverted)
{
    tokenizer_put_step(
        s->r->place, s->t,
        (Step){.pattern = {regex, strlen(regex)}, .behaviour = behaviour, .inverted = inverted});
}

static void read_byte_level(Steps *s, const Json *step)
{
    demand_known(s->r, !s->byte_level, "one ByteLevel, as the last step, is read",
                 "%s: its pre-tokeniser writes bytes as letters twice", s->r->path);
    if (read_truth(s->r, step, "add_prefix_space", false))
        tokenizer_put_step(s->r->place, s->t, (Step){.prefix = true});
    if (read_truth(s->r, step, "use_regex", true)) put_regex(s, TOKENIZER_GPT2_PATTERN, ISOLATED, false);
    s->byte_level = true;
}

static Behaviour read_behaviour(const Steps *s, const Json *step, Behaviour otherwise)
{
    const Json *value = json_item(step, "behavior");
    const char *name = json_is(value, JSON_STRING) ? value->text : NULL;
    if (!value && otherwise != BEHAVIOURS) return otherwise;
    int found = 0;
    while (found < BEHAVIOURS && !(name && strcmp(behaviour_names[found], name) == 0)) found++;
    demand_known(s->r, found < BEHAVIOURS,
                 "Isolated, Removed, MergedWithPrevious, MergedWithNext and Contiguous are read",
                 "%s: the behaviour of its pre-tokeniser %s is \"%.40s\"", s->r->path, type_of(step),
                 name ? name : "");
    return (Behaviour)found;
}

static void read_cutting(const Steps *s, const Json *step)
{
    const Json *pattern = json_item(step, "pattern"), *regex = json_item(pattern, "Regex"),
               *literal = json_item(pattern, "String");
    const Json *value = regex ? regex : literal;
    demand(s->r, json_is(value, JSON_STRING) && value->size,
           "%s: a pre-tokeniser \"Split\" needs a pattern, {\"Regex\": …} or {\"String\": …}", s->r->path);
    tokenizer_put_step(s->r->place, s->t,
                       (Step){.pattern = text_of(value),
                              .literal = !regex,
                              .behaviour = read_behaviour(s, step, BEHAVIOURS),
                              .inverted = read_truth(s->r, step, "invert", false)});
}

static void read_step(Steps *s, const Json *step)
{
    if (is_type(step, "Sequence")) {
        const Json *steps = json_item(step, "pretokenizers");
        demand(s->r, json_is(steps, JSON_ARRAY),
               "%s: its pre-tokeniser \"Sequence\" needs a list \"pretokenizers\"", s->r->path);
        for (const Json *each = steps->child; each; each = each->next) read_step(s, each);
        return;
    }
    demand_known(
        s->r, !s->byte_level || is_type(step, "ByteLevel"), "put ByteLevel last",
        "%s: its pre-tokeniser %.40s stands behind ByteLevel, and so would cut letters that stand for bytes",
        s->r->path, type_of(step));
    if (is_type(step, "ByteLevel"))
        read_byte_level(s, step);
    else if (is_type(step, "Split"))
        read_cutting(s, step);
    else if (is_type(step, "Digits"))
        put_regex(s, "\\p{N}", read_truth(s->r, step, "individual_digits", false) ? ISOLATED : CONTIGUOUS,
                  false);
    else if (is_type(step, "Punctuation"))
        put_regex(s, "[!-/:-@\\[-`{-~\\p{P}]", read_behaviour(s, step, ISOLATED), false);
    else if (is_type(step, "Whitespace"))
        put_regex(s, "[" RUST_WORD "]+|[^\\s" RUST_WORD "]+", REMOVED, true);
    else if (is_type(step, "WhitespaceSplit"))
        put_regex(s, "\\s", REMOVED, false);
    else
        demand_known(s->r, false,
                     "ByteLevel is read, and in front of it Split, Digits, Punctuation, Whitespace and "
                     "WhitespaceSplit",
                     "%s: its pre-tokeniser is neither ByteLevel nor Split but \"%.40s\"", s->r->path,
                     type_of(step));
}

static void read_pretokeniser(const Reader *r, Tokenizer *t, const Json *pretokeniser)
{
    Steps steps = {.r = r, .t = t};
    if (!absent(pretokeniser)) read_step(&steps, pretokeniser);
    demand_known(r, steps.byte_level, "only byte-level BPE is read, as GPT-2, Llama 3 and Qwen have it",
                 "%s: its pre-tokeniser is not byte-level: there is no ByteLevel in it", r->path);
}

static void read_normaliser(const Reader *r, Tokenizer *t, const Json *normaliser)
{
    if (absent(normaliser)) return;
    if (is_type(normaliser, "Sequence")) {
        const Json *list = json_item(normaliser, "normalizers");
        demand(r, json_is(list, JSON_ARRAY), "%s: its normaliser \"Sequence\" needs a list \"normalizers\"",
               r->path);
        for (const Json *each = list->child; each; each = each->next) read_normaliser(r, t, each);
        return;
    }
    int form = 0;
    while (form < NORMAL_FORMS && !is_type(normaliser, normal_form_names[form])) form++;
    demand_known(r, form < NORMAL_FORMS, "NFC, NFD, NFKC, NFKD and sequences of them are read",
                 "%s: its normaliser is not NFC but \"%.40s\"", r->path, type_of(normaliser));
    demand_known(r, t->form_count < TOKENIZER_MAX_FORMS, NULL, "%s: it has more than %d normalisers", r->path,
                 TOKENIZER_MAX_FORMS);
    t->forms[t->form_count++] = (NormalForm)form;
}

// ---- tokenizer.json: added tokens ---------------------------------------------------------------------------

// An added token whose name the vocabulary has (or the list, before) is that piece, whatever number stands beside it. The
// Rust library passes over empty ones.
static void read_added(const Reader *r, Tokenizer *t, const Json *entry)
{
    const Json *content = json_item(entry, "content");
    demand(r, json_is(content, JSON_STRING), "%s: an added token has no content", r->path);
    const char *shown = content->text;
    Bytes text = text_of(content);
    if (!text.size) return;
    int id = read_id(r, json_item(entry, "id"), shown), known = find_by_name(r->place, t, text);
    demand(r, known >= 0 || tokenizer_put(r->place, t, id, text, ADDED_PIECE),
           "%s: the number %d of the added token %.80s is that of another piece", r->path, id, shown);
    bool special = read_truth(r, entry, "special", false),
         after = read_truth(r, entry, "normalized", !special);
    tokenizer_put_added(r->place, t,
                        (AddedToken){.id = known >= 0 ? known : id,
                                     .special = special,
                                     .single_word = read_truth(r, entry, "single_word", false),
                                     .lstrip = read_truth(r, entry, "lstrip", false),
                                     .rstrip = read_truth(r, entry, "rstrip", false),
                                     .sought = {!after, after},
                                     .content = text});
}

Tokenizer *tokenizer_load_at(Place place, const char *path)
{
    Reader r = {place, arena_new(), path};
    const Json *json = read_json(&r);
    const Json *version = json_item(json, "version"), *model = json_item(json, "model"),
               *added = json_item(json, "added_tokens");
    demand_known(&r, absent(version) || (json_is(version, JSON_STRING) && strcmp(version->text, "1.0") == 0),
                 "version \"1.0\" of tokenizer.json is read", "%s: its version is %.40s", path,
                 json_is(version, JSON_STRING) ? version->text : "no text");
    check_model(&r, model);
    Tokenizer *t = tokenizer_new(place);
    read_pretokeniser(&r, t, json_item(json, "pre_tokenizer"));
    read_normaliser(&r, t, json_item(json, "normalizer"));
    read_model(&r, t, model);
    demand(&r, absent(added) || json_is(added, JSON_ARRAY), "%s: added_tokens must be a list", path);
    for (const Json *entry = absent(added) ? NULL : added->child; entry; entry = entry->next)
        read_added(&r, t, entry);
    arena_free(r.arena);
    return t;
}
