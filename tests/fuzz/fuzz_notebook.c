// fuzz_notebook.c: a chapter's source and the output of its run, woven as Markdown and as a Jupyter notebook, which must
// be JSON.
#include "fuzz.h"
#include "tools/notebook.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FuzzPart parts[2];
static const char *figures, *source_path;

static Notebook *woven(Arena *arena)
{
    Document source = notebook_load(arena, source_path);
    Document output = notebook_text(arena, "output.txt", (const char *)parts[1].bytes, parts[1].size);
    return notebook_weave(arena, source, output);
}

static void cells(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Notebook *notebook = notebook_cells(arena, notebook_load(arena, source_path));
    for (const Cell *cell = notebook->cells; cell; cell = cell->next)
        fuzz_require(cell->text.length, "an empty cell");
    for (const Mention *mention = notebook->mentions; mention; mention = mention->next)
        fuzz_require(mention->words.length && mention->chapter >= 0 && mention->chapter < NOTEBOOK_CHAPTERS,
                     "a mention of no chapter");
    arena_free(arena);
}

static void markdown(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Page about = {.folder = "01-a", .file = "a.c", .next = "02-b", .next_title = "B"};
    about.chapters[2] = "02-b";
    FILE *out = fopen(fuzz_path("page.md"), "w");
    notebook_markdown(woven(arena), &about, out);
    fclose(out);
    Span bytes = notebook_bytes(arena, fuzz_path("page.md"), "it was written");
    fuzz_require(fuzz_harmless(bytes.at, bytes.length), "a page with control characters, or no UTF-8");
    arena_free(arena);
}

// Any text as a page of this source: it is the page, or it is refused.
static void read_back(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Page about = {.folder = "01-a", .file = "a.c"};
    Document source = notebook_load(arena, source_path);
    notebook_read(arena, source, notebook_text(arena, "page.md", (const char *)parts[1].bytes, parts[1].size),
                  &about);
    arena_free(arena);
}

static void jupyter(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    FILE *out = fopen(fuzz_path("page.ipynb"), "w");
    Page about = {.folder = "01-a"};
    notebook_jupyter(arena, woven(arena), &about, figures, out);
    fclose(out);
    Span bytes = notebook_bytes(arena, fuzz_path("page.ipynb"), "it was written");
    cJSON *json = cJSON_ParseWithLength(bytes.at, bytes.length);
    fuzz_require(json, "the notebook is no JSON");
    cJSON_Delete(json);
    arena_free(arena);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    fuzz_parts(bytes, size, parts, 2);
    source_path = fuzz_file("source.c", parts[0].bytes, parts[0].size);
    fuzz_file("a.png", "\x89PNG", 4);
    figures = fuzz_path("");
    if (!fuzz_try(cells, NULL)) return;
    fuzz_try(read_back, NULL);
    if (!fuzz_try(markdown, NULL)) return;
    fuzz_try(jupyter, NULL);
}
