// The reader as it is on a machine without stb_image's header: it says what to install.
#define IMAGE_WITHOUT_LIBRARY
#include "files/image.c"
#include "suite.h"

static void read_image(void *path) { image_read(arena_new(), path); }

START_TEST(an_image_says_what_to_install)
{
    expect_death(read_image, (void *)(uintptr_t)scratch_file("a.png", "\x89PNG", 4), "install libstb-dev");
    expect_death(read_image, (void *)(uintptr_t)scratch_path("nothing.png"), "type `make data`");
}
END_TEST

SUITE("image without library", an_image_says_what_to_install)
