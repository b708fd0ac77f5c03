#!/bin/sh
# test_bench.sh: what surrounds the benchmarks, tried with programs that measure nothing, in a small course of its own: what was
# reached is kept with its commit, changes since are told, too long a run is told, and table.sh makes a table of the figures.
#
#   sh tests/tools/test_bench.sh
set -u
export LC_ALL=C.UTF-8
unset NAME PEERS ACCURACY PROFILE JSON ARGS BENCH_BUDGET BENCH_TABLE GIT_DIR GIT_WORK_TREE
scratch=$(mktemp -d "${TMPDIR:-/tmp}/test-bench-XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
. tests/tools/checks.sh
run=$PWD/tests/bench/run.sh table=$PWD/tests/bench/table.sh

mkdir -p "$scratch/course/tests/bench/peers" "$scratch/course/common/models" "$scratch/course/build/peers" || exit 2
cd "$scratch/course" || exit 2
printf '#include "bench.h"\n#include "shared.h"\n#include "models/nn.h"\n// .kept = "5 epochs"\n' >tests/bench/bench_small.c
printf '#include "models/gpt.h"\n// .program = "twin.py"\n' >tests/bench/shared.h
touch tests/bench/bench_other.c tests/bench/bench.h tests/bench/peers/twin.py common/models/nn.c common/models/gpt.c common/models/pca.c
echo build >.gitignore

# Says what a benchmark would; with ACCURACY=1 what it reached.
line() { # NAME METRIC VALUE THREADS MORE
    printf '{"program": "%s", "name": "%s", "metric": "%s", "value": %s, "threads": %s, %s"counted": true, "compiler": "gcc 12.2.0", ' "${1%%[_:]*}" \
        "$1" "$2" "$3" "$4" "$5"
    printf '"arch": "native", "vector_bits": 512, "cpu": "A & B/C", "commit": "%s"}\n' "${BENCH_COMMIT-}"
}
program() { # NAME: it says what stands in two files; "broken" lets it fail
    cat >"build/bench_$1" <<END
#!/bin/sh
[ ! -e broken ] || exit 3
echo "$1 at \$BENCH_PLACE" >&2
if [ -n "\$BENCH_ACCURACY" ]; then file=$1.reached; else file=$1.speeds; fi
sed "s/COMMIT/\$BENCH_COMMIT/" "\$file" >>"\${BENCH_JSON:-/dev/stdout}"
END
    chmod +x "build/bench_$1"
}
program small
program other
BENCH_COMMIT=COMMIT
line small samples_per_s 85678.1 2 '"share": 0.856, ' >small.speeds
{
    line small test_accuracy 0.8801 2 '"after": "5 epochs", '
    line small:PyTorch test_accuracy 0.8795 2 '"version": "PyTorch 1.13.1", "after": "5 epochs", '
} >small.reached
line other seconds 0.00019 1 "" >other.speeds
: >other.reached
git init -q . && git config user.name Tester && git config user.email tester@example.org && git config commit.gpgsign false
commit() { git add -A && git commit -q -m "$1"; }
commit begin

bench() { sh "$run" build "$@" >"$scratch/out" 2>&1; } # [SETTING=…] NAME…: in the shell's own environment
says() { grep -qF "$1" "$scratch/out" || { cat "$scratch/out"; return 1; }; }
silent_about() { ! grep -F "$1" "$scratch/out"; }

# ---- What is kept ----------------------------------------------------------------------------------------------------------

check "speeds are measured" bench small other
check "each knows its place" says "other at 2 of 2"
check "what was never trained is told" says "nothing is kept in tests/bench/accuracy.tsv"
check "but not of what trains nothing" silent_about "other: nothing"
check "the total is told" says "2 of 2 benchmarks in 0:0"
check "with ACCURACY=1 it is trained" env ACCURACY=1 sh "$run" build small
hash=$(git rev-parse --short HEAD)
kept() { [ "$(grep -c "^small	small	test_accuracy	5 epochs	$1	$2	$3	$hash	" tests/bench/accuracy.tsv)" = 1 ]; }
check "ours is kept with its commit" kept "this course" 0.8801 -
check "the peer's, too" kept PyTorch 0.8795 "PyTorch 1.13.1"
check "the speeds are shown again" bench small
check "with what was reached" says "small test_accuracy after 5 epochs: this course 0.8801, PyTorch 1.13.1 0.8795 ($hash, "
check "nothing has changed" silent_about "changed its sources"
sed -i.old 's/0.8801/0.8807/' small.reached
check "trained again, and behind it one that trains nothing" env ACCURACY=1 sh "$run" build small other
hash="$hash+"
check "the new stands in its place, marked as of no commit" kept "this course" 0.8807 -
check "and no other" test "$(grep -c . tests/bench/accuracy.tsv)" = 3

touched() { # FILE: in a commit
    echo "// more" >>"$1"
    commit "change $1"
    bench small
}
touched common/models/pca.c
check "what it does not include may change" silent_about "changed its sources"
touched common/models/nn.c
check "its model has changed" says "1 commit has changed its sources since"
touched common/models/gpt.c
check "and that of the header beside" says "2 commits have changed"
touched tests/bench/peers/twin.py
check "and its peer" says "3 commits have changed"
check "without git" env GIT_DIR="$scratch/none" sh "$run" build small
GIT_DIR=$scratch/none
export GIT_DIR
bench small
unset GIT_DIR
check "what is kept is shown" says "this course 0.8807"
check "and no change told" silent_about "changed its sources"

# ---- Time, failures, files ---------------------------------------------------------------------------------------------------

check "a run within its budget" silent_about "more than it may take"
BENCH_BUDGET=0
export BENCH_BUDGET
bench other
check "a run above it" says "more than it may take"
unset BENCH_BUDGET
touch broken
bench other small
check "a program that fails ends the run with its status" test $? = 3
check "and is named" says "other ended with status 3"
rm broken
echo old >figures.json
check "JSON=file" env JSON=figures.json sh "$run" build small other
check "holds the lines of this run" test "$(grep -c '^{' figures.json) $(wc -l <figures.json)" = "2 2"
env ARGS=--help sh "$run" build small >"$scratch/out" 2>&1
check "ARGS=--help tells the settings" says ACCURACY=1
check "and measures nothing" silent_about "small at"

# ---- The table ---------------------------------------------------------------------------------------------------------------

BENCH_COMMIT=abc1234
{
    line gemm_64 gflops 200.5 2 "" && line gemm_64:oneDNN gflops 155 2 '"ratio": 1.3, "version": "oneDNN 2.6.0 NO_LAPACKE Cooperlake", '
    line gemm_1024 gflops 420 2 "" && line gemm_1024:oneDNN gflops 424 2 '"ratio": 0.99, "version": "oneDNN 2.6.0", '
    line linreg seconds 0.00019 1 "" && line linreg:PyTorch seconds 0.08 1 '"ratio": 421, "version": "PyTorch 1.13.1", '
    line small samples_per_s 45678.1 1 '"share": 0.5, ' && line small samples_per_s 1234567 2 '"share": 0.856, '
    line small:PyTorch samples_per_s 30000 2 '"ratio": 2.856, "version": "PyTorch 1.13.1, sparse", '
    line small test_accuracy 0.88 2 '"after": "5 epochs", ' && line alone seconds 2.5 2 ""
    line decode tokens_per_s 13.7 2 "" && line decode bandwidth 0.95 2 "" && line decode bandwidth 1.06 1 ""
    line small samples_per_s 99 4 '"share": 0.1, '
} >made.json
cat >expected <<'END'
| row | on 2 threads | of the limit | times as fast as |
|---|---|---|---|
| gemm, 2 shapes | 200 to 420 GF/s | – | oneDNN 2.6.0: 0.99 to 1.30 |
| linreg | 190 µs (1 thread) | – | PyTorch 1.13.1: 421 |
| small | 1.23 M samples/s | 86 % | PyTorch 1.13.1: 2.86 |
| decode | 13.7 tokens/s | 95 % of the bandwidth | – |

Measured on A & B/C, vectors of 512 bits (ARCH=native), with gcc 12.2.0, at commit abc1234.
END
sh "$table" made.json >made.md 2>"$scratch/out"
check "the table" diff expected made.md
sh "$table" made.json alone >made.md 2>&1
check "a row that is asked for, with nothing beside it" grep -qxF "| alone | 2.5 s | – | – |" made.md
check "and no other" test "$(grep -c '^|' made.md)" = 3
fails() { ! "$@"; }
check "a row that is not there" fails sh "$table" made.json nowhere
check "a file that is not there" fails sh "$table" nowhere.json
check "a file of something else" fails sh "$table" expected

[ -z "${SUITE_RESULT-}" ] || echo "$passed passed, $failed failed" >"$SUITE_RESULT"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
