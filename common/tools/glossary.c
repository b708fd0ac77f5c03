// glossary: the terms of all chapters with their Chinese names, as a table in Markdown on standard output.
//
//     glossary chapters/01-linear-regression/linear_regression.c chapters/…
//
// A term is set in bold in the text, with its Chinese name behind it: **gradient descent** (梯度下降). The table is in
// alphabetical order and links to each term's first use, in the chapters' order. The same English with another Chinese
// name is another term. The links are those of the web book, whose pages `weave --anchors` prepares.
#include "tools/notebook.h"
#include "base/check.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const Term *term;
    Span folder; // "01-linear-regression"
    Span title;  // of that chapter
    int order;
} Entry;

static int compare_terms(const Term *a, const Term *b)
{
    int english = notebook_compare(a->english, b->english);
    return english ? english : notebook_compare(a->chinese, b->chinese);
}

static int compare_entries(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    int difference = compare_terms(x->term, y->term);
    return difference ? difference : x->order - y->order;
}

// "…/01-linear-regression/linear_regression.c" → "01-linear-regression"
static Span folder_of(const char *path)
{
    const char *end = strrchr(path, '/');
    check(end && end > path, "give paths like chapters/NN-name/name.c", "%s is in no folder", path);
    const char *begin = end;
    while (begin > path && begin[-1] != '/') begin--;
    return (Span){begin, (size_t)(end - begin)};
}

static void print_entry(const Entry *entry)
{
    fputs("| ", stdout);
    notebook_term(stdout, entry->term->english);
    printf(" | %.*s | [%d. %.*s](chapters/%.*s/index.html#", (int)entry->term->chinese.length,
           entry->term->chinese.at, atoi(entry->folder.at), (int)entry->title.length, entry->title.at,
           (int)entry->folder.length, entry->folder.at);
    notebook_anchor(stdout, entry->term);
    puts(") |");
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        puts("glossary CHAPTER.c…     prints a page with the terms of the chapters, in English and Chinese");
        return EXIT_SUCCESS;
    }
    Arena *arena = arena_new();
    Notebook **notebooks = arena_alloc(arena, (size_t)argc, sizeof *notebooks);
    size_t count = 0, used = 0;
    for (int i = 1; i < argc; i++) {
        notebooks[i] = notebook_cells(arena, notebook_load(arena, argv[i]));
        for (const Term *term = notebooks[i]->terms; term; term = term->next) count++;
    }
    Entry *entries = arena_alloc(arena, count, sizeof *entries);
    for (int i = 1; i < argc; i++)
        for (const Term *term = notebooks[i]->terms; term; term = term->next)
            entries[used++] = (Entry){term, folder_of(argv[i]), notebooks[i]->title, i};
    qsort(entries, count, sizeof *entries, compare_entries);
    puts("# Glossary\n\nThe terms of the course in English and Chinese (词汇表), each with the chapter that "
         "explains it.\n");
    puts("| term | 中文 | first used in |\n|---|---|---|");
    for (size_t i = 0; i < count; i++) {
        bool repeated = i && !compare_terms(entries[i].term, entries[i - 1].term);
        if (!repeated) print_entry(&entries[i]);
    }
    arena_free(arena);
    check(fflush(stdout) == 0, "is the disk full, the pipe closed?", "cannot write the glossary");
    return EXIT_SUCCESS;
}
