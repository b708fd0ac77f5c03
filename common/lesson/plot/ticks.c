// Chooses the ticks of an axis: where they are and what is written at them. On every axis, however short or far from 0, at
// least two ticks are named; no two names are equal, and none touches the next.
#include "lesson/plot/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TICKS = 1024, USUAL_DIGITS = 6, MOST_DIGITS = 17 };

// ---- Which ticks may be -------------------------------------------------------------------------------------------------

// Whether the named ticks are at least two and keep apart.
static bool fits(const Ticks *ticks, Axis axis, Ruler ruler)
{
    double end = -INFINITY;
    int named = 0;
    for (int i = 0; i < ticks->count; i++) {
        const Tick *tick = &ticks->ticks[i];
        if (!*tick->name) continue;
        double middle = ruler.length * axis_fraction(axis, tick->at);
        double half = 0.5 * (ruler.name_length ? ruler.name_length(tick->name) : ruler.line);
        if (middle - half < end + ruler.gap) return false;
        end = middle + half;
        named++;
    }
    return named >= 2;
}

static int named(const Ticks *ticks)
{
    int count = 0;
    for (int i = 0; i < ticks->count; i++) count += *ticks->ticks[i].name != '\0';
    return count;
}

// ---- Numbers ------------------------------------------------------------------------------------------------------------

// mantissa · 10^exponent; below 1 by a division, which is exact where a product with 0.1 is not.
static double decimal(double mantissa, int exponent)
{
    if (exponent >= 0) return mantissa * pow(10.0, exponent);
    if (exponent >= -300) return mantissa / pow(10.0, -exponent);
    return mantissa / pow(10.0, 300) / pow(10.0, -exponent - 300);
}

static int magnitude_of(double number) { return number > 0.0 ? (int)floor(log10(number) + 1e-9) : 0; }

// Where a number needs more than the usual digits, all before its point are written: 1000100 and not 1.0001e+06.
static int written_out(int digits, double largest)
{
    int magnitude = magnitude_of(largest);
    if (digits <= USUAL_DIGITS) return USUAL_DIGITS;
    return int_min(magnitude < 15 ? int_max(digits, magnitude + 1) : digits, MOST_DIGITS);
}

// The digits that a multiple of 10^exponent needs, when none is larger than this.
static int digits_for(double largest, int exponent)
{
    return largest > 0.0 ? written_out(magnitude_of(largest) - exponent + 1, largest) : USUAL_DIGITS;
}

static void add_tick(Ticks *ticks, double at, const char *name)
{
    if (ticks->count < MOST_TICKS) ticks->ticks[ticks->count++] = (Tick){at, name};
}

static const char *number_text(Arena *arena, double number, int digits)
{
    char text[64];
    snprintf(text, sizeof text, "%.*g", digits, number);
    return arena_string(arena, text);
}

// The multiples of mantissa · 10^exponent from end to end. One that lies less than a pixel outside is drawn at the end: a
// share of 0.9998 at most still has its 1.
static Ticks multiples(Arena *arena, Axis axis, int mantissa, int exponent)
{
    Ticks ticks = {.ticks = arena_alloc(arena, MOST_TICKS, sizeof *ticks.ticks)};
    double step = decimal(mantissa, exponent), room = 2e-3 * (axis.high - axis.low) / step;
    double first = ceil(axis.low / step - room), last = floor(axis.high / step + room);
    int digits = digits_for(fmax(fabs(axis.low), fabs(axis.high)), exponent);
    for (double k = first; k <= last && ticks.count < MOST_TICKS; k += 1.0) {
        double value = k == 0.0 ? 0.0 : decimal(k * mantissa, exponent); // without a sign
        add_tick(&ticks, fmin(fmax(value, axis.low), axis.high), number_text(arena, value, digits));
    }
    return ticks;
}

// ---- Linear axes --------------------------------------------------------------------------------------------------------

// The first step that gives 4 to 10 parts: 2, 5 or 10 of the power of ten below a tenth of the axis.
static void first_step(Axis axis, int *mantissa, int *exponent)
{
    double span = axis.high - axis.low;
    *exponent = (int)floor(log10(span));
    double leading = span / decimal(1.0, *exponent);
    *mantissa = leading < 2.0 ? 2 : leading < 5.0 ? 5 : 1;
    if (leading < 5.0) --*exponent;
}

static void next_step(int *mantissa, int *exponent)
{
    *mantissa = *mantissa == 1 ? 2 : *mantissa == 2 ? 5 : 1;
    if (*mantissa == 1) ++*exponent;
}

// The names of the first and the last tick alone.
static Ticks ends_only(Ticks ticks)
{
    int first = 0, last = ticks.count - 1;
    while (first < last && !*ticks.ticks[first].name) first++;
    while (first < last && !*ticks.ticks[last].name) last--;
    for (int i = first + 1; i < last; i++) ticks.ticks[i].name = "";
    return ticks;
}

static Ticks linear_ticks(Arena *arena, Axis axis, Ruler ruler)
{
    int mantissa, exponent;
    first_step(axis, &mantissa, &exponent);
    Ticks first = multiples(arena, axis, mantissa, exponent), ticks = first;
    for (; ticks.count >= 2; ticks = multiples(arena, axis, mantissa, exponent)) {
        if (fits(&ticks, axis, ruler)) return ticks;
        next_step(&mantissa, &exponent);
    }
    return ends_only(first);
}

// ---- Logarithmic axes ---------------------------------------------------------------------------------------------------

static const char *power_text(Arena *arena, int mantissa, int exponent)
{
    static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char digits[16], text[64] = "";
    snprintf(digits, sizeof digits, "%d", exponent);
    if (mantissa != 1) snprintf(text, sizeof text, "%d·", mantissa);
    strcat(text, "10");
    for (const char *at = digits; *at; at++) strcat(text, *at == '-' ? "⁻" : raised[*at - '0']);
    return arena_string(arena, text);
}

// Every so many powers of ten one has a tick and a name, and so have these multiples of each. The other multiples have
// a tick where there are few powers.
static Ticks powers(Arena *arena, Axis axis, int every, const char *multiples_named)
{
    Ticks ticks = {.ticks = arena_alloc(arena, MOST_TICKS, sizeof *ticks.ticks)};
    int first = (int)floor(log10(axis.low)), last = (int)ceil(log10(axis.high));
    bool plain = axis.low >= 0.9e-4 && axis.high <= 1.1e5;
    for (int exponent = first; exponent <= last; exponent++) {
        for (int mantissa = 1; mantissa <= 9; mantissa++) {
            double value = mantissa * pow(10.0, exponent);
            if (value < axis.low * (1.0 - 1e-9) || value > axis.high * (1.0 + 1e-9)) continue;
            bool has_name = mantissa == 1 ? (exponent - first) % every == 0
                                          : strchr(multiples_named, '0' + mantissa) != NULL;
            if (!has_name && (last - first > 8 || mantissa == 1)) continue;
            add_tick(&ticks, value,
                     !has_name ? ""
                     : plain   ? number_text(arena, value, USUAL_DIGITS)
                               : power_text(arena, mantissa, exponent));
        }
    }
    return ticks;
}

// From many to few: 1, 2 and 5 times each power where there are few powers; all multiples where these are fewer than
// three names; even steps, as on a linear axis, where also these are; and powers alone, ever fewer.
static Ticks log_ticks(Arena *arena, Axis axis, Ruler ruler)
{
    int decades = (int)ceil(log10(axis.high)) - (int)floor(log10(axis.low));
    if (decades <= 3) {
        Ticks some = powers(arena, axis, 1, "25"), all = powers(arena, axis, 1, "23456789");
        if (named(&some) >= 3 && fits(&some, axis, ruler)) return some;
        if (named(&all) >= 3 && fits(&all, axis, ruler)) return all;
        Ticks even = linear_ticks(arena, axis, ruler);
        if (named(&some) < 3 && named(&even) >= 3 && fits(&even, axis, ruler)) return even;
        if (fits(&some, axis, ruler)) return some;
    }
    for (int every = (decades + 9) / 10; every <= decades; every++) {
        Ticks few = powers(arena, axis, every, "");
        if (fits(&few, axis, ruler)) return few;
    }
    return decades <= 3 ? linear_ticks(arena, axis, ruler) : ends_only(powers(arena, axis, 1, ""));
}

Ticks choose_ticks(Arena *arena, Axis axis, Ruler ruler)
{
    Ticks ticks = axis.log ? log_ticks(arena, axis, ruler) : linear_ticks(arena, axis, ruler);
    ticks.crowded = !fits(&ticks, axis, ruler);
    return ticks;
}

// ---- Numbers that the chapter has chosen ----------------------------------------------------------------------------------

static int by_size(const void *a, const void *b)
{
    const double *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

int telling_digits(Arena *arena, const double *numbers, int count)
{
    double *sorted = arena_alloc(arena, (size_t)count, sizeof *sorted);
    for (int i = 0; i < count; i++) sorted[i] = numbers[i];
    qsort(sorted, (size_t)count, sizeof *sorted, by_size);
    int digits = USUAL_DIGITS;
    for (int i = 0; i + 1 < count;) {
        char a[400], b[400];
        snprintf(a, sizeof a, "%.*g", digits, sorted[i]);
        snprintf(b, sizeof b, "%.*g", digits, sorted[i + 1]);
        bool alike = sorted[i] != sorted[i + 1] && strcmp(a, b) == 0 && digits < MOST_DIGITS;
        if (alike) digits++;
        if (!alike) i++;
    }
    double largest = count ? fmax(fabs(sorted[0]), fabs(sorted[count - 1])) : 0.0;
    return written_out(digits, largest);
}
