// The pages of a notebook: Markdown for the forge and the web book, JSON for Jupyter.
#include "base/check.h"
#include "files/json.h"
#include "tools/notebook.h"

#include <stdlib.h>
#include <string.h>

static Span span(const char *begin, const char *end) { return (Span){begin, (size_t)(end - begin)}; }

int notebook_chapter_of(const char *folder)
{
    if (notebook_is_letter(folder[0])) return NOTEBOOK_NUMBERS + folder[0] - 'A';
    const long number = strtol(folder, NULL, 10);
    return number < NOTEBOOK_NUMBERS ? (int)number : -1;
}

// What the chapter is called in "Figure 7.1" and `make chapter7`: "7" of "07-autograd", "A" of "A-fast-product"
static Span number_of(const Page *page)
{
    const char *first = page->folder + (page->folder[0] == '0' && page->folder[1] != '-');
    return span(first, page->folder + strcspn(page->folder, "-"));
}

// ---- Markdown ------------------------------------------------------------------------------------------------------

static void put(FILE *out, Span text) { fwrite(text.at, 1, text.length, out); }

// Text in which no character means anything to Markdown or HTML.
static void put_escaped(FILE *out, Span text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (strchr("\\`*_[]<>&$|~^@", text.at[i])) fputc('\\', out);
        fputc(text.at[i], out);
    }
}

// A fenced block; its fence is longer than any run of backticks inside.
static void put_fenced(FILE *out, const char *language, Span text)
{
    int longest = 2, run = 0;
    for (size_t i = 0; i < text.length; i++) {
        run = text.at[i] == '`' ? run + 1 : 0;
        longest = int_max(longest, run);
    }
    for (int i = 0; i <= longest; i++) fputc('`', out);
    fprintf(out, "%s\n", language);
    put(out, text);
    fputc('\n', out);
    for (int i = 0; i <= longest; i++) fputc('`', out);
    fputs("\n\n", out);
}

// Whether the function draws this figure: its file's name stands there in quotation marks
static bool draws(Span function, const Output *output)
{
    if (output->kind != OUTPUT_FIGURE) return false;
    size_t length = output->figure.length;
    const char *end = function.at + function.length;
    for (const char *at = function.at; (at = memmem(at, (size_t)(end - at), output->figure.at, length)); at++)
        if (at > function.at && at[-1] == '"' && at + length < end && at[length] == '"') return true;
    return false;
}

// "How Figure 1.2 is drawn" or "How Figures 6.2 and 6.3 are drawn"; of a function that draws none, "The code of print_row"
static void put_summary(FILE *out, const Notebook *notebook, const Page *page, Span function, Span name)
{
    const Output *last =
        NULL; // of the figures found, one is held back: only then is it known whether another follows
    const Span number = number_of(page);
    int found = 0;
    for (const Cell *cell = notebook->cells; cell; cell = cell->next)
        for (const Output *output = cell->outputs; output; output = output->next) {
            if (!draws(function, output)) continue;
            if (last)
                fprintf(out, "%s%.*s.%d", found == 1 ? "How Figures " : ", ", (int)number.length, number.at,
                        last->number);
            last = output, found++;
        }
    if (last) {
        fprintf(out, "%s%.*s.%d %s drawn", found == 1 ? "How Figure " : " and ", (int)number.length,
                number.at, last->number, found == 1 ? "is" : "are");
    } else {
        fputs("The code of <code>", out);
        put(out, name);
        fputs("</code>", out);
    }
}

// Code with folded functions. Forges read Markdown inside <details> only with blank lines around it.
static void put_code(FILE *out, const Notebook *notebook, const Page *page, Span code)
{
    const char *end = code.at + code.length;
    Span function, name;
    while (notebook_fold(code, &function, &name)) {
        Span before = notebook_trim(span(code.at, function.at));
        if (before.length) put_fenced(out, "c", before);
        fputs("<details><summary>", out);
        put_summary(out, notebook, page, function, name);
        fputs("</summary>\n\n", out);
        put_fenced(out, "c", function);
        fputs("</details>\n\n", out);
        code = notebook_trim(span(function.at + function.length, end));
    }
    if (code.length) put_fenced(out, "c", code);
}

// "Figure 9.2."
static void put_number(FILE *out, const Page *page, const Output *figure)
{
    const Span number = number_of(page);
    fprintf(out, "Figure %.*s.%d.", (int)number.length, number.at, figure->number);
}

// "**Figure 9.2.** *The caption*"
static void put_caption(FILE *out, const Page *page, const Output *figure)
{
    fputs("**", out);
    put_number(out, page, figure);
    fputs("**", out);
    if (!figure->text.length) return;
    fputs(" *", out);
    put_escaped(out, figure->text);
    fputc('*', out);
}

static void put_figure(FILE *out, const Page *page, const Output *output)
{
    fputs("![", out);
    put_number(out, page, output);
    fputc(' ', out);
    put_escaped(out, output->text.length ? output->text : output->figure);
    fprintf(out, "](../../figures/%s/%.*s)\n\n", page->folder, (int)output->figure.length, output->figure.at);
    put_caption(out, page, output);
    fputs("\n\n", out);
}

// Text in which the mentions of other chapters are links. Mentions that were passed are left behind.
static void put_prose(FILE *out, const Page *page, const Mention **mentions, Span text)
{
    const char *end = text.at + text.length;
    for (; *mentions && (*mentions)->words.at < end; *mentions = (*mentions)->next) {
        Span words = (*mentions)->words;
        int chapter = (*mentions)->chapter;
        if (!page->chapters[chapter] || chapter == notebook_chapter_of(page->folder)) continue;
        put(out, span(text.at, words.at));
        fputc('[', out);
        put(out, words);
        fprintf(out, "](../%s/README.md)", page->chapters[chapter]);
        text = span(words.at + words.length, end);
    }
    put(out, text);
    fputs("\n\n", out);
}

static void put_links(FILE *out, const Page *page)
{
    const Span number = number_of(page);
    fprintf(out, "[%s](%s) · run it with `make chapter%.*s`", page->file, page->file, (int)number.length,
            number.at);
    fprintf(out, page->exercise ? " · [exercise.c](exercise.c)\n\n" : "\n\n");
}

static void put_navigation(FILE *out, const Page *page)
{
    fputs("---\n\n", out);
    if (page->previous) fprintf(out, "← [%s](../%s/README.md) · ", page->previous_title, page->previous);
    fputs("[contents](../../README.md)", out);
    if (page->next) fprintf(out, " · [%s](../%s/README.md) →", page->next_title, page->next);
    fputc('\n', out);
}

void notebook_put_cell(FILE *out, const Notebook *notebook, const Page *page, const Mention **mentions,
                       const Cell *cell)
{
    Span text = cell->text, heading;
    if (cell == notebook->cells) { // the links stand right below the title
        notebook_line(&text, &heading);
        put(out, heading);
        fputs("\n\n", out);
        put_links(out, page);
        text = notebook_trim(text);
    }
    if (cell->kind == CELL_CODE) {
        put_code(out, notebook, page, text);
    } else if (text.length) {
        put_prose(out, page, mentions, text);
    }
    for (const Output *output = cell->outputs; output; output = output->next) {
        if (output->kind == OUTPUT_FIGURE) put_figure(out, page, output);
        if (output->kind == OUTPUT_TEXT) put_fenced(out, "text", output->text);
    }
}

void notebook_markdown(const Notebook *notebook, const Page *page, FILE *out)
{
    fprintf(out,
            "<!-- Generated from %s and its output: do not edit. Edit %s, then run `make weave`. -->\n\n",
            page->file, page->file);
    const Mention *mentions = notebook->mentions;
    for (const Cell *cell = notebook->cells; cell; cell = cell->next)
        notebook_put_cell(out, notebook, page, &mentions, cell);
    put_navigation(out, page);
}

// ---- Jupyter -------------------------------------------------------------------------------------------------------

static bool starts(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

// Text as a list of strings, one a line, each but perhaps the last with its newline.
static void put_json_lines(FILE *out, Span text)
{
    Span line;
    fputc('[', out);
    for (const char *comma = ""; notebook_line(&text, &line); comma = ",") {
        fprintf(out, "%s\n    \"", comma);
        json_write_characters(out, line.at, line.length);
        fputs(text.length ? "\\n\"" : "\"", out);
    }
    fputs("]", out);
}

static void put_base64(FILE *out, Span bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *b = (const unsigned char *)bytes.at;
    for (size_t i = 0; i < bytes.length; i += 3) {
        size_t count = bytes.length - i < 3 ? bytes.length - i : 3;
        uint32_t group =
            (uint32_t)b[i] << 16 | (count > 1 ? (uint32_t)b[i + 1] << 8 : 0) | (count > 2 ? b[i + 2] : 0);
        for (size_t j = 0; j < 4; j++) fputc(j <= count ? digits[group >> (18 - 6 * j) & 63] : '=', out);
    }
}

// Jupyter shows the picture alone, so that the caption is an output of its own.
static void put_json_caption(FILE *out, const Page *page, const Output *output)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *caption = open_memstream(&bytes, &length);
    check(caption, "free some memory", "no memory for a caption");
    put_caption(caption, page, output);
    check(fclose(caption) == 0, "free some memory", "no memory for a caption");
    fputs("{\"output_type\": \"display_data\", \"metadata\": {}, \"data\": {\"text/markdown\": ", out);
    put_json_lines(out, (Span){bytes, length});
    fputs("}}", out);
    free(bytes);
}

static void put_json_figure(Arena *arena, FILE *out, const Page *page, const char *figures,
                            const Output *output)
{
    size_t room = strlen(figures) + output->figure.length + 2;
    char *path = arena_alloc(arena, room, 1);
    snprintf(path, room, "%s/%.*s", figures, (int)output->figure.length, output->figure.at);
    Span bytes = notebook_bytes(arena, path, "run the chapter first, with gnuplot installed");
    fputs("{\"output_type\": \"display_data\", \"metadata\": {}, \"data\": {", out);
    if (strcmp(path + room - 5, ".svg") == 0) {
        Document drawing = notebook_text(arena, path, bytes.at, bytes.length);
        fputs("\"image/svg+xml\": ", out);
        put_json_lines(out, (Span){drawing.bytes, drawing.length});
    } else {
        fputs("\"image/png\": \"", out);
        put_base64(out, bytes);
        fputc('"', out);
    }
    Span words = output->text.length ? output->text : output->figure;
    fputs(", \"text/plain\": \"", out);
    put_number(out, page, output);
    fputc(' ', out);
    json_write_characters(out, words.at, words.length);
    fputs("\"}},\n    ", out);
    put_json_caption(out, page, output);
}

static void put_json_output(Arena *arena, FILE *out, const Page *page, const char *figures,
                            const Output *output)
{
    if (output->kind == OUTPUT_FIGURE) {
        put_json_figure(arena, out, page, figures, output);
        return;
    }
    fputs("{\"output_type\": \"stream\", \"name\": \"stdout\", \"text\": ", out);
    put_json_lines(out, output->text);
    fputc('}', out);
}

// Prose with its links as they are among notebooks: ../07-autograd/README.md is 07-autograd.ipynb there.
static void put_json_prose(FILE *out, const Page *page, const Mention **mentions, Span prose)
{
    static const char up[] = "](../", down[] = "/README.md";
    char *bytes = NULL, *linked = NULL;
    size_t length = 0, linked_length = 0;
    FILE *text = open_memstream(&bytes, &length);
    check(text, "free some memory", "no memory for a text cell");
    put_prose(text, page, mentions, prose);
    check(fclose(text) == 0, "free some memory", "no memory for a text cell");
    FILE *links = open_memstream(&linked, &linked_length);
    check(links, "free some memory", "no memory for a text cell");
    for (const char *at = bytes, *end = bytes + length; at < end;) {
        const char *name = at + strlen(up);
        size_t digits = starts(at, up) ? strspn(name, "0123456789") : 0;
        size_t whole = digits ? strcspn(name, "/)\n ") : 0;
        if (whole && starts(name + whole, down)) {
            fprintf(links, "](%.*s.ipynb", (int)whole, name);
            at = name + whole + strlen(down);
        } else {
            fputc(*at++, links);
        }
    }
    check(fclose(links) == 0, "free some memory", "no memory for a text cell");
    put_json_lines(out, notebook_trim((Span){linked, linked_length}));
    free(bytes), free(linked);
}

void notebook_jupyter(Arena *arena, const Notebook *notebook, const Page *page, const char *figures,
                      FILE *out)
{
    int number = 0;
    const Mention *mentions = notebook->mentions;
    // The kernel is common/tools/kernel/kernel.py; it is known by this name.
    fputs("{\n \"nbformat\": 4, \"nbformat_minor\": 5,\n \"metadata\": {\"kernelspec\": {\"name\": "
          "\"gentle-walk\","
          " \"display_name\": \"C, as the chapters\", \"language\": \"c\"},\n  \"language_info\": {\"name\": "
          "\"c\","
          " \"file_extension\": \".c\", \"mimetype\": \"text/x-csrc\"},\n  \"title\": \"",
          out);
    json_write_characters(out, notebook->title.at, notebook->title.length);
    fputs("\"},\n \"cells\": [", out);
    for (const Cell *cell = notebook->cells; cell; cell = cell->next) {
        fprintf(out, "%s\n  {\"cell_type\": \"%s\", \"id\": \"cell-%d\", \"metadata\": {},\n   \"source\": ",
                number ? "," : "", cell->kind == CELL_CODE ? "code" : "markdown", number);
        number++;
        if (cell->kind == CELL_CODE)
            put_json_lines(out, cell->text);
        else
            put_json_prose(out, page, &mentions, cell->text);
        if (cell->kind == CELL_CODE) {
            fputs(",\n   \"execution_count\": null, \"outputs\": [", out);
            for (const Output *output = cell->outputs; output; output = output->next) {
                put_json_output(arena, out, page, figures, output);
                if (output->next) fputs(",\n    ", out);
            }
            fputc(']', out);
        }
        fputc('}', out);
    }
    fputs("\n ]\n}\n", out);
}
