#!/bin/sh
# mutants.sh: compiles all mutants of a chapter's solution (mutate.awk) into one object file, for tests/exercises/wrong/variants.c.
#
#   sh tests/grader/mutants.sh FOLDER OBJECT chapters/01-… COMPILER AND FLAGS…
#
# FOLDER receives the mutants, and their list: "m0012: the changed line". A mutant that does not compile is not one: its line
# is taken out of the list.
set -u
export LC_ALL=C.UTF-8

folder=$1 object=$2 chapter=$3
shift 3
rm -rf "$folder" && mkdir -p "$folder" || exit 1
awk -v folder="$folder" -f tests/grader/mutate.awk "$chapter/solution.c" >"$folder/list" || exit 1
while :; do
    awk -f tests/exercises/signatures.awk -f tests/exercises/wrong/together.awk "$chapter/exercise.h" "$chapter/solution.c" \
        "$folder"/m*.c >"$folder/together" || exit 1
    "$@" -x c -MMD -MP -MT "$object" -MF "${object%.o}.d" -c - -o "$object" <"$folder/together" 2>"$folder/errors" && exit 0
    sed -n 's/^\(m[0-9]*\)\.c:[0-9]*:.*error: .*/\1/p' "$folder/errors" | sort -u >"$folder/refused"
    [ -s "$folder/refused" ] || break
    while read -r name; do
        sed -i "/^$name: /d" "$folder/list"
        rm "$folder/$name.c"
    done <"$folder/refused"
done
cat "$folder/errors" >&2
exit 1
