#!/bin/sh
# test_wrong.sh: typical wrong answers, each of which must fail the tests of its task, and no others.
#
#   sh tests/exercises/test_wrong.sh TREE "COMPILER AND FLAGS" "LIBRARIES" [WRONG.c…]
#
# TREE is where make built the tests of the exercises. A wrong answer, tests/exercises/wrong/NN/TASK-mistake.c, holds one
# function of the chapter's solution with one mistake. Its line "// expect-fail: 1.2" names its task, and "// and therefore:
# 1.3" those tasks whose functions call this one and fail with it. whole.awk makes a whole exercise file of it.
set -u
export LC_ALL=C.UTF-8 OMP_NUM_THREADS=1 CK_TIMEOUT_MULTIPLIER=0.3 # 3 s for a test

# try TREE COMPILER LIBRARIES SCRATCH WRONG.c: silent when all is as expected.
try() {
    tree=$1 wrong=$5
    number=${wrong%/*} number=${number##*/}
    name=${wrong##*/} name=${name%.c}
    own=$4/$name
    for folder in chapters/"$number"-*; do break; done
    if ! { awk -f tests/exercises/whole.awk "$folder/solution.c" "$wrong" >"$own.c" &&
        $2 -g0 -w -I"$folder" "$own.c" "$tree/tests/exercises/exercise_$number.o" "$tree/tests/exercises/exercise_suite.o" \
            "$tree/tests/unit/suite.o" "$tree/libcommon.a" $3 -o "$own"; }; then
        echo "wrong/$number/$name.c: cannot be built"
        return
    fi
    timeout 100 "$own" >"$own.out" 2>&1
    sed -n 's/^TASK \([0-9.]*\) .*✗.*/\1/p' "$own.out" | sort >"$own.failed"
    sed -n 's/^\/\/ \(expect-fail\|and therefore\): //p' "$wrong" | tr ' ' '\n' | sort >"$own.expected"
    if [ -s "$own.expected" ] && cmp -s "$own.failed" "$own.expected"; then
        rm -f "$own"*
        return
    fi
    echo "wrong/$number/$name.c: expected to fail $(echo $(cat "$own.expected")), fails $(echo $(cat "$own.failed"))"
    sed 's/^/    /' "$own.out" | cut -c1-300
}

if [ "$1" = try ]; then
    shift
    try "$@"
    exit 0
fi

tree=$1 compiler=$2 libraries=$3
shift 3
[ $# -gt 0 ] || set -- tests/exercises/wrong/[0-9]*/*.c
scratch=$(mktemp -d "${TMPDIR:-/tmp}/course-wrong-XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
printf '%s\n' "$@" | xargs -P "$(nproc 2>/dev/null || echo 2)" -n 1 sh "$0" try "$tree" "$compiler" "$libraries" "$scratch" \
    >"$scratch/complaints"
cat "$scratch/complaints"

# Every task has at least three typical mistakes.
failed=$(grep -c '^wrong/' "$scratch/complaints")
if [ $# -gt 20 ]; then
    for exercise in chapters/*/exercise.h; do
        number=${exercise#chapters/} number=${number%%-*}
        [ -f "tests/exercises/exercise_$number.c" ] || continue
        for task in $(sed -n 's/^\/\/ TASK \([0-9.]*\) .*/\1/p' "$exercise"); do
            count=$(grep -lx "// expect-fail: $task" tests/exercises/wrong/"$number"/*.c 2>/dev/null | wc -l)
            [ "$count" -ge 3 ] && continue
            echo "TASK $task has $count wrong answers in tests/exercises/wrong/$number; it needs three"
            failed=$((failed + 1))
        done
    done
fi
[ -z "${SUITE_RESULT-}" ] || echo "$(($# - failed)) passed, $failed failed" >"$SUITE_RESULT"
[ "$failed" -eq 0 ]
