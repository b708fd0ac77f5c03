// The reader as it is on a machine without zlib's header: plain files are read, compressed ones say what to install.
#define IDX_WITHOUT_ZLIB
#include "files/idx.c"
#include "suite.h"

static const uint8_t plain[] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 10, 20, 30, 40};

START_TEST(a_plain_file_is_read)
{
    Arena *arena = arena_new();
    Images images = idx_images(arena, scratch_file("plain", plain, sizeof plain));
    ck_assert_int_eq(images.count, 1);
    ck_assert_mem_eq(images.bytes, plain + 16, 4);
    arena_free(arena);
}
END_TEST

static void read_images(void *path) { idx_images(arena_new(), path); }

START_TEST(a_plain_file_that_is_wrong_is_refused)
{
    expect_death(read_images, (void *)(uintptr_t)scratch_file("short", plain, sizeof plain - 1),
                 "is too short");
    uint8_t longer[sizeof plain + 1] = {0};
    memcpy(longer, plain, sizeof plain);
    expect_death(read_images, (void *)(uintptr_t)scratch_file("long", longer, sizeof longer),
                 "goes on after the last");
}
END_TEST

START_TEST(a_compressed_file_says_what_to_install)
{
    const uint8_t start[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    expect_death(read_images, (void *)(uintptr_t)scratch_file("packed", start, sizeof start),
                 "install zlib1g-dev");
}
END_TEST

SUITE("idx without zlib", a_plain_file_is_read, a_plain_file_that_is_wrong_is_refused,
      a_compressed_file_says_what_to_install)
