// includes_a_secret.c: shows a file of the machine in the error message of the compiler.
// at most: 0
// expect: compile error rejected
#include "exercise.h"

#include "/etc/passwd"
