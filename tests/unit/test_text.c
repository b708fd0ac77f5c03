// Texts, alphabets and corpora: good files are read exactly, damaged ones stop the program with a message.
#include "files/corpora.h"
#include "suite.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static Text bytes_of(const char *bytes, size_t size) { return (Text){bytes, size}; }
#define expect_text(got, expected)                                                                           \
    do {                                                                                                     \
        Text got_ = (got);                                                                                   \
        ck_assert_msg(text_equal(got_, text_of(expected)), "got '%.*s', expected '%s'", (int)got_.size,      \
                      got_.bytes, expected);                                                                 \
    } while (0)

// ---- UTF-8 ---------------------------------------------------------------------------------------------------------------

START_TEST(every_code_point_survives_encoding_and_decoding)
{
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        if (c >= 0xD800 && c <= 0xDFFF) continue;
        char bytes[4];
        int length = utf8_encode(bytes, c);
        uint32_t again;
        int used = utf8_decode(bytes, (size_t)length, &again);
        if (again != c || used != length)
            ck_abort_msg("U+%04X became U+%04X, %d bytes of %d", c, again, used, length);
        // A byte fewer is no character.
        if (length > 1 && (utf8_decode(bytes, (size_t)length - 1, &again) != 1 || again != UTF8_REPLACEMENT))
            ck_abort_msg("U+%04X cut short was taken for U+%04X", c, again);
    }
}
END_TEST

START_TEST(what_is_no_character_is_written_as_the_replacement)
{
    const uint32_t none[] = {0xD800, 0xDFFF, 0x110000, 0xFFFFFFFF};
    for (int i = 0; i < 4; i++) {
        char bytes[4];
        ck_assert_int_eq(utf8_encode(bytes, none[i]), 3);
        ck_assert_mem_eq(bytes, "\xEF\xBF\xBD", 3);
    }
}
END_TEST

START_TEST(bytes_that_are_no_utf8_are_found_and_counted_one_by_one)
{
    const struct {
        const char *bytes;
        size_t size, wrong, characters;
    } cases[] = {
        {"abc", 3, 3, 3},
        {"", 0, 0, 0},
        {"\xEF\xBF\xBD", 3, 3, 1}, // the replacement character itself is fine
        {"a\x80"
         "b",
         3, 1, 3},                         // a continuation without a beginning
        {"\xC3", 1, 0, 1},                 // cut short
        {"\xE4\xB8", 2, 0, 2},             //
        {"\xC0\x80", 2, 0, 2},             // 0 in two bytes
        {"\xE0\x80\xAF", 3, 0, 3},         // '/' in three
        {"\xF0\x80\x80\xAF", 4, 0, 4},     // and in four
        {"\xED\xA0\x80", 3, 0, 3},         // half a surrogate pair
        {"\xF4\x90\x80\x80", 4, 0, 4},     // beyond the last code point
        {"\xF8\x88\x80\x80\x80", 5, 0, 5}, // five bytes
        {"\xFF\xFE", 2, 0, 2},
        {"\xE4\xB8\xAD\xE6", 4, 3, 2}, // 中 and a piece
        {"a\0b", 3, 3, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Text text = bytes_of(cases[i].bytes, cases[i].size);
        ck_assert_msg(text_invalid(text) == cases[i].wrong && text_characters(text) == cases[i].characters,
                      "case %zu: wrong at %zu, %zu characters; expected %zu, %zu", i, text_invalid(text),
                      text_characters(text), cases[i].wrong, cases[i].characters);
    }
}
END_TEST

START_TEST(a_text_is_never_left)
{
    // Under the sanitizers a byte beyond the end stops the test: each piece lies at the end of its own memory.
    const char *all = "a中\xF0\x9F\x98\x80z";
    for (size_t size = 1; size <= strlen(all); size++) {
        char *tight = malloc(size);
        ck_assert_ptr_nonnull(tight);
        memcpy(tight, all, size);
        Text text = {tight, size};
        ck_assert_uint_ge(text_characters(text), 1);
        text_invalid(text);
        text_find(text, "zz");
        free(tight);
    }
}
END_TEST

// ---- Files -----------------------------------------------------------------------------------------------------------------

static void read_text(void *path) { text_read(arena_new(), path); }
#define expect_text_refusal(bytes, size, message)                                                            \
    expect_death(read_text, (void *)(uintptr_t)scratch_file("text", bytes, size), message)

START_TEST(a_text_is_read_without_a_byte_order_mark_and_with_newlines)
{
    static const char *const texts[][2] = {{"中文\r\n", "中文\n"},
                                           {"\xEF\xBB\xBF"
                                            "abc\n",
                                            "abc\n"},
                                           {"\xEF\xBB\xBF"
                                            "abc\r\nabd\r\n",
                                            "abc\nabd\n"},
                                           {"abc\rabd\r", "abc\nabd\n"},
                                           {"a\r\r\nb\n\rc", "a\n\nb\n\nc"},
                                           {"\xEF\xBB\xBF", ""},
                                           {"\xEF\xBB\xBF\xEF\xBB\xBF"
                                            "a",
                                            "\xEF\xBB\xBF"
                                            "a"},
                                           {"a\xEF\xBB\xBF", "a\xEF\xBB\xBF"},
                                           {"\r", "\n"},
                                           {"no end", "no end"}};
    Arena *arena = arena_new();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_text(text_read(arena, scratch_file("text", texts[i][0], strlen(texts[i][0]))), texts[i][1]);
    Text marked = text_read(arena, scratch_file("text",
                                                "\xEF\xBB\xBF"
                                                "abc\r\nabd\r\n",
                                                13));
    ck_assert_int_eq(alphabet_of(arena, marked).size, 5);
    Text system = text_read(arena, "/proc/self/status"); // whose size is 0 until it is read
    ck_assert_uint_lt(text_find(system, "VmRSS"), system.size);
    arena_free(arena);
}
END_TEST

START_TEST(bytes_are_read_as_they_are)
{
    Arena *arena = arena_new();
    Text marked = text_read_bytes(arena, scratch_file("text", "\xEF\xBB\xBF\r\n", 5));
    ck_assert_uint_eq(marked.size, 5);
    ck_assert_mem_eq(marked.bytes, "\xEF\xBB\xBF\r\n\0", 6);
    expect_text(text_read(arena, scratch_file("text", "", 0)), "");
    Text bytes = text_read_bytes(arena, scratch_file("text", "\xFF\0", 2));
    ck_assert_uint_eq(bytes.size, 2);
    ck_assert_mem_eq(bytes.bytes, "\xFF\0\0", 3);
    arena_free(arena);
}
END_TEST

START_TEST(a_file_that_is_no_text_is_refused)
{
    expect_text_refusal("one\ntwo\xFF", 8, "line 2 is no UTF-8 at the byte 0xff, byte 7 of the file");
    expect_text_refusal("one\n\0", 5, "line 2 holds a NUL byte, byte 4 of the file");
    expect_text_refusal("\xE4\xB8", 2, "line 1 is no UTF-8");
    expect_text_refusal("a\rb\r\nc\xFF", 7, "line 3 is no UTF-8");
    expect_text_refusal("\xFF\xFE"
                        "a\0",
                        4, "text is UTF-16, little-endian; a text here is UTF-8\n hint: convert it: `iconv");
    expect_text_refusal("\xFE\xFF\0a", 4, "text is UTF-16, big-endian");
    expect_text_refusal("\xFF\xFE\0\0", 4, "text is UTF-32, little-endian");
    expect_text_refusal("\0\0\xFE\xFF", 4, "text is UTF-32, big-endian");
    expect_text_refusal("\x84\x31\x95\x33", 4, "text is GB18030");
    expect_death(read_text, "/dev/null", "/dev/null is a device, not a file");
    expect_death(read_text, "/", "/ is a folder, not a file");
    const char *pipe = scratch_path("pipe");
    ck_assert_int_eq(mkfifo(pipe, 0600), 0);
    expect_death(read_text, (void *)(uintptr_t)pipe, "is a pipe, not a file");
    const char *huge = scratch_file("huge", "x", 1);
    ck_assert_int_eq(truncate(huge, (off_t)TEXT_MAX_BYTES + 1), 0);
    expect_death(read_text, (void *)(uintptr_t)huge, "at most 1073741824 are read");
}
END_TEST

START_TEST(missing_data_names_the_target_that_brings_it)
{
    expect_death(read_text, "nowhere/datasets/cache/austen/austen.txt", "type `make data DATA=austen`");
    expect_death(read_text, "nowhere/file", "nowhere/file is missing");
}
END_TEST

// ---- Pieces ----------------------------------------------------------------------------------------------------------------

static void take_part(void *first) { text_part(text_of("abc"), *(size_t *)first, 2); }

START_TEST(a_text_is_cut_into_pieces)
{
    Arena *arena = arena_new();
    int count;
    Text *lines = text_split(arena, text_of("a\n\nbc\n"), "\n", &count);
    ck_assert_int_eq(count, 3);
    expect_text(lines[0], "a");
    expect_text(lines[1], "");
    expect_text(lines[2], "bc");
    text_split(arena, text_of(""), "\n", &count);
    ck_assert_int_eq(count, 0);
    lines = text_split(arena, text_of("x--y-z"), "--", &count);
    ck_assert_int_eq(count, 2);
    expect_text(lines[1], "y-z");
    expect_text(text_part(text_of("abc"), 1, 2), "bc");
    size_t first = 2;
    expect_death(take_part, &first, "2 bytes from byte 2 on, of 3");
    first = (size_t)-1;
    expect_death(take_part, &first, "of 3");
    ck_assert_uint_eq(text_find(text_of("abc"), "c"), 2);
    ck_assert_uint_eq(text_find(text_of("abc"), "d"), 3);
    ck_assert_str_eq(text_string(arena, text_part(text_of("abc"), 1, 1)), "b");
    arena_free(arena);
}
END_TEST

START_TEST(blanks_are_collapsed)
{
    Arena *arena = arena_new();
    expect_text(text_collapse_blanks(arena, text_of("  a \n\t b\xC2\xA0 c　")), "a b c");
    expect_text(text_collapse_blanks(arena, text_of(" \n ")), "");
    expect_text(text_collapse_blanks(arena, text_of("中 文")), "中 文");
    arena_free(arena);
}
END_TEST

// ---- Alphabets -------------------------------------------------------------------------------------------------------------

START_TEST(an_alphabet_is_sorted_and_inverts_itself)
{
    Arena *arena = arena_new();
    Text text = text_of("中b文a中\n😀");
    Alphabet alphabet = alphabet_of(arena, text);
    ck_assert_int_eq(alphabet.size, 6);
    for (int i = 1; i < alphabet.size; i++)
        ck_assert_uint_lt(alphabet.characters[i - 1], alphabet.characters[i]);
    size_t length;
    int *ids = alphabet_encode(arena, alphabet, text, &length);
    ck_assert_uint_eq(length, 7);
    ck_assert_int_eq(ids[0], 3); // \n a b 中 文 😀
    ck_assert_int_eq(ids[0], ids[4]);
    expect_text(alphabet_decode(arena, alphabet, ids, length), "中b文a中\n😀");
    ck_assert_int_eq(alphabet_id(alphabet, 'z'), -1);
    arena_free(arena);
}
END_TEST

START_TEST(the_frequent_characters_share_their_alphabet_with_the_replacement)
{
    Arena *arena = arena_new();
    Text text = text_of("aaabbc中中");
    Alphabet alphabet = alphabet_frequent(arena, text, 3);
    ck_assert_int_eq(alphabet.size, 3); // a, b (before 中, as often) and U+FFFD
    ck_assert_uint_eq(alphabet.characters[0], 'a');
    ck_assert_uint_eq(alphabet.characters[1], 'b');
    ck_assert_uint_eq(alphabet.characters[2], UTF8_REPLACEMENT);
    size_t length;
    int *ids = alphabet_encode(arena, alphabet, text, &length);
    expect_text(alphabet_decode(arena, alphabet, ids, length), "aaabb���");
    ck_assert_int_eq(alphabet_frequent(arena, text, 1).size, 1);
    ck_assert_int_eq(alphabet_frequent(arena, text, 100).size, 5);
    ck_assert_int_eq(alphabet_frequent(arena, text_of("a���"), 2).size, 2);
    arena_free(arena);
}
END_TEST

static void encode_stranger(void *unused)
{
    (void)unused;
    Arena *arena = arena_new();
    size_t length;
    alphabet_encode(arena, alphabet_of(arena, text_of("ab")), text_of("abc"), &length);
}

static void decode_number(void *id)
{
    Arena *arena = arena_new();
    alphabet_decode(arena, alphabet_of(arena, text_of("ab")), id, 1);
}

static void alphabet_of_nothing(void *unused)
{
    (void)unused;
    alphabet_of(arena_new(), text_of(""));
}

START_TEST(strangers_are_refused)
{
    expect_death(encode_stranger, NULL, "the character U+0063, number 2 of the text, is not in the alphabet");
    int outside[] = {2, -1};
    expect_death(decode_number, &outside[0], "number 0 is 2; the alphabet has 2 characters");
    expect_death(decode_number, &outside[1], "number 0 is -1");
    expect_death(alphabet_of_nothing, NULL, "the text is empty");
}
END_TEST

// ---- Bibles, poems and reviews -------------------------------------------------------------------------------------------

static char folder[4096]; // of the last file that write_in_folder wrote

static void write_in_folder(const char *name, const char *text)
{
    snprintf(folder, sizeof folder, "%s", scratch_file(name, text, strlen(text)));
    *strrchr(folder, '/') = 0;
}

static void load_bible(void *unused)
{
    (void)unused;
    bible_load_at(HERE, arena_new(), folder);
}

START_TEST(verses_stand_side_by_side)
{
    write_in_folder("verses.tsv", "one\tuno\ntwo & two\tdos\n");
    Arena *arena = arena_new();
    Bible bible = bible_load_at(HERE, arena, folder);
    ck_assert_int_eq(bible.english.count, 2);
    ck_assert_int_eq(bible.spanish.count, 2);
    expect_text(bible.english.verses[1], "two & two");
    expect_text(bible.spanish.verses[0], "uno");
    expect_text(verses_text(arena, bible.spanish), "uno\ndos\n");
    arena_free(arena);
    static const char *const bad[] = {"one\tuno\ntwo\n", "one\tuno\n\tdos\n", "one\tuno\ntwo\t\n",
                                      "one\tuno\n\nthree\ttres\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_in_folder("verses.tsv", bad[i]);
        expect_death(load_bible, NULL, "verses.tsv: line 2 is not a verse, a tab and the verse in Spanish");
    }
}
END_TEST

static void load_names(void *unused)
{
    (void)unused;
    names_load_at(HERE, arena_new(), folder);
}

START_TEST(names_have_types_and_verses_have_chapters)
{
    write_in_folder("names.tsv", "Aaron\tperson\t350\tH175 brother of Moses\tG2 the "
                                 "same\nBeth-el\tplace\t66\tH1008 \nJews\tpeople\t1\t\n");
    write_in_folder("verses.tsv", "Gen\t1\tIn the beginning\n1Sam\t12\tAnd {Aaron} came\tlate\n");
    Arena *arena = arena_new();
    MarkedBible bible = names_load_at(HERE, arena, folder);
    ck_assert_int_eq(bible.name_count, 3);
    expect_text(bible.names[0].name, "Aaron");
    ck_assert_int_eq(bible.names[0].type, NAME_PERSON);
    ck_assert_int_eq(bible.names[1].type, NAME_PLACE);
    ck_assert_int_eq(bible.names[2].type, NAME_PEOPLE);
    ck_assert_int_eq(bible.names[0].mentions, 350);
    expect_text(bible.names[0].sources, "H175 brother of Moses\tG2 the same");
    ck_assert_int_eq(bible.verse_count, 2);
    expect_text(bible.verses[1].book, "1Sam");
    ck_assert_int_eq(bible.verses[1].chapter, 12);
    expect_text(bible.verses[1].text, "And {Aaron} came\tlate");
    arena_free(arena);
    static const char *const bad_verses[] = {"Gen\t0\tIn\n",   "\t1\tIn\n",           "Gen\t1\t\n",
                                             "Gen\tone\tIn\n", "Gen\t12345678\tIn\n", "Gen\n"};
    for (size_t i = 0; i < sizeof bad_verses / sizeof *bad_verses; i++) {
        write_in_folder("verses.tsv", bad_verses[i]);
        expect_death(load_names, NULL, "verses.tsv: line 1 is not a book, a chapter and a verse");
    }
    static const char *const bad_names[] = {"Aaron\tgod\t1\t\n", "\tplace\t1\t\n", "Aaron\tperson\t-1\t\n",
                                            "Aaron\tperson\t\n", "Aaron\n"};
    for (size_t i = 0; i < sizeof bad_names / sizeof *bad_names; i++) {
        write_in_folder("names.tsv", bad_names[i]);
        expect_death(load_names, NULL,
                     "names.tsv: line 1 is not a name, its type, a number and where they are from");
    }
}
END_TEST

static void write_poems(const char *tang, const char *song)
{
    write_in_folder("tang300.txt", tang);
    write_in_folder("song100.txt", song);
}

static void load_poems(void *unused)
{
    (void)unused;
    poems_load_at(HERE, arena_new(), folder);
}

START_TEST(poems_have_titles_authors_and_lines)
{
    write_poems("《春晓》\n作者：孟浩然\n春眠不觉晓，\n处处闻啼鸟。\n%"
                "\n《二》\n作者：李白\n一行\n",
                "题目:《三》\n作者:柳开（９４６－９９９）\n\n  其一\n一行\n%   \n");
    Arena *arena = arena_new();
    Poems poems = poems_load_at(HERE, arena, folder);
    ck_assert_int_eq(poems.count, 3);
    expect_text(poems.poems[0].title, "春晓");
    expect_text(poems.poems[0].author, "孟浩然");
    ck_assert_int_eq(poems.poems[0].count, 2);
    expect_text(poems.poems[0].lines[1], "处处闻啼鸟。");
    expect_text(poems.poems[2].author, "柳开");
    expect_text(poems.poems[2].lines[0], "其一");
    poems.poems++, poems.count = 1;
    expect_text(poems_text(arena, poems), "二\n李白\n一行\n\n");
    arena_free(arena);
}
END_TEST

START_TEST(damaged_poems_are_refused)
{
    write_poems("《一》\n作者：李白\n一行\n%\n《二》\n", "");
    expect_death(load_poems, NULL, "poem 2 has 1 lines");
    write_poems("一\n作者：李白\n一行\n", "");
    expect_death(load_poems, NULL, "poem 1 does not begin with its title and its author");
    write_poems("《一》\n李白\n一行\n", "");
    expect_death(load_poems, NULL, "poem 1 does not begin");
}
END_TEST

static void load_reviews(void *unused)
{
    (void)unused;
    reviews_load_at(HERE, arena_new(), folder);
}

START_TEST(reviews_have_labels)
{
    const char *train = "great\tvery good\nother\tbad\n", *test = "other\t\n";
    write_in_folder("train.tsv", train);
    write_in_folder("test.tsv", test);
    Arena *arena = arena_new();
    ReviewSet set = reviews_load_at(HERE, arena, folder);
    ck_assert_int_eq(set.train.count, 2);
    ck_assert_int_eq(set.train.great[0], 1);
    ck_assert_int_eq(set.train.great[1], 0);
    expect_text(set.train.texts[1], "bad");
    expect_text(set.test.texts[0], "");
    arena_free(arena);
    scratch_file("test.tsv", "other\tx\nfine\ty\n", 15);
    expect_death(load_reviews, NULL, "test.tsv: line 2 does not begin with");
    scratch_file("test.tsv", "great", 5);
    expect_death(load_reviews, NULL, "test.tsv: line 1 does not begin with");
}
END_TEST

START_TEST(sayings_are_the_lines_that_are_chinese_throughout)
{
    const char *text = "学而  不思\n\n    -- 论语\n月\nabc 月\n1984\n月 Z\n│月│\n下了三天雨，\n";
    Arena *arena = arena_new();
    Verses sayings = sayings_load_at(HERE, arena, scratch_file("sayings.txt", text, strlen(text)));
    ck_assert_int_eq(sayings.count, 3);
    expect_text(sayings.verses[0], "学而 不思");
    expect_text(sayings.verses[1], "月");
    expect_text(sayings.verses[2], "下了三天雨，");
    arena_free(arena);
}
END_TEST

// ---- The real texts, where they are here -------------------------------------------------------------------------------------

// A stamp that is older than the recipes may be that of a set as an earlier version of the course had it.
static bool here(const char *set)
{
    char path[256];
    struct stat stamp, recipes;
    snprintf(path, sizeof path, "datasets/cache/%s/.done", set);
    return stat(path, &stamp) == 0 && stat("datasets/recipes", &recipes) == 0 &&
           stamp.st_mtime >= recipes.st_mtime;
}

START_TEST(the_real_bibles_are_whole)
{
    if (!here("bible")) return;
    Arena *arena = arena_new();
    Bible bible = bible_load(arena);
    ck_assert_int_eq(bible.english.count, 31084);
    ck_assert_int_eq(bible.spanish.count, 31084);
    expect_text(bible.english.verses[0], "In the beginning God created the heaven and the earth.");
    expect_text(bible.spanish.verses[0], "EN el principio crió Dios los cielos y la tierra.");
    int wept = 0;
    while (wept < bible.english.count - 1 && !text_equal(bible.english.verses[wept], text_of("Jesus wept.")))
        wept++;
    expect_text(bible.spanish.verses[wept], "Y lloró Jesús.");
    expect_text(bible.english.verses[31083], "The grace of our Lord Jesus Christ be with you all. Amen.");
    Text english = verses_text(arena, bible.english);
    static const char *const none[] = {"<", "&", "\\", "  ", "LORDGod", "¶"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert_uint_eq(text_find(english, none[i]), english.size);
    ck_assert_uint_eq(text_characters(verses_text(arena, bible.spanish)), 3811251);
    arena_free(arena);
}
END_TEST

START_TEST(the_real_names_are_whole)
{
    if (!here("names")) return;
    Arena *arena = arena_new();
    MarkedBible bible = names_load(arena);
    ck_assert_int_eq(bible.name_count, 3033);
    ck_assert_int_eq(bible.verse_count, 31102);
    expect_text(bible.names[0].name, "Aaron");
    expect_text(bible.verses[31101].book, "Rev");
    ck_assert_int_eq(bible.verses[31101].chapter, 22);
    int types[NAME_TYPES] = {0};
    for (int i = 0; i < bible.name_count; i++) types[bible.names[i].type]++;
    ck_assert_int_eq(types[NAME_PERSON], 1774);
    ck_assert_int_eq(types[NAME_PLACE], 911);
    arena_free(arena);
}
END_TEST

START_TEST(the_real_poems_novels_and_reviews_are_whole)
{
    Arena *arena = arena_new();
    if (here("poems-small")) {
        Poems poems = poems_load(arena);
        ck_assert_int_eq(poems.count, 409);
        expect_text(poems.poems[0].title, "感遇・其一");
        expect_text(poems.poems[408].author, "郑思肖");
        ck_assert_int_eq(alphabet_of(arena, poems_text(arena, poems)).size, 2824);
    }
    if (here("austen")) {
        Text novels = austen_load(arena);
        ck_assert_uint_eq(novels.size, 4025029);
        ck_assert_uint_lt(text_find(novels, "It is a truth universally acknowledged"), novels.size);
    }
    if (here("reviews")) {
        ReviewSet set = reviews_load(arena);
        ck_assert_int_eq(set.train.count, 4000);
        ck_assert_int_eq(set.test.count, 1000);
        int great = 0;
        for (int i = 0; i < 1000; i++) great += set.test.great[i];
        ck_assert_int_eq(great, 658);
    }
    if (here("sayings")) ck_assert_int_eq(sayings_load(arena).count, 11955);
    arena_free(arena);
}
END_TEST

SUITE("text", every_code_point_survives_encoding_and_decoding,
      what_is_no_character_is_written_as_the_replacement,
      bytes_that_are_no_utf8_are_found_and_counted_one_by_one, a_text_is_never_left,
      a_text_is_read_without_a_byte_order_mark_and_with_newlines, bytes_are_read_as_they_are,
      a_file_that_is_no_text_is_refused, missing_data_names_the_target_that_brings_it,
      a_text_is_cut_into_pieces, blanks_are_collapsed, an_alphabet_is_sorted_and_inverts_itself,
      the_frequent_characters_share_their_alphabet_with_the_replacement, strangers_are_refused,
      verses_stand_side_by_side, names_have_types_and_verses_have_chapters, the_real_names_are_whole,
      poems_have_titles_authors_and_lines, damaged_poems_are_refused, reviews_have_labels,
      sayings_are_the_lines_that_are_chinese_throughout, the_real_bibles_are_whole,
      the_real_poems_novels_and_reviews_are_whole)
