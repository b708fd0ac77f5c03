#!/bin/sh
# test_environment.sh: chapter 1 on odd machines: whatever the locale, the threads, the folders, the clock and the limits are, it
# prints the same bytes, or refuses and says why.
#
#   sh tests/tools/test_environment.sh CHAPTER1      the program, built; from the top of the repository
set -u
program=$(realpath "$1")
top=$PWD
result=${SUITE_RESULT-}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/test-environment-XXXXXX") || exit 2
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
export COURSE_BUILD="$scratch/build"
passed=0 failed=0

# Nothing that was set for other tests.
unset OMP_NUM_THREADS OMP_SCHEDULE OMP_DYNAMIC LC_ALL LANG FULL

run() { # run COMMAND…: what it prints goes to a file
    "$@" >"$scratch/out" 2>"$scratch/errors" </dev/null
    status=$?
}
chapter() { # chapter NAME COMMAND…: run before chapter 1, as in `env A=b`
    name=$1
    shift
    run "$@" "$program" --quiet --figures "$scratch/figures"
    same
}
same() {
    if [ "$status" -eq 0 ] && cmp -s "$scratch/expected" "$scratch/out"; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    echo "FAIL: $name: exit status $status"
    diff "$scratch/expected" "$scratch/out" | head -n 5
    tail -n 3 "$scratch/errors"
}
refused() { # refused NAME WORDS: exit status 1, with these words
    if [ "$status" -eq 1 ] && grep -q -e "$2" "$scratch/errors"; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    echo "FAIL: $1: expected exit status 1 and \"$2\"; got status $status and:"
    tail -n 3 "$scratch/errors"
}

# What follows draws no figures, which take longest and are tried apart.
mkdir "$scratch/bin" "$scratch/figures" || exit 2
for tool in env sh taskset setsid; do
    found=$(command -v "$tool") && ln -s "$found" "$scratch/bin/$tool"
done
without_gnuplot() { PATH=$scratch/bin "$@"; }

run without_gnuplot "$program" --quiet --figures "$scratch/figures"
[ "$status" -eq 0 ] || { cat "$scratch/errors"; echo "0 passed, 1 failed"; exit 1; }
cp "$scratch/out" "$scratch/expected"

# ---- Threads -------------------------------------------------------------------------------------------------------------

for setting in OMP_NUM_THREADS=0 OMP_NUM_THREADS=1 OMP_NUM_THREADS=3 OMP_NUM_THREADS=100 OMP_NUM_THREADS=2,1 OMP_NUM_THREADS=many \
    OMP_SCHEDULE=dynamic,1 OMP_DYNAMIC=true OMP_NESTED=true OMP_MAX_ACTIVE_LEVELS=0 OMP_THREAD_LIMIT=1 OMP_PROC_BIND=close \
    OMP_STACKSIZE=64k OMP_WAIT_POLICY=active GOMP_SPINCOUNT=0; do
    chapter "$setting" without_gnuplot env OMP_NUM_THREADS=2 "$setting"
done
if command -v taskset >/dev/null; then chapter "one processor" without_gnuplot taskset -c 0; fi

# ---- The C library ---------------------------------------------------------------------------------------------------------

# Locales with a decimal comma, and with an i that has no dot: this machine may not have them, but can make them.
if command -v localedef >/dev/null; then
    mkdir "$scratch/locales"
    for language in de_DE tr_TR; do
        localedef -i $language -f UTF-8 "$scratch/locales/$language.UTF-8" >/dev/null 2>&1
        [ -d "$scratch/locales/$language.UTF-8" ] && export LOCPATH="$scratch/locales"
    done
fi
for setting in LC_ALL=de_DE.UTF-8 LC_ALL=tr_TR.UTF-8 LC_ALL=C LC_ALL=nonsense LANG= MALLOC_PERTURB_=165 MALLOC_ARENA_MAX=1 \
    GLIBC_TUNABLES=glibc.malloc.check=3 TZ=Pacific/Kiritimati TERM=dumb TERM= COLUMNS=0 COLUMNS=-3 TMPDIR=/nowhere "TMPDIR=/a b" \
    LD_BIND_NOW=1 POSIXLY_CORRECT=1; do
    chapter "$setting" without_gnuplot env "$setting"
done
chapter "no environment at all" without_gnuplot env -i "COURSE_BUILD=$COURSE_BUILD"
chapter "a library that is loaded before" without_gnuplot env LD_PRELOAD="$(ls /lib/*/libm.so.6 2>/dev/null | head -n 1)"

# ---- Folders ---------------------------------------------------------------------------------------------------------------

chapter "umask 077" without_gnuplot sh -c 'umask 077; exec "$@"' sh
chapter "a small stack" without_gnuplot sh -c 'ulimit -s 1024; exec "$@"' sh
chapter "few open files" without_gnuplot sh -c 'ulimit -n 16; exec "$@"' sh
chapter "no terminal" without_gnuplot setsid
chapter "without standard error" without_gnuplot sh -c 'exec "$@" 2>&-' sh

odd="$scratch/a course of 深度学习, \"\$HOME\""
mkdir -p "$odd/chapters" "$odd/figures/01-linear-regression" && ln -s "$top/datasets" "$odd/datasets" && cd "$odd" || exit 2
name="a folder with blanks, quotes and Chinese letters"
run without_gnuplot "$program" --quiet
same
if command -v gnuplot >/dev/null; then
    name="the figures in it"
    run "$program" --quiet
    same
    [ -s "$odd/figures/01-linear-regression/bowl.svg" ]
    status=$? name="are drawn there"
    cp "$scratch/expected" "$scratch/out"
    same
    # gnuplot reads and writes numbers with points, whatever the locale.
    cp figures/01-linear-regression/bowl.svg "$scratch/bowl.svg" && rm figures/01-linear-regression/bowl.svg
    run env LC_ALL=de_DE.UTF-8 "$program" --quiet
    same
    cmp -s "$scratch/bowl.svg" figures/01-linear-regression/bowl.svg
    status=$? name="the same figure where numbers have commas"
    same
fi
cd "$top" || exit 2

# ---- Refusals --------------------------------------------------------------------------------------------------------------

if [ -w /dev/full ]; then
    without_gnuplot "$program" --quiet --figures "$scratch/figures" >/dev/full 2>"$scratch/errors"
    status=$?
    refused "standard output that is full" "standard output: "
fi

[ -z "$result" ] || echo "$passed passed, $failed failed" >"$result"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
