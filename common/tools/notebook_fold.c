// Which functions of a code cell a page folds; the rule is told in notebook.h.
#include "tools/notebook.h"

#include <ctype.h>
#include <string.h>

static Span span(const char *begin, const char *end) { return (Span){begin, (size_t)(end - begin)}; }

static bool is(Span line, const char *text)
{
    return line.length == strlen(text) && memcmp(line.at, text, line.length) == 0;
}

static bool starts(Span line, const char *with)
{
    size_t length = strlen(with);
    return line.length >= length && memcmp(line.at, with, length) == 0;
}

static bool ends(Span line, char with) { return line.length && line.at[line.length - 1] == with; }

static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

// "static void draw_…(": the function's name
static bool read_name(Span line, Span *name)
{
    static const char *const verbs[] = {"draw_", "plot_", "print_", "show_"}, opening[] = "static void ";
    if (!starts(line, opening)) return false;
    *name = (Span){line.at + strlen(opening), line.length - strlen(opening)};
    bool ours = false;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) ours = ours || starts(*name, verbs[i]);
    size_t length = 0;
    while (length < name->length && in_word(name->at[length])) length++;
    ours = ours && length < name->length && name->at[length] == '(';
    name->length = length;
    return ours;
}

static bool has_word(Span text, const char *word)
{
    size_t length = strlen(word);
    const char *end = text.at + text.length;
    for (const char *at = text.at; (at = memmem(at, (size_t)(end - at), word, length)); at += length)
        if (!(at > text.at && in_word(at[-1])) && !(at + length < end && in_word(at[length]))) return true;
    return false;
}

// The function whose first line this is, up to its closing brace; length 0 when it is only declared or another begins.
static Span read_function(Span line, Span rest)
{
    const char *begin = line.at;
    if (ends(line, '}')) return line;
    bool body = false;
    do {
        if (!body && ends(line, ';')) return (Span){begin, 0};
        if (is(line, "}")) return span(begin, line.at + line.length);
        body = body || is(line, "{");
    } while (notebook_line(&rest, &line) && !starts(line, "static "));
    return (Span){begin, 0};
}

bool notebook_fold(Span code, Span *function, Span *name)
{
    const char *comment = NULL; // the first of the comment lines right above
    for (Span line; notebook_line(&code, &line);) {
        if (starts(line, "//")) {
            if (!comment) comment = line.at;
            continue;
        }
        if (read_name(line, name)) {
            *function = read_function(line, code);
            if (function->length && !has_word(*function, "Rng") && !has_word(*function, "claim")) {
                if (comment) *function = span(comment, function->at + function->length);
                return true;
            }
        }
        comment = NULL;
    }
    return false;
}
