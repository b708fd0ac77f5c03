// Models in the layout of Hugging Face: what is written is read again, and folders that are other than they should be.
#include "models/pretrained.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VOCABULARY = 300, TOKENS = 40 };

typedef struct {
    Arena *arena;
    Parameters set;
    Gpt gpt;
    Tokenizer *tokenizer;
    char folder[256];
} Made;

static GptConfig family(int number)
{
    static const RotaryScaling wavelength = {.kind = ROTARY_BY_WAVELENGTH,
                                             .factor = 4.0f,
                                             .low = 0.5f,
                                             .high = 2.0f,
                                             .trained = 10},
                               linear = {.kind = ROTARY_LINEAR, .factor = 1.7f};
    const GptConfig llama = {
        .positions = GPT_ROTARY, .norm = NORM_RMS, .activation = BLOCK_SWIGLU, .without_biases = true};
    GptConfig c = number < 4 ? llama : (GptConfig){.activation = BLOCK_TANH_GELU};
    c.vocabulary = VOCABULARY, c.context = 50, c.layers = 2, c.heads = 4, c.width = 24, c.hidden = 21;
    if (number == 0) c.scaling = wavelength, c.epsilon = 3e-6f;
    if (number == 1) c.key_heads = 2, c.qkv_biases = true, c.tied = true, c.scaling = linear;
    if (number == 2) c.key_heads = 1, c.query_key_norm = true, c.head_width = 10, c.rotary_base = 12345.678f;
    if (number == 4) c.tied = true;
    if (number == 5) c.activation = BLOCK_RELU;
    return c;
}
enum { FAMILIES = 6 };
static const char *const TYPES[FAMILIES] = {"llama", "qwen2", "qwen3", "llama", "gpt2", "gpt2"};

static Made make(int number)
{
    static const char text[] = "the cat and the hat and the rat sat on the mat that the cat had";
    static int folders;
    Made m = {.arena = arena_new(), .tokenizer = tokenizer_train(text, sizeof text - 1, 262, NULL)};
    tokenizer_add(m.tokenizer, "<|end|>");
    m.set = parameters_new(m.arena);
    Rng rng = rng_new(5, (uint64_t)number);
    m.gpt = gpt_new(&m.set, family(number), &rng);
    for (int i = 0; i < m.set.count; i++) {
        Matrix value = m.set.items[i]->value;
        for (int j = 0; value.rows == 1 && j < value.cols; j++)
            value.data[j] += rng_between(&rng, -0.3f, 0.3f);
    }
    char name[32];
    snprintf(name, sizeof name, "model-%d-%d", (int)getpid(), folders++);
    snprintf(m.folder, sizeof m.folder, "%s", scratch_path(name));
    return m;
}

static void done(Made *m)
{
    tokenizer_free(m->tokenizer);
    arena_free(m->arena);
}

static const int *text_ids(void)
{
    static int ids[TOKENS];
    Rng rng = rng_new(8, 0);
    for (int i = 0; i < TOKENS; i++) ids[i] = (int)rng_below(&rng, VOCABULARY);
    return ids;
}

static float logits_differ(Made *m, const Decoder *decoder)
{
    GptCache *theirs = gpt_cache_new(m->arena, &m->gpt, 1, 50);
    DecoderCache *ours = decoder_cache_new(m->arena, decoder, 50);
    const Matrix expected = gpt_step(&m->gpt, theirs, text_ids(), TOKENS),
                 got = decoder_step(decoder, ours, text_ids(), TOKENS);
    return memcmp(got.data, expected.data, matrix_size(got) * sizeof(float)) == 0
               ? 0.0f
               : largest_difference(got, expected);
}

static const char *path_in(const Made *m, const char *name)
{
    static char paths[4][400];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", m->folder, name);
    return path;
}

static void put(const Made *m, const char *name, const char *text)
{
    FILE *file = fopen(path_in(m, name), "wb");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static const char *text_of(const Made *m, const char *name)
{
    static char text[8192];
    FILE *file = fopen(path_in(m, name), "rb");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

// The file with `by` in the place of the first `what`.
static void change(const Made *m, const char *name, const char *what, const char *by)
{
    static char text[16384];
    const char *old = text_of(m, name), *at = strstr(old, what);
    ck_assert_msg(at, "no %s in %s", what, old);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - old), old, by, at + strlen(what));
    put(m, name, text);
}

START_TEST(what_is_written_is_read_again)
{
    static const int stops[] = {262, 3};
    for (int f = 0; f < FAMILIES; f++) {
        Made m = make(f);
        pretrained_save(m.folder, &m.gpt, m.tokenizer, .stops = stops, .stop_count = f % 3,
                        .shard_bytes = f % 2 ? 20000 : 0, .chat_template = "{{ \"a\\n\" }}\n",
                        .sampling = {.temperature = 0.7f, .top_k = 9, .top_p = 0.9f});
        Pretrained model = pretrained_open(m.arena, m.folder);
        ck_assert_str_eq(model.model_type, TYPES[f]);
        ck_assert_int_eq(tokenizer_size(model.tokenizer), 263);
        ck_assert_int_eq(model.stop_count, f % 3);
        if (f % 3) ck_assert_mem_eq(model.stops, stops, sizeof(int) * (size_t)model.stop_count);
        ck_assert(model.sampling.temperature == 0.7f && model.sampling.top_k == 9 &&
                  model.sampling.top_p == 0.9f);
        ck_assert((model.weights.shard_count > 1) == (f % 2));
        const float differ = logits_differ(&m, &model.decoder);
        ck_assert_msg(differ == 0.0f, "family %d: logits differ by %g", f, (double)differ);
        ck_assert_ptr_nonnull(
            strstr(text_of(&m, "tokenizer_config.json"), "\"chat_template\": \"{{ \\\"a\\\\n\\\" }}"));
        pretrained_close(&model);
        done(&m);
    }
}
END_TEST

START_TEST(weights_are_written_in_16_bits)
{
    for (int kind = STORED_F16; kind <= STORED_BF16; kind++) {
        Made m = make(0);
        pretrained_save(m.folder, &m.gpt, m.tokenizer, .kind = (StoredKind)kind);
        Pretrained model = pretrained_open(m.arena, m.folder);
        ck_assert_str_eq(model.tensors[0].dtype, stored_kind_name((StoredKind)kind));
        ck_assert(model.sampling.temperature == 0.0f && model.stop_count == 0);
        const float differ = logits_differ(&m, &model.decoder);
        ck_assert_msg(differ > 0.0f && differ < 0.2f, "off by %g", (double)differ);
        pretrained_close(&model);
        done(&m);
    }
}
END_TEST

START_TEST(parameters_are_listed_with_where_they_live)
{
    Made m = make(2);
    pretrained_save(m.folder, &m.gpt, m.tokenizer, .kind = STORED_BF16, .shard_bytes = 20000);
    Pretrained model = pretrained_open(m.arena, m.folder);
    int found = 0;
    for (int i = 0; i < model.tensor_count; i++) {
        const PretrainedTensor *t = &model.tensors[i];
        ck_assert(t->role && t->file && t->rows > 0 && t->cols > 0);
        if (strcmp(t->name, "model.layers.1.self_attn.k_proj.weight") != 0) continue;
        ck_assert_str_eq(t->role, "keys");
        ck_assert_str_eq(t->dtype, "BF16");
        ck_assert(t->layer == 1 && t->rows == 10 && t->cols == 24 && strstr(t->file, "-of-"));
        found++;
    }
    ck_assert_int_eq(found, 1);
    pretrained_close(&model);
    done(&m);
}
END_TEST

// The tensors of the folder with names that the function gives (NULL: left out), and one more, (3 × 3).
static void write_again(Made *m, const char *(*named)(Arena *, const char *), const char *more)
{
    Weights weights = weights_open(m->arena, m->folder);
    SafetensorsStoredItem items[64];
    int count = 0;
    for (int i = 0; i < weights.count; i++) {
        const WeightsTensor *t = &weights.tensors[i];
        const char *name = named(m->arena, t->name);
        if (!name) continue;
        items[count++] = (SafetensorsStoredItem){name, safetensors_stored(&weights.shards[t->shard], t->name),
                                                 t->entry->rank == 1};
    }
    if (more)
        items[count++] = (SafetensorsStoredItem){
            more, stored_from(m->arena, matrix_new(m->arena, 3, 3), STORED_F32), false};
    char other[300];
    snprintf(other, sizeof other, "%s-again", m->folder);
    weights_write(other, items, count, SIZE_MAX);
    weights_close(&weights);
    char from[400];
    snprintf(from, sizeof from, "%s/model.safetensors", other);
    ck_assert_int_eq(rename(from, path_in(m, "model.safetensors")), 0);
}

static const char *same_name(Arena *arena, const char *name)
{
    (void)arena;
    return name;
}
static const char *without_prefix(Arena *arena, const char *name)
{
    (void)arena;
    return strncmp(name, "model.", 6) == 0          ? name + 6
           : strncmp(name, "transformer.", 12) == 0 ? name + 12
                                                    : name;
}
static const char *without_a_norm(Arena *arena, const char *name)
{
    return strcmp(name, "model.layers.1.input_layernorm.weight") == 0 ? NULL : same_name(arena, name);
}

static void expect_opens(Made *m)
{
    Pretrained model = pretrained_open(m->arena, m->folder);
    ck_assert(logits_differ(m, &model.decoder) == 0.0f);
    pretrained_close(&model);
}

START_TEST(friendly_folders_are_opened)
{
    static const struct {
        int family;
        const char *more;
    } extras[] = {{0, "model.layers.1.self_attn.rotary_emb.inv_freq"},
                  {1, "lm_head.weight"},
                  {4, "transformer.h.0.attn.bias"},
                  {4, "h.1.attn.masked_bias"}};
    for (size_t i = 0; i < sizeof extras / sizeof *extras; i++) {
        Made m = make(extras[i].family);
        pretrained_save(m.folder, &m.gpt, m.tokenizer);
        write_again(&m, i % 2 ? without_prefix : same_name, extras[i].more);
        unlink(path_in(&m, "generation_config.json"));
        unlink(path_in(&m, "tokenizer_config.json"));
        change(&m, "config.json", "{", "{\"unheard_of\": [1, {\"a\": null}], \"use_cache\": true,");
        change(&m, "config.json", "\"eos_token_id\": null", "\"eos_token_id\": [7, -1, 300, 8]");
        expect_opens(&m);
        Pretrained model = pretrained_open_model(m.arena, m.folder);
        ck_assert(model.stop_count == 2 && model.stops[0] == 7 && model.stops[1] == 8 && !model.tokenizer);
        pretrained_close(&model);
        done(&m);
    }
}
END_TEST

START_TEST(settings_have_the_defaults_of_others)
{
    Made m = make(3);
    pretrained_save(m.folder, &m.gpt, m.tokenizer);
    change(&m, "config.json", "\"head_dim\": 6,", "");
    change(&m, "config.json", "\"num_key_value_heads\": 4,", "\"num_key_value_heads\": null,");
    change(&m, "config.json", "\"rope_theta\": 10000,",
           "\"rope_parameters\": {\"rope_theta\": 1e4, \"rope_type\": \"default\"},");
    change(&m, "config.json", "\"hidden_act\": \"silu\",", "");
    put(&m, "generation_config.json", "{\"do_sample\": true, \"eos_token_id\": 262, \"top_p\": 0}");
    expect_opens(&m);
    Pretrained model = pretrained_open(m.arena, m.folder);
    ck_assert(model.sampling.temperature == 1.0f && model.sampling.top_k == 1 && model.stops[0] == 262);
    pretrained_close(&model);

    // A window, and angles that change with longer texts: up to there nothing is different.
    change(&m, "config.json", "\"model_type\": \"llama\"",
           "\"model_type\": \"mistral\", \"sliding_window\": 50");
    expect_opens(&m);
    change(&m, "config.json", "\"sliding_window\": 50", "\"sliding_window\": null");
    change(&m, "config.json", "\"rope_scaling\": null,", "");
    change(&m, "config.json", "\"rope_type\": \"default\"", "\"rope_type\": \"dynamic\", \"factor\": 2.0");
    expect_opens(&m);
    model = pretrained_open(m.arena, m.folder);
    ck_assert_int_eq(model.decoder.limit, 50);
    pretrained_close(&model);
    done(&m);
}
END_TEST

// ---- Folders that lie -------------------------------------------------------------------------------------

static void open_it(void *context)
{
    Made *m = context;
    Pretrained model = pretrained_open(m->arena, m->folder);
    pretrained_close(&model);
}

typedef struct {
    int family;
    const char *what, *by, *message;
} Lie;

static const Lie LIES[] = {
    {3, "\"model_type\": \"llama\"", "\"model_type\": \"bert\"", "\"model_type\" is \"bert\""},
    {3, "\"model_type\": \"llama\",", "", "there is no \"model_type\""},
    {3, "\"model_type\": \"llama\"", "\"model_type\": 3", "\"model_type\" is no string"},
    {3, "\"hidden_size\": 24,", "", "there is no \"hidden_size\""},
    {3, "\"hidden_size\": 24", "\"hidden_size\": 0", "\"hidden_size\" is 0, expected a whole number from 1"},
    {3, "\"hidden_size\": 24", "\"hidden_size\": -24", "\"hidden_size\" is -24"},
    {3, "\"hidden_size\": 24", "\"hidden_size\": 24.5", "\"hidden_size\" is 24.5"},
    {3, "\"hidden_size\": 24", "\"hidden_size\": 1e300", "\"hidden_size\" is 1"},
    {3, "\"hidden_size\": 24", "\"hidden_size\": \"24\"", "\"hidden_size\" is nan"},
    {3, "\"hidden_size\": 24", "\"hidden_size\": 28",
     "embed_tokens.weight is (300 × 24), expected (300 × 28)"},
    {3, "\"head_dim\": 6", "\"head_dim\": 5", "heads of width 5"},
    {3, "\"head_dim\": 6", "\"head_dim\": 8", "self_attn.q_proj.weight is (24 × 24), expected (32 × 24)"},
    {3, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1000000", "1000000 layers, and 21 tensors"},
    {3, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "there is no tensor model.layers.2."},
    {3, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1",
     "model.layers.1.input_layernorm.weight has no place"},
    {3, "\"num_attention_heads\": 4", "\"num_attention_heads\": 1048576", "expected (6291456 × 24)"},
    {3, "\"num_key_value_heads\": 4", "\"num_key_value_heads\": 3", "4 heads with 3 key heads"},
    {3, "\"vocab_size\": 300", "\"vocab_size\": 200", "(300 × 24), expected (200 × 24)"},
    {3, "\"rms_norm_eps\": ", "\"rms_norm_eps\": -", "\"rms_norm_eps\" is -"},
    {3, "\"rope_theta\": 10000", "\"rope_theta\": 1e-60", "\"rope_theta\" is 1e-60"},
    {3, "\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\"", "\"hidden_act\" is \"gelu\""},
    {3, "\"attention_bias\": false", "\"attention_bias\": true",
     "there is no tensor model.layers.0.self_attn.q_proj.bias"},
    {3, "\"attention_bias\": false", "\"attention_bias\": 0", "neither true nor false"},
    {3, "\"tie_word_embeddings\": false,", "\"quantization_config\": {},", "\"quantization_config\""},
    {3, "\"rope_scaling\": null", "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4}",
     "scaled by \"yarn\""},
    {3, "\"rope_scaling\": null", "\"rope_scaling\": 7", "is no object"},
    {3, "\"rope_scaling\": null", "\"rope_scaling\": {\"type\": \"linear\"}", "there is no \"factor\""},
    {3, "\"rope_scaling\": null", "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 0.5}",
     "divided by 0.5"},
    {3, "\"rope_scaling\": null", "\"rope_parameters\": {\"full_attention\": {}}", "from layer to layer"},
    {3, "\"rope_scaling\": null", "\"partial_rotary_factor\": 0.5", "\"partial_rotary_factor\""},
    {0, "\"low_freq_factor\": 0.5", "\"low_freq_factor\": 2.5", "low_freq_factor 2.5 is not below"},
    {3, "\"eos_token_id\": null", "\"eos_token_id\": \"</s>\"", "neither a token's number nor"},
    {3, "{", "[", "no JSON"},
    {3, "\"mlp_bias\": false", "\"layer_types\": [\"mamba\"]", "\"layer_types\" has \"mamba\""},
    {4, "\"n_head\": 4", "\"n_head\": 5", "\"n_embd\" 24 in 5 heads"},
    {4, "\"n_positions\": 50", "\"n_positions\": 51", "wpe.weight is (50 × 24), expected (51 × 24)"},
    {4, "\"gelu_new\"", "\"mish\"", "\"activation_function\" is \"mish\""},
    {4, "{", "{\"scale_attn_by_inverse_layer_idx\": true,", "\"scale_attn_by_inverse_layer_idx\" is true"},
};

START_TEST(a_configuration_that_lies_is_refused)
{
    expect_leaks();
    for (size_t i = 0; i < sizeof LIES / sizeof *LIES; i++) {
        const Lie *lie = &LIES[i];
        Made m = make(lie->family);
        pretrained_save(m.folder, &m.gpt, m.tokenizer);
        unlink(path_in(&m, "generation_config.json"));
        change(&m, "config.json", lie->what, lie->by);
        expect_death(open_it, &m, lie->message);
        expect_death(open_it, &m, m.folder);
        done(&m);
    }
}
END_TEST

START_TEST(tensors_that_lie_are_refused)
{
    expect_leaks();
    Made m = make(3);
    pretrained_save(m.folder, &m.gpt, m.tokenizer, .shard_bytes = 20000);
    static const char INDEX[] = "model.safetensors.index.json";
    change(&m, INDEX, "model-00001-of", "../model-00001-of");
    expect_death(open_it, &m, "which is no file of this folder");
    pretrained_save(m.folder, &m.gpt, m.tokenizer, .shard_bytes = 20000);
    char shard[64];
    ck_assert_int_eq(sscanf(strstr(text_of(&m, INDEX), "model-00002"), "%63[^\"]", shard), 1);
    ck_assert_int_eq(rename(path_in(&m, shard), path_in(&m, "elsewhere")), 0);
    expect_death(open_it, &m, shard);
    ck_assert_int_eq(symlink(shard, path_in(&m, shard)), 0);
    expect_death(open_it, &m, shard);
    ck_assert_int_eq(unlink(path_in(&m, shard)) + rename(path_in(&m, "elsewhere"), path_in(&m, shard)), 0);
    ck_assert_int_eq(truncate(path_in(&m, shard), 5000), 0);
    expect_death(open_it, &m, shard);

    pretrained_save(m.folder, &m.gpt, m.tokenizer);
    write_again(&m, same_name, "model.layers.0.extra.weight");
    expect_death(open_it, &m,
                 "tensor model.layers.0.extra.weight has no place in a model of the type \"llama\"");
    pretrained_save(m.folder, &m.gpt, m.tokenizer);
    write_again(&m, without_a_norm, NULL);
    expect_death(open_it, &m, "there is no tensor model.layers.1.input_layernorm.weight (1 × 24)");
    done(&m);
}
END_TEST

// The bytes of the file with `by` in the place of the first `what`, of the same length.
static void patch(const Made *m, const char *name, const char *what, const char *by)
{
    static char bytes[1 << 20];
    FILE *file = fopen(path_in(m, name), "r+b");
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    char *at = memmem(bytes, size, what, strlen(what));
    ck_assert(at && strlen(what) == strlen(by) && size < sizeof bytes);
    memcpy(at, by, strlen(by));
    rewind(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

START_TEST(types_and_dimensions_that_lie_are_refused)
{
    expect_leaks();
    Made m = make(3);
    pretrained_save(m.folder, &m.gpt, m.tokenizer);
    patch(&m, "model.safetensors", "\"dtype\":\"F32\"", "\"dtype\":\"I32\"");
    expect_death(open_it, &m, "I32");
    pretrained_save(m.folder, &m.gpt, m.tokenizer);
    patch(&m, "model.safetensors", "[21,24]", "[24,21]");
    expect_death(open_it, &m, "is (24 × 21), expected (21 × 24)");
    pretrained_save(m.folder, &m.gpt, m.tokenizer);
    put(&m, "generation_config.json", "{\"temperature\": -1, \"do_sample\": true}");
    expect_death(open_it, &m, "generation_config.json: \"temperature\" is no number from 0");
    put(&m, "generation_config.json", "{}");
    unlink(path_in(&m, "config.json"));
    ck_assert_int_eq(symlink("config.json", path_in(&m, "config.json")), 0);
    expect_death(open_it, &m, "config.json");
    done(&m);
}
END_TEST

// ---- Models that have no place ----------------------------------------------------------------------------

typedef struct {
    Made made;
    int change;
} Unusual;

static void save_it(void *context)
{
    Unusual *u = context;
    GptConfig *c = &u->made.gpt.config;
    PretrainedOptions options = {.stop_count = 0};
    static const int stop = 263;
    if (u->change == 0) c->norm = NORM_LAYER;
    if (u->change == 1) options.kind = STORED_INT8;
    if (u->change == 2) options.stops = &stop, options.stop_count = 1;
    if (u->change == 3) c->vocabulary = 262;
    pretrained_save_at(HERE, u->made.folder, &u->made.gpt, u->made.tokenizer, options);
}

START_TEST(what_no_family_has_is_not_written)
{
    static const char *const messages[] = {"none of llama, qwen2 and qwen3", "the kind I8",
                                           "token 263 of 263", "263 tokens for a model of 262"};
    Unusual u = {.made = make(3)};
    expect_leaks();
    for (u.change = 0; u.change < 4; u.change++) expect_death(save_it, &u, messages[u.change]);
    ck_assert_int_ne(access(u.made.folder, F_OK), 0);
    done(&u.made);
}
END_TEST

SUITE("pretrained", what_is_written_is_read_again, weights_are_written_in_16_bits,
      parameters_are_listed_with_where_they_live, friendly_folders_are_opened,
      settings_have_the_defaults_of_others, a_configuration_that_lies_is_refused,
      tensors_that_lie_are_refused, types_and_dimensions_that_lie_are_refused,
      what_no_family_has_is_not_written)
