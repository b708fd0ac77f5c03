// report.c: see report.h.
#include "report.h"
#include "base/replace.h"
#include "harmless.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// ---- Text made safe ------------------------------------------------------------------------------------
// What a student's program or a compiler has said may be any bytes, cut anywhere. Every report is UTF-8: what
// is none, and what harmless.h knows as harmful, becomes U+FFFD, the replacement character.

typedef const char *Escape(char c); // what stands for this character; NULL: itself

static void put_safe(FILE *file, const char *text, Escape *escape)
{
    uint32_t before = 0;
    for (uint32_t c; (c = harmless_next(&text, &before)) != 0;) {
        const char *other = c < 0x80 ? escape((char)c) : NULL;
        char bytes[4];
        if (other)
            fputs(other, file);
        else
            fwrite(bytes, 1, (size_t)utf8_encode(bytes, c), file);
    }
}

static const char *json_escape(char c)
{
    return c == '"' ? "\\\"" : c == '\\' ? "\\\\" : c == '\n' ? "\\n" : c == '\t' ? "\\t" : NULL;
}
static const char *xml_escape(char c)
{
    return c == '&'    ? "&amp;"
           : c == '<'  ? "&lt;"
           : c == '>'  ? "&gt;"
           : c == '"'  ? "&quot;"
           : c == '\n' ? "&#10;"
           : c == '\t' ? "&#9;"
                       : NULL;
}
static const char *quoted_escape(char c) { return c == '\n' || c == '\t' ? " " : c == '\'' ? "''" : NULL; }
static const char *cell_escape(char c) { return c == '"' ? "\"\"" : c == '\n' || c == '\t' ? " " : NULL; }
static const char *text_escape(char c)
{
    (void)c;
    return NULL;
}
static const char *line_escape(char c) { return c == '\n' || c == '\t' ? " " : NULL; }
static const char *block_escape(char c) { return c == '\n' ? "\n    " : NULL; }
static const char *markdown_escape(char c)
{
    static const char *const with[] = {"\\|", "\\<", "\\`", "\\*", "\\[", "\\_", "\\!", "\\&"};
    const char *place = c ? strchr("|<`*[_!&", c) : NULL;
    return place ? with[place - "|<`*[_!&"] : c == '\n' ? " " : NULL;
}

void put_json(FILE *file, const char *text) { put_safe(file, text, json_escape); }
static void put_xml(FILE *file, const char *text) { put_safe(file, text, xml_escape); }
static void put_quoted(FILE *file, const char *text) { put_safe(file, text, quoted_escape); }
void put_markdown(FILE *file, const char *text) { put_safe(file, text, markdown_escape); }
void put_text(FILE *file, const char *text) { put_safe(file, text, text_escape); }
void put_line(FILE *file, const char *text) { put_safe(file, text, line_escape); }

// What spreadsheets take for the beginning of a formula, behind blanks too, and in the wide forms of East
// Asia.
static bool begins_formula(const char *text)
{
    uint32_t c;
    do c = utf8_next(&text);
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0xA0 || c == 0x3000 || c == 0xFEFF);
    if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFF01 - '!';
    return c == '=' || c == '+' || c == '-' || c == '@' || c == '|' || c == '%' || c == 0x2212;
}

void put_cell(FILE *file, const char *text)
{
    fputs(begins_formula(text) ? "\"'" : "\"", file);
    put_safe(file, text, cell_escape);
    fputc('"', file);
}

bool write_by_rename(const char *folder, const char *name, Writer *write, const void *context)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) return false;
    Replacement file;
    if (replace_try_begin(&file, path)) {
        bool complete = write(file.stream, context);
        if (!complete && !ferror(file.stream)) {
            replace_cancel(&file);
            return false;
        }
        if (replace_try_finish(&file)) return true;
    }
    fprintf(stderr, "error: %s\n hint: %s\n", file.problem, file.remedy);
    return false;
}

// ---- The whole -----------------------------------------------------------------------------------------

void grade_total(Grade *grade)
{
    grade->points = grade->most = 0;
    grade->needs_human = grade->built.status == GRADER_ERROR;
    for (int i = 0; i < grade->count; i++) {
        grade->points += grade->results[i].points;
        grade->most += grade->results[i].most;
        if (grade->results[i].status == GRADER_ERROR || grade->results[i].status == NOT_RUN)
            grade->needs_human = true;
    }
}

const char *grade_state(const Grade *grade)
{
    if (grade->needs_human) return "needs a human";
    return grade->built.status == PASSED ? "graded" : status_name(grade->built.status);
}

// What a student may read about a result.
static const char *told(const Result *result)
{
    if (!result->hidden || result->status == PASSED) return result->message;
    return result->status == FAILED ? "wrong for inputs that are drawn anew for each grading"
                                    : status_name(result->status);
}

static bool right(const Result *result)
{
    return result->status == PASSED && (result->hidden || result->points == result->most);
}

// ---- Markdown ------------------------------------------------------------------------------------------

static bool write_markdown(FILE *file, const void *context)
{
    const Grade *g = context;
    fputs("# ", file);
    put_markdown(file, g->student);
    fprintf(file, ": chapter %s\n\n", g->chapter);
    if (g->needs_human)
        fputs("**Not graded**: the grader itself had a problem. Your teacher has been told.\n\n", file);
    else
        fprintf(file, "**%d of %d points** (%s)\n\n", g->points, g->most, grade_state(g));
    if (g->built.status != PASSED) {
        fputs("    ", file); // as a block of code
        put_safe(file, g->built.message, block_escape);
        fputs("\n\n", file);
    }
    fputs("| task | test | points | result | |\n|---|---|---|---|---|\n", file);
    for (int i = 0; i < g->count; i++) {
        const Result *r = &g->results[i];
        fprintf(file, "| %s | %s%s | ", r->task, r->test, r->hidden ? " (hidden)" : "");
        if (r->hidden || g->needs_human)
            fputs("–", file);
        else
            fprintf(file, "%d/%d", r->points, r->most);
        fprintf(file, " | %s | ", status_name(r->status));
        bool more = g->built.status == PASSED && strcmp(told(r), status_name(r->status)) != 0;
        put_markdown(file, more ? told(r) : "");
        if (!r->hidden && r->output[0]) {
            fputs(". It printed: ", file);
            put_markdown(file, r->output);
        }
        fputs(" |\n", file);
    }
    fputs("\nA task's points count only when its hidden test passes too.\n", file);
    return true;
}

// ---- Gradescope ----------------------------------------------------------------------------------------

static bool write_gradescope(FILE *file, const void *context)
{
    const Grade *g = context;
    if (g->needs_human) { // without a score, Gradescope reports a failed autograder: which it is
        fputs("{\"output\": \"The grader had a problem; your teacher has been told.\", \"tests\": []}\n",
              file);
        return true;
    }
    fprintf(file, "{\"score\": %d, \"output\": \"chapter ", g->points);
    put_json(file, g->chapter);
    fprintf(file, ": %d of %d points", g->points, g->most);
    if (g->built.status != PASSED) {
        fputs("\\n", file);
        put_json(file, g->built.message);
    }
    fputs("\", \"output_format\": \"text\", \"stdout_visibility\": \"hidden\",\n \"tests\": [", file);
    for (int i = 0; i < g->count; i++) {
        const Result *r = &g->results[i];
        fprintf(file, "%s\n  {\"number\": \"%s\", \"name\": \"", i ? "," : "", r->task);
        put_json(file, r->test);
        fprintf(file, "\", \"score\": %d, \"max_score\": %d, \"status\": \"%s\", \"output\": \"%s%s",
                r->points, r->most, right(r) ? "passed" : "failed", right(r) ? "" : status_name(r->status),
                told(r)[0] && !right(r) ? ": " : "");
        put_json(file, told(r));
        fputs("\", \"output_format\": \"text\", \"visibility\": \"visible\"}", file);
    }
    fputs("\n ]}\n", file);
    return true;
}

// ---- Classroom 50 --------------------------------------------------------------------------------------

static const char *setting(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value && value[0] ? value : otherwise;
}

static void put_pair(FILE *file, const char *key, const char *value)
{
    fprintf(file, " \"%s\": \"", key);
    put_json(file, value);
    fputs("\",\n", file);
}

static bool write_classroom50(FILE *file, const void *context)
{
    const Grade *g = context;
    char when[32], submission[96];
    struct tm parts;
    time_t time = (time_t)g->when;
    gmtime_r(&time, &parts);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
    snprintf(submission, sizeof submission, "submit/%s-%.7s", when, g->built.hash);
    fputs("{\n", file);
    put_pair(file, "schema", "classroom50/result/v1");
    put_pair(file, "classroom", setting("CLASSROOM", ""));
    put_pair(file, "assignment", setting("ASSIGNMENT", g->chapter));
    put_pair(file, "owner", setting("OWNER", setting("USERNAME", g->student)));
    put_pair(file, "submission", setting("SUBMISSION_TAG", submission));
    put_pair(file, "commit", setting("COMMIT_URL", ""));
    put_pair(file, "release", setting("RELEASE_URL", ""));
    put_pair(file, "review", setting("REVIEW_URL", ""));
    put_pair(file, "datetime", when);
    fprintf(file, " \"score\": %d,\n \"max-score\": %d,\n \"tests\": [", g->points, g->most);
    for (int i = 0; i < g->count; i++) {
        const Result *r = &g->results[i];
        fprintf(file, "%s\n  {\"test-name\": \"%s ", i ? "," : "", r->task);
        put_json(file, r->test);
        fprintf(file, "\", \"passed\": %s, \"score\": %d, \"max-score\": %d}", right(r) ? "true" : "false",
                r->points, r->most);
    }
    fputs("\n ]\n}\n", file);
    return true;
}

// ---- Autolab -------------------------------------------------------------------------------------------
// The names of the problems are the tasks: "1.1", "1.2", …

static bool write_autolab(FILE *file, const void *context)
{
    const Grade *g = context;
    fputs("{\"_presentation\": \"semantic\", \"stages\": [\"Build\", \"Test\"], \"Build\": {\"compile\": "
          "{\"passed\": ",
          file);
    fputs(g->built.status == PASSED ? "true" : "false", file);
    if (g->built.status != PASSED) {
        fputs(", \"hint\": \"", file);
        put_json(file, g->built.message);
        fputs("\"", file);
    }
    fputs("}}, \"Test\": {", file);
    for (int i = 0; i < g->count; i++) {
        const Result *r = &g->results[i];
        fprintf(file, "%s\"%s ", i ? ", " : "", r->task);
        put_json(file, r->test);
        fprintf(file, "\": {\"passed\": %s", right(r) ? "true" : "false");
        if (!right(r)) {
            fputs(", \"hint\": \"", file);
            put_json(file, told(r)[0] ? told(r) : status_name(r->status));
            fputs("\"", file);
        }
        fputs("}", file);
    }
    fputs("}}\n{\"scores\": {", file);
    for (int first = 0, next; first < g->count; first = next) {
        int points = 0;
        for (next = first; next < g->count && strcmp(g->results[next].task, g->results[first].task) == 0;
             next++)
            points += g->results[next].points;
        fprintf(file, "%s\"%s\": %d", first ? ", " : "", g->results[first].task, points);
    }
    fputs("}}\n", file);
    return true;
}

// ---- JUnit and TAP -------------------------------------------------------------------------------------

static bool junit_error(const Result *r) { return r->status == GRADER_ERROR || r->status == NOT_RUN; }

static bool write_junit(FILE *file, const void *context)
{
    const Grade *g = context;
    int failures = 0, errors = 0, skipped = 0;
    double seconds = 0.0;
    for (int i = 0; i < g->count; i++) {
        const Result *r = &g->results[i];
        errors += junit_error(r);
        skipped += r->status == SKIPPED;
        failures += !right(r) && !junit_error(r) && r->status != SKIPPED;
        seconds += r->seconds;
    }
    char when[32];
    struct tm parts;
    time_t time = (time_t)g->when;
    gmtime_r(&time, &parts);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &parts);
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n <testsuite name=\"", file);
    put_xml(file, g->student);
    fprintf(file,
            "\" package=\"%s\" id=\"0\" timestamp=\"%s\" hostname=\"grader\" tests=\"%d\" failures=\"%d\" "
            "errors=\"%d\" "
            "skipped=\"%d\" time=\"%.3f\">\n  <properties/>\n",
            g->chapter, when, g->count, failures, errors, skipped, seconds);
    for (int i = 0; i < g->count; i++) {
        const Result *r = &g->results[i];
        fprintf(file, "  <testcase classname=\"TASK %s\" name=\"%s\" time=\"%.3f\">", r->task, r->test,
                r->seconds);
        if (r->status == SKIPPED) {
            fputs("<skipped/>", file);
        } else if (!right(r)) {
            const char *element = junit_error(r) ? "error" : "failure";
            fprintf(file, "<%s type=\"%s\" message=\"", element, status_name(r->status));
            put_xml(file, told(r));
            fprintf(file, "\"/>");
        }
        fputs("</testcase>\n", file);
    }
    fputs("  <system-out></system-out>\n  <system-err></system-err>\n </testsuite>\n</testsuites>\n", file);
    return true;
}

static bool write_tap(FILE *file, const void *context)
{
    const Grade *g = context;
    fprintf(file, "TAP version 13\n1..%d\n", g->count);
    for (int i = 0; i < g->count; i++) {
        const Result *r = &g->results[i];
        fprintf(file, "%s %d - %s %s\n", right(r) ? "ok" : "not ok", i + 1, r->task, r->test);
        if (right(r)) continue;
        fprintf(file, "  ---\n  status: %s\n  message: '", status_name(r->status));
        put_quoted(file, told(r));
        fputs("'\n  ...\n", file);
    }
    return true;
}

// Where the grader itself failed there is no score to hand on: only the files that can say so are written.
bool write_reports(const Grade *grade, const char *folder)
{
    const struct {
        const char *name;
        Writer *write;
        bool says_so;
    } files[] = {{"report.md", write_markdown, true},   {"results.json", write_gradescope, true},
                 {"junit.xml", write_junit, true},      {"classroom50.json", write_classroom50, false},
                 {"autolab.txt", write_autolab, false}, {"results.tap", write_tap, false}};
    bool written = true;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char old[PATH_MAX];
        snprintf(old, sizeof old, "%s/%s", folder, files[i].name);
        if (grade->needs_human && !files[i].says_so)
            unlink(old);
        else
            written = written && write_by_rename(folder, files[i].name, files[i].write, grade);
    }
    return written;
}
