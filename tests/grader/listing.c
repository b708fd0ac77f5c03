// listing.c: see listing.h.
#include "tests/grader/listing.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- Sections ------------------------------------------------------------------------------------------

static const struct {
    const char *name; // the section, and every one that goes on with a '.'
    const char *flags[3];
} sections[] = {
    {".text", {"ax"}},
    {".rodata", {"a", "aM", "aMS"}},
    {".data", {"aw"}},
    {".bss", {"aw"}},
    {".tdata", {"awT"}},
    {".tbss", {"awT"}},
    {".init_array", {"aw"}},
    {".fini_array", {"aw"}},
    {".preinit_array", {"aw"}},
    {".note.GNU-stack", {""}},
    {".note.gnu.property", {"a"}},
    {".debug_abbrev", {""}},
    {".debug_addr", {""}},
    {".debug_aranges", {""}},
    {".debug_info", {""}},
    {".debug_line", {""}},
    {".debug_line_str", {"", "MS"}},
    {".debug_loclists", {""}},
    {".debug_loc", {""}},
    {".debug_ranges", {""}},
    {".debug_rnglists", {""}},
    {".debug_str", {"", "MS"}},
    {".debug_str_offsets", {""}},
};

bool section_allowed(const char *name, const char *flags)
{
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        size_t length = strlen(sections[i].name);
        if (strncmp(name, sections[i].name, length) != 0 || (name[length] != '\0' && name[length] != '.'))
            continue;
        if (!flags) return true;
        for (int f = 0; f < 3 && sections[i].flags[f]; f++)
            if (strcmp(flags, sections[i].flags[f]) == 0) return true;
        return false;
    }
    return false;
}

void say_too_large(uint64_t bytes, char *message, size_t size)
{
    snprintf(
        message, size,
        "its variables are too large: %.1f MiB, and an exercise may have %d MiB outside of its functions. "
        "Make them smaller, or take the memory from an arena or malloc",
        (double)bytes / (1 << 20), LARGEST_VARIABLES >> 20);
}

// ---- Parts of a line -----------------------------------------------------------------------------------

enum { MOST_LETTERS = 4096 }; // of a name

static bool blank(char c) { return c == ' ' || c == '\t'; }

static const char *after_blanks(const char *at)
{
    while (blank(*at)) at++;
    return at;
}

// A letter of a symbol; names in UTF-8 stand in the listing as they are.
static bool symbol_letter(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("_.$", c)) || (unsigned char)c >= 0x80;
}

// Copies a word of such letters, perhaps in quotes, as clang writes those in UTF-8; returns what follows it,
// NULL when there is none or it is too long.
static const char *take_word(const char *at, char *word, size_t size)
{
    size_t length = 0;
    bool quoted = *at == '"';
    at += quoted;
    while (symbol_letter(at[length])) length++;
    if (length == 0 || length >= size || (quoted && at[length] != '"')) return NULL;
    memcpy(word, at, length);
    word[length] = '\0';
    return at + length + quoted;
}

// One string in quotes, with the escapes that compilers write. NULL: it is none.
static const char *take_string(const char *at)
{
    if (*at++ != '"') return NULL;
    while (*at != '"') {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) return NULL;
        if (*at == '\\' && (!at[1] || !strchr("\\\"bfnrt01234567", at[1]))) return NULL;
        at += *at == '\\' ? 2 : 1;
    }
    return at + 1;
}

// A whole number; NULL when there is none or it has more than 15 digits.
static const char *take_number(const char *at, uint64_t *number)
{
    size_t digits = strspn(at, "0123456789");
    *number = 0;
    if (digits == 0 || digits > 15) return NULL;
    for (size_t i = 0; i < digits; i++) *number = 10 * *number + (uint64_t)(at[i] - '0');
    return at + digits;
}

static bool at_end(const char *at) { return *after_blanks(at) == '\0'; }

// Operands: names, numbers, registers and what joins them. No other string, no comment, no second statement,
// no '='.
static bool operands(const char *at, const char *more)
{
    char word[MOST_LETTERS];
    while (at && *at) {
        if (*at == '/' && at[1] == '*') return false;
        if (*at == '/' && at[1] == '/') { // gcc for ARM tells what a hint stands for
            for (at += 2; blank(*at) || isalnum((unsigned char)*at); at++) {
            }
            return *at == '\0';
        }
        if (*at == '"')
            at = take_word(at, word, sizeof word);
        else if (symbol_letter(*at) || blank(*at) || strchr("@%+-*/,()<>~&|^", *at) || strchr(more, *at))
            at++;
        else
            return false;
    }
    return at != NULL;
}

// ---- Directives ----------------------------------------------------------------------------------------

typedef enum { PLAIN, STRING, FILE_NAME, SECTION, RESERVE, COMMON, ALIGN, POWER, ASSIGN } Form;

static const struct {
    const char *name;
    Form form;
} directives[] = {
    // where: in which section, how it is seen, where it ends
    {".text", PLAIN},
    {".data", PLAIN},
    {".bss", PLAIN},
    {".section", SECTION},
    {".globl", PLAIN},
    {".global", PLAIN},
    {".local", PLAIN},
    {".weak", PLAIN},
    {".weakref", PLAIN},
    {".hidden", PLAIN},
    {".internal", PLAIN},
    {".protected", PLAIN},
    {".type", PLAIN},
    {".size", PLAIN},
    {".set", ASSIGN},
    {".align", ALIGN},
    {".balign", ALIGN},
    {".p2align", POWER},
    // values
    {".byte", PLAIN},
    {".2byte", PLAIN},
    {".4byte", PLAIN},
    {".8byte", PLAIN},
    {".value", PLAIN},
    {".short", PLAIN},
    {".hword", PLAIN},
    {".word", PLAIN},
    {".long", PLAIN},
    {".int", PLAIN},
    {".quad", PLAIN},
    {".xword", PLAIN},
    {".dword", PLAIN},
    {".uleb128", PLAIN},
    {".sleb128", PLAIN},
    {".string", STRING},
    {".asciz", STRING},
    {".ascii", STRING},
    {".zero", RESERVE},
    {".skip", RESERVE},
    {".space", RESERVE},
    {".comm", COMMON},
    {".lcomm", COMMON},
    // for the debugger and for unwinding
    {".file", FILE_NAME},
    {".loc", PLAIN},
    {".ident", STRING},
    {".addrsig", PLAIN},
    {".addrsig_sym", PLAIN},
    // for ARM
    {".arch", PLAIN},
    {".arch_extension", PLAIN},
    {".cpu", PLAIN},
    {".variant_pcs", PLAIN},
    {".tlsdesccall", PLAIN},
};

static bool refuse_listing(Listing *listing, ListingVerdict verdict)
{
    listing->verdict = verdict;
    return false;
}

static bool reserve(Listing *listing, uint64_t bytes)
{
    listing->reserved += bytes;
    if (listing->reserved <= LARGEST_VARIABLES) return true;
    say_too_large(listing->reserved, listing->message, sizeof listing->message);
    return refuse_listing(listing, LISTING_LARGE);
}

static bool aligned(Listing *listing, uint64_t bytes)
{
    if (bytes <= LARGEST_ALIGNMENT) return true;
    snprintf(
        listing->message, sizeof listing->message,
        "a variable is to start at a multiple of %llu bytes; at most %d can be had: use a smaller alignment",
        (unsigned long long)bytes, LARGEST_ALIGNMENT);
    return refuse_listing(listing, LISTING_LARGE);
}

// .section NAME[,"flags"[,@type[,size of an entry]]], the name perhaps in quotes
static bool section_line(Listing *listing, const char *at)
{
    char name[64], flags[8] = "";
    bool quoted = *at == '"';
    at += quoted;
    size_t length = 0;
    while (symbol_letter(at[length]) || at[length] == '-') length++;
    if (length == 0) return false;
    snprintf(name, sizeof name, "%.*s", (int)length, at);
    at += length;
    if (quoted && *at++ != '"') return false;
    bool flagged = at[0] == ',' && at[1] == '"';
    if (flagged) {
        size_t count = strspn(at + 2, "axwMST");
        if (count >= sizeof flags || at[2 + count] != '"') return false;
        memcpy(flags, at + 2, count);
        at += count + 3;
    }
    if (flagged && *at == ',') {
        if (at[1] != '@' && at[1] != '%') return false;
        for (at += 2; islower((unsigned char)*at) || *at == '_'; at++) {
        }
        if (*at == ',') at += 1 + strspn(at + 1, "0123456789");
    }
    if (!at_end(at)) return false;
    if (length < sizeof name && section_allowed(name, flagged ? flags : NULL)) return true;
    if (strcmp(name, ".note.GNU-stack") == 0)
        snprintf(
            listing->message, sizeof listing->message,
            "takes the address of a function that stands inside of another, which needs a stack that can be "
            "executed: write that function outside");
    else
        snprintf(
            listing->message, sizeof listing->message,
            "puts something into a section named %s%s%s%s, which no exercise needs: leave the attribute out",
            name, flagged ? " (flags \"" : "", flags, flagged ? "\")" : "");
    return refuse_listing(listing, LISTING_FOREIGN);
}

// .file [number] "name" ["name"] [md5 0x…]
static bool file_line(const char *at)
{
    uint64_t number;
    if (isdigit((unsigned char)*at) && !(at = take_number(at, &number))) return false;
    if (!(at = take_string(after_blanks(at)))) return false;
    at = after_blanks(at);
    if (*at == '"' && !(at = take_string(at))) return false;
    at = after_blanks(at);
    if (strncmp(at, "md5 0x", 6) == 0) at += 6 + strspn(at + 6, "0123456789abcdef");
    return at_end(at);
}

static bool directive(Listing *listing, Form form, const char *at)
{
    char name[MOST_LETTERS];
    uint64_t number = 0;
    const char *end = form == RESERVE || form == ALIGN || form == POWER ? take_number(at, &number) : at;
    if (!end) return false;
    switch (form) {
    case STRING:
        return (at = take_string(at)) && at_end(at);
    case FILE_NAME:
        return file_line(at);
    case SECTION:
        return section_line(listing, at);
    case RESERVE:
        return operands(end, "") && reserve(listing, number);
    case ALIGN:
        return operands(end, "") && aligned(listing, number);
    case POWER:
        return operands(end, "") && aligned(listing, number < 40 ? (uint64_t)1 << number : UINT64_MAX);
    case COMMON:
        if (!(at = take_word(at, name, sizeof name)) || *at != ',') return false;
        if (!(at = take_number(at + 1, &number)) || !reserve(listing, number)) return false;
        if (*at == ',' && (!(at = take_number(at + 1, &number)) || !aligned(listing, number))) return false;
        return at_end(at);
    case ASSIGN: // of a name, not of '.', the place where the assembler is
        return (at = take_word(at, name, sizeof name)) && strcmp(name, ".") != 0 && *at == ',' &&
               operands(at, "");
    default:
        return operands(at, "");
    }
}

// ---- Lines ---------------------------------------------------------------------------------------------

// A mnemonic and operands. A word in braces may stand before it: the encoding of the instruction.
static bool instruction(const char *at)
{
    if (*at == '{') {
        size_t length = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz0123456789");
        if (at[1 + length] != '}') return false;
        at = after_blanks(at + length + 2);
    }
    if (!islower((unsigned char)*at)) return false;
    while (islower((unsigned char)*at) || isdigit((unsigned char)*at) || *at == '.' || *at == '_') at++;
    return (*at == '\0' || blank(*at)) && operands(at, "[]{}:!#");
}

static bool statement(Listing *listing, const char *at)
{
    char word[MOST_LETTERS];
    const char *after;
    while (at = after_blanks(at), (after = take_word(at, word, sizeof word)) && *after == ':') at = after + 1;
    if (*at == '\0') return true;
    if (*at != '.') return instruction(at);
    if (!after || (*after && !blank(*after))) return false;
    after = after_blanks(after);
    if (strncmp(word, ".cfi_", 5) == 0) return operands(after, "");
    for (size_t i = 0; i < sizeof directives / sizeof *directives; i++)
        if (strcmp(word, directives[i].name) == 0) return directive(listing, directives[i].form, after);
    return false;
}

bool read_listing(const char *text, size_t length, Listing *listing)
{
    *listing = (Listing){.verdict = LISTING_FINE};
    char *copy = malloc(length + 1);
    if (!copy) return refuse_listing(listing, LISTING_FOREIGN);
    memcpy(copy, text, length + 1);
    bool fine = true;
    for (char *line = copy, *next; fine && line; line = next) {
        listing->line++;
        next = memchr(line, '\n', length - (size_t)(line - copy));
        char *end = next ? next : copy + length;
        if (next) *next++ = '\0';
        fine = strlen(line) == (size_t)(end - line) && statement(listing, line);
        if (!fine && listing->verdict == LISTING_FINE) {
            char seen[40];
            size_t used = 0;
            for (const char *at = after_blanks(line); *at && used + 1 < sizeof seen; at++)
                seen[used++] = *at > 0x20 && *at < 0x7f ? *at : ' ';
            seen[used] = '\0';
            snprintf(listing->message, sizeof listing->message,
                     "assembly language is not allowed: an exercise is written in C (the compiler was made "
                     "to write '%s')",
                     seen);
            listing->verdict = LISTING_FOREIGN;
        }
    }
    free(copy);
    return listing->verdict == LISTING_FINE;
}
