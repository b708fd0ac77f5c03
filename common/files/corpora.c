// corpora.c: two Bibles, poems, novels, reviews. See corpora.h.
#include "files/corpora.h"

// A file of a folder; *path receives its name.
static Text read_in(Place place, Arena *arena, const char **path, const char *folder, const char *name)
{
    size_t length = strlen(folder) + strlen(name) + sizeof "/";
    char *joined = arena_alloc_at(place, arena, length, 1);
    snprintf(joined, length, "%s/%s", folder, name);
    *path = joined;
    return text_read_at(place, arena, joined);
}

static char *put_line(char *to, Text line)
{
    to = mempcpy(to, line.bytes, line.size);
    *to++ = '\n';
    return to;
}

// ---- The Bibles ----------------------------------------------------------------------------------------------------------

// "english TAB spanish", one verse a line.
Bible bible_load_at(Place place, Arena *arena, const char *folder)
{
    const char *path;
    Text file = read_in(place, arena, &path, folder, "verses.tsv");
    int count;
    Text *english = text_split_at(place, arena, file, "\n", &count),
         *spanish = arena_alloc_at(place, arena, (size_t)count, sizeof *spanish);
    for (int i = 0; i < count; i++) {
        Text line = english[i];
        size_t tab = text_find(line, "\t");
        check_at(place, tab > 0 && tab + 1 < line.size,
                 "`sh datasets/fetch.sh --verify bible` brings the right file",
                 "%s: line %d is not a verse, a tab and the verse in Spanish", path, i + 1);
        english[i] = (Text){line.bytes, tab};
        spanish[i] = (Text){line.bytes + tab + 1, line.size - tab - 1};
    }
    return (Bible){{count, english}, {count, spanish}};
}

Text verses_text(Arena *arena, Verses verses)
{
    size_t size = 0;
    for (int i = 0; i < verses.count; i++) size += verses.verses[i].size + 1;
    char *bytes = arena_alloc(arena, size + 1, 1), *to = bytes;
    for (int i = 0; i < verses.count; i++) to = put_line(to, verses.verses[i]);
    *to = 0;
    return (Text){bytes, size};
}

// ---- Names ----------------------------------------------------------------------------------------------------------------

// The part of the line up to a tab, and moves the line behind it; without a tab, all of it.
static Text next_field(Text *line)
{
    size_t tab = text_find(*line, "\t"), behind = tab < line->size ? tab + 1 : tab;
    Text field = {line->bytes, tab};
    *line = (Text){line->bytes + behind, line->size - behind};
    return field;
}

// A whole number of up to six digits; −1 when the text is none.
static int whole_number(Text text)
{
    int number = 0;
    if (text.size == 0 || text.size > 6) return -1;
    for (size_t i = 0; i < text.size; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9') return -1;
        number = 10 * number + (text.bytes[i] - '0');
    }
    return number;
}

static NameType type_named(Text word)
{
    static const char *const words[NAME_TYPES] = {"person", "place", "people"};
    int type = 0;
    while (type < NAME_TYPES && !text_equal(word, text_of(words[type]))) type++;
    return (NameType)type;
}

// "name TAB type TAB mentions TAB sources" and "book TAB chapter TAB text", one a line.
MarkedBible names_load_at(Place place, Arena *arena, const char *folder)
{
    static const char *const hint = "`sh datasets/fetch.sh --verify names` brings the right file";
    const char *path;
    MarkedBible bible;
    Text file = read_in(place, arena, &path, folder, "names.tsv");
    Text *lines = text_split_at(place, arena, file, "\n", &bible.name_count);
    bible.names = arena_alloc_at(place, arena, (size_t)bible.name_count, sizeof *bible.names);
    for (int i = 0; i < bible.name_count; i++) {
        TypedName *name = &bible.names[i];
        name->name = next_field(&lines[i]);
        name->type = type_named(next_field(&lines[i]));
        name->mentions = whole_number(next_field(&lines[i]));
        name->sources = lines[i];
        check_at(place, name->name.size > 0 && name->type < NAME_TYPES && name->mentions >= 0, hint,
                 "%s: line %d is not a name, its type, a number and where they are from", path, i + 1);
    }
    file = read_in(place, arena, &path, folder, "verses.tsv");
    lines = text_split_at(place, arena, file, "\n", &bible.verse_count);
    bible.verses = arena_alloc_at(place, arena, (size_t)bible.verse_count, sizeof *bible.verses);
    for (int i = 0; i < bible.verse_count; i++) {
        MarkedVerse *verse = &bible.verses[i];
        verse->book = next_field(&lines[i]);
        verse->chapter = whole_number(next_field(&lines[i]));
        verse->text = lines[i];
        check_at(place, verse->book.size > 0 && verse->chapter > 0 && verse->text.size > 0, hint,
                 "%s: line %d is not a book, a chapter and a verse", path, i + 1);
    }
    return bible;
}

// ---- Poems ---------------------------------------------------------------------------------------------------------------

// What stands between two marks, or the empty text.
static Text between(Text text, const char *open, const char *close)
{
    size_t from = text_find(text, open);
    if (from == text.size) return (Text){"", 0};
    from += strlen(open);
    Text rest = {text.bytes + from, text.size - from};
    return (Text){rest.bytes, text_find(rest, close)};
}

// "《title》" or "题目:《title》", then "作者：author" or "作者:author（years）", then the lines.
static Poem read_poem(Place place, Arena *arena, Text text, const char *path, int number)
{
    int count;
    Text *lines = text_split_at(place, arena, text, "\n", &count);
    check_at(place, count >= 3, "is it a file of the set poems-small?", "%s: poem %d has %d lines", path,
             number, count);
    Poem poem = {.title = between(lines[0], "《", "》"), .lines = lines};
    static const char *const marks[] = {"作者：", "作者:"};
    for (int i = 0; i < 2 && poem.author.size == 0; i++) poem.author = between(lines[1], marks[i], "（");
    poem.author = text_collapse_blanks(arena, poem.author);
    check_at(place, poem.title.size > 0 && poem.author.size > 0, "is it a file of the set poems-small?",
             "%s: poem %d does not begin with its title and its author", path, number);
    for (int i = 2; i < count; i++) {
        Text line = text_collapse_blanks(arena, lines[i]);
        if (line.size > 0) poem.lines[poem.count++] = line;
    }
    return poem;
}

Poems poems_load_at(Place place, Arena *arena, const char *folder)
{
    static const char *const names[] = {"tang300.txt", "song100.txt"};
    Text *texts[2];
    int counts[2];
    Poems poems = {0};
    const char *paths[2];
    for (int i = 0; i < 2; i++) {
        Text text = read_in(place, arena, &paths[i], folder, names[i]);
        texts[i] = text_split_at(place, arena, text, "\n%", &counts[i]);
        poems.count += counts[i];
    }
    poems.poems = arena_alloc_at(place, arena, (size_t)poems.count, sizeof *poems.poems);
    poems.count = 0;
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < counts[i]; j++) {
            Text text = texts[i][j];
            // The rest of the line of the percent sign.
            size_t skip = j > 0 ? text_find(text, "\n") : 0;
            if (skip < text.size) skip += j > 0;
            text = (Text){text.bytes + skip, text.size - skip};
            if (text_collapse_blanks(arena, text).size == 0) continue;
            poems.poems[poems.count++] = read_poem(place, arena, text, paths[i], j + 1);
        }
    }
    return poems;
}

Text poems_text(Arena *arena, Poems poems)
{
    size_t size = 0;
    for (int i = 0; i < poems.count; i++) {
        const Poem *poem = &poems.poems[i];
        size += poem->title.size + poem->author.size + 3;
        for (int j = 0; j < poem->count; j++) size += poem->lines[j].size + 1;
    }
    char *bytes = arena_alloc(arena, size + 1, 1), *to = bytes;
    for (int i = 0; i < poems.count; i++) {
        const Poem *poem = &poems.poems[i];
        to = put_line(put_line(to, poem->title), poem->author);
        for (int j = 0; j < poem->count; j++) to = put_line(to, poem->lines[j]);
        *to++ = '\n';
    }
    *to = 0;
    return (Text){bytes, size};
}

// ---- Sayings -----------------------------------------------------------------------------------------------------------

static bool is_chinese_throughout(Text line)
{
    bool chinese = false;
    if (text_find(line, "--") < line.size) return false;
    for (size_t at = 0; at < line.size;) {
        uint32_t c = text_next(line, &at);
        bool letter = c < 128 && (c | 32) >= 'a' && (c | 32) <= 'z', frame = c >= 0x2500 && c < 0x2600;
        if (letter || frame) return false;
        chinese |= c >= 0x4e00 && c <= 0x9fff;
    }
    return chinese;
}

Verses sayings_load_at(Place place, Arena *arena, const char *path)
{
    int count;
    Text *lines = text_split_at(place, arena, text_read_at(place, arena, path), "\n", &count);
    Verses sayings = {0, lines};
    for (int l = 0; l < count; l++) {
        Text line = text_collapse_blanks(arena, lines[l]);
        if (is_chinese_throughout(line)) lines[sayings.count++] = line;
    }
    return sayings;
}

// ---- Novels and reviews ------------------------------------------------------------------------------------------------

Text austen_load_at(Place place, Arena *arena, const char *path) { return text_read_at(place, arena, path); }

// "great TAB text" or "other TAB text", one a line.
static Reviews read_reviews(Place place, Arena *arena, const char *folder, const char *name)
{
    const char *path;
    Text file = read_in(place, arena, &path, folder, name);
    Reviews reviews;
    reviews.texts = text_split_at(place, arena, file, "\n", &reviews.count);
    reviews.great = arena_alloc_at(place, arena, (size_t)reviews.count, sizeof *reviews.great);
    for (int i = 0; i < reviews.count; i++) {
        Text line = reviews.texts[i];
        size_t tab = text_find(line, "\t");
        Text label = {line.bytes, tab};
        reviews.great[i] = text_equal(label, text_of("great"));
        check_at(place, tab < line.size && (reviews.great[i] || text_equal(label, text_of("other"))),
                 "`sh datasets/fetch.sh --verify reviews` brings the right file",
                 "%s: line %d does not begin with \"great\" or \"other\" and a tab", path, i + 1);
        reviews.texts[i] = (Text){line.bytes + tab + 1, line.size - tab - 1};
    }
    return reviews;
}

ReviewSet reviews_load_at(Place place, Arena *arena, const char *folder)
{
    return (ReviewSet){read_reviews(place, arena, folder, "train.tsv"),
                       read_reviews(place, arena, folder, "test.tsv")};
}
