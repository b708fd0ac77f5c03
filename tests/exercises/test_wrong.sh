#!/bin/sh
# test_wrong.sh: typical wrong answers, each of which must fail the tests of its task, and no others.
#
#   sh tests/exercises/test_wrong.sh FOLDER [NAME…]
#
# FOLDER is where make built them: for chapter 01, wrong_01 runs the tests on each of them, and 01/list says which tasks
# must fail. They are edits of the solution, in chapters/01-…/wrong.txt; wrong/edit.awk tells how they are written. With
# names, as in 1.2-wrong-sign, only these are tried, and what the tests say about them is told.
set -u
export LC_ALL=C.UTF-8 OMP_NUM_THREADS=1

built=$1
shift
scratch=$(mktemp -d "${TMPDIR:-/tmp}/course-wrong-XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
for text in chapters/*/wrong.txt; do
    number=${text#chapters/}
    echo "${number%%-*}"
done >"$scratch/chapters"

if [ $# -gt 0 ]; then
    for name in "$@"; do
        task=${name%%-*} number=$(printf %02d "${task%.*}")
        if [ -x "$built/wrong_$number" ] && grep "^$name " "$built/$number/list" >"$scratch/expected"; then
            sed 's/^[^ ]*/must fail:/' "$scratch/expected"
            "$built/wrong_$number" "$name"
            continue
        fi
        echo "There is no wrong answer $name: see chapters/$number-*/wrong.txt" >&2
        exit 2
    done
    exit 0
fi

# What is wrong in a wrong.txt or an exercise.h is told, with its place.
refused() { # WORDS… of the message, then -- a command
    words=""
    while [ "$1" != -- ]; do words="$words $1" && shift; done
    shift
    if "$@" >/dev/null 2>"$scratch/message" || ! grep -qF -e "${words# }" "$scratch/message"; then
        echo "expected the message \"${words# }\": $(cat "$scratch/message")" >>"$scratch/complaints"
    else
        echo refused >>"$scratch/passed"
    fi
}
edit() { # the text of a wrong.txt
    printf '// TASK 1.1\nint one(void)\n{\n    int a = 1;\n    a++;\n    a++;\n    return a;\n}\n' >"$scratch/solution.c"
    printf "$1" >"$scratch/wrong.txt"
    awk -v folder="$scratch" -f tests/exercises/wrong/edit.awk "$scratch/solution.c" "$scratch/wrong.txt"
}
declare_task() { # the text of an exercise.h
    printf "// Exercises\n// TASK 1.1  One.\n$1\n" >"$scratch/exercise.h"
    awk -v what=names -f tests/exercises/signatures.awk -f tests/grader/generate.awk "$scratch/exercise.h"
}
refused wrong.txt:2: 1.1-x: the lines that are to be replaced are not in -- edit '# one\n1.1 x: why\n-    return c;\n'
refused 1.1-x: the lines that are to be replaced are there more than once -- edit '1.1 x: why\n-    a++;\n'
refused wrong.txt:1: an entry begins -- edit '1.1 x\n-    return a;\n'
refused 1.1-x: there is another of this name -- edit '1.1 x: why\n-    return a;\n\n1.1 x: why\n-    return a;\n'
refused 1.1-x: no edit -- edit '1.1 x: why\n'
refused 1.1-x: neither lines with - nor a function of -- edit '1.1 x: why\n+int two(void) { return 2; }\n'
refused 1.2-x: there is no '"// TASK 1.2"' -- edit '1.2 x: why\n-    return a;\n'
refused wrong.txt:2: a line begins with -- edit '1.1 x: why\nreturn a;\n'
refused exercise.h:3: /\* out \*/ or /\* in/out \*/, not -- declare_task 'void one(/* output */ Matrix x);'
refused exercise.h:3: a int is a copy -- declare_task 'void one(/* out */ int x);'
refused exercise.h:3: arguments are Matrix, int, float and const char '*,' not double -- declare_task 'void one(double x);'
refused exercise.h:3: a function returns void, int or float -- declare_task 'double one(int x);'
refused exercise.h:3: 'a task'"'"'s time is said so' -- declare_task '// Time: long\nvoid one(int x);'
refused TASK 1.1 has no function -- declare_task ''

xargs -P "$(nproc 2>/dev/null || echo 2)" -I @ sh -c '"$1/wrong_@" >"$2/@"' sh "$built" "$scratch" <"$scratch/chapters" || exit 2

# Each fails as it should, the solution does not, and every task has at least three.
while read -r number; do
    for folder in chapters/"$number"-*; do break; done
    sed -n 's/^\/\/ TASK \([0-9.]*\) .*/\1/p' "$folder/exercise.h" | awk -v where="$folder/wrong.txt" -v passed="$scratch/passed" '
        function tasks(    i, k, word, n, list) { # in order
            for (i = 2; i <= NF; i++) {
                for (k = n++; k > 0 && word[k - 1] "" > $i ""; k--) word[k] = word[k - 1]
                word[k] = $i
            }
            for (i = 0; i < n; i++) list = list " " word[i]
            return list
        }
        FILENAME == "-" { asked[$1] = 1; next }
        FILENAME ~ /list$/ { expected[$1] = tasks(); count[$2]++; next }
        { got[$1] = tasks() }
        END {
            expected["solution"] = ""
            for (name in expected) {
                if (!(name in got)) print where ": " name ": did not run"
                else if (expected[name] != got[name]) print where ": " name ": expected to fail" expected[name] ", fails" got[name]
                else if (name != "solution") print name >> passed
            }
            for (task in asked)
                if (count[task] < 3) print where ": TASK " task " has " count[task] + 0 " wrong answers; it needs three"
        }' - "$built/$number/list" "$scratch/$number"
done <"$scratch/chapters" >>"$scratch/complaints"
sort "$scratch/complaints"
failed=$(wc -l <"$scratch/complaints")
[ "$failed" -eq 0 ] || echo "make test-wrong WRONG=1.2-wrong-sign tells what the tests say about one."
[ -z "${SUITE_RESULT-}" ] || echo "$(($(wc -l <"$scratch/passed"))) passed, $((failed)) failed" >"$SUITE_RESULT"
[ "$failed" -eq 0 ]
