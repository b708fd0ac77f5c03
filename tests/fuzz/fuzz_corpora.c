// fuzz_corpora.c: the files of poems, reviews (a first letter r) and Bibles (b).
#include "fuzz.h"
#include "files/corpora.h"

#include <sys/stat.h>

static void poems(void *context)
{
    Arena *arena = arena_new();
    Poems poems = poems_load_at(HERE, arena, context);
    Text text = poems_text(arena, poems);
    size_t sum = 0;
    for (int i = 0; i < poems.count; i++) {
        sum += poems.poems[i].title.size + poems.poems[i].author.size + 3;
        for (int j = 0; j < poems.poems[i].count; j++) sum += poems.poems[i].lines[j].size + 1;
    }
    fuzz_require(sum == text.size, "%zu bytes of poems, %zu in the text", sum, text.size);
    arena_free(arena);
}

static void reviews(void *context)
{
    Arena *arena = arena_new();
    ReviewSet set = reviews_load_at(HERE, arena, context);
    for (int i = 0; i < set.train.count; i++) text_invalid(set.train.texts[i]);
    arena_free(arena);
}

static void bible(void *context)
{
    Arena *arena = arena_new();
    Bible bible = bible_load_at(HERE, arena, context);
    Text text = verses_text(arena, bible.spanish);
    int count;
    text_split(arena, text, "\n", &count);
    fuzz_require(count == bible.spanish.count, "%d verses are %d lines", bible.spanish.count, count);
    arena_free(arena);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    FuzzPart parts[3];
    const char *folder = fuzz_path("corpus");
    mkdir(folder, 0700);
    fuzz_parts(bytes, size, parts, 3);
    char kind = parts[0].size ? (char)parts[0].bytes[0] : 'p';
    bool review = kind == 'r';
    fuzz_file("corpus/verses.tsv", parts[1].bytes, parts[1].size);
    fuzz_file(review ? "corpus/train.tsv" : "corpus/tang300.txt", parts[1].bytes, parts[1].size);
    fuzz_file(review ? "corpus/test.tsv" : "corpus/song100.txt", parts[2].bytes, parts[2].size);
    fuzz_try(review ? reviews : kind == 'b' ? bible : poems, (void *)folder);
}
