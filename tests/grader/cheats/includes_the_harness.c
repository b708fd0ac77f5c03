// includes_the_harness.c: takes the solution from beside the headers that the grader gives to the compiler.
// at most: 0
// expect: compile error rejected
#include "exercise.h"

#include "../solution.c"
