// chat_template_lex.c: a template's source as tokens, with the white space that jinja2 leaves. See chat_template.h.
//
// Between tags stands text. {%- and -%} cut away all white space beside them. Without a sign, a tag {% … %} or {# …
// #} takes the newline behind it (trim_blocks) and the blanks in front of it when nothing else is on its line
// (lstrip_blocks); + keeps them. {{ … }} leaves both.
#include "models/chat_template_parts.h"

typedef struct {
    Trouble *trouble;
    Arena *arena;
    Text source;
    size_t at, counted; // line and start are those of the byte counted
    int line;
    size_t start;     // of the line
    bool line_starts; // the last tag ended with a newline
    int brackets;
    char closing[CHAT_TEMPLATE_MOST_NESTED];
    Token *items;
    int count, room;
} Lexer;

static char peek(const Lexer *lexer, size_t ahead)
{
    return lexer->at + ahead < lexer->source.size ? lexer->source.bytes[lexer->at + ahead] : '\0';
}

static bool follows(const Lexer *lexer, const char *string)
{
    const size_t size = strlen(string);
    return lexer->source.size - lexer->at >= size &&
           memcmp(lexer->source.bytes + lexer->at, string, size) == 0;
}

static void count_lines(Lexer *lexer, size_t to)
{
    for (; lexer->counted < to; lexer->counted++)
        if (lexer->source.bytes[lexer->counted] == '\n') lexer->line++, lexer->start = lexer->counted + 1;
}

static int column_of(const Lexer *lexer, size_t at) { return (int)(at - lexer->start) + 1; }

#define lexer_problem(lexer, place, ...)                                                                     \
    (count_lines(lexer, place),                                                                              \
     chat_problem((lexer)->trouble, (lexer)->line, column_of(lexer, place), __VA_ARGS__))

static void put(Lexer *lexer, TokenKind kind, size_t from, size_t size)
{
    if (lexer->count == CHAT_TEMPLATE_MOST_NODES)
        lexer_problem(lexer, from, "a template of more than %d parts", CHAT_TEMPLATE_MOST_NODES);
    if (lexer->count == lexer->room) {
        const Token *old = lexer->items;
        lexer->room = lexer->room ? 2 * lexer->room : 256;
        lexer->items = arena_alloc(lexer->arena, (size_t)lexer->room, sizeof *lexer->items);
        if (old) memcpy(lexer->items, old, (size_t)lexer->count * sizeof *old);
    }
    count_lines(lexer, from);
    const Text text = {lexer->source.bytes + from, size};
    lexer->items[lexer->count++] = (Token){kind, lexer->line, column_of(lexer, from), text};
}

static void skip_space(Lexer *lexer)
{
    for (int space; (space = chat_text_space(lexer->source, lexer->at)) > 0;) lexer->at += (size_t)space;
}

// Behind a tag: all white space, or the newline of trim_blocks, or nothing.
static void end_tag(Lexer *lexer, size_t tag, bool all, bool newline)
{
    lexer->at += tag;
    if (all) skip_space(lexer);
    if (!all && newline && peek(lexer, 0) == '\n') lexer->at++;
    lexer->line_starts = lexer->source.bytes[lexer->at - 1] == '\n';
}

// The text in front of the tag at `to`, whose sign is '-', '+' or another character.
static void put_text(Lexer *lexer, size_t from, size_t to, char sign, bool prints)
{
    const Text text = {lexer->source.bytes + from, to - from};
    size_t size = text.size;
    if (sign == '-') size = chat_text_trimmed(text, false, true).size;
    if (sign != '-' && sign != '+' && !prints) {
        size_t line = size;
        while (line > 0 && text.bytes[line - 1] != '\n') line--;
        const Text last = {text.bytes + line, size - line};
        if ((line > 0 || lexer->line_starts) && chat_text_trimmed(last, true, false).size == 0) size = line;
    }
    if (size) put(lexer, TEXT_TOKEN, from, size);
}

static char sign_behind(const Lexer *lexer, size_t ahead)
{
    const char sign = peek(lexer, ahead);
    return sign == '-' || sign == '+' ? sign : '\0';
}

static void skip_comment(Lexer *lexer)
{
    const size_t begin = lexer->at;
    lexer->at += 2 + (sign_behind(lexer, 2) != '\0');
    const size_t inside = lexer->at;
    while (lexer->at < lexer->source.size && !follows(lexer, "#}")) lexer->at++;
    if (lexer->at >= lexer->source.size) lexer_problem(lexer, begin, "a comment {# without its end #}");
    const char last = lexer->at > inside ? lexer->source.bytes[lexer->at - 1] : '\0';
    end_tag(lexer, 2, last == '-', last != '+');
}

// Whether {% name %} stands here; then it moves behind it. *sign: that of its beginning.
static bool skip_word_tag(Lexer *lexer, const char *name, char *sign, bool newline)
{
    const size_t begin = lexer->at;
    *sign = sign_behind(lexer, 2);
    lexer->at += 2 + (*sign != '\0');
    skip_space(lexer);
    if (follows(lexer, name)) {
        lexer->at += strlen(name);
        skip_space(lexer);
        const char end = peek(lexer, 0);
        if (follows(lexer, "%}") || follows(lexer, "-%}") || (newline && follows(lexer, "+%}"))) {
            end_tag(lexer, end == '%' ? 2 : 3, end == '-', newline && end == '%');
            return true;
        }
    }
    lexer->at = begin;
    return false;
}

// {% raw %} … {% endraw %}: nothing inside has a meaning.
static bool skip_raw(Lexer *lexer)
{
    const size_t begin = lexer->at;
    char sign;
    if (!skip_word_tag(lexer, "raw", &sign, false)) return false;
    const size_t inside = lexer->at;
    const bool line_starts = lexer->line_starts;
    for (; lexer->at < lexer->source.size; lexer->at++) {
        const size_t end = lexer->at;
        if (!follows(lexer, "{%") || !skip_word_tag(lexer, "endraw", &sign, true)) continue;
        const bool starts = lexer->line_starts;
        lexer->line_starts = line_starts;
        put_text(lexer, inside, end, sign, false);
        lexer->line_starts = starts;
        return true;
    }
    lexer_problem(lexer, begin, "{%% raw %%} without {%% endraw %%}");
}

// ---- Inside of tags ----

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static size_t digits_from(const Lexer *lexer, size_t ahead)
{
    size_t end = ahead;
    while (is_digit(peek(lexer, end)) ||
           (end > ahead && peek(lexer, end) == '_' && is_digit(peek(lexer, end + 1))))
        end++;
    return end;
}

static void put_number(Lexer *lexer)
{
    size_t end = digits_from(lexer, 0);
    bool real = false;
    const Token *last = &lexer->items[lexer->count - 1];
    const bool attribute = last->kind == SIGN_TOKEN && text_is(last->text, TEXT("."));
    if (!attribute && peek(lexer, end) == '.' && is_digit(peek(lexer, end + 1)))
        real = true, end = digits_from(lexer, end + 1);
    if (!attribute && (peek(lexer, end) == 'e' || peek(lexer, end) == 'E')) {
        const size_t sign = peek(lexer, end + 1) == '-' || peek(lexer, end + 1) == '+';
        if (is_digit(peek(lexer, end + 1 + sign))) real = true, end = digits_from(lexer, end + 1 + sign);
    }
    if (is_letter(peek(lexer, end))) lexer_problem(lexer, lexer->at, "a number that goes on as a name");
    put(lexer, real ? REAL_TOKEN : INTEGER_TOKEN, lexer->at, end);
    lexer->at += end;
}

static void put_string(Lexer *lexer)
{
    const size_t begin = lexer->at;
    const char quote = peek(lexer, 0);
    for (lexer->at++; lexer->at < lexer->source.size && peek(lexer, 0) != quote; lexer->at++)
        lexer->at += peek(lexer, 0) == '\\';
    if (lexer->at >= lexer->source.size) lexer_problem(lexer, begin, "a string without its end %c", quote);
    lexer->at++;
    put(lexer, STRING_TOKEN, begin, lexer->at - begin);
}

static void put_sign(Lexer *lexer)
{
    static const char *const doubled[] = {"//", "**", "==", "!=", "<=", ">="};
    size_t size = 0;
    for (size_t i = 0; i < sizeof doubled / sizeof *doubled; i++)
        if (follows(lexer, doubled[i])) size = 2;
    const char c = peek(lexer, 0);
    if (!size && c && strchr("+-*/%~<>=.,:|()[]{}", c)) size = 1;
    if (!size) {
        const Text rest = {lexer->source.bytes + lexer->at, 1};
        lexer_problem(lexer, lexer->at, "the character %.*s has no meaning in a tag",
                      (unsigned char)c < 0x20 || (unsigned char)c >= 0x7f ? 0 : (int)rest.size, rest.bytes);
    }
    if (size == 1 && strchr("([{", c)) {
        if (lexer->brackets == CHAT_TEMPLATE_MOST_NESTED)
            lexer_problem(lexer, lexer->at, "brackets nested more than %d deep", CHAT_TEMPLATE_MOST_NESTED);
        lexer->closing[lexer->brackets++] = c == '(' ? ')' : c == '[' ? ']' : '}';
    } else if (size == 1 && strchr(")]}", c)) {
        if (!lexer->brackets) lexer_problem(lexer, lexer->at, "a %c that closes nothing", c);
        if (lexer->closing[--lexer->brackets] != c)
            lexer_problem(lexer, lexer->at, "%c is expected, not %c", lexer->closing[lexer->brackets], c);
    }
    put(lexer, SIGN_TOKEN, lexer->at, size);
    lexer->at += size;
}

// The end of the tag, if it is here.
static bool put_end(Lexer *lexer, bool prints)
{
    const char *end = prints ? "}}" : "%}";
    const char sign = sign_behind(lexer, 0);
    const size_t begin = lexer->at;
    if (lexer->brackets) return false;
    lexer->at += sign != '\0';
    const bool here = follows(lexer, end) && !(prints && sign == '+');
    lexer->at = begin;
    if (!here) return false;
    const size_t size = sign ? 3 : 2;
    put(lexer, prints ? PRINT_ENDS : BLOCK_ENDS, begin, size);
    end_tag(lexer, size, sign == '-', !prints && sign == '\0');
    return true;
}

static void put_tag(Lexer *lexer, bool prints)
{
    const size_t begin = lexer->at, size = 2 + (sign_behind(lexer, 2) != '\0');
    put(lexer, prints ? PRINT_BEGINS : BLOCK_BEGINS, begin, size);
    lexer->at += size;
    lexer->brackets = 0;
    for (;;) {
        skip_space(lexer);
        if (put_end(lexer, prints)) return;
        if (lexer->at >= lexer->source.size)
            lexer_problem(lexer, begin, "a tag %s without its end %s", prints ? "{{" : "{%",
                          prints ? "}}" : "%}");
        const char c = peek(lexer, 0);
        if (is_letter(c)) {
            size_t end = 0;
            while (is_letter(peek(lexer, end)) || is_digit(peek(lexer, end))) end++;
            put(lexer, NAME_TOKEN, lexer->at, end);
            lexer->at += end;
        } else if (is_digit(c)) {
            put_number(lexer);
        } else if (c == '\'' || c == '"') {
            put_string(lexer);
        } else {
            put_sign(lexer);
        }
    }
}

TokenList chat_tokens(Trouble *trouble, Arena *arena, Text source)
{
    Lexer lexer = {.trouble = trouble, .arena = arena, .source = source, .line = 1, .line_starts = true};
    while (lexer.at < source.size) {
        const size_t from = lexer.at;
        const char *brace = source.bytes + from, *end = source.bytes + source.size;
        while ((brace = memchr(brace, '{', (size_t)(end - brace))) &&
               (brace + 1 == end || !strchr("{%#", brace[1])))
            brace++;
        lexer.at = brace ? (size_t)(brace - source.bytes) : source.size;
        const char kind = brace ? brace[1] : '\0';
        put_text(&lexer, from, lexer.at, brace ? sign_behind(&lexer, 2) : '+', kind == '{');
        if (kind == '#') skip_comment(&lexer);
        if (kind == '{' || (kind == '%' && !skip_raw(&lexer))) put_tag(&lexer, kind == '{');
    }
    put(&lexer, SOURCE_ENDS, source.size, 0);
    return (TokenList){lexer.items, lexer.count};
}
