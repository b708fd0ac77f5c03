#!/bin/sh
# run.sh: runs benchmarks one after the other; `make bench` calls it, which builds them.
#
#     run.sh FOLDER NAME…      FOLDER/bench_NAME are the programs, FOLDER/peers those of other libraries
#
# Settings, given to make or in the environment:
#     NAME="resnet lstm"  only these            PEERS=1     beside other libraries, in the same run
#     PROFILE=1           where the time goes   JSON=file   a line for each figure; sh tests/bench/table.sh FILE makes a table of it
#     ACCURACY=1          trains instead of timing, with PEERS=1 the others too, and keeps what is reached in accuracy.tsv
#
# Behind a benchmark's speeds stands what its model reached when it was last trained, with that commit, and whether its sources
# have changed since. All of them take less than 10 minutes on two cores, with PEERS=1 less than 20; where it was more, the last
# line says so.
set -u
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
case " ${ARGS-} " in *" --help "*) sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
folder=$1
shift

on() { case ${1-} in "" | 0 | no | off | false) return 1 ;; esac } # as in the Makefile
table=${BENCH_TABLE-tests/bench/accuracy.tsv} # program, row, metric, after, who, value, version, commit, date
minutes=10
BENCH_PEERS='' BENCH_ACCURACY='' BENCH_PROFILE=''
if on "${PEERS-}"; then BENCH_PEERS=1 minutes=20; fi
if on "${ACCURACY-}"; then BENCH_ACCURACY=1; fi
if on "${PROFILE-}"; then BENCH_PROFILE=1; fi
budget=${BENCH_BUDGET-$((60 * minutes))} # seconds, for all of them
BENCH_PROGRAMS=$folder/peers BENCH_JSON=${JSON-}
export BENCH_PEERS BENCH_ACCURACY BENCH_PROFILE BENCH_PROGRAMS BENCH_JSON BENCH_PLACE BENCH_COMMIT

scratch=$(mktemp -d "${TMPDIR:-/tmp}/bench-XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
[ -z "$BENCH_JSON" ] || : >"$BENCH_JSON" || exit 1
[ -z "$BENCH_ACCURACY" ] || BENCH_JSON=$scratch/reached

# A + behind the commit: files differ from it.
BENCH_COMMIT=$(git rev-parse --short HEAD 2>/dev/null) || BENCH_COMMIT=""
if [ -n "$BENCH_COMMIT" ] && ! git diff --quiet HEAD -- . ":!$table" 2>/dev/null; then BENCH_COMMIT="$BENCH_COMMIT+"; fi

# The files that say what a benchmark trains: its own, its peers', and the headers of learning and models that it includes, with
# their sources.
sources_of() { # NAME
    own=tests/bench/bench_$1.c
    [ -f "$own" ] || return 0
    beside=$(sed -n 's/^#include "\([a-z_]*\.h\)".*/\1/p' "$own" | grep -vE '^(bench|raw|timing|watch|labels)\.h$' | sed 's|^|tests/bench/|')
    printf '%s\n' "$own" $beside
    sed -n 's/.*\.program = "\([a-z_]*\.py\)".*/tests\/bench\/peers\/\1/p' "$own" $beside
    sed -n 's/^#include "\(\(learning\|models\)\/[a-z_\/]*\)\.h".*/common\/\1.h common\/\1.c/p' "$own" $beside
}

# How many commits have changed them since; nothing where that cannot be known.
changes_since() { # NAME COMMIT
    git rev-parse --verify --quiet "${2%+}^{commit}" >/dev/null 2>&1 || return 0
    git log --oneline "${2%+}.." -- $(sources_of "$1" | tr ' ' '\n' | sort -u) 2>/dev/null | wc -l | tr -d ' '
}

# What the benchmark's models reached when they were last trained: "mlp test_accuracy after 5 epochs: this course 0.88, …"
show_kept() { # NAME
    grep -q '\.kept = ' "tests/bench/bench_$1.c" 2>/dev/null || return 0 # it trains nothing
    kept=$(awk -F '\t' -v program="$1" '$1 == program {
        row = $2 " " $3 " after " $4
        if (!(row in text)) order[++count] = row
        text[row] = text[row] (text[row] == "" ? "" : ", ") ($7 == "-" ? $5 : $7) " " $6
        commit[row] = $8
        date[row] = $9
    }
    END {
        for (i = 1; i <= count; i++)
            print commit[order[i]] "\t" order[i] ": " text[order[i]] " (" commit[order[i]] ", " date[order[i]] ")"
    }' "$table" 2>/dev/null)
    [ -n "$kept" ] || { echo "$1: nothing is kept in $table; make bench ACCURACY=1 NAME=$1 trains it" >&2; return 0; }
    printf '%s\n' "$kept" | cut -f 2 >&2
    commit=$(printf '%s\n' "$kept" | head -n 1 | cut -f 1)
    changed=$(changes_since "$1" "$commit")
    case $changed in
    "" | 0) ;;
    1) echo "$1: 1 commit has changed its sources since: make bench ACCURACY=1 NAME=$1 trains anew" >&2 ;;
    *) echo "$1: $changed commits have changed its sources since: make bench ACCURACY=1 NAME=$1 trains anew" >&2 ;;
    esac
}

# What was reached replaces what was kept of the same row and the same library.
keep() { # FILE of JSON lines
    [ -s "$1" ] || return 0 # a benchmark that trains nothing; below, an empty first file would be taken for the table
    [ -f "$table" ] || printf '# program\trow\tmetric\tafter\twho\tvalue\tversion\tcommit\tdate\n' >"$table"
    awk -v date="$(date +%Y-%m-%d)" '
        BEGIN { FS = OFS = "\t" }
        function value(key, at, text) {
            at = index($0, "\"" key "\": ")
            if (!at) return ""
            text = substr($0, at + length(key) + 4)
            if (substr(text, 1, 1) == "\"") { text = substr(text, 2); sub(/".*/, "", text) }
            else sub(/[,}].*/, "", text)
            return text
        }
        NR == FNR {
            if (value("after") == "") next
            row = value("name")
            who = "this course"
            if ((at = index(row, ":"))) { who = substr(row, at + 1); row = substr(row, 1, at - 1) }
            key = value("program") FS row FS value("metric") FS value("after") FS who
            if (!(key in line)) added[++count] = key
            line[key] = key FS value("value") FS (value("version") == "" ? "-" : value("version")) FS value("commit") FS date
            next
        }
        /^#/ { print; next }
        { key = $1 FS $2 FS $3 FS $4 FS $5; if (key in line) { print line[key]; delete line[key] } else print }
        END { for (i = 1; i <= count; i++) if (added[i] in line) print line[added[i]] }' "$1" "$table" >"$scratch/table" || return 1
    { sed -n '/^#/p' "$scratch/table"; sed '/^#/d' "$scratch/table" | sort -s -t "$(printf '\t')" -k 1,1 -k 2,2 -k 3,3; } >"$scratch/sorted"
    cat "$scratch/sorted" >"$table"
}

clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

began=$(date +%s) number=0 failed=0 longest=0 slowest="" total=$#
for name; do
    number=$((number + 1))
    BENCH_PLACE="$number of $total"
    before=$(date +%s)
    [ -z "$BENCH_ACCURACY" ] || : >"$BENCH_JSON"
    "$folder/bench_$name" || { failed=$?; echo "$name ended with status $failed" >&2; break; }
    if [ -n "$BENCH_ACCURACY" ]; then
        keep "$BENCH_JSON" || { failed=1; echo "cannot write $table" >&2; break; }
    else
        show_kept "$name"
    fi
    took=$(($(date +%s) - before))
    [ "$took" -lt "$longest" ] || { longest=$took slowest=$name; }
done

took=$(($(date +%s) - began))
of=""
[ -n "$BENCH_ACCURACY" ] || of=" of at most $(clock "$budget")"
printf '\n%d of %d benchmarks in %s%s; the longest: %s, %s\n' "$number" "$total" "$(clock "$took")" "$of" "$slowest" "$(clock "$longest")" >&2
if [ -z "$BENCH_ACCURACY" ] && [ "$took" -ge "$budget" ]; then
    echo "That is more than it may take: something else ran on this machine, or a row of $slowest does too much in a block." >&2
fi
[ -z "$BENCH_ACCURACY" ] || echo "What was reached is kept in $table: look at its differences, and commit it." >&2
exit "$failed"
