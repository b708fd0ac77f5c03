// tokenizer_train.c: learning merges. See tokenizer.h.
//
// The plain way counts all pairs of neighbours, merges the most frequent, and begins again. Here the counts are kept: a
// merge changes only the pairs around the places where it happens. Each pair knows the words that it has ever occurred in,
// and a heap knows the most frequent pair.
#include "models/tokenizer_parts.h"

#include <string.h>

typedef struct {
    const char *bytes;
    size_t size, first; // bytes, and where its pieces begin
    int pieces;         // how many are left
    int64_t count;      // how often the word occurs in the text
} Word;

typedef struct {
    int left, right;
    int64_t count;
    uint32_t words; // the head of its list, as an index into nodes; 0: empty
    int last_word;  // the word that was put into the list last
} Pair;

typedef struct {
    int word;
    uint32_t next;
} Node;

typedef struct {
    int64_t count; // as it was when the entry was made or looked at last; the true one may be lower
    int pair;
} Entry;

typedef struct {
    Place place;
    Arena *arena;
    Word *words;
    size_t word_count, word_room;
    int *index; // hash table of words; −1: free
    size_t index_room;
    int *pieces; // of all words
    Pair *pairs;
    size_t pair_count, pair_room;
    Table by_key; // pair_key → index of the pair
    Node *nodes;
    size_t node_count;
    Entry *heap;
    size_t heap_count, heap_room;
} Training;

// ---- Words ----------------------------------------------------------------------------------------------------

static int *word_slot(const Training *r, const char *bytes, size_t size)
{
    size_t mask = r->index_room - 1, at = hash_bytes(bytes, size) & mask;
    for (; r->index[at] >= 0; at = (at + 1) & mask) {
        const Word *word = &r->words[r->index[at]];
        if (word->size == size && memcmp(word->bytes, bytes, size) == 0) break;
    }
    return &r->index[at];
}

static void count_word(void *context, const char *bytes, size_t size, int added)
{
    (void)added; // nothing has been added yet
    Training *r = context;
    if (2 * r->word_count >= r->index_room) {
        r->index_room = r->index_room ? 2 * r->index_room : 1024;
        r->index = arena_alloc_at(r->place, r->arena, r->index_room, sizeof *r->index);
        for (size_t i = 0; i < r->index_room; i++) r->index[i] = -1;
        for (size_t i = 0; i < r->word_count; i++)
            *word_slot(r, r->words[i].bytes, r->words[i].size) = (int)i;
    }
    int *slot = word_slot(r, bytes, size);
    if (*slot < 0) {
        check_at(r->place, r->word_count < INT32_MAX && size < INT32_MAX, "train with less text",
                 "tokenizer_train: too many words, or one that is too long");
        r->words = grown(r->place, r->arena, r->words, r->word_count, &r->word_room, sizeof *r->words);
        *slot = (int)r->word_count;
        r->words[r->word_count++] = (Word){.bytes = bytes, .size = size};
    }
    r->words[*slot].count++;
}

// ---- Pairs ----------------------------------------------------------------------------------------------------

static Pair *pair_of(Training *r, int left, int right)
{
    int found = table_find(&r->by_key, pair_key(left, right));
    if (found >= 0) return &r->pairs[found];
    r->pairs = grown(r->place, r->arena, r->pairs, r->pair_count, &r->pair_room, sizeof *r->pairs);
    table_insert(r->place, r->arena, &r->by_key, pair_key(left, right), (int)r->pair_count);
    Pair *pair = &r->pairs[r->pair_count++];
    *pair = (Pair){.left = left, .right = right, .last_word = -1};
    return pair;
}

static void add_pair(Training *r, int left, int right, int word)
{
    Pair *pair = pair_of(r, left, right);
    pair->count += r->words[word].count;
    if (pair->last_word == word) return;
    r->nodes[++r->node_count] = (Node){word, pair->words};
    pair->words = (uint32_t)r->node_count;
    pair->last_word = word;
}

static void take_pair(Training *r, int left, int right, int word)
{
    pair_of(r, left, right)->count -= r->words[word].count;
}

// Whether entry a is to be merged before b: the higher count, then the lower left piece, then the lower right one.
static bool before(const Training *r, Entry a, Entry b)
{
    const Pair *x = &r->pairs[a.pair], *y = &r->pairs[b.pair];
    if (a.count != b.count) return a.count > b.count;
    return x->left != y->left ? x->left < y->left : x->right < y->right;
}

// A pair that occurs once saves nothing.
static void push(Training *r, int pair)
{
    Entry entry = {r->pairs[pair].count, pair};
    if (entry.count < 2) return;
    r->heap = grown(r->place, r->arena, r->heap, r->heap_count, &r->heap_room, sizeof *r->heap);
    size_t at = r->heap_count++;
    for (; at > 0 && before(r, entry, r->heap[(at - 1) / 2]); at = (at - 1) / 2)
        r->heap[at] = r->heap[(at - 1) / 2];
    r->heap[at] = entry;
}

static int pop(Training *r)
{
    int first = r->heap[0].pair;
    Entry last = r->heap[--r->heap_count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < r->heap_count; at = child) {
        if (child + 1 < r->heap_count && before(r, r->heap[child + 1], r->heap[child])) child++;
        if (before(r, last, r->heap[child])) break;
        r->heap[at] = r->heap[child];
    }
    r->heap[at] = last;
    return first;
}

// The most frequent pair; −1 when none occurs twice. Counts only fall once a pair's two pieces exist, so an entry that is
// right when it comes to the top is the highest.
static int most_frequent(Training *r)
{
    while (r->heap_count) {
        int64_t believed = r->heap[0].count;
        int pair = pop(r);
        if (r->pairs[pair].count == believed) return pair;
        push(r, pair);
    }
    return -1;
}

// ---- Training -------------------------------------------------------------------------------------------------

static void make_words(Training *r, Tokenizer *t, const char *text, size_t size)
{
    split_text(r->place, t, text, size, count_word, r);
    size_t total = 0;
    for (size_t w = 0; w < r->word_count; w++) {
        r->words[w].first = total;
        r->words[w].pieces = (int)r->words[w].size;
        total = size_sum(r->place, total, r->words[w].size);
    }
    // A word of n bytes begins with n − 1 pairs; each of its at most n − 1 merges makes two new ones.
    check_at(r->place, total < UINT32_MAX / 3, "train with less text",
             "tokenizer_train: %zu bytes of different words", total);
    r->pieces = arena_alloc_at(r->place, r->arena, total, sizeof *r->pieces);
    r->nodes = arena_alloc_at(r->place, r->arena, 3 * total + 1, sizeof *r->nodes);
    for (size_t w = 0; w < r->word_count; w++) {
        int *pieces = r->pieces + r->words[w].first;
        for (int i = 0; i < r->words[w].pieces; i++) {
            pieces[i] = (uint8_t)r->words[w].bytes[i];
            if (i > 0) add_pair(r, pieces[i - 1], pieces[i], (int)w);
        }
    }
    for (size_t p = 0; p < r->pair_count; p++) push(r, (int)p);
}

// Merges left and right to made wherever they meet in a word, from left to right, and keeps the counts right.
static void merge_in_word(Training *r, int w, int left, int right, int made)
{
    Word *word = &r->words[w];
    int *pieces = r->pieces + word->first, kept = 0;
    for (int i = 0; i < word->pieces; i++) {
        if (pieces[i] != left || i + 1 == word->pieces || pieces[i + 1] != right) {
            pieces[kept++] = pieces[i];
            continue;
        }
        take_pair(r, left, right, w);
        if (kept > 0) {
            take_pair(r, pieces[kept - 1], left, w);
            add_pair(r, pieces[kept - 1], made, w);
        }
        if (i + 2 < word->pieces) {
            take_pair(r, right, pieces[i + 2], w);
            add_pair(r, made, pieces[i + 2], w);
        }
        pieces[kept++] = made;
        i++;
    }
    word->pieces = kept;
}

static void put_joined(Place place, Tokenizer *t, Arena *scratch, TokenizerMerge merge)
{
    TokenizerPiece left = t->pieces[merge.left], right = t->pieces[merge.right];
    char *bytes = arena_alloc_at(place, scratch, left.size + right.size, 1);
    memcpy(bytes, left.bytes, left.size);
    memcpy(bytes + left.size, right.bytes, right.size);
    // Two ways to the same bytes cannot both be learned: merges happen everywhere at once, from left to right.
    check_at(place, tokenizer_put(place, t, merge.result, (Bytes){bytes, left.size + right.size}, BYTE_PIECE),
             NULL, "tokenizer_train: piece %d is there already", merge.result);
    tokenizer_put_merge(place, t, merge);
}

Tokenizer *tokenizer_train_at(Place place, const void *text, size_t size, int pieces, const char *pattern)
{
    check_at(place, pieces >= 256 && pieces <= TOKENIZER_MAX_PIECES, "every byte is a piece: 256 at least",
             "tokenizer_train: %d pieces are wanted", pieces);
    if (!pattern) pattern = TOKENIZER_GPT2_PATTERN;
    Tokenizer *t = tokenizer_new(place);
    tokenizer_put_step(place, t, (Step){.pattern = {pattern, strlen(pattern)}});
    for (int b = 0; b < 256; b++) {
        char byte = (char)b;
        tokenizer_put(place, t, b, (Bytes){&byte, 1}, BYTE_PIECE);
    }
    tokenizer_find_bytes(t);

    Training r = {.place = place, .arena = arena_new()};
    make_words(&r, t, text, size);
    for (int pair; t->size < pieces && (pair = most_frequent(&r)) >= 0;) {
        TokenizerMerge merge = {r.pairs[pair].left, r.pairs[pair].right, t->size};
        size_t known = r.pair_count;
        for (uint32_t node = r.pairs[pair].words; node; node = r.nodes[node].next)
            merge_in_word(&r, r.nodes[node].word, merge.left, merge.right, merge.result);
        for (size_t p = known; p < r.pair_count; p++) push(&r, (int)p);
        put_joined(place, t, r.arena, merge);
    }
    arena_free(r.arena);
    return t;
}
