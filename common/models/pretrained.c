// pretrained.c: the tensors of a folder become a decoder. See pretrained.h.
#include "models/pretrained.h"
#include "files/folder.h"
#include "models/pretrained_parts.h"

#include <stdarg.h>
#include <string.h>

typedef struct {
    Place place;
    Arena *arena;
    Pretrained *model;
    const PretrainedConfig *config;
    const char *prefix; // of all names but the output's
    int layer;          // −1: of none
} Loader;

static const char *const OTHER = "is the configuration that of this model?";

// ---- One tensor -------------------------------------------------------------------------------------------

// The name of a parameter: prefix, and where it is one of a layer "layers.3." or "h.3.".
static const char *full_name(const Loader *l, const char *part)
{
    char name[256];
    if (l->layer < 0)
        snprintf(name, sizeof name, "%s%s", l->prefix, part);
    else
        snprintf(name, sizeof name, "%s%s.%d.%s", l->prefix, l->config->is_gpt2 ? "h" : "layers", l->layer,
                 part);
    return arena_string(l->arena, name);
}

// The tensor (rows × cols), or [cols] when rows is 1, where it lies.
static Stored take(const Loader *l, const char *part, const char *role, int rows, int cols)
{
    Pretrained *model = l->model;
    const char *name = full_name(l, part);
    const Stored stored = weights_stored_at(l->place, &model->weights, name, rows, cols);
    const WeightsTensor *tensor = weights_find(&model->weights, name);
    const char *path = model->weights.shards[tensor->shard].path;
    check_at(l->place, tensor->entry->rank == 2 || (tensor->entry->rank == 1 && rows == 1), OTHER,
             "%s: tensor %s has %d dimensions, expected (%d × %d)", path, name, tensor->entry->rank, rows,
             cols);
    PretrainedTensor *row = &model->tensors[tensor - model->weights.tensors];
    check_at(l->place, !row->role, OTHER, "%s: tensor %s is asked for twice", path, name);
    row->role = role, row->layer = l->layer, row->rows = rows, row->cols = cols;
    return stored;
}

static Matrix take_floats(const Loader *l, const char *part, const char *role, int cols)
{
    const Stored stored = take(l, part, role, 1, cols);
    const Matrix floats = matrix_uninitialised_at(l->place, l->arena, 1, cols);
    stored_expand_at(l->place, floats, stored);
    return floats;
}

// "part.weight" (out × in), and "part.bias" where there is one.
static DecoderLinear take_linear(const Loader *l, const char *part, const char *role, int in, int out,
                                 bool bias)
{
    char name[64], about[64];
    const bool by_input = l->config->is_gpt2;
    snprintf(name, sizeof name, "%s.weight", part);
    DecoderLinear layer = {.by_input = by_input};
    layer.weight = by_input ? take(l, name, role, in, out) : take(l, name, role, out, in);
    if (!bias) return layer;
    snprintf(name, sizeof name, "%s.bias", part);
    snprintf(about, sizeof about, "%s: bias", role);
    layer.bias = take_floats(l, name, arena_string(l->arena, about), out);
    return layer;
}

static DecoderNorm take_norm(const Loader *l, const char *part, const char *role)
{
    const GptConfig *g = &l->config->gpt;
    char name[64], about[64];
    snprintf(name, sizeof name, "%s.weight", part);
    snprintf(about, sizeof about, "%s: gain", role);
    DecoderNorm norm = {.gain = take_floats(l, name, arena_string(l->arena, about), g->width)};
    if (g->norm == NORM_RMS) return norm;
    snprintf(name, sizeof name, "%s.bias", part);
    snprintf(about, sizeof about, "%s: bias", role);
    norm.bias = take_floats(l, name, arena_string(l->arena, about), g->width);
    return norm;
}

// ---- Layers -----------------------------------------------------------------------------------------------

static DecoderLayer llama_layer(const Loader *l)
{
    const PretrainedConfig *c = l->config;
    const GptConfig *g = &c->gpt;
    const int queries = g->heads * g->head_width, keys = g->key_heads * g->head_width;
    DecoderLayer layer = {
        .norm1 = take_norm(l, "input_layernorm", "first norm"),
        .norm2 = take_norm(l, "post_attention_layernorm", "second norm"),
        .qkv = {take_linear(l, "self_attn.q_proj", "queries", g->width, queries, g->qkv_biases),
                take_linear(l, "self_attn.k_proj", "keys", g->width, keys, g->qkv_biases),
                take_linear(l, "self_attn.v_proj", "values", g->width, keys, g->qkv_biases)},
        .out = take_linear(l, "self_attn.o_proj", "out of attention", queries, g->width, c->out_bias),
        .up = {take_linear(l, "mlp.gate_proj", "gate", g->width, g->hidden, c->mlp_biases),
               take_linear(l, "mlp.up_proj", "up", g->width, g->hidden, c->mlp_biases)},
        .down = take_linear(l, "mlp.down_proj", "down", g->hidden, g->width, c->mlp_biases)};
    if (g->query_key_norm) {
        layer.query_gain = take_floats(l, "self_attn.q_norm.weight", "norm of queries: gain", g->head_width);
        layer.key_gain = take_floats(l, "self_attn.k_norm.weight", "norm of keys: gain", g->head_width);
    }
    return layer;
}

static DecoderLayer gpt2_layer(const Loader *l)
{
    const GptConfig *g = &l->config->gpt;
    return (DecoderLayer){
        .norm1 = take_norm(l, "ln_1", "first norm"),
        .norm2 = take_norm(l, "ln_2", "second norm"),
        .qkv = {take_linear(l, "attn.c_attn", "queries, keys, values", g->width, 3 * g->width, true)},
        .out = take_linear(l, "attn.c_proj", "out of attention", g->width, g->width, true),
        .up = {take_linear(l, "mlp.c_fc", "up", g->width, g->hidden, true)},
        .down = take_linear(l, "mlp.c_proj", "down", g->hidden, g->width, true)};
}

static Decoder take_all(Loader *l)
{
    const PretrainedConfig *c = l->config;
    const GptConfig *g = &c->gpt;
    const Weights *weights = &l->model->weights;
    const char *prefix = c->is_gpt2 ? "transformer." : "model.",
               *table = c->is_gpt2 ? "wte.weight" : "embed_tokens.weight";
    check_at(l->place, g->layers <= weights->count, OTHER, "%s: %d layers, and %d tensors", weights->path,
             g->layers, weights->count);
    l->prefix = weights_find(weights, table) ? "" : prefix;
    l->layer = -1;
    Decoder d = {.config = *g, .limit = c->limit};
    d.token = d.output = take(l, table, "tokens", g->vocabulary, g->width);
    if (c->is_gpt2) d.position = take(l, "wpe.weight", "positions", g->context, g->width);
    d.norm = take_norm(l, c->is_gpt2 ? "ln_f" : "norm", "last norm");
    d.layers = arena_zeros_at(l->place, l->arena, (size_t)g->layers, sizeof *d.layers);
    for (l->layer = 0; l->layer < g->layers; l->layer++)
        d.layers[l->layer] = c->is_gpt2 ? gpt2_layer(l) : llama_layer(l);
    l->layer = -1, l->prefix = "";
    if (!g->tied) d.output = take(l, "lm_head.weight", "output", g->vocabulary, g->width);
    return d;
}

// ---- The rest of the folder -------------------------------------------------------------------------------

static bool ends_with(const char *name, const char *end)
{
    const size_t length = strlen(name), tail = strlen(end);
    return length >= tail && strcmp(name + length - tail, end) == 0;
}

static bool is_of_no_use(const PretrainedConfig *c, const char *name)
{
    if (strcmp(name, "lm_head.weight") == 0) return c->gpt.tied;
    return c->is_gpt2 ? ends_with(name, ".attn.bias") || ends_with(name, ".attn.masked_bias")
                      : ends_with(name, ".rotary_emb.inv_freq");
}

// All tensors by name, before any has a role.
static void list_tensors(Place place, Arena *arena, Pretrained *model)
{
    const Weights *weights = &model->weights;
    model->tensor_count = weights->count;
    model->tensors = arena_zeros_at(place, arena, (size_t)weights->count, sizeof *model->tensors);
    for (int i = 0; i < weights->count; i++) {
        const WeightsTensor *tensor = &weights->tensors[i];
        model->tensors[i] = (PretrainedTensor){.name = tensor->name,
                                               .layer = -1,
                                               .dtype = tensor->entry->dtype,
                                               .file = weights->shards[tensor->shard].path};
    }
}

static void check_rest(const Loader *l)
{
    for (int i = 0; i < l->model->tensor_count; i++) {
        PretrainedTensor *tensor = &l->model->tensors[i];
        if (tensor->role) continue;
        check_at(l->place, is_of_no_use(l->config, tensor->name), OTHER,
                 "%s: tensor %s has no place in a model of the type \"%s\"", tensor->file, tensor->name,
                 l->config->model_type);
        tensor->role = "not used";
    }
}

static Tokenizer *tokenizer_of(Place place, const char *folder, const PretrainedConfig *config)
{
    static const char ONE[] = "tokenizer.json", PIECES[] = "vocab.json", MERGES[] = "merges.txt";
    char path[FOLDER_MOST_PATH], merges[FOLDER_MOST_PATH];
    Tokenizer *tokenizer = NULL;
    folder_path_at(place, path, folder, ONE);
    if (pretrained_has(place, folder, ONE)) {
        tokenizer = tokenizer_load_at(place, path);
    } else if (config->is_gpt2 && pretrained_has(place, folder, PIECES) &&
               pretrained_has(place, folder, MERGES)) {
        folder_path_at(place, path, folder, PIECES);
        folder_path_at(place, merges, folder, MERGES);
        tokenizer = tokenizer_load_gpt2_at(place, path, merges);
    }
    check_at(place, !tokenizer || tokenizer_size(tokenizer) <= config->gpt.vocabulary,
             "is it the tokenizer of this model?", "%s: %d tokens for a model of %d", path,
             tokenizer ? tokenizer_size(tokenizer) : 0, config->gpt.vocabulary);
    return tokenizer;
}

Pretrained pretrained_open_model_at(Place place, Arena *arena, const char *folder)
{
    const PretrainedConfig config = pretrained_config_read(place, arena, folder);
    Pretrained model = {.folder = arena_string(arena, folder),
                        .model_type = config.model_type,
                        .stop_count = config.stop_count,
                        .sampling = config.sampling,
                        .weights = weights_open_at(place, arena, folder)};
    memcpy(model.stops, config.stops, sizeof model.stops);
    list_tensors(place, arena, &model);
    Loader loader = {.place = place, .arena = arena, .model = &model, .config = &config};
    model.decoder = take_all(&loader);
    check_rest(&loader);
    weights_check_at(place, &model.weights);
    return model;
}

Pretrained pretrained_open_at(Place place, Arena *arena, const char *folder)
{
    Pretrained model = pretrained_open_model_at(place, arena, folder);
    const PretrainedConfig config = {.is_gpt2 = strcmp(model.model_type, "gpt2") == 0,
                                     .gpt = model.decoder.config};
    model.tokenizer = tokenizer_of(place, folder, &config);
    return model;
}

void pretrained_close(Pretrained *model)
{
    tokenizer_free(model->tokenizer);
    model->tokenizer = NULL;
    weights_close(&model->weights);
}
