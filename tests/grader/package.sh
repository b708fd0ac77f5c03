#!/bin/sh
# package.sh: packs the grader of one chapter for a service that grades, so that nothing has to be edited there.
#
#   sh tests/grader/package.sh gradescope NUMBER OUT     OUT/ and OUT.zip: upload the zip as the autograder
#   sh tests/grader/package.sh autolab NUMBER OUT        OUT/chapterNN.tar: import it as an assessment
#   sh tests/grader/package.sh classroom50 NUMBER OUT    OUT/: commit it as CLASSROOM/autograders/ASSIGNMENT
#   sh tests/grader/package.sh workflow FOLDER           files for CI services, into a handout: public tests at each push
#
# NUMBER has two digits. SEED in the environment is what the hidden tests draw from (a number or words); without it one is
# drawn, and kept in the package: every submission meets the same inputs, and grading again gives the same points.
# The packages hold our answers and the hidden tests: they are for the service, and for no student.
set -u
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
export LC_ALL=C.UTF-8
say() { printf '%s\n' "$@"; }
stop() { say "$*" >&2; exit 1; }
parts=tests/grader/packages

is_empty() { [ ! -e "$1" ] || [ -z "$(ls -A "$1")" ]; }

if [ "$1" = workflow ]; then
    out=${2-}
    [ -f "$out/tests/exercises/ci.sh" ] || stop "Say OUT=folder, one that make handout has made${out:+: $out is none}."
    mkdir -p "$out/.github/workflows" && cp "$parts/workflow/github.yml" "$out/.github/workflows/exercises.yml" &&
        cp "$parts/workflow/gitlab.yml" "$out/.gitlab-ci.yml" || exit 1
    say "$out: .github/workflows/exercises.yml, .gitlab-ci.yml"
    exit
fi

service=$1 number=$2 out=$3
case $out in -*) out=./$out ;; esac
set -- chapters/"$number"-*
chapter=$1
[ -f "$chapter/solution.c" ] && [ -f "tests/grader/hidden_$number.c" ] || stop "chapter $number has no hidden tests"
is_empty "$out" || stop "$out is there already, and not empty."
# A line for each public test: its task and its points.
tests_of() { grep -oE '\{"[0-9]+\.[0-9]+", *[0-9]+' "tests/exercises/exercise_$number.c" | tr -d '{",'; }
most=$(tests_of | awk '{ sum += $2 } END { print sum }')

# pack FOLDER: what grades this chapter, and nothing else of the course
pack() {
    for file in Makefile LICENSE common/tools/help.sh common/tools/build.sh common/tools/suggest.sh common/tools/packages.sh \
        common/base/*.[ch] common/matrix/*.h common/matrix/matrix.c common/matrix/gemm.c common/matrix/eigen.c \
        common/lesson/exercise.h "$chapter/exercise.h" "$chapter/solution.c" \
        "tests/exercises/exercise_$number.c" tests/exercises/*.h tests/exercises/signatures.awk tests/unit/suite.[ch] \
        tests/grader/*.[ch] tests/grader/generate.awk tests/grader/allocator.txt; do
        case $file in
        "tests/grader/hidden_$number.c") ;;
        tests/grader/hidden_[0-9]*.c | tests/grader/check_format.c | tests/grader/without.c) continue ;;
        esac
        mkdir -p "$1/course/$(dirname "$file")" && cp -p "$file" "$1/course/$file" || exit 1
    done
    cp "$parts/grade.sh" "$1/" && say "$number" >"$1/chapter" || exit 1
    # 31 bits, or whatever words were given.
    say "${SEED:-$(od -An -N4 -tu4 /dev/urandom | awk '{ print int($1 / 2) }')}" >"$1/seed" || exit 1
}

mkdir -p "$out" || exit 1
case $service in
gradescope)
    pack "$out"
    cp "$parts"/gradescope/* "$out/" && chmod +x "$out/setup.sh" "$out/run_autograder" || exit 1
    say "$out: setup.sh and run_autograder, with the grader of chapter $number"
    command -v zip >/dev/null ||
        stop "Gradescope takes a zip file, and zip is not installed (sudo apt-get install zip). Then: cd $out && zip -qr ../${out##*/}.zip ."
    rm -f "$out.zip"
    zipped=$(cd "$(dirname "$out")" && pwd)/${out##*/}.zip
    (cd "$out" && zip -qr "$zipped" .) || exit 1
    say "$out.zip: upload it under Configure Autograder; the assignment has $most points" ;;
classroom50)
    pack "$out"
    cp "$parts"/classroom50/* "$out/" || exit 1
    say "$out: commit it as CLASSROOM/autograders/ASSIGNMENT; runtime.json is the assignment's runtime" \
        "What lies there students can fetch, our answers and the hidden tests too: see tests/grader/TEACHING.md" ;;
autolab)
    name=chapter$number
    mkdir -p "$out/$name/grader" || exit 1
    pack "$out/$name/grader"
    tar cf "$out/$name/autograde.tar" -C "$out/$name" grader && rm -r "$out/$name/grader" || exit 1
    cp "$parts/autolab/autograde-Makefile" "$out/$name/" || exit 1
    tests_of | awk -v name="$name" -v title="$(sed -n '1s/^\/\/ Exercises of \(.*\): what each.*/\1/p' "$chapter/exercise.h")" '
        !($1 in points) { task[++tasks] = $1 }
        { points[$1] += $2 }
        END {
            print "---\ngeneral:\n  name: " name "\n  description: \"\"\n  display_name: \"Exercises of " title "\""
            print "  handin_filename: exercise.c\n  handin_directory: handin\n  max_grace_days: 0\n  handout: \"\"\n  writeup: \"\""
            print "  max_submissions: -1\n  disable_handins: false\n  max_size: 2\n  has_svn: false\n  category_name: Exercises\nproblems:"
            for (i = 1; i <= tasks; i++)
                printf "- name: \"%s\"\n  description: \"\"\n  max_score: %d.0\n  optional: false\n", task[i], points[task[i]]
            print "autograder:\n  autograde_timeout: 180\n  autograde_image: autograding_image\n  release_score: true"
        }' >"$out/$name/$name.yml" || exit 1
    tar cf "$out/$name.tar" -C "$out" "$name" || exit 1
    say "$out/$name.tar: import it as an assessment. Its image needs gcc libc6-dev make check pkg-config" ;;
*) stop "package.sh: $service?" ;;
esac
