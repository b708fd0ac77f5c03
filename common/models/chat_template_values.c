// chat_template_values.c: Python's operators on the values of a template. See chat_template.h.
#include "models/chat_template_parts.h"
#include "base/utf8.h"

#include <limits.h>
#include <math.h>

const char *chat_value_type(Value value)
{
    static const char *const names[] = {[MISSING] = "nothing",
                                        [UNDEFINED] = "an undefined value",
                                        [NONE] = "none",
                                        [BOOLEAN] = "a boolean",
                                        [INTEGER] = "a number",
                                        [REAL] = "a float",
                                        [STRING] = "a string",
                                        [LIST] = "a list",
                                        [TUPLE] = "a tuple",
                                        [RANGE] = "a range",
                                        [GENERATOR] = "what a filter yields",
                                        [VIEW] = "a view of a dictionary",
                                        [DICT] = "a dictionary",
                                        [NAMESPACE] = "a namespace",
                                        [LOOP] = "loop",
                                        [MACRO] = "a macro",
                                        [FUNCTION] = "a function",
                                        [METHOD] = "a method"};
    return names[value.kind];
}

static bool is_listed(Kind kind)
{
    return kind == LIST || kind == TUPLE || kind == RANGE || kind == GENERATOR || kind == VIEW;
}
static bool is_number(Kind kind) { return kind == BOOLEAN || kind == INTEGER || kind == REAL; }
static double number_of(Value value)
{
    return value.kind == REAL      ? value.as.real
           : value.kind == INTEGER ? (double)value.as.integer
                                   : (double)value.as.truth;
}
static int64_t whole_of(Value value) { return value.kind == BOOLEAN ? value.as.truth : value.as.integer; }

// Using what is not there is a problem, but for printing, testing and going through it.
void chat_value_demand(Run *run, Value value)
{
    if (value.kind != UNDEFINED) return;
    if (value.owner == MISSING) chat_run_problem(run, "'%.*s' is undefined", SHOWN(value.as.text));
    chat_run_problem(run, "%s has no '%.*s'", chat_value_type((Value){.kind = (Kind)value.owner}),
                     SHOWN(value.as.text));
}

Value chat_run_undefined(Value owner, Text name)
{
    return (Value){.kind = UNDEFINED, .owner = (int)owner.kind, .as.text = name};
}

bool chat_value_truth(Value value)
{
    switch (value.kind) {
    case MISSING:
    case UNDEFINED:
    case NONE:
        return false;
    case BOOLEAN:
        return value.as.truth;
    case INTEGER:
        return value.as.integer != 0;
    case REAL:
        return value.as.real != 0;
    case STRING:
        return value.as.text.size > 0;
    case LIST:
    case TUPLE:
    case RANGE:
    case VIEW:
        return value.as.list->count > 0;
    case DICT:
        return value.as.dict->count > 0;
    default:
        return true;
    }
}

// ---- Lists and dictionaries ----

List *chat_list_new(Run *run, int64_t count)
{
    if (count > CHAT_TEMPLATE_MOST_ITEMS)
        chat_run_problem(run, "a list of more than %d values", CHAT_TEMPLATE_MOST_ITEMS);
    List *list = chat_run_take(run, 1, sizeof *list);
    *list = (List){.items = count ? chat_run_take(run, (size_t)count, sizeof *list->items) : NULL,
                   .count = (int)count};
    return list;
}

Dict *chat_dict_new(Run *run)
{
    Dict *dict = chat_run_take(run, 1, sizeof *dict);
    *dict = (Dict){0};
    return dict;
}

static bool is_key(Value value)
{
    return value.kind == UNDEFINED || is_number(value.kind) || value.kind == STRING || value.kind == NONE;
}

void chat_value_demand_key(Run *run, Value value)
{
    if (!is_key(value)) chat_run_problem(run, "%s cannot be the key of a dictionary", chat_value_type(value));
}

Value *chat_dict_find(Run *run, const Dict *dict, Value key)
{
    chat_value_demand_key(run, key);
    run_steps(run, (size_t)dict->count / 4);
    for (int i = 0; i < dict->count; i++)
        if (chat_value_equal(run, dict->keys[i], key)) return &dict->values[i];
    return NULL;
}

void chat_dict_put(Run *run, Dict *dict, Value key, Value value)
{
    Value *known = chat_dict_find(run, dict, key);
    if (known) {
        *known = value;
        return;
    }
    if (dict->count == dict->room) {
        const int room = dict->room ? 2 * dict->room : 8;
        Value *keys = chat_list_new(run, room)->items, *values = chat_list_new(run, room)->items;
        for (int i = 0; i < dict->count; i++) keys[i] = dict->keys[i], values[i] = dict->values[i];
        dict->keys = keys;
        dict->values = values;
        dict->room = room;
    }
    dict->keys[dict->count] = key;
    dict->values[dict->count++] = value;
}

int64_t chat_value_length(Run *run, Value value)
{
    if (value.kind == UNDEFINED) return 0;
    if (value.kind == STRING) return (int64_t)chat_text_length(run, value.as.text);
    if (value.kind == DICT) return value.as.dict->count;
    if (value.kind == LOOP) return value.as.loop->items->count;
    if (!is_listed(value.kind) || value.kind == GENERATOR)
        chat_run_problem(run, "%s has no length", chat_value_type(value));
    return value.as.list->count;
}

bool chat_value_is_iterable(Value value)
{
    return value.kind == UNDEFINED || value.kind == STRING || value.kind == DICT || is_listed(value.kind);
}

List *chat_value_items(Run *run, Value value)
{
    if (value.kind == UNDEFINED) return chat_list_new(run, 0);
    if (value.kind == STRING) return chat_text_characters(run, value.as.text);
    if (value.kind == GENERATOR) { // empty from now on
        List *rest = chat_run_take(run, 1, sizeof *rest);
        *rest = *value.as.list;
        value.as.list->count = 0;
        return rest;
    }
    if (is_listed(value.kind)) return value.as.list;
    if (value.kind != DICT) chat_run_problem(run, "%s cannot be gone through", chat_value_type(value));
    List *keys = chat_run_take(run, 1, sizeof *keys);
    *keys = (List){.items = value.as.dict->keys, .count = value.as.dict->count};
    return keys;
}

// ---- Comparing ----

static bool same_sequence(Kind a, Kind b)
{
    return a == b && (a == LIST || a == TUPLE || a == RANGE || a == VIEW);
}

static bool lists_equal(Run *run, const List *a, const List *b)
{
    if (a->count != b->count) return false;
    for (int i = 0; i < a->count; i++)
        if (!chat_value_equal(run, a->items[i], b->items[i])) return false;
    return true;
}

static bool dicts_equal(Run *run, const Dict *a, const Dict *b)
{
    if (a->count != b->count) return false;
    for (int i = 0; i < a->count; i++) {
        const Value *other = chat_dict_find(run, b, a->keys[i]);
        if (!other || !chat_value_equal(run, a->values[i], *other)) return false;
    }
    return true;
}

static int number_order(Value a, Value b)
{
    if (a.kind != REAL && b.kind != REAL) {
        const int64_t x = whole_of(a), y = whole_of(b);
        return x < y ? -1 : x > y;
    }
    const double x = number_of(a), y = number_of(b);
    return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2; // 2: NaN
}

bool chat_value_equal(Run *run, Value a, Value b)
{
    run_steps(run, 1);
    if (is_number(a.kind) && is_number(b.kind)) return number_order(a, b) == 0;
    if (a.kind != b.kind) return false;
    if (a.kind == STRING) {
        if (a.as.text.size == b.as.text.size) run_bytes(run, a.as.text.size);
        return text_is(a.as.text, b.as.text);
    }
    if (a.kind == UNDEFINED || a.kind == NONE) return true;
    if (a.kind == METHOD) return false;
    if (a.kind != DICT && !same_sequence(a.kind, b.kind)) return a.as.list == b.as.list; // the same thing
    chat_run_deeper(run);
    const bool equal =
        a.kind == DICT ? dicts_equal(run, a.as.dict, b.as.dict) : lists_equal(run, a.as.list, b.as.list);
    run->depth--;
    return equal;
}

int chat_value_compare(Run *run, Value a, Value b)
{
    run_steps(run, 1);
    chat_value_demand(run, a);
    chat_value_demand(run, b);
    if (is_number(a.kind) && is_number(b.kind)) return number_order(a, b);
    if (a.kind == STRING && b.kind == STRING) { // the order of UTF-8 is that of its characters
        const size_t size = a.as.text.size < b.as.text.size ? a.as.text.size : b.as.text.size;
        run_bytes(run, size);
        const int order = size ? memcmp(a.as.text.bytes, b.as.text.bytes, size) : 0;
        return order ? order : (a.as.text.size > b.as.text.size) - (a.as.text.size < b.as.text.size);
    }
    if (a.kind != b.kind || (a.kind != LIST && a.kind != TUPLE))
        chat_run_problem(run, "%s and %s have no order", chat_value_type(a), chat_value_type(b));
    const List *x = a.as.list, *y = b.as.list;
    chat_run_deeper(run);
    int order = 0, i = 0;
    while (i < x->count && i < y->count && chat_value_equal(run, x->items[i], y->items[i])) i++;
    if (i < x->count && i < y->count)
        order = chat_value_compare(run, x->items[i], y->items[i]);
    else
        order = x->count - y->count;
    run->depth--;
    return order;
}

bool chat_value_contains(Run *run, Value whole, Value part)
{
    if (whole.kind == STRING) {
        chat_value_demand(run, part);
        if (part.kind != STRING) chat_run_problem(run, "%s cannot be in a string", chat_value_type(part));
        return chat_text_find(run, whole.as.text, part.as.text, 0) >= 0;
    }
    if (whole.kind == DICT) return chat_dict_find(run, whole.as.dict, part) != NULL;
    const List *items = chat_value_items(run, whole);
    for (int i = 0; i < items->count; i++)
        if (chat_value_equal(run, items->items[i], part)) return true;
    return false;
}

// A stable merge sort.
static void sort_between(Run *run, Value *items, Value *keys, Value *spare, int count, bool reverse)
{
    if (count < 2) return;
    const int half = count / 2;
    sort_between(run, items, keys, spare, half, reverse);
    sort_between(run, items + half, keys + half, spare, count - half, reverse);
    for (int i = 0, left = 0, right = half; i < count; i++) {
        bool take_left = left < half;
        if (take_left && right < count) {
            const int order = chat_value_compare(run, keys[right], keys[left]);
            take_left = reverse ? order <= 0 : order >= 0;
        }
        const int from = take_left ? left++ : right++;
        spare[2 * i] = items[from];
        spare[2 * i + 1] = keys[from];
    }
    for (int i = 0; i < count; i++) items[i] = spare[2 * i], keys[i] = spare[2 * i + 1];
}

void chat_list_sort(Run *run, List *list, const Value *keys, bool reverse)
{
    Value *spare = chat_list_new(run, 2 * (int64_t)list->count)->items;
    Value *copy = chat_list_new(run, list->count)->items;
    for (int i = 0; i < list->count; i++) copy[i] = keys[i];
    sort_between(run, list->items, copy, spare, list->count, reverse);
}

// ---- Arithmetic ----

static Value repeated(Run *run, Value value, int64_t times)
{
    if (times < 0) times = 0;
    if (value.kind == STRING) {
        const Text text = value.as.text;
        if (text.size && (uint64_t)times > CHAT_TEMPLATE_MOST_TEXT / text.size)
            chat_run_problem(run, "a text of more than %d bytes", CHAT_TEMPLATE_MOST_TEXT);
        const size_t size = text.size ? text.size * (size_t)times : 0;
        char *bytes = chat_run_take(run, size, 1);
        size_t done = size ? text.size : 0;
        if (done) memcpy(bytes, text.bytes, done);
        for (size_t more; done < size; done += more) { // twice as much each time
            more = done < size - done ? done : size - done;
            memcpy(bytes + done, bytes, more);
        }
        return text_value((Text){bytes, size});
    }
    const List *list = value.as.list;
    if (list->count && times > CHAT_TEMPLATE_MOST_ITEMS / list->count) times = CHAT_TEMPLATE_MOST_ITEMS + 1;
    List *result = chat_list_new(run, list->count * (list->count ? times : 0));
    for (int i = 0; i < result->count; i++) result->items[i] = list->items[i % list->count];
    return list_value(value.kind, result);
}

static Value concatenated(Run *run, Value a, Value b)
{
    const List *x = a.as.list, *y = b.as.list;
    List *list = chat_list_new(run, (int64_t)x->count + y->count);
    if (x->count) memcpy(list->items, x->items, (size_t)x->count * sizeof *x->items);
    if (y->count) memcpy(list->items + x->count, y->items, (size_t)y->count * sizeof *y->items);
    return list_value(a.kind, list);
}

static noreturn void no_arithmetic(Run *run, int sign, Value a, Value b)
{
    const char name[3] = {(char)(sign & 0xff), (char)(sign >> 8), '\0'};
    chat_run_problem(run, "%s %s %s has no meaning", chat_value_type(a), name, chat_value_type(b));
}

static Value power(Run *run, int64_t base, int64_t exponent)
{
    int64_t result = 1;
    if (exponent < 0) chat_run_problem(run, "** is for exponents that are not negative");
    if (base == 0 || base == 1) return integer_value(exponent == 0 ? 1 : base);
    if (base == -1) return integer_value(exponent % 2 ? -1 : 1);
    for (; exponent > 0; exponent--)
        if (__builtin_mul_overflow(result, base, &result))
            chat_run_problem(run, "a whole number beyond 64 bits");
    return integer_value(result);
}

static Value whole_arithmetic(Run *run, int sign, int64_t a, int64_t b)
{
    int64_t result = 0;
    bool beyond = false;
    if (sign == SIGN('*', '*')) return power(run, a, b);
    if (sign == '+') beyond = __builtin_add_overflow(a, b, &result);
    if (sign == '-') beyond = __builtin_sub_overflow(a, b, &result);
    if (sign == '*') beyond = __builtin_mul_overflow(a, b, &result);
    if (sign == '%' || sign == SIGN('/', '/')) {
        if (b == 0) chat_run_problem(run, "division by zero");
        beyond = a == INT64_MIN && b == -1;
        const int64_t rest = beyond ? 0 : a % b;
        const bool down = rest != 0 && (rest < 0) != (b < 0); // Python rounds down
        result = sign == '%' ? rest + (down ? b : 0) : beyond ? 0 : a / b - down;
        if (sign == '%') beyond = false;
    }
    if (beyond) chat_run_problem(run, "a whole number beyond 64 bits");
    return integer_value(result);
}

static Value real_arithmetic(Run *run, int sign, double a, double b)
{
    if (sign == '+') return real_value(a + b);
    if (sign == '-') return real_value(a - b);
    if (sign == '*') return real_value(a * b);
    if (sign == SIGN('*', '*')) chat_run_problem(run, "** is for whole numbers");
    if (b == 0) chat_run_problem(run, "division by zero");
    if (sign == '/') return real_value(a / b);
    double rest = fmod(a, b); // exact
    if (rest == 0)
        rest = copysign(0, b);
    else if ((rest < 0) != (b < 0))
        rest += b; // Python rounds down
    if (sign == '%') return real_value(rest);
    const double quotient = (a - rest) / b, below = floor(quotient);
    return real_value(quotient - below > 0.5 ? below + 1 : below);
}

Value chat_value_arithmetic(Run *run, int sign, Value a, Value b)
{
    if (sign == '~')
        return text_value(chat_text_joined(run, chat_value_text(run, a), chat_value_text(run, b)));
    chat_value_demand(run, a);
    chat_value_demand(run, b);
    if (is_number(a.kind) && is_number(b.kind)) {
        if (a.kind == REAL || b.kind == REAL || sign == '/')
            return real_arithmetic(run, sign, number_of(a), number_of(b));
        return whole_arithmetic(run, sign, whole_of(a), whole_of(b));
    }
    if (sign == '+' && a.kind == STRING && b.kind == STRING)
        return text_value(chat_text_joined(run, a.as.text, b.as.text));
    if (sign == '+' && a.kind == b.kind && (a.kind == LIST || a.kind == TUPLE))
        return concatenated(run, a, b);
    if (sign == '%' && a.kind == STRING) chat_run_problem(run, "formatting with %% is not known here");
    const bool turned = a.kind == INTEGER || a.kind == BOOLEAN;
    const Value times = turned ? a : b, value = turned ? b : a;
    if (sign == '*' && (times.kind == INTEGER || times.kind == BOOLEAN) &&
        (value.kind == STRING || value.kind == LIST || value.kind == TUPLE))
        return repeated(run, value, whole_of(times));
    no_arithmetic(run, sign, a, b);
}

// ---- Parts ----

static Value loop_neighbour(const Loop *loop, int index)
{
    if (index < 0) return chat_run_undefined(MISSING_VALUE, TEXT("there is no previous item"));
    if (index >= loop->items->count) return chat_run_undefined(MISSING_VALUE, TEXT("there is no next item"));
    return loop->items->items[index];
}

// MISSING: it has none of this name
static Value loop_attribute(const Loop *loop, Text name)
{
    const int index = loop->index, count = loop->items->count;
    const struct {
        const char *name;
        int number;
    } numbers[] = {{"index", index + 1},
                   {"index0", index},
                   {"revindex", count - index},
                   {"revindex0", count - index - 1},
                   {"length", count},
                   {"depth", 1},
                   {"depth0", 0}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (text_is(name, text_of(numbers[i].name))) return integer_value(numbers[i].number);
    if (text_is(name, TEXT("first"))) return boolean_value(index == 0);
    if (text_is(name, TEXT("last"))) return boolean_value(index == count - 1);
    if (text_is(name, TEXT("previtem"))) return loop_neighbour(loop, index - 1);
    if (text_is(name, TEXT("nextitem"))) return loop_neighbour(loop, index + 1);
    return MISSING_VALUE;
}

// What Python's getattr finds; MISSING: nothing.
static Value own_attribute(Run *run, Value value, Text name)
{
    if (value.kind == LOOP) {
        const Value found = loop_attribute(value.as.loop, name);
        if (is_given(found)) return found;
    }
    if (value.kind == NAMESPACE) {
        const Value *found = chat_dict_find(run, value.as.dict, text_value(name));
        if (found) return *found;
    }
    if (value.kind == MACRO && text_is(name, TEXT("name"))) return text_value(value.as.macro->text);
    const Operation *operation = chat_method(value.kind, name);
    if (!operation) return MISSING_VALUE;
    Method *method = chat_run_take(run, 1, sizeof *method);
    *method = (Method){value, operation};
    return (Value){.kind = METHOD, .as.method = method};
}

Value chat_value_attribute(Run *run, Value value, Text name)
{
    chat_value_demand(run, value);
    const Value own = own_attribute(run, value, name);
    if (is_given(own)) return own;
    const Value *found = value.kind == DICT ? chat_dict_find(run, value.as.dict, text_value(name)) : NULL;
    return found ? *found : chat_run_undefined(value, name);
}

static Value item_at(Run *run, Value value, int64_t index)
{
    const int64_t count = chat_value_length(run, value), at = index < 0 ? index + count : index;
    if (at < 0 || at >= count) return chat_run_undefined(value, chat_value_text(run, integer_value(index)));
    if (value.kind != STRING) return value.as.list->items[at];
    const size_t from = chat_text_byte(run, value.as.text, at);
    uint32_t c;
    const char *bytes = value.as.text.bytes + from;
    return text_value((Text){bytes, (size_t)utf8_decode(bytes, value.as.text.size - from, &c)});
}

Value chat_value_subscript(Run *run, Value value, Value index)
{
    chat_value_demand(run, value);
    const bool whole = index.kind == INTEGER || index.kind == BOOLEAN;
    if (whole && (value.kind == STRING || value.kind == LIST || value.kind == TUPLE || value.kind == RANGE))
        return item_at(run, value, whole_of(index));
    if (value.kind == DICT && is_key(index)) {
        const Value *found = chat_dict_find(run, value.as.dict, index);
        if (found) return *found;
    }
    if (index.kind != STRING) return chat_run_undefined(value, chat_value_text(run, index));
    const Value own = own_attribute(run, value, index.as.text);
    return is_given(own) ? own : chat_run_undefined(value, index.as.text);
}

Value chat_value_path(Run *run, Value value, Value path, Value otherwise)
{
    if (path.kind != STRING) return chat_value_subscript(run, value, path);
    const Text text = path.as.text;
    for (size_t at = 0; at <= text.size;) {
        size_t end = at;
        while (end < text.size && text.bytes[end] != '.') end++;
        const Text name = {text.bytes + at, end - at};
        bool whole, digits = name.size > 0;
        int64_t integer;
        double real;
        for (size_t i = 0; i < name.size; i++)
            digits = digits && name.bytes[i] >= '0' && name.bytes[i] <= '9';
        digits = digits && chat_text_number(name, &whole, &integer, &real) && whole;
        value = chat_value_subscript(run, value, digits ? integer_value(integer) : text_value(name));
        if (value.kind == UNDEFINED && is_given(otherwise)) value = otherwise;
        at = end + 1;
    }
    return value;
}

static int64_t slice_end(Run *run, Value given, int64_t count, int64_t otherwise, bool backwards)
{
    if (!is_given(given) || given.kind == NONE) return otherwise;
    int64_t at = chat_given_integer(run, given, "the end of a slice", 0);
    if (at < 0) at = at < -count ? -1 : at + count;
    const int64_t low = backwards ? -1 : 0, high = backwards ? count - 1 : count;
    return at < low ? low : at > high ? high : at;
}

Value chat_value_slice(Run *run, Value value, const Value *part)
{
    chat_value_demand(run, value);
    if (value.kind != STRING && value.kind != LIST && value.kind != TUPLE && value.kind != RANGE)
        chat_run_problem(run, "%s has no slices", chat_value_type(value));
    const int64_t step =
        part[2].kind == NONE ? 1 : chat_given_integer(run, part[2], "the step of a slice", 1);
    if (step == 0) chat_run_problem(run, "the step of a slice is 0");
    const int64_t count = chat_value_length(run, value);
    const bool back = step < 0;
    const int64_t from = slice_end(run, part[0], count, back ? count - 1 : 0, back);
    const int64_t to = slice_end(run, part[1], count, back ? -1 : count, back);
    const uint64_t span = back        ? (from > to ? (uint64_t)(from - to) : 0)
                          : to > from ? (uint64_t)(to - from)
                                      : 0;
    if (step == 1 && value.kind == STRING) {
        const size_t begin = chat_text_byte(run, value.as.text, from);
        const Text rest = {value.as.text.bytes + begin, value.as.text.size - begin};
        return text_value((Text){rest.bytes, chat_text_byte(run, rest, (int64_t)span)});
    }
    const uint64_t stride = back ? 0 - (uint64_t)step : (uint64_t)step;
    const List *items = value.kind == STRING ? chat_text_characters(run, value.as.text) : value.as.list;
    List *list = chat_list_new(run, (int64_t)(span / stride + (span % stride != 0)));
    for (int i = 0; i < list->count; i++) list->items[i] = items->items[from + i * step];
    if (value.kind != STRING) return list_value(value.kind, list);
    Buffer buffer = {0};
    for (int i = 0; i < list->count; i++) buffer_text(run, &buffer, list->items[i].as.text);
    return text_value(buffer.size ? (Text){buffer.bytes, buffer.size} : TEXT(""));
}
