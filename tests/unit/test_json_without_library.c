// JSON on a machine without cJSON: whoever reads some is told what to install.
#define JSON_WITHOUT_LIBRARY
#include "files/json.c"
#include "suite.h"

static void read_some(void *path)
{
    const JsonText text = {.place = HERE, .path = path, .remedy = "fetch it again"};
    json_read(&text, NULL);
}

START_TEST(reading_says_what_to_install)
{
    expect_death(read_some, (void *)(uintptr_t) "a.json", "a.json: this program was built without cJSON");
    expect_death(read_some, (void *)(uintptr_t) "a.json", "install libcjson-dev");
}
END_TEST

SUITE("json without its library", reading_says_what_to_install)
