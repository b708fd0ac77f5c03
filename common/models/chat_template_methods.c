// chat_template_methods.c: Python's methods of strings and dictionaries, and the functions that a template may call.
// What would change a list or dictionary is not among them, as in jinja2's immutable sandbox. See chat_template.h.
#include "models/chat_template_parts.h"
#include "base/utf8.h"

#define GIVEN(i) given->bound[i]

// ---- Strings ----

static bool is_among(Text characters, Text character)
{
    for (size_t at = 0; at < characters.size;) {
        uint32_t c;
        const size_t size = (size_t)utf8_decode(characters.bytes + at, characters.size - at, &c);
        if (text_is((Text){characters.bytes + at, size}, character)) return true;
        at += size;
    }
    return false;
}

static Value stripped(Run *run, Value self, Value characters, bool left, bool right)
{
    Text text = self.as.text;
    if (!is_given(characters) || characters.kind == NONE) {
        run_bytes(run, 8 * text.size);
        return text_value(chat_text_trimmed(text, left, right));
    }
    const Text cut = chat_given_text(run, characters, "strip");
    const size_t price = 1 + cut.size / 8;
    while (left && text.size) {
        uint32_t c;
        const size_t size = (size_t)utf8_decode(text.bytes, text.size, &c);
        run_steps(run, price);
        if (!is_among(cut, (Text){text.bytes, size})) break;
        text = (Text){text.bytes + size, text.size - size};
    }
    while (right && text.size) {
        size_t size = 1;
        while (size < text.size && ((unsigned char)text.bytes[text.size - size] & 0xC0) == 0x80) size++;
        run_steps(run, price);
        if (!is_among(cut, (Text){text.bytes + text.size - size, size})) break;
        text.size -= size;
    }
    return text_value(text);
}

static Value string_strip(Run *run, Value self, Arguments *given)
{
    return stripped(run, self, GIVEN(0), true, true);
}
static Value string_lstrip(Run *run, Value self, Arguments *given)
{
    return stripped(run, self, GIVEN(0), true, false);
}
static Value string_rstrip(Run *run, Value self, Arguments *given)
{
    return stripped(run, self, GIVEN(0), false, true);
}

static Value affix(Run *run, Value self, Value wanted, bool (*has)(Text, Text))
{
    if (wanted.kind == STRING) {
        run_bytes(run, wanted.as.text.size);
        return boolean_value(has(self.as.text, wanted.as.text));
    }
    if (wanted.kind != TUPLE)
        chat_run_problem(run, "a string or a tuple of strings is expected, not %s", chat_value_type(wanted));
    for (int i = 0; i < wanted.as.list->count; i++) {
        const Text one = chat_given_text(run, wanted.as.list->items[i], "a string of the tuple");
        run_steps(run, 1 + one.size / 64);
        if (has(self.as.text, one)) return boolean_value(true);
    }
    return boolean_value(false);
}

static Value string_startswith(Run *run, Value self, Arguments *given)
{
    return affix(run, self, GIVEN(0), chat_text_begins);
}
static Value string_endswith(Run *run, Value self, Arguments *given)
{
    return affix(run, self, GIVEN(0), chat_text_ends);
}

static Value without(Run *run, Value self, Value affix_text, bool front)
{
    const Text cut = chat_given_text(run, affix_text, "what is removed");
    Text text = self.as.text;
    run_bytes(run, cut.size);
    if (front ? !chat_text_begins(text, cut) : !chat_text_ends(text, cut)) return self;
    return text_value((Text){front ? text.bytes + cut.size : text.bytes, text.size - cut.size});
}

static Value string_removeprefix(Run *run, Value self, Arguments *given)
{
    return without(run, self, GIVEN(0), true);
}
static Value string_removesuffix(Run *run, Value self, Arguments *given)
{
    return without(run, self, GIVEN(0), false);
}

static Value string_upper(Run *run, Value self, Arguments *given)
{
    (void)given;
    return text_value(chat_text_upper(run, self.as.text));
}

static Value string_lower(Run *run, Value self, Arguments *given)
{
    (void)given;
    return text_value(chat_text_lower(run, self.as.text));
}

static Value string_title(Run *run, Value self, Arguments *given)
{
    (void)given;
    return text_value(chat_text_title(run, self.as.text, false));
}

static Value string_capitalize(Run *run, Value self, Arguments *given)
{
    (void)given;
    return text_value(chat_text_capital(run, self.as.text));
}

static Value string_replace(Run *run, Value self, Arguments *given)
{
    return text_value(chat_text_replaced(run, self.as.text, chat_given_text(run, GIVEN(0), "replace"),
                                         chat_given_text(run, GIVEN(1), "replace"),
                                         chat_given_integer(run, GIVEN(2), "count", -1)));
}

static Value string_splitlines(Run *run, Value self, Arguments *given)
{
    (void)given;
    return list_value(LIST, chat_text_lines(run, self.as.text));
}

static Value string_find(Run *run, Value self, Arguments *given)
{
    const int64_t at = chat_text_find(run, self.as.text, chat_given_text(run, GIVEN(0), "find"), 0);
    return integer_value(at < 0 ? -1
                                : (int64_t)chat_text_length(run, (Text){self.as.text.bytes, (size_t)at}));
}

static Value string_index(Run *run, Value self, Arguments *given)
{
    const Value at = string_find(run, self, given);
    if (at.as.integer < 0)
        chat_run_problem(run, "index: '%.*s' is not in the string", SHOWN(GIVEN(0).as.text));
    return at;
}

static Value string_count(Run *run, Value self, Arguments *given)
{
    const Text part = chat_given_text(run, GIVEN(0), "count");
    if (part.size == 0) return integer_value((int64_t)chat_text_length(run, self.as.text) + 1);
    int64_t count = 0;
    for (int64_t at = 0; (at = chat_text_find(run, self.as.text, part, (size_t)at)) >= 0;
         at += (int64_t)part.size) {
        run_steps(run, 1);
        count++;
    }
    return integer_value(count);
}

static Value string_isspace(Run *run, Value self, Arguments *given)
{
    (void)given;
    run_bytes(run, 8 * self.as.text.size);
    return boolean_value(self.as.text.size && chat_text_trimmed(self.as.text, true, false).size == 0);
}

static Value string_isdigit(Run *run, Value self, Arguments *given)
{
    const Text text = self.as.text;
    bool digits = text.size > 0;
    (void)given;
    run_bytes(run, 8 * text.size);
    for (size_t i = 0; i < text.size; i++) {
        if ((unsigned char)text.bytes[i] >= 0x80)
            chat_run_problem(run, "isdigit is known for the characters of ASCII here");
        digits = digits && text.bytes[i] >= '0' && text.bytes[i] <= '9';
    }
    return boolean_value(digits);
}

static Value string_join(Run *run, Value self, Arguments *given)
{
    const List *items = chat_value_items(run, GIVEN(0));
    Buffer buffer = {0};
    for (int i = 0; i < items->count; i++) {
        run_steps(run, 1);
        if (i) buffer_text(run, &buffer, self.as.text);
        buffer_text(run, &buffer, chat_given_text(run, items->items[i], "join"));
    }
    return text_value(buffer.size ? (Text){buffer.bytes, buffer.size} : TEXT(""));
}

// ---- Splitting ----

typedef struct {
    List *list;
    int room;
} Growing;

static void grow(Run *run, Growing *growing, Text part)
{
    List *list = growing->list;
    run_steps(run, 1);
    if (list->count == growing->room) {
        growing->room = growing->room ? 2 * growing->room : 8;
        if (growing->room > CHAT_TEMPLATE_MOST_ITEMS) growing->room = CHAT_TEMPLATE_MOST_ITEMS;
        Value *items =
            chat_list_new(run, growing->room == list->count ? CHAT_TEMPLATE_MOST_ITEMS + 1 : growing->room)
                ->items;
        for (int i = 0; i < list->count; i++) items[i] = list->items[i];
        list->items = items;
    }
    list->items[list->count++] = text_value(part);
}

static void split_at(Run *run, Growing *parts, Text text, Text separator, int64_t most)
{
    if (separator.size == 0) chat_run_problem(run, "split: an empty separator");
    size_t at = 0;
    for (; most != 0; most--) {
        const int64_t found = chat_text_find(run, text, separator, at);
        if (found < 0) break;
        grow(run, parts, (Text){text.bytes + at, (size_t)found - at});
        at = (size_t)found + separator.size;
    }
    grow(run, parts, (Text){text.bytes + at, text.size - at});
}

static void split_words(Run *run, Growing *parts, Text text, int64_t most)
{
    run_bytes(run, 16 * text.size);
    for (text = chat_text_trimmed(text, true, false); text.size; most--) {
        size_t end = 0;
        while (end < text.size && (most == 0 || !chat_text_space(text, end))) end++;
        grow(run, parts, (Text){text.bytes, end});
        text = chat_text_trimmed((Text){text.bytes + end, text.size - end}, true, false);
    }
}

static Value string_split(Run *run, Value self, Arguments *given)
{
    Growing parts = {.list = chat_list_new(run, 0)};
    int64_t most = chat_given_integer(run, GIVEN(1), "maxsplit", -1);
    if (is_given(GIVEN(0)) && GIVEN(0).kind != NONE)
        split_at(run, &parts, self.as.text, chat_given_text(run, GIVEN(0), "split"), most);
    else
        split_words(run, &parts, self.as.text, most);
    return list_value(LIST, parts.list);
}

// Of what split finds, all but the last are put together again.
static Value string_rsplit(Run *run, Value self, Arguments *given)
{
    const int64_t most = chat_given_integer(run, GIVEN(1), "maxsplit", -1);
    if (!is_given(GIVEN(0)) || GIVEN(0).kind == NONE) {
        if (most >= 0) chat_run_problem(run, "rsplit: without a separator, maxsplit is not known here");
        return string_split(run, self, given);
    }
    const Text separator = chat_given_text(run, GIVEN(0), "rsplit");
    Text text = self.as.text;
    List *parts = chat_list_new(run, 0);
    if (separator.size == 0) chat_run_problem(run, "rsplit: an empty separator");
    Growing backwards = {.list = chat_list_new(run, 0)};
    size_t scanned = 0;
    for (int64_t left = most; left != 0; left--) {
        int64_t at = (int64_t)text.size - (int64_t)separator.size;
        while (at >= 0 && !text_is((Text){text.bytes + at, separator.size}, separator))
            at--, scanned += separator.size;
        run_bytes(run, scanned);
        scanned %= 64;
        if (at < 0) break;
        grow(run, &backwards,
             (Text){text.bytes + at + separator.size, text.size - (size_t)at - separator.size});
        text.size = (size_t)at;
    }
    grow(run, &backwards, text);
    *parts = *chat_list_new(run, backwards.list->count);
    for (int i = 0; i < parts->count; i++) parts->items[i] = backwards.list->items[parts->count - 1 - i];
    return list_value(LIST, parts);
}

// ---- Lists and dictionaries ----

static Value list_index(Run *run, Value self, Arguments *given)
{
    for (int i = 0; i < self.as.list->count; i++)
        if (chat_value_equal(run, self.as.list->items[i], GIVEN(0))) return integer_value(i);
    chat_run_problem(run, "index: the value is not in the list");
}

static Value list_count(Run *run, Value self, Arguments *given)
{
    int64_t count = 0;
    for (int i = 0; i < self.as.list->count; i++)
        count += chat_value_equal(run, self.as.list->items[i], GIVEN(0));
    return integer_value(count);
}

static Value dict_get(Run *run, Value self, Arguments *given)
{
    const Value *found = chat_dict_find(run, self.as.dict, GIVEN(0));
    return found ? *found : is_given(GIVEN(1)) ? GIVEN(1) : NONE_VALUE;
}

static Value view(Run *run, const Dict *dict, const char *name, bool keys, bool values)
{
    List *list = chat_list_new(run, dict->count);
    list->view = name;
    for (int i = 0; i < dict->count; i++) {
        list->items[i] = keys ? dict->keys[i] : dict->values[i];
        if (!keys || !values) continue;
        List *pair = chat_list_new(run, 2);
        pair->items[0] = dict->keys[i];
        pair->items[1] = dict->values[i];
        list->items[i] = list_value(TUPLE, pair);
    }
    return list_value(VIEW, list);
}

static Value dict_keys(Run *run, Value self, Arguments *given)
{
    (void)given;
    return view(run, self.as.dict, "dict_keys", true, false);
}

static Value dict_values(Run *run, Value self, Arguments *given)
{
    (void)given;
    return view(run, self.as.dict, "dict_values", false, true);
}

static Value dict_items(Run *run, Value self, Arguments *given)
{
    (void)given;
    return view(run, self.as.dict, "dict_items", true, true);
}

static Value dict_copy(Run *run, Value self, Arguments *given)
{
    (void)run;
    (void)given;
    return self;
}

static Value loop_cycle(Run *run, Value self, Arguments *given)
{
    if (given->count == 0 || given->keyword_count) chat_run_problem(run, "cycle needs values");
    return given->values[self.as.loop->index % given->count];
}

const Operation *chat_method(Kind kind, Text name)
{
    enum { TEXTS = 1 << STRING, LISTS = 1 << LIST | 1 << TUPLE, DICTS = 1 << DICT };
    static const Operation methods[] = {
        {"capitalize", "", string_capitalize, TEXTS},
        {"copy", "", dict_copy, DICTS | 1 << LIST},
        {"count", "value", list_count, LISTS},
        {"count", "sub", string_count, TEXTS},
        {"cycle", "*", loop_cycle, 1 << LOOP},
        {"endswith", "suffix", string_endswith, TEXTS},
        {"find", "sub", string_find, TEXTS},
        {"get", "key ?default", dict_get, DICTS},
        {"index", "value", list_index, LISTS},
        {"index", "sub", string_index, TEXTS},
        {"isdigit", "", string_isdigit, TEXTS},
        {"isspace", "", string_isspace, TEXTS},
        {"items", "", dict_items, DICTS},
        {"join", "iterable", string_join, TEXTS},
        {"keys", "", dict_keys, DICTS},
        {"lower", "", string_lower, TEXTS},
        {"lstrip", "?chars", string_lstrip, TEXTS},
        {"removeprefix", "prefix", string_removeprefix, TEXTS},
        {"removesuffix", "suffix", string_removesuffix, TEXTS},
        {"replace", "old new ?count", string_replace, TEXTS},
        {"rsplit", "?sep ?maxsplit", string_rsplit, TEXTS},
        {"rstrip", "?chars", string_rstrip, TEXTS},
        {"split", "?sep ?maxsplit", string_split, TEXTS},
        {"splitlines", "", string_splitlines, TEXTS},
        {"startswith", "prefix", string_startswith, TEXTS},
        {"strip", "?chars", string_strip, TEXTS},
        {"title", "", string_title, TEXTS},
        {"upper", "", string_upper, TEXTS},
        {"values", "", dict_values, DICTS},
    };
    if (kind != STRING && kind != LIST && kind != TUPLE && kind != DICT && kind != LOOP) return NULL;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if ((methods[i].kinds >> kind & 1) && text_is(name, text_of(methods[i].name))) return &methods[i];
    return NULL;
}

// ---- Functions ----

static Value function_range(Run *run, Value self, Arguments *given)
{
    (void)self;
    const int64_t first = chat_given_integer(run, GIVEN(0), "range", 0),
                  second = chat_given_integer(run, GIVEN(1), "range", 0);
    const int64_t step = chat_given_integer(run, GIVEN(2), "range", 1);
    const int64_t from = is_given(GIVEN(1)) ? first : 0, to = is_given(GIVEN(1)) ? second : first;
    if (step == 0) chat_run_problem(run, "range: a step of 0");
    const bool up = step > 0;
    const uint64_t stride = up ? (uint64_t)step : 0 - (uint64_t)step;
    const uint64_t span = up          ? (to > from ? (uint64_t)to - (uint64_t)from : 0)
                          : from > to ? (uint64_t)from - (uint64_t)to
                                      : 0;
    const uint64_t count = span / stride + (span % stride != 0);
    if (count > CHAT_TEMPLATE_MOST_RANGE)
        chat_run_problem(run, "a range of more than %d numbers", CHAT_TEMPLATE_MOST_RANGE);
    List *list = chat_list_new(run, (int64_t)count);
    for (int i = 0; i < list->count; i++) list->items[i] = integer_value(from + i * step);
    return list_value(RANGE, list);
}

// dict(a=1), dict(other, a=1), dict([('a', 1)])
static Dict *made_dict(Run *run, const Arguments *given)
{
    Dict *dict = chat_dict_new(run);
    if (given->count > 1)
        chat_run_problem(run, "a dictionary is made of one other, and of names with values");
    if (given->count && given->values[0].kind == DICT) {
        const Dict *other = given->values[0].as.dict;
        for (int i = 0; i < other->count; i++) chat_dict_put(run, dict, other->keys[i], other->values[i]);
    } else if (given->count) {
        const List *pairs = chat_value_items(run, given->values[0]);
        for (int i = 0; i < pairs->count; i++) {
            const List *pair = chat_value_items(run, pairs->items[i]);
            if (pair->count != 2) chat_run_problem(run, "pairs of a key and a value are expected");
            chat_dict_put(run, dict, pair->items[0], pair->items[1]);
        }
    }
    for (int k = 0; k < given->keyword_count; k++)
        chat_dict_put(run, dict, text_value(given->keywords[k]), given->values[given->count + k]);
    return dict;
}

static Value function_dict(Run *run, Value self, Arguments *given)
{
    (void)self;
    return (Value){.kind = DICT, .as.dict = made_dict(run, given)};
}

static Value function_namespace(Run *run, Value self, Arguments *given)
{
    (void)self;
    return (Value){.kind = NAMESPACE, .as.dict = made_dict(run, given)};
}

static Value function_raise(Run *run, Value self, Arguments *given)
{
    (void)self;
    const Text text = chat_value_text(run, GIVEN(0));
    chat_run_problem(run, "%.*s", (int)(text.size < 400 ? text.size : 400), text.bytes);
}

// ---- The day ----

typedef struct {
    int year, month, day;
} Day;

static const char *const month_names[] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};
static const char *const day_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday"};

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static Day given_day(Run *run)
{
    Day day = {0};
    int end = 0;
    if (!run->date) chat_run_problem(run, "strftime_now: the request has no date");
    const bool read = strlen(run->date) == 10 && strspn(run->date, "0123456789-") == 10 &&
                      sscanf(run->date, "%4d-%2d-%2d%n", &day.year, &day.month, &day.day, &end) == 3 &&
                      end == 10;
    if (!read || day.year < 1 || day.month < 1 || day.month > 12 || day.day < 1 ||
        day.day > days_in(day.year, day.month))
        chat_run_problem(run, "strftime_now: \"%.20s\" is no date such as 2026-01-31", run->date);
    return day;
}

static int day_of_year(Day day)
{
    int days = day.day;
    for (int month = 1; month < day.month; month++) days += days_in(day.year, month);
    return days;
}

static int weekday(Day day) // 0: Sunday
{
    const int before = day.year - 1;
    return (before * 365 + before / 4 - before / 100 + before / 400 + day_of_year(day)) % 7;
}

// What %letter stands for; false: it is not known, or asks for the time of day.
static bool day_part(char text[32], Day day, char letter, bool unpadded)
{
    const int numbers[] = {['Y'] = day.year,
                           ['y'] = day.year % 100,
                           ['m'] = day.month,
                           ['d'] = day.day,
                           ['j'] = day_of_year(day),
                           ['w'] = weekday(day),
                           ['u'] = weekday(day) ? weekday(day) : 7};
    static const char padded[] = "ymd";
    if (letter == 'A' || letter == 'a')
        snprintf(text, 32, letter == 'A' ? "%s" : "%.3s", day_names[weekday(day)]);
    else if (letter == 'B' || letter == 'b' || letter == 'h')
        snprintf(text, 32, letter == 'B' ? "%s" : "%.3s", month_names[day.month - 1]);
    else if (letter == 'F')
        snprintf(text, 32, "%d-%02d-%02d", day.year, day.month, day.day);
    else if (letter == 'e')
        snprintf(text, 32, unpadded ? "%d" : "%2d", day.day);
    else if (letter == '%')
        snprintf(text, 32, "%%");
    else if (!letter || !strchr("Yymdjwu", letter))
        return false;
    else
        snprintf(text, 32,
                 unpadded                 ? "%d"
                 : letter == 'j'          ? "%03d"
                 : strchr(padded, letter) ? "%02d"
                                          : "%d",
                 numbers[(int)letter]);
    return true;
}

static Value function_strftime_now(Run *run, Value self, Arguments *given)
{
    (void)self;
    const Text format = chat_given_text(run, GIVEN(0), "strftime_now");
    const Day day = given_day(run);
    Buffer buffer = {0};
    for (size_t at = 0; at < format.size; at++) {
        if (format.bytes[at] != '%') {
            chat_buffer_put(run, &buffer, format.bytes + at, 1);
            continue;
        }
        char text[32];
        const bool unpadded = at + 1 < format.size && format.bytes[at + 1] == '-';
        at += 1 + unpadded;
        const char letter = at < format.size ? format.bytes[at] : '\0';
        run_steps(run, 1);
        if (!day_part(text, day, letter, unpadded)) {
            const char shown = letter >= ' ' && letter < 0x7f ? letter : '?';
            chat_run_problem(run, "strftime_now: %%%c is not known here; the parts of a date are", shown);
        }
        buffer_text(run, &buffer, text_of(text));
    }
    return text_value(buffer.size ? (Text){buffer.bytes, buffer.size} : TEXT(""));
}

void chat_functions(Run *run)
{
    static const Operation functions[] = {
        {"dict", "*", function_dict, 0},
        {"namespace", "*", function_namespace, 0},
        {"raise_exception", "message", function_raise, 0},
        {"range", "start ?stop ?step", function_range, 0},
        {"strftime_now", "format", function_strftime_now, 0},
    };
    for (int i = 0; i < run->source->symbol_count; i++)
        for (size_t k = 0; k < sizeof functions / sizeof *functions; k++)
            if (strcmp(run->source->symbols[i], functions[k].name) == 0)
                run->globals[i] = (Value){.kind = FUNCTION, .as.function = &functions[k]};
}
