// not_a_section_of_c.c: puts garbage where the linker looks for groups, notes and records of its own.
// at most: 0
// expect: rejected
#include "exercise.h"

__attribute__((section(".group"))) const int group[] = {1, 99, 98, 97};
__attribute__((section(".note.gnu.property"))) const int note[] = {4, 0x7fffffff, 5, 0x554e47};
__attribute__((section(".gnu.lto_main"))) const int later[] = {0x7fffffff, 0x7fffffff};
__attribute__((section(".eh_frame"))) const int frame[] = {0x7fffffff, 0x7fffffff};

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0]; }
