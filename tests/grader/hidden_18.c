// hidden_18.c: random inputs for the exercises of chapter 18. Ordinary sizes: the limits are tests/exercises'
// business.
#include "exercise.h"
#include "reference.h"
#include "tests/grader/hidden.h"

enum { ROUNDS = 3 };

typedef struct {
    Arena *arena;
    Matrix ids, other; // (1 × n) twice the same
    Matrix merges;     // (M × 2)
} Round;

// Few letters, and each merge made of two pieces that exist.
static Round draw(Rng *rng)
{
    int n = hidden_between(rng, 8, 40), count = hidden_between(rng, 3, 7);
    Round r = {.arena = arena_new()};
    r.ids = matrix_new(r.arena, 1, n);
    r.merges = matrix_new(r.arena, count, 2);
    for (int i = 0; i < n; i++) r.ids.data[i] = (float)hidden_between(rng, 97, 99);
    for (int m = 0; m < count; m++)
        for (int k = 0; k < 2; k++) {
            int of = hidden_between(rng, 0, 2 + m);
            AT(r.merges, m, k) = (float)(of < 3 ? 97 + of : 253 + of);
        }
    r.other = matrix_copy(r.arena, r.ids);
    return r;
}

// The first count elements, count being what both should have returned.
static void same_list(Matrix got, int got_count, Matrix expected, int count)
{
    hidden_close((float)got_count, (float)count, 0.0f);
    if (count > 0)
        hidden_close_matrix(matrix_view(1, count, got.data), matrix_view(1, count, expected.data), 0.0f);
}

START_TEST(random_characters)
{
    for (int i = 0; i < 4 * ROUNDS; i++) {
        static const int beyond[] = {0x80, 0x800, 0x10000, 0x120000};
        Rng rng = hidden_rng(i);
        int character = (int)rng_below(&rng, (uint32_t)beyond[i % 4]);
        Arena *arena = arena_new();
        Matrix got = hidden_matrix(&rng, arena, 1, 4), expected = matrix_copy(arena, got);
        same_list(got, utf8_bytes(got, character), expected, reference_utf8_bytes(expected, character));
        hidden_close_matrix(got, expected, 0.0f);
        arena_free(arena);
    }
}
END_TEST

START_TEST(pairs_of_hidden_lists)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        r.ids.data[hidden_between(&rng, 1, r.ids.cols - 2)] = -1.0f;
        Matrix got = hidden_matrix(&rng, r.arena, 1, 2), expected = matrix_copy(r.arena, got);
        hidden_close((float)pair_to_merge(got, r.ids), (float)reference_pair_to_merge(expected, r.ids), 0.0f);
        hidden_close_matrix(got, expected, 0.0f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(merges_in_hidden_lists)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        int count = r.ids.cols - hidden_between(&rng, 0, 3), left = hidden_between(&rng, 97, 99),
            right = hidden_between(&rng, 97, 99);
        int kept = merge_pair(r.ids, count, left, right, 300);
        same_list(r.ids, kept, r.other, reference_merge_pair(r.other, count, left, right, 300));
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(hidden_words)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        int kept = encode_word(r.ids, r.ids.cols, r.merges);
        same_list(r.ids, kept, r.other, reference_encode_word(r.other, r.other.cols, r.merges));
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(hidden_pieces)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        for (int k = 0; k < r.ids.cols; k += 2)
            r.ids.data[k] = (float)(256 + hidden_between(&rng, 0, r.merges.rows - 1));
        Matrix got = hidden_matrix(&rng, r.arena, 1, r.ids.cols << 7), expected = matrix_copy(r.arena, got);
        int written = decode_pieces(got, r.ids, r.merges);
        same_list(got, written, expected, reference_decode_pieces(expected, r.ids, r.merges));
        arena_free(r.arena);
    }
}
END_TEST

HIDDEN({"18.1", random_characters}, {"18.2", pairs_of_hidden_lists}, {"18.3", merges_in_hidden_lists},
       {"18.4", hidden_words}, {"18.5", hidden_pieces})
