// corpora.h: the texts that the course reads: two Bibles, one of them with its names marked, Chinese poems and sayings,
// Jane Austen, reviews of food.
//
//     Bible bible = bible_load(arena);
//     text_equal(bible.english.verses[0], text_of("In the beginning God created the heaven and the earth."));   // true
//     Text novels = austen_load(arena);
//
// Where they come from and under what licence: datasets/README.md. Each lies in datasets/cache/SET, where `make data
// DATA=SET` puts it; missing data names that command. The files are untrusted input: counts and
// lengths are compared with the size of the file before memory is asked for, and what does not fit stops the program.
#pragma once
#include "files/text.h"

// ---- bible: King James and Reina-Valera 1909 ------------------------------------------------------------------------

typedef struct {
    int count;
    Text *verses; // [count] plain text: no notes, no titles of chapters, no ¶; none empty
} Verses;

// The 31 084 verses that neither translation lacks, in the order of the books: english.verses[i] and
// spanish.verses[i] say the same.
typedef struct {
    Verses english, spanish;
} Bible;

#define bible_load(arena) bible_load_at(HERE, arena, "datasets/cache/bible")
Bible bible_load_at(Place place, Arena *arena, const char *folder);

// The verses as one text, each followed by a newline.
Text verses_text(Arena *arena, Verses verses);

// ---- names: King James with its persons, places and peoples marked ---------------------------------------------------------

typedef enum { NAME_PERSON, NAME_PLACE, NAME_PEOPLE, NAME_TYPES } NameType;

typedef struct {
    Text name; // "Aaron", "Beth-el", "Egyptians"
    NameType type;
    int mentions;
    Text sources; // what Strong's dictionaries say, "H175 Of uncertain derivation; …"; several: tabs between
} TypedName;

typedef struct {
    Text book; // "Gen", "1Sam", "Matt", …
    int chapter;
    Text
        text; // mentions of typed names stand in braces: "And {Terah} lived seventy years, and begat {Abram}"
} MarkedVerse;

typedef struct {
    int name_count;
    TypedName *names; // [name_count] by name, as strcmp orders them
    int verse_count;
    MarkedVerse *verses; // [verse_count] all 31 102, in the order of the books
} MarkedBible;

// The types are made by rules (datasets/README.md): good, not gold.
#define names_load(arena) names_load_at(HERE, arena, "datasets/cache/names")
MarkedBible names_load_at(Place place, Arena *arena, const char *folder);

// ---- poems-small: 314 Tang poems and 95 Song poems in simplified script -------------------------------------------------

typedef struct {
    Text title, author;
    int count;
    Text *lines; // [count] without blanks around them, none empty
} Poem;

typedef struct {
    int count;
    Poem *poems;
} Poems;

#define poems_load(arena) poems_load_at(HERE, arena, "datasets/cache/poems-small")
Poems poems_load_at(Place place, Arena *arena, const char *folder);

// As one text: title, author and the lines, each on a line of its own, and an empty line behind each poem.
Text poems_text(Arena *arena, Poems poems);

// ---- sayings: Chinese proverbs, verses and quotations ------------------------------------------------------------------------

// The lines with at least one Chinese character and none of another script: no Latin letters, no frames of boxes, and
// not the lines "-- …" that name the source. Blanks as text_collapse_blanks leaves them.
#define sayings_load(arena) sayings_load_at(HERE, arena, "datasets/cache/sayings/sayings.txt")
Verses sayings_load_at(Place place, Arena *arena, const char *path);

// ---- austen: six novels, 4 million characters ------------------------------------------------------------------------------

// Lines as printed; a blank line between paragraphs.
#define austen_load(arena) austen_load_at(HERE, arena, "datasets/cache/austen/austen.txt")
Text austen_load_at(Place place, Arena *arena, const char *path);

// ---- reviews: food bought at Amazon, 4000 to train with and 1000 to test -------------------------------------------------------

typedef struct {
    int count;
    Text *texts; // [count]
    int *great;  // [count] 1: five stars; 0: fewer
} Reviews;

typedef struct {
    Reviews train, test;
} ReviewSet;

#define reviews_load(arena) reviews_load_at(HERE, arena, "datasets/cache/reviews")
ReviewSet reviews_load_at(Place place, Arena *arena, const char *folder);
