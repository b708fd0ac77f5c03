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
# Dates are the commit's, or SOURCE_DATE_EPOCH's: the same commit gives the same EPUB, byte for byte, and the same PDF but for
# the names that Chromium numbers its nodes with, which begin elsewhere each time.
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
    need qpdf qpdf
    # A serif with italics and all accents, which the figures' letters are not
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

# The figures that its pages show
cut -f 1 "$work/pages" | sed "s|^|$book/|" | tr '\n' '\0' | xargs -0 grep -ho '<img [^>]*>' | grep -o 'figures/[^"]*' | sort -u >"$work/shown"
while IFS= read -r figure; do
    [ -f "$book/$figure" ] || { echo "bind.sh: the book shows $figure, which is not there" >&2; exit 1; }
done <"$work/shown"

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
    while IFS= read -r figure; do
        mkdir -p "$folder/book/$(dirname "$figure")"
        case $figure in
            *.svg) awk -f "$tools/light.awk" "$book/$figure" >"$folder/book/$figure" ;;
            *) cp "$book/$figure" "$folder/book/$figure" ;;
        esac
    done <"$work/shown"

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
        { cat "$work/shown"; echo "$picture"; } | sort -u | while IFS= read -r figure; do
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
    echo "$file: $(wc -l <"$work/pages") pages, $(wc -l <"$work/shown") figures, $(wc -l <"$work/keys") formulas, $(($(wc -c <"$file") / 1000)) kB"
    exit 0
fi

# ---- PDF -------------------------------------------------------------------------------------------------------------

for katex in "${KATEX:-/usr/share/javascript/katex}" node_modules/katex/dist "$book/katex"; do
    [ ! -f "$katex/katex.min.js" ] || break
done
if [ ! -f "$katex/katex.min.js" ]; then
    echo "bind.sh: formulas need KaTeX, libjs-katex: make setup installs it" >&2
    exit 1
fi
zh='lang="zh"'
cp -RL "$katex" "$work/katex"
cp -R "$book/figures" "$work/"
cp "$tools/print.css" "$tools/print.js" "$work/"
while IFS=$tab read -r path name part number heading; do
    text_of "$path" >"$work/$name.text"
done <"$work/pages"

# A page of the contents, and the first page of each part; page-NAME is a name of CSS, whose rule is the running head.
heads() {
    awk -F "$tab" '{
        name = $2
        gsub(/[^A-Za-z0-9-]/, "-", name)
        text = ($4 == "" ? "" : $4 "  ") $5
        gsub(/<[^>]*>/, "", text)
        gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&quot;/, "\"", text); gsub(/&amp;/, "\\&", text)
        gsub(/["\\]/, "\\\\&", text)
        printf "@page page-%s { @top-left { content: \"%s\"; font: 8.6pt \"Charis SIL\", \"WenQuanYi Micro Hei\", serif; color: #444; ", name, text
        print "width: 100%; text-align: left; vertical-align: bottom; padding-bottom: 6mm; } }"
        print "#page-" name " { page: page-" name "; break-before: page; }"
    }' "$work/pages"
}
contents() { # contents NUMBERS: lines of "name page"
    awk -F "$tab" '
        FILENAME == ARGV[1] { page[$1] = $2; next }
        function line(label, title, name) {
            printf "<li><a href=\"#%s\"><span class=\"number\">%s</span><span>%s</span><span class=\"dots\"></span><span>%s</span></a></li>\n", \
                name, label, title, name in page ? page[name] : "000"
        }
        BEGIN { print "<section class=\"contents\"><h1 class=\"h1\">Contents</h1>\n<ol>" }
        $3 != part {
            if (part != "") print "</ol></li>"
            part = $3
            print "<li><p class=\"part\">" (part ~ /^[IVX]+ · / ? "Part " : "") part "</p><ol>"
        }
        { line($4, $5, $2) }
        END { print (part == "" ? "" : "</ol></li>\n") "</ol></section>" }' "$1" "$work/pages"
}
opens() { # opens PART: its first page
    awk -F "$tab" -v part="$1" '
        BEGIN {
            label = part ~ /^[IVX]+ · / ? "Part " part : part
            at = index(label, " · ")
            if (at) label = "<span>" substr(label, 1, at - 1) "</span> " substr(label, at + length(" · "))
            print "<section class=\"opens\"><h1>" label "</h1>\n<ol>"
        }
        $3 == part { print "<li><a href=\"#" $2 "\">" ($4 == "" ? "" : $4 "  ") $5 "</a></li>" }
        END { print "</ol></section>" }' "$work/pages"
}
sheet() { # sheet NUMBERS: all of the book as one page
    cat <<END
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>not finished</title>
<link rel="stylesheet" href="katex/katex.min.css"><link rel="stylesheet" href="print.css">
<style>
$(heads)
</style></head><body data-title="$title">
<section class="cover">
$(front)
</section>
END
    contents "$1"
    before=""
    while IFS=$tab read -r path name part number heading; do
        [ "$part" = "$before" ] || [ "$part" = - ] || opens "$part"
        before=$part
        echo "<section class=\"leaf\" id=\"page-$(printf '%s' "$name" | tr -c 'A-Za-z0-9-' -)\"><a id=\"$name\"></a>"
        cat "$work/$name.text"
        echo "</section>"
    done <"$work/unempty"
    echo '<script src="katex/katex.min.js"></script><script src="print.js"></script></body></html>'
}
# read takes several tabs for one, so a page without a part or number gets a word for them.
awk -F "$tab" -v OFS="$tab" '{ print $1, $2, $3 == "" ? "-" : $3, $4 == "" ? "-" : $4, $5 }' "$work/pages" >"$work/unempty"

sandbox=""
[ "$(id -u)" -ne 0 ] || sandbox=--no-sandbox
print_sheet() { # print_sheet: sheet.html → sheet.pdf
    # shellcheck disable=SC2086
    timeout 600 "$browser" --headless $sandbox --disable-gpu --user-data-dir="$work/profile" --allow-file-access-from-files \
        --virtual-time-budget=1000000 --no-pdf-header-footer --generate-pdf-document-outline --enable-logging=stderr \
        --print-to-pdf="$work/sheet.pdf" "file://$work/sheet.html" >"$work/log" 2>&1 || :
    if ! LC_ALL=C grep -aqF "/Title ($title)" "$work/sheet.pdf" 2>/dev/null; then
        echo "bind.sh: $browser did not print the book to its end; its last words:" >&2
        tail -n 5 "$work/log" >&2
        exit 1
    fi
    if grep -a ':CONSOLE' "$work/log" >&2; then
        echo "bind.sh: the page that is printed complains, see above" >&2
        exit 1
    fi
}
numbers() { pdfinfo -dests "$work/sheet.pdf" | awk '/"[^"]*"$/ { name = $NF; gsub(/"/, "", name); print name "\t" $1 }' | sort; }
: >"$work/numbers"
sheet "$work/numbers" >"$work/sheet.html"
print_sheet
numbers >"$work/numbers"
sheet "$work/numbers" >"$work/sheet.html"
print_sheet
if ! numbers | cmp -s - "$work/numbers"; then
    echo "bind.sh: the page numbers of the contents moved the pages" >&2
    exit 1
fi

# What Chromium writes about itself becomes what the book has to say, and its clock the commit's: byte for byte, so that the
# places in the file stay.
length=$(LC_ALL=C grep -a -m 1 '^/Creator (' "$work/sheet.pdf" | wc -c)
words="/Author ($author)/Subject ($licence${commit:+, commit $commit})"
[ ${#words} -lt "$length" ] || words="/Author ($author)"
words=$(printf "%-$((length - 1))s" "$words")
stamp=$(date -u -d "@$epoch" +%Y%m%d%H%M%S)
rm -f "$file"
mkdir -p "$(dirname "$file")"
LC_ALL=C sed -e "s|^/Creator (.*|$words|; s/^\(\/CreationDate (D:\)[0-9]\{14\}/\1$stamp/; s/^\(\/ModDate (D:\)[0-9]\{14\}/\1$stamp/" \
    "$work/sheet.pdf" >"$work/named.pdf"
# The description of 150,000 pieces of coloured code, for readers aloud, takes half of the room until it is compressed.
qpdf --object-streams=generate --deterministic-id "$work/named.pdf" "$work/out.pdf"
mv "$work/out.pdf" "$file"
echo "$file: $(pdfinfo "$file" | awk '$1 == "Pages:" { print $2 }') pages, $(($(wc -c <"$file") / 1000)) kB"
