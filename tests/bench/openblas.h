// openblas.h: peers multiply with OpenBLAS, and OpenBLAS picks its kernels by the processor's model. A model that is newer than its
// release gets the kernels of 2004 (Prescott), without a word: 32 instead of 153 GF/s on an Emerald Rapids with OpenBLAS 0.3.21.
// A comparison with that would say nothing.
#pragma once

// In a peer's process, before its program starts: Debian's OpenMP build comes first on LD_LIBRARY_PATH (it shares its threads with
// PyTorch's, the default build brings threads of its own, and the two fight), and settings that hold OpenBLAS back are removed.
void openblas_set_environment(void);

// The kernels to ask for with OPENBLAS_CORETYPE where OpenBLAS would take those of Prescott though the processor has wider vectors;
// NULL where it chooses well by itself or is not installed. Looks once.
const char *openblas_kernels(void);
