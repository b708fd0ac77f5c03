// The exercises of chapter 19, BERT: what each task is tested for, and its points.
// What the answers are compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

static const int sizes[] = {1, 2, 3, 5, 8, 13, 40};
enum { SIZES = sizeof sizes / sizeof *sizes };

static Matrix random_whole(Arena *arena, Rng *rng, int rows, int cols, int low, int below)
{
    Matrix m = matrix_new(arena, rows, cols);
    for (size_t i = 0; i < matrix_size(m); i++)
        m.data[i] = (float)(low + (int)rng_below(rng, (uint32_t)(below - low)));
    return m;
}

// ---- TASK 19.1: eighty, ten, ten --------------------------------------------------------------------------

static void expect_hidden(Arena *arena, Matrix ids, Matrix draws, float rate, int first, int vocabulary)
{
    int n = ids.cols, expected_count = 0;
    Matrix seen = rubbish(arena, 1, n), labels = rubbish(arena, 1, n);
    double *expected_seen = doubles(arena, (size_t)n), *expected_labels = doubles(arena, (size_t)n);
    for (int t = 0; t < n; t++) {
        bool chosen = AT(ids, 0, t) >= (float)first && AT(draws, t, 0) < rate;
        bool mask = AT(draws, t, 1) < 0.8f, other = !mask && AT(draws, t, 1) < 0.9f;
        expected_labels[t] = chosen ? (double)AT(ids, 0, t) : -1.0;
        expected_seen[t] = (double)AT(ids, 0, t);
        if (chosen && mask) expected_seen[t] = 1.0;
        if (chosen && other)
            expected_seen[t] = first + floor((double)(AT(draws, t, 2) * (float)(vocabulary - first)));
        expected_count += chosen;
    }
    GIVEN(OUT("seen", seen), OUT("labels", labels), IN("ids", ids), IN("draws", draws),
          NUMBER("rate", (double)rate), NUMBER("first", first), NUMBER("vocabulary", vocabulary));
    int count = hide_words(seen, labels, ids, draws, rate, first, vocabulary);
    expect_within("labels", labels, expected_labels, 0.0);
    expect_within("seen", seen, expected_seen, 0.0);
    ck_assert_int_eq(count, expected_count);
    EXPECT_UNCHANGED();
}

START_TEST(one_word_for_each_decision)
{
    Arena *arena = arena_new();
    // not chosen; [MASK]; another word, 3 + ⌊0.5 · 7⌋ = 6; itself; special; exactly at the edges
    float ids[] = {5, 6, 7, 8, 0, 9, 9, 4};
    float draws[] = {0.5f, 0.1f, 0.1f, 0.1f, 0.1f, 0.5f, 0.1f, 0.85f, 0.5f, 0.1f, 0.95f, 0.5f,
                     0.1f, 0.1f, 0.5f, 0.2f, 0.1f, 0.5f, 0.1f, 0.8f,  0.0f, 0.1f, 0.9f,  0.5f};
    expect_hidden(arena, matrix_view(1, 8, ids), matrix_view(8, 3, draws), 0.2f, 3, 10);
    arena_free(arena);
}
END_TEST

START_TEST(words_of_any_number_and_rate)
{
    for (int n = 0; n < SIZES; n++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(191, (uint64_t)n);
        Matrix ids = random_whole(arena, &rng, 1, sizes[n], 0, 30), draws = matrix_new(arena, sizes[n], 3);
        fill_uniform(draws, &rng, 0.0f, 1.0f);
        expect_hidden(arena, ids, draws, 0.5f, 2 + n % 3, 30);
        expect_hidden(arena, ids, draws, 1.0f, 3, 30);
        expect_hidden(arena, ids, draws, 0.0f, 3, 30);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 19.2: the loss of the game ----------------------------------------------------------------------

static void expect_loss(Arena *arena, Matrix logits, Matrix labels)
{
    Matrix d_logits = rubbish(arena, logits.rows, logits.cols);
    double *expected = doubles(arena, matrix_size(logits)), loss = 0.0;
    int counted = 0;
    for (int i = 0; i < logits.rows; i++) counted += (int)AT(labels, i, 0) != -1;
    for (int i = 0; i < logits.rows; i++) {
        int label = (int)AT(labels, i, 0);
        double most = -INFINITY, sum = 0.0;
        for (int v = 0; v < logits.cols; v++) most = fmax(most, (double)AT(logits, i, v));
        for (int v = 0; v < logits.cols; v++) sum += exp((double)AT(logits, i, v) - most);
        if (label != -1) loss += (log(sum) + most - (double)AT(logits, i, label)) / counted;
        for (int v = 0; v < logits.cols; v++)
            expected[i * logits.cols + v] =
                label == -1
                    ? 0.0
                    : (exp((double)AT(logits, i, v) - most) / sum - (v == label ? 1.0 : 0.0)) / counted;
    }
    GIVEN(OUT("d_logits", d_logits), IN("logits", logits), IN("labels", labels));
    float got = hidden_loss(d_logits, logits, labels);
    ck_assert_msg(fabs((double)got - loss) <= 1e-4 * fmax(1.0, loss),
                  "the loss: got %.7g, expected %.7g; with %s", (double)got, loss, given.text);
    expect_within("d_logits", d_logits, expected, 1e-5);
    EXPECT_UNCHANGED();
}

START_TEST(three_rows_of_which_one_counts)
{
    Arena *arena = arena_new();
    // The row that counts has the shares ¼ and ¾: the loss is ln 4, the gradient −¾ and ¾.
    float logits[] = {5, 1, 0, 1.0986123f, -2, 2}, labels[] = {-1, 0, -1};
    expect_loss(arena, matrix_view(3, 2, logits), matrix_view(3, 1, labels));
    arena_free(arena);
}
END_TEST

START_TEST(where_no_row_counts_all_is_zero)
{
    Arena *arena = arena_new();
    float logits[] = {5, 1, 0, 1}, labels[] = {-1, -1};
    expect_loss(arena, matrix_view(2, 2, logits), matrix_view(2, 1, labels));
    arena_free(arena);
}
END_TEST

START_TEST(losses_of_any_size_with_logits_up_to_ten_thousand)
{
    for (int n = 0; n < SIZES; n++)
        for (int large = 0; large < 2; large++) {
            Arena *arena = arena_new();
            Rng rng = rng_new(192, (uint64_t)(2 * n + large));
            Matrix logits = random_normal(arena, &rng, sizes[n], 2 + n);
            for (size_t i = 0; large && i < matrix_size(logits); i++)
                logits.data[i] += i % 3 == 1 ? -9990.0f : 9990.0f * (float)(i % 2);
            expect_loss(arena, logits, random_whole(arena, &rng, sizes[n], 1, -1, 2 + n));
            arena_free(arena);
        }
}
END_TEST

START_TEST(the_first_logit_may_be_much_the_largest)
{
    Arena *arena = arena_new();
    float logits[] = {10000, 0, -10000, 0, 0, 0}, labels[] = {0, -1};
    expect_loss(arena, matrix_view(2, 3, logits), matrix_view(2, 1, labels));
    arena_free(arena);
}
END_TEST

// ---- TASK 19.3: one state for a sentence ------------------------------------------------------------------

static void expect_mean(Arena *arena, Matrix states, Matrix lengths)
{
    int batch = lengths.rows, time = states.rows / batch;
    Matrix out = rubbish(arena, batch, states.cols);
    double *expected = doubles(arena, matrix_size(out));
    for (int b = 0; b < batch; b++)
        for (int c = 0; c < states.cols; c++) {
            double sum = 0.0, words = (double)AT(lengths, b, 0) - 1.0;
            for (int t = 1; t <= (int)words; t++) sum += (double)AT(states, b * time + t, c);
            expected[b * states.cols + c] = words > 0.0 ? sum / words : 0.0;
        }
    GIVEN(OUT("out", out), IN("states", states), IN("lengths", lengths));
    mean_of_words(out, states, lengths);
    expect_within("out", out, expected, 1e-5);
    EXPECT_UNCHANGED();
}

START_TEST(two_sentences_by_hand)
{
    Arena *arena = arena_new();
    // 9 is [CLS] or padding
    float states[] = {9, 9, 2, 4, 4, 8, 9, 9, 5, 6, 9, 9}, lengths[] = {3, 2};
    expect_mean(arena, matrix_view(6, 2, states), matrix_view(2, 1, lengths));
    arena_free(arena);
}
END_TEST

START_TEST(a_sentence_without_words_is_zero)
{
    Arena *arena = arena_new();
    float states[] = {9, 9, 9}, lengths[] = {1};
    expect_mean(arena, matrix_view(3, 1, states), matrix_view(1, 1, lengths));
    arena_free(arena);
}
END_TEST

START_TEST(means_of_any_size)
{
    for (int n = 0; n < SIZES; n++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(193, (uint64_t)n);
        Matrix states = random_normal(arena, &rng, 4 * sizes[n], 3 + n);
        expect_mean(arena, states, random_whole(arena, &rng, 4, 1, 1, sizes[n] + 1));
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 19.4: macro-F1 ----------------------------------------------------------------------------------

static void expect_mean_f1(Matrix truth, Matrix called, int classes)
{
    double sum = 0.0, occurring = 0.0;
    for (int k = 0; k < classes; k++) {
        double both = 0.0, either = 0.0;
        for (int i = 0; i < truth.rows; i++) {
            bool is = AT(truth, i, 0) == (float)k, said = AT(called, i, 0) == (float)k;
            both += is && said ? 1.0 : 0.0;
            either += (is ? 1.0 : 0.0) + (said ? 1.0 : 0.0);
        }
        if (either > 0.0) sum += 2.0 * both / either, occurring += 1.0;
    }
    GIVEN(IN("truth", truth), IN("called", called), NUMBER("classes", classes));
    float got = mean_f1(truth, called, classes);
    ck_assert_msg(fabs((double)got - sum / occurring) <= 1e-5, "got %.7g, expected %.7g; with %s",
                  (double)got, sum / occurring, given.text);
    EXPECT_UNCHANGED();
}

START_TEST(two_classes_by_hand)
{
    // class 0: 2 · 2 / (3 + 2) = 0.8; class 1: 2 · 1 / (1 + 2) = 2/3
    float truth[] = {0, 0, 0, 1}, called[] = {0, 0, 1, 1};
    expect_mean_f1(matrix_view(4, 1, truth), matrix_view(4, 1, called), 2);
}
END_TEST

START_TEST(classes_that_do_not_occur_do_not_count)
{
    float truth[] = {0, 0, 3}, called[] = {0, 0, 4};
    expect_mean_f1(matrix_view(3, 1, truth), matrix_view(3, 1, called), 7);
}
END_TEST

START_TEST(many_classes)
{
    for (int n = 0; n < SIZES; n++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(194, (uint64_t)n);
        Matrix truth = random_whole(arena, &rng, sizes[n], 1, 0, 4),
               called = random_whole(arena, &rng, sizes[n], 1, 0, 4);
        expect_mean_f1(truth, called, 4 + n % 2);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 19.5: whole names -------------------------------------------------------------------------------

typedef struct {
    int first, last, type;
} Span;

// All spans by looking at every first and last word
static int spans_of(Span *spans, Matrix tags)
{
    int count = 0, n = tags.cols;
    for (int first = 0; first < n; first++) {
        int tag = (int)AT(tags, 0, first), type = (tag + 1) / 2;
        if (tag == 0) continue;
        bool goes_on = tag % 2 == 0 && first > 0 && ((int)AT(tags, 0, first - 1) + 1) / 2 == type;
        if (goes_on) continue;
        int last = first;
        while (last + 1 < n && (int)AT(tags, 0, last + 1) == 2 * type) last++;
        spans[count++] = (Span){first, last, type};
    }
    return count;
}

static void expect_span_f1(Matrix truth, Matrix called)
{
    Span is[64] = {{0}}, said[64] = {{0}};
    int labelled = spans_of(is, truth), claimed = spans_of(said, called);
    double right = 0.0;
    for (int i = 0; i < labelled; i++)
        for (int j = 0; j < claimed; j++)
            if (memcmp(&is[i], &said[j], sizeof is[i]) == 0) right += 1.0;
    double expected = labelled + claimed > 0 ? 2.0 * right / (labelled + claimed) : 0.0;
    GIVEN(IN("truth", truth), IN("called", called));
    float got = span_f1(truth, called);
    ck_assert_msg(fabs((double)got - expected) <= 1e-5, "got %.7g, expected %.7g; with %s", (double)got,
                  expected, given.text);
    EXPECT_UNCHANGED();
}

START_TEST(names_of_one_and_of_three_words)
{
    // three names, of which one is found, one is cut short, one gets another type
    float truth[] = {1, 0, 3, 4, 4, 0, 1}, called[] = {1, 0, 3, 4, 0, 0, 3};
    expect_span_f1(matrix_view(1, 7, truth), matrix_view(1, 7, called));
}
END_TEST

START_TEST(names_side_by_side)
{
    float truth[] = {1, 1, 2, 3, 4, 4}, called[] = {1, 1, 2, 3, 4, 3};
    expect_span_f1(matrix_view(1, 6, truth), matrix_view(1, 6, called));
}
END_TEST

START_TEST(names_that_go_on_without_a_beginning)
{
    float truth[] = {1, 2, 0, 3, 4, 3, 0, 1}, called[] = {2, 2, 0, 4, 4, 2, 0, 2};
    expect_span_f1(matrix_view(1, 8, truth), matrix_view(1, 8, called));
}
END_TEST

START_TEST(no_names_at_all)
{
    float none[] = {0, 0, 0}, one[] = {0, 1, 0};
    expect_span_f1(matrix_view(1, 3, none), matrix_view(1, 3, none));
    expect_span_f1(matrix_view(1, 3, none), matrix_view(1, 3, one));
}
END_TEST

START_TEST(tags_of_any_kind)
{
    for (int n = 0; n < 3 * SIZES; n++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(195, (uint64_t)n);
        Matrix truth = random_whole(arena, &rng, 1, sizes[n % SIZES], 0, 5),
               called = matrix_copy(arena, truth);
        for (int t = 0; t < called.cols; t++)
            if (rng_below(&rng, 4) == 0) AT(called, 0, t) = (float)rng_below(&rng, 5);
        expect_span_f1(truth, called);
        arena_free(arena);
    }
}
END_TEST

// clang-format off
EXERCISE("19-bert",
         {"19.1", 5, one_word_for_each_decision},
         {"19.1", 10, words_of_any_number_and_rate},
         {"19.2", 5, three_rows_of_which_one_counts},
         {"19.2", 5, where_no_row_counts_all_is_zero},
         {"19.2", 5, the_first_logit_may_be_much_the_largest},
         {"19.2", 5, losses_of_any_size_with_logits_up_to_ten_thousand},
         {"19.3", 5, two_sentences_by_hand},
         {"19.3", 5, a_sentence_without_words_is_zero},
         {"19.3", 5, means_of_any_size},
         {"19.4", 5, two_classes_by_hand},
         {"19.4", 5, classes_that_do_not_occur_do_not_count},
         {"19.4", 10, many_classes},
         {"19.5", 5, names_of_one_and_of_three_words},
         {"19.5", 5, names_side_by_side},
         {"19.5", 5, names_that_go_on_without_a_beginning},
         {"19.5", 5, no_names_at_all},
         {"19.5", 10, tags_of_any_kind})
