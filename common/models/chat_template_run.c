// chat_template_run.c: executes the tree of a template. See chat_template.h.
//
// Scopes are jinja2's: the template has one, each turn of a loop, the block of a set and each call of a macro have
// one of their own, and if has none. What is set in a scope is forgotten at its end; a namespace's attributes are how
// a loop says something to what follows it.
#include "models/chat_template_parts.h"

#include <stdarg.h>

typedef enum { GOES_ON, BREAKS, CONTINUES } Flow;

static Flow run_body(Run *run, const Node *statement);

// ---- Bounds ----

void chat_run_problem(Run *run, const char *format, ...)
{
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    chat_problem(&run->trouble, run->at ? run->at->line : 1, run->at ? run->at->column : 1, "%s", what);
}

void *chat_run_take(Run *run, size_t count, size_t size)
{
    // count and size are below 2^32 each
    const size_t bytes = count * size + ARENA_ALIGNMENT;
    if (bytes > CHAT_TEMPLATE_MOST_MEMORY - run->memory)
        chat_run_problem(run, "more than %d bytes of memory", CHAT_TEMPLATE_MOST_MEMORY);
    run->memory += bytes;
    run_bytes(run, bytes);
    return arena_alloc(run->arena, count, size);
}

void chat_run_deeper(Run *run)
{
    if (++run->depth > CHAT_TEMPLATE_MOST_DEPTH)
        chat_run_problem(run, "calls or values nested more than %d deep", CHAT_TEMPLATE_MOST_DEPTH);
}

void chat_buffer_put(Run *run, Buffer *buffer, const char *bytes, size_t size)
{
    if (size == 0) return;
    if (size > CHAT_TEMPLATE_MOST_TEXT - buffer->size)
        chat_run_problem(run, "a text of more than %d bytes", CHAT_TEMPLATE_MOST_TEXT);
    if (buffer->size + size > buffer->room) {
        const char *old = buffer->bytes;
        buffer->room = 2 * (buffer->size + size);
        buffer->bytes = chat_run_take(run, buffer->room, 1);
        if (buffer->size) memcpy(buffer->bytes, old, buffer->size);
    }
    run_bytes(run, size);
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
}

// ---- Variables ----

static Value *binding_of(Run *run, int symbol, int first)
{
    for (int i = run->bound - 1; i >= first; i--)
        if (run->bindings[i].symbol == symbol) return &run->bindings[i].value;
    return NULL;
}

static void bind(Run *run, int symbol, Value value)
{
    if (run->scope < 0) {
        run->globals[symbol] = value;
        return;
    }
    Value *known = binding_of(run, symbol, run->scope);
    if (known) {
        *known = value;
        return;
    }
    if (run->bound == run->binding_room) {
        const Binding *old = run->bindings;
        run->binding_room = run->binding_room ? 2 * run->binding_room : 64;
        run->bindings = chat_run_take(run, (size_t)run->binding_room, sizeof *run->bindings);
        if (old) memcpy(run->bindings, old, (size_t)run->bound * sizeof *old);
    }
    run->bindings[run->bound++] = (Binding){symbol, value};
}

static Value variable(Run *run, const Node *node)
{
    run_steps(run, (size_t)(run->bound - run->frame) / 8);
    const Value *known = binding_of(run, node->symbol, run->frame);
    if (!known) known = &run->globals[node->symbol];
    return known->kind == MISSING ? chat_run_undefined(MISSING_VALUE, node->text) : *known;
}

typedef struct {
    int scope, frame;
} Scope;

static Scope scope_enter(Run *run)
{
    const Scope before = {run->scope, run->frame};
    run->scope = run->bound;
    return before;
}

static void scope_leave(Run *run, Scope before)
{
    run->bound = run->scope;
    run->scope = before.scope;
    run->frame = before.frame;
}

static void assign(Run *run, const Node *target, Value value)
{
    run->at = target;
    if (target->kind == VARIABLE) {
        bind(run, target->symbol, value);
    } else if (target->kind == MEMBER) {
        const Value space = variable(run, target);
        if (space.kind != NAMESPACE)
            chat_run_problem(run, "%s is no namespace: its attribute %.*s cannot be set",
                             chat_value_type(space), SHOWN(target->text));
        chat_dict_put(run, space.as.dict, text_value(target->text), value);
    } else {
        const List *items = chat_value_items(run, value);
        if (items->count != target->count)
            chat_run_problem(run, "%d values for %d names", items->count, target->count);
        const Node *name = target->list;
        for (int i = 0; i < items->count; i++, name = name->next) bind(run, name->symbol, items->items[i]);
    }
}

// ---- Expressions ----

// The arguments of a call, filter or test
static void evaluate_arguments(Run *run, const Node *node, Arguments *given, Value *values, Text *keywords)
{
    *given = (Arguments){.values = values, .keywords = keywords};
    for (const Node *item = node->list; item; item = item->next) {
        const bool named = item->kind == KEYWORD;
        values[given->count + given->keyword_count] = chat_run_evaluate(run, named ? item->a : item);
        if (named)
            keywords[given->keyword_count++] = item->text;
        else
            given->count++;
    }
    run->at = node;
}

static Value evaluate_call(Run *run, const Node *node)
{
    const size_t count = (size_t)node->count;
    Value *values = count ? chat_run_take(run, count, sizeof *values) : NULL;
    Text *keywords = count ? chat_run_take(run, count, sizeof *keywords) : NULL;
    Arguments given;
    const Value self = chat_run_evaluate(run, node->a);
    if (node->kind != CALL && !node->operation) {
        run->at = node;
        chat_run_problem(run, "the %s %.*s is not known here", node->kind == FILTER ? "filter" : "test",
                         SHOWN(node->text));
    }
    evaluate_arguments(run, node, &given, values, keywords);
    return node->kind == CALL ? chat_run_call(run, self, &given)
                              : chat_run_operation(run, node->operation, self, &given);
}

static Value evaluate_list(Run *run, const Node *node)
{
    List *list = chat_list_new(run, node->count);
    int i = 0;
    for (const Node *item = node->list; item; item = item->next)
        list->items[i++] = chat_run_evaluate(run, item);
    return list_value(node->kind == MAKE_LIST ? LIST : TUPLE, list);
}

static Value evaluate_dict(Run *run, const Node *node)
{
    Dict *dict = chat_dict_new(run);
    for (const Node *key = node->list; key; key = key->next->next) {
        const Value name = chat_run_evaluate(run, key), value = chat_run_evaluate(run, key->next);
        run->at = node;
        chat_dict_put(run, dict, name, value);
    }
    return (Value){.kind = DICT, .as.dict = dict};
}

static bool compares(Run *run, int sign, Value a, Value b)
{
    switch (sign) {
    case SIGN('=', '='):
        return chat_value_equal(run, a, b);
    case SIGN('!', '='):
        return !chat_value_equal(run, a, b);
    case IN:
        return chat_value_contains(run, b, a);
    case NOT_IN:
        return !chat_value_contains(run, b, a);
    default:
        break;
    }
    const bool numbers =
        (a.kind == REAL && a.as.real != a.as.real) || (b.kind == REAL && b.as.real != b.as.real);
    const int order = chat_value_compare(run, a, b);
    if (numbers) return false; // NaN
    return sign == '<'              ? order < 0
           : sign == '>'            ? order > 0
           : sign == SIGN('<', '=') ? order <= 0
                                    : order >= 0;
}

// a < b < c compares each with its neighbour, and ends at the first that is false.
static Value evaluate_comparison(Run *run, const Node *node)
{
    Value left = chat_run_evaluate(run, node->a);
    for (const Node *part = node->list; part; part = part->next) {
        const Value right = chat_run_evaluate(run, part->a);
        run->at = part;
        if (!compares(run, part->sign, left, right)) return boolean_value(false);
        left = right;
    }
    return boolean_value(true);
}

static Value evaluate_slice(Run *run, const Node *node)
{
    Value parts[3] = {{.kind = MISSING}, {.kind = MISSING}, {.kind = MISSING}};
    const Value of = chat_run_evaluate(run, node->a);
    int i = 0;
    for (const Node *part = node->list; part; part = part->next, i++)
        if (part->kind != NULL_PART) parts[i] = chat_run_evaluate(run, part);
    run->at = node;
    return chat_value_slice(run, of, parts);
}

static Value evaluate_sign(Run *run, const Node *node)
{
    const Value a = chat_run_evaluate(run, node->a);
    run->at = node;
    if (node->kind == PLUS) return chat_value_arithmetic(run, '+', integer_value(0), a);
    return a.kind == REAL ? real_value(-a.as.real) : chat_value_arithmetic(run, '-', integer_value(0), a);
}

static Value evaluate_two(Run *run, const Node *node)
{
    const Value a = chat_run_evaluate(run, node->a);
    if (node->kind == AND || node->kind == OR)
        return chat_value_truth(a) == (node->kind == OR) ? a : chat_run_evaluate(run, node->b);
    const Value b = chat_run_evaluate(run, node->b);
    run->at = node;
    return node->kind == SUBSCRIPT ? chat_value_subscript(run, a, b)
                                   : chat_value_arithmetic(run, node->sign, a, b);
}

static Value evaluate(Run *run, const Node *node)
{
    switch (node->kind) {
    case CONSTANT:
        return node->value;
    case CAPTURED:
        return text_value(run->captured);
    case VARIABLE:
        return variable(run, node);
    case MAKE_LIST:
    case MAKE_TUPLE:
        return evaluate_list(run, node);
    case MAKE_DICT:
        return evaluate_dict(run, node);
    case NOT:
        return boolean_value(!chat_value_truth(chat_run_evaluate(run, node->a)));
    case NEGATE:
    case PLUS:
        return evaluate_sign(run, node);
    case AND:
    case OR:
    case SUBSCRIPT:
    case ARITHMETIC:
        return evaluate_two(run, node);
    case COMPARISON:
        return evaluate_comparison(run, node);
    case CONDITIONAL:
        if (chat_value_truth(chat_run_evaluate(run, node->b))) return chat_run_evaluate(run, node->a);
        if (!node->c) return chat_run_undefined(MISSING_VALUE, TEXT("a value without else"));
        return chat_run_evaluate(run, node->c);
    case SLICE:
        return evaluate_slice(run, node);
    case CALL:
    case FILTER:
    case TEST:
        return evaluate_call(run, node);
    default:
        break;
    }
    const Value of = chat_run_evaluate(run, node->a); // ATTRIBUTE
    run->at = node;
    return chat_value_attribute(run, of, node->text);
}

Value chat_run_evaluate(Run *run, const Node *node)
{
    run->at = node;
    run_steps(run, 1);
    chat_run_deeper(run);
    const Value value = evaluate(run, node);
    run->depth--;
    return value;
}

// ---- Statements ----

// What a body prints, as a string
static Text captured(Run *run, const Node *body)
{
    Buffer buffer = {0}, *before = run->out;
    run->out = &buffer;
    run_body(run, body);
    run->out = before;
    return buffer.size ? (Text){buffer.bytes, buffer.size} : TEXT("");
}

static Value parameter_of(Run *run, const Node *macro, const Node *parameter, int position,
                          const Arguments *given)
{
    const Value *value = position < given->count ? &given->values[position] : NULL;
    for (int k = 0; k < given->keyword_count; k++) {
        if (!text_is(given->keywords[k], parameter->text)) continue;
        if (value)
            chat_run_problem(run, "%.*s: %.*s is given twice", SHOWN(macro->text), SHOWN(parameter->text));
        value = &given->values[given->count + k];
    }
    if (value) return *value;
    if (parameter->a) return chat_run_evaluate(run, parameter->a);
    return chat_run_undefined(MISSING_VALUE, parameter->text);
}

static Value call_macro(Run *run, const Node *macro, const Arguments *given)
{
    if (given->count > macro->count)
        chat_run_problem(run, "the macro %.*s takes %d values, not %d", SHOWN(macro->text), macro->count,
                         given->count);
    for (int k = 0; k < given->keyword_count; k++) {
        const Node *parameter = macro->list;
        while (parameter && !text_is(parameter->text, given->keywords[k])) parameter = parameter->next;
        if (!parameter)
            chat_run_problem(run, "the macro %.*s has no parameter %.*s", SHOWN(macro->text),
                             SHOWN(given->keywords[k]));
    }
    const Scope before = scope_enter(run);
    run->frame = run->scope;
    int position = 0;
    for (const Node *parameter = macro->list; parameter; parameter = parameter->next, position++)
        bind(run, parameter->symbol, parameter_of(run, macro, parameter, position, given));
    const Text text = captured(run, macro->c);
    scope_leave(run, before);
    return text_value(text);
}

Value chat_run_call(Run *run, Value called, Arguments *given)
{
    if (called.kind == METHOD)
        return chat_run_operation(run, called.as.method->operation, called.as.method->self, given);
    if (called.kind == FUNCTION) return chat_run_operation(run, called.as.function, NONE_VALUE, given);
    if (called.kind == MACRO) return call_macro(run, called.as.macro, given);
    if (called.kind == UNDEFINED) {
        if (called.owner == MISSING) chat_run_problem(run, "'%.*s' is undefined", SHOWN(called.as.text));
        chat_run_problem(run, "%s has no method '%.*s' that may be called here",
                         chat_value_type((Value){.kind = (Kind)called.owner}), SHOWN(called.as.text));
    }
    chat_run_problem(run, "%s cannot be called", chat_value_type(called));
}

// The items for which the condition holds
static List *chosen(Run *run, const Node *node, const List *items)
{
    List *kept = chat_list_new(run, items->count);
    kept->count = 0;
    for (int i = 0; i < items->count; i++) {
        const Scope before = scope_enter(run);
        assign(run, node->a, items->items[i]);
        if (chat_value_truth(chat_run_evaluate(run, node->d))) kept->items[kept->count++] = items->items[i];
        scope_leave(run, before);
    }
    return kept;
}

static Flow run_for(Run *run, const Node *node)
{
    const Value over = chat_run_evaluate(run, node->b);
    run->at = node;
    const List *items = chat_value_items(run, over);
    if (node->d) items = chosen(run, node, items);
    const int symbol = node->symbol; // of loop; −1: the template does not speak of it
    Loop *loop = chat_run_take(run, 1, sizeof *loop);
    *loop = (Loop){.items = items};
    Flow flow = GOES_ON;
    bool finished = false; // a turn came to its end: as in jinja2, else is for loops in which none did
    for (; loop->index < items->count && flow != BREAKS; loop->index++) {
        const Scope before = scope_enter(run);
        run_steps(run, 1);
        if (symbol >= 0) bind(run, symbol, (Value){.kind = LOOP, .as.loop = loop});
        assign(run, node->a, items->items[loop->index]);
        flow = run_body(run, node->c);
        finished = finished || flow == GOES_ON;
        scope_leave(run, before);
    }
    if (!finished && node->list) {
        const Scope before = scope_enter(run);
        flow = run_body(run, node->list);
        scope_leave(run, before);
        return flow;
    }
    return GOES_ON;
}

static void run_set(Run *run, const Node *node)
{
    if (node->sign) {
        const Scope before = scope_enter(run);
        const Text text = captured(run, node->c), outer = run->captured;
        scope_leave(run, before);
        run->captured = text;
        const Value value = chat_run_evaluate(run, node->b);
        run->captured = outer;
        assign(run, node->a, value);
    } else {
        assign(run, node->a, chat_run_evaluate(run, node->b));
    }
}

static Flow run_if(Run *run, const Node *node)
{
    for (; node; node = node->c)
        if (!node->a || chat_value_truth(chat_run_evaluate(run, node->a))) return run_body(run, node->b);
    return GOES_ON;
}

static void run_print(Run *run, const Node *node)
{
    const Value value = chat_run_evaluate(run, node->a);
    run->at = node;
    buffer_text(run, run->out, chat_value_text(run, value));
}

static Flow run_statement(Run *run, const Node *node)
{
    run->at = node;
    run_steps(run, 1);
    switch (node->kind) {
    case OUTPUT:
        buffer_text(run, run->out, node->value.as.text);
        return GOES_ON;
    case PRINT:
        run_print(run, node);
        return GOES_ON;
    case IF:
        return run_if(run, node);
    case FOR:
        return run_for(run, node);
    case SET:
        run_set(run, node);
        return GOES_ON;
    case DEFINE:
        bind(run, node->symbol, (Value){.kind = MACRO, .as.macro = node});
        return GOES_ON;
    case BREAK:
        return BREAKS;
    case CONTINUE:
        return CONTINUES;
    default:
        break;
    }
    const Scope before = scope_enter(run); // GENERATION
    run_body(run, node->c);
    scope_leave(run, before);
    return GOES_ON;
}

// Up to a break or continue, which the loop around it takes.
static Flow run_body(Run *run, const Node *statement)
{
    Flow flow = GOES_ON;
    chat_run_deeper(run);
    for (; statement && flow == GOES_ON; statement = statement->next) flow = run_statement(run, statement);
    run->depth--;
    return flow;
}

void chat_run_template(Run *run, const ChatTemplate *source) { run_body(run, source->body); }
