// tokenizer_parts.h: what the files of the tokenizer share. tokenizer.c has pieces and merges, encodes and decodes;
// tokenizer_added.c finds added tokens; tokenizer_split.c does steps 1 to 3, with patterns from tokenizer_pattern.c;
// tokenizer_train.c learns merges; tokenizer_file.c reads files, tokenizer_write.c writes them, tokenizer_letters.c has
// their alphabet.
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
    const char *bytes; // not a string: a NUL may be among them
    size_t size;
} Bytes;

// Pieces by their bytes, open addressing; −1: free.
typedef struct {
    int *slots;
    size_t count, room;
} PieceIndex;

// As the file says. special is kept for the file; the others decide what is found. See tokenizer_added.c.
typedef struct {
    int id;
    bool special, single_word, lstrip, rstrip;
    bool sought[2]; // [false]: before normalising, [true]: afterwards
    Bytes content;
    size_t sizes[2]; // of what is sought; set when the finders are made
} AddedToken;

// A place in the trie of tokens read from their ends.
typedef struct {
    int first, count; // its children stand one after the other
    int longest;      // the longest shorter place that ends in the same way
    int found;        // which token has been read here, as an index into added; −1: none
    uint8_t byte;     // the step from its parent
} FinderNode;

typedef struct {
    FinderNode *nodes; // NULL: nothing is sought
    int root[256];     // the step from the root
} Finder;

typedef struct {
    size_t at;
    int added; // index
} Found;

typedef struct {
    Found *items;
    size_t count, room;
} FoundList;

typedef struct Splitter Splitter; // a compiled regular expression

// What becomes of the parts that a pattern matches, and of those between. The names are the file's.
typedef enum { ISOLATED, REMOVED, MERGED_WITH_PREVIOUS, MERGED_WITH_NEXT, CONTIGUOUS, BEHAVIOURS } Behaviour;
extern const char *const behaviour_names[BEHAVIOURS];

// One step of cutting a text into pre-tokens; each works on the parts that the one before has left.
typedef struct {
    bool prefix;   // this step puts a blank in front of a part that does not begin with one, and cuts nothing
    Bytes pattern; // as in the file
    bool literal;  // the pattern is a text, not a regular expression
    Behaviour behaviour;
    bool inverted; // what the pattern matches counts as what is between, and the other way round
    Splitter *splitter;
} Step;

enum { TOKENIZER_MAX_STEPS = 64, TOKENIZER_MAX_FORMS = 8, TOKENIZER_MAX_PATTERN = 1 << 16 };

// Unicode's normal forms, in the order of normal_form_names.
typedef enum { NFC, NFD, NFKC, NFKD, NORMAL_FORMS } NormalForm;
extern const char *const normal_form_names[NORMAL_FORMS];

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

// A piece of the vocabulary is named by bytes, in 256 letters, or by another text, and then no merge of bytes can make it.
// The third kind is in the list of added tokens only.
typedef enum { BYTE_PIECE, TEXT_PIECE, ADDED_PIECE } PieceKind;

struct Tokenizer {
    Arena *arena; // lives as long as the tokenizer; what grows leaves its smaller self behind
    TokenizerPiece *pieces;
    uint8_t *kinds; // of each piece: a PieceKind
    int size, room;
    PieceIndex by_bytes, by_text; // BYTE_PIECES, and the others: two name spaces
    int bytes[256];               // the piece of each byte; −1: the vocabulary has none
    int unknown;                  // what stands for such a byte; −1: nothing
    bool fuse_unknown;            // one for all bytes of a run
    Bytes unknown_name;           // empty: the file names none
    TokenizerMerge *merges;
    int merge_count, merge_room;
    Table ranks; // pair → index of its merge

    AddedToken *added; // in the file's order
    int added_count, added_room;
    Table added_by_id;   // number → index into added
    Arena *finder_arena; // rewound when the finders are made anew
    Finder finders[2];   // of what is sought before and after normalising
    int finders_know;    // how many tokens they know; they are made anew when it is not added_count
    FoundList places[2];

    Step steps[TOKENIZER_MAX_STEPS];
    int step_count;
    NormalForm forms[TOKENIZER_MAX_FORMS];
    int form_count;
    bool whole_first; // "ignore_merges": a pre-token that is a piece needs no merges

    Cache *cache;
    IdList found;
    Link *links;
    uint64_t *heap;
    size_t links_room;
    struct {
        char *bytes;
        size_t room;
    } normal[2], prefixed; // the results of step 2, and a part with a blank in front
};

// An empty tokenizer: no pieces, no steps.
Tokenizer *tokenizer_new(Place place);
void tokenizer_find_bytes(Tokenizer *tokenizer); // finds the pieces of the bytes, once all pieces are there

// Compiles the pattern and puts the step behind the others; stops the program when the pattern is wrong.
void tokenizer_put_step(Place place, Tokenizer *tokenizer, Step step);

// Puts a piece at a number that is free; false when the number is taken, or the bytes are (in the
// name space of its kind).
bool tokenizer_put(Place place, Tokenizer *tokenizer, int id, Bytes bytes, PieceKind kind);
void tokenizer_put_merge(Place place, Tokenizer *tokenizer, TokenizerMerge merge);

// From now on the piece token.id is found in texts. A token that is put twice has the settings of the second time, and
// is sought in both ways.
void tokenizer_put_added(Place place, Tokenizer *tokenizer, AddedToken token);

int find_by_bytes(const Tokenizer *tokenizer, Bytes bytes); // among BYTE_PIECES; −1: none
int find_by_name(Place place, const Tokenizer *tokenizer,
                 Bytes name); // as files name pieces: letters, or text

Bytes copied(Place place, Arena *arena, Bytes bytes); // with a NUL behind them

// Room for one more: a list that is full is copied to one of twice the size.
void *grown(Place place, Arena *arena, void *list, size_t count, size_t *room, size_t size);

// Calls back for each pre-token, and for each added token with its number (else −1), in order.
typedef void Visit(void *context, const char *bytes, size_t size, int added);
void split_text(Place place, Tokenizer *tokenizer, const char *text, size_t size, Visit *visit,
                void *context);

Splitter *splitter_new(Place place, const Step *step); // stops the program when the pattern is wrong
void splitter_free(Splitter *splitter);

// A regular expression as the Rust library's Oniguruma reads it → the same for PCRE2. See tokenizer_pattern.c.
const char *pattern_for_pcre2(Place place, Arena *arena, Bytes pattern);

// ---- Bytes as letters (tokenizer_letters.c) ----

int letter_of(int byte); // a code point below U+0144
bool from_letters(Bytes letters, char *bytes,
                  size_t *size);               // bytes has letters.size of room; false: other characters
size_t to_letters(Bytes bytes, char *letters); // letters has 2 · bytes.size of room

// ---- Added tokens (tokenizer_added.c) ----

typedef struct {
    Bytes text;
    int added; // index
    int order; // of the same texts the one with the lowest is found
} Sought;

Finder finder_new(Place place, Arena *arena, Sought *sought, size_t count);

// At each place of a text where a sought one begins the longest, the last place first.
void finder_scan(Place place, Arena *arena, const Finder *finder, const char *text, size_t size,
                 FoundList *found);
