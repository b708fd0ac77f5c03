#include "suite.h"
#include "base/base.h"
#include <string.h>

static void ask_for_too_much(void *context)
{
    (void)context;
    size_product(HERE, SIZE_MAX / 2, 3);
}

START_TEST(a_size_that_overflows_stops_with_the_place)
{
    expect_death(ask_for_too_much, NULL, "test_base.c:8: the size");
}
END_TEST

SUITE("base", a_size_that_overflows_stops_with_the_place)
