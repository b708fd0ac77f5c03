#!/bin/sh
# bind.sh epub BOOK FILE.epub
# bind.sh pdf BOOK FILE.pdf: binds the web book in BOOK (book.sh) into one file. `make epub` and `make pdf` call it; run it
# from the top of the repository.
#
# The pages, their order, numbers, links and figures are the web book's, so whatever book.sh puts there comes along. What
# is made here is a front page, contents, and the form (common/tools/bind/):
#
#   pages.awk, bind.awk   the list of pages; a page → its text in one file    formulas.awk   TeX → MathML, for the EPUB
#   epub.css, print.css   how it looks                                        print.js       formulas and fitting, for the PDF
#
# The EPUB is put together here and packed by zip. The PDF is printed by Chromium: it sets the formulas with KaTeX, as the
# web book does, reads the same HTML and SVG, keeps links, embeds subsets of the fonts, gives figures their alternative
# texts, knows running heads (@page, since version 131) and makes an outline of the headings. weasyprint runs no scripts
# and would need MathML turned into pictures, xelatex all pages in another language and a gigabyte of packages. What
# Chromium does not know is on which page a chapter begins: so it prints twice, and the second time the contents have numbers.
#
# The same commit gives the same file: dates are the commit's, or SOURCE_DATE_EPOCH's.
set -eu
case ${1-} in epub | pdf) ;; *) sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
unset CDPATH
form=$1 book=$2 file=$3
tools=common/tools/bind
title="A Gentle Walk into Deep Learning, in C"
tab=$(printf '\t')
# Bytes, for every awk there is: patterns name those of UTF-8.
awk() { LC_ALL=C command awk "$@"; }

# ---- What is needed --------------------------------------------------------------------------------------------------

# need PACKAGE COMMAND…: any of the commands
missing=""
need() {
    package=$1
    shift
    for name; do ! command -v "$name" >/dev/null 2>&1 || { found=$(command -v "$name"); return 0; }; done
    missing="$missing $package"
}
if [ "$form" = epub ]; then
    need pandoc pandoc
    need zip zip
else
    need poppler-utils pdfinfo
    need fonts-sil-charis true # a serif with italics; this file looks for it below
    fc-list 2>/dev/null | grep -q 'Charis' || missing="$missing fonts-sil-charis"
    need chromium chromium chromium-browser google-chrome
    browser=${found-}
fi
if [ -n "$missing" ]; then
    root=""
    [ "$(id -u)" -eq 0 ] || root="sudo "
    echo "bind.sh: for the ${form} type first:  ${root}apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi
if [ ! -f "$book/index.html" ]; then
    echo "bind.sh: there is no web book in $book: make book makes it" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# ---- What both say ---------------------------------------------------------------------------------------------------

# Without git, as in a handout, it is as old as its README.
commit=$(git describe --always --exclude '*' --dirty=" with changes" 2>/dev/null || :)
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date -r README.md +%s)}
date=$(date -u -d "@$epoch" +%Y-%m-%d)
subtitle=$(sed -n 's/^### //p' README.md | head -n 1)
author=$(sed -n 's/^Copyright (c) [0-9]* //p' LICENSE)
licence=$(head -n 1 LICENSE)
# The first image of README, or the first figure at all if all are drawings: not every shelf shows an SVG.
picture=$(sed -n 's/.*(\(figures\/[^)]*\.png\)).*/\1/p; s/.*(\(figures\/[^)]*\.svg\)).*/\1/p' README.md | sort -s -t . -k 2,2 | head -n 1)

awk -f "$tools/pages.awk" "$book/index.html" >"$work/pages"
[ -s "$work/pages" ] || { echo "bind.sh: $book/index.html has no contents" >&2; exit 1; }

# text_of PATH: the page's text; colours that no sheet of ours knows are left out, for they are a third of the file.
text_of() {
    mkdir -p "$work/in/$(dirname "$1")"
    sed -E 's|<span class="(op\|bu\|fu\|va\|ot\|er\|al\|an\|at)">([^<]*)</span>|\2|g' "$book/$1" >"$work/in/$1"
    awk -v form="$form" -f "$tools/bind.awk" "$work/pages" "$formulas" "$work/in/$1"
}
front() {
    cat <<END
<h1 class="title">$title</h1>
<p class="subtitle" $zh>$subtitle</p>
<p class="picture"><img src="$picture" alt="A figure of the book"/></p>
<p class="colophon">$author<br/>$date${commit:+ · commit $commit}<br/>$licence</p>
END
}
formulas=/dev/null

# ---- EPUB ------------------------------------------------------------------------------------------------------------

if [ "$form" = epub ]; then
    zh='lang="zh" xml:lang="zh"'
    folder=$work/epub
    mkdir -p "$folder/META-INF" "$folder/book"
    printf 'application/epub+zip' >"$folder/mimetype"
    cat >"$folder/META-INF/container.xml" <<'END'
<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
END
    cp "$tools/epub.css" "$folder/book/"

    # A key and its MathML on a line, for all pages at once
    pages=$(cut -f 1 "$work/pages" | sed "s|^|$book/|")
    # shellcheck disable=SC2086
    awk -v list="$work/keys" -f "$tools/formulas.awk" $pages >"$work/list.native"
    touch "$work/keys"
    pandoc -f native -t html5 --mathml --wrap=none "$work/list.native" | sed -n 's|^<p>\(<math.*</math>\)</p>$|\1|p' >"$work/mathml"
    if [ "$(wc -l <"$work/keys")" -ne "$(wc -l <"$work/mathml")" ]; then
        echo "bind.sh: of $(wc -l <"$work/keys") formulas pandoc set $(wc -l <"$work/mathml") in MathML" >&2
        exit 1
    fi
    paste "$work/keys" "$work/mathml" >"$work/formulas"
    formulas=$work/formulas

    # xhtml NAME TITLE TYPE <TEXT
    xhtml() {
        {
            cat <<END
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">
<head><title>$2</title><link rel="stylesheet" href="epub.css"/></head>
<body><section epub:type="$3">
END
            cat
            echo "</section></body></html>"
        } >"$folder/book/$1.xhtml"
    }
    mkdir -p "$folder/book/$(dirname "$picture")"
    cp "$picture" "$folder/book/$picture"
    front | xhtml title "$title" titlepage
    # Nested lists: parts, their chapters
    awk -F "$tab" -v zh="$zh" '
        BEGIN { print "<nav epub:type=\"toc\" id=\"toc\"><h1>Contents</h1>\n<ol>" }
        $3 != part {
            if (part != "") print "</ol></li>"
            part = $3
            print "<li><span>" (part ~ /^[IVX]+ · / ? "Part " : "") part "</span><ol>"
        }
        { print "<li><a href=\"" $2 ".xhtml\">" ($4 == "" ? "" : $4 ". ") $5 "</a></li>" }
        END {
            print (part == "" ? "" : "</ol></li>\n") "</ol></nav>"
            print "<nav epub:type=\"landmarks\" hidden=\"hidden\"><ol><li><a epub:type=\"toc\" href=\"nav.xhtml\">Contents</a></li>"
            print "<li><a epub:type=\"bodymatter\" href=\"overview.xhtml\">Begin</a></li></ol></nav>"
        }' "$work/pages" | xhtml nav Contents frontmatter
    while IFS=$tab read -r path name part number heading; do
        case $path in
            chapters/*) kind=chapter ;;
            glossary.html) kind=glossary ;;
            index.html) kind=introduction ;;
            *) kind=appendix ;;
        esac
        echo "$path$tab$name$tab$kind"
    done <"$work/pages" >"$work/kinds"
    while IFS=$tab read -r path name kind; do
        heading=$(sed -n 's|^<title>\(.*\)</title>$|\1|p' "$book/$path" | head -n 1)
        text_of "$path" >"$work/text"
        xhtml "$name" "$heading" "$kind" <"$work/text"
    done <"$work/kinds"
    # The figures that are shown; drawings without their colours for dark pages, of which an image in a book knows nothing
    cat "$folder"/book/*.xhtml | grep -o ' src="[^"]*"' | sed 's/^ src="//; s/"$//' | sort -u >"$work/figures"
    while IFS= read -r figure; do
        mkdir -p "$folder/book/$(dirname "$figure")"
        [ -f "$book/$figure" ] || { echo "bind.sh: the book shows $figure, which is not there" >&2; exit 1; }
        case $figure in
            *.svg) awk -f "$tools/light.awk" "$book/$figure" >"$folder/book/$figure" ;;
            *) cp "$book/$figure" "$folder/book/$figure" ;;
        esac
    done <"$work/figures"

    # The package: what there is, and in which order
    item() { # item ID FILE TYPE: what readers must be able to show for it stands there too
        properties=""
        case $2 in
            nav.xhtml) properties=" nav" ;;
            "$picture") properties=" cover-image" ;;
        esac
        case $2 in
            *.xhtml)
                ! grep -q '<math' "$folder/book/$2" || properties="$properties mathml"
                ! grep -q '<svg' "$folder/book/$2" || properties="$properties svg" ;;
        esac
        echo "<item id=\"$1\" href=\"$2\" media-type=\"$3\"${properties:+ properties=\"${properties# }\"}/>"
    }
    {
        cat <<END
<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">gentlewalk${commit:+-${commit%% *}}</dc:identifier>
<dc:title>$title</dc:title>
<dc:title xml:lang="zh">$subtitle</dc:title>
<dc:creator>$author</dc:creator>
<dc:language>en</dc:language>
<dc:language>zh</dc:language>
<dc:date>$date</dc:date>
<dc:rights>$licence</dc:rights>
${commit:+<dc:description>Commit $commit</dc:description>}
<meta property="dcterms:modified">$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)</meta>
<meta property="schema:accessMode">textual</meta>
<meta property="schema:accessMode">visual</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityFeature">MathML</meta>
<meta property="schema:accessibilityFeature">tableOfContents</meta>
<meta property="schema:accessibilityHazard">none</meta>
<meta name="cover" content="cover"/>
</metadata>
<manifest>
<item id="css" href="epub.css" media-type="text/css"/>
END
        item title title.xhtml application/xhtml+xml
        item nav nav.xhtml application/xhtml+xml
        cut -f 2 "$work/pages" | while IFS= read -r name; do item "page-$name" "$name.xhtml" application/xhtml+xml; done
        number=0
        { cat "$work/figures"; echo "$picture"; } | sort -u | while IFS= read -r figure; do
            number=$((number + 1)) id=figure-$number
            [ "$figure" != "$picture" ] || id=cover
            case $figure in *.svg) item "$id" "$figure" image/svg+xml ;; *) item "$id" "$figure" image/png ;; esac
        done
        echo "</manifest>"
        echo '<spine><itemref idref="title"/><itemref idref="nav"/>'
        cut -f 2 "$work/pages" | sed 's|.*|<itemref idref="page-&"/>|'
        echo "</spine></package>"
    } >"$folder/book/package.opf"

    find "$folder" -exec touch -d "@$epoch" {} +
    rm -f "$file"
    mkdir -p "$(dirname "$file")"
    case $file in /*) ;; *) file=$PWD/$file ;; esac
    (
        cd "$folder"
        TZ=UTC zip -q -X -0 "$work/out.epub" mimetype
        find META-INF book -type f | LC_ALL=C sort | TZ=UTC zip -q -X -9 "$work/out.epub" -@
    )
    mv "$work/out.epub" "$file"
    echo "$file: $(wc -l <"$work/pages") pages, $(wc -l <"$work/figures") figures, $(wc -l <"$work/keys") formulas, $(($(wc -c <"$file") / 1000)) kB"
    exit 0
fi
