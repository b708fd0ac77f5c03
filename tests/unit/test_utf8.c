// test_utf8.c: characters that arrive byte by byte.
#include "base/utf8.h"
#include "suite.h"

// What comes out of these bytes, given one by one; what waits at the end comes out as replacement characters.
static const char *grown(const char *bytes, size_t size)
{
    static char out[256];
    Utf8Waiting waiting = {.size = 0};
    size_t written = 0;
    for (size_t i = 0; i < size; i++) written += utf8_grow(&waiting, bytes[i], out + written);
    for (; waiting.size; waiting.size--) written += (size_t)utf8_encode(out + written, UTF8_REPLACEMENT);
    out[written] = 0;
    return out;
}

START_TEST(characters_of_every_length_come_out_whole)
{
    const char text[] = "aé海𝄞\u07ff\u0800\U00010000\U0010ffff\ufffd\n\tz";
    ck_assert_str_eq(grown(text, strlen(text)), text);
}
END_TEST

START_TEST(a_character_waits_for_its_last_byte_and_no_longer)
{
    Utf8Waiting waiting = {.size = 0};
    char out[UTF8_WAITING_ROOM];
    ck_assert_uint_eq(utf8_grow(&waiting, '\xE6', out), 0);
    ck_assert_uint_eq(utf8_grow(&waiting, '\xB5', out), 0);
    ck_assert_uint_eq(utf8_grow(&waiting, '\xB7', out), 3);
    ck_assert_uint_eq(waiting.size, 0);
    ck_assert_uint_eq(utf8_grow(&waiting, 'a', out), 1);
}
END_TEST

START_TEST(bytes_that_are_no_character_are_replaced_one_by_one)
{
    // A lone continuation, a start without its rest, a surrogate, an overlong form, a byte that never occurs.
    ck_assert_str_eq(grown("\x80x", 2), "\ufffdx");
    ck_assert_str_eq(grown("\xE6\xB5x", 3), "\ufffd\ufffdx");
    ck_assert_str_eq(grown("\xED\xA0\x80", 3), "\ufffd\ufffd\ufffd");
    ck_assert_str_eq(grown("\xC0\xAF", 2), "\ufffd\ufffd");
    ck_assert_str_eq(grown("\xFF", 1), "\ufffd");
    ck_assert_str_eq(grown("\xF0\x9D\x84", 3), "\ufffd\ufffd\ufffd");
    ck_assert_str_eq(grown("\xE6\xE6\xB5\xB7", 4), "\ufffd海");
}
END_TEST

START_TEST(control_characters_cannot_reach_a_terminal)
{
    ck_assert_str_eq(grown("\x1B[31m\r\x7F\x00", 8), "\ufffd[31m\ufffd\ufffd\ufffd");
    ck_assert_str_eq(grown("\xC2\x9B", 2), "\ufffd"); // the one-byte form of ESC [
}
END_TEST

SUITE("utf8", characters_of_every_length_come_out_whole, a_character_waits_for_its_last_byte_and_no_longer,
      bytes_that_are_no_character_are_replaced_one_by_one, control_characters_cannot_reach_a_terminal)
