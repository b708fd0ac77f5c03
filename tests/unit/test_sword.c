// The tool that takes Bibles out of SWORD modules: the markup of two releases gives one text; damaged modules are refused.
#include "suite.h"

#define main sword_main
int sword_main(int argc, char **argv);
#include "../../datasets/tools/sword.c"
#undef main

#include <sys/stat.h>

typedef struct {
    unsigned char bytes[4096];
    size_t size;
} Bytes;

static void put_number(Bytes *b, uint32_t number, int count)
{
    for (int i = 0; i < count; i++) b->bytes[b->size++] = (unsigned char)(number >> 8 * i);
}

typedef struct {
    Bytes blocks, slots, packed;
} Module;

// Adds a block with these verses; an empty one is a slot without text.
static void add_block(Module *module, int count, const char *const verses[])
{
    Bytes plain = {.size = 0};
    uint32_t block = (uint32_t)(module->blocks.size / 12);
    for (int i = 0; i < count; i++) {
        put_number(&module->slots, block, 4);
        put_number(&module->slots, (uint32_t)plain.size, 4);
        put_number(&module->slots, (uint32_t)strlen(verses[i]), 2);
        memcpy(plain.bytes + plain.size, verses[i], strlen(verses[i]));
        plain.size += strlen(verses[i]);
    }
    uLongf length = sizeof module->packed.bytes - module->packed.size;
    ck_assert_int_eq(compress(module->packed.bytes + module->packed.size, &length, plain.bytes, plain.size), Z_OK);
    put_number(&module->blocks, (uint32_t)module->packed.size, 4);
    put_number(&module->blocks, (uint32_t)length, 4);
    put_number(&module->blocks, (uint32_t)plain.size, 4);
    module->packed.size += length;
}

static char first[4096], second[4096]; // the folders

// Writes FOLDER/TESTAMENT.?zs, .?zv and .?zz
static void write_kind(const Module *module, const char *name, const char *testament, char kind)
{
    const struct {
        const char *ending;
        const Bytes *bytes;
    } parts[] = {{"zs", &module->blocks}, {"zv", &module->slots}, {"zz", &module->packed}};
    char *folder = strcmp(name, "first") == 0 ? first : second;
    snprintf(folder, sizeof first, "%s", scratch_path(name));
    mkdir(folder, 0700);
    for (int i = 0; i < 3; i++) {
        char file[64];
        snprintf(file, sizeof file, "%s/%s.%c%s", name, testament, kind, parts[i].ending);
        scratch_file(file, parts[i].bytes->bytes, parts[i].bytes->size);
    }
}
static void write_module(const Module *module, const char *name, const char *testament)
{
    write_kind(module, name, testament, 'b');
}

static Module module_of(const char *verse)
{
    Module module = {0};
    add_block(&module, 2, (const char *const[]){verse, "two &amp; two"});
    add_block(&module, 2, (const char *const[]){"", "<l>three,</l><l>and four</l>"});
    return module;
}

static void write_good(const char *verse)
{
    Module module = module_of(verse);
    write_module(&module, "first", "ot"), write_module(&module, "first", "nt");
    module = module_of("Uno");
    write_module(&module, "second", "nt");
    module = (Module){0};
    add_block(&module, 4, (const char *const[]){"uno", "", "x", "tres"});
    write_module(&module, "second", "ot");
}

static void print_verses(void *unused)
{
    (void)unused;
    sword_main(5, (char *[]){"sword", "words", first, "plain", second, NULL});
}

static const char *printed(void)
{
    int status;
    const char *output = stdout_of(print_verses, NULL, &status);
    ck_assert_int_eq(status, 0);
    return output;
}

// A verse in the first module's markup is this plain text.
static void expect_verse(const char *markup, const char *plain)
{
    char line[256];
    write_good(markup);
    snprintf(line, sizeof line, "%s\tuno\n", plain);
    const char *output = printed();
    ck_assert_msg(strncmp(output, line, strlen(line)) == 0, "%s: got '%.60s', expected '%s'", markup, output, line);
}

START_TEST(verses_lose_their_tags_and_keep_their_order)
{
    write_good("<title>A <hi>title</hi></title>¶ <w lemma=\"x\">One</w><note n=\"1\">a note</note>.");
    ck_assert_str_eq(printed(), "One.\tuno\nthree, and four\ttres\nOne.\tUno\ntwo & two\ttwo & two\n"
                                "three, and four\tthree, and four\n");
}
END_TEST

START_TEST(the_markup_of_two_releases_gives_one_text)
{
    static const char *const same[][3] = {
        // one release, another, the text
        {"the <divineName><w>LORD</w></divineName> <w>God</w> ", "the <divineName><w>LORD</w></divineName><w>God</w>",
         "the LORD God"},
        {"name \\nd <w>JEHOVAH</w></divineName> was", "name <divineName><w>JEHOVAH</w></divineName> was", "name JEHOVAH was"},
        {"of the \\nd LORD\\+nd*, and", "of the <seg><divineName>LORD</divineName></seg>, and", "of the LORD, and"},
        {"<w>great</w> <transChange>is</transChange> <w>he</w>", "<w>great</w><transChange>is</transChange><w>he</w>",
         "great is he"},
        {"<w>world</w>.</q> <w>Amen</w>.  <chapter/> <div/>", "<w>world</w>.</q><w>Amen</w>. <chapter/><div/>",
         "world. Amen."},
        {"<div/> <div/>¶ <w>And</w>", "<div/><div/>¶ <w>And</w>", "And"},
        {"<w>one</w><note>a <w>b</w></note> <w>two</w>", "<w>one</w><note>a <w>b</w></note><w>two</w>", "one two"},
        {"<w>agains</w>t <w>it</w>", "<w>agains</w>t\n<w>it</w>", "against it"},
        {"<w>one</w>\u2014<w>two</w>", "<w>one</w>\u2014<w>two</w> ", "one\u2014two"},
        {"(<w>one</w>, <w>two</w>)", "(<w>one</w>, <w>two</w>)  ", "(one, two)"},
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        expect_verse(same[i][0], same[i][2]);
        expect_verse(same[i][1], same[i][2]);
    }
}
END_TEST

START_TEST(where_tags_stand_for_nothing_none_becomes_a_blank)
{
    write_good("one");
    Module module = module_of("<w>s\u00e1ca</w><transChange>lo</transChange> <w>de</w>");
    write_module(&module, "second", "nt");
    ck_assert(strstr(printed(), "\none\ts\u00e1calo de\n"));
}
END_TEST

START_TEST(blocks_of_chapters_are_read_as_those_of_books)
{
    write_good("one");
    char path[4200];
    for (const char *ending = "svz"; *ending; ending++) {
        snprintf(path, sizeof path, "%s/nt.bz%c", first, *ending);
        ck_assert_int_eq(remove(path), 0);
    }
    expect_death(print_verses, NULL, "nt.bzs is missing");
    Module module = module_of("<p>One</p>");
    write_kind(&module, "first", "nt", 'c');
    ck_assert(strstr(printed(), "\nOne\tUno\n"));
}
END_TEST

// The good module with a number of four bytes changed.
static void expect_refusal(int part, size_t at, uint32_t number, const char *message)
{
    Module module = module_of("one");
    Bytes *parts[] = {&module.blocks, &module.slots, &module.packed};
    size_t size = parts[part]->size;
    parts[part]->size = at;
    put_number(parts[part], number, 4);
    parts[part]->size = size;
    write_module(&module, "first", "nt");
    expect_death(print_verses, NULL, message);
}

START_TEST(damaged_modules_are_refused)
{
    write_good("one");
    enum { BLOCKS, SLOTS, PACKED };
    expect_refusal(BLOCKS, 0, 5000, "is too short: block 0 is said to be");
    expect_refusal(BLOCKS, 4, 0xFFFFFFFF, "is too short: block 0 is said to be 4294967295 bytes");
    expect_refusal(BLOCKS, 8, 1 << 27, "is said to unpack to 134217728; at most 64 MB are unpacked");
    expect_refusal(BLOCKS, 8, 10, "block 0 is damaged: it does not unpack to its 10 bytes");
    expect_refusal(BLOCKS, 8, 100, "block 0 is damaged");
    expect_refusal(SLOTS, 0, 2, "verse slot 0 is said to be 3 bytes from byte 0 of block 2 on");
    expect_refusal(SLOTS, 4, 0xFFFFFFF0, "verse slot 0 is said to be");
    expect_refusal(PACKED, 4, 0x12345678, "block 0 is damaged");

    Module module = module_of("one");
    module.blocks.size -= 1;
    write_module(&module, "first", "nt");
    expect_death(print_verses, NULL, "are no list of blocks of 12 bytes");
    module = module_of("one");
    module.slots.size -= 1;
    write_module(&module, "first", "nt");
    expect_death(print_verses, NULL, "are no list of at most");
    module = module_of("one");
    module.slots.size -= 10;
    write_module(&module, "first", "nt");
    expect_death(print_verses, NULL, "has 3 verse slots");
    module = module_of("<note");
    write_module(&module, "first", "nt");
    expect_death(print_verses, NULL, "verse slot 0: a tag does not end");
    module = module_of("one");
    module.blocks.size = 0;
    write_module(&module, "first", "nt");
    expect_death(print_verses, NULL, "0 bytes are no list of blocks");
}
END_TEST

START_TEST(many_blocks_that_unpack_to_much_are_refused)
{
    write_good("one");
    enum { LARGE = 4000000 };
    unsigned char *zeros = calloc(1, LARGE);
    Module module = {0};
    uLongf length = sizeof module.packed.bytes;
    module.packed.size = LARGE / 1000; // packed 1000 times smaller
    ck_assert_int_eq(compress2(module.packed.bytes, &length, zeros, LARGE, 9), Z_OK);
    free(zeros);
    for (int i = 0; i < 20; i++)
        put_number(&module.blocks, 0, 4), put_number(&module.blocks, (uint32_t)length, 4), put_number(&module.blocks, LARGE, 4);
    write_module(&module, "first", "nt");
    expect_death(print_verses, NULL, "at most 64 MB are unpacked");
}
END_TEST

START_TEST(no_mutation_of_a_module_crashes_the_tool)
{
    write_good("one");
    uint32_t state = 1;
    for (int round = 0; round < 60; round++) {
        Module module = module_of("<note a>b</note><w>one</w><w>\\nd &lt; two</w>");
        Bytes *parts[] = {&module.blocks, &module.slots, &module.packed};
        for (int change = 0; change < 2; change++) {
            state = state * 1664525 + 1013904223;
            Bytes *part = parts[(state >> 8) % 3];
            part->bytes[(state >> 16) % part->size] ^= (unsigned char)(1 << (state >> 13) % 8);
        }
        write_module(&module, "first", "ot");
        int status;
        const char *message = stderr_of(print_verses, NULL, &status);
        ck_assert_msg(status <= 1, "round %d: status %d, %s", round, status, message);
    }
}
END_TEST

int main(void)
{
    expect_leaks(); // the tool ends before its memory matters
    const TTest *const tests[] = {verses_lose_their_tags_and_keep_their_order,
                                  the_markup_of_two_releases_gives_one_text,
                                  where_tags_stand_for_nothing_none_becomes_a_blank,
                                  blocks_of_chapters_are_read_as_those_of_books,
                                  damaged_modules_are_refused,
                                  many_blocks_that_unpack_to_much_are_refused,
                                  no_mutation_of_a_module_crashes_the_tool};
    return run_suite("sword", tests, (int)(sizeof tests / sizeof *tests), 60);
}
