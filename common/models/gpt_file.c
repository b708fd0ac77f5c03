// gpt_file.c: a trained GPT in a folder. See gpt_file.h.
#include "models/gpt_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_PATH = 4096, MOST_NUMBER = 1 << 20 };

// The words of a configuration as 0 or 1, and what is no whole number as the nearest one (bases of rotations are).
typedef struct {
    int rotary_base, rotary, rms, swiglu, tied, without_biases;
} Extras;

// A note: a whole number, or where there are words, one of the two.
typedef struct {
    const char *key;
    int *value;
    const char *words[2];
} Setting;

enum { SETTINGS = 14 };

static void settings_of(Setting *settings, GptConfig *config, Extras *extras)
{
    const Setting all[SETTINGS] = {
        {"vocabulary", &config->vocabulary, {NULL}},   {"context", &config->context, {NULL}},
        {"layers", &config->layers, {NULL}},           {"heads", &config->heads, {NULL}},
        {"key_heads", &config->key_heads, {NULL}},     {"width", &config->width, {NULL}},
        {"head_width", &config->head_width, {NULL}},   {"hidden", &config->hidden, {NULL}},
        {"rotary_base", &extras->rotary_base, {NULL}}, {"positions", &extras->rotary, {"learned", "rotary"}},
        {"norm", &extras->rms, {"layer", "rms"}},      {"activation", &extras->swiglu, {"gelu", "swiglu"}},
        {"tied", &extras->tied, {"no", "yes"}},        {"biases", &extras->without_biases, {"yes", "no"}},
    };
    memcpy(settings, all, sizeof all);
}

static void path_in(Place place, char *path, const char *folder, const char *name)
{
    int length = snprintf(path, MOST_PATH, "%s/%s", folder, name);
    check_at(place, length > 0 && length < MOST_PATH, "choose a shorter one",
             "the path of a folder is too long: %s", folder);
}

static void make_folder(Place place, const char *folder)
{
    char path[MOST_PATH];
    path_in(place, path, folder, "");
    for (char *at = path + 1; *at; at++) {
        if (*at != '/') continue;
        *at = 0;
        check_at(place, mkdir(path, 0777) == 0 || errno == EEXIST, "may you write there?",
                 "%s: the folder cannot be made: %s", path, strerror(errno));
        *at = '/';
    }
}

void gpt_save_at(Place place, const char *folder, const Gpt *gpt, const Parameters *set,
                 const Tokenizer *tokenizer)
{
    check_at(place, tokenizer_size(tokenizer) <= gpt->config.vocabulary,
             "one row of the table for each token", "gpt_save: a tokenizer of %d tokens for a model of %d",
             tokenizer_size(tokenizer), gpt->config.vocabulary);
    GptConfig config = gpt->config;
    Extras extras = {.rotary_base = (int)(config.rotary_base + 0.5f),
                     .rotary = config.positions == GPT_ROTARY,
                     .rms = config.norm == GPT_RMS_NORM,
                     .swiglu = config.activation == GPT_SWIGLU,
                     .tied = config.tied,
                     .without_biases = config.without_biases};
    Setting settings[SETTINGS];
    SafetensorsNote notes[SETTINGS];
    char numbers[SETTINGS][16], path[MOST_PATH];
    settings_of(settings, &config, &extras);
    for (int i = 0; i < SETTINGS; i++) {
        const Setting *s = &settings[i];
        snprintf(numbers[i], sizeof numbers[i], "%d", *s->value);
        notes[i] = (SafetensorsNote){s->key, s->words[0] ? s->words[*s->value] : numbers[i]};
    }
    make_folder(place, folder);
    path_in(place, path, folder, "model.safetensors");
    safetensors_save_at(place, path, set, notes, SETTINGS);
    path_in(place, path, folder, "tokenizer.json");
    tokenizer_save_at(place, path, tokenizer);
}

static const char *const NOT_OURS = "the folder must be one that gpt_save has written; train the model again";

static const char *note_of(Place place, const Safetensors *file, const char *key)
{
    const char *value = safetensors_note(file, key);
    check_at(place, value, NOT_OURS, "%s: the configuration has no \"%s\"", file->path, key);
    return value;
}

static int choice_of(Place place, const Safetensors *file, const char *key, const char *const *words)
{
    const char *value = note_of(place, file, key);
    for (int i = 0; i < 2; i++)
        if (strcmp(value, words[i]) == 0) return i;
    die_at(place, NOT_OURS, "%s: \"%s\" is \"%s\", expected %s or %s", file->path, key, value, words[0],
           words[1]);
}

static int number_of(Place place, const Safetensors *file, const char *key)
{
    const char *value = note_of(place, file, key);
    char *end;
    errno = 0;
    long number = strtol(value, &end, 10);
    check_at(place, !errno && end != value && !*end && number >= 1 && number <= MOST_NUMBER, NOT_OURS,
             "%s: \"%s\" is \"%s\", expected a whole number from 1 to %d", file->path, key, value,
             MOST_NUMBER);
    return (int)number;
}

static GptConfig config_of(Place place, const Safetensors *file)
{
    GptConfig config = {0};
    Extras extras = {0};
    Setting settings[SETTINGS];
    settings_of(settings, &config, &extras);
    for (int i = 0; i < SETTINGS; i++) {
        const Setting *s = &settings[i];
        *s->value = s->words[0] ? choice_of(place, file, s->key, s->words) : number_of(place, file, s->key);
    }
    config.rotary_base = (float)extras.rotary_base;
    config.positions = extras.rotary ? GPT_ROTARY : GPT_LEARNED;
    config.norm = extras.rms ? GPT_RMS_NORM : GPT_LAYER_NORM;
    config.activation = extras.swiglu ? GPT_SWIGLU : GPT_GELU;
    config.tied = extras.tied;
    config.without_biases = extras.without_biases;
    // The numbers may lie: no more memory is asked for than the file can fill.
    double columns = ((double)config.heads + 2.0 * config.key_heads) * config.head_width;
    double least = config.width * ((double)config.vocabulary + config.layers * (columns + config.hidden));
    if (config.positions == GPT_LEARNED) least += (double)config.width * config.context;
    size_t bytes = 0;
    for (int i = 0; i < file->count; i++) bytes += file->entries[i].bytes;
    check_at(place, least * sizeof(float) <= (double)bytes, NOT_OURS,
             "%s: a configuration of %.0f numbers at least, and the file has %zu bytes of them", file->path,
             least, bytes);
    return config;
}

GptFile gpt_open_at(Place place, Arena *arena, const char *folder)
{
    char path[MOST_PATH];
    path_in(place, path, folder, "model.safetensors");
    GptFile file = {.parameters = parameters_new(arena)};
    Arena *scratch = arena_new();
    Safetensors stored = safetensors_open_at(place, scratch, path);
    GptConfig config = config_of(place, &stored);
    arena_free(scratch);
    Rng rng = rng_new(0, 0); // the numbers that it draws are overwritten
    file.gpt = gpt_new_at(place, &file.parameters, config, &rng);
    safetensors_load_at(place, path, &file.parameters);
    path_in(place, path, folder, "tokenizer.json");
    file.tokenizer = tokenizer_load_at(place, path);
    check_at(place, tokenizer_size(file.tokenizer) <= config.vocabulary, NOT_OURS,
             "%s has %d tokens, the model %d", path, tokenizer_size(file.tokenizer), config.vocabulary);
    return file;
}
