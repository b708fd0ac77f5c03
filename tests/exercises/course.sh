#!/bin/sh
# course.sh: what a student types while solving the exercises of a chapter; make calls it.
#
#   sh tests/exercises/course.sh grade|hint|watch|reset|solution|debug NUMBER        one chapter, given as 1 or 10
#                                    grade's exit status: 0 all points, 1 not yet, 2 it could not be graded
#   sh tests/exercises/course.sh hidden NUMBER       the hidden tests, with a fresh seed (not in a handout)
#   sh tests/exercises/course.sh progress                                            all chapters
#   sh tests/exercises/course.sh learn [NUMBER]      goes with a learner from task to task, in a terminal
#   sh tests/exercises/course.sh handout FOLDER                                      (for teachers) a tree for students
#
# From the environment: COURSE_MAKE, a command that builds the programs it is given; COURSE_TREE, the folder of what it
# builds; COURSE_STATE, a folder for what is remembered; TASK, LEVEL, TEST, FORCE as typed after make.
# Everything works on this folder's chapters/NN-name/exercise.c and is also right where git is not.
set -u
export LC_ALL=C.UTF-8
unset CDPATH MAKEFLAGS MFLAGS
case ${FORCE-} in 0 | no | off | false) FORCE="" ;; esac

say() { printf '%s\n' "$@"; }
stop() { say "$*" >&2; exit 1; }
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac

# ---- Where things are ----------------------------------------------------------------------------------------------

# The folder of chapter 1 or 01.
chapter_folder() {
    for folder in chapters/"$1"-* chapters/0"$1"-*; do
        [ -f "$folder/exercise.h" ] && [ -f "tests/exercises/exercise_$(number_of "$folder").c" ] && say "$folder" && return
    done
}
number_of() { name=${1#chapters/}; say "${name%%-*}"; } # two digits
title_of() { # "Linear regression"
    sed -n '1s/^\/\/ Exercises of chapter [0-9]*, \(.*\): what each.*/\1/p' "$1/exercise.h" |
        awk '{ print toupper(substr($0, 1, 1)) substr($0, 2) }'
}
program_of() { say "$COURSE_TREE/tests/exercises/grade_$(number_of "$1")"; }
state_of() { say "$COURSE_STATE/$(number_of "$1")"; } # a folder: result, sum and what each test printed
sum_of() { cksum <"$1/exercise.c" | tr ' ' '-'; }

tasks_of() { sed -n 's/^\/\/ TASK \([0-9]*\.[0-9]*\) .*/\1/p' "$1/exercise.h"; }
most_of() { # all points of the chapter's tests
    grep -oE '\{"[0-9]+\.[0-9]+", *[0-9]+' "tests/exercises/exercise_$(number_of "$1").c" |
        awk -F', *' '{ sum += $2 } END { print sum + 0 }'
}

stubs_of() { awk -f tests/exercises/signatures.awk -f tests/exercises/stub.awk "$1/exercise.h"; } # the unsolved exercise.c

# The result of this very exercise.c, or nothing: lines "TASK points most".
result_of() {
    state=$(state_of "$1")
    [ -f "$state/result" ] && [ "$(cat "$state/sum" 2>/dev/null)" = "$(sum_of "$1")" ] && cat "$state/result"
}
all_passed() { result_of "$1" | awk '{ all++; passed += $2 == $3 } END { exit !(all > 0 && all == passed) }'; }
first_open() { result_of "$1" | awk '$2 != $3 { print $1; exit }'; }

# TASK=2, TASK=02, TASK=1.2 and TASK="Task 1.2" are the same in chapter 1; without, the first task that is not solved.
chosen_task() {
    number=$(number_of "$1")
    task=${TASK:-$(first_open "$1")}
    task=$(say "${task:-$(tasks_of "$1" | head -n 1)}" | sed 's/^ *[Tt][Aa][Ss][Kk] *//; s/^0*\([0-9]\)/\1/; s/\.0*\([0-9]\)/.\1/')
    case $task in *.*) ;; *) task=${number#0}.$task ;; esac
    tasks_of "$1" | grep -qxF -e "$task" || stop "There is no TASK $task in $1/exercise.h. There are: $(tasks_of "$1" | xargs)"
    say "$task"
}

# ---- Grading -----------------------------------------------------------------------------------------------------------

# When functions of exercise.h are missing: says which, and what the file has instead; and whatever else is not there.
tell_missing() { # folder, what compiler and linker have said
    wanted=$(sed -n 's/^[a-z][A-Za-z0-9_ ]*[ *]\([a-z][A-Za-z0-9_]*\)(.*/\1/p' "$1/exercise.h")
    missing=""
    for name in $wanted; do
        grep -qE "undefined (reference to|symbol:?) [^A-Za-z0-9_]?$name([^A-Za-z0-9_]|\$)" "$2" && missing="$missing $name"
    done
    [ -n "$missing" ] || return 1
    # What begins a line of the file, ends with a bracket and is not asked for.
    others=$(sed -n 's/^[A-Za-z][A-Za-z0-9_ ]*[ *]\([A-Za-z_][A-Za-z0-9_]*\) *(.*/\1/p' "$1/exercise.c" | sort -u | while IFS= read -r name; do
        say "$wanted" | grep -qxF -e "$name" || say "$name"
    done)
    for name in $missing; do
        other=$(sh common/tools/suggest.sh name "$name" -- $others)
        say "$1/exercise.c has no function $name${other:+; it has $other}. exercise.h tells how it begins."
    done
    sed -n "s/.*undefined [a-z: ]*[^A-Za-z0-9_]\\([A-Za-z_][A-Za-z0-9_]*\\).*/\\1/p" "$2" | sort -u | while IFS= read -r name; do
        say "$wanted" | grep -qxF -e "$name" || say "$1/exercise.c calls $name, and there is no such function."
    done
}

# Builds grade_NN; what the compiler says goes to the state folder, and is shown.
build() {
    number=$(number_of "$1")
    state=$(state_of "$1")
    mkdir -p "$state" || exit 1
    # A file that was put back is older than what was built from another: make compares times, and not what is in it.
    object=$COURSE_TREE/$1/exercise.o
    [ "$(cat "$object.sum" 2>/dev/null)" = "$(sum_of "$1")" ] || rm -f "$object"
    mkdir -p "${object%/*}" && sum_of "$1" >"$object.sum"
    if ! sh common/tools/build.sh --log "$state/compiler" "$COURSE_TREE" "$COURSE_MAKE" "$(program_of "$1")"; then
        if tell_missing "$1" "$state/compiler"; then return 1; fi
        grep -v '^make' "$state/compiler" | head -n 30
        if grep -q "^$1/exercise.c:.*error" "$state/compiler"; then
            say "" "$1/exercise.c does not compile yet: the first error above is the one to look at."
        elif grep -q 'multiple definition of .main' "$state/compiler"; then
            say "" "$1/exercise.c has a main, and so have the tests: take yours out, or call it otherwise."
        else
            say "" "The tests could not be built."
        fi
        return 1
    fi
    grep -v '^make' "$state/compiler"
    return 0
}

# 0: all passed; 1: not yet; 2: could not be graded. Where flock is, who comes second waits: `make watch1` in one terminal
# and `make grade1` in another do not mix.
grade() {
    state=$(state_of "$1")
    mkdir -p "$state" || exit 1
    { { ! command -v flock >/dev/null || flock 9; } && grade_alone "$1" 9>&-; } 9>"$state/lock"
}
grade_alone() {
    rm -f "$state/sum" "$state/result"
    build "$1" || return 2
    sum=$(sum_of "$1")
    "$(program_of "$1")" "$state" "$1/exercise.c"
    status=$?
    [ -f "$state/result" ] || { say "The tests did not come to an end (status $status)."; return 2; }
    say "$sum" >"$state/sum"
    [ $status -ne 0 ] || say_next "$1"
    return $status
}

# The first chapter with exercises after this one.
say_next() {
    passed_by=no
    for folder in chapters/[0-9]*-*; do
        if [ "$passed_by" = yes ] && [ -n "$(chapter_folder "$(number_of "$folder")")" ]; then
            say_chapter "$folder"
            return
        fi
        [ "$folder" != "$1" ] || passed_by=yes
    done
    say "That was the last chapter that is written. make progress shows what is left."
}
say_chapter() {
    number=$(number_of "$1" | sed 's/^0//')
    say "Next: chapter $number, $(title_of "$1"): make chapter$number, and then make grade$number"
}

# Grades at each save, until everything passes.
watch() {
    while :; do
        seen=$(sum_of "$1")
        [ -t 1 ] && printf '\033[H\033[2J\033[3J'
        grade "$1" && return 0
        say "" "Waiting for you to save $1/exercise.c (Ctrl-C ends this)."
        while [ "$(sum_of "$1" 2>/dev/null)" = "$seen" ] || [ ! -s "$1/exercise.c" ]; do sleep 0.3; done
    done
}

# ---- Help ------------------------------------------------------------------------------------------------------------------

# hints.txt: a line "TASK 1.2, hint 1", and below it the text.
hint() {
    task=$(chosen_task "$1") || exit 1
    level=$(say "${LEVEL:-1}" | sed 's/^0*\([0-9]\)/\1/')
    [ -f "$1/hints.txt" ] || stop "$1 has no hints."
    text=$(awk -v wanted="TASK $task, hint $level" '/^TASK [0-9.]*, hint [0-9]*$/ { on = $0 == wanted; next } on' "$1/hints.txt")
    [ -n "$text" ] || stop "TASK $task has no hint $level: LEVEL is 1, 2 or 3."
    say "TASK $task, hint $level of 3" "" "$text"
    [ "$level" -ge 3 ] || say "" "More: make hint$(number_of "$1" | sed 's/^0//') TASK=${task#*.} LEVEL=$((level + 1))"
}

# The function of one task, with the comment above it; helpers of its own are in the file.
show_solution() {
    [ -f "$1/solution.c" ] || stop "The answers are not in this folder. Your teacher has them."
    if [ -n "${TASK-}" ]; then
        task=$(chosen_task "$1") || exit 1
        passed=$(result_of "$1" | awk -v task="$task" '$1 == task && $2 == $3')
        [ -n "$passed${FORCE-}" ] || stop "First your own: TASK $task is not solved yet (or say FORCE=1)."
        awk -v wanted="// TASK $task" '
            index($0, wanted) == 1 && substr($0, length(wanted) + 1) !~ /^[0-9]/ { on = 1 }
            on { print }
            on && /^[^ \/].*}$|^}/ { exit }' "$1/solution.c"
    else
        [ -n "${FORCE-}" ] || all_passed "$1" ||
            stop "First your own: not all tasks of this exercise.c have passed \`make grade$(number_of "$1" | sed 's/^0//')\` (or say FORCE=1)."
        cat "$1/solution.c"
    fi
}

debug() {
    build "$1" || exit 1
    program=$(program_of "$1")
    [ -n "${TEST-}" ] || stop "Say TEST=name, as make grade prints it."
    command -v gdb >/dev/null || stop "gdb is not installed (sudo apt-get install gdb)."
    exec env ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=abort_on_error=1:print_stacktrace=1 \
        gdb -q -ex 'set breakpoint pending on' -ex 'break _ck_assert_failed' -ex run --args "$program" --test "$TEST"
}

# ---- Starting again -----------------------------------------------------------------------------------------------------------

reset() {
    file=$1/exercise.c
    if stubs_of "$1" | cmp -s - "$file"; then
        say "$file has only stubs already."
        return
    fi
    if [ ! -e "$file" ]; then # a new chapter, or a file that was moved away: there is nothing to lose
        stubs_of "$1" >"$file.new" && mv "$file.new" "$file" || exit 1
        say "$file has the stubs."
        return
    fi
    printf 'Put the stubs back into %s? Your file is kept beside it. [y/N] ' "$file"
    read -r answer || answer=""
    case $answer in y | Y | yes) ;; *) say "Nothing changed."; return ;; esac
    copy=$file.bak
    number=1
    while [ -e "$copy" ]; do number=$((number + 1)) copy=$file.$number.bak; done
    cp -p "$file" "$copy" || exit 1
    stubs_of "$1" >"$file.new" && mv "$file.new" "$file" || exit 1
    say "$file has the stubs again; yours is $copy."
}

# ---- How far you are ------------------------------------------------------------------------------------------------------------

# The points of a chapter, graded again only when exercise.c has changed; nothing when it does not compile.
points_of() {
    [ -f "$1/exercise.c" ] || return 0
    if stubs_of "$1" | cmp -s - "$1/exercise.c"; then
        say 0
        return
    fi
    [ -n "$(result_of "$1")" ] || grade "$1" >/dev/null 2>&1
    result_of "$1" | awk '{ points += $2 } END { if (NR) print points }'
}

progress() {
    begun="" untouched=""
    for folder in chapters/[0-9]*-*; do
        number=$(number_of "$folder")
        [ -n "$(chapter_folder "$number")" ] || continue
        most=$(most_of "$folder")
        points=$(points_of "$folder")
        case $points in "$most") ;; 0) untouched=${untouched:-$folder} ;; *) begun=${begun:-$folder} ;; esac
        awk -v number="${number#0}" -v title="$(title_of "$folder")" -v points="${points:--}" -v most="$most" \
            -v next_task="$(first_open "$folder")" -v there="$([ -f "$folder/exercise.c" ] && echo yes)" 'BEGIN {
                filled = points == "-" ? 0 : int(24 * points / most)
                for (i = 0; i < 24; i++) bar = bar (i < filled ? "█" : "░")
                note = "next: TASK " next_task
                if (next_task == "") note = ""
                if (points == "-") note = there ? "does not compile" : "exercise.c is missing: make reset" number
                if (points == most) note = "✓"
                printf "%3d  %-42s %s %4s/%-4s %s\n", number, title, bar, points, most, note
            }'
    done
    say ""
    if [ -n "$begun" ]; then
        say "Next: $begun/exercise.c: make grade$(number_of "$begun" | sed 's/^0//')"
    elif [ -n "$untouched" ]; then
        say_chapter "$untouched"
    else
        say "All exercises that there are have been solved."
    fi
}

# ---- From task to task ------------------------------------------------------------------------------------------------------------

# The hidden tests on a learner's own file, as a teacher would run them; each time other inputs are drawn.
hidden() {
    [ -d tests/grader ] || stop "The hidden tests are not in this folder: your teacher has them. make grade$(number_of "$1" | sed 's/^0//') runs the public ones."
    $COURSE_MAKE MODE=release grade-one FILE="$1/exercise.c" CHAPTER="$(number_of "$1" | sed 's/^0//')"
}

# The chapters with exercises that have not all points, from the one after this one on, and then from the first again.
open_after() { # chapter folder, or nothing: from the first
    before="" behind="" seen=${1:+no}
    for chapter in chapters/[0-9]*-*; do
        if [ -n "$(chapter_folder "$(number_of "$chapter")")" ] && [ -f "$chapter/exercise.c" ] && ! is_solved "$chapter"; then
            if [ "$seen" = no ]; then before=${before:-$chapter}; else behind=$chapter; break; fi
        fi
        [ "$chapter" != "${1-}" ] || seen=yes
    done
    say "${behind:-$before}"
}
is_solved() { [ "$(points_of "$1")" = "$(most_of "$1")" ]; }

# The open tasks of a chapter: all of them, as long as nothing is known about this exercise.c.
open_tasks() { if [ -n "$(result_of "$1")" ]; then result_of "$1" | awk '$2 != $3 { print $1 }'; else tasks_of "$1"; fi; }
solved_tasks() { result_of "$1" | awk '$2 == $3 { print $1 }'; }
text_of() { # what exercise.h asks in a task: the comment, and the function below it
    awk -v wanted="// TASK $2 " 'index($0, wanted) == 1 { on = 1 } on && /^$/ { exit } on' "$1/exercise.h"
}

# One key, or nothing after 0.3 seconds.
read_key() { dd bs=1 count=1 2>/dev/null; }
take_terminal() { stty -icanon -echo min 0 time 3; }
give_terminal_back() { stty "$terminal"; }

rule_off() { say "────────────────────────────────────────────────────────────────────────────────"; }

# What stands on the screen below what the tests have said: the task, and the keys.
show_task() {
    rule_off
    if [ -n "$task" ]; then
        text_of "$folder" "$task"
        rule_off
        say "Write it in $folder/exercise.c: each save is graded. make chapter${number#0} runs the lesson."
    else
        say "All points of chapter ${number#0}. $moving_on"
    fi
    say "n next · h hint · s our answers to what is solved${hidden_key} · q quit"
}

# Grades, and finds the task to work on: the one before, as long as it is open, or else the next open one.
learn_grade() {
    seen=$(sum_of "$folder")
    printf '\033[H\033[2J\033[3J'
    say "Chapter ${number#0}, $title" ""
    if stubs_of "$folder" | cmp -s - "$folder/exercise.c"; then
        say "Nothing is written yet."
    else
        (grade "$folder") # it uses names of its own for what is kept here
    fi
    # A file that does not compile leaves the task as it was.
    if [ -n "$(result_of "$folder")" ] || [ -z "$task" ]; then
        open_tasks "$folder" | grep -qxF -e "$task" || { task=$(open_tasks "$folder" | head -n 1) && level=0; }
    fi
    say ""
    show_task
}

# The next open task of this chapter, or the next chapter.
learn_next() {
    task=$(open_tasks "$folder" | awk -v now="$task" 'found { print; exit } $0 == now { found = 1 }') level=0
    [ -n "$task" ]
}

# Works on one chapter. 0: go on to another, 1: the learner wants to leave.
learn_chapter() {
    number=$(number_of "$folder") title=$(title_of "$folder") task="" level=0 wait=0
    learn_grade
    while :; do
        key=$(read_key)
        case $key in
        n | N)
            learn_next || return 0
            say "" && show_task ;;
        h | H)
            if [ -n "$task" ]; then
                level=$((level % 3 + 1))
                say "" && (TASK=$task LEVEL=$level && hint "$folder" | sed '/^More: make hint/d') && rule_off
                [ "$level" -eq 3 ] || say "h shows the next hint."
            fi ;;
        s | S)
            say ""
            if [ ! -f "$folder/solution.c" ]; then
                say "The answers are not in this folder. Your teacher has them."
            elif [ -z "$(solved_tasks "$folder")" ]; then
                say "First your own: no task of this chapter is solved yet."
            else
                for solved in $(solved_tasks "$folder"); do (TASK=$solved FORCE="" && show_solution "$folder") && say ""; done
            fi
            rule_off && wait=-1 ;;
        x | X)
            if [ -n "$hidden_key" ]; then
                say "" "The hidden tests, with inputs drawn anew:"
                (hidden "$folder")
                rule_off && wait=-1
            fi ;;
        q | Q) return 1 ;;
        esac
        if [ -s "$folder/exercise.c" ] && [ "$(sum_of "$folder" 2>/dev/null)" != "$seen" ]; then
            wait=0
            learn_grade
        fi
        # At full marks it goes on by itself, unless somebody reads.
        if [ -z "$task" ] && [ "$wait" -ge 0 ]; then
            wait=$((wait + 1))
            [ "$wait" -le "${LEARN_WAIT:-16}" ] || return 0
        fi
    done
}

# Without a terminal there is nobody to press a key: says what can be typed instead.
learn_without() {
    number=$(number_of "$folder")
    say "make learn goes with you from task to task, and needs a terminal for its keys. Without one, type:"
    say "    make grade${number#0}                     points for each task of chapter ${number#0}, $(title_of "$folder")"
    say "    make hint${number#0}                      a hint for its first open task"
    say "    make watch${number#0}                     grade again at each save of $folder/exercise.c"
    say "    make progress                   how far you are in every chapter"
}

learn() {
    if [ -n "${1-}" ]; then
        folder=$(chapter_folder "$1")
        [ -n "$folder" ] && [ -f "$folder/exercise.c" ] || stop "CHAPTER=$1: there is no such chapter with an exercise.c. make progress lists them."
    else
        folder=$(open_after "")
    fi
    [ -n "$folder" ] || { say "All exercises that there are have been solved."; return; }
    { [ -t 0 ] && [ -t 1 ]; } || { learn_without; return; }
    terminal=$(stty -g) || exit 1
    trap give_terminal_back EXIT
    trap 'exit 130' INT TERM HUP
    trap take_terminal CONT
    take_terminal
    hidden_key="" moving_on="The next chapter comes in 5 seconds (n: at once)."
    [ ! -d tests/grader ] || hidden_key=" · x hidden tests"
    while learn_chapter; do
        folder=$(open_after "$folder")
        [ -n "$folder" ] || { say "" "All exercises that there are have been solved."; return; }
    done
    say "" "make learn goes on where you are; make progress shows all chapters."
}

# ---- A tree for students -----------------------------------------------------------------------------------------------------------

# Without answers, hidden tests, cheats and wrong answers; with fresh stubs.
kept_back() {
    grep -vE '^chapters/[^/]*/(solution\.c|wrong\.txt)$|^tests/(grader/|fuzz/|fresh\.sh$|unit/test_(report|filter)\.c$)|^tests/tools/test_(course|make)\.sh$|^tests/exercises/(wrong/|test_|STUDENTS)|^\.ci/|\.bak$|^(build|grades)/'
}

handout() {
    out=$1
    [ -n "$out" ] || stop "Say OUT=folder: where the tree for students goes."
    [ -d tests/grader ] || stop "This folder is a handout already; the teacher's copy makes them."
    case $out in -*) out=./$out ;; esac
    if [ -e "$out" ] && [ -n "$(ls -A "$out" 2>/dev/null)" ]; then stop "$out is there already, and not empty."; fi
    list=$(git -c core.quotePath=off ls-files 2>/dev/null)
    if [ -z "$list" ]; then
        list=$(find . \( -path ./build -o -path ./.git -o -path ./datasets/cache \) -prune -o -type f -print | sed 's|^\./||')
    fi
    mkdir -p "$out" || exit 1
    say "$list" | kept_back | while IFS= read -r file; do
        [ -f "$file" ] || continue
        mkdir -p "$out/$(dirname "$file")" && cp -p "$file" "$out/$file" || exit 1
    done || exit 1
    for header in chapters/*/exercise.h; do
        stubs_of "${header%/*}" >"$out/${header%.h}.c" || exit 1
    done
    { cat tests/exercises/STUDENTS.md && sed -n '/^| part /,/^$/p' README.md; } >"$out/README.md" || exit 1
    say "$out: $(find "$out" -type f | wc -l) files, without answers and hidden tests"
}

# ---- What was asked -----------------------------------------------------------------------------------------------------------------

command=$1
case $command in
progress) progress; exit 0 ;;
learn) learn "${2-}"; exit 0 ;;
handout) handout "${2-}"; exit 0 ;;
esac

folder=$(chapter_folder "$2")
[ -n "$folder" ] || stop "Chapter $2 has no exercises yet. There are: $(for f in chapters/*/exercise.h; do number_of "${f%/exercise.h}" | sed 's/^0//'; done | xargs)"
[ -f "$folder/exercise.c" ] || [ "$command" = reset ] || stop "$folder/exercise.c is missing; make reset${2#0} brings the stubs."
case $command in
grade) grade "$folder" ;;
watch) watch "$folder" ;;
hint) hint "$folder" ;;
solution) show_solution "$folder" ;;
debug) debug "$folder" ;;
hidden) hidden "$folder" ;;
reset) reset "$folder" ;;
*) stop "course.sh: $command?" ;;
esac
