// openblas_build.h: where Debian's builds of OpenBLAS lie. For the peer and for who sets its environment.
#pragma once
#include <dlfcn.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// The first path of /usr/lib/*/openblas-BUILD and file behind it; false: there is none. build: openmp or pthread.
static inline bool openblas_path(char *path, size_t size, const char *build, const char *file)
{
    char pattern[128];
    snprintf(pattern, sizeof pattern, "/usr/lib/*/openblas-%s%s", build, file);
    glob_t found;
    const bool there = glob(pattern, 0, NULL, &found) == 0;
    if (there) snprintf(path, size, "%s", found.gl_pathv[0]);
    globfree(&found);
    return there;
}

// NULL: it is not installed. Elsewhere than on Debian the one build there is stands for openmp.
static inline void *openblas_open(const char *build)
{
    char path[256];
    void *library =
        openblas_path(path, sizeof path, build, "/libopenblas.so.0") ? dlopen(path, RTLD_NOW) : NULL;
    if (!library && strcmp(build, "openmp") == 0) library = dlopen("libopenblas.so.0", RTLD_NOW);
    return library;
}
