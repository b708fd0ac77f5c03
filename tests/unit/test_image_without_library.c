// The reader as it is on a machine without stb_image's header: it says what to install.
#define IMAGE_WITHOUT_LIBRARY
#include "files/image.c"
#include "suite.h"

static void read_image(void *path) { image_read(arena_new(), path); }

static void write_image(void *path)
{
    uint8_t pixel[3] = {1, 2, 3};
    const Image image = {1, 1, pixel};
    image_write(path, image);
}

START_TEST(an_image_says_what_to_install)
{
    expect_death(read_image, (void *)(uintptr_t)scratch_file("a.png", "\x89PNG", 4), "install libstb-dev");
    expect_death(read_image, (void *)(uintptr_t)scratch_path("nothing.png"), "type `make data`");
    expect_death(write_image, (void *)(uintptr_t)scratch_path("b.png"), "install libstb-dev");
}
END_TEST

SUITE("image without library", an_image_says_what_to_install)
