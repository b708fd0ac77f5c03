#!/bin/sh
# test_book.sh BOOK FOLDER: opens the web book in BOOK with headless Chromium, at 390 and at 1280 pixels, and looks at every
# page: nothing wider than the page, no image missing, no link that leads nowhere, formulas set, contrast, search in two
# languages; and at every figure that is an SVG: colours for dark pages, words, no ids. How, stands in test_book.js. FOLDER takes the page that does it and what it found.
set -u
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
unset CDPATH
here=$(cd "$(dirname "$0")" && pwd) || exit 2
book=$(cd "$1" && pwd) || exit 2
mkdir -p "$2" && work=$(cd "$2" && pwd) || exit 2

browser=""
for name in chromium chromium-browser google-chrome; do
    [ -n "$browser" ] || browser=$(command -v "$name" || :)
done
if [ -z "$browser" ]; then
    echo "test-book needs a browser to look at the pages: apt-get install chromium (nothing else of the course does)" >&2
    exit 1
fi

# The files of the book, their anchors and the pages, as JavaScript. Two browsers share the pages.
list() { sed 's|\\|\\\\|g; s|"|\\"|g; s|.*|"file://&",|'; }
cp "$here/test_book_faulty.html" "$work/faulty.html"
cp "$here/test_book_faulty.svg" "$work/faulty.svg"
find "$book/figures" -name '*.svg' | sort >"$work/drawings"
{ echo "$work/faulty.html"; find "$book" -name '*.html' | sort; } >"$work/pages"
for half in 0 1; do {
    echo '<!DOCTYPE html><meta charset="utf-8"><title>test-book</title><style>iframe { height: 900px }</style>'
    echo '<pre id="report"></pre><script>'
    echo "window.test = { book: \"file://$book/\", faulty: \"file://$work/faulty.html\","
    echo "chapters: $(find "$book/chapters" -name index.html | wc -l),"
    echo "files: new Set(["; find "$book" "$work/faulty.html" -type f | list; echo "]),"
    echo "anchors: new Set(["
    while IFS= read -r page; do
        grep -o ' id="[^"]*"' "$page" | sed "s|^ id=\"|$page#|; s|\"\$||"
    done <"$work/pages" | list
    echo "]), pages: ["; awk -v half=$half 'NR % 2 == half' "$work/pages" | list
    echo "], drawings: ["; awk -v half=$half 'NR % 2 == half' "$work/drawings" | list; echo "] }"
    echo '</script><script>'
    cat "$here/test_book.js"
    echo '</script>'
} >"$work/half-$half.html"; done

# look HALF: root has no sandbox. A page from a file may look into frames from files; time runs as fast as it can.
sandbox=""
[ "$(id -u)" -ne 0 ] || sandbox=--no-sandbox
look() {
    timeout 300 "$browser" --headless $sandbox --disable-gpu --hide-scrollbars --allow-file-access-from-files \
        --user-data-dir="$work/profile-$1" --enable-logging=stderr --virtual-time-budget=10000000 --window-size=1400,1000 \
        --dump-dom "file://$work/half-$1.html" >"$work/found-$1.html" 2>"$work/log-$1.txt"
    rm -rf "$work/profile-$1"
}
start=$(date +%s)
look 0 &
look 1
wait

# What the reports say, and what pages wrote to the console; the page of faults writes there too, or nobody would be heard.
passed=0 failed=0
for half in 0 1; do
    tr '\n' '\001' <"$work/found-$half.html" | sed 's/.*<pre id="report">\([^<]*\)<\/pre>.*/\1/' | tr '\001' '\n' |
        sed 's/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' >"$work/report.txt"
    counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$work/report.txt")
    if [ -z "$counts" ]; then
        echo "FAIL: the browser did not get to the end; its words are in $work/log-$half.txt"
        counts="0 passed, 1 failed"
    else
        grep -v 'passed,' "$work/report.txt"
    fi
    passed=$((passed + ${counts%% *}))
    counts=${counts#*, }
    failed=$((failed + ${counts%% *}))
done
grep -h ':CONSOLE' "$work"/log-?.txt | grep -v -e 'faulty\.html' -e there-is-none >"$work/console.txt"
if [ -s "$work/console.txt" ]; then
    failed=$((failed + 1))
    echo "FAIL: pages write to the console:"
    head -n 5 "$work/console.txt"
else
    passed=$((passed + 1))
fi
if grep -q ':CONSOLE.*a fault that is meant' "$work"/log-?.txt; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo "FAIL: what pages write to the console is not heard"
fi
echo "book: $(($(date +%s) - start)) s"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
