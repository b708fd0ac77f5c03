// One token after the other (models/decoder.h): models of the shape of llama2.c's stories15M and of Qwen3-0.6B with random
// weights, in floats, BF16 and INT8 as decoder_quantise lays them, and in floats and BF16 row by row, as they lie in a file ("rows").
// A token reads every weight once, and the keys and values of the text before it. So beside tokens a second stands the fraction
// of the machine's memory bandwidth that these bytes are, measured in the same run by reading more than any cache holds, from one,
// two or four places of it at once, whichever is fastest. What a cache does hold of the smaller model comes faster than memory
// gives it: there the fraction may exceed 1.
//
// With peers, this program writes the weights of the smaller model as raw floats to decode_15M.weights in the folder
// BENCH_PROGRAMS: the table of tokens, then of each layer queries, keys, values, out, the two up and down; peers/decode_torch.py
// reads them. The largest logit behind a text is kept of both.
#include "base/parallel.h"
#include "bench.h"
#include "models/decoder.h"
#include "raw.h"
#include "timing.h"

#include <math.h>
#include <string.h>

enum { READ = 1 << 30, BEGINNING = 16, COMPARED = 40 };

// ---- Reading ----------------------------------------------------------------------------------------------

typedef unsigned long long Words __attribute__((vector_size(64)));

static volatile unsigned long long kept; // so that reading is not left out

typedef struct {
    const char *bytes; // READ of them
    size_t places;     // 1 … MOST_PLACES
} Reading;

enum { PIECES = 64, MOST_PLACES = 4, AHEAD = 2048 };

static void read_once(void *context)
{
    const Reading *r = context;
    unsigned long long total = 0;
#pragma omp parallel for reduction(^ : total)
    for (int piece = 0; piece < PIECES; piece++) {
        const size_t part = READ / PIECES / r->places / sizeof(Words);
        const Words *from = (const Words *)(r->bytes + (size_t)piece * (READ / PIECES));
        Words sum[MOST_PLACES] = {{0}};
        for (size_t i = 0; i < part; i++)
            for (size_t j = 0; j < r->places; j++) {
                __builtin_prefetch((const char *)&from[j * part + i] + AHEAD);
                sum[j] ^= from[j * part + i];
            }
        const Words all = sum[0] ^ sum[1] ^ sum[2] ^ sum[3];
        total ^= all[0] ^ all[1] ^ all[2] ^ all[3] ^ all[4] ^ all[5] ^ all[6] ^ all[7];
    }
    kept = total;
}

// The most that one of the ways gives: some processors are fastest from one place, others from several at once.
static double gigabytes_read(double seconds, void *context)
{
    double most = 0.0;
    for (size_t places = 1; places <= MOST_PLACES; places *= 2) {
        Reading r = {context, places};
        most = fmax(most, 1e-9 * READ * calls_per_second(seconds / 3.0, read_once, &r));
    }
    return most;
}

// ---- Models -----------------------------------------------------------------------------------------------

// Random weights, without ever holding more floats than one matrix.
static Stored random_weights(Arena *arena, Rng *rng, int rows, int cols)
{
    Matrix m = matrix_uninitialised(arena, rows, cols);
    const float reach = 1.7f / (float)__builtin_sqrt((double)cols);
    for (size_t i = 0; i < matrix_size(m); i++) m.data[i] = rng_between(rng, -reach, reach);
    return (Stored){rows, cols, STORED_F32, m.data, NULL, false};
}

static DecoderNorm ones(Arena *arena, int width)
{
    Matrix gain = matrix_new(arena, 1, width);
    fill(gain, 1.0f);
    return (DecoderNorm){.gain = gain};
}

static Decoder random_decoder(Arena *arena, GptConfig c)
{
    Rng rng = rng_new(1, 1);
    const int queries = c.heads * c.head_width, keys = c.key_heads * c.head_width;
    c.positions = GPT_ROTARY, c.norm = NORM_RMS, c.activation = BLOCK_SWIGLU, c.tied = true;
    c.without_biases = true, c.epsilon = 1e-6f, c.rotary_base = 10000.0f;
    Decoder d = {.config = c, .norm = ones(arena, c.width)};
    d.token = d.output = random_weights(arena, &rng, c.vocabulary, c.width);
    d.layers = arena_zeros(arena, (size_t)c.layers, sizeof *d.layers);
    for (int i = 0; i < c.layers; i++) {
        DecoderLayer *layer = &d.layers[i];
        layer->norm1 = layer->norm2 = ones(arena, c.width);
        layer->qkv[0].weight = random_weights(arena, &rng, queries, c.width);
        layer->qkv[1].weight = random_weights(arena, &rng, keys, c.width);
        layer->qkv[2].weight = random_weights(arena, &rng, keys, c.width);
        layer->out.weight = random_weights(arena, &rng, c.width, queries);
        layer->up[0].weight = random_weights(arena, &rng, c.hidden, c.width);
        layer->up[1].weight = random_weights(arena, &rng, c.hidden, c.width);
        layer->down.weight = random_weights(arena, &rng, c.width, c.hidden);
        if (c.query_key_norm) layer->query_gain = layer->key_gain = ones(arena, c.head_width).gain;
    }
    return d;
}

static void write_matrix(FILE *file, Stored floats) { fwrite(floats.data, 1, stored_bytes(floats), file); }

static void write_weights(const char *name, const Decoder *d)
{
    FILE *file = raw_create(name, ".weights");
    write_matrix(file, d->token);
    for (int i = 0; i < d->config.layers; i++) {
        const DecoderLayer *layer = &d->layers[i];
        for (int w = 0; w < 3; w++) write_matrix(file, layer->qkv[w].weight);
        write_matrix(file, layer->out.weight);
        for (int w = 0; w < 2; w++) write_matrix(file, layer->up[w].weight);
        write_matrix(file, layer->down.weight);
    }
    raw_close(file);
}

typedef struct {
    Decoder decoder;
    DecoderCache *cache;
    void *memory; // READ bytes
} Task;

// A given text, behind a short beginning; from the beginning again when the context is full.
static Matrix next_logits(const Task *t)
{
    static const int beginning[BEGINNING] = {1, 2, 3};
    if (decoder_cache_length(t->cache) >= t->decoder.config.context) decoder_cache_clear(t->cache);
    if (decoder_cache_length(t->cache) == 0) decoder_step(&t->decoder, t->cache, beginning, BEGINNING);
    const int next = decoder_cache_length(t->cache) % 97;
    return decoder_step(&t->decoder, t->cache, &next, 1);
}

static void token_once(void *context) { next_logits(context); }

static double largest_logit(double seconds, void *context)
{
    (void)seconds;
    const Task *t = context;
    float largest = -INFINITY;
    decoder_cache_clear(t->cache);
    for (int i = 0; i < COMPARED; i++) {
        const Matrix logits = next_logits(t);
        largest = -INFINITY;
        for (int j = 0; j < logits.cols; j++) largest = fmaxf(largest, logits.data[j]);
    }
    return (double)largest;
}

static double tokens_per_second(double seconds, void *context)
{
    return calls_per_second(seconds, token_once, context);
}

// On average over the text that token_once reads
static double bytes_of_a_token(const Task *t)
{
    const GptConfig *c = &t->decoder.config;
    const double position = 2.0 * sizeof(float) * c->layers * c->key_heads * c->head_width;
    return (double)decoder_bytes(&t->decoder) + position * (BEGINNING + 1 + c->context) / 2.0;
}

// Both in the same second of the same machine
static double fraction_of_bandwidth(double seconds, void *context)
{
    const Task *t = context;
    const double bandwidth = gigabytes_read(seconds / 3.0, t->memory),
                 used = 1e-9 * bytes_of_a_token(t) * tokens_per_second(seconds, context);
    return used / bandwidth;
}

static Stored row_by_row(Arena *arena, Stored floats, StoredKind kind)
{
    Matrix m = {floats.rows, floats.cols, (float *)(uintptr_t)floats.data};
    return stored_from(arena, m, kind);
}

// The model as it lies in a file of this kind
static Decoder in_rows(Arena *arena, Decoder d, StoredKind kind)
{
    if (kind == STORED_F32) return d;
    Decoder copy = d;
    copy.layers = arena_alloc(arena, (size_t)d.config.layers, sizeof *copy.layers);
    for (int i = 0; i < d.config.layers; i++) {
        DecoderLayer layer = d.layers[i];
        Stored *const weights[] = {&layer.qkv[0].weight, &layer.qkv[1].weight, &layer.qkv[2].weight,
                                   &layer.out.weight,    &layer.up[0].weight,  &layer.up[1].weight,
                                   &layer.down.weight};
        for (size_t w = 0; w < sizeof weights / sizeof *weights; w++)
            *weights[w] = row_by_row(arena, *weights[w], kind);
        copy.layers[i] = layer;
    }
    copy.token = copy.output = row_by_row(arena, d.token, kind);
    return copy;
}

// compared: peers have the same weights
static void rows(const char *name, bool compared, GptConfig config, void *memory, double seconds)
{
    static const struct {
        const char *name;
        StoredKind kind;
        bool rows;
    } layouts[] = {{"fp32", STORED_F32, false},
                   {"bf16", STORED_BF16, false},
                   {"int8", STORED_INT8, false},
                   {"fp32_rows", STORED_F32, true},
                   {"bf16_rows", STORED_BF16, true}};
    Arena *floats = arena_new();
    const Decoder model = random_decoder(floats, config);
    if (compared) write_weights(name, &model);
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        Arena *arena = arena_new();
        Task task = {.memory = memory};
        task.decoder = layouts[i].rows ? in_rows(arena, model, layouts[i].kind)
                                       : decoder_quantise(arena, &model, layouts[i].kind);
        task.cache = decoder_cache_new(arena, &task.decoder, config.context);
        fprintf(stderr, "%s_%s: %.1f MB a token\n", name, layouts[i].name, 1e-6 * bytes_of_a_token(&task));
        char label[64], request[80], kept_after[32];
        snprintf(label, sizeof label, "%s_%s", name, layouts[i].name);
        snprintf(request, sizeof request, "decode %s %s", name, layouts[i].name);
        BenchRow row = {.name = label,
                        .metric = "tokens_per_s",
                        .block = tokens_per_second,
                        .context = &task,
                        .request = layouts[i].rows || layouts[i].kind == STORED_INT8 ? NULL : request,
                        .block_seconds = seconds};
        bench_row(row, 2);
        row.metric = "bandwidth", row.block = fraction_of_bandwidth, row.request = NULL;
        bench_row(row, 2);
        if (i == 0) {
            snprintf(kept_after, sizeof kept_after, "%d tokens", COMPARED);
            snprintf(request, sizeof request, "logit %s fp32 %d", name, COMPARED);
            row.metric = "logit", row.block = largest_logit, row.request = compared ? request : NULL,
            row.kept = kept_after;
            row.outside_bar = true;
            bench_row(row, 1);
        }
        arena_free(arena);
    }
    arena_free(floats);
}

int main(void)
{
    const BenchPeer peers[] = {
        {.label = "PyTorch", .program = "decode_torch.py", .argument = raw_folder(), .bar = 1.0}};
    Arena *arena = arena_new();
    void *memory = arena_zeros(arena, READ, 1);
    memset(memory, 1, READ);
    bench_begin("decode", peers, 1);
    bench_row((BenchRow){.name = "decode_read",
                         .metric = "gbytes_per_s",
                         .block = gigabytes_read,
                         .context = memory,
                         .block_seconds = 0.3},
              2);
    rows("decode_15M", raw_wanted(),
         (GptConfig){.vocabulary = 32000,
                     .context = 256,
                     .layers = 6,
                     .heads = 6,
                     .key_heads = 6,
                     .head_width = 48,
                     .width = 288,
                     .hidden = 768},
         memory, 0.3);
    rows("decode_600M", false,
         (GptConfig){.vocabulary = 151936,
                     .context = 128,
                     .layers = 28,
                     .heads = 16,
                     .key_heads = 8,
                     .head_width = 128,
                     .width = 1024,
                     .hidden = 3072,
                     .query_key_norm = true},
         memory, 0.5);
    const int status = bench_end();
    arena_free(arena);
    return status;
}
