// A chapter is read once by a small lexer into cells; then its output is cut at the section lines and laid under them.
#include "tools/notebook.h"

#include <ctype.h>
#include <string.h>

#include "files/text_file.h"
#include "base/utf8.h"

// ---- Spans and files ---------------------------------------------------------------------------------------------

static Place place_of(Document text, const char *at)
{
    Place place = {text.path, 1};
    for (const char *c = text.bytes; c < at; c++) place.line += *c == '\n';
    return place;
}

static Span span(const char *begin, const char *end) { return (Span){begin, (size_t)(end - begin)}; }

static bool same(Span a, Span b) { return a.length == b.length && memcmp(a.at, b.at, a.length) == 0; }

static bool starts(Span text, const char *with)
{
    size_t length = strlen(with);
    return text.length >= length && memcmp(text.at, with, length) == 0;
}

static void skip(Span *text, size_t count)
{
    text->at += count;
    text->length -= count;
}

static bool blank(char c) { return c == ' ' || c == '\t'; }

bool notebook_line(Span *rest, Span *line)
{
    *line = (Span){rest->at, 0};
    if (!rest->length) return false;
    const char *newline = memchr(rest->at, '\n', rest->length);
    *line = span(rest->at, newline ? newline : rest->at + rest->length);
    skip(rest, line->length + (newline != NULL));
    return true;
}

Span notebook_trim(Span text)
{
    Span first = {text.at, 0};
    for (size_t i = 0; i < text.length && (blank(text.at[i]) || text.at[i] == '\n'); i++)
        if (text.at[i] == '\n') first.length = i + 1;
    skip(&text, first.length);
    size_t end = text.length;
    while (end && (blank(text.at[end - 1]) || text.at[end - 1] == '\n')) end--;
    if (!end) return (Span){text.at, 0};
    while (end < text.length && text.at[end] != '\n') end++;
    return (Span){text.at, end};
}

Document notebook_text(Arena *arena, const char *path, const char *bytes, size_t length)
{
    if (length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) bytes += 3, length -= 3;
    char *clean = arena_alloc(arena, size_sum(HERE, length, 1), 1);
    size_t used = 0, count;
    Place place = {path, 1};
    for (size_t i = 0; i < length; i += count) {
        unsigned char c = (unsigned char)bytes[i];
        uint32_t character;
        count = (size_t)utf8_decode(bytes + i, length - i, &character);
        check_at(place, character != UTF8_REPLACEMENT || count > 1, "save the file as UTF-8",
                 "byte 0x%02X is not UTF-8", c);
        if (c == '\r' && i + 1 < length && bytes[i + 1] == '\n') continue;
        check_at(
            place, (c >= ' ' && c != 0x7F) || c == '\t' || c == '\n',
            "only tabs and newlines are allowed here; progress bars and colours belong on standard error",
            "control character 0x%02X", c);
        memcpy(clean + used, bytes + i, count);
        used += count;
        place.line += c == '\n';
    }
    clean[used] = '\0';
    return (Document){arena_string(arena, path), clean, used};
}

Span notebook_bytes(Arena *arena, const char *path, const char *hint)
{
    FileBytes file = file_read_at((Place){path, 1}, arena, path, NOTEBOOK_MAX_BYTES, hint);
    return (Span){file.bytes, file.size};
}

Document notebook_load(Arena *arena, const char *path)
{
    Place place = {path, 1};
    FileBytes file = file_read_at(place, arena, path, NOTEBOOK_MAX_BYTES,
                                  "give the chapter's C file, then the file that holds its standard output");
    file = text_file_checked_at(place, path, file);
    return notebook_text(arena, path, file.bytes, file.size);
}

// ---- The lexer -----------------------------------------------------------------------------------------------------
// As in C's first translation phases, a backslash at the end of a line joins it with the next, anywhere: inside a
// string, a // comment, even between the two characters of a comment marker. Compilers let blanks follow the backslash.
// Positions always point to a character that remains after joining. (Trigraphs are left to -Wall, which warns of them.)

static const char *joined(const char *at)
{
    while (*at == '\\') {
        const char *newline = at + 1 + strspn(at + 1, " \t");
        if (*newline != '\n') break;
        at = newline + 1;
    }
    return at;
}

static const char *after(const char *at) { return *at ? joined(at + 1) : at; }

// Just behind the comment that opens here.
static const char *comment_end(Document source, const char *open)
{
    const char *at = after(after(open));
    while (*at && !(*at == '*' && *after(at) == '/')) at = after(at);
    check_at(place_of(source, open), *at, "close it with */", "this comment is never closed");
    return after(at) + 1;
}

// Just behind the string or character constant that opens here.
static const char *quote_end(Document source, const char *open)
{
    const char *at = after(open);
    while (*at && *at != '\n' && *at != *open) at = after(*at == '\\' ? after(at) : at);
    check_at(place_of(source, open), *at == *open,
             "close it on the same line, or end the line with a backslash", "this %s is never closed",
             *open == '"' ? "string" : "character constant");
    return at + 1;
}

typedef enum { TOKEN_END, TOKEN_WORD, TOKEN_STRING, TOKEN_SIGN, TOKEN_TEXT_CELL } TokenKind;

typedef struct {
    TokenKind kind;
    Span text;
} Token;

static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80; }

// Does only this comment stand on the lines of its markers, from the first column on?
static bool is_text_cell(Document source, const char *open, const char *end)
{
    const char *first = open + 2 + strspn(open + 2, " \t"), *last = end + strspn(end, " \t");
    bool opens = (open == source.bytes || open[-1] == '\n') && open[1] == '*' && *first == '\n';
    return opens && end - open >= 5 && memcmp(end - 3, "\n*/", 3) == 0 && (*last == '\n' || !*last);
}

// The token at or behind *at, which moves behind it. Blanks and ordinary comments are passed over.
static Token next_token(Document source, const char **at)
{
    for (;;) {
        const char *begin = joined(*at), *end;
        bool continued = begin != *at;
        TokenKind kind = TOKEN_SIGN;
        if (!*begin) {
            return (Token){TOKEN_END, {begin, 0}};
        } else if (*begin == '/' && *after(begin) == '*') {
            end = comment_end(source, begin);
            if (!continued && is_text_cell(source, begin, end)) kind = TOKEN_TEXT_CELL;
        } else if (*begin == '/' && *after(begin) == '/') {
            for (end = begin; *end && *end != '\n';) end = after(end);
        } else if (*begin == '"' || *begin == '\'') {
            end = quote_end(source, begin);
            kind = TOKEN_STRING;
        } else if (in_word(*begin)) {
            for (end = begin; in_word(*end);) end = after(end);
            kind = TOKEN_WORD;
        } else {
            end = begin + 1;
        }
        *at = end;
        bool passed_over =
            kind == TOKEN_SIGN && (*begin == '/' ? end != begin + 1 : isspace((unsigned char)*begin));
        if (!passed_over) return (Token){kind, span(begin, end)};
    }
}

static bool is(Token token, const char *text) { return same(token.text, (Span){text, strlen(text)}); }

// ---- Cells and the sections they name ----------------------------------------------------------------------------

// A section in the source and, once found, what it printed.
typedef struct Section {
    Span title;
    const char *named; // where in the source
    Cell *cell;
    Span printed; // at = NULL until found
    struct Section *next;
} Section;

typedef struct {
    Arena *arena;
    Document source, output;
    Notebook *notebook;
    Section *sections;
    Cell *begins; // the cell that calls lesson_begin, NULL when there is none
} Weaver;

// The characters that a string literal stands for, appended to title.
static void append_literal(Document source, Span literal, char *title, size_t *length)
{
    const char *end = literal.at + literal.length - 1;
    for (const char *at = after(literal.at); at < end; at = after(at)) {
        bool escape = *at == '\\';
        if (escape) at = after(at);
        check_at(place_of(source, at), !escape || strchr("\"'\\?", *at), "write the character itself",
                 "the escape \\%c in the title of a section", *at);
        title[(*length)++] = *at;
    }
}

// After the word "section": reads ( argument , "title" ) and returns the title, or at = NULL when it is something else.
static Span section_title(Arena *arena, Document source, const char *at)
{
    if (!is(next_token(source, &at), "(")) return (Span){0};
    // The lesson, a short expression. Whoever looked further would, in a long file of such words, look at all of it each time.
    enum { MOST_TOKENS = 100 };
    int depth = 0, count = 0;
    Token token = next_token(source, &at);
    for (; token.kind != TOKEN_END && !(depth == 0 && is(token, ",")); token = next_token(source, &at)) {
        if (count++ == MOST_TOKENS) return (Span){0};
        depth += is(token, "(") - is(token, ")");
        if (depth < 0 || token.kind == TOKEN_TEXT_CELL) return (Span){0};
    }
    const char *first = at;
    size_t length = 0;
    while ((token = next_token(source, &at)).kind == TOKEN_STRING && *token.text.at == '"') {
    }
    if (!is(token, ")") || at - first < 3) return (Span){0};
    char *title = arena_alloc(arena, (size_t)(at - first), 1);
    for (at = first; (token = next_token(source, &at)).kind == TOKEN_STRING;)
        append_literal(source, token.text, title, &length);
    return (Span){title, length};
}

static Cell **add_cell(Weaver *weaver, Cell **tail, CellKind kind, const char *begin, const char *end)
{
    Cell *cell = *tail;
    cell->kind = kind;
    cell->text = notebook_trim(span(begin, end));
    if (!cell->text.length) return tail; // an empty cell vanishes; its place serves the next one
    cell->next = arena_zeros(weaver->arena, 1, sizeof *cell);
    return &cell->next;
}

static void read_cells(Weaver *weaver)
{
    Document source = weaver->source;
    Cell *unused = arena_zeros(weaver->arena, 1, sizeof *unused), **tail = &weaver->notebook->cells;
    *tail = unused;
    Section **last = &weaver->sections;
    const char *at = source.bytes, *begin = at;
    for (Token token = {TOKEN_WORD, {0}}; token.kind != TOKEN_END;) {
        token = next_token(source, &at);
        const char *here = token.text.at, *end = here + token.text.length;
        if (token.kind == TOKEN_TEXT_CELL) {
            tail = add_cell(weaver, tail, CELL_CODE, begin, here);
            tail = add_cell(weaver, tail, CELL_TEXT, here + 2 + strspn(here + 2, " \t"), end - 2);
            begin = at = end;
        } else if (is(token, "lesson_begin") || is(token, "lesson_begin_with")) {
            weaver->begins = *tail;
        } else if (is(token, "section")) {
            Span title = section_title(weaver->arena, source, end);
            if (!title.at) continue;
            *last = arena_zeros(weaver->arena, 1, sizeof **last);
            **last = (Section){.title = title, .named = here, .cell = *tail};
            last = &(*last)->next;
        }
    }
    tail = add_cell(weaver, tail, CELL_CODE, begin, at);
    *tail = NULL;
}

// ` or ~ and how many: the run that opens or may close a fenced block in Markdown, 0 when the line has none.
static size_t fence_of(Span line, char *mark)
{
    size_t indent = 0, count = 0;
    while (indent < 3 && indent < line.length && line.at[indent] == ' ') indent++;
    skip(&line, indent);
    if (!line.length || !strchr("`~", *line.at)) return 0;
    while (count < line.length && line.at[count] == *line.at) count++;
    if (*line.at == '`' && memchr(line.at + count, '`', line.length - count)) return 0; // code within a line
    *mark = *line.at;
    return count >= 3 ? count : 0;
}

// ---- Mentions of chapters -----------------------------------------------------------------------------------------------

// Reads the mentions outside of fenced blocks. A text cell that leaves one open would swallow the rest of the page.
static void read_text(Arena *arena, Notebook *notebook, Span text)
{
    const char *begin = text.at, *end = text.at + text.length;
    char open = 0, mark = 0;
    size_t opened = 0;
    Span line, where = {0};
    while (notebook_line(&text, &line)) {
        size_t count = fence_of(line, &mark);
        if (!count) continue;
        const char *behind = (const char *)memchr(line.at, mark, line.length) + count;
        bool bare = !notebook_trim(span(behind, line.at + line.length)).length;
        if (!open) {
            notebook_read_mentions(arena, notebook, span(begin, line.at));
            open = mark, opened = count, where = line;
        } else if (mark == open && count >= opened && bare) {
            open = 0;
            begin = text.at;
        }
    }
    check_at(place_of(notebook->source, where.at), !open, "close it inside the same text cell",
             "this fenced block is never closed");
    notebook_read_mentions(arena, notebook, span(begin, end));
}

// ---- From source to cells ------------------------------------------------------------------------------------------

static void read_title(Notebook *notebook)
{
    const Cell *first = notebook->cells;
    Document source = notebook->source;
    Place place = place_of(source, first ? first->text.at : source.bytes);
    Span rest = first ? first->text : (Span){0}, line = {0};
    notebook_line(&rest, &line);
    check_at(place, first && first->kind == CELL_TEXT && starts(line, "# "),
             "open the file with /* alone on a line, then # Title",
             "the chapter does not begin with a title");
    skip(&line, 2);
    while (line.length && blank(*line.at)) skip(&line, 1);
    while (line.length && blank(line.at[line.length - 1])) line.length--;
    check_at(place, line.length, "write it after the #", "the chapter's title is empty");
    notebook->title = line;
}

static Weaver open_source(Arena *arena, Document source)
{
    Weaver weaver = {.arena = arena, .source = source, .notebook = arena_zeros(arena, 1, sizeof(Notebook))};
    weaver.notebook->source = source;
    read_cells(&weaver);
    read_title(weaver.notebook);
    for (const Cell *cell = weaver.notebook->cells; cell; cell = cell->next)
        if (cell->kind == CELL_TEXT) read_text(arena, weaver.notebook, cell->text);
    return weaver;
}

Notebook *notebook_cells(Arena *arena, Document source) { return open_source(arena, source).notebook; }

// ---- The output ------------------------------------------------------------------------------------------------------

#define RULE "─"

// Is this line the beginning of a section? "── Title ─────", padded to 80 columns where the title leaves room.
static bool is_section(Span line, Span *title)
{
    if (!starts(line, RULE RULE " ")) return false;
    skip(&line, 2 * strlen(RULE) + 1);
    size_t rule = strlen(RULE);
    while (line.length >= rule && memcmp(line.at + line.length - rule, RULE, rule) == 0) line.length -= rule;
    while (line.length && line.at[line.length - 1] == ' ') line.length--;
    *title = line;
    return true;
}

static Section *find_section(const Weaver *weaver, Span title)
{
    Section *section = weaver->sections;
    while (section && !same(section->title, title)) section = section->next;
    return section;
}

// Gives each section what it printed; returns what came before the first of them.
static Span split_output(Weaver *weaver)
{
    Document output = weaver->output;
    Span rest = {output.bytes, output.length}, line, title, before = {output.bytes, output.length};
    Section *current = NULL;
    while (notebook_line(&rest, &line)) {
        if (!is_section(line, &title)) continue;
        if (current) current->printed.length = (size_t)(line.at - current->printed.at);
        if (!current) before.length = (size_t)(line.at - before.at);
        current = find_section(weaver, title);
        check_at(place_of(output, line.at), current,
                 "titles are string literals in the call, and no other line may begin with ── ",
                 "section \"%.*s\" is printed here, but no section(lesson, \"%.*s\") is in %s",
                 (int)title.length, title.at, (int)title.length, title.at, weaver->source.path);
        check_at(place_of(output, line.at), !current->printed.at, "call each section once",
                 "section \"%.*s\" of %s is printed twice", (int)title.length, title.at, weaver->source.path);
        current->printed = span(line.at, output.bytes + output.length);
    }
    return before;
}

static void check_sections(const Weaver *weaver)
{
    for (const Section *section = weaver->sections; section; section = section->next) {
        check_at(place_of(weaver->source, section->named), find_section(weaver, section->title) == section,
                 "give each section its own title", "section \"%.*s\" is named twice (its output is in %s)",
                 (int)section->title.length, section->title.at, weaver->output.path);
        check_at(place_of(weaver->source, section->named), section->printed.at,
                 "was the program run to its end, and is this its output?",
                 "section \"%.*s\" is never printed in %s", (int)section->title.length, section->title.at,
                 weaver->output.path);
    }
}

static void add_output(Weaver *weaver, Cell *cell, Output output)
{
    if (output.kind == OUTPUT_TEXT && !(output.text = notebook_trim(output.text)).length) return;
    Output **next = cell->last ? &cell->last->next : &cell->outputs;
    *next = cell->last = arena_alloc(weaver->arena, 1, sizeof output);
    **next = output;
}

// "figure: name.png — caption", without the first word.
static Output read_figure(Document printed, Span line)
{
    static const char dash[] = " — ",
                      letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *end = memmem(line.at, line.length, dash, strlen(dash));
    Output output = {.kind = OUTPUT_FIGURE, .figure = span(line.at, end ? end : line.at + line.length)};
    if (end) output.text = span(end + strlen(dash), line.at + line.length);
    while (output.text.length && blank(*output.text.at)) skip(&output.text, 1);
    while (output.text.length && blank(output.text.at[output.text.length - 1])) output.text.length--;
    Span name = output.figure;
    bool fair = name.length > 4 && *name.at != '.';
    for (size_t i = 0; i < name.length; i++) fair = fair && strchr(letters, name.at[i]);
    if (fair) skip(&name, name.length - 4);
    check_at(
        place_of(printed, line.at), fair && (starts(name, ".png") || starts(name, ".svg")),
        "print \"figure: name.png — caption\": letters, digits, _ and - in the name, .png or .svg at its end",
        "a figure named \"%.*s\"", (int)output.figure.length, output.figure.at);
    return output;
}

// Puts printed lines under a cell: text, broken by the figures.
static void place_output(Weaver *weaver, Cell *cell, Span printed)
{
    static const char figure[] = "figure: ";
    const char *begin = printed.at, *end = printed.at + printed.length;
    Span line;
    while (notebook_line(&printed, &line)) {
        if (!starts(line, figure)) continue;
        add_output(weaver, cell, (Output){.kind = OUTPUT_TEXT, .text = span(begin, line.at)});
        skip(&line, strlen(figure));
        add_output(weaver, cell, read_figure(weaver->output, line));
        begin = printed.at;
    }
    add_output(weaver, cell, (Output){.kind = OUTPUT_TEXT, .text = span(begin, end)});
}

static void number_figures(Notebook *notebook)
{
    int number = 0;
    for (Cell *cell = notebook->cells; cell; cell = cell->next)
        for (Output *output = cell->outputs; output; output = output->next)
            if (output->kind == OUTPUT_FIGURE) output->number = ++number;
}

Notebook *notebook_weave(Arena *arena, Document source, Document output)
{
    Weaver weaver = open_source(arena, source);
    weaver.output = output;
    Span before = notebook_trim(split_output(&weaver));
    check_sections(&weaver);
    check_at(((Place){output.path, 1}), !before.length || weaver.begins,
             "begin with lesson_begin, print inside sections",
             "something is printed before the first section, but %s never calls lesson_begin", source.path);
    if (before.length) place_output(&weaver, weaver.begins, before);
    const Cell *last = NULL;
    for (Section *section = weaver.sections; section; section = section->next) {
        bool alone = section->cell != last && !(section->next && section->next->cell == section->cell);
        Span title, printed = section->printed;
        if (alone) notebook_line(&printed, &title);
        place_output(&weaver, section->cell, printed);
        last = section->cell;
    }
    number_figures(weaver.notebook);
    return weaver.notebook;
}
