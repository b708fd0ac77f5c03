// hidden_18.c: random inputs for the exercises of chapter 18. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

typedef struct {
    Matrix ids, other; // (1 × n) twice the same
    Matrix merges;     // (M × 2)
} Lists;

// Few letters, and each merge made of two tokens that exist.
static Lists draw(Rng *rng, Arena *arena)
{
    int n = hidden_between(rng, 8, 40), count = hidden_between(rng, 3, 7);
    Lists lists = {.ids = matrix_new(arena, 1, n), .merges = matrix_new(arena, count, 2)};
    for (int i = 0; i < n; i++) lists.ids.data[i] = (float)hidden_between(rng, 97, 99);
    for (int m = 0; m < count; m++)
        for (int k = 0; k < 2; k++) {
            int of = hidden_between(rng, 0, 2 + m);
            AT(lists.merges, m, k) = (float)(of < 3 ? 97 + of : 253 + of);
        }
    lists.other = matrix_copy(arena, lists.ids);
    return lists;
}

// The first count elements, count being what both should have returned: what stands behind them does not matter.
static void same_list(Matrix got, int got_count, Matrix expected, int count)
{
    hidden_close((float)got_count, (float)count, 0.0f);
    if (count > 0)
        hidden_close_matrix(matrix_view(1, count, got.data), matrix_view(1, count, expected.data), 0.0f);
}

ROUNDS(12, random_characters)
{
    static const uint32_t beyond[] = {0x80, 0x800, 0x10000, 0x120000};
    int character = (int)rng_below(rng, beyond[i % 4]);
    same_utf8_bytes(0.0f, hidden_matrix(rng, arena, 1, 4), character);
}

ROUNDS(3, pairs_of_hidden_lists)
{
    Lists lists = draw(rng, arena);
    lists.ids.data[hidden_between(rng, 1, lists.ids.cols - 2)] = -1.0f;
    same_pair_to_merge(0.0f, hidden_matrix(rng, arena, 1, 2), lists.ids);
}

ROUNDS(3, merges_in_hidden_lists)
{
    Lists lists = draw(rng, arena);
    int count = lists.ids.cols - hidden_between(rng, 0, 3), left = hidden_between(rng, 97, 99),
        right = hidden_between(rng, 97, 99);
    int kept = merge_pair(lists.ids, count, left, right, 300);
    same_list(lists.ids, kept, lists.other, reference_merge_pair(lists.other, count, left, right, 300));
}

ROUNDS(3, hidden_words)
{
    Lists lists = draw(rng, arena);
    int kept = encode_word(lists.ids, lists.ids.cols, lists.merges);
    same_list(lists.ids, kept, lists.other,
              reference_encode_word(lists.other, lists.other.cols, lists.merges));
}

ROUNDS(6, hidden_texts)
{
    Lists lists = draw(rng, arena);
    int count = encode_longest(lists.ids, lists.other, lists.merges);
    Matrix expected = matrix_copy(arena, lists.other);
    same_list(lists.ids, count, expected, reference_encode_longest(expected, lists.other, lists.merges));
}

HIDDEN({"18.1", random_characters}, {"18.2", pairs_of_hidden_lists}, {"18.3", merges_in_hidden_lists},
       {"18.4", hidden_words}, {"18.5", hidden_texts})
