// ngram.c: counting as a model of language. See ngram.h.
#include "models/ngram.h"

#include "base/mathf.h"

// What is known of one string of at most `order` symbols.
typedef struct {
    uint64_t key;      // the string, and one: 0 is an empty place
    uint32_t count;    // how often it occurred with its whole history in the text
    uint32_t followed; // how often something followed it
    uint32_t distinct; // how many different symbols did
} Entry;

struct Ngram {
    Arena *arena;
    Entry *entries; // open addressing, at most half full
    size_t capacity, used;
    int symbols, order;
};

// A string as one number: eight bits a symbol, each counted from 1, so that its length is told as well.
static uint64_t longer(uint64_t string, int symbol) { return string << 8 | (uint64_t)(symbol + 1); }

static size_t place_of(uint64_t key, size_t capacity)
{
    key *= 0x9e3779b97f4a7c15u; // Knuth's multiplicative hashing: 2⁶⁴ divided by the golden ratio
    return (size_t)(key >> 20) & (capacity - 1);
}

static Entry *find(const Ngram *model, uint64_t string)
{
    size_t at = place_of(string + 1, model->capacity);
    while (model->entries[at].key && model->entries[at].key != string + 1)
        at = (at + 1) & (model->capacity - 1);
    return &model->entries[at];
}

static void grow(Ngram *model)
{
    Entry *old = model->entries;
    size_t old_capacity = model->capacity;
    model->capacity = old_capacity ? old_capacity * 2 : 1 << 12;
    model->entries = arena_zeros(model->arena, model->capacity, sizeof(Entry));
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i].key) *find(model, old[i].key - 1) = old[i];
}

static Entry *find_or_add(Ngram *model, uint64_t string)
{
    if (2 * (model->used + 1) > model->capacity) grow(model);
    Entry *entry = find(model, string);
    if (!entry->key) entry->key = string + 1, model->used++;
    return entry;
}

// The last `length` symbols before ids[t].
static uint64_t history(const int *ids, size_t t, int length)
{
    uint64_t string = 0;
    for (int i = length; i >= 1; i--) string = longer(string, ids[t - (size_t)i]);
    return string;
}

Ngram *ngram_new_at(Place place, Arena *arena, const int *ids, size_t count, int symbols, int order)
{
    check_at(place, symbols >= 1 && symbols <= NGRAM_MOST_SYMBOLS, "count characters, not words",
             "ngram_new: %d symbols, 1 to %d are possible", symbols, NGRAM_MOST_SYMBOLS);
    check_at(place, order >= 1 && order <= NGRAM_MOST_ORDER, "an order of 5 sees four symbols back",
             "ngram_new: order %d, 1 to %d are possible", order, NGRAM_MOST_ORDER);
    check_at(place, count <= UINT32_MAX, "take a part of it", "ngram_new: a text of %zu symbols", count);
    for (size_t t = 0; t < count; t++)
        check_at(place, ids[t] >= 0 && ids[t] < symbols, "symbols are numbered from 0",
                 "ngram_new: symbol %d at %zu, there are %d", ids[t], t, symbols);
    Ngram *model = arena_zeros_at(place, arena, 1, sizeof *model);
    model->arena = arena, model->symbols = symbols, model->order = order;
    grow(model);
    find_or_add(model, 0);
    for (size_t t = 0; t < count; t++)
        for (int n = 0; n < order && (size_t)n <= t; n++) {
            uint64_t before = history(ids, t, n);
            bool is_new = find_or_add(model, longer(before, ids[t]))->count++ == 0;
            Entry *entry = find(model, before); // after the addition, which may move entries
            entry->followed++;
            entry->distinct += is_new;
        }
    return model;
}

static void need_order(Place place, const Ngram *model, int order)
{
    check_at(place, order >= 1 && order <= model->order, "ask for an order that was counted",
             "ngram: order %d of a model of order %d", order, model->order);
}

double ngram_probability_at(Place place, const Ngram *model, int order, const int *ids, size_t t)
{
    need_order(place, model, order);
    check_at(place, ids[t] >= 0 && ids[t] < model->symbols, "symbols are numbered from 0",
             "ngram_probability: symbol %d, there are %d", ids[t], model->symbols);
    double p = 1.0 / model->symbols;
    for (int n = 0; n < order && (size_t)n <= t; n++) {
        uint64_t before = history(ids, t, n);
        const Entry *entry = find(model, before);
        if (!entry->followed) break; // a longer history did not occur either
        double seen = find(model, longer(before, ids[t]))->count;
        p = (seen + entry->distinct * p) / ((double)entry->followed + entry->distinct);
    }
    return p;
}

// log p for 0 < p ≤ 1, also where p is too small for a float: brought nearer to 1 by 2⁶⁴ at a time
static double log_of(double p)
{
    const double log_2 = 0.69314718055994531;
    int powers = 0;
    for (; p < 0x1p-64; powers += 64) p *= 0x1p64;
    return (double)log32((float)p) - powers * log_2;
}

double ngram_bits_at(Place place, const Ngram *model, int order, const int *ids, size_t first, size_t count)
{
    check_at(place, first < count, "give it something to predict", "ngram_bits: symbols %zu to %zu", first,
             count);
    double total = 0.0;
    for (size_t t = first; t < count; t++) total -= log_of(ngram_probability_at(place, model, order, ids, t));
    return total / (double)(count - first) / 0.69314718055994531;
}
