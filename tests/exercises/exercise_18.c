// The tests of the exercises of chapter 18, the tokenizer.
#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

// The first count elements, and that there are as many.
static void expect_list(const char *name, Matrix got, int got_count, const double *expected, int count)
{
    expect_number("what is returned", got_count, count, 0.0);
    if (count > 0) expect_within(name, matrix_view(1, count, got.data), expected, 0.0);
}

// ---- TASK 18.1: a character as bytes ------------------------------------------------------------------------

static void expect_utf8(int character, int count, double a, double b, double c, double d)
{
    float values[4] = {7, 7, 7, 7};
    Matrix bytes = matrix_view(1, 4, values);
    GIVEN(OUT("bytes", bytes), NUMBER("character", character));
    int got = utf8_bytes(bytes, character);
    expect_number("what is returned", got, count, 0.0);
    expect_within("bytes", bytes, ((double[]){a, b, c, d}), 0.0);
}

START_TEST(letters_are_one_byte)
{
    expect_utf8('e', 1, 'e', 0, 0, 0);
    expect_utf8(0, 1, 0, 0, 0, 0);
    expect_utf8(0x7F, 1, 0x7F, 0, 0, 0);
}
END_TEST

START_TEST(an_accent_a_moon_and_a_face)
{
    expect_utf8(0xE9, 2, 0xC3, 0xA9, 0, 0);
    expect_utf8(0x6708, 3, 0xE6, 0x9C, 0x88, 0);
    expect_utf8(0x1F600, 4, 0xF0, 0x9F, 0x98, 0x80);
}
END_TEST

START_TEST(the_first_and_the_last_of_each_length)
{
    expect_utf8(0x80, 2, 0xC2, 0x80, 0, 0);
    expect_utf8(0x7FF, 2, 0xDF, 0xBF, 0, 0);
    expect_utf8(0x800, 3, 0xE0, 0xA0, 0x80, 0);
    expect_utf8(0xFFFF, 3, 0xEF, 0xBF, 0xBF, 0);
    expect_utf8(0x10000, 4, 0xF0, 0x90, 0x80, 0x80);
    expect_utf8(0x10FFFF, 4, 0xF4, 0x8F, 0xBF, 0xBF);
}
END_TEST

START_TEST(what_is_no_character_has_no_bytes)
{
    const int none[] = {-1, 0xD800, 0xDFFF, 0x110000, 0x7FFFFFFF, -0x7FFFFFFF};
    for (int i = 0; i < 6; i++) expect_utf8(none[i], 0, 0, 0, 0, 0);
    expect_utf8(0xD7FF, 3, 0xED, 0x9F, 0xBF, 0);
    expect_utf8(0xE000, 3, 0xEE, 0x80, 0x80, 0);
}
END_TEST

// ---- TASK 18.2: the most frequent pair ------------------------------------------------------------------------

// Counts each pair by looking through the whole list again.
static int true_pair(double *pair, Matrix ids)
{
    int most = 0;
    pair[0] = pair[1] = -1.0;
    for (int i = 0; i + 1 < ids.cols; i++) {
        double a = (double)ids.data[i], b = (double)ids.data[i + 1];
        if (a < 0 || b < 0) continue;
        int count = 0;
        for (int k = 0; k + 1 < ids.cols; k++)
            count += (double)ids.data[k] == a && (double)ids.data[k + 1] == b;
        if (count > most || (count == most && (a < pair[0] || (a == pair[0] && b < pair[1])))) {
            most = count;
            pair[0] = a;
            pair[1] = b;
        }
    }
    return most;
}

static void expect_pair(Matrix ids)
{
    double expected[2];
    int most = true_pair(expected, ids);
    float values[] = {7, 7};
    Matrix pair = matrix_view(1, 2, values);
    GIVEN(OUT("pair", pair), IN("ids", ids));
    int got = pair_to_merge(pair, ids);
    expect_number("what is returned", got, most, 0.0);
    expect_within("pair", pair, expected, 0.0);
    EXPECT_UNCHANGED();
}

#define EXPECT_PAIR_OF(...)                                                                                  \
    expect_pair(                                                                                             \
        matrix_view(1, (int)(sizeof((float[]){__VA_ARGS__}) / sizeof(float)), ((float[]){__VA_ARGS__})))

START_TEST(the_pair_that_occurs_three_times)
{
    EXPECT_PAIR_OF(1, 2, 9, 1, 2, 8, 8, 1, 2);
    EXPECT_PAIR_OF(655, 0, 3, 655, 0);
}
END_TEST

START_TEST(of_equals_the_lower_left_then_the_lower_right_wins)
{
    EXPECT_PAIR_OF(5, 1, 4, 9, 3, 3);
    EXPECT_PAIR_OF(4, 9, -1, 4, 2, -1, 4, 300, -1, 5, 0);
    EXPECT_PAIR_OF(9, 9, -1, 2, 7, -1, 9, 9, -1, 2, 7, -1, 0, 0);
}
END_TEST

START_TEST(every_place_counts_even_where_pairs_overlap)
{
    EXPECT_PAIR_OF(5, 5, 5, 1, 2, 1, 2);
    EXPECT_PAIR_OF(7, 7, 7, 7, 1, 2, -1, 1, 2);
}
END_TEST

START_TEST(no_pair_reaches_over_a_cut)
{
    EXPECT_PAIR_OF(1, -1, 2, 1, -1, 2, 3, 4);
    EXPECT_PAIR_OF(1, -1, 2, -1);
    EXPECT_PAIR_OF(-1, -1, -1);
    EXPECT_PAIR_OF(0);
}
END_TEST

START_TEST(pairs_of_random_lists)
{
    for (int s = 0; s < 12; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(182, (uint64_t)s);
        Matrix ids = matrix_new(arena, 1, s == 11 ? MOST_TOKENS : 2 + 17 * s);
        for (int i = 0; i < ids.cols; i++)
            ids.data[i] = (float)rng_below(&rng, s % 2 ? 256 + MOST_MERGES : 5) - (s % 3 == 0 ? 1.0f : 0.0f);
        expect_pair(ids);
        expect_pair(ids); // nothing is left over from the first call
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 18.3: merging it ------------------------------------------------------------------------------------

static int true_merge(double *ids, int count, int left, int right, int made)
{
    for (int i = 0; i + 1 < count; i++) {
        if (ids[i] != left || ids[i + 1] != right) continue;
        ids[i] = made;
        for (int k = i + 1; k + 1 < count; k++) ids[k] = ids[k + 1];
        count--;
    }
    return count;
}

static void expect_merge(Matrix ids, int count, int left, int right, int made)
{
    double expected[MOST_TOKENS] = {0};
    for (int i = 0; i < count; i++) expected[i] = (double)ids.data[i];
    int kept = true_merge(expected, count, left, right, made);
    GIVEN(OUT("ids", ids), NUMBER("count", count), NUMBER("left", left), NUMBER("right", right),
          NUMBER("made", made));
    int got = merge_pair(ids, count, left, right, made);
    expect_list("ids", ids, got, expected, kept);
}

#define EXPECT_MERGE_OF(count, left, right, ...)                                                             \
    expect_merge(                                                                                            \
        matrix_view(1, (int)(sizeof((float[]){__VA_ARGS__}) / sizeof(float)), ((float[]){__VA_ARGS__})),     \
        count, left, right, 256)

START_TEST(a_pair_is_replaced_wherever_it_stands)
{
    EXPECT_MERGE_OF(7, 1, 2, 1, 2, 3, 1, 2, 1, 2);
    EXPECT_MERGE_OF(4, 1, 2, 3, 2, 1, 1);
    EXPECT_MERGE_OF(2, 1, 2, 1, 2);
    EXPECT_MERGE_OF(3, 1, 2, 1, 1, 2);
}
END_TEST

START_TEST(three_in_a_row_are_merged_from_the_left)
{
    EXPECT_MERGE_OF(3, 4, 4, 4, 4, 4);
    EXPECT_MERGE_OF(5, 4, 4, 4, 4, 4, 4, 4);
}
END_TEST

START_TEST(what_stands_behind_the_end_is_no_part_of_a_pair)
{
    EXPECT_MERGE_OF(3, 1, 2, 5, 1, 1, 2, 1, 2);
    EXPECT_MERGE_OF(1, 1, 2, 1, 2, 1, 2);
    EXPECT_MERGE_OF(0, 1, 2, 1, 2);
}
END_TEST

START_TEST(random_lists_are_merged)
{
    for (int s = 0; s < 20; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(183, (uint64_t)s);
        Matrix ids = matrix_new(arena, 1, s == 19 ? MOST_TOKENS : 1 + 9 * s);
        for (int i = 0; i < ids.cols; i++) ids.data[i] = (float)rng_below(&rng, 3);
        expect_merge(ids, ids.cols, (int)rng_below(&rng, 3), (int)rng_below(&rng, 3), 256 + s);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 18.4: a word ------------------------------------------------------------------------------------------

static int true_word(double *ids, int count, Matrix merges)
{
    for (;;) {
        int best = merges.rows;
        for (int i = 0; i + 1 < count; i++)
            for (int m = 0; m < best; m++)
                if ((double)AT(merges, m, 0) == ids[i] && (double)AT(merges, m, 1) == ids[i + 1]) best = m;
        if (best == merges.rows) return count;
        count = true_merge(ids, count, (int)AT(merges, best, 0), (int)AT(merges, best, 1), 256 + best);
    }
}

static void expect_word(Matrix ids, int count, Matrix merges)
{
    double expected[MOST_TOKENS] = {0};
    for (int i = 0; i < count; i++) expected[i] = (double)ids.data[i];
    int tokens = true_word(expected, count, merges);
    GIVEN(OUT("ids", ids), NUMBER("count", count), IN("merges", merges));
    int got = encode_word(ids, count, merges);
    expect_list("ids", ids, got, expected, tokens);
    EXPECT_UNCHANGED();
}

START_TEST(low_lower_lowest)
{
    // l o → 256, 256 w → 257, e r → 258, 257 258 → 259
    float merge_values[] = {'l', 'o', 256, 'w', 'e', 'r', 257, 258},
          words[3][6] = {{'l', 'o', 'w'}, {'l', 'o', 'w', 'e', 'r'}, {'l', 'o', 'w', 'e', 's', 't'}};
    Matrix merges = matrix_view(4, 2, merge_values);
    expect_word(matrix_view(1, 3, words[0]), 3, merges);
    expect_word(matrix_view(1, 5, words[1]), 5, merges);
    expect_word(matrix_view(1, 6, words[2]), 6, merges);
}
END_TEST

START_TEST(the_merge_learned_first_wins_wherever_it_stands)
{
    // b c was learned before a b: a b c is a, bc, though a b comes first in the word.
    float merge_values[] = {'b', 'c', 'a', 'b', 257, 'd'}, word[] = {'a', 'b', 'c', 'a', 'b', 'd'};
    expect_word(matrix_view(1, 6, word), 6, matrix_view(3, 2, merge_values));
    // The longest token is not what is wanted either: a b c d would be one token from ab and cd.
    float more[] = {'b', 'c', 'a', 'b', 'c', 'd', 257, 258}, other[] = {'a', 'b', 'c', 'd'};
    expect_word(matrix_view(1, 4, other), 4, matrix_view(4, 2, more));
}
END_TEST

START_TEST(short_words_and_words_with_nothing_to_merge)
{
    float merge_values[] = {'a', 'a', 256, 256},
          words[4][8] = {{'b', 'c'}, {'a'}, {'a', 'a', 'a', 'b'}, {'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a'}};
    Matrix merges = matrix_view(2, 2, merge_values);
    expect_word(matrix_view(1, 2, words[0]), 2, merges);
    expect_word(matrix_view(1, 1, words[1]), 1, merges);
    expect_word(matrix_view(1, 4, words[2]), 3, merges);
    expect_word(matrix_view(1, 8, words[3]), 8, merges);
    expect_word(matrix_view(1, 8, words[3]), 0, merges);
}
END_TEST

// Merges learned from a random list of four letters, so that later ones stand on earlier ones.
static Matrix random_merges(Arena *arena, Rng *rng, int count)
{
    enum { LETTERS = 700 };
    double ids[LETTERS];
    int left = LETTERS;
    float values[LETTERS];
    for (int i = 0; i < LETTERS; i++) ids[i] = 'a' + (double)rng_below(rng, 4);
    Matrix merges = matrix_new(arena, count, 2);
    for (int m = 0; m < count; m++) {
        for (int i = 0; i < left; i++) values[i] = (float)ids[i];
        double pair[2];
        true_pair(pair, matrix_view(1, left, values));
        AT(merges, m, 0) = (float)pair[0];
        AT(merges, m, 1) = (float)pair[1];
        left = true_merge(ids, left, (int)pair[0], (int)pair[1], 256 + m);
    }
    return merges;
}

START_TEST(random_words)
{
    for (int s = 0; s < 12; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(184, (uint64_t)s);
        Matrix merges = random_merges(arena, &rng, 1 + 4 * s), ids = matrix_new(arena, 1, 3 + 11 * s);
        for (int i = 0; i < ids.cols; i++) ids.data[i] = (float)('a' + rng_below(&rng, 5));
        expect_word(ids, ids.cols, merges);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 18.5: the longest that fits ---------------------------------------------------------------------------

// The bytes of a token, as many as there is room for; returns how many they are. A stack instead of a function that calls itself.
static int true_bytes(double *bytes, int room, int id, Matrix merges)
{
    static double stack[MOST_TOKENS + MOST_MERGES];
    int written = 0, waiting = 0;
    stack[waiting++] = id;
    while (waiting) {
        int next = (int)stack[--waiting];
        if (next < 256) {
            if (written < room) bytes[written] = next;
            written++;
            continue;
        }
        stack[waiting++] = (double)AT(merges, next - 256, 1);
        stack[waiting++] = (double)AT(merges, next - 256, 0);
    }
    return written;
}

static int true_longest(double *ids, Matrix bytes, Matrix merges)
{
    static double token[MOST_TOKENS];
    int count = 0;
    for (int at = 0, most = 1; at < bytes.cols; at += most) {
        ids[count] = (double)bytes.data[at];
        most = 1;
        for (int m = 0; m < merges.rows; m++) {
            int size = true_bytes(token, MOST_TOKENS, 256 + m, merges), same = 0;
            if (size <= most || at + size > bytes.cols) continue;
            while (same < size && token[same] == (double)bytes.data[at + same]) same++;
            if (same < size) continue;
            most = size;
            ids[count] = 256 + m;
        }
        count++;
    }
    return count;
}

static void expect_longest(Matrix bytes, Matrix merges)
{
    Arena *arena = arena_new();
    static double expected[MOST_TOKENS];
    int count = true_longest(expected, bytes, merges);
    Matrix ids = rubbish(arena, 1, bytes.cols);
    GIVEN(OUT("ids", ids), IN("bytes", bytes), IN("merges", merges));
    int got = encode_longest(ids, bytes, merges);
    expect_list("ids", ids, got, expected, count);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(the_longest_token_wins_not_the_first)
{
    // ab, abc, cd: abcd is abc, d. Byte pairs in their order would give ab, cd.
    float merge_values[] = {'a', 'b', 'c', 'd', 256, 'c'}, text[] = {'a', 'b', 'c', 'd', 'a', 'b', 'e'};
    expect_longest(matrix_view(1, 7, text), matrix_view(3, 2, merge_values));
    expect_longest(matrix_view(1, 3, text), matrix_view(3, 2, merge_values));
}
END_TEST

START_TEST(no_token_reaches_behind_the_end)
{
    float merge_values[] = {'a', 'b', 256, 'c'}, text[] = {'a', 'b', 'a', 'b', 'c'};
    Matrix merges = matrix_view(2, 2, merge_values);
    expect_longest(matrix_view(1, 2, text), merges);
    expect_longest(matrix_view(1, 4, text), merges);
    expect_longest(matrix_view(1, 1, text), merges);
}
END_TEST

START_TEST(of_equally_long_tokens_the_first_is_taken)
{
    float merge_values[] = {'b', 'c', 'a', 'b', 'a', 256, 257, 'c'}, text[] = {'a', 'b', 'c', 'c', 'b', 'c'};
    expect_longest(matrix_view(1, 6, text), matrix_view(4, 2, merge_values)); // abc is token 258, and 259
}
END_TEST

START_TEST(halves_of_halves_of_halves)
{
    Arena *arena = arena_new();
    Matrix merges = matrix_new(arena, MOST_MERGES, 2), text = matrix_new(arena, 1, MOST_MERGES);
    for (int m = 0; m < merges.rows; m++) { // y, ya, yab, …: as deep as can be
        AT(merges, m, 0) = m ? (float)(255 + m) : 'y';
        AT(merges, m, 1) = (float)('a' + m % 26);
    }
    for (int i = 0; i < text.cols; i++) text.data[i] = i ? (float)('a' + (i - 1) % 26) : 'y';
    expect_longest(text, merges);
    text.data[300] = 'y';
    expect_longest(text, merges);
    arena_free(arena);
}
END_TEST

START_TEST(random_texts)
{
    for (int s = 0; s < 12; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(185, (uint64_t)s);
        Matrix merges = random_merges(arena, &rng, 1 + 4 * s), bytes = matrix_new(arena, 1, 3 + 11 * s);
        for (int i = 0; i < bytes.cols; i++) bytes.data[i] = (float)('a' + rng_below(&rng, 5));
        expect_longest(bytes, merges);
        arena_free(arena);
    }
}
END_TEST

// clang-format off
EXERCISE("18-tokenizer",
         {"18.1", 5, letters_are_one_byte},
         {"18.1", 5, an_accent_a_moon_and_a_face},
         {"18.1", 5, the_first_and_the_last_of_each_length},
         {"18.1", 5, what_is_no_character_has_no_bytes},
         {"18.2", 4, the_pair_that_occurs_three_times},
         {"18.2", 4, of_equals_the_lower_left_then_the_lower_right_wins},
         {"18.2", 4, every_place_counts_even_where_pairs_overlap},
         {"18.2", 4, no_pair_reaches_over_a_cut},
         {"18.2", 4, pairs_of_random_lists},
         {"18.3", 5, a_pair_is_replaced_wherever_it_stands},
         {"18.3", 5, three_in_a_row_are_merged_from_the_left},
         {"18.3", 5, what_stands_behind_the_end_is_no_part_of_a_pair},
         {"18.3", 5, random_lists_are_merged},
         {"18.4", 5, low_lower_lowest},
         {"18.4", 5, the_merge_learned_first_wins_wherever_it_stands},
         {"18.4", 5, short_words_and_words_with_nothing_to_merge},
         {"18.4", 5, random_words},
         {"18.5", 4, the_longest_token_wins_not_the_first},
         {"18.5", 4, no_token_reaches_behind_the_end},
         {"18.5", 4, of_equally_long_tokens_the_first_is_taken},
         {"18.5", 4, halves_of_halves_of_halves},
         {"18.5", 4, random_texts})
