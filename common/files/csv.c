#include "files/csv.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/name_table.h"
#include "files/text_file.h"

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
    char *bytes;    // a zero byte is its end
    char separator; // ',', ';' or a tab
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

// ---- Cells -----------------------------------------------------------------------------------------------------------

typedef enum { CELL_FOLLOWS, LINE_ENDS, FILE_ENDS } After;

// Walks through a file cell by cell. Cells are ended by a zero byte and freed of their quotes, in place.
typedef struct {
    const File *file;
    char *at;
    int line;      // the line of at
    bool trailing; // lines may end with a separator
} Reader;

// Behind the end of line at this place: LF, CR LF or CR. The same place when there is none.
static char *behind_line_end(char *at)
{
    if (at[0] == '\r' && at[1] == '\n') return at + 2;
    return at[0] == '\r' || at[0] == '\n' ? at + 1 : at;
}

static bool is_space(char c) { return c == ' ' || c == '\t'; }

// Steps over lines without anything, or with blanks only.
static void skip_empty_lines(Reader *reader)
{
    for (;;) {
        char *end = reader->at;
        while (is_space(*end) && *end != reader->file->separator) end++;
        char *next = behind_line_end(end);
        if (next == end && *end) return;
        reader->at = next;
        if (!*next) return;
        reader->line++;
    }
}

// What follows a cell; steps over it.
static After step_over_end(Reader *reader)
{
    char *at = reader->at, *next = behind_line_end(at);
    if (*at == reader->file->separator) {
        reader->at++;
        return CELL_FOLLOWS;
    }
    if (next != at) {
        reader->at = next;
        reader->line++;
        return *next ? LINE_ENDS : FILE_ENDS;
    }
    if (*at == '\0') return FILE_ENDS;
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
        reader->line += *from == '\n' || (*from == '\r' && from[1] != '\n');
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
        const char ends[] = {reader->file->separator, '\r', '\n', '"', '\0'};
        reader->at += strcspn(cell, ends);
        end = reader->at;
    }
    *after = step_over_end(reader);
    *end = '\0';
    return cell;
}

// ---- The header ------------------------------------------------------------------------------------------------------

// How many of these characters are in the line that begins here, outside quotes.
static size_t count_in_line(const char *at, char wanted)
{
    size_t count = 0;
    bool quoted = false;
    for (; *at && (quoted || (*at != '\n' && *at != '\r')); at++) {
        quoted ^= *at == '"';
        count += !quoted && *at == wanted;
    }
    return count;
}

// Commas, else semicolons, else tabs: what the line of names has.
static char separator_of(const char *line)
{
    return count_in_line(line, ',')    ? ','
           : count_in_line(line, ';')  ? ';'
           : count_in_line(line, '\t') ? '\t'
                                       : ',';
}

static char *line_behind(char *at)
{
    at += strcspn(at, "\r\n");
    return behind_line_end(at);
}

// Steps over lines that begin with #. The last of them is the line of names when it has as many cells as the line behind
// it; where all lines begin so, they are no comments.
static void skip_comments(Reader *reader)
{
    const Reader first = *reader;
    Reader last = first;
    while (*reader->at == '#') {
        last = *reader;
        reader->at = line_behind(reader->at);
        reader->line++;
        skip_empty_lines(reader);
    }
    char separator = separator_of(last.at);
    size_t cells = count_in_line(last.at, separator);
    if (!*reader->at)
        *reader = first;
    else if (*last.at == '#' && cells > 0 && cells == count_in_line(reader->at, separator))
        *reader = last;
}

// Steps to the line with the names, and finds out what separates cells.
static void find_header(Reader *reader, File *file)
{
    file->separator = ',';
    skip_empty_lines(reader);
    const char *at = reader->at;
    bool said =
        strncmp(at, "sep=", 4) == 0 && at[4] && strchr(",;\t", at[4]) && (at[5] == '\r' || at[5] == '\n');
    const char separator = said ? at[4] : 0;
    if (said) {
        reader->at = line_behind(reader->at);
        reader->line++;
        skip_empty_lines(reader);
    }
    skip_comments(reader);
    file->separator = separator ? separator : separator_of(reader->at);
    if (!*reader->at)
        die_at(file->caller, "its first line should name the columns", "%s is empty", file->path);
}

// The text without blanks at both ends, which are cut off in place.
static char *trimmed(char *text)
{
    while (is_space(*text)) text++;
    size_t length = strlen(text);
    while (length && is_space(text[length - 1])) length--;
    text[length] = '\0';
    return text;
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

static void refuse_repeated_names(Arena *arena, const File *file, const Csv *table, int line)
{
    ArenaMark mark = arena_mark(arena);
    Named *sorted = arena_alloc_at(file->caller, arena, (size_t)table->cols, sizeof *sorted);
    for (int j = 0; j < table->cols; j++) sorted[j] = (Named){table->names[j], j};
    qsort(sorted, (size_t)table->cols, sizeof *sorted, by_name);
    for (int j = 1; j < table->cols; j++) {
        if (strcmp(sorted[j - 1].name, sorted[j].name) == 0)
            stop(file, line, "give each column a name of its own", "columns %d and %d are both named '%s'",
                 sorted[j - 1].column + 1, sorted[j].column + 1, shown(sorted[j].name));
    }
    arena_rewind(arena, mark);
}

static void read_header(Arena *arena, Reader *reader, Csv *table)
{
    const File *file = reader->file;
    const int line = reader->line;
    size_t most = count_in_line(reader->at, file->separator) + 1;
    if (most > CSV_MAX_COLUMNS)
        stop(file, line, "is it the right file?", "more than %d columns", CSV_MAX_COLUMNS);
    table->names = arena_alloc_at(file->caller, arena, most, sizeof *table->names);
    After after = CELL_FOLLOWS;
    while (after == CELL_FOLLOWS) {
        bool numbered = table->cols == 0 && reader->at[0] == '#' && reader->at[1] == ' ';
        char *name = trimmed(read_cell(reader, &after));
        if (numbered) name = trimmed(name + 1); // "# x,y", as NumPy writes it
        reader->trailing = !*name && after != CELL_FOLLOWS && table->cols > 0;
        if (reader->trailing) break;
        if (!*name)
            stop(file, line, "the first line names the columns", "column %d has no name", table->cols + 1);
        table->names[table->cols++] = name;
    }
    refuse_repeated_names(arena, file, table, line);
    if (table->cols > 1) skip_empty_lines(reader);
    if (after == FILE_ENDS || !*reader->at)
        stop(file, line, "below the names there should be numbers", "there are no rows");
}

// ---- The rows --------------------------------------------------------------------------------------------------------

static void read_row(Reader *reader, Csv *table, char **cells, int row, After *after)
{
    const File *file = reader->file;
    int line = reader->line, count = 0;
    table->lines[row] = line;
    *after = CELL_FOLLOWS;
    while (*after == CELL_FOLLOWS) {
        char *cell = read_cell(reader, after);
        if (count == table->cols && reader->trailing && !*cell && *after != CELL_FOLLOWS) break;
        if (count == table->cols)
            stop(file, line,
                 cells[0][0] == '#' ? "is it a comment? They may stand in front of the names only"
                 : file->separator == ','
                     ? "is there a comma too many, or one that should be in quotes? Decimals "
                       "are written with a point"
                     : "is there a separator too many, or one that should be in quotes?",
                 "more than %d cells; the first line names %d columns", table->cols, table->cols);
        cells[count++] = cell;
    }
    if (count < table->cols)
        stop(file, line,
             cells[0][0] == '#' ? "is it a comment? They may stand in front of the names only"
                                : "give each column a cell, even if it is empty",
             "%d cells; the first line names %d columns", count, table->cols);
    if (table->cols > 1) skip_empty_lines(reader);
    if (!*reader->at) *after = FILE_ENDS;
}

static void read_rows(Arena *arena, Reader *reader, Csv *table)
{
    const File *file = reader->file;
    size_t lines = 1; // no fewer than there are rows
    for (const char *at = reader->at; *(at += strcspn(at, "\r\n")) && at[1]; at++) lines++;
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
    FileBytes bytes = file_read_at(place, arena, path, CSV_MAX_BYTES, remedy(path));
    file.bytes = text_file_checked_at(place, path, bytes).bytes;
    Csv table = {.path = file.path};
    Reader reader = {.file = &file, .at = file.bytes, .line = 1};
    find_header(&reader, &file);
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

// What to do about a cell that is no number.
static const char *number_remedy(const char *cell)
{
    static const char *const missing[] = {"NA",   "N/A", "NaN", "nan", "NULL", "null",
                                          "None", "-",   "?",   ".",   "#N/A"};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (strcmp(cell, missing[i]) == 0)
            return "a missing value is no number: leave out the row or the column";
    if (strspn(cell, "0123456789.,+-eE ") == strlen(cell) && strchr(cell, ','))
        return "write decimals with a point, and thousands without a mark: 1234.5";
    return "write it like 12, -0.5 or 1.5e-3";
}

static float number_in(Place place, Csv table, int row, int column)
{
    const char *name = shown(table.names[column]);
    Place here = {table.path, table.lines[row]};
    char *cell = trimmed(table.cells[(size_t)row * (size_t)table.cols + (size_t)column]);
    if (!*cell)
        die_at(here, with_caller("a missing value is no number: leave out the row or the column", place),
               "column '%s' is empty", name);
    bool nonzero;
    if (!is_decimal(cell, &nonzero))
        die_at(here, with_caller(number_remedy(cell), place), "column '%s': '%s' is not a number", name,
               shown(cell));
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

enum { MAX_CLASSES = 4096 };

int *csv_classes_at(Place place, Arena *arena, Csv table, const char *name, char ***names, int *count)
{
    int column = csv_column_at(place, table, name);
    int *classes = arena_alloc_at(place, arena, (size_t)table.rows, sizeof *classes);
    *names = arena_alloc_at(place, arena, MAX_CLASSES, sizeof **names);
    *count = 0;
    Arena *scratch = arena_new();
    NameTable known = name_table_new(scratch, MAX_CLASSES);
    for (int i = 0; i < table.rows; i++) {
        char *word = trimmed(table.cells[(size_t)i * (size_t)table.cols + (size_t)column]);
        classes[i] = name_table_find(&known, *names, word);
        if (classes[i] >= 0) continue;
        if (*count == MAX_CLASSES)
            die_at((Place){table.path, table.lines[i]}, with_caller("is it a column of classes?", place),
                   "column '%s' holds more than %d different words", shown(name), MAX_CLASSES);
        classes[i] = *count;
        (*names)[*count] = word;
        name_table_put(&known, *names, (*count)++);
    }
    arena_free(scratch);
    return classes;
}
