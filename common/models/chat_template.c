// chat_template.c: a template out of its folder, and a request as a template's variables. See chat_template.h.
#include "models/chat_template_parts.h"
#include "base/utf8.h"
#include "files/folder.h"
#include "files/json.h"
#include "files/text_file.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <unistd.h>

static const char *const DAMAGED = "the file is damaged, or of another kind: bring it again";
static const char *const WRONG_TEMPLATE = "correct the template, or bring the model's folder again";

enum {
    MOST_CONFIGURATION = 1 << 24, // bytes of tokenizer_config.json
    MOST_VALUES = 1 << 20,        // of JSON
};

// What a template says may be anything: control characters, and characters that were cut, must not reach a terminal.
static const char *harmless(Arena *arena, const char *text)
{
    char *copy = arena_alloc(arena, strlen(text) + 1, 1), *to = copy;
    while (*text) {
        uint32_t c;
        const int size = utf8_decode(text, strnlen(text, 4), &c);
        if (c < 0x20 || (c >= 0x7F && c < 0xA0))
            *to++ = '?';
        else if (c != UTF8_REPLACEMENT || size > 1)
            to += utf8_encode(to, c);
        text += size;
    }
    *to = '\0';
    return copy;
}

void chat_problem(Trouble *trouble, int line, int column, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    const int size = snprintf(text, sizeof text, "%.300s:%d:%d: ", trouble->name, line, column);
    va_start(arguments, format);
    vsnprintf(text + size, sizeof text - (size_t)size, format, arguments);
    va_end(arguments);
    trouble->text = harmless(trouble->arena, text);
    longjmp(trouble->leave, 1);
}

// ---- Parsing ----

// Line ends become newlines, and one at the end of the source is dropped, as jinja2 does.
static Text normal_source(Arena *arena, const char *source, size_t size)
{
    char *bytes = arena_alloc(arena, size + 1, 1);
    size_t to = 0;
    for (size_t i = 0; i < size; i++) {
        if (source[i] == '\r' && i + 1 < size && source[i + 1] == '\n') continue;
        bytes[to++] = source[i] == '\r' ? '\n' : source[i];
    }
    if (to && bytes[to - 1] == '\n') to--;
    bytes[to] = '\0';
    return (Text){bytes, to};
}

const ChatTemplate *chat_template_try(Arena *arena, const char *source, size_t size, const char *name,
                                      const char **problem)
{
    Trouble trouble = {.arena = arena, .name = arena_string(arena, name)};
    ChatTemplate *result = arena_zeros(arena, 1, sizeof *result);
    result->name = trouble.name;
    *problem = NULL;
    if (setjmp(trouble.leave)) {
        *problem = trouble.text;
        return NULL;
    }
    if (size > CHAT_TEMPLATE_MOST_SOURCE)
        chat_problem(&trouble, 1, 1, "a template of %zu bytes; at most %d are read", size,
                     CHAT_TEMPLATE_MOST_SOURCE);
    const size_t invalid = utf8_invalid(source, size);
    if (invalid < size) chat_problem(&trouble, 1, 1, "byte %zu: not UTF-8", invalid);
    if (size && memchr(source, '\0', size)) chat_problem(&trouble, 1, 1, "a zero byte, which no text has");
    chat_parse(&trouble, arena, normal_source(arena, source, size), result);
    return result;
}

const ChatTemplate *chat_template_parse_at(Place place, Arena *arena, const char *source, size_t size,
                                           const char *name)
{
    const char *problem;
    const ChatTemplate *result = chat_template_try(arena, source, size, name, &problem);
    check_at(place, result, WRONG_TEMPLATE, "%s", problem);
    return result;
}

// ---- The variables of a request ----

static Value value_of_json(Run *run, const Json *json)
{
    switch (json->kind) {
    case JSON_NULL:
        return NONE_VALUE;
    case JSON_FALSE:
        return boolean_value(false);
    case JSON_TRUE:
        return boolean_value(true);
    case JSON_NUMBER:
        if (json->number == floor(json->number) && fabs(json->number) < 9007199254740992.0)
            return integer_value((int64_t)json->number);
        return real_value(json->number);
    case JSON_STRING:
        return text_value((Text){json->text, json->size});
    default:
        break;
    }
    if (json->kind == JSON_ARRAY) {
        int64_t count = 0;
        for (const Json *item = json->child; item; item = item->next) count++;
        List *list = chat_list_new(run, count);
        int i = 0;
        for (const Json *item = json->child; item; item = item->next)
            list->items[i++] = value_of_json(run, item);
        return list_value(LIST, list);
    }
    Dict *dict = chat_dict_new(run);
    for (const Json *item = json->child; item; item = item->next)
        chat_dict_put(run, dict, text_value((Text){item->key, item->key_size}), value_of_json(run, item));
    return (Value){.kind = DICT, .as.dict = dict};
}

static Value text_variable(Run *run, const char *what, int number, const char *string)
{
    if (!string) return NONE_VALUE;
    const Text text = text_of(string);
    const size_t invalid = utf8_invalid(text.bytes, text.size);
    if (invalid < text.size)
        chat_run_problem(run, "%s %d of the request: byte %zu is not UTF-8", what, number, invalid);
    return text_value(text);
}

static Value messages_of(Run *run, const ChatRequest *request)
{
    List *list = chat_list_new(run, request->count);
    for (int i = 0; i < request->count; i++) {
        Dict *message = chat_dict_new(run);
        chat_dict_put(run, message, text_value(TEXT("role")),
                      text_variable(run, "the role of message", i, request->messages[i].role));
        chat_dict_put(run, message, text_value(TEXT("content")),
                      text_variable(run, "message", i, request->messages[i].content));
        list->items[i] = (Value){.kind = DICT, .as.dict = message};
    }
    return list_value(LIST, list);
}

static void define(Run *run, Text name, Value value)
{
    for (int i = 0; i < run->source->symbol_count; i++)
        if (text_is(name, text_of(run->source->symbols[i]))) run->globals[i] = value;
}

static void define_request(Run *run, const ChatRequest *request, const Json *variables)
{
    define(run, TEXT("messages"), messages_of(run, request));
    define(run, TEXT("add_generation_prompt"), boolean_value(request->add_generation_prompt));
    if (request->bos_token)
        define(run, TEXT("bos_token"), text_variable(run, "bos_token", 0, request->bos_token));
    if (request->eos_token)
        define(run, TEXT("eos_token"), text_variable(run, "eos_token", 0, request->eos_token));
    for (const Json *item = variables ? variables->child : NULL; item; item = item->next) {
        run_steps(run, (size_t)run->source->symbol_count / 8);
        define(run, (Text){item->key, item->key_size}, value_of_json(run, item));
    }
}

static const Json *json_of_variables(Place place, Arena *arena, const char *variables)
{
    JsonText text = {.place = place,
                     .path = "the variables of a chat template's request",
                     .remedy = "give a JSON object, such as {\"enable_thinking\": false}",
                     .bytes = arena_string(arena, variables),
                     .size = strlen(variables),
                     .most_values = MOST_VALUES};
    const Json *json = json_read(&text, arena);
    if (json->kind != JSON_OBJECT) json_refuse(&text, "this is no JSON object");
    return json;
}

// ---- Rendering ----

static const char *finished(Run *run, const Buffer *out, Arena *arena)
{
    if (out->size && memchr(out->bytes, '\0', out->size))
        chat_run_problem(run, "the result has a zero byte, where a string of C ends");
    char *text = arena_alloc(arena, out->size + 1, 1);
    if (out->size) memcpy(text, out->bytes, out->size);
    text[out->size] = '\0';
    return text;
}

static const char *rendered(Run *run, Buffer *out, const ChatRequest *request, const Json *variables,
                            Arena *arena)
{
    if (setjmp(run->trouble.leave)) return NULL;
    const size_t symbols = (size_t)run->source->symbol_count;
    run->globals = chat_run_take(run, symbols, sizeof *run->globals);
    for (size_t i = 0; i < symbols; i++) run->globals[i] = MISSING_VALUE;
    chat_functions(run);
    define_request(run, request, variables);
    chat_run_template(run, run->source);
    return finished(run, out, arena);
}

const char *chat_template_render_at(Place place, Arena *arena, const ChatTemplate *chat_template,
                                    const ChatRequest *request, const char **problem)
{
    Arena *while_running = arena_new();
    Buffer out = {0};
    Run run = {.trouble = {.arena = arena, .name = chat_template->name},
               .arena = while_running,
               .source = chat_template,
               .date = request->date,
               .most_steps = request->most_steps ? (size_t)request->most_steps : CHAT_TEMPLATE_MOST_STEPS,
               .scope = -1,
               .out = &out};
    const Json *variables =
        request->variables ? json_of_variables(place, while_running, request->variables) : NULL;
    const char *text = rendered(&run, &out, request, variables, arena);
    *problem = run.trouble.text;
    arena_free(while_running);
    return text;
}

// ---- Folders ----

static bool is_there(Place place, char path[FOLDER_MOST_PATH], const char *folder, const char *name)
{
    folder_path_at(place, path, folder, name);
    if (access(path, F_OK) == 0) return true;
    check_at(place, errno == ENOENT, "is it the folder of a model?", "%s: %s", path, strerror(errno));
    return false;
}

static FileBytes checked_text(Place place, Arena *arena, const char *path, size_t most)
{
    return text_file_checked_at(place, path, file_read_at(place, arena, path, most, NULL));
}

// NULL: the folder has no tokenizer_config.json
static const Json *configuration(Place place, Arena *arena, const char *folder, char path[FOLDER_MOST_PATH])
{
    if (!is_there(place, path, folder, "tokenizer_config.json")) return NULL;
    const FileBytes file = checked_text(place, arena, path, MOST_CONFIGURATION);
    const JsonText text = {.place = place,
                           .path = path,
                           .remedy = DAMAGED,
                           .bytes = file.bytes,
                           .size = file.size,
                           .most_values = MOST_VALUES,
                           .c_strings = true};
    const Json *json = json_read(&text, arena);
    check_at(place, json->kind == JSON_OBJECT, DAMAGED, "%s: a JSON object { … } is expected", path);
    return json;
}

// Of a list of templates with names, the one that is called default.
static const Json *default_template(Place place, const char *path, const Json *list)
{
    const Json *found = NULL;
    for (const Json *item = list->child; item; item = item->next) {
        const Json *name = json_item(item, "name"), *text = json_item(item, "template");
        check_at(place, json_is(name, JSON_STRING) && json_is(text, JSON_STRING), DAMAGED,
                 "%s: \"chat_template\" is a list of something else than {\"name\": …, \"template\": …}",
                 path);
        if (strcmp(name->text, "default") == 0) found = text;
    }
    check_at(place, found || !list->child,
             "choose one of them, and write it to the file chat_template.jinja of the folder",
             "%s: none of the templates in \"chat_template\" is called default", path);
    return found;
}

const ChatTemplate *chat_template_open_at(Place place, Arena *arena, const char *folder)
{
    char path[FOLDER_MOST_PATH], name[FOLDER_MOST_PATH + 32];
    if (is_there(place, path, folder, "chat_template.jinja")) {
        const FileBytes file = checked_text(place, arena, path, CHAT_TEMPLATE_MOST_SOURCE);
        return chat_template_parse_at(place, arena, file.bytes, file.size, path);
    }
    const Json *json = configuration(place, arena, folder, path), *text = json_item(json, "chat_template");
    if (json_is(text, JSON_ARRAY)) text = default_template(place, path, text);
    if (!text || text->kind == JSON_NULL) return NULL;
    check_at(place, text->kind == JSON_STRING, DAMAGED, "%s: \"chat_template\" must be a string or a list",
             path);
    snprintf(name, sizeof name, "%s: chat_template", path);
    return chat_template_parse_at(place, arena, text->text, text->size, name);
}

static const char *token_of(Place place, const char *path, const Json *json, const char *name)
{
    const Json *token = json_item(json, name);
    if (json_is(token, JSON_OBJECT))
        token = json_item(token, "content");
    else if (!token || token->kind == JSON_NULL)
        return NULL;
    check_at(place, json_is(token, JSON_STRING), DAMAGED,
             "%s: \"%s\" must be a string, or an object with a string as \"content\"", path, name);
    return token->text;
}

ChatTokens chat_template_tokens_at(Place place, Arena *arena, const char *folder)
{
    char path[FOLDER_MOST_PATH];
    const Json *json = configuration(place, arena, folder, path);
    return (ChatTokens){token_of(place, path, json, "bos_token"), token_of(place, path, json, "eos_token")};
}
