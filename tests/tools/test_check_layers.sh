#!/bin/sh
# test_check_layers.sh: common/tools/check_layers.sh finds each broken rule, names the place, and is content otherwise.
set -u
checker=$(realpath "$(dirname "$0")/../../common/tools/check_layers.sh")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0
failed=0
result=${SUITE_RESULT-}
unset SUITE_RESULT # is ours, not the checker's

# question NUMBER : with its answer, in which a list is not another question
question() { printf '**%s.** Why?\n\n<details><summary>Answer</summary>\n\nBecause.\n\n7. Of that.\n\n</details>\n\n' "$1"; }

# A small repository that keeps every rule.
make_good() {
    rm -rf "$scratch/r"
    mkdir -p "$scratch/r" && cd "$scratch/r" || exit 2
    mkdir -p common/base common/matrix common/learning/ops common/files common/lesson/plot common/models common/tools tests/exercises build
    mkdir -p chapters/01-a-line figures/01-a-line datasets/cache
    echo '// base.h: errors' >common/base/base.h
    printf '#include "base/base.h"\n#include <math.h>\n' >common/matrix/matrix.c
    printf '// tape.h: the tape\n#include "matrix/matrix.h"\n' >common/learning/tape.h
    printf '#include "learning/tape.h"\n#include "learning/ops/sum.h"\n' >common/learning/ops/sum.c
    printf '#include "matrix/matrix.h"\n' >common/files/table.c
    printf '#include "matrix/matrix.h"\n' >common/lesson/lesson.c
    printf '#include "lesson/lesson.h"\n#include "lesson/plot/plot.h"\n' >common/lesson/plot/plot.c
    printf '#include "learning/ops/sum.h"\n#include "files/table.h"\n' >common/models/nn.c
    printf '#include "models/nn.h"\n#include "lesson/plot/plot.h"\n#include "tools/page.h"\n' >common/tools/page.c
    printf '# no -ffast-math here\nCFLAGS := -O3 -ffp-contract=off\n' >Makefile
    printf '// exercise.h: tasks\n// TASK 1.1 and TASK 1.2\n' >chapters/01-a-line/exercise.h
    printf '// TASK 1.1\n// TASK 1.2\n// TODO: yours\n' >chapters/01-a-line/exercise.c
    printf '// TASK 1.1\n// TASK 1.2\n' >chapters/01-a-line/solution.c
    printf '#include "lesson/plot/plot.h"\n#include "models/nn.h"\n#include "exercise.h"\n' >chapters/01-a-line/a_line.c
    {
        printf '/*\n## Check yourself\n\n'
        for number in 1 2 3 4 5; do question $number; done
        printf '## Sources\n\n1. a book\n\n## Exercises\n\n- **TASK 1.1**\n\n'
        question 1
        echo '*/'
    } >>chapters/01-a-line/a_line.c
    printf '![a](../../figures/01-a-line/a.png)\n' >chapters/01-a-line/README.md
    printf '    {"1.1", 1, a}, {"1.2", 1, b}\n' >tests/exercises/exercise_01.c
    mkdir tests/unit
    printf 'START_TEST(one) END_TEST\nSTART_TEST(one_more) END_TEST\nSUITE("a", one, one_more)\n' >tests/unit/test_a.c
    echo png >figures/01-a-line/a.png
    mkdir -p tests/grader/cheats && echo '#pragma GCC optimize("O0")' >tests/grader/cheats/unchecked.c
    echo 'char t[] = "XXXXXX"; // FIXMEUP' >tests/t.c
    head -c 1048577 /dev/zero >build/large
    head -c 1048577 /dev/zero >datasets/cache/large
}

# expect_content "what" : the repository as it stands keeps every rule.
expect_content() {
    if output=$(sh "$checker" . 2>&1) && [ -z "$output" ]; then
        passed=$((passed + 1))
    else
        printf 'FAIL: %s: expected no complaint, got:\n%s\n' "$1" "$output"
        failed=$((failed + 1))
    fi
}

# expect_complaint "text" : it does not, and the complaint contains the text.
expect_complaint() {
    output=$(sh "$checker" . 2>&1)
    status=$?
    if [ "$status" -eq 1 ] && printf '%s' "$output" | grep -qF -- "$1"; then
        passed=$((passed + 1))
    else
        printf 'FAIL: expected status 1 and "%s", got status %s and:\n%s\n' "$1" "$status" "$output"
        failed=$((failed + 1))
    fi
}

make_good
expect_content "a good folder without git"
if command -v git >/dev/null 2>&1; then
    git init -q . && printf '/build/\n/datasets/cache/\n' >.gitignore
    expect_content "a good repository"
    head -c 1048577 /dev/zero >datasets/large.csv
    expect_complaint "datasets/large.csv: 1048577 bytes" # new files too
    rm datasets/large.csv
    git add -A && rm tests/t.c
    expect_content "a repository from which a file was deleted"
fi

broken() { # broken "text" COMMAND: after the command, a complaint with the text
    make_good
    eval "$2"
    expect_complaint "$1"
}

uses() { # FILE HEADER LINE ROOM: the file may not include the header, which would be the line of that number
    broken "$1:$3: \"$2\" is in a room that $4 may not use" "echo '#include \"$2\"' >>$1"
}
uses common/base/base.h matrix/matrix.h 2 base
uses common/matrix/matrix.c learning/tape.h 3 matrix
uses common/matrix/matrix.c files/table.h 3 matrix
uses common/learning/tape.h models/nn.h 3 learning
uses common/learning/tape.h learning/ops/sum.h 3 learning
uses common/learning/tape.h files/table.h 3 learning
uses common/learning/ops/sum.c lesson/lesson.h 3 learning/ops
uses common/files/table.c learning/tape.h 2 files
uses common/files/table.c lesson/lesson.h 2 files
uses common/lesson/lesson.c files/table.h 2 lesson
uses common/lesson/lesson.c lesson/plot/plot.h 2 lesson
uses common/lesson/plot/plot.c learning/ops/sum.h 3 lesson/plot
uses common/models/nn.c lesson/plot/plot.h 3 models
uses chapters/01-a-line/a_line.c tools/page.h 76 chapters
broken 'common/models/nn.c:3: "lesson/lesson.h" is in a room that models' "echo '	# include \"lesson/lesson.h\"' >>common/models/nn.c"
broken '"suite.h" is in no room' "echo '#include \"suite.h\"' >>common/base/base.h"
broken '"../matrix/matrix.h" is in no room' "echo '#include \"../matrix/matrix.h\"' >>common/base/base.h"
broken 'common/attic/old.c: its folder is no room' "mkdir common/attic && echo 'int i;' >common/attic/old.c"
broken 'common/matrix/fast/a.c: its folder is no room' "mkdir common/matrix/fast && echo 'int i;' >common/matrix/fast/a.c"
broken 'Makefile:3:' "echo 'CFLAGS += -ffast-math' >>Makefile"
broken 'Makefile:3:' "echo 'CFLAGS += -Ofast' >>Makefile"
broken 'common/tools.sh:1:' "echo 'gcc -ffp-contract=fast a.c' >common/tools.sh"
broken 'common/base/a.c:1:' "echo '#pragma GCC optimize(\"fast-math\")' >common/base/a.c"
broken 'common/base/a.c:1:' "echo 'static __attribute__((noinline, optimize(\"O3\"))) int f;' >common/base/a.c"
broken 'common/base/a.c:1:' "echo '#pragma STDC FP_CONTRACT ON' >common/base/a.c"
if { clang-format-14 --version || clang-format --version; } 2>/dev/null | grep -q 'version 14\.'; then
    formatted() { # COMMAND: in a repository with a .clang-format
        make_good
        printf 'BasedOnStyle: LLVM\nSortIncludes: false\n' >.clang-format
        echo 'DisableFormat: true' >tests/.clang-format
        eval "$1"
    }
    formatted "echo 'int f;' >common/base/f.c"
    expect_content "a repository with a layout"
    formatted "echo 'int  f;' | tee common/base/f.c >tests/grader/cheats/f.c"
    expect_complaint 'common/base/f.c:1: clang-format'
    formatted "echo '// TASK 1.1 TASK 1.2' >chapters/01-a-line/exercise.c; echo 'int  f;' >>chapters/01-a-line/exercise.c"
    expect_content "a student's own layout"
fi
broken 'common/base/a.c:1:' "echo '// TODO: write' >common/base/a.c"
broken 'Makefile:3:' "echo '# FIXME' >>Makefile"
broken 'chapters/01-a-line/solution.c:3:' "echo '// XXX' >>chapters/01-a-line/solution.c"
broken 'figures/01-a-line/b.png: 1048577 bytes' 'head -c 1048577 /dev/zero >figures/01-a-line/b.png'
broken 'common/base/a.h:1: begin with a comment' "echo '#pragma once' >common/base/a.h"
broken 'tests/unit/test_a.c: one_more is in no SUITE' "sed -i 's/, one_more)/)/' tests/unit/test_a.c"
broken 'tests/exercises/exercise_01.c: c is in no SUITE' "echo 'START_TEST(c)' >>tests/exercises/exercise_01.c"
broken 'chapters/01-a-line/a_line.c is missing' 'rm chapters/01-a-line/a_line.c'
broken 'chapters/01-a-line/exercise.c is missing' 'rm chapters/01-a-line/exercise.c'
broken 'chapters/01-a-line/exercise.h is missing' 'rm chapters/01-a-line/exercise.h'
broken 'chapters/01-a-line/solution.c is missing' 'rm chapters/01-a-line/solution.c'
broken 'chapters/01-a-line/README.md is missing' 'rm chapters/01-a-line/README.md'
broken 'figures/01-a-line/ has no pictures' 'rm figures/01-a-line/a.png'
broken 'chapters/01-a-line/README.md: figures/01-a-line/a.png is missing' 'mv figures/01-a-line/a.png figures/01-a-line/b.png'
without() { sed -i "$1" chapters/01-a-line/a_line.c; } # the chapter, after an edit
broken 'a_line.c: no section "## Check yourself"' "without '/^## Check/d'"
broken 'a_line.c:47: "Check yourself" asks 4 questions' "without '47,56d'"
broken 'a_line.c:60: "Check yourself" asks 6 questions' "without '57s/.*/**6.** Why?/; 59d'"
broken 'a_line.c:47: question 4 is number 5' "without 's/^\*\*5/**4/'"
broken 'a_line.c:7: question 1 has no folded answer' "without '9s/Answer/More/'"
broken 'a_line.c:7: question 1 has no folded answer' "without '11,13d'"
broken 'a_line.c:7: question 1 has no folded answer' "without '15d'"
broken 'a_line.c:65: question 1 has no folded answer' "without '67d'"
broken 'a_line.c:65: question 1 has no folded answer' "without '65s/.*/1. Why?/; 67,\$d'"
broken 'chapters/01-a-line/exercise.c: no TASK 1.2' 'sed -i /1.2/d chapters/01-a-line/exercise.c'
broken 'chapters/01-a-line/solution.c: no TASK 1.1' 'sed -i /1.1/d chapters/01-a-line/solution.c'
broken 'chapters/01-a-line/exercise.h: no TASK 1.3' "echo '// TASK 1.3' >>chapters/01-a-line/exercise.c"
broken 'tests/exercises/exercise_01.c: no test of TASK 1.2' "echo '{\"1.1\", 1, a}' >tests/exercises/exercise_01.c"
broken 'tests/exercises/exercise_01.c is missing' 'rm tests/exercises/exercise_01.c'

[ -n "$result" ] && echo "$passed passed, $failed failed" >"$result"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
