// tokenizer_pattern.c: regular expressions as the files of tokenizers have them, for PCRE2. See tokenizer.h, step 3.
//
// The patterns were written for Oniguruma with Ruby's syntax, which is what the Rust library compiles them with. Where
// PCRE2 reads something else, it is written out here; what cannot be is refused, for a pattern that is read in another way
// gives other numbers and no message:
//
//     \s \w \b     Unicode's White_Space; letters, marks, digits and connectors. PCRE2's have more, and fewer, characters;
//                  so have [:space:], [:alpha:] and the like
//     \h \v \uXXXX a hexadecimal digit, a vertical tab, a character
//     [a[bc]]      a set within a set
//     \p{Han}      a script; PCRE2 also takes characters that are used with it
//     (?m) ^ $     the dot matches newlines; lines begin and end everywhere (splitter_new asks for this)
//     {,3}         from none to three
//     a{2}+ a{2}?  two a, once or more; two a or none
//     [a&&b] [\W]  refused
#include "models/tokenizer_parts.h"

#include <ctype.h>
#include <string.h>

#define WHITE_SPACE                                                                                          \
    "\\t-\\r \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
#define WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}" // within brackets
#define ALONE                                                                                                \
    WORD "\\xb2\\xb3\\xb9\\x{bc}-\\x{be}" // Oniguruma's table of Latin-1 has superscripts and fractions too
#define BEHIND_WORD  "(?<=[" ALONE "])"
#define BEHIND_OTHER "(?<![" ALONE "])"
#define BEFORE_WORD  "(?=[" ALONE "])"
#define BEFORE_OTHER "(?![" ALONE "])"

typedef struct {
    Place place;
    Bytes pattern;
    size_t at;         // the next byte to be read
    char *to;          // where the next one is written
    int depth;         // of brackets; 0: outside
    char *atom;        // where what may be repeated begins
    char *groups[256]; // where the groups begin that are open
    int group_count;
} Translation;

enum { LONGEST_ANSWER = 320 }; // the most that is written for one step

static int peek(const Translation *x, size_t ahead)
{
    return x->at + ahead < x->pattern.size ? (uint8_t)x->pattern.bytes[x->at + ahead] : -1;
}

static void put(Translation *x, const char *text) { x->to = stpcpy(x->to, text); }

static void copy(Translation *x, size_t count)
{
    for (; count && x->at < x->pattern.size; count--, x->at++) {
        if (x->pattern.bytes[x->at])
            *x->to++ = x->pattern.bytes[x->at];
        else
            put(x, "\\x00");
    }
}

noreturn static void refuse(const Translation *x, const char *what)
{
    die_at(x->place, "write it in another way that Oniguruma and PCRE2 read alike",
           "the tokenizer's pattern %.200s has %s at its byte %zu, which is not read", x->pattern.bytes, what,
           x->at);
}

// What is written for a name within \p{…}, or [:…:]: PCRE2 has not all of them, and means something else by some.
static const char *property_of(const char *name, size_t length)
{
    static const char *const names[][2] = {{"Letter", "L"},
                                           {"Mark", "M"},
                                           {"Number", "N"},
                                           {"Punctuation", "P"},
                                           {"Symbol", "S"},
                                           {"Separator", "Z"},
                                           {"Other", "C"},
                                           {"Uppercase_Letter", "Lu"},
                                           {"Lowercase_Letter", "Ll"},
                                           {"alpha", "Alphabetic"},
                                           {"Alpha", "Alphabetic"},
                                           {"digit", "Nd"},
                                           {"Digit", "Nd"},
                                           {"space", "White_Space"},
                                           {"Space", "White_Space"},
                                           {"upper", "Uppercase"},
                                           {"Upper", "Uppercase"},
                                           {"lower", "Lowercase"},
                                           {"Lower", "Lowercase"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i][0]) == length && memcmp(names[i][0], name, length) == 0) return names[i][1];
    return NULL;
}

// \p{…}
static void translate_property(Translation *x)
{
    static const char *const binary[] = {"Alphabetic", "Any",       "ASCII",
                                         "Lowercase",  "Uppercase", "White_Space"};
    size_t first = peek(x, 3) == '^' ? 4 : 3, length = 0;
    while (peek(x, first + length) >= 0 && peek(x, first + length) != '}') length++;
    const char *name = x->pattern.bytes + x->at + first, *known = property_of(name, length);
    bool script = length > 2 && length < 40;
    copy(x, first);
    if (known) {
        put(x, known);
        x->at += length;
        return;
    }
    for (size_t i = 0; i < sizeof binary / sizeof *binary; i++)
        script &= !(strlen(binary[i]) == length && memcmp(binary[i], name, length) == 0);
    if (script) put(x, "sc:");
}

// [:…:], within brackets
static void translate_class(Translation *x)
{
    size_t length = 0;
    while (isalpha(peek(x, 2 + length))) length++;
    const char *name = x->pattern.bytes + x->at + 2, *known = property_of(name, length);
    bool alnum = length == 5 && memcmp(name, "alnum", 5) == 0,
         word = length == 4 && memcmp(name, "word", 4) == 0;
    if (peek(x, 2) == '^') refuse(x, "a negated class, [:^…:],");
    if (!known && !alnum && !word) {
        copy(x, length + 4);
        return;
    }
    put(x, word ? WORD : alnum ? "\\p{Alphabetic}\\p{Nd}" : "\\p{");
    if (known) {
        put(x, known);
        put(x, "}");
    }
    x->at += length + 4;
}

// A backslash and what belongs to it.
static void translate_escape(Translation *x)
{
    bool inside = x->depth > 0;
    const char *answer = NULL;
    switch (peek(x, 1)) {
    case 's':
        answer = inside ? WHITE_SPACE : "[" WHITE_SPACE "]";
        break;
    case 'S':
        answer = inside ? "\\P{White_Space}" : "[^" WHITE_SPACE "]";
        break;
    case 'w':
        answer = inside ? WORD : "[" ALONE "]";
        break;
    case 'W':
        if (inside) refuse(x, "\\W in brackets");
        answer = "[^" ALONE "]";
        break;
    case 'b':
        answer = inside ? "\\x08" : "(?:" BEHIND_WORD BEFORE_OTHER "|" BEHIND_OTHER BEFORE_WORD ")";
        break;
    case 'B':
        answer = inside ? "B" : "(?:" BEHIND_WORD BEFORE_WORD "|" BEHIND_OTHER BEFORE_OTHER ")";
        break;
    case 'h':
        answer = inside ? "0-9a-fA-F" : "[0-9a-fA-F]";
        break;
    case 'H':
        if (inside) refuse(x, "\\H in brackets");
        answer = "[^0-9a-fA-F]";
        break;
    case 'v':
        answer = "\\x0b";
        break;
    case '\0': // stands for itself
        x->at++;
        return;
    case 'u':
        put(x, "\\x{");
        x->at += 2;
        copy(x, 4);
        put(x, "}");
        return;
    case 'p':
    case 'P':
        if (peek(x, 2) != '{') break;
        translate_property(x);
        return;
    default:
        break;
    }
    if (!answer) {
        copy(x, 2);
        return;
    }
    put(x, answer);
    x->at += 2;
}

// {n}, {n,m}, {n,}, {,m}; an opening brace that begins none of these stands for itself.
static void translate_repeat(Translation *x)
{
    size_t length = 1;
    bool digits = false, comma = false;
    for (; isdigit(peek(x, length)) || (peek(x, length) == ',' && !comma); length++) {
        digits |= peek(x, length) != ',';
        comma |= peek(x, length) == ',';
    }
    if (!digits || peek(x, length) != '}') {
        copy(x, 1);
        return;
    }
    int behind = peek(x, length + 1);
    bool twice = behind == '+' || (behind == '?' && !comma), from_none = peek(x, 1) == ',';
    if (twice) {
        memmove(x->atom + 3, x->atom, (size_t)(x->to - x->atom));
        memcpy(x->atom, "(?:", 3);
        x->to += 3;
    }
    copy(x, 1);
    if (from_none) put(x, "0");
    copy(x, length);
    if (twice) put(x, ")");
}

// "(?" and options: Ruby's m is PCRE2's s.
static void translate_group(Translation *x)
{
    size_t length = 2;
    while (isalpha(peek(x, length)) || peek(x, length) == '-') length++;
    bool options = peek(x, 1) == '?' && (peek(x, length) == ':' || peek(x, length) == ')');
    copy(x, options ? 2 : 1);
    for (size_t i = 2; options && i < length; i++) {
        copy(x, 1);
        if (x->to[-1] == 'm') x->to[-1] = 's';
    }
}

static void translate_inside(Translation *x)
{
    int c = peek(x, 0), next = peek(x, 1);
    if (c == '\\') {
        translate_escape(x);
    } else if (c == '&' && next == '&') {
        refuse(x, "an intersection of sets, &&,");
    } else if (c == '[' && next == ':') {
        translate_class(x);
    } else if (c == '[') {
        if (next == '^') refuse(x, "a negated set within a set");
        x->depth++;
        x->at++;
    } else if (c == ']' && --x->depth > 0) {
        x->at++;
    } else {
        copy(x, 1);
    }
}

static void translate_outside(Translation *x)
{
    const int c = peek(x, 0);
    if (!strchr("{?*+)", c) || !c) x->atom = x->to;
    switch (c) {
    case '\\':
        translate_escape(x);
        break;
    case '{':
        translate_repeat(x);
        break;
    case '(':
        if (x->group_count == sizeof x->groups / sizeof *x->groups)
            refuse(x, "too many groups within groups");
        x->groups[x->group_count++] = x->to;
        translate_group(x);
        break;
    case ')':
        if (x->group_count) x->atom = x->groups[--x->group_count];
        copy(x, 1);
        break;
    case '[':
        x->depth = 1;
        copy(x, peek(x, 1) == '^' ? 2 : 1);
        if (peek(x, 0) == ']') { // stands for itself
            put(x, "\\");
            copy(x, 1);
        }
        break;
    default:
        copy(x, 1);
    }
}

const char *pattern_for_pcre2(Place place, Arena *arena, Bytes pattern)
{
    size_t room = size_product(place, size_sum(place, pattern.size, 1), LONGEST_ANSWER);
    char *out = arena_alloc_at(place, arena, room, 1);
    Translation x = {.place = place, .pattern = pattern, .to = out, .atom = out};
    while (x.at < pattern.size) {
        if (x.depth)
            translate_inside(&x);
        else
            translate_outside(&x);
    }
    *x.to = '\0';
    return out;
}
