// check_format.c: are the reports that the grader writes what other systems read?
//
//     check_format gradescope|classroom50|autolab|junit|tap FOLDER       exit status 1, and what is wrong
//
// The rules are those of the systems' own descriptions: gradescope-autograders.readthedocs.io (specs),
// Classroom 50's "result.json contract", Autolab's docs/lab.md and formatted-feedback.md, windyroad's JUnit
// schema, TAP 13.
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn static void wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn static void wrong(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
    putchar('\n');
    exit(1);
}

static void need(bool condition, const char *what)
{
    if (!condition) wrong("%s", what);
}

static char *text_of(const char *folder, const char *name)
{
    static char text[1 << 20];
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) wrong("there is no %s", path);
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    fclose(file);
    need(strlen(text) == length, "a zero byte in the file");
    return text;
}

// Every byte is part of a character in UTF-8, and none is a control character but the end of a line and tab.
static void need_clean(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        int more = *at < 0x80                  ? 0
                   : *at >= 0xC2 && *at < 0xE0 ? 1
                   : *at >= 0xE0 && *at < 0xF0 ? 2
                   : *at >= 0xF0 && *at < 0xF5 ? 3
                                               : -1;
        if (more < 0 || (*at < ' ' && *at != '\n' && *at != '\t')) wrong("the byte 0x%02X", *at);
        for (at++; more > 0; more--, at++) need((*at & 0xC0) == 0x80, "a broken UTF-8 character");
    }
}

// ---- JSON ----------------------------------------------------------------------------------------------

typedef enum { OBJECT, ARRAY, STRING, NUMBER, BOOLEAN } Type;

typedef struct Json {
    Type type;
    char key[200], text[4096];
    double number;
    struct Json *first, *next;
} Json;

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r') at++;
    return at;
}

static const char *read_string(const char *at, char *out, size_t size)
{
    size_t used = 0;
    need(*at++ == '"', "a string must start with a quote");
    while (*at != '"') {
        char c = *at++;
        need((unsigned char)c >= ' ', "a raw control character in a string");
        if (c == '\\') {
            need(*at && strchr("\"\\/bfnrt", *at), "an unknown escape in a string");
            c = *at == 'n' ? '\n' : *at == 't' ? '\t' : *at;
            at++;
        }
        if (used + 1 < size) out[used++] = c;
    }
    out[used] = '\0';
    return at + 1;
}

static const char *read_value(const char *at, Json *value);

static const char *read_members(const char *at, Json *value, bool named)
{
    const char end = named ? '}' : ']';
    Json **link = &value->first;
    at = skip_blanks(at + 1);
    while (*at != end) {
        Json *member = calloc(1, sizeof *member);
        if (!member) wrong("no memory");
        if (named) {
            at = skip_blanks(read_string(at, member->key, sizeof member->key));
            need(*at == ':', "a colon must follow a key");
            at++;
        }
        at = skip_blanks(read_value(at, member));
        *link = member;
        link = &member->next;
        if (*at != ',') break;
        at = skip_blanks(at + 1);
        need(*at != end, "a comma before the end");
    }
    need(*at == end, "an object or array must end");
    return at + 1;
}

static const char *read_value(const char *at, Json *value)
{
    at = skip_blanks(at);
    char *end;
    switch (*at) {
    case '{':
        value->type = OBJECT;
        return read_members(at, value, true);
    case '[':
        value->type = ARRAY;
        return read_members(at, value, false);
    case '"':
        value->type = STRING;
        return read_string(at, value->text, sizeof value->text);
    case 't':
    case 'f':
        value->type = BOOLEAN;
        value->number = *at == 't';
        need(strncmp(at, "true", 4) == 0 || strncmp(at, "false", 5) == 0, "an unknown word");
        return at + (*at == 't' ? 4 : 5);
    default:
        value->type = NUMBER;
        value->number = strtod(at, &end);
        need(end != at && (isdigit((unsigned char)*at) || *at == '-'), "a value that is none");
        return end;
    }
}

static Json *read_json(const char *text)
{
    static Json root;
    need(!*skip_blanks(read_value(text, &root)), "something after the end");
    need(root.type == OBJECT, "the whole must be an object");
    return &root;
}

static const Json *find(const Json *object, const char *key)
{
    for (const Json *member = object->first; member; member = member->next)
        if (strcmp(member->key, key) == 0) return member;
    return NULL;
}

static const Json *member(const Json *object, const char *key, Type type)
{
    const Json *found = find(object, key);
    if (!found) wrong("%s is missing", key);
    if (found->type != type) wrong("%s has the wrong type", key);
    return found;
}

// No keys but those in the list "one two three".
static void only(const Json *object, const char *keys)
{
    for (const Json *m = object->first; m; m = m->next) {
        const char *found = strstr(keys, m->key);
        size_t length = strlen(m->key);
        bool whole = found && (found == keys || found[-1] == ' ') && (found[length] == ' ' || !found[length]);
        if (!whole) wrong("the key %s is unknown", m->key);
    }
}

static void one_of(const Json *value, const char *words)
{
    if (!strstr(words, value->text) || strchr(value->text, ' '))
        wrong("%s: %s is none of: %s", value->key, value->text, words);
}

static bool whole(double number) { return number >= 0 && number == (double)(int)number; }

// ---- The formats ---------------------------------------------------------------------------------------

static void check_gradescope(const char *folder)
{
    const Json *all = read_json(text_of(folder, "results.json"));
    static const char visibilities[] = "hidden after_due_date after_published visible";
    static const char formats[] = "text html simple_format md ansi";
    only(all, "score execution_time output output_format test_output_format test_name_format visibility "
              "stdout_visibility extra_data tests leaderboard");
    double total = 0.0, score = member(all, "score", NUMBER)->number;
    one_of(member(all, "output_format", STRING), formats);
    one_of(member(all, "stdout_visibility", STRING), visibilities);
    for (const Json *test = member(all, "tests", ARRAY)->first; test; test = test->next) {
        only(
            test,
            "score max_score status name name_format number output output_format tags visibility extra_data");
        total += member(test, "score", NUMBER)->number;
        need(member(test, "score", NUMBER)->number <= member(test, "max_score", NUMBER)->number,
             "a score above its most");
        one_of(member(test, "status", STRING), "passed failed");
        one_of(member(test, "output_format", STRING), formats);
        one_of(member(test, "visibility", STRING), visibilities);
        need(member(test, "name", STRING)->text[0] && member(test, "number", STRING)->text[0],
             "a test without a name");
        member(test, "output", STRING);
    }
    need(total == score, "the scores do not add up");
}

static void check_classroom50(const char *folder)
{
    const Json *all = read_json(text_of(folder, "classroom50.json"));
    only(all, "schema classroom assignment owner submission commit release review datetime score "
              "max-score tests");
    need(strcmp(member(all, "schema", STRING)->text, "classroom50/result/v1") == 0, "the schema's name");
    static const char *const texts[] = {"classroom", "assignment", "owner", "submission",
                                        "commit",    "release",    "review"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) member(all, texts[i], STRING);
    int y, m, d, hour, minute, second, length = 0;
    sscanf(member(all, "datetime", STRING)->text, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &y, &m, &d, &hour, &minute,
           &second, &length);
    need(length == 20, "the datetime");
    double score = 0.0, most = 0.0;
    for (const Json *test = member(all, "tests", ARRAY)->first; test; test = test->next) {
        only(test, "test-name passed score max-score");
        member(test, "test-name", STRING);
        member(test, "passed", BOOLEAN);
        score += member(test, "score", NUMBER)->number;
        most += member(test, "max-score", NUMBER)->number;
        need(whole(member(test, "score", NUMBER)->number), "a score must be an integer");
    }
    need(score == member(all, "score", NUMBER)->number && most == member(all, "max-score", NUMBER)->number,
         "the scores do not add up");
}

static void check_autolab(const char *folder)
{
    char *text = text_of(folder, "autolab.txt"), *last = strchr(text, '\n');
    need(last && last[1], "two lines");
    *last++ = '\0';
    const Json *all = read_json(text);
    need(strcmp(member(all, "_presentation", STRING)->text, "semantic") == 0, "the presentation");
    for (const Json *stage = member(all, "stages", ARRAY)->first; stage; stage = stage->next)
        for (const Json *test = member(all, stage->text, OBJECT)->first; test; test = test->next) {
            only(test, "passed hint");
            member(test, "passed", BOOLEAN);
        }
    char *end = strchr(last, '\n');
    need(end && !end[1], "the scores must be in the last line");
    static Json line;
    need(!*skip_blanks(read_value(last, &line)), "something after the scores");
    only(&line, "scores scoreboard");
    const Json *scores = member(&line, "scores", OBJECT);
    need(scores->first, "no scores");
    for (const Json *problem = scores->first; problem; problem = problem->next)
        need(problem->type == NUMBER && whole(problem->number), "a score must be a number");
}

static int count_of(const char *text, const char *word)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, word)); at += strlen(word)) count++;
    return count;
}

static int number_after(const char *text, const char *word)
{
    const char *at = strstr(text, word);
    if (!at) wrong("%s is missing", word);
    return atoi(at + strlen(word));
}

// Well-formed as far as this file goes: elements closed in order, attributes quoted, '<' and '&' only where
// they belong.
static void need_well_formed(const char *at)
{
    char open[16][40];
    int depth = 0;
    if (strncmp(at, "<?xml", 5) == 0) at = strstr(at, "?>") + 2;
    while (*at) {
        if (*at == '&') {
            need(strspn(at + 1, "#abcdefghijklmnopqrstuvwxyz0123456789") > 0 && strchr(at, ';'),
                 "a lonely &");
            at++;
            continue;
        }
        if (*at++ != '<') continue;
        bool closing = *at == '/';
        at += closing;
        size_t length = strcspn(at, " />\n");
        need(length > 0 && length < 40, "an element without a name");
        if (closing)
            need(depth > 0 && strncmp(open[depth - 1], at, length) == 0 && !open[depth - 1][length],
                 "elements closed out of order");
        else
            need(depth < 16 && snprintf(open[depth], 40, "%.*s", (int)length, at) > 0, "too deep");
        at += length;
        for (at = skip_blanks(at); isalpha((unsigned char)*at); at = skip_blanks(at)) { // attributes
            at += strcspn(at, "=<>");
            need(at[0] == '=' && at[1] == '"', "an attribute without quotes");
            at += 2 + strcspn(at + 2, "\"<");
            need(*at++ == '"', "a < in an attribute");
        }
        bool empty = *at == '/';
        at += empty;
        need(*at++ == '>', "an element must end with >");
        if (closing)
            depth--;
        else if (!empty)
            depth++;
    }
    need(depth == 0, "an element was never closed");
}

static void check_junit(const char *folder)
{
    const char *text = text_of(folder, "junit.xml");
    need_clean(text);
    need_well_formed(text);
    static const char *const attributes[] = {" name=\"",      " package=\"",  " id=\"0",
                                             " timestamp=\"", " hostname=\"", " tests=\"",
                                             " failures=\"",  " errors=\"",   " time=\""};
    const char *suite = strstr(text, "<testsuite ");
    need(suite != NULL, "no testsuite");
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        if (!strstr(suite, attributes[i])) wrong("%s is missing", attributes[i]);
    need(count_of(text, "<testcase ") == number_after(suite, " tests=\""), "the number of tests");
    need(count_of(text, "<failure ") == number_after(suite, " failures=\""), "the number of failures");
    need(count_of(text, "<error ") == number_after(suite, " errors=\""), "the number of errors");
    need(count_of(text, "<skipped/>") == number_after(suite, " skipped=\""), "the number of skipped tests");
    need(count_of(text, " classname=\"") == count_of(text, "<testcase "), "a test without a class");
    const char *properties = strstr(suite, "<properties/>"), *test = strstr(suite, "<testcase "),
               *out = strstr(suite, "<system-out>");
    need(properties && test && out && strstr(out, "<system-err>") && properties < test && test < out,
         "the order of the parts");
}

static void check_tap(const char *folder)
{
    char *text = text_of(folder, "results.tap");
    need_clean(text);
    int planned = 0, seen = 0, length = 0;
    need(sscanf(text, "TAP version 13\n1..%d\n%n", &planned, &length) == 1 && length > 0,
         "the version and the plan come first");
    bool diagnosis = false;
    for (char *line = strtok(text + length, "\n"); line; line = strtok(NULL, "\n")) {
        int number = 0;
        if (strcmp(line, "  ---") == 0)
            diagnosis = true;
        else if (strcmp(line, "  ...") == 0)
            diagnosis = false;
        else if (diagnosis)
            need(strncmp(line, "  ", 2) == 0, "a diagnosis must be indented");
        else {
            const char *rest = strncmp(line, "not ", 4) == 0 ? line + 4 : line;
            need(sscanf(rest, "ok %d - ", &number) == 1 && number == ++seen,
                 "the tests must be numbered in order");
        }
    }
    need(seen == planned && !diagnosis, "not as many tests as planned");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*check)(const char *folder);
    } formats[] = {{"gradescope", check_gradescope},
                   {"classroom50", check_classroom50},
                   {"autolab", check_autolab},
                   {"junit", check_junit},
                   {"tap", check_tap}};
    for (size_t i = 0; argc == 3 && i < sizeof formats / sizeof *formats; i++)
        if (strcmp(argv[1], formats[i].name) == 0) {
            formats[i].check(argv[2]);
            return 0;
        }
    wrong("usage: check_format FORMAT FOLDER");
}
