#!/bin/sh
# test_balance.sh: the program that shows a policy, with untrained ones.
#
#   sh tests/tools/test_balance.sh BALANCE SMALL_AGENT ON_TERMINAL      the three programs
set -u
export LC_ALL=C.UTF-8 OMP_NUM_THREADS=1
balance=$1 maker=$2 on_terminal=$3
scratch=$(mktemp -d "${TMPDIR:-/tmp}/test-balance-XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
. "$(dirname "$0")/checks.sh"
refused() { # refused WORDS OPTION…: exit status 1, and a message with these words
    words=$1
    shift
    "$balance" --model "$scratch/model" "$@" >/dev/null 2>"$scratch/errors" && return 1
    grep -q -e "$words" "$scratch/errors" || { cat "$scratch/errors"; return 1; }
}
ask() { "$balance" --model "$scratch/model" "$@"; }

"$maker" "$scratch/model" || exit 2
ask --seed 5 >"$scratch/one"
ask --seed=5 --world=pole >"$scratch/two"
OMP_NUM_THREADS=2 ask --seed 6 >"$scratch/three"
check "the same seed shows the same episode" cmp "$scratch/one" "$scratch/two"
check "another seed another" sh -c "! cmp -s '$scratch/one' '$scratch/three'"
check "an untrained policy lets the pole fall" grep -q '^It fell, or left the track, after [0-9.]* s\.$' "$scratch/one"
check "no codes where there is no terminal" sh -c "! grep -q \"\$(printf '\\033')\" '$scratch/one'"
ask --world pendulum >"$scratch/pendulum"
check "the pendulum plays 200 steps, a line for ten, and a last one" sh -c "[ \$(wc -l <'$scratch/pendulum') -eq 21 ]"
check "it costs something" grep -q '^Cost [1-9][0-9.]* in 10.00 s' "$scratch/pendulum"
check "at random, without a model" sh -c "'$balance' --policy random | grep -q '^It fell'"
check "several episodes" sh -c "[ \$('$balance' --policy random --episodes 3 | grep -c '^It fell') -eq 3 ]"
check "on a terminal it is drawn, at the speed asked for" sh -c "printf 'end\n' | '$on_terminal' 80 '$balance' --model '$scratch/model' --speed 100 >'$scratch/shown' && grep -q 'It fell' '$scratch/shown' && grep -q '⣿' '$scratch/shown'"
check "its width is that of the drawing" sh -c "! grep -q '[⠀-⣿]\{61\}' '$scratch/shown'"
check "an unknown world" refused "--world is 'car', expected pole or pendulum" --world car
check "an unknown policy" refused "--policy is 'best', expected trained or random" --policy best
check "an unknown option" refused "unknown option --size" --size 3
check "an option without a value" refused "needs a value" --seed
check "a text" refused "There are only options" pole
for speed in 0 101 x ""; do check "speed '$speed'" refused "expected 0.1 to 100" --speed "$speed"; done
for episodes in 0 1001 -1 x; do check "episodes '$episodes'" refused "expected a whole number" --episodes "$episodes"; done
check "no model" sh -c "'$balance' 2>&1 | grep -q 'model FOLDER is missing'"
check "a missing model names the target that trains it" sh -c "'$balance' --model '$scratch/none' 2>&1 | grep -q 'make chapter30'"
cp "$scratch/model/pole.safetensors" "$scratch/model/pendulum.safetensors"
check "the policy of another world is refused" refused "pendulum.safetensors" --world pendulum
printf 'x' >"$scratch/model/pole.safetensors"
check "a damaged file is told" refused "pole.safetensors" --world pole
check "help" sh -c "'$balance' --help | grep -q 'weak motor'"

[ -z "${SUITE_RESULT-}" ] || echo "$passed passed, $failed failed" >"$SUITE_RESULT"
echo "test_balance: $passed passed, $failed failed"
[ $failed -eq 0 ]
