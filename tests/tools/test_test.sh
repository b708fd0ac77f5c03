#!/bin/sh
# test_test.sh: common/tools/test.sh counts, shows what failing commands print and no others', and never takes a crash, a
# hanging command or an early exit for success.
set -u
runner=$(realpath "$(dirname "$0")/../../common/tools/test.sh")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0
failed=0
result=${SUITE_RESULT-}
cd "$scratch" || exit 2

# expect STATUS "last line" "text that is printed or empty" "text that is not" COMMAND-OF-TEST…
expect() {
    status=$1 last=$2 text=$3 absent=$4
    shift 4
    output=$(TEST_SECONDS=1 sh "$runner" logs "$@" 2>&1)
    got=$?
    if [ "$got" -eq "$status" ] && [ "$(printf '%s\n' "$output" | tail -n 1)" = "$last" ] &&
        printf '%s' "$output" | grep -qF -- "$text" && ! printf '%s' "$output" | grep -qF -- "$absent"; then
        passed=$((passed + 1))
    else
        printf 'FAIL: expected status %s, "%s", "%s", not "%s"; got status %s and:\n%s\n' \
            "$status" "$last" "$text" "$absent" "$got" "$output"
        failed=$((failed + 1))
    fi
}

good='good=echo quiet; echo "3 passed, 0 failed" >"$SUITE_RESULT"'
expect 0 "3 passed, 0 failed" "✓ good" quiet "$good"
expect 0 "4 passed, 0 failed" "✓ plain" quiet "$good" "plain=echo quiet"
expect 1 "5 passed, 1 failed" "      loud" quiet "$good" 'bad=echo loud; echo "2 passed, 1 failed" >"$SUITE_RESULT"; exit 1'
expect 1 "3 passed, 1 failed" "(exit status 7)" quiet "bad=exit 7" "$good"
expect 1 "2 passed, 1 failed" "(exit status 99)" quiet 'leak=echo "2 passed, 0 failed" >"$SUITE_RESULT"; exit 99'
expect 1 "0 passed, 1 failed" "loud" quiet 'early=echo loud; echo "0 passed, 1 failed" >"$SUITE_RESULT"; exit 0'
expect 1 "0 passed, 1 failed" "(stopped after 1 s)" quiet "endless=sleep 20"
expect 1 "0 passed, 1 failed" "✗ crash" quiet 'crash=kill -SEGV $$'
expect 0 "1 passed, 0 failed" "✓ no input" quiet "no input=! read -r line"
expect 0 "0 passed, 0 failed" "" quiet

# Two at a time: each waits for what the other writes.
meet='touch $0.$1; for i in 1 2 3 4 5 6 7 8 9; do [ -f $0.$2 ] && exit 0; sleep 0.1; done; exit 3'
TEST_JOBS=2
export TEST_JOBS
expect 0 "2 passed, 0 failed" "✓ second" quiet "first=sh -c '$meet' meet 1 2" "second=sh -c '$meet' meet 2 1"
TEST_JOBS=1
expect 1 "1 passed, 1 failed" "✗ third" quiet "third=sh -c '$meet' alone 1 2" "fourth=sh -c '$meet' alone 2 1"
unset TEST_JOBS

# An interrupted run leaves no command behind.
sh "$runner" logs 'long=touch begun; sleep 2; touch survived' >/dev/null 2>&1 &
process=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -f begun ] || sleep 0.1; done
kill -TERM "$process"
wait "$process"
sleep 2.2
if [ -f begun ] && [ ! -f survived ]; then
    passed=$((passed + 1))
else
    echo "FAIL: an interrupted run leaves its command behind"
    failed=$((failed + 1))
fi

[ -n "$result" ] && echo "$passed passed, $failed failed" >"$result"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
