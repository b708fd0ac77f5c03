// names.c: the names of persons, places and peoples in a Bible, with their types, out of three modules of SWORD: a King James
// Bible, in which most words carry a number of Strong's dictionaries, and the two dictionaries, Hebrew and Greek.
//
//     names list BIBLE HEBREW GREEK      name TAB type TAB mentions TAB number and definition [TAB number and definition …]
//     names verses BIBLE HEBREW GREEK    book TAB chapter TAB text, in which each name of the list stands in {braces}
//
// BIBLE is a folder as sword.c reads them, HEBREW and GREEK the beginning of a dictionary's four files (FOLDER/dict).
//
// Where the types come from. <w lemma="strong:H0175">Aaron</w> says that Aaron is word 175 of the Hebrew dictionary, which says
// "Aharon the brother of Moses". Phrases of the definition ("a place in", "king", "inhabitant of") give types, by the rules
// below. A name is a word with a capital letter; all numbers that it stands for must have one type, up to one mention in
// twenty. Names of several types (Moab is a man, his people and their land) or of none are left out, unless the short list
// of judgements by hand has them. So these are labels by rule, "silver": nobody has read them all.
//
// A dictionary (zLD) has four files, all numbers little-endian:
//   .idx   8 bytes an entry: where it begins in .dat, how long it is there
//   .dat   its key, a line, and 8 bytes: its block, its number there
//   .zdx   8 bytes a block: where it begins in .zdt, how long it is there
//   .zdt   the blocks, each packed by zlib: how many entries, 8 bytes each (where it begins, how long it is), the entries
#define TOOL "names"
#include "sword.h"

enum { MOST_NUMBER = 9000, MOST_NAMES = 8192, MOST_NAME = 40, MOST_BLOCK = 1 << 20, MOST_NUMBERS = 8 };

typedef enum { NONE, PERSON, PLACE, PEOPLE, UNCLEAR } Type;
static const char *const type_names[] = {"none", "person", "place", "people", "unclear"};

// ---- The dictionaries -----------------------------------------------------------------------------------------------------

// The definitions [MOST_NUMBER + 1] by number, as plain text; NULL where there is none.
typedef struct {
    char **definitions;
} Dictionary;

// The text inside of <def>…</def>, without tags and the braces of this module, blanks collapsed.
static char *definition_of(Part entry)
{
    char *plain = memory(entry.size + 1, 1), *end = plain;
    bool inside = false, blank = false;
    for (size_t at = 0; at < entry.size && entry.bytes[at];) {
        Part rest = {entry.bytes + at, entry.size - at};
        if (*rest.bytes == '<') {
            const unsigned char *close = memchr(rest.bytes, '>', rest.size);
            if (!close) break;
            if (starts(rest, "<def>")) inside = true;
            if (starts(rest, "</def>")) inside = false, blank = true;
            at += (size_t)(close - rest.bytes) + 1;
            continue;
        }
        unsigned char c = *rest.bytes;
        at++;
        if (!inside || c == '{' || c == '}') continue;
        if (strchr(" \t\r\n", c)) {
            blank = true;
        } else {
            if (blank && end > plain && !strchr(";,.:)", c)) *end++ = ' ';
            *end++ = (char)c, blank = false;
        }
    }
    return plain;
}

static Blob read_dictionary_part(const char *path, const char *ending)
{
    char name[4096];
    snprintf(name, sizeof name, "%s%s", path, ending);
    return read_file(name, MOST_UNPACKED);
}

// The blocks of a dictionary, unpacked.
static Part *read_dictionary_blocks(const char *path, size_t *count)
{
    Blob index = read_dictionary_part(path, ".zdx"), packed = read_dictionary_part(path, ".zdt");
    *count = index.size / 8;
    Part *blocks = memory(*count, sizeof *blocks);
    for (size_t i = 0; i < *count; i++) {
        size_t from = little_endian(index.bytes + 8 * i, 4),
               length = little_endian(index.bytes + 8 * i + 4, 4);
        if (from > packed.size || length > packed.size - from)
            stop("%s.zdt is too short: block %zu is said to be %zu bytes from byte %zu on, and it has %zu",
                 path, i, length, from, packed.size);
        static unsigned char room[MOST_BLOCK];
        uLongf got = sizeof room;
        if (uncompress(room, &got, packed.bytes + from, length) != Z_OK)
            stop("%s.zdt: block %zu does not unpack to at most %d bytes", path, i, MOST_BLOCK);
        Blob block = room_to_unpack("a block", length, DEFLATE_MOST, got);
        memcpy(block.bytes, room, got);
        blocks[i] = (Part){block.bytes, got};
    }
    return blocks;
}

// Entry `number` of a block: its place in it.
static Part entry_of(Part block, size_t number, const char *path)
{
    size_t count = block.size < 4 ? 0 : little_endian(block.bytes, 4);
    if (count > block.size / 8 || number >= count || 4 + 8 * count > block.size)
        stop("%s.zdt: there is no entry %zu in a block of %zu bytes", path, number, block.size);
    const unsigned char *record = block.bytes + 4 + 8 * number;
    size_t from = little_endian(record, 4), length = little_endian(record + 4, 4);
    if (from > block.size || length > block.size - from)
        stop("%s.zdt: entry %zu is said to be %zu bytes from byte %zu of its block of %zu on", path, number,
             length, from, block.size);
    return (Part){block.bytes + from, length};
}

static Dictionary read_dictionary(const char *path)
{
    Dictionary dictionary = {memory(MOST_NUMBER + 1, sizeof(char *))};
    Blob index = read_dictionary_part(path, ".idx"), keys = read_dictionary_part(path, ".dat");
    size_t block_count;
    Part *blocks = read_dictionary_blocks(path, &block_count);
    for (size_t i = 0; i < index.size / 8; i++) {
        size_t from = little_endian(index.bytes + 8 * i, 4),
               length = little_endian(index.bytes + 8 * i + 4, 4);
        if (from > keys.size || length > keys.size - from || length < 9)
            stop("%s.idx: key %zu is said to be %zu bytes from byte %zu of .dat on, which has %zu", path, i,
                 length, from, keys.size);
        const unsigned char *key = keys.bytes + from, *numbers = key + length - 8;
        long number = 0;
        for (const unsigned char *c = key; c < numbers && *c >= '0' && *c <= '9' && number <= MOST_NUMBER;
             c++)
            number = 10 * number + (*c - '0');
        if (number < 1 || number > MOST_NUMBER) continue;
        size_t block = little_endian(numbers, 4);
        if (block >= block_count)
            stop("%s.dat: key %zu is said to be in block %zu of %zu", path, i, block, block_count);
        dictionary.definitions[number] =
            definition_of(entry_of(blocks[block], little_endian(numbers + 4, 4), path));
    }
    return dictionary;
}

// ---- From a definition to a type ---------------------------------------------------------------------------------------------

// What a definition says of the thing: without the root that the name comes from ("From H1730; loving; David the youngest son of
// Jesse: - David"), and without the renderings behind the last colon. It begins with the first part that has a capital
// letter, the name; a definition with none is taken whole.
static void meaning_of(char *meaning, size_t room, const char *definition)
{
    const char *begin = definition, *part = strchr(definition, ';');
    for (; part; part = strchr(part + 1, ';')) {
        const char *first = part + 1;
        while (*first == ' ') first++;
        if (*first >= 'A' && *first <= 'Z') {
            begin = first;
            break;
        }
    }
    snprintf(meaning, room, " %s", begin);
    char *end = strstr(meaning, ": -");
    if (!end) end = strstr(meaning, ":--");
    if (end) *end = '\0';
}

static bool has_any(const char *text, const char *const phrases[])
{
    for (; *phrases; phrases++)
        if (strstr(text, *phrases)) return true;
    return false;
}

static Type type_of_definition(const char *definition)
{
    static const char *const people[] = {"atrial",   "atronymic", "inhabitant", "tribes",
                                         "tribe of", "a people",  NULL};
    static const char *const mixed[] = {"posterity", "descendants", "his territory", "its territory",
                                        "tribe",     "his country", "their country", "the region (",
                                        "and place", NULL};
    static const char *const place[] = {
        " place",    " region",  " river",    " mountain", " hill",   " city",   " cities",  " town",
        " capital",  " capitol", " brook",    " valley",   " island", " Desert", " desert",  " country",
        " district", " port",    " province", " pool",     " stream", " land",   " well ",   " fountain",
        " village",  " suburb",  " gate",     " peak",     " summit", " ridge",  " spot",    " lake",
        " spring",   " ford",    " isle",     " mount ",   " plain",  " garden", " part of", " pass ",
        " tower",    " knoll",   NULL};
    static const char *const person[] = {
        " Israelite",      " son of",     " sons",       " daughter",  " wife",
        " brother",        " father",     " mother",     " king",      " queen",
        " prophet",        " patriarch",  " Christian",  " apostle",   " progenitor",
        " man ",           " men ",       " woman",      " priest",    " eunuch",
        " officer",        " lawgiver",   " leader",     " successor", " nephew",
        " grandson",       " ancestor",   " chief",      " vizier",    " heroine",
        " concubine",      " servant",    " disciple",   " emperor",   " governor",
        " sorcerer",       " magician",   " prince",     " Levite",    " Edomite",
        " Horite",         " Persian",    " Babylonian", " Syrian",    " Hittite",
        " Midianite",      " Moabite",    " Ammonite",   " Canaanite", " Philistine",
        " Egyptian",       " Roman",      " Jew",        " Greek",     " Mesopotamian",
        " Idumaean",       " Arabian",    " Tyrian",     " Assyrian",  " Ephesian",
        " Corinthian",     " Samaritan",  " general",    " female",    " steward",
        " courtier",       " Hebrewess",  " maid",       " friend",    " antediluvian",
        " Jebusite",       " Amorite",    " Macedonian", " centurion", " one of the Nethi",
        " Temple Servant", " doorkeeper", " surname of", NULL};
    char meaning[600];
    meaning_of(meaning, sizeof meaning, definition);
    if (strstr(meaning, " deity") || strstr(meaning, " idol") || strstr(meaning, " god")) return NONE;
    if (has_any(meaning, people)) return PEOPLE;
    bool is_person = has_any(meaning, person), is_place = has_any(meaning, place);
    if (is_place && strstr(meaning, " a Philistine city")) return PLACE;
    if (is_place && !is_person) return PLACE;
    if (is_person && !is_place && !has_any(meaning, mixed)) return PERSON;
    return is_person || is_place ? UNCLEAR : NONE;
}

// Egyptians are defined with Egypt: forms that name a people.
static bool names_people(const char *name)
{
    static const char *const endings[] = {"ites", "ite", "ians",  "ian",   "eans", "ims",
                                          "ines", "ine", "itish", "itess", NULL};
    size_t length = strlen(name);
    for (const char *const *e = endings; *e; e++)
        if (length > strlen(*e) + 1 && strcmp(name + length - strlen(*e), *e) == 0) return true;
    return false;
}

// ---- Names in verses ---------------------------------------------------------------------------------------------------------

typedef struct {
    Part word;  // in the OSIS
    int number; // of the Hebrew dictionary; MOST_NUMBER more: of the Greek one
} Mention;

// The number of a <w …>, when it has exactly one; otherwise 0.
static int number_of(Part tag)
{
    int number = 0;
    for (size_t at = 0; at + 8 < tag.size; at++) {
        Part rest = {tag.bytes + at, tag.size - at};
        if (!starts(rest, "strong:H") && !starts(rest, "strong:G")) continue;
        if (number > 0) return 0;
        for (size_t i = 8; i < rest.size && rest.bytes[i] >= '0' && rest.bytes[i] <= '9'; i++)
            if (number <= MOST_NUMBER) number = 10 * number + (rest.bytes[i] - '0');
        if (number < 1 || number > MOST_NUMBER) return 0;
        if (rest.bytes[7] == 'G') number += MOST_NUMBER;
    }
    return number;
}

// The only word with a capital letter in the content of a <w>; its size is 0 when there are none or several.
static Part only_capital(Part content)
{
    Part found = {NULL, 0};
    for (size_t at = 0; at < content.size;) {
        if (content.bytes[at] == '<') {
            while (at < content.size && content.bytes[at] != '>') at++;
            at++;
            continue;
        }
        size_t begin = at;
        while (at < content.size && (is_letter(content.bytes[at]) ||
                                     (content.bytes[at] >= 0x80 && content.bytes[at] < 0xC0 && at > begin &&
                                      content.bytes[at - 1] == 0xC3) ||
                                     (content.bytes[at] == '-' && at > begin)))
            at++;
        if (at == begin) {
            at++;
            continue;
        }
        bool capital = content.bytes[begin] >= 'A' && content.bytes[begin] <= 'Z';
        if (capital && found.size > 0) return (Part){NULL, 0};
        if (capital) found = (Part){content.bytes + begin, at - begin};
    }
    return found;
}

// Where `what` begins at or after `from`; the text's size when it does not.
static size_t find_from(Part text, size_t from, const char *what)
{
    while (from < text.size && !starts((Part){text.bytes + from, text.size - from}, what)) from++;
    return from;
}

// The next word with a number and a capital letter, from *at on, which moves behind it. Notes and titles are passed over.
static bool next_mention(Part osis, size_t *at, Mention *mention)
{
    while (*at < osis.size) {
        *at = find_from(osis, *at, "<");
        Part rest = {osis.bytes + *at, osis.size - *at};
        const unsigned char *end = rest.size ? memchr(rest.bytes, '>', rest.size) : NULL;
        if (!end) return false;
        Part inside = {rest.bytes + 1, (size_t)(end - rest.bytes) - 1};
        *at += (size_t)(end - rest.bytes) + 1;
        if (is_aside(inside) && end[-1] != '/')
            *at = find_from(osis, *at, is_tag(inside, "note") ? "</note>" : "</title>");
        if (!is_tag(inside, "w") || end[-1] == '/') continue;
        size_t close = find_from(osis, *at, "</w>");
        *mention = (Mention){only_capital((Part){osis.bytes + *at, close - *at}), number_of(inside)};
        *at = close;
        if (mention->number > 0 && mention->word.size < MOST_NAME) return true;
    }
    return false;
}

// ---- The list ------------------------------------------------------------------------------------------------------------------

typedef struct {
    char name[MOST_NAME];
    int numbers[MOST_NUMBERS], counts[MOST_NUMBERS],
        number_count; // of Strong's dictionaries, and how often each
    int mentions;
    Type type;
} Name;

typedef struct {
    int count;
    Name *names;        // [count], sorted by name after the first reading
    Dictionary both[2]; // Hebrew, Greek
} List;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const Name *)a)->name, ((const Name *)b)->name);
}

static Name *find_name(const List *list, Part word)
{
    Name key;
    snprintf(key.name, sizeof key.name, "%.*s", (int)word.size, (const char *)word.bytes);
    return bsearch(&key, list->names, (size_t)list->count, sizeof key, by_name);
}

// Judged by hand: names of several types, nearly all of whose mentions are of one; and words that the rules misjudge ("none").
static const struct {
    const char *name;
    Type type;
} by_hand[] = {
    // places where the definition also has a man, or says too little
    {"Egypt", PLACE},
    {"Assyria", PLACE},
    {"Gilead", PLACE},
    {"Canaan", PLACE},
    {"Syria", PLACE},
    {"Galilee", PLACE},
    {"Seir", PLACE},
    {"Tyre", PLACE},
    {"Tyrus", PLACE},
    {"Jezreel", PLACE},
    {"Judæa", PLACE},
    {"Tarshish", PLACE},
    {"Zidon", PLACE},
    {"Sidon", PLACE},
    {"Asia", PLACE},
    {"Ethiopia", PLACE},
    {"Ephesus", PLACE},
    {"Goshen", PLACE},
    {"Ramoth-gilead", PLACE},
    {"Anathoth", PLACE},
    {"Rome", PLACE},
    {"Bozrah", PLACE},
    {"Jabesh", PLACE},
    {"Jabesh-gilead", PLACE},
    {"Babylon", PLACE},
    {"Persia", PLACE},
    {"Chaldea", PLACE},
    {"Alexandria", PLACE},
    {"India", PLACE},
    {"Ararat", PLACE},
    {"Sin", PLACE},
    {"Kir", PLACE},
    {"Athens", PLACE},
    // persons
    {"Abraham", PERSON},
    {"Abram", PERSON},
    {"Esau", PERSON},
    {"Jehoshaphat", PERSON},
    {"Balaam", PERSON},
    {"Laban", PERSON},
    {"Eli", PERSON},
    {"Judas", PERSON},
    {"Jeshua", PERSON},
    {"Jephthah", PERSON},
    {"Cain", PERSON},
    {"Adam", PERSON},
    {"Gershon", PERSON},
    {"Hezron", PERSON},
    {"Maachah", PERSON},
    {"Shem", PERSON},
    {"Ham", PERSON},
    {"Japheth", PERSON},
    {"Abed-nego", PERSON},
    {"Shadrach", PERSON},
    {"Meshach", PERSON},
    {"Terah", PERSON},
    {"Bilhah", PERSON},
    {"Bethuel", PERSON},
    {"Baanah", PERSON},
    {"Cushi", PERSON},
    {"Jerubbaal", PERSON},
    {"Iscariot", PERSON},
    {"Arphaxad", PERSON},
    {"Agrippa", PERSON},
    {"Zimri", PERSON},
    {"Cephas", PERSON},
    {"Tamar", PERSON},
    {"Magdalene", PERSON},
    {"Tahpenes", PERSON},
    // peoples
    {"Jews", PEOPLE},
    {"Jew", PEOPLE},
    {"Hebrews", PEOPLE},
    {"Greeks", PEOPLE},
    {"Medes", PEOPLE},
    {"Chaldees", PEOPLE},
    {"Romans", PEOPLE},
    {"Israelites", PEOPLE},
    {"Egyptians", PEOPLE},
    {"Egyptian", PEOPLE},
    {"Galilæans", PEOPLE},
    // of no type, or of several without a main one
    {"LORD", NONE},
    {"GOD", NONE},
    {"Edom", UNCLEAR},
    {"Amalek", UNCLEAR},
    {"Midian", UNCLEAR},
    {"Aram", UNCLEAR},
    {"Pharisees", NONE},
    {"Pharisee", NONE},
    {"Sadducees", NONE},
    {"Christian", NONE},
    {"Christians", NONE},
};

static Type type_by_hand(const char *name, Type otherwise)
{
    for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++)
        if (strcmp(by_hand[i].name, name) == 0) return by_hand[i].type;
    return otherwise;
}

static const char *definition(const List *list, int number)
{
    bool greek = number > MOST_NUMBER;
    const char *found = list->both[greek].definitions[greek ? number - MOST_NUMBER : number];
    return found ? found : "";
}

// Chaldee words, and some Greek ones, are only said to correspond to a Hebrew word: "corresponding to H3389".
static Type type_of_number(const List *list, int number)
{
    const char *text = definition(list, number), *other = strstr(text, "corresponding to H");
    Type type = type_of_definition(text);
    if (!other || type != NONE) return type;
    long hebrew = strtol(other + strlen("corresponding to H"), NULL, 10);
    if (hebrew < 1 || hebrew > MOST_NUMBER || !list->both[0].definitions[hebrew]) return NONE;
    return type_of_definition(list->both[0].definitions[hebrew]);
}

static Type type_of_name(const List *list, const Name *name)
{
    int votes[UNCLEAR + 1] = {0};
    for (int i = 0; i < name->number_count; i++) {
        Type type = type_of_number(list, name->numbers[i]);
        if (type != NONE && names_people(name->name)) type = PEOPLE;
        votes[type] += name->counts[i];
    }
    // "of Nazareth" stands for the word for its inhabitants.
    if (votes[PLACE] > 0 && !names_people(name->name)) votes[PLACE] += votes[PEOPLE], votes[PEOPLE] = 0;
    Type type = UNCLEAR;
    for (Type t = NONE; t < UNCLEAR; t++)
        if (votes[t] * 20 >= name->mentions * 19) type = t;
    return type_by_hand(name->name, type);
}

typedef struct {
    char name[MOST_NAME];
    int number;
} Pair;

static int by_name_and_number(const void *a, const void *b)
{
    const Pair *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

// All words with a capital letter and a number that is hardly ever written without.
static Pair *collect_pairs(const Testament testaments[2], size_t *count)
{
    enum { MOST_PAIRS = 1 << 17 };
    Pair *pairs = memory(MOST_PAIRS, sizeof *pairs);
    int *capital = memory(2 * MOST_NUMBER + 1, sizeof *capital),
        *small = memory(2 * MOST_NUMBER + 1, sizeof *small);
    *count = 0;
    for (int t = 0; t < 2; t++)
        for (size_t i = 0; i < testaments[t].count; i++) {
            Mention mention;
            for (size_t at = 0; next_mention(testaments[t].verses[i], &at, &mention);) {
                if (mention.word.size == 0) {
                    small[mention.number]++;
                    continue;
                }
                if (*count == MOST_PAIRS) stop("%s: more than %d names", testaments[t].path, MOST_PAIRS);
                Pair *pair = &pairs[(*count)++];
                snprintf(pair->name, sizeof pair->name, "%.*s", (int)mention.word.size,
                         (const char *)mention.word.bytes);
                pair->number = mention.number;
                capital[mention.number]++;
            }
        }
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (capital[pairs[i].number] >= 9 * small[pairs[i].number]) pairs[kept++] = pairs[i];
    *count = kept;
    qsort(pairs, kept, sizeof *pairs, by_name_and_number);
    return pairs;
}

// The names with a type of their own.
static List make_list(const Testament testaments[2], const char *hebrew, const char *greek)
{
    List list = {0, memory(MOST_NAMES, sizeof(Name)), {read_dictionary(hebrew), read_dictionary(greek)}};
    size_t count;
    const Pair *pairs = collect_pairs(testaments, &count);
    for (size_t i = 0, end; i < count; i = end) {
        if (list.count == MOST_NAMES) stop("more than %d different names", MOST_NAMES);
        Name *name = &list.names[list.count];
        *name = (Name){0};
        memcpy(name->name, pairs[i].name, sizeof name->name);
        for (end = i; end < count && strcmp(pairs[end].name, name->name) == 0; end++) {
            int n = name->number_count;
            name->mentions++;
            if (n > 0 && name->numbers[n - 1] == pairs[end].number)
                name->counts[n - 1]++;
            else if (n < MOST_NUMBERS)
                name->numbers[n] = pairs[end].number, name->counts[n] = 1, name->number_count++;
        }
        name->type = type_of_name(&list, name);
        if (name->type != NONE && name->type != UNCLEAR) list.count++;
    }
    return list;
}

static void print_list(const List *list)
{
    for (int i = 0; i < list->count; i++) {
        const Name *name = &list->names[i];
        printf("%s\t%s\t%d", name->name, type_names[name->type], name->mentions);
        for (int n = 0; n < name->number_count; n++) {
            int number = name->numbers[n];
            bool greek = number > MOST_NUMBER;
            printf("\t%c%d %s", greek ? 'G' : 'H', greek ? number - MOST_NUMBER : number,
                   definition(list, number));
        }
        putchar('\n');
    }
}

// ---- The verses ----------------------------------------------------------------------------------------------------------------

// The OSIS of a verse with braces around the names of the list.
static Part mark_names(unsigned char *buffer, const List *list, Part osis)
{
    size_t size = 0, done = 0, at = 0;
    Mention mention;
    while (next_mention(osis, &at, &mention)) {
        const Name *name = mention.word.size ? find_name(list, mention.word) : NULL;
        bool listed = false;
        for (int n = 0; name && n < name->number_count; n++) listed |= name->numbers[n] == mention.number;
        if (!listed) continue;
        size_t begin = (size_t)(mention.word.bytes - osis.bytes), end = begin + mention.word.size;
        memcpy(buffer + size, osis.bytes + done, begin - done);
        size += begin - done;
        buffer[size++] = '{';
        memcpy(buffer + size, mention.word.bytes, mention.word.size);
        size += mention.word.size;
        buffer[size++] = '}';
        done = end;
    }
    memcpy(buffer + size, osis.bytes + done, osis.size - done);
    return (Part){buffer, size + osis.size - done};
}

// What stands between before and the next quotation mark, in a slot that opens a book or a chapter.
static bool take_name(char name[MOST_NAME], Part osis, const char *tag, const char *before)
{
    size_t at = find_from(osis, 0, tag);
    at = find_from(osis, at, before);
    if (at == osis.size) return false;
    at += strlen(before);
    size_t end = find_from(osis, at, "\"");
    if (end == osis.size || end - at >= MOST_NAME) return false;
    snprintf(name, MOST_NAME, "%.*s", (int)(end - at), (const char *)osis.bytes + at);
    return true;
}

static void print_verses(const List *list, const Testament *testament)
{
    static unsigned char marked[3 * MOST_OF_A_VERSE], plain[6 * MOST_OF_A_VERSE];
    char book[MOST_NAME] = "", chapter[MOST_NAME] = "";
    for (size_t i = 0; i < testament->count; i++) {
        Part osis = testament->verses[i];
        if (chapter[0]) {
            Part text = plain_text(plain, true, mark_names(marked, list, osis), testament->path, i);
            if (text.size > 0)
                printf("%s\t%s\t%.*s\n", book, chapter, (int)text.size, (const char *)text.bytes);
        }
        // A slot may tell what begins: a book, a chapter. Where a book begins may also stand behind the last verse of another.
        if (find_from(osis, 0, " sID=\"") == osis.size) continue;
        take_name(book, osis, "<div canonical=", "osisID=\"");
        take_name(chapter, osis, "<chapter ", " n=\"");
    }
}

int main(int argc, char **argv)
{
    bool verses = argc == 5 && strcmp(argv[1], "verses") == 0;
    if (argc != 5 || (!verses && strcmp(argv[1], "list") != 0))
        stop("usage: names list|verses BIBLE HEBREW GREEK");
    const Testament testaments[2] = {read_testament(argv[2], "ot"), read_testament(argv[2], "nt")};
    List list = make_list(testaments, argv[3], argv[4]);
    if (!verses) {
        print_list(&list);
    } else {
        print_verses(&list, &testaments[0]);
        print_verses(&list, &testaments[1]);
    }
    return finish();
}
