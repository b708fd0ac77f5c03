// scan.c: see scan.h. A small reader of C's words: comments, strings and directives, after trigraphs and
// joined lines.
#include "tests/grader/scan.h"

#include <ctype.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char assembler[] = "assembly language is not allowed: an exercise is written in C";

// Words that no exercise needs. They cannot change a grade, but they show what somebody tried.
static const char *const odd_words[] = {"constructor",
                                        "destructor",
                                        "no_sanitize",
                                        "no_sanitize_undefined",
                                        "no_sanitize_address",
                                        "no_stack_protector",
                                        "optimize",
                                        "naked",
                                        "section",
                                        "syscall",
                                        "fork",
                                        "vfork",
                                        "execve",
                                        "execl",
                                        "ptrace",
                                        "mprotect",
                                        "setpgid",
                                        "setsid",
                                        "kill",
                                        "raise",
                                        "signal",
                                        "sigaction",
                                        "_exit",
                                        "exit",
                                        "quick_exit",
                                        "abort",
                                        "socket",
                                        "getppid",
                                        "dlopen",
                                        "dlsym",
                                        "ifunc",
                                        "alias",
                                        "prctl",
                                        "setrlimit",
                                        "longjmp",
                                        "atexit",
                                        "on_exit",
                                        "fopen",
                                        "open",
                                        "openat",
                                        "popen",
                                        "system",
                                        "getenv",
                                        "setenv",
                                        "__libc_start_main",
                                        "main",
                                        "process_vm_writev",
                                        "not_written",
                                        "WIRE_REPLY",
                                        "worker_fault",
                                        "write",
                                        "read",
                                        "dup2",
                                        "mmap",
                                        "fesetround",
                                        "ck_assert_msg"};

static bool is_assembler(const char *word)
{
    return strcmp(word, "asm") == 0 || strcmp(word, "__asm") == 0 || strcmp(word, "__asm__") == 0;
}

static bool word_letter(int c) { return isalnum(c) || c == '_' || c == '$'; }

static void add_flag(char *flags, size_t size, const char *word)
{
    size_t used = strlen(flags);
    char quoted[80];
    snprintf(quoted, sizeof quoted, "uses %s", word);
    if (!strstr(flags, quoted)) snprintf(flags + used, size - used, "%s%s", used ? "; " : "", quoted);
}

// Trigraphs replaced and lines joined, as the compiler's first two phases do. The result is freed by the
// caller.
static char *joined(const char *source)
{
    static const char third[] = "=/'()!<>-", becomes[] = "#\\^[]|{}~";
    char *text = malloc(strlen(source) + 1), *out = text;
    if (!text) return NULL;
    for (const char *in = source; *in;) {
        char c = *in++;
        const char *place = c == '?' && in[0] == '?' && in[1] ? strchr(third, in[1]) : NULL;
        if (place) {
            c = becomes[place - third];
            in += 2;
        }
        if (c == '\\') { // blanks between it and the end of the line are allowed by gcc
            const char *end = in;
            while (*end == ' ' || *end == '\t' || *end == '\r' || *end == '\f' || *end == '\v') end++;
            if (*end == '\n') {
                in = end + 1;
                continue;
            }
        }
        *out++ = c;
    }
    *out = '\0';
    return text;
}

static const char *after_comment(const char *at)
{
    if (at[1] == '/') return at + strcspn(at, "\n");
    for (at += 2; *at; at++) // no strstr: under AddressSanitizer it measures the whole rest each time
        if (at[0] == '*' && at[1] == '/') return at + 2;
    return at;
}

// After a string or a character constant; one that does not end ends with its line.
static const char *after_quote(const char *at)
{
    char quote = *at++;
    while (*at && *at != quote && *at != '\n') at += at[0] == '\\' && at[1] ? 2 : 1;
    return *at == quote ? at + 1 : at;
}

static bool starts_comment(const char *at) { return at[0] == '/' && (at[1] == '/' || at[1] == '*'); }

static bool is_directive(const char *at, const char *name)
{
    size_t length = strlen(name);
    return strncmp(at, name, length) == 0 && !word_letter((unsigned char)at[length]);
}

// Why the directive that starts at `at`, after its '#', is refused: it gives other names or numbers to lines,
// or text to the assembler.
static const char *bad_directive(const char *at)
{
    while (*at == ' ' || *at == '\t' || *at == '\f' || *at == '\v' || starts_comment(at))
        at = starts_comment(at) ? after_comment(at) : at + 1;
    if (isdigit((unsigned char)*at) || is_directive(at, "line")) return "#line is not allowed";
    if (is_directive(at, "ident") || is_directive(at, "sccs"))
        return "#ident is not allowed: write a comment";
    return NULL;
}

static const char *scan_words(const char *text, char *flags, size_t size)
{
    bool line_start = true;
    for (const char *at = text; *at;) {
        if (starts_comment(at)) {
            at = after_comment(at);
        } else if (line_start && (*at == '#' || (at[0] == '%' && at[1] == ':'))) {
            at += *at == '#' ? 1 : 2;
            const char *reason = bad_directive(at);
            if (reason) return reason;
            line_start = false;
        } else if (*at == '"' || *at == '\'') {
            at = after_quote(at);
            line_start = false;
        } else if (word_letter((unsigned char)*at)) {
            size_t length = 0;
            while (word_letter((unsigned char)at[length])) length++;
            char word[64];
            snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : sizeof word - 1), at);
            if (is_assembler(word)) return assembler;
            for (size_t i = 0; i < sizeof odd_words / sizeof *odd_words; i++)
                if (strcmp(word, odd_words[i]) == 0) add_flag(flags, size, word);
            at += length;
            line_start = false;
        } else {
            if (*at == '\n')
                line_start = true;
            else if (!isspace((unsigned char)*at))
                line_start = false;
            at++;
        }
    }
    return NULL;
}

const char *scan_source(const char *source, char *flags, size_t flags_size)
{
    char *text = joined(source);
    if (!text) return "no memory";
    const char *reason = scan_words(text, flags, flags_size);
    free(text);
    return reason;
}

static bool below(const char *path, const char *const *folders)
{
    char real[PATH_MAX];
    if (!realpath(path, real)) return false;
    for (int i = 0; folders[i]; i++) {
        size_t length = strlen(folders[i]);
        if (strncmp(real, folders[i], length) == 0 && (real[length] == '/' || real[length] == '\0'))
            return true;
    }
    return false;
}

// Whether a line marker, `# 12 "name" 1`, leads into one of the folders. A name with an escape in it is
// nobody's.
static bool leads_below(const char *marker, size_t length, const char *const *folders)
{
    char name[PATH_MAX];
    const char *start = memchr(marker, '"', length),
               *end = start ? memchr(start + 1, '"', length - (size_t)(start + 1 - marker)) : NULL;
    if (!end || end - start > (ptrdiff_t)sizeof name - 1) return false;
    snprintf(name, sizeof name, "%.*s", (int)(end - start - 1), start + 1);
    return name[0] == '/' && !strchr(name, '\\') && below(name, folders);
}

const char *scan_preprocessed(const char *text, const char *const *folders)
{
    bool own = true;
    for (const char *line = text; *line;) {
        const char *end = line + strcspn(line, "\n");
        if (line[0] == '#' && line[1] == ' ' && isdigit((unsigned char)line[2])) {
            own = !leads_below(line, (size_t)(end - line), folders);
        } else if (own) {
            char *copy = strndup(line, (size_t)(end - line)), flags[1] = "";
            const char *reason = copy ? scan_words(copy, flags, 0) : NULL;
            free(copy);
            if (reason) return reason;
        }
        line = *end ? end + 1 : end;
    }
    return NULL;
}

// The next name of a list in make's language; blanks and '#' in names have a '\' before them, '$' is doubled.
static const char *next_name(const char *at, char *name, size_t size)
{
    size_t used = 0;
    while (isspace((unsigned char)*at) || (at[0] == '\\' && at[1] == '\n')) at++;
    for (; *at && !isspace((unsigned char)*at); at++) {
        if (at[0] == '\\' && at[1] == '\n') break;
        if ((at[0] == '\\' && (at[1] == ' ' || at[1] == '#')) || (at[0] == '$' && at[1] == '$')) at++;
        if (used + 1 < size) name[used++] = *at;
    }
    name[used] = '\0';
    return used ? at : NULL;
}

bool scan_dependencies(const char *list, const char *const *folders, char *name, size_t size)
{
    const char *at = strchr(list, ':');
    if (!at) return false;
    at++;
    while ((at = next_name(at, name, size)))
        if (!below(name, folders)) return true;
    return false;
}
