// includes_itself.c: includes itself until the compiler gives up.
// at most: 0
// expect: compile error
#include "exercise.h"

#include __FILE__
