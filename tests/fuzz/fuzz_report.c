// fuzz_report.c: the six files about a student, with a student's own text in every place that takes one. Each must be
// UTF-8 without control characters, and those in JSON must be JSON.
#include "fuzz.h"
#include "tests/grader/report.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *status_name(Status status) { return status == PASSED ? "passed" : "failed"; }

static void copy_text(char *to, size_t room, FuzzPart part)
{
    char *text = fuzz_string(part);
    snprintf(to, room, "%s", text);
    free(text);
}

static char *text_of(const char *name, size_t *size)
{
    char path[128];
    static char text[1 << 17];
    snprintf(path, sizeof path, "report/%s", name);
    FILE *file = fopen(fuzz_path(path), "rb");
    fuzz_require(file, "%s was not written", name);
    *size = fread(text, 1, sizeof text - 1, file);
    text[*size] = '\0';
    fclose(file);
    fuzz_require(fuzz_harmless(text, *size), "%s is no UTF-8, or has control characters", name);
    return text;
}

static void check_json(const char *name)
{
    size_t size;
    cJSON *json = cJSON_ParseWithOpts(text_of(name, &size), NULL, true);
    fuzz_require(json, "%s is no JSON", name);
    cJSON_Delete(json);
}

static int quotes_in(const char *text)
{
    int quotes = 0;
    for (; *text && *text != '\n'; text++) quotes += *text == '\'';
    return quotes;
}

// A message is one line between single quotes; those inside are doubled.
static void check_tap(void)
{
    size_t size;
    for (const char *at = text_of("results.tap", &size); (at = strstr(at, "\n  message: ")); at += 12) {
        const char *end = strchr(at + 12, '\n');
        fuzz_require(end && at[12] == '\'' && end[-1] == '\'' && quotes_in(at + 12) % 2 == 0,
                     "a message in results.tap is cut");
    }
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    static Grade grade;
    FuzzPart parts[4];
    memset(&grade, 0, sizeof grade);
    int kind = size ? bytes[0] : 0;
    fuzz_parts(bytes + (size > 0), size - (size > 0), parts, 4);
    copy_text(grade.student, sizeof grade.student, parts[0]);
    copy_text(grade.built.message, sizeof grade.built.message, parts[1]);
    snprintf(grade.id, sizeof grade.id, "id");
    snprintf(grade.chapter, sizeof grade.chapter, "01-a");
    snprintf(grade.built.hash, sizeof grade.built.hash, "0123456789abcdef");
    grade.built.status = kind & 1 ? COMPILE_ERROR : PASSED;
    grade.count = 2;
    for (int i = 0; i < 2; i++) {
        Result *r = &grade.results[i];
        snprintf(r->task, sizeof r->task, "1.%d", i + 1);
        snprintf(r->test, sizeof r->test, "test_%d", i);
        r->most = 5;
        r->status = kind & 2 ? CRASHED : i ? FAILED : PASSED;
        r->hidden = i && kind & 4;
        copy_text(r->message, sizeof r->message, parts[2]);
        copy_text(r->output, sizeof r->output, parts[3]);
    }
    grade_total(&grade);
    mkdir(fuzz_path("report"), 0700);
    fuzz_require(write_reports(&grade, fuzz_path("report")), "the reports are not written");
    size_t length;
    text_of("report.md", &length);
    text_of("junit.xml", &length);
    check_json("results.json");
    check_json("classroom50.json");
    text_of("autolab.txt", &length);
    check_tap();
}
