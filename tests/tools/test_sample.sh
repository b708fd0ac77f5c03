#!/bin/sh
# test_sample.sh: the program that talks with a model, on an untrained one.
#
#   sh tests/tools/test_sample.sh SAMPLE SMALL_GPT      the two programs
set -u
export LC_ALL=C.UTF-8 OMP_NUM_THREADS=1
sample=$1 maker=$2
scratch=$(mktemp -d "${TMPDIR:-/tmp}/test-sample-XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
. "$(dirname "$0")/checks.sh"
say() { "$sample" --model "$scratch/a/model" "$@" </dev/null 2>"$scratch/errors"; }
refused() { # refused WORDS OPTION…: exit status 1, and a message with these words
    words=$1
    shift
    say "$@" >/dev/null && return 1
    grep -q -e "$words" "$scratch/errors" || { cat "$scratch/errors"; return 1; }
}

"$maker" "$scratch/a/model" || exit 2
say --seed 5 --tokens 100 "海上" >"$scratch/one"
say --seed 5 --tokens 100 "海上" >"$scratch/two"
say --seed 6 --tokens 100 "海上" >"$scratch/three"
check "the same seed writes the same text, past the context" cmp "$scratch/one" "$scratch/two"
check "another seed writes another" sh -c "! cmp -s '$scratch/one' '$scratch/three'"
check "the text begins with the prompt" grep -q '^海上' "$scratch/one"
check "it is UTF-8" iconv -f UTF-8 -t UTF-16 -o "$scratch/wide" "$scratch/one"
check "no control character comes through" sh -c "! tr -d '\n\t' <'$scratch/one' | LC_ALL=C grep -q '[[:cntrl:]]'"
say --temperature 0 --tokens 20 "In" >"$scratch/cold"
say --temperature 0 --tokens 20 --seed 9 "In" >"$scratch/cold2"
check "at temperature 0 the seed does not matter" cmp "$scratch/cold" "$scratch/cold2"
printf 'In\nthe\n' | "$sample" --model "$scratch/a/model" --temperature 0 --tokens 5 >"$scratch/lines" 2>/dev/null
check "each line of standard input is a prompt" grep -q '^the' "$scratch/lines"
say --tokens 3 "" >"$scratch/nothing"
check "an empty prompt is one too" test -s "$scratch/nothing"
check "a long prompt is read from its end" sh -c "'$sample' --model '$scratch/a/model' --tokens 2 '$(printf 'word %.0s' $(seq 60))' </dev/null"
check "a missing model says so" sh -c "! '$sample' --model '$scratch/none' x 2>&1 | grep -q 'SEGV' && ! '$sample' --model '$scratch/none' x 2>/dev/null"
check "an option without a value" refused "needs a value" --tokens
check "a temperature below 0" refused "expected 0 to 100" --temperature -1 x
check "words for a number" refused "expected" --tokens many x
for number in 0.5 2.7 1e3 -1 +1 "" " 5" 5x 0x10 nan 99999999999999999999999; do
    for option in --top-k --tokens --seed; do
        check "$option '$number' is no whole number" refused "$option is '$number', expected a whole number" "$option" "$number" x
    done
done
for number in nan inf -0.5 1.01 "" 1,5; do
    check "--top-p '$number'" refused "expected 0 to 1" --top-p "$number" x
    check "--temperature '-$number'" refused "expected 0 to 100" --temperature "-$number" x
done
check "an option and its value in one word" refused "expected a whole number" --tokens=1.5 x
say --temperature 0 --tokens 20 x >"$scratch/cold"
for number in 0 0.0 1e-50 1e-45 0.001 -0; do
    say --temperature 1 --top-p "$number" --tokens 20 x >"$scratch/one"
    check "--top-p $number is the one likeliest" cmp "$scratch/one" "$scratch/cold"
done
for text in "--I do not know," "--" "--help" "--tokens=5" "-x"; do
    say --tokens 1 -- "$text" >"$scratch/one"
    check "a text may begin as $text" grep -q -F -e "$text" "$scratch/one"
done
check "one text after --" refused "two prompts" -- a b
check "without -- the text is an option" refused "stands after --" "--I do not know,=" x
check "an unknown option" refused "unknown option" --warmth 3 x
check "two prompts" refused "two prompts" In the
check "there is help" sh -c "'$sample' --help | grep -q -e --temperature"

[ -z "${SUITE_RESULT-}" ] || echo "$passed passed, $failed failed" >"$SUITE_RESULT"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
