// chat_template_parts.h: what the files of the chat templates share. chat_template.c opens folders and has the
// interface; chat_template_lex.c cuts a source into tokens, chat_template_parse.c makes a tree of them,
// chat_template_run.c executes it. Values: chat_template_values.c (Python's operators), chat_template_text.c
// (strings, and values as strings), chat_template_filters.c, chat_template_tests.c and chat_template_methods.c
// (tables of what has a name).
#pragma once
#include "models/chat_template.h"

#include <setjmp.h>
#include <string.h>

// ---- Problems ----
// Parsing and running end at the first problem: chat_problem leaves by longjmp to the function that began. What they
// had taken is the arenas'.

typedef struct {
    jmp_buf leave;
    Arena *arena; // where the text of the problem goes
    const char *name;
    const char *text;
} Trouble;

noreturn void chat_problem(Trouble *trouble, int line, int column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// ---- Values ----

typedef struct {
    const char *bytes; // UTF-8, not a string of C
    size_t size;
} Text;

#define TEXT(literal) ((Text){literal, sizeof(literal) - 1})

typedef enum {
    MISSING, // an argument that was not given
    UNDEFINED,
    NONE,
    BOOLEAN,
    INTEGER,
    REAL,
    STRING,
    LIST,
    TUPLE,
    RANGE,
    GENERATOR, // what filters such as map give: can be gone through once
    VIEW,      // the keys, values or items of a dictionary
    DICT,
    NAMESPACE,
    LOOP,
    MACRO,
    FUNCTION,
    METHOD
} Kind;

typedef struct Node Node;
typedef struct List List;
typedef struct Dict Dict;
typedef struct Loop Loop;
typedef struct Method Method;
typedef struct Operation Operation;

typedef struct {
    Kind kind;
    int owner; // UNDEFINED: the kind of what has no such attribute; MISSING: it is a variable
    union {
        bool truth;
        int64_t integer;
        double real;
        Text text; // UNDEFINED: its name
        List *list;
        Dict *dict;
        Loop *loop;
        const Node *macro;
        const Operation *function;
        const Method *method;
    } as;
} Value;

// Neither is changed once it is made, so parts are shared; but for a namespace's dictionary and a generator's end.
struct List {
    Value *items;
    int count;
    const char *view; // VIEW: its name in Python
};

struct Dict {
    Value *keys, *values; // in the order of insertion
    int count, room;
};

struct Loop {
    const List *items;
    int index; // from 0
};

struct Method {
    Value self;
    const Operation *operation;
};

#define MISSING_VALUE ((Value){.kind = MISSING})
#define NONE_VALUE    ((Value){.kind = NONE})
static inline Value boolean_value(bool truth) { return (Value){.kind = BOOLEAN, .as.truth = truth}; }
static inline Value integer_value(int64_t whole) { return (Value){.kind = INTEGER, .as.integer = whole}; }
static inline Value real_value(double real) { return (Value){.kind = REAL, .as.real = real}; }
static inline Value text_value(Text text) { return (Value){.kind = STRING, .as.text = text}; }
static inline Value list_value(Kind kind, List *list) { return (Value){.kind = kind, .as.list = list}; }
static inline Text text_of(const char *string) { return (Text){string, strlen(string)}; }
static inline bool text_is(Text a, Text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0);
}

// ---- Tokens and tree ----

typedef enum {
    TEXT_TOKEN,
    PRINT_BEGINS, // {{
    PRINT_ENDS,
    BLOCK_BEGINS, // {%
    BLOCK_ENDS,
    NAME_TOKEN,
    STRING_TOKEN, // with its quotes
    INTEGER_TOKEN,
    REAL_TOKEN,
    SIGN_TOKEN, // an operator or bracket
    SOURCE_ENDS
} TokenKind;

typedef struct {
    TokenKind kind;
    int line, column; // from 1; columns are bytes
    Text text;
} Token;

typedef struct {
    Token *items; // the last one is SOURCE_ENDS
    int count;
} TokenList;

TokenList chat_tokens(Trouble *trouble, Arena *arena, Text source);

typedef enum {
    // expressions; what is in a, b, c, list
    CONSTANT,  // value
    VARIABLE,  // symbol
    CAPTURED,  // the text of the set block that is being executed
    MAKE_LIST, // list
    MAKE_TUPLE,
    MAKE_DICT, // list: key, value, key …
    AND,       // a, b
    OR,
    NOT,
    NEGATE,
    PLUS,
    ARITHMETIC,  // a sign b
    COMPARISON,  // a, list of COMPARED
    COMPARED,    // sign a
    CONDITIONAL, // a if b else c
    ATTRIBUTE,   // a.text
    SUBSCRIPT,   // a[b]
    SLICE,       // a[list of three; NULL_PART where nothing is said]
    NULL_PART,
    CALL,   // a(list of arguments; KEYWORD: text = a)
    FILTER, // a | operation(list)
    TEST,   // a is operation(list)
    KEYWORD,
    // statements
    OUTPUT, // value: text as it is
    PRINT,  // a
    IF,     // a (NULL: else), b its body, c the next branch
    FOR,    // a target, b items, c body, d condition, list: else
    SET,    // a target, b value; or c a block, and b what filters make of CAPTURED
    MEMBER, // as a target: symbol.text
    DEFINE, // symbol(list of VARIABLE, each with its default a), c body: a macro
    BREAK,
    CONTINUE,
    GENERATION // c body
} NodeKind;

// Signs of two characters are numbers like '/' | '/' << 8.
#define SIGN(first, second) ((first) | (second) << 8)
enum { IN = 1, NOT_IN = 2 };

struct Node {
    NodeKind kind;
    int sign;
    int line, column;
    int symbol;
    int count;  // of list
    int nested; // how deep expressions lie in it
    Text text;
    Value value;
    const Operation *operation; // NULL: none has this name, which is text
    Node *a, *b, *c, *d, *list, *next;
};

struct ChatTemplate {
    const char *name;
    Node *body;
    char **symbols; // the names
    int symbol_count;
};

void chat_parse(Trouble *trouble, Arena *arena, Text source, ChatTemplate *result);

// ---- Running ----

typedef struct {
    char *bytes;
    size_t size, room;
} Buffer;

typedef struct {
    int symbol;
    Value value;
} Binding;

enum { JOINED = 8 }; // strings that can be appended to

typedef struct {
    Trouble trouble;
    Arena *arena; // while it runs
    const ChatTemplate *source;
    const Node *at; // for messages
    const char *date;
    size_t steps, most_steps, memory;
    int depth;
    Value *globals;    // by symbol; MISSING: not defined
    Binding *bindings; // of scopes within others
    int bound, binding_room;
    int frame;     // the first binding of the macro that is running
    int scope;     // the first binding of the innermost scope; −1: the template's own
    Buffer *out;   // what is printed goes here
    Text captured; // see CAPTURED
    // The ends of strings made by + and ~: appending to one again copies only what is new.
    Buffer joined[JOINED];
    int next_joined;
} Run;

noreturn void chat_run_problem(Run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Two of a text's bounds for "%.*s": at most 60 bytes of it
#define SHOWN(text) (int)((text).size < 60 ? (text).size : 60), (text).bytes ? (text).bytes : ""

static inline void run_steps(Run *run, size_t steps)
{
    run->steps += steps;
    if (run->steps > run->most_steps) chat_run_problem(run, "more than %zu steps", run->most_steps);
}
static inline void run_bytes(Run *run, size_t bytes) { run_steps(run, bytes / 64); }

void *chat_run_take(Run *run, size_t count, size_t size); // memory, not initialised
void chat_run_deeper(Run *run);                           // run->depth-- afterwards

void chat_buffer_put(Run *run, Buffer *buffer, const char *bytes, size_t size);
static inline void buffer_text(Run *run, Buffer *buffer, Text text)
{
    chat_buffer_put(run, buffer, text.bytes, text.size);
}

Value chat_run_evaluate(Run *run, const Node *node);
void chat_run_template(Run *run, const ChatTemplate *source);
Value chat_run_undefined(Value owner, Text name);

// ---- Calls ----

enum { MOST_PARAMETERS = 6, MOST_ARGUMENTS = 64 };

typedef struct {
    const Value *values; // count by position, then keyword_count by name
    int count, keyword_count;
    const Text *keywords;
    Value bound[MOST_PARAMETERS]; // the parameters by name; MISSING: not given
} Arguments;

// A filter, test, method or function. parameters: their names, blanks between; ?name need not be given; "*": the call
// looks at values itself.
struct Operation {
    const char *name, *parameters;
    Value (*call)(Run *run, Value self, Arguments *given);
    unsigned kinds; // of a method: 1 << Kind
};

const Operation *chat_filter(Text name); // NULL: there is none
const Operation *chat_test(Text name);
const Operation *chat_method(Kind kind, Text name);
void chat_functions(Run *run); // defines range, dict, …

Value chat_run_operation(Run *run, const Operation *operation, Value self, Arguments *given);
Value chat_run_call(Run *run, Value called, Arguments *given);
// The operation that an argument names, with the arguments behind it: map('replace', 'a', 'b')
Value chat_run_named(Run *run, bool test, Value self, const Arguments *given, int name_at);

// An argument as what it must be; otherwise where it was not given.
int64_t chat_given_integer(Run *run, Value value, const char *what, int64_t otherwise);
Text chat_given_text(Run *run, Value value, const char *what);
bool chat_given_truth(Run *run, Value value, bool otherwise);
static inline bool is_given(Value value) { return value.kind != MISSING; }

// ---- Operators ----

const char *chat_value_type(Value value); // as Python names it
bool chat_value_truth(Value value);
void chat_value_demand(Run *run, Value value);     // a problem when it is undefined
void chat_value_demand_key(Run *run, Value value); // a problem when it cannot be the key of a dictionary
bool chat_value_equal(Run *run, Value a, Value b);
int chat_value_compare(Run *run, Value a,
                       Value b); // below 0, 0, above 0; a problem when Python has no order for them
bool chat_value_contains(Run *run, Value whole, Value part);
int64_t chat_value_length(Run *run, Value value);
bool chat_value_is_iterable(Value value);
List *chat_value_items(Run *run, Value value); // what a for goes through
Value chat_value_arithmetic(Run *run, int sign, Value a, Value b);
Value chat_value_attribute(Run *run, Value value, Text name);   // value.name
Value chat_value_subscript(Run *run, Value value, Value index); // value[index]
// "a.b.0", or a whole number; otherwise stands for each part that is not there, unless it is MISSING
Value chat_value_path(Run *run, Value value, Value path, Value otherwise);
Value chat_value_slice(Run *run, Value value,
                       const Value *part); // three, MISSING or none where nothing is said

List *chat_list_new(Run *run, int64_t count);
Dict *chat_dict_new(Run *run);
Value *chat_dict_find(Run *run, const Dict *dict, Value key);
void chat_dict_put(Run *run, Dict *dict, Value key, Value value);
void chat_list_sort(Run *run, List *items, const Value *keys, bool reverse); // in place, stable

// ---- Strings ----

Text chat_value_text(Run *run, Value value); // str(value)
Text chat_value_json(Run *run, Value value, Value indent, Value separators, bool sorted, bool ascii);
Text chat_text_joined(Run *run, Text a, Text b);
size_t chat_text_length(Run *run, Text text);                  // in characters
size_t chat_text_byte(Run *run, Text text, int64_t character); // where it begins
Text chat_text_trimmed(Text text, bool left, bool right);      // white space as Unicode knows it
bool chat_text_begins(Text text, Text beginning);
bool chat_text_ends(Text text, Text end);
int64_t chat_text_find(Run *run, Text text, Text part, size_t from); // a byte; −1: not in it
Text chat_text_lower(Run *run, Text text);
Text chat_text_upper(Run *run, Text text);
Text chat_text_title(Run *run, Text text, bool filter);
Text chat_text_capital(Run *run, Text text);
Text chat_text_replaced(Run *run, Text text, Text old, Text by, int64_t most); // most < 0: all
List *chat_text_characters(Run *run, Text text);
List *chat_text_lines(Run *run, Text text);
int chat_text_space(Text text, size_t at); // how many bytes of white space begin here, 0: none
bool chat_text_number(Text text, bool *whole, int64_t *integer,
                      double *real); // as Python's int and float read it
