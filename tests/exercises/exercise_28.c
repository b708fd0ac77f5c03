// The exercises of chapter 28, Inside a pretrained model: what each task is tested for, and its points.
// What the answers are compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

// ---- TASK 28.1: numbers of 16 bits --------------------------------------------------------------------------

static double true_number(int low, int high)
{
    int exponent = high % 128 * 2 + low / 128, fraction = low % 128;
    double size = exponent == 0 ? ldexp(fraction, -133) : ldexp(128 + fraction, exponent - 134);
    if (exponent == 255) size = fraction ? (double)NAN : (double)INFINITY;
    return high >= 128 ? -size : size;
}

static const char *wrong_values(Matrix values, Matrix bytes)
{
    for (int i = 0; i < values.cols; i++) {
        int low = (int)bytes.data[2 * i], high = (int)bytes.data[2 * i + 1];
        double got = (double)values.data[i], right = true_number(low, high);
        bool same = isnan(right) ? isnan(got) : got == right && !signbit(got) == !signbit(right);
        if (!same)
            return wrong_because("AT(values, 0, %d) from the bytes %d, %d: got %.9g, expected %.9g", i, low,
                                 high, got, right);
    }
    return NULL;
}

static void expect_values(Matrix bytes)
{
    Arena *arena = arena_new();
    Matrix values = matrix_new(arena, 1, bytes.cols / 2);
    fill(values, 7.0f);
    GIVEN(OUT("values", values), IN("bytes", bytes));
    bf16_to_floats(values, bytes);
    EXPECT_RIGHT(wrong_values(values, bytes));
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(the_lower_byte_comes_first)
{
    float bytes[] = {0x80, 0x3f, 0x00, 0xc0, 0x20, 0x3e, 0x49, 0x40, 0xcd, 0xbd}; // 1, −2, 0.156, 3.14, −0.1
    expect_values(matrix_view(1, 2, bytes));
    expect_values(matrix_view(1, 10, bytes));
}
END_TEST

START_TEST(zero_has_two_signs)
{
    float bytes[] = {0x00, 0x00, 0x00, 0x80};
    expect_values(matrix_view(1, 4, bytes));
}
END_TEST

START_TEST(infinities_and_what_is_no_number)
{
    float bytes[] = {0x80, 0x7f, 0x80, 0xff, 0xc0, 0x7f, 0x81, 0x7f, 0xff, 0xff, 0x7f, 0x7f, 0x7f, 0xff};
    expect_values(matrix_view(1, 14, bytes));
}
END_TEST

START_TEST(below_the_normal_numbers)
{
    float bytes[] = {0x01, 0x00, 0x40, 0x00, 0x7f, 0x00, 0x01, 0x80, 0x80, 0x00, 0x80, 0x80};
    expect_values(matrix_view(1, 12, bytes));
}
END_TEST

START_TEST(all_that_there_are)
{
    Arena *arena = arena_new();
    Matrix bytes = matrix_new(arena, 1, 2 * 65536);
    for (int i = 0; i < 65536; i++) {
        bytes.data[2 * i] = (float)(i % 256);
        bytes.data[2 * i + 1] = (float)(i / 256);
    }
    expect_values(bytes);
    arena_free(arena);
}
END_TEST

// ---- TASK 28.2: where a number stands -----------------------------------------------------------------------

typedef struct {
    int header, begin, end, rows, cols, width, row, col;
} File;

static void expect_place(File f, int expected)
{
    GIVEN(NUMBER("header", f.header), NUMBER("begin", f.begin), NUMBER("end", f.end), NUMBER("rows", f.rows),
          NUMBER("cols", f.cols), NUMBER("width", f.width), NUMBER("row", f.row), NUMBER("col", f.col));
    int got = byte_of_number(f.header, f.begin, f.end, f.rows, f.cols, f.width, f.row, f.col);
    EXPECT_RIGHT(got == expected ? NULL
                                 : wrong_because("byte_of_number(header, begin, end, rows, cols, width, row, "
                                                 "col): got %d, expected %d",
                                                 got, expected));
}

START_TEST(numbers_of_the_first_tensor)
{
    expect_place((File){100, 0, 24, 3, 4, 2, 0, 0}, 108);
    expect_place((File){100, 0, 24, 3, 4, 2, 0, 1}, 110);
    expect_place((File){100, 0, 24, 3, 4, 2, 1, 0}, 116);
    expect_place((File){100, 0, 24, 3, 4, 2, 2, 3}, 130);
    expect_place((File){0, 0, 24, 3, 4, 2, 2, 3}, 30);
}
END_TEST

START_TEST(numbers_of_any_tensor)
{
    Rng rng = rng_new(282, 0);
    for (int k = 0; k < 200; k++) {
        int width = k % 2 ? 4 : 2;
        File f = {.header = (int)rng_below(&rng, 500), .begin = (int)rng_below(&rng, 500), .width = width};
        f.rows = 1 + (int)rng_below(&rng, 9), f.cols = 1 + (int)rng_below(&rng, 9);
        f.row = (int)rng_below(&rng, (uint32_t)f.rows), f.col = (int)rng_below(&rng, (uint32_t)f.cols);
        f.end = f.begin + f.rows * f.cols * width;
        int place = 8 + f.header + f.begin;
        for (int r = 0; r < f.rows; r++)
            for (int c = 0; c < f.cols; c++)
                if (r < f.row || (r == f.row && c < f.col)) place += width;
        expect_place(f, place);
    }
}
END_TEST

START_TEST(there_is_no_such_row_or_column)
{
    expect_place((File){100, 0, 24, 3, 4, 2, 3, 0}, -1);
    expect_place((File){100, 0, 24, 3, 4, 2, 0, 4}, -1);
    expect_place((File){100, 0, 24, 3, 4, 2, 1, -1}, -1);
    expect_place((File){100, 48, 72, 3, 4, 2, -1, 2}, -1);
    expect_place((File){100, 48, 48, 0, 4, 2, 0, 0}, -1);
    expect_place((File){100, 48, 48, 3, 0, 2, 0, 0}, -1);
}
END_TEST

START_TEST(files_that_lie)
{
    expect_place((File){100, 0, 23, 3, 4, 2, 0, 0}, -1);
    expect_place((File){100, 0, 25, 3, 4, 2, 0, 0}, -1);
    expect_place((File){100, 0, 48, 3, 4, 2, 0, 0}, -1);
    expect_place((File){100, 0, 24, 3, 4, 4, 0, 0}, -1);
    expect_place((File){100, 24, 0, 3, 4, 2, 0, 0}, -1);
    expect_place((File){-100, 200, 224, 3, 4, 2, 0, 0}, -1);
    expect_place((File){100, -12, 12, 3, 4, 2, 2, 0}, -1);
    expect_place((File){100, 0, 24, -3, -4, 2, 0, 0}, -1);
}
END_TEST

START_TEST(large_files)
{
    enum { MOST = 1000000000 };
    expect_place((File){MOST, 0, MOST, 25000, 20000, 2, 24999, 19999}, 2000000006);
    expect_place((File){MOST, MOST - 80, MOST, 4, 5, 4, 3, 4}, 2000000004);
    // rows · cols · width is 2³², 2³² + 131072, 4 · 10¹⁸
    expect_place((File){100, 0, 0, 65536, 32768, 2, 1, 1}, -1);
    expect_place((File){100, 0, 131072, 65536, 32769, 2, 1, 1}, -1);
    expect_place((File){100, 0, MOST, MOST, MOST, 4, 5, 5}, -1);
}
END_TEST

// ---- TASK 28.3: RMS norm ------------------------------------------------------------------------------------

static void call_norm(Matrix x, Matrix gain, float epsilon)
{
    GIVEN(OUT("x", x), IN("gain", gain), NUMBER("epsilon", epsilon));
    rms_norm_rows(x, gain, epsilon);
}

START_TEST(three_and_four)
{
    // The mean of 9, 16, 0, 0 is 6.25, its root 2.5; of the second row 1.
    float x_values[] = {3, 4, 0, 0, 1, -1, 1, -1}, gain_values[] = {1, 2, 3, 4};
    Matrix x = matrix_view(2, 4, x_values);
    call_norm(x, matrix_view(1, 4, gain_values), 1e-8f);
    expect_within("x", x, ((double[]){1.2, 3.2, 0, 0, 1, -2, 3, -4}), 1e-5);
}
END_TEST

START_TEST(the_mean_is_left_where_it_is)
{
    float x_values[] = {5, 5, 5}, gain_values[] = {1, 1, 1};
    Matrix x = matrix_view(1, 3, x_values);
    call_norm(x, matrix_view(1, 3, gain_values), 1e-8f);
    expect_within("x", x, ((double[]){1, 1, 1}), 1e-5);
}
END_TEST

START_TEST(rows_of_zeros_stay_zeros)
{
    float x_values[] = {0, 0, 6, 8}, gain_values[] = {1, -1}; // √((36 + 64) / 2 + 14) = 8
    Matrix x = matrix_view(2, 2, x_values);
    call_norm(x, matrix_view(1, 2, gain_values), 14.0f);
    expect_within("x", x, ((double[]){0, 0, 0.75, -1}), 1e-5);
}
END_TEST

START_TEST(rows_of_any_size)
{
    static const int sizes[][2] = {{1, 1}, {1, 2}, {3, 1}, {4, 7}, {2, 300}, {9, 64}};
    static const float scales[] = {1.0f, 0.003f, 1.0f, 100.0f, 0.001f, 1.0f};
    for (int k = 0; k < 6; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(283, (uint64_t)k);
        Matrix x = random_normal(arena, &rng, sizes[k][0], sizes[k][1]),
               gain = random_normal(arena, &rng, 1, x.cols);
        scale(x, scales[k]);
        double *expected = doubles(arena, matrix_size(x)), epsilon = (double)1e-5f;
        for (int t = 0; t < x.rows; t++) {
            double square = 0.0;
            for (int c = 0; c < x.cols; c++) square += (double)AT(x, t, c) * (double)AT(x, t, c) / x.cols;
            for (int c = 0; c < x.cols; c++)
                expected[t * x.cols + c] =
                    (double)AT(x, t, c) / sqrt(square + epsilon) * (double)gain.data[c];
        }
        call_norm(x, gain, 1e-5f);
        expect_close("x", x, expected, 1e-5);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 28.4: rotary positions ----------------------------------------------------------------------------

static void call_rotate(Matrix x, int heads, int first, float base)
{
    GIVEN(OUT("x", x), NUMBER("heads", heads), NUMBER("first", first), NUMBER("base", base));
    rotate_heads(x, heads, first, base);
}

static void true_rotation(double *expected, Matrix x, int heads, int first, double base)
{
    int width = x.cols / heads, half = width / 2;
    for (int t = 0; t < x.rows; t++)
        for (int c = 0; c < x.cols; c++) {
            int column = c % width, j = column % half;
            double angle = (first + t) * pow(base, -2.0 * j / width);
            double own = (double)AT(x, t, c), other = (double)AT(x, t, column < half ? c + half : c - half);
            expected[t * x.cols + c] = own * cos(angle) + (column < half ? -other : other) * sin(angle);
        }
}

static void expect_rotation(int rows, int heads, int width, int first, float base, double tolerance)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(284, (uint64_t)(100 * rows + 10 * heads + width));
    Matrix x = random_normal(arena, &rng, rows, heads * width);
    double *expected = doubles(arena, matrix_size(x));
    true_rotation(expected, x, heads, first, (double)base);
    call_rotate(x, heads, first, base);
    expect_close("x", x, expected, tolerance);
    arena_free(arena);
}

START_TEST(one_radian_at_position_1)
{
    float values[] = {1, 0, 1, 0, 0, 1};
    Matrix x = matrix_view(3, 2, values);
    call_rotate(x, 1, 0, 10000.0f);
    double expected[] = {1, 0, cos(1.0), sin(1.0), -sin(2.0), cos(2.0)};
    expect_within("x", x, expected, 1e-4);
}
END_TEST

START_TEST(half_a_head_apart)
{
    // 100^(−2 · 1 / 4) = 0.1
    float values[] = {1, 2, 0, 0};
    Matrix x = matrix_view(1, 4, values);
    call_rotate(x, 1, 3, 100.0f);
    double expected[] = {cos(3.0), 2 * cos(0.3), sin(3.0), 2 * sin(0.3)};
    expect_within("x", x, expected, 1e-4);
}
END_TEST

START_TEST(each_head_for_itself)
{
    expect_rotation(2, 2, 2, 0, 10000.0f, 1e-4);
    expect_rotation(1, 3, 4, 1, 10000.0f, 1e-4);
    expect_rotation(7, 4, 6, 0, 500.0f, 1e-4);
    expect_rotation(5, 2, 64, 20, 1000000.0f, 1e-4);
}
END_TEST

START_TEST(far_positions)
{
    expect_rotation(1, 1, 2, 1000, 10000.0f, 1e-3);
    expect_rotation(8, 2, 16, 1000, 500000.0f, 1e-3);
    expect_rotation(4, 2, 128, 2044, 1000000.0f, 1e-3);
}
END_TEST

// ---- TASK 28.5: one token and the cache ---------------------------------------------------------------------

static void call_attend(Matrix out, Matrix q, Matrix keys, Matrix values, int count, int heads, int key_heads)
{
    GIVEN(OUT("out", out), IN("q", q), IN("keys", keys), IN("values", values), NUMBER("count", count),
          NUMBER("heads", heads), NUMBER("key_heads", key_heads));
    attend_to_cache(out, q, keys, values, count, heads, key_heads);
}

static void true_attention(double *expected, Matrix q, Matrix keys, Matrix values, int count, int heads,
                           int key_heads)
{
    int width = q.cols / heads;
    for (int c = 0; c < q.cols; c++) {
        int head = c / width, from = head / (heads / key_heads) * width;
        double total = 0.0, sum = 0.0;
        for (int s = 0; s < count; s++) {
            double score = 0.0;
            for (int j = 0; j < width; j++)
                score += (double)q.data[head * width + j] * (double)AT(keys, s, from + j);
            total += exp(score / sqrt(width));
            sum += exp(score / sqrt(width)) * (double)AT(values, s, from + c % width);
        }
        expected[c] = sum / total;
    }
}

typedef struct {
    int heads, key_heads, width, count, capacity;
} Cached;

// Rows of the cache that nobody has filled hold NaN.
static void expect_attention(Cached z)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(285, (uint64_t)(1000 * z.count + 10 * z.heads + z.width));
    int own = z.heads * z.width, shared = z.key_heads * z.width;
    Matrix q = random_normal(arena, &rng, 1, own), out = rubbish(arena, 1, own);
    Matrix keys = rubbish(arena, z.capacity, shared), values = rubbish(arena, z.capacity, shared);
    Matrix filled_keys = matrix_rows(keys, 0, z.count), filled_values = matrix_rows(values, 0, z.count);
    fill_normal(filled_keys, &rng, 0.0f, 1.0f), fill_normal(filled_values, &rng, 0.0f, 1.0f);
    double *expected = doubles(arena, (size_t)own);
    true_attention(expected, q, keys, values, z.count, z.heads, z.key_heads);
    call_attend(out, q, keys, values, z.count, z.heads, z.key_heads);
    expect_close("out", out, expected, 2e-5);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(equal_keys_give_the_mean_of_the_values)
{
    float q_values[] = {1, 2}, key_values[] = {3, 4, 3, 4}, value_values[] = {1, 0, 5, 8},
          out_values[] = {7, 7};
    Matrix out = matrix_view(1, 2, out_values);
    call_attend(out, matrix_view(1, 2, q_values), matrix_view(2, 2, key_values),
                matrix_view(2, 2, value_values), 2, 1, 1);
    expect_within("out", out, ((double[]){3, 4}), 1e-5);
}
END_TEST

START_TEST(two_heads_share_a_key)
{
    // Heads of one column: 0 and 1 look at the first column of the cache, 2 and 3 at the second.
    float q_values[] = {0, 1, 0, 1}, key_values[] = {0, 0, 1.0986123f, 1.0986123f};
    float value_values[] = {0, 100, 4, 500}, out_values[] = {7, 7, 7, 7};
    Matrix out = matrix_view(1, 4, out_values);
    call_attend(out, matrix_view(1, 4, q_values), matrix_view(2, 2, key_values),
                matrix_view(2, 2, value_values), 2, 4, 2); // e^1.0986123 = 3
    expect_within("out", out, ((double[]){2, 3, 300, 400}), 1e-3);
}
END_TEST

START_TEST(only_what_is_filled_is_seen)
{
    expect_attention((Cached){1, 1, 2, 1, 3});
    expect_attention((Cached){2, 1, 2, 2, 4});
    expect_attention((Cached){4, 2, 8, 7, 20});
}
END_TEST

START_TEST(heads_of_any_number)
{
    expect_attention((Cached){3, 3, 4, 5, 5});
    expect_attention((Cached){6, 2, 5, 9, 9});
    expect_attention((Cached){8, 1, 16, 33, 40});
    expect_attention((Cached){14, 2, 64, MOST_CACHED, MOST_CACHED});
}
END_TEST

// Scores of head 0: 20000, 19999, −20000; of head 1: −20000, −20001, 20000.
START_TEST(large_scores_do_not_overflow)
{
    float q_values[] = {200, 2, 0, 0, -200, 2, 0, 0};
    float key_values[] = {200, 0, 5, 5, 200, -1, 5, 5, -200, 0, 5, 5};
    float value_values[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, out_values[] = {7, 7, 7, 7, 7, 7, 7, 7};
    Matrix out = matrix_view(1, 8, out_values), q = matrix_view(1, 8, q_values),
           keys = matrix_view(3, 4, key_values), values = matrix_view(3, 4, value_values);
    double w = 4.0 / (1.0 + exp(1.0)), both[] = {1 + w, 2 + w, 3 + w, 4 + w, 1 + w, 2 + w, 3 + w, 4 + w};
    call_attend(out, q, keys, values, 2, 2, 1);
    expect_within("out", out, both, 1e-4);
    for (int j = 0; j < 4; j++) both[4 + j] = 9.0 + j;
    call_attend(out, q, keys, values, 3, 2, 1);
    expect_within("out", out, both, 1e-4);
}
END_TEST

// clang-format off
EXERCISE("28-inside-an-llm",
         {"28.1", 4, the_lower_byte_comes_first},
         {"28.1", 3, zero_has_two_signs},
         {"28.1", 4, infinities_and_what_is_no_number},
         {"28.1", 3, below_the_normal_numbers},
         {"28.1", 6, all_that_there_are},
         {"28.2", 5, numbers_of_the_first_tensor},
         {"28.2", 5, numbers_of_any_tensor},
         {"28.2", 3, there_is_no_such_row_or_column},
         {"28.2", 3, files_that_lie},
         {"28.2", 4, large_files},
         {"28.3", 4, three_and_four},
         {"28.3", 3, the_mean_is_left_where_it_is},
         {"28.3", 3, rows_of_zeros_stay_zeros},
         {"28.3", 5, rows_of_any_size},
         {"28.4", 5, one_radian_at_position_1},
         {"28.4", 5, half_a_head_apart},
         {"28.4", 6, each_head_for_itself},
         {"28.4", 4, far_positions},
         {"28.5", 5, equal_keys_give_the_mean_of_the_values},
         {"28.5", 6, two_heads_share_a_key},
         {"28.5", 4, only_what_is_filled_is_seen},
         {"28.5", 5, heads_of_any_number},
         {"28.5", 5, large_scores_do_not_overflow})
