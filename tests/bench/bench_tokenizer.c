// Encoding with the pieces of GPT-2 and of Qwen3, one thread: the King James Bible, 4.1 MB, and Chinese poems. Target: 10 MB
// of English a second with GPT-2's. And training: 4096 pieces from the Bible.
//
// A block encodes the whole text once. From the second block on, the tokenizer's cache knows its words.
#include "bench.h"
#include "files/corpora.h"
#include "models/tokenizer.h"
#include "timing.h"

typedef struct {
    Tokenizer *tokenizer;
    Text text;
} Work;

static double megabytes(Text text, double start) { return (double)text.size / 1e6 / (seconds_now() - start); }

static double encode(double seconds, void *context)
{
    (void)seconds;
    Work *work = context;
    Arena *arena = arena_new();
    double start = seconds_now();
    tokenizer_encode(arena, work->tokenizer, work->text.bytes, work->text.size);
    double rate = megabytes(work->text, start);
    arena_free(arena);
    return rate;
}

static double train(double seconds, void *context)
{
    (void)seconds;
    Work *work = context;
    double start = seconds_now();
    Tokenizer *tokenizer = tokenizer_train(work->text.bytes, work->text.size, 4096, NULL);
    double rate = megabytes(work->text, start);
    tokenizer_free(tokenizer);
    return rate;
}

static double load(double seconds, void *context)
{
    (void)seconds, (void)context;
    double start = seconds_now();
    tokenizer_free(tokenizer_load("datasets/cache/qwen3-tokenizer/tokenizer.json"));
    return seconds_now() - start;
}

int main(void)
{
    Arena *arena = arena_new();
    Text bible = verses_text(arena, bible_load(arena).english);
    Text poems = poems_text(arena, poems_load(arena));
    Tokenizer *gpt2 = tokenizer_load_gpt2("datasets/cache/gpt2-tokenizer/encoder.json",
                                          "datasets/cache/gpt2-tokenizer/vocab.bpe");
    Tokenizer *qwen3 = tokenizer_load("datasets/cache/qwen3-tokenizer/tokenizer.json");
    Work works[] = {{gpt2, bible}, {qwen3, bible}, {gpt2, poems}, {qwen3, poems}};
    const char *const names[] = {"gpt2_english", "qwen3_english", "gpt2_chinese", "qwen3_chinese"};
    bench_begin("tokenizer", NULL, 0);
    for (int i = 0; i < 4; i++)
        bench_row((BenchRow){.name = names[i], .metric = "mb_per_s", .block = encode, .context = &works[i]},
                  1);
    bench_row((BenchRow){.name = "train_4096", .metric = "mb_per_s", .block = train, .context = &works[0]},
              1);
    bench_row((BenchRow){.name = "load_qwen3", .metric = "seconds", .lower_is_better = true, .block = load},
              1);
    int status = bench_end();
    tokenizer_free(gpt2);
    tokenizer_free(qwen3);
    arena_free(arena);
    return status;
}
