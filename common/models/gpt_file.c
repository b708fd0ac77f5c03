// gpt_file.c: a trained GPT in a folder. See gpt_file.h.
#include "models/gpt_file.h"
#include "base/name_table.h"
#include "files/folder.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MODEL[] = "model.safetensors", TOKENIZER[] = "tokenizer.json",
                  NEXT[] = "tokenizer.json.next";

// What a configuration says in words, as numbers of the words.
typedef struct {
    int positions, norm, activation, tied, biases, query_key_norm, scaling;
} Words;

// A note of the configuration: a word, a whole number, or a number.
typedef struct {
    const char *key;
    int *whole;  // or the number of a word
    float *real; // when whole is NULL
    bool always; // others are left out where they are 0, or NORM_EPSILON
    const char *words[4];
} Setting;

enum { SETTINGS = 21, NOTES = SETTINGS + 1 }; // the digest of the tokenizer besides

static void settings_of(Setting *settings, GptConfig *config, Words *words)
{
    RotaryScaling *scaling = &config->scaling;
    const Setting all[SETTINGS] = {
        {"vocabulary", &config->vocabulary, NULL, true, {NULL}},
        {"context", &config->context, NULL, true, {NULL}},
        {"layers", &config->layers, NULL, true, {NULL}},
        {"heads", &config->heads, NULL, true, {NULL}},
        {"key_heads", &config->key_heads, NULL, true, {NULL}},
        {"width", &config->width, NULL, true, {NULL}},
        {"head_width", &config->head_width, NULL, true, {NULL}},
        {"hidden", &config->hidden, NULL, true, {NULL}},
        {"positions", &words->positions, NULL, true, {"learned", "rotary"}},
        {"norm", &words->norm, NULL, true, {"layer", "rms"}},
        {"activation", &words->activation, NULL, true, {"gelu", "swiglu", "relu", "tanh_gelu"}},
        {"tied", &words->tied, NULL, true, {"no", "yes"}},
        {"biases", &words->biases, NULL, true, {"yes", "no", "qkv"}},
        {"rotary_base", NULL, &config->rotary_base, true, {NULL}},
        {"epsilon", NULL, &config->epsilon, false, {NULL}},
        {"query_key_norm", &words->query_key_norm, NULL, false, {"no", "yes"}},
        {"rotary_scaling", &words->scaling, NULL, false, {"plain", "linear", "wavelength"}},
        {"rotary_factor", NULL, &scaling->factor, false, {NULL}},
        {"rotary_low", NULL, &scaling->low, false, {NULL}},
        {"rotary_high", NULL, &scaling->high, false, {NULL}},
        {"rotary_trained", &scaling->trained, NULL, false, {NULL}},
    };
    memcpy(settings, all, sizeof all);
}

// ---- The pair ---------------------------------------------------------------------------------------------------

enum { DIGEST = 17 }; // 16 hexadecimal digits and the end

// The digest of a file's bytes; "" when it cannot be read.
static void digest_of(const char *path, char digest[DIGEST])
{
    digest[0] = '\0';
    FILE *file = fopen(path, "rbe");
    if (!file) return;
    char *bytes = NULL;
    size_t size = 0, room = 0, got = 1;
    while (got) {
        if (size == room) {
            room = room ? 2 * room : 1 << 16;
            char *larger = realloc(bytes, room);
            if (!larger) break;
            bytes = larger;
        }
        got = fread(bytes + size, 1, room - size, file);
        size += got;
    }
    if (!got && !ferror(file))
        snprintf(digest, DIGEST, "%016llx", (unsigned long long)name_hash(bytes, size));
    free(bytes);
    fclose(file);
}

static bool is_tokenizer_of(const char *path, const char *digest)
{
    char found[DIGEST];
    digest_of(path, found);
    return found[0] && strcmp(found, digest) == 0;
}

// Gives the tokenizer beside the old one its name.
static void take_next(Place place, const char *folder)
{
    char next[FOLDER_MOST_PATH], path[FOLDER_MOST_PATH];
    folder_path_at(place, next, folder, NEXT);
    folder_path_at(place, path, folder, TOKENIZER);
    check_at(place, rename(next, path) == 0, "`gpt_open` reads it all the same; may you write there?",
             "%s cannot be renamed to %s: %s", next, TOKENIZER, strerror(errno));
}

// Whether the model names this digest, by the look of its first bytes: it may be damaged, and is about to be replaced.
static bool names_digest(const char *model, const char *digest)
{
    char start[4096], note[64];
    FILE *file = fopen(model, "rbe");
    if (!file) return false;
    size_t size = fread(start, 1, sizeof start, file);
    fclose(file);
    int length = snprintf(note, sizeof note, "\"tokenizer\":\"%s\"", digest);
    return memmem(start, size, note, (size_t)length) != NULL;
}

// Where an earlier save was ended before its last step, the tokenizer that belongs to the model has still its other name:
// the next one would write over it.
static void finish_earlier_save(Place place, const char *folder)
{
    char model[FOLDER_MOST_PATH], next[FOLDER_MOST_PATH], digest[DIGEST];
    folder_path_at(place, model, folder, MODEL);
    folder_path_at(place, next, folder, NEXT);
    digest_of(next, digest);
    if (digest[0] && names_digest(model, digest)) take_next(place, folder);
}

static bool is_usual(const Setting *s)
{
    return s->whole ? *s->whole == 0 : *s->real == 0.0f || *s->real == NORM_EPSILON;
}

// The configuration as notes, whose number is returned; numbers holds their texts.
static int notes_of(const Gpt *gpt, SafetensorsNote notes[NOTES], char numbers[NOTES][16])
{
    GptConfig config = gpt->config;
    Words words = {.positions = config.positions == GPT_ROTARY,
                   .norm = config.norm == NORM_RMS,
                   .activation = (int)config.activation,
                   .tied = config.tied,
                   .biases = !config.without_biases ? 0
                             : config.qkv_biases    ? 2
                                                    : 1,
                   .query_key_norm = config.query_key_norm,
                   .scaling = (int)config.scaling.kind};
    Setting settings[SETTINGS];
    settings_of(settings, &config, &words);
    int count = 0;
    for (int i = 0; i < SETTINGS; i++) {
        const Setting *s = &settings[i];
        if (!s->always && is_usual(s)) continue;
        if (s->whole) {
            snprintf(numbers[count], sizeof numbers[count], "%d", *s->whole);
        } else {
            snprintf(numbers[count], sizeof numbers[count], "%.9g", (double)*s->real); // every bit of a float
        }
        notes[count] = (SafetensorsNote){s->key, s->words[0] ? s->words[*s->whole] : numbers[count]};
        count++;
    }
    return count;
}

void gpt_save_at(Place place, const char *folder, const Gpt *gpt, const Parameters *set,
                 const Tokenizer *tokenizer)
{
    check_at(place, tokenizer_size(tokenizer) <= gpt->config.vocabulary,
             "one row of the table for each token", "gpt_save: a tokenizer of %d tokens for a model of %d",
             tokenizer_size(tokenizer), gpt->config.vocabulary);
    check_at(
        place, set->count == gpt_parameters(&gpt->config), "give the set of gpt_new, with nothing else in it",
        "gpt_save: a set of %d parameters, and the model has %ld", set->count, gpt_parameters(&gpt->config));
    SafetensorsNote notes[NOTES];
    char numbers[NOTES][16], digest[DIGEST], model[FOLDER_MOST_PATH], next[FOLDER_MOST_PATH],
        path[FOLDER_MOST_PATH];
    int count = notes_of(gpt, notes, numbers);
    folder_make_at(place, folder);
    finish_earlier_save(place, folder);
    folder_path_at(place, next, folder, NEXT);
    tokenizer_save_at(place, next, tokenizer);
    digest_of(next, digest);
    check_at(place, digest[0], "is the disk in order?", "%s cannot be read again", next);
    notes[count++] = (SafetensorsNote){"tokenizer", digest};

    folder_path_at(place, path, folder, TOKENIZER);
    const bool same = is_tokenizer_of(path, digest);
    if (same) unlink(next);
    folder_path_at(place, model, folder, MODEL);
    Replacement file;
    if (!parameters_try_save_at(place, model, set, notes, count, &file)) {
        unlink(next);
        die_at(place, file.remedy, "%s", file.problem);
    }
    if (!same) take_next(place, folder);
}

// ---- Opening ----------------------------------------------------------------------------------------------------

static const char *const NOT_OURS = "the folder must be one that gpt_save has written; train the model again";

static int choice_of(Place place, const char *path, const char *value, const Setting *s)
{
    char expected[64] = "";
    for (int i = 0; i < 4 && s->words[i]; i++) {
        if (strcmp(value, s->words[i]) == 0) return i;
        const size_t used = strlen(expected);
        snprintf(expected + used, sizeof expected - used, "%s%s", i ? " or " : "", s->words[i]);
    }
    die_at(place, NOT_OURS, "%s: \"%s\" is \"%s\", expected %s", path, s->key, value, expected);
}

static int number_of(Place place, const char *path, const char *value, const char *key)
{
    char *end;
    errno = 0;
    long number = strtol(value, &end, 10);
    const long least = strcmp(key, "layers") != 0; // there may be none
    check_at(place, !errno && end != value && !*end && number >= least && number <= GPT_MOST, NOT_OURS,
             "%s: \"%s\" is \"%s\", expected a whole number from %ld to %d", path, key, value, least,
             GPT_MOST);
    return (int)number;
}

static float real_of(Place place, const char *path, const char *value, const char *key)
{
    char *end;
    float number = strtof(value, &end);
    check_at(place, end != value && !*end && number > 0.0f && isfinite(number), NOT_OURS,
             "%s: \"%s\" is \"%s\", expected a number above 0", path, key, value);
    return number;
}

static void read_setting(Place place, const Safetensors *file, const Setting *s)
{
    const char *value = safetensors_note(file, s->key);
    check_at(place, value || !s->always, NOT_OURS, "%s: the configuration has no \"%s\"", file->path, s->key);
    if (!value) return;
    if (!s->whole) {
        *s->real = real_of(place, file->path, value, s->key);
    } else {
        *s->whole = s->words[0] ? choice_of(place, file->path, value, s)
                                : number_of(place, file->path, value, s->key);
    }
}

static GptConfig config_of(Place place, const Safetensors *file)
{
    GptConfig config = {0};
    Words words = {0};
    Setting settings[SETTINGS];
    settings_of(settings, &config, &words);
    for (int i = 0; i < SETTINGS; i++) read_setting(place, file, &settings[i]);
    config.positions = words.positions ? GPT_ROTARY : GPT_LEARNED;
    config.norm = words.norm ? NORM_RMS : NORM_LAYER;
    config.activation = (BlockActivation)words.activation;
    config.tied = words.tied;
    config.without_biases = words.biases > 0;
    config.qkv_biases = words.biases == 2;
    config.query_key_norm = words.query_key_norm;
    config.scaling.kind = (RotaryScalingKind)words.scaling;
    check_at(place, file->count == gpt_parameters(&config), NOT_OURS,
             "%s: a configuration of %ld tensors, and the file has %d", file->path, gpt_parameters(&config),
             file->count);
    // The numbers may lie: no more memory is asked for than the file can fill, with two bytes a number or four.
    double columns = ((double)config.heads + 2.0 * config.key_heads) * config.head_width;
    double least = config.width * ((double)config.vocabulary + config.layers * (columns + config.hidden));
    if (config.positions == GPT_LEARNED) least += (double)config.width * config.context;
    size_t bytes = 0;
    for (int i = 0; i < file->count; i++) bytes += file->entries[i].bytes;
    check_at(place, least * sizeof(uint16_t) <= (double)bytes, NOT_OURS,
             "%s: a configuration of %.0f numbers at least, and the file has %zu bytes of them", file->path,
             least, bytes);
    return config;
}

// The tokenizer of the model: the one beside it where a save was ended before its last step.
static void tokenizer_path(Place place, char *path, const char *folder, const Safetensors *model)
{
    const char *digest = safetensors_note(model, "tokenizer");
    char next[FOLDER_MOST_PATH];
    folder_path_at(place, next, folder, NEXT);
    folder_path_at(place, path, folder, TOKENIZER);
    if (digest && access(next, F_OK) == 0 && !is_tokenizer_of(path, digest) && is_tokenizer_of(next, digest))
        memcpy(path, next, FOLDER_MOST_PATH);
}

// Whether the model was replaced since this look at it: then what was read behind it may belong to the new one.
static bool is_replaced(const char *path, const struct stat *before)
{
    struct stat now;
    return stat(path, &now) == 0 &&
           (now.st_ino != before->st_ino || now.st_mtim.tv_sec != before->st_mtim.tv_sec ||
            now.st_mtim.tv_nsec != before->st_mtim.tv_nsec);
}

GptFile gpt_open_at(Place place, Arena *arena, const char *folder)
{
    enum { MOST_TRIES = 100 }; // each of them needs another program that saves meanwhile
    char model[FOLDER_MOST_PATH], path[FOLDER_MOST_PATH];
    folder_path_at(place, model, folder, MODEL);
    ArenaMark mark = arena_mark(arena);
    for (int tries = 1;; tries++) {
        struct stat before = {0};
        stat(model, &before);
        GptFile file = {.parameters = parameters_new(arena)};
        Arena *scratch = arena_new();
        Safetensors stored = safetensors_open_at(place, scratch, model);
        GptConfig config = config_of(place, &stored);
        file.gpt = gpt_new_at(place, &file.parameters, config, NULL);
        parameters_fill_at(place, &stored, &file.parameters);
        tokenizer_path(place, path, folder, &stored);
        file.tokenizer = tokenizer_load_at(place, path);
        safetensors_close(&stored);
        arena_free(scratch);
        if (!is_replaced(model, &before) || tries == MOST_TRIES) {
            check_at(place, tokenizer_size(file.tokenizer) <= config.vocabulary, NOT_OURS,
                     "%s has %d tokens, the model %d", path, tokenizer_size(file.tokenizer),
                     config.vocabulary);
            return file;
        }
        tokenizer_free(file.tokenizer);
        arena_rewind(arena, mark);
    }
}
