// chat_template_parse.c: tokens → tree, by recursive descent, with the precedences of jinja2's parser. See
// chat_template.h.
#include "models/chat_template_parts.h"
#include "base/name_table.h"
#include "base/utf8.h"

#include <limits.h>
#include <stdlib.h>

typedef struct {
    Trouble *trouble;
    Arena *arena;
    ChatTemplate *result;
    NameTable names;
    const Token *token;
    int nodes, nested, loops;
} Parser;

#define parse_problem(p, token, ...) chat_problem((p)->trouble, (token)->line, (token)->column, __VA_ARGS__)

static Node *expression(Parser *p);
static Node *expressions(Parser *p, bool conditional);
static Node *unary(Parser *p, bool filters);
static Node *postfix(Parser *p, Node *node);

// ---- Tokens and nodes ----

static bool is_name(const Token *token, const char *name)
{
    return token->kind == NAME_TOKEN && text_is(token->text, text_of(name));
}

static bool is_sign(const Token *token, const char *sign)
{
    return token->kind == SIGN_TOKEN && text_is(token->text, text_of(sign));
}

static bool skip_name(Parser *p, const char *name) { return is_name(p->token, name) && p->token++; }
static bool skip_sign(Parser *p, const char *sign) { return is_sign(p->token, sign) && p->token++; }

static noreturn void unexpected(Parser *p, const char *wanted)
{
    static const char *const what[] = {[TEXT_TOKEN] = "text",
                                       [BLOCK_ENDS] = "the end of the tag",
                                       [PRINT_ENDS] = "the end of the tag",
                                       [SOURCE_ENDS] = "the end"};
    const Token *token = p->token;
    const char *name = token->kind < sizeof what / sizeof *what ? what[token->kind] : NULL;
    if (name) parse_problem(p, token, "%s is expected, not %s", wanted, name);
    parse_problem(p, token, "%s is expected, not %.*s", wanted, SHOWN(token->text));
}

static void want_sign(Parser *p, const char *sign)
{
    if (!skip_sign(p, sign)) unexpected(p, sign);
}

static Node *node_new(Parser *p, NodeKind kind, const Token *token)
{
    if (++p->nodes > CHAT_TEMPLATE_MOST_NODES)
        parse_problem(p, token, "a template of more than %d parts", CHAT_TEMPLATE_MOST_NODES);
    Node *node = arena_zeros(p->arena, 1, sizeof *node);
    node->kind = kind;
    node->line = token->line;
    node->column = token->column;
    return node;
}

// Trees that grow to the left are as deep as they are long.
static Node *deeper_than(Parser *p, Node *node)
{
    const Node *parts[] = {node->a, node->b, node->c};
    for (int i = 0; i < 3; i++)
        if (parts[i] && parts[i]->nested >= node->nested) node->nested = parts[i]->nested + 1;
    for (const Node *part = node->list; part; part = part->next)
        if (part->nested >= node->nested) node->nested = part->nested + 1;
    if (node->nested > 2 * CHAT_TEMPLATE_MOST_NESTED)
        chat_problem(p->trouble, node->line, node->column, "an expression of more than %d parts within parts",
                     2 * CHAT_TEMPLATE_MOST_NESTED);
    return node;
}

static Node *pair(Parser *p, NodeKind kind, int sign, const Token *token, Node *a, Node *b)
{
    Node *node = node_new(p, kind, token);
    node->sign = sign;
    node->a = a;
    node->b = b;
    return deeper_than(p, node);
}

static void nest(Parser *p)
{
    if (++p->nested > CHAT_TEMPLATE_MOST_NESTED)
        parse_problem(p, p->token, "nested more than %d deep", CHAT_TEMPLATE_MOST_NESTED);
}

static int symbol_of(Parser *p, const Token *token)
{
    char name[256];
    if (token->text.size >= sizeof name) parse_problem(p, token, "a name of %zu bytes", token->text.size);
    memcpy(name, token->text.bytes, token->text.size);
    name[token->text.size] = '\0';
    const int known = name_table_find(&p->names, p->result->symbols, name);
    if (known >= 0) return known;
    const int symbol = p->result->symbol_count++;
    if (symbol == CHAT_TEMPLATE_MOST_NAMES)
        parse_problem(p, token, "more than %d names", CHAT_TEMPLATE_MOST_NAMES);
    p->result->symbols[symbol] = arena_string(p->arena, name);
    name_table_put(&p->names, p->result->symbols, symbol);
    return symbol;
}

static const Token *want_name(Parser *p, const char *wanted)
{
    if (p->token->kind != NAME_TOKEN) unexpected(p, wanted);
    return p->token++;
}

static Node *variable(Parser *p, const char *wanted)
{
    const Token *token = want_name(p, wanted);
    Node *node = node_new(p, VARIABLE, token);
    node->text = token->text;
    node->symbol = symbol_of(p, token);
    return node;
}

// ---- Literals ----

static int hexadecimal(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// The character of \x, \u or \U with so many digits; *at moves behind them.
static uint32_t numbered(Trouble *trouble, const Token *token, size_t *at, int digits)
{
    uint32_t c = 0;
    for (int i = 0; i < digits; i++) {
        const int digit = *at < token->text.size ? hexadecimal(token->text.bytes[*at]) : -1;
        if (digit < 0 || c > 0x10FFFF)
            chat_problem(trouble, token->line, token->column,
                         "\\x, \\u and \\U need 2, 4 and 8 hexadecimal digits");
        c = c << 4 | (uint32_t)digit;
        ++*at;
    }
    if (c > 0x10FFFF || (c >> 11) == 0x1B)
        chat_problem(trouble, token->line, token->column, "U+%04X is no character", (unsigned)c);
    return c;
}

static size_t escape(Trouble *trouble, const Token *token, size_t *at, char to[4])
{
    static const char names[] = "abfnrtv\\'\"", meanings[] = "\a\b\f\n\r\t\v\\'\"";
    const char c = token->text.bytes[(*at)++];
    const char *name = c ? strchr(names, c) : NULL;
    if (name) {
        to[0] = meanings[name - names];
        return 1;
    }
    if (c == '\n') return 0;
    if (c == 'x' || c == 'u' || c == 'U')
        return (size_t)utf8_encode(to, numbered(trouble, token, at, c == 'x' ? 2 : c == 'u' ? 4 : 8));
    if (c >= '0' && c <= '7') {
        uint32_t octal = (uint32_t)(c - '0');
        for (int i = 0; i < 2 && token->text.bytes[*at] >= '0' && token->text.bytes[*at] <= '7'; i++)
            octal = octal << 3 | (uint32_t)(token->text.bytes[(*at)++] - '0');
        return (size_t)utf8_encode(to, octal);
    }
    if (c == 'N') chat_problem(trouble, token->line, token->column, "\\N{…} is not known here");
    to[0] = '\\'; // Python keeps what it does not know
    to[1] = c;
    return 2;
}

// Writes the string that a literal stands for, at most twice as long, and returns its size.
static size_t literal(Trouble *trouble, const Token *token, char *to)
{
    const size_t end = token->text.size - 1; // the quote
    size_t size = 0;
    for (size_t at = 1; at < end;) {
        if (token->text.bytes[at] == '\\') {
            at++;
            size += escape(trouble, token, &at, to + size);
        } else {
            to[size++] = token->text.bytes[at++];
        }
    }
    return size;
}

static Value number(Parser *p, const Token *token)
{
    char digits[64];
    size_t size = 0;
    for (size_t i = 0; i < token->text.size; i++) {
        if (size == sizeof digits - 1) parse_problem(p, token, "a number of too many digits");
        if (token->text.bytes[i] != '_') digits[size++] = token->text.bytes[i];
    }
    bool whole;
    int64_t integer;
    double real;
    const bool read = chat_text_number((Text){digits, size}, &whole, &integer, &real);
    if (token->kind == REAL_TOKEN) return real_value(real);
    if (!read || !whole || (size > 1 && digits[0] == '0' && integer != 0))
        parse_problem(p, token, "%.*s is no whole number below 2^63", SHOWN(token->text));
    return integer_value(integer);
}

static Node *constant(Parser *p, const Token *token, Value value)
{
    Node *node = node_new(p, CONSTANT, token);
    node->value = value;
    return node;
}

// Neighbours are one string.
static Node *string_literal(Parser *p)
{
    const Token *first = p->token;
    size_t room = 0;
    for (const Token *token = first; token->kind == STRING_TOKEN; token++) room += 2 * token->text.size;
    char *bytes = arena_alloc(p->arena, room, 1);
    Text text = {bytes, 0};
    for (; p->token->kind == STRING_TOKEN; p->token++)
        text.size += literal(p->trouble, p->token, bytes + text.size);
    return constant(p, first, text_value(text));
}

// ---- Expressions ----

// Puts an expression at the end of a node's list.
static void append(Node *node, Node ***end, Node *item)
{
    if (!*end) *end = &node->list;
    **end = item;
    *end = &item->next;
    node->count++;
}

// What an expression is, as a part of its own in a list: a node may stand in one list only.
static Node *list_literal(Parser *p, NodeKind kind, const char *closing)
{
    const Token *token = p->token++;
    Node *node = node_new(p, kind, token), **end = NULL;
    while (!is_sign(p->token, closing)) {
        if (node->count) {
            want_sign(p, ",");
            if (is_sign(p->token, closing)) break;
        }
        append(node, &end, expression(p));
        if (kind != MAKE_DICT) continue;
        want_sign(p, ":");
        append(node, &end, expression(p));
    }
    p->token++;
    return deeper_than(p, node);
}

// (a), (a,) or (a, b) or ()
static Node *parentheses(Parser *p)
{
    const Token *token = p->token++;
    Node *node;
    if (is_sign(p->token, ")")) {
        node = node_new(p, MAKE_TUPLE, token);
    } else {
        node = expressions(p, true);
    }
    want_sign(p, ")");
    return node;
}

static Node *primary(Parser *p)
{
    const Token *token = p->token;
    if (token->kind == STRING_TOKEN) return string_literal(p);
    if (token->kind == INTEGER_TOKEN || token->kind == REAL_TOKEN) {
        p->token++;
        return constant(p, token, number(p, token));
    }
    if (is_sign(token, "(")) return parentheses(p);
    if (is_sign(token, "[")) return list_literal(p, MAKE_LIST, "]");
    if (is_sign(token, "{")) return list_literal(p, MAKE_DICT, "}");
    if (skip_name(p, "true") || skip_name(p, "True")) return constant(p, token, boolean_value(true));
    if (skip_name(p, "false") || skip_name(p, "False")) return constant(p, token, boolean_value(false));
    if (skip_name(p, "none") || skip_name(p, "None")) return constant(p, token, NONE_VALUE);
    return variable(p, "an expression");
}

// (a, b, name=c): the list of a node
static void arguments(Parser *p, Node *node)
{
    Node **end = NULL;
    bool named = false;
    p->token++;
    while (!is_sign(p->token, ")")) {
        if (node->count) {
            want_sign(p, ",");
            if (is_sign(p->token, ")")) break;
        }
        const Token *token = p->token;
        if (token->kind == NAME_TOKEN && is_sign(token + 1, "=")) {
            p->token += 2;
            Node *keyword = pair(p, KEYWORD, 0, token, expression(p), NULL);
            keyword->text = token->text;
            for (const Node *other = node->list; other; other = other->next)
                if (other->kind == KEYWORD && text_is(other->text, token->text))
                    parse_problem(p, token, "%.*s is given twice", SHOWN(token->text));
            append(node, &end, keyword);
            named = true;
        } else {
            if (named) parse_problem(p, token, "an argument without a name behind one with a name");
            if (is_sign(token, "*") || is_sign(token, "**"))
                parse_problem(p, token, "arguments out of a list, *, are not known here");
            append(node, &end, expression(p));
        }
        if (node->count > MOST_ARGUMENTS)
            parse_problem(p, token, "a call with more than %d arguments", MOST_ARGUMENTS);
    }
    p->token++;
    deeper_than(p, node);
}

// [index] or [from:to:step]
static Node *subscript(Parser *p, Node *of)
{
    const Token *token = p->token++;
    Node *node = pair(p, SLICE, 0, token, of, NULL), **end = NULL;
    bool slice = false;
    for (;;) {
        const bool empty = is_sign(p->token, ":") || is_sign(p->token, "]");
        append(node, &end, empty ? node_new(p, NULL_PART, p->token) : expressions(p, true));
        if (node->count == 3 || !skip_sign(p, ":")) break;
        slice = true;
    }
    want_sign(p, "]");
    if (!slice) {
        node->kind = SUBSCRIPT;
        node->b = node->list;
        node->list = NULL;
        if (node->b->kind == NULL_PART) parse_problem(p, token, "an index is expected");
    }
    return deeper_than(p, node);
}

static Node *attribute(Parser *p, Node *of)
{
    const Token *token = ++p->token;
    if (token->kind == INTEGER_TOKEN) {
        p->token++;
        return pair(p, SUBSCRIPT, 0, token, of, constant(p, token, number(p, token)));
    }
    want_name(p, "a name behind the dot");
    Node *node = pair(p, ATTRIBUTE, 0, token, of, NULL);
    node->text = token->text;
    return node;
}

static Node *call(Parser *p, Node *called)
{
    Node *node = node_new(p, CALL, p->token);
    node->a = called;
    arguments(p, node);
    return node;
}

static Node *postfix(Parser *p, Node *node)
{
    for (;;) {
        if (is_sign(p->token, "."))
            node = attribute(p, node);
        else if (is_sign(p->token, "["))
            node = subscript(p, node);
        else if (is_sign(p->token, "("))
            node = call(p, node);
        else
            return node;
    }
}

// A filter or test behind its | or is. Its name may be one that is not known, as long as it is not reached.
static Node *named_operation(Parser *p, NodeKind kind, Node *of)
{
    const Token *token = want_name(p, kind == FILTER ? "the name of a filter" : "the name of a test");
    Node *node = pair(p, kind, 0, token, of, NULL);
    node->text = token->text;
    node->operation = kind == FILTER ? chat_filter(token->text) : chat_test(token->text);
    return node;
}

static bool begins_argument(const Token *token)
{
    if (token->kind == NAME_TOKEN)
        return !is_name(token, "else") && !is_name(token, "or") && !is_name(token, "and");
    return token->kind == STRING_TOKEN || token->kind == INTEGER_TOKEN || token->kind == REAL_TOKEN ||
           is_sign(token, "[") || is_sign(token, "{");
}

// x is [not] test, test(a), test a
static Node *test(Parser *p, Node *of)
{
    const Token *token = p->token;
    const bool negated = skip_name(p, "not");
    Node *node = named_operation(p, TEST, of), **end = NULL;
    if (is_sign(p->token, "(")) {
        arguments(p, node);
    } else if (begins_argument(p->token)) {
        if (is_name(p->token, "is")) parse_problem(p, p->token, "tests cannot be chained with is");
        nest(p);
        append(node, &end, postfix(p, primary(p)));
        p->nested--;
        deeper_than(p, node);
    }
    return negated ? pair(p, NOT, 0, token, node, NULL) : node;
}

static Node *filters_of(Parser *p, Node *node)
{
    while (skip_sign(p, "|")) {
        node = named_operation(p, FILTER, node);
        if (is_sign(p->token, "(")) arguments(p, node);
    }
    return node;
}

static Node *filtered(Parser *p, Node *node)
{
    for (;;) {
        if (is_sign(p->token, "|"))
            node = filters_of(p, node);
        else if (skip_name(p, "is"))
            node = test(p, node);
        else if (is_sign(p->token, "("))
            node = call(p, node);
        else
            return node;
    }
}

static Node *unary(Parser *p, bool filters)
{
    const Token *token = p->token;
    nest(p);
    Node *node;
    if (skip_sign(p, "-"))
        node = pair(p, NEGATE, 0, token, unary(p, false), NULL);
    else if (skip_sign(p, "+"))
        node = pair(p, PLUS, 0, token, unary(p, false), NULL);
    else
        node = primary(p);
    node = postfix(p, node);
    if (filters) node = filtered(p, node);
    p->nested--;
    return node;
}

// The arithmetic signs by how closely they bind, the loosest first; all of them to the left, as in jinja2.
static Node *arithmetic(Parser *p, int level)
{
    static const char *const signs[4][5] = {{"+", "-"}, {"~"}, {"*", "/", "//", "%"}, {"**"}};
    if (level == 4) return unary(p, true);
    Node *node = arithmetic(p, level + 1);
    for (;;) {
        const Token *token = p->token;
        const char *const *sign = signs[level];
        while (*sign && !is_sign(token, *sign)) sign++;
        if (!*sign) return node;
        p->token++;
        node = pair(p, ARITHMETIC, SIGN((*sign)[0], (*sign)[1]), token, node, arithmetic(p, level + 1));
    }
}

static int comparison_sign(Parser *p)
{
    static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (skip_sign(p, signs[i])) return SIGN(signs[i][0], signs[i][1]);
    if (skip_name(p, "in")) return IN;
    if (!is_name(p->token, "not") || !is_name(p->token + 1, "in")) return 0;
    p->token += 2;
    return NOT_IN;
}

static Node *comparison(Parser *p)
{
    Node *first = arithmetic(p, 0), *node = NULL, **end = NULL;
    for (;;) {
        const Token *token = p->token;
        const int sign = comparison_sign(p);
        if (!sign) return node ? deeper_than(p, node) : first;
        if (!node) node = pair(p, COMPARISON, 0, token, first, NULL);
        append(node, &end, pair(p, COMPARED, sign, token, arithmetic(p, 0), NULL));
    }
}

static Node *negation(Parser *p)
{
    const Token *token = p->token;
    if (!skip_name(p, "not")) return comparison(p);
    nest(p);
    Node *node = pair(p, NOT, 0, token, negation(p), NULL);
    p->nested--;
    return node;
}

static Node *conjunction(Parser *p)
{
    Node *node = negation(p);
    for (const Token *token = p->token; skip_name(p, "and"); token = p->token)
        node = pair(p, AND, 0, token, node, negation(p));
    return node;
}

static Node *disjunction(Parser *p)
{
    Node *node = conjunction(p);
    for (const Token *token = p->token; skip_name(p, "or"); token = p->token)
        node = pair(p, OR, 0, token, node, conjunction(p));
    return node;
}

static Node *expression(Parser *p)
{
    nest(p);
    Node *node = disjunction(p);
    for (const Token *token = p->token; skip_name(p, "if"); token = p->token) {
        node = pair(p, CONDITIONAL, 0, token, node, disjunction(p));
        if (skip_name(p, "else")) node->c = expression(p);
        deeper_than(p, node);
    }
    p->nested--;
    return node;
}

static bool ends_expressions(const Token *token)
{
    return token->kind == PRINT_ENDS || token->kind == BLOCK_ENDS || is_sign(token, ")") ||
           is_sign(token, "]");
}

// One expression, or several with commas between: a tuple. conditional: whether "a if b" is one.
static Node *expressions(Parser *p, bool conditional)
{
    const Token *token = p->token;
    Node *first = conditional ? expression(p) : disjunction(p), **end = NULL;
    if (!is_sign(p->token, ",")) return first;
    Node *node = node_new(p, MAKE_TUPLE, token);
    append(node, &end, first);
    while (skip_sign(p, ",") && !ends_expressions(p->token))
        append(node, &end, conditional ? expression(p) : disjunction(p));
    return deeper_than(p, node);
}

// ---- Statements ----

static Node *statements(Parser *p, const Token *opened, const char *const *ends);

static void end_block(Parser *p)
{
    if (p->token->kind != BLOCK_ENDS) unexpected(p, "the end of the tag");
    p->token++;
}

// The statements up to a tag that begins with one of the names, which are a list with NULL at its end.
static Node *body(Parser *p, const Token *opened, const char *const *ends)
{
    end_block(p);
    nest(p);
    Node *first = statements(p, opened, ends);
    p->nested--;
    return first;
}

static Node *if_statement(Parser *p, const Token *token)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL}, *const last[] = {"endif", NULL};
    Node *node = node_new(p, IF, token), *branch = node;
    node->a = expressions(p, false);
    for (;;) {
        branch->b = body(p, token, branch->a ? ends : last);
        if (skip_name(p, "endif")) return node;
        branch->c = node_new(p, IF, p->token);
        branch = branch->c;
        if (skip_name(p, "elif"))
            branch->a = expressions(p, false);
        else
            p->token++; // else
    }
}

static Node *one_target(Parser *p, bool members)
{
    static const char *const reserved[] = {"true", "false", "none", "True", "False", "None"};
    const Token *token = p->token;
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (is_name(token, reserved[i])) parse_problem(p, token, "%s cannot be set", reserved[i]);
    Node *node = variable(p, "a name");
    if (members && skip_sign(p, ".")) {
        node->kind = MEMBER;
        node->text = want_name(p, "a name behind the dot")->text;
    }
    return node;
}

// a, or a, b or (a, b)
static Node *target(Parser *p, bool members)
{
    const Token *token = p->token;
    const bool enclosed = skip_sign(p, "(");
    Node *first = one_target(p, members), *node = first, **end = NULL;
    if (is_sign(p->token, ",")) {
        if (first->kind == MEMBER) parse_problem(p, token, "names are expected");
        node = node_new(p, MAKE_TUPLE, token);
        append(node, &end, first);
        while (skip_sign(p, ",") && p->token->kind == NAME_TOKEN && !is_name(p->token, "in"))
            append(node, &end, one_target(p, false));
    }
    if (enclosed) want_sign(p, ")");
    return node;
}

static Node *for_statement(Parser *p, const Token *token)
{
    static const char *const ends[] = {"else", "endfor", NULL}, *const last[] = {"endfor", NULL};
    Node *node = node_new(p, FOR, token);
    node->a = target(p, false);
    node->symbol = symbol_of(p, &(Token){.line = token->line, .column = token->column, .text = TEXT("loop")});
    if (!skip_name(p, "in")) unexpected(p, "in");
    node->b = expressions(p, false);
    if (skip_name(p, "if")) node->d = expression(p);
    if (is_name(p->token, "recursive")) parse_problem(p, p->token, "recursive loops are not known here");
    p->loops++;
    node->c = body(p, token, ends);
    p->loops--;
    if (skip_name(p, "else")) node->list = body(p, token, last);
    if (!skip_name(p, "endfor")) unexpected(p, "endfor");
    return node;
}

// The body of a block that a loop around it cannot be left from; and behind its last word
static Node *own_body(Parser *p, const Token *token, const char *const *last)
{
    const int loops = p->loops;
    p->loops = 0;
    Node *inside = body(p, token, last);
    p->loops = loops;
    p->token++;
    return inside;
}

static Node *set_statement(Parser *p, const Token *token)
{
    static const char *const last[] = {"endset", NULL};
    Node *node = node_new(p, SET, token);
    node->a = target(p, true);
    if (skip_sign(p, "=")) {
        node->b = expressions(p, true);
        return node;
    }
    node->b = filters_of(p, node_new(p, CAPTURED, token));
    node->sign = 1; // a block
    node->c = own_body(p, token, last);
    return node;
}

static Node *macro(Parser *p, const Token *token)
{
    static const char *const last[] = {"endmacro", NULL};
    Node *node = node_new(p, DEFINE, token), **end = NULL;
    const Token *name = want_name(p, "the macro's name");
    node->symbol = symbol_of(p, name);
    node->text = name->text;
    if (!is_sign(p->token, "(")) unexpected(p, "(");
    p->token++;
    while (!is_sign(p->token, ")")) {
        if (node->count) want_sign(p, ",");
        Node *parameter = one_target(p, false);
        if (skip_sign(p, "=")) parameter->a = expression(p);
        append(node, &end, parameter);
        if (node->count > MOST_ARGUMENTS)
            parse_problem(p, p->token, "a macro with more than %d parameters", MOST_ARGUMENTS);
    }
    p->token++;
    node->c = own_body(p, token, last);
    return node;
}

static Node *generation(Parser *p, const Token *token)
{
    static const char *const last[] = {"endgeneration", NULL};
    Node *node = node_new(p, GENERATION, token);
    node->c = own_body(p, token, last);
    return node;
}

static Node *statement(Parser *p)
{
    const Token *token = want_name(p, "the name of a statement");
    if (is_name(token, "if")) return if_statement(p, token);
    if (is_name(token, "for")) return for_statement(p, token);
    if (is_name(token, "set")) return set_statement(p, token);
    if (is_name(token, "macro")) return macro(p, token);
    if (is_name(token, "generation")) return generation(p, token);
    if (is_name(token, "break") || is_name(token, "continue")) {
        if (!p->loops) parse_problem(p, token, "%.*s outside of a loop", SHOWN(token->text));
        return node_new(p, is_name(token, "break") ? BREAK : CONTINUE, token);
    }
    parse_problem(p, token, "the statement %.*s is not known here", SHOWN(token->text));
}

static bool at_end(const Parser *p, const char *const *ends)
{
    for (; *ends; ends++)
        if (is_name(p->token, *ends)) return true;
    return false;
}

// opened: the tag that they lie in; NULL: the whole source
static Node *statements(Parser *p, const Token *opened, const char *const *ends)
{
    Node *first = NULL, **end = &first;
    for (;; end = &(*end)->next) {
        const Token *token = p->token;
        if (token->kind == SOURCE_ENDS) {
            if (opened) parse_problem(p, opened, "%.*s is never closed", SHOWN(opened->text));
            return first;
        }
        p->token++;
        if (token->kind == TEXT_TOKEN) {
            *end = node_new(p, OUTPUT, token);
            (*end)->value = text_value(token->text);
        } else if (token->kind == PRINT_BEGINS) {
            *end = node_new(p, PRINT, token);
            (*end)->a = expressions(p, true);
            if (p->token->kind != PRINT_ENDS) unexpected(p, "}}");
            p->token++;
        } else {
            if (at_end(p, ends)) return first;
            *end = statement(p);
            end_block(p);
        }
    }
}

void chat_parse(Trouble *trouble, Arena *arena, Text source, ChatTemplate *result)
{
    static const char *const none[] = {NULL};
    Parser p = {.trouble = trouble, .arena = arena, .result = result};
    const TokenList tokens = chat_tokens(trouble, arena, source);
    result->symbols = arena_alloc(arena, (size_t)int_min(CHAT_TEMPLATE_MOST_NAMES, tokens.count) + 1,
                                  sizeof *result->symbols);
    p.names = name_table_new(arena, (size_t)int_min(CHAT_TEMPLATE_MOST_NAMES, tokens.count) + 1);
    p.token = tokens.items;
    result->body = statements(&p, NULL, none);
}
