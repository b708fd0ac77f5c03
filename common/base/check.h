// check.h: stopping where it stands in the source. Apart from base.h, because these two names are common words: an exercise
// that uses matrices may call a function of its own so.
#pragma once
#include "base/base.h"

// die("run `make data`", "%s is missing", path): stop here. The hint comes first, the message may have arguments.
#define die(hint, ...) die_at(HERE, hint, __VA_ARGS__)

// check(condition, hint, message…): stop unless the condition holds. Always on, in every build.
#define check(condition, hint, ...)                                                                          \
    do {                                                                                                     \
        if (!(condition)) die_at(HERE, hint, __VA_ARGS__);                                                   \
    } while (0)
