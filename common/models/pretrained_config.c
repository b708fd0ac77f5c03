// pretrained_config.c: config.json and generation_config.json. See pretrained.h.
//
// Keys and their defaults are those of the transformers library: configuration_llama.py, _mistral.py, _qwen2.py, _qwen3.py,
// _gpt2.py and configuration_utils.py; of version 5 also "rope_parameters".
#include "files/folder.h"
#include "files/json.h"
#include "files/text_file.h"
#include "models/pretrained_parts.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

// ---- Values -----------------------------------------------------------------------------------------------

typedef struct {
    Place place;
    char path[FOLDER_MOST_PATH];
    const Json *root;
} ConfigFile;

static const char *const DAMAGED = "is it the file of this model? Fetch it again",
                         *const OTHERWISE = "this program would compute other numbers: choose another model";

static ConfigFile config_file(Place place, Arena *arena, const char *folder, const char *name)
{
    ConfigFile file = {.place = place};
    folder_path_at(place, file.path, folder, name);
    const FileBytes bytes =
        file_read_at(place, arena, file.path, PRETRAINED_MAX_CONFIG, "give the folder of a model's files");
    const JsonText text = {.place = place,
                           .path = file.path,
                           .remedy = DAMAGED,
                           .bytes = bytes.bytes,
                           .size = bytes.size,
                           .most_values = 1 << 16,
                           .c_strings = true};
    file.root = json_read(&text, arena);
    if (!json_is(file.root, JSON_OBJECT)) json_refuse(&text, "an object { … } is expected");
    return file;
}

// A member that is there and not null, or NULL.
static const Json *value_of(const Json *object, const char *key)
{
    const Json *value = json_item(object, key);
    return json_is(value, JSON_NULL) ? NULL : value;
}

enum { NEEDED = -1 };

// A whole number from least to GPT_MOST; `missing` where it is not there.
static int whole_of(const ConfigFile *file, const Json *object, const char *key, int least, int missing)
{
    const Json *value = value_of(object, key);
    size_t whole = 0;
    check_at(file->place, value || missing != NEEDED, DAMAGED, "%s: there is no \"%s\"", file->path, key);
    if (!value) return missing;
    check_at(file->place, json_whole(value, &whole) && whole >= (size_t)least && whole <= GPT_MOST, DAMAGED,
             "%s: \"%s\" is %.17g, expected a whole number from %d to %d", file->path, key,
             json_is(value, JSON_NUMBER) ? value->number : NAN, least, GPT_MOST);
    return (int)whole;
}

// A number above 0 that is one as a float, too.
static float real_of(const ConfigFile *file, const Json *object, const char *key, float missing)
{
    const Json *value = value_of(object, key);
    check_at(file->place, value || missing != (float)NEEDED, DAMAGED, "%s: there is no \"%s\"", file->path,
             key);
    if (!value) return missing;
    const double number = json_is(value, JSON_NUMBER) ? value->number : NAN;
    check_at(file->place, number > 0.0 && number < 1e30 && (float)number > 0.0f, DAMAGED,
             "%s: \"%s\" is %g, expected a number above 0", file->path, key, number);
    return (float)number;
}

static bool flag_of(const ConfigFile *file, const Json *object, const char *key, bool missing)
{
    const Json *value = value_of(object, key);
    if (!value) return missing;
    check_at(file->place, value->kind == JSON_TRUE || value->kind == JSON_FALSE, DAMAGED,
             "%s: \"%s\" is neither true nor false", file->path, key);
    return value->kind == JSON_TRUE;
}

static const char *word_of(const ConfigFile *file, const Json *object, const char *key, const char *missing)
{
    const Json *value = value_of(object, key);
    check_at(file->place, !value || value->kind == JSON_STRING, DAMAGED, "%s: \"%s\" is no string",
             file->path, key);
    return value ? value->text : missing;
}

// ---- Rotary positions -------------------------------------------------------------------------------------

static float factor_of(const ConfigFile *file, const Json *rope)
{
    const float factor = real_of(file, rope, "factor", (float)NEEDED);
    check_at(file->place, factor >= 1.0f, DAMAGED, "%s: rotary positions are divided by %g", file->path,
             (double)factor);
    return factor;
}

static void limit_to(PretrainedConfig *c, int most)
{
    if (most > 0 && (!c->limit || most < c->limit)) c->limit = most;
}

static void read_scaling(const ConfigFile *file, PretrainedConfig *c, const Json *rope)
{
    RotaryScaling *s = &c->gpt.scaling;
    const char *kind = word_of(file, rope, "rope_type", word_of(file, rope, "type", "default"));
    if (strcmp(kind, "default") == 0) return;
    if (strcmp(kind, "dynamic") == 0) { // the angles change with longer texts only
        limit_to(c, c->gpt.context);
        return;
    }
    if (strcmp(kind, "linear") == 0) {
        *s = (RotaryScaling){.kind = ROTARY_LINEAR, .factor = factor_of(file, rope)};
        return;
    }
    check_at(file->place, strcmp(kind, "llama3") == 0, OTHERWISE,
             "%s: rotary positions scaled by \"%.40s\"; default, linear, llama3 and dynamic are known",
             file->path, kind);
    *s = (RotaryScaling){.kind = ROTARY_BY_WAVELENGTH,
                         .factor = factor_of(file, rope),
                         .low = real_of(file, rope, "low_freq_factor", (float)NEEDED),
                         .high = real_of(file, rope, "high_freq_factor", (float)NEEDED),
                         .trained = whole_of(file, rope, "original_max_position_embeddings", 1, NEEDED)};
    check_at(file->place, s->low < s->high, DAMAGED,
             "%s: low_freq_factor %g is not below high_freq_factor %g", file->path, (double)s->low,
             (double)s->high);
}

static void read_rotary(const ConfigFile *file, PretrainedConfig *c)
{
    const Json *rope = value_of(file->root, "rope_parameters");
    if (!rope) rope = value_of(file->root, "rope_scaling");
    check_at(file->place, !rope || rope->kind == JSON_OBJECT, DAMAGED,
             "%s: \"rope_parameters\" or \"rope_scaling\" is no object", file->path);
    for (const Json *item = rope ? rope->child : NULL; item; item = item->next)
        check_at(file->place, item->kind != JSON_OBJECT, OTHERWISE,
                 "%s: rotary positions that differ from layer to layer (\"%.40s\")", file->path, item->key);
    const Json *const objects[] = {rope, file->root};
    for (int i = 0; i < 2; i++)
        check_at(file->place, real_of(file, objects[i], "partial_rotary_factor", 1.0f) == 1.0f, OTHERWISE,
                 "%s: only a part of each head is rotated (\"partial_rotary_factor\")", file->path);
    c->gpt.rotary_base = real_of(file, rope, "rope_theta", real_of(file, file->root, "rope_theta", 10000.0f));
    if (rope) read_scaling(file, c, rope);
}

// ---- Families ---------------------------------------------------------------------------------------------

typedef struct {
    const char *model_type;
    int key_heads, head_width; // when the file does not say; 0: as many as heads, width / heads
    bool qkv_biases, query_key_norm, is_gpt2;
    bool windowed; // a window of 4096, when the file does not say
} Family;

static const Family FAMILIES[] = {
    {.model_type = "llama"},
    {.model_type = "mistral", .key_heads = 8, .windowed = true},
    {.model_type = "qwen2", .key_heads = 32, .qkv_biases = true},
    {.model_type = "qwen3", .key_heads = 32, .head_width = 128, .query_key_norm = true},
    {.model_type = "gpt2", .is_gpt2 = true},
};

static const Family *family_of(const ConfigFile *file)
{
    const char *type = word_of(file, file->root, "model_type", NULL);
    check_at(file->place, type, DAMAGED, "%s: there is no \"model_type\"", file->path);
    for (size_t i = 0; i < sizeof FAMILIES / sizeof *FAMILIES; i++)
        if (strcmp(FAMILIES[i].model_type, type) == 0) return &FAMILIES[i];
    die_at(file->place, "choose a model of one of these families",
           "%s: \"model_type\" is \"%.60s\"; llama, mistral, qwen2, qwen3 and gpt2 are known", file->path,
           type);
}

static void read_window(const ConfigFile *file, const Family *family, PretrainedConfig *c)
{
    const bool asked = family->windowed || (family->model_type[0] == 'q' &&
                                            flag_of(file, file->root, "use_sliding_window", false));
    const bool is_null = json_is(json_item(file->root, "sliding_window"), JSON_NULL);
    if (asked && !is_null) limit_to(c, whole_of(file, file->root, "sliding_window", 1, 4096));
    const Json *types = value_of(file->root, "layer_types");
    for (const Json *type = types ? types->child : NULL; type; type = type->next)
        check_at(file->place,
                 type->kind == JSON_STRING && (strcmp(type->text, "full_attention") == 0 ||
                                               strcmp(type->text, "sliding_attention") == 0),
                 OTHERWISE,
                 "%s: \"layer_types\" has \"%.40s\"; full_attention and sliding_attention are known",
                 file->path, type->kind == JSON_STRING ? type->text : "something else");
}

static void read_llama(const ConfigFile *file, const Family *family, PretrainedConfig *c)
{
    const Json *root = file->root;
    const char *activation = word_of(file, root, "hidden_act", "silu");
    check_at(file->place, strcmp(activation, "silu") == 0 || strcmp(activation, "swish") == 0, OTHERWISE,
             "%s: \"hidden_act\" is \"%.40s\", expected \"silu\"", file->path, activation);
    GptConfig *g = &c->gpt;
    g->vocabulary = whole_of(file, root, "vocab_size", 1, NEEDED);
    g->width = whole_of(file, root, "hidden_size", 1, NEEDED);
    g->hidden = whole_of(file, root, "intermediate_size", 1, NEEDED);
    g->layers = whole_of(file, root, "num_hidden_layers", 1, NEEDED);
    g->heads = whole_of(file, root, "num_attention_heads", 1, NEEDED);
    const int key_heads = json_item(root, "num_key_value_heads") ? 0 : family->key_heads,
              head_width = json_item(root, "head_dim") ? 0 : family->head_width;
    g->key_heads = whole_of(file, root, "num_key_value_heads", 1, key_heads ? key_heads : g->heads);
    g->head_width = whole_of(file, root, "head_dim", 1, head_width ? head_width : g->width / g->heads);
    g->context = whole_of(file, root, "max_position_embeddings", 1, NEEDED);
    g->epsilon = real_of(file, root, "rms_norm_eps", 1e-6f);
    g->positions = GPT_ROTARY;
    g->norm = NORM_RMS;
    g->activation = BLOCK_SWIGLU;
    g->tied = flag_of(file, root, "tie_word_embeddings", false);
    g->query_key_norm = family->query_key_norm;
    g->without_biases = true;
    const bool attention_biases =
        !family->qkv_biases && !family->windowed && flag_of(file, root, "attention_bias", false);
    g->qkv_biases = family->qkv_biases || attention_biases;
    c->out_bias = attention_biases;
    c->mlp_biases = strcmp(family->model_type, "llama") == 0 && flag_of(file, root, "mlp_bias", false);
    check_at(file->place, json_item(root, "head_dim") || head_width || g->width % g->heads == 0, DAMAGED,
             "%s: \"hidden_size\" %d in %d heads", file->path, g->width, g->heads);
    read_rotary(file, c);
    read_window(file, family, c);
}

static BlockActivation gpt2_activation(const ConfigFile *file)
{
    static const struct {
        const char *name;
        BlockActivation activation;
    } known[] = {{"gelu_new", BLOCK_TANH_GELU},
                 {"gelu_pytorch_tanh", BLOCK_TANH_GELU},
                 {"gelu_fast", BLOCK_TANH_GELU},
                 {"gelu", BLOCK_GELU},
                 {"relu", BLOCK_RELU}};
    const char *name = word_of(file, file->root, "activation_function", "gelu_new");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0) return known[i].activation;
    die_at(file->place, OTHERWISE,
           "%s: \"activation_function\" is \"%.40s\"; gelu_new, gelu and relu are known", file->path, name);
}

static void read_gpt2(const ConfigFile *file, PretrainedConfig *c)
{
    const Json *root = file->root;
    GptConfig *g = &c->gpt;
    g->vocabulary = whole_of(file, root, "vocab_size", 1, NEEDED);
    g->width = whole_of(file, root, "n_embd", 1, NEEDED);
    g->layers = whole_of(file, root, "n_layer", 1, NEEDED);
    g->heads = g->key_heads = whole_of(file, root, "n_head", 1, NEEDED);
    g->hidden = whole_of(file, root, "n_inner", 1, 4 * g->width);
    const char *context = value_of(root, "n_positions") ? "n_positions" : "n_ctx";
    g->context = whole_of(file, root, context, 1, NEEDED);
    g->epsilon = real_of(file, root, "layer_norm_epsilon", 1e-5f);
    g->activation = gpt2_activation(file);
    g->tied = flag_of(file, root, "tie_word_embeddings", true);
    g->positions = GPT_LEARNED;
    g->norm = NORM_LAYER;
    g->rotary_base = 10000.0f;
    c->limit = g->context;
    check_at(file->place, g->width % g->heads == 0, DAMAGED, "%s: \"n_embd\" %d in %d heads", file->path,
             g->width, g->heads);
    g->head_width = g->width / g->heads;
    check_at(file->place, flag_of(file, root, "scale_attn_weights", true), OTHERWISE,
             "%s: \"scale_attn_weights\" is false", file->path);
    static const char *const refused[] = {"scale_attn_by_inverse_layer_idx", "add_cross_attention"};
    for (int i = 0; i < 2; i++)
        check_at(file->place, !flag_of(file, root, refused[i], false), OTHERWISE, "%s: \"%s\" is true",
                 file->path, refused[i]);
}

static void check_heads(const ConfigFile *file, const GptConfig *g)
{
    check_at(file->place, g->heads % g->key_heads == 0, DAMAGED,
             "%s: %d heads with %d key heads; each of these serves the same number of the others", file->path,
             g->heads, g->key_heads);
    check_at(file->place, g->positions != GPT_ROTARY || g->head_width % 2 == 0, DAMAGED,
             "%s: heads of width %d; a head is rotated in pairs", file->path, g->head_width);
    const long long columns = ((long long)g->heads + 2LL * g->key_heads) * g->head_width;
    check_at(file->place, columns <= INT32_MAX / 2, DAMAGED, "%s: %d heads and %d key heads of width %d",
             file->path, g->heads, g->key_heads, g->head_width);
}

// ---- Generation -------------------------------------------------------------------------------------------

// One of the tokens that end a text. What is no token of the vocabulary, as −1 of some files, ends none.
static void add_stop(const ConfigFile *file, PretrainedConfig *c, const Json *value)
{
    check_at(file->place, json_is(value, JSON_NUMBER) && value->number == floor(value->number), DAMAGED,
             "%s: \"eos_token_id\" is neither a token's number nor a list of these", file->path);
    if (value->number < 0.0 || value->number >= c->gpt.vocabulary) return;
    check_at(file->place, c->stop_count < PRETRAINED_MOST_STOPS, DAMAGED,
             "%s: \"eos_token_id\" has more than %d tokens", file->path, PRETRAINED_MOST_STOPS);
    c->stops[c->stop_count++] = (int)value->number;
}

static void read_stops(const ConfigFile *file, PretrainedConfig *c)
{
    const Json *eos = value_of(file->root, "eos_token_id");
    if (json_is(eos, JSON_ARRAY)) {
        for (const Json *item = eos->child; item; item = item->next) add_stop(file, c, item);
    } else if (eos) {
        add_stop(file, c, eos);
    }
}

// A number from 0 to most.
static float share_of(const ConfigFile *file, const char *key, double most, float missing)
{
    const Json *value = value_of(file->root, key);
    if (!value) return missing;
    check_at(file->place, json_is(value, JSON_NUMBER) && value->number >= 0.0 && value->number <= most,
             DAMAGED, "%s: \"%s\" is no number from 0 to %g", file->path, key, most);
    return (float)value->number;
}

// The defaults are those of the transformers library.
static Sampling read_sampling(const ConfigFile *file)
{
    Sampling s = {.temperature = share_of(file, "temperature", 1e6, 1.0f),
                  .top_k = whole_of(file, file->root, "top_k", 0, json_item(file->root, "top_k") ? 0 : 50),
                  .top_p = share_of(file, "top_p", 1.0, 1.0f)};
    if (s.top_p == 0.0f) s.top_k = 1; // models/sampler.h
    return flag_of(file, file->root, "do_sample", false) ? s : (Sampling){0};
}

// ---- All of it --------------------------------------------------------------------------------------------

bool pretrained_has(Place place, const char *folder, const char *name)
{
    char path[FOLDER_MOST_PATH];
    struct stat about;
    folder_path_at(place, path, folder, name);
    return lstat(path, &about) == 0;
}

PretrainedConfig pretrained_config_read(Place place, Arena *arena, const char *folder)
{
    static const char GENERATION[] = "generation_config.json";
    Arena *scratch = arena_new();
    const ConfigFile file = config_file(place, scratch, folder, "config.json");
    const Family *family = family_of(&file);
    PretrainedConfig c = {.model_type = arena_string(arena, family->model_type), .is_gpt2 = family->is_gpt2};
    check_at(place, !value_of(file.root, "quantization_config"), "choose the model in F32, F16 or BF16",
             "%s: the weights are quantised (\"quantization_config\")", file.path);
    if (family->is_gpt2)
        read_gpt2(&file, &c);
    else
        read_llama(&file, family, &c);
    check_heads(&file, &c.gpt);
    if (pretrained_has(place, folder, GENERATION)) {
        const ConfigFile generation = config_file(place, scratch, folder, GENERATION);
        c.sampling = read_sampling(&generation);
        read_stops(&generation, &c);
    }
    if (!c.stop_count) read_stops(&file, &c);
    arena_free(scratch);
    return c;
}
