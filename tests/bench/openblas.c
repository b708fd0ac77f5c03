// openblas.c: see openblas.h.
#include "openblas.h"
#include "peers/openblas_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void remove_settings(void)
{
    unsetenv("OPENBLAS_CORETYPE");
    unsetenv("OPENBLAS_L2_SIZE");
    unsetenv("OPENBLAS_NUM_THREADS");
}

// The widest kernels that this processor can run, by the names of OpenBLAS.
static const char *widest(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
        return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
    return NULL;
}

// Asked in a process of its own: the library starts threads and keeps memory when it is loaded.
static bool falls_back(void)
{
    const pid_t child = fork();
    if (child < 0) return false;
    if (child == 0) {
        remove_settings();
        void *library = openblas_open("openmp");
        char *(*core)(void) = library ? (char *(*)(void))dlsym(library, "openblas_get_corename") : NULL;
        _exit(core && strcmp(core(), "Prescott") == 0 ? 1 : 0);
    }
    int status;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

const char *openblas_kernels(void)
{
    static bool looked;
    static const char *kernels;
    if (!looked) kernels = widest() && falls_back() ? widest() : NULL;
    looked = true;
    return kernels;
}

void openblas_set_environment(void)
{
    remove_settings();
    const char *kernels = openblas_kernels();
    if (kernels) setenv("OPENBLAS_CORETYPE", kernels, 1);
    char folder[256], text[1024];
    if (!openblas_path(folder, sizeof folder, "openmp", "")) return;
    const char *old = getenv("LD_LIBRARY_PATH");
    snprintf(text, sizeof text, "%s%s%s", folder, old ? ":" : "", old ? old : "");
    setenv("LD_LIBRARY_PATH", text, 1);
}
