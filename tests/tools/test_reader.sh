#!/bin/sh
# test_reader.sh: what readers find beside the chapters. What .clangd and .vscode tell an editor is true: the headers of every
# exercise.c are found, and each task's make target is there. The questions for print are all of them.
#
#   sh tests/tools/test_reader.sh COMPILER "MAKE COMMAND"
set -u
export LC_ALL=C.UTF-8
unset MAKEFLAGS MFLAGS MAKELEVEL
compiler=$1 make=$2
scratch=$(mktemp -d "${TMPDIR:-/tmp}/test-reader-XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
. tests/tools/checks.sh

# A language server compiles with these options, in the folder of the file.
options=$(sed -n 's/^    - //p' .clangd)
silent() { # silent FILE: nothing is said about it
    # shellcheck disable=SC2086
    said=$(cd "$(dirname "$1")" && $compiler $options -fsyntax-only "${1##*/}" 2>&1)
    [ -z "$said" ] || { echo "$1: $said" | head -n 5; return 1; }
}
sound() { for file; do silent "$file" || return 1; done; }
check "an editor finds the headers of every exercise.c" sound chapters/*/exercise.c
check "and of files elsewhere" sound common/base/replace.c common/lesson/plot/png.c tests/unit/test_base.c
mkdir -p "$scratch/chapters/01-x"
printf '#include "exercise.h"\n#include "matrix/nowhere.h"\n' >"$scratch/chapters/01-x/exercise.c"
told() { ! silent "$scratch/chapters/01-x/exercise.c"; }
check "a header that is not there is told" told
if command -v clangd >/dev/null; then
    check "clangd is silent about an exercise" sh -c 'clangd --check="$1" --log=error >"$2" 2>&1 && [ ! -s "$2" ] || { cat "$2"; exit 1; }' - \
        chapters/01-linear-regression/exercise.c "$scratch/clangd"
fi

known() { # each "make X" of the tasks can be typed where it is typed: in a chapter's folder, or in the course's
    goals=$(sed -n 's/.*"command": "make \([a-z]*\)".*/\1/p' .vscode/tasks.json)
    [ "$(echo "$goals" | wc -w)" -ge 6 ] || return 1
    for goal in $goals; do
        case $goal in learn | progress) folder=. ;; *) folder=chapters/01-linear-regression ;; esac
        $make -n -C "$folder" "$goal" || return 1
    done
}
check "the editor's tasks are targets" known

all_there() { # five questions a chapter, and five answers; no link, which paper has not
    $make questions OUT="$scratch/questions.md" || return 1
    [ "$(grep -c '^\*\*[1-5]\.\*\*' "$scratch/questions.md")" -eq $(($(ls -d chapters/[0-9]* | wc -l) * 10)) ] || return 1
    ! grep -n '](\|<details\|<summary' "$scratch/questions.md"
}
check "five questions of each chapter are printed, and their answers" all_there
one_chapter() { $make questions CHAPTER=9 OUT="$scratch/nine.md" && [ "$(grep -c '^## 9  Deep' "$scratch/nine.md")" -eq 2 ]; }
check "or those of one chapter" one_chapter
none_such() { ! $make questions CHAPTER=99 OUT="$scratch/none.md" 2>"$scratch/none" && grep -q 'CHAPTER=99: there are' "$scratch/none"; }
check "a chapter that is not there is told" none_such

[ -z "${SUITE_RESULT-}" ] || echo "$passed passed, $failed failed" >"$SUITE_RESULT"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
