// tokenizer_parts.h: what the files of the tokenizer share. tokenizer.c encodes and decodes, tokenizer_split.c finds added
// tokens and pre-tokens, tokenizer_train.c learns merges, tokenizer_file.c reads and writes files.
#pragma once
#include "models/tokenizer.h"

// A table from keys of 64 bits to numbers, open addressing; it grows.
typedef struct {
    uint64_t key;
    int value; // −1: free
} TableSlot;

typedef struct {
    TableSlot *slots;
    size_t count, room; // room is a power of two, or 0
} Table;

int table_find(const Table *table, uint64_t key);                                    // −1: not there
void table_insert(Place place, Arena *arena, Table *table, uint64_t key, int value); // the key must be new

uint64_t hash_bytes(const void *bytes, size_t size);

static inline uint64_t pair_key(int left, int right) { return (uint64_t)left << 32 | (uint32_t)right; }

typedef struct {
    int id;
    bool special, normalised; // as the file says; normalised: found after step 2 instead of before step 1
} AddedToken;

typedef struct Splitter Splitter; // the compiled regular expression
typedef struct Cache Cache;

typedef struct {
    int *items;
    size_t count, room;
} IdList;

// One place of a pre-token that is being merged.
typedef struct {
    int id, previous, next;
    int rank; // of the merge with the next place; −1: none
} Link;

struct Tokenizer {
    Arena *arena; // lives as long as the tokenizer; what grows leaves its smaller self behind
    TokenizerPiece *pieces;
    int size, room;
    int *index; // open addressing over the bytes of pieces; −1: free
    size_t index_count, index_room;
    int bytes[256]; // the piece of each byte
    TokenizerMerge *merges;
    int merge_count, merge_room;
    Table ranks; // pair → index of its merge

    AddedToken *added; // the longest first
    int added_count, added_room;
    bool added_starts[2][256]; // [normalised][first byte]
    const char *pattern;
    Splitter *splitter;
    bool nfc;
    bool whole_first; // "ignore_merges": a pre-token that is a piece needs no merges

    Cache *cache;
    IdList found;
    Link *links;
    uint64_t *heap;
    size_t links_room;
    char *normal; // step 2's result
    size_t normal_room;
};

// An empty tokenizer with the pieces 0 to 255 missing; pattern is copied.
Tokenizer *tokenizer_new(Place place, const char *pattern);
void tokenizer_check_bytes(Place place, const char *path,
                           Tokenizer *tokenizer); // finds the pieces of the bytes

// Puts a piece at a number that is free; false when the number is taken, or the bytes are.
bool tokenizer_put(Place place, Tokenizer *tokenizer, int id, const char *bytes, size_t size);
void tokenizer_put_merge(Place place, Tokenizer *tokenizer, TokenizerMerge merge);
void tokenizer_put_added(Place place, Tokenizer *tokenizer, AddedToken token);

// Room for one more: a list that is full is copied to one of twice the size.
void *grown(Place place, Arena *arena, void *list, size_t count, size_t *room, size_t size);

// Calls back for each pre-token, and for each added token with its number (else −1), in order.
typedef void Visit(void *context, const char *bytes, size_t size, int added);
void split_text(Place place, Tokenizer *tokenizer, const char *text, size_t size, Visit *visit,
                void *context);

Splitter *splitter_new(Place place, const char *pattern); // stops the program when the pattern is wrong
void splitter_free(Splitter *splitter);
bool is_utf8(const char *text, size_t size);
