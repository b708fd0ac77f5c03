// includes_without_end.c: includes a file that never ends.
// at most: 0
// expect: compile error rejected
#include "exercise.h"

#include "/dev/zero"
