/*
# Text as numbers: the tokenizer

A network takes numbers and gives numbers. The models of the next chapters read text, so something must stand
at the door and turn one into the other: a **tokenizer** (分词器). It has a **vocabulary** (词表), a list of
strings; each of them, a **token** (词元), has a number; and a text becomes the numbers of the tokens that it
is cut into.

Which strings? Letters are few, but a sentence has many of them, and the network's work grows with the length.
Words make short lists, but there are too many: every name, every typing error, every Chinese sentence without
a blank in it would need an entry. So we want something between them, **subwords** (子词), and we let the text
itself decide which, with an idea of 1994 that was meant for making files smaller: **byte-pair encoding**
(字节对编码, BPE). Count which two neighbours meet most often; make them one token; begin again.

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

// Prints a token so that it can be read: a blank as ·, a newline as ⏎, a byte that is no whole character as <e6>
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
So the bytes are the tokens 0 to 255, and the longer tokens are made of them.

## The most frequent pair

Three small functions are all there is. A text is a list of tokens. We count how often each pair of neighbours
occurs; we take the most frequent pair, and of equally frequent ones the pair whose left number is lower, then
whose right number is lower (any rule does, but there must be one, or two programs learn different tokens); we
replace it everywhere, from left to right, by a new token. The pair and the new number are a **merge**
(合并规则).

One more rule hides in the counting. In `zzz` the pair (z, z) stands at two places, though only one of them
can be merged. Every place counts: that is simplest, and the original programs do it. Whoever counts a run
otherwise learns other merges, as we shall check.
*/

enum {
    PLAIN = 512, // vocabulary that the plain loops learn
    CUT = -1,    // a place where nothing may be merged
};

typedef struct {
    int left, right; // together they are token 256 + the merge's own number
} Merge;

static void count_pairs(int counts[PLAIN][PLAIN], const int *ids, int count)
{
    memset(counts, 0, sizeof(int[PLAIN][PLAIN]));
    for (int i = 0; i + 1 < count; i++)
        if (ids[i] != CUT && ids[i + 1] != CUT) counts[ids[i]][ids[i + 1]]++;
}

// The first of the most frequent pairs, in the order of left, then right
static Merge most_frequent(int counts[PLAIN][PLAIN], int tokens)
{
    Merge best = {0, 0};
    for (int left = 0; left < tokens; left++)
        for (int right = 0; right < tokens; right++)
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

// The bytes of a token: those of its left half, then those of its right half; returns where they end
static char *spell(char *to, int id, const Merge *merges)
{
    if (id < 256) {
        *to = (char)id;
        return to + 1;
    }
    return spell(spell(to, merges[id - 256].left, merges), merges[id - 256].right, merges);
}

// Learns merges from a list, until there are PLAIN tokens; the list ends up encoded. Returns its length.
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
longest of the 256.
*/

static void print_longest(const Merge *merges)
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

// How many of the tokens reach over the end of a word: a blank that is not their first byte
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
    print_longest(merges);
    int over = over_words(merges);
    printf("%zu bytes became %d tokens; %d of %d learned tokens reach over the end of a word\n\n", text.size,
           count, over, PLAIN - 256);
    claim(lesson, over >= (PLAIN - 256) / 4,
          "without cuts, at least a quarter of the tokens reach over the end of a word");
    return count;
}

/*
It works: two thirds of the length are gone, and the common syllables are tokens. But look at the longest
ones. They are ends of sentences with the beginning of the next, because this book likes to say "And God". A
token for such a phrase is an entry spent on one author's habit, and the word inside it, seen by the network
as part of a phrase with a number of its own, has nothing in common with the same word elsewhere.

## The pre-tokeniser

So the text is cut first, and no merge crosses a cut: the strings between cuts are **pre-tokens** (预分词).
GPT-2 does it with one regular expression:

    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+

In words: the English contractions; a word, with the one blank in front of it; a number, the same; other
signs, the same; white space, but leaving its last blank to the word that follows. The blank belongs to the
word *behind* it, so that joining the pre-tokens gives back the text, and "the" at the beginning of a line and
"·the" within it are two different tokens.

A regular expression is a program in another language. In C, for text in ASCII, it is this: the alternatives
are tried in their order, and the first that fits wins.
*/

typedef enum { LETTER, DIGIT, SIGN, WHITE } Kind;

static Kind kind_of(char c)
{
    if ((c | 32) >= 'a' && (c | 32) <= 'z') return LETTER;
    if (c >= '0' && c <= '9') return DIGIT;
    return c == ' ' || (c >= '\t' && c <= '\r') ? WHITE : SIGN;
}

// How many bytes from the first on are of its kind
static size_t run_length(Text text)
{
    size_t length = 1;
    while (length < text.size && kind_of(text.bytes[length]) == kind_of(text.bytes[0])) length++;
    return length;
}

// The size of the first pre-token of a text in ASCII that is not empty
static size_t plain_cut(Text text)
{
    static const char *const contractions[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
    for (int i = 0; i < 7; i++) {
        size_t size = strlen(contractions[i]);
        if (text.size >= size && memcmp(text.bytes, contractions[i], size) == 0) return size;
    }
    size_t blank = text.bytes[0] == ' ' && text.size > 1; // that a word may have in front of it
    Text word = {text.bytes + blank, text.size - blank};
    if (kind_of(word.bytes[0]) != WHITE) return blank + run_length(word);
    size_t white = run_length(text);
    return white < text.size && white > 1 ? white - 1 : white; // the last one belongs to what follows
}

// The bytes of a text in ASCII with a CUT behind each pre-token; returns how many numbers that is
static int cut_bytes(Arena *arena, Text text, int **ids)
{
    *ids = arena_alloc(arena, 2 * text.size, sizeof **ids);
    int count = 0;
    while (text.size) {
        size_t size = plain_cut(text);
        for (size_t i = 0; i < size; i++) (*ids)[count++] = (uint8_t)text.bytes[i];
        (*ids)[count++] = CUT;
        text = text_part(text, size, text.size - size);
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

/*
Is it the same program as the regular expression? We try all verses without an æ or a ’, and 3000 strings of
blanks, newlines, apostrophes, digits, signs and letters in disorder.
*/

static bool cut_alike(Arena *arena, Tokenizer *tokenizer, Text text)
{
    ArenaMark mark = arena_mark(arena);
    size_t words, w = 0, at = 0;
    TokenizerPiece *library = tokenizer_split(arena, tokenizer, text.bytes, text.size, &words);
    while (at < text.size && w < words) {
        size_t size = plain_cut(text_part(text, at, text.size - at));
        if (size != library[w].size) break;
        at += size, w++;
    }
    arena_rewind(arena, mark);
    return at == text.size && w == words;
}

static bool is_ascii(Text text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((uint8_t)text.bytes[i] >= 128) return false;
    return true;
}

// How many of the verses in ASCII, *tried, and of the strings in disorder the loops cut as the library does
static int count_alike(Lesson *lesson, Tokenizer *tokenizer, Verses verses, int strings, int *tried)
{
    static const char signs[] = "    \n\t'''stred.!,19aBllvm";
    int alike = 0;
    *tried = 0;
    for (int v = 0; v < verses.count; v++) {
        if (!is_ascii(verses.verses[v])) continue;
        alike += cut_alike(lesson_arena(lesson), tokenizer, verses.verses[v]);
        ++*tried;
    }
    Rng rng = lesson_rng(lesson, 2);
    for (int i = 0; i < strings; i++) {
        char bytes[24];
        size_t size = 1 + rng_below(&rng, sizeof bytes - 1);
        for (size_t k = 0; k < size; k++) bytes[k] = signs[rng_below(&rng, sizeof signs - 1)];
        alike += cut_alike(lesson_arena(lesson), tokenizer, (Text){bytes, size});
    }
    return alike;
}

// What loops and library merge first where it matters how a run is counted: z four times against b c twice
static bool runs_count_at_each_place(Arena *arena)
{
    Text text = text_of("zzzz bcxbc");
    static int counts[PLAIN][PLAIN];
    int *ids, count = cut_bytes(arena, text, &ids);
    count_pairs(counts, ids, count);
    Merge plain = most_frequent(counts, 256);
    Tokenizer *tokenizer = tokenizer_train(text.bytes, text.size, 257, NULL);
    TokenizerMerge library = tokenizer_merge(tokenizer, 0);
    tokenizer_free(tokenizer);
    return plain.left == 'z' && plain.right == 'z' && library.left == 'z' && library.right == 'z';
}

static void with_cuts(Lesson *lesson, Verses verses, Text text, Merge *merges, Tokenizer *tokenizer,
                      int uncut)
{
    section(lesson, "The pre-tokeniser");
    enum { MIXED = 3000 };
    Arena *arena = lesson_arena(lesson);
    Text example = text_of("It isn't 1984,  is it?");
    for (size_t at = 0, size; at < example.size; at += size) {
        size = plain_cut(text_part(example, at, example.size - at));
        printf(at ? " | " : ""), show(example.bytes + at, size);
    }
    int *ids, count = cut_bytes(arena, text, &ids);
    count = without_marks(ids, train_plainly(lesson, merges, ids, count));
    printf("\n\n");
    print_longest(merges);
    printf("%zu bytes became %d tokens (without cuts %d)\n\n", text.size, count, uncut);
    int tried, alike = count_alike(lesson, tokenizer, verses, MIXED, &tried);
    claim(lesson, alike == tried + MIXED,
          "plain C and the regular expression cut alike: %d verses, %d strings in disorder", tried, MIXED);
    claim(lesson, over_words(merges) == 0, "with cuts, no token reaches over the end of a word");
    claim(lesson, count > uncut,
          "the price: with a vocabulary as large, the text has more tokens than without cuts");
    claim(lesson, same_merges(tokenizer, merges),
          "the library, which never counts a pair twice, learns the same %d merges", PLAIN - 256);
    claim(lesson, runs_count_at_each_place(arena),
          "both count a run at each place: of \"zzzz bcxbc\" they merge (z, z) first");
}

/*
The library's version, `common/models/tokenizer_train.c`, gives the same merges without counting everything
anew for each: a merge changes only the pairs around the places where it happens, and a heap knows which pair
leads. It learns a vocabulary of 4096 from the whole Bible in a fraction of a second.

## Encode and decode

To **encode** (编码) a new text, begin with its bytes and do what was done in training, in the same order: the
first merge wherever its pair occurs, then the second, and so on. To **decode** (解码), write the bytes of the
tokens one after the other. There is nothing more to it.
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
        int *ids, count = cut_bytes(arena, verse, &ids);
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
second with GPT-2's vocabulary, on one thread.

## Two relatives

Two other ways to choose subwords are in use. **WordPiece**, of BERT (chapter 19), merges as well, but not the
pair that is most frequent: the one whose frequency is highest compared with that of its two halves, so that
rare halves that always meet go first. It forgets the merges and keeps the list; to encode a word, it takes at
each place the longest token of the list that fits. **Unigram** goes the other way: it begins with far too
many strings, gives each a probability, cuts every text so that the product is largest, and drops, again and
again, those whose loss hurts least. The library SentencePiece has both Unigram and BPE, and treats the blank
as a letter, `▁`, so that it needs no pre-tokeniser.

## Two real ones

GPT-2's tokenizer is two files: 50 257 tokens with their numbers, and 50 000 merges. Look into them,
and there is a strange letter everywhere: `Ġthe`, `Ġof`. It is the blank. A file of lines cannot hold a blank
or a newline as it is, so each of the 256 bytes gets a character that can be printed: the printable ones of
Latin-1 stand for themselves, the other 68, in their order, are U+0100, U+0101 and so on. The blank is the
33rd of these, U+0120, which happens to be Ġ; the newline is Ċ.
*/

// The character that stands for a byte in GPT-2's files
static uint32_t name_of_byte(int byte)
{
    uint32_t next = 0x100;
    for (int b = 0; b <= byte; b++) {
        bool printable = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
        if (b == byte) return printable ? (uint32_t)b : next;
        if (!printable) next++;
    }
    return next;
}

// How many of the bytes have that name in the file, with the number that the library gives them
static int names_in_file(Arena *arena, const char *path, const Tokenizer *tokenizer)
{
    Text file = text_read(arena, path);
    int found = 0;
    for (int b = 0; b < 256; b++) {
        char byte = (char)b, entry[32];
        uint32_t name = name_of_byte(b);
        int id = tokenizer_find(tokenizer, &byte, 1);
        if (name > '~')
            snprintf(entry, sizeof entry, "\"\\u%04x\": %d,", (unsigned)name, id);
        else
            snprintf(entry, sizeof entry, "\"%s%c\": %d,", name == '"' || name == '\\' ? "\\" : "", (int)name,
                     id);
        found += text_find(file, entry) < file.size;
    }
    return found;
}

/*
Qwen3's is one file, `tokenizer.json`, with a vocabulary of 151 643, another regular expression (digits one by
one; any one sign may begin a word), and two things more:

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

#define GPT2_VOCABULARY "datasets/cache/gpt2-tokenizer/encoder.json"
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
        printf("%s: vocabulary %d, %d merges. %zu tokens:", real_names[r], tokenizer_size(real[r]),
               tokenizer_merge_count(real[r]), tokens.count);
        for (size_t i = 0; i < tokens.count; i++) {
            TokenizerPiece token = tokenizer_piece(real[r], tokens.ids[i]);
            printf(" %d ", tokens.ids[i]);
            show(token.bytes, token.size);
        }
        printf("\n");
    }
    printf("\n");
    for (int r = 0; r < REAL; r++)
        claim(lesson, same[r] == lines && lines >= 150,
              "%s: the numbers of %d texts of %d are the original's", real_names[r], same[r], lines);
    claim(lesson, names_in_file(arena, GPT2_VOCABULARY, real[GPT2]) == 256,
          "all 256 bytes have in GPT-2's file the name that we compute, Ġ for the blank");
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

enum { STRINGS = 3000, THREE = 3 };

// How many of the strings in disorder come back, and how many of those that came back changed do so the second time
static void try_strings(Lesson *lesson, Tokenizer *const tokenizers[THREE], int once[THREE], int twice[THREE])
{
    Arena *arena = lesson_arena(lesson);
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
}

static void any_bytes(Lesson *lesson, Tokenizer *ours, Tokenizer *const real[REAL])
{
    section(lesson, "Any bytes at all");
    Tokenizer *tokenizers[THREE] = {ours, real[GPT2], real[QWEN3]};
    const char *names[THREE] = {"ours", "GPT-2", "Qwen3"};
    int once[THREE] = {0}, twice[THREE] = {0};
    try_strings(lesson, tokenizers, once, twice);
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
## How large a vocabulary?

More tokens to choose from make shorter texts. They also make a larger table in the network: a row of numbers
for each at the entrance, another at the exit. At 50 000 tokens and 768 features that is 39 million parameters
in GPT-2, a third of the smallest model. So what does an entry buy?

We train on the King James Bible and on Chinese proverbs, verses and sayings, with vocabularies of 512 to
16 384, and measure on every tenth line, which was not trained with. (A smaller vocabulary is the beginning of
a larger one: training only goes on.) There is a **ceiling**: no token crosses a cut, so a
token can never be longer than a pre-token.
*/

typedef struct {
    const char *name;
    Text train, test;
} Corpus;

// Every tenth line goes to the test, the others to the training text
static Corpus divided(Arena *arena, const char *name, Verses lines)
{
    size_t total = 0;
    for (int i = 0; i < lines.count; i++) total += lines.verses[i].size + 1;
    char *texts[2] = {arena_alloc(arena, total, 1), arena_alloc(arena, total, 1)};
    size_t sizes[2] = {0, 0};
    for (int i = 0; i < lines.count; i++) {
        int part = i % 10 == 9;
        Text line = lines.verses[i];
        memcpy(texts[part] + sizes[part], line.bytes, line.size);
        sizes[part] += line.size;
        texts[part][sizes[part]++] = '\n';
    }
    return (Corpus){name, {texts[0], sizes[0]}, {texts[1], sizes[1]}};
}

enum { ENGLISH, CHINESE, LANGUAGES, SIZES = 7, SMALLEST = 256 };

typedef struct {
    float vocabulary[SIZES], bytes_per_token[SIZES],
        saved[SIZES]; // saved: tokens of the test fewer than with half the vocabulary
    double ceiling;
    int sizes; // how many of the vocabularies could be filled
} Curve;

static Curve measure(Lesson *lesson, Corpus corpus)
{
    Curve curve = {.sizes = 0};
    Arena *arena = lesson_arena(lesson);
    size_t before = 0, words = 0;
    printf("%s: trained with %zu bytes, measured on %zu\n"
           "vocabulary   tokens   bytes per token   fewer tokens than with half   of the last saving\n",
           corpus.name, corpus.train.size, corpus.test.size);
    for (int s = 0; s < SIZES; s++) {
        ArenaMark mark = arena_mark(arena);
        int size = SMALLEST << s;
        Tokenizer *tokenizer = tokenizer_train(corpus.train.bytes, corpus.train.size, size, NULL);
        size_t tokens = tokenizer_encode(arena, tokenizer, corpus.test.bytes, corpus.test.size).count;
        bool filled = tokenizer_size(tokenizer) == size;
        if (filled) curve.sizes = s + 1;
        curve.vocabulary[s] = (float)tokenizer_size(tokenizer);
        curve.bytes_per_token[s] = (float)((double)corpus.test.size / (double)tokens);
        curve.saved[s] = s ? (float)(before - tokens) : 0.0f;
        printf("%10d %8zu %17.2f", tokenizer_size(tokenizer), tokens, (double)curve.bytes_per_token[s]);
        if (s) printf("%30zu", before - tokens);
        if (s > 1) printf("%21.2f", (double)curve.saved[s] / (double)curve.saved[s - 1]);
        printf("%s\n", filled ? "" : "  no pair occurs twice any more");
        if (s == 0) tokenizer_split(arena, tokenizer, corpus.test.bytes, corpus.test.size, &words);
        tokenizer_free(tokenizer);
        before = tokens;
        arena_rewind(arena, mark);
        lesson_progress(lesson, corpus.name, s + 1, SIZES, NAN);
    }
    curve.ceiling = (double)corpus.test.size / (double)words;
    printf("ceiling, bytes per pre-token: %.2f\n\n", curve.ceiling);
    return curve;
}

// Whether each doubling, from the second on, saves at most 4/5 of what the one before has saved
static bool returns_diminish(const Curve *curve)
{
    for (int s = 2; s < curve->sizes; s++)
        if (curve->saved[s] > 0.8f * curve->saved[s - 1]) return false;
    return true;
}

static void draw_curves(Lesson *lesson, const Curve curves[LANGUAGES])
{
    static const double ticks[SIZES] = {256, 512, 1024, 2048, 4096, 8192, 16384};
    static const char *const labels[SIZES] = {"256", "512", "1024", "2048", "4096", "8192", "16384"};
    Plot *plot = plot_begin(lesson, "curve.svg", "What a larger vocabulary buys");
    plot_axes(plot, "vocabulary", "bytes per token, on lines not trained with");
    plot_log(plot, "x");
    plot_x_ticks(plot, ticks, labels, SIZES);
    plot_line_points(plot, "English", curves[ENGLISH].vocabulary, curves[ENGLISH].bytes_per_token, SIZES);
    plot_line_points(plot, "Chinese", curves[CHINESE].vocabulary, curves[CHINESE].bytes_per_token, SIZES);
    plot_horizontal(plot, "ceiling, English", curves[ENGLISH].ceiling);
    plot_end(plot, "The first 256 merges buy the most. English ends just below its ceiling, "
                   "the length of a word; that of Chinese, 7.9, is far above the picture.");

    float x[LANGUAGES][SIZES], y[LANGUAGES][SIZES];
    for (int l = 0; l < LANGUAGES; l++)
        for (int s = 1; s < curves[l].sizes; s++) {
            x[l][s - 1] = curves[l].vocabulary[s];
            y[l][s - 1] = curves[l].saved[s] / (curves[l].vocabulary[s] - curves[l].vocabulary[s - 1]);
        }
    plot = plot_begin(lesson, "worth.svg", "What one more token is worth");
    plot_axes(plot, "vocabulary", "tokens fewer in the test, by each new entry");
    plot_log(plot, "xy");
    plot_x_ticks(plot, ticks, labels, SIZES);
    plot_line_points(plot, "English", x[ENGLISH], y[ENGLISH], curves[ENGLISH].sizes - 1);
    plot_line_points(plot, "Chinese", x[CHINESE], y[CHINESE], curves[CHINESE].sizes - 1);
    plot_end(plot, "On logarithmic scales the curves are nearly straight from the second point on: each "
                   "further doubling of "
                   "the vocabulary makes an entry worth a quarter to a third of what it was.");
}

static void how_many(Lesson *lesson, const Corpus corpora[LANGUAGES])
{
    section(lesson, "How large a vocabulary?");
    Curve curves[LANGUAGES];
    for (int l = 0; l < LANGUAGES; l++) curves[l] = measure(lesson, corpora[l]);
    for (int l = 0; l < LANGUAGES; l++) {
        claim(lesson, returns_diminish(&curves[l]),
              "%s: from the second on, each doubling saves at most four fifths of what the one before has "
              "saved",
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
The gain of an entry falls like a power of its rank: words do the same, which is **Zipf's law** (齐夫定律). It
is often said with a slope of one: if the entry of rank $r$ saved $c/r$ tokens, then every doubling, from $r$
to $2r$, would save the same $c \log 2$. That is not what we measure. The first doubling, from bytes alone, is
worth more than all the others together. From then on each saves between a half and 0.7 of what the one before
has saved, so the slope is between 1.5 and 2. Beyond a few thousand entries the English Bible has little more
to give, while Chinese, where a pre-token is a whole clause and where thousands of characters must be put
together first, still gains.

The two languages look alike per byte. But a Chinese byte is a third of a character. What does that mean for a
sentence?

## The price of a sentence

Who pays by the token pays for the language, too. Six sentences, said in English and in Chinese, through six
tokenizers: bytes alone, ours of 4096 tokens from the English text, from the Chinese text, and of 8192 from
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

static Tokenizer *train_on(Arena *arena, const Corpus *corpora, int first, int count, int vocabulary)
{
    ArenaMark mark = arena_mark(arena);
    size_t total = 0;
    for (int l = first; l < first + count; l++) total += corpora[l].train.size;
    char *text = arena_alloc(arena, total, 1), *to = text;
    for (int l = first; l < first + count; l++) {
        memcpy(to, corpora[l].train.bytes, corpora[l].train.size);
        to += corpora[l].train.size;
    }
    Tokenizer *tokenizer = tokenizer_train(text, total, vocabulary, NULL);
    arena_rewind(arena, mark);
    return tokenizer;
}

static const char *const offer_names[OFFERS] = {"bytes",      "ours, English", "ours, Chinese",
                                                "ours, both", "GPT-2",         "Qwen3"};

static void draw_prices(Lesson *lesson, int totals[OFFERS][LANGUAGES])
{
    float x[OFFERS], y[LANGUAGES][OFFERS];
    double ticks[OFFERS];
    for (int o = 0; o < OFFERS; o++) {
        ticks[o] = x[o] = (float)o;
        for (int l = 0; l < LANGUAGES; l++) y[l][o] = (float)totals[o][l];
    }
    Plot *plot = plot_begin(lesson, "price.svg", "Tokens for the same six sentences");
    plot_axes(plot, "tokenizer", "tokens");
    plot_x_ticks(plot, ticks, offer_names, OFFERS);
    plot_range_x(plot, -0.5, OFFERS - 0.5);
    plot_range_y(plot, 0.0, 300.0);
    plot_points(plot, "English", x, y[ENGLISH], OFFERS);
    plot_points(plot, "Chinese", x, y[CHINESE], OFFERS);
    plot_end(plot, "What is cheap depends on what the tokenizer was trained with, not on the language.");
}

static void price(Lesson *lesson, const Corpus corpora[LANGUAGES], Tokenizer *const real[REAL])
{
    section(lesson, "The price of a sentence");
    Arena *arena = lesson_arena(lesson);
    Tokenizer *offers[OFFERS] = {train_on(arena, corpora, ENGLISH, 1, 256),
                                 train_on(arena, corpora, ENGLISH, 1, 4096),
                                 train_on(arena, corpora, CHINESE, 1, 4096),
                                 train_on(arena, corpora, ENGLISH, 2, 8192),
                                 real[GPT2],
                                 real[QWEN3]};
    int totals[OFFERS][LANGUAGES] = {{0}}, dearer = 0;
    printf("six sentences    English   Chinese\n");
    for (int o = 0; o < OFFERS; o++) {
        for (int s = 0; s < SENTENCES; s++) {
            int tokens[LANGUAGES];
            for (int l = 0; l < LANGUAGES; l++) {
                const char *text = sentences[s][l];
                tokens[l] = (int)tokenizer_encode(arena, offers[o], text, strlen(text)).count;
                totals[o][l] += tokens[l];
            }
            if (o == 4) dearer += tokens[CHINESE] > tokens[ENGLISH];
        }
        printf("%-14s %9d %9d\n", offer_names[o], totals[o][ENGLISH], totals[o][CHINESE]);
    }
    printf("\n");
    claim(lesson, totals[0][CHINESE] < totals[0][ENGLISH],
          "in bytes, the Chinese sentences are shorter than the English");
    claim(lesson, dearer >= 5 && totals[4][CHINESE] * 2 > totals[4][ENGLISH] * 3,
          "to GPT-2, at least five of six cost more in Chinese, together more than half as much again");
    claim(lesson, totals[5][CHINESE] <= totals[5][ENGLISH], "to Qwen3 they cost no more than in English");
    claim(lesson, totals[1][CHINESE] == totals[0][CHINESE], "an English tokenizer leaves Chinese as bytes");
    draw_prices(lesson, totals);
    for (int o = 0; o < 4; o++) tokenizer_free(offers[o]);
}

/*
The sentence that Chinese is expensive for language models is true of GPT-2 and false of Qwen3. It is the
training text that decides: in bytes, the Chinese sentences are the shorter ones.

## What goes wrong

A tokenizer is trained once, before the model, and never again. Whatever it does badly, the network must work
around. Four things that you can see from here:
*/

// Whether each token occurs in a text
static void mark_used(Arena *arena, Tokenizer *tokenizer, Text text, bool *used)
{
    ArenaMark mark = arena_mark(arena);
    Tokens tokens = tokenizer_encode(arena, tokenizer, text.bytes, text.size);
    for (size_t i = 0; i < tokens.count; i++) used[tokens.ids[i]] = true;
    arena_rewind(arena, mark);
}

typedef struct {
    int places, before, behind;
} Cuts;

// A prompt and what comes after it, encoded apart: are these the tokens of the whole?
static bool goes_on(Arena *arena, Tokenizer *tokenizer, Text whole, size_t at)
{
    Text prompt = text_part(whole, 0, at), rest = text_part(whole, at, whole.size - at);
    Tokens all = tokenizer_encode(arena, tokenizer, whole.bytes, whole.size);
    Tokens first = tokenizer_encode(arena, tokenizer, prompt.bytes, prompt.size);
    Tokens second = tokenizer_encode(arena, tokenizer, rest.bytes, rest.size);
    return all.count == first.count + second.count &&
           memcmp(all.ids, first.ids, first.count * sizeof *all.ids) == 0 &&
           memcmp(all.ids + first.count, second.ids, second.count * sizeof *all.ids) == 0;
}

// Verses cut at a blank: how many go on when the blank is left to the rest, how many when it ends the prompt
static Cuts cut_at_blanks(Arena *arena, Tokenizer *tokenizer, Verses verses)
{
    Cuts cuts = {0, 0, 0};
    for (int v = 0; v < verses.count; v += 100) {
        ArenaMark mark = arena_mark(arena);
        Text verse = verses.verses[v];
        for (size_t at = 1; at + 1 < verse.size; at++) {
            if (verse.bytes[at] != ' ') continue;
            cuts.places++;
            cuts.before += goes_on(arena, tokenizer, verse, at);
            cuts.behind += goes_on(arena, tokenizer, verse, at + 1);
        }
        arena_rewind(arena, mark);
    }
    return cuts;
}

static void print_split(Tokenizer *tokenizer, Arena *arena, const char *text)
{
    Tokens tokens = tokenizer_encode(arena, tokenizer, text, strlen(text));
    printf("  ");
    for (size_t i = 0; i < tokens.count; i++) {
        TokenizerPiece token = tokenizer_piece(tokenizer, tokens.ids[i]);
        printf(i ? " | " : "");
        show(token.bytes, token.size);
    }
}

// In how many ways the numbers 1000 … 9999 are cut, by the lengths of their tokens; counts[ways] by pattern
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

// How many tokens of a vocabulary the text that they were learned from never uses; some are printed
static int print_unused(Lesson *lesson, Tokenizer *tokenizer, Text text)
{
    bool *used = arena_zeros(lesson_arena(lesson), (size_t)tokenizer_size(tokenizer), sizeof *used);
    mark_used(lesson_arena(lesson), tokenizer, text, used);
    int unused = 0;
    printf("ours, never used on the very text that they were learned from:");
    for (int id = 256; id < tokenizer_size(tokenizer); id++) {
        TokenizerPiece token = tokenizer_piece(tokenizer, id);
        if (used[id]) continue;
        if (unused++ < 12) printf(" "), show(token.bytes, token.size);
    }
    printf(" … %d of %d\n", unused, tokenizer_size(tokenizer) - 256);
    return unused;
}

static void goes_wrong(Lesson *lesson, Verses verses, const Corpus corpora[LANGUAGES],
                       Tokenizer *const real[REAL])
{
    section(lesson, "What goes wrong");
    Arena *arena = lesson_arena(lesson);
    static const char *const variants[] = {"hello", " hello", "Hello", "HELLO",
                                           "1000",  "1001",   "2026",  "12345678"};
    printf("GPT-2:");
    for (int i = 0; i < 8; i++) print_split(real[GPT2], arena, variants[i]);
    int ways[REAL] = {ways_of_cutting(arena, real[GPT2]), ways_of_cutting(arena, real[QWEN3])};
    printf("\nthe numbers from 1000 to 9999 are cut in %d ways by GPT-2, in %d by Qwen3\n", ways[GPT2],
           ways[QWEN3]);
    Cuts cuts = cut_at_blanks(arena, real[GPT2], verses);
    printf("prompts that end at a blank: %d; the tokens are those of the whole text in %d if it begins the "
           "rest,\n"
           "in %d if it ends the prompt\n\n",
           cuts.places, cuts.before, cuts.behind);
    Tokenizer *ours = train_on(arena, corpora, ENGLISH, 1, 4096);
    int unused = print_unused(lesson, ours, corpora[ENGLISH].train);
    tokenizer_free(ours);

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
    claim(lesson, cuts.before == cuts.places && cuts.behind == 0,
          "a prompt without its last blank always goes on with the tokens of the whole text, with it never");
    claim(lesson, unused >= 1 && unused < 384,
          "some learned tokens, fewer than one in ten, are never used again");
    claim(lesson, tokens[GPT2] == 1 && tokens[QWEN3] > 1,
          "one user's name is one token of GPT-2's, and several of Qwen3's");
}

/*
1. **The same word, four tokens.** With a blank, with a capital, in capitals: to the network these are four
   unrelated numbers until training has taught it otherwise.
2. **Numbers.** GPT-2 cuts them as its training text happened to have them: the digits do not stand in columns,
   and sums must be learned by heart. Qwen3 gives each digit a token.
3. **The blank at the end.** A prompt that ends with a blank ends with a token that, in all the text GPT-2 has seen,
   is hardly ever followed by a word, since the blank belongs to the word behind it. Then do not leave one.
4. **Tokens that nobody uses.** Some are steps on the way: "·daught" was needed to make "·daughter" and never
   occurs alone. Others come from the tokenizer's training text and not from the model's. "·SolidGoldMagikarp",
   the name of a busy user of a forum, is one token of GPT-2's; models that were hardly shown it later behaved
   strangely when asked to repeat it.

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "18-tokenizer", "Text as numbers: the tokenizer");
    Arena *arena = lesson_arena(lesson);
    Verses english = bible_load(arena).english;
    Text beginning = verses_text(arena, (Verses){100, english.verses});
    Corpus corpora[LANGUAGES] = {divided(arena, "English", english),
                                 divided(arena, "Chinese", sayings_load(arena))};
    Tokenizer *small = tokenizer_train(beginning.bytes, beginning.size, PLAIN, NULL);
    Tokenizer *real[REAL] = {tokenizer_load_gpt2(GPT2_VOCABULARY, "datasets/cache/gpt2-tokenizer/vocab.bpe"),
                             tokenizer_load("datasets/cache/qwen3-tokenizer/tokenizer.json")};

    why_bytes(lesson);
    int uncut = without_cuts(lesson, beginning);
    static Merge merges[PLAIN - 256];
    with_cuts(lesson, english, beginning, merges, small, uncut);
    encode_and_decode(lesson, english, merges, small);
    two_real_ones(lesson, real);
    any_bytes(lesson, small, real);
    how_many(lesson, corpora);
    price(lesson, corpora, real);
    goes_wrong(lesson, english, corpora, real);

    tokenizer_free(small);
    for (int r = 0; r < REAL; r++) tokenizer_free(real[r]);
    return lesson_end(lesson);
}

/*
## What to take along

- Begin with bytes, and nothing is unknown. Merge the most frequent neighbours, in a fixed order, and the text
  itself decides what a token is.
- A pre-tokeniser forbids tokens across words. Encoding repeats the merges in the order of training; decoding
  is spelling.
- Each doubling of the vocabulary saves less than the one before, and costs a table twice as large.
- What a sentence costs depends on the text that the tokenizer was trained with.
- The tokenizer's habits (blanks, capitals, digits, tokens that nobody uses) are the model's problems.

From here on a text is a list of whole numbers. Chapter 19 blanks some of them out, chapter 20 asks for the
next.

## Check yourself

**1.** We train on `ababab ababab` until no pair occurs twice. Which merges are learned, and how many tokens
has `abab` then?

<details><summary>Answer</summary>

The pre-tokens are `ababab` and `·ababab`. (a, b) stands at six places, more than (b, a) with four: token 256
is `ab`. Now (256, 256) stands at four places: token 257 is `abab`, and the words are 257 256 and · 257 256.
Next (257, 256) occurs twice: 258 is `ababab`. Then nothing occurs twice. `abab` is one token, 257.

</details>

**2.** Two programs have the same vocabulary of 1000 strings, and one of them has lost the *order* of the
merges. Can it still decode? Can it still encode?

<details><summary>Answer</summary>

It decodes: a number is a string, and nothing else is needed. It cannot encode as the other does, because the
order decides which of two overlapping merges goes first: with (b, c) before (a, b), the word `abc` is a, bc;
the other way round it is ab, c. The model behind has been trained on one of the two only.

</details>

**3.** A vocabulary of 4096 is doubled for a model of width 512 with separate tables for input and output.
What does it cost, and what does it buy on our English text?

<details><summary>Answer</summary>

4096 new rows in each of two tables: $2 \cdot 4096 \cdot 512 = 4.2$ million parameters. The test text shrinks
from 103 655 tokens to 97 759, by 5.7 %; the table of the section on the vocabulary shows it. Going from 512
to 1024 cost an eighth of that and saved 22 %.

</details>

**4.** A tokenizer that was trained on English meets a Chinese text of 1000 characters. How many tokens, and
does anything get lost?

<details><summary>Answer</summary>

3000, one for each byte, and nothing is lost: that is the point of beginning with bytes. But a model that sees
1000 tokens at once sees a third of the text, and each character must be put together from parts that mean
nothing alone. The column of prices shows it: 195 tokens for 195 bytes.

</details>

**5.** Why does the text get *longer* when merges may not cross words, and why is that accepted?

<details><summary>Answer</summary>

With the same number of entries, the best ones without cuts are phrases of this book; forbidding them leaves
worse ones, so 4393 tokens become 4595. But such a phrase saves something only in texts that repeat it, and it
hides the words in it from the model. The entries that are left, words and parts of words, are good for other
texts, too.

</details>

## Sources

- P. Gage, *A new algorithm for data compression*, The C Users Journal, 1994: byte-pair encoding.
- R. Sennrich, B. Haddow, A. Birch, *Neural machine translation of rare words with subword units*, 2016: merges
  as a vocabulary.
- A. Radford and others, *Language models are unsupervised multitask learners*, 2019: bytes as the alphabet, the
  regular expression.
- M. Schuster, K. Nakajima, *Japanese and Korean voice search*, 2012: WordPiece; J. Devlin and others, *BERT*, 2019.
- T. Kudo, *Subword regularization*, 2018: Unigram; T. Kudo, J. Richardson, *SentencePiece*, 2018.
- G. K. Zipf, *Human behavior and the principle of least effort*, 1949.
- J. Rumbelow, M. Watkins, *SolidGoldMagikarp (plus, prompt generation)*, 2023.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade18` tells how far you are,
`make hint18` helps.

- **TASK 18.1** `utf8_bytes`: a character as bytes.
- **TASK 18.2** `pair_to_merge`: count, and take the most frequent pair.
- **TASK 18.3** `merge_pair`: replace it, from left to right.
- **TASK 18.4** `encode_word`: the merge learned first wins.
- **TASK 18.5** `encode_longest`: the other way, at each place the longest token that fits, as WordPiece does.

And without a computer, or with five minutes at one:

**1.** Let `most_frequent` take the last of the most frequent pairs: write `>=` for `>`. Which claim notices,
and are the tokens worse?

<details><summary>Answer</summary>

"The library, which never counts a pair twice, learns the same 256 merges" fails, and with it that both give
the same numbers. The tokens are as good: measured, the hundred verses become 4596 tokens instead of 4595, and
a thousand other verses 63 383 instead of 62 958. Equal counts are decided by a coin in both; the rule must
only be one.

</details>

**2.** Encode in another way: at each place take the longest token that fits. For which verses do the numbers
change, and are they more or fewer?

<details><summary>Answer</summary>

Measured on every tenth verse from the thousandth on: with 512 tokens 2511 of 3009 verses change, 490 get
longer and 415 shorter; with 4096 tokens 1118 change, 122 longer and 224 shorter. The totals hardly move (184
864 for 184 735, 97 496 for 97 630). A vocabulary does not belong to one way of encoding; a trained model
does.

</details>

**3.** How many of the Chinese tokenizer's first thousand merges only put characters together? What if it began
with characters instead of bytes?

<details><summary>Answer</summary>

Measured: 274 of the results are parts of characters, 669 are one whole character, 57 are more than that.
Beginning with characters would save nearly all of these, at the price of an alphabet of thousands, and of an
"unknown" for every character that the training text did not have.

</details>

**4.** Why must an added token such as `<|im_end|>` not be found in what a user types? What would you change?

<details><summary>Answer</summary>

It ends a turn. A user who can write it can end the own turn and go on in the name of the system or of the
model. So what a user types is encoded without the first step, as ordinary characters, and only the program
itself puts in the numbers of added tokens.

</details>

**5.** GPT-2's own program finds `\u0085` to be white space, JavaScript does not, and the two give different
numbers. Which other places depend on a version of Unicode?

<details><summary>Answer</summary>

What `\p{L}` and `\p{N}` are: a letter that was added to Unicode last year is "another sign" to an older
table, and is cut differently. And the normal form, though there Unicode promises that what is normalised
today stays so. Bytes and merges depend on no version.

</details>
*/
