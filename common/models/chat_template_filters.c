// chat_template_filters.c: calls of what has a name, and the filters of jinja2. See chat_template.h.
#include "models/chat_template_parts.h"

#include <math.h>
#include <stdlib.h>

// ---- Arguments ----

int64_t chat_given_integer(Run *run, Value value, const char *what, int64_t otherwise)
{
    if (!is_given(value)) return otherwise;
    if (value.kind == BOOLEAN) return value.as.truth;
    if (value.kind != INTEGER)
        chat_run_problem(run, "%s: a whole number is expected, not %s", what, chat_value_type(value));
    return value.as.integer;
}

Text chat_given_text(Run *run, Value value, const char *what)
{
    if (value.kind != STRING)
        chat_run_problem(run, "%s: a string is expected, not %s", what, chat_value_type(value));
    return value.as.text;
}

bool chat_given_truth(Run *run, Value value, bool otherwise)
{
    (void)run;
    return is_given(value) ? chat_value_truth(value) : otherwise;
}

// The next name of a list of parameters; *optional: a ? stands in front of it. Empty at the end.
static Text next_parameter(const char **parameters, bool *optional)
{
    *parameters += strspn(*parameters, " ");
    *optional = **parameters == '?';
    *parameters += *optional;
    const Text name = {*parameters, strcspn(*parameters, " ")};
    *parameters += name.size;
    return name;
}

static Value parameter_value(Run *run, Text name, int position, const Arguments *given, int *used)
{
    Value value = {.kind = MISSING};
    if (position < given->count) value = given->values[position], ++*used;
    for (int k = 0; k < given->keyword_count; k++)
        if (text_is(given->keywords[k], name)) {
            if (is_given(value)) chat_run_problem(run, "%.*s is given twice", SHOWN(name));
            value = given->values[given->count + k];
            ++*used;
        }
    return value;
}

Value chat_run_operation(Run *run, const Operation *operation, Value self, Arguments *given)
{
    if (strcmp(operation->parameters, "*") == 0) return operation->call(run, self, given);
    const char *parameters = operation->parameters;
    int used = 0;
    for (int i = 0; i < MOST_PARAMETERS; i++) {
        bool optional;
        const Text name = next_parameter(&parameters, &optional);
        given->bound[i] = MISSING_VALUE;
        if (!name.size) continue;
        given->bound[i] = parameter_value(run, name, i, given, &used);
        if (!is_given(given->bound[i]) && !optional)
            chat_run_problem(run, "%s needs %.*s", operation->name, SHOWN(name));
    }
    if (used < given->count + given->keyword_count)
        chat_run_problem(run, "%s takes these arguments only: %s", operation->name,
                         *operation->parameters ? operation->parameters : "none");
    return operation->call(run, self, given);
}

Value chat_run_named(Run *run, bool test, Value self, const Arguments *given, int name_at)
{
    const Text name = chat_given_text(run, given->values[name_at], "the name of a filter or test");
    const Operation *operation = test ? chat_test(name) : chat_filter(name);
    if (!operation)
        chat_run_problem(run, "the %s %.*s is not known here", test ? "test" : "filter", SHOWN(name));
    Arguments rest = {.values = given->values + name_at + 1, .count = given->count - name_at - 1};
    rest.keywords = given->keywords;
    rest.keyword_count = given->keyword_count;
    run_steps(run, 1);
    chat_run_deeper(run);
    const Value value = chat_run_operation(run, operation, self, &rest);
    run->depth--;
    return value;
}

#define GIVEN(i) given->bound[i]

// ---- Strings ----

static Text own_text(Run *run, Value self)
{
    const Text text = chat_value_text(run, self);
    run_bytes(run, text.size * 4);
    return text;
}

static Value filter_trim(Run *run, Value self, Arguments *given)
{
    if (!is_given(GIVEN(0)) || GIVEN(0).kind == NONE)
        return text_value(chat_text_trimmed(own_text(run, self), true, true));
    const Value text = text_value(own_text(run, self));
    Arguments one = {.values = &GIVEN(0), .count = 1};
    return chat_run_operation(run, chat_method(STRING, TEXT("strip")), text, &one);
}

static Value filter_upper(Run *run, Value self, Arguments *given)
{
    (void)given;
    return text_value(chat_text_upper(run, own_text(run, self)));
}

static Value filter_lower(Run *run, Value self, Arguments *given)
{
    (void)given;
    return text_value(chat_text_lower(run, own_text(run, self)));
}

static Value filter_title(Run *run, Value self, Arguments *given)
{
    (void)given;
    return text_value(chat_text_title(run, own_text(run, self), true));
}

static Value filter_capitalize(Run *run, Value self, Arguments *given)
{
    (void)given;
    return text_value(chat_text_capital(run, own_text(run, self)));
}

static Value filter_string(Run *run, Value self, Arguments *given)
{
    (void)given;
    return text_value(chat_value_text(run, self));
}

static Value filter_replace(Run *run, Value self, Arguments *given)
{
    const int64_t most = GIVEN(2).kind == NONE ? -1 : chat_given_integer(run, GIVEN(2), "count", -1);
    return text_value(chat_text_replaced(run, own_text(run, self), chat_value_text(run, GIVEN(0)),
                                         chat_value_text(run, GIVEN(1)), most));
}

static Value filter_indent(Run *run, Value self, Arguments *given)
{
    const bool first = chat_given_truth(run, GIVEN(1), false), blank = chat_given_truth(run, GIVEN(2), false);
    Text with;
    if (GIVEN(0).kind == STRING) {
        with = GIVEN(0).as.text;
    } else {
        const Value width = integer_value(chat_given_integer(run, GIVEN(0), "width", 4));
        with = chat_value_arithmetic(run, '*', text_value(TEXT(" ")), width).as.text;
    }
    // The newline at the end makes an empty last line one.
    const List *lines =
        chat_text_lines(run, chat_text_joined(run, chat_given_text(run, self, "indent"), TEXT("\n")));
    Buffer buffer = {0};
    for (int i = 0; i < lines->count; i++) {
        const Text line = lines->items[i].as.text;
        run_steps(run, 1);
        if (i) buffer_text(run, &buffer, TEXT("\n"));
        if (i ? blank || line.size : first) buffer_text(run, &buffer, with);
        buffer_text(run, &buffer, line);
    }
    return text_value(buffer.size ? (Text){buffer.bytes, buffer.size} : TEXT(""));
}

static Value filter_join(Run *run, Value self, Arguments *given)
{
    const Text between = is_given(GIVEN(0)) ? chat_value_text(run, GIVEN(0)) : TEXT("");
    const List *items = chat_value_items(run, self);
    Buffer buffer = {0};
    for (int i = 0; i < items->count; i++) {
        Value item = items->items[i];
        run_steps(run, 1);
        if (is_given(GIVEN(1)) && GIVEN(1).kind != NONE)
            item = chat_value_path(run, item, GIVEN(1), MISSING_VALUE);
        if (i) buffer_text(run, &buffer, between);
        buffer_text(run, &buffer, chat_value_text(run, item));
    }
    return text_value(buffer.size ? (Text){buffer.bytes, buffer.size} : TEXT(""));
}

static Value filter_tojson(Run *run, Value self, Arguments *given)
{
    return text_value(chat_value_json(run, self, GIVEN(1), GIVEN(2), chat_given_truth(run, GIVEN(3), false),
                                      chat_given_truth(run, GIVEN(0), false)));
}

static Value filter_safe(Run *run, Value self, Arguments *given)
{
    (void)given;
    return text_value(chat_value_text(run, self));
}

// ---- Numbers ----

static Value filter_int(Run *run, Value self, Arguments *given)
{
    const Value otherwise = is_given(GIVEN(0)) ? GIVEN(0) : integer_value(0);
    bool whole = false;
    int64_t integer = 0;
    double real;
    if (chat_given_integer(run, GIVEN(1), "base", 10) != 10)
        chat_run_problem(run, "int: another base than 10 is not known here");
    chat_value_demand(run, self);
    if (self.kind == INTEGER) return self;
    if (self.kind == BOOLEAN) return integer_value(self.as.truth);
    if (self.kind == REAL)
        real = self.as.real;
    else if (self.kind != STRING ||
             !chat_text_number(own_text(run, self).size < 400 ? self.as.text : TEXT(""), &whole, &integer,
                               &real))
        return otherwise;
    if (whole) return integer_value(integer);
    if (!(fabs(real) < 9.2e18)) {
        if (real == real && !isinf(real)) chat_run_problem(run, "int: a whole number beyond 64 bits");
        return otherwise;
    }
    return integer_value((int64_t)real);
}

static Value filter_float(Run *run, Value self, Arguments *given)
{
    bool whole;
    int64_t integer;
    double real;
    chat_value_demand(run, self);
    if (self.kind == REAL) return self;
    if (self.kind == INTEGER) return real_value((double)self.as.integer);
    if (self.kind == BOOLEAN) return real_value(self.as.truth);
    if (self.kind == STRING &&
        chat_text_number(own_text(run, self).size < 400 ? self.as.text : TEXT(""), &whole, &integer, &real))
        return real_value(real);
    return is_given(GIVEN(0)) ? GIVEN(0) : real_value(0);
}

static Value filter_abs(Run *run, Value self, Arguments *given)
{
    (void)given;
    if (self.kind == REAL) return real_value(fabs(self.as.real));
    const int64_t whole = chat_given_integer(run, self, "abs", 0);
    return whole < 0 ? chat_value_arithmetic(run, '-', integer_value(0), integer_value(whole))
                     : integer_value(whole);
}

static Value filter_round(Run *run, Value self, Arguments *given)
{
    char digits[400];
    const int64_t precision = chat_given_integer(run, GIVEN(0), "precision", 0);
    if (is_given(GIVEN(1)) && !text_is(chat_given_text(run, GIVEN(1), "method"), TEXT("common")))
        chat_run_problem(run, "round: another method than common is not known here");
    if (precision < 0 || precision > 15) chat_run_problem(run, "round: a precision of 0 to 15 is known here");
    if (self.kind != REAL) return integer_value(chat_given_integer(run, self, "round", 0));
    snprintf(digits, sizeof digits, "%.*f", (int)precision, self.as.real); // exact, half to even, as Python
    return real_value(strtod(digits, NULL));
}

// ---- Lists ----

static Value filter_length(Run *run, Value self, Arguments *given)
{
    (void)given;
    return integer_value(chat_value_length(run, self));
}

static List *copy_of(Run *run, const List *items)
{
    List *copy = chat_list_new(run, items->count);
    for (int i = 0; i < items->count; i++) copy->items[i] = items->items[i];
    return copy;
}

static Value filter_list(Run *run, Value self, Arguments *given)
{
    (void)given;
    return list_value(LIST, copy_of(run, chat_value_items(run, self)));
}

static Value filter_first(Run *run, Value self, Arguments *given)
{
    (void)given;
    if (self.kind == STRING || self.kind == LIST || self.kind == TUPLE || self.kind == RANGE)
        return chat_value_subscript(run, self, integer_value(0));
    const List *items = chat_value_items(run, self);
    if (self.kind == GENERATOR && items->count) // the others stay
        *self.as.list = (List){.items = items->items + 1, .count = items->count - 1};
    return items->count ? items->items[0] : chat_run_undefined(MISSING_VALUE, TEXT("the first of nothing"));
}

static Value filter_last(Run *run, Value self, Arguments *given)
{
    (void)given;
    if (self.kind == STRING) return chat_value_subscript(run, self, integer_value(-1));
    if (self.kind == GENERATOR) chat_run_problem(run, "%s has no last value", chat_value_type(self));
    const List *items = chat_value_items(run, self);
    return items->count ? items->items[items->count - 1]
                        : chat_run_undefined(MISSING_VALUE, TEXT("the last of nothing"));
}

static Value filter_reverse(Run *run, Value self, Arguments *given)
{
    (void)given;
    const Value back[3] = {{.kind = MISSING}, {.kind = MISSING}, integer_value(-1)};
    if (self.kind == STRING) return chat_value_slice(run, self, back);
    const List *items = chat_value_items(run, self);
    List *reversed = chat_list_new(run, items->count);
    for (int i = 0; i < items->count; i++) reversed->items[i] = items->items[items->count - 1 - i];
    return list_value(GENERATOR, reversed);
}

static Value filter_items(Run *run, Value self, Arguments *given)
{
    (void)given;
    if (self.kind == UNDEFINED) return list_value(GENERATOR, chat_list_new(run, 0));
    if (self.kind != DICT)
        chat_run_problem(run, "items: a dictionary is expected, not %s", chat_value_type(self));
    Arguments none = {0};
    const Value view = chat_run_operation(run, chat_method(DICT, TEXT("items")), self, &none);
    return list_value(GENERATOR, copy_of(run, view.as.list));
}

// What a list is ordered by: an attribute or the value itself, strings in small letters unless case counts.
static Value key_of(Run *run, Value item, Value attribute, bool case_counts)
{
    if (is_given(attribute) && attribute.kind != NONE)
        item = chat_value_path(run, item, attribute, MISSING_VALUE);
    return item.kind == STRING && !case_counts ? text_value(chat_text_lower(run, item.as.text)) : item;
}

static Value *keys_of(Run *run, const List *items, Value attribute, bool case_counts)
{
    if (attribute.kind == STRING && memchr(attribute.as.text.bytes, ',', attribute.as.text.size))
        chat_run_problem(run, "several attributes are not known here");
    Value *keys = chat_list_new(run, items->count)->items;
    for (int i = 0; i < items->count; i++) {
        run_steps(run, 1);
        keys[i] = key_of(run, items->items[i], attribute, case_counts);
    }
    return keys;
}

static Value filter_sort(Run *run, Value self, Arguments *given)
{
    List *items = copy_of(run, chat_value_items(run, self));
    const Value *keys = keys_of(run, items, GIVEN(2), chat_given_truth(run, GIVEN(1), false));
    chat_list_sort(run, items, keys, chat_given_truth(run, GIVEN(0), false));
    return list_value(LIST, items);
}

static Value filter_dictsort(Run *run, Value self, Arguments *given)
{
    if (self.kind != DICT)
        chat_run_problem(run, "dictsort: a dictionary is expected, not %s", chat_value_type(self));
    const Text by = is_given(GIVEN(1)) ? chat_given_text(run, GIVEN(1), "by") : TEXT("key");
    if (!text_is(by, TEXT("key")) && !text_is(by, TEXT("value")))
        chat_run_problem(run, "dictsort: by is 'key' or 'value', not '%.*s'", SHOWN(by));
    Arguments none = {0};
    List *items =
        copy_of(run, chat_run_operation(run, chat_method(DICT, TEXT("items")), self, &none).as.list);
    const Value at = integer_value(text_is(by, TEXT("value")));
    const Value *keys = keys_of(run, items, at, chat_given_truth(run, GIVEN(0), false));
    chat_list_sort(run, items, keys, chat_given_truth(run, GIVEN(2), false));
    return list_value(LIST, items);
}

static Value filter_unique(Run *run, Value self, Arguments *given)
{
    const List *items = chat_value_items(run, self);
    const Value *keys = keys_of(run, items, GIVEN(1), chat_given_truth(run, GIVEN(0), false));
    List *kept = chat_list_new(run, items->count);
    Value *seen = chat_list_new(run, items->count)->items;
    kept->count = 0;
    for (int i = 0; i < items->count; i++) {
        int k = 0;
        chat_value_demand_key(run, keys[i]);
        while (k < kept->count && !chat_value_equal(run, seen[k], keys[i])) k++;
        if (k < kept->count) continue;
        seen[kept->count] = keys[i];
        kept->items[kept->count++] = items->items[i];
    }
    return list_value(GENERATOR, kept);
}

static Value extreme(Run *run, Value self, Arguments *given, int direction)
{
    const List *items = chat_value_items(run, self);
    const Value *keys = keys_of(run, items, GIVEN(1), chat_given_truth(run, GIVEN(0), false));
    int best = 0;
    for (int i = 1; i < items->count; i++)
        if (chat_value_compare(run, keys[i], keys[best]) * direction > 0) best = i;
    return items->count ? items->items[best]
                        : chat_run_undefined(MISSING_VALUE, TEXT("the extreme of nothing"));
}

static Value filter_max(Run *run, Value self, Arguments *given) { return extreme(run, self, given, 1); }
static Value filter_min(Run *run, Value self, Arguments *given) { return extreme(run, self, given, -1); }

static Value filter_sum(Run *run, Value self, Arguments *given)
{
    const List *items = chat_value_items(run, self);
    Value sum = is_given(GIVEN(1)) ? GIVEN(1) : integer_value(0);
    for (int i = 0; i < items->count; i++) {
        Value item = items->items[i];
        run_steps(run, 1);
        if (is_given(GIVEN(0)) && GIVEN(0).kind != NONE)
            item = chat_value_path(run, item, GIVEN(0), MISSING_VALUE);
        sum = chat_value_arithmetic(run, '+', sum, item);
    }
    return sum;
}

static Value filter_default(Run *run, Value self, Arguments *given)
{
    const Value otherwise = is_given(GIVEN(0)) ? GIVEN(0) : text_value(TEXT(""));
    const bool empty = chat_given_truth(run, GIVEN(1), false) && !chat_value_truth(self);
    return self.kind == UNDEFINED || empty ? otherwise : self;
}

static Value filter_attr(Run *run, Value self, Arguments *given)
{
    const Text name = chat_given_text(run, GIVEN(0), "attr");
    return self.kind == DICT && !chat_method(DICT, name) ? chat_run_undefined(self, name)
                                                         : chat_value_attribute(run, self, name);
}

// ---- Filters that take a filter or test ----

static const Value *keyword(const Arguments *given, const char *name)
{
    for (int k = 0; k < given->keyword_count; k++)
        if (text_is(given->keywords[k], text_of(name))) return &given->values[given->count + k];
    return NULL;
}

// These filters take none, 0 and false for an empty list.
static const List *items_of(Run *run, Value self)
{
    return chat_value_truth(self) ? chat_value_items(run, self) : chat_list_new(run, 0);
}

// map('upper'), map('replace', 'a', 'b'), map(attribute='role', default='')
static Value filter_map(Run *run, Value self, Arguments *given)
{
    const List *items = items_of(run, self);
    const Value *attribute = keyword(given, "attribute"), *otherwise = keyword(given, "default");
    if (given->count == 0 ? !attribute || given->keyword_count != 1 + (otherwise != NULL) : false)
        chat_run_problem(run, "map takes the name of a filter, or attribute= and perhaps default=");
    List *mapped = chat_list_new(run, items->count);
    for (int i = 0; i < items->count; i++) {
        run_steps(run, 1);
        if (given->count) {
            mapped->items[i] = chat_run_named(run, false, items->items[i], given, 0);
            continue;
        }
        const Value none = {.kind = MISSING};
        mapped->items[i] = chat_value_path(run, items->items[i], *attribute, otherwise ? *otherwise : none);
    }
    return list_value(GENERATOR, mapped);
}

// select and reject, by a test of the value or of an attribute, or by its truth
static Value chosen(Run *run, Value self, const Arguments *given, bool attribute, bool wanted)
{
    const List *items = items_of(run, self);
    List *kept = chat_list_new(run, items->count);
    kept->count = 0;
    if (given->count < attribute) chat_run_problem(run, "the name of an attribute is missing");
    for (int i = 0; i < items->count; i++) {
        Value value = items->items[i];
        run_steps(run, 1);
        if (attribute) value = chat_value_path(run, value, given->values[0], MISSING_VALUE);
        if (given->count > attribute) value = chat_run_named(run, true, value, given, attribute);
        if (chat_value_truth(value) == wanted) kept->items[kept->count++] = items->items[i];
    }
    return list_value(GENERATOR, kept);
}

static Value filter_select(Run *run, Value self, Arguments *given)
{
    return chosen(run, self, given, false, true);
}
static Value filter_reject(Run *run, Value self, Arguments *given)
{
    return chosen(run, self, given, false, false);
}
static Value filter_selectattr(Run *run, Value self, Arguments *given)
{
    return chosen(run, self, given, true, true);
}
static Value filter_rejectattr(Run *run, Value self, Arguments *given)
{
    return chosen(run, self, given, true, false);
}

const Operation *chat_filter(Text name)
{
    static const Operation filters[] = {
        {"abs", "", filter_abs, 0},
        {"attr", "name", filter_attr, 0},
        {"capitalize", "", filter_capitalize, 0},
        {"count", "", filter_length, 0},
        {"d", "?default_value ?boolean", filter_default, 0},
        {"default", "?default_value ?boolean", filter_default, 0},
        {"dictsort", "?case_sensitive ?by ?reverse", filter_dictsort, 0},
        {"first", "", filter_first, 0},
        {"float", "?default", filter_float, 0},
        {"indent", "?width ?first ?blank", filter_indent, 0},
        {"int", "?default ?base", filter_int, 0},
        {"items", "", filter_items, 0},
        {"join", "?d ?attribute", filter_join, 0},
        {"last", "", filter_last, 0},
        {"length", "", filter_length, 0},
        {"list", "", filter_list, 0},
        {"lower", "", filter_lower, 0},
        {"map", "*", filter_map, 0},
        {"max", "?case_sensitive ?attribute", filter_max, 0},
        {"min", "?case_sensitive ?attribute", filter_min, 0},
        {"reject", "*", filter_reject, 0},
        {"rejectattr", "*", filter_rejectattr, 0},
        {"replace", "old new ?count", filter_replace, 0},
        {"reverse", "", filter_reverse, 0},
        {"round", "?precision ?method", filter_round, 0},
        {"safe", "", filter_safe, 0},
        {"select", "*", filter_select, 0},
        {"selectattr", "*", filter_selectattr, 0},
        {"sort", "?reverse ?case_sensitive ?attribute", filter_sort, 0},
        {"string", "", filter_string, 0},
        {"sum", "?attribute ?start", filter_sum, 0},
        {"title", "", filter_title, 0},
        {"tojson", "?ensure_ascii ?indent ?separators ?sort_keys", filter_tojson, 0},
        {"trim", "?chars", filter_trim, 0},
        {"unique", "?case_sensitive ?attribute", filter_unique, 0},
        {"upper", "", filter_upper, 0},
    };
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        if (text_is(name, text_of(filters[i].name))) return &filters[i];
    return NULL;
}
