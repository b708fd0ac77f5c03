// scan.h: looks at a C file as text, before any tool does.
#pragma once
#include <stdbool.h>
#include <stddef.h>

// Reasons to refuse the file (NULL when there are none), and, in flags, what a teacher may want to know.
// source ends with '\0'.
const char *scan_source(const char *source, char *flags, size_t flags_size);

// The same for the preprocessed file, where macros are gone. What stands in files below one of the folders
// (real paths, ended by NULL) is left out; every other file is the student's own, under whatever name.
const char *scan_preprocessed(const char *text, const char *const *folders);

// The first file in a dependency list of the compiler that is not below one of the folders (their real paths,
// ended by NULL); copied to name. false: all are.
bool scan_dependencies(const char *list, const char *const *folders, char *name, size_t size);
