// includes_the_solution.c: is the solution, if the grader lets it.
// at most: 0
// expect: compile error rejected
#include "exercise.h"

#include "../../chapters/01-linear-regression/solution.c"
