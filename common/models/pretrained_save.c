// pretrained_save.c: a trained model in the layout of Hugging Face. See pretrained.h.
#include "base/replace.h"
#include "files/folder.h"
#include "files/json.h"
#include "models/pretrained_parts.h"

#include <string.h>

typedef struct {
    Place place;
    Arena *arena;
    const char *folder;
    const Gpt *gpt;
    const Tokenizer *tokenizer;
    PretrainedOptions options;
    const char *model_type;
    bool is_gpt2;
    SafetensorsStoredItem *items;
    int count;
} Saving;

// ---- Which family it is -----------------------------------------------------------------------------------

static const char *family_of(Place place, const GptConfig *c)
{
    const bool usual = c->head_width * c->heads == c->width;
    if (c->positions == GPT_LEARNED) {
        check_at(place,
                 c->norm == NORM_LAYER && c->activation != BLOCK_SWIGLU && !c->without_biases &&
                     !c->query_key_norm && c->key_heads == c->heads && usual,
                 "learnt positions go with layer norm, GELU or ReLU, biases, and as many key heads as heads",
                 "pretrained_save: a model that is not quite GPT-2");
        return "gpt2";
    }
    check_at(place,
             c->norm == NORM_RMS && c->activation == BLOCK_SWIGLU && c->without_biases &&
                 !(c->qkv_biases && (c->query_key_norm || !usual)),
             "rotary positions go with RMS norm, SwiGLU and no biases but those of queries, keys and values",
             "pretrained_save: a model that is none of llama, qwen2 and qwen3");
    return c->query_key_norm ? "qwen3" : c->qkv_biases ? "qwen2" : "llama";
}

// ---- Tensors ----------------------------------------------------------------------------------------------

enum { MOST_OF_LAYER = 16 }; // tensors

// layer −1: of none
static void put(Saving *s, int layer, const char *part, Matrix value, bool vector)
{
    char name[128];
    const char *prefix = s->is_gpt2 ? "transformer." : "model.";
    if (layer >= 0)
        snprintf(name, sizeof name, "%s%s.%d.%s", prefix, s->is_gpt2 ? "h" : "layers", layer, part);
    else
        snprintf(name, sizeof name, "%s%s", prefix, part);
    const Stored stored = stored_from_at(s->place, s->arena, value, s->options.kind);
    s->items[s->count++] = (SafetensorsStoredItem){arena_string(s->arena, name), stored, vector};
}

static void put_norm(Saving *s, int layer, const char *part, const Norm *norm)
{
    char name[64];
    snprintf(name, sizeof name, "%s.weight", part);
    put(s, layer, name, norm->gain->value, true);
    if (!norm->bias) return;
    snprintf(name, sizeof name, "%s.bias", part);
    put(s, layer, name, norm->bias->value, true);
}

// The outputs first … first + count − 1 of a layer, (out × in); of GPT-2 all of them, (in × out).
static void put_linear(Saving *s, int layer, const char *part, const Linear *linear, int first, int count)
{
    const Matrix w = linear->weight->value;
    char name[64];
    check_at(s->place, !linear->lora_a, "linear_merge it first",
             "pretrained_save: a layer with a low-rank addition");
    snprintf(name, sizeof name, "%s.weight", part);
    if (s->is_gpt2) {
        put(s, layer, name, w, false);
    } else {
        Matrix columns = matrix_uninitialised_at(s->place, s->arena, w.rows, count),
               turned = matrix_uninitialised_at(s->place, s->arena, count, w.rows);
        copy_columns_at(s->place, columns, 0, w, first, count);
        transpose_at(s->place, turned, columns);
        put(s, layer, name, turned, false);
    }
    if (!linear->bias) return;
    snprintf(name, sizeof name, "%s.bias", part);
    const Matrix bias = matrix_view(1, count, linear->bias->value.data + first);
    put(s, layer, name, bias, true);
}

static void put_llama_layer(Saving *s, int i)
{
    const GptConfig *c = &s->gpt->config;
    const Block *block = &s->gpt->blocks[i];
    const int queries = c->heads * c->head_width, keys = c->key_heads * c->head_width;
    put_norm(s, i, "input_layernorm", &block->norm1);
    put_norm(s, i, "post_attention_layernorm", &block->norm2);
    put_linear(s, i, "self_attn.q_proj", &block->qkv, 0, queries);
    put_linear(s, i, "self_attn.k_proj", &block->qkv, queries, keys);
    put_linear(s, i, "self_attn.v_proj", &block->qkv, queries + keys, keys);
    put_linear(s, i, "self_attn.o_proj", &block->out, 0, c->width);
    put_linear(s, i, "mlp.gate_proj", &block->up, 0, c->hidden);
    put_linear(s, i, "mlp.up_proj", &block->up, c->hidden, c->hidden);
    put_linear(s, i, "mlp.down_proj", &block->down, 0, c->width);
    if (!c->query_key_norm) return;
    put_norm(s, i, "self_attn.q_norm", &block->query_norm);
    put_norm(s, i, "self_attn.k_norm", &block->key_norm);
}

static void put_gpt2_layer(Saving *s, int i)
{
    const GptConfig *c = &s->gpt->config;
    const Block *block = &s->gpt->blocks[i];
    put_norm(s, i, "ln_1", &block->norm1);
    put_norm(s, i, "ln_2", &block->norm2);
    put_linear(s, i, "attn.c_attn", &block->qkv, 0, 3 * c->width);
    put_linear(s, i, "attn.c_proj", &block->out, 0, c->width);
    put_linear(s, i, "mlp.c_fc", &block->up, 0, c->hidden);
    put_linear(s, i, "mlp.c_proj", &block->down, 0, c->width);
}

static void write_weights(Saving *s)
{
    const Gpt *gpt = s->gpt;
    const int layers = gpt->config.layers;
    s->items =
        arena_zeros_at(s->place, s->arena, (size_t)layers * MOST_OF_LAYER + MOST_OF_LAYER, sizeof *s->items);
    put(s, -1, s->is_gpt2 ? "wte.weight" : "embed_tokens.weight", gpt->token.table->value, false);
    if (gpt->position) put(s, -1, "wpe.weight", gpt->position->value, false);
    for (int i = 0; i < layers; i++) {
        if (s->is_gpt2)
            put_gpt2_layer(s, i);
        else
            put_llama_layer(s, i);
    }
    put_norm(s, -1, s->is_gpt2 ? "ln_f" : "norm", &gpt->norm);
    if (!gpt->config.tied) {
        put(s, -1, "", gpt->output->value, false);
        s->items[s->count - 1].name = "lm_head.weight";
    }
    weights_write_at(s->place, s->folder, s->items, s->count,
                     s->options.shard_bytes ? s->options.shard_bytes : SIZE_MAX);
}

// ---- The other files --------------------------------------------------------------------------------------

static void begin_file(const Saving *s, Replacement *file, const char *name)
{
    char path[FOLDER_MOST_PATH];
    folder_path_at(s->place, path, s->folder, name);
    replace_begin_at(s->place, file, path);
}

static void write_stops(const Saving *s, FILE *file)
{
    const int count = s->options.stop_count;
    fputs("  \"eos_token_id\": ", file);
    if (count == 0) fputs("null", file);
    if (count > 1) fputc('[', file);
    for (int i = 0; i < count; i++) fprintf(file, "%s%d", i ? ", " : "", s->options.stops[i]);
    if (count > 1) fputc(']', file);
}

static void write_generation(const Saving *s)
{
    const Sampling sampling = s->options.sampling;
    Replacement file;
    begin_file(s, &file, "generation_config.json");
    fputs("{\n", file.stream);
    write_stops(s, file.stream);
    if (sampling.temperature > 0.0f)
        fprintf(file.stream,
                ",\n  \"do_sample\": true,\n  \"temperature\": %.9g,\n  \"top_k\": %d,\n  \"top_p\": %.9g",
                (double)sampling.temperature, sampling.top_k,
                sampling.top_p > 0.0f ? (double)sampling.top_p : 1.0);
    else
        fputs(",\n  \"do_sample\": false", file.stream);
    fputs("\n}\n", file.stream);
    replace_finish_at(s->place, &file);
}

static void write_tokenizer(const Saving *s)
{
    char path[FOLDER_MOST_PATH];
    Replacement file;
    folder_path_at(s->place, path, s->folder, "tokenizer.json");
    tokenizer_save_at(s->place, path, s->tokenizer);
    begin_file(s, &file, "tokenizer_config.json");
    fprintf(file.stream,
            "{\n  \"tokenizer_class\": \"PreTrainedTokenizerFast\",\n"
            "  \"clean_up_tokenization_spaces\": false,\n  \"model_max_length\": %d",
            s->gpt->config.context);
    if (s->options.stop_count) {
        const TokenizerPiece piece = tokenizer_piece_at(s->place, s->tokenizer, s->options.stops[0]);
        if (piece.added) {
            fputs(",\n  \"eos_token\": ", file.stream);
            json_write_string(file.stream, piece.bytes, piece.size);
        }
    }
    if (s->options.chat_template) {
        fputs(",\n  \"chat_template\": ", file.stream);
        json_write_string(file.stream, s->options.chat_template, strlen(s->options.chat_template));
    }
    fputs("\n}\n", file.stream);
    replace_finish_at(s->place, &file);
}

static void write_scaling(const RotaryScaling *scaling, FILE *file)
{
    fputs("  \"rope_scaling\": ", file);
    switch (scaling->kind) {
    case ROTARY_PLAIN:
        fputs("null,\n", file);
        break;
    case ROTARY_LINEAR:
        fprintf(file, "{\"rope_type\": \"linear\", \"factor\": %.9g},\n", (double)scaling->factor);
        break;
    case ROTARY_BY_WAVELENGTH:
        fprintf(file,
                "{\"rope_type\": \"llama3\", \"factor\": %.9g, \"low_freq_factor\": %.9g, "
                "\"high_freq_factor\": %.9g, \"original_max_position_embeddings\": %d},\n",
                (double)scaling->factor, (double)scaling->low, (double)scaling->high, scaling->trained);
        break;
    }
}

static void write_llama_config(const Saving *s, FILE *file)
{
    const GptConfig *c = &s->gpt->config;
    const char *class = strcmp(s->model_type, "llama") == 0   ? "Llama"
                        : strcmp(s->model_type, "qwen2") == 0 ? "Qwen2"
                                                              : "Qwen3";
    fprintf(file, "  \"architectures\": [\"%sForCausalLM\"],\n  \"hidden_act\": \"silu\",\n", class);
    fprintf(file, "  \"attention_bias\": false,\n  \"mlp_bias\": false,\n  \"use_sliding_window\": false,\n");
    fprintf(file, "  \"hidden_size\": %d,\n  \"intermediate_size\": %d,\n", c->width, c->hidden);
    fprintf(file, "  \"num_hidden_layers\": %d,\n  \"num_attention_heads\": %d,\n", c->layers, c->heads);
    fprintf(file, "  \"num_key_value_heads\": %d,\n  \"head_dim\": %d,\n", c->key_heads, c->head_width);
    fprintf(file, "  \"max_position_embeddings\": %d,\n  \"rms_norm_eps\": %.9g,\n", c->context,
            (double)c->epsilon);
    fprintf(file, "  \"rope_theta\": %.9g,\n", (double)c->rotary_base);
    write_scaling(&c->scaling, file);
}

static void write_gpt2_config(const Saving *s, FILE *file)
{
    static const char *const activations[] = {
        [BLOCK_GELU] = "gelu", [BLOCK_RELU] = "relu", [BLOCK_TANH_GELU] = "gelu_new"};
    const GptConfig *c = &s->gpt->config;
    fprintf(file, "  \"architectures\": [\"GPT2LMHeadModel\"],\n");
    fprintf(file, "  \"activation_function\": \"%s\",\n", activations[c->activation]);
    fprintf(file, "  \"n_embd\": %d,\n  \"n_inner\": %d,\n  \"n_layer\": %d,\n  \"n_head\": %d,\n", c->width,
            c->hidden, c->layers, c->heads);
    fprintf(file, "  \"n_positions\": %d,\n  \"n_ctx\": %d,\n  \"layer_norm_epsilon\": %.9g,\n", c->context,
            c->context, (double)c->epsilon);
}

static void write_config(const Saving *s)
{
    static const char *const dtypes[] = {"float32", "float16", "bfloat16"};
    Replacement file;
    begin_file(s, &file, "config.json");
    fprintf(file.stream, "{\n  \"model_type\": \"%s\",\n", s->model_type);
    if (s->is_gpt2)
        write_gpt2_config(s, file.stream);
    else
        write_llama_config(s, file.stream);
    fprintf(file.stream, "  \"vocab_size\": %d,\n  \"tie_word_embeddings\": %s,\n", s->gpt->config.vocabulary,
            s->gpt->config.tied ? "true" : "false");
    fprintf(file.stream, "  \"torch_dtype\": \"%s\",\n  \"bos_token_id\": null,\n", dtypes[s->options.kind]);
    write_stops(s, file.stream);
    fputs("\n}\n", file.stream);
    replace_finish_at(s->place, &file);
}

static void check_options(Place place, const Saving *s)
{
    const PretrainedOptions *o = &s->options;
    const int vocabulary = s->gpt->config.vocabulary;
    check_at(place, o->kind != STORED_INT8, "F32, F16 and BF16 are read by others",
             "pretrained_save: weights of the kind I8");
    check_at(place, tokenizer_size(s->tokenizer) <= vocabulary, "one row of the table for each token",
             "pretrained_save: a tokenizer of %d tokens for a model of %d", tokenizer_size(s->tokenizer),
             vocabulary);
    check_at(place, o->stop_count >= 0 && o->stop_count <= PRETRAINED_MOST_STOPS, "a few are enough",
             "pretrained_save: %d tokens that end a text", o->stop_count);
    for (int i = 0; i < o->stop_count; i++)
        check_at(place, o->stops[i] >= 0 && o->stops[i] < tokenizer_size(s->tokenizer),
                 "tokens are numbered from 0", "pretrained_save: token %d of %d ends a text", o->stops[i],
                 tokenizer_size(s->tokenizer));
}

void pretrained_save_at(Place place, const char *folder, const Gpt *gpt, const Tokenizer *tokenizer,
                        PretrainedOptions options)
{
    Saving s = {.place = place, .folder = folder, .gpt = gpt, .tokenizer = tokenizer, .options = options};
    s.model_type = family_of(place, &gpt->config);
    s.is_gpt2 = strcmp(s.model_type, "gpt2") == 0;
    check_options(place, &s);
    s.arena = arena_new();
    folder_make_at(place, folder);
    write_weights(&s);
    write_tokenizer(&s);
    write_generation(&s);
    write_config(&s);
    arena_free(s.arena);
}
