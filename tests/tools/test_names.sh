#!/bin/sh
# test_names.sh: whoever writes an exercise may call functions as in a program of one's own. Of the names of the library only
# those are taken that exercise.h says, by including matrix/matrix.h; all other functions and lower-case macros of common/
# can be defined again. Beyond matrix.h, what comes along with it has a prefix: arena_, rng_, check_at, …
# As exercise.c begins (tests/exercises/stub.awk), no function and no macro whose name is one word is taken, whatever it stands
# for in matrix.h, except matmul; nor are these words taken for the linker, so functions need not be static.
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

for name in relu product sigmoid check die softmax add copy sum scale fill transpose; do
    grep -qx "$name" "$scratch/library" || fail "$name is not found among the names of the library"
done

for header in chapters/*/exercise.h; do
    folder=${header%/*}
    stub=$(awk -f tests/exercises/signatures.awk -f tests/exercises/stub.awk "$header" | grep '^#')
    printf '%s\n' "$stub" >"$scratch/$$.c"
    include="-D_GNU_SOURCE -Icommon -I$folder"
    # shellcheck disable=SC2086 # several words
    $compiler -std=c11 $include -E -P "$scratch/$$.c" >"$scratch/seen" &&
        $compiler -std=c11 $include -E -dM "$scratch/$$.c" >"$scratch/macros" || { fail "$header does not compile"; continue; }
    functions "$scratch/seen" | sort -u >"$scratch/taken"
    functions "$header" | sort -u >"$scratch/asked"
    # Functions of the library only: the C library has its own words.
    { macros "$scratch/macros"; comm -12 "$scratch/taken" "$scratch/library"; } | sort -u |
        grep -vE '_|^offsetof$|^matmul$' | grep -vxFf "$scratch/asked" >"$scratch/bare"
    if [ -s "$scratch/bare" ]; then
        fail "$header brings names that are common words: $(tr '\n' ' ' <"$scratch/bare")"
    else
        passed=$((passed + 1))
    fi
    { cat "$scratch/taken"; macros "$scratch/macros"; } | sort -u | comm -13 - "$scratch/library" >"$scratch/free"
    {
        printf '%s\n' "$stub"
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

# With global functions of these names, beside the library.
words=$(macros common/matrix/matrix.h | grep -vE '_|^matmul$')
[ "$(printf '%s\n' "$words" | wc -l)" -ge 14 ] || fail "too few words in matrix.h: $words"
{
    echo '#include "matrix/own_words.h"'
    for word in $words; do echo "float $word(float a); float $word(float a) { return a + 1.0f; }"; done
    echo 'int main(void) { float value[2] = {1.0f, 2.0f}; Matrix m = {1, 2, value}; float total = 0.0f;'
    for word in $words; do echo "total = $word(total);"; done
    echo "return sum_of_squares(m) != 5.0 || total != $(printf '%s\n' "$words" | wc -l); }"
} >"$scratch/global.c"
# shellcheck disable=SC2086
if said=$($compiler -std=c11 -D_GNU_SOURCE -w -Icommon "$scratch/global.c" common/base/*.c common/matrix/matrix.c \
    common/matrix/gemm.c common/matrix/eigen.c -o "$scratch/global" -lm -pthread 2>&1) && "$scratch/global"; then
    passed=$((passed + 1))
else
    fail "global functions of one's own do not link with the library: $(printf '%s\n' "$said" | grep -m 1 -E 'error|multiple|undefined')"
fi

[ -n "$result" ] && echo "$passed passed, $failed failed" >"$result"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
