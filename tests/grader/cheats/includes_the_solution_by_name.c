// includes_the_solution_by_name.c: the same, where the grader keeps it.
// at most: 0
// expect: compile error rejected
#include "exercise.h"

#include "solution.c"
