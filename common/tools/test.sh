#!/bin/sh
# test.sh: runs tests one after the other, a line for each, and counts.
#
#   sh common/tools/test.sh FOLDER "NAME=COMMAND"…      FOLDER takes what each one printed, in NAME.log
#
# A command says how many of its tests passed by writing "3 passed, 1 failed" to the file that the environment variable
# SUITE_RESULT names; one that does not counts as a single test, passed when its exit status is 0. What a failing command
# printed is shown in full, that of the others not at all. The last line is "N passed, N failed".
# TEST_SECONDS is the time that one command may take (default 900).

set -u
folder=$1
shift
mkdir -p "$folder" || exit 2
folder=$(cd "$folder" && pwd)
limit=${TEST_SECONDS:-900}
limited="timeout -k 10 $limit"
command -v timeout >/dev/null 2>&1 || limited=env # what never ends is waited for, on a system that has no timeout
all_passed=0
all_failed=0

now() { date +%s.%N | sed 's/\.N$//'; } # some systems have whole seconds only
count_of() { sed -n "s/^.*\([0-9][0-9]*\) $1.*\$/\1/p" "$2"; }

for test in "$@"; do
    name=${test%%=*}
    command=${test#*=}
    log=$folder/$(printf '%s' "$name" | tr ' /' '__').log
    SUITE_RESULT=$folder/result
    export SUITE_RESULT
    rm -f "$SUITE_RESULT"
    start=$(now)
    # shellcheck disable=SC2086
    $limited sh -c "$command" >"$log" 2>&1 </dev/null
    status=$?
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
    all_passed=$((all_passed + passed))
    all_failed=$((all_failed + failed))

    if [ "$failed" -eq 0 ]; then
        printf '  ✓ %-22s %7s s %5d passed\n' "$name" "$seconds" "$passed"
    else
        printf '  ✗ %-22s %7s s %5d passed, %d failed%s\n' "$name" "$seconds" "$passed" "$failed" "$why"
        sed 's/^/      /' "$log"
    fi
done

rm -f "${SUITE_RESULT-}"
echo "$all_passed passed, $all_failed failed"
[ "$all_failed" -eq 0 ]
