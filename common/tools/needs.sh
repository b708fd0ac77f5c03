#!/bin/sh
# needs.sh: the sources of common/ that programs are linked from, found by following what they include. The Makefile calls it, so
# that a chapter waits for the files that it needs to be compiled, and not for the whole library.
#
#     needs.sh chapters/01-linear-regression/linear_regression.c …
#
# prints chapters/01-linear-regression/linear_regression.c:common/base/arena.c and so on, a line for each program and source.
#
# A header of common/ brings the source of its name beside it, and the sources there that go on from it: recurrent.h brings
# recurrent.c and recurrent_scan.c. One called parts.h, or …_parts.h, brings those of its folder that include it. What base/
# has is always there.
set -u
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
export LC_ALL=C

{
    find common -name '*.c' | sed 's/$/:/'
    grep -H '^#include "' "$@"
    grep -rH --include='*.[ch]' '^#include "' common
} | awk -F: -v programs="$*" '
    # From a folder to its sources, and from the name of a file to what it includes
    $2 == "" { sources[folder_of($1)] = sources[folder_of($1)] " " $1; next }
    {
        name = $2
        sub(/^#include "/, "", name); sub(/".*/, "", name)
        includes[$1] = includes[$1] " " name
    }
    function folder_of(path) { sub(/\/[^\/]*$/, "", path); return path }
    function stem_of(path) { sub(/^.*\//, "", path); sub(/\.[ch]$/, "", path); return path }
    # Whatever is reached from the program
    function follow(program,    at, count, file, i, names, w, wanted) {
        last = split("", taken)
        take(program)
        for (i = split(sources["common/base"], names, " "); i > 0; i--) take(names[i])
        for (at = 1; at <= last; at++) {
            file = queue[at]
            if (file ~ /^common\/.*\.c$/) print program ":" file
            if (file ~ /^common\/.*\.h$/) take_sources(file)
            count = split(includes[file], wanted, " ")
            for (w = 1; w <= count; w++) if (wanted[w] ~ /\//) take("common/" wanted[w])
        }
    }
    function take(file) {
        if (file in taken) return
        taken[file] = 1
        queue[++last] = file
    }
    # The sources that a header of common/ stands for
    function take_sources(header,    folder, stem, names, count, i, own) {
        folder = folder_of(header); stem = stem_of(header)
        count = split(sources[folder], names, " ")
        for (i = 1; i <= count; i++) {
            own = stem_of(names[i])
            if (own == stem || index(own, stem "_") == 1 ||
                (stem ~ /(^|_)parts$/ && index(includes[names[i]] " ", " " substr(header, 8) " "))) take(names[i])
        }
    }
    END {
        count = split(programs, names, " ")
        for (i = 1; i <= count; i++) follow(names[i])
    }' | sort
