// tokenizer_file.c: reading tokenizer.json, and the two files of GPT-2. See tokenizer.h.
//
// The format is what Hugging Face's Rust library reads. What that library does with a field is done here as well, or the
// file is refused with the field's name: a field that is passed over would give other numbers, and no message.
#include "models/tokenizer_parts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#if defined(__has_include) && !defined(TOKENIZER_WITHOUT_LIBRARIES)
#if __has_include(<cjson/cJSON.h>)
#include <cjson/cJSON.h>
#define TOKENIZER_JSON 1
#endif
#endif

#ifndef TOKENIZER_JSON

noreturn static void no_json(Place place, const char *path)
{
    die_at(place,
           "install libcjson-dev (`make setup` does), `touch common/models/tokenizer_file.c`, and try again",
           "%s: this program was built without cJSON", path);
}

Tokenizer *tokenizer_load_at(Place place, const char *path) { no_json(place, path); }
Tokenizer *tokenizer_load_gpt2_at(Place place, const char *encoder_json, const char *vocab_bpe)
{
    no_json(place, encoder_json ? encoder_json : vocab_bpe);
}

#else

typedef struct {
    Place place;
    Arena *arena; // while reading
    const char *path;
} Reader;

#define refuse(r, ...)                                                                                       \
    die_at((r)->place, "the file is damaged, or of another kind: bring it again (`make data`)", __VA_ARGS__)

#define demand(r, condition, ...)                                                                            \
    do {                                                                                                     \
        if (!(condition)) refuse(r, __VA_ARGS__);                                                            \
    } while (0)

// The file is in order, but asks for what is not done here.
#define demand_known(r, condition, remedy, ...) check_at((r)->place, condition, remedy, __VA_ARGS__)

// ---- Files --------------------------------------------------------------------------------------------------

static char *read_file(const Reader *r, size_t *size)
{
    const char *hint = "type `make data DATA=\"gpt2-tokenizer qwen3-tokenizer\"`, or is the name right?";
    FILE *stream = fopen(r->path, "rb");
    check_at(r->place, stream, hint, "%s: %s", r->path, strerror(errno));
    struct stat about;
    check_at(r->place, fstat(fileno(stream), &about) == 0 && S_ISREG(about.st_mode), hint,
             "%s is not an ordinary file", r->path);
    check_at(r->place, about.st_size <= TOKENIZER_MAX_FILE, hint, "%s has %lld bytes; at most %d are read",
             r->path, (long long)about.st_size, TOKENIZER_MAX_FILE);
    *size = (size_t)about.st_size;
    char *text = arena_alloc_at(r->place, r->arena, *size + 1, 1);
    size_t got = fread(text, 1, *size, stream);
    fclose(stream);
    check_at(r->place, got == *size, hint, "%s: %zu bytes could be read, expected %zu", r->path, got, *size);
    text[*size] = '\0';
    demand(r, memchr(text, 0, *size) == NULL, "%s: there is a NUL byte in it", r->path);
    demand(r, is_utf8(text, *size), "%s: it is not UTF-8", r->path);
    return text;
}

// cJSON gives strings that end at a NUL, but \u0000 is a character like others, and ordinary in some vocabularies. Before
// parsing, the escape is replaced by the bytes C0 80, which no UTF-8 has. A backslash behind a backslash begins nothing.
static void replace_nul_escapes(char *text)
{
    char *to = text;
    while (*text) {
        if (strncmp(text, "\\u0000", 6) == 0) {
            *to++ = (char)0xc0;
            *to++ = (char)0x80;
            text += 6;
            continue;
        }
        if (*text == '\\' && text[1]) *to++ = *text++;
        *to++ = *text++;
    }
    *to = '\0';
}

// The characters of a string of cJSON's, NULs put back in place: to be called once for each.
static Bytes string_bytes(char *string)
{
    char *to = string;
    for (const char *at = string; *at; at++) {
        bool nul = (uint8_t)at[0] == 0xc0 && (uint8_t)at[1] == 0x80;
        *to++ = nul ? '\0' : *at;
        at += nul;
    }
    return (Bytes){string, (size_t)(to - string)};
}

static cJSON *read_json(const Reader *r)
{
    size_t size;
    char *text = read_file(r, &size);
    replace_nul_escapes(text);
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(text, strlen(text) + 1, &end, true);
    demand(r, json, "%s: no JSON from byte %zu on", r->path, end ? (size_t)(end - text) : 0);
    demand(r, cJSON_IsObject(json), "%s: a JSON object { … } is expected", r->path);
    return json;
}

// Of fields with the same name the last counts, as for most readers of JSON.
static cJSON *item(const cJSON *object, const char *name)
{
    cJSON *found = NULL;
    if (!cJSON_IsObject(object)) return NULL;
    for (cJSON *entry = object->child; entry; entry = entry->next)
        if (strcmp(entry->string, name) == 0) found = entry;
    return found;
}

static bool absent(const cJSON *value) { return !value || cJSON_IsNull(value); }

static bool empty(const cJSON *value)
{
    return absent(value) || (cJSON_IsString(value) && !*value->valuestring);
}

// The type of a part, "" where it has none.
static const char *type_of(const cJSON *part)
{
    const char *type = cJSON_GetStringValue(item(part, "type"));
    return type ? type : "";
}

static bool is_type(const cJSON *part, const char *type) { return strcmp(type_of(part), type) == 0; }

// true or false; where nothing is said, otherwise.
static bool read_truth(const Reader *r, const cJSON *object, const char *name, bool otherwise)
{
    const cJSON *value = item(object, name);
    if (absent(value)) return otherwise;
    demand(r, cJSON_IsBool(value), "%s: \"%s\" must be true or false", r->path, name);
    return cJSON_IsTrue(value);
}

// ---- Vocabulary and merges ----------------------------------------------------------------------------------

static int read_id(const Reader *r, const cJSON *value, const char *what)
{
    demand(r, cJSON_IsNumber(value), "%s: %.80s: its number is missing or no number", r->path, what);
    double number = value->valuedouble;
    demand(r, number >= 0 && number < TOKENIZER_MAX_PIECES && number == floor(number),
           "%s: %.80s has the number %g; whole numbers below %d are expected", r->path, what, number,
           TOKENIZER_MAX_PIECES);
    return (int)number;
}

// A name that is not written in the 256 letters is a piece as well, of its own text. No merge can make it out of letters,
// but an added token may have this name, and so its number.
static void read_vocabulary(const Reader *r, Tokenizer *t, cJSON *vocabulary)
{
    demand(r, cJSON_IsObject(vocabulary), "%s: the vocabulary must be an object {piece: number, …}", r->path);
    demand(r, vocabulary->child, "%s: the vocabulary is empty", r->path);
    ArenaMark mark = arena_mark(r->arena);
    for (cJSON *entry = vocabulary->child; entry; entry = entry->next, arena_rewind(r->arena, mark)) {
        int id = read_id(r, entry, entry->string);
        Bytes name = string_bytes(entry->string), bytes = name;
        char *buffer = arena_alloc_at(r->place, r->arena, name.size, 1);
        bool letters = from_letters(name, buffer, &bytes.size);
        bytes.bytes = letters ? buffer : name.bytes;
        if (!letters) bytes.size = name.size;
        demand(r,
               find_by_name(r->place, t, name) == id || // the same twice
                   tokenizer_put(r->place, t, id, bytes, letters ? BYTE_PIECE : TEXT_PIECE),
               "%s: piece \"%.80s\" or its number %d is there twice", r->path, entry->string, id);
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

static void read_merges(const Reader *r, Tokenizer *t, const cJSON *merges)
{
    demand(r, cJSON_IsArray(merges), "%s: the merges must be a list", r->path);
    size_t number = 0;
    for (cJSON *entry = merges->child; entry; entry = entry->next) {
        number++;
        if (cJSON_IsString(entry)) {
            read_merge_line(r, t, string_bytes(entry->valuestring), number);
            continue;
        }
        const cJSON *left = cJSON_IsArray(entry) ? entry->child : NULL, *right = left ? left->next : NULL;
        demand(r, cJSON_IsString(left) && cJSON_IsString(right) && !right->next,
               "%s: merge %zu: two pieces are expected", r->path, number);
        read_merge(r, t, string_bytes(left->valuestring), string_bytes(right->valuestring), number);
    }
}

// One merge a line. Lines may end as Windows ends them, there may be blank ones, and a mark of the byte order.
static void read_merge_file(const Reader *r, Tokenizer *t)
{
    size_t size, number = 0;
    const char *at = read_file(r, &size), *end = at + size;
    if (size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) at += 3;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at)), *next = stop ? stop + 1 : end;
        if (!stop) stop = end;
        if (stop > at && stop[-1] == '\r') stop--;
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
    cJSON *vocabulary = read_json(&r);
    read_vocabulary(&r, t, vocabulary);
    cJSON_Delete(vocabulary);
    r.path = vocab_bpe;
    read_merge_file(&r, t);
    arena_free(r.arena);
    return t;
}

// ---- tokenizer.json: the model ------------------------------------------------------------------------------

static void check_model(const Reader *r, const cJSON *model)
{
    const char *other = "only byte-level BPE is read, as GPT-2, Llama 3 and Qwen have it";
    demand(r, cJSON_IsObject(model), "%s: there is no model", r->path);
    demand_known(r, absent(item(model, "type")) || is_type(model, "BPE"), other,
                 "%s: the model's type is not \"BPE\" but \"%.40s\"", r->path, type_of(model));
    const char *names[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    for (int i = 0; i < 2; i++)
        demand_known(r, empty(item(model, names[i])), other,
                     "%s: its model has a %s, which byte-level BPE has not", r->path, names[i]);
    const cJSON *dropout = item(model, "dropout");
    demand_known(r, absent(dropout) || (cJSON_IsNumber(dropout) && dropout->valuedouble == 0),
                 "set \"dropout\" to null: it is for training a model only",
                 "%s: its model has a dropout: it merges at random", r->path);
}

// Falling back to bytes is for characters that have no piece; with all 256 bytes there are none.
static void check_fallback(const Reader *r, const Tokenizer *t, const cJSON *model)
{
    if (!read_truth(r, model, "byte_fallback", false)) return;
    for (int b = 0; b < 256; b++)
        demand_known(
            r, t->bytes[b] >= 0, "only byte-level BPE is read, as GPT-2, Llama 3 and Qwen have it",
            "%s: its model falls back to bytes, and has no piece for the byte 0x%02x in byte-level BPE's "
            "letters",
            r->path, (unsigned)b);
}

static void read_model(const Reader *r, Tokenizer *t, const cJSON *model)
{
    read_vocabulary(r, t, item(model, "vocab"));
    check_fallback(r, t, model);
    t->whole_first = read_truth(r, model, "ignore_merges", false);
    t->fuse_unknown = read_truth(r, model, "fuse_unk", false);
    const cJSON *unknown = item(model, "unk_token");
    if (!empty(unknown)) {
        demand(r, cJSON_IsString(unknown), "%s: \"unk_token\" must be a string", r->path);
        t->unknown_name = copied(r->place, t->arena, string_bytes(unknown->valuestring));
        t->unknown = find_by_name(r->place, t, t->unknown_name);
    }
    read_merges(r, t, item(model, "merges"));
}

// ---- tokenizer.json: pre-tokenisers and normalisers ---------------------------------------------------------

typedef struct {
    const Reader *r;
    Tokenizer *t;
    bool byte_level; // whether the step ByteLevel has been read
} Steps;

// What a regular expression of Rust calls \w.
#define RUST_WORD                               "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}"

static void put_regex(const Steps *s, const char *regex, Behaviour behaviour, bool inverted)
{
    tokenizer_put_step(
        s->r->place, s->t,
        (Step){.pattern = {regex, strlen(regex)}, .behaviour = behaviour, .inverted = inverted});
}

static void read_byte_level(Steps *s, const cJSON *step)
{
    demand_known(s->r, !s->byte_level, "one ByteLevel, as the last step, is read",
                 "%s: its pre-tokeniser writes bytes as letters twice", s->r->path);
    if (read_truth(s->r, step, "add_prefix_space", false))
        tokenizer_put_step(s->r->place, s->t, (Step){.prefix = true});
    if (read_truth(s->r, step, "use_regex", true)) put_regex(s, TOKENIZER_GPT2_PATTERN, ISOLATED, false);
    s->byte_level = true;
}

static Behaviour read_behaviour(const Steps *s, const cJSON *step, Behaviour otherwise)
{
    const cJSON *value = item(step, "behavior");
    const char *name = cJSON_GetStringValue(value);
    if (!value && otherwise != BEHAVIOURS) return otherwise;
    int found = 0;
    while (found < BEHAVIOURS && !(name && strcmp(behaviour_names[found], name) == 0)) found++;
    demand_known(s->r, found < BEHAVIOURS,
                 "Isolated, Removed, MergedWithPrevious, MergedWithNext and Contiguous are read",
                 "%s: the behaviour of its pre-tokeniser %s is \"%.40s\"", s->r->path, type_of(step),
                 name ? name : "");
    return (Behaviour)found;
}

static void read_cutting(const Steps *s, const cJSON *step)
{
    const cJSON *pattern = item(step, "pattern"), *regex = item(pattern, "Regex"),
                *literal = item(pattern, "String");
    const cJSON *value = regex ? regex : literal;
    demand(s->r, cJSON_IsString(value) && *value->valuestring,
           "%s: a pre-tokeniser \"Split\" needs a pattern, {\"Regex\": …} or {\"String\": …}", s->r->path);
    tokenizer_put_step(s->r->place, s->t,
                       (Step){.pattern = string_bytes(value->valuestring),
                              .literal = !regex,
                              .behaviour = read_behaviour(s, step, BEHAVIOURS),
                              .inverted = read_truth(s->r, step, "invert", false)});
}

static void read_step(Steps *s, const cJSON *step)
{
    if (is_type(step, "Sequence")) {
        const cJSON *steps = item(step, "pretokenizers");
        demand(s->r, cJSON_IsArray(steps),
               "%s: its pre-tokeniser \"Sequence\" needs a list \"pretokenizers\"", s->r->path);
        for (const cJSON *each = steps->child; each; each = each->next) read_step(s, each);
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

static void read_pretokeniser(const Reader *r, Tokenizer *t, const cJSON *pretokeniser)
{
    Steps steps = {.r = r, .t = t};
    if (!absent(pretokeniser)) read_step(&steps, pretokeniser);
    demand_known(r, steps.byte_level, "only byte-level BPE is read, as GPT-2, Llama 3 and Qwen have it",
                 "%s: its pre-tokeniser is not byte-level: there is no ByteLevel in it", r->path);
}

static void read_normaliser(const Reader *r, Tokenizer *t, const cJSON *normaliser)
{
    if (absent(normaliser)) return;
    if (is_type(normaliser, "Sequence")) {
        const cJSON *list = item(normaliser, "normalizers");
        demand(r, cJSON_IsArray(list), "%s: its normaliser \"Sequence\" needs a list \"normalizers\"",
               r->path);
        for (const cJSON *each = list->child; each; each = each->next) read_normaliser(r, t, each);
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
static void read_added(const Reader *r, Tokenizer *t, const cJSON *entry)
{
    const cJSON *content = item(entry, "content");
    demand(r, cJSON_IsString(content), "%s: an added token has no content", r->path);
    const char *shown = content->valuestring;
    Bytes text = string_bytes(content->valuestring);
    if (!text.size) return;
    int id = read_id(r, item(entry, "id"), shown), known = find_by_name(r->place, t, text);
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
    cJSON *json = read_json(&r);
    const cJSON *version = item(json, "version"), *model = item(json, "model"),
                *added = item(json, "added_tokens");
    demand_known(&r, absent(version) || (cJSON_IsString(version) && strcmp(version->valuestring, "1.0") == 0),
                 "version \"1.0\" of tokenizer.json is read", "%s: its version is %.40s", path,
                 cJSON_IsString(version) ? version->valuestring : "no text");
    check_model(&r, model);
    Tokenizer *t = tokenizer_new(place);
    read_pretokeniser(&r, t, item(json, "pre_tokenizer"));
    read_normaliser(&r, t, item(json, "normalizer"));
    read_model(&r, t, model);
    demand(&r, absent(added) || cJSON_IsArray(added), "%s: added_tokens must be a list", path);
    for (const cJSON *entry = absent(added) ? NULL : added->child; entry; entry = entry->next)
        read_added(&r, t, entry);
    cJSON_Delete(json);
    arena_free(r.arena);
    return t;
}

#endif
