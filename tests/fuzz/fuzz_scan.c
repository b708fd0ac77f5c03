// fuzz_scan.c: a student's source as the grader looks at it before and after preprocessing, and a compiler's
// list of files. What the scan of the source refuses as assembly is refused in the preprocessed text as well.
#include "fuzz.h"
#include "tests/grader/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_input(const uint8_t *bytes, size_t size)
{
    FuzzPart parts[2];
    fuzz_parts(bytes, size, parts, 2);
    char *source = fuzz_string(parts[0]), *list = fuzz_string(parts[1]), flags[400] = "", small[20] = "";
    char name[64] = "";
    const char *const folders[] = {"/usr/include", "/usr/lib", NULL};
    const char *reason = scan_source(source, flags, sizeof flags);
    scan_source(source, small, sizeof small);
    fuzz_require(strlen(flags) < sizeof flags && strlen(small) < sizeof small, "flags do not end");
    fuzz_require(fuzz_harmless(flags, strlen(flags)), "flags are not harmless");
    scan_preprocessed(source, folders);
    bool stranger = scan_dependencies(list, folders, name, sizeof name);
    fuzz_require(!stranger || name[0], "a stranger without a name");
    // Joined to one line that begins with a word, the text has no directives, and its words are the same.
    if (reason && strstr(reason, "assembly") && !strpbrk(source, "\n\\?#%")) {
        char *text = NULL;
        if (asprintf(&text, "# 1 \"exercise.c\"\n%s\n", source) < 0) abort();
        fuzz_require(scan_preprocessed(text, folders), "assembly in the preprocessed text is not seen");
        free(text);
    }
    free(source);
    free(list);
}
