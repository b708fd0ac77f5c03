#!/bin/sh
# help.sh: what can be typed after make, read from the Makefile: "target: … ## what it does", or "#: nameN ## what it does"
# for a family of targets, below section headings "# ---- Title ---". Fits a terminal of 80 columns. In a handout, where
# tests/grader is not, the sections of what is not handed out are left out, too.
#
#   sh common/tools/help.sh Makefile
set -u
case ${1-} in --help | "") sed -n '2,/^set/{s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
teacher=no
[ ! -d tests/grader ] || teacher=yes
awk -v teacher="$teacher" '
    function columns(text) { gsub(/[\200-\277]/, "", text); return length(text) } # UTF-8: count first bytes only

    /^# ---- / {
        title = $0
        gsub(/^# ---- | *\(.*\)| *-+$/, "", title)
        titles[++sections] = title
    }
    /^#: [^#]*## / || /^[a-z][-a-z0-9]*:[^=#]*## / {
        name = $0
        sub(/^#: /, "", name)
        sub(/[ :].*/, "", name)
        sub(/^[^#]*#*[^#]*## /, "")
        line = sprintf("  %-14s", name)
        width = columns(line)
        count = split($0, word, " ")
        for (i = 1; i <= count; i++) {
            if (width + 1 + columns(word[i]) > 79) {
                line = line "\n" sprintf("%16s", "")
                width = 16
            }
            line = line " " word[i]
            width += 1 + columns(word[i])
        }
        text[sections] = text[sections] line "\n"
    }
    END {
        print "make TARGET, where TARGET is one of:"
        count = split("Chapters|Exercises", first, "|") # what a reader looks for; the rest as the Makefile has it
        for (k = 1; k <= count; k++)
            for (i = 1; i <= sections; i++)
                if (titles[i] == first[k]) {
                    printf "\n%s\n%s", titles[i], text[i]
                    text[i] = ""
                }
        for (i = 1; i <= sections; i++)
            if (text[i] != "" && (teacher == "yes" || titles[i] !~ /^(The teacher|Fuzzing|On a new system)/)) printf "\n%s\n%s", titles[i], text[i]
    }' "$1"
cat <<'END'

Settings, after the target: CC=clang · ARCH=x86-64-v3 · MODE=asan · FULL=1 (train
longer) · WERROR=1 · BUILD=folder · CFLAGS=-O2 · V=1 (show every command)
END
