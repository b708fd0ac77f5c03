#!/bin/sh
# plan.sh: the tables and the picture of the teachers' guide, from the chapters' own pages.
#
#   sh tests/grader/plan.sh --check     exit status 1 when tests/grader/TEACHING.md has other tables, or a chapter stands
#                                       in a week before one that it needs
#   sh tests/grader/plan.sh --write     puts the tables into the guide and draws tests/grader/prerequisites.png
#   sh tests/grader/plan.sh --measure   runs every chapter (make chapters-built comes first) and keeps the seconds in
#                                       tests/grader/seconds.txt: --write then makes a column of them
#
# A page's paragraph with "You need" says what a chapter needs; a page without it needs all earlier ones that it links to.
# Reading: 200 words of prose and 20 lines of code a minute, to five minutes; output and folded answers not counted.
set -u
export LC_ALL=C.UTF-8
case ${1-} in --check | --write | --measure) ;; *) sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
cd "$(dirname "$0")/../.." || exit 2
guide=tests/grader/TEACHING.md seconds=tests/grader/seconds.txt
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT

# The twelve weeks: chapters that everything later stands on, those that a shorter course leaves out, and what is asked.
weeks='1|1 2||What is learning, if a formula is all there is?
2|5|3 4|What else fits, and what does a step cost?
3|6 7|8|Who computes the derivatives?
4|9 10||Why does depth fail, and what does an image share?
5|11 12||What did ten years of vision add?
6|13 14|15|What may a network remember?
7|16 18|17|How does one position ask another?
8|20|19 21|How far does guessing the next word carry?
9|22 24|23|Can the same block see, and name what it sees?
10|25 26|27|How is something new drawn?
11|28 29|30|What is inside a model that others have trained?
12|31|32 33|Who says what a good answer is, and what does it cost?'

folder_of() { for found in chapters/"$(printf %02d "$1")"-*; do echo "$found"; done; }

if [ "$1" = --measure ]; then
    for folder in chapters/[0-9]*; do
        name=${folder#chapters/[0-9][0-9]-}
        program=$(find build -path "*-release/$folder/$(echo "$name" | tr - _)" -type f | head -n 1)
        [ -x "$program" ] || { echo "$folder is not built: make chapters-built" >&2; exit 1; }
        start=$(date +%s.%N)
        "$program" --quiet --figures "$scratch" >/dev/null 2>&1 || echo "$folder: status $?" >&2
        echo "${folder#chapters/} $(date +%s.%N) $start" |
            awk '{ sub(/-.*/, "", $1); printf "%d %.0f\n", $1, $2 - $3 < 1 ? 1 : $2 - $3 }' | tee -a "$scratch/seconds"
    done
    mv "$scratch/seconds" "$seconds"
    exit
fi

# The heights of the chapters in the picture: few arrows cross, and few pass behind a chapter that is not theirs.
heights="1.7 1.0 0.9 0.0 2.4 1.8 1.1 0.4 2.4 0.8 1.9 2.7 0.9 2.3 0.2 1.9 2.8 1.0 2.6 1.4 0.4 1.9 2.8 0.2
    2.7 1.9 0.5 1.4 0.8 1.9 1.8 1.2 0.0"

# ---- What the pages say: number|title|folder|needs|minutes to read|tasks|points|seconds ----------------------------

for folder in chapters/[0-9]*; do
    two=${folder#chapters/} two=${two%%-*} number=${two#0}
    tests=$(grep -oE '\{"[0-9]+\.[0-9]+", *[0-9]+' "tests/exercises/exercise_$two.c" | tr -d '{",')
    run=$(awk -v number="$number" '$1 == number { print $2 }' "$seconds" 2>/dev/null)
    awk -v number="$number" -v folder="${folder#chapters/}" -v run="$run" -v tests="$(echo "$tests" | xargs)" '
        function chapters(text,    found) { # the earlier chapters that a text links to
            while (match(text, /\(\.\.\/[0-9][0-9]-/)) {
                found = substr(text, RSTART + 4, 2) + 0
                if (found < number) linked[found]
                text = substr(text, RSTART + RLENGTH)
            }
        }
        /^# / && title == "" { title = substr($0, 3) }
        /^```/ { code = !code; output = code && $0 != "```c"; next }
        /<details>/ && !code { folded = 1 }
        /<\/details>/ { folded = 0 }
        code { if (!output && !folded) lines++; next }
        { if (!folded) words += NF }
        /You need/ && !found_needs { needs = found_needs = on = 1; sub(/.*You need/, "") }
        on && /^$/ { on = 0 }
        on && /;/ { sub(/;.*/, ""); paragraph = paragraph " " $0; on = 0 }
        on { paragraph = paragraph " " $0 }
        { all = all " " $0 }
        END {
            chapters(needs ? paragraph : all)
            for (i = 1; i < number; i++) if (i in linked) list = list (list == "" ? "" : " ") i
            count = split(tests, part, " ")
            for (i = 1; i < count; i += 2) {
                if (!(part[i] in seen)) tasks++
                seen[part[i]]
                points += part[i + 1]
            }
            minutes = 5 * int((words / 200 + lines / 20) / 5 + 0.5) # to five: an edited sentence changes no table
            printf "%d|%s|%s|%s|%d|%d|%d|%s\n", number, title, folder, list, minutes, tasks, points, run
        }' "$folder/README.md"
done >"$scratch/chapters"

# ---- The tables ----------------------------------------------------------------------------------------------------

echo "$weeks" >"$scratch/weeks"
awk -F '|' '
    function link(n) { return "[" n "](../../chapters/" folder[n] "/README.md)" }
    function links(list,    part, count, i, text) {
        count = split(list, part, " ")
        for (i = 1; i <= count; i++) text = text (i > 1 ? ", " : "") link(part[i])
        return count ? text : "–"
    }
    function named(list,    part, count, i, text) {
        count = split(list, part, " ")
        for (i = 1; i <= count; i++) text = text (i > 1 ? "; " : "") link(part[i]) " " title[part[i]]
        return count ? text : "–"
    }
    function minutes(list,    part, count, i, sum) {
        count = split(list, part, " ")
        for (i = 1; i <= count; i++) sum += reading[part[i]]
        return sum + 0
    }
    FILENAME ~ /chapters$/ {
        title[$1] = $2
        folder[$1] = $3
        needs[$1] = $4
        reading[$1] = $5
        run[$1] = $8
        if ($8 != "") timed = 1
        rest[$1] = $6 " | " $7
        all = $1
        count = split($4, part, " ")
        for (i = 1; i <= count; i++) leads[part[i]] = leads[part[i]] (leads[part[i]] == "" ? "" : " ") $1
        next
    }
    {
        if (FNR == 1) {
            print "| week | chapters | may be left out | the question | reading, minutes |"
            print "|---|---|---|---|---|"
        }
        more = $3 == "" ? "" : " + " minutes($3)
        print "| " $1 " | " named($2) " | " named($3) " | " $4 " | " minutes($2) more " |"
    }
    END {
        print "\n| chapter | it needs | leads to | reading, minutes |" (timed ? " runs, seconds |" : "") " tasks | points |"
        print "|---|---|---|---|" (timed ? "---|" : "") "---|---|"
        for (n = 1; n <= all; n++)
            print "| " link(n) " " title[n] " | " links(needs[n]) " | " links(leads[n]) " | " reading[n] \
                (timed ? " | " run[n] : "") " | " rest[n] " |"
    }' "$scratch/chapters" "$scratch/weeks" >"$scratch/tables"

# Nothing comes before what it needs, and what is never left out needs nothing that may be.
awk -F '|' '
    function wrong(what) { print "chapter " n " " what; bad = 1 }
    FILENAME ~ /chapters$/ { needs[$1] = $4; all = $1; next }
    {
        core = split($2, part, " ")
        count = split($2 " " $3, part, " ")
        for (i = 1; i <= count; i++) {
            week[part[i]] = $1
            extra[part[i]] = i > core
            times[part[i]]++
        }
    }
    END {
        for (n = 1; n <= all; n++) {
            if (times[n] != 1) wrong("stands in " times[n] + 0 " weeks")
            count = split(needs[n], part, " ")
            for (i = 1; i <= count; i++) {
                if (week[part[i]] > week[n]) wrong("needs chapter " part[i] ", which comes in a later week")
                if (extra[part[i]] && !extra[n]) wrong("is never left out, and needs chapter " part[i] ", which may be")
            }
        }
        exit bad
    }' "$scratch/chapters" "$scratch/weeks" || exit 1

awk -v tables="$scratch/tables" '
    /^<!-- plan -->/ { print; print ""; while ((getline line < tables) > 0) print line; print ""; skip = 1; next }
    /^<!-- end of plan -->/ { skip = 0 }
    !skip' "$guide" >"$scratch/guide"
if [ "$1" = --check ]; then
    cmp -s "$guide" "$scratch/guide" && exit
    echo "$guide: its tables are not those of the chapters; sh tests/grader/plan.sh --write mends it"
    diff "$guide" "$scratch/guide" | head -n 8
    exit 1
fi
cat "$scratch/guide" >"$guide"

# ---- The picture: a column for each week; an arrow to what stands on it, unless another way leads there -------------

awk -F '|' -v heights="$heights" '
    BEGIN { split(heights, y, " ") }
    FILENAME ~ /chapters$/ { needs[$1] = $4; all = $1; next }
    {
        count = split($2 " " $3, part, " ")
        core = split($2, unused, " ")
        for (i = 1; i <= count; i++) {
            x[part[i]] = $1
            extra[part[i]] = i > core
        }
    }
    function reaches(from, to,    part, count, i) { # from needs to, by whatever way
        count = split(needs[from], part, " ")
        for (i = 1; i <= count; i++) if (part[i] == to || reaches(part[i], to)) return 1
        return 0
    }
    END {
        print "set terminal pngcairo size 1280,400 font \"DejaVu Sans,13\""
        print "set output \"tests/grader/prerequisites.png\""
        print "unset border; unset ytics; unset key; set xrange [0.5:12.5]; set yrange [-0.3:3]"
        print "set xtics 1 scale 0 format \"week %.0f\" textcolor rgb \"#555555\""
        for (n = 1; n <= all; n++) {
            count = split(needs[n], part, " ")
            for (i = 1; i <= count; i++) {
                direct = 1
                for (k = 1; k <= count; k++) if (k != i && reaches(part[k], part[i])) direct = 0
                if (!direct) continue
                m = part[i]
                dx = x[n] - x[m]; dy = (y[n] - y[m])
                size = sqrt(dx * dx * 10000 + dy * dy * 11000)
                printf "set arrow from %g,%g to %g,%g head size screen 0.008,20 filled " \
                    "linecolor rgb \"#8899aa\" linewidth 1.3 back\n",
                    x[m] + dx * 17 / size, y[m] + dy * 17 / size, x[n] - dx * 19 / size, y[n] - dy * 19 / size
            }
        }
        for (n = 1; n <= all; n++)
            printf "set label \"%d\" at %g,%g center front font \"DejaVu Sans%s,14\" textcolor rgb \"%s\"\n",
                n, x[n], y[n],
                extra[n] ? "" : " Bold", extra[n] ? "#333333" : "#ffffff"
        print "$core << E"
        for (n = 1; n <= all; n++) if (!extra[n]) print x[n], y[n]
        print "E\n$extra << E"
        for (n = 1; n <= all; n++) if (extra[n]) print x[n], y[n]
        print "E\nplot $core with points pointtype 7 pointsize 4 linecolor rgb \"#1f5f99\", \\"
        print "     $extra with points pointtype 7 pointsize 4 linecolor rgb \"#dde6ee\""
    }' "$scratch/chapters" "$scratch/weeks" >"$scratch/picture"
gnuplot "$scratch/picture" && echo "$guide, tests/grader/prerequisites.png"
