#!/bin/sh
# grade.sh: grades one submission with what lies beside this file: course/, the part of the course that grades one chapter;
# chapter, its number; seed, from which the hidden tests draw their inputs.
#
#   sh grade.sh --build            builds the grader; otherwise the first submission does
#   sh grade.sh SUBMISSION OUT     SUBMISSION is a folder, or exercise.c itself. OUT receives report.md, results.json,
#                                  autolab.txt, classroom50.json, junit.xml and results.tap.
#                                  Exit status 0: graded; 1: not graded, and it says why
set -u
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
here=$(cd "$(dirname "$0")" && pwd) || exit 1
stop() { printf 'grade.sh: %s\n' "$*" >&2; exit 1; }
number=$(cat "$here/chapter") && seed=$(cat "$here/seed") || stop "$here is no whole package"

# What is built on one machine may run on another, so native is no choice. One without these instructions is slower and gives
# the same bits.
arch=native
if [ "$(uname -m)" = x86_64 ]; then
    arch=x86-64
    grep -q '^flags.* avx2 .*' /proc/cpuinfo && grep -q '^flags.* fma .*' /proc/cpuinfo && arch=x86-64-v3
fi

find_program() {
    for program in "$here"/course/build/gcc-"$arch"-release*/tests/grader/grade-"$number"; do [ -x "$program" ] && return; done
    return 1
}
build() {
    command -v gcc >/dev/null && command -v make >/dev/null || stop "gcc and make are needed (apt-get install gcc libc6-dev make check pkg-config)"
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CFLAGS -u CPPFLAGS -u LDFLAGS -u LDLIBS \
        make -s -j"$(nproc)" -C "$here/course" grader-programs CC=gcc MODE=release BUILD=build ARCH="$arch" >&2 ||
        stop "the grader could not be built; its words are above (needed: apt-get install gcc libc6-dev make check pkg-config)"
    find_program || stop "$here/course was built, and there is no grade-$number for $arch"
}

find_program || build
[ "$1" != --build ] || exit 0

submission=$1 out=${2-}
[ -n "$out" ] || stop "say where the reports go: grade.sh SUBMISSION OUT"
[ -e "$submission" ] || stop "$submission: there is no such submission"
work=$(mktemp -d) && chmod 711 "$work" || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# The grader takes a folder of submissions: here one, the file that it would look for, or the folder when none is there.
mkdir -p "$work/class" "$out" || exit 1
rm -f "$out"/report.md "$out"/results.json "$out"/autolab.txt "$out"/classroom50.json "$out"/junit.xml "$out"/results.tap
if [ -d "$submission" ]; then
    chapter=$(cd "$here/course/chapters" && echo "$number"-*)
    found=""
    for file in exercise.c "chapters/$chapter/exercise.c" "$chapter/exercise.c"; do
        [ -n "$found" ] || { [ -e "$submission/$file" ] || [ -L "$submission/$file" ]; } && found=${found:-$file}
    done
    if [ -n "$found" ]; then
        mkdir "$work/class/student" && cp -P "$submission/$found" "$work/class/student/exercise.c"
    else
        cp -RP "$submission" "$work/class/student"
    fi
else
    mkdir "$work/class/student" && cp -P "$submission" "$work/class/student/exercise.c"
fi || stop "$submission cannot be read"

"$program" --harness "${program%/*}/$number" --compiler gcc --arch "$arch" --jobs 1 --seed "$seed" --out "$work/grades" \
    -- "$work/class" >"$work/said" 2>&1
status=$?
cp "$work"/grades/students/student/* "$out/" 2>/dev/null || status=1
[ "$status" -eq 0 ] || { cat "$work/said" >&2; stop "not graded: a human must look"; }
