// chat_template.h: a conversation as the one text that a language model was trained to continue.
//
//     const ChatTemplate *template = chat_template_open(arena, "models/qwen3"); // NULL: it has none
//     const ChatTokens tokens = chat_template_tokens(arena, "models/qwen3");
//     const ChatMessage said[] = {{"system", "Be brief."}, {"user", "What is a tensor?"}};
//     const ChatRequest request = {.messages = said, .count = 2, .add_generation_prompt = true,
//                                  .bos_token = tokens.bos, .eos_token = tokens.eos};
//     const char *problem, *text = chat_template_render(arena, template, &request, &problem);
//
// Published models carry their template as a program in Jinja (the template language of Python's jinja2). This is an
// interpreter of the part of Jinja that such programs use, with the results that jinja2 3.1 gives in the environment
// that Hugging Face's transformers sets up: trim_blocks, lstrip_blocks, an immutable sandbox, loop controls,
// raise_exception, strftime_now, a tojson that escapes nothing for HTML, and {% generation %}.
//
//   statements   if elif else, for (else, if, several targets), break, continue, set (also of a namespace's attribute,
//                and as a block), macro, generation, raw, comments; not: call, filter, include, import, extends, block
//   values       strings, whole numbers of 64 bits, floats, booleans, none, lists, tuples, dictionaries, namespaces
//   functions    range, dict, namespace, raise_exception, strftime_now, and macros
//   the rest     filters, tests and methods: the tables in chat_template_filters.c, chat_template_tests.c and
//                chat_template_methods.c
//
// What is not known is refused by name and never passed over: in the parsing where it is a statement, else when it is
// reached. Differences that remain: whole numbers do not grow beyond 64 bits; there is no formatting (s % x, s.format);
// upper and lower know the letters of ASCII, Latin-1 and Cyrillic; a string within a printed list shows characters that
// Unicode has not assigned as they are; filters such as map work at once, and their problems show at once; safe marks
// nothing; a macro sees the variables of the template and not those of a loop around it.
//
// A template is untrusted input: it cannot reach files, the clock or the program, and everything it takes is bounded
// by the numbers below. Rendering takes time linear in what it copies and prints.
#pragma once
#include "base/arena.h"

enum {
    CHAT_TEMPLATE_MOST_SOURCE = 1 << 20, // bytes of a template
    CHAT_TEMPLATE_MOST_NODES = 1 << 17,  // names, numbers, operators, statements … of a template
    CHAT_TEMPLATE_MOST_NAMES = 1 << 12,  // different ones
    CHAT_TEMPLATE_MOST_NESTED = 200,     // statements and expressions within others, as written
    CHAT_TEMPLATE_MOST_DEPTH = 800,      // the same when it runs: macros that call macros, lists in lists
    CHAT_TEMPLATE_MOST_STEPS = 10000000, // evaluated nodes, compared values, 64 bytes copied or looked at
    CHAT_TEMPLATE_MOST_TEXT = 1 << 26,   // bytes of one string, and of the result
    CHAT_TEMPLATE_MOST_ITEMS = 1 << 20,  // of a list
    CHAT_TEMPLATE_MOST_RANGE = 100000,   // numbers of a range, as in jinja2's sandbox
    CHAT_TEMPLATE_MOST_MEMORY = 1 << 28, // bytes while it runs
};

typedef struct ChatTemplate ChatTemplate;

typedef struct {
    const char *role, *content; // UTF-8; NULL: none
} ChatMessage;

typedef struct {
    const ChatMessage *messages;
    int count;
    bool add_generation_prompt;        // end with what begins the model's answer
    const char *bos_token, *eos_token; // NULL: not defined
    // More variables, or NULL: a JSON object such as {"enable_thinking": false}. They come last: a member "messages"
    // or "add_generation_prompt" replaces what stands above, so that messages may have more than a role and a
    // content. A number is a float where it has a fraction. What is no JSON object stops the program.
    const char *variables;
    // The day that strftime_now sees, "2026-01-31". NULL: asking for it is a problem, for results must not depend on the
    // day that they are made on.
    const char *date;
    int most_steps; // 0: CHAT_TEMPLATE_MOST_STEPS
} ChatRequest;

typedef struct {
    const char *bos, *eos; // NULL: none
} ChatTokens;

// The source is copied; name stands in messages, and is a file's path as a rule. A mistake stops the program with
// "name:line:column: what"; chat_template_try returns NULL instead, and *problem is that text.
#define chat_template_parse(arena, source, size, name) chat_template_parse_at(HERE, arena, source, size, name)
const ChatTemplate *chat_template_parse_at(Place place, Arena *arena, const char *source, size_t size,
                                           const char *name);
const ChatTemplate *chat_template_try(Arena *arena, const char *source, size_t size, const char *name,
                                      const char **problem);

// The conversation as text, in the arena. NULL when the template refuses it (raise_exception), does what Python would
// not do ("'x' is undefined"), or takes more than it may; *problem then says so as "name:line:column: what".
#define chat_template_render(arena, template, request, problem)                                              \
    chat_template_render_at(HERE, arena, template, request, problem)
const char *chat_template_render_at(Place place, Arena *arena, const ChatTemplate *chat_template,
                                    const ChatRequest *request, const char **problem);

// The template of a model's folder: chat_template.jinja, else "chat_template" of tokenizer_config.json, which is a
// string, or a list of {"name": …, "template": …} of which "default" is taken. NULL when there is neither. A damaged
// file stops the program with its name, the place and what to do.
#define chat_template_open(arena, folder) chat_template_open_at(HERE, arena, folder)
const ChatTemplate *chat_template_open_at(Place place, Arena *arena, const char *folder);

// "bos_token" and "eos_token" of the folder's tokenizer_config.json: each a string, or an object with the string as
// "content".
#define chat_template_tokens(arena, folder) chat_template_tokens_at(HERE, arena, folder)
ChatTokens chat_template_tokens_at(Place place, Arena *arena, const char *folder);
