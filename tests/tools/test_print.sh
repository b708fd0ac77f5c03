#!/bin/sh
# test_print.sh BOOK BOOK.epub BOOK.pdf: what the EPUB and the PDF must have of the web book in BOOK that they were bound from:
# epubcheck content, every page in the contents, every link with its target, every figure with its alternative text, formulas,
# Chinese that can be searched, no blank page. Then damaged ones must be found.
set -u
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
unset CDPATH
export LC_ALL=C
book=$1 epub=$2 pdf=$3
missing=""
command -v pdftotext >/dev/null || missing="$missing poppler-utils"
command -v qpdf >/dev/null || missing="$missing qpdf"
command -v unzip >/dev/null || missing="$missing unzip"
[ -f /usr/share/java/epubcheck.jar ] || command -v epubcheck >/dev/null || missing="$missing epubcheck"
if [ -n "$missing" ]; then
    echo "test-print needs what nothing else of the course does: apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi
start=$(date +%s)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/test-print-XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
. tests/tools/checks.sh
none() { # none COMMAND…: it must print nothing
    complaints=$("$@")
    [ -z "$complaints" ] || { echo "$complaints" | head -n 5; return 1; }
}
refused() { ! "$@"; }

awk -f common/tools/bind/pages.awk "$book/index.html" >"$scratch/pages"
while IFS= read -r line; do # only what is between <main> and </main>
    sed -n '/^<main/,/^<\/main>/p' "$book/$line"
done >"$scratch/web" <<END
$(cut -f 1 "$scratch/pages")
END
grep -o '<img [^>]*>' "$scratch/web" | grep -o 'figures/[^"]*' | sort -u >"$scratch/figures"
web() { grep -o "$1" "$scratch/web" | wc -l; } # how often the web book has it
check "the web book has pages and figures" [ -s "$scratch/pages" -a -s "$scratch/figures" ]

colourless() { # parts of the map of which a style sheet says no colour: their boxes would be black
    for part in $(grep -oE 'class="part-[A-Za-z]+' "$scratch/web" | sed 's/.*"//' | sort -u); do
        for style in common/tools/bind/print.css common/tools/bind/epub.css; do
            grep -q "^\.$part rect { fill:" "$style" || echo "$style: no colour for $part"
        done
    done
}
check "every part of the map has a colour" none colourless

# ---- The EPUB --------------------------------------------------------------------------------------------------------

# Debian's epubcheck is a jar that only starts where the kernel knows jars.
epubcheck_says() {
    if [ -f /usr/share/java/epubcheck.jar ]; then java -jar /usr/share/java/epubcheck.jar "$1"; else epubcheck "$1"; fi 2>&1
}
well() { epubcheck_says "$1" >"$scratch/verdict"; grep -E '^(FATAL|ERROR|WARNING)' "$scratch/verdict"; grep -q '^No errors or warnings' "$scratch/verdict"; }
mkdir "$scratch/epub"
unzip -q "$epub" -d "$scratch/epub"
inside=$scratch/epub/book
cat "$inside"/*.xhtml >"$scratch/all"
of() { grep -o "$1" "$scratch/all" | wc -l; }
same() { [ "$1" -eq "$2" ] || { echo "$1, expected $2"; return 1; }; }
not_in_contents() {
    cut -f 2 "$scratch/pages" | while IFS= read -r name; do
        grep -q "<a href=\"$name.xhtml\">" "$inside/nav.xhtml" && grep -q "<itemref idref=\"page-$name\"" "$inside/package.opf" || echo "$name"
    done
}
figures_not_in() { while IFS= read -r figure; do [ -s "$inside/$figure" ] || echo "$figure"; done <"$scratch/figures"; }
without_words() { grep -o '<img [^>]*>' "$scratch/all" | grep -v ' alt="[^"][^"]*"'; }
dark() { grep -l 'prefers-color-scheme' "$inside"/figures/*/*.svg 2>/dev/null; }
check "EPUB: epubcheck" well "$epub"
check "EPUB: every page is in the contents and in the order of reading" none not_in_contents
check "EPUB: every figure is there" none figures_not_in
check "EPUB: images without alternative text" none without_words
check "EPUB: figures are light" none dark
check "EPUB: figures with captions" same "$(of '<figcaption')" "$(web '<figcaption')"
check "EPUB: every formula is MathML" same "$(of '<math ')" "$(web '<span class="math ')"
check "EPUB: no TeX is left" same "$(of 'class="math ')" 0
check "EPUB: every answer is there" same "$(of '<p class="to-answer">')" "$(web '<summary>Answer</summary>')"
check "EPUB: Chinese says so" grep -q '<span lang="zh" xml:lang="zh">梯度' "$scratch/all"
check "EPUB: the same again" sh -c 'sh common/tools/bind.sh epub "$1" "$2/again.epub" >/dev/null && cmp "$2/again.epub" "$3"' - "$book" "$scratch" "$epub"

# Damaged ones are found.
victim=$(head -n 1 "$scratch/figures")
cp "$epub" "$scratch/damaged.epub"
zip -q -d "$scratch/damaged.epub" "book/$victim"
check "EPUB: a figure that is missing is found" refused well "$scratch/damaged.epub"
cp -R "$book" "$scratch/damaged"
rm "$scratch/damaged/$victim"
for form in epub pdf; do
    check "$form: a web book without one of its figures is not bound" sh -c \
        '! sh common/tools/bind.sh $1 "$2/damaged" "$2/out" 2>"$2/err" && grep -q "$3" "$2/err"' - $form "$scratch" "$victim"
done

# ---- The PDF ---------------------------------------------------------------------------------------------------------

pdftotext -layout "$pdf" "$scratch/text" 2>/dev/null
pdfinfo -dests "$pdf" 2>/dev/null | awk '/"[^"]*"$/ { name = $NF; gsub(/"/, "", name); print name "\t" $1 }' | sort >"$scratch/targets"
pages=$(pdfinfo "$pdf" 2>/dev/null | awk '$1 == "Pages:" { print $2 }')
# A page has more than its running head and its number.
blank() { awk 'BEGIN { RS = "\f" } { n = gsub(/[^ \n][^\n]*/, "&") } NR <= pages && n < 3 { print "page " NR }' pages="$pages" "$1"; }
lost() { # pages whose title does not stand on the page where their anchor is
    awk -F '\t' '
        FILENAME == ARGV[1] { at[$1] = $2; next }
        FILENAME == ARGV[2] { title = $5; gsub(/<[^>]*>/, "", title); gsub(/&amp;/, "\\&", title); wanted[$2] = title; next }
        { text[FNR] = $0 }
        END {
            for (name in wanted) {
                page = text[at[name]]
                gsub(/[ \n]+/, " ", page)
                if (!(name in at) || !index(page, wanted[name]) && !index(page, substr(wanted[name], 1, 30))) print name " at " at[name]
            }
        }' "$scratch/targets" RS='\n' "$scratch/pages" RS='\f' "$scratch/text"
}
linked() { # anchors that the pages of the web book lead to inside of the book
    cut -f 1 "$scratch/pages" | while IFS= read -r path; do
        awk -v form=pdf -f common/tools/bind/bind.awk "$scratch/pages" /dev/null "$book/$path"
    done | grep -o ' href="#[^"]*"' | sed 's/^ href="#//; s/"$//' | sort -u
}
linked >"$scratch/linked"
without_target() { cut -f 1 "$1" | sort -u | comm -13 - "$scratch/linked"; }
not_embedded() { pdffonts "$1" 2>/dev/null | awk 'NR > 2 && $(NF - 4) != "yes"'; }
images() { pdfimages -list "$1" 2>/dev/null | awk 'NR > 2 && $3 == "image" { print $(NF - 5) }' | sort -u | wc -l; }
bitmaps=$(grep -c '\.png$' "$scratch/figures")
check "PDF: it has pages" [ "${pages:-0}" -gt "$(wc -l <"$scratch/pages")" ]
check "PDF: blank pages" none blank "$scratch/text"
check "PDF: every page of the book is where the contents say" none lost
check "PDF: every link has its target" none without_target "$scratch/targets"
check "PDF: fonts are embedded" none not_embedded "$pdf"
check "PDF: Chinese can be searched" grep -q '梯度' "$scratch/text"
check "PDF: words can be searched" grep -q 'softmax' "$scratch/text"
check "PDF: every bitmap is there" [ "$(images "$pdf")" -ge "$bitmaps" ]
qpdf --qdf --object-streams=disable --stream-data=preserve "$pdf" "$scratch/plain.pdf"
entries() { grep -a -c "^ *$1 " "$scratch/plain.pdf"; }
check "PDF: an outline" [ "$(entries /Outlines)" -gt 0 ]
check "PDF: alternative texts" [ "$(entries /Alt)" -ge "$(wc -l <"$scratch/figures")" ]
check "PDF: who made it" sh -c 'pdfinfo "$1" 2>/dev/null | grep -q "^Author: *The authors"' - "$pdf"
printf 'a head\n\n1\f\na head\nwords\n2\f' >"$scratch/text_blank"
pages=2
check "PDF: a blank page is found" refused none blank "$scratch/text_blank"
sed 1d "$scratch/targets" >"$scratch/fewer"
grep -qxF "$(head -n 1 "$scratch/targets" | cut -f 1)" "$scratch/linked" &&
    check "PDF: a link without its target is found" refused none without_target "$scratch/fewer"

echo "print: $(($(date +%s) - start)) s"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
