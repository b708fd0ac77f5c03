// Where prose names other chapters, "chapter 7", "chapters 6, 7 and 9" or "appendix A": outside code, formulas, links, HTML and headings.
#include "tools/notebook.h"

#include <ctype.h>
#include <string.h>

static Span span(const char *begin, const char *end) { return (Span){begin, (size_t)(end - begin)}; }

static bool begins(const char *at, const char *end, const char *with)
{
    size_t length = strlen(with);
    return (size_t)(end - at) >= length && memcmp(at, with, length) == 0;
}

// ---- What is passed over -----------------------------------------------------------------------------------------

// Code, a formula or a link that is longer is none. Whoever looked further would, in a long file of such marks, look at
// all of it each time.
static const char *nearer(const char *at, const char *end) { return end - at > 2000 ? at + 2000 : end; }

// Just behind the character that closes what opens before at, in the same paragraph; NULL when nothing does.
static const char *behind_closing(const char *at, const char *end, char open, char close)
{
    int depth = 1;
    for (end = nearer(at, end); at < end && !begins(at, end, "\n\n"); at++) {
        depth += *at == close ? -1 : *at == open;
        if (depth == 0) return at + 1;
        if (*at == '\\') at++;
    }
    return NULL;
}

// [text](address) or [text][name]
static const char *behind_link(const char *at, const char *end)
{
    const char *close = behind_closing(at + 1, end, '[', ']');
    if (!close || close >= end || (*close != '(' && *close != '[')) return NULL;
    return behind_closing(close + 1, end, *close, *close == '(' ? ')' : ']');
}

// Code between runs of backticks, formulas between one dollar or two
static const char *behind_run(const char *at, const char *end)
{
    size_t count = 1;
    while (at + count < end && at[count] == *at) count++;
    const char *inside = at + count, *last = nearer(inside, end);
    for (const char *close = inside; close < last && !begins(close, last, "\n\n"); close++) {
        if ((size_t)(last - close) >= count && memcmp(close, at, count) == 0) return close + count;
        if (*at == '$' && *close == '\\') close++;
    }
    return inside;
}

static bool is_heading(const char *at, const char *end)
{
    for (int indent = 0; indent < 3 && at < end && *at == ' '; indent++) at++;
    size_t level = 0;
    while (at + level < end && at[level] == '#') level++;
    return level >= 1 && level <= 6 && (at + level == end || strchr(" \t\n", at[level]));
}

// Just behind what begins here and holds no mention; at itself when there is no such thing.
static const char *pass_over(const char *begin, const char *at, const char *end)
{
    const char *behind = NULL;
    if ((at == begin || at[-1] == '\n') && is_heading(at, end)) {
        behind = memchr(at, '\n', (size_t)(end - at));
        return behind ? behind : end;
    }
    if (*at == '\\') return end - at > 1 ? at + 2 : end;
    if (*at == '`' || *at == '$') return behind_run(at, end);
    if (*at == '[') behind = behind_link(at, end);
    if (*at == '<' && end - at > 1 && (isalpha((unsigned char)at[1]) || strchr("/!", at[1])))
        behind = behind_closing(at + 1, end, '<', '>');
    return behind ? behind : at;
}

// ---- Mentions ----------------------------------------------------------------------------------------------------

// Blanks, with at most one end of a line among them
static const char *pass_blanks(const char *at, const char *end)
{
    bool broken = false;
    for (; at < end && (*at == ' ' || *at == '\t' || (*at == '\n' && !broken)); at++)
        broken = broken || *at == '\n';
    return at;
}

// Behind "chapter " or "chapters "; NULL when something else is here.
static const char *read_word(const char *begin, const char *at, const char *end, bool *several)
{
    if (at > begin && (isalnum((unsigned char)at[-1]) || strchr("_-/", at[-1]))) return NULL;
    if (!begins(at, end, "chapter") && !begins(at, end, "Chapter")) return NULL;
    at += strlen("chapter");
    *several = at < end && *at == 's';
    at += *several;
    const char *number = pass_blanks(at, end);
    return number > at ? number : NULL;
}

// Behind "appendix A"; NULL when something else is here.
static const char *read_appendix(const char *begin, const char *at, const char *end, int *chapter)
{
    if (at > begin && (isalnum((unsigned char)at[-1]) || strchr("_-/", at[-1]))) return NULL;
    if (!begins(at, end, "appendix") && !begins(at, end, "Appendix")) return NULL;
    at += strlen("appendix");
    const char *letter = pass_blanks(at, end);
    if (letter == at || letter >= end || !notebook_is_letter(*letter)) return NULL;
    if (end - letter > 1 && (isalnum((unsigned char)letter[1]) || letter[1] == '_')) return NULL;
    *chapter = notebook_chapter_of(letter);
    return letter + 1;
}

// Behind a chapter's number; NULL when none is here: "7.5", "2015" and "7th" are none.
static const char *read_number(const char *at, const char *end, int *number)
{
    const char *first = at;
    for (*number = 0; at < end && isdigit((unsigned char)*at) && *number < NOTEBOOK_NUMBERS; at++)
        *number = 10 * *number + (*at - '0');
    if (at == first || *number >= NOTEBOOK_NUMBERS) return NULL;
    if (at < end && (isalnum((unsigned char)*at) || *at == '_')) return NULL;
    bool fraction = end - at > 1 && strchr(".,:", *at) && isdigit((unsigned char)at[1]);
    return fraction ? NULL : at;
}

// Behind ", ", " and ", ", or ", " to " or "–"; NULL when something else is here.
static const char *read_separator(const char *at, const char *end)
{
    static const char *const words[] = {"and", "or", "to"};
    if (begins(at, end, "–")) return at + strlen("–");
    bool comma = at < end && *at == ',';
    const char *next = pass_blanks(at + comma, end);
    if (next == at + comma) return NULL;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!begins(next, end, words[i])) continue;
        const char *behind = next + strlen(words[i]), *number = pass_blanks(behind, end);
        return number > behind ? number : NULL;
    }
    return comma ? next : NULL;
}

static void add_mention(Arena *arena, Notebook *notebook, Span words, int chapter)
{
    Mention *mention = arena_alloc(arena, 1, sizeof *mention);
    *mention = (Mention){words, chapter, NULL};
    *(notebook->last_mention ? &notebook->last_mention->next : &notebook->mentions) = mention;
    notebook->last_mention = mention;
}

// Behind the mentions that begin here; at itself when there are none.
static const char *read_mentions(Arena *arena, Notebook *notebook, Span text, const char *at)
{
    const char *end = text.at + text.length, *begin = at;
    bool several = false;
    int chapter;
    const char *letter = read_appendix(text.at, at, end, &chapter);
    if (letter) {
        add_mention(arena, notebook, span(at, letter), chapter);
        return letter;
    }
    const char *number = read_word(text.at, at, end, &several);
    while (number) {
        const char *behind = read_number(number, end, &chapter);
        if (!behind) break;
        add_mention(arena, notebook, span(begin, behind), chapter);
        at = behind;
        number = begin = several ? read_separator(behind, end) : NULL;
    }
    return at;
}

void notebook_read_mentions(Arena *arena, Notebook *notebook, Span prose)
{
    const char *end = prose.at + prose.length;
    for (const char *at = prose.at; at < end;) {
        const char *behind = pass_over(prose.at, at, end);
        if (behind == at) behind = read_mentions(arena, notebook, prose, at);
        at = behind > at ? behind : at + 1;
    }
}
