#!/bin/sh
# test.sh: runs tests, as many at a time as there are processors, prints a line when one ends, and counts.
#
#   sh common/tools/test.sh FOLDER "NAME=COMMAND"…      FOLDER takes what each one printed, in NAME.log
#
# A command says how many of its tests passed by writing "3 passed, 1 failed" to the file that the environment variable
# SUITE_RESULT names; one that does not counts as a single test, passed when its exit status is 0. What a failing command
# printed is shown in full, that of the others not at all. The last line is "N passed, N failed".
# TEST_SECONDS is the time that one command may take (default 900), TEST_JOBS how many run at a time.

set -u
limit=${TEST_SECONDS:-900}

now() { date +%s.%N; }

# run_one NUMBER: runs the command in the file NUMBER.command; NUMBER.said, with what is to be printed, appears last and
# whole. In NUMBER.count stands how many passed and failed.
run_one() {
    name=$(cat "$1.name")
    log=$(printf '%s' "$name" | tr ' /' '__').log
    SUITE_RESULT=$PWD/$1.result
    export SUITE_RESULT
    start=$(now)
    (cd "$TEST_FOLDER" && exec timeout -k 10 "$limit" sh -c "$(cat "$OLDPWD/$1.command")") >"$log" 2>&1 </dev/null &
    echo $! >"$1.process"
    wait $!
    status=$?
    rm -f "$1.process"
    seconds=$(echo "$start $(now)" | awk '{ printf "%.1f", $2 - $1 }')

    passed=0
    failed=0
    why=""
    if [ -s "$SUITE_RESULT" ]; then
        read -r passed _ failed _ <"$SUITE_RESULT"
    elif [ "$status" -eq 0 ]; then
        passed=1
    fi
    if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then # it ended badly, whatever it counted
        failed=1
        why=" (exit status $status)"
    fi
    case $status in 124 | 137) why=" (stopped after $limit s)" ;; esac
    echo "$passed $failed" >"$1.count"
    if [ "$failed" -eq 0 ]; then
        printf '  ✓ %-22s %7s s %5d passed\n' "$name" "$seconds" "$passed"
    else
        printf '  ✗ %-22s %7s s %5d passed, %d failed%s\n' "$name" "$seconds" "$passed" "$failed" "$why"
        sed 's/^/      /' "$log"
    fi >"$1.saying"
    mv "$1.saying" "$1.said"
}

if [ "$1" = --one ]; then
    cd "$2" && run_one "$3"
    exit 0
fi

TEST_FOLDER=$PWD
export TEST_FOLDER
script=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
mkdir -p "$1" && cd "$1" || exit 2
shift
rm -f [0-9]*.command [0-9]*.name [0-9]*.result [0-9]*.count [0-9]*.said [0-9]*.saying [0-9]*.process

count=0
for test in "$@"; do
    count=$((count + 1))
    printf '%s' "${test%%=*}" >"$count.name"
    printf '%s' "${test#*=}" >"$count.command"
done

# A team of processes of its own for each command (timeout) outlives an interrupted make, unless it is told.
runner=""
end_all() {
    for process in [0-9]*.process; do [ -f "$process" ] && kill "$(cat "$process")" 2>/dev/null; done
    [ -n "$runner" ] && kill "$runner" 2>/dev/null
    exit 130
}
trap end_all INT TERM HUP

jobs=${TEST_JOBS:-$(nproc 2>/dev/null || echo 2)}
seq 1 "$count" 2>/dev/null | xargs -P "$jobs" -n 1 sh "$script" --one "$PWD" &
runner=$!

printed=0
while [ "$printed" -lt "$count" ]; do
    kill -0 "$runner" 2>/dev/null || ended=yes
    for said in [0-9]*.said; do
        [ -f "$said" ] || continue
        cat "$said" && rm -f "$said"
        printed=$((printed + 1))
    done
    [ "$printed" -eq "$count" ] || [ -z "${ended-}" ] || break # whoever is missing is counted below
    sleep 0.1
done
wait "$runner"

all_passed=0
all_failed=0
number=0
while [ "$number" -lt "$count" ]; do
    number=$((number + 1))
    if [ -f "$number.count" ]; then
        read -r passed failed <"$number.count"
    else
        passed=0 failed=1
        echo "  ✗ $(cat "$number.name"): it was not run to its end"
    fi
    all_passed=$((all_passed + passed))
    all_failed=$((all_failed + failed))
done
rm -f [0-9]*.command [0-9]*.name [0-9]*.result [0-9]*.count
echo "$all_passed passed, $all_failed failed"
[ "$all_failed" -eq 0 ]
