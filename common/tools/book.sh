#!/bin/sh
# book.sh FOLDER: makes the web book in FOLDER out of the committed pages, chapters/*/README.md, and their figures. No
# chapter is run and nothing is compiled. `make book` calls it; run it from the top of the repository.
#
# FOLDER/index.html needs no server and no network. pandoc turns Markdown into HTML, KaTeX (libjs-katex) sets the
# mathematics in the reader's browser, with fonts that are copied into the book. Around them:
#
#   README.md                        the parts and their chapters, from its table; the opening words
#   common/tools/book/page.html      the frame of every page            style.css, book.js   how it looks and behaves
#   common/tools/book/page.awk       HTML of pandoc → page of the book: links, numbers, figures, anchors of terms, contents
#   common/tools/book/cover.awk      the map of the chapters and their pictures
#   common/tools/book/glossary.awk   terms and their definitions, glossary.txt
#   common/tools/book/functions.awk  what common/ declares, and the chapter that explains it
#   common/tools/book/notation.md    the letters of the formulas
#   common/tools/book/search.awk     what search looks through
#   common/tools/live/*.md           pages that compute in the browser, with what `make live` has made beside FOLDER, in live/
#
# Pages are made side by side, as many as there are processors; JOBS=1 in the environment makes one at a time.
# KATEX in the environment is the folder of KaTeX, if it is neither Debian's nor npm's (npm install katex).
set -eu
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
unset CDPATH
tools=common/tools/book
title="A Gentle Walk into Deep Learning, in C"
tab=$(printf '\t')
# Bytes, for every awk there is: patterns name those of UTF-8.
awk() { LC_ALL=C command awk "$@"; }
title_of() { sed -n 's/^# *//p' "chapters/$1/README.md" | head -n 1; }
source_of() { echo "chapters/$1/$(printf '%s' "${1#*-}" | tr - _).c"; }

# page TOP FOLDER MARKDOWN HTML OPTIONS…: TOP leads from the page to the book, FOLDER is the chapter's, or the name.
page() {
    top=$1 folder=$2 markdown=$3 html=$4
    shift 4
    # shellcheck disable=SC2086
    pandoc -f gfm+tex_math_dollars -t html5 --wrap=none $mathematics --standalone --toc --toc-depth=2 \
        --template "$tools/page.html" --variable top="$top" "$@" -o "$work/$folder.html" "$markdown"
    : >"$work/$folder.terms"
    awk -v folder="$folder" -v top="$top" -v terms="$work/$folder.terms" -v live="$work/live" -f "$tools/page.awk" \
        "$work/chapters" "$work/figures" "$work/$folder.html" >"$html"
}

# ---- One chapter: book.sh --chapter NN-name, started by the loop below ---------------------------------------------

if [ "$1" = --chapter ]; then
    book=$BOOK work=$BOOK_WORK mathematics=$BOOK_MATHEMATICS chapter=$2
    number=${chapter%%-*}
    number=${number#0}
    case $number in [A-Z]) nth=1 ;; *) nth=$number ;; esac
    here=$book/chapters/$chapter
    mkdir -p "$here"
    cp "$(source_of "$chapter")" "$here/"
    for file in exercise.c exercise.h; do
        [ ! -f "chapters/$chapter/$file" ] || cp "chapters/$chapter/$file" "$here/"
    done
    page ../../ "$chapter" "chapters/$chapter/README.md" "$here/index.html" \
        --number-sections --number-offset=$((nth - 1)) --metadata pagetitle="$number. $(title_of "$chapter")"
    exit 0
fi

# ---- What there is -------------------------------------------------------------------------------------------------

book=$1
if ! command -v pandoc >/dev/null 2>&1; then
    echo "book.sh: the web book needs pandoc: make setup installs it" >&2
    exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
rm -rf "$book"
mkdir -p "$book/figures"
cp "$tools/style.css" "$tools/book.js" "$book/"

# A reader's browser may have no fonts of its own for formulas, so the book brings KaTeX's, as WOFF2.
mathematics=--mathml
for katex in "${KATEX:-/usr/share/javascript/katex}" node_modules/katex/dist; do
    [ -f "$katex/katex.min.js" ] || continue
    mathematics="--katex=x --variable katex=yes"
    mkdir -p "$book/katex/fonts"
    cp -L "$katex/katex.min.js" "$katex/katex.min.css" "$book/katex/"
    cp -L "$katex"/fonts/*.woff2 "$book/katex/fonts/"
    break
done
[ "$mathematics" != --mathml ] ||
    echo "book.sh: there is no libjs-katex (make setup installs it): browsers set the formulas, in what fonts they have" >&2

# A line for each chapter: number, folder, part, the part's title, its own title. The appendix is a part of this name, and its
# chapters have letters for numbers.
awk -v tab="$tab" '
    /^\| ([IVX]+|Appendix) · / {
        part = $2
        split($0, column, /[|]/)
        parts = column[2]
        sub(/^ [IVXa-zA-Z]+ · /, "", parts)
        sub(/ *$/, "", parts)
        rest = $0
        while (match(rest, /\[([0-9]+|[A-Z]) [^]]*\]\(chapters\/[^\/]*\/README\.md\)/)) {
            link = substr(rest, RSTART + 1, RLENGTH - 2)
            rest = substr(rest, RSTART + RLENGTH)
            title = folder = number = link
            sub(/ .*/, "", number)
            sub(/^[^ ]* /, "", title)
            sub(/\]\(.*/, "", title)
            sub(/.*\(chapters\//, "", folder)
            sub(/\/README.*/, "", folder)
            print number tab folder tab part tab parts tab title
        }
    }' README.md >"$work/chapters"
for folder in chapters/[0-9]*/ chapters/[A-Z]-*/; do
    folder=${folder#chapters/} folder=${folder%/}
    [ -f "chapters/$folder/README.md" ] || continue
    grep -q "$tab$folder$tab" "$work/chapters" && continue
    echo "book.sh: chapters/$folder is not in the table of README.md" >&2
    exit 1
done

# A line for each figure: chapter, its number, the file, width, height, and what it is: "drawing" for an SVG, which has
# colours for light and for dark of its own; "lines" or "image" for a PNG.
awk -v tab="$tab" '
    FNR == 1 {
        folder = FILENAME
        sub(/^chapters\//, "", folder)
        sub(/\/.*/, "", folder)
    }
    # What is drawn between plot_begin and plot_end; a file that is no literal is any of this chapter.
    FILENAME ~ /\.c$/ {
        if (/plot_begin\($|plot_begin\(lesson/) {
            file = "*"
            if (match($0, /"[^"]*\.(png|svg)"/)) file = substr($0, RSTART + 1, RLENGTH - 2)
        }
        if (/plot_begin\(/) kind[folder, file] = "lines"
        if (file != "" && /plot_(images|heatmap|cells)\(/) kind[folder, file] = "image"
        if (/plot_end\(/) file = ""
        next
    }
    match($0, /^!\[Figure [0-9A-Z]+\.[0-9]+\./) {
        number = substr($0, 10, RLENGTH - 10)
        file = $0
        sub(/.*\.\.\/figures\/[^\/]*\//, "", file)
        sub(/\)$/, "", file)
        what = file ~ /\.svg$/ ? "drawing" : (folder, file) in kind ? kind[folder, file] : (folder, "*") in kind ? kind[folder, "*"] : "image"
        print folder tab number tab file tab what
    }' $(awk -F "$tab" '{ name = $2; sub(/^[^-]*-/, "", name); gsub(/-/, "_", name)
        print "chapters/" $2 "/" name ".c", "chapters/" $2 "/README.md" }' "$work/chapters") >"$work/drawn"
while IFS=$tab read -r folder number file what; do
    # The size stands in bytes 16 to 23 of a PNG and at the head of an SVG: so a page does not move while its figures arrive.
    case $file in
    *.svg) size=$(head -n 9 "figures/$folder/$file" 2>/dev/null |
        sed -n "s/.* width=\"\([0-9]*\)\" height=\"\([0-9]*\)\".*/\1$tab\2/p" | head -n 1) ;;
    *) size=$(od -An -tu1 -j16 -N8 "figures/$folder/$file" 2>/dev/null |
        awk -v tab="$tab" '{ print ($2 * 256 + $3) * 256 + $4 tab ($6 * 256 + $7) * 256 + $8 }') ;;
    esac
    [ -f "figures/$folder/$file" ] ||
        echo "book.sh: chapters/$folder shows figures/$folder/$file, which is not there; make weave draws it" >&2
    echo "$folder$tab$number$tab$file$tab${size:-0${tab}0}$tab$what"
done <"$work/drawn" >"$work/figures"

# ---- The pages -----------------------------------------------------------------------------------------------------

# A page that computes belongs to the chapter whose name it has. Its files may not be made yet, and then it says so.
mkdir -p "$book/live"
cp "$tools/../live"/*.js "$book/live/"
for file in "$tools/../live"/[0-9]*.md; do
    name=${file##*/}
    name=${name%.md}
    printf '%s\t%s\n' "$name" "$(sed -n 's/^# *//p' "$file" | head -n 1)"
done >"$work/live"
while IFS=$tab read -r name title_of; do
    files=${book%/*}/live/$name.files.js
    [ ! -f "$files" ] || cp "$files" "$book/live/"
    page ../ "live-$name" "$tools/../live/$name.md" "$book/live/$name.html" --metadata pagetitle="$title_of" \
        --variable script=live.js $([ ! -f "$files" ] || echo --variable "script=$name.files.js") --variable script="$name.js"
done <"$work/live"
[ -z "${BOOK_ONLY_LIVE-}" ] || exit 0 # for their test

while IFS=$tab read -r number folder part parts title_of; do
    mkdir -p "$book/figures/$folder"
    for figure in "figures/$folder"/*.png "figures/$folder"/*.svg; do
        [ ! -f "$figure" ] || cp "$figure" "$book/figures/$folder/"
    done
    echo "$folder"
done <"$work/chapters" >"$work/folders"
export BOOK="$book" BOOK_WORK="$work" BOOK_MATHEMATICS="$mathematics"
xargs -P "${JOBS:-$(nproc 2>/dev/null || echo 2)}" -n 1 sh "$0" --chapter <"$work/folders"

pages=$(awk -F "$tab" -v book="$book" '{ print book "/chapters/" $2 "/index.html" }' "$work/chapters")
terms=$(awk -F "$tab" -v work="$work" '{ print work "/" $2 ".terms" }' "$work/chapters")
# shellcheck disable=SC2086
awk -f "$tools/glossary.awk" "$work/chapters" "$tools/glossary.txt" $terms >"$work/glossary.md"
page "" glossary "$work/glossary.md" "$book/glossary.html" --metadata pagetitle="Glossary · 词汇表"
page "" notation "$tools/notation.md" "$book/notation.html" --metadata pagetitle="Notation · 符号"
# shellcheck disable=SC2086
awk -f "$tools/functions.awk" "$work/chapters" $(find common -name '*.h' ! -path 'common/tools/*' | sort) $pages \
    >"$work/functions.md"
page "" functions "$work/functions.md" "$book/functions.html" --metadata pagetitle="Functions of common/ · 函数索引"

# shellcheck disable=SC2086
awk -f "$tools/cover.awk" "$work/chapters" "$work/figures" README.md \
    $(sed 's|.*|chapters/&/README.md|' "$work/folders") >"$work/cover.md"
page "" index "$work/cover.md" "$book/index.html" --metadata pagetitle="$title"

# shellcheck disable=SC2086
awk -f "$tools/search.awk" "$work/chapters" "$book/glossary.html" "$book/notation.html" "$book/functions.html" $pages \
    >"$book/search.js"
echo "$book/index.html: $(wc -l <"$work/chapters") chapters, $(wc -l <"$work/figures") figures"
