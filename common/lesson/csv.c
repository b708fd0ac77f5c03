#include "lesson/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- Messages --------------------------------------------------------------------------------------------------------

// A piece of a hostile file as it may be shown on a terminal: short, without control characters. Static storage, four
// may be in use at once.
static const char *shown(const char *cell)
{
    static char texts[4][64];
    static unsigned turn;
    char *text = texts[turn++ % 4];
    size_t used = 0;
    for (; *cell && used < 40; cell++)
        text[used++] = (unsigned char)*cell < 0x20 || *cell == 0x7F ? '?' : *cell;
    while (*cell && used && ((unsigned char)*cell & 0xC0) == 0x80) { // do not cut a character in two
        used--;
        if (((unsigned char)text[used] & 0xC0) != 0x80) break;
    }
    strcpy(text + used, *cell ? "…" : "");
    return text;
}

// The hint of a message about the file: what to do, and who asked for the file.
static const char *with_caller(const char *hint, Place caller)
{
    static char text[256];
    snprintf(text, sizeof text, "%s (read by %s:%d)", hint, caller.file, caller.line);
    return text;
}

// How to come by a file that is not there.
static const char *remedy(const char *path)
{
    static char text[256];
    static const char cache[] = "datasets/cache/";
    const char *inside = strstr(path, cache);
    if (inside && inside[strlen(cache)]) {
        inside += strlen(cache);
        snprintf(text, sizeof text, "type `make data DATA=%.*s`, which brings it", (int)strcspn(inside, "/"),
                 inside);
        return text;
    }
    if (strncmp(path, "datasets/", strlen("datasets/")) == 0)
        return "it is shipped with the course: run from the course's folder, as `make chapter1` does, or "
               "bring it "
               "back with `git checkout datasets`";
    return "is the path right? `make data` brings the course's own data";
}

// ---- The file --------------------------------------------------------------------------------------------------------

typedef struct {
    Place caller;
    const char *path;
    char *bytes;
    size_t length;
} File;

noreturn static void stop(const File *file, int line, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
noreturn static void stop(const File *file, int line, const char *hint, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    die_at((Place){file->path, line}, with_caller(hint, file->caller), "%s", message);
}

// Opens a regular file and tells its length, which is at least 1 and at most CSV_MAX_BYTES.
static int open_file(File *file)
{
    int descriptor =
        open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a named pipe must not make us wait
    struct stat about;
    check_at(file->caller, descriptor >= 0 && fstat(descriptor, &about) == 0,
             errno == ENOENT || errno == ENOTDIR ? remedy(file->path) : NULL, "%s: %s", file->path,
             strerror(errno));
    check_at(file->caller, S_ISREG(about.st_mode), "name a file with comma-separated values", "%s is %s",
             file->path, S_ISDIR(about.st_mode) ? "a folder, not a file" : "not a regular file");
    check_at(file->caller, about.st_size > 0, "its first line should name the columns", "%s is empty",
             file->path);
    check_at(file->caller, about.st_size <= CSV_MAX_BYTES, "is it the right file?",
             "%s has %lld bytes; a table may have %d", file->path, (long long)about.st_size, CSV_MAX_BYTES);
    file->length = (size_t)about.st_size;
    return descriptor;
}

static void read_bytes(Arena *arena, File *file)
{
    int descriptor = open_file(file);
    file->bytes = arena_alloc_at(file->caller, arena, file->length + 1, 1);
    for (size_t have = 0; have < file->length;) {
        ssize_t got = read(descriptor, file->bytes + have, file->length - have);
        if (got < 0 && errno == EINTR) continue;
        check_at(file->caller, got >= 0, NULL, "%s: %s", file->path, strerror(errno));
        check_at(file->caller, got > 0, "is another program writing it? Try again",
                 "%s became shorter while it was read", file->path);
        have += (size_t)got;
    }
    close(descriptor);
    file->bytes[file->length] = '\0';
}

// After this, a zero byte is the end of the file.
static void refuse_zero_bytes(const File *file)
{
    const char *zero = memchr(file->bytes, '\0', file->length);
    if (!zero) return;
    int line = 1;
    for (const char *at = file->bytes; at < zero; at++) line += *at == '\n';
    stop(file, line, "this is no text: is it compressed, or damaged?", "a zero byte");
}

// ---- Cells -----------------------------------------------------------------------------------------------------------

typedef enum { CELL_FOLLOWS, LINE_ENDS, FILE_ENDS } After;

// Walks through a file cell by cell. Cells are ended by a zero byte and freed of their quotes, in place.
typedef struct {
    const File *file;
    char *at;
    int line; // the line of at
} Reader;

// What follows a cell; steps over it.
static After step_over_end(Reader *reader)
{
    char *at = reader->at;
    if (*at == ',') {
        reader->at++;
        return CELL_FOLLOWS;
    }
    if (*at == '\r' && at[1] == '\n') at++;
    if (*at == '\n') {
        reader->at = at + 1;
        reader->line++;
        return at[1] ? LINE_ENDS : FILE_ENDS;
    }
    if (*at == '\0') return FILE_ENDS;
    if (*at == '\r')
        stop(reader->file, reader->line, "a line ends with a newline, or a carriage return and a newline",
             "a carriage return within a line");
    stop(reader->file, reader->line,
         "a cell with quotes is quoted as a whole, and its own quotes are doubled: \"a \"\"b\"\"\"",
         "a quote in the wrong place");
}

// A cell that began with a quote: copies it over the quote without the outer quotes, and one of each doubled pair.
static char *read_quoted(Reader *reader, char **end)
{
    char *cell = reader->at, *to = cell, *from = cell + 1;
    int first_line = reader->line;
    for (;; from++) {
        if (*from == '\0')
            stop(reader->file, first_line, "close it with another \"", "a quote is opened and never closed");
        if (*from == '"' && from[1] != '"') break;
        if (*from == '"') from++;
        reader->line += *from == '\n';
        *to++ = *from;
    }
    reader->at = from + 1;
    *end = to;
    return cell;
}

static char *read_cell(Reader *reader, After *after)
{
    char *cell = reader->at, *end;
    if (*cell == '"') {
        read_quoted(reader, &end);
    } else {
        reader->at += strcspn(cell, ",\r\n\"");
        end = reader->at;
    }
    *after = step_over_end(reader);
    *end = '\0';
    return cell;
}

// ---- The header ------------------------------------------------------------------------------------------------------

// At most this many cells are in the line that begins here: commas in quotes count too.
static size_t commas_in_line(const char *at)
{
    size_t commas = 0;
    bool quoted = false;
    for (; *at && (quoted || *at != '\n'); at++) {
        quoted ^= *at == '"';
        commas += *at == ',';
    }
    return commas;
}

typedef struct {
    const char *name;
    int column;
} Named;

static int by_name(const void *a, const void *b)
{
    const Named *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order ? order : (left->column > right->column) - (left->column < right->column);
}

static void refuse_repeated_names(Arena *arena, const File *file, const Csv *table)
{
    ArenaMark mark = arena_mark(arena);
    Named *sorted = arena_alloc_at(file->caller, arena, (size_t)table->cols, sizeof *sorted);
    for (int j = 0; j < table->cols; j++) sorted[j] = (Named){table->names[j], j};
    qsort(sorted, (size_t)table->cols, sizeof *sorted, by_name);
    for (int j = 1; j < table->cols; j++) {
        if (strcmp(sorted[j - 1].name, sorted[j].name) == 0)
            stop(file, 1, "give each column a name of its own", "columns %d and %d are both named '%s'",
                 sorted[j - 1].column + 1, sorted[j].column + 1, shown(sorted[j].name));
    }
    arena_rewind(arena, mark);
}

static void read_header(Arena *arena, Reader *reader, Csv *table)
{
    const File *file = reader->file;
    size_t most = commas_in_line(reader->at) + 1;
    if (most > CSV_MAX_COLUMNS)
        stop(file, 1, "is it the right file?", "more than %d columns", CSV_MAX_COLUMNS);
    table->names = arena_alloc_at(file->caller, arena, most, sizeof *table->names);
    After after = CELL_FOLLOWS;
    while (after == CELL_FOLLOWS) {
        char *name = read_cell(reader, &after);
        if (!*name)
            stop(file, 1, "the first line names the columns", "column %d has no name", table->cols + 1);
        table->names[table->cols++] = name;
    }
    refuse_repeated_names(arena, file, table);
    if (after == FILE_ENDS) stop(file, 1, "below the names there should be numbers", "there are no rows");
}

// ---- The rows --------------------------------------------------------------------------------------------------------

static void read_row(Reader *reader, Csv *table, char **cells, int row, After *after)
{
    const File *file = reader->file;
    int line = reader->line, count = 0;
    if (table->cols > 1 && (*reader->at == '\n' || *reader->at == '\r'))
        stop(file, line, "delete it", "an empty line");
    table->lines[row] = line;
    *after = CELL_FOLLOWS;
    while (*after == CELL_FOLLOWS) {
        char *cell = read_cell(reader, after);
        if (count == table->cols)
            stop(file, line, "is there a comma too many, or one that should be in quotes?",
                 "more than %d cells; the first line names %d columns", table->cols, table->cols);
        cells[count++] = cell;
    }
    if (count < table->cols)
        stop(file, line, "give each column a cell, even if it is empty",
             "%d cells; the first line names %d columns", count, table->cols);
}

static void read_rows(Arena *arena, Reader *reader, Csv *table)
{
    const File *file = reader->file;
    size_t lines = 1; // no fewer than there are rows
    for (const char *at = reader->at; (at = strchr(at, '\n')) != NULL && at[1]; at++) lines++;
    if (lines > CSV_MAX_ROWS) stop(file, 1, "is it the right file?", "more than %d rows", CSV_MAX_ROWS);
    if (lines > (size_t)CSV_MAX_CELLS / (size_t)table->cols)
        stop(file, 1, "is it the right file?", "more than %d cells: %zu lines of %d", CSV_MAX_CELLS, lines,
             table->cols);
    table->lines = arena_alloc_at(file->caller, arena, lines, sizeof *table->lines);
    table->cells = arena_alloc_at(file->caller, arena, lines * (size_t)table->cols, sizeof *table->cells);
    After after = LINE_ENDS;
    for (; after != FILE_ENDS; table->rows++)
        read_row(reader, table, table->cells + (size_t)table->rows * (size_t)table->cols, table->rows,
                 &after);
}

Csv csv_read_at(Place place, Arena *arena, const char *path)
{
    File file = {.caller = place, .path = arena_string(arena, path)};
    read_bytes(arena, &file);
    refuse_zero_bytes(&file);
    Csv table = {.path = file.path};
    Reader reader = {&file, file.bytes, 1};
    if (strncmp(reader.at, "\xEF\xBB\xBF", 3) == 0) reader.at += 3; // the byte order mark of spreadsheets
    read_header(arena, &reader, &table);
    read_rows(arena, &reader, &table);
    return table;
}

// ---- Columns ---------------------------------------------------------------------------------------------------------

int csv_column_at(Place place, Csv table, const char *name)
{
    for (int j = 0; j < table.cols; j++)
        if (strcmp(table.names[j], name) == 0) return j;

    char names[512] = "";
    size_t used = 0;
    for (int j = 0; j < table.cols && used < sizeof names - 100; j++)
        used +=
            (size_t)snprintf(names + used, sizeof names - used, "%s%s", j ? ", " : "", shown(table.names[j]));
    bool all = used < sizeof names - 100;
    char hint[600];
    snprintf(hint, sizeof hint, "there are: %s%s", names, all ? "" : ", …");
    die_at(place, hint, "%s has no column '%s'", table.path, shown(name));
}

// [+-] digits [. digits] [e [+-] digits], with a digit before or after the point: no blanks, no names, no hexadecimals.
static bool is_decimal(const char *text, bool *nonzero)
{
    static const char figures[] = "0123456789";
    const char *at = text + (*text == '+' || *text == '-');
    size_t whole = strspn(at, figures), fraction = 0;
    *nonzero = strspn(at, "0.") < strspn(at, "0123456789.");
    at += whole;
    if (*at == '.') fraction = strspn(++at, figures);
    at += fraction;
    if (whole + fraction == 0) return false;
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '+' || *at == '-';
        size_t exponent = strspn(at, figures);
        if (exponent == 0) return false;
        at += exponent;
    }
    return *at == '\0';
}

static float number_in(Place place, Csv table, int row, int column)
{
    const char *cell = csv_cell(table, row, column), *name = shown(table.names[column]);
    Place here = {table.path, table.lines[row]};
    if (!*cell)
        die_at(here, with_caller("a missing value is no number: leave out the row or the column", place),
               "column '%s' is empty", name);
    bool nonzero;
    if (!is_decimal(cell, &nonzero))
        die_at(here, with_caller("write it like 12, -0.5 or 1.5e-3", place),
               "column '%s': '%s' is not a number", name, shown(cell));
    char *end;
    float number = strtof(cell, &end); // rounded correctly, so the same bits with any C library
    check_at(here, *end == '\0', "the program's locale must be \"C\"",
             "column '%s': '%s' is not a number here", name, shown(cell));
    if (!isfinite(number) || (nonzero && number == 0.0f))
        die_at(here, with_caller("choose a unit that keeps it between 1e-45 and 3.4e38", place),
               "column '%s': '%s' does not fit a 32-bit float", name, shown(cell));
    return number;
}

Matrix csv_numbers_at(Place place, Arena *arena, Csv table, const char *first, const char *last)
{
    int from = csv_column_at(place, table, first), to = csv_column_at(place, table, last);
    check_at(place, from <= to, "name the left one first", "%s: column '%s' comes after '%s'", table.path,
             shown(first), shown(last));
    Matrix numbers = matrix_uninitialised_at(place, arena, table.rows, to - from + 1);
    for (int i = 0; i < table.rows; i++)
        for (int j = from; j <= to; j++) AT(numbers, i, j - from) = number_in(place, table, i, j);
    return numbers;
}

// ---- Classes ---------------------------------------------------------------------------------------------------------

enum { MAX_CLASSES = 4096, CLASS_SLOTS = 2 * MAX_CLASSES };

// The slot of a word in a table of slots (class number, or −1 for a free one), by its FNV-1a hash.
static int class_slot(const int *slots, char *const *names, const char *word)
{
    uint32_t hash = 2166136261u;
    for (const char *at = word; *at; at++) hash = (hash ^ (unsigned char)*at) * 16777619u;
    int slot = (int)(hash % CLASS_SLOTS);
    while (slots[slot] >= 0 && strcmp(names[slots[slot]], word) != 0) slot = (slot + 1) % CLASS_SLOTS;
    return slot;
}

int *csv_classes_at(Place place, Arena *arena, Csv table, const char *name, char ***names, int *count)
{
    int column = csv_column_at(place, table, name), slots[CLASS_SLOTS];
    for (int i = 0; i < CLASS_SLOTS; i++) slots[i] = -1;
    int *classes = arena_alloc_at(place, arena, (size_t)table.rows, sizeof *classes);
    *names = arena_alloc_at(place, arena, MAX_CLASSES, sizeof **names);
    *count = 0;
    for (int i = 0; i < table.rows; i++) {
        char *word = table.cells[(size_t)i * (size_t)table.cols + (size_t)column];
        int slot = class_slot(slots, *names, word);
        if (slots[slot] < 0) {
            if (*count == MAX_CLASSES)
                die_at((Place){table.path, table.lines[i]}, with_caller("is it a column of classes?", place),
                       "column '%s' holds more than %d different words", shown(name), MAX_CLASSES);
            slots[slot] = *count;
            (*names)[(*count)++] = word;
        }
        classes[i] = slots[slot];
    }
    return classes;
}
