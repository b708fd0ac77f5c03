/*
# BERT: fill in the blank

"And God saw the ___, that it was good." Whoever can fill in the blank has read to the left *and* to the right.
The GPT of chapter 20 cannot: it sees only what stands to the left, since it wants to write. If we only want to
*read*, nothing forbids the other half, and the game becomes another one: hide some words of a text, and guess
them from all that is left. A network that was trained on this game is **BERT** (2018), the game is **masked
language modelling** (掩码语言模型), and it too needs no labels but the text.

The game is a means. The promise is that a network that has played it needs only a few labelled examples for
something else. We test the promise twice, and once it will hold:

- Is a name that no labelled example contains a person, a place or a people? Only the sentence around it can tell.
- What kind of book does a verse come from, and does a review praise?

Each time with opponents that cost a second and that are tuned like ours: the same network without the game, and
a logistic regression on words.

You need attention (chapter 16), residual connections (chapter 9) and logistic regression (chapter 2).
*/

#include "base/mathf.h"
#include "base/name_table.h"
#include "files/corpora.h"
#include "learning/lbfgs.h"
#include "learning/logistic.h"
#include "learning/metrics.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/block.h"
#include "models/pca.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
## Words, verses and names

Our text is again the King James Bible, this time as a row of *words*: letters in lower case, or one mark of
punctuation. The 3997 commonest ones get numbers, all others share one, `[UNK]`. In front of each verse stands
`[CLS]`, which is no word; what it is for comes later.

In the set `names` the verses come with braces around each person, place and people: "And {Terah} lived seventy
years, and begat {Abram}". Nobody has written these labels by hand. The edition gives for most words the number
of the Hebrew or Greek word in Strong's dictionaries, where word 8646 is "Terach the father of Abraham": so
"father" makes a person of it, by one of a hundred such phrases. They are **silver labels** (银标签): of 50 names
drawn at random, all 50 were right by eye, and names that the dictionary gives several types (Moab is a man, his
people and their land) are left out.

Every fifth chapter is held out. No network sees any of it while it learns: half is for choosing (dev), half is
for the final figures (test).
*/

enum {
    CLS,        // [CLS]
    MASK,       // [MASK]
    UNKNOWN,    // [UNK]
    FIRST_WORD, // the commonest word has this number
    VOCABULARY = 4000,
    MOST_TIME = 64, // T: tokens of a text; what is longer is cut off
    LONGEST_WORD = 40,
    MOST_DIFFERENT = 40000, // words
    KINDS = 6,              // of books
};

typedef enum { TRAIN, DEV, TEST } Part;

typedef struct {
    int size;     // V
    char **words; // [size]
    NameTable table;
} Vocabulary;

typedef struct {
    int count; // of tokens, [CLS] included
    int *ids;
    Part part;
    int label; // of the whole: the kind of book, or whether a review praises
} Sentence;

typedef struct {
    int sentence, at; // which token it is
    int name;         // in the list of names
} Mention;

typedef struct {
    Vocabulary vocabulary;
    int count;
    Sentence *sentences;
    MarkedBible bible;
    int mention_count;
    Mention *mentions;
} Corpus;

typedef struct {
    char letters[LONGEST_WORD + 1]; // in lower case
    Text written;
    bool marked;
} Word;

static bool is_letter(unsigned char c)
{
    return ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9') || (c >= 0x80 && c != 0xE2);
}

// The next word of a text from *at on; long dashes and curly quotation marks, which begin with E2, only separate.
static bool next_word(Text text, size_t *at, Word *word)
{
    word->marked = false;
    for (; *at < text.size; (*at)++) {
        unsigned char c = (unsigned char)text.bytes[*at];
        if (c == 0xE2)
            *at += 2;
        else if (c == '{')
            word->marked = true;
        else if (c != ' ' && c != '}')
            break;
    }
    if (*at >= text.size) return false;
    size_t begin = *at, length = 0;
    do {
        unsigned char c = (unsigned char)text.bytes[(*at)++];
        if (length < LONGEST_WORD) word->letters[length++] = (char)(c >= 'A' && c <= 'Z' ? c | 32 : c);
    } while (is_letter((unsigned char)text.bytes[begin]) && *at < text.size &&
             (is_letter((unsigned char)text.bytes[*at]) || text.bytes[*at] == '-'));
    word->letters[length] = '\0';
    word->written = (Text){text.bytes + begin, *at - begin};
    return true;
}

typedef struct {
    const char *word;
    int count;
} Counted;

static int by_count(const void *a, const void *b)
{
    const Counted *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : strcmp(x->word, y->word);
}

// The commonest words of the training part
static Vocabulary vocabulary_of(Arena *arena, const Text *texts, const Part *parts, int count)
{
    Counted *counted = arena_alloc(arena, MOST_DIFFERENT, sizeof *counted);
    char **names = arena_alloc(arena, MOST_DIFFERENT, sizeof *names);
    NameTable table = name_table_new(arena, MOST_DIFFERENT);
    int different = 0;
    Word word;
    for (int i = 0; i < count; i++)
        for (size_t at = 0; parts[i] == TRAIN && next_word(texts[i], &at, &word);) {
            int id = name_table_find(&table, names, word.letters);
            if (id < 0 && different == MOST_DIFFERENT) continue;
            if (id < 0) {
                id = different++;
                names[id] = arena_string(arena, word.letters);
                name_table_put(&table, names, id);
                counted[id] = (Counted){names[id], 0};
            }
            counted[id].count++;
        }
    qsort(counted, (size_t)different, sizeof *counted, by_count);
    Vocabulary v = {.size = int_min(VOCABULARY, FIRST_WORD + different)};
    v.words = arena_alloc(arena, (size_t)v.size, sizeof *v.words);
    v.table = name_table_new(arena, (size_t)v.size);
    static const char *const special[FIRST_WORD] = {"[CLS]", "[MASK]", "[UNK]"};
    for (int i = 0; i < v.size; i++) {
        v.words[i] = arena_string(arena, i < FIRST_WORD ? special[i] : counted[i - FIRST_WORD].word);
        name_table_put(&v.table, v.words, i);
    }
    return v;
}

static int word_id(const Vocabulary *v, const char *word)
{
    int id = name_table_find(&v->table, v->words, word);
    return id < 0 ? UNKNOWN : id;
}

static Sentence sentence_of(Arena *arena, const Vocabulary *v, Text text, Part part, int label)
{
    Sentence s = {.ids = arena_alloc(arena, MOST_TIME, sizeof *s.ids), .part = part, .label = label};
    s.ids[s.count++] = CLS;
    Word word;
    for (size_t at = 0; s.count < MOST_TIME && next_word(text, &at, &word);)
        s.ids[s.count++] = word_id(v, word.letters);
    return s;
}

static int compare_name(const void *key, const void *item)
{
    const Text *text = key;
    const TypedName *name = item;
    int order =
        memcmp(text->bytes, name->name.bytes, text->size < name->name.size ? text->size : name->name.size);
    return order ? order : (text->size > name->name.size) - (text->size < name->name.size);
}

static void find_mentions(Arena *arena, Corpus *c)
{
    enum { MOST_MENTIONS = 40000 };
    c->mentions = arena_alloc(arena, MOST_MENTIONS, sizeof *c->mentions);
    for (int v = 0; v < c->count; v++) {
        Word word;
        int t = 1;
        for (size_t at = 0; t < MOST_TIME && next_word(c->bible.verses[v].text, &at, &word); t++) {
            if (!word.marked || c->mention_count == MOST_MENTIONS) continue;
            const TypedName *name = bsearch(&word.written, c->bible.names, (size_t)c->bible.name_count,
                                            sizeof *name, compare_name);
            if (name) c->mentions[c->mention_count++] = (Mention){v, t, (int)(name - c->bible.names)};
        }
    }
}

static void print_corpus(const Corpus *c, const int verses[3])
{
    long tokens = 0, unknown = 0;
    int types[NAME_TYPES] = {0}, mentions[NAME_TYPES] = {0};
    for (int i = 0; i < c->count; i++)
        for (int t = 1; t < c->sentences[i].count; t++)
            tokens++, unknown += c->sentences[i].ids[t] == UNKNOWN;
    for (int n = 0; n < c->bible.name_count; n++) types[c->bible.names[n].type]++;
    for (int m = 0; m < c->mention_count; m++) mentions[c->bible.names[c->mentions[m].name].type]++;
    printf("verses to train with, dev, test:  %d, %d, %d\n", verses[TRAIN], verses[DEV], verses[TEST]);
    printf("words: %ld, of which %.1f%% are not among the %d commonest\n\n", tokens,
           100.0 * (double)unknown / (double)tokens, c->vocabulary.size - FIRST_WORD);
    printf("          different  mentions\n");
    static const char *const names[NAME_TYPES] = {"persons", "places", "peoples"};
    for (int t = 0; t < NAME_TYPES; t++) printf("%-8s  %9d  %8d\n", names[t], types[t], mentions[t]);
    printf("\nverse 4 of Genesis 1 in numbers:");
    for (int t = 0; t < c->sentences[3].count; t++) printf(" %d", c->sentences[3].ids[t]);
    printf("\nand back:");
    for (int t = 0; t < c->sentences[3].count; t++)
        printf(" %s", c->vocabulary.words[c->sentences[3].ids[t]]);
    printf("\n\n");
}

static Corpus *open_corpus(Lesson *lesson)
{
    section(lesson, "Words, verses and names");
    static const char *const first_books[KINDS] = {"Gen", "Josh", "Job", "Isa", "Matt", "Rom"};
    Arena *arena = lesson_arena(lesson);
    Corpus *c = arena_zeros(arena, 1, sizeof *c);
    c->bible = names_load(arena);
    c->count = c->bible.verse_count;
    Part *parts = arena_alloc(arena, (size_t)c->count, sizeof *parts);
    Text *texts = arena_alloc(arena, (size_t)c->count, sizeof *texts);
    int verses[3] = {0}, kind = -1;
    c->sentences = arena_alloc(arena, (size_t)c->count, sizeof *c->sentences);
    for (int v = 0, chapter = 0; v < c->count; v++) {
        const MarkedVerse *verse = &c->bible.verses[v];
        if (v > 0 && (verse->chapter != verse[-1].chapter || !text_equal(verse->book, verse[-1].book)))
            chapter++;
        texts[v] = verse->text;
        parts[v] = chapter % 5 < 4 ? TRAIN : chapter % 10 == 4 ? DEV : TEST;
        verses[parts[v]]++;
    }
    c->vocabulary = vocabulary_of(arena, texts, parts, c->count);
    for (int v = 0; v < c->count; v++) {
        if (kind + 1 < KINDS && text_equal(c->bible.verses[v].book, text_of(first_books[kind + 1]))) kind++;
        c->sentences[v] = sentence_of(arena, &c->vocabulary, texts[v], parts[v], kind);
    }
    find_mentions(arena, c);
    print_corpus(c, verses);
    return c;
}

/*
## Eighty, ten, ten

Of the words of a verse we choose each with probability 0.2 (BERT: 0.15). The network shall guess the chosen
ones; what it sees in their places is decided by a second draw:

- with probability 0.8 the token `[MASK]`,
- with 0.1 some other word of the vocabulary, whichever,
- with 0.1 the word itself.

Why not always `[MASK]`? Because no text that the network will ever be used on contains it. When an ordinary
word may be wrong, or may be right and will be asked for, the network has to make up its mind at ordinary words
too. So goes the reason that the paper gives; we shall see what it is worth.

The loss counts *chosen positions only*. With $M$ the set of the chosen, and $\tilde w$ the text as the network
sees it,

$$L = \frac{1}{|M|} \sum_{t \in M} -\ln P(w_t \mid \tilde w).$$

In the code, `rows` lists the chosen positions. The network's states are gathered at these rows *before* the
product with the table of 4000 words, so four fifths of the largest product are never computed.
*/

static const float CHOSEN = 0.2f, AS_MASK = 0.8f, AS_OTHER = 0.1f;

// Sentences of one batch, padded at the end to the longest: B × T tokens.
typedef struct {
    int count, time, *ids;      // B, T, [B · T]
    int *lengths;               // [B]
    int chosen, *rows, *labels; // [chosen] which rows of B · T are looked at, and what is expected there
} Batch;

enum { MOST_TOKENS = 4096 }; // of a batch

static Batch batch_new(Arena *arena)
{
    Batch b = {.ids = arena_alloc(arena, MOST_TOKENS, sizeof *b.ids)};
    b.lengths = arena_alloc(arena, MOST_TOKENS, sizeof *b.lengths);
    b.rows = arena_alloc(arena, MOST_TOKENS, sizeof *b.rows);
    b.labels = arena_alloc(arena, MOST_TOKENS, sizeof *b.labels);
    return b;
}

static void fill_batch(Batch *b, const Sentence *sentences, const int *which, int count)
{
    b->count = count, b->time = 0, b->chosen = 0;
    for (int i = 0; i < count; i++) b->time = int_max(b->time, sentences[which[i]].count);
    for (int i = 0; i < count; i++) {
        const Sentence *s = &sentences[which[i]];
        b->lengths[i] = s->count;
        for (int t = 0; t < b->time; t++) b->ids[i * b->time + t] = t < s->count ? s->ids[t] : CLS;
    }
}

// What is seen in the place of a chosen word
static int disguise(int id, int vocabulary, float as_mask, float as_other, Rng *rng)
{
    float draw = rng_uniform(rng);
    if (draw < as_mask) return MASK;
    if (draw < as_mask + as_other)
        return FIRST_WORD + (int)rng_below(rng, (uint32_t)(vocabulary - FIRST_WORD));
    return id;
}

static void mask_batch(Batch *b, int vocabulary, float as_mask, float as_other, Rng *rng)
{
    for (int i = 0; i < b->count; i++)
        for (int t = 1; t < b->lengths[i]; t++) {
            int row = i * b->time + t, id = b->ids[row];
            if (id == UNKNOWN || rng_uniform(rng) >= CHOSEN) continue;
            b->rows[b->chosen] = row;
            b->labels[b->chosen++] = id;
            b->ids[row] = disguise(id, vocabulary, as_mask, as_other, rng);
        }
}

// The formula above, term by term: logits (B·T × V) of all positions
static double loss_in_loops(Matrix logits, const Batch *b)
{
    double total = 0.0;
    for (int k = 0; k < b->chosen; k++) {
        float most = -INFINITY, sum = 0.0f;
        for (int v = 0; v < logits.cols; v++) most = fmaxf(most, AT(logits, b->rows[k], v));
        for (int v = 0; v < logits.cols; v++) sum += exp32(AT(logits, b->rows[k], v) - most);
        total += (double)(most + log32(sum) - AT(logits, b->rows[k], b->labels[k]));
    }
    return total / b->chosen;
}

static void check_mask(Lesson *lesson, const Corpus *c)
{
    section(lesson, "Eighty, ten, ten");
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 1);
    Batch b = batch_new(arena);
    double words = 0.0, chosen = 0.0, seen[3] = {0.0}; // as [MASK], as another word, as itself
    for (int i = 0; i + 32 <= c->count; i += 32) {
        int which[32];
        for (int k = 0; k < 32; k++) which[k] = i + k;
        fill_batch(&b, c->sentences, which, 32);
        for (int k = 0; k < b.count * b.time; k++) words += b.ids[k] > UNKNOWN;
        mask_batch(&b, c->vocabulary.size, AS_MASK, AS_OTHER, &rng);
        chosen += b.chosen;
        for (int k = 0; k < b.chosen; k++)
            seen[b.ids[b.rows[k]] == MASK ? 0 : b.ids[b.rows[k]] != b.labels[k] ? 1 : 2] += 1.0;
    }
    printf(
        "%.0f words, chosen %.2f%%: of these [MASK] %.2f%%, another word %.2f%%, the word itself %.2f%%\n\n",
        words, 100.0 * chosen / words, 100.0 * seen[0] / chosen, 100.0 * seen[1] / chosen,
        100.0 * seen[2] / chosen);
    claim(lesson,
          fabs(chosen / words - 0.2) <= 0.005 && fabs(seen[0] / chosen - 0.8) <= 0.005 &&
              fabs(seen[1] / chosen - 0.1) <= 0.005 && fabs(seen[2] / chosen - 0.1) <= 0.005,
          "a fifth is chosen; 80, 10 and 10 percent of it are seen as they should, to half a percent");

    // The loss from all logits and from those of the chosen rows; the gradient of the others
    int which[3] = {0, 1, 2};
    fill_batch(&b, c->sentences, which, 3);
    mask_batch(&b, c->vocabulary.size, AS_MASK, AS_OTHER, &rng);
    Matrix logits = matrix_new(arena, b.count * b.time, c->vocabulary.size);
    fill_normal(logits, &rng, 0.0f, 2.0f);
    Tape *tape = tape_new();
    Tensor *all = tape_variable(tape, logits);
    Tensor *loss = cross_entropy(embedding(tape, all, b.rows, b.chosen), b.labels);
    backward(loss);
    double elsewhere = 0.0;
    for (int row = 0, k = 0; row < logits.rows; row++) {
        if (k < b.chosen && b.rows[k] == row) {
            k++;
            continue;
        }
        for (int v = 0; v < logits.cols; v++) elsewhere += fabs((double)AT(all->gradient, row, v));
    }
    claim(lesson, fabs(loss_in_loops(logits, &b) - (double)loss->value.data[0]) <= 1e-4 && elsewhere == 0.0,
          "gathering first gives the loss of the loops to 1e-4, and no gradient to positions that were not "
          "chosen");
    tape_free(tape);
    arena_free(arena);
}

/*
The half percent is more than four standard deviations of the rarest of these fractions.

## An encoder

BERT has no block of its own. It is the block of chapter 20 without the causal mask: every position looks at every
other. Such a stack is called an **encoder** (编码器), since what comes out is not a text but a state for each
position. Two things must be told to the attention: that all may look at all, and how long each sentence is, so
that nobody looks at the padding behind it.

On top stand *heads* (not those of the attention): small layers that make of a state what a task wants.

- The **token head**: a table of 4000 rows and a bias make logits for the word in this position.
- A **[CLS] head**: the state at `[CLS]`, which has looked at the whole sentence, goes to the classes of a task.
- The same layer at any other position makes a class of *that* word.

The paper's model has 12 layers of 768 numbers. Ours has two of 64, positions by rotation, and an embedding of
deviation 0.3: chapter 20 has shown why not the 0.02 of the papers.
*/

enum { WIDTH = 64, LAYERS = 2, HEADS = 4, HIDDEN = 2 * WIDTH };

typedef struct {
    Parameters parameters;
    Embedding token;
    Block blocks[LAYERS];
    Norm norm;
    Tensor *output, *output_bias; // (V × C) and (1 × V): the token head; or NULL
} Bert;

static Bert *bert_new(Arena *arena, int vocabulary, bool token_head, Rng *rng)
{
    Bert *bert = arena_zeros(arena, 1, sizeof *bert);
    Parameters *set = &bert->parameters;
    *set = parameters_new(arena);
    BlockConfig config = {.width = WIDTH, .heads = HEADS, .hidden = HIDDEN, .rotary = true};
    config.shrink = 1.0f / sqrtf(2.0f * LAYERS);
    bert->token = embedding_new(set, "token", vocabulary, WIDTH, rng, 0.3f);
    for (int l = 0; l < LAYERS; l++)
        bert->blocks[l] = block_new(set, layer_name(set, "", "block", l), config, rng);
    bert->norm = norm_new(set, "norm", NORM_LAYER, WIDTH, 0.0f);
    if (!token_head) return bert;
    bert->output = embedding_new(set, "output", vocabulary, WIDTH, rng, 1.0f / sqrtf(WIDTH)).table;
    bert->output_bias = parameters_add(set, "output.bias", 1, vocabulary);
    return bert;
}

// The states at the rows that are looked at: (chosen × C)
static Tensor *encode(const Bert *bert, Tape *tape, const Batch *b)
{
    AttentionShape all_see_all = self_attention_shape(b->count, b->time, HEADS, false);
    all_see_all.key_counts = b->lengths;
    Tensor *x = embed(tape, &bert->token, b->ids, b->count * b->time);
    for (int l = 0; l < LAYERS; l++) x = block_forward(&bert->blocks[l], x, .self = all_see_all);
    return norm_normalise(&bert->norm, embedding(tape, x, b->rows, b->chosen));
}

// states (N × C) → logits (N × V)
static Tensor *guess(const Bert *bert, Tensor *states)
{
    return tensor_add(product_transposed(states, bert->output), bert->output_bias);
}

// The states at all positions of the first sentence, as many as `time`
static Matrix states_of_first(Arena *arena, const Bert *bert, Batch *b, int time)
{
    Tape *tape = tape_new();
    tape_record(tape, false);
    b->chosen = time;
    for (int t = 0; t < time; t++) b->rows[t] = t;
    Matrix states = matrix_copy(arena, encode(bert, tape, b)->value);
    tape_free(tape);
    return states;
}

static void check_encoder(Lesson *lesson, const Corpus *c)
{
    section(lesson, "An encoder");
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 2);
    Bert *bert = bert_new(arena, c->vocabulary.size, true, &rng);
    Batch b = batch_new(arena);
    int alone[1] = {0}, with_longer[2] = {0, 1};
    fill_batch(&b, c->sentences, alone, 1);
    int time = b.time;
    Matrix states = states_of_first(arena, bert, &b, time);
    b.ids[time - 2] = MASK; // the last word, "earth"
    Matrix other = states_of_first(arena, bert, &b, time);
    fill_batch(&b, c->sentences, with_longer, 2);
    Matrix padded = states_of_first(arena, bert, &b, time);
    float first = largest_difference(matrix_rows(states, 0, 1), matrix_rows(other, 0, 1));
    float padding = largest_difference(states, padded);
    printf("parameters: %zu, of which in the two tables of words %zu\n", parameters_size(&bert->parameters),
           2 * matrix_size(bert->output->value));
    printf("the last word is hidden: the state of [CLS] changes by up to %.3f\n\n", (double)first);
    claim(lesson, first >= 1e-3f, "the first position notices what happens to the last word");
    claim(lesson, padding <= 1e-5f,
          "%d positions of padding behind a sentence change no state by more than 1e-5", b.time - time);
    arena_free(arena);
}

/*
## Opponents that count

"Three times better than always saying the commonest word" is not much of a boast when one can count. So we hide words
in verses of the test part once and for all, a **quiz**, and let everybody play it.

For counting, the n-gram of chapter 20 looks to the left, and its mirror image to the right. A word has a left
neighbour *and* a right neighbour, and if these knew nothing of each other but through the word, Bayes' rule
would combine them:

$$P(w \mid l, r) \propto \frac{P(w \mid l)\, P(w \mid r)}{P(w)}.$$

On top of that comes what was counted for both sides at once: who stood between exactly these two neighbours,
and between exactly these two pairs. Each longer context is mixed with what the shorter ones say by the rule of
Witten and Bell, as in chapter 14. Where a neighbour is itself hidden, the context ends there.
*/

typedef struct {
    int count;
    Batch *batches; // [count]
    int words;      // hidden in all of them
} Quiz;

enum { QUIZ_SENTENCES = 1024, AT_ONCE = 32 };

// Sentences of that part, as many as there are, at most QUIZ_SENTENCES
static Quiz quiz_new(Lesson *lesson, const Sentence *sentences, int count, int vocabulary, Part part)
{
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 3);
    Quiz quiz = {.batches = arena_alloc(arena, QUIZ_SENTENCES / AT_ONCE, sizeof *quiz.batches)};
    int which[AT_ONCE], some = 0;
    for (int i = 0; i < count && quiz.count < QUIZ_SENTENCES / AT_ONCE; i++) {
        if (sentences[i].part != part) continue;
        which[some++] = i;
        if (some < AT_ONCE) continue;
        Batch *b = &quiz.batches[quiz.count++];
        *b = batch_new(arena);
        fill_batch(b, sentences, which, some);
        mask_batch(b, vocabulary, AS_MASK, AS_OTHER, &rng);
        quiz.words += b->chosen;
        some = 0;
    }
    return quiz;
}

// One number for a context and a word: twelve bits for each word of the context, the word in the last twelve
enum { WORD_BITS = 12, MOST_SIDE = 3 };

typedef struct {
    size_t count;
    uint64_t *entries; // [count] sorted, so that equal contexts, and in them equal words, stand together
} Contexts;

// The context of position t: `left` words before it and `right` words behind it; false when one of them is hidden.
static bool context_of(uint64_t *context, const int *ids, int count, int t, int left, int right)
{
    *context = 0;
    for (int d = -left; d <= right; d++) {
        int id = t + d < 0 || t + d >= count ? CLS : ids[t + d];
        if (d == 0) continue;
        if (id == MASK) return false;
        *context = *context << WORD_BITS | (uint64_t)id;
    }
    return true;
}

static int by_entry(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static Contexts count_contexts(Arena *arena, const Corpus *c, int left, int right)
{
    Contexts counted = {0};
    for (int i = 0; i < c->count; i++) counted.count += (size_t)c->sentences[i].count;
    counted.entries = arena_alloc(arena, counted.count, sizeof *counted.entries);
    counted.count = 0;
    for (int i = 0; i < c->count; i++) {
        const Sentence *s = &c->sentences[i];
        for (int t = 1; t < s->count && s->part == TRAIN; t++) {
            uint64_t context;
            context_of(&context, s->ids, s->count, t, left, right);
            if (s->ids[t] != UNKNOWN)
                counted.entries[counted.count++] = context << WORD_BITS | (uint64_t)s->ids[t];
        }
    }
    qsort(counted.entries, counted.count, sizeof *counted.entries, by_entry);
    return counted;
}

// The first entry that is not smaller
static size_t find_entry(const Contexts *c, uint64_t entry)
{
    size_t low = 0, high = c->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c->entries[middle] < entry)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// p (V) ← (counts + d p) / (all counts + d), d the number of different words in this context
static void mix_counts(float *p, int vocabulary, const Contexts *c, uint64_t context)
{
    size_t first = find_entry(c, context << WORD_BITS), end = find_entry(c, (context + 1) << WORD_BITS);
    if (first == end) return;
    int different = 0;
    for (size_t i = first; i < end; i++) different += i == first || c->entries[i] != c->entries[i - 1];
    float one = 1.0f / (float)((int)(end - first) + different);
    for (int v = 0; v < vocabulary; v++) p[v] *= (float)different * one;
    for (size_t i = first; i < end; i++) p[c->entries[i] & ((1 << WORD_BITS) - 1)] += one;
}

typedef struct {
    float any[VOCABULARY]; // P(w) without a context
    Contexts left[MOST_SIDE], right[MOST_SIDE], between, between_pairs;
} Counts;

// p (V): one side's opinion, from the empty context to `order` words
static void ask_side(float *p, int vocabulary, const Counts *counts, const int *ids, int count, int t,
                     int order, bool left)
{
    memcpy(p, counts->any, (size_t)vocabulary * sizeof *p);
    for (int n = 1; n <= order; n++) {
        uint64_t context;
        if (!context_of(&context, ids, count, t, left ? n : 0, left ? 0 : n)) return;
        mix_counts(p, vocabulary, left ? &counts->left[n - 1] : &counts->right[n - 1], context);
    }
}

typedef enum { LEFT, RIGHT, PRODUCT, BETWEEN, WAYS } Way;

// The guess of each way at position t
static void guess_by_counting(int guesses[WAYS], const Counts *counts, const int *ids, int count, int t,
                              int order)
{
    enum { V = VOCABULARY };
    static float p[WAYS][V];
    ask_side(p[LEFT], V, counts, ids, count, t, order, true);
    ask_side(p[RIGHT], V, counts, ids, count, t, order, false);
    float sum = 0.0f;
    for (int v = FIRST_WORD; v < V; v++) sum += p[PRODUCT][v] = p[LEFT][v] * p[RIGHT][v] / counts->any[v];
    for (int v = FIRST_WORD; v < V; v++) p[BETWEEN][v] = p[PRODUCT][v] / sum;
    uint64_t context;
    if (context_of(&context, ids, count, t, 1, 1)) mix_counts(p[BETWEEN], V, &counts->between, context);
    if (context_of(&context, ids, count, t, 2, 2)) mix_counts(p[BETWEEN], V, &counts->between_pairs, context);
    for (int w = 0; w < WAYS; w++) {
        guesses[w] = FIRST_WORD;
        for (int v = FIRST_WORD; v < V; v++)
            if (p[w][v] > p[w][guesses[w]]) guesses[w] = v;
    }
}

// Fractions of the quiz that each way guesses right
static void play_by_counting(double right[WAYS], const Quiz *quiz, const Counts *counts, int order)
{
    for (int w = 0; w < WAYS; w++) right[w] = 0.0;
    for (int q = 0; q < quiz->count; q++) {
        const Batch *b = &quiz->batches[q];
        for (int k = 0; k < b->chosen; k++) {
            int guesses[WAYS], s = b->rows[k] / b->time;
            guess_by_counting(guesses, counts, b->ids + s * b->time, b->lengths[s], b->rows[k] % b->time,
                              order);
            for (int w = 0; w < WAYS; w++) right[w] += (guesses[w] == b->labels[k]) / (double)quiz->words;
        }
    }
}

typedef struct {
    double commonest, counting; // fractions of the quiz: always the commonest word; the best way to count
} Opponents;

static Opponents count_words(Lesson *lesson, const Corpus *c, const Quiz *quiz)
{
    section(lesson, "Opponents that count");
    Arena *arena = arena_new();
    Opponents best = {0};
    static Counts counts;
    Contexts without = count_contexts(arena, c, 0, 0);
    for (int v = FIRST_WORD; v < VOCABULARY; v++) counts.any[v] = 1.0f / (VOCABULARY - FIRST_WORD);
    mix_counts(counts.any, VOCABULARY, &without, 0);
    for (int n = 1; n <= MOST_SIDE; n++) {
        counts.left[n - 1] = count_contexts(arena, c, n, 0);
        counts.right[n - 1] = count_contexts(arena, c, 0, n);
    }
    counts.between = count_contexts(arena, c, 1, 1), counts.between_pairs = count_contexts(arena, c, 2, 2);
    for (int q = 0; q < quiz->count; q++)
        for (int k = 0; k < quiz->batches[q].chosen; k++)
            best.commonest += (quiz->batches[q].labels[k] == FIRST_WORD) / (double)quiz->words;
    printf("%d hidden words in %d verses; always \"%s\": %.3f\n\n", quiz->words, quiz->count * AT_ONCE,
           c->vocabulary.words[FIRST_WORD], best.commonest);
    printf("words on a side   left  right   both  and between\n");
    for (int order = 1; order <= MOST_SIDE; order++) {
        double right[WAYS];
        play_by_counting(right, quiz, &counts, order);
        printf("%15d  %.3f  %.3f  %.3f  %11.3f\n", order, right[LEFT], right[RIGHT], right[PRODUCT],
               right[BETWEEN]);
        for (int w = 0; w < WAYS; w++) best.counting = fmax(best.counting, right[w]);
    }
    printf("\n");
    arena_free(arena);
    return best;
}

/*
## Playing the game

Sentences of about equal length make a batch, so that little of it is padding: an epoch is sorted by length
(with some disorder), cut into batches of about a thousand tokens, and the batches are taken in random order.
AdamW, the rate rises in the first twentieth of the steps and falls along a cosine.
*/

typedef struct {
    const char *name;
    int steps, tokens; // tokens: of a batch, about
    float rate, as_mask, as_other;
} Plan;

enum { MOST_POINTS = 32 };

typedef struct {
    int count;
    float steps[MOST_POINTS], right[MOST_POINTS]; // of the quiz
} Curve;

// What stands in the place of a hidden word: [MASK], another word, or the word itself
enum { AS_SEEN = 3 };

static double play(const Bert *bert, const Quiz *quiz, double by_sight[AS_SEEN])
{
    double right[AS_SEEN] = {0.0}, all[AS_SEEN] = {0.0};
    Tape *tape = tape_new();
    tape_record(tape, false);
    for (int q = 0; q < quiz->count; q++) {
        const Batch *b = &quiz->batches[q];
        tape_reset(tape);
        Matrix logits = guess(bert, encode(bert, tape, b))->value;
        for (int k = 0; k < b->chosen; k++) {
            int best = 0, id = b->ids[b->rows[k]];
            for (int v = 1; v < logits.cols; v++)
                if (AT(logits, k, v) > AT(logits, k, best)) best = v;
            int sight = id == MASK ? 0 : id != b->labels[k] ? 1 : 2;
            all[sight] += 1.0, right[sight] += best == b->labels[k];
        }
    }
    tape_free(tape);
    for (int s = 0; by_sight && s < AS_SEEN; s++) by_sight[s] = right[s] / all[s];
    return (right[0] + right[1] + right[2]) / quiz->words;
}

typedef struct {
    const Sentence *sentences;
    int count, *order;          // [count] of the training part, by length
    int batches, *first, *some; // [batches] each begins in order at `first` and has `some` sentences
} Epoch;

static const Sentence *sorted_sentences; // for by_length

static int by_length(const void *a, const void *b)
{
    int i = *(const int *)a, j = *(const int *)b, x = sorted_sentences[i].count,
        y = sorted_sentences[j].count;
    return x != y ? x - y : i - j;
}

static Epoch epoch_new(Arena *arena, const Sentence *sentences, int count)
{
    Epoch e = {.sentences = sentences};
    e.order = arena_alloc(arena, (size_t)count, sizeof *e.order);
    e.first = arena_alloc(arena, (size_t)count, sizeof *e.first);
    e.some = arena_alloc(arena, (size_t)count, sizeof *e.some);
    for (int i = 0; i < count; i++)
        if (sentences[i].part == TRAIN) e.order[e.count++] = i;
    sorted_sentences = sentences;
    qsort(e.order, (size_t)e.count, sizeof *e.order, by_length);
    return e;
}

static void epoch_shuffle(Epoch *e, int tokens, Rng *rng)
{
    enum { DISORDER = 64 };
    for (int i = 0; i < e->count; i++) {
        int j = i + (int)rng_below(rng, DISORDER), kept = e->order[i];
        if (j < e->count) e->order[i] = e->order[j], e->order[j] = kept;
    }
    e->batches = 0;
    for (int begin = 0, end = 0; begin < e->count; begin = end) {
        for (int longest = 0; end < e->count; end++) {
            longest = int_max(longest, e->sentences[e->order[end]].count);
            if (end > begin && longest * (end - begin + 1) > tokens) break;
        }
        e->first[e->batches] = begin, e->some[e->batches++] = end - begin;
    }
}

static Optimiser adamw_for(Arena *arena, Parameters *set)
{
    Optimiser adamw = adamw_new(arena, set, 0.9f, 0.99f, 1e-8f, 0.1f);
    optimiser_decay(&adamw, "bias", 0.0f);
    return adamw;
}

static Curve pretrain(Lesson *lesson, Bert *bert, const Sentence *sentences, int count, const Quiz *quiz,
                      Plan plan)
{
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 4);
    Curve curve = {0};
    Epoch epoch = epoch_new(arena, sentences, count);
    Optimiser adamw = adamw_for(arena, &bert->parameters);
    Batch b = batch_new(arena);
    Tape *tape = tape_new();
    int at = 0, *turn = arena_alloc(arena, (size_t)count, sizeof *turn);
    for (int step = 0; step < plan.steps; step++) {
        if (at == epoch.batches) {
            epoch_shuffle(&epoch, plan.tokens, &rng);
            rng_permutation(&rng, turn, epoch.batches);
            at = 0;
        }
        int next = turn[at++];
        fill_batch(&b, sentences, epoch.order + epoch.first[next], epoch.some[next]);
        mask_batch(&b, bert->token.table->value.rows, plan.as_mask, plan.as_other, &rng);
        tape_reset(tape);
        Tensor *loss = cross_entropy(guess(bert, encode(bert, tape, &b)), b.labels);
        backward(loss);
        clip_gradients(&bert->parameters, 1.0f);
        optimiser_step(&adamw, cosine_schedule(plan.rate, step, plan.steps / 20, plan.steps));
        if ((step + 1) % (plan.steps / 10) == 0) {
            curve.steps[curve.count] = (float)(step + 1);
            curve.right[curve.count++] = (float)play(bert, quiz, NULL);
        }
        lesson_progress(lesson, plan.name, step + 1, plan.steps, (double)loss->value.data[0]);
    }
    tape_free(tape);
    arena_free(arena);
    return curve;
}

static void plot_accuracy(Lesson *lesson, const Curve *curve, Opponents opponents)
{
    Plot *plot = plot_begin(lesson, "accuracy.svg", "Hidden words of held-out verses that are guessed");
    plot_axes(plot, "step", "fraction guessed right");
    plot_range_y(plot, 0.0, 0.5);
    plot_line_points(plot, "BERT", curve->steps, curve->right, curve->count);
    plot_horizontal(plot, "counting, at its best", opponents.counting);
    plot_horizontal(plot, "always the commonest word", opponents.commonest);
    plot_end(plot, "The fraction of the quiz that BERT guesses right, against the steps of its training.");
}

static Plan plan_for(const Lesson *lesson)
{
    if (lesson_full(lesson)) return (Plan){"pretraining", 3000, 2048, 4e-3f, AS_MASK, AS_OTHER};
    return (Plan){"pretraining", 800, 1024, 6e-3f, AS_MASK, AS_OTHER};
}

// FULL=1: the same training with [MASK] alone
static void without_ten_ten(Lesson *lesson, const Corpus *c, const Quiz *quiz)
{
    Plan plan = plan_for(lesson);
    plan.name = "with [MASK] only", plan.as_mask = 1.0f, plan.as_other = 0.0f;
    Rng rng = lesson_rng(lesson, 5);
    double by_sight[AS_SEEN];
    Bert *bert = bert_new(lesson_arena(lesson), c->vocabulary.size, true, &rng);
    pretrain(lesson, bert, c->sentences, c->count, quiz, plan);
    double right = play(bert, quiz, by_sight);
    printf("trained with [MASK] only  %.3f  %6.3f  %12.3f  %9.3f\n", right, by_sight[0], by_sight[1],
           by_sight[2]);
}

static Bert *play_the_game(Lesson *lesson, const Corpus *c, const Quiz *quiz, Opponents opponents)
{
    section(lesson, "Playing the game");
    Rng rng = lesson_rng(lesson, 5);
    double by_sight[AS_SEEN];
    Bert *bert = bert_new(lesson_arena(lesson), c->vocabulary.size, true, &rng);
    Curve curve = pretrain(lesson, bert, c->sentences, c->count, quiz, plan_for(lesson));
    double right = play(bert, quiz, by_sight);
    printf("guessed right of          all  [MASK]  another word  the word\n");
    printf("trained with 80/10/10     %.3f  %6.3f  %12.3f  %9.3f\n", right, by_sight[0], by_sight[1],
           by_sight[2]);
    if (lesson_full(lesson)) without_ten_ten(lesson, c, quiz);
    printf("always the commonest      %.3f\ncounting, at its best     %.3f\n\n", opponents.commonest,
           opponents.counting);
    claim(lesson, right >= 3.0 * opponents.commonest,
          "BERT guesses at least three times as many as the commonest word");
    if (lesson_full(lesson))
        claim(lesson, fabs(right - opponents.counting) <= 0.03,
              "and after the longer game as many as the best way to count, to 3 points");
    else
        claim(lesson, right <= opponents.counting, "and fewer than the best way to count");
    plot_accuracy(lesson, &curve, opponents);
    return bert;
}

/*
BERT guesses four times as many as who always says the comma, so it has learnt something. It has learnt less
than counting knows: two n-grams, one from each side, are right in 45 of a hundred and need a few seconds. The
popular picture, that looking to both sides *together* is what counting cannot do, is not borne out here; after
a million words, exact memory of what stood next to the blank is worth more.

The three columns say how much a network can rely on what it sees. Where the word itself stands there it is
given back in two thirds of the cases: one chosen word in ten is a lie, and the network has taken that to heart.

And without the two tenths? `FULL=1` trains once more with `[MASK]` alone. With the short training of this page, one run gave
.283 of the words behind a `[MASK]`, .059 where another word stands and .005 where the word itself does, against
.329, .294 and .659. That it is lost where no `[MASK]` stands was to be expected: nobody ever asked it there, so it does
not even say what it sees. That it is worse at `[MASK]` too was not. (Perhaps because a few of the words around are
wrong, and it has never learnt to doubt a word; we have not tested that.)

## What it guesses

Some verses with one word hidden, and what comes first to its mind. Below, the words whose rows in the output
table point in the same direction: words are neighbours there when they fit into the same blanks.
*/

static void print_guesses(const Bert *bert, const Vocabulary *v, Sentence s, int hidden)
{
    Arena *arena = arena_new();
    Batch b = batch_new(arena);
    Tape *tape = tape_new();
    tape_record(tape, false);
    int which = 0, kept = s.ids[hidden];
    s.ids[hidden] = MASK;
    fill_batch(&b, &s, &which, 1);
    b.rows[0] = hidden, b.chosen = 1;
    Matrix p = softmax(guess(bert, encode(bert, tape, &b)))->value;
    for (int t = 1; t < s.count; t++)
        printf("%s%s", t > 1 ? " " : "", t == hidden ? "____" : v->words[s.ids[t]]);
    printf("\n    ");
    for (int n = 0; n < 4; n++) {
        int best = 0;
        for (int w = 1; w < p.cols; w++)
            if (p.data[w] > p.data[best]) best = w;
        printf("%s %.2f   ", v->words[best], (double)p.data[best]);
        p.data[best] = -1.0f;
    }
    printf("(it was: %s)\n", v->words[kept]);
    s.ids[hidden] = kept;
    tape_free(tape);
    arena_free(arena);
}

// The words whose rows of the output table have the largest cosine with that of this word
static void print_neighbours(const Bert *bert, const Vocabulary *v, const char *word)
{
    enum { CONSIDERED = 2000 }; // the commonest
    Matrix table = bert->output->value;
    int own = word_id(v, word);
    float cosines[CONSIDERED];
    for (int w = 0; w < CONSIDERED; w++) {
        double product = 0.0, length = 0.0, own_length = 0.0;
        for (int c = 0; c < WIDTH; c++) {
            double x = (double)AT(table, w, c), y = (double)AT(table, own, c);
            product += x * y, length += x * x, own_length += y * y;
        }
        cosines[w] = w < FIRST_WORD || w == own ? -1.0f : (float)(product / sqrt(length * own_length));
    }
    printf("%-10s", word);
    for (int n = 0; n < 6; n++) {
        int best = 0;
        for (int w = 1; w < CONSIDERED; w++)
            if (cosines[w] > cosines[best]) best = w;
        printf("  %s %.2f", v->words[best], (double)cosines[best]);
        cosines[best] = -1.0f;
    }
    printf("\n");
}

static void what_it_guesses(Lesson *lesson, const Bert *bert, const Corpus *c)
{
    section(lesson, "What it guesses");
    static const struct {
        const char *text;
        int hidden;
    } blanks[] = {
        {"And God saw the light, that it was good.", 4}, {"And God saw the light, that it was good.", 9},
        {"He went up from Egypt, he, and his wife.", 5}, {"And Joseph spake unto his brethren, saying,", 2},
        {"The people went into the land of Canaan.", 8}, {"And he begat sons and daughters.", 6}};
    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++)
        print_guesses(bert, &c->vocabulary,
                      sentence_of(lesson_arena(lesson), &c->vocabulary, text_of(blanks[i].text), DEV, 0),
                      blanks[i].hidden);
    printf("\nnearest words, by the cosine of their rows in the output table\n");
    static const char *const words[] = {"david", "egypt", "bread", "seven", "mother", "came"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        print_neighbours(bert, &c->vocabulary, words[i]);
    printf("\n");
}

/*
What is guessed is often of the right kind and seldom the right word: a pronoun or an article, a form of *to
be*, a people or a country behind "the land of". That sons go with daughters it has not learnt. In the table
David stands beside Moses, Jesus and Saul, *seven* beside other numbers, *came* beside other verbs of the past,
and Egypt beside two peoples, but also beside brass and oil. Nobody has told it that these are kinds; 800 steps
are a short education.

## Names that nobody has labelled

"And the children of ____ went up": a person, a place, a people? A list of known names, a **gazetteer** (地名录),
is no help when the name is in none. The rest of the sentence may be. This is **named entity recognition**
(命名实体识别) at its hardest, and here is where unlabelled text should pay: it is full of places where names stand.

So that it is really hard, we split the *names*: two fifths of them (and the 33 commonest) may be labelled, a
fifth is for dev, two fifths are for the test. Labelled mentions come from the chapters that the network has
played with, dev and test mentions from held-out ones. The name itself is hidden behind `[MASK]`, ten words on
either side are seen, and a small layer reads the type from the state at the mask. In training, a tenth of the
words around is dropped.

A wrong call costs most where a type is rare, so we measure the **macro-F1** (宏平均 F1): for each type, $F_1 = 2
\cdot \text{right} / (\text{labelled so} + \text{called so})$, and the plain mean of the three.

Five arms, all with the same labels:

- **fine-tuned**: begin with the network that has played, train all of it and the new layer;
- **from scratch**: the same network, the same steps, from random numbers;
- **frozen**: the played network as it is; its states are features of a logistic regression;
- **logistic regression on the words around**, each word at each distance a feature, one, two or four words on a side;
- the same, which also sees the name's first and last letters. (It alone knows anything of the name.)

The learning rates of both networks were chosen on dev from the same four (3e-4, 1e-3, 3e-3, 6e-3): 1e-3 for the
fine-tuned one, 3e-3 from scratch; the weight decay and the window of the logistic regressions are chosen on dev
in this run. With `FULL=1` every arm chooses anew in every draw.
*/

enum { PEOPLE_CLASSES = NAME_TYPES, REACH = 10, WHOLE = -1 };

// A stretch of text, where in it to look, and the class.
typedef struct {
    int count, ids[MOST_TIME], at; // at WHOLE: the mean of all states
    int label, name;
} Example;

typedef struct {
    int count;
    Example *items;
} Examples;

typedef double Measure(const int *labels, const int *predicted, int count, int classes);

typedef struct {
    Examples train, dev, test;
    int classes;
    Measure *measure;
} Task;

typedef struct {
    double dev, test;
} Score;

// The mean over the classes of F1 = 2 · right / (labelled so + called so)
static double macro_f1(const int *labels, const int *predicted, int count, int classes)
{
    double mean = 0.0;
    for (int k = 0; k < classes; k++) {
        double right = 0.0, labelled = 0.0, called = 0.0;
        for (int i = 0; i < count; i++) {
            right += labels[i] == k && predicted[i] == k;
            labelled += labels[i] == k, called += predicted[i] == k;
        }
        if (labelled + called > 0.0) mean += 2.0 * right / (labelled + called) / classes;
    }
    return mean;
}

static double fraction_right(const int *labels, const int *predicted, int count, int classes)
{
    (void)classes;
    double right = 0.0;
    for (int i = 0; i < count; i++) right += (labels[i] == predicted[i]) / (double)count;
    return right;
}

static int *labels_of(Arena *arena, Examples e)
{
    int *labels = arena_alloc(arena, (size_t)e.count, sizeof *labels);
    for (int i = 0; i < e.count; i++) labels[i] = e.items[i].label;
    return labels;
}

static double measure(const Task *task, Examples e, const int *predicted)
{
    Arena *arena = arena_new();
    double value = task->measure(labels_of(arena, e), predicted, e.count, task->classes);
    arena_free(arena);
    return value;
}

// A fraction `dropped` of the words around is replaced by [UNK]: for training
static void fill_examples(Batch *b, Examples e, const int *which, int count, float dropped, Rng *rng)
{
    b->count = count, b->time = 0, b->chosen = count;
    for (int i = 0; i < count; i++) b->time = int_max(b->time, e.items[which[i]].count);
    for (int i = 0; i < count; i++) {
        const Example *x = &e.items[which[i]];
        b->lengths[i] = x->count, b->rows[i] = i * b->time + x->at, b->labels[i] = x->label;
        for (int t = 0; t < b->time; t++) {
            bool drop = dropped > 0.0f && t < x->count && t != x->at && rng_uniform(rng) < dropped;
            b->ids[i * b->time + t] = drop ? UNKNOWN : t < x->count ? x->ids[t] : CLS;
        }
    }
}

// The states where each example is looked at: (N × C)
static Matrix states_of(Arena *arena, const Bert *bert, Examples e, bool mean)
{
    Matrix out = matrix_new(arena, e.count, WIDTH);
    Arena *scratch = arena_new();
    Batch b = batch_new(scratch);
    Tape *tape = tape_new();
    tape_record(tape, false);
    for (int i = 0, which[AT_ONCE]; i < e.count; i += AT_ONCE) {
        int some = int_min(AT_ONCE, e.count - i);
        for (int k = 0; k < some; k++) which[k] = i + k;
        fill_examples(&b, e, which, some, 0.0f, NULL);
        if (mean) {
            b.chosen = b.count * b.time;
            for (int row = 0; row < b.chosen; row++) b.rows[row] = row;
        }
        tape_reset(tape);
        Matrix states = encode(bert, tape, &b)->value;
        for (int k = 0; k < some; k++)
            for (int t = 0, times = mean ? b.lengths[k] : 1; t < times; t++)
                for (int c = 0; c < WIDTH; c++)
                    AT(out, i + k, c) += AT(states, mean ? k * b.time + t : k, c) / (float)times;
    }
    tape_free(tape);
    arena_free(scratch);
    return out;
}

static void predict(int *predicted, const Bert *bert, const Linear *head, Examples e)
{
    Arena *arena = arena_new();
    Matrix states = states_of(arena, bert, e, false);
    Matrix scores = matrix_new(arena, e.count, head->weight->value.cols);
    matmul(scores, states, head->weight->value);
    add_row(scores, head->bias->value);
    for (int i = 0; i < e.count; i++) {
        predicted[i] = 0;
        for (int k = 1; k < scores.cols; k++)
            if (AT(scores, i, k) > AT(scores, i, predicted[i])) predicted[i] = k;
    }
    arena_free(arena);
}

// Trains all of a network and a new head on the task; start NULL: from random numbers
static Score fine_tune_at(Lesson *lesson, const Bert *start, int vocabulary, const Task *task, float rate,
                          uint64_t stream)
{
    enum { STEPS = 130, EXAMPLES = 24 };
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, stream);
    Bert *bert = bert_new(arena, vocabulary, false, &rng);
    if (start) parameters_copy(&bert->parameters, &start->parameters);
    Parameters of_head = parameters_new(arena);
    Linear head = linear_new(&of_head, "head", WIDTH, task->classes, NULL, INIT_ZERO);
    Optimiser body = adamw_for(arena, &bert->parameters), top = adamw_for(arena, &of_head);
    Batch b = batch_new(arena);
    Tape *tape = tape_new();
    int at = task->train.count, *order = arena_alloc(arena, (size_t)at, sizeof *order);
    for (int step = 0, which[EXAMPLES]; step < STEPS; step++) {
        for (int k = 0; k < EXAMPLES; k++) {
            if (at == task->train.count) rng_permutation(&rng, order, at), at = 0;
            which[k] = order[at++];
        }
        fill_examples(&b, task->train, which, EXAMPLES, 0.1f, &rng);
        tape_reset(tape);
        Tensor *states = encode(bert, tape, &b);
        backward(cross_entropy(linear(&head, states), b.labels));
        clip_gradients(&bert->parameters, 1.0f);
        float now = cosine_schedule(rate, step, STEPS / 10, STEPS);
        optimiser_step(&body, now), optimiser_step(&top, 10.0f * now);
    }
    tape_free(tape);
    int *predicted =
        arena_alloc(arena, (size_t)int_max(task->dev.count, task->test.count), sizeof *predicted);
    Score score;
    predict(predicted, bert, &head, task->dev), score.dev = measure(task, task->dev, predicted);
    predict(predicted, bert, &head, task->test), score.test = measure(task, task->test, predicted);
    arena_free(arena);
    return score;
}

// The usual rate; with FULL=1 the best on dev of four, for either arm
static Score fine_tune(Lesson *lesson, const Bert *start, int vocabulary, const Task *task, float usual,
                       uint64_t stream)
{
    static const float rates[] = {3e-4f, 1e-3f, 3e-3f, 6e-3f};
    if (!lesson_full(lesson)) return fine_tune_at(lesson, start, vocabulary, task, usual, stream);
    Score best = {-1.0, 0.0};
    for (int r = 0; r < 4; r++) {
        Score score = fine_tune_at(lesson, start, vocabulary, task, rates[r], stream);
        if (score.dev > best.dev) best = score;
    }
    return best;
}

// Logistic regression on features of the three parts; the weight decay is that which is best on dev
static Score logistic_on(Arena *arena, const Task *task, Matrix train, Matrix dev, Matrix test)
{
    static const float decays[] = {1e-3f, 3e-3f, 1e-2f, 3e-2f};
    Score best = {-1.0, 0.0};
    Matrix w = matrix_new(arena, train.cols + 1, task->classes);
    int *labels = labels_of(arena, task->train);
    int *predicted = arena_alloc(arena, (size_t)int_max(dev.rows, test.rows), sizeof *predicted);
    for (int d = 0; d < 4; d++) {
        LogisticProblem problem = logistic_problem(arena, train, labels, task->classes, decays[d]);
        fill(w, 0.0f);
        lbfgs_minimise(arena, w, logistic_objective, &problem, (LbfgsOptions){.iterations = 40});
        logistic_predict(predicted, w, dev);
        double on_dev = measure(task, task->dev, predicted);
        if (on_dev <= best.dev) continue;
        logistic_predict(predicted, w, test);
        best = (Score){on_dev, measure(task, task->test, predicted)};
    }
    return best;
}

static Score logistic_on_states(const Bert *bert, const Task *task, bool mean)
{
    Arena *arena = arena_new();
    Score score =
        logistic_on(arena, task, states_of(arena, bert, task->train, mean),
                    states_of(arena, bert, task->dev, mean), states_of(arena, bert, task->test, mean));
    arena_free(arena);
    return score;
}

// Which words count as features, and where: `window` words on each side, each with its place; or all, wherever
// (a bag of
// words). And the first and last letters of the name, one to four of each.
typedef struct {
    int window;
    bool bag, letters;
} Looks;

enum { MOST_FEATURES = 60000, FEATURES_OF_ONE = 80, FEATURE_LENGTH = 24 };

// The names of the features that the example has; returns how many
static int features_of(char features[FEATURES_OF_ONE][FEATURE_LENGTH], const Corpus *c, const Example *x,
                       Looks looks)
{
    int count = 0;
    for (int t = 1; t < x->count; t++) {
        int apart = looks.bag ? 0 : t - x->at;
        if (x->ids[t] == UNKNOWN || (!looks.bag && (apart == 0 || abs(apart) > looks.window))) continue;
        snprintf(features[count++], FEATURE_LENGTH, "%d:%d", apart, x->ids[t]);
    }
    for (int n = 1; looks.letters && n <= 4; n++) {
        Text name = c->bible.names[x->name].name;
        if ((size_t)n > name.size) break;
        snprintf(features[count++], FEATURE_LENGTH, "%.*s-", n, name.bytes);
        snprintf(features[count++], FEATURE_LENGTH, "-%.*s", n, name.bytes + name.size - n);
    }
    return count;
}

typedef struct {
    char **names;
    NameTable table;
    int count;
} FeatureList;

static Matrix features_in(Arena *arena, const FeatureList *list, const Corpus *c, Examples e, Looks looks)
{
    Matrix x = matrix_new(arena, e.count, list->count);
    char features[FEATURES_OF_ONE][FEATURE_LENGTH];
    for (int i = 0; i < e.count; i++)
        for (int k = features_of(features, c, &e.items[i], looks) - 1; k >= 0; k--) {
            int column = name_table_find(&list->table, list->names, features[k]);
            if (column >= 0) AT(x, i, column) = 1.0f;
        }
    return x;
}

// Features that no labelled example has would get the weight 0: they are left out.
static Score logistic_on_words(const Corpus *c, const Task *task, Looks looks)
{
    Arena *arena = arena_new();
    FeatureList list = {.names = arena_alloc(arena, MOST_FEATURES, sizeof(char *)),
                        .table = name_table_new(arena, MOST_FEATURES)};
    char features[FEATURES_OF_ONE][FEATURE_LENGTH];
    for (int i = 0; i < task->train.count; i++)
        for (int k = features_of(features, c, &task->train.items[i], looks) - 1; k >= 0; k--) {
            if (list.count == MOST_FEATURES || name_table_find(&list.table, list.names, features[k]) >= 0)
                continue;
            list.names[list.count] = arena_string(arena, features[k]);
            name_table_put(&list.table, list.names, list.count++);
        }
    Score score = logistic_on(arena, task, features_in(arena, &list, c, task->train, looks),
                              features_in(arena, &list, c, task->dev, looks),
                              features_in(arena, &list, c, task->test, looks));
    arena_free(arena);
    return score;
}

/*
Logistic regression gets its features by name, "-1:5" being word number 5 one place to the left. Now the data:
windows around mentions, drawn from the names and chapters of one part.
*/

// The words around a mention, [CLS] in front, the name hidden (or shown)
static Example window_of(const Corpus *c, Mention m, bool shown)
{
    const Sentence *s = &c->sentences[m.sentence];
    Example x = {.ids = {CLS}, .count = 1, .label = (int)c->bible.names[m.name].type, .name = m.name};
    for (int t = int_max(1, m.at - REACH); t <= m.at + REACH && t < s->count; t++) {
        if (t == m.at) x.at = x.count;
        x.ids[x.count++] = t == m.at && !shown ? MASK : s->ids[t];
    }
    return x;
}

// The part of each name: those of more than a hundred mentions train; of the others two fifths train, a fifth
// is for dev, two for test
static Part *split_names(Arena *arena, const Corpus *c, Rng *rng)
{
    int count = c->bible.name_count, *order = arena_alloc(arena, (size_t)count, sizeof *order);
    Part *parts = arena_alloc(arena, (size_t)count, sizeof *parts);
    rng_permutation(rng, order, count);
    for (int i = 0; i < count; i++)
        parts[order[i]] = c->bible.names[order[i]].mentions > 100 || i % 5 < 2 ? TRAIN
                          : i % 5 == 2                                         ? DEV
                                                                               : TEST;
    return parts;
}

// Mentions of this part's names in this part's chapters, in random order: at most `most`, of each type equally
// many if balanced
static Examples draw_names(Arena *arena, const Corpus *c, const Part *names, Part part, int most,
                           bool balanced, bool shown, Rng *rng)
{
    Examples e = {0, arena_alloc(arena, (size_t)most, sizeof *e.items)};
    int *order = arena_alloc(arena, (size_t)c->mention_count, sizeof *order), left[NAME_TYPES];
    for (int k = 0; k < NAME_TYPES; k++) left[k] = balanced ? (most + NAME_TYPES - 1 - k) / NAME_TYPES : most;
    rng_permutation(rng, order, c->mention_count);
    for (int i = 0; i < c->mention_count && e.count < most; i++) {
        Mention m = c->mentions[order[i]];
        NameType type = c->bible.names[m.name].type;
        if (names[m.name] != part || c->sentences[m.sentence].part != part || left[type] == 0) continue;
        left[type]--;
        e.items[e.count++] = window_of(c, m, shown);
    }
    return e;
}

enum { DRAWS = 3, SIZES = 3, MOST_TEST = 1000 };
static const int label_counts[SIZES] = {100, 300, 1000};

typedef enum { PRETRAINED, SCRATCH, FROZEN, WINDOW, LETTERS, ARMS } Arm;
static const char *const arm_names[ARMS] = {"pretrained, then fine-tuned", "the same from scratch",
                                            "pretrained, frozen + logistic", "logistic on the words around",
                                            "the same and the name's letters"};

// Draw number `draw` of so many labelled mentions; dev and test stay the same.
static Task names_task(Lesson *lesson, Arena *arena, const Corpus *c, int labels, int draw, bool shown)
{
    Rng rng = lesson_rng(lesson, 20), of_draw = lesson_rng(lesson, 30 + (uint64_t)draw);
    Part *names = split_names(arena, c, &rng);
    Task task = {.classes = NAME_TYPES, .measure = macro_f1};
    task.dev = draw_names(arena, c, names, DEV, MOST_TEST, false, shown, &rng);
    task.test = draw_names(arena, c, names, TEST, MOST_TEST, false, shown, &rng);
    task.train = draw_names(arena, c, names, TRAIN, labels, true, shown, &of_draw);
    return task;
}

static Score run_arm(Lesson *lesson, const Corpus *c, const Bert *bert, const Task *task, Arm arm, int draw)
{
    switch (arm) {
    case PRETRAINED:
        return fine_tune(lesson, bert, c->vocabulary.size, task, 1e-3f, 40 + (uint64_t)draw);
    case SCRATCH:
        return fine_tune(lesson, NULL, c->vocabulary.size, task, 3e-3f, 40 + (uint64_t)draw);
    case FROZEN:
        return logistic_on_states(bert, task, false);
    default:
        break;
    }
    Score best = {-1.0, 0.0}; // the window that is best on dev
    for (int window = 1; window <= 4; window *= 2) {
        Score score = logistic_on_words(c, task, (Looks){.window = window, .letters = arm == LETTERS});
        if (score.dev > best.dev) best = score;
    }
    return best;
}

static void plot_names(Lesson *lesson, double f1[ARMS][SIZES])
{
    float x[SIZES], y[SIZES];
    Plot *plot = plot_begin(lesson, "names.svg", "Person, place or people? Names that no label has shown");
    plot_axes(plot, "labelled mentions", "macro-F1, mean of three draws");
    plot_log(plot, "x");
    plot_range_y(plot, 0.4, 0.9);
    for (int a = 0; a < ARMS; a++) {
        for (int s = 0; s < SIZES; s++) x[s] = (float)label_counts[s], y[s] = (float)f1[a][s];
        plot_line_points(plot, arm_names[a], x, y, SIZES);
    }
    plot_end(plot,
             "Macro-F1 on names that occur in no labelled example, against the number of labelled mentions.");
}

// The share of test mentions whose name has been seen in a label: what a gazetteer could know
static double known_names(const Task *task)
{
    double known = 0.0;
    for (int i = 0; i < task->test.count; i++)
        for (int j = 0; j < task->train.count; j++)
            if (task->test.items[i].name == task->train.items[j].name) {
                known += 1.0 / task->test.count;
                break;
            }
    return known;
}

typedef struct {
    double pretrained, frozen; // macro-F1 with SOME labels, the names hidden
} Hidden;

enum { SOME = 1 }; // label_counts[SOME]

static void unseen_names(Lesson *lesson, const Corpus *c, const Bert *bert, Hidden *hidden)
{
    section(lesson, "Names that nobody has labelled");
    double f1[ARMS][SIZES] = {{0.0}}, known = 0.0;
    for (int s = 0; s < SIZES; s++) {
        printf("%s%d labelled mentions       draw 1   draw 2   draw 3\n", s ? "\n" : "", label_counts[s]);
        for (Arm a = 0; a < ARMS; a++) {
            printf("%-31s", arm_names[a]);
            for (int draw = 0; draw < DRAWS; draw++) {
                Arena *arena = arena_new();
                Task task = names_task(lesson, arena, c, label_counts[s], draw, false);
                double value = run_arm(lesson, c, bert, &task, a, draw).test;
                f1[a][s] += value / DRAWS;
                known = fmax(known, known_names(&task));
                printf("%6.3f   ", value);
                lesson_progress(lesson, "names", (s * ARMS + (int)a) * DRAWS + draw + 1, SIZES * ARMS * DRAWS,
                                NAN);
                arena_free(arena);
            }
            printf(" mean %.3f\n", f1[a][s]);
        }
    }
    printf("\n");
    claim(lesson, known == 0.0, "a gazetteer of the labelled names knows none of the names asked for");
    claim(
        lesson, f1[PRETRAINED][0] - f1[SCRATCH][0] >= 0.10,
        "with 100 labels, pretraining is worth at least .10 of macro-F1 over the same network from scratch");
    claim(lesson, f1[PRETRAINED][1] - f1[SCRATCH][1] >= 0.05, "with 300 labels, at least .05");
    plot_names(lesson, f1);
    *hidden = (Hidden){f1[PRETRAINED][SOME], f1[FROZEN][SOME]};
}

/*
With a hundred labels the game is worth a quarter of the whole scale, and the gap shrinks as labels come: .28,
.13, .05. That is the promise of BERT, kept: what took 1000 labels from scratch takes 300 after the game.

And now the line that papers of 2018 did not draw. A logistic regression that knows nothing but which word
stands where, on four words at most to a side, is as good as the fine-tuned network at each of the three sizes.
The context that tells a person from a place is short ("son of", "in", "the land of"), and a linear model finds
it. What the name's letters add (names in *-iah* are men) is within the noise: here +.02, −.02 and .00, with
seed 2 it costs .01 to .04, with seed 3 it brings .03 at 300 and 1000 labels. Pretraining beats *the same
network* without it; that it beats everything is another claim.

Why can the frozen states not do what fine-tuned ones do? And why did we hide the name at all, when the network
could have looked at it?

## What a position knows

There is a sentence in many explanations: the state of a word is its meaning *in context*. Let us ask the
states. At random positions of the verses, a logistic regression shall read from the state which word stands
there, which before it and which behind it, among the 30 commonest; once where the word is seen, and once where
it is hidden.
*/

enum { PROBED = 30, PROBES = 1200 }; // words that are asked for; positions

// Positions of that part whose word at distance `apart` is one of the PROBED commonest, seen or hidden
static Examples draw_positions(Arena *arena, const Corpus *c, Part part, int apart, bool hidden, Rng *rng)
{
    Examples e = {0, arena_alloc(arena, PROBES, sizeof *e.items)};
    while (e.count < PROBES) {
        const Sentence *s = &c->sentences[rng_below(rng, (uint32_t)c->count)];
        if (s->part != part || s->count < 6) continue;
        int at = 2 + (int)rng_below(rng, (uint32_t)(s->count - 3)), asked = s->ids[at + apart];
        if (asked < FIRST_WORD || asked >= FIRST_WORD + PROBED) continue;
        Example *x = &e.items[e.count++];
        *x = (Example){.count = s->count, .at = at, .label = asked - FIRST_WORD};
        memcpy(x->ids, s->ids, (size_t)s->count * sizeof *x->ids);
        if (hidden) x->ids[at] = MASK;
    }
    return e;
}

// How well the state at a position tells the word at distance `apart`, by logistic regression
static double probe(Lesson *lesson, const Corpus *c, const Bert *bert, int apart, bool hidden)
{
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 60);
    Task task = {.classes = PROBED, .measure = fraction_right};
    task.train = draw_positions(arena, c, TRAIN, apart, hidden, &rng);
    task.dev = draw_positions(arena, c, DEV, apart, hidden, &rng);
    task.test = draw_positions(arena, c, TEST, apart, hidden, &rng);
    Score score =
        logistic_on(arena, &task, states_of(arena, bert, task.train, false),
                    states_of(arena, bert, task.dev, false), states_of(arena, bert, task.test, false));
    arena_free(arena);
    return score.test;
}

static void what_positions_know(Lesson *lesson, const Corpus *c, const Bert *bert, Hidden hidden)
{
    section(lesson, "What a position knows");
    static const char *const words[3] = {"the word before", "its own word", "the word behind"};
    double told[3][2];
    printf("told by the state, where the word is   seen  hidden\n");
    for (int w = 0; w < 3; w++) {
        for (int hide = 0; hide < 2; hide++) told[w][hide] = probe(lesson, c, bert, w - 1, hide);
        printf("%-36s  %.3f  %6.3f\n", words[w], told[w][0], told[w][1]);
    }
    Hidden seen = {0.0, 0.0};
    for (int draw = 0; draw < DRAWS; draw++) {
        Arena *arena = arena_new();
        Task task = names_task(lesson, arena, c, label_counts[SOME], draw, true);
        seen.pretrained += run_arm(lesson, c, bert, &task, PRETRAINED, draw).test / DRAWS;
        seen.frozen += run_arm(lesson, c, bert, &task, FROZEN, draw).test / DRAWS;
        arena_free(arena);
    }
    printf("\ntype of an unseen name, %d labels, the name is  seen  hidden\n", label_counts[SOME]);
    printf("pretrained, then fine-tuned                    %.3f  %6.3f\n", seen.pretrained,
           hidden.pretrained);
    printf("pretrained, frozen + logistic                  %.3f  %6.3f\n\n", seen.frozen, hidden.frozen);
    claim(lesson, told[1][0] >= 0.95, "where a word is seen, the state tells it in at least 95 of 100 cases");
    claim(lesson, told[0][1] - told[0][0] >= 0.05 && told[2][1] - told[2][0] >= 0.05,
          "where it is hidden, the state tells both neighbours better, by 5 points at least");
}

/*
A seen word is told without an error, and its neighbours in three of four cases. Hide it, and the *same*
position knows its neighbours almost perfectly: there is nothing else to know. In the game, a seen position is
asked for little but what stands there, so that is what fills its 64 numbers. This is the state that anyone gets
who uses the network without hiding anything.

For the type of a name it matters, but less than that table suggests: with the name in sight (a word that no
label has shown, often `[UNK]`), the frozen states and the fine-tuned network lose four or five points.

## Whole texts

For a class of the whole text one reads the state at `[CLS]`. It looks at everything, so it may collect what the
class needs. But note what the game has *not* done: nobody ever asked for anything at `[CLS]`. (The authors of
BERT did, by a second game about pairs of sentences, which later work found to be worth nothing; Liu and others
2019.)

Two tasks with 1000 labels. Which of six kinds of book is a verse from: law, history, poetry and wisdom,
prophets, Gospels and Acts, letters? And does a review of food give five stars? The reviews, which chapter 14
scored with an LSTM, get a BERT of their own, which has played on the text of the 3200 that are for training.
The opponent is a **bag of words** (词袋): a feature for each word, wherever it stands, and a logistic regression.
*/

static Examples draw_sentences(Arena *arena, const Sentence *sentences, int count, Part part, int most,
                               Rng *rng)
{
    Examples e = {0, arena_alloc(arena, (size_t)most, sizeof *e.items)};
    int *order = arena_alloc(arena, (size_t)count, sizeof *order);
    rng_permutation(rng, order, count);
    for (int i = 0; i < count && e.count < most; i++) {
        const Sentence *s = &sentences[order[i]];
        if (s->part != part) continue;
        Example *x = &e.items[e.count++];
        *x = (Example){.count = s->count, .label = s->label};
        memcpy(x->ids, s->ids, (size_t)s->count * sizeof *x->ids);
    }
    return e;
}

static Task sentences_task(Lesson *lesson, Arena *arena, const Sentence *sentences, int count, int labels,
                           int classes)
{
    Rng rng = lesson_rng(lesson, 70);
    Task task = {.classes = classes, .measure = fraction_right};
    task.dev = draw_sentences(arena, sentences, count, DEV, MOST_TEST, &rng);
    task.test = draw_sentences(arena, sentences, count, TEST, MOST_TEST, &rng);
    task.train = draw_sentences(arena, sentences, count, TRAIN, labels, &rng);
    return task;
}

static double commonest_class(const Task *task)
{
    double most = 0.0;
    for (int k = 0; k < task->classes; k++) {
        double some = 0.0;
        for (int i = 0; i < task->test.count; i++) some += task->test.items[i].label == k;
        most = fmax(most, some / task->test.count);
    }
    return most;
}

typedef struct {
    double pretrained, scratch, frozen, mean, bag, commonest;
} Texts;

static Texts judge_texts(Lesson *lesson, const Corpus *c, const Bert *bert, const Task *task)
{
    Texts t = {.commonest = commonest_class(task)};
    t.pretrained = fine_tune(lesson, bert, c->vocabulary.size, task, 3e-3f, 71).test;
    t.scratch = fine_tune(lesson, NULL, c->vocabulary.size, task, 3e-3f, 71).test;
    t.frozen = logistic_on_states(bert, task, false).test;
    t.mean = logistic_on_states(bert, task, true).test;
    t.bag = logistic_on_words(c, task, (Looks){.bag = true}).test;
    return t;
}

// The reviews in a vocabulary of their own: of the 4000 for training, every fifth is for dev.
static Corpus *open_reviews(Arena *arena)
{
    ReviewSet set = reviews_load(arena);
    Corpus *c = arena_zeros(arena, 1, sizeof *c);
    c->count = set.train.count + set.test.count;
    Text *texts = arena_alloc(arena, (size_t)c->count, sizeof *texts);
    Part *parts = arena_alloc(arena, (size_t)c->count, sizeof *parts);
    c->sentences = arena_alloc(arena, (size_t)c->count, sizeof *c->sentences);
    for (int i = 0; i < c->count; i++) {
        bool test = i >= set.train.count;
        texts[i] = test ? set.test.texts[i - set.train.count] : set.train.texts[i];
        parts[i] = test ? TEST : i % 5 == 4 ? DEV : TRAIN;
    }
    c->vocabulary = vocabulary_of(arena, texts, parts, c->count);
    for (int i = 0; i < c->count; i++) {
        int label = i < set.train.count ? set.train.great[i] : set.test.great[i - set.train.count];
        c->sentences[i] = sentence_of(arena, &c->vocabulary, texts[i], parts[i], label);
    }
    return c;
}

static void whole_texts(Lesson *lesson, const Corpus *c, const Bert *bert)
{
    section(lesson, "Whole texts");
    enum { LABELS = 1000 };
    Arena *arena = lesson_arena(lesson);
    Task kinds = sentences_task(lesson, arena, c->sentences, c->count, LABELS, KINDS);
    Texts verse = judge_texts(lesson, c, bert, &kinds);
    Corpus *reviews = open_reviews(arena);
    Quiz quiz = quiz_new(lesson, reviews->sentences, reviews->count, reviews->vocabulary.size, TEST);
    Plan plan = plan_for(lesson);
    plan.name = "pretraining on reviews", plan.steps /= 2;
    Rng rng = lesson_rng(lesson, 5);
    Bert *reader = bert_new(arena, reviews->vocabulary.size, true, &rng);
    pretrain(lesson, reader, reviews->sentences, reviews->count, &quiz, plan);
    printf("hidden words of reviews guessed by their own BERT: %.3f\n\n", play(reader, &quiz, NULL));
    Task praise = sentences_task(lesson, arena, reviews->sentences, reviews->count, LABELS, 2);
    Texts review = judge_texts(lesson, reviews, reader, &praise);
    printf("%d labelled texts, fraction right      kind of book  praise\n", LABELS);
    printf("always the commonest class                    %.3f   %.3f\n", verse.commonest, review.commonest);
    printf("pretrained, then fine-tuned at [CLS]          %.3f   %.3f\n", verse.pretrained,
           review.pretrained);
    printf("the same from scratch                         %.3f   %.3f\n", verse.scratch, review.scratch);
    printf("pretrained, frozen, [CLS] + logistic          %.3f   %.3f\n", verse.frozen, review.frozen);
    printf("pretrained, frozen, mean + logistic           %.3f   %.3f\n", verse.mean, review.mean);
    printf("bag of words + logistic                       %.3f   %.3f\n\n", verse.bag, review.bag);
    if (lesson_full(lesson))
        claim(lesson, verse.pretrained >= verse.scratch + 0.05,
              "for the kind of book, the longer pretraining is worth at least 5 points");
    else
        claim(lesson, verse.bag >= fmax(verse.pretrained, verse.scratch),
              "for the kind of book, a bag of words is better than both networks");
    claim(lesson, review.bag >= fmax(review.pretrained, review.scratch) - 0.02,
          "for praise, neither is ahead of it by more than 2 points, which is chance");
}

/*
The bag of words is ahead both times, of every way to use the network, and it does not even know the order. And
what is the game worth? For praise nothing: −.005 here, −.003 and −.013 with seeds 2 and 3. For the kind of book
it depends on the run: −.01 here, but +.05 and +.06 with seeds 2 and 3. It never reaches the bag of words. Here
the words themselves, anywhere in the text, tell the class; a thousand labels are enough to say which words.

Is it because `[CLS]` was never asked for anything? Then the mean of all frozen states should do better than the
frozen `[CLS]`. For reviews it does, with three seeds of three; for verses with two of three; and never as well
as the words themselves. For these tasks, then, counting words pays more than pretraining. BERT's authors had
two hundred times our parameters and four thousand times our text, and for them it did: a claim about
pretraining is a claim about a size.

The first steps on that way can be seen with `FULL=1`, which plays the game on seven and a half times as much text.
It then guesses as many hidden words as the best way to count (.454 and .454, with seed 2 .456 and .446). For the
kind of book the pretrained network has .574 where the same from scratch has .454 and the bag of words .519; with
seed 2 .508, .439 and .533. For praise nothing changes.

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "19-bert", "BERT: fill in the blank");
    Corpus *corpus = open_corpus(lesson);
    check_mask(lesson, corpus);
    check_encoder(lesson, corpus);
    Quiz quiz = quiz_new(lesson, corpus->sentences, corpus->count, corpus->vocabulary.size, TEST);
    Opponents opponents = count_words(lesson, corpus, &quiz);
    Bert *bert = play_the_game(lesson, corpus, &quiz, opponents);
    what_it_guesses(lesson, bert, corpus);
    Hidden hidden = {0.0, 0.0};
    unseen_names(lesson, corpus, bert, &hidden);
    what_positions_know(lesson, corpus, bert, hidden);
    whole_texts(lesson, corpus, bert);
    return lesson_end(lesson);
}

/*
## What to take along

- Hide some words, guess them from all that is left: a game whose labels are in the text. Count the loss at the
  hidden positions only, and gather them before the large product.
- An encoder is a decoder without its mask. All see all, but nobody looks at padding.
- "Three times better than the commonest word" is true, and counting on both sides is better still. An opponent
  must be at its best.
- Pretraining paid where labels are few and the context decides: the type of a name that no label has shown.
  Where the words themselves decide it paid little or nothing, and a bag of words was ahead.
- A linear model on the right features is the opponent to beat. Here it was not beaten.
- The state of a seen word holds that word first of all. Hide the word, and its place knows its neighbours.
- Labels made by rules are labels with errors: look at fifty of them before you trust a percent.

## Check yourself

**1.** BERT sees both sides and guesses 36 of a hundred hidden words; a GPT sees one side. Can their scores be
compared?

<details><summary>Answer</summary>

Not with each other: they answer different questions. A hidden word with both neighbours in sight is easier than
the next word, and one in five neighbours is hidden too. What can be compared is each with counting on the same
question, to the order where counting is best.

</details>

**2.** Why must the loss leave out the positions that were not chosen?

<details><summary>Answer</summary>

There the answer stands in the input. The network would learn to copy, four positions in five would have a loss
near 0, and the gradient of the others would be divided by five.

</details>

**3.** Someone splits *mentions*, not names, into training and test, and reports an F1 of .95. What has been measured?

<details><summary>Answer</summary>

Mostly memory: Aaron is a person in the training part and in the test. A list of names would do as well. With
the name hidden it is less bad, but then the same verses, or their parallels in Chronicles, may stand on both
sides; so chapters are split too.

</details>

**4.** From scratch, the rate 3e-3 was best, for the pretrained network 1e-3. Why would comparing both at 1e-3
be unfair?

<details><summary>Answer</summary>

A pretrained network is to keep what it knows, a new one must move far in 130 steps. At 1e-3 the new one is not
yet trained, and the difference would be one of rates.

</details>

**5.** A class has three test examples of 800. How much can macro-F1 change by one of them?

<details><summary>Answer</summary>

Its F1 may change from 0.8 to 1 by one answer, and with three classes the mean by .07. That is why three draws
are shown and not one, and why a difference of .02 means nothing here.

</details>

## Sources

- J. Devlin, M.-W. Chang, K. Lee, K. Toutanova, *BERT: Pre-training of deep bidirectional transformers for
  language understanding*, 2018: the game, 80/10/10, `[CLS]`, fine-tuning.
- W. L. Taylor, *Cloze procedure*, Journalism Quarterly 30, 1953: the same game, for people.
- Y. Liu and others, *RoBERTa*, 2019: the next-sentence game is not needed; new masks in every epoch, as here.
- J. Strong, *The Exhaustive Concordance of the Bible*, 1890: the numbers and the definitions.
- E. F. Tjong Kim Sang, F. De Meulder, *Introduction to the CoNLL-2003 shared task*, 2003: named entities, and
  F1 of whole names (task 19.5).
- I. H. Witten, T. C. Bell, *The zero-frequency problem*, 1991: how counts are mixed.
- G. Alain, Y. Bengio, *Understanding intermediate layers using linear classifier probes*, 2016.
- S. Wang, C. Manning, *Baselines and bigrams*, 2012: how hard a bag of words is to beat.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade19` tells how far you are, `make
hint19` helps.

- **TASK 19.1** eighty, ten, ten, from random numbers that are given.
- **TASK 19.2** the loss of the game and its gradient, with logits that may be large.
- **TASK 19.3** one state for a sentence: the mean of its words, without padding.
- **TASK 19.4** macro-F1.
- **TASK 19.5** F1 of names of several words, as named entity recognition is really scored.

And with pencil and paper, or with a change to the program:

**1.** What if 90 percent of the words were hidden? And one in a hundred?

<details><summary>Answer</summary>

With 90 there is nearly nothing left to guess from: the answer is the commonest word. With one in a hundred each
guess is easier, but a step teaches a twentieth of what it does now for the same price. In between, more hiding
gives more to learn per step and less to learn from; papers found 15 to 40 percent to be about as good.

</details>

**2.** A verse of 25 words has five hidden. How many products of 64 numbers does the token head save by
gathering first?

<details><summary>Answer</summary>

It computes $5 \cdot 4000$ logits instead of $26 \cdot 4000$: 84 000 products of 64 numbers are saved, of 104 000.

</details>

**3.** Could BERT write?

<details><summary>Answer</summary>

Begin with a row of `[MASK]`, fill in the most certain one, look again. It works poorly: the network was never
trained on texts of masks alone. Make that its training, with a fraction of hidden words anywhere between 0 and
1, and it becomes a diffusion model for text (chapter 26 does it for images).

</details>

**4.** Would it help to hide *whole names* more often than other words in the game?

<details><summary>Answer</summary>

For our first task, probably: its states at a mask would be practised where names stand. ERNIE (2019) does it.
Try: `mask_batch` knows the words, the mentions are in `Corpus`.

</details>
*/
