// From a page back to the outputs of its cells. All but the outputs follows from the source, so that it is enough to count
// its lines; and that nothing was misread is known when the page is written again and is the same.
#include "base/check.h"
#include "tools/notebook.h"

#include <stdlib.h>
#include <string.h>

static bool starts(Span text, const char *with)
{
    size_t length = strlen(with);
    return text.length >= length && memcmp(text.at, with, length) == 0;
}

// What is written while out is open; the caller frees the bytes.
static FILE *memory(char **bytes, size_t *length)
{
    FILE *out = open_memstream(bytes, length);
    check(out, "free some memory", "no memory for a page");
    return out;
}

// Moves behind as many lines of the page as the cell has there without its outputs.
static void pass_cell(Span *rest, const Notebook *notebook, const Page *page, const Mention **mentions,
                      const Cell *cell)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = memory(&bytes, &length);
    notebook_put_cell(out, notebook, page, mentions, cell);
    check(fclose(out) == 0, "free some memory", "no memory for a page");
    Span line;
    for (size_t i = 0; i < length; i++)
        if (bytes[i] == '\n') notebook_line(rest, &line);
    free(bytes);
}

// ```text, lines, ``` and a blank line
static bool read_text(Span *rest, Output *output)
{
    Span at = *rest, line, blank;
    notebook_line(&at, &line);
    size_t fence = 0;
    while (fence < line.length && line.at[fence] == '`') fence++;
    Span language = {line.at + fence, line.length - fence};
    if (fence < 3 || language.length != 4 || !starts(language, "text")) return false;
    *output = (Output){.kind = OUTPUT_TEXT, .text = {at.at, 0}};
    Span opening = {line.at, fence};
    while (notebook_line(&at, &line)) {
        if (line.length == fence && memcmp(line.at, opening.at, fence) == 0) {
            notebook_line(&at, &blank);
            *rest = at;
            return output->text.length > 0;
        }
        output->text.length = (size_t)(line.at + line.length - output->text.at);
    }
    return false;
}

// ![Figure 9.2. …](../../figures/09-resnet/name.png), a blank line, **Figure 9.2.** *The caption*, and a blank line
static bool read_figure(Arena *arena, Span *rest, Output *output)
{
    Span at = *rest, picture, caption, blank;
    notebook_line(&at, &picture);
    notebook_line(&at, &blank);
    notebook_line(&at, &caption);
    if (!starts(picture, "![Figure ") || picture.at[picture.length - 1] != ')') return false;
    const char *slash = memrchr(picture.at, '/', picture.length);
    if (!slash) return false;
    *output = (Output){.kind = OUTPUT_FIGURE,
                       .figure = {slash + 1, (size_t)(picture.at + picture.length - 1 - slash - 1)}};
    const char *words = memmem(caption.at, caption.length, ".** *", 5),
               *end = caption.at + caption.length - 1;
    if (words) { // without the backslashes that keep Markdown from reading the caption's characters
        char *text = arena_alloc(arena, caption.length, 1);
        size_t length = 0;
        for (const char *c = words + 5; c < end; c++) {
            if (*c == '\\' && c + 1 < end) c++;
            text[length++] = *c;
        }
        output->text = (Span){text, length};
    }
    notebook_line(&at, &blank);
    *rest = at;
    return output->figure.length > 4;
}

static void check_page(const Notebook *notebook, Document woven, const Page *page)
{
    char *bytes = NULL;
    size_t length = 0, same = 0;
    FILE *out = memory(&bytes, &length);
    notebook_markdown(notebook, page, out);
    check(fclose(out) == 0, "free some memory", "no memory for a page");
    Place place = {woven.path, 1};
    for (; same < length && same < woven.length && bytes[same] == woven.bytes[same]; same++)
        place.line += bytes[same] == '\n';
    check_at(place, same == length && same == woven.length, "make weave writes it anew",
             "from here on, this page is not the one that %s gives", notebook->source.path);
    free(bytes);
}

Notebook *notebook_read(Arena *arena, Document source, Document woven, const Page *page)
{
    Notebook *notebook = notebook_cells(arena, source);
    const Mention *mentions = notebook->mentions;
    Span rest = {woven.bytes, woven.length}, line;
    notebook_line(&rest, &line); // "<!-- Generated from …" and a blank line
    notebook_line(&rest, &line);
    int figures = 0;
    for (Cell *cell = notebook->cells; cell; cell = cell->next) {
        pass_cell(&rest, notebook, page, &mentions, cell);
        Output output;
        while (cell->kind == CELL_CODE && (read_text(&rest, &output) || read_figure(arena, &rest, &output))) {
            if (output.kind == OUTPUT_FIGURE) output.number = ++figures;
            Output **next = cell->last ? &cell->last->next : &cell->outputs;
            *next = cell->last = arena_alloc(arena, 1, sizeof output);
            **next = output;
        }
    }
    check_page(notebook, woven, page);
    return notebook;
}
