#!/bin/sh
# fuzz.sh: runs the harnesses of tests/fuzz; `make fuzz` and `make test-fuzz` call it.
#
#   sh tests/fuzz/fuzz.sh check CLANG                     is libFuzzer here? If not, says what to type
#   sh tests/fuzz/fuzz.sh run PROGRAMS FOLDER NAME…       libFuzzer on each: FUZZ_SECONDS, SEED, JOBS
#   sh tests/fuzz/fuzz.sh replay PROGRAMS FOLDER NAME…    seeds, findings and long files once, without libFuzzer
#
# FUZZ_TIMEOUT=60 for a process at a low priority: an input has 5 seconds of the clock otherwise, not of the processor.
# FOLDER keeps what was made: seeds, and for run the corpus, which later runs go on from, and findings.

set -u
action=${1-}
[ $# -ge 2 ] || { echo "usage: fuzz.sh check|run|replay …" >&2; exit 2; }
shift
here=$(dirname "$0")

if [ "$action" = check ]; then
    # A compiler may be two words.
    if ! command -v "${1%% *}" >/dev/null 2>&1; then
        echo "make fuzz needs clang, whose libFuzzer it uses, and $1 is not here. Type: sudo apt-get install clang" >&2
        exit 1
    fi
    program=$(mktemp) || exit 2
    trap 'rm -f "$program"' EXIT
    if printf 'int LLVMFuzzerTestOneInput(const unsigned char *b, unsigned long n) { return b == 0 && n == 1; }\n' |
        "$@" -fsanitize=fuzzer,address,undefined -x c - -o "$program" 2>/dev/null; then
        exit 0
    fi
    major=$("$@" -dumpversion | cut -d . -f 1)
    echo "make fuzz needs libFuzzer and the sanitizers of $1 $major, which are not here." >&2
    for package in "libclang-rt-$major-dev" "libclang-common-$major-dev"; do
        if apt-cache show "$package" >/dev/null 2>&1; then
            echo "Type: sudo apt-get install $package" >&2
            exit 1
        fi
    done
    echo "They come with LLVM's compiler-rt for version $major." >&2
    exit 1
fi

programs=$(cd "$1" && pwd) || exit 2 # harnesses may change the folder
mkdir -p "$2" && folder=$(cd "$2" && pwd) || exit 2
here=$(cd "$here" && pwd)
shift 2
make_seeds() {
    "$programs/seeds" "$folder" || exit 2
    mkdir -p "$folder/seeds/csv"
    for table in "$here"/../../datasets/*.csv; do head -n 8 "$table" >"$folder/seeds/csv/$(basename "$table")"; done
}

# ---- Once -------------------------------------------------------------------------------------------------------------

if [ "$action" = replay ]; then
    make_seeds
    passed=0
    failed=0
    for name in "$@"; do
        set --
        for kind in "$here/seeds/$name" "$here/found/$name" "$folder/seeds/$name" "$folder/long/$name"; do
            [ -d "$kind" ] && set -- "$@" "$kind"
        done
        if count=$("$programs/fuzz_$name" "$@"); then
            echo "$name: $count inputs"
            passed=$((passed + count))
        else
            failed=$((failed + 1))
        fi
    done
    [ -n "${SUITE_RESULT-}" ] && echo "$passed passed, $failed failed" >"$SUITE_RESULT"
    [ "$failed" -eq 0 ]
    exit
fi

# ---- With libFuzzer ---------------------------------------------------------------------------------------------------

if [ "$action" = one ]; then
    name=$1
    corpus=$folder/corpus/$name
    log=$folder/$name.log
    mkdir -p "$corpus" "$folder/findings"
    FUZZ_FOLDER=$(mktemp -d /dev/shm/course-fuzz-XXXXXX 2>/dev/null || mktemp -d) || exit 2
    export FUZZ_FOLDER
    trap 'rm -rf "$FUZZ_FOLDER"' EXIT
    trap 'exit 130' INT TERM
    set -- "$corpus"
    for kind in "$here/seeds/$name" "$here/found/$name" "$folder/seeds/$name"; do
        [ -d "$kind" ] && set -- "$@" "$kind"
    done
    [ -f "$here/dictionaries/$name" ] && set -- "$@" "-dict=$here/dictionaries/$name"
    [ -n "${SEED-}" ] && set -- "$@" "-seed=$SEED"
    ASAN_OPTIONS=allocator_may_return_null=1:quarantine_size_mb=16 \
        "$programs/fuzz_$name" "-max_total_time=${FUZZ_SECONDS:-60}" "-timeout=${FUZZ_TIMEOUT:-5}" -rss_limit_mb=2048 -malloc_limit_mb=256 \
        -print_final_stats=1 "-artifact_prefix=$folder/findings/$name-" "$@" >"$log" 2>&1
    status=$?
    awk -v name="$name" '
        /^stat::number_of_executed_units/ { units = $2 }
        /^stat::average_exec_per_sec/ { speed = $2 }
        / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1); else if ($i == "corp:") kept = $(i + 1) }
        END { printf "  %-12s %10d inputs %7d a second, %5d edges, kept %s\n", name, units, speed, cov, kept }' "$log"
    if [ "$status" -ne 0 ]; then
        echo "  $name: FOUND something, see $log:"
        grep -aE '^==== (FINDING|it said)|^SUMMARY|ERROR: (AddressSanitizer|libFuzzer|LeakSanitizer)|runtime error|Test unit written' "$log" | sed 's/^/      /'
    fi
    exit "$status"
fi

for name in "$@"; do
    [ -x "$programs/fuzz_$name" ] || { echo "NAME=$name: there is no tests/fuzz/fuzz_$name.c" >&2; exit 2; }
done
make_seeds
echo "${FUZZ_SECONDS:-60} seconds for each reader; what is found is kept in $folder/findings"
printf '%s\n' "$@" | xargs -P "${JOBS:-1}" -n 1 sh "$here/fuzz.sh" one "$programs" "$folder" && echo "nothing was found"
