// tokenizer.h: text as numbers, and back: byte-level byte-pair encoding, as GPT-2 and most models after it use it.
//
//     Tokenizer *tokenizer = tokenizer_train(text, size, 4096, NULL);        // or
//     Tokenizer *tokenizer = tokenizer_load("datasets/cache/qwen3-tokenizer/tokenizer.json");
//     Tokens tokens = tokenizer_encode(arena, tokenizer, "Hello", 5);        // tokens.ids, tokens.count
//     size_t length;
//     char *again = tokenizer_decode(arena, tokenizer, tokens.ids, tokens.count, &length);
//     tokenizer_free(tokenizer);
//
// What happens to a text, in this order:
//   1. Added tokens ("<|im_start|>") are found, at each place the longest, and become one number each.
//   2. What is between them is brought into a normal form, where the tokenizer's file asks for it (Qwen's asks for NFC:
//      an e with a combining accent becomes é; GPT-2's does not). Added tokens that are "normalized" are brought into it
//      as well, and found now instead of before.
//   3. Regular expressions cut the text into pre-tokens, about words. No piece crosses a cut.
//   4. Each pre-token begins as bytes. Of all neighbours that may be merged, the two whose merge was learned first
//      become one piece, the leftmost two if there is a choice; again, until no neighbours may be merged.
//
// Any bytes can be encoded, as long as the vocabulary has all 256 (those that tokenizer_train makes have): a byte that is
// not part of valid UTF-8 is a pre-token of its own. The original programs do not have this case, for they are given texts
// and not bytes. Where nothing is normalised or cut away, decoding gives back the same bytes.
//
// Regular expressions are read as Oniguruma reads them, by PCRE2 (tokenizer_pattern.c has the differences); Unicode's
// tables are PCRE2's and libunistring's (version 14 in Debian 12): a character that was added to Unicode later is neither
// a letter nor a number. White space, \s, is what Unicode calls White_Space, as in the original programs; JavaScript's
// differs in U+0085 and U+FEFF.
//
// A Tokenizer keeps a workspace and a cache: use it in one thread at a time.
#pragma once
#include "base/arena.h"

enum {
    TOKENIZER_MAX_PIECES = 1 << 20,
    TOKENIZER_MAX_FILE = 1 << 28, // bytes
};

typedef struct Tokenizer Tokenizer;

typedef struct {
    int *ids;
    size_t count;
} Tokens;

typedef struct {
    const char *bytes; // not a string: a piece may hold any byte, and half a character
    size_t size;       // 0 and no bytes (NULL): no piece has this number
    bool added;        // found in the text before anything else
} TokenizerPiece;

typedef struct {
    int left, right, result;
} TokenizerMerge;

// The regular expression of GPT-2: contractions, words, numbers and other signs, each with the blank in front of it.
extern const char *const TOKENIZER_GPT2_PATTERN;
// That of Qwen2 and Qwen3: digits one by one, and any one sign may begin a word.
extern const char *const TOKENIZER_QWEN_PATTERN;

// Learns merges from a text until there are so many pieces, or no pair of neighbours occurs twice. The pieces 0 to 255 are
// the bytes; each merge of the most frequent pair adds one. Of equally frequent pairs the one with the lower left number
// is taken, then the one with the lower right number. pattern NULL: TOKENIZER_GPT2_PATTERN.
// (P. Gage 1994, "A new algorithm for data compression"; R. Sennrich et al. 2016, arXiv:1508.07909)
#define tokenizer_train(text, size, pieces, pattern) tokenizer_train_at(HERE, text, size, pieces, pattern)
Tokenizer *tokenizer_train_at(Place place, const void *text, size_t size, int pieces, const char *pattern);

// Adds a token such as "<|end|>"; returns its number, the next that is free. It must not be the name that a piece has in a
// file: "the" may be one already, é is that of the byte 0xe9.
#define tokenizer_add(tokenizer, content) tokenizer_add_at(HERE, tokenizer, content)
int tokenizer_add_at(Place place, Tokenizer *tokenizer, const char *content);

// Reads a tokenizer.json (of the kind that holds byte-level BPE), or GPT-2's two files. In a text, GPT-2's own program
// takes "<|endoftext|>" for ordinary characters, so there is no added token.
// Files are untrusted input: what is wrong stops the program with a message that names the place.
//
// A tokenizer.json gives the numbers that Hugging Face's Rust library gives without special tokens around the text
// (add_special_tokens false), without cutting it short (truncation) or filling it up (padding); these, post_processor and
// decoder are not read. What would lead to other numbers is refused by name: other models than BPE, prefixes and suffixes
// of pieces, dropout, normalisers that are no normal form, pre-tokenisers without ByteLevel at the end. A token has the
// number that the file says, also where that library would count on from the vocabulary instead. An added token whose name
// a piece of the vocabulary has is that piece.
#define tokenizer_load(path)                         tokenizer_load_at(HERE, path)
#define tokenizer_load_gpt2(encoder_json, vocab_bpe) tokenizer_load_gpt2_at(HERE, encoder_json, vocab_bpe)
Tokenizer *tokenizer_load_at(Place place, const char *path);
Tokenizer *tokenizer_load_gpt2_at(Place place, const char *encoder_json, const char *vocab_bpe);

// Writes a tokenizer.json that tokenizer_load and Hugging Face's library read, with the same numbers. The old file is
// replaced by a whole one, or stays (base/replace.h).
#define tokenizer_save(path, tokenizer) tokenizer_save_at(HERE, path, tokenizer)
void tokenizer_save_at(Place place, const char *path, const Tokenizer *tokenizer);

void tokenizer_free(Tokenizer *tokenizer); // NULL is allowed

// Added tokens in the text become their numbers, special or not: whoever must not write them has to look for them first.
#define tokenizer_encode(arena, tokenizer, text, size) tokenizer_encode_at(HERE, arena, tokenizer, text, size)
Tokens tokenizer_encode_at(Place place, Arena *arena, Tokenizer *tokenizer, const void *text, size_t size);

// The bytes of the pieces one after the other, with a NUL behind them that *size (which may be NULL) does not count. They
// may begin or end within a character. A number that no piece has stops the program.
#define tokenizer_decode(arena, tokenizer, ids, count, size)                                                 \
    tokenizer_decode_at(HERE, arena, tokenizer, ids, count, size)
char *tokenizer_decode_at(Place place, Arena *arena, const Tokenizer *tokenizer, const int *ids, size_t count,
                          size_t *size);

// What steps 1 to 3 make of a text: its pre-tokens and added tokens.
#define tokenizer_split(arena, tokenizer, text, size, count)                                                 \
    tokenizer_split_at(HERE, arena, tokenizer, text, size, count)
TokenizerPiece *tokenizer_split_at(Place place, Arena *arena, Tokenizer *tokenizer, const void *text,
                                   size_t size, size_t *count);

// The highest number and one: how many rows an embedding needs.
int tokenizer_size(const Tokenizer *tokenizer);
#define tokenizer_piece(tokenizer, id) tokenizer_piece_at(HERE, tokenizer, id)
TokenizerPiece tokenizer_piece_at(Place place, const Tokenizer *tokenizer, int id);
// The piece with these bytes, in the vocabulary or else among the added tokens; −1: there is none.
int tokenizer_find(const Tokenizer *tokenizer, const void *bytes, size_t size);
int tokenizer_merge_count(const Tokenizer *tokenizer);
TokenizerMerge tokenizer_merge(const Tokenizer *tokenizer, int rank); // in the order of learning
bool tokenizer_normalises(const Tokenizer *tokenizer);                // whether there is a step 2
