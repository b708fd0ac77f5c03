// test_chat_template.c: what a template gets and gives, folders with templates, and templates that would never end.
// tests/unit/test_reference_chat_template.c has the language.
#include "files/folder.h"
#include "models/chat_template.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const ChatMessage talk[] = {{"system", "Be brief."}, {"user", "Hello"}, {"assistant", "Hi"}};

static const ChatTemplate *parsed(Arena *arena, const char *source)
{
    return chat_template_parse(arena, source, strlen(source), "t.jinja");
}

// The source, rendered for the talk
static void expect_text(const char *source, ChatRequest request, const char *expected)
{
    Arena *arena = arena_new();
    const char *problem, *got;
    request.messages = talk;
    request.count = 3;
    got = chat_template_render(arena, parsed(arena, source), &request, &problem);
    ck_assert_msg(got, "%s: %s", source, problem);
    ck_assert_str_eq(got, expected);
    ck_assert_ptr_null(problem);
    arena_free(arena);
}

static void expect_problem(const char *source, const char *expected)
{
    Arena *arena = arena_new();
    const ChatRequest request = {.messages = talk, .count = 3};
    const char *problem, *got = NULL;
    const ChatTemplate *made = chat_template_try(arena, source, strlen(source), "t.jinja", &problem);
    if (made) got = chat_template_render(arena, made, &request, &problem);
    ck_assert_msg(!got, "%.60s: accepted: %.100s", source, got);
    ck_assert_msg(strstr(problem, expected) && strncmp(problem, "t.jinja:", 8) == 0,
                  "%.60s: expected %s, got %s", source, expected, problem);
    arena_free(arena);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// ---- Requests ----

START_TEST(a_request_defines_messages_tokens_and_variables)
{
    const char *source = "{{ bos_token }}|{{ eos_token }}|{{ messages | length }}|{{ messages[1].content }}|"
                         "{{ add_generation_prompt }}|{{ x }}";
    expect_text(source, (ChatRequest){.bos_token = "<s>", .eos_token = ""}, "<s>||3|Hello|False|");
    expect_text("{{ bos_token is defined }} {{ eos_token is defined }}", (ChatRequest){.eos_token = "e"},
                "False True");
    expect_text(source,
                (ChatRequest){.add_generation_prompt = true,
                              .variables = "{\"x\": [1, 2.5, null, \"é\", {\"a\": true}]}"},
                "||3|Hello|True|[1, 2.5, None, 'é', {'a': True}]");
    expect_text(source,
                (ChatRequest){.variables = "{\"messages\": [{}, {\"content\": 7}], \"bos_token\": null}"},
                "None||2|7|False|");
    expect_text("{{ strftime_now('%d %B %Y') }}", (ChatRequest){.date = "2024-02-29"}, "29 February 2024");
    expect_text("", (ChatRequest){0}, "");
}
END_TEST

START_TEST(a_day_is_asked_for_only_where_the_request_has_one)
{
    expect_problem("\n {{ strftime_now('%d') }}", "t.jinja:2:17: strftime_now: the request has no date");
    Arena *arena = arena_new();
    const char *const wrong[] = {"2023-02-29", "2024-13-01", "2024-00-10", "24-01-01",
                                 "2024-01-1x", "",           "2024-01-011"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const ChatRequest request = {.date = wrong[i]};
        const char *problem;
        ck_assert_ptr_null(
            chat_template_render(arena, parsed(arena, "{{ strftime_now('%Y') }}"), &request, &problem));
        ck_assert_msg(strstr(problem, "is no date such as 2026-01-31"), "%s: %s", wrong[i], problem);
    }
    const ChatRequest request = {.date = "2024-01-01"};
    const char *problem;
    ck_assert_ptr_null(
        chat_template_render(arena, parsed(arena, "{{ strftime_now('%H:%M') }}"), &request, &problem));
    ck_assert_ptr_nonnull(strstr(problem, "strftime_now: %H is not known here"));
    arena_free(arena);
}
END_TEST

START_TEST(what_is_no_text_is_refused)
{
    Arena *arena = arena_new();
    const ChatMessage odd[] = {{"user", "fine"}, {"user", "a\xff"}};
    const ChatRequest request = {.messages = odd, .count = 2};
    const char *problem;
    ck_assert_ptr_null(chat_template_render(arena, parsed(arena, "x"), &request, &problem));
    ck_assert_ptr_nonnull(strstr(problem, "message 1 of the request: byte 1 is not UTF-8"));
    ck_assert_ptr_null(chat_template_try(arena, "a\xc3", 2, "n", &problem));
    ck_assert_str_eq(problem, "n:1:1: byte 1: not UTF-8");
    ck_assert_ptr_null(chat_template_try(arena, "a\0b", 3, "n", &problem));
    ck_assert_str_eq(problem, "n:1:1: a zero byte, which no text has");
    expect_problem("{{ 'a\\0b' }}", "the result has a zero byte");
    arena_free(arena);
}
END_TEST

static void give_no_json(void *context)
{
    Arena *arena = arena_new();
    const ChatRequest request = {.variables = context};
    const char *problem;
    chat_template_render(arena, parsed(arena, "x"), &request, &problem);
}

START_TEST(a_message_may_have_no_content)
{
    Arena *arena = arena_new();
    const ChatMessage silent[] = {{"user", NULL}};
    const ChatRequest request = {.messages = silent, .count = 1};
    const char *problem, *source = "{{ messages[0].content is none }}";
    ck_assert_str_eq(chat_template_render(arena, parsed(arena, source), &request, &problem), "True");
    arena_free(arena);
}
END_TEST

START_TEST(variables_that_are_no_json_object_stop_the_program)
{
    expect_death(give_no_json, "{\"a\": }", "the variables of a chat template's request");
    expect_death(give_no_json, "[1]", "this is no JSON object");
}
END_TEST

// ---- Problems ----

START_TEST(problems_name_the_line_the_column_and_the_cause)
{
    expect_problem("a\n\n  {{ x.y }}", "t.jinja:3:8: 'x' is undefined");
    expect_problem("{{ messages[0].tools.x }}", "t.jinja:1:22: a dictionary has no 'tools'");
    expect_problem("{% if x %}\n{% for a in b %}\n", "t.jinja:2:4: for is never closed");
    expect_problem("{% include 'x' %}", "t.jinja:1:4: the statement include is not known here");
    expect_problem("{{ 'a' + 1 }}", "t.jinja:1:8: a string + a number has no meaning");
    expect_problem("{{ messages.append(1) }}", "a list has no method 'append' that may be called here");
    expect_problem("{{ raise_exception('roles: é \"x\"') }}", "t.jinja:1:19: roles: é \"x\"");
    expect_problem("{{ raise_exception('a\\x1b[31m\\x9b\n\\x7f é') }}", "a?[31m???");
    expect_problem("{{ x | nonsense }}", "the filter nonsense is not known here");
    expect_problem("{{ x is nonsense }}", "the test nonsense is not known here");
    expect_problem("{{ 'a' | replace('b') }}", "replace needs new");
    expect_problem("{{ 'a' | upper(1) }}", "upper takes these arguments only: none");
    expect_problem("{{ '%s' % 1 }}", "formatting with % is not known here");
    expect_problem("{{ (1, 2) ", "a tag {{ without its end }}");
    expect_problem("{{ messages | map('upper') }}", "what a filter yields cannot be printed");
    expect_problem("{{ 1 \x01 }}", "the character  has no meaning in a tag");
}
END_TEST

START_TEST(a_long_problem_is_cut_between_characters)
{
    char source[4096] = "{{ raise_exception('";
    for (int i = 0; i < 1000; i++) strcat(source, "é");
    strcat(source, "') }}");
    Arena *arena = arena_new();
    const ChatRequest request = {0};
    for (int shift = 0; shift < 3; shift++) {
        const char *problem;
        source[20] = 'x';
        source[21] = "xyz"[shift];
        ck_assert_ptr_null(chat_template_render(arena, parsed(arena, source), &request, &problem));
        ck_assert_ptr_nonnull(strstr(problem, "éé"));
        ck_assert(strlen(problem) < 600);
        memmove(source + 20, source + 19, strlen(source + 19) + 1);
        memcpy(source + 19, "'x", 2);
    }
    arena_free(arena);
}
END_TEST

// ---- Bounds ----

START_TEST(templates_that_would_not_end_are_stopped_at_once)
{
    static const struct {
        const char *source, *problem;
    } hostile[] = {
        {"{% for a in range(10 ** 9) %}{% endfor %}", "a range of more than 100000 numbers"},
        {"{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
         "more than 10000000 steps"},
        {"{% for a in range(9999) %}{% for b in range(9999) %}{% set x = a * b %}{% endfor %}{% endfor %}",
         "more than"},
        {"{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
         "more than"},
        {"{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = n.s * 2 %}{% endfor %}",
         "more than"},
        {"{% set n = namespace(s=[1]) %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
         "more than"},
        {"{% set n = namespace(s=[1]) %}{% for i in range(60) %}{% set n.s = [n.s, n.s] %}{% endfor %}{{ n.s "
         "}}",
         "more than"},
        {"{% set n = namespace(s=[1]) %}{% for i in range(60) %}{% set n.s = [n.s, n.s] %}{% endfor %}{{ n.s "
         "| tojson }}",
         "more than"},
        {"{% set n = namespace(s=[1]) %}{% for i in range(60) %}{% set n.s = [n.s, n.s] %}{% endfor %}{{ n.s "
         "== [n.s[0], [n.s[1][0], "
         "n.s[1][0]]] }}",
         "more than"},
        {"{% set n = namespace(s=1) %}{% for i in range(9999) %}{% set n.s = [n.s] %}{% endfor %}{{ n.s }}",
         "nested more than"},
        {"{% set n = namespace(s=1) %}{% for i in range(9999) %}{% set n.s = [n.s] %}{% endfor %}{{ n.s | "
         "tojson(indent=9) }}",
         "nested more than"},
        {"{{ 'x' * 10 ** 12 }}", "a text of more than"},
        {"{{ [1] * 10 ** 12 }}", "a list of more than"},
        {"{{ 9 ** 99 }}", "beyond 64 bits"},
        {"{{ 9223372036854775807 + 1 }}", "beyond 64 bits"},
        {"{{ (-9223372036854775807 - 1) // -1 }}", "beyond 64 bits"},
        {"{{ 9223372036854775808 }}", "is no whole number below 2^63"},
        {"{% macro m(x) %}{{ m(x + 1) }}{% endmacro %}{{ m(1) }}", "nested more than"},
        {"{% macro m(x) %}{{ m(x) ~ m(x) }}{% endmacro %}{{ m(1) }}", "nested more than"},
        {"{% macro m(x) %}{% if x %}{{ m(x - 1) ~ m(x - 1) }}{% endif %}{% endmacro %}{{ m(40) }}",
         "more than"},
        {"{% set s = 'a' * 60000000 %}{% for i in range(99999) %}{{ s.find('b') }}{% endfor %}", "steps"},
        {"{% set s = 'a' * 60000000 %}{% for i in range(99999) %}{{ s | length }}{% endfor %}", "steps"},
        {"{% set s = ' ' * 60000000 %}{% for i in range(99999) %}{{ s.strip() }}{% endfor %}", "steps"},
        {"{% set s = ' ' * 60000000 %}{% for i in range(99999) %}{{ s.strip(' ') }}{% endfor %}", "steps"},
        {"{% set s = 'a' * 60000000 %}{% for i in range(99999) %}{{ s == 'a' * 60000000 }}{% endfor %}",
         "more than"},
        {"{% set s = 'a' * 60000000 %}{% for i in range(99999) %}{% set t = s[1] %}{% set t = s[-1] %}{% "
         "endfor %}",
         "steps"},
        {"{% set s = 'ab' * 9999999 %}{% for i in range(99) %}{% set t = s.replace('a', 'c') %}{% endfor %}",
         "more than"},
        {"{% set s = 'ab' * 9999999 %}{{ s.split('a') }}", "more than"},
        {"{% set s = 'ab' * 9999999 %}{{ s | list }}", "a list of more than"},
        {"{% set s = 'a' * 100000 %}{{ s.rsplit('a' * 50000 + 'b') }}", "steps"},
        {"{% set s = 'a' * 4000000 %}{{ s.find('a' * 2000000 + 'b') }}", "steps"},
        {"{{ range(100000) | list | unique | list | length }}", "steps"},
        {"{{ messages | tojson(indent=10 ** 9) }}", "an indent of more than 100"},
        {"{{ 'a' | indent(10 ** 9) }}", "a text of more than"},
        {"{% for i in range(99999) %}{{ 'x' * 9999 }}{% endfor %}", "a text of more than"},
        {"{% for i in range(99999) %}{% set t = 'x' * 9999 %}{% endfor %}", "bytes of memory"},
    };
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        const double start = seconds();
        expect_problem(hostile[i].source, hostile[i].problem);
        const double took = seconds() - start;
        if (getenv("SHOW_TIMES")) fprintf(stderr, "%.3f s %.90s\n", took, hostile[i].source);
        ck_assert_msg(took < (UNDER_ASAN ? 20 : 3), "%.1f seconds: %s", took, hostile[i].source);
    }
}
END_TEST

// A text of count times a part, between a beginning and an end
static char *repeated(Arena *arena, const char *begin, const char *part, int count, const char *middle,
                      const char *back, const char *end)
{
    const size_t room =
        strlen(begin) + strlen(middle) + strlen(end) + (size_t)count * (strlen(part) + strlen(back)) + 1;
    char *text = arena_alloc(arena, room, 1), *to = stpcpy(text, begin);
    for (int i = 0; i < count; i++) to = stpcpy(to, part);
    to = stpcpy(to, middle);
    for (int i = 0; i < count; i++) to = stpcpy(to, back);
    stpcpy(to, end);
    return text;
}

START_TEST(deep_and_long_sources_are_refused)
{
    Arena *arena = arena_new();
    expect_problem(repeated(arena, "{{ ", "(", 100000, "1", ")", " }}"),
                   "brackets nested more than 200 deep");
    expect_problem(repeated(arena, "{{ ", "[", 150, "1", "]", " }}"), "nested more than 200 deep");
    expect_problem(repeated(arena, "{{ ", "not ", 100000, "1", "", " }}"), "nested more than 200 deep");
    expect_problem(repeated(arena, "{{ ", "- ", 100000, "1", "", " }}"), "nested more than 200 deep");
    expect_problem(repeated(arena, "{{ 1", " if 1 else 1", 10000, "", "", " }}"),
                   "nested more than 200 deep");
    expect_problem(repeated(arena, "{{ 1", " + 1", 50000, "", "", " }}"), "parts within parts");
    expect_problem(repeated(arena, "{{ x", ".x", 50000, "", "", " }}"), "parts within parts");
    expect_problem(repeated(arena, "{{ x", "|d", 50000, "", "", " }}"), "parts within parts");
    expect_problem(repeated(arena, "", "{% if 1 %}", 10000, "", "{% endif %}", ""),
                   "nested more than 200 deep");
    expect_problem(repeated(arena, "", "{% for a in b %}", 300, "", "{% endfor %}", ""),
                   "nested more than 200 deep");
    expect_problem(repeated(arena, "", "{{ 1 }}", 140000, "", "", ""), "more than 131072 parts");
    expect_problem(repeated(arena, "{{ f(", "1, ", 100, "", "", ") }}"), "more than 64 arguments");
    expect_problem(repeated(arena, "{{ 1", "1", 100, "", "", " }}"), "a number of too many digits");
    expect_problem(repeated(arena, "", "x", 1100000, "", "", ""),
                   "a template of 1100000 bytes; at most 1048576 are read");
    char *names = arena_alloc(arena, 5000, 20), *to = names;
    for (int i = 0; i < 5000; i++) to += sprintf(to, "{{ name%d }}", i);
    expect_problem(names, "more than 4096 names");
    arena_free(arena);
}
END_TEST

START_TEST(what_is_deep_but_honest_is_not_refused)
{
    Arena *arena = arena_new();
    expect_text(repeated(arena, "{{ ", "(", 90, "1", ")", " }}"), (ChatRequest){0}, "1");
    expect_text(repeated(arena, "{{ '", "x' + '", 350, "", "", "' }}"), (ChatRequest){0},
                repeated(arena, "", "x", 350, "", "", ""));
    // Twice as many take four times as long where strings are put together one by one.
    expect_text(repeated(arena, "{{ ", "'abc' ", 100000, "| length", "", " }}"), (ChatRequest){0}, "300000");
    expect_text(repeated(arena, "", "{% if 1 %}", 150, "x", "{% endif %}", ""), (ChatRequest){0}, "x");
    expect_text(repeated(arena, "{% if 0 %}", "{% elif 0 %}", 5000, "{% else %}x", "", "{% endif %}"),
                (ChatRequest){0}, "x");
    expect_text(
        "{% macro m(x) %}{{ x }}{% if x %}{{ m(x - 1) }}{% endif %}{% endmacro %}{{ m(30) | length }}",
        (ChatRequest){0}, "52");
    arena_free(arena);
}
END_TEST

START_TEST(fewer_steps_may_be_asked_for)
{
    Arena *arena = arena_new();
    const char *problem;
    const ChatTemplate *made = parsed(arena, "{% for a in range(100) %}{{ a }}{% endfor %}");
    ChatRequest request = {.most_steps = 100};
    ck_assert_ptr_null(chat_template_render(arena, made, &request, &problem));
    ck_assert_ptr_nonnull(strstr(problem, "more than 100 steps"));
    request.most_steps = 1000;
    ck_assert_ptr_nonnull(chat_template_render(arena, made, &request, &problem));
    arena_free(arena);
}
END_TEST

// ---- Long conversations ----

static const char *const styles[] = {
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}{% "
    "endfor %}",
    "{%- set ns = namespace(last=-1) %}{%- for m in messages[::-1] %}{%- set index = (messages|length - 1) - "
    "loop.index0 %}"
    "{%- if ns.last < 0 and m.role == 'user' and not (m.content.startswith('<x>') and "
    "m.content.endswith('</x>')) %}"
    "{%- set ns.last = index %}{%- endif %}{%- endfor %}{%- for m in messages %}{%- set content = m.content "
    "%}"
    "{%- if '</think>' in content %}{%- set content = content.split('</think>')[-1].lstrip('\\n') %}{%- "
    "endif %}"
    "{{- '<|im_start|>' ~ m.role ~ '\\n' ~ content | trim ~ '<|im_end|>' ~ '\\n' }}{%- endfor %}",
    // A text that grows by one message after the other
    "{% set ns = namespace(out='') %}{% for m in messages %}"
    "{% set ns.out = ns.out + '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' %}{% endfor %}{{ "
    "ns.out }}"};

START_TEST(a_conversation_of_a_thousand_messages_takes_well_under_a_second)
{
    enum { MESSAGES = 1000, LENGTH = 2000 };
    Arena *arena = arena_new();
    ChatMessage *messages = arena_alloc(arena, MESSAGES, sizeof *messages);
    for (int i = 0; i < MESSAGES; i++) {
        char *text = arena_alloc(arena, LENGTH + 1, 1);
        for (int k = 0; k < LENGTH; k++) text[k] = (char)('a' + (i + k) % 26);
        text[LENGTH] = '\0';
        messages[i] = (ChatMessage){i % 2 ? "assistant" : "user", text};
    }
    const ChatRequest request = {.messages = messages, .count = MESSAGES};
    const size_t expected =
        MESSAGES / 2 * (2 * (strlen("<|im_start|>\n<|im_end|>\n") + LENGTH) + strlen("userassistant"));
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        const char *problem;
        const double start = seconds();
        const char *text = chat_template_render(arena, parsed(arena, styles[i]), &request, &problem);
        const double took = seconds() - start;
        ck_assert_msg(text, "%s", problem);
        ck_assert_uint_eq(strlen(text), expected);
        if (getenv("SHOW_TIMES")) fprintf(stderr, "%.4f s, style %zu\n", took, i);
        ck_assert_msg(took < (UNDER_ASAN ? 5 : 0.5), "style %zu: %.2f seconds", i, took);
    }
    arena_free(arena);
}
END_TEST

// ---- Folders ----

static const char *folder_new(const char *name)
{
    static char folder[256];
    static int number;
    snprintf(folder, sizeof folder, "%s-%d", scratch_path(name), number++);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    return folder;
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void expect_opened(const char *folder, const char *expected)
{
    Arena *arena = arena_new();
    const ChatTemplate *made = chat_template_open(arena, folder);
    const ChatRequest request = {0};
    const char *problem;
    ck_assert_ptr_nonnull(made);
    ck_assert_str_eq(chat_template_render(arena, made, &request, &problem), expected);
    arena_free(arena);
}

START_TEST(a_folder_keeps_its_template_in_one_of_two_files)
{
    Arena *arena = arena_new();
    const char *folder = folder_new("kept");
    ck_assert_ptr_null(chat_template_open(arena, folder));
    put(folder, "tokenizer_config.json", "{\"eos_token\": \"</s>\"}");
    ck_assert_ptr_null(chat_template_open(arena, folder));
    put(folder, "tokenizer_config.json", "{\"chat_template\": null}");
    ck_assert_ptr_null(chat_template_open(arena, folder));
    put(folder, "tokenizer_config.json", "{\"chat_template\": \"a{{ 1 }}\\n\"}");
    expect_opened(folder, "a1");
    put(folder, "tokenizer_config.json",
        "{\"chat_template\": [{\"name\": \"tool_use\", \"template\": \"t\"}, {\"name\": \"default\", "
        "\"template\": \"d{{ 2 }}\"}]}");
    expect_opened(folder, "d2");
    put(folder, "chat_template.jinja", "\xef\xbb\xbfj{{ 3 }}\r\n{% if 1 %}\r\nx\r{% endif %}\r\n");
    expect_opened(folder, "j3\nx\n");
    arena_free(arena);
}
END_TEST

START_TEST(tokens_are_strings_or_objects_with_a_content)
{
    Arena *arena = arena_new();
    const char *folder = folder_new("tokens");
    ChatTokens tokens = chat_template_tokens(arena, folder);
    ck_assert(!tokens.bos && !tokens.eos);
    put(folder, "tokenizer_config.json",
        "{\"bos_token\": {\"__type\": \"AddedToken\", \"content\": \"<s>\"}, \"eos_token\": \"</s>\"}");
    tokens = chat_template_tokens(arena, folder);
    ck_assert_str_eq(tokens.bos, "<s>");
    ck_assert_str_eq(tokens.eos, "</s>");
    put(folder, "tokenizer_config.json", "{\"bos_token\": null}");
    tokens = chat_template_tokens(arena, folder);
    ck_assert(!tokens.bos && !tokens.eos);
    arena_free(arena);
}
END_TEST

static void open_folder(void *folder)
{
    Arena *arena = arena_new();
    chat_template_tokens(arena, folder);
    chat_template_open(arena, folder);
}

START_TEST(folders_that_lie_are_refused_with_the_file_and_the_reason)
{
    static const struct {
        const char *file, *text, *reason;
    } lies[] = {
        {"tokenizer_config.json", "{", "tokenizer_config.json: "},
        {"tokenizer_config.json", "[]", "tokenizer_config.json: a JSON object { … } is expected"},
        {"tokenizer_config.json", "{\"chat_template\": 1}",
         "tokenizer_config.json: \"chat_template\" must be a string or a list"},
        {"tokenizer_config.json", "{\"chat_template\": [1]}", "is a list of something else"},
        {"tokenizer_config.json", "{\"chat_template\": [{\"name\": \"a\", \"template\": \"b\"}]}",
         "is called default"},
        {"tokenizer_config.json", "{\"chat_template\": \"a\\n{{ x\"}",
         "tokenizer_config.json: chat_template:2:1: a tag {{ without"},
        {"tokenizer_config.json", "{\"chat_template\": \"\\u0000\"}", "a NUL inside a string"},
        {"tokenizer_config.json", "{\"bos_token\": 1}",
         "tokenizer_config.json: \"bos_token\" must be a string"},
        {"tokenizer_config.json", "{\"eos_token\": {}}",
         "tokenizer_config.json: \"eos_token\" must be a string"},
        {"chat_template.jinja", "a\n  {% for %}",
         "chat_template.jinja:2:10: a name is expected, not the end of the tag"},
        {"chat_template.jinja", "a\xff", "chat_template.jinja"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        const char *folder = folder_new("lies");
        put(folder, lies[i].file, lies[i].text);
        expect_death(open_folder, (void *)folder, lies[i].reason);
    }
    const char *folder = folder_new("lies");
    char path[512];
    snprintf(path, sizeof path, "%s/chat_template.jinja", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    expect_death(open_folder, (void *)folder, "chat_template.jinja");
    Arena *arena = arena_new();
    folder = folder_new("lies");
    put(folder, "chat_template.jinja", repeated(arena, "", "x", 1 << 20, "x", "", ""));
    expect_death(open_folder, (void *)folder,
                 "chat_template.jinja has 1048577 bytes; at most 1048576 are read");
    arena_free(arena);
}
END_TEST

START_TEST(the_published_template_of_qwen3_renders)
{
    static const char *const folder = "datasets/cache/qwen3-tokenizer";
    if (access("datasets/cache/qwen3-tokenizer/tokenizer_config.json", R_OK) != 0)
        return; // `make data` brings it
    Arena *arena = arena_new();
    const ChatTemplate *made = chat_template_open(arena, folder);
    const ChatTokens tokens = chat_template_tokens(arena, folder);
    ck_assert(!tokens.bos);
    ck_assert_str_eq(tokens.eos, "<|im_end|>");
    ChatRequest request = {.messages = talk, .count = 2, .add_generation_prompt = true};
    const char *problem;
    ck_assert_str_eq(chat_template_render(arena, made, &request, &problem),
                     "<|im_start|>system\nBe "
                     "brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n");
    request.variables = "{\"enable_thinking\": false}";
    ck_assert_str_eq(
        chat_template_render(arena, made, &request, &problem),
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
        "<think>\n\n</think>\n\n");
    request.variables =
        "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": \"assistant\", \"content\": "
        "\"<think>\\nhm\\n</think>\\n\\nyes\"}], \"add_generation_prompt\": false}";
    ck_assert_str_eq(
        chat_template_render(arena, made, &request, &problem),
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n<think>\nhm\n</think>\n\nyes<|im_end|>\n");
    arena_free(arena);
}
END_TEST

SUITE_TIMEOUT("chat_template", 240, a_request_defines_messages_tokens_and_variables,
              a_day_is_asked_for_only_where_the_request_has_one, what_is_no_text_is_refused,
              a_message_may_have_no_content, variables_that_are_no_json_object_stop_the_program,
              problems_name_the_line_the_column_and_the_cause, a_long_problem_is_cut_between_characters,
              templates_that_would_not_end_are_stopped_at_once, deep_and_long_sources_are_refused,
              what_is_deep_but_honest_is_not_refused, fewer_steps_may_be_asked_for,
              a_conversation_of_a_thousand_messages_takes_well_under_a_second,
              a_folder_keeps_its_template_in_one_of_two_files, tokens_are_strings_or_objects_with_a_content,
              folders_that_lie_are_refused_with_the_file_and_the_reason,
              the_published_template_of_qwen3_renders)
