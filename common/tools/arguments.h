// arguments.h: command lines, for the tools that take options (sample.c, chat.c, draw.c). What is no number, or outside of
// low … high, stops the program with the option's name, what it is, what was expected, and the usage.
#pragma once
#include "base/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline double number_argument(const char *usage, const char *name, const char *text, double low,
                                     double high)
{
    char *end = NULL;
    double value = strtod(text, &end);
    bool plain = *text && text[strspn(text, "0123456789.eE+-")] == '\0' && !*end; // no blanks, nan, inf, 0x10
    check(plain && value >= low && value <= high, usage, "%s is '%s', expected %g to %g", name, text, low,
          high);
    return value;
}

static inline uint64_t whole_argument(const char *usage, const char *name, const char *text, uint64_t low,
                                      uint64_t high)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    bool digits = *text && text[strspn(text, "0123456789")] == '\0' && !errno;
    check(digits && value >= low && value <= high, usage,
          "%s is '%s', expected a whole number from %llu to %llu", name, text, (unsigned long long)low,
          (unsigned long long)high);
    return value;
}

// An option in either form, "--name=value" or "--name" "value": its name and its value. Returns how many arguments that was.
// A name that is longer than all options comes out cut short, which is none.
static inline int option_argument(const char *usage, const char *argument, const char *next, char name[32],
                                  const char **value)
{
    const char *equals = strchr(argument, '=');
    snprintf(name, 32, "%.*s", (int)(equals ? (size_t)(equals - argument) : strlen(argument)), argument);
    check(equals || next, usage, "%s needs a value", name);
    *value = equals ? equals + 1 : next;
    return equals ? 1 : 2;
}

// A command line of options, "set" one by one, and at most one text beside them, which is returned (NULL: none); `texts` is
// what two of them are called. Behind -- a text may begin with dashes. --help and -h print the usage and end the program.
typedef void SetOption(void *options, const char *name, const char *value);
static inline const char *read_arguments(int argc, char **argv, const char *usage, const char *texts,
                                         SetOption *set, void *options)
{
    const char *text = NULL;
    bool dashes = false; // "--" was there
    for (int i = 1; i < argc;) {
        const char *argument = argv[i];
        if (!dashes && (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)) {
            puts(usage);
            exit(EXIT_SUCCESS);
        }
        if (!dashes && strcmp(argument, "--") == 0) {
            dashes = true;
            i++;
        } else if (!dashes && strncmp(argument, "--", 2) == 0) {
            char name[32];
            const char *value;
            i += option_argument(usage, argument, i + 1 < argc ? argv[i + 1] : NULL, name, &value);
            set(options, name, value);
        } else {
            check(!text, usage, "two %s: \"%s\" and \"%s\"; put quotation marks around one", texts, text,
                  argument);
            text = argument;
            i++;
        }
    }
    return text;
}
