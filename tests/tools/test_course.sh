#!/bin/bash
# test_course.sh: walks through the exercises of chapter 1 as a student does, from the stubs to full marks, in a folder that
# make handout has made.
#
#   bash tests/tools/test_course.sh "MAKE COMMAND" ON_TERMINAL
set -u
export LC_ALL=C.UTF-8 NO_COLOR=1
unset MAKEFLAGS MFLAGS TASK LEVEL TEST FORCE BUILD COURSE_BUILD # BUILD is that of this tree

read -ra make <<<"$1"
on_terminal=$PWD/$2
scratch=$(mktemp -d "${TMPDIR:-/tmp}/course-student-XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
passed=0
failed=0

result() { # result STATUS NAME: when not 0, shows what was printed
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $2"
        sed 's/^/    /' "$scratch/out"
    fi
}
# prints NAME TEXT…: the last output holds all of these texts.
prints() {
    local name=$1 text
    shift
    for text in "$@"; do grep -qF -e "$text" "$scratch/out" || { echo "not there: $text"; result 1 "$name"; return; }; done
    result 0 "$name"
}
silent_about() { # silent_about NAME TEXT
    ! grep -qF -e "$2" "$scratch/out"
    result $? "$1"
}
run() { "${make[@]}" "$@" >"$scratch/out" 2>&1; }

# same_as_the_teacher NAME: each task has the points that make grade-one gives for its public tests, those included that
# do not count there because a hidden one failed.
same_as_the_teacher() {
    "${make[@]}" -s -C "$here" grade-one FILE="$PWD/$exercise" SEED=5 >"$scratch/out" 2>&1
    awk 'NR == FNR { split($2, part, "/"); if (/^[0-9]+[.]/) got[$1] += part[/passed, but does not count/ ? 2 : 1]; next }
        got[$1] != $2 { print "TASK " $1 ": " $2 " here, " got[$1] " there"; bad = 1 } END { exit bad || FNR < 4 }' \
        "$scratch/out" build/progress/01/result >>"$scratch/out"
    result $? "$1"
}

here=$PWD
solution=$here/chapters/01-linear-regression/solution.c
wrong() { awk -v only="$1" -f "$here/tests/exercises/wrong/edit.awk" "$solution" "${solution%/*}/wrong.txt"; }

# ---- What students get ------------------------------------------------------------------------------------------------

run handout OUT="$scratch/course"
prints "the handout is made" "without answers and hidden tests"
( cd "$scratch/course" && find . -name 'solution.c' -o -name 'hidden_*' -o -name 'wrong.txt' -o -path '*/wrong/*' -o -name '*.bak' -o -path '*/cheats/*' ) >"$scratch/out"
[ ! -s "$scratch/out" ]
result $? "no answers and no hidden tests are handed out"
cp "$scratch/course/README.md" "$scratch/out"
prints "its README is the students'" "make hint1" "chapters/01-linear-regression/README.md"
silent_about "its README has no teacher's command" "grade-class"
"${make[@]}" -C "$scratch/course" help >"$scratch/out"
prints "its help is the students'" "gradeN" "test "
for word in grade-class grade-one handout gradescope autolab classroom50 workflow hidden fuzz; do
    silent_about "its help has no teacher's command: $word" "$word"
done
prints "its help has the way from task to task" "  learn "
"${make[@]}" -C "$scratch/course" -n test 2>&1 | grep -e 'test-grader' -e 'test-mutants' -e 'test-course' -e 'test-make' -e 'No rule' >"$scratch/out"
[ ! -s "$scratch/out" ]
result $? "its tests are the students'"
grep -rlE '^#include "(\.\./|tests/)(grader|fuzz)/' "$scratch/course/tests" "$scratch/course/common" >"$scratch/out"
[ ! -s "$scratch/out" ]
result $? "its tests include nothing that is not handed out"
(cd "$scratch/course" && sh common/tools/check_layers.sh) >"$scratch/out" 2>&1
result $? "it keeps the habits"
(cd "$scratch/course" && sh common/tools/pictures.sh --check) >"$scratch/out" 2>&1
result $? "its README has the chapters' pictures"
grep -rlF "$(sed -n 's/^float regression_loss.*//; /^    double total/p' "$solution" | head -n 1)" "$scratch/course/chapters" --include=exercise.c >"$scratch/out"
[ ! -s "$scratch/out" ]
result $? "the exercises that are handed out are stubs"
run handout OUT="$scratch/course"
prints "a folder that is not empty is left alone" "not empty"
if [ -n "${EXERCISE_STUBS-}" ]; then
    for header in chapters/*/exercise.h; do
        awk -f tests/exercises/signatures.awk -f tests/exercises/stub.awk "$header" | diff "${header%.h}.c" - >"$scratch/out"
        result $? "${header%.h}.c is what make reset would write"
    done
fi
for header in chapters/*/exercise.h; do
    : >"$scratch/out"
    for task in $(sed -n 's/^\/\/ TASK \([0-9.]*\) .*/\1/p' "$header"); do
        for level in 1 2 3; do
            awk -v wanted="TASK $task, hint $level" '/^TASK / { on = $0 == wanted; next } on && /./ { found = 1 } END { exit !found }' \
                "${header%/*}/hints.txt" || echo "TASK $task has no hint $level" >>"$scratch/out"
        done
    done
    [ ! -s "$scratch/out" ]
    result $? "every task of ${header%/*} has three hints"
done

# ---- The way of a student -----------------------------------------------------------------------------------------------

cd "$scratch/course" || exit 2
exercise=chapters/01-linear-regression/exercise.c
cp "$exercise" "$scratch/stubs.c"

run grade1
[ $? -ne 0 ]
result $? "while points are missing the exit status is not 0"
prints "stubs have no points and say why" "TASK 1.1     0 of 20 points: not written yet" "0 of 100 points" "Next: TASK 1.1"
silent_about "stubs are not called wrong" "✗"
run progress
prints "the bar is empty" "Linear regression" "   0/100" "Next: chapter 1, Linear regression: make chapter1"
run hint1
prints "the first hint is about the first task" "TASK 1.1, hint 1 of 3" "make hint1 TASK=1 LEVEL=2"
run hint1 TASK=1.4 LEVEL=3
prints "the last hint is the recipe" "TASK 1.4, hint 3 of 3" "factor"
run hint1 TASK=9
prints "an unknown task is named" "There is no TASK 1.9"

# Only the first task is written.
{ sed '/TASK 1.1/,/^}/d' "$scratch/stubs.c"; sed -n '/^static float error_of/,/^}/p; /^\/\/ TASK 1.1/,/^}/p' "$solution"; } >"$exercise"
run grade1
prints "one solved task has its points" "TASK 1.1    20 of 20 points" "20 of 100 points" "Next: TASK 1.2"
run solution1
prints "the answers are not in the handout" "not in this folder"

wrong 1.2-wrong-sign >"$exercise"
run grade1
prints "a wrong sign is shown with the input" "✗ TASK 1.2     0 of 30 points" "AT(gradient, 0, 0): got 3.5, expected -3.5" \
    "with x (2 × 2) = {{1, 2}, {3, 4}}" "tests/exercises/exercise_01.c:" "TASK=2"
same_as_the_teacher "the teacher sees the same points for a wrong sign"
run progress
prints "the bar grows" "55/100  next: TASK 1.2" "Next: chapters/01-linear-regression/exercise.c: make grade1"

# A statement in the place of the first one of a function: what the run says about it.
broken() { # broken NAME STATEMENT TEXT…
    local name=$1 statement=$2
    shift 2
    awk -v statement="$statement" '{ print } /^float regression_loss/ { getline; print; print statement }' "$solution" |
        sed 's/^#include "exercise.h"/&\n#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>/' >"$exercise"
    run grade1
    prints "$name" "$@"
}
broken "reading past the end is found" "y.data[x.rows] += 0.0f;" "memory error: reads outside of an array (in regression_loss, exercise.c:"
broken "a null pointer is found" "y.data = NULL; y.data[0] = 1.0f;" "null pointer" "with x (2 × 2)"
broken "an index far off is found" "y.data[1 << 29] = 1.0f;" "memory error: writes at an address where nothing is" "exercise.c:"
# Where the clock catches a loop may be an instruction that belongs to no line.
broken "endless loops are ended" "for (volatile unsigned i = 0; x.rows > 0;) i++;" \
    "still running after 3 seconds: a loop without end? (in regression_loss, exercise.c" "✓ TASK 1.2    30 of 30 points"
# clang's sanitizer has another program tell the places; on a busy machine it takes longer than any clock of the test.
symbolizer=$(compgen -c llvm-symbolizer | sort | head -n 1)
if [ -n "$symbolizer" ]; then
    mkdir "$scratch/slow"
    printf '#!/bin/sh\nsleep 5\nexec "%s" "$@"\n' "$(command -v "$symbolizer")" >"$scratch/slow/llvm-symbolizer"
    chmod +x "$scratch/slow/llvm-symbolizer"
    ASAN_SYMBOLIZER_PATH=$scratch/slow/llvm-symbolizer run grade1
    prints "a slow symbolizer still tells the place" "a loop without end? (in regression_loss, exercise.c"
fi
before=$SECONDS
run grade1
[ $((SECONDS - before)) -lt 20 ] # 5 where nothing else runs; each of the three tests of TASK 1.1 would take 3 more
result $? "an endless loop is told once"
broken "waiting without end is ended" "for (;;) sleep(1);" "still running" "exercise.c:"
broken "nobody is asked for input" 'puts(getchar() == EOF ? "no input" : "input"); y.data[0]++;' "no input"
broken "a leak is found" "volatile char *piece = malloc(24); piece[0] = 1; piece = 0;" "never given back: 24 bytes (in regression_loss, exercise.c:" \
    "✗ TASK 1.1    16 of 20 points" "costs 4 of the task's points" "96 of 100 points"
same_as_the_teacher "the teacher sees the same points for a leak"
sed -i 's/regression_loss/regresion_loss/' "$exercise"
run grade1
prints "a misspelt function is named" "exercise.c has no function regression_loss; it has regresion_loss"
silent_about "not by the linker" "undefined reference"
sed '/^float regression_loss/,/^}/d' "$solution" >"$exercise"
run grade1
prints "a missing function is named" "exercise.c has no function regression_loss." "exercise.h"
broken "a function that nobody has written is named" "helper_of_mine(x.rows);" "helper_of_mine"
broken "far too much memory is found" "volatile size_t many = (size_t)1 << 50; float *sum = malloc(many); sum[0] = 1.0f; y.data[0] = sum[0];" \
    "memory error: far too much memory is asked for" "exercise.c:"
broken "undefined behaviour is found" "int big = 2147483647; big += x.rows;" "signed integer overflow" "exercise.c:"
broken "fresh memory is no zero" "float *sum = malloc(4); y.data[0] = *sum; free(sum);" "nan, expected 1.25"
broken "exit is no answer" "exit(0);" "✗ TASK 1.1     0 of 20 points" "ended inside of the function"
broken "a crash is named" "abort();" "Abort"
broken "a shape error is told in the library's words" "matmul(y, x, y);" "matmul" "hint:"
broken "what the function prints is shown" 'puts("look here"); y.data[0]++;' "it printed:" "look here"
{ cat "$solution" && echo 'int main(void) { return 0; }'; } >"$exercise"
run grade1
prints "a main beside that of the tests is named" "exercise.c has a main"
mv "$exercise" "$scratch/away"
run progress
prints "a file that is not there is no file that does not compile" "exercise.c is missing: make reset1"
run reset1 </dev/null
cmp -s "$exercise" "$scratch/stubs.c"
result $? "where no file is, reset writes the stubs without a question"
broken "a file that does not compile is shown" "float total = ;" "does not compile yet" "error: expected expression"
run progress
prints "progress goes on with a file that does not compile" "does not compile" "  2  "

# ---- To the end ------------------------------------------------------------------------------------------------------------

wrong 1.3-uphill >"$exercise"
: >"$scratch/watch"
"${make[@]}" watch1 >"$scratch/watch" 2>&1 &
watcher=$!
for _ in $(seq 100); do grep -q "Waiting for you" "$scratch/watch" && break; sleep 0.2; done
cp "$scratch/watch" "$scratch/out"
prints "watching shows what is not right yet" "85 of 100 points" "Waiting for you to save"
cp "$solution" "$exercise"
for _ in $(seq 150); do kill -0 "$watcher" 2>/dev/null || break; sleep 0.2; done
! kill "$watcher" 2>/dev/null
result $? "watching ends by itself when all is solved"
wait "$watcher" 2>/dev/null
cp "$scratch/watch" "$scratch/out"
prints "watching saw the save" "100 of 100 points: all PUBLIC tests passed"

run grade1
result $? "with all points the exit status is 0"
same_as_the_teacher "the teacher sees the same points for our answers"
run grade1
prints "full marks are said to be those of the public tests" "100 of 100 points: all PUBLIC tests passed" "hidden" \
    "Next: chapter 2, Logistic and softmax regression: make chapter2, and then make grade2"
cp "$scratch/stubs.c" "$exercise" && touch -d 2001-01-01 "$exercise"
run grade1
prints "a file that was put back is graded, however old it is" "0 of 100 points"
cp "$solution" "$exercise"
run grade1
result $? "answers that came back have all points again"
silent_about "answers that were not handed out are not named" "Our answers"
run progress
prints "the bar is full" "████████████████████████  100/100  ✓" "Next: chapter 2, "
cp "$solution" "$scratch/course/chapters/01-linear-regression/solution.c"
run solution1
prints "who has solved all may see the answers" "Reference answers"
run grade1
prints "answers that are there are named" "Our answers: make solution1"
run solution1 TASK=3
prints "one answer alone" "void regression_descend"
silent_about "one answer alone, no other" "regression_ridge"

# ---- From task to task --------------------------------------------------------------------------------------------------------

run learn </dev/null
prints "without a terminal, learning says what to type" "needs a terminal" "make grade2  " "make progress"
run learn CHAPTER=77
prints "an unknown chapter is named" "CHAPTER=77: there is no such chapter"
# The learner's file is put there by a second hand, when the terminal shows that the first state was graded.
walk() { # walk COMMANDS… : what happens on the terminal is in $scratch/out, without colours
    "$on_terminal" 100 "${make[@]}" learn CHAPTER=1 >"$scratch/out" 2>&1
}
rm "$scratch/course/chapters/01-linear-regression/solution.c"
cp "$scratch/stubs.c" "$exercise"
printf '%s\n' 'wait q quit' 'send h' 'wait hint 1 of 3' 'send h' 'wait hint 2 of 3' 'send s' 'wait in this folder' 'send n' 'wait TASK 1.2 ' \
    'wait q quit' 'send x' 'quiet' 'send q' 'end' | walk
prints "a terminal shows the first open task, hints and the next task" "Nothing is written yet." "regression_loss(Matrix x" \
    "regression_gradient(" "make learn goes on where you are" "status 0 restored"
silent_about "a handout has no hidden tests to run" "hidden tests"
cp "$solution" "$scratch/course/chapters/01-linear-regression/solution.c"
wrong 1.3-uphill >"$exercise"
(for _ in $(seq 100); do grep -q '^1.3 5 ' build/progress/01/result 2>/dev/null && break; sleep 0.2; done
    sleep 2 && cp "$solution" "$exercise") &
printf '%s\n' 'wait q quit' 'send s' 'wait float regression_loss' 'quiet' 'wait all PUBLIC tests passed' 'wait The next chapter comes' \
    'wait Chapter 2, Logistic' 'wait q quit' 'send q' 'end' | LEARN_WAIT=3 walk
wait
prints "it shows what is solved, sees the save, and goes on at full marks" "85 of 100 points" "TASK 1.3  Gradient descent" "100 of 100 points" \
    "TASK 2.1" "status 0 restored"
! grep -aqE '^void regression_descend\([^;]*$' "$scratch/out" && grep -aqE '^void regression_gradient\([^;]*$' "$scratch/out"
result $? "the answer of an open task is not shown"
printf '%s\n' 'wait q quit' 'send \x03' 'end' | walk
prints "an interrupt gives the terminal back" "restored"
rm "$scratch/course/chapters/01-linear-regression/solution.c"

# What a CI service runs: the chapters that have been begun.
cp "$solution" "$exercise"
sh tests/exercises/ci.sh >"$scratch/out" 2>&1
result $? "a CI service's run"
prints "it grades what has been begun" "━━ chapter 1" "100 of 100 points" "  2  Logistic"
silent_about "and nothing else" "━━ chapter 2"
echo 'float x = ;' >>"$exercise"
! sh tests/exercises/ci.sh >"$scratch/out" 2>&1
result $? "a file that does not compile fails it"
prints "and is named" "does not compile: chapter 1"
"${make[@]}" -s -C "$here" workflow OUT="$scratch/course" >"$scratch/out" 2>&1
prints "the workflow is written into the handout" ".github/workflows/exercises.yml"
grep -qF 'run: sh tests/exercises/ci.sh' .github/workflows/exercises.yml && grep -qF -- '- sh tests/exercises/ci.sh' .gitlab-ci.yml
result $? "and calls that"
cp "$solution" "$exercise"
cp "$solution" "$scratch/course/chapters/01-linear-regression/solution.c"
run grade1

# Every chapter's answers pass under the sanitizers of make gradeN as well: a matter of MODE=asan, or of FULL=1.
if [[ $1 == *MODE=asan* || -n ${FULL-} ]]; then
    cp -r chapters "$scratch/chapters"
    for header in chapters/*/exercise.h; do
        folder=${header%/*} number=${folder#chapters/} number=${number%%-*}
        cp "$here/$folder/solution.c" "$folder/exercise.c"
        run "grade${number#0}"
        prints "the answers of $folder have full marks" "all PUBLIC tests passed"
    done
    rm -r chapters && mv "$scratch/chapters" chapters
fi

run reset1 </dev/null
cmp -s "$exercise" "$solution"
result $? "without an answer nothing is reset"
echo y | run reset1
cmp -s "$exercise" "$scratch/stubs.c" && cmp -s "$exercise.bak" "$solution"
result $? "reset brings the stubs and keeps the file"
cp "$solution" "$exercise" && echo y | run reset1
[ -f "$exercise.2.bak" ]
result $? "an earlier copy is not overwritten"
run solution1
prints "answers are not shown to who has started again" "First your own"
run solution1 FORCE=0
prints "and not with FORCE=0" "First your own"
run solution1 FORCE=1
prints "unless they insist" "Reference answers"
run grade77
prints "a chapter without exercises is named" "Chapter 77 has no exercises yet"

[ -z "${SUITE_RESULT-}" ] || echo "$passed passed, $failed failed" >"$SUITE_RESULT"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
