#!/bin/sh
# test_live.sh BUILD TREE: makes the pages that compute with a small untrained GPT, opens them from their files with headless
# Chromium, moves their controls, and compares numbers, bits and texts with the native programs in TREE and with chapter 1's page.
# What is compiled stays in BUILD/live/objects, where `make live` looks too. MODEL=folder takes a trained GPT instead.
set -u
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
unset CDPATH
here=$(cd "$(dirname "$0")" && pwd) || exit 2
build=$1 tree=$2
mkdir -p "$build/test-live" && work=$(cd "$build/test-live" && pwd) || exit 2
start=$(date +%s)

browser=""
for name in chromium chromium-browser google-chrome; do
    [ -n "$browser" ] || browser=$(command -v "$name" || :)
done
if [ -z "$browser" ]; then
    echo "test-live needs a browser: apt-get install chromium (nothing else of the course does)" >&2
    exit 1
fi

model=${MODEL:-$work/model}
[ -n "${MODEL-}" ] || "$tree/tests/tools/small_gpt" "$model" || exit 1
LIVE_OBJECTS="$build/live/objects" sh common/tools/live/live.sh "$work/live" "$tree/common/tools/live/model_write" "$model" || exit 1
BOOK_ONLY_LIVE=1 sh common/tools/book.sh "$work/book" || exit 1

# What must be seen. Texts go there as base64.
"$tree/tests/tools/live_bits" "$work/expected.js" >/dev/null || exit 1
base64_of() { base64 | tr -d '\n'; }
text() { # PROMPT TEMPERATURE TOP_K TOP_P TOKENS SEED
    printf '{ prompt: "%s", temperature: %s, "top-k": %s, "top-p": %s, tokens: %s, seed: "%s", text: "%s" },\n' \
        "$(printf %s "$1" | base64_of)" "$2" "$3" "$4" "$5" "$6" "$("$tree/common/tools/sample" --model "$model" --temperature "$2" \
            --top-k "$3" --top-p "$4" --tokens "$5" --seed "$6" -- "$1" </dev/null | base64_of)"
}
{
    echo "expected.book = 'file://$work/book'; expected.lines = ["
    grep -hE '^( ?[0-9]+ % of the limit: after 24 steps the loss|learning rate 0)' chapters/01-*/README.md |
        sed 's/^ *\(.*\)/"\1",/'
    echo "]; expected.texts = ["
    text "In the beginning" 0.8 0 0.95 200 1
    text "And he said unto them, It's 40 days" 1.5 0 1 60 18446744073709551615
    text "海上生明月  ½ … don't 12345" 0.8 40 0.95 60 7
    text "" 0 0 0 40 2
    text "--model  two  blanks   " 1 5 0.5 40 3
    text "$(printf 'many words %.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20)" 1 0 1 100 4
    echo "]"
} >>"$work/expected.js"
{
    echo '<!DOCTYPE html><meta charset="utf-8"><title>test-live</title><body><script src="expected.js"></script><script>'
    cat "$here/test_live.js"
    echo '</script>'
} >"$work/test.html"

# The browser tells on its console what it found; then it is not needed any more.
sandbox=""
[ "$(id -u)" -ne 0 ] || sandbox=--no-sandbox
"$browser" --headless $sandbox --disable-gpu --hide-scrollbars --allow-file-access-from-files --user-data-dir="$work/profile" \
    --enable-logging=stderr --window-size=1400,1000 --remote-debugging-port=0 "file://$work/test.html" >/dev/null 2>"$work/log.txt" &
process=$!
seconds=0
while [ $seconds -lt "${SECONDS_AT_MOST:-400}" ] && kill -0 $process 2>/dev/null && ! grep -q 'REPORT [0-9]* passed' "$work/log.txt"; do
    sleep 1
    seconds=$((seconds + 1))
done
kill $process 2>/dev/null
wait $process 2>/dev/null
rm -rf "$work/profile"

grep ':CONSOLE' "$work/log.txt" | sed -n 's/.*"REPORT \(.*\)", source.*/\1/p' >"$work/report.txt"
counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$work/report.txt" || echo "0 passed, 1 failed")
passed=${counts%% *} failed=${counts#*, }
failed=${failed%% *}
if [ -s "$work/report.txt" ]; then grep -v ' passed, ' "$work/report.txt"; else echo "FAIL: the browser did not get to the end: $work/log.txt"; fi
if grep ':CONSOLE' "$work/log.txt" | grep -q -v '"REPORT '; then
    failed=$((failed + 1))
    echo "FAIL: the pages write to the console:"
    grep ':CONSOLE' "$work/log.txt" | grep -v '"REPORT ' | head -n 5
else
    passed=$((passed + 1))
fi
echo "live: $(($(date +%s) - start)) s"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
