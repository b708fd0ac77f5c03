// The thesaurus as a graph: what is read, and what stops the program with the line and what was expected.
#include "files/thesaurus.h"
#include "suite.h"

// A thesaurus of 1022 categories, "1a:", "2a:", … with this line in the place of that of category `odd`
static const char *made_of(int odd, const char *line)
{
    static char text[40000];
    size_t used = (size_t)snprintf(text, sizeof text, "* a comment: it has a colon\n");
    for (int i = 1; i <= THESAURUS_CATEGORIES; i++)
        used += (size_t)(i == odd ? snprintf(text + used, sizeof text - used, "%s\n", line)
                                  : snprintf(text + used, sizeof text - used, "%da:%d\n", i, 1));
    return scratch_file("roget.txt", text, used);
}

static void load(void *path)
{
    Arena *arena = arena_new();
    thesaurus_load_at(HERE, arena, path);
    arena_free(arena);
}

static void expect_refusal(int odd, const char *line, const char *message)
{
    expect_death(load, (void *)made_of(odd, line), message);
}

START_TEST(names_links_and_classes_are_read)
{
    Arena *arena = arena_new();
    const Thesaurus t = thesaurus_load_at(HERE, arena, made_of(3, "3non-being:1022 3 7\\\n8 9"));
    ck_assert_int_eq(t.count, 1022);
    ck_assert(text_equal(t.names[2], text_of("non-being")));
    ck_assert_int_eq(t.links, 1021 + 5);
    static const int to[] = {0, 0, 1021, 2, 6, 7, 8, 0};
    for (int k = 0; k < 8; k++) ck_assert_int_eq(t.to[k], to[k]);
    ck_assert_int_eq(t.from[6], 2);
    static const int starts[] = {0, 185, 322, 458, 611, 836, 1022};
    for (int c = 0; c < THESAURUS_CLASSES; c++)
        for (int i = starts[c]; i < starts[c + 1]; i++) ck_assert_int_eq(t.classes[i], c);
    arena_free(arena);
}
END_TEST

START_TEST(a_category_may_point_nowhere)
{
    Arena *arena = arena_new();
    ck_assert_int_eq(thesaurus_load_at(HERE, arena, made_of(1022, "1022temple:")).links, 1021);
    arena_free(arena);
}
END_TEST

START_TEST(odd_lines_are_refused_with_their_number)
{
    expect_refusal(3, "3a:1023", "roget.txt:4: byte 4: expected the number of a category, 1 to 1022");
    expect_refusal(3, "3a:0", "roget.txt:4: byte 4: expected the number of a category");
    expect_refusal(3, "3a:99999999999999999999", "roget.txt:4: byte 4: expected the number");
    expect_refusal(3, "3a:1 x", "roget.txt:4: byte 6: expected the number");
    expect_refusal(3, "3a:1 -2", "roget.txt:4: byte 6: expected the number");
    expect_refusal(3, "3:1", "roget.txt:4: expected a head word and a colon");
    expect_refusal(3, "a:1", "roget.txt:4: byte 1: expected the number");
    expect_refusal(3, "4a:1", "roget.txt:4: category 4, expected 3: they stand in order");
    expect_refusal(3, "3a:1\\ 2", "roget.txt:4: byte 5: expected the number");
}
END_TEST

START_TEST(a_file_that_ends_too_early_or_too_late_is_refused)
{
    expect_refusal(1022, "1022a:1\\", "it ends in the middle of category 1022");
    expect_refusal(1022, "* no more", "1021 categories, expected 1022");
    expect_refusal(1022, "1022a:1\n1023a:1", "1023 categories, expected 1022");
    expect_refusal(3, "3a", "roget.txt:4: expected a head word and a colon behind the number");
}
END_TEST

START_TEST(a_missing_file_names_what_brings_it)
{
    expect_death(load, (void *)"datasets/cache/graphs/none.txt", "make data DATA=graphs");
}
END_TEST

SUITE("thesaurus", names_links_and_classes_are_read, a_category_may_point_nowhere,
      odd_lines_are_refused_with_their_number, a_file_that_ends_too_early_or_too_late_is_refused,
      a_missing_file_names_what_brings_it)
