// tokenizer.c: pieces and merges, encoding, decoding. See tokenizer.h.
#include "base/utf8.h"
#include "base/check.h"
#include "models/tokenizer_parts.h"

#include <string.h>

const char *const TOKENIZER_GPT2_PATTERN =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const char *const TOKENIZER_QWEN_PATTERN =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
    "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

// ---- Tables -------------------------------------------------------------------------------------------------

void *grown(Place place, Arena *arena, void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room) return list;
    size_t larger = *room ? size_product(place, *room, 2) : 256;
    char *copy = arena_alloc_at(place, arena, larger, size);
    if (count) memcpy(copy, list, count * size);
    *room = larger;
    return copy;
}

Bytes copied(Place place, Arena *arena, Bytes bytes)
{
    char *copy = arena_alloc_at(place, arena, size_sum(place, bytes.size, 1), 1);
    if (bytes.size) memcpy(copy, bytes.bytes, bytes.size);
    copy[bytes.size] = '\0';
    return (Bytes){copy, bytes.size};
}

// Bits far apart come to depend on each other: the finaliser of MurmurHash3 (A. Appleby).
static uint64_t mixed(uint64_t x)
{
    x = (x ^ x >> 33) * 0xff51afd7ed558ccdu;
    x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

uint64_t hash_bytes(const void *bytes, size_t size)
{
    const char *at = bytes;
    uint64_t hash = size * 0x9e3779b97f4a7c15u, word;
    for (; size >= sizeof word; size -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = (hash ^ word) * 0x9fb21c651e98df25u;
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, at, size);
    return mixed(hash ^ word);
}

static TableSlot *table_slot(const Table *table, uint64_t key)
{
    size_t at = mixed(key) & (table->room - 1);
    while (table->slots[at].value >= 0 && table->slots[at].key != key) at = (at + 1) & (table->room - 1);
    return &table->slots[at];
}

int table_find(const Table *table, uint64_t key) { return table->room ? table_slot(table, key)->value : -1; }

void table_insert(Place place, Arena *arena, Table *table, uint64_t key, int value)
{
    if (2 * table->count >= table->room) {
        Table larger = {.count = table->count, .room = table->room ? 2 * table->room : 1024};
        larger.slots = arena_alloc_at(place, arena, larger.room, sizeof *larger.slots);
        for (size_t i = 0; i < larger.room; i++) larger.slots[i].value = -1;
        for (size_t i = 0; i < table->room; i++)
            if (table->slots[i].value >= 0) *table_slot(&larger, table->slots[i].key) = table->slots[i];
        *table = larger;
    }
    *table_slot(table, key) = (TableSlot){key, value};
    table->count++;
}

// ---- Pieces and merges --------------------------------------------------------------------------------------

Tokenizer *tokenizer_new(Place place)
{
    Arena *arena = arena_new();
    Tokenizer *t = arena_zeros_at(place, arena, 1, sizeof *t);
    t->arena = arena;
    t->finder_arena = arena_new();
    t->unknown = -1;
    return t;
}

void tokenizer_put_step(Place place, Tokenizer *t, Step step)
{
    check_at(place, t->step_count < TOKENIZER_MAX_STEPS, NULL, "the pre-tokeniser has more than %d steps",
             TOKENIZER_MAX_STEPS);
    if (!step.prefix) {
        step.pattern = copied(place, t->arena, step.pattern);
        step.splitter = splitter_new(place, &step);
    }
    t->steps[t->step_count++] = step;
}

void tokenizer_free(Tokenizer *t)
{
    if (!t) return;
    for (int i = 0; i < t->step_count; i++) splitter_free(t->steps[i].splitter);
    arena_free(t->finder_arena);
    arena_free(t->arena);
}

// Where the piece with these bytes stands in the index, or where it would stand.
static int *index_slot(const Tokenizer *t, const PieceIndex *index, Bytes bytes)
{
    size_t mask = index->room - 1, at = hash_bytes(bytes.bytes, bytes.size) & mask;
    for (; index->slots[at] >= 0; at = (at + 1) & mask) {
        const TokenizerPiece *piece = &t->pieces[index->slots[at]];
        if (piece->size == bytes.size && memcmp(piece->bytes, bytes.bytes, bytes.size) == 0) break;
    }
    return &index->slots[at];
}

static int find_in(const Tokenizer *t, const PieceIndex *index, Bytes bytes)
{
    return index->room ? *index_slot(t, index, bytes) : -1;
}

int find_by_bytes(const Tokenizer *t, Bytes bytes) { return find_in(t, &t->by_bytes, bytes); }

int find_by_name(Place place, const Tokenizer *t, Bytes name)
{
    char few[256], *bytes = few;
    Arena *arena = NULL;
    if (name.size > sizeof few) bytes = arena_alloc_at(place, arena = arena_new(), name.size, 1);
    size_t size;
    int id = from_letters(name, bytes, &size) ? find_by_bytes(t, (Bytes){bytes, size}) : -1;
    arena_free(arena);
    return id >= 0 ? id : find_in(t, &t->by_text, name);
}

int tokenizer_find(const Tokenizer *t, const void *bytes, size_t size)
{
    int id = find_by_bytes(t, (Bytes){bytes, size});
    return id >= 0 ? id : find_in(t, &t->by_text, (Bytes){bytes, size});
}

static Bytes piece_bytes(const Tokenizer *t, int id)
{
    return (Bytes){t->pieces[id].bytes, t->pieces[id].size};
}

static void index_insert(Place place, Tokenizer *t, PieceIndex *index, int id)
{
    if (2 * index->count >= index->room) {
        PieceIndex old = *index;
        index->room = old.room ? 2 * old.room : 1024;
        index->slots = arena_alloc_at(place, t->arena, index->room, sizeof *index->slots);
        for (size_t i = 0; i < index->room; i++) index->slots[i] = -1;
        for (size_t i = 0; i < old.room; i++)
            if (old.slots[i] >= 0) *index_slot(t, index, piece_bytes(t, old.slots[i])) = old.slots[i];
    }
    *index_slot(t, index, piece_bytes(t, id)) = id;
    index->count++;
}

// Room for the numbers up to id; those that nobody has are no pieces.
static void make_room(Place place, Tokenizer *t, int id)
{
    if (id >= t->room) {
        int larger = int_max(int_max(256, id + 1), 2 * t->room);
        TokenizerPiece *pieces = arena_alloc_at(place, t->arena, (size_t)larger, sizeof *pieces);
        uint8_t *kinds = arena_alloc_at(place, t->arena, (size_t)larger, sizeof *kinds);
        if (t->size) memcpy(pieces, t->pieces, (size_t)t->size * sizeof *pieces);
        if (t->size) memcpy(kinds, t->kinds, (size_t)t->size);
        t->pieces = pieces;
        t->kinds = kinds;
        t->room = larger;
    }
    for (; t->size <= id; t->size++) {
        t->pieces[t->size] = (TokenizerPiece){0};
        t->kinds[t->size] = BYTE_PIECE;
    }
}

bool tokenizer_put(Place place, Tokenizer *t, int id, Bytes bytes, PieceKind kind)
{
    PieceIndex *index = kind == BYTE_PIECE ? &t->by_bytes : &t->by_text;
    if (find_in(t, index, bytes) >= 0 || (id < t->size && t->pieces[id].bytes)) return false;
    make_room(place, t, id);
    t->pieces[id] = (TokenizerPiece){copied(place, t->arena, bytes).bytes, bytes.size, false};
    t->kinds[id] = (uint8_t)kind;
    index_insert(place, t, index, id);
    return true;
}

void tokenizer_put_merge(Place place, Tokenizer *t, TokenizerMerge merge)
{
    size_t room = (size_t)t->merge_room;
    t->merges = grown(place, t->arena, t->merges, (size_t)t->merge_count, &room, sizeof *t->merges);
    t->merge_room = (int)room;
    table_insert(place, t->arena, &t->ranks, pair_key(merge.left, merge.right), t->merge_count);
    t->merges[t->merge_count++] = merge;
}

void tokenizer_put_added(Place place, Tokenizer *t, AddedToken token)
{
    t->finders_know = -1;
    int known = table_find(&t->added_by_id, (uint64_t)token.id);
    if (known >= 0) {
        for (int after = 0; after < 2; after++) token.sought[after] |= t->added[known].sought[after];
        token.content = t->added[known].content;
        t->added[known] = token;
        return;
    }
    token.content = copied(place, t->arena, token.content);
    size_t room = (size_t)t->added_room;
    t->added = grown(place, t->arena, t->added, (size_t)t->added_count, &room, sizeof *t->added);
    t->added_room = (int)room;
    table_insert(place, t->arena, &t->added_by_id, (uint64_t)token.id, t->added_count);
    t->added[t->added_count++] = token;
    t->pieces[token.id].added = true;
}

int tokenizer_add_at(Place place, Tokenizer *t, const char *content)
{
    Bytes text = {content, strlen(content)};
    check_at(place, text.size > 0 && utf8_invalid(content, text.size) == text.size,
             "give a text such as \"<|end|>\"", "tokenizer_add: the token is empty or not UTF-8");
    check_at(place, t->size < TOKENIZER_MAX_PIECES, NULL, "tokenizer_add: there are %d pieces already",
             t->size);
    // In a file one name is one piece, and é is the name of the byte 0xe9.
    int id = t->size, known = find_by_name(place, t, text);
    check_at(place, known < 0 && tokenizer_put(place, t, id, text, ADDED_PIECE), "choose another text",
             "tokenizer_add: \"%s\" is a piece already, number %d", content, known);
    tokenizer_put_added(place, t,
                        (AddedToken){.id = id, .special = true, .sought = {true, false}, .content = text});
    return id;
}

void tokenizer_find_bytes(Tokenizer *t)
{
    for (int b = 0; b < 256; b++) {
        char byte = (char)b;
        t->bytes[b] = find_by_bytes(t, (Bytes){&byte, 1});
    }
}

int tokenizer_size(const Tokenizer *t) { return t->size; }
int tokenizer_merge_count(const Tokenizer *t) { return t->merge_count; }
bool tokenizer_normalises(const Tokenizer *t) { return t->form_count > 0; }

TokenizerMerge tokenizer_merge(const Tokenizer *t, int rank)
{
    check(rank >= 0 && rank < t->merge_count, "merges count from 0", "tokenizer_merge: %d of %d", rank,
          t->merge_count);
    return t->merges[rank];
}

TokenizerPiece tokenizer_piece_at(Place place, const Tokenizer *t, int id)
{
    check_at(place, id >= 0 && id < t->size, "numbers count from 0", "tokenizer_piece: number %d of %d", id,
             t->size);
    return t->pieces[id];
}

// ---- Merging one pre-token ----------------------------------------------------------------------------------

static void append(Place place, Tokenizer *t, int id)
{
    IdList *found = &t->found;
    found->items = grown(place, t->arena, found->items, found->count, &found->room, sizeof *found->items);
    found->items[found->count++] = id;
}

static void heap_push(uint64_t *heap, size_t *count, uint64_t entry)
{
    size_t at = (*count)++;
    for (; at > 0 && heap[(at - 1) / 2] > entry; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
    heap[at] = entry;
}

static uint64_t heap_pop(uint64_t *heap, size_t *count)
{
    uint64_t least = heap[0], last = heap[--*count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < *count; at = child) {
        if (child + 1 < *count && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= last) break;
        heap[at] = heap[child];
    }
    heap[at] = last;
    return least;
}

// The pair that begins at a place becomes a candidate, if it may be merged: the lowest rank wins, then the leftmost place.
static void offer(Tokenizer *t, int at, size_t *count)
{
    Link *link = &t->links[at];
    link->rank = link->next < 0 ? -1 : table_find(&t->ranks, pair_key(link->id, t->links[link->next].id));
    if (link->rank >= 0) heap_push(t->heap, count, (uint64_t)link->rank << 32 | (uint32_t)at);
}

// Puts the pieces of the bytes in a row; returns how many there are.
static int link_bytes(Place place, Tokenizer *t, const char *bytes, size_t size)
{
    int n = 0;
    bool unknown = false; // whether the byte before has no piece
    for (size_t i = 0; i < size; i++) {
        int byte = (uint8_t)bytes[i], id = t->bytes[byte];
        if (id < 0 && t->unknown < 0)
            die_at(place,
                   "its vocabulary was made from texts without it: change the text, or take a tokenizer "
                   "that has all 256 bytes",
                   "tokenizer_encode: there is no piece for the byte 0x%02x%s%.*s", (unsigned)byte,
                   t->unknown_name.size ? ", and in its vocabulary no unk_token " : "",
                   int_min(80, (int)t->unknown_name.size), t->unknown_name.bytes);
        if (id < 0 && unknown && t->fuse_unknown) continue;
        unknown = id < 0;
        t->links[n] = (Link){id < 0 ? t->unknown : id, n - 1, n + 1, -1};
        n++;
    }
    t->links[n - 1].next = -1;
    return n;
}

// O(n log n) for n bytes: each merge removes a place and offers two pairs. An entry of the heap whose pair has changed
// since is recognised by its rank, and dropped.
static void merge(Place place, Tokenizer *t, const char *bytes, size_t size)
{
    check_at(place, size < 1 << 30, "cut it", "tokenizer: a pre-token of %zu bytes", size);
    if (size > t->links_room) {
        t->links_room = 2 * size < 256 ? 256 : 2 * size;
        t->links = arena_alloc_at(place, t->arena, t->links_room, sizeof *t->links);
        t->heap = arena_alloc_at(place, t->arena, 3 * t->links_room, sizeof *t->heap);
    }
    Link *links = t->links;
    int n = link_bytes(place, t, bytes, size);
    size_t count = 0;
    for (int i = 0; i + 1 < n; i++) offer(t, i, &count);
    while (count) {
        uint64_t entry = heap_pop(t->heap, &count);
        int at = (int)(uint32_t)entry, rank = (int)(entry >> 32);
        if (links[at].rank != rank) continue;
        int gone = links[at].next, after = links[gone].next;
        links[at].id = t->merges[rank].result;
        links[at].next = after;
        links[gone].rank = -1;
        if (after >= 0) links[after].previous = at;
        offer(t, at, &count);
        if (links[at].previous >= 0) offer(t, links[at].previous, &count);
    }
    for (int i = 0; i >= 0; i = links[i].next) append(place, t, links[i].id);
}

// ---- The cache: most pre-tokens have been seen before -------------------------------------------------------

enum {
    CACHE_SLOTS = 1 << 17,
    CACHE_NUMBERS = 1 << 20,
    CACHE_LONGEST = 128, // bytes of a pre-token that is worth remembering
};

typedef struct {
    uint64_t hash;
    uint32_t at; // in numbers: count ids, then the bytes
    uint16_t size, count;
} CacheSlot;

struct Cache {
    size_t used, slots_used;
    CacheSlot slots[CACHE_SLOTS]; // size 0: free
    int numbers[CACHE_NUMBERS];
};

static CacheSlot *cache_slot(Cache *cache, uint64_t hash, const char *bytes, size_t size)
{
    size_t at = hash & (CACHE_SLOTS - 1);
    for (; cache->slots[at].size; at = (at + 1) & (CACHE_SLOTS - 1)) {
        const CacheSlot *slot = &cache->slots[at];
        if (slot->hash == hash && slot->size == size &&
            memcmp(cache->numbers + slot->at + slot->count, bytes, size) == 0)
            break;
    }
    return &cache->slots[at];
}

// Remembers the count numbers at ids. When there is no room, everything is forgotten.
static void cache_insert(Cache *cache, uint64_t hash, const char *bytes, size_t size, const int *ids,
                         size_t count)
{
    size_t needed = count + (size + sizeof(int) - 1) / sizeof(int);
    if (cache->used + needed > CACHE_NUMBERS || 2 * cache->slots_used >= CACHE_SLOTS) {
        memset(cache->slots, 0, sizeof cache->slots);
        cache->used = cache->slots_used = 0;
    }
    *cache_slot(cache, hash, bytes, size) =
        (CacheSlot){hash, (uint32_t)cache->used, (uint16_t)size, (uint16_t)count};
    memcpy(cache->numbers + cache->used, ids, count * sizeof *ids);
    memcpy(cache->numbers + cache->used + count, bytes, size);
    cache->used += needed;
    cache->slots_used++;
}

// ---- Encoding and decoding ----------------------------------------------------------------------------------

typedef struct {
    Place place;
    Tokenizer *t;
} Encoding;

static void encode_pretoken(void *context, const char *bytes, size_t size, int added)
{
    Encoding *e = context;
    Tokenizer *t = e->t;
    int whole = size == 1        ? t->bytes[(uint8_t)bytes[0]]
                : t->whole_first ? find_by_bytes(t, (Bytes){bytes, size})
                                 : -1;
    if (added >= 0 || whole >= 0) {
        append(e->place, t, added >= 0 ? added : whole);
    } else if (size > CACHE_LONGEST) {
        merge(e->place, t, bytes, size);
    } else {
        uint64_t hash = hash_bytes(bytes, size);
        const CacheSlot *slot = cache_slot(t->cache, hash, bytes, size);
        if (slot->size) {
            for (int i = 0; i < slot->count; i++)
                append(e->place, t, t->cache->numbers[slot->at + (uint32_t)i]);
            return;
        }
        size_t before = t->found.count;
        merge(e->place, t, bytes, size);
        cache_insert(t->cache, hash, bytes, size, t->found.items + before, t->found.count - before);
    }
}

Tokens tokenizer_encode_at(Place place, Arena *arena, Tokenizer *t, const void *text, size_t size)
{
    if (!t->cache) t->cache = arena_zeros_at(place, t->arena, 1, sizeof *t->cache);
    t->found.count = 0;
    Encoding encoding = {place, t};
    split_text(place, t, text, size, encode_pretoken, &encoding);
    Tokens tokens = {arena_alloc_at(place, arena, t->found.count, sizeof(int)), t->found.count};
    if (tokens.count) memcpy(tokens.ids, t->found.items, tokens.count * sizeof(int));
    return tokens;
}

char *tokenizer_decode_at(Place place, Arena *arena, const Tokenizer *t, const int *ids, size_t count,
                          size_t *size)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        check_at(place, ids[i] >= 0 && ids[i] < t->size && t->pieces[ids[i]].bytes,
                 "were they encoded with another tokenizer?", "tokenizer_decode: number %zu is %d; %s %d", i,
                 ids[i], "there are pieces from 0 to", t->size - 1);
        total = size_sum(place, total, t->pieces[ids[i]].size);
    }
    char *bytes = arena_alloc_at(place, arena, size_sum(place, total, 1), 1), *at = bytes;
    for (size_t i = 0; i < count; i++) {
        const TokenizerPiece *piece = &t->pieces[ids[i]];
        memcpy(at, piece->bytes, piece->size);
        at += piece->size;
    }
    *at = '\0';
    if (size) *size = total;
    return bytes;
}
