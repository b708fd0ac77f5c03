// nothing_at_all.c: an empty answer.
// at most: 0
// expect: function missing
#include "exercise.h"
