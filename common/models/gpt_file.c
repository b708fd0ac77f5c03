// gpt_file.c: a trained GPT in a folder. See gpt_file.h.
#include "models/gpt_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_PATH = 4096, MOST_NUMBER = 1 << 20 };

// A note: a whole number, or one of two words.
typedef struct {
    const char *key;
    int *number;          // or NULL
    const char *words[2]; // for 0 and 1
    int choice;
} Setting;

enum { SETTINGS = 13 };

// The base of the rotation is a float; it is kept as its nearest whole number, which bases are.
static void settings_of(Setting *settings, GptConfig *config, int *base)
{
    const Setting all[SETTINGS] = {
        {.key = "vocabulary", .number = &config->vocabulary},
        {.key = "context", .number = &config->context},
        {.key = "layers", .number = &config->layers},
        {.key = "heads", .number = &config->heads},
        {.key = "key_heads", .number = &config->key_heads},
        {.key = "width", .number = &config->width},
        {.key = "head_width", .number = &config->head_width},
        {.key = "hidden", .number = &config->hidden},
        {.key = "rotary_base", .number = base},
        {.key = "positions", .words = {"learned", "rotary"}, .choice = config->positions == GPT_ROTARY},
        {.key = "norm", .words = {"layer", "rms"}, .choice = config->norm == GPT_RMS_NORM},
        {.key = "activation", .words = {"gelu", "swiglu"}, .choice = config->activation == GPT_SWIGLU},
        {.key = "tied", .words = {"no", "yes"}, .choice = config->tied},
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
    int base = (int)(config.rotary_base + 0.5f);
    Setting settings[SETTINGS];
    SafetensorsNote notes[SETTINGS + 1];
    char numbers[SETTINGS][16], path[MOST_PATH];
    settings_of(settings, &config, &base);
    for (int i = 0; i < SETTINGS; i++) {
        notes[i] = (SafetensorsNote){settings[i].key, numbers[i]};
        if (settings[i].number) {
            snprintf(numbers[i], sizeof numbers[i], "%d", *settings[i].number);
        } else {
            notes[i].value = settings[i].words[settings[i].choice];
        }
    }
    notes[SETTINGS] = (SafetensorsNote){"biases", config.without_biases ? "no" : "yes"};
    make_folder(place, folder);
    path_in(place, path, folder, "model.safetensors");
    safetensors_save_at(place, path, set, notes, SETTINGS + 1);
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
    int base = 0;
    Setting settings[SETTINGS];
    settings_of(settings, &config, &base);
    for (int i = 0; i < SETTINGS; i++) {
        if (settings[i].number) {
            *settings[i].number = number_of(place, file, settings[i].key);
        } else {
            settings[i].choice = choice_of(place, file, settings[i].key, settings[i].words);
        }
    }
    config.rotary_base = (float)base;
    config.positions = settings[9].choice ? GPT_ROTARY : GPT_LEARNED;
    config.norm = settings[10].choice ? GPT_RMS_NORM : GPT_LAYER_NORM;
    config.activation = settings[11].choice ? GPT_SWIGLU : GPT_GELU;
    config.tied = settings[12].choice;
    config.without_biases = choice_of(place, file, "biases", (const char *const[]){"yes", "no"});
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
