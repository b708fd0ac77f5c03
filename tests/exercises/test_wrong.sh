#!/bin/sh
# test_wrong.sh: typical wrong answers, each of which must fail the tests of its task, and no others.
#
#   sh tests/exercises/test_wrong.sh TREE "COMPILER AND FLAGS" "LIBRARIES"
#
# TREE is where make built the tests of the exercises. The wrong answers are edits of the solution in chapters/NN-…/wrong.txt;
# wrong/edit.awk, which makes whole exercise files of them, tells how they are written.
set -u
export LC_ALL=C.UTF-8 OMP_NUM_THREADS=1 CK_TIMEOUT_MULTIPLIER=0.3 # 3 s for a test

# try TREE COMPILER LIBRARIES SCRATCH "NN-chapter NAME TASK…": silent when all is as expected.
try() {
    tree=$1 own=$4
    set -- "$2" "$3" $5
    folder=chapters/$3 number=${3%%-*} name=$4
    own=$own/$3/$name
    if ! { $1 -g0 -w -I"$folder" "$own.c" "$tree/tests/exercises/exercise_$number.o" "$tree/tests/exercises/exercise_suite.o" \
            "$tree/tests/unit/suite.o" "$tree/libcommon.a" $2 -o "$own"; }; then
        echo "$folder/wrong.txt: $name: cannot be built"
        return
    fi
    shift 4
    timeout 100 "$own" >"$own.out" 2>&1
    sed -n 's/^TASK \([0-9.]*\) .*✗.*/\1/p' "$own.out" | sort >"$own.failed"
    printf '%s\n' "$@" | sort >"$own.expected"
    if cmp -s "$own.failed" "$own.expected"; then
        rm -f "$own"*
        return
    fi
    echo "$folder/wrong.txt: $name: expected to fail $*, fails $(echo $(cat "$own.failed"))"
    sed 's/^/    /' "$own.out" | cut -c1-300
}

if [ "$1" = try ]; then
    shift
    try "$@"
    exit 0
fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/course-wrong-XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
for text in chapters/*/wrong.txt; do
    folder=${text%/wrong.txt}
    mkdir "$scratch/${folder#*/}"
    awk -v folder="$scratch/${folder#*/}" -f tests/exercises/wrong/edit.awk "$folder/solution.c" "$text" >"$scratch/list" || exit 1
    sed "s|^|${folder#*/} |" "$scratch/list"
done >"$scratch/all" || exit 1
tr '\n' '\0' <"$scratch/all" | xargs -0 -P "$(nproc 2>/dev/null || echo 2)" -n 1 sh "$0" try "$1" "$2" "$3" "$scratch" >"$scratch/complaints"
cat "$scratch/complaints"

# Every task has at least three typical mistakes.
failed=$(grep -c '^chapters/' "$scratch/complaints")
for exercise in chapters/*/exercise.h; do
    for task in $(sed -n 's/^\/\/ TASK \([0-9.]*\) .*/\1/p' "$exercise"); do
        count=$(awk -v task="$task" '$3 == task { count++ } END { print count + 0 }' "$scratch/all")
        [ "$count" -ge 3 ] && continue
        echo "TASK $task has $count wrong answers in ${exercise%/*}/wrong.txt; it needs three"
        failed=$((failed + 1))
    done
done
[ -z "${SUITE_RESULT-}" ] || echo "$(($(wc -l <"$scratch/all") - failed)) passed, $failed failed" >"$SUITE_RESULT"
[ "$failed" -eq 0 ]
