#!/bin/sh
# test_draw.sh: the program that draws from words, with untrained networks.
#
#   sh tests/tools/test_draw.sh DRAW SMALL_UNCLIP      the two programs
set -u
export LC_ALL=C.UTF-8 OMP_NUM_THREADS=1
draw=$1 maker=$2
scratch=$(mktemp -d "${TMPDIR:-/tmp}/test-draw-XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
. "$(dirname "$0")/checks.sh"
ask() { "$draw" --model "$scratch/a/model" --steps 2 --out "$scratch/${name_of:-drawing}.png" "$@" 2>"$scratch/errors"; }
refused() { # refused WORDS OPTION…: exit status 1, and a message with these words
    words=$1
    shift
    ask "$@" >/dev/null && return 1
    grep -q -e "$words" "$scratch/errors" || { cat "$scratch/errors"; return 1; }
}
drawn_as() { ask "$2" | tail -1 | grep -q "^a $1, "; } # drawn_as "purple sneaker" PROMPT

"$maker" "$scratch/a/model" || exit 2
name_of=one ask --seed 5 "a purple sneaker" >"$scratch/one"
name_of=two ask --seed 5 "PURPLE Sneakers" >"$scratch/two"
name_of=three ask --seed 6 "a purple sneaker" >"$scratch/three"
name_of=four OMP_NUM_THREADS=2 ask --seed 5 "the sneaker, purple" >"$scratch/four"
check "the same seed writes the same image" cmp "$scratch/one.png" "$scratch/two.png"
check "another seed another" sh -c "! cmp -s '$scratch/one.png' '$scratch/three.png'"
check "the same on two threads" cmp "$scratch/one.png" "$scratch/four.png"
name_of=five ask --seed 5 "a red sneaker" >"$scratch/five"
check "another colour is another image" sh -c "! cmp -s '$scratch/one.png' '$scratch/five.png'"
check "14 lines of characters and the file's name" sh -c "[ \$(wc -l <'$scratch/one') -eq 15 ] && grep -q 'one.png$' '$scratch/one'"
check "no colours where there is no terminal" sh -c "! grep -q \"\$(printf '\\033')\" '$scratch/one'"
if command -v script >"$scratch/where" 2>&1; then
    check "on a terminal it is shown in colour" sh -c "script -qec \"'$draw' --model '$scratch/a/model' --steps 1 --out '$scratch/t.png' 'red bag'\" /dev/null | grep -q '38;2;'"
fi
check "it is a PNG" sh -c "head -c 8 '$scratch/one.png' | od -An -c | grep -q 'P   N   G'"
check "an article" drawn_as "orange boot" "an orange boot"
check "no article, either order" drawn_as "orange boot" "boot orange"
check "an s and capitals" drawn_as "orange T-shirt" "ORANGE T-Shirts"
check "without the dash" drawn_as "orange T-shirt" "orange tshirt"
check "a dot at the end" drawn_as "cyan bag" "The cyan bag."
check "an unknown word names those that are known" refused "unknown word: hat.*red, orange.*T-shirt, trouser" "a purple hat"
check "an unknown colour" refused "unknown word: brown" "a brown bag"
check "an s behind a colour is no colour" refused "unknown word: reds" "reds bag"
check "two colours" refused "two colours" "a red purple bag"
check "two items" refused "two items" "a red bag boot"
check "no colour" refused "a colour is missing" "a sneaker"
check "no item" refused "an item is missing" "purple"
check "no word at all" refused "a colour is missing" " "
check "no control character of a prompt comes back" sh -c "! '$draw' --model '$scratch/a/model' \"\$(printf 'red \\033[31mhat')\" 2>&1 | LC_ALL=C grep -q \"\$(printf '\\033')\""
check "a long word" refused "unknown word" "a red $(printf 'x%.0s' $(seq 5000))"
check "no prompt" refused "prompt is missing"
check "two prompts" refused "two prompts" red bag
check "an unknown option" refused "unknown option --size" --size 3 "red bag"
check "an option without a value" refused "needs a value" --seed
for steps in 0 201 1.5 x ""; do check "steps '$steps'" refused "expected a whole number from 1 to 200" --steps "$steps" "red bag"; done
for guidance in -1 101 nan x ""; do check "guidance '$guidance'" refused "expected 0 to 100" --guidance "$guidance" "red bag"; done
check "a missing model names the target that trains it" sh -c "'$draw' --model '$scratch/none' 'red bag' 2>&1 | grep -q 'make chapter26'"
printf 'x' >"$scratch/a/model/prior.safetensors"
check "a damaged file is told" refused "prior.safetensors" "red bag"
check "a folder that is not there cannot be written to" sh -c "! '$draw' --model '$scratch/a/model' --out '$scratch/no/where.png' 'red bag' 2>/dev/null"
check "help" sh -c "'$draw' --help | grep -q 'purple sneaker'"

[ -z "${SUITE_RESULT-}" ] || echo "$passed passed, $failed failed" >"$SUITE_RESULT"
echo "test_draw: $passed passed, $failed failed"
[ $failed -eq 0 ]
