#!/bin/sh
# test_weave.sh TREE: the program weave in TREE/common/tools, and the scripts notebook.sh and book.sh, in a scratch book whose
# chapters are shell scripts.
set -u
weaver=$(realpath "$1/common/tools/weave")
tools=$(realpath common/tools)
notebook=$tools/notebook.sh
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
failed=0 ran=0

# expect "what is tested" STATUS "text in its output" COMMAND…
expect() {
    what=$1 status=$2 text=$3
    shift 3
    "$@" >said 2>&1
    got=$?
    ran=$((ran + 1))
    if [ "$got" -ne "$status" ] || { [ -n "$text" ] && ! grep -qF -- "$text" said; }; then
        failed=$((failed + 1))
        echo "FAILED: $what: expected status $status and \"$text\", got status $got and:"
        sed 's/^/    /' said
    fi
}

# chapter NN-name "Title" COMMANDS: a chapter with one section; COMMANDS run before it prints, with $figures set.
chapter() {
    name=$(printf '%s' "${1#*-}" | tr - _)
    mkdir -p "chapters/$1" "tree/chapters/$1"
    printf '/*\n# %s\n*/\nsection(lesson, "S");\n' "$2" >"chapters/$1/$name.c"
    printf '#!/bin/sh\nfigures=$3\n%s\necho "── S ──"\necho 1 claim\n' "$3" >"tree/chapters/$1/$name"
    chmod +x "tree/chapters/$1/$name"
}
draws='printf picture >"$figures/a.png"; echo "── S ──"; echo "figure: a.png — A."; exit 0'
run() { sh "$notebook" "$1" tree "work/$1" $2; }

mkdir -p tree/common/tools work chapters/02-empty chapters/notes
ln -s "$weaver" tree/common/tools/
chapter 01-one-thing One ""
chapter 03-three "三 three" "$draws"
chapter 10-ten Ten ""
all="01-one-thing 03-three 10-ten"

expect "verify misses a page" 1 "01-one-thing: there is no chapters/01-one-thing/README.md" run verify 01-one-thing
expect "weave writes the pages" 0 "chapters/03-three/README.md" run weave "$all"
expect "a page has its output" 0 "1 claim" cat chapters/01-one-thing/README.md
expect "the first page has no chapter before it" 0 "[contents](../../README.md) · [三 three](../03-three/README.md) →" \
    tail -n 1 chapters/01-one-thing/README.md
expect "a page names its neighbours" 0 "← [One](../01-one-thing/README.md) · [contents](../../README.md) · [Ten](../10-ten/README.md) →" \
    tail -n 1 chapters/03-three/README.md
expect "the last page has no chapter after it" 0 "← [三 three](../03-three/README.md) · [contents](../../README.md)" \
    tail -n 1 chapters/10-ten/README.md
expect "a page shows its figure" 0 "![Figure 3.1. A.](../../figures/03-three/a.png)" cat chapters/03-three/README.md
expect "its caption has the figure's number" 0 "**Figure 3.1.** *A.*" cat chapters/03-three/README.md
expect "weave keeps figures" 0 picture cat figures/03-three/a.png
expect "a page without exercises links none" 1 "" grep exercise chapters/10-ten/README.md

printf kept >figures/03-three/a.png
expect "verify finds no difference" 0 "3 chapters, no difference" run verify "$all"
expect "verify counts one chapter" 0 "1 chapter, no difference" run verify 10-ten
expect "verify leaves figures alone" 0 kept cat figures/03-three/a.png
mv figures/03-three/a.png aside.png
expect "verify misses a figure" 1 "03-three: figures/03-three/a.png is missing" run verify "$all"
mv aside.png figures/03-three/a.png

chapter 10-ten Ten 'echo "── S ──"; echo 2 claims; exit 0'
expect "verify shows the lines that differ" 1 "+2 claims" run verify "$all"
expect "verify names the chapter that differs" 1 "10-ten: this run differs" run verify "$all"
expect "verify counts the failures" 1 "1 of 3 chapters failed" run verify "$all"
chapter 10-ten Ten 'echo "✗ three is four" >&2; exit 1'
expect "a failing chapter is named with its error" 1 "✗ three is four" run verify "$all"
expect "a failing chapter is not woven" 1 "10-ten: the chapter failed (exit status 1)" run weave "$all"
chapter 10-ten Ten 'echo "── T ──"; exit 0'
expect "a section that no code names is not woven" 1 'section "T" is printed here' run weave "$all"
expect "the old page survives all that" 0 "1 claim" cat chapters/10-ten/README.md
expect "nothing half-written is left" 0 "README.md" sh -c 'ls chapters/10-ten | grep -v "^ten.c$"; ! ls chapters/*/*.tmp'
chapter 10-ten Ten '[ -z "${FULL-}" ] || exit 3'
expect "FULL=1 is not heard" 0 "1 chapter, no difference" env FULL=1 sh "$notebook" verify tree work/verify 10-ten
touch chapters/10-ten/exercise.c
expect "a page links its exercises" 1 "+[ten.c](ten.c) · run it with \`make chapter10\` · [exercise.c](exercise.c)" run verify 10-ten
expect "notebook.sh refuses another mode" 2 "weave, verify or jupyter, not veer" run veer 10-ten

source=chapters/03-three/three.c output=work/verify/03-three/output.txt
expect "weave prints the page without -o" 0 "# 三 three" "$weaver" "$source" "$output"
expect "weave wants two files" 1 "two files are needed" "$weaver" "$source"
expect "weave refuses a third file" 1 "do not know what to do with x" "$weaver" "$source" "$output" x
expect "weave refuses an unknown option" 1 "do not know what to do with --x" "$weaver" --x "$source" "$output"
expect "an option needs its value" 1 "-o needs a value" "$weaver" "$source" "$output" -o
expect "weave explains itself" 0 "weave SOURCE.c OUTPUT.txt" "$weaver" --help
expect "a missing output is named" 1 "no.txt is missing" "$weaver" "$source" no.txt
expect "a folder may be given" 0 "../../figures/04-x/a.png" "$weaver" "$source" "$output" --folder 04-x
expect "a folder must be a chapter's" 1 "x is not the folder of a chapter" "$weaver" "$source" "$output" --folder x
expect "other chapters may be given" 0 "[Ten](../10-ten/README.md)" "$weaver" "$source" "$output" --chapters chapters
printf '/*\n# T\n\nChapters 1, 2, 3 and 10.\n*/\n' >mentions.c
: >nothing.txt
mentions() { "$weaver" mentions.c nothing.txt --folder "$1" --chapters chapters; }
expect "mentions link to chapters that have their C file" 0 \
    "[Chapters 1](../01-one-thing/README.md), 2, 3 and [10](../10-ten/README.md)." mentions 03-three
mkdir chapters/10-a chapters/10-z && cp mentions.c chapters/10-z/z.c
mkdir chapters/1000-m && cp mentions.c chapters/1000-m/m.c
expect "a number that two folders have is the first's" 0 "[10](../10-ten/README.md)." mentions 03-three
rm -r chapters/10-a chapters/10-z chapters/1000-m
expect "the folder of chapters must exist" 1 "cannot read nowhere" "$weaver" "$source" "$output" --chapters nowhere
expect "weave cannot write into a missing folder" 1 "no/page.md cannot be written: No such file" "$weaver" "$source" "$output" -o no/page.md
mkdir taken
expect "weave cannot replace a folder" 1 "taken cannot be written: that is a folder" "$weaver" "$source" "$output" -o taken
expect "and leaves nothing beside it" 1 "" sh -c 'set -- taken.*; [ -e "$1" ]'
[ ! -c /dev/full ] || expect "a full disk is told" 1 "cannot write the page" sh -c "'$weaver' $source $output >/dev/full"
jupyter() { "$weaver" "$source" "$1" --jupyter "$2"; }
"$weaver" "$source" "$output" >page.md
expect "weave makes a Jupyter notebook of a page" 0 '"image/png": "cGljdHVyZQ=="' jupyter page.md figures/03-three
expect "whose captions have the figures' numbers" 0 '"**Figure 3.1.** *A.*"' jupyter page.md figures/03-three
expect "a Jupyter notebook wants its pictures" 1 "nowhere/a.png is missing" jupyter page.md nowhere
sed 's/1 claim/2 claims/; s/^# 三.*/& /' page.md >other.md
expect "and a page of this source" 1 "other.md:3: from here on, this page is not the one that chapters/03-three/three.c gives" \
    jupyter other.md figures/03-three

# The web book, from the same scratch chapters.
ln -s "$tools" common_tools && mkdir -p common && mv common_tools common/tools
cat >chapters/01-one-thing/one_thing.c <<'END'
/*
# One

A **Zeta
term** (泽塔) and an **alpha** (阿尔法) with $x^2$; see [three](../03-three/README.md#here)
and chapter 3.
*/
section(lesson, "S"); // href="x/README.md"

static void draw_line(void)
{
}
END
printf '/*\n# 三 three\n\n**Alpha** (阿尔法)\n*/\nsection(lesson, "S");\n' >chapters/03-three/three.c
run weave "$all" >/dev/null
expect "pages become Jupyter notebooks" 0 "out/notebooks: 3 Jupyter notebooks" sh "$notebook" jupyter tree out/notebooks $all
expect "one for each chapter" 0 '"nbformat_minor": 5' cat out/notebooks/10-ten.ipynb
cat >README.md <<'END'
# The course

### 课程

Opening words.

| part | chapters |
|---|---|
| I · Beginnings | **[1 One](chapters/01-one-thing/README.md)** · **[3 三 three](chapters/03-three/README.md)** |
END
book() { rm -rf out/book && sh common/tools/book.sh out/book; }
if command -v pandoc >/dev/null; then
    expect "a chapter that the table does not have is told" 1 "chapters/10-ten is not in the table of README.md" book
    echo '| II · Ends | **[10 Ten](chapters/10-ten/README.md)** |' >>README.md
    expect "the book is made" 0 "out/book/index.html: 3 chapters, 1 figures" book
    expect "a term without a definition is told" 0 'the term "zeta term | 泽塔" has no definition' book
    cover=out/book/index.html page=out/book/chapters/01-one-thing/index.html other=out/book/chapters/03-three/index.html
    expect "its cover has the opening words" 0 "<p>Opening words.</p>" cat $cover
    expect "and a card for each chapter" 0 '<h3><a href="chapters/03-three/index.html"><span class="number">3</span> 三 three</a></h3>' cat $cover
    expect "what a chapter stands on is an arrow" 1 "" grep '<path data-from="3" data-to="1"' $cover
    expect "a chapter has its part" 0 '<p class="part">Part I · Beginnings</p>' cat $page
    expect "and its number" 0 '<span class="number">Chapter 3</span> 三 three</h1>' cat $other
    expect "contents name every chapter, and the one that is open" 0 \
        '<li><a href="../../chapters/10-ten/index.html" aria-current="page"><span class="number">10</span> Ten</a>' \
        cat out/book/chapters/10-ten/index.html
    expect "a term has its anchor" 0 '<strong class="term" id="term-zeta-term">Zeta term</strong> (泽塔)' sh -c "tr '\n' ' ' <$page"
    expect "the glossary leads to its first use" 0 '<a href="chapters/01-one-thing/index.html#term-alpha">1. One</a>' cat out/book/glossary.html
    expect "code is highlighted" 0 '<span class="st">&quot;S&quot;</span>' cat $page
    expect "code is left alone" 0 'href=&quot;x/README.md&quot;' cat $page
    expect "code that draws is folded" 0 \
        '<summary>The code of <code>draw_line</code></summary><pre class="sourceCode c"><code' \
        sh -c "tr -d '\n' <$page | sed 's|<div[^>]*>||g'"
    expect "and nothing else" 0 '</pre></div></details><pre' sh -c "tr -d '\n' <$page"
    expect "links between chapters stay in the book" 0 '<a href="../03-three/index.html#here">three</a>' cat $page
    expect "a chapter's mention is a link in the book" 0 '<a href="../03-three/index.html">chapter 3</a>' cat $page
    expect "a page leads on" 0 '<a rel="next" href="../../chapters/03-three/index.html">3. 三 three →</a>' cat $page
    expect "and back" 0 '<a rel="prev" href="../../chapters/01-one-thing/index.html">← 1. One</a>' cat $other
    expect "no page of the forge is linked" 1 "" grep -rE --include='*.html' 'href="[^"]*README' out/book
    expect "figures are in the book" 0 picture cat out/book/figures/03-three/a.png
    expect "a picture and its caption are a figure" 0 \
        '<figcaption><strong>Figure 3.1.</strong> <em>A.</em></figcaption></figure>' cat $other
    expect "search knows the pages' words" 0 '["chapters/01-one-thing/index.html","1. One",[["",""," A Zeta term (泽塔) and an alpha' cat out/book/search.js
    expect "and has code as it is" 0 'section(lesson, \"S\"); // href=\"x/README.md\"' cat out/book/search.js
    missing=""
    for page in out/book/[!n]*.html out/book/chapters/*/*.html; do # the notation names chapters of the real course
        for link in $(grep -oE '(href|src)="[^"#:]+' $page | cut -d'"' -f2); do
            [ -e "$(dirname $page)/$link" ] || missing="$missing $page→$link"
        done
    done
    expect "every link leads somewhere" 0 "missing: ." echo "missing:$missing ."
    chapter A-last Last "$draws"
    printf '/*\n# Last\n\nYou need chapter 3. See Figure A.1.\n\n## Why\n*/\nsection(lesson, "S");\n' >chapters/A-last/last.c
    run weave A-last >/dev/null
    expect "a chapter of the appendix has a letter" 0 "![Figure A.1. A.](../../figures/A-last/a.png)" cat chapters/A-last/README.md
    expect "and stands behind the others" 0 "← [Ten](../10-ten/README.md) · [contents](../../README.md)" tail -n 1 chapters/A-last/README.md
    expect "the book misses it in the table" 1 "chapters/A-last is not in the table of README.md" book
    echo '| Appendix · More | **[A Last](chapters/A-last/README.md)** |' >>README.md
    expect "the book has it" 0 "4 chapters, 2 figures" book
    last=out/book/chapters/A-last/index.html
    expect "with its letter" 0 '<span class="number">Appendix A</span> Last</h1>' cat $last
    expect "also before its sections" 0 '<span class="header-section-number">A.1</span> Why' cat $last
    expect "its figures are linked" 0 '<a href="#figure-A-1">Figure A.1</a>' cat $last
    expect "what it stands on is in the map" 0 'data-number="A" data-needs="3" aria-label="Appendix A: Last"' cat $cover
    expect "and it has a part of the cards" 0 "Appendix · More" cat $cover
    rm figures/03-three/a.png
    expect "a figure that is not there is told" 0 "shows figures/03-three/a.png, which is not there" book
fi
# A folder of commands without pandoc.
mkdir -p few && for command in sh mkdir sed head tr rm mv cp cat; do ln -s "$(command -v $command)" few/; done
expect "without pandoc there is no book" 1 "the web book needs pandoc" env PATH="$PWD/few" sh common/tools/book.sh out2

echo "weave: $ran checks, $failed failed"
[ "$failed" -eq 0 ]
