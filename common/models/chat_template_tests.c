// chat_template_tests.c: the tests of jinja2 (x is defined). See chat_template.h.
#include "models/chat_template_parts.h"

#include <math.h>

#define GIVEN(i) given->bound[i]

// A test that looks at the value alone
#define KIND_TEST(name, condition)                                                                           \
    static Value name(Run *run, Value self, Arguments *given)                                                \
    {                                                                                                        \
        (void)run;                                                                                           \
        (void)given;                                                                                         \
        return boolean_value(condition);                                                                     \
    }

KIND_TEST(test_defined, self.kind != UNDEFINED)
KIND_TEST(test_undefined, self.kind == UNDEFINED)
KIND_TEST(test_none, self.kind == NONE)
KIND_TEST(test_boolean, self.kind == BOOLEAN)
KIND_TEST(test_true, self.kind == BOOLEAN && self.as.truth)
KIND_TEST(test_false, self.kind == BOOLEAN && !self.as.truth)
KIND_TEST(test_integer, self.kind == INTEGER)
KIND_TEST(test_float, self.kind == REAL)
KIND_TEST(test_number, self.kind == INTEGER || self.kind == REAL || self.kind == BOOLEAN)
KIND_TEST(test_string, self.kind == STRING)
KIND_TEST(test_mapping, self.kind == DICT)
KIND_TEST(test_iterable, chat_value_is_iterable(self) || self.kind == LOOP)
// Python asks for a length and for subscripts, which a dictionary has as well.
KIND_TEST(test_sequence, self.kind == UNDEFINED || self.kind == STRING || self.kind == DICT ||
                             self.kind == LIST || self.kind == TUPLE || self.kind == RANGE)
KIND_TEST(test_callable, self.kind == MACRO || self.kind == FUNCTION || self.kind == METHOD ||
                             self.kind == UNDEFINED || self.kind == LOOP)
KIND_TEST(test_filter, self.kind == STRING && chat_filter(self.as.text))
KIND_TEST(test_test, self.kind == STRING && chat_test(self.as.text))

static Value remainder_of(Run *run, Value self, Value by)
{
    return chat_value_arithmetic(run, '%', self, by);
}

static Value test_odd(Run *run, Value self, Arguments *given)
{
    (void)given;
    return boolean_value(chat_value_equal(run, remainder_of(run, self, integer_value(2)), integer_value(1)));
}

static Value test_even(Run *run, Value self, Arguments *given)
{
    (void)given;
    return boolean_value(chat_value_equal(run, remainder_of(run, self, integer_value(2)), integer_value(0)));
}

static Value test_divisibleby(Run *run, Value self, Arguments *given)
{
    return boolean_value(chat_value_equal(run, remainder_of(run, self, GIVEN(0)), integer_value(0)));
}

static Value test_eq(Run *run, Value self, Arguments *given)
{
    return boolean_value(chat_value_equal(run, self, GIVEN(0)));
}
static Value test_ne(Run *run, Value self, Arguments *given)
{
    return boolean_value(!chat_value_equal(run, self, GIVEN(0)));
}
static Value test_in(Run *run, Value self, Arguments *given)
{
    return boolean_value(chat_value_contains(run, GIVEN(0), self));
}

static bool is_nan(Value value) { return value.kind == REAL && isnan(value.as.real); }

static Value ordered(Run *run, Value self, Arguments *given, bool below, bool equal)
{
    const int order = chat_value_compare(run, self, GIVEN(0));
    if (is_nan(self) || is_nan(GIVEN(0))) return boolean_value(false);
    return boolean_value(order == 0 ? equal : (order < 0) == below);
}

static Value test_lt(Run *run, Value self, Arguments *given)
{
    return ordered(run, self, given, true, false);
}
static Value test_le(Run *run, Value self, Arguments *given) { return ordered(run, self, given, true, true); }
static Value test_gt(Run *run, Value self, Arguments *given)
{
    return ordered(run, self, given, false, false);
}
static Value test_ge(Run *run, Value self, Arguments *given)
{
    return ordered(run, self, given, false, true);
}

// Of values that are copied when they are handed on: whether they are the same and of the same kind
static Value test_sameas(Run *run, Value self, Arguments *given)
{
    return boolean_value(self.kind == GIVEN(0).kind && chat_value_equal(run, self, GIVEN(0)));
}

// Python's isupper and islower: a letter is there, and none of the other kind
static Value letters_are(Run *run, Value self, Text (*as)(Run *, Text), Text (*other)(Run *, Text))
{
    const Text text = chat_value_text(run, self);
    return boolean_value(text_is(text, as(run, text)) && !text_is(text, other(run, text)));
}

static Value test_upper(Run *run, Value self, Arguments *given)
{
    (void)given;
    return letters_are(run, self, chat_text_upper, chat_text_lower);
}

static Value test_lower(Run *run, Value self, Arguments *given)
{
    (void)given;
    return letters_are(run, self, chat_text_lower, chat_text_upper);
}

const Operation *chat_test(Text name)
{
    static const Operation tests[] = {
        {"boolean", "", test_boolean, 0},
        {"callable", "", test_callable, 0},
        {"defined", "", test_defined, 0},
        {"divisibleby", "num", test_divisibleby, 0},
        {"eq", "other", test_eq, 0},
        {"equalto", "other", test_eq, 0},
        {"even", "", test_even, 0},
        {"false", "", test_false, 0},
        {"filter", "", test_filter, 0},
        {"float", "", test_float, 0},
        {"ge", "other", test_ge, 0},
        {"greaterthan", "other", test_gt, 0},
        {"gt", "other", test_gt, 0},
        {"in", "seq", test_in, 0},
        {"integer", "", test_integer, 0},
        {"iterable", "", test_iterable, 0},
        {"le", "other", test_le, 0},
        {"lessthan", "other", test_lt, 0},
        {"lower", "", test_lower, 0},
        {"lt", "other", test_lt, 0},
        {"mapping", "", test_mapping, 0},
        {"ne", "other", test_ne, 0},
        {"none", "", test_none, 0},
        {"number", "", test_number, 0},
        {"odd", "", test_odd, 0},
        {"sameas", "other", test_sameas, 0},
        {"sequence", "", test_sequence, 0},
        {"string", "", test_string, 0},
        {"test", "", test_test, 0},
        {"true", "", test_true, 0},
        {"undefined", "", test_undefined, 0},
        {"upper", "", test_upper, 0},
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        if (text_is(name, text_of(tests[i].name))) return &tests[i];
    return NULL;
}
