// tokenizer_file.c: tokenizer.json, and the two files of GPT-2. See tokenizer.h.
//
// In these files a piece is written as text, one character a byte: printable bytes of Latin-1 stand for themselves, the
// 68 others (controls, the blank, …) for the characters from U+0100 on, in order. A blank is Ġ, a newline Ċ.
#include "models/tokenizer_parts.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
void tokenizer_save_at(Place place, const char *path, const Tokenizer *t)
{
    (void)t;
    no_json(place, path);
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

// ---- Bytes as characters ------------------------------------------------------------------------------------

enum { LETTERS = 256 + 68 };

static bool printable(int byte) { return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte != 0xad); }

static int letter_of(int byte)
{
    if (printable(byte)) return byte;
    int letter = 256;
    for (int b = 0; b < byte; b++) letter += !printable(b);
    return letter;
}

// letters[code point] → byte, −1 where none is meant
static void read_letters(int letters[LETTERS])
{
    for (int i = 0; i < LETTERS; i++) letters[i] = -1;
    for (int b = 0; b < 256; b++) letters[letter_of(b)] = b;
}

// The bytes that a text stands for, in place. Code points below U+0144 take two bytes at most.
static bool from_letters(const int letters[LETTERS], char *text, size_t *size)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        unsigned code = (uint8_t)*at;
        if ((code & 0xe0) == 0xc0 && ((uint8_t)at[1] & 0xc0) == 0x80)
            code = (code & 0x1f) << 6 | ((uint8_t) * ++at & 0x3f);
        else if (code >= 0x80)
            return false;
        if (code >= LETTERS || letters[code] < 0) return false;
        *to++ = (char)letters[code];
    }
    *size = (size_t)(to - text);
    return *size > 0;
}

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

static cJSON *read_json(const Reader *r)
{
    size_t size;
    char *text = read_file(r, &size);
    demand(r, !strstr(text, "\\u0000"), "%s: there is a NUL character in a string", r->path);
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(text, size + 1, &end, true);
    demand(r, json, "%s: no JSON from byte %zu on", r->path, end ? (size_t)(end - text) : 0);
    demand(r, cJSON_IsObject(json), "%s: a JSON object { … } is expected", r->path);
    return json;
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

static void read_vocabulary(const Reader *r, Tokenizer *t, const int letters[LETTERS], cJSON *vocabulary)
{
    demand(r, cJSON_IsObject(vocabulary), "%s: the vocabulary must be an object {piece: number, …}", r->path);
    for (cJSON *entry = vocabulary->child; entry; entry = entry->next) {
        int id = read_id(r, entry, entry->string);
        char *name = arena_string(r->arena, entry->string);
        size_t size;
        demand(r, from_letters(letters, name, &size),
               "%s: piece %d, \"%.80s\", is empty or has characters that stand for no byte", r->path, id,
               entry->string);
        demand(r, tokenizer_put(r->place, t, id, name, size),
               "%s: piece \"%.80s\" or its number %d is there twice", r->path, entry->string, id);
    }
    tokenizer_check_bytes(r->place, r->path, t);
}

// number counts from 1, as in a file's lines
static void read_merge(const Reader *r, Tokenizer *t, const int letters[LETTERS], const char *left,
                       const char *right, size_t number)
{
    char *names[2] = {arena_string(r->arena, left), arena_string(r->arena, right)};
    int ids[2];
    size_t sizes[2];
    for (int k = 0; k < 2; k++) {
        ids[k] = from_letters(letters, names[k], &sizes[k]) ? tokenizer_find(t, names[k], sizes[k]) : -1;
        demand(r, ids[k] >= 0, "%s: merge %zu: \"%.80s\" is no piece", r->path, number, k ? right : left);
    }
    char *joined = arena_alloc_at(r->place, r->arena, sizes[0] + sizes[1], 1);
    memcpy(joined, names[0], sizes[0]);
    memcpy(joined + sizes[0], names[1], sizes[1]);
    int result = tokenizer_find(t, joined, sizes[0] + sizes[1]);
    demand(r, result >= 0, "%s: merge %zu: \"%.80s\" and \"%.80s\" together are no piece", r->path, number,
           left, right);
    demand(r, table_find(&t->ranks, pair_key(ids[0], ids[1])) < 0,
           "%s: merge %zu, \"%.80s %.80s\", is there twice", r->path, number, left, right);
    tokenizer_put_merge(r->place, t, (TokenizerMerge){ids[0], ids[1], result});
}

// "left right", in place
static void read_merge_line(const Reader *r, Tokenizer *t, const int letters[LETTERS], char *line,
                            size_t number)
{
    char *blank = strchr(line, ' ');
    demand(r, blank && !strchr(blank + 1, ' '),
           "%s: merge %zu: two pieces with one blank between are expected", r->path, number);
    *blank = '\0';
    read_merge(r, t, letters, line, blank + 1, number);
}

static void read_merges(const Reader *r, Tokenizer *t, const int letters[LETTERS], const cJSON *merges)
{
    demand(r, cJSON_IsArray(merges), "%s: the merges must be a list", r->path);
    size_t number = 0;
    for (cJSON *entry = merges->child; entry; entry = entry->next) {
        number++;
        if (cJSON_IsString(entry)) {
            read_merge_line(r, t, letters, entry->valuestring, number);
            continue;
        }
        const cJSON *left = cJSON_IsArray(entry) ? entry->child : NULL, *right = left ? left->next : NULL;
        demand(r, cJSON_IsString(left) && cJSON_IsString(right) && !right->next,
               "%s: merge %zu: two pieces are expected", r->path, number);
        read_merge(r, t, letters, left->valuestring, right->valuestring, number);
    }
}

Tokenizer *tokenizer_load_gpt2_at(Place place, const char *encoder_json, const char *vocab_bpe)
{
    int letters[LETTERS];
    read_letters(letters);
    Tokenizer *t = tokenizer_new(place, TOKENIZER_GPT2_PATTERN);
    Reader r = {place, arena_new(), encoder_json};
    cJSON *vocabulary = read_json(&r);
    read_vocabulary(&r, t, letters, vocabulary);
    cJSON_Delete(vocabulary);

    r.path = vocab_bpe;
    size_t size, number = 0;
    char *line = read_file(&r, &size);
    demand(&r, strncmp(line, "#version", 8) == 0, "%s: its first line does not begin with #version", r.path);
    for (char *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        if (number) read_merge_line(&r, t, letters, line, number);
        number++;
    }
    demand(&r, *line == '\0' && number > 0, "%s: its last line has no end", r.path);
    arena_free(r.arena);
    return t;
}

// ---- tokenizer.json -----------------------------------------------------------------------------------------

static const cJSON *item(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool is_type(const cJSON *object, const char *type)
{
    const char *found = cJSON_GetStringValue(item(object, "type"));
    return found && strcmp(found, type) == 0;
}

static bool absent(const cJSON *value) { return !value || cJSON_IsNull(value); }
static bool empty(const cJSON *value)
{
    return absent(value) || (cJSON_IsString(value) && !*value->valuestring);
}

// What decides about numbers and is not done here must not be asked for.
static void check_model(const Reader *r, const cJSON *model)
{
    demand(r, cJSON_IsObject(model), "%s: there is no model", r->path);
    demand(r, absent(item(model, "type")) || is_type(model, "BPE"), "%s: the model's type is not \"BPE\"",
           r->path);
    const char *names[] = {"dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"};
    for (int i = 0; i < 4; i++)
        demand(r, empty(item(model, names[i])), "%s: its model has a %s, which byte-level BPE has not",
               r->path, names[i]);
    demand(r, !cJSON_IsTrue(item(model, "byte_fallback")),
           "%s: its model falls back to bytes, and so is not byte-level", r->path);
}

static void read_byte_level(const Reader *r, const cJSON *step, const char **pattern)
{
    demand(r, !cJSON_IsTrue(item(step, "add_prefix_space")),
           "%s: its pre-tokeniser adds a blank in front; only "
           "those that do not are read",
           r->path);
    const cJSON *use = item(step, "use_regex");
    if (!use || cJSON_IsTrue(use)) {
        demand(r, !*pattern, "%s: its pre-tokeniser cuts twice; only once is read", r->path);
        *pattern = TOKENIZER_GPT2_PATTERN;
    }
}

static void read_cutting(const Reader *r, const cJSON *step, const char **pattern)
{
    const char *regex = cJSON_GetStringValue(item(item(step, "pattern"), "Regex"));
    const char *behaviour = cJSON_GetStringValue(item(step, "behavior"));
    demand(r, regex && *regex && behaviour, "%s: a pre-tokeniser \"Split\" needs a pattern and a behavior",
           r->path);
    demand(r, strcmp(behaviour, "Isolated") == 0 && !cJSON_IsTrue(item(step, "invert")),
           "%s: its pre-tokeniser's behaviour is \"%.40s\"; only \"Isolated\" is read", r->path, behaviour);
    demand(r, !*pattern, "%s: its pre-tokeniser cuts twice; only once is read", r->path);
    *pattern = regex;
}

// The pattern of ByteLevel alone, or of a Sequence of Split and ByteLevel.
static const char *read_pretokeniser(const Reader *r, const cJSON *pretokeniser)
{
    const char *pattern = NULL;
    bool bytes = false;
    const cJSON *steps = is_type(pretokeniser, "Sequence") ? item(pretokeniser, "pretokenizers") : NULL;
    for (const cJSON *step = steps ? steps->child : pretokeniser; step; step = steps ? step->next : NULL) {
        if (is_type(step, "ByteLevel")) {
            read_byte_level(r, step, &pattern);
            bytes = true;
        } else {
            demand(r, is_type(step, "Split"), "%s: its pre-tokeniser is neither ByteLevel nor Split",
                   r->path);
            read_cutting(r, step, &pattern);
        }
    }
    demand(r, bytes, "%s: its pre-tokeniser is not byte-level", r->path);
    demand(r, pattern, "%s: its pre-tokeniser has no pattern", r->path);
    return pattern;
}

static bool asks_nfc(const Reader *r, const cJSON *normaliser)
{
    if (absent(normaliser)) return false;
    const cJSON *list = is_type(normaliser, "Sequence") ? item(normaliser, "normalizers") : NULL;
    for (const cJSON *step = list ? list->child : normaliser; step; step = list ? step->next : NULL)
        demand(r, is_type(step, "NFC"), "%s: its normaliser is not NFC; no other is read", r->path);
    return !list || list->child;
}

static void read_added(const Reader *r, Tokenizer *t, const cJSON *list)
{
    if (absent(list)) return;
    demand(r, cJSON_IsArray(list), "%s: added_tokens must be a list", r->path);
    for (const cJSON *entry = list->child; entry; entry = entry->next) {
        const char *content = cJSON_GetStringValue(item(entry, "content"));
        demand(r, content && *content, "%s: an added token has no content", r->path);
        int id = read_id(r, item(entry, "id"), content), known = tokenizer_find(t, content, strlen(content));
        const char *unread[] = {"single_word", "lstrip", "rstrip"};
        for (int i = 0; i < 3; i++)
            demand(r, !cJSON_IsTrue(item(entry, unread[i])),
                   "%s: added token %.80s asks for %s, which is not read", r->path, content, unread[i]);
        demand(r,
               known == id ? !t->pieces[id].added : tokenizer_put(r->place, t, id, content, strlen(content)),
               "%s: added token %.80s or its number %d is there twice", r->path, content, id);
        tokenizer_put_added(
            r->place, t,
            (AddedToken){id, cJSON_IsTrue(item(entry, "special")), cJSON_IsTrue(item(entry, "normalized"))});
    }
}

Tokenizer *tokenizer_load_at(Place place, const char *path)
{
    int letters[LETTERS];
    read_letters(letters);
    Reader r = {place, arena_new(), path};
    cJSON *json = read_json(&r);
    const cJSON *model = item(json, "model");
    check_model(&r, model);
    Tokenizer *t = tokenizer_new(place, read_pretokeniser(&r, item(json, "pre_tokenizer")));
    t->nfc = asks_nfc(&r, item(json, "normalizer"));
    t->whole_first = cJSON_IsTrue(item(model, "ignore_merges"));
    read_vocabulary(&r, t, letters, cJSON_GetObjectItemCaseSensitive(model, "vocab"));
    read_merges(&r, t, letters, item(model, "merges"));
    read_added(&r, t, item(json, "added_tokens"));
    cJSON_Delete(json);
    arena_free(r.arena);
    return t;
}

// ---- Writing ------------------------------------------------------------------------------------------------

static void write_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', out);
        if ((uint8_t)*text < 0x20)
            fprintf(out, "\\u%04x", (unsigned)*text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

static void write_piece(FILE *out, TokenizerPiece piece)
{
    fputc('"', out);
    for (size_t i = 0; i < piece.size; i++) {
        int letter = letter_of((uint8_t)piece.bytes[i]);
        if (letter == '"' || letter == '\\') fputc('\\', out);
        if (letter < 0x80)
            fputc(letter, out);
        else
            fprintf(out, "%c%c", 0xc0 | letter >> 6, 0x80 | (letter & 0x3f));
    }
    fputc('"', out);
}

static const char *truth(bool value) { return value ? "true" : "false"; }

static void write_added(FILE *out, const Tokenizer *t)
{
    fputs("  \"added_tokens\": [", out);
    const char *between = "";
    for (int id = 0; id < t->size; id++)
        for (int i = 0; i < t->added_count; i++) {
            if (t->added[i].id != id) continue;
            fprintf(out, "%s\n    {\"id\": %d, \"content\": ", between, id);
            char *content = strndup(t->pieces[id].bytes, t->pieces[id].size);
            write_text(out, content ? content : "");
            free(content);
            fprintf(out,
                    ", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": %s, "
                    "\"special\": %s}",
                    truth(t->added[i].normalised), truth(t->added[i].special));
            between = ",";
        }
    fputs("\n  ],\n", out);
}

static void write_model(FILE *out, const Tokenizer *t)
{
    fprintf(out,
            "  \"model\": {\n    \"type\": \"BPE\", \"dropout\": null, \"unk_token\": null, "
            "\"continuing_subword_prefix\": \"\", \"end_of_word_suffix\": \"\", \"fuse_unk\": false, "
            "\"byte_fallback\": false, \"ignore_merges\": %s,\n    \"vocab\": {",
            truth(t->whole_first));
    const char *between = "";
    for (int id = 0; id < t->size; id++) {
        if (t->pieces[id].size == 0 || t->pieces[id].added) continue;
        fprintf(out, "%s\n      ", between);
        write_piece(out, t->pieces[id]);
        fprintf(out, ": %d", id);
        between = ",";
    }
    fputs("\n    },\n    \"merges\": [", out);
    for (int m = 0; m < t->merge_count; m++) {
        fprintf(out, "%s\n      [", m ? "," : "");
        write_piece(out, t->pieces[t->merges[m].left]);
        fputs(", ", out);
        write_piece(out, t->pieces[t->merges[m].right]);
        fputc(']', out);
    }
    fputs("\n    ]\n  }\n}\n", out);
}

void tokenizer_save_at(Place place, const char *path, const Tokenizer *t)
{
    const char *hint = "is there room on the disk, and may you write there?";
    Arena *arena = arena_new();
    size_t room = strlen(path) + sizeof ".part";
    char *temporary = arena_alloc_at(place, arena, room, 1);
    snprintf(temporary, room, "%s.part", path);
    FILE *out = fopen(temporary, "wb");
    check_at(place, out, hint, "%s: %s", temporary, strerror(errno));
    fputs("{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n", out);
    write_added(out, t);
    fprintf(out, "  \"normalizer\": %s,\n", t->nfc ? "{\"type\": \"NFC\"}" : "null");
    fputs("  \"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [\n    {\"type\": \"Split\", "
          "\"pattern\": {\"Regex\": ",
          out);
    write_text(out, t->pattern);
    const char *byte_level = "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": "
                             "false, \"use_regex\": false}";
    fprintf(out, "}, \"behavior\": \"Isolated\", \"invert\": false},\n    %s\n  ]},\n", byte_level);
    fprintf(out, "  \"post_processor\": %s,\n  \"decoder\": %s,\n", byte_level, byte_level);
    write_model(out, t);
    bool written = fflush(out) == 0 && !ferror(out) && fsync(fileno(out)) == 0;
    written = fclose(out) == 0 && written;
    if (!written) unlink(temporary);
    check_at(place, written, hint, "%s cannot be written", path);
    check_at(place, rename(temporary, path) == 0, hint, "%s: %s", path, strerror(errno));
    arena_free(arena);
}

#endif
