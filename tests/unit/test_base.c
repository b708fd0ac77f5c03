// The ground: messages that name the place, and sizes that cannot overflow.
#include "base/check.h"
#include "suite.h"

// "test_base.c:12: message"
static const char *at_line(int line, const char *message)
{
    static char text[256];
    snprintf(text, sizeof text, "test_base.c:%d: %s", line, message);
    return text;
}

enum { PRODUCT_LINE = __LINE__ + 4 };
static void ask_for_too_much(void *context)
{
    (void)context;
    size_product(HERE, SIZE_MAX / 2, 3);
}

START_TEST(a_product_that_overflows_stops_with_the_place)
{
    expect_death(ask_for_too_much, NULL,
                 at_line(PRODUCT_LINE, "the size 9223372036854775807 · 3 does not fit in memory\n"));
}
END_TEST

enum { SUM_LINE = __LINE__ + 4 };
static void add_too_much(void *context)
{
    (void)context;
    size_sum(HERE, SIZE_MAX - 4, 5);
}

START_TEST(a_sum_that_overflows_stops_with_the_place)
{
    expect_death(add_too_much, NULL,
                 at_line(SUM_LINE, "the size 18446744073709551611 + 5 does not fit in memory\n"));
}
END_TEST

START_TEST(sizes_that_just_fit_are_exact)
{
    ck_assert_uint_eq(size_product(HERE, SIZE_MAX / 3, 3), SIZE_MAX / 3 * 3);
    ck_assert_uint_eq(size_product(HERE, SIZE_MAX, 1), SIZE_MAX);
    ck_assert_uint_eq(size_product(HERE, SIZE_MAX, 0), 0);
    ck_assert_uint_eq(size_product(HERE, (size_t)1 << 32, ((size_t)1 << 32) - 1),
                      SIZE_MAX - ((size_t)1 << 32) + 1);
    ck_assert_uint_eq(size_sum(HERE, SIZE_MAX - 5, 5), SIZE_MAX);
    ck_assert_uint_eq(size_sum(HERE, 0, 0), 0);
}
END_TEST

static void die_with_hint(void *context)
{
    printf("said before");
    die_at((Place){"lesson.c", 88}, context, "%s: %d columns meet %d rows", "matmul", 784, 100);
}

START_TEST(a_message_has_the_place_the_text_and_the_hint)
{
    int status;
    const char *message = stderr_of(die_with_hint, "turn one of them round", &status);
    ck_assert_str_eq(
        message, "error: lesson.c:88: matmul: 784 columns meet 100 rows\n hint: turn one of them round\n");
    ck_assert_int_eq(status, 1);
}
END_TEST

START_TEST(without_a_hint_there_is_no_hint_line)
{
    int status;
    ck_assert_str_eq(stderr_of(die_with_hint, NULL, &status),
                     "error: lesson.c:88: matmul: 784 columns meet 100 rows\n");
}
END_TEST

START_TEST(what_was_printed_before_an_error_is_not_lost)
{
    int status;
    ck_assert_str_eq(stdout_of(die_with_hint, NULL, &status), "said before");
    ck_assert_int_eq(status, 1);
}
END_TEST

START_TEST(a_condition_that_holds_is_evaluated_once_and_goes_on)
{
    int looked = 0;
    check(++looked == 1, "no hint", "must not be seen");
    check_at(((Place){"elsewhere.c", 1}), ++looked == 2, NULL, "must not be seen");
    ck_assert_int_eq(looked, 2);
}
END_TEST

enum { CHECK_LINE = __LINE__ + 4 };
static void check_here(void *context)
{
    int *answer = context;
    check(*answer == 42, "ask again", "the answer is %d", *answer);
}

static void check_elsewhere(void *context)
{
    int *answer = context;
    check_at(((Place){"elsewhere.c", 7}), *answer == 42, "ask again", "the answer is %d", *answer);
}

START_TEST(a_condition_that_fails_stops_with_its_place)
{
    int answer = 41;
    expect_death(check_here, &answer, at_line(CHECK_LINE, "the answer is 41\n hint: ask again\n"));
    expect_death(check_elsewhere, &answer, "error: elsewhere.c:7: the answer is 41\n hint: ask again\n");
}
END_TEST

START_TEST(the_smaller_and_the_larger_of_two_integers)
{
    ck_assert_int_eq(int_min(-3, 2), -3);
    ck_assert_int_eq(int_min(2, -3), -3);
    ck_assert_int_eq(int_max(-3, 2), 2);
    ck_assert_int_eq(int_max(2, -3), 2);
}
END_TEST

SUITE("base", a_product_that_overflows_stops_with_the_place, a_sum_that_overflows_stops_with_the_place,
      sizes_that_just_fit_are_exact, a_message_has_the_place_the_text_and_the_hint,
      without_a_hint_there_is_no_hint_line, what_was_printed_before_an_error_is_not_lost,
      a_condition_that_holds_is_evaluated_once_and_goes_on, a_condition_that_fails_stops_with_its_place,
      the_smaller_and_the_larger_of_two_integers)
