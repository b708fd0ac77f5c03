// Chat templates against jinja2: tests/reference/chat_templates.json.
#include "files/json.h"
#include "files/text_file.h"
#include "models/chat_template.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const PATH = "tests/reference/chat_templates.json";

static const Json *reference(Arena *arena)
{
    const FileBytes file = file_read(arena, PATH, 1 << 22, "run the tests from the project's root");
    const JsonText text = {.place = HERE, .path = PATH, .bytes = file.bytes, .size = file.size};
    return json_read(&text, arena);
}

// A value of the file as JSON again
static void write_json(FILE *out, const Json *json)
{
    static const char *const words[] = {[JSON_NULL] = "null", [JSON_FALSE] = "false", [JSON_TRUE] = "true"};
    const bool object = json->kind == JSON_OBJECT;
    if (json->kind == JSON_NUMBER)
        fprintf(out, "%.17g", json->number);
    else if (json->kind == JSON_STRING)
        json_write_string(out, json->text, json->size);
    else if (json->kind != JSON_ARRAY && !object)
        fputs(words[json->kind], out);
    if (json->kind != JSON_ARRAY && !object) return;
    putc(object ? '{' : '[', out);
    for (const Json *item = json->child; item; item = item->next) {
        if (object) json_write_string(out, item->key, item->key_size), putc(':', out);
        write_json(out, item);
        if (item->next) putc(',', out);
    }
    putc(object ? '}' : ']', out);
}

static char *json_text(const Json *json)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    write_json(out, json);
    fclose(out);
    return text;
}

START_TEST(templates_give_what_jinja2_gives)
{
    Arena *arena = arena_new();
    const Json *file = reference(arena), *templates = json_item(file, "templates");
    int cases = 0, refused = 0, wrong = 0;
    for (const Json *item = json_item(file, "cases")->child; item; item = item->next, cases++) {
        const Json *name = json_item(item, "template"), *variables = json_item(item, "variables");
        const Json *source = name ? json_item(templates, name->text) : json_item(item, "source");
        const Json *expected = json_item(item, "result");
        char *json = json_text(variables ? variables : json_item(file, "variables"));
        const ChatRequest request = {.variables = json, .date = json_item(file, "date")->text};
        const char *problem, *got = NULL;
        const ChatTemplate *made = chat_template_try(arena, source->text, source->size, "t", &problem);
        if (made) got = chat_template_render(arena, made, &request, &problem);
        if (expected->kind == JSON_NULL) {
            refused++;
            if (got) wrong++, fprintf(stderr, "\n%s\n  jinja2 refuses it; got: %s\n", source->text, got);
            if (!got)
                ck_assert_msg(problem && strncmp(problem, "t:", 2) == 0, "no problem: %s", source->text);
        } else if (!got || strcmp(got, expected->text) != 0) {
            wrong++;
            fprintf(stderr, "\n%s\n  problem:  %s\n  expected: %s\n  got:      %s\n", source->text,
                    problem ? problem : "none", expected->text, got ? got : "nothing");
        } else {
            ck_assert_ptr_null(problem);
        }
        free(json);
    }
    ck_assert_msg(wrong == 0, "%d of %d templates differ", wrong, cases);
    ck_assert(cases > 200 && refused > 100);
    arena_free(arena);
}
END_TEST

SUITE("reference_chat_template", templates_give_what_jinja2_gives)
