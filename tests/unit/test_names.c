// The tool that makes the set of names: types come from definitions by rule, names are marked where their number stands, and
// damaged modules and dictionaries are refused.
#include "suite.h"

#define main names_main
int names_main(int argc, char **argv);
#include "../../datasets/tools/names.c"
#undef main

#include <sys/stat.h>

typedef struct {
    unsigned char bytes[8192];
    size_t size;
} Bytes;

static void put_bytes(Bytes *b, const void *bytes, size_t size)
{
    memcpy(b->bytes + b->size, bytes, size);
    b->size += size;
}
static void put_number(Bytes *b, uint32_t number, int count)
{
    for (int i = 0; i < count; i++) b->bytes[b->size++] = (unsigned char)(number >> 8 * i);
}
static void put_packed(Bytes *packed, const Bytes *plain)
{
    uLongf length = sizeof packed->bytes - packed->size;
    ck_assert_int_eq(compress(packed->bytes + packed->size, &length, plain->bytes, plain->size), Z_OK);
    packed->size += length;
}

static char bible[4096], dictionary[4096];

// One block of slots, for both testaments
static void write_bible(int count, const char *const verses[])
{
    Bytes plain = {.size = 0}, slots = {.size = 0}, packed = {.size = 0}, blocks = {.size = 0};
    for (int i = 0; i < count; i++) {
        put_number(&slots, 0, 4), put_number(&slots, (uint32_t)plain.size, 4);
        put_number(&slots, (uint32_t)strlen(verses[i]), 2);
        put_bytes(&plain, verses[i], strlen(verses[i]));
    }
    put_packed(&packed, &plain);
    put_number(&blocks, 0, 4), put_number(&blocks, (uint32_t)packed.size, 4);
    put_number(&blocks, (uint32_t)plain.size, 4);
    snprintf(bible, sizeof bible, "%s", scratch_path("bible"));
    mkdir(bible, 0700);
    scratch_file("bible/ot.bzs", blocks.bytes, blocks.size),
        scratch_file("bible/ot.bzz", packed.bytes, packed.size);
    scratch_file("bible/ot.bzv", slots.bytes, slots.size);
    scratch_file("bible/nt.bzs", blocks.bytes, blocks.size),
        scratch_file("bible/nt.bzz", packed.bytes, packed.size);
    scratch_file("bible/nt.bzv", slots.bytes, 0);
}

// Entry number i + 1 is definitions[i]; `entry` is added to the entry numbers, to damage them.
static void write_dictionary(int count, const char *const definitions[], uint32_t entry)
{
    Bytes plain = {.size = 0}, packed = {.size = 0}, keys = {.size = 0}, index = {.size = 0},
          blocks = {.size = 0};
    put_number(&plain, (uint32_t)count, 4);
    size_t at = 4 + 8 * (size_t)count;
    for (int i = 0; i < count; i++) {
        put_number(&plain, (uint32_t)at, 4), put_number(&plain, (uint32_t)strlen(definitions[i]), 4);
        at += strlen(definitions[i]);
    }
    for (int i = 0; i < count; i++) {
        char key[16];
        put_bytes(&plain, definitions[i], strlen(definitions[i]));
        put_number(&index, (uint32_t)keys.size, 4);
        snprintf(key, sizeof key, "%05d\r\n", i + 1);
        put_bytes(&keys, key, strlen(key));
        put_number(&keys, 0, 4), put_number(&keys, (uint32_t)i + entry, 4);
        put_number(&index, 15, 4);
    }
    put_packed(&packed, &plain);
    put_number(&blocks, 0, 4), put_number(&blocks, (uint32_t)packed.size, 4);
    snprintf(dictionary, sizeof dictionary, "%s", scratch_path("dict"));
    scratch_file("dict.idx", index.bytes, index.size), scratch_file("dict.dat", keys.bytes, keys.size);
    scratch_file("dict.zdx", blocks.bytes, blocks.size), scratch_file("dict.zdt", packed.bytes, packed.size);
}

static const char *const definitions[] = {
    "<orth>x</orth><def>From <ref>H9</ref>; <hi>city</hi> of peace; {Zed} the brother of Aron: - Zed.</def>",
    "<def>Of foreign origin; Beth a place in Palestine: - Beth.</def>",
    "<def>Moab a son of Lot; also his territory and descendants: - Moab.</def>",
    "<def>Patrial from <ref>H2</ref>; a Bethite: - Bethite.</def>",
    "<def>to go: - go.</def>",
};
static const char *const verses[] = {
    "",
    "<div canonical=\"true\" osisID=\"Gen\" sID=\"g\" type=\"book\"/>",
    "<chapter n=\"1\" osisID=\"Gen.1\" sID=\"Gen.1\"/>",
    "And <w lemma=\"strong:H0001\">Zed</w> <w lemma=\"strong:H0005\">Went</w> to <w "
    "lemma=\"strong:H2\">Beth</w>.",
    "<title><w lemma=\"strong:H2\">Beth</w></title>Moab, <w lemma=\"strong:H3\">Moab</w>; "
    "<w lemma=\"strong:H0004\">the Bethites</w>, Zed<note>Zed</note>",
    "<w lemma=\"strong:H3\">Of Zed</w> <w lemma=\"strong:H1 strong:H2\">Zed</w> went."
    "<div canonical=\"true\" osisID=\"Exod\" sID=\"e\" type=\"book\"/>",
    "<chapter n=\"7\" osisID=\"Exod.7\" sID=\"Exod.7\"/>",
    "So <w lemma=\"strong:H0005\">he went</w> <w lemma=\"strong:H0005\">and went</w>",
};

static void write_good(uint32_t entry)
{
    write_bible(8, verses);
    write_dictionary(5, definitions, entry);
}

static void run_list(void *unused)
{
    (void)unused;
    names_main(5, (char *[]){"names", "list", bible, dictionary, dictionary, NULL});
}
static void run_verses(void *unused)
{
    (void)unused;
    names_main(5, (char *[]){"names", "verses", bible, dictionary, dictionary, NULL});
}

static const char *printed(void (*run)(void *))
{
    int status;
    const char *output = stdout_of(run, NULL, &status);
    ck_assert_int_eq(status, 0);
    return output;
}

START_TEST(types_come_from_definitions)
{
    write_good(0);
    ck_assert_str_eq(printed(run_list),
                     "Beth\tplace\t1\tH2 Of foreign origin; Beth a place in Palestine: - Beth.\n"
                     "Bethites\tpeople\t1\tH4 Patrial from H2; a Bethite: - Bethite.\n"
                     "Zed\tperson\t1\tH1 From H9; city of peace; Zed the brother of Aron: - Zed.\n");
}
END_TEST

START_TEST(names_stand_in_braces_where_their_number_stands)
{
    write_good(0);
    ck_assert_str_eq(printed(run_verses), "Gen\t1\tAnd {Zed} Went to {Beth}.\n"
                                          "Gen\t1\tMoab, Moab; the {Bethites}, Zed\n"
                                          "Gen\t1\tOf Zed Zed went.\n"
                                          "Exod\t7\tSo he went and went\n");
}
END_TEST

static void expect_type(const char *definition, Type type)
{
    ck_assert_msg(type_of_definition(definition) == type, "%s: got %s, expected %s", definition,
                  type_names[type_of_definition(definition)], type_names[type]);
}

START_TEST(phrases_decide)
{
    expect_type("From H1; loving; David the youngest son of Jesse: - David.", PERSON);
    expect_type("From H1; mountain of it; Arnon a river east of the Jordan: - Arnon.", PLACE);
    expect_type("Patronymic from H1; a Levite: - Levite.", PEOPLE);
    expect_type("Hebron a place in Palestine also the name of two Israelites: - Hebron.", UNCLEAR);
    expect_type("Ephrajim a son of Joseph; also the tribe of it: - Ephraim.", PEOPLE);
    expect_type("to go: - king.", NONE);
    expect_type("Gath a Philistine city: - Gath.", PLACE);
    expect_type("Dagon a Philistine deity: - Dagon.", NONE);
}
END_TEST

START_TEST(a_damaged_dictionary_is_refused)
{
    write_good(77);
    expect_death(run_list, NULL, "there is no entry 77");
    write_good(0);
    scratch_file("dict.zdt", "nothing", 7);
    expect_death(run_list, NULL, "dict.zdt is too short");
    scratch_file("dict.dat", "1", 1);
    expect_death(run_list, NULL, "dict");
}
END_TEST

int main(void)
{
    const TTest *tests[] = {types_come_from_definitions, names_stand_in_braces_where_their_number_stands,
                            phrases_decide, a_damaged_dictionary_is_refused};
    return run_suite("names", tests, (int)(sizeof tests / sizeof *tests), 60);
}
