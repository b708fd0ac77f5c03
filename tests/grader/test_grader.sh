#!/bin/sh
# test_grader.sh: the grader under test, with the programs in the folder that is given (…/tests/grader).
#
#   sh tests/grader/test_grader.sh FOLDER [part…]      parts: cheats crowd honest odd class mutants seeds faults formats
#                                                      jobs without wrong; default all
#
# tests/grader/cheats/*.c              "// at most: 20" is the most points that the file may reach, "// at least: 20" what
#                                      its honest part is worth; "// expect: forbidden" names a status that at least one
#                                      of its tests must end with (one of several)
#                                      "// says: words" are in the message of one of them
# tests/grader/honest/NN_*.c          unusual but right answers of chapter NN: full marks for each
# chapters/NN-…/wrong.txt             typical mistakes, each with the tasks that must not get their full points
# CC is the compiler for the submissions; ONLY=20 looks at chapter 20 alone, SEEDS=5 tries so many seeds. EVERY=3 takes
# every third file of cheats/ and honest/, and every third chapter's seeds, from the one with the number FIRST on.
set -u
export LC_ALL=C.UTF-8

programs=$(cd "$1" && pwd) || exit 2
shift
parts=${*:-cheats crowd honest odd class mutants seeds faults formats jobs without wrong}
here=tests/grader
compiler=${CC:-gcc}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/test-grader-XXXXXX") || exit 2
trap 'chmod -R u+rwX "$scratch" 2>/dev/null; rm -rf "$scratch"' EXIT INT TERM
problems=0
passed=0

complain() { echo "FAIL: $*"; problems=$((problems + 1)); }
good() { passed=$((passed + 1)); }

# grade CHAPTER OPTIONS… : one program, with its harness.
grade() {
    chapter=$1
    shift
    "$programs/grade-$chapter" --compiler "$compiler" --harness "$programs/$chapter" "$@" 2>>"$scratch/log"
}
chapters() { for p in "$programs"/grade-[0-9]*; do [ -x "$p" ] && echo "${p##*grade-}"; done | grep -E "${ONLY:-.}"; }
folder_of() { for f in chapters/"$1"-*; do echo "$f"; done; }
wrong_answers() { # chapter, options for edit.awk
    set -- "$(folder_of "$1")" "$2" "$3"
    awk "$2" "$3" -f tests/exercises/wrong/edit.awk "$1/solution.c" "$1/wrong.txt"
}

# cell FILE STUDENT COLUMN: a cell of a CSV table whose cells hold no comma and no quote.
cell() { awk -F'","' -v s="\"$2" -v c="$3" '$1 == s { gsub(/"/, "", $c); print $c; exit }' "$1"; }

# The worst-case promise: no cheat gets more than its honest part is worth, none stops the class, and each is
# caught for what it is.
check_cheats() { # grades, class
    for file in "$2"/*.c; do
        name=$(basename "$file" .c)
        case $name in *_classmate) continue ;; esac
        most=$(sed -n 's|^// at most: ||p' "$file")
        case $most in '' | *[!0-9]*) complain "$name: does not say how many points it may reach" && continue ;; esac
        wanted=$(sed -n 's|^// expect: ||p' "$file")
        state=$(cell "$1/grades.csv" "$name" 4)
        points=$(cell "$1/grades.csv" "$name" 2)
        if [ -z "$points" ]; then complain "$name: no points at all ($state)"; continue; fi
        if [ "$points" -gt "$most" ]; then complain "$name: $points points, at most $most"; continue; fi
        least=$(sed -n 's|^// at least: ||p' "$file")
        if [ "$points" -lt "${least:-0}" ]; then complain "$name: its honest part is worth $least, got $points"; continue; fi
        if [ -n "$wanted" ] && ! awk -F'","' -v s="\"$name" -v w="$wanted" '$1 == s && index(w, $9) { found = 1 } END { exit !found }' "$1/audit.csv"; then
            complain "$name: expected a test that ends with one of: $wanted; got $(awk -F'","' -v s="\"$name" '$1 == s { print $9 }' "$1/audit.csv" | sort | uniq -c | tr -s '\n ' ' ')"
            continue
        fi
        said=$(sed -n 's|^// says: ||p' "$file")
        if [ -n "$said" ] && ! awk -F'","' -v s="\"$name" -v w="$said" '$1 == s && index($12, w) { found = 1 } END { exit !found }' "$1/audit.csv"; then
            complain "$name: expected a message with: $said; got $(awk -F'","' -v s="\"$name" '$1 == s && $12 { print $12; exit }' "$1/audit.csv")"
            continue
        fi
        good
    done
}

# one_in EVERY FIRST FILES…: the names of every so-manieth of them.
one_in() {
    every=$1 first=$2
    shift 2
    printf '%s\n' "$@" | awk -v every="$every" -v first="$first" 'NR % every == first % every'
}

# Right answers among the cheats: whatever a cheat does to its neighbours takes their points.
class_of_cheats() { # class, EVERY, FIRST
    mkdir -p "$1"
    for file in $(one_in "$2" "$3" "$here"/cheats/*.c); do cp "$file" "$1"; done
    for letter in a c e h k n q s w; do cp "$(folder_of 01)/solution.c" "$1/${letter}_classmate.c"; done
    chmod -R a+rX "$1"
}
check_classmates() { # grades
    for letter in a c e h k n q s w; do
        [ "$(cell "$1/grades.csv" "${letter}_classmate" 2)" = 100 ] && good ||
            complain "a right answer among the cheats: $(cell "$1/grades.csv" "${letter}_classmate" 2) points, $(cell "$1/grades.csv" "${letter}_classmate" 4)"
    done
}

# The class of cheats as an ordinary user, for whom the jail must do without root's rights.
as_user() { # folder for the grades, class, program's options…
    out=$1 class=$2
    shift 2
    chmod 755 "$scratch"
    [ -d "$scratch/01" ] || { cp -rL "$programs/01" "$scratch/01" && cp "$programs/grade-01" "$scratch" && chmod -R a+rX "$scratch/01" "$scratch/grade-01"; }
    mkdir -p "$out" && chown 12345:12345 "$out"
    setpriv --reuid=12345 --regid=12345 --clear-groups ${behind-} "$scratch/grade-01" --compiler "$compiler" --harness "$scratch/01" --seed 5 --out "$out/grades" "$@" \
        "$class" 2>>"$scratch/log.user"
}
has_user() { [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; }

# Two gradings at once: as who runs this, and, when that is root, a third of them as an ordinary user.
part_cheats() {
    class=$scratch/class
    class_of_cheats "$class" "${EVERY:-1}" "${FIRST:-1}"
    user=no
    if has_user && [ "${EVERY:-1}" -le 3 ]; then
        user=yes
        class_of_cheats "$scratch/own-class" 3 "$(date +%j | sed 's/^0*//')" # another third each day
        as_user "$scratch/mine" "$scratch/own-class" &
    fi
    grade 01 --seed 5 --out "$scratch/cheats" "$class" || complain "the class of cheats needed a human"
    check_cheats "$scratch/cheats" "$class"
    check_classmates "$scratch/cheats"
    if [ $user = yes ]; then
        wait $! || complain "as an ordinary user: $(tail -1 "$scratch/log.user")"
        check_cheats "$scratch/mine/grades" "$scratch/own-class"
        check_classmates "$scratch/mine/grades"
    fi
    cp "$scratch/cheats/grades.csv" "$scratch/first.csv"
    grade 01 --seed 5 --out "$scratch/cheats" "$class" || complain "the second run needed a human"
    cmp -s "$scratch/first.csv" "$scratch/cheats/grades.csv" && good || complain "the same seed gave other grades"
}

# With FULL=1 all of them one at a time, and as an ordinary user with two gradings at once: neither changes a grade.
part_crowd() {
    [ -n "${FULL-}" ] || return 0
    class=$scratch/crowd
    class_of_cheats "$class" 1 1
    grade 01 --seed 5 --jobs 1 --out "$scratch/alone" "$class" || complain "one at a time: needed a human"
    check_cheats "$scratch/alone" "$class"
    check_classmates "$scratch/alone"
    has_user || return 0
    as_user "$scratch/one" "$class" --jobs 1 &
    as_user "$scratch/two" "$class" --jobs 2 || complain "twice as the same user: $(tail -1 "$scratch/log.user")"
    wait $! || complain "twice as the same user: $(tail -1 "$scratch/log.user")"
    for run in one two; do
        check_cheats "$scratch/$run/grades" "$class"
        check_classmates "$scratch/$run/grades"
    done
}

# Submissions of every shape, honest ones among them.
part_odd() {
    class=$scratch/odd
    solution=$(folder_of 01)/solution.c
    mkdir -p "$class/folder" "$class/deep/chapters/01-linear-regression" "$class/empty" "$class/two" "$class/link" \
        "$class/pipe" "$class/directory/exercise.c" "$class/large" "$class/binary" "$class/-rf" "$class/renamed" \
        "$class/linked-folder" "$class/makefile" "$class/张伟" "$class/=HYPERLINK(\"x\")" "$class/a
b"
    cp "$solution" "$class/folder/exercise.c"
    cp "$solution" "$class/deep/chapters/01-linear-regression/exercise.c"
    cp "$solution" "$class/flat.c"
    cp "$solution" "$class/-rf/exercise.c"
    cp "$solution" "$class/张伟/exercise.c"
    cp "$solution" "$class/=HYPERLINK(\"x\")/exercise.c"
    cp "$solution" "$class/a
b/exercise.c"
    cp "$solution" "$class/renamed/my answer.c"
    cp "$solution" "$class/two/a.c"
    cp "$solution" "$class/two/b.c"
    cp "$solution" "$class/makefile/exercise.c"
    printf 'all:\n\ttouch %s/stolen\n' "$scratch" >"$class/makefile/Makefile"
    echo '#error this header came with the submission' | tee "$class/makefile/exercise.h" >"$class/makefile/math.h"
    ln -s "$PWD/$solution" "$class/link/exercise.c"
    ln -s "$PWD/$(folder_of 01)" "$class/linked-folder/chapters"
    ln -s "$PWD/$solution" "$class/symbolic.c"
    mkfifo "$class/pipe/exercise.c"
    { cat "$solution"; head -c 300000 /dev/zero | tr '\0' ' '; } >"$class/large/exercise.c"
    head -c 5000 /bin/sh >"$class/binary/exercise.c"
    { printf '\357\273\277'; sed 's/$/\r/' "$solution"; } >"$class/windows.c"
    printf 'float regression_loss(' >"$class/cut.c"
    : >"$class/nothing.c"
    echo "not a submission" >"$class/names.txt"
    grade 01 --seed 5 --out "$scratch/odd-grades" "$class" || complain "the odd class needed a human"
    table=$scratch/odd-grades/grades.csv
    for name in folder deep flat windows renamed makefile -rf 张伟; do
        case $name in -*) shown="'$name" ;; *) shown=$name ;; esac
        [ "$(cell "$table" "$shown" 2)" = 100 ] && good || complain "odd: $name: $(cell "$table" "$shown" 2) $(cell "$table" "$shown" 4)"
    done
    for pair in "empty:no file" "two:no file" "link:rejected" "linked-folder:no file" "symbolic:rejected" "pipe:rejected" \
        "directory:rejected" "large:rejected" "binary:rejected" "cut:compile error" "nothing:graded"; do
        name=${pair%%:*}
        [ "$(cell "$table" "$name" 4)" = "${pair#*:}" ] && [ "$(cell "$table" "$name" 2)" = 0 ] && good ||
            complain "odd: $name: expected ${pair#*:}, got $(cell "$table" "$name" 4) with $(cell "$table" "$name" 2) points"
    done
    grep -q "^\"'=HYPERLINK(\"\"x\"\")\",\"100\"" "$table" && good || complain "odd: a formula is not quoted"
    [ "$(wc -l <"$table")" -eq 22 ] && good || complain "odd: $(wc -l <"$table") lines in grades.csv, expected 22"
    [ ! -e "$scratch/stolen" ] && good || complain "odd: a makefile of a submission was run"
    grep -q "names.txt" "$table" && complain "odd: names.txt was taken for a submission"
    ls -A "$scratch/odd-grades" | grep -q '^\.work' && complain "odd: a folder of the grader was left behind"
    good
}

# ---- What a class is called, where it lies, and who stops it ----------------------------------------------------------

# said NAME TEXT…: the last run has said all of these.
said() {
    said_by=$1
    shift
    for text; do
        grep -qF -e "$text" "$scratch/said" && good || complain "class: $said_by: not said: $text; but $(tail -3 "$scratch/said")"
    done
}
# class OUT DIR OPTION…: a class is graded, and what is said is kept; its status is $status.
class() {
    out=$1 dir=$2
    shift 2
    "$programs/grade-01" --compiler "$compiler" --harness "$programs/01" --out "$out" "$@" -- "$dir" >"$scratch/said" 2>&1
    status=$?
    cat "$scratch/said" >>"$scratch/log"
}
# A file that no compiler takes is graded at once, one without a task too.
quick() { for file; do echo '#error not today' >"$file"; done; }

# What no terminal and no browser may be given: controls, C1, joiners between ASCII letters, marks and turns, separators.
harmful='[\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{ad}\x{61c}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{e0000}-\x{e007f}]|.\x{feff}'

class_names() {
    names=$scratch/names
    long=$(printf '梁%.0s' $(seq 84)) longer="${long%梁} b"
    mkdir -p "$names/same" "$names/$(printf 'e\314\201mile')" "$names/émile" "$names/it's \"5\"" "$names/.git" "$names/__MACOSX" "$names/नेहा 🎓"
    for file in "same/exercise.c" "$(printf 'e\314\201mile')/exercise.c" "émile/exercise.c" "it's \"5\"/exercise.c" \
        "नेहा 🎓/exercise.c" same.c Same.c SAME.c "محمد علي.c" "$long.c" "$longer.c" "$(printf 'm\374ller').c" "$(printf 'm\365ller').c" \
        "$(printf 'a\033]0;x\007\302\2330m').c" "$(printf 'b\342\200\256c\342\201\246\342\200\216\330\234\342\200\213\342\200\250').c" \
        "$(printf 'x\342\200\215y').c" xy.c "$(printf 'x\342\200\213y').c" "..c.c" "-rf.c"; do
        quick "$names/$file" 2>/dev/null
    done
    ln -s Same.c "$names/copied.c" # from a classmate
    touch "$names/work.zip" "$names/names.txt" "$names/big.C" "$names/plus.cpp" "$names/same.c~" "$names/.same.c.swp"
    class "$scratch/named" "$names" --seed 5
    [ $status -eq 0 ] && good || complain "class: names: status $status"
    table=$scratch/named/grades.csv
    [ "$(head -c 3 "$table" | od -An -tx1 | tr -d ' ')" = efbbbf ] && good || complain "class: grades.csv has no byte order mark"
    rows=$(($(wc -l <"$table") - 1))
    [ "$rows" -eq 20 ] && good || complain "class: names: $rows rows, expected 20"
    [ "$(cut -d, -f1 "$table" | sort -u | wc -l)" -eq $((rows + 1)) ] && good || complain "class: two rows have the same name"
    folders=$(ls "$scratch/named/students" | tr 'A-Z' 'a-z' | sort -u | wc -l)
    [ "$folders" -eq "$rows" ] && good || complain "class: $folders folders (without capitals) for $rows students"
    for name in same.c same/ Same SAME "नेहा 🎓" "محمد علي" "$long" "$longer"; do
        [ "$(cell "$table" "$name" 4)" = "compile error" ] && good || complain "class: no row for $name"
    done
    for name in "नेहा 🎓" "محمد علي" "$long" "it's \"5\""; do
        [ -d "$scratch/named/students/$name" ] && good || complain "class: no folder for $name: $(ls "$scratch/named/students" | tr '\n' ' ')"
    done
    [ "$(cell "$table" copied 4)" = rejected ] && good || complain "class: a link to a classmate: $(cell "$table" copied 4)"
    for name in work.zip names.txt big.C plus.cpp same.c~ .same.c.swp .git __MACOSX; do
        said "passed over" "  $name: "
        grep -qF -e "$(printf '%s' "$name" | sed 's/_/\\_/g'): " "$scratch/named/summary.md" && good || complain "class: summary.md is silent about $name"
    done
    cat "$scratch/said" | grep -cP "$harmful" >"$scratch/out" && complain "class: harmful characters on the terminal: $(cat -v "$scratch/said" | head -30)"
    for file in "$scratch/named"/*.* "$scratch/named/students"/*/*.*; do
        ! grep -qP "$harmful" "$file" || complain "class: harmful characters in $file"
    done
    ls "$scratch/named/students" | grep -P "$harmful" && complain "class: harmful characters in a folder's name"
    good
}

# OUT and DIR in each other; as it stands before the run, or refused before anything is made.
class_places() {
    mkdir -p "$scratch/place/class/ann" "$scratch/place/out"
    quick "$scratch/place/class/ann/exercise.c"
    class "$scratch/place/class/grades" "$scratch/place/class" --seed 5
    class "$scratch/place/class/grades2" "$scratch/place/class" --seed 5
    [ $status -eq 0 ] && [ "$(wc -l <"$scratch/place/class/grades2/grades.csv")" -eq 2 ] && good ||
        complain "class: OUT in DIR: $(cat "$scratch/place/class/grades2/grades.csv")"
    said "OUT in DIR" "grades: the grades of another run" "grades2: the folder of the grades"
    cp -r "$scratch/place/class" "$scratch/place/out/handed-in"
    rm -r "$scratch/place/out/handed-in/"grades*
    class "$scratch/place/out" "$scratch/place/out/handed-in" --seed 5
    [ $status -eq 0 ] && [ "$(wc -l <"$scratch/place/out/grades.csv")" -eq 2 ] && good || complain "class: DIR in OUT"
    class "$scratch/place/out" "$scratch/place/out/students" --seed 5
    [ $status -eq 2 ] && good || complain "class: the reports were graded"
    said "DIR is OUT/students" "choose another DIR"
    class "$scratch/place/class" "$scratch/place/class" --seed 5
    [ $status -eq 2 ] && [ ! -e "$scratch/place/class/students" ] && good || complain "class: OUT = DIR: status $status"
    said "OUT = DIR" "choose another OUT"
    class "$scratch/place/class/ann/grades" "$scratch/place/class" --seed 5
    [ $status -eq 2 ] && [ ! -e "$scratch/place/class/ann/grades" ] && good || complain "class: OUT in a submission: status $status"
    said "OUT in a submission" "lies inside of the submission ann"
}

# Processes that belong to a run: its own, and the workers that live in its folder.
left_of() { { echo "$1" | grep -lzxF -f - /proc/[0-9]*/cmdline; ls -l /proc/[0-9]*/exe | grep -F "$1/"; } 2>/dev/null | wc -l; }

class_interrupts() {
    slow=$scratch/slow out=$scratch/slow-grades
    mkdir -p "$slow"
    quick "$slow/a.c"
    cp "$here/cheats/loop_without_end.c" "$slow/b.c"
    for name in c d e f; do cp "$slow/b.c" "$slow/$name.c"; done
    begin() {
        "$programs/grade-01" --compiler "$compiler" --harness "$programs/01" --out "$out" --jobs 1 "$@" -- "$slow" >"$scratch/first" 2>&1 &
        run=$!
        for _ in $(seq 300); do grep -q '^a .*compile error' "$scratch/first" && ls -d "$out"/.work-*/??????/worker >/dev/null 2>&1 && break; sleep 0.1; done
    }
    begin
    class "$out" "$slow"
    [ $status -eq 2 ] && good || complain "class: two runs in one folder: status $status"
    said "two runs in one folder" "process $run" "choose another OUT"
    [ "$(ls -d "$out"/.work-* | wc -l)" -eq 1 ] && good || complain "class: the second run has touched the first one's folder"
    kill -TERM $run
    wait $run
    [ $? -eq 143 ] && good || complain "class: SIGTERM: status $?"
    [ "$(left_of "$out")" -eq 0 ] && good || complain "class: SIGTERM: $(left_of "$out") processes are left"
    ls -d "$out"/.work-* >/dev/null 2>&1 && complain "class: SIGTERM: a folder is left"
    ls -d "$out"/students/b >/dev/null 2>&1 && complain "class: a student who was interrupted has a report"
    rm -r "$out/students/a"
    begin
    grep -q "as in the run before" "$scratch/first" && good || complain "class: after an interrupt: $(cat "$scratch/first")"
    kill -KILL $run
    wait $run 2>/dev/null
    ls -d "$out"/.work-* >/dev/null 2>&1 && good || complain "class: SIGKILL: no folder is left to be swept"
    rm "$slow"/[c-f].c
    class "$out" "$slow"
    said "after SIGKILL" "removed " "1 graded before, unchanged"
    ls -d "$out"/.work-* >/dev/null 2>&1 && complain "class: after SIGKILL: a folder is left"
    [ "$(cell "$out/grades.csv" b 4)" = graded ] && good || complain "class: after SIGKILL: b: $(cell "$out/grades.csv" b 4)"
}

class_options() {
    mkdir -p "$scratch/opt"
    quick "$scratch/opt/a.c"
    class "$scratch/opt-grades" "$scratch/opt" --jobs 100000
    said "too many JOBS" "JOBS=100000: $(nproc) at a time"
    for words in "spring 2026" -7 '$(touch x);`y`' 1.5; do
        class "$scratch/opt-grades" "$scratch/opt" --seed "$words"
        [ $status -eq 0 ] && good || complain "class: --seed $words: status $status"
        said "--seed $words" "\"$words\" is the number"
    done
    class "$scratch/opt-grades" "$scratch/opt" --seed 0x10
    said "--seed 0x10" "seed 16;"
    class "$scratch/opt-grades" "$scratch/opt" --seed 016
    said "--seed 016" "seed 16;"
    for option in --jobs --sed '--out='; do
        class "$scratch/opt-grades" "$scratch/opt" "$option"
        [ $status -eq 2 ] && good || complain "class: $option alone: status $status"
    done
    said "an unknown option" "unknown option --out=:" "--help"
    "$programs/grade-01" --help >"$scratch/said"
    said help --harness --out --one --seed --seeds --jobs --compiler --arch --help
}

class_summary() {
    few=$scratch/few solution=$(folder_of 01)/solution.c
    mkdir -p "$few/all" "$few/stubs" "$few/nothing"
    cp "$solution" "$few/all/exercise.c"
    class "$scratch/few-grades" "$few" --seed 5
    cp "$(folder_of 01)/exercise.c" "$few/stubs/exercise.c"
    rm -r "$few/nothing" "$few/stubs"
    class "$scratch/few-grades" "$few" --seed 5
    grep -q "^Hardest: none" "$scratch/few-grades/summary.md" && good || complain "class: all solved: $(grep Hardest "$scratch/few-grades/summary.md")"
    mkdir -p "$few/stubs" "$few/nothing"
    cp "$(folder_of 01)/exercise.c" "$few/stubs/exercise.c"
    wrong_answers 01 -v only=1.2-wrong-sign >"$few/most.c"
    class "$scratch/few-grades" "$few" --seed 5
    summary=$scratch/few-grades/summary.md
    points=$(cell "$scratch/few-grades/grades.csv" most 2)
    grep -q "^Mean: [0-9.]*, median: $((points / 2)).[05] of 100" "$summary" && good || complain "class: median: $(grep Mean "$summary")"
    grep -q "^Hardest: TASKS 1.2 and 1.3" "$summary" && good || complain "class: a tie: $(grep Hardest "$summary")"
    awk '/^## /{ title = $0 } /^- /{ print title $0 }' "$summary" >"$scratch/out"
    grep -q "^## Handed in nothing.*- nothing: " "$scratch/out" && grep -q "^## No points- stubs: " "$scratch/out" && good ||
        complain "class: who has no points: $(cat "$scratch/out")"
}

# Whom the grader may not read is no student without points: rows without numbers.
class_rights() {
    [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null || return 0
    chmod 755 "$scratch"
    mkdir -p "$scratch/locked/ann" "$scratch/locked/bob" "$scratch/mine2"
    cp "$(folder_of 01)/solution.c" "$scratch/locked/ann/exercise.c"
    quick "$scratch/locked/bob/exercise.c" "$scratch/locked/carl.c"
    cp -rL "$programs/01" "$scratch/harness01" && cp "$programs/grade-01" "$scratch/grade01" && chmod -R a+rX "$scratch/harness01" "$scratch/grade01"
    chmod -R a+rX "$scratch/locked" && chmod 700 "$scratch/locked/ann" && chmod 600 "$scratch/locked/carl.c" && chown 12345:12345 "$scratch/mine2"
    setpriv --reuid=12345 --regid=12345 --clear-groups "$scratch/grade01" --compiler "$compiler" --harness "$scratch/harness01" --seed 5 \
        --out "$scratch/mine2/grades" "$scratch/locked" >"$scratch/said" 2>&1
    [ $? -eq 1 ] && good || complain "class: what may not be read: status $?"
    for name in ann carl; do
        grep -q "^\"$name\",,\"100\",\"needs a human\",,,,$" "$scratch/mine2/grades/grades.csv" && good ||
            complain "class: $name may not be read: $(grep "^\"$name" "$scratch/mine2/grades/grades.csv")"
    done
    grep -q "^\"ann\".*,\"1.1\",.*,\"no\",\"\",\"" "$scratch/mine2/grades/audit.csv" && good || complain "class: audit.csv has points for ann"
    grep -q "chmod -R u+rX" "$scratch/mine2/grades/summary.md" && good || complain "class: no remedy in summary.md"
}

part_class() {
    for step in ${STEPS:-names places interrupts options summary rights}; do "class_$step"; done
}

# Typical mistakes lose points of the task that they are about, and of no other.
part_wrong() {
    for chapter in $(chapters); do
        class=$scratch/wrong/$chapter
        mkdir -p "$class"
        wrong_answers "$chapter" -v folder="$class" >"$class.txt" || complain "chapter $chapter: wrong.txt"
        grade "$chapter" --seed 7 --out "$scratch/wrong-$chapter" "$class" || complain "wrong answers of chapter $chapter: needed a human"
        while read -r name expected; do
            expected=$(printf '%s\n' $expected | sort | tr '\n' ' ')
            less=$(awk -F'","' -v s="\"$name" '$1 == s { got[$4] += $7; most[$4] += $8; if ($9 == "compile error") got["compiler"] = -1 }
                END { for (t in got) if (got[t] < most[t] + 0) print t }' "$scratch/wrong-$chapter/audit.csv" | sort | tr '\n' ' ')
            [ "$less" = "$expected" ] && good || complain "chapter $chapter, $name: less than all points for ${less:-nothing}, expected $expected"
        done <"$class.txt"
    done
}

# Solutions with one operator changed fail a public or a hidden test (tests/exercises/wrong/variants.c). Those that do not,
# because only their memory is wrong, lose points in the grader, or stand in equivalent.txt with the reason why nothing can tell.
part_mutants() {
    mkdir "$scratch/mutants"
    chapters | OMP_NUM_THREADS=1 xargs -P "$(nproc 2>/dev/null || echo 2)" -I @ sh -c '"$1/mutants_@" >"$2/@"' sh "$programs" "$scratch/mutants" ||
        complain "mutants: the tests did not run"
    for chapter in $(chapters); do
        list=$programs/mutants/$chapter/list class=$scratch/mutants/$chapter-alive
        mkdir "$class"
        awk 'NR == FNR { noticed[$1 ":"] = NF > 1; next } !noticed[$1] { sub(/:$/, "", $1); print $1 }' "$scratch/mutants/$chapter" "$list" >"$class.txt"
        noticed=$(($(wc -l <"$list") - $(wc -l <"$class.txt"))) closer=0
        while read -r name; do
            change=$(sed -n "s/^$name: //p" "$list")
            grep -qxF "$chapter: $change" "$here/equivalent.txt" || { cp "$programs/mutants/$chapter/$name.c" "$class" && closer=$((closer + 1)); }
        done <"$class.txt"
        grep -qx solution "$scratch/mutants/$chapter" && good || complain "chapter $chapter: the answers fail a test among their mutants"
        # What equivalent.txt says is still so.
        sed "s/: /\t/" "$list" | awk -F'\t' -v chapter="$chapter: " 'NR == FNR { alive[$0] = 1; next } $1 in alive { change[chapter $2] = 1 }
            END { for (c in change) print c }' "$class.txt" - >"$class.changes"
        grep "^$chapter: " "$here/equivalent.txt" | grep -vxF -f "$class.changes" >"$class.stale" && complain "equivalent.txt: noticed, or no mutant: $(cat "$class.stale")"
        [ "$closer" -eq 0 ] || grade "$chapter" --seed 7 --out "$class-grades" "$class" >/dev/null || complain "mutants of chapter $chapter: needed a human"
        for file in "$class"/*.c; do
            name=$(basename "$file" .c)
            [ -f "$file" ] || continue
            if [ "$(cell "$class-grades/grades.csv" "$name" 2)" -lt "$(cell "$class-grades/grades.csv" "$name" 3)" ]; then good; else
                complain "chapter $chapter: all points for: $(sed -n "s/^$name: //p" "$list")"
            fi
        done
        [ "$noticed" -ge 20 ] && good || complain "chapter $chapter: only $noticed mutants failed a test"
        echo "chapter $chapter: of $(($(wc -l <"$list"))) mutants $noticed fail a test, $closer were graded"
    done
}

# The answers have full marks for every seed; the stubs have none, and do not crash.
part_seeds() {
    seeds=${SEEDS:-20}
    for chapter in $(one_in "${EVERY:-1}" "${FIRST:-1}" $(chapters)); do
        folder=$(folder_of "$chapter")
        said=$(grade "$chapter" --seed 1 --seeds "$seeds" --out "$scratch/seeds" --one "$folder/solution.c" | tail -1)
        echo "$said" | awk -v seeds="$seeds" '{ exit !($1 == seeds && $5 == $7 && $5 > 0) }' && good || complain "chapter $chapter: the answers: $said"
        grade "$chapter" --seed 1 --out "$scratch/seeds" --one "$folder/exercise.c" >"$scratch/stub"
        tail -1 "$scratch/stub" | grep -q '^0 of ' && good || complain "chapter $chapter: the stubs: $(tail -1 "$scratch/stub")"
        grep -E '^[0-9]+\.' "$scratch/stub" | grep -v 'not written yet' && complain "chapter $chapter: a stub that does not say so"
    done
}

# A grader that is broken says so; it gives neither 0 nor 100.
expect_stop() { # name, words that its message must have, program and options
    name=$1 words=$2
    shift 2
    "$@" >"$scratch/out" 2>"$scratch/message"
    status=$?
    [ "$status" -eq 2 ] && grep -q "$words" "$scratch/message" && good ||
        complain "$name: exit status $status: $(tail -2 "$scratch/message")"
    [ ! -e "$scratch/stopped/grades.csv" ] || complain "$name: there are grades all the same"
}

part_faults() {
    class=$scratch/small
    mkdir -p "$class"
    cp "$(folder_of 01)/solution.c" "$class/good.c"
    run="$programs/grade-01 --compiler $compiler --seed 3 --out $scratch/stopped"
    expect_stop "no compiler" "could not be started" $run --harness "$programs/01" --compiler "$scratch/gcc" "$class"
    for missing in worker.o names allocator probe include/exercise.h; do
        rm -rf "$scratch/harness" && cp -r "$programs/01" "$scratch/harness" && rm "$scratch/harness/$missing"
        expect_stop "without $missing" "grade: " $run --harness "$scratch/harness" "$class"
    done
    rm -rf "$scratch/harness" && cp -r "$programs/01" "$scratch/harness" && cp "$(folder_of 01)/exercise.c" "$scratch/harness/solution.c"
    expect_stop "a reference without full marks" "A human must look" $run --harness "$scratch/harness" "$class"
    expect_stop "no such class" "No such file" $run --harness "$programs/01" "$scratch/nowhere"
    expect_stop "an unknown option" "unknown option" $run --harness "$programs/01" --full-marks "$class"
    expect_stop "a class where compilers read" "which compilers may read" $run --harness "$programs/01" /usr/include
    # A full disk from the start, and one that fills up during the run. As root only: it needs a disk of its
    # own.
    if mkdir -p "$scratch/disk" && unshare -m true 2>/dev/null; then
        expect_stop "a full disk" "nothing is graded" unshare -m sh -c '
            mount -t tmpfs -o size=200k none "$1" && shift && "$@"' sh "$scratch/disk" \
            "$programs/grade-01" --compiler "$compiler" --seed 3 --harness "$programs/01" --out "$scratch/disk/grades" "$class"
        for i in 1 2 3 4 5 6 7 8; do cp "$class/good.c" "$class/good$i.c"; done
        filled=no
        for size in 700 800 900 1000 1100 1200 1300 1500; do # one of these is enough for some and not for all
            unshare -m sh -c '
                disk=$1 && mount -t tmpfs -o size="$2k" none "$disk" && shift 2 && "$@"
                cat "$disk/grades/grades.csv"' sh "$scratch/disk" "$size" \
                "$programs/grade-01" --compiler "$compiler" --seed 3 --jobs 1 --harness "$programs/01" --out "$scratch/disk/grades" "$class" \
                >"$scratch/table" 2>"$scratch/message"
            grep -q ',"0","100",' "$scratch/table" && complain "a disk that fills up: an honest answer got 0 points"
            grep -q ',"100","100",' "$scratch/table" && grep -q ',,"100","needs a human"' "$scratch/table" && filled=yes && break
        done
        [ $filled = yes ] && good || complain "a disk that fills up: no size was found that fills up in the middle"
    fi
}

# The files for other systems have the form that those systems read.
part_formats() {
    class=$scratch/formats
    mkdir -p "$class"
    cp "$(folder_of 01)/solution.c" "$class/good.c"
    cp "$here/cheats/injects.c" "$here/cheats/does_not_compile.c" "$here/cheats/loop_without_end.c" \
        "$here/cheats/half_honest_exits.c" "$class"
    mkdir "$class/<&\"'>" "$class/张伟 नेहा 🎓"
    cp "$(folder_of 01)/exercise.c" "$class/<&\"'>/exercise.c"
    # Escapes, C1, turns, marks, what has no width, and separators, from a program and in a name.
    bad='\033[31m\302\2330m\342\200\256\342\201\246\342\200\216\330\234\342\200\213\342\200\250'
    { echo '#include <stdio.h>'; cat "$(folder_of 01)/solution.c"; } | bad=$bad awk '{ print }
        /^float regression_loss/ { getline; print; print "    puts(\"" ENVIRON["bad"] "\"); fflush(stdout); y.data[0]++;" }' >"$class/张伟 नेहा 🎓/exercise.c"
    cp "$class/张伟 नेहा 🎓/exercise.c" "$class/$(printf "$bad").c"
    grade 01 --seed 5 --out "$scratch/formatted" "$class" || complain "formats: needed a human"
    grade 01 --seed 5 --out "$scratch/formatted" --one "$class/张伟 नेहा 🎓" >"$scratch/said"
    grep -q 'printed: .*\[31m' "$scratch/said" && good || complain "formats: what was printed is not told: $(head -3 "$scratch/said")"
    for file in "$scratch/said" "$scratch"/formatted/*.* "$scratch"/formatted/students/*/*.*; do
        ! grep -qP "$harmful" "$file" && good || complain "formats: harmful characters in $file"
    done
    for student in "$scratch"/formatted/students/*/; do
        for format in gradescope classroom50 autolab junit tap; do
            "$programs/check_format" "$format" "$student" >"$scratch/message" 2>&1 && good ||
                complain "$format of $(basename "$student"): $(head -3 "$scratch/message")"
        done
    done
}

# The same seed gives the same bytes whatever JOBS, but for times and dates.
part_jobs() {
    class=$scratch/jobs
    mkdir -p "$class"
    cp "$here/cheats/compiles_for_ever.c" "$here/cheats/loop_without_end.c" "$here/cheats/half_honest_exits.c" \
        "$here/cheats/does_not_compile.c" "$here/cheats/injects.c" "$here/cheats/aborts.c" "$class"
    for name in b d f h j; do cp "$(folder_of 01)/solution.c" "$class/$name.c"; done
    for jobs in 1 2; do
        grade 01 --seed 5 --jobs $jobs --out "$scratch/jobs-$jobs" "$class" || complain "JOBS=$jobs: needed a human"
        awk 'BEGIN { FS = OFS = "\",\"" } { $11 = $14 = ""; print }' "$scratch/jobs-$jobs/audit.csv" >"$scratch/untimed-$jobs"
    done
    cmp "$scratch/untimed-1" "$scratch/untimed-2" && good || complain "JOBS changes audit.csv by more than its seconds"
    for file in grades.csv summary.md students/*/report.md students/*/results.json students/*/results.tap students/*/autolab.txt; do
        for one in "$scratch/jobs-1/"$file; do
            cmp "$one" "$scratch/jobs-2/${one#"$scratch/jobs-1/"}" && good || complain "JOBS changes ${one#"$scratch/jobs-1/"}"
        done
    done
}

# On kernels and in containers that lack something. What is promised there stands in README.md.
part_without() {
    class=$scratch/lacking
    class_of_cheats "$class" 16 "$(date +%j | sed 's/^0*//')" # others each day
    for what in landlock namespaces; do
        "$programs/without" $what "$programs/grade-01" --compiler "$compiler" --harness "$programs/01" --seed 5 --out "$scratch/no-$what" \
            "$class" >"$scratch/said" 2>&1 || complain "without $what: $(tail -1 "$scratch/said")"
        check_cheats "$scratch/no-$what" "$class"
        check_classmates "$scratch/no-$what"
    done
    grep -q "no Landlock" "$scratch/no-landlock/summary.md" && good || complain "without landlock: no warning in summary.md"
    grep -q "namespaces cannot be had here" "$scratch/no-namespaces/summary.md" && good || complain "without namespaces: summary.md is silent"
    expect_stop "without seccomp" "nothing is graded: .*seccomp" "$programs/without" seccomp "$programs/grade-01" --compiler "$compiler" \
        --harness "$programs/01" --seed 5 --out "$scratch/stopped" "$class"
    has_user || return 0
    cp "$programs/without" "$scratch" && chmod a+rx "$scratch/without"
    behind="$scratch/without namespaces"
    as_user "$scratch/lone" "$class" --jobs 2 &
    for _ in $(seq 100); do [ -e "$scratch/lone/grades/.grader" ] && break; sleep 0.1; done
    as_user "$scratch/second" "$class" && complain "without namespaces: a second grading of the same user ran"
    tail -1 "$scratch/log.user" | grep -q "another grading of yours is running" && good || complain "a second grading: $(tail -1 "$scratch/log.user")"
    wait $! || complain "as an ordinary user without namespaces: $(tail -1 "$scratch/log.user")"
    behind=
    check_cheats "$scratch/lone/grades" "$class"
    check_classmates "$scratch/lone/grades"
    grep -q "your user id, one at a time" "$scratch/lone/grades/summary.md" && good || complain "without namespaces: $(grep Here "$scratch/lone/grades/summary.md")"
}

# Honest but unusual answers: full marks for each, as root and as an ordinary user.
part_honest() {
    chmod 755 "$scratch"
    for chapter in $(chapters); do
        class=$scratch/honest-$chapter
        ls "$here"/honest/"$chapter"_*.c >"$scratch/honest" 2>/dev/null || continue
        mkdir -p "$class" "$scratch/own-$chapter"
        for file in $(one_in "${EVERY:-1}" "${FIRST:-1}" "$here"/honest/"$chapter"_*.c); do cp "$file" "$class"; done
        [ -n "$(ls "$class")" ] || continue
        grade "$chapter" --seed 5 --out "$scratch/honest-grades-$chapter" "$class" ||
            complain "honest answers of chapter $chapter: needed a human"
        full_marks "$scratch/honest-grades-$chapter" "$class" "honest"
        has_user && [ "${EVERY:-1}" -le 3 ] || continue
        own=$scratch/own-honest-$chapter
        mkdir "$own" && for file in $(one_in 3 1 "$class"/*.c); do cp "$file" "$own"; done
        rm -rf "$scratch/programs" && mkdir "$scratch/programs" && chown 12345:12345 "$scratch/own-$chapter"
        cp -rL "$programs/$chapter" "$programs/grade-$chapter" "$scratch/programs" && chmod -R a+rX "$own" "$scratch/programs"
        setpriv --reuid=12345 --regid=12345 --clear-groups "$scratch/programs/grade-$chapter" --compiler "$compiler" --seed 5 \
            --harness "$scratch/programs/$chapter" --out "$scratch/own-$chapter/grades" "$own" 2>>"$scratch/log.user" ||
            complain "honest answers of chapter $chapter, as an ordinary user: $(tail -1 "$scratch/log.user")"
        full_marks "$scratch/own-$chapter/grades" "$own" "honest, as an ordinary user"
    done
}

full_marks() { # grades, class, words for the message
    for file in "$2"/*.c; do
        name=$(basename "$file" .c)
        points=$(cell "$1/grades.csv" "$name" 2)
        [ "${points:-none}" = "$(cell "$1/grades.csv" "$name" 3)" ] && good ||
            complain "$3: $name: ${points:-no} points: $(awk -F'","' -v s="\"$name" '$1 == s && $7 + 0 < $8 + 0 { print $5 ": " $9 ", " $12; exit }' "$1/audit.csv")"
    done
}

for part in $parts; do
    before=$problems
    start=$(date +%s)
    "part_$part"
    [ "$problems" -eq "$before" ] || tail -5 "$scratch/log" 2>/dev/null
    echo "grader, $part: $([ "$problems" -eq "$before" ] && echo fine || echo "$((problems - before)) problems") ($(($(date +%s) - start)) s)"
done
echo "$passed passed, $problems failed"
[ -z "${SUITE_RESULT:-}" ] || echo "$passed passed, $problems failed" >"$SUITE_RESULT"
[ "$problems" -eq 0 ]
