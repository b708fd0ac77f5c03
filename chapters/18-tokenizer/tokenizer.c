/*
# Text as numbers: the tokenizer

A network takes numbers and gives numbers. The models of the next chapters read text, so something must stand
at the door and turn one into the other: a **tokenizer** (分词器). It has a list of **pieces** (子词) of text;
each has a number; a text becomes the numbers of its pieces, its **tokens** (词元).

Which pieces? Letters are few, but a sentence has many of them, and the network's work grows with the length.
Words are short lists, but there are too many: every name, every typing error, every Chinese sentence without
a blank in it would need an entry. In this chapter we let the text itself decide, with an idea of 1994 that
was meant for making files smaller: **byte-pair encoding** (字节对编码, BPE). Count which two neighbours meet
most often; make them one piece; begin again.

We write it in plain loops, then load the files of two real models, GPT-2 and Qwen3, and get their numbers
exactly. And we measure what a tokenizer does to the model behind it, which is more than one would like.

You need C and patience; no earlier chapter. The next ones stand on this one.
*/

#include "files/corpora.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/tokenizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
## Why bytes?

What is the alphabet that we begin with? Unicode has about 150 000 characters. Begin with all of them, and the
list is long before we have learned anything; begin with some, and the first emoji that is missing becomes an
"unknown". But in a file every character is already written with something smaller: in **UTF-8**, one to four
**bytes** (字节). There are 256 bytes, all of them known on the first day. Whatever can be stored can be
encoded.
*/

// Prints a piece so that it can be read: a blank as ·, a newline as ⏎, a byte that is no whole character as <e6>
static void show(const char *bytes, size_t size)
{
    Text text = {bytes, size};
    for (size_t at = 0; at < size;) {
        size_t from = at;
        uint32_t character = text_next(text, &at);
        if (character == UTF8_REPLACEMENT) {
            for (; from < at; from++) printf("<%02x>", (unsigned)(uint8_t)bytes[from]);
        } else if (character == ' ') {
            printf("·");
        } else if (character == '\n') {
            printf("⏎");
        } else {
            printf("%.*s", (int)(at - from), bytes + from);
        }
    }
}

static void why_bytes(Lesson *lesson)
{
    section(lesson, "Why bytes?");
    static const char *const characters[] = {"e", "é", "月", "😀"};
    for (int i = 0; i < 4; i++) {
        printf("%s", characters[i]);
        for (const char *at = characters[i]; *at; at++) printf(" %02x", (unsigned)(uint8_t)*at);
        printf("\n");
    }
    Text english = text_of("The moon is bright tonight."), chinese = text_of("今晚月亮很亮。");
    printf("\n\"%s\": %zu characters, %zu bytes\n", english.bytes, text_characters(english), english.size);
    printf("\"%s\": %zu characters, %zu bytes\n\n", chinese.bytes, text_characters(chinese), chinese.size);
    claim(lesson, chinese.size == 3 * text_characters(chinese) && english.size == text_characters(english),
          "a Chinese character costs three bytes, an English one costs one");
}

/*
So the bytes are the pieces 0 to 255, and the longer pieces are made of them.

## The most frequent pair

Three small functions are all there is. A text is a list of pieces. We count how often each pair of neighbours
occurs; we take the most frequent pair, and of equally frequent ones the pair whose left number is lower, then
whose right number is lower (any rule does, but there must be one, or two programs learn different pieces); we
replace it everywhere, from left to right, by a new piece. The pair and the new number are a **merge**
(合并规则).
*/

enum {
    PLAIN = 512, // pieces that the plain loops learn
    CUT = -1,    // a place where nothing may be merged
};

typedef struct {
    int left, right; // together they are piece 256 + the merge's own number
} Merge;

static void count_pairs(int counts[PLAIN][PLAIN], const int *ids, int count)
{
    memset(counts, 0, sizeof(int[PLAIN][PLAIN]));
    for (int i = 0; i + 1 < count; i++)
        if (ids[i] != CUT && ids[i + 1] != CUT) counts[ids[i]][ids[i + 1]]++;
}

// The first of the most frequent pairs, in the order of left, then right
static Merge most_frequent(int counts[PLAIN][PLAIN], int pieces)
{
    Merge best = {0, 0};
    for (int left = 0; left < pieces; left++)
        for (int right = 0; right < pieces; right++)
            if (counts[left][right] > counts[best.left][best.right]) best = (Merge){left, right};
    return best;
}

// Replaces the pair in the list; returns the new length
static int merge_everywhere(int *ids, int count, Merge merge, int made)
{
    int kept = 0;
    for (int i = 0; i < count; i++) {
        bool here = ids[i] == merge.left && i + 1 < count && ids[i + 1] == merge.right;
        ids[kept++] = here ? made : ids[i];
        if (here) i++;
    }
    return kept;
}

// The bytes of a piece: those of its left half, then those of its right half; returns where they end
static char *spell(char *to, int id, const Merge *merges)
{
    if (id < 256) {
        *to = (char)id;
        return to + 1;
    }
    return spell(spell(to, merges[id - 256].left, merges), merges[id - 256].right, merges);
}

// Learns merges from a list, until there are PLAIN pieces; the list ends up encoded. Returns its length.
static int train_plainly(Lesson *lesson, Merge *merges, int *ids, int count)
{
    static int counts[PLAIN][PLAIN];
    for (int made = 256; made < PLAIN; made++) {
        count_pairs(counts, ids, count);
        merges[made - 256] = most_frequent(counts, made);
        count = merge_everywhere(ids, count, merges[made - 256], made);
        lesson_progress(lesson, "merging", made - 255, PLAIN - 256, NAN);
    }
    return count;
}

/*
We train on the first hundred verses of the King James Bible, and look at what is learned first, and at the
longest pieces of the 256.
*/

static void print_pieces(const Merge *merges)
{
    char bytes[4096];
    int longest[PLAIN - 256];
    size_t sizes[PLAIN - 256];
    printf("first: ");
    for (int m = 0; m < PLAIN - 256; m++) {
        sizes[m] = (size_t)(spell(bytes, 256 + m, merges) - bytes);
        int at = m;
        for (; at > 0 && sizes[longest[at - 1]] < sizes[m]; at--) longest[at] = longest[at - 1];
        longest[at] = m;
        if (m < 16) show(bytes, sizes[m]), printf("  ");
    }
    printf("\nlongest: ");
    for (int k = 0; k < 8; k++) {
        spell(bytes, 256 + longest[k], merges);
        show(bytes, sizes[longest[k]]);
        printf("  ");
    }
    printf("\n");
}

// How many of the pieces reach over the end of a word: a blank that is not their first byte
static int over_words(const Merge *merges)
{
    char bytes[4096];
    int over = 0;
    for (int m = 0; m < PLAIN - 256; m++) {
        size_t size = (size_t)(spell(bytes, 256 + m, merges) - bytes);
        over += memchr(bytes + 1, ' ', size - 1) != NULL;
    }
    return over;
}

static int without_cuts(Lesson *lesson, Text text)
{
    section(lesson, "The most frequent pair");
    Arena *arena = lesson_arena(lesson);
    int *ids = arena_alloc(arena, text.size, sizeof *ids);
    for (size_t i = 0; i < text.size; i++) ids[i] = (uint8_t)text.bytes[i];
    static Merge merges[PLAIN - 256];
    int count = train_plainly(lesson, merges, ids, (int)text.size);
    print_pieces(merges);
    int over = over_words(merges);
    printf("%zu bytes became %d tokens; %d of %d learned pieces reach over the end of a word\n\n", text.size,
           count, over, PLAIN - 256);
    claim(lesson, over >= (PLAIN - 256) / 4,
          "without cuts, at least a quarter of the pieces reach over the end of a word");
    return count;
}

/*
It works: two thirds of the length are gone, and the common syllables are pieces. But look at the longest
ones. They are ends of sentences with the beginning of the next, because this book likes to say "And God". A
piece for such a phrase is a slot of the list spent on one author's habit, and the word inside it, seen by the
network as part of a phrase with a number of its own, has nothing in common with the same word elsewhere.

## The pre-tokeniser

So the text is cut first, and no merge crosses a cut: the pieces between cuts are **pre-tokens** (预分词).
GPT-2 does it with one regular expression:

    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+

In words: the English contractions; a word, with the one blank in front of it; a number, the same; other
signs, the same; white space, but leaving its last blank to the word that follows. The blank belongs to the
word *behind* it, so that joining the pieces gives back the text, and "the" at the beginning of a line and
"·the" within it are two different pieces.

The plain loops need not change: a cut is a `CUT` in the list.
*/

// The bytes of a text with a CUT behind each pre-token; returns how many numbers that is
static int cut_bytes(Arena *arena, Tokenizer *tokenizer, Text text, int **ids)
{
    size_t words;
    TokenizerPiece *pieces = tokenizer_split(arena, tokenizer, text.bytes, text.size, &words);
    *ids = arena_alloc(arena, text.size + words, sizeof **ids);
    int count = 0;
    for (size_t w = 0; w < words; w++) {
        for (size_t i = 0; i < pieces[w].size; i++) (*ids)[count++] = (uint8_t)pieces[w].bytes[i];
        (*ids)[count++] = CUT;
    }
    return count;
}

static int without_marks(int *ids, int count)
{
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (ids[i] != CUT) ids[kept++] = ids[i];
    return kept;
}

static bool same_merges(const Tokenizer *tokenizer, const Merge *merges)
{
    for (int m = 0; m < PLAIN - 256; m++) {
        TokenizerMerge library = tokenizer_merge(tokenizer, m);
        if (library.left != merges[m].left || library.right != merges[m].right) return false;
    }
    return true;
}

static void with_cuts(Lesson *lesson, Text text, Merge *merges, Tokenizer *tokenizer, int uncut)
{
    section(lesson, "The pre-tokeniser");
    Arena *arena = lesson_arena(lesson);
    const char *example = "It isn't 1984,  is it?";
    size_t words;
    TokenizerPiece *pieces = tokenizer_split(arena, tokenizer, example, strlen(example), &words);
    for (size_t w = 0; w < words; w++) printf(w ? " | " : ""), show(pieces[w].bytes, pieces[w].size);
    int *ids, count = cut_bytes(arena, tokenizer, text, &ids);
    count = without_marks(ids, train_plainly(lesson, merges, ids, count));
    printf("\n\n");
    print_pieces(merges);
    printf("%zu bytes became %d tokens (without cuts %d)\n\n", text.size, count, uncut);
    claim(lesson, over_words(merges) == 0, "with cuts, no piece reaches over the end of a word");
    claim(lesson, count > uncut,
          "the price: with as many pieces, the text has more tokens than without cuts");
    claim(lesson, same_merges(tokenizer, merges),
          "the library, which never counts a pair twice, learns the same %d merges", PLAIN - 256);
}

/*
The library's version, `common/models/tokenizer_train.c`, gives the same merges without counting everything
anew for each: a merge changes only the pairs around the places where it happens, and a heap knows which pair
leads. It learns 4096 pieces from the whole Bible in a fraction of a second.

## Encode and decode

To **encode** (编码) a new text, begin with its bytes and do what was done in training, in the same order: the
first merge wherever its pair occurs, then the second, and so on. To **decode** (解码), write the bytes of the
pieces one after the other. There is nothing more to it.
*/

static int encode_plainly(int *ids, int count, const Merge *merges)
{
    for (int m = 0; m < PLAIN - 256; m++) count = merge_everywhere(ids, count, merges[m], 256 + m);
    return without_marks(ids, count);
}

static void encode_and_decode(Lesson *lesson, Verses verses, const Merge *merges, Tokenizer *tokenizer)
{
    section(lesson, "Encode and decode");
    enum { FIRST = 1000, LAST = 1100 }; // none of them was trained with
    Arena *arena = lesson_arena(lesson);
    int same = 0, back = 0;
    for (int v = FIRST; v < LAST; v++) {
        ArenaMark mark = arena_mark(arena);
        Text verse = verses.verses[v];
        int *ids, count = cut_bytes(arena, tokenizer, verse, &ids);
        count = encode_plainly(ids, count, merges);
        Tokens tokens = tokenizer_encode(arena, tokenizer, verse.bytes, verse.size);
        same += tokens.count == (size_t)count && memcmp(tokens.ids, ids, (size_t)count * sizeof *ids) == 0;
        char *bytes = arena_alloc(arena, verse.size + 1, 1), *to = bytes;
        for (int i = 0; i < count; i++) {
            to = spell(to, ids[i], merges);
            if (v == FIRST) printf("%s%d ", i && i % 16 == 0 ? "\n" : "", ids[i]);
        }
        back += text_equal((Text){bytes, (size_t)(to - bytes)}, verse);
        if (v == FIRST) printf("\n%.*s\n\n", (int)(to - bytes), bytes);
        arena_rewind(arena, mark);
    }
    claim(lesson, same == LAST - FIRST,
          "plain loops and library give the same numbers, on %d verses that are new to both", LAST - FIRST);
    claim(lesson, back == LAST - FIRST, "decoding gives every verse back");
}

/*
Going through all merges for every text would be slow with 50 000 of them. The library
(`common/models/tokenizer.c`) keeps the neighbours that may be merged in a heap, the first learned on top, so
that a million times the same letter is no trouble; and it remembers the pre-tokens that it has seen, for most
text is made of the same few thousand words. `make bench NAME=tokenizer` measures it: some 50 MB of English a
second with GPT-2's pieces, on one thread.

## Two real ones

GPT-2's tokenizer is two files: 50 257 pieces with their numbers, and 50 000 merges. Qwen3's is one,
`tokenizer.json`, with 151 643 pieces, another regular expression (digits one by one; any one sign may begin a
word), and two things more:

- 26 **added tokens** (附加词元) such as `<|im_start|>`. They are looked for in the text before anything else, and
  are how a chat model knows who speaks;
- a **normal form** (规范化): Unicode can write é as one character or as an e with a combining accent. Qwen3's
  file asks for the form NFC, in which both become the first. GPT-2 takes each as it comes.

Do we get *their* numbers? A list of 242 awkward texts lies in `datasets/tokenizer-reference.tsv`, with the
numbers that two independent programs give them: runs of blanks, digits in five scripts, emoji made of seven
characters, accents in the wrong order, half an added token. (The two programs are ports to JavaScript, and
take two characters for white space, or not, where the originals decide otherwise. The list leaves them out;
we side with the originals.)
*/

// A text of the list, in place: \n, \r, \t, \0 and \\ are escapes
static Text unescaped(char *text)
{
    const char *letters = "nrt0\\", *values = "\n\r\t\0\\";
    char *to = text;
    for (const char *at = text; *at; at++) {
        const char *which = *at == '\\' ? strchr(letters, *++at) : NULL;
        *to++ = which ? values[which - letters] : *at;
    }
    return (Text){text, (size_t)(to - text)};
}

static bool equals_list(Tokens tokens, const char *numbers)
{
    size_t count = 0;
    char *end;
    for (long id = strtol(numbers, &end, 10); end != numbers; id = strtol(numbers = end, &end, 10), count++)
        if (count >= tokens.count || tokens.ids[count] != id) return false;
    return count == tokens.count;
}

enum { GPT2, QWEN3, REAL };
static const char *const real_names[REAL] = {"GPT-2", "Qwen3"};

static void two_real_ones(Lesson *lesson, Tokenizer *const real[REAL])
{
    section(lesson, "Two real ones");
    Arena *arena = lesson_arena(lesson);
    int lines, same[REAL] = {0};
    Text *list = text_split(arena, text_read(arena, "datasets/tokenizer-reference.tsv"), "\n", &lines);
    for (int i = 0; i < lines; i++) {
        int columns;
        Text *row = text_split(arena, list[i], "\t", &columns);
        check(columns == 1 + REAL, NULL, "tokenizer-reference.tsv: line %d has %d columns", i + 1, columns);
        Text text = unescaped(text_string(arena, row[0]));
        for (int r = 0; r < REAL; r++)
            same[r] += equals_list(tokenizer_encode(arena, real[r], text.bytes, text.size),
                                   text_string(arena, row[1 + r]));
    }
    const char *example = "Tokenisation of 1984 in 中文: 😀";
    for (int r = 0; r < REAL; r++) {
        Tokens tokens = tokenizer_encode(arena, real[r], example, strlen(example));
        printf("%s: %d pieces, %d merges. %zu tokens:", real_names[r], tokenizer_size(real[r]),
               tokenizer_merge_count(real[r]), tokens.count);
        for (size_t i = 0; i < tokens.count; i++) {
            TokenizerPiece piece = tokenizer_piece(real[r], tokens.ids[i]);
            printf(" %d ", tokens.ids[i]);
            show(piece.bytes, piece.size);
        }
        printf("\n");
    }
    printf("\n");
    for (int r = 0; r < REAL; r++)
        claim(lesson, same[r] == lines && lines >= 150,
              "%s: the numbers of %d texts of %d are the original's", real_names[r], same[r], lines);
}

/*
## Any bytes at all

A tokenizer that begins with bytes cannot meet anything unknown. So decode(encode(x)) = x should hold for
*anything*: half characters, pictures, random bytes. The original programs take texts and leave the case open;
ours makes each byte that is not part of a character a pre-token of its own. We try 3000 strings of random
bytes and characters on each tokenizer.

And Qwen3? Its normal form changes what it reads, so x does not always come back. But a second trip must
change nothing more.
*/

// Bytes, characters of many kinds and added tokens in disorder; returns how many bytes
static size_t disorder(Rng *rng, char *bytes)
{
    static const char *const parts[] = {"e\xcc\x81",
                                        "月",
                                        "😀",
                                        " ",
                                        "\n",
                                        "the",
                                        "'s",
                                        "12",
                                        "<|im_end|>",
                                        "\xe6\x9c",
                                        "é",
                                        "\xea\xb0\x80",
                                        "\xe1\x84\x80\xe1\x85\xa1"};
    size_t size = 0;
    for (int k = (int)rng_below(rng, 30); k > 0; k--) {
        if (rng_below(rng, 2)) {
            bytes[size++] = (char)rng_below(rng, 256);
        } else {
            const char *part = parts[rng_below(rng, sizeof parts / sizeof *parts)];
            memcpy(bytes + size, part, strlen(part));
            size += strlen(part);
        }
    }
    return size;
}

static Text there_and_back(Arena *arena, Tokenizer *tokenizer, Text text)
{
    Tokens tokens = tokenizer_encode(arena, tokenizer, text.bytes, text.size);
    Text back;
    back.bytes = tokenizer_decode(arena, tokenizer, tokens.ids, tokens.count, &back.size);
    return back;
}

static void any_bytes(Lesson *lesson, Tokenizer *ours, Tokenizer *const real[REAL])
{
    section(lesson, "Any bytes at all");
    enum { STRINGS = 3000, THREE = 3 };
    Arena *arena = lesson_arena(lesson);
    Tokenizer *tokenizers[THREE] = {ours, real[GPT2], real[QWEN3]};
    const char *names[THREE] = {"ours", "GPT-2", "Qwen3"};
    int once[THREE] = {0}, twice[THREE] = {0};
    for (int i = 0; i < STRINGS; i++) {
        ArenaMark mark = arena_mark(arena);
        Rng rng = lesson_rng(lesson, 1000 + (uint64_t)i);
        char bytes[512];
        Text text = {bytes, disorder(&rng, bytes)};
        for (int k = 0; k < THREE; k++) {
            Text back = there_and_back(arena, tokenizers[k], text);
            once[k] += text_equal(back, text);
            twice[k] += text_equal(there_and_back(arena, tokenizers[k], back), back);
        }
        arena_rewind(arena, mark);
    }
    for (int k = 0; k < THREE; k++)
        printf("%-5s %d of %d strings come back, %d after a second trip\n", names[k], once[k], STRINGS,
               twice[k]);
    printf("\n");
    claim(lesson, once[0] == STRINGS && once[1] == STRINGS,
          "ours and GPT-2's: decode(encode(x)) = x for any bytes");
    claim(lesson, once[2] < STRINGS, "Qwen3's changes some texts: those that are not in the normal form");
    claim(lesson, twice[2] == STRINGS, "and changes nothing the second time");
}

/*
## How many pieces?

More pieces make shorter texts. They also make a larger table in the network: a row of numbers for each piece
at the entrance, another at the exit. At 50 000 pieces and 768 features that is 39 million parameters in GPT-2,
a third of the smallest model. So what does a piece buy?

We train on the King James Bible and on Chinese proverbs, verses and sayings, with 512 to 16 384 pieces, and
measure on every tenth line, which was not trained with. There is a **ceiling**: no piece crosses a cut, so a
token can never be longer than a pre-token.
*/

typedef struct {
    const char *name;
    Text train, test;
} Corpus;

// Every tenth line goes to the test, the others to the training text
static Corpus divided(Arena *arena, const char *name, const Text *lines, int count)
{
    size_t total = 0;
    for (int i = 0; i < count; i++) total += lines[i].size + 1;
    char *texts[2] = {arena_alloc(arena, total, 1), arena_alloc(arena, total, 1)};
    size_t sizes[2] = {0, 0};
    for (int i = 0; i < count; i++) {
        int part = i % 10 == 9;
        memcpy(texts[part] + sizes[part], lines[i].bytes, lines[i].size);
        sizes[part] += lines[i].size;
        texts[part][sizes[part]++] = '\n';
    }
    return (Corpus){name, {texts[0], sizes[0]}, {texts[1], sizes[1]}};
}

// The lines of the sayings that are Chinese throughout, without the lines that name the source.
static Corpus sayings_load(Arena *arena)
{
    int count, kept = 0;
    Text *lines = text_split(arena, text_read(arena, "datasets/cache/sayings/sayings.txt"), "\n", &count);
    for (int l = 0; l < count; l++) {
        Text line = text_collapse_blanks(arena, lines[l]);
        bool chinese = false, foreign = text_find(line, "--") < line.size;
        for (size_t at = 0; at < line.size;) {
            uint32_t c = text_next(line, &at);
            chinese |= c >= 0x4e00 && c <= 0x9fff;
            foreign |= (c < 128 && (c | 32) >= 'a' && (c | 32) <= 'z') ||
                       (c >= 0x2500 && c < 0x2600); // letters, frames
        }
        if (chinese && !foreign) lines[kept++] = line;
    }
    return divided(arena, "Chinese", lines, kept);
}

enum { ENGLISH, CHINESE, LANGUAGES, SIZES = 7, SMALLEST = 256 };

typedef struct {
    float pieces[SIZES], bytes_per_token[SIZES],
        saved[SIZES]; // saved: tokens of the test fewer than with half the pieces
    double ceiling;
    int sizes; // how many of the vocabularies could be filled
    bool nested;
} Curve;

static Curve measure(Lesson *lesson, Corpus corpus)
{
    Curve curve = {.nested = true};
    Arena *arena = lesson_arena(lesson);
    ArenaMark mark = arena_mark(arena);
    size_t before = 0, words;
    Tokenizer *previous = NULL;
    printf("%s: trained with %zu bytes, measured on %zu\n  pieces   tokens   bytes per token   fewer tokens "
           "than with half\n",
           corpus.name, corpus.train.size, corpus.test.size);
    for (int s = 0; s < SIZES; s++) {
        int pieces = SMALLEST << s;
        Tokenizer *tokenizer = tokenizer_train(corpus.train.bytes, corpus.train.size, pieces, NULL);
        size_t tokens = tokenizer_encode(arena, tokenizer, corpus.test.bytes, corpus.test.size).count;
        for (int m = 0; previous && m < tokenizer_merge_count(previous); m++)
            curve.nested &= tokenizer_merge(previous, m).left == tokenizer_merge(tokenizer, m).left &&
                            tokenizer_merge(previous, m).right == tokenizer_merge(tokenizer, m).right;
        bool filled = tokenizer_size(tokenizer) == pieces;
        if (filled) curve.sizes = s + 1;
        curve.pieces[s] = (float)tokenizer_size(tokenizer);
        curve.bytes_per_token[s] = (float)((double)corpus.test.size / (double)tokens);
        curve.saved[s] = s ? (float)(before - tokens) : 0.0f;
        printf("%8d %8zu %12.2f", tokenizer_size(tokenizer), tokens, (double)curve.bytes_per_token[s]);
        if (s) printf("%20zu", before - tokens);
        printf("%s\n", filled ? "" : "   no pair occurs twice any more");
        if (s == 0) tokenizer_split(arena, tokenizer, corpus.test.bytes, corpus.test.size, &words);
        tokenizer_free(previous);
        previous = tokenizer;
        before = tokens;
        arena_rewind(arena, mark);
        lesson_progress(lesson, corpus.name, s + 1, SIZES, NAN);
    }
    tokenizer_free(previous);
    curve.ceiling = (double)corpus.test.size / (double)words;
    printf("ceiling, bytes per pre-token: %.2f\n\n", curve.ceiling);
    return curve;
}

static bool returns_diminish(const Curve *curve)
{
    for (int s = 2; s < curve->sizes; s++)
        if (curve->saved[s] >= curve->saved[s - 1]) return false;
    return true;
}

static void draw_curves(Lesson *lesson, const Curve curves[LANGUAGES])
{
    static const double ticks[SIZES] = {256, 512, 1024, 2048, 4096, 8192, 16384};
    static const char *const labels[SIZES] = {"256", "512", "1024", "2048", "4096", "8192", "16384"};
    Plot *plot = plot_begin(lesson, "curve.png", "What more pieces buy");
    plot_axes(plot, "pieces", "bytes per token, on lines not trained with");
    plot_log(plot, "x");
    plot_x_ticks(plot, ticks, labels, SIZES);
    plot_line_points(plot, "English", curves[ENGLISH].pieces, curves[ENGLISH].bytes_per_token, SIZES);
    plot_line_points(plot, "Chinese", curves[CHINESE].pieces, curves[CHINESE].bytes_per_token, SIZES);
    plot_horizontal(plot, "ceiling, English", curves[ENGLISH].ceiling);
    plot_end(plot, "The first 256 merges buy the most. English ends just below its ceiling, "
                   "the length of a word; that of Chinese, 7.9, is far above the picture.");

    float x[LANGUAGES][SIZES], y[LANGUAGES][SIZES];
    for (int l = 0; l < LANGUAGES; l++)
        for (int s = 1; s < curves[l].sizes; s++) {
            x[l][s - 1] = curves[l].pieces[s];
            y[l][s - 1] = curves[l].saved[s] / (curves[l].pieces[s] - curves[l].pieces[s - 1]);
        }
    plot = plot_begin(lesson, "worth.png", "What one more piece is worth");
    plot_axes(plot, "pieces", "tokens saved in the test by each new piece");
    plot_log(plot, "xy");
    plot_x_ticks(plot, ticks, labels, SIZES);
    plot_line_points(plot, "English", x[ENGLISH], y[ENGLISH], curves[ENGLISH].sizes - 1);
    plot_line_points(plot, "Chinese", x[CHINESE], y[CHINESE], curves[CHINESE].sizes - 1);
    plot_end(plot,
             "On logarithmic scales the curves are nearly straight. Each step to the right "
             "doubles the number of pieces, and makes a piece worth a quarter to a third of what it was.");
}

static void how_many(Lesson *lesson, const Corpus corpora[LANGUAGES])
{
    section(lesson, "How many pieces?");
    Curve curves[LANGUAGES];
    for (int l = 0; l < LANGUAGES; l++) curves[l] = measure(lesson, corpora[l]);
    for (int l = 0; l < LANGUAGES; l++) {
        claim(lesson, returns_diminish(&curves[l]),
              "%s: each doubling of the vocabulary saves fewer tokens than the one before", corpora[l].name);
        claim(lesson, curves[l].nested, "%s: the smaller vocabularies are the beginnings of the larger ones",
              corpora[l].name);
    }
    claim(lesson,
          (double)curves[ENGLISH].bytes_per_token[SIZES - 1] <= curves[ENGLISH].ceiling &&
              (double)curves[ENGLISH].bytes_per_token[SIZES - 1] >= 0.9 * curves[ENGLISH].ceiling,
          "English comes within a tenth of its ceiling, and not above");
    claim(lesson, (double)curves[CHINESE].bytes_per_token[SIZES - 1] <= 0.5 * curves[CHINESE].ceiling,
          "Chinese stays below half of its own");
    draw_curves(lesson, curves);
}

/*
The gain of a piece falls like a power of its rank: words do the same, which is **Zipf's law** (齐夫定律). It is
often said with a slope of one: if a piece of rank $r$ saved $c/r$ tokens, then every doubling, from $r$ to $2r$,
would save the same $c \log 2$. That is not what we measure: each doubling saves between a half and 0.7 of
what the one before has saved, so the slope is nearer to two. Beyond a few thousand pieces the English Bible has
little more to give, while Chinese, where a pre-token is a whole clause and where thousands of characters must
be put together first, still gains.

The two languages look alike per byte. But a Chinese byte is a third of a character. What does that mean for a
sentence?

## The price of a sentence

Who pays by the token pays for the language, too. Six sentences, said in English and in Chinese, through six
tokenizers: bytes alone, ours of 4096 pieces from the English text, from the Chinese text, and of 8192 from
both, and the two real ones.
*/

enum { SENTENCES = 6, OFFERS = 6 };
static const char *const sentences[SENTENCES][LANGUAGES] = {
    {"The moon is bright tonight, and I think of home.", "今晚月亮很亮，我想家了。"},
    {"How much does this bread cost?", "这个面包多少钱？"},
    {"Learning without thinking is labour lost.", "学而不思则罔。"},
    {"A neural network is a function with many parameters.", "神经网络是一个有很多参数的函数。"},
    {"It rained for three days, and the river rose.", "下了三天雨，河水涨了。"},
    {"Please read the first chapter before tomorrow.", "请在明天之前读第一章。"}};

static Tokenizer *train_on(Arena *arena, const Corpus *corpora, int first, int count, int pieces)
{
    ArenaMark mark = arena_mark(arena);
    size_t total = 0;
    for (int l = first; l < first + count; l++) total += corpora[l].train.size;
    char *text = arena_alloc(arena, total, 1), *to = text;
    for (int l = first; l < first + count; l++) {
        memcpy(to, corpora[l].train.bytes, corpora[l].train.size);
        to += corpora[l].train.size;
    }
    Tokenizer *tokenizer = tokenizer_train(text, total, pieces, NULL);
    arena_rewind(arena, mark);
    return tokenizer;
}

static void price(Lesson *lesson, const Corpus corpora[LANGUAGES], Tokenizer *const real[REAL])
{
    section(lesson, "The price of a sentence");
    Arena *arena = lesson_arena(lesson);
    static const char *const names[OFFERS] = {"bytes",      "ours, English", "ours, Chinese",
                                              "ours, both", "GPT-2",         "Qwen3"};
    Tokenizer *offers[OFFERS] = {train_on(arena, corpora, ENGLISH, 1, 256),
                                 train_on(arena, corpora, ENGLISH, 1, 4096),
                                 train_on(arena, corpora, CHINESE, 1, 4096),
                                 train_on(arena, corpora, ENGLISH, 2, 8192),
                                 real[GPT2],
                                 real[QWEN3]};
    int totals[OFFERS][LANGUAGES] = {{0}}, dearer = 0;
    for (int o = 0; o < OFFERS; o++)
        for (int s = 0; s < SENTENCES; s++) {
            int tokens[LANGUAGES];
            for (int l = 0; l < LANGUAGES; l++) {
                const char *text = sentences[s][l];
                tokens[l] = (int)tokenizer_encode(arena, offers[o], text, strlen(text)).count;
                totals[o][l] += tokens[l];
            }
            if (o == 4) dearer += tokens[CHINESE] > tokens[ENGLISH];
        }
    float x[OFFERS], y[LANGUAGES][OFFERS];
    double ticks[OFFERS];
    printf("six sentences    English   Chinese\n");
    for (int o = 0; o < OFFERS; o++) {
        printf("%-14s %9d %9d\n", names[o], totals[o][ENGLISH], totals[o][CHINESE]);
        ticks[o] = x[o] = (float)o;
        for (int l = 0; l < LANGUAGES; l++) y[l][o] = (float)totals[o][l];
    }
    printf("\n");
    claim(lesson, totals[0][CHINESE] < totals[0][ENGLISH],
          "in bytes, the Chinese sentences are shorter than the English");
    claim(lesson, dearer >= 5 && totals[4][CHINESE] * 2 > totals[4][ENGLISH] * 3,
          "to GPT-2, at least five of six cost more in Chinese, together more than half as much again");
    claim(lesson, totals[5][CHINESE] <= totals[5][ENGLISH], "to Qwen3 they cost no more than in English");
    claim(lesson, totals[1][CHINESE] == totals[0][CHINESE], "an English tokenizer leaves Chinese as bytes");
    Plot *plot = plot_begin(lesson, "price.png", "Tokens for the same six sentences");
    plot_axes(plot, "tokenizer", "tokens");
    plot_x_ticks(plot, ticks, names, OFFERS);
    plot_range_x(plot, -0.5, OFFERS - 0.5);
    plot_range_y(plot, 0.0, 300.0);
    plot_points(plot, "English", x, y[ENGLISH], OFFERS);
    plot_points(plot, "Chinese", x, y[CHINESE], OFFERS);
    plot_end(plot, "What is cheap depends on what the tokenizer was trained with, not on the language.");
    for (int o = 0; o < 4; o++) tokenizer_free(offers[o]);
}

/*
The sentence that Chinese is expensive for language models is true of GPT-2 and false of Qwen3. It is the
training text that decides: in bytes, the Chinese sentences are the shorter ones.

## What goes wrong

A tokenizer is trained once, before the model, and never again. Whatever it does badly, the network must work
around. Four things that you can see from here:
*/

// Whether each piece occurs in a text; returns how often a lone blank stands in front of a letter
static int mark_used(Arena *arena, Tokenizer *tokenizer, Text text, bool *used)
{
    ArenaMark mark = arena_mark(arena);
    Tokens tokens = tokenizer_encode(arena, tokenizer, text.bytes, text.size);
    int blank = tokenizer_find(tokenizer, " ", 1), lonely = 0;
    for (size_t i = 0; i < tokens.count; i++) {
        used[tokens.ids[i]] = true;
        if (i + 1 == tokens.count || tokens.ids[i] != blank) continue;
        char next = tokenizer_piece(tokenizer, tokens.ids[i + 1]).bytes[0];
        lonely += (next | 32) >= 'a' && (next | 32) <= 'z';
    }
    arena_rewind(arena, mark);
    return lonely;
}

static void print_split(Tokenizer *tokenizer, Arena *arena, const char *text)
{
    Tokens tokens = tokenizer_encode(arena, tokenizer, text, strlen(text));
    printf("  ");
    for (size_t i = 0; i < tokens.count; i++) {
        TokenizerPiece piece = tokenizer_piece(tokenizer, tokens.ids[i]);
        printf(i ? " | " : "");
        show(piece.bytes, piece.size);
    }
}

// In how many ways the numbers 1000 … 9999 are cut, by the lengths of their pieces; counts[ways] by pattern
static int ways_of_cutting(Arena *arena, Tokenizer *tokenizer)
{
    bool seen[5 * 5 * 5 * 5] = {false};
    int ways = 0;
    for (int number = 1000; number < 10000; number++) {
        ArenaMark mark = arena_mark(arena);
        char text[8];
        snprintf(text, sizeof text, "%d", number);
        Tokens tokens = tokenizer_encode(arena, tokenizer, text, 4);
        size_t pattern = 0;
        for (size_t i = 0; i < tokens.count; i++)
            pattern = 5 * pattern + tokenizer_piece(tokenizer, tokens.ids[i]).size;
        ways += !seen[pattern];
        seen[pattern] = true;
        arena_rewind(arena, mark);
    }
    return ways;
}

static void goes_wrong(Lesson *lesson, const Corpus corpora[LANGUAGES], Tokenizer *const real[REAL])
{
    section(lesson, "What goes wrong");
    Arena *arena = lesson_arena(lesson);
    Tokenizer *ours = train_on(arena, corpora, ENGLISH, 1, 4096);
    static const char *const variants[] = {"hello", " hello", "Hello", "HELLO",
                                           "1000",  "1001",   "2026",  "12345678"};
    printf("GPT-2:");
    for (int i = 0; i < 8; i++) print_split(real[GPT2], arena, variants[i]);
    int ways[REAL] = {ways_of_cutting(arena, real[GPT2]), ways_of_cutting(arena, real[QWEN3])};
    printf("\nthe numbers from 1000 to 9999 are cut in %d ways by GPT-2, in %d by Qwen3\n", ways[GPT2],
           ways[QWEN3]);

    bool *used = arena_zeros(arena, (size_t)tokenizer_size(real[GPT2]), sizeof *used);
    int lonely = mark_used(arena, real[GPT2], corpora[ENGLISH].train, used);
    printf("a lone blank in front of a letter, in %zu bytes of English: %d times\n\n",
           corpora[ENGLISH].train.size, lonely);

    memset(used, 0, (size_t)tokenizer_size(real[GPT2]));
    mark_used(arena, ours, corpora[ENGLISH].train, used);
    int unused = 0;
    printf("ours, never used on the very text that they were learned from:");
    for (int id = 256; id < tokenizer_size(ours); id++) {
        TokenizerPiece piece = tokenizer_piece(ours, id);
        if (used[id]) continue;
        if (unused++ < 12) printf(" "), show(piece.bytes, piece.size);
    }
    printf(" … %d of %d\n", unused, tokenizer_size(ours) - 256);

    const char *glitch = " SolidGoldMagikarp";
    size_t tokens[REAL];
    for (int r = 0; r < REAL; r++) {
        tokens[r] = tokenizer_encode(arena, real[r], glitch, strlen(glitch)).count;
        printf("%s:", real_names[r]);
        print_split(real[r], arena, glitch);
        printf("\n");
    }
    printf("\n");
    claim(lesson, ways[GPT2] >= 3 && ways[QWEN3] == 1,
          "GPT-2 cuts numbers of four digits in at least three ways, Qwen3 in one");
    claim(lesson, lonely == 0, "a lone blank never stands in front of a word");
    claim(lesson, unused >= 1 && unused < 384,
          "some learned pieces, fewer than one in ten, are never used again");
    claim(lesson, tokens[GPT2] == 1 && tokens[QWEN3] > 1,
          "one user's name is one piece of GPT-2's, and several of Qwen3's");
    tokenizer_free(ours);
}

/*
1. **The same word, four pieces.** With a blank, with a capital, in capitals: to the network these are four
   unrelated numbers until training has taught it otherwise.
2. **Numbers.** GPT-2 cuts them as its training text happened to have them: the digits do not stand in columns,
   and sums must be learned by heart. Qwen3 gives each digit a token.
3. **The blank at the end.** A prompt that ends with a blank ends with a piece that, in all the text the model
   has seen, is never followed by a word, since the blank belongs to the word behind it. Then do not leave one.
4. **Pieces that nobody uses.** Some are steps on the way: "·daught" was needed to make "·daughter" and never
   occurs alone. Others come from the tokenizer's training text and not from the model's. "·SolidGoldMagikarp",
   the name of a busy user of a forum, is one piece of GPT-2's; models that were hardly shown it later behaved
   strangely when asked to repeat it.

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "18-tokenizer", "Text as numbers: the tokenizer");
    Arena *arena = lesson_arena(lesson);
    Verses english = bible_load(arena).english;
    Text beginning = verses_text(arena, (Verses){100, english.verses});
    Corpus corpora[LANGUAGES] = {divided(arena, "English", english.verses, english.count),
                                 sayings_load(arena)};
    Tokenizer *small = tokenizer_train(beginning.bytes, beginning.size, PLAIN, NULL);
    Tokenizer *real[REAL] = {tokenizer_load_gpt2("datasets/cache/gpt2-tokenizer/encoder.json",
                                                 "datasets/cache/gpt2-tokenizer/vocab.bpe"),
                             tokenizer_load("datasets/cache/qwen3-tokenizer/tokenizer.json")};

    why_bytes(lesson);
    int uncut = without_cuts(lesson, beginning);
    static Merge merges[PLAIN - 256];
    with_cuts(lesson, beginning, merges, small, uncut);
    encode_and_decode(lesson, english, merges, small);
    two_real_ones(lesson, real);
    any_bytes(lesson, small, real);
    how_many(lesson, corpora);
    price(lesson, corpora, real);
    goes_wrong(lesson, corpora, real);

    tokenizer_free(small);
    for (int r = 0; r < REAL; r++) tokenizer_free(real[r]);
    return lesson_end(lesson);
}

/*
## What to take along

- Begin with bytes, and nothing is unknown. Merge the most frequent neighbours, in a fixed order, and the text
  itself decides what a piece is.
- A pre-tokeniser forbids pieces across words. Encoding repeats the merges in the order of training; decoding
  is spelling.
- Each doubling of the vocabulary saves less than the one before, and costs a table twice as large.
- What a sentence costs depends on the text that the tokenizer was trained with.
- The tokenizer's habits (blanks, capitals, digits, pieces that nobody uses) are the model's problems.

From here on a text is a list of whole numbers. Chapter 19 blanks some of them out, chapter 20 asks for the
next.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade18` tells how far you are,
`make hint18` helps.

- **TASK 18.1** `utf8_bytes`: a character as bytes.
- **TASK 18.2** `pair_to_merge`: count, and take the most frequent pair.
- **TASK 18.3** `merge_pair`: replace it, from left to right.
- **TASK 18.4** `encode_word`: the merge learned first wins.
- **TASK 18.5** `decode_pieces`: back to bytes.

And without a computer, or with five minutes at one:

1. Let `most_frequent` take the last of the most frequent pairs: write `>=` for `>`. Which claim notices, and
   are the pieces worse?
2. Encode in another way: at each place take the longest piece that fits. For which verses do the numbers
   change, and are they more or fewer?
3. How many of the Chinese tokenizer's first thousand merges only put characters together? What if it began
   with characters instead of bytes?
4. Why must an added token such as `<|im_end|>` not be found in what a user types? What would you change?
5. GPT-2's own program finds `\u0085` to be white space, JavaScript does not, and the two give different
   numbers. Which other places depend on a version of Unicode?
*/
