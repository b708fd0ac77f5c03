#!/bin/sh
# test_packages.sh: unpacks what make gradescope, autolab and classroom50 have packed, as the services do, and grades a right, a
# wrong and a missing answer with it. And does what the teachers' guide says, as it is written there.
#
#   sh tests/grader/test_packages.sh CHECK_FORMAT "MAKE COMMAND"
set -u
export LC_ALL=C.UTF-8
unset MAKEFLAGS MFLAGS MAKELEVEL BUILD COURSE_BUILD OUT SEED CHAPTER OWNER USERNAME CLASSROOM ASSIGNMENT
check_format=$(cd "$(dirname "$1")" && pwd)/${1##*/} make=$2
scratch=$(mktemp -d "${TMPDIR:-/tmp}/test-packages-XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
chmod 711 "$scratch"
. tests/tools/checks.sh

solution=chapters/01-linear-regression/solution.c
stubs=chapters/01-linear-regression/exercise.h
awk -f tests/exercises/signatures.awk -f tests/exercises/stub.awk $stubs >"$scratch/stubs.c"
awk -v only=1.2-wrong-sign -f tests/exercises/wrong/edit.awk $solution chapters/01-linear-regression/wrong.txt >"$scratch/wrong.c"
holds() { # holds FILE TEXT…: each of them is there
    file=$1
    shift
    for text; do grep -qF -e "$text" "$file" || { echo "not in $file: $text"; cat "$file"; return 1; }; done
}
none_of() { ! find "$1" -name 'hidden_0[2-9].c' -o -name 'solution.c' ! -path '*/01-*' -o -path '*cheats*' -o -name wrong.txt | grep .; }
# A package's build, taken from the first one: the three hold the same files.
built_as_before() { mkdir -p "$1/course" && cp -Rp "$scratch/autograder/source/course/build" "$1/course/"; }

# ---- Gradescope --------------------------------------------------------------------------------------------------------------

made() { $make gradescope CHAPTER=1 SEED=7 OUT="$scratch/gradescope" || ! command -v zip >/dev/null; }
check "make gradescope" made
check "its package has one chapter's grader" none_of "$scratch/gradescope"
$make gradescope CHAPTER=1 OUT="$scratch/gradescope" >"$scratch/again" 2>&1
check "a folder that is not empty is left alone" holds "$scratch/again" "not empty"
$make gradescope CHAPTER=99 >"$scratch/unknown" 2>&1
check "a chapter that has no grader is named" holds "$scratch/unknown" "CHAPTER=99: there are graders for the chapters 1 2"
mkdir -p "$scratch/autograder/submission" "$scratch/autograder/results"
unpacked() {
    if command -v unzip >/dev/null && [ -f "$scratch/gradescope.zip" ]; then
        unzip -q "$scratch/gradescope.zip" -d "$scratch/autograder/source"
    else
        cp -Rp "$scratch/gradescope" "$scratch/autograder/source"
    fi && cp -p "$scratch/autograder/source/run_autograder" "$scratch/autograder/"
}
check "it is unpacked" unpacked
check "setup.sh builds the grader" env CFLAGS=-DNONSENSE BUILD=elsewhere MODE=asan "$scratch/autograder/source/setup.sh"
gradescope() { # gradescope NAME FILE TEXT…: the results of this submission
    what=$1 results=$scratch/autograder/results
    rm -rf "$scratch/autograder/submission" "$results"
    mkdir -p "$scratch/autograder/submission" "$results"
    [ "$2" = none ] || cp -P "$2" "$scratch/autograder/submission/exercise.c"
    shift 2
    "$scratch/autograder/run_autograder" >"$scratch/log" 2>&1
    [ "$what" = "a broken grader" ] || check "Gradescope, $what: the format" "$check_format" gradescope "$results"
    check "Gradescope, $what" holds "$results/results.json" "$@"
}
gradescope "our answers" $solution '{"score": 100,' '"status": "passed"'
gradescope "a wrong sign" "$scratch/wrong.c" '{"score": 50,' '"number": "1.2"' '"status": "failed"'
gradescope "stubs" "$scratch/stubs.c" '{"score": 0,'
gradescope "nothing handed in" none '{"score": 0,' 'there is no file exercise.c'
ln -s "$PWD/$solution" "$scratch/link.c"
gradescope "a link" "$scratch/link.c" '{"score": 0,'
worker=$(find "$scratch/autograder/source/course/build" -name worker.o -path '*/01/*')
mv "$worker" "$worker.away"
gradescope "a broken grader" $solution '{"output": "The grader had a problem' '"tests": []'
check "and there are no points at all" sh -c '! grep -q score "$1"' - "$scratch/autograder/results/results.json"
check "and says why where teachers look" holds "$scratch/log" "not graded"
mv "$worker.away" "$worker"
"${check_format%/*}/without" seccomp sh "$scratch/autograder/source/grade.sh" $solution "$scratch/out" >"$scratch/log" 2>&1
status=$?
check "where no jail can be had nothing is graded" [ "$status" -eq 1 ]
check "and no score is written" [ -z "$(ls "$scratch/out")" ]
check "but the reason" holds "$scratch/log" "no jail for students' programs"

# ---- Autolab -----------------------------------------------------------------------------------------------------------------

check "make autolab" $make autolab CHAPTER=1 SEED="spring 2027" OUT="$scratch/autolab"
mkdir "$scratch/site" && tar xf "$scratch/autolab/chapter01.tar" -C "$scratch/site"
check "the assessment has its problems" sh -c '[ "$(sed -n "s/^  max_score: //p" "$1" | xargs)" = "20.0 30.0 20.0 30.0" ]' - \
    "$scratch/site/chapter01/chapter01.yml"
autolab() { # autolab NAME FILE SCORES
    vm=$scratch/vm
    rm -rf "$vm" && mkdir "$vm" && built_as_before "$vm/grader"
    cp "$scratch/site/chapter01/autograde-Makefile" "$vm/Makefile"
    cp "$scratch/site/chapter01/autograde.tar" "$vm/" && cp "$2" "$vm/exercise.c"
    (cd "$vm" && make >"$scratch/autolab.txt" 2>"$scratch/log")
    tail -n 2 "$scratch/autolab.txt" >"$vm/autolab.txt"
    check "Autolab, $1: the format" "$check_format" autolab "$vm"
    check "Autolab, $1" sh -c '[ "$(tail -n 1 "$1")" = "$2" ] || { cat "$1"; exit 1; }' - "$scratch/autolab.txt" "$3"
}
autolab "our answers" $solution '{"scores": {"1.1": 20, "1.2": 30, "1.3": 20, "1.4": 30}}'
autolab "stubs" "$scratch/stubs.c" '{"scores": {"1.1": 0, "1.2": 0, "1.3": 0, "1.4": 0}}'

# ---- Classroom 50 --------------------------------------------------------------------------------------------------------------

check "make classroom50" $make classroom50 CHAPTER=1 SEED=7 OUT="$scratch/classroom50"
built_as_before "$scratch/classroom50"
checkout=$scratch/checkout/chapters/01-linear-regression
mkdir -p "$checkout"
classroom50() { # classroom50 NAME FILE TEXT…
    what=$1
    cp "$2" "$checkout/exercise.c"
    shift 2
    rm -f "$scratch/checkout/result.json"
    if command -v python3 >/dev/null; then
        (cd "$scratch/checkout" && OWNER=ann CLASSROOM=c ASSIGNMENT=a python3 "$scratch/classroom50/autograder.py") >"$scratch/log" 2>&1
    else # the service has it
        OWNER=ann CLASSROOM=c ASSIGNMENT=a sh "$scratch/classroom50/grade.sh" "$scratch/checkout" "$scratch/classroom50/reports" &&
            cp "$scratch/classroom50/reports/classroom50.json" "$scratch/checkout/result.json"
    fi
    cp "$scratch/checkout/result.json" "$scratch/checkout/classroom50.json"
    check "Classroom 50, $what: the format" "$check_format" classroom50 "$scratch/checkout"
    check "Classroom 50, $what" holds "$scratch/checkout/result.json" '"owner": "ann"' "$@"
}
classroom50 "our answers" $solution '"score": 100' '"max-score": 100'
classroom50 "a wrong sign" "$scratch/wrong.c" '"score": 50' '"passed": false'

# ---- The guide -----------------------------------------------------------------------------------------------------------------

check "the guide's tables are those of the chapters, and no chapter comes too early" sh tests/grader/plan.sh --check
# Its first block of commands, where ../ is a folder of this test's.
awk '/^```sh/ && !seen { on = seen = 1; next } /^```/ { on = 0 } on' tests/grader/TEACHING.md | sed "s|\.\./|$scratch/term/|g; s|^make|$make|" \
    >"$scratch/guide.sh"
mkdir "$scratch/term"
check "what the guide tells to type" sh -eu "$scratch/guide.sh"
cp "$scratch/said" "$scratch/guide"
check "Ann has 100 points and Ben none" holds "$scratch/guide" '"ann","100",' '"ben","0",' '# ben: chapter 01'
said_there() { # each file that the guide names is in the folder
    for name in grades.csv audit.csv summary.md students/ann/report.md; do [ -s "$scratch/term/grades/$name" ] || { echo "$name"; return 1; }; done
}
check "and the files are there" said_there
complained() { $make grade-one FILE="$scratch/term/handed-in/ben/exercise.c" CHAPTER=1 SEED="spring 2027"; }
check "somebody complains" complained
check "and the seed is in summary.md" grep -q "$(sed -n 's/.*is the number \([0-9]*\).*/\1/p' "$scratch/guide")" "$scratch/term/grades/summary.md"

[ -z "${SUITE_RESULT-}" ] || echo "$passed passed, $failed failed" >"$SUITE_RESULT"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
