#!/bin/sh
# book.sh TREE FOLDER CHAPTER…: the web book and the Jupyter notebooks. `make book` calls it after `make weave`.
#
# FOLDER/book/ is a website that needs no server: open FOLDER/book/index.html. FOLDER/notebooks/ holds one .ipynb a chapter.
# TREE is where make built the programs and kept the outputs of the chapters (TREE/weave/NN-name/output.txt), CHAPTER is a
# folder's name, "NN-name". Run from the top of the repository. Without pandoc the notebooks are made all the same.
set -eu
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
unset CDPATH
tree=$1 folder=$2
shift 2
tools=common/tools
book=$folder/book notebooks=$folder/notebooks pages=$tree/book
title="A Gentle Walk into Deep Learning, in C"

source_of() { echo "chapters/$1/$(printf '%s' "${1#*-}" | tr - _).c"; }
title_of() { sed -n 's/^# *//p' "$1" | head -n 1; }

# page TOP MARKDOWN HTML OPTIONS…: TOP leads from the page to the book's folder. Links to pages on the forge become
# links to the book's.
page() {
    top=$1 markdown=$2 html=$3
    shift 3
    pandoc -f gfm+tex_math_dollars -t html5 --wrap=none --mathml --standalone --template "$tools/book/page.html" \
        --variable top="$top" --metadata pagetitle="$(title_of "$markdown")" "$@" -o "$pages/page.html" "$markdown"
    sed 's|href="\([^":]*\)README\.md\(["#]\)|href="\1index.html\2|g' "$pages/page.html" >"$html.tmp"
    mv "$html.tmp" "$html"
}

mkdir -p "$notebooks" "$pages"
for chapter; do
    "$tree/common/tools/weave" "$(source_of "$chapter")" "$tree/weave/$chapter/output.txt" --jupyter "figures/$chapter" \
        -o "$notebooks/$chapter.ipynb"
done
echo "$notebooks: $# Jupyter notebooks"

if ! command -v pandoc >/dev/null 2>&1; then
    echo "The web book needs pandoc: make setup installs it. The Jupyter notebooks are made." >&2
    exit 0
fi

rm -rf "$book"
mkdir -p "$book"
cp "$tools/book/style.css" "$book/"
sources=""
printf '# %s\n\n温和走进深度学习\n\n' "$title" >"$pages/index.md"
for chapter; do
    source=$(source_of "$chapter")
    sources="$sources $source"
    here=$book/chapters/$chapter
    mkdir -p "$here" "$book/figures/$chapter"
    cp "$source" "$here/"
    [ ! -f "chapters/$chapter/exercise.c" ] || cp "chapters/$chapter/exercise.c" "$here/"
    for figure in "figures/$chapter"/*; do
        [ ! -f "$figure" ] || cp "$figure" "$book/figures/$chapter/"
    done
    "$tree/common/tools/weave" "$source" "$tree/weave/$chapter/output.txt" --anchors -o "$pages/$chapter.md"
    page ../../ "$pages/$chapter.md" "$here/index.html" --toc --toc-depth=3
    number=${chapter%%-*}
    printf -- '- %d · [%s](chapters/%s/index.html)\n' "${number#0}" "$(title_of "$pages/$chapter.md")" "$chapter" >>"$pages/index.md"
done
printf '\nTerms in English and Chinese: [glossary · 词汇表](glossary.html).\n' >>"$pages/index.md"
page "" "$pages/index.md" "$book/index.html"
"$tree/common/tools/glossary" $sources >"$pages/glossary.md"
page "" "$pages/glossary.md" "$book/glossary.html"
echo "$book/index.html: $# chapters"
