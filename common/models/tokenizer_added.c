// tokenizer_added.c: finding many texts in one. See tokenizer.h, step 1.
//
// Of the tokens that begin at a place the longest counts. Whether one begins there is known only when its end has been
// read, so text and tokens are both read from the end: then all tokens that begin at a place have been read whole when the
// place is reached, and the longest is the longest end of what has been read so far. That is what the automaton of
// A. V. Aho and M. J. Corasick (1975, "Efficient string matching: an aid to bibliographic search") tells after each byte,
// in time that grows with the text, whatever the tokens are.
#include "models/tokenizer_parts.h"

#include <stdlib.h>
#include <string.h>

// The byte at a distance from the end.
static int from_end(Bytes text, size_t distance) { return (uint8_t)text.bytes[text.size - 1 - distance]; }

// By their bytes from the end, then by their order.
static int compare_ends(const void *left, const void *right)
{
    const Sought *a = left, *b = right;
    size_t common = a->text.size < b->text.size ? a->text.size : b->text.size;
    for (size_t i = 0; i < common; i++)
        if (from_end(a->text, i) != from_end(b->text, i)) return from_end(a->text, i) - from_end(b->text, i);
    if (a->text.size != b->text.size) return a->text.size < b->text.size ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

// How many places the trie of sorted texts has, the root included.
static size_t count_nodes(const Sought *sought, size_t count)
{
    size_t nodes = 1;
    for (size_t i = 0; i < count; i++) {
        size_t same = 0;
        while (i > 0 && same < sought[i - 1].text.size && same < sought[i].text.size &&
               from_end(sought[i - 1].text, same) == from_end(sought[i].text, same))
            same++;
        nodes += sought[i].text.size - same;
    }
    return nodes;
}

// The child of a node by a byte; 0: there is none.
static int child_of(const Finder *finder, int node, int byte)
{
    if (node == 0) return finder->root[byte];
    int low = finder->nodes[node].first, high = low + finder->nodes[node].count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (finder->nodes[middle].byte < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low < finder->nodes[node].first + finder->nodes[node].count && finder->nodes[low].byte == byte
               ? low
               : 0;
}

static int step_to(const Finder *finder, int node, int byte)
{
    int child;
    while (!(child = child_of(finder, node, byte)) && node) node = finder->nodes[node].longest;
    return child;
}

// The sorted texts that go through a node: those from begin to end share their last bytes, as many as it is deep.
typedef struct {
    size_t begin, end, depth;
} Range;

// Makes the children of a node from its range. Nodes less deep are whole already.
static void add_children(Finder *finder, const Sought *sought, Range *ranges, int node, int *made)
{
    Range range = ranges[node];
    FinderNode *parent = &finder->nodes[node];
    parent->first = *made;
    if (sought[range.begin].text.size == range.depth) parent->found = sought[range.begin].added;
    while (range.begin < range.end && sought[range.begin].text.size == range.depth) range.begin++;
    while (range.begin < range.end) {
        int byte = from_end(sought[range.begin].text, range.depth), child = (*made)++;
        size_t end = range.begin + 1;
        while (end < range.end && from_end(sought[end].text, range.depth) == byte) end++;
        ranges[child] = (Range){range.begin, end, range.depth + 1};
        int longest = node ? step_to(finder, parent->longest, byte) : 0;
        finder->nodes[child] = (FinderNode){.longest = longest, .found = -1, .byte = (uint8_t)byte};
        if (!node) finder->root[byte] = child;
        parent->count++;
        range.begin = end;
    }
}

Finder finder_new(Place place, Arena *arena, Sought *sought, size_t count)
{
    Finder finder = {0};
    if (!count) return finder;
    qsort(sought, count, sizeof *sought, compare_ends);
    size_t nodes = count_nodes(sought, count);
    check_at(place, nodes < INT32_MAX, NULL, "tokenizer: the added tokens are too long");
    finder.nodes = arena_alloc_at(place, arena, nodes, sizeof *finder.nodes);
    Range *ranges = arena_alloc_at(place, arena, nodes, sizeof *ranges);
    finder.nodes[0] = (FinderNode){.found = -1};
    ranges[0] = (Range){0, count, 0};
    int made = 1;
    for (int node = 0; node < made; node++) {
        add_children(&finder, sought, ranges, node, &made);
        if (finder.nodes[node].found < 0)
            finder.nodes[node].found = node ? finder.nodes[finder.nodes[node].longest].found : -1;
    }
    return finder;
}

void finder_scan(Place place, Arena *arena, const Finder *finder, const char *text, size_t size,
                 FoundList *found)
{
    found->count = 0;
    int node = 0;
    for (size_t at = size; at-- > 0;) {
        node = step_to(finder, node, (uint8_t)text[at]);
        if (!node || finder->nodes[node].found < 0) continue;
        found->items = grown(place, arena, found->items, found->count, &found->room, sizeof *found->items);
        found->items[found->count++] = (Found){.at = at, .added = finder->nodes[node].found};
    }
}
