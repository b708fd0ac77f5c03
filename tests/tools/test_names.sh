#!/bin/sh
# test_names.sh: whoever writes an exercise may call functions as in a program of one's own. Of the names of the library only
# those are taken that exercise.h says, by including matrix/matrix.h; all other functions and lower-case macros of common/
# can be defined again. Beyond matrix.h, what comes along with it has a prefix: arena_, rng_, check_at, …
#
#     test_names.sh COMPILER
set -u
cd "$(dirname "$0")/../.." || exit 2
result=${SUITE_RESULT-}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0
failed=0
compiler=$1

fail() { printf 'FAIL: %s\n' "$1"; failed=$((failed + 1)); }

# Names of functions that are declared in the files, one a line.
functions() { sed -nE 's/^[A-Za-z_][A-Za-z0-9_ ]*[ *]+\(?([a-z][a-z0-9_]*)\)?\(.*/\1/p' "$@"; }
macros() { sed -nE 's/^#define ([a-z][a-z0-9_]*)\(.*/\1/p' "$@"; }

find common -name '*.h' -exec cat {} + >"$scratch/headers"
{ functions "$scratch/headers"; macros "$scratch/headers"; } | sort -u >"$scratch/library"
macros common/matrix/matrix.h | sort -u >"$scratch/matrix"

for name in relu product sigmoid check die softmax; do
    grep -qx "$name" "$scratch/library" || fail "$name is not found among the names of the library"
done

for header in chapters/*/exercise.h; do
    folder=${header%/*}
    echo '#include "exercise.h"' >"$scratch/$$.c"
    include="-D_GNU_SOURCE -Icommon -I$folder"
    # shellcheck disable=SC2086 # several words
    $compiler -std=c11 $include -E -P "$scratch/$$.c" >"$scratch/seen" &&
        $compiler -std=c11 $include -E -dM "$scratch/$$.c" >"$scratch/macros" || { fail "$header does not compile"; continue; }
    functions "$scratch/seen" | sort -u >"$scratch/taken"
    macros "$scratch/macros" | sort -u | comm -23 - "$scratch/matrix" | grep -vE '_|^offsetof$' >"$scratch/bare"
    if [ -s "$scratch/bare" ]; then
        fail "$header brings macros that are common words: $(tr '\n' ' ' <"$scratch/bare")"
    else
        passed=$((passed + 1))
    fi
    { cat "$scratch/taken"; macros "$scratch/macros"; } | sort -u | comm -13 - "$scratch/library" >"$scratch/free"
    {
        echo '#include "exercise.h"'
        awk '{ print "static float " $1 "(float a, float b) { return a - b; }" }' "$scratch/free"
        echo 'float own(void);'
        awk 'BEGIN { print "float own(void) { float total = 0.0f;" }
            { print "total += " $1 "(total, 1.0f);" }
            END { print "return total; }" }' "$scratch/free"
    } >"$scratch/own.c"
    # shellcheck disable=SC2086
    if said=$($compiler -std=c11 $include -Wall -Wextra -Werror -fno-builtin -c "$scratch/own.c" -o "$scratch/own.o" 2>&1); then
        passed=$((passed + 1))
    else
        fail "$header: a function of one's own does not compile: $(printf '%s\n' "$said" | grep -m 1 error)"
    fi
done

[ -n "$result" ] && echo "$passed passed, $failed failed" >"$result"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
