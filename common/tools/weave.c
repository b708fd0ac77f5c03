// weave: turns a chapter's C file and the standard output of its run into a page.
//
//     weave SOURCE.c OUTPUT.txt [-o README.md] [--folder NN-name] [--chapters FOLDER]
//     weave SOURCE.c README.md --jupyter FIGURES [-o chapter.ipynb]
//
// A page is made of the source and of what its run printed, a Jupyter notebook of the source and of the page. Without -o the page goes to standard output. The folder is that of the source when not given; the chapters before and
// after it, for the links at the foot of the page, are looked for in --chapters (default: beside the source's folder).
// A page is written to a temporary name and renamed, so that an error leaves the old page as it was.
//
// What a text cell, a code cell, a section and a figure are is told in common/tools/notebook.h, which does the work.
#include "base/replace.h"
#include "base/check.h"
#include "tools/notebook.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] = "weave SOURCE.c OUTPUT.txt [-o FILE] [--folder NN-name] [--chapters FOLDER], "
                            "or weave SOURCE.c README.md --jupyter FIGURES";

typedef struct {
    const char *source, *output, *page, *folder, *chapters, *figures;
} Options;

static Options read_options(int argc, char **argv)
{
    Options options = {0};
    for (int i = 1; i < argc; i++) {
        const char **value = strcmp(argv[i], "-o") == 0           ? &options.page
                             : strcmp(argv[i], "--folder") == 0   ? &options.folder
                             : strcmp(argv[i], "--chapters") == 0 ? &options.chapters
                             : strcmp(argv[i], "--jupyter") == 0  ? &options.figures
                                                                  : NULL;
        if (value) {
            check(i + 1 < argc, usage, "%s needs a value", argv[i]);
            *value = argv[++i];
        } else if (strcmp(argv[i], "--help") == 0) {
            puts(usage);
            exit(EXIT_SUCCESS);
        } else {
            check(argv[i][0] != '-' && !options.output, usage, "do not know what to do with %s", argv[i]);
            *(options.source ? &options.output : &options.source) = argv[i];
        }
    }
    check(options.output, usage, "two files are needed");
    return options;
}

__attribute__((format(printf, 2, 3))) static char *format(Arena *arena, const char *pattern, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, pattern);
    check(vasprintf(&text, pattern, arguments) >= 0, "free some memory", "no memory for a name");
    va_end(arguments);
    char *copy = arena_string(arena, text);
    free(text);
    return copy;
}

// "a/b/c" → "a/b"; "c" → ".".
static char *folder_of(Arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? format(arena, "%.*s", (int)(slash - path), path) : arena_string(arena, ".");
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool exists(const char *path) { return access(path, R_OK) == 0; }

// "NN-name", with two digits or more and a name; "A-name" is a chapter of the appendix.
static bool is_chapter(const char *folder)
{
    size_t digits = strspn(folder, "0123456789");
    if (digits == 0 && notebook_is_letter(folder[0])) return folder[1] == '-' && folder[2];
    return digits >= 2 && folder[digits] == '-' && folder[digits + 1];
}

// The C file of chapters/10-cnn is chapters/10-cnn/cnn.c; dashes in the name become underscores.
static char *source_of(Arena *arena, const char *chapters, const char *folder)
{
    char *name = arena_string(arena, strchr(folder, '-') + 1);
    for (char *c = name; *c; c++)
        if (*c == '-') *c = '_';
    return format(arena, "%s/%s/%s.c", chapters, folder, name);
}

// The title of a neighbouring chapter, fit to stand in a link.
static char *title_of(Arena *arena, const char *path)
{
    Span title = notebook_cells(arena, notebook_load(arena, path))->title;
    return format(arena, "%.*s", (int)title.length, title.at);
}

// Of two folders with one number the alphabetically first is the chapter, so that the order of the folder makes no difference.
static void add_chapter(Page *page, const char *name)
{
    const int number = notebook_chapter_of(name);
    if (number < 0) return;
    const char **place = &page->chapters[number];
    if (!*place || strcmp(name, *place) < 0) *place = name;
}

// The chapters that have their C file: by number, and the nearest before and after this one.
static void find_chapters(Arena *arena, Page *page, const char *chapters)
{
    DIR *folder = opendir(chapters);
    check(folder, "give the folder of all chapters with --chapters", "cannot read %s: %s", chapters,
          strerror(errno));
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (!is_chapter(entry->d_name) || !exists(source_of(arena, chapters, entry->d_name))) continue;
        const char *name = arena_string(arena, entry->d_name);
        add_chapter(page, name);
        int order = strcmp(name, page->folder);
        const char **place = order < 0 ? &page->previous : &page->next;
        bool nearer = !*place || (order < 0 ? strcmp(name, *place) > 0 : strcmp(name, *place) < 0);
        if (order && nearer) *place = name;
    }
    closedir(folder);
    if (page->previous) page->previous_title = title_of(arena, source_of(arena, chapters, page->previous));
    if (page->next) page->next_title = title_of(arena, source_of(arena, chapters, page->next));
}

static Page describe(Arena *arena, const Options *options)
{
    const char *folder = folder_of(arena, options->source);
    char *full = realpath(folder, NULL);
    check(full, usage, "cannot find the folder of %s: %s", options->source, strerror(errno));
    Page page = {.file = name_of(options->source)};
    page.folder = options->folder ? options->folder : arena_string(arena, name_of(full));
    free(full);
    check(is_chapter(page.folder), "chapters live in chapters/NN-name or A-name; or give --folder NN-name",
          "%s is not the folder of a chapter", page.folder);
    page.exercise = exists(format(arena, "%s/exercise.c", folder));
    find_chapters(arena, &page, options->chapters ? options->chapters : format(arena, "%s/..", folder));
    return page;
}

// Writes the whole file or nothing.
static void save(const char *path, const char *bytes, size_t length)
{
    Place place = {path, 1};
    Replacement file;
    replace_begin_at(place, &file, path);
    fwrite(bytes, 1, length, file.stream);
    replace_finish_at(place, &file);
}

int main(int argc, char **argv)
{
    Options options = read_options(argc, argv);
    Arena *arena = arena_new();
    Document source = notebook_load(arena, options.source), printed = notebook_load(arena, options.output);
    Page about = describe(arena, &options);
    Notebook *notebook = options.figures ? notebook_read(arena, source, printed, &about)
                                         : notebook_weave(arena, source, printed);
    char *bytes = NULL;
    size_t length = 0;
    FILE *page = open_memstream(&bytes, &length);
    check(page, "free some memory", "no memory for the page");
    if (options.figures)
        notebook_jupyter(arena, notebook, &about, options.figures, page);
    else
        notebook_markdown(notebook, &about, page);
    check(fclose(page) == 0, "free some memory", "no memory for the page");
    if (options.page)
        save(options.page, bytes, length);
    else
        check(fwrite(bytes, 1, length, stdout) == length && fflush(stdout) == 0,
              "is the disk full, the pipe closed?", "cannot write the page: %s", strerror(errno));
    free(bytes);
    arena_free(arena);
    return EXIT_SUCCESS;
}
