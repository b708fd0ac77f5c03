#!/bin/sh
# check_layers.sh: the habits of this repository that no compiler checks.
#
#   sh common/tools/check_layers.sh [FOLDER]     default: this repository. Exit status 1 when a rule is broken.
#
# Looks at the files that git knows or would add; without git, at all but what is generated.

set -u
case ${1-} in --help) sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
LC_ALL=C
export LC_ALL

cd "${1:-$(dirname "$0")/../..}" || exit 2
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT

if ! git ls-files -co --exclude-standard >"$scratch/known" 2>/dev/null; then
    find . \( -path ./build -o -path ./.git -o -path ./datasets/cache -o -path ./grades \) -prune -o -type f -print |
        sed 's|^\./||' >"$scratch/known"
fi
# A file that is known and no longer there is not looked at.
while IFS= read -r file; do [ -f "$file" ] && printf '%s\n' "$file"; done <"$scratch/known" | sort >"$scratch/files"

files() { grep -E "$1" "$scratch/files"; } # FILES whose path matches
each() { tr '\n' '\0' | xargs -0 -r "$@"; } # the command, with the names on standard input behind its arguments

# rule "what must hold": reads complaints, one a line, from standard input.
rule() {
    cat >"$scratch/complaints"
    if [ -s "$scratch/complaints" ]; then
        echo "$1:"
        sed 's/^/    /' "$scratch/complaints"
        echo broken >>"$scratch/rules"
    else
        echo kept >>"$scratch/rules"
    fi
}

# ---- The rooms of common/ -------------------------------------------------------------------------------------
# Who may include whom: a room, and what it may use besides its own files. learning, files and lesson stand side by side,
# and the operations of the tape on the tape. A chapter uses everything but the tools.

cat >"$scratch/rooms" <<'END'
base
matrix       base
learning     base matrix
learning/ops base matrix learning
files        base matrix
lesson       base matrix
lesson/plot  base matrix lesson
models       base matrix learning learning/ops files
tools        base matrix learning learning/ops files lesson lesson/plot models
tools/live   base matrix learning files lesson models tools tools/live/system
tools/live/system
chapters     base matrix learning learning/ops files lesson lesson/plot models
END

files '^(common|chapters)/.*\.[ch]$' | each awk '
    function folder(path) { return match(path, /\/[^\/]*$/) ? substr(path, 1, RSTART - 1) : "" }
    NR == FNR { # the list of rooms
        room[$1]
        for (i = 2; i <= NF; i++) may[$1, $i]
        next
    }
    FNR == 1 {
        own = FILENAME ~ /^chapters\// ? "chapters" : folder(substr(FILENAME, length("common/") + 1))
        if (!(own in room)) print FILENAME ": its folder is no room; check_layers.sh lists them"
    }
    own in room && match($0, /^[ \t]*#[ \t]*include[ \t]*"[^"]*"/) {
        header = $0
        sub(/^[^"]*"/, "", header)
        sub(/".*/, "", header)
        used = folder(header)
        place = FILENAME ":" FNR ": \"" header "\" is "
        if (own == "chapters" && used == "") next # beside the chapter
        if (used == "chapters" || !(used in room)) print place "in no room; write it as \"room/file.h\""
        else if (used != own && !((own, used) in may)) print place "in a room that " own " may not use"
    }' "$scratch/rooms" |
    rule "A file includes only its own room and those that it may use (the list is in common/tools/check_layers.sh)"

# ---- Flags that change results --------------------------------------------------------------------------------

{
    files '(^|/)(Makefile|[^/]*\.mk|[^/]*\.sh)$|^\.ci/run$' | grep -v 'check_layers\.sh$' |
        each grep -nHE '^[^#]*-(ffast-math|Ofast|funsafe-math-optimizations|fassociative-math|freciprocal-math|ffinite-math-only|ffp-contract=(fast|on))'
    files '\.[ch]$' | grep -v '^tests/grader/cheats/' |
        each grep -nHE '^[^"/]*(#[ \t]*pragma[ \t]+(GCC[ \t]+optimize|STDC[ \t]+FP_CONTRACT[ \t]+ON|clang[ \t]+fp)|__attribute__.*[(, ]optimize[ \t]*\()'
} | rule "Nothing lets the compiler change a result (no fast-math, no contraction)"

# ---- Layout ---------------------------------------------------------------------------------------------------
# clang-format decides, in the version whose decisions these are; where it is not installed nobody does. Programs that are
# tried on the grader look as their authors would have them.

layout=""
for program in clang-format-14 clang-format; do
    [ -n "$layout" ] || ! "$program" --version 2>/dev/null | grep -q 'version 14\.' || layout=$program
done
if [ -n "$layout" ] && [ -f .clang-format ]; then
    files '\.[ch]$' | grep -vE '^tests/grader/(cheats|honest)/|^chapters/[^/]*/exercise\.c$' | each "$layout" --dry-run 2>&1 |
        sed -n "s/^\([^ ].*:[0-9]*\):[0-9]*: .*\[-Wclang-format-violations\]\$/\1: $layout -i would change it/p" | sort -u -t : -k 1,1 |
        rule "Files look as clang-format writes them"
fi

# ---- Left-overs -----------------------------------------------------------------------------------------------

files '(^|/)Makefile$|\.(c|h|sh|mk|md)$|^\.ci/run$' | grep -vE '^chapters/[^/]*/exercise\.c$|check_layers\.sh$' |
    each grep -nHwE 'TODO|FIXME|XXX' | rule "Nothing is left to do (notes to oneself belong into an issue)"

each wc -c <"$scratch/files" | awk '$1 > 1048576 && $2 != "total" {
    print substr($0, index($0, $2)) ": " $1 " bytes; let a recipe in datasets/ bring it"
}' | rule "No file is larger than 1 MiB"

# ---- Headers --------------------------------------------------------------------------------------------------

files '^(common|tests)/.*\.h$|^chapters/[^/]*/[^/]*\.h$' |
    each awk 'FNR == 1 && !/^\/\/ ./ { n = split(FILENAME, part, "/"); print FILENAME ":1: begin with a comment: // " part[n] ": what it is for" }' |
    rule "Every header opens with what it is for"

# ---- Tests ----------------------------------------------------------------------------------------------------

files '^tests/(unit/test|exercises/exercise)_[^/]*\.c$' | each awk '
    function told() { # of the file that ends here
        for (i = 1; i <= count; i++) if (lines[test[i]] < 2) print file ": " test[i] " is in no SUITE or EXERCISE"
        split("", lines)
        count = 0
    }
    FNR == 1 { told(); file = FILENAME }
    /^START_TEST\([a-z_A-Z0-9]*\)/ { match($0, /\([a-z_A-Z0-9]*\)/); test[++count] = substr($0, RSTART + 1, RLENGTH - 2) }
    {
        words = split($0, word, /[^a-zA-Z0-9_]+/)
        split("", here)
        for (i = 1; i <= words; i++) if (!(word[i] in here)) { here[word[i]]; lines[word[i]]++ }
    }
    END { told() }' | rule "Every test is run"

# ---- Chapters -------------------------------------------------------------------------------------------------

files '^chapters/[0-9]*-[^/]*/' | cut -d / -f 2 | sort -u >"$scratch/chapters"
files '^chapters/[A-Z]-[^/]*/' | cut -d / -f 2 | sort -u >"$scratch/appendix" # these have no exercises
cat "$scratch/chapters" "$scratch/appendix" >"$scratch/lessons"

answers=solution.c
grep -qs "^This is your folder of the course" README.md && answers="" # a handout has none (tests/exercises/STUDENTS.md)

while IFS= read -r chapter; do
    program=$(printf '%s' "${chapter#*-}" | tr - _).c
    for file in "$program" README.md exercise.h exercise.c $answers; do
        case $chapter,$file in [A-Z]-*,exercise.* | [A-Z]-*,solution.c) continue ;; esac
        [ -f "chapters/$chapter/$file" ] || echo "chapters/$chapter/$file is missing"
    done
    files "^figures/$chapter/.*\.(png|svg)\$" | grep -q . || echo "figures/$chapter/ has no pictures"
done <"$scratch/lessons" | rule "A chapter has its program, its page, exercises, answers and pictures"

while IFS= read -r chapter; do
    [ -f "chapters/$chapter/README.md" ] || continue
    grep -oE '\.\./\.\./figures/[^)" ]*\.(png|svg)' "chapters/$chapter/README.md" | sort -u | sed 's|^\.\./\.\./||' |
        while IFS= read -r picture; do
            [ -f "$picture" ] || echo "chapters/$chapter/README.md: $picture is missing"
        done
done <"$scratch/lessons" | rule "The pictures on a chapter's page are there"

# A question is a number in bold, in "Check yourself" or among the exercises, and behind it stands its answer, folded:
#     **1.** Why?          <details><summary>Answer</summary>          Because.          </details>
while IFS= read -r chapter; do
    program=chapters/$chapter/$(printf '%s' "${chapter#*-}" | tr - _).c
    [ -f "$program" ] || continue
    awk '
        function complain(what) { print FILENAME ":" FNR ": " what }
        function leave_question() {
            if (question) print FILENAME ":" place ": question " question " has no folded answer"
            question = folded = 0
        }
        function leave_section() {
            leave_question()
            if (section == "Check yourself" && asked != 5) complain("\"Check yourself\" asks " asked + 0 " questions, and not five")
            checked = checked || section == "Check yourself"
            asked = 0
        }
        /^## / { leave_section(); section = substr($0, 4); next }
        section != "Check yourself" && section != "Exercises" { next }
        /^<details><summary>Answer<\/summary>$/ { folded = 1; words = 0; next }
        /^<\/details>$/ { if (folded && words) question = 0; folded = 0; next }
        /^\*\*[0-9]+\.\*\* / || (!folded && /^[0-9]+\. /) {
            leave_question()
            question = $1
            gsub(/[*.]/, "", question)
            place = FNR
            if (question + 0 != ++asked) complain("question " question " is number " asked)
            next
        }
        folded { words += NF }
        END {
            leave_section()
            if (!checked) print FILENAME ": no section \"## Check yourself\""
        }' "$program"
done <"$scratch/lessons" | rule "Each chapter asks five questions at its end, and answers every question it asks there"

# The tasks of exercise.h are the ones that exercise.c holds, that solution.c answers and that the tests test. A student's
# exercise.c loses its stubs one by one: there, the comment above the function counts.
while IFS= read -r chapter; do
    [ -f "chapters/$chapter/exercise.h" ] || continue
    tests=tests/exercises/exercise_${chapter%%-*}.c
    number=$(printf '%s' "${chapter%%-*}" | sed 's/^0*//')
    grep -oE "TASK $number\.[0-9]+" "chapters/$chapter/exercise.h" | cut -d ' ' -f 2 | sort -u >"$scratch/tasks"
    [ -s "$scratch/tasks" ] || echo "chapters/$chapter/exercise.h: no TASK $number.1"
    for file in exercise.c solution.c; do
        [ -f "chapters/$chapter/$file" ] || continue
        grep -oE "TASK $number\.[0-9]+" "chapters/$chapter/$file" | cut -d ' ' -f 2 | sort -u |
            diff "$scratch/tasks" - | sed -n "s|^< |chapters/$chapter/$file: no TASK |p; s|^> |chapters/$chapter/exercise.h: no TASK |p"
    done
    if [ -f "$tests" ]; then
        grep -oE '\{"[0-9]+\.[0-9]+"' "$tests" | cut -d '"' -f 2 | sort -u |
            diff "$scratch/tasks" - | sed -n "s|^< |$tests: no test of TASK |p; s|^> |chapters/$chapter/exercise.h: no TASK |p"
    else
        echo "$tests is missing: the tests of the tasks in chapters/$chapter/exercise.h"
    fi
done <"$scratch/chapters" | rule "Each task is declared, stubbed, answered and tested"

broken=$(grep -c broken "$scratch/rules")
[ -n "${SUITE_RESULT-}" ] && echo "$(grep -c kept "$scratch/rules") passed, $broken failed" >"$SUITE_RESULT"
[ "$broken" -eq 0 ]
