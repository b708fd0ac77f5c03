#!/bin/sh
# questions.sh: the questions under "Check yourself" at the end of each page, gathered for print: first all questions, then, on
# pages of their own, the answers.
#
#   sh common/tools/questions.sh FILE.html CHAPTER…      CHAPTER is a folder's name, "NN-name". `make questions` calls it
#   sh common/tools/questions.sh FILE.md CHAPTER…        as Markdown, without pandoc
set -u
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
export LC_ALL=C.UTF-8
file=$1
shift
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT

# gather questions|answers PAGE: what stands there. Links to other pages become plain words, as paper has none.
gather() {
    awk -v what="$1" '
        /^# / && title == "" {
            number = FILENAME
            sub(/^chapters\/0*/, "", number)
            sub(/-.*/, "", number)
            title = substr($0, 3)
            print "## " number "  " title "\n"
        }
        /^## / { on = $0 == "## Check yourself"; next }
        !on { next }
        /^\*\*[0-9]+\.\*\*/ { nth = $1 }
        /^<details>/ { folded = 1; fresh = 1; next }
        /^<\/details>/ { folded = 0; next }
        {
            while (match($0, /\]\([^)]*\.md[^)]*\)/)) # [chapter 7](../07-autograd/README.md)
                $0 = substr($0, 1, RSTART - 1) "\001" substr($0, RSTART + RLENGTH)
            while (match($0, /\[[^][]*\001/)) {
                inside = substr($0, RSTART + 1, RLENGTH - 2)
                $0 = substr($0, 1, RSTART - 1) inside substr($0, RSTART + RLENGTH)
            }
        }
        (what == "questions") != folded {
            if (what == "answers" && fresh && /./) { $0 = nth " " $0; fresh = 0 }
            print
        }
        END { print "" }' "$2"
}

{
    printf '# Questions\n\n'
    for chapter; do gather questions "chapters/$chapter/README.md"; done
    printf '# Answers\n\n'
    for chapter; do gather answers "chapters/$chapter/README.md"; done
} | cat -s >"$scratch/questions.md"

mkdir -p "$(dirname "$file")" || exit 1
case $file in *.md) mv "$scratch/questions.md" "$file" && echo "$file" && exit ;; esac
command -v pandoc >/dev/null || { echo "A page to print needs pandoc: make setup installs it" >&2; exit 1; }
cat >"$scratch/head.html" <<'END'
<style>
html { color: #1a1a1a; background: #fff; }
body { max-width: 44em; margin: 0 auto; padding: 2em 1.2em; font: 11pt/1.45 Georgia, "Noto Serif", serif; overflow-wrap: break-word; }
header h1 { font-size: 1.5em; }
h1 { font-size: 1.4em; margin-top: 2.5em; }
h2 { font-size: 1.1em; margin: 1.6em 0 0.4em; break-after: avoid; }
p { margin: 0.5em 0; break-inside: avoid; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { padding: 0.1em 0.6em; }
pre, math[display=block] { overflow-x: auto; }
@media print { body { max-width: none; padding: 0; } #answers { break-before: page; } }
</style>
END
pandoc -f gfm+tex_math_dollars -t html5 --wrap=none --mathml --standalone --metadata lang=en \
    --metadata title="A Gentle Walk into Deep Learning, in C: check yourself" --include-in-header "$scratch/head.html" \
    -o "$scratch/questions.html" "$scratch/questions.md" && mv "$scratch/questions.html" "$file" && echo "$file"
