#!/bin/sh
# pictures.sh: README.md's wall of pictures, one for each chapter, between the lines "pictures" and "end of pictures", and the
# seconds behind each chapter of its table, from tests/grader/seconds.txt (sh tests/grader/plan.sh --measure).
#
#   sh common/tools/pictures.sh --write     puts them there
#   sh common/tools/pictures.sh --check     exit status 1 when README.md has others, or a picture is missing
#
# The chapters are those of README.md's table, in its order; the pictures are named here, or else a page's first one.
set -u
export LC_ALL=C.UTF-8
case ${1-} in --check | --write) ;; *) sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
cd "$(dirname "$0")/../.." || exit 2

chosen="01-linear-regression/predicted 02-logistic-regression/weights 03-trees-and-margins/boundaries
04-without-labels/map 05-descent-and-randomness/valley 06-mlp-backprop/spirals 07-autograd/graph
08-implicit-representation/fits 09-resnet/edge 10-cnn/maps 11-alexnet-to-resnet/augmented
12-detection-segmentation-enhancement/boxes 13-rnn-is-lti/impulse 14-lstm/gates 15-gnn/karate 16-attention/lookup
17-transformer/date 18-tokenizer/worth 19-bert/names 20-tiny-gpt/induction 21-scaling-laws/law 22-vit-swin/attention
23-mae/filled 24-clip-vilt/scenes 25-gan/samples 26-diffusion/words 27-style-transfer/painted 28-inside-an-llm/parameters
29-sft-lora/quizzes 30-reinforcement-learning/film 31-reasoning-rl/curves 32-lightweight/mosaic 33-many-machines/consensus"

new=$(mktemp) || exit 1
trap 'rm -f "$new"' EXIT

# "number|folder|title" of each chapter
sed -n '/^| part /,/^$/p' README.md | grep -oE '\[([0-9]+|[A-Z]) [^]]*\]\(chapters/[^/]*/README\.md\)' |
    sed -E 's/^\[([0-9A-Z]+) ([^]]*)\]\(chapters\/([^/]*)\/.*/\1|\3|\2/' |
    while IFS='|' read -r number folder title; do
        picture=""
        for name in $chosen; do
            [ "${name%%/*}" != "$folder" ] || picture=$(ls "figures/$name."* 2>/dev/null | head -n 1)
        done
        [ -n "$picture" ] || picture=$(sed -n 's|^!\[.*](../../\(figures/[^)]*\))$|\1|p' "chapters/$folder/README.md" | head -n 1)
        [ -f "$picture" ] || { echo "pictures.sh: chapters/$folder has no picture" >&2; continue; }
        printf '<a href="chapters/%s/README.md"><img src="%s" height="104" title="%s %s" alt="Chapter %s, %s"></a>\n' \
            "$folder" "$picture" "$number" "$title" "$number" "$title"
    done >"$new"
awk -v new="$new" -v seconds=tests/grader/seconds.txt '
    # Students have no such file: what stands there remains.
    BEGIN { while ((getline line < seconds) > 0) { split(line, field, " "); takes[field[1]] = field[2]; known = 1 } }
    /^\| part / { table = 1 }
    /^$/ { table = 0 }
    known && table && /\(chapters\// {
        count = split($0, chapter, " · \\*\\*")
        line = ""
        for (i = 1; i <= count; i++) {
            number = chapter[i]
            sub(/^.*\[/, "", number)
            sub(/ .*/, "", number)
            sub(/README\.md\)\*\*( [0-9]+ s)?/, "README.md)**" (number in takes ? " " takes[number] " s" : ""), chapter[i])
            line = line (i > 1 ? " · **" : "") chapter[i]
        }
        $0 = line
    }
    /^<!-- pictures -->/ { print; while ((getline line < new) > 0) print line; skip = 1; next }
    /^<!-- end of pictures -->/ { skip = 0 }
    !skip' README.md >"$new.md"
trap 'rm -f "$new" "$new.md"' EXIT
if [ "$1" = --write ]; then
    cat "$new.md" >README.md
elif ! cmp -s "$new.md" README.md; then
    echo "README.md: its pictures are not those of the chapters; sh common/tools/pictures.sh --write mends it"
    diff README.md "$new.md" | head -n 6
    exit 1
fi
